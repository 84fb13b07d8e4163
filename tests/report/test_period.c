#define _POSIX_C_SOURCE 200809L
/* Closing pay periods: what is refused, what is signed, what becomes an adjustment. */
#include "okno/period.h"

#include "okno/appeal.h"
#include "okno/attribution.h"
#include "okno/event.h"
#include "okno/note.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

/* Moscow's 10 and 11 March 2026 begin at 21:00Z of the days before. */
#define DAY1 INT64_C(1773090000000000)
#define DAY2 (DAY1 + OKNO_DAY_US)
#define NOW (DAY2 + 3600 * OKNO_SECOND_US)

struct office {
    struct scratch_db *db;
    int64_t seq, now_us;
};

static void must(struct office *o, int rc)
{
    if (rc < 0)
        fail_msg("%s", o->db->err.text);
}

static void must_fail(struct office *o, int rc, int code, const char *words)
{
    if (rc != code || !strstr(o->db->err.text, words))
        fail_msg("%d `%s` is not %d `%s`", rc, o->db->err.text, code, words);
    okno_err_clear(&o->db->err);
}

static void happens(struct office *o, const char *device, const char *kind, int64_t at_us)
{
    const struct okno_event event = {
        .device = device, .seq = ++o->seq, .kind = kind, .duration_ms = -1, .at_us = at_us};
    const struct okno_event_receipt receipt = {.at_us = o->now_us};
    enum okno_event_stored stored;
    must(o, okno_db_begin(o->db->db, &o->db->err));
    must(o, okno_event_store(o->db->db, &event, &receipt, &stored, &o->db->err));
    must(o, okno_db_commit(o->db->db, &o->db->err));
}

/* A survey a minute of a device from a moment; the answers by letter: y, n, s for silent. */
static void serve(struct office *o, const char *device, int64_t from_us, const char *answers)
{
    for (size_t i = 0; answers[i]; i++) {
        int64_t at_us = from_us + (int64_t)i * 60 * OKNO_SECOND_US;
        happens(o, device, "press", at_us);
        if (answers[i] != 's')
            happens(o, device, answers[i] == 'y' ? "yes" : "no", at_us + 3 * OKNO_SECOND_US);
    }
}

/* ann at till 1 of the mall, bob at till 2, cat at the office far away (no surveys); ann 6 surveys
 * of which 2 no, bob 4 of which 1 no, on 10 March; one of ann's on the 11th. */
static int setup(void **state)
{
    struct office *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    o->db = scratch_db_new();
    o->now_us = DAY1 + 12 * 3600 * OKNO_SECOND_US;
    scratch_db_put(
        o->db,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES"
        " (1, 'mall', 'Mall', 'Europe/Moscow'), (1, 'far', 'Far', 'Asia/Omsk');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 'mall', 'P1'),"
        " (1, 'p2', 'mall', 'P2'), (1, 'p3', 'far', 'P3');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd1', 'p1', 0),"
        " (1, 'd2', 'p2', 0);"
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us) VALUES"
        " (1, 'q', 'p1', 0, 'personnel', '?', 15000000),"
        " (1, 'q', 'p2', 0, 'personnel', '?', 15000000);"
        "INSERT INTO employees (import, employee, name) VALUES (1, 'ann', 'Ann, \"A\"'),"
        " (1, 'bob', 'Bob'), (1, 'cat', 'Cat');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'p1', 1773090000000000, 1773300000000000),"
        " (1, 'bob', 'p2', 1773090000000000, 1773300000000000),"
        " (1, 'cat', 'p3', 1773090000000000, 1773300000000000);"
        "INSERT INTO users (user, role, password_hash, created_at) VALUES"
        " ('root', 'administrator', 'x', 0);");
    serve(o, "d1", DAY1 + 3600 * OKNO_SECOND_US, "ynysny");
    serve(o, "d2", DAY1 + 3600 * OKNO_SECOND_US, "yyny");
    o->now_us = NOW;
    serve(o, "d1", DAY2 + 60 * OKNO_SECOND_US, "y");
    *state = o;
    return 0;
}

static int teardown(void **state)
{
    struct office *o = *state;
    scratch_db_free(o->db);
    free(o);
    return 0;
}

