/* One turn of the queue: claim what is due, send it, keep what came of it. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/evidence.h"
#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const int64_t second_us = OKNO_SECOND_US;

/* A message that was claimed and is on its way, or about to be. */
struct sending {
    int64_t delivery;
    int64_t attempts, give_up_us;
    enum notify_kind kind;
    int64_t made_us, extra_us; /* of e-mail: what its length takes */
    char key[OKNO_ID_TEXT];    /* whole: it is a letter's Message-ID */
    char *body;                /* owned until it is started */
    char photo[OKNO_SHA256_TEXT];
    const struct notify_destination *to; /* until the turn's destinations go */
};
OKNO_VEC(sending_vec, struct sending);

struct okno_notify {
    struct okno_db *db;
    struct okno_notify_options options;
    struct okno_post *post;
    struct sending_vec under_way;
    int64_t forgot_us; /* when old messages were last removed; 0: never */
};

void okno_notify_close(struct okno_notify *notify)
{
    if (!notify)
        return;
    int rc = 0; /* what cannot be given back now is free when its lease ends */
    for (size_t i = 0; rc == 0 && i < notify->under_way.len; i++)
        rc = OKNO_DB_RUN(notify->db, "notify.unlease", NULL, NULL,
                         OKNO_INT("delivery", notify->under_way.items[i].delivery));
    sending_vec_free(&notify->under_way);
    okno_post_close(notify->post);
    free(notify);
}

int okno_notify_open(struct okno_db *db, const struct okno_notify_options *options,
                     struct okno_notify **ret_notify, struct okno_err *err)
{
    OKNO_AUTO(okno_notify) *notify = calloc(1, sizeof(*notify));
    struct okno_post_limits limits = {.connect_us = options->deadline_us,
                                      .deadline_us = options->deadline_us,
                                      .in_flight = 2 * NOTIFY_DESTINATIONS_MAX, /* a test beside */
                                      .allow_private = options->allow_private,
                                      .ca_file = options->ca_file};
    if (!notify)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for messages");
    notify->db = db;
    notify->options = *options;
    int rc = sodium_init() < 0 ? okno_fail(err, OKNO_FAILED, "no source of randomness")
                               : okno_post_open(&limits, &notify->post, err);
    if (rc == 0)
        *ret_notify = okno_mem_take(&notify);
    return rc;
}

/* --- what came of a message */

static int settle(struct okno_notify *notify, const struct sending *sending,
                  const struct notify_ruling *ruling, int64_t now_us, struct okno_err *err)
{
    const char *state = ruling->fate == NOTIFY_SENT ? "sent" : "dead";
    char reason[NOTIFY_REASON_TEXT + 40];
    int64_t next_us = now_us;
    (void)snprintf(reason, sizeof(reason), "%s", ruling->reason);
    if (ruling->fate == NOTIFY_RETRY) {
        int64_t wait_us = notify_backoff(sending->attempts, notify->options.retry_us,
                                         randombytes_uniform(1000001));
        next_us += wait_us > ruling->wait_us ? wait_us : ruling->wait_us;
        if (now_us >= sending->give_up_us)
            (void)snprintf(reason, sizeof(reason), "given up: %s", ruling->reason);
        else
            state = "waiting";
        if (next_us > sending->give_up_us && now_us < sending->give_up_us)
            next_us = sending->give_up_us; /* one last time */
    }
    return OKNO_DB_RUN(notify->db, "notify.settle", NULL, err,
                       OKNO_INT("delivery", sending->delivery), OKNO_TEXT("state", state),
                       OKNO_INT("next", next_us), OKNO_INT("status", ruling->status),
                       OKNO_TEXT("reason", reason), OKNO_INT("now", now_us));
}

static int take_result(struct okno_notify *notify, struct okno_post_result *result, int64_t now_us,
                       struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < notify->under_way.len; i++) {
        struct sending *sending = &notify->under_way.items[i];
        if (sending->delivery != result->tag)
            continue;
        struct notify_ruling ruling = notify_judge(sending->kind, result);
        rc = settle(notify, sending, &ruling, now_us, err);
        if (rc < 0)
            return rc; /* the lease ends by itself: it is sent again, with the same key */
        *sending = notify->under_way.items[--notify->under_way.len];
        break;
    }
    return rc;
}

