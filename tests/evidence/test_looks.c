#define _GNU_SOURCE
/* Looks at archives' clocks: what is kept of them, when they are due. */
#include "shop.h"

#include "../support/time_server.h"

#include "okno/camera_clock.h"

static struct shop *shop;
static struct time_server server;

static int setup(void **state)
{
    (void)state;
    shop = shop_new(NULL);
    server = (struct time_server){.offset_us = 7400000, .first = 0x24, .stratum = 2};
    time_server_start(&server);
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files, options) VALUES"
        " (1, 'nvr', 'dir', '%s/', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4', '%s')",
        shop->nginx.url, server.options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    time_server_stop(&server);
    shop_free(shop);
    return 0;
}

static struct okno_archive_look look_at(bool keep)
{
    struct okno_archive_look look = {0};
    struct okno_err err = {0};
    if (okno_look_archive(shop->work, "nvr", keep, "local:test", &look, &err) < 0)
        fail_msg("%s", err.text);
    return look;
}

static void a_look_becomes_a_measurement_when_it_tells_something_new(void **state)
{
    (void)state;
    struct okno_archive_look look = look_at(true);
    assert_int_equal(look.finding, OKNO_CLOCK_MOVED);
    assert_true(llabs(look.clock.offset_us - 7400000) <= look.clock.uncertainty_us);
    assert_string_equal(text_of(shop,
                                "SELECT target || ' ' || method || ' ' || step FROM clocks"
                                " WHERE target = 'archive:nvr'"),
                        "archive:nvr sntp 0");
    assert_int_equal(look_at(true).finding, OKNO_CLOCK_KNOWN);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE target = 'archive:nvr'"), 1);
    server.offset_us = 67400000; /* somebody sets it by a minute */
    assert_int_equal(look_at(true).finding, OKNO_CLOCK_JUMPED);
    assert_string_equal(text_of(shop,
                                "SELECT method || ' ' || step FROM clocks WHERE target ="
                                " 'archive:nvr' ORDER BY id DESC"),
                        "sntp 1");
    assert_int_equal(int_of(shop, "SELECT jumped_at = at FROM archive_looks"), 1);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM log_leaves"), 2);
}

static void a_look_without_keeping_stores_nothing(void **state)
{
    (void)state;
    (void)look_at(false);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE target = 'archive:nvr'"), 0);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM archive_looks"), 0);
}

static void who_asks_for_a_look_gets_it_before_it_is_due(void **state)
{
    (void)state;
    struct okno_db *db = okno_work_db(shop->work);
    int64_t next_us = 0;
    assert_int_equal(okno_look_ask(db, "nobodys", "anna", okno_time_now(), NULL), OKNO_NOT_FOUND);
    assert_int_equal(okno_look_next(shop->work, okno_time_now(), &next_us, &shop->err), 1);
    assert_int_equal(okno_look_next(shop->work, okno_time_now(), &next_us, &shop->err), 0);
    server.offset_us = 67400000;
    assert_int_equal(okno_look_ask(db, "nvr", "anna", okno_time_now(), &shop->err), 0);
    assert_int_equal(okno_look_next(shop->work, okno_time_now(), &next_us, &shop->err), 1);
    assert_int_equal(okno_look_next(shop->work, okno_time_now(), &next_us, &shop->err), 0);
    assert_string_equal(text_of(shop,
                                "SELECT i.author || ' ' || c.step FROM clocks c"
                                " JOIN imports i USING (import)"
                                " WHERE target = 'archive:nvr' ORDER BY c.id DESC"),
                        "anna 1");
}

/* What cannot be looked at is noted, and asked again later like the others. */
static void clocks_are_looked_at_every_six_hours(void **state)
{
    (void)state;
    int64_t next_us = 0;
    int64_t now = okno_time_now();
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files) VALUES"
        " (1, 'plain', 'dir', '/nowhere', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4')");
    assert_int_equal(okno_look_next(shop->work, now, &next_us, &shop->err), 1);
    assert_int_equal(okno_look_next(shop->work, now, &next_us, &shop->err), 1);
    assert_int_equal(okno_look_next(shop->work, now, &next_us, &shop->err), 0);
    assert_in_range(next_us, now + 6 * 3600 * OKNO_SECOND_US, now + 6 * 3601 * OKNO_SECOND_US);
    assert_string_equal(text_of(shop,
                                "SELECT group_concat(archive || ':' || code) FROM"
                                " (SELECT * FROM archive_looks ORDER BY archive)"),
                        "nvr:,plain:unsupported");
    assert_int_equal(okno_look_next(shop->work, next_us + OKNO_SECOND_US, &next_us, &shop->err), 1);
}

