#define _POSIX_C_SOURCE 200809L
#include "okno/rtsp.h"

#include "net_call.h"

#include "okno/time.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { FRAME_HEAD = 4 }; /* "$", channel, length */

#define GOODBYE_US OKNO_SECOND_US

/* A session that its recorder hears nothing of ends after a minute, where it does not say when. */
#define TIMEOUT_S 60

struct okno_rtsp {
    struct okno_rtsp_config config;
    char *url; /* owned */
    CURL *curl;
    struct net_gate gate;
    struct call call;
    struct okno_buf none; /* where no body is expected */
    struct okno_rtsp_reply reply;
    int64_t came;     /* packets since the last request */
    int64_t asked_us; /* monotonic: when the last request was answered */
    int64_t alive_us; /* how often the recorder is told that somebody listens */
    bool is_set_up;
};

/* --- what comes ------------------------------------------------------------------------------- */

static size_t on_packet(char *bytes, size_t size, size_t count, void *arg)
{
    struct okno_rtsp *rtsp = arg;
    struct call *call = &rtsp->call;
    size_t len = size * count;
    call->net->bytes += (int64_t)len;
    okno_budget_spend(call->net->budget, (int64_t)len);
    rtsp->came++;
    int rc =
        call->failed ? call->failed : okno_budget_check(call->net->budget, call->shown, call->err);
    if (rc == 0 && len > FRAME_HEAD && rtsp->is_set_up) /* libcurl takes them at any time */
        rc = rtsp->config.packet(rtsp->config.ctx, (uint8_t)bytes[1],
                                 (const uint8_t *)bytes + FRAME_HEAD, len - FRAME_HEAD, call->err);
    return rc < 0 ? net_stop(call, rc) : len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct okno_rtsp *rtsp = arg;
    struct call *call = &rtsp->call;
    size_t len = size * count;
    call->net->bytes += (int64_t)len;
    okno_budget_spend(call->net->budget, (int64_t)len);
    if (rtsp->reply.status == 200 && okno_buf_add(call->body, bytes, len, NULL) < 0)
        return net_stop(call, okno_fail(call->err, OKNO_TOO_LARGE,
                                        "%s: a description of more than %zu bytes", call->shown,
                                        call->body->max));
    return len;
}

static void keep(char *into, size_t size, const char *value)
{
    if (strlen(value) < size)
        memcpy(into, value, strlen(value) + 1);
}

/* "12345678;timeout=60" */
static void read_timeout(struct okno_rtsp *rtsp, const char *value)
{
    const char *at = strstr(value, "timeout=");
    long seconds = at ? strtol(at + strlen("timeout="), NULL, 10) : 0;
    if (seconds > 1 && seconds < 86400)
        rtsp->alive_us = seconds * OKNO_SECOND_US / 2;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct okno_rtsp *rtsp = arg;
    size_t len = size * count;
    char line[1200];
    if (len >= sizeof(line))
        return len; /* nothing read here is that long */
    memcpy(line, bytes, len);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, "RTSP/", 5) == 0) {
        const char *space = strchr(line, ' ');
        rtsp->reply = (struct okno_rtsp_reply){.status = space ? (int)strtol(space, NULL, 10) : 0,
                                               .date_us = -1};
        rtsp->call.net->requests++;
    }
    char *value = strchr(line, ':');
    if (!value)
        return len;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "content-base") == 0)
        keep(rtsp->reply.base, sizeof(rtsp->reply.base), value);
    else if (strcasecmp(line, "range") == 0)
        keep(rtsp->reply.range, sizeof(rtsp->reply.range), value);
    else if (strcasecmp(line, "rtp-info") == 0)
        keep(rtsp->reply.info, sizeof(rtsp->reply.info), value);
    else if (strcasecmp(line, "session") == 0)
        read_timeout(rtsp, value);
    else if (strcasecmp(line, "date") == 0)
        rtsp->reply.date_us = okno_net_date(value);
    else if (strcasecmp(line, "retry-after") == 0 && isdigit((unsigned char)value[0]))
        rtsp->call.net->retry_after_us = strtol(value, NULL, 10) % 86400 * OKNO_SECOND_US;
    return len;
}

/* Somebody wants it to stop. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct okno_rtsp *rtsp = arg;
    (void)a, (void)b, (void)c, (void)d;
    return okno_budget_cancelled(rtsp->config.net->budget);
}

/* --- asking ----------------------------------------------------------------------------------- */

