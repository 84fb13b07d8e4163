/* From how cells looked to when they lit up. */
#include "okno/mem.h"
#include "okno/sync.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

/* A step counts when it is so many times the cell's usual one, and so many levels of 0..255. */
#define STEP_TIMES 5.0F
#define STEP_LEVELS 2.5F
#define NOISE_LEAST 0.4F /* levels: what compression does to a still picture */

/* Neighbouring frames further apart leave open when it happened. */
#define APART_US OKNO_SECOND_US

/* From so many cells on the middle one's change is the whole picture's. */
enum { WHOLE_CELLS = 16 };

static const uint16_t *frame_values(const struct okno_series *s, size_t frame)
{
    return s->values + frame * s->cells * OKNO_SERIES_PLANES;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Reorders the values. */
static float median(float *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

/* The median of a plane of a cell over all frames. */
static float usual_of(const struct okno_series *s, size_t place, float *room)
{
    for (size_t i = 0; i < s->frames; i++)
        room[i] = (float)frame_values(s, i)[place];
    return median(room, s->frames);
}

/* How unlike itself a cell looks in each frame, in levels. */
static void take_looks(const struct okno_series *s, size_t cell, float *looks, float *room)
{
    float usual[OKNO_SERIES_PLANES];
    for (size_t p = 0; p < OKNO_SERIES_PLANES; p++)
        usual[p] = usual_of(s, p * s->cells + cell, room);
    for (size_t i = 0; i < s->frames; i++) {
        const uint16_t *values = frame_values(s, i);
        float y = fabsf((float)values[cell] - usual[0]);
        float blue = (float)values[s->cells + cell] - usual[1];
        float red = (float)values[2 * s->cells + cell] - usual[2];
        looks[i] = (y + hypotf(blue, red)) / 256.0F;
    }
}

/* Share of the frames in which a cell looks unlike itself. */
static float away_of(const float *looks, size_t frames)
{
    size_t away = 0;
    for (size_t i = 0; i < frames; i++)
        away += looks[i] >= STEP_LEVELS;
    return (float)away / (float)frames;
}

/* steps[cell * frames + i]: change from frame i - 1 to i, less that of the whole picture. */
static void take_steps(const struct okno_series *s, bool whole, float *steps, float *away,
                       float *room)
{
    for (size_t c = 0; c < s->cells; c++) {
        float *own = steps + c * s->frames;
        take_looks(s, c, own, room);
        away[c] = away_of(own, s->frames);
        for (size_t i = s->frames - 1; i > 0; i--)
            own[i] -= own[i - 1];
        own[0] = 0;
    }
    for (size_t i = 1; i < s->frames && whole && s->cells >= WHOLE_CELLS; i++) {
        for (size_t c = 0; c < s->cells; c++)
            room[c] = steps[c * s->frames + i];
        float usual = median(room, s->cells);
        for (size_t c = 0; c < s->cells; c++)
            steps[c * s->frames + i] -= usual;
    }
}

static float noise_of(const float *steps, size_t frames, float *room)
{
    for (size_t i = 1; i < frames; i++)
        room[i - 1] = fabsf(steps[i]);
    float usual = 1.4826F * median(room, frames - 1);
    return usual > NOISE_LEAST ? usual : NOISE_LEAST;
}

/* What fades in over some frames began with the first of them. */
static int cell_onsets(const struct okno_series *s, uint32_t cell, const float *steps, float away,
                       int64_t from_us, float *room, struct okno_sync_onset_vec *onsets)
{
    float noise = noise_of(steps, s->frames, room);
    float least = STEP_TIMES * noise > STEP_LEVELS ? STEP_TIMES * noise : STEP_LEVELS;
    bool rising = false;
    for (size_t i = 1; i < s->frames; i++) {
        bool rises = steps[i] >= least;
        bool apart = s->at_us[i] - s->at_us[i - 1] > APART_US;
        struct okno_sync_onset onset = {.after_us = from_us + s->at_us[i - 1],
                                        .by_us = from_us + s->at_us[i],
                                        .cell = cell,
                                        .strength = steps[i] / noise,
                                        .away = away};
        if (rises && !rising && !apart && okno_sync_onset_vec_push(onsets, onset) < 0)
            return OKNO_NO_MEMORY;
        rising = rises;
    }
    return 0;
}

int okno_sync_onsets(const struct okno_series *series, bool whole, int64_t from_us,
                     struct okno_sync_onset_vec *onsets, struct okno_err *err)
{
    size_t most = series->frames > series->cells ? series->frames : series->cells;
    if (series->frames < 3)
        return 0;
    okno_autofree float *steps = calloc(series->cells * series->frames, sizeof(*steps));
    okno_autofree float *room = calloc(most, sizeof(*room));
    okno_autofree float *away = calloc(series->cells + 1, sizeof(*away));
    int rc = steps && room && away ? 0 : OKNO_NO_MEMORY;
    if (rc == 0)
        take_steps(series, whole, steps, away, room);
    for (size_t c = 0; rc == 0 && c < series->cells; c++)
        rc = cell_onsets(series, (uint32_t)c, steps + c * series->frames, away[c], from_us, room,
                         onsets);
    return rc < 0 ? okno_fail(err, rc, "no memory for changes of the picture") : 0;
}
