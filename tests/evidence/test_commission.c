#define _GNU_SOURCE
/* Commissioning of cameras and readings of the clock in their pictures. */
#include "shop.h"

#include "okno/camera_clock.h"

#include "../audit/run_okno.h"

static struct ran ran;
static struct shop *shop;

#define OKNO_RUN(...) RUN_OKNO(&ran, "", "--data", shop->db->dir, __VA_ARGS__)

static int setup(void **state)
{
    (void)state;
    shop = shop_new(NULL);
    put(shop,
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's', 'Shop',"
        " 'Europe/Moscow')");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_free(shop);
    return 0;
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

static const char *due(const char *camera)
{
    static char text[32];
    json_t *list = NULL;
    json_t *one;
    size_t i;
    assert_int_equal(okno_commission_list(okno_work_db(shop->work), &list, &shop->err), 0);
    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "camera")), camera) == 0)
            (void)snprintf(text, sizeof(text), "%s",
                           json_string_value(json_object_get(one, "due")));
    }
    json_decref(list);
    return text;
}

static void a_press_and_the_frame_that_shows_it_set_the_clock_and_keep_the_view(void **state)
{
    (void)state;
    assert_string_equal(due("cam1"), "never");
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", "2026-03-10T07:02:00Z",
             "--frame", "2026-03-10T07:02:07.4Z", "--rights", "contract 5", "--json");
    ends(0, "\"error_ms\":7400.0,\"offset_ms\":7400.0,\"uncertainty_ms\":7", "");
    assert_string_equal(text_of(shop,
                                "SELECT method || ' ' || offset_us FROM clocks"
                                " WHERE target = 'camera:cam1' ORDER BY id DESC"),
                        "commission 7400000");
    assert_string_equal(text_of(shop,
                                "SELECT codec || ' ' || width || ' ' || rights || ' ' ||"
                                " length(still) FROM commissionings"),
                        "h264 160 contract 5 64");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM camera_references"), 1);
    assert_string_equal(due("cam1"), "");
    assert_string_equal(due("cam2"), "never");
}

static void a_refused_commissioning_leaves_no_reference(void **state)
{
    (void)state;
    const char *press = "2026-03-10T07:02:00Z";
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", press, "--frame",
             "2026-03-10T07:02:07.4Z");
    ends(2, "", "on what ground");
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", "2026-03-10T06:50:00Z",
             "--frame", "2026-03-10T07:02:07.4Z", "--rights", "contract 5");
    ends(2, "", "727 s from the press");
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", press, "--frame",
             "2026-03-10T07:02:07.4Z", "--rights", "");
    ends(2, "", "on what ground");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM camera_references"), 0);
    assert_string_equal(due("cam1"), "never");
}

