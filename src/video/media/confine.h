/* What a child process may do: nearly nothing. */
#ifndef MEDIA_CONFINE_H
#define MEDIA_CONFINE_H

#include "wire.h"

#include <stdbool.h>

/* A sanitizer reserves terabytes of address space, reads /proc and writes its report. Only builds
 * made with one are relaxed: no limit of memory, no landlock, and a list of what kills instead of a
 * list of what is allowed. */
#ifdef __SANITIZE_ADDRESS__
enum { CONFINE_SANITIZED = 1 };
#else
enum { CONFINE_SANITIZED = 0 };
#endif

/* Where a child finds its descriptors. It has no others. */
enum {
    CONFINE_JOB_FD = 3,
    CONFINE_MEMORY_FD = 4,
    CONFINE_OUT_FD = 5,
    CONFINE_FDS = 6,
};

/* Once, in the media host, before the first child: give up the file system and the network for good
 * and make the filter ready. False when this kernel has no seccomp filters: then no child may run.
 */
bool confine_prepare(void);

/* In the child, with its descriptors in place: from here on it has its limits and the listed system
 * calls. False when that could not be had. */
bool confine_enter(const struct media_limits *limits);

#endif
