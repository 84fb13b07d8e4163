/* Thousands of random afternoons: the order and repetition of events change nothing; a plain
 * reading of the rules, one survey at a time over all events, gives the same; stretches
 * of events between cuts may be assembled alone. */
#include "okno/buf.h"
#include "okno/hours.h"
#include "point.h"

#include <inttypes.h>

enum { EVENTS_MAX = 48, ROUNDS = 4000 };

static uint64_t seed_state;
static struct okno_hours *opening_hours;
static const struct {
    int64_t from_us, to_us;
} opening_spans[] = {{T0, T0 + SECONDS(300)}, {T0 + SECONDS(420), T0 + SECONDS(1980)}};

/* splitmix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
 */
static uint64_t random_bits(void)
{
    uint64_t z = seed_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t below(int64_t limit)
{
    return (int64_t)(random_bits() % (uint64_t)limit);
}

struct afternoon {
    struct okno_survey_event events[2 * EVENTS_MAX]; /* room for repetitions */
    struct okno_survey_question questions[3];
    struct okno_survey_panel panels[3];
    struct okno_survey_input input;
};

/* Pauses that hit the borders of the rules often, one microsecond off as often as not. */
static int64_t random_pause(void)
{
    static const int64_t borders[] = {0,   1,   2,   2,   3, 5, 5,  7,   10,  15, 15, 30, 45, 60,
                                      120, 120, 600, 600, 1, 2, 15, 800, 240, 0,  0,  4,  14};
    int64_t pause = SECONDS(borders[below((int64_t)(sizeof(borders) / sizeof(borders[0])))]);
    pause += below(3) - 1;
    return below(4) == 0 ? below(SECONDS(20)) : pause < 0 ? 0 : pause;
}

static struct okno_survey_event random_event(int64_t seq, int64_t at_us)
{
    static const char *const devices[] = {"b", "p1", "p2"};
    static const enum okno_device_role roles[] = {OKNO_ROLE_BUTTON, OKNO_ROLE_PANEL,
                                                  OKNO_ROLE_BOTH};
    static const enum okno_event_kind kinds[] = {
        OKNO_EVENT_PRESS,  OKNO_EVENT_PRESS, OKNO_EVENT_PRESS, OKNO_EVENT_YES,
        OKNO_EVENT_YES,    OKNO_EVENT_YES,   OKNO_EVENT_NO,    OKNO_EVENT_NO,
        OKNO_EVENT_UNSURE, OKNO_EVENT_HOLD,  OKNO_EVENT_ALIVE, OKNO_EVENT_BOUNCE};
    enum okno_event_kind kind = kinds[below((int64_t)(sizeof(kinds) / sizeof(kinds[0])))];
    size_t device = okno_event_kind_is_answer(kind) ? 1 + (size_t)below(2) : 2 * (size_t)below(2);
    if (below(20) == 0)
        device = (size_t)below(3);
    return (struct okno_survey_event){.device = devices[device],
                                      .boot = below(2),
                                      .seq = seq,
                                      .kind = kind,
                                      .role = below(30) ? roles[device] : OKNO_ROLE_NONE,
                                      .test = below(40) == 0,
                                      .channel = below(30) ? NULL : "qr",
                                      .at_us = at_us,
                                      .offset_us = below(1000)};
}

static void make_afternoon(struct afternoon *day)
{
    int64_t at = T0;
    size_t count = (size_t)below(EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        day->events[i] = random_event((int64_t)i, at += random_pause());
    day->questions[0] = (struct okno_survey_question){"q1", "personnel", 0, INT64_MAX, SECONDS(15)};
    day->questions[1] = (struct okno_survey_question){"q2", "office", T0 + below(SECONDS(900)),
                                                      T0 + below(SECONDS(1800)), SECONDS(5)};
    day->questions[2] = (struct okno_survey_question){"q3", "loyalty", T0 + below(SECONDS(900)),
                                                      INT64_MAX, SECONDS(30)};
    day->panels[0] = (struct okno_survey_panel){"p1", 0, INT64_MAX, T0 + below(SECONDS(1800))};
    day->panels[1] = (struct okno_survey_panel){"p2", T0 + below(SECONDS(600)), INT64_MAX, at};
    day->panels[2] = (struct okno_survey_panel){"p3", 0, T0 + below(SECONDS(600)), INT64_MAX};
    day->input = (struct okno_survey_input){.events = day->events,
                                            .event_count = count,
                                            .questions = day->questions,
                                            .question_count = (size_t)below(4),
                                            .panels = day->panels,
                                            .panel_count = (size_t)below(4),
                                            .hours = below(2) ? opening_hours : NULL,
                                            .params = okno_survey_params_default(),
                                            .now_us = at - SECONDS(20) + below(SECONDS(90))};
}

static void swap_events(struct okno_survey_event *a, struct okno_survey_event *b)
{
    struct okno_survey_event kept = *a;
    *a = *b;
    *b = kept;
}

static void shuffle_and_repeat(struct afternoon *day)
{
    size_t count = day->input.event_count;
    for (size_t i = 0; i < count; i++)
        if (below(2) == 0)
            day->events[day->input.event_count++] = day->events[i];
    for (size_t i = day->input.event_count; i > 1; i--)
        swap_events(&day->events[i - 1], &day->events[below((int64_t)i)]);
    struct okno_survey_question kept = day->questions[0];
    if (day->input.question_count > 1 && below(2) == 0) {
        day->questions[0] = day->questions[1];
        day->questions[1] = kept;
    }
}

static void print_survey(struct okno_buf *text, const struct okno_survey *survey)
{
    char id[OKNO_EVENT_ID_TEXT];
    char flags[OKNO_SURVEY_FLAGS_TEXT];
    const struct okno_survey_event *opener = &survey->opener;
    const struct okno_survey_event *answer = survey->has_answer ? &survey->answer : NULL;
    int rc = okno_buf_printf(
        text, NULL,
        "S %s %" PRId64 " %" PRId64 " %s %s %s %" PRId64 " +%" PRId64 " late %" PRId64
        " fm %d test %d void %d [%s]\n",
        okno_event_id(opener->device, opener->boot, opener->seq, id), survey->opened_us - T0,
        survey->closes_us - T0, okno_survey_state_text(survey->state),
        survey->question ? survey->question->question : "-",
        answer ? okno_event_kind_text(answer->kind) : "-", answer ? answer->at_us - T0 : 0,
        survey->extra_answers, survey->late_answers, survey->force_majeure, survey->test,
        survey->voided_by != 0, okno_survey_flags_text(survey->flags, flags));
    assert_int_equal(rc, 0);
}

static void print_output(struct okno_buf *text, const struct okno_survey_output *out)
{
    for (size_t i = 0; i < out->survey_count; i++)
        print_survey(text, &out->surveys[i]);
    for (size_t i = 0; i < out->rating_count; i++)
        assert_int_equal(okno_buf_printf(text, NULL, "R %" PRId64 " %" PRId64 " %s\n",
                                         out->ratings[i].event.seq,
                                         out->ratings[i].event.at_us - T0,
                                         okno_event_kind_text(out->ratings[i].event.kind)),
                         0);
    for (size_t i = 0; i < out->situation_count; i++) {
        const struct okno_survey_situation *fm = &out->situations[i];
        assert_int_equal(okno_buf_printf(text, NULL,
                                         "F %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d\n",
                                         fm->first.seq, fm->first_us - T0, fm->until_us - T0,
                                         fm->holds, fm->hold_after_no),
                         0);
    }
}

static void assemble_to_text(const struct okno_survey_input *input, struct okno_buf *text)
{
    struct okno_survey_output out;
    struct okno_err err = {0};
    assert_int_equal(okno_survey_assemble(input, &out, &err), 0);
    print_output(text, &out);
    okno_survey_output_free(&out);
}

/* ---- A plain reading of the rules: slow, and written without the tricks of the product. ---- */

static bool earlier(const struct okno_survey_event *a, const struct okno_survey_event *b)
{
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us;
    int devices = strcmp(a->device, b->device);
    if (devices != 0)
        return devices < 0;
    return a->boot != b->boot ? a->boot < b->boot : a->seq < b->seq;
}

static void sort_plainly(struct okno_survey_event *events, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && earlier(&events[j], &events[j - 1]); j--)
            swap_events(&events[j], &events[j - 1]);
}

static bool presses(const struct okno_survey_event *e)
{
    return e->kind == OKNO_EVENT_PRESS &&
           (e->role == OKNO_ROLE_BUTTON || e->role == OKNO_ROLE_BOTH);
}

static bool holds(const struct okno_survey_event *e)
{
    return e->kind == OKNO_EVENT_HOLD && (e->role == OKNO_ROLE_BUTTON || e->role == OKNO_ROLE_BOTH);
}

static bool answers(const struct okno_survey_event *e)
{
    return okno_event_kind_is_answer(e->kind) && !e->channel &&
           (e->role == OKNO_ROLE_PANEL || e->role == OKNO_ROLE_BOTH);
}

static const struct okno_survey_question *plain_question(const struct okno_survey_input *in,
                                                         int64_t at)
{
    const struct okno_survey_question *best = NULL;
    for (size_t i = 0; i < in->question_count; i++) {
        const struct okno_survey_question *q = &in->questions[i];
        if (q->from_us <= at && at < q->to_us &&
            (!best || q->from_us > best->from_us ||
             (q->from_us == best->from_us && strcmp(q->question, best->question) > 0)))
            best = q;
    }
    return best;
}

static int64_t plain_window(const struct okno_survey *s)
{
    return s->question ? s->question->window_us : SECONDS(15);
}

static size_t plain_surveys(const struct okno_survey_input *in, struct okno_survey *surveys)
{
    size_t count = 0;
    for (size_t i = 0; i < in->event_count; i++) {
        const struct okno_survey_event *e = &in->events[i];
        if (!presses(e))
            continue;
        if (count > 0 && e->at_us < surveys[count - 1].opened_us + SECONDS(2)) {
            surveys[count - 1].flags |= OKNO_SURVEY_DUPLICATE_PRESS;
            continue;
        }
        if (count > 0 && e->at_us < surveys[count - 1].closes_us)
            surveys[count - 1].closes_us = e->at_us;
        struct okno_survey *s = &surveys[count++];
        *s = (struct okno_survey){.opener = *e, .opened_us = e->at_us};
        s->question = plain_question(in, e->at_us);
        s->closes_us = e->at_us + plain_window(s);
    }
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < in->event_count; i++) {
            const struct okno_survey_event *e = &in->events[i];
            if (!answers(e) || e->at_us < surveys[k].opened_us || e->at_us >= surveys[k].closes_us)
                continue;
            if (surveys[k].has_answer)
                surveys[k].extra_answers++;
            else
                surveys[k].answer = *e;
            surveys[k].has_answer = true;
        }
    return count;
}

