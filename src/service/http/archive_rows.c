/* Archives and cameras that the page adds or changes: rows as an import stores them, and tried. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/archive.h"
#include "okno/import.h"
#include "okno/time.h"
#include "okno/work.h"

#include <string.h>

/* A person waits for it. */
#define TRY_US (15 * OKNO_SECOND_US)

static const struct okno_import_kind *kind_of(const char *name)
{
    size_t count = 0;
    const struct okno_import_kind *kinds = okno_registry_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(kinds[i].kind, name) == 0)
            return &kinds[i];
    return NULL;
}

static void take(const json_t *body, const char *name, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(body, name));
    (void)snprintf(ret_text, size, "%s", text ? text : "");
}

#define TAKE(body, row, member) take(body, #member, (row)->member, sizeof((row)->member))

static void read_row(const json_t *body, struct okno_archive_row *row)
{
    TAKE(body, row, archive);
    TAKE(body, row, kind);
    TAKE(body, row, url);
    TAKE(body, row, files);
    TAKE(body, row, time_zone);
    TAKE(body, row, user);
    TAKE(body, row, secret);
    TAKE(body, row, options);
    if (!row->time_zone[0])
        (void)snprintf(row->time_zone, sizeof(row->time_zone), "UTC");
}

/* --- what an address hides -------------------------------------------------------------------- */

/* What some recorders take in the query of the address is a login: its values are told as
 * asterisks, three at most and never more than they are long. Asterisks that come back stand for
 * what is stored of the same name at the same host. */
enum { MASK = 3 };

/* NULL for none; a path of this machine has none. */
static const char *query_of(const char *url)
{
    const char *mark = strstr(url, "://") ? strchr(url, '?') : NULL;
    return mark ? mark + 1 : NULL;
}

/* Where the value of a part name=value begins; 0 for a part that is all value. */
static size_t value_at(const char *part, size_t len)
{
    const char *sign = memchr(part, '=', len);
    return sign ? (size_t)(sign + 1 - part) : 0;
}

static size_t hide_part(const char *part, size_t len, char *to)
{
    size_t at = value_at(part, len);
    size_t mask = len - at < MASK ? len - at : MASK;
    memmove(to, part, at);
    memset(to + at, '*', mask);
    return at + mask;
}

static void hide_query(char *url)
{
    const char *query = query_of(url);
    char *to = query ? url + (query - url) : NULL;
    const char *at = to;
    while (to && *at) {
        size_t len = strcspn(at, "&");
        to += hide_part(at, len, to);
        at += len;
        if (*at)
            *to++ = *at++;
    }
    if (to)
        *to = '\0';
}

static bool is_same_origin(const char *a, const char *b)
{
    const char *behind = strstr(a, "://");
    size_t len = behind ? (size_t)(behind - a) + 3 : 0;
    len += strcspn(a + len, "/?#");
    return len > 0 && strncmp(a, b, len) == 0 && strchr("/?#", b[len]);
}

/* The part of what is stored that is told as this one, behind those that were found. */
static const char *find_stored(const char **from, const char *part, size_t len, size_t *ret_len)
{
    char told[OKNO_NAME_TEXT];
    for (const char *at = *from; *at;) {
        *ret_len = strcspn(at, "&");
        const char *next = at + *ret_len + (at[*ret_len] == '&');
        if (hide_part(at, *ret_len, told) == len && memcmp(told, part, len) == 0) {
            *from = next;
            return at;
        }
        at = next;
    }
    return NULL;
}

static int put_part(struct okno_buf *url, const char **stored, const char *part, size_t len,
                    struct okno_err *err)
{
    size_t kept_len = 0;
    const char *kept = find_stored(stored, part, len, &kept_len);
    size_t at = value_at(part, len);
    if (!kept && len - at == MASK && memcmp(part + at, "***", MASK) == 0)
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "url: *** stands for what is stored and not told, and nothing such "
                               "is stored of this archive at this host: write the whole address");
    return okno_buf_add(url, kept ? kept : part, kept ? kept_len : len, err);
}

