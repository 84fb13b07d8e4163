/* Kind `hls`: playlists whose PROGRAM-DATE-TIME says when, or that are asked for by time. A piece
 * is a run of segments without a hole; reading it fetches those segments in one go. */
#define _POSIX_C_SOURCE 200809L
#include "kinds.h"
#include "options.h"
#include "playlist.h"
#include "spool.h"

#include "okno/net.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { PLAYLIST_MAX_BYTES = 32 * 1024 * 1024, URL_MAX_BYTES = 4000, RUN_SEGMENTS_MAX = 20000 };

#define DEFAULT_DEADLINE_US (30 * OKNO_SECOND_US)
#define FRESH_US (2 * OKNO_SECOND_US) /* how long a growing playlist holds */
#define STALE_US (60 * OKNO_SECOND_US)
/* A playlist asked for by time begins at the key frame before. */
#define ASKED_ERROR_US OKNO_SECOND_US

struct hls {
    struct okno_net *net;       /* owned */
    struct okno_budget *budget; /* the handle's */
    struct okno_zone *zone;     /* owned */
    char *template;  /* owned: URL with {channel}, and {from} {to} {duration} when asked by time */
    char *spool_dir; /* owned */
    bool by_time;
    int64_t deadline_us;
    /* The playlist that was read last. */
    struct playlist list;
    char *list_url;   /* owned: where its references lead from; NULL: none */
    char *asked_url;  /* owned: as made from the template */
    int64_t until_us; /* monotonic */
};

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for a playlist");
}

static void forget(struct hls *hls)
{
    playlist_free(&hls->list);
    free(hls->list_url);
    free(hls->asked_url);
    hls->list_url = hls->asked_url = NULL;
}

static void hls_close(void *ctx)
{
    struct hls *hls = ctx;
    forget(hls);
    okno_net_close(hls->net);
    okno_zone_close(hls->zone);
    free(hls->template);
    free(hls->spool_dir);
    free(hls);
}

/* --- opening --- */

/* Only the names it knows stand in braces. */
static int check_braces(const char *text, bool *ret_by_time, struct okno_err *err)
{
    static const char *const names[] = {"{channel}", "{from}", "{to}", "{duration}"};
    *ret_by_time = false;
    for (const char *at = text; (at = strpbrk(at, "{}"));) {
        size_t i = 0;
        while (i < OKNO_COUNT(names) && strncmp(at, names[i], strlen(names[i])) != 0)
            i++;
        if (i == OKNO_COUNT(names))
            return okno_fail_field(err, OKNO_INVALID, "files",
                                   "in braces may stand channel, from, to and duration (seconds)");
        *ret_by_time |= i > 0;
        at += strlen(names[i]);
    }
    return 0;
}

static int make_template(struct hls *hls, const struct okno_archive_config *config,
                         struct okno_err *err)
{
    struct okno_err why = {0};
    const char *url = or_empty(config->url);
    const char *files = or_empty(config->files);
    size_t len = strlen(url);
    char *text = malloc(len + strlen(files) + 2);
    if (!text)
        return no_memory(err);
    while (files[0] && len > 0 && url[len - 1] == '/')
        len--;
    (void)snprintf(text, len + strlen(files) + 2, "%.*s%s%s", (int)len, url, files[0] ? "/" : "",
                   files);
    hls->template = text;
    if (okno_net_check_url(url, &why) < 0)
        return okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    return check_braces(text, &hls->by_time, err);
}

static int fill(struct hls *hls, const struct okno_archive_config *config, struct okno_err *err)
{
    struct okno_err why = {0};
    const char *zone = or_empty(config->time_zone);
    hls->deadline_us = config->deadline_us > 0 ? config->deadline_us : DEFAULT_DEADLINE_US;
    hls->spool_dir = strdup(or_empty(config->spool_dir));
    int rc = hls->spool_dir ? make_template(hls, config, err) : no_memory(err);
    if (rc < 0)
        return rc;
    rc = okno_zone_open(zone[0] ? zone : "UTC", &hls->zone, &why);
    if (rc < 0)
        return okno_fail_field(err, rc, "time_zone", "%s", why.text);
    return options_open_net(config, hls->budget, NULL, &hls->net, err);
}

static int hls_open(const struct okno_archive_config *config, struct okno_budget *budget,
                    void **ret_ctx, struct okno_err *err)
{
    struct hls *hls = calloc(1, sizeof(*hls));
    if (!hls)
        return no_memory(err);
    hls->budget = budget;
    int rc = fill(hls, config, err);
    if (rc < 0)
        hls_close(hls);
    else
        *ret_ctx = hls;
    return rc;
}

