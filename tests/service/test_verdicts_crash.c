/* Verdicts while the disk fills: what was acknowledged is there, the rest is refused, reading goes
 * on, and everything works again when there is room. */
#define _GNU_SOURCE
#include "client.h"
#include "small_disk.h"

enum { ITEMS = 400, COMMENT = 3900 };

static const char facts[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'test', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'UTC');"
    "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1');"
    "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at, created_by)"
    " VALUES ('march', 'March', 'drawn', 1772323200000000, 1775001600000000, '{}', 0, 'root');"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
    "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at, state,"
    " device_offset_us, device_uncertainty_us) SELECT 'b.0.' || i, 'p1', 's1', 'personnel',"
    " 1773151400000000 + i * 60000000, 1773151415000000 + i * 60000000, 'silent', 0, 0 FROM n;"
    "INSERT INTO review_items (audit, survey, place, origin, state)"
    " SELECT 'march', survey, rowid, 'random', 'open' FROM surveys;";

struct expert {
    struct fixture *fixture;
    const char *cookie;
    bool has_item;
    long long item;
    char lease[64];
    int acknowledged;
};

/* Lease the next item unless one is held; the status. */
static int take(struct expert *expert)
{
    if (expert->has_item)
        return 200;
    AUTO_ANSWER answer = client_request(fixture_port(expert->fixture), "POST", "/api/v1/queue/next",
                                        expert->cookie, "{}");
    if (answer.status != 200)
        return answer.status;
    okno_autojson json_t *item = answer_json(&answer);
    expert->item = json_integer_value(json_object_get(item, "item"));
    (void)snprintf(expert->lease, sizeof(expert->lease), "%s", json_text(item, "lease"));
    expert->has_item = true;
    return 200;
}

/* Decide the held item, with a long comment; the status. */
static int decide(struct expert *expert)
{
    char path[100];
    char comment[COMMENT + 1];
    char body[COMMENT + 400];
    memset(comment, 'x', COMMENT);
    comment[COMMENT] = '\0';
    (void)snprintf(path, sizeof(path), "/api/v1/queue/%lld/submit", expert->item);
    (void)snprintf(body, sizeof(body),
                   "{\"lease\":\"%s\",\"verdict\":\"valid\",\"reason\":null,\"comment\":\"%s\","
                   "\"correction\":null,\"checklist\":{},\"watched\":[],\"played_s\":1,"
                   "\"active_s\":1,\"wall_s\":1,\"blinding_broken\":false}",
                   expert->lease, comment);
    AUTO_ANSWER answer =
        client_request(fixture_port(expert->fixture), "POST", path, expert->cookie, body);
    if (answer.status == 503) {
        assert_string_equal(answer_code(&answer), "no_space");
        assert_non_null(answer_header(&answer, "Retry-After"));
    }
    if (answer.status == 200) {
        assert_non_null(strstr(answer.body, "\"counted\":true"));
        expert->acknowledged++;
        expert->has_item = false;
    }
    return answer.status;
}

static int64_t count(struct fixture *fixture, const char *sql)
{
    char path[128];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", fixture->dir);
    assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

/* Each acknowledged verdict is there once, and so is its entry of the log. */
static void assert_stored(const struct expert *expert)
{
    struct fixture *fixture = expert->fixture;
    assert_int_equal(count(fixture, "SELECT count(*) FROM verdicts"), expert->acknowledged);
    assert_int_equal(count(fixture, "SELECT count(*) FROM review_items WHERE state = 'decided'"),
                     expert->acknowledged);
    assert_int_equal(count(fixture, "SELECT count(*) FROM log_leaves WHERE kind = 'verdict'"),
                     expert->acknowledged);
}

static void verdicts_that_were_acknowledged_outlive_a_full_disk(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct okno_err err = {0};
    (void)snprintf(fixture.dir, sizeof(fixture.dir), "/tmp/okno-disk-XXXXXX");
    assert_non_null(mkdtemp(fixture.dir));
    if (!small_disk_mount(fixture.dir, "size=8m")) {
        (void)rmdir(fixture.dir);
        skip();
    }
    assert_int_equal(okno_db_open(fixture.dir, true, &fixture.db, &err), 0);
    okno_conf_defaults(&fixture.conf);
    okno_log_set_level(OKNO_LOG_ERROR + 1);
    fixture_user(&fixture, "vera", "expert");
    fixture_sql(&fixture, facts);
    fixture_start(&fixture);
    struct expert expert = {.fixture = &fixture, .cookie = fixture_login(&fixture, "vera")};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(take(&expert), 200);
        assert_int_equal(decide(&expert), 200);
    }
    small_disk_fill(fixture.dir, 4U << 20);

    int refused = 0;
    for (int i = 0; i < 2 * ITEMS && refused < 3; i++) {
        int status = take(&expert);
        if (status == 200)
            status = decide(&expert);
        refused += status != 200;
        assert_true(status == 200 || status == 503);
    }
    assert_int_equal(refused, 3);
    assert_true(expert.acknowledged > 5);
    assert_stored(&expert);
    AUTO_ANSWER reading =
        client_request(fixture_port(&fixture), "GET", "/api/v1/audits", expert.cookie, NULL);
    assert_int_equal(reading.status, 200);
    assert_int_equal(okno_db_check(fixture.db, &err), 0);

    small_disk_empty(fixture.dir);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(take(&expert), 200);
        assert_int_equal(decide(&expert), 200);
    }
    http_server_stop(fixture.server);
    assert_stored(&expert);
    assert_int_equal(okno_db_check(fixture.db, &err), 0);
    okno_db_close(fixture.db);
    assert_int_equal(umount2(fixture.dir, MNT_DETACH), 0);
    assert_int_equal(rmdir(fixture.dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_that_were_acknowledged_outlive_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
