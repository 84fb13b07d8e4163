/* What the holder of a lease is shown: facts of the survey, its clip and stills, blind. */
#include "review.h"

#include "okno/evidence.h"
#include "okno/review.h"
#include "okno/rows.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <stdlib.h>
#include <string.h>

/* Stills of neighbouring surveys reach this far back and forth. */
static const int64_t neighbour_reach_us = 3600 * OKNO_SECOND_US;

/* json_object_set_new that turns a lost allocation into a failure. */
static int set(json_t *object, const char *key, json_t *value, struct okno_err *err)
{
    if (json_object_set_new(object, key, value) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %s", key);
    return 0;
}

static json_t *evidence_url(const char *sha256, const char *media_type)
{
    const char *extension = strcmp(media_type, "image/jpeg") == 0 ? "jpg"
                            : strcmp(media_type, "masked") == 0   ? "view.jpg"
                                                                  : "mp4";
    return json_sprintf("/api/v1/evidence/%s.%s", sha256, extension);
}

/* How it is shown: a viewing copy where one is needed (and why), what its pictures are like. */
static void add_shown(json_t *json, struct okno_stmt *row)
{
    const char *sha256 = okno_stmt_text(row, "sha256");
    const char *why = okno_stmt_text(row, "view");
    const char *sidecar = okno_stmt_text(row, "sidecar");
    bool clip = strcmp(okno_stmt_text(row, "media_type"), "image/jpeg") != 0;
    json_object_set_new(json, "view",
                        why[0] ? json_pack("{s:o, s:s}", "url",
                                           json_sprintf("/api/v1/evidence/%s.view.%s", sha256,
                                                        clip ? "mp4" : "jpg"),
                                           "why", why)
                               : json_null());
    json_object_set_new(json, "picture_flags",
                        json_loads(okno_stmt_text(row, "picture_flags"), 0, NULL));
    json_object_set_new(json, "sidecar", sidecar[0] ? json_string(sidecar) : json_null());
    if (clip)
        json_object_set_new(json, "sheet",
                            json_pack("{s:o, s:i}", "url",
                                      json_sprintf("/api/v1/evidence/%s.sheet.jpg", sha256),
                                      "count", OKNO_SHEET_TILES));
}

static json_t *clip_json(struct okno_stmt *row)
{
    const char *sha256 = okno_stmt_text(row, "sha256");
    const char *type = okno_stmt_text(row, "media_type");
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "url", evidence_url(sha256, type),
        "sha256", sha256, "media_type", type, "codec", okno_stmt_text(row, "codec"), "got_from",
        okno_row_time(row, "got_from"), "got_to", okno_row_time(row, "got_to"), "asked_from",
        okno_row_time(row, "asked_from"), "asked_to", okno_row_time(row, "asked_to"),
        "view_offset_ms", (json_int_t)(okno_stmt_int(row, "view_offset_us") / OKNO_MS_US), "gaps",
        okno_evidence_gaps_json(okno_stmt_text(row, "gaps")));
}

/* Masked stills are shown as their copies. */
static json_t *still_json(struct okno_stmt *row)
{
    const char *sha256 = okno_stmt_text(row, "sha256");
    bool masked = strcmp(okno_stmt_text(row, "view"), "masks") == 0;
    return json_pack("{s:o, s:s, s:o}", "url",
                     evidence_url(sha256, masked ? "masked" : "image/jpeg"), "sha256", sha256,
                     "frame_at", okno_row_time(row, "frame_at"));
}

/* The newest clip or still of a survey, null when there is none yet. */
static int add_evidence(struct okno_db *db, const char *survey, const char *kind, json_t *item,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "review.evidence", &stmt, err, OKNO_TEXT("survey", survey),
                             OKNO_TEXT("kind", kind));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    json_t *json = rc == 0                     ? json_null()
                   : strcmp(kind, "clip") == 0 ? clip_json(stmt)
                                               : still_json(stmt);
    if (rc == 1)
        add_shown(json, stmt);
    return set(item, kind, json, err);
}

static json_t *flags_json(const char *flags)
{
    json_t *array = json_array();
    for (const char *at = flags ? flags : ""; *at;) {
        size_t len = strcspn(at, " ");
        json_array_append_new(array, json_stringn(at, len));
        at += len + (at[len] == ' ');
    }
    return array;
}

static json_t *survey_json(struct okno_stmt *row, bool show_answer)
{
    json_t *survey = json_pack(
        "{s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:b, s:b, s:b}", "id",
        okno_stmt_text(row, "survey"), "opened_at", okno_row_time(row, "opened_at"), "closes_at",
        okno_row_time(row, "closes_at"), "answered_at", okno_row_time(row, "answered_at"), "site",
        okno_stmt_text(row, "site"), "site_name", okno_row_text(row, "site_name"), "point",
        okno_stmt_text(row, "point"), "point_name", okno_row_text(row, "point_name"), "time_zone",
        okno_row_text(row, "time_zone"), "question", okno_row_text(row, "question"),
        "question_kind", okno_stmt_text(row, "question_kind"), "force_majeure",
        (int)okno_stmt_int(row, "force_majeure"), "fm_follows",
        (int)okno_stmt_int(row, "fm_follows"), "spontaneous",
        (int)okno_stmt_int(row, "spontaneous"));
    if (survey && *okno_stmt_text(row, "visit"))
        json_object_set_new(survey, "visit", json_string(okno_stmt_text(row, "visit")));
    if (survey && show_answer)
        json_object_set_new(survey, "answer", okno_row_text(row, "answer"));
    return survey;
}

