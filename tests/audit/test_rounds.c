#define _POSIX_C_SOURCE 200809L
/* Audits in several rounds, by strata and with replacement, from the plan to a bundle that is
 * recomputed from itself. */
#include "../report/bundle.h"

#include "okno/figures.h"

#include <math.h>

static void plan_with(struct scratch_db *f, const struct okno_audit_plan *made)
{
    char sha256[OKNO_SHA256_TEXT];
    add_site(f);
    must(f, okno_audit_plan(f->db, made, "eva", AT(61), &f->err));
    (void)freeze(f, made->audit, sha256);
}

static int64_t extend(struct scratch_db *f, int64_t asked)
{
    int64_t size = 0;
    must(f, okno_audit_extend(f->db, "A1", asked, "eva", AT(66), &size, &f->err));
    return size;
}

static void close_it(struct scratch_db *f)
{
    int number = 0;
    while (decide(f, number))
        number++;
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
}

/* The bundle's estimates, made from the files alone, are those made from the database. */
static void check_bundle(struct scratch_db *f, int64_t sample)
{
    char *folder = support_tempdir();
    char dir[300];
    char command[1200];
    struct okno_bundle_facts facts;
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    export_to(f, dir, false);
    if (okno_bundle_verify(dir, NULL, &facts, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_int_equal(facts.sample, sample);
    /* and what the guide has others do draws the same */
    (void)snprintf(command, sizeof(command),
                   "cd %s && mkdir %s/t && sed -n '/^9[.] /,/^10[.] /s/^    //p' VERIFY.txt |"
                   " t=%s/t sh | grep -qxE '(OK|SKIPPED) sample'",
                   dir, folder, folder);
    assert_int_equal(system(command), 0);
    support_tempdir_remove(folder);
}

static double width_of(struct scratch_db *f)
{
    struct okno_audit_figure figure;
    must(f, okno_audit_estimate(f->db, "A1", OKNO_RESPONSE_RATE, NULL, 0.5, &figure, &f->err));
    assert_null(figure.estimate.null_reason);
    return figure.estimate.high - figure.estimate.low;
}

static void a_further_round_needs_a_look_in_the_plan(void **state)
{
    struct scratch_db *f = *state;
    int64_t size = 7;
    (void)drawn_audit(f, "A1");
    must_fail(f, okno_audit_extend(f->db, "A1", 10, "eva", AT(65), &size, &f->err),
              OKNO_OUT_OF_ORDER,
              "audit A1 has drawn 1 of the 1 rounds that its plan allows: a further one needs a "
              "plan with more --looks");
    must_fail(f, okno_audit_extend(f->db, "A1", 0, "eva", AT(65), &size, &f->err), OKNO_INVALID,
              "size 0");
    assert_int_equal(size, 7);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample"), 20);
    must_fail(f, okno_audit_extend(f->db, "A9", 5, "eva", AT(65), &size, &f->err), OKNO_NOT_FOUND,
              "no audit A9");
}

static void nothing_is_extended_before_it_is_drawn_or_after_it_is_closed(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    int64_t size = 0;
    made.looks = 3;
    plan_with(f, &made);
    must_fail(f, okno_audit_extend(f->db, "A1", 5, "eva", AT(65), &size, &f->err),
              OKNO_OUT_OF_ORDER, "before `extend` comes `okno audit checkpoint A1");
    (void)draw(f, "A1");
    close_it(f);
    must_fail(f, okno_audit_extend(f->db, "A1", 5, "eva", AT(201), &size, &f->err),
              OKNO_OUT_OF_ORDER, "audit A1 is closed");
}

static void rounds_continue_the_order_and_enter_queue_and_bundle(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    made.looks = 3;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 20);
    /* a reserve as large as the sample is fetched at once */
    assert_int_equal(asked(f, "SELECT count(*) FROM jobs WHERE kind = 'clip'"), 40);
    assert_int_equal(asked(f, "SELECT count(*) FROM jobs WHERE kind = 'clip' AND class = 2"), 20);
    assert_int_equal(extend(f, 10), 10);
    assert_int_equal(asked(f, "SELECT count(*) FROM review_items WHERE state = 'open'"), 30);
    assert_int_equal(asked(f, "SELECT count(*) FROM jobs WHERE kind = 'clip' AND class = 1"), 30);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE place = rank"), 30);
    assert_int_equal(
        asked(f,
              "SELECT count(*) FROM audit_sample a JOIN audit_sample b ON b.place = a.place + 1"
              " WHERE a.ticket < b.ticket"),
        29);
    assert_int_equal(extend(f, 100), 30); /* the rest of the frame */
    must_fail(f, okno_audit_extend(f->db, "A1", 1, "eva", AT(67), &(int64_t){0}, &f->err),
              OKNO_OUT_OF_ORDER, "drawn 3 of the 3 rounds");
    close_it(f);
    check_bundle(f, SURVEYS);
}

static void a_whole_frame_has_no_further_round(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    int64_t size = 0;
    made.looks = 2;
    made.size = 500;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), SURVEYS);
    must_fail(f, okno_audit_extend(f->db, "A1", 1, "eva", AT(66), &size, &f->err), OKNO_REFUSED,
              "the whole frame of audit A1 is drawn");
}

