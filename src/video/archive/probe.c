/* Looking at an archive's clock through what tells whole seconds; and which way is taken. */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include "options.h"
#include "xml.h"

#include "okno/buf.h"
#include "okno/net.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <string.h>
#include <time.h>

/* Narrower than this is no use: machines answer when they get to it. */
#define FINE_US (OKNO_SECOND_US / 40)

/* ---- edges ---- */

struct bounds {
    int64_t low_us, high_us; /* of the offset */
    int64_t trip_us;         /* the shortest round trip */
};

static int narrow(const struct probe_clock *clock, struct bounds *b, struct okno_err *err)
{
    int64_t before = 0, after = 0, told = 0;
    int rc = clock->ask(clock->ctx, &before, &after, &told, err);
    if (rc < 0)
        return rc;
    int64_t low = told - after;
    int64_t high = told + OKNO_SECOND_US - before;
    b->low_us = low > b->low_us ? low : b->low_us;
    b->high_us = high < b->high_us ? high : b->high_us;
    b->trip_us = after - before < b->trip_us ? after - before : b->trip_us;
    if (b->low_us > b->high_us)
        return okno_fail(err, OKNO_PROTOCOL,
                         "its clock tells times that contradict each other: it was set meanwhile, "
                         "or more than one machine answers");
    return 0;
}

/* The next moment of ours at which its second begins, if the offset is the middle of what is
 * possible; the question arrives half a trip after it is put. */
static int64_t next_edge(const struct probe_clock *clock, const struct bounds *b)
{
    int64_t middle = b->low_us + (b->high_us - b->low_us) / 2;
    int64_t now = clock->now(clock->ctx) + FINE_US;
    int64_t there = now + middle + b->trip_us / 2;
    int64_t rest = OKNO_SECOND_US - (there % OKNO_SECOND_US + OKNO_SECOND_US) % OKNO_SECOND_US;
    return now + rest % OKNO_SECOND_US;
}

int probe_edges(const struct probe_clock *clock, const char *method,
                struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    struct bounds b = {.low_us = INT64_MIN / 4, .high_us = INT64_MAX / 4, .trip_us = INT64_MAX / 4};
    int rc = 0;
    for (int i = 0; rc == 0 && i < PROBE_ASKS; i++) {
        if (i > 0 && b.high_us - b.low_us <= b.trip_us * 3 / 2 + FINE_US)
            break;
        if (i > 0)
            clock->sleep_until(clock->ctx, next_edge(clock, &b));
        rc = narrow(clock, &b, err);
    }
    if (rc == 0)
        *ret_clock = (struct okno_archive_clock){.offset_us = b.low_us + (b.high_us - b.low_us) / 2,
                                                 .uncertainty_us = (b.high_us - b.low_us + 1) / 2,
                                                 .method = method};
    return rc;
}

/* ---- asking over HTTP ---- */

struct http_asking {
    struct okno_net *net;
    struct okno_net_ask ask;
    bool onvif;
    int64_t began_us, began_wall_us;
};

/* The wall clock of the beginning, going on evenly. */
static int64_t http_now(void *ctx)
{
    const struct http_asking *h = ctx;
    return h->began_wall_us + okno_time_monotonic() - h->began_us;
}

static void http_sleep(void *ctx, int64_t until_us)
{
    int64_t left = until_us - http_now(ctx);
    struct timespec wait = {.tv_sec = left / OKNO_SECOND_US,
                            .tv_nsec = left % OKNO_SECOND_US * 1000};
    if (left > 0)
        (void)nanosleep(&wait, NULL);
}

static int http_ask(void *ctx, int64_t *ret_before, int64_t *ret_after, int64_t *ret_told,
                    struct okno_err *err)
{
    struct http_asking *h = ctx;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(256 * 1024);
    struct okno_net_reply reply = {.date_us = -1};
    int64_t before = http_now(ctx);
    int rc = okno_net_request(h->net, &h->ask, &body, &reply, err);
    int64_t after = http_now(ctx);
    int64_t told = reply.date_us;
    if (rc == 0 && h->onvif)
        rc = probe_onvif_time(okno_buf_text(&body), body.len, &told, err);
    if (rc == 0 && told < 0)
        rc = okno_fail(err, OKNO_PROTOCOL, "its answers have no Date header");
    if (rc < 0)
        return rc;
    *ret_before = before;
    *ret_after = after;
    *ret_told = told;
    return 0;
}

static int http_edges(const struct okno_archive_config *config, struct http_asking *h,
                      struct okno_budget *budget, const char *method,
                      struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    OKNO_AUTO(okno_net) *net = NULL;
    int rc = options_open_net(config, budget, NULL, &net, err);
    if (rc < 0)
        return rc;
    h->net = net;
    h->began_us = okno_time_monotonic();
    h->began_wall_us = okno_time_now();
    const struct probe_clock clock = {
        .ctx = h, .now = http_now, .sleep_until = http_sleep, .ask = http_ask};
    return probe_edges(&clock, method, ret_clock, err);
}

int probe_http(const struct okno_archive_config *config, struct okno_budget *budget,
               struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    char url[1100];
    size_t len = strlen(config->url);
    bool slash = strcmp(config->kind, "dir") != 0 || (len > 0 && config->url[len - 1] == '/');
    (void)snprintf(url, sizeof(url), "%.1050s%s", config->url, slash ? "" : "/");
    struct http_asking h = {.ask = {.method = "HEAD", .url = url}};
    return http_edges(config, &h, budget, "http_date", ret_clock, err);
}

