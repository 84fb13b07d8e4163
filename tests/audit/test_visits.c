#define _GNU_SOURCE
/* Audits of sales and of minutes: was a customer there, and was one asked? */
#include "../report/bundle.h"
#include "run_okno.h"

#include "okno/figures.h"

#include <math.h>

/* 40 sales a minute apart, at two points in turn; of the first point's every fourth has a survey
 * near it. One was told twice, one lies outside the period, one at a point that nobody described.
 */
static int setup_sales(void **state)
{
    (void)setup(state);
    struct scratch_db *f = *state;
    scratch_db_put(f, "DELETE FROM surveys; DELETE FROM links");
    add_site(f);
    scratch_db_put(
        f,
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p0', 'mall', 'P0'),"
        " (1, 'p1', 'mall', 'P1');"
        "INSERT INTO users (user, role, password_hash, created_at) VALUES ('eva', 'expert', 'x', "
        "0);"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)"
        "INSERT INTO transactions (import, txn, at, point, employee) SELECT 1, printf('t%02d', i),"
        " 1773126000000000 + i * 60000000, 'p' || (i % 2), CASE i % 2 WHEN 0 THEN 'ann' END FROM n;"
        "INSERT INTO transactions (import, txn, at, point) SELECT 1, txn, at + 1000000, point"
        " FROM transactions WHERE txn = 't03';"
        "INSERT INTO transactions (import, txn, at, point) VALUES"
        " (1, 'late', 1773126000000000 + 3600000000, 'p0'), (1, 'lost', 1773126000000000, 'p9');"
        "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at, closes_at,"
        " state, answer, device_offset_us, device_uncertainty_us) SELECT 'd.0.' || id, point,"
        " 'mall', 'q', 'office', at + 30000000, at + 45000000, 'answered', 'yes', 0, 0"
        " FROM transactions WHERE txn IN ('t00', 't10', 't20', 't30')");
    return 0;
}

static void plan_visits(struct scratch_db *f, enum okno_frame frame, int64_t size)
{
    struct okno_audit_plan made = plan_of("A1");
    made.frame = frame;
    made.size = size;
    made.looks = 2;
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
}

static int64_t freeze_visits(struct scratch_db *f, enum okno_frame frame, int64_t size)
{
    char sha256[OKNO_SHA256_TEXT];
    plan_visits(f, frame, size);
    return freeze(f, "A1", sha256);
}

static json_t *next_item(struct scratch_db *f, int number)
{
    json_t *item = NULL;
    int rc = okno_review_next(f->db, "eva", "A1", 600000000, AT(100 + number), &item, &f->err);
    if (rc != OKNO_QUEUE_EMPTY)
        must(f, rc);
    okno_err_clear(&f->err);
    return rc == 0 ? item : NULL;
}

static int submit(struct scratch_db *f, const json_t *item, int number, const char *verdict,
                  const char *reason, const char *correction)
{
    int64_t id = 0;
    bool counted = false;
    okno_autojson json_t *watched = json_pack("[s]", WATCHED);
    const struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                          .user = "eva",
                                          .lease =
                                              json_string_value(json_object_get(item, "lease")),
                                          .watched = watched,
                                          .verdict = verdict,
                                          .reason = reason,
                                          .correction = correction};
    return okno_review_submit(f->db, &v, AT(100 + number) + 1, &id, &counted, &f->err);
}

/* By the sale's number: of ten, six asked, two not, one without a customer, one not to be told. */
static void judge_all(struct scratch_db *f)
{
    json_t *item;
    for (int n = 0; (item = next_item(f, n)); n++) {
        const char *id = json_string_value(json_object_get(json_object_get(item, "survey"), "id"));
        int kind = id[strlen(id) - 1] - '0';
        must(f, kind < 6   ? submit(f, item, n, "valid", NULL, NULL)
                : kind < 8 ? submit(f, item, n, "valid", NULL, "NOT_ASKED")
                : kind < 9 ? submit(f, item, n, "invalid", "NO_CUSTOMER", NULL)
                           : submit(f, item, n, "undeterminable", "NO_RECORDING", NULL));
        json_decref(item);
    }
}

