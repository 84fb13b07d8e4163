/* coverage [REPETITIONS] [SEED]: how often the estimator's interval holds the truth.
 *
 * Each row is a frame whose every survey has a known truth. A repetition draws a simple random
 * sample of it without replacement, counts the results by cell as an audit does, estimates the
 * indicator with its interval at 95 %, and looks whether the value of the whole frame lies inside;
 * beside it the plain normal interval, value +- z SE. Ends with 6 when a row of which every cell
 * expects 10 reviewed surveys or more is covered in fewer than 94 % of the repetitions; sparser
 * rows are printed too. */
#define _POSIX_C_SOURCE 200809L
#include "okno/audit.h"
#include "okno/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRATA_MAX = 4, CELLS_MAX = STRATA_MAX * OKNO_CLASSES, ENOUGH = 10 };

#define LEVEL 0.95
#define LEAST 0.94

/* One stratum is `surveys` by yes, unsure, no, silent; strata are alike but for their invalid
 * share. A row of visits has sales or minutes with a survey near (yes) and without (no); invalid is
 * one without a customer. */
struct row {
    const char *name;
    int64_t surveys[OKNO_CLASSES];
    double invalid[OKNO_CLASSES];
    double other; /* of the valid ones, the share that was really of the next class */
    double steps; /* stratum i has invalid * (1 + steps i) */
    int64_t strata;
    int64_t sample;
    bool silent_known;
    bool loyalty;                   /* iel, else ink */
    bool visits;                    /* the share never asked */
    double not_asked[OKNO_CLASSES]; /* of the visits with a customer */
};

/* The last argument is the sample, with what else a row has after it. */
#define ROW(title, yes, unsure, no, silent, of_yes, of_unsure, of_no, of_silent, count, ...)       \
    {                                                                                              \
        .name = (title), .surveys = {(yes), (unsure), (no), (silent)},                             \
        .invalid = {(of_yes), (of_unsure), (of_no), (of_silent)}, .strata = (count),               \
        .sample = __VA_ARGS__                                                                      \
    }
/* Visits with a survey near and without: how many, without a customer, never asked. */
#define VISITS(title, near, far, empty_near, empty_far, unasked_near, unasked_far, count, drawn)   \
    ROW(title, near, 0, far, 0, empty_near, 0, empty_far, 0, count, drawn, .steps = (count) > 1,   \
        .visits = true, .not_asked = {(unasked_near), 0, (unasked_far), 0})

