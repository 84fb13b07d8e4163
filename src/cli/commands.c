#include "cli.h"

/* One line per command, in the order of `okno --help`. */
/* clang-format off */
#define COMMANDS(X) \
    X(init) \
    X(user) \
    X(import) \
    X(archive) \
    X(clock) \
    X(token) \
    X(secret) \
    X(device) \
    X(hours) \
    X(question) \
    X(panel) \
    X(qr) \
    X(agreement) \
    X(alert) \
    X(notify) \
    X(comment) \
    X(audit) \
    X(camera) \
    X(backup) \
    X(check) \
    X(clip) \
    X(count) \
    X(coverage) \
    X(estimate) \
    X(link) \
    X(log) \
    X(hold) \
    X(purge) \
    X(extract) \
    X(review) \
    X(kpi) \
    X(recover) \
    X(period) \
    X(programme) \
    X(sample) \
    X(serve) \
    X(survey) \
    X(verify) \
    X(doctor) \
    X(still)
/* clang-format on */

#define DECLARE(name) extern const struct cli_command cli_##name;
COMMANDS(DECLARE)
#undef DECLARE

#define ROW(name) &cli_##name,
const struct cli_command *const cli_commands[] = {COMMANDS(ROW) NULL};
#undef ROW
