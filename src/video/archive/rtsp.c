/* Kind `rtsp`: recorders that replay over RTSP and keep no list that can be asked. The time stands
 * in the URL, and the replay takes as long as the recording; or there is none in it, and the
 * recorder speaks ONVIF's replay, which is fast and tells the time of each frame. */
#define _POSIX_C_SOURCE 200809L
#include "kept.h"
#include "kinds.h"
#include "options.h"
#include "profile.h"
#include "replay.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What there is shows a replay only. */
#define MOST_US (3600 * OKNO_SECOND_US)

/* A look at a longer interval is nobody's clip. */
#define KEEP_US (600 * OKNO_SECOND_US)

/* Most recorders begin at the key frame before what was asked. */
#define PREROLL_US (5 * OKNO_SECOND_US)

struct rtsp {
    struct okno_net *net;         /* owned */
    struct okno_zone *zone;       /* owned */
    char *url, *path, *spool_dir; /* owned; the url without a slash at its end */
    char *user, *password;        /* owned; for URLs that want them */
    struct profile spelling;      /* only how times are spelt */
    bool clock;                   /* no time stands in the URL */
    int64_t deadline_us, error_us;
    struct kept kept;
};

static void rtsp_close(void *ctx)
{
    struct rtsp *rtsp = ctx;
    kept_free(&rtsp->kept);
    okno_net_close(rtsp->net);
    okno_zone_close(rtsp->zone);
    free(rtsp->url);
    free(rtsp->path);
    free(rtsp->spool_dir);
    free(rtsp->user);
    free(rtsp->password);
    free(rtsp);
}

/* --- opening ---------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

static int read_times(struct rtsp *rtsp, const char *options, struct okno_err *err)
{
    char *format = rtsp->spelling.times.format;
    int rc = options_get(options, "times", format, sizeof(rtsp->spelling.times.format), err);
    if (rc < 0)
        return rc;
    if (!format[0])
        (void)snprintf(format, sizeof(rtsp->spelling.times.format), "%%Y%%m%%dT%%H%%M%%SZ");
    (void)snprintf(rtsp->spelling.length, sizeof(rtsp->spelling.length), "s");
    return profile_knows_times(format)
               ? 0
               : okno_fail_field(err, OKNO_INVALID, "options", "times=%s: write %s", format,
                                 PROFILE_TIMES);
}

static int read_error(struct rtsp *rtsp, const char *options, struct okno_err *err)
{
    char text[16];
    char *end = NULL;
    int rc = options_get(options, "error", text, sizeof(text), err);
    double seconds = rc == 0 && text[0] ? strtod(text, &end) : 5;
    rtsp->error_us = (int64_t)(seconds * 1e6);
    if (rc < 0 || (seconds > 0 && seconds <= 60 && (!end || !*end)))
        return rc;
    return okno_fail_field(err, OKNO_INVALID, "options", "error=%s: seconds, up to 60", text);
}

static int fill(struct rtsp *rtsp, const struct okno_archive_config *config,
                struct okno_budget *budget, struct okno_err *err)
{
    const struct okno_net_config base = {.schemes = "rtsp"};
    struct okno_err why = {0};
    const char *zone = config->time_zone && config->time_zone[0] ? config->time_zone : "UTC";
    rtsp->url = copy(config->url);
    rtsp->path = copy(config->files);
    rtsp->spool_dir = copy(config->spool_dir);
    rtsp->user = copy(config->user);
    rtsp->password = copy(config->password);
    rtsp->deadline_us = config->deadline_us > 0 ? config->deadline_us : 30 * OKNO_SECOND_US;
    if (!rtsp->url || !rtsp->path || !rtsp->spool_dir || !rtsp->user || !rtsp->password)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    for (size_t len = strlen(rtsp->url); len > 0 && rtsp->url[len - 1] == '/'; len--)
        rtsp->url[len - 1] = '\0';
    rtsp->clock = !strstr(rtsp->path, "{from}");
    if (strncasecmp(rtsp->url, "rtsps:", 6) == 0 || strncasecmp(rtsp->url, "http", 4) == 0)
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "RTSP inside TLS (rtsps) or HTTP is not spoken: write "
                               "rtsp://HOST:PORT, if need be of a tunnel on this machine");
    if (okno_net_check_scheme(rtsp->url, base.schemes, &why) < 0)
        return okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    if (rtsp->path[0] != '/')
        return okno_fail_field(err, OKNO_INVALID, "files",
                               "\"%.80s\": the path of a replay, as "
                               "/play?channel={channel}&starttime={from}&endtime={to}; without "
                               "{from} the recorder is asked by ONVIF's replay",
                               rtsp->path);
    int rc = read_times(rtsp, config->options, err);
    if (rc == 0)
        rc = read_error(rtsp, config->options, err);
    if (rc == 0 && okno_zone_open(zone, &rtsp->zone, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "time_zone", "%s", why.text);
    return rc < 0 ? rc : options_open_net(config, budget, &base, &rtsp->net, err);
}

static int rtsp_open(const struct okno_archive_config *config, struct okno_budget *budget,
                     void **ret_ctx, struct okno_err *err)
{
    struct rtsp *rtsp = calloc(1, sizeof(*rtsp));
    if (!rtsp)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = fill(rtsp, config, budget, err);
    if (rc < 0)
        rtsp_close(rtsp);
    else
        *ret_ctx = rtsp;
    return rc;
}

static void rtsp_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    const struct rtsp *rtsp = ctx;
    *ret_caps = (struct okno_archive_caps){.flags = rtsp->clock ? OKNO_ARCHIVE_FRAME_TIME
                                                                : OKNO_ARCHIVE_REALTIME,
                                           .preroll_us = rtsp->clock ? 0 : PREROLL_US};
}

/* --- replays ---------------------------------------------------------------------------------- */

