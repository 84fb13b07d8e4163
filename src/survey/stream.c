/* Events of one point, in order, -> surveys, ratings, situations. Pure. Events of one moment are
 * taken together, presses first, then answers, then holds: an answer at the very moment of a press
 * is inside its window whatever the devices' names. A survey waits in a queue until nothing that
 * comes later can touch it: as long as answers may be late, a hold may follow its "no", and the run
 * of equal answers that it belongs to is not decided. */
#include "okno/survey.h"

#include "okno/hours.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "okno/vec.h"

#include <stdlib.h>
#include <string.h>

static const int64_t far_us = INT64_C(800000000000000000); /* beyond every event and its reach */

OKNO_VEC(event_vec, struct okno_survey_event);
OKNO_VEC(queue_vec, struct okno_survey);

struct okno_survey_stream {
    struct okno_survey_input facts;
    struct okno_survey_sink sink;
    int64_t max_window_us;
    const struct okno_survey_question **questions; /* sorted by start */
    const struct okno_survey_question **in_force;  /* a stack, newest start on top */
    size_t question_next, in_force_count;
    const struct okno_survey_panel **panels; /* sorted by start; the front part: those in force */
    size_t panel_next, panel_count;
    struct event_vec moment; /* events of moment_us */
    int64_t moment_us;
    struct queue_vec queue; /* from `first` on: not given away yet */
    size_t first, settled;  /* before `settled`: closed, with all flags but those of runs */
    struct okno_survey_situation fm; /* holds 0: none is going on */
    int64_t held_until_us;           /* the end of the last situation */
    int64_t no_us;                   /* the last "no" of a panel */
    struct {
        bool answered;
        enum okno_event_kind kind;
        int64_t closes_us;
        int64_t length; /* of the run that ends with it */
    } before;           /* the survey settled last */
    bool open_hours;    /* holds until hours_until_us */
    int64_t hours_until_us;
    int64_t horizon_us;
    int64_t misplaced;
};

/* ---- how far events reach ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t okno_survey_reach_us(const struct okno_survey_params *params, int64_t max_window_us,
                             enum okno_event_kind kind)
{
    int64_t window_us = larger(params->window_us, max_window_us);
    int64_t reach_us = 1;         /* events of one moment belong together */
    if (kind == OKNO_EVENT_PRESS) /* twice: runs of equal answers */
        reach_us = larger(window_us + larger(window_us, params->late_us), params->duplicate_us);
    if (kind == OKNO_EVENT_HOLD)
        reach_us = params->fm_gap_us;
    if (kind == OKNO_EVENT_NO)
        reach_us = larger(reach_us, params->hold_after_no_us);
    return reach_us;
}

int64_t okno_survey_stream_horizon(const struct okno_survey_stream *stream)
{
    return stream->horizon_us;
}

int64_t okno_survey_stream_misplaced(const struct okno_survey_stream *stream)
{
    return stream->misplaced;
}

/* ---- what an event is ---- */

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

/* ---- questions, panels, hours: moments asked must not go back ---- */

static const struct okno_survey_question *question_at(struct okno_survey_stream *stream,
                                                      int64_t at_us)
{
    while (stream->question_next < stream->facts.question_count &&
           stream->questions[stream->question_next]->from_us <= at_us)
        stream->in_force[stream->in_force_count++] = stream->questions[stream->question_next++];
    while (stream->in_force_count > 0 &&
           stream->in_force[stream->in_force_count - 1]->to_us <= at_us)
        stream->in_force_count--;
    return stream->in_force_count ? stream->in_force[stream->in_force_count - 1] : NULL;
}

static int64_t window_of(const struct okno_survey_stream *stream, const struct okno_survey *survey)
{
    return survey->question ? survey->question->window_us : stream->facts.params.window_us;
}

static bool is_open(struct okno_survey_stream *stream, int64_t at_us)
{
    if (!stream->facts.hours)
        return true;
    if (at_us >= stream->hours_until_us)
        stream->open_hours =
            okno_hours_open_at(stream->facts.hours, at_us, &stream->hours_until_us);
    return stream->open_hours;
}

