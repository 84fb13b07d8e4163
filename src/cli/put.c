#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include "okno/file.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of its own, or none yet: no device, pipe or link to somewhere else. */
static bool is_replaceable(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) < 0 ? errno == ENOENT : S_ISREG(facts.st_mode);
}

/* A file that is there stays until the new one is whole: it may be the only copy of a checkpoint.
 */
int cli_put(const char *path, const struct okno_buf *text, struct okno_err *err)
{
    if (path && is_replaceable(path))
        return okno_file_put(path, 0666, okno_buf_text(text), text->len, err);
    okno_autofclose FILE *file = path ? fopen(path, "we") : NULL;
    if (path && !file)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    FILE *to = file ? file : stdout;
    if ((text->len > 0 && fwrite(text->data, 1, text->len, to) != text->len) || fflush(to) != 0)
        return okno_fail_errno(err, errno, "cannot write %s", path ? path : "the result");
    return 0;
}

void cli_line(const char *fmt, ...)
{
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    okno_autofree char *line = len < 0 ? NULL : malloc((size_t)len + 1);
    if (line) {
        (void)vsnprintf(line, (size_t)len + 1, fmt, again);
        okno_text_calm(line);
    }
    va_end(again);
    (void)puts(line ? line : "?"); /* main tells of what could not be written */
}

int cli_read(const char *path, struct okno_buf *to, struct okno_err *err)
{
    char chunk[4096];
    size_t got = 0;
    okno_autofclose FILE *file = strcmp(path, "-") == 0 ? fdopen(dup(0), "r") : fopen(path, "re");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        int rc = okno_buf_add(to, chunk, got, err);
        if (rc < 0) {
            okno_err_context(err, "%s", path);
            return rc;
        }
    }
    return ferror(file) ? okno_fail_errno(err, errno, "cannot read %s", path) : 0;
}
