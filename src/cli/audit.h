/* Parts of `okno audit` with files of their own. */
#ifndef OKNO_CLI_AUDIT_H
#define OKNO_CLI_AUDIT_H

#include "cli.h"

#include "okno/db.h"
#include "okno/json.h"

/* What every step takes. */
struct audit_common {
    const char *audit;
    const char *author;
    char user[CLI_AUTHOR_TEXT]; /* behind author */
};

/* After the options: argv[1] is the audit's id. */
OKNO_CHECK int audit_common_end(struct audit_common *common, int rest, char **argv,
                                const char *step, struct okno_err *err);
/* Where an audit stands, on standard output; where all of a list do (audit_print.c). */
OKNO_CHECK int audit_print(struct okno_db *db, const char *audit, bool as_json,
                           struct okno_err *err);

void audit_print_list(const json_t *list);

/* audit_escalate.c */
OKNO_CHECK int audit_escalations(struct cli *cli, int argc, char **argv, struct okno_err *err);

OKNO_CHECK int audit_plan(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* `okno audit size`: how many to review; needs no database. */
OKNO_CHECK int audit_size(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* `okno audit key` and `okno audit sign`: who may sign, and the signature (audit_sign.c). */
OKNO_CHECK int audit_key(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int audit_sign(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* `okno audit report`: the report in a format and a language; issues the first edition. */
OKNO_CHECK int audit_report(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif
