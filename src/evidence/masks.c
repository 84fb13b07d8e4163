/* Masks and reference stills of cameras: dated, append-only. */
#define _POSIX_C_SOURCE 200809L
#include "extras.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <math.h>
#include <string.h>

static int read_share(const char **text, uint16_t *ret_share, struct okno_err *err)
{
    char *end = NULL;
    double percent = strtod(*text, &end);
    if (end == *text || !(percent >= 0 && percent <= 100))
        return okno_fail_field(err, OKNO_INVALID, "shapes",
                               "\"%.24s\" is no percentage from 0 to 100", *text);
    *ret_share = (uint16_t)lround(percent * OKNO_VIEW_SCALE / 100);
    *text = end;
    return 0;
}

static void rectangle_fill(struct okno_view_mask *mask)
{
    const uint16_t x[2] = {mask->x[0], mask->x[1]};
    const uint16_t y[2] = {mask->y[0], mask->y[1]};
    for (int i = 0; i < 4; i++) {
        mask->x[i] = x[i == 1 || i == 2];
        mask->y[i] = y[i >= 2];
    }
    mask->corners = 4;
}

static bool is_flat(const struct okno_view_mask *mask)
{
    int64_t area = 0;
    for (uint32_t i = 0, k = mask->corners - 1; i < mask->corners; k = i++)
        area += (int64_t)mask->x[k] * mask->y[i] - (int64_t)mask->x[i] * mask->y[k];
    return area == 0;
}

/* One mask, up to ";" or the end. */
static int read_mask(const char **text, struct okno_view_mask *ret_mask, struct okno_err *err)
{
    struct okno_view_mask mask = {0};
    for (*text += strspn(*text, " "); **text && **text != ';'; *text += strspn(*text, " ")) {
        if (mask.corners == OKNO_VIEW_CORNERS)
            return okno_fail_field(err, OKNO_INVALID, "shapes", "a mask has at most %d corners",
                                   OKNO_VIEW_CORNERS);
        int rc = read_share(text, &mask.x[mask.corners], err);
        if (rc == 0 && **text != ',')
            rc = okno_fail_field(err, OKNO_INVALID, "shapes",
                                 "a corner is written \"across,down\" in percent, not \"%.24s\"",
                                 *text);
        if (rc == 0) {
            (*text)++;
            rc = read_share(text, &mask.y[mask.corners], err);
        }
        if (rc < 0)
            return rc;
        mask.corners++;
    }
    if (mask.corners == 2)
        rectangle_fill(&mask);
    if (mask.corners < 3 || is_flat(&mask))
        return okno_fail_field(err, OKNO_INVALID, "shapes",
                               "a mask needs two opposite corners, or three or more, and an area");
    *ret_mask = mask;
    return 0;
}

int okno_masks_read(const char *text, struct okno_view_masks *ret_masks, struct okno_err *err)
{
    struct okno_view_masks masks = {0};
    text += strspn(text, " ");
    while (*text) {
        if (masks.count == OKNO_VIEW_MASKS)
            return okno_fail_field(err, OKNO_INVALID, "shapes", "a camera has at most %d masks",
                                   OKNO_VIEW_MASKS);
        int rc = read_mask(&text, &masks.items[masks.count], err);
        if (rc < 0)
            return rc;
        masks.count++;
        text += *text == ';';
    }
    *ret_masks = masks;
    return 0;
}

static json_t *shapes_json(const struct okno_view_masks *masks)
{
    json_t *list = json_array();
    for (uint32_t m = 0; m < masks->count; m++) {
        const struct okno_view_mask *mask = &masks->items[m];
        json_t *shape = json_array();
        for (uint32_t i = 0; i < mask->corners; i++)
            json_array_append_new(shape, json_pack("[i, i]", mask->x[i], mask->y[i]));
        json_array_append_new(list, shape);
    }
    return list;
}

/* As stored, with corners in per cent of the picture. */
static json_t *shapes_percent(const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    json_t *shape, *corner;
    size_t m, i;
    json_array_foreach(list, m, shape)
    {
        json_array_foreach(shape, i, corner)
        {
            double x = json_number_value(json_array_get(corner, 0)) * 100 / OKNO_VIEW_SCALE;
            double y = json_number_value(json_array_get(corner, 1)) * 100 / OKNO_VIEW_SCALE;
            json_array_set_new(shape, i, json_pack("[f, f]", x, y));
        }
    }
    return list;
}

/* As stored by us: what does not fit is left out. */
static void shapes_load(const char *text, struct okno_view_masks *masks)
{
    okno_autojson json_t *list = json_loads(text, 0, NULL);
    for (size_t m = 0; m < json_array_size(list) && m < OKNO_VIEW_MASKS; m++) {
        const json_t *shape = json_array_get(list, m);
        struct okno_view_mask *mask = &masks->items[masks->count++];
        *mask = (struct okno_view_mask){0};
        for (size_t i = 0; i < json_array_size(shape) && i < OKNO_VIEW_CORNERS; i++) {
            const json_t *corner = json_array_get(shape, i);
            mask->x[i] = (uint16_t)json_integer_value(json_array_get(corner, 0));
            mask->y[i] = (uint16_t)json_integer_value(json_array_get(corner, 1));
            mask->corners++;
        }
    }
}

