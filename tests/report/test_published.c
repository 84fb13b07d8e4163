#define _POSIX_C_SOURCE 200809L
/* What was published can be made again byte for byte, whatever is corrected afterwards. */
#include "okno/published.h"

#include "okno/attribution.h"
#include "okno/event.h"
#include "okno/kpi.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define T0 INT64_C(1773126000000000) /* 10 March 2026, 07:00Z */
#define AT(s) (T0 + (int64_t)(s)*OKNO_SECOND_US)

/* A world in which time goes on and things happen by a seeded chance. */
struct world {
    struct scratch_db *db;
    uint64_t seed;
    int64_t now_us;
    int64_t seq[3];
    int items;
};

static uint64_t chance(struct world *w, uint64_t below)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return w->seed % below;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->db = scratch_db_new();
    w->now_us = AT(0);
    scratch_db_put(
        w->db,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's', 'Mall', "
        "'Europe/Moscow');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p0', 's', 'P0'),"
        " (1, 'p1', 's', 'P1');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd0', 'p0', 0),"
        " (1, 'd1', 'p1', 0);"
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us) VALUES"
        " (1, 'q', 'p0', 0, 'personnel', '?', 15000000),"
        " (1, 'q', 'p1', 0, 'loyalty', '?', 20000000);"
        "INSERT INTO employees (import, employee) VALUES (1, 'ann'), (1, 'bob'), (1, 'cat');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'p0', 1773126000000000, 1773140400000000),"
        " (1, 'bob', 'p1', 1773126000000000, 1773140400000000);"
        "INSERT INTO users (user, role, password_hash, created_at) VALUES"
        " ('root', 'administrator', 'x', 0);");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    scratch_db_free(w->db);
    free(w);
    return 0;
}

static void must(struct world *w, int rc)
{
    if (rc < 0)
        fail_msg("%s", w->db->err.text);
}

/* `arrived_us` may lie before what was published: its transaction was under way. */
static void happens(struct world *w, int device, const char *kind, int64_t at_us,
                    int64_t arrived_us)
{
    char name[4];
    (void)snprintf(name, sizeof(name), "d%d", device);
    const struct okno_event event = {
        .device = name, .seq = ++w->seq[device], .kind = kind, .duration_ms = -1, .at_us = at_us};
    const struct okno_event_receipt receipt = {.at_us = arrived_us};
    enum okno_event_stored stored;
    must(w, okno_db_begin(w->db->db, &w->db->err));
    must(w, okno_event_store(w->db->db, &event, &receipt, &stored, &w->db->err));
    must(w, okno_db_commit(w->db->db, &w->db->err));
}

/* Hours enter figures where they void. */
static struct okno_survey_params strict_params(void)
{
    struct okno_survey_params params = okno_survey_params_default();
    params.hours_action = OKNO_FLAG_VOID;
    return params;
}

static void refresh(struct world *w)
{
    const struct okno_survey_params params = strict_params();
    struct okno_survey_refreshed counts;
    must(w, okno_survey_refresh(w->db->db, &params, w->now_us, &counts, &w->db->err));
}

static struct okno_figures_query query_of(unsigned by)
{
    return (struct okno_figures_query){
        .from_us = AT(0), .to_us = AT(10800), .by = by, .k = 0.5, .fm_threshold = 0.1, .min_n = 30};
}

static void publish(struct world *w, const char *name, unsigned by)
{
    const struct okno_survey_params params = strict_params();
    const struct okno_figures_query query = query_of(by);
    must(w, okno_published_add(w->db->db, name, &query, &params, "root", w->now_us, &w->db->err));
}

/* The text that was published; the caller frees it. */
static char *text_of(struct world *w, const char *name)
{
    okno_autojson json_t *published = NULL;
    char *text = NULL;
    must(w, okno_published_get(w->db->db, name, &published, &w->db->err));
    must(w, okno_figures_text(json_object_get(published, "figures"), &text, &w->db->err));
    return text;
}

/* The live figures of a query as text. */
static char *live(struct world *w, unsigned by, int64_t at_us)
{
    okno_autojson json_t *figures = NULL;
    const struct okno_figures_query query = query_of(by);
    char *text = NULL;
    refresh(w);
    must(w, okno_figures_json(w->db->db, &query, at_us, &figures, &w->db->err));
    must(w, okno_figures_text(figures, &text, &w->db->err));
    return text;
}

