/* The estimator's cells in order, merged where one alone has too few results. */
#ifndef OKNO_AUDIT_POOLS_H
#define OKNO_AUDIT_POOLS_H

#include "okno/estimate.h"

/* Cells that share one observed share: one cell, or several neighbours in the order that were
 * merged. Counts are doubles: they enter sums as such, and stay below 2^53. */
struct pool {
    bool fm;                     /* of the force majeure kept apart */
    bool as_found;               /* results count in `other` whatever the class */
    enum okno_class class;       /* of its first cell */
    size_t cells;                /* how many, one after the other in the order */
    double weight[OKNO_CLASSES]; /* surveys in the frame by class as frozen */
    double frame;                /* their sum */
    double population;           /* what is drawn from: the frame, or with replacement INFINITY */
    double own;                  /* reviewed and genuine as frozen */
    double other[OKNO_CLASSES];  /* reviewed and genuine as another class */
    double none;                 /* reviewed and not genuine */
    double open;                 /* reviewed without a result, not yet set to own or none */
    double open_as_silent;       /* the same, silent if they are not genuine */
};

/* The frame as pools, and what counts without sampling. */
struct pools {
    struct pool *items; /* owned */
    size_t count;
    double a0, b0;
};

void pools_free(struct pools *pools);
#define AUTO_POOLS __attribute__((cleanup(pools_free))) struct pools

/* A sampled cell in the order: force majeure kept apart last; then by class, by stratum. */
struct place {
    const struct okno_cell *cell;
    size_t index; /* in the request */
    bool fm;      /* kept apart */
};

/* The sampled cells in order; the caller frees *ret_places. OKNO_INVALID for a cell given twice. */
OKNO_CHECK int pools_sort(const struct okno_estimate_request *request, struct place **ret_places,
                          size_t *ret_count, struct okno_err *err);

/* Pools of the cells in order. with_open: what had no result counts as looked at and stays open;
 * else it is left out, as if missing at random. */
OKNO_CHECK int pools_make(const struct okno_estimate_request *request, const struct place *places,
                          size_t count, bool with_open, struct pools *ret_pools,
                          struct okno_err *err);

/* Reviewed with a result. */
double pool_results(const struct pool *pool);

#endif
