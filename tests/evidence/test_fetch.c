#define _GNU_SOURCE
/* Fetching evidence through the whole way, from archives that behave and that do not. */
#include "shop.h"

#include "../support/server.h"

#include "okno/hash.h"

#include <fcntl.h>
#include <time.h>

static int setup(void **state)
{
    *state = shop_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static void assert_file_of(struct shop *shop, const struct okno_evidence *e)
{
    char path[300];
    char hash[OKNO_SHA256_TEXT];
    struct stat st;
    assert_int_equal(okno_evidence_path(shop->db->dir, e->sha256, path, sizeof(path), NULL), 0);
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, e->bytes);
    assert_int_equal(okno_hash_fd(fd, hash, &shop->err), 0);
    assert_string_equal(hash, e->sha256);
}

static void clip_and_still_are_kept_with_where_they_came_from(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    assert_file_of(shop, &clip);
    assert_file_of(shop, &still);
    assert_true(clip.got_from_us <= clip.asked_from_us && clip.got_to_us >= clip.asked_to_us);
    assert_int_equal(clip.view_offset_us, clip.asked_from_us - clip.got_from_us);
    assert_in_range(still.frame_at_us, AT(105) - 199999, AT(105));
    assert_string_equal(clip.media_type, "video/mp4");
    assert_string_equal(still.media_type, "image/jpeg");
    assert_true(clip.requests > 0 && clip.bytes_read > 0);
    assert_non_null(strstr(clip.source, "\"archive\":\"nvr\""));
    assert_non_null(strstr(clip.source, "07-01-00.mp4"));
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 2);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
}

static void a_second_call_asks_the_archive_nothing(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    support_nginx_pause(&shop->nginx);
    open_work(shop);
    assert_string_equal(fetch_well(shop, "d.0.1", "clip").sha256, clip.sha256);
    assert_string_equal(fetch_well(shop, "d.0.1", "still").sha256, still.sha256);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 2);
}

/* A moment of every kind: at a key frame, right before and after a frame, the clip's last picture.
 */
static void a_still_out_of_the_kept_clip_is_the_archives_own(void **state)
{
    struct shop *shop = *state;
    static const double moments[] = {100, 100.1, 100.199999, 100.2, 101.9, 102, 104.999999, 114.9};
    char id[20];
    for (size_t i = 0; i < OKNO_COUNT(moments); i++) {
        (void)snprintf(id, sizeof(id), "d.0.%zu", i);
        put_survey(shop, id, 100, "yes");
        put(shop, "UPDATE surveys SET answered_at = %lld WHERE survey = '%s'",
            (long long)AT(moments[i]), id);
        struct okno_evidence asked = fetch_well(shop, id, "still");
        put(shop, "DELETE FROM evidence_extras; DELETE FROM evidence");
        struct okno_evidence clip = fetch_well(shop, id, "clip");
        struct okno_evidence cut = fetch_well(shop, id, "still");
        assert_int_equal(cut.requests, 0);
        assert_int_equal(cut.frame_at_us, asked.frame_at_us);
        assert_string_equal(cut.sha256, asked.sha256);
        assert_non_null(strstr(cut.source, clip.sha256));
        assert_non_null(strstr(cut.source, "07-01-00.mp4"));
    }
}

static void a_still_of_what_the_archive_lost_comes_out_of_the_clip(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    forget_minutes(shop, "cam1", 0, 5);
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    assert_file_of(shop, &still);
    assert_non_null(strstr(still.source, clip.sha256));
}

static void nothing_is_cut_out_of_a_clip_that_was_damaged(void **state)
{
    struct shop *shop = *state;
    char path[300];
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    assert_int_equal(okno_evidence_path(shop->db->dir, clip.sha256, path, sizeof(path), NULL), 0);
    assert_int_equal(chmod(path, 0600), 0);
    okno_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "x", 1, clip.bytes / 2), 1);
    open_work(shop); /* which remembers nothing that was fetched */
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    assert_true(still.requests > 0);
    assert_null(strstr(still.source, clip.sha256));
}

/* Two desks under one camera. */
static void clips_that_overlap_fetch_what_they_share_once(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 80, "yes");
    put_survey(shop, "d.0.2", 90, "yes");
    struct okno_evidence first = fetch_well(shop, "d.0.1", "clip");
    struct okno_evidence second = fetch_well(shop, "d.0.2", "clip");
    assert_true(second.bytes_read < first.bytes_read / 2);
    assert_true(second.requests <= first.requests);
    assert_file_of(shop, &second);
}

