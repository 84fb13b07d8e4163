/* What the whole frame would have given: an indicator estimated from a random sample of its
 * surveys, with its interval. Pure; sums in a fixed order, so that the same cells give the same
 * figure bit for bit.
 *
 * A cell is a stratum and an answer as frozen. An indicator is a ratio R = A / B of totals, where a
 * genuine survey of class t adds a[t] to A and b[t] to B, and one that was ruled invalid adds
 * nothing. Source of the formulas: audit specification, section 3; variance of a ratio with finite
 * population correction after Cochran, Sampling Techniques; Wilson limits combined by the
 * MOVER-Fieller method. */
#ifndef OKNO_ESTIMATE_H
#define OKNO_ESTIMATE_H

#include "okno/err.h"
#include "okno/json.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The classes of answers; as a truth also OKNO_NONE, no survey at all. */
enum okno_class {
    OKNO_YES,
    OKNO_UNSURE,
    OKNO_NO,
    OKNO_SILENT,
    OKNO_NONE,
    OKNO_CLASSES = OKNO_NONE,
    OKNO_TRUTHS = OKNO_NONE + 1
};

#define OKNO_CELLS_MAX 100000
#define OKNO_CELL_FRAME_MAX INT64_C(1000000000)
#define OKNO_STRATUM_TEXT 160 /* site/point/day/answer */

/* "yes", "unsure", "no", "silent", "none". */
const char *okno_class_name(enum okno_class class);
/* -1 for another word. */
int okno_class_find(const char *name);

struct okno_cell {
    char stratum[OKNO_STRATUM_TEXT];
    enum okno_class class;
    bool force_majeure;         /* a cell apart */
    int64_t frame;              /* surveys in the frame */
    int64_t truth[OKNO_TRUTHS]; /* reviewed and determined, by what they really are in the domain */
    int64_t undeterminable;     /* reviewed without a result */
};

/* What a genuine survey of each class adds to numerator and denominator; b >= 0, and a = 0 where
 * b = 0. */
struct okno_ratio {
    double a[OKNO_CLASSES];
    double b[OKNO_CLASSES];
};

/* (no + k silent) / n and (yes - no - k silent) / n. */
struct okno_ratio okno_ratio_ink(double k);
struct okno_ratio okno_ratio_iel(double k);

struct okno_estimate_request {
    const struct okno_cell *cells; /* in any order; not two alike */
    size_t count;
    struct okno_ratio ratio;
    bool silent_known;     /* silent surveys are all taken as genuine, not sampled */
    bool with_replacement; /* drawn anew each time: counts may exceed the frame, no correction for
                              its being finite */
    bool fm_apart; /* force majeure is left out unless a review found it false; its cells merge
                      only with each other, and without reviews it stands */
    bool as_found; /* a class says only where a unit lies: it is worth what it was found to be,
                      which no class frozen foretells */
    bool invalid_as_silent; /* an invalid answer is a silent customer: the cells' truths say so of
                               what was found, this of what had no result */
    double level;           /* of the interval, e.g. 0.95 */
    int looks; /* intervals meant to be looked at, 1 or more: each at 1 - (1 - level)/looks */
};

/* Fields that do not apply are NAN. */
struct okno_estimate {
    const char *null_reason; /* NULL: there is a figure; `no_surveys`, `not_sampled`,
                                `too_few_reviewed` (all classes had to share one share, which
                                then says nothing), `nothing_valid` */
    double value, low, high;
    double se;        /* NAN where nothing looked at differed: the interval knows better than 0 */
    double level;     /* as asked */
    double numerator; /* A and B of the whole frame, estimated */
    double denominator;
    double all_valid;             /* the figure if every undeterminable one were genuine */
    double all_invalid;           /* and if none were */
    double worst_low, worst_high; /* the least and greatest that they allow */
    double without_silent;        /* silent_known: if no silent survey were genuine */
    int64_t frame, reviewed, undeterminable; /* reviewed: with a result */
    size_t merged;                           /* cells that share their share with others */
};

/* Estimate. ret_pools, NULL or `count` entries, gets for each cell the number of its pool (0..);
 * cells of one pool were merged, since one of them alone had fewer than two results; SIZE_MAX for a
 * cell outside every pool (empty, or silent while those are known). OKNO_INVALID names the cell
 * that contradicts itself, OKNO_TOO_LARGE, OKNO_NO_MEMORY. Without a figure it returns 0 and a
 * null_reason. */
OKNO_CHECK int okno_estimate(const struct okno_estimate_request *request, size_t *ret_pools,
                             struct okno_estimate *ret_estimate, struct okno_err *err);

/* z with P(|Z| <= z) = level for a standard normal Z. */
double okno_normal_z(double level);

/* Wilson limits of a share from `hits` of `looked`, drawn from `frame` without replacement; with
 * replacement `frame` is INFINITY. */
struct okno_limits {
    double low, high;
};
struct okno_limits okno_wilson(double share, double looked, double frame, double z);

/* A plain share of the frame, e.g. of invalid surveys. */
struct okno_share {
    double value, low, high;   /* Wilson with finite population correction */
    int64_t at_least, at_most; /* exact (hypergeometric) bounds of the number in the frame */
};
/* OKNO_INVALID unless 0 <= hits <= looked <= frame, looked > 0. */
OKNO_CHECK int okno_share_estimate(int64_t hits, int64_t looked, int64_t frame, double level,
                                   struct okno_share *ret_share, struct okno_err *err);

/* How many to review so that a share near p is known to +-half_width (Cochran). */
int64_t okno_size_for_width(double p, double half_width, double level, int64_t frame);
/* How many to review to see at least one of `defects` among `frame` with a risk of missing all not
 * above `risk`. */
int64_t okno_size_for_discovery(int64_t defects, int64_t frame, double risk);
/* How many to review so that, with the expected share of invalid ones found (*ret_allowed of them),
 * a share of `tolerable` or more is ruled out at the given risk. Binomial, as in tables of
 * attribute sampling; 0 where more than OKNO_ATTRIBUTE_SIZE_MAX would be needed.
 * 0 <= expected < tolerable < 1. */
#define OKNO_ATTRIBUTE_SIZE_MAX 20000
int64_t okno_size_for_attribute(double expected, double tolerable, double risk,
                                int64_t *ret_allowed);

/* What is wanted of a frame of so many surveys; NAN: not asked for. Shares are above 0 and below 1.
 */
struct okno_wish {
    int64_t frame;
    double width, share; /* half-width of an interval around a share */
    double level;
    double rate;                /* of invalid ones, at least one of which is to be seen */
    double expected, tolerable; /* share found, share ruled out by it; expected may be 0 */
    double risk;
};
#define OKNO_WISH                                                                                  \
    {                                                                                              \
        .width = NAN, .share = 0.5, .level = 0.95, .rate = NAN, .tolerable = NAN, .risk = 0.05     \
    }
/* A new object with the sizes asked for: width, rate, tolerable with allowed, by the functions
 * above. OKNO_INVALID and OKNO_MISSING name the member at fault. */
OKNO_CHECK int okno_sizes(const struct okno_wish *wish, json_t **ret_sizes, struct okno_err *err);

#endif
