/* Messages by e-mail through a real mail server: what arrives, and what is kept and tried again
 * when the server refuses, defers or breaks off. Time is what the test says it is. */
#define _GNU_SOURCE
#include "../../src/notify/notify.h"
#include "okno/hash.h"
#include "okno/sandbox.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include "../registry/imported.h"
#include "../support/mail.h"
#include "../support/program.h"
#include "../support/scratch_db.h"
#include "../support/tempdir.h"

#include <sodium.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define S OKNO_SECOND_US
#define NOW (INT64_C(1800000000) * S)
#define PASSWORD "pass-never-to-be-seen-0123456789"

/* Servers that all tests share. */
static struct support_mail plain, starttls, implicit, unkind;
static char *certificates;

static int start_servers(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(okno_sandbox_start(&err), 0);
    char cert[200];
    char key[200];
    certificates = support_tempdir();
    support_certificate(certificates);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", certificates);
    (void)snprintf(key, sizeof(key), "%s/key.pem", certificates);
    const char *const secured[] = {"--tls", cert, key, "--login", "okno", PASSWORD, NULL};
    const char *const wrapped[] = {"--tls",   cert,   key,      "--implicit",
                                   "--login", "okno", PASSWORD, NULL};
    const char *const closed[] = {"--greet-no", NULL};
    support_mail_start(&plain, NULL);
    support_mail_start(&starttls, secured);
    support_mail_start(&implicit, wrapped);
    support_mail_start(&unkind, closed);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    support_mail_stop(&plain);
    support_mail_stop(&starttls);
    support_mail_stop(&implicit);
    support_mail_stop(&unkind);
    support_tempdir_remove(certificates);
    okno_sandbox_stop();
    return 0;
}

struct world {
    struct scratch_db *s;
    struct okno_notify_options options;
    struct okno_notify *notify;
    int64_t now_us;
    char ca_file[200];
};

static void put_secret(struct world *w, const char *name, const char *text)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/secrets", w->s->dir);
    (void)mkdir(path, 0700);
    support_text(path, name, text);
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", w->s->dir, name);
    assert_int_equal(chmod(path, 0600), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->s = scratch_db_new();
    w->now_us = NOW;
    put_secret(w, "mail", PASSWORD "\n");
    put_secret(w, "wrong", "guess");
    scratch_db_put(w->s,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES "
                   "(1, 0, 'test', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES "
                   "(1, 'S1', 'Магазин <1> & \"Ко\"', 'Europe/Moscow');"
                   "INSERT INTO points (import, point, site, name) VALUES "
                   "(1, 'P1', 'S1', 'Касса 1');");
    (void)snprintf(w->ca_file, sizeof(w->ca_file), "%s/cert.pem", certificates);
    w->options = (struct okno_notify_options){.public_url = "https://okno.example/",
                                              .telegram_url = "",
                                              .ca_file = w->ca_file,
                                              .allow_private = true,
                                              .deadline_us = 20 * S,
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
    char path[160];
    okno_notify_close(w->notify);
    static const char *const names[] = {"secrets/mail", "secrets/wrong", "secrets"};
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", w->s->dir, names[i]);
        (void)remove(path);
    }
    scratch_db_free(w->s);
    free(w);
    return 0;
}

/* What comes after the url: address,sender,user,secret,tls,language,quiet,photo. */
static void destination(struct world *w, const char *id, const char *scheme, int port,
                        const char *rest)
{
    struct imported got;
    char text[900];
    (void)snprintf(text, sizeof(text),
                   "destination,kind,url,address,sender,user,secret,tls,language,quiet,photo\n"
                   "%s,email,%s://localhost:%d,%s\n",
                   id, scheme, port, rest);
    assert_int_equal(import_as(w->s->db, &okno_destination_import, text, &got, &w->s->err), 0);
    if (got.result.rejected)
        fail_msg("%s", got.first.text);
}

static void to_plain(struct world *w, const char *local_part, const char *more)
{
    char rest[200];
    (void)snprintf(rest, sizeof(rest), "%s@example.org,okno@example.org,,,offered,%s", local_part,
                   more);
    destination(w, "boss", "smtp", plain.port, rest);
}

