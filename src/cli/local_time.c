#include "local_time.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <stdio.h>
#include <stdlib.h>

const char *cli_local_time(const char *iso, const char *zone_name,
                           char ret_text[CLI_LOCAL_TIME_TEXT])
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_err ignored = {0};
    struct okno_civil c;
    int64_t at_us = 0;
    (void)snprintf(ret_text, CLI_LOCAL_TIME_TEXT, "%.60s", iso);
    if (okno_time_parse(iso, &at_us, &ignored) < 0 ||
        okno_zone_open(zone_name, &zone, &ignored) < 0)
        return ret_text;
    int64_t offset_us = okno_zone_offset_at(zone, at_us);
    long minutes = labs((long)(offset_us / (60 * OKNO_SECOND_US)));
    okno_time_to_civil(at_us + offset_us, &c);
    (void)snprintf(ret_text, CLI_LOCAL_TIME_TEXT, "%04d-%02d-%02d %02d:%02d:%02d %c%02ld:%02ld",
                   c.year, c.month, c.day, c.hour, c.minute, c.second, offset_us < 0 ? '-' : '+',
                   minutes / 60, minutes % 60);
    return ret_text;
}
