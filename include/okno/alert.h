/* Alerts: conditions that somebody should know of, found by rules.
 *
 * A rule says what to watch, where, and whom to tell; rules are data (import kind `alert_rules`,
 * dated, the newest row of an id stands), and some stand without being imported. A condition that
 * holds opens one alert; while that is open the same condition opens no other. What opened and
 * closed is kept in order, and messages are made from it (notify.h). */
#ifndef OKNO_ALERT_H
#define OKNO_ALERT_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/import.h"
#include "okno/json.h"
#include "okno/text.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* How a kind is judged. ONCE: a fact that never comes again; STATE: true or not true now; COUNT: so
 * many within a window; SHARE: such a part of what is in the window before now. */
enum okno_alert_manner { OKNO_ALERT_ONCE, OKNO_ALERT_STATE, OKNO_ALERT_COUNT, OKNO_ALERT_SHARE };

/* X(NAME, text, manner) */
#define OKNO_ALERT_KINDS(X)                                                                        \
    X(NEGATIVE, "negative", ONCE)                                                                  \
    X(NEGATIVES, "negatives", COUNT)                                                               \
    X(FM_BURST, "fm_burst", COUNT)                                                                 \
    X(SILENT_SHARE, "silent_share", SHARE)                                                         \
    X(INVALID_SHARE, "invalid_share", SHARE)                                                       \
    X(DEVICE_QUIET, "device_quiet", STATE)                                                         \
    X(CLOCK_JUMP, "clock_jump", STATE)                                                             \
    X(CLOCK_SUSPECT, "clock_suspect", STATE)                                                       \
    X(POINT_QUIET, "point_quiet", STATE)                                                           \
    X(ARCHIVE, "archive", STATE)                                                                   \
    X(APPEAL, "appeal", STATE)                                                                     \
    X(APPEAL_DUE, "appeal_due", STATE)                                                             \
    X(COMMISSION, "commission", STATE)

#define OKNO_ALERT_KIND_WORDS                                                                      \
    "negative negatives fm_burst silent_share invalid_share device_quiet clock_jump "              \
    "clock_suspect point_quiet archive appeal appeal_due commission"

enum okno_alert_kind {
#define OKNO_ALERT_KIND_ENUM(name, text, manner) OKNO_ALERT_##name,
    OKNO_ALERT_KINDS(OKNO_ALERT_KIND_ENUM)
#undef OKNO_ALERT_KIND_ENUM
        OKNO_ALERT_KIND_COUNT
};

const char *okno_alert_kind_text(enum okno_alert_kind kind);
enum okno_alert_manner okno_alert_manner_of(enum okno_alert_kind kind);

enum { OKNO_ALERT_SEND_TEXT = 520, OKNO_ALERT_PLACE_TEXT = 80 };

struct okno_alert_rule {
    char rule[OKNO_ID_TEXT];
    enum okno_alert_kind kind;
    char place[OKNO_ALERT_PLACE_TEXT]; /* all, site:ID, point:ID, group:NAME */
    bool per_site;                     /* COUNT, SHARE: added up per site, else per point */
    int64_t count;                     /* COUNT */
    int64_t share_ppm;                 /* SHARE: millionths */
    int64_t window_us;                 /* COUNT, SHARE; POINT_QUIET: silent for so long */
    int64_t min_n;                     /* SHARE: fewer say nothing */
    int64_t again_us;                  /* the same condition opens no sooner after it opened */
    bool photo, enabled;
    bool built_in; /* nobody stored a row of this id */
    char send_to[OKNO_ALERT_SEND_TEXT];
};
OKNO_VEC(okno_alert_rule_vec, struct okno_alert_rule);

/* ---- the pure core ---- */

/* What is known of one condition of one rule. */
struct okno_alert_facts {
    int64_t now_us;
    bool holds;             /* ONCE, STATE: the condition is true now */
    const int64_t *hits_us; /* COUNT: when, ascending; SHARE: not used */
    size_t hit_count;       /* COUNT: how many of them; SHARE: of `total` */
    int64_t total;          /* SHARE */
    bool is_open;           /* there is an open alert of this key... */
    int64_t last_at_us;     /* ...or was one before, `at` of it; INT64_MIN: never */
    int64_t last_opened_us; /* and when it opened; INT64_MIN: never */
};

