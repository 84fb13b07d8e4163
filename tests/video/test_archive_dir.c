#include "okno/archive.h"

#include "../support/nginx.h"
#include "../support/server.h"
#include "../support/tempdir.h"

#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DAYS "{channel}/%Y-%m-%d/%H-%M-%S.mp4"
enum { BIG_BYTES = 3000000, SMALL_BYTES = 1000, HOLE_BYTES = 2200000 };

static char *root;
static struct support_nginx nginx;

static int64_t instant(const char *text)
{
    int64_t us = 0;
    assert_int_equal(okno_time_parse(text, &us, NULL), 0);
    return us;
}

/* A file of an hour ago or older, unless its name says when it was written. */
static void put(const char *name, size_t len)
{
    support_file(root, name, len, instant("2026-03-20T00:00:00Z"));
}

static int start(void **state)
{
    (void)state;
    root = support_tempdir();
    /* One minute each from 13:58, the last two after a hole; then the next day. */
    put("cam1/2026-03-10/13-58-00.mp4", SMALL_BYTES);
    put("cam1/2026-03-10/13-59-00.mp4", SMALL_BYTES);
    put("cam1/2026-03-10/14-00-00.mp4", BIG_BYTES);
    put("cam1/2026-03-10/14-01-00.mp4", SMALL_BYTES);
    put("cam1/2026-03-10/14-10-00.mp4", SMALL_BYTES);
    put("cam1/2026-03-10/14-11-00.mp4", SMALL_BYTES);
    put("cam1/2026-03-10/14-11-00.mp4.part", SMALL_BYTES);
    put("cam1/2026-03-10/23-59-30.mp4", SMALL_BYTES);
    put("cam1/2026-03-11/00-00-30.mp4", SMALL_BYTES);
    put("cam1/2026-03-11/00-01-30.mp4", 0);
    put("long/2026-03-10/04-00-00.mp4", SMALL_BYTES);
    put("odd name #1/2026-03-10/14-00-00.mp4", SMALL_BYTES);
    support_text(root, "users", "anna:{PLAIN}secret\n");
    char directives[512];
    (void)snprintf(directives, sizeof(directives),
                   "location /html/ { alias %s/; autoindex_format html; }"
                   "location /closed/ { alias %s/; autoindex off; }"
                   "location /login/ { alias %s/; auth_basic o; auth_basic_user_file %s/users; }"
                   "location /whole/ { alias %s/; max_ranges 0; }",
                   root, root, root, root, root);
    support_nginx_start(&nginx, root, directives);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    support_nginx_stop(&nginx);
    support_tempdir_remove(root);
    return 0;
}

static struct okno_archive *opened_as(const char *url, const char *files, const char *zone)
{
    struct okno_archive_config config = {.archive = "a",
                                         .kind = "dir",
                                         .url = url,
                                         .files = files,
                                         .time_zone = zone,
                                         .user = "anna",
                                         .password = "secret",
                                         .deadline_us = 5 * OKNO_SECOND_US};
    struct okno_archive *archive = NULL;
    struct okno_err err = {0};
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s: %s", url, err.text);
    return archive;
}

static struct okno_archive *opened_local(void)
{
    return opened_as(root, DAYS, "UTC");
}

static struct okno_archive *opened_http(const char *below)
{
    char url[256];
    (void)snprintf(url, sizeof(url), "%s%s", nginx.url, below);
    return opened_as(url, DAYS, "UTC");
}

/* The pieces as text: "HH:MM:SS-HH:MM:SS flags" in UTC, joined by ", ". */
static const char *pieces_of(struct okno_archive *archive, const char *channel, const char *from,
                             const char *to)
{
    static char text[4096];
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    struct okno_err err = {0};
    if (okno_archive_pieces(archive, channel, instant(from), instant(to), &pieces, &err) < 0)
        fail_msg("%s", err.text);
    text[0] = '\0';
    for (size_t i = 0; i < pieces.len; i++) {
        const struct okno_piece *p = &pieces.items[i];
        struct okno_civil a;
        struct okno_civil b;
        okno_time_to_civil(p->from_us, &a);
        okno_time_to_civil(p->to_us, &b);
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof(text) - len, "%s%02d:%02d:%02d-%02d:%02d:%02d%s%s%s",
                       i ? ", " : "", a.hour, a.minute, a.second, b.hour, b.minute, b.second,
                       p->flags & OKNO_SPAN_APPROX ? "" : " exact",
                       p->flags & OKNO_SPAN_GROWING ? " growing" : "",
                       p->flags & OKNO_SPAN_AMBIGUOUS ? " ambiguous" : "");
    }
    return text;
}

static int pieces_code(struct okno_archive *archive, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int rc = okno_archive_pieces(archive, "cam1", instant("2026-03-10T14:00:00Z"),
                                 instant("2026-03-10T14:00:30Z"), &pieces, err);
    if (rc < 0)
        assert_int_equal(pieces.len, 0);
    return rc;
}

/* The piece that begins at an instant. */
static struct okno_piece piece_at(struct okno_archive *archive, const char *from)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t us = instant(from);
    struct okno_err err = {0};
    if (okno_archive_pieces(archive, "cam1", us, us + OKNO_SECOND_US, &pieces, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < pieces.len; i++)
        if (pieces.items[i].from_us == us)
            return pieces.items[i];
    fail_msg("nothing begins at %s", from);
    return (struct okno_piece){0};
}

static int read_code(struct okno_source *source, int64_t offset, size_t len, struct okno_err *err)
{
    size_t got = 99;
    okno_autofree unsigned char *bytes = malloc(len ? len : 1);
    int rc = source->read_at(source->ctx, offset, bytes, len, &got, err);
    if (rc < 0) {
        assert_int_equal(got, 99);
        return rc;
    }
    int64_t left = source->size - offset;
    size_t want = left <= 0 ? 0 : (uint64_t)left < len ? (size_t)left : len;
    assert_int_equal(got, want);
    for (size_t i = 0; i < got; i++)
        if (bytes[i] != support_pattern((size_t)offset + i))
            fail_msg("byte %zu differs", (size_t)offset + i);
    return 0;
}