int okno_masks_at(struct okno_db *db, const char *camera, int64_t at_us,
                  struct okno_view_masks *ret_masks, int64_t *ret_id, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_view_masks masks = {0};
    int64_t id = 0;
    int rc = OKNO_DB_PREPARE(db, "extras.masks", &stmt, err, OKNO_TEXT("camera", camera),
                             OKNO_INT("at", at_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    if (rc == 1) {
        shapes_load(okno_stmt_text(stmt, "shapes"), &masks);
        id = okno_stmt_int(stmt, "id");
    }
    *ret_masks = masks;
    *ret_id = id;
    return 0;
}

static int check_camera(struct okno_db *db, const char *camera, struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(db, "extras.knows_camera", 0, &known, err, OKNO_TEXT("camera", camera));
    return rc == 0 && !known
               ? okno_fail_field(err, OKNO_NOT_FOUND, "camera", "there is no camera %.64s", camera)
               : rc;
}

int okno_masks_set(struct okno_db *db, const char *camera, int64_t from_us,
                   const struct okno_view_masks *masks, const char *author, const char *reason,
                   int64_t now_us, struct okno_err *err)
{
    okno_autojson json_t *shapes = shapes_json(masks);
    okno_autofree char *text = json_dumps(shapes, JSON_COMPACT);
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for masks");
    int rc = check_camera(db, camera, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "extras.add_masks", NULL, err, OKNO_TEXT("camera", camera),
                                OKNO_INT("from", from_us), OKNO_TEXT("shapes", text),
                                OKNO_TEXT("author", author), OKNO_TEXT("reason", reason),
                                OKNO_INT("made_at", now_us));
}

int okno_viewing_history(struct okno_db *db, const char *camera, json_t **ret_list,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *list = json_array();
    int rc = check_camera(db, camera, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "extras.history", &stmt, err, OKNO_TEXT("camera", camera));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *what = okno_stmt_text(stmt, "what");
        const char *value = okno_stmt_text(stmt, "value");
        json_t *shown = strcmp(what, "masks") == 0 ? shapes_percent(value) : json_string(value);
        json_t *row =
            json_pack("{s:s, s:o, s:o, s:s, s:s, s:o}", "what", what, "from",
                      okno_json_time(okno_stmt_int(stmt, "from_us")), "value", shown, "author",
                      okno_stmt_text(stmt, "author"), "reason", okno_stmt_text(stmt, "reason"),
                      "made_at", okno_json_time(okno_stmt_int(stmt, "made_at")));
        rc = json_array_append_new(list, row) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory") : 0;
    }
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

/* --- references ------------------------------------------------------------------------------- */

int work_reference_at(struct okno_db *db, const char *camera, int64_t at_us,
                      uint16_t ret_cells[OKNO_PICTURE_CELLS], bool *ret_there, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "extras.reference", &stmt, err, OKNO_TEXT("camera", camera),
                             OKNO_INT("at", at_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    size_t len = 0;
    const void *cells = rc == 1 ? okno_stmt_blob(stmt, "cells", &len) : NULL;
    *ret_there = cells && len == OKNO_PICTURE_CELLS * sizeof(uint16_t);
    if (*ret_there)
        memcpy(ret_cells, cells, len);
    return 0;
}

static int reference_add(struct okno_db *db, const char *camera, int64_t from_us,
                         int64_t frame_at_us, const char *sha256,
                         const struct okno_picture *picture, const char *author, int64_t now_us,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "extras.add_reference", &stmt, err, OKNO_TEXT("camera", camera),
                             OKNO_INT("from", from_us), OKNO_INT("frame_at", frame_at_us),
                             OKNO_TEXT("sha256", sha256), OKNO_TEXT("author", author),
                             OKNO_INT("made_at", now_us));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "cells", picture->cells, sizeof(picture->cells), err);
    return rc < 0 ? rc : okno_stmt_run(stmt, NULL, err);
}

int okno_reference_set(struct okno_db *db, const char *data_dir, const char *camera,
                       int64_t from_us, int64_t frame_at_us, const char *temp_path,
                       const char *author, int64_t now_us, char ret_sha256[OKNO_SHA256_TEXT],
                       struct okno_err *err)
{
    struct okno_evidence kept = {0};
    struct okno_picture picture = {0};
    OKNO_AUTO(okno_source) *still = NULL;
    int rc = check_camera(db, camera, err);
    if (rc == 0)
        rc = okno_file_source(temp_path, &still, err);
    if (rc == 0)
        rc = okno_view_measure(still, &picture, err);
    if (rc == 0)
        rc = okno_evidence_keep(data_dir, temp_path, &kept, err);
    if (rc == 0)
        rc = reference_add(db, camera, from_us, frame_at_us, kept.sha256, &picture, author, now_us,
                           err);
    if (rc == 0)
        memcpy(ret_sha256, kept.sha256, OKNO_SHA256_TEXT);
    return rc;
}
