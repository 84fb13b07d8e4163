/* Kind `onvif`: recorders of ONVIF's profile G. What is recorded is asked by search, and replayed
 * over RTSP with the time of each frame. */
#define _POSIX_C_SOURCE 200809L
#include "onvif.h"

#include "kinds.h"
#include "options.h"
#include "replay.h"
#include "soap.h"
#include "xml.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAGES = 500, PAGE = 100, LIST_PAGES = 5 };

/* Where no frame tells its time. */
#define ERROR_US (5 * OKNO_SECOND_US)
#define GOODBYE_US (2 * OKNO_SECOND_US)

#define SEARCH "http://www.onvif.org/ver10/search/wsdl"
#define REPLAY "http://www.onvif.org/ver10/replay/wsdl"
#define SCHEMA "http://www.onvif.org/ver10/schema"

struct onvif {
    struct reach reach;
    char device[ONVIF_URL];
    struct onvif_services services; /* at the configured host; "" before they are asked */
    struct soap soap;
    char rtsp_port[8]; /* "": as the recorder says */
};

static void onvif_close(void *ctx)
{
    struct onvif *onvif = ctx;
    reach_close(&onvif->reach);
    free(onvif);
}

static int read_port(struct onvif *onvif, const char *options, struct okno_err *err)
{
    char *port = onvif->rtsp_port;
    int rc = options_get(options, "rtsp_port", port, sizeof(onvif->rtsp_port), err);
    long number = strtol(port, NULL, 10);
    bool good = !port[0] || (!port[strspn(port, "0123456789")] && number > 0 && number < 65536);
    return rc < 0 || good ? rc
                          : okno_fail_field(err, OKNO_INVALID, "options",
                                            "rtsp_port=%s: a number from 1 to 65535", port);
}

static int onvif_open(const struct okno_archive_config *config, struct okno_budget *budget,
                      void **ret_ctx, struct okno_err *err)
{
    struct onvif *onvif = calloc(1, sizeof(*onvif));
    if (!onvif)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = read_port(onvif, config->options, err);
    if (rc == 0)
        rc = reach_open(&onvif->reach, config, budget, NULL, err);
    if (rc < 0) {
        onvif_close(onvif);
        return rc;
    }
    const char *host = strstr(onvif->reach.url, "://");
    bool path = host && strchr(host + 3, '/');
    (void)snprintf(onvif->device, sizeof(onvif->device), "%.900s%s", onvif->reach.url,
                   path ? "" : "/onvif/device_service");
    onvif->soap = (struct soap){.reach = &onvif->reach, .device = onvif->device};
    *ret_ctx = onvif;
    return 0;
}

static void onvif_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){
        .flags = OKNO_ARCHIVE_FRAME_TIME, .format = "rtp", .anchor_error_us = ERROR_US};
}

/* --- where its services are ------------------------------------------------------------------- */

static int place(const struct onvif *onvif, char url[ONVIF_URL], const char *name,
                 struct okno_err *err)
{
    char named[ONVIF_URL];
    bool safe = strncmp(onvif->device, "https", 5) == 0;
    memcpy(named, url, sizeof(named));
    if (!named[0])
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the recorder has no %s service (ONVIF profile G); is recording to its "
                         "own storage switched on?",
                         name);
    return onvif_at_home(onvif->device, named, safe ? "https" : "http", NULL, url, ONVIF_URL, err);
}

