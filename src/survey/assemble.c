/* Events of one point -> surveys, ratings, situations. Pure. One pass per rule over events sorted
 * by (time, device, boot, seq); windows are built from presses first and answers placed by time
 * afterwards, so that an answer at the very moment of a press is inside its window whatever the
 * devices' names. */
#include "okno/mem.h"
#include "okno/survey.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

static const int64_t time_limit_us =
    INT64_C(400000000000000000); /* beyond year 9999, far from overflow */

struct work {
    const struct okno_survey_input *input;
    const struct okno_survey_params *params;
    const struct okno_survey_event **events; /* sorted, without repetitions */
    size_t count;
    const struct okno_survey_question **questions; /* sorted by start */
    const struct okno_survey_panel **panels;       /* sorted by start */
    struct okno_survey_output out;
};

struct okno_survey_params okno_survey_params_default(void)
{
    return (struct okno_survey_params){
        .window_us = 15 * OKNO_SECOND_US,
        .duplicate_us = 2 * OKNO_SECOND_US,
        .late_us = 45 * OKNO_SECOND_US,
        .fm_gap_us = 600 * OKNO_SECOND_US,
        .hold_after_no_us = 120 * OKNO_SECOND_US,
        .early_us = 300 * OKNO_MS_US,
        .identical_run = 5,
        .early_action = OKNO_FLAG_MARK,
        .identical_action = OKNO_FLAG_MARK,
        .hours_action = OKNO_FLAG_MARK,
        .test_action = OKNO_FLAG_VOID,
    };
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t okno_survey_quiet_us(const struct okno_survey_params *params, int64_t max_window_us)
{
    int64_t window = larger(params->window_us, max_window_us);
    int64_t reach = larger(window + params->late_us, 2 * window); /* 2: runs of equal answers */
    reach = larger(reach, params->duplicate_us);
    return larger(larger(reach, params->fm_gap_us), params->hold_after_no_us);
}

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_events(const void *left, const void *right)
{
    const struct okno_survey_event *a = *(const struct okno_survey_event *const *)left;
    const struct okno_survey_event *b = *(const struct okno_survey_event *const *)right;
    int order = by_number(a->at_us, b->at_us);
    if (order == 0)
        order = strcmp(a->device, b->device);
    if (order == 0)
        order = by_number(a->boot, b->boot);
    return order ? order : by_number(a->seq, b->seq);
}

static int compare_questions(const void *left, const void *right)
{
    const struct okno_survey_question *a = *(const struct okno_survey_question *const *)left;
    const struct okno_survey_question *b = *(const struct okno_survey_question *const *)right;
    int order = by_number(a->from_us, b->from_us);
    if (order == 0)
        order = strcmp(a->question, b->question);
    return order ? order : by_number(a->window_us, b->window_us);
}

static int compare_panels(const void *left, const void *right)
{
    const struct okno_survey_panel *a = *(const struct okno_survey_panel *const *)left;
    const struct okno_survey_panel *b = *(const struct okno_survey_panel *const *)right;
    return by_number(a->from_us, b->from_us);
}

static int check_input(const struct okno_survey_input *input, struct okno_err *err)
{
    const struct okno_survey_params *p = &input->params;
    const int64_t spans[] = {p->window_us,        p->duplicate_us, p->late_us,      p->fm_gap_us,
                             p->hold_after_no_us, p->early_us,     p->identical_run};
    for (size_t i = 0; i < OKNO_COUNT(spans); i++)
        if (spans[i] <= 0 || spans[i] > 365 * OKNO_DAY_US)
            return okno_fail(err, OKNO_INVALID,
                             "a survey parameter must be above 0, at most a year");
    for (size_t i = 0; i < input->question_count; i++)
        if (input->questions[i].window_us <= 0 || input->questions[i].window_us > OKNO_DAY_US)
            return okno_fail(err, OKNO_INVALID,
                             "question %s: a window must be above 0, at most a day",
                             input->questions[i].question);
    for (size_t i = 0; i < input->event_count; i++)
        if (input->events[i].at_us < -time_limit_us || input->events[i].at_us > time_limit_us)
            return okno_fail(err, OKNO_INVALID, "an event of %s has a time beyond year 9999",
                             input->events[i].device);
    return 0;
}

/* Array of `count` pointers, at least one. NULL: no memory. */
static void *pointers(size_t count)
{
    return calloc(count ? count : 1, sizeof(void *));
}

static int allocate(struct work *work, struct okno_err *err)
{
    work->events = pointers(work->input->event_count);
    work->questions = pointers(work->input->question_count);
    work->panels = pointers(work->input->panel_count);
    if (!work->events || !work->questions || !work->panels)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu events", work->input->event_count);
    return 0;
}

static void sort_events(struct work *work)
{
    size_t count = 0;
    bool sorted = true;
    for (size_t i = 0; i < work->input->event_count; i++) {
        const struct okno_survey_event *event = &work->input->events[i];
        if (event->role == OKNO_ROLE_NONE)
            continue;
        work->events[count++] = event;
        if (count > 1 && sorted)
            sorted = compare_events(&work->events[count - 2], &work->events[count - 1]) <= 0;
    }
    if (!sorted)
        qsort(work->events, count, sizeof(work->events[0]), compare_events);
    for (size_t i = 0; i < count; i++)
        if (work->count == 0 ||
            compare_events(&work->events[work->count - 1], &work->events[i]) != 0)
            work->events[work->count++] = work->events[i];
}

static void sort_registry(struct work *work)
{
    for (size_t i = 0; i < work->input->question_count; i++)
        work->questions[i] = &work->input->questions[i];
    qsort(work->questions, work->input->question_count, sizeof(work->questions[0]),
          compare_questions);
    for (size_t i = 0; i < work->input->panel_count; i++)
        work->panels[i] = &work->input->panels[i];
    qsort(work->panels, work->input->panel_count, sizeof(work->panels[0]), compare_panels);
}

static bool is_button(const struct okno_survey_event *event)
{
    return event->role == OKNO_ROLE_BUTTON || event->role == OKNO_ROLE_BOTH;
}

static bool is_panel(const struct okno_survey_event *event)
{
    return event->role == OKNO_ROLE_PANEL || event->role == OKNO_ROLE_BOTH;
}

static bool is_press(const struct okno_survey_event *event)
{
    return event->kind == OKNO_EVENT_PRESS && is_button(event);
}

static bool is_hold(const struct okno_survey_event *event)
{
    return event->kind == OKNO_EVENT_HOLD && is_button(event);
}

static bool is_channel_answer(const struct okno_survey_event *event)
{
    return okno_event_kind_is_answer(event->kind) && event->channel != NULL;
}

static bool is_panel_answer(const struct okno_survey_event *event)
{
    return okno_event_kind_is_answer(event->kind) && !event->channel && is_panel(event);
}

static bool is_no(const struct okno_survey_event *event)
{
    return event->kind == OKNO_EVENT_NO && is_panel_answer(event);
}

/* Count what will come out, so that each array is allocated once. */
static int reserve(struct work *work, struct okno_err *err)
{
    size_t presses = 0;
    size_t answers = 0;
    size_t holds = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct okno_survey_event *event = work->events[i];
        presses += is_press(event);
        holds += is_hold(event);
        answers += is_panel_answer(event) || is_channel_answer(event);
        work->out.misplaced += event->kind != OKNO_EVENT_ALIVE &&
                               event->kind != OKNO_EVENT_BOUNCE && !is_press(event) &&
                               !is_hold(event) && !is_panel_answer(event) &&
                               !is_channel_answer(event);
    }
    work->out.surveys = calloc(presses ? presses : 1, sizeof(work->out.surveys[0]));
    work->out.ratings = calloc(answers ? answers : 1, sizeof(work->out.ratings[0]));
    work->out.situations = calloc(holds ? holds : 1, sizeof(work->out.situations[0]));
    if (!work->out.surveys || !work->out.ratings || !work->out.situations)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu surveys", presses);
    return 0;
}

