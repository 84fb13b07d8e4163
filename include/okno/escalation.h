/* Escalation: where an audit finds, beyond chance, that much of one employee's or point's surveys
 * is invalid, it proposes a closer look, which a person accepts or declines. What is looked at then
 * is targeted: it counts like any decision and enters no estimate. Times are UTC microseconds. */
#ifndef OKNO_ESCALATION_H
#define OKNO_ESCALATION_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Lower bounds of the invalid share (Wilson's score of the determined ones in the sample with the
 * finite frame, at the level of the plan) above which `count` more surveys, or all of the period,
 * are proposed; 1: never. Part of a plan. */
struct okno_escalation_limits {
    double more, census; /* 0..1, more <= census */
    int64_t count;       /* 1..OKNO_ESCALATE_MAX */
};
#define OKNO_ESCALATE_MORE 0.10   /* where a plan says nothing */
#define OKNO_ESCALATE_CENSUS 0.25 /* likewise */
enum { OKNO_ESCALATE_COUNT = 10, OKNO_ESCALATE_MAX = 5000 /* surveys of one closer look */ };

/* "census", "more" or NULL. Pure. */
const char *okno_escalation_rule(int64_t reviewed, int64_t invalid, int64_t frame, double level,
                                 const struct okno_escalation_limits *limits, double *ret_low);

/* {"escalations": [{escalation, audit, scope, rule, reviewed, invalid, low, at, state (proposed,
 * accepted, declined, done), by, reason, items, decided, found}]}: of an audit, or NULL: of all.
 * `found`: of the items decided, the invalid ones. A new object. */
OKNO_CHECK int okno_escalation_list(struct okno_db *db, const char *audit, json_t **ret_list,
                                    struct okno_err *err);

/* Accept: surveys of the scope that were neither sampled nor targeted are put into the queue (rule
 * more: as many as the plan says, drawn by CS1 with the seed SEED "/" scope; census: all, up to
 * OKNO_ESCALATE_MAX). Or decline. A reason of 1 to 1000 bytes is kept. *ret_items: how many.
 * OKNO_NOT_FOUND; OKNO_REFUSED when it was decided. One durable transaction, told to the log. */
OKNO_CHECK int okno_escalation_decide(struct okno_db *db, int64_t escalation, bool accept,
                                      const char *reason, const char *author, int64_t now_us,
                                      int64_t *ret_items, struct okno_err *err);

#endif
