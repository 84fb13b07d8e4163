#define _POSIX_C_SOURCE 200809L
/* The survey tables follow events, registry and time; only differences are written; corrections of
 * closed surveys are told. */
#include "okno/conf.h"
#include "okno/survey.h"
#include "okno/time.h"
#include "store.h"

#define T0 INT64_C(1773144000000000) /* 2026-03-10T12:00:00Z */
#define SECONDS(s) ((int64_t)(s)*OKNO_SECOND_US)
#define LATER (T0 + SECONDS(3600))

/* An event of a device `at` microseconds after T0. */
static void happens(struct store *store, const char *device, int64_t seq, const char *kind,
                    int64_t at)
{
    const struct okno_event event = {
        .device = device, .seq = seq, .kind = kind, .duration_ms = -1, .at_us = T0 + at};
    const struct okno_event_receipt receipt = {.at_us = LATER};
    enum okno_event_stored stored;
    struct okno_err err = {0};
    assert_int_equal(okno_db_begin(store->db, &err), 0);
    if (okno_event_store(store->db, &event, &receipt, &stored, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(okno_db_commit(store->db, &err), 0);
}

static struct okno_survey_refreshed refresh_at(struct store *store, int64_t now_us)
{
    struct okno_survey_refreshed counts = {0};
    struct okno_err err = {0};
    const struct okno_survey_params params = okno_survey_params_default();
    if (okno_survey_refresh(store->db, &params, now_us, &counts, &err) != 0)
        fail_msg("%s", err.text);
    return counts;
}

/* The fixture's points and devices are new once; tests begin after that. */
static int open_settled(void **state)
{
    int rc = store_open(state);
    (void)refresh_at(*state, 0);
    return rc;
}

static void assert_counts(struct okno_survey_refreshed got, int64_t points, int64_t added,
                          int64_t changed, int64_t removed)
{
    assert_int_equal(got.points, points);
    assert_int_equal(got.added, added);
    assert_int_equal(got.changed, changed);
    assert_int_equal(got.removed, removed);
}

static void assert_gives(struct store *store, const char *sql, const char *expected)
{
    assert_string_equal(get(store, sql), expected);
}

#define SHAPE                                                                                      \
    "SELECT group_concat(survey || ' ' || point || ' ' || state || ' ' || coalesce(answer, '-') "  \
    "|| ' [' || flags || ']', '; ') FROM (SELECT * FROM surveys ORDER BY opened_at, survey)"

static void events_become_surveys_ratings_and_situations(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "no", SECONDS(3));
    happens(store, "d1", 3, "press", SECONDS(100));
    happens(store, "d1", 4, "yes", SECONDS(300));
    happens(store, "d1", 5, "hold", SECONDS(400));
    assert_counts(refresh_at(store, LATER), 1, 2, 0, 0);
    assert_gives(store, SHAPE, "d1.0.1 p1 answered no []; d1.0.3 p1 silent - []");
    assert_gives(store, "SELECT site || opened_at || ' ' || closes_at FROM surveys",
                 "s11773144000000000 1773144015000000");
    assert_gives(store,
                 "SELECT rating || point || site || answer || at || channel FROM spontaneous",
                 "d1.0.4p1s1yes1773144300000000panel");
    assert_gives(store,
                 "SELECT situation || point || first_at || ' ' || until_at || ' ' || holds FROM "
                 "force_majeure",
                 "d1.0.5p11773144400000000 1773145000000000 1");
}

static void nothing_new_makes_no_point_anew(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    assert_counts(refresh_at(store, LATER), 1, 1, 0, 0);
    assert_counts(refresh_at(store, LATER + 1), 0, 0, 0, 0);
    happens(store, "d1", 2, "alive", SECONDS(1000));
    assert_counts(refresh_at(store, LATER + 2), 1, 0, 1, 0); /* now the panel was heard */
    happens(store, "d1", 3, "alive", SECONDS(2000));
    assert_counts(refresh_at(store, LATER + 3), 1, 0, 0, 0);
    assert_gives(store, "SELECT count(*) FROM survey_history", "0");
    assert_gives(store, "SELECT placed_at FROM surveys", "1773147600000000");
}

static void an_open_survey_closes_when_its_time_has_come(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "yes", SECONDS(1));
    assert_counts(refresh_at(store, T0 + SECONDS(15) - 1), 1, 1, 0, 0);
    assert_gives(store, SHAPE, "d1.0.1 p1 open yes []");
    assert_counts(refresh_at(store, T0 + SECONDS(15)), 1, 0, 1, 0);
    assert_gives(store, SHAPE, "d1.0.1 p1 answered yes []");
    assert_gives(store, "SELECT count(*) FROM survey_history", "0");
}

