/* Kind `zoneminder`: events of a monitor through ZoneMinder's API, their files by ranges. Times are
 * whole seconds of the server's zone without an offset; a running event has no end and no readable
 * file; an event's file may begin before its time and outlast its length, so that neighbours
 * overlap. */
#define _POSIX_C_SOURCE 200809L
#include "events.h"
#include "kinds.h"
#include "options.h"
#include "reach.h"
#include "source.h"
#include "window.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 100, PAGES = 200, RUNNING = 3, STUB_BYTES = 512, TOKEN = 1024 };

#define LOOK_BACK_US (30 * OKNO_SECOND_US)
#define AGAIN_US (60 * OKNO_SECOND_US)

struct zoneminder {
    struct reach reach;
    struct okno_zone *told; /* owned; the zone that the server tells, NULL before it was asked */
    bool table;             /* archives.csv's zone counts instead */
    bool logged_in;         /* asked, also when there is no login to be had */
    char token[TOKEN];      /* "" for none */
    bool gone;              /* seen by a read of a source */
};

static void zoneminder_close(void *ctx)
{
    struct zoneminder *zm = ctx;
    reach_close(&zm->reach);
    okno_zone_close(zm->told);
    free(zm);
}

static int zoneminder_open(const struct okno_archive_config *config, struct okno_budget *budget,
                           void **ret_ctx, struct okno_err *err)
{
    struct zoneminder *zm = calloc(1, sizeof(*zm));
    if (!zm)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    /* The login is posted, and a token travels from then on: no Basic beside it. */
    const struct okno_net_config base = {.sign = reach_sign_nothing};
    int rc = reach_choose(config->options, "zone", "server", "table", &zm->table, err);
    if (rc == 0)
        rc = reach_open(&zm->reach, config, budget, &base, err);
    if (rc < 0)
        zoneminder_close(zm);
    else
        *ret_ctx = zm;
    return rc;
}

static void zoneminder_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_RANGES | OKNO_ARCHIVE_WHOLE_FILES |
                                                    OKNO_ARCHIVE_LOCAL_TIME,
                                           .look_back_us = LOOK_BACK_US,
                                           .settle_us = 10 * 60 * OKNO_SECOND_US};
}

/* --- asking ----------------------------------------------------------------------------------- */

/* A server without logins answers with nulls: then no token is sent. */
static int log_in(struct zoneminder *zm, struct okno_err *err)
{
    char url[1024];
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    okno_autojson json_t *answer = NULL;
    zm->token[0] = '\0';
    if (!zm->reach.user[0]) {
        zm->logged_in = true;
        return 0;
    }
    (void)snprintf(url, sizeof(url), "%s/api/host/login.json", zm->reach.url);
    int rc = okno_buf_add_text(&body, "user=", err);
    if (rc == 0)
        rc = okno_net_encode(&body, zm->reach.user, false, err);
    if (rc == 0)
        rc = okno_buf_add_text(&body, "&pass=", err);
    if (rc == 0)
        rc = okno_net_encode(&body, zm->reach.password, false, err);
    const struct okno_net_ask ask = {.url = url,
                                     .body = okno_buf_text(&body),
                                     .body_len = body.len,
                                     .content_type = "application/x-www-form-urlencoded"};
    if (rc == 0)
        rc = reach_json(&zm->reach, &ask, &answer, err);
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    if (rc == 0 && token && strlen(token) >= sizeof(zm->token))
        return okno_fail(err, OKNO_PROTOCOL, "the login gives a token of %zu bytes", strlen(token));
    if (rc == 0 && token)
        (void)snprintf(zm->token, sizeof(zm->token), "%s", token);
    zm->logged_in = rc == 0;
    return rc;
}

/* URL of a path, with the token as its last parameter. */
static int url_make(const struct zoneminder *zm, const char *path, struct okno_buf *url,
                    struct okno_err *err)
{
    okno_buf_reset(url);
    int rc = okno_buf_printf(url, err, "%s%s", zm->reach.url, path);
    if (rc == 0 && zm->token[0])
        rc = okno_buf_printf(url, err, "%stoken=", strchr(path, '?') ? "&" : "?");
    return rc == 0 && zm->token[0] ? okno_net_encode(url, zm->token, false, err) : rc;
}

