/* What was acknowledged is there: after kill -9 of the real program under load, and on a full disk.
 */
#define _GNU_SOURCE
#include "client.h"
#include "small_disk.h"

#include "okno/token.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/wait.h>

enum { SENDERS = 4, ROUNDS = 4, BATCH = 25 };

/* A device that repeats a batch until it is acknowledged. */
struct sender {
    pthread_t thread;
    char token[OKNO_TOKEN_TEXT];
    int port;
    int acknowledged; /* events 0..acknowledged-1 */
    atomic_int *total;
};

static int make_request(const struct sender *sender, char *request, size_t size)
{
    char body[BATCH * 80];
    size_t used = 0;
    for (int i = 0; i < BATCH; i++) {
        int seq = sender->acknowledged + i;
        used += (size_t)snprintf(body + used, sizeof(body) - used,
                                 "%c{\"seq\":%d,\"time\":\"2026-03-%02dT10:%02d:%02dZ\",\"kind\":"
                                 "\"press\"}",
                                 i ? ',' : '[', seq, seq / 3600 % 28 + 1, seq / 60 % 60, seq % 60);
    }
    body[used++] = ']';
    return snprintf(request, size,
                    "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                    sender->token, used, (int)used, body);
}

/* The status; 0 when the connection died before the answer was whole. */
static int talk(int port, const char *request, size_t len, char *answer, size_t size)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    okno_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        return 0;
    size_t used = 0;
    ssize_t got;
    while ((got = recv(fd, answer + used, size - 1 - used, 0)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    bool whole = used > 0 && answer[used - 1] == ']';
    return got == 0 && whole && strncmp(answer, "HTTP/1.1 202 ", 13) == 0 ? 202 : 0;
}

static void *sender_main(void *arg)
{
    struct sender *sender = arg;
    char request[8192];
    char answer[16384];
    for (;;) {
        int len = make_request(sender, request, sizeof(request));
        if (talk(sender->port, request, (size_t)len, answer, sizeof(answer)) != 202)
            return NULL;
        if (strstr(answer, "\"invalid\"") || strstr(answer, "\"conflict\""))
            return NULL;
        sender->acknowledged += BATCH;
        (void)atomic_fetch_add(sender->total, 1);
    }
}

static pid_t start_program(const char *dir, int *ret_port)
{
    char port_file[100];
    char conf[100];
    int port = 0;
    (void)snprintf(port_file, sizeof(port_file), "%s/port", dir);
    (void)snprintf(conf, sizeof(conf), "%s/okno.conf", dir);
    (void)unlink(port_file);
    FILE *file = fopen(conf, "we");
    assert_non_null(file);
    assert_true(fputs("limits { device_per_min = 1000000 }\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDERR_FILENO);
        (void)execl(getenv("OKNO"), "okno", "--config", conf, "--data", dir, "serve", "--listen",
                    "127.0.0.1:0", "--port-file", port_file, (char *)NULL);
        _exit(127);
    }
    for (int64_t until = okno_time_monotonic() + 20 * OKNO_SECOND_US;
         port == 0 && okno_time_monotonic() < until;) {
        file = fopen(port_file, "re");
        if (!file || fscanf(file, "%d", &port) != 1)
            (void)sched_yield();
        if (file)
            (void)fclose(file);
    }
    assert_true(port > 0);
    *ret_port = port;
    return pid;
}

/* Load it, and kill it once a random number of batches more were acknowledged. */
static void load_and_kill(const char *dir, struct sender *senders, atomic_int *total)
{
    int port = 0;
    unsigned char lot = 0;
    pid_t pid = start_program(dir, &port);
    assert_int_equal(getrandom(&lot, 1, 0), 1);
    int wanted = atomic_load(total) + 1 + lot % 64;
    for (int i = 0; i < SENDERS; i++) {
        senders[i].port = port;
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_main, &senders[i]), 0);
    }
    int64_t until = okno_time_monotonic() + 30 * OKNO_SECOND_US;
    while (atomic_load(total) < wanted && okno_time_monotonic() < until)
        (void)sched_yield();
    assert_int_equal(kill(pid, SIGKILL), 0);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(atomic_load(total) >= wanted);
}

static int64_t count(struct fixture *fixture, const char *sql)
{
    char path[128];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", fixture->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

static void every_acknowledged_event_outlives_kill_9_exactly_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct sender senders[SENDERS] = {0};
    atomic_int total = 0;
    struct okno_err err = {0};
    char sql[300];
    for (int i = 0; i < SENDERS; i++) {
        char device[16];
        (void)snprintf(device, sizeof(device), "D%d", i);
        senders[i].total = &total;
        assert_int_equal(okno_token_add(fixture->db, device, "", 1, senders[i].token, &err), 0);
    }
    for (int round = 0; round < ROUNDS; round++)
        load_and_kill(fixture->dir, senders, &total);
    assert_int_equal(okno_db_check(fixture->db, &err), 0);
    for (int i = 0; i < SENDERS; i++) {
        int n = senders[i].acknowledged;
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM events WHERE device='D%d' AND boot=0 AND seq<%d AND "
                       "kind='press'",
                       i, n);
        assert_int_equal(count(fixture, sql), n);
        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE device='D%d'", i);
        assert_in_range(count(fixture, sql), n, n + BATCH); /* and at most the one in flight */
    }
    assert_int_equal(count(fixture, "SELECT sum(events) FROM device_runs"),
                     count(fixture, "SELECT count(*) FROM events"));
    fixture_free(fixture);
}

/* ---- a disk that fails ---- */

