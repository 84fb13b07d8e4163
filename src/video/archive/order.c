#include "order.h"

#include <inttypes.h>
#include <string.h>

#define HOUR_US (3600 * OKNO_SECOND_US)
#define GROWING_US (60 * OKNO_SECOND_US) /* written to this lately: still being written */
#define UNKNOWN_LENGTH_US HOUR_US        /* nothing to infer a length from */
#define LONGEST_US (24 * HOUR_US)
#define LONGEST_OPEN_US (6 * HOUR_US)         /* no recorder writes to one file for longer */
#define WRITTEN_LATE_US (60 * OKNO_SECOND_US) /* a recorder closes a file so long after its end */

/* A record at one of its meanings. */
struct start {
    int64_t us;
    unsigned flags;
    const struct record *record;
};
OKNO_VEC(start_vec, struct start);
OKNO_VEC(length_vec, int64_t);

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int by_start(const void *left, const void *right)
{
    const struct start *a = left;
    const struct start *b = right;
    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    int folder = strcmp(a->record->folder, b->record->folder);
    return folder ? folder : strcmp(a->record->name, b->record->name);
}

static int64_t median(struct length_vec *values)
{
    if (values->len == 0)
        return 0;
    qsort(values->items, values->len, sizeof(*values->items), by_value);
    return values->items[(values->len - 1) / 2];
}

/* How long files are. */
struct length {
    int64_t usual_us; /* the median distance of neighbouring starts; 0 for fewer than two */
    int64_t guess_us; /* where nothing else tells the length of one */
};

/* Whether most are near the median: the recorder cuts by the clock, not by motion. */
static bool are_regular(const struct length_vec *lengths, int64_t median_us)
{
    size_t near = 0;
    for (size_t i = 0; i < lengths->len; i++)
        near += llabs(lengths->items[i] - median_us) <= median_us / 4;
    return near * 2 >= lengths->len;
}

static int usual_length(const struct start_vec *starts, struct length *ret_length)
{
    OKNO_AUTO_VEC(length_vec) lengths = {0};
    for (size_t i = 1; i < starts->len; i++) {
        int64_t length = starts->items[i].us - starts->items[i - 1].us;
        if (length > 0 && length_vec_push(&lengths, length) < 0)
            return OKNO_NO_MEMORY;
    }
    int64_t usual = median(&lengths);
    bool known = usual > UNKNOWN_LENGTH_US || (usual > 0 && are_regular(&lengths, usual));
    *ret_length = (struct length){.usual_us = usual, .guess_us = known ? usual : UNKNOWN_LENGTH_US};
    return 0;
}

/* --- doubled hours --- */

/* How long after its start a file was last written, when the files whose time is certain agree on
 * it; -1 when they do not, as in a copied archive. */
static int write_lag(const struct start_vec *sure, int64_t tolerance_us, int64_t *ret_us)
{
    OKNO_AUTO_VEC(length_vec) lags = {0};
    for (size_t i = 0; i < sure->len; i++)
        if (sure->items[i].record->mtime_us >= 0 &&
            length_vec_push(&lags, sure->items[i].record->mtime_us - sure->items[i].us) < 0)
            return OKNO_NO_MEMORY;
    int64_t middle = median(&lags);
    size_t agree = 0;
    for (size_t i = 0; i < lags.len; i++)
        agree += llabs(lags.items[i] - middle) <= tolerance_us;
    *ret_us = lags.len >= 2 && middle >= 0 && agree * 5 >= lags.len * 4 ? middle : -1;
    return 0;
}

/* The meaning that the time of the last write supports: bit 1 or 2, 0 for neither. */
static unsigned meaning_by_write(const struct record *record, int64_t lag_us)
{
    int64_t quarter = (record->at.us[1] - record->at.us[0]) / 4;
    if (record->mtime_us < 0 || lag_us < 0)
        return 0;
    for (int k = 0; k < 2; k++)
        if (llabs(record->mtime_us - record->at.us[k] - lag_us) < quarter)
            return 1u << k;
    return 0;
}

/* Files with two meanings, and the meanings claimed for each. */
struct doubled {
    const struct record *record;
    unsigned claims;
    bool walked;
};
OKNO_VEC(doubled_vec, struct doubled);

