/* Comments on negative ratings: added, listed, counted. */
#define _POSIX_C_SOURCE 200809L
#include "okno/comment.h"

#include "okno/embedded.h"
#include "okno/event.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT_MAX = 500, TAGS_TEXT = 400 };

/* --- tags */

static const json_t *list; /* lives as long as the program */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    list = okno_conf_json("/conf/tags.json");
}

static const json_t *loaded(void)
{
    (void)pthread_once(&once, load);
    return list;
}

const char *okno_comment_tags_json(size_t *ret_len)
{
    const struct okno_ui_file *file = okno_conf_file("/conf/tags.json");
    *ret_len = file->len;
    return (const char *)file->data;
}

static bool knows_tag(const char *id)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(loaded(), "tags"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "id")), id) ==
                                0) return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once, one space between. */
static int join_tags(const struct okno_comment *comment, char ret_tags[TAGS_TEXT],
                     struct okno_err *err)
{
    const char *sorted[OKNO_COMMENT_TAGS_MAX];
    char shown[OKNO_TEXT_SHOWN];
    size_t used = 0;
    ret_tags[0] = '\0';
    if (comment->tag_count > OKNO_COMMENT_TAGS_MAX)
        return okno_fail_field(err, OKNO_INVALID, "tags", "tags: at most %d",
                               OKNO_COMMENT_TAGS_MAX);
    for (size_t i = 0; i < comment->tag_count; i++) {
        sorted[i] = comment->tags[i];
        if (!knows_tag(sorted[i]) || strlen(sorted[i]) > 32)
            return okno_fail_field(err, OKNO_INVALID, "tags", "there is no tag \"%s\"",
                                   okno_text_show(sorted[i], shown));
    }
    if (comment->tag_count)
        qsort(sorted, comment->tag_count, sizeof(sorted[0]), by_text);
    for (size_t i = 0; i < comment->tag_count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            used += (size_t)snprintf(ret_tags + used, TAGS_TEXT - used, "%s%s", used ? " " : "",
                                     sorted[i]);
    return 0;
}

static json_t *tags_json(const char *tags)
{
    json_t *array = json_array();
    for (const char *at = tags; array && *at;) {
        size_t len = strcspn(at, " ");
        (void)json_array_append_new(array, json_stringn(at, len));
        at += len + (at[len] == ' ');
    }
    return array;
}

/* --- adding */

static int check_text(const struct okno_comment *comment, struct okno_err *err)
{
    if (strlen(comment->text) > OKNO_COMMENT_BYTES_MAX || !okno_text_is_plain(comment->text, true))
        return okno_fail_field(err, OKNO_INVALID, "text",
                               "text: up to %d bytes of UTF-8 without control characters",
                               OKNO_COMMENT_BYTES_MAX);
    if (comment->text[strspn(comment->text, " \t\n")] == '\0' && comment->tag_count == 0)
        return okno_fail_field(err, OKNO_MISSING, "text",
                               "write a comment, or say a reason with a tag");
    return 0;
}

static int check_rating(struct okno_db *db, const char *rating, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "alert.rating", &stmt, err, OKNO_TEXT("rating", rating));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        rc = okno_fail_field(err, OKNO_NOT_FOUND, "rating",
                             "there is no negative rating \"%s\" that counts",
                             okno_text_show(rating, shown));
    return rc < 0 ? rc : 0;
}

static int close_alerts(struct okno_db *db, const struct okno_comment *comment,
                        struct okno_err *err)
{
    int64_t alert = 0;
    int rc = OKNO_DB_INT(db, "alert.open_of_rating", 0, &alert, err,
                         OKNO_TEXT("rating", comment->rating));
    while (rc == 0 && alert) {
        rc = OKNO_DB_RUN(db, "alert.close", NULL, err, OKNO_INT("alert", alert),
                         OKNO_TEXT("why", "commented"), OKNO_INT("now", comment->at_us));
        if (rc == 0)
            rc = OKNO_DB_RUN(db, "alert.add_event", NULL, err, OKNO_INT("alert", alert),
                             OKNO_TEXT("event", "closed"), OKNO_INT("now", comment->at_us));
        if (rc == 0)
            rc = OKNO_DB_INT(db, "alert.open_of_rating", 0, &alert, err,
                             OKNO_TEXT("rating", comment->rating));
    }
    return rc;
}

