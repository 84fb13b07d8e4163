/* Kind `hikvision`: recorders that speak ISAPI. Recordings are searched in XML and downloaded as
 * MPEG program streams. Their times end in Z and are local on many devices: the archive's options
 * say which. */
#define _POSIX_C_SOURCE 200809L
#include "kinds.h"
#include "options.h"
#include "spool.h"
#include "xml.h"

#include "okno/net.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 4 * 1024 * 1024, PAGE = 40, PAGES = 500, MATCHES_MAX = PAGE * PAGES };

/* A download begins at the key frame before what was asked. */
#define PREROLL_US (5 * OKNO_SECOND_US)
#define SNAP_US (2 * OKNO_SECOND_US)
#define MAX_WINDOW_US (3600 * OKNO_SECOND_US)

struct hikvision {
    struct okno_net *net;   /* owned */
    struct okno_zone *zone; /* owned */
    char *url, *spool_dir;  /* owned; the url without a slash at its end */
    bool local, whole;      /* times are local; downloads are of whole files */
    int64_t deadline_us;
    uint64_t searches;
};

/* One recording of a search. */
struct match {
    int64_t from_us, to_us;
    char uri[256]; /* path and query of playbackURI */
};
OKNO_VEC(match_vec, struct match);

static void hikvision_close(void *ctx)
{
    struct hikvision *hik = ctx;
    okno_net_close(hik->net);
    okno_zone_close(hik->zone);
    free(hik->url);
    free(hik->spool_dir);
    free(hik);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* One of two words; *ret_second is true for the second. */
static int choose(const char *options, const char *name, const char *first, const char *second,
                  bool needed, bool *ret_second, struct okno_err *err)
{
    char value[16];
    int rc = options_get(options, name, value, sizeof(value), err);
    if (rc < 0)
        return rc;
    *ret_second = strcmp(value, second) == 0;
    if (*ret_second || strcmp(value, first) == 0 || (!value[0] && !needed))
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "options", "%s=%s: say %s=%s or %s=%s", name, value,
                           name, first, name, second);
}

static int fill(struct hikvision *hik, const struct okno_archive_config *config,
                struct okno_budget *budget, struct okno_err *err)
{
    struct okno_err why = {0};
    const char *zone = config->time_zone && config->time_zone[0] ? config->time_zone : "UTC";
    hik->url = strdup(config->url ? config->url : "");
    hik->spool_dir = strdup(config->spool_dir ? config->spool_dir : "");
    hik->deadline_us = config->deadline_us > 0 ? config->deadline_us : 30 * OKNO_SECOND_US;
    if (!hik->url || !hik->spool_dir)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    for (size_t len = strlen(hik->url); len > 0 && hik->url[len - 1] == '/'; len--)
        hik->url[len - 1] = '\0';
    if (okno_net_check_url(hik->url, &why) < 0)
        return okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    int rc = choose(config->options, "times", "utc", "local", true, &hik->local, err);
    if (rc == 0)
        rc = choose(config->options, "download", "time", "file", false, &hik->whole, err);
    if (rc == 0 && okno_zone_open(zone, &hik->zone, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "time_zone", "%s", why.text);
    return rc < 0 ? rc : options_open_net(config, budget, NULL, &hik->net, err);
}

static int hikvision_open(const struct okno_archive_config *config, struct okno_budget *budget,
                          void **ret_ctx, struct okno_err *err)
{
    struct hikvision *hik = calloc(1, sizeof(*hik));
    if (!hik)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = fill(hik, config, budget, err);
    if (rc < 0)
        hikvision_close(hik);
    else
        *ret_ctx = hik;
    return rc;
}

static void hikvision_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    const struct hikvision *hik = ctx;
    *ret_caps = (struct okno_archive_caps){.preroll_us = hik->whole ? 0 : PREROLL_US,
                                           .max_window_us = hik->whole ? 0 : MAX_WINDOW_US,
                                           .anchor_error_us = SNAP_US};
    ret_caps->flags =
        (hik->whole ? OKNO_ARCHIVE_WHOLE_FILES : 0) | (hik->local ? OKNO_ARCHIVE_LOCAL_TIME : 0);
}

/* --- its times -------------------------------------------------------------------------------- */