static void a_late_event_changes_a_closed_survey_and_its_history_tells(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 9, "alive", SECONDS(900));
    (void)refresh_at(store, LATER);
    happens(store, "d1", 2, "no", SECONDS(4));
    assert_counts(refresh_at(store, LATER + 5), 1, 0, 1, 0);
    assert_gives(store, SHAPE, "d1.0.1 p1 answered no []");
    assert_gives(store,
                 "SELECT survey || at || json_extract(was, '$.state') || json_extract(became, "
                 "'$.state') || json_extract(became, '$.answered_at') FROM survey_history",
                 "d1.0.11773147600000005silentanswered2026-03-10T12:00:04.000Z");
    assert_gives(store, "SELECT placed_at FROM surveys", "1773147600000000"); /* same seconds */
}

static void a_late_press_may_remove_a_survey_and_move_the_end_of_another(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 3, "press", SECONDS(10) + 1);
    happens(store, "d1", 9, "alive", SECONDS(900));
    (void)refresh_at(store, LATER);
    happens(store, "d1", 2, "press", SECONDS(9)); /* d1.0.3 doubles this one */
    assert_counts(refresh_at(store, LATER + 1), 1, 1, 1, 1);
    assert_gives(store, SHAPE,
                 "d1.0.1 p1 silent - [superseded]; d1.0.2 p1 silent - [duplicate_press]");
    assert_gives(store, "SELECT became FROM survey_history WHERE survey = 'd1.0.3'", "NULL");
    assert_gives(store, "SELECT placed_at FROM surveys WHERE survey = 'd1.0.1'",
                 "1773147600000001");
}

static void a_survey_that_comes_back_tells_so(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    (void)refresh_at(store, LATER);
    put(store,
        "INSERT INTO devices (import, device, point, valid_from, valid_to) VALUES"
        " (1, 'd1', 'p1', 0, 1)");
    assert_counts(refresh_at(store, LATER), 1, 0, 0, 1);
    put(store, "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd1', 'p1', 0)");
    assert_counts(refresh_at(store, LATER), 1, 1, 0, 0);
    assert_gives(store, "SELECT count(*) FROM survey_history WHERE was IS NULL", "1");
    assert_gives(store, "SELECT count(*) FROM survey_history WHERE became IS NULL", "1");
}

static void batches_in_any_order_give_the_same_as_all_at_once(void **state)
{
    struct store *store = *state;
    static const struct {
        int64_t seq;
        const char *kind;
        int64_t at;
    } events[] = {{1, "press", 0},   {2, "yes", 5},    {3, "press", 10}, {4, "no", 40},
                  {5, "hold", 60},   {6, "press", 61}, {7, "press", 62}, {8, "unsure", 70},
                  {9, "alive", 200}, {10, "hold", 400}};
    static const size_t orders[][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                        {9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
                                        {3, 7, 1, 9, 5, 0, 8, 2, 6, 4}};
    static const char whole[] = SHAPE
        " UNION ALL SELECT group_concat(rating || at) FROM spontaneous UNION ALL "
        "SELECT group_concat(situation || until_at || holds) FROM force_majeure";
    static const char joined[] = "SELECT count(*) FROM events";
    char expected[1024] = "";
    for (size_t i = 0; i < 3; i++) {
        put(store,
            "DELETE FROM events; DELETE FROM surveys; DELETE FROM survey_history; "
            "DELETE FROM spontaneous; DELETE FROM force_majeure");
        for (size_t j = 0; j < 10; j++) {
            size_t k = orders[i][j];
            happens(store, "d1", events[k].seq, events[k].kind, SECONDS(events[k].at));
            if (i > 0) /* each event a batch of its own */
                (void)refresh_at(store, LATER);
        }
        (void)refresh_at(store, LATER);
        assert_gives(store, joined, "10");
        if (i == 0)
            (void)snprintf(expected, sizeof(expected), "%s", get(store, whole));
        assert_string_equal(get(store, whole), expected);
        assert_non_null(strstr(expected, "d1.0.1 p1 answered yes []"));
    }
}

static void a_device_belongs_to_the_point_of_its_pairing_at_that_time(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO devices (import, device, point, valid_from) VALUES"
        " (1, 'd1', 'p2', 1773144100000000)");
    happens(store, "d1", 1, "press", SECONDS(100) - 1);
    happens(store, "d1", 2, "yes", SECONDS(100)); /* at p2 by then: spontaneous there */
    happens(store, "d1", 3, "press", SECONDS(130));
    happens(store, "d1", 4, "alive", SECONDS(1000));
    assert_counts(refresh_at(store, LATER), 2, 2, 0, 0);
    assert_gives(store, SHAPE, "d1.0.1 p1 silent - []; d1.0.3 p2 silent - []");
    assert_gives(store, "SELECT rating || point FROM spontaneous", "d1.0.2p2");
}

