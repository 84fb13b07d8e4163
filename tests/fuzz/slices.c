/* The index of an MP4, read in slices, as an archive sends it. */
#include "fuzz.h"

#include "../../src/video/media/boxes.h"
#include "../../src/video/media/slices.h"

#include <string.h>

/* The bytes are a moov that says to be longer than it is: what is not there cannot be read. */
void fuzz_slices(const uint8_t *data, size_t size)
{
    static const int64_t windows[][2] = {
        {0, 0}, {1000000, 2000000}, {INT64_MAX / 4, INT64_MAX / 2}, {-5000000, 40}};
    struct fuzz_bytes bytes = {.data = data, .size = size};
    struct okno_source source = fuzz_source(&bytes);
    OKNO_AUTO(media_slices) *slices = NULL;
    struct okno_err err = {0};
    const struct media_boxes boxes = {.source = &source, .moov_end = MEDIA_LONG_INDEX};
    int rc = media_slices_open(&boxes, true, &slices, &err);
    FUZZ_HOLDS(rc >= 0 || (err.code && *err.text));
    if (rc <= 0)
        return;
    int64_t frames = 0;
    int64_t length_us = 0;
    if (media_slices_length(slices, &frames, &length_us, &err) == 0)
        FUZZ_HOLDS(frames >= 0 && frames < INT32_MAX);
    for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
        OKNO_AUTO_BUF moov = OKNO_BUF_INIT((size_t)64 * 1024 * 1024);
        if (media_slices_make(slices, windows[i][0], windows[i][1], &moov, &err) == 0)
            FUZZ_HOLDS(moov.len >= 8 && memcmp(moov.data + 4, "moov", 4) == 0);
    }
    FUZZ_HOLDS(bytes.reads < 10000);
}
