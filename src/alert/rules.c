/* Rules as data: their import, those that stand without one, and how they are told. */
#define _POSIX_C_SOURCE 200809L
#include "alert.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static const int64_t minute_us = 60 * OKNO_SECOND_US;

enum {
    FIELD_RULE,
    FIELD_KIND,
    FIELD_WHERE,
    FIELD_PER,
    FIELD_COUNT,
    FIELD_SHARE,
    FIELD_WINDOW,
    FIELD_MIN_N,
    FIELD_AGAIN,
    FIELD_PHOTO,
    FIELD_TO,
    FIELD_ENABLED
};

enum { WINDOW_MIN_MAX = 10080, RULES_MAX = 1000 };

static const struct okno_field fields[] = {
    {.name = "rule",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the rule"},
    {.name = "kind",
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = OKNO_ALERT_KIND_WORDS,
     .help = "what it watches"},
    {.name = "where",
     .type = OKNO_FIELD_TEXT,
     .max = OKNO_ALERT_PLACE_TEXT - 1,
     .fallback = "all",
     .help = "all, site:ID, point:ID or group:NAME"},
    {.name = "per",
     .type = OKNO_FIELD_WORD,
     .words = "point site",
     .fallback = "point",
     .help = "what is added up: the ratings of a point or of a site"},
    {.name = "count",
     .type = OKNO_FIELD_INT,
     .min = 1,
     .max = 1000,
     .fallback = "3",
     .help = "negatives, fm_burst: so many within the window"},
    {.name = "share",
     .type = OKNO_FIELD_DECIMAL,
     .fallback = "0.3",
     .help = "silent_share, invalid_share: this part or more, above 0 up to 1"},
    {.name = "window_min",
     .type = OKNO_FIELD_INT,
     .min = 1,
     .max = WINDOW_MIN_MAX,
     .scale = 60 * OKNO_SECOND_US,
     .fallback = "60",
     .help = "minutes that count; point_quiet: minutes without a survey"},
    {.name = "min_n",
     .type = OKNO_FIELD_INT,
     .min = 1,
     .max = 100000,
     .fallback = "20",
     .help = "shares of fewer surveys say nothing"},
    {.name = "again_min",
     .type = OKNO_FIELD_INT,
     .max = WINDOW_MIN_MAX,
     .scale = 60 * OKNO_SECOND_US,
     .fallback = "60",
     .help = "minutes before the same condition may raise another alert"},
    {.name = "photo",
     .type = OKNO_FIELD_BOOL,
     .fallback = "false",
     .help = "send the photo itself to destinations that take photos; recorded as a disclosure"},
    {.name = "to",
     .type = OKNO_FIELD_TEXT,
     .max = OKNO_ALERT_SEND_TEXT - 1,
     .fallback = "",
     .help = "ids of destinations, one space between; empty: nobody is told"},
    {.name = "enabled", .type = OKNO_FIELD_BOOL, .fallback = "true", .help = "false: at rest"},
};

/* --- checks of a row */

/* Digits with up to six after the point, as the engine lets through, in millionths. */
static int64_t ppm_of(const char *text)
{
    int64_t whole = 0;
    int64_t part = 0;
    int64_t scale = 1000000;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && whole < 1000; at++)
        whole = whole * 10 + (*at - '0');
    for (at += *at == '.'; *at >= '0' && *at <= '9' && scale > 1; at++) {
        scale /= 10;
        part += (*at - '0') * scale;
    }
    return whole * 1000000 + part;
}

static int check_place(const char *place, struct okno_err *err)
{
    const char *colon = strchr(place, ':');
    char shown[OKNO_TEXT_SHOWN];
    char word[16] = "";
    if (strcmp(place, "all") == 0)
        return 0;
    if (colon)
        (void)snprintf(word, sizeof(word), "%.*s", (int)(colon - place < 15 ? colon - place : 15),
                       place);
    if (colon && colon[1] &&
        (strcmp(word, "group") == 0 ||
         (okno_text_is_word(word, "site point") && okno_text_is_id(colon + 1))))
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "where",
                           "where: \"%s\" is not allowed; allowed: all, site:ID, point:ID, "
                           "group:NAME",
                           okno_text_show(place, shown));
}

static int check_send_to(const char *send_to, struct okno_err *err)
{
    char word[OKNO_ID_TEXT];
    for (const char *at = send_to; *at;) {
        size_t len = strcspn(at, " ");
        (void)snprintf(word, sizeof(word), "%.*s", (int)(len < 64 ? len : 64), at);
        if (len > 64 || !okno_text_is_id(word))
            return okno_fail_field(err, OKNO_INVALID, "to",
                                   "to: ids of destinations with one space between are allowed");
        at += len + (at[len] == ' ');
    }
    return 0;
}

