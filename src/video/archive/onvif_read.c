#define _POSIX_C_SOURCE 200809L
#include "onvif.h"

#include "probe.h"
#include "xml.h"

#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

/* How far its times may be off: they are told by the second on many devices. */
#define ERROR_US OKNO_SECOND_US

/* A recording that ends so late is still going on. */
#define GROWING_US (60 * OKNO_SECOND_US)

/* --- one answer, item by item ----------------------------------------------------------------- */

struct answer {
    struct xml xml;
    enum xml_kind kind;
    const char *what; /* for messages */
};

static struct answer *answer_begin(const char *text, size_t len, const char *what,
                                   struct okno_err *err)
{
    struct answer *answer = malloc(sizeof(*answer));
    if (!answer) {
        (void)!okno_fail(err, OKNO_NO_MEMORY, "no memory for an answer");
        return NULL;
    }
    answer->kind = XML_OPEN;
    answer->what = what;
    xml_begin(&answer->xml, text, len);
    return answer;
}

static bool answer_next(struct answer *answer)
{
    answer->kind = xml_next(&answer->xml);
    return answer->kind == XML_OPEN || answer->kind == XML_CLOSE;
}

static bool opens(const struct answer *answer, const char *name)
{
    return answer->kind == XML_OPEN && xml_is(&answer->xml, XML_OPEN, name);
}

static bool closes(const struct answer *answer, const char *name)
{
    return answer->kind == XML_CLOSE && xml_is(&answer->xml, XML_CLOSE, name);
}

static bool is_inside(const struct answer *answer, const char *name)
{
    for (int i = 0; i < answer->xml.depth; i++)
        if (strcmp(answer->xml.path[i], name) == 0)
            return true;
    return false;
}

static int answer_end(const struct answer *answer, bool good, struct okno_err *err)
{
    return good && answer->kind == XML_END
               ? 0
               : okno_fail(err, OKNO_PROTOCOL, "the answer is no %s", answer->what);
}

static void keep(const struct answer *answer, char *into, size_t size)
{
    if (strlen(answer->xml.text) < size)
        (void)snprintf(into, size, "%s", answer->xml.text);
}

/* Times are UTC; some devices leave out that they are. */
static bool read_time(const char *text, int64_t *ret_us)
{
    char zoned[64];
    if (okno_time_parse(text, ret_us, NULL) == 0)
        return true;
    (void)snprintf(zoned, sizeof(zoned), "%.60sZ", text);
    return okno_time_parse(zoned, ret_us, NULL) == 0;
}

/* --- services --------------------------------------------------------------------------------- */

int onvif_read_services(const char *text, size_t len, struct onvif_services *ret_services,
                        struct okno_err *err)
{
    struct onvif_services services = {0};
    char space[128] = "", address[ONVIF_URL] = "";
    okno_autofree struct answer *answer = answer_begin(text, len, "list of services", err);
    if (!answer)
        return OKNO_NO_MEMORY;
    while (answer_next(answer)) {
        if (opens(answer, "Service"))
            space[0] = address[0] = '\0';
        if (closes(answer, "Namespace"))
            keep(answer, space, sizeof(space));
        if (closes(answer, "XAddr") && is_inside(answer, "Search"))
            keep(answer, services.search, ONVIF_URL);
        else if (closes(answer, "XAddr") && is_inside(answer, "Replay"))
            keep(answer, services.replay, ONVIF_URL);
        else if (closes(answer, "XAddr"))
            keep(answer, address, sizeof(address));
        if (closes(answer, "Service") && strstr(space, "/search/wsdl"))
            memcpy(services.search, address, sizeof(address));
        if (closes(answer, "Service") && strstr(space, "/replay/wsdl"))
            memcpy(services.replay, address, sizeof(address));
    }
    int rc = answer_end(answer, true, err);
    if (rc == 0)
        *ret_services = services;
    return rc;
}

int onvif_read_text(const char *text, size_t len, const char *name, char *ret_text, size_t size,
                    struct okno_err *err)
{
    okno_autofree struct answer *answer = answer_begin(text, len, "answer to that", err);
    if (!answer)
        return OKNO_NO_MEMORY;
    while (answer_next(answer)) {
        if (!closes(answer, name))
            continue;
        if (!answer->xml.text[0] || strlen(answer->xml.text) >= size)
            break;
        (void)snprintf(ret_text, size, "%s", answer->xml.text);
        return 0;
    }
    return okno_fail(err, OKNO_PROTOCOL, "the answer has no %s, or a very long one", name);
}

