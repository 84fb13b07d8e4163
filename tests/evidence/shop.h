/* A small shop with recordings behind a real nginx, for tests of the evidence room: facts are put
 * straight into the tables. Include after defining a feature test macro. */
#ifndef TESTS_EVIDENCE_SHOP_H
#define TESTS_EVIDENCE_SHOP_H

#include "../support/nginx.h"
#include "../support/recording.h"
#include "../support/scratch_db.h"
#include "../support/tempdir.h"

#include "okno/conf.h"
#include "okno/time.h"
#include "okno/work.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* 2026-03-10T07:00:00Z: the beginning of the recordings, five files of a minute per camera. */
#define T0 INT64_C(1773126000000000)
#define AT(s) (T0 + (int64_t)((s)*1e6))
#define LATER (T0 + 2 * OKNO_DAY_US) /* a usual now */

struct shop {
    struct scratch_db *db;
    struct support_nginx nginx;
    char *root; /* of the recordings */
    struct okno_conf conf;
    struct okno_work *work;
    struct okno_err err;
};

__attribute__((format(printf, 2, 3), unused)) static void put(struct shop *shop, const char *fmt,
                                                              ...)
{
    char sql[4096];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(sql, sizeof(sql), fmt, args);
    va_end(args);
    assert_in_range(len, 1, sizeof(sql) - 1);
    scratch_db_put(shop->db, sql);
}

/* The first column of the first row as text, "" for none or NULL; a few live at a time. */
__attribute__((unused)) static const char *text_of(struct shop *shop, const char *sql)
{
    static char texts[4][2048];
    static size_t next;
    char *text = texts[next++ % 4];
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", shop->db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    const unsigned char *found =
        sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
    (void)snprintf(text, sizeof(texts[0]), "%s", found ? (const char *)found : "");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return text;
}

__attribute__((unused)) static int64_t int_of(struct shop *shop, const char *sql)
{
    return strtoll(text_of(shop, sql), NULL, 10);
}

/* The n-th minute of a channel, 60 s of 5 frames a second. */
__attribute__((unused)) static const char *minute_path(struct shop *shop, const char *channel,
                                                       int minute)
{
    static char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s/2026-03-10/07-%02d-00.mp4", shop->root, channel,
                   minute);
    return path;
}

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    size_t got;
    assert_non_null(in);
    assert_non_null(out);
    while ((got = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(fwrite(block, 1, got, out), got);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

__attribute__((unused)) static void record_minutes(struct shop *shop, const char *channel,
                                                   int minutes)
{
    static bool made;
    char keep[200];
    if (!made)
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=5:d=60 -c:v libx264 -preset ultrafast "
            "-g 10 -keyint_min 10 -sc_threshold 0 minute.mp4");
    made = true;
    (void)snprintf(keep, sizeof(keep), "%s/2026-03-10/.keep", channel);
    support_file(shop->root, keep, 0, -1); /* makes the folders */
    for (int i = 0; i < minutes; i++)
        copy_file(fixture_path("minute.mp4"), minute_path(shop, channel, i));
}

__attribute__((unused)) static void forget_minutes(struct shop *shop, const char *channel, int from,
                                                   int to)
{
    for (int i = from; i < to; i++)
        assert_int_equal(unlink(minute_path(shop, channel, i)), 0);
}

__attribute__((unused)) static void open_work(struct shop *shop)
{
    okno_work_close(shop->work);
    shop->work = NULL;
    if (okno_work_open(shop->db->dir, &shop->conf, &shop->work, &shop->err) < 0)
        fail_msg("%s", shop->err.text);
}

/* cam1 sees p1 first, then cam2; both clocks are right within 50 ms. */
__attribute__((unused)) static struct shop *shop_new(const char *directives)
{
    struct shop *shop = calloc(1, sizeof(*shop));
    assert_non_null(shop);
    shop->db = scratch_db_in("/tmp"); /* beside other folders that files move from */
    shop->root = support_tempdir();
    record_minutes(shop, "cam1", 5);
    record_minutes(shop, "cam2", 5);
    support_nginx_start(&shop->nginx, shop->root, directives);
    okno_conf_defaults(&shop->conf);
    put(shop,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO archives (import, archive, kind, url, files) VALUES"
        " (1, 'nvr', 'dir', '%s/', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4');"
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
        " (1, 'cam1', 's', 'nvr', 'cam1'), (1, 'cam2', 's', 'nvr', 'cam2');"
        "INSERT INTO placements (import, point, camera, valid_from, priority) VALUES"
        " (1, 'p1', 'cam1', 0, 1), (1, 'p1', 'cam2', 0, 2);"
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'camera:cam1', %lld, 0, 50000), (1, 'camera:cam2', %lld, 0, 50000)",
        shop->nginx.url, (long long)T0, (long long)T0);
    open_work(shop);
    return shop;
}