static json_t *video_json(struct okno_stmt *row)
{
    const char *state = okno_stmt_text(row, "link_state");
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o}", "state", state ? state : "pending", "camera",
                     okno_row_text(row, "camera"), "camera_name", okno_row_text(row, "camera_name"),
                     "uncertainty_ms",
                     (json_int_t)(okno_stmt_int(row, "uncertainty_us") / OKNO_MS_US), "flags",
                     flags_json(okno_stmt_text(row, "link_flags")), "message",
                     okno_row_text(row, "link_message"));
}

/* point NULL: there are none. */
static int add_neighbours(struct okno_db *db, const char *point, int64_t opened_us, json_t *item,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *list = json_array();
    int rc =
        OKNO_DB_PREPARE(db, "review.neighbours", &stmt, err, OKNO_TEXT("point", point),
                        OKNO_INT("opened_at", opened_us), OKNO_INT("reach", neighbour_reach_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = 0;
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o}", "place", okno_stmt_text(stmt, "place"), "opened_at",
                            okno_row_time(stmt, "opened_at"), "still", still_json(stmt)));
    }
    return rc < 0 ? rc : set(item, "neighbours", json_incref(list), err);
}

/* Survey, video and neighbours of one survey into `item`. */
static int add_facts(struct okno_db *db, const char *id, bool show_answer, json_t *item,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char point[65];
    int rc = OKNO_DB_PREPARE(db, "review.survey", &stmt, err, OKNO_TEXT("survey", id));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "survey %s of this item is gone: its events or pairings were changed", id);
    if (rc < 0)
        return rc;
    (void)snprintf(point, sizeof(point), "%s", okno_stmt_text(stmt, "point"));
    int64_t opened_us = okno_stmt_int(stmt, "opened_at");
    bool visit = okno_stmt_text(stmt, "visit")[0] != '\0';
    rc = set(item, "survey", survey_json(stmt, show_answer), err);
    if (rc == 0)
        rc = set(item, "video", video_json(stmt), err);
    return rc < 0 ? rc : add_neighbours(db, visit ? NULL : point, opened_us, item, err);
}

static bool shows_answer(const char *plan)
{
    okno_autojson json_t *json = json_loads(plan, 0, NULL);
    return json_is_true(json_object_get(json, "show_answer"));
}

static int add_progress(struct okno_db *db, const char *audit, const char *user, json_t *item,
                        struct okno_err *err)
{
    int64_t reviewed = 0;
    int64_t total = 0;
    OKNO_AUTO_STMT *undoable = NULL;
    int rc = okno_review_progress(db, audit, &reviewed, &total, err);
    if (rc == 0)
        rc = set(
            item, "progress",
            json_pack("{s:I, s:I}", "reviewed", (json_int_t)reviewed, "total", (json_int_t)total),
            err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "review.undoable", &undoable, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = okno_stmt_step(undoable, err);
    return rc < 0 ? rc : set(item, "can_undo", json_boolean(rc == 1), err);
}

int review_item_json(struct okno_db *db, int64_t id, const char *user, json_t **ret_item,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *item = NULL;
    char audit[80];
    char survey[160];
    int rc = OKNO_DB_PREPARE(db, "review.get_item", &stmt, err, OKNO_INT("item", id));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "there is no item %lld", (long long)id);
    (void)snprintf(audit, sizeof(audit), "%s", okno_stmt_text(stmt, "shown"));
    (void)snprintf(survey, sizeof(survey), "%s", okno_stmt_text(stmt, "survey"));
    bool show_answer = shows_answer(okno_stmt_text(stmt, "plan"));
    item = json_pack("{s:I, s:o, s:o, s:s, s:s, s:s, s:I}", "item", (json_int_t)id, "lease",
                     okno_row_text(stmt, "lease_token"), "lease_until",
                     okno_row_time(stmt, "lease_until"), "audit", audit, "audit_title",
                     okno_stmt_text(stmt, "audit_title"), "origin", okno_stmt_text(stmt, "origin"),
                     "place", (json_int_t)okno_stmt_int(stmt, "place"));
    if (!item)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the item");
    rc = add_progress(db, audit, user, item, err);
    if (rc == 0)
        rc = add_facts(db, survey, show_answer, item, err);
    if (rc == 0)
        rc = add_evidence(db, survey, "clip", item, err);
    if (rc == 0)
        rc = add_evidence(db, survey, "still", item, err);
    if (rc == 0)
        *ret_item = okno_mem_take(&item);
    return rc;
}