static bool plain_inside(const struct okno_survey *surveys, size_t count, int64_t at)
{
    for (size_t k = 0; k < count; k++)
        if (surveys[k].opened_us <= at && at < surveys[k].closes_us)
            return true;
    return false;
}

static size_t plain_ratings(const struct okno_survey_input *in, struct okno_survey *surveys,
                            size_t count, struct okno_survey_rating *ratings)
{
    size_t rating_count = 0;
    for (size_t i = 0; i < in->event_count; i++) {
        const struct okno_survey_event *e = &in->events[i];
        bool channel =
            okno_event_kind_is_answer(e->kind) && e->channel && e->role != OKNO_ROLE_NONE;
        struct okno_survey *silent = NULL;
        for (size_t k = 0; k < count; k++)
            if (!surveys[k].has_answer && surveys[k].closes_us <= e->at_us)
                silent = &surveys[k];
        if (channel)
            ratings[rating_count++].event = *e;
        else if (!answers(e) || plain_inside(surveys, count, e->at_us))
            continue;
        else if (silent && e->at_us < silent->closes_us + SECONDS(45))
            silent->late_answers++;
        else
            ratings[rating_count++].event = *e;
    }
    return rating_count;
}

static size_t plain_situations(const struct okno_survey_input *in,
                               struct okno_survey_situation *situations)
{
    size_t count = 0;
    for (size_t i = 0; i < in->event_count; i++) {
        const struct okno_survey_event *e = &in->events[i];
        if (!holds(e))
            continue;
        if (count == 0 || e->at_us >= situations[count - 1].until_us)
            situations[count++] = (struct okno_survey_situation){.first = *e, .first_us = e->at_us};
        situations[count - 1].until_us = e->at_us + SECONDS(600);
        situations[count - 1].holds++;
        for (size_t j = 0; j < in->event_count; j++) {
            const struct okno_survey_event *no = &in->events[j];
            if (answers(no) && no->kind == OKNO_EVENT_NO && no->at_us <= e->at_us &&
                e->at_us < no->at_us + SECONDS(120))
                situations[count - 1].hold_after_no = true;
        }
    }
    return count;
}

