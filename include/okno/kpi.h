/* Indicators: from counted surveys to figures. The formulas are pure; the gathering reads the
 * database once per call. Definitions: docs of the product, "Indicators". */
#ifndef OKNO_KPI_H
#define OKNO_KPI_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, id, English, Russian) */
#define OKNO_INDICATORS(X)                                                                         \
    X(INK_PERSONNEL, "ink_personnel", "Dissatisfaction with staff", "ИНК@Персонал")                \
    X(INK_OFFICE, "ink_office", "Dissatisfaction with the office", "ИНК@Офис")                     \
    X(IEL, "iel", "Emotional loyalty", "ИЭЛ")                                                      \
    X(RESPONSE_RATE, "response_rate", "Response rate", "Доля ответивших")                          \
    X(SILENT_SHARE, "silent_share", "Silent share", "Доля молчунов")                               \
    X(LATE_SHARE, "late_share", "Late share", "Доля опоздавших")                                   \
    X(SUPERSEDED_SHARE, "superseded_share", "Superseded share", "Доля прерванных")                 \
    X(EXACT_CONVERSION, "exact_conversion", "Exact conversion", "Точная Конверсия")                \
    X(VISITOR_COVERAGE, "visitor_coverage", "Visitor coverage", "Коэффициент Охвата Посетителей")  \
    X(FM_LEVEL, "fm_level", "Force-majeure level", "Уровень форс-мажора")                          \
    X(SUPPORT_INDEX, "support_index", "Customer support", "Индекс Поддержки Клиентов")             \
    X(CRITICALITY_INDEX, "criticality_index", "Customer criticality", "Индекс Критичности Клиентов")

enum okno_indicator {
#define OKNO_INDICATOR_ENUM(name, id, en, ru) OKNO_##name,
    OKNO_INDICATORS(OKNO_INDICATOR_ENUM)
#undef OKNO_INDICATOR_ENUM
        OKNO_INDICATOR_COUNT
};

const char *okno_indicator_id(enum okno_indicator indicator);

enum okno_question_kind { OKNO_PERSONNEL, OKNO_OFFICE, OKNO_LOYALTY, OKNO_KIND_COUNT };

/* Answers of some surveys. */
struct okno_tally {
    int64_t yes, unsure, no, silent;
};

/* The two ways of counting that need no estimate. */
enum okno_figure_set { OKNO_RAW, OKNO_EXCLUDED, OKNO_SET_COUNT };

/* Everything one group's figures need. */
struct okno_kpi_sums {
    struct {
        struct okno_tally kind[OKNO_KIND_COUNT];    /* FM surveys included */
        struct okno_tally fm_kind[OKNO_KIND_COUNT]; /* of these, under force majeure */
        int64_t surveys;                            /* of all kinds, FM included */
        int64_t silent, late, superseded;
        int64_t situations; /* force-majeure situations by their first hold */
        int64_t spontaneous_yes, spontaneous_no, spontaneous_unsure;
    } set[OKNO_SET_COUNT];
    int64_t undeterminable;
    int64_t reviewed; /* raw surveys that somebody ruled on */
    /* Counts of the asked period; reason NULL: the count stands, else why there is none. */
    struct okno_kpi_count {
        int64_t count;
        const char *null_reason;
        unsigned sources;    /* bit i: okno_kpi_source_name(i) has part in it */
        int64_t corrections; /* rows that newer ones of the same interval replaced */
    } transactions, visitors, served;
};

/* till, counter, sensor, manual, or single (transactions one by one); NULL past the last. */
const char *okno_kpi_source_name(size_t place);

#define OKNO_KPI_FLAGS_MAX 3

/* One indicator of one group. */
struct okno_kpi_figure {
    double value[OKNO_SET_COUNT]; /* meaningless where null_reason is set */
    double band[2]; /* of the excluded figure, for k = 0 and k = 1; equal where k plays
                       no part */
    double with_fm; /* the other variant: FM surveys counted (ink_personnel) or left out */
    bool has_with_fm;
    struct okno_tally counts;              /* behind the excluded figure */
    const char *null_reason;               /* static text or NULL */
    const char *flags[OKNO_KPI_FLAGS_MAX]; /* static texts, NULL-filled */
};

/* (N + k S) / n, or (Y - N - k S) / n for loyalty. `n` must not be 0. */
double okno_kpi_index(enum okno_question_kind kind, const struct okno_tally *tally, double k);

/* All figures of a group. Pure; k in 0..1. */
void okno_kpi_figures(const struct okno_kpi_sums *sums, double k,
                      struct okno_kpi_figure ret_figures[OKNO_INDICATOR_COUNT]);

/* The gate on the excluded FM level: `evaluable`, `not_advisable` (level above the threshold) or
 * `not_evaluable` (no level). */
const char *okno_kpi_fm_gate(const struct okno_kpi_figure *fm_level, double threshold);

/* One row of counts.csv. */
struct okno_count_row {
    int64_t from_us, to_us, count;
};

/* Sum of the rows that tile [from, to) exactly; null_reason `counts_incomplete` for a hole, an
 * overlap or nothing, `count_crosses_period` for a row across the border. Rows ordered by from_us.
 * Pure. */
