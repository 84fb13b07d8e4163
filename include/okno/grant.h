/* Rights by site: whose surveys, footage, devices and alerts a person may see.
 *
 * Managers and staff see the sites that were granted to them, and without a grant nothing.
 * Administrators and auditors see all sites; experts see the items of their queue, whatever the
 * site. A grant is for one site, for a group of sites (those in it today, by UTC), or for all.
 */
#ifndef OKNO_GRANT_H
#define OKNO_GRANT_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/text.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum { OKNO_GRANT_SCOPE_TEXT = 80 };

struct okno_grant {
    char user[OKNO_ID_TEXT];
    char scope[OKNO_GRANT_SCOPE_TEXT]; /* all, site:ID, group:NAME */
    char author[80];
    int64_t at_us;
};
OKNO_VEC(okno_grant_vec, struct okno_grant);

/* Give or take back. Giving what is given changes nothing. OKNO_NOT_FOUND: no such user;
 * OKNO_INVALID, OKNO_UNKNOWN_REF: the scope; OKNO_REFUSED: taking back what was not given. */
OKNO_CHECK int okno_grant_set(struct okno_db *db, const char *user, const char *scope, bool granted,
                              const char *author, int64_t now_us, struct okno_err *err);

/* Those that stand, of a user (NULL: of all), by user and scope, appended. */
OKNO_CHECK int okno_grant_list(struct okno_db *db, const char *user, struct okno_grant_vec *grants,
                               struct okno_err *err);

/* A role that sees only what is granted. */
bool okno_grant_needed(const char *role);

/* The sites that a person of a role sees: NULL for all, else a JSON array of ids, sorted. The
 * caller frees *ret_sites. */
OKNO_CHECK int okno_grant_sites(struct okno_db *db, const char *user, const char *role,
                                char **ret_sites, struct okno_err *err);

#endif