static int take_results(struct okno_notify *notify, int64_t now_us, bool *ret_any,
                        struct okno_err *err)
{
    struct okno_post_result result;
    int rc = 0;
    while (rc == 0 && okno_post_next(notify->post, &result)) {
        rc = take_result(notify, &result, now_us, err);
        okno_buf_free(&result.body);
        *ret_any = true;
    }
    return rc;
}

/* --- starting */

/* Signed by the secret, and by the one before it while it is changed. */
static int sign(struct okno_notify *notify, const struct sending *sending, int64_t seconds,
                char *ret_header, size_t size, struct okno_err *err)
{
    char secret[OKNO_SECRET_TEXT];
    char hex[65];
    int rc = okno_registry_secret(notify->db, sending->to->secret, secret, err);
    if (rc < 0)
        return rc;
    int used = snprintf(ret_header, size, "Okno-Signature: t=%lld,v1=%s", (long long)seconds,
                        notify_sign(secret, seconds, sending->body, hex));
    if (*sending->to->old_secret) {
        rc = okno_registry_secret(notify->db, sending->to->old_secret, secret, err);
        if (rc == 0)
            (void)snprintf(ret_header + used, size - (size_t)used, ",v1=%s",
                           notify_sign(secret, seconds, sending->body, hex));
    }
    sodium_memzero(secret, sizeof(secret));
    return rc;
}

static int start_webhook(struct okno_notify *notify, const struct sending *sending, int64_t now_us,
                         struct okno_err *err)
{
    char signature[256];
    char key[OKNO_ID_TEXT + 20];
    int rc = sign(notify, sending, now_us / second_us, signature, sizeof(signature), err);
    (void)snprintf(key, sizeof(key), "Idempotency-Key: %s", sending->key);
    const char *headers[] = {"Content-Type: application/json", "Accept: */*", key, signature, NULL};
    struct okno_post_request request = {.url = sending->to->url,
                                        .headers = headers,
                                        .body = sending->body,
                                        .tag = sending->delivery};
    return rc < 0 ? rc : okno_post_start(notify->post, &request, err);
}

/* Where the photo lies that may leave the house: what masks hide, the copy without it. */
static int place_photo(struct okno_notify *notify, const char *sha256, char *ret_path, size_t size,
                       struct okno_err *err)
{
    char tag[96];
    bool masked = false;
    int64_t bytes = 0;
    okno_autoclose int fd = -1;
    const char *dir = okno_db_dir(notify->db);
    int rc = okno_copy_is_masked(notify->db, sha256, &masked, err);
    if (rc == 0 && masked)
        return okno_copy_get(notify->db, dir, sha256, OKNO_COPY_VIEW, ret_path, size, tag, err);
    if (rc == 0)
        rc = okno_evidence_open(dir, sha256, NULL, &fd, &bytes, err);
    return rc < 0 ? rc : okno_evidence_path(dir, sha256, ret_path, size, err);
}

/* "" without a photo. One that was lost or changed since holds no message up: it goes without. */
static int photo_path(struct okno_notify *notify, struct sending *sending, char *ret_path,
                      size_t size, struct okno_err *err)
{
    struct okno_err why = {0};
    ret_path[0] = '\0';
    if (!*sending->photo)
        return 0;
    int rc = place_photo(notify, sending->photo, ret_path, size, &why);
    if (rc != OKNO_GONE && rc != OKNO_CHECK_FAILED)
        return rc < 0 ? okno_fail(err, rc, "%s", why.text) : 0;
    ret_path[0] = sending->photo[0] = '\0';
    return 0;
}

