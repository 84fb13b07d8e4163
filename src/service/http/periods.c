/* Pay periods and published figures over HTTP; the rules are the report room's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/kpi.h"
#include "okno/period.h"
#include "okno/published.h"
#include "okno/time.h"
#include "rights.h"

#include <string.h>

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

static int period_of(const struct http_request *request, int64_t *ret_period, struct okno_err *err)
{
    const char *text = request->params[0];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits])
        return okno_fail_field(err, OKNO_NOT_FOUND, "period", "there is no pay period %.40s", text);
    *ret_period = strtoll(text, NULL, 10);
    return 0;
}

static int reply_period(struct http_request *request, int64_t period, struct http_reply *reply,
                        struct okno_err *err)
{
    json_t *json = NULL;
    int rc = okno_period_get(request->db, period, &json, err);
    return rc < 0 ? rc : http_reply_json(reply, json, err);
}

/* Whether a site, or all where it is NULL, is granted to who asks. */
static bool is_theirs(const struct http_request *request, const char *site)
{
    return !request->sites || (site && http_rights_site(request, site));
}

int http_get_periods(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_period_list(request->db, &list, err);
    if (rc < 0)
        return rc;
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *site = json_object_get(json_array_get(list, i), "site");
        if (!is_theirs(request, json_string_value(site)))
            (void)json_array_remove(list, i);
    }
    return http_reply_json(reply, json_pack("{s:o}", "periods", list), err);
}

int http_get_period(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t period = 0;
    int rc = period_of(request, &period, err);
    return rc < 0 ? rc : reply_period(request, period, reply, err);
}

int http_post_period(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const struct http_service *service = request->service;
    const struct okno_period_request closing = {.from = text_of(request, "from"),
                                                .to = text_of(request, "to"),
                                                .site = text_of(request, "site"),
                                                .audit = text_of(request, "audit"),
                                                .accept = text_of(request, "accept"),
                                                .author = request->who.user,
                                                .k = service->silent_weight,
                                                .fm_threshold = service->fm_threshold,
                                                .undeterminable_limit =
                                                    service->undeterminable_limit,
                                                .min_n = service->min_n,
                                                .params = service->survey};
    int64_t period = 0;
    if (!is_theirs(request, closing.site))
        return okno_fail_field(err, OKNO_FORBIDDEN, "site",
                               "only who sees all sites closes them all: name a site that is "
                               "granted to you");
    int rc = okno_period_close(request->db, &closing, okno_time_now(), &period, err);
    return rc < 0 ? rc : reply_period(request, period, reply, err);
}

int http_get_adjustments(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    int64_t period = 0;
    json_t *json = NULL;
    int rc = period_of(request, &period, err);
    if (rc == 0)
        rc = okno_period_adjustments(request->db, period, okno_time_now(), &json, err);
    return rc < 0 ? rc : http_reply_json(reply, json, err);
}

/* What was found out is an answer, not a failure of the request. */
static int reply_verified(struct http_reply *reply, int rc, const struct okno_err *why,
                          struct okno_err *err)
{
    if (rc < 0 && rc != OKNO_CHECK_FAILED)
        return why->field[0] ? okno_fail_field(err, rc, why->field, "%s", why->text)
                             : okno_fail(err, rc, "%s", why->text);
    return http_reply_json(reply,
                           json_pack("{s:b, s:o}", "equal", rc == 0, "message",
                                     rc == 0 ? json_null() : json_string(why->text)),
                           err);
}

int http_get_period_verify(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    int64_t period = 0;
    struct okno_err why = {0};
    int rc = period_of(request, &period, err);
    return rc < 0 ? rc
                  : reply_verified(reply, okno_period_verify(request->db, period, &why), &why, err);
}

int http_get_period_csv(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    int64_t period = 0;
    char subject[40];
    int rc = period_of(request, &period, err);
    if (rc == 0)
        rc = okno_period_csv(request->db, period, &reply->body, err);
    (void)snprintf(subject, sizeof(subject), "period:%lld", (long long)period);
    if (rc == 0) /* what leaves the house is written down */
        rc = OKNO_DB_RUN(request->db, "service.add_access", NULL, err,
                         OKNO_INT("at", okno_time_now()), OKNO_TEXT("user", request->who.user),
                         OKNO_TEXT("action", "export"), OKNO_TEXT("subject", subject),
                         OKNO_TEXT("detail", "statements.csv"));
    if (rc < 0)
        return rc;
    reply->type = "text/csv; charset=utf-8";
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"okno-period-%lld.csv\"",
                      (long long)period);
    return 0;
}

/* The own ones: nobody asks for another's by this address. */
int http_get_statements(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    json_t *list = NULL;
    const char *employee = request->who.employee;
    int rc = employee[0] ? okno_period_statements_of(request->db, employee, &list, err) : 0;
    if (rc == 0 && !list)
        list = json_array();
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:o, s:o}", "employee",
                                              okno_json_text(employee[0] ? employee : NULL),
                                              "statements", list),
                                    err);
}

/* ---- published figures ---- */

int http_get_published(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_published_list(request->db, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "published", list), err);
}

int http_get_publication(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    json_t *json = NULL;
    int rc = okno_published_get(request->db, request->params[0], &json, err);
    return rc < 0 ? rc : http_reply_json(reply, json, err);
}

int http_get_publication_verify(struct http_request *request, struct http_reply *reply,
                                struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = okno_published_verify(request->db, request->params[0], &why);
    return reply_verified(reply, rc, &why, err);
}

static int body_time(const struct http_request *request, const char *field, int64_t *ret_us,
                     struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = okno_time_parse(text_of(request, field), ret_us, &why);
    return rc < 0 ? okno_fail_field(err, rc, field, "%s: %s", field, why.text) : 0;
}

int http_post_published(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    const struct http_service *service = request->service;
    const json_t *k = json_object_get(request->body, "k");
    struct okno_figures_query query = {.audit = text_of(request, "audit"),
                                       .k = json_is_number(k) ? json_number_value(k)
                                                              : service->silent_weight,
                                       .fm_threshold = service->fm_threshold,
                                       .undeterminable_limit = service->undeterminable_limit,
                                       .min_n = service->min_n};
    struct okno_err why = {0};
    json_t *json = NULL;
    const char *name = text_of(request, "name");
    int rc = body_time(request, "from", &query.from_us, err);
    if (rc == 0)
        rc = body_time(request, "to", &query.to_us, err);
    if (rc == 0 && (rc = okno_group_parse(text_of(request, "by"), &query.by, &why)) < 0)
        return okno_fail_field(err, rc, "by", "%s", why.text);
    if (rc == 0)
        rc = okno_published_add(request->db, name, &query, &service->survey, request->who.user,
                                okno_time_now(), err);
    if (rc == 0)
        rc = okno_published_get(request->db, name, &json, err);
    return rc < 0 ? rc : http_reply_json(reply, json, err);
}