static void sql(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void sql(struct world *w, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    scratch_db_put(w->db, text);
}

/* A survey that there is, by chance; "" without one. */
static const char *some_survey(struct world *w)
{
    static char id[160];
    char path[80];
    char query[120];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", w->db->dir);
    (void)snprintf(query, sizeof(query),
                   "SELECT survey FROM subjects ORDER BY survey LIMIT 1 OFFSET %d",
                   (int)chance(w, 40));
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, query, -1, &stmt, NULL), SQLITE_OK);
    id[0] = '\0';
    if (sqlite3_step(stmt) == SQLITE_ROW)
        (void)snprintf(id, sizeof(id), "%s", (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return id;
}

static void rule(struct world *w, const char *survey)
{
    static const char *const verdicts[] = {"'valid', NULL, NULL", "'invalid', 'CHILD_PLAY', NULL",
                                           "'undeterminable', 'TOO_DARK', NULL",
                                           "'valid', NULL, 'FALSE_FM'"};
    w->items++;
    sql(w,
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (%d, 'x%d', '%s', %d, 'targeted', 'decided');"
        "INSERT INTO verdicts (item, audit, survey, user, at, reasons_version, verdict, reason,"
        " correction) VALUES (%d, 'x%d', '%s', 'eva', %lld, 1, %s)",
        w->items, w->items, survey, w->items, w->items, w->items, survey, (long long)w->now_us,
        verdicts[chance(w, OKNO_COUNT(verdicts))]);
}

static void attribute(struct world *w, const char *survey)
{
    static const char *const employees[] = {"ann", "bob", "cat", "unassigned"};
    int64_t id = 0;
    struct okno_err ignored = {0};
    const struct okno_attribution request = {.survey = survey,
                                             .employee = employees[chance(w, 4)],
                                             .undo = chance(w, 4) == 0,
                                             .reason = "by chance",
                                             .at_us = w->now_us};
    int rc = okno_attribution_decide(w->db->db, &request, &id, &ignored);
    assert_true(rc == 0 || rc == OKNO_REFUSED);
}

static void correct_registry(struct world *w)
{
    sql(w, "INSERT INTO imports (at, author, kind, source) VALUES (%lld, 'a', 'x', '-')",
        (long long)w->now_us);
    const char *import = "(SELECT max(import) FROM imports)";
    static const char *const dates[] = {"2026-03-01", "2026-03-09", "2026-03-10", "2026-03-11"};
    switch (chance(w, 6)) {
    case 0:
        sql(w,
            "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
            " (%s, 'ann', 'p0', 1773126000000000, %lld)",
            import, (long long)AT(chance(w, 10000) + 1));
        break;
    case 1:
        sql(w,
            "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
            " (%s, 'device:d%d', %lld, %lld, 1000)",
            import, (int)chance(w, 2), (long long)AT(chance(w, 10800)),
            (long long)chance(w, 20000000) - 10000000);
        break;
    case 2:
        sql(w,
            "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source) VALUES"
            " (%s, 'site:s', 'served', %lld, %lld, %d, 'till')",
            import, (long long)AT(0), (long long)AT(10800), (int)chance(w, 1000) + 500);
        break;
    case 4:
        sql(w,
            "INSERT INTO placements (import, point, camera, valid_from, priority) VALUES"
            " (%s, 'p0', 'cam%d', %lld, 1)",
            import, (int)chance(w, 3), (long long)AT(chance(w, 10800)));
        break;
    case 3:
        sql(w,
            "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
            " VALUES (%s, 'q', 'p1', 0, 'loyalty', '?', %d)",
            import, (int)chance(w, 20) * 1000000 + 5000000);
        break;
    default:
        sql(w,
            "INSERT INTO sites (import, site, name, time_zone, hours, hours_from) VALUES"
            " (%s, 's', 'Mall', 'Europe/Moscow', 'Mo-Su 10:%02d-12:%02d', '%s')",
            import, (int)chance(w, 60), (int)chance(w, 60), dates[chance(w, 4)]);
    }
}

/* One thing that changes figures. */
static void edit(struct world *w)
{
    static const char *const kinds[] = {"press", "press", "yes", "no", "unsure", "hold", "alive"};
    int64_t at_us = AT(chance(w, 10700));
    int64_t arrived_us = w->now_us - (int64_t)chance(w, 50) * OKNO_SECOND_US; /* was under way */
    w->now_us += (int64_t)chance(w, 30) * OKNO_SECOND_US;
    uint64_t what = chance(w, 10);
    refresh(w);
    const char *survey = some_survey(w);
    if (what < 5 || !*survey) {
        int device = (int)chance(w, 2);
        happens(w, device, "press", at_us, arrived_us);
        happens(w, device, kinds[chance(w, 7)], at_us + 4 * OKNO_SECOND_US, arrived_us);
    } else if (what == 5) {
        sql(w,
            "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
            " ('%s', %d, %lld, 'a', 'b', 'c')",
            survey, (int)chance(w, 2), (long long)w->now_us);
    } else if (what == 6) {
        attribute(w, survey);
    } else if (what == 7) {
        correct_registry(w);
    } else {
        rule(w, survey);
    }
}

static void everything_published_stays_what_it_was(void **state)
{
    struct world *w = *state;
    static const unsigned bys[] = {0, OKNO_BY_EMPLOYEE, OKNO_BY_POINT | OKNO_BY_QUESTION,
                                   OKNO_BY_HOUR};
    enum { ROUNDS = 12, EDITS = 14 };
    char name[16];
    int changed = 0;
    w->seed = 88172645463325252ULL;
    w->now_us = AT(10800);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EDITS; i++)
            edit(w);
        (void)snprintf(name, sizeof(name), "f%d", round);
        publish(w, name, bys[round % 4]);
        okno_autofree char *kept = text_of(w, name);
        okno_autojson json_t *figures = json_loads(kept, 0, NULL);
        int64_t at_us = 0;
        must(w, okno_time_parse(json_string_value(json_object_get(figures, "at")), &at_us,
                                &w->db->err));
        okno_autofree char *now = live(w, bys[round % 4], at_us);
        assert_string_equal(kept, now); /* what the page shows at that moment */
    }
    for (int i = 0; i < EDITS; i++)
        edit(w);
    for (int round = 0; round < ROUNDS; round++) {
        (void)snprintf(name, sizeof(name), "f%d", round);
        must(w, okno_published_verify(w->db->db, name, &w->db->err));
        okno_autofree char *kept = text_of(w, name);
        okno_autofree char *now = live(w, bys[round % 4], 0);
        changed += strcmp(strstr(kept, "\"by\""), strstr(now, "\"by\"")) != 0;
    }
    assert_true(changed >= ROUNDS - 1); /* the edits did change figures */
}

