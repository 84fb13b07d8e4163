#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include "okno/mem.h"

#include <errno.h>

int cli_put(const char *path, const struct okno_buf *text, struct okno_err *err)
{
    okno_autofclose FILE *file = path ? fopen(path, "we") : NULL;
    if (path && !file)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    FILE *to = file ? file : stdout;
    if (fputs(okno_buf_text(text), to) < 0 || fflush(to) != 0)
        return okno_fail_errno(err, errno, "cannot write %s", path ? path : "the result");
    return 0;
}