static void a_search_by_presses_is_asked_for_answered_and_only_then_accepted(void **state)
{
    (void)state;
    struct okno_db *db = okno_work_db(shop->work);
    const struct okno_sync_ask ask = {
        .camera = "cam2",
        .from_us = LATER - OKNO_DAY_US,
        .to_us = LATER,
        .area = {.left = 4000, .top = 3500, .right = 6000, .bottom = 5550}};
    const struct okno_sync_ask nobodys = {
        .camera = "cam9", .from_us = LATER - OKNO_DAY_US, .to_us = LATER, .whole = true};
    int64_t id = 0, other = 0;
    assert_int_equal(okno_sync_put(db, &nobodys, "root", LATER, &other, NULL), OKNO_NOT_FOUND);
    assert_int_equal(okno_sync_put(db, &ask, "root", LATER, &id, &shop->err), 0);
    assert_int_equal(okno_sync_put(db, &ask, "root", LATER, &other, NULL), OKNO_BUSY);
    assert_int_equal(okno_sync_accept(db, id, "root", LATER, NULL), OKNO_REFUSED);
    /* A process that was killed while it looked: the question waits again. */
    put(shop, "UPDATE clock_syncs SET state = 'running'");
    assert_int_equal(okno_sync_next(shop->work, &shop->err), 0);
    assert_int_equal(okno_sync_restart(db, &shop->err), 0);
    assert_int_equal(okno_sync_next(shop->work, &shop->err), 1);
    assert_int_equal(okno_sync_next(shop->work, &shop->err), 0);
    /* No survey at a point of that camera: it says so, and stores nothing. */
    assert_string_equal(text_of(shop, "SELECT state FROM clock_syncs"), "failed");
    assert_non_null(strstr(text_of(shop, "SELECT message FROM clock_syncs"), "no survey"));
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE method = 'sync'"), 0);
    okno_autojson json_t *list = NULL;
    assert_int_equal(okno_sync_list(db, "cam2", &list, &shop->err), 0);
    const json_t *region = json_object_get(json_array_get(list, 0), "region");
    assert_true(json_number_value(json_array_get(region, 3)) == 55.5);
    put(shop,
        "UPDATE clock_syncs SET state = 'found', at = 1773126000000000, offset_us = 7400000,"
        " uncertainty_us = 90000");
    assert_int_equal(okno_sync_accept(db, id, "anna", LATER, &shop->err), 0);
    assert_int_equal(okno_sync_accept(db, id, "anna", LATER, NULL), OKNO_REFUSED);
    assert_string_equal(text_of(shop,
                                "SELECT c.method || ' ' || c.offset_us || ' ' || i.author FROM"
                                " clocks c JOIN imports i USING (import)"
                                " WHERE target = 'camera:cam2' AND method = 'sync'"),
                        "sync 7400000 anna");
    assert_string_equal(text_of(shop, "SELECT state || ' ' || accepted_by FROM clock_syncs"),
                        "accepted anna");
}

static void a_camera_is_due_again_when_what_was_commissioned_changed(void **state)
{
    (void)state;
    const struct okno_commission c = {.camera = "cam1",
                                      .press_at_us = AT(60),
                                      .frame_at_us = AT(61),
                                      .still = "",
                                      .codec = "h264",
                                      .rights = "r",
                                      .author = "local:a"};
    struct okno_commissioned done;
    struct okno_db *db = okno_work_db(shop->work);
    assert_int_equal(okno_commission_add(db, &c, LATER, &done, &shop->err), 0);
    assert_string_equal(due("cam1"), "");
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, step) VALUES"
        " (1, 'archive:nvr', %lld, 0, 1, 1)",
        (long long)AT(100));
    assert_string_equal(due("cam1"), "clock");
    struct okno_commission again = c;
    again.press_at_us = again.frame_at_us = AT(120);
    assert_int_equal(okno_commission_add(db, &again, LATER, &done, &shop->err), 0);
    assert_string_equal(due("cam1"), "");
    put(shop,
        "INSERT INTO archives SELECT NULL, import, archive, kind, url || 'x', files, time_zone,"
        " user, secret, options FROM archives");
    assert_string_equal(due("cam1"), "archive");
    put(shop,
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'nvr', 'other')");
    assert_string_equal(due("cam1"), "camera");
}

static void a_clock_that_is_known_better_stays_in_force(void **state)
{
    (void)state;
    struct okno_commission c = {.camera = "cam1",
                                .press_at_us = AT(60),
                                .press_uncertainty_us = OKNO_SECOND_US / 2,
                                .frame_at_us = AT(60.3),
                                .index_offset_us = 7400000,
                                .still = "",
                                .codec = "h264",
                                .rights = "r",
                                .author = "local:a"};
    struct okno_commissioned done;
    struct okno_db *db = okno_work_db(shop->work);
    put(shop,
        "DELETE FROM clocks; INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, "
        "method) VALUES (1, 'camera:cam1', %lld, 7400000, 80000, 'sync')",
        (long long)AT(100));
    assert_int_equal(okno_commission_add(db, &c, LATER, &done, &shop->err), 0);
    assert_int_equal(done.error_us, 300000);
    assert_int_equal(done.offset_us, 7400000);
    assert_in_range(done.uncertainty_us, 80000, 90000);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE method = 'commission'"), 0);
    assert_string_equal(due("cam1"), "");
    c.frame_at_us = AT(62); /* by more than both may be off */
    assert_int_equal(okno_commission_add(db, &c, LATER, &done, &shop->err), 0);
    assert_int_equal(done.offset_us, 9400000);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE method = 'commission'"), 1);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", "2026-03-10T07:02:00Z",
             "--frame", "2026-03-10T07:02:01Z");
    ends(2, "", "on what ground");
    OKNO_RUN("archive", "commission", "--camera", "cam1", "--press", "2026-03-10T06:02:00Z",
             "--frame", "2026-03-10T07:02:01Z", "--rights", "r");
    ends(2, "", "from the press");
    OKNO_RUN("archive", "commission", "--survey", "x.0.1", "--frame", "2026-03-10T07:02:01Z",
             "--rights", "r");
    ends(3, "", "no survey x.0.1");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM commissionings"), 0);
}