/* Rule 10: silence counts as silence only when every panel has spoken since. */
static bool any_unheard(struct okno_survey_stream *stream, const struct okno_survey *survey)
{
    const struct okno_survey_panel **active = stream->panels;
    while (stream->panel_next < stream->facts.panel_count &&
           stream->panels[stream->panel_next]->from_us <= survey->opened_us)
        active[stream->panel_count++] = stream->panels[stream->panel_next++];
    for (size_t i = 0; i < stream->panel_count;) {
        if (active[i]->to_us <= survey->opened_us)
            active[i] = active[--stream->panel_count];
        else
            i++;
    }
    for (size_t i = 0; i < stream->panel_count; i++)
        if (active[i]->heard_us < survey->closes_us)
            return true;
    return stream->panel_count == 0;
}

/* ---- one event ---- */

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for surveys");
}

static struct okno_survey *last_survey(struct okno_survey_stream *stream)
{
    return stream->queue.len > stream->first ? &stream->queue.items[stream->queue.len - 1] : NULL;
}

/* Rules 1, 3 and 4: presses open, double, or cut short. */
static int take_press(struct okno_survey_stream *stream, const struct okno_survey_event *press,
                      struct okno_err *err)
{
    struct okno_survey *last = last_survey(stream);
    if (last && press->at_us - last->opened_us < stream->facts.params.duplicate_us) {
        last->flags |= OKNO_SURVEY_DUPLICATE_PRESS;
        return 0;
    }
    if (last && press->at_us < last->closes_us)
        last->closes_us = press->at_us;
    struct okno_survey survey = {.opener = *press,
                                 .question = question_at(stream, press->at_us),
                                 .opened_us = press->at_us,
                                 .force_majeure = press->at_us < stream->held_until_us};
    survey.closes_us = press->at_us + window_of(stream, &survey);
    return queue_vec_push(&stream->queue, survey) < 0 ? no_memory(err) : 0;
}

static int give_rating(struct okno_survey_stream *stream, const struct okno_survey_event *event,
                       struct okno_err *err)
{
    const struct okno_survey_rating rating = {*event};
    return stream->sink.rating(stream->sink.ctx, &rating, err);
}

/* Rules 2 and 5. */
static int take_answer(struct okno_survey_stream *stream, const struct okno_survey_event *answer,
                       struct okno_err *err)
{
    if (answer->channel)
        return give_rating(stream, answer, err);
    if (answer->kind == OKNO_EVENT_NO)
        stream->no_us = answer->at_us;
    struct okno_survey *opened = last_survey(stream);
    if (opened && answer->at_us < opened->closes_us) {
        if (opened->has_answer)
            opened->extra_answers++;
        else
            opened->answer = *answer;
        opened->has_answer = true;
        return 0;
    }
    struct okno_survey *silent = NULL; /* the newest without an answer */
    for (size_t i = stream->queue.len; i-- > stream->first && !silent;)
        if (!stream->queue.items[i].has_answer)
            silent = &stream->queue.items[i];
    if (!silent || answer->at_us - silent->closes_us >= stream->facts.params.late_us)
        return give_rating(stream, answer, err);
    silent->late_answers++;
    return 0;
}

static int end_situation(struct okno_survey_stream *stream, struct okno_err *err)
{
    const struct okno_survey_situation fm = stream->fm;
    stream->fm = (struct okno_survey_situation){0};
    return fm.holds ? stream->sink.situation(stream->sink.ctx, &fm, err) : 0;
}

/* A survey overlaps a situation when one of its holds comes before the survey's end and reaches
 * beyond its beginning. */
static void mark_surveys(struct okno_survey_stream *stream, const struct okno_survey_event *hold)
{
    for (size_t i = stream->queue.len; i-- > stream->first;) {
        struct okno_survey *survey = &stream->queue.items[i];
        survey->force_majeure |= hold->at_us < survey->closes_us;
        if (survey->has_answer && survey->answer.kind == OKNO_EVENT_NO &&
            hold->at_us - survey->answer.at_us < stream->facts.params.hold_after_no_us)
            survey->flags |= OKNO_SURVEY_HOLD_AFTER_NO;
    }
}

