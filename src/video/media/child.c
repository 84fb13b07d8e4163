#define _GNU_SOURCE
#include "child.h"

#include "inside.h"
#include "stills.h"
#include "view.h"

#include "okno/mem.h"

#include <string.h>

/* One recording of the job, as the child sees it. */
struct child_source {
    struct okno_source source;
    struct wire_input told;
    uint32_t index;
    const struct media_link *link;
};

static void say(const struct media_link *link, const void *message, size_t len)
{
    if (wire_send(link->job_fd, message, len, 0) < 0)
        _exit(WIRE_EXIT_LOST); /* nobody listens any more */
}

/* Ask for at most WIRE_PAYLOAD bytes; they lie in the memory afterwards. */
static int ask(const struct child_source *from, int64_t offset, size_t len, size_t *ret_got,
               struct okno_err *err)
{
    struct wire_read question = {
        .type = WIRE_READ, .input = from->index, .offset = offset, .len = len};
    struct wire_got answer = {0};
    say(from->link, &question, sizeof(question));
    if (wire_recv(from->link->job_fd, &answer, sizeof(answer), 0) != (ssize_t)sizeof(answer))
        _exit(WIRE_EXIT_LOST);
    if (answer.code < 0)
        return okno_fail(err, answer.code, "%s", answer.text);
    *ret_got = answer.got < len ? (size_t)answer.got : len;
    return 0;
}

static int child_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                      struct okno_err *err)
{
    const struct child_source *from = ctx;
    size_t got = 0;
    size_t part = WIRE_PAYLOAD;
    while (got < len && part == WIRE_PAYLOAD) {
        size_t want = len - got < WIRE_PAYLOAD ? len - got : WIRE_PAYLOAD;
        int rc = ask(from, offset + (int64_t)got, want, &part, err);
        if (rc < 0)
            return rc;
        memcpy((uint8_t *)into + got, from->link->memory, part);
        got += part;
    }
    *ret_got = got;
    return 0;
}

static void say_plan(const struct child_source *source, int64_t from, int64_t to, bool index)
{
    struct wire_plan message = {
        .type = WIRE_PLAN, .input = source->index, .from = from, .to = to, .index = index};
    say(source->link, &message, sizeof(message));
}

static void child_plan(void *ctx, int64_t from, int64_t to)
{
    say_plan(ctx, from, to, false);
}

static void child_plan_index(void *ctx, int64_t from, int64_t to)
{
    say_plan(ctx, from, to, true);
}

/* The recordings of the job: `count` of each, owned by the caller. */
static void take_inputs(const struct media_link *link, size_t count, struct child_source *sources,
                        struct okno_media_input *inputs)
{
    const uint8_t *at = link->memory + sizeof(struct wire_job);
    for (size_t i = 0; i < count; i++, at += sizeof(struct wire_input)) {
        struct child_source *s = &sources[i];
        memcpy(&s->told, at, sizeof(s->told));
        s->index = (uint32_t)i;
        s->link = link;
        s->source = (struct okno_source){.size = s->told.size,
                                         .ctx = s,
                                         .read_at = child_read,
                                         .plan = child_plan,
                                         .plan_index = child_plan_index};
        inputs[i] = (struct okno_media_input){.source = &s->source,
                                              .format = s->told.format,
                                              .from_us = s->told.from_us,
                                              .error_us = s->told.error_us,
                                              .from_zero = s->told.from_zero != 0,
                                              .name = s->told.named ? s->told.name : NULL};
    }
}

/* Jobs on one kept file, with what is asked behind the input. */
static int work_view(const struct media_link *link, const struct wire_job *job,
                     const struct okno_media_input *input, const void *extra,
                     struct okno_media_result *result, struct okno_err *err)
{
    const struct media_view *view = extra;
    switch (job->kind) {
    case WIRE_VIEW:
        return media_view_clip(input, view, link->out_fd, result, err);
    case WIRE_VIEW_STILL:
        return media_view_still(input, view, link->out_fd, result, err);
    case WIRE_SHEET:
        return media_view_sheet(input, view, link->out_fd, result, err);
    case WIRE_LOOK:
        return media_view_look(input, link->out_fd, result, err);
    case WIRE_SERIES:
        return media_view_series(input, view, link->out_fd, result, err);
    default:
        return media_view_measure(input, link->out_fd, result, err);
    }
}

