/* All events of one point at once: sorted, given to the stream, its gifts collected. Pure. */
#include "okno/mem.h"
#include "okno/survey.h"
#include "okno/time.h"
#include "okno/vec.h"

#include <stdlib.h>
#include <string.h>

OKNO_VEC(survey_vec, struct okno_survey);
OKNO_VEC(rating_vec, struct okno_survey_rating);
OKNO_VEC(situation_vec, struct okno_survey_situation);

struct collection {
    struct survey_vec surveys;
    struct rating_vec ratings;
    struct situation_vec situations;
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

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int okno_survey_event_order(const struct okno_survey_event *a, const struct okno_survey_event *b)
{
    int order = by_number(a->at_us, b->at_us);
    if (order == 0)
        order = strcmp(a->device, b->device);
    if (order == 0)
        order = by_number(a->boot, b->boot);
    return order ? order : by_number(a->seq, b->seq);
}

static int compare_events(const void *left, const void *right)
{
    return okno_survey_event_order(*(const struct okno_survey_event *const *)left,
                                   *(const struct okno_survey_event *const *)right);
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys of a point");
}

static int keep_survey(void *ctx, const struct okno_survey *survey, struct okno_err *err)
{
    struct collection *collection = ctx;
    return survey_vec_push(&collection->surveys, *survey) < 0 ? no_memory(err) : 0;
}

static int keep_rating(void *ctx, const struct okno_survey_rating *rating, struct okno_err *err)
{
    struct collection *collection = ctx;
    return rating_vec_push(&collection->ratings, *rating) < 0 ? no_memory(err) : 0;
}

static int keep_situation(void *ctx, const struct okno_survey_situation *fm, struct okno_err *err)
{
    struct collection *collection = ctx;
    return situation_vec_push(&collection->situations, *fm) < 0 ? no_memory(err) : 0;
}

/* Pointers to the events in their order; the caller frees. NULL: no memory. */
static const struct okno_survey_event **sort(const struct okno_survey_input *input)
{
    const struct okno_survey_event **events =
        calloc(input->event_count ? input->event_count : 1, sizeof(*events));
    for (size_t i = 0; events && i < input->event_count; i++)
        events[i] = &input->events[i];
    if (events)
        qsort(events, input->event_count, sizeof(*events), compare_events);
    return events;
}

static int run(const struct okno_survey_input *input, struct okno_survey_stream *stream,
               struct okno_err *err)
{
    okno_autofree const struct okno_survey_event **events = sort(input);
    int rc = events ? 0 : no_memory(err);
    for (size_t i = 0; rc == 0 && i < input->event_count; i++)
        rc = okno_survey_stream_add(stream, events[i], err);
    return rc < 0 ? rc : okno_survey_stream_end(stream, err);
}

int okno_survey_assemble(const struct okno_survey_input *input,
                         struct okno_survey_output *ret_output, struct okno_err *err)
{
    struct collection got = {0};
    OKNO_AUTO(okno_survey_stream) *stream = NULL;
    const struct okno_survey_sink sink = {&got, keep_survey, keep_rating, keep_situation};
    int rc = okno_survey_stream_open(input, &sink, &stream, err);
    if (rc == 0)
        rc = run(input, stream, err);
    struct okno_survey_output output = {.surveys = got.surveys.items,
                                        .survey_count = got.surveys.len,
                                        .ratings = got.ratings.items,
                                        .rating_count = got.ratings.len,
                                        .situations = got.situations.items,
                                        .situation_count = got.situations.len};
    if (rc < 0) {
        okno_survey_output_free(&output);
        return rc;
    }
    output.misplaced = (size_t)okno_survey_stream_misplaced(stream);
    *ret_output = output;
    return 0;
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
