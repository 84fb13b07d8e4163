/* The calls of okno/view.h, and many stills at once, from the caller's side. */
#define _GNU_SOURCE
#include "io.h"
#include "job.h"
#include "reader.h"
#include "stills.h"
#include "view.h"

#include "okno/file.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void okno_look_free(struct okno_look *look)
{
    okno_look_frame_vec_free(&look->frames);
    okno_look_picture_vec_free(&look->pictures);
    *look = (struct okno_look){0};
}

static int memory_new(int *ret_fd, struct okno_err *err)
{
    int fd = memfd_create("okno-view", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return okno_fail_errno(err, errno, "no memory for a picture");
    *ret_fd = fd;
    return 0;
}

/* What the child wrote, `size` bytes at `at`. Nobody changes it any more. */
static int take(int fd, void *into, size_t size, off_t at, const struct wire_job *job,
                const struct okno_media_input *inputs, struct okno_err *err)
{
    if (pread(fd, into, size, at) != (ssize_t)size)
        return media_job_disbelieve(job, inputs, "answer", err);
    return 0;
}

static bool is_result(const struct wire_result *r)
{
    return r->frames > 0 && r->frames <= MEDIA_MAX_FRAMES && r->width > 0 && r->height > 0 &&
           r->codec[0];
}

/* Run a job on one kept file. */
static int run(uint32_t kind, struct okno_source *source, const char *format,
               const struct media_view *view, int fd, struct job_answer *ret_answer,
               struct okno_err *err)
{
    const struct okno_media_input input = {.source = source, .format = format, .name = "evidence"};
    const struct wire_job job = {
        .kind = kind, .count = 1, .extra = view ? (uint32_t)sizeof(*view) : 0};
    int rc = media_job_run(&job, &input, view, fd, ret_answer, err);
    if (rc == 0 && !is_result(&ret_answer->result))
        rc = media_job_disbelieve(&job, &input, "picture", err);
    okno_interval_vec_free(&ret_answer->gaps);
    return rc;
}

/* --- looking ---------------------------------------------------------------------------------- */

static const struct wire_job look_job = {.kind = WIRE_LOOK, .count = 1};
static const struct okno_media_input look_input = {.format = "mov", .name = "evidence"};

static bool is_in_order(const struct okno_look *look)
{
    for (size_t i = 1; i < look->frames.len; i++)
        if (look->frames.items[i].at_us < look->frames.items[i - 1].at_us)
            return false;
    for (size_t i = 1; i < look->pictures.len; i++)
        if (look->pictures.items[i].at_us < look->pictures.items[i - 1].at_us)
            return false;
    const struct okno_look_frame_vec *frames = &look->frames;
    return frames->items[0].at_us >= 0 &&
           frames->items[frames->len - 1].at_us <= 2 * OKNO_MEDIA_MAX_US;
}

static int look_take(int fd, struct okno_look *look, struct okno_err *err)
{
    struct media_looked head = {0};
    int rc = take(fd, &head, sizeof(head), 0, &look_job, &look_input, err);
    if (rc < 0)
        return rc;
    if (head.frames < 1 || head.frames > MEDIA_MAX_FRAMES || head.pictures > head.frames ||
        head.pictures > 4096)
        return media_job_disbelieve(&look_job, &look_input, "number of frames", err);
    look->frames.items = calloc(head.frames, sizeof(*look->frames.items));
    look->frames.cap = look->frames.items ? head.frames : 0;
    look->pictures.items = calloc(head.pictures + 1, sizeof(*look->pictures.items));
    look->pictures.cap = look->pictures.items ? head.pictures + 1 : 0;
    if (!look->frames.items || !look->pictures.items)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of frames");
    size_t size = head.frames * sizeof(*look->frames.items);
    rc = take(fd, look->frames.items, size, sizeof(head), &look_job, &look_input, err);
    if (rc == 0)
        rc = take(fd, look->pictures.items, head.pictures * sizeof(*look->pictures.items),
                  (off_t)(sizeof(head) + size), &look_job, &look_input, err);
    look->frames.len = rc == 0 ? head.frames : 0;
    look->pictures.len = rc == 0 ? head.pictures : 0;
    return rc == 0 && !is_in_order(look) ? media_job_disbelieve(&look_job, &look_input, "time", err)
                                         : rc;
}

int okno_view_look(struct okno_source *clip, struct okno_look *ret_look, struct okno_err *err)
{
    okno_autoclose int fd = -1;
    struct job_answer answer = {0};
    struct okno_look look = {0};
    int rc = memory_new(&fd, err);
    if (rc == 0)
        rc = run(WIRE_LOOK, clip, "mov", NULL, fd, &answer, err);
    if (rc == 0)
        rc = look_take(fd, &look, err);
    if (rc < 0) {
        okno_look_free(&look);
        return rc;
    }
    look.width = answer.result.width;
    look.height = answer.result.height;
    memcpy(look.codec, answer.result.codec, sizeof(look.codec));
    *ret_look = look;
    return 0;
}

int okno_view_measure(struct okno_source *still, struct okno_picture *ret_picture,
                      struct okno_err *err)
{
    okno_autoclose int fd = -1;
    struct job_answer answer = {0};
    struct okno_picture picture = {0};
    const struct wire_job job = {.kind = WIRE_MEASURE, .count = 1};
    int rc = memory_new(&fd, err);
    if (rc == 0)
        rc = run(WIRE_MEASURE, still, "mjpeg", NULL, fd, &answer, err);
    if (rc == 0)
        rc = take(fd, &picture, sizeof(picture), 0, &job, &look_input, err);
    if (rc == 0)
        *ret_picture = picture;
    return rc;
}

/* --- series ----------------------------------------------------------------------------------- */

void okno_series_free(struct okno_series *series)
{
    free(series->at_us);
    free(series->values);
    *series = (struct okno_series){0};
}

static bool is_area(const struct okno_series_area *area)
{
    return area->left < area->right && area->top < area->bottom && area->right <= OKNO_VIEW_SCALE &&
           area->bottom <= OKNO_VIEW_SCALE && area->columns >= 1 &&
           area->columns <= OKNO_PICTURE_COLUMNS && area->rows >= 1 &&
           area->rows <= OKNO_PICTURE_ROWS;
}

/* The records that the child wrote, one after the other, times in order. */
static int series_take(int fd, const struct wire_job *job, struct okno_series *series,
                       struct okno_err *err)
{
    size_t values = series->cells * OKNO_SERIES_PLANES;
    size_t record = (sizeof(int64_t) + values * sizeof(uint16_t) + 7) & ~(size_t)7;
    if (lseek(fd, 0, SEEK_END) != (off_t)(series->frames * record))
        return media_job_disbelieve(job, &look_input, "series", err);
    series->at_us = calloc(series->frames, sizeof(*series->at_us));
    series->values = calloc(series->frames * values, sizeof(*series->values));
    if (!series->at_us || !series->values)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a series of pictures");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < series->frames; i++) {
        off_t at = (off_t)(i * record);
        rc = take(fd, &series->at_us[i], sizeof(int64_t), at, job, &look_input, err);
        if (rc == 0)
            rc = take(fd, series->values + i * values, values * sizeof(uint16_t),
                      at + (off_t)sizeof(int64_t), job, &look_input, err);
        bool wild = rc == 0 && (series->at_us[i] < 0 || series->at_us[i] > 2 * OKNO_MEDIA_MAX_US ||
                                (i > 0 && series->at_us[i] <= series->at_us[i - 1]));
        if (wild)
            rc = media_job_disbelieve(job, &look_input, "time", err);
    }
    return rc;
}