/* Whole seconds, a beginning rounded down, an end up; dashes as in searches, or none as in URIs. */
static void format_time(const struct hikvision *hik, int64_t us, bool up, bool dashes,
                        char ret_text[64])
{
    struct okno_civil c;
    us += up ? OKNO_SECOND_US - 1 : 0;
    if (hik->local)
        okno_zone_to_local(hik->zone, us, &c);
    else
        okno_time_to_civil(us, &c);
    (void)snprintf(ret_text, 64,
                   dashes ? "%04d-%02d-%02dT%02d:%02d:%02dZ" : "%04d%02d%02dT%02d%02d%02dZ", c.year,
                   c.month, c.day, c.hour, c.minute, c.second);
}

/* The hour that happens twice is taken as the first. */
static int read_time(const struct hikvision *hik, const char *text, int64_t *ret_us,
                     struct okno_err *err)
{
    struct okno_scanned_time time = {0};
    int64_t us[2];
    int count = 0;
    if (okno_time_scan("%Y-%m-%dT%H:%M:%S%z", text, &time, NULL) < 0 &&
        okno_time_scan("%Y-%m-%dT%H:%M:%S", text, &time, NULL) < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder tells a time as \"%.40s\"", text);
    if (hik->local) {
        okno_zone_to_utc(hik->zone, &time.civil, us, &count);
        *ret_us = us[0];
    } else {
        *ret_us = okno_time_from_civil(&time.civil) - (time.has_offset ? time.offset_us : 0);
    }
    return 0;
}

/* --- searching -------------------------------------------------------------------------------- */

static int fail_search(struct okno_err *err)
{
    return okno_fail(err, OKNO_PROTOCOL, "the answer is no result of a search");
}

