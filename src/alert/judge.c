/* The pure core: from facts about one condition to what happens to its alert. */
#include "okno/alert.h"

#include <string.h>

static const struct {
    const char *text;
    enum okno_alert_manner manner;
} kinds[] = {
#define KIND_ROW(name, text, manner) {text, OKNO_ALERT_##manner},
    OKNO_ALERT_KINDS(KIND_ROW)
#undef KIND_ROW
};

const char *okno_alert_kind_text(enum okno_alert_kind kind)
{
    return kinds[kind].text;
}

enum okno_alert_manner okno_alert_manner_of(enum okno_alert_kind kind)
{
    return kinds[kind].manner;
}

static bool may_open_again(const struct okno_alert_rule *rule, const struct okno_alert_facts *facts)
{
    return facts->last_opened_us == INT64_MIN ||
           facts->now_us - facts->last_opened_us >= rule->again_us;
}

static enum okno_alert_step judge_state(const struct okno_alert_rule *rule,
                                        const struct okno_alert_facts *facts, bool once)
{
    if (facts->is_open)
        return facts->holds ? OKNO_ALERT_LEAVE : OKNO_ALERT_CLOSE;
    bool before = facts->last_opened_us != INT64_MIN;
    bool may = once ? !before : may_open_again(rule, facts);
    return facts->holds && may ? OKNO_ALERT_OPEN : OKNO_ALERT_LEAVE;
}

/* The latest window that is full; false when none is. */
static bool find_window(const struct okno_alert_rule *rule, const struct okno_alert_facts *facts,
                        struct okno_alert_finding *finding)
{
    size_t need = (size_t)rule->count;
    for (size_t end = facts->hit_count; end >= need && end > 0; end--) {
        int64_t last_us = facts->hits_us[end - 1];
        size_t first = end - need;
        if (last_us - facts->hits_us[first] >= rule->window_us)
            continue;
        while (first > 0 && last_us - facts->hits_us[first - 1] < rule->window_us)
            first--;
        finding->at_us = last_us;
        finding->first_us = facts->hits_us[first];
        finding->count = (int64_t)(end - first);
        return true;
    }
    return false;
}

static void judge_count(const struct okno_alert_rule *rule, const struct okno_alert_facts *facts,
                        struct okno_alert_finding *finding)
{
    bool found = find_window(rule, facts, finding);
    bool newer = found && finding->at_us > facts->last_at_us;
    if (!facts->is_open) {
        bool may = newer && may_open_again(rule, facts);
        finding->step = may ? OKNO_ALERT_OPEN : OKNO_ALERT_LEAVE;
        return;
    }
    int64_t at_us = newer ? finding->at_us : facts->last_at_us;
    if (facts->now_us - at_us >= rule->window_us)
        finding->step = OKNO_ALERT_CLOSE;
    else
        finding->step = newer ? OKNO_ALERT_EXTEND : OKNO_ALERT_LEAVE;
}

/* In whole numbers: three of thirty are a tenth, whatever 0.1 is in binary. */
static void judge_share(const struct okno_alert_rule *rule, const struct okno_alert_facts *facts,
                        struct okno_alert_finding *finding)
{
    int64_t hits = (int64_t)facts->hit_count;
    finding->count = hits;
    finding->step = OKNO_ALERT_LEAVE;
    if (facts->total < rule->min_n || facts->total == 0)
        return;
    bool high = hits * 1000000 >= rule->share_ppm * facts->total;
    if (facts->is_open)
        finding->step = high ? OKNO_ALERT_LEAVE : OKNO_ALERT_CLOSE;
    else if (high && may_open_again(rule, facts))
        finding->step = OKNO_ALERT_OPEN;
}

struct okno_alert_finding okno_alert_judge(const struct okno_alert_rule *rule,
                                           const struct okno_alert_facts *facts)
{
    struct okno_alert_finding finding = {.at_us = facts->now_us, .first_us = facts->now_us};
    switch (kinds[rule->kind].manner) {
    case OKNO_ALERT_ONCE:
    case OKNO_ALERT_STATE:
        finding.step = judge_state(rule, facts, kinds[rule->kind].manner == OKNO_ALERT_ONCE);
        break;
    case OKNO_ALERT_COUNT:
        judge_count(rule, facts, &finding);
        break;
    case OKNO_ALERT_SHARE:
        judge_share(rule, facts, &finding);
        break;
    }
    return finding;
}

bool okno_alert_watches(const struct okno_alert_rule *rule, const char *site, const char *point,
                        const char *group)
{
    static const char *const words[] = {"site:", "point:", "group:"};
    const char *const values[] = {site, point, group};
    if (strcmp(rule->place, "all") == 0)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);
        if (strncmp(rule->place, words[i], len) == 0)
            return values[i] && strcmp(rule->place + len, values[i]) == 0;
    }
    return false;
}
