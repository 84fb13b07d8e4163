/* What is kept of a remote recording's index, and what it saves. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/extract/index.h"
#include "../support/nginx.h"
#include "../support/recording.h"

#include "okno/extract.h"
#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <sodium/crypto_generichash.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>

/* 2026-03-10T14:03:20Z */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

static const struct okno_piece piece = {
    .name = "till/14-03-20.mp4", .size = 1000, .tag = "17:1000"};

/* The folder of indexes, empty. */
static const char *fresh_dir(void)
{
    static char path[600];
    (void)snprintf(path, sizeof(path), "%s", fixture_path("index"));
    okno_extract_index_sweep(path, -1, INT64_MAX);
    return path;
}

/* The only file in it; empty when there is none. */
static const char *only_file(const char *dir)
{
    static char path[900];
    path[0] = '\0';
    DIR *files = opendir(dir);
    struct dirent *entry;
    while (files && (entry = readdir(files)))
        if (entry->d_name[0] != '.')
            (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
    if (files)
        (void)closedir(files);
    return path;
}

#define SECRET "a secret of sixteen bytes or more"

/* Put one file in place of each other one. */
static void swap_files(const char *dir, const char *from)
{
    char path[900];
    DIR *files = opendir(dir);
    const struct dirent *entry;
    assert_non_null(files);
    while ((entry = readdir(files))) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.' && strcmp(path, from) != 0) {
            assert_int_equal(unlink(path), 0);
            assert_int_equal(link(from, path), 0);
        }
    }
    (void)closedir(files);
}

static void what_was_put_is_there_the_next_time(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    char into[32] = "";
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_int_equal(index_get(index, 0, into, 10), 0);
    index_put(index, 100, "hundred", 7);
    index_put(index, 107, "and more", 8);
    index_close(index);

    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_int_equal(index_get(index, 102, into, sizeof(into)), 13);
    assert_memory_equal(into, "ndredand more", 13);
    assert_int_equal(index_get(index, 99, into, 4), 0);
    index_close(index);

    struct index *other = index_open(dir, SECRET, "another", "http://x", &piece);
    assert_int_equal(index_get(other, 102, into, 4), 0);
    index_close(other);
    struct index *moved = index_open(dir, SECRET, "nvr", "http://y", &piece);
    assert_int_equal(index_get(moved, 102, into, 4), 0);
    index_close(moved);
}

/* Who may write into the folder says nothing about where things are in a recording. */
static void an_index_of_another_hand_or_recording_is_as_good_as_none(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    char into[8] = "";
    char theirs[300];
    struct okno_piece other = piece;
    (void)snprintf(other.name, sizeof(other.name), "other.mp4");
    struct index *index = index_open(dir, "a guess of the secret", "nvr", "http://x", &piece);
    index_put(index, 0, "12345678", 8);
    index_close(index);
    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_false(index_is_kept(index));
    assert_int_equal(index_get(index, 0, into, 8), 0);
    index_put(index, 0, "12345678", 8);
    index_close(index);
    (void)snprintf(theirs, sizeof(theirs), "%s", only_file(dir));
    index = index_open(dir, SECRET, "nvr", "http://x", &other);
    index_put(index, 0, "87654321", 8);
    index_close(index);
    swap_files(dir, theirs);
    index = index_open(dir, SECRET, "nvr", "http://x", &other);
    assert_false(index_is_kept(index));
    index_close(index);
}

static void parts_that_overlap_are_kept_once(void **state)
{
    (void)state;
    char into[16] = "";
    struct index *index = index_open(fresh_dir(), SECRET, "nvr", "http://x", &piece);
    index_put(index, 4, "45", 2);
    index_put(index, 8, "8", 1);
    index_put(index, 2, "23xx67x9", 8);
    assert_int_equal(index_get(index, 2, into, sizeof(into)), 8);
    assert_memory_equal(into, "23456789", 8);
    index_drop(index);
}

static void a_recording_that_changes_has_no_old_index(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    char into[4];
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    index_put(index, 0, "old", 3);
    index_close(index);

    struct okno_piece changed = piece;
    (void)snprintf(changed.tag, sizeof(changed.tag), "18:1000");
    index = index_open(dir, SECRET, "nvr", "http://x", &changed);
    assert_int_equal(index_get(index, 0, into, 3), 0);
    index_close(index);
    changed.flags = OKNO_SPAN_GROWING;
    assert_null(index_open(dir, SECRET, "nvr", "http://x", &changed));
}

