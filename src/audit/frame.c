/* Freezing: the list of surveys that an audit is about, fixed for good. */
#include "okno/audit.h"

#include "frame.h"
#include "heard.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/text.h"
#include "okno/time.h"
#include "room.h"

#include <string.h>

/* One unit's canonical line; the employee by a pseudonym, for the list leaves the house. Times
 * are whole microseconds, since a line holds no floats. */
static json_t *line_json(const struct frame_unit *unit, const char *stratum, const char *employee)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:s}", "survey",
                     unit->id, "site", unit->site, "point", unit->point, "employee", employee,
                     "question", unit->question, "question_kind", unit->question_kind, "opened_us",
                     (json_int_t)unit->opened_us, "closes_us", (json_int_t)unit->closes_us, "class",
                     unit->class_name, "force_majeure", (int)unit->force_majeure, "stratum",
                     stratum, "video", unit->video);
}

static void writer_free(struct frame_writer *writer)
{
    days_free(&writer->days);
    json_decref(writer->names);
}

static int name_stratum(struct frame_writer *writer, const struct frame_unit *unit,
                        char *ret_stratum, struct okno_err *err)
{
    char day[DAY_TEXT] = "";
    unsigned strata = writer->audit->sampling.strata;
    if (strata & OKNO_STRATA_DAY) {
        int rc = days_date(writer->db, &writer->days, unit->site, unit->opened_us, day, err);
        if (rc < 0)
            return rc;
    }
    (void)okno_stratum_name(strata, unit->site, unit->point, day, unit->class_name, ret_stratum);
    return 0;
}

