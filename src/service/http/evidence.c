/* Clips and stills by their hash: only names of 64 lower-case hex digits that the database knows
 * as evidence, opened below DATA/evidence without following links. */
#define _GNU_SOURCE
#include "handlers.h"

#include "okno/hash.h"
#include "okno/purge.h"
#include "okno/time.h"
#include "okno/viewing.h"
#include "range.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* What the queue shows around an item (review room: stills of neighbours within an hour). */
static const int64_t neighbour_reach_us = 3600 * OKNO_SECOND_US;

/* What a name asks for: the file itself, its sidecar, or a copy made for viewing. */
struct kind {
    const char *extension, *type;
    enum { AS_KEPT, AS_SIDECAR, AS_COPY } as;
    enum okno_copy copy; /* with AS_COPY */
};

static const struct kind kinds[] = {{".mp4", "video/mp4", AS_KEPT, OKNO_COPY_VIEW},
                                    {".jpg", "image/jpeg", AS_KEPT, OKNO_COPY_VIEW},
                                    {".json", "application/json", AS_SIDECAR, OKNO_COPY_VIEW},
                                    {".view.mp4", "video/mp4", AS_COPY, OKNO_COPY_VIEW},
                                    {".view.jpg", "image/jpeg", AS_COPY, OKNO_COPY_VIEW},
                                    {".text.mp4", "video/mp4", AS_COPY, OKNO_COPY_TEXT},
                                    {".preview.mp4", "video/mp4", AS_COPY, OKNO_COPY_PREVIEW},
                                    {".sheet.jpg", "image/jpeg", AS_COPY, OKNO_COPY_SHEET}};

/* A clip's frames, but a picture. */
static bool is_sheet(const struct kind *kind)
{
    return kind->as == AS_COPY && kind->copy == OKNO_COPY_SHEET;
}

static int read_name(const char *name, char ret_sha256[OKNO_SHA256_TEXT],
                     const struct kind **ret_kind, struct okno_err *err)
{
    size_t hex = strspn(name, "0123456789abcdef");
    for (size_t i = 0; hex == 64 && i < OKNO_COUNT(kinds); i++) {
        if (strcmp(name + 64, kinds[i].extension) != 0)
            continue;
        memcpy(ret_sha256, name, 64);
        ret_sha256[64] = '\0';
        *ret_kind = &kinds[i];
        return 0;
    }
    return okno_fail(err, OKNO_NOT_FOUND,
                     "evidence is named by 64 hex digits and .mp4, .jpg, .json, .view.mp4, "
                     ".text.mp4, .preview.mp4, .view.jpg or .sheet.jpg");
}

/* A sidecar is read under the rights of what it stands beside. */
static int find_owner(struct okno_db *db, const char *sidecar, char ret_sha256[OKNO_SHA256_TEXT],
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "extras.sidecar_of", &stmt, err, OKNO_TEXT("sidecar", sidecar));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "there is no such evidence");
    (void)snprintf(ret_sha256, OKNO_SHA256_TEXT, "%s", okno_stmt_text(stmt, "sha256"));
    return 0;
}

static int check_known(struct okno_db *db, const char *sha256, const char *type,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "service.evidence_file", &stmt, err, OKNO_TEXT("sha256", sha256));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0 || (rc == 1 && strcmp(okno_stmt_text(stmt, "media_type"), type) == 0))
        return rc < 0 ? rc : 0;
    return okno_fail(err, OKNO_NOT_FOUND, "there is no such evidence");
}

/* Experts see what the queue shows them and nothing else. */
static int check_expert(const struct http_request *request, const char *sha256,
                        struct okno_err *err)
{
    int64_t shown = 0;
    if (request->role != HTTP_EXPERT)
        return 0;
    int rc = OKNO_DB_INT(request->db, "service.evidence_of_expert", 0, &shown, err,
                         OKNO_TEXT("sha256", sha256), OKNO_TEXT("user", request->who.user),
                         OKNO_INT("now", okno_time_now()), OKNO_INT("reach", neighbour_reach_us));
    if (rc == 0 && !shown)
        return okno_fail(err, OKNO_FORBIDDEN, "this evidence is not part of your items");
    return rc;
}

/* Staff see what shows a negative rating that they are to comment on. */
static int check_staff(const struct http_request *request, const char *sha256, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    if (request->role != HTTP_STAFF)
        return 0;
    int rc = OKNO_DB_PREPARE(request->db, "service.negative_of_file", &stmt, err,
                             OKNO_TEXT("sha256", sha256));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        return http_check_own(request, okno_stmt_text(stmt, "rating"), err);
    return rc < 0 ? rc : okno_fail(err, OKNO_FORBIDDEN, "this shows no negative rating of yours");
}

/* What masks hide, experts and staff are shown in the masked copy only. */
static int check_masks(const struct http_request *request, const char *sha256,
                       const struct kind *kind, struct okno_err *err)
{
    bool masked = false;
    if ((request->role != HTTP_EXPERT && request->role != HTTP_STAFF) || kind->as != AS_KEPT)
        return 0;
    int rc = okno_copy_is_masked(request->db, sha256, &masked, err);
    if (rc == 0 && masked)
        rc = okno_fail(err, OKNO_FORBIDDEN,
                       "this camera has masks: the viewing copy is shown instead");
    return rc;
}