static void more_looks_make_every_interval_wider(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    made.size = 30;
    made.sampling.strata = OKNO_STRATA_ANSWER;
    made.looks = 3;
    plan_with(f, &made);
    (void)draw(f, "A1");
    close_it(f);
    double three = width_of(f);
    scratch_db_put(f, "UPDATE audits SET plan = replace(plan, '\"looks\":3', '\"looks\":1')");
    assert_true(three > 1.1 * width_of(f));
}

static void strata_are_drawn_apart_and_enter_the_bundle(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    made.looks = 2;
    made.sampling = (struct okno_sampling){.strata = OKNO_STRATA_ANSWER,
                                           .neyman = true,
                                           .least = 4,
                                           .expected = {0.5, 0.1, 0.02, 0.02}};
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 20);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'unsure'"), 4);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'no'"), 4);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'silent'"), 4);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'yes'"), 8);
    assert_int_equal(extend(f, 12), 12);
    assert_true(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'yes'") >= 15);
    close_it(f);
    check_bundle(f, 32);
}

static void days_are_those_of_the_sites_calendar(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    /* midnight there is at 11:00Z, half an hour after the first of them */
    scratch_db_put(f,
                   "UPDATE surveys SET opened_at = opened_at + 3.5 * 3600000000,"
                   " closes_at = closes_at + 3.5 * 3600000000;"
                   "INSERT INTO imports (import, at, author, kind, source) VALUES"
                   " (2, 0, 'eva', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (2, 'mall', 'Mall', 'Pacific/Auckland')");
    made.from_us = AT(210);
    made.to_us = AT(270);
    made.sampling.strata = OKNO_STRATA_SITE | OKNO_STRATA_DAY;
    char sha256[OKNO_SHA256_TEXT];
    int64_t size = 0;
    must(f, okno_audit_plan(f->db, &made, "eva", AT(271), &f->err));
    must(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(272), &size, sha256, &f->err));
    assert_int_equal(size, SURVEYS);
    (void)draw(f, "A1");
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_sample"
                           " WHERE stratum = 'mall/2026-03-10'"),
                     10);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_sample"
                           " WHERE stratum = 'mall/2026-03-11'"),
                     10);
}

static void what_is_drawn_twice_is_reviewed_once_and_counts_twice(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    struct okno_audit_figure figure;
    made.size = 90;
    made.sampling.with_replacement = true;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 90);
    int64_t items = asked(f, "SELECT count(*) FROM review_items");
    assert_in_range(items, 35, 58);
    assert_int_equal(asked(f, "SELECT count(DISTINCT survey) FROM audit_sample"), items);
    close_it(f);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_RESPONSE_RATE, NULL, 0.5, &figure, &f->err));
    assert_int_equal(figure.counts.valid + figure.counts.invalid + figure.counts.undeterminable,
                     90);
    assert_int_equal(figure.counts.frame, SURVEYS);
    assert_true(figure.estimate.low < figure.estimate.high);
    check_bundle(f, 90);
}

