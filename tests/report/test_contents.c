/* Figures of a bundle cost about what its lines cost, however many sites and strata they name. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/report/bundle.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 90000 };

/* Some seconds, where each site or stratum going through all lines took many minutes. */
#define LIMIT_US (60 * OKNO_SECOND_US)

static void add_rows(struct contents *contents, int sites, int strata)
{
    static const char *const classes[] = {"yes", "unsure", "no", "silent"};
    struct okno_err err = {0};
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(64 << 20);
    for (int i = 0; i < ROWS; i++) {
        char line[500];
        int len =
            snprintf(line, sizeof(line),
                     "{\"class\":\"%s\",\"closes_us\":2,\"employee\":null,"
                     "\"force_majeure\":%s,\"opened_us\":1,\"point\":\"p\",\"question\":\"q\","
                     "\"question_kind\":\"%s\",\"site\":\"s%d\",\"stratum\":\"t%d\","
                     "\"survey\":\"d.0.%07d\",\"video\":\"linked\"}",
                     classes[i % 4], i % 7 == 0 ? "true" : "false",
                     i % 3 == 0 ? "office" : "personnel", i % sites, i % strata, i);
        if (contents_add_line(contents, line, (size_t)len, &csv, &err) < 0)
            fail_msg("%s", err.text);
        contents->frame.items[i].draws = 1;
    }
}

static json_t *figures(int sites, int strata)
{
    AUTO_CONTENTS contents = {0};
    struct okno_err err = {0};
    json_t *kpi = NULL;
    okno_autojson json_t *plan = json_loads(
        "{\"k\":\"0.5\",\"level\":\"0.95\",\"invalid\":\"none\",\"looks\":1,"
        "\"frame\":\"surveys\",\"size\":10,\"silent\":\"sampled\"}",
        0, NULL);
    assert_int_equal(contents_start(&contents, &err), 0);
    if (contents_plan(plan, &contents, &err) < 0)
        fail_msg("%s", err.text);
    add_rows(&contents, sites, strata);
    int64_t begun_us = okno_time_monotonic();
    if (contents_kpi(&contents, "A1", &kpi, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(okno_time_monotonic() - begun_us < LIMIT_US);
    return kpi;
}

static json_int_t frame_of(const json_t *kpi, size_t group, const char *indicator)
{
    const json_t *one = json_array_get(json_object_get(kpi, "groups"), group);
    const json_t *figure = json_object_get(json_object_get(one, "indicators"), indicator);
    return json_integer_value(json_object_get(figure, "frame"));
}

static void many_sites_cost_no_more_than_their_lines(void **state)
{
    (void)state;
    okno_autojson json_t *kpi = figures(ROWS, 1);
    const json_t *groups = json_object_get(kpi, "groups");
    assert_int_equal(json_array_size(groups), ROWS + 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(groups, 1), "site")),
                        "s0");
    json_int_t office = 0;
    for (size_t i = 1; i <= ROWS; i++)
        office += frame_of(kpi, i, "ink_office");
    assert_int_equal(office, ROWS / 3);
    assert_int_equal(frame_of(kpi, 0, "ink_office"), ROWS / 3);
    assert_int_equal(frame_of(kpi, 0, "ink_personnel"), ROWS / 3 * 2);
}

static void many_strata_cost_no_more_than_their_lines(void **state)
{
    (void)state;
    okno_autojson json_t *kpi = figures(3, ROWS);
    assert_int_equal(json_array_size(json_object_get(kpi, "groups")), 4);
    assert_int_equal(frame_of(kpi, 0, "ink_office"), ROWS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sites_cost_no_more_than_their_lines),
        cmocka_unit_test(many_strata_cost_no_more_than_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
