/* Surveys that follow what is new, for commands that change or show them. */
#ifndef OKNO_CLI_REFRESH_H
#define OKNO_CLI_REFRESH_H

#include "cli.h"

/* Let surveys follow what was stored, and notes about events that made none go to stderr. Cheap
 * when nothing is new. */
OKNO_CHECK int cli_refresh_surveys(struct cli *cli, struct okno_db *db, struct okno_err *err);

/* For commands that only read: the same without notes; where it cannot be done now (another writer
 * is busy, a disk is full) what is stored is shown. */
void cli_refresh_before_reading(struct cli *cli, struct okno_db *db);

#endif
