#define _GNU_SOURCE
#include "job.h"

#include "host.h"
#include "reader.h"

#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A clip of an hour has at most a gap a second, and one at each border. */
enum { MAX_GAPS = 3600 + 2 * MEDIA_MAX_INPUTS + 2 };

/* A child that has answered has only to leave. */
#define LEAVE_US (10 * OKNO_SECOND_US)

enum { SEAL_TRIES = 20 };

/* Whoever kills the host (the kernel when memory is short, say) may do it again. */
enum { HOST_TRIES = 5 };

/* Not an error code: the host is gone, another one will do the job. */
enum { HOST_LOST = 1 };

struct job {
    const struct wire_job *what;
    const struct okno_media_input *inputs;
    const void *extra; /* what->extra bytes */
    struct media_limits limits;
    int fd;          /* to the child; owned */
    int status_fd;   /* to the host; owned */
    int memory_fd;   /* owned */
    uint8_t *memory; /* WIRE_PAYLOAD bytes or more, ours to write and the child's to read; owned */
    size_t memory_len;
    int64_t requests, read_bytes, left_us;
    uint32_t last_input; /* read from last: the one to name */
    int source_code;     /* of the first read that failed; 0: none */
    int64_t retry_us;    /* that it asked to wait */
    bool done;
    struct wire_done answer;
    struct okno_interval_vec gaps; /* owned */
    char broke[160];               /* the rule that the child broke; empty: none */
};

static const char *job_name(const struct job *job)
{
    const char *name = job->what->count > 0 ? job->inputs[job->last_input].name : NULL;
    return name ? name : "the recording";
}

static int64_t job_size(const struct job *job)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < job->what->count; i++)
        if (job->inputs[i].source->size > 0 &&
            __builtin_add_overflow(sum, job->inputs[i].source->size, &sum))
            return INT64_MAX / 16;
    return sum < INT64_MAX / 16 ? sum : INT64_MAX / 16;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A clip holds no more than its recordings and an index; jumping back and forth in a recording
 * without one reads parts of it again. */
static struct media_limits job_limits(const struct job *job)
{
    struct media_limits most = media_host_limits();
    int64_t size = job_size(job);
    int64_t slack = 256 * 1024 * 1024;
    most.output_bytes =
        smaller(most.output_bytes, wire_writes_file(job->what->kind) ? 2 * size + slack : slack);
    most.read_bytes = smaller(most.read_bytes, 8 * size + slack);
    return most;
}

/* --- what the child is given ------------------------------------------------------------------ */

static void job_describe(const struct job *job)
{
    uint8_t *at = job->memory;
    memcpy(at, job->what, sizeof(*job->what));
    at += sizeof(*job->what);
    for (uint32_t i = 0; i < job->what->count; i++, at += sizeof(struct wire_input)) {
        const struct okno_media_input *from = &job->inputs[i];
        struct wire_input told = {.size = from->source->size,
                                  .from_us = from->from_us,
                                  .error_us = from->error_us,
                                  .named = from->name != NULL,
                                  .from_zero = from->from_zero};
        (void)snprintf(told.format, sizeof(told.format), "%s", from->format);
        (void)snprintf(told.name, sizeof(told.name), "%s", from->name ? from->name : "");
        memcpy(at, &told, sizeof(told));
    }
    if (job->what->extra > 0)
        memcpy(at, job->extra, job->what->extra);
}

