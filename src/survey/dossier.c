/* The dossier of a survey: what was told, shown, kept, decided and changed. */
#include "okno/rows.h"
#include "okno/time.h"
#include "store.h"

#include <string.h>

enum { DOSSIER_EVENTS_MAX = 1000 };

static json_t *ms_of(struct okno_stmt *stmt, const char *column)
{
    return json_real((double)okno_stmt_int(stmt, column) / 1000.0);
}

/* JSON kept as text in a column; null where it is none. */
static json_t *json_of(struct okno_stmt *stmt, const char *column)
{
    const char *text = okno_stmt_text(stmt, column);
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_null();
}

/* [[from, to], ...] in microseconds as times. */
static json_t *gaps_of(struct okno_stmt *stmt)
{
    okno_autojson json_t *stored = json_of(stmt, "gaps");
    json_t *gaps = json_array();
    size_t i;
    json_t *gap;
    json_array_foreach(stored, i, gap)
    {
        json_t *from = okno_json_time(json_integer_value(json_array_get(gap, 0)));
        json_t *to = okno_json_time(json_integer_value(json_array_get(gap, 1)));
        (void)json_array_append_new(gaps, json_pack("[o, o]", from, to));
    }
    return gaps;
}

static json_t *link_json(struct okno_stmt *stmt)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "state",
                     okno_row_text(stmt, "state"), "camera", okno_row_text(stmt, "camera"),
                     "asked_from", okno_row_time(stmt, "asked_from"), "asked_to",
                     okno_row_time(stmt, "asked_to"), "fraction", okno_stmt_real(stmt, "fraction"),
                     "gaps", gaps_of(stmt), "offset_ms", ms_of(stmt, "index_offset_us"),
                     "uncertainty_ms", ms_of(stmt, "uncertainty_us"), "flags",
                     okno_row_text(stmt, "flags"), "message", okno_row_text(stmt, "message"),
                     "attempts", (json_int_t)okno_stmt_int(stmt, "attempts"), "next_try_at",
                     okno_row_time(stmt, "next_try_at"), "made_at", okno_row_time(stmt, "made_at"));
}

static json_t *evidence_url(struct okno_stmt *stmt)
{
    bool clip = strcmp(okno_stmt_text(stmt, "kind"), "clip") == 0;
    return json_sprintf("/api/v1/evidence/%s.%s", okno_stmt_text(stmt, "sha256"),
                        clip ? "mp4" : "jpg");
}

/* Why it is shown as a viewing copy (masks, codec), what its pictures are like, its sidecar. */
static void add_shown(json_t *json, struct okno_stmt *stmt)
{
    const char *sha256 = okno_stmt_text(stmt, "sha256");
    const char *why = okno_stmt_text(stmt, "view");
    const char *sidecar = okno_stmt_text(stmt, "sidecar");
    bool clip = strcmp(okno_stmt_text(stmt, "kind"), "clip") == 0;
    json_object_set_new(json, "view",
                        why[0] ? json_pack("{s:o, s:s}", "url",
                                           json_sprintf("/api/v1/evidence/%s.view.%s", sha256,
                                                        clip ? "mp4" : "jpg"),
                                           "why", why)
                               : json_null());
    json_object_set_new(json, "sheet",
                        clip ? json_pack("{s:o, s:i}", "url",
                                         json_sprintf("/api/v1/evidence/%s.sheet.jpg", sha256),
                                         "count", 12)
                             : json_null());
    json_object_set_new(json, "picture_flags",
                        json_loads(okno_stmt_text(stmt, "picture_flags"), 0, NULL));
    json_object_set_new(json, "sidecar",
                        sidecar[0] ? json_pack("{s:s, s:o}", "sha256", sidecar, "url",
                                               json_sprintf("/api/v1/evidence/%s.json", sidecar))
                                   : json_null());
}

/* The file is gone; what is known of it stays. */
static void add_destroyed(json_t *json, struct okno_stmt *stmt)
{
    json_object_set_new(json, "destroyed",
                        json_pack("{s:o, s:o}", "at", okno_row_time(stmt, "destroyed_at"), "rule",
                                  okno_row_text(stmt, "destroyed_by")));
    json_object_set_new(json, "url", json_null());
    json_object_set_new(json, "view", json_null());
    json_object_set_new(json, "sheet", json_null());
}

