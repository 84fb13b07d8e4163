/* Kind `shinobi`: recordings of a monitor through Shinobi's API, their files by ranges. The API key
 * stands in each URL's path; names of files are local times of the server, to the second. */
#define _POSIX_C_SOURCE 200809L
#include "kinds.h"
#include "reach.h"
#include "source.h"
#include "window.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 5000, NAME = 64, STUB_BYTES = 512, SECONDS_CHARS = 19 };

/* What began earlier than that before a window is not found: a recording's usual length is minutes.
 */
#define LOOK_BACK_US (3 * 3600 * OKNO_SECOND_US)
#define LENGTH_MAX_US (24 * 3600 * OKNO_SECOND_US)
#define ERROR_US OKNO_SECOND_US

struct shinobi {
    struct reach reach;
    char *base; /* owned: "URL/KEY/videos/GROUP/" */
    bool gone;  /* seen by a read of a source */
};

static void shinobi_close(void *ctx)
{
    struct shinobi *shinobi = ctx;
    reach_close(&shinobi->reach);
    free(shinobi->base);
    free(shinobi);
}

static int fail_login(const struct okno_archive_config *config, struct okno_err *err)
{
    bool group = config->user && config->user[0];
    return okno_fail_field(err, OKNO_INVALID, group ? "secret" : "user",
                           group ? "the API key belongs there"
                                 : "the group key of the monitors belongs there");
}

static int base_make(struct shinobi *shinobi, const char *key, struct okno_err *err)
{
    OKNO_AUTO_BUF base = OKNO_BUF_INIT(4096);
    int rc = okno_buf_printf(&base, err, "%s/%s/videos/", shinobi->reach.url, key);
    if (rc == 0)
        rc = okno_net_encode(&base, shinobi->reach.user, false, err);
    if (rc == 0)
        rc = okno_buf_add_text(&base, "/", err);
    if (rc == 0 && !(shinobi->base = strdup(okno_buf_text(&base))))
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    return rc;
}

static int shinobi_open(const struct okno_archive_config *config, struct okno_budget *budget,
                        void **ret_ctx, struct okno_err *err)
{
    OKNO_AUTO_BUF key = OKNO_BUF_INIT(4096);
    if (!config->user || !config->user[0] || !config->password || !config->password[0])
        return fail_login(config, err);
    struct shinobi *shinobi = calloc(1, sizeof(*shinobi));
    if (!shinobi)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = okno_net_encode(&key, config->password, false, err);
    const struct okno_net_config base = {.sign = reach_sign_nothing, .hide = config->password};
    if (rc == 0)
        rc = reach_open(&shinobi->reach, config, budget, &base, err);
    if (rc == 0)
        rc = base_make(shinobi, okno_buf_text(&key), err);
    if (rc < 0)
        shinobi_close(shinobi);
    else
        *ret_ctx = shinobi;
    return rc;
}

static void shinobi_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_RANGES | OKNO_ARCHIVE_WHOLE_FILES |
                                                    OKNO_ARCHIVE_LOCAL_TIME,
                                           .look_back_us = ERROR_US,
                                           .settle_us = 20 * 60 * OKNO_SECOND_US};
}

/* --- the list --------------------------------------------------------------------------------- */

/* A recording as listed. In an hour that happens twice its name has two meanings; what Shinobi
 * tells beside it was made from the name, and tells no more. */
struct video {
    char name[NAME];
    bool utc; /* its name is */
    int64_t us[2];
    int count; /* of meanings */
    int64_t length_us;
};
OKNO_VEC(video_vec, struct video);

static int fail_shape(const char *what, struct okno_err *err)
{
    return okno_fail(err, OKNO_PROTOCOL, "the list of recordings has another shape: %s", what);
}

/* "2026-03-10T17-03-20.mp4": nothing in it may lead to another path. */
static bool name_keep(const json_t *value, char ret_name[NAME])
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) >= NAME || strlen(text) <= SECONDS_CHARS ||
        text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzT.-_")])
        return false;
    (void)snprintf(ret_name, NAME, "%s", text);
    return text[SECONDS_CHARS] == '.';
}

