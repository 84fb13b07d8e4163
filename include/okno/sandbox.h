/* Where recordings are parsed and decoded: a child process per job, without files, network or other
 * processes. A media host, started before threads, makes these children; the calls of media.h need
 * it. */
#ifndef OKNO_SANDBOX_H
#define OKNO_SANDBOX_H

#include "okno/err.h"

#include <stdbool.h>

/* Start the media host of this process, the program okno-media beside it. Call it once, from the
 * main thread, before other threads exist and before secrets are read: what keeps the host is a
 * copy of the process as it is now. The host ends with this process. OKNO_BUSY when it runs
 * already, OKNO_UNSUPPORTED where there is no okno-media. */
OKNO_CHECK int okno_sandbox_start(struct okno_err *err);

/* There will be no more jobs: the host begins to end. Nothing without one. */
void okno_sandbox_leave(void);

/* End the media host and wait for it; jobs that still run are killed. Nothing without a host. */
void okno_sandbox_stop(void);

/* What the kernel offers. Without seccomp no recording is read; without landlock the list of
 * allowed system calls stands alone. */
struct okno_sandbox_support {
    bool seccomp, landlock;
};
struct okno_sandbox_support okno_sandbox_support(void);

#endif