static int close_period(struct office *o, const char *from, const char *to, const char *site,
                        const char *accept, int64_t *ret_period)
{
    const struct okno_period_request request = {.from = from,
                                                .to = to,
                                                .site = site,
                                                .accept = accept,
                                                .author = "root",
                                                .k = 0.5,
                                                .fm_threshold = 0.1,
                                                .min_n = 5,
                                                .params = okno_survey_params_default()};
    return okno_period_close(o->db->db, &request, o->now_us, ret_period, &o->db->err);
}

static int64_t closed(struct office *o, const char *from, const char *to, const char *site)
{
    int64_t period = 0;
    must(o, close_period(o, from, to, site, NULL, &period));
    return period;
}

static json_t *statement_of(struct office *o, int64_t period, const char *employee)
{
    okno_autojson json_t *json = NULL;
    size_t i;
    json_t *one;
    must(o, okno_period_get(o->db->db, period, &json, &o->db->err));
    json_array_foreach(json_object_get(json, "statements"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "employee")), employee) == 0)
            return json_incref(one);
    }
    return NULL;
}

static void is_stated(struct office *o, int64_t period, const char *employee, const char *state,
                      int64_t n, double ink)
{
    okno_autojson json_t *s = statement_of(o, period, employee);
    assert_non_null(s);
    assert_string_equal(json_string_value(json_object_get(s, "state")), state);
    const json_t *counts = json_object_get(s, "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "n")), n);
    const json_t *one = json_object_get(json_object_get(s, "indicators"), "ink_personnel");
    if (n > 0)
        assert_float_equal(json_number_value(json_object_get(one, "excluded")), ink, 1e-6);
}

static void every_employee_of_the_site_gets_a_signed_statement(void **state)
{
    struct office *o = *state;
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    is_stated(o, period, "ann", "payable", 6, 2.5 / 6);
    is_stated(o, period, "bob", "too_few", 4, 0.25);
    assert_null(statement_of(o, period, "cat"));
    okno_autojson json_t *json = NULL;
    must(o, okno_period_get(o->db->db, period, &json, &o->db->err));
    assert_string_equal(json_string_value(json_object_get(json, "from")),
                        "2026-03-09T21:00:00.000Z");
    assert_string_equal(json_string_value(json_object_get(json, "to")), "2026-03-10T21:00:00.000Z");
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
}

static void too_much_that_cannot_be_judged_is_not_reliable(void **state)
{
    struct office *o = *state;
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    must(o, okno_survey_refresh(o->db->db, &params, NOW, &counts, &o->db->err));
    scratch_db_put(o->db,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (1, 'x', 'd1.0.1', 1, 'targeted', 'decided');"
                   "INSERT INTO verdicts (item, audit, survey, user, at, reasons_version, verdict,"
                   " reason) VALUES (1, 'x', 'd1.0.1', 'eva', 1, 1, 'undeterminable', 'TOO_DARK')");
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    is_stated(o, period, "ann", "not_reliable", 6, 2.5 / 6); /* one of six */
    okno_autojson json_t *s = statement_of(o, period, "ann");
    assert_string_equal(json_string_value(json_array_get(json_object_get(s, "reasons"), 0)),
                        "undeterminable");
}

static void who_served_without_a_survey_is_not_dropped(void **state)
{
    struct office *o = *state;
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "far");
    is_stated(o, period, "cat", "too_few", 0, 0);
    assert_null(statement_of(o, period, "ann"));
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
}

static void what_cannot_be_closed_is_refused(void **state)
{
    struct office *o = *state;
    int64_t period = 0;
    must_fail(o, close_period(o, "2026-03-10", "2026-03-11", "mall", NULL, &period), OKNO_REFUSED,
              "still to come");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-10", NULL, NULL, &period), OKNO_INVALID,
              "different time zones");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-10", "shop", NULL, &period),
              OKNO_UNKNOWN_REF, "no site \"shop\"");
    must_fail(o, close_period(o, "2026-13-10", "2026-03-10", "mall", NULL, &period), OKNO_INVALID,
              "from \"2026-13-10\"");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-09", "mall", NULL, &period), OKNO_INVALID,
              "ends before it begins: 2026-03-09 is before 2026-03-10");
    must_fail(o, close_period(o, "2026-03-10", NULL, "mall", NULL, &period), OKNO_MISSING, "to");
    must_fail(o, close_period(o, "2025-03-10", "2025-03-10", "mall", NULL, &period), OKNO_NOT_FOUND,
              "nobody served");
    (void)closed(o, "2026-03-10", "2026-03-10", "mall");
    must_fail(o, close_period(o, "2026-03-09", "2026-03-10", "mall", NULL, &period), OKNO_CONFLICT,
              "pay period 1 overlaps");
    must_fail(o,
              close_period(o, "2026-03-09T21:00:00Z", "2026-03-10T20:00:00Z", NULL, NULL, &period),
              OKNO_CONFLICT, "pay period 1 overlaps");
    (void)closed(o, "2026-03-10", "2026-03-10", "far"); /* another site's own calendar */
}

