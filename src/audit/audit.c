#define _POSIX_C_SOURCE 200809L
/* Plan, seed and what is common to the steps. Freezing is in frame.c, drawing in draw.c. */
#include "okno/audit.h"

#include "okno/auditor.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/text.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

enum { TITLE_BYTES_MAX = 200, NOTE_BYTES_MAX = 1000 };

/* ---- the row ---- */

/* Plans made before there was a choice have the defaults. */
static void read_escalation(const json_t *plan, struct okno_escalation_limits *ret_limits)
{
    const char *more = json_string_value(json_object_get(plan, "escalate_more"));
    const char *census = json_string_value(json_object_get(plan, "escalate_census"));
    const json_t *count = json_object_get(plan, "escalate_count");
    *ret_limits = (struct okno_escalation_limits){
        .more = more ? strtod(more, NULL) : OKNO_ESCALATE_MORE,
        .census = census ? strtod(census, NULL) : OKNO_ESCALATE_CENSUS,
        .count = count ? json_integer_value(count) : OKNO_ESCALATE_COUNT};
}

static int read_plan(const char *text, struct audit_row *row, struct okno_err *err)
{
    okno_autojson json_t *plan = json_loads(text, 0, NULL);
    const char *level = json_string_value(json_object_get(plan, "level"));
    const char *invalid = json_string_value(json_object_get(plan, "invalid"));
    const char *frame = json_string_value(json_object_get(plan, "frame"));
    row->frame = (enum okno_frame)okno_frame_find(frame);
    const char *width = json_string_value(json_object_get(plan, "max_half_width"));
    const char *k = json_string_value(json_object_get(plan, "k"));
    row->k = k ? strtod(k, NULL) : 0;
    row->max_half_width = width ? strtod(width, NULL) : 0;
    read_escalation(plan, &row->escalate);
    row->looks = (int)json_integer_value(json_object_get(plan, "looks"));
    const char *doubled = json_string_value(json_object_get(plan, "double"));
    row->double_share = doubled ? strtod(doubled, NULL) : 0;
    row->level = level ? strtod(level, NULL) : 0;
    const char *limit = json_string_value(json_object_get(plan, "undeterminable_limit"));
    const char *fm = json_string_value(json_object_get(plan, "fm_threshold"));
    row->fm_threshold = fm ? strtod(fm, NULL) : 0;
    row->undeterminable_limit = limit ? strtod(limit, NULL) : 0;
    row->invalid_as_silent = invalid && strcmp(invalid, "silent") == 0;
    return okno_sampling_get(plan, &row->sampling, err);
}

int audit_load(struct okno_db *db, const char *audit, struct audit_row *ret_row,
               struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "audit.get", &stmt, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no audit %s: see `okno audit list`",
                         okno_text_show(audit, shown));
    if (rc < 0)
        return rc;
    struct audit_row row = {.from_us = okno_stmt_int(stmt, "period_from"),
                            .to_us = okno_stmt_int(stmt, "period_to")};
    const char *seed = okno_stmt_text(stmt, "seed");
    (void)snprintf(row.audit, sizeof(row.audit), "%s", audit);
    (void)snprintf(row.state, sizeof(row.state), "%s", okno_stmt_text(stmt, "state"));
    (void)snprintf(row.seed, sizeof(row.seed), "%s", seed ? seed : "");
    rc = read_plan(okno_stmt_text(stmt, "plan"), &row, err);
    if (rc == 0)
        *ret_row = row;
    return rc;
}

/* Facts of a step that may name people stay out of the log; a salted hash of the whole stands for
 * them. */
static json_t *public_part(const json_t *detail)
{
    static const char *const names[] = {"how", "witnesses", "title", "note"};
    json_t *part = json_copy((json_t *)(uintptr_t)detail);
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        (void)json_object_del(part, names[i]);
    return part;
}

static int log_step(struct okno_db *db, const struct okno_ledger_entry *entry, const char *step,
                    const char *author, const json_t *detail, const char *text,
                    struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char hash[OKNO_SHA256_TEXT];
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:o, s:s}", "step", step, "author", name, "detail",
                  public_part(detail), "whole", okno_ledger_hide(entry->salt, text, hash));
    return okno_ledger_append(db, entry, json, NULL, err);
}

int audit_add_step(struct okno_db *db, const char *audit, const char *step, const char *author,
                   int64_t now_us, json_t *detail, struct okno_err *err)
{
    okno_autojson json_t *owned = detail;
    okno_autofree char *text = NULL;
    int rc = audit_check_duty(db, audit, author, err);
    if (rc == 0)
        rc = okno_json_canonical(owned, &text, err);
    if (rc < 0)
        return rc;
    char salt[OKNO_SALT_TEXT];
    struct okno_ledger_entry entry = {
        .kind = "step", .audit = audit, .salt = okno_ledger_salt(salt), .at_us = now_us};
    rc = OKNO_DB_INT(db, "audit.add_step", 0, &entry.subject, err, OKNO_TEXT("audit", audit),
                     OKNO_TEXT("step", step), OKNO_INT("now", now_us), OKNO_TEXT("author", author),
                     OKNO_TEXT("detail", text));
    return rc < 0 ? rc : log_step(db, &entry, step, author, owned, text, err);
}

