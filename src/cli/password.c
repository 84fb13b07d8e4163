#include "password.h"

#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>

int cli_password_get(bool from_stdin, char ret_password[CLI_PASSWORD_TEXT], struct okno_err *err)
{
    if (!from_stdin) {
        (void)okno_user_make_password(ret_password);
        return 0;
    }
    if (!fgets(ret_password, CLI_PASSWORD_TEXT, stdin))
        return okno_fail(err, OKNO_MISSING, "no password on standard input");
    size_t len = strcspn(ret_password, "\r\n");
    if (ret_password[len] == '\0' && len > OKNO_PASSWORD_BYTES_MAX)
        return okno_fail(err, OKNO_INVALID, "the password is longer than %d bytes",
                         OKNO_PASSWORD_BYTES_MAX);
    ret_password[len] = '\0';
    return 0;
}

void cli_password_done(bool from_stdin, const char *user, char password[CLI_PASSWORD_TEXT])
{
    if (!from_stdin)
        printf(
            "user:     %s\npassword: %s\n(it is shown only now; change it with `okno user "
            "password %s`)\n",
            user, password, user);
    sodium_memzero(password, CLI_PASSWORD_TEXT);
}