/* At each of its bytes, and without its last. */
static void a_damaged_file_is_as_good_as_none(void **state)
{
    (void)state;
    off_t size = 1;
    for (off_t at = 0; at <= size; at += 3) {
        const char *dir = fresh_dir();
        char into[8] = "";
        char byte = 0;
        struct stat st;
        struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        index_put(index, 0, "12345678", 8);
        index_close(index);
        const char *path = only_file(dir);
        assert_int_equal(stat(path, &st), 0);
        size = st.st_size;
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0);
        if (at >= size - 3) {
            assert_int_equal(ftruncate(fd, size - 1), 0);
            size = 0;
        } else {
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            byte ^= 0x40;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        (void)close(fd);
        index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        assert_int_equal(index_get(index, 0, into, 8), 0);
        index_put(index, 0, "12345678", 8); /* and it heals */
        index_close(index);
        index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        assert_int_equal(index_get(index, 0, into, 8), 8);
        assert_memory_equal(into, "12345678", 8);
        index_close(index);
    }
}

/* Only the blocks that are asked for are looked at; with one that is damaged all is forgotten. */
/* Opening a pipe for reading would wait for its writer. */
static void what_is_no_file_is_as_good_as_none(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    char into[4];
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    index_put(index, 0, "old", 3);
    index_close(index);
    const char *path = only_file(dir);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unlink(path), 0);
        assert_int_equal(i ? symlink("/dev/zero", path) : mkfifo(path, 0600), 0);
        (void)alarm(20); /* the test ends if it waits */
        index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        (void)alarm(0);
        assert_false(index_is_kept(index));
        assert_int_equal(index_get(index, 0, into, 3), 0);
        index_put(index, 0, "new", 3);
        index_close(index);
        index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        assert_int_equal(index_get(index, 0, into, 3), 3);
        index_close(index);
    }
}

static void damage_is_found_where_it_is_read(void **state)
{
    (void)state;
    enum { LEN = 1000000 };
    const char *dir = fresh_dir();
    okno_autofree char *bytes = calloc(1, LEN);
    assert_non_null(bytes);
    memcpy(bytes + LEN - 3, "end", 3);
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    index_put(index, 0, bytes, LEN);
    index_put(index, INT64_C(2) * LEN, "far", 3);
    index_close(index);
    int fd = open(only_file(dir), O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, LEN / 2), 1);
    (void)close(fd);
    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_int_equal(index_get(index, LEN - 3, bytes, 3), 3);
    assert_memory_equal(bytes, "end", 3);
    assert_int_equal(index_get(index, INT64_C(2) * LEN, bytes, 3), 3);
    assert_memory_equal(bytes, "far", 3);
    assert_in_range(index_get(index, 0, bytes, LEN), 0, LEN / 2);
    assert_int_equal(index_get(index, LEN - 3, bytes, 3), 0);
    index_close(index);
    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_false(index_is_kept(index) && index_get(index, 0, bytes, LEN) > 0);
    index_drop(index);
}

/* The whole of a day's index is planned before a window's part of it is read: telling what is known
 * reads nothing. */
static void what_is_known_is_told_without_reading_it(void **state)
{
    (void)state;
    enum { LEN = 300 * 1024 };
    okno_autofree char *bytes = calloc(1, LEN);
    const char *dir = fresh_dir();
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_non_null(bytes);
    index_put(index, 0, bytes, LEN);
    index_put(index, LEN, bytes, 10);
    index_put(index, LEN + 20, bytes, 10);
    index_close(index);
    int fd = open(only_file(dir), O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, LEN / 2), 1); /* seen when it is read */
    (void)close(fd);
    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_int_equal(index_known(index, 0, INT64_C(10) * LEN), LEN + 10);
    assert_int_equal(index_known(index, 5, 100), 95);
    assert_int_equal(index_known(index, LEN + 10, LEN + 20), 0);
    assert_int_equal(index_known(index, LEN + 25, LEN + 100), 5);
    assert_int_equal(index_known(NULL, 0, 1), 0);
    assert_in_range(index_get(index, 0, bytes, LEN), 0, LEN / 2);
    assert_int_equal(index_known(index, 0, LEN), 0);
    index_drop(index);
}

