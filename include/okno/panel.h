/* Browsers as devices: a tablet is invited with a one-time code, fetches its token with it, and
 * asks what to show; a code on paper leads a customer's phone to the same question. */
#ifndef OKNO_PANEL_H
#define OKNO_PANEL_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/prompt.h"
#include "okno/registry.h"
#include "okno/text.h"
#include "okno/token.h"
#include "okno/user.h"
#include "okno/vec.h"

#include <jansson.h>
#include <stdint.h>

enum {
    OKNO_PANEL_CODE_TEXT = 15, /* XXXX-XXXX-XXXX and the NUL: 60 random bits */
    OKNO_PANEL_SEGMENTS_MAX = 1000,
    OKNO_QR_CODE_TEXT = 17, /* 16 letters and the NUL: 80 random bits */
    OKNO_QR_SECRET_BYTES = 32
};
#define OKNO_PANEL_CODE_US (INT64_C(15) * 60 * 1000000)

struct okno_panel_invitation {
    const char *device, *point;
    const char *role; /* button, panel or both */
    const char *label;
    const char *author;
};

/* Pair the device with the point from now on, unless it is paired so already, and make a code of
 * one use that lives OKNO_PANEL_CODE_US. Earlier codes of the device end. In a transaction of its
 * own. OKNO_INVALID names the field; OKNO_NOT_FOUND: no such point; OKNO_REFUSED when the log takes
 * nothing. */
OKNO_CHECK int okno_panel_invite(struct okno_db *db, const struct okno_panel_invitation *invitation,
                                 int64_t now_us, char ret_code[OKNO_PANEL_CODE_TEXT],
                                 struct okno_err *err);

/* What a browser gets for its code. */
struct okno_panel_access {
    char device[OKNO_ID_TEXT];
    char token[OKNO_TOKEN_TEXT];
    int64_t boot; /* greater than any that the device used */
};

/* Exchange a code, in any case and spacing. OKNO_UNAUTHENTICATED when it is unknown, used or too
 * old: one message for all. */
OKNO_CHECK int okno_panel_accept(struct okno_db *db, const char *code, int64_t now_us,
                                 struct okno_panel_access *ret_access, struct okno_err *err);

/* A boot that the device never used: for storage that was lost, or restored from a copy. */
OKNO_CHECK int okno_panel_next_boot(struct okno_db *db, const char *device, int64_t *ret_boot,
                                    struct okno_err *err);

/* What a question says from when to when, employees' names filled in. */
struct okno_panel_segment {
    int64_t from_us, to_us;
    struct okno_question question; /* text as to be shown */
    struct okno_prompt prompt;     /* to be played at a press */
    char language[3];              /* ru when the text holds Cyrillic letters, else en */
};
OKNO_VEC(okno_panel_segment_vec, struct okno_panel_segment);

/* The questions of a point in [from, to), each moment at most once, in order; moments without a
 * question are left out. `{employee}` becomes the name of who serves then by the shifts, or words
 * for nobody in particular. Cut at OKNO_PANEL_SEGMENTS_MAX. */
OKNO_CHECK int okno_panel_schedule(struct okno_db *db, const char *point, int64_t from_us,
                                   int64_t to_us, struct okno_panel_segment_vec *segments,
                                   struct okno_err *err);

/* What a soft panel says of itself; INT64_MIN in a time: none. */
struct okno_panel_state {
    int64_t at_us, queued, refused, oldest_us, sent_us;
};
OKNO_CHECK int okno_panel_note_state(struct okno_db *db, const char *device,
                                     const struct okno_panel_state *state, struct okno_err *err);

/* [{device, point, role, label, tokens, invited_until, state}] of all devices that were ever
 * invited as a browser; the caller owns *ret_list. */
OKNO_CHECK int okno_panel_list(struct okno_db *db, int64_t now_us, json_t **ret_list,
                               struct okno_err *err);

/* Revoke all tokens of a device that stand, and its codes. *ret_count: tokens revoked. */
OKNO_CHECK int okno_panel_revoke(struct okno_db *db, const char *device, int64_t now_us,
                                 int64_t *ret_count, struct okno_err *err);

/* A code on paper. */
struct okno_qr_code {
    char code[OKNO_QR_CODE_TEXT];
    char point[OKNO_ID_TEXT];
    char device[OKNO_ID_TEXT]; /* virtual: its events have the channel qr */
    uint8_t secret[OKNO_QR_SECRET_BYTES];
    int64_t created_us, revoked_us; /* 0: it stands */
};
OKNO_VEC(okno_qr_code_vec, struct okno_qr_code);

/* A new code for a point; its virtual device is paired with the point as a channel, which answers
 * no window. OKNO_NOT_FOUND: no such point. */
OKNO_CHECK int okno_qr_code_add(struct okno_db *db, const char *point, const char *author,
                                int64_t now_us, struct okno_qr_code *ret_code,
                                struct okno_err *err);
/* One that stands. OKNO_NOT_FOUND; OKNO_GONE when it was revoked. */
OKNO_CHECK int okno_qr_code_find(struct okno_db *db, const char *code,
                                 struct okno_qr_code *ret_code, struct okno_err *err);
/* Of a point (NULL: of any), by point and age, appended. */
OKNO_CHECK int okno_qr_code_list(struct okno_db *db, const char *point,
                                 struct okno_qr_code_vec *codes, struct okno_err *err);
/* OKNO_NOT_FOUND; OKNO_GONE when it was revoked before. */
OKNO_CHECK int okno_qr_code_revoke(struct okno_db *db, const char *code, int64_t now_us,
                                   struct okno_err *err);

#endif
