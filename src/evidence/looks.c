/* Looks at archives' clocks on a schedule, and what is kept of them. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/camera_clock.h"
#include "okno/conf.h"
#include "okno/time.h"

#include <sodium/utils.h>
#include <string.h>

#define EVERY_US (6 * 3600 * OKNO_SECOND_US)

static int probe(struct okno_work *work, const char *archive, struct okno_archive_clock *ret_clock,
                 struct okno_err *err)
{
    struct okno_archive_row row;
    struct okno_archive_config config;
    char password[OKNO_SECRET_TEXT] = "";
    int rc = okno_registry_archive(work->db, archive, &row, err);
    if (rc == 0)
        rc = work_row_config(work->db, &row, work->conf->fetch.deadline_s * OKNO_SECOND_US,
                             password, &config, err);
    if (rc < 0)
        return rc;
    struct okno_budget budget = work_budget(work);
    rc = okno_archive_probe(&config, &budget, ret_clock, err);
    sodium_memzero(password, sizeof(password));
    if (rc < 0)
        okno_err_context(err, "archive %s", archive);
    return rc;
}

static const char *finding_name(enum okno_clock_finding finding)
{
    return finding == OKNO_CLOCK_JUMPED  ? "jumped"
           : finding == OKNO_CLOCK_MOVED ? "moved"
                                         : "known";
}

static int note_trouble(struct okno_work *work, const char *archive, int64_t at_us, int code,
                        const char *message)
{
    return OKNO_DB_RUN(work->db, "looks.put", NULL, NULL, OKNO_TEXT("archive", archive),
                       OKNO_INT("at", at_us), OKNO_INT("offset_us", 0),
                       OKNO_INT("uncertainty_us", 0), OKNO_TEXT("method", ""),
                       OKNO_TEXT("finding", ""), OKNO_TEXT("code", okno_code_info(code)->name),
                       OKNO_TEXT("message", message));
}

static int store(struct okno_work *work, const struct okno_archive_look *look, const char *target,
                 const struct okno_clock_measurement *kept, const char *author,
                 struct okno_err *err)
{
    int rc = okno_db_begin(work->db, err);
    if (rc < 0)
        return rc;
    if (look->finding != OKNO_CLOCK_KNOWN)
        rc = okno_registry_add_clock(work->db, target, kept, look->clock.method, author,
                                     look->at_us, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(work->db, "looks.put", NULL, err, OKNO_TEXT("archive", look->archive),
                         OKNO_INT("at", look->at_us), OKNO_INT("offset_us", look->clock.offset_us),
                         OKNO_INT("uncertainty_us", look->clock.uncertainty_us),
                         OKNO_TEXT("method", look->clock.method),
                         OKNO_TEXT("finding", finding_name(look->finding)), OKNO_TEXT("code", ""),
                         OKNO_TEXT("message", ""));
    if (rc == 0)
        return okno_db_commit(work->db, err);
    okno_db_rollback(work->db);
    return rc;
}

/* *ret_noted: what came of it, good or bad, is kept. */
static int look_at(struct okno_work *work, const char *archive, bool keep, const char *author,
                   struct okno_archive_look *ret_look, bool *ret_noted, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) known = {0};
    struct okno_archive_look look = {0};
    struct okno_clock_measurement kept;
    struct okno_err why = {0};
    char target[OKNO_ID_TEXT + 8];
    (void)snprintf(look.archive, sizeof(look.archive), "%s", archive);
    (void)snprintf(target, sizeof(target), "archive:%s", archive);
    int rc = probe(work, archive, &look.clock, &why);
    look.at_us = okno_time_now();
    if (rc < 0 && keep && rc != OKNO_NOT_FOUND)
        *ret_noted = note_trouble(work, archive, look.at_us, rc, why.text) == 0;
    if (rc < 0)
        return okno_fail_from(err, &why);
    rc = okno_registry_clock(work->db, target, &known, err);
    if (rc < 0)
        return rc;
    const struct okno_clock_measurement seen = {.at_us = look.at_us,
                                                .offset_us = look.clock.offset_us,
                                                .uncertainty_us = look.clock.uncertainty_us};
    look.finding = okno_clock_judge_look(known.items, known.len, &seen, &kept);
    rc = keep ? store(work, &look, target, &kept, author, err) : 0;
    *ret_noted = keep && rc == 0;
    if (rc == 0)
        *ret_look = look;
    return rc;
}

int okno_look_archive(struct okno_work *work, const char *archive, bool keep, const char *author,
                      struct okno_archive_look *ret_look, struct okno_err *err)
{
    bool noted = false;
    return look_at(work, archive, keep, author, ret_look, &noted, err);
}

int okno_look_ask(struct okno_db *db, const char *archive, const char *author, int64_t now_us,
                  struct okno_err *err)
{
    int64_t at_us = 0;
    int rc = OKNO_DB_INT(db, "looks.ask", 0, &at_us, err, OKNO_TEXT("archive", archive),
                         OKNO_INT("now", now_us), OKNO_TEXT("author", author));
    return rc == 0 && at_us == 0
               ? okno_fail(err, OKNO_NOT_FOUND, "there is no archive %.64s", archive)
               : rc;
}

int okno_look_next(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_archive_look look;
    bool noted = false;
    char archive[OKNO_ID_TEXT] = "", author[128] = "";
    int64_t next_us = 0;
    int rc =
        OKNO_DB_PREPARE(work->db, "looks.due", &stmt, err, OKNO_INT("since", now_us - EVERY_US),
                        OKNO_INT("day_ago", now_us - OKNO_DAY_US));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1) {
        (void)snprintf(archive, sizeof(archive), "%s", okno_stmt_text(stmt, "archive"));
        (void)snprintf(author, sizeof(author), "%s", okno_stmt_text(stmt, "author"));
    }
    while (rc == 1)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    if (archive[0]) {
        rc = look_at(work, archive, true, author[0] ? author : "okno:clocks", &look, &noted, err);
        return noted ? 1 : rc;
    }
    rc = OKNO_DB_INT(work->db, "looks.next", INT64_MAX, &next_us, err,
                     OKNO_INT("every_us", EVERY_US));
    if (rc == 0)
        *ret_next_us = next_us;
    return rc;
}