/* Whole by its digests, and full of places that no recording has. */
static void places_that_cannot_be_are_not_taken_from_a_file(void **state)
{
    (void)state;
    static const int64_t places[] = {INT64_MIN, INT64_MIN + 50, -3, INT64_MAX - 2, 100};
    enum { HEAD = 16 + 16, DIGESTS = HEAD + 16, OWN = DIGESTS + 32, BYTES = OWN + 32 };
    const char *dir = fresh_dir();
    for (size_t i = 0; i < OKNO_COUNT(places); i++) {
        uint8_t file[BYTES + 8] = "okno index 5\n";
        const uint64_t counts[2] = {1, 8};
        const uint64_t len = 8;
        char into[8];
        struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        index_put(index, 0, "12345678", 8);
        index_close(index);
        memcpy(file + 16, counts, sizeof(counts));
        memcpy(file + HEAD, &places[i], 8);
        memcpy(file + HEAD + 8, &len, 8);
        okno_hash_bytes(file + BYTES, 8, file + DIGESTS);
        const char *path = only_file(dir);
        uint8_t key[32];
        (void)crypto_generichash(key, 32, (const uint8_t *)strrchr(path, '/') + 1, 33,
                                 (const uint8_t *)SECRET, strlen(SECRET));
        (void)crypto_generichash(file + OWN, 32, file, OWN, key, 32);
        int fd = open(path, O_WRONLY | O_TRUNC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
        (void)close(fd);
        index = index_open(dir, SECRET, "nvr", "http://x", &piece);
        assert_int_equal(index_get(index, 100, into, 8), places[i] == 100 ? 8 : 0);
        assert_int_equal(index_get(index, 0, into, 8), 0);
        index_drop(index);
    }
}

static void more_than_the_bound_is_not_kept(void **state)
{
    (void)state;
    enum { PART = 8 * 1024 * 1024 };
    okno_autofree char *bytes = calloc(1, PART);
    struct index *index = index_open(fresh_dir(), SECRET, "nvr", "http://x", &piece);
    assert_non_null(bytes);
    for (int i = 0; i < 6; i++)
        index_put(index, (int64_t)i * PART, bytes, PART);
    assert_int_equal(index_get(index, 0, bytes, PART), PART);
    assert_int_equal(index_get(index, INT64_C(5) * PART, bytes, PART), 0);
    index_drop(index);
}

static void the_longest_unused_go_first(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    char into[4];
    struct okno_piece other = piece;
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    index_put(index, 0, "old", 3);
    index_close(index);
    const struct timespec past[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    assert_int_equal(utimensat(AT_FDCWD, only_file(dir), past, 0), 0);
    (void)snprintf(other.name, sizeof(other.name), "till/15.mp4");
    index = index_open(dir, SECRET, "nvr", "http://x", &other);
    index_put(index, 0, "new", 3);
    index_close(index);

    okno_extract_index_sweep(dir, 200, 0);
    index = index_open(dir, SECRET, "nvr", "http://x", &piece);
    assert_int_equal(index_get(index, 0, into, 3), 0);
    index_close(index);
    index = index_open(dir, SECRET, "nvr", "http://x", &other);
    assert_int_equal(index_get(index, 0, into, 3), 3);
    index_close(index);
}

/* --- through the whole way -------------------------------------------------------------------- */

static struct support_nginx nginx;

static int serve(void **state)
{
    int rc = fixture_begin(state);
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=240 -vf noise=alls=20:allf=t -c:v libx264 "
        "-preset ultrafast -bf 0 -g 60 -keyint_min 60 -sc_threshold 0 base.mp4");
    (void)mkdir(fixture_path("nvr"), 0700);
    support_nginx_start(&nginx, fixture_path("nvr"), NULL);
    return rc;
}

static int stop(void **state)
{
    support_nginx_stop(&nginx);
    return fixture_end(state);
}

/* A stream may be that far ahead of its reader when it is closed. */
#define READ_AHEAD (INT64_C(4) * 1024 * 1024)

struct kind {
    const char *name, *ending, *options;
    int64_t warm; /* requests of another window of the same recording, at most */
};

static const struct kind kinds[] = {
    {"front", "mp4", "-movflags +faststart", 1},
    {"end", "mp4", "", 1},
    {"sidx", "mp4", "-movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx", 1},
    {"bare", "mp4", "-movflags +frag_keyframe+empty_moov+default_base_moof+skip_trailer", 6},
    {"stream", "ts", "", 5},
    {"cues", "mkv", "", 2},
};

static struct okno_extract_result clip(const struct kind *kind, const char *index_dir,
                                       int64_t from_us, const char *out)
{
    char files[64];
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)snprintf(files, sizeof(files), "{channel}_%%Y-%%m-%%d_%%H-%%M-%%S.%s", kind->ending);
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = nginx.url,
                                               .files = files,
                                               .time_zone = "UTC",
                                               .user = "",
                                               .password = "",
                                               .options = ""};
    OKNO_AUTO(okno_archive) *archive = NULL;
    const struct okno_extract_camera *camera = NULL;
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s", err.text);
    camera = &(struct okno_extract_camera){.archive = archive,
                                           .channel = kind->name,
                                           .index_dir = index_dir,
                                           .index_key = SECRET,
                                           .archive_id = "nvr",
                                           .archive_url = "http://x"};
    (void)unlink(fixture_path(out));
    if (okno_extract_clip(camera, T0 + from_us, T0 + from_us + 10 * SECOND, false,
                          fixture_path(out), &result, &err) < 0)
        fail_msg("%s: %s", kind->name, err.text);
    return result;
}

