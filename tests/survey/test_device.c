/* Devices in the field: heard of, whole, on time? */
#define _POSIX_C_SOURCE 200809L
#include "../support/scratch_db.h"

#include "okno/device.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

#define S OKNO_SECOND_US
#define H (3600 * S)
#define D OKNO_DAY_US
#define NOW (INT64_C(1800000000) * S)
#define LIVE (48 * H)

static int open_db(void **state)
{
    struct scratch_db *s = scratch_db_new();
    scratch_db_put(
        s,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1,1,'t','t','t');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1,'S1','s','UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1,'P1','S1','p')");
    *state = s;
    return 0;
}

static int close_db(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void pair(struct scratch_db *s, const char *device, int64_t from_us)
{
    char sql[200];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO devices (import, device, point, valid_from) "
                   "VALUES (1,'%s','P1',%lld)",
                   device, (long long)from_us);
    scratch_db_put(s, sql);
}

static void heard(struct scratch_db *s, const char *device, int64_t boot, int64_t seq,
                  int64_t at_us, int64_t arrived_us)
{
    enum okno_event_stored stored;
    const struct okno_event event = {.device = device,
                                     .boot = boot,
                                     .seq = seq,
                                     .kind = "alive",
                                     .duration_ms = OKNO_EVENT_NO_DURATION,
                                     .at_us = at_us};
    const struct okno_event_receipt receipt = {.at_us = arrived_us};
    assert_int_equal(okno_db_begin(s->db, &s->err), 0);
    assert_int_equal(okno_event_store(s->db, &event, &receipt, &stored, &s->err), 0);
    assert_int_equal(okno_db_commit(s->db, &s->err), 0);
}

static void measured(struct scratch_db *s, int64_t at_us, int64_t offset_us, int step,
                     const char *method)
{
    char sql[250];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, step, "
                   "method) VALUES (1,'device:D1',%lld,%lld,100000,%d,'%s')",
                   (long long)at_us, (long long)offset_us, step, method);
    scratch_db_put(s, sql);
}

/* The only device. */
static struct okno_device only(struct scratch_db *s)
{
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    assert_int_equal(okno_device_list(s->db, NOW, LIVE, &devices, &s->err), 0);
    assert_int_equal(devices.len, 1);
    return devices.items[0];
}

static void a_device_that_reports_is_ok(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", NOW - 10 * D);
    heard(s, "D1", 0, 1, NOW - 3 * D, NOW - 2 * S);
    heard(s, "D1", 0, 2, NOW - 5 * S, NOW - S);
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
    assert_string_equal(d.point, "P1");
    assert_int_equal(d.last_event_us, NOW - 5 * S);
    assert_int_equal(d.last_arrival_us, NOW - S);
    assert_int_equal(d.missing, 0);
    assert_string_equal(d.first_missing, "");
    assert_int_equal(d.measured_us, INT64_MIN);
    assert_int_equal(d.unheard_since_us, INT64_MIN);
}

static void a_paired_device_is_quiet_after_two_days_to_the_microsecond(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", NOW - 10 * D);
    heard(s, "D1", 0, 1, NOW - 9 * D, NOW - LIVE);
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
    OKNO_AUTO_VEC(okno_device_vec) later = {0};
    assert_int_equal(okno_device_list(s->db, NOW + 1, LIVE, &later, &s->err), 0);
    assert_string_equal(okno_device_state(&later.items[0]), "quiet");
    assert_int_equal(later.items[0].unheard_since_us, NOW - LIVE);
}

static void silence_is_judged_by_the_hours_of_its_own_days(void **state)
{
    struct scratch_db *s = *state;
    scratch_db_put(s, "UPDATE points SET hours = 'Mo-We 09:00-18:00'");
    pair(s, "D1", NOW - 10 * D);
    heard(s, "D1", 0, 1, NOW - 38 * H, NOW - 38 * H);
    /* NOW is a Friday: the days off were days off, whatever holds from Saturday on. */
    scratch_db_put(
        s,
        "INSERT INTO points (import, point, site, name, hours, hours_from)"
        " SELECT import, point, site, name, '24/7', date(1800000000, 'unixepoch', '+1 day')"
        " FROM points");
    int64_t awake_us = 0;
    const char *point = "P1";
    assert_int_equal(okno_device_awake_us(s->db, point, NOW - 37 * H, NOW, &awake_us, &s->err), 0);
    assert_int_equal(awake_us, 0);
    assert_int_equal(
        okno_device_awake_us(s->db, point, NOW - 37 * H, NOW + 30 * H, &awake_us, &s->err), 0);
    assert_int_equal(awake_us, 14 * H); /* from Saturday's midnight */
}

static void a_weekend_of_silence_alarms_nobody(void **state)
{
    struct scratch_db *s = *state;
    /* NOW is a Friday, 08:00 UTC. */
    scratch_db_put(s, "UPDATE points SET hours = 'Mo-We 09:00-18:00'");
    pair(s, "D1", NOW - 10 * D);
    heard(s, "D1", 0, 1, NOW - 38 * H, NOW - 38 * H); /* Wednesday at 18:00, then days off */
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    int64_t monday = NOW + 3 * D + H;
    assert_int_equal(okno_device_list(s->db, monday, LIVE, &devices, &s->err), 0);
    assert_int_equal(okno_device_list(s->db, monday + LIVE, LIVE, &devices, &s->err), 0);
    assert_int_equal(okno_device_list(s->db, monday + LIVE + 1, LIVE, &devices, &s->err), 0);
    assert_string_equal(okno_device_state(&devices.items[0]), "ok");
    assert_string_equal(okno_device_state(&devices.items[1]), "ok");
    assert_string_equal(okno_device_state(&devices.items[2]), "quiet");
    assert_int_equal(devices.items[2].unheard_since_us, NOW - 38 * H);
}

