/* Messages against receivers that fail in all the ways receivers fail: what is kept, when it is
 * tried again, and that nothing is lost, nothing repeated after it was taken, and nothing told that
 * is secret. Time is what the test says it is; only what a receiver does takes real time. */
#define _GNU_SOURCE
#include "../../src/notify/notify.h"
#include "okno/conf.h"
#include "okno/time.h"

#include "../registry/imported.h"
#include "../support/fault.h"
#include "../support/scratch_db.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define S OKNO_SECOND_US
#define NOW (INT64_C(1800000000) * S)
#define SECRET "whsec-never-to-be-seen-0123456789"
#define OLD_SECRET "whsec-the-one-before"
#define TOKEN "123456:never-to-be-seen-token"

enum { DEADLINE_MS = 15000 }; /* a receiver that answers does so before, also on a busy machine */

struct world {
    struct scratch_db *s;
    struct okno_notify_options options;
    struct okno_notify *notify;
    int64_t now_us;
};

static void put_secret(struct scratch_db *s, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/secrets", s->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", s->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->s = scratch_db_new();
    w->now_us = NOW;
    put_secret(w->s, "hook", SECRET "\n");
    put_secret(w->s, "hook-old", OLD_SECRET);
    put_secret(w->s, "bot", TOKEN);
    scratch_db_put(w->s,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES "
                   "(1, 0, 'test', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES "
                   "(1, 'S1', 'Shop <1> & \"Co\"', 'Europe/Moscow');"
                   "INSERT INTO points (import, point, site, name) VALUES "
                   "(1, 'P1', 'S1', 'Till 1');");
    w->options = (struct okno_notify_options){.public_url = "https://okno.example/",
                                              .telegram_url = "",
                                              .allow_private = true,
                                              .deadline_us = DEADLINE_MS * OKNO_MS_US,
                                              .retry_us = 10 * S,
                                              .give_up_us = 24 * 3600 * S,
                                              .photo_wait_us = 60 * S,
                                              .keep_us = 90 * OKNO_DAY_US};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[160];
    okno_notify_close(w->notify);
    static const char *const names[] = {"hook", "hook-old", "bot"};
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        (void)snprintf(command, sizeof(command), "%s/secrets/%s", w->s->dir, names[i]);
        (void)unlink(command);
    }
    (void)snprintf(command, sizeof(command), "%s/secrets", w->s->dir);
    (void)rmdir(command);
    scratch_db_free(w->s);
    free(w);
    return 0;
}

static void open_notify(struct world *w)
{
    assert_int_equal(okno_notify_open(w->s->db, &w->options, &w->notify, &w->s->err), 0);
}

static void destination(struct world *w, const char *row)
{
    struct imported got;
    char text[1200];
    (void)snprintf(
        text, sizeof(text),
        "destination,kind,url,chat,secret,old_secret,language,time_zone,quiet,photo\n%s\n", row);
    assert_int_equal(import_as(w->s->db, &okno_destination_import, text, &got, &w->s->err), 0);
    if (got.result.rejected)
        fail_msg("%s", got.first.text);
}

static void webhook(struct world *w, const char *id, const char *url)
{
    char row[400];
    (void)snprintf(row, sizeof(row), "%s,webhook,%s/hook,,hook,,,,,", id, url);
    destination(w, row);
}

/* An alert as the rules would have opened it. */
static void raise_alert(struct world *w, const char *subject, const char *send_to)
{
    char sql[800];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, "
                   "detail, photo, send_to) VALUES ('negative', 'negative', 'negative/%s', '%s', "
                   "'S1', 'P1', %lld, %lld, '{}', 1, '%s');"
                   "INSERT INTO alert_events (alert, event, at) SELECT max(alert), 'opened', 0 "
                   "FROM alerts",
                   subject, subject, (long long)w->now_us, (long long)w->now_us, send_to);
    scratch_db_put(w->s, sql);
}

/* Turns until nothing is under way; gives when the next thing is due. */
static int64_t settle(struct world *w)
{
    int64_t next_us = INT64_MAX;
    int rc = 1;
    if (!w->notify)
        open_notify(w);
    while (rc == 1) {
        rc = okno_notify_turn(w->notify, w->now_us, S, &next_us, &w->s->err);
        if (rc < 0)
            fail_msg("%s", w->s->err.text);
    }
    return next_us;
}

static json_t *only(struct world *w, size_t place)
{
    json_t *list = NULL;
    assert_int_equal(okno_notify_list(w->s->db, NULL, NULL, 100, &list, &w->s->err), 0);
    assert_true(json_array_size(list) > place);
    json_t *one = json_incref(json_array_get(list, json_array_size(list) - 1 - place));
    json_decref(list);
    return one;
}

/* The n-th message, counted from the oldest. */
static void is(struct world *w, size_t place, const char *state, int attempts)
{
    okno_autojson json_t *one = only(w, place);
    const char *got = json_string_value(json_object_get(one, "state"));
    if (strcmp(got, state) != 0)
        fail_msg("message %zu is %s: %s", place, got,
                 json_string_value(json_object_get(one, "reason")));
    assert_int_equal(json_integer_value(json_object_get(one, "attempts")), attempts);
}

static void reason_has(struct world *w, size_t place, const char *part)
{
    okno_autojson json_t *one = only(w, place);
    const char *reason = json_string_value(json_object_get(one, "reason"));
    if (!strstr(reason, part))
        fail_msg("\"%s\" lacks \"%s\"", reason, part);
}

static const char *header_of(const char *request, const char *name, char ret_value[300])
{
    const char *at = strcasestr(request, name);
    ret_value[0] = '\0';
    if (at)
        (void)snprintf(ret_value, 300, "%.*s", (int)strcspn(at, "\r\n"), at);
    return ret_value;
}

/* --- what each kind of failure leads to */

static const struct fault then_good = FAULT_STATUS("204 No Content");

#define OK_SLOW "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"

