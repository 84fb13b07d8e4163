/* What rules name: whether it is there when a rule is stored, and whether a rule that stands can
 * still fire and reach somebody. */
#define _POSIX_C_SOURCE 200809L
#include "alert.h"

#include "okno/mem.h"

#include <stdio.h>
#include <string.h>

/* The word before the colon of a place says which statement knows it. */
static const struct place_kind {
    const char *word, *noun, *known;
} place_kinds[] = {
    {"site:", "site", "alert.knows_site"},
    {"point:", "point", "alert.knows_point"},
    {"group:", "group of sites", "alert.knows_group"},
};

static const struct place_kind *kind_of_place(const char *place)
{
    for (size_t i = 0; i < OKNO_COUNT(place_kinds); i++)
        if (strncmp(place, place_kinds[i].word, strlen(place_kinds[i].word)) == 0)
            return &place_kinds[i];
    return NULL;
}

static int knows(struct okno_db *db, const char *statement, const char *id, bool *ret_known,
                 struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(db, statement, 0, &known, err, OKNO_TEXT("id", id));
    *ret_known = known != 0;
    return rc;
}

static int knows_place(struct okno_db *db, const char *place, bool *ret_known, struct okno_err *err)
{
    const struct place_kind *kind = kind_of_place(place);
    *ret_known = true;
    return kind ? knows(db, kind->known, place + strlen(kind->word), ret_known, err) : 0;
}

/* The next id of a list with one space between; false at its end. */
static bool next_id(const char **at, char ret_id[OKNO_ID_TEXT])
{
    size_t len = strcspn(*at, " ");
    (void)snprintf(ret_id, OKNO_ID_TEXT, "%.*s", (int)(len < 64 ? len : 64), *at);
    *at += len + ((*at)[len] == ' ');
    return len > 0;
}

/* --- before a rule is stored */

int alert_check_targets(struct okno_db *db, const char *place, const char *send_to,
                        struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    char id[OKNO_ID_TEXT];
    bool known = true;
    const struct place_kind *kind = kind_of_place(place);
    int rc = knows_place(db, place, &known, err);
    if (rc == 0 && !known)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "where", "where: there is no %s \"%s\"",
                               kind->noun, okno_text_show(strchr(place, ':') + 1, shown));
    for (const char *at = send_to; rc == 0 && next_id(&at, id);) {
        rc = knows(db, "alert.knows_destination", id, &known, err);
        if (rc == 0 && !known)
            return okno_fail_field(err, OKNO_UNKNOWN_REF, "to",
                                   "to: there is no destination \"%s\" (import it first)",
                                   okno_text_show(id, shown));
    }
    return rc;
}

const char *alert_never(enum okno_alert_kind kind, const char *place, bool per_site)
{
    bool share = okno_alert_manner_of(kind) == OKNO_ALERT_SHARE;
    if (kind == OKNO_ALERT_ARCHIVE && strcmp(place, "all") != 0)
        return "an archive belongs to no place: where must be all";
    if (share && per_site && strncmp(place, "point:", 6) == 0)
        return "a share of a whole site is never one of a point: say per point, or where site:ID";
    return NULL;
}

/* --- rules that stand */

struct troubles {
    struct okno_db *db;
    json_t *list;
};

OKNO_PRINTF(5, 6)
static int tell(const struct troubles *t, const struct okno_alert_rule *rule, const char *what,
                struct okno_err *err, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    json_t *one = json_pack("{s:s, s:s, s:s}", "rule", rule->rule, "what", what, "text", text);
    return json_array_append_new(t->list, one) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for what is wrong with rules")
               : 0;
}

/* Situations of a point are apart by the gap at least: so many never fit into the window. */
static bool too_many_situations(const struct okno_alert_rule *rule, int64_t fm_gap_us)
{
    return rule->kind == OKNO_ALERT_FM_BURST && !rule->per_site &&
           (rule->count - 1) * fm_gap_us >= rule->window_us;
}

static int look_at_place(const struct troubles *t, const struct okno_alert_rule *rule,
                         struct okno_err *err)
{
    bool known = true;
    int64_t heard = 0;
    const struct place_kind *kind = kind_of_place(rule->place);
    int rc = knows_place(t->db, rule->place, &known, err);
    if (rc < 0 || !kind)
        return rc;
    if (!known)
        return tell(t, rule, "place_unknown", err,
                    "there is no %s \"%.64s\" any more: it can never fire", kind->noun,
                    rule->place + strlen(kind->word));
    rc =
        OKNO_DB_INT(t->db, "alert.place_is_heard", 0, &heard, err, OKNO_TEXT("place", rule->place));
    return rc < 0 || heard ? rc
                           : tell(t, rule, "never", err,
                                  "no device is paired at %s: it can never fire", rule->place);
}

static int look_at_targets(const struct troubles *t, const struct okno_alert_rule *rule,
                           struct okno_err *err)
{
    char id[OKNO_ID_TEXT];
    int rc = 0;
    for (const char *at = rule->send_to; rc == 0 && next_id(&at, id);) {
        int64_t state = 0; /* 0: unknown, 1: at rest, 2: told */
        rc = OKNO_DB_INT(t->db, "alert.destination_state", 0, &state, err, OKNO_TEXT("id", id));
        if (rc == 0 && state == 0)
            rc = tell(t, rule, "destination_unknown", err, "it tells \"%s\", which is not there",
                      id);
        else if (rc == 0 && state == 1)
            rc = tell(t, rule, "destination_at_rest", err,
                      "it tells %s, which is at rest (enabled false): nothing is sent there", id);
    }
    return rc;
}

static int look_at_rule(const struct troubles *t, const struct okno_alert_rule *rule,
                        int64_t fm_gap_us, struct okno_err *err)
{
    const char *never = alert_never(rule->kind, rule->place, rule->per_site);
    int rc = never ? tell(t, rule, "never", err, "%s; it can never fire", never)
                   : look_at_place(t, rule, err);
    if (rc == 0 && too_many_situations(rule, fm_gap_us))
        rc = tell(t, rule, "never", err,
                  "%lld situations of a point never fit into %lld min, they are %lld min apart: it "
                  "can never fire",
                  (long long)rule->count, (long long)(rule->window_us / 60000000),
                  (long long)(fm_gap_us / 60000000));
    return rc == 0 ? look_at_targets(t, rule, err) : rc;
}

int okno_alert_troubles(struct okno_db *db, int64_t fm_gap_us, json_t **ret_list,
                        struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_alert_rule_vec) rules = {0};
    okno_autojson json_t *list = json_array();
    struct troubles troubles = {db, list};
    int rc = okno_alert_rules(db, &rules, err);
    for (size_t i = 0; rc == 0 && i < rules.len; i++)
        if (rules.items[i].enabled && !rules.items[i].built_in)
            rc = look_at_rule(&troubles, &rules.items[i], fm_gap_us, err);
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}
