#define _GNU_SOURCE
/* Linking through a real archive: every state, and what corrections change. */
#include "shop.h"

#include "../audit/run_okno.h"

#include "okno/camera_clock.h"

static int setup(void **state)
{
    *state = shop_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static const char *archive_state(struct shop *shop)
{
    static char text[40];
    OKNO_AUTO_VEC(okno_outlook_vec) outlook = {0};
    if (okno_work_outlook(shop->work, LATER, &outlook, &shop->err) < 0)
        fail_msg("%s", shop->err.text);
    assert_int_equal(outlook.len, 1);
    okno_autojson json_t *json = okno_outlook_json(&outlook.items[0]);
    (void)snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(json, "state")));
    return text;
}

static void an_archive_that_was_never_asked_is_not_said_to_answer(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    assert_string_equal(archive_state(shop), "unasked");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_string_equal(archive_state(shop), "ok");
    put(shop,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (7, %lld, 'a', 'x', '-');"
        "INSERT INTO archives (import, archive, kind, url, files)"
        " SELECT 7, archive, kind, 'http://127.0.0.1:9/', files FROM archives",
        (long long)LATER + 1);
    assert_string_equal(archive_state(shop), "unasked"); /* that answer was another place's */
}

/* No job is there to fail: the daily look is all that asks, and what it heard is told. */
static void an_archive_whose_daily_look_failed_is_not_said_to_be_unasked(void **state)
{
    struct shop *shop = *state;
    static struct ran ran;
    OKNO_AUTO_VEC(okno_outlook_vec) outlook = {0};
    int64_t next_us = 0;
    put(shop, "UPDATE archives SET url = 'http://127.0.0.1:9/'");
    assert_string_equal(archive_state(shop), "unasked");
    assert_int_equal(okno_retention_next(shop->work, LATER, &next_us, &shop->err), 1);
    assert_string_equal(archive_state(shop), "transient");
    assert_int_equal(okno_work_outlook(shop->work, LATER, &outlook, &shop->err), 0);
    assert_int_equal(outlook.items[0].failed_us, LATER);
    assert_int_equal(outlook.items[0].failures, 0); /* jobs may ask at once */
    assert_non_null(strstr(outlook.items[0].message, "127.0.0.1"));
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "archive", "status");
    assert_non_null(strstr(ran.out, "failed when it was asked last; last failure 20"));
    assert_non_null(strstr(ran.out, outlook.items[0].message));
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "doctor");
    assert_non_null(strstr(ran.out, "failed when it was asked last; last failure 20"));
    put(shop, "UPDATE archives SET url = '%s/'", shop->nginx.url);
    assert_int_equal(okno_retention_next(shop->work, LATER + OKNO_DAY_US, &next_us, &shop->err), 1);
    assert_string_equal(archive_state(shop), "ok"); /* the failure and its moment stay told */
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "archive", "status");
    assert_non_null(strstr(ran.out, "answers; last failure 20"));
}

/* ---- states ---- */

static void a_recorded_survey_is_linked_with_the_clocks_uncertainty_around_it(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_string_equal(text_of(shop, "SELECT camera FROM links"), "cam1");
    /* device 100 ms, camera 50 ms and 50 ppm of the 100 s since it was measured */
    int64_t u = 155000;
    assert_int_equal(int_of(shop, "SELECT uncertainty_us FROM links"), u);
    assert_int_equal(int_of(shop, "SELECT asked_from FROM links"), AT(80) - u);
    assert_int_equal(int_of(shop, "SELECT asked_to FROM links"), AT(120) + u);
    assert_string_equal(text_of(shop, "SELECT flags || gaps || message FROM links"), "[]");
    assert_string_equal(text_of(shop, "SELECT next_try_at FROM links"), "");
}

static void a_hole_makes_it_partial_and_is_told(void **state)
{
    struct shop *shop = *state;
    char expected[80];
    forget_minutes(shop, "cam1", 2, 3);
    forget_minutes(shop, "cam2", 0, 5);
    put_survey(shop, "d.0.1", 110, "");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "partial");
    (void)snprintf(expected, sizeof(expected), "[[%lld,%lld]]", (long long)AT(120),
                   (long long)int_of(shop, "SELECT asked_to FROM links"));
    assert_string_equal(text_of(shop, "SELECT gaps FROM links"), expected);
    assert_true(int_of(shop, "SELECT fraction * 1000 FROM links") > 740);
    assert_true(int_of(shop, "SELECT fraction * 1000 FROM links") < 760);
}

