/* The route table as an OpenAPI 3.1 document. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include <ctype.h>
#include <string.h>

static json_t *parameter(const char *name, size_t len, const char *place)
{
    return json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name, len, "in", place, "required",
                     strcmp(place, "path") == 0, "schema", "type", "string");
}

static json_t *parameters_of(const struct http_route *route)
{
    json_t *list = json_array();
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
        json_array_append_new(list, parameter(at + 1, strcspn(at + 1, "}"), "path"));
    for (const char *at = route->query; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        json_array_append_new(list, parameter(at, len, "query"));
        at += len;
    }
    return list;
}

static json_t *content_of(const char *schema)
{
    const char *type =
        http_schema_is_form(schema) ? "application/x-www-form-urlencoded" : "application/json";
    return json_pack("{s:{s:{s:o}}}", type, "schema", "$ref",
                     json_sprintf("#/components/schemas/%s", schema));
}

static json_t *responses_of(const struct http_route *route)
{
    json_t *good = json_pack("{s:s}", "description", route->summary);
    if (route->reply)
        json_object_set_new(good, "content", content_of(route->reply));
    const char *status = strcmp(route->method, "POST") == 0 && !route->reply ? "204" : "200";
    if (route->roles & HTTP_DEVICE && strcmp(route->method, "POST") == 0)
        status = "202";
    return json_pack("{s:o, s:{s:s, s:o}}", status, good, "default", "description",
                     "a refusal with its code", "content", content_of("Error"));
}

/* get_api_v1_audits_audit */
static json_t *operation_id(const struct http_route *route)
{
    char id[160];
    size_t used = 0;
    for (const char *at = route->method; *at && used < 16; at++)
        id[used++] = (char)tolower((unsigned char)*at);
    for (const char *at = route->path; *at && used + 2 < sizeof(id); at++)
        if (isalnum((unsigned char)*at))
            id[used++] = *at;
        else if (*at != '}' && *at != '{' && used > 0 && id[used - 1] != '_')
            id[used++] = '_';
    return json_stringn(id, used);
}

static json_t *roles_of(const struct http_route *route)
{
    json_t *list = json_array();
    for (int i = 0; i < HTTP_ROLE_COUNT; i++)
        if (route->roles & (1U << i))
            json_array_append_new(list, json_string(http_role_names[i]));
    return list;
}

static json_t *operation_of(const struct http_route *route)
{
    json_t *operation = json_pack("{s:o, s:s, s:o, s:o, s:o}", "operationId", operation_id(route),
                                  "summary", route->summary, "parameters", parameters_of(route),
                                  "responses", responses_of(route), "x-roles", roles_of(route));
    if (route->body)
        json_object_set_new(
            operation, "requestBody",
            json_pack("{s:b, s:o}", "required", 1, "content", content_of(route->body)));
    json_object_set_new(
        operation, "security",
        route->roles ? json_pack("[{s:[]}]", route->roles & HTTP_DEVICE ? "token" : "session")
                     : json_array());
    return operation;
}

static json_t *paths(void)
{
    json_t *all = json_object();
    char method[8];
    for (const struct http_route *route = http_routes; route->method; route++) {
        json_t *path = json_object_get(all, route->path);
        if (!path) {
            path = json_object();
            json_object_set_new(all, route->path, path);
        }
        size_t len = strlen(route->method);
        for (size_t i = 0; i <= len && i < sizeof(method); i++)
            method[i] = (char)tolower((unsigned char)route->method[i]);
        json_object_set_new(path, method, operation_of(route));
    }
    return all;
}

json_t *http_openapi(void)
{
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:o, s:{s:O, s:{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s}}}}",
        "openapi", "3.1.0", "info", "title", "okno", "version", OKNO_VERSION, "description",
        "Times are ISO 8601 UTC with milliseconds.", "paths", paths(), "components", "schemas",
        http_schemas(), "securitySchemes", "session", "type", "apiKey", "in", "cookie", "name",
        "okno_session", "description", "__Host-okno_session where service.public_url is https",
        "token", "type", "http", "scheme", "bearer");
}
