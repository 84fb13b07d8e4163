/* Kind `dahua`: recorders with Dahua's CGI. Recordings are found by an object that must be closed
 * and destroyed again, and downloaded by time as DHAV, the frames of which carry the recorder's
 * local date. */
#define _POSIX_C_SOURCE 200809L
#include "dahua.h"

#include "kinds.h"
#include "options.h"
#include "reach.h"

#include "okno/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 1024 * 1024, PAGE = 100, PAGES = 200, OBJECT = 24, DATED_BYTES = 20 };

/* A download begins at the key frame before what was asked. */
#define PREROLL_US (5 * OKNO_SECOND_US)
#define SNAP_US (2 * OKNO_SECOND_US)
#define MAX_WINDOW_US (3600 * OKNO_SECOND_US)
#define LET_GO_US (3 * OKNO_SECOND_US) /* of a search, also when the work was stopped */

struct dahua {
    struct reach reach;
};

static void dahua_close(void *ctx)
{
    struct dahua *dahua = ctx;
    reach_close(&dahua->reach);
    free(dahua);
}

static int dahua_open(const struct okno_archive_config *config, struct okno_budget *budget,
                      void **ret_ctx, struct okno_err *err)
{
    struct dahua *dahua = calloc(1, sizeof(*dahua));
    if (!dahua)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = reach_open(&dahua->reach, config, budget, NULL, err);
    if (rc < 0)
        dahua_close(dahua);
    else
        *ret_ctx = dahua;
    return rc;
}

static void dahua_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_LOCAL_TIME,
                                           .preroll_us = PREROLL_US,
                                           .max_window_us = MAX_WINDOW_US,
                                           .format = "dhav",
                                           .anchor_error_us = SNAP_US};
}

/* --- the answers, pure ------------------------------------------------------------------------ */

/* The value behind "KEY=" at the beginning of a line, up to its end; NULL when there is none. */
static const char *value_of(const char *text, const char *key, char ret_value[64])
{
    size_t len = strlen(key);
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (strncmp(at, key, len) == 0 && at[len] == '=') {
            size_t end = strcspn(at + len + 1, "\r\n");
            (void)snprintf(ret_value, 64, "%.*s", end < 63 ? (int)end : 63, at + len + 1);
            return ret_value;
        }
    return NULL;
}

static int read_item(const char *text, int i, const struct okno_zone *zone,
                     struct okno_span *ret_span, struct okno_err *err)
{
    char key[40], from[64], to[64];
    int64_t a[2] = {0}, b[2] = {0};
    int twice = 0, ends = 0;
    (void)snprintf(key, sizeof(key), "items[%d].StartTime", i);
    const char *start = value_of(text, key, from);
    (void)snprintf(key, sizeof(key), "items[%d].EndTime", i);
    const char *end = value_of(text, key, to);
    if (!start || !end)
        return okno_fail(err, OKNO_PROTOCOL, "recording %d of the list has no times", i);
    int rc = reach_time(zone, start, a, &twice, err);
    if (rc == 0)
        rc = reach_time(zone, end, b, &ends, err);
    if (rc < 0)
        return rc;
    /* The end is the first that lies behind the beginning. */
    *ret_span = (struct okno_span){.from_us = a[0],
                                   .to_us = b[0] > a[0] || ends < 2 ? b[0] : b[1],
                                   .error_us = OKNO_SECOND_US,
                                   .flags = twice == 1 ? 0 : OKNO_SPAN_AMBIGUOUS};
    return 0;
}

