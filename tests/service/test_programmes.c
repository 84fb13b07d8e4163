#define _GNU_SOURCE
/* Reports of programmes as the service hands them out: into a folder, and by a real mail server. */
#include "../../src/service/programmes.h"
#include "../../src/service/tasks.h"

#include "client.h"

#include "../registry/imported.h"
#include "../report/bundle.h"
#include "../support/mail.h"

#include "okno/conf.h"
#include "okno/notify.h"
#include "okno/programme.h"
#include "okno/time.h"

#include <sodium.h>
#include <sys/stat.h>

/* Noon of the 10th of March 2026, UTC, and days after it. */
#define NOON(day) (INT64_C(1773144000000000) + (day)*OKNO_DAY_US)

struct world {
    struct scratch_db *db;
    struct okno_net *net;
    struct okno_conf conf;
    struct tasks tasks;
    struct support_mail mail;
    char *folder;
    char beacon[300];
    void *means;
};

static int start(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    const struct okno_net_config config = {.schemes = NULL};
    assert_non_null(w);
    w->db = scratch_db_new();
    w->folder = support_tempdir();
    okno_conf_defaults(&w->conf);
    w->tasks = (struct tasks){.data_dir = w->db->dir, .conf = &w->conf};
    (void)snprintf(w->beacon, sizeof(w->beacon), "%s/round-{round}", w->folder);
    add_site(w->db);
    scratch_db_put(
        w->db,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)"
        "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at, closes_at,"
        " state, answer, force_majeure, device_offset_us, device_uncertainty_us)"
        "SELECT printf('d.0.%03d', i), 'p', 'mall', 'q', 'office', 1773144000000000 + i * 60000000,"
        " 1773144015000000 + i * 60000000,"
        " 'answered', CASE WHEN i % 4 = 0 THEN 'no' ELSE 'yes' END, 0, 0, 0 FROM n");
    assert_int_equal(okno_net_open(&config, &w->net, &w->db->err), 0);
    support_mail_start(&w->mail, NULL);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;
    programmes_close(w->means);
    support_mail_stop(&w->mail);
    okno_net_close(w->net);
    support_tempdir_remove(w->folder);
    scratch_db_free(w->db);
    free(w);
    return 0;
}

static void put_rounds(struct world *w)
{
    for (int round = 1; round < 60; round++) {
        char path[400];
        (void)snprintf(path, sizeof(path), "%s/round-%d", w->folder, round);
        okno_autofclose FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fprintf(file,
                            "{\"round\":%d,\"randomness\":\"00112233445566778899aabbccddeeff"
                            "00112233445566778899aabbccddee%02d\"}",
                            round, round) > 0);
    }
}

static void turn(struct world *w, int64_t now_us)
{
    static const struct okno_survey_params params = {0};
    int64_t next_us = 0;
    int rc = 1;
    while (rc == 1)
        rc = okno_programme_turn(w->db->db, w->net, &params, now_us, &next_us, &w->db->err);
    must(w->db, rc);
}

/* A programme whose only day is drawn, decided and closed; nothing more is to be done by itself. */
static void put_programme(struct world *w, const char *name, const char *dir, const char *to)
{
    char sql[500];
    const struct okno_programme programme = {.programme = name,
                                             .title = "",
                                             .zone = "UTC",
                                             .from_day = "2026-03-10",
                                             .size = 10,
                                             .after_min = 60,
                                             .accepted = "",
                                             .accepted_fm = "",
                                             .k = 0.5,
                                             .level = 0.95,
                                             .undeterminable_limit = 0.5,
                                             .beacon = w->beacon,
                                             .genesis_s = 1773100800,
                                             .period_s = 3600,
                                             .looks = 1,
                                             .report_to = to,
                                             .report_dir = dir};
    must(w->db, okno_programme_put(w->db->db, &programme, "eva", NOON(-1), &w->db->err));
    turn(w, NOON(1));
    turn(w, NOON(1) + 3 * 3600 * OKNO_SECOND_US);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version)"
                   " SELECT item, audit, survey, 'eva', 1, 'valid', 1 FROM review_items"
                   " WHERE audit = '%s-20260310';"
                   "UPDATE review_items SET state = 'decided' WHERE audit = '%s-20260310'",
                   name, name);
    scratch_db_put(w->db, sql);
    turn(w, NOON(1) + 4 * 3600 * OKNO_SECOND_US);
    must(w->db, okno_programme_pause(w->db->db, name, true, "eva", NOON(1), &w->db->err));
}

static int work(struct world *w)
{
    int64_t next_us = 0;
    if (!w->means)
        must(w->db, programmes_open(&w->tasks, &w->means, &w->db->err));
    return programmes_work(&w->tasks, w->means, &next_us, &w->db->err);
}

static bool is_there(const struct world *w, const char *name)
{
    char path[400];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    return stat(path, &st) == 0 && st.st_size > 200;
}