/* --- recordings ------------------------------------------------------------------------------- */

struct track {
    char token[ONVIF_TOKEN];
    bool video, from_known, to_known;
    int64_t from_us, to_us;
};

static void read_track(const struct answer *answer, struct track *track)
{
    const char *text = answer->xml.text;
    if (closes(answer, "TrackToken"))
        keep(answer, track->token, sizeof(track->token));
    else if (closes(answer, "TrackType"))
        track->video = strcmp(text, "Video") == 0;
    else if (closes(answer, "DataFrom"))
        track->from_known = read_time(text, &track->from_us);
    else if (closes(answer, "DataTo"))
        track->to_known = read_time(text, &track->to_us);
}

int onvif_read_recording(const char *text, size_t len, struct onvif_recording *ret_recording,
                         struct okno_err *err)
{
    struct onvif_recording recording = {0};
    struct track track = {0};
    bool seen = false, found = false;
    okno_autofree struct answer *answer = answer_begin(text, len, "recording", err);
    if (!answer)
        return OKNO_NO_MEMORY;
    while (answer_next(answer)) {
        seen = seen || opens(answer, "RecordingInformation");
        if (opens(answer, "Track"))
            track = (struct track){0};
        else if (closes(answer, "EarliestRecording") && !found)
            (void)read_time(answer->xml.text, &recording.from_us);
        else if (closes(answer, "LatestRecording") && !found)
            (void)read_time(answer->xml.text, &recording.to_us);
        read_track(answer, &track);
        if (found || !closes(answer, "Track") || !track.video)
            continue;
        found = true;
        memcpy(recording.track, track.token, sizeof(track.token));
        recording.from_us = track.from_known ? track.from_us : recording.from_us;
        recording.to_us = track.to_known ? track.to_us : recording.to_us;
    }
    int rc = answer_end(answer, seen, err);
    if (rc == 0)
        *ret_recording = recording;
    return rc;
}

int onvif_read_names(const char *text, size_t len, char ret_names[ONVIF_NAMES], bool *ret_done,
                     struct okno_err *err)
{
    char token[ONVIF_TOKEN] = "", name[64] = "";
    bool seen = false;
    okno_autofree struct answer *answer = answer_begin(text, len, "list of recordings", err);
    if (!answer)
        return OKNO_NO_MEMORY;
    while (answer_next(answer)) {
        size_t used = strlen(ret_names);
        if (opens(answer, "RecordingInformation"))
            token[0] = name[0] = '\0';
        else if (closes(answer, "RecordingToken"))
            keep(answer, token, sizeof(token));
        else if (closes(answer, "Name") && is_inside(answer, "Source"))
            keep(answer, name, sizeof(name));
        else if (closes(answer, "RecordingInformation") && token[0])
            (void)snprintf(ret_names + used, ONVIF_NAMES - used, "%s%s%s%s%s", used ? ", " : "",
                           token, name[0] ? " (" : "", name, name[0] ? ")" : "");
        if (closes(answer, "SearchState")) {
            seen = true;
            *ret_done = strcmp(answer->xml.text, "Completed") == 0;
        }
    }
    return answer_end(answer, seen, err);
}

/* --- events ----------------------------------------------------------------------------------- */

struct told {
    struct onvif_event event;
    char track[ONVIF_TOKEN];
    bool timed, stated;
};

static void read_event(const struct answer *answer, struct told *told)
{
    char name[64], value[16];
    if (closes(answer, "TrackToken"))
        keep(answer, told->track, sizeof(told->track));
    else if (closes(answer, "Time"))
        told->timed = read_time(answer->xml.text, &told->event.at_us);
    else if (closes(answer, "StartStateEvent"))
        told->event.start = answer->xml.text[0] == 't' || answer->xml.text[0] == '1';
    if (!opens(answer, "SimpleItem") || !xml_attribute(&answer->xml, "Name", name, sizeof(name)) ||
        !xml_attribute(&answer->xml, "Value", value, sizeof(value)))
        return;
    if (strcmp(name, "IsDataPresent") == 0) {
        told->stated = true;
        told->event.present = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    }
}