static void a_corrected_pairing_moves_surveys_to_the_other_point(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "alive", SECONDS(1000));
    (void)refresh_at(store, LATER);
    put(store, "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd1', 'p2', 0)");
    (void)refresh_at(store, LATER + 1);
    assert_gives(store, SHAPE, "d1.0.1 p2 silent - []");
    assert_gives(store, "SELECT placed_at FROM surveys", "1773147600000001");
    assert_true(atoll(get(store, "SELECT count(*) FROM survey_history")) > 0);
    assert_counts(refresh_at(store, LATER + 2), 0, 0, 0, 0);
}

static void a_known_device_without_pairing_waits_for_one(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO devices (import, device, point, valid_from, valid_to) VALUES"
        " (1, 'd2', 'p2', 1, 2)");
    happens(store, "d2", 1, "press", 0);
    assert_counts(refresh_at(store, LATER), 1, 0, 0, 0);
    put(store, "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd2', 'p2', 3)");
    assert_counts(refresh_at(store, LATER), 1, 1, 0, 0);
}

static void clocks_move_surveys_and_are_told(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "alive", SECONDS(1000));
    (void)refresh_at(store, LATER);
    assert_gives(store, "SELECT device_offset_us || ' ' || device_uncertainty_us FROM surveys",
                 "0 10000000");
    put(store,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'device:d1', 1773143992600000, 7400000, 200000)");
    assert_counts(refresh_at(store, LATER), 1, 0, 1, 0);
    assert_gives(store, "SELECT opened_at - 1773144000000000 FROM surveys", "-7400000");
    assert_gives(store, "SELECT device_offset_us || ' ' || device_uncertainty_us FROM surveys",
                 "7400000 200000");
    assert_gives(store, "SELECT survey FROM surveys", "d1.0.1");
    assert_gives(store, "SELECT count(*) FROM survey_history", "1");
}

static void an_event_far_ahead_of_its_receipt_waits_for_an_explanation(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", SECONDS(3600) + OKNO_DAY_US);
    happens(store, "d1", 2, "press", SECONDS(3600) + OKNO_DAY_US + 1 + SECONDS(60));
    struct okno_survey_refreshed counts = refresh_at(store, LATER);
    assert_counts(counts, 1, 1, 0, 0);
    assert_int_equal(counts.suspect, 1);
    assert_gives(store, "SELECT survey FROM surveys", "d1.0.1");
    put(store,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us) VALUES"
        " (1, 'device:d1', 1773144000000000, 86400000000, 200000)");
    assert_counts(refresh_at(store, LATER), 1, 1, 1, 0);
}