/* Rule 6: holds closer than the gap are one situation. */
static int take_hold(struct okno_survey_stream *stream, const struct okno_survey_event *hold,
                     struct okno_err *err)
{
    int rc = hold->at_us < stream->held_until_us ? 0 : end_situation(stream, err);
    if (rc < 0)
        return rc;
    if (!stream->fm.holds) {
        stream->fm.first = *hold;
        stream->fm.first_us = hold->at_us;
    }
    stream->held_until_us = hold->at_us + stream->facts.params.fm_gap_us;
    stream->fm.until_us = stream->held_until_us;
    stream->fm.holds++;
    stream->fm.hold_after_no |= hold->at_us - stream->no_us < stream->facts.params.hold_after_no_us;
    mark_surveys(stream, hold);
    return 0;
}

static int take_moment(struct okno_survey_stream *stream, struct okno_err *err)
{
    const struct event_vec *moment = &stream->moment;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < moment->len; i++)
        if (moment->items[i].kind == OKNO_EVENT_PRESS)
            rc = take_press(stream, &moment->items[i], err);
    for (size_t i = 0; rc == 0 && i < moment->len; i++)
        if (okno_event_kind_is_answer(moment->items[i].kind))
            rc = take_answer(stream, &moment->items[i], err);
    for (size_t i = 0; rc == 0 && i < moment->len; i++)
        if (moment->items[i].kind == OKNO_EVENT_HOLD)
            rc = take_hold(stream, &moment->items[i], err);
    stream->moment.len = 0;
    return rc;
}

/* ---- what time settles ---- */

static void set_flag(struct okno_survey *survey, enum okno_survey_flag flag,
                     enum okno_flag_action action)
{
    if (action == OKNO_FLAG_OFF)
        return;
    survey->flags |= (unsigned)flag;
    survey->voided_by |= action == OKNO_FLAG_VOID ? (unsigned)flag : 0U;
}

/* Rule 4, and the flags that one survey shows by itself. */
static void settle_alone(struct okno_survey_stream *stream, struct okno_survey *survey)
{
    const struct okno_survey_params *params = &stream->facts.params;
    const struct okno_survey_event *answer = survey->has_answer ? &survey->answer : NULL;
    if (stream->facts.now_us < survey->closes_us)
        survey->state = OKNO_SURVEY_OPEN;
    else
        survey->state = answer ? OKNO_SURVEY_ANSWERED : OKNO_SURVEY_SILENT;
    if (survey->state == OKNO_SURVEY_SILENT &&
        survey->closes_us - survey->opened_us < window_of(stream, survey))
        survey->flags |= OKNO_SURVEY_SUPERSEDED;
    bool unheard = any_unheard(stream, survey);
    if (survey->state == OKNO_SURVEY_SILENT && unheard)
        survey->flags |= OKNO_SURVEY_PANEL_UNHEARD;
    survey->test = survey->opener.test || (answer && answer->test);
    if (survey->test)
        set_flag(survey, OKNO_SURVEY_TEST_MODE, params->test_action);
    if (answer && answer->at_us - survey->opened_us < params->early_us)
        set_flag(survey, OKNO_SURVEY_EARLY_ANSWER, params->early_action);
    if (!is_open(stream, survey->opened_us))
        set_flag(survey, OKNO_SURVEY_OUTSIDE_HOURS, params->hours_action);
}

static void mark_run(struct okno_survey_stream *stream, struct okno_survey *survey)
{
    set_flag(survey, OKNO_SURVEY_IDENTICAL_RUN, stream->facts.params.identical_action);
}

/* Rule 9: runs of equal answers. Members of a run that is too short still wait in the queue. */
static void settle_run(struct okno_survey_stream *stream, size_t place)
{
    struct okno_survey *survey = &stream->queue.items[place];
    int64_t needed = stream->facts.params.identical_run;
    bool answered = survey->state == OKNO_SURVEY_ANSWERED;
    bool goes_on = answered && stream->before.answered &&
                   stream->before.kind == survey->answer.kind &&
                   survey->opened_us - stream->before.closes_us < window_of(stream, survey);
    stream->before.length = goes_on ? stream->before.length + 1 : answered;
    stream->before.answered = answered;
    stream->before.kind = survey->answer.kind;
    stream->before.closes_us = survey->closes_us;
    if (stream->before.length < needed)
        return;
    mark_run(stream, survey);
    for (size_t i = 1; stream->before.length == needed && i < (size_t)needed; i++)
        mark_run(stream, &stream->queue.items[place - i]);
}

