#define _POSIX_C_SOURCE 200809L
/* The events of a point in order: pages of each device's, merged. A clock never makes an event that
 * shows a later time come earlier, so each device's events are in order by themselves; pages keep
 * memory small whatever the history, and let other statements of the handle run in between. */
#include "okno/time.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_FIRST = 32, PAGE_MAX = 512, AHEAD_MAX_DAYS = 1, CHANNEL_TEXT = OKNO_ID_TEXT };

OKNO_VEC(channel_vec, char *);

struct survey_source {
    const struct survey_device *device;
    struct okno_survey_event *page;
    bool *suspect; /* beside page */
    size_t next, count, limit;
    int64_t at_us, boot, seq; /* on the device's clock: the last row read */
    bool done;
    struct channel_vec channels; /* owned texts, each once */
};

bool survey_is_suspect(int64_t at_us, int64_t arrived_us)
{
    return at_us > arrived_us + AHEAD_MAX_DAYS * OKNO_DAY_US;
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the events of a point");
}

static const struct okno_pairing *pairing_at(const struct survey_device *device, int64_t at_us)
{
    for (size_t i = device->pairing_count; i-- > 0;)
        if (device->pairings[i].from_us <= at_us)
            return at_us < device->pairings[i].to_us ? &device->pairings[i] : NULL;
    return NULL;
}

static enum okno_device_role role_of(const struct okno_pairing *pairing)
{
    if (pairing->button)
        return pairing->panel ? OKNO_ROLE_BOTH : OKNO_ROLE_BUTTON;
    return pairing->panel ? OKNO_ROLE_PANEL : OKNO_ROLE_CHANNEL;
}

static int keep_channel(struct survey_source *source, const char *channel, const char **ret_channel,
                        struct okno_err *err)
{
    if (!channel)
        return 0;
    for (size_t i = 0; i < source->channels.len; i++)
        if (strcmp(source->channels.items[i], channel) == 0) {
            *ret_channel = source->channels.items[i];
            return 0;
        }
    char *copy = strdup(channel);
    if (!copy || channel_vec_push(&source->channels, copy) < 0) {
        free(copy);
        return no_memory(err);
    }
    *ret_channel = copy;
    return 0;
}

/* Where the device was not at the point, the event has no role and is passed over. */
static int read_row(struct survey_source *source, struct okno_stmt *stmt, struct okno_err *err)
{
    const struct survey_device *device = source->device;
    struct okno_survey_event *event = &source->page[source->count];
    struct okno_clock_offset offset;
    source->at_us = okno_stmt_int(stmt, "at");
    source->boot = okno_stmt_int(stmt, "boot");
    source->seq = okno_stmt_int(stmt, "seq");
    int64_t at_us =
        okno_clock_to_utc(device->clock.items, device->clock.len, source->at_us, &offset);
    const struct okno_pairing *pairing = pairing_at(device, at_us);
    *event = (struct okno_survey_event){.device = device->pairings[0].device,
                                        .boot = source->boot,
                                        .seq = source->seq,
                                        .role = pairing ? role_of(pairing) : OKNO_ROLE_NONE,
                                        .test = pairing && pairing->test,
                                        .at_us = at_us,
                                        .offset_us = offset.offset_us,
                                        .uncertainty_us = offset.uncertainty_us};
    source->suspect[source->count++] = survey_is_suspect(at_us, okno_stmt_int(stmt, "arrived_at"));
    int rc = okno_event_kind_parse(okno_stmt_text(stmt, "kind"), &event->kind, err);
    return rc < 0 ? rc
                  : keep_channel(source, okno_stmt_text(stmt, "channel"), &event->channel, err);
}

static int make_page(struct survey_source *source, struct okno_err *err)
{
    if (source->page)
        return 0;
    source->page = calloc(PAGE_MAX, sizeof(source->page[0]));
    source->suspect = calloc(PAGE_MAX, sizeof(source->suspect[0]));
    source->limit = PAGE_FIRST;
    return source->page && source->suspect ? 0 : no_memory(err);
}