static char huge_header[80000];

/* What the first answer is, and what follows: tried again once its time has come (and taken), or
 * dead, or taken at once. */
static const struct failure {
    const char *name;
    struct fault fault;
    enum { AGAIN, DEAD, TAKEN } leads_to;
    int wait_s; /* at least */
    const char *reason;
} failures[] = {
    {"reset", {.kind = FAULT_RESET}, AGAIN, 8, ""},
    {"hang before the header", {.kind = FAULT_HANG}, AGAIN, 8, "no answer in time"},
    {"one byte at a time",
     {.kind = FAULT_DRIP,
      .text = "",
      .more = "HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyy",
      .pause_ms = 20},
     AGAIN,
     8,
     "no answer in time"},
    {"endless header",
     {.kind = FAULT_ENDLESS,
      .text = "HTTP/1.1 200 OK\r\n",
      .more = "X: yyyyyyyyyyyyyyyyyyyyyy\r\n"},
     AGAIN,
     8,
     "header is too long"},
    {"huge header", {.kind = FAULT_REPLY, .text = huge_header}, AGAIN, 8, "header is too long"},
    {"endless body",
     {.kind = FAULT_ENDLESS, .text = "HTTP/1.1 200 OK\r\n\r\n", .more = "zzzzzzzzzzzzzzzzzzzzzzz"},
     TAKEN,
     0,
     ""},
    {"slow body", {.kind = FAULT_DRIP, .text = OK_SLOW, .more = "z", .pause_ms = 20}, TAKEN, 0, ""},
    {"body cut by a reset", {.kind = FAULT_CUT, .text = OK_SLOW}, TAKEN, 0, ""},
    {"301",
     {.kind = FAULT_REPLY,
      .text = "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
     AGAIN,
     60,
     "redirects are not followed"},
    {"400", FAULT_STATUS("400 Bad Request"), DEAD, 0, "(400)"},
    {"401", FAULT_STATUS("401 Unauthorized"), AGAIN, 8, "check address and secret"},
    {"403", FAULT_STATUS("403 Forbidden"), AGAIN, 8, "(403)"},
    {"404", FAULT_STATUS("404 Not Found"), AGAIN, 8, "(404)"},
    {"408", FAULT_STATUS("408 Request Timeout"), AGAIN, 8, "(408)"},
    {"413", FAULT_STATUS("413 Too Large"), DEAD, 0, "(413)"},
    {"429, seconds",
     {.kind = FAULT_REPLY,
      .text = "HTTP/1.1 429 Slow Down\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"},
     AGAIN,
     77,
     "(429)"},
    {"500", FAULT_STATUS("500 Internal Server Error"), AGAIN, 8, "(500)"},
    {"502",
     {.kind = FAULT_REPLY, .text = "HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\n\r\n<html>"},
     AGAIN,
     8,
     "(502)"},
    {"503 with a wait",
     {.kind = FAULT_REPLY,
      .text = "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"},
     AGAIN,
     120,
     "(503)"},
    {"close without an answer", {.kind = FAULT_CLOSE}, AGAIN, 8, "closed without an answer"},
    {"garbage", {.kind = FAULT_REPLY, .text = "\x16\x03\x01 what is this\r\n\r\n"}, AGAIN, 8, ""},
    {"a status line that is none",
     {.kind = FAULT_REPLY, .text = "HTTP/1.1 OK fine\r\n\r\n"},
     AGAIN,
     8,
     ""},
    {"half a header", {.kind = FAULT_REPLY, .text = "HTTP/1.1 200 OK\r\nContent-"}, AGAIN, 8, ""},
    {"another type of content",
     {.kind = FAULT_REPLY,
      .text = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\nhi"},
     TAKEN,
     0,
     ""},
};

static void check_again(struct world *w, const struct failure *f, struct fault_server *server,
                        int64_t next_us)
{
    char first[300];
    char second[300];
    is(w, 0, "waiting", 1);
    reason_has(w, 0, f->reason);
    if (next_us < w->now_us + f->wait_s * S || next_us > w->now_us + (f->wait_s + 10) * S)
        fail_msg("%s: again in %lld s", f->name, (long long)((next_us - w->now_us) / S));
    w->now_us = next_us - 1;
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 1); /* not a moment before */
    w->now_us = next_us;
    (void)settle(w);
    is(w, 0, "sent", 2);
    assert_string_equal(header_of(fault_server_request(server, 0), "Idempotency-Key", first),
                        header_of(fault_server_request(server, 1), "Idempotency-Key", second));
    assert_int_equal(strlen(first), strlen("Idempotency-Key: ") + 32);
}

/* How long the first attempt may take: short where nothing comes, so that the test does not wait.
 */
static int64_t first_deadline_us(const struct fault *fault)
{
    bool nothing = fault->kind == FAULT_HANG || (fault->kind == FAULT_DRIP && !*fault->text);
    bool endless = fault->kind == FAULT_DRIP || fault->kind == FAULT_ENDLESS;
    return nothing ? S / 4 : endless ? 2 * S : DEADLINE_MS * OKNO_MS_US;
}

static void check_failure(struct world *w, const struct failure *f)
{
    const struct fault script[] = {f->fault, then_good};
    struct fault_server *server = fault_server_start(script, 2);
    w->options.deadline_us = first_deadline_us(&f->fault);
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    int64_t next_us = settle(w);
    next_us = settle(w); /* what the last turn under way did not know yet */
    okno_notify_close(w->notify);
    w->notify = NULL;
    w->options.deadline_us = DEADLINE_MS * OKNO_MS_US;
    if (f->leads_to == AGAIN)
        check_again(w, f, server, next_us);
    if (f->leads_to == DEAD) {
        is(w, 0, "dead", 1);
        reason_has(w, 0, f->reason);
    }
    if (f->leads_to == TAKEN)
        is(w, 0, "sent", 1);
    size_t requests = fault_server_requests(server);
    w->now_us += 3600 * S;
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), requests); /* it rests now */
    fault_server_stop(server);
}

