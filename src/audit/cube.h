/* Inside the audit room only. */
#ifndef OKNO_AUDIT_CUBE_H
#define OKNO_AUDIT_CUBE_H

#include "okno/audit.h"

#include "room.h"

/* figures.c: one row of a statement of cells. */
struct okno_audit_tally audit_tally_of(struct okno_stmt *row);

/* The tallies of a domain and kind (NULL: of every kind), the cube's; false where it was not
 * counted by what the domain asks, or there is no cube. */
bool audit_cube_find(const struct okno_audit_cube *cube, const char *audit, const char *kind,
                     const struct okno_audit_domain *domain,
                     const struct okno_tally_vec **ret_tallies);

#endif
