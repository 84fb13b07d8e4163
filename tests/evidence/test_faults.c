#define _GNU_SOURCE
/* An archive that fails in every way servers fail, through the whole way: what the survey's state
 * and message say, when it is asked again, that nothing is stuck, and that nothing is lost once the
 * fault is over. tools/fault is the archive. */
#include "../support/program.h"
#include "shop.h"

/* One row, one test. */
struct row {
    const char *fault; /* line of the mode file */
    const char *state; /* of the link while it lasts */
    const char *code;  /* of the job */
    const char *says;  /* in the job's message */
    int wait_s;        /* the archive asked for that much */
};

struct faulty {
    struct shop *shop;
    char mode[200];
    char log[200]; /* what the archive was asked */
    int pid;
    char survey[32]; /* of the row at work */
    int rows;
};

/* What a query says of the row's survey: it ends in its condition. */
static const char *said(const struct faulty *f, const char *sql)
{
    char whole[300];
    (void)snprintf(whole, sizeof(whole), "%s = '%s'", sql, f->survey);
    return text_of(f->shop, whole);
}

static void set_fault(const struct faulty *f, const char *line)
{
    FILE *file = fopen(f->mode, "w");
    assert_non_null(file);
    (void)fputs(line, file);
    assert_int_equal(fclose(file), 0);
}

/* A survey of its own, under a fault, with its job. */
static void begin_row(struct faulty *f, const char *fault)
{
    (void)snprintf(f->survey, sizeof(f->survey), "d.0.%d", ++f->rows);
    put_survey(f->shop, f->survey, 100, "yes");
    set_fault(f, fault);
    open_work(f->shop);
    assert_int_equal(plan_jobs(f->shop, AT(3600)), 1);
}

static int start(void **state)
{
    static struct faulty f;
    char program[512];
    char port[16];
    int number = support_free_port();
    f = (struct faulty){.shop = shop_new(NULL)};
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(f.mode, sizeof(f.mode), "%s/mode", f.shop->db->dir);
    (void)snprintf(f.log, sizeof(f.log), "%s/asked", f.shop->db->dir);
    (void)snprintf(program, sizeof(program), "%s/tools/fault", getenv("OKNO_BUILD"));
    const char *const args[] = {program,  "--root", f.shop->root, "--mode", f.mode,
                                "--port", port,     "--log",      f.log,    NULL};
    f.pid = support_program_start(args, number, fixture_path("fault.log"));
    /* One camera: no other one may take over. */
    put(f.shop,
        "UPDATE archives SET url = 'http://127.0.0.1:%d/';"
        "DELETE FROM placements WHERE camera = 'cam2'",
        number);
    f.shop->conf.fetch.deadline_s = 1;
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    struct faulty *f = *state;
    support_program_stop(f->pid);
    shop_free(f->shop);
    return 0;
}

/* Folders and recordings of the camera are asked for and nothing else, and few of them: an archive
 * that fails is not stormed. */
static void check_asked(const struct faulty *f, const char *fault)
{
    char line[1200];
    int count = 0;
    FILE *file = fopen(f->log, "r");
    while (file && fgets(line, sizeof(line), file)) {
        bool known = strcmp(line, "/\n") == 0 || strncmp(line, "/cam1/", 6) == 0;
        if (!known || ++count > 20)
            fail_msg("%s: request %d is for %s", fault, count, line);
    }
    if (file)
        assert_int_equal(fclose(file), 0);
    (void)unlink(f->log);
}

