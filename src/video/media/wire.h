/* What the caller, the media host and a child say to each other: messages of fixed layout over
 * SOCK_SEQPACKET sockets, one machine, one build (wire_stamp).
 *
 *     caller -> host    wire_spawn with the child's descriptors
 *     host   -> caller  wire_end, once, when the child is gone and waited for
 *     child  -> caller  wire_plan, wire_read, wire_gaps, wire_done
 *     caller -> child   wire_got, one for each wire_read
 *
 * The bytes of recordings do not travel in messages: the caller puts them into memory that the
 * child sees and cannot change. At the beginning that memory holds the job: a wire_job and its
 * wire_inputs. */
#ifndef MEDIA_WIRE_H
#define MEDIA_WIRE_H

#include "okno/media.h"

#include <sys/types.h>

enum {
    WIRE_PAYLOAD = 1024 * 1024, /* bytes of one answer at most */
    WIRE_GAPS = 128,            /* in one message */
    WIRE_NAME = 448,            /* no message has room for more */
};

/* What one job may use. */
struct media_limits {
    int64_t memory_bytes; /* address space beyond the program's own */
    int64_t cpu_s;
    int64_t wall_us; /* not counting the caller's reading */
    int64_t output_bytes;
    int64_t requests, read_bytes;
};

enum wire_kind {
    WIRE_PROBE,
    WIRE_CLIP,
    WIRE_STILL,
    WIRE_STILLS, /* many of one recording; behind the inputs: their moments */
    WIRE_VIEW,   /* viewing copy of a clip; behind the input: struct media_view, as for the next */
    WIRE_VIEW_STILL,
    WIRE_SHEET,
    WIRE_LOOK,
    WIRE_SERIES,
    WIRE_MEASURE,
    WIRE_LENGTH, /* of a sound or a film: like a probe */
};

/* Whether the answer is all that comes back. */
static inline bool wire_only_tells(uint32_t kind)
{
    return kind == WIRE_PROBE || kind == WIRE_LENGTH;
}

/* Whether the child writes straight into a file on disk, or into memory that is sealed afterwards.
 */
static inline bool wire_writes_file(uint32_t kind)
{
    return kind == WIRE_CLIP || kind == WIRE_VIEW;
}
static inline bool wire_writes_memory(uint32_t kind)
{
    return !wire_only_tells(kind) && !wire_writes_file(kind);
}

struct wire_job {
    uint32_t kind; /* enum wire_kind */
    uint32_t count;
    int64_t from_us, to_us; /* a still: both its moment */
    uint32_t audio;
    uint32_t extra; /* bytes behind the inputs */
};

struct wire_input {
    int64_t size, from_us, error_us;
    char format[64];
    uint32_t named, from_zero;
    char name[WIRE_NAME];
};

/* With the descriptors of enum wire_fd, in that order; a probe has no output. Last of all comes, to
 * the host only, the one for wire_end. */
struct wire_spawn {
    struct media_limits limits;
};
enum wire_fd { WIRE_FD_JOB, WIRE_FD_MEMORY, WIRE_FD_OUT, WIRE_FD_END, WIRE_FDS };

struct wire_end {
    int32_t fork_errno;  /* there was no child */
    int32_t wait_status; /* as of wait */
};

/* The child's own exit statuses. */
enum { WIRE_EXIT_UNCONFINED = 97, WIRE_EXIT_LOST = 98 };

enum wire_type { WIRE_READ = 0x6f6b6e01, WIRE_GOT, WIRE_GAPS_FOUND, WIRE_DONE, WIRE_PLAN };

struct wire_read {
    uint32_t type;
    uint32_t input;
    int64_t offset;
    uint64_t len;
};

/* The bytes that will be read next, in order; no answer. */
struct wire_plan {
    uint32_t type;
    uint32_t input;
    int64_t from, to;
    int64_t index; /* 1: they say where things are; 0: they are media */
};

struct wire_got {
    uint32_t type;
    int32_t code; /* 0 or of err.h */
    uint64_t got; /* bytes at the beginning of the memory */
    char text[WIRE_NAME];
};

struct wire_gaps {
    uint32_t type;
    uint32_t count;
    struct okno_interval gaps[WIRE_GAPS];
};

struct wire_result {
    int64_t got_from_us, got_to_us, first_frame_us, last_frame_us;
    int64_t frames;
    int64_t duration_us, frame_us; /* of a probe */
    int32_t width, height;
    uint32_t audio;
    char codec[32];
};

struct wire_done {
    uint32_t type;
    int32_t code; /* 0 or of err.h */
    struct wire_result result;
    char text[WIRE_NAME];
};

/* Anything a child may send. */
union wire_said {
    uint32_t type;
    struct wire_read read;
    struct wire_plan plan;
    struct wire_gaps gaps;
    struct wire_done done;
};

/* Differs between programs that do not understand each other. */
enum { WIRE_STAMP = 96 };
void wire_stamp(char ret_text[WIRE_STAMP]);

/* Each returns 0, or -1 with errno. Never raises SIGPIPE. */
OKNO_CHECK int wire_send(int fd, const void *message, size_t len, int flags);
OKNO_CHECK int wire_send_fds(int fd, const void *message, size_t len, const int *fds, size_t count);

/* Length of the message, 0 when the other side is gone, -1 with errno. A message longer than
 * `size` has its true length. */
ssize_t wire_recv(int fd, void *ret_message, size_t size, int flags);

/* The same with descriptors; *ret_count of them, the caller's; at most WIRE_FDS. */
ssize_t wire_recv_fds(int fd, void *ret_message, size_t size, int ret_fds[WIRE_FDS],
                      size_t *ret_count);

#endif
