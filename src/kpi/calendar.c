/* Hours, days, weeks and months of a site's calendar as small numbers. */
#include "kpi.h"

#include <stdio.h>

#define HOUR_US (INT64_C(3600) * OKNO_SECOND_US)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int32_t kpi_bucket_of_day(int32_t day, enum kpi_unit unit)
{
    struct okno_civil c;
    switch (unit) {
    case KPI_WHOLE:
        return 0;
    case KPI_WEEK: /* 1970-01-01 was a Thursday */
        return day - (int32_t)(((day + 3) % 7 + 7) % 7);
    case KPI_MONTH:
        okno_time_to_civil(day * OKNO_DAY_US, &c);
        return day - (c.day - 1);
    default:
        return day;
    }
}

int32_t kpi_bucket(const struct okno_zone *zone, int64_t at_us, enum kpi_unit unit)
{
    if (unit == KPI_WHOLE)
        return 0;
    int64_t local_us = at_us + okno_zone_offset_at(zone, at_us);
    if (unit == KPI_HOUR)
        return (int32_t)floor_div(local_us, HOUR_US);
    return kpi_bucket_of_day((int32_t)floor_div(local_us, OKNO_DAY_US), unit);
}

/* Midnight may not be there (the clocks jump over it) or be there twice: the first instant whose
 * date is that day is looked for between moments a day apart. */
int64_t kpi_day_start(const struct okno_zone *zone, int32_t day)
{
    int64_t low = (int64_t)day * OKNO_DAY_US - OKNO_DAY_US; /* certainly before, in any zone */
    int64_t high = (int64_t)day * OKNO_DAY_US + OKNO_DAY_US;
    int64_t guess = (int64_t)day * OKNO_DAY_US;
    guess -= okno_zone_offset_at(zone, guess);
    guess = (int64_t)day * OKNO_DAY_US - okno_zone_offset_at(zone, guess);
    if (kpi_bucket(zone, guess, KPI_DAY) >= day && kpi_bucket(zone, guess - 1, KPI_DAY) < day)
        return guess;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (kpi_bucket(zone, middle, KPI_DAY) >= day)
            high = middle;
        else
            low = middle;
    }
    return high;
}

void kpi_bucket_text(int32_t bucket, enum kpi_unit unit, char *ret_text, size_t size)
{
    struct okno_civil c;
    okno_time_to_civil(bucket * (unit == KPI_HOUR ? HOUR_US : OKNO_DAY_US), &c);
    if (unit == KPI_HOUR)
        (void)snprintf(ret_text, size, "%04d-%02d-%02dT%02d", c.year, c.month, c.day, c.hour);
    else if (unit == KPI_MONTH)
        (void)snprintf(ret_text, size, "%04d-%02d", c.year, c.month);
    else
        (void)snprintf(ret_text, size, "%04d-%02d-%02d", c.year, c.month, c.day);
}
