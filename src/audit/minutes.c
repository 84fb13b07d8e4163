/* A frame of minutes: what no till and no panel tells of. */
#include "frame.h"

#include "okno/hours.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/vec.h"

#include <string.h>

static const int64_t minute_us = 60 * OKNO_SECOND_US;

struct place {
    char point[OKNO_ID_TEXT];
};
OKNO_VEC(moment_vec, int64_t);
OKNO_VEC(place_vec, struct place);

static int read_points(struct okno_db *db, struct place_vec *points, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "audit.frame_points", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        struct place place = {""};
        okno_stmt_copy(rows, "point", place.point, sizeof(place.point));
        rc = place_vec_push(points, place) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the points")
                 : 0;
    }
    return rc;
}

/* When surveys were opened there, in order. */
static int read_surveyed(const struct frame_writer *writer, const char *point,
                         struct moment_vec *moments, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(writer->db, "audit.surveyed", &rows, err, OKNO_TEXT("point", point),
                             OKNO_INT("from", writer->audit->from_us),
                             OKNO_INT("to", writer->audit->to_us));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = moment_vec_push(moments, okno_stmt_int(rows, "opened_at")) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys of a point")
                 : 0;
    return rc;
}

/* "min.POINT.20260310T0705Z" */
static void name_minute(const char *point, int64_t at_us, char *ret_id, size_t size)
{
    struct okno_civil c;
    okno_time_to_civil(at_us, &c);
    (void)snprintf(ret_id, size, "min.%s.%04d%02d%02dT%02d%02dZ", point, c.year, c.month, c.day,
                   c.hour, c.minute);
}

static int add_minute(struct frame_writer *writer, const struct okno_point *point, int64_t at_us,
                      bool surveyed, struct okno_err *err)
{
    char id[OKNO_ID_TEXT + 40];
    name_minute(point->point, at_us, id, sizeof(id));
    const struct frame_unit unit = {.id = id,
                                    .site = point->site.site,
                                    .point = point->point,
                                    .question = "",
                                    .question_kind = "",
                                    .class_name = surveyed ? "yes" : "no",
                                    .video = "",
                                    .opened_us = at_us,
                                    .closes_us = at_us + FRAME_VISIT_US};
    return frame_add(writer, &unit, err);
}

static int add_point(struct frame_writer *writer, const char *id, struct okno_err *err)
{
    struct okno_point point;
    OKNO_AUTO(okno_hours) *hours = NULL;
    OKNO_AUTO_VEC(moment_vec) surveyed = {0};
    const struct audit_row *audit = writer->audit;
    int64_t first_us = (audit->from_us + minute_us - 1) / minute_us * minute_us;
    size_t next = 0;
    int rc = okno_registry_point(writer->db, id, &point, err);
    if (rc == 0)
        rc = okno_registry_hours(writer->db, &point, &hours, err);
    if (rc == 0)
        rc = read_surveyed(writer, id, &surveyed, err);
    for (int64_t at_us = first_us; rc == 0 && at_us + minute_us <= audit->to_us;
         at_us += minute_us) {
        size_t before = next;
        while (next < surveyed.len && surveyed.items[next] < at_us + minute_us)
            next++;
        bool seen = next > before && surveyed.items[next - 1] >= at_us;
        if (!hours || okno_hours_open_at(hours, at_us, NULL))
            rc = add_minute(writer, &point, at_us, seen, err);
    }
    return rc;
}

int frame_add_minutes(struct frame_writer *writer, struct okno_err *err)
{
    OKNO_AUTO_VEC(place_vec) points = {0};
    int rc = read_points(writer->db, &points, err);
    for (size_t i = 0; rc == 0 && i < points.len; i++)
        rc = add_point(writer, points.items[i].point, err);
    return rc;
}
