/* Into the queue, and out of quiet hours. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/time.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_MAX = 200, BODY_MAX = 256 << 10 };

const char *notify_make_key(char ret_key[NOTIFY_KEY_TEXT])
{
    unsigned char bytes[16];
    if (sodium_init() < 0)
        abort();
    randombytes_buf(bytes, sizeof(bytes));
    return sodium_bin2hex(ret_key, NOTIFY_KEY_TEXT, bytes, sizeof(bytes));
}

int notify_add(struct okno_db *db, const struct notify_new *n, int64_t *ret_delivery,
               struct okno_err *err)
{
    return OKNO_DB_INT(
        db, "notify.add", 0, ret_delivery, err, OKNO_TEXT("destination", n->destination),
        OKNO_TEXT("kind", n->kind), OKNO_INT("alert", n->alert), OKNO_TEXT("event", n->event),
        OKNO_TEXT("key", n->key), OKNO_TEXT("body", n->body), OKNO_INT("photo", n->photo),
        OKNO_TEXT("state", n->state), OKNO_TEXT("reason", n->reason), OKNO_INT("now", n->now_us),
        OKNO_INT("give_up", n->now_us + n->give_up_us));
}

/* --- events */

struct event {
    int64_t id, alert;
    char event[16];
    bool photo, tells_end;
    char send_to[OKNO_ALERT_SEND_TEXT];
};
OKNO_VEC(event_vec, struct event);

/* Only what was a state is told to be over. */
static bool tells_end(const char *kind)
{
    for (int i = 0; i < OKNO_ALERT_KIND_COUNT; i++)
        if (strcmp(okno_alert_kind_text((enum okno_alert_kind)i), kind) == 0) {
            enum okno_alert_manner manner = okno_alert_manner_of((enum okno_alert_kind)i);
            return manner == OKNO_ALERT_STATE || manner == OKNO_ALERT_SHARE;
        }
    return false;
}

static int read_events(struct okno_db *db, struct event_vec *events, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "notify.events", &stmt, err, OKNO_INT("limit", EVENTS_MAX));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct event one = {.id = okno_stmt_int(stmt, "id"),
                            .alert = okno_stmt_int(stmt, "alert"),
                            .photo = okno_stmt_int(stmt, "photo") != 0,
                            .tells_end = tells_end(okno_stmt_text(stmt, "kind"))};
        okno_stmt_copy(stmt, "event", one.event, sizeof(one.event));
        okno_stmt_copy(stmt, "send_to", one.send_to, sizeof(one.send_to));
        rc = event_vec_push(events, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for messages")
                 : 0;
    }
    return rc;
}

struct enqueuing {
    struct okno_db *db;
    const struct okno_notify_options *options;
    const struct notify_destination_vec *destinations;
    int64_t now_us;
};

/* A rule that names nobody known must not look as if it told somebody. */
static int add_dead(const struct enqueuing *q, const struct event *event, const char *to,
                    struct okno_err *err)
{
    char key[NOTIFY_KEY_TEXT];
    int64_t ignored = 0;
    struct notify_new message = {.destination = to,
                                 .kind = "alert",
                                 .event = event->event,
                                 .key = notify_make_key(key),
                                 .body = "",
                                 .state = "dead",
                                 .reason = "there is no such destination: import it",
                                 .alert = event->alert,
                                 .now_us = q->now_us};
    return notify_add(q->db, &message, &ignored, err);
}

/* More than a person reads one by one is told together. */
static int state_for(const struct enqueuing *q, const char *to, const char **ret_state,
                     struct okno_err *err)
{
    int64_t waiting = 0;
    int rc = OKNO_DB_INT(q->db, "notify.count_waiting", 0, &waiting, err,
                         OKNO_TEXT("destination", to), OKNO_INT("limit", NOTIFY_BACKLOG_MAX));
    *ret_state = waiting >= NOTIFY_BACKLOG_MAX ? "held" : "waiting";
    return rc;
}

static int add_message(const struct enqueuing *q, const struct event *event,
                       const struct notify_destination *to, const json_t *alert,
                       struct okno_err *err)
{
    char key[NOTIFY_KEY_TEXT];
    int64_t ignored = 0;
    const char *state = NULL;
    bool photo = event->photo && to->photo && to->kind != NOTIFY_WEBHOOK &&
                 strcmp(event->event, "opened") == 0;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX);
    struct notify_matter matter = {q->db, q->options, to, notify_make_key(key), NULL, q->now_us};
    int rc = state_for(q, to->destination, &state, err);
    if (rc == 0)
        rc = notify_body_alert(&matter, alert, event->event, photo, &body, err);
    if (rc < 0)
        return rc;
    struct notify_new message = {.destination = to->destination,
                                 .kind = "alert",
                                 .event = event->event,
                                 .key = key,
                                 .body = okno_buf_text(&body),
                                 .state = state,
                                 .reason = "",
                                 .alert = event->alert,
                                 .photo = photo,
                                 .now_us = q->now_us,
                                 .give_up_us = q->options->give_up_us};
    return notify_add(q->db, &message, &ignored, err);
}

