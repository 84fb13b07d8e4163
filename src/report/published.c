#define _POSIX_C_SOURCE 200809L
#include "okno/published.h"

#include "okno/hash.h"
#include "okno/kpi.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <string.h>

int okno_figures_text(const json_t *figures, char **ret_text, struct okno_err *err)
{
    char *text = figures
                     ? json_dumps(figures, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(15))
                     : NULL;
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    *ret_text = text;
    return 0;
}

int okno_figures_as_of(struct okno_db *db, const struct okno_past *past,
                       const struct okno_survey_params *params,
                       const struct okno_figures_query *query, json_t **ret_json,
                       struct okno_err *err)
{
    OKNO_AUTO(okno_db) *then = NULL;
    int rc = okno_past_open(db, past, params, &then, err);
    return rc < 0 ? rc : okno_figures_json(then, query, past->at_us, ret_json, err);
}

/* ---- settings and query as text ---- */

/* Name and place of each parameter that is a number. */
#define PARAMS(X)                                                                                  \
    X(window_us)                                                                                   \
    X(duplicate_us)                                                                                \
    X(late_us)                                                                                     \
    X(fm_gap_us)                                                                                   \
    X(hold_after_no_us)                                                                            \
    X(early_us)                                                                                    \
    X(identical_run)                                                                               \
    X(early_action)                                                                                \
    X(identical_action)                                                                            \
    X(hours_action)                                                                                \
    X(test_action)

json_t *okno_figures_settings_json(const struct okno_figures_query *query,
                                   const struct okno_survey_params *params)
{
    json_t *survey = json_object();
#define PUT_PARAM(name) (void)json_object_set_new(survey, #name, json_integer(params->name));
    PARAMS(PUT_PARAM)
#undef PUT_PARAM
    return json_pack("{s:f, s:f, s:f, s:I, s:o}", "k", query->k, "fm_threshold",
                     query->fm_threshold, "undeterminable_limit", query->undeterminable_limit,
                     "min_n", (json_int_t)query->min_n, "survey", survey);
}

