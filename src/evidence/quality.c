/* What pictures are like, from their measures alone. */
#define _POSIX_C_SOURCE 200809L
#include "okno/viewing.h"

#include <math.h>
#include <stdlib.h>

const char *okno_picture_flag_name(enum okno_picture_flag flag)
{
    static const char *const names[] = {
#define OKNO_PICTURE_WORD(name, word) word,
        OKNO_PICTURE_FLAGS(OKNO_PICTURE_WORD)
#undef OKNO_PICTURE_WORD
    };
    return flag < OKNO_PICTURE_FLAG_COUNT ? names[flag] : "";
}

static double mean_of(const uint16_t *cells)
{
    double sum = 0;
    for (int i = 0; i < OKNO_PICTURE_CELLS; i++)
        sum += cells[i];
    return sum / OKNO_PICTURE_CELLS;
}

/* Pearson's correlation; pictures without any contrast are alike only to each other. */
int okno_picture_alike(const uint16_t *a, const uint16_t *b)
{
    double mean_a = mean_of(a);
    double mean_b = mean_of(b);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < OKNO_PICTURE_CELLS; i++) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    if (aa < 1 || bb < 1)
        return aa < 1 && bb < 1 ? 1000 : 0;
    return (int)lround(1000 * ab / sqrt(aa * bb));
}

static bool is_same(const struct okno_picture *a, const struct okno_picture *b)
{
    for (int i = 0; i < OKNO_PICTURE_CELLS; i++)
        if (abs(a->cells[i] - b->cells[i]) > OKNO_PICTURE_STILL_PARTS)
            return false;
    return true;
}

/* Against the first of the stretch, so that slow change is change. */
static bool is_frozen(const struct okno_look_picture *pictures, size_t count)
{
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (!is_same(&pictures[first].picture, &pictures[i].picture))
            first = i;
        else if (pictures[i].at_us - pictures[first].at_us >= OKNO_PICTURE_FROZEN_US &&
                 i - first >= 2)
            return true;
    }
    return false;
}

static unsigned judge_one(const struct okno_picture *picture, const uint16_t *reference)
{
    if (picture->brightness < OKNO_PICTURE_BLACK_BELOW * 1000 && picture->spread < 8000)
        return 1U << OKNO_PICTURE_BLACK;
    unsigned flags = 0;
    if (picture->brightness < OKNO_PICTURE_DARK_BELOW * 1000) /* and so has little detail */
        flags |= 1U << OKNO_PICTURE_TOO_DARK;
    else if (picture->detail < OKNO_PICTURE_DETAIL_MILLI)
        flags |= 1U << OKNO_PICTURE_COVERED;
    /* Of a covered camera nothing can be said about the scene. */
    if (reference && !(flags >> OKNO_PICTURE_COVERED & 1) &&
        okno_picture_alike(picture->cells, reference) < OKNO_PICTURE_ALIKE_MILLI)
        flags |= 1U << OKNO_PICTURE_SCENE_CHANGED;
    return flags;
}

/* A flag needs more than half of the pictures: somebody walking close by is no covered camera. */
unsigned okno_picture_judge(const struct okno_look_picture *pictures, size_t count,
                            const uint16_t *reference)
{
    size_t seen[OKNO_PICTURE_FLAG_COUNT] = {0};
    unsigned flags = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned one = judge_one(&pictures[i].picture, reference);
        for (unsigned flag = 0; flag < OKNO_PICTURE_FLAG_COUNT; flag++)
            seen[flag] += one >> flag & 1;
    }
    for (unsigned flag = 0; flag < OKNO_PICTURE_FLAG_COUNT; flag++)
        if (2 * seen[flag] > count)
            flags |= 1U << flag;
    if (is_frozen(pictures, count))
        flags |= 1U << OKNO_PICTURE_FROZEN;
    return flags;
}