static void a_width_in_the_plan_makes_the_size_of_the_draw(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    made.size = 0;
    made.sampling.half_width = 0.08;
    for (int c = 0; c < OKNO_CLASSES; c++)
        made.sampling.expected[c] = 0.1;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 29); /* n0 = 54.0; 54.0 / (1 + 54.0 / 60) = 28.4 */
    close_it(f);
    check_bundle(f, 29);
}

/* 3,000 surveys of another month, all of the office: 800 yes, 100 unsure, 300 no, 1,800 silent. */
static void put_three_thousand(struct scratch_db *f)
{
    scratch_db_put(f, "DELETE FROM surveys");
    scratch_db_put(f,
                   "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)"
                   "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at,"
                   " closes_at, state, answer, force_majeure, device_offset_us,"
                   " device_uncertainty_us) SELECT printf('d0.0.%04d', i), 'p0', 'mall', 'q1',"
                   " 'office', 1773126000000000 + i * 1000000, 1773126000000000 + i * 1000000,"
                   " CASE WHEN i < 1200 THEN 'answered' ELSE 'silent' END,"
                   " CASE WHEN i < 800 THEN 'yes' WHEN i < 900 THEN 'unsure' WHEN i < 1200 THEN"
                   " 'no' END, 0, 0, 0 FROM n");
}

/* Of each answer's sample, the first `invalid` are invalid. */
static void rule(struct scratch_db *f, const char *answer, int invalid)
{
    char sql[900];
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version)"
        " SELECT item, audit, survey, 'eva', 1, CASE WHEN n <= %d THEN 'invalid' ELSE 'valid' END,"
        " CASE WHEN n <= %d THEN 'STAFF_PRESSED' END, 1 FROM"
        " (SELECT r.*, row_number() OVER (ORDER BY survey) AS n FROM review_items r"
        "  JOIN audit_frame USING (audit, survey) WHERE class = '%s' AND r.state = 'open');"
        "UPDATE review_items SET state = 'decided' WHERE survey IN"
        " (SELECT survey FROM audit_frame WHERE class = '%s')",
        invalid, invalid, answer, answer);
    scratch_db_put(f, sql);
}

static void silent_surveys_taken_as_known_are_not_drawn_and_bound_the_figures(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    struct okno_audit_figure ink;
    struct okno_audit_figure iel;
    put_three_thousand(f);
    made.size = 120;
    made.sampling.strata = OKNO_STRATA_ANSWER;
    made.sampling.silent_known = true;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 120);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'yes'"), 80);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample WHERE stratum = 'silent'"), 0);
    rule(f, "yes", 3);
    rule(f, "unsure", 1);
    rule(f, "no", 4);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.3, &ink, &f->err));
    assert_true(fabs(ink.estimate.value - 0.2739726) < 5e-8);
    assert_true(fabs(ink.estimate.se - 0.0048023) < 5e-8);
    assert_true(fabs(ink.estimate.low - 0.262161) < 5e-7);
    assert_true(fabs(ink.estimate.high - 0.281968) < 5e-7);
    /* were no silent one genuine: 260 of 770 + 90 + 260 */
    assert_true(fabs(ink.estimate.without_silent - 260.0 / 1120.0) < 1e-12);
    scratch_db_put(f, "UPDATE audit_frame SET question_kind = 'loyalty'");
    must(f, okno_audit_estimate(f->db, "A1", OKNO_IEL, NULL, 0.3, &iel, &f->err));
    assert_true(fabs(iel.estimate.value + 0.0102740) < 5e-8);
    assert_true(fabs(iel.estimate.low + 0.029504) < 5e-7);
    assert_true(fabs(iel.estimate.high - 0.006930) < 5e-7);
}

