/* The photo of a rating for the program at the point: only where its token was made for photos,
 * only of its own point, without what masks hide, and written down before it leaves. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/evidence.h"
#include "okno/purge.h"
#include "okno/time.h"
#include "okno/token.h"
#include "okno/viewing.h"

#include <sodium.h>
#include <string.h>

enum { PHOTO_SOON_S = 15 };

static int check_token(const struct http_request *request, struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT] = "";
    bool allowed = false;
    int rc = http_bearer(request, token)
                 ? okno_token_has_photos(request->db, token, &allowed, err)
                 : okno_fail(err, OKNO_UNAUTHENTICATED, "a token is needed");
    sodium_memzero(token, sizeof(token));
    if (rc == 0 && !allowed)
        rc = okno_fail(err, OKNO_FORBIDDEN,
                       "this token is not for photos: okno token add --photos makes one that is");
    return rc;
}

/* The newest still of a rating of that point. */
static int find_photo(struct http_request *request, struct http_reply *reply, const char *point,
                      char ret_sha256[OKNO_SHA256_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    const char *rating = request->params[0];
    int rc = OKNO_DB_PREPARE(request->db, "service.photo_of_rating", &stmt, err,
                             OKNO_TEXT("rating", rating), OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc
                      : okno_fail(err, OKNO_NOT_FOUND, "there is no rating %s at point %s", rating,
                                  point);
    okno_stmt_copy(stmt, "sha256", ret_sha256, OKNO_SHA256_TEXT);
    if (*ret_sha256)
        return 0;
    if (okno_stmt_int(stmt, "hopeless"))
        return okno_fail(err, OKNO_NO_COVERAGE, "nothing was recorded of rating %s", rating);
    http_reply_header(reply, "Retry-After", "%d", PHOTO_SOON_S);
    return okno_fail(err, OKNO_NOT_YET, "there is no photo of rating %s yet", rating);
}

static int open_photo(struct http_request *request, struct http_reply *reply, const char *sha256,
                      struct okno_err *err)
{
    char tag[96];
    bool masked = false;
    const char *dir = request->service->data_dir;
    struct okno_hash_memo *memo = &request->service->checked;
    int rc = okno_purge_check(request->db, sha256, err);
    if (rc == 0)
        rc = okno_copy_is_masked(request->db, sha256, &masked, err);
    if (rc < 0)
        return rc;
    return masked ? okno_copy_open(request->db, dir, sha256, OKNO_COPY_VIEW, memo, &reply->fd,
                                   &reply->fd_len, tag, err)
                  : okno_evidence_open(dir, sha256, memo, &reply->fd, &reply->fd_len, err);
}

static int log_disclosure(const struct http_request *request, const char *sha256,
                          struct okno_err *err)
{
    char user[OKNO_ID_TEXT + 8];
    (void)snprintf(user, sizeof(user), "device:%s", request->device);
    return OKNO_DB_RUN(request->db, "service.add_access", NULL, err,
                       OKNO_INT("at", okno_time_now()), OKNO_TEXT("user", user),
                       OKNO_TEXT("action", "disclose"), OKNO_TEXT("subject", sha256),
                       OKNO_TEXT("detail", request->params[0]));
}

int http_get_rating_photo(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    char point[OKNO_ID_TEXT] = "";
    char sha256[OKNO_SHA256_TEXT] = "";
    int rc = check_token(request, err);
    if (rc == 0)
        rc = http_device_point(request, point, err);
    if (rc == 0)
        rc = find_photo(request, reply, point, sha256, err);
    if (rc == 0)
        rc = open_photo(request, reply, sha256, err);
    if (rc == 0)
        rc = log_disclosure(request, sha256, err);
    if (rc == 0) {
        reply->type = "image/jpeg";
        http_reply_header(reply, "Cache-Control", "private, no-store");
    }
    return rc;
}