/* Questions in force, newest start on top. Moments asked must not go back. */
struct question_stack {
    size_t next; /* in work->questions */
    size_t depth;
    const struct okno_survey_question **items;
};

static const struct okno_survey_question *question_at(struct work *work,
                                                      struct question_stack *stack, int64_t at_us)
{
    while (stack->next < work->input->question_count &&
           work->questions[stack->next]->from_us <= at_us)
        stack->items[stack->depth++] = work->questions[stack->next++];
    while (stack->depth > 0 && stack->items[stack->depth - 1]->to_us <= at_us)
        stack->depth--;
    return stack->depth ? stack->items[stack->depth - 1] : NULL;
}

static int64_t window_of(const struct work *work, const struct okno_survey *survey)
{
    return survey->question ? survey->question->window_us : work->params->window_us;
}

static void open_survey(struct work *work, struct question_stack *stack,
                        const struct okno_survey_event *press)
{
    struct okno_survey *survey = &work->out.surveys[work->out.survey_count++];
    survey->opener = press;
    survey->question = question_at(work, stack, press->at_us);
    survey->opened_us = press->at_us;
    survey->closes_us = press->at_us + window_of(work, survey);
}

/* Rules 1, 3 and 4: presses open, double, or cut short. */
static int make_windows(struct work *work, struct okno_err *err)
{
    okno_autofree void *items = pointers(work->input->question_count);
    struct question_stack stack = {.items = items};
    if (!items)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu questions",
                         work->input->question_count);
    struct okno_survey *last = NULL;
    for (size_t i = 0; i < work->count; i++) {
        const struct okno_survey_event *press = work->events[i];
        if (!is_press(press))
            continue;
        if (last && press->at_us - last->opened_us < work->params->duplicate_us) {
            last->flags |= OKNO_SURVEY_DUPLICATE_PRESS;
            continue;
        }
        if (last && press->at_us < last->closes_us)
            last->closes_us = press->at_us;
        open_survey(work, &stack, press);
        last = &work->out.surveys[work->out.survey_count - 1];
    }
    return 0;
}