static int find_services(struct onvif *onvif, struct okno_err *err)
{
    static const char *const questions[] = {
        "<GetServices xmlns=\"http://www.onvif.org/ver10/device/wsdl\">"
        "<IncludeCapability>false</IncludeCapability></GetServices>",
        "<GetCapabilities xmlns=\"http://www.onvif.org/ver10/device/wsdl\">"
        "<Category>All</Category></GetCapabilities>"};
    struct onvif_services found = {0};
    struct okno_err trouble = {0};
    int rc = OKNO_UNSUPPORTED;
    if (onvif->services.search[0])
        return 0;
    for (size_t i = 0; i < OKNO_COUNT(questions) && !found.search[0]; i++) {
        OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
        if (rc != OKNO_UNSUPPORTED && rc != OKNO_ARCHIVE_REFUSED && rc != 0)
            break; /* an older question will not help */
        trouble = (struct okno_err){0};
        rc = soap_ask(&onvif->soap, onvif->device, questions[i], &answer, &trouble);
        if (rc == 0)
            rc = onvif_read_services(okno_buf_text(&answer), answer.len, &found, &trouble);
    }
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    rc = place(onvif, found.search, "search", err);
    if (rc == 0)
        rc = place(onvif, found.replay, "replay", err);
    if (rc == 0)
        onvif->services = found;
    return rc;
}

/* --- searching -------------------------------------------------------------------------------- */

/* One search from its question to its end. */
struct search {
    const char *name; /* of the question for results: "Get" and this */
    char token[ONVIF_TOKEN];
    int pages; /* at most */
    int (*take)(void *ctx, const struct okno_buf *answer, bool *ret_done, struct okno_err *err);
    void *ctx;
};

/* `<tag xmlns="space">...`: with the escaped word inside `element`. */
static int add_word(struct okno_buf *body, const char *element, const char *word,
                    struct okno_err *err)
{
    int rc = okno_buf_printf(body, err, "<%s>", element);
    if (rc == 0)
        rc = xml_add(body, word, err);
    return rc < 0 ? rc : okno_buf_printf(body, err, "</%s>", element);
}

static int search_page(struct onvif *onvif, const struct search *search, bool *ret_done,
                       struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    int rc = okno_buf_printf(&body, err, "<Get%s xmlns=\"" SEARCH "\">", search->name);
    if (rc == 0)
        rc = add_word(&body, "SearchToken", search->token, err);
    if (rc == 0)
        rc = okno_buf_printf(&body, err,
                             "<MaxResults>%d</MaxResults><WaitTime>PT5S</WaitTime></Get%s>", PAGE,
                             search->name);
    if (rc == 0)
        rc = soap_ask(&onvif->soap, onvif->services.search, okno_buf_text(&body), &answer, err);
    return rc < 0 ? rc : search->take(search->ctx, &answer, ret_done, err);
}

/* Recorders hold few searches: they are told, whatever became of the work. */
static void search_end(struct onvif *onvif, const struct search *search)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    struct okno_budget own;
    struct okno_budget *budget = reach_apart(&onvif->reach, &own, GOODBYE_US);
    if (okno_buf_add_text(&body, "<EndSearch xmlns=\"" SEARCH "\">", NULL) == 0 &&
        add_word(&body, "SearchToken", search->token, NULL) == 0 &&
        okno_buf_add_text(&body, "</EndSearch>", NULL) == 0)
        (void)!soap_ask(&onvif->soap, onvif->services.search, okno_buf_text(&body), &answer, NULL);
    (void)okno_net_set_budget(onvif->reach.net, budget);
}

static int search_run(struct onvif *onvif, struct search *search, const char *question,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    bool done = false;
    int rc = soap_ask(&onvif->soap, onvif->services.search, question, &answer, err);
    if (rc == 0)
        rc = onvif_read_text(okno_buf_text(&answer), answer.len, "SearchToken", search->token,
                             sizeof(search->token), err);
    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && !done && i < search->pages; i++)
        rc = search_page(onvif, search, &done, err);
    search_end(onvif, search);
    return rc == 0 && !done
               ? okno_fail(err, OKNO_TOO_LONG, "a search of more than %d pages; ask for less",
                           search->pages)
               : rc;
}

static int take_names(void *ctx, const struct okno_buf *answer, bool *ret_done,
                      struct okno_err *err)
{
    return onvif_read_names(okno_buf_text(answer), answer->len, ctx, ret_done, err);
}