static void assert_reads(struct okno_source *source, int64_t offset, size_t len)
{
    struct okno_err err = {0};
    if (read_code(source, offset, len, &err) < 0)
        fail_msg("%s", err.text);
}

/* --- listing --- */

static void check_pieces(struct okno_archive *archive)
{
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T13:59:30Z", "2026-03-10T14:00:30Z"),
                        "13:59:00-14:00:00, 14:00:00-14:01:00");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:00:00Z", "2026-03-10T14:01:00Z"),
                        "14:00:00-14:01:00");
    /* The hole: the file before it ends after the usual minute. */
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:01:59Z", "2026-03-10T14:10:00Z"),
                        "14:01:00-14:02:00");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:02:00Z", "2026-03-10T14:10:00Z"),
                        "");
    /* Over midnight, from the folder before and into the next. */
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-11T00:00:00Z", "2026-03-11T00:00:10Z"),
                        "23:59:30-00:00:30");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T23:59:50Z", "2026-03-11T00:01:00Z"),
                        "23:59:30-00:00:30, 00:00:30-00:01:30");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-12T00:00:00Z", "2026-03-12T01:00:00Z"),
                        "");
    assert_string_equal(pieces_of(archive, "cam9", "2026-03-10T14:00:00Z", "2026-03-10T14:01:00Z"),
                        "");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:00:00Z", "2026-03-10T14:00:00Z"),
                        "");
}

static void a_local_folder_gives_the_pieces_of_an_interval(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_local();
    check_pieces(archive);
}

static void a_file_url_is_a_local_folder(void **state)
{
    (void)state;
    char url[256];
    (void)snprintf(url, sizeof(url), "file://%s/", root);
    OKNO_AUTO(okno_archive) *archive = opened_as(url, DAYS, "UTC");
    check_pieces(archive);
}

static void nginx_gives_the_same_pieces(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    check_pieces(archive);
    OKNO_AUTO(okno_archive) *slashed = opened_http("/login/?token=hush");
    check_pieces(slashed);
}

static void a_piece_says_what_it_is(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *local = opened_local();
    OKNO_AUTO(okno_archive) *remote = opened_http("");
    struct okno_piece a = piece_at(local, "2026-03-10T14:00:00Z");
    struct okno_piece b = piece_at(remote, "2026-03-10T14:00:00Z");
    assert_string_equal(a.name, "cam1/2026-03-10/14-00-00.mp4");
    assert_string_equal(a.format, "mov");
    assert_int_equal(a.size, BIG_BYTES);
    assert_int_equal(a.error_us, OKNO_SECOND_US);
    assert_string_equal(a.name, b.name);
    assert_string_equal(a.tag, b.tag);
    assert_int_equal(b.size, BIG_BYTES);
}

static void thousands_of_calls_list_a_day_once(void **state)
{
    (void)state;
    static const struct support_reply script[] = {
        {"HTTP/1.1 200 OK\r\n\r\n"
         "[{\"name\":\"00-00-00.mp4\",\"type\":\"file\",\"mtime\":\"Tue, 10 Mar 2026 01:00:00 "
         "GMT\",\"size\":7},{\"name\":\"x\",\"type\":\"directory\",\"size\":1}]",
         NULL, false, false},
        {"HTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n", NULL, false, true}};
    struct support_server *server = support_server_start(script, 2);
    OKNO_AUTO(okno_archive) *archive = opened_as(support_server_url(server), DAYS, "UTC");
    int64_t from = instant("2026-03-10T00:00:00Z");
    for (int i = 0; i < 2000; i++) {
        OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
        assert_int_equal(okno_archive_pieces(archive, "cam1", from + i * OKNO_SECOND_US,
                                             from + (i + 5) * OKNO_SECOND_US, &pieces, NULL),
                         0);
        assert_int_equal(pieces.len, 1);
    }
    /* The day, the next one for the last file's end. */
    assert_int_equal(support_server_requests(server), 2);
    support_server_stop(server);
}

static void names_with_spaces_and_signs_are_reached(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    OKNO_AUTO(okno_source) *source = NULL;
    int64_t from = instant("2026-03-10T14:00:00Z");
    assert_int_equal(okno_archive_pieces(archive, "odd name #1", from, from + 1, &pieces, NULL), 0);
    assert_int_equal(pieces.len, 1);
    assert_int_equal(okno_archive_source(archive, &pieces.items[0], &source, NULL), 0);
    assert_reads(source, 0, SMALL_BYTES);
}

static void hour_folders_and_a_zone_are_followed(void **state)
{
    (void)state;
    char *own = support_tempdir();
    int64_t old = instant("2026-03-20T00:00:00Z");
    support_file(own, "2026-03-10/16/cam1/59.40.ts", 10, old);
    support_file(own, "2026-03-10/17/cam1/00.10.ts", 10, old);
    support_file(own, "2026-03-10/17/cam1/00.40.ts", 10, old);
    OKNO_AUTO(okno_archive) *archive =
        opened_as(own, "%Y-%m-%d/%H/{channel}/%M.%S.ts", "Europe/Moscow");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:00:00Z", "2026-03-10T14:00:30Z"),
                        "13:59:40-14:00:10, 14:00:10-14:00:40");
    support_tempdir_remove(own);
}

/* Files that motion starts: 10 s or so, but one of five minutes, written until 10:09. */
static void motion_files(const char *folder, bool copied)
{
    static const struct {
        const char *name;
        int seconds;
    } files[] = {{"100000", 10}, {"100100", 12}, {"100130", 10}, {"100400", 300},
                 {"101500", 10}, {"101510", 10}, {"102500", 10}};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        char name[40];
        char at[32];
        const char *n = files[i].name;
        (void)snprintf(name, sizeof(name), "20260310-%s.mkv", n);
        (void)snprintf(at, sizeof(at), "2026-03-10T%.2s:%.2s:%.2sZ", n, n + 2, n + 4);
        support_file(folder, name, 1000,
                     copied ? instant("2026-03-11T09:00:00Z")
                            : instant(at) + files[i].seconds * OKNO_SECOND_US);
    }
}

