#define _POSIX_C_SOURCE 200809L
/* Double review: who is in it, what stands, how far the two agree; and what never enters estimates.
 */
#include "sixty_surveys.h"

#include "okno/double.h"
#include "okno/mem.h"

#include <math.h>

static void plan_doubled(struct scratch_db *f, const char *audit, double share)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of(audit);
    made.double_share = share;
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, audit, sha256);
    (void)draw(f, audit);
}

static void decide(struct scratch_db *f, const char *part, const char *user, const char *verdict)
{
    char sql[800];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version)"
                   " SELECT item, audit, survey, '%s', 1, %s, 1 FROM review_items WHERE part = %s"
                   " AND audit = 'A1' ORDER BY place;"
                   "UPDATE review_items SET state = 'decided' WHERE part = %s AND audit = 'A1'",
                   user, verdict, part, part);
    scratch_db_put(f, sql);
}

/* The ids of a query in its order, and the smallest tickets of them, found the slow way. */
static void the_doubled_part_is_what_anybody_draws_with_the_seed(void **state)
{
    struct scratch_db *f = *state;
    struct okno_sampler sampler;
    char best[5][OKNO_TICKET_TEXT];
    char path[80];
    sqlite3 *raw = NULL;
    sqlite3_stmt *rows = NULL;
    int found = 0;
    plan_doubled(f, "A1", 0.25);
    assert_int_equal(asked(f, "SELECT count(*) FROM review_items WHERE part = 1"), 5);
    okno_sampler_start(&sampler, DICE "/double");
    for (int i = 0; i < 5; i++)
        (void)snprintf(best[i], OKNO_TICKET_TEXT, "1");
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, "SELECT survey FROM audit_sample", -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        char ticket[OKNO_TICKET_TEXT];
        (void)okno_sampler_ticket(&sampler, (const char *)sqlite3_column_text(rows, 0), ticket);
        for (int i = 0; i < 5; i++)
            if (strcmp(ticket, best[i]) < 0) {
                memmove(best[i + 1], best[i], (size_t)(4 - i) * OKNO_TICKET_TEXT);
                memcpy(best[i], ticket, OKNO_TICKET_TEXT);
                break;
            }
    }
    (void)sqlite3_finalize(rows);
    assert_int_equal(
        sqlite3_prepare_v2(raw, "SELECT survey FROM review_items WHERE part = 1", -1, &rows, NULL),
        SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        char ticket[OKNO_TICKET_TEXT];
        (void)okno_sampler_ticket(&sampler, (const char *)sqlite3_column_text(rows, 0), ticket);
        assert_true(strcmp(ticket, best[4]) <= 0);
        found++;
    }
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(raw);
    assert_int_equal(found, 5);
}

static void a_share_is_rounded_up_but_not_by_the_dust_of_fractions(void **state)
{
    static const struct {
        double share;
        size_t count, want;
    } cases[] = {{0.1, 30, 3}, {0.1, 31, 4}, {0, 30, 0}, {1, 30, 30}, {0.01, 5, 1}, {0.5, 0, 0}};
    const char *ids[31];
    char names[31][16];
    (void)state;
    for (int i = 0; i < 31; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%d", i);
        ids[i] = names[i];
    }
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_AUTO_DRAWS draws = {0};
        assert_int_equal(okno_double_draw(DICE, ids, cases[i].count, cases[i].share, &draws, NULL),
                         0);
        assert_int_equal(draws.len, cases[i].want);
    }
}

