/* Options of a command: `--name VALUE`, `-n VALUE` and `--flag`, in any order, the rest being
 * arguments. */
#ifndef OKNO_CLI_OPTIONS_H
#define OKNO_CLI_OPTIONS_H

#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One option a command takes; exactly one of the targets is set. */
struct cli_option {
    const char *name; /* with its dashes */
    const char **text;
    bool *flag;
    int64_t *time_us; /* ISO 8601 with a zone */
    int64_t *integer;
    double *real;
};

/* Take the options out of argv[1..]; what remains is moved to the front of argv and counted in
 * *ret_rest. OKNO_USAGE names an unknown option or one without its value. */
OKNO_CHECK int cli_options(int argc, char **argv, const struct cli_option *options, size_t count,
                           int *ret_rest, struct okno_err *err);
#define CLI_OPTIONS(argc, argv, ret_rest, err, ...)                                                \
    cli_options(argc, argv, ((const struct cli_option[]){__VA_ARGS__}),                            \
                sizeof((const struct cli_option[]){__VA_ARGS__}) / sizeof(struct cli_option),      \
                ret_rest, err)

#endif