static void a_file_longer_than_most_is_found_to_its_end(void **state)
{
    (void)state;
    char *own = support_tempdir();
    motion_files(own, false);
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mkv", "UTC");
    assert_string_equal(pieces_of(archive, "1", "2026-03-10T10:08:00Z", "2026-03-10T10:08:30Z"),
                        "10:04:00-10:09:00");
    assert_string_equal(pieces_of(archive, "1", "2026-03-10T10:10:00Z", "2026-03-10T10:14:00Z"),
                        "");
    support_tempdir_remove(own);
}

/* Nothing tells where it ends: it may go on until the next. */
static void files_of_any_length_may_last_until_the_next(void **state)
{
    (void)state;
    char *own = support_tempdir();
    motion_files(own, true);
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mkv", "UTC");
    assert_string_equal(pieces_of(archive, "1", "2026-03-10T10:08:00Z", "2026-03-10T10:08:30Z"),
                        "10:04:00-10:15:00");
    support_tempdir_remove(own);
}

/* Recorders begin with a short file when they are started in the middle of an hour. */
static void the_newest_file_grows_past_the_length_of_a_short_one(void **state)
{
    (void)state;
    char *own = support_tempdir();
    int64_t now = okno_time_now();
    static const int64_t begun_s[] = {1810, 1800};
    for (size_t i = 0; i < OKNO_COUNT(begun_s); i++) {
        struct okno_civil c;
        char name[64];
        okno_time_to_civil(now - begun_s[i] * OKNO_SECOND_US, &c);
        (void)snprintf(name, sizeof(name), "%04d%02d%02d-%02d%02d%02d.mkv", c.year % 10000,
                       c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
        support_file(own, name, 1000, i ? now : now - begun_s[1] * OKNO_SECOND_US);
    }
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mkv", "UTC");
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t from = now - 60 * OKNO_SECOND_US;
    assert_int_equal(okno_archive_pieces(archive, "1", from, now, &pieces, NULL), 0);
    assert_int_equal(pieces.len, 1);
    assert_true(pieces.items[0].flags & OKNO_SPAN_GROWING);
    support_tempdir_remove(own);
}

static void assert_hint(struct okno_archive *archive, const char *channel, const char *want)
{
    char hint[OKNO_ARCHIVE_HINT];
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t at = instant("2026-03-10T14:00:00Z");
    assert_int_equal(okno_archive_pieces(archive, channel, at, at + OKNO_SECOND_US, &pieces, NULL),
                     0);
    assert_int_equal(pieces.len, 0);
    okno_archive_hint(archive, hint);
    assert_string_equal(hint, want);
}

static void what_was_seen_instead_is_told(void **state)
{
    (void)state;
    char *own = support_tempdir();
    support_file(own, "cam1/20260310-140000.mp4", 1000, instant("2026-03-10T14:01:00Z"));
    support_file(own, "cam1/20260310-140100.mp4", 1000, instant("2026-03-10T14:02:00Z"));
    OKNO_AUTO(okno_archive) *flat = opened_as(own, "{channel}/%Y-%m-%d_%H-%M-%S.mp4", "UTC");
    assert_hint(flat, "cam1",
                "folder \"cam1\" holds 2 files, but none is named as by "
                "{channel}/%Y-%m-%d_%H-%M-%S.mp4: one is 20260310-140100.mp4");
    assert_hint(flat, "cam7", "there are no files in folder \"cam7\"");
    OKNO_AUTO(okno_archive) *days = opened_as(own, DAYS, "UTC");
    assert_hint(
        days, "cam1",
        "there are no files in folder \"cam1/2026-03-10\" and 1 more that were looked into");
    support_tempdir_remove(own);
}

static void the_newest_file_grows_while_it_is_written(void **state)
{
    (void)state;
    char *own = support_tempdir();
    int64_t now = okno_time_now();
    for (int i = 3; i >= 0; i--) {
        struct okno_civil c;
        char name[64];
        int64_t from = now - i * 30 * OKNO_SECOND_US - 10 * OKNO_SECOND_US;
        okno_time_to_civil(from, &c);
        (void)snprintf(name, sizeof(name), "%04d%02d%02d-%02d%02d%02d.mkv", c.year % 10000,
                       c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
        support_file(own, name, 1000, i ? from + 30 * OKNO_SECOND_US : now);
    }
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mkv", "UTC");
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    assert_int_equal(okno_archive_pieces(archive, "1", now - OKNO_DAY_US, now, &pieces, NULL), 0);
    assert_int_equal(pieces.len, 4);
    assert_false(pieces.items[2].flags & OKNO_SPAN_GROWING);
    assert_true(pieces.items[3].flags & OKNO_SPAN_GROWING);
    assert_int_equal(pieces.items[3].to_us, now);
    /* It may grow between listing and reading; a finished one may not. */
    char name[300];
    (void)snprintf(name, sizeof(name), "%s", pieces.items[3].name);
    support_file(own, name, 1500, -1);
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(archive, &pieces.items[3], &source, NULL), 0);
    assert_int_equal(source->size, 1500);
    assert_reads(source, 900, 600);
    support_tempdir_remove(own);
}

static void an_archive_copied_just_now_does_not_grow(void **state)
{
    (void)state;
    char *own = support_tempdir();
    support_file(own, "20260310-140000.mp4", 10, -1);
    support_file(own, "20260310-140100.mp4", 10, -1);
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mp4", "UTC");
    assert_string_equal(pieces_of(archive, "1", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"),
                        "14:00:00-14:01:00, 14:01:00-14:02:00");
    support_tempdir_remove(own);
}

static void a_lone_file_ends_when_it_was_last_written(void **state)
{
    (void)state;
    char *own = support_tempdir();
    support_file(own, "20260310-140000.mp4", 10, instant("2026-03-10T14:12:34Z"));
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mp4", "UTC");
    assert_string_equal(pieces_of(archive, "1", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"),
                        "14:00:00-14:12:34");
    support_tempdir_remove(own);
}

/* --- the doubled hour: 2026-10-25, 00:00Z-01:00Z and 01:00Z-02:00Z both show 02:xx in Berlin ---
 */

/* Files every ten minutes with local names; `write_after_us` < 0: all written at one moment. */
static void put_berlin(const char *own, const char *local, const char *utc, int64_t write_after_us)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "20261025-%s.mp4", local);
    support_file(own, name, 10,
                 write_after_us < 0 ? instant("2026-10-26T12:00:00Z")
                                    : instant(utc) + write_after_us);
}

static const char *berlin_pieces(const char *own)
{
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mp4", "Europe/Berlin");
    return pieces_of(archive, "1", "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z");
}

static void the_time_of_writing_tells_the_doubled_hour(void **state)
{
    (void)state;
    char *own = support_tempdir();
    int64_t lag = 1800 * OKNO_SECOND_US;
    put_berlin(own, "010000", "2026-10-24T23:00:00Z", lag);
    put_berlin(own, "013000", "2026-10-24T23:30:00Z", lag);
    put_berlin(own, "020000", "2026-10-25T01:00:00Z", lag); /* the second time over */
    put_berlin(own, "023000", "2026-10-25T00:30:00Z", lag); /* the first */
    put_berlin(own, "030000", "2026-10-25T02:00:00Z", lag);
    put_berlin(own, "033000", "2026-10-25T02:30:00Z", lag);
    assert_string_equal(berlin_pieces(own),
                        "23:30:00-00:00:00, 00:30:00-01:00:00, "
                        "01:00:00-01:30:00, 02:00:00-02:30:00");
    support_tempdir_remove(own);
}

static void continuity_tells_the_doubled_hour(void **state)
{
    (void)state;
    char *own = support_tempdir();
    static const char *const first[] = {"013000", "014000", "015000", "020000", "021000",
                                        "022000", "023000", "024000", "025000"};
    static const char *const second[] = {"020430", "021430", "022430", "023430",
                                         "024430", "025430", "030430", "031430"};
    for (size_t i = 0; i < OKNO_COUNT(first); i++)
        put_berlin(own, first[i], "", -1);
    for (size_t i = 0; i < OKNO_COUNT(second); i++)
        put_berlin(own, second[i], "", -1);
    const char *text = berlin_pieces(own);
    assert_null(strstr(text, "ambiguous"));
    assert_non_null(strstr(text, "23:50:00-00:00:00, 00:00:00-00:10:00, 00:10:00-00:20:00"));
    assert_non_null(strstr(text, "01:04:30-01:14:30, 01:14:30-01:24:30"));
    assert_non_null(strstr(text, "01:54:30-02:04:30, 02:04:30-02:14:30"));
    support_tempdir_remove(own);
}

static void what_cannot_be_told_is_given_twice_and_flagged(void **state)
{
    (void)state;
    char *own = support_tempdir();
    static const char *const names[] = {"012000", "014000", "020000", "022000",
                                        "024000", "030000", "032000"};
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        put_berlin(own, names[i], "", -1);
    const char *text = berlin_pieces(own);
    assert_non_null(strstr(text, "23:40:00-00:00:00, 00:00:00-00:20:00 ambiguous"));
    assert_non_null(strstr(text, "01:00:00-01:20:00 ambiguous"));
    assert_non_null(strstr(text, "01:40:00-02:00:00 ambiguous, 02:00:00-02:20:00"));
    support_tempdir_remove(own);
}

static void a_name_in_the_skipped_hour_is_kept_and_flagged(void **state)
{
    (void)state;
    char *own = support_tempdir();
    int64_t old = instant("2026-04-20T00:00:00Z");
    support_file(own, "20260329-014500.mp4", 10, old);
    support_file(own, "20260329-020000.mp4", 10, old); /* a recorder that did not follow the law */
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d-%H%M%S.mp4", "Europe/Berlin");
    assert_string_equal(pieces_of(archive, "1", "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"),
                        "00:45:00-01:00:00, 01:00:00-01:15:00 ambiguous");
    support_tempdir_remove(own);
}

static void hour_folders_know_enough_around_the_doubled_hour(void **state)
{
    (void)state;
    char *own = support_tempdir();
    static const struct {
        const char *name, *utc;
    } files[] = {{"01/3000.mp4", "2026-10-24T23:30:00Z"}, {"02/0000.mp4", "2026-10-25T00:00:00Z"},
                 {"02/3000.mp4", "2026-10-25T00:30:00Z"}, {"02/0500.mp4", "2026-10-25T01:05:00Z"},
                 {"02/3500.mp4", "2026-10-25T01:35:00Z"}, {"03/0500.mp4", "2026-10-25T02:05:00Z"},
                 {"03/3500.mp4", "2026-10-25T02:35:00Z"}};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "20261025/%s", files[i].name);
        support_file(own, name, 10, instant(files[i].utc) + 1800 * OKNO_SECOND_US);
    }
    OKNO_AUTO(okno_archive) *archive = opened_as(own, "%Y%m%d/%H/%M%S.mp4", "Europe/Berlin");
    assert_string_equal(pieces_of(archive, "1", "2026-10-25T00:10:00Z", "2026-10-25T00:20:00Z"),
                        "00:00:00-00:30:00");
    assert_string_equal(pieces_of(archive, "1", "2026-10-25T01:10:00Z", "2026-10-25T01:20:00Z"),
                        "01:05:00-01:35:00");
    support_tempdir_remove(own);
}

