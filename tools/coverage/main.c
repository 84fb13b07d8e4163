/* coverage [REPETITIONS] [SEED]: how often the estimator's interval holds the truth.
 *
 * Each row is a frame whose every survey has a known truth. A repetition draws a simple random
 * sample of it without replacement, counts the results by cell as an audit does, estimates the
 * indicator with its interval at 95 %, and looks whether the value of the whole frame lies inside;
 * beside it the plain normal interval, value +- z SE. Ends with 6 when a row of which every cell
 * expects 10 reviewed surveys or more is covered in fewer than 94 % of the repetitions; sparser
 * rows are printed too. */
#define _POSIX_C_SOURCE 200809L
#include "okno/estimate.h"
#include "okno/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRATA_MAX = 4, CELLS_MAX = STRATA_MAX * OKNO_CLASSES, ENOUGH = 10 };

#define LEVEL 0.95
#define LEAST 0.94

/* One stratum is `surveys` by yes, unsure, no, silent; strata are alike but for their invalid
 * share. */
struct row {
    const char *name;
    int64_t surveys[OKNO_CLASSES];
    double invalid[OKNO_CLASSES];
    double other; /* of the valid ones, the share that was really of the next class */
    double steps; /* stratum i has invalid * (1 + steps i) */
    int64_t strata;
    int64_t sample;
    bool silent_known;
    bool loyalty; /* iel, else ink */
};

static const struct row rows[] = {
    {"small shop, few fake yes", {160, 30, 60, 50}, {.05, 0, 0, 0}, 0, 0, 1, 120, false, false},
    {"small shop, few fake yes, loyalty",
     {160, 30, 60, 50},
     {.05, 0, 0, 0},
     0,
     0,
     1,
     120,
     false,
     true},
    {"rare invalid everywhere",
     {600, 120, 280, 400},
     {.01, .01, .01, .01},
     0,
     0,
     1,
     200,
     false,
     false},
    {"rare invalid, loyalty",
     {600, 120, 280, 400},
     {.01, .01, .01, .01},
     0,
     0,
     1,
     200,
     false,
     true},
    {"a fifth of yes faked", {700, 90, 210, 300}, {.2, .02, .02, .03}, 0, 0, 1, 200, false, false},
    {"a fifth of yes faked, loyalty",
     {700, 90, 210, 300},
     {.2, .02, .02, .03},
     0,
     0,
     1,
     200,
     false,
     true},
    {"half of yes faked", {700, 90, 210, 300}, {.5, .05, .02, .03}, 0, 0, 1, 200, false, false},
    {"half of yes faked, loyalty",
     {700, 90, 210, 300},
     {.5, .05, .02, .03},
     0,
     0,
     1,
     200,
     false,
     true},
    {"large frame, a tenth invalid",
     {6000, 900, 2100, 4000},
     {.1, .05, .05, .1},
     0,
     0,
     1,
     400,
     false,
     false},
    {"large frame, a tenth, loyalty",
     {6000, 900, 2100, 4000},
     {.1, .05, .05, .1},
     0,
     0,
     1,
     400,
     false,
     true},
    {"large frame, one in 200 invalid",
     {6000, 900, 2100, 4000},
     {.005, .005, .005, .005},
     0,
     0,
     1,
     400,
     false,
     false},
    {"silent known", {600, 120, 280, 900}, {.15, .05, .05, 0}, 0, 0, 1, 250, true, false},
    {"silent known, loyalty", {600, 120, 280, 900}, {.15, .05, .05, 0}, 0, 0, 1, 250, true, true},
    {"four points, unequal",
     {180, 40, 80, 100},
     {.05, .03, .03, .05},
     0,
     1.5,
     4,
     500,
     false,
     false},
    {"four points, unequal, loyalty",
     {180, 40, 80, 100},
     {.05, .03, .03, .05},
     0,
     1.5,
     4,
     500,
     false,
     true},
    {"corrected answers", {600, 120, 280, 400}, {.08, .03, .03, .05}, .05, 0, 1, 250, false, false},
    {"corrected answers, loyalty",
     {600, 120, 280, 400},
     {.08, .03, .03, .05},
     .05,
     0,
     1,
     250,
     false,
     true},
    {"corrected answers, rare",
     {600, 120, 280, 400},
     {.01, .01, .01, .01},
     .01,
     0,
     1,
     250,
     false,
     false},
    {"corrected answers, four points",
     {180, 40, 80, 100},
     {.05, .03, .03, .05},
     .04,
     1,
     4,
     500,
     false,
     true},
    {"nearly a census", {200, 40, 80, 80}, {.1, .05, .05, .05}, 0, 0, 1, 380, false, false},
    {"nearly a census, loyalty", {200, 40, 80, 80}, {.1, .05, .05, .05}, 0, 0, 1, 380, false, true},
    {"nearly a census, rare", {200, 40, 80, 80}, {.02, 0, 0, .03}, 0, 0, 1, 380, false, false},
    {"four fifths reviewed",
     {2000, 400, 800, 800},
     {.1, .05, .05, .05},
     0,
     0,
     1,
     3200,
     false,
     true},
    {"sparse: small cells", {300, 12, 40, 60}, {.1, .05, .05, .05}, 0, 0, 1, 60, false, false},
    {"sparse: small cells, loyalty",
     {300, 12, 40, 60},
     {.1, .05, .05, .05},
     0,
     0,
     1,
     60,
     false,
     true},
    {"sparse: four points", {90, 8, 20, 30}, {.1, .05, .05, .05}, 0, 1, 4, 80, false, false},
    {"sparse: very rare invalid", {2000, 60, 200, 400}, {.002, 0, 0, 0}, 0, 0, 1, 100, false, true},
};