static const struct row rows[] = {
    ROW("small shop, few fake yes", 160, 30, 60, 50, .05, 0, 0, 0, 1, 120),
    ROW("small shop, few fake yes, loyalty", 160, 30, 60, 50, .05, 0, 0, 0, 1, 120,
        .loyalty = true),
    ROW("rare invalid everywhere", 600, 120, 280, 400, .01, .01, .01, .01, 1, 200),
    ROW("rare invalid, loyalty", 600, 120, 280, 400, .01, .01, .01, .01, 1, 200, .loyalty = true),
    ROW("a fifth of yes faked", 700, 90, 210, 300, .2, .02, .02, .03, 1, 200),
    ROW("a fifth of yes faked, loyalty", 700, 90, 210, 300, .2, .02, .02, .03, 1, 200,
        .loyalty = true),
    ROW("half of yes faked", 700, 90, 210, 300, .5, .05, .02, .03, 1, 200),
    ROW("half of yes faked, loyalty", 700, 90, 210, 300, .5, .05, .02, .03, 1, 200,
        .loyalty = true),
    ROW("large frame, a tenth invalid", 6000, 900, 2100, 4000, .1, .05, .05, .1, 1, 400),
    ROW("large frame, a tenth, loyalty", 6000, 900, 2100, 4000, .1, .05, .05, .1, 1, 400,
        .loyalty = true),
    ROW("large frame, one in 200 invalid", 6000, 900, 2100, 4000, .005, .005, .005, .005, 1, 400),
    ROW("silent known", 600, 120, 280, 900, .15, .05, .05, 0, 1, 250, .silent_known = true),
    ROW("silent known, loyalty", 600, 120, 280, 900, .15, .05, .05, 0, 1, 250, .silent_known = true,
        .loyalty = true),
    ROW("four points, unequal", 180, 40, 80, 100, .05, .03, .03, .05, 4, 500, .steps = 1.5),
    ROW("four points, unequal, loyalty", 180, 40, 80, 100, .05, .03, .03, .05, 4, 500, .steps = 1.5,
        .loyalty = true),
    ROW("corrected answers", 600, 120, 280, 400, .08, .03, .03, .05, 1, 250, .other = .05),
    ROW("corrected answers, loyalty", 600, 120, 280, 400, .08, .03, .03, .05, 1, 250, .other = .05,
        .loyalty = true),
    ROW("corrected answers, rare", 600, 120, 280, 400, .01, .01, .01, .01, 1, 250, .other = .01),
    ROW("corrected answers, four points", 180, 40, 80, 100, .05, .03, .03, .05, 4, 500,
        .other = .04, .steps = 1, .loyalty = true),
    ROW("nearly a census", 200, 40, 80, 80, .1, .05, .05, .05, 1, 380),
    ROW("nearly a census, loyalty", 200, 40, 80, 80, .1, .05, .05, .05, 1, 380, .loyalty = true),
    ROW("nearly a census, rare", 200, 40, 80, 80, .02, 0, 0, .03, 1, 380),
    ROW("four fifths reviewed", 2000, 400, 800, 800, .1, .05, .05, .05, 1, 3200, .loyalty = true),
    ROW("sparse: small cells", 300, 12, 40, 60, .1, .05, .05, .05, 1, 60),
    ROW("sparse: small cells, loyalty", 300, 12, 40, 60, .1, .05, .05, .05, 1, 60, .loyalty = true),
    ROW("sparse: four points", 90, 8, 20, 30, .1, .05, .05, .05, 4, 80, .steps = 1),
    ROW("sparse: very rare invalid", 2000, 60, 200, 400, .002, 0, 0, 0, 1, 100, .loyalty = true),
    VISITS("never asked: a fifth", 1400, 600, .03, .1, .05, .55, 1, 150),
    VISITS("never asked: half", 900, 1100, .03, .1, .1, .85, 1, 150),
    VISITS("never asked: one in a hundred", 1800, 200, .02, .05, .005, .05, 1, 300),
    VISITS("never asked: minutes, few there", 3000, 17000, .05, .9, .05, .4, 1, 400),
    VISITS("never asked: large frame", 60000, 20000, .02, .1, .02, .5, 1, 400),
    VISITS("never asked: thin class", 1900, 100, .02, .1, .03, .6, 1, 300),
    VISITS("never asked: thin class, rare", 1900, 100, .02, .1, .002, .1, 1, 300),
    VISITS("never asked: four points", 350, 150, .02, .08, .05, .5, 4, 300),
    VISITS("never asked: nearly a census", 280, 120, .03, .1, .05, .5, 1, 380),
    VISITS("sparse: never asked, thin class", 1960, 40, .02, .1, .05, .7, 1, 150),
    VISITS("sparse: never asked, rare, thin", 1960, 40, .02, .1, .002, .5, 1, 150),
    VISITS("sparse: never asked, four points", 90, 10, .02, .1, .05, .5, 4, 80),
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
    if (row->visits)
        return (struct okno_ratio){.a = {[OKNO_NO] = 1}, .b = {[OKNO_YES] = 1, [OKNO_NO] = 1}};
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

/* How many of a cell's surveys are what. */
static void truths_of(const struct row *row, int stratum, enum okno_class class,
                      int64_t ret_count[OKNO_TRUTHS])
{
    int64_t count = row->surveys[class];
    int64_t none = llround((double)count * row->invalid[class] * (1 + row->steps * stratum));
    double share = row->visits ? row->not_asked[class] : row->other;
    enum okno_class usual = row->visits ? OKNO_YES : class;
    enum okno_class other = row->visits ? OKNO_NO : (class + 1) % OKNO_CLASSES;
    memset(ret_count, 0, OKNO_TRUTHS * sizeof(*ret_count));
    ret_count[OKNO_NONE] = none;
    ret_count[other] = llround((double)(count - none) * share);
    ret_count[usual] = count - none - ret_count[other];
}

/* A cell and the truths of its surveys; adds to the totals of the whole frame. */
static void add_cell(struct frame *frame, int stratum, enum okno_class class, double *a, double *b)
{
    const struct row *row = frame->row;
    const struct okno_ratio ratio = ratio_of(row);
    int64_t count[OKNO_TRUTHS];
    struct okno_cell *cell = &frame->cells[frame->cell_count];
    if (row->surveys[class] == 0)
        return;
    *cell = (struct okno_cell){.class = class, .frame = row->surveys[class]};
    (void)snprintf(cell->stratum, sizeof(cell->stratum), "mall/till-%d", stratum);
    truths_of(row, stratum, class, count);
    for (int t = OKNO_NONE; t >= 0; t--) {
        add_surveys(frame, class, t, count[t]);
        *a += t == OKNO_NONE ? 0 : ratio.a[t] * (double)count[t];
        *b += t == OKNO_NONE ? 0 : ratio.b[t] * (double)count[t];
    }
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

static void give_up(const struct okno_err *err)
{
    fprintf(stderr, "coverage: %s\n", err->text);
    exit(1);
}

static struct okno_estimate estimate_visits(const struct okno_cell *cells, size_t count)
{
    struct okno_audit_tally tallies[CELLS_MAX];
    struct okno_audit_figure figure;
    struct okno_err err = {0};
    const struct okno_audit_rules rules = {
        .frame = OKNO_FRAME_TRANSACTIONS, .level = LEVEL, .looks = 1};
    for (size_t i = 0; i < count; i++) {
        const int64_t *truth = cells[i].truth;
        tallies[i] = (struct okno_audit_tally){.class = cells[i].class,
                                               .frame = cells[i].frame,
                                               .valid = truth[OKNO_YES] + truth[OKNO_NO],
                                               .not_asked = truth[OKNO_NO],
                                               .invalid = truth[OKNO_NONE]};
        memcpy(tallies[i].stratum, cells[i].stratum, sizeof(tallies[i].stratum));
    }
    if (okno_audit_tally_asked(tallies, count, &rules, &figure, &err) < 0)
        give_up(&err);
    return figure.estimate;
}

static struct okno_estimate estimate(const struct row *row, const struct okno_cell *cells,
                                     size_t count)
{
    struct okno_estimate found;
    struct okno_err err = {0};
    const struct okno_estimate_request request = {.cells = cells,
                                                  .count = count,
                                                  .ratio = ratio_of(row),
                                                  .silent_known = row->silent_known,
                                                  .level = LEVEL,
                                                  .looks = 1};
    if (row->visits)
        return estimate_visits(cells, count);
    if (okno_estimate(&request, NULL, &found, &err) < 0)
        give_up(&err);
    return found;
}

static void repeat(struct frame *frame, struct score *score)
{
    struct okno_cell cells[CELLS_MAX];
    draw(frame, cells);
    const struct okno_estimate found = estimate(frame->row, cells, frame->cell_count);
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
