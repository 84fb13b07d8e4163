/* A format, and behind a line end a text: times of ours and of others, and the other kinds of
 * fields. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "okno/import.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

static void scan(const char *format, const char *text)
{
    struct okno_err err = {0};
    struct okno_scanned_time time;
    struct okno_civil same;
    if (okno_time_format_check(format, &err) < 0) {
        struct okno_err ignored = {0};
        int rc = okno_time_scan(format, text, &time, &ignored); /* must not break all the same */
        (void)rc;
        return;
    }
    if (okno_time_scan(format, text, &time, &err) < 0)
        return;
    okno_time_to_civil(okno_time_from_civil(&time.civil), &same);
    FUZZ_HOLDS(memcmp(&same, &time.civil, sizeof(same)) == 0);
    FUZZ_HOLDS(time.has_offset || time.offset_us == 0);
}

static void parse(const char *text)
{
    struct okno_err err = {0};
    char shown[OKNO_TIME_TEXT];
    int64_t us = 0;
    int64_t again = 0;
    if (okno_time_parse(text, &us, &err) < 0)
        return;
    FUZZ_HOLDS(okno_time_parse(okno_time_format(us, shown), &again, &err) == 0 || us < 0 ||
               us > INT64_C(253402300799999000));
    FUZZ_HOLDS(err.code || (again >= us && again - us < 1000));
}

static void check_fields(const char *text)
{
    for (int type = OKNO_FIELD_ID; type <= OKNO_FIELD_ZONE_RULE; type++) {
        const struct okno_field field = {.name = "f",
                                         .type = (enum okno_field_type)type,
                                         .min = -1000,
                                         .max = 1000,
                                         .words = "site point"};
        struct okno_value value;
        struct okno_err err = {0};
        int rc = okno_field_check(&field, NULL, text, &value, &err);
        FUZZ_HOLDS((rc < 0) == (err.code != 0));
        FUZZ_HOLDS(rc < 0 || type != OKNO_FIELD_INT || !value.text || value.integer <= 1000);
        FUZZ_HOLDS(rc == 0 || okno_text_is_utf8(err.text, strlen(err.text)));
    }
}

void fuzz_time(const uint8_t *data, size_t size)
{
    const uint8_t *border = size ? memchr(data, '\n', size) : NULL;
    size_t format_size = border ? (size_t)(border - data) : 0;
    size_t rest = border ? format_size + 1 : 0;
    okno_autofree char *format = fuzz_text(data, format_size);
    okno_autofree char *text = fuzz_text(data + rest, size - rest);
    scan(format, text);
    parse(text);
    check_fields(text);
}