static void raise_alert(struct world *w, const char *subject, bool photo)
{
    char sql[800];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, "
                   "detail, photo, send_to) VALUES ('negative', 'negative', 'negative/%s', '%s', "
                   "'S1', 'P1', %lld, %lld, '{}', %d, 'boss');"
                   "INSERT INTO alert_events (alert, event, at) SELECT max(alert), 'opened', 0 "
                   "FROM alerts",
                   subject, subject, (long long)w->now_us, (long long)w->now_us, photo);
    scratch_db_put(w->s, sql);
}

/* Turns until nothing is under way; gives when the next thing is due. */
static int64_t settle(struct world *w)
{
    int64_t next_us = INT64_MAX;
    int rc = 1;
    if (!w->notify)
        assert_int_equal(okno_notify_open(w->s->db, &w->options, &w->notify, &w->s->err), 0);
    while (rc == 1) {
        rc = okno_notify_turn(w->notify, w->now_us, S, &next_us, &w->s->err);
        if (rc < 0)
            fail_msg("%s", w->s->err.text);
    }
    return next_us;
}

static void is(struct world *w, int64_t delivery, const char *state, const char *reason)
{
    okno_autojson json_t *one = NULL;
    assert_int_equal(okno_notify_get(w->s->db, delivery, &one, &w->s->err), 0);
    const char *got = json_string_value(json_object_get(one, "state"));
    const char *why = json_string_value(json_object_get(one, "reason"));
    if (strcmp(got, state) != 0 || !strstr(why, reason))
        fail_msg("message %lld is %s: %s", (long long)delivery, got, why);
}

/* The first column of the first row; valid until the next call. */
static const char *queried(struct world *w, const char *sql)
{
    static char text[200];
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/okno.db", w->s->dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    (void)snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(raw);
    return text;
}

/* How many the server took so far. */
static int taken(const struct support_mail *mail)
{
    for (int count = 0;; count++) {
        okno_autofree char *text = support_mail_read(mail, count + 1);
        if (!text)
            return count;
    }
}

static char *newest(const struct support_mail *mail)
{
    return support_mail_read(mail, taken(mail));
}

