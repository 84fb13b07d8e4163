#include "okno/prompt.h"

#include "okno/registry.h"
#include "okno/time.h"
#include "pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *okno_prompt_type(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    if (len < 12)
        return NULL;
    if (memcmp(at, "RIFF", 4) == 0 && memcmp(at + 8, "WAVE", 4) == 0)
        return "audio/wav";
    if (memcmp(at, "ID3", 3) == 0 || (at[0] == 0xFF && (at[1] & 0xE6) == 0xE2))
        return "audio/mpeg";
    if (memcmp(at, "OggS", 4) == 0)
        return "audio/ogg";
    if (memcmp(at + 4, "ftyp", 4) == 0)
        return memcmp(at + 8, "M4A ", 4) == 0 ? "audio/mp4" : "video/mp4";
    return memcmp(at, "\x1A\x45\xDF\xA3", 4) == 0 ? "video/webm" : NULL;
}

static uint32_t little(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

int64_t okno_prompt_wav_us(const void *bytes, size_t len)
{
    const unsigned char *file = bytes;
    uint32_t rate = 0; /* bytes a second */
    const char *type = okno_prompt_type(bytes, len);
    if (!type || strcmp(type, "audio/wav") != 0)
        return 0;
    for (size_t at = 12; at + 8 <= len;) {
        size_t size = little(file + at + 4);
        size_t left = len - at - 8;
        if (memcmp(file + at, "fmt ", 4) == 0 && size >= 16 && left >= 16)
            rate = little(file + at + 16);
        if (memcmp(file + at, "data", 4) == 0)
            return rate ? (int64_t)((size < left ? size : left) * (uint64_t)OKNO_SECOND_US / rate)
                        : 0;
        if (size > left)
            return 0;
        at += 8 + size + (size & 1);
    }
    return 0;
}

int okno_prompt_of(struct okno_db *db, const char *question, const char *point, int64_t from_us,
                   struct okno_prompt *ret_prompt, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_prompt prompt = {0};
    int rc = OKNO_DB_PREPARE(db, "panel.prompt_of", &stmt, err, OKNO_TEXT("question", question),
                             OKNO_TEXT("point", point), OKNO_INT("from", from_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1) {
        okno_stmt_copy(stmt, "sha256", prompt.sha256, sizeof(prompt.sha256));
        okno_stmt_copy(stmt, "media_type", prompt.media_type, sizeof(prompt.media_type));
        prompt.duration_us = okno_stmt_int(stmt, "duration_us");
        prompt.bytes = okno_stmt_int(stmt, "bytes");
    }
    if (rc < 0)
        return rc;
    *ret_prompt = prompt;
    return 0;
}

int okno_prompt_read(struct okno_db *db, const char *sha256, const char *point, struct okno_buf *to,
                     char ret_type[OKNO_PROMPT_TYPE_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    size_t len = 0;
    int rc = OKNO_DB_PREPARE(db, "panel.get_prompt", &stmt, err, OKNO_TEXT("sha256", sha256),
                             OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "this point plays no such prompt");
    const void *content = okno_stmt_blob(stmt, "content", &len);
    rc = okno_buf_add(to, content, len, err);
    if (rc == 0)
        okno_stmt_copy(stmt, "media_type", ret_type, OKNO_PROMPT_TYPE_TEXT);
    return rc;
}

/* ---- setting one ---- */

static int check(const struct okno_prompt_change *change, struct okno_prompt *ret_prompt,
                 struct okno_err *err)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_prompt prompt = {.duration_us = change->duration_us};
    *ret_prompt = (struct okno_prompt){0};
    if (!change->bytes)
        return 0;
    if (change->len == 0 || change->len > OKNO_PROMPT_BYTES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "the prompt has %zu bytes; allowed are 1..%d",
                         change->len, OKNO_PROMPT_BYTES_MAX);
    const char *type = okno_prompt_type(change->bytes, change->len);
    if (!type)
        return okno_fail(err, OKNO_INVALID,
                         "the prompt is none of WAV, MP3, Ogg, M4A, MP4, WebM by its first bytes");
    if (prompt.duration_us == 0)
        prompt.duration_us = okno_prompt_wav_us(change->bytes, change->len);
    if (prompt.duration_us == 0)
        return okno_fail_field(err, OKNO_MISSING, "seconds",
                               "say how long it plays: --seconds N (WAV files tell it themselves)");
    if (prompt.duration_us < 0 || prompt.duration_us > OKNO_PROMPT_MAX_US)
        return okno_fail_field(err, OKNO_INVALID, "seconds",
                               "a prompt may play for up to %d seconds",
                               (int)(OKNO_PROMPT_MAX_US / OKNO_SECOND_US));
    (void)snprintf(prompt.media_type, sizeof(prompt.media_type), "%s", type);
    okno_hash_bytes(change->bytes, change->len, digest);
    (void)okno_hash_hex(digest, prompt.sha256);
    *ret_prompt = prompt;
    return 0;
}

static int keep(struct okno_db *db, const struct okno_prompt_change *change,
                const struct okno_prompt *prompt, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    if (!*prompt->sha256)
        return 0;
    int rc =
        OKNO_DB_PREPARE(db, "panel.add_prompt", &stmt, err, OKNO_TEXT("sha256", prompt->sha256),
                        OKNO_TEXT("media_type", prompt->media_type));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "content", change->bytes, change->len, err);
    return rc < 0 ? rc : okno_stmt_run(stmt, NULL, err);
}

static int add_version(struct okno_db *db, const struct okno_prompt_change *change,
                       const char *point, const struct okno_question *question, int64_t window_us,
                       int64_t now_us, struct okno_err *err)
{
    char row[OKNO_NAME_TEXT + 300];
    int64_t import = 0;
    int rc = OKNO_DB_INT(db, "panel.add_question_import", 0, &import, err, OKNO_INT("at", now_us),
                         OKNO_TEXT("author", change->author));
    struct okno_bind to = OKNO_INT("to", question->to_us);
    if (question->to_us == INT64_MAX)
        to = (struct okno_bind)OKNO_TEXT("to", NULL);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "panel.add_question", NULL, err, OKNO_INT("import", import),
                         OKNO_TEXT("question", question->question), OKNO_TEXT("point", point),
                         OKNO_INT("from", now_us), to, OKNO_TEXT("kind", question->kind),
                         OKNO_TEXT("text", question->text), OKNO_INT("window_us", window_us));
    (void)snprintf(row, sizeof(row), "%s %s %" PRId64 " %s %" PRId64 " %s", question->question,
                   point, now_us, question->kind, window_us, question->text);
    return rc < 0 ? rc
                  : registry_log_row(db, import, "questions", change->author, row, now_us, err);
}