static void a_sampled_survey_whose_still_is_there_does_not_fetch_twice(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 2);
    support_nginx_pause(&shop->nginx);
    open_work(shop);
    put(shop,
        "INSERT INTO jobs (kind, survey, audit, class, state, next_try_at, made_at) VALUES"
        " ('still', 'd.0.1', 'A1', 1, 'waiting', 0, 0)");
    assert_int_equal(run_due(shop, LATER), 1);
    assert_string_equal(text_of(shop, "SELECT state || code FROM jobs WHERE audit = 'A1'"), "done");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 1);
}

static void evidence_whose_file_was_lost_is_fetched_again(void **state)
{
    struct shop *shop = *state;
    char path[300];
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence still = fetch_well(shop, "d.0.1", "still");
    assert_int_equal(okno_evidence_path(shop->db->dir, still.sha256, path, sizeof(path), NULL), 0);
    assert_int_equal(unlink(path), 0);
    struct okno_evidence again = fetch_well(shop, "d.0.1", "still");
    assert_file_of(shop, &again);
    assert_string_equal(again.sha256, still.sha256);
}

static void what_vanished_between_list_and_read_is_gone_not_stuck(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    shop->conf.evidence.stills[0] = 'n'; /* none: the link only */
    assert_int_equal(run_due(shop, LATER), 1);
    forget_minutes(shop, "cam1", 0, 5);
    put(shop,
        "INSERT INTO jobs (kind, survey, audit, class, state, next_try_at, made_at) VALUES"
        " ('clip', 'd.0.1', 'A1', 1, 'waiting', 0, 0)");
    assert_int_equal(run_due(shop, LATER), 1);
    const char *end = text_of(shop, "SELECT state || ' ' || code FROM jobs WHERE kind = 'clip'");
    if (strcmp(end, "done gone") != 0 && strcmp(end, "done no_coverage") != 0)
        fail_msg("%s", end);
    assert_string_not_equal(text_of(shop, "SELECT message FROM jobs WHERE kind = 'clip'"), "");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 0);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
}

static void a_file_cut_short_after_it_was_listed_gives_what_is_left_of_it(void **state)
{
    struct shop *shop = *state;
    struct okno_evidence e = {0};
    put_survey(shop, "d.0.1", 110, "yes"); /* asked for 90..130: two files */
    assert_string_equal(link_now(shop, "d.0.1", LATER), "linked");
    assert_int_equal(truncate(minute_path(shop, "cam1", 2), 3000), 0);
    int rc = fetch_at(shop, "d.0.1", "clip", LATER, &e);
    if (rc == 0) {
        assert_file_of(shop, &e);
        assert_string_not_equal(e.gaps, "[]");
    } else {
        assert_int_equal(rc, OKNO_MEDIA);
    }
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
}

/* ---- archives that misbehave ---- */

struct trouble {
    const char *directives;         /* of nginx, for files or for everything */
    const char *link, *code, *says; /* state of the link; code and part of the message of its job */
};

static void check_trouble(const struct trouble *t)
{
    struct shop *shop = shop_new(t->directives);
    put(shop, "DELETE FROM placements WHERE camera = 'cam2'");
    put_survey(shop, "d.0.1", 100, "yes");
    shop->conf.fetch.deadline_s = 2;
    assert_int_equal(plan_jobs(shop, AT(1000)), 1);
    assert_int_equal(run_due(shop, AT(1000)), 1);
    const char *job = text_of(shop, "SELECT state || ' ' || code FROM jobs");
    const char *message = text_of(shop, "SELECT message FROM jobs");
    const char *link = text_of(shop, "SELECT state FROM links");
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "waiting %s", t->code);
    if (strcmp(link, t->link) != 0 || strcmp(job, expected) != 0 || !strstr(message, t->says))
        fail_msg("with \"%s\": link %s, job %s, \"%s\"", t->directives, link, job, message);
    assert_in_range(int_of(shop, "SELECT next_try_at FROM jobs"), AT(1014), AT(1019));
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 0);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
    shop_free(shop);
}

static void each_trouble_of_an_archive_is_told_and_tried_again(void **state)
{
    static const struct trouble troubles[] = {
        {"location / { return 401; }", "unreachable", "archive_auth", "401"},
        {"location / { return 403; }", "unreachable", "archive_auth", "403"},
        {"location ~ mp4 { return 401; }", "unreachable", "archive_auth", "401"},
        {"location ~ mp4 { add_header Retry-After 7 always; return 503; }", "unreachable",
         "archive_busy", "07-01-00.mp4"},
        {"location ~ mp4 { return 500; }", "unreachable", "transient", "500"},
        {"location / { default_type text/html; return 200 '<html>Please log in</html>'; }",
         "unreachable", "protocol", ""},
        {"location ~ mp4 { default_type text/html; return 200 '<html>Please log in</html>'; }",
         "unreachable", "gone", "07-0"},
        {"location ~ mp4 { return 410; }", "unreachable", "gone", "07-0"},
    };
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(troubles); i++)
        check_trouble(&troubles[i]);
}

