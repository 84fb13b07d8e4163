/* okno doctor: would anybody be told? Rules that cannot fire, destinations that take nothing,
 * messages that are dead. */
#define _POSIX_C_SOURCE 200809L
#include "doctor.h"

#include "okno/alert.h"
#include "okno/conf.h"
#include "okno/json.h"
#include "okno/notify.h"
#include "okno/registry.h"
#include "okno/text.h"
#include "okno/time.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 20 };

/* Where the lines go; `found`: so far of the subject at hand. */
struct sink {
    struct okno_db *db;
    doctor_line *line;
    void *ctx;
    int found;
};

OKNO_PRINTF(5, 6)
static void tell(struct sink *s, enum doctor_level level, const char *subject, const char *next,
                 const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    s->found += level != DOCTOR_OK;
    s->line(s->ctx, level, subject, text, next);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int look_at_rules(struct sink *s, const struct okno_conf *conf, struct okno_err *err)
{
    okno_autojson json_t *troubles = NULL;
    size_t i;
    const json_t *one;
    char subject[OKNO_ID_TEXT + 8];
    int rc = okno_alert_troubles(s->db, conf->survey.fm_gap_s * OKNO_SECOND_US, &troubles, err);
    s->found = 0;
    json_array_foreach(troubles, i, one)
    {
        if (i == LINES_MAX) {
            tell(s, DOCTOR_WARNING, "rules", "okno alert rules", "and %zu more",
                 json_array_size(troubles) - i);
            break;
        }
        (void)snprintf(subject, sizeof(subject), "rule %s", text_of(one, "rule"));
        tell(s, DOCTOR_WARNING, subject,
             "import alert_rules with the rule as it should be, or with enabled false", "%s",
             text_of(one, "text"));
    }
    if (rc == 0 && s->found == 0)
        tell(s, DOCTOR_OK, "rules", "", "every stored rule can fire and names who is there");
    return rc;
}

/* A destination that somebody counts on has its secret, and takes what it is sent. */
static void look_at_secret(struct sink *s, const char *subject, const char *secret)
{
    char ignored[OKNO_SECRET_TEXT];
    struct okno_err why = {0};
    if (!*secret)
        return;
    int rc = okno_registry_secret(s->db, secret, ignored, &why);
    sodium_memzero(ignored, sizeof(ignored));
    if (rc < 0)
        tell(s, DOCTOR_ERROR, subject, "okno secret set, or chmod 600 its file in DATA/secrets",
             "%s", why.text);
}

static void look_at_queue(struct sink *s, const char *subject, struct okno_stmt *stmt)
{
    char since[OKNO_TIME_TEXT];
    char next[OKNO_TIME_TEXT];
    char command[120];
    long long waiting = (long long)okno_stmt_int(stmt, "waiting");
    long long dead = (long long)okno_stmt_int(stmt, "dead");
    long long attempts = (long long)okno_stmt_int(stmt, "attempts");
    const char *destination = okno_stmt_text(stmt, "destination");
    if (waiting && !okno_stmt_int(stmt, "enabled"))
        tell(s, DOCTOR_WARNING, subject, "import it with enabled true",
             "%lld message(s) wait for it, but it is at rest", waiting);
    else if (waiting && attempts)
        tell(s, DOCTOR_ERROR, subject, "read the reason, then okno notify test and the name",
             "%lld message(s) wait, the oldest of %s was tried %lld time(s), next at %s: %.200s",
             waiting, okno_time_format(okno_stmt_int(stmt, "made_at"), since), attempts,
             okno_time_format(okno_stmt_int(stmt, "next_at"), next),
             okno_stmt_text(stmt, "reason"));
    (void)snprintf(command, sizeof(command), "okno notify list --state dead --destination %s",
                   destination);
    if (dead)
        tell(s, DOCTOR_WARNING, subject, command, "%lld dead message(s), the latest: %.200s", dead,
             okno_stmt_text(stmt, "dead_reason"));
}

static int look_at_destinations(struct sink *s, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char subject[OKNO_ID_TEXT + 16];
    int known = 0;
    int rc = okno_db_prepare(s->db, "doctor.destinations", NULL, 0, &stmt, err);
    s->found = 0;
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        (void)snprintf(subject, sizeof(subject), "destination %s",
                       okno_stmt_text(stmt, "destination"));
        if (okno_stmt_int(stmt, "enabled"))
            look_at_secret(s, subject, okno_stmt_text(stmt, "secret"));
        look_at_queue(s, subject, stmt);
        known++;
        rc = 0;
    }
    if (rc == 0 && s->found == 0)
        tell(s, DOCTOR_OK, "messages", "", "%d destination(s), nothing is overdue, none is dead",
             known);
    return rc;
}

/* Messages of rules to destinations that were never there: they went nowhere. */
static int look_at_undeliverable(struct sink *s, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(s->db, "doctor.undeliverable", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        tell(s, DOCTOR_WARNING, "messages", "okno import destinations, then okno alert rules",
             "%lld message(s) for \"%s\" could not be sent: there is no such destination",
             (long long)okno_stmt_int(stmt, "count"), okno_stmt_text(stmt, "destination"));
        rc = 0;
    }
    return rc;
}

int doctor_look_at_alerts(struct okno_db *db, const struct okno_conf *conf, doctor_line *line,
                          void *ctx, struct okno_err *err)
{
    struct sink sink = {db, line, ctx, 0};
    int rc = look_at_rules(&sink, conf, err);
    if (rc == 0)
        rc = look_at_destinations(&sink, err);
    return rc == 0 ? look_at_undeliverable(&sink, err) : rc;
}
