/* Inside the verification of bundles only. */
#ifndef OKNO_REPORT_VERIFY_H
#define OKNO_REPORT_VERIFY_H

#include "bundle.h"

/* The steps an audit must have, in their order. */

enum { PLAN, FREEZE, CHECKPOINT, SEED, DRAW, CLOSE, EXPORT, STEPS };

struct check {
    struct bag bag;
    struct contents contents;
    struct okno_bundle_facts facts;
    struct okno_checkpoint frame, final;
    json_t *plan;        /* plan.json */
    json_t *step[STEPS]; /* entries of the log; the last export of several */
    int64_t place[STEPS];
    json_t *verdicts; /* entries, with `entry` and `hash` added */
    bool open_to_all;
};

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

#endif