static int fetch(struct rtsp *rtsp, const char *channel, int64_t from_us, int64_t to_us,
                 struct okno_span_vec *spans, struct okno_source **ret_source, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(REPLAY_URL);
    char name[2 * OKNO_TIME_TEXT + 300];
    char from[OKNO_TIME_TEXT], to[OKNO_TIME_TEXT];
    const struct profile_values values = {.channel = channel,
                                          .user = rtsp->user,
                                          .password = rtsp->password,
                                          .zone = rtsp->zone,
                                          .from_us = from_us,
                                          .to_us = to_us};
    (void)snprintf(name, sizeof(name), "%.255s %s..%s", channel, okno_time_format(from_us, from),
                   okno_time_format(to_us, to));
    int rc = okno_buf_add_text(&url, rtsp->url, err);
    if (rc == 0)
        rc = profile_expand(&rtsp->spelling, rtsp->path, &values, PROFILE_PATH, &url, err);
    if (rc < 0)
        return rc;
    const struct replay replay = {.net = rtsp->net,
                                  .url = okno_buf_text(&url),
                                  .name = name,
                                  .spool_dir = rtsp->spool_dir,
                                  .from_us = rtsp->clock ? from_us
                                                         : profile_asked(&rtsp->spelling, from_us),
                                  .to_us = to_us,
                                  .deadline_us = rtsp->deadline_us,
                                  .error_us = rtsp->error_us,
                                  .clock = rtsp->clock};
    return replay_fetch(&replay, spans, ret_source, err);
}

/* What is asked for, as far as it has happened. False when there is nothing of it. */
static int limit(int64_t from_us, int64_t *to_us, bool *ret_any, struct okno_err *err)
{
    int64_t now_us = okno_time_now();
    *to_us = *to_us < now_us ? *to_us : now_us;
    *ret_any = from_us < *to_us;
    return *to_us - from_us <= MOST_US
               ? 0
               : okno_fail(err, OKNO_TOO_LONG,
                           "recorders of kind rtsp keep no list: what they have is found by a "
                           "replay, of an hour at most; ask for less");
}

