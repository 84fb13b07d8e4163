/* Windows that overlap share what was fetched: the next one asks for the rest only. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/extract/recent.h"
#include "../support/nginx.h"
#include "../support/recording.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

static const uint8_t one[16] = "one";
static const uint8_t two[16] = "two";

static void what_was_put_is_known_until_it_is_old(void **state)
{
    (void)state;
    char into[16] = "";
    struct okno_extract_recent *recent = okno_extract_recent_new();
    assert_non_null(recent);
    recent_put(recent, one, 100, "hundred", 7);
    recent_put(recent, one, 107, "and more", 8);
    assert_int_equal(recent_get(recent, one, 102, into, sizeof(into)), 13);
    assert_memory_equal(into, "ndredand more", 13);
    assert_int_equal(recent_get(recent, one, 99, into, 4), 0);
    assert_int_equal(recent_get(recent, two, 102, into, 4), 0);
    assert_int_equal(recent_next(recent, one, 0, 1000), 100);
    assert_int_equal(recent_next(recent, one, 101, 1000), 107);
    assert_int_equal(recent_next(recent, two, 0, 1000), 1000);
    okno_extract_recent_expire(recent, okno_time_monotonic() + 890 * SECOND);
    assert_int_equal(recent_get(recent, one, 100, NULL, 4), 4);
    okno_extract_recent_expire(recent, okno_time_monotonic() + 910 * SECOND);
    assert_int_equal(recent_get(recent, one, 100, NULL, 4), 0);
    okno_extract_recent_free(recent);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    enum { PART = 1024 * 1024 };
    struct okno_extract_recent *recent = okno_extract_recent_new();
    okno_autofree char *bytes = calloc(1, PART);
    for (int64_t i = 0; i < 36; i++)
        recent_put(recent, one, i * PART, bytes, PART);
    assert_int_equal(recent_next(recent, one, 0, INT64_MAX), INT64_C(4) * PART);
    assert_int_equal(recent_get(recent, one, INT64_C(4) * PART, NULL, (size_t)40 * PART),
                     (size_t)32 * PART);
    for (int64_t i = 0; i < 2000; i++)
        recent_put(recent, two, 2 * i, "x", 1);
    assert_int_equal(recent_get(recent, two, 3998, NULL, 1), 1);
    assert_int_equal(recent_get(recent, two, 0, NULL, 1), 0);
    okno_extract_recent_free(recent);
    recent_put(NULL, one, 0, "x", 1);
    assert_int_equal(recent_get(NULL, one, 0, NULL, 1), 0);
}

/* --- through the whole way -------------------------------------------------------------------- */

static struct support_nginx nginx;

static int serve(void **state)
{
    int rc = fixture_begin(state);
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=120 -vf noise=alls=20:allf=t -c:v libx264 "
        "-preset ultrafast -bf 0 -g 30 -keyint_min 30 -sc_threshold 0 base.mp4");
    (void)mkdir(fixture_path("nvr"), 0700);
    support_nginx_start(&nginx, fixture_path("nvr"), NULL);
    return rc;
}

static int stop(void **state)
{
    support_nginx_stop(&nginx);
    return fixture_end(state);
}

static const struct kind {
    const char *name, *ending, *options;
} kinds[] = {
    {"front", "mp4", "-movflags +faststart"},
    {"sidx", "mp4", "-movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx"},
    {"stream", "ts", ""},
    {"cues", "mkv", ""},
};

static struct okno_archive *open_archive(const struct kind *kind)
{
    char files[64];
    struct okno_err err = {0};
    struct okno_archive *archive = NULL;
    (void)snprintf(files, sizeof(files), "{channel}_%%Y-%%m-%%d_%%H-%%M-%%S.%s", kind->ending);
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = nginx.url,
                                               .files = files,
                                               .time_zone = "UTC",
                                               .user = "",
                                               .password = "",
                                               .options = ""};
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s", err.text);
    return archive;
}

struct cost {
    int64_t requests, bytes;
};

/* [from, to) seconds, or a still of `from` where they are the same. */
static struct cost take(struct okno_extract_recent *recent, const struct kind *kind, int from,
                        int to, const char *out)
{
    OKNO_AUTO(okno_archive) *archive = open_archive(kind);
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    const struct okno_extract_camera camera = {.archive = archive,
                                               .channel = kind->name,
                                               .index_dir = fixture_path("index"),
                                               .archive_id = "nvr",
                                               .archive_url = "http://x",
                                               .recent = recent};
    (void)unlink(fixture_path(out));
    int rc = from == to
                 ? okno_extract_still(&camera, T0 + from * SECOND, fixture_path(out), &result, &err)
                 : okno_extract_clip(&camera, T0 + from * SECOND, T0 + to * SECOND, false,
                                     fixture_path(out), &result, &err);
    if (rc < 0)
        fail_msg("%s: %s", kind->name, err.text);
    const struct cost cost = {result.requests, result.bytes_read};
    okno_extract_result_free(&result);
    return cost;
}