static void each_way_to_fail_has_its_consequence(void **state)
{
    (void)state;
    int head = snprintf(huge_header, sizeof(huge_header), "HTTP/1.1 200 OK\r\nX: ");
    memset(huge_header + head, 'y', sizeof(huge_header) - (size_t)head - 5);
    memcpy(huge_header + sizeof(huge_header) - 5, "\r\n\r\n", 5);
    for (size_t i = 0; i < OKNO_COUNT(failures); i++) {
        void *world = NULL;
        print_message("             %s\n", failures[i].name);
        (void)setup(&world);
        check_failure(world, &failures[i]);
        (void)teardown(&world);
    }
}

static void a_wait_may_be_told_as_a_date(void **state)
{
    struct world *w = *state;
    char text[200];
    time_t later = time(NULL) + 300;
    struct tm utc;
    char date[64];
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&later, &utc));
    (void)snprintf(text, sizeof(text),
                   "HTTP/1.1 429 Slow Down\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    const struct fault script[] = {{.kind = FAULT_REPLY, .text = text}};
    struct fault_server *server = fault_server_start(script, 1);
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    (void)settle(w);
    int64_t next_us = settle(w);
    assert_in_range((next_us - w->now_us) / S, 290, 302);
    fault_server_stop(server);
}

static void nobody_at_the_port_is_tried_again(void **state)
{
    struct world *w = *state;
    char url[64];
    webhook(w, "team", fault_refused_url(url));
    raise_alert(w, "D1.0.1", "team");
    (void)settle(w);
    is(w, 0, "waiting", 1);
    assert_in_range((settle(w) - w->now_us) / S, 8, 12);
}

static void a_message_nobody_takes_is_dead_after_a_day_and_can_be_woken(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {FAULT_STATUS("500 Oops")};
    struct fault_server *server = fault_server_start(script, 1);
    int64_t count = 0;
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    int64_t next_us = 0;
    for (int i = 0; i < 100 && next_us != INT64_MAX; i++) {
        (void)settle(w);
        next_us = settle(w);
        if (next_us != INT64_MAX)
            w->now_us = next_us;
    }
    okno_autojson json_t *one = only(w, 0);
    assert_string_equal(json_string_value(json_object_get(one, "state")), "dead");
    assert_in_range(json_integer_value(json_object_get(one, "attempts")), 25, 45);
    assert_in_range((w->now_us - NOW) / S, 24 * 3600, 24 * 3600 + 1);
    reason_has(w, 0, "given up: the receiver is in trouble (500)");
    assert_int_equal(
        okno_notify_retry(w->s->db, 0, w->options.give_up_us, w->now_us, &count, &w->s->err), 0);
    assert_int_equal(count, 1);
    is(w, 0, "waiting", 0);
    fault_server_stop(server);
}

static void order_is_kept_and_the_first_holds_back_the_others(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {FAULT_STATUS("503 Busy"), FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(script, 2);
    webhook(w, "team", fault_server_url(server));
    for (int i = 1; i <= 3; i++) {
        char subject[20];
        (void)snprintf(subject, sizeof(subject), "D1.0.%d", i);
        raise_alert(w, subject, "team");
    }
    (void)settle(w);
    w->now_us = settle(w);
    assert_int_equal(fault_server_requests(server), 1);
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 4);
    for (int i = 1; i <= 3; i++) {
        char part[40];
        (void)snprintf(part, sizeof(part), "\"subject\":\"D1.0.%d\"", i);
        assert_non_null(strstr(fault_server_request(server, (size_t)i), part));
        is(w, (size_t)i - 1, "sent", i == 1 ? 2 : 1);
    }
    fault_server_stop(server);
}

static void a_test_overtakes_what_waits_and_holds_nothing_back(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {FAULT_STATUS("503 Busy"), FAULT_STATUS("200 OK"),
                                   FAULT_STATUS("503 Busy"), FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(script, 4);
    int64_t delivery = 0;
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    (void)settle(w);
    is(w, 0, "waiting", 1);
    for (int i = 0; i < 2; i++) { /* the first is taken, the second fails */
        assert_int_equal(
            okno_notify_test(w->s->db, "team", &w->options, w->now_us, &delivery, &w->s->err), 0);
        (void)settle(w);
    }
    is(w, 1, "sent", 1);
    is(w, 2, "waiting", 1);
    is(w, 0, "waiting", 1);
    scratch_db_put(w->s, "UPDATE deliveries SET next_at = 1 WHERE kind = 'alert'");
    (void)settle(w);
    is(w, 0, "sent", 2);
    is(w, 2, "waiting", 1);
    fault_server_stop(server);
}

static void a_slow_destination_delays_no_other(void **state)
{
    struct world *w = *state;
    const struct fault hang[] = {{.kind = FAULT_HANG}};
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *slow = fault_server_start(hang, 1);
    struct fault_server *quick = fault_server_start(good, 1);
    char id[16];
    char all[512] = "";
    w->options.deadline_us = 60 * S; /* of those that hang: who waited for them would take longer */
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof(id), "slow%d", i);
        webhook(w, id, fault_server_url(slow));
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", id);
    }
    webhook(w, "quick", fault_server_url(quick));
    (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "quick");
    raise_alert(w, "D1.0.1", all);
    raise_alert(w, "D1.0.2", "quick");
    open_notify(w);
    int64_t started_us = okno_time_monotonic();
    int64_t next_us;
    while (fault_server_requests(quick) < 2)
        assert_true(okno_notify_turn(w->notify, w->now_us, S / 20, &next_us, &w->s->err) >= 0);
    assert_true(okno_time_monotonic() - started_us < 30 * S);
    fault_server_stop(slow);
    (void)settle(w);
    fault_server_stop(quick);
}

