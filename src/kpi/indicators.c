/* The formulas: sums in, figures out. */
#include "okno/kpi.h"

#include <string.h>

const char *okno_indicator_id(enum okno_indicator indicator)
{
#define INDICATOR_ID(name, id, en, ru) id,
    static const char *const ids[] = {OKNO_INDICATORS(INDICATOR_ID)};
#undef INDICATOR_ID
    return ids[indicator];
}

static int64_t total(const struct okno_tally *t)
{
    return t->yes + t->unsure + t->no + t->silent;
}

static struct okno_tally without(const struct okno_tally *a, const struct okno_tally *b)
{
    return (struct okno_tally){a->yes - b->yes, a->unsure - b->unsure, a->no - b->no,
                               a->silent - b->silent};
}

double okno_kpi_index(enum okno_question_kind kind, const struct okno_tally *t, double k)
{
    double n = (double)total(t);
    double dissatisfied = (double)t->no + k * (double)t->silent;
    return kind == OKNO_LOYALTY ? ((double)t->yes - dissatisfied) / n : dissatisfied / n;
}

static void add_flag(struct okno_kpi_figure *figure, const char *flag)
{
    for (size_t i = 0; i < OKNO_KPI_FLAGS_MAX; i++) {
        if (!figure->flags[i]) {
            figure->flags[i] = flag;
            return;
        }
    }
}

/* FM surveys are left out of staff dissatisfaction and kept in the other two; the other variant is
 * given beside it. */
static struct okno_kpi_figure index_figure(const struct okno_kpi_sums *sums,
                                           enum okno_question_kind kind, double k)
{
    struct okno_kpi_figure figure = {0};
    struct okno_tally tally[OKNO_SET_COUNT];
    struct okno_tally other = {0};
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        const struct okno_tally *all = &sums->set[set].kind[kind];
        struct okno_tally clear = without(all, &sums->set[set].fm_kind[kind]);
        tally[set] = kind == OKNO_PERSONNEL ? clear : *all;
        other = kind == OKNO_PERSONNEL ? *all : clear;
        if (total(&tally[set]) == 0)
            figure.null_reason = "no_surveys";
        else
            figure.value[set] = okno_kpi_index(kind, &tally[set], k);
    }
    figure.counts = tally[OKNO_EXCLUDED];
    if (figure.null_reason)
        return figure;
    figure.band[0] = okno_kpi_index(kind, &figure.counts, 0);
    figure.band[1] = okno_kpi_index(kind, &figure.counts, 1);
    figure.has_with_fm = total(&other) > 0;
    if (figure.has_with_fm)
        figure.with_fm = okno_kpi_index(kind, &other, k);
    return figure;
}

/* parts / whole for both sets; the whole's zero gives the reason. */
static struct okno_kpi_figure ratio(const int64_t part[OKNO_SET_COUNT],
                                    const int64_t whole[OKNO_SET_COUNT], const char *null_reason)
{
    struct okno_kpi_figure figure = {0};
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        if (whole[set] == 0)
            figure.null_reason = null_reason;
        else
            figure.value[set] = (double)part[set] / (double)whole[set];
    }
    figure.band[0] = figure.band[1] = figure.value[OKNO_EXCLUDED];
    return figure;
}

static struct okno_kpi_figure share(const struct okno_kpi_sums *sums, const int64_t part[2])
{
    const int64_t surveys[] = {sums->set[OKNO_RAW].surveys, sums->set[OKNO_EXCLUDED].surveys};
    return ratio(part, surveys, "no_surveys");
}

static struct okno_kpi_figure per_count(const int64_t part[2], const struct okno_kpi_count *count,
                                        const char *zero_reason, const char *above_one)
{
    const int64_t whole[] = {count->count, count->count};
    struct okno_kpi_figure figure = ratio(part, whole, zero_reason);
    if (count->null_reason)
        figure.null_reason = count->null_reason;
    else if (!figure.null_reason && figure.value[OKNO_RAW] > 1)
        add_flag(&figure, above_one);
    return figure;
}

