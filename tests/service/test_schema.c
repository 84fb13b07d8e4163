/* Checking input against the published shapes. */
#include "../../src/service/http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The code, with the field at fault compared. */
static int check(const char *schema, const char *text, const char *field)
{
    struct okno_err err = {0};
    okno_autojson json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    int rc = http_schema_check(schema, json, &err);
    assert_string_equal(err.field, field);
    assert_int_equal(err.code, rc);
    return rc;
}

static void what_fits_passes(void **state)
{
    (void)state;
    assert_int_equal(check("Empty", "{}", ""), 0);
    assert_int_equal(check("Any", "[1, {\"a\": null}]", ""), 0);
    assert_int_equal(check("QueueNext", "{\"audit\":null}", ""), 0);
    assert_int_equal(check("Verdict", "{\"lease\":\"a\",\"verdict\":\"valid\",\"played_s\":0}", ""),
                     0);
    assert_int_equal(
        check("Verdict", "{\"lease\":\"a\",\"verdict\":\"valid\",\"correction\":null}", ""), 0);
    assert_int_equal(check("Sites", "{\"sites\":[],\"more\":1}", ""), 0);
}

static void what_does_not_fit_names_its_place(void **state)
{
    (void)state;
    assert_int_equal(check("Empty", "{\"a\":1}", "a"), OKNO_UNKNOWN_FIELD);
    assert_int_equal(check("Empty", "null", ""), OKNO_INVALID);
    assert_int_equal(check("Login", "{\"user\":\"a\"}", "password"), OKNO_MISSING);
    assert_int_equal(check("Sites",
                           "{\"sites\":[{\"site\":\"a\",\"name\":\"b\",\"time_zone\":\"c\","
                           "\"points\":[{\"point\":\"p\",\"name\":1}]}]}",
                           "sites[0].points[0].name"),
                     OKNO_INVALID);
    assert_int_equal(
        check("Verdict", "{\"lease\":\"a\",\"verdict\":\"valid\",\"wall_s\":604801}", "wall_s"),
        OKNO_INVALID);
}

static void lengths_count_characters_not_bytes(void **state)
{
    (void)state;
    char text[400] = "{\"lease\":\"";
    size_t len = strlen(text);
    for (int i = 0; i < 64; i++, len += 2)
        memcpy(text + len, "я", 3);
    (void)snprintf(text + len, sizeof(text) - len, "\"}");
    assert_int_equal(check("Lease", text, ""), 0);
    (void)snprintf(text + len, sizeof(text) - len, "a\"}");
    assert_int_equal(check("Lease", text, "lease"), OKNO_INVALID);
}

static void a_schema_that_is_not_there_is_our_own_fault(void **state)
{
    (void)state;
    assert_int_equal(check("Nothing", "{}", ""), OKNO_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(what_does_not_fit_names_its_place),
        cmocka_unit_test(lengths_count_characters_not_bytes),
        cmocka_unit_test(a_schema_that_is_not_there_is_our_own_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