/* A piece from the middle belongs to a look logged so shortly before. */
static const int64_t look_us = 600 * OKNO_SECOND_US;

/* One line per look, not per piece: a player asks for many ranges. */
static int log_view(const struct http_request *request, const char *sha256, bool from_start,
                    struct okno_err *err)
{
    int64_t now_us = okno_time_now();
    int64_t logged = 0;
    if (strcmp(request->method, "HEAD") == 0)
        return 0;
    int rc = from_start
                 ? 0
                 : OKNO_DB_INT(request->db, "service.looked_since", 0, &logged, err,
                               OKNO_INT("since", now_us - look_us),
                               OKNO_TEXT("user", request->who.user), OKNO_TEXT("subject", sha256));
    if (rc < 0 || logged)
        return rc;
    return OKNO_DB_RUN(request->db, "service.add_access", NULL, err, OKNO_INT("at", now_us),
                       OKNO_TEXT("user", request->who.user), OKNO_TEXT("action", "view"),
                       OKNO_TEXT("subject", sha256), OKNO_TEXT("detail", request->peer));
}

/* The range that counts: If-Range lets it pass only for the very same bytes. */
static enum http_range range_of(const struct http_request *request, const char *etag, int64_t size,
                                int64_t *ret_from, int64_t *ret_len)
{
    const char *condition = http_header(request, "If-Range");
    if (condition && strcmp(condition, etag) != 0)
        return HTTP_RANGE_WHOLE;
    return http_range_read(http_header(request, "Range"), size, ret_from, ret_len);
}

/* The file, with what its hash says in it, and what tells versions of it apart. A copy is made now
 * if need be. */
static int open_file(struct http_request *request, const char *sha256, const struct kind *kind,
                     int *ret_fd, int64_t *ret_size, char ret_tag[96], struct okno_err *err)
{
    const char *data_dir = request->service->data_dir;
    struct okno_hash_memo *memo = &request->service->checked;
    if (kind->as == AS_COPY)
        return okno_copy_open(request->db, data_dir, sha256, kind->copy, memo, ret_fd, ret_size,
                              ret_tag, err);
    (void)snprintf(ret_tag, 96, "%s", sha256);
    return okno_evidence_open(data_dir, sha256, memo, ret_fd, ret_size, err);
}

/* `subject` is the evidence that is looked at, `sha256` the file that is sent. */
static int fill(struct http_request *request, struct http_reply *reply, const char *subject,
                const char *sha256, const struct kind *kind, struct okno_err *err)
{
    char tag[96];
    char etag[100];
    int64_t size = 0;
    int64_t from = 0;
    int rc = open_file(request, sha256, kind, &reply->fd, &size, tag, err);
    if (rc < 0)
        return rc;
    int64_t len = size;
    (void)snprintf(etag, sizeof(etag), "\"%s\"", tag);
    enum http_range range = range_of(request, etag, size, &from, &len);
    bool unchanged = http_etag_listed(http_header(request, "If-None-Match"), etag);
    http_reply_header(reply, "Accept-Ranges", "bytes");
    if (!unchanged && range == HTTP_RANGE_UNSATISFIABLE) {
        http_reply_header(reply, "Content-Range", "bytes */%lld", (long long)size);
        reply->status = 416;
        okno_mem_close_at(&reply->fd);
        reply->fd = -1;
        return 0;
    }
    /* Before the first header that lets a cache keep the answer: a failure must not be kept. */
    rc = unchanged ? 0 : log_view(request, subject, from == 0, err);
    if (rc < 0)
        return rc;
    http_reply_header(reply, "ETag", "%s", etag);
    /* Copies change with the masks: ask each time whether they did. */
    http_reply_header(reply, "Cache-Control",
                      kind->as == AS_COPY ? "private, no-cache"
                                          : "private, max-age=31536000, immutable");
    if (unchanged) {
        reply->status = 304;
        okno_mem_close_at(&reply->fd);
        reply->fd = -1;
        return 0;
    }
    if (range == HTTP_RANGE_PART) {
        reply->status = 206;
        http_reply_header(reply, "Content-Range", "bytes %lld-%lld/%lld", (long long)from,
                          (long long)(from + len - 1), (long long)size);
    }
    reply->type = kind->type;
    reply->fd_offset = from;
    reply->fd_len = len;
    return 0;
}

int http_get_evidence(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    char sha256[OKNO_SHA256_TEXT];
    char subject[OKNO_SHA256_TEXT];
    const struct kind *kind = NULL;
    int rc = read_name(request->params[0], sha256, &kind, err);
    if (rc < 0)
        return rc;
    memcpy(subject, sha256, sizeof(subject));
    if (kind->as == AS_SIDECAR)
        rc = find_owner(request->db, sha256, subject, err);
    else
        rc = check_known(request->db, sha256, is_sheet(kind) ? "video/mp4" : kind->type, err);
    if (rc == 0)
        rc = check_expert(request, subject, err);
    if (rc == 0)
        rc = check_staff(request, subject, err);
    if (rc == 0)
        rc = kind->as == AS_SIDECAR ? 0 : okno_purge_check(request->db, subject, err);
    if (rc == 0)
        rc = check_masks(request, subject, kind, err);
    return rc < 0 ? rc : fill(request, reply, subject, sha256, kind, err);
}
