/* The report of an audit over HTTP: drafts, editions, who may have them. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

struct world {
    struct fixture *fixture;
    const char *eva, *vera; /* Cookie lines: auditor, expert */
};

/* An audit of ten surveys, all drawn, reviewed and closed. */
static const char facts[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (9, 0, 'a', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone) VALUES (9, 's', 'Shop', 'UTC');"
    "INSERT INTO audits (audit, title, state, period_from, period_to, plan, frame_sha256, "
    "frame_size,"
    " seed, created_at, created_by) VALUES ('march', 'March', 'closed', 1773126000000000,"
    " 1773129600000000, '{\"invalid\":\"none\",\"k\":\"0.5\",\"level\":\"0.95\",\"looks\":1,"
    "\"scope\":\"all\",\"show_answer\":false,\"silent\":\"sampled\",\"size\":10}', NULL, 10, NULL, "
    "1,"
    " 'eva');"
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
    "INSERT INTO audit_frame SELECT 'march', 'd.0.' || i, i, 's/p', 'yes', 'q', 'office',"
    " 1773126000000000 + i, 0, 's', 'p', NULL, '', '{}' FROM n;"
    "INSERT INTO audit_sample (audit, place, rank, survey, stratum, ticket)"
    " SELECT audit, ordinal + 1, ordinal + 1, survey, stratum, '0.5' FROM audit_frame;"
    "INSERT INTO review_items (audit, survey, place, origin, state)"
    " SELECT audit, survey, ordinal, 'random', 'decided' FROM audit_frame;"
    "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version, "
    "comment)"
    " SELECT item, audit, survey, 'vera', 5, CASE place WHEN 3 THEN 'invalid' ELSE 'valid' END,"
    " CASE place WHEN 3 THEN 'COACHED' END, 1, 'said by vera' FROM review_items;"
    "INSERT INTO audit_steps (audit, step, at, author, detail) VALUES ('march', 'close', 7, 'eva',"
    " '{}')";

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "eva", "auditor");
    fixture_user(world->fixture, "vera", "expert");
    fixture_sql(world->fixture, facts);
    fixture_start(world->fixture);
    world->eva = fixture_login(world->fixture, "eva");
    world->vera = fixture_login(world->fixture, "vera");
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;
    fixture_free(world->fixture);
    free(world);
    return 0;
}

static struct answer ask(struct world *world, const char *method, const char *path, const char *who,
                         const char *body)
{
    return client_request(fixture_port(world->fixture), method, path, who, body);
}

static struct answer get(struct world *world, const char *query, int status)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "/api/v1/audits/march/report%s", query);
    struct answer answer = ask(world, "GET", path, world->eva, NULL);
    if (answer.status != status)
        fail_msg("%s: %d %.300s", path, answer.status, answer.body);
    return answer;
}

static void a_draft_becomes_an_edition_when_it_is_issued(void **state)
{
    struct world *world = *state;
    struct answer draft = get(world, "?format=html&lang=ru", 200);
    assert_non_null(strstr(draft.body, "ЧЕРНОВИК"));
    answer_free(&draft);
    struct answer issued = ask(world, "POST", "/api/v1/audits/march/report", world->eva,
                               "{\"opinion\":\"qualified\",\"statement\":\"With care.\"}");
    if (issued.status != 200)
        fail_msg("%d %s", issued.status, issued.body);
    answer_free(&issued);
    struct answer edition = get(world, "?format=json", 200);
    okno_autojson json_t *model = answer_json(&edition);
    assert_int_equal(json_integer_value(json_object_get(model, "edition")), 1);
    assert_string_equal(json_text(json_object_get(model, "opinion"), "statement"), "With care.");
    answer_free(&edition);
    struct answer missing = get(world, "?edition=2", 404);
    answer_free(&missing);
}

static void an_edition_for_everybody_names_nobody(void **state)
{
    struct world *world = *state;
    struct answer whole = get(world, "?format=csv", 200);
    assert_non_null(strstr(whole.body, "said by vera"));
    assert_non_null(strstr(whole.body, ",eva\r\n"));
    answer_free(&whole);
    struct answer open = get(world, "?format=csv&public=1", 200);
    assert_null(strstr(open.body, "said by"));
    assert_null(strstr(open.body, ",eva\r\n"));
    answer_free(&open);
}