static void a_report_that_fails_keeps_no_other_waiting(void **state)
{
    struct world *w = *state;
    put_rounds(w);
    put_programme(w, "broken", "/nowhere/at/all", "");
    put_programme(w, "daily", w->folder, "");
    assert_true(work(w) < 0);
    assert_non_null(strstr(w->db->err.text, "/nowhere/at/all/broken-2026-03-10"));
    okno_err_clear(&w->db->err);
    static const char *const files[] = {"daily-2026-03-10.html", "daily-2026-03-10.pdf",
                                        "daily-2026-03-10.xlsx", "daily-2026-03-10.csv",
                                        "daily-2026-03-10.json"};
    for (size_t i = 0; i < OKNO_COUNT(files); i++)
        if (!is_there(w, files[i]))
            fail_msg("there is no %s", files[i]);
    assert_int_equal(asked(w->db, "SELECT count(*) FROM programme_days WHERE reported_at > 0"), 1);
}

/* What waits is sent as of `later_us` from now on. */
static void send_mail_at(struct world *w, int64_t later_us)
{
    const struct okno_notify_options options = {.public_url = "https://okno.example/",
                                                .telegram_url = "",
                                                .ca_file = "",
                                                .allow_private = true,
                                                .deadline_us = 20 * OKNO_SECOND_US,
                                                .retry_us = 10 * OKNO_SECOND_US,
                                                .give_up_us = OKNO_DAY_US,
                                                .keep_us = OKNO_DAY_US};
    struct okno_notify *notify = NULL;
    int64_t next_us = 0;
    int rc = 1;
    must(w->db, okno_notify_open(w->db->db, &options, &notify, &w->db->err));
    while (rc == 1)
        rc = okno_notify_turn(notify, okno_time_now() + later_us, OKNO_SECOND_US, &next_us,
                              &w->db->err);
    okno_notify_close(notify);
    must(w->db, rc);
}

static void send_mail(struct world *w)
{
    send_mail_at(w, 0);
}

static void put_mailbox(struct world *w, const char *name, int port)
{
    struct imported got;
    char text[300];
    (void)snprintf(text, sizeof(text),
                   "destination,kind,url,address,sender,tls,language\n"
                   "boss,email,smtp://localhost:%d,%s@example.org,okno@example.org,offered,ru\n",
                   port, name);
    assert_int_equal(import_as(w->db->db, &okno_destination_import, text, &got, &w->db->err), 0);
    assert_int_equal(got.result.rejected, 0);
}

#define LONG_NAME "every-day-of-all-the-shops-of-the-town"

/* Some part of the letter says it, once its base64 is read. */
static void decoded_has(const char *letter, const char *text)
{
    for (const char *at = letter; (at = strstr(at, "\r\n\r\n")) != NULL;) {
        size_t len = 0;
        at += 4;
        const char *end = strstr(at, "\r\n--");
        size_t size = strlen(at);
        okno_autofree char *plain = calloc(1, size + 1);
        assert_non_null(plain);
        (void)sodium_base642bin((unsigned char *)plain, size, at, end ? (size_t)(end - at) : size,
                                "\r\n", &len, NULL, sodium_base64_VARIANT_ORIGINAL);
        if (memmem(plain, len, text, strlen(text)))
            return;
    }
    fail_msg("no part says %s", text);
}

static void a_report_is_mailed_once_in_every_format(void **state)
{
    struct world *w = *state;
    put_mailbox(w, "boss", w->mail.port);
    put_rounds(w);
    put_programme(w, LONG_NAME, "", "boss");
    int rc = work(w);
    must(w->db, rc);
    assert_int_equal(rc, 1);
    assert_int_equal(work(w), 0);
    send_mail(w);
    okno_autofree char *letter = support_mail_read(&w->mail, 1);
    okno_autofree char *second = support_mail_read(&w->mail, 2);
    assert_non_null(letter);
    assert_null(second);
    /* In the language of the destination; a day's letter is nobody else's, however long the name.
     */
    static const char *const parts[] = {"\r\nMessage-ID: <" LONG_NAME "-2026-03-10@",
                                        "Content-Type: text/html\r\n",
                                        "Content-Type: text/csv\r\n",
                                        "Content-Type: application/json\r\n",
                                        "spreadsheetml.sheet\r\n",
                                        "application/pdf"};
    for (size_t i = 0; i < OKNO_COUNT(parts); i++)
        if (!strstr(letter, parts[i]))
            fail_msg("the letter lacks %s: %.2000s", parts[i], letter);
    decoded_has(letter, "Во вложении показатели программы " LONG_NAME);
    decoded_has(letter, "Непрерывный контроль: отчёт");
}

/* The server is down, then defers twice, then there is no such mailbox: the letter waits and tells
 * why. */
