/* Inside the command line: the list of imports. */
#ifndef OKNO_CLI_IMPORT_LIST_H
#define OKNO_CLI_IMPORT_LIST_H

#include "cli.h"

#include <stdint.h>

struct cli_import_choice {
    const char *kind;       /* NULL: all */
    int64_t from_us, to_us; /* of the import itself */
};

OKNO_CHECK int cli_import_list(struct cli *cli, const struct cli_import_choice *choice,
                               struct okno_err *err);

#endif
