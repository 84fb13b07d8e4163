/* The sample that a plan describes: strata, how many of each, rounds, with or without replacement.
 * Pure: the same plan, seed and frame give the same sample, when it is drawn and when it is
 * checked.
 *
 * Every stratum is drawn in the one order of the seed (sampler.h) with the other strata left out; a
 * further round goes on where the last one ended. Allocation after Neyman (Cochran, Sampling
 * Techniques, 5.5): a stratum's part grows with its surveys times the spread expected in it. */
#ifndef OKNO_SAMPLING_H
#define OKNO_SAMPLING_H

#include "okno/err.h"
#include "okno/estimate.h"
#include "okno/json.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OKNO_STRATA_MAX 20000
#define OKNO_ROUNDS_MAX 100

/* What makes a stratum; several may be joined. */
enum okno_strata {
    OKNO_STRATA_SITE = 1,
    OKNO_STRATA_POINT = 2,
    OKNO_STRATA_DAY = 4, /* of the site's calendar */
    OKNO_STRATA_ANSWER = 8
};

struct okno_sampling {
    unsigned strata; /* 0: one order of the whole frame */
    bool neyman;     /* else in proportion to the surveys of a stratum */
    bool with_replacement;
    bool silent_known;             /* silent surveys are taken as genuine: none is drawn */
    int64_t least;                 /* of each stratum, as far as it has as many */
    int64_t size;                  /* to draw; 0: what half_width asks for */
    double half_width;             /* of the share of invalid surveys; 0 with a size */
    double level;                  /* of that interval */
    double expected[OKNO_CLASSES]; /* share of invalid surveys by answer, expected before */
};

/* "site", "point", "day", "answer", joined by commas; "none" or "" is 0. OKNO_INVALID. */
OKNO_CHECK int okno_strata_parse(const char *words, unsigned *ret_strata, struct okno_err *err);
/* The same words; "none". size of ret_words: at least 32. Returns ret_words. */
const char *okno_strata_words(unsigned strata, char *ret_words, size_t size);

/* "yes=0.2,no=0.05": shares of answers not named stay. OKNO_INVALID. */
OKNO_CHECK int okno_expected_parse(const char *words, double expected[OKNO_CLASSES],
                                   struct okno_err *err);

/* What concerns the sample of a plan's JSON, into it and out of it: members that say nothing new
 * are left out. OKNO_MALFORMED. */
OKNO_CHECK int okno_sampling_put(const struct okno_sampling *sampling, json_t *plan,
                                 struct okno_err *err);
OKNO_CHECK int okno_sampling_get(const json_t *plan, struct okno_sampling *ret_sampling,
                                 struct okno_err *err);

/* The name of a survey's stratum; of site/point without strata. Returns ret_stratum. */
const char *okno_stratum_name(unsigned strata, const char *site, const char *point, const char *day,
                              const char *answer, char ret_stratum[OKNO_STRATUM_TEXT]);

/* A survey of the frame; texts borrowed. */
struct okno_unit {
    const char *id;
    const char *stratum; /* as okno_stratum_name made it */
    enum okno_class class;
};

/* How many the plan asks for in its first round. OKNO_TOO_LARGE: too many strata; OKNO_MALFORMED:
 * it does not say. */
OKNO_CHECK int okno_sampling_size(const struct okno_sampling *sampling,
                                  const struct okno_unit *units, size_t count, int64_t *ret_size,
                                  struct okno_err *err);

struct okno_pick {
    size_t index;  /* of the unit */
    int64_t place; /* 1-based, in the order of drawing: rounds, in each by ticket */
    int64_t rank;  /* 1-based, in its stratum's order */
    int round;
    size_t generation; /* how often it was drawn by now */
    char *ticket;      /* full; owned by the vector's owner */
};
OKNO_VEC(okno_pick_vec, struct okno_pick);
void okno_picks_free(struct okno_pick_vec *picks);
#define OKNO_AUTO_PICKS __attribute__((cleanup(okno_picks_free))) struct okno_pick_vec

/* All rounds, of `asked` surveys each; a round gets fewer where the frame is used up, and more
 * where `least` asks for it. *ret_picks is empty before. OKNO_INVALID, OKNO_TOO_LARGE. */
OKNO_CHECK int okno_sampling_draw(const struct okno_sampling *sampling, const char *seed,
                                  const struct okno_unit *units, size_t count, const int64_t *asked,
                                  size_t rounds, struct okno_pick_vec *ret_picks,
                                  struct okno_err *err);

/* Share out `total` over strata by weight: none gets less than `least` nor more than `most`, both
 * of which win over the total; what does not divide goes to the largest fractions, then to the
 * first. ret_sizes has `count` entries. */
OKNO_CHECK int okno_allot(const double *weight, const int64_t *least, const int64_t *most,
                          size_t count, int64_t total, int64_t *ret_sizes, struct okno_err *err);

#endif
