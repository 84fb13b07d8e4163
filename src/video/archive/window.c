#include "window.h"

#include "okno/time.h"

enum { WINDOW_PIECES = 1000 };

static int add_piece(const struct okno_span *span, const struct okno_archive_caps *caps,
                     int64_t asked_us, int64_t from_us, int64_t to_us,
                     struct okno_piece_vec *pieces, struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    /* A recorder may begin at a key frame before what was asked, but not before the span; one that
     * begins where was asked may be a longer one, cut by the list. */
    bool border = from_us == span->from_us && from_us > asked_us;
    struct okno_piece piece = {.from_us = from_us,
                               .to_us = to_us,
                               .error_us = border ? span->error_us : caps->anchor_error_us,
                               .size = -1,
                               .flags = caps->piece_flags | (span->flags & OKNO_SPAN_AMBIGUOUS),
                               .anchor = OKNO_ANCHOR_REQUEST};
    if (span->flags & OKNO_SPAN_GROWING && to_us == span->to_us)
        piece.flags |= OKNO_SPAN_GROWING;
    (void)snprintf(piece.name, sizeof(piece.name), "%s..%s", okno_time_format(from_us, from),
                   okno_time_format(to_us, to));
    (void)snprintf(piece.format, sizeof(piece.format), "%s", caps->format);
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

int window_cut(const struct okno_span_vec *spans, const struct okno_archive_caps *caps,
               int64_t from_us, int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    int64_t most = caps->max_window_us > 0 ? caps->max_window_us : INT64_MAX;
    size_t before = pieces->len;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < spans->len; i++) {
        const struct okno_span *span = &spans->items[i];
        int64_t at = span->from_us > from_us ? span->from_us : from_us;
        int64_t end = span->to_us < to_us ? span->to_us : to_us;
        while (rc == 0 && at < end) {
            int64_t to = end - at > most ? at + most : end;
            if (pieces->len - before == WINDOW_PIECES)
                return okno_fail(err, OKNO_TOO_LONG,
                                 "the interval takes more than %d downloads; ask for less",
                                 WINDOW_PIECES);
            rc = add_piece(span, caps, from_us, at, to, pieces, err);
            at = to;
        }
    }
    return rc;
}

int window_spans(const struct okno_piece_vec *pieces, int64_t from_us, int64_t to_us,
                 struct okno_span_vec *spans, struct okno_err *err)
{
    for (size_t i = 0; i < pieces->len; i++) {
        const struct okno_piece *piece = &pieces->items[i];
        struct okno_span span = {.from_us = piece->from_us > from_us ? piece->from_us : from_us,
                                 .to_us = piece->to_us < to_us ? piece->to_us : to_us,
                                 .error_us = piece->error_us,
                                 .flags = piece->flags};
        if (span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return 0;
}
