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

static void read_plan(const char *text, struct audit_row *row)
{
    okno_autojson json_t *plan = json_loads(text, 0, NULL);
    const char *level = json_string_value(json_object_get(plan, "level"));
    const char *invalid = json_string_value(json_object_get(plan, "invalid"));
    const char *frame = json_string_value(json_object_get(plan, "frame"));
    row->spontaneous = frame && strcmp(frame, "spontaneous") == 0;
    row->size = json_integer_value(json_object_get(plan, "size"));
    row->looks = (int)json_integer_value(json_object_get(plan, "looks"));
    const char *doubled = json_string_value(json_object_get(plan, "double"));
    row->double_share = doubled ? strtod(doubled, NULL) : 0;
    row->level = level ? strtod(level, NULL) : 0;
    row->invalid_as_silent = invalid && strcmp(invalid, "silent") == 0;
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
    read_plan(okno_stmt_text(stmt, "plan"), &row);
    *ret_row = row;
    return 0;
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
    int rc = okno_json_canonical(owned, &text, err);
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
    size_t len = strlen(text);
    if (len > max || !okno_text_is_utf8(text, len))
        return okno_fail_field(err, OKNO_INVALID, field, "%s: up to %zu bytes of UTF-8 are allowed",
                               field, max);
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

static int check_numbers(const struct okno_audit_plan *plan, struct okno_err *err)
{
    if (plan->from_us >= plan->to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period has to end after it begins");
    if (plan->size < 1 || plan->size > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail_field(err, OKNO_INVALID, "size", "size %lld: 1 to %d is allowed",
                               (long long)plan->size, OKNO_SAMPLER_DRAW_MAX);
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
    if (plan->looks < 1 || plan->looks > 100)
        return okno_fail_field(err, OKNO_INVALID, "looks", "looks %d: 1 to 100 is allowed",
                               plan->looks);
    return 0;
}

static int check_plan(const struct okno_audit_plan *plan, const char *author, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(plan->audit))
        return okno_fail_field(err, OKNO_INVALID, "audit",
                               "audit `%s`: an id is 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(plan->audit, shown));
    int rc = check_note("title", plan->title, TITLE_BYTES_MAX, err);
    if (rc == 0)
        rc = audit_check_author(author, err);
    return rc < 0 ? rc : check_numbers(plan, err);
}

/* Floats stand as decimal text: a canonical line holds no floats. */
static json_t *plan_json(const struct okno_audit_plan *plan)
{
    char k[32];
    char level[32];
    char doubled[32];
    (void)snprintf(doubled, sizeof(doubled), "%.9g", plan->double_share);
    (void)snprintf(k, sizeof(k), "%.9g", plan->k);
    (void)snprintf(level, sizeof(level), "%.9g", plan->level);
    return json_pack("{s:s*, s:s*, s:o*, s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:b}", "frame",
                     plan->spontaneous ? "spontaneous" : NULL, "double",
                     plan->double_share > 0 ? doubled : NULL, "gold",
                     plan->gold > 0 ? json_integer(plan->gold) : NULL, "invalid",
                     plan->invalid_as_silent ? "silent" : "none", "k", k, "level", level, "scope",
                     "all", "looks", plan->looks, "silent", "sampled", "size",
                     (json_int_t)plan->size, "show_answer", plan->show_answer);
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
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    int rc = auditor ? okno_auditor_find(db, auditor, &key, fingerprint, err) : 0;
    if (rc == 0 && auditor)
        (void)json_object_set_new(json, "auditor_key", json_string(fingerprint));
    return rc;
}

int okno_audit_plan(struct okno_db *db, const struct okno_audit_plan *plan, const char *author,
                    int64_t now_us, struct okno_err *err)
{
    int rc = check_plan(plan, author, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = plan_json(plan);
    okno_autofree char *text = NULL;
    rc = add_auditor(db, plan->auditor, json, err);
    if (rc == 0)
        rc = okno_json_canonical(json, &text, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = add_audit(db, plan, text, author, now_us, err);
    if (rc == 0)
        rc = audit_add_step(db, plan->audit, "plan", author, now_us,
                            json_pack("{s:I, s:I, s:s, s:O}", "from_us", (json_int_t)plan->from_us,
                                      "to_us", (json_int_t)plan->to_us, "title", plan->title,
                                      "plan", json),
                            err);
    return audit_finish(db, rc, err);
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
