/* From what the other rooms wrote to alerts, on a real database. */
#define _XOPEN_SOURCE 700
#include "okno/alert.h"
#include "okno/conf.h"
#include "okno/time.h"

#include "../registry/imported.h"
#include "../support/scratch_db.h"

#define S OKNO_SECOND_US
#define NOW (INT64_C(1800000000) * S)
#define LIVENESS (48 * 3600 * S)

static int setup(void **state)
{
    struct scratch_db *s = scratch_db_new();
    scratch_db_put(s,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES "
                   "(1, 0, 'test', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone, site_group) VALUES "
                   "(1, 'S1', 'First', 'UTC', 'North'), (1, 'S2', 'Second', 'UTC', '');"
                   "INSERT INTO points (import, point, site, name) VALUES "
                   "(1, 'P1', 'S1', 'Till 1'), (1, 'P2', 'S1', 'Till 2'), (1, 'P3', 'S2', 'T');");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void put_survey(struct scratch_db *s, const char *id, const char *point, int64_t at_us,
                       const char *answer)
{
    char sql[700];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, "
                   "answered_at, device_offset_us, device_uncertainty_us) VALUES ('%s', '%s', "
                   "'%s', %lld, %lld, '%s', %s%s%s, %lld, 0, 0)",
                   id, point, strcmp(point, "P3") == 0 ? "S2" : "S1", (long long)at_us,
                   (long long)(at_us + 15 * S), answer ? "answered" : "silent", answer ? "'" : "",
                   answer ? answer : "NULL", answer ? "'" : "", (long long)(at_us + S));
    scratch_db_put(s, sql);
}

static struct okno_alert_refreshed refresh(struct scratch_db *s, int64_t now_us, bool all)
{
    struct okno_alert_refreshed counts;
    int rc = okno_alert_refresh(s->db, now_us, LIVENESS, all, &counts, &s->err);
    assert_string_equal(s->err.text, "");
    assert_int_equal(rc, 0);
    return counts;
}

static json_t *listed(struct scratch_db *s, const char *kind, int open)
{
    struct okno_alert_filter filter = OKNO_ALERT_FILTER_ALL;
    json_t *list = NULL;
    filter.kind = kind;
    filter.open = open;
    assert_int_equal(okno_alert_list(s->db, &filter, &list, &s->err), 0);
    return list;
}

static size_t count_of(struct scratch_db *s, const char *kind, int open)
{
    okno_autojson json_t *list = listed(s, kind, open);
    return json_array_size(list);
}

static void rule(struct scratch_db *s, const char *rows)
{
    struct imported got;
    char text[2000];
    (void)snprintf(text, sizeof(text), "%s\n", rows);
    assert_int_equal(import_as(s->db, &okno_alert_rule_import, text, &got, &s->err), 0);
    if (got.result.rejected)
        fail_msg("%s", got.first.text);
}

static void a_negative_rating_opens_one_alert_however_often_one_looks(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "no");
    put_survey(s, "D1.0.2", "P1", NOW - 50 * S, "yes");
    assert_int_equal(refresh(s, NOW, false).opened, 1);
    assert_int_equal(refresh(s, NOW + S, true).opened, 0);
    scratch_db_put(s, "UPDATE surveys SET extra_answers = 1, answer = 'no'");
    assert_int_equal(refresh(s, NOW + 2 * S, true).opened, 1); /* D1.0.2 became one */
    okno_autojson json_t *list = listed(s, "negative", 1);
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(first, "subject")), "D1.0.1");
    assert_string_equal(json_string_value(json_object_get(first, "site")), "S1");
    assert_string_equal(json_string_value(json_object_get(first, "point")), "P1");
}

static void a_rating_that_is_none_any_more_closes_its_alert(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "no");
    put_survey(s, "D1.0.2", "P1", NOW - 50 * S, "no");
    put_survey(s, "D1.0.3", "P1", NOW - 40 * S, "no");
    (void)refresh(s, NOW, false);
    scratch_db_put(s,
                   "UPDATE surveys SET answer = 'yes' WHERE survey = 'D1.0.1';"
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES "
                   "('D1.0.2', 1, 0, 'a', 'b', 'test');"
                   "DELETE FROM surveys WHERE survey = 'D1.0.3'");
    assert_int_equal(refresh(s, NOW, false).closed, 3);
    assert_int_equal(count_of(s, "negative", 1), 0);
    okno_autojson json_t *list = listed(s, "negative", 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "closed_why")),
                        "corrected");
    scratch_db_put(s, "UPDATE surveys SET answer = 'no' WHERE survey = 'D1.0.1'");
    assert_int_equal(refresh(s, NOW, false).opened, 0); /* told once */
}