/* Memory that we write and the child can only read: our mapping is older than the seal. */
static int memory_make(struct job *job, struct okno_err *err)
{
    size_t need =
        sizeof(struct wire_job) + job->what->count * sizeof(struct wire_input) + job->what->extra;
    job->memory_len = need > WIRE_PAYLOAD ? need : WIRE_PAYLOAD;
    job->memory_fd = memfd_create("okno-media", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (job->memory_fd < 0 || ftruncate(job->memory_fd, (off_t)job->memory_len) < 0)
        return okno_fail_errno(err, errno, "no memory to read a recording");
    void *at = mmap(NULL, job->memory_len, PROT_READ | PROT_WRITE, MAP_SHARED, job->memory_fd, 0);
    if (at == MAP_FAILED)
        return okno_fail_errno(err, errno, "no memory to read a recording");
    job->memory = at;
    if (fcntl(job->memory_fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
        return okno_fail_errno(err, errno, "cannot share memory");
    job_describe(job);
    return 0;
}

static int job_start(struct job *job, int out_fd, struct okno_err *err)
{
    int pair[2];
    int status[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return okno_fail_errno(err, errno, "cannot read a recording");
    okno_autoclose int theirs = pair[1];
    job->fd = pair[0];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, status) < 0)
        return okno_fail_errno(err, errno, "cannot read a recording");
    okno_autoclose int hosts = status[1];
    job->status_fd = status[0];
    int rc = memory_make(job, err);
    int fds[WIRE_FDS];
    size_t count = 0;
    fds[count++] = theirs;
    fds[count++] = job->memory_fd;
    if (out_fd >= 0)
        fds[count++] = out_fd;
    fds[count++] = hosts;
    return rc < 0 ? rc : media_host_spawn(&job->limits, fds, count, err);
}

static void job_clear(struct job *job)
{
    if (job->memory)
        (void)munmap(job->memory, job->memory_len);
    okno_mem_close_at(&job->memory_fd);
    okno_mem_close_at(&job->fd);
    okno_mem_close_at(&job->status_fd);
    okno_interval_vec_free(&job->gaps);
}

/* --- what the child says ---------------------------------------------------------------------- */

OKNO_PRINTF(2, 3)
static void breaks(struct job *job, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!job->broke[0])
        (void)vsnprintf(job->broke, sizeof(job->broke), fmt, args);
    va_end(args);
}

static void check_read(struct job *job, const struct wire_read *read)
{
    int64_t size = read->input < job->what->count ? job->inputs[read->input].source->size : 0;
    if (read->input >= job->what->count)
        breaks(job, "asked for recording %u of %u", read->input, job->what->count);
    else if (read->len == 0 || read->len > WIRE_PAYLOAD)
        breaks(job, "asked for %llu bytes at once", (unsigned long long)read->len);
    else if (read->offset < 0 || read->offset >= size)
        breaks(job, "asked for byte %lld of %lld", (long long)read->offset, (long long)size);
    else if (++job->requests > job->limits.requests)
        breaks(job, "asked more than %lld times", (long long)job->limits.requests);
    else if ((job->read_bytes += (int64_t)read->len) > job->limits.read_bytes)
        breaks(job, "asked for more than %lld bytes", (long long)job->limits.read_bytes);
}

/* Answer from the source. A read that reaches over the end is shortened as a source would. */
static void on_read(struct job *job, const struct wire_read *read)
{
    struct wire_got answer = {.type = WIRE_GOT};
    struct okno_err trouble = {0};
    size_t got = 0;
    check_read(job, read);
    if (job->broke[0])
        return;
    job->last_input = read->input;
    struct okno_source *source = job->inputs[read->input].source;
    int64_t left = source->size - read->offset;
    size_t len = left < (int64_t)read->len ? (size_t)left : (size_t)read->len;
    int rc = source->read_at(source->ctx, read->offset, job->memory, len, &got, &trouble);
    if (rc < 0) {
        answer.code = rc;
        if (!job->source_code)
            job->retry_us = trouble.retry_us;
        job->source_code = job->source_code ? job->source_code : rc;
        (void)snprintf(answer.text, sizeof(answer.text), "%s", trouble.text);
    }
    answer.got = got < len ? got : len;
    if (wire_send(job->fd, &answer, sizeof(answer), MSG_DONTWAIT) < 0 && errno == EAGAIN)
        breaks(job, "does not take its answers");
}

static void on_plan(struct job *job, const struct wire_plan *plan)
{
    int64_t size = plan->input < job->what->count ? job->inputs[plan->input].source->size : -1;
    if (plan->from < 0 || plan->to <= plan->from || plan->to > size)
        breaks(job, "plans to read what is not there");
    else if (++job->requests > job->limits.requests)
        breaks(job, "asked more than %lld times", (long long)job->limits.requests);
    if (job->broke[0])
        return;
    struct okno_source *source = job->inputs[plan->input].source;
    if (plan->index)
        okno_source_plan_index(source, plan->from, plan->to);
    else if (source->plan)
        source->plan(source->ctx, plan->from, plan->to);
}

static void on_gaps(struct job *job, const struct wire_gaps *gaps)
{
    if (gaps->count > WIRE_GAPS || job->gaps.len + gaps->count > MAX_GAPS) {
        breaks(job, "sent too many gaps");
        return;
    }
    for (uint32_t i = 0; i < gaps->count; i++)
        if (okno_interval_vec_push(&job->gaps, gaps->gaps[i]) < 0)
            breaks(job, "sent more gaps than there is memory for");
}

static void on_message(struct job *job, const union wire_said *said, size_t len)
{
    if (len == sizeof(said->read) && said->type == WIRE_READ) {
        on_read(job, &said->read);
    } else if (len == sizeof(said->plan) && said->type == WIRE_PLAN) {
        on_plan(job, &said->plan);
    } else if (len == sizeof(said->gaps) && said->type == WIRE_GAPS_FOUND) {
        on_gaps(job, &said->gaps);
    } else if (len == sizeof(said->done) && said->type == WIRE_DONE) {
        job->answer = said->done;
        job->done = true;
    } else {
        breaks(job, "sent %zu bytes that are no message", len);
    }
}

/* Wait for the socket; takes the time from what is left. False when nothing came in time. */
static bool job_wait(int fd, int64_t *left_us)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int rc = 0;
    do {
        int64_t begin = okno_time_monotonic();
        rc = poll(&wait, 1, *left_us > 0 ? (int)((*left_us + 999) / 1000) : 0);
        *left_us -= okno_time_monotonic() - begin;
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}

/* While the child works, the recording comes on. Which one is sure once it was read from, and
 * before that where there is but one or a clip begins with the first. */
static void job_await(struct job *job)
{
    uint32_t kind = job->what->kind;
    bool sure = job->requests > 0 || job->what->count == 1 || kind == WIRE_CLIP;
    struct okno_source *source =
        sure && job->what->count > 0 ? job->inputs[job->last_input].source : NULL;
    int64_t begin = okno_time_monotonic();
    if (source && source->await && job->left_us > 0)
        source->await(source->ctx, job->fd, job->left_us);
    job->left_us -= okno_time_monotonic() - begin;
}

/* Serve the child until it has answered, is gone or broke a rule. */
static void job_serve(struct job *job)
{
    while (!job->done && !job->broke[0]) {
        union wire_said said;
        job_await(job);
        if (!job_wait(job->fd, &job->left_us)) {
            breaks(job, "did not finish within %lld ms", (long long)(job->limits.wall_us / 1000));
            return;
        }
        ssize_t len = wire_recv(job->fd, &said, sizeof(said), MSG_DONTWAIT);
        if (len == 0 || (len < 0 && errno != EAGAIN))
            return;
        if (len > 0)
            on_message(job, &said, (size_t)len);
    }
}

/* --- how it ended ----------------------------------------------------------------------------- */

/* A child that writes straight into the caller's file must be gone before anybody trusts the file.
 * A well-behaved one with other work is left to the host, which kills what lingers once our side of
 * the status socket is closed, and waits for it. */
static bool job_must_end(const struct job *job)
{
    return wire_writes_file(job->what->kind) || !job->done || job->broke[0];
}

/* 1 with how the child ended, 0 when the host is gone. */
static int job_end(struct job *job, struct wire_end *ret_end)
{
    int64_t left_us = smaller(LEAVE_US, job->limits.wall_us);
    if (!job_must_end(job))
        return 1;
    if (!job->broke[0] && !job_wait(job->status_fd, &left_us))
        breaks(job, "did not end after its answer");
    if (job->broke[0])
        (void)shutdown(job->status_fd, SHUT_WR); /* the host kills it */
    return wire_recv(job->status_fd, ret_end, sizeof(*ret_end), 0) == (ssize_t)sizeof(*ret_end);
}

static int fail_signal(const struct job *job, int number, struct okno_err *err)
{
    const char *name = job_name(job);
    switch (number) {
    case SIGSYS:
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder tried a forbidden system call", name);
    case SIGXCPU:
        return okno_fail(err, OKNO_MEDIA, "%s: decoding it takes more than %lld s of CPU", name,
                         (long long)job->limits.cpu_s);
    case SIGXFSZ:
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder wrote more than %lld bytes", name,
                         (long long)job->limits.output_bytes);
    case SIGKILL:
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder was killed; is memory short?", name);
    default:
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder crashed (%s)", name, strsignal(number));
    }
}

