/* Since when silent surveys weigh what they do: a series of figures breaks where that changed. */
#include "okno/kpi.h"

static int last_weight(struct okno_db *db, double k, bool *ret_same, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = okno_db_stmt(db, "kpi.last_weight", &row, err);
    if (rc == 0 && (rc = okno_stmt_step(row, err)) >= 0)
        *ret_same = rc == 1 && okno_stmt_real(row, "k") == k;
    return rc < 0 ? rc : 0;
}

int okno_kpi_note_weight(struct okno_db *db, double k, int64_t now_us, struct okno_err *err)
{
    bool same = false;
    int rc = last_weight(db, k, &same, err);
    if (rc < 0 || same)
        return rc;
    rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = last_weight(db, k, &same, err); /* another may have been first */
    if (rc == 0 && !same)
        rc =
            OKNO_DB_RUN(db, "kpi.add_weight", NULL, err, OKNO_INT("at", now_us), OKNO_REAL("k", k));
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}
