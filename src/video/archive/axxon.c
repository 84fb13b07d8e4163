/* Kind `axxon`: Axxon One, Axxon Next, C-Werk. Intervals come newest first from a path that names
 * the end before the beginning; recordings are exported by a task. Times are UTC. */
#define _POSIX_C_SOURCE 200809L
#include "export.h"
#include "kinds.h"
#include "reach.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, PAGES = 50, WAIT_FRAME_MS = 30000 };

#define PREROLL_US (5 * OKNO_SECOND_US)
#define SNAP_US (5 * OKNO_SECOND_US) /* where an export begins is not documented */
#define MAX_WINDOW_US (900 * OKNO_SECOND_US)

struct axxon {
    struct reach reach;
};

static void axxon_close(void *ctx)
{
    struct axxon *axxon = ctx;
    reach_close(&axxon->reach);
    free(axxon);
}

static int axxon_open(const struct okno_archive_config *config, struct okno_budget *budget,
                      void **ret_ctx, struct okno_err *err)
{
    struct axxon *axxon = calloc(1, sizeof(*axxon));
    if (!axxon)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = reach_open(&axxon->reach, config, budget, NULL, err);
    if (rc < 0)
        axxon_close(axxon);
    else
        *ret_ctx = axxon;
    return rc;
}

static void axxon_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_JOBS,
                                           .preroll_us = PREROLL_US,
                                           .max_window_us = MAX_WINDOW_US,
                                           .format = "mov",
                                           .anchor_error_us = SNAP_US};
}

/* --- intervals -------------------------------------------------------------------------------- */

/* "20260310T140320.123000", UTC. */
static void format_time(int64_t us, char ret_text[40])
{
    struct okno_civil c;
    int64_t rest = (us % OKNO_SECOND_US + OKNO_SECOND_US) % OKNO_SECOND_US;
    okno_time_to_civil(us, &c);
    (void)snprintf(ret_text, 40, "%04d%02d%02dT%02d%02d%02d.%06d", c.year, c.month, c.day, c.hour,
                   c.minute, c.second, (int)rest);
}

static int read_time(const json_t *value, int64_t *ret_us, struct okno_err *err)
{
    struct okno_scanned_time time = {0};
    const char *text = json_string_value(value);
    if (!text || okno_time_scan("%Y%m%dT%H%M%S", text, &time, NULL) < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder tells a time as \"%.40s\"",
                         text ? text : "");
    *ret_us = okno_time_from_civil(&time.civil);
    return 0;
}

/* Append what a page tells, clipped; *ret_oldest where it begins. */
static int read_page(const json_t *answer, int64_t from_us, int64_t to_us,
                     struct okno_span_vec *spans, int64_t *ret_oldest, struct okno_err *err)
{
    const json_t *rows = json_object_get(answer, "intervals");
    int rc = 0;
    if (!json_is_array(rows))
        return okno_fail(err, OKNO_PROTOCOL, "the answer is no list of intervals");
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
        struct okno_span span = {0};
        const json_t *row = json_array_get(rows, i);
        rc = read_time(json_object_get(row, "begin"), &span.from_us, err);
        if (rc == 0)
            rc = read_time(json_object_get(row, "end"), &span.to_us, err);
        *ret_oldest = rc == 0 && span.from_us < *ret_oldest ? span.from_us : *ret_oldest;
        span.from_us = span.from_us > from_us ? span.from_us : from_us;
        span.to_us = span.to_us < to_us ? span.to_us : to_us;
        if (spans->len == PAGE * PAGES)
            return okno_fail(err, OKNO_TOO_LONG, "more than %d intervals; ask for less",
                             PAGE * PAGES);
        if (rc == 0 && span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return rc;
}

static int url_begin(const struct axxon *axxon, const char *path, const char *channel,
                     struct okno_buf *url, struct okno_err *err)
{
    int rc = okno_buf_printf(url, err, "%s%s", axxon->reach.url, path);
    return rc < 0 ? rc : okno_net_encode(url, channel, true, err);
}

/* The END stands before the BEGIN. */
static int ask_page(struct axxon *axxon, const char *channel, int64_t from_us, int64_t to_us,
                    json_t **ret_answer, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    char from[40], to[40];
    format_time(from_us, from);
    format_time(to_us, to);
    int rc = url_begin(axxon, "/archive/contents/intervals/", channel, &url, err);
    if (rc == 0)
        rc = okno_buf_printf(&url, err, "/%s/%s?limit=%d&scale=0", to, from, PAGE);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
    return rc < 0 ? rc : reach_json(&axxon->reach, &ask, ret_answer, err);
}

static int by_time(const void *a, const void *b)
{
    const struct okno_span *x = a;
    const struct okno_span *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

static int axxon_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                          struct okno_span_vec *spans, struct okno_err *err)
{
    size_t before = spans->len;
    int64_t oldest = to_us;
    bool more = true;
    int rc = 0;
    for (int page = 0; rc == 0 && more && oldest > from_us; page++) {
        okno_autojson json_t *answer = NULL;
        int64_t end = oldest;
        if (page == PAGES)
            return okno_fail(err, OKNO_TOO_LONG, "more than %d intervals; ask for less",
                             PAGE * PAGES);
        rc = ask_page(ctx, channel, from_us, end, &answer, err);
        if (rc == 0)
            rc = read_page(answer, from_us, to_us, spans, &oldest, err);
        more = json_is_true(json_object_get(answer, "more"));
        if (rc == 0 && more && oldest >= end)
            rc = okno_fail(err, OKNO_PROTOCOL, "the list of intervals does not go on");
    }
    if (rc == 0 && spans->len - before > 1)
        qsort(spans->items + before, spans->len - before, sizeof(*spans->items), by_time);
    return rc;
}

/* --- exports ---------------------------------------------------------------------------------- */

struct exporting {
    struct axxon *axxon;
    const struct okno_piece *piece;
    char file[256]; /* what the finished task made */
};

/* A task's name is the last part of its address, which is never followed elsewhere. */
static int keep_task(const char *location, char ret_task[EXPORT_TASK], struct okno_err *err)
{
    const char *slash = strrchr(location, '/');
    const char *task = slash ? slash + 1 : "";
    static const char allowed[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    if (!task[0] || strlen(task) >= EXPORT_TASK || task[strspn(task, allowed)])
        return okno_fail(err, OKNO_PROTOCOL,
                         "the recorder accepts an export, but does not name it");
    (void)snprintf(ret_task, EXPORT_TASK, "%s", task);
    return 0;
}

static int create(void *ctx, char ret_task[EXPORT_TASK], struct okno_err *err)
{
    static const char body[] = "{\"format\":\"mp4\"}";
    const struct exporting *e = ctx;
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(64 * 1024);
    struct okno_net_reply reply = {0};
    char from[40], to[40];
    format_time(e->piece->from_us, from);
    format_time(e->piece->to_us, to);
    int rc = url_begin(e->axxon, "/export/archive/", e->piece->channel, &url, err);
    if (rc == 0)
        rc = okno_buf_printf(&url, err, "/%s/%s?waittimeout=%d", from, to, WAIT_FRAME_MS);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url),
                                     .body = body,
                                     .body_len = strlen(body),
                                     .content_type = "application/json"};
    if (rc == 0)
        rc = okno_net_request(e->axxon->reach.net, &ask, &answer, &reply, err);
    return rc < 0 ? rc : keep_task(reply.location, ret_task, err);
}