static int add_event(const struct enqueuing *q, const struct event *event, struct okno_err *err)
{
    okno_autojson json_t *alert = NULL;
    char id[OKNO_ID_TEXT];
    if (!*event->send_to || (strcmp(event->event, "closed") == 0 && !event->tells_end))
        return 0;
    int rc = okno_alert_get(q->db, event->alert, &alert, err);
    for (const char *at = event->send_to; rc == 0 && *at;) {
        size_t len = strcspn(at, " ");
        (void)snprintf(id, sizeof(id), "%.*s", (int)(len < 64 ? len : 64), at);
        const struct notify_destination *to = notify_find_destination(q->destinations, id);
        if (!to)
            rc = add_dead(q, event, id, err);
        else if (to->enabled)
            rc = add_message(q, event, to, alert, err);
        at += len + (at[len] == ' ');
    }
    return rc;
}

int notify_enqueue(struct okno_db *db, const struct okno_notify_options *options,
                   const struct notify_destination_vec *destinations, int64_t now_us, bool *ret_any,
                   struct okno_err *err)
{
    OKNO_AUTO_VEC(event_vec) events = {0};
    struct enqueuing q = {db, options, destinations, now_us};
    int rc = read_events(db, &events, err);
    *ret_any = events.len > 0;
    if (rc < 0 || events.len == 0)
        return rc;
    rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    events.len = 0; /* once more, now that nobody else can take them */
    rc = read_events(db, &events, err);
    for (size_t i = 0; rc == 0 && i < events.len; i++)
        rc = add_event(&q, &events.items[i], err);
    if (rc == 0 && events.len > 0)
        rc = OKNO_DB_RUN(db, "notify.see", NULL, err,
                         OKNO_INT("event", events.items[events.len - 1].id));
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* --- quiet hours */

static int read_held(struct okno_db *db, const char *destination, json_t *list,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "notify.held", &stmt, err, OKNO_TEXT("destination", destination),
                             OKNO_INT("limit", NOTIFY_DIGEST_MAX));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *alert = NULL;
        rc = okno_alert_get(db, okno_stmt_int(stmt, "alert"), &alert, err);
        if (rc == 0 && json_array_append_new(list, json_pack("{s:s, s:o}", "event",
                                                             okno_stmt_text(stmt, "event"), "alert",
                                                             alert)) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a digest");
    }
    return rc;
}

static int make_digest(struct okno_db *db, const struct okno_notify_options *options,
                       const struct notify_destination *to, int64_t now_us, struct okno_err *err)
{
    char key[NOTIFY_KEY_TEXT];
    char reason[80];
    int64_t held = 0;
    int64_t delivery = 0;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX);
    okno_autojson json_t *alerts = json_array();
    struct notify_matter matter = {db, options, to, notify_make_key(key), NULL, now_us};
    int rc = OKNO_DB_INT(db, "notify.count_held", 0, &held, err,
                         OKNO_TEXT("destination", to->destination));
    if (rc == 0)
        rc = read_held(db, to->destination, alerts, err);
    if (rc == 0)
        rc = notify_body_digest(&matter, alerts, held - (int64_t)json_array_size(alerts), &body,
                                err);
    if (rc < 0)
        return rc;
    struct notify_new message = {.destination = to->destination,
                                 .kind = "digest",
                                 .event = "digest",
                                 .key = key,
                                 .body = okno_buf_text(&body),
                                 .state = "waiting",
                                 .reason = "",
                                 .now_us = now_us,
                                 .give_up_us = options->give_up_us};
    rc = notify_add(db, &message, &delivery, err);
    (void)snprintf(reason, sizeof(reason), "told in the digest %lld", (long long)delivery);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "notify.merge", NULL, err,
                                OKNO_TEXT("destination", to->destination),
                                OKNO_TEXT("reason", reason), OKNO_INT("now", now_us));
}

/* In a transaction of its own, and only where there is something to do. */
static int release(struct okno_db *db, const struct okno_notify_options *options,
                   const struct notify_destination *to, int64_t held, int64_t now_us,
                   struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = held > 1 ? make_digest(db, options, to, now_us, err)
                  : OKNO_DB_RUN(db, "notify.release", NULL, err,
                                OKNO_TEXT("destination", to->destination), OKNO_INT("now", now_us),
                                OKNO_INT("give_up", now_us + options->give_up_us));
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

static int hold_one(struct okno_db *db, const struct okno_notify_options *options,
                    const struct notify_destination *to, int64_t now_us, int64_t *ret_next_us,
                    struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int64_t waiting = 0;
    int64_t held = 0;
    int rc = okno_zone_open(to->time_zone, &zone, err);
    int64_t until_us = rc == 0 ? notify_quiet_until(to->quiet, zone, now_us) : 0;
    if (rc == 0)
        rc = OKNO_DB_INT(db, "notify.count_waiting", 0, &waiting, err,
                         OKNO_TEXT("destination", to->destination), OKNO_INT("limit", 1));
    if (rc == 0 && until_us && waiting)
        rc = OKNO_DB_RUN(db, "notify.quiet", NULL, err, OKNO_TEXT("destination", to->destination),
                         OKNO_INT("until", until_us), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_INT(db, "notify.any_held", 0, &held, err,
                         OKNO_TEXT("destination", to->destination));
    if (rc < 0 || !held)
        return rc;
    if (until_us)
        *ret_next_us = until_us < *ret_next_us ? until_us : *ret_next_us;
    else if (!waiting)
        rc = release(db, options, to, held, now_us, err);
    return rc;
}

int notify_hold(struct okno_db *db, const struct okno_notify_options *options,
                const struct notify_destination_vec *destinations, int64_t now_us,
                int64_t *ret_next_us, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < destinations->len; i++)
        rc = hold_one(db, options, &destinations->items[i], now_us, ret_next_us, err);
    return rc;
}