static void open_reviews_keep_it_open_unless_that_is_accepted(void **state)
{
    struct office *o = *state;
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    int64_t period = 0;
    must(o, okno_survey_refresh(o->db->db, &params, NOW, &counts, &o->db->err));
    scratch_db_put(o->db,
                   "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at,"
                   " created_by) VALUES ('A', 'drawn', 0, 1, '{}', 0, 'x');"
                   "INSERT INTO review_items (audit, survey, place, origin, state) VALUES"
                   " ('A', 'd1.0.1', 1, 'random', 'open')");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-10", "mall", NULL, &period), OKNO_REFUSED,
              "1 sampled survey of the period waits for review");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-10", "mall", "", &period), OKNO_INVALID,
              "a reason is 1 to");
    must(o, close_period(o, "2026-03-10", "2026-03-10", "mall", "the expert is ill", &period));
    okno_autojson json_t *json = NULL;
    must(o, okno_period_get(o->db->db, period, &json, &o->db->err));
    assert_string_equal(json_string_value(json_object_get(json, "accepted")), "the expert is ill");
}

static void an_audit_of_the_period_that_is_only_begun_keeps_it_open_too(void **state)
{
    struct office *o = *state;
    int64_t period = 0;
    scratch_db_put(o->db,
                   "INSERT INTO audits (audit, state, period_from, period_to, plan,"
                   " created_at, created_by) VALUES ('march', 'frozen', 1773090000000000,"
                   " 1773100000000000, '{}', 0, 'x'), ('may', 'planned', 1783090000000000,"
                   " 1783100000000000, '{}', 0, 'x')");
    must_fail(o, close_period(o, "2026-03-10", "2026-03-10", "mall", NULL, &period), OKNO_REFUSED,
              "audit march of the period waits for review");
    must(o, close_period(o, "2026-03-10", "2026-03-10", "mall", "it was called off", &period));
}

static int64_t held(struct office *o)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", o->db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, "SELECT count(*) FROM pay_held", -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return count;
}

static void evidence_of_the_open_period_is_held_once_periods_are_closed(void **state)
{
    struct office *o = *state;
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    must(o, okno_survey_refresh(o->db->db, &params, NOW, &counts, &o->db->err));
    scratch_db_put(o->db,
                   "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera,"
                   " asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us,"
                   " source, requests, bytes_read, software, made_at)"
                   " SELECT survey, 'clip', survey, 1, 'video/mp4', 'h264', 'c', 0, 1, 0, 1, 0, 0,"
                   " '[]', 0, 0, 'x', 0 FROM surveys WHERE point = 'p1'");
    assert_int_equal(held(o), 0); /* nobody closes periods */
    (void)closed(o, "2026-03-10", "2026-03-10", "mall");
    assert_int_equal(held(o), 1); /* the one of the 11th */
}

/* ---- adjustments ---- */

static void move(struct office *o, const char *survey, const char *employee)
{
    int64_t id = 0;
    const struct okno_attribution request = {
        .survey = survey, .employee = employee, .reason = "swapped", .at_us = o->now_us};
    must(o, okno_attribution_decide(o->db->db, &request, &id, &o->db->err));
}

/* The adjustment of an employee that is open (or carried): the caller drops it. */
static json_t *adjustment(struct office *o, int64_t period, const char *employee, bool carried)
{
    okno_autojson json_t *json = NULL;
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    size_t i;
    json_t *one;
    must(o, okno_survey_refresh(o->db->db, &params, o->now_us, &counts, &o->db->err));
    must(o, okno_period_adjustments(o->db->db, period, o->now_us, &json, &o->db->err));
    json_array_foreach(json_object_get(json, "adjustments"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "employee")), employee) == 0 &&
            json_is_integer(json_object_get(one, "carried_by")) == carried)
            return json_incref(one);
    }
    return NULL;
}