static int put_hidden_back(struct http_request *request, struct okno_err *err)
{
    struct okno_archive_row row;
    OKNO_AUTO_BUF full = OKNO_BUF_INIT((size_t)2 * OKNO_NAME_TEXT);
    const char *url = json_string_value(json_object_get(request->body, "url"));
    const char *id = json_string_value(json_object_get(request->body, "archive"));
    const char *at = url ? query_of(url) : NULL;
    const char *stored = NULL;
    if (!at || !id || !strchr(at, '*'))
        return 0;
    if (okno_registry_archive(request->db, id, &row, NULL) == 0 && is_same_origin(row.url, url))
        stored = query_of(row.url);
    if (!stored)
        stored = "";
    int rc = okno_buf_add(&full, url, (size_t)(at - url), err);
    while (rc == 0 && *at) {
        size_t len = strcspn(at, "&");
        rc = put_part(&full, &stored, at, len, err);
        at += len;
        if (rc == 0 && *at)
            rc = okno_buf_add(&full, at++, 1, err);
    }
    if (rc == 0 && json_object_set_new(request->body, "url", json_string(okno_buf_text(&full))) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for an address");
    return rc;
}

/* ---------------------------------------------------------------------------------------------- */

int http_post_archive(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_archive_row row = {0};
    int rc = put_hidden_back(request, err);
    reply->status = 204;
    if (rc == 0) {
        read_row(request->body, &row);
        rc = okno_archive_check_secret(request->db, &row, err);
    }
    return rc < 0 ? rc : http_import_body(request, kind_of("archives"), err);
}

int http_post_camera(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    reply->status = 204;
    return http_import_body(request, kind_of("cameras"), err);
}

/* The row that stands, or the one of the body, checked as if it were to be stored. */
static int row_to_try(struct http_request *request, struct okno_archive_row *row,
                      struct okno_err *err)
{
    const struct okno_import_kind *kind = kind_of("archives");
    struct okno_value values[16];
    int rc = put_hidden_back(request, err);
    if (rc < 0)
        return rc;
    read_row(request->body, row);
    if (!row->kind[0])
        return okno_registry_archive(request->db, row->archive, row, err);
    const char *const texts[] = {row->archive,   row->kind, row->url,    row->files,
                                 row->time_zone, row->user, row->secret, row->options};
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        rc = okno_field_check(&kind->fields[i], NULL, texts[i], &values[i], err);
    if (rc == 0)
        rc = kind->check(values, err);
    if (rc == 0)
        rc = okno_archive_rows_check("archives")(request->db, values, err);
    return rc < 0 ? rc : okno_archive_check_secret(request->db, row, err);
}

static int try_row(struct http_request *request, const struct okno_archive_row *row,
                   struct okno_archive_seen *seen, struct okno_err *why)
{
    const char *channel = json_string_value(json_object_get(request->body, "channel"));
    if (atomic_exchange(&request->service->trying, true))
        return okno_fail(why, OKNO_BUSY,
                         "another archive is being tried: try again in some seconds");
    int rc = okno_archive_try(request->db, row, channel, okno_time_now(), TRY_US, seen, why);
    atomic_store(&request->service->trying, false);
    return rc;
}

int http_post_archive_test(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    struct okno_archive_row row = {0};
    struct okno_archive_seen seen = {0};
    struct okno_err why = {0};
    int rc = row_to_try(request, &row, err);
    if (rc < 0)
        return rc;
    rc = try_row(request, &row, &seen, &why);
    if (rc != OKNO_BUSY && !json_object_get(request->body, "kind") &&
        okno_archive_note_asked(request->db, row.archive, okno_time_now(), rc, &why, err) < 0)
        return err->code;
    bool any = seen.recordings > 0;
    return http_reply_json(reply,
                           json_pack("{s:s, s:o, s:I, s:o, s:o, s:f, s:f, s:i, s:f}", "code",
                                     rc < 0 ? okno_code_info(rc)->name : "", "message",
                                     okno_json_text(rc < 0 ? why.text : seen.hint), "recordings",
                                     (json_int_t)seen.recordings, "from",
                                     any ? okno_json_time(seen.from_us) : json_null(), "to",
                                     any ? okno_json_time(seen.to_us) : json_null(), "covered_s",
                                     (double)seen.covered_us / OKNO_SECOND_US, "looked_s",
                                     (double)seen.looked_us / OKNO_SECOND_US, "days", seen.days,
                                     "ahead_s", (double)seen.ahead_us / OKNO_SECOND_US),
                           err);
}

json_t *http_archive_kinds(void)
{
    json_t *list = json_array();
    for (const char *const *kind = okno_archive_kinds(); *kind; kind++) {
        char options[512];
        okno_archive_options(*kind, options, sizeof(options));
        json_array_append_new(list, json_pack("{s:s, s:s}", "kind", *kind, "options", options));
    }
    return list;
}

int http_archive_row(struct okno_db *db, const char *archive, json_t *into, struct okno_err *err)
{
    struct okno_archive_row row;
    int rc = okno_registry_archive(db, archive, &row, err);
    if (rc < 0)
        return rc;
    hide_query(row.url);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "archive", row.archive, "kind",
                  row.kind, "url", row.url, "files", row.files, "time_zone", row.time_zone, "user",
                  row.user, "secret", row.secret, "options", row.options);
    return json_object_set_new(into, "row", json) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives")
               : 0;
}
