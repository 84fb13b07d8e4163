/* What concerns one person: what became of an appeal, to whoever filed it. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

enum { DECISIONS_MAX = 200, BODY_MAX = 64 << 10 };

/* ---- where messages to a person go ---- */

static int check_person(struct okno_db *db, const char *user, const char *destination,
                        struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int64_t user_known = 0;
    int64_t destination_known = 0;
    int rc = OKNO_DB_INT(db, "notify.knows_user", 0, &user_known, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = OKNO_DB_INT(db, "notify.knows_destination", 0, &destination_known, err,
                         OKNO_TEXT("destination", destination));
    if (rc < 0)
        return rc;
    if (!user_known)
        return okno_fail_field(err, OKNO_NOT_FOUND, "user", "there is no user \"%s\"",
                               okno_text_show(user, shown));
    if (*destination && !destination_known)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "destination",
                               "there is no destination \"%s\": import it first",
                               okno_text_show(destination, shown));
    return 0;
}

int okno_notify_person_set(struct okno_db *db, const char *user, const char *destination,
                           const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = check_person(db, user, destination, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "notify.add_person", NULL, err, OKNO_TEXT("user", user),
                                OKNO_TEXT("destination", destination), OKNO_INT("now", now_us),
                                OKNO_TEXT("author", author));
}

int okno_notify_person(struct okno_db *db, const char *user, char ret_destination[OKNO_ID_TEXT],
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "notify.person", &row, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    ret_destination[0] = '\0';
    if (rc == 1)
        okno_stmt_copy(row, "destination", ret_destination, OKNO_ID_TEXT);
    return rc < 0 ? rc : 0;
}

/* ---- decisions on appeals ---- */

struct decisions {
    struct okno_db *db;
    const struct okno_notify_options *options;
    const struct notify_destination_vec *destinations;
    int64_t now_us;
};

static int add_decision(const struct decisions *d, const struct notify_destination *to,
                        struct okno_stmt *row, struct okno_err *err)
{
    char key[NOTIFY_KEY_TEXT];
    int64_t ignored = 0;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX);
    okno_autojson json_t *appeal = json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:s}", "appeal", (json_int_t)okno_stmt_int(row, "appeal"),
        "survey", okno_stmt_text(row, "survey"), "site",
        okno_json_text(okno_stmt_text(row, "site")), "point",
        okno_json_text(okno_stmt_text(row, "point")), "at",
        okno_json_time(okno_stmt_int(row, "opened_at")), "outcome", okno_stmt_text(row, "outcome"));
    const struct notify_matter matter = {.db = d->db,
                                         .options = d->options,
                                         .to = to,
                                         .key = notify_make_key(key),
                                         .page = "appeals",
                                         .now_us = d->now_us};
    int rc = notify_body_appeal(&matter, appeal, &body, err);
    if (rc < 0)
        return rc;
    const struct notify_new message = {.destination = to->destination,
                                       .kind = "personal",
                                       .event = "appeal.decided",
                                       .key = key,
                                       .body = okno_buf_text(&body),
                                       .state = "waiting",
                                       .reason = "",
                                       .now_us = d->now_us,
                                       .give_up_us = d->options->give_up_us};
    return notify_add(d->db, &message, &ignored, err);
}

static int add_decisions(const struct decisions *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int64_t newest = 0;
    int rc = OKNO_DB_PREPARE(d->db, "notify.decided_appeals", &rows, err,
                             OKNO_INT("limit", DECISIONS_MAX));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const char *id = okno_stmt_text(rows, "destination");
        const struct notify_destination *to =
            id ? notify_find_destination(d->destinations, id) : NULL;
        newest = okno_stmt_int(rows, "id");
        rc = to && to->enabled ? add_decision(d, to, rows, err) : 0;
    }
    okno_stmt_reset(rows);
    return rc < 0 || newest == 0
               ? rc
               : OKNO_DB_RUN(d->db, "notify.see_appeals", NULL, err, OKNO_INT("id", newest));
}

static int read_news(struct okno_db *db, int64_t *ret_news, struct okno_err *err)
{
    return okno_db_int(db, "notify.any_decided", NULL, 0, 0, ret_news, err);
}

int notify_enqueue_appeals(struct okno_db *db, const struct okno_notify_options *options,
                           const struct notify_destination_vec *destinations, int64_t now_us,
                           bool *ret_any, struct okno_err *err)
{
    const struct decisions d = {db, options, destinations, now_us};
    int64_t news = 0;
    int rc = read_news(db, &news, err);
    *ret_any = news > 0;
    if (rc < 0 || news == 0)
        return rc;
    rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = add_decisions(&d, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}
