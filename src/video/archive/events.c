#define _POSIX_C_SOURCE 200809L
#include "events.h"

#include "reach.h"

#include "okno/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 50 * 1000 };

/* An event's time is cut to its second, and stamped late; its file may begin with a key frame from
 * before. Measured: files began from 1.2 s before their times to 0.8 s after. */
#define ERROR_US (3 * OKNO_SECOND_US / 2)
#define NEAR_US (5 * OKNO_SECOND_US) /* neighbours of one recording follow within that */

static int fail_shape(struct okno_err *err)
{
    return okno_fail(err, OKNO_PROTOCOL, "the answer is no list of events");
}

static bool keep_text(const json_t *value, char ret_text[24])
{
    const char *text = json_string_value(value);
    ret_text[0] = '\0';
    if (!value || json_is_null(value))
        return true;
    if (!text || strlen(text) >= 24)
        return false;
    (void)snprintf(ret_text, 24, "%s", text);
    return true;
}

/* Numbers come as such or as text. */
static double number_of(const json_t *value)
{
    const char *text = json_string_value(value);
    double number = text ? strtod(text, NULL) : json_number_value(value);
    return number >= 0 && number < 1e12 ? number : -1;
}

static int read_event(const json_t *row, struct event_vec *events, struct okno_err *err)
{
    const json_t *object = json_object_get(row, "Event");
    const json_t *start = json_object_get(object, "StartDateTime");
    const json_t *end = json_object_get(object, "EndDateTime");
    struct event event = {.id = (int64_t)number_of(json_object_get(object, "Id"))};
    double length = number_of(json_object_get(object, "Length"));
    /* Before 1.36 the times were called otherwise. */
    start = start ? start : json_object_get(object, "StartTime");
    end = end ? end : json_object_get(object, "EndTime");
    event.length_us = length > 0 && length < 1e7 ? (int64_t)(length * 1e6) : 0;
    if (event.id <= 0 || !keep_text(start, event.start) || !event.start[0] ||
        !keep_text(end, event.end))
        return fail_shape(err);
    if (events->len == EVENTS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d events in one list", EVENTS_MAX);
    return event_vec_push(events, event) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of events")
               : 0;
}

int events_read(const json_t *answer, struct event_vec *events, bool *ret_more,
                struct okno_err *err)
{
    const json_t *rows = json_object_get(answer, "events");
    const json_t *pagination = json_object_get(answer, "pagination");
    size_t before = events->len;
    int rc = json_is_array(rows) ? 0 : fail_shape(err);
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++)
        rc = read_event(json_array_get(rows, i), events, err);
    if (rc < 0)
        events->len = before;
    else
        *ret_more = json_is_true(json_object_get(pagination, "nextPage")) && json_array_size(rows);
    return rc;
}

/* --- times ------------------------------------------------------------------------------------ */

/* An event with what its start may mean. */
struct meaning {
    int64_t us[2];
    int count; /* 1, or 2 undecided */
    bool doubtful;
};

static int by_id(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int meaning_of(const struct okno_zone *zone, const struct event *event,
                      struct meaning *ret_meaning, struct okno_err *err)
{
    struct meaning m = {0};
    int rc = reach_time(zone, event->start, m.us, &m.count, err);
    m.doubtful = m.count == 0; /* a time that never was: the clock did not follow the rule */
    m.count = m.count == 2 ? 2 : 1;
    if (rc == 0)
        *ret_meaning = m;
    return rc;
}

static void decide(struct meaning *m, int which)
{
    m->us[0] = m->us[which];
    m->count = 1;
}

/* Ids count up: what follows a decided event closely, or comes before one, is decided too; whoever
 * follows the second meaning of an hour cannot have the first. */
static void decide_all(const struct event_vec *events, struct meaning *m)
{
    for (size_t i = 1; i < events->len; i++) {
        int64_t end = m[i - 1].us[0] + events->items[i - 1].length_us;
        if (m[i].count != 2 || m[i - 1].count != 1)
            continue;
        for (int k = 0; k < 2 && m[i].count == 2; k++)
            if (llabs(m[i].us[k] - end) <= NEAR_US)
                decide(&m[i], k);
        if (m[i].count == 2 && end > m[i].us[0] + NEAR_US)
            decide(&m[i], 1);
    }
    for (size_t i = events->len; i-- > 1;) {
        int64_t next = m[i].us[0];
        if (m[i].count != 1 || m[i - 1].count != 2)
            continue;
        for (int k = 0; k < 2 && m[i - 1].count == 2; k++)
            if (llabs(m[i - 1].us[k] + events->items[i - 1].length_us - next) <= NEAR_US)
                decide(&m[i - 1], k);
        if (m[i - 1].count == 2 && next < m[i - 1].us[1] - NEAR_US)
            decide(&m[i - 1], 0);
    }
}

/* The later of its length and its end, which says whole seconds. */
static int64_t length_of(const struct event *event, const struct okno_zone *zone, int64_t from_us)
{
    int64_t us[2] = {0};
    int count = 0;
    int64_t length = event->length_us;
    if (reach_time(zone, event->end, us, &count, NULL) < 0)
        return length;
    for (int k = 0; k < 2; k++) {
        int64_t told = us[k] + OKNO_SECOND_US - from_us;
        if (told > length && told < length + 60 * OKNO_SECOND_US)
            length = told;
    }
    return length;
}

static int add_piece(const struct event *event, const struct meaning *m, int which, bool running,
                     const struct events_request *request, struct okno_piece_vec *pieces,
                     struct okno_err *err)
{
    int64_t at = m->us[which];
    int64_t length = event->end[0] ? length_of(event, request->zone, at) : event->length_us;
    struct okno_piece piece = {
        .from_us = at,
        .to_us = running && request->now_us > at ? request->now_us : at + length,
        .error_us = ERROR_US,
        .size = -1,
        .format = "mov",
        .flags = OKNO_SPAN_APPROX | (m->count == 2 || m->doubtful ? OKNO_SPAN_AMBIGUOUS : 0u) |
                 (running ? OKNO_SPAN_GROWING : 0u),
        .anchor = OKNO_ANCHOR_INDEX};
    if (piece.to_us <= request->from_us || at - ERROR_US >= request->to_us || piece.to_us <= at)
        return 0;
    (void)snprintf(piece.name, sizeof(piece.name), "event %" PRId64, event->id);
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of events")
               : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct okno_piece *x = a;
    const struct okno_piece *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

int events_pieces(struct event_vec *events, const struct events_request *request,
                  struct okno_piece_vec *pieces, struct okno_err *err)
{
    size_t before = pieces->len;
    okno_autofree struct meaning *m = calloc(events->len + 1, sizeof(*m));
    int rc = m ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of events");
    if (rc == 0 && events->len > 1)
        qsort(events->items, events->len, sizeof(*events->items), by_id);
    for (size_t i = 0; rc == 0 && i < events->len; i++)
        rc = meaning_of(request->zone, &events->items[i], &m[i], err);
    if (rc == 0)
        decide_all(events, m);
    for (size_t i = 0; rc == 0 && i < events->len; i++) {
        /* Without an end and not the newest: the recorder died under it. */
        bool running = !events->items[i].end[0] && i + 1 == events->len;
        for (int k = 0; rc == 0 && k < m[i].count; k++)
            rc = add_piece(&events->items[i], &m[i], k, running, request, pieces, err);
    }
    if (rc < 0)
        pieces->len = before;
    else if (pieces->len - before > 1)
        qsort(pieces->items + before, pieces->len - before, sizeof(*pieces->items), by_time);
    return rc;
}
