/* Before a frame is fixed: was everything heard that it rests on? */
#include "heard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAMED_MAX = 5 };

/* The first few devices with missing numbers by name, and how many numbers in all. */
static int count_gaps(struct okno_db *db, const struct audit_row *audit,
                      struct audit_unheard *found, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int step = 0;
    size_t used = 0;
    int rc = OKNO_DB_PREPARE(db, "audit.gaps", &stmt, err, OKNO_INT("from", audit->from_us),
                             OKNO_INT("to", audit->to_us));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1) {
        found->missing += okno_stmt_int(stmt, "missing");
        if (found->devices++ < NAMED_MAX)
            used += (size_t)snprintf(found->names + used, sizeof(found->names) - used, "%s%s",
                                     used ? ", " : "", okno_stmt_text(stmt, "device"));
    }
    return rc < 0 ? rc : step;
}

int audit_count_unheard(struct okno_db *db, const struct audit_row *audit,
                        struct audit_unheard *ret_found, struct okno_err *err)
{
    struct audit_unheard found = {0};
    int rc = OKNO_DB_INT(db, "audit.count_unheard", 0, &found.silent, err,
                         OKNO_INT("from", audit->from_us), OKNO_INT("to", audit->to_us));
    if (rc == 0)
        rc = count_gaps(db, audit, &found, err);
    if (rc == 0)
        *ret_found = found;
    return rc;
}

int audit_require_heard(const struct audit_row *audit, const struct audit_unheard *found,
                        struct okno_err *err)
{
    if (found->silent)
        return okno_fail(err, OKNO_REFUSED,
                         "%" PRId64
                         " silent surveys of the period of audit %s may be panels that "
                         "were not heard of since (`okno survey list --flag panel_unheard`): wait "
                         "for them, or accept it with --accept-unheard REASON",
                         found->silent, audit->audit);
    if (found->missing)
        return okno_fail(err, OKNO_REFUSED,
                         "%" PRId64
                         " events of the period of audit %s never came, of %s%s (`okno "
                         "device list`): have them sent, or accept it with --accept-unheard REASON",
                         found->missing, audit->audit, found->names,
                         found->devices > NAMED_MAX ? " and others" : "");
    return 0;
}