/* While the fault lasts: said, and asked again later. */
static int64_t check_during(struct faulty *f, const struct row *row, int64_t now_us)
{
    struct shop *shop = f->shop;
    char expected[80];
    int64_t began_us = okno_time_monotonic();
    assert_int_equal(run_due(shop, now_us), 1);
    if (okno_time_monotonic() - began_us > 15 * OKNO_SECOND_US)
        fail_msg("%s: took too long", row->fault);
    const char *state = said(f, "SELECT state FROM links WHERE survey");
    const char *message = said(f, "SELECT message FROM jobs WHERE survey");
    (void)snprintf(expected, sizeof(expected), "waiting %s", row->code);
    const char *job = said(f, "SELECT state || ' ' || code FROM jobs WHERE survey");
    if (strcmp(state, row->state) != 0 || strcmp(job, expected) != 0 || !strstr(message, row->says))
        fail_msg("%s: link %s, job %s: %s", row->fault, state, job, message);
    int64_t next_us = strtoll(said(f, "SELECT next_try_at FROM jobs WHERE survey"), NULL, 10);
    if (next_us < now_us + (row->wait_s ? row->wait_s : 15) * OKNO_SECOND_US)
        fail_msg("%s: asked again after %lld s", row->fault,
                 (long long)((next_us - now_us) / OKNO_SECOND_US));
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE owner IS NOT NULL"), 0);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
    check_asked(f, row->fault);
    return next_us;
}

/* Once it is over, everything is done by itself. */
static void check_afterwards(struct faulty *f, const struct row *row, int64_t now_us)
{
    struct shop *shop = f->shop;
    set_fault(f, "none");
    open_work(shop); /* listings are kept for a while by the real clock */
    if (run_due(shop, now_us) != 2)
        fail_msg("%s: not done afterwards: %s", row->fault,
                 text_of(shop, "SELECT group_concat(kind || state || message) FROM jobs"));
    assert_string_equal(said(f, "SELECT state FROM links WHERE survey"), "linked");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE state <> 'done'"), 0);
    assert_string_equal(said(f, "SELECT count(*) FROM evidence WHERE kind = 'still' AND survey"),
                        "1");
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
}

static void run_row(struct faulty *f, const struct row *row)
{
    begin_row(f, row->fault);
    int64_t next_us = check_during(f, row, AT(3600));
    check_afterwards(f, row, next_us);
}

#define ROWS(X)                                                                                    \
    X(a_list_that_does_not_come, "delay list", "unreachable", "timeout", "in time", 0)             \
    X(a_recording_that_does_not_come, "delay file", "unreachable", "timeout", "in time", 0)        \
    X(a_list_byte_by_byte, "drip list", "unreachable", "timeout", "in time", 0)                    \
    X(a_recording_byte_by_byte, "drip file", "unreachable", "timeout", "in time", 0)               \
    X(a_list_cut_short, "truncate list", "unreachable", "protocol", "ended after", 0)              \
    X(a_recording_cut_short, "truncate file", "unreachable", "protocol", "ended after", 0)         \
    X(a_wrong_length, "length file", "unreachable", "protocol", "contradicts", 0)                  \
    X(a_reset_in_the_body, "reset file", "unreachable", "transient", "127.0.0.1", 0)               \
    X(a_redirect_to_loopback, "loopback", "unreachable", "archive_refused", "not followed", 0)     \
    X(a_redirect_to_a_file, "localfile", "unreachable", "archive_refused", "not followed", 0)      \
    X(a_list_without_end, "endless list", "unreachable", "too_large", "bytes allowed", 0)          \
    X(a_recording_without_end, "endless file", "unreachable", "protocol", "more bytes", 0)         \
    X(a_login_page_for_a_list, "login list", "unreachable", "protocol", "login", 0)                \
    X(a_login_page_for_a_recording, "login file", "unreachable", "gone", "replaced", 0)            \
    X(a_recording_a_hundred_bytes_a_second, "trickle file", "unreachable", "timeout", "in time",   \
      0)                                                                                           \
    X(more_than_was_asked, "over file", "unreachable", "protocol", "contradicts", 0)               \
    X(a_recording_gone_behind_its_beginning, "vanish", "unreachable", "gone", "not there", 0)      \
    X(a_recording_replaced_while_it_is_read, "replace", "unreachable", "gone", "replaced", 0)      \
    X(a_playlist_for_a_recording, "playlist", "unreachable", "media", "not a readable recording",  \
      0)                                                                                           \
    X(another_range, "range file", "unreachable", "protocol", "asked for bytes", 0)                \
    X(a_recording_removed_after_listing, "remove", "unreachable", "gone", "not there", 0)          \
    X(status_401, "s401", "unreachable", "archive_auth", "login", 0)                               \
    X(status_403, "s403", "unreachable", "archive_auth", "forbidden", 0)                           \
    X(status_404, "s404", "unreachable", "archive_refused", "check its url", 0)                    \
    X(status_416, "s416 file", "unreachable", "gone", "has changed", 0)                            \
    X(status_429, "s429", "unreachable", "archive_busy", "90 s", 90)                               \
    X(status_500, "s500", "unreachable", "transient", "500", 0)                                    \
    X(status_503, "s503", "unreachable", "archive_busy", "120 s", 120)                             \
    X(status_503_for_a_recording, "s503 file", "unreachable", "archive_busy", "120 s", 120)