static void assert_same_file(const char *a, const char *b)
{
    int64_t size = fixture_size(a);
    assert_int_equal(size, fixture_size(b));
    okno_autofree char *first = malloc((size_t)size);
    okno_autofree char *second = malloc((size_t)size);
    okno_autofclose FILE *x = fopen(fixture_path(a), "rb");
    okno_autofclose FILE *y = fopen(fixture_path(b), "rb");
    assert_true(first && second && x && y);
    assert_int_equal(fread(first, 1, (size_t)size, x), size);
    assert_int_equal(fread(second, 1, (size_t)size, y), size);
    assert_memory_equal(first, second, (size_t)size);
}

static void a_window_that_overlaps_costs_its_own_bytes_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        fixture_ffmpeg("-i base.mp4 -c copy %s nvr/%s_2026-03-10_14-03-20.%s", kind->options,
                       kind->name, kind->ending);
        struct okno_extract_recent *shared = okno_extract_recent_new();
        (void)take(shared, kind, 20, 21, "a.mp4"); /* finds the way */
        (void)take(shared, kind, 40, 60, "a.mp4");
        struct cost inside = take(shared, kind, 45, 45, "inside.jpg");
        struct cost after = take(shared, kind, 50, 70, "after.mp4");
        struct cost all = take(NULL, kind, 50, 70, "alone.mp4");
        struct cost photo = take(NULL, kind, 45, 45, "alone.jpg");
        assert_same_file("after.mp4", "alone.mp4");
        assert_same_file("inside.jpg", "alone.jpg");
        assert_int_equal(inside.requests, 0);
        assert_true(photo.requests > 0);
        assert_true(after.requests <= all.requests);
        assert_true(after.bytes < all.bytes * 7 / 10);
        okno_extract_recent_free(shared);
    }
}

static void a_recording_that_changed_or_grows_is_another_one(void **state)
{
    (void)state;
    struct okno_piece piece = {.name = "till/14-03-20.mp4", .size = 1000, .tag = "17:1000"};
    struct okno_extract_camera camera = {.archive_id = "nvr", .archive_url = "http://x"};
    uint8_t first[16];
    uint8_t key[16];
    assert_true(recent_key(&camera, &piece, first));
    assert_true(recent_key(&camera, &piece, key));
    assert_memory_equal(first, key, sizeof(key));
    (void)snprintf(piece.tag, sizeof(piece.tag), "18:1000");
    assert_true(recent_key(&camera, &piece, key));
    assert_memory_not_equal(first, key, sizeof(key));
    (void)snprintf(piece.tag, sizeof(piece.tag), "17:1000");
    camera.archive_id = "other";
    assert_true(recent_key(&camera, &piece, key));
    assert_memory_not_equal(first, key, sizeof(key));
    piece.flags = OKNO_SPAN_GROWING;
    assert_false(recent_key(&camera, &piece, key));
}

/* What was kept may have been wrong when it came: it is fetched anew before anything is said. */
static void wrong_bytes_are_forgotten(void **state)
{
    (void)state;
    const struct kind *kind = &kinds[0];
    static char rubbish[8 * 1024 * 1024];
    const int64_t at = INT64_C(20) * 1024 * 1024;
    OKNO_AUTO(okno_archive) *archive = open_archive(kind);
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    struct okno_err err = {0};
    struct okno_extract_recent *recent = okno_extract_recent_new();
    const struct okno_extract_camera camera = {.archive_id = "nvr", .archive_url = "http://x"};
    uint8_t key[16];
    assert_int_equal(
        okno_archive_pieces(archive, kind->name, T0 + SECOND, T0 + 2 * SECOND, &pieces, &err), 0);
    assert_true(recent_key(&camera, &pieces.items[0], key));
    memset(rubbish, 0x5a, sizeof(rubbish));
    recent_put(recent, key, at, rubbish, sizeof(rubbish));
    assert_true(take(recent, kind, 50, 50, "a.jpg").requests > 0);
    (void)take(NULL, kind, 50, 50, "b.jpg");
    assert_same_file("a.jpg", "b.jpg");
    assert_int_equal(recent_get(recent, key, at, NULL, 1), 0);
    okno_extract_recent_free(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_known_until_it_is_old),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(a_window_that_overlaps_costs_its_own_bytes_only),
        cmocka_unit_test(a_recording_that_changed_or_grows_is_another_one),
        cmocka_unit_test(wrong_bytes_are_forgotten),
    };
    return cmocka_run_group_tests(tests, serve, stop);
}
