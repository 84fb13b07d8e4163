/* The review queue over HTTP; the rules are the review room's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/review.h"
#include "okno/time.h"

#include <string.h>

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

static double seconds_of(const struct http_request *request, const char *field)
{
    return json_number_value(json_object_get(request->body, field));
}

static int item_of(const struct http_request *request, int64_t *ret_item, struct okno_err *err)
{
    const char *text = request->params[0];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits])
        return okno_fail_field(err, OKNO_NOT_FOUND, "item", "there is no item %.40s", text);
    *ret_item = strtoll(text, NULL, 10);
    return 0;
}

int http_post_queue_next(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    json_t *item = NULL;
    int rc = okno_review_next(request->db, request->who.user, text_of(request, "audit"),
                              request->service->lease_us, okno_time_now(), &item, err);
    return rc < 0 ? rc : http_reply_json(reply, item, err);
}

int http_post_heartbeat(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    int64_t item = 0;
    int64_t until_us = 0;
    int rc = item_of(request, &item, err);
    if (rc == 0)
        rc = okno_review_heartbeat(request->db, item, request->who.user, text_of(request, "lease"),
                                   request->service->lease_us, okno_time_now(), &until_us, err);
    return rc < 0 ? rc
                  : http_reply_json(
                        reply, json_pack("{s:o}", "lease_until", okno_json_time(until_us)), err);
}

/* Progress of the audit that an item belongs to. */
static int progress_of(struct okno_db *db, int64_t item, json_t **ret_progress,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char audit[80];
    int64_t reviewed = 0;
    int64_t total = 0;
    int rc = OKNO_DB_PREPARE(db, "review.get_item", &stmt, err, OKNO_INT("item", item));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "the item is gone");
    (void)snprintf(audit, sizeof(audit), "%s", okno_stmt_text(stmt, "shown"));
    rc = okno_review_progress(db, audit, &reviewed, &total, err);
    if (rc == 0)
        *ret_progress =
            json_pack("{s:I, s:I}", "reviewed", (json_int_t)reviewed, "total", (json_int_t)total);
    return rc;
}

int http_post_submit(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const json_t *body = request->body;
    struct okno_review_verdict verdict = {
        .user = request->who.user,
        .lease = text_of(request, "lease"),
        .verdict = text_of(request, "verdict"),
        .reason = text_of(request, "reason"),
        .comment = text_of(request, "comment"),
        .correction = text_of(request, "correction"),
        .checklist = json_object_get(body, "checklist"),
        .watched = json_object_get(body, "watched"),
        .played_s = seconds_of(request, "played_s"),
        .active_s = seconds_of(request, "active_s"),
        .wall_s = seconds_of(request, "wall_s"),
        .blinding_broken = json_is_true(json_object_get(body, "blinding_broken")),
    };
    int64_t id = 0;
    bool counted = false;
    json_t *progress = NULL;
    int rc = item_of(request, &verdict.item, err);
    if (rc == 0)
        rc = okno_review_submit(request->db, &verdict, okno_time_now(), &id, &counted, err);
    if (rc == 0)
        rc = progress_of(request->db, verdict.item, &progress, err);
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:I, s:b, s:o}", "verdict", (json_int_t)id,
                                              "counted", (int)counted, "progress", progress),
                                    err);
}

int http_post_skip(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t item = 0;
    int rc = item_of(request, &item, err);
    if (rc == 0)
        rc = okno_review_skip(request->db, item, request->who.user, text_of(request, "lease"),
                              text_of(request, "reason"), okno_time_now(), err);
    reply->status = 204;
    return rc;
}

int http_post_undo(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t item = 0;
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_review_undo(request->db, request->who.user, request->service->lease_us,
                              okno_time_now(), &item, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(request->db, "review.get_item", &stmt, err, OKNO_INT("item", item));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "the item is gone");
    return http_reply_json(
        reply,
        json_pack("{s:I, s:s}", "item", (json_int_t)item, "survey", okno_stmt_text(stmt, "survey")),
        err);
}
