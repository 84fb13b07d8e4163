/* A recorder that is asked by URLs and answers in JSON or XML, described by data:
 * conf/archives/NAME.json, or a file of the user's own (kind "profile"). docs/profiles.md explains
 * the words. Pure. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_PROFILE_H
#define OKNO_VIDEO_ARCHIVE_PROFILE_H

#include "okno/archive.h"
#include "okno/buf.h"
#include "okno/json.h"
#include "okno/zone.h"

enum { PROFILE_TEMPLATE = 512, PROFILE_WORD = 64 };

/* How times are spelt: a word, or a format with % in the archive's zone. */
struct profile_times {
    char format[PROFILE_WORD];
};

struct profile {
    struct profile_times times;   /* in requests */
    char length[4];               /* "s", "ms" or "90k": of {length}, {skip} and {until} */
    char query[PROFILE_TEMPLATE]; /* added to each request; "" for none */
    char login[PROFILE_TEMPLATE], login_body[PROFILE_TEMPLATE]; /* "" for none */
    /* The list of what is recorded. */
    char coverage[PROFILE_TEMPLATE];
    char answer[8];                 /* "xml" or "json" */
    char rows[PROFILE_WORD];        /* where the rows stand: "a.0.b"; "" the answer itself */
    char row_channel[PROFILE_WORD]; /* the member that is the channel; "": every row is its */
    char from[PROFILE_WORD], to[PROFILE_WORD], row_length[PROFILE_WORD]; /* members of a row */
    struct profile_times row_times;
    int64_t join_us; /* rows closer than that are one stretch */
    /* A recording. */
    char clip[PROFILE_TEMPLATE];
    char format[16];
    bool zero;   /* media time 0 is the start that was asked for */
    bool by_row; /* each row of the list is asked for by itself, by what it says */
    int64_t error_us;
    int coverage_none, clip_none; /* status that means nothing is recorded; 0: none does */
    int64_t preroll_us, max_window_us, settle_us;
    /* Its clock: what is posted, and where in the answer (JSON) its time stands. "" for none. */
    char clock[PROFILE_TEMPLATE], clock_body[PROFILE_TEMPLATE], clock_time[PROFILE_WORD];
};

/* What may stand for a spelling of times, in words and as a check. */
#define PROFILE_TIMES                                                                              \
    "rfc3339, unix, unix_s, unix_ms, unix_us, unix_90k, or a format with %d %m %Y..."
bool profile_knows_times(const char *format);

/* Whether one of its paths holds the password. */
bool profile_tells_password(const struct profile *profile);

/* OKNO_INVALID names the member. */
OKNO_CHECK int profile_load(const char *json, size_t len, struct profile *ret_profile,
                            struct okno_err *err);

/* What a template's words stand for. */
struct profile_values {
    const char *channel;
    const char *user, *password; /* NULL: these words stay as they are */
    const struct okno_zone *zone;
    int64_t from_us, to_us;
    const json_t *row; /* for {row.NAME}, {skip} and {until}; NULL: those stay as they are */
    int64_t row_us;    /* where it begins */
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

/* A member of a row as text, or the second name of "endId|startId" when it has none of the first;
 * NULL for neither. */
const char *profile_member(const json_t *row, const char *name, size_t len, char scratch[80]);

/* One recording as listed, whole; `row` belongs to the answer. */
struct profile_row {
    struct okno_span span;
    const json_t *row;
};
OKNO_VEC(profile_row_vec, struct profile_row);

/* Append the rows of the channel that overlap [from, to), ordered. OKNO_PROTOCOL for an answer of
 * another shape. The caller drops *ret_root when it is done with the rows. */
OKNO_CHECK int profile_rows(const struct profile *profile, const char *text, size_t len,
                            const struct profile_values *values, json_t **ret_root,
                            struct profile_row_vec *rows, struct okno_err *err);

/* The text at "a.0.b" of an answer; NULL. */
const char *profile_text_at(const json_t *answer, const char *path);

/* Append the stretches that the answer's rows tell, clipped to [from, to), ordered and joined. */
OKNO_CHECK int profile_spans(const struct profile *profile, const char *text, size_t len,
                             const struct profile_values *values, struct okno_span_vec *spans,
                             struct okno_err *err);

#endif
