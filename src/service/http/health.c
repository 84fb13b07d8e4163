/* Liveness, readiness, metrics and the API's own description. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/reasons.h"
#include "server.h"

#include <string.h>

int http_get_healthz(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    (void)request;
    reply->type = "text/plain; charset=utf-8";
    return okno_buf_add_text(&reply->body, "ok\n", err);
}

int http_get_readyz(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t one = 0;
    if (atomic_load(&request->service->stopping))
        return okno_fail(err, OKNO_BUSY, "the service is stopping");
    int rc = http_pool_take(&request->service->pool, &request->db, err);
    if (rc == 0)
        rc = okno_db_int(request->db, "service.ping", NULL, 0, 0, &one, err);
    if (rc < 0)
        return rc;
    reply->type = "text/plain; charset=utf-8";
    return okno_buf_add_text(&reply->body, "ok\n", err);
}

int http_get_openapi(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    (void)request;
    return http_reply_json(reply, http_openapi(), err);
}

int http_get_reasons(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    size_t len = 0;
    const char *json = okno_reasons_json(&len);
    return http_reply_fixed(request, reply, "application/json", json, len, err);
}

static int metric(struct okno_buf *buf, const char *name, const char *type, const char *help,
                  int64_t value, struct okno_err *err)
{
    return okno_buf_printf(buf, err, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name,
                           type, name, (long long)value);
}

static int job_metrics(struct okno_db *db, struct okno_buf *buf, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_buf_add_text(buf,
                               "# HELP okno_jobs Work at the archives by state.\n"
                               "# TYPE okno_jobs gauge\n",
                               err);
    if (rc == 0)
        rc = okno_db_prepare(db, "service.jobs_by_state", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc =
            okno_buf_printf(buf, err, "okno_jobs{state=\"%s\"} %lld\n",
                            okno_stmt_text(stmt, "state"), (long long)okno_stmt_int(stmt, "count"));
    return rc;
}

/* What waits for people and for receivers: a number that grows is a reason to look. */
static int message_metrics(struct okno_db *db, struct okno_buf *buf, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t open = 0;
    int rc = okno_db_int(db, "service.open_alerts", NULL, 0, 0, &open, err);
    if (rc == 0)
        rc = metric(buf, "okno_alerts_open", "gauge", "Alerts that are open.", open, err);
    if (rc == 0)
        rc = okno_buf_add_text(buf,
                               "# HELP okno_messages Messages that are not delivered, by state.\n"
                               "# TYPE okno_messages gauge\n",
                               err);
    if (rc == 0)
        rc = okno_db_prepare(db, "service.messages_by_state", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc =
            okno_buf_printf(buf, err, "okno_messages{state=\"%s\"} %lld\n",
                            okno_stmt_text(stmt, "state"), (long long)okno_stmt_int(stmt, "count"));
    return rc;
}

/* Open to programs on this machine that do not come through the proxy, and to administrators. */
static int check_metrics_rights(struct http_request *request, struct okno_err *err)
{
    int rc = request->is_direct ? 0 : http_session_load(request, err);
    if (rc < 0 || request->is_direct || request->role == HTTP_ADMINISTRATOR)
        return rc;
    return okno_fail(err, OKNO_FORBIDDEN,
                     "metrics are for this machine and for administrators only");
}

int http_get_metrics(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct http_service *service = request->service;
    struct okno_buf *buf = &reply->body;
    int open = 0;
    uint64_t refused = 0;
    int rc = http_pool_take(&service->pool, &request->db, err);
    if (rc == 0)
        rc = check_metrics_rights(request, err);
    if (rc < 0)
        return rc;
    http_server_counts(service->server, &open, &refused);
    rc = metric(buf, "okno_http_requests_total", "counter", "Requests answered.",
                (int64_t)atomic_load(&service->requests), err);
    if (rc == 0)
        rc = metric(buf, "okno_http_failures_total", "counter", "Answers with a 5xx status.",
                    (int64_t)atomic_load(&service->failures), err);
    if (rc == 0)
        rc = metric(buf, "okno_http_refused_total", "counter",
                    "Connections refused before a request was read.", (int64_t)refused, err);
    if (rc == 0)
        rc = metric(buf, "okno_http_connections", "gauge", "Open connections.", open, err);
    if (rc == 0)
        rc = job_metrics(request->db, buf, err);
    if (rc == 0)
        rc = message_metrics(request->db, buf, err);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    return rc;
}
