#define _POSIX_C_SOURCE 200809L
/* Issuing editions of a report, and what of it everybody may read. */
#include "bundle.h"
#include "model.h"

#include "okno/audit.h"
#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <string.h>

enum { STATEMENT_MAX = 4000, OBJECTIVE_MAX = 1000, FINDING_MAX = 1000, FINDINGS_MAX = 200 };

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

int okno_report_model_text(const json_t *model, struct okno_buf *to, struct okno_err *err)
{
    okno_autofree char *text = json_dumps(model, JSON_SORT_KEYS | JSON_INDENT(1) |
                                                     JSON_REAL_PRECISION(15) | JSON_ENSURE_ASCII);
    int rc = text ? okno_buf_add_text(to, text, err) : no_memory(err);
    return rc == 0 ? okno_buf_add(to, "\n", 1, err) : rc;
}

/* ---- what everybody may read ---- */

static void forget(json_t *object, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_object_get(object, *keys))
            (void)json_object_set_new(object, *keys, json_null());
}

static void forget_in(const json_t *list, const char *const *keys)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        forget(row, keys);
    }
}

int okno_report_public(const json_t *model, json_t **ret_model, struct okno_err *err)
{
    static const char *const author[] = {"author", NULL};
    static const char *const of_audit[] = {"planned_by", "title", NULL};
    static const char *const of_step[] = {"how", "witnesses", "note", "title", NULL};
    static const char *const comment[] = {"comment", NULL};
    static const char *const title[] = {"title", NULL};
    static const char *const accepted[] = {"accepted", NULL};
    static const char *const owner[] = {"owner", NULL};
    okno_autojson json_t *copy = json_deep_copy(model);
    json_t *steps = json_object_get(copy, "steps");
    json_t *findings = json_object_get(copy, "findings");
    json_t *proof = json_object_get(copy, "proof");
    size_t i;
    json_t *step;
    if (!copy || json_object_set_new(copy, "public", json_true()) < 0)
        return no_memory(err);
    forget(json_object_get(copy, "audit"), of_audit);
    forget(json_object_get(copy, "frame"), accepted);
    forget_in(steps, author);
    json_array_foreach(steps, i, step)
    {
        forget(json_object_get(step, "detail"), of_step);
    }
    forget_in(json_object_get(findings, "exclusions"), comment);
    forget_in(json_object_get(findings, "undeterminable"), comment);
    forget_in(json_object_get(proof, "overlapping"), title);
    forget_in(json_object_get(proof, "editions"), author);
    forget_in(json_object_get(json_object_get(copy, "opinion"), "findings"), owner);
    *ret_model = json_incref(copy);
    return 0;
}

/* ---- the opinion ---- */

static int check_text(const char *field, const char *text, size_t max, struct okno_err *err)
{
    if (text && (strlen(text) > max || !okno_text_is_plain(text, true)))
        return okno_fail_field(err, OKNO_INVALID, field,
                               "%s: up to %zu bytes of UTF-8 without control characters are "
                               "allowed",
                               field, max);
    return 0;
}

