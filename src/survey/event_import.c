/* The import kind `events`. */
#include "okno/event.h"

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
              .unless = "duration_ms",
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

static int start(const struct okno_import_env *env, void **ret_ctx, struct okno_err *err)
{
    struct okno_event_intake *intake = NULL;
    int rc = okno_event_intake_open(env->db, &intake, err);
    if (rc == 0)
        *ret_ctx = intake;
    return rc;
}

static int store_row(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                     enum okno_stored *ret_stored, struct okno_err *err)
{
    const struct okno_event event = {.device = values[DEVICE].text,
                                     .boot = values[BOOT].integer,
                                     .seq = values[SEQ].integer,
                                     .kind = values[KIND].text,
                                     .duration_ms = duration_of(values),
                                     .at_us = values[TIME].integer};
    const struct okno_event_receipt receipt = {.at_us = env->now_us, .import = env->import};
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    int rc = okno_event_intake_add(ctx, &event, &receipt, &stored, err);
    if (rc == 0)
        *ret_stored = stored == OKNO_EVENT_ADDED ? OKNO_STORED_ADDED : OKNO_STORED_DUPLICATE;
    return rc;
}

static int end_batch(const struct okno_import_env *env, void *ctx, struct okno_err *err)
{
    (void)env;
    return okno_event_intake_end(ctx, err);
}

static void stop(void *ctx)
{
    okno_event_intake_free(ctx);
}

const struct okno_import_kind okno_event_import = {
    .kind = "events",
    .help = "what a device told: a button pressed, an answer given, a sign of life",
    .fields = fields,
    .field_count = OKNO_COUNT(fields),
    .at_once = true,
    .check = check_row,
    .start = start,
    .store = store_row,
    .batch = end_batch,
    .stop = stop,
};
