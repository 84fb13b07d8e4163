/* The real program: `okno serve` as an init system or a person runs it. */
#define _GNU_SOURCE
#include "client.h"
#include "small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>

struct process {
    pid_t pid;
    int errors; /* its stderr */
    char said[16384];
    size_t said_len;
};

/* Start okno with the arguments, NULL-terminated; `notify` is NOTIFY_SOCKET or NULL. */
static struct process run_okno(const char *const *args, const char *notify)
{
    struct process process = {0};
    int ends[2];
    char variable[150];
    (void)snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=%s", notify ? notify : "");
    char *const environment[] = {variable, NULL};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    process.pid = fork();
    assert_true(process.pid >= 0);
    if (process.pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)execve(getenv("OKNO"), (char *const *)(uintptr_t)args, environment);
        _exit(127);
    }
    (void)close(ends[1]);
    process.errors = ends[0];
    return process;
}

/* Read stderr until it says `text`; false when it ended or 20 s went by without. */
static bool hear(struct process *process, const char *text)
{
    struct pollfd fd = {.fd = process->errors, .events = POLLIN};
    while (!strstr(process->said, text)) {
        if (poll(&fd, 1, 20000) != 1)
            return false;
        ssize_t got = read(process->errors, process->said + process->said_len,
                           sizeof(process->said) - 1 - process->said_len);
        if (got <= 0)
            return false;
        process->said_len += (size_t)got;
        process->said[process->said_len] = '\0';
    }
    return true;
}

