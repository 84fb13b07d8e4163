#define _POSIX_C_SOURCE 200809L
/* One pass over the surveys, situations and spontaneous ratings of a period into groups. */
#include "kpi.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 100000, VALUE_MAX = 80 };

struct gathering {
    struct okno_db *db;
    const struct okno_kpi_query *query;
    const struct kpi_places *places;
    struct okno_group_vec *groups;
};

/* The values that one row is grouped by; "" where not asked. */
struct key {
    char value[OKNO_GROUP_WORDS][VALUE_MAX];
};

static void group_free(struct okno_kpi_group *group)
{
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        free(group->value[i]);
    okno_reason_vec_free(&group->excluded);
}

void okno_kpi_groups_free(struct okno_group_vec *groups)
{
    for (size_t i = 0; i < groups->len; i++)
        group_free(&groups->items[i]);
    okno_group_vec_free(groups);
}

static void put_value(const struct gathering *g, struct key *key, enum okno_group_by bit,
                      const char *value)
{
    if (g->query->by & bit)
        (void)snprintf(key->value[kpi_word_place(bit)], VALUE_MAX, "%s", value);
}

/* Monday of the week that a day is in, as a date. */
static void week_of(const struct okno_civil *day, struct okno_civil *ret_monday)
{
    struct okno_civil midnight = {.year = day->year, .month = day->month, .day = day->day};
    int64_t days = okno_time_from_civil(&midnight) / OKNO_DAY_US;
    int64_t since_monday = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    okno_time_to_civil((days - since_monday) * OKNO_DAY_US, ret_monday);
}

static void put_calendar(const struct gathering *g, struct key *key, const struct okno_zone *zone,
                         int64_t at_us)
{
    struct okno_civil c;
    struct okno_civil monday;
    char text[VALUE_MAX];
    okno_zone_to_local(zone, at_us, &c);
    week_of(&c, &monday);
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d", c.year, c.month, c.day, c.hour);
    put_value(g, key, OKNO_BY_HOUR, text);
    text[10] = '\0';
    put_value(g, key, OKNO_BY_DAY, text);
    text[7] = '\0';
    put_value(g, key, OKNO_BY_MONTH, text);
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", monday.year, monday.month, monday.day);
    put_value(g, key, OKNO_BY_WEEK, text);
}

static int put_place(const struct gathering *g, struct key *key, struct okno_stmt *row,
                     struct okno_err *err)
{
    const char *site_id = okno_stmt_text(row, "site");
    const struct kpi_site *site = kpi_places_site(g->places, site_id);
    if (!site)
        return okno_fail(err, OKNO_UNKNOWN_REF, "site %s is not known any more", site_id);
    put_value(g, key, OKNO_BY_GROUP, site->group);
    put_value(g, key, OKNO_BY_SITE, site_id);
    put_value(g, key, OKNO_BY_POINT, okno_stmt_text(row, "point"));
    put_calendar(g, key, site->zone, okno_stmt_int(row, "opened_at"));
    return 0;
}

