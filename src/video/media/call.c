/* The calls of media.h: make the file, let a child fill it, believe only what can be. */
#define _GNU_SOURCE
#include "host.h"
#include "job.h"
#include "reader.h"

#include "okno/beside.h"
#include "okno/file.h"
#include "okno/mem.h"
#include "okno/sandbox.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define YEAR_US (INT64_C(366) * OKNO_DAY_US)

/* A recording is within a century of what was asked of it. */
#define FAR_US (100 * YEAR_US)

int okno_sandbox_start(struct okno_err *err)
{
    static char program[PATH_MAX];
    /* 1 GiB is a 4K decoder with all its reference pictures, a GOP held back and a long index. */
    const struct media_setup setup = {
        .program = program,
        .limits = {.memory_bytes = INT64_C(1) << 30,
                   .cpu_s = 120,
                   .wall_us = 300 * OKNO_SECOND_US,
                   .output_bytes = INT64_C(16) << 30,
                   .requests = 1 << 18,
                   .read_bytes = INT64_C(64) << 30},
    };
    int rc = okno_beside("okno-media", program, sizeof(program), err);
    return rc < 0 ? rc : media_host_start(&setup, err);
}

static bool is_near(int64_t at_us, int64_t asked_us)
{
    int64_t off = 0;
    return !__builtin_sub_overflow(at_us, asked_us, &off) && off > -FAR_US && off < FAR_US;
}

static bool is_picture(const struct wire_result *r, int most)
{
    return r->width > 0 && r->height > 0 && r->width <= most && r->height <= most &&
           r->audio <= 1 && r->codec[0];
}

static int check_info(const struct wire_job *job, const struct okno_media_input *input,
                      const struct wire_result *r, struct okno_err *err)
{
    if (r->duration_us <= 0 || r->duration_us > FAR_US)
        return media_job_disbelieve(job, input, "length", err);
    if (r->frame_us < 0 || r->frame_us > FAR_US)
        return media_job_disbelieve(job, input, "frame interval", err);
    return is_picture(r, MEDIA_MAX_SIDE) ? 0 : media_job_disbelieve(job, input, "picture", err);
}

int okno_media_probe(struct okno_source *source, const char *format,
                     struct okno_media_info *ret_info, struct okno_err *err)
{
    const struct okno_media_input input = {.source = source, .format = format};
    const struct wire_job job = {.kind = WIRE_PROBE, .count = 1};
    struct job_answer answer = {0};
    int rc = media_job_run(&job, &input, NULL, -1, &answer, err);
    if (rc == 0)
        rc = check_info(&job, &input, &answer.result, err);
    okno_interval_vec_free(&answer.gaps);
    if (rc < 0)
        return rc;
    struct okno_media_info info = {.duration_us = answer.result.duration_us,
                                   .frame_us = answer.result.frame_us,
                                   .width = answer.result.width,
                                   .height = answer.result.height,
                                   .audio = answer.result.audio};
    memcpy(info.codec, answer.result.codec, sizeof(info.codec));
    *ret_info = info;
    return 0;
}

int okno_media_length(struct okno_source *source, const char *format, int64_t *ret_us,
                      struct okno_err *err)
{
    const struct okno_media_input input = {.source = source, .format = format, .name = "the file"};
    const struct wire_job job = {.kind = WIRE_LENGTH, .count = 1};
    struct job_answer answer = {0};
    int rc = media_job_run(&job, &input, NULL, -1, &answer, err);
    okno_interval_vec_free(&answer.gaps);
    if (rc == 0 && (answer.result.duration_us <= 0 || answer.result.duration_us > FAR_US))
        rc = media_job_disbelieve(&job, &input, "length", err);
    if (rc == 0)
        *ret_us = answer.result.duration_us;
    return rc;
}

static bool are_gaps(const struct wire_job *job, const struct okno_interval_vec *gaps)
{
    int64_t at = job->from_us;
    for (size_t i = 0; i < gaps->len; i++) {
        const struct okno_interval *gap = &gaps->items[i];
        if (gap->from_us < at || gap->to_us <= gap->from_us || gap->to_us > job->to_us)
            return false;
        at = gap->to_us;
    }
    return true;
}

static int check_result(const struct wire_job *job, const struct okno_media_input *inputs,
                        const struct job_answer *answer, struct okno_err *err)
{
    const struct wire_result *r = &answer->result;
    bool still = job->kind == WIRE_STILL;
    bool order = is_near(r->got_from_us, job->from_us) && is_near(r->got_to_us, job->to_us) &&
                 r->got_from_us == r->first_frame_us && r->first_frame_us <= r->last_frame_us &&
                 r->last_frame_us <= r->got_to_us && r->first_frame_us <= job->to_us;
    if (!order || (still && r->first_frame_us != r->last_frame_us))
        return media_job_disbelieve(job, inputs, "time", err);
    if (r->frames < 1 || r->frames > (still ? 1 : MEDIA_MAX_FRAMES))
        return media_job_disbelieve(job, inputs, "number of frames", err);
    /* A still's pixels are made square. */
    if (!is_picture(r, still ? 2 * MEDIA_MAX_SIDE : MEDIA_MAX_SIDE) || (still && r->audio))
        return media_job_disbelieve(job, inputs, "picture", err);
    return are_gaps(job, &answer->gaps) ? 0 : media_job_disbelieve(job, inputs, "gap", err);
}