static int fail_export(const struct exporting *e, int state, struct okno_err *err)
{
    static const char *const why[] = {"failed", "has no room at the recorder",
                                      "meets a file of its name there"};
    if (state == 6)
        return okno_fail(err, OKNO_NO_COVERAGE, "%s: the recorder has nothing to export",
                         e->piece->name);
    return okno_fail(err, OKNO_TRANSIENT, "%s: the export %s (state %d)", e->piece->name,
                     state >= 3 && state <= 5 ? why[state - 3] : "is in a state unknown to okno",
                     state);
}

static int poll(void *ctx, const char *task, enum export_state *ret_state, struct okno_err *err)
{
    struct exporting *e = ctx;
    char url[1024];
    struct okno_err trouble = {0};
    okno_autojson json_t *answer = NULL;
    (void)snprintf(url, sizeof(url), "%s/export/%s/status", e->axxon->reach.url, task);
    const struct okno_net_ask ask = {.url = url};
    int rc = reach_json(&e->axxon->reach, &ask, &answer, &trouble);
    if (rc == OKNO_NOT_FOUND || rc == OKNO_GONE)
        return okno_fail(err, OKNO_TRANSIENT, "%s: the recorder no longer knows its export",
                         e->piece->name);
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    const json_t *told = json_object_get(answer, "state");
    json_int_t number = json_is_integer(told) ? json_integer_value(told) : -1;
    int state = number >= 0 && number < 100 ? (int)number : -1;
    const char *file = json_string_value(json_array_get(json_object_get(answer, "files"), 0));
    if (state < 0 || state > 2)
        return fail_export(e, state, err);
    if (state == 2 && (!file || strlen(file) >= sizeof(e->file)))
        return okno_fail(err, OKNO_PROTOCOL, "%s: the export is done, but names no file",
                         e->piece->name);
    (void)snprintf(e->file, sizeof(e->file), "%s", state == 2 ? file : "");
    *ret_state = state == 2 ? EXPORT_READY : state == 1 ? EXPORT_WORKING : EXPORT_QUEUED;
    return 0;
}

static int fetch(void *ctx, const char *task, struct okno_source **ret_source, struct okno_err *err)
{
    const struct exporting *e = ctx;
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    int rc = okno_buf_printf(&url, err, "%s/export/%s/file?name=", e->axxon->reach.url, task);
    if (rc == 0)
        rc = okno_net_encode(&url, e->file, false, err);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
    return rc < 0 ? rc : reach_fetch(&e->axxon->reach, &ask, e->piece->name, ret_source, err);
}

static int drop(void *ctx, const char *task, struct okno_err *err)
{
    const struct exporting *e = ctx;
    char url[1024];
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(64 * 1024);
    struct okno_net_reply reply = {0};
    (void)snprintf(url, sizeof(url), "%s/export/%s", e->axxon->reach.url, task);
    const struct okno_net_ask ask = {.method = "DELETE", .url = url};
    return okno_net_request(e->axxon->reach.net, &ask, &answer, &reply, err);
}

static int axxon_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                        struct okno_err *err)
{
    static const struct export_ops ops = {create, poll, fetch, drop};
    struct exporting e = {.axxon = ctx, .piece = piece};
    return export_run(&ops, &e, &e.axxon->reach, piece->name, ret_source, err);
}

const struct okno_archive_ops archive_axxon = {.kind = "axxon",
                                               .max_parallel = 2,
                                               .open = axxon_open,
                                               .close = axxon_close,
                                               .caps = axxon_caps,
                                               .coverage = axxon_coverage,
                                               .source = axxon_source};