static void a_message_is_signed_so_that_both_secrets_can_check_it(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 1);
    char row[300];
    char line[300];
    char hex[65];
    (void)snprintf(row, sizeof(row), "team,webhook,%s/hook?a=b,,hook,hook-old,,,,",
                   fault_server_url(server));
    destination(w, row);
    raise_alert(w, "D1.0.1", "team");
    (void)settle(w);
    const char *request = fault_server_request(server, 0);
    const char *body = strstr(request, "\r\n\r\n") + 4;
    (void)header_of(request, "Okno-Signature", line);
    assert_non_null(strstr(line, "t=1800000000,"));
    assert_non_null(strstr(line, notify_sign(SECRET, 1800000000, body, hex)));
    assert_non_null(strstr(line, notify_sign(OLD_SECRET, 1800000000, body, hex)));
    assert_ptr_equal(strstr(request, "POST /hook?a=b HTTP/1.1\r\n"), request);
    okno_autojson json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "event")), "alert.opened");
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "links"), "page")),
                        "https://okno.example/#/surveys/D1.0.1");
    assert_non_null(strstr(json_string_value(json_object_get(json, "text")),
                           "Shop <1> & \"Co\", Till 1, 2027-01-15 11:00:00 Europe/Moscow"));
    fault_server_stop(server);
}

/* --- to one person */

/* An appeal of anna's about a survey at P1, decided as `outcome`. */
static void decide_appeal(struct world *w, int n, const char *outcome)
{
    char sql[900];
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer,"
        " device_offset_us, device_uncertainty_us) VALUES ('D1.0.%d', 'P1', 'S1', %lld, %lld,"
        " 'answered', 'no', 0, 0);"
        "INSERT INTO review_items (item, audit, survey, place, origin, state, part)"
        " VALUES (%d, 'a', 'D1.0.%d', 0, 'targeted', 'decided', 3);"
        "INSERT INTO appeals (appeal, survey, item, asks, comment, user, at, due_at)"
        " VALUES (%d, 'D1.0.%d', %d, 'invalid', 'secret words', 'anna', 0, 1);"
        "INSERT INTO appeal_decisions (appeal, outcome, comment, user, at)"
        " VALUES (%d, '%s', 'secret words', 'vera', 2)",
        n, (long long)NOW, (long long)NOW + 1, n, n, n, n, n, n, outcome);
    scratch_db_put(w->s, sql);
}

static int person(struct world *w, const char *user, const char *to)
{
    okno_err_clear(&w->s->err);
    return okno_notify_person_set(w->s->db, user, to, "root", NOW, &w->s->err);
}

/* Whoever appealed is told once what became of it, where they said that it goes; nobody else is. */
static void who_appealed_is_told_what_became_of_it(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_STATUS("200 OK"), FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 2);
    char row[300];
    scratch_db_put(w->s,
                   "INSERT INTO users (user, name, role, password_hash, language, created_at)"
                   " VALUES ('anna', 'Anna', 'staff', '', 'ru', 0)");
    (void)snprintf(row, sizeof(row), "anna-hook,webhook,%s/hook,,hook,,ru,,,",
                   fault_server_url(server));
    destination(w, row);
    assert_int_equal(person(w, "nobody", "anna-hook"), OKNO_NOT_FOUND);
    assert_int_equal(person(w, "anna", "nowhere"), OKNO_UNKNOWN_REF);
    decide_appeal(w, 1, "reject"); /* before anybody said where to */
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 0);
    assert_int_equal(person(w, "anna", "anna-hook"), 0);
    decide_appeal(w, 2, "partly");
    decide_appeal(w, 3, "withdrawn"); /* by herself */
    (void)settle(w);
    is(w, 0, "sent", 1);
    assert_int_equal(fault_server_requests(server), 1);
    const char *body = strstr(fault_server_request(server, 0), "\r\n\r\n") + 4;
    assert_null(strstr(body, "secret words"));
    okno_autojson json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    const json_t *appeal = json_object_get(json, "appeal");
    assert_string_equal(json_string_value(json_object_get(json, "event")), "appeal.decided");
    assert_string_equal(json_string_value(json_object_get(appeal, "outcome")), "partly");
    assert_int_equal(json_integer_value(json_object_get(appeal, "appeal")), 2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "links"), "page")),
                        "https://okno.example/#/appeals");
    assert_non_null(strstr(json_string_value(json_object_get(json, "text")),
                           "Ваша апелляция удовлетворена частично\nShop <1> & \"Co\", Till 1, "));
    assert_int_equal(person(w, "anna", ""), 0);
    decide_appeal(w, 4, "accept");
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 1);
    fault_server_stop(server);
}

/* --- Telegram */

static void telegram(struct world *w, struct fault_server *server, const char *more)
{
    char row[300];
    w->options.telegram_url = fault_server_url(server);
    (void)snprintf(row, sizeof(row), "boss,telegram,,-1001,bot,,%s", more);
    destination(w, row);
}

static void telegram_gets_escaped_html_in_its_language(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true,\"result\":{}}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "ru,,,");
    raise_alert(w, "D1.0.1", "boss");
    (void)settle(w);
    is(w, 0, "sent", 1);
    const char *request = fault_server_request(server, 0);
    assert_ptr_equal(strstr(request, "POST /bot" TOKEN "/sendMessage HTTP/1.1\r\n"), request);
    assert_non_null(strstr(request, "name=\"chat_id\"\r\n\r\n-1001\r\n"));
    assert_non_null(strstr(request, "name=\"parse_mode\"\r\n\r\nHTML\r\n"));
    assert_non_null(strstr(request,
                           "<b>Отрицательная оценка</b>\n"
                           "Shop &lt;1&gt; &amp; &quot;Co&quot;, Till 1, "));
    assert_non_null(strstr(request, "<a href=\"https://okno.example/#/surveys/D1.0.1\">"));
    fault_server_stop(server);
}

/* An archive that does not answer says what is lost and when; a device that was never heard of is
 * not one that fell silent. */
