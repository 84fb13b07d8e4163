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
    /* The program that becomes the host (media_host_become), with the libraries that read
     * recordings; NULL: the host is a copy of this process, and has what follows from it. */
    const char *program;
    /* Called once in the host: before the first child, or before the second when a job is there
     * already as the host begins. */
    void (*warm)(void);
    void (*ready)(void); /* called in each child, before its job is there */
    /* Called in each confined child; its return ends the child. */
    void (*run)(const struct media_link *link);
    /* The most that any job may use; output, requests and bytes are less by what is asked. */
    struct media_limits limits;
};

/* okno_sandbox_start with another setup. The program is opened here, and is the same whenever
 * another host is made: whoever installs a new one starts okno again. */
OKNO_CHECK int media_host_start(const struct media_setup *setup, struct okno_err *err);

/* Ask for a child with these descriptors, in the order of enum wire_fd; they stay the caller's.
 * Any thread. OKNO_FAILED when there is no host. */
OKNO_CHECK int media_host_spawn(const struct media_limits *limits, const int *fds, size_t count,
                                struct okno_err *err);

/* In setup->program, right after its start: be the host until whoever started it is gone. `stamp`
 * is its only argument; returns when it is of another build. */
void media_host_become(const struct media_setup *setup, const char *stamp);

/* Of the host that was started. */
struct media_limits media_host_limits(void);

#endif
