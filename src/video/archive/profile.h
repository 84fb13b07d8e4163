/* A recorder that is asked by URLs and answers in JSON, described by data: conf/archives/NAME.json,
 * or a file of the user's own (kind "profile"). docs/archives.md explains the words. Pure. Private
 * to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_PROFILE_H
#define OKNO_VIDEO_ARCHIVE_PROFILE_H

#include "okno/archive.h"
#include "okno/buf.h"
#include "okno/zone.h"

enum { PROFILE_TEMPLATE = 512, PROFILE_WORD = 64 };

/* How times are spelt: a word, or a format with % in the archive's zone. */
struct profile_times {
    char format[PROFILE_WORD];
};

struct profile {
    struct profile_times times;   /* in requests */
    char length[4];               /* "s" or "ms": of {length} */
    char query[PROFILE_TEMPLATE]; /* added to each request; "" for none */
    char login[PROFILE_TEMPLATE], login_body[PROFILE_TEMPLATE]; /* "" for none */
    /* The list of what is recorded. */
    char coverage[PROFILE_TEMPLATE];
    char rows[PROFILE_WORD]; /* where the rows stand: "a.0.b"; "" the answer itself */
    char from[PROFILE_WORD], to[PROFILE_WORD], row_length[PROFILE_WORD]; /* members of a row */
    struct profile_times row_times;
    int64_t join_us; /* rows closer than that are one stretch */
    /* A recording. */
    char clip[PROFILE_TEMPLATE];
    char format[16];
    bool zero; /* media time 0 is the start that was asked for */
    int64_t error_us;
    int coverage_none, clip_none; /* status that means nothing is recorded; 0: none does */
    int64_t preroll_us, max_window_us, settle_us;
};

/* OKNO_INVALID names the member. */
OKNO_CHECK int profile_load(const char *json, size_t len, struct profile *ret_profile,
                            struct okno_err *err);

/* What a template's words stand for. */
struct profile_values {
    const char *channel, *user, *password;
    const struct okno_zone *zone;
    int64_t from_us, to_us;
};

/* What a template is part of: words of paths and queries are percent-encoded, slashes stay in a
 * path up to its question mark; those of a body stand as inside JSON strings. */
enum profile_part { PROFILE_PATH, PROFILE_QUERY, PROFILE_BODY };

/* Append a template with its words replaced, times rounded outwards. */
OKNO_CHECK int profile_expand(const struct profile *profile, const char *template,
                              const struct profile_values *values, enum profile_part part,
                              struct okno_buf *into, struct okno_err *err);

/* The start that is really asked for: from_us as far as the spelling of times can tell it. */
int64_t profile_asked(const struct profile *profile, int64_t from_us);

/* Append the stretches that the answer's rows tell, clipped to [from, to), ordered and joined.
 * OKNO_PROTOCOL for an answer of another shape. */
OKNO_CHECK int profile_spans(const struct profile *profile, const char *json, size_t len,
                             const struct profile_values *values, struct okno_span_vec *spans,
                             struct okno_err *err);

#endif