static void a_bundle_without_drawn_silent_surveys_is_recomputed_from_itself(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    okno_autojson json_t *figures = NULL;
    const struct okno_figures_query query = {.from_us = AT(0),
                                             .to_us = AT(60),
                                             .audit = "A1",
                                             .k = 0.5,
                                             .fm_threshold = 0.1,
                                             .undeterminable_limit = 0.9,
                                             .min_n = 5};
    made.size = 40;
    made.sampling.silent_known = true;
    plan_with(f, &made);
    assert_int_equal(draw(f, "A1"), 40);
    close_it(f);
    assert_int_equal(
        asked(f,
              "SELECT count(*) FROM audit_sample JOIN audit_frame USING (audit, survey)"
              " WHERE class = 'silent'"),
        0);
    check_bundle(f, 40);
    must(f, okno_figures_json(f->db, &query, AT(210), &figures, &f->err));
    const json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
    const json_t *office = json_object_get(json_object_get(group, "indicators"), "ink_office");
    const json_t *bounds = json_object_get(json_object_get(office, "estimated"), "bounds");
    assert_true(json_is_number(json_object_get(bounds, "without_silent")));
}

static bool has_flag(const json_t *figure, const char *flag)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(figure, "flags"), i, one)
    {
        if (strcmp(json_string_value(one), flag) == 0)
            return true;
    }
    return false;
}

static void a_width_missed_is_told_and_as_many_more_as_it_says_reach_it(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    okno_autojson json_t *wide = NULL;
    okno_autojson json_t *figures = NULL;
    struct okno_audit_figure figure;
    int64_t more = 0;
    const struct okno_figures_query query = {.from_us = AT(0),
                                             .to_us = AT(60),
                                             .audit = "A1",
                                             .k = 0.5,
                                             .fm_threshold = 0.1,
                                             .undeterminable_limit = 0.9,
                                             .min_n = 5};
    put_three_thousand(f);
    made.size = 150;
    made.looks = 2;
    made.max_half_width = 0.02;
    made.sampling.strata = OKNO_STRATA_ANSWER;
    plan_with(f, &made);
    (void)draw(f, "A1");
    rule(f, "yes", 6);
    rule(f, "unsure", 1);
    rule(f, "no", 3);
    rule(f, "silent", 9);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    assert_true(figure.too_wide);
    must(f, okno_audit_widths(f->db, "A1", &more, &wide, &f->err));
    assert_true(more > 150 && more < 2850);
    must(f, okno_figures_json(f->db, &query, AT(210), &figures, &f->err));
    const json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
    const json_t *indicators = json_object_get(group, "indicators");
    assert_true(has_flag(json_object_get(indicators, "ink_office"), "too_wide"));
    assert_false(has_flag(json_object_get(indicators, "coverage"), "too_wide"));
    assert_int_equal(extend(f, more), more);
    /* a tenth of the new ones are invalid, too */
    rule(f, "yes", (int)(more * 8 / 300));
    rule(f, "unsure", (int)(more / 300));
    rule(f, "no", (int)(more * 3 / 300));
    rule(f, "silent", (int)(more * 18 / 300));
    json_decref(wide);
    must(f, okno_audit_widths(f->db, "A1", &more, &wide, &f->err));
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    assert_true((figure.estimate.high - figure.estimate.low) / 2 < 0.02 * 1.1);
    assert_true(more < 100); /* it was told by what was seen: nearly all of it */
}

static void rule_all(struct scratch_db *f)
{
    static const char *const answers[] = {"yes", "unsure", "no", "silent"};
    for (size_t i = 0; i < OKNO_COUNT(answers); i++)
        rule(f, answers[i], 0);
}

static const char *text_in(const json_t *status, const char *key)
{
    return json_string_value(json_object_get(status, key));
}

static json_t *status_of(struct scratch_db *f)
{
    json_t *status = NULL;
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    return status;
}

