#include "okno/reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static int check(const char *verdict, const char *reason, const char *comment, const char *field)
{
    struct okno_err err = {0};
    int rc = okno_reason_check(verdict, reason, comment, &err);
    assert_string_equal(err.field, field);
    assert_int_equal(err.code, rc);
    return rc;
}

static void a_reason_belongs_to_its_verdict(void **state)
{
    (void)state;
    assert_int_equal(check("invalid", "NO_CUSTOMER", NULL, ""), 0);
    assert_int_equal(check("undeterminable", "TOO_DARK", "", ""), 0);
    assert_int_equal(check("valid", NULL, NULL, ""), 0);
    assert_int_equal(check("valid", "", "looked fine", ""), 0);
    assert_int_equal(check("invalid", "TOO_DARK", NULL, "reason"), OKNO_INVALID);
    assert_int_equal(check("undeterminable", "NO_CUSTOMER", NULL, "reason"), OKNO_INVALID);
    assert_int_equal(check("invalid", "no_customer", NULL, "reason"), OKNO_INVALID);
    assert_int_equal(check("valid", "OTHER", "x", "reason"), OKNO_INVALID);
    assert_int_equal(check("undone", NULL, NULL, "verdict"), OKNO_INVALID);
}

static void a_decision_against_needs_a_reason_and_other_needs_words(void **state)
{
    (void)state;
    assert_int_equal(check("invalid", NULL, "why", "reason"), OKNO_MISSING);
    assert_int_equal(check("undeterminable", "", NULL, "reason"), OKNO_MISSING);
    assert_int_equal(check("invalid", "OTHER", NULL, "comment"), OKNO_MISSING);
    assert_int_equal(check("undeterminable", "OTHER", " \n", "comment"), OKNO_MISSING);
    assert_int_equal(check("invalid", "OTHER", "a dog pressed", ""), 0);
}

static const char *text(const json_t *row, const char *key)
{
    const char *value = json_string_value(json_object_get(row, key));
    assert_non_null(value);
    assert_true(*value);
    return value;
}

static void group_is_complete(const json_t *list, const char *group, size_t count, bool keys)
{
    const json_t *rows = json_object_get(list, group);
    assert_int_equal(json_array_size(rows), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_string_not_equal(text(row, "en"), text(row, "ru"));
        for (size_t j = 0; j < i; j++) {
            const json_t *other = json_array_get(rows, j);
            assert_string_not_equal(text(row, "id"), text(other, "id"));
            if (keys)
                assert_string_not_equal(text(row, "key"), text(other, "key"));
        }
    }
}

static void every_reason_has_two_languages_and_its_own_key(void **state)
{
    (void)state;
    size_t len;
    const char *json = okno_reasons_json(&len);
    json_t *list = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(list);
    group_is_complete(list, "invalid", 13, true);
    group_is_complete(list, "undeterminable", 8, true);
    group_is_complete(list, "checklist", 8, false);
    assert_int_equal(okno_reasons_version(), 1);
    json_decref(list);
}

static void the_checklist_knows_its_lines_only(void **state)
{
    (void)state;
    assert_true(okno_checklist_knows("customer_present"));
    assert_false(okno_checklist_knows("NO_CUSTOMER"));
    assert_false(okno_checklist_knows(""));
}

/* docs/review.md names every reason, with its verdict and in its words, and no other. */
static void the_guide_names_every_reason(void **state)
{
    static const char *const verdicts[] = {"invalid", "undeterminable"};
    static char guide[200000];
    size_t len = 0;
    size_t rows = 0;
    const char *text = okno_reasons_json(&len);
    json_t *reasons = json_loadb(text, len, 0, NULL);
    FILE *file = fopen("docs/review.md", "r");
    (void)state;
    assert_non_null(file);
    guide[fread(guide, 1, sizeof(guide) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    for (size_t v = 0; v < 2; v++) {
        size_t i;
        json_t *reason;
        json_array_foreach(json_object_get(reasons, verdicts[v]), i, reason)
        {
            char row[400];
            (void)snprintf(row, sizeof(row), "\n| `%s` | %s | %s |\n",
                           json_string_value(json_object_get(reason, "id")), verdicts[v],
                           json_string_value(json_object_get(reason, "en")));
            if (!strstr(guide, row))
                fail_msg("docs/review.md lacks%s", row);
            rows++;
        }
    }
    for (const char *at = guide; (at = strstr(at, "\n| `")); at++)
        if (strstr(at, "` | invalid |") == strchr(at + 5, '`') ||
            strstr(at, "` | undeterminable |") == strchr(at + 5, '`'))
            rows--;
    assert_int_equal(rows, 0);
    json_decref(reasons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_belongs_to_its_verdict),
        cmocka_unit_test(a_decision_against_needs_a_reason_and_other_needs_words),
        cmocka_unit_test(every_reason_has_two_languages_and_its_own_key),
        cmocka_unit_test(the_guide_names_every_reason),
        cmocka_unit_test(the_checklist_knows_its_lines_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