static bool plain_unheard(const struct okno_survey_input *in, const struct okno_survey *s)
{
    size_t paired = 0;
    for (size_t i = 0; i < in->panel_count; i++) {
        if (s->opened_us < in->panels[i].from_us || s->opened_us >= in->panels[i].to_us)
            continue;
        paired++;
        if (in->panels[i].heard_us < s->closes_us)
            return true;
    }
    return paired == 0;
}

static bool plain_hold_after(const struct okno_survey_input *in, const struct okno_survey *s)
{
    for (size_t i = 0; s->has_answer && s->answer.kind == OKNO_EVENT_NO && i < in->event_count; i++)
        if (holds(&in->events[i]) && in->events[i].at_us >= s->answer.at_us &&
            in->events[i].at_us < s->answer.at_us + SECONDS(120))
            return true;
    return false;
}

static bool plain_open_hours(const struct okno_survey_input *in, int64_t at)
{
    for (size_t i = 0; i < OKNO_COUNT(opening_spans); i++)
        if (opening_spans[i].from_us <= at && at < opening_spans[i].to_us)
            return true;
    return !in->hours;
}

/* Surveys of the run that `place` belongs to, to both sides. */
static size_t plain_run(const struct okno_survey *surveys, size_t count, size_t place)
{
    size_t first = place;
    size_t last = place;
    const struct okno_survey *s = surveys;
    if (s[place].state != OKNO_SURVEY_ANSWERED)
        return 0;
    while (first > 0 && s[first - 1].state == OKNO_SURVEY_ANSWERED &&
           s[first - 1].answer.kind == s[place].answer.kind &&
           s[first].opened_us < s[first - 1].closes_us + plain_window(&s[first]))
        first--;
    while (last + 1 < count && s[last + 1].state == OKNO_SURVEY_ANSWERED &&
           s[last + 1].answer.kind == s[place].answer.kind &&
           s[last + 1].opened_us < s[last].closes_us + plain_window(&s[last + 1]))
        last++;
    return last - first + 1;
}

