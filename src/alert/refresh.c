/* From news to alerts: ratings and situations, each looked at once, however much there was before.
 */
#define _POSIX_C_SOURCE 200809L
#include "alert.h"

#include "okno/event.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum { NEWS_MAX = 500, HITS_MAX = 10000 };

/* A history that is imported raises nothing. */
static const int64_t age_max_us = 3 * OKNO_DAY_US;

struct news {
    char kind[16];
    char subject[OKNO_EVENT_ID_TEXT];
};
OKNO_VEC(news_vec, struct news);

OKNO_VEC(hit_vec, int64_t);

/* One fact and where it stands. */
struct fact {
    char subject[OKNO_EVENT_ID_TEXT];
    char site[OKNO_ID_TEXT], point[OKNO_ID_TEXT], group[OKNO_ID_TEXT];
    char channel[OKNO_ID_TEXT];
    int64_t at_us;
    bool known; /* it is there, and counts */
    bool commented;
    bool spontaneous;
};

struct round {
    struct okno_db *db;
    const struct okno_alert_rule_vec *rules;
    int64_t now_us;
    struct okno_alert_refreshed *counts;
};

static int read_news(struct okno_db *db, struct news_vec *news, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "alert.news", &stmt, err, OKNO_INT("limit", NEWS_MAX));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct news one = {0};
        okno_stmt_copy(stmt, "kind", one.kind, sizeof(one.kind));
        okno_stmt_copy(stmt, "subject", one.subject, sizeof(one.subject));
        rc =
            news_vec_push(news, one) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for news") : 0;
    }
    return rc;
}

static int read_rating(struct okno_db *db, struct fact *fact, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t commented = 0;
    int rc = OKNO_DB_PREPARE(db, "alert.rating", &stmt, err, OKNO_TEXT("rating", fact->subject));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    fact->known = true;
    fact->at_us = okno_stmt_int(stmt, "answered_at");
    fact->spontaneous = okno_stmt_int(stmt, "spontaneous") != 0;
    okno_stmt_copy(stmt, "site", fact->site, sizeof(fact->site));
    okno_stmt_copy(stmt, "point", fact->point, sizeof(fact->point));
    okno_stmt_copy(stmt, "channel", fact->channel, sizeof(fact->channel));
    rc = OKNO_DB_INT(db, "alert.commented", 0, &commented, err, OKNO_TEXT("rating", fact->subject));
    fact->commented = commented != 0;
    return rc;
}

static int read_situation(struct okno_db *db, struct fact *fact, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "alert.situation", &stmt, err, OKNO_TEXT("situation", fact->subject));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    fact->known = true;
    fact->at_us = okno_stmt_int(stmt, "first_at");
    okno_stmt_copy(stmt, "site", fact->site, sizeof(fact->site));
    okno_stmt_copy(stmt, "point", fact->point, sizeof(fact->point));
    return 0;
}

static int read_fact(struct okno_db *db, const struct news *news, struct fact *ret_fact,
                     struct okno_err *err)
{
    struct fact fact = {0};
    (void)snprintf(fact.subject, sizeof(fact.subject), "%s", news->subject);
    int rc = strcmp(news->kind, "rating") == 0 ? read_rating(db, &fact, err)
                                               : read_situation(db, &fact, err);
    if (rc == 0 && fact.known)
        rc = alert_group_of(db, fact.site, fact.group, err);
    *ret_fact = fact;
    return rc;
}

/* A negative rating: opens once, and ends by a comment or when it is none any more. */
static int judge_negative(const struct round *round, const struct okno_alert_rule *rule,
                          const struct fact *fact, struct okno_err *err)
{
    struct alert_subject about = {rule, fact->subject, fact->known ? fact->site : NULL,
                                  fact->known ? fact->point : NULL};
    struct okno_alert_facts facts = {.now_us = round->now_us,
                                     .holds = fact->known && !fact->commented};
    okno_autojson json_t *detail =
        json_pack("{s:s, s:b}", "channel", fact->channel, "spontaneous", (int)fact->spontaneous);
    bool old = fact->at_us < round->now_us - age_max_us;
    bool watched = fact->known && rule->enabled && !old &&
                   okno_alert_watches(rule, fact->site, fact->point, fact->group);
    if (!watched && facts.holds)
        return 0;
    return alert_apply(round->db, &about, &facts, detail, fact->at_us,
                       fact->known ? "commented" : "corrected", round->counts, err);
}

