#define _POSIX_C_SOURCE 200809L
/* What a plan says of its sample, in words and as JSON. Pure. */
#include "okno/sampling.h"

#include "okno/mem.h"
#include "okno/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    unsigned bit;
} kinds[] = {{"site", OKNO_STRATA_SITE},
             {"point", OKNO_STRATA_POINT},
             {"day", OKNO_STRATA_DAY},
             {"answer", OKNO_STRATA_ANSWER}};

int okno_strata_parse(const char *words, unsigned *ret_strata, struct okno_err *err)
{
    unsigned strata = 0;
    char shown[OKNO_TEXT_SHOWN];
    if (strcmp(words, "none") == 0)
        words = "";
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, ",");
        unsigned found = 0;
        for (size_t i = 0; i < OKNO_COUNT(kinds); i++)
            if (strlen(kinds[i].word) == len && strncmp(kinds[i].word, at, len) == 0)
                found = kinds[i].bit;
        if (!found)
            return okno_fail_field(err, OKNO_INVALID, "strata",
                                   "strata `%s`: none, or site, point, day, answer joined by "
                                   "commas are allowed",
                                   okno_text_show(words, shown));
        strata |= found;
        at += len + (at[len] == ',');
    }
    *ret_strata = strata & OKNO_STRATA_POINT ? strata & ~(unsigned)OKNO_STRATA_SITE : strata;
    return 0;
}

const char *okno_strata_words(unsigned strata, char *ret_words, size_t size)
{
    size_t used = 0;
    (void)snprintf(ret_words, size, "none");
    for (size_t i = 0; i < OKNO_COUNT(kinds) && used < size; i++)
        if (strata & kinds[i].bit)
            used += (size_t)snprintf(ret_words + used, size - used, "%s%s", used ? "," : "",
                                     kinds[i].word);
    return ret_words;
}

/* One `answer=share`. */
static int parse_share(const char *text, size_t len, double expected[OKNO_CLASSES])
{
    char part[40];
    char *end = NULL;
    (void)snprintf(part, sizeof(part), "%.*s", (int)len, text);
    char *equals = strchr(part, '=');
    if (!equals || len >= sizeof(part))
        return OKNO_INVALID;
    *equals = '\0';
    int class = okno_class_find(part);
    double share = strtod(equals + 1, &end);
    if (class < 0 || class >= OKNO_CLASSES || end == equals + 1 || *end ||
        !(share >= 0 && share <= 1))
        return OKNO_INVALID;
    expected[class] = share;
    return 0;
}

int okno_expected_parse(const char *words, double expected[OKNO_CLASSES], struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, ",");
        if (parse_share(at, len, expected) < 0)
            return okno_fail_field(err, OKNO_INVALID, "expect",
                                   "expect `%s`: shares of invalid surveys by answer are allowed, "
                                   "as in yes=0.2,unsure=0.1,no=0.05,silent=0.1",
                                   okno_text_show(words, shown));
        at += len + (at[len] == ',');
    }
    return 0;
}

/* ---- JSON ---- */

/* Shares stand as decimal text: a canonical line holds no floats. */
static json_t *real_text(double value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.9g", value);
    return json_string(text);
}

static json_t *expected_json(const double expected[OKNO_CLASSES])
{
    json_t *json = json_object();
    for (int c = 0; c < OKNO_CLASSES; c++)
        (void)json_object_set_new(json, okno_class_name((enum okno_class)c),
                                  real_text(expected[c]));
    return json;
}

static bool uses_expected(const struct okno_sampling *s)
{
    return s->neyman || s->half_width > 0;
}

int okno_sampling_put(const struct okno_sampling *s, json_t *plan, struct okno_err *err)
{
    char words[40];
    int rc =
        json_object_set_new(plan, "silent", json_string(s->silent_known ? "known" : "sampled"));
    if (s->size > 0)
        rc |= json_object_set_new(plan, "size", json_integer((json_int_t)s->size));
    if (s->half_width > 0)
        rc |= json_object_set_new(plan, "width", real_text(s->half_width));
    if (s->strata)
        rc |= json_object_set_new(plan, "strata",
                                  json_string(okno_strata_words(s->strata, words, sizeof(words))));
    if (s->strata)
        rc |= json_object_set_new(plan, "allocation",
                                  json_string(s->neyman ? "neyman" : "proportional"));
    if (s->least > 0)
        rc |= json_object_set_new(plan, "min_per_stratum", json_integer((json_int_t)s->least));
    if (s->with_replacement)
        rc |= json_object_set_new(plan, "with_replacement", json_true());
    if (uses_expected(s))
        rc |= json_object_set_new(plan, "expected_invalid", expected_json(s->expected));
    return rc ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a plan") : 0;
}

static double get_real(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? strtod(text, NULL) : 0;
}

int okno_sampling_get(const json_t *plan, struct okno_sampling *ret_sampling, struct okno_err *err)
{
    const char *strata = json_string_value(json_object_get(plan, "strata"));
    const char *allocation = json_string_value(json_object_get(plan, "allocation"));
    const char *silent = json_string_value(json_object_get(plan, "silent"));
    const json_t *expected = json_object_get(plan, "expected_invalid");
    struct okno_sampling s = {.neyman = allocation && strcmp(allocation, "neyman") == 0,
                              .with_replacement =
                                  json_is_true(json_object_get(plan, "with_replacement")),
                              .silent_known = silent && strcmp(silent, "known") == 0,
                              .least = json_integer_value(json_object_get(plan, "min_per_stratum")),
                              .size = json_integer_value(json_object_get(plan, "size")),
                              .half_width = get_real(plan, "width"),
                              .level = get_real(plan, "level")};
    int rc = okno_strata_parse(strata ? strata : "", &s.strata, err);
    for (int c = 0; c < OKNO_CLASSES; c++)
        s.expected[c] = get_real(expected, okno_class_name((enum okno_class)c));
    if (rc == 0)
        *ret_sampling = s;
    return rc;
}

const char *okno_stratum_name(unsigned strata, const char *site, const char *point, const char *day,
                              const char *answer, char ret_stratum[OKNO_STRATUM_TEXT])
{
    const char *parts[4];
    size_t count = 0;
    size_t used = 0;
    if (!strata || strata & (OKNO_STRATA_SITE | OKNO_STRATA_POINT))
        parts[count++] = site;
    if (!strata || strata & OKNO_STRATA_POINT)
        parts[count++] = point;
    if (strata & OKNO_STRATA_DAY)
        parts[count++] = day;
    if (strata & OKNO_STRATA_ANSWER)
        parts[count++] = answer;
    for (size_t i = 0; i < count && used < OKNO_STRATUM_TEXT; i++)
        used += (size_t)snprintf(ret_stratum + used, OKNO_STRATUM_TEXT - used, "%s%s",
                                 used ? "/" : "", parts[i]);
    return ret_stratum;
}
