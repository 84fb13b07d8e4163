#define _POSIX_C_SOURCE 200809L
#include "replay.h"

#include "rtp.h"
#include "spool.h"

#include "okno/rtsp.h"
#include "okno/time.h"

#include <string.h>

enum { SDP_BYTES = 256 * 1024, CHANNEL = 0, FRAMES_MAX = 400 * 1000 };

/* Silence that ends a replay: recorders neither close nor say goodbye. */
#define IDLE_US (5 * OKNO_SECOND_US)

/* Frames behind the end may come before those that lie in front of it. */
#define REORDER_US (OKNO_SECOND_US / 2)

/* Asked for beyond the end, so that a frame which lies there says that it is reached: without one
 * it is silence that says so. */
#define BEYOND_US (2 * OKNO_SECOND_US)

/* How far off an answer's times may be, and those of frames. */
#define ANSWER_ERROR_US OKNO_SECOND_US
#define TIMED_ERROR_US INT64_C(1000)

/* A longer silence between two frames is a hole. */
#define HOLE_US OKNO_SECOND_US

/* One replay under way. */
struct session {
    const struct replay *replay;
    struct rtp_media media;
    struct rtp_line line;
    struct spool *spool;        /* owned; NULL when only the stretches are wanted */
    struct okno_span_vec spans; /* owned; since the first frame, as are the next two */
    int64_t open_us, last_us;   /* the stretch under way */
    int64_t frame_us;           /* the usual interval so far */
    int64_t frames, packets;
    int64_t from_us, error_us; /* the first frame's time */
    bool ending, done;
    uint8_t scratch[2 + RTP_HEAD + RTP_PACKET];
};

/* --- its frames ------------------------------------------------------------------------------- */

static int64_t ticks_us(const struct session *s, int64_t ticks)
{
    int64_t rate = s->line.clock_rate;
    return ticks / rate * OKNO_SECOND_US + ticks % rate * OKNO_SECOND_US / rate;
}