/* Hits of the fact's point or site, as far as a window that holds it can reach. */
static int read_hits(const struct round *round, const struct okno_alert_rule *rule,
                     const struct fact *fact, struct hit_vec *hits, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    bool ratings = rule->kind == OKNO_ALERT_NEGATIVES;
    int64_t reach_us = rule->window_us + 180 * OKNO_SECOND_US; /* a rating's window, too */
    int rc = OKNO_DB_PREPARE(
        round->db, ratings ? "alert.rating_hits" : "alert.situation_hits", &stmt, err,
        OKNO_INT("from", fact->at_us - reach_us), OKNO_INT("to", fact->at_us + reach_us),
        OKNO_TEXT("point", rule->per_site ? NULL : fact->point),
        OKNO_TEXT("site", rule->per_site ? fact->site : NULL), OKNO_INT("limit", HITS_MAX));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = hit_vec_push(hits, okno_stmt_int(stmt, "at")) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a window")
                 : 0;
    return rc;
}

static int judge_count(const struct round *round, const struct okno_alert_rule *rule,
                       const struct fact *fact, struct okno_err *err)
{
    OKNO_AUTO_VEC(hit_vec) hits = {0};
    bool old = fact->at_us < round->now_us - age_max_us;
    if (!fact->known || old || !rule->enabled ||
        !okno_alert_watches(rule, fact->site, fact->point, fact->group))
        return 0;
    struct alert_subject about = {rule, rule->per_site ? fact->site : fact->point, fact->site,
                                  rule->per_site ? NULL : fact->point};
    int rc = read_hits(round, rule, fact, &hits, err);
    struct okno_alert_facts facts = {
        .now_us = round->now_us, .hits_us = hits.items, .hit_count = hits.len};
    return rc < 0 ? rc
                  : alert_apply(round->db, &about, &facts, NULL, INT64_MIN, "over", round->counts,
                                err);
}

static int judge_news(const struct round *round, const struct news *news, struct okno_err *err)
{
    struct fact fact;
    bool rating = strcmp(news->kind, "rating") == 0;
    int rc = read_fact(round->db, news, &fact, err);
    for (size_t i = 0; rc == 0 && i < round->rules->len; i++) {
        const struct okno_alert_rule *rule = &round->rules->items[i];
        if (rating && rule->kind == OKNO_ALERT_NEGATIVE)
            rc = judge_negative(round, rule, &fact, err);
        else if (rule->kind == (rating ? OKNO_ALERT_NEGATIVES : OKNO_ALERT_FM_BURST))
            rc = judge_count(round, rule, &fact, err);
    }
    return rc < 0 ? rc
                  : OKNO_DB_RUN(round->db, "alert.forget_news", NULL, err,
                                OKNO_TEXT("kind", news->kind), OKNO_TEXT("subject", news->subject));
}

static int judge_all(const struct round *round, const struct news_vec *news, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < news->len; i++)
        rc = judge_news(round, &news->items[i], err);
    return rc;
}

/* Nothing new takes no lock: most calls end here. */
static int peek_news(struct okno_db *db, bool *ret_any, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "alert.news", &stmt, err, OKNO_INT("limit", 1));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    *ret_any = rc == 1;
    return rc < 0 ? rc : 0;
}

/* One look, inside the caller's transaction. */
static int look(struct okno_db *db, int64_t now_us, int64_t liveness_us, bool all,
                struct okno_alert_refreshed *counts, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_alert_rule_vec) rules = {0};
    OKNO_AUTO_VEC(news_vec) news = {0};
    struct round round = {db, &rules, now_us, counts};
    int rc = okno_alert_rules(db, &rules, err);
    if (rc == 0)
        rc = read_news(db, &news, err);
    if (rc == 0)
        rc = judge_all(&round, &news, err);
    if (rc == 0 && all)
        rc = alert_watch(db, &rules, now_us, liveness_us, counts, err);
    counts->more = news.len == NEWS_MAX;
    return rc;
}

int okno_alert_refresh(struct okno_db *db, int64_t now_us, int64_t liveness_us, bool all,
                       struct okno_alert_refreshed *ret_counts, struct okno_err *err)
{
    struct okno_alert_refreshed counts = {0};
    bool any = false;
    int rc = peek_news(db, &any, err);
    if (rc == 0 && (any || all)) {
        rc = okno_db_begin(db, err);
        if (rc < 0)
            return rc;
        rc = look(db, now_us, liveness_us, all, &counts, err);
        if (rc == 0)
            rc = okno_db_commit(db, err);
        else
            okno_db_rollback(db);
    }
    if (rc == 0)
        *ret_counts = counts;
    return rc;
}

int okno_alert_try(struct okno_db *db, int64_t now_us, int64_t liveness_us, json_t **ret_list,
                   struct okno_err *err)
{
    struct okno_alert_refreshed counts = {0};
    struct okno_alert_filter filter = OKNO_ALERT_FILTER_ALL;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = look(db, now_us, liveness_us, true, &counts, err);
    filter.limit = counts.opened;
    if (rc == 0 && counts.opened)
        rc = okno_alert_list(db, &filter, ret_list, err);
    else if (rc == 0)
        *ret_list = json_array();
    okno_db_rollback(db);
    return rc;
}
