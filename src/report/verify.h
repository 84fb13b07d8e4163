/* Inside the verification of bundles only. */
#ifndef OKNO_REPORT_VERIFY_H
#define OKNO_REPORT_VERIFY_H

#include "bundle.h"

/* The steps of an audit, in the order of okno_audit_steps; `extend`, `report` and `sign` need not
 * be there, and they and `export` may be there again. */
enum { PLAN, FREEZE, CHECKPOINT, SEED, DRAW, EXTEND, CLOSE, REPORT, SIGN, EXPORT, STEPS };

/* A size of the log at which its root is wanted: something outside tells it. */
struct mark {
    int64_t size;
    struct okno_digest root; /* found when the log is read */
    bool found;
};
OKNO_VEC(marks, struct mark);

struct check {
    const struct okno_bundle_trust *trust;
    struct bag bag;
    struct contents contents;
    struct okno_bundle_facts facts;
    struct okno_checkpoint frame, final;
    json_t *plan;        /* plan.json */
    json_t *step[STEPS]; /* entries of the log; the last of several */
    int64_t place[STEPS];
    json_t *all_steps;                  /* entries of this audit's steps, with `entry` added */
    json_t *auditor_keys;               /* entries of keys, with `entry` added */
    json_t *anchors;                    /* entries of anchors and witnesses, with `entry` added */
    json_t *verdicts;                   /* entries, with `entry` and `hash` added */
    struct marks marks;                 /* sorted by size once the log is read */
    struct okno_json_weight line, kept; /* of the entry at hand, and of all that were kept */
    bool open_to_all;
};

/* The root of the log's first `size` entries is wanted; before the log is read. */
OKNO_CHECK int verify_mark(struct check *check, int64_t size, struct okno_err *err);
/* And this is it. NULL: the log has fewer entries. */
const struct okno_digest *verify_root(const struct check *check, int64_t size);
OKNO_CHECK int verify_wrong(struct okno_err *err, const char *what);
OKNO_CHECK int verify_json(struct check *check, const char *name, json_t **ret_json,
                           struct okno_err *err);
/* A file that is made of others has to be what is made of them; the first other line is named. */
OKNO_CHECK int verify_text(const struct check *check, const char *name, const struct okno_buf *made,
                           struct okno_err *err);
/* What an entry tells of a step. */
const json_t *verify_detail(const struct check *check, int step);

/* Files, key, checkpoints, log and steps, in this order. */
OKNO_CHECK int verify_log(struct check *check, const struct okno_note_key *key,
                          struct okno_err *err);
/* The hashes that the entry of the export pins. */
OKNO_CHECK int verify_hashes(const struct check *check, struct okno_err *err);

/* Time stamps and witnesses (verify_anchors.c): which roots they need, and whether they are right.
 */
OKNO_CHECK int verify_anchor_marks(struct check *check, struct okno_err *err);
OKNO_CHECK int verify_anchors(struct check *check, struct okno_err *err);

/* Counts, exclusions, agreement and estimates, and the report (verify_figures.c). */
OKNO_CHECK int verify_figures(struct check *check, struct okno_err *err);

/* The report that was issued, and what is made of it (verify_report.c). */
OKNO_CHECK int verify_report(struct check *check, struct okno_err *err);

/* Which roots the auditor's manifest needs. */
OKNO_CHECK int verify_signed_marks(struct check *check, struct okno_err *err);
/* The auditor's signature, and the log's of the list of files (verify_signed.c). */
OKNO_CHECK int verify_signed(struct check *check, struct okno_err *err);
OKNO_CHECK int verify_tags(const struct check *check, struct okno_err *err);

#endif
