/* For tests of the developer tools: run one as a user would, in a folder of its own. */
#ifndef TESTS_TOOLS_TOOL_H
#define TESTS_TOOLS_TOOL_H

#include "okno/buf.h"
#include "okno/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define OUTPUT_MAX (4U << 20)

static char folder[] = "/tmp/okno-tools-XXXXXX";

static void read_all(int fd, struct okno_buf *buf)
{
    char part[65536];
    ssize_t n;
    while ((n = read(fd, part, sizeof(part))) > 0)
        assert_int_equal(okno_buf_add(buf, part, (size_t)n, NULL), 0);
}

/* Run a tool of the build, both its outputs together into ret_text; returns its exit code. */
static int run(struct okno_buf *ret_text, const char *tool, const char *const *arguments)
{
    char path[4096];
    const char *argv[16] = {path};
    int pipe_fds[2], status = 0;
    (void)snprintf(path, sizeof(path), "%s/tools/%s", getenv("OKNO_BUILD"), tool);
    for (size_t i = 0; arguments[i]; i++)
        argv[i + 1] = arguments[i];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(pipe_fds[1], 1);
        (void)dup2(pipe_fds[1], 2);
        (void)execv(path, (char **)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(pipe_fds[1]);
    read_all(pipe_fds[0], ret_text);
    (void)close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define RUN(text, tool, ...) run(text, tool, (const char *const[]){__VA_ARGS__, NULL})

__attribute__((unused)) static void run_well(const char *tool, const char *const *arguments)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    int code = run(&text, tool, arguments);
    if (code != 0)
        fail_msg("%s ended with %d: %s", tool, code, okno_buf_text(&text));
}

__attribute__((unused)) static const char *below(char path[256], const char *name)
{
    (void)snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static int folder_make(void)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