/* The address holds the token: it is made here and wiped here, and nothing prints it. */
static int start_telegram(struct okno_notify *notify, struct sending *sending, struct okno_err *err)
{
    char token[OKNO_SECRET_TEXT];
    char url[OKNO_SECRET_TEXT + 600];
    char path[1300];
    char key[OKNO_ID_TEXT + 20];
    size_t len = strlen(notify->options.telegram_url);
    if (len == 0)
        return okno_fail(err, OKNO_CONFIG, "notify.telegram_url of the configuration is empty");
    int rc = photo_path(notify, sending, path, sizeof(path), err);
    if (rc == 0)
        rc = okno_registry_secret(notify->db, sending->to->secret, token, err);
    if (rc < 0)
        return rc;
    if (strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-") !=
        strlen(token))
        rc = okno_fail(err, OKNO_CONFIG, "secret %s is no token of a bot", sending->to->secret);
    while (len && notify->options.telegram_url[len - 1] == '/')
        len--;
    bool photo = *sending->photo != '\0';
    (void)snprintf(url, sizeof(url), "%.*s/bot%s/%s", (int)len, notify->options.telegram_url, token,
                   photo ? "sendPhoto" : "sendMessage");
    (void)snprintf(key, sizeof(key), "Idempotency-Key: %s", sending->key);
    const struct okno_post_part parts[] = {
        {.name = "chat_id", .text = sending->to->chat},
        {.name = "parse_mode", .text = "HTML"},
        {.name = photo ? "caption" : "text", .text = sending->body},
        {.name = "photo", .path = path, .file_name = "photo.jpg", .type = "image/jpeg"},
    };
    const char *headers[] = {key, NULL};
    struct okno_post_request request = {.url = url,
                                        .headers = headers,
                                        .parts = parts,
                                        .part_count = photo ? 4 : 3,
                                        .tag = sending->delivery};
    if (rc == 0)
        rc = okno_post_start(notify->post, &request, err);
    sodium_memzero(token, sizeof(token));
    sodium_memzero(url, sizeof(url));
    return rc;
}

static int start_email(struct okno_notify *notify, struct sending *sending, struct okno_err *err)
{
    char path[1300];
    int rc = photo_path(notify, sending, path, sizeof(path), err);
    if (rc < 0)
        return rc;
    struct notify_letter letter = {.to = sending->to,
                                   .key = sending->key,
                                   .body = sending->body,
                                   .photo_path = path,
                                   .made_us = sending->made_us,
                                   .delivery = sending->delivery};
    return notify_mail_start(notify->db, notify->post, &letter,
                             notify->options.deadline_us + sending->extra_us, err);
}

/* A message that cannot even be started waits like one that was not taken. */
static int start(struct okno_notify *notify, struct sending *sending, int64_t now_us,
                 struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = sending->kind == NOTIFY_TELEGRAM ? start_telegram(notify, sending, &why)
             : sending->kind == NOTIFY_EMAIL  ? start_email(notify, sending, &why)
                                              : start_webhook(notify, sending, now_us, &why);
    okno_autofree char *body = okno_mem_take(&sending->body);
    if (rc == 0)
        return sending_vec_push(&notify->under_way, *sending) < 0
                   ? okno_fail(err, OKNO_NO_MEMORY, "no memory for messages")
                   : 0;
    struct notify_ruling ruling = {.fate = NOTIFY_RETRY};
    (void)snprintf(ruling.reason, sizeof(ruling.reason), "%.180s", why.text);
    return settle(notify, sending, &ruling, now_us, err);
}

/* --- claiming */

static bool is_under_way(const struct okno_notify *notify, int64_t delivery)
{
    for (size_t i = 0; i < notify->under_way.len; i++)
        if (notify->under_way.items[i].delivery == delivery)
            return true;
    return false;
}

static void sooner(int64_t *next_us, int64_t at_us)
{
    *next_us = at_us < *next_us ? at_us : *next_us;
}

/* What was read of a head, before anything is written. */
struct head {
    struct sending sending;
    int64_t alert, made_us;
    bool wants_photo;
};
OKNO_VEC(head_vec, struct head);

static void drop_heads(struct head_vec *heads)
{
    for (size_t i = 0; i < heads->len; i++)
        free(heads->items[i].sending.body);
    head_vec_free(heads);
}
#define AUTO_HEADS __attribute__((cleanup(drop_heads))) struct head_vec