static void sales_of_the_period_are_frozen_as_told_last(void **state)
{
    struct scratch_db *f = *state;
    assert_int_equal(freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 10), 40);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame WHERE opened_at % 60000000 ="
                           " 1773126000000000 % 60000000 + 1000000 AND survey = 'txn.t03.2'"),
                     1);
    /* sales within two minutes of a survey at the same point go with it */
    assert_int_equal(
        asked(f, "SELECT count(*) FROM audit_frame WHERE class = 'yes' AND point = 'p1'"), 0);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame WHERE survey IN ('txn.t00',"
                           " 'txn.t10', 'txn.t20', 'txn.t30') AND class = 'yes'"),
                     4);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame WHERE survey IN ('txn.t04',"
                           " 'txn.t14') AND class = 'no'"),
                     2);
}

static void what_is_drawn_is_linked_fetched_and_asked_about(void **state)
{
    struct scratch_db *f = *state;
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 10);
    assert_int_equal(draw(f, "A1"), 10);
    assert_int_equal(asked(f, "SELECT count(*) FROM visits"), 20); /* and the reserve */
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM watched WHERE visit = 'transactions' AND"
                           " closes_at - opened_at = 60000000"),
                     20);
    assert_int_equal(asked(f, "SELECT count(*) FROM subjects WHERE survey LIKE 'txn.%'"), 0);
    okno_autojson json_t *item = next_item(f, 0);
    const json_t *survey = json_object_get(item, "survey");
    assert_string_equal(json_string_value(json_object_get(survey, "visit")), "transactions");
    assert_string_equal(json_string_value(json_object_get(survey, "site_name")), "Mall");
    must_fail(f, submit(f, item, 0, "invalid", "STAFF_PRESSED", NULL), OKNO_REFUSED,
              "only NO_CUSTOMER is invalid");
    must_fail(f, submit(f, item, 0, "valid", NULL, "FALSE_FM"), OKNO_REFUSED,
              "NOT_ASKED is the only correction");
    must_fail(f, submit(f, item, 0, "invalid", "NO_CUSTOMER", "NOT_ASKED"), OKNO_INVALID,
              "with verdict valid");
    must(f, submit(f, item, 0, "valid", NULL, "NOT_ASKED"));
}

/* A sale told anew between two audits is another moment, and lies at another point: each audit
 * looks at what it froze. */
/* The width that a plan wants is that of the share never asked, too. */
static void a_share_that_is_too_wide_says_how_many_more(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    okno_autojson json_t *status = NULL;
    struct okno_audit_plan made = plan_of("A1");
    made.frame = OKNO_FRAME_TRANSACTIONS;
    made.size = 20;
    made.looks = 2;
    made.max_half_width = 0.01;
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    assert_int_equal(draw(f, "A1"), 20);
    judge_all(f);
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    const json_t *wide = json_object_get(status, "too_wide");
    assert_int_equal(json_array_size(wide), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(wide, 0), "indicator")),
                        "never_asked");
    int64_t more = json_integer_value(json_object_get(status, "extend_by"));
    assert_true(more > 10 && more <= 20);
}

/* Who corrects a sale out of the period leaves a trace. */
static void sales_that_left_by_correction_are_told(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *status = NULL;
    scratch_db_put(f,
                   "INSERT INTO transactions (import, txn, at, point) VALUES"
                   " (1, 't05', 1773126000000000 - 1, 'p1'), (1, 't06', 1773126000000000, 'p9'),"
                   " (1, 't07', 1773126000000000, 'p0')");
    assert_int_equal(freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 10), 38);
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    const json_t *frozen = json_array_get(json_object_get(status, "steps"), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(frozen, "detail"), "left")),
                     2);
}

