#define _POSIX_C_SOURCE 200809L
/* Customers counted: by rows of till and counter, by sales one by one, by whom and when. */
#include "okno/kpi.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

/* Midnight of 10 March 2026 in Moscow, and hours from there. */
#define MIDNIGHT INT64_C(1773090000000000)
#define H(hours) (MIDNIGHT + (int64_t)(hours)*INT64_C(3600000000))

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a',"
                   " 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (1, 'mall', 'Mall', 'Europe/Moscow');"
                   "INSERT INTO points (import, point, site, name) VALUES"
                   " (1, 'p1', 'mall', 'One'), (1, 'p2', 'mall', 'Two');");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void put_survey(struct scratch_db *f, int seq, const char *point, const char *employee,
                       int64_t at)
{
    char sql[500];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO surveys (survey, point, site, employee, question, question_kind,"
                   " opened_at, closes_at, state, answer, device_offset_us, device_uncertainty_us)"
                   " VALUES ('d.0.%d', '%s', 'mall', nullif('%s', ''), 'q1', 'office', %lld, %lld,"
                   " 'answered', 'yes', 0, 0)",
                   seq, point, employee, (long long)at, (long long)at + 15000000);
    scratch_db_put(f, sql);
}

static void put_count(struct scratch_db *f, const char *scope, const char *kind, int64_t from,
                      int64_t to, int count, const char *source)
{
    char sql[400];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source)"
                   " VALUES (1, '%s', '%s', %lld, %lld, %d, '%s')",
                   scope, kind, (long long)from, (long long)to, count, source);
    scratch_db_put(f, sql);
}

static void put_sale(struct scratch_db *f, const char *id, int64_t at, const char *point,
                     const char *employee)
{
    char sql[300];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO transactions (import, txn, at, point, employee) VALUES (1, '%s',"
                   " %lld, '%s', nullif('%s', ''))",
                   id, (long long)at, point, employee);
    scratch_db_put(f, sql);
}

static struct okno_group_vec gather(struct scratch_db *f, unsigned by, int64_t from, int64_t to)
{
    struct okno_group_vec groups = {0};
    const struct okno_kpi_query query = {.from_us = from, .to_us = to, .by = by};
    if (okno_kpi_gather(f->db, &query, &groups, &f->err) < 0)
        fail_msg("%s", f->err.text);
    return groups;
}

static struct okno_kpi_count total(struct scratch_db *f, int64_t from, int64_t to)
{
    struct okno_group_vec groups = gather(f, 0, from, to);
    struct okno_kpi_count count = groups.items[0].sums.transactions;
    okno_kpi_groups_free(&groups);
    return count;
}

static bool has_source(const struct okno_kpi_count *count, const char *name)
{
    for (size_t i = 0; okno_kpi_source_name(i); i++)
        if (strcmp(okno_kpi_source_name(i), name) == 0)
            return count->sources >> i & 1;
    return false;
}

static void a_sites_row_replaces_its_points_rows_for_its_time_only(void **state)
{
    struct scratch_db *f = *state;
    put_count(f, "site:mall", "transactions", H(0), H(12), 100, "counter");
    put_count(f, "point:p1", "transactions", H(0), H(12), 7, "till");
    put_count(f, "point:p1", "transactions", H(12), H(24), 11, "till");
    put_count(f, "point:p2", "transactions", H(12), H(24), 13, "till");
    struct okno_kpi_count count = total(f, H(0), H(24));
    assert_null(count.null_reason);
    assert_int_equal(count.count, 124);
    assert_true(has_source(&count, "till"));
    assert_true(has_source(&count, "counter"));
    assert_false(has_source(&count, "single"));
}

