/* The log: one line per happening on stderr, key=value, written only at the edges (main, request
 * handler, job runner). Values with spaces or quotes are quoted; control bytes are escaped. */
#ifndef OKNO_LOG_H
#define OKNO_LOG_H

#include "okno/err.h"

enum okno_log_level { OKNO_LOG_ERROR, OKNO_LOG_WARNING, OKNO_LOG_INFO, OKNO_LOG_DEBUG };

/* Lines above this level are dropped; starts at OKNO_LOG_INFO. */
void okno_log_set_level(enum okno_log_level level);

/* `ts=... level=info room=service msg="..."`. Thread-safe: one write per line. */
void okno_log(enum okno_log_level level, const char *room, const char *fmt, ...) OKNO_PRINTF(3, 4);

#endif
