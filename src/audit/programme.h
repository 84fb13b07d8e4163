/* Inside the audit room: a programme as stored. */
#ifndef OKNO_AUDIT_PROGRAMME_H
#define OKNO_AUDIT_PROGRAMME_H

#include "okno/programme.h"
#include "okno/text.h"
#include "okno/zone.h"

#define PROGRAMME_URL_TEXT 1000

struct programme_row {
    char programme[OKNO_ID_TEXT];
    bool paused;
    json_t *settings;          /* owned */
    struct okno_programme set; /* texts borrowed from settings */
};

void programme_free(struct programme_row *row);
#define AUTO_PROGRAMME __attribute__((cleanup(programme_free))) struct programme_row

/* As it stood at a moment; INT64_MAX: now. OKNO_NOT_FOUND. */
OKNO_CHECK int programme_load(struct okno_db *db, const char *programme, int64_t at_us,
                              struct programme_row *ret_row, struct okno_err *err);

/* The start of a local day, and of the one after it. */
OKNO_CHECK int programme_day(const struct programme_row *row, const char *day, int64_t *ret_from_us,
                             int64_t *ret_to_us, struct okno_err *err);

/* The audit of a day: PROGRAMME-YYYYMMDD. */
void programme_audit(const struct programme_row *row, const char *day, char *ret_audit,
                     size_t size);

/* A seed and how it came about. */
struct programme_seed {
    char seed[OKNO_SEED_BYTES_MAX + 1];
    char how[900], witnesses[900];
};

/* The seed of a day whose frame was pinned at `pinned_us`, if it can be had now. 1: *ret_seed; 0:
 * not before *ret_next_us. */
OKNO_CHECK int programme_seed(struct okno_db *db, struct okno_net *net,
                              const struct programme_row *row, const char *day, int64_t pinned_us,
                              int64_t now_us, struct programme_seed *ret_seed, int64_t *ret_next_us,
                              struct okno_err *err);

/* The n-th name of a list with commas; false past its end. */
bool programme_person(const char *people, size_t n, char ret_name[OKNO_ID_TEXT]);

/* Whether all who are named bound themselves for a day; true where a beacon is used. */
OKNO_CHECK int programme_is_bound(struct okno_db *db, const struct programme_row *row,
                                  const char *day, bool *ret_bound, struct okno_err *err);

#endif