/* Only what can be done is advised: no round that the plan has not, no close before decisions, no
 * report when it was issued. */
static void the_status_advises_what_can_be_done(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    json_t *nothing = json_object();
    put_three_thousand(f);
    made.size = 150;
    made.looks = 2;
    made.max_half_width = 0.001;
    plan_with(f, &made);
    (void)draw(f, "A1");
    okno_autojson json_t *drawn = status_of(f);
    assert_string_equal(text_in(drawn, "next"), "close");
    assert_string_equal(text_in(drawn, "next_command"), "okno review next --audit A1 --user NAME");
    assert_int_equal(json_integer_value(json_object_get(drawn, "undecided")), 150);
    rule_all(f);
    okno_autojson json_t *decided = status_of(f);
    assert_string_equal(text_in(decided, "next_command"), "okno audit close A1");
    assert_true(json_integer_value(json_object_get(decided, "extend_by")) > 0);
    assert_int_equal(extend(f, 5000), 2850);
    rule_all(f);
    okno_autojson json_t *extended = status_of(f);
    assert_int_equal(json_integer_value(json_object_get(extended, "extend_by")), 0);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    okno_autojson json_t *closed = status_of(f);
    assert_string_equal(text_in(closed, "next"), "report");
    assert_int_equal(json_integer_value(json_object_get(closed, "extend_by")), 0);
    must(f, okno_audit_add(f->db, "A1", "report", nothing, "eva", AT(201), &f->err));
    okno_autojson json_t *reported = status_of(f);
    assert_string_equal(text_in(reported, "next"), "export");
    must(f, okno_audit_add(f->db, "A1", "export", nothing, "eva", AT(202), &f->err));
    okno_autojson json_t *exported = status_of(f);
    assert_true(json_is_null(json_object_get(exported, "next")));
    json_decref(nothing);
}

static void the_plans_limit_of_undeterminables_stands_over_the_readers(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    okno_autojson json_t *figures = NULL;
    struct okno_figures_query query = {.from_us = AT(0),
                                       .to_us = AT(60),
                                       .audit = "A1",
                                       .k = 0.5,
                                       .fm_threshold = 0.1,
                                       .undeterminable_limit = 0.9,
                                       .min_n = 5};
    made.undeterminable_limit = 0.02;
    plan_with(f, &made);
    (void)draw(f, "A1");
    close_it(f);
    must(f, okno_figures_json(f->db, &query, AT(210), &figures, &f->err));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(figures, "evidence"), "state")),
        "worst_case_only");
    assert_true(json_number_value(json_object_get(json_object_get(figures, "evidence"), "limit")) ==
                0.02);
}

static void too_much_force_majeure_stops_the_freeze_unless_it_is_accepted(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    struct okno_audit_accepted none = {0};
    struct okno_audit_accepted reason = {.fm = "the flood is what we look at"};
    char sha256[OKNO_SHA256_TEXT];
    int64_t size = 0;
    scratch_db_put(f,
                   "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7)"
                   "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds)"
                   " SELECT 'h.0.' || i, 'p0', 'mall', 1773126000000000 + i * 60000000,"
                   " 1773126060000000 + i * 60000000, 1 FROM n");
    add_site(f);
    made.fm_threshold = 0.1; /* 8 situations in 60 surveys: 0.133 */
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    must_fail(f, okno_audit_freeze_with(f->db, "A1", "eva", &none, AT(62), &size, sha256, &f->err),
              OKNO_REFUSED, "force majeure level of the period of audit A1 is 0.133, above 0.100");
    must(f, okno_audit_freeze_with(f->db, "A1", "eva", &reason, AT(62), &size, sha256, &f->err));
    assert_int_equal(size, SURVEYS);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_steps WHERE step = 'freeze'"
                           " AND detail LIKE '%the flood%'"),
                     1);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM log_leaves WHERE line LIKE '%fm_accepted%'"
                           " AND line NOT LIKE '%flood%'"),
                     1);
}

