/* clips DIR CAMERA FIRST_US EVERY_US COUNT THREADS OUT_DIR [still]: cut COUNT windows of 30 s out
 * of a camera's recordings, or take as many stills, the n-th at FIRST_US + n * EVERY_US
 * (microseconds UTC as the camera's clock shows them), in THREADS threads of one process that
 * stays, as the service's workers do. Each file is removed when it is whole. Prints the seconds
 * that all took, and the middle one's. */
#define _POSIX_C_SOURCE 200809L
#include "okno/conf.h"
#include "okno/extract.h"
#include "okno/sandbox.h"
#include "okno/time.h"
#include "okno/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 64, MAX_COUNT = 100000 };
#define WINDOW_US (30 * OKNO_SECOND_US)

struct task {
    const char *data_dir, *camera, *out_dir;
    int64_t first_us, every_us;
    long count;
    bool still;
    struct okno_conf conf;
    atomic_long next;
    atomic_bool failed;
    int64_t *took_us; /* by number of the clip */
};

static int cut(struct task *task, struct okno_work *work, long number, struct okno_err *err)
{
    char path[1200];
    struct okno_work_camera found = {0};
    struct okno_extract_result result = {0};
    int64_t from_us = task->first_us + number * task->every_us;
    int64_t begin_us = okno_time_monotonic();
    (void)snprintf(path, sizeof(path), "%s/cut-%ld.%s", task->out_dir, number,
                   task->still ? "jpg" : "mp4");
    (void)unlink(path);
    int rc = okno_work_camera_at(work, task->camera, from_us, true, &found, &from_us, err);
    if (rc < 0)
        return rc;
    const struct okno_extract_camera view = {.archive = found.archive,
                                             .channel = found.camera.channel,
                                             .index_offset_us = found.offset.offset_us,
                                             .index_dir = okno_work_index_dir(work),
                                             .archive_id = found.camera.archive.archive,
                                             .archive_url = found.camera.archive.url};
    rc = task->still
             ? okno_extract_still(&view, from_us, path, &result, err)
             : okno_extract_clip(&view, from_us, from_us + WINDOW_US, false, path, &result, err);
    okno_extract_result_free(&result);
    (void)unlink(path);
    task->took_us[number] = okno_time_monotonic() - begin_us;
    return rc;
}

static void *run(void *arg)
{
    struct task *task = arg;
    struct okno_err err = {0};
    OKNO_AUTO(okno_work) *work = NULL;
    int rc = okno_work_open(task->data_dir, &task->conf, &work, &err);
    for (long number = 0; rc == 0 && !atomic_load(&task->failed);) {
        number = atomic_fetch_add(&task->next, 1);
        if (number >= task->count)
            break;
        rc = cut(task, work, number, &err);
    }
    if (rc < 0) {
        (void)fprintf(stderr, "clips: %s\n", err.text);
        atomic_store(&task->failed, true);
    }
    return NULL;
}

static int order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int run_all(struct task *task, long threads)
{
    pthread_t ids[MAX_THREADS];
    long made = 0;
    int64_t begin_us = okno_time_monotonic();
    while (made < threads && pthread_create(&ids[made], NULL, run, task) == 0)
        made++;
    for (long i = 0; i < made; i++)
        (void)pthread_join(ids[i], NULL);
    int64_t took_us = okno_time_monotonic() - begin_us;
    if (atomic_load(&task->failed) || made == 0)
        return 1;
    qsort(task->took_us, (size_t)task->count, sizeof(*task->took_us), order);
    long middle = task->count / 2;
    printf("%.4f %.4f\n", (double)took_us / 1e6, (double)task->took_us[middle] / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    struct okno_err err = {0};
    bool still = argc == 9 && strcmp(argv[8], "still") == 0;
    if (argc != 8 && !still) {
        (void)fprintf(stderr,
                      "usage: clips DIR CAMERA FIRST_US EVERY_US COUNT THREADS OUT_DIR [still]\n");
        return 2;
    }
    struct task task = {.data_dir = argv[1],
                        .camera = argv[2],
                        .first_us = strtoll(argv[3], NULL, 10),
                        .every_us = strtoll(argv[4], NULL, 10),
                        .count = strtol(argv[5], NULL, 10),
                        .still = still,
                        .out_dir = argv[7]};
    long threads = strtol(argv[6], NULL, 10);
    if (task.count < 1 || task.count > MAX_COUNT || threads < 1 || threads > MAX_THREADS)
        return 2;
    if (okno_sandbox_start(&err) < 0) {
        (void)fprintf(stderr, "clips: %s\n", err.text);
        return 1;
    }
    okno_conf_defaults(&task.conf);
    task.took_us = calloc((size_t)task.count, sizeof(*task.took_us));
    int status = task.took_us ? run_all(&task, threads) : 1;
    free(task.took_us);
    return status;
}
