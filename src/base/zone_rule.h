/* A POSIX TZ rule: offsets and the two yearly changes. Private to base. */
#ifndef OKNO_BASE_ZONE_RULE_H
#define OKNO_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* When in a year the clocks change, as the rule spells it. */
struct zone_change {
    enum { ZONE_DAY_JULIAN, ZONE_DAY_ZERO_BASED, ZONE_DAY_MONTH_WEEK } kind;
    int month, week, day; /* day: 1..365, 0..365 or day of the week from Sunday */
    int64_t time_s;       /* seconds after local midnight, -167 h .. 167 h */
};

struct zone_rule {
    int64_t std_s, dst_s; /* local minus UTC, seconds */
    bool has_dst;
    struct zone_change start, end;
};

/* 0 or -1 when `text` is not a rule; a summer zone without its two changes is not a rule. */
int zone_rule_parse(const char *text, struct zone_rule *ret_rule);

/* Local minus UTC at an instant, seconds. */
int64_t zone_rule_offset_at(const struct zone_rule *rule, int64_t utc_s);

#endif