/* One request: 202 counts as acknowledged. */
static int send_batch(struct sender *sender)
{
    char request[8192];
    int len = make_request(sender, request, sizeof(request));
    AUTO_ANSWER answer = client_talk(sender->port, request, (size_t)len);
    sender->acknowledged += answer.status == 202 ? BATCH : 0;
    return answer.status;
}

/* From now on a system call of the program fails, until strace is told to go. */
static pid_t inject(pid_t program, const char *call, const char *error)
{
    char pid_text[16];
    char trace[40];
    char what[80];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDERR_FILENO);
    (void)snprintf(pid_text, sizeof(pid_text), "%d", (int)program);
    (void)snprintf(trace, sizeof(trace), "trace=%s", call);
    (void)snprintf(what, sizeof(what), "inject=%s:error=%s", call, error);
    (void)execlp("strace", "strace", "-f", "-o", "/dev/null", "-e", trace, "-e", what, "-p",
                 pid_text, (char *)NULL);
    _exit(127);
}

/* Until some batches are refused; false: strace cannot do it here. */
static bool is_refused(struct sender *sender, pid_t strace)
{
    int refused = 0;
    int64_t until = okno_time_monotonic() + 30 * OKNO_SECOND_US;
    while (refused < 3) {
        int status = send_batch(sender);
        if (waitpid(strace, NULL, WNOHANG) == strace)
            return false;
        assert_true(okno_time_monotonic() < until);
        assert_true(status == 202 || status == 503 || status == 500);
        refused += status != 202;
    }
    assert_int_equal(kill(strace, SIGINT), 0);
    assert_int_equal(waitpid(strace, NULL, 0), strace);
    return true;
}

static void a_write_that_fails_is_not_acknowledged_and_the_next_ones_are(void **state)
{
    (void)state;
    static const char *const injections[][2] = {
        {"fdatasync", "EIO"}, {"pwrite64", "EIO"}, {"pwrite64", "ENOSPC"}};
    struct fixture *fixture = fixture_new();
    struct okno_err err = {0};
    struct sender sender = {0};
    bool able = true;
    assert_int_equal(okno_token_add(fixture->db, "D1", "", 1, sender.token, &err), 0);
    pid_t pid = start_program(fixture->dir, &sender.port);
    for (size_t i = 0; able && i < OKNO_COUNT(injections); i++) {
        assert_int_equal(send_batch(&sender), 202);
        able = is_refused(&sender, inject(pid, injections[i][0], injections[i][1]));
        for (int j = 0; able && j < 10; j++)
            assert_int_equal(send_batch(&sender), 202);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(okno_db_check(fixture->db, &err), 0);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events"), sender.acknowledged);
    assert_int_equal(count(fixture, "SELECT sum(events) FROM device_runs"), sender.acknowledged);
    fixture_free(fixture);
    if (!able)
        skip();
}

/* ---- a full disk ---- */

static void a_full_disk_answers_503_loses_nothing_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct okno_err err = {0};
    struct sender sender = {0};
    char request[8192];
    (void)snprintf(fixture.dir, sizeof(fixture.dir), "/tmp/okno-disk-XXXXXX");
    assert_non_null(mkdtemp(fixture.dir));
    if (!small_disk_mount(fixture.dir, "size=6m")) {
        (void)rmdir(fixture.dir);
        skip();
    }
    assert_int_equal(okno_db_open(fixture.dir, true, &fixture.db, &err), 0);
    okno_conf_defaults(&fixture.conf);
    fixture.conf.limits.device_per_min = 1000000;
    okno_log_set_level(OKNO_LOG_ERROR + 1);
    assert_int_equal(okno_token_add(fixture.db, "D1", "", 1, sender.token, &err), 0);
    fixture_start(&fixture);
    small_disk_fill(fixture.dir, 3U << 20);

    int refused = 0;
    for (int i = 0; i < 4000 && refused < 3; i++) {
        int len = make_request(&sender, request, sizeof(request));
        AUTO_ANSWER answer = client_talk(fixture_port(&fixture), request, (size_t)len);
        if (answer.status == 202) {
            assert_int_equal(refused, 0);
            sender.acknowledged += BATCH;
            continue;
        }
        refused++;
        assert_int_equal(answer.status, 503);
        assert_string_equal(answer_code(&answer), "no_space");
        assert_string_equal(answer_header(&answer, "Retry-After"), "30");
    }
    assert_int_equal(refused, 3);
    assert_true(sender.acknowledged > 0);
    assert_int_equal(count(&fixture, "SELECT count(*) FROM events"), sender.acknowledged);

    small_disk_empty(fixture.dir);
    for (int i = 0; i < 10; i++) {
        int len = make_request(&sender, request, sizeof(request));
        AUTO_ANSWER answer = client_talk(fixture_port(&fixture), request, (size_t)len);
        assert_int_equal(answer.status, 202);
        sender.acknowledged += BATCH;
    }
    http_server_stop(fixture.server);
    assert_int_equal(okno_db_check(fixture.db, &err), 0);
    assert_int_equal(count(&fixture, "SELECT count(*) FROM events"), sender.acknowledged);
    okno_db_close(fixture.db);
    assert_int_equal(umount2(fixture.dir, MNT_DETACH), 0);
    assert_int_equal(rmdir(fixture.dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_acknowledged_event_outlives_kill_9_exactly_once),
        cmocka_unit_test(a_write_that_fails_is_not_acknowledged_and_the_next_ones_are),
        cmocka_unit_test(a_full_disk_answers_503_loses_nothing_and_goes_on_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
