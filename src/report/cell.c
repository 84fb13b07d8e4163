#include "cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char none[] = "–";

static bool is_russian(const char *lang)
{
    return strcmp(lang, "ru") == 0;
}

/* A minus that is as wide as a plus, and the language's decimal mark. */
static void localise(const char *plain, const char *lang, char *to, size_t size)
{
    size_t used = 0;
    for (; *plain && used + 4 < size; plain++) {
        const char *mark = NULL;
        if (*plain == '-')
            mark = "−";
        if (*plain == '.')
            mark = is_russian(lang) ? "," : ".";
        if (!mark) {
            to[used++] = *plain;
            continue;
        }
        size_t len = strlen(mark);
        memcpy(to + used, mark, len);
        used += len;
    }
    to[used] = '\0';
}

static void whole_number(json_int_t value, const char *lang, char *to, size_t size)
{
    char digits[32];
    char plain[64];
    size_t used = 0;
    int len = snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, value < 0 ? -value : value);
    if (value < 0)
        plain[used++] = '-';
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && len > 4)
            plain[used++] = ' ';
        plain[used++] = digits[i];
    }
    plain[used] = '\0';
    localise(plain, lang, to, size);
    char grouped[CELL_TEXT];
    used = 0;
    for (const char *at = to; *at && used + 3 < sizeof(grouped); at++) {
        if (*at == ' ') { /* U+00A0: does not break */
            grouped[used++] = '\xc2';
            grouped[used++] = '\xa0';
        } else {
            grouped[used++] = *at;
        }
    }
    grouped[used] = '\0';
    (void)snprintf(to, size, "%s", grouped);
}

static void real_number(double value, int decimals, const char *unit, const char *lang, char *to,
                        size_t size)
{
    char plain[64];
    (void)snprintf(plain, sizeof(plain), "%.*f%s", decimals, value, unit);
    if (strspn(plain, "-0.") == strlen(plain) - strlen(unit) && plain[0] == '-')
        memmove(plain, plain + 1, strlen(plain)); /* no minus nought */
    localise(plain, lang, to, size);
}

static void as_needed(double value, const char *lang, char *to, size_t size)
{
    char plain[64];
    (void)snprintf(plain, sizeof(plain), "%.9g", value);
    localise(plain, lang, to, size);
}

/* "2026-03-10T07:00:00.000Z" as "2026-03-10 07:00:00", in Russian "10.03.2026 07:00:00". */
static void moment(const char *iso, const char *lang, char *to, size_t size)
{
    if (strlen(iso) < 19)
        (void)snprintf(to, size, "%s", iso);
    else if (is_russian(lang))
        (void)snprintf(to, size, "%.2s.%.2s.%.4s\xc2\xa0%.8s", iso + 8, iso + 5, iso, iso + 11);
    else
        (void)snprintf(to, size, "%.10s\xc2\xa0%.8s", iso, iso + 11);
}

/* "2026-03-10", in Russian "10.03.2026"; another text as it is. */
static const char *day(const char *text, const char *lang, char ret_text[CELL_TEXT])
{
    static const char shape[] = "dddd-dd-dd";
    bool is_date = strlen(text) == sizeof(shape) - 1;
    for (size_t i = 0; is_date && shape[i]; i++)
        is_date = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!is_date || !is_russian(lang))
        return text;
    (void)snprintf(ret_text, CELL_TEXT, "%.2s.%.2s.%.4s", text + 8, text + 5, text);
    return ret_text;
}

static void range(const json_t *value, const char *lang, char *to, size_t size)
{
    char low[64];
    char high[64];
    const json_t *first = json_array_get(value, 0);
    const json_t *last = json_array_get(value, 1);
    if (!json_is_number(first) || !json_is_number(last)) {
        (void)snprintf(to, size, "%s", none);
        return;
    }
    real_number(json_number_value(first), 4, "", lang, low, sizeof(low));
    real_number(json_number_value(last), 4, "", lang, high, sizeof(high));
    (void)snprintf(to, size, "%s\xc2\xa0…\xc2\xa0%s", low, high);
}

const char *cell_real(double value, int decimals, const char *lang, char ret_text[CELL_TEXT])
{
    real_number(value, decimals, "", lang, ret_text, CELL_TEXT);
    return ret_text;
}

bool cell_is_number(const char *type)
{
    static const char *const types[] = {"int", "num", "dec", "pct", "range"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

const char *cell_format(const json_t *value, const char *type, const char *lang,
                        char ret_text[CELL_TEXT])
{
    (void)snprintf(ret_text, CELL_TEXT, "%s", none);
    if (!value || json_is_null(value))
        return ret_text;
    if (strcmp(type, "range") == 0)
        range(value, lang, ret_text, CELL_TEXT);
    else if (strcmp(type, "time") == 0 && json_is_string(value))
        moment(json_string_value(value), lang, ret_text, CELL_TEXT);
    else if (strcmp(type, "day") == 0 && json_string_length(value) > 0)
        return day(json_string_value(value), lang, ret_text);
    else if (json_is_string(value))
        return *json_string_value(value) ? json_string_value(value) : ret_text;
    else if (json_is_boolean(value))
        (void)snprintf(ret_text, CELL_TEXT, "%s",
                       json_is_true(value) ? (is_russian(lang) ? "да" : "yes")
                                           : (is_russian(lang) ? "нет" : "no"));
    else if (strcmp(type, "pct") == 0)
        real_number(100 * json_number_value(value), 2, "\xc2\xa0%", lang, ret_text, CELL_TEXT);
    else if (strcmp(type, "dec") == 0)
        as_needed(json_number_value(value), lang, ret_text, CELL_TEXT);
    else if (json_is_integer(value))
        whole_number(json_integer_value(value), lang, ret_text, CELL_TEXT);
    else if (json_is_number(value))
        real_number(json_number_value(value), 4, "", lang, ret_text, CELL_TEXT);
    return ret_text;
}