static void add_rating(struct work *work, const struct okno_survey_event *event)
{
    work->out.ratings[work->out.rating_count++].event = event;
}

/* Rules 2 and 5. `opened`: the newest survey opened by the answer's time, `silent` the newest
 * unanswered one among those and before (NULL: none). */
static void place_answer(struct work *work, const struct okno_survey_event *answer,
                         struct okno_survey *opened, struct okno_survey *silent)
{
    if (opened && answer->at_us < opened->closes_us) {
        if (opened->answer)
            opened->extra_answers++;
        else
            opened->answer = answer;
    } else if (silent && answer->at_us - silent->closes_us < work->params->late_us) {
        silent->late_answers++;
    } else {
        add_rating(work, answer);
    }
}

static void place_answers(struct work *work)
{
    struct okno_survey *surveys = work->out.surveys;
    struct okno_survey *silent = NULL; /* the newest unanswered one before surveys[next - 1] */
    size_t next = 0;                   /* first survey that opens after the answer at hand */
    for (size_t i = 0; i < work->count; i++) {
        const struct okno_survey_event *answer = work->events[i];
        if (is_channel_answer(answer))
            add_rating(work, answer);
        if (!is_panel_answer(answer))
            continue;
        for (; next < work->out.survey_count && surveys[next].opened_us <= answer->at_us; next++)
            if (next > 0 && !surveys[next - 1].answer)
                silent = &surveys[next - 1];
        struct okno_survey *opened = next > 0 ? &surveys[next - 1] : NULL;
        place_answer(work, answer, opened, opened && !opened->answer ? opened : silent);
    }
}