int okno_figures_settings_parse(const char *text, struct okno_figures_query *query,
                                struct okno_survey_params *ret_params, struct okno_err *err)
{
    okno_autojson json_t *json = json_loads(text, 0, NULL);
    const json_t *survey = json_object_get(json, "survey");
    struct okno_survey_params params = okno_survey_params_default();
    if (!json_is_number(json_object_get(json, "k")) || !json_is_object(survey))
        return okno_fail(err, OKNO_MALFORMED, "the settings kept with the figures are broken");
#define GET_PARAM(name)                                                                            \
    params.name = (__typeof__(params.name))json_integer_value(json_object_get(survey, #name));
    PARAMS(GET_PARAM)
#undef GET_PARAM
    query->k = json_number_value(json_object_get(json, "k"));
    query->fm_threshold = json_number_value(json_object_get(json, "fm_threshold"));
    query->undeterminable_limit = json_number_value(json_object_get(json, "undeterminable_limit"));
    query->min_n = json_integer_value(json_object_get(json, "min_n"));
    *ret_params = params;
    return 0;
}

static json_t *query_json(const struct okno_figures_query *query)
{
    return json_pack("{s:I, s:I, s:b, s:I, s:o, s:o}", "from_us", (json_int_t)query->from_us,
                     "to_us", (json_int_t)query->to_us, "local", query->local, "by",
                     (json_int_t)query->by, "audit", okno_json_text(query->audit), "compare",
                     okno_json_text(query->compare));
}

/* The audit's name is borrowed from `json`. */
static void query_parse(const json_t *json, struct okno_figures_query *query)
{
    query->from_us = json_integer_value(json_object_get(json, "from_us"));
    query->to_us = json_integer_value(json_object_get(json, "to_us"));
    query->local = json_is_true(json_object_get(json, "local"));
    query->by = (unsigned)json_integer_value(json_object_get(json, "by"));
    query->audit = json_string_value(json_object_get(json, "audit"));
    query->compare = json_string_value(json_object_get(json, "compare"));
}

/* ---- publishing ---- */

/* What is kept of one publication; texts owned. */
struct kept {
    char *query, *settings, *data, *figures;
    char sha256[OKNO_SHA256_TEXT];
    struct okno_past past;
};

static void kept_free(struct kept *kept)
{
    free(kept->query);
    free(kept->settings);
    free(kept->data);
    free(kept->figures);
}
#define AUTO_KEPT __attribute__((cleanup(kept_free))) struct kept

static void hash_text(const char *text, char ret_sha256[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(text, strlen(text), digest);
    (void)okno_hash_hex(digest, ret_sha256);
}

static int check_name(struct okno_db *db, const char *name, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(name))
        return okno_fail_field(err, OKNO_INVALID, "name",
                               "name \"%s\": a name is 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(name, shown));
    int rc = OKNO_DB_PREPARE(db, "published.get", &stmt, err, OKNO_TEXT("name", name));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        return okno_fail_field(err, OKNO_CONFLICT, "name",
                               "%s is published already: what was handed out is never changed, "
                               "choose another name",
                               name);
    return rc;
}

/* Fix what is known, in a transaction of its own: what is computed afterwards needs no lock. */
static int mark(struct okno_db *db, int64_t now_us, struct okno_past *ret_past,
                struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = okno_past_mark(db, now_us, ret_past, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

static int compute(struct okno_db *db, const struct okno_figures_query *query,
                   const struct okno_survey_params *params, struct kept *kept, struct okno_err *err)
{
    okno_autojson json_t *figures = NULL;
    okno_autojson json_t *asked = query_json(query);
    okno_autojson json_t *settings = okno_figures_settings_json(query, params);
    okno_autojson json_t *data = okno_past_json(&kept->past);
    int rc = okno_figures_as_of(db, &kept->past, params, query, &figures, err);
    if (rc == 0)
        rc = okno_figures_text(figures, &kept->figures, err);
    if (rc == 0)
        rc = okno_json_canonical(settings, &kept->settings, err);
    if (rc == 0)
        rc = okno_json_canonical(asked, &kept->query, err);
    if (rc == 0)
        rc = okno_json_canonical(data, &kept->data, err);
    if (rc == 0)
        hash_text(kept->figures, kept->sha256);
    return rc;
}

/* Figures may name employees: the log holds a salted hash of the whole. */
static int log_it(struct okno_db *db, int64_t id, const char *name, const char *author,
                  const struct kept *kept, int64_t now_us, struct okno_err *err)
{
    char who[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char hash[OKNO_SHA256_TEXT];
    char key[OKNO_SHA256_TEXT];
    char hidden[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {
        .kind = "published", .subject = id, .salt = okno_ledger_salt(salt), .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', author, who, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:s}", "name",
                  okno_ledger_hide(okno_ledger_salt_for(salt, "name", key), name, hidden), "author",
                  who, "figures", okno_ledger_hide(salt, kept->figures, hash));
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int store(struct okno_db *db, const char *name, const char *author, const struct kept *kept,
                 int64_t now_us, struct okno_err *err)
{
    int64_t id = 0;
    int rc = check_name(db, name, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "published.add", 0, &id, err, OKNO_TEXT("name", name),
                         OKNO_INT("at", kept->past.at_us), OKNO_TEXT("author", author),
                         OKNO_TEXT("query", kept->query), OKNO_TEXT("settings", kept->settings),
                         OKNO_TEXT("data", kept->data), OKNO_TEXT("sha256", kept->sha256),
                         OKNO_TEXT("figures", kept->figures));
    return rc < 0 ? rc : log_it(db, id, name, author, kept, now_us, err);
}

int okno_published_add(struct okno_db *db, const char *name, const struct okno_figures_query *query,
                       const struct okno_survey_params *params, const char *author, int64_t now_us,
                       struct okno_err *err)
{
    AUTO_KEPT kept = {0};
    int rc = check_name(db, name, err);
    if (rc == 0)
        rc = mark(db, now_us, &kept.past, err);
    if (rc == 0)
        rc = compute(db, query, params, &kept, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = store(db, name, author, &kept, now_us, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- reading ---- */

static json_t *json_of(struct okno_stmt *row, const char *column)
{
    const char *text = okno_stmt_text(row, column);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    return json ? json : json_null();
}

static json_t *head_json(struct okno_stmt *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
                     okno_json_text(okno_stmt_text(row, "name")), "at",
                     okno_json_time(okno_stmt_int(row, "at")), "author",
                     okno_json_text(okno_stmt_text(row, "author")), "query", json_of(row, "query"),
                     "sha256", okno_json_text(okno_stmt_text(row, "sha256")));
}

static int find(struct okno_db *db, const char *name, struct okno_stmt **ret_row,
                struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "published.get", ret_row, err, OKNO_TEXT("name", name));
    if (rc == 0)
        rc = okno_stmt_step(*ret_row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "nothing is published as \"%s\"",
                         okno_text_show(name, shown));
    return rc < 0 ? rc : 0;
}

int okno_published_get(struct okno_db *db, const char *name, json_t **ret_published,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = find(db, name, &row, err);
    if (rc < 0)
        return rc;
    json_t *json = head_json(row);
    (void)json_object_set_new(json, "settings", json_of(row, "settings"));
    (void)json_object_set_new(json, "data", json_of(row, "data"));
    if (json_object_set_new(json, "figures", json_of(row, "figures")) < 0) {
        json_decref(json);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    }
    *ret_published = json;
    return 0;
}

int okno_published_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    okno_autojson json_t *list = json_array();
    int rc = okno_db_prepare(db, "published.list", NULL, 0, &row, err);
    while (rc == 0 && (rc = okno_stmt_step(row, err)) == 1)
        rc = json_array_append_new(list, head_json(row)) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the list")
                 : 0;
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

/* ---- verifying ---- */

static int compare(const char *name, const char *kept, const char *made, struct okno_err *err)
{
    size_t at = 0;
    while (kept[at] && kept[at] == made[at])
        at++;
    if (kept[at] == made[at])
        return 0;
    size_t from = at > 40 ? at - 40 : 0;
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "%s: recomputed figures part at byte %zu: kept \"%.80s\", made \"%.80s\"",
                     name, at, kept + from, made + from);
}

static int check_log(struct okno_db *db, int64_t id, const char *name, const char *figures,
                     struct okno_err *err)
{
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX + 1);
    char salt[OKNO_SALT_TEXT];
    char hash[OKNO_SHA256_TEXT];
    int64_t leaf = 0;
    int rc = okno_ledger_find(db, "published", id, &leaf, err);
    if (rc == 0)
        rc = okno_ledger_salt_of(db, leaf, salt, err);
    if (rc == 0)
        rc = okno_ledger_line(db, leaf, &line, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_loads(okno_buf_text(&line), 0, NULL);
    const char *logged = json_string_value(json_object_get(json, "figures"));
    if (!logged || strcmp(logged, okno_ledger_hide(salt, figures, hash)) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s: the figures kept are not those of entry %lld of the evidence log",
                         name, (long long)leaf);
    return 0;
}

/* Everything of the row is copied first: recomputing uses the handle. */
static int load(struct okno_db *db, const char *name, struct kept *kept, int64_t *ret_id,
                struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = find(db, name, &row, err);
    if (rc < 0)
        return rc;
    *ret_id = okno_stmt_int(row, "id");
    kept->query = strdup(okno_stmt_text(row, "query"));
    kept->settings = strdup(okno_stmt_text(row, "settings"));
    kept->figures = strdup(okno_stmt_text(row, "figures"));
    if (!kept->query || !kept->settings || !kept->figures)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    okno_stmt_copy(row, "sha256", kept->sha256, sizeof(kept->sha256));
    return okno_past_parse(okno_stmt_text(row, "data"), &kept->past, err);
}

int okno_published_verify(struct okno_db *db, const char *name, struct okno_err *err)
{
    AUTO_KEPT kept = {0};
    okno_autojson json_t *figures = NULL;
    okno_autofree char *text = NULL;
    struct okno_figures_query query = {0};
    struct okno_survey_params params;
    char sha256[OKNO_SHA256_TEXT];
    int64_t id = 0;
    int rc = load(db, name, &kept, &id, err);
    if (rc == 0)
        rc = okno_figures_settings_parse(kept.settings, &query, &params, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *asked = json_loads(kept.query, 0, NULL);
    query_parse(asked, &query);
    hash_text(kept.figures, sha256);
    if (strcmp(sha256, kept.sha256) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s: the figures kept have SHA-256 %s, not %s as told", name, sha256,
                         kept.sha256);
    rc = check_log(db, id, name, kept.figures, err);
    if (rc == 0)
        rc = okno_figures_as_of(db, &kept.past, &params, &query, &figures, err);
    if (rc == 0)
        rc = okno_figures_text(figures, &text, err);
    return rc < 0 ? rc : compare(name, kept.figures, text, err);
}