static void a_spontaneous_no_is_a_negative_rating_too(void **state)
{
    struct scratch_db *s = *state;
    char sql[200];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO spontaneous (rating, point, site, answer, at) VALUES "
                   "('D2.0.9', 'P2', 'S1', 'no', %lld)",
                   (long long)(NOW - S));
    scratch_db_put(s, sql);
    assert_int_equal(refresh(s, NOW, false).opened, 1);
}

static void a_history_that_is_imported_raises_nothing(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 3 * OKNO_DAY_US - 2 * S, "no");
    put_survey(s, "D1.0.2", "P1", NOW - 3 * OKNO_DAY_US - S, "no");
    assert_int_equal(refresh(s, NOW, false).opened, 1);
}

static void three_negatives_within_an_hour_at_one_point_are_one_alert(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 3000 * S, "no");
    put_survey(s, "D1.0.2", "P1", NOW - 2000 * S, "no");
    put_survey(s, "D3.0.1", "P2", NOW - 1000 * S, "no");
    (void)refresh(s, NOW, true);
    assert_int_equal(count_of(s, "negatives", 1), 0);
    put_survey(s, "D1.0.3", "P1", NOW - 10 * S, "no");
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "negatives", 1);
    assert_int_equal(json_array_size(list), 1);
    const json_t *detail = json_object_get(json_array_get(list, 0), "detail");
    assert_int_equal(json_integer_value(json_object_get(detail, "count")), 3);
    assert_int_equal(json_integer_value(json_object_get(detail, "window_min")), 60);
    put_survey(s, "D1.0.4", "P1", NOW + 5 * S, "no");
    assert_int_equal(refresh(s, NOW + 20 * S, true).extended, 1);
    assert_int_equal(refresh(s, NOW + 3605 * S, true).closed, 0);
    assert_int_equal(refresh(s, NOW + 3606 * S, true).closed,
                     1); /* an hour after the last answer */
    assert_int_equal(count_of(s, "negatives", 1), 0);
}

static void a_stored_rule_takes_the_place_of_the_one_built_in(void **state)
{
    struct scratch_db *s = *state;
    rule(s,
         "rule,kind,where,per,count\nnegatives,negatives,site:S1,site,2\n"
         "negative,negative,point:P3,,");
    put_survey(s, "D1.0.1", "P1", NOW - 300 * S, "no");
    put_survey(s, "D3.0.1", "P2", NOW - 100 * S, "no");
    put_survey(s, "D4.0.1", "P3", NOW - 100 * S, "no");
    put_survey(s, "D4.0.2", "P3", NOW - 90 * S, "no");
    (void)refresh(s, NOW, true);
    assert_int_equal(count_of(s, "negative", 1), 2);
    okno_autojson json_t *list = listed(s, "negatives", 1);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "subject")),
                        "S1");
    rule(s, "rule,kind,enabled\nnegative,negative,false");
    put_survey(s, "D4.0.3", "P3", NOW - 80 * S, "no");
    (void)refresh(s, NOW, true);
    assert_int_equal(count_of(s, "negative", 1), 2);
}

static void a_burst_of_force_majeure_is_told(void **state)
{
    struct scratch_db *s = *state;
    char sql[300];
    for (int i = 0; i < 3; i++) {
        int64_t at_us = NOW - (3000 - i * 1000) * S;
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO force_majeure (situation, point, site, first_at, until_at, "
                       "holds) VALUES ('D1.0.%d', 'P1', 'S1', %lld, %lld, 1)",
                       i, (long long)at_us, (long long)(at_us + 600 * S));
        scratch_db_put(s, sql);
    }
    assert_int_equal(refresh(s, NOW, false).opened, 1);
    assert_int_equal(count_of(s, "fm_burst", 1), 1);
}

