/* Intake: what devices tell becomes rows of `events`, each identity once. */
#include "okno/event.h"
#include "okno/registry.h"
#include "okno/text.h"
#include "okno/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNEL_BYTES_MAX = 64 };

int okno_event_classify(const char *kind, int64_t duration_ms, enum okno_event_kind *ret_kind,
                        struct okno_err *err)
{
    bool timed = duration_ms != OKNO_EVENT_NO_DURATION;
    if (timed && (duration_ms < 0 || duration_ms > OKNO_EVENT_DURATION_MAX_MS))
        return okno_fail_field(err, OKNO_INVALID, "duration_ms",
                               "duration_ms %" PRId64 ": allowed are 0..%" PRId64, duration_ms,
                               OKNO_EVENT_DURATION_MAX_MS);
    if (!kind && !timed)
        return okno_fail_field(err, OKNO_MISSING, "kind", "an event needs a kind or a duration_ms");
    enum okno_event_kind by_time = OKNO_EVENT_HOLD;
    if (duration_ms < OKNO_EVENT_HOLD_MS)
        by_time = duration_ms < OKNO_EVENT_PRESS_MS ? OKNO_EVENT_BOUNCE : OKNO_EVENT_PRESS;
    enum okno_event_kind told = by_time;
    int rc = kind ? okno_event_kind_parse(kind, &told, err) : 0;
    if (rc < 0)
        return rc;
    bool contact = told == OKNO_EVENT_PRESS || told == OKNO_EVENT_HOLD;
    if (kind && (told == OKNO_EVENT_BOUNCE || (timed && contact && told != by_time)))
        return okno_fail_field(err, OKNO_INVALID, "kind",
                               "kind \"%s\" does not fit a duration of %" PRId64
                               " ms: under 30 ms is a bounce "
                               "(give no kind), under 1000 ms a press, longer a hold",
                               kind, duration_ms);
    *ret_kind = told;
    return 0;
}

static int check_number(const char *field, int64_t value, struct okno_err *err)
{
    if (value >= 0 && value <= OKNO_EVENT_NUMBER_MAX)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, field, "%s %" PRId64 ": allowed are 0..%" PRId64,
                           field, value, OKNO_EVENT_NUMBER_MAX);
}

static int check_names(const struct okno_event *event, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!event->device || !okno_text_is_id(event->device))
        return okno_fail_field(err, OKNO_INVALID, "device",
                               "device \"%s\": allowed are 1..64 of A-Z a-z 0-9 _ -",
                               okno_text_show(event->device ? event->device : "", shown));
    if (event->channel &&
        (!okno_text_is_id(event->channel) || strlen(event->channel) > CHANNEL_BYTES_MAX))
        return okno_fail_field(err, OKNO_INVALID, "channel",
                               "channel \"%s\": allowed are 1..64 of A-Z a-z 0-9 _ -",
                               okno_text_show(event->channel, shown));
    return 0;
}

static int check_event(const struct okno_event *event, enum okno_event_kind *ret_kind,
                       struct okno_err *err)
{
    /* 9999-12-31T23:59:59.999999Z */
    static const int64_t last_us = INT64_C(253402300799999999);
    int rc = check_names(event, err);
    if (rc == 0)
        rc = check_number("boot", event->boot, err);
    if (rc == 0)
        rc = check_number("seq", event->seq, err);
    if (rc == 0 && (event->at_us < 0 || event->at_us > last_us))
        rc = okno_fail_field(err, OKNO_INVALID, "time",
                             "a time beyond the years 1970..9999 is not allowed");
    return rc < 0 ? rc : okno_event_classify(event->kind, event->duration_ms, ret_kind, err);
}

/* ---- many events in one transaction ---- */

/* What a device told since one of its restarts, not yet written: see device_runs. */
struct run {
    char device[OKNO_ID_TEXT];
    int64_t boot;
    int64_t first_seq, last_seq, events; /* events 0: nothing to write */
    int64_t arrived_us;
    int64_t ahead_us, ahead_at_us;
    int64_t hour; /* marked last for surveys to follow, on the device's clock; -1: none */
    bool known;   /* the device is */
};

enum { RUNS = 256, EVENT_PARAMS = 9 };

struct okno_event_intake {
    struct okno_db *db;
    struct okno_stmt *add;
    int places[EVENT_PARAMS];
    int64_t fence_us; /* in this transaction events arrive later than this; -1: not yet asked */
    struct run runs[RUNS]; /* by hash; whoever needs the place of another writes that one first */
};