int onvif_read_events(const char *text, size_t len, const char *track,
                      struct onvif_event_vec *events, bool *ret_done, struct okno_err *err)
{
    struct told told = {0};
    bool seen = false;
    okno_autofree struct answer *answer = answer_begin(text, len, "list of events", err);
    if (!answer)
        return OKNO_NO_MEMORY;
    while (answer_next(answer)) {
        if (opens(answer, "Result"))
            told = (struct told){0};
        read_event(answer, &told);
        if (closes(answer, "SearchState")) {
            seen = true;
            *ret_done = strcmp(answer->xml.text, "Completed") == 0;
        }
        bool ours = closes(answer, "Result") && told.timed && told.stated &&
                    (!track[0] || strcmp(track, told.track) == 0);
        if (ours && events->len == ONVIF_EVENTS)
            return okno_fail(err, OKNO_TOO_LARGE, "more than %d events in one search",
                             ONVIF_EVENTS);
        if (ours && onvif_event_vec_push(events, told.event) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of events");
    }
    return answer_end(answer, seen, err);
}

static int by_time(const void *a, const void *b)
{
    const struct onvif_event *one = a;
    const struct onvif_event *two = b;
    return (one->at_us > two->at_us) - (one->at_us < two->at_us);
}

struct stretch {
    int64_t from_us, to_us; /* the window */
    struct okno_span_vec *spans;
};

static int add(const struct stretch *s, int64_t from_us, int64_t to_us, unsigned flags,
               struct okno_err *err)
{
    struct okno_span span = {.from_us = from_us > s->from_us ? from_us : s->from_us,
                             .to_us = to_us < s->to_us ? to_us : s->to_us,
                             .error_us = ERROR_US,
                             .flags = flags};
    return span.from_us < span.to_us && okno_span_vec_push(s->spans, span) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

int onvif_spans(struct onvif_event_vec *events, const struct onvif_recording *recording,
                int64_t from_us, int64_t to_us, int64_t now_us, struct okno_span_vec *spans,
                struct okno_err *err)
{
    const struct stretch s = {.from_us = from_us, .to_us = to_us, .spans = spans};
    bool growing = recording->to_us > now_us - GROWING_US;
    unsigned tail = growing && to_us >= recording->to_us ? OKNO_SPAN_GROWING : 0;
    int64_t open_us = INT64_MIN;
    bool open = false;
    int rc = 0;
    if (events->len == 0)
        return add(&s, recording->from_us, recording->to_us, OKNO_SPAN_APPROX | tail, err);
    qsort(events->items, events->len, sizeof(events->items[0]), by_time);
    open = events->items[0].present == events->items[0].start; /* what ends has begun */
    for (size_t i = 0; rc == 0 && i < events->len; i++) {
        const struct onvif_event *event = &events->items[i];
        if (event->present == open)
            continue;
        if (open)
            rc = add(&s, open_us, event->at_us, 0, err);
        open = event->present;
        open_us = event->at_us;
    }
    /* Some tell the end of what is still going on late. */
    int64_t until_us = recording->to_us > open_us ? recording->to_us : now_us;
    return rc == 0 && open ? add(&s, open_us, until_us, tail, err) : rc;
}

/* --- addresses -------------------------------------------------------------------------------- */

int onvif_at_home(const char *own, const char *named, const char *scheme, const char *port,
                  char *ret_url, size_t size, struct okno_err *err)
{
    char host[256], own_port[8], other[256], other_port[8];
    const char *path = strstr(named, "://");
    path = path ? strpbrk(path + 3, "/?") : NULL;
    if (!probe_host(own, host, sizeof(host), own_port, sizeof(own_port)) ||
        !probe_host(named, other, sizeof(other), other_port, sizeof(other_port)))
        return okno_fail(err, OKNO_PROTOCOL, "the recorder names an address that cannot be read");
    const char *at = !port ? own_port : port[0] ? port : other_port;
    int len = snprintf(ret_url, size, "%s://%s%s%s%s", scheme, host, at[0] ? ":" : "", at,
                       path ? path : "/");
    return len >= 0 && (size_t)len < size
               ? 0
               : okno_fail(err, OKNO_PROTOCOL, "the recorder names a very long address");
}
