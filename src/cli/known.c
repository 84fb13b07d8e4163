#include "known.h"

#include "okno/registry.h"

int cli_check_known(struct okno_db *db, const char *site, const char *point, const char *employee,
                    struct okno_err *err)
{
    int rc = okno_registry_require(db, "site", site, err);
    if (rc == 0)
        rc = okno_registry_require(db, "point", point, err);
    return rc == 0 ? okno_registry_require(db, "employee", employee, err) : rc;
}
