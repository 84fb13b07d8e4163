/* An audit: a frozen frame of surveys, a random sample of it by a public seed, expert review, and
 * figures for the whole frame. Steps come in the order of okno_audit_steps; each is written down,
 * here and in the evidence log, in the transaction that does it. Times are UTC microseconds. */
#ifndef OKNO_AUDIT_H
#define OKNO_AUDIT_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/escalation.h"
#include "okno/estimate.h"
#include "okno/frame.h"
#include "okno/json.h"
#include "okno/kpi.h"
#include "okno/sampling.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_SEED_BYTES_MIN 20
#define OKNO_SEED_BYTES_MAX 256
#define OKNO_GOLD_MAX 10000

/* One step: the state it leads from (NULL: none before), and to. One that stays in its state
 * may be repeated. */
struct okno_audit_step {
    const char *name, *from, *to;
    const char *after; /* a step that must have been done before; NULL: the state says it all */
    const char *needs; /* what its command takes after the audit's id */
    const char *again; /* the command, before that id, that gives what it made again; or NULL */
};
/* plan, freeze, checkpoint, seed, draw, extend, close, report, sign, export; the last has no name.
 * Everything about the order of steps is read from here. */
extern const struct okno_audit_step okno_audit_steps[];

/* The step that leads on from a state; NULL where none does. */
const struct okno_audit_step *okno_audit_next(const char *state);

/* 0, or OKNO_OUT_OF_ORDER (what is missing, and the command to run next), OKNO_NOT_FOUND. For work
 * done before its step is written down: a report, a signature. */
OKNO_CHECK int okno_audit_may(struct okno_db *db, const char *audit, const char *step,
                              struct okno_err *err);

/* Write down a step that another room did (`report`, `sign`), in the caller's transaction, with its
 * order checked: `detail`, an object without floats, enters the log but for its members how,
 * witnesses, title, note. */
OKNO_CHECK int okno_audit_add(struct okno_db *db, const char *audit, const char *step,
                              const json_t *detail, const char *author, int64_t now_us,
                              struct okno_err *err);

/* What is fixed before anything is drawn. Texts are borrowed for the call. */
struct okno_audit_plan {
    const char *audit;      /* id */
    const char *title;      /* up to 200 bytes */
    int64_t from_us, to_us; /* surveys opened in [from, to) */
    int64_t size; /* how many to draw; a smaller frame is drawn whole; 0 with half_width */
    struct okno_sampling sampling; /* size and level are taken from here, not from it */
    const char *repeats;           /* id of an earlier audit that this one repeats; NULL for none */
    enum okno_frame frame;         /* what is drawn from */
    bool show_answer;              /* experts see which button was pressed */
    bool invalid_as_silent;        /* an invalid rating counts as a silent survey, else as none */
    double k;                      /* weight of silent surveys, 0..1 */
    double level;                  /* of intervals, 0.5 to 0.9999 */
    int looks; /* intervals meant to be looked at, 1..100: as many rounds are drawn at
                  most */
    double undeterminable_limit; /* a larger share of the sample: only worst cases are given; 0: as
                                    whoever asks for figures says */
    double fm_threshold;   /* a level of force majeure above it stops the freeze; 0: none does */
    double max_half_width; /* figures with a wider interval are not relied on; 0: none */
    struct okno_escalation_limits escalate; /* each 0: the default */
    double double_share;                    /* of each round, decided by two experts: 0..1 */
    int64_t gold;           /* gold items mixed into the queue, up to OKNO_GOLD_MAX */
    const char *accepted;   /* why it is planned though footage is lost first; NULL: refused then */
    const char *one_person; /* why one person runs the system and audits it; NULL: not so */
    const char *auditor;    /* who signs, by name or key's fingerprint; NULL: nobody does */
};

/* OKNO_CONFLICT when the id is taken; OKNO_INVALID names the field; OKNO_REFUSED where the shortest
 * retention (declared or measured) of a camera placed in the period ends less than a day after the
 * earliest draw, unless that is accepted: the step then says so; and where one_person is declared
 * though an auditor is there who is no administrator. */
OKNO_CHECK int okno_audit_plan(struct okno_db *db, const struct okno_audit_plan *plan,
                               const char *author, int64_t now_us, struct okno_err *err);

/* Freeze every closed survey of the period that is not voided: one canonical JSON line each, sorted
 * by id; the hash covers the lines with their LF. OKNO_REFUSED while the period has not ended or
 * one of its surveys is still open, and, unless `accepted` gives the reason to go on (NULL: none),
 * while silent surveys wait for a word of their panels or running numbers of the period's devices
 * are missing: the step then tells how many, and why. OKNO_NOT_FOUND when there is none to freeze.
 * ret_sha256 is 65 bytes. */
