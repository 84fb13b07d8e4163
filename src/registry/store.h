/* Storing rows of the registry's kinds: append the next version of a key. */
#ifndef OKNO_REGISTRY_STORE_H
#define OKNO_REGISTRY_STORE_H

#include "okno/import.h"

/* okno_import_kind.start of every kind of the registry: remembers on disk which keys this import
 * held. Without state of its own. */
int registry_store_start(const struct okno_import_env *env, void **ret_ctx, struct okno_err *err);

/* Add the next version of a key unless the latest says the same already. `noun` names the
 * statements registry.same_* and registry.add_*. A key twice in one import: the first stands, an
 * equal one is a duplicate, another content OKNO_CONFLICT; so repeating a file adds nothing. */
OKNO_CHECK int registry_store(const struct okno_field *fields, size_t count, const char *noun,
                              const struct okno_import_env *env, const struct okno_value *values,
                              enum okno_stored *ret_stored, struct okno_err *err);

#endif
