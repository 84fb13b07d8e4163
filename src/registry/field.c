#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"

#include "okno/text.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1000 };

static int refuse(const struct okno_field *field, const char *text, struct okno_err *err,
                  const char *allowed)
{
    char shown[OKNO_TEXT_SHOWN];
    return okno_fail_field(err, OKNO_INVALID, field->name, "%s: \"%s\" is not allowed; allowed: %s",
                           field->name, okno_text_show(text, shown), allowed);
}

static int check_id(const struct okno_field *field, const char *text, struct okno_err *err)
{
    return okno_text_is_id(text) ? 0 : refuse(field, text, err, "1 to 64 of A-Z a-z 0-9 _ -");
}

static int check_text(const struct okno_field *field, const char *text, struct okno_err *err)
{
    char allowed[80];
    int64_t max = field->max ? field->max : TEXT_BYTES_MAX;
    size_t len = strlen(text);
    bool clean = okno_text_is_utf8(text, len);
    for (size_t i = 0; i < len; i++)
        clean = clean && !iscntrl((unsigned char)text[i]);
    if (clean && (int64_t)len <= max)
        return 0;
    (void)snprintf(allowed, sizeof(allowed), "up to %lld bytes of UTF-8 in one line",
                   (long long)max);
    return refuse(field, text, err, allowed);
}

static int check_time(const struct okno_field *field, const char *text, int64_t *ret_us,
                      struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = okno_time_parse(text, ret_us, &why);
    return rc == 0 ? 0 : okno_fail_field(err, rc, field->name, "%s: %s", field->name, why.text);
}

static int check_date(const struct okno_field *field, const char *text, struct okno_err *err)
{
    char instant[32];
    int64_t us;
    struct okno_err ignored = {0};
    (void)snprintf(instant, sizeof(instant), "%.10sT00:00:00Z", text);
    if (strlen(text) == 10 && okno_time_parse(instant, &us, &ignored) == 0)
        return 0;
    return refuse(field, text, err, "a date such as 2026-03-10");
}

static int check_int(const struct okno_field *field, const char *text, int64_t *ret_value,
                     struct okno_err *err)
{
    char allowed[80];
    char *end = NULL;
    bool digits = isdigit((unsigned char)text[*text == '-']);
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (digits && !*end && !errno && value >= field->min && value <= field->max) {
        *ret_value = value * (field->scale ? field->scale : 1);
        return 0;
    }
    (void)snprintf(allowed, sizeof(allowed), "a whole number from %lld to %lld",
                   (long long)field->min, (long long)field->max);
    return refuse(field, text, err, allowed);
}

static int check_decimal(const struct okno_field *field, const char *text, struct okno_err *err)
{
    enum { WHOLE_MAX = 15, FRACTION_MAX = 6 };
    const char *at = text + (*text == '-');
    size_t whole = strspn(at, "0123456789");
    size_t fraction = at[whole] == '.' ? strspn(at + whole + 1, "0123456789") : 0;
    bool dot = at[whole] == '.';
    bool fits = whole >= 1 && whole <= WHOLE_MAX && fraction <= FRACTION_MAX && dot == !!fraction;
    if (fits && at[whole + dot + fraction] == '\0')
        return 0;
    return refuse(field, text, err, "a number such as 123.45");
}

static int check_bool(const struct okno_field *field, const char *text, int64_t *ret_value,
                      struct okno_err *err)
{
    if (!okno_text_is_word(text, "true false yes no 1 0"))
        return refuse(field, text, err, "true, yes, 1, false, no, 0");
    *ret_value = okno_text_is_word(text, "true yes 1");
    return 0;
}

/* UTC+3 means three hours east to people and three hours west to POSIX. */
static bool is_ambiguous_zone(const char *text)
{
    bool prefix = strncmp(text, "UTC", 3) == 0 || strncmp(text, "GMT", 3) == 0;
    return prefix && (text[3] == '+' || text[3] == '-' || isdigit((unsigned char)text[3]));
}

