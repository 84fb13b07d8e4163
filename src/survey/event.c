#include "okno/event.h"

#include <inttypes.h>
#include <string.h>

static const char *const kind_texts[] = {
#define KIND_TEXT(name, text) text,
    OKNO_EVENT_KIND_TABLE(KIND_TEXT)
#undef KIND_TEXT
};

const char *okno_event_kind_text(enum okno_event_kind kind)
{
    return kind_texts[kind];
}

int okno_event_kind_parse(const char *text, enum okno_event_kind *ret_kind, struct okno_err *err)
{
    for (int i = 0; i < OKNO_EVENT_KIND_COUNT; i++) {
        if (strcmp(kind_texts[i], text) == 0) {
            *ret_kind = (enum okno_event_kind)i;
            return 0;
        }
    }
    return okno_fail_field(err, OKNO_INVALID, "kind",
                           "kind \"%.40s\": allowed are press, hold, yes, no, unsure, alive", text);
}

const char *okno_event_id(const char *device, int64_t boot, int64_t seq,
                          char ret_text[OKNO_EVENT_ID_TEXT])
{
    (void)snprintf(ret_text, OKNO_EVENT_ID_TEXT, "%.64s.%" PRId64 ".%" PRId64, device, boot, seq);
    return ret_text;
}
