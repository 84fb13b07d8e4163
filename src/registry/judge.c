/* What to make of a device's word about its own clock. Pure. */
#include "okno/clock.h"

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* The newest measurement at or before an instant; NULL when all are later. */
static const struct okno_clock_measurement *
newest_at(const struct okno_clock_measurement *measurements, size_t count, int64_t utc_us)
{
    while (count > 0 && measurements[count - 1].at_us > utc_us)
        count--;
    return count > 0 ? &measurements[count - 1] : NULL;
}

/* Between the last moment at which the old offset is known to hold and the report. */
static int64_t moment_of_jump(const struct okno_clock_report *report, int64_t offset_us,
                              const struct okno_clock_measurement *newest)
{
    int64_t first_us = report->agreed_us;
    int64_t at_us = report->earliest_us - offset_us;
    if (newest && newest->at_us > first_us)
        first_us = newest->at_us;
    if (at_us <= first_us)
        at_us = first_us + 1;
    return at_us < report->arrived_us ? at_us : report->arrived_us;
}

enum okno_clock_finding okno_clock_judge(const struct okno_clock_measurement *measurements,
                                         size_t count, const struct okno_clock_report *report,
                                         struct okno_clock_measurement *ret_measurement)
{
    const struct okno_clock_measurement *newest =
        newest_at(measurements, count, report->arrived_us);
    struct okno_clock_offset known = okno_clock_at(measurements, count, report->arrived_us);
    struct okno_clock_measurement found = {.at_us = report->arrived_us,
                                           .offset_us = report->shown_us - report->arrived_us,
                                           .uncertainty_us = OKNO_CLOCK_REPORT_US};
    int64_t residual_us = magnitude(found.offset_us - known.offset_us);
    enum okno_clock_finding finding = OKNO_CLOCK_MOVED;
    if (residual_us <= OKNO_CLOCK_REPORT_US) {
        if (newest && report->arrived_us - newest->at_us < OKNO_CLOCK_RENEW_US)
            return OKNO_CLOCK_KNOWN;
        found.offset_us = known.offset_us;
        found.uncertainty_us += residual_us;
        finding = OKNO_CLOCK_RENEWED;
    } else if (magnitude(found.offset_us) > OKNO_CLOCK_PLAUSIBLE_US) {
        return OKNO_CLOCK_SUSPECT;
    } else if (known.measured && residual_us > OKNO_CLOCK_REPORT_US + known.uncertainty_us) {
        found.at_us = moment_of_jump(report, found.offset_us, newest);
        found.step = true;
        finding = OKNO_CLOCK_JUMPED;
    }
    *ret_measurement = found;
    return finding;
}
