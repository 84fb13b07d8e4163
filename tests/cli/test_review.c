#define _GNU_SOURCE
/* okno review and kpi as a user runs them. */
#include "../support/scratch_db.h"

#include "../audit/run_okno.h"

#include "okno/json.h"

#include <string.h>

static struct ran ran;
static struct scratch_db *db;

#define OKNO_RUN(...) RUN_OKNO(&ran, "", "--data", db->dir, __VA_ARGS__)
#define DAY "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z"

static int setup(void **state)
{
    (void)state;
    db = scratch_db_new();
    scratch_db_put(
        db,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till 1');"
        "INSERT INTO users (user, role, password_hash, disabled, created_at) VALUES"
        " ('eva', 'expert', 'x', 0, 0), ('boss', 'administrator', 'x', 0, 0),"
        " ('max', 'manager', 'x', 0, 0), ('aud', 'auditor', 'x', 0, 0),"
        " ('old', 'expert', 'x', 1, 0);"
        "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at, closes_at,"
        " state, answer, answered_at, device_offset_us, device_uncertainty_us) VALUES"
        " ('b.0.1', 'till', 'mall', 'q', 'personnel', 1773126000000000, 1773126015000000,"
        "  'answered', 'no', 1773126004000000, 0, 0),"
        " ('b.0.2', 'till', 'mall', 'q', 'personnel', 1773126100000000, 1773126115000000,"
        "  'silent', NULL, NULL, 0, 0);"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'drawn', 0, 1, '{}', 0, 'x');"
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'A', 'b.0.1', 1, 'random', 'open'), (2, 'A', 'b.0.2', 2, 'random', 'open')");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_db_free(db);
    return 0;
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

/* Lease the next item; its lease. */
static const char *lease(const char *user, int64_t item)
{
    static char token[64];
    OKNO_RUN("review", "next", "--user", user, "--json");
    ends(0, "", "");
    okno_autojson json_t *json = json_loads(ran.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "item")), item);
    (void)snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(json, "lease")));
    return token;
}

static void only_experts_and_administrators_review(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"nobody", "there is no user \"nobody\""},
        {"old", "user \"old\" is disabled"},
        {"max", "user \"max\" is manager; reviewing takes an expert or an administrator"},
        {"aud", "user \"aud\" is auditor"},
        {"", "there is no user \"\""},
        {"'; drop", "there is no user \"'; drop\""},
    };
    for (size_t i = 0; i < OKNO_COUNT(refused); i++) {
        OKNO_RUN("review", "next", "--user", refused[i][0]);
        ends(5, "", refused[i][1]);
    }
    (void)lease("eva", 1);
    (void)lease("boss", 2);
}

static void the_queue_is_walked_from_a_terminal(void **state)
{
    (void)state;
    const char *token = lease("eva", 1);
    assert_null(strstr(ran.out, "\"answer\"")); /* blind */
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "invalid",
             "--reason", "STAFF_PRESSED", "--json");
    ends(0, "\"counted\":true", "");
    token = lease("eva", 2);
    OKNO_RUN("review", "skip", "2", "--user", "eva", "--lease", token, "--reason", "not mine");
    ends(0, "", "");
    OKNO_RUN("review", "undo", "--user", "eva");
    ends(0, "item 1 is yours again", "");
    token = lease("eva", 1);
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "valid");
    ends(0, "stored", "");
    token = lease("eva", 2);
    OKNO_RUN("review", "submit", "2", "--user", "eva", "--lease", token, "--verdict", "valid");
    ends(0, "stored", "");
    OKNO_RUN("review", "next", "--user", "eva");
    ends(3, "", "");
    assert_true(strlen(ran.err) > strlen("okno review: \n"));
    OKNO_RUN("review", "next", "--user", "eva", "--audit", "A");
    ends(3, "", "nothing left to review in audit A");
    OKNO_RUN("review", "next", "--user", "eva", "--audit", "B");
    ends(3, "", "there is no audit B: see `okno audit list`");
}

/* How many files the newest decision names. */
static int files_watched(void)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite,
                                        "SELECT json_array_length(watched) FROM verdicts"
                                        " ORDER BY id DESC LIMIT 1",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int count = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return count;
}

static void a_decision_names_what_was_watched(void **state)
{
    (void)state;
    static const char hashes[] =
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881,"
        "c30c3619ba4896decac8c74609b7ce371234c1f8753a4a237901ecdb81d44c44";
    static const char *const wrong[] = {"", "2d71", "x", ","};
    const char *token = lease("eva", 1);
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "valid",
                 "--watched", wrong[i]);
        ends(2, "", "watched takes the hashes of clip and still");
    }
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "valid",
             "--watched", hashes);
    ends(0, "stored", "");
    assert_int_equal(files_watched(), 2);
}

