/* What people see of destinations and messages, and what they may ask. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/rows.h"
#include "okno/time.h"

#include <string.h>

enum { LIMIT_MAX = 1000, BODY_MAX = 256 << 10 };

/* Whoever asked for a test does not watch for longer. */
static const int64_t test_give_up_us = 15 * 60 * OKNO_SECOND_US;

static int destination_json(struct okno_db *db, const struct notify_destination *d,
                            json_t **ret_json, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "notify.counts", &stmt, err, OKNO_TEXT("destination", d->destination));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    const char *trouble = okno_stmt_text(stmt, "trouble");
    *ret_json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, "
        "s:I, "
        "s:o, s:o}",
        "destination", d->destination, "kind", notify_kind_text(d->kind), "url", d->url, "chat",
        d->chat, "secret", d->secret, "old_secret", d->old_secret, "user", d->user, "address",
        d->address, "sender", d->sender, "tls", d->tls ? "required" : "offered", "language",
        d->language, "time_zone", d->time_zone, "quiet", d->quiet, "photo", (int)d->photo,
        "enabled", (int)d->enabled, "waiting", (json_int_t)okno_stmt_int(stmt, "waiting"), "held",
        (json_int_t)okno_stmt_int(stmt, "held"), "dead", (json_int_t)okno_stmt_int(stmt, "dead"),
        "last_sent_at", okno_row_time(stmt, "last_sent_at"), "trouble",
        okno_json_text(trouble && *trouble ? trouble : NULL));
    return *ret_json ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the destinations");
}

int okno_notify_destinations(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_VEC(notify_destination_vec) all = {0};
    okno_autojson json_t *list = json_array();
    int rc = notify_read_destinations(db, &all, err);
    for (size_t i = 0; rc == 0 && i < all.len; i++) {
        json_t *one = NULL;
        rc = destination_json(db, &all.items[i], &one, err);
        if (rc == 0 && json_array_append_new(list, one) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the destinations");
    }
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

static json_t *delivery_json(struct okno_stmt *stmt)
{
    return json_pack(
        "{s:I, s:s, s:s, s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:o}", "delivery",
        (json_int_t)okno_stmt_int(stmt, "delivery"), "destination",
        okno_stmt_text(stmt, "destination"), "kind", okno_stmt_text(stmt, "kind"), "alert",
        okno_row_int(stmt, "alert"), "event", okno_stmt_text(stmt, "event"), "key",
        okno_stmt_text(stmt, "key"), "state", okno_stmt_text(stmt, "state"), "attempts",
        (json_int_t)okno_stmt_int(stmt, "attempts"), "next_at",
        strcmp(okno_stmt_text(stmt, "state"), "waiting") == 0 ? okno_row_time(stmt, "next_at")
                                                              : json_null(),
        "made_at", okno_row_time(stmt, "made_at"), "ended_at", okno_row_time(stmt, "ended_at"),
        "status", okno_row_int(stmt, "status"), "reason", okno_stmt_text(stmt, "reason"), "behind",
        okno_row_int(stmt, "behind"));
}

/* `delivery` 0: all. */
static int read_list(struct okno_db *db, const char *destination, const char *state,
                     int64_t delivery, int64_t limit, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "notify.list", &stmt, err, OKNO_TEXT("destination", destination),
                             OKNO_TEXT("state", state), OKNO_INT("delivery", delivery),
                             OKNO_INT("limit", limit));
    return rc < 0 ? rc : okno_rows_list(stmt, delivery_json, ret_list, err);
}

int okno_notify_list(struct okno_db *db, const char *destination, const char *state, int64_t limit,
                     json_t **ret_list, struct okno_err *err)
{
    static const char states[] = "waiting held merged sent dead";
    if (state && !okno_text_is_word(state, states))
        return okno_fail_field(err, OKNO_INVALID, "state", "state \"%.40s\": allowed are %s", state,
                               states);
    limit = limit < 1 ? 1 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    return read_list(db, destination, state, 0, limit, ret_list, err);
}

int okno_notify_get(struct okno_db *db, int64_t delivery, json_t **ret_message,
                    struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    int rc = delivery > 0 ? read_list(db, NULL, NULL, delivery, 1, &list, err) : 0;
    if (rc == 0 && json_array_size(list) == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no message %lld", (long long)delivery);
    if (rc == 0)
        *ret_message = json_incref(json_array_get(list, 0));
    return rc;
}

int okno_notify_retry(struct okno_db *db, int64_t delivery, int64_t give_up_us, int64_t now_us,
                      int64_t *ret_count, struct okno_err *err)
{
    int64_t count = 0;
    int rc = OKNO_DB_RUN(db, "notify.retry", &count, err, OKNO_INT("delivery", delivery),
                         OKNO_INT("now", now_us), OKNO_INT("give_up", now_us + give_up_us));
    if (rc == 0 && delivery && !count)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no dead message %lld that could be sent",
                         (long long)delivery);
    if (rc == 0)
        *ret_count = count;
    return rc;
}

int okno_notify_test(struct okno_db *db, const char *destination,
                     const struct okno_notify_options *options, int64_t now_us,
                     int64_t *ret_delivery, struct okno_err *err)
{
    OKNO_AUTO_VEC(notify_destination_vec) all = {0};
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX);
    char key[NOTIFY_KEY_TEXT];
    int rc = notify_read_destinations(db, &all, err);
    const struct notify_destination *to =
        rc == 0 ? notify_find_destination(&all, destination) : NULL;
    if (rc == 0 && !to)
        rc = okno_fail(err, OKNO_NOT_FOUND, "there is no destination \"%.64s\"", destination);
    if (rc == 0 && !to->enabled)
        rc = okno_fail(err, OKNO_REFUSED, "destination %s is at rest (enabled false)", destination);
    if (rc < 0)
        return rc;
    struct notify_matter matter = {db, options, to, notify_make_key(key), NULL, now_us};
    rc = notify_body_test(&matter, &body, err);
    struct notify_new message = {.destination = to->destination,
                                 .kind = "test",
                                 .event = "test",
                                 .key = key,
                                 .body = okno_buf_text(&body),
                                 .state = "waiting",
                                 .reason = "",
                                 .now_us = now_us,
                                 .give_up_us = options->give_up_us < test_give_up_us
                                                   ? options->give_up_us
                                                   : test_give_up_us};
    return rc < 0 ? rc : notify_add(db, &message, ret_delivery, err);
}
