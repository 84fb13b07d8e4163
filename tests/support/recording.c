#define _XOPEN_SOURCE 700 /* nftw */
#include "recording.h"

#include "okno/mem.h"
#include "okno/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

int fixture_begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/okno-media-XXXXXX");
    return mkdtemp(folder) ? okno_sandbox_start(NULL) : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int fixture_end(void **state)
{
    (void)state;
    okno_sandbox_stop();
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_path(const char *name)
{
    static _Thread_local char paths[8][256];
    static _Thread_local size_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

enum { MAX_WORDS = 80 };

/* Run a program in the folder; its standard output goes to `to`. Returns its exit status. */
static int run(const char *program, char *line, int to)
{
    char *words[MAX_WORDS + 2] = {(char *)(uintptr_t)program};
    int count = 1;
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word && count <= MAX_WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(folder) < 0 || dup2(to, STDOUT_FILENO) < 0)
            _exit(126);
        (void)execvp(program, words);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void fixture_ffmpeg(const char *fmt, ...)
{
    char line[4096];
    char full[4300];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    assert_in_range(len, 1, sizeof(line) - 1);
    (void)snprintf(full, sizeof(full), "-v error -nostdin -y -threads 1 %s", line);
    assert_int_equal(run("ffmpeg", full, STDERR_FILENO), 0);
}

/* Runs with the standard output in the file `output`, and gives that back. */
static char *run_for_text(const char *program, char *line, int *ret_status)
{
    okno_autoclose int fd =
        open(fixture_path("output"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    *ret_status = run(program, line, fd);
    int64_t size = fixture_size("output");
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    return text;
}

char *fixture_output(const char *program, const char *fmt, ...)
{
    char line[1024];
    int status = -1;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    char *text = run_for_text(program, line, &status);
    assert_int_equal(status, 0);
    return text;
}

char *fixture_okno(int *ret_status, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    assert_non_null(getenv("OKNO"));
    return run_for_text(getenv("OKNO"), line, ret_status);
}

struct file_source {
    struct okno_source source; /* first: freed as one */
    int fd;
};

static int read_at(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                   struct okno_err *err)
{
    struct file_source *file = ctx;
    ssize_t got = pread(file->fd, into, len, (off_t)offset);
    if (got < 0)
        return okno_fail(err, OKNO_IO, "the test cannot read");
    file->source.requests++;
    file->source.bytes_read += got;
    *ret_got = (size_t)got;
    return 0;
}

static void file_close(void *ctx)
{
    (void)close(((struct file_source *)ctx)->fd);
}

struct okno_source *fixture_source(const char *name)
{
    struct file_source *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    file->fd = open(fixture_path(name), O_RDONLY | O_CLOEXEC);
    assert_true(file->fd >= 0);
    file->source = (struct okno_source){
        .size = fixture_size(name), .ctx = file, .read_at = read_at, .close = file_close};
    return &file->source;
}

void fixture_hash(const char *name, struct fixture_frames *ret_frames)
{
    okno_autofree char *text =
        fixture_output("ffmpeg",
                       "-v error -nostdin -threads 1 -i %s -map 0:v:0 -vsync passthrough "
                       "-f framemd5 -",
                       name);
    struct fixture_frames frames = {0};
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *hash = strrchr(line, ' ');
        if (line[0] == '#' || !hash || strlen(hash + 1) != 32)
            continue;
        frames.hash = realloc(frames.hash, (frames.len + 1) * sizeof(*frames.hash));
        assert_non_null(frames.hash);
        memcpy(frames.hash[frames.len++], hash + 1, 33);
    }
    *ret_frames = frames;
}

void fixture_frames_free(struct fixture_frames *frames)
{
    free(frames->hash);
    *frames = (struct fixture_frames){0};
}

int64_t fixture_size(const char *name)
{
    struct stat st;
    assert_int_equal(stat(fixture_path(name), &st), 0);
    return (int64_t)st.st_size;
}

void fixture_truncate(const char *name, const char *as, int64_t bytes)
{
    okno_autofclose FILE *from = fopen(fixture_path(name), "rb");
    okno_autofree char *data = malloc((size_t)bytes);
    assert_non_null(from);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)bytes, from), bytes);
    fixture_write(as, data, (size_t)bytes);
}

void fixture_write(const char *name, const void *bytes, size_t len)
{
    FILE *to = fopen(fixture_path(name), "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, len, to), len);
    assert_int_equal(fclose(to), 0);
}

uint8_t *fixture_grey(const char *name, int frame, size_t *ret_len)
{
    fixture_ffmpeg("-i %s -vf select=gte(n\\,%d) -frames:v 1 -pix_fmt gray -f rawvideo grey.raw",
                   name, frame);
    int64_t size = fixture_size("grey.raw");
    uint8_t *grey = malloc((size_t)size);
    okno_autofclose FILE *file = fopen(fixture_path("grey.raw"), "rb");
    assert_non_null(grey);
    assert_non_null(file);
    assert_int_equal(fread(grey, 1, (size_t)size, file), size);
    *ret_len = (size_t)size;
    return grey;
}

void fixture_film(const char *name, const char *encoder, int rate)
{
    fixture_ffmpeg(
        "-f lavfi -i color=black:s=64x48:r=%d:d=60 -vf "
        "geq=lum='20+4*mod(N\\,50)':cb=128:cr=128 -c:v %s -preset ultrafast "
        "-crf 5 -g %d -bf 0 %s",
        rate, encoder, 2 * rate, name);
}

int fixture_film_frame(const char *name)
{
    size_t len = 0;
    okno_autofree uint8_t *grey = fixture_grey(name, 0, &len);
    double sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += grey[i];
    /* From full range back to the film's. */
    double luma = 16 + sum / (double)len * 219 / 255;
    return (int)((luma - 20) / 4 + 0.5);
}