/* The text that stands in base64 behind the first empty line after `from`. */
static void decoded(const char *from, char *ret_text, size_t size)
{
    size_t len = 0;
    const char *at = strstr(from, "\r\n\r\n");
    assert_non_null(at);
    const char *end = strstr(at + 4, "\r\n--");
    size_t count = end ? (size_t)(end - at - 4) : strlen(at + 4);
    assert_int_equal(sodium_base642bin((unsigned char *)ret_text, size - 1, at + 4, count, "\r\n",
                                       &len, NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    ret_text[len] = '\0';
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

/* --- what arrives */

static void an_alert_arrives_as_a_letter_in_its_language(void **state)
{
    struct world *w = *state;
    char text[4000];
    to_plain(w, "boss", "ru,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "sent", "");
    okno_autofree char *letter = newest(&plain);
    has(letter, "X-From: okno@example.org\nX-To: boss@example.org\n");
    has(letter, "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n");
    has(letter, "Subject: =?UTF-8?B?");
    has(letter, "Auto-Submitted: auto-generated\r\n");
    decoded(letter, text, sizeof(text));
    has(text,
        "Отрицательная оценка\nМагазин <1> & \"Ко\", Касса 1, 2027-01-15 11:00:00 "
        "Europe/Moscow\n\nОткрыть в okno: https://okno.example/#/surveys/D1.0.1\n");
}

/* An appeal of anna's about a survey at P1, decided. */
static void what_became_of_an_appeal_arrives_as_a_letter(void **state)
{
    struct world *w = *state;
    char text[4000];
    to_plain(w, "anna", "ru,,");
    scratch_db_put(
        w->s,
        "INSERT INTO users (user, name, role, password_hash, language, created_at)"
        " VALUES ('anna', 'Anna', 'staff', '', 'ru', 0);"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer,"
        " device_offset_us, device_uncertainty_us) VALUES ('D1.0.1', 'P1', 'S1', 1800000000000000,"
        " 1800000000000001, 'answered', 'no', 0, 0);"
        "INSERT INTO review_items (item, audit, survey, place, origin, state, part)"
        " VALUES (1, 'a', 'D1.0.1', 0, 'targeted', 'decided', 3);"
        "INSERT INTO appeals (appeal, survey, item, asks, comment, user, at, due_at)"
        " VALUES (1, 'D1.0.1', 1, 'invalid', 'why', 'anna', 0, 1);"
        "INSERT INTO appeal_decisions (appeal, outcome, comment, user, at)"
        " VALUES (1, 'accept', 'because', 'vera', 2)");
    assert_int_equal(okno_notify_person_set(w->s->db, "anna", "boss", "root", NOW, &w->s->err), 0);
    (void)settle(w);
    is(w, 1, "sent", "");
    okno_autofree char *letter = newest(&plain);
    has(letter, "X-To: anna@example.org\n");
    decoded(letter, text, sizeof(text));
    has(text,
        "Ваша апелляция удовлетворена\nМагазин <1> & \"Ко\", Касса 1, опрос от 2027-01-15 11:00:00 "
        "Europe/Moscow\n\nОткрыть в okno: https://okno.example/#/appeals\n");
}

static void a_photo_goes_along_where_both_say_so(void **state)
{
    struct world *w = *state;
    char folder[200];
    char text[4000];
    static const char sha[] = "92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b";
    to_plain(w, "boss", "en,,true");
    (void)snprintf(folder, sizeof(folder), "%s/evidence/92", w->s->dir);
    support_text(folder, sha, "a picture");
    raise_alert(w, "D1.0.1", true);
    (void)settle(w);
    is(w, 1, "waiting", ""); /* for its photo */
    scratch_db_put(
        w->s,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, "
        "asked_from, asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, "
        "source, requests, bytes_read, software, made_at) VALUES ('D1.0.1', 'still', "
        "'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b', 9, "
        "'image/jpeg', 'mjpeg', 'C1', 0, 0, 0, 0, 0, 0, 0, '[]', 0, 0, 'test', 0)");
    w->now_us += 6 * S;
    (void)settle(w);
    is(w, 1, "sent", "");
    okno_autofree char *letter = newest(&plain);
    const char *part = strstr(letter, "Content-Type: image/jpeg");
    assert_non_null(part);
    has(part, "filename=\"photo.jpg\"");
    decoded(part, text, sizeof(text));
    assert_string_equal(text, "a picture");
    assert_string_equal(queried(w, "SELECT user || ' ' || action FROM access_log"),
                        "notify:boss disclose");
    (void)snprintf(folder, sizeof(folder), "rm -r %s/evidence", w->s->dir);
    assert_int_equal(system(folder), 0); // NOLINT(cert-env33-c)
}

/* A white picture of the camera, kept as evidence, and masks over all of it from then on. */
static void keep_masked(struct world *w, char ret_sha[OKNO_SHA256_TEXT], char *ret_path,
                        size_t size)
{
    struct okno_view_masks masks = {0};
    uint8_t digest[OKNO_SHA256_BYTES];
    char made[200];
    char folder[200];
    char sql[900];
    static char bytes[100000];
    (void)snprintf(made, sizeof(made), "%s/white.jpg", w->s->dir);
    const char *args[] = {"ffmpeg",    "-v", "error", "-f", "lavfi", "-i", "color=c=white:s=64x48",
                          "-frames:v", "1",  made,    NULL};
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawnp(&pid, "ffmpeg", NULL, NULL, (char *const *)(void *)args, environ),
                     0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    FILE *file = fopen(made, "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    okno_hash_bytes(bytes, len, digest);
    (void)okno_hash_hex(digest, ret_sha);
    (void)snprintf(folder, sizeof(folder), "%s/evidence/%.2s", w->s->dir, ret_sha);
    support_text(folder, "x", "");
    (void)snprintf(ret_path, size, "%s/%s", folder, ret_sha);
    assert_int_equal(rename(made, ret_path), 0);
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO cameras (import, camera, site, archive, channel) VALUES (1, 'C1', 'S1', 'A', "
        "'1');"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, "
        "asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests, "
        "bytes_read, software, made_at) VALUES ('D1.0.1', 'still', '%s', %zu, 'image/jpeg', "
        "'mjpeg', 'C1', 10, 10, 10, 10, 10, 0, 0, '[]', 0, 0, 'test', 0)",
        ret_sha, len);
    scratch_db_put(w->s, sql);
    assert_int_equal(okno_masks_read("0,0 100,100", &masks, &w->s->err), 0);
    assert_int_equal(okno_masks_set(w->s->db, "C1", 0, &masks, "a", "why", NOW, &w->s->err), 0);
}

static void what_masks_hide_leaves_with_no_photo(void **state)
{
    struct world *w = *state;
    char sha[OKNO_SHA256_TEXT];
    char path[300];
    char kept[20000];
    char sent[20000] = "";
    char command[200];
    int before = taken(&plain);
    to_plain(w, "boss", "en,,true");
    keep_masked(w, sha, path, sizeof(path));
    raise_alert(w, "D1.0.1", true);
    (void)settle(w);
    is(w, 1, "sent", "");
    assert_int_equal(taken(&plain), before + 1);
    okno_autofree char *letter = newest(&plain);
    const char *part = strstr(letter, "Content-Type: image/jpeg");
    assert_non_null(part);
    decoded(part, sent, sizeof(sent));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(kept, 1, sizeof(kept), file);
    (void)fclose(file);
    assert_memory_equal(sent, "\xff\xd8\xff", 3); /* a picture, but another */
    assert_null(memmem(sent, sizeof(sent), kept + len / 2, len / 2 - 2));
    (void)snprintf(command, sizeof(command), "rm -rf %s/cache", w->s->dir);
    assert_int_equal(system(command), 0);     // NOLINT(cert-env33-c)
    assert_int_equal(truncate(path, 100), 0); /* no copy can be made of it any more */
    scratch_db_put(w->s, "UPDATE alerts SET closed_at = 1");
    raise_alert(w, "D1.0.1", true);
    (void)settle(w);
    is(w, 2, "sent", "");
    assert_int_equal(taken(&plain), before + 2);
    okno_autofree char *without = newest(&plain);
    assert_null(strstr(without, "image/jpeg"));
    (void)snprintf(command, sizeof(command), "rm -rf %s/evidence %s/cache", w->s->dir, w->s->dir);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
}

static void a_letter_with_files_is_queued_once_and_arrives_whole(void **state)
{
    struct world *w = *state;
    static char bytes[300000];
    char text[4000];
    int64_t first = 0;
    int64_t again = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31);
    const struct okno_mail_file files[] = {
        {"отчёт.pdf", "application/pdf", bytes, sizeof(bytes)},
        {"figures.csv", "text/csv", "a,b\r\n1,2\r\n", 10},
    };
    struct okno_notify_mail mail = {.destination = "boss",
                                    .subject = "Отчёт за март\r\nBcc: x@example.org",
                                    .text = "Во вложении.\n.\n",
                                    .files = files,
                                    .file_count = 2,
                                    .key = "programme-7-2026-03",
                                    .now_us = NOW,
                                    .give_up_us = w->options.give_up_us};
    to_plain(w, "boss", "ru,,");
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &first, &w->s->err), 0);
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &again, &w->s->err), 0);
    assert_int_equal(first, again);
    int before = taken(&plain);
    (void)settle(w);
    is(w, first, "sent", "");
    assert_int_equal(taken(&plain), before + 1);
    okno_autofree char *letter = newest(&plain);
    has(letter, "Message-ID: <programme-7-2026-03@example.org>\r\n");
    assert_null(strstr(letter, "\r\nBcc"));
    decoded(strstr(letter, "text/plain"), text, sizeof(text));
    assert_string_equal(text, mail.text);
    okno_autofree char *got = malloc(sizeof(bytes) + 10);
    decoded(strstr(letter, "application/pdf"), got, sizeof(bytes) + 10);
    assert_memory_equal(got, bytes, sizeof(bytes));
    decoded(strstr(letter, "text/csv"), text, sizeof(text));
    assert_string_equal(text, "a,b\r\n1,2\r\n");
}