static void silence_above_its_share_is_told_and_ends(void **state)
{
    struct scratch_db *s = *state;
    char id[32];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof(id), "D1.0.%d", i);
        put_survey(s, id, "P1", NOW - (2000 - i) * S, i < 14 ? NULL : "yes");
    }
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "silent_share", 1);
    assert_int_equal(json_array_size(list), 1);
    const json_t *detail = json_object_get(json_array_get(list, 0), "detail");
    assert_int_equal(json_integer_value(json_object_get(detail, "share_ppm")), 700000);
    put_survey(s, "D1.0.99", "P1", NOW - 5 * S, "yes");
    assert_int_equal(refresh(s, NOW, true).closed, 1);
}

static void a_share_of_invalid_verdicts_is_told(void **state)
{
    struct scratch_db *s = *state;
    char sql[400];
    char id[32];
    rule(s, "rule,kind,per,share,min_n,window_min\ninvalid_share,invalid_share,site,0.5,2,60");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(id, sizeof(id), "D1.0.%d", i);
        put_survey(s, id, "P1", NOW - 90000 * S, "yes");
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO review_items (item, audit, survey, place, origin, state) "
                       "VALUES (%d, 'A', '%s', %d, 'random', 'decided');"
                       "INSERT INTO verdicts (item, audit, survey, user, at, verdict, "
                       "reasons_version) VALUES (%d, 'A', '%s', 'e', %lld, '%s', 1)",
                       i + 1, id, i, i + 1, id, (long long)(NOW - 60 * S), i ? "invalid" : "valid");
        scratch_db_put(s, sql);
    }
    (void)refresh(s, NOW, true);
    assert_int_equal(count_of(s, "invalid_share", 1), 1);
}

static void a_device_that_falls_silent_is_told_until_it_is_heard_again(void **state)
{
    struct scratch_db *s = *state;
    char sql[400];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO devices (import, device, point, valid_from) VALUES "
                   "(1, 'D1', 'P1', %lld);"
                   "INSERT INTO device_runs (device, boot, first_seq, last_seq, events, "
                   "arrived_at, ahead_us, ahead_at) VALUES ('D1', 0, 1, 1, 1, %lld, 0, 0)",
                   (long long)(NOW - 100 * 3600 * S), (long long)(NOW - 49 * 3600 * S));
    scratch_db_put(s, sql);
    assert_int_equal(refresh(s, NOW, false).opened, 0); /* by time alone: only when asked */
    assert_int_equal(refresh(s, NOW, true).opened, 1);
    okno_autojson json_t *list = listed(s, "device_quiet", 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "site")), "S1");
    (void)snprintf(sql, sizeof(sql), "UPDATE device_runs SET arrived_at = %lld",
                   (long long)(NOW - S));
    scratch_db_put(s, sql);
    assert_int_equal(refresh(s, NOW, true).closed, 1);
}

static void a_point_without_surveys_for_two_days_is_told(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 2 * OKNO_DAY_US - S, "yes");
    put_survey(s, "D3.0.1", "P2", NOW - 2 * OKNO_DAY_US + S, "yes");
    put_survey(s, "D4.0.1", "P3", NOW - 90 * OKNO_DAY_US, "yes"); /* long given up */
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "point_quiet", 1);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "subject")),
                        "P1");
}

static void a_point_that_is_closed_for_days_is_not_missed(void **state)
{
    struct scratch_db *s = *state;
    /* NOW is a Friday, 08:00 UTC: three days ago it was open for an hour more. */
    put_survey(s, "D1.0.1", "P1", NOW - 3 * OKNO_DAY_US, "yes");
    scratch_db_put(s,
                   "UPDATE points SET hours = 'Tu 06:00-09:00; Fr 07:00-09:00' WHERE point = 'P1'");
    assert_int_equal(refresh(s, NOW, true).opened, 0);
    scratch_db_put(s, "UPDATE points SET hours = 'Mo-Su 06:00-09:00' WHERE point = 'P1'");
    assert_int_equal(refresh(s, NOW, true).opened, 1);
}