int audit_finish(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- plan ---- */

static int check_note(const char *field, const char *text, size_t max, struct okno_err *err)
{
    if (strlen(text) > max || !okno_text_is_plain(text, true))
        return okno_fail_field(
            err, OKNO_INVALID, field,
            "%s: up to %zu bytes of UTF-8 without control characters are allowed", field, max);
    return 0;
}

int audit_check_note(const char *field, const char *text, struct okno_err *err)
{
    return check_note(field, text, NOTE_BYTES_MAX, err);
}

int audit_check_author(const char *author, struct okno_err *err)
{
    if (!author[0])
        return okno_fail_field(err, OKNO_MISSING, "author", "author: who does this step?");
    return check_note("author", author, TITLE_BYTES_MAX, err);
}

static int check_sampling(const struct okno_audit_plan *plan, struct okno_err *err)
{
    const struct okno_sampling *s = &plan->sampling;
    bool by_width = s->half_width > 0 && plan->size == 0;
    if (!by_width && (plan->size < 1 || plan->size > OKNO_SAMPLER_DRAW_MAX))
        return okno_fail_field(err, OKNO_INVALID, "size", "size %lld: 1 to %d is allowed",
                               (long long)plan->size, OKNO_SAMPLER_DRAW_MAX);
    if (s->half_width > 0 && !by_width)
        return okno_fail_field(err, OKNO_INVALID, "width",
                               "width %g and size %lld: only one of both says how many to draw",
                               s->half_width, (long long)plan->size);
    if (by_width && !(s->half_width < 1))
        return okno_fail_field(err, OKNO_INVALID, "width", "width %g: between 0 and 1 is allowed",
                               s->half_width);
    if (s->least < 0 || s->least > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail_field(err, OKNO_INVALID, "min-per-stratum",
                               "min-per-stratum %lld: 0 to %d is allowed", (long long)s->least,
                               OKNO_SAMPLER_DRAW_MAX);
    if ((s->neyman || s->least > 0) && !s->strata)
        return okno_fail_field(err, OKNO_INVALID, "strata",
                               "an allocation or a least number is shared out over strata: say "
                               "which (site, point, day, answer)");
    if (!(plan->undeterminable_limit >= 0 && plan->undeterminable_limit <= 1))
        return okno_fail_field(err, OKNO_INVALID, "undeterminable-limit",
                               "undeterminable-limit %g: 0 to 1 is allowed",
                               plan->undeterminable_limit);
    if (!(plan->fm_threshold >= 0 && plan->fm_threshold <= 1))
        return okno_fail_field(err, OKNO_INVALID, "fm-threshold",
                               "fm-threshold %g: 0 to 1 is allowed", plan->fm_threshold);
    if (!(plan->max_half_width >= 0 && plan->max_half_width < 1))
        return okno_fail_field(err, OKNO_INVALID, "max-half-width",
                               "max-half-width %g: 0 to 1 is allowed", plan->max_half_width);
    return 0;
}

/* What is set in place of what says nothing. */
static struct okno_escalation_limits escalation_of(const struct okno_audit_plan *plan)
{
    const struct okno_escalation_limits *set = &plan->escalate;
    return (struct okno_escalation_limits){
        .more = set->more != 0 ? set->more : OKNO_ESCALATE_MORE,
        .census = set->census != 0 ? set->census : OKNO_ESCALATE_CENSUS,
        .count = set->count != 0 ? set->count : OKNO_ESCALATE_COUNT};
}

static int check_escalation(const struct okno_audit_plan *plan, struct okno_err *err)
{
    const struct okno_escalation_limits limits = escalation_of(plan);
    if (!(limits.more > 0 && limits.more <= 1))
        return okno_fail_field(err, OKNO_INVALID, "escalate-more",
                               "escalate-more %g: above 0 to 1 is allowed", limits.more);
    if (!(limits.census >= limits.more && limits.census <= 1))
        return okno_fail_field(err, OKNO_INVALID, "escalate-census",
                               "escalate-census %g: from escalate-more (%g) to 1 is allowed",
                               limits.census, limits.more);
    if (limits.count < 1 || limits.count > OKNO_ESCALATE_MAX)
        return okno_fail_field(err, OKNO_INVALID, "escalate-count",
                               "escalate-count %lld: 1 to %d is allowed", (long long)limits.count,
                               OKNO_ESCALATE_MAX);
    return 0;
}

static int check_numbers(const struct okno_audit_plan *plan, struct okno_err *err)
{
    if (plan->from_us >= plan->to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period has to end after it begins");
    int rc = check_sampling(plan, err);
    if (rc < 0)
        return rc;
    if (!(plan->k >= 0 && plan->k <= 1))
        return okno_fail_field(err, OKNO_INVALID, "k", "k %g: 0 to 1 is allowed", plan->k);
    if (!(plan->level >= 0.5 && plan->level <= 0.9999))
        return okno_fail_field(err, OKNO_INVALID, "level", "level %g: 0.5 to 0.9999 is allowed",
                               plan->level);
    if (!(plan->double_share >= 0 && plan->double_share <= 1))
        return okno_fail_field(err, OKNO_INVALID, "double", "double %g: 0 to 1 is allowed",
                               plan->double_share);
    if (plan->gold < 0 || plan->gold > OKNO_GOLD_MAX)
        return okno_fail_field(err, OKNO_INVALID, "gold", "gold %lld: 0 to %d is allowed",
                               (long long)plan->gold, OKNO_GOLD_MAX);
    if (plan->frame != OKNO_FRAME_SURVEYS && plan->sampling.silent_known)
        return okno_fail_field(err, OKNO_INVALID, "silent",
                               "silent known: only surveys have silent ones");
    if (plan->looks < 1 || plan->looks > 100)
        return okno_fail_field(err, OKNO_INVALID, "looks", "looks %d: 1 to 100 is allowed",
                               plan->looks);
    return check_escalation(plan, err);
}

static int check_plan(const struct okno_audit_plan *plan, const char *author, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(plan->audit))
        return okno_fail_field(err, OKNO_INVALID, "audit",
                               "audit `%s`: an id is 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(plan->audit, shown));
    int rc = check_note("title", plan->title, TITLE_BYTES_MAX, err);
    if (rc == 0 && plan->accepted)
        rc = check_note("accept-retention", plan->accepted, NOTE_BYTES_MAX, err);
    if (rc == 0 && plan->one_person)
        rc = check_note("accept-one-person", plan->one_person, NOTE_BYTES_MAX, err);
    if (rc == 0)
        rc = audit_check_author(author, err);
    return rc < 0 ? rc : check_numbers(plan, err);
}

/* Floats stand as decimal text: a canonical line holds no floats. */
static json_t *real_text(double value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.9g", value);
    return json_string(text);
}

static int plan_json(const struct okno_audit_plan *plan, json_t **ret_json, struct okno_err *err)
{
    struct okno_sampling sampling = plan->sampling;
    sampling.size = plan->size;
    json_t *json = json_pack(
        "{s:s*, s:s, s:o, s:o, s:s, s:i, s:b, s:o*, s:o*, s:s*, s:o*, s:o*, s:o*}", "frame",
        plan->frame != OKNO_FRAME_SURVEYS ? okno_frame_name(plan->frame) : NULL, "invalid",
        plan->invalid_as_silent ? "silent" : "none", "k", real_text(plan->k), "level",
        real_text(plan->level), "scope", "all", "looks", plan->looks, "show_answer",
        plan->show_answer, "undeterminable_limit",
        plan->undeterminable_limit > 0 ? real_text(plan->undeterminable_limit) : NULL,
        "max_half_width", plan->max_half_width > 0 ? real_text(plan->max_half_width) : NULL,
        "repeats", plan->repeats, "fm_threshold",
        plan->fm_threshold > 0 ? real_text(plan->fm_threshold) : NULL, "double",
        plan->double_share > 0 ? real_text(plan->double_share) : NULL, "gold",
        plan->gold > 0 ? json_integer(plan->gold) : NULL);
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a plan");
    *ret_json = json;
    const struct okno_escalation_limits limits = escalation_of(plan);
    if (json_object_set_new(json, "escalate_more", real_text(limits.more)) < 0 ||
        json_object_set_new(json, "escalate_census", real_text(limits.census)) < 0 ||
        json_object_set_new(json, "escalate_count", json_integer(limits.count)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a plan");
    if (plan->one_person && json_object_set_new(json, "one_person", json_true()) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a plan");
    return okno_sampling_put(&sampling, json, err);
}

/* The audit that is repeated has to be there, and is never this one. */
static int check_repeats(struct okno_db *db, const struct okno_audit_plan *plan,
                         struct okno_err *err)
{
    struct audit_row earlier;
    if (!plan->repeats)
        return 0;
    int rc = audit_load(db, plan->repeats, &earlier, err);
    if (rc < 0)
        okno_err_context(err, "repeats");
    return rc;
}

static int add_audit(struct okno_db *db, const struct okno_audit_plan *plan, const char *text,
                     const char *author, int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.get", &stmt, err, OKNO_TEXT("audit", plan->audit));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc > 0)
        return okno_fail_field(err, OKNO_CONFLICT, "audit",
                               "audit %s is there already: a plan is never changed, choose another "
                               "id",
                               plan->audit);
    if (rc < 0)
        return rc;
    return OKNO_DB_RUN(db, "audit.add", NULL, err, OKNO_TEXT("audit", plan->audit),
                       OKNO_TEXT("title", plan->title), OKNO_INT("from", plan->from_us),
                       OKNO_INT("to", plan->to_us), OKNO_TEXT("plan", text),
                       OKNO_INT("now", now_us), OKNO_TEXT("author", author));
}

/* The key that will sign is part of the plan: the log knows both before anything is drawn. */
static int add_auditor(struct okno_db *db, const char *auditor, json_t *json, struct okno_err *err)
{
    struct okno_signature_key key = {0};
    char fingerprint[OKNO_SHA256_TEXT];
    int rc = auditor ? okno_auditor_find(db, auditor, &key, fingerprint, err) : 0;
    if (rc == 0 && auditor)
        (void)json_object_set_new(json, "auditor_key", json_string(fingerprint));
    return rc;
}

/* What the step tells; reasons stay out of the log, like every text that people write. */
static json_t *step_json(const struct okno_audit_plan *plan, json_t *json)
{
    json_t *detail =
        json_pack("{s:I, s:I, s:s, s:O}", "from_us", (json_int_t)plan->from_us, "to_us",
                  (json_int_t)plan->to_us, "title", plan->title, "plan", json);
    if (detail && plan->accepted) {
        (void)json_object_set_new(detail, "retention_accepted", json_true());
        (void)json_object_set_new(detail, "note", json_string(plan->accepted));
    }
    if (detail && plan->one_person)
        (void)json_object_set_new(detail, "how", json_string(plan->one_person));
    return detail;
}

int okno_audit_plan(struct okno_db *db, const struct okno_audit_plan *plan, const char *author,
                    int64_t now_us, struct okno_err *err)
{
    int rc = check_plan(plan, author, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = NULL;
    okno_autofree char *text = NULL;
    rc = plan_json(plan, &json, err);
    if (rc == 0)
        rc = add_auditor(db, plan->auditor, json, err);
    if (rc == 0)
        rc = okno_json_canonical(json, &text, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = check_repeats(db, plan, err);
    if (rc == 0)
        rc = audit_check_one_person(db, plan->one_person, err);
    if (rc == 0 && !plan->accepted)
        rc = audit_check_keeping(db, plan->frame, plan->from_us, plan->to_us, now_us, err);
    if (rc == 0)
        rc = add_audit(db, plan, text, author, now_us, err);
    if (rc == 0)
        rc = audit_add_step(db, plan->audit, "plan", author, now_us, step_json(plan, json), err);
    return audit_finish(db, rc, err);
}

int okno_audit_limit(struct okno_db *db, const char *audit, double *ret_limit, struct okno_err *err)
{
    struct audit_row row = {0};
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0)
        *ret_limit = row.undeterminable_limit;
    return rc;
}

/* ---- seed ---- */

static int check_seed(const char *seed, struct okno_err *err)
{
    size_t len = strlen(seed);
    for (size_t i = 0; i < len; i++)
        if (seed[i] < 0x20 || seed[i] > 0x7e)
            return okno_fail_field(err, OKNO_INVALID, "seed",
                                   "seed: character %zu is not printable ASCII", i + 1);
    if (len < OKNO_SEED_BYTES_MIN || len > OKNO_SEED_BYTES_MAX)
        return okno_fail_field(err, OKNO_INVALID, "seed",
                               "seed: %zu characters, %d to %d are allowed (twenty dice, or a "
                               "beacon's hex)",
                               len, OKNO_SEED_BYTES_MIN, OKNO_SEED_BYTES_MAX);
    return 0;
}

static int store_seed(struct okno_db *db, const char *audit, const char *seed, const char *how,
                      const char *witnesses, const char *author, int64_t now_us,
                      struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_enter(db, audit, "seed", &row, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.set_seed", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("seed", seed));
    if (rc < 0)
        return rc;
    return audit_done(
        db, audit, "seed", author, now_us,
        json_pack("{s:s, s:s, s:s}", "seed", seed, "how", how, "witnesses", witnesses), err);
}

int okno_audit_seed(struct okno_db *db, const char *audit, const char *seed, const char *how,
                    const char *witnesses, const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = check_seed(seed, err);
    if (rc == 0)
        rc = check_note("how", how, NOTE_BYTES_MAX, err);
    if (rc == 0)
        rc = check_note("witnesses", witnesses, NOTE_BYTES_MAX, err);
    if (rc == 0)
        rc = audit_check_author(author, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = store_seed(db, audit, seed, how, witnesses, author, now_us, err);
    return audit_finish(db, rc, err);
}
