/* What an auditor asks before a plan and while experts decide. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/audit.h"
#include "okno/estimate.h"
#include "okno/rows.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

enum { WAITING_SHOWN_MAX = 200 };

/* ---- how many to draw ---- */

static int take_share(const struct http_request *request, const char *name, double *ret_share,
                      struct okno_err *err)
{
    const char *text = http_query(request, name);
    char *end = NULL;
    if (!text)
        return 0;
    double share = strtod(text, &end);
    if (end == text || *end || strspn(text, "0123456789.") != strlen(text))
        return okno_fail_field(err, OKNO_INVALID, name, "%s: a number such as 0.025 is allowed",
                               name);
    *ret_share = share;
    return 0;
}

static int take_wish(const struct http_request *request, struct okno_wish *wish,
                     struct okno_err *err)
{
    const struct {
        const char *name;
        double *value;
    } shares[] = {{"width", &wish->width},       {"share", &wish->share},
                  {"level", &wish->level},       {"rate", &wish->rate},
                  {"expected", &wish->expected}, {"tolerable", &wish->tolerable},
                  {"risk", &wish->risk}};
    for (size_t i = 0; i < OKNO_COUNT(shares); i++) {
        int rc = take_share(request, shares[i].name, shares[i].value, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* As things stand; the freeze counts anew. */
static int count_frame(const struct http_request *request, int64_t *ret_count, struct okno_err *err)
{
    int64_t from_us = 0;
    int64_t to_us = 0;
    int rc = http_query_period(request, &from_us, &to_us, err);
    return rc < 0 ? rc
                  : OKNO_DB_INT(request->db, "service.count_frame", 0, ret_count, err,
                                OKNO_INT("from", from_us), OKNO_INT("to", to_us));
}

int http_get_sample_size(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    struct okno_wish wish = OKNO_WISH;
    okno_autojson json_t *sizes = NULL;
    int rc = take_wish(request, &wish, err);
    if (rc == 0)
        rc = count_frame(request, &wish.frame, err);
    if (rc == 0 && wish.frame == 0)
        rc = okno_fail_field(err, OKNO_NOT_FOUND, "from", "no survey was closed in this period");
    if (rc == 0)
        rc = okno_sizes(&wish, &sizes, err);
    if (rc == 0 && json_object_set_new(sizes, "frame", json_integer((json_int_t)wish.frame)) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the sizes");
    return rc < 0 ? rc : http_reply_json(reply, json_incref(sizes), err);
}

/* ---- what is still to be decided ---- */

static json_t *waiting_json(struct okno_stmt *rows)
{
    static const char *const parts[] = {"first", "second", "ruling"};
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "survey",
                     okno_stmt_text(rows, "survey"), "what", parts[okno_stmt_int(rows, "part")],
                     "opened_at", okno_json_time(okno_stmt_int(rows, "opened_at")), "site",
                     okno_row_text(rows, "site"), "point", okno_row_text(rows, "point"), "video",
                     okno_row_text(rows, "video"), "holder", okno_row_text(rows, "holder"),
                     "skipped", json_integer((json_int_t)okno_stmt_int(rows, "skipped")));
}

int http_get_audit_waiting(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *list = NULL;
    int64_t count = 0;
    const char *audit = request->params[0];
    int rc = OKNO_DB_INT(request->db, "audit.count_undecided", 0, &count, err,
                         OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = OKNO_DB_PREPARE(request->db, "service.audit_waiting", &rows, err,
                             OKNO_TEXT("audit", audit), OKNO_INT("now", okno_time_now()),
                             OKNO_INT("limit", WAITING_SHOWN_MAX));
    if (rc == 0)
        rc = okno_rows_list(rows, waiting_json, &list, err);
    return rc < 0 ? rc
                  : http_reply_json(
                        reply, json_pack("{s:I, s:o}", "count", (json_int_t)count, "waiting", list),
                        err);
}