/* --- failures of listing --- */

static void a_listing_as_html_is_read_too(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *json = opened_http("");
    OKNO_AUTO(okno_archive) *html = opened_http("/html");
    char expected[4096];
    (void)snprintf(expected, sizeof(expected), "%s",
                   pieces_of(json, "cam1", "2026-03-10T13:58:30Z", "2026-03-10T14:12:00Z"));
    assert_string_equal(pieces_of(html, "cam1", "2026-03-10T13:58:30Z", "2026-03-10T14:12:00Z"),
                        expected);
}

/* An index page tells no time of writing: a lone recording may be of any length, and who reads it
 * learns. */
static void a_lone_file_of_an_index_page_may_be_long(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *html = opened_http("/html");
    assert_string_equal(pieces_of(html, "long", "2026-03-10T11:30:00Z", "2026-03-10T11:31:00Z"),
                        "04:00:00-04:00:00");
}

static void a_root_that_is_not_there_is_no_empty_archive(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO(okno_archive) *remote = opened_http("/mistyped");
    assert_int_equal(pieces_code(remote, &err), OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(err.text, "check its url"));
    OKNO_AUTO(okno_archive) *local = opened_as("/nowhere/at/all", DAYS, "UTC");
    okno_err_clear(&err);
    assert_int_equal(pieces_code(local, &err), OKNO_TRANSIENT);
    assert_non_null(strstr(err.text, "mounted"));
}