#define ROW_TEST(name, fault, state, code, says, wait)                                             \
    static void name##_is_said_waited_for_and_overcome(void **faulty)                              \
    {                                                                                              \
        static const struct row row = {fault, state, code, says, wait};                            \
        run_row(*faulty, &row);                                                                    \
    }
ROWS(ROW_TEST)
#undef ROW_TEST

static void a_skewed_clock_of_the_archive_spoils_nothing(void **state)
{
    struct faulty *f = *state;
    begin_row(f, "skew");
    assert_int_equal(run_due(f->shop, AT(3600)), 2);
    assert_string_equal(said(f, "SELECT state FROM links WHERE survey"), "linked");
    assert_string_equal(said(f, "SELECT count(*) FROM evidence WHERE survey"), "1");
}

/* The link was made; then the recordings cannot be read: what `row` says is of the still. */
static void run_fetch_row(struct faulty *f, const struct row *row)
{
    struct shop *shop = f->shop;
    begin_row(f, "none");
    assert_string_equal(link_now(shop, f->survey, AT(3600)), "linked");
    (void)unlink(f->log);
    set_fault(f, row->fault);
    open_work(shop);
    int64_t began_us = okno_time_monotonic();
    assert_int_equal(run_due(shop, AT(3600)), 2); /* the link stands, the still cannot be had */
    if (okno_time_monotonic() - began_us > 15 * OKNO_SECOND_US)
        fail_msg("%s: took too long", row->fault);
    const char *job = said(f,
                           "SELECT state || ' ' || code FROM jobs WHERE kind = 'still' AND "
                           "survey");
    const char *message = said(f, "SELECT message FROM jobs WHERE kind = 'still' AND survey");
    char expected[80];
    (void)snprintf(expected, sizeof(expected), "%s %s", row->state, row->code);
    if (strcmp(job, expected) != 0 || !strstr(message, row->says))
        fail_msg("%s: still %s: %s", row->fault, job, message);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
    check_asked(f, row->fault);
    set_fault(f, "none");
    open_work(shop);
    assert_int_equal(run_due(shop, LATER), 1);
    assert_string_equal(said(f, "SELECT count(*) FROM evidence WHERE survey"), "1");
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
}

#define FETCH_ROWS(X)                                                                              \
    X(a_still_that_does_not_come, "delay file", "waiting", "timeout", "in time", 0)                \
    X(a_still_byte_by_byte, "drip file", "waiting", "timeout", "in time", 0)                       \
    X(a_still_a_hundred_bytes_a_second, "trickle file", "waiting", "timeout", "in time", 0)        \
    X(a_still_cut_short, "truncate file", "waiting", "protocol", "ended after", 0)                 \
    X(a_still_without_end, "endless file", "waiting", "protocol", "more bytes", 0)                 \
    X(a_still_with_more_than_was_asked, "over file", "waiting", "protocol", "contradicts", 0)      \
    X(a_still_that_is_gone, "remove", "waiting", "gone", "not there", 0)                           \
    X(a_still_gone_behind_its_beginning, "vanish", "waiting", "gone", "not there", 0)              \
    X(a_still_of_a_playlist, "playlist", "waiting", "media", "not a readable recording", 0)        \
    X(a_still_of_another_range, "range file", "waiting", "protocol", "asked for bytes", 0)

