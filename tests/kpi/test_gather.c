#define _POSIX_C_SOURCE 200809L
#include "okno/kpi.h"

#include "../support/scratch_db.h"

#include <string.h>

/* Two points of one site in Moscow on 10 March 2026; times are seconds after 07:00Z. */
#define T0 INT64_C(1773126000000000)
#define AT(s) (T0 + INT64_C(s) * 1000000)

static void put_survey(struct scratch_db *f, int seq, const char *point, const char *employee,
                       int64_t opened, const char *answer, const char *flags, int fm)
{
    char sql[700];
    char quoted[16] = "NULL";
    if (answer)
        (void)snprintf(quoted, sizeof(quoted), "'%s'", answer);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO surveys (survey, point, site, employee, question, question_kind,"
                   " opened_at, closes_at, state, answer, flags, force_majeure, device_offset_us,"
                   " device_uncertainty_us) VALUES ('d.0.%d', '%s', 'mall', nullif('%s', ''), 'q1',"
                   " 'personnel', %lld, %lld, '%s', %s, '%s', %d, 0, 0)",
                   seq, point, employee, (long long)opened, (long long)opened + 15000000,
                   answer ? "answered" : "silent", quoted, flags, fm);
    scratch_db_put(f, sql);
}

static void put_ruling(struct scratch_db *f, int seq, const char *verdict, const char *reason,
                       const char *correction)
{
    char sql[700];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (%d, 'A', 'd.0.%d', %d, 'random', 'decided');"
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason,"
                   " correction, reasons_version) VALUES (%d, 'A', 'd.0.%d', 'eva', 1, '%s',"
                   " nullif('%s', ''), nullif('%s', ''), 1)",
                   seq, seq, seq, seq, seq, verdict, reason, correction);
    scratch_db_put(f, sql);
}

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a',"
                   " 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone, site_group) VALUES"
                   " (1, 'mall', 'Mall', 'Europe/Moscow', 'north');"
                   "INSERT INTO points (import, point, site, name) VALUES"
                   " (1, 'p1', 'mall', 'One'), (1, 'p2', 'mall', 'Two');");
    put_survey(f, 1, "p1", "ann", AT(0), "yes", "", 0);
    put_survey(f, 2, "p1", "ann", AT(100), "no", "", 0);
    put_survey(f, 3, "p1", "ann", AT(200), NULL, "superseded", 0);
    put_survey(f, 4, "p2", "", AT(300), "yes", "", 0);
    put_survey(f, 5, "p2", "", AT(400), "no", "", 1);
    put_survey(f, 6, "p2", "bob", AT(60) + INT64_C(86400000000), "unsure", "", 0);
    scratch_db_put(f,
                   "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds) "
                   "VALUES ('d.0.50', 'p2', 'mall', "
                   "1773126390000000, 1773126990000000, 1)");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static struct okno_group_vec gather(struct scratch_db *f, unsigned by, int64_t from, int64_t to)
{
    struct okno_group_vec groups = {0};
    const struct okno_kpi_query query = {.from_us = from, .to_us = to, .by = by};
    int rc = okno_kpi_gather(f->db, &query, &groups, &f->err);
    if (rc < 0)
        fail_msg("%s", f->err.text);
    return groups;
}

static void an_empty_period_is_one_group_of_nothing(void **state)
{
    struct okno_group_vec groups = gather(*state, 0, 0, 1);
    assert_int_equal(groups.len, 1);
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].surveys, 0);
    okno_kpi_groups_free(&groups);
    groups = gather(*state, OKNO_BY_SITE, 0, 1);
    assert_int_equal(groups.len, 0);
    okno_kpi_groups_free(&groups);
}

static void groups_come_in_order_and_nobody_is_dropped(void **state)
{
    struct okno_group_vec groups =
        gather(*state, OKNO_BY_POINT | OKNO_BY_EMPLOYEE, AT(0), AT(200000));
    assert_int_equal(groups.len, 3);
    assert_string_equal(groups.items[0].value[2], "p1");
    assert_string_equal(groups.items[0].value[3], "ann");
    assert_string_equal(groups.items[1].value[3], "bob");
    assert_string_equal(groups.items[2].value[3], "unassigned");
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].surveys, 3);
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].superseded, 1);
    assert_int_equal(groups.items[2].sums.set[OKNO_RAW].surveys, 2);
    assert_int_equal(groups.items[2].sums.set[OKNO_RAW].situations, 1);
    okno_kpi_groups_free(&groups);
}

static void days_follow_the_sites_calendar(void **state)
{
    struct scratch_db *f = *state;
    put_survey(f, 7, "p1", "ann", INT64_C(1773176399000000), "yes", "", 0); /* 23:59:59 Moscow */
    put_survey(f, 8, "p1", "ann", INT64_C(1773176400000000), "yes", "",
               0); /* 00:00 the day after */
    struct okno_group_vec groups = gather(f, OKNO_BY_DAY, AT(1000), AT(100000));
    assert_int_equal(groups.len, 2);
    assert_string_equal(groups.items[0].value[6], "2026-03-10");
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].surveys, 1);
    assert_string_equal(groups.items[1].value[6], "2026-03-11");
    okno_kpi_groups_free(&groups);
    groups = gather(f, OKNO_BY_WEEK | OKNO_BY_MONTH | OKNO_BY_HOUR, AT(0), AT(1));
    assert_string_equal(groups.items[0].value[5], "2026-03-10T10");
    assert_string_equal(groups.items[0].value[7], "2026-03-09");
    assert_string_equal(groups.items[0].value[8], "2026-03");
    okno_kpi_groups_free(&groups);
}