/* A frame with its truths: one entry a survey that can be drawn. */
struct frame {
    const struct row *row;
    struct okno_cell cells[CELLS_MAX]; /* without results */
    size_t cell_count;
    struct {
        uint8_t cell, truth;
    } * surveys; /* owned */
    size_t survey_count;
    double truth; /* the indicator of the whole frame */
};

struct score {
    int64_t figures, held, held_normal;
    double width, width_normal;
};

static uint64_t random_state;

/* Below limit, without a preference worth naming (limit is far below 2^32). */
static size_t random_below(size_t limit)
{
    random_state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = random_state;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)(((mixed ^ mixed >> 31) >> 32) * limit >> 32);
}

static struct okno_ratio ratio_of(const struct row *row)
{
    return row->loyalty ? okno_ratio_iel(0.5) : okno_ratio_ink(0.5);
}

static void add_surveys(struct frame *frame, enum okno_class class, int truth, int64_t count)
{
    bool sampled = !(frame->row->silent_known && class == OKNO_SILENT);
    for (int64_t i = 0; sampled && i < count; i++) {
        frame->surveys[frame->survey_count].cell = (uint8_t)frame->cell_count;
        frame->surveys[frame->survey_count++].truth = (uint8_t)truth;
    }
}

/* A cell and the truths of its surveys; adds to the totals of the whole frame. */
static void add_cell(struct frame *frame, int stratum, enum okno_class class, double *a, double *b)
{
    const struct row *row = frame->row;
    const struct okno_ratio ratio = ratio_of(row);
    enum okno_class next = (class + 1) % OKNO_CLASSES;
    int64_t count = row->surveys[class];
    int64_t none = llround((double)count * row->invalid[class] * (1 + row->steps * stratum));
    int64_t other = llround((double)(count - none) * row->other);
    struct okno_cell *cell = &frame->cells[frame->cell_count];
    *cell = (struct okno_cell){.class = class, .frame = count};
    (void)snprintf(cell->stratum, sizeof(cell->stratum), "mall/till-%d", stratum);
    add_surveys(frame, class, OKNO_NONE, none);
    add_surveys(frame, class, (int)next, other);
    add_surveys(frame, class, (int)class, count - none - other);
    *a += ratio.a[next] * (double)other + ratio.a[class] * (double)(count - none - other);
    *b += ratio.b[next] * (double)other + ratio.b[class] * (double)(count - none - other);
    frame->cell_count++;
}