static void bad_decisions_say_what_is_allowed(void **state)
{
    (void)state;
    const char *token = lease("eva", 1);
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token);
    ends(2, "", "verdict");
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "maybe");
    ends(2, "", "maybe");
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "invalid");
    ends(2, "", "invalid needs a reason, one of NO_CUSTOMER, STAFF_PRESSED, ");
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "invalid",
             "--reason", "BORED");
    ends(2, "", "BORED is no reason for invalid; there are NO_CUSTOMER, ");
    assert_non_null(strstr(ran.err, ", TEST_PRESS, OTHER\n")); /* the whole list */
    OKNO_RUN("review", "submit", "1", "--user", "eva", "--lease", token, "--verdict", "valid",
             "--played", "nan");
    ends(2, "", "seconds");
    OKNO_RUN("review", "submit", "99", "--user", "eva", "--lease", token, "--verdict", "valid");
    ends(3, "", "there is no item 99");
    OKNO_RUN("review", "skip", "1", "--user", "eva", "--reason", "no lease");
    ends(5, "", "lease");
    OKNO_RUN("review", "skip", "1", "--user", "eva", "--lease", token);
    ends(2, "", "reason");
    OKNO_RUN("review", "undo", "--user", "eva");
    ends(3, "", "");
}

static void wrong_usage_of_review_exits_2(void **state)
{
    (void)state;
    OKNO_RUN("review");
    ends(2, "", "okno review next --user NAME");
    OKNO_RUN("review", "next");
    ends(2, "", "okno review next --user NAME");
    OKNO_RUN("review", "nxt", "--user", "eva");
    ends(2, "", "\"nxt\" is no step; there are next, submit, skip, undo");
    OKNO_RUN("review", "submit", "one", "--user", "eva");
    ends(2, "", "say the item's number");
    OKNO_RUN("review", "submit", "--user", "eva");
    ends(2, "", "say the item's number");
}

/* ---- kpi ---- */

static void indicators_have_the_promised_fields(void **state)
{
    (void)state;
    static const char *const fields[] = {"group", "k", "counts", "excluded", "indicators"};
    static const char *const of_indicator[] = {"raw",    "excluded",    "band", "estimated",
                                               "counts", "null_reason", "flags"};
    OKNO_RUN("kpi", DAY, "--by", "point", "--json");
    ends(0, "", "");
    okno_autojson json_t *figures = json_loads(ran.out, 0, NULL);
    const json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
    for (size_t i = 0; i < OKNO_COUNT(fields); i++)
        assert_non_null(json_object_get(group, fields[i]));
    const json_t *ink = json_object_get(json_object_get(group, "indicators"), "ink_personnel");
    for (size_t i = 0; i < OKNO_COUNT(of_indicator); i++)
        assert_non_null(json_object_get(ink, of_indicator[i]));
    /* one no and one silent with k = 0.5 */
    assert_true(json_number_value(json_object_get(ink, "raw")) > 0.7499);
    assert_true(json_number_value(json_object_get(ink, "raw")) < 0.7501);
    OKNO_RUN("kpi", DAY, "--k", "1");
    ends(0, "ink_personnel        1.000000000", "");
    OKNO_RUN("kpi", "--from", "2026-03-10", "--to", "2026-03-11", "--by", "day", "--json");
    ends(0, "\"2026-03-10\"", "");
}

static void indicators_of_an_empty_period_are_null_and_exit_0(void **state)
{
    (void)state;
    OKNO_RUN("kpi", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z", "--json");
    ends(0, "no_surveys", "");
}

static void wrong_usage_of_kpi_exits_2_and_an_unknown_audit_3(void **state)
{
    (void)state;
    OKNO_RUN("kpi");
    ends(2, "", "say the period: --from TIME --to TIME");
    OKNO_RUN("kpi", "--from", "2026-03-10T00:00:00", "--to", "2026-03-11T00:00:00Z");
    ends(2, "", "--from");
    OKNO_RUN("kpi", "--from", "2026-03-10", "--to", "2026-03-11T00:00:00Z");
    ends(2, "", "--from");
    OKNO_RUN("kpi", "--from", "2026-02-30", "--to", "2026-03-11");
    ends(2, "", "2026-02-30");
    OKNO_RUN("kpi", "--to", "2026-03-10T00:00:00Z", "--from", "2026-03-11T00:00:00Z");
    ends(2, "", "does not lie after --from");
    OKNO_RUN("kpi", DAY, "--site", "nix");
    ends(3, "", "there is no site \"nix\"");
    OKNO_RUN("kpi", DAY, "--group", "nix");
    ends(3, "", "there is no group \"nix\"");
    OKNO_RUN("kpi", DAY, "--by", "shop");
    ends(2, "", "shop");
    OKNO_RUN("kpi", DAY, "--k", "2");
    ends(2, "", "k");
    OKNO_RUN("kpi", DAY, "--k", "half");
    ends(2, "", "--k takes a number");
    OKNO_RUN("kpi", DAY, "--audit", "Z");
    ends(3, "", "Z");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_experts_and_administrators_review),
        CASE(the_queue_is_walked_from_a_terminal),
        CASE(a_decision_names_what_was_watched),
        CASE(bad_decisions_say_what_is_allowed),
        CASE(wrong_usage_of_review_exits_2),
        CASE(indicators_have_the_promised_fields),
        CASE(indicators_of_an_empty_period_are_null_and_exit_0),
        CASE(wrong_usage_of_kpi_exits_2_and_an_unknown_audit_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
