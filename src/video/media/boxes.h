/* Where things lie in an MP4, read box by box: its index, and, in a fragmented one, the fragment
 * that holds a time. Untrusted bytes: everything is checked and bounded; times are in ticks of the
 * video track, positions are the file's. */
#ifndef MEDIA_BOXES_H
#define MEDIA_BOXES_H

#include "io.h"

#include "okno/vec.h"

enum {
    /* Up to that an index is read whole; a longer one by the tracks that are wanted, if it can be.
     */
    MEDIA_SHORT_INDEX = 256 * 1024,
    /* And of a track that is longer than that, what a window needs. */
    MEDIA_LONG_INDEX = 1024 * 1024,
};

/* A fragment: a moof and its data. */
struct media_fragment {
    int64_t at, end; /* of the moof; of the data after it. end 0: not looked at yet (from a sidx) */
    int64_t time;    /* decode time of its first video sample */
};
OKNO_VEC(media_fragment_vec, struct media_fragment);

struct media_boxes {
    struct okno_source *source;      /* not owned */
    int64_t moov_at, moov_end;       /* moov_end 0: none found */
    int64_t planned;                 /* up to there the index comes over already; 0: not begun */
    int64_t sidx_at, sidx_end;       /* 0: none before the first fragment */
    int64_t first_at;                /* the first moof; 0: not fragmented */
    uint32_t track;                  /* of the video; set before looking for fragments */
    int64_t until;                   /* the time up to which the caller will read */
    struct media_fragment_vec known; /* owned; in order */
    uint8_t *buffer;                 /* owned; what was read last */
    int64_t buffer_at;
    size_t buffer_len;
};

/* Walk the outermost boxes. A file that is no MP4 has no moov and is left to the demuxer to
 * refuse; only failures of reading are errors. */
OKNO_CHECK int media_boxes_look(struct okno_source *source, struct media_boxes *ret_boxes,
                                struct okno_err *err);
void media_boxes_clear(struct media_boxes *boxes);

/* The first fragment of the video; as media_boxes_find. */
OKNO_CHECK int media_boxes_first(struct media_boxes *boxes, struct media_fragment *ret_fragment,
                                 struct okno_err *err);

/* The last fragment that begins at or before `time`, else the first one. 1, or 0 when the file does
 * not say: read it from the beginning then. Keeps what it saw for the next question. */
OKNO_CHECK int media_boxes_find(struct media_boxes *boxes, int64_t time,
                                struct media_fragment *ret_fragment, struct okno_err *err);

/* Bytes that the media between two times takes up, from what is known; at least one. */
int64_t media_boxes_guess(const struct media_boxes *boxes, int64_t from, int64_t to);

#endif
