/* Inside the alert room only. */
#ifndef OKNO_ALERT_ROOM_H
#define OKNO_ALERT_ROOM_H

#include "okno/alert.h"

enum { ALERT_KEY_TEXT = 220 };

/* What an alert is about. Texts are borrowed; site and point may be NULL. */
struct alert_subject {
    const struct okno_alert_rule *rule;
    const char *subject, *site, *point;
};

/* "<rule>/<subject>". Returns ret_key. */
const char *alert_key(const struct alert_subject *about, char ret_key[ALERT_KEY_TEXT]);

/* is_open, last_at_us and last_opened_us of the facts. *ret_alert: the open one, 0 for none. */
OKNO_CHECK int alert_recall(struct okno_db *db, const struct alert_subject *about,
                            struct okno_alert_facts *facts, int64_t *ret_alert,
                            struct okno_err *err);

/* Judge and do what comes out, inside the caller's transaction. `detail` is borrowed; `at_us` goes
 * before the finding's where it is not INT64_MIN. */
OKNO_CHECK int alert_apply(struct okno_db *db, const struct alert_subject *about,
                           const struct okno_alert_facts *facts, json_t *detail, int64_t at_us,
                           const char *why, struct okno_alert_refreshed *counts,
                           struct okno_err *err);

/* What changes by time alone (watch.c). */
OKNO_CHECK int alert_watch(struct okno_db *db, const struct okno_alert_rule_vec *rules,
                           int64_t now_us, int64_t liveness_us, struct okno_alert_refreshed *counts,
                           struct okno_err *err);

/* Do the place and the destinations of a rule exist? OKNO_UNKNOWN_REF names the field. */
OKNO_CHECK int alert_check_targets(struct okno_db *db, const char *place, const char *send_to,
                                   struct okno_err *err);
/* Why a rule like this can never fire, whatever happens; NULL when it can. */
const char *alert_never(enum okno_alert_kind kind, const char *place, bool per_site);

/* The group of a site; "" for none. */
OKNO_CHECK int alert_group_of(struct okno_db *db, const char *site, char ret_group[OKNO_ID_TEXT],
                              struct okno_err *err);

#endif
