/* What an audit proves and who says so: the auditor's signature, anchors of the log, proofs; and
 * how long evidence is kept. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/anchor.h"
#include "okno/ledger.h"
#include "okno/purge.h"
#include "okno/qr.h"
#include "okno/signing.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

/* ---- audits ---- */

/* The frame's checkpoint as text and as QR code; null before it is made. */
static int add_checkpoint(struct http_request *request, json_t *proof, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF svg = OKNO_BUF_INIT(1 << 20);
    struct okno_err none = {0};
    int rc = okno_ledger_audit_checkpoint(request->db, request->params[0], &note, &none);
    if (rc == OKNO_NOT_FOUND) {
        (void)json_object_set_new(proof, "checkpoint", json_null());
        (void)json_object_set_new(proof, "checkpoint_qr", json_null());
        return 0;
    }
    if (rc < 0)
        return okno_fail(err, rc, "%s", none.text);
    bool fits = note.len <= OKNO_QR_TEXT_MAX;
    rc = fits ? okno_qr_svg(okno_buf_text(&note), &svg, err) : 0;
    (void)json_object_set_new(proof, "checkpoint", json_string(okno_buf_text(&note)));
    (void)json_object_set_new(proof, "checkpoint_qr",
                              fits ? json_string(okno_buf_text(&svg)) : json_null());
    return rc;
}

static int reply_proof(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *signing = NULL;
    json_t *anchors = NULL;
    struct okno_note_key key;
    char text[OKNO_NOTE_KEY_TEXT];
    int rc = okno_signing_status(request->db, request->params[0], &signing, err);
    okno_autojson json_t *signature = signing;
    if (rc == 0)
        rc = okno_anchor_list(request->db, &anchors, err);
    okno_autojson json_t *list = anchors;
    if (rc == 0)
        rc = okno_ledger_key(request->db, &key, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *proof =
        json_pack("{s:s, s:O, s:O}", "log_key", okno_note_key_format(&key, text), "signature",
                  signature, "anchors", list);
    rc = add_checkpoint(request, proof, err);
    return rc < 0 ? rc : http_reply_json(reply, json_incref(proof), err);
}

int http_get_audit_proof(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    return reply_proof(request, reply, err);
}

int http_post_audit_manifest(struct http_request *request, struct http_reply *reply,
                             struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    int rc = okno_signing_manifest(request->db, request->params[0], request->who.user,
                                   okno_time_now(), &text, err);
    return rc < 0
               ? rc
               : http_reply_json(reply, json_pack("{s:s}", "manifest", okno_buf_text(&text)), err);
}

int http_post_audit_signature(struct http_request *request, struct http_reply *reply,
                              struct okno_err *err)
{
    const char *text = json_string_value(json_object_get(request->body, "signature"));
    int rc = okno_signing_add(request->db, request->params[0], text, strlen(text),
                              request->who.user, okno_time_now(), err);
    /* A signature that is wrong is the sender's matter, not this service's. */
    if (rc == OKNO_CHECK_FAILED) {
        struct okno_err why = *err;
        okno_err_clear(err);
        return okno_fail_field(err, OKNO_REFUSED, "signature", "%s", why.text);
    }
    return rc < 0 ? rc : reply_proof(request, reply, err);
}

/* ---- the log ---- */

static int read_size(const struct http_request *request, const char *name, int64_t fallback,
                     int64_t *ret_size, struct okno_err *err)
{
    const char *text = http_query(request, name);
    char *end = NULL;
    if (!text) {
        *ret_size = fallback;
        return 0;
    }
    *ret_size = strtoll(text, &end, 10);
    return end > text && !*end && *ret_size > 0
               ? 0
               : okno_fail_field(err, OKNO_INVALID, name, "%s: a number of entries is wanted",
                                 name);
}

int http_get_consistency(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    int64_t old = 0;
    int64_t size = 0;
    int rc = read_size(request, "from", 0, &old, err);
    if (rc == 0 && old == 0)
        rc = okno_fail_field(err, OKNO_MISSING, "from", "from: which older checkpoint's entries?");
    if (rc == 0)
        rc = read_size(request, "to", 0, &size, err);
    if (rc == 0)
        rc = okno_ledger_consistency(request->db, old, size, okno_time_now(), &text, err);
    return rc < 0 ? rc
                  : http_reply_json(reply, json_pack("{s:s}", "proof", okno_buf_text(&text)), err);
}

/* ---- retention ---- */

int http_get_retention(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *plan = NULL;
    json_t *forecast = NULL;
    int64_t now_us = okno_time_now();
    const struct okno_purge_rule rule = {.keep_days = request->service->keep_days};
    int rc = rule.keep_days > 0 ? okno_purge_plan(request->db, &rule, now_us, &plan, err) : 0;
    okno_autojson json_t *out = plan;
    if (rc == 0)
        rc = okno_purge_forecast(request->db, okno_db_dir(request->db), rule.keep_days, now_us,
                                 &forecast, err);
    if (rc < 0)
        return rc;
    return http_reply_json(reply,
                           json_pack("{s:I, s:o, s:o}", "keep_days", (json_int_t)rule.keep_days,
                                     "plan", out ? json_incref(out) : json_null(), "forecast",
                                     forecast),
                           err);
}

static int reply_holds(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_hold_list(request->db, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "holds", list), err);
}

int http_get_holds(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return reply_holds(request, reply, err);
}

/* A time of the body; -1 without one. */
static int read_time(const json_t *body, const char *name, int64_t *ret_us, struct okno_err *err)
{
    const char *text = json_string_value(json_object_get(body, name));
    *ret_us = -1;
    if (!text)
        return 0;
    int rc = okno_time_parse(text, ret_us, NULL);
    return rc < 0
               ? okno_fail_field(err, OKNO_INVALID, name, "%s: ISO 8601 with Z or an offset", name)
               : 0;
}

int http_post_hold(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const json_t *body = request->body;
    int64_t id = 0;
    struct okno_hold hold = {.survey = json_string_value(json_object_get(body, "survey")),
                             .audit = json_string_value(json_object_get(body, "audit")),
                             .site = json_string_value(json_object_get(body, "site")),
                             .reason = json_string_value(json_object_get(body, "reason")),
                             .author = request->who.user};
    int rc = read_time(body, "from", &hold.from_us, err);
    if (rc == 0)
        rc = read_time(body, "to", &hold.to_us, err);
    if (rc == 0)
        rc = read_time(body, "until", &hold.until_us, err);
    if (rc == 0)
        rc = okno_hold_add(request->db, &hold, okno_time_now(), &id, err);
    return rc < 0 ? rc : reply_holds(request, reply, err);
}

int http_post_hold_release(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    char *end = NULL;
    int64_t id = strtoll(request->params[0], &end, 10);
    const char *reason = json_string_value(json_object_get(request->body, "reason"));
    int rc =
        *end ? okno_fail(err, OKNO_NOT_FOUND, "there is no such hold")
             : okno_hold_release(request->db, id, reason, request->who.user, okno_time_now(), err);
    return rc < 0 ? rc : reply_holds(request, reply, err);
}
