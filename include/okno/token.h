/* Machine clients: a token speaks for one device. Only the SHA-256 of its text is kept; the text
 * itself is known to the client alone. Rows are dated and never removed. */
#ifndef OKNO_TOKEN_H
#define OKNO_TOKEN_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/text.h"
#include "okno/user.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    OKNO_TOKEN_ID_TEXT = 13,   /* 12 hex digits of the hash and the NUL */
    OKNO_TOKEN_LABEL_MAX = 100 /* bytes */
};

struct okno_token {
    char id[OKNO_TOKEN_ID_TEXT]; /* by which people name it */
    char device[OKNO_ID_TEXT];
    char label[OKNO_TOKEN_LABEL_MAX + 1]; /* for people; may be "" */
    int64_t created_us;
    int64_t revoked_us; /* 0: it stands */
    bool photos;        /* it may fetch photos */
};
OKNO_VEC(okno_token_vec, struct okno_token);

/* A new token for a device; only the caller knows *ret_token. A device may have several, so that a
 * new one is in use before the old one is revoked. The device need not be paired, nor known: its
 * token makes it known. OKNO_INVALID names the field; OKNO_REFUSED: the device of a code on paper.
 */
OKNO_CHECK int okno_token_add(struct okno_db *db, const char *device, const char *label,
                              int64_t now_us, char ret_token[OKNO_TOKEN_TEXT],
                              struct okno_err *err);

/* From now on the token may fetch the photos of its point's ratings, too. OKNO_UNAUTHENTICATED. */
OKNO_CHECK int okno_token_allow_photos(struct okno_db *db, const char *token, struct okno_err *err);
OKNO_CHECK int okno_token_has_photos(struct okno_db *db, const char *token, bool *ret_photos,
                                     struct okno_err *err);

/* The device that a token speaks for. OKNO_UNAUTHENTICATED when there is no such token, or it was
 * revoked. */
OKNO_CHECK int okno_token_find(struct okno_db *db, const char *token, char ret_device[OKNO_ID_TEXT],
                               struct okno_err *err);

/* All of a device (NULL: of any), revoked ones too, by device and age, appended. */
OKNO_CHECK int okno_token_list(struct okno_db *db, const char *device,
                               struct okno_token_vec *tokens, struct okno_err *err);

/* From now on the token opens nothing. OKNO_NOT_FOUND; OKNO_REFUSED when it was revoked before. */
OKNO_CHECK int okno_token_revoke(struct okno_db *db, const char *id, int64_t now_us,
                                 struct okno_err *err);

#endif
