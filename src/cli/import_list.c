/* okno import list: what came in, when, by whom. */
#include "import_list.h"
#include "options.h"

#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <string.h>

static int print_json(struct okno_stmt *stmt, struct okno_err *err)
{
    static const char *const numbers[] = {"read", "added", "duplicate", "rejected"};
    okno_autojson json_t *object = json_pack(
        "{sI so ss* ss* ss*}", "import", (json_int_t)okno_stmt_int(stmt, "import"), "at",
        okno_json_time(okno_stmt_int(stmt, "at")), "author", okno_stmt_text(stmt, "author"), "kind",
        okno_stmt_text(stmt, "kind"), "source", okno_stmt_text(stmt, "source"));
    for (size_t i = 0; object && i < OKNO_COUNT(numbers); i++)
        (void)json_object_set_new(object, numbers[i],
                                  json_integer(okno_stmt_int(stmt, numbers[i])));
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int print_text(struct okno_stmt *stmt)
{
    char at[OKNO_TIME_TEXT];
    cli_line("%6lld  %s  %-13s %lld read, %lld added, %lld duplicate, %lld rejected  %s  %s",
             (long long)okno_stmt_int(stmt, "import"),
             okno_time_format(okno_stmt_int(stmt, "at"), at), okno_stmt_text(stmt, "kind"),
             (long long)okno_stmt_int(stmt, "read"), (long long)okno_stmt_int(stmt, "added"),
             (long long)okno_stmt_int(stmt, "duplicate"),
             (long long)okno_stmt_int(stmt, "rejected"), okno_stmt_text(stmt, "author"),
             okno_stmt_text(stmt, "source"));
    return 0;
}

int cli_import_list(struct cli *cli, const struct cli_import_choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "cli.imports", &stmt, err, OKNO_TEXT("kind", choice->kind),
                             OKNO_INT("from", choice->from_us), OKNO_INT("to", choice->to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = cli->json ? print_json(stmt, err) : print_text(stmt);
    return rc;
}