static void assert_same_file(const char *a, const char *b)
{
    int64_t size = fixture_size(a);
    assert_int_equal(size, fixture_size(b));
    okno_autofree char *one = malloc((size_t)size);
    okno_autofree char *two = malloc((size_t)size);
    okno_autofclose FILE *first = fopen(fixture_path(a), "rb");
    okno_autofclose FILE *second = fopen(fixture_path(b), "rb");
    assert_true(one && two && first && second);
    assert_int_equal(fread(one, 1, (size_t)size, first), size);
    assert_int_equal(fread(two, 1, (size_t)size, second), size);
    assert_memory_equal(one, two, (size_t)size);
}

static void the_second_window_of_a_recording_costs_its_own_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        const char *dir = fresh_dir();
        fixture_ffmpeg("-i base.mp4 -c copy %s nvr/%s_2026-03-10_14-03-20.%s", kind->options,
                       kind->name, kind->ending);
        struct okno_extract_result cold = clip(kind, NULL, 150 * SECOND, "cold.mp4");
        struct okno_extract_result first = clip(kind, dir, 60 * SECOND, "first.mp4");
        struct okno_extract_result warm = clip(kind, dir, 150 * SECOND, "warm.mp4");
        assert_same_file("cold.mp4", "warm.mp4");
        if (warm.requests > kind->warm || warm.bytes_read > cold.bytes_read + READ_AHEAD)
            fail_msg("%s: %lld requests, %lld bytes; cold %lld, %lld", kind->name,
                     (long long)warm.requests, (long long)warm.bytes_read, (long long)cold.requests,
                     (long long)cold.bytes_read);
        assert_true(first.requests <= cold.requests + 1);
        okno_extract_result_free(&cold);
        okno_extract_result_free(&first);
        okno_extract_result_free(&warm);
    }
}

/* An index that leads astray (its bytes are whole, and wrong) must not spoil the recording for
 * good. */
static void a_wrong_index_is_forgotten(void **state)
{
    (void)state;
    const char *dir = fresh_dir();
    struct okno_extract_result good = clip(&kinds[0], dir, 60 * SECOND, "good.mp4");
    okno_extract_result_free(&good);
    assert_true(only_file(dir)[0] != '\0');
    struct stat st;
    assert_int_equal(stat(fixture_path("nvr/front_2026-03-10_14-03-20.mp4"), &st), 0);
    struct okno_piece listed = {.size = st.st_size};
    (void)snprintf(listed.name, sizeof(listed.name), "front_2026-03-10_14-03-20.mp4");
    (void)snprintf(listed.tag, sizeof(listed.tag), "%lld:%lld", (long long)st.st_mtime * SECOND,
                   (long long)st.st_size);
    struct index *index = index_open(dir, SECRET, "nvr", "http://x", &listed);
    char byte = 0;
    assert_int_equal(index_get(index, 0, &byte, 1), 1); /* it is the one */
    index_drop(index);
    index = index_open(dir, SECRET, "nvr", "http://x", &listed);
    static char rubbish[256 * 1024];
    memset(rubbish, 0x5a, sizeof(rubbish));
    index_put(index, 0, rubbish, sizeof(rubbish));
    index_close(index);
    struct okno_extract_result again = clip(&kinds[0], dir, 60 * SECOND, "again.mp4");
    okno_extract_result_free(&again);
    assert_same_file("good.mp4", "again.mp4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there_the_next_time),
        cmocka_unit_test(an_index_of_another_hand_or_recording_is_as_good_as_none),
        cmocka_unit_test(parts_that_overlap_are_kept_once),
        cmocka_unit_test(a_recording_that_changes_has_no_old_index),
        cmocka_unit_test(a_damaged_file_is_as_good_as_none),
        cmocka_unit_test(what_is_no_file_is_as_good_as_none),
        cmocka_unit_test(damage_is_found_where_it_is_read),
        cmocka_unit_test(what_is_known_is_told_without_reading_it),
        cmocka_unit_test(places_that_cannot_be_are_not_taken_from_a_file),
        cmocka_unit_test(more_than_the_bound_is_not_kept),
        cmocka_unit_test(the_longest_unused_go_first),
        cmocka_unit_test(the_second_window_of_a_recording_costs_its_own_bytes),
        cmocka_unit_test(a_wrong_index_is_forgotten),
    };
    return cmocka_run_group_tests(tests, serve, stop);
}