static void invalid_and_voided_surveys_leave_the_excluded_figure_by_reason(void **state)
{
    struct scratch_db *f = *state;
    put_ruling(f, 1, "invalid", "STAFF_PRESSED", "");
    put_ruling(f, 2, "undeterminable", "TOO_DARK", "");
    put_ruling(f, 4, "valid", "", "");
    scratch_db_put(f,
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                   " ('d.0.3', 1, 1, 'a', 'b', 'demo')");
    struct okno_group_vec groups = gather(f, 0, AT(0), AT(1000));
    const struct okno_kpi_group *g = &groups.items[0];
    assert_int_equal(g->sums.set[OKNO_RAW].surveys, 5);
    assert_int_equal(g->sums.set[OKNO_EXCLUDED].surveys, 3);
    assert_int_equal(g->sums.set[OKNO_EXCLUDED].kind[OKNO_PERSONNEL].yes, 1);
    assert_int_equal(g->sums.set[OKNO_EXCLUDED].kind[OKNO_PERSONNEL].silent, 0);
    assert_int_equal(g->sums.undeterminable, 1);
    assert_int_equal(g->excluded.len, 2);
    assert_string_equal(g->excluded.items[0].reason, "STAFF_PRESSED");
    assert_string_equal(g->excluded.items[1].reason, "VOIDED");
    okno_kpi_groups_free(&groups);
}

static void the_newest_void_by_hand_stands_over_an_automatic_one(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "UPDATE surveys SET auto_void = 1 WHERE survey IN ('d.0.1', 'd.0.2', 'd.0.3');"
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                   " ('d.0.2', 0, 1, 'a', 'b', 'a real customer'),"
                   " ('d.0.3', 0, 1, 'a', 'b', 'a real customer'),"
                   " ('d.0.3', 1, 2, 'a', 'b', 'not so')");
    struct okno_group_vec groups = gather(f, OKNO_BY_POINT, AT(0), AT(300));
    const struct okno_kpi_group *g = &groups.items[0];
    assert_int_equal(g->sums.set[OKNO_RAW].surveys, 3);
    assert_int_equal(g->sums.set[OKNO_EXCLUDED].surveys, 1);
    assert_int_equal(g->sums.set[OKNO_EXCLUDED].kind[OKNO_PERSONNEL].no, 1);
    assert_int_equal(g->excluded.len, 1);
    assert_string_equal(g->excluded.items[0].reason, "VOIDED");
    assert_int_equal(g->excluded.items[0].count, 2);
    okno_kpi_groups_free(&groups);
}

static void an_invalid_verdict_without_a_reason_is_counted_as_unspecified(void **state)
{
    struct scratch_db *f = *state;
    put_ruling(f, 1, "invalid", "", "");
    struct okno_group_vec groups = gather(f, 0, AT(0), AT(1000));
    assert_int_equal(groups.items[0].excluded.len, 1);
    assert_string_equal(groups.items[0].excluded.items[0].reason, "UNSPECIFIED");
    okno_kpi_groups_free(&groups);
}

static void a_false_force_majeure_returns_its_surveys_and_leaves_the_level(void **state)
{
    struct scratch_db *f = *state;
    put_survey(f, 9, "p2", "", AT(500), "yes", "", 1);
    put_ruling(f, 5, "valid", "", "FALSE_FM");
    struct okno_group_vec groups = gather(f, 0, AT(0), AT(1000));
    const struct okno_kpi_sums *sums = &groups.items[0].sums;
    assert_int_equal(sums->set[OKNO_RAW].situations, 1);
    assert_int_equal(sums->set[OKNO_EXCLUDED].situations, 0);
    assert_int_equal(sums->set[OKNO_RAW].fm_kind[OKNO_PERSONNEL].no, 1);
    assert_int_equal(sums->set[OKNO_EXCLUDED].fm_kind[OKNO_PERSONNEL].no, 0);
    assert_int_equal(sums->set[OKNO_EXCLUDED].fm_kind[OKNO_PERSONNEL].yes, 0);
    okno_kpi_groups_free(&groups);
}