static void an_audit_ends_when_every_conflict_is_ruled(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *status = NULL;
    plan_doubled(f, "A1", 0.25);
    decide(f, "0", "eva", "'valid'");
    must_fail(f, okno_audit_close(f->db, "A1", "", "eva", AT(70), &f->err), OKNO_OUT_OF_ORDER,
              "5 surveys without a decision");
    decide(f, "1", "ivan", "CASE WHEN place % 2 THEN 'invalid' ELSE 'valid' END");
    int64_t conflicts = asked(f,
                              "SELECT count(*) FROM verdicts WHERE user = 'ivan' AND"
                              " verdict = 'invalid'");
    assert_true(conflicts > 0 && conflicts < 5);
    scratch_db_put(f,
                   "INSERT INTO review_items (audit, survey, place, origin, part, state)"
                   " SELECT audit, survey, place, origin, 2, 'open' FROM review_items i"
                   " WHERE part = 1 AND place % 2");
    must_fail(f, okno_audit_close(f->db, "A1", "", "eva", AT(70), &f->err), OKNO_OUT_OF_ORDER,
              "without a decision");
    assert_int_equal(asked(f, "SELECT count(*) FROM standing"), 20 - conflicts);
    decide(f, "2", "olga", "'undeterminable'");
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(70), &f->err));
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    assert_int_equal(json_integer_value(json_object_get(status, "undeterminable")), conflicts);
    assert_int_equal(json_integer_value(json_object_get(status, "valid")), 20 - conflicts);
    const json_t *agreement = json_object_get(status, "agreement");
    assert_int_equal(json_integer_value(json_object_get(agreement, "items")), 5);
    assert_int_equal(json_integer_value(json_object_get(agreement, "agreed")), 5 - conflicts);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(status, "double_review"), "ruled")),
        conflicts);
}

/* ---- agreement ---- */

static size_t add(struct okno_vote_pair *to, size_t at, int times, enum okno_vote a,
                  enum okno_vote b)
{
    for (int i = 0; i < times; i++)
        to[at++] = (struct okno_vote_pair){{0, 1}, {a, b}};
    return at;
}

static double of(const json_t *agreement, const char *measure, const char *field)
{
    return json_number_value(json_object_get(json_object_get(agreement, measure), field));
}

static void near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by))
        fail_msg("%.12g is not %.12g", got, want);
}

static void agreement_is_that_of_published_tables(void **state)
{
    struct okno_vote_pair pairs[125];
    okno_autojson json_t *found = NULL;
    (void)state;
    size_t n = add(pairs, 0, 118, OKNO_VOTE_VALID, OKNO_VOTE_VALID);
    n = add(pairs, n, 5, OKNO_VOTE_VALID, OKNO_VOTE_INVALID);
    n = add(pairs, n, 2, OKNO_VOTE_INVALID, OKNO_VOTE_VALID);
    assert_int_equal(okno_double_agreement(pairs, n, OKNO_FRAME_SURVEYS, 0.95, &found, NULL), 0);
    near(of(found, "percent", "value"), 0.944, 1e-9);
    near(of(found, "kappa", "value"), -0.0234, 5e-5);
    near(of(found, "positive", "value"), 0, 0);
    /* Wilson's score interval of 118 in 125 */
    near(of(found, "percent", "low"), 0.888912156, 1e-8);
    near(of(found, "percent", "high"), 0.972611774, 1e-8);
    near(of(found, "kappa", "high"),
         of(found, "kappa", "value") + 1.959964 * of(found, "kappa", "se"), 1e-6);
}