static void an_archive_that_does_not_answer_is_one_alert_with_what_is_at_risk(void **state)
{
    struct scratch_db *s = *state;
    scratch_db_put(
        s,
        "INSERT INTO archives (import, archive, kind, url) VALUES (1, 'A1', 'dir', '/');"
        "INSERT INTO archive_turns (archive, failures, code) VALUES ('A1', 2, 'timeout');"
        "INSERT INTO jobs (kind, survey, class, archive, state, attempts, next_try_at, "
        "code, made_at, lost_at) VALUES "
        "('link', 'x', 3, 'A1', 'waiting', 2, 0, 'transient', 0, 5000000),"
        "('link', 'y', 3, 'A1', 'waiting', 1, 0, 'timeout', 0, NULL)");
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "archive", 1);
    assert_int_equal(json_array_size(list), 1);
    const json_t *detail = json_object_get(json_array_get(list, 0), "detail");
    assert_int_equal(json_integer_value(json_object_get(detail, "waiting")), 2);
    assert_string_equal(json_string_value(json_object_get(detail, "lost_at")),
                        "1970-01-01T00:00:05.000Z");
    scratch_db_put(s, "UPDATE archive_turns SET failures = 0");
    assert_int_equal(refresh(s, NOW, true).closed, 1);
}

static void an_archive_whose_clock_was_set_is_told_until_somebody_measures_it(void **state)
{
    struct scratch_db *s = *state;
    char sql[300];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO archive_looks (archive, at, offset_us, jumped_at) VALUES"
                   " ('A1', 0, 61000000, %lld)",
                   (long long)(NOW - OKNO_DAY_US));
    scratch_db_put(s, sql);
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "clock_jump", 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "subject")),
                        "archive:A1");
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, method)"
                   " VALUES (1, 'archive:A1', %lld, 61000000, 100, 'manual')",
                   (long long)NOW);
    scratch_db_put(s, sql);
    assert_int_equal(refresh(s, NOW, true).closed, 1);
}

static void an_appeal_is_told_until_it_is_decided_and_again_when_it_is_due(void **state)
{
    struct scratch_db *s = *state;
    char sql[900];
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "yes");
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (1, 'A', 'D1.0.1', 1, 'random', 'decided');"
                   "INSERT INTO appeals (appeal, survey, item, asks, comment, user, at, due_at)"
                   " VALUES (7, 'D1.0.1', 1, 'valid', 'no', 'ann', %lld, %lld)",
                   (long long)NOW, (long long)(NOW + 3 * OKNO_DAY_US));
    scratch_db_put(s, sql);
    (void)refresh(s, NOW, true);
    okno_autojson json_t *list = listed(s, "appeal", 1);
    const json_t *alert = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(alert, "subject")), "appeal:7");
    assert_string_equal(json_string_value(json_object_get(alert, "site")), "S1");
    json_decref(listed(s, "appeal_due", 0));
    (void)refresh(s, NOW + 2 * OKNO_DAY_US + S, true);
    json_decref(listed(s, "appeal_due", 1));
    scratch_db_put(s,
                   "INSERT INTO appeal_decisions (appeal, outcome, comment, user, at) VALUES"
                   " (7, 'reject', 'x', 'boss', 1)");
    assert_int_equal(refresh(s, NOW + 2 * OKNO_DAY_US + 2 * S, true).closed, 2);
}

static void trying_the_rules_tells_what_would_open_and_opens_nothing(void **state)
{
    struct scratch_db *s = *state;
    okno_autojson json_t *list = NULL;
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "no");
    assert_int_equal(okno_alert_try(s->db, NOW, LIVENESS, &list, &s->err), 0);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(count_of(s, "negative", -1), 0);
    assert_int_equal(refresh(s, NOW, false).opened, 1);
}

static void more_news_than_one_call_takes_is_said(void **state)
{
    struct scratch_db *s = *state;
    scratch_db_put(s,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                   "WHERE i < 700) INSERT INTO alert_news SELECT 'rating', 'X.0.' || i FROM n");
    assert_true(refresh(s, NOW, false).more);
    assert_false(refresh(s, NOW, false).more);
}

static void an_alert_is_seen_by_the_first_who_says_so(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "no");
    (void)refresh(s, NOW, false);
    assert_int_equal(okno_alert_ack(s->db, 1, "anna", "on it", NOW, &s->err), 0);
    assert_int_equal(okno_alert_ack(s->db, 1, "boris", "me too", NOW + S, &s->err), 0);
    okno_autojson json_t *alert = NULL;
    assert_int_equal(okno_alert_get(s->db, 1, &alert, &s->err), 0);
    assert_string_equal(json_string_value(json_object_get(alert, "acked_by")), "anna");
    assert_string_equal(json_string_value(json_object_get(alert, "note")), "on it");
    assert_int_equal(okno_alert_ack(s->db, 99, "anna", NULL, NOW, &s->err), OKNO_NOT_FOUND);
}

static void only_alerts_of_the_sites_asked_for_are_listed(void **state)
{
    struct scratch_db *s = *state;
    put_survey(s, "D1.0.1", "P1", NOW - 60 * S, "no");
    put_survey(s, "D4.0.1", "P3", NOW - 60 * S, "no");
    (void)refresh(s, NOW, false);
    struct okno_alert_filter filter = OKNO_ALERT_FILTER_ALL;
    okno_autojson json_t *list = NULL;
    filter.sites = "[\"S2\"]";
    assert_int_equal(okno_alert_list(s->db, &filter, &list, &s->err), 0);
    assert_int_equal(json_array_size(list), 1);
    okno_autojson json_t *none = NULL;
    filter.sites = "[]";
    assert_int_equal(okno_alert_list(s->db, &filter, &none, &s->err), 0);
    assert_int_equal(json_array_size(none), 0);
}

static void a_rule_that_cannot_be_is_refused_by_its_field(void **state)
{
    struct scratch_db *s = *state;
    static const struct {
        const char *row, *field;
    } cases[] = {{"r,negative,town:X,0.3,,", "where"}, {"r,negative,site:a b,0.3,,", "where"},
                 {"r,silent_share,all,0,,", "share"},  {"r,silent_share,all,1.000001,,", "share"},
                 {"r,silent_share,all,-1,,", "share"}, {"r,negative,all,0.3,a/b,", "to"},
                 {"r,other,all,0.3,,", "kind"},        {"r,negatives,all,0.3,,0", "count"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct imported got;
        char text[200];
        (void)snprintf(text, sizeof(text), "rule,kind,where,share,to,count\n%s\n", cases[i].row);
        assert_int_equal(import_as(s->db, &okno_alert_rule_import, text, &got, &s->err), 0);
        assert_int_equal(got.result.rejected, 1);
        assert_string_equal(got.first.field, cases[i].field);
    }
}

static void put_destinations(struct scratch_db *s)
{
    scratch_db_put(s,
                   "INSERT INTO destinations (import, destination, kind, url, secret) VALUES "
                   "(1, 'boss', 'webhook', 'https://example.org/', 'hook'),"
                   "(1, 'team', 'webhook', 'https://example.org/', 'hook')");
}

static void a_rule_that_names_what_is_not_there_is_refused_unless_it_rests(void **state)
{
    struct scratch_db *s = *state;
    static const struct {
        const char *row, *field;
        int code;
    } cases[] = {{"r,negative,site:S9,point,,true", "where", OKNO_UNKNOWN_REF},
                 {"r,negative,point:P9,point,,true", "where", OKNO_UNKNOWN_REF},
                 {"r,negative,group:East,point,,true", "where", OKNO_UNKNOWN_REF},
                 {"r,negative,all,point,boss crew,true", "to", OKNO_UNKNOWN_REF},
                 {"r,archive,site:S1,point,,true", "where", OKNO_INVALID},
                 {"r,silent_share,point:P1,site,,true", "where", OKNO_INVALID},
                 {"r,negative,group:North,point,boss team,true", NULL, 0},
                 {"r,negative,point:P1,site,,true", NULL, 0},
                 {"r,negative,site:S9,point,crew,false", NULL, 0}};
    put_destinations(s);
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct imported got;
        char text[200];
        (void)snprintf(text, sizeof(text), "rule,kind,where,per,to,enabled\n%s\n", cases[i].row);
        assert_int_equal(import_as(s->db, &okno_alert_rule_import, text, &got, &s->err), 0);
        assert_int_equal(got.result.rejected, cases[i].field ? 1 : 0);
        if (!cases[i].field)
            continue;
        assert_string_equal(got.first.field, cases[i].field);
        assert_int_equal(got.first.code, cases[i].code);
    }
}

