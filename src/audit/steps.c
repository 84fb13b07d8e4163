/* The order of an audit, as one table, and what a step out of order is told. */
#include "okno/audit.h"

#include "room.h"

#include <string.h>

/* Each step leads from one state to another; one that stays in its state may be repeated. `after`
 * is a step that must have been done before, where the state alone does not say so. */
const struct okno_audit_step okno_audit_steps[] = {
    {"plan", NULL, "planned", NULL, " --from TIME --to TIME --size N", NULL},
    {"freeze", "planned", "frozen", NULL, "", NULL},
    {"checkpoint", "frozen", "checkpointed", NULL, " -o FILE", "okno log checkpoint --audit"},
    {"seed", "checkpointed", "seeded", NULL, " --seed S", NULL},
    {"draw", "seeded", "drawn", NULL, "", NULL},
    {"extend", "drawn", "drawn", NULL, " --size N", NULL},
    {"close", "drawn", "closed", NULL, "", NULL},
    {"report", "closed", "closed", NULL, " -o FILE", NULL},
    {"sign", "closed", "closed", "report", "", NULL},
    {"export", "closed", "closed", NULL, " -o FOLDER", NULL},
    {0},
};

static const struct okno_audit_step *find(const char *name)
{
    const struct okno_audit_step *step = okno_audit_steps;
    while (step->name && strcmp(step->name, name) != 0)
        step++;
    return step;
}

/* The step that first reaches a state; the end of the table for one outside the order. */
static const struct okno_audit_step *reaching(const char *state)
{
    const struct okno_audit_step *step = okno_audit_steps;
    while (step->name && strcmp(step->to, state) != 0)
        step++;
    return step;
}

/* The step that leads on from a state to the next. */
static const struct okno_audit_step *leading_on(const char *state)
{
    const struct okno_audit_step *step = okno_audit_steps;
    while (step->name &&
           !(step->from && strcmp(step->from, state) == 0 && strcmp(step->to, state) != 0))
        step++;
    return step;
}

const struct okno_audit_step *okno_audit_next(const char *state)
{
    const struct okno_audit_step *next = leading_on(state);
    if (!next->name && strcmp(state, "closed") == 0)
        next = find("report");
    return next->name ? next : NULL;
}

static int require_state(const struct audit_row *row, const struct okno_audit_step *step,
                         struct okno_err *err)
{
    const struct okno_audit_step *now = reaching(row->state);
    if (!now->name)
        return okno_fail(err, OKNO_OUT_OF_ORDER, "audit %s is %s: no step follows, plan another",
                         row->audit, row->state);
    if (strcmp(step->from, row->state) == 0)
        return 0;
    const struct okno_audit_step *next = leading_on(row->state);
    if (now < reaching(step->from))
        return okno_fail(err, OKNO_OUT_OF_ORDER,
                         "audit %s is %s: before `%s` comes `okno audit %s %s%s`", row->audit,
                         row->state, step->name, next->name, row->audit, next->needs);
    if (step->again)
        return okno_fail(
            err, OKNO_OUT_OF_ORDER,
            "audit %s is %s: `%s` was done and is never repeated; `%s %s` gives what it "
            "made again",
            row->audit, row->state, step->name, step->again, row->audit);
    return okno_fail(err, OKNO_OUT_OF_ORDER, "audit %s is %s: `%s` was done and is never repeated",
                     row->audit, row->state, step->name);
}

static int require_after(struct okno_db *db, const struct audit_row *row,
                         const struct okno_audit_step *step, struct okno_err *err)
{
    int64_t done = 0;
    const struct okno_audit_step *before = find(step->after);
    int rc = OKNO_DB_INT(db, "audit.count_step", 0, &done, err, OKNO_TEXT("audit", row->audit),
                         OKNO_TEXT("step", step->after));
    if (rc < 0 || done > 0)
        return rc;
    return okno_fail(err, OKNO_OUT_OF_ORDER,
                     "audit %s has no %s: before `%s` comes `okno audit %s %s%s`", row->audit,
                     step->after, step->name, step->after, row->audit, before->needs);
}

int audit_expect(struct okno_db *db, const struct audit_row *row, const char *name,
                 struct okno_err *err)
{
    const struct okno_audit_step *step = find(name);
    if (!step->from)
        return okno_fail(err, OKNO_FAILED, "`%s` is no step of an audit that was planned", name);
    int rc = require_state(row, step, err);
    return rc < 0 || !step->after ? rc : require_after(db, row, step, err);
}

int audit_enter(struct okno_db *db, const char *audit, const char *step, struct audit_row *ret_row,
                struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0)
        rc = audit_expect(db, &row, step, err);
    if (rc == 0)
        *ret_row = row;
    return rc;
}

int audit_done(struct okno_db *db, const char *audit, const char *name, const char *author,
               int64_t now_us, json_t *detail, struct okno_err *err)
{
    const struct okno_audit_step *step = find(name);
    int rc = OKNO_DB_RUN(db, "audit.set_state", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("state", step->to));
    if (rc == 0)
        return audit_add_step(db, audit, name, author, now_us, detail, err);
    json_decref(detail);
    return rc;
}

int okno_audit_may(struct okno_db *db, const char *audit, const char *step, struct okno_err *err)
{
    struct audit_row row;
    return audit_enter(db, audit, step, &row, err);
}

int okno_audit_add(struct okno_db *db, const char *audit, const char *step, const json_t *detail,
                   const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = audit_check_author(author, err);
    if (rc == 0)
        rc = okno_audit_may(db, audit, step, err);
    if (rc < 0)
        return rc;
    return audit_done(db, audit, step, author, now_us, json_deep_copy(detail), err);
}