/* Whether what comes at or after `at_us` may still add to the run that the survey at `place` is
 * in. */
static bool run_is_open(const struct okno_survey_stream *stream, size_t place, int64_t at_us)
{
    size_t length = (size_t)stream->before.length;
    bool inside = place + length >= stream->settled; /* the run is the last `length` settled */
    bool may_grow = stream->settled < stream->queue.len ||
                    at_us - stream->before.closes_us < stream->max_window_us;
    return inside && may_grow && stream->before.length < stream->facts.params.identical_run &&
           stream->facts.params.identical_action != OKNO_FLAG_OFF;
}

static bool is_final(const struct okno_survey_stream *stream, size_t place, int64_t at_us)
{
    const struct okno_survey *survey = &stream->queue.items[place];
    const struct okno_survey_params *params = &stream->facts.params;
    if (at_us - survey->closes_us < params->late_us ||
        at_us - survey->opened_us < params->duplicate_us)
        return false;
    if (survey->has_answer && survey->answer.kind == OKNO_EVENT_NO &&
        at_us - survey->answer.at_us < params->hold_after_no_us)
        return false;
    return !run_is_open(stream, place, at_us);
}

static void drop_given(struct okno_survey_stream *stream)
{
    struct queue_vec *queue = &stream->queue;
    if (stream->first < 64 || stream->first * 2 < queue->len)
        return;
    memmove(queue->items, queue->items + stream->first,
            (queue->len - stream->first) * sizeof(queue->items[0]));
    queue->len -= stream->first;
    stream->settled -= stream->first;
    stream->first = 0;
}

/* Nothing before `at_us` is still to come. */
static int pass(struct okno_survey_stream *stream, int64_t at_us, struct okno_err *err)
{
    struct queue_vec *queue = &stream->queue;
    int rc = stream->fm.holds && stream->held_until_us <= at_us ? end_situation(stream, err) : 0;
    for (; stream->settled < queue->len && queue->items[stream->settled].closes_us <= at_us;
         stream->settled++) {
        settle_alone(stream, &queue->items[stream->settled]);
        settle_run(stream, stream->settled);
    }
    while (rc == 0 && stream->first < stream->settled && is_final(stream, stream->first, at_us))
        rc = stream->sink.survey(stream->sink.ctx, &queue->items[stream->first++], err);
    drop_given(stream);
    return rc;
}

int okno_survey_stream_pass(struct okno_survey_stream *stream, int64_t at_us, struct okno_err *err)
{
    int rc = at_us > stream->moment_us ? take_moment(stream, err) : 0;
    return rc < 0 ? rc : pass(stream, at_us, err);
}

int okno_survey_stream_end(struct okno_survey_stream *stream, struct okno_err *err)
{
    return okno_survey_stream_pass(stream, far_us, err);
}

static int check_order(const struct okno_survey_stream *stream,
                       const struct okno_survey_event *event, struct okno_err *err)
{
    if (event->at_us >= OKNO_SURVEY_TIME_LIMIT_US || event->at_us <= -OKNO_SURVEY_TIME_LIMIT_US)
        return okno_fail(err, OKNO_INVALID, "an event of %s has a time beyond year 9999",
                         event->device);
    if (event->at_us < stream->moment_us)
        return okno_fail(err, OKNO_FAILED, "events of a point come out of their order");
    return 0;
}

static bool is_repeated(const struct okno_survey_stream *stream,
                        const struct okno_survey_event *event)
{
    if (stream->moment.len == 0 || event->at_us != stream->moment_us)
        return false;
    const struct okno_survey_event *last = &stream->moment.items[stream->moment.len - 1];
    return last->seq == event->seq && last->boot == event->boot &&
           strcmp(last->device, event->device) == 0;
}

