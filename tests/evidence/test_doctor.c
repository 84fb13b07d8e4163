#define _GNU_SOURCE
/* okno doctor on work at the archives and on the disk: limits, forecasts, and when it warns. */
#include "shop.h"

#include "../audit/run_okno.h"

#include <sys/statvfs.h>

static struct ran ran;
static struct shop *shop;

#define DOCTOR() RUN_OKNO(&ran, "", "--data", shop->db->dir, "doctor")

static int setup(void **state)
{
    (void)state;
    shop = shop_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_free(shop);
    return 0;
}

static void says(const char *part)
{
    if (!strstr(ran.out, part))
        fail_msg("\"%s\" is not in \"%s\"", part, ran.out);
}

/* Evidence of camera cam1, kept so many hours ago. */
static void keep(int64_t bytes, int64_t bytes_read, int hours_ago)
{
    put(shop,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from,"
        " asked_to, got_from, got_to, index_offset_us, uncertainty_us, source, requests,"
        " bytes_read, software, made_at) VALUES ('d.0.1', 'clip', '%064d', %lld, 'video/mp4',"
        " 'h264', 'cam1', 0, 1, 0, 1, 0, 0, '[]', 1, %lld, 'x', %lld)",
        hours_ago, (long long)bytes, (long long)bytes_read,
        (long long)okno_time_now() - hours_ago * 3600 * OKNO_SECOND_US);
}

static int64_t disk_free(void)
{
    struct statvfs fs;
    assert_int_equal(statvfs(shop->db->dir, &fs), 0);
    return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

static void a_disk_that_lasts_less_than_30_days_is_a_warning(void **state)
{
    (void)state;
    keep(disk_free() * 4 / 81, 5400000, 2); /* others write to the disk meanwhile */
    DOCTOR();
    says("warning  retention");
    says("the disk is full in 20 days");
    says("-> make room, or set evidence.keep_days lower");
    says("ok       line");
    says("5.4 MB were read from archives (0.001 Mbit/s on the average)"); /* 5.4e6 x 8 / 86400 */
}

static void one_that_lasts_longer_is_none(void **state)
{
    (void)state;
    keep(disk_free() * 4 / 161, 5400000, 2);
    DOCTOR();
    says("ok       retention");
    says("the disk is full in 40 days");
}

/* What was fetched counts once, for the archive that the camera is at now. */
static void a_camera_that_moved_is_counted_once(void **state)
{
    (void)state;
    keep(1000000, 8640000, 2);
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files) SELECT import, 'other', kind,"
        " url, files FROM archives;"
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'other', 'cam1')");
    DOCTOR();
    says("in the last day 8.6 MB were read");
    says("and 1.0 MB kept");
}

static void how_an_archive_may_be_asked_is_said(void **state)
{
    (void)state;
    DOCTOR();
    says("; at most 2 sessions at a time\n"); /* of the configuration */
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files, time_zone, options) SELECT"
        " import, archive, kind, url, files, 'Europe/Moscow',"
        " 'rate=500 parallel=3 hours=20:00-08:00' FROM archives;"
        "INSERT INTO archives (import, archive, kind, url, options) VALUES"
        " (1, 'one', 'hikvision', 'http://127.0.0.1:9', 'times=utc')");
    DOCTOR();
    says("; at most 3 sessions at a time, 500 kB/s on the average, at 20:00-08:00 Europe/Moscow\n");
    says("; at most 1 session at a time\n"); /* its kind takes no more */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_disk_that_lasts_less_than_30_days_is_a_warning),
        CASE(one_that_lasts_longer_is_none),
        CASE(a_camera_that_moved_is_counted_once),
        CASE(how_an_archive_may_be_asked_is_said),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
