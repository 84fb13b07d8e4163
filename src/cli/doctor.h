/* Lines of okno doctor that are made outside of doctor.c. */
#ifndef OKNO_CLI_DOCTOR_H
#define OKNO_CLI_DOCTOR_H

#include "okno/db.h"

struct okno_conf;

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_ERROR };

/* Takes one line: what was looked at, what was seen, what to do next ("" for nothing). */
typedef void doctor_line(void *ctx, enum doctor_level level, const char *subject, const char *text,
                         const char *next);

/* Rules of alerts, destinations of messages, messages that nobody took. */
OKNO_CHECK int doctor_look_at_alerts(struct okno_db *db, const struct okno_conf *conf,
                                     doctor_line *line, void *ctx, struct okno_err *err);

#endif
