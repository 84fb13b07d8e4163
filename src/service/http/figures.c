/* Indicators for the page and other programs. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/figures.h"
#include "okno/kpi.h"
#include "okno/published.h"
#include "okno/report.h"
#include "okno/time.h"
#include "rights.h"

#include <math.h>
#include <string.h>

int http_query_time(const struct http_request *request, const char *name, int64_t *ret_us,
                    struct okno_err *err)
{
    const char *text = http_query(request, name);
    struct okno_err why = {0};
    if (!text)
        return okno_fail_field(err, OKNO_MISSING, name, "%s is missing: say the period", name);
    int rc = okno_time_parse(text, ret_us, &why);
    return rc < 0 ? okno_fail_field(err, rc, name, "%s: %s", name, why.text) : 0;
}

int http_query_period(const struct http_request *request, int64_t *ret_from_us, int64_t *ret_to_us,
                      struct okno_err *err)
{
    int64_t from_us = 0;
    int64_t to_us = 0;
    int rc = http_query_time(request, "from", &from_us, err);
    if (rc == 0)
        rc = http_query_time(request, "to", &to_us, err);
    if (rc < 0)
        return rc;
    if (from_us >= to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period ends before it begins");
    *ret_from_us = from_us;
    *ret_to_us = to_us;
    return 0;
}

static int take_weight(const struct http_request *request, double *ret_k, struct okno_err *err)
{
    const char *text = http_query(request, "k");
    char *end = NULL;
    if (!text)
        return 0;
    double k = strtod(text, &end);
    if (end == text || *end || strspn(text, "0123456789.") != strlen(text) || !(k >= 0 && k <= 1))
        return okno_fail_field(err, OKNO_INVALID, "k", "k must be a number from 0 to 1");
    *ret_k = k;
    return 0;
}

/* Both ends as dates (`2026-03-01`: days of each site's calendar) or both as instants. */
static int take_period(const struct http_request *request, struct okno_figures_query *query,
                       struct okno_err *err)
{
    const char *from = http_query(request, "from");
    const char *to = http_query(request, "to");
    if (!from || !to || !okno_date_is(from) || !okno_date_is(to))
        return http_query_period(request, &query->from_us, &query->to_us, err);
    query->local = true;
    int rc = okno_date_parse(from, &query->from_us, err);
    if (rc == 0)
        rc = okno_date_parse(to, &query->to_us, err);
    if (rc == 0 && query->from_us >= query->to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period ends before it begins");
    return rc;
}

/* Figures of now, or with `as_of` from what was known then. */
static int figures_of(const struct http_request *request, const struct okno_figures_query *query,
                      json_t **ret_figures, struct okno_err *err)
{
    int64_t at_us = 0;
    if (!http_query(request, "as_of"))
        return okno_figures_json(request->db, query, okno_time_now(), ret_figures, err);
    int rc = http_query_time(request, "as_of", &at_us, err);
    const struct okno_past past = okno_past_at(at_us);
    return rc < 0 ? rc
                  : okno_figures_as_of(request->db, &past, &request->service->survey, query,
                                       ret_figures, err);
}

/* Changes at sites that this person does not see keep their places without names: groups refer to
 * them. */
static void hide_places(const struct http_request *request, json_t *figures)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(figures, "breaks"), i, one)
    {
        const char *site = json_string_value(json_object_get(one, "site"));
        if (!site || http_rights_site(request, site))
            continue;
        (void)json_object_set_new(one, "site", json_string(""));
        (void)json_object_set_new(one, "point", json_string(""));
        (void)json_object_del(one, "was");
        (void)json_object_del(one, "became");
    }
    json_t *evidence = json_object_get(figures, "evidence");
    const char *worst = json_string_value(json_object_get(evidence, "worst_site"));
    if (worst && !http_rights_site(request, worst))
        (void)json_object_set_new(evidence, "worst_site", json_null());
}

/* Groups of sites that this person does not see. */
static void leave_out(const struct http_request *request, json_t *figures)
{
    json_t *groups = json_object_get(figures, "groups");
    for (size_t i = json_array_size(groups); request->sites && i-- > 0;) {
        const json_t *group = json_object_get(json_array_get(groups, i), "group");
        if (!http_rights_site(request, json_string_value(json_object_get(group, "site"))))
            (void)json_array_remove(groups, i);
    }
}

static bool is_in_groups(const json_t *groups, const char *by, const char *id)
{
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_object_get(json_array_get(groups, i), "group");
        const char *own = json_string_value(json_object_get(group, by));
        if (own && strcmp(own, id) == 0)
            return true;
    }
    return false;
}

/* Names of what no group that is left is of. */
static void forget_names(json_t *figures)
{
    const char *by;
    const char *id;
    json_t *list;
    json_t *name;
    void *next;
    json_object_foreach(json_object_get(figures, "names"), by, list)
    {
        json_object_foreach_safe(list, next, id, name)
        {
            if (!is_in_groups(json_object_get(figures, "groups"), by, id))
                (void)json_object_del(list, id);
        }
    }
}

/* As asked for, and of what this person sees. */
static int gather(const struct http_request *request, json_t **ret_figures, struct okno_err *err)
{
    const struct http_service *service = request->service;
    struct okno_figures_query query = {
        .audit = http_query(request, "audit"),
        .k = service->silent_weight,
        .fm_threshold = service->fm_threshold,
        .undeterminable_limit = service->undeterminable_limit,
        .compare = http_query(request, "compare"),
        .group = http_query(request, "group"),
        .site = http_query(request, "site"),
        .point = http_query(request, "point"),
        .employee = http_query(request, "employee"),
        .question = http_query(request, "question"),
        .min_n = service->min_n,
    };
    json_t *figures = NULL;
    struct okno_err why = {0};
    int rc = take_period(request, &query, err);
    if (rc == 0)
        rc = take_weight(request, &query.k, err);
    if (rc == 0 && (rc = okno_group_parse(http_query(request, "by"), &query.by, &why)) < 0)
        return okno_fail_field(err, rc, "by", "%s", why.text);
    if (request->sites)
        query.by |= OKNO_BY_SITE; /* a total would hold the sites of others */
    if (rc == 0)
        rc = figures_of(request, &query, &figures, err);
    if (rc < 0)
        return rc;
    if (request->sites)
        hide_places(request, figures);
    leave_out(request, figures);
    if (request->sites)
        forget_names(figures);
    *ret_figures = figures;
    return 0;
}

int http_get_indicators(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    json_t *figures = NULL;
    int rc = gather(request, &figures, err);
    return rc < 0 ? rc : http_reply_json(reply, figures, err);
}

int http_get_indicators_report(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    okno_autojson json_t *figures = NULL;
    okno_autojson json_t *model = NULL;
    int rc = gather(request, &figures, err);
    if (rc == 0)
        rc = okno_report_figures(figures, &model, err);
    return rc == 0 ? http_reply_report(request, model, "indicators", NULL, reply, err) : rc;
}