int dahua_read_found(const char *text, const struct okno_zone *zone, struct okno_span_vec *spans,
                     int *ret_found, struct okno_err *err)
{
    char value[64];
    char *end = NULL;
    const char *told = value_of(text, "found", value);
    long found = told ? strtol(told, &end, 10) : -1;
    int rc = 0;
    if (found < 0 || found > PAGE || !end || *end)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder's answer is no list of recordings");
    for (int i = 0; rc == 0 && i < (int)found; i++) {
        struct okno_span span = {0};
        rc = read_item(text, i, zone, &span, err);
        if (rc == 0 && span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    if (rc == 0)
        *ret_found = (int)found;
    return rc;
}

bool dahua_read_date(const uint8_t *bytes, size_t len, struct okno_civil *ret_civil)
{
    if (len < DATED_BYTES || memcmp(bytes, "DHAV", 4) != 0)
        return false;
    uint32_t d = (uint32_t)bytes[16] | (uint32_t)bytes[17] << 8 | (uint32_t)bytes[18] << 16 |
                 (uint32_t)bytes[19] << 24;
    struct okno_civil c = {.year = 2000 + (int)(d >> 26),
                           .month = (int)(d >> 22 & 15),
                           .day = (int)(d >> 17 & 31),
                           .hour = (int)(d >> 12 & 31),
                           .minute = (int)(d >> 6 & 63),
                           .second = (int)(d & 63)};
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 || c.second > 59)
        return false;
    *ret_civil = c;
    return true;
}

/* --- finding ---------------------------------------------------------------------------------- */

static int ask(struct dahua *dahua, const char *query, struct okno_buf *answer,
               struct okno_err *err)
{
    char url[1024];
    struct okno_net_reply reply = {0};
    (void)snprintf(url, sizeof(url), "%s/cgi-bin/%s", dahua->reach.url, query);
    okno_net_set_deadline(dahua->reach.net, dahua->reach.deadline_us);
    return okno_net_get(dahua->reach.net, url, answer, &reply, err);
}

static int dahua_channel(const char *channel, struct okno_err *err)
{
    if (channel[0] && strlen(channel) < 5 && channel[strspn(channel, "0123456789")] == '\0')
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "channel",
                           "\"%.40s\": a channel's number, 1 for the first camera", channel);
}

static int create(struct dahua *dahua, char ret_object[OBJECT], struct okno_err *err)
{
    char value[64];
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    int rc = ask(dahua, "mediaFileFind.cgi?action=factory.create", &answer, err);
    if (rc < 0)
        return rc;
    const char *object = value_of(okno_buf_text(&answer), "result", value);
    if (!object || !object[0] || strlen(object) >= OBJECT ||
        object[strspn(object, "0123456789")] != '\0')
        return okno_fail(err, OKNO_PROTOCOL, "the recorder gives no object to search with");
    (void)snprintf(ret_object, OBJECT, "%s", object);
    return 0;
}

/* The recorder has few of them, and forgets none by itself. */
static void destroy(struct dahua *dahua, const char *object)
{
    static const char *const actions[] = {"close", "destroy"};
    struct okno_budget own;
    struct okno_budget *before = reach_apart(&dahua->reach, &own, LET_GO_US);
    for (size_t i = 0; i < OKNO_COUNT(actions); i++) {
        char query[128];
        OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
        (void)snprintf(query, sizeof(query), "mediaFileFind.cgi?action=%s&object=%s", actions[i],
                       object);
        (void)ask(dahua, query, &answer, NULL);
    }
    (void)okno_net_set_budget(dahua->reach.net, before);
}

static int find(struct dahua *dahua, const char *object, const char *channel, int64_t from_us,
                int64_t to_us, struct okno_span_vec *spans, struct okno_err *err)
{
    char query[512], from[80], to[80];
    int found = PAGE;
    OKNO_AUTO_BUF begun = OKNO_BUF_INIT(ANSWER_BYTES);
    reach_format("%Y-%m-%d%%20%H:%M:%S", dahua->reach.zone, from_us, false, from);
    reach_format("%Y-%m-%d%%20%H:%M:%S", dahua->reach.zone, to_us, true, to);
    (void)snprintf(query, sizeof(query),
                   "mediaFileFind.cgi?action=findFile&object=%s&condition.Channel=%s&"
                   "condition.StartTime=%s&condition.EndTime=%s&condition.Types%%5B0%%5D=dav",
                   object, channel, from, to);
    struct okno_err trouble = {0};
    int rc = ask(dahua, query, &begun, &trouble);
    if (rc == OKNO_ARCHIVE_REFUSED) /* so says a recorder that has nothing there */
        return 0;
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    (void)snprintf(query, sizeof(query), "mediaFileFind.cgi?action=findNextFile&object=%s&count=%d",
                   object, PAGE);
    for (int page = 0; rc == 0 && found == PAGE; page++) {
        OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
        if (page == PAGES)
            return okno_fail(err, OKNO_TOO_LONG, "more than %d recordings; ask for less",
                             PAGE * PAGES);
        rc = ask(dahua, query, &answer, err);
        if (rc == 0)
            rc = dahua_read_found(okno_buf_text(&answer), dahua->reach.zone, spans, &found, err);
    }
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const struct okno_span *x = a;
    const struct okno_span *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

/* Clip to what was asked, sort, join what touches. */
static void tidy(struct okno_span_vec *spans, size_t before, int64_t from_us, int64_t to_us)
{
    size_t kept = before;
    if (spans->len > before)
        qsort(spans->items + before, spans->len - before, sizeof(*spans->items), by_time);
    for (size_t i = before; i < spans->len; i++) {
        struct okno_span one = spans->items[i];
        struct okno_span *last = kept > before ? &spans->items[kept - 1] : NULL;
        one.from_us = one.from_us > from_us ? one.from_us : from_us;
        one.to_us = one.to_us < to_us ? one.to_us : to_us;
        if (one.from_us >= one.to_us)
            continue;
        if (last && one.from_us - last->to_us <= OKNO_SECOND_US) {
            last->to_us = one.to_us > last->to_us ? one.to_us : last->to_us;
            last->flags |= one.flags;
        } else {
            spans->items[kept++] = one;
        }
    }
    spans->len = kept;
}

static int dahua_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                          struct okno_span_vec *spans, struct okno_err *err)
{
    struct dahua *dahua = ctx;
    char object[OBJECT];
    size_t before = spans->len;
    int rc = create(dahua, object, err);
    if (rc < 0)
        return rc;
    rc = find(dahua, object, channel, from_us, to_us, spans, err);
    destroy(dahua, object);
    if (rc == 0)
        tidy(spans, before, from_us, to_us);
    return rc;
}

