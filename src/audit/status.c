/* Where an audit stands, for people and programs. */
#include "okno/audit.h"

#include "okno/double.h"
#include "okno/mem.h"
#include "room.h"

#include <string.h>

static json_t *integer_or_null(struct okno_stmt *row, const char *column)
{
    return okno_stmt_is_null(row, column) ? json_null() : json_integer(okno_stmt_int(row, column));
}

/* Stored JSON as a value; a broken text would be this program's bug and shows as null. */
static json_t *stored_json(struct okno_stmt *row, const char *column)
{
    json_t *json = json_loads(okno_stmt_text(row, column), JSON_DECODE_ANY, NULL);
    return json ? json : json_null();
}

static int add_steps(struct okno_db *db, const char *audit, json_t *status, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *steps = json_array();
    bool whole = json_object_set_new(status, "steps", steps) == 0;
    int rc = OKNO_DB_PREPARE(db, "audit.steps", &rows, err, OKNO_TEXT("audit", audit));
    while (whole && rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        json_t *step =
            json_pack("{s:s, s:o, s:s, s:o}", "step", okno_stmt_text(rows, "step"), "at",
                      okno_json_time(okno_stmt_int(rows, "at")), "author",
                      okno_stmt_text(rows, "author"), "detail", stored_json(rows, "detail"));
        whole = json_array_append_new(steps, step) == 0;
    }
    if (rc == 0 && !whole)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the steps of audit %s", audit);
    return rc;
}

static int add_progress(struct okno_db *db, const char *audit, json_t *status, struct okno_err *err)
{
    static const char *const names[] = {"sample",       "reviewed",       "valid",
                                        "invalid",      "undeterminable", "not_asked",
                                        "appeals_open", "gold_there"};
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.progress", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        if (json_object_set_new(status, names[i], json_integer(okno_stmt_int(row, names[i]))) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", audit);
    return 0;
}

static bool is_step(const json_t *step, const char *name)
{
    return strcmp(json_string_value(json_object_get(step, "step")), name) == 0;
}

/* After the close the newest edition is signed, where the plan names a key, and handed out. NULL:
 * all of it was done. */
static const char *after_close(const json_t *status)
{
    bool reported = false;
    bool is_signed = json_object_get(json_object_get(status, "plan"), "auditor_key") == NULL;
    bool exported = false;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(status, "steps"), i, step)
    {
        bool report = is_step(step, "report");
        reported |= report;
        is_signed |= is_step(step, "sign");
        exported = !report && (exported || is_step(step, "export"));
    }
    return !reported ? "report" : !is_signed ? "sign" : !exported ? "export" : NULL;
}

/* What comes next, and the command that does it: where somebody left off, another goes on. While
 * decisions are missing they come before the close. */
static int add_next(struct okno_db *db, const struct audit_row *row, json_t *status,
                    struct okno_err *err)
{
    bool closed = strcmp(row->state, "closed") == 0;
    const char *name = closed ? after_close(status) : NULL;
    const struct okno_audit_step *next = closed ? okno_audit_steps : okno_audit_next(row->state);
    int64_t undecided = 0;
    int rc = OKNO_DB_INT(db, "audit.count_undecided", 0, &undecided, err,
                         OKNO_TEXT("audit", row->audit));
    if (rc < 0)
        return rc;
    while (closed && next->name && (!name || strcmp(next->name, name) != 0))
        next++;
    next = next && next->name ? next : NULL;
    json_t *command = !next ? json_null()
                      : undecided > 0 && strcmp(next->name, "close") == 0
                          ? json_sprintf("okno review next --audit %s --user NAME", row->audit)
                          : json_sprintf("okno audit %s %s%s", next->name, row->audit, next->needs);
    if (json_object_set_new(status, "next", okno_json_text(next ? next->name : NULL)) == 0 &&
        json_object_set_new(status, "next_command", command) == 0 &&
        json_object_set_new(status, "undecided", json_integer((json_int_t)undecided)) == 0)
        return 0;
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
}

/* Ids of other audits by a statement, as an array. */
static int add_ids(struct okno_db *db, const char *statement, const struct audit_row *row,
                   const char *member, json_t *status, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *ids = json_array();
    bool whole = json_object_set_new(status, member, ids) == 0;
    int rc = OKNO_DB_PREPARE(db, statement, &rows, err, OKNO_TEXT("audit", row->audit));
    while (whole && rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        whole = json_array_append_new(ids, json_string(okno_stmt_text(rows, "audit"))) == 0;
    }
    if (rc == 0 && !whole)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
    return rc;
}

/* What other audits have to do with this one: a frame looked at twice until the result pleases
 * cannot hide. */
static int add_others(struct okno_db *db, const struct audit_row *row, json_t *status,
                      struct okno_err *err)
{
    json_t *repeats = json_object_get(json_object_get(status, "plan"), "repeats");
    if (json_object_set_new(status, "repeats", repeats ? json_incref(repeats) : json_null()) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
    int rc = add_ids(db, "audit.repeated_by", row, "repeated_by", status, err);
    return rc < 0 ? rc : add_ids(db, "audit.overlapping", row, "overlapping", status, err);
}

static int audit_json(struct okno_db *db, const char *audit, json_t **ret_status,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.get", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no audit %s: see `okno audit list`", audit);
    if (rc < 0)
        return rc;
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "audit", audit, "title",
                  okno_stmt_text(row, "title"), "state", okno_stmt_text(row, "state"),
                  "period_from", okno_json_time(okno_stmt_int(row, "period_from")), "period_to",
                  okno_json_time(okno_stmt_int(row, "period_to")), "plan", stored_json(row, "plan"),
                  "frame_size", integer_or_null(row, "frame_size"), "frame_sha256",
                  okno_json_text(okno_stmt_text(row, "frame_sha256")), "seed",
                  okno_json_text(okno_stmt_text(row, "seed")));
    if (!status)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", audit);
    *ret_status = status;
    return 0;
}