static void the_employee_is_who_had_the_shift(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "press", SECONDS(100));
    happens(store, "d1", 3, "press", SECONDS(200));
    happens(store, "d1", 4, "press", SECONDS(300));
    happens(store, "d1", 5, "alive", SECONDS(1000));
    (void)refresh_at(store, LATER);
    put(store,
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'p1', 1773144000000000, 1773144200000001),"
        " (1, 'bob', 'p1', 1773144200000000, 1773144300000000),"
        " (1, 'eve', 'p2', 1773144000000000, 1773144900000000)");
    assert_counts(refresh_at(store, LATER), 2, 0, 3, 0);
    assert_gives(store,
                 "SELECT group_concat(coalesce(employee, '-') || ' [' || flags || ']', '; ') FROM "
                 "(SELECT * FROM surveys ORDER BY opened_at)",
                 "ann []; ann []; - [shift_overlap]; - []");
}

static void the_question_decides_the_window_and_is_kept(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
        " VALUES (1, 'q1', 'p1', 0, 'personnel', 'Polite?', 5000000),"
        " (1, 'q2', 'p1', 1773144100000000, 'office', 'Clean?', 20000000)");
    happens(store, "d1", 1, "press", SECONDS(100) - 1);
    happens(store, "d1", 2, "press", SECONDS(120));
    happens(store, "d1", 3, "alive", SECONDS(1000));
    (void)refresh_at(store, LATER);
    assert_gives(store,
                 "SELECT group_concat(question || ' ' || question_kind || ' ' || (closes_at - "
                 "opened_at), '; ') FROM (SELECT * FROM surveys ORDER BY opened_at)",
                 "q1 personnel 5000000; q2 office 20000000");
}

static void a_test_device_makes_void_surveys(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO devices (import, device, point, valid_from, test) VALUES"
        " (1, 'd1', 'p1', 0, 1)");
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "alive", SECONDS(1000));
    (void)refresh_at(store, LATER);
    assert_gives(store, "SELECT test || ' ' || auto_void || ' ' || flags FROM surveys",
                 "1 1 test_mode");
}

static void changed_parameters_make_every_point_anew(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    (void)refresh_at(store, LATER);
    struct okno_conf conf;
    okno_conf_defaults(&conf);
    struct okno_survey_refreshed counts = {0};
    struct okno_survey_params params = okno_survey_params_of(&conf);
    assert_int_equal(okno_survey_refresh(store->db, &params, LATER, &counts, NULL), 0);
    assert_int_equal(counts.points, 0); /* the configuration's defaults are the core's */
    conf.survey.window_s = 30;
    params = okno_survey_params_of(&conf);
    assert_int_equal(okno_survey_refresh(store->db, &params, LATER, &counts, NULL), 0);
    assert_int_equal(counts.changed, 1);
    assert_gives(store, "SELECT closes_at - opened_at FROM surveys", "30000000");
}

static void misplaced_events_are_counted(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO devices (import, device, point, valid_from, role) VALUES"
        " (1, 'd2', 'p1', 0, 'panel')");
    happens(store, "d2", 1, "press", 0);
    assert_int_equal(refresh_at(store, LATER).misplaced, 1);
    assert_gives(store, "SELECT count(*) FROM surveys", "0");
}

static void a_failed_refresh_leaves_the_marks_for_the_next(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    put(store,
        "CREATE TRIGGER broken BEFORE INSERT ON surveys BEGIN SELECT raise(ABORT, 'no'); END");
    const struct okno_survey_params params = okno_survey_params_default();
    struct okno_survey_refreshed counts = {.points = 77};
    struct okno_err err = {0};
    assert_true(okno_survey_refresh(store->db, &params, LATER, &counts, &err) < 0);
    assert_int_equal(counts.points, 77);
    put(store, "DROP TRIGGER broken");
    assert_counts(refresh_at(store, LATER), 1, 1, 0, 0);
}

