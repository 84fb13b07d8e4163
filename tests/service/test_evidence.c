/* Clips and stills over HTTP: names, ranges, validators, rights, the access log. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/range.h"
#include "okno/hash.h"

#include <sys/stat.h>

enum { CLIP_BYTES = 300000 };

struct world {
    struct fixture *fixture;
    uint8_t *clip;
    char clip_sha[OKNO_SHA256_TEXT], still_sha[OKNO_SHA256_TEXT], other_sha[OKNO_SHA256_TEXT];
    const char *boss; /* Cookie line */
};

static void path_of(const struct world *world, const char *sha, bool folder, char path[200])
{
    (void)snprintf(path, 200, "%s/evidence/%.2s%s%s", world->fixture->dir, sha, folder ? "" : "/",
                   folder ? "" : sha);
}

static void put_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void keep(struct world *world, const char *survey, const char *kind, const void *bytes,
                 size_t len, char ret_sha[OKNO_SHA256_TEXT])
{
    char path[200];
    char sql[800];
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(bytes, len, digest);
    (void)okno_hash_hex(digest, ret_sha);
    path_of(world, ret_sha, true, path);
    (void)mkdir(path, 0700);
    path_of(world, ret_sha, false, path);
    put_file(path, bytes, len);
    bool clip = strcmp(kind, "clip") == 0;
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, "
        "asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us, "
        "source, requests, bytes_read, software, made_at) VALUES ('%s', '%s', '%s', %zu, "
        "'%s', '%s', 'c1', 0, 1, 0, 1, 0, 0, '[]', 1, 1, 'test', 0)",
        survey, kind, ret_sha, len, clip ? "video/mp4" : "image/jpeg", clip ? "h264" : "mjpeg");
    fixture_sql(world->fixture, sql);
}

static const char surveys[] =
    "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, device_offset_us, "
    "device_uncertainty_us) VALUES ('b.0.1', 'p1', 's1', 1000000, 2000000, 'silent', 0, 0),"
    "('b.0.2', 'p1', 's1', 9000000, 9900000, 'silent', 0, 0),"
    "('b.0.3', 'p2', 's1', 9000000, 9900000, 'silent', 0, 0);"
    "INSERT INTO review_items (audit, survey, place, origin, state, lease_user, lease_token, "
    "lease_until) VALUES ('a', 'b.0.1', 1, 'random', 'open', 'vera', 't', 9000000000000000);";

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    char path[200];
    assert_non_null(world);
    world->fixture = fixture_new();
    (void)snprintf(path, sizeof(path), "%s/evidence", world->fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    world->clip = malloc(CLIP_BYTES);
    assert_non_null(world->clip);
    for (size_t i = 0; i < CLIP_BYTES; i++)
        world->clip[i] = (uint8_t)(i * 7 + i / 256);
    fixture_user(world->fixture, "vera", "expert");
    fixture_user(world->fixture, "boss", "manager");
    fixture_sql(world->fixture, surveys);
    keep(world, "b.0.1", "clip", world->clip, CLIP_BYTES, world->clip_sha);
    keep(world, "b.0.2", "still", "neighbour", 9, world->still_sha);
    keep(world, "b.0.3", "still", "elsewhere", 9, world->other_sha);
    fixture_start(world->fixture);
    world->boss = fixture_login(world->fixture, "boss");
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;
    fixture_free(world->fixture);
    free(world->clip);
    free(world);
    return 0;
}

/* `extra` stands after the cookie. */
static struct answer get(struct world *world, const char *method, const char *cookie,
                         const char *sha, const char *extension, const char *extra)
{
    char path[200];
    char headers[800];
    (void)snprintf(path, sizeof(path), "/api/v1/evidence/%s%s", sha, extension);
    (void)snprintf(headers, sizeof(headers), "%s%s", cookie, extra);
    return client_request(fixture_port(world->fixture), method, path, headers, NULL);
}

static void a_clip_comes_whole_with_its_hash_as_etag(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", "");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, CLIP_BYTES);
    assert_memory_equal(answer.body, world->clip, CLIP_BYTES);
    assert_string_equal(answer_header(&answer, "Content-Type"), "video/mp4");
    assert_string_equal(answer_header(&answer, "Accept-Ranges"), "bytes");
    assert_memory_equal(answer_header(&answer, "ETag") + 1, world->clip_sha, 64);
    assert_string_equal(answer_header(&answer, "Cache-Control"),
                        "private, max-age=31536000, immutable");
}

