/* The modelled link against arithmetic, and okno's own counts against what went over it. */
#define _GNU_SOURCE
#include "../../tools/link/flow.h"
#include "../support/nginx.h"
#include "../support/tempdir.h"

#include "okno/mem.h"
#include "okno/net.h"
#include "okno/time.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/link/flow.c"

/* A figure within a millionth. */
static void assert_about(double got, double want)
{
    if (got - want > 1e-6 || want - got > 1e-6)
        fail_msg("%f, not %f", got, want);
}

static void bytes_arrive_after_their_length_and_half_a_round_trip(void **state)
{
    (void)state;
    const struct link_config config = {.rtt_s = 0.02, .rate = 1e6, .slow_start = true};
    struct link_side side = {.random = 1};
    struct flow flow;
    flow_start(&flow, &config);
    assert_about(flow_send(&flow, &config, &side, 5000, 10.0), 10.0 + 0.005 + 0.01);
    /* The second waits for the first, also of another connection. */
    struct flow other;
    flow_start(&other, &config);
    assert_about(flow_send(&other, &config, &side, 1000, 10.0), 10.0 + 0.006 + 0.01);
    assert_int_equal(side.bytes, 6000);
}

static void a_window_doubles_each_round_trip_until_the_link_is_full(void **state)
{
    (void)state;
    const struct link_config config = {.rtt_s = 0.1, .rate = 1e7, .slow_start = true};
    struct link_side side = {.random = 1};
    struct flow flow;
    flow_start(&flow, &config);
    size_t rounds[4] = {0};
    for (int round = 0; round < 4; round++) {
        size_t room = 0;
        while ((room = flow_room(&flow, &config, round * 0.1)) > 0) {
            (void)flow_send(&flow, &config, &side, room, round * 0.1);
            rounds[round] += room;
        }
        flow_ack(&flow, &config, rounds[round]);
    }
    assert_int_equal(rounds[0], 10 * FLOW_MSS);
    assert_int_equal(rounds[1], 20 * FLOW_MSS);
    assert_int_equal(rounds[2], 40 * FLOW_MSS);
    assert_int_equal(rounds[3], 80 * FLOW_MSS);
    /* After a silence it begins anew. */
    assert_int_equal(flow_room(&flow, &config, 5.0), FLOW_SEGMENT);
    assert_about(flow.window, 10.0 * FLOW_MSS);
}

static void what_is_lost_goes_twice_and_comes_a_round_trip_later(void **state)
{
    (void)state;
    const struct link_config config = {.rtt_s = 0.02, .rate = 1e6, .loss = 1, .slow_start = true};
    struct link_side side = {.random = 1};
    struct flow flow;
    flow_start(&flow, &config);
    double window = flow.window;
    assert_about(flow_send(&flow, &config, &side, 1000, 1.0), 1.0 + 0.001 + 0.02 + 0.001 + 0.01);
    assert_int_equal(side.bytes, 2000);
    assert_int_equal(side.again, 1000);
    assert_about(flow.window, window / 2);
}

/* --- the program --- */

struct link {
    pid_t pid;
    int port, control;
};

static struct link link_start(const char *folder, int to)
{
    struct link link = {0};
    char program[512];
    char to_text[16];
    char file[512];
    (void)snprintf(program, sizeof(program), "%s/tools/link", getenv("OKNO_BUILD"));
    (void)snprintf(to_text, sizeof(to_text), "%d", to);
    (void)snprintf(file, sizeof(file), "%s/ports", folder);
    link.pid = fork();
    assert_true(link.pid >= 0);
    if (link.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl(program, program, "--to", to_text, "--port-file", file, "--rtt-ms", "20",
                    "--rate-mbit", "80", NULL);
        _exit(127);
    }
    for (;;) {
        okno_autofclose FILE *ports = fopen(file, "re");
        if (ports && fscanf(ports, "%d %d", &link.port, &link.control) == 2)
            return link;
        assert_int_equal(waitpid(link.pid, NULL, WNOHANG), 0);
        (void)usleep(2000);
    }
}

static void okno_counts_what_went_over_the_link(void **state)
{
    (void)state;
    enum { SIZE = 1000000, PART = 300000 };
    char *folder = support_tempdir();
    support_file(folder, "file", SIZE, 0);
    struct support_nginx nginx;
    support_nginx_start(&nginx, folder, NULL);
    struct link link = link_start(folder, nginx.port);
    char url[64];
    char report_url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/file", link.port);
    (void)snprintf(report_url, sizeof(report_url), "http://127.0.0.1:%d/report", link.control);
    OKNO_AUTO(okno_net) *net = NULL;
    assert_int_equal(okno_net_open(&(struct okno_net_config){0}, &net, NULL), 0);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(SIZE);
    struct okno_net_reply reply;
    int64_t begin = okno_time_monotonic();
    for (int i = 0; i < 2; i++)
        assert_int_equal(okno_net_get_range(net, url, i * PART, PART, "", &body, &reply, NULL), 0);
    OKNO_AUTO(okno_net_stream) *stream = NULL;
    assert_int_equal(okno_net_stream_open(net, url, 2 * PART, PART, "", &stream, NULL), 0);
    size_t got = 0;
    char part[PART];
    assert_int_equal(okno_net_stream_read(stream, part, PART, OKNO_SECOND_US * 30, &got, NULL), 0);
    assert_int_equal(got, PART);
    /* A handshake, three round trips, 900,000 bytes at 10 MB/s: it cannot be faster. */
    assert_true(okno_time_monotonic() - begin >= 80000 + 90000);
    assert_int_equal(okno_net_requests(net), 3);
    assert_int_equal(okno_net_bytes(net), 3 * PART);
    OKNO_AUTO(okno_net) *other = NULL;
    assert_int_equal(okno_net_open(&(struct okno_net_config){0}, &other, NULL), 0);
    assert_int_equal(okno_net_get(other, report_url, &body, &reply, NULL), 0);
    long long connections = 0;
    long long requests = 0;
    long long down = 0;
    assert_int_equal(sscanf(okno_buf_text(&body),
                            "{\"connections\":%lld,\"requests\":%lld,\"bytes_down\":%lld",
                            &connections, &requests, &down),
                     3);
    assert_int_equal(connections, 1);
    assert_int_equal(requests, 3);
    assert_in_range(down, 3 * PART, 3 * PART + 3 * 600);
    (void)kill(link.pid, SIGTERM);
    assert_int_equal(waitpid(link.pid, NULL, 0), link.pid);
    support_nginx_stop(&nginx);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_after_their_length_and_half_a_round_trip),
        cmocka_unit_test(a_window_doubles_each_round_trip_until_the_link_is_full),
        cmocka_unit_test(what_is_lost_goes_twice_and_comes_a_round_trip_later),
        cmocka_unit_test(okno_counts_what_went_over_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