__attribute__((unused)) static void shop_free(struct shop *shop)
{
    char *dir = strdup(shop->db->dir);
    okno_work_close(shop->work);
    support_nginx_stop(&shop->nginx);
    support_tempdir_remove(shop->root);
    scratch_db_free(shop->db);
    support_tempdir_remove(dir);
    free(shop);
}

/* A window of 15 s at p1, answered "yes" after 5 s unless silent. */
__attribute__((unused)) static void put_survey(struct shop *shop, const char *id, double opened,
                                               const char *answer)
{
    put(shop,
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer,"
        " answered_at, device_offset_us, device_uncertainty_us, placed_at) VALUES"
        " ('%s', 'p1', 's', %lld, %lld, '%s', nullif('%s', ''), nullif(%lld, 0), 0, 100000, 1)",
        id, (long long)AT(opened), (long long)AT(opened + 15), *answer ? "answered" : "silent",
        answer, *answer ? (long long)AT(opened + 5) : 0LL);
}

__attribute__((unused)) static const char *link_now(struct shop *shop, const char *survey,
                                                    int64_t now_us)
{
    enum okno_link_state state = OKNO_LINK_STATE_COUNT;
    if (okno_work_link(shop->work, survey, now_us, &state, &shop->err) < 0)
        fail_msg("%s", shop->err.text);
    return okno_link_state_name(state);
}

/* Extract; the code, with the message in shop->err. */
__attribute__((unused)) static int fetch_at(struct shop *shop, const char *survey, const char *kind,
                                            int64_t now_us, struct okno_evidence *ret)
{
    shop->err = (struct okno_err){0};
    return okno_work_extract(shop->work, survey, kind, NULL, now_us, ret, &shop->err);
}

__attribute__((unused)) static struct okno_evidence fetch_well(struct shop *shop,
                                                               const char *survey, const char *kind)
{
    struct okno_evidence e = {0};
    if (fetch_at(shop, survey, kind, LATER, &e) < 0)
        fail_msg("%s", shop->err.text);
    return e;
}

/* Run every job that is due; how many. */
__attribute__((unused)) static int run_due(struct shop *shop, int64_t now_us)
{
    int count = 0;
    int64_t next_us = 0;
    for (;; count++) {
        int code = 0;
        struct okno_err why = {0};
        int rc = okno_work_run_one(shop->work, now_us, &next_us, &code, &why);
        if (rc < 0)
            fail_msg("%s", why.text);
        if (rc == 0)
            return count;
        assert_true(count < 100);
    }
}

__attribute__((unused)) static int64_t plan_jobs(struct shop *shop, int64_t now_us)
{
    int64_t added = -1;
    if (okno_work_plan(shop->work, now_us, &added, &shop->err) < 0)
        fail_msg("%s", shop->err.text);
    return added;
}

/* Requests that nginx has answered so far. It logs before it answers the next one on a kept
 * connection, so this is exact only for "none since", asked twice around idle work. */
__attribute__((unused)) static int64_t requests_logged(struct shop *shop)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/access.log", shop->nginx.prefix);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Files in a folder of the data directory. */
__attribute__((unused)) static int files_in(struct shop *shop, const char *folder)
{
    char path[300];
    int count = 0;
    (void)snprintf(path, sizeof(path), "%s/%s", shop->db->dir, folder);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        (void)closedir(dir);
    return count;
}

#endif