static void plain_flags(const struct okno_survey_input *in, struct okno_survey *s,
                        const struct okno_survey_situation *fm, size_t fm_count)
{
    if (in->now_us < s->closes_us)
        s->state = OKNO_SURVEY_OPEN;
    else
        s->state = s->has_answer ? OKNO_SURVEY_ANSWERED : OKNO_SURVEY_SILENT;
    bool silent = s->state == OKNO_SURVEY_SILENT;
    if (silent && s->closes_us < s->opened_us + plain_window(s))
        s->flags |= OKNO_SURVEY_SUPERSEDED;
    if (silent && plain_unheard(in, s))
        s->flags |= OKNO_SURVEY_PANEL_UNHEARD;
    if (s->has_answer && s->answer.at_us < s->opened_us + 300000)
        s->flags |= OKNO_SURVEY_EARLY_ANSWER;
    if (plain_hold_after(in, s))
        s->flags |= OKNO_SURVEY_HOLD_AFTER_NO;
    if (!plain_open_hours(in, s->opened_us))
        s->flags |= OKNO_SURVEY_OUTSIDE_HOURS;
    s->voided_by = s->test = s->opener.test || (s->has_answer && s->answer.test);
    if (s->test)
        s->flags |= OKNO_SURVEY_TEST_MODE;
    for (size_t i = 0; i < fm_count; i++)
        if (s->opened_us < fm[i].until_us && fm[i].first_us < s->closes_us)
            s->force_majeure = true;
}

static void assemble_plainly(struct afternoon *day, struct okno_buf *text)
{
    static struct okno_survey surveys[EVENTS_MAX];
    static struct okno_survey_rating ratings[EVENTS_MAX];
    static struct okno_survey_situation situations[EVENTS_MAX];
    sort_plainly(day->events, day->input.event_count);
    struct okno_survey_output out = {
        .surveys = surveys, .ratings = ratings, .situations = situations};
    out.survey_count = plain_surveys(&day->input, surveys);
    out.rating_count = plain_ratings(&day->input, surveys, out.survey_count, ratings);
    out.situation_count = plain_situations(&day->input, situations);
    for (size_t i = 0; i < out.survey_count; i++)
        plain_flags(&day->input, &surveys[i], situations, out.situation_count);
    for (size_t i = 0; i < out.survey_count; i++)
        if (plain_run(surveys, out.survey_count, i) >= 5)
            surveys[i].flags |= OKNO_SURVEY_IDENTICAL_RUN;
    print_output(text, &out);
}

