#define _POSIX_C_SOURCE 200809L
#include "programmes.h"

#include "okno/buf.h"
#include "okno/file.h"
#include "okno/log.h"
#include "okno/mail.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/programme.h"
#include "okno/report.h"
#include "okno/text.h"
#include "okno/time.h"
#include "tasks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_DAYS = 30, REPORT_BYTES_MAX = 4 << 20 /* of one format */ };

struct means {
    struct okno_db *db;
    struct okno_net *net;
};

void programmes_close(void *opened)
{
    struct means *means = opened;
    if (!means)
        return;
    okno_net_close(means->net);
    okno_db_close(means->db);
    free(means);
}

int programmes_open(void *context, void **ret_means, struct okno_err *err)
{
    const struct tasks *tasks = context;
    /* An auditor names the beacon by the API, and its answer is published: not this network's. */
    const struct okno_net_config config = {.public_only = !tasks->conf->notify.private_addresses};
    struct means *means = calloc(1, sizeof(*means));
    if (!means)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for programmes");
    int rc = okno_db_open(tasks->data_dir, false, &means->db, err);
    if (rc == 0)
        rc = okno_net_open(&config, &means->net, err);
    if (rc < 0) {
        programmes_close(means);
        return rc;
    }
    *ret_means = means;
    return 0;
}

/* ---- reports ---- */

/* A closed day whose figures were not handed out. */
struct report {
    char programme[OKNO_ID_TEXT], day[16], from[16];
    const char *to, *dir;
    int64_t now_us;
    struct okno_buf made[OKNO_REPORT_FORMATS]; /* empty: not made */
};

static void report_free(struct report *report)
{
    for (int i = 0; i < OKNO_REPORT_FORMATS; i++)
        okno_buf_free(&report->made[i]);
}

static void set_from(struct report *report)
{
    struct okno_civil civil;
    int64_t day_us = 0;
    if (okno_date_parse(report->day, &day_us, NULL) < 0)
        return;
    okno_time_to_civil(day_us - (REPORT_DAYS - 1) * OKNO_DAY_US, &civil);
    (void)snprintf(report->from, sizeof(report->from), "%04d-%02d-%02d", civil.year % 10000,
                   civil.month % 100, civil.day % 100);
}

static int write_file(const struct report *report, enum okno_report_format format,
                      struct okno_err *err)
{
    char path[1200];
    const struct okno_buf *made = &report->made[format];
    (void)snprintf(path, sizeof(path), "%s/%s-%s.%s", report->dir, report->programme, report->day,
                   okno_report_format_name(format));
    return okno_file_put(path, 0644, made->data, made->len, err);
}

static int write_files(const struct report *report, struct okno_err *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < OKNO_REPORT_FORMATS; i++)
        if (report->made[i].len > 0)
            rc = write_file(report, (enum okno_report_format)i, err);
    return rc;
}

static int mail_report(const struct tasks *tasks, struct okno_db *db, const struct report *report,
                       const char *lang, struct okno_err *err)
{
    char subject[160];
    char body[400];
    char names[OKNO_REPORT_FORMATS][100];
    char types[OKNO_REPORT_FORMATS][100];
    char key[100];
    struct okno_mail_file files[OKNO_REPORT_FORMATS];
    size_t count = 0;
    int64_t delivery = 0;
    (void)snprintf(subject, sizeof(subject), "okno: %s, %s", report->programme, report->day);
    (void)okno_report_programme_letter(lang, report->programme, REPORT_DAYS, report->day, body,
                                       sizeof(body));
    (void)snprintf(key, sizeof(key), "%s-%s", report->programme, report->day);
    for (int i = 0; i < OKNO_REPORT_FORMATS; i++) {
        if (report->made[i].len == 0)
            continue;
        (void)snprintf(names[i], sizeof(names[i]), "%s-%s.%s", report->programme, report->day,
                       okno_report_format_name((enum okno_report_format)i));
        const char *type = okno_report_format_type((enum okno_report_format)i);
        (void)snprintf(types[i], sizeof(types[i]), "%.*s", (int)strcspn(type, ";"), type);
        files[count++] = (struct okno_mail_file){
            names[i], types[i], (const char *)report->made[i].data, report->made[i].len};
    }
    const struct okno_notify_mail mail = {.destination = report->to,
                                          .subject = subject,
                                          .text = body,
                                          .files = files,
                                          .file_count = count,
                                          .key = key,
                                          .now_us = report->now_us,
                                          .give_up_us =
                                              okno_notify_options_of(tasks->conf).give_up_us};
    return okno_notify_mail(db, &mail, &delivery, err);
}