static int span_end(struct session *s, struct okno_err *err)
{
    const struct okno_span span = {.from_us = s->open_us, .to_us = s->last_us + s->frame_us};
    return okno_span_vec_push(&s->spans, span) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

static int on_frame(struct session *s, int64_t at_us, struct okno_err *err)
{
    int64_t since = at_us - s->last_us;
    int rc = 0;
    if (s->frames == FRAMES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "%s: more than %d frames", s->replay->name,
                         FRAMES_MAX);
    if (s->frames > 0 && since > HOLE_US && since > 3 * s->frame_us) {
        rc = span_end(s, err);
        s->open_us = at_us;
    } else if (s->frames > 0 && since > 0) {
        s->frame_us = since;
    }
    s->last_us = at_us > s->last_us ? at_us : s->last_us;
    s->frames++;
    return rc;
}

static int keep(struct session *s, const struct rtp_packet *packet, int64_t ticks,
                struct okno_err *err)
{
    size_t len = rtp_write(&s->line, packet, ticks, s->scratch);
    return s->spool ? spool_add(s->spool, s->scratch, len, err) : 0;
}

static int on_packet(void *ctx, int channel, const uint8_t *bytes, size_t len, struct okno_err *err)
{
    struct session *s = ctx;
    struct rtp_packet packet;
    int64_t ticks = 0;
    bool frame = false;
    if (s->done || channel != CHANNEL || !rtp_read(bytes, len, &packet) ||
        packet.type != s->media.type || packet.len == 0)
        return 0; /* reports tell the present's time, and other streams were not asked for */
    s->packets++;
    int rc = rtp_place(&s->line, &packet, &ticks, &frame, err);
    if (rc < 0)
        return rc;
    if (s->line.timed)
        s->from_us = s->line.first_utc_us;
    int64_t at_us = ticks_us(s, ticks);
    /* Without times the first frame may lie that much before what was asked. */
    int64_t slack = s->line.timed ? REORDER_US : s->error_us;
    s->done = s->from_us + at_us >= s->replay->to_us + slack;
    if (s->done)
        return 0;
    if (frame)
        rc = on_frame(s, at_us, err);
    if (rc == 0)
        rc = keep(s, &packet, ticks, err);
    /* The last frame says so in its first packet, and ends with the marked one. */
    s->ending = s->ending || (packet.timed && packet.flags & RTP_LAST);
    s->done = s->ending && packet.marker;
    return rc;
}

/* --- the conversation ------------------------------------------------------------------------- */

static const char *const replay_headers[] = {"Require: onvif-replay", NULL};
static const char *const play_headers[] = {"Require: onvif-replay", "Rate-Control: no", NULL};

/* Recorders differ in where they take the word: some refuse it in PLAY, some everywhere. */
static int set_up(const struct replay *replay, struct okno_rtsp *rtsp, const char *control,
                  struct okno_err *err)
{
    struct okno_err trouble = {0};
    int rc =
        okno_rtsp_setup(rtsp, control, CHANNEL, replay->clock ? replay_headers : NULL, &trouble);
    if (rc == OKNO_ARCHIVE_REFUSED && replay->clock && okno_rtsp_reply(rtsp)->status == 551) {
        trouble = (struct okno_err){0};
        rc = okno_rtsp_setup(rtsp, control, CHANNEL, NULL, &trouble);
    }
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

static int play(const struct replay *replay, struct okno_rtsp *rtsp, const char *control,
                struct okno_err *err)
{
    struct okno_err trouble = {0};
    char range[80] = "npt=0.000-";
    if (replay->clock)
        rtp_clock_range(replay->from_us, replay->to_us + BEYOND_US, range);
    int rc = okno_rtsp_play(rtsp, control, range, replay->clock ? play_headers : NULL, &trouble);
    if (rc == OKNO_ARCHIVE_REFUSED && replay->clock && okno_rtsp_reply(rtsp)->status == 551) {
        trouble = (struct okno_err){0};
        rc = okno_rtsp_play(rtsp, control, range, play_headers + 1, &trouble);
    }
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

/* The description goes first into what is kept; packets follow. */
static int keep_description(struct session *s, struct okno_err *err)
{
    uint32_t len = (uint32_t)s->media.sdp_len;
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len};
    int rc = spool_add(s->spool, head, sizeof(head), err);
    return rc < 0 ? rc : spool_add(s->spool, s->media.sdp, len, err);
}

static int describe(struct session *s, struct okno_rtsp *rtsp, struct okno_err *err)
{
    OKNO_AUTO_BUF sdp = OKNO_BUF_INIT(SDP_BYTES);
    int rc = okno_rtsp_describe(rtsp, &sdp, err);
    if (rc == 0)
        rc = rtp_describe(okno_buf_text(&sdp), sdp.len, &s->media, err);
    s->line.clock_rate = s->media.clock_rate;
    return rc < 0 || !s->spool ? rc : keep_description(s, err);
}

static int converse(struct session *s, struct okno_rtsp *rtsp, struct okno_err *err)
{
    const struct replay *replay = s->replay;
    char base[REPLAY_URL], session[REPLAY_URL], stream[REPLAY_URL];
    int rc = describe(s, rtsp, err);
    if (rc < 0)
        return rc;
    const char *named = okno_rtsp_reply(rtsp)->base;
    (void)snprintf(base, sizeof(base), "%s", named[0] ? named : replay->url);
    if (!rtp_control(base, s->media.session_control, session, sizeof(session)) ||
        !rtp_control(base, s->media.control, stream, sizeof(stream)))
        return okno_fail(err, OKNO_PROTOCOL, "%s: the recorder names a stream at great length",
                         replay->name);
    rc = set_up(replay, rtsp, stream, err);
    return rc < 0 ? rc : play(replay, rtsp, session, err);
}

/* Where no frame tells its time, the answer to PLAY may: when the range really begins, and the
 * stamp of that moment. */
static void date_by_answer(struct session *s, const struct okno_rtsp_reply *reply)
{
    const char *stamp = strstr(reply->info, "rtptime=");
    int64_t from_us = 0;
    if (s->line.timed || !rtp_clock_start(reply->range, &from_us))
        return;
    int32_t late = stamp && s->line.begun
                       ? (int32_t)(s->line.first_stamp - (uint32_t)strtoul(stamp + 8, NULL, 10))
                       : 0;
    int64_t late_us = ticks_us(s, late);
    s->from_us = from_us + (late_us > 0 && late_us < s->error_us ? late_us : 0);
    s->error_us = ANSWER_ERROR_US;
}

static int receive(struct session *s, struct okno_rtsp *rtsp, struct okno_err *err)
{
    const struct okno_rtsp_reply answer = *okno_rtsp_reply(rtsp);
    int64_t heard_us = okno_time_monotonic();
    int rc = 1;
    while (rc > 0 && !s->done) {
        int64_t packets = s->packets;
        int64_t patience_us = s->frames ? IDLE_US : s->replay->deadline_us;
        int64_t left_us = heard_us + patience_us - okno_time_monotonic();
        rc = left_us > 0 ? okno_rtsp_receive(rtsp, left_us, err) : 0;
        if (s->packets > packets) /* reports go on when the replay is over */
            heard_us = okno_time_monotonic();
    }
    if (rc < 0)
        return rc;
    date_by_answer(s, &answer);
    return s->frames > 0 ? span_end(s, err)
                         : okno_fail(err, OKNO_GONE, "%s: the recorder sends nothing for that time",
                                     s->replay->name);
}

/* --- what comes of it ------------------------------------------------------------------------- */

static int take_spans(const struct session *s, struct okno_span_vec *spans, struct okno_err *err)
{
    const struct replay *replay = s->replay;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->spans.len; i++) {
        struct okno_span span = s->spans.items[i];
        span.error_us = s->line.timed ? TIMED_ERROR_US : s->error_us;
        span.from_us += s->from_us;
        span.to_us += s->from_us;
        span.from_us = span.from_us > replay->from_us ? span.from_us : replay->from_us;
        span.to_us = span.to_us < replay->to_us ? span.to_us : replay->to_us;
        if (span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return rc;
}

/* A source whose first frame has a time of its own. */
struct dated {
    struct okno_source *inner; /* owned */
    struct okno_frame_time first;
};

static int dated_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                      struct okno_err *err)
{
    const struct dated *dated = ctx;
    return dated->inner->read_at(dated->inner->ctx, offset, into, len, ret_got, err);
}

static void dated_close(void *ctx)
{
    struct dated *dated = ctx;
    okno_source_close(dated->inner);
    free(dated);
}

static int take_source(const struct session *s, int64_t requests, struct okno_source **ret_source,
                       struct okno_err *err)
{
    OKNO_AUTO(okno_source) *inner = NULL;
    int rc = spool_source(s->spool, 0, spool_size(s->spool), requests, &inner, err);
    if (rc < 0)
        return rc;
    struct okno_source *source = malloc(sizeof(*source));
    struct dated *dated = malloc(sizeof(*dated));
    if (!source || !dated) {
        free(source);
        free(dated);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a download");
    }
    *source = *inner;
    *dated = (struct dated){.inner = okno_mem_take(&inner), .first.utc_us = s->from_us};
    source->ctx = dated;
    source->read_at = dated_read;
    source->close = dated_close;
    source->dated = true;
    source->from_us = s->from_us;
    source->error_us = s->error_us;
    source->times = s->line.timed ? &dated->first : NULL;
    source->time_count = s->line.timed;
    *ret_source = source;
    return 0;
}

static void session_free(struct session *s)
{
    if (!s)
        return;
    spool_free(s->spool);
    okno_span_vec_free(&s->spans);
    free(s);
}
OKNO_CLEANUP(session, session_free);

static int run(struct session *s, struct okno_err *err)
{
    OKNO_AUTO(okno_rtsp) *rtsp = NULL;
    struct okno_err trouble = {0};
    const struct okno_rtsp_config config = {.net = s->replay->net,
                                            .url = s->replay->url,
                                            .deadline_us = s->replay->deadline_us,
                                            .packet = on_packet,
                                            .ctx = s};
    int rc = okno_rtsp_open(&config, &rtsp, err);
    if (rc < 0)
        return rc;
    rc = converse(s, rtsp, &trouble);
    if (rc == 0)
        rc = receive(s, rtsp, &trouble);
    if (rc == OKNO_NOT_FOUND)
        return okno_fail(err, OKNO_GONE, "%s", trouble.text);
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

int replay_fetch(const struct replay *replay, struct okno_span_vec *spans,
                 struct okno_source **ret_source, struct okno_err *err)
{
    int64_t requests = okno_net_requests(replay->net);
    OKNO_AUTO(session) *s = calloc(1, sizeof(*s));
    if (!s)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a replay");
    s->replay = replay;
    s->from_us = replay->from_us;
    s->error_us = replay->error_us;
    int rc = ret_source ? spool_new(replay->spool_dir, &s->spool, err) : 0;
    if (rc == 0)
        rc = run(s, err);
    if (rc == 0 && spans)
        rc = take_spans(s, spans, err);
    if (rc == 0 && ret_source)
        rc = take_source(s, okno_net_requests(replay->net) - requests, ret_source, err);
    return rc;
}