int okno_survey_stream_add(struct okno_survey_stream *stream, const struct okno_survey_event *event,
                           struct okno_err *err)
{
    if (event->role == OKNO_ROLE_NONE || event->kind == OKNO_EVENT_ALIVE ||
        event->kind == OKNO_EVENT_BOUNCE || is_repeated(stream, event))
        return 0;
    bool fits =
        is_press(event) || is_hold(event) || is_panel_answer(event) || is_channel_answer(event);
    stream->misplaced += !fits;
    int rc = fits ? check_order(stream, event, err) : 0;
    if (rc < 0 || !fits)
        return rc;
    if (event->at_us > stream->moment_us)
        rc = okno_survey_stream_pass(stream, event->at_us, err);
    if (rc < 0)
        return rc;
    int64_t reach_us =
        okno_survey_reach_us(&stream->facts.params, stream->max_window_us, event->kind);
    stream->horizon_us = larger(stream->horizon_us, event->at_us + reach_us);
    stream->moment_us = event->at_us;
    return event_vec_push(&stream->moment, *event) < 0 ? no_memory(err) : 0;
}

/* ---- opening and closing ---- */

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
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

static int check_facts(const struct okno_survey_input *facts, struct okno_err *err)
{
    const struct okno_survey_params *p = &facts->params;
    const int64_t spans[] = {p->window_us, p->fm_gap_us, p->identical_run};
    const int64_t limits[] = {p->duplicate_us, p->late_us, p->hold_after_no_us, p->early_us};
    for (size_t i = 0; i < OKNO_COUNT(spans); i++)
        if (spans[i] <= 0 || spans[i] > 365 * OKNO_DAY_US)
            return okno_fail(err, OKNO_INVALID,
                             "a survey parameter must be above 0, at most a year");
    for (size_t i = 0; i < OKNO_COUNT(limits); i++)
        if (limits[i] < 0 || limits[i] > 365 * OKNO_DAY_US)
            return okno_fail(err, OKNO_INVALID,
                             "a survey parameter must not be below 0, nor above a year");
    for (size_t i = 0; i < facts->question_count; i++)
        if (facts->questions[i].window_us <= 0 || facts->questions[i].window_us > OKNO_DAY_US)
            return okno_fail(err, OKNO_INVALID,
                             "question %s: a window must be above 0, at most a day",
                             facts->questions[i].question);
    return 0;
}

/* Array of `count` pointers, at least one. NULL: no memory. */
static void *pointers(size_t count)
{
    return calloc(count ? count : 1, sizeof(void *));
}

static int sort_facts(struct okno_survey_stream *stream, struct okno_err *err)
{
    const struct okno_survey_input *facts = &stream->facts;
    stream->questions = pointers(facts->question_count);
    stream->in_force = pointers(facts->question_count);
    stream->panels = pointers(facts->panel_count);
    if (!stream->questions || !stream->in_force || !stream->panels)
        return no_memory(err);
    for (size_t i = 0; i < facts->question_count; i++)
        stream->questions[i] = &facts->questions[i];
    for (size_t i = 0; i < facts->panel_count; i++)
        stream->panels[i] = &facts->panels[i];
    qsort(stream->questions, facts->question_count, sizeof(void *), compare_questions);
    qsort(stream->panels, facts->panel_count, sizeof(void *), compare_panels);
    stream->max_window_us = okno_survey_max_window_us(facts);
    return 0;
}

int64_t okno_survey_max_window_us(const struct okno_survey_input *facts)
{
    int64_t max_us = facts->params.window_us;
    for (size_t i = 0; i < facts->question_count; i++)
        max_us = larger(max_us, facts->questions[i].window_us);
    return max_us;
}

int okno_survey_stream_open(const struct okno_survey_input *facts,
                            const struct okno_survey_sink *sink,
                            struct okno_survey_stream **ret_stream, struct okno_err *err)
{
    int rc = check_facts(facts, err);
    if (rc < 0)
        return rc;
    OKNO_AUTO(okno_survey_stream) *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return no_memory(err);
    stream->facts = *facts;
    stream->sink = *sink;
    stream->moment_us = stream->held_until_us = stream->no_us = -far_us;
    stream->hours_until_us = stream->horizon_us = -far_us;
    rc = sort_facts(stream, err);
    if (rc == 0)
        *ret_stream = okno_mem_take(&stream);
    return rc;
}

void okno_survey_stream_close(struct okno_survey_stream *stream)
{
    if (!stream)
        return;
    event_vec_free(&stream->moment);
    queue_vec_free(&stream->queue);
    free(stream->questions);
    free(stream->in_force);
    free(stream->panels);
    free(stream);
}