static void a_right_password_after_a_wrong_one_goes_on_by_itself(void **state)
{
    struct shop *shop = *state;
    char path[200];
    support_nginx_stop(&shop->nginx);
    support_text(shop->root, ".htpasswd", "okno:{PLAIN}right-one\n");
    char directives[400];
    (void)snprintf(directives, sizeof(directives),
                   "auth_basic nvr; auth_basic_user_file %s/.htpasswd;", shop->root);
    support_nginx_start(&shop->nginx, shop->root, directives);
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files, user, secret) VALUES (1, 'nvr',"
        " 'dir', '%s/', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4', 'okno', 'nvr')",
        shop->nginx.url);
    support_text(shop->db->dir, "secrets/nvr", "wrong-one\n");
    (void)snprintf(path, sizeof(path), "%s/secrets/nvr", shop->db->dir);
    assert_int_equal(chmod(path, 0600), 0);
    put_survey(shop, "d.0.1", 100, "yes");
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(run_due(shop, LATER), 1);
    assert_string_equal(text_of(shop, "SELECT state || ' ' || code FROM jobs"),
                        "waiting archive_auth");
    assert_null(strstr(text_of(shop, "SELECT message FROM jobs"), "wrong-one"));
    support_text(shop->db->dir, "secrets/nvr", "right-one\n");
    assert_int_equal(run_due(shop, LATER + 20 * OKNO_SECOND_US), 2);
    assert_string_equal(text_of(shop, "SELECT state FROM links"), "linked");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), 1);
}

static void use_server(struct shop *shop, const struct support_server *server)
{
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files) VALUES (1, 'nvr', 'dir', '%s/',"
        " '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4');"
        "DELETE FROM placements WHERE camera = 'cam2'",
        support_server_url(server));
}

static void a_stall_ends_with_the_deadline_and_others_do_not_wait_for_it(void **state)
{
    static const struct support_reply stall = {
        .text = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[", .keep = true};
    struct shop *shop = *state;
    struct support_server *server = support_server_start(&stall, 1);
    struct timespec began;
    struct timespec ended;
    use_server(shop, server);
    shop->conf.fetch.deadline_s = 1;
    for (int i = 0; i < 20; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "d.0.%d", i);
        put_survey(shop, id, 100 + i, "yes");
    }
    assert_int_equal(plan_jobs(shop, LATER), 20);
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    assert_int_equal(run_due(shop, LATER), 1); /* the archive is left alone then */
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_in_range(ended.tv_sec - began.tv_sec, 0, 8);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM links WHERE state = 'unreachable'"), 1);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM jobs WHERE state = 'waiting'"), 20);
    assert_string_equal(text_of(shop, "SELECT code FROM archive_turns WHERE failures = 1"),
                        "timeout");
    support_server_stop(server);
}

static void leftovers_of_a_killed_process_go_after_a_day(void **state)
{
    struct shop *shop = *state;
    char path[200];
    int64_t now = okno_time_now();
    (void)snprintf(path, sizeof(path), "%s/evidence/tmp", shop->db->dir);
    support_file(path, "0123456789abcdef.mp4", 100, now - OKNO_DAY_US - 5 * OKNO_SECOND_US);
    support_file(path, "fedcba9876543210.mp4", 100, now - OKNO_DAY_US + 600 * OKNO_SECOND_US);
    assert_int_equal(files_in(shop, "evidence/tmp"), 2);
    open_work(shop);
    assert_int_equal(files_in(shop, "evidence/tmp"), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(clip_and_still_are_kept_with_where_they_came_from),
        CASE(a_still_out_of_the_kept_clip_is_the_archives_own),
        CASE(a_still_of_what_the_archive_lost_comes_out_of_the_clip),
        CASE(nothing_is_cut_out_of_a_clip_that_was_damaged),
        CASE(clips_that_overlap_fetch_what_they_share_once),
        CASE(a_second_call_asks_the_archive_nothing),
        CASE(a_sampled_survey_whose_still_is_there_does_not_fetch_twice),
        CASE(evidence_whose_file_was_lost_is_fetched_again),
        CASE(what_vanished_between_list_and_read_is_gone_not_stuck),
        CASE(a_file_cut_short_after_it_was_listed_gives_what_is_left_of_it),
        cmocka_unit_test(each_trouble_of_an_archive_is_told_and_tried_again),
        CASE(a_right_password_after_a_wrong_one_goes_on_by_itself),
        CASE(a_stall_ends_with_the_deadline_and_others_do_not_wait_for_it),
        CASE(leftovers_of_a_killed_process_go_after_a_day),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