static void a_device_never_heard_of_is_quiet_since_its_pairing(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", NOW - 3 * D);
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "quiet");
    assert_int_equal(d.unheard_since_us, NOW - 3 * D);
    assert_int_equal(d.last_arrival_us, INT64_MIN);
}

static void who_is_at_no_point_is_not_missed(void **state)
{
    struct scratch_db *s = *state;
    scratch_db_put(s,
                   "INSERT INTO tokens (token_hash, role, device, created_at) "
                   "VALUES ('0','device','D1',1)");
    heard(s, "D1", 0, 1, NOW - 30 * D, NOW - 30 * D);
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
    assert_string_equal(d.point, "");
}

static void gaps_are_counted_within_each_boot_and_the_first_is_named(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", 0);
    static const int64_t seqs[][2] = {{0, 5}, {0, 6}, {1, 9}, {1, 3}, {1, 4}, {2, 100}};
    for (size_t i = 0; i < OKNO_COUNT(seqs); i++)
        heard(s, "D1", seqs[i][0], seqs[i][1], NOW - D + (int64_t)i * S, NOW - S);
    struct okno_device d = only(s);
    assert_int_equal(d.missing,
                     4); /* 5..8 of boot 1; what was before a first number is not known */
    assert_string_equal(d.first_missing, "D1.1.5");
    for (int64_t seq = 5; seq < 9; seq++)
        heard(s, "D1", 1, seq, NOW - D, NOW);
    d = only(s);
    assert_int_equal(d.missing, 0);
    assert_string_equal(d.first_missing, "");
}

static void a_jump_is_shown_for_a_week_or_until_a_person_measures(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", 0);
    heard(s, "D1", 0, 1, NOW - S, NOW);
    measured(s, NOW - 7 * D, H, 1, "intake");
    assert_string_equal(okno_device_state(&(struct okno_device){0}), "ok");
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
    measured(s, NOW - 7 * D + 1, 2 * H, 1, "intake");
    d = only(s);
    assert_string_equal(okno_device_state(&d), "clock_jump");
    assert_int_equal(d.offset_us, 2 * H);
    assert_int_equal(d.measured_us, NOW - 7 * D + 1);
    measured(s, NOW - D, 0, 0, "intake"); /* no person */
    d = only(s);
    assert_string_equal(okno_device_state(&d), "clock_jump");
    measured(s, NOW - H, 0, 0, "import");
    d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
}

static void
an_event_from_the_future_makes_the_clock_suspect_until_a_measurement_explains_it(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", 0);
    heard(s, "D1", 0, 1, NOW - S, NOW);
    heard(s, "D1", 0, 2, NOW + D, NOW);
    struct okno_device d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
    heard(s, "D1", 0, 3, NOW + D + 1, NOW);
    d = only(s);
    assert_string_equal(okno_device_state(&d), "clock_suspect");
    assert_int_equal(d.last_event_us, NOW + D); /* not the suspect one */
    measured(s, NOW - H, D, 0, "import");
    d = only(s);
    assert_string_equal(okno_device_state(&d), "ok");
}

static void the_worst_comes_first_and_all_are_told(void **state)
{
    struct scratch_db *s = *state;
    pair(s, "D1", 0);
    heard(s, "D1", 0, 1, NOW - 2 * D, NOW - 4 * D);
    measured(s, NOW - D, H, 1, "intake");
    scratch_db_put(s,
                   "INSERT INTO clock_reports (device, arrived_at, offset_us, suspect) "
                   "VALUES ('D1',1,1,1)");
    struct okno_device d = only(s);
    json_t *json = okno_device_json(&d);
    assert_string_equal(json_string_value(json_object_get(json, "state")), "clock_suspect");
    json_t *wanted = json_pack("[s, s, s]", "clock_suspect", "clock_jump", "quiet");
    assert_true(json_equal(json_object_get(json, "alerts"), wanted));
    json_decref(wanted);
    json_decref(json);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_db, close_db)
    const struct CMUnitTest tests[] = {
        TEST(a_device_that_reports_is_ok),
        TEST(a_paired_device_is_quiet_after_two_days_to_the_microsecond),
        TEST(silence_is_judged_by_the_hours_of_its_own_days),
        TEST(a_weekend_of_silence_alarms_nobody),
        TEST(a_device_never_heard_of_is_quiet_since_its_pairing),
        TEST(who_is_at_no_point_is_not_missed),
        TEST(gaps_are_counted_within_each_boot_and_the_first_is_named),
        TEST(a_jump_is_shown_for_a_week_or_until_a_person_measures),
        TEST(an_event_from_the_future_makes_the_clock_suspect_until_a_measurement_explains_it),
        TEST(the_worst_comes_first_and_all_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
