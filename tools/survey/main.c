/* survey: what the assembly of many events costs, for tools/bench/survey.sh.
 *
 *     build/tools/survey make DIR EVENTS     a database of so many events of 40 devices and points
 *     build/tools/survey read DIR            read them all in the order of time; prints seconds
 *     build/tools/survey scan DIR            read them all in the order of the table; prints
 * seconds build/tools/survey assemble DIR        make surveys of them, store nothing; prints
 * seconds build/tools/survey store DIR           make surveys of them and store them; prints
 * seconds build/tools/survey late DIR            one late event; prints seconds until surveys
 * follow */
#define _POSIX_C_SOURCE 200809L
#include "okno/event.h"
#include "okno/mem.h"
#include "okno/survey.h"
#include "okno/time.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 40, PRESSES_A_DAY = 180 };

/* 2020-01-01T09:00:00Z; a press every three minutes of nine hours a day, most of them answered. */
static const char registry_sql[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'bench', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone, hours) VALUES"
    " (1, 's1', 'Mall', 'Europe/Moscow', 'Mo-Su 10:00-22:00');"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    " INSERT INTO points (import, point, site, name) SELECT 1, 'p' || i, 's1', 'Till' FROM n;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    " INSERT INTO devices (import, device, point, valid_from) SELECT 1, 'd' || i, 'p' || i, 0 FROM "
    "n;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    " INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
    " SELECT 1, 'q', 'p' || i, 0, 'personnel', '?', 15000000 FROM n;";

/* Of four events: press and answer, press and (one in eight) silence told by a sign of life. */
static const char events_sql[] =
    "INSERT INTO events (device, boot, seq, kind, at, arrived_at)"
    " WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)"
    " SELECT ?1, 0, i, CASE WHEN i % 2 = 0 THEN 'press' WHEN i % 16 = 15 THEN 'alive'"
    " WHEN i % 6 = 1 THEN 'no' ELSE 'yes' END, t, t + 1000000"
    " FROM (SELECT i, 1577869200000000 + (i / 360) * 86400000000 + (i / 2 % 180) * 180000000"
    " + (i % 2) * 5000000 AS t FROM n)";

static int fail(sqlite3 *db, const char *what)
{
    (void)fprintf(stderr, "survey: %s: %s\n", what, sqlite3_errmsg(db));
    return 1;
}

static sqlite3 *open_raw(const char *dir)
{
    char path[1100];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(fail(db, path));
    return db;
}

static struct okno_db *open_db(const char *dir)
{
    struct okno_db *db = NULL;
    struct okno_err err = {0};
    if (okno_db_open(dir, true, &db, &err) != 0) {
        (void)fprintf(stderr, "survey: %s\n", err.text);
        exit(1);
    }
    return db;
}

static int add_events(sqlite3 *db, int64_t count)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, events_sql, -1, &stmt, NULL) != SQLITE_OK)
        return fail(db, "events");
    int code = SQLITE_DONE;
    for (int i = 1; code == SQLITE_DONE && i <= DEVICES; i++) {
        char device[16];
        (void)snprintf(device, sizeof(device), "d%d", i);
        (void)sqlite3_reset(stmt);
        (void)sqlite3_bind_text(stmt, 1, device, -1, SQLITE_TRANSIENT);
        (void)sqlite3_bind_int64(stmt, 2, count / DEVICES);
        code = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : fail(db, "events");
}

static int make(const char *dir, int64_t count)
{
    okno_db_close(open_db(dir));
    sqlite3 *db = open_raw(dir);
    int rc = sqlite3_exec(db, registry_sql, NULL, NULL, NULL) == SQLITE_OK ? add_events(db, count)
                                                                           : fail(db, "registry");
    if (rc == 0 &&
        sqlite3_exec(db,
                     "INSERT INTO survey_dirty_devices SELECT DISTINCT device, at / 3600000000 "
                     "FROM events; ANALYZE",
                     NULL, NULL, NULL) != SQLITE_OK)
        rc = fail(db, "marks");
    (void)sqlite3_close(db);
    return rc;
}

/* Every column of every row is taken. */
static int64_t take_rows(sqlite3 *db, const char *sql, const char *device)
{
    sqlite3_stmt *stmt = NULL;
    int64_t taken = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        exit(fail(db, sql));
    if (device)
        (void)sqlite3_bind_text(stmt, 1, device, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const unsigned char *kind = sqlite3_column_text(stmt, 2);
        taken += sqlite3_column_int64(stmt, 0) + sqlite3_column_int64(stmt, 1) +
                 sqlite3_column_int64(stmt, 3) + sqlite3_column_int64(stmt, 5) +
                 (kind ? kind[0] : 0) + (sqlite3_column_text(stmt, 4) != NULL);
    }
    (void)sqlite3_finalize(stmt);
    return taken;
}