static int check_finding(const json_t *finding, size_t place, struct okno_err *err)
{
    static const char *const known[] = {"finding", "owner", "due", "action"};
    const char *key;
    json_t *value;
    char field[40];
    (void)snprintf(field, sizeof(field), "findings[%zu]", place);
    if (!json_is_object(finding) || !json_is_string(json_object_get(finding, "finding")))
        return okno_fail_field(err, OKNO_INVALID, field,
                               "%s: an object with the text `finding` is needed", field);
    json_object_foreach((json_t *)(uintptr_t)finding, key, value)
    {
        size_t i = 0;
        while (i < OKNO_COUNT(known) && strcmp(known[i], key) != 0)
            i++;
        if (i == OKNO_COUNT(known) || !json_is_string(value))
            return okno_fail_field(
                err, OKNO_INVALID, field,
                "%s: `%.40s` is not one of the texts finding, owner, due, action", field, key);
        int rc = check_text(field, json_string_value(value), FINDING_MAX, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_opinion(const struct okno_report_opinion *o, struct okno_err *err)
{
    if (o->kind && model_opinion_rank(o->kind) < 0)
        return okno_fail_field(err, OKNO_INVALID, "opinion",
                               "opinion `%.40s`: unqualified, qualified, adverse or disclaimer is "
                               "allowed",
                               o->kind);
    int rc = check_text("statement", o->statement, STATEMENT_MAX, err);
    if (rc == 0)
        rc = check_text("objective", o->objective, OBJECTIVE_MAX, err);
    if (rc == 0 && o->findings &&
        (!json_is_array(o->findings) || json_array_size(o->findings) > FINDINGS_MAX))
        rc = okno_fail_field(err, OKNO_INVALID, "findings",
                             "findings: an array of up to %d objects is allowed", FINDINGS_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(o->findings); i++)
        rc = check_finding(json_array_get(o->findings, i), i, err);
    return rc;
}

static int set_text(json_t *object, const char *key, const char *text)
{
    return text && *text ? json_object_set_new(object, key, json_string(text)) : 0;
}

static int add_opinion(json_t *model, const struct okno_report_opinion *o, struct okno_err *err)
{
    json_t *opinion = json_object_get(model, "opinion");
    const char *best = json_string_value(json_object_get(opinion, "best"));
    if (o->kind && model_opinion_rank(o->kind) < model_opinion_rank(best))
        return okno_fail_field(err, OKNO_REFUSED, "opinion",
                               "opinion: the gates of this audit allow %s at best, not %s (see the "
                               "limits in the report)",
                               best, o->kind);
    if (set_text(opinion, "kind", o->kind) < 0 ||
        set_text(opinion, "statement", o->statement) < 0 ||
        set_text(opinion, "objective", o->objective) < 0 ||
        (o->findings && json_object_set_new(opinion, "findings", json_deep_copy(o->findings)) < 0))
        return no_memory(err);
    return 0;
}

/* ---- issuing ---- */

struct edition {
    struct okno_buf whole, open;
    char whole_sha256[OKNO_SHA256_TEXT], open_sha256[OKNO_SHA256_TEXT];
    int64_t number;
    int64_t seen; /* the audit's newest entry before it was gathered */
};

static void hash_of(const struct okno_buf *text, char ret_sha256[OKNO_SHA256_TEXT])
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_start(&hash);
    okno_hash_add(&hash, text->data, text->len);
    okno_hash_end(&hash, digest);
    (void)okno_hash_hex(digest, ret_sha256);
}

static int make_edition(json_t *model, struct edition *edition, struct okno_err *err)
{
    okno_autojson json_t *open = NULL;
    const json_t *proof = json_object_get(model, "proof");
    edition->number = (int64_t)json_array_size(json_object_get(proof, "editions")) + 1;
    if (json_object_set_new(model, "edition", json_integer(edition->number)) < 0)
        return no_memory(err);
    int rc = okno_report_public(model, &open, err);
    if (rc == 0)
        rc = okno_report_model_text(model, &edition->whole, err);
    if (rc == 0)
        rc = okno_report_model_text(open, &edition->open, err);
    hash_of(&edition->whole, edition->whole_sha256);
    hash_of(&edition->open, edition->open_sha256);
    return rc;
}

static int store(struct okno_db *db, const char *audit, const struct edition *edition,
                 const char *author, int64_t now_us, struct okno_err *err)
{
    int64_t newest = -1;
    int rc = okno_audit_newest(db, audit, &newest, err);
    if (rc == 0 && newest != edition->seen)
        rc = okno_fail(err, OKNO_BUSY, "audit %s went on while its report was made: issue it again",
                       audit);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_RUN(db, "report.add_edition", NULL, err, OKNO_TEXT("audit", audit),
                     OKNO_INT("edition", edition->number), OKNO_INT("now", now_us),
                     OKNO_TEXT("author", author), OKNO_TEXT("sha256", edition->whole_sha256),
                     OKNO_TEXT("model", okno_buf_text(&edition->whole)),
                     OKNO_TEXT("public_sha256", edition->open_sha256),
                     OKNO_TEXT("public_model", okno_buf_text(&edition->open)));
    if (rc < 0)
        return rc;
    okno_autojson json_t *detail =
        json_pack("{s:I, s:s, s:{s:s}}", "edition", (json_int_t)edition->number, "sha256",
                  edition->whole_sha256, "files", bundle_public_report, edition->open_sha256);
    return okno_audit_add(db, audit, "report", detail, author, now_us, err);
}

static int issue(struct okno_db *db, const struct okno_report_settings *settings,
                 const struct okno_report_opinion *opinion, const char *author, int64_t now_us,
                 struct edition *edition, struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    int rc = okno_audit_may(db, settings->audit, "report", err);
    if (rc == 0 && opinion)
        rc = check_opinion(opinion, err);
    if (rc == 0)
        rc = okno_audit_newest(db, settings->audit, &edition->seen, err);
    if (rc == 0)
        rc = model_gather(db, settings, now_us, &model, err);
    if (rc == 0 && opinion)
        rc = add_opinion(model, opinion, err);
    if (rc == 0)
        rc = make_edition(model, edition, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = store(db, settings->audit, edition, author, now_us, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int okno_report_issue(struct okno_db *db, const struct okno_report_settings *settings,
                      const struct okno_report_opinion *opinion, const char *author, int64_t now_us,
                      int64_t *ret_edition, struct okno_err *err)
{
    struct edition edition = {.whole = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX),
                              .open = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX)};
    int rc = issue(db, settings, opinion, author, now_us, &edition, err);
    okno_buf_free(&edition.whole);
    okno_buf_free(&edition.open);
    if (rc == 0)
        *ret_edition = edition.number;
    return rc;
}

static int fail_edition(struct okno_db *db, const char *audit, int64_t edition,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "report.edition", &row, err, OKNO_TEXT("audit", audit),
                             OKNO_INT("edition", 0));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "audit %.64s has no report that was issued", audit);
    if (rc < 0)
        return rc;
    return okno_fail(err, OKNO_NOT_FOUND,
                     "audit %.64s has no edition %lld of its report: %lld is the newest", audit,
                     (long long)edition, (long long)okno_stmt_int(row, "edition"));
}

int okno_report_text(struct okno_db *db, const char *audit, int64_t edition, bool open_to_all,
                     struct okno_buf *to, int64_t *ret_edition, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "report.edition", &row, err, OKNO_TEXT("audit", audit),
                             OKNO_INT("edition", edition));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return fail_edition(db, audit, edition, err);
    if (rc < 0)
        return rc;
    int64_t number = okno_stmt_int(row, "edition");
    rc = okno_buf_add_text(to, okno_stmt_text(row, open_to_all ? "public_model" : "model"), err);
    if (rc == 0)
        *ret_edition = number;
    return rc;
}
