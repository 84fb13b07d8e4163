/* The steps of an audit over HTTP, and what a public draw shows; the rules are the audit room's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/audit.h"
#include "okno/ledger.h"
#include "okno/survey.h"
#include "okno/time.h"

#include <string.h>

enum { SAMPLE_SHOWN_MAX = 10000, FRAME_SHOWN_MAX = 200000 };

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

static const char *text_or(const struct http_request *request, const char *field,
                           const char *fallback)
{
    const char *text = text_of(request, field);
    return text ? text : fallback;
}

static int64_t integer_of(const struct http_request *request, const char *field, int64_t fallback)
{
    const json_t *value = json_object_get(request->body, field);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static double real_of(const struct http_request *request, const char *field, double fallback)
{
    const json_t *value = json_object_get(request->body, field);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static bool flag_of(const struct http_request *request, const char *field)
{
    return json_is_true(json_object_get(request->body, field));
}

/* What every step answers: where the audit stands now. */
static int reply_audit(const struct http_request *request, const char *audit,
                       struct http_reply *reply, struct okno_err *err)
{
    json_t *status = NULL;
    int rc = okno_audit_status(request->db, audit, &status, err);
    return rc < 0 ? rc : http_reply_json(reply, status, err);
}

/* ---- plan ---- */

static int period_of(const struct http_request *request, struct okno_audit_plan *plan,
                     struct okno_err *err)
{
    int rc = okno_time_parse(text_or(request, "from", ""), &plan->from_us, err);
    return rc < 0 ? rc : okno_time_parse(text_or(request, "to", ""), &plan->to_us, err);
}

static int sampling_of(const struct http_request *request, struct okno_sampling *sampling,
                       struct okno_err *err)
{
    for (int c = 0; c < OKNO_CLASSES; c++) {
        const char *name = okno_class_name((enum okno_class)c);
        const json_t *share = json_object_get(json_object_get(request->body, "expected"), name);
        sampling->expected[c] = json_is_number(share) ? json_number_value(share) : 0.1;
    }
    int rc = okno_strata_parse(text_or(request, "strata", ""), &sampling->strata, err);
    sampling->neyman = strcmp(text_or(request, "allocation", ""), "neyman") == 0;
    sampling->least = integer_of(request, "min_per_stratum", sampling->strata ? 2 : 0);
    sampling->half_width = real_of(request, "width", 0);
    sampling->with_replacement = flag_of(request, "with_replacement");
    sampling->silent_known = strcmp(text_or(request, "silent", ""), "known") == 0;
    return rc;
}

int http_post_audit(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const struct http_service *service = request->service;
    struct okno_audit_plan plan = {
        .audit = text_or(request, "audit", ""),
        .title = text_or(request, "title", ""),
        .size = integer_of(request, "size", 0),
        .repeats = text_of(request, "repeats"),
        .frame = (enum okno_frame)okno_frame_find(text_of(request, "frame")),
        .show_answer = flag_of(request, "show_answer"),
        .invalid_as_silent = strcmp(text_or(request, "invalid", ""), "silent") == 0,
        .k = real_of(request, "k", service->silent_weight),
        .level = real_of(request, "level", 0.95),
        .looks = (int)integer_of(request, "looks", 1),
        .undeterminable_limit =
            real_of(request, "undeterminable_limit", service->undeterminable_limit),
        .fm_threshold = real_of(request, "fm_threshold", service->fm_threshold),
        .max_half_width = real_of(request, "max_half_width", 0),
        .escalate = {.more = real_of(request, "escalate_more", 0),
                     .census = real_of(request, "escalate_census", 0),
                     .count = integer_of(request, "escalate_count", 0)},
        .double_share = real_of(request, "double", 0),
        .gold = integer_of(request, "gold", 0),
        .accepted = text_of(request, "accept_retention"),
        .one_person = text_of(request, "accept_one_person"),
        .auditor = text_of(request, "auditor")};
    int rc = period_of(request, &plan, err);
    if (rc == 0)
        rc = sampling_of(request, &plan.sampling, err);
    if (rc == 0)
        rc = okno_audit_plan(request->db, &plan, request->who.user, okno_time_now(), err);
    return rc < 0 ? rc : reply_audit(request, plan.audit, reply, err);
}

/* ---- the other steps ---- */

static int freeze(struct http_request *request, const char *audit, struct okno_err *err)
{
    const struct okno_audit_accepted accepted = {.unheard = text_of(request, "accept_unheard"),
                                                 .fm = text_of(request, "accept_fm")};
    struct okno_survey_refreshed counts = {0};
    char sha256[OKNO_SHA256_TEXT];
    int64_t size = 0;
    int64_t now_us = okno_time_now();
    int rc = okno_survey_refresh(request->db, &request->service->survey, now_us, &counts, err);
    return rc < 0 ? rc
                  : okno_audit_freeze_with(request->db, audit, request->who.user, &accepted, now_us,
                                           &size, sha256, err);
}

