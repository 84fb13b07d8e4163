#define _GNU_SOURCE
/* okno review attribute and target, okno period, okno kpi publish as a user runs them: exit codes,
 * shapes. */
#include "../support/scratch_db.h"

#include "../audit/run_okno.h"

#include "okno/json.h"

#include <string.h>

static struct ran ran;
static struct scratch_db *db;

#define OKNO_RUN(...) RUN_OKNO(&ran, "", "--data", db->dir, __VA_ARGS__)
#define DAY "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z"

/* One survey of ann, answered no, one rating at noon; 10 March 2026. */
static int setup(void **state)
{
    (void)state;
    db = scratch_db_new();
    scratch_db_put(
        db,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till 1');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'b', 'till', 0);"
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us) VALUES"
        " (1, 'q', 'till', 0, 'personnel', '?', 15000000);"
        "INSERT INTO employees (import, employee, name) VALUES (1, 'ann', 'Ann'), (1, 'bob', '');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'till', 1773100800000000, 1773187200000000);"
        "INSERT INTO users (user, role, password_hash, disabled, created_at) VALUES"
        " ('boss', 'administrator', 'x', 0, 0), ('eva', 'expert', 'x', 0, 0);"
        "INSERT INTO events (device, boot, seq, kind, at, arrived_at) VALUES"
        " ('b', 0, 1, 'press', 1773126000000000, 1773126001000000),"
        " ('b', 0, 2, 'no', 1773126004000000, 1773126005000000),"
        " ('b', 0, 3, 'yes', 1773140400000000, 1773140401000000);"
        "INSERT INTO survey_dirty_devices (device, hour) VALUES"
        " ('b', 1773126000000000 / 3600000000), ('b', 1773140400000000 / 3600000000)");
    OKNO_RUN("survey", "list");
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

static void attribution_takes_a_reason_and_can_be_undone(void **state)
{
    (void)state;
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--employee", "bob");
    ends(2, "", "an attribution needs a reason");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--reason", "r");
    ends(2, "", "say which and whose");
    OKNO_RUN("review", "attribute", "--survey", "b.0.9", "--employee", "bob", "--reason", "r");
    ends(3, "", "there is no survey \"b.0.9\"");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--employee", "bob", "--reason", "r",
             "--user", "eva");
    ends(5, "", "attribution takes a manager or an administrator");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--employee", "bob", "--reason",
             "bob stood in", "--json");
    ends(0, "{\"attribution\":1,\"on_shift\":false}", "bob had no shift at that site then");
    OKNO_RUN("survey", "list", "--employee", "bob", "--json");
    ends(0, "\"id\":\"b.0.1\"", "");
    OKNO_RUN("survey", "show", "b.0.1");
    ends(0, "bob stood in", "");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--undo", "--reason", "it was ann");
    ends(0, "is what the shifts say", "");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--undo", "--reason", "again");
    ends(5, "", "nothing to undo");
}

static void a_rating_is_listed_shown_and_put_into_the_queue(void **state)
{
    (void)state;
    OKNO_RUN("survey", "list", "--spontaneous", "--json");
    ends(0, "\"id\":\"b.0.3\"", "");
    assert_null(strstr(ran.out, "b.0.1"));
    OKNO_RUN("survey", "show", "b.0.3", "--json");
    ends(0, "\"answer\":\"yes\"", "");
    OKNO_RUN("review", "target", "--survey", "b.0.3", "--reason", "odd hour");
    ends(0, "item 1: survey b.0.3 waits for a review", "");
    OKNO_RUN("review", "target", "--survey", "b.0.3", "--reason", "odd hour");
    ends(5, "", "waits for a targeted review already");
    OKNO_RUN("review", "next", "--user", "eva", "--json");
    ends(0, "\"spontaneous\":true", "");
}

static void a_period_is_closed_shown_adjusted_and_verified(void **state)
{
    (void)state;
    OKNO_RUN("period", "close", "--from", "2026-03-10");
    ends(2, "", "say the period");
    OKNO_RUN("period", "close", "--from", "2026-03-10", "--to", "2026-03-10", "--site", "shop");
    ends(2, "", "there is no site \"shop\"");
    OKNO_RUN("period", "close", "--from", "2026-03-10", "--to", "2026-03-10", "--json");
    ends(0, "\"employee\":\"ann\"", "");
    OKNO_RUN("period", "close", "--from", "2026-03-10", "--to", "2026-03-11");
    ends(5, "", "pay period 1 overlaps");
    OKNO_RUN("period", "list");
    ends(0, "pay period 1  all sites", "");
    OKNO_RUN("period", "show", "1");
    ends(0, "too_few", "");
    OKNO_RUN("period", "show", "1", "--csv");
    ends(0, "\"ann\",\"Ann\",\"too_few\",1,0,0,1.000000000,", "");
    OKNO_RUN("period", "show", "1", "--adjustments");
    ends(0, "no adjustments", "");
    OKNO_RUN("review", "attribute", "--survey", "b.0.1", "--employee", "bob", "--reason", "r");
    OKNO_RUN("period", "show", "1", "--adjustments");
    ends(0, "because of attribution b.0.1", "");
    OKNO_RUN("period", "show", "2");
    ends(3, "", "there is no pay period 2");
    OKNO_RUN("period", "verify", "one");
    ends(2, "", "say the period's number");
    OKNO_RUN("period", "verify", "1");
    ends(0, "equal byte for byte", "");
    scratch_db_put(db, "UPDATE pay_statements SET statement = replace(statement, 'Ann', 'Bob')");
    OKNO_RUN("period", "verify", "1");
    ends(6, "", "the statement of ann");
}

static void published_figures_are_verified(void **state)
{
    (void)state;
    OKNO_RUN("kpi", "publish", DAY);
    ends(2, "", "say a name and the period");
    OKNO_RUN("kpi", "publish", "march", DAY, "--by", "employee", "--json");
    ends(0, "\"name\":\"march\"", "");
    OKNO_RUN("kpi", "publish", "march", DAY);
    ends(5, "", "march is published already");
    scratch_db_put(db,
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                   " ('b.0.1', 1, 1773200000000000, 'a', 'b', 'c')");
    OKNO_RUN("kpi", "published", "verify", "march");
    ends(0, "equal, byte for byte", "");
    OKNO_RUN("kpi", "published", "list");
    ends(0, "march", "");
    OKNO_RUN("kpi", DAY, "--as-of", "2026-03-10T23:00:00Z", "--json");
    ends(0, "\"n\":1", "");
    OKNO_RUN("kpi", DAY, "--as-of", "2999-01-01T00:00:00Z");
    ends(2, "", "--as-of is still to come");
    OKNO_RUN("kpi", DAY, "--k", "1.5");
    ends(2, "", "k must be from 0 to 1, not 1.5");
    scratch_db_put(db, "UPDATE published SET figures = replace(figures, 'ann', 'bob')");
    OKNO_RUN("kpi", "published", "verify", "march");
    ends(6, "", "SHA-256");
    OKNO_RUN("kpi", "published", "show", "april");
    ends(3, "", "nothing is published as \"april\"");
    OKNO_RUN("kpi", "published", "shake");
    ends(2, "", "say published list");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(attribution_takes_a_reason_and_can_be_undone),
        CASE(a_rating_is_listed_shown_and_put_into_the_queue),
        CASE(a_period_is_closed_shown_adjusted_and_verified),
        CASE(published_figures_are_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
