/* Surveys from events: the pure core.
 *
 * A stream takes the events of one point in their order and gives its surveys, spontaneous ratings
 * and force majeure situations as soon as nothing can change them; okno_survey_assemble does so
 * with all at once, in any order. No database, no clock, no I/O: the result depends on the input's
 * values only, never on their order or repetition. Rules: product specification, section 1.
 * All times are int64 microseconds UTC, corrected for the device's clock; intervals half-open. */
#ifndef OKNO_SURVEY_H
#define OKNO_SURVEY_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/event.h"

#include "okno/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct okno_hours;

/* What a pairing lets a device do at the point. NONE: not paired there at that moment; CHANNEL:
 * only answers of another channel, which fill no window. */
enum okno_device_role {
    OKNO_ROLE_NONE,
    OKNO_ROLE_BUTTON,
    OKNO_ROLE_PANEL,
    OKNO_ROLE_BOTH,
    OKNO_ROLE_CHANNEL
};

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

/* How long an event of that kind is felt: what comes so much later, or later still, does not depend
 * on it, nor the other way. A moment at which no earlier event is felt any more is a cut: what lies
 * before it and what lies from it on may be assembled each alone, with the same result.
 * max_window_us: the longest window asked. */
int64_t okno_survey_reach_us(const struct okno_survey_params *params, int64_t max_window_us,
                             enum okno_event_kind kind);