/* Rule 6: holds closer than the gap are one situation. */
static void make_situations(struct work *work)
{
    struct okno_survey_situation *last = NULL;
    for (size_t i = 0; i < work->count; i++) {
        const struct okno_survey_event *hold = work->events[i];
        if (!is_hold(hold))
            continue;
        if (!last || hold->at_us >= last->until_us) {
            last = &work->out.situations[work->out.situation_count++];
            last->first = hold;
            last->first_us = hold->at_us;
        }
        last->until_us = hold->at_us + work->params->fm_gap_us;
        last->holds++;
    }
}

static void mark_force_majeure(struct work *work)
{
    size_t at = 0;
    for (size_t i = 0; i < work->out.survey_count; i++) {
        struct okno_survey *survey = &work->out.surveys[i];
        while (at < work->out.situation_count &&
               work->out.situations[at].until_us <= survey->opened_us)
            at++;
        survey->force_majeure =
            at < work->out.situation_count && work->out.situations[at].first_us < survey->closes_us;
    }
}

/* Situations that hold a hold within two minutes after a "no" of the point. */
static void mark_situations_after_no(struct work *work)
{
    int64_t no_us = -2 * time_limit_us;
    size_t next = 0;
    size_t at = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct okno_survey_event *hold = work->events[i];
        if (!is_hold(hold))
            continue;
        for (; next < work->count && work->events[next]->at_us <= hold->at_us; next++)
            if (is_no(work->events[next]))
                no_us = work->events[next]->at_us;
        while (hold->at_us >= work->out.situations[at].until_us)
            at++;
        if (hold->at_us - no_us < work->params->hold_after_no_us)
            work->out.situations[at].hold_after_no = true;
    }
}

/* Surveys whose "no" was followed by a hold within two minutes. */
static void mark_surveys_before_hold(struct work *work)
{
    size_t next = 0;
    for (size_t i = 0; i < work->out.survey_count; i++) {
        struct okno_survey *survey = &work->out.surveys[i];
        if (!survey->answer || survey->answer->kind != OKNO_EVENT_NO)
            continue;
        int64_t no_us = survey->answer->at_us;
        while (next < work->count &&
               (!is_hold(work->events[next]) || work->events[next]->at_us < no_us))
            next++;
        if (next < work->count &&
            work->events[next]->at_us - no_us < work->params->hold_after_no_us)
            survey->flags |= OKNO_SURVEY_HOLD_AFTER_NO;
    }
}

static void set_flag(struct okno_survey *survey, enum okno_survey_flag flag,
                     enum okno_flag_action action)
{
    if (action == OKNO_FLAG_OFF)
        return;
    survey->flags |= (unsigned)flag;
    survey->voided |= action == OKNO_FLAG_VOID;
}

/* Rule 4, and the flags that one survey shows by itself. */
static void settle(struct work *work, struct okno_survey *survey)
{
    const struct okno_survey_event *answer = survey->answer;
    if (work->input->now_us < survey->closes_us)
        survey->state = OKNO_SURVEY_OPEN;
    else
        survey->state = answer ? OKNO_SURVEY_ANSWERED : OKNO_SURVEY_SILENT;
    if (survey->state == OKNO_SURVEY_SILENT &&
        survey->closes_us - survey->opened_us < window_of(work, survey))
        survey->flags |= OKNO_SURVEY_SUPERSEDED;
    survey->test = survey->opener->test || (answer && answer->test);
    if (survey->test)
        set_flag(survey, OKNO_SURVEY_TEST_MODE, work->params->test_action);
    if (answer && answer->at_us - survey->opened_us < work->params->early_us)
        set_flag(survey, OKNO_SURVEY_EARLY_ANSWER, work->params->early_action);
}