/* A channel that is no recording: say which ones there are. */
static int fail_channel(struct onvif *onvif, const char *channel, const struct okno_err *why,
                        struct okno_err *err)
{
    char names[ONVIF_NAMES] = "";
    struct search search = {
        .name = "RecordingSearchResults", .pages = LIST_PAGES, .take = take_names, .ctx = names};
    (void)!search_run(onvif, &search,
                      "<FindRecordings xmlns=\"" SEARCH
                      "\"><Scope/><KeepAliveTime>PT30S"
                      "</KeepAliveTime></FindRecordings>",
                      NULL);
    if (!names[0]) /* the first pages will do */
        return okno_fail_from(err, why);
    return okno_fail_field(err, OKNO_ARCHIVE_REFUSED, "channel",
                           "\"%.60s\" is no recording there (its token is wanted); there are: %s",
                           channel, names);
}

static int ask_recording(struct onvif *onvif, const char *channel,
                         struct onvif_recording *ret_recording, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    struct okno_err trouble = {0};
    int rc = okno_buf_add_text(&body, "<GetRecordingInformation xmlns=\"" SEARCH "\">", err);
    if (rc == 0)
        rc = add_word(&body, "RecordingToken", channel, err);
    if (rc == 0)
        rc = okno_buf_add_text(&body, "</GetRecordingInformation>", err);
    if (rc < 0)
        return rc;
    rc = soap_ask(&onvif->soap, onvif->services.search, okno_buf_text(&body), &answer, &trouble);
    if (rc == OKNO_ARCHIVE_REFUSED)
        return fail_channel(onvif, channel, &trouble, err);
    return rc < 0 ? okno_fail_from(err, &trouble)
                  : onvif_read_recording(okno_buf_text(&answer), answer.len, ret_recording, err);
}

struct events {
    const struct onvif_recording *recording;
    struct onvif_event_vec list;
};

static int take_events(void *ctx, const struct okno_buf *answer, bool *ret_done,
                       struct okno_err *err)
{
    struct events *events = ctx;
    return onvif_read_events(okno_buf_text(answer), answer->len, events->recording->track,
                             &events->list, ret_done, err);
}

static int ask_events(struct onvif *onvif, const char *channel, int64_t from_us, int64_t to_us,
                      struct events *events, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    char from[OKNO_TIME_TEXT], to[OKNO_TIME_TEXT];
    struct search search = {
        .name = "EventSearchResults", .pages = PAGES, .take = take_events, .ctx = events};
    int rc = okno_buf_printf(&body, err,
                             "<FindEvents xmlns=\"" SEARCH
                             "\"><StartPoint>%s</StartPoint>"
                             "<EndPoint>%s</EndPoint><Scope>",
                             okno_time_format(from_us, from), okno_time_format(to_us, to));
    if (rc == 0)
        rc = okno_buf_add_text(&body, "<IncludedRecordings xmlns=\"" SCHEMA "\">", err);
    if (rc == 0)
        rc = xml_add(&body, channel, err);
    if (rc == 0)
        rc = okno_buf_add_text(
            &body,
            "</IncludedRecordings></Scope><SearchFilter><TopicExpression "
            "xmlns=\"http://docs.oasis-open.org/wsn/b-2\" "
            "xmlns:tns1=\"http://www.onvif.org/ver10/topics\" Dialect=\"http://www.onvif.org/"
            "ver10/tev/topicExpression/ConcreteSet\">tns1:RecordingHistory/Track/State"
            "</TopicExpression></SearchFilter><IncludeStartState>true</IncludeStartState>"
            "<KeepAliveTime>PT30S</KeepAliveTime></FindEvents>",
            err);
    return rc < 0 ? rc : search_run(onvif, &search, okno_buf_text(&body), err);
}