static int fail_status(struct okno_rtsp *rtsp)
{
    struct call *call = &rtsp->call;
    int status = call->reply.status = rtsp->reply.status;
    switch (status) {
    case 453:
        return okno_fail_retry(call->err, OKNO_ARCHIVE_BUSY, 0,
                               "%s: the recorder has no bandwidth left for another replay (453)",
                               call->shown);
    case 454:
        return okno_fail(call->err, OKNO_TRANSIENT, "%s: the recorder forgot the session (454)",
                         call->shown);
    case 457:
        return okno_fail(call->err, OKNO_NOT_FOUND, "%s: nothing is recorded in that range (457)",
                         call->shown);
    case 461:
        return okno_fail(call->err, OKNO_ARCHIVE_REFUSED,
                         "%s: the recorder does not send over TCP (461); switch that on there",
                         call->shown);
    case 551:
        return okno_fail(call->err, OKNO_ARCHIVE_REFUSED,
                         "%s: the recorder does not know what the request requires (551)",
                         call->shown);
    default:
        return net_fail_status(call);
    }
}

static int judge(struct okno_rtsp *rtsp, CURLcode code)
{
    struct call *call = &rtsp->call;
    if (call->failed)
        return call->failed;
    if (okno_budget_cancelled(call->net->budget))
        return okno_budget_check(call->net->budget, call->shown, call->err);
    if (code)
        return net_fail_transfer(call, code);
    return rtsp->reply.status == 200 ? 0 : fail_status(rtsp);
}

static struct curl_slist *lines_of(const char *const *headers, bool *ret_failed)
{
    struct curl_slist *lines = NULL;
    for (size_t i = 0; headers && headers[i] && !*ret_failed; i++) {
        struct curl_slist *more = curl_slist_append(lines, headers[i]);
        *ret_failed = !more;
        lines = more ? more : lines;
    }
    return lines;
}

static CURLcode set_request(struct okno_rtsp *rtsp, long request, const char *control,
                            int64_t limit_us)
{
    CURL *curl = rtsp->curl;
    int64_t wait_us = okno_budget_wait_us(rtsp->config.net->budget, limit_us);
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_RTSP_REQUEST, request);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_RTSP_STREAM_URI, control);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(wait_us / OKNO_MS_US + 1));
}

