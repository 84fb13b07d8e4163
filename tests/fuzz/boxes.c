/* The boxes of an MP4 as an archive sends them. */
#include "fuzz.h"

#include "../../src/video/media/boxes.h"

void fuzz_boxes(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes = {.data = data, .size = size};
    struct okno_source source = fuzz_source(&bytes);
    struct media_boxes boxes = {0};
    struct okno_err err = {0};
    if (media_boxes_look(&source, &boxes, &err) < 0) {
        FUZZ_HOLDS(err.code && *err.text);
        return;
    }
    FUZZ_HOLDS(boxes.moov_end <= source.size && boxes.moov_at <= boxes.moov_end);
    static const int64_t times[] = {INT64_MAX / 8, 0, 5000, 90000, INT64_MIN / 8};
    boxes.track = 1;
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        struct media_fragment found = {0};
        int64_t before = bytes.reads;
        boxes.until = times[i] + 1000;
        int rc = media_boxes_find(&boxes, times[i], &found, &err);
        FUZZ_HOLDS(bytes.reads - before < 2000); /* bounded, whatever the bytes say */
        if (rc <= 0)
            continue;
        FUZZ_HOLDS(found.at >= 0 && found.at < source.size && found.end <= source.size);
        FUZZ_HOLDS(media_boxes_guess(&boxes, times[i], boxes.until) >= 1);
    }
    media_boxes_clear(&boxes);
}