/* A token lasts an hour or two: when it is refused, once more with a new one. */
static int get(struct zoneminder *zm, const char *path, json_t **ret_json, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    for (int round = 0;; round++) {
        struct okno_err trouble = {0};
        bool fresh = !zm->logged_in;
        int rc = fresh ? log_in(zm, err) : 0;
        if (rc == 0)
            rc = url_make(zm, path, &url, err);
        if (rc < 0)
            return rc;
        const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
        rc = reach_json(&zm->reach, &ask, ret_json, &trouble);
        if (rc == OKNO_ARCHIVE_AUTH && !fresh && round == 0) {
            zm->logged_in = false;
            continue;
        }
        return rc < 0 ? okno_fail_from(err, &trouble) : 0;
    }
}

/* The zone of its times: asked once. */
static int zone_of(struct zoneminder *zm, const struct okno_zone **ret_zone, struct okno_err *err)
{
    okno_autojson json_t *answer = NULL;
    struct okno_err why = {0};
    int rc = zm->table || zm->told ? 0 : get(zm, "/api/host/getTimeZone.json", &answer, err);
    if (rc < 0)
        return rc;
    if (answer) {
        const char *name = json_string_value(json_object_get(answer, "tz"));
        if (!name || okno_zone_open(name, &zm->told, &why) < 0)
            return okno_fail(err, OKNO_PROTOCOL,
                             "the server's zone is \"%.40s\": say zone=table in the options, and "
                             "its time_zone",
                             name ? name : "");
    }
    *ret_zone = zm->table ? zm->reach.zone : zm->told;
    return 0;
}

/* --- events ----------------------------------------------------------------------------------- */

static int zoneminder_channel(const char *channel, struct okno_err *err)
{
    if (channel[0] && strlen(channel) < 10 && channel[strspn(channel, "0123456789")] == '\0')
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "channel", "\"%.40s\": a monitor's number", channel);
}