int okno_view_series(struct okno_source *clip, const struct okno_series_area *area,
                     struct okno_series *ret_series, struct okno_err *err)
{
    static const struct wire_job series_job = {.kind = WIRE_SERIES, .count = 1};
    const struct media_view view = {.area = *area};
    struct job_answer answer = {0};
    OKNO_AUTO_SERIES series = {.cells = (size_t)area->columns * area->rows};
    okno_autoclose int fd = -1;
    if (!is_area(area))
        return okno_fail(err, OKNO_INVALID,
                         "an area of %u..%u x %u..%u in %u x %u cells; parts of %d, at most %d x "
                         "%d cells",
                         area->left, area->right, area->top, area->bottom, area->columns,
                         area->rows, OKNO_VIEW_SCALE, OKNO_PICTURE_COLUMNS, OKNO_PICTURE_ROWS);
    int rc = memory_new(&fd, err);
    if (rc == 0)
        rc = run(WIRE_SERIES, clip, "mov", &view, fd, &answer, err);
    if (rc == 0 && answer.result.frames > OKNO_SERIES_FRAMES)
        rc = media_job_disbelieve(&series_job, &look_input, "number of pictures", err);
    if (rc == 0) {
        series.frames = (size_t)answer.result.frames;
        rc = series_take(fd, &series_job, &series, err);
    }
    if (rc < 0)
        return rc;
    *ret_series = series;
    series = (struct okno_series){0};
    return 0;
}