/* Leaving out each item in turn, really. */
static void alphas_error_is_the_jackknifes(void **state)
{
    struct okno_vote_pair pairs[40];
    struct okno_vote_pair some[40];
    double without[40];
    double mean = 0;
    double sum = 0;
    okno_autojson json_t *found = NULL;
    (void)state;
    size_t n = add(pairs, 0, 20, OKNO_VOTE_VALID, OKNO_VOTE_VALID);
    n = add(pairs, n, 8, OKNO_VOTE_INVALID, OKNO_VOTE_INVALID);
    n = add(pairs, n, 3, OKNO_VOTE_INVALID, OKNO_VOTE_VALID);
    n = add(pairs, n, 2, OKNO_VOTE_UNDETERMINABLE, OKNO_VOTE_INVALID);
    n = add(pairs, n, 1, OKNO_VOTE_UNDETERMINABLE, OKNO_VOTE_UNDETERMINABLE);
    assert_int_equal(okno_double_agreement(pairs, n, OKNO_FRAME_SURVEYS, 0.95, &found, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        okno_autojson json_t *one = NULL;
        memcpy(some, pairs, sizeof(pairs));
        some[i] = pairs[n - 1];
        assert_int_equal(okno_double_agreement(some, n - 1, OKNO_FRAME_SURVEYS, 0.95, &one, NULL),
                         0);
        without[i] = of(one, "alpha", "value");
        mean += without[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        sum += (without[i] - mean) * (without[i] - mean);
    near(of(found, "alpha", "se"), sqrt(sum * (double)(n - 1) / (double)n), 1e-7);
}

/* Of sales: that a customer was asked and that nobody asked one are two things, both `valid`. */
static void asked_and_not_asked_are_no_agreement(void **state)
{
    struct okno_vote_pair pairs[40];
    okno_autojson json_t *found = NULL;
    (void)state;
    assert_int_equal(okno_vote_find("valid", ""), OKNO_VOTE_VALID);
    assert_int_equal(okno_vote_find("valid", "FALSE_FM"), OKNO_VOTE_VALID);
    assert_int_equal(okno_vote_find("valid", "NOT_ASKED"), OKNO_VOTE_NOT_ASKED);
    size_t n = add(pairs, 0, 20, OKNO_VOTE_VALID, OKNO_VOTE_VALID);
    n = add(pairs, n, 6, OKNO_VOTE_NOT_ASKED, OKNO_VOTE_NOT_ASKED);
    n = add(pairs, n, 8, OKNO_VOTE_VALID, OKNO_VOTE_NOT_ASKED);
    n = add(pairs, n, 6, OKNO_VOTE_INVALID, OKNO_VOTE_INVALID);
    assert_int_equal(okno_double_agreement(pairs, n, OKNO_FRAME_TRANSACTIONS, 0.95, &found, NULL),
                     0);
    assert_int_equal(json_integer_value(json_object_get(found, "agreed")), 32);
    near(of(found, "percent", "value"), 0.8, 1e-9);
    near(of(found, "positive", "value"), 12.0 / 20, 1e-9); /* on `not asked` */
    /* four answers are possible; AC1's chance: shares .6, .25, .15 and 0 */
    double chance = (0.6 * 0.4 + 0.25 * 0.75 + 0.15 * 0.85) / 3;
    near(of(found, "ac1", "value"), (0.8 - chance) / (1 - chance), 1e-9);
}

/* Fifteen alike prove no agreement of exactly 1. */
static void experts_who_never_differed_leave_no_error(void **state)
{
    static const char *const names[] = {"kappa", "ac1", "alpha"};
    struct okno_vote_pair pairs[15];
    okno_autojson json_t *found = NULL;
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(pairs); i++) {
        enum okno_vote vote = i < 9 ? OKNO_VOTE_VALID : OKNO_VOTE_INVALID;
        pairs[i] = (struct okno_vote_pair){{0, 1}, {vote, vote}};
    }
    assert_int_equal(
        okno_double_agreement(pairs, OKNO_COUNT(pairs), OKNO_FRAME_SURVEYS, 0.95, &found, NULL), 0);
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        const json_t *one = json_object_get(found, names[i]);
        near(json_number_value(json_object_get(one, "value")), 1, 1e-9);
        assert_true(json_is_null(json_object_get(one, "se")));
        assert_true(json_is_null(json_object_get(one, "low")));
    }
    near(json_number_value(json_object_get(json_object_get(found, "percent"), "low")), 0.7961,
         1e-4);
}

static void without_pairs_every_measure_says_why_it_is_null(void **state)
{
    static const char *const names[] = {"percent", "kappa", "ac1", "alpha", "positive"};
    okno_autojson json_t *found = NULL;
    (void)state;
    assert_int_equal(okno_double_agreement(NULL, 0, OKNO_FRAME_SURVEYS, 0.95, &found, NULL), 0);
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        const json_t *one = json_object_get(found, names[i]);
        assert_true(json_is_null(json_object_get(one, "value")));
        assert_true(json_is_string(json_object_get(one, "null_reason")));
    }
}

