/* Rows of `surveys`: read, written, compared, told. */
#include "okno/json.h"
#include "store.h"

#include <string.h>

#define COPY(row, stmt, column) okno_stmt_copy(stmt, #column, (row)->column, sizeof((row)->column))

static void read_row(struct okno_stmt *stmt, struct survey_row *row)
{
    COPY(row, stmt, survey);
    COPY(row, stmt, point);
    COPY(row, stmt, site);
    COPY(row, stmt, employee);
    COPY(row, stmt, question);
    COPY(row, stmt, question_kind);
    COPY(row, stmt, channel);
    COPY(row, stmt, state);
    COPY(row, stmt, answer);
    COPY(row, stmt, flags);
    COPY(row, stmt, auto_reason);
    row->opened_us = okno_stmt_int(stmt, "opened_at");
    row->closes_us = okno_stmt_int(stmt, "closes_at");
    row->answered_us = okno_stmt_int(stmt, "answered_at");
    row->extra_answers = okno_stmt_int(stmt, "extra_answers");
    row->late_answers = okno_stmt_int(stmt, "late_answers");
    row->force_majeure = okno_stmt_int(stmt, "force_majeure");
    row->test = okno_stmt_int(stmt, "test");
    row->auto_void = okno_stmt_int(stmt, "auto_void");
    row->offset_us = okno_stmt_int(stmt, "device_offset_us");
    row->uncertainty_us = okno_stmt_int(stmt, "device_uncertainty_us");
    row->placed_us = okno_stmt_int(stmt, "placed_at");
}

int survey_row_get(struct okno_db *db, const char *survey, struct survey_row *ret_row,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "refresh.get_survey", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        read_row(stmt, ret_row);
    return rc;
}

int survey_row_put(struct okno_db *db, const struct survey_row *row, struct okno_err *err)
{
    return OKNO_DB_RUN(
        db, "refresh.put_survey", NULL, err, OKNO_TEXT("survey", row->survey),
        OKNO_TEXT("point", row->point), OKNO_TEXT("site", row->site),
        OKNO_TEXT("employee", row->employee), OKNO_TEXT("question", row->question),
        OKNO_TEXT("question_kind", row->question_kind), OKNO_TEXT("channel", row->channel),
        OKNO_INT("opened_at", row->opened_us), OKNO_INT("closes_at", row->closes_us),
        OKNO_TEXT("state", row->state), OKNO_TEXT("answer", row->answer),
        OKNO_INT("answered_at", row->answered_us), OKNO_INT("extra_answers", row->extra_answers),
        OKNO_INT("late_answers", row->late_answers), OKNO_INT("force_majeure", row->force_majeure),
        OKNO_INT("test", row->test), OKNO_INT("auto_void", row->auto_void),
        OKNO_TEXT("flags", row->flags), OKNO_TEXT("auto_reason", row->auto_reason),
        OKNO_INT("device_offset_us", row->offset_us),
        OKNO_INT("device_uncertainty_us", row->uncertainty_us),
        OKNO_INT("placed_at", row->placed_us));
}

static bool equal_but_flags(const struct survey_row *a, const struct survey_row *b)
{
    return strcmp(a->point, b->point) == 0 && strcmp(a->site, b->site) == 0 &&
           strcmp(a->employee, b->employee) == 0 && strcmp(a->question, b->question) == 0 &&
           strcmp(a->question_kind, b->question_kind) == 0 && strcmp(a->channel, b->channel) == 0 &&
           strcmp(a->state, b->state) == 0 && strcmp(a->answer, b->answer) == 0 &&
           a->opened_us == b->opened_us && a->closes_us == b->closes_us &&
           a->answered_us == b->answered_us && a->extra_answers == b->extra_answers &&
           a->late_answers == b->late_answers && a->force_majeure == b->force_majeure &&
           a->test == b->test && a->auto_void == b->auto_void &&
           strcmp(a->auto_reason, b->auto_reason) == 0 && a->offset_us == b->offset_us &&
           a->uncertainty_us == b->uncertainty_us;
}

bool survey_row_equal(const struct survey_row *a, const struct survey_row *b)
{
    return strcmp(a->survey, b->survey) == 0 && equal_but_flags(a, b) &&
           strcmp(a->flags, b->flags) == 0;
}

/* The flags without panel_unheard, which goes away by itself. */
static void lasting_flags(const char *flags, char ret_flags[OKNO_SURVEY_FLAGS_TEXT])
{
    static const char passing[] = "panel_unheard";
    size_t used = 0;
    ret_flags[0] = '\0';
    for (const char *word = flags; *word;) {
        size_t len = strcspn(word, " ");
        if (len != sizeof(passing) - 1 || strncmp(word, passing, len) != 0)
            used += (size_t)snprintf(ret_flags + used, OKNO_SURVEY_FLAGS_TEXT - used, "%.*s ",
                                     (int)len, word);
        word += len + (word[len] == ' ');
    }
}

bool survey_row_is_correction(const struct survey_row *was, const struct survey_row *became)
{
    char before[OKNO_SURVEY_FLAGS_TEXT];
    char after[OKNO_SURVEY_FLAGS_TEXT];
    if (strcmp(was->state, "open") == 0)
        return false;
    struct survey_row same = *was; /* knowing the clock better corrects nothing */
    same.uncertainty_us = became->uncertainty_us;
    lasting_flags(was->flags, before);
    lasting_flags(became->flags, after);
    return !equal_but_flags(&same, became) || strcmp(before, after) != 0;
}

static json_t *text_or_null(const char *text)
{
    return okno_json_text(text[0] ? text : NULL);
}

int survey_row_text(const struct survey_row *row, char **ret_text, struct okno_err *err)
{
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:b, s:b, s:b, s:s}",
        "point", row->point, "site", row->site, "employee", text_or_null(row->employee), "question",
        text_or_null(row->question), "kind", text_or_null(row->question_kind), "channel",
        row->channel, "opened_at", okno_json_time(row->opened_us), "closes_at",
        okno_json_time(row->closes_us), "state", row->state, "answer", text_or_null(row->answer),
        "answered_at", row->answer[0] ? okno_json_time(row->answered_us) : json_null(),
        "extra_answers", (json_int_t)row->extra_answers, "late_answers",
        (json_int_t)row->late_answers, "force_majeure", row->force_majeure != 0, "test",
        row->test != 0, "auto_void", row->auto_void != 0, "flags", row->flags);
    return okno_json_canonical(json, ret_text, err);
}
