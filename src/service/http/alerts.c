/* Alerts and their rules. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/alert.h"
#include "okno/conf.h"
#include "okno/record.h"
#include "okno/time.h"
#include "okno/work.h"

#include <string.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 500 };

/* A whole number of a query or a path; `fallback` without one. */
static int number_of(const char *name, const char *text, int64_t fallback, int64_t max,
                     int64_t *ret_value, struct okno_err *err)
{
    size_t digits = text ? strspn(text, "0123456789") : 0;
    *ret_value = fallback;
    if (!text)
        return 0;
    long long value = digits > 0 && digits <= 15 && !text[digits] ? strtoll(text, NULL, 10) : -1;
    if (value < 1 || value > max)
        return okno_fail_field(err, OKNO_INVALID, name, "%s must be a whole number from 1 to %lld",
                               name, (long long)max);
    *ret_value = value;
    return 0;
}

static int flag_of(const struct http_request *request, const char *name, int *ret_flag,
                   struct okno_err *err)
{
    const char *text = http_query(request, name);
    *ret_flag = !text ? -1 : strcmp(text, "true") == 0;
    if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return okno_fail_field(err, OKNO_INVALID, name, "%s must be true or false", name);
    return 0;
}

int http_get_alerts(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_alert_filter filter = OKNO_ALERT_FILTER_ALL;
    json_t *list = NULL;
    filter.site = http_query(request, "site");
    filter.point = http_query(request, "point");
    filter.kind = http_query(request, "kind");
    filter.rule = http_query(request, "rule");
    filter.sites = request->sites;
    int rc = flag_of(request, "open", &filter.open, err);
    if (rc == 0)
        rc = flag_of(request, "acked", &filter.acked, err);
    if (rc == 0)
        rc = number_of("before", http_query(request, "before"), INT64_MAX, INT64_MAX,
                       &filter.before, err);
    if (rc == 0)
        rc = number_of("limit", http_query(request, "limit"), LIMIT_DEFAULT, LIMIT_MAX,
                       &filter.limit, err);
    if (rc == 0)
        rc = okno_alert_list(request->db, &filter, &list, err);
    if (rc < 0)
        return rc;
    size_t count = json_array_size(list);
    const json_t *last = count ? json_array_get(list, count - 1) : NULL;
    json_t *next =
        (int64_t)count == filter.limit ? json_incref(json_object_get(last, "alert")) : json_null();
    return http_reply_json(reply, json_pack("{s:o, s:o}", "alerts", list, "next", next), err);
}

int http_post_ack(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t alert = 0;
    const char *note = json_string_value(json_object_get(request->body, "note"));
    int rc = number_of("alert", request->params[0], 0, INT64_MAX, &alert, err);
    if (rc == 0)
        rc = okno_alert_ack(request->db, alert, request->who.user, note, okno_time_now(), err);
    reply->status = 204;
    return rc;
}

int http_get_rules(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_alert_rule_vec) rules = {0};
    okno_autojson json_t *list = json_array();
    int rc = okno_alert_rules(request->db, &rules, err);
    for (size_t i = 0; rc == 0 && i < rules.len; i++)
        if (json_array_append_new(list, okno_alert_rule_json(&rules.items[i])) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the rules");
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "rules", list), err);
}

/* JSON values as a file would spell them; the texts live in `texts_of`. */
static const char *spell(const json_t *value, char ret_text[40])
{
    ret_text[0] = '\0';
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_integer(value))
        (void)snprintf(ret_text, 40, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        (void)snprintf(ret_text, 40, "%.6f", json_real_value(value));
    return ret_text;
}

int http_import_body(const struct http_request *request, const struct okno_import_kind *kind,
                     struct okno_err *err)
{
    char spelled[OKNO_RECORD_FIELDS_MAX][40];
    const char *texts[OKNO_RECORD_FIELDS_MAX];
    struct okno_conf conf;
    enum okno_stored stored;
    okno_conf_defaults(&conf);
    for (size_t i = 0; i < kind->field_count; i++)
        texts[i] = spell(json_object_get(request->body, kind->fields[i].name), spelled[i]);
    struct okno_import_job job = {.db = request->db,
                                  .conf = &conf,
                                  .kind = kind,
                                  .author = request->who.user,
                                  .check = okno_archive_rows_check(kind->kind)};
    return okno_import_row(&job, "api", texts, &stored, err);
}

int http_post_rule(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    reply->status = 204;
    return http_import_body(request, &okno_alert_rule_import, err);
}