static void a_point_without_a_row_leaves_the_site_incomplete(void **state)
{
    struct scratch_db *f = *state;
    put_count(f, "point:p1", "transactions", H(0), H(24), 7, "till");
    assert_string_equal(total(f, H(0), H(24)).null_reason, "counts_incomplete");
    put_count(f, "point:p2", "transactions", H(0), H(23), 7, "till");
    assert_string_equal(total(f, H(0), H(24)).null_reason, "counts_incomplete");
    put_count(f, "point:p2", "transactions", H(23), H(24), 1, "manual");
    assert_int_equal(total(f, H(0), H(24)).count, 15);
}

static void overlapping_rows_and_rows_across_the_border_make_no_count(void **state)
{
    struct scratch_db *f = *state;
    put_count(f, "site:mall", "transactions", H(0), H(12), 5, "till");
    put_count(f, "site:mall", "transactions", H(11), H(24), 5, "till");
    assert_string_equal(total(f, H(0), H(24)).null_reason, "counts_incomplete");
    assert_string_equal(total(f, H(0), H(11)).null_reason, "count_crosses_period");
    assert_string_equal(total(f, H(1), H(24)).null_reason, "count_crosses_period");
}

static void the_newest_row_of_an_interval_stands_and_corrections_are_told(void **state)
{
    struct scratch_db *f = *state;
    put_count(f, "site:mall", "transactions", H(0), H(24), 5, "till");
    put_count(f, "site:mall", "transactions", H(0), H(24), 6, "manual");
    put_count(f, "site:mall", "transactions", H(0), H(24), 8, "till");
    struct okno_kpi_count count = total(f, H(0), H(24));
    assert_int_equal(count.count, 8);
    assert_int_equal(count.corrections, 2);
    assert_true(has_source(&count, "till"));
    assert_false(has_source(&count, "manual"));
}