/* 1: the question is in force at the point, and has the prompt from now on. */
static int set_at(struct okno_db *db, const struct okno_prompt_change *change,
                  const struct okno_prompt *prompt, const char *point, int64_t now_us,
                  struct okno_err *err)
{
    struct okno_question question;
    struct okno_prompt before;
    struct okno_err none = {0};
    int rc = okno_registry_question_at(db, point, now_us, &question, &none);
    if (rc == OKNO_NOT_FOUND || (rc == 0 && strcmp(question.question, change->question) != 0))
        return 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", none.text);
    rc = okno_prompt_of(db, question.question, point, question.from_us, &before, err);
    if (rc < 0)
        return rc;
    int64_t window_us = question.window_us - before.duration_us + prompt->duration_us;
    if (window_us > OKNO_PROMPT_WINDOW_MAX_US)
        return okno_fail_field(err, OKNO_INVALID, "seconds",
                               "with the prompt the window of %s at %s would be longer than %d s",
                               question.question, point,
                               (int)(OKNO_PROMPT_WINDOW_MAX_US / OKNO_SECOND_US));
    rc = add_version(db, change, point, &question, window_us, now_us, err);
    if (rc == 0 && *prompt->sha256)
        rc = OKNO_DB_RUN(db, "panel.add_question_prompt", NULL, err,
                         OKNO_TEXT("question", question.question), OKNO_TEXT("point", point),
                         OKNO_INT("from", now_us), OKNO_TEXT("sha256", prompt->sha256),
                         OKNO_INT("duration_us", prompt->duration_us));
    return rc < 0 ? rc : 1;
}

static int set_all(struct okno_db *db, const struct okno_prompt_change *change,
                   const struct okno_prompt *prompt, int64_t now_us, int64_t *ret_points,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    *ret_points = 0;
    int rc =
        OKNO_DB_PREPARE(db, "panel.points_of_question", &stmt, err,
                        OKNO_TEXT("question", change->question), OKNO_TEXT("point", change->point));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = set_at(db, change, prompt, okno_stmt_text(stmt, "point"), now_us, err);
        if (rc == 1)
            ++*ret_points;
        rc = rc < 0 ? rc : 0;
    }
    if (rc == 0 && *ret_points == 0)
        rc =
            okno_fail(err, OKNO_NOT_FOUND, "question %.64s is asked nowhere now", change->question);
    return rc;
}

int okno_prompt_set(struct okno_db *db, const struct okno_prompt_change *change, int64_t now_us,
                    int64_t *ret_points, struct okno_err *err)
{
    struct okno_prompt prompt;
    int64_t points = 0;
    int rc = check(change, &prompt, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = keep(db, change, &prompt, err);
    if (rc == 0)
        rc = set_all(db, change, &prompt, now_us, &points, err);
    rc = rc == 0 ? okno_db_commit(db, err) : (okno_db_rollback(db), rc);
    if (rc == 0)
        *ret_points = points;
    return rc;
}
