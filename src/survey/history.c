/* What late events and corrections changed: rows of survey_history, told as differences. */
#include "okno/json.h"
#include "okno/survey.h"
#include "okno/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* {"field": [was, became], ...} of what differs. */
static json_t *differences(json_t *was, json_t *became)
{
    json_t *changes = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(became, name, value)
    {
        json_t *before = json_object_get(was, name); /* NULL: an older program did not tell */
        if (!before || !json_equal(before, value))
            (void)json_object_set_new(changes, name, json_pack("[O?, O]", before, value));
    }
    return changes;
}

static json_t *stored(struct okno_stmt *row, const char *column)
{
    const char *text = okno_stmt_text(row, column);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    return json ? json : json_null();
}

json_t *okno_survey_change_json(struct okno_stmt *row)
{
    okno_autojson json_t *was = stored(row, "was");
    okno_autojson json_t *became = stored(row, "became");
    const char *what = "changed";
    if (json_is_null(was))
        what = "returned";
    else if (json_is_null(became))
        what = "removed";
    bool both = json_is_object(was) && json_is_object(became);
    return json_pack("{s:o, s:s, s:o, s:O, s:O}", "at", okno_json_time(okno_stmt_int(row, "at")),
                     "what", what, "changes", both ? differences(was, became) : json_object(),
                     "was", was, "became", became);
}

/* A cursor is `<at in microseconds>.<id>`; without one all since `since_us`. */
static int parse_cursor(const struct okno_survey_changes *filter, int64_t *ret_at_us,
                        int64_t *ret_id, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    char *end = NULL;
    *ret_at_us = filter->since_us;
    *ret_id = -1;
    if (!filter->after)
        return 0;
    errno = 0;
    *ret_at_us = strtoll(filter->after, &end, 10);
    if (errno == 0 && end != filter->after && *end == '.' && end[1] >= '0' && end[1] <= '9') {
        *ret_id = strtoll(end + 1, &end, 10);
        if (errno == 0 && *end == '\0')
            return 0;
    }
    return okno_fail_field(err, OKNO_INVALID, "cursor", "cursor \"%s\" is none that this list gave",
                           okno_text_show(filter->after, shown));
}

/* Audits whose frozen frame holds the survey: [] for none. */
static json_t *audits_of(struct okno_stmt *row)
{
    json_t *audits = json_array();
    const char *word = okno_stmt_text(row, "frozen_in");
    for (; word && *word; word += word[strcspn(word, " ")] == ' ') {
        (void)json_array_append_new(audits, json_stringn(word, strcspn(word, " ")));
        word += strcspn(word, " ");
    }
    return audits;
}

int okno_survey_list_changes(struct okno_db *db, const struct okno_survey_changes *filter,
                             int (*each)(void *ctx, const json_t *change, const char *cursor,
                                         struct okno_err *err),
                             void *ctx, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t at_us = 0;
    int64_t id = 0;
    int rc = parse_cursor(filter, &at_us, &id, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "survey.changes", &stmt, err, OKNO_INT("at", at_us),
                             OKNO_INT("id", id), OKNO_TEXT("sites", filter->sites),
                             OKNO_INT("limit", filter->limit));
    while (rc == 0) {
        char cursor[OKNO_SURVEY_CURSOR_TEXT];
        int step = okno_stmt_step(stmt, err);
        if (step <= 0)
            return step;
        okno_autojson json_t *change = okno_survey_change_json(stmt);
        if (!change ||
            json_object_set_new(change, "survey", json_string(okno_stmt_text(stmt, "survey"))) <
                0 ||
            json_object_set_new(change, "frozen_in", audits_of(stmt)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of changes");
        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 ".%" PRId64, okno_stmt_int(stmt, "at"),
                       okno_stmt_int(stmt, "id"));
        rc = each(ctx, change, cursor, err);
    }
    return rc;
}
