/* Small recordings made with the ffmpeg command, and what it says about files: the independent
 * witness of the media tests. Everything lies in one temporary folder, removed at the end. */
#ifndef TEST_RECORDING_H
#define TEST_RECORDING_H

#include "okno/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cmocka group setup and teardown. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* A path inside the folder; a few results of a thread live at the same time. */
const char *fixture_path(const char *name);

/* Run ffmpeg with the words of `line` (split at spaces); paths are inside the folder. */
void fixture_ffmpeg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A minute of film whose brightness counts its frames, modulo 50, with a key frame every 2 s; and
 * the number that a picture of it shows. */
void fixture_film(const char *name, const char *encoder, int rate);
int fixture_film_frame(const char *name);

/* Its standard output; the caller frees. */
char *fixture_output(const char *program, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The program under test, in the folder: its standard output (the caller frees) and exit status. */
char *fixture_okno(int *ret_status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A file as a source that counts; the caller closes it with okno_source_close. */
struct okno_source *fixture_source(const char *name);

/* Hashes of the decoded frames of a file, in order of presentation. */
struct fixture_frames {
    size_t len;
    char (*hash)[33];
};
void fixture_hash(const char *name, struct fixture_frames *ret_frames);
void fixture_frames_free(struct fixture_frames *frames);

int64_t fixture_size(const char *name);
void fixture_truncate(const char *name, const char *as, int64_t bytes);
void fixture_write(const char *name, const void *bytes, size_t len);

/* Grey picture of an image or of frame `n` of a video; the caller frees. */
uint8_t *fixture_grey(const char *name, int frame, size_t *ret_len);

#endif
