/* Linking: which camera and which seconds of its archive show a survey.
 * Rules: docs of the product, "Linking to video". Times are UTC microseconds, half-open. */
#ifndef OKNO_LINK_H
#define OKNO_LINK_H

#include "okno/err.h"
#include "okno/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, word as stored and printed) */
#define OKNO_LINK_STATES(X)                                                                        \
    X(LINKED, "linked")                                                                            \
    X(PARTIAL, "partial")                                                                          \
    X(NO_RECORDING, "no_recording")                                                                \
    X(NO_CAMERA, "no_camera")                                                                      \
    X(EXPIRED, "expired")                                                                          \
    X(UNREACHABLE, "unreachable")                                                                  \
    X(PENDING, "pending")

enum okno_link_state {
#define OKNO_LINK_ENUM(name, word) OKNO_LINK_##name,
    OKNO_LINK_STATES(OKNO_LINK_ENUM)
#undef OKNO_LINK_ENUM
        OKNO_LINK_STATE_COUNT
};

const char *okno_link_state_name(enum okno_link_state state);

/* What the linker knows of one camera placed at the point at that time. */
struct okno_link_candidate {
    const char *camera;
    int64_t priority;                  /* lowest number first */
    const struct okno_interval *spans; /* recorded UTC spans, ordered, not overlapping */
    size_t span_count;
    int64_t asked_from_us, asked_to_us; /* differs by camera: its clock's uncertainty widens it */
    int64_t retention_us;               /* 0: unknown */
    bool unreachable;                   /* its archive could not be asked; spans are empty then */
};

struct okno_link_choice {
    enum okno_link_state state;
    size_t candidate; /* index; meaningless for NO_CAMERA */
    double fraction;  /* of the asked interval that is recorded, 0..1 */
};

/* Microseconds of [from, to) that the spans hold. */
int64_t okno_link_covered(const struct okno_interval *spans, size_t count, int64_t from_us,
                          int64_t to_us);

/* Choose: the lowest priority number with full coverage, else the greatest fraction (then the
 * lowest number, then the first). A camera that could not be asked makes an incomplete choice
 * UNREACHABLE, because asking again may find more; an interval that ends later than now - settle_us
 * is PENDING until then, one that is recorded in part only later than now - part_us. Pure. */
void okno_link_choose(const struct okno_link_candidate *candidates, size_t count, int64_t now_us,
                      int64_t settle_us, int64_t part_us, struct okno_link_choice *ret_choice);

/* When to look again for what ended at to_us and is not listed yet: once, when the archive has had
 * settle_us; one that is rolling sooner, again and again, half as often each time. Pure. */
int64_t okno_link_next_look(int64_t to_us, int64_t now_us, int64_t settle_us, bool rolling);

/* The holes of [from, to) between the spans, in order. */
OKNO_CHECK int okno_link_gaps(const struct okno_interval *spans, size_t count, int64_t from_us,
                              int64_t to_us, struct okno_interval_vec *gaps, struct okno_err *err);

#endif