static void format_wide(const struct okno_zone *zone, int64_t us, bool up, char ret_text[80])
{
    struct okno_civil c;
    reach_wide(zone, us, up, &c);
    (void)snprintf(ret_text, 80, "%04d-%02d-%02d%%20%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
}

/* Everything that ended at or after `from` and began at or before `to`; pages of a hundred. */
static int list_closed(struct zoneminder *zm, const char *channel, const char *from, const char *to,
                       struct event_vec *events, struct okno_err *err)
{
    bool more = true;
    int rc = 0;
    for (int page = 1; rc == 0 && more; page++) {
        char path[512];
        okno_autojson json_t *answer = NULL;
        if (page > PAGES)
            return okno_fail(err, OKNO_TOO_LONG, "more than %d events; ask for less", PAGE * PAGES);
        (void)snprintf(path, sizeof(path),
                       "/api/events/index/MonitorId:%s/StartTime%%20%%3C=:%s/EndTime%%20%%3E=:%s"
                       ".json?limit=%d&page=%d",
                       channel, to, from, PAGE, page);
        rc = get(zm, path, &answer, err);
        if (rc == 0)
            rc = events_read(answer, events, &more, err);
    }
    return rc;
}

/* The newest ones: a running event has no end and is found by no comparison of ends. */
static int list_running(struct zoneminder *zm, const char *channel, const char *to,
                        struct event_vec *events, struct okno_err *err)
{
    char path[512];
    bool more = false;
    okno_autojson json_t *answer = NULL;
    OKNO_AUTO_VEC(event_vec) newest = {0};
    (void)snprintf(path, sizeof(path),
                   "/api/events/index/MonitorId:%s/StartTime%%20%%3C=:%s.json?sort=StartDateTime&"
                   "direction=desc&limit=%d",
                   channel, to, RUNNING);
    int rc = get(zm, path, &answer, err);
    if (rc == 0)
        rc = events_read(answer, &newest, &more, err);
    for (size_t i = 0; rc == 0 && i < newest.len; i++)
        if (!newest.items[i].end[0] && event_vec_push(events, newest.items[i]) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of events");
    return rc;
}

static int zoneminder_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                             struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct zoneminder *zm = ctx;
    const struct okno_zone *zone = NULL;
    OKNO_AUTO_VEC(event_vec) events = {0};
    char from[80], to[80];
    int rc = zone_of(zm, &zone, err);
    if (rc < 0)
        return rc;
    format_wide(zone, from_us - LOOK_BACK_US, false, from);
    format_wide(zone, to_us + LOOK_BACK_US, true, to);
    rc = list_closed(zm, channel, from, to, &events, err);
    if (rc == 0)
        rc = list_running(zm, channel, to, &events, err);
    const struct events_request request = {
        .zone = zone, .from_us = from_us, .to_us = to_us, .now_us = okno_time_now()};
    return rc < 0 ? rc : events_pieces(&events, &request, pieces, err);
}

/* As listed: what still runs is recorded too, though it cannot be had yet. */
static int zoneminder_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                               struct okno_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int rc = zoneminder_pieces(ctx, channel, from_us, to_us, &pieces, err);
    return rc < 0 ? rc : window_spans(&pieces, from_us, to_us, spans, err);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Ranges beyond a file are announced, then cut: a running event has a stub without an index, an
 * event that was deleted has nothing, with a status of 200. The whole file, as far as a stub goes,
 * tells which it is; 0 when it is neither. */
static int check_stub(struct zoneminder *zm, const char *url, const struct okno_piece *piece,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(STUB_BYTES);
    struct okno_net_reply reply = {0};
    okno_net_set_deadline(zm->reach.net, zm->reach.deadline_us);
    if (okno_net_get(zm->reach.net, url, &body, &reply, NULL) < 0)
        return 0; /* longer, or what went wrong before says why */
    if (piece->flags & OKNO_SPAN_GROWING)
        return okno_fail_retry(err, OKNO_NOT_YET, AGAIN_US,
                               "%s is still being recorded: it can be read when it has ended",
                               piece->name);
    return okno_fail(err, OKNO_GONE, "%s: its file is not there", piece->name);
}

static int open_file(struct zoneminder *zm, const struct okno_piece *piece,
                     struct okno_source **ret_source, struct okno_err *err)
{
    char path[128];
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    (void)snprintf(path, sizeof(path), "/index.php?view=view_video&eid=%s",
                   piece->name + strlen("event "));
    struct okno_err trouble = {0};
    int rc = url_make(zm, path, &url, err);
    if (rc == 0 && piece->flags & OKNO_SPAN_GROWING)
        rc = check_stub(zm, okno_buf_text(&url), piece, err);
    if (rc < 0)
        return rc;
    rc = source_open_http(zm->reach.net, okno_buf_text(&url), piece, zm->reach.deadline_us,
                          &zm->gone, ret_source, &trouble);
    if (rc == OKNO_TRANSIENT || rc == OKNO_PROTOCOL) {
        rc = check_stub(zm, okno_buf_text(&url), piece, err);
        if (rc < 0)
            return rc;
    }
    return trouble.code ? okno_fail_from(err, &trouble) : 0;
}

static int zoneminder_source(void *ctx, const struct okno_piece *piece,
                             struct okno_source **ret_source, struct okno_err *err)
{
    struct zoneminder *zm = ctx;
    OKNO_AUTO(okno_source) *source = NULL;
    struct okno_err trouble = {0};
    bool fresh = !zm->logged_in;
    int rc = fresh ? log_in(zm, err) : 0;
    if (rc < 0)
        return rc;
    rc = open_file(zm, piece, &source, &trouble);
    if (rc == OKNO_ARCHIVE_AUTH && !fresh) { /* the token's hour is over */
        rc = log_in(zm, err);
        if (rc < 0)
            return rc;
        trouble = (struct okno_err){0};
        rc = open_file(zm, piece, &source, &trouble);
    }
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    if (source->size < STUB_BYTES)
        return okno_fail(err, OKNO_GONE, "%s: its file is not there", piece->name);
    *ret_source = okno_mem_take(&source);
    return 0;
}

static const char *const own_options[] = {"zone", NULL};

const struct okno_archive_ops archive_zoneminder = {.kind = "zoneminder",
                                                    .max_parallel = 4,
                                                    .options = own_options,
                                                    .open = zoneminder_open,
                                                    .close = zoneminder_close,
                                                    .caps = zoneminder_caps,
                                                    .channel = zoneminder_channel,
                                                    .coverage = zoneminder_coverage,
                                                    .pieces = zoneminder_pieces,
                                                    .source = zoneminder_source};
