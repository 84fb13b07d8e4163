#define _POSIX_C_SOURCE 200809L
/* What a late event costs does not depend on how long the point has been there, and what it leaves
 * is what making everything anew would give. */
#include "okno/survey.h"
#include "okno/time.h"
#include "store.h"

#define T0 INT64_C(1773133200000000) /* 2026-03-10T09:00:00Z */
#define SECONDS(s) ((int64_t)(s)*OKNO_SECOND_US)

struct cost {
    struct okno_survey_refreshed counts;
    int64_t steps;
};

static struct cost refresh(struct store *store, int64_t now_us)
{
    struct cost cost = {.steps = -okno_db_steps(store->db)};
    struct okno_err err = {0};
    const struct okno_survey_params params = okno_survey_params_default();
    if (okno_survey_refresh(store->db, &params, now_us, &cost.counts, &err) != 0)
        fail_msg("%s", err.text);
    cost.steps += okno_db_steps(store->db);
    return cost;
}

/* Nine hours a day a press every three minutes, answered after five seconds; a sign of life each
 * minute through the nights. */
static void live(struct store *store, int days)
{
    char sql[1024];
    (void)snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        "INSERT INTO events (device, boot, seq, kind, at, arrived_at) "
        "SELECT 'd1', 0, 2 * i + k, CASE k WHEN 0 THEN 'press' ELSE 'yes' END,"
        " %lld + (i / 180) * 86400000000 + (i %% 180) * 180000000 + k * 5000000,"
        " %lld + (i / 180) * 86400000000 + (i %% 180) * 180000000 + k * 5000000"
        " FROM n, (SELECT 0 AS k UNION SELECT 1);"
        "INSERT INTO survey_dirty_devices SELECT DISTINCT 'd1', at / 3600000000 FROM events",
        days * 180 - 1, (long long)T0, (long long)T0);
    put(store, sql);
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO events (device, boot, seq, kind, at, arrived_at) "
                   "SELECT 'd1', 1, i, 'alive', %lld + i * 60000000, %lld + i * 60000000 FROM n",
                   days * 1440 - 1, (long long)T0, (long long)T0);
    put(store, sql);
}

static void tell(struct store *store, int64_t seq, const char *kind, int64_t at_us, int64_t now_us)
{
    const struct okno_event event = {
        .device = "d1", .boot = 2, .seq = seq, .kind = kind, .duration_ms = -1, .at_us = at_us};
    const struct okno_event_receipt receipt = {.at_us = now_us};
    enum okno_event_stored stored;
    struct okno_err err = {0};
    assert_int_equal(okno_db_begin(store->db, &err), 0);
    if (okno_event_store(store->db, &event, &receipt, &stored, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(okno_db_commit(store->db, &err), 0);
}

/* A press and an answer of the second day that come after the last. */
static struct cost cost_of_late_events(int days)
{
    void *state = NULL;
    assert_int_equal(store_open(&state), 0);
    struct store *store = state;
    int64_t now_us = T0 + days * OKNO_DAY_US;
    live(store, days);
    struct cost all = refresh(store, now_us);
    assert_int_equal(all.counts.added, days * 180);
    int64_t late_us = T0 + OKNO_DAY_US + SECONDS(4 * 3600 + 60);
    tell(store, 1, "press", late_us, now_us);
    tell(store, 2, "no", late_us + SECONDS(3), now_us);
    struct cost late = refresh(store, now_us + 1);
    assert_int_equal(late.counts.added, 1);
    assert_int_equal(late.counts.changed, 0);
    assert_string_equal(get(store, "SELECT answer FROM surveys WHERE survey = 'd1.2.1'"), "no");
    put(store, "DELETE FROM survey_seen");
    struct cost anew = refresh(store, now_us + 1);
    assert_int_equal(anew.counts.written, 0);
    assert_true(anew.counts.events >= days * 360);
    (void)store_close(&state);
    return late;
}

static void a_late_event_costs_the_same_after_a_week_and_after_many(void **state)
{
    (void)state;
    struct cost soon = cost_of_late_events(7);
    struct cost later = cost_of_late_events(84);
    assert_int_equal(soon.counts.written, 1);
    assert_int_equal(later.counts.written, 1);
    assert_true(soon.counts.events < 200); /* an hour of 40, and pages of a reader */
    assert_int_equal(later.counts.events, soon.counts.events);
    if (later.steps > soon.steps + soon.steps / 10)
        fail_msg("%lld steps after 7 days, %lld after 84", (long long)soon.steps,
                 (long long)later.steps);
}

static void a_point_that_never_rests_is_made_in_turns(void **state)
{
    struct store *store = *state;
    /* A stuck button: a press every ten seconds for a week, and nowhere a moment of rest. */
    put(store,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 60479)"
        "INSERT INTO events (device, boot, seq, kind, at, arrived_at) "
        "SELECT 'd1', 0, i, 'press', 1773133200000000 + i * 10000000, 1773133200000000 + i * "
        "10000000 FROM n;"
        "INSERT INTO survey_dirty_devices SELECT DISTINCT 'd1', at / 3600000000 FROM events");
    struct cost all = refresh(store, T0 + 8 * OKNO_DAY_US);
    assert_int_equal(all.counts.added, 60480);
    assert_string_equal(get(store, "SELECT count(*) FROM surveys WHERE flags LIKE '%superseded%'"),
                        "60479");
    /* Many weeks with rests between take many transactions, and each leaves a whole state. */
    assert_string_equal(get(store, "SELECT count(*) FROM survey_dirty_spans"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_event_costs_the_same_after_a_week_and_after_many),
        cmocka_unit_test_setup_teardown(a_point_that_never_rests_is_made_in_turns, store_open,
                                        store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