/* --- playlists --- */

static int64_t seconds_up(int64_t us)
{
    return (us + OKNO_SECOND_US - 1) / OKNO_SECOND_US;
}

static int add_seconds(struct okno_buf *url, const char *name, int64_t from_us, int64_t to_us,
                       struct okno_err *err)
{
    int64_t from = from_us / OKNO_SECOND_US;
    int64_t to = seconds_up(to_us);
    return okno_buf_printf(url, err, "%" PRId64,
                           name[1] == 'f'   ? from
                           : name[1] == 't' ? to
                                            : to - from);
}

/* The template for a channel and, where it wants one, a time. */
static int make_url(const struct hls *hls, const char *channel, int64_t from_us, int64_t to_us,
                    struct okno_buf *url, struct okno_err *err)
{
    int rc = 0;
    for (const char *at = hls->template; rc == 0 && *at;) {
        size_t len = strcspn(at, "{");
        rc = okno_buf_add(url, at, len, err);
        at += len;
        if (rc < 0 || !*at)
            break;
        rc = strncmp(at, "{channel}", 9) == 0 ? okno_net_encode(url, channel, true, err)
                                              : add_seconds(url, at, from_us, to_us, err);
        at = strchr(at, '}') + 1;
    }
    return rc;
}

static int fetch_list(struct hls *hls, const char *url, struct playlist *ret_list,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(PLAYLIST_MAX_BYTES);
    struct okno_net_reply reply;
    struct okno_err why = {0};
    char shown[256] = "";
    okno_net_set_deadline(hls->net, hls->deadline_us);
    int rc = okno_net_get(hls->net, url, &body, &reply, err);
    if (rc < 0)
        return rc;
    (void)okno_net_shown(url, shown, sizeof(shown));
    rc = playlist_parse(okno_buf_text(&body), body.len, hls->zone, ret_list, &why);
    if (rc < 0)
        okno_err_context(&why, "%s", shown);
    return rc < 0 ? okno_fail_from(err, &why) : 0;
}

/* A master playlist leads to one of media, and no further. */
static int fetch_media(struct hls *hls, const char *url, struct okno_buf *at,
                       struct playlist *ret_list, struct okno_err *err)
{
    PLAYLIST_AUTO list = {0};
    int rc = okno_buf_add_text(at, url, err);
    if (rc == 0)
        rc = fetch_list(hls, url, &list, err);
    if (rc == 0 && list.variant) {
        PLAYLIST_AUTO media = {0};
        okno_buf_reset(at);
        rc = okno_net_resolve(url, list.variant, at, err);
        if (rc == 0)
            rc = fetch_list(hls, okno_buf_text(at), &media, err);
        if (rc == 0 && media.variant)
            rc = okno_fail(err, OKNO_PROTOCOL, "a playlist of playlists of playlists");
        struct playlist swap = list;
        list = media;
        media = swap;
    }
    if (rc < 0)
        return rc;
    *ret_list = list;
    list = (struct playlist){0};
    return 0;
}

static int keep_list(struct hls *hls, const char *asked, const char *at, struct playlist *list,
                     struct okno_err *err)
{
    forget(hls);
    hls->asked_url = strdup(asked);
    hls->list_url = strdup(at);
    if (!hls->asked_url || !hls->list_url) {
        forget(hls);
        return no_memory(err);
    }
    hls->until_us = okno_time_monotonic() + (list->ended ? STALE_US : FRESH_US);
    hls->list = *list;
    *list = (struct playlist){0};
    return 0;
}

/* The channel's playlist around an interval; nothing there is an empty one. */
static int read_list(struct hls *hls, const char *channel, int64_t from_us, int64_t to_us,
                     struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(URL_MAX_BYTES);
    OKNO_AUTO_BUF at = OKNO_BUF_INIT(URL_MAX_BYTES);
    PLAYLIST_AUTO list = {0};
    struct okno_err why = {0};
    int rc = make_url(hls, channel, from_us, to_us, &url, err);
    if (rc < 0)
        return rc;
    if (hls->asked_url && strcmp(hls->asked_url, okno_buf_text(&url)) == 0 &&
        hls->until_us > okno_time_monotonic())
        return 0;
    rc = fetch_media(hls, okno_buf_text(&url), &at, &list, &why);
    if (rc == OKNO_NOT_FOUND && hls->by_time)
        rc = 0; /* "no recording then" */
    else if (rc == OKNO_NOT_FOUND)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "%s; check url, files and channel", why.text);
    if (rc < 0)
        return okno_fail_from(err, &why);
    if (!list.dated && hls->by_time)
        playlist_date(&list, from_us / OKNO_SECOND_US * OKNO_SECOND_US, ASKED_ERROR_US);
    if (!list.dated && list.segments.len)
        return okno_fail(err, OKNO_PROTOCOL,
                         "the playlist of %.80s tells no time (no EXT-X-PROGRAM-DATE-TIME); switch "
                         "it on there",
                         channel);
    return keep_list(hls, okno_buf_text(&url), okno_buf_text(&at), &list, err);
}