static int read_head(struct okno_stmt *stmt, const struct notify_destination *to,
                     struct head *ret_head, struct okno_err *err)
{
    struct head head = {.alert = okno_stmt_int(stmt, "alert"),
                        .made_us = okno_stmt_int(stmt, "made_at"),
                        .wants_photo = okno_stmt_int(stmt, "photo") != 0};
    head.sending = (struct sending){.delivery = okno_stmt_int(stmt, "delivery"),
                                    .attempts = okno_stmt_int(stmt, "attempts") + 1,
                                    .give_up_us = okno_stmt_int(stmt, "give_up_at"),
                                    .kind = to->kind,
                                    .made_us = okno_stmt_int(stmt, "made_at"),
                                    .to = to};
    okno_stmt_copy(stmt, "key", head.sending.key, sizeof(head.sending.key));
    head.sending.body = strdup(okno_stmt_text(stmt, "body"));
    if (head.sending.body && to->kind == NOTIFY_EMAIL)
        head.sending.extra_us = notify_mail_extra_us(strlen(head.sending.body));
    *ret_head = head;
    return head.sending.body ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a message");
}

/* Heads that may be sent now; *next_us: when others may. */
static int read_due(struct okno_notify *notify, const struct notify_destination_vec *destinations,
                    int64_t now_us, struct head_vec *heads, int64_t *next_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(notify->db, "notify.heads", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct head head;
        const struct notify_destination *to =
            notify_find_destination(destinations, okno_stmt_text(stmt, "destination"));
        int64_t due_us = okno_stmt_int(stmt, "next_at");
        int64_t lease_us = okno_stmt_int(stmt, "lease_until");
        rc = 0;
        if (!to || !to->enabled || is_under_way(notify, okno_stmt_int(stmt, "delivery")))
            continue;
        due_us = lease_us > due_us ? lease_us : due_us;
        if (due_us > now_us) {
            sooner(next_us, due_us);
            continue;
        }
        rc = read_head(stmt, to, &head, err);
        if (rc == 0 && head_vec_push(heads, head) < 0) {
            free(head.sending.body);
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for messages");
        }
    }
    return rc;
}