static int check_rule(const struct okno_value *values, struct okno_err *err)
{
    int64_t ppm = *values[FIELD_SHARE].text == '-' ? 0 : ppm_of(values[FIELD_SHARE].text);
    if (ppm < 1 || ppm > 1000000)
        return okno_fail_field(err, OKNO_INVALID, "share",
                               "share: \"%.40s\" is not allowed; allowed: above 0 up to 1",
                               values[FIELD_SHARE].text);
    int rc = check_place(values[FIELD_WHERE].text, err);
    return rc < 0 ? rc : check_send_to(values[FIELD_TO].text, err);
}

static enum okno_alert_kind kind_of(const char *text)
{
    for (int i = 0; i < OKNO_ALERT_KIND_COUNT; i++)
        if (strcmp(okno_alert_kind_text((enum okno_alert_kind)i), text) == 0)
            return (enum okno_alert_kind)i;
    return OKNO_ALERT_KIND_COUNT;
}

/* A rule that is at rest may name what is no more, so that it can be put to rest. */
static int check_targets(struct okno_db *db, const struct okno_value *v, struct okno_err *err)
{
    const char *place = v[FIELD_WHERE].text;
    const char *never =
        alert_never(kind_of(v[FIELD_KIND].text), place, strcmp(v[FIELD_PER].text, "site") == 0);
    if (v[FIELD_ENABLED].integer == 0)
        return 0;
    return never ? okno_fail_field(err, OKNO_INVALID, "where", "where: \"%.80s\": %s", place, never)
                 : alert_check_targets(db, place, v[FIELD_TO].text, err);
}

/* --- storing */

static int bind_rule(struct okno_db *db, const char *name, const struct okno_import_env *env,
                     const struct okno_value *v, struct okno_stmt **ret_stmt, struct okno_err *err)
{
    int rc = okno_db_stmt(db, name, ret_stmt, err);
    if (rc == 0)
        rc = okno_import_bind(fields, OKNO_COUNT(fields), v, *ret_stmt, err);
    if (rc == 0)
        rc = okno_stmt_bind_int(*ret_stmt, "share", ppm_of(v[FIELD_SHARE].text), err);
    if (rc == 0 && env)
        rc = okno_stmt_bind_int(*ret_stmt, "import", env->import, err);
    return rc;
}

static int store_rule(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                      enum okno_stored *ret_stored, struct okno_err *err)
{
    (void)ctx;
    OKNO_AUTO_STMT *same = NULL;
    OKNO_AUTO_STMT *add = NULL;
    int known = bind_rule(env->db, "alert.same_rule", NULL, values, &same, err);
    if (known == 0)
        known = okno_stmt_step(same, err);
    int rc = known;
    if (known == 0)
        rc = check_targets(env->db, values, err);
    if (known == 0 && rc == 0)
        rc = bind_rule(env->db, "alert.add_rule", env, values, &add, err);
    if (known == 0 && rc == 0)
        rc = okno_stmt_step(add, err);
    if (rc < 0)
        return rc;
    *ret_stored = known ? OKNO_STORED_DUPLICATE : OKNO_STORED_ADDED;
    return 0;
}

const struct okno_import_kind okno_alert_rule_import = {
    .kind = "alert_rules",
    .help = "what raises an alert, and whom it is told",
    .fields = fields,
    .field_count = OKNO_COUNT(fields),
    .check = check_rule,
    .store = store_rule,
};

/* --- reading */