/* Many ratings of one camera: the first job brings all of them in the requests of a few, and the
 * others, which end in their own turn, ask for nothing. */
static void stills_in_line_at_one_archive_are_fetched_together(void **state)
{
    enum { MANY = 12 };
    struct shop *shop = *state;
    char id[32];
    int64_t next = 0;
    int code = 0;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "d.0.%d", i + 1);
        put_survey(shop, id, 70 + 3.0 * i, "yes");
        assert_string_equal(link_now(shop, id, LATER), "linked");
        put(shop,
            "INSERT INTO jobs (kind, survey, class, state, archive, next_try_at, made_at) VALUES"
            " ('still', '%s', 3, 'waiting', 'nvr', 0, 0)",
            id);
    }
    assert_int_equal(okno_work_run_one(shop->work, LATER, &next, &code, &shop->err), 1);
    assert_int_equal(code, 0);
    assert_int_equal(int_of(shop, "SELECT count(DISTINCT survey) FROM evidence"), MANY);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE state = 'done'"), 1);
    assert_int_equal(int_of(shop,
                            "SELECT count(*) FROM jobs WHERE state = 'waiting'"
                            " AND owner IS NULL"),
                     MANY - 1);
    assert_in_range(int_of(shop, "SELECT sum(requests) FROM evidence"), 1,
                    2 * MANY); /* each GOP one, the index, the list */
    assert_int_equal(run_due(shop, LATER), MANY - 1);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), MANY);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE state = 'done'"), MANY);
}

/* What a runner that died had put off waits no longer than its lease. */
static void stills_put_off_by_a_runner_that_died_come_back(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 110, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    put(shop,
        "INSERT INTO jobs (kind, survey, class, state, archive, next_try_at, made_at, owner) VALUES"
        " ('still', 'd.0.1', 3, 'waiting', 'nvr', %lld, 0, 'dead')",
        (long long)(LATER + 700 * OKNO_SECOND_US));
    assert_int_equal(run_due(shop, LATER), 0);
    assert_int_equal(run_due(shop, LATER + 701 * OKNO_SECOND_US), 1);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 1);
}

static void without_recording_it_says_why(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 3600, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "no_recording");
    put(shop,
        "INSERT INTO cameras (import, camera, site, archive, channel, retention_days)"
        " VALUES (1, 'cam1', 's', 'nvr', 'cam1', 1)");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "expired");
    put(shop, "UPDATE surveys SET point = 'p9'");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "no_camera");
}

static void what_has_just_happened_is_pending_until_the_archive_may_list_it(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 290, "yes"); /* asked beyond the last recording, which ends at 300 */
    assert_int_equal(plan_jobs(shop, AT(306)), 1);
    assert_int_equal(run_due(shop, AT(306)), 1);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "pending");
    int64_t next = int_of(shop, "SELECT asked_to FROM links") + 120 * OKNO_SECOND_US;
    assert_int_equal(int_of(shop, "SELECT next_try_at FROM links"), next);
    assert_int_equal(int_of(shop, "SELECT next_try_at FROM jobs"), next);
    assert_string_equal(text_of(shop, "SELECT state || ' ' || code FROM jobs"), "waiting not_yet");
    assert_int_equal(run_due(shop, next - 1), 0);
    record_minutes(shop, "cam1", 6);
    open_work(shop);                          /* listings are kept for a while by the real clock */
    assert_int_equal(run_due(shop, next), 2); /* and its still */
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
}

static struct okno_archive_seen tried(struct shop *shop, const char *files, int64_t at_us)
{
    struct okno_archive_row row = {.archive = "try", .kind = "dir", .time_zone = "UTC"};
    struct okno_archive_seen seen = {0};
    (void)snprintf(row.url, sizeof(row.url), "%s", shop->nginx.url);
    (void)snprintf(row.files, sizeof(row.files), "%s", files);
    if (okno_archive_try(okno_work_db(shop->work), &row, "long", at_us, 10 * OKNO_SECOND_US, &seen,
                         &shop->err) < 0)
        fail_msg("%s", shop->err.text);
    return seen;
}