static int read_page(struct survey_reader *reader, struct survey_source *source,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int step = 0;
    int rc = make_page(source, err);
    source->next = source->count = 0;
    if (rc == 0)
        rc = OKNO_DB_PREPARE(reader->db, "refresh.events", &stmt, err,
                             OKNO_TEXT("device", source->device->pairings[0].device),
                             OKNO_INT("at", source->at_us), OKNO_INT("boot", source->boot),
                             OKNO_INT("seq", source->seq), OKNO_INT("all", reader->all),
                             OKNO_INT("limit", (int64_t)source->limit));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1)
        rc = read_row(source, stmt, err);
    if (rc < 0 || step < 0)
        return rc < 0 ? rc : step;
    reader->read += (int64_t)source->count;
    source->done = source->count < source->limit;
    source->limit = source->limit * 4 < PAGE_MAX ? source->limit * 4 : PAGE_MAX;
    return 0;
}

/* The first event that counts and is not before the beginning; *ret_event NULL when there is none
 * before until_us. */
static int peek(struct survey_reader *reader, struct survey_source *source, int64_t until_us,
                const struct okno_survey_event **ret_event, struct okno_err *err)
{
    const struct survey_device *device = source->device;
    *ret_event = NULL;
    if (device->pairings[0].from_us >= until_us ||
        device->pairings[device->pairing_count - 1].to_us <= reader->from_us)
        return 0;
    for (;;) {
        if (source->next == source->count) {
            if (source->done)
                return 0;
            int rc = read_page(reader, source, err);
            if (rc < 0)
                return rc;
            continue;
        }
        const struct okno_survey_event *event = &source->page[source->next];
        if (event->at_us >= until_us)
            return 0;
        if (event->at_us >= device->pairings[device->pairing_count - 1].to_us) { /* it has left */
            source->next = source->count;
            source->done = true;
            return 0;
        }
        bool suspect = source->suspect[source->next];
        if (event->at_us >= reader->from_us && event->role != OKNO_ROLE_NONE && !suspect) {
            *ret_event = event;
            return 0;
        }
        reader->suspect += suspect && event->at_us >= reader->from_us;
        source->next++;
    }
}

int survey_reader_next(struct survey_reader *reader, int64_t until_us,
                       const struct okno_survey_event **ret_event, struct okno_err *err)
{
    struct survey_source *first = NULL;
    const struct okno_survey_event *earliest = NULL;
    for (size_t i = 0; i < reader->facts->devices.len; i++) {
        const struct okno_survey_event *event = NULL;
        int rc = peek(reader, &reader->sources[i], until_us, &event, err);
        if (rc < 0)
            return rc;
        if (!event || (earliest && okno_survey_event_order(earliest, event) < 0))
            continue;
        earliest = event;
        first = &reader->sources[i];
    }
    if (!first)
        return 0;
    first->next++;
    *ret_event = earliest;
    return 1;
}

/* Where the device's clock stood at the beginning, or when it came to the point. */
static void start(struct survey_source *source, const struct survey_device *device, int64_t from_us)
{
    int64_t paired_us = device->pairings[0].from_us;
    from_us = from_us > paired_us ? from_us : paired_us;
    source->device = device;
    source->at_us = survey_clock_shown_from(&device->clock, from_us) - 1;
    source->boot = source->seq = -1;
}

int survey_reader_open(struct okno_db *db, const struct survey_facts *facts, int64_t from_us,
                       bool all, struct survey_reader *ret_reader, struct okno_err *err)
{
    size_t count = facts->devices.len;
    *ret_reader = (struct survey_reader){.db = db, .facts = facts, .from_us = from_us, .all = all};
    ret_reader->sources = calloc(count ? count : 1, sizeof(struct survey_source));
    if (!ret_reader->sources)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        start(&ret_reader->sources[i], &facts->devices.items[i], from_us);
    return 0;
}

void survey_reader_close(struct survey_reader *reader)
{
    for (size_t i = 0; reader->sources && i < reader->facts->devices.len; i++) {
        struct survey_source *source = &reader->sources[i];
        for (size_t j = 0; j < source->channels.len; j++)
            free(source->channels.items[j]);
        channel_vec_free(&source->channels);
        free(source->page);
        free(source->suspect);
    }
    free(reader->sources);
    reader->sources = NULL;
}
