/* What devices send: bodies of events, and the bytes of a request's header. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "../../src/service/http/http.h"
#include "../../src/service/http/intake.h"
#include "../../src/service/http/wire.h"
#include "okno/text.h"

#include <string.h>

static void check_event(const json_t *item)
{
    struct okno_event event;
    struct okno_err err = {0};
    enum okno_event_kind kind;
    if (http_event_read(item, "D1", &event, &err) < 0) {
        FUZZ_HOLDS(err.code && *err.text);
        return;
    }
    FUZZ_HOLDS(strcmp(event.device, "D1") == 0);
    FUZZ_HOLDS(event.seq >= 0 && event.boot >= 0);
    FUZZ_HOLDS(event.at_us >= 0 - 15 * INT64_C(3600000000)); /* 1970, the farthest zone */
    int rc = okno_event_classify(event.kind, event.duration_ms, &kind, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
}

void fuzz_events(const uint8_t *data, size_t size)
{
    okno_autojson json_t *body = NULL;
    struct okno_err err = {0};
    struct http_intake_batch batch = {.device = "D1"};
    if (http_body_parse((const char *)data, size, "Events", &body, &err) < 0 ||
        http_event_envelope(body, &batch, &err) < 0) {
        FUZZ_HOLDS(err.code && *err.text && okno_text_is_utf8(err.text, strlen(err.text)));
        return;
    }
    bool many = json_is_array(batch.items);
    size_t count = many ? json_array_size(batch.items) : 1;
    FUZZ_HOLDS(count >= 1 && count <= HTTP_INTAKE_ITEMS_MAX);
    for (size_t i = 0; i < count; i++)
        check_event(many ? json_array_get(batch.items, i) : batch.items);
}

/* What is good or refused stays so, whatever follows. */
void fuzz_wire(const uint8_t *data, size_t size)
{
    static const struct http_wire_limits limits = {.header_bytes = 4096, .body_bytes = 65536};
    const char *bytes = (const char *)data;
    int before = 0;
    for (size_t len = size < 64 ? 0 : size - 64; len <= size; len++) {
        struct okno_err err = {0};
        int status = 0;
        int rc = http_wire_check(bytes, len, &limits, &status, &err);
        FUZZ_HOLDS(rc == 0 || rc == 1 || (rc < 0 && err.code && *err.text));
        FUZZ_HOLDS(rc >= 0 || (status == 400 || status == 411 || status == 413 || status == 431));
        FUZZ_HOLDS(before == 0 || (before == 1) == (rc == 1));
        before = rc;
    }
}