OKNO_CHECK int okno_audit_freeze(struct okno_db *db, const char *audit, const char *author,
                                 const char *accepted, int64_t now_us, int64_t *ret_size,
                                 char *ret_sha256, struct okno_err *err);

/* Reasons to freeze though something speaks against it; NULL: none. */
struct okno_audit_accepted {
    const char *unheard; /* panels and events that were not heard of */
    const char *fm;      /* too much force majeure for indicators to be advisable */
};
/* The same, refused also where the plan has a threshold of the force majeure level and the period's
 * is above it (`not_advisable`), unless that is accepted. */
OKNO_CHECK int okno_audit_freeze_with(struct okno_db *db, const char *audit, const char *author,
                                      const struct okno_audit_accepted *accepted, int64_t now_us,
                                      int64_t *ret_size, char *ret_sha256, struct okno_err *err);

/* Sign the log that now tells the frame's hash; the note (appended to ret_note) is to leave the
 * house before the seed is known: from here the frame cannot be fitted to a seed. */
OKNO_CHECK int okno_audit_checkpoint(struct okno_db *db, const char *audit, const char *author,
                                     int64_t now_us, struct okno_buf *ret_note,
                                     struct okno_err *err);

/* Store the seed, verbatim: 20 to 256 printable ASCII characters. `how` it was obtained and the
 * witnesses may be "". */
OKNO_CHECK int okno_audit_seed(struct okno_db *db, const char *audit, const char *seed,
                               const char *how, const char *witnesses, const char *author,
                               int64_t now_us, struct okno_err *err);

/* Draw with CS1 over the frozen frame, by the plan's strata: the sample, its review items, and jobs
 * that fetch clip and still of each. *ret_size: how many were drawn. */
OKNO_CHECK int okno_audit_draw(struct okno_db *db, const char *audit, const char *author,
                               int64_t now_us, int64_t *ret_size, struct okno_err *err);

/* Draw the next `size` of the same order, or fewer where the frame is used up. OKNO_OUT_OF_ORDER
 * past the rounds that the plan's looks allow; OKNO_REFUSED when the whole frame is drawn. */
OKNO_CHECK int okno_audit_extend(struct okno_db *db, const char *audit, int64_t size,
                                 const char *author, int64_t now_us, int64_t *ret_size,
                                 struct okno_err *err);

/* End the audit: from here no verdict of it is taken back. OKNO_OUT_OF_ORDER while a survey of the
 * sample has no decision. The note may be "". */
OKNO_CHECK int okno_audit_close(struct okno_db *db, const char *audit, const char *note,
                                const char *author, int64_t now_us, struct okno_err *err);

/* End an audit that leads nowhere, before it is closed: it stays in every list, with the reason. */
OKNO_CHECK int okno_audit_abandon(struct okno_db *db, const char *audit, const char *reason,
                                  const char *author, int64_t now_us, struct okno_err *err);

/* The newest entry of the log that tells a step or a decision of an audit; -1 without one. */
OKNO_CHECK int okno_audit_newest(struct okno_db *db, const char *audit, int64_t *ret_leaf,
                                 struct okno_err *err);
/* OKNO_BUSY when `seen` is not the newest entry: what was gathered up to it is of the past. */
OKNO_CHECK int okno_audit_is_newest(struct okno_db *db, const char *audit, int64_t seen,
                                    struct okno_err *err);

/* Write down that the audit was handed out; `detail` (the bundle's files and hashes) goes into the
 * log. Needs a closed audit that stands at the entry `seen`, as above; may be repeated. *ret_leaf
 * is its entry. */
OKNO_CHECK int okno_audit_export(struct okno_db *db, const char *audit, const json_t *detail,
                                 int64_t seen, const char *author, int64_t now_us,
                                 int64_t *ret_leaf, struct okno_err *err);

/* A step out of order is OKNO_OUT_OF_ORDER and names what is missing; an unknown audit is
 * OKNO_NOT_FOUND: in all functions here. OKNO_FORBIDDEN where the author, or who `local:` and a
 * name says it is, is an auditor's login of an administrator, too, or after `local:` a login of
 * another role, unless the plan declares one_person. */

/* The plan's limit of undeterminable decisions; 0 where it has none. */
OKNO_CHECK int okno_audit_limit(struct okno_db *db, const char *audit, double *ret_limit,
                                struct okno_err *err);

