/* The parts of `okno archive`. */
#ifndef OKNO_CLI_ARCHIVE_H
#define OKNO_CLI_ARCHIVE_H

#include "cli.h"
#include "okno/work.h"

OKNO_CHECK int archive_status(struct cli *cli, struct okno_db *db, bool json, struct okno_err *err);

OKNO_CHECK int archive_commission(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* How an archive stands, in words: one line. */
void archive_outlook_text(const struct okno_outlook *outlook, char *ret_text, size_t size);

#endif