/* Go from a file whose time is certain in steps of the usual length, claiming those that follow
 * on: with direction +1 the later ones, with -1 the earlier ones. */
static void walk(struct doubled_vec *doubled, int64_t us, int64_t step_us, int64_t tolerance_us)
{
    for (size_t i = 0; i < doubled->len; i++)
        doubled->items[i].walked = false;
    for (bool found = true; found;) {
        int64_t expected = us + step_us;
        found = false;
        for (size_t i = 0; i < doubled->len && !found; i++)
            for (int k = 0; k < 2 && !found; k++) {
                struct doubled *d = &doubled->items[i];
                if (d->walked || llabs(d->record->at.us[k] - expected) > tolerance_us)
                    continue;
                d->walked = found = true;
                d->claims |= 1u << k;
                us = d->record->at.us[k];
            }
    }
}

static void claim_by_continuity(struct doubled_vec *doubled, const struct start_vec *sure,
                                int64_t usual_us)
{
    int64_t tolerance = usual_us / 4 + 2 * OKNO_SECOND_US;
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < doubled->len; i++)
        if (doubled->items[i].record->at.us[0] < first)
            first = doubled->items[i].record->at.us[0];
    for (size_t i = 0; usual_us > 0 && i < sure->len; i++) {
        bool last_before =
            sure->items[i].us < first && (i + 1 == sure->len || sure->items[i + 1].us >= first);
        bool first_after = sure->items[i].us >= first && (i == 0 || sure->items[i - 1].us < first);
        if (last_before)
            walk(doubled, sure->items[i].us, usual_us, tolerance);
        if (first_after)
            walk(doubled, sure->items[i].us, -usual_us, tolerance);
    }
}

static int add_start(struct start_vec *starts, const struct record *record, int64_t us,
                     unsigned flags)
{
    return start_vec_push(starts, (struct start){us, flags, record});
}

/* One claim decides; none or both keep both meanings, flagged. */
static int add_doubled(struct start_vec *starts, const struct doubled *d)
{
    if (d->claims == 1 || d->claims == 2)
        return add_start(starts, d->record, d->record->at.us[d->claims - 1], 0);
    int rc = add_start(starts, d->record, d->record->at.us[0], OKNO_SPAN_AMBIGUOUS);
    return rc < 0 ? rc : add_start(starts, d->record, d->record->at.us[1], OKNO_SPAN_AMBIGUOUS);
}

/* Every record at its meaning or meanings, in order of time. */
static int date_records(const struct record_vec *records, struct start_vec *starts)
{
    OKNO_AUTO_VEC(doubled_vec) doubled = {0};
    struct length length = {0};
    int64_t lag = -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < records->len; i++) {
        const struct record *record = &records->items[i];
        if (record->at.count == 2)
            rc = doubled_vec_push(&doubled, (struct doubled){.record = record});
        else
            rc = add_start(starts, record, record->at.us[0],
                           record->at.count ? 0 : OKNO_SPAN_AMBIGUOUS);
    }
    if (rc < 0)
        return rc;
    if (starts->len)
        qsort(starts->items, starts->len, sizeof(*starts->items), by_start);
    if (doubled.len == 0)
        return 0;
    rc = usual_length(starts, &length);
    if (rc == 0)
        rc = write_lag(starts, length.usual_us / 4 + 10 * OKNO_SECOND_US, &lag);
    bool all = true;
    for (size_t i = 0; rc == 0 && i < doubled.len; i++) {
        doubled.items[i].claims = meaning_by_write(doubled.items[i].record, lag);
        all = all && doubled.items[i].claims;
    }
    if (rc == 0 && !all)
        claim_by_continuity(&doubled, starts, length.usual_us);
    for (size_t i = 0; rc == 0 && i < doubled.len; i++)
        rc = add_doubled(starts, &doubled.items[i]);
    if (starts->len)
        qsort(starts->items, starts->len, sizeof(*starts->items), by_start);
    return rc;
}

/* --- ends --- */

/* A recorder may begin with a short file, so the others' length says little of one that goes on. */
static bool is_growing(const struct start *start, int64_t usual_us, int64_t now_us)
{
    int64_t mtime = start->record->mtime_us;
    int64_t longest = 2 * usual_us > LONGEST_OPEN_US ? 2 * usual_us : LONGEST_OPEN_US;
    if (start->record->fresh)
        return now_us - start->us <= longest;
    return mtime >= 0 && now_us - mtime < GROWING_US && mtime - start->us <= longest;
}