/* How many more to review so that each indicator of the whole frame has an interval of the plan's
 * max_half_width, by the widths so far; 0: none is wider, or the plan names no width. An interval's
 * square shrinks with 1/n - 1/N (Cochran, Sampling Techniques, 2.6). A new array of {indicator,
 * half_width, more} of those that are wider; of transactions and minutes `never_asked` is one. */
OKNO_CHECK int okno_audit_widths(struct okno_db *db, const char *audit, int64_t *ret_more,
                                 json_t **ret_list, struct okno_err *err);

/* A new object: audit, title, state, next, next_command, repeats, repeated_by [id], overlapping
 * [id], period_from, period_to, plan, frame_size, frame_sha256, seed, sample, reviewed, valid,
 * invalid, undeterminable, steps [{step, at, author, detail}]; until it is closed, capacity
 * {reviews, decided_a_day, days, footage_until} (what is to be decided against what experts decided
 * a day lately, and when the first footage goes; null where nothing says); once drawn, where the
 * plan has a max_half_width, too_wide and extend_by of okno_audit_widths. */
OKNO_CHECK int okno_audit_status(struct okno_db *db, const char *audit, json_t **ret_status,
                                 struct okno_err *err);

/* A new array of them, in the order of planning. */
OKNO_CHECK int okno_audit_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* The part of the frame that a figure is about; NULL or 0: no restriction. */
struct okno_audit_domain {
    const char *site, *point, *question;
    const char *employee;   /* "unassigned" for nobody's */
    int64_t from_us, to_us; /* of opened_at, half-open; to 0: no end */
};

OKNO_VEC(okno_cell_vec, struct okno_cell);

/* Verdicts that stand in a domain. Of the random sample only. */
struct okno_audit_counts {
    int64_t frame, valid, invalid, undeterminable;
};

/* Cells of an indicator's domain from the frozen frame and the standing verdicts, appended to
 * `cells`, ordered by stratum; ret_counts may be NULL. For ink_personnel a force majeure survey is
 * OKNO_NONE unless it was ruled FALSE_FM, and one ruled FM_REACHES_BACK is too; so is, in the
 * domain of an employee, what was moved to another. OKNO_UNSUPPORTED for an indicator that a sample
 * of surveys says nothing about. */
OKNO_CHECK int okno_audit_cells(struct okno_db *db, const char *audit,
                                enum okno_indicator indicator,
                                const struct okno_audit_domain *domain, struct okno_cell_vec *cells,
                                struct okno_audit_counts *ret_counts, struct okno_err *err);

/* An indicator of the whole frame: estimate.null_reason tells why there is none (also `not_frozen`
 * and, for indicators beside ink_personnel, ink_office, iel, response_rate and silent_share,
 * `not_estimated`).
 * From a frame of spontaneous ratings only support_index and criticality_index are estimated, and
 * the value is the number of genuine ratings behind them: to be divided by the customers served. */
struct okno_audit_figure {
    struct okno_estimate estimate;
    double band[2];                  /* value for k = 0 and k = 1; NAN without a figure */
    bool too_wide;                   /* half the interval is more than the plan's max_half_width */
    struct okno_audit_counts counts; /* of the domain */
};
OKNO_CHECK int okno_audit_estimate(struct okno_db *db, const char *audit,
                                   enum okno_indicator indicator,
                                   const struct okno_audit_domain *domain, double k,
                                   struct okno_audit_figure *ret_figure, struct okno_err *err);

/* A frame with its verdicts counted once by some of OKNO_BY_SITE, _POINT, _EMPLOYEE and _QUESTION
 * (others are ignored), for many figures of one view of the data: the caller keeps it. *ret_cube is
 * NULL where that would be too much to hold: figures are counted one by one then. NULL may be
 * freed. */
struct okno_audit_cube;
OKNO_CHECK int okno_audit_cube_open(struct okno_db *db, const char *audit, unsigned by,
                                    struct okno_audit_cube **ret_cube, struct okno_err *err);
void okno_audit_cube_free(struct okno_audit_cube *cube);

/* okno_audit_estimate, the same figure bit for bit; what the cube (may be NULL) does not hold is
 * counted. */
OKNO_CHECK int okno_audit_cube_estimate(struct okno_db *db, const char *audit,
                                        const struct okno_audit_cube *cube,
                                        enum okno_indicator indicator,
                                        const struct okno_audit_domain *domain, double k,
                                        struct okno_audit_figure *ret_figure, struct okno_err *err);

/* The same from counts instead of a database; pure. One tally per stratum, class and force majeure
 * of the surveys that the indicator is about. */