/* ---- ONVIF ---- */

static const char onvif_question[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>"
    "<GetSystemDateAndTime xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/>"
    "</s:Body></s:Envelope>";

/* One of the two times in the answer. */
struct onvif_time {
    struct okno_civil civil;
    unsigned has; /* a bit for each of the six fields */
};

static bool is_inside(const struct xml *xml, const char *name)
{
    for (int i = 0; i < xml->depth; i++)
        if (strcmp(xml->path[i], name) == 0)
            return true;
    return false;
}

static void onvif_field(const struct xml *xml, const char *name, struct onvif_time *time)
{
    static const char *const names[] = {"Year", "Month", "Day", "Hour", "Minute", "Second"};
    int *const fields[] = {&time->civil.year, &time->civil.month,  &time->civil.day,
                           &time->civil.hour, &time->civil.minute, &time->civil.second};
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        char *end = NULL;
        long value = strtol(xml->text, &end, 10);
        if (strcmp(name, names[i]) != 0 || end == xml->text || value < 0 || value > 9999)
            continue;
        *fields[i] = (int)value;
        time->has |= 1U << i;
    }
}

static bool onvif_whole(const struct onvif_time *time)
{
    const struct okno_civil *c = &time->civil;
    return time->has == 0x3f && c->year >= 1970 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= 31 && c->hour < 24 && c->minute < 60 && c->second < 60;
}

static int onvif_local(const struct onvif_time *local, const char *rule, int64_t *ret_us,
                       struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int64_t at[2];
    int count = 0;
    if (!onvif_whole(local) || !rule[0])
        return okno_fail(err, OKNO_PROTOCOL, "its answer to GetSystemDateAndTime has no time");
    if (okno_zone_open(rule, &zone, NULL) < 0)
        return okno_fail(err, OKNO_PROTOCOL, "it tells local time in the unknown zone \"%.40s\"",
                         rule);
    okno_zone_to_utc(zone, &local->civil, at, &count);
    *ret_us = at[0];
    return 0;
}

int probe_onvif_time(const char *text, size_t len, int64_t *ret_us, struct okno_err *err)
{
    struct onvif_time utc = {0}, local = {0};
    char rule[128] = "";
    struct xml xml;
    enum xml_kind kind;
    xml_begin(&xml, text, len);
    while ((kind = xml_next(&xml)) == XML_OPEN || kind == XML_CLOSE) {
        const char *name = kind == XML_CLOSE ? xml.path[xml.depth] : "";
        if (is_inside(&xml, "UTCDateTime"))
            onvif_field(&xml, name, &utc);
        else if (is_inside(&xml, "LocalDateTime"))
            onvif_field(&xml, name, &local);
        else if (strcmp(name, "TZ") == 0)
            (void)snprintf(rule, sizeof(rule), "%.127s", xml.text);
    }
    if (!onvif_whole(&utc))
        return onvif_local(&local, rule, ret_us, err);
    *ret_us = okno_time_from_civil(&utc.civil);
    return 0;
}

int probe_onvif(const struct okno_archive_config *config, const char *url,
                struct okno_budget *budget, struct okno_archive_clock *ret_clock,
                struct okno_err *err)
{
    char made[600];
    char host[256];
    char port[8];
    if (!url[0] && !probe_host(config->url, host, sizeof(host), port, sizeof(port)))
        return okno_fail_field(err, OKNO_INVALID, "url", "no host in it to ask by ONVIF");
    if (!url[0])
        (void)snprintf(made, sizeof(made), "http://%s/onvif/device_service", host);
    struct http_asking h = {.onvif = true,
                            .ask = {.url = url[0] ? url : made,
                                    .body = onvif_question,
                                    .body_len = sizeof(onvif_question) - 1,
                                    .content_type = "application/soap+xml; charset=utf-8"}};
    return http_edges(config, &h, budget, "onvif", ret_clock, err);
}

/* ---- which way ---- */

int okno_archive_probe(const struct okno_archive_config *config, struct okno_budget *budget,
                       struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    char way[16];
    char server[300] = "";
    int rc = options_get(config->options, "clock", way, sizeof(way), err);
    if (rc == 0)
        rc = options_get(config->options, "clock_at", server, sizeof(server), err);
    if (rc < 0)
        return rc;
    if (strcmp(way, "http") == 0)
        return probe_http(config, budget, ret_clock, err);
    if (strcmp(way, "sntp") == 0)
        return probe_sntp(config, server, budget, ret_clock, err);
    if (strcmp(way, "onvif") == 0)
        return probe_onvif(config, server, budget, ret_clock, err);
    OKNO_AUTO(okno_archive) *archive = NULL;
    if (strcmp(way, "none") == 0)
        return okno_fail(err, OKNO_UNSUPPORTED, "its options say clock=none");
    rc = okno_archive_open(config, &archive, err);
    if (rc == 0 && budget)
        okno_archive_begin(archive, budget);
    if (rc == 0)
        rc = okno_archive_clock(archive, ret_clock, err);
    return rc;
}