/* That something was said, by whom (a pseudonym), and hashes that prove later what it was. */
static int write_log(struct okno_db *db, const struct okno_comment *comment, int64_t id,
                     const char *tags, struct okno_err *err)
{
    char author[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char key[OKNO_SHA256_TEXT];
    char rating[OKNO_SHA256_TEXT];
    char text[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {
        .kind = "comment", .subject = id, .salt = okno_ledger_salt(salt), .at_us = comment->at_us};
    int rc = okno_ledger_pseudonym(db, 'R', comment->user, author, err);
    if (rc < 0)
        return rc;
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), comment->rating, rating);
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "comment", key), comment->text, text);
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:o, s:I}", "survey", rating, "author", author, "comment", text, "tags",
        tags_json(tags), "tags_version", json_integer_value(json_object_get(loaded(), "version")));
    return json ? okno_ledger_append(db, &entry, json, NULL, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for the log");
}

static int store(struct okno_db *db, const struct okno_comment *comment, const char *tags,
                 int64_t *ret_id, struct okno_err *err)
{
    int rc = check_rating(db, comment->rating, err);
    if (rc == 0)
        rc = OKNO_DB_INT(
            db, "comment.add", 0, ret_id, err, OKNO_TEXT("rating", comment->rating),
            OKNO_INT("at", comment->at_us), OKNO_TEXT("user", comment->user),
            OKNO_TEXT("text", comment->text), OKNO_TEXT("tags", tags),
            OKNO_INT("version", json_integer_value(json_object_get(loaded(), "version"))));
    if (rc == 0)
        rc = close_alerts(db, comment, err);
    return rc < 0 ? rc : write_log(db, comment, *ret_id, tags, err);
}

int okno_comment_add(struct okno_db *db, const struct okno_comment *comment, int64_t *ret_id,
                     struct okno_err *err)
{
    char tags[TAGS_TEXT];
    int64_t id = 0;
    int rc = check_text(comment, err);
    if (rc == 0)
        rc = join_tags(comment, tags, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = store(db, comment, tags, &id, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc == 0)
        *ret_id = id;
    return rc;
}

/* --- listing */

static json_t *comment_json(struct okno_stmt *stmt)
{
    return json_pack("{s:I, s:s, s:o, s:s, s:s, s:o}", "id", (json_int_t)okno_stmt_int(stmt, "id"),
                     "rating", okno_stmt_text(stmt, "rating"), "at",
                     okno_json_time(okno_stmt_int(stmt, "at")), "user",
                     okno_stmt_text(stmt, "user"), "text", okno_stmt_text(stmt, "text"), "tags",
                     tags_json(okno_stmt_text(stmt, "tags")));
}

int okno_comment_list(struct okno_db *db, const char *rating, json_t **ret_list,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "comment.list", &stmt, err, OKNO_TEXT("rating", rating));
    return rc < 0 ? rc : okno_rows_list(stmt, comment_json, ret_list, err);
}

/* A cursor is "<microseconds>.<id>". */
static int read_cursor(const char *cursor, int64_t *ret_at_us, const char **ret_rating,
                       struct okno_err *err)
{
    char *end = NULL;
    *ret_at_us = INT64_MAX;
    *ret_rating = "";
    if (!cursor)
        return 0;
    errno = 0;
    *ret_at_us = strtoll(cursor, &end, 10);
    if (errno || end == cursor || *end != '.' || strlen(end) > OKNO_EVENT_ID_TEXT)
        return okno_fail_field(err, OKNO_INVALID, "cursor",
                               "the cursor is none that this list gave");
    *ret_rating = end + 1;
    return 0;
}

static int negative_json(struct okno_db *db, struct okno_stmt *stmt, json_t **ret_json,
                         struct okno_err *err)
{
    json_t *comments = NULL;
    int rc = okno_comment_list(db, okno_stmt_text(stmt, "rating"), &comments, err);
    if (rc < 0)
        return rc;
    *ret_json =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "rating",
                  okno_stmt_text(stmt, "rating"), "site", okno_stmt_text(stmt, "site"), "point",
                  okno_stmt_text(stmt, "point"), "employee", okno_row_text(stmt, "employee"),
                  "answered_at", okno_json_time(okno_stmt_int(stmt, "answered_at")), "channel",
                  okno_row_text(stmt, "channel"), "spontaneous",
                  (int)okno_stmt_int(stmt, "spontaneous"), "still", okno_row_text(stmt, "still"),
                  "clip", okno_row_text(stmt, "clip"), "comments", comments);
    return *ret_json ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the list");
}

