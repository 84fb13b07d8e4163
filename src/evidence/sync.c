/* The lag at which presses find the picture changing; see sync.h. */
#include "okno/sync.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

/* Lags are counted in bins; how exact a device's time is matters more than the frame interval. */
#define BIN_US (OKNO_SECOND_US / 10)
#define PAD_US (OKNO_SECOND_US / 20)
#define SEARCH_MOST_US (600 * OKNO_SECOND_US)

/* Lags this near each other are one answer: a hand reaches a moment before the light. */
enum { NEIGHBOUR_BINS = 10, LOBE_BINS = 3 };

/* A strong change weighs more than its reflection on a wall, up to so many times the usual one. */
#define STRENGTH_MOST 64.0F

#define RATE_MOST 60e-6  /* of cameras' clocks: 20 ppm are usual */
#define RATES_MOST 121   /* tried */
#define CHANCE_MOST (-4) /* log10 */
#define RIVAL_MOST 0.6
#define SPREAD_MOST_US (OKNO_SECOND_US / 2)
#define SEEN_LEAST 0.8
#define AGREE_LEAST 0.25
#define AWAY_MOST 0.4

struct lag_range {
    int64_t from_us; /* the first lag, absolute offset */
    size_t bins;
};

struct trial {
    const struct okno_sync_question *q;
    struct lag_range range;
    enum okno_sync_kind kind;
    struct okno_sync_event_vec events; /* of the kind, with footage; owned */
    int64_t middle_us;
    double rate;
    double log_tried;
};

/* The best of a trial. */
struct peak {
    enum okno_sync_kind kind;
    double rate;
    size_t bin;
    double evidence; /* sum over cells of -ln chance, weighed by how strong they change */
    double rival;
    size_t rival_bin;
};

const char *okno_sync_refusal_name(enum okno_sync_refusal refusal)
{
    static const char *const names[] = {"found", "few_events", "weak", "ambiguous", "busy", "flat"};
    return names[refusal];
}

/* ---- which events have footage around them ---- */

static int64_t overlap(const struct okno_sync_question *q, int64_t from_us, int64_t to_us)
{
    int64_t sum = 0;
    for (size_t i = 0; i < q->seen_count; i++) {
        int64_t a = q->seen[i].from_us > from_us ? q->seen[i].from_us : from_us;
        int64_t b = q->seen[i].to_us < to_us ? q->seen[i].to_us : to_us;
        sum += b > a ? b - a : 0;
    }
    return sum;
}

