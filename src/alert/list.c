/* Alerts as people and programs see them, and who has seen them. */
#define _POSIX_C_SOURCE 200809L
#include "alert.h"

#include "okno/mem.h"
#include "okno/rows.h"

#include <string.h>

enum { LIMIT_MAX = 1000, NOTE_MAX = 500 };

static json_t *alert_json(struct okno_stmt *stmt)
{
    json_t *detail = json_loads(okno_stmt_text(stmt, "detail"), 0, NULL);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "alert",
        (json_int_t)okno_stmt_int(stmt, "alert"), "rule", okno_stmt_text(stmt, "rule"), "kind",
        okno_stmt_text(stmt, "kind"), "subject", okno_stmt_text(stmt, "subject"), "site",
        okno_row_text(stmt, "site"), "point", okno_row_text(stmt, "point"), "at",
        okno_row_time(stmt, "at"), "opened_at", okno_row_time(stmt, "opened_at"), "closed_at",
        okno_row_time(stmt, "closed_at"), "closed_why", okno_row_text(stmt, "closed_why"), "detail",
        detail ? detail : json_object(), "acked_at", okno_row_time(stmt, "acked_at"), "acked_by",
        okno_row_text(stmt, "acked_by"), "note", okno_stmt_text(stmt, "note"));
}

static int list(struct okno_db *db, const struct okno_alert_filter *f, const char *alert,
                json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t limit = f->limit < 1 ? 1 : f->limit > LIMIT_MAX ? LIMIT_MAX : f->limit;
    int rc = OKNO_DB_PREPARE(
        db, "alert.list", &stmt, err, OKNO_INT("before", f->before), OKNO_TEXT("alert", alert),
        OKNO_TEXT("sites", f->sites), OKNO_TEXT("site", f->site), OKNO_TEXT("point", f->point),
        OKNO_TEXT("kind", f->kind), OKNO_TEXT("rule", f->rule), OKNO_INT("open", f->open),
        OKNO_INT("acked", f->acked), OKNO_INT("limit", limit));
    return rc < 0 ? rc : okno_rows_list(stmt, alert_json, ret_list, err);
}

int okno_alert_list(struct okno_db *db, const struct okno_alert_filter *filter, json_t **ret_list,
                    struct okno_err *err)
{
    if (filter->kind && !okno_text_is_word(filter->kind, OKNO_ALERT_KIND_WORDS))
        return okno_fail_field(err, OKNO_INVALID, "kind",
                               "kind \"%.40s\": allowed are " OKNO_ALERT_KIND_WORDS, filter->kind);
    return list(db, filter, NULL, ret_list, err);
}

static int not_there(int64_t alert, struct okno_err *err)
{
    return okno_fail(err, OKNO_NOT_FOUND, "there is no alert %lld", (long long)alert);
}

int okno_alert_get(struct okno_db *db, int64_t alert, json_t **ret_alert, struct okno_err *err)
{
    struct okno_alert_filter filter = OKNO_ALERT_FILTER_ALL;
    okno_autojson json_t *rows = NULL;
    char number[24];
    (void)snprintf(number, sizeof(number), "%lld", (long long)alert);
    int rc = list(db, &filter, number, &rows, err);
    if (rc < 0)
        return rc;
    if (json_array_size(rows) == 0)
        return not_there(alert, err);
    *ret_alert = json_incref(json_array_get(rows, 0));
    return 0;
}

int okno_alert_ack(struct okno_db *db, int64_t alert, const char *user, const char *note,
                   int64_t now_us, struct okno_err *err)
{
    int64_t known = 0;
    note = note ? note : "";
    if (strlen(note) > NOTE_MAX || !okno_text_is_utf8(note, strlen(note)))
        return okno_fail_field(err, OKNO_INVALID, "note", "note: up to %d bytes of UTF-8",
                               NOTE_MAX);
    int rc = OKNO_DB_RUN(db, "alert.ack", NULL, err, OKNO_INT("alert", alert),
                         OKNO_TEXT("user", user), OKNO_TEXT("note", note), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_INT(db, "alert.exists", 0, &known, err, OKNO_INT("alert", alert));
    return rc < 0 ? rc : known ? 0 : not_there(alert, err);
}