/* --- downloading ------------------------------------------------------------------------------ */

/* The first frame tells its second; of two meanings the one near what was asked. */
static void take_date(const struct dahua *dahua, const struct okno_piece *piece,
                      struct okno_source *source)
{
    uint8_t head[DATED_BYTES];
    size_t got = 0;
    int64_t us[2] = {0};
    int count = 0;
    struct okno_civil civil;
    if (source->read_at(source->ctx, 0, head, sizeof(head), &got, NULL) < 0 ||
        !dahua_read_date(head, got, &civil))
        return;
    okno_zone_to_utc(dahua->reach.zone, &civil, us, &count);
    bool second = count == 2 && llabs(us[1] - piece->from_us) < llabs(us[0] - piece->from_us);
    source->dated = true;
    source->from_us = us[second];
    source->error_us = OKNO_SECOND_US;
}

static int dahua_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                        struct okno_err *err)
{
    struct dahua *dahua = ctx;
    char url[1024], from[80], to[80];
    reach_format("%Y-%m-%d%%20%H:%M:%S", dahua->reach.zone, piece->from_us, false, from);
    reach_format("%Y-%m-%d%%20%H:%M:%S", dahua->reach.zone, piece->to_us, true, to);
    (void)snprintf(url, sizeof(url),
                   "%s/cgi-bin/loadfile.cgi?action=startLoad&channel=%s&startTime=%s&endTime=%s&"
                   "subtype=0",
                   dahua->reach.url, piece->channel, from, to);
    const struct okno_net_ask ask = {.url = url};
    int rc = reach_fetch(&dahua->reach, &ask, piece->name, ret_source, err);
    if (rc == 0)
        take_date(dahua, piece, *ret_source);
    return rc;
}

/* --- its clock -------------------------------------------------------------------------------- */

static int dahua_clock(void *ctx, struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    struct dahua *dahua = ctx;
    char value[64];
    int64_t us[2] = {0};
    int count = 0;
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    int64_t begun = okno_time_monotonic();
    int rc = ask(dahua, "global.cgi?action=getCurrentTime", &answer, err);
    if (rc < 0)
        return rc;
    struct okno_archive_clock clock = reach_clock(0, begun, "dahua");
    const char *told = value_of(okno_buf_text(&answer), "result", value);
    rc = reach_time(dahua->reach.zone, told ? told : "", us, &count, err);
    if (rc < 0)
        return rc;
    clock.offset_us += us[0];
    *ret_clock = clock;
    return 0;
}

const struct okno_archive_ops archive_dahua = {.kind = "dahua",
                                               .max_parallel =
                                                   1, /* objects and downloads are few */
                                               .open = dahua_open,
                                               .close = dahua_close,
                                               .caps = dahua_caps,
                                               .channel = dahua_channel,
                                               .coverage = dahua_coverage,
                                               .source = dahua_source,
                                               .clock = dahua_clock};
