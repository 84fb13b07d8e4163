/* Storing rows of the registry's kinds: append the next version of a key. */
#ifndef OKNO_REGISTRY_STORE_H
#define OKNO_REGISTRY_STORE_H

#include "okno/import.h"
#include "okno/registry.h"

/* okno_import_kind.start of every kind of the registry: remembers on disk which keys this import
 * held. Without state of its own. */
int registry_store_start(const struct okno_import_env *env, void **ret_ctx, struct okno_err *err);

/* Changes the values to what the row means; texts may lie in *hours. */
typedef int registry_date_fn(const struct okno_import_env *env, struct okno_value *values,
                             struct okno_hours_row *hours, struct okno_err *err);

/* Add the next version of a key unless the latest says the same already. `noun` names the
 * statements registry.same_* and registry.add_*. A key twice in one import: the first stands, an
 * equal one is a duplicate, another content OKNO_CONFLICT; so repeating a file adds nothing.
 * `date` (may be NULL) comes after that. */
OKNO_CHECK int registry_store(const struct okno_field *fields, size_t count, const char *noun,
                              const struct okno_import_env *env, const struct okno_value *values,
                              registry_date_fn *date, enum okno_stored *ret_stored,
                              struct okno_err *err);

/* Whose opening hours a row tells. */
struct registry_hours_of {
    const char *statement; /* registry.get_site_hours or registry.get_point_hours */
    const char *id;
    const char *time_zone; /* of its calendar */
    int64_t now_us;
    const char *site; /* whose hours count while it has none; "" of a site */
};

/* What a row's from, hours and group mean, either may be "": without a date, what stands today (or
 * nothing) changes nothing, the first that are known count always, others from today on; without a
 * group the one that stands. *row is what is told, and then what is meant. */
OKNO_CHECK int registry_date_hours(struct okno_db *db, const struct registry_hours_of *of,
                                   struct okno_hours_row *row, struct okno_err *err);

#endif
