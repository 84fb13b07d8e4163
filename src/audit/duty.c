/* Who may take the steps of an audit: an auditor who does not run what is audited. One rule for the
 * page and for names said at the command line, held where a step is written down. */
#include "room.h"

#include "okno/mem.h"

#include <string.h>

/* The login that an author is, or was said to be at the command line. */
static const char *login_of(const char *author)
{
    static const char local[] = "local:";
    return strncmp(author, local, sizeof(local) - 1) == 0 ? author + sizeof(local) - 1 : author;
}

int audit_check_duty(struct okno_db *db, const char *audit, const char *author,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    const char *login = login_of(author);
    int rc = OKNO_DB_PREPARE(db, "audit.duty", &row, err, OKNO_TEXT("user", login),
                             OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0 || okno_stmt_int(row, "one_person"))
        return rc < 0 ? rc : 0;
    if (okno_stmt_int(row, "runs_it"))
        return okno_fail(err, OKNO_FORBIDDEN,
                         "%s is an administrator, too (by another login of the same employee): the "
                         "steps of an audit are another person's. Where there is only one, plan "
                         "with --accept-one-person REASON (accept_one_person), which the report "
                         "shows",
                         login);
    /* who logged in was asked for the role already */
    return login == author || strcmp(okno_stmt_text(row, "role"), "auditor") == 0
               ? 0
               : okno_fail(err, OKNO_FORBIDDEN, "%s is %s: the steps of an audit are an auditor's",
                           login, okno_stmt_text(row, "role"));
}

int audit_check_one_person(struct okno_db *db, const char *reason, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    if (!reason)
        return 0;
    if (reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "accept-one-person",
                               "say why one person runs the system and audits it");
    int rc = okno_db_stmt(db, "audit.independent", &row, err);
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    return rc <= 0 ? rc
                   : okno_fail_field(err, OKNO_REFUSED, "accept-one-person",
                                     "%s is an auditor and no administrator: the steps can be "
                                     "taken by that login",
                                     okno_stmt_text(row, "user"));
}
