#define _POSIX_C_SOURCE 200809L
#include "okno/json.h"

#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *okno_json_time(int64_t us)
{
    char text[OKNO_TIME_TEXT];
    return json_string(okno_time_format(us, text));
}

json_t *okno_json_text(const char *text)
{
    json_t *json = text ? json_string(text) : NULL;
    return json ? json : json_null();
}

int okno_json_canonical(const json_t *json, char **ret_text, struct okno_err *err)
{
    char *text = json ? json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a JSON text");
    *ret_text = text;
    return 0;
}

static int calm_text(json_t *json, struct okno_err *err)
{
    char *text = strdup(json_string_value(json));
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a text");
    okno_text_calm(text);
    int rc =
        json_string_set(json, text) ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a text") : 0;
    free(text);
    return rc;
}

/* Only what okno itself made is calmed: not deep. */
int okno_json_calm(json_t *json, struct okno_err *err) /* NOLINT(misc-no-recursion) */
{
    const char *key;
    size_t i;
    json_t *one;
    int rc = json_is_string(json) ? calm_text(json, err) : 0;
    json_array_foreach(json, i, one)
    {
        rc = rc < 0 ? rc : okno_json_calm(one, err);
    }
    json_object_foreach(json, key, one)
    {
        rc = rc < 0 ? rc : okno_json_calm(one, err);
    }
    return rc;
}

int okno_json_print(const json_t *json, FILE *to, struct okno_err *err)
{
    if (!json || json_dumpf(json, to, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) < 0)
        return okno_fail(err, OKNO_IO, "cannot write the JSON result");
    if (fputc('\n', to) == EOF)
        return okno_fail_errno(err, errno, "cannot write the result");
    return 0;
}

void okno_json_weigh(const char *text, size_t len, struct okno_json_weight *weight)
{
    for (size_t i = 0; i < len; i++) {
        weight->containers += text[i] == '{' || text[i] == '[';
        weight->values += text[i] == ',';
    }
}