static void has_trouble(struct scratch_db *s, const char *rule, const char *what)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    const json_t *one;
    assert_int_equal(okno_alert_troubles(s->db, 600 * S, &list, &s->err), 0);
    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "rule")), rule) != 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(one, "what")), what);
        return;
    }
    if (*what)
        fail_msg("nothing is wrong with %s", rule);
}

static void rules_that_can_never_fire_or_reach_nobody_are_told(void **state)
{
    struct scratch_db *s = *state;
    put_destinations(s);
    scratch_db_put(s,
                   "INSERT INTO devices (import, device, point, valid_from) VALUES "
                   "(1, 'D1', 'P1', 0)");
    rule(s,
         "rule,kind,where,count,window_min,to,enabled\n"
         "north,negative,group:North,,,boss,\n"
         "deaf,negative,point:P3,,,boss,\n"
         "burst,fm_burst,all,3,20,,\n"
         "burst-ok,fm_burst,all,3,21,,\n"
         "rest,fm_burst,all,3,20,,false\n"
         "second,negatives,site:S1,,,team,");
    has_trouble(s, "north", "");
    has_trouble(s, "deaf", "never");
    has_trouble(s, "burst", "never");
    has_trouble(s, "burst-ok", "");
    has_trouble(s, "rest", "");
    has_trouble(s, "second", "");
    scratch_db_put(s,
                   "INSERT INTO sites (import, site, name, time_zone) VALUES "
                   "(1, 'S1', 'First', 'UTC');"
                   "INSERT INTO destinations (import, destination, kind, url, secret, enabled) "
                   "VALUES (1, 'team', 'webhook', 'https://example.org/', 'hook', 0)");
    has_trouble(s, "north", "place_unknown");
    has_trouble(s, "second", "destination_at_rest");
}

static void importing_rules_again_adds_nothing(void **state)
{
    struct scratch_db *s = *state;
    struct imported got;
    static const char text[] = "rule,kind,share,to\nq,silent_share,0.25,boss team\n";
    put_destinations(s);
    assert_int_equal(import_as(s->db, &okno_alert_rule_import, text, &got, &s->err), 0);
    assert_int_equal(got.result.added, 1);
    assert_int_equal(import_as(s->db, &okno_alert_rule_import, text, &got, &s->err), 0);
    assert_int_equal(got.result.duplicate, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_negative_rating_opens_one_alert_however_often_one_looks),
        TEST(a_rating_that_is_none_any_more_closes_its_alert),
        TEST(a_spontaneous_no_is_a_negative_rating_too),
        TEST(a_history_that_is_imported_raises_nothing),
        TEST(three_negatives_within_an_hour_at_one_point_are_one_alert),
        TEST(a_stored_rule_takes_the_place_of_the_one_built_in),
        TEST(a_burst_of_force_majeure_is_told),
        TEST(silence_above_its_share_is_told_and_ends),
        TEST(a_share_of_invalid_verdicts_is_told),
        TEST(a_device_that_falls_silent_is_told_until_it_is_heard_again),
        TEST(a_point_without_surveys_for_two_days_is_told),
        TEST(a_point_that_is_closed_for_days_is_not_missed),
        TEST(an_archive_that_does_not_answer_is_one_alert_with_what_is_at_risk),
        TEST(an_archive_whose_clock_was_set_is_told_until_somebody_measures_it),
        TEST(an_appeal_is_told_until_it_is_decided_and_again_when_it_is_due),
        TEST(trying_the_rules_tells_what_would_open_and_opens_nothing),
        TEST(more_news_than_one_call_takes_is_said),
        TEST(an_alert_is_seen_by_the_first_who_says_so),
        TEST(only_alerts_of_the_sites_asked_for_are_listed),
        TEST(a_rule_that_cannot_be_is_refused_by_its_field),
        TEST(a_rule_that_names_what_is_not_there_is_refused_unless_it_rests),
        TEST(rules_that_can_never_fire_or_reach_nobody_are_told),
        TEST(importing_rules_again_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