/* Half a minute of a transport stream, then what has to be read to see that it is the end. */
static void put_long_tail(struct shop *shop, int second)
{
    enum { PACKETS = 15 * 1024 * 1024 / 188 };
    static const unsigned char null_packet[188] = {0x47, 0x1f, 0xff, 0x10};
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/long/2026-03-10_07-00-%02d.ts", shop->root, second);
    copy_file(fixture_path("tail.ts"), path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(fwrite(null_packet, sizeof(null_packet), 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static void a_try_that_may_not_read_ten_minutes_reads_less_of_them(void **state)
{
    struct shop *shop = *state;
    support_file(shop->root, "long/.keep", 0, -1);
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=5:d=5 -c:v libx264 -g 10 tail.ts");
    for (int i = 0; i < 8; i++)
        put_long_tail(shop, 5 * i);
    struct okno_archive_seen seen = tried(shop, "{channel}/%Y-%m-%d_%H-%M-%S.ts", LATER);
    assert_int_equal(seen.recordings, 8);
    assert_int_equal(seen.looked_us, seen.covered_us);
}

/* Names in Moscow's time, and a row that says UTC. */
static void recordings_of_the_hours_to_come_tell_of_a_wrong_time_zone(void **state)
{
    struct shop *shop = *state;
    int64_t now = okno_time_now();
    static const int hours[] = {-5, -1, 3};
    support_file(shop->root, "long/.keep", 0, -1);
    assert_int_equal(tried(shop, "{channel}/%Y-%m-%d_%H-%M-%S.mp4", now).ahead_us, 0);
    for (size_t i = 0; i < OKNO_COUNT(hours); i++) {
        struct okno_civil c;
        char path[300];
        okno_time_to_civil(now + hours[i] * 3600 * OKNO_SECOND_US, &c);
        (void)snprintf(path, sizeof(path), "%s/long/%04d-%02d-%02d_%02d-%02d-%02d.mp4", shop->root,
                       c.year % 10000, c.month % 100, c.day % 100, c.hour % 100, c.minute % 100,
                       c.second % 100);
        copy_file(fixture_path("minute.mp4"), path);
    }
    open_work(shop);
    int64_t ahead = tried(shop, "{channel}/%Y-%m-%d_%H-%M-%S.mp4", now).ahead_us;
    assert_in_range(ahead, 179 * 60 * OKNO_SECOND_US, 180 * 60 * OKNO_SECOND_US);
    /* A recorder's clock that is known to run ahead is no news. */
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'archive:try', %lld, 10800000000, 1000000)",
        (long long)now);
    assert_int_equal(tried(shop, "{channel}/%Y-%m-%d_%H-%M-%S.mp4", now).ahead_us, 0);
}

static void what_a_recorder_lists_late_is_found_within_a_day(void **state)
{
    struct shop *shop = *state;
    put(shop,
        "DELETE FROM placements WHERE camera = 'cam2';"
        "INSERT INTO jobs (kind, survey, audit, class, state, next_try_at, made_at) VALUES"
        " ('clip', 'd.0.1', 'A1', 3, 'waiting', 0, 0)");
    put_survey(shop, "d.0.1", 110, "yes"); /* asked for 90..130 */
    forget_minutes(shop, "cam1", 2, 5);
    assert_int_equal(plan_jobs(shop, AT(1000)), 1);
    assert_int_equal(run_due(shop, AT(1000)), 3);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "partial");
    assert_string_equal(text_of(shop, "SELECT state || ' ' || code FROM jobs WHERE kind = 'link'"),
                        "waiting no_coverage");
    assert_string_not_equal(text_of(shop, "SELECT gaps FROM evidence WHERE kind = 'clip'"), "[]");
    record_minutes(shop, "cam1", 5);
    open_work(shop);
    assert_int_equal(run_due(shop, AT(1100)), 3);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    assert_string_equal(
        text_of(shop, "SELECT gaps FROM evidence WHERE kind = 'clip' ORDER BY id DESC"), "[]");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'still'"), 1);
    assert_int_equal(run_due(shop, LATER), 0);
}

static void after_a_day_what_is_missing_is_missing(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 3600, "yes");
    assert_int_equal(plan_jobs(shop, AT(3615) + OKNO_DAY_US), 1);
    assert_int_equal(run_due(shop, AT(3615) + OKNO_DAY_US), 1);
    assert_string_equal(text_of(shop, "SELECT state FROM jobs"), "done");
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "no_recording");
}