static void is_adjusted(struct office *o, int64_t period, const char *employee, int64_t n,
                        double ink, const char *cause)
{
    okno_autojson json_t *one = adjustment(o, period, employee, false);
    if (!one)
        fail_msg("no adjustment of %s", employee);
    const json_t *change = json_object_get(one, "difference");
    assert_int_equal(json_integer_value(json_object_get(change, "n")), n);
    assert_float_equal(json_number_value(json_object_get(change, "ink_personnel")), ink, 1e-6);
    const json_t *first = json_array_get(json_object_get(one, "causes"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "cause")), cause);
}

static void an_attribution_adjusts_both_employees(void **state)
{
    struct office *o = *state;
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    assert_null(adjustment(o, period, "ann", false));
    o->now_us += OKNO_SECOND_US;
    move(o, "d1.0.3", "bob"); /* ann's first no */
    is_adjusted(o, period, "ann", -1, 1.5 / 5 - 2.5 / 6, "attribution");
    is_adjusted(o, period, "bob", 1, 2.0 / 5 - 0.25, "attribution");
    okno_autojson json_t *all = NULL;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(1 << 20);
    must(o, okno_period_adjustments(o->db->db, period, o->now_us, &all, &o->db->err));
    must(o, okno_period_adjustments_csv(all, &csv, &o->db->err));
    assert_non_null(strstr(okno_buf_text(&csv), "\n\"ann\",1,,-1,-0.116666667,"));
    assert_non_null(strstr(okno_buf_text(&csv), ",\"attribution d1.0.3\"\n\"bob\",1,,1,"));
    is_stated(o, period, "ann", "payable", 6, 2.5 / 6); /* what was signed stays */
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
}

static void each_kind_of_change_is_named(void **state)
{
    struct office *o = *state;
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    o->now_us += OKNO_SECOND_US;
    scratch_db_put(o->db,
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                   " ('d1.0.3', 1, 1773180001000000, 'a', 'b', 'c')");
    is_adjusted(o, period, "ann", -1, 1.5 / 5 - 2.5 / 6, "void");
    scratch_db_put(o->db,
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                   " ('d1.0.3', 0, 1773180002000000, 'a', 'b', 'c');");
    assert_null(adjustment(o, period, "ann", false)); /* nothing is left of it */
    scratch_db_put(o->db,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (1, 'x', 'd2.0.12', 1, 'targeted', 'decided');"
                   "INSERT INTO verdicts (item, audit, survey, user, at, reasons_version, verdict,"
                   " reason) SELECT 1, 'x', survey, 'eva', 1773180003000000, 1, 'invalid',"
                   " 'CHILD_PLAY' FROM surveys WHERE point = 'p2' AND answer = 'no';"
                   "UPDATE review_items SET survey = (SELECT survey FROM verdicts)");
    is_adjusted(o, period, "bob", -1, -0.25, "verdict");
    okno_autojson json_t *nothing = adjustment(o, period, "ann", false);
    assert_null(nothing);
    serve(o, "d1", DAY1 + 10 * 3600 * OKNO_SECOND_US, "n"); /* told late */
    is_adjusted(o, period, "ann", 1, 3.5 / 7 - 2.5 / 6, "late_event");
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
}

/* A manager's appeal about one survey, which nobody had decided on. */
static int64_t appealed(struct office *o, const char *survey)
{
    int64_t id = 0;
    const struct okno_appeal appeal = {.survey = survey,
                                       .user = "max",
                                       .asks = "invalid",
                                       .comment = "no customer was there",
                                       .times = {10 * OKNO_DAY_US, 10 * OKNO_DAY_US},
                                       .at_us = o->now_us};
    must(o, okno_appeal_add(o->db->db, &appeal, &id, &o->db->err));
    return id;
}

static void ruled(struct office *o, int64_t appeal, const char *outcome)
{
    okno_autojson json_t *item = NULL;
    must(o, okno_appeal_take(o->db->db, appeal, "eva", 600000000, o->now_us, &item, &o->db->err));
    const struct okno_appeal_decision decision = {
        .appeal = appeal,
        .user = "eva",
        .lease = json_string_value(json_object_get(item, "lease")),
        .outcome = outcome,
        .reason = strcmp(outcome, "accept") == 0 ? "NO_CUSTOMER" : NULL,
        .comment = "looked at it again"};
    must(o, okno_appeal_decide(o->db->db, &decision, o->now_us, &o->db->err));
}

