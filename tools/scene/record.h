/* Recording as a recorder does it: files cut on the whole minute of the camera's own clock. */
#ifndef TOOLS_SCENE_RECORD_H
#define TOOLS_SCENE_RECORD_H

#include "plan.h"

#include "okno/err.h"

#include <libavutil/frame.h>
#include <stdbool.h>

/* One camera of the scene. */
struct scene_camera {
    const char *channel, *title;
    int point;
    int64_t offset_ms; /* its clock minus UTC */
    bool index_first;  /* moov before the samples */
    bool hole;         /* misses the plan's hole */
};
extern const struct scene_camera scene_cameras[SCENE_POINTS];

struct scene_film {
    int fps, width, height, b_frames;
    const char *preset;
    int quality; /* constant quantizer: a rate control would look ahead, at half the speed */
};

struct recorder; /* opaque: one camera's open file */

OKNO_CHECK int recorder_open(const struct scene_film *film, const char *folder, bool index_first,
                             struct recorder **ret_recorder, struct okno_err *err);
/* Add a frame at a moment of the camera's clock: milliseconds since 1970, local time taken for UTC.
 * Starts a file where none is open or the minute is over. */
OKNO_CHECK int recorder_add(struct recorder *recorder, AVFrame *frame, int64_t wall_ms,
                            struct okno_err *err);
/* End the open file, if any: what a power cut or the end of the film leaves. */
OKNO_CHECK int recorder_cut(struct recorder *recorder, struct okno_err *err);
void recorder_free(struct recorder *recorder);

/* Film everything that one camera sees, into OUT/archive/CHANNEL. */
OKNO_CHECK int scene_film_camera(const struct scene_plan *plan, const struct scene_film *film,
                                 const struct scene_camera *camera, const char *out,
                                 struct okno_err *err);

/* Create a folder, its parents included. */
OKNO_CHECK int scene_mkdir(const char *path, struct okno_err *err);

#endif