static void frame_make(const struct row *row, struct frame *frame)
{
    double a = 0;
    double b = 0;
    size_t most = 0;
    for (int t = 0; t < OKNO_CLASSES; t++)
        most += (size_t)(row->surveys[t] * row->strata);
    *frame = (struct frame){.row = row, .surveys = calloc(most, sizeof(*frame->surveys))};
    if (!frame->surveys)
        exit(1);
    for (int s = 0; s < (int)row->strata; s++)
        for (int t = 0; t < OKNO_CLASSES; t++)
            add_cell(frame, s, (enum okno_class)t, &a, &b);
    frame->truth = a / b;
}

/* The first `sample` surveys of the frame become a random sample of it. */
static void draw(struct frame *frame, struct okno_cell *cells)
{
    memcpy(cells, frame->cells, sizeof(frame->cells));
    for (size_t i = 0; i < (size_t)frame->row->sample; i++) {
        size_t j = i + random_below(frame->survey_count - i);
        struct okno_cell *cell = &cells[frame->surveys[j].cell];
        uint8_t truth = frame->surveys[j].truth;
        frame->surveys[j] = frame->surveys[i];
        frame->surveys[i].cell = (uint8_t)(cell - cells);
        frame->surveys[i].truth = truth;
        cell->truth[truth]++;
    }
}

static void repeat(struct frame *frame, struct score *score)
{
    struct okno_cell cells[CELLS_MAX];
    struct okno_estimate found;
    struct okno_err err = {0};
    draw(frame, cells);
    const struct okno_estimate_request request = {.cells = cells,
                                                  .count = frame->cell_count,
                                                  .ratio = ratio_of(frame->row),
                                                  .silent_known = frame->row->silent_known,
                                                  .level = LEVEL,
                                                  .looks = 1};
    if (okno_estimate(&request, NULL, &found, &err) < 0) {
        fprintf(stderr, "coverage: %s\n", err.text);
        exit(1);
    }
    if (found.null_reason)
        return;
    double reach = isnan(found.se) ? 0 : okno_normal_z(LEVEL) * found.se;
    const double tiny = 1e-12; /* of a limit that is the truth itself */
    score->figures++;
    score->held += found.low <= frame->truth + tiny && found.high >= frame->truth - tiny;
    score->held_normal += fabs(found.value - frame->truth) <= reach + tiny;
    score->width += found.high - found.low;
    score->width_normal += 2 * reach;
}

/* The fewest reviewed surveys that a cell expects. */
static double least_expected(const struct frame *frame)
{
    double least = INFINITY;
    for (size_t i = 0; i < frame->cell_count; i++)
        if (!(frame->row->silent_known && frame->cells[i].class == OKNO_SILENT))
            least = fmin(least, (double)frame->cells[i].frame * (double)frame->row->sample /
                                    (double)frame->survey_count);
    return least;
}

/* False when the row misses what is promised for it. */
static bool run_row(const struct row *row, int64_t repetitions)
{
    struct frame frame;
    struct score score = {0};
    frame_make(row, &frame);
    for (int64_t i = 0; i < repetitions; i++)
        repeat(&frame, &score);
    double figures = (double)score.figures;
    double held = (double)score.held / figures;
    double least = least_expected(&frame);
    bool good = least < ENOUGH || held >= LEAST;
    printf("%-34s | %5.1f | %.4f | %.4f | %.4f | %.4f | %.4f | %s\n", row->name, least, held,
           score.width / figures, (double)score.held_normal / figures, score.width_normal / figures,
           1 - figures / (double)repetitions,
           least < ENOUGH ? "sparse"
           : good         ? "pass"
                          : "FAIL");
    (void)fflush(stdout);
    free(frame.surveys);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    int64_t repetitions = argc > 1 ? strtoll(argv[1], NULL, 10) : 10000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261125;
    if (repetitions < 1) {
        fputs("usage: coverage [REPETITIONS] [SEED]\n", stderr);
        return 2;
    }
    printf("%lld repetitions a row from seed %llu, intervals at %.0f %%\n", (long long)repetitions,
           (unsigned long long)random_state, LEVEL * 100);
    printf("%-34s | %5s | %-6s | %-6s | %-6s | %-6s | %-6s |\n", "frame", "n_c", "holds", "width",
           "normal", "width", "none");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        good = run_row(&rows[i], repetitions) && good;
    return good ? 0 : 6;
}