/* Events may repeat; events of one identity must have the same content. */
struct okno_survey_input {
    const struct okno_survey_event *events;
    size_t event_count;
    const struct okno_survey_question *questions;
    size_t question_count;
    const struct okno_survey_panel *panels;
    size_t panel_count;
    const struct okno_hours *hours; /* opening hours; NULL: not known */
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

/* The name of the last flag set in the table's order, "" for none: of several reasons to void, the
 * one that is told. */
const char *okno_survey_last_flag(unsigned flags);

/* Names of the flags set, sorted, one space between; "" for none. Returns ret_text. */
const char *okno_survey_flags_text(unsigned flags, char ret_text[OKNO_SURVEY_FLAGS_TEXT]);

enum okno_survey_state { OKNO_SURVEY_OPEN, OKNO_SURVEY_ANSWERED, OKNO_SURVEY_SILENT };

const char *okno_survey_state_text(enum okno_survey_state state);

/* The question and the texts of events are borrowed from the input. */
struct okno_survey {
    struct okno_survey_event opener;
    struct okno_survey_event answer;             /* with has_answer */
    const struct okno_survey_question *question; /* NULL: none was in force */
    bool has_answer;
    int64_t opened_us, closes_us;
    enum okno_survey_state state;
    int64_t extra_answers, late_answers;
    bool force_majeure;
    bool test;
    unsigned voided_by; /* the automatic flags whose action is void; 0: not voided */
    unsigned flags;
};

struct okno_survey_rating {
    struct okno_survey_event event;
};

struct okno_survey_situation {
    struct okno_survey_event first;
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

/* The order of events: by time, device, boot, seq; 0: the same event. */
int okno_survey_event_order(const struct okno_survey_event *a, const struct okno_survey_event *b);

/* Time: one sort, then linear. Memory: bounded by the number of events.
 * OKNO_INVALID for a parameter or window that cannot be, or a time beyond year 9999. */
OKNO_CHECK int okno_survey_assemble(const struct okno_survey_input *input,
                                    struct okno_survey_output *ret_output, struct okno_err *err);

/* Release the arrays; NULL and empty allowed. */
void okno_survey_output_free(struct okno_survey_output *output);

/* ---- one event after the other ---- */

#define OKNO_SURVEY_TIME_LIMIT_US INT64_C(400000000000000000) /* beyond year 9999 */

/* Where a stream's gifts go, each kind in its order; what is pointed to lives during the call. A
 * negative return ends the stream's call and is returned. */
struct okno_survey_sink {
    void *ctx;
    int (*survey)(void *ctx, const struct okno_survey *survey, struct okno_err *err);
    int (*rating)(void *ctx, const struct okno_survey_rating *rating, struct okno_err *err);
    int (*situation)(void *ctx, const struct okno_survey_situation *fm, struct okno_err *err);
};

struct okno_survey_stream;

/* A stream for the facts' questions, panels, hours, parameters and now (its events are not looked
 * at); all that they point to, and the texts of events, must live as long as the stream. Memory: a
 * few minutes of events. OKNO_INVALID for a parameter or window that cannot be. */
OKNO_CHECK int okno_survey_stream_open(const struct okno_survey_input *facts,
                                       const struct okno_survey_sink *sink,
                                       struct okno_survey_stream **ret_stream,
                                       struct okno_err *err);

/* The next event in okno_survey_event_order; the same again is ignored. OKNO_FAILED when it is
 * earlier than one before, OKNO_INVALID for a time beyond year 9999. */
OKNO_CHECK int okno_survey_stream_add(struct okno_survey_stream *stream,
                                      const struct okno_survey_event *event, struct okno_err *err);

/* Nothing before at_us is still to come: give what that settles. At or after the horizon: give all
 * that there is. */
OKNO_CHECK int okno_survey_stream_pass(struct okno_survey_stream *stream, int64_t at_us,
                                       struct okno_err *err);

/* Nothing is still to come. */
OKNO_CHECK int okno_survey_stream_end(struct okno_survey_stream *stream, struct okno_err *err);

/* The earliest moment that is a cut after the events so far (see okno_survey_reach_us). */
int64_t okno_survey_stream_horizon(const struct okno_survey_stream *stream);

/* Presses and holds of mere panels, answers of mere buttons so far: not used. */
int64_t okno_survey_stream_misplaced(const struct okno_survey_stream *stream);

/* The longest window that may be asked. */
int64_t okno_survey_max_window_us(const struct okno_survey_input *facts);

/* NULL allowed. */
void okno_survey_stream_close(struct okno_survey_stream *stream);
OKNO_CLEANUP(okno_survey_stream, okno_survey_stream_close);

/* ---- the store ---- */

struct okno_conf;

/* The parameters of the configuration, defaults for the rest. */
struct okno_survey_params okno_survey_params_of(const struct okno_conf *conf);

struct okno_survey_refreshed {
    int64_t points;                  /* of which something was made anew */
    int64_t added, changed, removed; /* surveys; changed: closed by time, or corrected */
    int64_t misplaced;               /* events looked at that a device's role does not allow */
    int64_t suspect;                 /* events looked at that are too far ahead of their receipt */
    int64_t events;                  /* rows of events read */
    int64_t written; /* rows of surveys, ratings, situations and history written or deleted */
};

/* Make surveys, spontaneous ratings and force majeure situations follow what is new: events,
 * pairings, clocks, questions, shifts, points, sites, parameters, and time (open surveys whose end
 * has come). Only the neighbourhood of what is new is made anew: from the last moment before it at
 * which nothing earlier is felt to the first such moment after it. Memory and the length of a
 * transaction do not grow with the history. Writes differences only; what was done before a failure
 * stays, and the rest is done by the next call. Corrections of closed surveys go to their history.
 * To be called after imports and intake, and from time to time. Cheap when nothing is new.
 * New surveys have no link; links with made_at < surveys.placed_at show an older placing. */
OKNO_CHECK int okno_survey_refresh(struct okno_db *db, const struct okno_survey_params *params,
                                   int64_t now_us, struct okno_survey_refreshed *ret_counts,
                                   struct okno_err *err);

/* Assemble all events of all points, point by point, and give what comes of it, without storing
 * anything: what a refresh that starts from nothing would store. *ret_events: rows read. */
OKNO_CHECK int okno_survey_walk(struct okno_db *db, const struct okno_survey_params *params,
                                int64_t now_us, const struct okno_survey_sink *sink,
                                int64_t *ret_events, struct okno_err *err);

/* ---- what is known of surveys ---- */

/* Which surveys; NULL texts do not filter. Start from OKNO_SURVEY_FILTER_ALL. */
struct okno_survey_filter {
    int64_t from_us, to_us; /* opened_at, half-open */
    bool local;             /* these are midnights of dates of each site's calendar, as if in UTC */
    const char *survey, *site, *point;
    const char *sites;    /* a JSON array of those that may be seen */
    const char *employee; /* that the survey counts for; "unassigned" for nobody's */
    const char *answer;   /* yes, no, unsure */
    const char *state;    /* open, answered, silent */
    const char *validity; /* unreviewed, valid, invalid, undeterminable, voided */
    const char *reason;
    const char *video; /* state of the link; pending where there is none yet */
    const char *question;
    const char *kind;    /* personnel, office, loyalty; none for surveys without a question */
    const char *channel; /* panel, or e.g. qr */
    const char *flag;    /* the name of one that it carries */
    bool spontaneous;    /* spontaneous ratings instead of surveys */
    const char *after;   /* a cursor: only what comes after it */
    int64_t limit;       /* -1: all */
};
#define OKNO_SURVEY_FILTER_ALL                                                                     \
    {                                                                                              \
        .from_us = INT64_MIN, .to_us = INT64_MAX, .limit = -1                                      \
    }

/* A survey, or a spontaneous rating as one, as people and programs see it. Texts live during the
 * callback; NULL: none. */
struct okno_survey_info {
    const char *survey, *point, *site, *employee, *question, *question_kind, *channel;
    int64_t opened_us, closes_us;
    const char *state, *answer;
    int64_t answered_us; /* meaningful with an answer */
    int64_t extra_answers, late_answers;
    bool force_majeure, test;
    const char *flags; /* names, one space between */
    const char *video, *validity, *reason;
    int64_t offset_us, uncertainty_us; /* of the device's clock */
};

/* Call `each` for the surveys of the filter, ordered by opened_at and id; a negative return stops
 * and is returned. `each` must not list surveys or ask for a dossier on the same handle.
 * OKNO_INVALID, OKNO_MISSING name a filter field that cannot be. */
OKNO_CHECK int okno_survey_list(struct okno_db *db, const struct okno_survey_filter *filter,
                                int (*each)(void *ctx, const struct okno_survey_info *info,
                                            struct okno_err *err),
                                void *ctx, struct okno_err *err);

/* The promised JSON of `survey list`; NULL: no memory. The caller owns the reference. */
json_t *okno_survey_json(const struct okno_survey_info *info);

/* The cursor after a survey. Returns ret_text. */
#define OKNO_SURVEY_CURSOR_TEXT 136
const char *okno_survey_cursor(const struct okno_survey_info *info,
                               char ret_text[OKNO_SURVEY_CURSOR_TEXT]);

/* Everything about one survey or spontaneous rating: {"survey", "events", "link" or null,
 * "evidence", "reviews", "voids", "void_proposals", "attributions", "shift_employee", "history"}.
 * Events are those of its point from opened_at until answers stop being late. OKNO_NOT_FOUND. The
 * caller owns *ret_dossier. */
OKNO_CHECK int okno_survey_dossier(struct okno_db *db, const char *survey, json_t **ret_dossier,
                                   struct okno_err *err);

/* What late events and corrections changed. Start from OKNO_SURVEY_CHANGES_ALL. */
struct okno_survey_changes {
    int64_t since_us;
    const char *sites; /* a JSON array of those that may be seen; NULL: all */
    const char *after; /* a cursor: only what comes after it; NULL: all since then */
    int64_t limit;     /* -1: all */
};
#define OKNO_SURVEY_CHANGES_ALL                                                                    \
    {                                                                                              \
        .since_us = INT64_MIN, .limit = -1                                                         \
    }

/* Call `each`, oldest first, with {"at", "survey", "what" (changed, removed, returned), "changes":
 * {field: [was, became]}, "was", "became" (whole, or null), "frozen_in": audits whose frozen frame
 * holds what was} and the cursor behind it. A negative return stops and is returned. */
OKNO_CHECK int okno_survey_list_changes(struct okno_db *db,
                                        const struct okno_survey_changes *filter,
                                        int (*each)(void *ctx, const json_t *change,
                                                    const char *cursor, struct okno_err *err),
                                        void *ctx, struct okno_err *err);

/* A row with at, was and became as {"at", "what", "changes", "was", "became"}. */
json_t *okno_survey_change_json(struct okno_stmt *row);

/* A void by hand, or its opposite. */
struct okno_survey_void {
    const char *survey; /* NULL: everything from the import */
    int64_t import;
    bool voided;
    const char *author; /* NULL: the first administrator, whose machine it is */
    const char *second; /* another user */
    const char *reason;
    int64_t at_us;
};

/* Record it, in a transaction of its own. OKNO_NOT_FOUND: no such survey; OKNO_UNKNOWN_REF: no such
 * user; OKNO_MISSING, OKNO_INVALID: the reason; OKNO_REFUSED: the second person is the author, the
 * survey stands so already, or it is in the frozen frame of an audit. */
OKNO_CHECK int okno_survey_set_void(struct okno_db *db, const struct okno_survey_void *request,
                                    struct okno_err *err);

/* A void, or its opposite, that one person asks for; another agrees, and it is recorded with both,
 * or does not. Ids of proposals are positive. */
OKNO_CHECK int okno_void_propose(struct okno_db *db, const struct okno_survey_void *request,
                                 int64_t *ret_proposal, struct okno_err *err);

struct okno_void_answer {
    const char *survey; /* that the proposal is about */
    int64_t proposal;
    const char *user;
    bool agree;       /* by another than asked; not to agree: by anybody, who asked takes it back */
    const char *note; /* NULL: none */
    int64_t at_us;
};

/* Once. OKNO_NOT_FOUND: no such proposal of the survey; OKNO_REFUSED: it was answered, or what
 * okno_survey_set_void refuses; OKNO_INVALID: the note; OKNO_UNKNOWN_REF: the user. */
OKNO_CHECK int okno_void_answer(struct okno_db *db, const struct okno_void_answer *answer,
                                struct okno_err *err);

/* [{"proposal", "survey", "site", "point", "opened_at", "voided", "at", "author", "reason",
 * "answer": null or {"at", "user", "agreed", "note"}}], oldest first: of one survey, or (NULL) all
 * that wait for an answer, of some sites (a JSON array) or of all (NULL). A new object. */
OKNO_CHECK int okno_void_list(struct okno_db *db, const char *survey, const char *sites,
                              json_t **ret_list, struct okno_err *err);

/* As okno_survey_set_void, for all surveys whose opening press, and all spontaneous ratings whose
 * answer, came with an import of events; *ret_count of them that did not stand so yet. The opposite
 * takes back what was voided so. All or nothing: OKNO_REFUSED also when one of them is in a frozen
 * frame, or none is left to change; OKNO_NOT_FOUND: no such import; OKNO_INVALID: it brought no
 * events. */
OKNO_CHECK int okno_survey_void_import(struct okno_db *db, const struct okno_survey_void *request,
                                       int64_t *ret_count, struct okno_err *err);

#endif
