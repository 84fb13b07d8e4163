/* Decoders of bytes from outside, for any bytes: each takes some, and ends the program where a
 * promise is broken. libFuzzer makes the bytes up (`make fuzz`); test_corpus replays those that
 * were kept in fixtures/fuzz. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "okno/source.h"

#include <stddef.h>
#include <stdint.h>

#define FUZZ_TARGETS(X)                                                                            \
    X(csv)                                                                                         \
    X(jsonl)                                                                                       \
    X(table)                                                                                       \
    X(map)                                                                                         \
    X(events)                                                                                      \
    X(wire)                                                                                        \
    X(time)                                                                                        \
    X(boxes) X(slices) X(signature) X(playlist) X(listing) X(xml) X(stamp) X(recorders) X(rtp)

#define FUZZ_DECLARE(name) void fuzz_##name(const uint8_t *data, size_t size);
FUZZ_TARGETS(FUZZ_DECLARE)
#undef FUZZ_DECLARE

/* A promise: the program ends, saying where, when it is broken. Also in builds without asserts. */
#define FUZZ_HOLDS(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* A file in memory with these bytes: its descriptor, to be closed, and a path to open it by. */
int fuzz_file(const uint8_t *data, size_t size, char ret_path[64]);

/* The bytes as text, cut at the first NUL. Owned by the caller. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The bytes as an archive's file; what is read stays inside it. It lives as long as `bytes`. */
struct fuzz_bytes {
    const uint8_t *data;
    size_t size;
    int64_t reads; /* counted */
};
struct okno_source fuzz_source(struct fuzz_bytes *bytes);

#endif