static void single_sales_count_where_no_row_covers(void **state)
{
    struct scratch_db *f = *state;
    put_count(f, "point:p1", "transactions", H(0), H(12), 50, "till");
    put_sale(f, "t1", H(3), "p1", "ann"); /* covered by the row */
    put_sale(f, "t2", H(13), "p1", "ann");
    put_sale(f, "t3", H(14), "p1", "bob");
    put_sale(f, "t3", H(15), "p1", "ann"); /* a correction of the same sale */
    put_sale(f, "t4", H(15), "p2", "");
    struct okno_kpi_count count = total(f, H(0), H(24));
    assert_null(count.null_reason);
    assert_int_equal(count.count, 53);
    assert_true(has_source(&count, "single"));
    put_survey(f, 1, "p1", "ann", H(13));
    put_survey(f, 2, "p1", "bob", H(13));
    struct okno_group_vec groups = gather(f, OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_string_equal(okno_group_value(&groups.items[0], OKNO_BY_EMPLOYEE), "ann");
    assert_int_equal(groups.items[0].sums.transactions.count, 3);
    assert_int_equal(groups.items[1].sums.transactions.count, 0);
    assert_null(groups.items[1].sums.transactions.null_reason);
    okno_kpi_groups_free(&groups);
}

static void an_employees_row_is_no_count_of_one_of_many_places(void **state)
{
    struct scratch_db *f = *state;
    put_survey(f, 1, "p1", "ann", H(13));
    put_count(f, "employee:ann", "transactions", H(0), H(24), 40, "till");
    struct okno_group_vec groups = gather(f, OKNO_BY_POINT | OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_int_equal(groups.items[0].sums.transactions.count, 40);
    okno_kpi_groups_free(&groups);
    scratch_db_put(f,
                   "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES (1,"
                   " 'ann', 'p2', 1773093600000000, 1773097200000000)");
    groups = gather(f, OKNO_BY_POINT | OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_string_equal(groups.items[0].sums.transactions.null_reason, "counts_incomplete");
    okno_kpi_groups_free(&groups);
    groups = gather(f, OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_int_equal(groups.items[0].sums.transactions.count, 40);
    okno_kpi_groups_free(&groups);
}

static void days_and_hours_have_counts_of_their_own(void **state)
{
    struct scratch_db *f = *state;
    put_survey(f, 1, "p1", "", H(13));
    put_survey(f, 2, "p1", "", H(25));
    put_count(f, "site:mall", "transactions", H(0), H(24), 10, "till");
    put_count(f, "site:mall", "transactions", H(24), H(48), 20, "till");
    struct okno_group_vec groups = gather(f, OKNO_BY_SITE | OKNO_BY_DAY, H(0), H(48));
    assert_int_equal(groups.items[0].sums.transactions.count, 10);
    assert_int_equal(groups.items[1].sums.transactions.count, 20);
    assert_int_equal(groups.items[1].from_us, H(24));
    okno_kpi_groups_free(&groups);
    groups = gather(f, OKNO_BY_HOUR, H(0), H(48));
    assert_string_equal(groups.items[0].sums.transactions.null_reason, "count_crosses_period");
    okno_kpi_groups_free(&groups);
}

static void who_asks_less_than_half_as_often_as_the_median_is_marked(void **state)
{
    struct scratch_db *f = *state;
    static const struct {
        const char *employee;
        int asked, sales;
    } staff[] = {{"ann", 20, 30}, {"bob", 21, 30}, {"cid", 9, 30}, {"dan", 1, 29}};
    int seq = 1;
    for (size_t i = 0; i < OKNO_COUNT(staff); i++) {
        char scope[40];
        (void)snprintf(scope, sizeof(scope), "employee:%s", staff[i].employee);
        put_count(f, scope, "transactions", H(0), H(24), staff[i].sales, "till");
        for (int one = 0; one < staff[i].asked; one++)
            put_survey(f, seq++, "p1", staff[i].employee, H(12) + one * 60000000LL);
    }
    struct okno_group_vec groups = gather(f, OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_int_equal(groups.len, 4);
    assert_false(groups.items[0].cherry_picking);
    assert_true(groups.items[2].cherry_picking); /* 9/30 < (20/30) / 2 */
    assert_true(groups.items[2].site_conversion == 20.0 / 30.0);
    assert_false(groups.items[3].cherry_picking); /* one sale short */
    okno_kpi_groups_free(&groups);
    put_survey(f, seq++, "p1", "cid", H(20));
    groups = gather(f, OKNO_BY_EMPLOYEE, H(0), H(24));
    assert_false(groups.items[2].cherry_picking); /* exactly half */
    okno_kpi_groups_free(&groups);
}

static void dates_are_days_of_each_sites_calendar(void **state)
{
    struct scratch_db *f = *state;
    struct okno_group_vec groups = {0};
    int64_t midnight = INT64_C(1773100800000000); /* 10 March, as if in UTC */
    const struct okno_kpi_query query = {
        .from_us = midnight, .to_us = midnight + OKNO_DAY_US, .by = OKNO_BY_SITE, .local = true};
    scratch_db_put(f,
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (1, 'east', 'East', 'Asia/Vladivostok');");
    put_survey(f, 1, "p1", "", H(0) - 1);
    put_survey(f, 2, "p1", "", H(0));
    put_survey(f, 3, "p1", "", H(24) - 1);
    put_survey(f, 4, "p1", "", H(24));
    put_survey(f, 5, "p1", "", H(-7)); /* midnight in Vladivostok */
    put_survey(f, 6, "p1", "", H(-7) - 1);
    scratch_db_put(f, "UPDATE surveys SET site = 'east' WHERE survey IN ('d.0.5', 'd.0.6')");
    assert_int_equal(okno_kpi_gather(f->db, &query, &groups, &f->err), 0);
    assert_int_equal(groups.len, 2);
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].surveys, 1);
    assert_int_equal(groups.items[1].sums.set[OKNO_RAW].surveys, 2);
    assert_int_equal(groups.items[0].from_us, H(-7));
    assert_int_equal(groups.items[1].from_us, H(0));
    okno_kpi_groups_free(&groups);
}

static void the_night_the_clocks_go_back_has_25_hours(void **state)
{
    struct scratch_db *f = *state;
    struct okno_group_vec groups = {0};
    int64_t sunday = INT64_C(1792886400000000); /* 25 October 2026, as if in UTC */
    int64_t start = sunday - INT64_C(7200000000);
    const struct okno_kpi_query query = {
        .from_us = sunday, .to_us = sunday + OKNO_DAY_US, .by = OKNO_BY_HOUR, .local = true};
    scratch_db_put(f,
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (1, 'mall', 'Mall', 'Europe/Berlin');");
    put_survey(f, 1, "p1", "", start + INT64_C(2) * 3600000000);      /* 02:00 summer time */
    put_survey(f, 2, "p1", "", start + INT64_C(3) * 3600000000);      /* 02:00 again */
    put_survey(f, 3, "p1", "", start + INT64_C(25) * 3600000000 - 1); /* the last moment */
    put_survey(f, 4, "p1", "", start + INT64_C(25) * 3600000000);
    assert_int_equal(okno_kpi_gather(f->db, &query, &groups, &f->err), 0);
    assert_int_equal(groups.len, 2);
    assert_string_equal(okno_group_value(&groups.items[0], OKNO_BY_HOUR), "2026-10-25T02");
    assert_int_equal(groups.items[0].sums.set[OKNO_RAW].surveys, 2);
    assert_int_equal(groups.items[0].to_us - groups.items[0].from_us, INT64_C(7200000000));
    assert_string_equal(okno_group_value(&groups.items[1], OKNO_BY_HOUR), "2026-10-25T23");
    okno_kpi_groups_free(&groups);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void a_group_of_sites_counts_on_the_days_of_its_sites(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(
        f,
        "INSERT INTO sites (import, site, name, time_zone, site_group, hours_from) VALUES"
        " (1, 'mall', 'Mall', 'Europe/Moscow', 'south', '2026-03-11');"
        "UPDATE sites SET site_group = 'north' WHERE hours_from = ''");
    put_survey(f, 1, "p1", "ann", H(10));
    put_survey(f, 2, "p1", "ann", H(34));
    put_count(f, "site:mall", "transactions", H(0), H(24), 100, "counter");
    put_count(f, "site:mall", "transactions", H(24), H(48), 7, "counter");
    struct okno_group_vec groups = gather(f, OKNO_BY_GROUP, H(0), H(48));
    assert_int_equal(groups.len, 2);
    assert_string_equal(okno_group_value(&groups.items[0], OKNO_BY_GROUP), "north");
    assert_int_equal(groups.items[0].sums.transactions.count, 100);
    assert_int_equal(groups.items[1].sums.transactions.count, 7);
    okno_kpi_groups_free(&groups);
    /* A count of both days belongs to neither. */
    put_count(f, "site:mall", "visitors", H(0), H(48), 300, "sensor");
    groups = gather(f, OKNO_BY_GROUP, H(0), H(48));
    assert_string_equal(groups.items[0].sums.visitors.null_reason, "count_crosses_period");
    okno_kpi_groups_free(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_group_of_sites_counts_on_the_days_of_its_sites),
        CASE(a_sites_row_replaces_its_points_rows_for_its_time_only),
        CASE(a_point_without_a_row_leaves_the_site_incomplete),
        CASE(overlapping_rows_and_rows_across_the_border_make_no_count),
        CASE(the_newest_row_of_an_interval_stands_and_corrections_are_told),
        CASE(single_sales_count_where_no_row_covers),
        CASE(an_employees_row_is_no_count_of_one_of_many_places),
        CASE(days_and_hours_have_counts_of_their_own),
        CASE(who_asks_less_than_half_as_often_as_the_median_is_marked),
        CASE(dates_are_days_of_each_sites_calendar),
        CASE(the_night_the_clocks_go_back_has_25_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
