/* A time stamp over HTTP. Source: RFC 3161, section 3.4. */
#include "okno/anchor.h"

#include "okno/post.h"
#include "okno/time.h"

#define DEADLINE_US (30 * OKNO_SECOND_US)

static int take_result(struct okno_post_result *result, struct okno_buf *reply,
                       struct okno_err *err)
{
    if (result->outcome != OKNO_POST_ANSWERED)
        return okno_fail(err, OKNO_TRANSIENT, "the time stamping authority: %s", result->why);
    if (result->status != 200 || !result->whole)
        return okno_fail(err, OKNO_PROTOCOL, "the time stamping authority answered with HTTP %d%s",
                         result->status, result->whole ? "" : ", and not to its end");
    return okno_buf_add(reply, okno_buf_text(&result->body), result->body.len, err);
}

int okno_stamp_fetch(const char *url, const struct okno_buf *request, struct okno_buf *reply,
                     struct okno_err *err)
{
    static const char *const headers[] = {"Content-Type: application/timestamp-query",
                                          "Accept: application/timestamp-reply", NULL};
    OKNO_AUTO(okno_post) *post = NULL;
    const struct okno_post_limits limits = {.deadline_us = DEADLINE_US,
                                            .body_bytes = OKNO_STAMP_BYTES_MAX,
                                            .in_flight = 1,
                                            .allow_private = true};
    const struct okno_post_request ask = {
        .url = url, .headers = headers, .body = request->data, .body_len = request->len};
    struct okno_post_result result = {.tag = 0};
    int rc = okno_post_open(&limits, &post, err);
    if (rc == 0)
        rc = okno_post_start(post, &ask, err);
    while (rc == 0 && !okno_post_next(post, &result))
        rc = okno_post_wait(post, DEADLINE_US, err);
    if (rc == 0)
        rc = take_result(&result, reply, err);
    okno_buf_free(&result.body);
    return rc;
}
