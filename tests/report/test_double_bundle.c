#define _POSIX_C_SOURCE 200809L
/* Two experts, a third one and appeals in a bundle: recomputed by whoever holds it. */
#include "bundle.h"

#include "okno/appeal.h"
#include "okno/mem.h"
#include "okno/time.h"

static const char *const users[] = {"eva", "ivan", "olga"};

static void plan_doubled(struct scratch_db *f)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of("A1");
    made.double_share = 0.5;
    add_site(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
}

/* One decision; odd ones of ivan's differ from eva's. */
static bool decide_as(struct scratch_db *f, const char *user, int number)
{
    okno_autojson json_t *item = NULL;
    int64_t id = 0;
    bool counted = false;
    int rc = okno_review_next(f->db, user, "A1", 600000000, AT(100 + number), &item, &f->err);
    okno_err_clear(&f->err);
    if (rc == OKNO_QUEUE_EMPTY)
        return false;
    must(f, rc);
    bool bad = strcmp(user, "ivan") == 0 && number % 2;
    struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                    .user = user,
                                    .lease = json_string_value(json_object_get(item, "lease")),
                                    .verdict = bad ? "invalid" : "valid",
                                    .reason = bad ? "STAFF_PRESSED" : NULL};
    must(f, okno_review_submit(f->db, &v, AT(100 + number), &id, &counted, &f->err));
    assert_true(counted);
    return true;
}

static void decide_in_turn(struct scratch_db *f)
{
    bool some = true;
    for (int number = 0; some; number++) {
        some = false;
        for (size_t i = 0; i < OKNO_COUNT(users); i++)
            some |= decide_as(f, users[i], number);
    }
}

static char *folder_of(char ret_dir[400], char **ret_folder)
{
    *ret_folder = support_tempdir();
    (void)snprintf(ret_dir, 400, "%s/bundle", *ret_folder);
    return ret_dir;
}

static json_t *load(const char *dir, const char *name)
{
    char path[500];
    (void)snprintf(path, sizeof(path), "%s/data/%s", dir, name);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static void double_review_is_recomputed_from_the_bundle(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    char dir[400];
    char *folder = NULL;
    plan_doubled(f);
    decide_in_turn(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    export_to(f, folder_of(dir, &folder), true);
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    okno_autojson json_t *agreement = load(dir, "agreement.json");
    okno_autojson json_t *status = NULL;
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    assert_int_equal(json_integer_value(json_object_get(agreement, "items")), 10);
    assert_true(json_integer_value(json_object_get(agreement, "ruled")) > 0);
    assert_true(facts.decisions >= 30 + json_integer_value(json_object_get(agreement, "ruled")));
    const json_t *told = json_object_get(status, "agreement");
    assert_true(json_equal(json_object_get(agreement, "ac1"), json_object_get(told, "ac1")));
    support_tempdir_remove(folder);
}

static void one_person_in_both_places_is_noticed(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    char *folder = NULL;
    plan_doubled(f);
    while (decide_as(f, "eva", 0))
        continue;
    /* what she said first is somebody else's now, and the queue gives her the same again */
    scratch_db_put(f, "UPDATE verdicts SET user = 'ann'");
    while (decide_as(f, "eva", 0))
        continue;
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    const struct okno_bundle_request request = {.audit = "A1",
                                                .dir = folder_of(dir, &folder),
                                                .author = "eva",
                                                .fm_threshold = 0.1,
                                                .min_n = 5};
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_CHECK_FAILED,
              "one reviewer decided survey");
    support_tempdir_remove(folder);
}

static double office_index(const json_t *groups)
{
    const json_t *indicators = json_object_get(json_array_get(groups, 0), "indicators");
    return json_number_value(json_object_get(json_object_get(indicators, "ink_office"), "value"));
}

/* The first survey that is invalid by double review, appealed about by a manager and ruled valid.
 */
static void appeal_about_one(struct scratch_db *f)
{
    char survey[40];
    int64_t appeal = 0;
    okno_autojson json_t *item = NULL;
    okno_autojson json_t *rulings = NULL;
    const struct okno_appeal_times times = {OKNO_DAY_US, OKNO_DAY_US};
    scratch_db_put(f,
                   "INSERT INTO users (user, role, password_hash, created_at) VALUES"
                   " ('max', 'manager', 'x', 0)");
    must(f, okno_appeal_rulings(f->db, "bob", NULL, &times, AT(210), &rulings, &f->err));
    const json_t *first = json_array_get(json_object_get(rulings, "rulings"), 0);
    (void)snprintf(survey, sizeof(survey), "%s",
                   json_string_value(json_object_get(first, "survey")));
    const struct okno_appeal filing = {.survey = survey,
                                       .user = "max",
                                       .asks = "valid",
                                       .comment = "a customer pressed it",
                                       .times = times,
                                       .at_us = AT(210)};
    must(f, okno_appeal_add(f->db, &filing, &appeal, &f->err));
    must(f, okno_appeal_take(f->db, appeal, "petr", 600000000, AT(211), &item, &f->err));
    const struct okno_appeal_decision decision = {
        .appeal = appeal,
        .user = "petr",
        .lease = json_string_value(json_object_get(item, "lease")),
        .outcome = "accept",
        .comment = "so it was"};
    must(f, okno_appeal_decide(f->db, &decision, AT(212), &f->err));
}

static void figures_stand_before_and_after_appeals(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    struct okno_audit_figure figure;
    char dir[400];
    char *folder = NULL;
    plan_doubled(f);
    while (decide_as(f, "ivan", 1))
        continue;
    while (decide_as(f, "eva", 0) || decide_as(f, "olga", 0))
        continue;
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    double before = figure.estimate.value;
    appeal_about_one(f);
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    assert_true(figure.estimate.value != before);
    export_to(f, folder_of(dir, &folder), false);
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    okno_autojson json_t *kpi = load(dir, "kpi.json");
    assert_true(office_index(json_object_get(kpi, "before_appeals")) - before < 1e-9);
    assert_true(office_index(json_object_get(kpi, "before_appeals")) - before > -1e-9);
    assert_true(office_index(json_object_get(kpi, "groups")) - figure.estimate.value < 1e-9);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(double_review_is_recomputed_from_the_bundle),
        TEST(one_person_in_both_places_is_noticed),
        TEST(figures_stand_before_and_after_appeals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
