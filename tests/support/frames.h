/* What a file shows, decoded with libavcodec in the test's own process: the product has no part in
 * it. */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture's number: black or white squares on its lowest rows, the lowest bit first. */
enum { FRAME_BLOCKS = 12, FRAME_BLOCK = 16, SEEN_FRAMES_MAX = 4000 };

/* A frame that tells no time. */
#define SEEN_NEVER (-(INT64_C(1) << 40))

struct seen_frame {
    int64_t at_us; /* from the first frame, or SEEN_NEVER */
    uint64_t hash; /* of the decoded picture */
    int number;    /* that stands in it; -1: none */
    bool key;
};

struct seen_frames {
    size_t len;
    struct seen_frame items[SEEN_FRAMES_MAX];
    char video[32], sound[32]; /* codecs; "": no such stream */
};

/* All frames in order of display. */
void seen_frames_read(const char *path, struct seen_frames *ret_frames);

#endif