static void an_abandoned_audit_stays_with_its_reason(void **state)
{
    struct scratch_db *f = *state;
    (void)drawn_audit(f, "A1");
    must_fail(f, okno_audit_abandon(f->db, "A1", " ", "eva", AT(65), &f->err), OKNO_MISSING,
              "why is it abandoned");
    must(f, okno_audit_abandon(f->db, "A1", "the wrong month", "eva", AT(65), &f->err));
    assert_int_equal(asked(f, "SELECT count(*) FROM review_items WHERE state = 'open'"), 0);
    must_fail(f, okno_audit_close(f->db, "A1", "", "eva", AT(66), &f->err), OKNO_OUT_OF_ORDER,
              "audit A1 is abandoned: no step follows");
    must_fail(f, okno_audit_abandon(f->db, "A1", "again", "eva", AT(66), &f->err),
              OKNO_OUT_OF_ORDER, "it cannot be abandoned");
}

static void a_repeat_names_the_audit_before_it(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A2");
    okno_autojson json_t *first = NULL;
    okno_autojson json_t *second = NULL;
    made.repeats = "A1";
    must_fail(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err), OKNO_NOT_FOUND,
              "no audit A1");
    plan(f, "A1");
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    must(f, okno_audit_status(f->db, "A1", &first, &f->err));
    must(f, okno_audit_status(f->db, "A2", &second, &f->err));
    assert_true(json_is_null(json_object_get(first, "repeats")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "repeated_by"), 0)),
                        "A2");
    assert_string_equal(json_string_value(json_object_get(second, "repeats")), "A1");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(second, "overlapping"), 0)), "A1");
    assert_int_equal(
        asked(f, "SELECT count(*) FROM log_leaves WHERE line LIKE '%\"repeats\":\"A1\"%'"), 1);
}

static void a_plan_of_strata_out_of_bounds_is_refused_by_field(void **state)
{
    struct scratch_db *f = *state;
    static const struct {
        struct okno_sampling sampling;
        int64_t size;
        const char *field;
    } bad[] = {{{.half_width = 0.05}, 20, "width"},
               {{.half_width = 1}, 0, "width"},
               {{.neyman = true}, 20, "strata"},
               {{.least = 2}, 20, "strata"},
               {{.strata = 1, .least = -1}, 20, "min-per-stratum"}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        struct okno_audit_plan made = plan_of("A1");
        made.sampling = bad[i].sampling;
        made.size = bad[i].size;
        assert_int_equal(okno_audit_plan(f->db, &made, "eva", AT(61), &f->err), OKNO_INVALID);
        assert_string_equal(f->err.field, bad[i].field);
        okno_err_clear(&f->err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_further_round_needs_a_look_in_the_plan),
        TEST(nothing_is_extended_before_it_is_drawn_or_after_it_is_closed),
        TEST(rounds_continue_the_order_and_enter_queue_and_bundle),
        TEST(a_whole_frame_has_no_further_round),
        TEST(more_looks_make_every_interval_wider),
        TEST(strata_are_drawn_apart_and_enter_the_bundle),
        TEST(days_are_those_of_the_sites_calendar),
        TEST(what_is_drawn_twice_is_reviewed_once_and_counts_twice),
        TEST(a_width_in_the_plan_makes_the_size_of_the_draw),
        TEST(silent_surveys_taken_as_known_are_not_drawn_and_bound_the_figures),
        TEST(a_bundle_without_drawn_silent_surveys_is_recomputed_from_itself),
        TEST(a_width_missed_is_told_and_as_many_more_as_it_says_reach_it),
        TEST(the_status_advises_what_can_be_done),
        TEST(the_plans_limit_of_undeterminables_stands_over_the_readers),
        TEST(too_much_force_majeure_stops_the_freeze_unless_it_is_accepted),
        TEST(an_abandoned_audit_stays_with_its_reason),
        TEST(a_repeat_names_the_audit_before_it),
        TEST(a_plan_of_strata_out_of_bounds_is_refused_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
