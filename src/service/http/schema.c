/* Checking input against the shapes that /openapi.json publishes: one text serves both. Of JSON
 * Schema we use type, properties, required, additionalProperties, items, enum, minimum, maximum,
 * maxLength, maxItems, maxProperties and $ref. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"
#include "okno/embedded.h"

#include <string.h>

enum { DEPTH_MAX = 16 };

static json_t *schemas; /* lives as long as the program */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    schemas = okno_conf_json("/src/service/http/schemas.json");
}

const json_t *http_schemas(void)
{
    (void)pthread_once(&once, load);
    return schemas;
}

bool http_schema_is_form(const char *schema)
{
    return json_is_true(json_object_get(json_object_get(http_schemas(), schema), "x-form"));
}

/* Where in the document we are, for messages: a list from the innermost outwards. */
struct place {
    const struct place *outer;
    const char *name; /* of the property; NULL for an array's element */
    size_t index;
    int depth;
};

static void place_text(const struct place *place, char *ret_text, size_t size)
{
    char tail[64];
    (void)snprintf(ret_text, size, "%s", "");
    for (; place && (place->name || place->outer); place = place->outer) {
        (void)snprintf(tail, sizeof(tail), "%s", ret_text);
        if (place->name)
            (void)snprintf(ret_text, size, "%s%s%.32s%.30s", place->name,
                           *tail && *tail != '[' ? "." : "", tail, "");
        else
            (void)snprintf(ret_text, size, "[%zu]%s%.40s", place->index,
                           *tail && *tail != '[' ? "." : "", tail);
    }
}

static int fail_at(const struct place *place, int code, const char *what, struct okno_err *err)
{
    char field[64];
    place_text(place, field, sizeof(field));
    return okno_fail_field(err, code, field, "%s: %s", *field ? field : "the body", what);
}

static bool type_fits(const char *type, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(type, "boolean") == 0;
    case JSON_NULL:
        return strcmp(type, "null") == 0;
    }
    return false;
}

static int check_type(const json_t *schema, const json_t *value, const struct place *place,
                      struct okno_err *err)
{
    const json_t *type = json_object_get(schema, "type");
    char allowed[96] = "";
    size_t i;
    const json_t *one;
    if (!type)
        return 0;
    if (json_is_string(type) && type_fits(json_string_value(type), value))
        return 0;
    if (json_is_string(type))
        (void)snprintf(allowed, sizeof(allowed), "must be of type %s", json_string_value(type));
    json_array_foreach(type, i, one)
    {
        if (type_fits(json_string_value(one), value))
            return 0;
        size_t used = strlen(allowed);
        (void)snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i ? " or " : "must be ",
                       json_string_value(one));
    }
    return fail_at(place, OKNO_INVALID, allowed, err);
}

static int check_enum(const json_t *schema, const json_t *value, const struct place *place,
                      struct okno_err *err)
{
    const json_t *allowed = json_object_get(schema, "enum");
    char text[200] = "must be one of";
    size_t i;
    json_t *one;
    if (!allowed)
        return 0;
    json_array_foreach(allowed, i, one)
    {
        if (json_equal(one, value))
            return 0;
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, " %s",
                       json_is_string(one) ? json_string_value(one) : "null");
    }
    return fail_at(place, OKNO_INVALID, text, err);
}

/* Code points of well-formed UTF-8, as the standard counts. */
static size_t count_points(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static int check_most(const json_t *schema, const char *key, size_t size, const char *unit,
                      const struct place *place, struct okno_err *err)
{
    const json_t *most = json_object_get(schema, key);
    char text[80];
    if (!most || size <= (size_t)json_integer_value(most))
        return 0;
    (void)snprintf(text, sizeof(text), "may have %lld %s", (long long)json_integer_value(most),
                   unit);
    return fail_at(place, OKNO_INVALID, text, err);
}

static int check_size(const json_t *schema, const json_t *value, const struct place *place,
                      struct okno_err *err)
{
    if (json_is_string(value))
        return check_most(schema, "maxLength", count_points(json_string_value(value)), "characters",
                          place, err);
    if (json_is_array(value))
        return check_most(schema, "maxItems", json_array_size(value), "elements", place, err);
    if (json_is_object(value))
        return check_most(schema, "maxProperties", json_object_size(value), "fields", place, err);
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");
    char text[80];
    if (!json_is_number(value) ||
        ((!least || json_number_value(value) >= json_number_value(least)) &&
         (!most || json_number_value(value) <= json_number_value(most))))
        return 0;
    (void)snprintf(text, sizeof(text), "must be from %.16g to %.16g", json_number_value(least),
                   json_number_value(most));
    return fail_at(place, OKNO_INVALID, text, err);
}

static int check(const json_t *schema, const json_t *value, const struct place *place,
                 struct okno_err *err);

static int check_required(const json_t *schema, const json_t *value, const struct place *place,
                          struct okno_err *err)
{
    size_t i;
    const json_t *name;
    json_array_foreach(json_object_get(schema, "required"), i, name)
    {
        struct place inner = {place, json_string_value(name), 0, place->depth + 1};
        if (!json_object_get(value, inner.name))
            return fail_at(&inner, OKNO_MISSING, "is missing", err);
    }
    return 0;
}

static int check_object(const json_t *schema, const json_t *value, const struct place *place,
                        struct okno_err *err)
{
    const json_t *known = json_object_get(schema, "properties");
    const json_t *other = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *field;
    json_object_foreach((json_t *)value, name, field)
    {
        struct place inner = {place, name, 0, place->depth + 1};
        const json_t *shape = json_object_get(known, name);
        if (!shape && json_is_false(other))
            return fail_at(&inner, OKNO_UNKNOWN_FIELD, "is no field of this request", err);
        shape = shape ? shape : other;
        int rc = json_is_object(shape) ? check(shape, field, &inner, err) : 0;
        if (rc < 0)
            return rc;
    }
    return check_required(schema, value, place, err);
}

static int check_items(const json_t *schema, const json_t *value, const struct place *place,
                       struct okno_err *err)
{
    const json_t *shape = json_object_get(schema, "items");
    size_t i;
    const json_t *item;
    json_array_foreach(value, i, item)
    {
        struct place inner = {place, NULL, i, place->depth + 1};
        int rc = shape ? check(shape, item, &inner, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static const json_t *resolve(const json_t *schema)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    const char *name = ref ? strrchr(ref, '/') : NULL;
    return name ? json_object_get(http_schemas(), name + 1) : schema;
}

static int check(const json_t *schema, const json_t *value, const struct place *place,
                 struct okno_err *err)
{
    schema = resolve(schema);
    if (place->depth > DEPTH_MAX)
        return fail_at(place, OKNO_INVALID, "is nested too deep", err);
    int rc = check_type(schema, value, place, err);
    if (rc == 0)
        rc = check_enum(schema, value, place, err);
    if (rc == 0)
        rc = check_size(schema, value, place, err);
    if (rc == 0 && json_is_object(value))
        rc = check_object(schema, value, place, err);
    if (rc == 0 && json_is_array(value))
        rc = check_items(schema, value, place, err);
    return rc;
}

int http_schema_check(const char *name, const json_t *value, struct okno_err *err)
{
    const json_t *schema = json_object_get(http_schemas(), name);
    struct place whole = {0};
    if (!schema)
        return okno_fail(err, OKNO_FAILED, "no schema is named %s", name);
    return check(schema, value, &whole, err);
}