enum okno_alert_step { OKNO_ALERT_LEAVE, OKNO_ALERT_OPEN, OKNO_ALERT_EXTEND, OKNO_ALERT_CLOSE };

struct okno_alert_finding {
    enum okno_alert_step step;
    int64_t at_us;    /* COUNT: the last hit of the latest full window, else now */
    int64_t first_us; /* COUNT: its first hit */
    int64_t count;    /* COUNT: hits in it; SHARE: hits */
};

/* COUNT: a window is (t - window, t] and t a hit; the latest with at least `count` hits counts. It
 * opens where t is later than the last alert's and `again` has passed, extends an open one whose
 * `at` is earlier, and closes it once window has passed since. SHARE: with min_n or more, opens at
 * the share or above, closes below it; with fewer nothing changes. */
struct okno_alert_finding okno_alert_judge(const struct okno_alert_rule *rule,
                                           const struct okno_alert_facts *facts);

/* Does the rule watch this place? `group` is the site's. NULL texts match `all` only. */
bool okno_alert_watches(const struct okno_alert_rule *rule, const char *site, const char *point,
                        const char *group);

/* ---- rules ---- */

extern const struct okno_import_kind okno_alert_rule_import; /* kind `alert_rules` */

/* All rules as they stand, disabled ones too, by id: stored ones and those built in. */
OKNO_CHECK int okno_alert_rules(struct okno_db *db, struct okno_alert_rule_vec *rules,
                                struct okno_err *err);
json_t *okno_alert_rule_json(const struct okno_alert_rule *rule);

/* What is wrong with the stored rules that are not at rest, by rule: [{"rule", "what", "text"}];
 * what: place_unknown, never (it cannot fire), destination_unknown, destination_at_rest. fm_gap_us:
 * by how much force majeure situations of a point are apart at least. */
OKNO_CHECK int okno_alert_troubles(struct okno_db *db, int64_t fm_gap_us, json_t **ret_list,
                                   struct okno_err *err);

/* ---- evaluation ---- */

struct okno_alert_refreshed {
    int64_t opened, closed, extended;
    bool more; /* news is left: call again */
};

/* Look at what is new (ratings and situations since the last call, a bounded number a call) and,
 * with `all`, at what changes by time alone: shares, devices, points, archives. liveness_us: how
 * long a device may be silent. Ratings and situations older than three days raise nothing. */
OKNO_CHECK int okno_alert_refresh(struct okno_db *db, int64_t now_us, int64_t liveness_us, bool all,
                                  struct okno_alert_refreshed *ret_counts, struct okno_err *err);

/* What okno_alert_refresh with `all` would open now, as okno_alert_list gives it; nothing is kept.
 */
OKNO_CHECK int okno_alert_try(struct okno_db *db, int64_t now_us, int64_t liveness_us,
                              json_t **ret_list, struct okno_err *err);

/* ---- alerts ---- */

/* NULL texts do not filter. `sites`: a JSON array of the sites that may be seen; NULL: all, and
 * alerts of no site only then. */
struct okno_alert_filter {
    const char *site, *point, *kind, *rule, *sites;
    int open;       /* 1: open ones, 0: closed ones, -1: both */
    int acked;      /* likewise */
    int64_t before; /* alerts with a smaller number; INT64_MAX: from the newest */
    int64_t limit;
};
#define OKNO_ALERT_FILTER_ALL                                                                      \
    {                                                                                              \
        .open = -1, .acked = -1, .before = INT64_MAX, .limit = 200                                 \
    }

/* [{"alert", "rule", "kind", "subject", "site", "point", "at", "opened_at", "closed_at",
 * "closed_why", "detail", "acked_at", "acked_by", "note"}], newest first. */
OKNO_CHECK int okno_alert_list(struct okno_db *db, const struct okno_alert_filter *filter,
                               json_t **ret_list, struct okno_err *err);
/* One of them. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_alert_get(struct okno_db *db, int64_t alert, json_t **ret_alert,
                              struct okno_err *err);

/* Somebody has seen it. The first stands; repeating it changes nothing. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_alert_ack(struct okno_db *db, int64_t alert, const char *user, const char *note,
                              int64_t now_us, struct okno_err *err);

#endif