static int64_t read_in_time(sqlite3 *db)
{
    int64_t taken = 0;
    for (int i = 1; i <= DEVICES; i++) {
        char device[16];
        (void)snprintf(device, sizeof(device), "d%d", i);
        taken += take_rows(db,
                           "SELECT boot, seq, kind, at, channel, arrived_at FROM events "
                           "WHERE device = ?1 ORDER BY at, boot, seq",
                           device);
    }
    return taken;
}

static int read_rows(const char *dir, bool in_time)
{
    sqlite3 *db = open_raw(dir);
    int64_t start_us = okno_time_monotonic();
    int64_t taken =
        in_time
            ? read_in_time(db)
            : take_rows(db, "SELECT boot, seq, kind, at, channel, arrived_at FROM events", NULL);
    printf("%.3f\n", (double)(okno_time_monotonic() - start_us) / 1e6);
    (void)sqlite3_close(db);
    return taken == 0;
}

struct counts {
    int64_t surveys, ratings, situations;
};

static int count_survey(void *ctx, const struct okno_survey *survey, struct okno_err *err)
{
    (void)err;
    ((struct counts *)ctx)->surveys += survey->opened_us > 0;
    return 0;
}

static int count_rating(void *ctx, const struct okno_survey_rating *rating, struct okno_err *err)
{
    (void)err;
    ((struct counts *)ctx)->ratings += rating->event.at_us > 0;
    return 0;
}

static int count_situation(void *ctx, const struct okno_survey_situation *fm, struct okno_err *err)
{
    (void)err;
    ((struct counts *)ctx)->situations += fm->holds > 0;
    return 0;
}

static int assemble(const char *dir)
{
    OKNO_AUTO(okno_db) *db = open_db(dir);
    const struct okno_survey_params params = okno_survey_params_default();
    struct counts counts = {0};
    const struct okno_survey_sink sink = {&counts, count_survey, count_rating, count_situation};
    struct okno_err err = {0};
    int64_t events = 0;
    int64_t start_us = okno_time_monotonic();
    int rc = okno_survey_walk(db, &params, okno_time_now(), &sink, &events, &err);
    printf("%.3f\n", (double)(okno_time_monotonic() - start_us) / 1e6);
    (void)fprintf(stderr, "%" PRId64 " events, %" PRId64 " surveys, %" PRId64 " ratings%s%s\n",
                  events, counts.surveys, counts.ratings, rc < 0 ? ": " : "", err.text);
    return rc < 0 || counts.surveys == 0;
}

static int store(const char *dir)
{
    OKNO_AUTO(okno_db) *db = open_db(dir);
    const struct okno_survey_params params = okno_survey_params_default();
    struct okno_survey_refreshed counts = {0};
    struct okno_err err = {0};
    int64_t start_us = okno_time_monotonic();
    int rc = okno_survey_refresh(db, &params, okno_time_now(), &counts, &err);
    printf("%.4f\n", (double)(okno_time_monotonic() - start_us) / 1e6);
    (void)fprintf(stderr, "%" PRId64 " events, %" PRId64 " added, %" PRId64 " written%s%s\n",
                  counts.events, counts.added, counts.written, rc < 0 ? ": " : "", err.text);
    return rc < 0;
}

/* A press on the second day that nobody has told yet. */
static int add_late(const char *dir)
{
    OKNO_AUTO(okno_db) *db = open_db(dir);
    int64_t now_us = okno_time_now();
    struct okno_err err = {0};
    enum okno_event_stored stored;
    const struct okno_event event = {.device = "d7",
                                     .boot = 1,
                                     .seq = now_us / 1000,
                                     .kind = "press",
                                     .duration_ms = OKNO_EVENT_NO_DURATION,
                                     .at_us = INT64_C(1577955660000000) + now_us % 1000000000};
    const struct okno_event_receipt receipt = {.at_us = now_us};
    int rc = okno_db_begin(db, &err);
    if (rc == 0)
        rc = okno_event_store(db, &event, &receipt, &stored, &err);
    if (rc == 0)
        rc = okno_db_commit(db, &err);
    if (rc < 0)
        (void)fprintf(stderr, "survey: %s\n", err.text);
    return rc < 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp(what, "make") == 0 && argc == 4)
        return make(argv[2], strtoll(argv[3], NULL, 10));
    if (strcmp(what, "read") == 0 || strcmp(what, "scan") == 0)
        return read_rows(argv[2], strcmp(what, "read") == 0);
    if (strcmp(what, "assemble") == 0)
        return assemble(argv[2]);
    if (strcmp(what, "store") == 0)
        return store(argv[2]);
    if (strcmp(what, "late") == 0)
        return add_late(argv[2]) || store(argv[2]);
    (void)fprintf(stderr, "usage: survey make DIR EVENTS | read|scan|assemble|store|late DIR\n");
    return 2;
}