static void by_a_survey_the_kept_clip_gives_the_rest(void **state)
{
    (void)state;
    struct okno_commissioned done;
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "clip");
    struct okno_db *db = okno_work_db(shop->work);
    assert_int_equal(
        okno_commission_survey(db, "d.0.1", AT(101.2), "r", "boss", LATER, &done, &shop->err), 0);
    assert_string_equal(done.camera, "cam1");
    assert_int_equal(done.error_us, 1200000);
    assert_int_equal(done.offset_us, 1200000);
    assert_string_equal(text_of(shop, "SELECT width || 'x' || height FROM commissionings"),
                        "160x120");
    assert_int_equal(
        okno_commission_survey(db, "d.0.1", AT(400), "r", "boss", LATER, &done, &shop->err),
        OKNO_INVALID);
}

/* An overlay says nothing of the index clock unless somebody declared it right. */
static void overlay_and_index_clock_stay_apart(void **state)
{
    (void)state;
    OKNO_RUN("clock", "overlay", "--camera", "cam1", "--at", "2026-03-10T07:02:00Z", "--shows",
             "2026-03-10 10:04:30", "--json");
    ends(0, "\"overlay_minus_index_ms\":150500.0,\"uncertainty_ms\":500.0,\"trusted\":false", "");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM clocks WHERE method = 'overlay'"), 0);
    put(shop,
        "INSERT INTO cameras (import, camera, site, archive, channel, overlay_trusted) VALUES"
        " (1, 'cam1', 's', 'nvr', 'cam1', 1)");
    OKNO_RUN("clock", "overlay", "--camera", "cam1", "--at", "2026-03-10T07:02:00Z", "--shows",
             "2026-03-10T07:04:30Z");
    ends(0, "trusted", "");
    assert_string_equal(text_of(shop,
                                "SELECT target || ' ' || offset_us || ' ' || (at - 0) FROM"
                                " clocks WHERE method = 'overlay'"),
                        "camera:cam1 -150500000 1773126270500000");
    OKNO_RUN("clock", "overlay", "--camera", "cam1");
    ends(0, "\"trusted\":true", "");
    OKNO_RUN("clock", "overlay", "--camera", "cam1", "--at", "2026-03-10T07:02:00Z", "--shows",
             "2026-03-14 10:04:30");
    ends(2, "", "from the index clock");
    OKNO_RUN("clock", "overlay", "--camera", "cam1", "--at", "2026-03-10T07:02:00Z", "--shows",
             "ten past four");
    ends(2, "", "write what the picture shows");
}

