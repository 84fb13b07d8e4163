/* What a panel plays when the seller presses: a short sound or film, kept by its content. A version
 * of a question has one or none; its window is longer by the prompt's length, so that nobody has
 * less time to answer, and the result depends on the registry alone. */
#ifndef OKNO_PROMPT_H
#define OKNO_PROMPT_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/hash.h"

#include <stddef.h>
#include <stdint.h>

enum { OKNO_PROMPT_BYTES_MAX = 4 << 20, OKNO_PROMPT_TYPE_TEXT = 16 };
#define OKNO_PROMPT_MAX_US (INT64_C(60) * 1000000)
#define OKNO_PROMPT_WINDOW_MAX_US (INT64_C(120) * 1000000)

struct okno_prompt {
    char sha256[OKNO_SHA256_TEXT]; /* "" for none */
    char media_type[OKNO_PROMPT_TYPE_TEXT];
    int64_t duration_us, bytes;
};

/* Audio (WAV, MP3, Ogg, M4A) or video (MP4, WebM), told by the first bytes; NULL for anything else.
 * Pure. */
const char *okno_prompt_type(const void *bytes, size_t len);

/* The length of a WAV file by its header, 0 when it does not tell. Pure. */
int64_t okno_prompt_wav_us(const void *bytes, size_t len);

struct okno_prompt_change {
    const char *question;
    const char *point;   /* NULL: everywhere that the question is in force */
    const void *bytes;   /* NULL: no prompt from now on */
    size_t len;          /* 1..OKNO_PROMPT_BYTES_MAX */
    int64_t duration_us; /* 0: as a WAV file tells */
    const char *author;
};

/* Begin a new version of the question now, wherever it is in force, with this prompt and a window
 * that is longer by it. *ret_points: how many points. In a transaction of its own. OKNO_INVALID,
 * OKNO_MISSING, OKNO_TOO_LARGE name the fault; OKNO_NOT_FOUND: the question is in force nowhere. */
OKNO_CHECK int okno_prompt_set(struct okno_db *db, const struct okno_prompt_change *change,
                               int64_t now_us, int64_t *ret_points, struct okno_err *err);

/* Of a version of a question; none is no failure. */
OKNO_CHECK int okno_prompt_of(struct okno_db *db, const char *question, const char *point,
                              int64_t from_us, struct okno_prompt *ret_prompt,
                              struct okno_err *err);

/* The content, appended, for a panel of that point. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_prompt_read(struct okno_db *db, const char *sha256, const char *point,
                                struct okno_buf *to, char ret_type[OKNO_PROMPT_TYPE_TEXT],
                                struct okno_err *err);

#endif