/* A place to mount at is a folder, too. */
static void a_share_that_is_not_mounted_is_no_empty_archive(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char *own = support_tempdir();
    char path[300];
    OKNO_AUTO(okno_archive) *days = opened_as(own, DAYS, "UTC");
    OKNO_AUTO(okno_archive) *flat = opened_as(own, "%Y%m%d-%H%M%S.mp4", "UTC");
    assert_int_equal(pieces_code(days, &err), OKNO_TRANSIENT);
    assert_non_null(strstr(err.text, "the archive's root is empty; is it mounted?"));
    okno_err_clear(&err);
    assert_int_equal(pieces_code(flat, &err), OKNO_TRANSIENT);
    /* Mounted, and taken away again while it is open. */
    support_file(own, "20260310-140000.mp4", 1000, instant("2026-03-10T14:01:00Z"));
    OKNO_AUTO(okno_archive) *open = opened_as(own, DAYS, "UTC");
    assert_int_equal(pieces_code(open, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/20260310-140000.mp4", own);
    assert_int_equal(unlink(path), 0);
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t at = instant("2026-03-12T14:00:00Z");
    assert_int_equal(okno_archive_pieces(open, "cam1", at, at + OKNO_SECOND_US, &pieces, NULL),
                     OKNO_TRANSIENT);
    support_tempdir_remove(own);
}

static void a_closed_listing_and_a_wrong_password_are_told(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO(okno_archive) *closed = opened_http("/closed");
    assert_int_equal(pieces_code(closed, &err), OKNO_ARCHIVE_AUTH);
    char url[128];
    (void)snprintf(url, sizeof(url), "%s/login", nginx.url);
    struct okno_archive_config config = {
        .archive = "a", .kind = "dir", .url = url, .files = DAYS, .user = "anna", .password = "no"};
    OKNO_AUTO(okno_archive) *archive = NULL;
    assert_int_equal(okno_archive_open(&config, &archive, NULL), 0);
    okno_err_clear(&err);
    assert_int_equal(pieces_code(archive, &err), OKNO_ARCHIVE_AUTH);
    assert_non_null(strstr(err.text, "password refused"));
}

static void lists_that_are_not_nginx_json_break_the_protocol(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "[",
                                      "{}",
                                      "null",
                                      "[1]",
                                      "[{\"name\":5,\"type\":\"file\"}]",
                                      "[{\"name\":\"a\"}]",
                                      "[{\"name\":\"a\",\"type\":\"file\",\"size\":-1}]",
                                      "[{\"name\":\"a\",\"type\":\"file\",\"size\":\"1\"}]",
                                      "[] []",
                                      "\xff\xfe",
                                      "[{\"name\":\"a\",\"type\":\"file\",\"size\":1.5}]"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(bad[i]), bad[i]);
        const struct support_reply script = {.text = text};
        struct support_server *server = support_server_start(&script, 1);
        OKNO_AUTO(okno_archive) *archive = opened_as(support_server_url(server), DAYS, "UTC");
        struct okno_err err = {0};
        int rc = pieces_code(archive, &err);
        if (rc != OKNO_PROTOCOL)
            fail_msg("\"%s\" gives %d: %s", bad[i], rc, err.text);
        support_server_stop(server);
    }
}

static void names_that_would_leave_the_folder_are_ignored(void **state)
{
    (void)state;
    static const struct support_reply script = {
        .text =
            "HTTP/1.1 200 OK\r\n\r\n"
            "[{\"name\":\"../../14-00-00.mp4\",\"type\":\"file\",\"size\":7},"
            "{\"name\":\"14-00-00.mp4/x\",\"type\":\"file\",\"size\":7}"
            "]"};
    struct support_server *server = support_server_start(&script, 1);
    OKNO_AUTO(okno_archive) *archive = opened_as(support_server_url(server), DAYS, "UTC");
    assert_string_equal(pieces_of(archive, "cam1", "2026-03-10T14:00:00Z", "2026-03-10T14:00:30Z"),
                        "");
    support_server_stop(server);
}

static void an_archive_that_is_down_is_transient(void **state)
{
    (void)state;
    struct support_server *server = support_server_start(&(struct support_reply){.text = ""}, 1);
    char url[128];
    (void)snprintf(url, sizeof(url), "%s", support_server_url(server));
    support_server_stop(server);
    OKNO_AUTO(okno_archive) *archive = opened_as(url, DAYS, "UTC");
    assert_int_equal(pieces_code(archive, NULL), OKNO_TRANSIENT);
}