/* --- making ----------------------------------------------------------------------------------- */

static int view_check(const struct media_view *view, struct okno_err *err)
{
    if (view->masks.count > OKNO_VIEW_MASKS)
        return okno_fail(err, OKNO_TOO_LARGE, "%u masks; at most %d", view->masks.count,
                         OKNO_VIEW_MASKS);
    for (uint32_t i = 0; i < view->masks.count; i++)
        if (view->masks.items[i].corners < 3 || view->masks.items[i].corners > OKNO_VIEW_CORNERS)
            return okno_fail(err, OKNO_INVALID, "a mask of %u corners; from 3 to %d",
                             view->masks.items[i].corners, OKNO_VIEW_CORNERS);
    return 0;
}

/* The file's bytes, out of sealed memory. */
static int save(int from, int to, struct okno_err *err)
{
    char block[65536];
    off_t at = 0;
    for (ssize_t got; (got = pread(from, block, sizeof(block), at)) != 0; at += got) {
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read a picture");
        for (ssize_t put, done = 0; done < got; done += put)
            if ((put = write(to, block + done, (size_t)(got - done))) < 0)
                return okno_fail_errno(err, errno, "cannot write a picture");
    }
    return fsync(to) < 0 ? okno_fail_errno(err, errno, "cannot write a picture") : 0;
}

static int make(uint32_t kind, struct okno_source *source, const char *format,
                const struct media_view *view, const char *out_path, struct okno_err *err)
{
    okno_autoclose int fd = -1;
    okno_autoclose int memory = -1;
    struct job_answer answer = {0};
    int rc = view_check(view, err);
    if (rc == 0 && wire_writes_memory(kind))
        rc = memory_new(&memory, err);
    if (rc == 0)
        rc = okno_file_begin(out_path, 0600, &fd, err);
    if (rc < 0)
        return rc;
    rc = run(kind, source, format, view, memory >= 0 ? memory : fd, &answer, err);
    if (rc == 0 && memory >= 0)
        rc = save(memory, fd, err);
    if (rc == 0)
        rc = okno_file_keep(out_path, fd, err);
    if (rc < 0)
        okno_file_drop(out_path, fd);
    return rc;
}

int okno_view_clip(struct okno_source *clip, const struct okno_view_masks *masks,
                   const struct okno_view_text *text, const char *out_path, struct okno_err *err)
{
    struct media_view view = {.masks = *masks, .has_text = text != NULL};
    if (text)
        view.text = *text;
    return make(WIRE_VIEW, clip, "mov", &view, out_path, err);
}

int okno_view_preview(struct okno_source *clip, const struct okno_view_masks *masks,
                      const char *out_path, struct okno_err *err)
{
    const struct media_view view = {.masks = *masks, .preview = 1};
    return make(WIRE_VIEW, clip, "mov", &view, out_path, err);
}

int okno_view_still(struct okno_source *still, const struct okno_view_masks *masks, int max_width,
                    const char *out_path, struct okno_err *err)
{
    const struct media_view view = {.masks = *masks, .max_width = max_width};
    return make(WIRE_VIEW_STILL, still, "mjpeg", &view, out_path, err);
}

