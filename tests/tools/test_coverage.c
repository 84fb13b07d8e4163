/* The intervals of the estimator hold the truth about as often as they say (seeded, so that the
 * figures are the same in every run; `make bench-coverage` does it with 10,000 repetitions). */
#define _GNU_SOURCE
#include "tool.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPETITIONS = 2000, ROWS_LEAST = 25 };

/* With 2000 repetitions two and a half standard deviations below 95 %. */
#define LEAST 0.938

static void the_intervals_hold_the_truth(void **state)
{
    struct okno_buf text = {.max = OUTPUT_MAX};
    char repetitions[16];
    char *rest = NULL;
    int rows = 0;
    int sparse = 0;
    (void)state;
    (void)snprintf(repetitions, sizeof(repetitions), "%d", REPETITIONS);
    int code = RUN(&text, "coverage", repetitions, "1");
    assert_true(code == 0 || code == 6); /* its own bound is for many repetitions */
    for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        double expected = 0;
        double held = 0;
        double width = 0;
        const char *cells = strchr(line, '|');
        if (!cells || sscanf(cells, "| %lf | %lf | %lf", &expected, &held, &width) != 3)
            continue;
        rows++;
        bool said = strncmp(line, "sparse:", 7) == 0;
        sparse += said;
        if (said != (expected < 10))
            fail_msg("%s", line);
        if (expected >= 10 && held < LEAST)
            fail_msg("%s", line);
        assert_true(width > 0 && width < 0.3);
    }
    assert_true(rows >= ROWS_LEAST);
    assert_true(sparse >= 4);
    okno_buf_free(&text);
}

static void nonsense_is_refused(void **state)
{
    struct okno_buf text = {.max = OUTPUT_MAX};
    (void)state;
    assert_int_equal(RUN(&text, "coverage", "none"), 2);
    okno_buf_free(&text);
}

static int setup(void **state)
{
    (void)state;
    return folder_make();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_intervals_hold_the_truth),
                                       cmocka_unit_test(nonsense_is_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
