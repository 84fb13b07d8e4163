/* Inside the notify room only. */
#ifndef OKNO_NOTIFY_ROOM_H
#define OKNO_NOTIFY_ROOM_H

#include "okno/alert.h"
#include "okno/mail.h"
#include "okno/notify.h"
#include "okno/post.h"
#include "okno/text.h"
#include "okno/vec.h"
#include "okno/zone.h"

enum {
    NOTIFY_URL_TEXT = 1001,
    NOTIFY_KEY_TEXT = 33,
    NOTIFY_REASON_TEXT = 200,
    NOTIFY_DESTINATIONS_MAX = 64, /* that are contacted at a time */
    NOTIFY_BACKLOG_MAX = 100,     /* waiting for one destination; more become a digest */
    NOTIFY_DIGEST_MAX = 50        /* alerts told one by one in a digest */
};

enum notify_kind { NOTIFY_WEBHOOK, NOTIFY_TELEGRAM, NOTIFY_EMAIL, NOTIFY_KINDS };
const char *notify_kind_text(enum notify_kind kind);

struct notify_destination {
    char destination[OKNO_ID_TEXT];
    enum notify_kind kind;
    bool photo, enabled, tls;
    char url[NOTIFY_URL_TEXT];
    char chat[OKNO_ID_TEXT];
    char address[OKNO_MAIL_ADDRESS_TEXT], sender[OKNO_MAIL_ADDRESS_TEXT];
    char user[OKNO_MAIL_ADDRESS_TEXT];
    char secret[OKNO_ID_TEXT], old_secret[OKNO_ID_TEXT];
    char language[8];
    char time_zone[OKNO_ID_TEXT];
    char quiet[16];
};
OKNO_VEC(notify_destination_vec, struct notify_destination);

OKNO_CHECK int notify_read_destinations(struct okno_db *db,
                                        struct notify_destination_vec *destinations,
                                        struct okno_err *err);
/* NULL when it is not there. */
const struct notify_destination *
notify_find_destination(const struct notify_destination_vec *destinations, const char *id);

/* ---- pure ---- */

/* "22:00-08:00". The instant at which quiet hours end that hold now; 0: none hold. */
int64_t notify_quiet_until(const char *quiet, const struct okno_zone *zone, int64_t now_us);
bool notify_quiet_valid(const char *quiet);

enum notify_fate { NOTIFY_SENT, NOTIFY_RETRY, NOTIFY_DEAD };

struct notify_ruling {
    enum notify_fate fate;
    int status;      /* 0 for none */
    int64_t wait_us; /* at least, that the receiver asked for */
    char reason[NOTIFY_REASON_TEXT];
};

/* What an answer means. */
struct notify_ruling notify_judge(enum notify_kind kind, const struct okno_post_result *result);

/* The wait after the n-th attempt (1 is the first): doubled each time up to an hour, and 20 % more
 * or less by `chance` (0..1000000). */
int64_t notify_backoff(int64_t attempt, int64_t first_us, uint32_t chance);

/* Hex HMAC-SHA256 of "<seconds>.<body>". Source: RFC 2104. Returns ret_hex. */
const char *notify_sign(const char *secret, int64_t seconds, const char *body, char ret_hex[65]);

/* ---- texts ---- */

/* What a message is made of. Texts are borrowed. */
struct notify_matter {
    struct okno_db *db;
    const struct okno_notify_options *options;
    const struct notify_destination *to;
    const char *key;
    const char *page; /* that the link opens where it is about no alert; NULL: of the alerts */
    int64_t now_us;
};

/* The body for an alert's event, for a digest ({"alerts": [...], "more": n} of okno_alert_get's
 * objects), and for a test. */
OKNO_CHECK int notify_body_alert(const struct notify_matter *matter, const json_t *alert,
                                 const char *event, bool photo, struct okno_buf *body,
                                 struct okno_err *err);
OKNO_CHECK int notify_body_digest(const struct notify_matter *matter, const json_t *alerts,
                                  int64_t more, struct okno_buf *body, struct okno_err *err);
/* {appeal, survey, site, point, at (of the survey), outcome}: what became of an appeal. */
OKNO_CHECK int notify_body_appeal(const struct notify_matter *matter, const json_t *appeal,
                                  struct okno_buf *body, struct okno_err *err);
OKNO_CHECK int notify_body_test(const struct notify_matter *matter, struct okno_buf *body,
                                struct okno_err *err);

/* ---- e-mail ---- */

/* What a message by e-mail keeps in the queue: its subject, its text, its files. */
OKNO_CHECK int notify_mail_body(const char *subject, const char *text,
                                const struct okno_mail_file *files, size_t file_count,
                                struct okno_buf *body, struct okno_err *err);

/* Of a message that is being sent. Texts are borrowed. */
struct notify_letter {
    const struct notify_destination *to;
    const char *key, *body;
    const char *photo_path; /* "" for none */
    int64_t made_us, delivery;
};
/* How long an attempt may take beyond the deadline of short ones. */
int64_t notify_mail_extra_us(size_t body_len);
OKNO_CHECK int notify_mail_start(struct okno_db *db, struct okno_post *post,
                                 const struct notify_letter *letter, int64_t deadline_us,
                                 struct okno_err *err);

/* ---- the queue ---- */

/* Inside the caller's transaction. photo: one goes along. */
struct notify_new {
    const char *destination, *kind, *event, *key, *body, *state, *reason;
    int64_t alert; /* 0: none */
    bool photo;
    int64_t now_us, give_up_us;
};
OKNO_CHECK int notify_add(struct okno_db *db, const struct notify_new *message,
                          int64_t *ret_delivery, struct okno_err *err);
/* 32 hex digits by chance. Returns ret_key. */
const char *notify_make_key(char ret_key[NOTIFY_KEY_TEXT]);

/* Messages for what opened and closed since the last call. */
OKNO_CHECK int notify_enqueue(struct okno_db *db, const struct okno_notify_options *options,
                              const struct notify_destination_vec *destinations, int64_t now_us,
                              bool *ret_any, struct okno_err *err);
/* Messages to who filed an appeal that was decided since the last call, where a destination of
 * theirs is known (people.c). */
OKNO_CHECK int notify_enqueue_appeals(struct okno_db *db, const struct okno_notify_options *options,
                                      const struct notify_destination_vec *destinations,
                                      int64_t now_us, bool *ret_any, struct okno_err *err);
/* Hold back in quiet hours; make digests of what was held when they are over. *ret_next_us gets the
 * earliest end of quiet hours in which something is held. */
OKNO_CHECK int notify_hold(struct okno_db *db, const struct okno_notify_options *options,
                           const struct notify_destination_vec *destinations, int64_t now_us,
                           int64_t *ret_next_us, struct okno_err *err);

#endif