static void a_range_is_exactly_its_bytes(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *range;
        size_t from, len;
    } good[] = {
        {"bytes=0-0", 0, 1},           {"bytes=0-99", 0, 100},
        {"bytes=100-", 100, 299900},   {"bytes=-1", 299999, 1},
        {"bytes=-999999", 0, 300000},  {"bytes=299999-", 299999, 1},
        {"bytes=0-999999", 0, 300000}, {"bytes=123456-234567", 123456, 111112},
    };
    for (size_t i = 0; i < OKNO_COUNT(good); i++) {
        char line[80];
        char expected[80];
        (void)snprintf(line, sizeof(line), "Range: %s\r\n", good[i].range);
        AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", line);
        assert_int_equal(answer.status, 206);
        assert_int_equal(answer.body_len, good[i].len);
        assert_memory_equal(answer.body, world->clip + good[i].from, good[i].len);
        (void)snprintf(expected, sizeof(expected), "bytes %zu-%zu/300000", good[i].from,
                       good[i].from + good[i].len - 1);
        assert_string_equal(answer_header(&answer, "Content-Range"), expected);
    }
}

static void a_range_behind_the_end_is_416_and_nonsense_is_ignored(void **state)
{
    struct world *world = *state;
    static const char *const outside[] = {"bytes=300000-", "bytes=300000-300001", "bytes=-0",
                                          "bytes=99999999999999999999-"};
    for (size_t i = 0; i < OKNO_COUNT(outside); i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "Range: %s\r\n", outside[i]);
        AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", line);
        assert_int_equal(answer.status, 416);
        assert_string_equal(answer_header(&answer, "Content-Range"), "bytes */300000");
        assert_int_equal(answer.body_len, 0);
    }
    static const char *const nonsense[] = {"bytes=",        "bytes=-",   "bytes=5-4", "bytes=a-b",
                                           "bytes=0-1,3-4", "lines=1-2", "bytes 0-1"};
    for (size_t i = 0; i < OKNO_COUNT(nonsense); i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "Range: %s\r\n", nonsense[i]);
        AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", line);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_len, CLIP_BYTES);
    }
}

static void validators_save_the_way(void **state)
{
    struct world *world = *state;
    char line[200];
    (void)snprintf(line, sizeof(line), "If-None-Match: \"x\", W/\"%s\"\r\n", world->clip_sha);
    AUTO_ANSWER same = get(world, "GET", world->boss, world->clip_sha, ".mp4", line);
    assert_int_equal(same.status, 304);
    assert_int_equal(same.body_len, 0);
    (void)snprintf(line, sizeof(line), "Range: bytes=1-2\r\nIf-Range: \"%s\"\r\n", world->clip_sha);
    AUTO_ANSWER part = get(world, "GET", world->boss, world->clip_sha, ".mp4", line);
    assert_int_equal(part.status, 206);
    AUTO_ANSWER whole = get(world, "GET", world->boss, world->clip_sha, ".mp4",
                            "Range: bytes=1-2\r\nIf-Range: \"other\"\r\n");
    assert_int_equal(whole.status, 200);
    assert_int_equal(whole.body_len, CLIP_BYTES);
}

static void head_tells_the_size_and_sends_nothing(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = get(world, "HEAD", world->boss, world->clip_sha, ".mp4", "");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, 0);
    assert_string_equal(answer_header(&answer, "Content-Length"), "300000");
}

static void only_known_hashes_in_lower_case_are_names(void **state)
{
    struct world *world = *state;
    char upper[OKNO_SHA256_TEXT];
    for (size_t i = 0; i < sizeof(upper); i++)
        upper[i] = (char)(world->clip_sha[i] >= 'a' ? world->clip_sha[i] - 32 : world->clip_sha[i]);
    const struct {
        const char *sha, *extension;
    } bad[] = {
        {upper, ".mp4"},
        {world->clip_sha, ".jpg"},
        {world->clip_sha, ""},
        {world->clip_sha, ".mp4x"},
        {"../okno.db", ""},
        {"..%2fokno.db", ""},
        {"%2e%2e/%2e%2e/etc/passwd", ""},
        {"0000000000000000000000000000000000000000000000000000000000000000", ".mp4"},
    };
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        AUTO_ANSWER answer = get(world, "GET", world->boss, bad[i].sha, bad[i].extension, "");
        assert_int_equal(answer.status, 404);
        assert_string_equal(answer_code(&answer), "not_found");
    }
}

static void a_file_that_is_gone_says_so_and_a_link_is_not_followed(void **state)
{
    struct world *world = *state;
    char path[200];
    path_of(world, world->clip_sha, false, path);
    assert_int_equal(unlink(path), 0);
    AUTO_ANSWER gone = get(world, "GET", world->boss, world->clip_sha, ".mp4", "");
    assert_int_equal(gone.status, 410);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    AUTO_ANSWER link = get(world, "GET", world->boss, world->clip_sha, ".mp4", "");
    assert_int_equal(link.status, 500);
    assert_null(strstr(link.body, "root"));
    assert_null(strstr(link.body, world->fixture->dir));
}

