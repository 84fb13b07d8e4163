#define _POSIX_C_SOURCE 200809L
/* Voids asked for by one person and answered by another. */
#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/text.h"
#include "void.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int end(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- asking ---- */

static int refuse_second(struct okno_db *db, const char *survey, struct okno_err *err)
{
    int64_t open = 0;
    int rc = OKNO_DB_INT(db, "survey.open_proposal", 0, &open, err, OKNO_TEXT("survey", survey));
    if (rc == 0 && open)
        rc = okno_fail(err, OKNO_REFUSED,
                       "survey %s waits for an answer to proposal %" PRId64 " already", survey,
                       open);
    return rc;
}

static int propose(struct okno_db *db, const struct okno_survey_void *r, int64_t *ret_proposal,
                   struct okno_err *err)
{
    int rc = survey_void_check(db, r, err);
    if (rc == 0)
        rc = refuse_second(db, r->survey, err);
    return rc < 0 ? rc
                  : OKNO_DB_INT(db, "survey.add_proposal", 0, ret_proposal, err,
                                OKNO_TEXT("survey", r->survey), OKNO_INT("voided", r->voided),
                                OKNO_INT("at", r->at_us), OKNO_TEXT("author", r->author),
                                OKNO_TEXT("reason", r->reason));
}

int okno_void_propose(struct okno_db *db, const struct okno_survey_void *request,
                      int64_t *ret_proposal, struct okno_err *err)
{
    int64_t proposal = 0;
    int rc = survey_void_check_reason(request->reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = end(db, propose(db, request, &proposal, err), err);
    if (rc == 0)
        *ret_proposal = proposal;
    return rc;
}

/* ---- answering ---- */

/* What was asked; texts are owned. */
struct asked {
    char author[OKNO_ID_TEXT];
    char *reason;
    bool voided;
};

static int load_asked(struct okno_db *db, const struct okno_void_answer *answer,
                      struct asked *asked, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc =
        OKNO_DB_PREPARE(db, "survey.proposal", &row, err, OKNO_INT("proposal", answer->proposal),
                        OKNO_TEXT("survey", answer->survey));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "proposal",
                               "there is no proposal %" PRId64 " about survey \"%s\"",
                               answer->proposal, okno_text_show(answer->survey, shown));
    if (rc < 0)
        return rc;
    if (okno_stmt_int(row, "answered"))
        return okno_fail_field(err, OKNO_REFUSED, "proposal",
                               "proposal %" PRId64 " was answered already", answer->proposal);
    okno_stmt_copy(row, "author", asked->author, sizeof(asked->author));
    asked->voided = okno_stmt_int(row, "voided") != 0;
    asked->reason = strdup(okno_stmt_text(row, "reason"));
    return asked->reason ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a proposal");
}

static int put_answer(struct okno_db *db, const struct okno_void_answer *answer,
                      struct okno_err *err)
{
    return OKNO_DB_RUN(db, "survey.answer_proposal", NULL, err,
                       OKNO_INT("proposal", answer->proposal), OKNO_INT("at", answer->at_us),
                       OKNO_TEXT("user", answer->user), OKNO_INT("agreed", answer->agree),
                       OKNO_TEXT("note", answer->note ? answer->note : ""));
}

static int answer_asked(struct okno_db *db, const struct okno_void_answer *answer,
                        const struct asked *asked, struct okno_err *err)
{
    int64_t ignored = 0;
    const struct okno_survey_void request = {.survey = answer->survey,
                                             .voided = asked->voided,
                                             .author = asked->author,
                                             .second = answer->user,
                                             .reason = asked->reason,
                                             .at_us = answer->at_us};
    bool back = !answer->agree && strcmp(answer->user, asked->author) == 0;
    int rc = answer->agree ? survey_void_set(db, &request, &ignored, err)
             : back        ? 0
                           : survey_void_refuse_own(db, answer->survey, answer->user, err);
    return rc < 0 ? rc : put_answer(db, answer, err);
}

int okno_void_answer(struct okno_db *db, const struct okno_void_answer *answer,
                     struct okno_err *err)
{
    struct asked asked = {0};
    int rc = answer->note && *answer->note ? survey_void_check_reason(answer->note, err) : 0;
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = load_asked(db, answer, &asked, err);
    if (rc == 0)
        rc = answer_asked(db, answer, &asked, err);
    free(asked.reason);
    return end(db, rc, err);
}

/* ---- listing ---- */

static json_t *answer_of(struct okno_stmt *row)
{
    if (okno_stmt_is_null(row, "answered_at"))
        return json_null();
    return json_pack("{s:o, s:s, s:b, s:s}", "at", okno_row_time(row, "answered_at"), "user",
                     okno_stmt_text(row, "user"), "agreed", okno_stmt_int(row, "agreed") != 0,
                     "note", okno_stmt_text(row, "note"));
}

static json_t *proposal_of(struct okno_stmt *row)
{
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:b, s:o, s:s, s:s, s:o}", "proposal",
                     (json_int_t)okno_stmt_int(row, "id"), "survey", okno_stmt_text(row, "survey"),
                     "site", okno_row_text(row, "site"), "point", okno_row_text(row, "point"),
                     "opened_at", okno_row_time(row, "opened_at"), "voided",
                     okno_stmt_int(row, "voided") != 0, "at", okno_row_time(row, "at"), "author",
                     okno_stmt_text(row, "author"), "reason", okno_stmt_text(row, "reason"),
                     "answer", answer_of(row));
}

int okno_void_list(struct okno_db *db, const char *survey, const char *sites, json_t **ret_list,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "survey.proposals", &row, err, OKNO_TEXT("survey", survey),
                             OKNO_TEXT("sites", sites));
    return rc < 0 ? rc : okno_rows_list(row, proposal_of, ret_list, err);
}