static void a_busy_archive_fails_and_is_asked_again(void **state)
{
    (void)state;
    static const struct support_reply script[] = {
        {"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", NULL, false, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", NULL, false, true}};
    struct support_server *server = support_server_start(script, 2);
    OKNO_AUTO(okno_archive) *archive = opened_as(support_server_url(server), DAYS, "UTC");
    struct okno_err err = {0};
    assert_int_equal(pieces_code(archive, &err), OKNO_ARCHIVE_BUSY);
    assert_non_null(strstr(err.text, "5 s"));
    assert_int_equal(pieces_code(archive, NULL), 0);
    support_server_stop(server);
}

static void a_trickling_list_ends_at_the_deadline(void **state)
{
    (void)state;
    static const struct support_reply script = {
        .text = "HTTP/1.1 200 OK\r\n\r\n[", .again = " ", .slowly = true};
    struct support_server *server = support_server_start(&script, 1);
    struct okno_archive_config config = {.archive = "a",
                                         .kind = "dir",
                                         .url = support_server_url(server),
                                         .files = DAYS,
                                         .deadline_us = 200 * OKNO_MS_US};
    OKNO_AUTO(okno_archive) *archive = NULL;
    assert_int_equal(okno_archive_open(&config, &archive, NULL), 0);
    assert_int_equal(pieces_code(archive, NULL), OKNO_TIMEOUT);
    support_server_stop(server);
}

/* --- reading --- */

static void check_reading(struct okno_archive *archive)
{
    struct okno_piece piece = piece_at(archive, "2026-03-10T14:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    struct okno_err err = {0};
    if (okno_archive_source(archive, &piece, &source, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(source->size, BIG_BYTES);
    assert_reads(source, 0, 32);
    assert_reads(source, BIG_BYTES - 100, 100);
    assert_reads(source, BIG_BYTES - 10, 100);
    assert_reads(source, BIG_BYTES, 10);
    assert_reads(source, BIG_BYTES + 5, 10);
    assert_reads(source, 262143, 2);
    assert_reads(source, 0, 0);
    for (int64_t at = 1000000; at < 1400000; at += 32768)
        assert_reads(source, at, 32768);
    assert_reads(source, 0, BIG_BYTES);
    assert_int_equal(read_code(source, -1, 10, NULL), OKNO_INVALID);
    assert_true(source->bytes_read > 0);
}

static void a_local_file_is_read_by_position(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_local();
    check_reading(archive);
}

static void a_remote_file_is_read_by_position(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *plain = opened_http("");
    check_reading(plain);
    OKNO_AUTO(okno_archive) *login = opened_http("/login");
    check_reading(login);
}

static void a_server_without_ranges_still_gives_small_files(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("/whole");
    check_reading(archive);
}

static void a_plan_is_one_request_and_nothing_is_asked_twice(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    struct okno_piece piece = piece_at(archive, "2026-03-10T14:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(archive, &piece, &source, NULL), 0);
    assert_reads(source, 0, 4096);                /* the first box */
    assert_reads(source, BIG_BYTES - 5000, 5000); /* an index at the end */
    assert_int_equal(source->requests, 2);
    source->plan(source->ctx, 65536, BIG_BYTES - 5000);
    for (int64_t at = 65536; at < BIG_BYTES; at += 32768)
        assert_reads(source, at, 32768);
    assert_int_equal(source->requests, 3);
    assert_int_equal(source->bytes_read, BIG_BYTES);
}

static void what_lies_outside_a_plan_is_read_beside_it(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    struct okno_piece piece = piece_at(archive, "2026-03-10T14:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(archive, &piece, &source, NULL), 0);
    source->plan(source->ctx, 100000, 1200000);
    assert_reads(source, 100000, 50000);
    assert_reads(source, 1900000, 1000); /* elsewhere */
    assert_reads(source, 100000, 1000);  /* behind, but kept */
    assert_reads(source, 150000, 50000);
    assert_reads(source, 210000, 990000); /* over a hole in the plan */
    assert_int_equal(source->requests, 2);
    source->plan(source->ctx, 1300000, 1400000);
    assert_reads(source, 1300000, 200000); /* past its end */
    source->plan(source->ctx, 0, 1000);    /* never read: costs nothing */
    assert_int_equal(source->requests, 4);
}

/* Known from before, say: what follows is one request more, not one for each read. */
static void a_long_hole_in_a_plan_is_one_request_more(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    struct okno_piece piece = piece_at(archive, "2026-03-10T14:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(archive, &piece, &source, NULL), 0);
    source->plan(source->ctx, 0, BIG_BYTES);
    assert_reads(source, 0, 50000);
    for (int64_t at = 50000 + HOLE_BYTES; at < BIG_BYTES; at += 32768)
        assert_reads(source, at, 32768);
    assert_int_equal(source->requests, 2);
}

static void one_large_read_is_one_request(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_http("");
    struct okno_piece piece = piece_at(archive, "2026-03-10T14:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(archive, &piece, &source, NULL), 0);
    assert_reads(source, 1000000, 1500000);
    assert_int_equal(source->requests, 1);
    assert_int_equal(source->bytes_read, 1500000);
}

static void an_empty_file_reads_as_empty(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *local = opened_local();
    OKNO_AUTO(okno_archive) *remote = opened_http("");
    struct okno_archive *both[] = {local, remote};
    for (int i = 0; i < 2; i++) {
        struct okno_piece piece = piece_at(both[i], "2026-03-11T00:01:30Z");
        OKNO_AUTO(okno_source) *source = NULL;
        assert_int_equal(okno_archive_source(both[i], &piece, &source, NULL), 0);
        assert_reads(source, 0, 10);
    }
}

/* What opening and reading its beginning gives. */
static int try_source(struct okno_archive *archive, const struct okno_piece *piece,
                      struct okno_err *err)
{
    OKNO_AUTO(okno_source) *source = NULL;
    int rc = okno_archive_source(archive, piece, &source, err);
    char bytes[16];
    size_t got = 0;
    return rc < 0 ? rc : source->read_at(source->ctx, 0, bytes, sizeof(bytes), &got, err);
}

static void check_gone_and_replaced(struct okno_archive *archive)
{
    put("cam1/2026-05-01/10-00-00.mp4", SMALL_BYTES);
    put("cam1/2026-05-01/10-01-00.mp4", SMALL_BYTES);
    struct okno_piece piece = piece_at(archive, "2026-05-01T10:00:00Z");
    struct okno_piece other = piece_at(archive, "2026-05-01T10:01:00Z");
    char path[512];
    struct okno_err err = {0};
    (void)snprintf(path, sizeof(path), "%s/%s", root, piece.name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(try_source(archive, &piece, &err), OKNO_GONE);
    assert_int_equal(err.code, OKNO_GONE);
    put("cam1/2026-05-01/10-01-00.mp4", SMALL_BYTES + 1);
    assert_int_equal(try_source(archive, &other, NULL), OKNO_GONE);
    /* What it listed before is forgotten, so the next look finds the new file. */
    assert_int_equal(piece_at(archive, "2026-05-01T10:01:00Z").size, SMALL_BYTES + 1);
    /* Same size, written later. */
    other = piece_at(archive, "2026-05-01T10:01:00Z");
    support_file(root, "cam1/2026-05-01/10-01-00.mp4", SMALL_BYTES + 1,
                 instant("2026-03-21T00:00:00Z"));
    assert_int_equal(try_source(archive, &other, NULL), OKNO_GONE);
}

static void what_was_deleted_or_replaced_since_the_listing_is_gone(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *local = opened_local();
    check_gone_and_replaced(local);
    OKNO_AUTO(okno_archive) *remote = opened_http("");
    check_gone_and_replaced(remote);
}

/* Opening a pipe would wait for its writer. */
static void a_pipe_in_the_place_of_a_recording_is_not_waited_for(void **state)
{
    (void)state;
    char path[512];
    put("cam1/2026-05-03/10-00-00.mp4", SMALL_BYTES);
    put("cam1/2026-05-03/10-01-00.mp4", SMALL_BYTES);
    OKNO_AUTO(okno_archive) *local = opened_local();
    struct okno_piece piece = piece_at(local, "2026-05-03T10:00:00Z");
    (void)snprintf(path, sizeof(path), "%s/%s", root, piece.name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)alarm(20); /* the test ends if it waits */
    assert_int_equal(try_source(local, &piece, NULL), OKNO_GONE);
    OKNO_AUTO(okno_archive) *fresh = opened_local(); /* nor is it listed */
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    assert_int_equal(okno_archive_pieces(fresh, "cam1", instant("2026-05-03T10:00:00Z"),
                                         instant("2026-05-03T10:02:00Z"), &pieces, NULL),
                     0);
    (void)alarm(0);
    assert_int_equal(pieces.len, 1);
    assert_int_equal(unlink(path), 0);
}

static void what_is_replaced_or_cut_while_it_is_read_is_noticed(void **state)
{
    (void)state;
    put("cam1/2026-05-02/10-00-00.mp4", BIG_BYTES);
    OKNO_AUTO(okno_archive) *remote = opened_http("");
    OKNO_AUTO(okno_archive) *local = opened_local();
    struct okno_piece piece = piece_at(remote, "2026-05-02T10:00:00Z");
    OKNO_AUTO(okno_source) *over_http = NULL;
    OKNO_AUTO(okno_source) *on_disk = NULL;
    assert_int_equal(okno_archive_source(remote, &piece, &over_http, NULL), 0);
    assert_int_equal(okno_archive_source(local, &piece, &on_disk, NULL), 0);
    put("cam1/2026-05-02/10-00-00.mp4", SMALL_BYTES);
    assert_int_equal(read_code(over_http, 2000000, 100, NULL), OKNO_GONE);
    assert_int_equal(read_code(on_disk, 2000000, 100, NULL), OKNO_GONE);
}

/* As recorders do that go round in one set of files. */
static void what_is_overwritten_in_its_place_while_it_is_read_is_noticed(void **state)
{
    (void)state;
    char path[512];
    put("cam1/2026-05-04/10-00-00.mp4", BIG_BYTES);
    OKNO_AUTO(okno_archive) *local = opened_local();
    struct okno_piece piece = piece_at(local, "2026-05-04T10:00:00Z");
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(okno_archive_source(local, &piece, &source, NULL), 0);
    assert_int_equal(read_code(source, 0, 100, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/%s", root, piece.name);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    assert_true(fputs("the next round", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(read_code(source, 2000000, 100, NULL), OKNO_GONE);
    assert_int_equal(unlink(path), 0);
}

/* Opening a file that was listed with 16 bytes, from a server that answers with `reply`. */
static int open_with_reply(const char *reply)
{
    const struct support_reply script = {.text = reply};
    struct support_server *server = support_server_start(&script, 1);
    OKNO_AUTO(okno_archive) *archive = opened_as(support_server_url(server), DAYS, "UTC");
    struct okno_piece piece = {.name = "cam1/2026-03-10/14-00-00.mp4", .size = 16};
    (void)snprintf(piece.tag, sizeof(piece.tag), "%lld:16",
                   (long long)instant("2026-03-10T15:00:00Z"));
    int rc = try_source(archive, &piece, NULL);
    support_server_stop(server);
    return rc;
}

static void a_first_reply_that_contradicts_the_listing_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        int code;
    } rows[] = {
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 0-15/16\r\n\r\n0123456789abcdef", 0},
        {"HTTP/1.1 206 P\r\nLast-Modified: Tue, 10 Mar 2026 15:00:00 GMT\r\n"
         "Content-Range: bytes 0-15/16\r\n\r\n0123456789abcdef",
         0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef", 0},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 0-14/15\r\n\r\n0123456789abcde", OKNO_GONE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n01234", OKNO_GONE},
        {"HTTP/1.1 206 P\r\nLast-Modified: Tue, 10 Mar 2026 15:00:01 GMT\r\n"
         "Content-Range: bytes 0-15/16\r\n\r\n0123456789abcdef",
         OKNO_GONE},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 0-15/16\r\n\r\n01234567", OKNO_PROTOCOL},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 5-15/16\r\n\r\n01234567890", OKNO_PROTOCOL},
        {"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n", OKNO_GONE},
        {"HTTP/1.1 302 F\r\nLocation: http://evil.example/\r\n\r\n", OKNO_ARCHIVE_REFUSED}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        int rc = open_with_reply(rows[i].reply);
        if (rc != rows[i].code)
            fail_msg("row %zu gives %d", i, rc);
    }
}

static void a_piece_that_points_outside_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_local();
    static const char *const bad[] = {"../../etc/passwd", "/etc/passwd", "", "a/../../x"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        struct okno_piece piece = {.size = -1, .tag = "-1:-1"};
        struct okno_source *source = NULL;
        (void)snprintf(piece.name, sizeof(piece.name), "%s", bad[i]);
        assert_int_equal(okno_archive_source(archive, &piece, &source, NULL), OKNO_INVALID);
    }
}

/* --- opening --- */

static int open_code(const struct okno_archive_config *config, struct okno_err *err)
{
    struct okno_archive *archive = NULL;
    int rc = okno_archive_open(config, &archive, err);
    okno_archive_close(archive);
    return rc;
}

static void a_wrong_configuration_names_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *url, *files, *zone, *field;
        int code;
    } rows[] = {{"tape", "/x", DAYS, "UTC", "kind", OKNO_UNSUPPORTED},
                {NULL, "/x", DAYS, "UTC", "kind", OKNO_UNSUPPORTED},
                {"dir", "relative/path", DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", "", DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", NULL, DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", "gopher://h/x", DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", "http://", DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", "http://u:p@h/x", DAYS, "UTC", "url", OKNO_INVALID},
                {"dir", "/x", "", "UTC", "files", OKNO_INVALID},
                {"dir", "/x", NULL, "UTC", "files", OKNO_INVALID},
                {"dir", "/x", "{channel}/%Q.mp4", "UTC", "files", OKNO_INVALID},
                {"dir", "/x", "%Y%m%d.dav", "UTC", "files", OKNO_UNSUPPORTED},
                {"dir", "/x", "%Y%m%d", "UTC", "files", OKNO_UNSUPPORTED},
                {"dir", "/x", DAYS, "Mars/Olympus", "time_zone", OKNO_INVALID}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct okno_err err = {0};
        struct okno_archive_config config = {.archive = "shop",
                                             .kind = rows[i].kind,
                                             .url = rows[i].url,
                                             .files = rows[i].files,
                                             .time_zone = rows[i].zone};
        int rc = open_code(&config, &err);
        if (rc != rows[i].code || strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu gives %d, field \"%s\": %s", i, rc, err.field, err.text);
    }
    struct okno_err err = {0};
    struct okno_archive_config config = {.archive = "shop", .kind = "tape"};
    assert_int_equal(open_code(&config, &err), OKNO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "dir"));
}

static void a_channel_that_would_leave_the_root_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_local();
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    assert_int_equal(okno_archive_pieces(archive, "../x", 0, OKNO_DAY_US, &pieces, NULL),
                     OKNO_INVALID);
    /* And the handle still works. */
    check_pieces(archive);
}

static void boundless_intervals_end(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = opened_local();
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    assert_int_equal(okno_archive_pieces(archive, "cam1", INT64_MIN, INT64_MAX, &pieces, NULL),
                     OKNO_TOO_LONG);
    OKNO_AUTO(okno_archive) *flat = opened_as(root, "{channel}-%Y%m%d-%H%M%S.mp4", "UTC");
    assert_int_equal(okno_archive_pieces(flat, "cam1", INT64_MIN, INT64_MAX, &pieces, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_folder_gives_the_pieces_of_an_interval),
        cmocka_unit_test(a_file_url_is_a_local_folder),
        cmocka_unit_test(nginx_gives_the_same_pieces),
        cmocka_unit_test(a_piece_says_what_it_is),
        cmocka_unit_test(thousands_of_calls_list_a_day_once),
        cmocka_unit_test(names_with_spaces_and_signs_are_reached),
        cmocka_unit_test(hour_folders_and_a_zone_are_followed),
        cmocka_unit_test(what_was_seen_instead_is_told),
        cmocka_unit_test(a_file_longer_than_most_is_found_to_its_end),
        cmocka_unit_test(files_of_any_length_may_last_until_the_next),
        cmocka_unit_test(the_newest_file_grows_past_the_length_of_a_short_one),
        cmocka_unit_test(the_newest_file_grows_while_it_is_written),
        cmocka_unit_test(an_archive_copied_just_now_does_not_grow),
        cmocka_unit_test(a_lone_file_ends_when_it_was_last_written),
        cmocka_unit_test(the_time_of_writing_tells_the_doubled_hour),
        cmocka_unit_test(continuity_tells_the_doubled_hour),
        cmocka_unit_test(what_cannot_be_told_is_given_twice_and_flagged),
        cmocka_unit_test(a_name_in_the_skipped_hour_is_kept_and_flagged),
        cmocka_unit_test(hour_folders_know_enough_around_the_doubled_hour),
        cmocka_unit_test(a_listing_as_html_is_read_too),
        cmocka_unit_test(a_lone_file_of_an_index_page_may_be_long),
        cmocka_unit_test(a_root_that_is_not_there_is_no_empty_archive),
        cmocka_unit_test(a_share_that_is_not_mounted_is_no_empty_archive),
        cmocka_unit_test(a_closed_listing_and_a_wrong_password_are_told),
        cmocka_unit_test(lists_that_are_not_nginx_json_break_the_protocol),
        cmocka_unit_test(names_that_would_leave_the_folder_are_ignored),
        cmocka_unit_test(an_archive_that_is_down_is_transient),
        cmocka_unit_test(a_busy_archive_fails_and_is_asked_again),
        cmocka_unit_test(a_trickling_list_ends_at_the_deadline),
        cmocka_unit_test(a_local_file_is_read_by_position),
        cmocka_unit_test(a_remote_file_is_read_by_position),
        cmocka_unit_test(a_server_without_ranges_still_gives_small_files),
        cmocka_unit_test(a_plan_is_one_request_and_nothing_is_asked_twice),
        cmocka_unit_test(what_lies_outside_a_plan_is_read_beside_it),
        cmocka_unit_test(a_long_hole_in_a_plan_is_one_request_more),
        cmocka_unit_test(one_large_read_is_one_request),
        cmocka_unit_test(an_empty_file_reads_as_empty),
        cmocka_unit_test(what_was_deleted_or_replaced_since_the_listing_is_gone),
        cmocka_unit_test(a_pipe_in_the_place_of_a_recording_is_not_waited_for),
        cmocka_unit_test(what_is_replaced_or_cut_while_it_is_read_is_noticed),
        cmocka_unit_test(what_is_overwritten_in_its_place_while_it_is_read_is_noticed),
        cmocka_unit_test(a_first_reply_that_contradicts_the_listing_is_noticed),
        cmocka_unit_test(a_piece_that_points_outside_is_refused),
        cmocka_unit_test(a_wrong_configuration_names_its_field),
        cmocka_unit_test(a_channel_that_would_leave_the_root_is_refused),
        cmocka_unit_test(boundless_intervals_end),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
