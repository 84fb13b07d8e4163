/* Kind `trassir`: recordings by tasks of a server's SDK ("remote archive export"), one at a time.
 * What is recorded is told only beside a running stream, so it is not asked: every time up to now
 * counts as recorded until an export finds nothing. */
#define _POSIX_C_SOURCE 200809L
#include "export.h"
#include "kinds.h"
#include "options.h"
#include "reach.h"

#include "okno/text.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

enum { SID = 128 };

#define PREROLL_US (5 * OKNO_SECOND_US)
#define SNAP_US (5 * OKNO_SECOND_US)          /* where an export begins is not documented */
#define MAX_WINDOW_US (1800 * OKNO_SECOND_US) /* documented */
#define SETTLE_US (60 * OKNO_SECOND_US)

struct trassir {
    struct reach reach;
    bool local;     /* its microseconds count from 1970 in its own zone */
    char *download; /* owned; where exports are fetched, without a slash at its end */
    char sid[SID];  /* "" before the login */
};

static void trassir_close(void *ctx)
{
    struct trassir *trassir = ctx;
    reach_close(&trassir->reach);
    free(trassir->download);
    free(trassir);
}

/* The same host, at another port where the options say so. */
static int download_make(struct trassir *trassir, const char *options, struct okno_err *err)
{
    char port[8];
    const char *url = trassir->reach.url;
    OKNO_AUTO_BUF at = OKNO_BUF_INIT(4096);
    int rc = options_get(options, "download_port", port, sizeof(port), err);
    if (rc == 0 && port[strspn(port, "0123456789")])
        rc = okno_fail_field(err, OKNO_INVALID, "options", "download_port=%s: a number", port);
    if (rc < 0)
        return rc;
    const char *host = strstr(url, "://");
    size_t len = host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/") : strlen(url);
    size_t without = len;
    while (without > 0 && strchr("0123456789", url[without - 1]))
        without--;
    bool has_port = without > 0 && url[without - 1] == ':';
    if (port[0])
        rc = okno_buf_printf(&at, err, "%.*s:%s", (int)(has_port ? without - 1 : len), url, port);
    else
        rc = okno_buf_add_text(&at, url, err);
    if (rc == 0 && !(trassir->download = strdup(okno_buf_text(&at))))
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    return rc;
}

static int times_choose(struct trassir *trassir, const char *options, struct okno_err *err)
{
    char said[16];
    int rc = options_get(options, "times", said, sizeof(said), err);
    if (rc == 0 && !said[0])
        return okno_fail_field(err, OKNO_INVALID, "options",
                               "say times=local or times=utc: what the server counts its "
                               "microseconds from (docs/profiles.md)");
    return rc < 0 ? rc : reach_choose(options, "times", "utc", "local", &trassir->local, err);
}

static int trassir_open(const struct okno_archive_config *config, struct okno_budget *budget,
                        void **ret_ctx, struct okno_err *err)
{
    const struct okno_net_config base = {.sign = reach_sign_nothing};
    struct trassir *trassir = calloc(1, sizeof(*trassir));
    if (!trassir)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = times_choose(trassir, config->options, err);
    if (rc == 0)
        rc = reach_open(&trassir->reach, config, budget, &base, err);
    if (rc == 0)
        rc = download_make(trassir, config->options, err);
    if (rc < 0)
        trassir_close(trassir);
    else
        *ret_ctx = trassir;
    return rc;
}

static void trassir_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    const struct trassir *trassir = ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_JOBS |
                                                    (trassir->local ? OKNO_ARCHIVE_LOCAL_TIME : 0u),
                                           .preroll_us = PREROLL_US,
                                           .max_window_us = MAX_WINDOW_US,
                                           .settle_us = SETTLE_US,
                                           .format = "mov",
                                           .anchor_error_us = SNAP_US};
}

/* An instant as the server counts: *ret_twice when it counts another one alike. */
static int64_t told_us(const struct trassir *trassir, int64_t us, bool *ret_twice)
{
    struct okno_civil c;
    int64_t meanings[2];
    int count = 1;
    if (trassir->local) {
        okno_zone_to_local(trassir->reach.zone, us, &c);
        okno_zone_to_utc(trassir->reach.zone, &c, meanings, &count);
    }
    *ret_twice = *ret_twice || count == 2;
    return trassir->local ? us + okno_zone_offset_at(trassir->reach.zone, us) : us;
}