static void an_open_window_is_not_linked_yet(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    put(shop, "UPDATE surveys SET state = 'open'");
    assert_int_equal(plan_jobs(shop, LATER), 0);
    assert_int_equal(okno_work_link(shop->work, "d.0.1", LATER, NULL, &shop->err), OKNO_NOT_YET);
}

static void an_unmeasured_clock_makes_it_time_uncertain(void **state)
{
    struct shop *shop = *state;
    put(shop, "DELETE FROM clocks");
    put_survey(shop, "d.0.1", 100, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_string_equal(text_of(shop, "SELECT flags FROM links"), "time_uncertain");
    assert_int_equal(int_of(shop, "SELECT uncertainty_us FROM links"), 10100000);
}

static void offsets_of_the_index_clock_move_what_is_asked_for(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 260, "yes");
    /* The recorder runs an hour behind: nothing of that hour is there. */
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'archive:nvr', %lld, -3600000000, 50000)",
        (long long)T0);
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked"); /* a camera's own comes first */
    put(shop, "DELETE FROM clocks WHERE target LIKE 'camera:%%'");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "no_recording");
    put(shop,
        "UPDATE surveys SET opened_at = opened_at + 3600000000,"
        " closes_at = closes_at + 3600000000, answered_at = answered_at + 3600000000");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    assert_int_equal(still.index_offset_us, -3600 * OKNO_SECOND_US);
    assert_in_range(still.frame_at_us, AT(3865) - 200000, AT(3865));
}

/* ---- outages and second cameras ---- */

static void an_archive_that_is_down_is_asked_again_until_it_is_back(void **state)
{
    struct shop *shop = *state;
    int64_t now = LATER;
    int64_t wait = 0;
    put_survey(shop, "d.0.1", 100, "yes");
    support_nginx_pause(&shop->nginx);
    assert_int_equal(plan_jobs(shop, now), 1);
    for (int64_t expected = 15; expected <= 60; expected *= 2) {
        assert_int_equal(run_due(shop, now), 1);
        assert_string_equal(text_of(shop, "SELECT state FROM links"), "unreachable");
        assert_string_equal(
            text_of(shop, "SELECT state || ' ' || code || ' ' || archive FROM jobs"),
            "waiting transient nvr");
        assert_non_null(strstr(text_of(shop, "SELECT message FROM links"), "cam"));
        wait = int_of(shop, "SELECT next_try_at FROM jobs") - now;
        assert_in_range(wait, expected * OKNO_SECOND_US,
                        expected * OKNO_SECOND_US * 5 / 4 + OKNO_SECOND_US); /* asking took time */
        assert_int_equal(int_of(shop, "SELECT next_try_at FROM links"), now + wait);
        assert_int_equal(run_due(shop, now + wait - 1), 0);
        now += wait;
    }
    support_nginx_resume(&shop->nginx);
    assert_int_equal(run_due(shop, now), 2);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE state = 'done'"), 2);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'still'"), 1);
}

static void add_dead_archive(struct shop *shop)
{
    struct support_nginx dead = {0};
    support_nginx_start(&dead, shop->root, NULL);
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files) VALUES"
        " (1, 'dead', 'dir', '%s/', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4');"
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'dead', 'cam1')",
        dead.url);
    support_nginx_stop(&dead);
}

static void a_second_camera_takes_over_when_the_first_is_down(void **state)
{
    struct shop *shop = *state;
    add_dead_archive(shop);
    put_survey(shop, "d.0.1", 100, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_string_equal(text_of(shop, "SELECT camera FROM links"), "cam2");
    open_work(shop);
    forget_minutes(shop, "cam2", 1, 2); /* the second has a hole: the first may have it all */
    put_survey(shop, "d.0.2", 100, "yes");
    assert_string_equal(link_now(shop, "d.0.2", LATER), "unreachable");
}

static void a_second_camera_takes_over_when_the_first_has_a_hole(void **state)
{
    struct shop *shop = *state;
    forget_minutes(shop, "cam1", 1, 2);
    put_survey(shop, "d.0.1", 100, "yes");
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_string_equal(text_of(shop, "SELECT camera FROM links"), "cam2");
    assert_string_equal(fetch_well(shop, "d.0.1", "clip").camera, "cam2");
}

/* ---- corrections ---- */

static void put_offset(struct shop *shop, int64_t offset_ms)
{
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'camera:cam1', %lld, %lld, 50000)",
        (long long)T0, (long long)offset_ms * 1000);
}

