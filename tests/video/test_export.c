/* Recordings that are prepared first (tests/support/recorder.py): the task is always taken away,
 * whatever came of it. */
#define _POSIX_C_SOURCE 200809L
#include "../support/program.h"
#include "../support/recording.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/net.h"
#include "okno/time.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z, as the recorder's first stretch of 60 s. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)
#define AXXON_CHANNEL "SRV/DeviceIpint.1/SourceEndpoint.video:0:0"

static int film(void **state)
{
    int rc = fixture_begin(state);
    fixture_ffmpeg(
        "-f lavfi -i color=black:s=64x48:r=10:d=60 -vf "
        "geq=lum='20+4*mod(N\\,50)':cb=128:cr=128 -c:v libx264 -preset ultrafast "
        "-crf 5 -g 20 -bf 0 film.mp4");
    return rc;
}

struct running {
    int pid;
    char url[64];
    bool tls;
    struct okno_archive *archive;
};

static void serve(struct running *r, const char *server, const char *certificates)
{
    char port[16], path[600];
    int number = support_free_port();
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(path, sizeof(path), "%s", fixture_path("film.mp4"));
    const char *const args[] = {"/usr/bin/python3",
                                "tests/support/recorder.py",
                                port,
                                path,
                                "1773151400",
                                server,
                                certificates,
                                NULL};
    r->pid = support_program_start(args, number, fixture_path("recorder.log"));
    r->tls = certificates != NULL;
    (void)snprintf(r->url, sizeof(r->url), "%s://127.0.0.1:%d", r->tls ? "https" : "http", number);
}

static int open_as(struct running *r, const char *kind, const char *options, int64_t deadline_us,
                   struct okno_err *err)
{
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = kind,
                                               .url = r->url,
                                               .time_zone = "Europe/Moscow",
                                               .user = "anna",
                                               .password = "pass word",
                                               .options = options,
                                               .deadline_us = deadline_us};
    return okno_archive_open(&config, &r->archive, err);
}

static struct running start(const char *server, const char *kind, const char *options,
                            int64_t deadline_us)
{
    struct running r = {0};
    struct okno_err err = {0};
    serve(&r, server, NULL);
    if (open_as(&r, kind, options, deadline_us, &err) < 0)
        fail_msg("%s: %s", server, err.text);
    return r;
}

static void stop(struct running *r)
{
    okno_archive_close(r->archive);
    support_program_stop(r->pid);
}

/* Tasks that the recorder still has, and how many there ever were. */
static int tasks(const struct running *r, int *ret_made)
{
    char url[128];
    OKNO_AUTO(okno_net) *net = NULL;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1024);
    struct okno_net_reply reply = {0};
    const struct okno_net_config config = {.insecure = true};
    int left = -1;
    (void)snprintf(url, sizeof(url), "%s/jobs", r->url);
    assert_int_equal(okno_net_open(&config, &net, NULL), 0);
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), 0);
    assert_int_equal(sscanf(okno_buf_text(&body), "[%d, %d]", &left, ret_made), 2);
    return left;
}

static const struct okno_piece piece_of = {.channel = AXXON_CHANNEL,
                                           .name = "14:03:30..14:03:35",
                                           .from_us = T0 + 10 * SECOND,
                                           .to_us = T0 + 15 * SECOND,
                                           .size = -1,
                                           .format = "mov"};

struct ending {
    const char *server;
    int axxon, trassir; /* codes, 0 for a recording */
    int made;           /* tasks that must have been there */
    bool retry;         /* it says when to come back */
};

static void check_ending(const struct ending *ending, const char *kind, int code)
{
    char server[40];
    struct okno_err err = {0};
    struct okno_source *source = NULL;
    int made = 0;
    (void)snprintf(server, sizeof(server), "%s%s", kind, ending->server);
    const char *options = kind[0] == 't' ? "times=utc" : "";
    struct running r = start(server, kind, options, 5 * SECOND);
    struct okno_budget budget = OKNO_BUDGET_INIT;
    budget.until_us = okno_time_monotonic() + (code ? 4 : 60) * SECOND;
    okno_archive_begin(r.archive, &budget);
    int rc = okno_archive_source(r.archive, &piece_of, &source, &err);
    if (rc != code)
        fail_msg("%s: %d instead of %d, %s", server, rc, code, err.text);
    assert_true(rc < 0 || source->size > 0);
    assert_true(!ending->retry || rc == 0 || err.retry_us > 0);
    int left = tasks(&r, &made);
    if (left != 0 || made != ending->made)
        fail_msg("%s: %d tasks left of %d", server, left, made);
    okno_source_close(source);
    stop(&r);
}