static int trial_begin(const struct okno_sync_question *q, enum okno_sync_kind kind,
                       struct trial *trial, struct okno_err *err)
{
    *trial = (struct trial){.q = q, .kind = kind};
    trial->range.from_us = q->near_us - q->search_us;
    trial->range.bins = (size_t)(2 * q->search_us / BIN_US) + 1;
    for (size_t i = 0; i < q->event_count; i++) {
        const struct okno_sync_event *e = &q->events[i];
        int64_t at_us = e->at_us + q->near_us;
        int64_t seen = overlap(q, at_us - q->search_us, at_us + q->search_us);
        if (e->kind == kind && (double)seen >= SEEN_LEAST * 2.0 * (double)q->search_us &&
            okno_sync_event_vec_push(&trial->events, *e) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for events");
    }
    size_t n = trial->events.len;
    if (n > 0)
        trial->middle_us = trial->events.items[0].at_us +
                           (trial->events.items[n - 1].at_us - trial->events.items[0].at_us) / 2;
    return 0;
}

/* ---- counting votes ---- */

/* The first onset of a sorted list whose frame came after `us`. */
static size_t first_by(const struct okno_sync_onset *onsets, size_t count, int64_t us)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (onsets[middle].by_us < us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What an event's lag is expected to have moved by since the middle. */
static int64_t drift_of(const struct trial *t, const struct okno_sync_event *e)
{
    return llround(t->rate * (double)(e->at_us - t->middle_us));
}

/* Of one cell, for each bin: who voted, and with what strength in all. */
struct vote {
    uint32_t count;
    float strength;
};

static float strength_of(const struct okno_sync_onset *onset)
{
    return fminf(onset->strength, STRENGTH_MOST);
}

/* One vote a bin and event. Returns how many bins were voted for in all. */
static size_t count_votes(const struct trial *t, const struct okno_sync_onset *onsets, size_t count,
                          struct vote *votes)
{
    size_t sum = 0;
    memset(votes, 0, t->range.bins * sizeof(*votes));
    for (size_t i = 0; i < t->events.len; i++) {
        const struct okno_sync_event *e = &t->events.items[i];
        int64_t zero_us = e->at_us + t->range.from_us + drift_of(t, e);
        int64_t end_us = zero_us + (int64_t)t->range.bins * BIN_US;
        int64_t next = 0; /* bins before have this event's vote already */
        for (size_t k = first_by(onsets, count, zero_us); k < count && onsets[k].after_us < end_us;
             k++) {
            int64_t from = (onsets[k].after_us - PAD_US - zero_us) / BIN_US;
            int64_t to = (onsets[k].by_us + PAD_US - zero_us) / BIN_US;
            from = from < next ? next : from;
            to = to < (int64_t)t->range.bins ? to : (int64_t)t->range.bins - 1;
            for (int64_t bin = from; bin <= to; bin++) {
                votes[bin].count++;
                votes[bin].strength += strength_of(&onsets[k]);
            }
            sum += to >= from ? (size_t)(to - from + 1) : 0;
            next = to + 1 > next ? to + 1 : next;
        }
    }
    return sum;
}

/* -ln of Chernoff's bound for `hits` or more of n when each has chance p. */
static double surprise(double hits, double n, double p)
{
    double q = hits / n;
    if (q <= p)
        return 0;
    double first = q * log(q / p);
    double second = q < 1 ? (1 - q) * log((1 - q) / (1 - p)) : 0;
    return n * (first + second);
}

static double chance_of(const struct trial *t, size_t sum)
{
    double p = (double)sum / ((double)t->events.len * (double)t->range.bins);
    double least = 0.5 / (double)t->range.bins;
    return p > least ? p : least;
}

/* Each run of onsets of one cell. */
struct cell {
    const struct okno_sync_onset *onsets;
    size_t count;
};

static bool next_cell(const struct trial *t, struct cell *c)
{
    const struct okno_sync_question *q = t->q;
    size_t at = c->onsets ? (size_t)(c->onsets - q->onsets) + c->count : 0;
    if (at >= q->onset_count)
        return false;
    c->onsets = q->onsets + at;
    c->count = 1;
    while (at + c->count < q->onset_count && c->onsets[c->count].cell == c->onsets[0].cell)
        c->count++;
    return true;
}

/* Evidence of all cells for each lag. */
static void weigh_lags(const struct trial *t, struct vote *votes, double *evidence)
{
    struct cell c = {0};
    memset(evidence, 0, t->range.bins * sizeof(*evidence));
    while (next_cell(t, &c)) {
        double p = chance_of(t, count_votes(t, c.onsets, c.count, votes));
        for (size_t b = 0; b < t->range.bins; b++) {
            if (votes[b].count < 4)
                continue;
            double rest = surprise(votes[b].count, (double)t->events.len, p) - t->log_tried;
            double mean = (double)votes[b].strength / votes[b].count;
            evidence[b] += rest > 0 ? rest * mean : 0;
        }
    }
}

static void find_peak(const struct trial *t, const double *evidence, struct peak *best)
{
    size_t top = 0;
    for (size_t b = 1; b < t->range.bins; b++)
        top = evidence[b] > evidence[top] ? b : top;
    if (evidence[top] <= best->evidence)
        return;
    *best = (struct peak){.kind = t->kind, .rate = t->rate, .bin = top, .evidence = evidence[top]};
    for (size_t b = 0; b < t->range.bins; b++) {
        size_t away = b > top ? b - top : top - b;
        if (away > NEIGHBOUR_BINS && evidence[b] > best->rival) {
            best->rival = evidence[b];
            best->rival_bin = b;
        }
    }
}

/* How many rates are tried: so that the ends of the span move by a bin from one to the next. */
static int rate_count(const struct trial *t)
{
    size_t n = t->events.len;
    double span = n > 1 ? (double)(t->events.items[n - 1].at_us - t->events.items[0].at_us) : 0;
    double each = RATE_MOST * span / 2.0 / (double)BIN_US;
    double most = (RATES_MOST - 1) / 2.0;
    return each < 1 ? 1 : 1 + 2 * (int)ceil(each < most ? each : most);
}

static int try_kind(struct trial *t, struct peak *best, struct okno_err *err)
{
    okno_autofree struct vote *votes = calloc(t->range.bins, sizeof(*votes));
    okno_autofree double *evidence = calloc(t->range.bins, sizeof(*evidence));
    int rates = rate_count(t);
    if (!votes || !evidence)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for lags");
    t->log_tried =
        log((double)t->range.bins * OKNO_SYNC_KINDS * rates * (t->q->cells ? t->q->cells : 1));
    for (int i = 0; i < rates; i++) {
        t->rate = rates == 1 ? 0 : RATE_MOST * (2.0 * i / (rates - 1) - 1.0);
        weigh_lags(t, votes, evidence);
        find_peak(t, evidence, best);
    }
    return 0;
}

/* ---- from the lag's bin to the lag ---- */

static double mean_away(const struct cell *cell)
{
    double sum = 0;
    for (size_t i = 0; i < cell->count; i++)
        sum += (double)cell->onsets[i].away;
    return sum / (double)cell->count;
}

/* Which cells answer at the peak. */
static int mark_cells(struct trial *t, const struct peak *peak, bool *answers,
                      struct okno_sync_result *result, struct okno_err *err)
{
    okno_autofree struct vote *votes = calloc(t->range.bins, sizeof(*votes));
    struct cell c = {0};
    double best = 0;
    if (!votes)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for lags");
    size_t low = peak->bin > LOBE_BINS ? peak->bin - LOBE_BINS : 0;
    size_t high = peak->bin + LOBE_BINS < t->range.bins ? peak->bin + LOBE_BINS : t->range.bins - 1;
    while (next_cell(t, &c)) {
        double p = chance_of(t, count_votes(t, c.onsets, c.count, votes));
        uint32_t most = 0;
        for (size_t b = low; b <= high; b++)
            most = votes[b].count > most ? votes[b].count : most;
        double rest = most < 4 ? 0 : surprise(most, (double)t->events.len, p) - t->log_tried;
        answers[c.onsets[0].cell] = rest > 0;
        result->cells += rest > 0;
        if (rest > best) {
            best = rest;
            result->away = mean_away(&c);
            result->cell = c.onsets[0].cell;
        }
    }
    result->chance_log10 = -best / log(10.0);
    return 0;
}

/* One event's lag. */
struct lag {
    int64_t lag_us, frame_us;
    const struct okno_sync_event *event;
    double weight;
};
OKNO_VEC(lag_vec, struct lag);

/* The frame in which most changed is the light's; a hand changes a few cells in each of many. */
static bool event_lag(const struct trial *t, const struct okno_sync_event *e,
                      const struct okno_sync_onset *by_time, size_t count, int64_t around_us,
                      int64_t within_us, struct lag *ret)
{
    int64_t from_us = e->at_us + around_us + drift_of(t, e) - within_us;
    struct lag best = {0};
    for (size_t i = first_by(by_time, count, from_us);
         i < count && by_time[i].after_us <= from_us + 2 * within_us;) {
        struct lag here = {.event = e};
        size_t k = i;
        for (; k < count && by_time[k].by_us == by_time[i].by_us; k++)
            here.weight += (double)strength_of(&by_time[k]);
        here.frame_us = by_time[i].by_us - by_time[i].after_us;
        here.lag_us = by_time[i].after_us + here.frame_us / 2 - e->at_us - drift_of(t, e);
        if (here.weight > best.weight)
            best = here;
        i = k;
    }
    *ret = best;
    return best.weight > 0;
}

static int by_frame(const void *a, const void *b)
{
    const struct okno_sync_onset *x = a;
    const struct okno_sync_onset *y = b;
    return (x->by_us > y->by_us) - (x->by_us < y->by_us);
}

static int by_cell(const void *a, const void *b)
{
    const struct okno_sync_onset *x = a;
    const struct okno_sync_onset *y = b;
    int order = (x->cell > y->cell) - (x->cell < y->cell);
    return order ? order : by_frame(a, b);
}

static int by_int(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Reorders the values; 0 for none. */
static int64_t middle_of(int64_t *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), by_int);
    return count % 2 ? values[count / 2]
                     : values[count / 2 - 1] + (values[count / 2] - values[count / 2 - 1]) / 2;
}

/* Median of the lags, and how they spread: 1.4826 of the median distance. */
static int spread_of(const struct lag_vec *lags, int64_t *ret_middle, int64_t *ret_spread,
                     struct okno_err *err)
{
    okno_autofree int64_t *room = calloc(lags->len + 1, sizeof(*room));
    if (!room)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for lags");
    for (size_t i = 0; i < lags->len; i++)
        room[i] = lags->items[i].lag_us;
    int64_t middle = middle_of(room, lags->len);
    for (size_t i = 0; i < lags->len; i++)
        room[i] = llabs(lags->items[i].lag_us - middle);
    *ret_spread = llround(1.4826 * (double)middle_of(room, lags->len));
    *ret_middle = middle;
    return 0;
}

static int take_lags(const struct trial *t, const struct okno_sync_onset_vec *by_time,
                     int64_t around_us, int64_t within_us, struct lag_vec *lags,
                     struct okno_err *err)
{
    lags->len = 0;
    for (size_t i = 0; i < t->events.len; i++) {
        struct lag lag;
        if (event_lag(t, &t->events.items[i], by_time->items, by_time->len, around_us, within_us,
                      &lag) &&
            lag_vec_push(lags, lag) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for lags");
    }
    return 0;
}

/* Means over the events that agree. */
static int conclude(const struct trial *t, const struct lag_vec *lags, int64_t spread_us,
                    struct okno_sync_result *result, struct okno_err *err)
{
    double lag = 0, at = 0, square = 0, frame = 0;
    double n = (double)lags->len;
    result->agreeing = lags->len;
    if (lags->len == 0)
        return 0;
    okno_autofree int64_t *own = calloc(lags->len, sizeof(*own));
    if (!own)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for lags");
    for (size_t i = 0; i < lags->len; i++) {
        lag += (double)(lags->items[i].lag_us - lags->items[0].lag_us) / n;
        at += (double)(lags->items[i].event->at_us - t->middle_us) / n;
        frame += (double)lags->items[i].frame_us / n;
        own[i] = lags->items[i].event->uncertainty_us;
    }
    for (size_t i = 0; i < lags->len; i++) {
        double off = (double)(lags->items[i].lag_us - lags->items[0].lag_us) - lag;
        square += off * off;
    }
    double deviation = sqrt(square / (n > 1 ? n - 1 : 1));
    double usual = (double)spread_us;
    double error = 2.0 * fmax(fmax(deviation, usual), frame / sqrt(12.0)) / sqrt(n);
    result->at_us = t->middle_us + llround(at);
    result->offset_us = lags->items[0].lag_us + llround(lag) + llround(t->rate * at);
    result->uncertainty_us = llround(fmax(error, frame / 2));
    result->event_uncertainty_us = middle_of(own, lags->len);
    result->rate_ppm = t->rate * 1e6;
    return 0;
}

static int refine(struct trial *t, const struct peak *peak, struct okno_sync_result *result,
                  int64_t *ret_spread, struct okno_err *err)
{
    okno_autofree bool *answers = calloc((size_t)t->q->cells + 1, sizeof(*answers));
    OKNO_AUTO_VEC(okno_sync_onset_vec) by_time = {0};
    OKNO_AUTO_VEC(lag_vec) lags = {0};
    int64_t around = t->range.from_us + (int64_t)peak->bin * BIN_US + BIN_US / 2;
    int64_t within = (LOBE_BINS + 1) * BIN_US + t->q->frame_us;
    int64_t spread = 0;
    int rc = answers ? mark_cells(t, peak, answers, result, err) : OKNO_NO_MEMORY;
    for (size_t i = 0; rc == 0 && i < t->q->onset_count; i++)
        if (answers[t->q->onsets[i].cell])
            rc = okno_sync_onset_vec_push(&by_time, t->q->onsets[i]);
    if (rc < 0)
        return okno_fail(err, rc, "no memory for changes of the picture");
    qsort(by_time.items, by_time.len, sizeof(*by_time.items), by_frame);
    for (int round = 0; rc == 0 && round < 3; round++) {
        rc = take_lags(t, &by_time, around, within, &lags, err);
        if (rc == 0)
            rc = spread_of(&lags, &around, &spread, err);
        int64_t closer = 3 * spread > t->q->frame_us ? 3 * spread : t->q->frame_us;
        within = closer < within ? closer : within;
    }
    if (rc == 0)
        rc = take_lags(t, &by_time, around, within, &lags, err);
    *ret_spread = spread;
    return rc < 0 ? rc : conclude(t, &lags, spread, result, err);
}

static enum okno_sync_refusal judge(const struct okno_sync_result *r, int64_t spread_us)
{
    if (r->events < OKNO_SYNC_LEAST)
        return OKNO_SYNC_FEW;
    if (r->chance_log10 > CHANCE_MOST || r->agreeing < OKNO_SYNC_LEAST - 1 ||
        (double)r->agreeing < AGREE_LEAST * (double)r->events)
        return OKNO_SYNC_WEAK;
    if (r->runner_up > RIVAL_MOST)
        return OKNO_SYNC_AMBIGUOUS;
    if (r->away > AWAY_MOST)
        return OKNO_SYNC_BUSY;
    return spread_us > SPREAD_MOST_US || r->uncertainty_us > 2 * SPREAD_MOST_US ? OKNO_SYNC_FLAT
                                                                                : OKNO_SYNC_FOUND;
}

/* What the other kind of event says speaks against it when it is nearly as strong. */
static void hear_rival(const struct trial *t, const struct peak *best, const struct peak *other,
                       struct okno_sync_result *result)
{
    size_t away = other->bin > best->bin ? other->bin - best->bin : best->bin - other->bin;
    double rival = best->rival;
    size_t bin = best->rival_bin;
    if (other->evidence > rival && away > NEIGHBOUR_BINS) {
        rival = other->evidence;
        bin = other->bin;
    }
    result->runner_up = best->evidence > 0 ? rival / best->evidence : 0;
    result->runner_up_us = rival > 0 ? t->range.from_us + (int64_t)bin * BIN_US + BIN_US / 2 : 0;
}

static int estimate(struct trial trials[OKNO_SYNC_KINDS], struct okno_sync_result *result,
                    struct okno_err *err)
{
    struct peak peaks[OKNO_SYNC_KINDS] = {0};
    int best = 0;
    int64_t spread = 0;
    int rc = 0;
    for (int k = 0; rc == 0 && k < OKNO_SYNC_KINDS; k++) {
        result->events =
            trials[k].events.len > result->events ? trials[k].events.len : result->events;
        if (trials[k].events.len >= OKNO_SYNC_LEAST)
            rc = try_kind(&trials[k], &peaks[k], err);
        best = peaks[k].evidence > peaks[best].evidence ? k : best;
    }
    if (rc < 0)
        return rc;
    if (peaks[best].evidence <= 0) {
        result->refusal = result->events < OKNO_SYNC_LEAST ? OKNO_SYNC_FEW : OKNO_SYNC_WEAK;
        return 0;
    }
    struct trial *t = &trials[best];
    t->rate = peaks[best].rate;
    result->events = t->events.len;
    result->kind = t->kind;
    rc = refine(t, &peaks[best], result, &spread, err);
    hear_rival(t, &peaks[best], &peaks[best ? 0 : 1], result);
    result->refusal = judge(result, spread);
    return rc;
}

int okno_sync_estimate(struct okno_sync_question *q, struct okno_sync_result *ret_result,
                       struct okno_err *err)
{
    struct trial trials[OKNO_SYNC_KINDS] = {0};
    struct okno_sync_result result = {0};
    int rc = 0;
    if (q->search_us < OKNO_SECOND_US || q->search_us > SEARCH_MOST_US)
        return okno_fail_field(err, OKNO_INVALID, "search", "from 1 to 600 seconds to each side");
    if (q->onset_count > 0)
        qsort(q->onsets, q->onset_count, sizeof(*q->onsets), by_cell);
    for (int k = 0; rc == 0 && k < OKNO_SYNC_KINDS; k++)
        rc = trial_begin(q, (enum okno_sync_kind)k, &trials[k], err);
    if (rc == 0)
        rc = estimate(trials, &result, err);
    for (int k = 0; k < OKNO_SYNC_KINDS; k++)
        okno_sync_event_vec_free(&trials[k].events);
    if (rc == 0)
        *ret_result = result;
    return rc;
}
