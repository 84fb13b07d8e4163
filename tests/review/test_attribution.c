#define _POSIX_C_SOURCE 200809L
/* Attribution decisions: who a survey is counted for. */
#include "okno/attribution.h"

#include "okno/audit.h"
#include "okno/json.h"
#include "okno/kpi.h"
#include "okno/ledger.h"
#include "okno/review.h"
#include "okno/survey.h"

#include "../support/scratch_db.h"

#include <string.h>

#define NOW INT64_C(1773200000000000)

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till'),"
        " (1, 'desk', 'mall', 'Desk');"
        "INSERT INTO employees (import, employee) VALUES (1, 'ann'), (1, 'bob');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'till', 0, 1), (1, 'bob', 'desk', 0, 1);"
        "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
        " ('root', 'administrator', 'x', NULL, 0), ('max', 'manager', 'x', NULL, 1),"
        " ('eva', 'expert', 'x', NULL, 2), ('ann-m', 'manager', 'x', 'ann', 3),"
        " ('ann-e', 'expert', 'x', 'ann', 4);"
        "INSERT INTO grants (user, scope, granted, at, author) VALUES ('max', 'site:mall', 1, 0, "
        "'r'),"
        " ('ann-m', 'all', 1, 0, 'r');"
        "INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at,"
        " closes_at, state, answer, device_offset_us, device_uncertainty_us) VALUES"
        " ('d.0.1', 'till', 'mall', 'ann', 'q', 'personnel', 1000, 2000, 'answered', 'no', 0, 0),"
        " ('d.0.2', 'till', 'mall', 'ann', 'q', 'personnel', 3000, 4000, 'answered', 'yes', 0, 0),"
        " ('d.0.3', 'desk', 'mall', NULL, 'q', 'personnel', 5000, 6000, 'answered', 'yes', 0, 0);");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static int decide(struct scratch_db *f, const char *survey, const char *employee,
                  const char *author, const char *reason)
{
    int64_t id = 0;
    const struct okno_attribution request = {.survey = survey,
                                             .employee = employee,
                                             .undo = employee == NULL,
                                             .author = author,
                                             .reason = reason,
                                             .at_us = NOW};
    okno_err_clear(&f->err);
    return okno_attribution_decide(f->db, &request, &id, &f->err);
}

static void move(struct scratch_db *f, const char *survey, const char *employee)
{
    if (decide(f, survey, employee, "max", "swapped tills") < 0)
        fail_msg("%s", f->err.text);
}

/* "ann 1/1" for each employee: surveys raw / negative. */
static const char *figures(struct scratch_db *f)
{
    static char text[200];
    struct okno_group_vec groups = {0};
    const struct okno_kpi_query query = {.from_us = 0, .to_us = 10000, .by = OKNO_BY_EMPLOYEE};
    assert_int_equal(okno_kpi_gather(f->db, &query, &groups, &f->err), 0);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < groups.len; i++) {
        const struct okno_kpi_group *g = &groups.items[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %lld/%lld", i ? " " : "",
                                 okno_group_value(g, OKNO_BY_EMPLOYEE),
                                 (long long)g->sums.set[OKNO_EXCLUDED].surveys,
                                 (long long)g->sums.set[OKNO_EXCLUDED].kind[OKNO_PERSONNEL].no);
    }
    okno_kpi_groups_free(&groups);
    return text;
}

static void a_manager_moves_within_the_granted_sites_only(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(
        f,
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'other', 'Other', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'far', 'other', 'Far');"
        "INSERT INTO employees (import, employee) VALUES (1, 'zoe'), (1, 'new');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'zoe', 'far', 0, 10000);"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, device_offset_us,"
        " device_uncertainty_us) VALUES ('f.0.1', 'far', 'other', 1000, 2000, 'silent', 0, 0)");
    assert_int_equal(decide(f, "f.0.1", "unassigned", "max", "r"), OKNO_REFUSED); /* it is so */
    assert_int_equal(decide(f, "f.0.1", "ann", "max", "r"), OKNO_FORBIDDEN);
    assert_string_equal(f->err.field, "survey");
    assert_int_equal(decide(f, "d.0.1", "zoe", "max", "r"), OKNO_FORBIDDEN);
    assert_string_equal(f->err.field, "employee");
    assert_int_equal(decide(f, "d.0.1", "new", "max", "r"), OKNO_FORBIDDEN); /* nobody's yet */
    assert_int_equal(decide(f, "d.0.1", "zoe", "root", "r"), 0);
}

