/* From a request to its handler: route, rights, strict input. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include "okno/log.h"
#include "okno/time.h"
#include "rights.h"

#include <string.h>
#include <strings.h>

const char *const http_role_names[HTTP_ROLE_COUNT] = {"expert", "auditor",       "manager",
                                                      "staff",  "administrator", "device"};

enum http_role http_role_of(const char *name)
{
    for (int i = 0; i < HTTP_ROLE_COUNT; i++)
        if (strcmp(http_role_names[i], name) == 0)
            return (enum http_role)(1 << i);
    return (enum http_role)0;
}

const char *http_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

/* The length of one path segment that a {name} may match; 0 for none. */
static size_t segment_len(const char *path)
{
    size_t len = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");
    return len < HTTP_PARAM_TEXT && (path[len] == '\0' || path[len] == '/') ? len : 0;
}

static bool path_matches(const char *pattern, const char *path,
                         char params[HTTP_PARAMS_MAX][HTTP_PARAM_TEXT])
{
    size_t count = 0;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t len = segment_len(path);
        if (len == 0 || count == HTTP_PARAMS_MAX)
            return false;
        memcpy(params[count], path, len);
        params[count++][len] = '\0';
        path += len;
        pattern = strchr(pattern, '}') + 1;
    }
    return *pattern == *path;
}