static int name_time(const struct okno_zone *zone, struct video *video, struct okno_err *err)
{
    char text[SECONDS_CHARS + 2];
    (void)snprintf(text, sizeof(text), "%.*s%s", SECONDS_CHARS, video->name, video->utc ? "Z" : "");
    text[13] = text[16] = ':';
    return reach_time(zone, text, video->us, &video->count, err);
}

static int video_read(const struct okno_zone *zone, const json_t *row, struct video *ret_video,
                      struct okno_err *err)
{
    struct video video = {0};
    const char *href = json_string_value(json_object_get(row, "href"));
    const char *time = json_string_value(json_object_get(row, "time"));
    const char *end = json_string_value(json_object_get(row, "end"));
    int64_t from[2] = {0}, to[2] = {0};
    int count = 0;
    video.utc = href && strstr(href, "isUTC=true");
    if (!name_keep(json_object_get(row, "filename"), video.name))
        return fail_shape("a recording without a name", err);
    int rc = name_time(zone, &video, err);
    if (rc == 0)
        rc = reach_time(zone, time ? time : "", from, &count, err);
    if (rc == 0)
        rc = reach_time(zone, end ? end : "", to, &count, err);
    if (rc < 0)
        return rc;
    video.length_us = to[0] - from[0];
    if (video.length_us < 0 || video.length_us > LENGTH_MAX_US)
        video.length_us = 0; /* over an hour that was set back: its file says */
    *ret_video = video;
    return 0;
}

/* A name that stands twice is one file: the later recording wrote over the earlier one. */
static bool is_listed(const struct video_vec *videos, const char *name)
{
    for (size_t i = 0; i < videos->len; i++)
        if (strcmp(videos->items[i].name, name) == 0)
            return true;
    return false;
}

static int videos_read(const struct okno_zone *zone, const json_t *answer, struct video_vec *videos,
                       struct okno_err *err)
{
    const json_t *rows = json_object_get(answer, "videos");
    int rc = 0;
    if (json_is_false(json_object_get(answer, "ok")))
        return okno_fail(err, OKNO_ARCHIVE_AUTH,
                         "the API key is refused, or may not watch this monitor's videos");
    if (!json_is_array(rows))
        return fail_shape("no array of videos", err);
    if (json_array_size(rows) >= ROWS_MAX)
        return okno_fail(err, OKNO_TOO_LONG, "more than %d recordings; ask for less", ROWS_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
        struct video video = {0};
        const json_t *row = json_array_get(rows, i);
        if (!json_is_object(row))
            return fail_shape("a recording without a name", err);
        if (!json_is_string(json_object_get(row, "end")))
            continue; /* still written: listed with an end later */
        rc = video_read(zone, row, &video, err);
        if (rc == 0 && !is_listed(videos, video.name) && video_vec_push(videos, video) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return rc;
}

static void format_wide(const struct okno_zone *zone, int64_t us, bool up, char ret_text[80])
{
    struct okno_civil c;
    reach_wide(zone, us, up, &c);
    (void)snprintf(ret_text, 80, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
}

static int list(struct shinobi *shinobi, const char *channel, int64_t from_us, int64_t to_us,
                struct video_vec *videos, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    okno_autojson json_t *answer = NULL;
    char from[80], to[80];
    format_wide(shinobi->reach.zone, from_us - LOOK_BACK_US, false, from);
    format_wide(shinobi->reach.zone, to_us + ERROR_US, true, to);
    int rc = okno_buf_add_text(&url, shinobi->base, err);
    if (rc == 0)
        rc = okno_net_encode(&url, channel, false, err);
    if (rc == 0)
        rc = okno_buf_printf(&url, err, "?start=%s&end=%s&endIsStartTo=1&limit=%d", from, to,
                             ROWS_MAX);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url)};
    if (rc == 0)
        rc = reach_json(&shinobi->reach, &ask, &answer, err);
    return rc < 0 ? rc : videos_read(shinobi->reach.zone, answer, videos, err);
}

/* --- pieces ----------------------------------------------------------------------------------- */

static int add_piece(const struct video *video, int which, int64_t from_us, int64_t to_us,
                     struct okno_piece_vec *pieces, struct okno_err *err)
{
    int64_t at = video->us[which];
    int64_t length = video->length_us > 0 ? video->length_us : OKNO_SECOND_US;
    struct okno_piece piece = {.from_us = at,
                               .to_us = at + length,
                               .error_us = ERROR_US,
                               .size = -1,
                               .format = "mov",
                               .flags = OKNO_SPAN_APPROX |
                                        (video->count == 1 ? 0u : (unsigned)OKNO_SPAN_AMBIGUOUS),
                               .anchor = OKNO_ANCHOR_NAME};
    if (piece.to_us <= from_us || at - ERROR_US >= to_us)
        return 0;
    if (strstr(video->name, ".webm"))
        (void)snprintf(piece.format, sizeof(piece.format), "matroska");
    (void)snprintf(piece.name, sizeof(piece.name), "%s%s", video->name,
                   video->utc ? "?isUTC=true" : "");
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct okno_piece *x = a;
    const struct okno_piece *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

static int shinobi_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                          struct okno_piece_vec *pieces, struct okno_err *err)
{
    OKNO_AUTO_VEC(video_vec) videos = {0};
    size_t before = pieces->len;
    int rc = list(ctx, channel, from_us, to_us, &videos, err);
    for (size_t i = 0; rc == 0 && i < videos.len; i++) {
        int meanings = videos.items[i].count == 2 ? 2 : 1;
        for (int k = 0; rc == 0 && k < meanings; k++)
            rc = add_piece(&videos.items[i], k, from_us, to_us, pieces, err);
    }
    if (rc == 0 && pieces->len - before > 1)
        qsort(pieces->items + before, pieces->len - before, sizeof(*pieces->items), by_time);
    return rc;
}

static int shinobi_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                            struct okno_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int rc = shinobi_pieces(ctx, channel, from_us, to_us, &pieces, err);
    return rc < 0 ? rc : window_spans(&pieces, from_us, to_us, spans, err);
}

