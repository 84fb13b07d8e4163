/* Who and where: lookups in what imports, the page and the API stored.
 *
 * Every table is append-only; of rows with the same natural key the latest stands. Facts with
 * `from` and `to` are dated, half-open; no `to` means until further notice (INT64_MAX here).
 * Lookups read the latest state; a caller that needs several consistently opens a transaction. */
#ifndef OKNO_REGISTRY_H
#define OKNO_REGISTRY_H

#include "okno/clock.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/hours.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    OKNO_NAME_TEXT = 1001, /* room for a name or another short text and the NUL */
    OKNO_SECRET_TEXT = 512
};

/* A remote recording system, as imported. */
struct okno_archive_row {
    char archive[OKNO_ID_TEXT];
    char kind[OKNO_ID_TEXT];
    char url[OKNO_NAME_TEXT];
    char files[OKNO_NAME_TEXT];
    char time_zone[OKNO_NAME_TEXT];
    char user[OKNO_NAME_TEXT];
    char secret[OKNO_ID_TEXT]; /* name of a stored secret, never the secret; "" for none */
    char options[OKNO_NAME_TEXT];
};
OKNO_VEC(okno_archive_row_vec, struct okno_archive_row);

struct okno_camera {
    char camera[OKNO_ID_TEXT];
    char site[OKNO_ID_TEXT];
    char channel[OKNO_NAME_TEXT];
    char name[OKNO_NAME_TEXT]; /* "" when it has none */
    int64_t retention_days;    /* 0: not declared */
    bool overlay_trusted;
    struct okno_archive_row archive;
};

OKNO_VEC(okno_camera_vec, struct okno_camera);

struct okno_site {
    char site[OKNO_ID_TEXT];
    char name[OKNO_NAME_TEXT];
    char time_zone[OKNO_NAME_TEXT];
    char group[OKNO_NAME_TEXT];
};
OKNO_VEC(okno_site_vec, struct okno_site);

struct okno_point {
    char point[OKNO_ID_TEXT];
    char name[OKNO_NAME_TEXT];
    struct okno_site site;
};
OKNO_VEC(okno_point_vec, struct okno_point);

/* Opening hours, and a site's group, from a local day on until the next row. */
struct okno_hours_row {
    char from[OKNO_DATE_TEXT];  /* YYYY-MM-DD; "": at all times before */
    char hours[OKNO_NAME_TEXT]; /* "": nothing is known */
    bool own;                   /* the point's own, not its site's */
    char group[OKNO_NAME_TEXT]; /* of the site from then on; "" of a point */
};
OKNO_VEC(okno_hours_row_vec, struct okno_hours_row);

/* Which camera sees a point. */
struct okno_placement {
    char camera[OKNO_ID_TEXT];
    int64_t from_us, to_us;
    int64_t priority; /* lowest first */
};
OKNO_VEC(okno_placement_vec, struct okno_placement);

/* A device at a point. Neither button nor panel: another channel, such as a QR code. */
struct okno_pairing {
    char device[OKNO_ID_TEXT];
    char point[OKNO_ID_TEXT];
    int64_t from_us, to_us;
    bool button, panel, test;
};
OKNO_VEC(okno_pairing_vec, struct okno_pairing);

/* A version of a question at a point. */
struct okno_question {
    char question[OKNO_ID_TEXT];
    char kind[OKNO_ID_TEXT]; /* personnel, office, loyalty */
    char text[OKNO_NAME_TEXT];
    int64_t from_us, to_us;
    int64_t window_us;
};
OKNO_VEC(okno_question_vec, struct okno_question);

struct okno_shift {
    char employee[OKNO_ID_TEXT];
    int64_t from_us, to_us;
};
OKNO_VEC(okno_shift_vec, struct okno_shift);

/* Whose clock was measured: `device:ID`, `archive:ID` or `camera:ID`. */
struct okno_clock_target {
    char target[OKNO_ID_TEXT + 16];
};
OKNO_VEC(okno_clock_target_vec, struct okno_clock_target);

/* OKNO_NOT_FOUND names the id. Equal rows are equal byte for byte. */
OKNO_CHECK int okno_registry_archive(struct okno_db *db, const char *archive,
                                     struct okno_archive_row *ret_row, struct okno_err *err);
OKNO_CHECK int okno_registry_camera(struct okno_db *db, const char *camera,
                                    struct okno_camera *ret_camera, struct okno_err *err);
OKNO_CHECK int okno_registry_site(struct okno_db *db, const char *site, struct okno_site *ret_site,
                                  struct okno_err *err);
OKNO_CHECK int okno_registry_point(struct okno_db *db, const char *point,
                                   struct okno_point *ret_point, struct okno_err *err);

/* Whether something of that name is known: noun is site, group, point, employee, question or
 * device.
 * OKNO_NOT_FOUND names it, with the noun as the field. NULL is no name and always known, and so is
 * the employee `unassigned`. */
OKNO_CHECK int okno_registry_require(struct okno_db *db, const char *noun, const char *id,
                                     struct okno_err *err);

/* The opening hours that count at a point, its own before its site's, ordered by from, appended. */
OKNO_CHECK int okno_registry_hours_rows(struct okno_db *db, const struct okno_point *point,
                                        struct okno_hours_row_vec *rows, struct okno_err *err);

/* The same as moments: each day has the hours of its date. NULL when nothing is known; hours that
 * cannot be read count as not known. The caller owns *ret_hours. */
