/* The media host: one single-threaded process beside ours that makes a child per job and says how
 * it ended. It reads nothing of any recording. */
#ifndef MEDIA_HOST_H
#define MEDIA_HOST_H

#include "wire.h"

/* What a child has to work with. */
struct media_link {
    int job_fd;
    const uint8_t *memory; /* WIRE_PAYLOAD bytes or more, of the caller */
    size_t memory_len;
    int out_fd; /* -1: none */
};

struct media_setup {
    void (*warm)(void);  /* called once in the host, before the first child */
    void (*ready)(void); /* called in each child, before its job is there */
    /* Called in each confined child; its return ends the child. */
    void (*run)(const struct media_link *link);
    /* The most that any job may use; output, requests and bytes are less by what is asked. */
    struct media_limits limits;
};

/* okno_sandbox_start with another setup. */
OKNO_CHECK int media_host_start(const struct media_setup *setup, struct okno_err *err);

/* Ask for a child with these descriptors, in the order of enum wire_fd; they stay the caller's.
 * Any thread. OKNO_FAILED when there is no host. */
OKNO_CHECK int media_host_spawn(const struct media_limits *limits, const int *fds, size_t count,
                                struct okno_err *err);

/* Of the host that was started. */
struct media_limits media_host_limits(void);

#endif