/* In the order in which insert() gives the values. */
static const char *const params[EVENT_PARAMS] = {
    "device", "boot", "seq", "kind", "at", "duration_ms", "channel", "arrived_at", "import"};

int okno_event_intake_open(struct okno_db *db, struct okno_event_intake **ret_intake,
                           struct okno_err *err)
{
    OKNO_AUTO(okno_event_intake) *intake = calloc(1, sizeof(*intake));
    if (!intake)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to take events");
    intake->db = db;
    intake->fence_us = -1;
    int rc = okno_db_stmt(db, "event.add", &intake->add, err);
    for (size_t i = 0; rc == 0 && i < EVENT_PARAMS; i++)
        rc = okno_stmt_param(intake->add, params[i], &intake->places[i], err);
    if (rc == 0)
        *ret_intake = okno_mem_take(&intake);
    return rc;
}

void okno_event_intake_free(struct okno_event_intake *intake)
{
    if (intake)
        okno_stmt_reset(intake->add);
    free(intake);
}

static int require_device(struct okno_db *db, const char *device, struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(db, "event.knows_device", 0, &known, err, OKNO_TEXT("device", device));
    if (rc == 0 && !known)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "device",
                               "device \"%s\" is not known: import it with `okno import devices`",
                               device);
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* The identity is taken: by the same content, or by another. */
static int compare_stored(struct okno_db *db, const struct okno_event *event,
                          enum okno_event_kind kind, enum okno_event_stored *ret_stored,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "event.get", &stmt, err, OKNO_TEXT("device", event->device),
                             OKNO_INT("boot", event->boot), OKNO_INT("seq", event->seq));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    int64_t duration_ms = okno_stmt_is_null(stmt, "duration_ms")
                              ? OKNO_EVENT_NO_DURATION
                              : okno_stmt_int(stmt, "duration_ms");
    const char *stored_kind = okno_stmt_text(stmt, "kind");
    int64_t at_us = okno_stmt_int(stmt, "at");
    if (same_text(stored_kind, okno_event_kind_text(kind)) && at_us == event->at_us &&
        duration_ms == event->duration_ms &&
        same_text(okno_stmt_text(stmt, "channel"), event->channel)) {
        *ret_stored = OKNO_EVENT_DUPLICATE;
        return 0;
    }
    char id[OKNO_EVENT_ID_TEXT];
    char at[OKNO_TIME_TEXT];
    return okno_fail(err, OKNO_CONFLICT,
                     "event %s is already stored as %s at %s with other content: the first stays",
                     okno_event_id(event->device, event->boot, event->seq, id), stored_kind,
                     okno_time_format(at_us, at));
}

static int insert(struct okno_event_intake *intake, const struct okno_event *event,
                  enum okno_event_kind kind, const struct okno_event_receipt *receipt,
                  int64_t *ret_added, struct okno_err *err)
{
    const struct {
        const char *text;
        int64_t number;
        bool is_number; /* neither: NULL */
    } values[EVENT_PARAMS] = {
        {.text = event->device},
        {.number = event->boot, .is_number = true},
        {.number = event->seq, .is_number = true},
        {.text = okno_event_kind_text(kind)},
        {.number = event->at_us, .is_number = true},
        {.number = event->duration_ms, .is_number = event->duration_ms != OKNO_EVENT_NO_DURATION},
        {.text = event->channel},
        {.number = receipt->at_us, .is_number = true},
        {.number = receipt->import, .is_number = receipt->import != 0},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < EVENT_PARAMS; i++)
        rc = values[i].is_number
                 ? okno_stmt_put_int(intake->add, intake->places[i], values[i].number, err)
                 : okno_stmt_put_text(intake->add, intake->places[i], values[i].text, err);
    return rc < 0 ? rc : okno_stmt_run(intake->add, ret_added, err);
}

static int write_run(struct okno_event_intake *intake, struct run *run, struct okno_err *err)
{
    if (run->events == 0)
        return 0;
    int rc = OKNO_DB_RUN(intake->db, "event.note_run", NULL, err, OKNO_TEXT("device", run->device),
                         OKNO_INT("boot", run->boot), OKNO_INT("first_seq", run->first_seq),
                         OKNO_INT("last_seq", run->last_seq), OKNO_INT("events", run->events),
                         OKNO_INT("arrived_at", run->arrived_us), OKNO_INT("ahead", run->ahead_us),
                         OKNO_INT("ahead_at", run->ahead_at_us));
    run->hour = -1; /* a refresh may come in between */
    if (rc == 0)
        run->events = 0;
    return rc;
}

