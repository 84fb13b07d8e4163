#include "record.h"
#include "stage.h"

#include "okno/mem.h"

const struct scene_camera scene_cameras[SCENE_POINTS] = {
    {"cam1", "cam1  MALL / TILL 1", 0, 0, true, true},
    {"cam2", "cam2  MALL / TILL 2", 1, 7400, false, false},
};

OKNO_CLEANUP(recorder, recorder_free);
OKNO_CLEANUP(stage, stage_close);

/* Frames stand on whole steps of the camera's own clock, the first on a whole second. */
static int roll(const struct scene_plan *plan, const struct scene_film *film,
                const struct scene_camera *camera, struct stage *stage, struct recorder *recorder,
                struct okno_err *err)
{
    int64_t step = 1000 / film->fps;
    int64_t begin = (SCENE_START_MS + camera->offset_ms + 999) / 1000 * 1000;
    int64_t end = SCENE_START_MS + plan->length_ms + camera->offset_ms;
    for (int64_t clock = begin; clock < end; clock += step) {
        int64_t utc = clock - camera->offset_ms, t = utc - SCENE_START_MS;
        int e;
        if (camera->hole && t >= plan->hole_from_ms && t < plan->hole_to_ms) {
            e = recorder_cut(recorder, err);
        } else {
            struct stage_pose pose;
            stage_pose_at(plan, camera->point, t, &pose);
            if (av_frame_make_writable(stage->canvas.frame) < 0)
                return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
            stage_show(stage, &pose, clock + SCENE_ZONE_MS, utc);
            e = recorder_add(recorder, stage->canvas.frame, clock + SCENE_ZONE_MS, err);
        }
        if (e < 0)
            return e;
    }
    return recorder_cut(recorder, err);
}

int scene_film_camera(const struct scene_plan *plan, const struct scene_film *film,
                      const struct scene_camera *camera, const char *out, struct okno_err *err)
{
    char folder[768];
    int n = snprintf(folder, sizeof(folder), "%s/archive/%s", out, camera->channel);
    if (n < 0 || (size_t)n >= sizeof(folder))
        return okno_fail(err, OKNO_TOO_LARGE, "folder name longer than 767 bytes");
    struct stage place = {0};
    OKNO_AUTO(stage) *stage = &place;
    OKNO_AUTO(recorder) *recorder = NULL;
    int e = stage_open(camera->point, camera->title, film->width, film->height, stage, err);
    if (e == 0)
        e = recorder_open(film, folder, camera->index_first, &recorder, err);
    return e < 0 ? e : roll(plan, film, camera, stage, recorder, err);
}