/* Without okno-paper there are three formats instead of five. */
static int make_formats(const json_t *model, const char *lang, struct report *report,
                        struct okno_err *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < OKNO_REPORT_FORMATS; i++) {
        struct okno_err why = {0};
        okno_buf_free(&report->made[i]);
        report->made[i] = (struct okno_buf)OKNO_BUF_INIT(REPORT_BYTES_MAX);
        rc = okno_report_write(model, (enum okno_report_format)i, lang, &report->made[i], &why);
        if (rc == OKNO_UNSUPPORTED)
            rc = 0;
        if (rc < 0)
            rc = okno_fail(err, rc, "%s", why.text);
    }
    return rc;
}

static int hand_out(const struct tasks *tasks, struct okno_db *db, struct report *report,
                    struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    char lang[8];
    int rc = okno_report_programme(db, report->programme, report->from, report->day, report->now_us,
                                   &model, err);
    if (rc == 0 && *report->dir)
        rc = make_formats(model, strcmp(tasks->conf->service.language, "ru") == 0 ? "ru" : "en",
                          report, err);
    if (rc == 0 && *report->dir)
        rc = write_files(report, err);
    if (rc == 0 && *report->to)
        rc = okno_notify_language(db, report->to, lang, err);
    if (rc == 0 && *report->to)
        rc = make_formats(model, lang, report, err);
    if (rc == 0 && *report->to)
        rc = mail_report(tasks, db, report, lang, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "programme.set_reported", NULL, err,
                                OKNO_TEXT("programme", report->programme),
                                OKNO_TEXT("day", report->day), OKNO_INT("now", report->now_us));
}

/* 1: one was handed out. */
static int report_programme(const struct tasks *tasks, struct okno_db *db, const json_t *status,
                            struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    const json_t *settings = json_object_get(status, "settings");
    const char *programme = json_string_value(json_object_get(status, "programme"));
    __attribute__((cleanup(report_free))) struct report report = {
        .to = json_string_value(json_object_get(settings, "report_to")),
        .dir = json_string_value(json_object_get(settings, "report_dir")),
        .now_us = okno_time_now()};
    if (!report.to || !report.dir || !(*report.to || *report.dir))
        return 0;
    int rc =
        OKNO_DB_PREPARE(db, "programme.unreported", &row, err, OKNO_TEXT("programme", programme));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc;
    okno_stmt_copy(row, "day", report.day, sizeof(report.day));
    okno_stmt_reset(row);
    (void)snprintf(report.programme, sizeof(report.programme), "%s", programme);
    set_from(&report);
    rc = hand_out(tasks, db, &report, err);
    return rc < 0 ? rc : 1;
}

/* A report of every programme that has one to hand out; one that fails is tried again with the next
 * turn and keeps no other waiting. The first failure is told. */
static int report_each(const struct tasks *tasks, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    struct okno_err first = {0};
    bool any = false;
    int failed = 0;
    size_t i;
    json_t *status;
    int rc = okno_programme_list(db, &list, err);
    json_array_foreach(list, i, status)
    {
        struct okno_err why = {0};
        int one = report_programme(tasks, db, status, &why);
        any = any || one > 0;
        if (one < 0 && failed == 0) {
            failed = one;
            first = why;
        }
    }
    if (rc < 0 || failed == 0)
        return rc < 0 ? rc : any;
    return okno_fail(err, failed, "%s", first.text);
}

int programmes_work(void *context, void *opened, int64_t *ret_next_us, struct okno_err *err)
{
    struct tasks *tasks = context;
    struct means *means = opened;
    const struct okno_survey_params params = okno_survey_params_of(tasks->conf);
    int rc = okno_programme_turn(means->db, means->net, &params, okno_time_now(), ret_next_us, err);
    if (rc == 1)
        okno_log(OKNO_LOG_INFO, "programme", "a step was taken");
    return rc != 0 ? rc : report_each(tasks, means->db, err);
}