struct okno_audit_tally {
    char stratum[OKNO_STRATUM_TEXT];
    enum okno_class class;
    bool force_majeure;
    int64_t frame, valid, invalid, undeterminable;
    int64_t false_fm; /* of the valid ones: FALSE_FM; without force majeure FM_REACHES_BACK */
    int64_t moved_valid, moved_invalid; /* of these: moved to somebody else; none of false_fm */
    int64_t not_asked; /* of the valid ones, in frames of visits: a customer whom nobody asked */
};
OKNO_VEC(okno_tally_vec, struct okno_audit_tally);
/* The tallies of a domain (NULL: the whole frame) of an audit, appended. */
OKNO_CHECK int okno_audit_tallies(struct okno_db *db, const char *audit,
                                  enum okno_indicator indicator,
                                  const struct okno_audit_domain *domain,
                                  struct okno_tally_vec *tallies, struct okno_err *err);

/* The share of customers who were never asked, of a frame of transactions or minutes: not asked by
 * asked and not asked; where there was no customer, neither. Its units were found valid (asked),
 * valid with the correction NOT_ASKED, or invalid (no customer); as frozen, class yes says that a
 * survey was opened at the point about then, no that none was. all_valid: were every undeterminable
 * one asked; all_invalid: were none asked; these are the worst bounds, too. `not_frozen` before the
 * freeze, `not_estimated` from another frame. The figure's band is NAN. */
OKNO_CHECK int okno_audit_asked(struct okno_db *db, const char *audit,
                                const struct okno_audit_domain *domain,
                                struct okno_audit_figure *ret_figure, struct okno_err *err);

/* What was found of a frame of visits, and where panels and eyes disagree. */
struct okno_asked_counts {
    int64_t frame, asked, not_asked, no_customer, undeterminable;
    int64_t survey_not_asked; /* a survey was opened about then, and nobody was asked */
    int64_t asked_no_survey;  /* asked, and no survey tells of it */
};
/* Pure. */
struct okno_asked_counts okno_audit_asked_counts(const struct okno_audit_tally *tallies,
                                                 size_t count);

struct okno_audit_rules {
    bool invalid_as_silent;
    enum okno_frame frame; /* see okno_audit_estimate and okno_audit_asked */
    bool with_replacement; /* a survey drawn twice counts twice */
    bool silent_known;     /* silent surveys were not drawn: all taken as genuine */
    bool drawn_by_strata;  /* else in one go: strata only sort what was found */
    double k, level;
    double max_half_width; /* of a figure's interval, else it is too_wide; 0: none */
    int looks;
};
/* okno_audit_asked from counts; pure. */
OKNO_CHECK int okno_audit_tally_asked(const struct okno_audit_tally *tallies, size_t count,
                                      const struct okno_audit_rules *rules,
                                      struct okno_audit_figure *ret_figure, struct okno_err *err);

/* The share of the frame that is not genuine. Drawn in one go: Wilson's limits with
 * the finite population's correction, and exact bounds of their number. Else estimated by strata
 * and classes, with silent ones as genuine where they are known; then there are no exact bounds. */
struct okno_invalid_share {
    const char *null_reason;     /* as of okno_estimate */
    bool by_strata;              /* else plain */
    int64_t invalid, determined; /* as reviewed */
    double level;                /* of the interval, several looks counted in */
    double value, low, high;     /* NAN without a figure */
    double without_silent;       /* of the others alone, where silent ones are known; else NAN */
    int64_t at_least, at_most;   /* in the frame; -1 by strata */
};
/* From the tallies of the whole frame; pure. */
OKNO_CHECK int okno_audit_tally_invalid(const struct okno_audit_tally *tallies, size_t count,
                                        const struct okno_audit_rules *rules,
                                        struct okno_invalid_share *ret_share, struct okno_err *err);
/* Of an audit. */
OKNO_CHECK int okno_audit_invalid(struct okno_db *db, const char *audit,
                                  struct okno_invalid_share *ret_share, struct okno_err *err);
/* {"invalid", "determined", "level", "by_strata", "value", "low", "high", "without_silent",
 * "at_least", "at_most"}, rounded to nine digits; JSON null without a figure. A new value. */
json_t *okno_audit_invalid_json(const struct okno_invalid_share *share);

/* Kind of question that an estimated indicator is about; "" for every kind, NULL for an indicator
 * that is not estimated from such a frame. */
const char *okno_audit_kind(enum okno_indicator indicator, enum okno_frame frame);
OKNO_CHECK int okno_audit_tally_estimate(enum okno_indicator indicator,
                                         const struct okno_audit_tally *tallies, size_t count,
                                         const struct okno_audit_rules *rules,
                                         struct okno_audit_figure *ret_figure,
                                         struct okno_err *err);

#endif