static int check_zone(const struct okno_field *field, const char *text, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_err why = {0};
    bool rule = field->type == OKNO_FIELD_ZONE_RULE;
    bool is_rule = strpbrk(text, ",<") || (!strchr(text, '/') && strpbrk(text, "+-"));
    if (!is_ambiguous_zone(text) && (rule || !is_rule) && okno_zone_open(text, &zone, &why) == 0)
        return 0;
    return refuse(field, text, err,
                  rule
                      ? "UTC, an IANA name such as Europe/Moscow or a POSIX TZ rule such as <+03>-3"
                      : "UTC or an IANA name such as Europe/Moscow");
}

static int check_ref(const char *name, const char *table, struct okno_db *db, const char *id,
                     struct okno_err *err)
{
    char statement[64];
    int64_t known = 0;
    if (!db)
        return 0;
    (void)snprintf(statement, sizeof(statement), "registry.has_%s", table);
    int rc = OKNO_DB_INT(db, statement, 0, &known, err, OKNO_TEXT("id", id));
    if (rc < 0 || known)
        return rc;
    return okno_fail_field(err, OKNO_UNKNOWN_REF, name,
                           "%s: there is no %s \"%s\" (import it first)", name, table, id);
}

static int check_scoped(const struct okno_field *field, struct okno_db *db, const char *text,
                        struct okno_err *err)
{
    char word[32];
    char allowed[128];
    const char *colon = strchr(text, ':');
    (void)snprintf(word, sizeof(word), "%.*s", colon ? (int)(colon - text) : 0, text);
    if (colon && okno_text_is_word(word, field->words) && okno_text_is_id(colon + 1))
        return check_ref(field->name, word, db, colon + 1, err);
    (void)snprintf(allowed, sizeof(allowed), "one of (%s), a colon and an id, such as %.*s:A1",
                   field->words, (int)strcspn(field->words, " "), field->words);
    return refuse(field, text, err, allowed);
}

static int check_word(const struct okno_field *field, const char *text, struct okno_err *err)
{
    char allowed[256];
    if (okno_text_is_word(text, field->words))
        return 0;
    (void)snprintf(allowed, sizeof(allowed), "one of: %s", field->words);
    return refuse(field, text, err, allowed);
}

static int check_typed(const struct okno_field *field, struct okno_db *db, const char *text,
                       int64_t *ret_integer, struct okno_err *err)
{
    switch (field->type) {
    case OKNO_FIELD_ID:
        return check_id(field, text, err);
    case OKNO_FIELD_TEXT:
        return check_text(field, text, err);
    case OKNO_FIELD_TIME:
        return check_time(field, text, ret_integer, err);
    case OKNO_FIELD_DATE:
        return check_date(field, text, err);
    case OKNO_FIELD_INT:
        return check_int(field, text, ret_integer, err);
    case OKNO_FIELD_DECIMAL:
        return check_decimal(field, text, err);
    case OKNO_FIELD_BOOL:
        return check_bool(field, text, ret_integer, err);
    case OKNO_FIELD_WORD:
        return check_word(field, text, err);
    case OKNO_FIELD_SCOPED:
        return check_scoped(field, db, text, err);
    case OKNO_FIELD_ZONE:
    case OKNO_FIELD_ZONE_RULE:
        return check_zone(field, text, err);
    }
    return okno_fail(err, OKNO_FAILED, "%s has an unknown type", field->name);
}

int okno_field_check(const struct okno_field *field, struct okno_db *db, const char *text,
                     struct okno_value *ret_value, struct okno_err *err)
{
    struct okno_value value = {.text = text && *text ? text : field->fallback};
    if (field->required && !(text && *text))
        return okno_fail_field(err, OKNO_MISSING, field->name, "%s is required and empty",
                               field->name);
    bool typed = value.text && *value.text;
    int rc = typed ? check_typed(field, db, value.text, &value.integer, err) : 0;
    if (rc == 0 && typed && field->ref)
        rc = check_ref(field->name, field->ref, db, value.text, err);
    if (rc == 0)
        *ret_value = value;
    return rc;
}