static void what_was_under_way_arrives_after_what_was_published(void **state)
{
    struct world *w = *state;
    w->now_us = AT(1000);
    happens(w, 0, "press", AT(100), AT(900));
    publish(w, "one", 0);
    happens(w, 0, "no", AT(104), AT(950)); /* received before, stored after */
    must(w, okno_published_verify(w->db->db, "one", &w->db->err));
    okno_autofree char *kept = text_of(w, "one");
    assert_non_null(strstr(kept, "\"silent\":1"));
    w->now_us = AT(1001);
    publish(w, "two", 0);
    okno_autofree char *next = text_of(w, "two");
    assert_non_null(strstr(next, "\"no\":1"));
}

static void figures_as_of_a_moment_know_what_had_been_decided_by_then(void **state)
{
    struct world *w = *state;
    const struct okno_survey_params params = strict_params();
    const struct okno_figures_query query = query_of(OKNO_BY_EMPLOYEE);
    w->now_us = AT(1000);
    happens(w, 0, "press", AT(100), AT(101));
    refresh(w);
    w->now_us = AT(2000);
    sql(w,
        "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
        " ('d0.0.1', 1, 1773128000000000, 'a', 'b', 'c')");
    for (int i = 0; i < 2; i++) {
        okno_autojson json_t *figures = NULL;
        const struct okno_past past = okno_past_at(AT(i ? 2001 : 1999));
        must(w, okno_figures_as_of(w->db->db, &past, &params, &query, &figures, &w->db->err));
        const json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
        const json_t *n = json_object_get(json_object_get(group, "counts"), "n");
        assert_int_equal(json_integer_value(n), i ? 0 : 1);
    }
}