static void an_open_appeal_keeps_a_statement_open_and_its_outcome_adjusts_it(void **state)
{
    struct office *o = *state;
    scratch_db_put(o->db,
                   "INSERT INTO users (user, role, password_hash, created_at) VALUES"
                   " ('max', 'manager', 'x', 0)");
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    must(o, okno_survey_refresh(o->db->db, &params, o->now_us, &counts, &o->db->err));
    int64_t granted = appealed(o, "d1.0.3"); /* ann's first no */
    int64_t refused = appealed(o, "d2.0.12");
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    is_stated(o, period, "ann", "under_appeal", 6, 2.5 / 6);
    is_stated(o, period, "bob", "under_appeal", 4, 0.25);
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
    o->now_us += OKNO_SECOND_US;
    ruled(o, granted, "accept");
    ruled(o, refused, "reject");
    is_adjusted(o, period, "ann", -1, 1.5 / 5 - 2.5 / 6, "appeal");
    /* one that changed nothing is told, too: nothing waits for it any more */
    okno_autojson json_t *told = adjustment(o, period, "bob", false);
    assert_true(json_is_true(json_object_get(told, "appeal_settled")));
    assert_int_equal(json_object_size(json_object_get(told, "difference")), 0);
    is_stated(o, period, "ann", "under_appeal", 6, 2.5 / 6); /* what was signed stays */
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
    o->now_us = DAY2 + OKNO_DAY_US + 3600 * OKNO_SECOND_US;
    int64_t second = closed(o, "2026-03-11", "2026-03-11", "mall");
    assert_null(adjustment(o, period, "bob", false)); /* told once */
    must(o, okno_period_verify(o->db->db, second, &o->db->err));
}

static void the_next_closing_carries_adjustments_once(void **state)
{
    struct office *o = *state;
    int64_t first = closed(o, "2026-03-10", "2026-03-10", "mall");
    o->now_us = DAY2 + OKNO_DAY_US + 3600 * OKNO_SECOND_US;
    move(o, "d1.0.3", "bob");
    int64_t second = closed(o, "2026-03-11", "2026-03-11", "mall");
    okno_autojson json_t *s = statement_of(o, second, "bob");
    assert_non_null(s);
    const json_t *carried = json_array_get(json_object_get(s, "adjustments"), 0);
    assert_int_equal(json_integer_value(json_object_get(carried, "of_period")), first);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(carried, "difference"), "n")), 1);
    assert_null(adjustment(o, first, "bob", false));
    okno_autojson json_t *told = adjustment(o, first, "bob", true);
    assert_int_equal(json_integer_value(json_object_get(told, "carried_by")), second);
    must(o, okno_period_verify(o->db->db, first, &o->db->err));
    must(o, okno_period_verify(o->db->db, second, &o->db->err));
    o->now_us += OKNO_SECOND_US;
    move(o, "d1.0.3", "ann"); /* and back: only the new difference is open */
    is_adjusted(o, first, "bob", -1, 0.25 - 2.0 / 5, "attribution");
    must(o, okno_period_verify(o->db->db, second, &o->db->err));
}

/* ---- what was signed ---- */

static void tampering_is_found_out(void **state)
{
    struct office *o = *state;
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    static const char *const edits[][2] = {
        {"UPDATE pay_statements SET statement = replace(statement, '\"n\":6', '\"n\":7')",
         "UPDATE pay_statements SET statement = replace(statement, '\"n\":7', '\"n\":6')"},
        {"UPDATE pay_statements SET state = 'payable' WHERE employee = 'bob'",
         "UPDATE pay_statements SET state = 'too_few' WHERE employee = 'bob'"},
        {"UPDATE pay_periods SET snapshot = replace(snapshot, 'mall', 'moll')",
         "UPDATE pay_periods SET snapshot = replace(snapshot, 'moll', 'mall')"},
        {"UPDATE pay_periods SET settings = replace(settings, '\"k\":0.5', '\"k\":0.25')",
         "UPDATE pay_periods SET settings = replace(settings, '\"k\":0.25', '\"k\":0.5')"},
        {"UPDATE pay_periods SET note = replace(note, 'SHA-256 ', 'SHA-256  ')",
         "UPDATE pay_periods SET note = replace(note, 'SHA-256  ', 'SHA-256 ')"},
    };
    for (size_t i = 0; i < OKNO_COUNT(edits); i++) {
        scratch_db_put(o->db, edits[i][0]);
        int rc = okno_period_verify(o->db->db, period, &o->db->err);
        if (rc != OKNO_CHECK_FAILED)
            fail_msg("edit %zu: %d %s", i, rc, o->db->err.text);
        okno_err_clear(&o->db->err);
        scratch_db_put(o->db, edits[i][1]);
        must(o, okno_period_verify(o->db->db, period, &o->db->err));
    }
}

