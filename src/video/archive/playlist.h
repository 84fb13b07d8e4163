/* HLS playlists (RFC 8216): what FFmpeg's demuxer passes over - wall time, gaps, discontinuities -
 * is what counts here. Pure. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_PLAYLIST_H
#define OKNO_VIDEO_ARCHIVE_PLAYLIST_H

#include "okno/err.h"
#include "okno/vec.h"
#include "okno/zone.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a resource. Texts belong to the playlist. */
struct playlist_part {
    const char *uri;
    int64_t offset, len; /* len -1: all of it */
};

struct playlist_segment {
    struct playlist_part part;
    int64_t sequence;
    int64_t from_us;  /* -1: the playlist tells no time at all; then see after_us */
    int64_t after_us; /* behind the beginning of the first segment */
    int64_t length_us;
    int64_t error_us; /* of from_us: what its text is rounded to, and what was added up since */
    int map;          /* index of its initialisation; -1: none */
    bool gap;         /* not there to be had */
    bool breaks;      /* does not go on from the one before: discontinuity, gap, jump of time */
};
OKNO_VEC(playlist_segment_vec, struct playlist_segment);
OKNO_VEC(playlist_part_vec, struct playlist_part);

struct playlist {
    char *text; /* owned; the texts lie in it */
    struct playlist_segment_vec segments;
    struct playlist_part_vec maps;
    const char *variant; /* of a master playlist: the one with the highest rate; else NULL */
    bool ended;          /* nothing will be added */
    bool dated;          /* segments have from_us */
};

/* Read a playlist. Times without an offset are in `zone`. OKNO_PROTOCOL names the line that is
 * wrong, or that it is no playlist; OKNO_UNSUPPORTED for encrypted segments; OKNO_TOO_LARGE. */
OKNO_CHECK int playlist_parse(const char *text, size_t len, const struct okno_zone *zone,
                              struct playlist *ret_playlist, struct okno_err *err);
void playlist_free(struct playlist *playlist);
#define PLAYLIST_AUTO __attribute__((cleanup(playlist_free))) struct playlist

/* Give segments of a playlist without times the times they have when it begins at from_us. */
void playlist_date(struct playlist *playlist, int64_t from_us, int64_t error_us);

#endif