static void what_is_no_letter_is_refused_by_its_field(void **state)
{
    struct world *w = *state;
    struct imported got;
    int64_t delivery = 0;
    static char big[OKNO_NOTIFY_MAIL_BYTES_MAX + 1];
    struct okno_mail_file files[] = {{"a", "text/plain", big, sizeof(big) - 1},
                                     {"b", "text/plain", big, 1}};
    struct okno_notify_mail mail = {.destination = "boss",
                                    .subject = "s",
                                    .text = "t",
                                    .files = files,
                                    .file_count = 2,
                                    .now_us = NOW,
                                    .give_up_us = S};
    to_plain(w, "boss", "ru,,");
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &delivery, &w->s->err), OKNO_TOO_LARGE);
    okno_err_clear(&w->s->err);
    files[1].type = "text plain";
    files[0].len = 0;
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &delivery, &w->s->err), OKNO_INVALID);
    assert_string_equal(w->s->err.field, "files");
    okno_err_clear(&w->s->err);
    mail.file_count = 0;
    mail.key = "a b";
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &delivery, &w->s->err), OKNO_INVALID);
    okno_err_clear(&w->s->err);
    mail.key = NULL;
    mail.destination = "nobody";
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &delivery, &w->s->err), OKNO_NOT_FOUND);
    okno_err_clear(&w->s->err);
    assert_int_equal(
        import_as(w->s->db, &okno_destination_import,
                  "destination,kind,url,secret\nteam,webhook,https://example.org/,hook\n", &got,
                  &w->s->err),
        0);
    mail.destination = "team";
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &delivery, &w->s->err), OKNO_INVALID);
    okno_err_clear(&w->s->err);
}