static void what_is_told_of_archives_and_devices_is_what_is_known(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true,\"result\":{}}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "ru,,,");
    scratch_db_put(w->s,
                   "INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, "
                   "detail, photo, send_to) VALUES ('archive', 'archive', 'a', 'A1', NULL, NULL, "
                   "1, 1, '{\"waiting\":3,\"lost_at\":\"2027-01-20T06:00:00.000Z\"}', 0, 'boss'), "
                   "('archive', 'archive', 'b', 'A2', NULL, NULL, 1, 1, "
                   "'{\"waiting\":4,\"lost_at\":null}', 0, 'boss'), ('q', 'device_quiet', 'c', "
                   "'D1', 'S1', 'P1', 1, 1, '{\"heard\":false}', 0, 'boss'), ('q', 'device_quiet', "
                   "'d', 'D2', 'S1', 'P1', 1, 1, '{\"heard\":true}', 0, 'boss');"
                   "INSERT INTO alert_events (alert, event, at) SELECT alert, 'opened', 0 FROM "
                   "alerts");
    (void)settle(w);
    static const char *const parts[][2] = {
        {"фрагментов записи в ожидании: 3, ", "\nПервый будет стёрт 2027-01-20 06:00:00 UTC\n"},
        {"фрагментов записи в ожидании: 4, ", "UTC\n<a"},
        {"<b>Устройство ни разу не выходило на связь: D1</b>", "привязано с "},
        {"<b>Устройство молчит: D2</b>", "Till 1, с "}};
    for (size_t i = 0; i < OKNO_COUNT(parts); i++)
        for (size_t k = 0; k < 2; k++)
            if (!strstr(fault_server_request(server, i), parts[i][k]))
                fail_msg("%s lacks %s", fault_server_request(server, i), parts[i][k]);
    fault_server_stop(server);
}

/* That one was filed, that it has to be decided, and to whoever appealed what became of it: once,
 * with the same key where the bot was busy, and never what was written in it. */
static void telegram_tells_of_appeals(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {
        FAULT_JSON("200 OK", "{\"ok\":true}"), FAULT_JSON("200 OK", "{\"ok\":true}"),
        FAULT_JSON("429 Too Many Requests",
                   "{\"ok\":false,\"error_code\":429,\"description\":\"x\","
                   "\"parameters\":{\"retry_after\":45}}"),
        FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(script, 4);
    char key[2][60];
    telegram(w, server, "ru,,,");
    scratch_db_put(
        w->s,
        "INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at,"
        " detail, photo, send_to) VALUES ('appeal', 'appeal', 'a', 'appeal:7', 'S1', 'P1',"
        " 1800000000000000, 1, '{\"due_at\":\"2027-01-25T08:00:00.000Z\"}', 0, 'boss'),"
        " ('appeal_due', 'appeal_due', 'b', 'appeal:7', 'S1', 'P1', 1800000000000000, 1,"
        " '{\"due_at\":null}', 0, 'boss');"
        "INSERT INTO alert_events (alert, event, at) SELECT alert, 'opened', 0 FROM alerts;"
        "INSERT INTO users (user, name, role, password_hash, language, created_at)"
        " VALUES ('anna', 'Anna', 'staff', '', 'ru', 0)");
    (void)settle(w);
    assert_int_equal(person(w, "anna", "boss"), 0);
    decide_appeal(w, 1, "accept");
    w->now_us = settle(w);
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 4);
    static const char *const parts[][3] = {
        {"<b>Апелляция ждёт решения: appeal:7</b>\nShop &lt;1&gt; &amp; &quot;Co&quot;, Till 1, ",
         "подана 2027-01-15 11:00:00 Europe/Moscow\nРешить до 2027-01-25 11:00:00 Europe/Moscow\n",
         "<a href=\"https://okno.example/#/appeals\">"},
        {"<b>Апелляцию пора решить: appeal:7</b>\n", "подана 2027-01-15 11:00:00 Europe/Moscow\n",
         "<a href=\"https://okno.example/#/appeals\">"},
        {"<b>Ваша апелляция удовлетворена</b>\nShop &lt;1&gt; &amp; &quot;Co&quot;, Till 1, ",
         "опрос от 2027-01-15 11:00:00 Europe/Moscow\n",
         "<a href=\"https://okno.example/#/appeals\">"}};
    for (size_t i = 0; i < 4; i++) {
        const char *request = fault_server_request(server, i);
        assert_ptr_equal(strstr(request, "POST /bot" TOKEN "/sendMessage HTTP/1.1\r\n"), request);
        assert_null(strstr(request, "secret words"));
        for (size_t k = 0; k < 3; k++)
            if (!strstr(request, parts[i < 3 ? i : 2][k]))
                fail_msg("%s lacks %s", request, parts[i < 3 ? i : 2][k]);
        if (i > 1)
            assert_int_equal(
                sscanf(strstr(request, "Idempotency-Key: "), "Idempotency-Key: %59s", key[i - 2]),
                1);
    }
    assert_string_equal(key[0], key[1]);
    fault_server_stop(server);
}

