/* Passwords for commands: from standard input, or made here and shown once. */
#ifndef OKNO_CLI_PASSWORD_H
#define OKNO_CLI_PASSWORD_H

#include "okno/err.h"
#include "okno/user.h"

#include <stdbool.h>

enum { CLI_PASSWORD_TEXT = OKNO_PASSWORD_BYTES_MAX + 2 };

/* The first line of standard input when from_stdin, else a made one. */
OKNO_CHECK int cli_password_get(bool from_stdin, char ret_password[CLI_PASSWORD_TEXT],
                                struct okno_err *err);

/* Print what was made, once; nothing for a password from standard input. Wipes the password. */
void cli_password_done(bool from_stdin, const char *user, char password[CLI_PASSWORD_TEXT]);

#endif
