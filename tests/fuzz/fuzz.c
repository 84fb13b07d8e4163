#define _GNU_SOURCE
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_broken(const char *file, int line, const char *promise)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

int fuzz_file(const uint8_t *data, size_t size, char ret_path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(ret_path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_HOLDS(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static int read_at(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                   struct okno_err *err)
{
    (void)err;
    struct fuzz_bytes *bytes = ctx;
    FUZZ_HOLDS(offset >= 0 && (size_t)offset < bytes->size);
    size_t left = bytes->size - (size_t)offset;
    *ret_got = left < len ? left : len;
    memcpy(into, bytes->data + offset, *ret_got);
    bytes->reads++;
    return 0;
}

struct okno_source fuzz_source(struct fuzz_bytes *bytes)
{
    return (struct okno_source){.size = (int64_t)bytes->size, .ctx = bytes, .read_at = read_at};
}
