/* Inside the registry: rows of an import, read ahead in batches. */
#ifndef OKNO_REGISTRY_FEED_H
#define OKNO_REGISTRY_FEED_H

#include "okno/buf.h"
#include "okno/mem.h"
#include "okno/record.h"

enum {
    FEED_ROWS = 10000,
    FEED_BYTES = 1 << 20, /* of text; a row more may stand in it */
    FEED_NO_TEXT = -1
};

/* Where rows come from: a file as it is, or a map over it. */
struct feed_source {
    /* As okno_record_next, by the kind's fields. */
    int (*next)(void *ctx, struct okno_record *ret_record, struct okno_err *err);
    void *ctx;
    struct okno_record_reader *reader; /* beneath; for progress and the digest */
    size_t fields;                     /* values a row */
};

struct feed_row {
    int64_t line;
    int code;    /* 0, or the row could not be read... */
    long reason; /* ...because */
};

/* Rows read and not yet written: reading may wait for a pipe, and the one writer's lock must not be
 * held meanwhile. */
struct feed_batch {
    struct feed_row rows[FEED_ROWS];
    size_t count;
    size_t fields;
    long *places; /* of the values of each row in the text: `fields` a row; FEED_NO_TEXT: none */
    struct okno_buf text;
    bool last;                     /* the file ends with it: */
    char sha256[OKNO_SHA256_TEXT]; /* of the whole file */
    int64_t offset;                /* bytes read so far */
};

static inline const char *feed_value(const struct feed_batch *batch, size_t row, size_t field)
{
    long place = batch->places[row * batch->fields + field];
    return place == FEED_NO_TEXT ? NULL : okno_buf_text(&batch->text) + place;
}

/* A feed reads a file's next batch in a thread of its own while the caller writes the one before;
 * the reader beneath is the feed's until it is closed. What comes from a pipe is read by the
 * caller's thread: a thread that waits for a pipe could not be stopped. */
struct feed;
OKNO_CHECK int feed_open(const struct feed_source *source, struct feed **ret_feed,
                         struct okno_err *err);
void feed_close(struct feed *feed);
OKNO_CLEANUP(feed, feed_close);

/* The next batch; the one before is given back by that. Not after the last one. */
OKNO_CHECK int feed_next(struct feed *feed, struct feed_batch **ret_batch, struct okno_err *err);

#endif
