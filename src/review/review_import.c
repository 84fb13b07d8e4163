/* The import kind `reviews`. */
#include "review.h"

#include "okno/reasons.h"
#include "okno/text.h"

#include <string.h>

enum { SURVEY, EXPERT, VERDICT, REASON, COMMENT, AT, AUDIT };

static const struct okno_field fields[] = {
    [SURVEY] = {.name = "survey",
                .key = true,
                .type = OKNO_FIELD_TEXT,
                .required = true,
                .max = 159,
                .help = "id of the survey or of the spontaneous rating"},
    [EXPERT] = {.name = "expert",
                .key = true,
                .type = OKNO_FIELD_ID,
                .required = true,
                .help = "who decided"},
    [VERDICT] = {.name = "verdict",
                 .type = OKNO_FIELD_WORD,
                 .required = true,
                 .words = "valid invalid undeterminable",
                 .help = "what was decided"},
    [REASON] = {.name = "reason",
                .type = OKNO_FIELD_ID,
                .help = "why not valid, e.g. STAFF_PRESSED"},
    [COMMENT] = {.name = "comment",
                 .type = OKNO_FIELD_TEXT,
                 .max = REVIEW_COMMENT_MAX,
                 .fallback = "",
                 .help = "needed with reason OTHER"},
    [AT] = {.name = "at",
            .key = true,
            .type = OKNO_FIELD_TIME,
            .required = true,
            .help = "when it was decided"},
    [AUDIT] = {.name = "audit",
               .key = true,
               .type = OKNO_FIELD_ID,
               .help = "the audit that drew it; empty: outside every sample"},
};

static int check_row(const struct okno_value *values, struct okno_err *err)
{
    return okno_reason_check(values[VERDICT].text, values[REASON].text, values[COMMENT].text, err);
}

static int check_subject(struct okno_db *db, const char *survey, const char *expert,
                         struct okno_err *err)
{
    int64_t open = 0;
    int64_t own = 0;
    int rc = OKNO_DB_INT(db, "target.subject", -1, &open, err, OKNO_TEXT("survey", survey));
    if (rc == 0 && open < 0)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "survey", "survey: there is no survey \"%s\"",
                               survey);
    if (rc == 0 && open)
        return okno_fail_field(err, OKNO_REFUSED, "survey",
                               "survey: the window of %s is still open", survey);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "review.is_own", 0, &own, err, OKNO_TEXT("survey", survey),
                         OKNO_TEXT("user", expert));
    if (rc == 0 && own)
        rc = okno_fail_field(err, OKNO_FORBIDDEN, "expert",
                             "expert: %s serves at that point: nobody reviews their own point",
                             expert);
    return rc;
}

/* The item that the audit drew. */
static int find_drawn(struct okno_db *db, const struct okno_value *values, struct review_ref *ref,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    const char *survey = values[SURVEY].text;
    const char *audit = values[AUDIT].text;
    int rc = OKNO_DB_PREPARE(db, "review.drawn", &stmt, err, OKNO_TEXT("survey", survey),
                             OKNO_TEXT("audit", audit), OKNO_TEXT("user", values[EXPERT].text));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "audit", "audit: %s did not draw survey %s",
                               audit, survey);
    if (rc < 0)
        return rc;
    if (okno_stmt_int(stmt, "over"))
        return okno_fail_field(err, OKNO_REFUSED, "audit",
                               "audit: %s is over: it counts no further decisions", audit);
    if (okno_stmt_int(stmt, "full"))
        return okno_fail_field(err, OKNO_CONFLICT, "expert",
                               "expert: others have decided survey %s of audit %s already", survey,
                               audit);
    ref->item = okno_stmt_int(stmt, "item");
    ref->part = okno_stmt_int(stmt, "part");
    return 0;
}

static int find_item(struct okno_db *db, const struct okno_value *values,
                     struct review_ref *ret_ref, struct okno_err *err)
{
    const char *survey = values[SURVEY].text;
    (void)snprintf(ret_ref->survey, sizeof(ret_ref->survey), "%s", survey);
    (void)snprintf(ret_ref->audit, sizeof(ret_ref->audit), "%s",
                   values[AUDIT].text ? values[AUDIT].text : "imported");
    if (values[AUDIT].text)
        return find_drawn(db, values, ret_ref, err);
    int rc = OKNO_DB_RUN(db, "review.add_imported_item", NULL, err, OKNO_TEXT("survey", survey));
    return rc < 0 ? rc
                  : OKNO_DB_INT(db, "review.imported_item", 0, &ret_ref->item, err,
                                OKNO_TEXT("survey", survey));
}

/* 1: this very decision is there already. */
static int find_known(struct okno_db *db, const struct okno_value *values, int64_t item,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "review.decided_then", &stmt, err, OKNO_INT("item", item),
                        OKNO_TEXT("user", values[EXPERT].text), OKNO_INT("at", values[AT].integer));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    const char *reason = okno_stmt_text(stmt, "reason");
    if (strcmp(okno_stmt_text(stmt, "verdict"), values[VERDICT].text) == 0 &&
        strcmp(reason ? reason : "", values[REASON].text ? values[REASON].text : "") == 0 &&
        strcmp(okno_stmt_text(stmt, "comment"), values[COMMENT].text) == 0)
        return 1;
    return okno_fail(err, OKNO_CONFLICT,
                     "%s decided %s otherwise (%s) at that moment; the first stays",
                     values[EXPERT].text, values[SURVEY].text, okno_stmt_text(stmt, "verdict"));
}

static int add(struct okno_db *db, const struct okno_value *values, const struct review_ref *ref,
               struct okno_err *err)
{
    const struct okno_review_verdict verdict = {.item = ref->item,
                                                .user = values[EXPERT].text,
                                                .verdict = values[VERDICT].text,
                                                .reason = values[REASON].text,
                                                .comment = values[COMMENT].text};
    int64_t newest_us = 0;
    int64_t id = 0;
    int rc = OKNO_DB_INT(db, "review.newest_counted", INT64_MIN, &newest_us, err,
                         OKNO_INT("item", ref->item));
    return rc < 0 ? rc
                  : review_add_verdict(db, &verdict, ref, values[AT].integer >= newest_us,
                                       values[AT].integer, &id, err);
}

static int store_row(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                     enum okno_stored *ret_stored, struct okno_err *err)
{
    struct review_ref ref = {0};
    (void)ctx;
    if (values[AT].integer > env->now_us)
        return okno_fail_field(err, OKNO_INVALID, "at", "at: %s is not yet", values[AT].text);
    int rc = check_subject(env->db, values[SURVEY].text, values[EXPERT].text, err);
    if (rc == 0)
        rc = find_item(env->db, values, &ref, err);
    int known = rc == 0 ? find_known(env->db, values, ref.item, err) : rc;
    rc = known == 0 ? add(env->db, values, &ref, err) : known;
    if (rc < 0)
        return rc;
    *ret_stored = known == 1 ? OKNO_STORED_DUPLICATE : OKNO_STORED_ADDED;
    return 0;
}

const struct okno_import_kind okno_review_import = {
    .kind = "reviews",
    .help = "a decision that an expert made elsewhere",
    .fields = fields,
    .field_count = OKNO_COUNT(fields),
    .check = check_row,
    .store = store_row,
};
