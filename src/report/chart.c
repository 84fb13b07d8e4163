#include "chart.h"

#include <math.h>
#include <string.h>

enum { TICKS_WANTED = 6 };

#define SEEN 0.008 /* of the axis */

static void stretch(const json_t *value, double *low, double *high)
{
    if (json_is_array(value)) {
        stretch(json_array_get(value, 0), low, high);
        stretch(json_array_get(value, 1), low, high);
    } else if (json_is_number(value)) {
        *low = fmin(*low, json_number_value(value));
        *high = fmax(*high, json_number_value(value));
    }
}

/* 1, 2 or 5 times a power of ten. */
static double nice_step(double span)
{
    double rough = span / TICKS_WANTED;
    double power = pow(10, floor(log10(rough)));
    double part = rough / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

struct chart_axis chart_forest_axis(const json_t *rows)
{
    static const char *const names[] = {"raw", "excluded", "value", "low", "high", "worst"};
    double low = INFINITY;
    double high = -INFINITY;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            stretch(json_object_get(row, names[k]), &low, &high);
    }
    if (!(low <= high))
        low = 0, high = 1;
    if (high - low < 1e-6)
        low -= 0.05, high += 0.05;
    struct chart_axis axis = {.step = nice_step(high - low)};
    axis.low = floor(low / axis.step) * axis.step;
    axis.high = ceil(high / axis.step) * axis.step;
    axis.decimals = axis.step >= 1 ? 0 : (int)ceil(-log10(axis.step) - 1e-9);
    return axis;
}

bool chart_has(const json_t *rows, const char *mark)
{
    double low = INFINITY;
    double high = -INFINITY;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) stretch(json_object_get(row, mark), &low, &high);
    return low <= high;
}

double chart_place(const struct chart_axis *axis, double value)
{
    return (value - axis->low) / (axis->high - axis->low);
}

void chart_span(const struct chart_axis *axis, double low, double high, double *ret_from,
                double *ret_to)
{
    double from = chart_place(axis, low);
    double to = chart_place(axis, high);
    double lacks = fmax(0, SEEN - (to - from));
    *ret_from = from - lacks / 2;
    *ret_to = to + lacks / 2;
}

int chart_ticks(const struct chart_axis *axis)
{
    return (int)lround((axis->high - axis->low) / axis->step) + 1;
}

double chart_tick(const struct chart_axis *axis, int i)
{
    return axis->low + i * axis->step;
}
