/* A progress bar on a terminal; silent elsewhere. */
#ifndef OKNO_CLI_PROGRESS_H
#define OKNO_CLI_PROGRESS_H

#include <stdint.h>

/* Draw `done` of `total` on stderr when it is a terminal, at most ten times a second; the last call
 * (done == total) ends the line. */
void cli_progress(const char *what, int64_t done, int64_t total);

#endif