static void hours_are_those_of_the_site_on_days_when_clocks_change_too(void **state)
{
    struct store *store = *state;
    /* The night to 2026-03-29 loses an hour in Berlin. */
    static const char outside[] =
        "SELECT group_concat(survey, ' ') FROM (SELECT * FROM surveys"
        " WHERE flags LIKE '%outside_hours%' ORDER BY survey)";
    put(store,
        "INSERT INTO sites (import, site, name, time_zone, hours) VALUES"
        " (1, 's1', 'Mall', 'Europe/Berlin', 'Mo-Su 09:00-23:59; 2026-03-30 closed')");
    static const char *const times[] = {"2026-03-28T07:59:59.999Z", "2026-03-28T08:00:00Z",
                                        "2026-03-29T06:59:59.999Z", "2026-03-29T07:00:00Z",
                                        "2026-03-29T21:58:50Z",     "2026-03-29T21:59:00Z",
                                        "2026-03-30T10:00:00Z"};
    for (size_t i = 0; i < OKNO_COUNT(times); i++) {
        int64_t at_us = 0;
        struct okno_err err = {0};
        assert_int_equal(okno_time_parse(times[i], &at_us, &err), 0);
        happens(store, "d1", (int64_t)i + 1, "press", at_us - T0);
    }
    happens(store, "d1", 9, "alive", 30 * OKNO_DAY_US);
    (void)refresh_at(store, T0 + 31 * OKNO_DAY_US);
    assert_gives(store, outside, "NULL"); /* what arrived an hour after T0 is far in the future */
    put(store,
        "UPDATE events SET arrived_at = at; DELETE FROM survey_seen;"
        "INSERT INTO survey_dirty_devices VALUES ('d1', 0)");
    (void)refresh_at(store, T0 + 31 * OKNO_DAY_US);
    assert_gives(store, outside, "d1.0.1 d1.0.3 d1.0.6 d1.0.7");
    /* A point's own hours go before; a new name of it makes nothing anew. */
    put(store,
        "INSERT INTO points (import, point, site, name, hours) VALUES"
        " (1, 'p1', 's1', 'Till 1', '24/7')");
    assert_counts(refresh_at(store, T0 + 31 * OKNO_DAY_US), 1, 0, 4, 0);
    assert_gives(store, outside, "NULL");
    put(store,
        "INSERT INTO points (import, point, site, name, hours) VALUES"
        " (1, 'p1', 's1', 'The first till', '24/7')");
    assert_counts(refresh_at(store, T0 + 31 * OKNO_DAY_US), 0, 0, 0, 0);
}

static void new_hours_leave_the_past_alone_and_a_correction_of_it_is_told(void **state)
{
    struct store *store = *state;
    static const char outside[] =
        "SELECT group_concat(survey, ' ') FROM (SELECT * FROM surveys"
        " WHERE flags LIKE '%outside_hours%' ORDER BY survey)";
    put(store, "UPDATE sites SET time_zone = 'Europe/Berlin', hours = 'Mo-Su 09:00-18:00'");
    for (int64_t i = 0; i < 10; i++) /* ten days, at 19:00 CET, later 20:00 CEST */
        happens(store, "d1", i + 1, "press", (i * 24 + 6) * SECONDS(3600));
    happens(store, "d1", 99, "alive", 11 * OKNO_DAY_US);
    put(store, "UPDATE events SET arrived_at = at");
    (void)refresh_at(store, T0 + 12 * OKNO_DAY_US);
    assert_gives(store, "SELECT count(*) FROM surveys WHERE flags LIKE '%outside_hours%'", "10");
    /* From the sixth day on it is open until late: that day and the two before are made again. */
    put(store,
        "INSERT INTO sites (import, site, name, time_zone, hours, hours_from) VALUES"
        " (1, 's1', 'Mall', 'Europe/Berlin', 'Mo-Su 09:00-22:00', date(1773144000, 'unixepoch', "
        "'+5 days'))");
    struct okno_survey_refreshed counts = refresh_at(store, T0 + 12 * OKNO_DAY_US);
    assert_int_equal(counts.changed, 5);
    assert_gives(store, outside, "d1.0.1 d1.0.2 d1.0.3 d1.0.4 d1.0.5");
    assert_gives(store, "SELECT count(*) FROM survey_history", "5");
    /* It turns out that the third day was late, too, until the fifth. */
    put(store,
        "DELETE FROM survey_history;"
        "INSERT INTO sites (import, site, name, time_zone, hours, hours_from) VALUES"
        " (1, 's1', 'Mall', 'Europe/Berlin', 'Mo-Su 09:00-21:00', date(1773144000, 'unixepoch', "
        "'+2 days')),"
        " (1, 's1', 'Mall', 'Europe/Berlin', 'Mo-Su 09:00-18:00', date(1773144000, 'unixepoch', "
        "'+4 days'))");
    counts = refresh_at(store, T0 + 12 * OKNO_DAY_US);
    assert_int_equal(counts.changed, 2);
    assert_gives(store, outside, "d1.0.1 d1.0.2 d1.0.5");
    assert_gives(store,
                 "SELECT group_concat(survey, ' ') FROM (SELECT survey FROM survey_history"
                 " WHERE instr(was, 'outside_hours') AND NOT instr(became, 'outside_hours')"
                 " ORDER BY survey)",
                 "d1.0.3 d1.0.4");
    /* All that again from nothing gives the same. */
    put(store, "DELETE FROM survey_seen; DELETE FROM surveys");
    (void)refresh_at(store, T0 + 12 * OKNO_DAY_US);
    assert_gives(store, outside, "d1.0.1 d1.0.2 d1.0.5");
}