/* Path and query of an rtsp URI. */
static void keep_uri(struct match *match, const char *text)
{
    const char *host = strstr(text, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    if (path && strlen(path) < sizeof(match->uri))
        (void)snprintf(match->uri, sizeof(match->uri), "%s", path);
}

static int read_field(const struct hikvision *hik, const struct xml *xml, struct match *match,
                      bool *more, struct okno_err *err)
{
    if (xml_is(xml, XML_CLOSE, "startTime"))
        return read_time(hik, xml->text, &match->from_us, err);
    if (xml_is(xml, XML_CLOSE, "endTime"))
        return read_time(hik, xml->text, &match->to_us, err);
    if (xml_is(xml, XML_CLOSE, "playbackURI"))
        keep_uri(match, xml->text);
    else if (xml_is(xml, XML_CLOSE, "responseStatusStrg"))
        *more = strcmp(xml->text, "MORE") == 0;
    return 0;
}

static int read_matches(const struct hikvision *hik, const struct okno_buf *answer, bool *ret_more,
                        struct match_vec *matches, struct okno_err *err)
{
    struct match match = {0};
    enum xml_kind kind = XML_BROKEN;
    bool seen = false;
    int rc = 0;
    okno_autofree struct xml *xml = malloc(sizeof(*xml));
    if (!xml)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    xml_begin(xml, okno_buf_text(answer), answer->len);
    while (rc == 0 && (kind = xml_next(xml)) != XML_END && kind != XML_BROKEN) {
        seen = seen || (kind == XML_OPEN && xml_is(xml, kind, "CMSearchResult"));
        if (kind == XML_OPEN && xml_is(xml, kind, "searchMatchItem"))
            match = (struct match){0};
        if (kind == XML_CLOSE)
            rc = read_field(hik, xml, &match, ret_more, err);
        bool whole = kind == XML_CLOSE && xml_is(xml, kind, "searchMatchItem");
        if (rc < 0 || !whole)
            continue;
        if (!match.uri[0] || match.from_us >= match.to_us)
            return fail_search(err);
        if (matches->len == MATCHES_MAX)
            return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one search",
                             MATCHES_MAX);
        if (match_vec_push(matches, match) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return rc < 0 ? rc : seen && kind == XML_END ? 0 : fail_search(err);
}

static int add_search(struct hikvision *hik, const char *channel, int64_t from_us, int64_t to_us,
                      size_t position, struct okno_buf *body, struct okno_err *err)
{
    char from[64];
    char to[64];
    format_time(hik, from_us, false, true, from);
    format_time(hik, to_us, true, true, to);
    return okno_buf_printf(
        body, err,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><CMSearchDescription>"
        "<searchID>0C4A0000-0000-4000-8000-%012llX</searchID><trackList><trackID>%s</trackID>"
        "</trackList><timeSpanList><timeSpan><startTime>%s</startTime><endTime>%s</endTime>"
        "</timeSpan></timeSpanList><maxResults>%d</maxResults><searchResultPostion>%zu"
        "</searchResultPostion><metadataList><metadataDescriptor>//recordType.meta.std-cgi.com"
        "</metadataDescriptor></metadataList></CMSearchDescription>",
        (unsigned long long)(hik->searches & 0xffffffffffff), channel, from, to, PAGE, position);
}

static int hikvision_channel(const char *channel, struct okno_err *err)
{
    if (channel[0] && strlen(channel) < 16 && channel[strspn(channel, "0123456789")] == '\0')
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "channel",
                           "\"%.40s\": a track's number, 101 for the first camera", channel);
}

static int search(struct hikvision *hik, const char *channel, int64_t from_us, int64_t to_us,
                  struct match_vec *matches, struct okno_err *err)
{
    char url[1024];
    bool more = true;
    int rc = 0;
    (void)snprintf(url, sizeof(url), "%s/ISAPI/ContentMgmt/search", hik->url);
    hik->searches = (uint64_t)okno_time_now(); /* a search of its own, pages share it */
    for (int page = 0; rc == 0 && more && page < PAGES; page++) {
        OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
        OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
        struct okno_net_reply reply = {0};
        size_t before = matches->len;
        more = false;
        rc = add_search(hik, channel, from_us, to_us, before, &body, err);
        const struct okno_net_ask ask = {.url = url,
                                         .body = okno_buf_text(&body),
                                         .body_len = body.len,
                                         .content_type = "application/xml"};
        if (rc == 0)
            rc = okno_net_request(hik->net, &ask, &answer, &reply, err);
        if (rc == 0)
            rc = read_matches(hik, &answer, &more, matches, err);
        more = more && matches->len > before;
    }
    return rc == 0 && more ? okno_fail(err, OKNO_TOO_LONG,
                                       "a search of more than %d pages; ask for less", PAGES)
                           : rc;
}

static int hikvision_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                              struct okno_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(match_vec) matches = {0};
    int rc = search(ctx, channel, from_us, to_us, &matches, err);
    for (size_t i = 0; rc == 0 && i < matches.len; i++) {
        const struct match *m = &matches.items[i];
        struct okno_span *last = spans->len > 0 ? &spans->items[spans->len - 1] : NULL;
        struct okno_span span = {.from_us = m->from_us > from_us ? m->from_us : from_us,
                                 .to_us = m->to_us < to_us ? m->to_us : to_us,
                                 .error_us = OKNO_SECOND_US};
        if (span.from_us >= span.to_us)
            continue;
        if (last && span.from_us - last->to_us <= OKNO_SECOND_US && span.from_us >= last->from_us)
            last->to_us = span.to_us > last->to_us ? span.to_us : last->to_us;
        else if (okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return rc;
}

/* --- downloading ------------------------------------------------------------------------------ */

/* The URI with other times; all else stays as the recorder gave it. */
static void retime(const struct hikvision *hik, const char *uri, int64_t from_us, int64_t to_us,
                   char ret_uri[256])
{
    size_t used = 0;
    for (const char *at = uri; *at && used < 255;) {
        char time[64] = "";
        size_t key = strncmp(at, "starttime=", 10) == 0 ? 10
                     : strncmp(at, "endtime=", 8) == 0  ? 8
                                                        : 0;
        bool word = key && (at == uri || at[-1] == '?' || at[-1] == '&');
        if (!word) {
            ret_uri[used++] = *at++;
            continue;
        }
        format_time(hik, key == 10 ? from_us : to_us, key == 8, false, time);
        used += (size_t)snprintf(ret_uri + used, 256 - used, "%.*s%s", (int)key, at, time);
        at += key + strcspn(at + key, "&");
    }
    ret_uri[used < 255 ? used : 255] = '\0';
}

/* The part of a recording that is asked for, or all of it. */
static int add_piece(const struct hikvision *hik, const struct match *match, int64_t from_us,
                     int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    bool inside = !hik->whole && from_us > match->from_us;
    int64_t second = from_us - (from_us % OKNO_SECOND_US + OKNO_SECOND_US) % OKNO_SECOND_US;
    struct okno_piece piece = {.from_us = inside ? second : match->from_us,
                               .to_us = !hik->whole && to_us < match->to_us ? to_us : match->to_us,
                               .error_us = inside ? SNAP_US : OKNO_SECOND_US,
                               .size = -1,
                               .format = "mpeg",
                               .flags = OKNO_SPAN_APPROX, /* ends are padded */
                               .anchor = inside ? OKNO_ANCHOR_REQUEST : OKNO_ANCHOR_INDEX};
    if (hik->whole)
        (void)snprintf(piece.name, sizeof(piece.name), "%s", match->uri);
    else
        retime(hik, match->uri, piece.from_us, piece.to_us, piece.name);
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

static int hikvision_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                            struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct hikvision *hik = ctx;
    OKNO_AUTO_VEC(match_vec) matches = {0};
    int rc = search(hik, channel, from_us, to_us, &matches, err);
    for (size_t i = 0; rc == 0 && i < matches.len; i++)
        if (matches.items[i].from_us < to_us && matches.items[i].to_us > from_us)
            rc = add_piece(hik, &matches.items[i], from_us, to_us, pieces, err);
    return rc;
}

static int hikvision_source(void *ctx, const struct okno_piece *piece,
                            struct okno_source **ret_source, struct okno_err *err)
{
    struct hikvision *hik = ctx;
    char url[1024];
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO(spool) *spool = NULL;
    struct okno_net_reply reply = {0};
    const char *host = strstr(hik->url, "://");
    int rc = okno_buf_add_text(&body, "<downloadRequest><playbackURI>rtsp://", err);
    if (rc == 0)
        rc = xml_add(&body, host ? host + 3 : "", err);
    if (rc == 0)
        rc = xml_add(&body, piece->name, err);
    if (rc == 0)
        rc = okno_buf_add_text(&body, "</playbackURI></downloadRequest>", err);
    if (rc == 0)
        rc = spool_new(hik->spool_dir, &spool, err);
    if (rc < 0)
        return rc;
    (void)snprintf(url, sizeof(url), "%s/ISAPI/ContentMgmt/download", hik->url);
    int64_t requests = okno_net_requests(hik->net);
    const struct okno_net_ask ask = {.url = url,
                                     .body = okno_buf_text(&body),
                                     .body_len = body.len,
                                     .content_type = "application/xml"};
    rc = spool_fetch(spool, hik->net, &ask, hik->deadline_us, &reply, err);
    if (rc < 0)
        return rc == OKNO_NOT_FOUND ? okno_fail(err, OKNO_GONE, "%s: no longer there", piece->name)
                                    : rc;
    if (strstr(reply.content_type, "xml"))
        return okno_fail(err, OKNO_ARCHIVE_REFUSED,
                         "%s: the recorder refuses the download; some give whole files only "
                         "(options: download=file)",
                         piece->name);
    return spool_source(spool, 0, spool_size(spool), okno_net_requests(hik->net) - requests,
                        ret_source, err);
}

/* --- its clock -------------------------------------------------------------------------------- */

/* Its local time, as the zone of the archive has it: the offset that it tells beside is wrong in
 * summer on some devices. */
static int hikvision_clock(void *ctx, struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    struct hikvision *hik = ctx;
    char url[1024];
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    struct okno_net_reply reply = {0};
    struct okno_scanned_time time = {0};
    int64_t us[2] = {0};
    int count = 0;
    (void)snprintf(url, sizeof(url), "%s/ISAPI/System/time", hik->url);
    int64_t begin = okno_time_monotonic();
    int rc = okno_net_get(hik->net, url, &answer, &reply, err);
    int64_t now = okno_time_now();
    int64_t took = okno_time_monotonic() - begin;
    if (rc < 0)
        return rc;
    const char *at = strstr(okno_buf_text(&answer), "<localTime>");
    char text[20] = "";
    if (at)
        (void)snprintf(text, sizeof(text), "%s", at + strlen("<localTime>"));
    if (okno_time_scan("%Y-%m-%dT%H:%M:%S", text, &time, NULL) < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder tells its time as \"%s\"", text);
    okno_zone_to_utc(hik->zone, &time.civil, us, &count);
    /* Told in whole seconds, at some moment of the exchange. */
    *ret_clock =
        (struct okno_archive_clock){.offset_us = us[0] + OKNO_SECOND_US / 2 - (now - took / 2),
                                    .uncertainty_us = OKNO_SECOND_US / 2 + took / 2,
                                    .method = "isapi"};
    return 0;
}

static const char *const own_options[] = {"times", "download", NULL};

const struct okno_archive_ops archive_hikvision = {.kind = "hikvision",
                                                   .max_parallel = 1, /* one search at a time */
                                                   .options = own_options,
                                                   .open = hikvision_open,
                                                   .close = hikvision_close,
                                                   .caps = hikvision_caps,
                                                   .channel = hikvision_channel,
                                                   .coverage = hikvision_coverage,
                                                   .pieces = hikvision_pieces,
                                                   .source = hikvision_source,
                                                   .clock = hikvision_clock};
