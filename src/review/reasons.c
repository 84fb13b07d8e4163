#define _POSIX_C_SOURCE 200809L
#include "okno/reasons.h"

#include "okno/embedded.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const json_t *list; /* lives as long as the program */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    list = okno_conf_json("/conf/reasons.json");
}

static const json_t *loaded(void)
{
    (void)pthread_once(&once, load);
    return list;
}

int okno_reasons_version(void)
{
    return (int)json_integer_value(json_object_get(loaded(), "version"));
}

const char *okno_reasons_json(size_t *ret_len)
{
    const struct okno_ui_file *file = okno_conf_file("/conf/reasons.json");
    *ret_len = file->len;
    return (const char *)file->data;
}

static const json_t *find(const char *group, const char *id)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(loaded(), group), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "id")), id) ==
                                0) return row;
    return NULL;
}

/* "A, B or C" as ret_text, for who wrote none of them. */
static void list_ids(const char *group, char *ret_text, size_t size)
{
    size_t i;
    size_t used = 0;
    const json_t *row;
    const json_t *rows = json_object_get(loaded(), group);
    ret_text[0] = '\0';
    json_array_foreach(rows, i, row)
    {
        if (used < size)
            used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? ", " : "",
                                     json_string_value(json_object_get(row, "id")));
    }
}

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

int okno_reason_check(const char *verdict, const char *reason, const char *comment,
                      struct okno_err *err)
{
    bool none = !reason || !*reason;
    if (strcmp(verdict, "valid") == 0)
        return none ? 0
                    : okno_fail_field(err, OKNO_INVALID, "reason",
                                      "a valid survey takes no reason, not %.40s", reason);
    if (strcmp(verdict, "invalid") != 0 && strcmp(verdict, "undeterminable") != 0)
        return okno_fail_field(err, OKNO_INVALID, "verdict",
                               "verdict %.40s is none of valid, invalid, undeterminable", verdict);
    char ids[320];
    list_ids(verdict, ids, sizeof(ids));
    if (none)
        return okno_fail_field(err, OKNO_MISSING, "reason", "%s needs a reason, one of %s", verdict,
                               ids);
    const json_t *row = find(verdict, reason);
    if (!row)
        return okno_fail_field(err, OKNO_INVALID, "reason",
                               "%.40s is no reason for %s; there are %s", reason, verdict, ids);
    if (json_is_true(json_object_get(row, "needs_text")) && is_blank(comment))
        return okno_fail_field(err, OKNO_MISSING, "comment", "reason %s needs a comment", reason);
    return 0;
}

bool okno_checklist_knows(const char *id)
{
    return find("checklist", id) != NULL;
}
