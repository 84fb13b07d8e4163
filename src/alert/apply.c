/* What is remembered of a condition, and what a judgement does to it. */
#include "alert.h"

#include "okno/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *alert_key(const struct alert_subject *about, char ret_key[ALERT_KEY_TEXT])
{
    (void)snprintf(ret_key, ALERT_KEY_TEXT, "%s/%s", about->rule->rule, about->subject);
    return ret_key;
}

int alert_recall(struct okno_db *db, const struct alert_subject *about,
                 struct okno_alert_facts *facts, int64_t *ret_alert, struct okno_err *err)
{
    char key[ALERT_KEY_TEXT];
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "alert.recall", &stmt, err, OKNO_TEXT("key", alert_key(about, key)));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    facts->is_open = rc == 1 && okno_stmt_int(stmt, "is_open");
    facts->last_at_us = rc == 1 ? okno_stmt_int(stmt, "at") : INT64_MIN;
    facts->last_opened_us = rc == 1 ? okno_stmt_int(stmt, "opened_at") : INT64_MIN;
    *ret_alert = facts->is_open ? okno_stmt_int(stmt, "alert") : 0;
    return 0;
}

static int open_alert(struct okno_db *db, const struct alert_subject *about, int64_t at_us,
                      const char *detail, int64_t now_us, int64_t *ret_alert, struct okno_err *err)
{
    char key[ALERT_KEY_TEXT];
    const struct okno_alert_rule *rule = about->rule;
    return OKNO_DB_INT(db, "alert.open", 0, ret_alert, err, OKNO_TEXT("rule", rule->rule),
                       OKNO_TEXT("kind", okno_alert_kind_text(rule->kind)),
                       OKNO_TEXT("key", alert_key(about, key)),
                       OKNO_TEXT("subject", about->subject), OKNO_TEXT("site", about->site),
                       OKNO_TEXT("point", about->point), OKNO_INT("at", at_us),
                       OKNO_INT("now", now_us), OKNO_TEXT("detail", detail),
                       OKNO_INT("photo", rule->photo), OKNO_TEXT("send_to", rule->send_to));
}

static int add_event(struct okno_db *db, int64_t alert, const char *event, int64_t now_us,
                     struct okno_err *err)
{
    return OKNO_DB_RUN(db, "alert.add_event", NULL, err, OKNO_INT("alert", alert),
                       OKNO_TEXT("event", event), OKNO_INT("now", now_us));
}

static int close_alert(struct okno_db *db, int64_t alert, const char *why, int64_t now_us,
                       struct okno_err *err)
{
    int rc = OKNO_DB_RUN(db, "alert.close", NULL, err, OKNO_INT("alert", alert),
                         OKNO_TEXT("why", why), OKNO_INT("now", now_us));
    return rc == 0 ? add_event(db, alert, "closed", now_us, err) : rc;
}

/* What the finding adds to what is known of the matter. */
static void add_finding(const struct okno_alert_rule *rule,
                        const struct okno_alert_finding *finding,
                        const struct okno_alert_facts *facts, json_t *detail)
{
    enum okno_alert_manner manner = okno_alert_manner_of(rule->kind);
    if (manner != OKNO_ALERT_COUNT && manner != OKNO_ALERT_SHARE)
        return;
    (void)json_object_set_new(detail, "count", json_integer(finding->count));
    (void)json_object_set_new(detail, "window_min", json_integer(rule->window_us / 60000000));
    if (manner == OKNO_ALERT_COUNT) {
        (void)json_object_set_new(detail, "first_at", okno_json_time(finding->first_us));
        return;
    }
    int64_t share_ppm = facts->total ? finding->count * 1000000 / facts->total : 0;
    (void)json_object_set_new(detail, "total", json_integer(facts->total));
    (void)json_object_set_new(detail, "share_ppm", json_integer(share_ppm));
    (void)json_object_set_new(detail, "limit_ppm", json_integer(rule->share_ppm));
}

int alert_apply(struct okno_db *db, const struct alert_subject *about,
                const struct okno_alert_facts *facts, json_t *detail, int64_t at_us,
                const char *why, struct okno_alert_refreshed *counts, struct okno_err *err)
{
    struct okno_alert_facts all = *facts;
    okno_autojson json_t *whole = detail ? json_deep_copy(detail) : json_object();
    okno_autofree char *text = NULL;
    int64_t alert = 0;
    int rc = whole ? alert_recall(db, about, &all, &alert, err)
                   : okno_fail(err, OKNO_NO_MEMORY, "no memory for an alert");
    if (rc < 0)
        return rc;
    struct okno_alert_finding finding = okno_alert_judge(about->rule, &all);
    if (finding.step == OKNO_ALERT_LEAVE)
        return 0;
    add_finding(about->rule, &finding, &all, whole);
    rc = okno_json_canonical(whole, &text, err);
    if (rc < 0)
        return rc;
    at_us = at_us == INT64_MIN ? finding.at_us : at_us;
    counts->opened += finding.step == OKNO_ALERT_OPEN;
    counts->closed += finding.step == OKNO_ALERT_CLOSE;
    counts->extended += finding.step == OKNO_ALERT_EXTEND;
    if (finding.step == OKNO_ALERT_CLOSE)
        return close_alert(db, alert, why, all.now_us, err);
    if (finding.step == OKNO_ALERT_EXTEND)
        return OKNO_DB_RUN(db, "alert.extend", NULL, err, OKNO_INT("at", at_us),
                           OKNO_TEXT("detail", text), OKNO_INT("alert", alert));
    rc = open_alert(db, about, at_us, text, all.now_us, &alert, err);
    return rc == 0 ? add_event(db, alert, "opened", all.now_us, err) : rc;
}

int alert_group_of(struct okno_db *db, const char *site, char ret_group[OKNO_ID_TEXT],
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    ret_group[0] = '\0';
    if (!site)
        return 0;
    int rc = OKNO_DB_PREPARE(db, "alert.group_of", &stmt, err, OKNO_TEXT("site", site));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "site_group", ret_group, OKNO_ID_TEXT);
    return rc < 0 ? rc : 0;
}