#define FETCH_TEST(name, fault, state, code, says, wait)                                           \
    static void name##_is_had_once_it_is_over(void **faulty)                                       \
    {                                                                                              \
        static const struct row row = {fault, state, code, says, wait};                            \
        run_fetch_row(*faulty, &row);                                                              \
    }
FETCH_ROWS(FETCH_TEST)
#undef FETCH_TEST

/* Servers may ignore ranges: what was not asked for is put aside. */
static void all_of_a_recording_for_a_range_is_enough(void **state)
{
    struct faulty *f = *state;
    begin_row(f, "whole");
    if (run_due(f->shop, AT(3600)) != 2)
        fail_msg("%s", text_of(f->shop, "SELECT group_concat(kind || state || message) FROM jobs"));
    assert_string_equal(said(f, "SELECT count(*) FROM evidence WHERE survey"), "1");
    assert_string_equal(fetch_well(f->shop, f->survey, "clip").kind, "clip");
    check_asked(f, "whole");
}

/* nginx with a certificate that nobody vouches for. */
static void
a_certificate_that_is_not_trusted_is_refused_unless_the_archive_is_an_exception(void **state)
{
    (void)state;
    struct shop *shop = shop_new(NULL);
    struct support_nginx tls = {0};
    char directives[600];
    support_certificate(fixture_path("."));
    (void)snprintf(directives, sizeof(directives), "ssl_certificate %s; ssl_certificate_key %s;",
                   fixture_path("cert.pem"), fixture_path("key.pem"));
    support_nginx_start(&tls, shop->root, directives);
    put(shop,
        "UPDATE archives SET url = 'https://127.0.0.1:%d/';"
        "DELETE FROM placements WHERE camera = 'cam2'",
        tls.port);
    open_work(shop);
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, AT(3600)), 1);
    assert_int_equal(run_due(shop, AT(3600)), 1);
    assert_string_equal(text_of(shop, "SELECT state || ' ' || code FROM jobs"), "waiting protocol");
    assert_non_null(strstr(text_of(shop, "SELECT message FROM jobs"), "option ca"));
    put(shop, "UPDATE archives SET options = 'tls=insecure'");
    assert_int_equal(run_due(shop, LATER), 2);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    put(shop, "UPDATE archives SET options = 'ca=%s'", fixture_path("cert.pem"));
    assert_string_equal(fetch_well(shop, "d.0.1", "clip").kind, "clip");
    support_nginx_stop(&tls);
    shop_free(shop);
}

/* A program that is to end waits for no archive. */
static void a_wish_to_stop_is_heard_while_waiting(void **state)
{
    static atomic_bool cancel = true;
    struct faulty *f = *state;
    f->shop->conf.fetch.deadline_s = 30;
    begin_row(f, "delay");
    okno_work_set_cancel(f->shop->work, &cancel);
    int64_t began_us = okno_time_monotonic();
    assert_int_equal(run_due(f->shop, AT(3600)), 1);
    assert_true(okno_time_monotonic() - began_us < 10 * OKNO_SECOND_US);
    assert_string_equal(said(f, "SELECT state || ' ' || code FROM jobs WHERE survey"),
                        "waiting cancelled");
}

#define ROW_ENTRY(name, fault, state, code, says, wait)                                            \
    cmocka_unit_test_setup_teardown(name##_is_said_waited_for_and_overcome, start, stop),
#define FETCH_ENTRY(name, fault, state, code, says, wait)                                          \
    cmocka_unit_test_setup_teardown(name##_is_had_once_it_is_over, start, stop),
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS(ROW_ENTRY) cmocka_unit_test_setup_teardown(
            a_skewed_clock_of_the_archive_spoils_nothing, start, stop),
        cmocka_unit_test(
            a_certificate_that_is_not_trusted_is_refused_unless_the_archive_is_an_exception),
        cmocka_unit_test_setup_teardown(a_wish_to_stop_is_heard_while_waiting, start, stop),
        FETCH_ROWS(FETCH_ENTRY)
            cmocka_unit_test_setup_teardown(all_of_a_recording_for_a_range_is_enough, start, stop),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