static int check_end(const struct job *job, const struct wire_end *end, struct okno_err *err)
{
    int exit = WIFEXITED(end->wait_status) ? WEXITSTATUS(end->wait_status) : -1;
    if (end->fork_errno)
        return okno_fail_errno(err, end->fork_errno, "cannot start a media process");
    if (job->broke[0])
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder %s", job_name(job), job->broke);
    if (WIFSIGNALED(end->wait_status))
        return fail_signal(job, WTERMSIG(end->wait_status), err);
    if (exit == WIRE_EXIT_UNCONFINED)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "recordings are read in a sandbox only, and this system refuses one; see "
                         "okno doctor");
    if (exit != 0 || !job->done)
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder ended without an answer (status %d)",
                         job_name(job), exit);
    return 0;
}

/* Codes for which a recording, or the place where the result goes, can be the reason. */
static bool is_honest(const struct job *job, int code)
{
    static const int codes[] = {OKNO_MEDIA,   OKNO_UNSUPPORTED,  OKNO_NO_COVERAGE,
                                OKNO_INVALID, OKNO_CHECK_FAILED, OKNO_TOO_LARGE,
                                OKNO_IO,      OKNO_NO_SPACE};
    for (size_t i = 0; i < OKNO_COUNT(codes); i++)
        if (code == codes[i])
            return true;
    return job->source_code && code == job->source_code;
}

