/* The calls of okno/view.h as they run inside the sandboxed child; as inside.h. */
#ifndef MEDIA_VIEW_H
#define MEDIA_VIEW_H

#include "okno/view.h"

/* What the caller of a view asks; travels behind the inputs. */
struct media_view {
    struct okno_view_masks masks;
    struct okno_sheet sheet;
    struct okno_series_area area;
    int32_t max_width;
    int32_t has_text, preview;
    struct okno_view_text text;
};

/* What the child finds; comes back in a memory file: this, then the frames, then the pictures. */
struct media_looked {
    uint64_t frames, pictures;
};

OKNO_CHECK int media_view_clip(const struct okno_media_input *input, const struct media_view *view,
                               int fd, struct okno_media_result *ret_result, struct okno_err *err);
OKNO_CHECK int media_view_still(const struct okno_media_input *input, const struct media_view *view,
                                int fd, struct okno_media_result *ret_result, struct okno_err *err);
OKNO_CHECK int media_view_sheet(const struct okno_media_input *input, const struct media_view *view,
                                int fd, struct okno_media_result *ret_result, struct okno_err *err);
OKNO_CHECK int media_view_look(const struct okno_media_input *input, int fd,
                               struct okno_media_result *ret_result, struct okno_err *err);
/* The file: for each picture its time (int64_t), then the cells' values (struct okno_series). */
OKNO_CHECK int media_view_series(const struct okno_media_input *input,
                                 const struct media_view *view, int fd,
                                 struct okno_media_result *ret_result, struct okno_err *err);
OKNO_CHECK int media_view_measure(const struct okno_media_input *input, int fd,
                                  struct okno_media_result *ret_result, struct okno_err *err);

#endif