/* Stand until somebody stores a row of the same id; they tell nobody. */
static struct okno_alert_rule built_in(size_t place)
{
    static const struct {
        const char *rule;
        enum okno_alert_kind kind;
        bool per_site;
        int64_t count, ppm, window_min, min_n, again_min;
    } rows[] = {
        {"appeal", OKNO_ALERT_APPEAL, false, 1, 1, 1, 1, 0},
        {"appeal_due", OKNO_ALERT_APPEAL_DUE, false, 1, 1, 1, 1, 0},
        {"archive", OKNO_ALERT_ARCHIVE, false, 1, 1, 1, 1, 60},
        {"clock_jump", OKNO_ALERT_CLOCK_JUMP, false, 1, 1, 1, 1, 60},
        {"clock_suspect", OKNO_ALERT_CLOCK_SUSPECT, false, 1, 1, 1, 1, 60},
        {"commission", OKNO_ALERT_COMMISSION, false, 1, 1, 1, 1, 1440},
        {"device_quiet", OKNO_ALERT_DEVICE_QUIET, false, 1, 1, 1, 1, 60},
        {"fm_burst", OKNO_ALERT_FM_BURST, false, 3, 1, 60, 1, 60},
        {"invalid_share", OKNO_ALERT_INVALID_SHARE, true, 1, 300000, 10080, 20, 1440},
        {"negative", OKNO_ALERT_NEGATIVE, false, 1, 1, 1, 1, 0},
        {"negatives", OKNO_ALERT_NEGATIVES, false, 3, 1, 60, 1, 60},
        {"point_quiet", OKNO_ALERT_POINT_QUIET, false, 1, 1, 2880, 1, 1440},
        {"silent_share", OKNO_ALERT_SILENT_SHARE, false, 1, 700000, 240, 20, 240},
    };
    struct okno_alert_rule rule = {.place = "all", .enabled = true, .built_in = true};
    if (place >= OKNO_COUNT(rows))
        return rule;
    (void)snprintf(rule.rule, sizeof(rule.rule), "%s", rows[place].rule);
    rule.kind = rows[place].kind;
    rule.per_site = rows[place].per_site;
    rule.count = rows[place].count;
    rule.share_ppm = rows[place].ppm;
    rule.window_us = rows[place].window_min * minute_us;
    rule.min_n = rows[place].min_n;
    rule.again_us = rows[place].again_min * minute_us;
    return rule;
}

static bool read_rule(struct okno_stmt *stmt, struct okno_alert_rule *ret_rule)
{
    struct okno_alert_rule rule = {.kind = kind_of(okno_stmt_text(stmt, "kind"))};
    okno_stmt_copy(stmt, "rule", rule.rule, sizeof(rule.rule));
    okno_stmt_copy(stmt, "place", rule.place, sizeof(rule.place));
    okno_stmt_copy(stmt, "send_to", rule.send_to, sizeof(rule.send_to));
    rule.per_site = strcmp(okno_stmt_text(stmt, "per"), "site") == 0;
    rule.count = okno_stmt_int(stmt, "count");
    rule.share_ppm = okno_stmt_int(stmt, "share_ppm");
    rule.window_us = okno_stmt_int(stmt, "window_us");
    rule.min_n = okno_stmt_int(stmt, "min_n");
    rule.again_us = okno_stmt_int(stmt, "again_us");
    rule.photo = okno_stmt_int(stmt, "photo") != 0;
    rule.enabled = okno_stmt_int(stmt, "enabled") != 0;
    *ret_rule = rule;
    return rule.kind != OKNO_ALERT_KIND_COUNT;
}

static bool holds_rule(const struct okno_alert_rule_vec *rules, const char *rule)
{
    for (size_t i = 0; i < rules->len; i++)
        if (strcmp(rules->items[i].rule, rule) == 0)
            return true;
    return false;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct okno_alert_rule *)a)->rule,
                  ((const struct okno_alert_rule *)b)->rule);
}

int okno_alert_rules(struct okno_db *db, struct okno_alert_rule_vec *rules, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_alert_rule rule;
    int rc = OKNO_DB_PREPARE(db, "alert.rules", &stmt, err, OKNO_INT("limit", RULES_MAX));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = read_rule(stmt, &rule) && okno_alert_rule_vec_push(rules, rule) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the rules")
                 : 0;
    for (size_t i = 0; rc == 0 && (rule = built_in(i)).rule[0]; i++)
        if (!holds_rule(rules, rule.rule) && okno_alert_rule_vec_push(rules, rule) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the rules");
    if (rc == 0 && rules->len > 0)
        qsort(rules->items, rules->len, sizeof(rule), by_id);
    return rc;
}

json_t *okno_alert_rule_json(const struct okno_alert_rule *rule)
{
    return json_pack("{ss ss ss ss sI sf sI sI sI sb ss sb sb}", "rule", rule->rule, "kind",
                     okno_alert_kind_text(rule->kind), "where", rule->place, "per",
                     rule->per_site ? "site" : "point", "count", (json_int_t)rule->count, "share",
                     (double)rule->share_ppm / 1e6, "window_min",
                     (json_int_t)(rule->window_us / minute_us), "min_n", (json_int_t)rule->min_n,
                     "again_min", (json_int_t)(rule->again_us / minute_us), "photo", rule->photo,
                     "to", rule->send_to, "enabled", rule->enabled, "built_in", rule->built_in);
}
