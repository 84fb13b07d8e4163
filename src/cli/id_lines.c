#define _POSIX_C_SOURCE 200809L
#include "id_lines.h"

#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_read(const struct id_lines *lines, struct okno_err *err)
{
    return okno_fail_errno(err, errno, "cannot read %s", lines->name);
}

/* A file that only we know of. */
static int make_nameless(void)
{
    const char *folder = getenv("TMPDIR");
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/okno-ids-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static int copy(struct id_lines *lines, int from, struct okno_err *err)
{
    ssize_t got;
    while ((got = read(from, lines->bytes, sizeof(lines->bytes))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_read(lines, err);
        for (ssize_t put = 0, part; put < got; put += part)
            if ((part = write(lines->fd, lines->bytes + put, (size_t)(got - put))) < 0)
                return okno_fail_errno(err, errno, "cannot keep standard input in a file (TMPDIR)");
    }
    return 0;
}

int id_lines_open(const char *path, struct id_lines *lines, struct okno_err *err)
{
    struct stat is;
    bool standard = strcmp(path, "-") == 0;
    lines->name = standard ? "standard input" : path;
    lines->number = 0;
    lines->fd =
        standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0 || fstat(lines->fd, &is) < 0)
        return okno_fail_errno(err, errno, "cannot open %s", lines->name);
    if (S_ISREG(is.st_mode))
        return id_lines_rewind(lines, err);
    okno_autoclose int pipe = lines->fd;
    lines->fd = make_nameless();
    if (lines->fd < 0)
        return okno_fail_errno(err, errno, "cannot make a file for %s (TMPDIR)", lines->name);
    int rc = copy(lines, pipe, err);
    return rc < 0 ? rc : id_lines_rewind(lines, err);
}

void id_lines_close(struct id_lines *lines)
{
    okno_mem_close_at(&lines->fd);
}

int id_lines_rewind(struct id_lines *lines, struct okno_err *err)
{
    lines->number = 0;
    lines->at = lines->end = lines->bytes;
    return lseek(lines->fd, 0, SEEK_SET) < 0 ? fail_read(lines, err) : 0;
}

/* More bytes behind those not handed out; 0 when there are none. */
static int refill(struct id_lines *lines, struct okno_err *err)
{
    size_t kept = (size_t)(lines->end - lines->at);
    ssize_t got;
    memmove(lines->bytes, lines->at, kept);
    lines->at = lines->bytes;
    lines->end = lines->bytes + kept;
    do
        got = read(lines->fd, lines->end, sizeof(lines->bytes) - 1 - kept);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_read(lines, err);
    lines->end += got;
    return got > 0;
}

/* What the draw itself cannot see in a text, or would name without the line. */
static const char *wrong_with(const struct id_lines *lines, const char *line, size_t len)
{
    if (memchr(line, '\0', len))
        return "holds a NUL byte";
    if (memchr(line, '\r', len))
        return "holds a CR: write the file with LF line ends";
    if (lines->number == 1 && len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
        return "starts with a byte order mark: it would become a part of the first id";
    if (len == 0)
        return "is empty: one id a line";
    if (len > OKNO_SAMPLER_ID_BYTES)
        return "is longer than the 1024 bytes an id may have";
    return okno_text_is_utf8(line, len) ? NULL : "is not UTF-8";
}

static char *line_end(const struct id_lines *lines)
{
    return memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
}

int id_lines_next(struct id_lines *lines, const char **ret_id, struct okno_err *err)
{
    char *stop;
    int rc = 1;
    while (!(stop = line_end(lines)) && lines->end - lines->at <= OKNO_SAMPLER_ID_BYTES && rc > 0)
        rc = refill(lines, err);
    if (rc < 0 || (!stop && lines->at == lines->end))
        return rc < 0 ? rc : 0;
    if (!stop)
        stop = lines->end; /* the last line may lack its end; or it is too long already */
    lines->number++;
    const char *wrong = wrong_with(lines, lines->at, (size_t)(stop - lines->at));
    if (wrong)
        return okno_fail(err, OKNO_INVALID, "%s:%zu: the line %s", lines->name, lines->number,
                         wrong);
    *stop = '\0';
    *ret_id = lines->at;
    lines->at = stop < lines->end ? stop + 1 : stop;
    return 1;
}

int id_lines_count(struct id_lines *lines, size_t *ret_count, struct okno_err *err)
{
    size_t count = 0;
    char last = '\n';
    int rc = id_lines_rewind(lines, err);
    while (rc == 0 && (rc = refill(lines, err)) > 0) {
        last = lines->end[-1];
        for (char *stop; (stop = line_end(lines)); lines->at = stop + 1)
            count++;
        lines->at = lines->end;
        rc = 0;
    }
    *ret_count = count + (last != '\n');
    return rc < 0 ? rc : id_lines_rewind(lines, err);
}