/* Each employee's pseudonym is made once. */
static int pseudonym(struct okno_db *db, json_t *names, const char *employee, const char **ret_name,
                     struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    *ret_name = employee ? json_string_value(json_object_get(names, employee)) : NULL;
    if (!employee || *ret_name)
        return 0;
    int rc = okno_ledger_pseudonym(db, 'E', employee, name, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(names, employee, json_string(name)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
    *ret_name = json_string_value(json_object_get(names, employee));
    return 0;
}

int frame_add(struct frame_writer *writer, const struct frame_unit *unit, struct okno_err *err)
{
    char stratum[OKNO_STRATUM_TEXT];
    okno_autofree char *line = NULL;
    const char *employee = NULL;
    if (writer->count == OKNO_SAMPLER_IDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "the period holds more than %d to draw from",
                         OKNO_SAMPLER_IDS_MAX);
    int rc = name_stratum(writer, unit, stratum, err);
    if (rc == 0)
        rc = pseudonym(writer->db, writer->names, unit->employee, &employee, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = line_json(unit, stratum, employee);
    rc = okno_json_canonical(json, &line, err);
    if (rc < 0)
        return rc;
    okno_hash_add(&writer->hash, line, strlen(line));
    okno_hash_add(&writer->hash, "\n", 1);
    return OKNO_DB_RUN(
        writer->db, "audit.add_frame", NULL, err, OKNO_TEXT("audit", writer->audit->audit),
        OKNO_TEXT("survey", unit->id), OKNO_INT("ordinal", ++writer->count),
        OKNO_TEXT("stratum", stratum), OKNO_TEXT("class", unit->class_name),
        OKNO_TEXT("question", unit->question), OKNO_TEXT("question_kind", unit->question_kind),
        OKNO_INT("opened_at", unit->opened_us), OKNO_INT("force_majeure", unit->force_majeure),
        OKNO_TEXT("site", unit->site), OKNO_TEXT("point", unit->point),
        OKNO_TEXT("employee", unit->employee), OKNO_TEXT("video", unit->video),
        OKNO_TEXT("line", line));
}

static struct frame_unit unit_of(struct okno_stmt *row)
{
    return (struct frame_unit){.id = okno_stmt_text(row, "survey"),
                               .site = okno_stmt_text(row, "site"),
                               .point = okno_stmt_text(row, "point"),
                               .employee = okno_stmt_text(row, "employee"),
                               .question = okno_stmt_text(row, "question"),
                               .question_kind = okno_stmt_text(row, "question_kind"),
                               .class_name = okno_stmt_text(row, "class"),
                               .video = okno_stmt_text(row, "video"),
                               .opened_us = okno_stmt_int(row, "opened_at"),
                               .closes_us = okno_stmt_int(row, "closes_at"),
                               .force_majeure = okno_stmt_int(row, "force_majeure") != 0};
}

/* The rows of a statement over the period. */
static int add_rows(struct frame_writer *writer, struct okno_stmt *rows, struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const struct frame_unit unit = unit_of(rows);
        rc = frame_add(writer, &unit, err);
    }
    return rc;
}

static int add_units(struct frame_writer *writer, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    const struct audit_row *audit = writer->audit;
    if (audit->frame == OKNO_FRAME_MINUTES)
        return frame_add_minutes(writer, err);
    int rc =
        audit->frame == OKNO_FRAME_TRANSACTIONS
            ? OKNO_DB_PREPARE(writer->db, "audit.frame_transactions", &rows, err,
                              OKNO_INT("from", audit->from_us), OKNO_INT("to", audit->to_us),
                              OKNO_INT("length", FRAME_VISIT_US), OKNO_INT("reach", FRAME_REACH_US))
            : OKNO_DB_PREPARE(writer->db,
                              audit->frame == OKNO_FRAME_SPONTANEOUS ? "audit.frame_ratings"
                                                                     : "audit.frame_source",
                              &rows, err, OKNO_INT("from", audit->from_us),
                              OKNO_INT("to", audit->to_us));
    return rc < 0 ? rc : add_rows(writer, rows, err);
}

static int store_lines(struct okno_db *db, const struct audit_row *audit, int64_t *ret_size,
                       char *ret_sha256, struct okno_err *err)
{
    __attribute__((cleanup(writer_free))) struct frame_writer writer = {
        .db = db, .audit = audit, .names = json_object()};
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_start(&writer.hash);
    int rc = add_units(&writer, err);
    if (rc < 0)
        return rc;
    okno_hash_end(&writer.hash, digest);
    (void)okno_hash_hex(digest, ret_sha256);
    *ret_size = writer.count;
    return 0;
}

static int check_period(struct okno_db *db, const struct audit_row *audit, int64_t now_us,
                        struct okno_err *err)
{
    char text[OKNO_TIME_TEXT];
    int64_t open = 0;
    if (audit->to_us > now_us)
        return okno_fail(err, OKNO_REFUSED,
                         "the period of audit %s ends at %s, which is still to come: freeze after "
                         "that",
                         audit->audit, okno_time_format(audit->to_us, text));
    int rc = OKNO_DB_INT(db, "audit.count_open", 0, &open, err, OKNO_INT("from", audit->from_us),
                         OKNO_INT("to", audit->to_us));
    if (rc == 0 && open > 0)
        rc = okno_fail(err, OKNO_REFUSED,
                       "%lld %s of the period %s still open: freeze when all are closed",
                       (long long)open, okno_text_form(open, "survey", "surveys"),
                       okno_text_form(open, "is", "are"));
    return rc;
}

/* What the step tells: the frame, and what was accepted. */
static json_t *freeze_json(int64_t size, const char *sha256, const struct audit_unheard *unheard,
                           int64_t left, const struct okno_audit_accepted *accepted)
{
    json_t *detail =
        json_pack("{s:I, s:s}", "frame_size", (json_int_t)size, "frame_sha256", sha256);
    if (detail && left > 0)
        (void)json_object_set_new(detail, "left", json_integer((json_int_t)left));
    if (detail && accepted->fm)
        (void)json_object_set_new(detail, "fm_accepted", json_true());
    if (detail && accepted->fm) /* `how` stays out of the log, like every text that people write */
        (void)json_object_set_new(detail, "how", json_string(accepted->fm));
    if (!detail || !(unheard->silent || unheard->missing))
        return detail;
    (void)json_object_set_new(detail, "unheard", json_integer((json_int_t)unheard->silent));
    (void)json_object_set_new(detail, "missing", json_integer((json_int_t)unheard->missing));
    (void)json_object_set_new(detail, "note", json_string(accepted->unheard));
    return detail;
}

/* Whoever corrects a sale takes it out of a period: how often that was done is told. */
static int count_left(struct okno_db *db, const struct audit_row *row, int64_t *ret_left,
                      struct okno_err *err)
{
    if (row->frame != OKNO_FRAME_TRANSACTIONS)
        return 0;
    return OKNO_DB_INT(db, "audit.count_left", 0, ret_left, err, OKNO_INT("from", row->from_us),
                       OKNO_INT("to", row->to_us));
}

static const char *const unit_words[] = {"closed survey", "spontaneous rating", "transaction",
                                         "minute of opening hours"};

static int freeze(struct okno_db *db, const char *audit, const char *author,
                  const struct okno_audit_accepted *accepted, int64_t now_us, int64_t *ret_size,
                  char *ret_sha256, struct okno_err *err)
{
    struct audit_row row;
    struct audit_unheard unheard = {0};
    int64_t left = 0;
    int rc = audit_enter(db, audit, "freeze", &row, err);
    if (rc == 0)
        rc = check_period(db, &row, now_us, err);
    if (rc == 0)
        rc = audit_count_unheard(db, &row, &unheard, err);
    if (rc == 0 && !accepted->unheard)
        rc = audit_require_heard(&row, &unheard, err);
    if (rc == 0)
        rc = count_left(db, &row, &left, err);
    if (rc == 0)
        rc = store_lines(db, &row, ret_size, ret_sha256, err);
    if (rc == 0 && *ret_size == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "no %s lies in the period of audit %s",
                       unit_words[row.frame], audit);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.set_frame", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("sha256", ret_sha256), OKNO_INT("size", *ret_size));
    if (rc < 0)
        return rc;
    return audit_done(db, audit, "freeze", author, now_us,
                      freeze_json(*ret_size, ret_sha256, &unheard, left, accepted), err);
}

/* The gate comes first: figures of a period that was mostly an emergency tell nothing of its
 * service, whatever a sample of it says. */
static int check_fm(struct okno_db *db, const char *audit, struct okno_err *err)
{
    __attribute__((cleanup(okno_kpi_groups_free))) struct okno_group_vec groups = {0};
    struct okno_kpi_figure figures[OKNO_INDICATOR_COUNT];
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0 || !(row.fm_threshold > 0))
        return rc;
    const struct okno_kpi_query query = {.from_us = row.from_us, .to_us = row.to_us};
    okno_kpi_prepare(db);
    struct okno_err why = {0};
    rc = okno_kpi_gather(db, &query, &groups, &why);
    if (rc == OKNO_UNKNOWN_REF) /* of a site that nobody described: no level can be told */
        return 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    if (groups.len == 0)
        return 0;
    okno_kpi_figures(&groups.items[0].sums, 0.5, figures);
    const struct okno_kpi_figure *level = &figures[OKNO_FM_LEVEL];
    if (strcmp(okno_kpi_fm_gate(level, row.fm_threshold), "not_advisable") != 0)
        return 0;
    return okno_fail(err, OKNO_REFUSED,
                     "the force majeure level of the period of audit %s is %.3f, above %.3f: its "
                     "indicators are not advisable; accept it with --accept-fm REASON",
                     audit, level->value[OKNO_EXCLUDED], row.fm_threshold);
}

static int check_reason(const char *field, const char *reason, struct okno_err *err)
{
    int rc = reason ? audit_check_note(field, reason, err) : 0;
    if (rc == 0 && reason && reason[strspn(reason, " ")] == '\0')
        rc = okno_fail_field(err, OKNO_MISSING, field, "say why it is accepted");
    return rc;
}

int okno_audit_freeze_with(struct okno_db *db, const char *audit, const char *author,
                           const struct okno_audit_accepted *accepted, int64_t now_us,
                           int64_t *ret_size, char *ret_sha256, struct okno_err *err)
{
    int64_t size = 0;
    char sha256[OKNO_SHA256_TEXT];
    int rc = check_reason("accept-unheard", accepted->unheard, err);
    if (rc == 0)
        rc = check_reason("accept-fm", accepted->fm, err);
    if (rc == 0 && !accepted->fm)
        rc = check_fm(db, audit, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = okno_db_run(db, "audit.cache_much", NULL, 0, NULL, err);
    if (rc == 0)
        rc = freeze(db, audit, author, accepted, now_us, &size, sha256, err);
    rc = audit_finish(db, rc, err);
    (void)!okno_db_run(db, "audit.cache_usual", NULL, 0, NULL, NULL);
    if (rc < 0)
        return rc;
    *ret_size = size;
    memcpy(ret_sha256, sha256, sizeof(sha256));
    return 0;
}

int okno_audit_freeze(struct okno_db *db, const char *audit, const char *author,
                      const char *accepted, int64_t now_us, int64_t *ret_size, char *ret_sha256,
                      struct okno_err *err)
{
    const struct okno_audit_accepted reasons = {.unheard = accepted, .fm = NULL};
    return okno_audit_freeze_with(db, audit, author, &reasons, now_us, ret_size, ret_sha256, err);
}