/* Neither by stills nor by a force majeure that only presses tell of. */
static void nothing_tells_the_expert_whether_a_survey_was_opened(void **state)
{
    struct scratch_db *f = *state;
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 40);
    assert_int_equal(draw(f, "A1"), 40);
    scratch_db_put(
        f,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from,"
        " asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests,"
        " bytes_read, software, made_at) SELECT survey, 'still', 's' || survey, 1, 'image/jpeg',"
        " 'mjpeg', 'c', 1, 2, 3, 4, 5, 0, 0, '[]', 1, 1, 't', 1 FROM surveys;"
        "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds) SELECT"
        " 'd.0.' || i, 'p' || i, 'mall', 1773126000000000 + 2460000000,"
        " 1773126000000000 + 2500000000, 1 FROM (SELECT 0 AS i UNION ALL SELECT 1)");
    for (int i = 0; i < 40; i++) {
        okno_autojson json_t *item = next_item(f, i);
        const json_t *survey = json_object_get(item, "survey");
        assert_int_equal(json_array_size(json_object_get(item, "neighbours")), 0);
        assert_true(json_is_false(json_object_get(survey, "fm_follows")));
        must(f, submit(f, item, i, "valid", NULL, NULL));
    }
}

static void a_sale_corrected_between_two_audits_is_seen_as_each_froze_it(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan again = plan_of("A2");
    char sha256[OKNO_SHA256_TEXT];
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 40);
    assert_int_equal(draw(f, "A1"), 40);
    scratch_db_put(f,
                   "INSERT INTO transactions (import, txn, at, point)"
                   " SELECT 1, txn, at + 90000000, 'p1' FROM transactions WHERE txn = 't04'");
    again.frame = OKNO_FRAME_TRANSACTIONS;
    again.size = 40;
    must(f, okno_audit_plan(f->db, &again, "eva", AT(61), &f->err));
    (void)freeze(f, "A2", sha256);
    assert_int_equal(draw(f, "A2"), 40);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_sample m JOIN audit_frame f"
                           " USING (audit, survey) JOIN watched w ON w.survey = m.survey"
                           " AND w.point = f.point AND w.opened_at = f.opened_at"),
                     80);
    assert_int_equal(asked(f, "SELECT count(*) FROM visits WHERE visit LIKE 'txn.t04%'"), 2);
    assert_int_equal(asked(f, "SELECT count(*) FROM visits"), 41); /* the rest is one moment */
}

static void nobody_says_of_a_survey_that_nobody_was_asked(void **state)
{
    struct scratch_db *f = *state;
    (void)drawn_audit(f, "A1");
    okno_autojson json_t *item = next_item(f, 0);
    must_fail(f, submit(f, item, 0, "valid", NULL, "NOT_ASKED"), OKNO_REFUSED,
              "said of transactions and minutes only");
}

static void a_census_of_sales_tells_the_share_exactly_and_its_bounds(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_figure figure;
    okno_autojson json_t *status = NULL;
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 40);
    must(f, okno_audit_asked(f->db, "A1", NULL, &figure, &f->err));
    assert_string_equal(figure.estimate.null_reason, "not_sampled");
    assert_int_equal(draw(f, "A1"), 40);
    judge_all(f);
    must(f, okno_audit_asked(f->db, "A1", NULL, &figure, &f->err));
    /* 24 asked, 8 not, 4 without a customer, 4 not to be told */
    assert_int_equal(figure.counts.valid, 32);
    assert_int_equal(figure.counts.invalid, 4);
    assert_int_equal(figure.counts.undeterminable, 4);
    assert_true(figure.estimate.worst_low >= 8.0 / 36 - 1e-9 &&
                figure.estimate.worst_low < figure.estimate.value);
    assert_true(figure.estimate.worst_high <= 12.0 / 36 + 1e-9 &&
                figure.estimate.worst_high > figure.estimate.value);
    assert_true(fabs(figure.estimate.value - 0.25) < 0.01);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    assert_string_equal(figure.estimate.null_reason, "not_estimated");
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    assert_true(json_is_number(json_object_get(json_object_get(status, "never_asked"), "value")));
    assert_int_equal(json_integer_value(json_object_get(status, "not_asked")), 8);
    static struct ran ran;
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "status", "A1");
    if (!strstr(ran.out,
                "sample   40, reviewed 40: 24 asked, 8 not asked, 4 no customer, 4 "
                "undeterminable\n"))
        fail_msg("%s%s", ran.out, ran.err);
}