/* Replaced, shortened, or something else in its place: what does not have its hash is no evidence,
 * also when it was right a moment ago. */
static void a_file_that_was_changed_is_not_shown(void **state)
{
    struct world *world = *state;
    static const char *const others[] = {"neighbouR", "neighb", ""};
    char path[200];
    path_of(world, world->still_sha, false, path);
    for (size_t i = 0; i < OKNO_COUNT(others); i++) {
        AUTO_ANSWER before = get(world, "GET", world->boss, world->still_sha, ".jpg", "");
        assert_int_equal(before.status, 200);
        put_file(path, others[i], strlen(others[i]));
        AUTO_ANSWER answer = get(world, "GET", world->boss, world->still_sha, ".jpg", "");
        assert_int_equal(answer.status, 500);
        assert_string_equal(answer_code(&answer), "check_failed");
        assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
        assert_null(answer_header(&answer, "ETag"));
        put_file(path, "neighbour", 9);
    }
}

/* Opening it would wait for a writer for ever. */
static void a_pipe_in_place_of_a_file_holds_nobody_up(void **state)
{
    struct world *world = *state;
    char path[200];
    path_of(world, world->still_sha, false, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    AUTO_ANSWER answer = get(world, "GET", world->boss, world->still_sha, ".jpg", "");
    assert_int_equal(answer.status, 500);
}

static void an_expert_sees_what_the_queue_shows_and_nothing_else(void **state)
{
    struct world *world = *state;
    const char *vera = fixture_login(world->fixture, "vera");
    AUTO_ANSWER own = get(world, "GET", vera, world->clip_sha, ".mp4", "");
    assert_int_equal(own.status, 200);
    AUTO_ANSWER neighbour = get(world, "GET", vera, world->still_sha, ".jpg", "");
    assert_int_equal(neighbour.status, 200);
    AUTO_ANSWER elsewhere = get(world, "GET", vera, world->other_sha, ".jpg", "");
    assert_int_equal(elsewhere.status, 403);
    /* the holder of a sale would learn from a survey's still that one was opened about then */
    fixture_sql(world->fixture,
                "INSERT INTO visits VALUES ('txn.t1', 'transactions', 'p1', 's1',"
                " 8000000, 8100000);"
                "UPDATE review_items SET survey = 'txn.t1'");
    AUTO_ANSWER opened = get(world, "GET", vera, world->still_sha, ".jpg", "");
    assert_int_equal(opened.status, 403);
    fixture_sql(world->fixture, "UPDATE review_items SET survey = 'b.0.1'");
    fixture_sql(world->fixture, "UPDATE review_items SET lease_until = 1");
    AUTO_ANSWER late = get(world, "GET", vera, world->clip_sha, ".mp4", "");
    assert_int_equal(late.status, 403);
    AUTO_ANSWER nobody = get(world, "GET", "", world->clip_sha, ".mp4", "");
    assert_int_equal(nobody.status, 401);
}

static void a_verdict_that_does_not_count_opens_no_evidence(void **state)
{
    struct world *world = *state;
    const char *vera = fixture_login(world->fixture, "vera");
    fixture_sql(world->fixture,
                "UPDATE review_items SET lease_user = NULL, lease_token = NULL, lease_until = NULL;"
                "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version, "
                "counted) VALUES (1, 'a', 'b.0.1', 'vera', 1, 'valid', 1, 0)");
    AUTO_ANSWER uncounted = get(world, "GET", vera, world->clip_sha, ".mp4", "");
    assert_int_equal(uncounted.status, 403);
    fixture_sql(world->fixture, "UPDATE verdicts SET counted = 1");
    AUTO_ANSWER counted = get(world, "GET", vera, world->clip_sha, ".mp4", "");
    assert_int_equal(counted.status, 200);
}

static int64_t views(struct world *world)
{
    char path[128];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", world->fixture->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite,
                                        "SELECT count(*) FROM access_log WHERE user = 'boss' AND "
                                        "action = 'view' AND length(subject) = 64",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return count;
}

static void every_look_is_logged_once(void **state)
{
    struct world *world = *state;
    static const char *const pieces[] = {"Range: bytes=0-\r\n", "Range: bytes=1000-\r\n",
                                         "Range: bytes=-10\r\n"};
    for (size_t i = 0; i < OKNO_COUNT(pieces); i++) {
        AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", pieces[i]);
        assert_int_equal(answer.status, 206);
    }
    AUTO_ANSWER head = get(world, "HEAD", world->boss, world->clip_sha, ".mp4", "");
    assert_int_equal(head.status, 200);
    assert_int_equal(views(world), 1);
}

static void leaving_out_the_first_byte_does_not_hide_a_look(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        AUTO_ANSWER answer =
            get(world, "GET", world->boss, world->clip_sha, ".mp4", "Range: bytes=1-\r\n");
        assert_int_equal(answer.status, 206);
    }
    assert_int_equal(views(world), 1);
    AUTO_ANSWER tail =
        get(world, "GET", world->boss, world->still_sha, ".jpg", "Range: bytes=-8\r\n");
    assert_int_equal(tail.status, 206);
    assert_int_equal(views(world), 2);
    fixture_sql(world->fixture, "UPDATE access_log SET at = at - 601000000");
    AUTO_ANSWER later =
        get(world, "GET", world->boss, world->still_sha, ".jpg", "Range: bytes=2-\r\n");
    assert_int_equal(later.status, 206);
    assert_int_equal(views(world), 3);
}