int okno_view_sheet(struct okno_source *clip, const struct okno_sheet *sheet,
                    const struct okno_view_masks *masks, const char *out_path, struct okno_err *err)
{
    const struct media_view view = {.masks = *masks, .sheet = *sheet};
    if (sheet->count < 1 || sheet->count > OKNO_SHEET_MAX || sheet->width < 32 ||
        sheet->width > 640 || sheet->width % 2 || sheet->step_us < 0)
        return okno_fail(err, OKNO_INVALID,
                         "a sheet of %u pictures of %u pixels; 1 to %d, 32 to 640 and even",
                         sheet->count, sheet->width, OKNO_SHEET_MAX);
    return make(WIRE_SHEET, clip, "mov", &view, out_path, err);
}

/* --- many stills ------------------------------------------------------------------------------ */

static bool is_shot(const struct media_shot *shot, int64_t at_us, int64_t left)
{
    int64_t age = at_us - shot->frame_at_us;
    return shot->code < 0 || (shot->code == 0 && shot->len > 0 && (int64_t)shot->len <= left &&
                              shot->width > 0 && shot->height > 0 && shot->frame_us >= 0 &&
                              shot->frame_us < 100 * OKNO_DAY_US && age >= 0 && age <= OKNO_DAY_US);
}

static int shots_take(int fd, const struct wire_job *job, const struct okno_media_input *input,
                      const int64_t *moments, uint32_t count, const char *codec,
                      okno_media_shot_take *give, void *ctx, struct okno_err *err)
{
    off_t end = lseek(fd, 0, SEEK_END);
    off_t at = 0;
    okno_autofree uint8_t *bytes = NULL;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        struct media_shot shot = {0};
        rc = take(fd, &shot, sizeof(shot), at, job, input, err);
        at += (off_t)sizeof(shot);
        if (rc == 0 && !is_shot(&shot, moments[i], end - at))
            rc = media_job_disbelieve(job, input, "still", err);
        if (rc < 0 || shot.code < 0)
            continue;
        uint8_t *more = realloc(bytes, shot.len);
        bytes = more ? more : bytes;
        rc = more ? take(fd, bytes, shot.len, at, job, input, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory for a still");
        at += (off_t)shot.len;
        struct okno_media_result result = {.got_from_us = shot.frame_at_us,
                                           .got_to_us = shot.frame_at_us + shot.frame_us,
                                           .first_frame_us = shot.frame_at_us,
                                           .last_frame_us = shot.frame_at_us,
                                           .frames = 1,
                                           .width = shot.width,
                                           .height = shot.height};
        (void)snprintf(result.codec, sizeof(result.codec), "%s", codec);
        if (rc == 0)
            rc = give(ctx, i, &result, &shot.picture, bytes, shot.len, err);
    }
    return rc;
}

int okno_media_stills(const struct okno_media_input *inputs, size_t count, size_t which,
                      const int64_t *moments, uint32_t moment_count, int max_width,
                      okno_media_shot_take *give, void *ctx, struct okno_err *err)
{
    if (which >= count || moment_count < 1 || moment_count > MEDIA_BATCH)
        return okno_fail(err, OKNO_TOO_LARGE, "%u stills at once; from 1 to %d", moment_count,
                         MEDIA_BATCH);
    struct {
        struct media_batch batch;
        int64_t moments[MEDIA_BATCH];
    } extra = {.batch = {.next_from_us = INT64_MAX, .max_width = max_width, .count = moment_count}};
    if (which + 1 < count) {
        extra.batch.next_from_us = inputs[which + 1].from_us;
        extra.batch.next_error_us = inputs[which + 1].error_us;
    }
    memcpy(extra.moments, moments, moment_count * sizeof(*moments));
    const struct wire_job job = {
        .kind = WIRE_STILLS,
        .count = 1,
        .extra = (uint32_t)(sizeof(extra.batch) + moment_count * sizeof(*moments))};
    okno_autoclose int fd = -1;
    struct job_answer answer = {0};
    int rc = memory_new(&fd, err);
    if (rc == 0)
        rc = media_job_run(&job, &inputs[which], &extra, fd, &answer, err);
    okno_interval_vec_free(&answer.gaps);
    if (rc == 0 && !is_result(&answer.result))
        rc = media_job_disbelieve(&job, &inputs[which], "picture", err);
    return rc < 0 ? rc
                  : shots_take(fd, &job, &inputs[which], moments, moment_count, answer.result.codec,
                               give, ctx, err);
}