OKNO_CHECK int okno_registry_hours(struct okno_db *db, const struct okno_point *point,
                                   struct okno_hours **ret_hours, struct okno_err *err);

/* All, ordered by id, appended. */
OKNO_CHECK int okno_registry_archives(struct okno_db *db, struct okno_archive_row_vec *rows,
                                      struct okno_err *err);
OKNO_CHECK int okno_registry_cameras(struct okno_db *db, struct okno_camera_vec *cameras,
                                     struct okno_err *err);
OKNO_CHECK int okno_registry_sites(struct okno_db *db, struct okno_site_vec *sites,
                                   struct okno_err *err);
OKNO_CHECK int okno_registry_points(struct okno_db *db, struct okno_point_vec *points,
                                    struct okno_err *err);

/* The password stored under a name in DATA/secrets/, without its line end; "" for the name "".
 * OKNO_CONFIG when the file is missing, or readable by others than its owner. The caller wipes
 * ret_secret after use; it is never printed. */
OKNO_CHECK int okno_registry_secret(struct okno_db *db, const char *name,
                                    char ret_secret[OKNO_SECRET_TEXT], struct okno_err *err);

/* Cameras that see the point at an instant, each once, lowest priority number first. */
OKNO_CHECK int okno_registry_placements_at(struct okno_db *db, const char *point, int64_t at_us,
                                           struct okno_placement_vec *placements,
                                           struct okno_err *err);

/* Pairings of a device (NULL: of any) with a point (NULL: with any), ordered by device and from. A
 * later pairing of the same device ends an earlier one: intervals of a device do not overlap. */
OKNO_CHECK int okno_registry_pairings(struct okno_db *db, const char *device, const char *point,
                                      struct okno_pairing_vec *pairings, struct okno_err *err);

/* All versions at the point, ordered by from, question. */
OKNO_CHECK int okno_registry_questions(struct okno_db *db, const char *point,
                                       struct okno_question_vec *questions, struct okno_err *err);

/* The question at an instant: of those in force the one with the latest start (ties: the greater
 * name). OKNO_NOT_FOUND when none is. */
OKNO_CHECK int okno_registry_question_at(struct okno_db *db, const char *point, int64_t at_us,
                                         struct okno_question *ret_question, struct okno_err *err);

/* Shifts at the point that overlap [from, to), ordered by from, employee. */
OKNO_CHECK int okno_registry_shifts(struct okno_db *db, const char *point, int64_t from_us,
                                    int64_t to_us, struct okno_shift_vec *shifts,
                                    struct okno_err *err);

/* Who served: pure. The employee (borrowed from the shifts), or NULL for unassigned: nobody on
 * shift, or several (then *ret_overlap). */
const char *okno_shift_employee_at(const struct okno_shift *shifts, size_t count, int64_t at_us,
                                   bool *ret_overlap);

/* The same from the database; "" for unassigned. */
OKNO_CHECK int okno_registry_employee_at(struct okno_db *db, const char *point, int64_t at_us,
                                         char ret_employee[OKNO_ID_TEXT], bool *ret_overlap,
                                         struct okno_err *err);

/* All targets that were measured, ordered. */
OKNO_CHECK int okno_registry_clock_targets(struct okno_db *db,
                                           struct okno_clock_target_vec *targets,
                                           struct okno_err *err);

/* Measurements of a target (`device:ID`, `archive:ID`, `camera:ID`), ordered by time. */
OKNO_CHECK int okno_registry_clock(struct okno_db *db, const char *target,
                                   struct okno_clock_vec *measurements, struct okno_err *err);

/* A device's own word about its clock, inside the caller's transaction: judged (okno_clock_judge;
 * agreed_us is filled in here) and kept. A measurement so made has the method `intake` and an
 * import of its own, by the author `device:ID`, and an entry in the log. OKNO_REFUSED when the log
 * takes none. */
OKNO_CHECK int okno_registry_report_clock(struct okno_db *db, const char *device,
                                          struct okno_clock_report report,
                                          enum okno_clock_finding *ret_finding,
                                          struct okno_err *err);

/* Store a measurement, inside the caller's transaction: as an import of one row, with its entry in
 * the log. method: "manual", "sync", "overlay", "commission", or a probe's; author: a person, or
 * "okno:..." for what the program does by itself. */
OKNO_CHECK int okno_registry_add_clock(struct okno_db *db, const char *target,
                                       const struct okno_clock_measurement *found,
                                       const char *method, const char *author, int64_t now_us,
                                       struct okno_err *err);

/* Which clock a camera's recordings are asked by at a moment: its own measurements, where there are
 * any, hide its archive's. */
#define OKNO_INDEX_APART_US (5 * INT64_C(1000000)) /* from then on surveys are time_uncertain */
struct okno_index_clock {
    struct okno_clock_offset in_force;
    struct okno_clock_offset archive; /* its archive's own */
    bool own;                         /* in force is the camera's own */
    bool hides;                       /* and is far from the archive's, which was measured, too */
};
OKNO_CHECK int okno_registry_index_clock_at(struct okno_db *db, const struct okno_camera *camera,
                                            int64_t at_us, struct okno_index_clock *ret_clock,
                                            struct okno_err *err);

/* Measurements of a camera's index clock: its own, else its archive's. */
OKNO_CHECK int okno_registry_index_clock(struct okno_db *db, const struct okno_camera *camera,
                                         struct okno_clock_vec *measurements, struct okno_err *err);

#endif