/* Where it does not end well, the whole may take 4 s. */
static void whatever_comes_of_a_task_it_is_taken_away(void **state)
{
    (void)state;
    static const struct ending endings[] = {
        {":behind", 0, 0, 1, false},
        {":never", OKNO_TIMEOUT, OKNO_ARCHIVE_BUSY, 1, false},
        {":queued", OKNO_ARCHIVE_BUSY, OKNO_ARCHIVE_BUSY, 1, true},
        {":fail", OKNO_TRANSIENT, OKNO_TRANSIENT, 1, false},
        {":nothing", OKNO_NO_COVERAGE, OKNO_NO_COVERAGE, 1, false},
        {":lost", OKNO_TRANSIENT, OKNO_TRANSIENT, 1, false},
    };
    for (size_t i = 0; i < OKNO_COUNT(endings); i++) {
        check_ending(&endings[i], "axxon", endings[i].axxon);
        check_ending(&endings[i], "trassir", endings[i].trassir);
    }
}

static void *cancel_soon(void *flag)
{
    const struct timespec wait = {.tv_nsec = 300 * 1000 * 1000};
    (void)nanosleep(&wait, NULL);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void work_that_is_stopped_leaves_no_task(void **state)
{
    (void)state;
    static const char *const kinds[] = {"axxon", "trassir"};
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++) {
        char server[40];
        atomic_bool cancel = false;
        struct okno_budget budget = OKNO_BUDGET_INIT;
        struct okno_err err = {0};
        struct okno_source *source = NULL;
        pthread_t thread;
        int made = 0;
        (void)snprintf(server, sizeof(server), "%s:never", kinds[i]);
        struct running r = start(server, kinds[i], i ? "times=utc" : "", 30 * SECOND);
        budget.cancel = &cancel;
        okno_archive_begin(r.archive, &budget);
        int64_t begun = okno_time_monotonic();
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
        assert_int_equal(okno_archive_source(r.archive, &piece_of, &source, &err), OKNO_CANCELLED);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(okno_time_monotonic() - begun < 5 * SECOND);
        assert_int_equal(tasks(&r, &made), 0);
        assert_int_equal(made, 1);
        /* Neither does work whose time is over. */
        cancel = false;
        err = (struct okno_err){0};
        budget.until_us = okno_time_monotonic() + SECOND;
        okno_archive_begin(r.archive, &budget);
        int rc = okno_archive_source(r.archive, &piece_of, &source, &err);
        if (rc != OKNO_TIMEOUT && rc != OKNO_ARCHIVE_BUSY)
            fail_msg("%s: %d, %s", server, rc, err.text);
        assert_int_equal(tasks(&r, &made), 0);
        assert_true(made >= 2);
        stop(&r);
    }
}

/* The number of the frame that a picture shows, modulo 50. */
static int frame_of(const char *name)
{
    size_t len = 0;
    okno_autofree uint8_t *grey = fixture_grey(name, 0, &len);
    double sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += grey[i];
    double luma = 16 + sum / (double)len * 219 / 255;
    return (int)((luma - 20) / 4 + 0.5);
}

/* Also over the end of a session, and with microseconds that count in the server's own zone. */
static void trassir_gives_the_second_that_was_asked(void **state)
{
    (void)state;
    static const char *const channels[] = {"utc", "local"};
    for (size_t i = 0; i < OKNO_COUNT(channels); i++) {
        struct okno_extract_result result = {0};
        struct okno_err err = {0};
        int made = 0;
        struct running r =
            start("trassir", "trassir", i ? "times=local" : "times=utc", 30 * SECOND);
        const struct okno_extract_camera camera = {.archive = r.archive, .channel = channels[i]};
        for (int k = 0; k < 2; k++) {
            (void)unlink(fixture_path("still.jpg"));
            if (okno_extract_still(&camera, T0 + 77 * SECOND + 450000, fixture_path("still.jpg"),
                                   &result, &err) < 0)
                fail_msg("%s: %s", channels[i], err.text);
            assert_in_range(frame_of("still.jpg"), 23, 25);
            okno_extract_result_free(&result);
        }
        assert_int_equal(tasks(&r, &made), 0);
        assert_int_equal(made, 3); /* one of them the session's end */
        stop(&r);
    }
}