/* --- what goes wrong */

static const struct failure {
    const char *to, *state, *reason;
} failures[] = {
    {"busy", "waiting", "the mail server asks to come later (451 4.7.1 come back later)"},
    {"gone", "dead",
     "the mail server takes no such message (550 5.1.1 no such mailbox <b>here</b>)"},
    {"full", "waiting", "asks to come later (452 4.2.2 the mailbox is full)"},
    {"big", "dead", "takes no such message (552 5.3.4 the message is too big)"},
    {"cut", "waiting", "cut off before the message was taken"},
};

static void each_way_to_fail_has_its_consequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(failures); i++) {
        void *world = NULL;
        (void)setup(&world);
        struct world *w = world;
        int before = taken(&plain);
        to_plain(w, failures[i].to, "en,,");
        raise_alert(w, "D1.0.1", false);
        (void)settle(w);
        is(w, 1, failures[i].state, failures[i].reason);
        assert_int_equal(taken(&plain), before);
        if (strcmp(failures[i].state, "waiting") == 0)
            assert_in_range((settle(w) - w->now_us) / S, 8, 12);
        (void)teardown(&world);
    }
}

static void a_deferred_letter_is_sent_once_its_time_has_come(void **state)
{
    struct world *w = *state;
    int before = taken(&plain);
    to_plain(w, "later-2", "en,,");
    raise_alert(w, "D1.0.1", false);
    for (int i = 0; i < 2; i++) {
        (void)settle(w);
        is(w, 1, "waiting", "(451");
        w->now_us = settle(w);
    }
    (void)settle(w);
    is(w, 1, "sent", "");
    assert_int_equal(taken(&plain), before + 1);
}

