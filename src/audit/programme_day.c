#define _POSIX_C_SOURCE 200809L
/* The steps that a programme's days take by themselves. */
#include "programme.h"

#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "room.h"

#include <string.h>

#define TRY_AGAIN_US (300 * OKNO_SECOND_US)

/* What a turn works with. */
struct turn {
    struct okno_db *db;
    struct okno_net *net;
    const struct okno_survey_params *params;
    int64_t now_us;
    int64_t next_us;
    char author[OKNO_ID_TEXT + 16];
};

/* A day that is not finished. */
struct day {
    char day[16], audit[OKNO_ID_TEXT], state[16];
    int64_t tried_us;
    bool stuck;
};
OKNO_VEC(day_vec, struct day);

static void sooner(struct turn *turn, int64_t at_us)
{
    if (at_us < turn->next_us)
        turn->next_us = at_us;
}

/* ---- the next day ---- */

static int next_day(struct turn *turn, const struct programme_row *row, char ret_day[16],
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_civil civil;
    int64_t day_us = 0;
    int rc = OKNO_DB_PREPARE(turn->db, "programme.last_day", &stmt, err,
                             OKNO_TEXT("programme", row->programme));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    const char *last = rc == 1 ? okno_stmt_text(stmt, "day") : NULL;
    if (!last || strcmp(last, row->set.from_day) < 0) {
        (void)snprintf(ret_day, 16, "%s", row->set.from_day);
        return 0;
    }
    rc = okno_date_parse(last, &day_us, err);
    okno_time_to_civil(day_us + OKNO_DAY_US, &civil);
    (void)snprintf(ret_day, 16, "%04d-%02d-%02d", civil.year % 10000, civil.month % 100,
                   civil.day % 100);
    return rc;
}

static int plan_day(struct turn *turn, const struct programme_row *row, const char *day,
                    int64_t from_us, int64_t to_us, struct okno_err *err)
{
    char audit[OKNO_ID_TEXT];
    char title[OKNO_ID_TEXT + 20];
    struct okno_err why = {0};
    programme_audit(row, day, audit, sizeof(audit));
    (void)snprintf(title, sizeof(title), "%s %s", row->programme, day);
    const struct okno_audit_plan plan = {.audit = audit,
                                         .title = title,
                                         .from_us = from_us,
                                         .to_us = to_us,
                                         .size = row->set.size,
                                         .sampling = {.strata = OKNO_STRATA_DAY},
                                         .show_answer = row->set.show_answer,
                                         .k = row->set.k,
                                         .level = row->set.level,
                                         .fm_threshold = row->set.fm_threshold,
                                         .looks = (int)row->set.looks,
                                         .accepted = "a programme's day: caught up with late",
                                         .undeterminable_limit = row->set.undeterminable_limit,
                                         .double_share = row->set.double_share};
    int rc = okno_audit_plan(turn->db, &plan, turn->author, turn->now_us, &why);
    if (rc == OKNO_CONFLICT) /* planned before a crash, and never twice */
        rc = 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    return OKNO_DB_RUN(turn->db, "programme.add_day", NULL, err,
                       OKNO_TEXT("programme", row->programme), OKNO_TEXT("day", day),
                       OKNO_TEXT("audit", audit));
}

/* 1: a day began. */
static int begin_day(struct turn *turn, const struct programme_row *row, struct okno_err *err)
{
    char day[16];
    int64_t from_us = 0;
    int64_t to_us = 0;
    int rc = next_day(turn, row, day, err);
    if (rc == 0)
        rc = programme_day(row, day, &from_us, &to_us, err);
    if (rc < 0)
        return rc;
    int64_t due_us = to_us + row->set.after_min * 60 * OKNO_SECOND_US;
    if (turn->now_us < due_us) {
        sooner(turn, due_us);
        return 0;
    }
    rc = plan_day(turn, row, day, from_us, to_us, err);
    return rc < 0 ? rc : 1;
}

/* ---- steps ---- */

static int freeze(struct turn *turn, const struct programme_row *row, const struct day *day,
                  struct okno_err *err)
{
    struct okno_survey_refreshed counts = {0};
    struct okno_err why = {0};
    char sha256[OKNO_SHA256_TEXT];
    int64_t size = 0;
    int rc = okno_survey_refresh(turn->db, turn->params, turn->now_us, &counts, err);
    if (rc < 0)
        return rc;
    const struct okno_audit_accepted accepted = {
        .unheard = *row->set.accepted ? row->set.accepted : NULL,
        .fm = *row->set.accepted_fm ? row->set.accepted_fm : NULL};
    rc = okno_audit_freeze_with(turn->db, day->audit, turn->author, &accepted, turn->now_us, &size,
                                sha256, &why);
    if (rc == OKNO_NOT_FOUND)
        rc = okno_audit_abandon(turn->db, day->audit, "no survey on this day", turn->author,
                                turn->now_us, &why);
    return rc < 0 ? okno_fail(err, rc, "%s", why.text) : 1;
}

static int checkpoint(struct turn *turn, const struct programme_row *row, const struct day *day,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    bool bound = false;
    int rc = programme_is_bound(turn->db, row, day->day, &bound, err);
    if (rc == 0 && !bound)
        return okno_fail(err, OKNO_OUT_OF_ORDER,
                         "waits for everybody named to commit to a secret: `okno programme commit "
                         "%s --day %s`",
                         row->programme, day->day);
    if (rc == 0)
        rc = okno_audit_checkpoint(turn->db, day->audit, turn->author, turn->now_us, &note, err);
    return rc < 0 ? rc : 1;
}

