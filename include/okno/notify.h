/* Messages about alerts to the outside: webhooks, Telegram and e-mail.
 *
 * A destination is data (import kind `destinations`, the newest row of an id stands). What is to be
 * told is queued on disk and sent until the receiver took it, at least once, in order for each
 * destination, each message with a key by which a receiver knows what it has had. A destination
 * that is slow or broken delays no other. Nothing but configured destinations is ever contacted,
 * and redirects are not followed. Secrets are files in DATA/secrets, read for each message. */
#ifndef OKNO_NOTIFY_H
#define OKNO_NOTIFY_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/import.h"
#include "okno/json.h"
#include "okno/mail.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct okno_import_kind okno_destination_import; /* kind `destinations` */

struct okno_conf;

struct okno_notify_options {
    const char *public_url;   /* for links; "" for none */
    const char *telegram_url; /* https://api.telegram.org */
    const char *ca_file;      /* certificates to trust besides the system's; "" for none */
    bool allow_private;       /* destinations may have private addresses */
    int64_t deadline_us;      /* of one attempt */
    int64_t retry_us;         /* before the second attempt; doubles up to an hour */
    int64_t give_up_us;       /* after which a message is dead */
    int64_t photo_wait_us;    /* what a message waits for its photo */
    int64_t keep_us;          /* what ended is kept this long */
};
/* As configured; texts live as long as `conf`. */
struct okno_notify_options okno_notify_options_of(const struct okno_conf *conf);

struct okno_notify;

/* `db` is borrowed until the close; options' texts, too. */
OKNO_CHECK int okno_notify_open(struct okno_db *db, const struct okno_notify_options *options,
                                struct okno_notify **ret_notify, struct okno_err *err);
/* What is under way is cut off and sent again by the next who opens, with the same key. */
void okno_notify_close(struct okno_notify *notify);
OKNO_CLEANUP(okno_notify, okno_notify_close);

/* Queue what is new, hold back what quiet hours forbid, start what is due, let it go on for at most
 * wait_us, and keep what came of it. 1: something happened or is under way; 0: nothing waits before
 * *ret_next_us (UTC; INT64_MAX for nothing at all). */
OKNO_CHECK int okno_notify_turn(struct okno_notify *notify, int64_t now_us, int64_t wait_us,
                                int64_t *ret_next_us, struct okno_err *err);

/* Destinations, secrets by their names only: [{"destination", "kind", "url", "chat", "secret",
 * "old_secret", "user", "address", "sender", "tls", "language", "time_zone", "quiet", "photo",
 * "enabled", "waiting", "held", "dead", "last_sent_at", "trouble"}]. */
OKNO_CHECK int okno_notify_destinations(struct okno_db *db, json_t **ret_list,
                                        struct okno_err *err);

/* Messages, newest first: [{"delivery", "destination", "kind", "alert", "event", "key", "state",
 * "attempts", "next_at", "made_at", "ended_at", "status", "reason", "behind" (the message of the
 * same destination that goes before it; null for none)}]. NULL texts do not filter. */
OKNO_CHECK int okno_notify_list(struct okno_db *db, const char *destination, const char *state,
                                int64_t limit, json_t **ret_list, struct okno_err *err);

/* One of them. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_notify_get(struct okno_db *db, int64_t delivery, json_t **ret_message,
                               struct okno_err *err);

/* Dead messages wait again: one, or with 0 all. OKNO_NOT_FOUND when that one is not dead. */
OKNO_CHECK int okno_notify_retry(struct okno_db *db, int64_t delivery, int64_t give_up_us,
                                 int64_t now_us, int64_t *ret_count, struct okno_err *err);

/* Queue a message that says that it is a test. It overtakes alerts, holds none of them back, and is
 * given up after a quarter of an hour. OKNO_NOT_FOUND: no such destination. */
OKNO_CHECK int okno_notify_test(struct okno_db *db, const char *destination,
                                const struct okno_notify_options *options, int64_t now_us,
                                int64_t *ret_delivery, struct okno_err *err);

/* ---- to one person ---- */

/* Where messages about a person's own matters go (what became of an appeal), from now on; "":
 * nowhere. OKNO_NOT_FOUND: no such user; OKNO_UNKNOWN_REF: no such destination. */
OKNO_CHECK int okno_notify_person_set(struct okno_db *db, const char *user, const char *destination,
                                      const char *author, int64_t now_us, struct okno_err *err);
/* "" for nowhere. */
OKNO_CHECK int okno_notify_person(struct okno_db *db, const char *user,
                                  char ret_destination[OKNO_ID_TEXT], struct okno_err *err);

/* ---- e-mail with files ---- */

enum { OKNO_NOTIFY_FILES_MAX = 10, OKNO_NOTIFY_MAIL_BYTES_MAX = 10 << 20 };

/* A message of its own to a destination of kind email, e.g. a report. Texts and bytes are borrowed.
 */
struct okno_notify_mail {
    const char *destination;
    const char *subject, *text;         /* UTF-8 */
    const struct okno_mail_file *files; /* together OKNO_NOTIFY_MAIL_BYTES_MAX bytes at most */
    size_t file_count;
    const char *key; /* an id: the same message queued again is not sent again; NULL: by chance */
    int64_t now_us, give_up_us;
};

/* In which language a destination is written to. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_notify_language(struct okno_db *db, const char *destination,
                                    char ret_language[8], struct okno_err *err);

/* Queue it; it is sent like alerts: in order, again until it is taken, after quiet hours (but never
 * merged into a digest). One statement: inside the caller's transaction where there is one.
 * OKNO_NOT_FOUND: no such destination; OKNO_REFUSED: it is at rest; OKNO_INVALID: it is not of kind
 * email, or a field named is not allowed; OKNO_TOO_LARGE: too many bytes or files. */
OKNO_CHECK int okno_notify_mail(struct okno_db *db, const struct okno_notify_mail *mail,
                                int64_t *ret_delivery, struct okno_err *err);

#endif
