/* figures DATA FROM TO BY recount|kept RUNS: seconds that the indicators of a period take, the best
 * of some runs, and a hash of all sums, which must be the same for both ways. FROM and TO are dates
 * of each site's calendar (days from 1970-01-01 or YYYY-MM-DD). */
#include "okno/hash.h"
#include "okno/kpi.h"
#include "okno/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t midnight_of(const char *text)
{
    char instant[40];
    int64_t us = 0;
    struct okno_err err = {0};
    (void)snprintf(instant, sizeof(instant), "%sT00:00:00Z", text);
    if (okno_time_parse(instant, &us, &err) < 0) {
        (void)fprintf(stderr, "figures: %s\n", err.text);
        exit(2);
    }
    return us;
}

/* All sums and figures as one number (FNV-1a), so that two ways can be compared at a glance. */
static void mix(uint64_t *hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
}

static uint64_t hash_of(const struct okno_group_vec *groups)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    struct okno_kpi_figure figures[OKNO_INDICATOR_COUNT];
    for (size_t i = 0; i < groups->len; i++) {
        const struct okno_kpi_group *group = &groups->items[i];
        okno_kpi_figures(&group->sums, 0.5, figures);
        for (size_t word = 0; word < OKNO_GROUP_WORDS; word++)
            if (group->value[word])
                mix(&hash, group->value[word], strlen(group->value[word]));
        mix(&hash, group->sums.set, sizeof(group->sums.set));
        for (size_t one = 0; one < OKNO_INDICATOR_COUNT; one++)
            mix(&hash, figures[one].value, sizeof(figures[one].value));
        for (size_t one = 0; one < group->excluded.len; one++)
            mix(&hash, &group->excluded.items[one].count, sizeof(int64_t));
    }
    return hash;
}

static int run(struct okno_db *db, const struct okno_kpi_query *query, double *ret_seconds,
               struct okno_err *err)
{
    struct okno_group_vec groups = {0};
    int64_t start_us = okno_time_monotonic();
    int rc = okno_kpi_gather(db, query, &groups, err);
    uint64_t hash = hash_of(&groups);
    *ret_seconds = (double)(okno_time_monotonic() - start_us) / 1e6;
    if (rc == 0)
        (void)fprintf(stderr, "%zu groups, %016llx, %.3f s\n", groups.len, (unsigned long long)hash,
                      *ret_seconds);
    okno_kpi_groups_free(&groups);
    return rc;
}

int main(int argc, char **argv)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_err err = {0};
    double best = 1e9;
    if (argc != 7) {
        (void)fprintf(stderr, "usage: figures DATA FROM TO BY recount|kept RUNS\n");
        return 2;
    }
    struct okno_kpi_query query = {.from_us = midnight_of(argv[2]),
                                   .to_us = midnight_of(argv[3]),
                                   .local = true,
                                   .recount = strcmp(argv[5], "recount") == 0};
    int rc = okno_group_parse(argv[4], &query.by, &err);
    if (rc == 0)
        rc = okno_db_open(argv[1], false, &db, &err);
    for (long i = 0; rc == 0 && i < strtol(argv[6], NULL, 10); i++) {
        double seconds = 0;
        rc = run(db, &query, &seconds, &err);
        best = seconds < best ? seconds : best;
    }
    if (rc < 0) {
        (void)fprintf(stderr, "figures: %s\n", err.text);
        return 1;
    }
    printf("%.4f\n", best);
    return 0;
}