/* Taken, but the connection ended before the server said so: it comes twice, and is known again. */
static void a_letter_whose_receipt_was_lost_comes_again_as_the_same(void **state)
{
    struct world *w = *state;
    int before = taken(&plain);
    to_plain(w, "lost", "en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "waiting", "cut off");
    w->now_us = settle(w);
    (void)settle(w);
    assert_int_equal(taken(&plain), before + 2);
    okno_autofree char *first = support_mail_read(&plain, before + 1);
    okno_autofree char *second = support_mail_read(&plain, before + 2);
    assert_string_equal(first, second);
}

static void without_a_server_or_with_one_that_serves_nobody_it_waits(void **state)
{
    struct world *w = *state;
    destination(w, "boss", "smtp", 1, "boss@example.org,okno@example.org,,,offered,en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "waiting", "connect");
    destination(w, "boss", "smtp", unkind.port, "boss@example.org,okno@example.org,,,offered,en,,");
    w->now_us = settle(w);
    (void)settle(w);
    is(w, 1, "waiting", "the mail server turns us away (554 5.7.1 nobody is served here)");
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
    struct world *w = *state;
    int before = taken(&plain);
    w->options.allow_private = false;
    to_plain(w, "boss", "en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "waiting", "its address is private");
    assert_int_equal(taken(&plain), before);
}

/* --- TLS and the login */

static void with_starttls_the_login_goes_over_tls_only(void **state)
{
    struct world *w = *state;
    destination(w, "boss", "smtp", starttls.port,
                "boss@example.org,okno@example.org,okno,mail,required,en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "sent", "");
    okno_autofree char *letter = newest(&starttls);
    has(letter, "X-Login: okno\nX-Tls: yes\n");
    destination(w, "boss", "smtps", implicit.port,
                "boss@example.org,okno@example.org,okno,mail,required,en,,");
    raise_alert(w, "D1.0.2", false);
    (void)settle(w);
    is(w, 2, "sent", "");
    okno_autofree char *wrapped = newest(&implicit);
    has(wrapped, "X-Login: okno\n");
}

static void a_wrong_password_waits_until_it_is_corrected(void **state)
{
    struct world *w = *state;
    destination(w, "boss", "smtp", starttls.port,
                "boss@example.org,okno@example.org,okno,wrong,required,en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "waiting", "the mail server refuses the login (535");
    destination(w, "boss", "smtp", starttls.port,
                "boss@example.org,okno@example.org,okno,mail,required,en,,");
    w->now_us = settle(w);
    (void)settle(w);
    is(w, 1, "sent", "");
}

static void without_trusted_tls_nothing_is_sent(void **state)
{
    struct world *w = *state;
    int before = taken(&plain) + taken(&starttls);
    destination(w, "boss", "smtp", plain.port,
                "boss@example.org,okno@example.org,okno,mail,required,en,,");
    raise_alert(w, "D1.0.1", false);
    (void)settle(w);
    is(w, 1, "waiting", "it offers no TLS");
    w->options.ca_file = ""; /* nobody vouches for the server any more */
    okno_notify_close(w->notify);
    w->notify = NULL;
    destination(w, "boss", "smtp", starttls.port,
                "boss@example.org,okno@example.org,okno,mail,required,en,,");
    w->now_us += 60 * S;
    (void)settle(w);
    is(w, 1, "waiting", "certificate is not trusted");
    assert_int_equal(taken(&plain) + taken(&starttls), before);
    assert_string_equal(queried(w,
                                "SELECT count(*) FROM deliveries WHERE "
                                "instr(body || reason, '" PASSWORD "') > 0"),
                        "0");
}

/* --- quiet hours, tests, rows */

static void alerts_of_quiet_hours_come_as_one_letter_and_reports_after_them(void **state)
{
    struct world *w = *state;
    char text[4000];
    int64_t report = 0;
    int before = taken(&plain);
    to_plain(w, "boss", "en,07:00-09:00,"); /* it is 08:00 */
    raise_alert(w, "D1.0.1", false);
    raise_alert(w, "D1.0.2", false);
    struct okno_notify_mail mail = {.destination = "boss",
                                    .subject = "Report",
                                    .text = "t",
                                    .now_us = NOW,
                                    .give_up_us = w->options.give_up_us};
    assert_int_equal(okno_notify_mail(w->s->db, &mail, &report, &w->s->err), 0);
    assert_int_equal(settle(w), NOW + 3600 * S);
    assert_int_equal(taken(&plain), before);
    is(w, report, "waiting", "");
    w->now_us = NOW + 3600 * S;
    (void)settle(w);
    (void)settle(w);
    assert_int_equal(taken(&plain), before + 2);
    okno_autofree char *digest = newest(&plain);
    has(digest, "Subject: Alerts during quiet hours or in a rush: 2\r\n");
    decoded(digest, text, sizeof(text));
    has(text, "• Negative rating");
    okno_autofree char *alone = support_mail_read(&plain, before + 1);
    has(alone, "Subject: Report\r\n");
}

static void a_test_letter_says_that_it_is_one(void **state)
{
    struct world *w = *state;
    int64_t delivery = 0;
    to_plain(w, "boss", "en,,");
    assert_int_equal(
        okno_notify_test(w->s->db, "boss", &w->options, w->now_us, &delivery, &w->s->err), 0);
    (void)settle(w);
    is(w, delivery, "sent", "");
    okno_autofree char *letter = newest(&plain);
    has(letter, "Subject: =?UTF-8?B?"); /* longer than one line */
}

static void a_destination_that_cannot_be_is_refused_by_its_field(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *row, *field;
    } cases[] = {
        {"http://mail.example.org,a@b.c,d@e.f,,,", "url"},
        {"smtp://user@mail.example.org,a@b.c,d@e.f,,,", "url"},
        {"smtp://mail.example.org/path,a@b.c,d@e.f,,,", "url"},
        {"smtp://:25,a@b.c,d@e.f,,,", "url"},
        {"smtp://mail.example.org,a b@c.d,d@e.f,,,", "address"},
        {"smtp://mail.example.org,,d@e.f,,,", "address"},
        {"smtp://mail.example.org,a@b.c,\"d@e.f>\",,,", "sender"},
        {"smtp://mail.example.org,a@b.c,d@e.f,me,,", "secret"},
        {"smtp://mail.example.org,a@b.c,d@e.f,,mail,", "secret"},
        {"smtp://mail.example.org,a@b.c,d@e.f,me,mail,offered", "tls"},
        {"smtp://mail.example.org:587,a@b.c,d@e.f,me,mail,", NULL},
        {"smtps://[::1]:465,a@b.c,d@e.f,,,", NULL},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct imported got;
        char text[300];
        (void)snprintf(text, sizeof(text),
                       "destination,kind,url,address,sender,user,secret,tls\nboss,email,%s\n",
                       cases[i].row);
        assert_int_equal(import_as(w->s->db, &okno_destination_import, text, &got, &w->s->err), 0);
        if (got.result.rejected != (cases[i].field != NULL))
            fail_msg("%s: %s", cases[i].row, got.first.text);
        if (cases[i].field)
            assert_string_equal(got.first.field, cases[i].field);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_alert_arrives_as_a_letter_in_its_language),
        TEST(what_became_of_an_appeal_arrives_as_a_letter),
        TEST(a_photo_goes_along_where_both_say_so),
        TEST(what_masks_hide_leaves_with_no_photo),
        TEST(a_letter_with_files_is_queued_once_and_arrives_whole),
        TEST(what_is_no_letter_is_refused_by_its_field),
        cmocka_unit_test(each_way_to_fail_has_its_consequence),
        TEST(a_deferred_letter_is_sent_once_its_time_has_come),
        TEST(a_letter_whose_receipt_was_lost_comes_again_as_the_same),
        TEST(without_a_server_or_with_one_that_serves_nobody_it_waits),
        TEST(a_private_address_is_refused_unless_allowed),
        TEST(with_starttls_the_login_goes_over_tls_only),
        TEST(a_wrong_password_waits_until_it_is_corrected),
        TEST(without_trusted_tls_nothing_is_sent),
        TEST(alerts_of_quiet_hours_come_as_one_letter_and_reports_after_them),
        TEST(a_test_letter_says_that_it_is_one),
        TEST(a_destination_that_cannot_be_is_refused_by_its_field),
    };
    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
