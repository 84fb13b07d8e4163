/* How evidence is shown, and what is known of its pictures: sidecars, masks, references, quality
 * flags, viewing copies. The evidence itself is never changed; everything here is made from it. */
#ifndef OKNO_VIEWING_H
#define OKNO_VIEWING_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/evidence.h"
#include "okno/json.h"
#include "okno/view.h"

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, word as stored and shown): what pictures may be like. A hint for a person, never a
 * decision. */
#define OKNO_PICTURE_FLAGS(X)                                                                      \
    X(BLACK, "black")                 /* no picture at all */                                      \
    X(TOO_DARK, "too_dark")           /* hardly anything can be seen */                            \
    X(COVERED, "covered")             /* light, but no detail: covered or far out of focus */      \
    X(FROZEN, "frozen")               /* the same picture for 5 s or more, without even noise */   \
    X(SCENE_CHANGED, "scene_changed") /* not what the camera's reference still shows */

enum okno_picture_flag {
#define OKNO_PICTURE_ENUM(name, word) OKNO_PICTURE_##name,
    OKNO_PICTURE_FLAGS(OKNO_PICTURE_ENUM)
#undef OKNO_PICTURE_ENUM
        OKNO_PICTURE_FLAG_COUNT
};
const char *okno_picture_flag_name(enum okno_picture_flag flag);

/* Thresholds; see docs/evidence.md for how they were found. */
enum {
    OKNO_PICTURE_BLACK_BELOW = 12,    /* brightness below, and spread below 8 */
    OKNO_PICTURE_DARK_BELOW = 40,     /* brightness below */
    OKNO_PICTURE_DETAIL_MILLI = 1500, /* detail below */
    OKNO_PICTURE_STILL_PARTS = 26,    /* 1/256 of brightness: no cell moves by more */
    OKNO_PICTURE_FROZEN_US = 5000000, /* for so long */
    OKNO_PICTURE_ALIKE_MILLI = 500,   /* correlation with the reference below */
};

/* Bits (1 << flag) of the pictures of one clip, or the one of a still. reference: cells of the
 * camera's reference, or NULL. Pure. */
unsigned okno_picture_judge(const struct okno_look_picture *pictures, size_t count,
                            const uint16_t *reference);

/* Correlation of two pictures' cells, -1000..1000: same scene in other light is near 1000. */
int okno_picture_alike(const uint16_t *a, const uint16_t *b);

/* --- masks and references, dated, append-only ------------------------------------------------- */

/* The masks of a camera at a moment; none: 0 of them. *ret_id tells versions (0: never set). */
OKNO_CHECK int okno_masks_at(struct okno_db *db, const char *camera, int64_t at_us,
                             struct okno_view_masks *ret_masks, int64_t *ret_id,
                             struct okno_err *err);

/* "10,20 30,20 30,40; 50,50 60,60": corners in percent of the picture, two corners are a rectangle,
 * masks parted by ";". "" is none. OKNO_INVALID names what is wrong. */
OKNO_CHECK int okno_masks_read(const char *text, struct okno_view_masks *ret_masks,
                               struct okno_err *err);

/* From from_us on these are the masks of the camera. OKNO_NOT_FOUND for an unknown camera. */
OKNO_CHECK int okno_masks_set(struct okno_db *db, const char *camera, int64_t from_us,
                              const struct okno_view_masks *masks, const char *author,
                              const char *reason, int64_t now_us, struct okno_err *err);

/* From from_us on the camera's picture should look like this kept still (in the temporary file of
 * okno_evidence_temp, which is moved into the store). */
OKNO_CHECK int okno_reference_set(struct okno_db *db, const char *data_dir, const char *camera,
                                  int64_t from_us, int64_t frame_at_us, const char *temp_path,
                                  const char *author, int64_t now_us,
                                  char ret_sha256[OKNO_SHA256_TEXT], struct okno_err *err);

/* Masks (corners in per cent of the picture) and references of a camera as written:
 * [{what, from, value, author, reason, made_at}]. */
OKNO_CHECK int okno_viewing_history(struct okno_db *db, const char *camera, json_t **ret_list,
                                    struct okno_err *err);

/* A file as a source; OKNO_GONE when it is not there. The caller closes it. */
OKNO_CHECK int okno_file_source(const char *path, struct okno_source **ret_source,
                                struct okno_err *err);

/* The same of a kept file, found to be what was kept: OKNO_CHECK_FAILED when it was changed since.
 */
OKNO_CHECK int okno_evidence_source(const char *data_dir, const char *sha256,
                                    struct okno_source **ret_source, struct okno_err *err);

/* --- copies ----------------------------------------------------------------------------------- */

/* OKNO_COPY_TEXT: a viewing copy of a clip with local time, UTC and survey in its pictures. */
enum okno_copy { OKNO_COPY_VIEW, OKNO_COPY_SHEET, OKNO_COPY_TEXT, OKNO_COPY_PREVIEW };

enum { OKNO_SHEET_TILES = 12, OKNO_SHEET_TILE_WIDTH = 160 };

/* The viewing copy or contact sheet of a kept file, made when it is not there yet, masked as the
 * camera's masks stand. Lies in DIR/cache, which may be emptied at any time; a copy that is not as
 * it was made is made again. ret_path is absolute or as data_dir is; ret_tag tells versions.
 * OKNO_NOT_FOUND for no evidence, OKNO_GONE when its file is lost; else as okno/view.h. Any thread
 * with its own handle. */
OKNO_CHECK int okno_copy_get(struct okno_db *db, const char *data_dir, const char *sha256,
                             enum okno_copy copy, char *ret_path, size_t size, char ret_tag[96],
                             struct okno_err *err);

/* The same, open; memo may be NULL. The caller closes *ret_fd. */
OKNO_CHECK int okno_copy_open(struct okno_db *db, const char *data_dir, const char *sha256,
                              enum okno_copy copy, struct okno_hash_memo *memo, int *ret_fd,
                              int64_t *ret_size, char ret_tag[96], struct okno_err *err);

/* The viewing copy of what is shown by one only (masks, a codec that browsers lack), made before
 * somebody waits for it. What fails is made, and told, when it is asked for. */
void okno_copy_ahead(struct okno_db *db, const char *data_dir, const char *sha256);

/* What is written into a copy of a camera's pictures of [from_us, to_us), the first of them being
 * at from_us: its site's local time, UTC, and `subject`. */
OKNO_CHECK int okno_copy_text(struct okno_db *db, const char *camera, int64_t from_us,
                              int64_t to_us, const char *subject, struct okno_view_text *ret_text,
                              struct okno_err *err);

/* Whether a kept file may be shown as it is: no masks stand for its camera and moment. */
OKNO_CHECK int okno_copy_is_masked(struct okno_db *db, const char *sha256, bool *ret_masked,
                                   struct okno_err *err);

/* Remove copies not used since before_us. */
void okno_copy_sweep(struct okno_db *db, const char *data_dir, int64_t before_us);

#endif