struct okno_kpi_count okno_kpi_tile(const struct okno_count_row *rows, size_t count,
                                    int64_t from_us, int64_t to_us);

/* Cherry-picking alarm: with at least this many transactions, an exact conversion strictly below
 * half of the median of the site's employees who have as many. */
enum { OKNO_CHERRY_TRANSACTIONS = 30 };
bool okno_kpi_cherry_picking(double conversion, int64_t transactions, double median);
/* Of an even number the mean of the two in the middle; reorders the values. count > 0. */
double okno_kpi_median(double *values, size_t count);

/* One group against another. */
struct okno_kpi_difference {
    double value, low, high; /* of the first minus the second */
    double p;                /* two-sided, that there is none */
    double p_adjusted;       /* for the number compared, see okno_kpi_holm */
    int64_t n, n_other;
};

/* The difference of an index between two sets of different surveys: normal approximation with each
 * set's own variance (Welch), z the quantile of the interval. False: fewer than two surveys in one.
 */
bool okno_kpi_difference(enum okno_question_kind kind, const struct okno_tally *a,
                         const struct okno_tally *b, double k, double z,
                         struct okno_kpi_difference *ret_difference);

/* Fill p_adjusted of all that are compared at once (S. Holm 1979: the probability of any false
 * alarm among them stays below the level). Reorders the pointers. */
void okno_kpi_holm(struct okno_kpi_difference **differences, size_t count);

/* What surveys are grouped by; hour..month follow the site's local calendar. */
enum okno_group_by {
    OKNO_BY_GROUP = 1,
    OKNO_BY_SITE = 2,
    OKNO_BY_POINT = 4,
    OKNO_BY_EMPLOYEE = 8,
    OKNO_BY_QUESTION = 16,
    OKNO_BY_HOUR = 32,
    OKNO_BY_DAY = 64,
    OKNO_BY_WEEK = 128,
    OKNO_BY_MONTH = 256
};

/* Number of group words, and the word and bit of each, in the order they print. */
#define OKNO_GROUP_WORDS 9
const char *okno_group_word(size_t place);
/* "site,point" to bits; OKNO_INVALID names the word at fault. NULL or "": 0. */
OKNO_CHECK int okno_group_parse(const char *text, unsigned *ret_by, struct okno_err *err);

struct okno_kpi_query {
    int64_t from_us, to_us;
    unsigned by; /* bits of enum okno_group_by */
    /* from_us and to_us are midnights of dates as if in UTC: each site's period goes from the
     * beginning of the first date to the beginning of the second in its own calendar. */
    bool local;
    bool recount; /* read every survey, use no maintained sums: the same result, slower */
};

struct okno_reason_count {
    char reason[64];
    int64_t count;
};
OKNO_VEC(okno_reason_vec, struct okno_reason_count);

struct okno_kpi_group {
    char *value[OKNO_GROUP_WORDS]; /* owned; NULL where not grouped by; "unassigned" employee */
    struct okno_kpi_sums sums;
    struct okno_reason_vec excluded; /* ordered by reason */
    int64_t from_us, to_us;          /* the asked period within the group's pieces of calendar; 0, 0
                                        where its sites' calendars differ */
    bool cherry_picking;             /* grouped by employee: see okno_kpi_cherry_picking */
    double site_conversion;          /* the median that says so */
};
OKNO_VEC(okno_group_vec, struct okno_kpi_group);

/* The value a group has for one word, NULL when it is not grouped by it. */
const char *okno_group_value(const struct okno_kpi_group *group, enum okno_group_by bit);

/* All groups of the period, ordered by their values; without `by` exactly one, even when empty.
 *
 * One view of the data for everything. Where the period begins and ends at midnights of every
 * site's calendar and no hours are asked, it is made from sums per point and day that the database
 * keeps, after days in which something changed are counted anew; else from every survey of the
 * period. Both ways give the same. Sums are of integers: their order plays no part. */
OKNO_CHECK int okno_kpi_gather(struct okno_db *db, const struct okno_kpi_query *query,
                               struct okno_group_vec *groups, struct okno_err *err);
void okno_kpi_groups_free(struct okno_group_vec *groups);

/* Tell which weight of silent surveys is configured, so that a change of it is known as a break of
 * series (figures.breaks). Writes only what is new. */
OKNO_CHECK int okno_kpi_note_weight(struct okno_db *db, double k, int64_t now_us,
                                    struct okno_err *err);

/* Bring the sums that the database keeps up to date, in a transaction of its own (or the caller's);
 * builds them where there are none yet. */
OKNO_CHECK int okno_kpi_refresh(struct okno_db *db, struct okno_err *err);
/* The same where it is worth it; nothing within a transaction. */
OKNO_CHECK int okno_kpi_upkeep(struct okno_db *db, struct okno_err *err);
/* The same if no other writes just now: what okno_kpi_gather does first. Who cannot write reads
 * what is kept and counts what changed since; the figures are the same. */
void okno_kpi_prepare(struct okno_db *db);

#endif