static void a_link_with_evidence_never_degrades(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    forget_minutes(shop, "cam1", 0, 5);
    forget_minutes(shop, "cam2", 0, 5);
    open_work(shop);
    put_offset(shop, 30000);
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 2); /* link, and the still that it never had */
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    assert_string_equal(text_of(shop, "SELECT flags FROM links"), "outdated");
    assert_int_equal(int_of(shop, "SELECT asked_from FROM links"), clip.asked_from_us);
    assert_string_equal(fetch_well(shop, "d.0.1", "clip").sha256, clip.sha256);
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

static void
a_link_with_evidence_stands_while_its_archive_is_down_and_follows_afterwards(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "clip");
    put_offset(shop, 30000);
    support_nginx_pause(&shop->nginx);
    open_work(shop);
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 1);
    assert_string_equal(text_of(shop, "SELECT state || index_offset_us FROM links"), "linked0");
    int64_t next = int_of(shop, "SELECT next_try_at FROM jobs");
    assert_in_range(next, LATER + 15 * OKNO_SECOND_US, LATER + 19 * OKNO_SECOND_US);
    support_nginx_resume(&shop->nginx);
    assert_true(run_due(shop, next) >= 2);
    assert_string_equal(text_of(shop, "SELECT state || index_offset_us FROM links"),
                        "linked30000000");
}

static void a_corrected_offset_fetches_again_and_verdicts_stay_with_what_was_watched(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    put(shop,
        "INSERT INTO jobs (kind, survey, audit, class, state, next_try_at, made_at) VALUES"
        " ('clip', 'd.0.1', 'A1', 1, 'waiting', 0, 0)");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 3); /* link, clip, still */
    char first[65];
    (void)snprintf(first, sizeof(first), "%s",
                   text_of(shop, "SELECT sha256 FROM evidence WHERE kind = 'clip'"));
    put(shop,
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'A1', 'd.0.1', 1, 'random', 'decided');"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, watched, reasons_version)"
        " VALUES (1, 'A1', 'd.0.1', 'eva', 1, 'valid', '[\"%s\"]', 1)",
        first);
    put_offset(shop, 7400);
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 3);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'clip'"), 2);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'still'"), 2);
    assert_int_equal(int_of(shop,
                            "SELECT index_offset_us FROM evidence WHERE kind = 'clip'"
                            " ORDER BY id DESC"),
                     7400000);
    assert_int_equal(int_of(shop,
                            "SELECT count(*) FROM evidence e JOIN verdicts v ON"
                            " v.watched = '[\"' || e.sha256 || '\"]'"
                            " WHERE e.index_offset_us = 0"),
                     1);
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

static void a_clock_measured_once_more_asks_the_archive_nothing(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 2);
    support_nginx_pause(&shop->nginx); /* asking would now be noticed */
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'camera:cam1', %lld, 20000, 20000)",
        (long long)AT(200));
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 1);
    assert_string_equal(text_of(shop, "SELECT state || code FROM jobs WHERE kind = 'link'"),
                        "done");
    assert_true(int_of(shop, "SELECT uncertainty_us FROM links") < 155000);
    assert_int_equal(plan_jobs(shop, LATER), 0);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 1);
}

static void a_measurement_far_away_touches_no_link(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    put_offset(shop, 0);
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'camera:cam1', %lld, 0, 50000), (1, 'camera:cam2', %lld, 0, 50000)",
        (long long)AT(200), (long long)AT(200));
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'camera:cam1', %lld, 900000000, 50000), (1, 'device:d', %lld, 5, 5)",
        (long long)AT(300), (long long)AT(100));
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