/* --- runs --- */

/* Segments [first, end) that follow on one another. */
struct run {
    size_t first, end;
};

/* The next run at or behind segment `at`; false at the end. */
static bool next_run(const struct playlist *list, size_t at, struct run *ret_run)
{
    const struct playlist_segment *items = list->segments.items;
    while (at < list->segments.len && items[at].gap)
        at++;
    if (at == list->segments.len)
        return false;
    size_t end = at + 1;
    while (end < list->segments.len && !items[end].breaks && items[end].map == items[at].map)
        end++;
    *ret_run = (struct run){at, end};
    return true;
}

static int64_t end_of(const struct playlist_segment *s)
{
    return s->from_us + s->length_us;
}

/* Its segments that may show something of [from, to). */
static struct run cut_run(const struct playlist *list, struct run run, int64_t from_us,
                          int64_t to_us)
{
    const struct playlist_segment *items = list->segments.items;
    while (run.first < run.end && end_of(&items[run.first]) + items[run.first].error_us <= from_us)
        run.first++;
    while (run.end > run.first && items[run.end - 1].from_us - items[run.end - 1].error_us >= to_us)
        run.end--;
    return run;
}

static int hls_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                        struct okno_span_vec *spans, struct okno_err *err)
{
    struct hls *hls = ctx;
    struct run run = {0};
    int rc = read_list(hls, channel, from_us, to_us, err);
    for (size_t at = 0; rc == 0 && next_run(&hls->list, at, &run); at = run.end) {
        struct run part = cut_run(&hls->list, run, from_us, to_us);
        const struct playlist_segment *items = hls->list.segments.items;
        if (part.first == part.end)
            continue;
        struct okno_span span = {.from_us = items[part.first].from_us,
                                 .to_us = end_of(&items[part.end - 1]),
                                 .error_us = items[part.end - 1].error_us};
        span.flags = !hls->list.ended && part.end == hls->list.segments.len ? OKNO_SPAN_GROWING : 0;
        if (okno_span_vec_push(spans, span) < 0)
            rc = no_memory(err);
    }
    return rc;
}

static const char *format_of(const struct playlist_segment *s)
{
    size_t len = strcspn(s->part.uri, "?#");
    bool mp4 = len > 4 && (strncasecmp(s->part.uri + len - 4, ".mp4", 4) == 0 ||
                           strncasecmp(s->part.uri + len - 4, ".m4s", 4) == 0);
    return s->map >= 0 || mp4 ? "mov" : "mpegts";
}

static int add_piece(const struct playlist *list, struct run run, struct okno_piece_vec *pieces,
                     struct okno_err *err)
{
    const struct playlist_segment *first = &list->segments.items[run.first];
    const struct playlist_segment *last = &list->segments.items[run.end - 1];
    struct okno_piece piece = {.from_us = first->from_us,
                               .to_us = end_of(last),
                               .error_us = first->error_us,
                               .size = -1,
                               .anchor = OKNO_ANCHOR_PLAYLIST};
    if (run.end - run.first > RUN_SEGMENTS_MAX)
        return okno_fail(err, OKNO_TOO_LONG, "more than %d segments at once", RUN_SEGMENTS_MAX);
    (void)snprintf(piece.name, sizeof(piece.name), "segments %" PRId64 "..%" PRId64 ", %.*s",
                   first->sequence, last->sequence, (int)strcspn(first->part.uri, "?#"),
                   first->part.uri);
    (void)snprintf(piece.format, sizeof(piece.format), "%s", format_of(first));
    return okno_piece_vec_push(pieces, piece) < 0 ? no_memory(err) : 0;
}

static int hls_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                      struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct hls *hls = ctx;
    struct run run = {0};
    int rc = read_list(hls, channel, from_us, to_us, err);
    for (size_t at = 0; rc == 0 && next_run(&hls->list, at, &run); at = run.end) {
        struct run part = cut_run(&hls->list, run, from_us, to_us);
        if (part.first < part.end)
            rc = add_piece(&hls->list, part, pieces, err);
    }
    return rc;
}

/* --- reading --- */

