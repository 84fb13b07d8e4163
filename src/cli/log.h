/* Parts of `okno log` with files of their own. */
#ifndef OKNO_CLI_LOG_H
#define OKNO_CLI_LOG_H

#include "cli.h"

/* Time stamps, witnesses, and what was taken in (log_anchor.c). */
OKNO_CHECK int log_stamp(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int log_cosign(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int log_witness(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int log_anchors(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* That a log goes on from an older state (log_consistency.c). */
OKNO_CHECK int log_consistency(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int log_verify_old(struct cli *cli, const char *path, const char *key_path,
                              const char *old_path, struct okno_err *err);

#endif
