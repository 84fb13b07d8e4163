/* Intake: what devices tell becomes rows of `events`, each identity once. */
#include "okno/event.h"
#include "okno/text.h"
#include "okno/time.h"

#include <inttypes.h>
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

static int insert(struct okno_db *db, const struct okno_event *event, enum okno_event_kind kind,
                  const struct okno_event_receipt *receipt, int64_t *ret_added,
                  struct okno_err *err)
{
    return OKNO_DB_RUN(db, "event.add", ret_added, err, OKNO_TEXT("device", event->device),
                       OKNO_INT("boot", event->boot), OKNO_INT("seq", event->seq),
                       OKNO_TEXT("kind", okno_event_kind_text(kind)), OKNO_INT("at", event->at_us),
                       OKNO_INT("duration_ms", event->duration_ms),
                       OKNO_TEXT("channel", event->channel), OKNO_INT("arrived_at", receipt->at_us),
                       OKNO_INT("import", receipt->import));
}

static int note_run(struct okno_db *db, const struct okno_event *event,
                    const struct okno_event_receipt *receipt, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "event.note_run", NULL, err, OKNO_TEXT("device", event->device),
                       OKNO_INT("boot", event->boot), OKNO_INT("seq", event->seq),
                       OKNO_INT("at", event->at_us), OKNO_INT("arrived_at", receipt->at_us));
}

int okno_event_store(struct okno_db *db, const struct okno_event *event,
                     const struct okno_event_receipt *receipt, enum okno_event_stored *ret_stored,
                     struct okno_err *err)
{
    enum okno_event_kind kind = OKNO_EVENT_ALIVE;
    int64_t added = 0;
    int rc = check_event(event, &kind, err);
    if (rc == 0)
        rc = require_device(db, event->device, err);
    if (rc == 0)
        rc = insert(db, event, kind, receipt, &added, err);
    if (rc < 0)
        return rc;
    if (!added)
        return compare_stored(db, event, kind, ret_stored, err);
    rc = OKNO_DB_RUN(db, "event.mark_device", NULL, err, OKNO_TEXT("device", event->device));
    if (rc == 0)
        rc = note_run(db, event, receipt, err);
    if (rc == 0)
        *ret_stored = OKNO_EVENT_ADDED;
    return rc;
}

/* ---- the import kind ---- */

enum { DEVICE, SEQ, TIME, KIND, DURATION, BOOT };

static const struct okno_field fields[] = {
    [DEVICE] = {.name = "device",
                .type = OKNO_FIELD_ID,
                .required = true,
                .ref = "device",
                .help = "who tells it"},
    [SEQ] = {.name = "seq",
             .type = OKNO_FIELD_INT,
             .required = true,
             .max = OKNO_EVENT_NUMBER_MAX,
             .help = "the device's running number"},
    [TIME] = {.name = "time",
              .type = OKNO_FIELD_TIME,
              .required = true,
              .help = "when the button went down, on the device's clock"},
    [KIND] = {.name = "kind",
              .type = OKNO_FIELD_WORD,
              .words = "press hold yes no unsure alive",
              .help = "what happened"},
    [DURATION] = {.name = "duration_ms",
                  .type = OKNO_FIELD_INT,
                  .max = OKNO_EVENT_DURATION_MAX_MS,
                  .help = "how long the button was down; instead of a kind"},
    [BOOT] = {.name = "boot",
              .type = OKNO_FIELD_INT,
              .max = OKNO_EVENT_NUMBER_MAX,
              .fallback = "0",
              .help = "restarts of the running number"},
};

static int64_t duration_of(const struct okno_value *values)
{
    return values[DURATION].text ? values[DURATION].integer : OKNO_EVENT_NO_DURATION;
}

static int check_row(const struct okno_value *values, struct okno_err *err)
{
    enum okno_event_kind kind;
    return okno_event_classify(values[KIND].text, duration_of(values), &kind, err);
}

static int store_row(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                     enum okno_stored *ret_stored, struct okno_err *err)
{
    (void)ctx;
    const struct okno_event event = {.device = values[DEVICE].text,
                                     .boot = values[BOOT].integer,
                                     .seq = values[SEQ].integer,
                                     .kind = values[KIND].text,
                                     .duration_ms = duration_of(values),
                                     .at_us = values[TIME].integer};
    const struct okno_event_receipt receipt = {.at_us = env->now_us, .import = env->import};
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    int rc = okno_event_store(env->db, &event, &receipt, &stored, err);
    if (rc == 0)
        *ret_stored = stored == OKNO_EVENT_ADDED ? OKNO_STORED_ADDED : OKNO_STORED_DUPLICATE;
    return rc;
}

const struct okno_import_kind okno_event_import = {
    .kind = "events",
    .help = "what a device told: a button pressed, an answer given, a sign of life",
    .fields = fields,
    .field_count = OKNO_COUNT(fields),
    .check = check_row,
    .store = store_row,
};