/* One exchange; `body` may be NULL. */
static int ask(struct okno_rtsp *rtsp, long request, const char *control,
               const char *const *headers, struct okno_buf *body, struct okno_err *err)
{
    struct call *call = &rtsp->call;
    bool failed = false;
    int rc = okno_budget_check(call->net->budget, call->shown, err);
    if (rc < 0)
        return rc;
    if (control[strcspn(control, " \r\n\t")])
        return okno_fail(err, OKNO_PROTOCOL, "%s: the recorder names a stream with blanks in it",
                         call->shown);
    struct curl_slist *lines = lines_of(headers, &failed);
    call->err = err;
    call->failed = 0;
    call->body = body ? body : &rtsp->none;
    okno_buf_reset(call->body);
    rtsp->reply = (struct okno_rtsp_reply){.date_us = -1};
    call->net->why[0] = '\0';
    call->net->retry_after_us = 0;
    failed = failed || set_request(rtsp, request, control, rtsp->config.deadline_us) ||
             curl_easy_setopt(rtsp->curl, CURLOPT_HTTPHEADER, lines);
    rc = failed ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a request")
                : judge(rtsp, curl_easy_perform(rtsp->curl));
    (void)curl_easy_setopt(rtsp->curl, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(rtsp->curl, CURLOPT_RANGE, NULL);
    curl_slist_free_all(lines);
    call->err = NULL;
    rtsp->asked_us = okno_time_monotonic();
    return rc;
}

/* Long replays are ended unless something is asked now and then; what is answered does not matter.
 * 1, 0 when the connection is gone. */
static int stay_alive(struct okno_rtsp *rtsp, struct okno_err *err)
{
    struct okno_err trouble = {0};
    if (okno_time_monotonic() - rtsp->asked_us < rtsp->alive_us)
        return 1;
    int rc = ask(rtsp, CURL_RTSPREQ_OPTIONS, rtsp->url, NULL, NULL, &trouble);
    if (rc < 0 && rtsp->call.failed) /* by what came meanwhile */
        return okno_fail_from(err, &trouble);
    return rtsp->reply.status > 0;
}

int okno_rtsp_describe(struct okno_rtsp *rtsp, struct okno_buf *sdp, struct okno_err *err)
{
    return ask(rtsp, CURL_RTSPREQ_DESCRIBE, rtsp->url, NULL, sdp, err);
}

int okno_rtsp_setup(struct okno_rtsp *rtsp, const char *control, int channel,
                    const char *const *headers, struct okno_err *err)
{
    char transport[80];
    (void)snprintf(transport, sizeof(transport), "RTP/AVP/TCP;unicast;interleaved=%d-%d", channel,
                   channel + 1);
    if (curl_easy_setopt(rtsp->curl, CURLOPT_RTSP_TRANSPORT, transport))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    int rc = ask(rtsp, CURL_RTSPREQ_SETUP, control, headers, NULL, err);
    rtsp->is_set_up = rtsp->is_set_up || rc == 0;
    return rc;
}

int okno_rtsp_play(struct okno_rtsp *rtsp, const char *control, const char *range,
                   const char *const *headers, struct okno_err *err)
{
    if (curl_easy_setopt(rtsp->curl, CURLOPT_RANGE, range))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    return ask(rtsp, CURL_RTSPREQ_PLAY, control, headers, NULL, err);
}

int okno_rtsp_receive(struct okno_rtsp *rtsp, int64_t idle_us, struct okno_err *err)
{
    struct call *call = &rtsp->call;
    int rc = okno_budget_check(call->net->budget, call->shown, err);
    if (rc == 0)
        rc = stay_alive(rtsp, err);
    if (rc <= 0)
        return rc;
    call->err = err;
    call->failed = 0;
    call->body = &rtsp->none;
    rtsp->came = 0;
    CURLcode code = set_request(rtsp, CURL_RTSPREQ_RECEIVE, rtsp->url, idle_us);
    code = code ? code : curl_easy_perform(rtsp->curl);
    rc = call->failed;
    if (rc == 0) /* which ends a wait, too */
        rc = okno_budget_check(call->net->budget, call->shown, err);
    call->err = NULL;
    return rc < 0 ? rc : code == CURLE_OK && rtsp->came > 0;
}

const struct okno_rtsp_reply *okno_rtsp_reply(const struct okno_rtsp *rtsp)
{
    return &rtsp->reply;
}

/* --- the session ------------------------------------------------------------------------------ */

static int drop_packet(void *ctx, int channel, const uint8_t *bytes, size_t len,
                       struct okno_err *err)
{
    (void)ctx, (void)channel, (void)bytes, (void)len, (void)err;
    return 0;
}

void okno_rtsp_close(struct okno_rtsp *rtsp)
{
    if (!rtsp)
        return;
    struct okno_err ignored = {0};
    rtsp->config.packet = drop_packet;
    rtsp->config.deadline_us = GOODBYE_US;
    if (rtsp->is_set_up)
        (void)!ask(rtsp, CURL_RTSPREQ_TEARDOWN, rtsp->url, NULL, NULL, &ignored);
    curl_easy_cleanup(rtsp->curl);
    okno_buf_free(&rtsp->none);
    free(rtsp->url);
    free(rtsp);
}

static CURLcode set_up(struct okno_rtsp *rtsp)
{
    CURL *curl = rtsp->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "rtsp");
    /* Nothing of the object's last request goes along. */
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L); /* which the last one undoes */
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_URL, rtsp->url);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &rtsp->gate);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERDATA, rtsp);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEDATA, rtsp);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_INTERLEAVEFUNCTION, on_packet);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_INTERLEAVEDATA, rtsp);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_XFERINFODATA, rtsp);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

int okno_rtsp_open(const struct okno_rtsp_config *config, struct okno_rtsp **ret_rtsp,
                   struct okno_err *err)
{
    int rc = okno_net_check_scheme(config->url, "rtsp", err);
    if (rc < 0)
        return rc;
    OKNO_AUTO(okno_rtsp) *rtsp = calloc(1, sizeof(*rtsp));
    if (!rtsp || !(rtsp->curl = curl_easy_duphandle(config->net->curl)) ||
        !(rtsp->url = strdup(config->url)) || set_up(rtsp))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a connection");
    rtsp->config = *config;
    rtsp->config.url = rtsp->url;
    rtsp->none = (struct okno_buf)OKNO_BUF_INIT(64 * 1024);
    rtsp->alive_us = TIMEOUT_S * OKNO_SECOND_US / 2;
    rtsp->call = (struct call){.net = config->net, .gate = &rtsp->gate};
    net_shown(config->net, rtsp->url, rtsp->call.shown, sizeof(rtsp->call.shown));
    rtsp->call.shown[strcspn(rtsp->call.shown, "/")] = '\0'; /* a path may hold a login */
    net_gate_begin(&rtsp->gate, config->net, rtsp->url);
    *ret_rtsp = okno_mem_take(&rtsp);
    return 0;
}