static void counts_that_cannot_be_right_are_told_beside_a_payable_state(void **state)
{
    struct office *o = *state;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(1 << 20);
    scratch_db_put(o->db,
                   "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source)"
                   " VALUES (1, 'employee:ann', 'transactions', 1773090000000000, 1773176400000000,"
                   " 1, 'till')");
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    okno_autojson json_t *s = statement_of(o, period, "ann");
    const json_t *reasons = json_object_get(s, "reasons");
    assert_string_equal(json_string_value(json_object_get(s, "state")), "payable");
    assert_int_equal(json_array_size(reasons), 1);
    assert_string_equal(json_string_value(json_array_get(reasons, 0)), "more_surveys_than_sales");
    must(o, okno_period_csv(o->db->db, period, &csv, &o->db->err));
    assert_non_null(strstr(okno_buf_text(&csv), ",reasons\n"));
    assert_non_null(strstr(okno_buf_text(&csv), ",more_surveys_than_sales\n"));
    must(o, okno_period_verify(o->db->db, period, &o->db->err));
}

static void the_table_for_spreadsheets_is_defused(void **state)
{
    struct office *o = *state;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(1 << 20);
    scratch_db_put(o->db,
                   "INSERT INTO employees (import, employee, name) VALUES"
                   " (1, 'bob', '=1+1;=2'), (1, 'ann', char(13) || 'Ann, \"A\"')");
    int64_t period = closed(o, "2026-03-10", "2026-03-10", "mall");
    must(o, okno_period_csv(o->db->db, period, &csv, &o->db->err));
    const char *text = okno_buf_text(&csv);
    assert_non_null(strstr(text, "\"ann\",\"'\rAnn, \"\"A\"\"\",\"payable\",6,0,0,"));
    assert_non_null(strstr(text, "\"bob\",\"'=1+1;'=2\",\"too_few\",4,0,0,"));
    assert_non_null(strstr(text, ",0.416666667,"));
}

static void employees_see_their_own_and_periods_are_listed(void **state)
{
    struct office *o = *state;
    okno_autojson json_t *mine = NULL;
    okno_autojson json_t *list = NULL;
    (void)closed(o, "2026-03-10", "2026-03-10", "mall");
    (void)closed(o, "2026-03-10", "2026-03-10", "far");
    must(o, okno_period_statements_of(o->db->db, "ann", &mine, &o->db->err));
    assert_int_equal(json_array_size(mine), 1);
    must(o, okno_period_list(o->db->db, &list, &o->db->err));
    assert_int_equal(json_array_size(list), 2);
    const json_t *states = json_object_get(json_array_get(list, 0), "states");
    assert_int_equal(json_integer_value(json_object_get(states, "payable")), 1);
    must_fail(o, okno_period_verify(o->db->db, 9, &o->db->err), OKNO_NOT_FOUND, "no pay period 9");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_employee_of_the_site_gets_a_signed_statement),
        CASE(too_much_that_cannot_be_judged_is_not_reliable),
        CASE(who_served_without_a_survey_is_not_dropped),
        CASE(what_cannot_be_closed_is_refused),
        CASE(open_reviews_keep_it_open_unless_that_is_accepted),
        CASE(an_audit_of_the_period_that_is_only_begun_keeps_it_open_too),
        CASE(evidence_of_the_open_period_is_held_once_periods_are_closed),
        CASE(an_attribution_adjusts_both_employees),
        CASE(each_kind_of_change_is_named),
        CASE(an_open_appeal_keeps_a_statement_open_and_its_outcome_adjusts_it),
        CASE(the_next_closing_carries_adjustments_once),
        CASE(tampering_is_found_out),
        CASE(counts_that_cannot_be_right_are_told_beside_a_payable_state),
        CASE(the_table_for_spreadsheets_is_defused),
        CASE(employees_see_their_own_and_periods_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