static int trassir_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                            struct okno_span_vec *spans, struct okno_err *err)
{
    bool twice = false;
    int64_t now = okno_time_now() - SETTLE_US;
    (void)channel;
    (void)told_us(ctx, from_us, &twice);
    (void)told_us(ctx, to_us, &twice);
    const struct okno_span span = {.from_us = from_us,
                                   .to_us = to_us < now ? to_us : now,
                                   .error_us = SNAP_US,
                                   .flags = OKNO_SPAN_APPROX |
                                            (twice ? (unsigned)OKNO_SPAN_AMBIGUOUS : 0u)};
    return span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* "success" is 1 or "1". */
static bool is_success(const json_t *answer)
{
    const json_t *told = json_object_get(answer, "success");
    const char *text = json_string_value(told);
    return text ? strcmp(text, "1") == 0 : json_integer_value(told) == 1;
}

/* Its reason, unless the login that was sent is in it. */
static int fail_answer(const struct trassir *trassir, const json_t *answer, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    const char *password = trassir->reach.password;
    const char *told = json_string_value(json_object_get(answer, "error_code"));
    const char *why = told ? told : "";
    const char *said = password[0] && strstr(why, password) ? "" : okno_text_show(why, shown);
    if (strstr(why, "session") || strstr(why, "password") || strstr(why, "denied"))
        return okno_fail(err, OKNO_ARCHIVE_AUTH, "the server says \"%s\"", said);
    if (strstr(why, "busy"))
        return okno_fail_retry(err, OKNO_ARCHIVE_BUSY, 60 * OKNO_SECOND_US,
                               "the server says \"%s\"", said);
    return okno_fail(err, OKNO_ARCHIVE_REFUSED, "the server refuses: \"%s\"", said);
}

static int log_in(struct trassir *trassir, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    okno_autojson json_t *answer = NULL;
    trassir->sid[0] = '\0';
    int rc = okno_buf_printf(&url, err, "%s/login?username=", trassir->reach.url);
    if (rc == 0)
        rc = okno_net_encode(&url, trassir->reach.user, false, err);
    if (rc == 0)
        rc = okno_buf_add_text(&url, "&password=", err);
    if (rc == 0)
        rc = okno_net_encode(&url, trassir->reach.password, false, err);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
    if (rc == 0)
        rc = reach_json(&trassir->reach, &ask, &answer, err);
    if (rc < 0)
        return rc;
    const char *sid = json_string_value(json_object_get(answer, "sid"));
    if (!is_success(answer) || !sid)
        return fail_answer(trassir, answer, err);
    if (!sid[0] || strlen(sid) >= SID || sid[strcspn(sid, "&?#/ \r\n")])
        return okno_fail(err, OKNO_PROTOCOL, "the login gives no session's name");
    (void)snprintf(trassir->sid, sizeof(trassir->sid), "%s", sid);
    return 0;
}

/* Post a command of the session; once more with a new one when it has expired. */
static int command(struct trassir *trassir, const char *name, const json_t *body,
                   json_t **ret_answer, struct okno_err *err)
{
    okno_autofree char *text = json_dumps(body, JSON_COMPACT);
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    for (int round = 0;; round++) {
        char url[1024];
        struct okno_err trouble = {0};
        okno_autojson json_t *answer = NULL;
        bool fresh = !trassir->sid[0];
        int rc = fresh ? log_in(trassir, err) : 0;
        if (rc < 0)
            return rc;
        (void)snprintf(url, sizeof(url), "%s/%s?sid=%s", trassir->reach.url, name, trassir->sid);
        const struct okno_net_ask ask = {
            .url = url, .body = text, .body_len = strlen(text), .content_type = "application/json"};
        rc = reach_json(&trassir->reach, &ask, &answer, &trouble);
        if (rc == 0 && !is_success(answer))
            rc = fail_answer(trassir, answer, &trouble);
        if (rc == OKNO_ARCHIVE_AUTH && !fresh && round == 0) {
            trassir->sid[0] = '\0';
            continue;
        }
        if (rc == 0)
            *ret_answer = okno_mem_take(&answer);
        return rc < 0 ? okno_fail_from(err, &trouble) : 0;
    }
}

/* --- exports ---------------------------------------------------------------------------------- */

struct exporting {
    struct trassir *trassir;
    const struct okno_piece *piece;
};

static int create(void *ctx, char ret_task[EXPORT_TASK], struct okno_err *err)
{
    const struct exporting *e = ctx;
    okno_autojson json_t *answer = NULL;
    bool twice = false;
    okno_autojson json_t *body =
        json_pack("{s:s, s:I, s:I, s:i, s:i}", "resource_guid", e->piece->channel, "start_ts",
                  (json_int_t)told_us(e->trassir, e->piece->from_us, &twice), "end_ts",
                  (json_int_t)told_us(e->trassir, e->piece->to_us, &twice), "is_hardware", 0,
                  "prefer_substream", 0);
    if (!body)
        return okno_fail_field(err, OKNO_INVALID, "channel", "\"%.40s\": the channel's GUID",
                               e->piece->channel);
    int rc = command(e->trassir, "jit-export-create-task", body, &answer, err);
    const char *task = json_string_value(json_object_get(answer, "task_id"));
    if (rc == 0 && (!task || !task[0] || strlen(task) >= EXPORT_TASK))
        return okno_fail(err, OKNO_PROTOCOL, "the server accepts an export, but does not name it");
    if (rc == 0)
        (void)snprintf(ret_task, EXPORT_TASK, "%s", task);
    return rc;
}

static int with_task(const struct exporting *e, const char *name, const char *task,
                     json_t **ret_answer, struct okno_err *err)
{
    okno_autojson json_t *body = json_pack("{s:s}", "task_id", task);
    return body ? command(e->trassir, name, body, ret_answer, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
}

/* It can be fetched from when it is active: it is made while it is sent. */
static int poll(void *ctx, const char *task, enum export_state *ret_state, struct okno_err *err)
{
    const struct exporting *e = ctx;
    struct okno_err trouble = {0};
    okno_autojson json_t *answer = NULL;
    int rc = with_task(e, "jit-export-task-status", task, &answer, &trouble);
    if (rc == OKNO_ARCHIVE_REFUSED || rc == OKNO_NOT_FOUND)
        return okno_fail(err, OKNO_TRANSIENT, "%s: the server no longer knows its export (%s)",
                         e->piece->name, trouble.text);
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    bool ready = json_is_true(json_object_get(answer, "active")) ||
                 json_is_true(json_object_get(answer, "done"));
    *ret_state = ready ? EXPORT_READY : EXPORT_QUEUED;
    return 0;
}

static int fetch(void *ctx, const char *task, struct okno_source **ret_source, struct okno_err *err)
{
    const struct exporting *e = ctx;
    struct okno_err trouble = {0};
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    int rc = okno_buf_printf(
        &url, err, "%s/jit-export-download?sid=%s&task_id=", e->trassir->download, e->trassir->sid);
    if (rc == 0)
        rc = okno_net_encode(&url, task, false, err);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
    if (rc < 0)
        return rc;
    rc = reach_fetch(&e->trassir->reach, &ask, e->piece->name, ret_source, &trouble);
    if (rc == OKNO_GONE)
        return okno_fail(err, OKNO_NO_COVERAGE, "%s: the server exports nothing: not recorded",
                         e->piece->name);
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

static int drop(void *ctx, const char *task, struct okno_err *err)
{
    const struct exporting *e = ctx;
    okno_autojson json_t *answer = NULL;
    return with_task(e, "jit-export-cancel-task", task, &answer, err);
}

static int trassir_source(void *ctx, const struct okno_piece *piece,
                          struct okno_source **ret_source, struct okno_err *err)
{
    static const struct export_ops ops = {create, poll, fetch, drop};
    struct exporting e = {.trassir = ctx, .piece = piece};
    return export_run(&ops, &e, &e.trassir->reach, piece->name, ret_source, err);
}

static const char *const own_options[] = {"times", "download_port", NULL};

const struct okno_archive_ops archive_trassir = {.kind = "trassir",
                                                 .max_parallel = 1, /* one task at a time */
                                                 .options = own_options,
                                                 .open = trassir_open,
                                                 .close = trassir_close,
                                                 .caps = trassir_caps,
                                                 .coverage = trassir_coverage,
                                                 .source = trassir_source};