/* What comes is kept, in real time from the key frame that a clip of the interval begins with. One
 * that the recorder ended early is not: asked again it may bring more. */
static int look(struct rtsp *rtsp, const char *channel, int64_t from_us, int64_t to_us,
                struct okno_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_span_vec) found = {0};
    OKNO_AUTO(okno_source) *source = NULL;
    bool keep = to_us - from_us <= KEEP_US;
    int64_t early_us = from_us - (rtsp->clock ? 0 : PREROLL_US);
    const struct kept_replay *known = kept_find(&rtsp->kept, channel, from_us, to_us);
    if (known)
        return kept_spans(known, from_us, to_us, spans, err);
    int rc = fetch(rtsp, channel, early_us, to_us, &found, keep ? &source : NULL, err);
    for (size_t i = 0; rc == 0 && i < found.len; i++) {
        struct okno_span span = found.items[i];
        span.from_us = span.from_us > from_us ? span.from_us : from_us;
        if (span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    bool whole = found.len > 0 && found.items[found.len - 1].to_us >= to_us - OKNO_SECOND_US;
    if (rc == 0 && keep && whole)
        kept_put(&rtsp->kept, channel, early_us, to_us, &found, okno_mem_take(&source));
    return rc;
}

static int rtsp_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                         struct okno_span_vec *spans, struct okno_err *err)
{
    struct okno_err trouble = {0};
    bool any = false;
    int rc = limit(from_us, &to_us, &any, err);
    if (rc < 0 || !any)
        return rc;
    rc = look(ctx, channel, from_us, to_us, spans, &trouble);
    return rc < 0 && rc != OKNO_GONE ? okno_fail_from(err, &trouble) : 0;
}

static int rtsp_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                       struct okno_piece_vec *pieces, struct okno_err *err)
{
    const struct rtsp *rtsp = ctx;
    char from[OKNO_TIME_TEXT], to[OKNO_TIME_TEXT];
    bool any = false;
    int rc = limit(from_us, &to_us, &any, err);
    const struct kept_replay *known = kept_find(&rtsp->kept, channel, from_us, to_us);
    from_us = known ? kept_from(known) : from_us;
    to_us = known ? kept_to(known) : to_us;
    struct okno_piece piece = {.from_us = from_us,
                               .to_us = to_us,
                               .error_us = rtsp->error_us,
                               .size = -1,
                               .format = "rtp",
                               .anchor = OKNO_ANCHOR_REQUEST};
    if (rc < 0 || !any)
        return rc;
    (void)snprintf(piece.name, sizeof(piece.name), "%s..%s", okno_time_format(from_us, from),
                   okno_time_format(to_us, to));
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

static int rtsp_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                       struct okno_err *err)
{
    const struct rtsp *rtsp = ctx;
    struct okno_err trouble = {0};
    const struct kept_replay *known =
        kept_find(&rtsp->kept, piece->channel, piece->from_us, piece->to_us);
    if (known && kept_from(known) == piece->from_us && kept_to(known) == piece->to_us)
        return kept_source(known, ret_source, err);
    int rc = fetch(ctx, piece->channel, piece->from_us, piece->to_us, NULL, ret_source, &trouble);
    if (rc == OKNO_GONE) /* no list has promised it */
        return okno_fail(err, OKNO_NO_COVERAGE, "%s", trouble.text);
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

static const char *const own_options[] = {"times", "error", NULL};

const struct okno_archive_ops archive_rtsp = {.kind = "rtsp",
                                              .max_parallel = 1,
                                              .options = own_options,
                                              .open = rtsp_open,
                                              .close = rtsp_close,
                                              .caps = rtsp_caps,
                                              .coverage = rtsp_coverage,
                                              .pieces = rtsp_pieces,
                                              .source = rtsp_source};