/* When the file was last written, where it can have been by its recorder: after it began, and not
 * after the next did, as in a copied archive. INT64_MIN: not known. */
static int64_t written_us(const struct start *start, int64_t next_us)
{
    int64_t mtime = start->record->mtime_us;
    if (mtime <= start->us || mtime > next_us + WRITTEN_LATE_US)
        return INT64_MIN;
    return mtime < next_us ? mtime : next_us;
}

/* Where the newest recording ends; it is written a little later than that. */
static int64_t last_end(const struct start *start, const struct length *length, bool growing)
{
    int64_t mtime = start->record->mtime_us;
    if (growing && mtime > start->us)
        return mtime;
    int64_t longest = length->usual_us ? LONGEST_OPEN_US : LONGEST_US;
    int64_t written = written_us(start, start->us + longest);
    if (written == INT64_MIN && start->record->mtime_us < 0 && !length->usual_us)
        return start->us +
               LONGEST_US; /* nothing at all tells its length: whoever reads it learns */
    if (written == INT64_MIN)
        return start->us + length->guess_us;
    bool is_long = written > start->us + length->usual_us + length->usual_us / 2;
    return is_long ? written : start->us + length->usual_us;
}

/* Before a hole, or of a file that is longer than most: those that motion starts are of any length.
 */
static int64_t long_end(const struct start *start, int64_t next_us, const struct length *length)
{
    int64_t written = written_us(start, next_us);
    int64_t guess = start->us + length->guess_us;
    if (written == INT64_MIN)
        return guess < next_us ? guess : next_us;
    return written > start->us + length->usual_us ? written : start->us + length->usual_us;
}

static int64_t end_of(const struct start_vec *starts, size_t index, const struct length *length,
                      bool growing)
{
    const struct start *start = &starts->items[index];
    for (size_t i = index + 1; i < starts->len; i++) {
        int64_t next = starts->items[i].us;
        if (next <= start->us)
            continue;
        bool touches = next - start->us <= length->usual_us + length->usual_us / 2;
        return touches ? next : long_end(start, next, length);
    }
    return last_end(start, length, growing);
}

static int add_piece(const struct start *start, int64_t end_us, bool growing,
                     const struct order_request *request, struct okno_piece_vec *pieces,
                     struct okno_err *err)
{
    const struct record *record = start->record;
    struct okno_piece piece = {
        .from_us = start->us,
        .to_us = end_us,
        .error_us = record->at.error_us,
        .size = record->size,
        .flags = start->flags | OKNO_SPAN_APPROX | (growing ? (unsigned)OKNO_SPAN_GROWING : 0),
    };
    int len = snprintf(piece.name, sizeof(piece.name), "%s%s%s", record->folder,
                       record->folder[0] ? "/" : "", record->name);
    if (len < 0 || (size_t)len >= sizeof(piece.name))
        return okno_fail(err, OKNO_TOO_LARGE, "%.100s...: a path longer than %zu bytes", piece.name,
                         sizeof(piece.name) - 1);
    (void)snprintf(piece.tag, sizeof(piece.tag), "%" PRId64 ":%" PRId64, record->mtime_us,
                   record->size);
    (void)snprintf(piece.format, sizeof(piece.format), "%s", request->format);
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings")
               : 0;
}

int order_pieces(const struct record_vec *records, const struct order_request *request,
                 struct okno_piece_vec *pieces, struct okno_err *err)
{
    OKNO_AUTO_VEC(start_vec) starts = {0};
    struct length length = {0};
    int rc = date_records(records, &starts);
    if (rc == 0)
        rc = usual_length(&starts, &length);
    for (size_t i = 0; rc == 0 && i < starts.len; i++) {
        const struct start *start = &starts.items[i];
        bool growing = i + 1 == starts.len && is_growing(start, length.usual_us, request->now_us);
        int64_t end = end_of(&starts, i, &length, growing);
        if (start->us < request->to_us && end > request->from_us)
            rc = add_piece(start, end, growing, request, pieces, err);
    }
    return rc < 0 ? okno_fail(err, rc, "no memory for a list of recordings") : 0;
}