static int fetch_part(struct hls *hls, const struct playlist_part *part, struct spool *spool,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(URL_MAX_BYTES);
    OKNO_AUTO(okno_net_stream) *stream = NULL;
    int64_t came = 0;
    int rc = okno_net_resolve(hls->list_url, part->uri, &url, err);
    if (rc == 0 && part->len >= 0)
        rc = okno_net_stream_open(hls->net, okno_buf_text(&url), part->offset, part->len, NULL,
                                  &stream, err);
    else if (rc == 0)
        rc = okno_net_body_open(hls->net, &(struct okno_net_ask){.url = okno_buf_text(&url)},
                                &stream, err);
    if (rc == 0)
        rc = spool_drain(spool, stream, hls->deadline_us, &came, err);
    if (rc == 0 && part->len >= 0 && came < part->len)
        rc = okno_fail(err, OKNO_GONE, "a segment ends before its bytes");
    return rc;
}

/* "segments FIRST..LAST, ..." */
static bool read_numbers(const char *name, int64_t *ret_first, int64_t *ret_last)
{
    char *end = NULL;
    if (strncmp(name, "segments ", 9) != 0)
        return false;
    *ret_first = strtoll(name + 9, &end, 10);
    if (strncmp(end, "..", 2) != 0)
        return false;
    *ret_last = strtoll(end + 2, &end, 10);
    return *end == ',';
}

/* Numbers stay when the playlist moves on; what has left it is gone. */
static int find_run(const struct hls *hls, const struct okno_piece *piece, struct run *ret_run,
                    struct okno_err *err)
{
    int64_t first = 0;
    int64_t last = 0;
    const struct playlist_segment_vec *all = &hls->list.segments;
    if (!read_numbers(piece->name, &first, &last))
        return okno_fail(err, OKNO_INVALID, "\"%.80s\" is no piece of this archive", piece->name);
    int64_t begin = all->len ? all->items[0].sequence : 0;
    if (last < first || first < begin || last - begin >= (int64_t)all->len ||
        all->items[first - begin].from_us != piece->from_us)
        return okno_fail(err, OKNO_GONE, "%s: has left the playlist", piece->name);
    *ret_run = (struct run){(size_t)(first - begin), (size_t)(last - begin) + 1};
    return 0;
}

/* A segment that is listed and not there is a hole: the next pieces go around it. */
static void mark_gap(struct playlist *list, size_t i)
{
    list->segments.items[i].gap = list->segments.items[i].breaks = true;
    if (i + 1 < list->segments.len)
        list->segments.items[i + 1].breaks = true;
}

/* OKNO_GONE after all that are missing were found. */
static int spool_run(struct hls *hls, struct run run, struct spool *spool, struct okno_err *err)
{
    const struct playlist_segment *items = hls->list.segments.items;
    int map = items[run.first].map;
    int rc = map >= 0 ? fetch_part(hls, &hls->list.maps.items[map], spool, err) : 0;
    int gone = 0;
    for (size_t i = run.first; rc == 0 && i < run.end; i++) {
        struct okno_err why = {0};
        rc = fetch_part(hls, &items[i].part, spool, &why);
        if (rc == OKNO_NOT_FOUND || rc == OKNO_GONE) {
            mark_gap(&hls->list, i);
            gone = okno_fail(err, OKNO_GONE, "%s", why.text);
            rc = 0;
        } else if (rc < 0) {
            return okno_fail_from(err, &why);
        }
    }
    return rc < 0 ? rc : gone;
}

static int hls_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                      struct okno_err *err)
{
    struct hls *hls = ctx;
    OKNO_AUTO(spool) *spool = NULL;
    struct run run = {0};
    struct okno_err why = {0};
    int rc = find_run(hls, piece, &run, err);
    if (rc == 0)
        rc = spool_new(hls->spool_dir, &spool, err);
    if (rc < 0)
        return rc;
    int64_t requests = okno_net_requests(hls->net);
    rc = spool_run(hls, run, spool, &why);
    if (rc == OKNO_NOT_FOUND) /* the map */
        return okno_fail(err, OKNO_GONE, "%s", why.text);
    if (rc < 0)
        return okno_fail_from(err, &why);
    return spool_source(spool, 0, spool_size(spool), okno_net_requests(hls->net) - requests,
                        ret_source, err);
}

/* Segments begin with key frames. A list without an end lets go of the oldest for each new one. */
static void hls_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps =
        (struct okno_archive_caps){.flags = OKNO_ARCHIVE_WHOLE_FILES | OKNO_ARCHIVE_ROLLING};
}

const struct okno_archive_ops archive_hls = {
    .kind = "hls",
    .open = hls_open,
    .close = hls_close,
    .caps = hls_caps,
    .coverage = hls_coverage,
    .pieces = hls_pieces,
    .source = hls_source,
};
