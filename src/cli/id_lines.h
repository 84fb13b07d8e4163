/* Ids, one a line, from a file that is read more than once and never held in memory. */
#ifndef OKNO_CLI_ID_LINES_H
#define OKNO_CLI_ID_LINES_H

#include "okno/err.h"

#include <stddef.h>

struct id_lines {
    int fd;           /* owned; a pipe was copied to a file without a name first */
    const char *name; /* for messages */
    size_t number;    /* of the line handed out last, from 1 */
    char *at, *end;   /* what of the buffer was not handed out yet */
    char bytes[65536];
};

/* "-" is standard input. OKNO_NOT_FOUND, OKNO_IO. Close it also after a failure. */
OKNO_CHECK int id_lines_open(const char *path, struct id_lines *lines, struct okno_err *err);
void id_lines_close(struct id_lines *lines);
#define AUTO_ID_LINES __attribute__((cleanup(id_lines_close))) struct id_lines

/* Go back to the first line. */
OKNO_CHECK int id_lines_rewind(struct id_lines *lines, struct okno_err *err);

/* 1 with the next line, which lives until the next call; 0 at the end. OKNO_INVALID names the line
 * of what can be no id: empty, too long, not UTF-8, with CR, NUL or a byte order mark. */
OKNO_CHECK int id_lines_next(struct id_lines *lines, const char **ret_id, struct okno_err *err);

/* How many lines there are, good or not; goes back to the first one. */
OKNO_CHECK int id_lines_count(struct id_lines *lines, size_t *ret_count, struct okno_err *err);

#endif
