/* Rows of archives.csv and cameras.csv, checked as opening the archive would. */
#define _POSIX_C_SOURCE 200809L
#include "okno/work.h"

#include <string.h>

/* The field at fault stands in front, as in the messages of the import itself. */
static int name_field(struct okno_err *err)
{
    size_t len = strlen(err->field);
    if (len > 0 && (strncmp(err->text, err->field, len) != 0 || err->text[len] != ':'))
        okno_err_context(err, "%s", err->field);
    return err->code;
}

static int check_archive(struct okno_db *db, const struct okno_value *values, struct okno_err *err)
{
    enum { ARCHIVE, KIND, URL, FILES, TIME_ZONE, USER, SECRET, OPTIONS };
    (void)db;
    const struct okno_archive_config config = {
        .archive = values[ARCHIVE].text,
        .kind = values[KIND].text,
        .url = values[URL].text,
        .files = values[FILES].text,
        .time_zone = values[TIME_ZONE].text,
        .user = values[USER].text,
        .password = *values[SECRET].text ? "set later" : "",
        .options = values[OPTIONS].text,
    };
    return okno_archive_check(&config, err) < 0 ? name_field(err) : 0;
}

static int check_camera(struct okno_db *db, const struct okno_value *values, struct okno_err *err)
{
    enum { ARCHIVE = 2, CHANNEL };
    struct okno_archive_row row;
    int rc = okno_registry_archive(db, values[ARCHIVE].text, &row, err);
    if (rc == 0 && okno_archive_check_channel(row.kind, values[CHANNEL].text, err) < 0)
        rc = name_field(err);
    return rc;
}

okno_row_check *okno_archive_rows_check(const char *import)
{
    return strcmp(import, "archives") == 0  ? check_archive
           : strcmp(import, "cameras") == 0 ? check_camera
                                            : NULL;
}