static int add_doubles(struct okno_db *db, const char *audit, json_t *status, struct okno_err *err)
{
    json_t *agreement = NULL;
    json_t *doubles = NULL;
    int rc = okno_audit_agreement(db, audit, &agreement, err);
    if (rc == 0)
        rc = okno_audit_doubles(db, audit, &doubles, err);
    if (agreement)
        (void)json_object_set_new(status, "agreement", agreement);
    if (doubles)
        (void)json_object_set_new(status, "double_review", doubles);
    return rc;
}

/* How many more may be drawn: as the rounds of the plan and the frame allow. */
static int left_to_draw(struct okno_db *db, const struct audit_row *row, const json_t *status,
                        int64_t *ret_left, struct okno_err *err)
{
    int64_t drawable = 0;
    int rounds = 0;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(status, "steps"), i, step)
    {
        rounds += is_step(step, "draw") || is_step(step, "extend");
    }
    *ret_left = row->sampling.with_replacement ? INT64_MAX : 0;
    if (strcmp(row->state, "drawn") != 0 || rounds >= row->looks)
        *ret_left = 0;
    else if (!row->sampling.with_replacement) {
        int rc = OKNO_DB_INT(db, "audit.count_drawable", 0, &drawable, err,
                             OKNO_TEXT("audit", row->audit),
                             OKNO_INT("silent_known", row->sampling.silent_known));
        if (rc < 0)
            return rc;
        *ret_left = drawable - json_integer_value(json_object_get(status, "sample"));
    }
    return 0;
}

/* What the plan's width asks for beyond what was looked at. */
static int add_widths(struct okno_db *db, const struct audit_row *row, json_t *status,
                      struct okno_err *err)
{
    json_t *wide = NULL;
    int64_t more = 0;
    bool drawn = strcmp(row->state, "drawn") == 0 || strcmp(row->state, "closed") == 0;
    if (!drawn || !(row->max_half_width > 0))
        return 0;
    int64_t left = 0;
    int rc = left_to_draw(db, row, status, &left, err);
    if (rc == 0)
        rc = okno_audit_widths(db, row->audit, &more, &wide, err);
    if (rc < 0)
        return rc;
    more = more < left ? more : left;
    if (json_object_set_new(status, "too_wide", wide) == 0 &&
        json_object_set_new(status, "extend_by", json_integer((json_int_t)more)) == 0)
        return 0;
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
}

/* Whether it can be done in time, while there is something to do. */
static int add_capacity(struct okno_db *db, const struct audit_row *row, json_t *status,
                        struct okno_err *err)
{
    json_t *capacity = NULL;
    if (strcmp(row->state, "closed") == 0 || strcmp(row->state, "abandoned") == 0)
        return 0;
    int rc = audit_capacity(db, row, &capacity, err);
    if (rc < 0)
        return rc;
    return json_object_set_new(status, "capacity", capacity) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
}

/* Of a frame of visits what it was drawn for. */
static int add_asked(struct okno_db *db, const struct audit_row *row, json_t *status,
                     struct okno_err *err)
{
    struct okno_audit_figure figure;
    if (!okno_frame_is_visits(row->frame))
        return 0;
    int rc = okno_audit_asked(db, row->audit, NULL, &figure, err);
    const struct okno_estimate *e = &figure.estimate;
    if (rc < 0)
        return rc;
    json_t *json = e->null_reason ? json_pack("{s:s}", "null_reason", e->null_reason)
                                  : json_pack("{s:n, s:f, s:f, s:f}", "null_reason", "value",
                                              e->value, "low", e->low, "high", e->high);
    return json_object_set_new(status, "never_asked", json) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the status of audit %s", row->audit);
}

int okno_audit_status(struct okno_db *db, const char *audit, json_t **ret_status,
                      struct okno_err *err)
{
    struct audit_row known;
    okno_autojson json_t *status = NULL;
    int rc = audit_load(db, audit, &known, err);
    if (rc == 0)
        rc = audit_json(db, known.audit, &status, err);
    if (rc == 0)
        rc = add_others(db, &known, status, err);
    if (rc == 0)
        rc = add_progress(db, known.audit, status, err);
    if (rc == 0)
        rc = add_steps(db, known.audit, status, err);
    if (rc == 0)
        rc = add_next(db, &known, status, err);
    if (rc == 0)
        rc = add_widths(db, &known, status, err);
    if (rc == 0)
        rc = add_capacity(db, &known, status, err);
    if (rc == 0)
        rc = add_asked(db, &known, status, err);
    if (rc == 0)
        rc = add_doubles(db, known.audit, status, err);
    if (rc < 0)
        return rc;
    *ret_status = json_incref(status);
    return 0;
}

/* The ids first: one statement cannot be stepped while the next status uses its own. */
static int list_ids(struct okno_db *db, json_t *ids, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "audit.list", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        if (json_array_append_new(ids, json_string(okno_stmt_text(rows, "audit"))) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of audits");
    }
    return rc;
}

int okno_audit_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    okno_autojson json_t *ids = json_array();
    okno_autojson json_t *list = json_array();
    int rc = list_ids(db, ids, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(ids); i++) {
        json_t *status = NULL;
        rc = okno_audit_status(db, json_string_value(json_array_get(ids, i)), &status, err);
        if (rc == 0 && json_array_append_new(list, status) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of audits");
    }
    if (rc < 0)
        return rc;
    *ret_list = json_incref(list);
    return 0;
}