static bool method_fits(const char *route, const char *method)
{
    return strcmp(route, method) == 0 || (strcmp(route, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void add_allowed(char *allowed, size_t size, const char *method)
{
    size_t used = strlen(allowed);
    (void)snprintf(allowed + used, size - used, "%s%s%s", used ? ", " : "", method,
                   strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static int fail_method(struct http_request *request, struct http_reply *reply, const char *allowed,
                       struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    http_reply_header(reply, "Allow", "%s", allowed);
    return okno_fail(err, OKNO_WRONG_METHOD, "%s is not possible here, only %s",
                     okno_text_show(request->method, shown), allowed);
}

/* Sets request->route; NULL for an address of the page. */
static int find_route(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    char allowed[64] = "";
    char shown[OKNO_TEXT_SHOWN];
    for (const struct http_route *route = http_routes; route->method; route++) {
        if (!path_matches(route->path, request->path, request->params))
            continue;
        if (method_fits(route->method, request->method)) {
            request->route = route;
            return 0;
        }
        add_allowed(allowed, sizeof(allowed), route->method);
    }
    if (*allowed)
        return fail_method(request, reply, allowed, err);
    if (strncmp(request->path, "/api/", 5) == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no %s here",
                         okno_text_show(request->path, shown));
    return method_fits("GET", request->method) ? 0 : fail_method(request, reply, "GET, HEAD", err);
}

/* The authority of `scheme://authority`, whatever follows; NULL when it is none. */
static const char *authority_of(const char *origin)
{
    const char *mark = strstr(origin, "://");
    return mark ? mark + 3 : NULL;
}

static bool same_authority(const char *origin, const char *authority)
{
    const char *own = authority_of(origin);
    size_t len = own ? strcspn(own, "/") : 0;
    return len > 0 && strlen(authority) == len && strncasecmp(own, authority, len) == 0;
}

/* A page of another site must not change anything here: RFC 6454, and the brief of the session. */
static int check_origin(const struct http_request *request, struct okno_err *err)
{
    const char *origin = http_header(request, "Origin");
    const char *site = http_header(request, "Sec-Fetch-Site");
    const char *host = http_header(request, "Host");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "Sec-Fetch-Site",
                               "requests from other sites change nothing here");
    if (!origin)
        return 0;
    const char *known = authority_of(request->service->public_url);
    char own[256] = "";
    if (known)
        (void)snprintf(own, sizeof(own), "%.*s", (int)strcspn(known, "/"), known);
    if ((host && same_authority(origin, host)) || (*own && same_authority(origin, own)))
        return 0;
    return okno_fail_field(err, OKNO_FORBIDDEN, "Origin",
                           "requests from other sites change nothing here");
}

static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";
    if (!type || strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = type + sizeof(json) - 1;
    rest += strspn(rest, " ");
    return *rest == '\0' || *rest == ';';
}

/* The JSON library shows the text near the fault; in a login that is a password, and messages go
 * into the log. */
static int fail_json(const json_error_t *where, struct okno_err *err)
{
    const char *near = strstr(where->text, " near ");
    int len = near ? (int)(near - where->text) : (int)strlen(where->text);
    return okno_fail(err, OKNO_MALFORMED, "the body is not JSON: line %d, column %d: %.*s",
                     where->line, where->column, len, where->text);
}

int http_body_parse(const char *text, size_t len, const char *schema, json_t **ret_body,
                    struct okno_err *err)
{
    json_error_t where;
    if (!okno_text_is_utf8(text, len))
        return okno_fail(err, OKNO_MALFORMED, "the body is not UTF-8");
    *ret_body = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!*ret_body)
        return fail_json(&where, err);
    return http_schema_check(schema, *ret_body, err);
}

static int read_body(struct http_request *request, struct okno_err *err)
{
    if (strcmp(request->method, "POST") != 0)
        return 0;
    int rc = check_origin(request, err);
    if (rc < 0)
        return rc;
    if (http_schema_is_form(request->route->body)) {
        rc = http_form_read(request, &request->body, err);
        return rc < 0 ? rc : http_schema_check(request->route->body, request->body, err);
    }
    if (!is_json_type(http_header(request, "Content-Type")))
        return okno_fail_field(err, OKNO_INVALID, "Content-Type",
                               "the body must be sent with Content-Type: application/json");
    return http_body_parse(request->body_text, request->body_len, request->route->body,
                           &request->body, err);
}

static int check_query(const struct http_request *request, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    for (size_t i = 0; i < request->query_count; i++) {
        const char *name = request->query[i].name;
        if (!okno_text_is_word(name, request->route->query))
            return okno_fail_field(err, OKNO_UNKNOWN_FIELD, okno_text_show(name, shown),
                                   "%s is no parameter here; allowed: %s", shown,
                                   *request->route->query ? request->route->query : "none");
        if (http_query(request, name) != request->query[i].value)
            return okno_fail_field(err, OKNO_INVALID, name, "%s is given twice", name);
        if (!request->query[i].value ||
            !okno_text_is_utf8(request->query[i].value, strlen(request->query[i].value)))
            return okno_fail_field(err, OKNO_INVALID, name, "%s needs a value in UTF-8", name);
    }
    return 0;
}

static int run(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int rc = find_route(request, reply, err);
    if (rc < 0)
        return rc;
    if (!request->route)
        return http_page(request, reply, err);
    if (request->route->roles || request->route->body)
        rc = http_pool_take(&request->service->pool, &request->db, err);
    if (rc == 0 && request->route->roles)
        rc = request->route->roles & HTTP_DEVICE ? http_device_load(request, reply, err)
                                                 : http_session_load(request, err);
    if (rc == 0 && request->route->roles)
        rc = http_rights_load(request, err);
    if (rc == 0)
        rc = http_rights_check(request, err);
    if (rc == 0)
        rc = check_query(request, err);
    if (rc == 0)
        rc = read_body(request, err);
    return rc < 0 ? rc : request->route->handler(request, reply, err);
}

/* Refusals that say "later" are no faults of ours: a stream too many, a database that is taken. */
static bool is_refusal(int rc)
{
    return rc == OKNO_BUSY || rc == OKNO_NOT_YET || rc == OKNO_CANCELLED || rc == OKNO_TRANSIENT ||
           rc == OKNO_ARCHIVE_BUSY;
}

static void log_request(const struct http_request *request, const struct http_reply *reply,
                        int64_t took_us, const struct okno_err *err)
{
    enum okno_log_level level = reply->status < 500
                                    ? request->route ? OKNO_LOG_INFO : OKNO_LOG_DEBUG
                                : is_refusal(err->code) ? OKNO_LOG_WARNING
                                                        : OKNO_LOG_ERROR;
    const char *who = request->who.user[0] ? request->who.user : request->device;
    okno_log(level, "http", "%s %.200s %d user=%s peer=%s ms=%lld%s%s", request->method,
             request->path, reply->status, *who ? who : "-", request->peer,
             (long long)(took_us / OKNO_MS_US), err->text[0] ? " " : "", err->text);
}

void http_dispatch(struct http_request *request, struct http_reply *reply)
{
    struct okno_err err = {0};
    int64_t started_us = okno_time_monotonic();
    int rc = run(request, reply, &err);
    if (rc < 0)
        http_reply_error(reply, rc, &err);
    http_pool_give(&request->service->pool, request->db);
    request->db = NULL;
    (void)atomic_fetch_add(&request->service->requests, 1);
    if (reply->status >= 500)
        (void)atomic_fetch_add(&request->service->failures, 1);
    log_request(request, reply, okno_time_monotonic() - started_us, &err);
}
