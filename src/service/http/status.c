/* Where the work stands: jobs, links, archives; and the list of sites for filters. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/time.h"
#include "okno/work.h"

#include <string.h>

/* {state: count} from a statement with columns state and count; */
static int counts(struct okno_db *db, const char *statement, json_t *object, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, statement, NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = json_object_set_new(object, okno_stmt_text(stmt, "state"),
                                 json_integer(okno_stmt_int(stmt, "count"))) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the counts")
                 : 0;
    return rc;
}

static int archives(struct http_request *request, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_outlook_vec) outlooks = {0};
    int rc = okno_db_outlook(request->db, okno_time_now(), 0, &outlooks, err);
    for (size_t i = 0; rc == 0 && i < outlooks.len; i++)
        rc = json_array_append_new(list, okno_outlook_json(&outlooks.items[i])) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives")
                 : 0;
    return rc;
}

int http_get_status(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *jobs =
        json_pack("{s:i, s:i, s:i, s:i}", "waiting", 0, "running", 0, "done", 0, "failed", 0);
    json_t *links = json_object();
    json_t *list = json_array();
    okno_autojson json_t *all =
        json_pack("{s:o, s:o, s:o}", "jobs", jobs, "links", links, "archives", list);
    if (!all)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the status");
    int rc = counts(request->db, "service.jobs_by_state", jobs, err);
    if (rc == 0)
        rc = counts(request->db, "service.links_by_state", links, err);
    if (rc == 0)
        rc = archives(request, list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_incref(all), err);
}

static json_t *site_in(json_t *list, const char *site)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) if (strcmp(json_string_value(json_object_get(row, "site")),
                                                site) == 0) return row;
    return NULL;
}

static int add_points(struct okno_db *db, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "service.points", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = 0;
        json_t *site = site_in(list, okno_stmt_text(stmt, "site"));
        json_t *point = json_pack("{s:s, s:o}", "point", okno_stmt_text(stmt, "point"), "name",
                                  okno_json_text(okno_stmt_text(stmt, "name")));
        if (!site)
            json_decref(point);
        else if (json_array_append_new(json_object_get(site, "points"), point) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the points");
    }
    return rc;
}

int http_get_sites(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    json_t *list = json_array();
    okno_autojson json_t *all = json_pack("{s:o}", "sites", list);
    int rc = all ? OKNO_DB_PREPARE(request->db, "service.sites", &stmt, err,
                                   OKNO_TEXT("sites", request->sites))
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *site = json_pack("{s:s, s:o, s:s, s:[]}", "site", okno_stmt_text(stmt, "site"),
                                 "name", okno_json_text(okno_stmt_text(stmt, "name")), "time_zone",
                                 okno_stmt_text(stmt, "time_zone"), "points");
        rc = json_array_append_new(list, site) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites")
                 : 0;
    }
    if (rc == 0)
        rc = add_points(request->db, list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_incref(all), err);
}
