/* The command line's own frame: one table of commands, one file per command. */
#ifndef OKNO_CLI_H
#define OKNO_CLI_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>

struct okno_conf;

/* What every command gets: the global options. */
struct cli {
    const char *data_dir;
    bool json;
    struct okno_conf *conf; /* loaded before the command runs; never NULL */
};

struct cli_command {
    const char *name;    /* "import", "survey list" is one command "survey" */
    const char *summary; /* one line for `okno --help` */
    const char *help;    /* usage, options, an example */
    const char *more;    /* how it goes on where that is long; NULL */
    bool media;          /* reads recordings: needs the sandbox */
    /* Results on stdout, messages on stderr. 0 or a negative code; main prints the message and maps
     * the code to the exit status. argv[0] is the command's name. */
    int (*run)(struct cli *cli, int argc, char **argv, struct okno_err *err);
};

extern const struct cli_command *const cli_commands[]; /* NULL ends the list */

/* Open the data directory's database. */
OKNO_CHECK int cli_open_db(struct cli *cli, struct okno_db **ret_db, struct okno_err *err);

/* Who sits at the command line, for what is recorded: "local:" and the login name, else the uid. */
void cli_author(char *ret_text, size_t size);
/* Who is said to take a step of an audit (--by; NULL: who sits there): a name at the command line
 * is no login, and is recorded as such. Returns ret_text. */
#define CLI_AUTHOR_TEXT 240
const char *cli_author_named(const char *name, char *ret_text, size_t size);

/* A text, or bytes, to a file of its own, or to standard output where path is NULL. */
OKNO_CHECK int cli_put(const char *path, const struct okno_buf *text, struct okno_err *err);
/* One line of a list for people, to standard output: the line's end is added, and what strangers
 * wrote into it is calmed (okno_text_calm). */
__attribute__((format(printf, 1, 2))) void cli_line(const char *fmt, ...);
/* A whole file (`-`: standard input) of at most the buffer's maximum. */
OKNO_CHECK int cli_read(const char *path, struct okno_buf *to, struct okno_err *err);

#endif