static void where_no_customer_was_nobody_is_looked_at_closer(void **state)
{
    struct scratch_db *f = *state;
    json_t *item;
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 40);
    (void)draw(f, "A1");
    for (int n = 0; (item = next_item(f, n)); n++) {
        must(f, submit(f, item, n, "invalid", "NO_CUSTOMER", NULL));
        json_decref(item);
    }
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    assert_int_equal(asked(f, "SELECT count(*) FROM escalations"), 0);
}

static void its_bundle_and_report_are_recomputed_from_themselves(void **state)
{
    struct scratch_db *f = *state;
    char *folder = support_tempdir();
    char dir[300];
    char command[1500];
    char said[8000];
    struct okno_bundle_facts facts;
    (void)freeze_visits(f, OKNO_FRAME_TRANSACTIONS, 20);
    assert_int_equal(draw(f, "A1"), 20);
    judge_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    export_to(f, dir, false);
    if (okno_bundle_verify(dir, NULL, &facts, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_int_equal(facts.sample, 20);
    assert_int_equal(facts.kind, OKNO_FRAME_TRANSACTIONS);
    recheck(dir, said, sizeof(said));
    assert_non_null(strstr(said, "OK log by Go, 20 proofs\n"));
    (void)snprintf(command, sizeof(command),
                   "cd %s && grep -q 'never asked' data/report.html &&"
                   " grep -q NO_CUSTOMER data/report.html && grep -q '>Mall<' data/report.html &&"
                   " ! grep -q 'STAFF_PRESSED\\|Weight k\\|Force majeure\\|Surveys in' "
                   "data/report.html &&"
                   " python3 -c 'import json, jsonschema;"
                   "r = json.load(open(\"data/report.json\")); a = r[\"asked\"];"
                   "jsonschema.validate(r, json.load(open(\"%s/conf/report.schema.json\")));"
                   "assert [x[\"site\"] for x in a] == [None, \"mall\"];"
                   "assert a[0][\"value\"] == a[1][\"value\"];"
                   "assert a[0][\"low\"] < a[0][\"value\"] < a[0][\"high\"];"
                   "assert sum(a[0][n] for n in (\"asked\", \"not_asked\", \"no_customer\","
                   " \"undeterminable\")) == 20'",
                   dir, getenv("PWD"));
    assert_int_equal(system(command), 0);
    (void)snprintf(command, sizeof(command),
                   "sed -i 's/\"asked_no_survey\": [0-9]*/&1/' %s/data/report.json", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(okno_bundle_verify(dir, NULL, &facts, &f->err), OKNO_CHECK_FAILED);
    support_tempdir_remove(folder);
}

static void minutes_are_those_of_the_opening_hours(void **state)
{
    struct scratch_db *f = *state;
    /* on 10 March 2026 the mall is open from 07:30 to 07:50 UTC, its second point until 07:40 */
    scratch_db_put(f,
                   "INSERT INTO sites (import, site, name, time_zone, hours) VALUES"
                   " (1, 'mall', 'Mall', 'UTC', 'Mo-Su 07:30-07:50');"
                   "INSERT INTO points (import, point, site, name, hours) VALUES"
                   " (1, 'p1', 'mall', 'P1', 'Mo-Su 07:30-07:40')");
    assert_int_equal(freeze_visits(f, OKNO_FRAME_MINUTES, 30), 30);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE point = 'p0'"), 20);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame WHERE survey IN"
                           " ('min.p0.20260310T0749Z', 'min.p1.20260310T0739Z')"),
                     2);
    /* the survey of t30 was opened at 07:30:30 */
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE class = 'yes'"), 1);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame WHERE class = 'yes' AND"
                           " survey = 'min.p0.20260310T0730Z'"),
                     1);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_frame a JOIN audit_frame b ON b.ordinal ="
                           " a.ordinal + 1 WHERE a.survey >= b.survey"),
                     0);
    assert_int_equal(draw(f, "A1"), 30);
}