/* Nobody is asked: what is recorded shows when it is exported. */
static void trassir_is_asked_for_half_an_hour_at_most(void **state)
{
    (void)state;
    /* Berlin's hour that happens twice begins at 2025-10-26T00:00:00Z. */
    static const struct {
        int64_t from_us;
        const char *options;
        unsigned flags;
    } cases[] = {{T0, "times=local", 0},
                 {INT64_C(1761354000000000), "times=utc", 0}, /* 2025-10-25T01:00Z */
                 {INT64_C(1761438600000000), "times=local", OKNO_SPAN_AMBIGUOUS}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_AUTO(okno_archive) *archive = NULL;
        OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
        const struct okno_archive_config config = {.archive = "nvr",
                                                   .kind = "trassir",
                                                   .url = "http://127.0.0.1:1",
                                                   .time_zone = "Europe/Berlin",
                                                   .user = "anna",
                                                   .options = cases[i].options};
        int64_t from = cases[i].from_us;
        assert_int_equal(okno_archive_open(&config, &archive, NULL), 0);
        assert_int_equal(
            okno_archive_pieces(archive, "guid", from, from + 7000 * SECOND, &pieces, NULL), 0);
        assert_int_equal(pieces.len, 4);
        for (size_t k = 0; k < pieces.len; k++) {
            assert_true(pieces.items[k].to_us - pieces.items[k].from_us <= 1800 * SECOND);
            assert_int_equal(pieces.items[k].flags & OKNO_SPAN_AMBIGUOUS, cases[i].flags);
        }
        assert_int_equal(pieces.items[3].to_us, from + 7000 * SECOND);
    }
}

static void its_own_certificate_is_taken_only_where_that_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        int code;
    } cases[] = {{"times=utc", OKNO_PROTOCOL}, {"times=utc tls=insecure", 0}};
    char folder[600];
    (void)snprintf(folder, sizeof(folder), "%s", fixture_path("."));
    support_certificate(folder);
    struct running r = {0};
    serve(&r, "trassir", folder);
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct okno_err err = {0};
        struct okno_source *source = NULL;
        assert_int_equal(open_as(&r, "trassir", cases[i].options, 10 * SECOND, &err), 0);
        int rc = okno_archive_source(r.archive, &piece_of, &source, &err);
        if (rc != cases[i].code)
            fail_msg("%s: %d, %s", cases[i].options, rc, err.text);
        assert_null(strstr(err.text, "pass"));
        okno_source_close(source);
        okno_archive_close(r.archive);
    }
    support_program_stop(r.pid);
}

static void a_wrong_login_and_unsaid_times_are_named(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_source *source = NULL;
    struct running r = {0};
    serve(&r, "trassir", NULL);
    assert_int_equal(open_as(&r, "trassir", "", SECOND, &err), OKNO_INVALID);
    assert_string_equal(err.field, "options");
    assert_non_null(strstr(err.text, "times=local or times=utc"));
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "trassir",
                                               .url = r.url,
                                               .user = "anna",
                                               .password = "wrong",
                                               .options = "times=utc"};
    err = (struct okno_err){0};
    assert_int_equal(okno_archive_open(&config, &r.archive, &err), 0);
    assert_int_equal(okno_archive_source(r.archive, &piece_of, &source, &err), OKNO_ARCHIVE_AUTH);
    assert_non_null(strstr(err.text, "invalid username or password"));
    assert_null(strstr(err.text, "wrong"));
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_of_a_task_it_is_taken_away),
        cmocka_unit_test(work_that_is_stopped_leaves_no_task),
        cmocka_unit_test(trassir_gives_the_second_that_was_asked),
        cmocka_unit_test(trassir_is_asked_for_half_an_hour_at_most),
        cmocka_unit_test(its_own_certificate_is_taken_only_where_that_is_said),
        cmocka_unit_test(a_wrong_login_and_unsaid_times_are_named),
    };
    return cmocka_run_group_tests(tests, film, fixture_end);
}