/* --- files ------------------------------------------------------------------------------------ */

/* A file that is not there, and a key that is refused, are told in words with a status of 200. */
static int check_stub(struct shinobi *shinobi, const char *url, const struct okno_piece *piece,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(STUB_BYTES);
    struct okno_net_reply reply = {0};
    okno_net_set_deadline(shinobi->reach.net, shinobi->reach.deadline_us);
    if (okno_net_get(shinobi->reach.net, url, &body, &reply, NULL) < 0)
        return 0; /* longer, or what went wrong before says why */
    if (strstr(okno_buf_text(&body), "Not Permitted") ||
        strstr(okno_buf_text(&body), "Not Authorized"))
        return okno_fail(err, OKNO_ARCHIVE_AUTH, "the API key may not watch videos");
    return okno_fail(err, OKNO_GONE, "%s: its file is not there", piece->name);
}

static int shinobi_source(void *ctx, const struct okno_piece *piece,
                          struct okno_source **ret_source, struct okno_err *err)
{
    struct shinobi *shinobi = ctx;
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    OKNO_AUTO(okno_source) *source = NULL;
    struct okno_err trouble = {0};
    int rc = okno_buf_add_text(&url, shinobi->base, err);
    if (rc == 0)
        rc = okno_net_encode(&url, piece->channel, false, err);
    if (rc == 0)
        rc = okno_buf_printf(&url, err, "/%s", piece->name); /* letters, digits, dots and dashes */
    if (rc < 0)
        return rc;
    rc = source_open_http(shinobi->reach.net, okno_buf_text(&url), piece,
                          shinobi->reach.deadline_us, &shinobi->gone, &source, &trouble);
    if (rc == OKNO_PROTOCOL || (rc == 0 && source->size < STUB_BYTES)) {
        int stub = check_stub(shinobi, okno_buf_text(&url), piece, err);
        if (stub < 0)
            return stub;
    }
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    *ret_source = okno_mem_take(&source);
    return 0;
}

const struct okno_archive_ops archive_shinobi = {.kind = "shinobi",
                                                 .max_parallel = 4,
                                                 .open = shinobi_open,
                                                 .close = shinobi_close,
                                                 .caps = shinobi_caps,
                                                 .coverage = shinobi_coverage,
                                                 .pieces = shinobi_pieces,
                                                 .source = shinobi_source};
