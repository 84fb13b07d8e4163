/* Inside the audit room: what the period's devices did not tell. */
#ifndef OKNO_AUDIT_HEARD_H
#define OKNO_AUDIT_HEARD_H

#include "room.h"

struct audit_unheard {
    int64_t silent;     /* surveys whose panels were not heard of since */
    int64_t missing;    /* running numbers that never came, next to events of the period */
    size_t devices;     /* that miss some */
    char names[5 * 68]; /* of the first of them */
};

OKNO_CHECK int audit_count_unheard(struct okno_db *db, const struct audit_row *audit,
                                   struct audit_unheard *ret_found, struct okno_err *err);

/* OKNO_REFUSED unless everything was heard. */
OKNO_CHECK int audit_require_heard(const struct audit_row *audit, const struct audit_unheard *found,
                                   struct okno_err *err);

#endif
