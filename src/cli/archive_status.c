/* okno archive status: how work stands at each archive. */
#define _POSIX_C_SOURCE 200809L
#include "archive.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

OKNO_PRINTF(4, 5)
static void add(char *text, size_t size, size_t *used, const char *fmt, ...)
{
    va_list args;
    if (*used >= size)
        return;
    va_start(args, fmt);
    int len = vsnprintf(text + *used, size - *used, fmt, args);
    va_end(args);
    *used += len > 0 ? (size_t)len : 0;
}

void archive_outlook_text(const struct okno_outlook *o, char *ret_text, size_t size)
{
    char at[OKNO_TIME_TEXT];
    size_t used = 0;
    ret_text[0] = '\0';
    if (o->failures > 0)
        add(ret_text, size, &used, "does not answer since %s (%lld %s): %s; ",
            okno_time_format(o->down_since_us, at), (long long)o->failures,
            okno_text_form(o->failures, "try", "tries"), o->message);
    else if (o->off_until_us)
        add(ret_text, size, &used, "not asked before %s, by its hours; ",
            okno_time_format(o->off_until_us, at));
    else if (o->failing)
        add(ret_text, size, &used, "failed when it was asked last; ");
    else
        add(ret_text, size, &used, o->answered ? "answers; " : "not asked yet; ");
    if (o->failures == 0 && o->failed_us)
        add(ret_text, size, &used, "last failure %s: %s; ", okno_time_format(o->failed_us, at),
            o->message);
    if (o->waiting + o->running == 0)
        add(ret_text, size, &used, "nothing waits");
    else
        add(ret_text, size, &used, "%lld waiting, %lld running", (long long)o->waiting,
            (long long)o->running);
    if (o->next_try_us)
        add(ret_text, size, &used, ", next try %s", okno_time_format(o->next_try_us, at));
    if (o->done_at_us)
        add(ret_text, size, &used, ", done about %s at %.0f jobs an hour",
            okno_time_format(o->done_at_us, at), o->jobs_per_hour);
    if (o->lost_at_us)
        add(ret_text, size, &used, ", the first footage is overwritten %s",
            okno_time_format(o->lost_at_us, at));
    if (o->at_risk || o->overdue)
        add(ret_text, size, &used, "; %lld %s at risk, %lld %s overdue", (long long)o->at_risk,
            okno_text_form(o->at_risk, "survey", "surveys"), (long long)o->overdue,
            okno_text_form(o->overdue, "job", "jobs"));
    if (o->lost)
        add(ret_text, size, &used, "; %lld %s lost in 30 days", (long long)o->lost,
            okno_text_form(o->lost, "survey was", "surveys were"));
}

static int print_outage(struct okno_stmt *row, bool json, struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT] = "now";
    bool over = !okno_stmt_is_null(row, "to_us");
    if (json) {
        okno_autojson json_t *line =
            json_pack("{s:s, s:o, s:o, s:s, s:s, s:I}", "outage_of", okno_stmt_text(row, "archive"),
                      "from", okno_json_time(okno_stmt_int(row, "from_us")), "to",
                      over ? okno_json_time(okno_stmt_int(row, "to_us")) : json_null(), "code",
                      okno_stmt_text(row, "code"), "message", okno_stmt_text(row, "message"),
                      "lost", (json_int_t)okno_stmt_int(row, "lost"));
        return okno_json_print(line, stdout, err);
    }
    if (over)
        (void)okno_time_format(okno_stmt_int(row, "to_us"), to);
    int64_t lost = okno_stmt_int(row, "lost");
    cli_line("outage of %s: %s..%s, %s; %lld %s lost", okno_stmt_text(row, "archive"),
             okno_time_format(okno_stmt_int(row, "from_us"), from), to,
             okno_stmt_text(row, "message"), (long long)lost,
             okno_text_form(lost, "survey", "surveys"));
    return 0;
}

static int print_outages(struct okno_db *db, bool json, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "turns.outages", &stmt, err, OKNO_TEXT("archive", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = print_outage(stmt, json, err);
    return rc;
}

int archive_status(struct cli *cli, struct okno_db *db, bool json, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_outlook_vec) outlooks = {0};
    int rc = okno_db_outlook(db, okno_time_now(), cli->conf->fetch.parallel, &outlooks, err);
    for (size_t i = 0; rc == 0 && i < outlooks.len; i++) {
        char text[1200];
        okno_autojson json_t *line = json ? okno_outlook_json(&outlooks.items[i]) : NULL;
        archive_outlook_text(&outlooks.items[i], text, sizeof(text));
        if (json)
            rc = okno_json_print(line, stdout, err);
        else
            cli_line("%s: %s", outlooks.items[i].archive, text);
    }
    return rc < 0 ? rc : print_outages(db, json, err);
}