int okno_negative_list(struct okno_db *db, const struct okno_negative_filter *f, json_t **ret_list,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *rows = json_array();
    char next[40 + OKNO_EVENT_ID_TEXT] = "";
    char last[40 + OKNO_EVENT_ID_TEXT] = "";
    int64_t before_us = 0;
    const char *before = NULL;
    int64_t limit = f->limit < 1 ? 1 : f->limit > LIMIT_MAX ? LIMIT_MAX : f->limit;
    int rc = read_cursor(f->before, &before_us, &before, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "comment.negatives", &stmt, err, OKNO_INT("from", f->from_us),
                             OKNO_INT("to", f->to_us), OKNO_INT("before_at", before_us),
                             OKNO_TEXT("before", before), OKNO_TEXT("rating", f->rating),
                             OKNO_TEXT("site", f->site), OKNO_TEXT("point", f->point),
                             OKNO_TEXT("sites", f->sites), OKNO_TEXT("employee", f->employee),
                             OKNO_INT("commented", f->commented), OKNO_INT("limit", limit + 1));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *row = NULL;
        if ((int64_t)json_array_size(rows) == limit) {
            memcpy(next, last, sizeof(next));
            rc = 0;
            break;
        }
        (void)snprintf(last, sizeof(last), "%" PRId64 ".%s", okno_stmt_int(stmt, "at"),
                       okno_stmt_text(stmt, "rating"));
        rc = negative_json(db, stmt, &row, err);
        if (rc == 0 && json_array_append_new(rows, row) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the list");
    }
    if (rc == 0)
        *ret_list =
            json_pack("{s:O, s:o}", "negatives", rows, "next", okno_json_text(*next ? next : NULL));
    return rc;
}

/* --- reaction */

static json_t *seconds(struct okno_stmt *stmt, const char *column)
{
    return okno_stmt_is_null(stmt, column) ? json_null()
                                           : json_integer(okno_stmt_int(stmt, column) / 1000000);
}

static int read_reactions(struct okno_db *db, const struct okno_negative_filter *f, json_t *sites,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "comment.reactions", &stmt, err, OKNO_INT("from", f->from_us),
                             OKNO_INT("to", f->to_us), OKNO_TEXT("site", f->site),
                             OKNO_TEXT("point", f->point), OKNO_TEXT("sites", f->sites));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *row = json_pack("{s:s, s:I, s:I, s:o, s:o}", "site", okno_stmt_text(stmt, "site"),
                                "negatives", (json_int_t)okno_stmt_int(stmt, "negatives"),
                                "commented", (json_int_t)okno_stmt_int(stmt, "commented"),
                                "median_s", seconds(stmt, "median"), "p90_s", seconds(stmt, "p90"));
        rc = json_array_append_new(sites, row) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the reactions")
                 : 0;
    }
    return rc;
}

static void count_tags(const char *tags, json_t *counts)
{
    okno_autojson json_t *words = tags_json(tags);
    size_t i;
    const json_t *word;
    json_array_foreach(words, i, word)
    {
        const char *id = json_string_value(word);
        json_int_t count = json_integer_value(json_object_get(counts, id));
        (void)json_object_set_new(counts, id, json_integer(count + 1));
    }
}

static int read_tags(struct okno_db *db, const struct okno_negative_filter *f, json_t *tags,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *counts = json_object();
    size_t i;
    const json_t *tag;
    int rc = OKNO_DB_PREPARE(db, "comment.tagged", &stmt, err, OKNO_INT("from", f->from_us),
                             OKNO_INT("to", f->to_us), OKNO_TEXT("site", f->site),
                             OKNO_TEXT("point", f->point), OKNO_TEXT("sites", f->sites));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        count_tags(okno_stmt_text(stmt, "tags"), counts);
        rc = 0;
    }
    json_array_foreach(json_object_get(loaded(), "tags"), i, tag)
    {
        const char *id = json_string_value(json_object_get(tag, "id"));
        const json_t *count = json_object_get(counts, id);
        if (rc == 0 && count)
            (void)json_array_append_new(
                tags, json_pack("{s:s, s:I}", "tag", id, "count", json_integer_value(count)));
    }
    return rc;
}

int okno_reaction(struct okno_db *db, const struct okno_negative_filter *filter,
                  json_t **ret_reaction, struct okno_err *err)
{
    okno_autojson json_t *sites = json_array();
    okno_autojson json_t *tags = json_array();
    int rc = read_reactions(db, filter, sites, err);
    if (rc == 0)
        rc = read_tags(db, filter, tags, err);
    if (rc == 0)
        *ret_reaction = json_pack("{s:O, s:O}", "sites", sites, "tags", tags);
    return rc;
}