/* Printable, terminated UTF-8, whatever the child wrote. */
static void clean_text(char *text, size_t size)
{
    text[size - 1] = '\0';
    bool whole = okno_text_is_utf8(text, strlen(text));
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || (!whole && (unsigned char)*at >= 0x80))
            *at = '?';
}

static int check_answer(struct job *job, struct okno_err *err)
{
    struct wire_done *answer = &job->answer;
    clean_text(answer->text, sizeof(answer->text));
    clean_text(answer->result.codec, sizeof(answer->result.codec));
    if (answer->code == 0)
        return 0;
    if (answer->code == OKNO_NO_MEMORY)
        return okno_fail(err, OKNO_MEDIA, "%s: decoding it takes more than %lld MiB of memory",
                         job_name(job), (long long)(job->limits.memory_bytes >> 20));
    if (!is_honest(job, answer->code))
        return okno_fail(err, OKNO_MEDIA, "%s: its decoder failed with a code that means nothing",
                         job_name(job));
    int64_t retry_us = answer->code == job->source_code ? job->retry_us : 0;
    return okno_fail_retry(err, answer->code, retry_us, "%s", answer->text);
}

static int job_judge(struct job *job, struct okno_err *err)
{
    struct wire_end end = {0};
    job_serve(job);
    if (job_end(job, &end) == 0)
        return HOST_LOST;
    int rc = check_end(job, &end, err);
    return rc < 0 ? rc : check_answer(job, err);
}

/* Nobody can change the picture from here on; refused while the child has it mapped. Comes before
 * job_clear, which lets go of the child, so that what the child does decides and no race. The
 * kernel refuses in the same words while it holds a page for a moment itself (moving memory, say);
 * it waits some 150 ms for that, which on a busy machine may be too short. A mapping is refused at
 * once. */
static int job_seal(const struct job *job, int picture_fd, struct okno_err *err)
{
    int rc = -1;
    for (int tries = 0; rc < 0 && tries < SEAL_TRIES; tries++) {
        rc = fcntl(picture_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
        if (rc < 0 && errno != EBUSY)
            return okno_fail_errno(err, errno, "cannot seal a picture");
    }
    return rc < 0 ? media_job_disbelieve(job->what, job->inputs, "file", err) : 0;
}

/* The host was killed, and its children with it; wait for ours, so that the next one is alone with
 * the file, which is empty again. Another host is being made. */
static bool job_reset(struct job *job, int out_fd)
{
    union wire_said said;
    int64_t left_us = LEAVE_US;
    while (job_wait(job->fd, &left_us))
        if (wire_recv(job->fd, &said, sizeof(said), MSG_DONTWAIT) <= 0)
            return out_fd < 0 || (ftruncate(out_fd, 0) == 0 && lseek(out_fd, 0, SEEK_SET) == 0);
    return false;
}

static int job_once(const struct wire_job *what, const struct okno_media_input *inputs,
                    const void *extra, int out_fd, struct job_answer *ret_answer,
                    struct okno_err *err)
{
    struct job job = {
        .what = what, .inputs = inputs, .extra = extra, .fd = -1, .status_fd = -1, .memory_fd = -1};
    job.limits = job_limits(&job);
    job.left_us = job.limits.wall_us;
    int rc = job_start(&job, out_fd, err);
    if (rc == 0)
        rc = job_judge(&job, err);
    if (rc == 0 && wire_writes_memory(what->kind))
        rc = job_seal(&job, out_fd, err);
    if (rc == 0) {
        *ret_answer = (struct job_answer){.result = job.answer.result, .gaps = job.gaps};
        job.gaps = (struct okno_interval_vec){0};
    }
    if (rc == HOST_LOST && !job_reset(&job, out_fd))
        rc =
            okno_fail(err, OKNO_MEDIA, "%s: its decoder did not end with its host", job_name(&job));
    job_clear(&job);
    return rc;
}

int media_job_run(const struct wire_job *what, const struct okno_media_input *inputs,
                  const void *extra, int out_fd, struct job_answer *ret_answer,
                  struct okno_err *err)
{
    int rc = HOST_LOST;
    for (int tries = 0; rc == HOST_LOST && tries < HOST_TRIES; tries++)
        rc = job_once(what, inputs, extra, out_fd, ret_answer, err);
    if (rc == HOST_LOST)
        return okno_fail(err, OKNO_FAILED, "the media host was killed %d times during this job",
                         HOST_TRIES);
    return rc;
}

int media_job_disbelieve(const struct wire_job *job, const struct okno_media_input *inputs,
                         const char *what, struct okno_err *err)
{
    const char *name = job->count > 0 ? inputs[0].name : NULL;
    return okno_fail(err, OKNO_MEDIA, "%s: its decoder claims an impossible %s",
                     name ? name : "the recording", what);
}