static void who_had_no_shift_there_then_is_shown_so(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *dossier = NULL;
    bool on_shift = true;
    scratch_db_put(f,
                   "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
                   " (1, 'bob', 'desk', 0, 2000)"); /* corrects the one until 1 */
    move(f, "d.0.1", "bob"); /* opened at 1000, at the other point of the site */
    move(f, "d.0.2", "bob"); /* at 3000 */
    assert_int_equal(okno_attribution_on_shift(f->db, "d.0.1", "bob", &on_shift, &f->err), 0);
    assert_true(on_shift);
    assert_int_equal(okno_attribution_on_shift(f->db, "d.0.2", "bob", &on_shift, &f->err), 0);
    assert_false(on_shift);
    assert_int_equal(okno_survey_dossier(f->db, "d.0.2", &dossier, &f->err), 0);
    const json_t *one = json_array_get(json_object_get(dossier, "attributions"), 0);
    assert_true(json_is_false(json_object_get(one, "on_shift")));
}

static void a_move_changes_figures_by_employee_and_an_undo_restores_them(void **state)
{
    struct scratch_db *f = *state;
    assert_string_equal(figures(f), "ann 2/1 unassigned 1/0");
    move(f, "d.0.1", "bob");
    assert_string_equal(figures(f), "ann 1/0 bob 1/1 unassigned 1/0");
    move(f, "d.0.1", "unassigned");
    assert_string_equal(figures(f), "ann 1/0 unassigned 2/1");
    move(f, "d.0.1", NULL);
    assert_string_equal(figures(f), "ann 2/1 unassigned 1/0");
    move(f, "d.0.3", "bob");
    assert_string_equal(figures(f), "ann 2/1 bob 1/0");
}

static void the_dossier_and_the_list_tell_of_it(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *dossier = NULL;
    scratch_db_put(f,
                   "UPDATE employees SET name = 'Boris' WHERE employee = 'bob';"
                   "UPDATE employees SET name = '' WHERE employee = 'ann'");
    move(f, "d.0.1", "bob");
    assert_int_equal(okno_survey_dossier(f->db, "d.0.1", &dossier, &f->err), 0);
    const json_t *one = json_array_get(json_object_get(dossier, "attributions"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "employee")), "bob");
    assert_string_equal(json_string_value(json_object_get(one, "author")), "max");
    assert_string_equal(json_string_value(json_object_get(one, "reason")), "swapped tills");
    assert_string_equal(json_string_value(json_object_get(dossier, "shift_employee")), "ann");
    const json_t *names = json_object_get(dossier, "names");
    assert_int_equal(json_array_size(names), 1); /* who has none stays an id */
    const json_t *name = json_array_get(names, 0);
    assert_string_equal(json_string_value(json_object_get(name, "id")), "bob");
    assert_string_equal(json_string_value(json_object_get(name, "name")), "Boris");
    const json_t *survey = json_object_get(dossier, "survey");
    assert_string_equal(json_string_value(json_object_get(survey, "employee")), "bob");
    assert_string_equal(json_string_value(json_object_get(survey, "validity")), "unreviewed");
}

static void the_log_tells_of_it_without_names(void **state)
{
    struct scratch_db *f = *state;
    struct okno_buf line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX);
    int64_t leaf = -1;
    move(f, "d.0.1", "bob");
    assert_int_equal(okno_ledger_find(f->db, "attribution", 1, &leaf, &f->err), 0);
    assert_int_equal(okno_ledger_line(f->db, leaf, &line, &f->err), 0);
    const char *text = okno_buf_text(&line);
    assert_non_null(strstr(text, "\"employee\":\"E-"));
    assert_non_null(strstr(text, "\"undo\":false"));
    assert_null(strstr(text, "bob"));
    assert_null(strstr(text, "max"));
    assert_null(strstr(text, "d.0.1"));
    assert_null(strstr(text, "swapped"));
    okno_buf_free(&line);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    struct scratch_db *f = *state;
    static const struct {
        const char *survey, *employee, *author, *reason;
        int code;
        const char *text;
    } cases[] = {
        {"d.0.9", "bob", "max", "r", OKNO_NOT_FOUND, "no survey \"d.0.9\""},
        {"d.0.1", "eve", "max", "r", OKNO_UNKNOWN_REF, "no employee \"eve\""},
        {"d.0.1", "", "max", "r", OKNO_MISSING, "say whose it is"},
        {"d.0.1", "bob", "max", "  ", OKNO_MISSING, "needs a reason"},
        {"d.0.1", "bob", "max", "a\nb", OKNO_INVALID, "without control characters"},
        {"d.0.1", "bob", "eva", "r", OKNO_FORBIDDEN, "user eva is expert"},
        {"d.0.1", "bob", "zoe", "r", OKNO_UNKNOWN_REF, "no user \"zoe\""},
        {"d.0.1", "ann", "max", "r", OKNO_REFUSED, "is of ann already"},
        {"d.0.3", "unassigned", "max", "r", OKNO_REFUSED, "is unassigned already"},
        {"d.0.1", NULL, "max", "r", OKNO_REFUSED, "nothing to undo"},
        {"d.0.1", "bob", "ann-m", "r", OKNO_REFUSED, "nobody decides about own surveys"},
        {"d.0.3", "ann", "ann-m", "r", OKNO_REFUSED, "nobody decides about own surveys"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        int rc = decide(f, cases[i].survey, cases[i].employee, cases[i].author, cases[i].reason);
        if (rc != cases[i].code || !strstr(f->err.text, cases[i].text))
            fail_msg("case %zu: %d %s", i, rc, f->err.text);
    }
    assert_int_equal(decide(f, "d.0.1", "bob", NULL, "the first administrator"), 0);
    assert_string_equal(figures(f), "ann 1/0 bob 1/1 unassigned 1/0");
}