static void a_sites_count_replaces_its_points_counts(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count,"
                   " source) VALUES"
                   " (1, 'point:p1', 'transactions', 1773126000000000, 1773127000000000, 7,"
                   " 'till'), (1, 'point:p2', 'transactions', 1773126000000000,"
                   " 1773127000000000, 5, 'till')");
    struct okno_group_vec groups = gather(f, 0, AT(0), AT(1000));
    assert_int_equal(groups.items[0].sums.transactions.count, 12);
    assert_null(groups.items[0].sums.transactions.null_reason);
    okno_kpi_groups_free(&groups);
    scratch_db_put(f,
                   "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count,"
                   " source) VALUES (1, 'site:mall', 'transactions', 1773126000000000,"
                   " 1773127000000000, 20, 'till'), (1, 'site:mall', 'transactions',"
                   " 1773126000000000, 1773127000000000, 30, 'till')");
    groups = gather(f, OKNO_BY_SITE, AT(0), AT(1000));
    assert_int_equal(groups.items[0].sums.transactions.count, 30);
    okno_kpi_groups_free(&groups);
    groups = gather(f, OKNO_BY_POINT, AT(0), AT(900));
    assert_string_equal(groups.items[0].sums.transactions.null_reason, "count_crosses_period");
    okno_kpi_groups_free(&groups);
}

static void answers_of_other_channels_never_mix_into_the_indices(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "INSERT INTO spontaneous (rating, point, site, answer, at, channel) VALUES "
                   "('d.0.60', 'p1', 'mall', 'yes', 1773126000000001, 'panel'), "
                   "('qr.0.1', 'p1', 'mall', 'yes', 1773126000000002, 'qr')");
    struct okno_group_vec groups = gather(f, 0, AT(-100), AT(1000));
    assert_int_equal(groups.len, 1);
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].spontaneous_yes, 1);
    assert_int_equal(groups.items[0].sums.set[OKNO_EXCLUDED].spontaneous_yes, 1);
    okno_kpi_groups_free(&groups);
}

static void words_to_group_by_are_checked(void **state)
{
    struct scratch_db *f = *state;
    unsigned by = 0;
    assert_int_equal(okno_group_parse("site,day", &by, &f->err), 0);
    assert_int_equal(by, OKNO_BY_SITE | OKNO_BY_DAY);
    assert_int_equal(okno_group_parse("", &by, &f->err), 0);
    assert_int_equal(by, 0);
    assert_int_equal(okno_group_parse("site,shop", &by, &f->err), OKNO_INVALID);
    assert_non_null(strstr(f->err.text, "\"shop\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* "north 5, south 1": surveys of each group of sites, and what else it is grouped by. */
static const char *groups_text(struct scratch_db *f, unsigned by, const char *with)
{
    static char text[300];
    size_t used = 0;
    struct okno_group_vec groups =
        gather(f, by, AT(0) - INT64_C(86400000000), AT(0) + INT64_C(172800000000));
    text[0] = '\0';
    for (size_t i = 0; i < groups.len; i++)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s %d", i ? ", " : "",
                             okno_group_value(&groups.items[i], OKNO_BY_GROUP), *with ? " " : "",
                             *with ? okno_group_value(&groups.items[i], OKNO_BY_MONTH) : "",
                             (int)groups.items[i].sums.set[OKNO_RAW].surveys);
    okno_kpi_groups_free(&groups);
    return text;
}

static void a_survey_counts_for_the_group_that_its_site_was_in_on_its_day(void **state)
{
    struct scratch_db *f = *state;
    assert_string_equal(groups_text(f, OKNO_BY_GROUP, ""), "north 6");
    scratch_db_put(
        f,
        "INSERT INTO sites (import, site, name, time_zone, site_group, hours_from) VALUES"
        " (1, 'mall', 'Mall', 'Europe/Moscow', 'south', '2026-03-11')");
    assert_string_equal(groups_text(f, OKNO_BY_GROUP, ""), "north 5, south 1");
    assert_string_equal(groups_text(f, OKNO_BY_GROUP | OKNO_BY_MONTH, "m"),
                        "north 2026-03 5, south 2026-03 1");
    /* Kept sums give the same. */
    assert_int_equal(okno_kpi_refresh(f->db, &f->err), 0);
    assert_string_equal(groups_text(f, OKNO_BY_GROUP, ""), "north 5, south 1");
    /* It turns out that it was in the east all along before. */
    scratch_db_put(f,
                   "INSERT INTO sites (import, site, name, time_zone, site_group) VALUES"
                   " (1, 'mall', 'Mall', 'Europe/Moscow', 'east')");
    assert_string_equal(groups_text(f, OKNO_BY_GROUP, ""), "east 5, south 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_survey_counts_for_the_group_that_its_site_was_in_on_its_day, setup, teardown),
        CASE(an_empty_period_is_one_group_of_nothing),
        CASE(groups_come_in_order_and_nobody_is_dropped),
        CASE(days_follow_the_sites_calendar),
        CASE(invalid_and_voided_surveys_leave_the_excluded_figure_by_reason),
        CASE(the_newest_void_by_hand_stands_over_an_automatic_one),
        CASE(an_invalid_verdict_without_a_reason_is_counted_as_unspecified),
        CASE(a_false_force_majeure_returns_its_surveys_and_leaves_the_level),
        CASE(a_sites_count_replaces_its_points_counts),
        CASE(answers_of_other_channels_never_mix_into_the_indices),
        CASE(words_to_group_by_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