static void a_doubled_hour_is_read_as_the_one_near_the_frame(void **state)
{
    (void)state;
    static const char *const shown = "2025-10-26 02:30:00"; /* 00:30Z and 01:30Z */
    const int64_t first = INT64_C(1761438600000000), hour_us = 3600 * OKNO_SECOND_US;
    struct okno_db *db = okno_work_db(shop->work);
    struct okno_camera camera = {.camera = "cam9", .site = "berlin"};
    int64_t us = 0;
    bool twice = false;
    put(shop,
        "INSERT INTO sites (import, site, name, time_zone) VALUES"
        " (1, 'berlin', 'Shop', 'Europe/Berlin')");
    assert_int_equal(
        okno_overlay_read(db, &camera, shown, first + 90 * OKNO_SECOND_US, &us, &twice, &shop->err),
        0);
    assert_true(twice);
    assert_int_equal(us, first);
    assert_int_equal(okno_overlay_read(db, &camera, shown, first + hour_us - 100 * OKNO_SECOND_US,
                                       &us, &twice, &shop->err),
                     0);
    assert_true(twice);
    assert_int_equal(us, first + hour_us);
    assert_int_equal(
        okno_overlay_read(db, &camera, "2025-03-30 02:30:00", first, &us, &twice, &shop->err),
        OKNO_INVALID);
    assert_string_equal(shop->err.field, "shows");
}

/* A measurement of the camera's own, and be it 0, hides its archive's: that is said. */
static void it_is_said_which_clock_is_in_force_and_whose(void **state)
{
    (void)state;
    put(shop, "DELETE FROM clocks");
    OKNO_RUN("camera", "show", "--camera", "cam1");
    ends(0, "clock right +-10.000 s, by no measurement: taken as right\n", "");
    OKNO_RUN("clock", "add", "archive:nvr", "--offset-ms", "37000", "--uncertainty-ms", "20");
    OKNO_RUN("camera", "show", "--camera", "cam1");
    ends(0, "clock fast by 37.000 s +-0.02", "");
    ends(0, "by measurements of its archive nvr\n", "");
    assert_null(strstr(ran.out, "not in force"));
    OKNO_RUN("clock", "add", "camera:cam1", "--offset-ms", "0", "--uncertainty-ms", "20");
    OKNO_RUN("camera", "show", "--camera", "cam1");
    ends(0, "clock right +-0.02", "");
    ends(0,
         "by measurements of the camera itself\n"
         "  not in force: the clock of its archive nvr, fast by 37.000 s\n",
         "");
    OKNO_RUN("doctor");
    ends(ran.exit_code,
         "camera cam1: its own clock is in force (right); that of its archive nvr (fast by 37.000 "
         "s) does not count",
         "");
    assert_null(strstr(ran.out, "camera cam2: its own clock"));
}

static void masks_are_shown_as_they_are_written(void **state)
{
    (void)state;
    OKNO_RUN("camera", "mask", "--camera", "cam1", "--from", "2026-03-01T00:00:00Z", "--reason",
             "the neighbour", "--shapes", "0,0 25,40.5; 60,80 80,80 70,100");
    ends(0, "", "2 mask(s)");
    OKNO_RUN("camera", "show", "--camera", "cam1");
    ends(0,
         "masks 0,0 25,0 25,40.5 0,40.5; 60,80 80,80 70,100 (per cent of the picture, "
         "across,down) from 2026-03-01T00:00:00.000Z",
         "");
    OKNO_RUN("camera", "mask", "--camera", "cam1", "--from", "2026-03-01T00:00:00Z", "--reason",
             "x", "--shapes", "0,0 25,400");
    ends(2, "", "okno camera: --shapes: \"400\" is no percentage");
    OKNO_RUN("camera", "mask", "--camera", "cam1", "--from", "2026-03-01T00:00:00Z", "--reason",
             "x", "--shapes", " ");
    ends(2, "", "okno camera: --shapes: no mask in it");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_press_and_the_frame_that_shows_it_set_the_clock_and_keep_the_view),
        CASE(a_refused_commissioning_leaves_no_reference),
        CASE(a_search_by_presses_is_asked_for_answered_and_only_then_accepted),
        CASE(a_camera_is_due_again_when_what_was_commissioned_changed),
        CASE(a_clock_that_is_known_better_stays_in_force),
        CASE(what_cannot_be_is_refused),
        CASE(by_a_survey_the_kept_clip_gives_the_rest),
        CASE(overlay_and_index_clock_stay_apart),
        CASE(it_is_said_which_clock_is_in_force_and_whose),
        CASE(masks_are_shown_as_they_are_written),
        CASE(a_doubled_hour_is_read_as_the_one_near_the_frame),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