static int compare(const struct gathering *g, const struct key *key,
                   const struct okno_kpi_group *group)
{
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++) {
        if (!(g->query->by & (1U << i)))
            continue;
        int order = strcmp(key->value[i], group->value[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static int new_group(const struct gathering *g, const struct key *key,
                     struct okno_kpi_group *ret_group, struct okno_err *err)
{
    struct okno_kpi_group group = {0};
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++) {
        if (!(g->query->by & (1U << i)))
            continue;
        group.value[i] = strdup(key->value[i]);
        if (!group.value[i]) {
            group_free(&group);
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
        }
    }
    *ret_group = group;
    return 0;
}

/* The group of a key, made when it is new; groups stay ordered by their values. */
static int find_group(const struct gathering *g, const struct key *key,
                      struct okno_kpi_group **ret_group, struct okno_err *err)
{
    size_t low = 0;
    size_t high = g->groups->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(g, key, &g->groups->items[middle]);
        if (order == 0) {
            *ret_group = &g->groups->items[middle];
            return 0;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (g->groups->len >= GROUPS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d groups: ask for a shorter period",
                         GROUPS_MAX);
    struct okno_kpi_group group;
    int rc = new_group(g, key, &group, err);
    if (rc < 0)
        return rc;
    if (okno_group_vec_push(g->groups, group) < 0) {
        group_free(&group);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
    }
    struct okno_kpi_group *items = g->groups->items;
    memmove(&items[low + 1], &items[low], (g->groups->len - 1 - low) * sizeof(items[0]));
    items[low] = group;
    *ret_group = &items[low];
    return 0;
}

static int count_reason(struct okno_reason_vec *reasons, const char *reason, struct okno_err *err)
{
    size_t place = 0;
    while (place < reasons->len && strcmp(reasons->items[place].reason, reason) < 0)
        place++;
    if (place == reasons->len || strcmp(reasons->items[place].reason, reason) != 0) {
        struct okno_reason_count fresh = {0};
        (void)snprintf(fresh.reason, sizeof(fresh.reason), "%s", reason);
        if (okno_reason_vec_push(reasons, fresh) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the reasons");
        memmove(&reasons->items[place + 1], &reasons->items[place],
                (reasons->len - 1 - place) * sizeof(fresh));
        reasons->items[place] = fresh;
    }
    reasons->items[place].count++;
    return 0;
}

static int64_t *tally_member(struct okno_tally *tally, const char *answer)
{
    if (!answer)
        return &tally->silent;
    return strcmp(answer, "yes") == 0  ? &tally->yes
           : strcmp(answer, "no") == 0 ? &tally->no
                                       : &tally->unsure;
}

static int kind_of(const char *word)
{
    static const char *const kinds[] = {"personnel", "office", "loyalty"};
    for (int i = 0; i < OKNO_KIND_COUNT; i++)
        if (strcmp(kinds[i], word) == 0)
            return i;
    return -1;
}

static void count_survey(struct okno_kpi_sums *sums, enum okno_figure_set set,
                         struct okno_stmt *row, bool fm)
{
    const char *answer = okno_stmt_text(row, "answer");
    int kind = kind_of(okno_stmt_text(row, "question_kind"));
    sums->set[set].surveys++;
    sums->set[set].silent += answer == NULL;
    sums->set[set].late += okno_stmt_int(row, "late_answers") > 0;
    sums->set[set].superseded += okno_stmt_int(row, "superseded") != 0;
    if (kind < 0)
        return;
    ++*tally_member(&sums->set[set].kind[kind], answer);
    if (fm)
        ++*tally_member(&sums->set[set].fm_kind[kind], answer);
}

static int take_survey(const struct gathering *g, struct okno_stmt *row, struct okno_err *err)
{
    struct key key = {0};
    struct okno_kpi_group *group = NULL;
    int rc = put_place(g, &key, row, err);
    put_value(g, &key, OKNO_BY_EMPLOYEE, okno_stmt_text(row, "employee"));
    put_value(g, &key, OKNO_BY_QUESTION, okno_stmt_text(row, "question"));
    if (rc == 0)
        rc = find_group(g, &key, &group, err);
    if (rc < 0)
        return rc;
    const char *verdict = okno_stmt_text(row, "verdict");
    count_survey(&group->sums, OKNO_RAW, row, okno_stmt_int(row, "force_majeure") != 0);
    if (okno_stmt_int(row, "voided"))
        return count_reason(&group->excluded, "VOIDED", err);
    if (verdict && strcmp(verdict, "invalid") == 0) {
        const char *reason = okno_stmt_text(row, "reason");
        return count_reason(&group->excluded, reason ? reason : "UNSPECIFIED", err);
    }
    group->sums.undeterminable += verdict && strcmp(verdict, "undeterminable") == 0;
    count_survey(&group->sums, OKNO_EXCLUDED, row, okno_stmt_int(row, "fm_stands") != 0);
    return 0;
}

/* A situation or a spontaneous rating has no survey and belongs to no question. A situation's
 * employee is who was on shift; a rating's is known. */
static int find_loose_group(const struct gathering *g, struct okno_stmt *row,
                            struct okno_kpi_group **ret_group, struct okno_err *err)
{
    struct key key = {0};
    int rc = put_place(g, &key, row, err);
    if (rc == 0 && okno_stmt_int(row, "known")) {
        put_value(g, &key, OKNO_BY_EMPLOYEE, okno_stmt_text(row, "employee"));
    } else if (rc == 0 && (g->query->by & OKNO_BY_EMPLOYEE)) {
        OKNO_AUTO_STMT *stmt = NULL;
        rc = OKNO_DB_PREPARE(g->db, "kpi.employee_at", &stmt, err,
                             OKNO_TEXT("point", okno_stmt_text(row, "point")),
                             OKNO_INT("at", okno_stmt_int(row, "opened_at")));
        if (rc == 0)
            rc = okno_stmt_step(stmt, err);
        if (rc == 1) {
            put_value(g, &key, OKNO_BY_EMPLOYEE, okno_stmt_text(stmt, "employee"));
            rc = okno_stmt_step(stmt, err);
            if (rc == 1)
                put_value(g, &key, OKNO_BY_EMPLOYEE, "unassigned");
        } else {
            put_value(g, &key, OKNO_BY_EMPLOYEE, "unassigned");
        }
    }
    return rc < 0 ? rc : find_group(g, &key, ret_group, err);
}

static int take_situation(const struct gathering *g, struct okno_stmt *row, struct okno_err *err)
{
    struct okno_kpi_group *group = NULL;
    int rc = find_loose_group(g, row, &group, err);
    if (rc < 0)
        return rc;
    group->sums.set[OKNO_RAW].situations++;
    group->sums.set[OKNO_EXCLUDED].situations += okno_stmt_int(row, "cleared") == 0;
    return 0;
}

static int take_spontaneous(const struct gathering *g, struct okno_stmt *row, struct okno_err *err)
{
    struct okno_kpi_group *group = NULL;
    int rc = find_loose_group(g, row, &group, err);
    if (rc < 0)
        return rc;
    const char *answer = okno_stmt_text(row, "answer");
    bool out = okno_stmt_int(row, "voided") || okno_stmt_int(row, "invalid");
    for (int set = 0; set < (out ? OKNO_EXCLUDED : OKNO_SET_COUNT); set++) {
        group->sums.set[set].spontaneous_yes += strcmp(answer, "yes") == 0;
        group->sums.set[set].spontaneous_no += strcmp(answer, "no") == 0;
    }
    return 0;
}

static int each(const struct gathering *g, const char *statement,
                int (*take)(const struct gathering *, struct okno_stmt *, struct okno_err *),
                struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(g->db, statement, &stmt, err, OKNO_INT("from", g->query->from_us),
                             OKNO_INT("to", g->query->to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = take(g, stmt, err);
    return rc;
}

int okno_kpi_gather(struct okno_db *db, const struct okno_kpi_query *query,
                    struct okno_group_vec *groups, struct okno_err *err)
{
    KPI_AUTO_PLACES places = {0};
    struct gathering g = {db, query, &places, groups};
    struct okno_kpi_group *whole = NULL;
    if (query->to_us <= query->from_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period ends before it begins");
    int rc = kpi_places_load(db, &places, err);
    if (rc == 0 && query->by == 0)
        rc = find_group(&g, &(struct key){0}, &whole, err);
    if (rc == 0)
        rc = each(&g, "kpi.surveys", take_survey, err);
    if (rc == 0)
        rc = each(&g, "kpi.situations", take_situation, err);
    if (rc == 0)
        rc = each(&g, "kpi.spontaneous", take_spontaneous, err);
    return rc < 0 ? rc : kpi_add_counts(db, query, &places, groups, err);
}