/* A frame of visits by whether a survey was opened, shares in 1,000: asked and not asked, the
 * rest nobody. */
struct visits {
    int size, surveyed;
    int asked[2], not_asked[2]; /* surveyed, not */
    int sample;
};

/* How often of 400 samples the interval held the truth. */
static int held_of_400(const struct visits *v)
{
    enum { LARGEST = 20000 };
    static char truth[LARGEST];
    static int order[LARGEST];
    uint64_t seed = 7;
    int64_t not_asked = 0;
    int64_t there = 0;
    int held = 0;
    struct okno_err err = {0};
#define ROLL(n) (int)(((seed = seed * 6364136223846793005U + 1442695040888963407U) >> 33) % (n))
    for (int i = 0; i < v->size; i++) {
        int class = i >= v->surveyed;
        int size = class ? v->size - v->surveyed : v->surveyed;
        int place = (class ? i - v->surveyed : i) * 1000 / size;
        order[i] = i;
        truth[i] = place < v->asked[class]                         ? 'a'
                   : place < v->asked[class] + v->not_asked[class] ? 'n'
                                                                   : '-';
        not_asked += truth[i] == 'n';
        there += truth[i] != '-';
    }
    for (int repeat = 0; repeat < 400; repeat++) {
        struct okno_audit_tally tallies[2] = {
            {.stratum = "s", .class = OKNO_YES, .frame = v->surveyed},
            {.stratum = "s", .class = OKNO_NO, .frame = v->size - v->surveyed}};
        struct okno_audit_figure figure;
        const struct okno_audit_rules rules = {
            .frame = OKNO_FRAME_TRANSACTIONS, .level = 0.95, .looks = 1};
        for (int i = 0; i < v->sample; i++) {
            int k = i + ROLL((uint64_t)(v->size - i));
            int unit = order[k];
            struct okno_audit_tally *tally = &tallies[unit >= v->surveyed];
            order[k] = order[i];
            order[i] = unit;
            tally->valid += truth[unit] != '-';
            tally->not_asked += truth[unit] == 'n';
            tally->invalid += truth[unit] == '-';
        }
        assert_int_equal(okno_audit_tally_asked(tallies, 2, &rules, &figure, &err), 0);
        double share = (double)not_asked / (double)there;
        held += figure.estimate.low <= share && share <= figure.estimate.high;
    }
    return held;
}

static void intervals_hold_the_truth_as_often_as_they_say(void **state)
{
    static const struct visits cases[] = {
        {2000, 1400, {800, 150}, {600, 300}, 150}, {2000, 60, {800, 150}, {600, 300}, 40},
        {2000, 1400, {980, 0}, {800, 200}, 60},    {20000, 800, {900, 0}, {60, 20}, 300},
        {20000, 800, {850, 50}, {20, 30}, 300},    {20000, 800, {900, 0}, {10, 10}, 150},
        {2000, 60, {50, 900}, {50, 900}, 30},      {2000, 1900, {978, 810}, {2, 90}, 300},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int held = held_of_400(&cases[i]);
        if (held < 400 * 92 / 100)
            fail_msg("row %zu: %d of 400", i, held);
    }
}

static struct okno_audit_tally found(enum okno_class class, int64_t frame, int64_t asked_there,
                                     int64_t not_asked, int64_t nobody)
{
    return (struct okno_audit_tally){.stratum = "s",
                                     .class = class,
                                     .frame = frame,
                                     .valid = asked_there + not_asked,
                                     .not_asked = not_asked,
                                     .invalid = nobody};
}

static struct okno_estimate never_asked(struct okno_audit_tally surveyed,
                                        struct okno_audit_tally unsurveyed)
{
    const struct okno_audit_tally tallies[] = {surveyed, unsurveyed};
    const struct okno_audit_rules rules = {
        .frame = OKNO_FRAME_TRANSACTIONS, .level = 0.95, .looks = 1};
    struct okno_audit_figure figure;
    struct okno_err err = {0};
    assert_int_equal(okno_audit_tally_asked(tallies, 2, &rules, &figure, &err), 0);
    return figure.estimate;
}

