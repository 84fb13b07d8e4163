/* Maps: how a table that another program exported becomes rows of an import kind. A map is a file
 * in the syntax of okno.conf; docs/import.md describes it, conf/maps/ holds examples.
 *
 * A map belongs to one import at a time. */
#ifndef OKNO_MAP_H
#define OKNO_MAP_H

#include "okno/err.h"
#include "okno/mem.h"

struct okno_import_kind;
struct okno_map;

/* Read and check a map for rows of that kind, which must outlive it. OKNO_CONFIG names file, line,
 * what is wrong and what is allowed. The caller owns *ret_map. */
OKNO_CHECK int okno_map_load(const char *path, const struct okno_import_kind *kind,
                             struct okno_map **ret_map, struct okno_err *err);

/* The same from a text; `path` is for messages. */
OKNO_CHECK int okno_map_parse(const char *path, const char *text,
                              const struct okno_import_kind *kind, struct okno_map **ret_map,
                              struct okno_err *err);

void okno_map_free(struct okno_map *map);
OKNO_CLEANUP(okno_map, okno_map_free);

#endif