/* The exit status; -1 for a death by signal. */
static int finish(struct process *process)
{
    int status = 0;
    (void)hear(process, "\x01");
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    (void)close(process->errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int start(void **state)
{
    *state = fixture_new();
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static int heard_port(const struct process *process)
{
    const char *at = strstr(process->said, "listening on http://127.0.0.1:");
    assert_non_null(at);
    return (int)strtol(at + 30, NULL, 10);
}

static void it_says_when_it_listens_and_ends_with_0_on_sigterm(void **state)
{
    struct fixture *fixture = *state;
    char port_file[100];
    (void)snprintf(port_file, sizeof(port_file), "%s/port", fixture->dir);
    const char *const args[] = {"okno",        "--data",      fixture->dir, "serve", "--listen",
                                "127.0.0.1:0", "--port-file", port_file,    NULL};
    struct process process = run_okno(args, NULL);
    assert_true(hear(&process, "/\"\n"));
    int port = heard_port(&process);
    FILE *file = fopen(port_file, "r");
    int written = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &written), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(written, port);
    AUTO_ANSWER answer = client_request(port, "GET", "/readyz", "", NULL);
    assert_int_equal(answer.status, 200);
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    assert_int_equal(finish(&process), 0);
}

static void a_request_that_runs_is_finished_and_new_ones_are_not_taken(void **state)
{
    struct fixture *fixture = *state;
    const char *const args[] = {"okno",     "--data",      fixture->dir, "serve",
                                "--listen", "127.0.0.1:0", NULL};
    static const char head[] =
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: "
        "application/json\r\nContent-Length: 30\r\n\r\n";
    static const char body[] = "{\"user\":\"a\",\"password\":\"b\"}   ";
    struct process process = run_okno(args, NULL);
    assert_true(hear(&process, "/\"\n"));
    int port = heard_port(&process);
    int fd = client_connect(port);
    client_send(fd, head, sizeof(head) - 1);
    client_send(fd, body, 5);
    /* Answered only once the first connection is handed on: the gate takes them in order. */
    AUTO_ANSWER other = client_request(port, "GET", "/healthz", "", NULL);
    assert_int_equal(other.status, 200);
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    assert_true(hear(&process, "finishing what runs"));
    client_send(fd, body + 5, 25);
    AUTO_ANSWER answer = client_receive(fd);
    assert_int_equal(answer.status, 401);
    assert_int_equal(finish(&process), 0);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof(to)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(late);
}

static void systemd_hears_that_it_is_ready_and_that_it_stops(void **state)
{
    struct fixture *fixture = *state;
    char path[100];
    char word[64] = {0};
    (void)snprintf(path, sizeof(path), "%s/notify", fixture->dir);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 20};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    const char *const args[] = {"okno",     "--data",      fixture->dir, "serve",
                                "--listen", "127.0.0.1:0", NULL};
    struct process process = run_okno(args, path);
    assert_int_equal(recv(fd, word, sizeof(word) - 1, 0), 7);
    assert_string_equal(word, "READY=1");
    assert_int_equal(kill(process.pid, SIGINT), 0);
    assert_int_equal(recv(fd, word, sizeof(word) - 1, 0), 10);
    assert_string_equal(word, "STOPPING=1");
    assert_int_equal(finish(&process), 0);
    (void)close(fd);
}

static void what_keeps_it_from_starting_is_one_clear_line(void **state)
{
    struct fixture *fixture = *state;
    fixture_start(fixture);
    char taken[64];
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%d", fixture_port(fixture));
    const struct {
        const char *data, *option, *value;
        int status;
        const char *says;
    } cases[] = {
        {fixture->dir, "--listen", taken, 1, "is taken by another program"},
        {fixture->dir, "--listen", "0.0.0.0:0", 5, "nginx"},
        {fixture->dir, "--listen", "nowhere", 2, "is not ADDRESS:PORT"},
        {fixture->dir, "--port-file", "/nonexistent/port", 3, "/nonexistent/port"},
        {fixture->dir, "--colour", "red", 2, "--colour"},
        {fixture->dir, "stray", NULL, 2, "options only"},
        {"/nonexistent/okno", NULL, NULL, 3, "/nonexistent/okno"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        const char *const args[] = {"okno",          "--data",       cases[i].data,
                                    "serve",         "--listen",     "127.0.0.1:0",
                                    cases[i].option, cases[i].value, NULL};
        struct process process = run_okno(args, NULL);
        assert_int_equal(finish(&process), cases[i].status);
        assert_non_null(strstr(process.said, cases[i].says));
    }
}

static void a_second_one_on_the_same_data_is_refused_and_names_the_first(void **state)
{
    const struct fixture *fixture = *state;
    const char *const args[] = {"okno",     "--data",      fixture->dir, "serve",
                                "--listen", "127.0.0.1:0", NULL};
    char pid[40];
    struct process first = run_okno(args, NULL);
    assert_true(hear(&first, "listening on"));
    struct process second = run_okno(args, NULL);
    (void)snprintf(pid, sizeof(pid), "(pid %ld,", (long)first.pid);
    if (!hear(&second, pid))
        (void)kill(second.pid, SIGTERM);
    assert_int_equal(finish(&second), 5);
    assert_non_null(strstr(second.said, pid));
    assert_int_equal(kill(first.pid, SIGKILL), 0);
    assert_int_equal(finish(&first), -1);
    struct process third = run_okno(args, NULL); /* a lock ends with its process */
    assert_true(hear(&third, "listening on"));
    assert_int_equal(kill(third.pid, SIGTERM), 0);
    assert_int_equal(finish(&third), 0);
}

static void a_backup_on_a_full_disk_names_its_folder_and_leaves_nothing(void **state)
{
    const struct fixture *fixture = *state;
    char folder[128];
    char copy[160];
    (void)snprintf(folder, sizeof(folder), "%s/small", fixture->dir);
    (void)snprintf(copy, sizeof(copy), "%s/okno.db", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (!small_disk_mount(folder, "size=256k,mode=0700"))
        skip();
    const char *const args[] = {"okno", "--data", fixture->dir, "backup", folder, NULL};
    struct process full = run_okno(args, NULL);
    int status = finish(&full);
    bool is_there = access(copy, F_OK) == 0;
    int remounted = mount("none", folder, NULL, MS_REMOUNT, "size=16m,mode=0700");
    struct process roomy = run_okno(args, NULL); /* with room again */
    int roomy_status = finish(&roomy);
    bool is_done = access(copy, F_OK) == 0;
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
    assert_int_not_equal(status, 0);
    assert_non_null(strstr(full.said, "no space left"));
    assert_non_null(strstr(full.said, copy));
    assert_false(is_there);
    assert_int_equal(remounted, 0);
    assert_int_equal(roomy_status, 0);
    assert_true(is_done);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(it_says_when_it_listens_and_ends_with_0_on_sigterm),
        TEST(a_request_that_runs_is_finished_and_new_ones_are_not_taken),
        TEST(systemd_hears_that_it_is_ready_and_that_it_stops),
        TEST(what_keeps_it_from_starting_is_one_clear_line),
        TEST(a_second_one_on_the_same_data_is_refused_and_names_the_first),
        TEST(a_backup_on_a_full_disk_names_its_folder_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
