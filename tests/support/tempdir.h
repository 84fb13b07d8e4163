/* A folder of its own for a test, and files in it. Failures end the program: a test cannot go on
 * without its fixtures. */
#ifndef OKNO_TESTS_SUPPORT_TEMPDIR_H
#define OKNO_TESTS_SUPPORT_TEMPDIR_H

#include <stddef.h>
#include <stdint.h>

/* A new empty folder; the caller frees the path. */
char *support_tempdir(void);

/* Remove the folder with everything in it and free its path; NULL allowed. */
void support_tempdir_remove(char *path);

/* Write a file below a folder, making the folders between; its bytes are `len` bytes of a pattern
 * that differs at every offset (support_pattern). mtime_us below 0 leaves the present. */
void support_file(const char *folder, const char *name, size_t len, int64_t mtime_us);

/* The byte of the pattern at an offset. */
unsigned char support_pattern(size_t offset);

/* Write a file with a text. */
void support_text(const char *folder, const char *name, const char *text);

#endif