static size_t place_of(const char *device, int64_t boot)
{
    uint64_t hash = 14695981039346656037U ^ (uint64_t)boot; /* FNV-1a */
    for (; *device; device++)
        hash = (hash ^ (unsigned char)*device) * 1099511628211U;
    return (hash ^ hash >> 32) % RUNS;
}

/* The event's run; the device is known then. */
static int find_run(struct okno_event_intake *intake, const struct okno_event *event,
                    struct run **ret_run, struct okno_err *err)
{
    struct run *run = &intake->runs[place_of(event->device, event->boot)];
    *ret_run = run;
    if (run->known && run->boot == event->boot && strcmp(run->device, event->device) == 0)
        return 0;
    int rc = require_device(intake->db, event->device, err);
    if (rc == 0)
        rc = write_run(intake, run, err);
    if (rc < 0)
        return rc;
    *run = (struct run){.boot = event->boot, .known = true, .hour = -1};
    (void)snprintf(run->device, sizeof(run->device), "%s", event->device);
    return 0;
}

/* Let surveys follow: the hour in which the device tells something new. */
static int mark_hour(struct okno_event_intake *intake, struct run *run, int64_t at_us,
                     struct okno_err *err)
{
    int64_t hour = at_us / (3600 * OKNO_SECOND_US);
    if (hour == run->hour)
        return 0;
    run->hour = hour;
    return OKNO_DB_RUN(intake->db, "event.mark_hour", NULL, err, OKNO_TEXT("device", run->device),
                       OKNO_INT("hour", hour));
}

static void add_to_run(struct run *run, const struct okno_event *event,
                       const struct okno_event_receipt *receipt)
{
    int64_t ahead_us = event->at_us - receipt->at_us;
    bool first = run->events++ == 0;
    if (first || event->seq < run->first_seq)
        run->first_seq = event->seq;
    if (first || event->seq > run->last_seq)
        run->last_seq = event->seq;
    if (first || receipt->at_us > run->arrived_us)
        run->arrived_us = receipt->at_us;
    if (first || ahead_us > run->ahead_us) {
        run->ahead_us = ahead_us;
        run->ahead_at_us = event->at_us;
    }
}

/* When the event arrived: not in a time of which figures were published. */
static int date_arrival(struct okno_event_intake *intake, struct okno_event_receipt *receipt,
                        struct okno_err *err)
{
    int rc = intake->fence_us >= 0
                 ? 0
                 : okno_db_int(intake->db, "event.fence", NULL, 0, 0, &intake->fence_us, err);
    if (rc == 0 && receipt->at_us <= intake->fence_us)
        receipt->at_us = intake->fence_us + 1;
    return rc;
}

int okno_event_intake_add(struct okno_event_intake *intake, const struct okno_event *event,
                          const struct okno_event_receipt *receipt,
                          enum okno_event_stored *ret_stored, struct okno_err *err)
{
    struct okno_event_receipt dated = *receipt;
    enum okno_event_kind kind = OKNO_EVENT_ALIVE;
    struct run *run = NULL;
    int64_t added = 0;
    int rc = check_event(event, &kind, err);
    if (rc == 0)
        rc = find_run(intake, event, &run, err);
    if (rc == 0)
        rc = date_arrival(intake, &dated, err);
    if (rc == 0)
        rc = insert(intake, event, kind, &dated, &added, err);
    if (rc < 0)
        return rc;
    if (!added)
        return compare_stored(intake->db, event, kind, ret_stored, err);
    rc = mark_hour(intake, run, event->at_us, err);
    if (rc < 0)
        return rc;
    add_to_run(run, event, &dated);
    *ret_stored = OKNO_EVENT_ADDED;
    return 0;
}

int okno_event_intake_end(struct okno_event_intake *intake, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < RUNS; i++)
        rc = write_run(intake, &intake->runs[i], err);
    intake->fence_us = -1;
    return rc;
}

int okno_event_store(struct okno_db *db, const struct okno_event *event,
                     const struct okno_event_receipt *receipt, enum okno_event_stored *ret_stored,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_event_intake) *intake = NULL;
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    int rc = okno_event_intake_open(db, &intake, err);
    if (rc == 0)
        rc = okno_event_intake_add(intake, event, receipt, &stored, err);
    if (rc == 0)
        rc = okno_event_intake_end(intake, err);
    if (rc == 0)
        *ret_stored = stored;
    return rc;
}
