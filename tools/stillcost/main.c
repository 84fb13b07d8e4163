/* stillcost FILE RUNS: what the sandbox costs a still. RUNS moments of a recording (MP4, a second
 * and a bit apart), each made by a plain call in this process and by a sandboxed child, in turns.
 * Prints the middle milliseconds of both. Development only. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/media/inside.h"

#include "okno/file.h"
#include "okno/mem.h"
#include "okno/sandbox.h"
#include "okno/source.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_RUNS = 1000 };
#define STEP_US INT64_C(1234567)

static int inside(const struct okno_media_input *input, int64_t at_us, const char *path,
                  struct okno_err *err)
{
    struct okno_media_result result = {0};
    okno_autoclose int fd = -1;
    int rc = okno_file_begin(path, 0600, &fd, err);
    rc = rc < 0 ? rc : media_still(input, 1, at_us, fd, &result, err);
    rc = rc < 0 ? rc : okno_file_keep(path, fd, err);
    okno_media_result_free(&result);
    return rc;
}

static int outside(const struct okno_media_input *input, int64_t at_us, const char *path,
                   struct okno_err *err)
{
    struct okno_media_result result = {0};
    int rc = okno_media_still(input, 1, at_us, path, &result, err);
    okno_media_result_free(&result);
    return rc;
}

static int order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* What is still to be loaded or forked for the first of each kind is no part of it. */
static int measure(const struct okno_media_input *input, int runs, const char *path,
                   int64_t *plain_us, int64_t *boxed_us, struct okno_err *err)
{
    int rc = 0;
    for (int i = -2; rc == 0 && i < 2 * runs; i++) {
        bool plain = (i & 3) == 0 || (i & 3) == 3;
        int64_t at_us = OKNO_SECOND_US + (i < 0 ? 0 : i / 2) * STEP_US;
        (void)unlink(path);
        int64_t begin_us = okno_time_monotonic();
        rc = plain ? inside(input, at_us, path, err) : outside(input, at_us, path, err);
        if (i >= 0)
            (plain ? plain_us : boxed_us)[i / 2] = okno_time_monotonic() - begin_us;
    }
    (void)unlink(path);
    return rc;
}

int main(int argc, char **argv)
{
    static int64_t plain_us[MAX_RUNS], boxed_us[MAX_RUNS];
    struct okno_err err = {0};
    char path[1200];
    OKNO_AUTO(okno_source) *source = NULL;
    long runs = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (runs < 1 || runs > MAX_RUNS) {
        (void)fprintf(stderr, "usage: stillcost FILE RUNS\n");
        return 2;
    }
    (void)snprintf(path, sizeof(path), "%s.still.jpg", argv[1]);
    int rc = okno_sandbox_start(&err);
    if (rc == 0)
        rc = okno_file_source(argv[1], &source, &err);
    const struct okno_media_input input = {.source = source, .format = "mov", .name = argv[1]};
    if (rc == 0)
        rc = measure(&input, (int)runs, path, plain_us, boxed_us, &err);
    okno_sandbox_stop();
    if (rc < 0) {
        (void)fprintf(stderr, "stillcost: %s\n", err.text);
        return 1;
    }
    qsort(plain_us, (size_t)runs, sizeof(*plain_us), order);
    qsort(boxed_us, (size_t)runs, sizeof(*boxed_us), order);
    long middle = runs / 2;
    printf("%.2f %.2f\n", (double)plain_us[middle] / 1e3, (double)boxed_us[middle] / 1e3);
    return 0;
}
