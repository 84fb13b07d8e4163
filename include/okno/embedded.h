/* What tools/embed.c makes at build time: the SQL, the page and texts that ship with the program.
 */
#ifndef OKNO_EMBEDDED_H
#define OKNO_EMBEDDED_H

#include <jansson.h>
#include <stddef.h>

struct okno_sql_text {
    const char *name; /* NULL ends the list */
    const char *text;
};

struct okno_ui_file {
    const char *path; /* from its root, e.g. "/index.html"; NULL ends the list */
    const unsigned char *data;
    size_t len;
};

extern const struct okno_sql_text okno_sql_statements[];
extern const struct okno_sql_text okno_sql_migrations[]; /* in order of their numbers */
extern const struct okno_ui_file okno_ui_files[];        /* the page, from build/ui/dist */
extern const struct okno_ui_file okno_conf_files[];      /* e.g. "/conf/reasons.json" */

/* One of okno_conf_files, NULL without. */
const struct okno_ui_file *okno_conf_file(const char *path);

/* The same as JSON, owned by the caller. Ends the program without: only a broken build lacks one.
 */
json_t *okno_conf_json(const char *path);

#endif