static void telegram_names_its_own_wait_and_says_no_in_a_good_answer(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {
        FAULT_JSON("429 Too Many Requests",
                   "{\"ok\":false,\"error_code\":429,\"description\":\"x\","
                   "\"parameters\":{\"retry_after\":45}}"),
        FAULT_JSON("200 OK",
                   "{\"ok\":false,\"error_code\":400,\"description\":\"chat not found\"}"),
        FAULT_JSON("200 OK", "<html>a login page of the hotel</html>"),
        FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(script, 4);
    telegram(w, server, "en,,,");
    raise_alert(w, "D1.0.1", "boss");
    raise_alert(w, "D1.0.2", "boss");
    (void)settle(w);
    int64_t next_us = settle(w);
    assert_in_range((next_us - w->now_us) / S, 45, 45);
    w->now_us = next_us;
    (void)settle(w);
    is(w, 0, "dead", 2);
    reason_has(w, 0, "chat not found");
    is(w, 1, "waiting", 1);
    reason_has(w, 1, "none of Telegram's");
    w->now_us = settle(w);
    (void)settle(w);
    is(w, 1, "sent", 2);
    fault_server_stop(server);
}

static const char still_sha[] =
    "c047f77a612675f7899281b8b91cd73af8d8e703d882be5f80fc0810d61f9a32"; /* of the picture below */

/* A still on disk, as the evidence room keeps it. */
static void put_still(struct world *w, const char *survey)
{
    char path[200];
    char sql[600];
    (void)snprintf(path, sizeof(path), "%s/evidence", w->s->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/evidence/c0", w->s->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/evidence/c0/%s", w->s->dir, still_sha);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("JPEG of the moment", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, "
                   "asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us, "
                   "source, requests, bytes_read, software, made_at) VALUES ('%s', 'still', '%s', "
                   "18, 'image/jpeg', 'mjpeg', 'C1', 0, 0, 0, 0, 0, 0, '[]', 1, 1, 'x', 0)",
                   survey, still_sha);
    scratch_db_put(w->s, sql);
}

static void drop_still(struct world *w)
{
    char command[200];
    (void)snprintf(command, sizeof(command), "%s/evidence/c0/%s", w->s->dir, still_sha);
    (void)unlink(command);
    (void)snprintf(command, sizeof(command), "%s/evidence/c0", w->s->dir);
    (void)rmdir(command);
    (void)snprintf(command, sizeof(command), "%s/evidence", w->s->dir);
    (void)rmdir(command);
}

static int64_t disclosures(struct world *w)
{
    int64_t count = 0;
    OKNO_AUTO(okno_db) *db = NULL;
    char path[100];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", w->s->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite,
                                        "SELECT count(*) FROM access_log WHERE action = 'disclose' "
                                        "AND user = 'notify:boss'",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    count = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return count;
}

static void a_photo_goes_along_where_both_say_so_and_is_written_down(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "en,,,true");
    raise_alert(w, "D1.0.1", "boss");
    (void)settle(w);
    is(w, 0, "waiting", 0); /* for its photo */
    assert_int_equal(fault_server_requests(server), 0);
    put_still(w, "D1.0.1");
    w->now_us += 5 * S;
    (void)settle(w);
    is(w, 0, "sent", 1);
    const char *request = fault_server_request(server, 0);
    assert_non_null(strstr(request, "/sendPhoto HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "JPEG of the moment"));
    assert_non_null(strstr(request, "name=\"caption\""));
    assert_int_equal(disclosures(w), 1);
    raise_alert(w, "D1.0.2", "boss"); /* its photo never comes */
    (void)settle(w);
    w->now_us += 61 * S;
    (void)settle(w);
    is(w, 1, "sent", 1);
    assert_non_null(strstr(fault_server_request(server, 1), "/sendMessage HTTP/1.1\r\n"));
    assert_int_equal(disclosures(w), 1);
    drop_still(w);
    fault_server_stop(server);
}

static void a_photo_that_was_changed_stays_here_and_holds_nothing_up(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    char path[200];
    telegram(w, server, "en,,,true");
    put_still(w, "D1.0.1");
    (void)snprintf(path, sizeof(path), "%s/evidence/%.2s/%s", w->s->dir, still_sha, still_sha);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("JPEG of another one", file) >= 0);
    assert_int_equal(fclose(file), 0);
    raise_alert(w, "D1.0.1", "boss");
    (void)settle(w);
    is(w, 0, "sent", 1);
    assert_non_null(strstr(fault_server_request(server, 0), "/sendMessage HTTP/1.1\r\n"));
    drop_still(w);
    fault_server_stop(server);
}

static void a_photo_stays_where_the_destination_does_not_take_photos(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "en,,,false");
    put_still(w, "D1.0.1");
    raise_alert(w, "D1.0.1", "boss");
    (void)settle(w);
    assert_non_null(strstr(fault_server_request(server, 0), "/sendMessage HTTP/1.1\r\n"));
    assert_int_equal(disclosures(w), 0);
    drop_still(w);
    fault_server_stop(server);
}

/* --- quiet hours */

static void what_happens_in_quiet_hours_comes_as_one_digest(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "en,UTC,08:00-09:00,"); /* NOW is 08:00:00 */
    raise_alert(w, "D1.0.1", "boss");
    raise_alert(w, "D1.0.2", "boss");
    int64_t next_us = settle(w);
    assert_int_equal((next_us - NOW) / S, 3600);
    is(w, 0, "held", 0);
    w->now_us = next_us - 1;
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 0);
    w->now_us = next_us;
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 1);
    is(w, 0, "merged", 0);
    is(w, 2, "sent", 1);
    const char *request = fault_server_request(server, 0);
    assert_non_null(strstr(request, "<b>Alerts during quiet hours or in a rush: 2</b>"));
    assert_non_null(strstr(request, "• Negative rating"));
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 1);
    fault_server_stop(server);
}

static void a_single_message_of_quiet_hours_comes_as_itself(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    telegram(w, server, "en,UTC,08:00-09:00,");
    raise_alert(w, "D1.0.1", "boss");
    w->now_us = settle(w);
    (void)settle(w);
    is(w, 0, "sent", 1);
    assert_int_equal(fault_server_requests(server), 1);
    fault_server_stop(server);
}

static void a_rush_is_told_together(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 1);
    webhook(w, "team", fault_server_url(server));
    for (int i = 0; i < NOTIFY_BACKLOG_MAX + 60; i++) {
        char subject[20];
        (void)snprintf(subject, sizeof(subject), "D1.0.%d", i);
        raise_alert(w, subject, "team");
    }
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), NOTIFY_BACKLOG_MAX + 1);
    okno_autojson json_t *digest = json_loads(
        strstr(fault_server_request(server, NOTIFY_BACKLOG_MAX), "\r\n\r\n") + 4, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(digest, "alerts")), NOTIFY_DIGEST_MAX);
    assert_int_equal(json_integer_value(json_object_get(digest, "more")), 10);
    fault_server_stop(server);
}