static void a_corrected_placement_moves_to_the_other_camera(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "clip");
    put(shop,
        "INSERT INTO placements (import, point, camera, valid_from, priority) VALUES"
        " (1, 'p1', 'cam2', 0, 0)");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 3); /* link, clip again, still */
    assert_string_equal(text_of(shop, "SELECT camera FROM links"), "cam2");
    assert_string_equal(text_of(shop,
                                "SELECT group_concat(camera) FROM (SELECT camera FROM"
                                " evidence WHERE kind = 'clip' ORDER BY id)"),
                        "cam1,cam2");
}

static void a_survey_that_moved_is_linked_anew(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence before = fetch_well(shop, "d.0.1", "clip");
    put(shop,
        "UPDATE surveys SET opened_at = opened_at + 60000000, closes_at = closes_at + 60000000,"
        " answered_at = answered_at + 60000000, placed_at = 2");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 3);
    assert_in_range(int_of(shop,
                           "SELECT asked_from FROM evidence WHERE kind = 'clip'"
                           " ORDER BY id DESC"),
                    before.asked_from_us + 59990000, before.asked_from_us + 60010000);
}

static void a_late_answer_gets_its_own_photo(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    (void)run_due(shop, LATER);
    put(shop,
        "UPDATE surveys SET state = 'answered', answer = 'no', answered_at = opened_at + 5000000");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    (void)run_due(shop, LATER);
    assert_in_range(int_of(shop, "SELECT frame_at FROM evidence ORDER BY id DESC"),
                    AT(105) - 200000, AT(105));
}

static void a_corrected_channel_finds_what_was_not_recorded(void **state)
{
    struct shop *shop = *state;
    put(shop,
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'nvr', 'kam1'); DELETE FROM placements WHERE camera = 'cam2';"
        "INSERT INTO jobs (kind, survey, audit, class, state, next_try_at, made_at) VALUES"
        " ('clip', 'd.0.1', 'A1', 1, 'waiting', 0, 0)");
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 2);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "no_recording");
    assert_string_equal(text_of(shop, "SELECT state || ' ' || code FROM jobs WHERE kind = 'clip'"),
                        "done no_coverage");
    put(shop,
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'nvr', 'cam1')");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 3);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'clip'"), 1);
}

static void extraction_by_hand_follows_corrections_too(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "clip");
    put_offset(shop, 7400);
    assert_int_equal(fetch_well(shop, "d.0.1", "clip").index_offset_us, 7400000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_archive_that_was_never_asked_is_not_said_to_answer),
        CASE(an_archive_whose_daily_look_failed_is_not_said_to_be_unasked),
        CASE(a_recorded_survey_is_linked_with_the_clocks_uncertainty_around_it),
        CASE(a_hole_makes_it_partial_and_is_told),
        CASE(stills_in_line_at_one_archive_are_fetched_together),
        CASE(stills_put_off_by_a_runner_that_died_come_back),
        CASE(without_recording_it_says_why),
        CASE(what_has_just_happened_is_pending_until_the_archive_may_list_it),
        CASE(a_try_that_may_not_read_ten_minutes_reads_less_of_them),
        CASE(recordings_of_the_hours_to_come_tell_of_a_wrong_time_zone),
        CASE(what_a_recorder_lists_late_is_found_within_a_day),
        CASE(after_a_day_what_is_missing_is_missing),
        CASE(an_open_window_is_not_linked_yet),
        CASE(an_unmeasured_clock_makes_it_time_uncertain),
        CASE(offsets_of_the_index_clock_move_what_is_asked_for),
        CASE(an_archive_that_is_down_is_asked_again_until_it_is_back),
        CASE(a_second_camera_takes_over_when_the_first_is_down),
        CASE(a_second_camera_takes_over_when_the_first_has_a_hole),
        CASE(a_link_with_evidence_never_degrades),
        CASE(a_link_with_evidence_stands_while_its_archive_is_down_and_follows_afterwards),
        CASE(a_corrected_offset_fetches_again_and_verdicts_stay_with_what_was_watched),
        CASE(a_clock_measured_once_more_asks_the_archive_nothing),
        CASE(a_measurement_far_away_touches_no_link),
        CASE(a_corrected_placement_moves_to_the_other_camera),
        CASE(a_survey_that_moved_is_linked_anew),
        CASE(a_late_answer_gets_its_own_photo),
        CASE(a_corrected_channel_finds_what_was_not_recorded),
        CASE(extraction_by_hand_follows_corrections_too),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