static int checkpoint(struct http_request *request, const char *audit, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    return okno_audit_checkpoint(request->db, audit, request->who.user, okno_time_now(), &note,
                                 err);
}

static int seed(struct http_request *request, const char *audit, struct okno_err *err)
{
    return okno_audit_seed(request->db, audit, text_or(request, "seed", ""),
                           text_or(request, "how", ""), text_or(request, "witnesses", ""),
                           request->who.user, okno_time_now(), err);
}

static int draw(struct http_request *request, const char *audit, struct okno_err *err)
{
    int64_t size = 0;
    return okno_audit_draw(request->db, audit, request->who.user, okno_time_now(), &size, err);
}

static int extend(struct http_request *request, const char *audit, struct okno_err *err)
{
    int64_t size = 0;
    return okno_audit_extend(request->db, audit, integer_of(request, "size", 0), request->who.user,
                             okno_time_now(), &size, err);
}

static int close_audit(struct http_request *request, const char *audit, struct okno_err *err)
{
    return okno_audit_close(request->db, audit, text_or(request, "note", ""), request->who.user,
                            okno_time_now(), err);
}

static int abandon(struct http_request *request, const char *audit, struct okno_err *err)
{
    return okno_audit_abandon(request->db, audit, text_or(request, "reason", ""), request->who.user,
                              okno_time_now(), err);
}

static int step(int (*run)(struct http_request *, const char *, struct okno_err *),
                struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int rc = run(request, request->params[0], err);
    return rc < 0 ? rc : reply_audit(request, request->params[0], reply, err);
}

int http_post_freeze(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return step(freeze, request, reply, err);
}

int http_post_checkpoint(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    return step(checkpoint, request, reply, err);
}

int http_post_seed(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return step(seed, request, reply, err);
}

int http_post_draw(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int rc = step(draw, request, reply, err);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc;
}

int http_post_extend(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return step(extend, request, reply, err);
}

int http_post_close(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return step(close_audit, request, reply, err);
}

int http_post_abandon(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return step(abandon, request, reply, err);
}

/* ---- what onlookers check ---- */

int http_get_audit_checkpoint(struct http_request *request, struct http_reply *reply,
                              struct okno_err *err)
{
    int rc = okno_ledger_audit_checkpoint(request->db, request->params[0], &reply->body, err);
    if (rc == 0)
        reply->type = "text/plain; charset=utf-8";
    return rc;
}

int http_get_audit_sample(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *sample = json_array();
    int rc = OKNO_DB_PREPARE(request->db, "audit.sample", &rows, err,
                             OKNO_TEXT("audit", request->params[0]));
    while (rc == 0 && json_array_size(sample) < SAMPLE_SHOWN_MAX &&
           (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        json_t *one = json_pack(
            "{s:I, s:I, s:s, s:s, s:s, s:I, s:I}", "place",
            (json_int_t)okno_stmt_int(rows, "place"), "rank",
            (json_int_t)okno_stmt_int(rows, "rank"), "survey", okno_stmt_text(rows, "survey"),
            "stratum", okno_stmt_text(rows, "stratum"), "ticket", okno_stmt_text(rows, "ticket"),
            "generation", (json_int_t)okno_stmt_int(rows, "generation"), "round",
            (json_int_t)okno_stmt_int(rows, "round"));
        if (json_array_append_new(sample, one) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the sample");
    }
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "sample", sample), err);
}

/* The frozen lines, byte for byte those that the frame's hash covers. */
int http_get_audit_frame(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int64_t count = 0;
    int rc = OKNO_DB_PREPARE(request->db, "bundle.frame", &rows, err,
                             OKNO_TEXT("audit", request->params[0]));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        if (++count > FRAME_SHOWN_MAX)
            return okno_fail(err, OKNO_TOO_LARGE,
                             "the frame has more than %d surveys: take it from the bundle",
                             FRAME_SHOWN_MAX);
        rc = okno_buf_add_text(&reply->body, okno_stmt_text(rows, "line"), err);
        if (rc == 0)
            rc = okno_buf_add(&reply->body, "\n", 1, err);
    }
    if (rc == 0 && count == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "audit %.64s has no frozen frame", request->params[0]);
    if (rc == 0)
        reply->type = "application/jsonl; charset=utf-8";
    return rc;
}
