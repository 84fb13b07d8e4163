#define _POSIX_C_SOURCE 200809L
#include "programmes.h"

#include "okno/log.h"
#include "okno/mail.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/programme.h"
#include "okno/text.h"
#include "okno/time.h"
#include "tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_DAYS = 30 };

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
};

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

/* Whole or not at all: written beside, then renamed. */
static int write_report(const struct report *report, const char *text, struct okno_err *err)
{
    char path[1200];
    char part[1210];
    (void)snprintf(path, sizeof(path), "%s/%s-%s.json", report->dir, report->programme,
                   report->day);
    (void)snprintf(part, sizeof(part), "%s.part", path);
    FILE *file = fopen(part, "we");
    if (!file)
        return okno_fail_errno(err, errno, "cannot write %s", part);
    bool whole = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int rc = whole ? 0 : okno_fail_errno(err, errno, "cannot write %s", part);
    if (fclose(file) != 0 && rc == 0)
        rc = okno_fail_errno(err, errno, "cannot write %s", part);
    if (rc == 0 && rename(part, path) < 0)
        rc = okno_fail_errno(err, errno, "cannot make %s", path);
    if (rc < 0)
        (void)unlink(part);
    return rc;
}

static int mail_report(const struct tasks *tasks, struct okno_db *db, const struct report *report,
                       const char *text, struct okno_err *err)
{
    char subject[160];
    char body[400];
    char name[100];
    char key[100];
    (void)snprintf(subject, sizeof(subject), "okno: %s, %s", report->programme, report->day);
    (void)snprintf(body, sizeof(body),
                   "Figures of the programme %s over the %d days up to %s are attached.\n",
                   report->programme, REPORT_DAYS, report->day);
    (void)snprintf(name, sizeof(name), "%s-%s.json", report->programme, report->day);
    (void)snprintf(key, sizeof(key), "%s-%s", report->programme, report->day);
    const struct okno_mail_file file = {name, "application/json", text, strlen(text)};
    const struct okno_notify_mail mail = {.destination = report->to,
                                          .subject = subject,
                                          .text = body,
                                          .files = &file,
                                          .file_count = 1,
                                          .key = key,
                                          .now_us = report->now_us,
                                          .give_up_us =
                                              okno_notify_options_of(tasks->conf).give_up_us};
    return okno_notify_mail(db, &mail, NULL, err);
}

static int hand_out(const struct tasks *tasks, struct okno_db *db, const struct report *report,
                    struct okno_err *err)
{
    okno_autojson json_t *figures = NULL;
    int rc =
        okno_programme_figures(db, report->programme, report->from, report->day, &figures, err);
    if (rc < 0)
        return rc;
    okno_autofree char *text = json_dumps(figures, JSON_SORT_KEYS | JSON_INDENT(1) |
                                                       JSON_REAL_PRECISION(15) | JSON_ENSURE_ASCII);
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a report");
    if (*report->dir)
        rc = write_report(report, text, err);
    if (rc == 0 && *report->to)
        rc = mail_report(tasks, db, report, text, err);
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
    struct report report = {.to = json_string_value(json_object_get(settings, "report_to")),
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

static int report_one(const struct tasks *tasks, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *status;
    int rc = okno_programme_list(db, &list, err);
    json_array_foreach(list, i, status)
    {
        if (rc == 0)
            rc = report_programme(tasks, db, status, err);
    }
    return rc;
}

int programmes_work(void *context, void *opened, int64_t *ret_next_us, struct okno_err *err)
{
    struct tasks *tasks = context;
    struct means *means = opened;
    const struct okno_survey_params params = okno_survey_params_of(tasks->conf);
    int rc = okno_programme_turn(means->db, means->net, &params, okno_time_now(), ret_next_us, err);
    if (rc == 1)
        okno_log(OKNO_LOG_INFO, "programme", "a step was taken");
    return rc != 0 ? rc : report_one(tasks, means->db, err);
}
