#define _POSIX_C_SOURCE 200809L
/* Closer looks: when they are proposed, what they put into the queue, and that estimates stay. */
#include "sixty_surveys.h"

#include "okno/escalation.h"
#include "okno/mem.h"
#include "okno/review.h"

#include <math.h>

static void the_rule_goes_by_the_lower_bound(void **state)
{
    static const struct {
        int64_t reviewed, invalid, frame;
        const char *rule;
    } cases[] = {
        {20, 0, 1000, NULL},         /* nothing invalid */
        {10, 2, 1000, NULL},         /* a fifth, but of ten: the bound is 5.7 % */
        {100, 20, 100000, "more"},   /* 13.3 % */
        {100, 40, 100000, "census"}, /* 30.9 % */
        {10, 10, 10, "census"},      /* all of them were looked at */
        {10, 1, 10, NULL},           /* exactly 10 % is not above it */
        {0, 0, 10, NULL},
    };
    static const struct okno_escalation_limits usual = {OKNO_ESCALATE_MORE, OKNO_ESCALATE_CENSUS,
                                                        OKNO_ESCALATE_COUNT};
    static const struct okno_escalation_limits strict = {0.05, 0.12, 20};
    static const struct okno_escalation_limits never = {1, 1, 1};
    double low = 0;
    (void)state;
    assert_string_equal(okno_escalation_rule(10, 2, 1000, 0.95, &strict, &low), "more");
    assert_string_equal(okno_escalation_rule(100, 20, 100000, 0.95, &strict, &low), "census");
    assert_null(okno_escalation_rule(10, 10, 10, 0.95, &never, &low));
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        const char *rule = okno_escalation_rule(cases[i].reviewed, cases[i].invalid, cases[i].frame,
                                                0.95, &usual, &low);
        assert_string_equal(rule ? rule : "", cases[i].rule ? cases[i].rule : "");
    }
}

/* Every survey of bob's point is invalid; the other point's are valid. */
static void close_decided(struct scratch_db *f)
{
    scratch_db_put(f,
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason,"
                   " reasons_version) SELECT item, audit, survey, 'eva', 1,"
                   " CASE WHEN survey LIKE 'd1%' THEN 'invalid' ELSE 'valid' END,"
                   " CASE WHEN survey LIKE 'd1%' THEN 'NO_CUSTOMER' END, 1 FROM review_items;"
                   "UPDATE review_items SET state = 'decided'");
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(70), &f->err));
}

static void closed_audit(struct scratch_db *f)
{
    (void)drawn_audit(f, "A1");
    close_decided(f);
}

static json_t *listed(struct scratch_db *f)
{
    json_t *list = NULL;
    must(f, okno_escalation_list(f->db, "A1", &list, &f->err));
    return list;
}

static const json_t *one(const json_t *list, size_t i)
{
    return json_array_get(json_object_get(list, "escalations"), i);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void closing_an_audit_proposes_closer_looks(void **state)
{
    struct scratch_db *f = *state;
    closed_audit(f);
    okno_autojson json_t *list = listed(f);
    assert_int_equal(json_array_size(json_object_get(list, "escalations")), 2);
    assert_string_equal(text_of(one(list, 0), "scope"), "employee:bob");
    assert_string_equal(text_of(one(list, 1), "scope"), "point:p1");
    assert_string_equal(text_of(one(list, 0), "rule"), "census");
    assert_string_equal(text_of(one(list, 0), "state"), "proposed");
}

static void the_plan_says_from_where_and_how_many(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    char sha256[OKNO_SHA256_TEXT];
    int64_t items = 0;
    made.escalate = (struct okno_escalation_limits){.more = 0.5, .census = 0.4};
    must_fail(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err), OKNO_INVALID,
              "escalate-census 0.4: from escalate-more (0.5) to 1 is allowed");
    made.escalate = (struct okno_escalation_limits){.more = 0.2, .census = 1, .count = 3};
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    close_decided(f);
    okno_autojson json_t *list = listed(f);
    assert_string_equal(text_of(one(list, 0), "rule"), "more");
    must(f, okno_escalation_decide(f->db, 1, true, "some", "aud", AT(80), &items, &f->err));
    assert_int_equal(items, 3);
}

static void what_is_accepted_waits_as_targeted_and_no_estimate_moves(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_figure before;
    struct okno_audit_figure after;
    int64_t items = 0;
    closed_audit(f);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_RESPONSE_RATE, NULL, 0.5, &before, &f->err));
    int64_t sampled = asked(f, "SELECT count(*) FROM audit_sample WHERE survey LIKE 'd1%'");
    must_fail(f, okno_escalation_decide(f->db, 1, true, " ", "aud", AT(80), &items, &f->err),
              OKNO_MISSING, "say why");
    must(f, okno_escalation_decide(f->db, 1, true, "all of bob's", "aud", AT(80), &items, &f->err));
    assert_int_equal(items, 30 - sampled);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM review_items WHERE origin = 'targeted' AND"
                           " state = 'open' AND survey LIKE 'd1%'"),
                     items);
    must_fail(f, okno_escalation_decide(f->db, 1, false, "no", "aud", AT(80), &items, &f->err),
              OKNO_REFUSED, "was decided");
    scratch_db_put(f,
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version)"
                   " SELECT item, audit, survey, 'ivan', 2, 'valid', 1 FROM review_items"
                   " WHERE origin = 'targeted'");
    okno_autojson json_t *list = listed(f);
    assert_string_equal(text_of(one(list, 0), "state"), "done");
    assert_int_equal(json_integer_value(json_object_get(one(list, 0), "found")), 0);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_RESPONSE_RATE, NULL, 0.5, &after, &f->err));
    assert_true(before.estimate.low == after.estimate.low);
    assert_true(before.estimate.high == after.estimate.high);
    assert_true(before.counts.valid == after.counts.valid);
}

static void what_is_declined_leaves_nothing_to_do(void **state)
{
    struct scratch_db *f = *state;
    int64_t items = 5;
    closed_audit(f);
    must(f, okno_escalation_decide(f->db, 2, false, "the panel was broken", "aud", AT(80), &items,
                                   &f->err));
    assert_int_equal(items, 0);
    assert_int_equal(asked(f, "SELECT count(*) FROM open_escalations"), 1);
    assert_int_equal(asked(f, "SELECT count(*) FROM review_items WHERE origin = 'targeted'"), 0);
    must_fail(f, okno_escalation_decide(f->db, 9, true, "x", "aud", AT(80), &items, &f->err),
              OKNO_NOT_FOUND, "no escalation 9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_goes_by_the_lower_bound),
        TEST(closing_an_audit_proposes_closer_looks),
        TEST(the_plan_says_from_where_and_how_many),
        TEST(what_is_accepted_waits_as_targeted_and_no_estimate_moves),
        TEST(what_is_declined_leaves_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