/* A frame of four surveys of ann, all sampled and found valid. */
static void put_audit(struct scratch_db *f)
{
    scratch_db_put(
        f,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at, created_by)"
        " VALUES ('A', 'drawn', 0, 10, '{\"size\":4,\"looks\":1,\"level\":\"0.95\","
        "\"invalid\":\"none\"}', 0, 'x')");
    for (int i = 1; i <= 4; i++) {
        char sql[900];
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question,"
            " question_kind, opened_at, force_majeure, site, point, employee, video, line) VALUES"
            " ('A', 'd.0.%d', %d, 'mall/till', '%s', 'q', 'personnel', %d, 0, 'mall', 'till',"
            " 'ann', '', '');"
            "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
            " (%d, 'A', 'd.0.%d', %d, 'random', 'decided');"
            "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version)"
            " VALUES (%d, 'A', 'd.0.%d', 'eva', 1, 'valid', 1)",
            i, i, i % 2 ? "no" : "yes", i, i, i, i, i, i);
        scratch_db_put(f, sql);
    }
}

static double estimate(struct scratch_db *f, const char *employee)
{
    struct okno_audit_figure figure;
    const struct okno_audit_domain domain = {.employee = employee};
    int rc = okno_audit_estimate(f->db, "A", OKNO_INK_PERSONNEL, &domain, 0.5, &figure, &f->err);
    if (rc < 0)
        fail_msg("%s", f->err.text);
    return figure.estimate.value;
}

static void a_frozen_frame_keeps_its_employee_and_counts_the_moved_one_as_none(void **state)
{
    struct scratch_db *f = *state;
    put_audit(f);
    assert_float_equal(estimate(f, "ann"), 0.5, 1e-6);
    move(f, "d.0.1", "bob"); /* one of the two negatives */
    assert_float_equal(estimate(f, "ann"), 1.0 / 3, 1e-6);
    assert_float_equal(estimate(f, NULL), 0.5, 1e-6); /* the place has not changed */
    move(f, "d.0.1", NULL);
    assert_float_equal(estimate(f, "ann"), 0.5, 1e-6);
}

static void nobody_is_given_an_own_survey_or_point(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = NULL;
    scratch_db_put(f,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (1, 'A', 'd.0.1', 1, 'random', 'open'),"
                   " (2, 'A', 'd.0.2', 2, 'random', 'open')");
    int rc = okno_review_next(f->db, "ann-e", NULL, 1000, NOW, &item, &f->err);
    assert_int_equal(rc, OKNO_QUEUE_EMPTY);
    okno_err_clear(&f->err);
    scratch_db_put(f,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (3, 'A', 'd.0.3', 3, 'random', 'open')");
    assert_int_equal(okno_review_next(f->db, "ann-e", NULL, 1000, NOW, &item, &f->err), 0);
    assert_int_equal(json_integer_value(json_object_get(item, "item")), 3);
}

static void moving_a_survey_to_somebody_takes_it_out_of_their_queue(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = NULL;
    scratch_db_put(f,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (3, 'A', 'd.0.3', 3, 'random', 'open')");
    move(f, "d.0.3", "ann");
    assert_int_equal(okno_review_next(f->db, "ann-e", NULL, 1000, NOW, &item, &f->err),
                     OKNO_QUEUE_EMPTY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_manager_moves_within_the_granted_sites_only),
        CASE(who_had_no_shift_there_then_is_shown_so),
        CASE(a_move_changes_figures_by_employee_and_an_undo_restores_them),
        CASE(the_dossier_and_the_list_tell_of_it),
        CASE(the_log_tells_of_it_without_names),
        CASE(what_cannot_be_is_refused_by_name),
        CASE(a_frozen_frame_keeps_its_employee_and_counts_the_moved_one_as_none),
        CASE(nobody_is_given_an_own_survey_or_point),
        CASE(moving_a_survey_to_somebody_takes_it_out_of_their_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
