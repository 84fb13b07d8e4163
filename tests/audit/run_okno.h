/* Run build/okno as a user would: arguments and standard input in; output, messages, exit out. */
#ifndef TESTS_AUDIT_RUN_OKNO_H
#define TESTS_AUDIT_RUN_OKNO_H

#include "okno/mem.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct ran {
    char out[65536], err[4096];
    int exit_code;
};

static inline int run_file(const char *bytes, size_t len)
{
    char path[] = "/tmp/okno-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static inline void run_read(int fd, char *text, size_t size)
{
    ssize_t got = pread(fd, text, size - 1, 0);
    assert_true(got >= 0 && (size_t)got < size - 1);
    text[got] = '\0';
}

/* args end in NULL and start after the program's name. */
static inline void run_okno_bytes(const char *input, size_t len, const char *const *args,
                                  struct ran *ran)
{
    const char *okno = getenv("OKNO");
    char *argv[32] = {"okno"};
    for (size_t i = 0; args[i]; i++) {
        assert_true(i + 2 < OKNO_COUNT(argv));
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    okno_autoclose int in = run_file(input, len);
    okno_autoclose int out = run_file("", 0);
    okno_autoclose int err = run_file("", 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in, 0), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out, 1), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, err, 2), 0);
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawn(&pid, okno ? okno : "build/okno", &actions, NULL, argv, environ),
                     0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_true(WIFEXITED(status));
    ran->exit_code = WEXITSTATUS(status);
    run_read(out, ran->out, sizeof(ran->out));
    run_read(err, ran->err, sizeof(ran->err));
}

#define RUN_OKNO(ran, input, ...)                                                                  \
    run_okno_bytes((input), strlen(input), (const char *const[]){__VA_ARGS__, NULL}, (ran))

#endif
