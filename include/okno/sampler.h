/* CS1: the draw of an audit. Anyone with the seed and the list of ids gets the same order.
 * Source: R. Rivest, consistent_sampler, as used in election audits. Pure: no database, no clock.
 *
 * Each id gets a ticket, a decimal fraction made of SHA-256(hex(SHA-256(seed)) || id); the smallest
 * tickets, compared as text, are drawn. A stratum's order is the order of the whole list with the
 * other strata left out, so a stratum is drawn by passing only its ids. */
#ifndef OKNO_SAMPLER_H
#define OKNO_SAMPLER_H

#include "okno/err.h"
#include "okno/hash.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stddef.h>

#define OKNO_SAMPLER_IDS_MAX 5000000  /* ids in one list */
#define OKNO_SAMPLER_DRAW_MAX 5000000 /* draws in one round with replacement */
#define OKNO_SAMPLER_ID_BYTES 1024    /* longest id */

/* Room for the first ticket of an id: "0.", up to 78 digits, NUL. */
#define OKNO_TICKET_TEXT 81

/* What can draw: the seed's digest as text, and the hash of every ticket begun with it. */
struct okno_sampler {
    char seed_hash[65];
    struct okno_hash begun;
};

void okno_sampler_start(struct okno_sampler *sampler, const char *seed);

/* The first ticket of an id. Returns ret_ticket. */
const char *okno_sampler_ticket(const struct okno_sampler *sampler, const char *id,
                                char ret_ticket[OKNO_TICKET_TEXT]);

/* "0." and the reversed decimal digits, at least 64, of SHA-256 of a text. Returns ret_ticket. */
const char *okno_sampler_uniform(const char *text, char ret_ticket[OKNO_TICKET_TEXT]);

/* The ticket of the next generation, greater than `ticket`; a new text that the caller frees. */
OKNO_CHECK int okno_sampler_next(const char *ticket, char **ret_next, struct okno_err *err);

/* The ticket cut to its leading nines and `digits` more, for display only; size must hold it all,
 * else it is cut shorter. Returns ret_text. */
const char *okno_sampler_short(const char *ticket, size_t digits, char *ret_text, size_t size);

struct okno_draw {
    size_t index;      /* of the id in the caller's list */
    size_t rank;       /* 1-based place in the whole order, skipped ids counted too */
    size_t generation; /* 1, or how often this id was drawn by now (with replacement) */
    char *ticket;      /* full; owned by the vector's owner */
};
OKNO_VEC(okno_draw_vec, struct okno_draw);

/* Free the tickets and the vector. */
void okno_draws_free(struct okno_draw_vec *draws);
#define OKNO_AUTO_DRAWS __attribute__((cleanup(okno_draws_free))) struct okno_draw_vec

struct okno_draw_request {
    const char *seed;       /* any text, taken byte for byte */
    const char *const *ids; /* distinct, not empty, without CR and LF; not owned */
    size_t count;
    const bool *skip; /* count entries: drawn before, left out now; NULL for none */
    size_t size;      /* how many to draw */
    bool with_replacement;
};

/* Draw. Without replacement: the `size` smallest tickets among the ids not skipped. With
 * replacement: an id drawn goes back with its next ticket; skip must be NULL.
 * OKNO_INVALID: an id that is empty, too long, twice in the list or holds CR or LF (counted from
 * 1), or fewer ids than `size`. OKNO_TOO_LARGE past the limits. *ret_draws is empty before. */
OKNO_CHECK int okno_sampler_draw(const struct okno_draw_request *request,
                                 struct okno_draw_vec *ret_draws, struct okno_err *err);

#endif