static struct okno_kpi_figure fm_level(const struct okno_kpi_sums *sums)
{
    const int64_t situations[] = {sums->set[OKNO_RAW].situations,
                                  sums->set[OKNO_EXCLUDED].situations};
    struct okno_kpi_figure figure = share(sums, situations);
    if (figure.null_reason && situations[OKNO_EXCLUDED] > 0) {
        figure.null_reason = "fm_without_surveys";
        add_flag(&figure, "fm_without_surveys");
    }
    return figure;
}

/* Spontaneous ratings per served customer; more ratings than customers make no figure. */
static struct okno_kpi_figure spontaneous(const struct okno_kpi_sums *sums, const int64_t part[2])
{
    const struct okno_kpi_count *served = &sums->served;
    struct okno_kpi_figure figure = per_count(part, served, "no_served_count", "");
    int64_t ratings = sums->set[OKNO_RAW].spontaneous_yes + sums->set[OKNO_RAW].spontaneous_no +
                      sums->set[OKNO_RAW].spontaneous_unsure;
    if (!figure.null_reason && ratings > served->count)
        figure.null_reason = "served_below_ratings";
    memset((void *)figure.flags, 0, sizeof(figure.flags));
    return figure;
}

#define BOTH(sums, member)                                                                         \
    ((const int64_t[]){(sums)->set[OKNO_RAW].member, (sums)->set[OKNO_EXCLUDED].member})

void okno_kpi_figures(const struct okno_kpi_sums *s, double k,
                      struct okno_kpi_figure ret[OKNO_INDICATOR_COUNT])
{
    const int64_t answered[] = {s->set[OKNO_RAW].surveys - s->set[OKNO_RAW].silent,
                                s->set[OKNO_EXCLUDED].surveys - s->set[OKNO_EXCLUDED].silent};
    ret[OKNO_INK_PERSONNEL] = index_figure(s, OKNO_PERSONNEL, k);
    ret[OKNO_INK_OFFICE] = index_figure(s, OKNO_OFFICE, k);
    ret[OKNO_IEL] = index_figure(s, OKNO_LOYALTY, k);
    ret[OKNO_RESPONSE_RATE] = share(s, answered);
    ret[OKNO_SILENT_SHARE] = share(s, BOTH(s, silent));
    ret[OKNO_LATE_SHARE] = share(s, BOTH(s, late));
    ret[OKNO_SUPERSEDED_SHARE] = share(s, BOTH(s, superseded));
    ret[OKNO_EXACT_CONVERSION] =
        per_count(BOTH(s, surveys), &s->transactions, "no_transactions", "more_surveys_than_sales");
    ret[OKNO_VISITOR_COVERAGE] =
        per_count(BOTH(s, surveys), &s->visitors, "no_visitors", "counter_or_press_error");
    ret[OKNO_FM_LEVEL] = fm_level(s);
    ret[OKNO_SUPPORT_INDEX] = spontaneous(s, BOTH(s, spontaneous_yes));
    ret[OKNO_CRITICALITY_INDEX] = spontaneous(s, BOTH(s, spontaneous_no));
}

const char *okno_kpi_fm_gate(const struct okno_kpi_figure *level, double threshold)
{
    if (level->null_reason)
        return "not_evaluable";
    return level->value[OKNO_EXCLUDED] > threshold ? "not_advisable" : "evaluable";
}

struct okno_kpi_count okno_kpi_tile(const struct okno_count_row *rows, size_t count,
                                    int64_t from_us, int64_t to_us)
{
    struct okno_kpi_count result = {0};
    int64_t at = from_us;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].to_us <= from_us || rows[i].from_us >= to_us)
            continue;
        if (rows[i].from_us < from_us || rows[i].to_us > to_us)
            return (struct okno_kpi_count){.null_reason = "count_crosses_period"};
        if (rows[i].from_us != at)
            return (struct okno_kpi_count){.null_reason = "counts_incomplete"};
        at = rows[i].to_us;
        result.count += rows[i].count;
    }
    if (at != to_us)
        return (struct okno_kpi_count){.null_reason = "counts_incomplete"};
    return result;
}
