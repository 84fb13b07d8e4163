/* What clip, still and coverage share: a camera at a moment, on UTC or on its own clock. */
#ifndef OKNO_CLI_MOMENT_H
#define OKNO_CLI_MOMENT_H

#include "cli.h"

#include "okno/extract.h"
#include "okno/work.h"

struct moment {
    /* As given; times -1 when not. A still has only from_us. */
    const char *camera, *out;
    int64_t from_us, to_us;
    bool camera_clock, json;
    /* Found by moment_open. */
    struct okno_work *work; /* owned */
    struct okno_work_camera found;
    struct okno_budget budget;
    struct okno_extract_camera view; /* with the budget above: the struct stays where it is */
};

/* Open the camera's archive and bring the times to UTC. */
OKNO_CHECK int moment_open(struct cli *cli, struct moment *moment, struct okno_err *err);
void moment_close(struct moment *moment);
#define MOMENT_AUTO __attribute__((cleanup(moment_close))) struct moment

/* Where nothing is recorded (OKNO_NO_COVERAGE in err), add what helps: that the moment is still to
 * come, or how to see what there is. Returns err's code. */
int moment_explain(const struct moment *moment, struct okno_err *err);

/* Print what was written to moment->out; kind is "clip" or "still". OKNO_PARTIAL when the clip has
 * gaps. Frees the result. */
OKNO_CHECK int moment_print(const struct moment *moment, const char *kind,
                            struct okno_extract_result *result, struct okno_err *err);

#endif