static bool continues_run(const struct work *work, const struct okno_survey *before,
                          const struct okno_survey *survey)
{
    return before->state == OKNO_SURVEY_ANSWERED && survey->state == OKNO_SURVEY_ANSWERED &&
           before->answer->kind == survey->answer->kind &&
           survey->opened_us - before->closes_us < window_of(work, survey);
}

/* Rule 9: runs of equal answers. */
static void mark_runs(struct work *work)
{
    struct okno_survey *surveys = work->out.surveys;
    size_t count = work->out.survey_count;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count; end++)
            if (!continues_run(work, &surveys[end - 1], &surveys[end]))
                break;
        if ((int64_t)(end - start) < work->params->identical_run ||
            surveys[start].state != OKNO_SURVEY_ANSWERED)
            continue;
        for (size_t i = start; i < end; i++)
            set_flag(&surveys[i], OKNO_SURVEY_IDENTICAL_RUN, work->params->identical_action);
    }
}

static void mark_hours(struct work *work)
{
    size_t at = 0;
    for (size_t i = 0; work->input->hours_known && i < work->out.survey_count; i++) {
        struct okno_survey *survey = &work->out.surveys[i];
        while (at < work->input->hours_count && work->input->hours[at].to_us <= survey->opened_us)
            at++;
        if (at == work->input->hours_count || survey->opened_us < work->input->hours[at].from_us)
            set_flag(survey, OKNO_SURVEY_OUTSIDE_HOURS, work->params->hours_action);
    }
}

static bool any_unheard(const struct okno_survey_panel **active, size_t count, int64_t closes_us)
{
    for (size_t i = 0; i < count; i++)
        if (active[i]->heard_us < closes_us)
            return true;
    return count == 0;
}

/* Rule 10: silence counts as silence only when every panel has spoken since. The pairings in
 * force are kept in the front part of work->panels: their number never passes `next`. */
static void mark_unheard(struct work *work)
{
    const struct okno_survey_panel **active = work->panels;
    size_t active_count = 0;
    size_t next = 0;
    for (size_t i = 0; i < work->out.survey_count; i++) {
        struct okno_survey *survey = &work->out.surveys[i];
        while (next < work->input->panel_count && work->panels[next]->from_us <= survey->opened_us)
            active[active_count++] = work->panels[next++];
        for (size_t j = 0; j < active_count;) {
            if (active[j]->to_us <= survey->opened_us)
                active[j] = active[--active_count];
            else
                j++;
        }
        if (survey->state == OKNO_SURVEY_SILENT &&
            any_unheard(active, active_count, survey->closes_us))
            survey->flags |= OKNO_SURVEY_PANEL_UNHEARD;
    }
}

static int assemble(struct work *work, struct okno_err *err)
{
    int rc = allocate(work, err);
    if (rc < 0)
        return rc;
    sort_events(work);
    sort_registry(work);
    rc = reserve(work, err);
    if (rc == 0)
        rc = make_windows(work, err);
    if (rc < 0)
        return rc;
    place_answers(work);
    make_situations(work);
    mark_force_majeure(work);
    mark_situations_after_no(work);
    mark_surveys_before_hold(work);
    for (size_t i = 0; i < work->out.survey_count; i++)
        settle(work, &work->out.surveys[i]);
    mark_runs(work);
    mark_hours(work);
    mark_unheard(work);
    return 0;
}

int okno_survey_assemble(const struct okno_survey_input *input,
                         struct okno_survey_output *ret_output, struct okno_err *err)
{
    int rc = check_input(input, err);
    if (rc < 0)
        return rc;
    struct work work = {.input = input, .params = &input->params};
    rc = assemble(&work, err);
    free(work.events);
    free(work.questions);
    free(work.panels);
    if (rc < 0)
        okno_survey_output_free(&work.out);
    else
        *ret_output = work.out;
    return rc;
}

void okno_survey_output_free(struct okno_survey_output *output)
{
    if (!output)
        return;
    free(output->surveys);
    free(output->ratings);
    free(output->situations);
    *output = (struct okno_survey_output){0};
}