static void every_format_has_its_type_and_name(void **state)
{
    struct world *world = *state;
    struct answer pdf = get(world, "?format=pdf&lang=en", 200);
    assert_int_equal(strncmp(pdf.body, "%PDF-", 5), 0);
    assert_non_null(strcasestr(pdf.head, "content-type: application/pdf"));
    assert_non_null(strstr(pdf.head, "okno-march-en.pdf"));
    answer_free(&pdf);
    struct answer xlsx = get(world, "?format=xlsx", 200);
    assert_int_equal(strncmp(xlsx.body, "PK", 2), 0);
    answer_free(&xlsx);
}

static void wrong_questions_are_named(void **state)
{
    static const struct {
        const char *query;
        int status;
        const char *words;
    } wrong[] = {{"?format=doc", 400, "`doc`"},
                 {"?lang=fr", 400, "en or ru"},
                 {"?edition=x", 400, "edition"},
                 {"?colour=red", 400, "colour"}};
    struct world *world = *state;
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        struct answer answer = get(world, wrong[i].query, wrong[i].status);
        assert_non_null(strstr(answer.body, wrong[i].words));
        answer_free(&answer);
    }
    struct answer unknown = ask(world, "GET", "/api/v1/audits/april/report", world->eva, NULL);
    assert_int_equal(unknown.status, 404);
    answer_free(&unknown);
    struct answer opinion =
        ask(world, "POST", "/api/v1/audits/march/report", world->eva, "{\"opinion\":\"fine\"}");
    assert_int_equal(opinion.status, 400);
    answer_free(&opinion);
}

static void an_expert_stays_blind(void **state)
{
    struct world *world = *state;
    struct answer answer = ask(world, "GET", "/api/v1/audits/march/report", world->vera, NULL);
    assert_int_equal(answer.status, 403);
    answer_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

#define PERIOD "?from=2026-03-10&to=2026-03-11"

/* Figures without an audit say that there is none. */
static void figures_of_a_period_come_as_a_report(void **state)
{
    struct world *world = *state;
    static const char *const formats[][2] = {
        {"pdf", "%PDF-"}, {"xlsx", "PK"}, {"csv", "section,block"}};
    fixture_sql(world->fixture,
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)"
                "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at,"
                " state, answer, device_offset_us, device_uncertainty_us)"
                "SELECT 'k.0.' || i, 'p', 's<1>', 'office', 1773126000000000 + i,"
                " 1773126015000000 + i, 'answered', CASE WHEN i < 5 THEN 'no' ELSE 'yes' END, 0, 0"
                " FROM n;"
                "INSERT INTO imports (import, at, author, kind, source) VALUES"
                " (1, 0, 'eva', 'sites', '-');"
                "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's<1>', 'S', 'UTC')");
    AUTO_ANSWER html =
        ask(world, "GET", "/api/v1/indicators/report" PERIOD "&by=site&lang=en", world->eva, NULL);
    assert_int_equal(html.status, 200);
    assert_non_null(strstr(html.body, "No audit stands behind these figures"));
    assert_non_null(strstr(html.body, "s&lt;1&gt;"));
    assert_null(strstr(html.body, "s<1>"));
    for (size_t i = 0; i < OKNO_COUNT(formats); i++) {
        char path[200];
        (void)snprintf(path, sizeof(path), "/api/v1/indicators/report" PERIOD "&format=%s",
                       formats[i][0]);
        AUTO_ANSWER answer = ask(world, "GET", path, world->eva, NULL);
        if (answer.status != 200 || strncmp(answer.body, formats[i][1], strlen(formats[i][1])) != 0)
            fail_msg("%s: %d %.100s", path, answer.status, answer.body);
    }
    AUTO_ANSWER json =
        ask(world, "GET", "/api/v1/indicators/report" PERIOD "&format=json", world->eva, NULL);
    okno_autojson json_t *model = answer_json(&json);
    assert_true(json_is_null(json_object_get(model, "audit")));
    AUTO_ANSWER blind = ask(world, "GET", "/api/v1/indicators/report" PERIOD, world->vera, NULL);
    assert_int_equal(blind.status, 403);
    AUTO_ANSWER odd =
        ask(world, "GET", "/api/v1/indicators/report" PERIOD "&lang=de", world->eva, NULL);
    assert_int_equal(odd.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_becomes_an_edition_when_it_is_issued),
        TEST(an_edition_for_everybody_names_nobody),
        TEST(every_format_has_its_type_and_name),
        TEST(wrong_questions_are_named),
        TEST(an_expert_stays_blind),
        cmocka_unit_test_setup_teardown(figures_of_a_period_come_as_a_report, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