static void a_report_waits_for_the_mail_server_and_says_why(void **state)
{
    struct world *w = *state;
    struct support_mail down = {.pid = 0};
    support_mail_start(&down, NULL);
    int port = down.port;
    support_mail_stop(&down);
    put_mailbox(w, "later-2", port);
    put_rounds(w);
    put_programme(w, "daily", "", "boss");
    assert_int_equal(work(w), 1);
    send_mail(w);
    assert_int_equal(asked(w->db,
                           "SELECT count(*) FROM deliveries WHERE kind = 'mail' AND"
                           " state = 'waiting' AND reason <> ''"),
                     1);
    put_mailbox(w, "later-2", w->mail.port);
    for (int hour = 1; hour <= 2; hour++) {
        send_mail_at(w, hour * 3600 * OKNO_SECOND_US);
        assert_int_equal(asked(w->db,
                               "SELECT count(*) FROM deliveries WHERE state = 'waiting' AND"
                               " reason LIKE '%come later (451%'"),
                         1);
    }
    send_mail_at(w, 3 * 3600 * OKNO_SECOND_US);
    assert_int_equal(asked(w->db, "SELECT count(*) FROM deliveries WHERE state = 'sent'"), 1);
    okno_autofree char *letter = support_mail_read(&w->mail, 1);
    assert_non_null(strstr(letter, "application/pdf"));
    put_mailbox(w, "gone", w->mail.port);
    put_programme(w, "weekly", "", "boss");
    assert_int_equal(work(w), 1);
    send_mail(w);
    assert_int_equal(asked(w->db,
                           "SELECT count(*) FROM deliveries WHERE state = 'dead' AND"
                           " reason LIKE '%takes no such message (550%'"),
                     1);
}

static struct answer fetch(struct fixture *service, const char *who, const char *path, int status)
{
    struct answer answer = client_request(fixture_port(service), "GET", path, who, NULL);
    if (answer.status != status)
        fail_msg("%s: %d %.300s", path, answer.status, answer.body);
    return answer;
}

#define REPORT "/api/v1/programmes/daily/report"

/* In each format, with the days asked for; and that it left the house is written down. */
static void the_report_is_fetched_over_http(void **state)
{
    struct world *w = *state;
    struct fixture service = {.server = NULL};
    static const char *const formats[][2] = {{"html", "<!DOCTYPE html>"},
                                             {"pdf", "%PDF-"},
                                             {"xlsx", "PK"},
                                             {"csv", "section,block"},
                                             {"json", "{\n"}};
    put_rounds(w);
    put_programme(w, "daily", "", "");
    (void)snprintf(service.dir, sizeof(service.dir), "%s", w->db->dir);
    okno_conf_defaults(&service.conf);
    fixture_user(&service, "eva", "auditor");
    fixture_user(&service, "vera", "expert");
    fixture_start(&service);
    const char *eva = fixture_login(&service, "eva");
    for (size_t i = 0; i < OKNO_COUNT(formats); i++) {
        char path[200];
        (void)snprintf(path, sizeof(path), REPORT "?format=%s&lang=ru", formats[i][0]);
        AUTO_ANSWER answer = fetch(&service, eva, path, 200);
        if (strncasecmp(answer.body, formats[i][1], strlen(formats[i][1])) != 0)
            fail_msg("%s begins %.40s", formats[i][0], answer.body);
        (void)snprintf(path, sizeof(path), "okno-daily-ru.%s", formats[i][0]);
        assert_non_null(strstr(answer_header(&answer, "Content-Disposition"), path));
    }
    AUTO_ANSWER html = fetch(&service, eva, REPORT "?from=2026-03-10&to=2026-03-10", 200);
    assert_non_null(strstr(html.body, "daily-20260310"));
    AUTO_ANSWER none = fetch(&service, eva, "/api/v1/programmes/weekly/report", 404);
    AUTO_ANSWER nowhere = client_request(fixture_port(&service), "POST", "/api/v1/programmes", eva,
                                         "{\"programme\":\"mailed\",\"from\":\"2026-03-10\","
                                         "\"people\":\"ann\",\"report_to\":\"nobody\"}");
    assert_int_equal(nowhere.status, 404);
    assert_non_null(strstr(nowhere.body, "there is no destination"));
    assert_int_equal(asked(w->db, "SELECT count(*) FROM programmes WHERE programme = 'mailed'"), 0);
    AUTO_ANSWER odd = fetch(&service, eva, REPORT "?format=doc", 400);
    AUTO_ANSWER blind = fetch(&service, fixture_login(&service, "vera"), REPORT, 403);
    assert_int_equal(asked(w->db,
                           "SELECT count(*) FROM access_log WHERE action = 'export' AND"
                           " subject = 'programme:daily' AND user = 'eva'"),
                     6);
    http_server_stop(service.server);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_report_that_fails_keeps_no_other_waiting),
        WORLD_TEST(a_report_is_mailed_once_in_every_format),
        WORLD_TEST(a_report_waits_for_the_mail_server_and_says_why),
        WORLD_TEST(the_report_is_fetched_over_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
