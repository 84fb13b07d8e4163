/* What is made from kept evidence: viewing copies for browsers, contact sheets, measures of the
 * picture. Derived, never evidence itself. Everything runs in the sandbox as media.h's calls do,
 * and fails as they do. Times are microseconds from the first frame of the file. */
#ifndef OKNO_VIEW_H
#define OKNO_VIEW_H

#include "okno/err.h"
#include "okno/media.h"
#include "okno/source.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    OKNO_VIEW_MASKS = 16,   /* in one picture */
    OKNO_VIEW_CORNERS = 16, /* of one mask */
    OKNO_VIEW_SCALE = 10000,
    OKNO_SHEET_MAX = 60, /* pictures in a contact sheet */
    OKNO_PICTURE_COLUMNS = 32,
    OKNO_PICTURE_ROWS = 18,
    OKNO_PICTURE_CELLS = OKNO_PICTURE_COLUMNS * OKNO_PICTURE_ROWS,
};

/* A polygon that is blackened: corners in parts of OKNO_VIEW_SCALE of the upright picture's width
 * and height, from its top left. */
struct okno_view_mask {
    uint32_t corners; /* 3 or more */
    uint16_t x[OKNO_VIEW_CORNERS], y[OKNO_VIEW_CORNERS];
};

struct okno_view_masks {
    uint32_t count;
    struct okno_view_mask items[OKNO_VIEW_MASKS];
};

/* What is written into the upper left of a viewing copy's pictures, a line each: the local time of
 * the frame with its distance from UTC, UTC, and what it belongs to. */
struct okno_view_text {
    int64_t at_us;                     /* of the first frame, UTC */
    int64_t offset_us;                 /* local minus UTC */
    int64_t change_us, next_offset_us; /* from that instant on; INT64_MAX: never */
    char subject[64];                  /* "": no such line */
};

/* What can be said about a picture without understanding it; brightness in full range. */
struct okno_picture {
    int32_t brightness;                 /* mean, 0..255, in thousandths */
    int32_t spread;                     /* standard deviation, in thousandths */
    int32_t detail;                     /* mean difference of neighbours at 320x180, thousandths */
    uint16_t cells[OKNO_PICTURE_CELLS]; /* mean brightness of each, 1/256 */
};

struct okno_look_frame {
    int64_t at_us;
    bool key;
};
OKNO_VEC(okno_look_frame_vec, struct okno_look_frame);

struct okno_look_picture {
    int64_t at_us;
    struct okno_picture picture;
};
OKNO_VEC(okno_look_picture_vec, struct okno_look_picture);

struct okno_look {
    struct okno_look_frame_vec frames; /* every frame, in order of presentation */
    struct okno_look_picture_vec
        pictures; /* some 2 a second at most, in order; damaged ones left out */
    int width, height;
    char codec[32];
};
void okno_look_free(struct okno_look *look);

/* Look at a clip as okno_media_clip writes it: the time of every frame, measures of some. */
OKNO_CHECK int okno_view_look(struct okno_source *clip, struct okno_look *ret_look,
                              struct okno_err *err);

/* Make an H.264 copy of a clip at out_path (must not exist) that every browser plays: same times,
 * masks burned in, text too where it is given (may be NULL), at most 1920x1080, key frames every
 * 2 s, sound that browsers play. OKNO_UNSUPPORTED where this FFmpeg has no libx264. */
OKNO_CHECK int okno_view_clip(struct okno_source *clip, const struct okno_view_masks *masks,
                              const struct okno_view_text *text, const char *out_path,
                              struct okno_err *err);

/* The same for a slow line: at most 480x270 and 5 pictures a second, those with their own times, no
 * sound. */
OKNO_CHECK int okno_view_preview(struct okno_source *clip, const struct okno_view_masks *masks,
                                 const char *out_path, struct okno_err *err);

/* Make a copy of a still (JPEG) with masks burned in. max_width: made smaller when wider; 0: not.
 */
OKNO_CHECK int okno_view_still(struct okno_source *still, const struct okno_view_masks *masks,
                               int max_width, const char *out_path, struct okno_err *err);

/* A strip of `count` frames of a clip side by side, from `from_us` on every `step_us`, each
 * `width` pixels wide, as JPEG at out_path (must not exist). */
struct okno_sheet {
    int64_t from_us, step_us;
    uint32_t count; /* 1..OKNO_SHEET_MAX */
    uint32_t width; /* 32..640 */
};
OKNO_CHECK int okno_view_sheet(struct okno_source *clip, const struct okno_sheet *sheet,
                               const struct okno_view_masks *masks, const char *out_path,
                               struct okno_err *err);

/* A part of the upright picture, in parts of OKNO_VIEW_SCALE, cut into columns x rows cells. */
struct okno_series_area {
    uint16_t left, top, right, bottom;
    uint16_t columns, rows; /* 1..OKNO_PICTURE_COLUMNS and 1..OKNO_PICTURE_ROWS */
};

/* How each cell looked in every picture of a clip, 1/256 of a level of 0..255. `values` holds for
 * picture i, from i * cells * OKNO_SERIES_PLANES on, the brightness (Y) of all cells row by row,
 * then their blue (Cb) and red (Cr). */
enum { OKNO_SERIES_PLANES = 3, OKNO_SERIES_FRAMES = 20000, OKNO_SERIES_BYTES = 96 * 1024 * 1024 };
struct okno_series {
    size_t frames, cells;
    int64_t *at_us;   /* in order; owned */
    uint16_t *values; /* owned */
};
void okno_series_free(struct okno_series *series);
#define OKNO_AUTO_SERIES __attribute__((cleanup(okno_series_free))) struct okno_series

/* Decode a clip as okno_media_clip writes it and average the cells of an area in each picture;
 * damaged pictures are left out. OKNO_TOO_LARGE past OKNO_SERIES_FRAMES or _BYTES. */
OKNO_CHECK int okno_view_series(struct okno_source *clip, const struct okno_series_area *area,
                                struct okno_series *ret_series, struct okno_err *err);

/* Measure a still (JPEG). */
OKNO_CHECK int okno_view_measure(struct okno_source *still, struct okno_picture *ret_picture,
                                 struct okno_err *err);

#endif