/* ---- what never enters estimates ---- */

static const char noise_sql[] =
    /* a look of each kind at every survey of the frame, decided by chance */
    "INSERT INTO review_items (audit, survey, place, origin, part, reader, state)"
    " SELECT k.name, s.survey, 0, k.origin, k.part, k.reader, 'decided' FROM surveys s,"
    " (SELECT 'gold:A1' AS name, 'gold' AS origin, 0 AS part, 'eva' AS reader"
    "  UNION ALL SELECT 'calibration:C', 'calibration', 0, 'eva'"
    "  UNION ALL SELECT 'calibration:C', 'calibration', 0, 'ivan'"
    "  UNION ALL SELECT 'targeted', 'targeted', 0, ''"
    "  UNION ALL SELECT 'targeted', 'targeted', 3, ''"
    "  UNION ALL SELECT 'imported', 'imported', 0, '') k"
    " WHERE 1 ON CONFLICT DO NOTHING;"
    "INSERT INTO verdicts (item, audit, survey, user, at, verdict, correction, reasons_version)"
    " SELECT item, audit, survey, 'noise', 2,"
    " CASE abs(random() % 3) WHEN 0 THEN 'valid' WHEN 1 THEN 'invalid' ELSE 'undeterminable' END,"
    " CASE abs(random() % 4) WHEN 0 THEN 'FALSE_FM' END, 1"
    " FROM review_items WHERE origin <> 'random'";

static void take_figures(struct scratch_db *f, struct okno_audit_figure *figures)
{
    memset(figures, 0, OKNO_INDICATOR_COUNT * sizeof(*figures));
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++)
        must(f, okno_audit_estimate(f->db, "A1", (enum okno_indicator)i, NULL, 0.5, &figures[i],
                                    &f->err));
}

static void same_number(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static void same(const struct okno_audit_figure *a, const struct okno_audit_figure *b)
{
    same_number(a->estimate.value, b->estimate.value);
    same_number(a->estimate.low, b->estimate.low);
    same_number(a->estimate.high, b->estimate.high);
    same_number(a->estimate.se, b->estimate.se);
    same_number(a->estimate.worst_low, b->estimate.worst_low);
    same_number(a->estimate.worst_high, b->estimate.worst_high);
    assert_int_equal(a->counts.valid, b->counts.valid);
    assert_int_equal(a->counts.invalid, b->counts.invalid);
    assert_int_equal(a->counts.undeterminable, b->counts.undeterminable);
}

static void targeted_gold_and_calibration_verdicts_never_change_an_estimate(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_figure before[OKNO_INDICATOR_COUNT];
    struct okno_audit_figure after[OKNO_INDICATOR_COUNT];
    plan_doubled(f, "A1", 0.25);
    decide(f, "0", "eva", "CASE WHEN place % 5 THEN 'valid' ELSE 'invalid' END");
    decide(f, "1", "ivan", "CASE WHEN place % 4 THEN 'valid' ELSE 'invalid' END");
    take_figures(f, before);
    assert_true(before[OKNO_INK_OFFICE].counts.valid > 0);
    for (int round = 0; round < 10; round++) {
        scratch_db_put(f, noise_sql);
        take_figures(f, after);
        for (int i = 0; i < OKNO_INDICATOR_COUNT; i++)
            same(&before[i], &after[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_doubled_part_is_what_anybody_draws_with_the_seed),
        cmocka_unit_test(a_share_is_rounded_up_but_not_by_the_dust_of_fractions),
        TEST(an_audit_ends_when_every_conflict_is_ruled),
        cmocka_unit_test(agreement_is_that_of_published_tables),
        cmocka_unit_test(alphas_error_is_the_jackknifes),
        cmocka_unit_test(asked_and_not_asked_are_no_agreement),
        cmocka_unit_test(experts_who_never_differed_leave_no_error),
        cmocka_unit_test(without_pairs_every_measure_says_why_it_is_null),
        TEST(targeted_gold_and_calibration_verdicts_never_change_an_estimate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