/* The photo of the alert's rating; "" for none so far. */
static int find_photo(struct okno_notify *notify, struct head *head,
                      char ret_survey[OKNO_ID_TEXT * 2], struct okno_err *err)
{
    okno_autojson json_t *alert = NULL;
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_alert_get(notify->db, head->alert, &alert, err);
    if (rc < 0)
        return rc;
    (void)snprintf(ret_survey, OKNO_ID_TEXT * 2, "%.128s",
                   json_string_value(json_object_get(alert, "subject")));
    rc = OKNO_DB_PREPARE(notify->db, "notify.still", &stmt, err, OKNO_TEXT("survey", ret_survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "sha256", head->sending.photo, sizeof(head->sending.photo));
    return rc < 0 ? rc : 0;
}

/* A picture that leaves the house is written down before it does. */
static int disclose(struct okno_notify *notify, const struct head *head, const char *survey,
                    int64_t now_us, struct okno_err *err)
{
    char user[OKNO_ID_TEXT + 8];
    char detail[300];
    (void)snprintf(user, sizeof(user), "notify:%s", head->sending.to->destination);
    (void)snprintf(detail, sizeof(detail), "%s message %lld alert %lld", survey,
                   (long long)head->sending.delivery, (long long)head->alert);
    return OKNO_DB_RUN(notify->db, "notify.disclose", NULL, err, OKNO_TEXT("user", user),
                       OKNO_TEXT("sha256", head->sending.photo), OKNO_TEXT("detail", detail),
                       OKNO_INT("now", now_us));
}

/* 1: claimed; 0: somebody else has it, or it waits for its photo. */
static int claim(struct okno_notify *notify, struct head *head, int64_t now_us, int64_t *next_us,
                 struct okno_err *err)
{
    char survey[OKNO_ID_TEXT * 2] = "";
    int64_t changed = 0;
    int rc = head->wants_photo ? find_photo(notify, head, survey, err) : 0;
    if (rc < 0)
        return rc;
    if (head->wants_photo && !*head->sending.photo &&
        now_us < head->made_us + notify->options.photo_wait_us) {
        sooner(next_us, now_us + 5 * second_us);
        return OKNO_DB_RUN(notify->db, "notify.postpone", NULL, err,
                           OKNO_INT("delivery", head->sending.delivery),
                           OKNO_INT("next", now_us + 5 * second_us));
    }
    rc = OKNO_DB_RUN(notify->db, "notify.claim", &changed, err,
                     OKNO_INT("delivery", head->sending.delivery), OKNO_INT("now", now_us),
                     OKNO_INT("until", now_us + notify->options.deadline_us +
                                           head->sending.extra_us + 5 * second_us));
    if (rc == 0 && changed && *head->sending.photo)
        rc = disclose(notify, head, survey, now_us, err);
    return rc < 0 ? rc : changed != 0;
}

static int claim_all(struct okno_notify *notify, struct head_vec *heads, int64_t now_us,
                     int64_t *next_us, struct okno_err *err)
{
    size_t kept = 0;
    int rc = okno_db_begin(notify->db, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc >= 0 && i < heads->len; i++) {
        rc = claim(notify, &heads->items[i], now_us, next_us, err);
        if (rc != 1)
            continue;
        struct head claimed = heads->items[i];
        heads->items[i] = heads->items[kept];
        heads->items[kept++] = claimed;
    }
    if (rc < 0) {
        okno_db_rollback(notify->db);
        return rc;
    }
    rc = okno_db_commit(notify->db, err);
    for (size_t i = 0; rc == 0 && i < kept; i++)
        rc = start(notify, &heads->items[i].sending, now_us, err);
    return rc < 0 ? rc : kept > 0;
}

/* --- the turn */

static int forget_old(struct okno_notify *notify, int64_t now_us, struct okno_err *err)
{
    if (notify->forgot_us && now_us - notify->forgot_us < 3600 * second_us)
        return 0;
    notify->forgot_us = now_us;
    return OKNO_DB_RUN(notify->db, "notify.forget", NULL, err,
                       OKNO_INT("before", now_us - notify->options.keep_us));
}

static int send_due(struct okno_notify *notify, const struct notify_destination_vec *destinations,
                    int64_t now_us, int64_t *next_us, struct okno_err *err)
{
    AUTO_HEADS heads = {0};
    int rc = read_due(notify, destinations, now_us, &heads, next_us, err);
    return rc < 0 || heads.len == 0 ? rc : claim_all(notify, &heads, now_us, next_us, err);
}

int okno_notify_turn(struct okno_notify *notify, int64_t now_us, int64_t wait_us,
                     int64_t *ret_next_us, struct okno_err *err)
{
    OKNO_AUTO_VEC(notify_destination_vec) destinations = {0};
    int64_t next_us = INT64_MAX;
    bool any = false;
    bool decided = false;
    int rc = notify_read_destinations(notify->db, &destinations, err);
    if (rc == 0)
        rc = notify_enqueue(notify->db, &notify->options, &destinations, now_us, &any, err);
    if (rc == 0)
        rc = notify_enqueue_appeals(notify->db, &notify->options, &destinations, now_us, &decided,
                                    err);
    if (rc == 0)
        rc = notify_hold(notify->db, &notify->options, &destinations, now_us, &next_us, err);
    if (rc == 0)
        rc = send_due(notify, &destinations, now_us, &next_us, err);
    any = any || decided || rc > 0;
    int64_t started_us = okno_time_monotonic();
    if (rc >= 0 && okno_post_in_flight(notify->post) > 0)
        rc = okno_post_wait(notify->post, wait_us, err);
    if (rc >= 0)
        rc = take_results(notify, now_us + okno_time_monotonic() - started_us, &any, err);
    if (rc == 0)
        rc = forget_old(notify, now_us, err);
    if (rc < 0)
        return rc;
    *ret_next_us = next_us;
    return any || okno_post_in_flight(notify->post) > 0;
}