/* Whether a survey was opened says where a sale lies, not what it was found to be: a class with one
 * look shares what was found with the other, and the interval holds it. */
static void a_thin_class_shares_what_was_found(void **state)
{
    struct okno_estimate e = never_asked(found(OKNO_YES, 60, 0, 4, 0), found(OKNO_NO, 40, 0, 1, 0));
    (void)state;
    assert_float_equal(e.value, 1, 1e-12);
    assert_float_equal(e.high, 1, 1e-12);
    assert_true(e.low > 0.4 && e.low < 0.9);
    e = never_asked(found(OKNO_YES, 60, 4, 0, 0), found(OKNO_NO, 40, 1, 0, 0));
    assert_float_equal(e.value, 0, 1e-12);
    assert_float_equal(e.low, 0, 1e-12);
    assert_true(e.high < 0.6 && e.high > 0.1);
    e = never_asked(found(OKNO_YES, 60, 3, 1, 0), found(OKNO_NO, 40, 0, 1, 0));
    assert_float_equal(e.value, 0.4, 1e-12);
    assert_true(e.low < 0.4 && e.high > 0.4);
    e = never_asked(found(OKNO_YES, 60, 1, 2, 2), found(OKNO_NO, 40, 0, 0, 1));
    assert_float_equal(e.value, 2.0 / 3, 1e-12);
}

/* Of a class in which everybody seen was asked, or nobody was there, the rest may be otherwise. */
static void what_no_look_found_may_still_be_there(void **state)
{
    struct okno_estimate e =
        never_asked(found(OKNO_YES, 1000, 20, 0, 0), found(OKNO_NO, 1000, 0, 0, 20));
    (void)state;
    assert_float_equal(e.value, 0, 1e-12);
    assert_true(e.high > 0.16); /* 0.138 were nobody not asked among the unsurveyed */
    e = never_asked(found(OKNO_YES, 1000, 20, 0, 0), found(OKNO_NO, 1000, 10, 10, 0));
    assert_float_equal(e.value, 0.25, 1e-12);
    assert_true(e.high > 0.37 && e.high < 0.39); /* hypot(0.161, 0.199) / 2 above */
}

/* A class with one look shares what was found with the other; with its undeterminable ones settled
 * it has looks enough of its own, and what is so settled may lie beside the value. */
static void bounds_hold_the_value_where_a_class_is_thin(void **state)
{
    (void)state;
    for (int way = 0; way < 2 * 3 * 3; way++) {
        struct okno_audit_tally thin = found(OKNO_YES, 10, way % 2, 1 - way % 2, 0);
        thin.undeterminable = way / 2 % 3;
        struct okno_estimate e =
            never_asked(thin, found(OKNO_NO, 1000, 25 * (way / 6), 50 - 25 * (way / 6), 0));
        assert_true(e.worst_low <= e.value && e.value <= e.worst_high);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_sales, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sales_of_the_period_are_frozen_as_told_last),
        CASE(what_is_drawn_is_linked_fetched_and_asked_about),
        CASE(a_share_that_is_too_wide_says_how_many_more),
        CASE(sales_that_left_by_correction_are_told),
        CASE(nothing_tells_the_expert_whether_a_survey_was_opened),
        CASE(a_sale_corrected_between_two_audits_is_seen_as_each_froze_it),
        CASE(a_census_of_sales_tells_the_share_exactly_and_its_bounds),
        CASE(where_no_customer_was_nobody_is_looked_at_closer),
        CASE(its_bundle_and_report_are_recomputed_from_themselves),
        CASE(minutes_are_those_of_the_opening_hours),
        TEST(nobody_says_of_a_survey_that_nobody_was_asked),
        cmocka_unit_test(a_thin_class_shares_what_was_found),
        cmocka_unit_test(what_no_look_found_may_still_be_there),
        cmocka_unit_test(bounds_hold_the_value_where_a_class_is_thin),
        cmocka_unit_test(intervals_hold_the_truth_as_often_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