static int onvif_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                          struct okno_span_vec *spans, struct okno_err *err)
{
    struct onvif *onvif = ctx;
    struct onvif_recording recording = {0};
    struct events events = {.recording = &recording};
    struct okno_err trouble = {0};
    int rc = find_services(onvif, err);
    if (rc == 0)
        rc = ask_recording(onvif, channel, &recording, err);
    if (rc < 0)
        return rc;
    rc = ask_events(onvif, channel, from_us, to_us, &events, &trouble);
    /* Who cannot search for events still tells the outer bounds. */
    if (rc == OKNO_UNSUPPORTED || rc == OKNO_ARCHIVE_REFUSED)
        events.list.len = 0;
    rc = rc < 0 && rc != OKNO_UNSUPPORTED && rc != OKNO_ARCHIVE_REFUSED
             ? okno_fail_from(err, &trouble)
             : onvif_spans(&events.list, &recording, from_us, to_us, okno_time_now(), spans, err);
    onvif_event_vec_free(&events.list);
    return rc;
}

/* --- replaying -------------------------------------------------------------------------------- */

static int replay_url(struct onvif *onvif, const char *channel, char ret_url[ONVIF_URL],
                      struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    char named[ONVIF_URL];
    int rc = okno_buf_add_text(&body,
                               "<GetReplayUri xmlns=\"" REPLAY
                               "\"><StreamSetup>"
                               "<Stream xmlns=\"" SCHEMA
                               "\">RTP-Unicast</Stream>"
                               "<Transport xmlns=\"" SCHEMA
                               "\"><Protocol>RTSP</Protocol>"
                               "</Transport></StreamSetup>",
                               err);
    if (rc == 0)
        rc = add_word(&body, "RecordingToken", channel, err);
    if (rc == 0)
        rc = okno_buf_add_text(&body, "</GetReplayUri>", err);
    if (rc == 0)
        rc = soap_ask(&onvif->soap, onvif->services.replay, okno_buf_text(&body), &answer, err);
    if (rc == 0)
        rc = onvif_read_text(okno_buf_text(&answer), answer.len, "Uri", named, sizeof(named), err);
    if (rc == 0 && strncasecmp(named, "rtsp://", 7) != 0)
        return okno_fail(
            err, OKNO_UNSUPPORTED,
            "the recorder replays through %.*s only, which is not spoken: switch plain "
            "RTSP over TCP on there",
            (int)strcspn(named, ":") < 8 ? (int)strcspn(named, ":") : 8, named);
    return rc < 0 ? rc
                  : onvif_at_home(onvif->device, named, "rtsp", onvif->rtsp_port, ret_url,
                                  ONVIF_URL, err);
}

static int onvif_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                        struct okno_err *err)
{
    struct onvif *onvif = ctx;
    char url[ONVIF_URL];
    int rc = find_services(onvif, err);
    if (rc == 0)
        rc = replay_url(onvif, piece->channel, url, err);
    const struct replay replay = {.net = onvif->reach.net,
                                  .url = url,
                                  .name = piece->name,
                                  .spool_dir = onvif->reach.spool_dir,
                                  .from_us = piece->from_us,
                                  .to_us = piece->to_us,
                                  .deadline_us = onvif->reach.deadline_us,
                                  .error_us = ERROR_US,
                                  .clock = true};
    return rc < 0 ? rc : replay_fetch(&replay, NULL, ret_source, err);
}

static int onvif_clock(void *ctx, struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    struct onvif *onvif = ctx;
    int64_t told_us = 0;
    int64_t begun_us = okno_time_monotonic();
    int rc = soap_time(&onvif->soap, &told_us, err);
    if (rc == 0)
        *ret_clock = reach_clock(told_us, begun_us, "onvif");
    return rc;
}

static const char *const own_options[] = {"rtsp_port", NULL};

const struct okno_archive_ops archive_onvif = {.kind = "onvif",
                                               .options = own_options,
                                               .max_parallel = 1, /* few hold two replays */
                                               .open = onvif_open,
                                               .close = onvif_close,
                                               .caps = onvif_caps,
                                               .coverage = onvif_coverage,
                                               .source = onvif_source,
                                               .clock = onvif_clock};
