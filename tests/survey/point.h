/* A point's afternoon in a few lines, for tests of the assembly. */
#ifndef TESTS_SURVEY_POINT_H
#define TESTS_SURVEY_POINT_H

#include "okno/survey.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POINT_EVENTS_MAX = 64, POINT_QUESTIONS_MAX = 8, POINT_PANELS_MAX = 8 };

/* Noon of some day: times in tests are microseconds from here. */
#define T0 INT64_C(1773144000000000)
#define SECONDS(s) ((int64_t)(s)*OKNO_SECOND_US)

struct point {
    struct okno_survey_event events[POINT_EVENTS_MAX];
    struct okno_survey_question questions[POINT_QUESTIONS_MAX];
    struct okno_survey_panel panels[POINT_PANELS_MAX];
    struct okno_survey_input input;
    struct okno_survey_output out;
    int64_t seq;
};

/* One device, button and panel in one, heard of for ever; now is a day later. */
static inline struct point *point_new(void)
{
    struct point *point = calloc(1, sizeof(*point));
    assert_non_null(point);
    point->input = (struct okno_survey_input){.events = point->events,
                                              .questions = point->questions,
                                              .panels = point->panels,
                                              .panel_count = 1,
                                              .params = okno_survey_params_default(),
                                              .now_us = T0 + OKNO_DAY_US};
    point->panels[0] = (struct okno_survey_panel){"d1", 0, INT64_MAX, INT64_MAX};
    return point;
}

static inline void point_free(struct point *point)
{
    okno_survey_output_free(&point->out);
    free(point);
}

/* Add an event of device d1 `at` microseconds after T0; fields may be changed through the result.
 */
static inline struct okno_survey_event *happens(struct point *point, enum okno_event_kind kind,
                                                int64_t at)
{
    assert_true(point->input.event_count < POINT_EVENTS_MAX);
    struct okno_survey_event *event = &point->events[point->input.event_count++];
    *event = (struct okno_survey_event){.device = "d1",
                                        .seq = ++point->seq,
                                        .kind = kind,
                                        .role = OKNO_ROLE_BOTH,
                                        .at_us = T0 + at};
    return event;
}

static inline void press(struct point *point, int64_t at)
{
    (void)happens(point, OKNO_EVENT_PRESS, at);
}

static inline void says(struct point *point, enum okno_event_kind kind, int64_t at)
{
    (void)happens(point, kind, at);
}

static inline void hold(struct point *point, int64_t at)
{
    (void)happens(point, OKNO_EVENT_HOLD, at);
}

static inline void assemble(struct point *point)
{
    struct okno_err err = {0};
    okno_survey_output_free(&point->out);
    assert_int_equal(okno_survey_assemble(&point->input, &point->out, &err), 0);
}

static inline struct okno_survey *survey_of(struct point *point, size_t place)
{
    assert_true(place < point->out.survey_count);
    return &point->out.surveys[place];
}

static inline void assert_flags(const struct okno_survey *survey, const char *expected)
{
    char text[OKNO_SURVEY_FLAGS_TEXT];
    assert_string_equal(okno_survey_flags_text(survey->flags, text), expected);
}

#endif
