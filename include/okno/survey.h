/* Surveys from events: the pure core.
 *
 * okno_survey_assemble takes the events of one point and gives its surveys, spontaneous ratings and
 * force majeure situations. No database, no clock, no I/O: the result depends on the input's
 * values only, never on their order or repetition. Rules: product specification, section 1.
 * All times are int64 microseconds UTC, corrected for the device's clock; intervals half-open. */
#ifndef OKNO_SURVEY_H
#define OKNO_SURVEY_H

#include "okno/err.h"
#include "okno/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a pairing lets a device do at the point. NONE: not paired there at that moment. */
enum okno_device_role { OKNO_ROLE_NONE, OKNO_ROLE_BUTTON, OKNO_ROLE_PANEL, OKNO_ROLE_BOTH };

/* One event with what the registry says about its device at its moment. Texts are borrowed. */
struct okno_survey_event {
    const char *device;
    int64_t boot, seq;
    enum okno_event_kind kind;
    enum okno_device_role role;
    bool test;           /* the pairing is in test mode */
    const char *channel; /* NULL: the panel; else e.g. "qr", which never answers a window */
    int64_t at_us;       /* corrected */
    int64_t offset_us;   /* the device clock's offset that was taken off */
    int64_t uncertainty_us;
};

/* A question asked at the point. Of those in force the one with the latest start counts (ties: the
 * greater name). to_us INT64_MAX: until further notice. */
struct okno_survey_question {
    const char *question;
    const char *kind;
    int64_t from_us, to_us;
    int64_t window_us;
};

/* A device paired as a panel of the point, and when it was last heard of (any event, anywhere;
 * INT64_MIN: never). */
struct okno_survey_panel {
    const char *device;
    int64_t from_us, to_us;
    int64_t heard_us;
};

struct okno_survey_span {
    int64_t from_us, to_us;
};

/* What an automatic flag does. */
enum okno_flag_action { OKNO_FLAG_OFF, OKNO_FLAG_MARK, OKNO_FLAG_VOID };

struct okno_survey_params {
    int64_t window_us;        /* where no question is in force */
    int64_t duplicate_us;     /* a press sooner after the opener opens nothing */
    int64_t late_us;          /* after closes_at of a silent survey */
    int64_t fm_gap_us;        /* holds closer than this are one situation, which ends this later */
    int64_t hold_after_no_us; /* a hold within this of a "no" is suspicious */
    int64_t early_us;         /* an answer sooner than this is suspicious */
    int64_t identical_run;    /* this many equal answers in a row are suspicious */
    enum okno_flag_action early_action, identical_action, hours_action, test_action;
};

/* The product's defaults: 15 s, 2 s, 45 s, 10 min, 2 min, 0.3 s, 5; flags mark, test mode voids. */
struct okno_survey_params okno_survey_params_default(void);

/* The least gap without events of the point that separates what is before it from what is after:
 * blocks of events between such gaps may be assembled each alone, with the same result. For
 * recomputing only the neighbourhood of a late event. max_window_us: the longest window asked. */
int64_t okno_survey_quiet_us(const struct okno_survey_params *params, int64_t max_window_us);

/* Events may repeat; events of one identity must have the same content. */
struct okno_survey_input {
    const struct okno_survey_event *events;
    size_t event_count;
    const struct okno_survey_question *questions;
    size_t question_count;
    const struct okno_survey_panel *panels;
    size_t panel_count;
    const struct okno_survey_span *hours; /* opening hours: sorted, disjoint; ignored without... */
    size_t hours_count;
    bool hours_known; /* ...this */
    struct okno_survey_params params;
    int64_t now_us;
};

/* X(NAME, text), sorted by text: flags print in this order.
 * panel_unheard: silent, and not every panel paired with the point was heard of since (or none is
 * paired). shift_overlap is set by the store, not by the core. */
#define OKNO_SURVEY_FLAG_TABLE(X)                                                                  \
    X(DUPLICATE_PRESS, "duplicate_press")                                                          \
    X(EARLY_ANSWER, "early_answer")                                                                \
    X(HOLD_AFTER_NO, "hold_after_no")                                                              \
    X(IDENTICAL_RUN, "identical_run")                                                              \
    X(OUTSIDE_HOURS, "outside_hours")                                                              \
    X(PANEL_UNHEARD, "panel_unheard")                                                              \
    X(SHIFT_OVERLAP, "shift_overlap")                                                              \
    X(SUPERSEDED, "superseded")                                                                    \
    X(TEST_MODE, "test_mode")

enum okno_survey_flag_place {
#define OKNO_FLAG_ENUM(name, text) OKNO_SURVEY_PLACE_##name,
    OKNO_SURVEY_FLAG_TABLE(OKNO_FLAG_ENUM)
#undef OKNO_FLAG_ENUM
};

enum okno_survey_flag {
#define OKNO_FLAG_ENUM(name, text) OKNO_SURVEY_##name = 1 << OKNO_SURVEY_PLACE_##name,
    OKNO_SURVEY_FLAG_TABLE(OKNO_FLAG_ENUM)
#undef OKNO_FLAG_ENUM
};

#define OKNO_SURVEY_FLAGS_TEXT 160

/* Names of the flags set, sorted, one space between; "" for none. Returns ret_text. */
const char *okno_survey_flags_text(unsigned flags, char ret_text[OKNO_SURVEY_FLAGS_TEXT]);

enum okno_survey_state { OKNO_SURVEY_OPEN, OKNO_SURVEY_ANSWERED, OKNO_SURVEY_SILENT };

const char *okno_survey_state_text(enum okno_survey_state state);

/* Events and questions are borrowed from the input. */
struct okno_survey {
    const struct okno_survey_event *opener;
    const struct okno_survey_question *question; /* NULL: none was in force */
    const struct okno_survey_event *answer;      /* NULL: none so far */
    int64_t opened_us, closes_us;
    enum okno_survey_state state;
    int64_t extra_answers, late_answers;
    bool force_majeure;
    bool test;
    bool voided; /* by an automatic flag whose action is void */
    unsigned flags;
};

struct okno_survey_rating {
    const struct okno_survey_event *event;
};

struct okno_survey_situation {
    const struct okno_survey_event *first;
    int64_t first_us, until_us; /* [first hold, last hold + gap) */
    int64_t holds;
    bool hold_after_no;
};

/* Sorted by time, then device, boot, seq. Owned by the caller: okno_survey_output_free. */
struct okno_survey_output {
    struct okno_survey *surveys;
    size_t survey_count;
    struct okno_survey_rating *ratings;
    size_t rating_count;
    struct okno_survey_situation *situations;
    size_t situation_count;
    size_t misplaced; /* presses and holds of mere panels, answers of mere buttons: not used */
};

/* Time: one sort, then linear. Memory: bounded by the number of events.
 * OKNO_INVALID for a parameter or window that is not positive, or a time beyond year 9999. */
OKNO_CHECK int okno_survey_assemble(const struct okno_survey_input *input,
                                    struct okno_survey_output *ret_output, struct okno_err *err);

/* Release the arrays; NULL and empty allowed. */
void okno_survey_output_free(struct okno_survey_output *output);

#endif