/* By the settings as they stood at the checkpoint: no source is chosen after it. */
static int seed(struct turn *turn, const struct programme_row *row, const struct day *day,
                struct okno_err *err)
{
    AUTO_PROGRAMME then = {0};
    struct programme_seed got;
    int64_t pinned_us = 0;
    int64_t next_us = INT64_MAX;
    int rc = OKNO_DB_INT(turn->db, "programme.pinned_at", 0, &pinned_us, err,
                         OKNO_TEXT("audit", day->audit));
    if (rc == 0)
        rc = programme_load(turn->db, row->programme, pinned_us, &then, err);
    if (rc == 0)
        rc = programme_seed(turn->db, turn->net, &then, day->day, pinned_us, turn->now_us, &got,
                            &next_us, err);
    if (rc == 0)
        sooner(turn, next_us);
    if (rc <= 0)
        return rc;
    rc = okno_audit_seed(turn->db, day->audit, got.seed, got.how, got.witnesses, turn->author,
                         turn->now_us, err);
    return rc < 0 ? rc : 1;
}

/* 1: taken; 0: it waits for a moment that turn->next_us knows. */
static int take_step(struct turn *turn, const struct programme_row *row, const struct day *day,
                     struct okno_err *err)
{
    int64_t size = 0;
    int rc = 0;
    if (strcmp(day->state, "planned") == 0)
        return freeze(turn, row, day, err);
    if (strcmp(day->state, "frozen") == 0)
        return checkpoint(turn, row, day, err);
    if (strcmp(day->state, "checkpointed") == 0)
        return seed(turn, row, day, err);
    if (strcmp(day->state, "seeded") == 0)
        rc = okno_audit_draw(turn->db, day->audit, turn->author, turn->now_us, &size, err);
    else
        rc = okno_audit_close(turn->db, day->audit, "", turn->author, turn->now_us, err);
    return rc < 0 ? rc : 1;
}

static int note_problem(struct turn *turn, const struct programme_row *row, const struct day *day,
                        const char *problem, struct okno_err *err)
{
    return OKNO_DB_RUN(turn->db, "programme.set_problem", NULL, err,
                       OKNO_TEXT("programme", row->programme), OKNO_TEXT("day", day->day),
                       OKNO_TEXT("problem", problem), OKNO_INT("now", turn->now_us));
}

/* A day that cannot go on says why, and is tried again later; others go on. */
static int work_day(struct turn *turn, const struct programme_row *row, const struct day *day,
                    struct okno_err *err)
{
    struct okno_err why = {0};
    bool early =
        day->stuck && turn->now_us < day->tried_us + TRY_AGAIN_US && turn->now_us >= day->tried_us;
    if (early) {
        sooner(turn, day->tried_us + TRY_AGAIN_US);
        return 0;
    }
    int rc = take_step(turn, row, day, &why);
    if (rc < 0) {
        sooner(turn, turn->now_us + TRY_AGAIN_US);
        return note_problem(turn, row, day, why.text, err);
    }
    if (rc == 1 && day->stuck) {
        int noted = note_problem(turn, row, day, "", err);
        return noted < 0 ? noted : 1;
    }
    return rc;
}

/* The days first: a statement is not stepped while a step uses it. */
static int load_days(struct turn *turn, const struct programme_row *row, struct day_vec *days,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(turn->db, "programme.unfinished", &rows, err,
                             OKNO_TEXT("programme", row->programme),
                             OKNO_INT("before", turn->now_us - OKNO_DAY_US));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        struct day day = {.tried_us = okno_stmt_int(rows, "tried_at"),
                          .stuck = *okno_stmt_text(rows, "problem") != '\0'};
        okno_stmt_copy(rows, "day", day.day, sizeof(day.day));
        okno_stmt_copy(rows, "audit", day.audit, sizeof(day.audit));
        okno_stmt_copy(rows, "state", day.state, sizeof(day.state));
        rc = day_vec_push(days, day) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory") : 0;
    }
    return rc;
}

static int work_programme(struct turn *turn, const char *programme, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    OKNO_AUTO_VEC(day_vec) days = {0};
    int rc = programme_load(turn->db, programme, INT64_MAX, &row, err);
    if (rc < 0 || row.paused)
        return rc;
    (void)snprintf(turn->author, sizeof(turn->author), "programme:%s", row.programme);
    rc = load_days(turn, &row, &days, err);
    for (size_t i = 0; rc == 0 && i < days.len; i++)
        rc = work_day(turn, &row, &days.items[i], err);
    return rc != 0 ? rc : begin_day(turn, &row, err);
}

/* One that fails keeps no other waiting: its failure is told once nothing else is to be done. */
static int work_each(struct turn *turn, const json_t *ids, struct okno_err *err)
{
    int failed = 0;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *programme = json_string_value(json_array_get(ids, i));
        struct okno_err why = {0};
        int rc = work_programme(turn, programme, &why);
        if (rc == 1)
            return 1;
        if (rc < 0 && failed == 0)
            failed = okno_fail(err, rc, "programme %s: %s", programme, why.text);
    }
    return failed;
}

int okno_programme_turn(struct okno_db *db, struct okno_net *net,
                        const struct okno_survey_params *params, int64_t now_us,
                        int64_t *ret_next_us, struct okno_err *err)
{
    struct turn turn = {
        .db = db, .net = net, .params = params, .now_us = now_us, .next_us = INT64_MAX};
    okno_autojson json_t *ids = json_array();
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "programme.list", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_array_append_new(ids, json_string(okno_stmt_text(rows, "programme"))) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the programmes")
                 : 0;
    if (rc == 0)
        rc = work_each(&turn, ids, err);
    if (rc == 0)
        *ret_next_us = turn.next_us;
    return rc;
}