static void take_result(struct job_answer *answer, struct okno_media_result *ret_result)
{
    const struct wire_result *r = &answer->result;
    *ret_result = (struct okno_media_result){.got_from_us = r->got_from_us,
                                             .got_to_us = r->got_to_us,
                                             .first_frame_us = r->first_frame_us,
                                             .last_frame_us = r->last_frame_us,
                                             .frames = r->frames,
                                             .width = r->width,
                                             .height = r->height,
                                             .audio = r->audio,
                                             .gaps = answer->gaps};
    memcpy(ret_result->codec, r->codec, sizeof(ret_result->codec));
    answer->gaps = (struct okno_interval_vec){0};
}

static int run(const struct wire_job *job, const struct okno_media_input *inputs, int fd,
               struct okno_media_result *ret_result, struct okno_err *err)
{
    struct job_answer answer = {0};
    int rc = media_job_run(job, inputs, NULL, fd, &answer, err);
    if (rc == 0)
        rc = check_result(job, inputs, &answer, err);
    if (rc == 0)
        take_result(&answer, ret_result);
    okno_interval_vec_free(&answer.gaps);
    return rc;
}

static int copy(int from, int to, struct okno_err *err)
{
    off_t at = 0;
    off_t size = lseek(from, 0, SEEK_END);
    while (at < size) {
        ssize_t put = sendfile(to, from, &at, (size_t)(size - at));
        if (put <= 0 && errno != EINTR)
            return okno_fail_errno(err, errno, "cannot write the still");
    }
    return 0;
}

/* A picture is small: the child makes it in memory, which media_job_run seals, and so nobody waits
 * until the child is gone. */
static int run_still(const struct wire_job *job, const struct okno_media_input *inputs, int fd,
                     struct okno_media_result *ret_result, struct okno_err *err)
{
    okno_autoclose int picture = memfd_create("okno-still", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (picture < 0)
        return okno_fail_errno(err, errno, "no memory for a picture");
    int rc = run(job, inputs, picture, ret_result, err);
    if (rc < 0)
        return rc;
    if (lseek(picture, 0, SEEK_END) <= 0)
        return media_job_disbelieve(job, inputs, "file", err);
    return copy(picture, fd, err);
}

/* A clip or a still into a new file, which is gone again after a failure. */
static int call(const struct wire_job *job, const struct okno_media_input *inputs,
                const char *out_path, struct okno_media_result *ret_result, struct okno_err *err)
{
    okno_autoclose int fd = -1;
    struct okno_media_result result = {0};
    int rc = okno_file_begin(out_path, 0600, &fd, err);
    if (rc < 0)
        return rc;
    rc = job->kind == WIRE_STILL ? run_still(job, inputs, fd, &result, err)
                                 : run(job, inputs, fd, &result, err);
    if (rc == 0)
        rc = okno_file_keep(out_path, fd, err);
    if (rc < 0) {
        okno_file_drop(out_path, fd);
        okno_media_result_free(&result);
        return rc;
    }
    *ret_result = result;
    return 0;
}

/* What can be said about a clip before reading anything. */
static int check_clip(const struct okno_media_input *inputs, size_t count, int64_t from_us,
                      int64_t to_us, struct okno_err *err)
{
    if (count > MEDIA_MAX_INPUTS)
        return okno_fail(err, OKNO_TOO_LARGE, "%zu recordings in one clip; at most %d", count,
                         MEDIA_MAX_INPUTS);
    if (from_us >= to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the interval ends before it begins");
    if (to_us - from_us > OKNO_MEDIA_MAX_US)
        return okno_fail_field(err, OKNO_TOO_LARGE, "to", "a clip of %lld s; at most %lld s",
                               (long long)((to_us - from_us) / 1000000),
                               (long long)(OKNO_MEDIA_MAX_US / 1000000));
    for (size_t i = 1; i < count; i++)
        if (inputs[i].from_us < inputs[i - 1].from_us)
            return okno_fail(err, OKNO_INVALID, "recordings out of order of time");
    return 0;
}

int okno_media_clip(const struct okno_media_input *inputs, size_t count, int64_t from_us,
                    int64_t to_us, bool audio, const char *out_path,
                    struct okno_media_result *ret_result, struct okno_err *err)
{
    int rc = check_clip(inputs, count, from_us, to_us, err);
    if (rc < 0)
        return rc;
    const struct wire_job job = {.kind = WIRE_CLIP,
                                 .count = (uint32_t)count,
                                 .from_us = from_us,
                                 .to_us = to_us,
                                 .audio = audio};
    return call(&job, inputs, out_path, ret_result, err);
}

int okno_media_still(const struct okno_media_input *inputs, size_t count, int64_t at_us,
                     const char *out_path, struct okno_media_result *ret_result,
                     struct okno_err *err)
{
    if (count > MEDIA_MAX_INPUTS)
        return okno_fail(err, OKNO_TOO_LARGE, "%zu recordings for one still; at most %d", count,
                         MEDIA_MAX_INPUTS);
    const struct wire_job job = {
        .kind = WIRE_STILL, .count = (uint32_t)count, .from_us = at_us, .to_us = at_us};
    return call(&job, inputs, out_path, ret_result, err);
}
