#define _POSIX_C_SOURCE 200809L
/* The bundle of an audit of spontaneous ratings, made again without a database. */
#include "bundle.h"

static void put_ratings(struct scratch_db *f)
{
    add_site(f);
    scratch_db_put(
        f,
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p0', 'mall', 'P0');"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)"
        "INSERT INTO spontaneous (rating, point, site, answer, at)"
        " SELECT printf('r.0.%02d', i), 'p0', 'mall',"
        " CASE i % 3 WHEN 0 THEN 'no' ELSE 'yes' END, 1773126000000000 + i * 60000000 FROM n");
}

static void close_audit_of_ratings(struct scratch_db *f)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of("A1");
    made.frame = OKNO_FRAME_SPONTANEOUS;
    put_ratings(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    assert_int_equal(freeze(f, "A1", sha256), 40);
    (void)draw(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
}

static void export_and_verify(struct scratch_db *f, int code)
{
    struct okno_bundle_facts facts = {0};
    char *dir = support_tempdir();
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/bundle", dir);
    export_to(f, path, true);
    int rc = okno_bundle_verify(path, NULL, &facts, &f->err);
    if (rc != code)
        fail_msg("%d %s", rc, f->err.text);
    assert_int_equal(facts.frame, rc == 0 ? 40 : facts.frame);
    support_tempdir_remove(dir);
}

static void ratings_per_customer_are_recomputed_from_counts(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES"
                   " (2, 0, 'eva', 'counts', '-');"
                   "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count,"
                   " source) VALUES (2, 'site:mall', 'served', 1773126000000000,"
                   " 1773129600000000, 173, 'till')");
    close_audit_of_ratings(f);
    export_and_verify(f, 0);
}

static void draft(struct scratch_db *f, json_t **ret_model)
{
    const struct okno_report_settings settings = {.audit = "A1", .fm_threshold = 0.1, .min_n = 5};
    close_audit_of_ratings(f);
    must(f, okno_report_draft(f->db, &settings, ret_model, &f->err));
}

static void its_report_tells_of_ratings(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF page = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = NULL;
    draft(f, &model);
    must(f, okno_report_write(model, OKNO_REPORT_HTML, "en", &page, &f->err));
    const char *text = okno_buf_text(&page);
    assert_non_null(strstr(text, "Nothing: ratings that customers gave by themselves"));
    assert_non_null(strstr(text, "spontaneous ratings frozen as the frame: 40"));
    assert_null(strstr(text, "40 surveys"));
    assert_null(strstr(text, "<caption>Questions"));
}

/* The indices need customers counted; how many ratings are genuine does not. */
static void without_customers_counted_the_genuine_ones_are_told(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF page = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = NULL;
    draft(f, &model);
    const json_t *rows = json_object_get(model, "genuine");
    assert_int_equal(json_array_size(rows), 4); /* yes and no, in all and of the one site */
    for (size_t i = 0; i < 2; i++) {
        const json_t *row = json_array_get(rows, i);
        double pressed = i == 0 ? 26 : 14;
        double low = json_number_value(json_object_get(row, "low"));
        double value = json_number_value(json_object_get(row, "value"));
        double high = json_number_value(json_object_get(row, "high"));
        assert_string_equal(json_string_value(json_object_get(row, "class")),
                            i == 0 ? "yes" : "no");
        assert_true(0 < low && low < value && value < high && high <= pressed);
    }
    const json_t *limits = json_object_get(model, "limits");
    for (size_t i = 0; i < json_array_size(limits); i++)
        assert_string_not_equal(
            json_string_value(json_object_get(json_array_get(limits, i), "limit")), "no_estimate");
    must(f, okno_report_write(model, OKNO_REPORT_HTML, "ru", &page, &f->err));
    assert_non_null(strstr(okno_buf_text(&page), "Действительные оценки по ответам"));
}

static void without_customers_counted_there_is_nothing_to_compare(void **state)
{
    close_audit_of_ratings(*state);
    export_and_verify(*state, 0);
}

/* As if the table of visits had been filled to get the decision past the queue. */
static void decide_not_asked(struct scratch_db *f)
{
    okno_autojson json_t *item = NULL;
    int64_t id = 0;
    bool counted = false;
    must(f, okno_review_next(f->db, "eva", "A1", 600000000, AT(100), &item, &f->err));
    const struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                          .user = "eva",
                                          .lease =
                                              json_string_value(json_object_get(item, "lease")),
                                          .verdict = "valid",
                                          .correction = "NOT_ASKED"};
    scratch_db_put(f,
                   "INSERT INTO visits SELECT survey, 'transactions', 'p0', 'mall', 0, 1"
                   " FROM audit_frame");
    must(f, okno_review_submit(f->db, &v, AT(100) + 1, &id, &counted, &f->err));
    scratch_db_put(f, "DELETE FROM visits");
}

static void a_correction_of_another_frame_is_named(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    char *folder = support_tempdir();
    char dir[300];
    struct okno_audit_plan made = plan_of("A1");
    made.frame = OKNO_FRAME_SPONTANEOUS;
    put_ratings(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    assert_int_equal(freeze(f, "A1", sha256), 40);
    (void)draw(f, "A1");
    decide_not_asked(f);
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    const struct okno_bundle_request request = {
        .audit = "A1", .dir = dir, .author = "eva", .fm_threshold = 0.1, .min_n = 5};
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_CHECK_FAILED,
              "has the correction NOT_ASKED, which is not said of a frame of spontaneous");
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ratings_per_customer_are_recomputed_from_counts),
        TEST(its_report_tells_of_ratings),
        TEST(without_customers_counted_the_genuine_ones_are_told),
        TEST(without_customers_counted_there_is_nothing_to_compare),
        TEST(a_correction_of_another_frame_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