/* The earliest recording tells how long an archive keeps only when it moves on. */
static void how_long_an_archive_keeps_is_seen_when_its_earliest_recording_moves_on(void **state)
{
    (void)state;
    int64_t earliest = 0;
    int64_t day = T0 + OKNO_DAY_US;
    const char *measured = "SELECT kept_us FROM retention_measured WHERE camera = 'cam2'";
    put(shop, "UPDATE cameras SET retention_days = 3");
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(okno_work_plan(shop->work, day, NULL, &shop->err), 0);
    assert_int_equal(int_of(shop, "SELECT lost_at FROM jobs"), AT(100) + 3 * OKNO_DAY_US);
    assert_int_equal(okno_retention_look(shop->work, "cam2", day, &earliest, &shop->err), 0);
    assert_int_equal(earliest, T0);
    assert_int_equal(int_of(shop, measured), 0);
    /* A day later the first of yesterday are gone: it keeps a day and 10 hours. */
    put(shop, "UPDATE retention_seen SET earliest_at = earliest_at - 64800000000");
    assert_int_equal(
        okno_retention_look(shop->work, "cam2", day + OKNO_DAY_US, &earliest, &shop->err), 0);
    assert_int_equal(int_of(shop, measured), 2 * OKNO_DAY_US);
    assert_int_equal(int_of(shop, "SELECT lost_at FROM jobs"), AT(100) + 2 * OKNO_DAY_US);
    assert_int_equal(
        okno_retention_look(shop->work, "cam2", T0 + 400 * OKNO_DAY_US, &earliest, &shop->err), 0);
    assert_int_equal(earliest, 0);
    int64_t next_us = 0;
    assert_int_equal(okno_retention_next(shop->work, T0 + 401 * OKNO_DAY_US, &next_us, &shop->err),
                     1);
}

/* On a full disk nothing can be noted: it is a failure that the service pauses after, not work done
 * that is followed by the next look at once. */
static void a_look_that_cannot_be_noted_is_a_failure(void **state)
{
    (void)state;
    int64_t next_us = 0;
    put(shop, "DELETE FROM archives WHERE archive = 'nvr'");
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files) VALUES"
        " (1, 'plain', 'dir', '/nowhere', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4')");
    put(shop,
        "CREATE TRIGGER full_1 BEFORE INSERT ON archive_looks BEGIN"
        " SELECT RAISE(ABORT, 'full'); END");
    put(shop,
        "CREATE TRIGGER full_2 BEFORE INSERT ON retention_seen BEGIN"
        " SELECT RAISE(ABORT, 'full'); END");
    assert_true(okno_look_next(shop->work, okno_time_now(), &next_us, &shop->err) < 0);
    assert_true(okno_retention_next(shop->work, T0, &next_us, &shop->err) < 0);
}

/* Cameras of an archive that fails are not looked at, so they set no moment either. */
static void an_archive_that_fails_sets_no_moment_in_the_past(void **state)
{
    (void)state;
    int64_t earliest = 0;
    int64_t next_us = 0;
    for (int i = 1; i <= 2; i++) {
        const char *camera = i == 1 ? "cam1" : "cam2";
        assert_int_equal(okno_retention_look(shop->work, camera, T0, &earliest, &shop->err), 0);
    }
    put(shop,
        "INSERT INTO archive_turns (archive, failures) SELECT DISTINCT archive, 3 FROM cameras"
        " WHERE true ON CONFLICT DO UPDATE SET failures = 3");
    int64_t later = T0 + 2 * OKNO_DAY_US;
    assert_int_equal(okno_retention_next(shop->work, later, &next_us, &shop->err), 0);
    assert_true(next_us > later);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_look_becomes_a_measurement_when_it_tells_something_new),
        CASE(a_look_without_keeping_stores_nothing),
        CASE(who_asks_for_a_look_gets_it_before_it_is_due),
        CASE(clocks_are_looked_at_every_six_hours),
        CASE(how_long_an_archive_keeps_is_seen_when_its_earliest_recording_moves_on),
        CASE(a_look_that_cannot_be_noted_is_a_failure),
        CASE(an_archive_that_fails_sets_no_moment_in_the_past),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