static void a_look_that_cannot_be_logged_is_refused_and_kept_by_no_cache(void **state)
{
    struct world *world = *state;
    fixture_sql(
        world->fixture,
        "CREATE TRIGGER full BEFORE INSERT ON access_log BEGIN SELECT raise(ABORT, 'x'); END");
    AUTO_ANSWER answer = get(world, "GET", world->boss, world->clip_sha, ".mp4", "");
    assert_true(answer.status >= 400);
    assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
    assert_null(answer_header(&answer, "ETag"));
}

static void a_reader_that_stops_reading_is_let_go(void **state)
{
    struct world *world = *state;
    char path[200];
    path_of(world, world->clip_sha, false, path);
    assert_int_equal(truncate(path, 64 << 20), 0); /* more than any socket buffers */
    world->fixture->options.limits.total_us = 400000;
    http_server_stop(world->fixture->server);
    fixture_start(world->fixture);
    const char *boss = fixture_login(world->fixture, "boss");
    char request[400];
    int len = snprintf(request, sizeof(request),
                       "GET /api/v1/evidence/%s.mp4 HTTP/1.1\r\nHost: a\r\n%s\r\n", world->clip_sha,
                       boss);
    int fd = client_connect(fixture_port(world->fixture));
    int little = 4096;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    int64_t started_us = okno_time_monotonic();
    client_send(fd, request, (size_t)len);
    http_server_stop(world->fixture->server); /* waits until the connection ended */
    world->fixture->server = NULL;
    assert_in_range(okno_time_monotonic() - started_us, 0, 5 * OKNO_SECOND_US);
    (void)close(fd);
}

static void ranges_and_etags_are_read_by_the_book(void **state)
{
    (void)state;
    int64_t from = -1;
    int64_t len = -1;
    assert_int_equal(http_range_read("bytes=0-", 0, &from, &len), HTTP_RANGE_UNSATISFIABLE);
    assert_int_equal(http_range_read("bytes=-5", 0, &from, &len), HTTP_RANGE_UNSATISFIABLE);
    assert_int_equal(http_range_read(NULL, 10, &from, &len), HTTP_RANGE_WHOLE);
    assert_int_equal(from, -1);
    assert_int_equal(http_range_read("BYTES=2-3", 10, &from, &len), HTTP_RANGE_PART);
    assert_int_equal(from, 2);
    assert_int_equal(len, 2);
    assert_true(http_etag_listed("*", "\"a\""));
    assert_true(http_etag_listed("\"b\" , \"a\"", "\"a\""));
    assert_true(http_etag_listed("W/\"a\"", "\"a\""));
    assert_false(http_etag_listed("\"aa\"", "\"a\""));
    assert_false(http_etag_listed("a", "\"a\""));
    assert_false(http_etag_listed("", "\"a\""));
    assert_false(http_etag_listed(NULL, "\"a\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_clip_comes_whole_with_its_hash_as_etag),
        TEST(a_range_is_exactly_its_bytes),
        TEST(a_range_behind_the_end_is_416_and_nonsense_is_ignored),
        TEST(validators_save_the_way),
        TEST(head_tells_the_size_and_sends_nothing),
        TEST(only_known_hashes_in_lower_case_are_names),
        TEST(a_file_that_is_gone_says_so_and_a_link_is_not_followed),
        TEST(a_file_that_was_changed_is_not_shown),
        TEST(a_pipe_in_place_of_a_file_holds_nobody_up),
        TEST(an_expert_sees_what_the_queue_shows_and_nothing_else),
        TEST(a_verdict_that_does_not_count_opens_no_evidence),
        TEST(every_look_is_logged_once),
        TEST(leaving_out_the_first_byte_does_not_hide_a_look),
        TEST(a_look_that_cannot_be_logged_is_refused_and_kept_by_no_cache),
        TEST(a_reader_that_stops_reading_is_let_go),
        cmocka_unit_test(ranges_and_etags_are_read_by_the_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
