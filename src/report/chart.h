/* The scale of a chart, the same for all that draw it. Shared with okno-paper. */
#ifndef OKNO_REPORT_CHART_H
#define OKNO_REPORT_CHART_H

#include "okno/json.h"

#include <stdbool.h>

struct chart_axis {
    double low, high, step; /* low and high are multiples of step */
    int decimals;           /* that its labels need */
};

/* Holds every number of a forest's rows (see document.h). Nothing to hold: 0 to 1. */
struct chart_axis chart_forest_axis(const json_t *rows);

/* Whether any row of a forest has a mark: raw, excluded, value or worst. */
bool chart_has(const json_t *rows, const char *mark);

/* 0 at low, 1 at high. */
double chart_place(const struct chart_axis *axis, double value);

/* Where a bar between two values begins and ends: wide enough to be seen. */
void chart_span(const struct chart_axis *axis, double low, double high, double *ret_from,
                double *ret_to);

/* The axis's labels: the i-th tick and how many there are. */
int chart_ticks(const struct chart_axis *axis);
double chart_tick(const struct chart_axis *axis, int i);

#endif