static json_t *evidence_json(struct okno_stmt *stmt)
{
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
        " s:I, s:I, s:o, s:o}",
        "kind", okno_row_text(stmt, "kind"), "audit", okno_row_text(stmt, "audit"), "url",
        evidence_url(stmt), "sha256", okno_row_text(stmt, "sha256"), "bytes",
        (json_int_t)okno_stmt_int(stmt, "bytes"), "media_type", okno_row_text(stmt, "media_type"),
        "codec", okno_row_text(stmt, "codec"), "derived", okno_stmt_int(stmt, "derived") != 0,
        "camera", okno_row_text(stmt, "camera"), "asked_from", okno_row_time(stmt, "asked_from"),
        "asked_to", okno_row_time(stmt, "asked_to"), "got_from", okno_row_time(stmt, "got_from"),
        "got_to", okno_row_time(stmt, "got_to"), "frame_at", okno_row_time(stmt, "frame_at"),
        "view_offset_ms", ms_of(stmt, "view_offset_us"), "gaps", gaps_of(stmt), "offset_ms",
        ms_of(stmt, "index_offset_us"), "uncertainty_ms", ms_of(stmt, "uncertainty_us"), "requests",
        (json_int_t)okno_stmt_int(stmt, "requests"), "bytes_read",
        (json_int_t)okno_stmt_int(stmt, "bytes_read"), "software", okno_row_text(stmt, "software"),
        "made_at", okno_row_time(stmt, "made_at"));
    if (json)
        add_shown(json, stmt);
    if (json && !okno_stmt_is_null(stmt, "destroyed_at"))
        add_destroyed(json, stmt);
    return json;
}

static json_t *review_json(struct okno_stmt *stmt)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:b, s:b}", "part",
        (json_int_t)okno_stmt_int(stmt, "part"), "origin", okno_row_text(stmt, "origin"), "audit",
        okno_row_text(stmt, "audit"), "user", okno_row_text(stmt, "user"), "at",
        okno_row_time(stmt, "at"), "verdict", okno_row_text(stmt, "verdict"), "reason",
        okno_row_text(stmt, "reason"), "comment", okno_row_text(stmt, "comment"), "correction",
        okno_row_text(stmt, "correction"), "checklist", json_of(stmt, "checklist"), "watched",
        json_of(stmt, "watched"), "played_s", okno_stmt_real(stmt, "played_s"), "active_s",
        okno_stmt_real(stmt, "active_s"), "wall_s", okno_stmt_real(stmt, "wall_s"),
        "blinding_broken", okno_stmt_int(stmt, "blinding_broken") != 0, "counted",
        okno_stmt_int(stmt, "counted") != 0);
}

static json_t *appeal_json(struct okno_stmt *stmt)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "appeal",
                     (json_int_t)okno_stmt_int(stmt, "appeal"), "user", okno_row_text(stmt, "user"),
                     "at", okno_row_time(stmt, "at"), "asks", okno_row_text(stmt, "asks"),
                     "comment", okno_row_text(stmt, "comment"), "due_at",
                     okno_row_time(stmt, "due_at"), "outcome", okno_row_text(stmt, "outcome"),
                     "decided_by", okno_row_text(stmt, "decided_by"), "decided_at",
                     okno_row_time(stmt, "decided_at"), "answer", okno_row_text(stmt, "answer"));
}

static json_t *void_json(struct okno_stmt *stmt)
{
    json_t *import = okno_row_int(stmt, "import");
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "voided", okno_stmt_int(stmt, "voided") != 0,
                     "at", okno_row_time(stmt, "at"), "author", okno_row_text(stmt, "author"),
                     "second", okno_row_text(stmt, "second"), "reason",
                     okno_row_text(stmt, "reason"), "import", import);
}

static json_t *attribution_json(struct okno_stmt *stmt)
{
    return json_pack("{s:o, s:b, s:b, s:o, s:o, s:o}", "employee", okno_row_text(stmt, "employee"),
                     "undone", okno_stmt_int(stmt, "undone") != 0, "on_shift",
                     okno_stmt_int(stmt, "on_shift") != 0, "at", okno_row_time(stmt, "at"),
                     "author", okno_row_text(stmt, "author"), "reason",
                     okno_row_text(stmt, "reason"));
}

static json_t *employee_json(struct okno_stmt *stmt)
{
    return okno_row_text(stmt, "employee");
}

static json_t *name_json(struct okno_stmt *stmt)
{
    return json_pack("{s:o, s:o, s:o}", "kind", okno_row_text(stmt, "kind"), "id",
                     okno_row_text(stmt, "id"), "name", okno_row_text(stmt, "name"));
}

/* All rows of a statement about the survey as an array under `name`. */
static int add_rows(struct okno_db *db, const char *survey, const char *statement, const char *name,
                    json_t *(*row_json)(struct okno_stmt *), json_t *dossier, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    json_t *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, statement, &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_rows_list(stmt, row_json, &rows, err);
    if (rc == 0 && json_object_set_new(dossier, name, rows) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    return rc;
}

static json_t *event_json(const struct okno_survey_event *event)
{
    char id[OKNO_EVENT_ID_TEXT];
    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:o, s:f, s:f}", "id",
                     okno_event_id(event->device, event->boot, event->seq, id), "device",
                     event->device, "boot", (json_int_t)event->boot, "seq", (json_int_t)event->seq,
                     "kind", okno_event_kind_text(event->kind), "channel",
                     event->channel ? event->channel : "panel", "time",
                     okno_json_time(event->at_us), "offset_ms", (double)event->offset_us / 1000.0,
                     "uncertainty_ms", (double)event->uncertainty_us / 1000.0);
}