static int work_stills(const struct media_link *link, const struct wire_job *job,
                       const struct okno_media_input *input, const void *extra,
                       struct okno_media_result *result, struct okno_err *err)
{
    const struct media_batch *batch = extra;
    if (job->extra != sizeof(*batch) + batch->count * sizeof(int64_t))
        return okno_fail(err, OKNO_INVALID, "a batch of %u bytes", job->extra);
    return media_stills(input, batch, (const int64_t *)(const void *)(batch + 1), link->out_fd,
                        result, err);
}

static int work(const struct media_link *link, const struct wire_job *job,
                const struct okno_media_input *inputs, const void *extra,
                struct okno_media_result *result, struct okno_media_info *info,
                struct okno_err *err)
{
    switch (job->kind) {
    case WIRE_STILLS:
        return work_stills(link, job, inputs, extra, result, err);
    case WIRE_PROBE:
        return media_probe(inputs[0].source, inputs[0].format, info, err);
    case WIRE_LENGTH:
        return media_length(inputs[0].source, inputs[0].format, info, err);
    case WIRE_CLIP:
        return media_clip(inputs, job->count, job->from_us, job->to_us, job->audio != 0,
                          link->out_fd, result, err);
    case WIRE_STILL:
        return media_still(inputs, job->count, job->from_us, link->out_fd, result, err);
    default:
        return work_view(link, job, inputs, extra, result, err);
    }
}

static void tell_gaps(const struct media_link *link, const struct okno_interval_vec *gaps)
{
    for (size_t i = 0; i < gaps->len; i += WIRE_GAPS) {
        struct wire_gaps message = {.type = WIRE_GAPS_FOUND};
        size_t left = gaps->len - i;
        message.count = left < WIRE_GAPS ? (uint32_t)left : WIRE_GAPS;
        memcpy(message.gaps, gaps->items + i, message.count * sizeof(*gaps->items));
        say(link, &message, sizeof(message));
    }
}

static void answer_result(struct wire_result *to, const struct okno_media_result *from)
{
    *to = (struct wire_result){.got_from_us = from->got_from_us,
                               .got_to_us = from->got_to_us,
                               .first_frame_us = from->first_frame_us,
                               .last_frame_us = from->last_frame_us,
                               .frames = from->frames,
                               .width = from->width,
                               .height = from->height,
                               .audio = from->audio};
    memcpy(to->codec, from->codec, sizeof(to->codec));
}

static void answer_info(struct wire_result *to, const struct okno_media_info *from)
{
    *to = (struct wire_result){.duration_us = from->duration_us,
                               .frame_us = from->frame_us,
                               .width = from->width,
                               .height = from->height,
                               .audio = from->audio};
    memcpy(to->codec, from->codec, sizeof(to->codec));
}

/* Freeing before the end of the process would only cost time. */
void media_child_run(const struct media_link *link)
{
    struct wire_job job;
    struct okno_media_result result = {0};
    struct okno_media_info info = {0};
    struct okno_err err = {0};
    memcpy(&job, link->memory, sizeof(job));
    struct child_source *sources = calloc(job.count + 1, sizeof(*sources));
    struct okno_media_input *inputs = calloc(job.count + 1, sizeof(*inputs));
    void *extra = calloc(1, job.extra + 1);
    int rc = OKNO_NO_MEMORY;
    if (sources && inputs && extra) {
        take_inputs(link, job.count, sources, inputs);
        memcpy(extra, link->memory + sizeof(job) + job.count * sizeof(struct wire_input),
               job.extra);
        rc = work(link, &job, inputs, extra, &result, &info, &err);
    }
    struct wire_done done = {.type = WIRE_DONE, .code = rc};
    memcpy(done.text, err.text, sizeof(done.text));
    if (rc == 0 && wire_only_tells(job.kind))
        answer_info(&done.result, &info);
    else if (rc == 0)
        answer_result(&done.result, &result);
    tell_gaps(link, &result.gaps);
    say(link, &done, sizeof(done));
}