/* --- rules of safety */

static void a_private_address_is_refused_unless_allowed(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 1);
    char url[64];
    w->options.allow_private = false;
    (void)snprintf(url, sizeof(url), "http://localhost%s", strrchr(fault_server_url(server), ':'));
    webhook(w, "team", fault_server_url(server));
    webhook(w, "named", url);
    raise_alert(w, "D1.0.1", "team named");
    (void)settle(w);
    reason_has(w, 0, "address is private");
    reason_has(w, 1, "address is private");
    assert_int_equal(fault_server_requests(server), 0);
    fault_server_stop(server);
}

/* However an address is written, and whatever a name means by the time it is connected to: what
 * counts is where the connection goes. Names are judged nowhere else, so one that changes its mind
 * between two looks changes nothing. */
static void no_spelling_of_a_private_address_is_connected_to(void **state)
{
    struct world *w = *state;
    static const char *const hosts[] = {
        "127.1",           "0x7f000001",     "2130706433",         "0177.0.0.1",
        "0.0.0.0",         "[::1]",          "[::ffff:127.0.0.1]", "[::127.0.0.1]",
        "localhost",       "localhost.",     "[64:ff9b::7f00:1]",  "[2002:7f00:1::]",
        "169.254.169.254", "10.0.0.1",       "192.168.0.1",        "[fe80::1]",
        "[fd00::1]",       "[::ffff:a00:1]", "127.0.0.1.",         "LOCALHOST"};
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 1);
    const char *port = strrchr(fault_server_url(server), ':');
    char all[520] = "";
    char url[100];
    char id[16];
    w->options.allow_private = false;
    for (size_t i = 0; i < OKNO_COUNT(hosts); i++) {
        (void)snprintf(id, sizeof(id), "d%zu", i);
        (void)snprintf(url, sizeof(url), "http://%s%s", hosts[i], port);
        webhook(w, id, url);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? " " : "", id);
    }
    raise_alert(w, "D1.0.1", all);
    (void)settle(w);
    for (size_t i = 0; i < OKNO_COUNT(hosts); i++) {
        okno_autojson json_t *one = only(w, i);
        const char *reason = json_string_value(json_object_get(one, "reason"));
        const char *was = json_string_value(json_object_get(one, "state"));
        /* Refused for its address, or no address at all for this resolver. */
        if (strcmp(was, "waiting") != 0 ||
            (!strstr(reason, "address is private") && !strstr(reason, "resolve")))
            fail_msg("%s is %s: %s", hosts[i], was, reason);
    }
    assert_int_equal(fault_server_requests(server), 0);
    fault_server_stop(server);
}

static void a_rule_that_names_nobody_known_leaves_a_trace(void **state)
{
    struct world *w = *state;
    raise_alert(w, "D1.0.1", "nobody");
    (void)settle(w);
    is(w, 0, "dead", 0);
    reason_has(w, 0, "no such destination");
}

static void a_secret_that_cannot_be_read_is_told_by_name_only(void **state)
{
    struct world *w = *state;
    char path[128];
    const struct fault good[] = {FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(good, 1);
    webhook(w, "team", fault_server_url(server));
    (void)snprintf(path, sizeof(path), "%s/secrets/hook", w->s->dir);
    assert_int_equal(chmod(path, 0644), 0);
    raise_alert(w, "D1.0.1", "team");
    (void)settle(w);
    is(w, 0, "waiting", 1);
    reason_has(w, 0, "secret hook");
    assert_int_equal(chmod(path, 0600), 0);
    w->now_us = settle(w);
    (void)settle(w);
    is(w, 0, "sent", 2);
    fault_server_stop(server);
}

/* Everything that the program wrote: the database with its log, and what it printed. */
static void no_secret_is_in(const char *path)
{
    FILE *file = fopen(path, "r");
    static const char *const secrets[] = {SECRET, OLD_SECRET, TOKEN};
    if (!file)
        return;
    static char bytes[8 << 20];
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    for (size_t i = 0; i < OKNO_COUNT(secrets); i++)
        if (memmem(bytes, len, secrets[i], strlen(secrets[i])))
            fail_msg("%s holds a secret", path);
}

static void no_secret_is_ever_written_down(void **state)
{
    struct world *w = *state;
    char path[128];
    const struct fault script[] = {
        FAULT_JSON("404 Not Found",
                   "{\"ok\":false,\"error_code\":404,\"description\":\"Not Found\"}"),
        {.kind = FAULT_CLOSE},
        {.kind = FAULT_HANG},
        FAULT_STATUS("500 Oops")};
    struct fault_server *server = fault_server_start(script, 4);
    w->options.deadline_us = S / 2; /* of the one that hangs */
    telegram(w, server, "en,,,");
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "boss team");
    for (int i = 0; i < 4; i++) {
        int64_t next_us = settle(w);
        next_us = settle(w);
        w->now_us = next_us == INT64_MAX ? w->now_us : next_us;
    }
    okno_autojson json_t *list = NULL;
    assert_int_equal(okno_notify_destinations(w->s->db, &list, &w->s->err), 0);
    okno_autofree char *shown = json_dumps(list, 0);
    assert_null(strstr(shown, TOKEN));
    assert_null(strstr(shown, SECRET));
    static const char *const files[] = {"okno.db", "okno.db-wal"};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", w->s->dir, files[i]);
        no_secret_is_in(path);
    }
    fault_server_stop(server);
}

/* --- kill -9 between sending and marking */