static int read_events(struct survey_reader *reader, int64_t until_us, json_t *events,
                       struct okno_err *err)
{
    const struct okno_survey_event *event = NULL;
    int found = 0;
    for (size_t i = 0; i < DOSSIER_EVENTS_MAX; i++) {
        found = survey_reader_next(reader, until_us, &event, err);
        if (found <= 0)
            return found;
        if (json_array_append_new(events, event_json(event)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    }
    return 0;
}

static int add_events(struct okno_db *db, const struct survey_row *row, json_t *dossier,
                      struct okno_err *err)
{
    struct survey_facts facts = {0};
    struct survey_reader reader = {0};
    json_t *events = json_array();
    int64_t until_us = row->closes_us + okno_survey_params_default().late_us;
    int rc = survey_facts_load(db, row->point, &facts, err);
    if (rc == 0)
        rc = survey_reader_open(db, &facts, row->opened_us, true, &reader, err);
    if (rc == 0)
        rc = read_events(&reader, until_us, events, err);
    if (json_object_set_new(dossier, "events", events) < 0 && rc == 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    survey_reader_close(&reader);
    survey_facts_free(&facts);
    return rc;
}

/* `each` of the list: keep the one survey. */
static int keep_survey(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    json_t *dossier = ctx;
    json_t *survey = okno_survey_json(info);
    double offset_ms = (double)info->offset_us / 1000.0;
    double uncertainty_ms = (double)info->uncertainty_us / 1000.0;
    if (!survey || json_object_set_new(survey, "test", json_boolean(info->test)) < 0 ||
        json_object_set_new(survey, "offset_ms", json_real(offset_ms)) < 0 ||
        json_object_set_new(survey, "uncertainty_ms", json_real(uncertainty_ms)) < 0 ||
        json_object_set(dossier, "survey", survey) < 0) {
        json_decref(survey);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    }
    json_decref(survey);
    return 0;
}

/* There is one of it at most: its value, or null. */
static int flatten(json_t *dossier, const char *name, struct okno_err *err)
{
    json_t *only = json_array_get(json_object_get(dossier, name), 0);
    only = only ? json_incref(only) : json_null();
    if (json_object_set_new(dossier, name, only) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    return 0;
}

static int add_attributions(struct okno_db *db, const char *survey, json_t *dossier,
                            struct okno_err *err)
{
    int rc =
        add_rows(db, survey, "survey.attributions", "attributions", attribution_json, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.shift_employee", "shift_employee", employee_json, dossier,
                      err);
    return rc < 0 ? rc : flatten(dossier, "shift_employee", err);
}

/* Place and time of what the dossier is about. */
static int find_subject(struct okno_db *db, const char *survey, struct survey_row *row,
                        bool *ret_spontaneous, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "survey.subject", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey \"%.111s\"", survey);
    if (rc < 0)
        return rc;
    okno_stmt_copy(stmt, "point", row->point, sizeof(row->point));
    row->opened_us = okno_stmt_int(stmt, "opened_at");
    row->closes_us = okno_stmt_int(stmt, "closes_at");
    *ret_spontaneous = okno_stmt_int(stmt, "spontaneous") != 0;
    return 0;
}

static int add_proposals(struct okno_db *db, const char *survey, json_t *dossier,
                         struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_void_list(db, survey, NULL, &list, err);
    if (rc == 0 && json_object_set_new(dossier, "void_proposals", list) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    return rc;
}

static int fill(struct okno_db *db, const char *survey, json_t *dossier, struct okno_err *err)
{
    struct okno_survey_filter filter = OKNO_SURVEY_FILTER_ALL;
    struct survey_row row = {0};
    filter.survey = survey;
    int rc = find_subject(db, survey, &row, &filter.spontaneous, err);
    filter.from_us = row.opened_us;
    filter.to_us = row.opened_us + 1;
    if (rc == 0)
        rc = okno_survey_list(db, &filter, keep_survey, dossier, err);
    if (rc == 0)
        rc = add_events(db, &row, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.link", "link", link_json, dossier, err);
    if (rc == 0)
        rc = flatten(dossier, "link", err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.evidence", "evidence", evidence_json, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.reviews", "reviews", review_json, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.appeals", "appeals", appeal_json, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.voids", "voids", void_json, dossier, err);
    if (rc == 0)
        rc = add_proposals(db, survey, dossier, err);
    if (rc == 0)
        rc = add_attributions(db, survey, dossier, err);
    if (rc == 0)
        rc = add_rows(db, survey, "survey.names", "names", name_json, dossier, err);
    return rc < 0 ? rc
                  : add_rows(db, survey, "survey.history", "history", okno_survey_change_json,
                             dossier, err);
}

int okno_survey_dossier(struct okno_db *db, const char *survey, json_t **ret_dossier,
                        struct okno_err *err)
{
    okno_autojson json_t *dossier = json_object();
    if (!dossier)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a dossier");
    int rc = fill(db, survey, dossier, err);
    if (rc == 0)
        *ret_dossier = json_incref(dossier);
    return rc;
}
