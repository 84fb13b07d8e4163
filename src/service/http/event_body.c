/* What stands in a body of events. Pure. */
#include "intake.h"

#include "http.h"
#include "okno/time.h"

#include <string.h>

static int64_t integer_of(const json_t *item, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(item, name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static int read_time(const json_t *item, int64_t *ret_us, struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = okno_time_parse(json_string_value(json_object_get(item, "time")), ret_us, &why);
    return rc < 0 ? okno_fail_field(err, rc, "time", "%s", why.text) : 0;
}

int http_event_read(const json_t *item, const char *device, struct okno_event *ret_event,
                    struct okno_err *err)
{
    const char *told = json_string_value(json_object_get(item, "device"));
    int rc = http_schema_check("Event", item, err);
    if (rc < 0)
        return rc;
    if (told && strcmp(told, device) != 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "device",
                               "this token speaks for device %s only", device);
    *ret_event = (struct okno_event){
        .device = device,
        .boot = integer_of(item, "boot", 0),
        .seq = integer_of(item, "seq", 0),
        .kind = json_string_value(json_object_get(item, "kind")),
        .duration_ms = integer_of(item, "duration_ms", OKNO_EVENT_NO_DURATION),
        .channel = json_string_value(json_object_get(item, "channel")),
    };
    return read_time(item, &ret_event->at_us, err);
}

static int check_count(const json_t *items, struct okno_err *err)
{
    size_t count = json_is_array(items) ? json_array_size(items) : 1;
    if (count == 0)
        return okno_fail_field(err, OKNO_INVALID, "events",
                               "there is no event in it; allowed are 1..%d", HTTP_INTAKE_ITEMS_MAX);
    if (count > HTTP_INTAKE_ITEMS_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "events",
                               "%zu events at once; allowed are 1..%d: send them in parts", count,
                               HTTP_INTAKE_ITEMS_MAX);
    return 0;
}

static int read_now(const json_t *now, struct http_intake_batch *batch, struct okno_err *err)
{
    struct okno_err why = {0};
    if (!now)
        return 0;
    batch->has_now = true;
    int rc = okno_time_parse(json_string_value(now), &batch->now_us, &why);
    return rc < 0 ? okno_fail_field(err, rc, "now", "now: %s", why.text) : 0;
}

/* An envelope holds a list and nothing of an event. */
int http_event_envelope(const json_t *body, struct http_intake_batch *batch, struct okno_err *err)
{
    const json_t *now = json_object_get(body, "now");
    const json_t *events = json_object_get(body, "events");
    batch->items = events ? events : body;
    if (events && json_object_size(body) != (now ? 2U : 1U))
        return okno_fail_field(err, OKNO_UNKNOWN_FIELD, "events",
                               "beside events only now is allowed");
    int rc = read_now(now, batch, err);
    return rc < 0 ? rc : check_count(batch->items, err);
}