static void what_a_refresh_that_broke_off_left_is_taken_up(void **state)
{
    struct store *store = *state;
    happens(store, "d1", 1, "press", 0);
    happens(store, "d1", 2, "press", SECONDS(100));
    happens(store, "d1", 3, "alive", SECONDS(900));
    (void)refresh_at(store, LATER);
    /* Both were not made again when it broke off; the first turns up now, the second does not. */
    put(store,
        "INSERT INTO survey_stale SELECT survey, point, opened_at FROM surveys;"
        "INSERT INTO survey_dirty_spans VALUES ('p1', 1773144000000000, 1773144000000001);"
        "DELETE FROM events WHERE seq = 2");
    assert_counts(refresh_at(store, LATER), 1, 0, 0, 1);
    assert_gives(store, SHAPE, "d1.0.1 p1 silent - []");
    assert_gives(store, "SELECT survey FROM survey_history WHERE became IS NULL", "d1.0.2");
    assert_gives(store, "SELECT count(*) FROM survey_stale", "0");
}

static void a_window_does_not_care_for_midnight(void **state)
{
    struct store *store = *state;
    int64_t midnight = SECONDS(12 * 3600); /* after T0 */
    happens(store, "d1", 1, "press", midnight - SECONDS(5));
    happens(store, "d1", 2, "no", midnight + SECONDS(5));
    happens(store, "d1", 3, "alive", midnight + SECONDS(60));
    (void)refresh_at(store, T0 + OKNO_DAY_US);
    assert_gives(store, SHAPE, "d1.0.1 p1 answered no []");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_settled, store_close)
    const struct CMUnitTest tests[] = {
        TEST(events_become_surveys_ratings_and_situations),
        TEST(nothing_new_makes_no_point_anew),
        TEST(an_open_survey_closes_when_its_time_has_come),
        TEST(a_late_event_changes_a_closed_survey_and_its_history_tells),
        TEST(a_late_press_may_remove_a_survey_and_move_the_end_of_another),
        TEST(a_survey_that_comes_back_tells_so),
        TEST(batches_in_any_order_give_the_same_as_all_at_once),
        TEST(a_device_belongs_to_the_point_of_its_pairing_at_that_time),
        TEST(a_corrected_pairing_moves_surveys_to_the_other_point),
        TEST(a_known_device_without_pairing_waits_for_one),
        TEST(clocks_move_surveys_and_are_told),
        TEST(an_event_far_ahead_of_its_receipt_waits_for_an_explanation),
        TEST(the_employee_is_who_had_the_shift),
        TEST(the_question_decides_the_window_and_is_kept),
        TEST(a_test_device_makes_void_surveys),
        TEST(changed_parameters_make_every_point_anew),
        TEST(misplaced_events_are_counted),
        TEST(a_failed_refresh_leaves_the_marks_for_the_next),
        TEST(hours_are_those_of_the_site_on_days_when_clocks_change_too),
        TEST(new_hours_leave_the_past_alone_and_a_correction_of_it_is_told),
        TEST(a_window_does_not_care_for_midnight),
        TEST(what_a_refresh_that_broke_off_left_is_taken_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