static void what_was_sent_when_the_process_died_is_sent_again_with_its_key(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {{.kind = FAULT_HANG}, FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(script, 2);
    char first[300];
    char second[300];
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct okno_err err = {0};
        OKNO_AUTO(okno_db) *db = NULL;
        struct okno_notify *notify = NULL;
        int64_t next_us;
        w->options.deadline_us = 30 * S;
        if (okno_db_open(w->s->dir, false, &db, &err) < 0 ||
            okno_notify_open(db, &w->options, &notify, &err) < 0)
            _exit(1);
        while (okno_notify_turn(notify, w->now_us, S, &next_us, &err) >= 0)
            ;
        _exit(1);
    }
    assert_true(fault_server_await(server, 1)); /* it is with the receiver, unmarked here */
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    is(w, 0, "waiting", 1);
    w->options.deadline_us = 5 * S;
    (void)settle(w);
    assert_int_equal(fault_server_requests(server), 1); /* somebody may still have it */
    w->now_us = settle(w);
    assert_in_range((w->now_us - NOW) / S, 35, 35); /* the dead one's lease */
    (void)settle(w);
    is(w, 0, "sent", 2);
    assert_string_equal(header_of(fault_server_request(server, 0), "Idempotency-Key", first),
                        header_of(fault_server_request(server, 1), "Idempotency-Key", second));
    fault_server_stop(server);
}

static void an_orderly_end_gives_back_what_is_under_way(void **state)
{
    struct world *w = *state;
    const struct fault script[] = {{.kind = FAULT_HANG}, FAULT_STATUS("200 OK")};
    struct fault_server *server = fault_server_start(script, 2);
    int64_t next_us;
    w->options.deadline_us = 30 * S;
    webhook(w, "team", fault_server_url(server));
    raise_alert(w, "D1.0.1", "team");
    open_notify(w);
    assert_int_equal(okno_notify_turn(w->notify, w->now_us, S / 10, &next_us, &w->s->err), 1);
    assert_true(fault_server_await(server, 1));
    okno_notify_close(w->notify);
    w->notify = NULL;
    (void)settle(w);
    is(w, 0, "sent", 1);
    fault_server_stop(server);
}

/* --- destinations */

static void a_destination_that_cannot_be_is_refused_by_its_field(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *row, *field;
    } cases[] = {
        {"d,webhook,ftp://h/,,s,,,,,", "url"},
        {"d,webhook,,,s,,,,,", "url"},
        {"d,webhook,https://a:b@h/,,s,,,,,", "url"},
        {"d,telegram,,,s,,,,,", "chat"},
        {"d,telegram,,12a,s,,,,,", "chat"},
        {"d,telegram,http://x/,12,s,,,,,", "url"},
        {"d,telegram,,@team,,,,,,", "secret"},
        {"d,telegram,,12,s,,de,,,", "language"},
        {"d,telegram,,12,s,,en,Mars/One,,", "time_zone"},
        {"d,telegram,,12,s,,en,,22-08,", "quiet"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct imported got;
        char text[300];
        (void)snprintf(text, sizeof(text),
                       "destination,kind,url,chat,secret,old_secret,language,time_zone,quiet,"
                       "photo\n%s\n",
                       cases[i].row);
        assert_int_equal(import_as(w->s->db, &okno_destination_import, text, &got, &w->s->err), 0);
        assert_int_equal(got.result.rejected, 1);
        assert_string_equal(got.first.field, cases[i].field);
    }
}

static void a_test_message_says_so_and_waits_for_no_quiet_hours(void **state)
{
    struct world *w = *state;
    const struct fault good[] = {FAULT_JSON("200 OK", "{\"ok\":true}")};
    struct fault_server *server = fault_server_start(good, 1);
    int64_t delivery = 0;
    telegram(w, server, "ru,UTC,08:00-09:00,");
    assert_int_equal(
        okno_notify_test(w->s->db, "boss", &w->options, w->now_us, &delivery, &w->s->err), 0);
    (void)settle(w);
    is(w, 0, "sent", 1);
    assert_non_null(strstr(fault_server_request(server, 0), "Проверочное сообщение okno"));
    assert_int_equal(
        okno_notify_test(w->s->db, "who", &w->options, w->now_us, &delivery, &w->s->err),
        OKNO_NOT_FOUND);
    fault_server_stop(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_fail_has_its_consequence),
        TEST(a_wait_may_be_told_as_a_date),
        TEST(nobody_at_the_port_is_tried_again),
        TEST(a_message_nobody_takes_is_dead_after_a_day_and_can_be_woken),
        TEST(order_is_kept_and_the_first_holds_back_the_others),
        TEST(a_test_overtakes_what_waits_and_holds_nothing_back),
        TEST(a_slow_destination_delays_no_other),
        TEST(a_message_is_signed_so_that_both_secrets_can_check_it),
        TEST(who_appealed_is_told_what_became_of_it),
        TEST(telegram_gets_escaped_html_in_its_language),
        TEST(what_is_told_of_archives_and_devices_is_what_is_known),
        TEST(telegram_tells_of_appeals),
        TEST(telegram_names_its_own_wait_and_says_no_in_a_good_answer),
        TEST(a_photo_goes_along_where_both_say_so_and_is_written_down),
        TEST(a_photo_that_was_changed_stays_here_and_holds_nothing_up),
        TEST(a_photo_stays_where_the_destination_does_not_take_photos),
        TEST(what_happens_in_quiet_hours_comes_as_one_digest),
        TEST(a_single_message_of_quiet_hours_comes_as_itself),
        TEST(a_rush_is_told_together),
        TEST(a_private_address_is_refused_unless_allowed),
        TEST(no_spelling_of_a_private_address_is_connected_to),
        TEST(a_rule_that_names_nobody_known_leaves_a_trace),
        TEST(a_secret_that_cannot_be_read_is_told_by_name_only),
        TEST(no_secret_is_ever_written_down),
        TEST(what_was_sent_when_the_process_died_is_sent_again_with_its_key),
        TEST(an_orderly_end_gives_back_what_is_under_way),
        TEST(a_destination_that_cannot_be_is_refused_by_its_field),
        TEST(a_test_message_says_so_and_waits_for_no_quiet_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