static void random_afternoons_follow_the_plain_reading_of_the_rules(void **state)
{
    (void)state;
    seed_state = 20260310;
    size_t seen = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct afternoon day = {0};
        OKNO_AUTO_BUF expected = OKNO_BUF_INIT(1 << 20);
        OKNO_AUTO_BUF got = OKNO_BUF_INIT(1 << 20);
        make_afternoon(&day);
        assemble_plainly(&day, &expected);
        assemble_to_text(&day.input, &got);
        assert_string_equal(okno_buf_text(&got), okno_buf_text(&expected));
        seen += got.len;
    }
    assert_true(seen > ROUNDS * 100); /* the afternoons were not empty */
}

static void order_and_repetition_of_events_change_nothing(void **state)
{
    (void)state;
    seed_state = 7;
    for (int i = 0; i < ROUNDS; i++) {
        struct afternoon day = {0};
        OKNO_AUTO_BUF first = OKNO_BUF_INIT(1 << 20);
        OKNO_AUTO_BUF second = OKNO_BUF_INIT(1 << 20);
        make_afternoon(&day);
        assemble_to_text(&day.input, &first);
        shuffle_and_repeat(&day);
        assemble_to_text(&day.input, &second);
        assert_string_equal(okno_buf_text(&second), okno_buf_text(&first));
    }
}

/* Lines of a kind, in their order, so that outputs of blocks can be put together. */
static void add_lines(struct okno_buf *text, const char *from, char kind)
{
    for (const char *line = from; *line; line = strchr(line, '\n') + 1)
        if (*line == kind)
            assert_int_equal(
                okno_buf_add(text, line, (size_t)(strchr(line, '\n') - line) + 1, NULL), 0);
}

/* Each stretch between moments at which nothing earlier is felt. */
static void assemble_in_blocks(const struct afternoon *day, struct okno_buf *text, size_t *blocks)
{
    OKNO_AUTO_BUF all = OKNO_BUF_INIT(1 << 20);
    struct okno_survey_input block = day->input;
    for (size_t start = 0, end; start < day->input.event_count; start = end) {
        int64_t felt_until = INT64_MIN;
        for (end = start; end < day->input.event_count; end++) {
            const struct okno_survey_event *event = &day->events[end];
            if (end > start && event->at_us >= felt_until)
                break;
            int64_t until =
                event->at_us + okno_survey_reach_us(&day->input.params, SECONDS(30), event->kind);
            felt_until = until > felt_until ? until : felt_until;
        }
        block.events = day->events + start;
        block.event_count = end - start;
        assemble_to_text(&block, &all);
        (*blocks)++;
    }
    for (const char *kind = "SRF"; *kind; kind++)
        add_lines(text, okno_buf_text(&all), *kind);
}

static void stretches_between_cuts_may_be_assembled_alone(void **state)
{
    (void)state;
    seed_state = 99;
    size_t blocks = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct afternoon day = {0};
        OKNO_AUTO_BUF whole = OKNO_BUF_INIT(1 << 20);
        OKNO_AUTO_BUF parts = OKNO_BUF_INIT(1 << 20);
        make_afternoon(&day);
        sort_plainly(day.events, day.input.event_count);
        assemble_to_text(&day.input, &whole);
        assemble_in_blocks(&day, &parts, &blocks);
        assert_string_equal(okno_buf_text(&parts), okno_buf_text(&whole));
    }
    assert_true(blocks > ROUNDS * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_afternoons_follow_the_plain_reading_of_the_rules),
        cmocka_unit_test(order_and_repetition_of_events_change_nothing),
        cmocka_unit_test(stretches_between_cuts_may_be_assembled_alone),
    };
    struct okno_err err = {0};
    if (okno_hours_parse("Mo-Su 12:00-12:05,12:07-12:33", "UTC", &opening_hours, &err) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    okno_hours_free(opening_hours);
    return failed;
}