/* Audits come before what belongs to them. */
static void a_closer_look_that_an_audit_proposed_stops_no_figures(void **state)
{
    struct world *w = *state;
    w->now_us = AT(1000);
    happens(w, 0, "press", AT(100), AT(101));
    sql(w,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at, created_by)"
        " VALUES ('march', 'closed', %lld, %lld, '{}', %lld, 'a');"
        "INSERT INTO audit_steps (audit, step, at, author, detail) VALUES"
        " ('march', 'plan', %lld, 'a', '{}'), ('march', 'close', %lld, 'a', '{}');"
        "INSERT INTO escalations (escalation, audit, scope, rule, reviewed, invalid, low_ppm, at)"
        " VALUES (7, 'march', 'point:p0', 'more', 10, 9, 500000, %lld);"
        "INSERT INTO escalation_decisions (escalation, accepted, reason, author, at) VALUES"
        " (7, 0, 'r', 'a', %lld)",
        (long long)AT(0), (long long)AT(200), (long long)AT(900), (long long)AT(900),
        (long long)AT(950), (long long)AT(950), (long long)AT(960));
    publish(w, "one", 0);
    must(w, okno_published_verify(w->db->db, "one", &w->db->err));
}

static void another_figure_or_setting_is_found_out(void **state)
{
    struct world *w = *state;
    w->now_us = AT(1000);
    happens(w, 0, "press", AT(100), AT(101));
    publish(w, "one", 0);
    sql(w, "UPDATE published SET figures = replace(figures, '\"silent\":1', '\"silent\":2')");
    assert_int_equal(okno_published_verify(w->db->db, "one", &w->db->err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(w->db->err.text, "SHA-256"));
    okno_err_clear(&w->db->err);
    sql(w,
        "UPDATE published SET figures = replace(figures, '\"silent\":2', '\"silent\":1'),"
        " settings = replace(settings, '\"k\":0.5', '\"k\":0.25')");
    assert_int_equal(okno_published_verify(w->db->db, "one", &w->db->err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(w->db->err.text, "part at byte"));
}

/* A parameter that is not kept with the figures, or a table of the registry that a data version
 * leaves out, would change them behind its back. */
static void nothing_that_enters_figures_is_left_out_of_a_data_version(void **state)
{
    struct world *w = *state;
    static const char *const outside[] = {"archives",       "cameras", "events",
                                          "survey_history", "imports", "alert_rules",
                                          "destinations"};
    const struct okno_past past = okno_past_at(0);
    okno_autojson json_t *kept = okno_past_json(&past);
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sizeof(struct okno_survey_params),
                     7 * sizeof(int64_t) + 4 * sizeof(enum okno_flag_action));
    (void)snprintf(path, sizeof(path), "%s/okno.db", w->db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite,
                                        "SELECT m.name FROM sqlite_master m JOIN"
                                        " pragma_table_info(m.name) c WHERE m.type = 'table' AND"
                                        " c.name = 'import'",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        bool known = json_object_get(json_object_get(kept, "newest"), name) != NULL;
        for (size_t i = 0; i < OKNO_COUNT(outside); i++)
            known |= strcmp(outside[i], name) == 0;
        if (!known)
            fail_msg("table %s: into OKNO_PAST_TABLES, or is it no part of figures?", name);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
}

static void a_name_is_given_once(void **state)
{
    struct world *w = *state;
    const struct okno_survey_params params = strict_params();
    const struct okno_figures_query query = query_of(0);
    w->now_us = AT(1000);
    publish(w, "march", 0);
    assert_int_equal(
        okno_published_add(w->db->db, "march", &query, &params, "root", AT(1001), &w->db->err),
        OKNO_CONFLICT);
    okno_err_clear(&w->db->err);
    assert_int_equal(
        okno_published_add(w->db->db, "a b", &query, &params, "root", AT(1001), &w->db->err),
        OKNO_INVALID);
    okno_err_clear(&w->db->err);
    okno_autojson json_t *list = NULL;
    must(w, okno_published_list(w->db->db, &list, &w->db->err));
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(okno_published_verify(w->db->db, "april", &w->db->err), OKNO_NOT_FOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(everything_published_stays_what_it_was),
        CASE(what_was_under_way_arrives_after_what_was_published),
        CASE(figures_as_of_a_moment_know_what_had_been_decided_by_then),
        CASE(a_closer_look_that_an_audit_proposed_stops_no_figures),
        CASE(another_figure_or_setting_is_found_out),
        CASE(nothing_that_enters_figures_is_left_out_of_a_data_version),
        CASE(a_name_is_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
