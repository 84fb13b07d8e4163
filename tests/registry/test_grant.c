/* Rights by site. */
#define _XOPEN_SOURCE 700
#include "okno/grant.h"

#include "../support/scratch_db.h"

#include <string.h>

static int setup(void **state)
{
    struct scratch_db *s = scratch_db_new();
    scratch_db_put(s,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES "
                   "(1, 0, 'test', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone, site_group) VALUES "
                   "(1, 'S1', 'First', 'UTC', 'North'), (1, 'S2', 'Second', 'UTC', 'North'),"
                   "(1, 'S3', 'Third', 'UTC', '');"
                   "INSERT INTO users (user, name, role, password_hash, language, created_at) "
                   "VALUES ('m', '', 'manager', 'x', '', 0)");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static int grant(struct scratch_db *s, const char *scope, bool granted)
{
    s->err = (struct okno_err){0};
    return okno_grant_set(s->db, "m", scope, granted, "admin", 1, &s->err);
}

static void sees(struct scratch_db *s, const char *role, const char *expected)
{
    okno_autofree char *sites = NULL;
    assert_int_equal(okno_grant_sites(s->db, "m", role, &sites, &s->err), 0);
    if (expected)
        assert_string_equal(sites, expected);
    else
        assert_null(sites);
}

static void without_a_grant_a_manager_sees_nothing(void **state)
{
    sees(*state, "manager", "[]");
    sees(*state, "staff", "[]");
}

static void some_roles_need_none(void **state)
{
    sees(*state, "administrator", NULL);
    sees(*state, "auditor", NULL);
    sees(*state, "expert", NULL);
}

static void sites_and_groups_add_up_and_can_be_taken_back(void **state)
{
    struct scratch_db *s = *state;
    assert_int_equal(grant(s, "site:S3", true), 0);
    sees(s, "manager", "[\"S3\"]");
    assert_int_equal(grant(s, "group:North", true), 0);
    sees(s, "manager", "[\"S1\",\"S2\",\"S3\"]");
    assert_int_equal(grant(s, "site:S3", false), 0);
    sees(s, "manager", "[\"S1\",\"S2\"]");
    assert_int_equal(grant(s, "site:S3", true), 0); /* and given again */
    assert_int_equal(grant(s, "all", true), 0);
    sees(s, "manager", NULL);
    assert_int_equal(grant(s, "all", false), 0);
    sees(s, "manager", "[\"S1\",\"S2\",\"S3\"]");
}

static void a_site_that_leaves_its_group_leaves_the_grant(void **state)
{
    struct scratch_db *s = *state;
    assert_int_equal(grant(s, "group:North", true), 0);
    scratch_db_put(s,
                   "INSERT INTO sites (import, site, name, time_zone, site_group) VALUES "
                   "(1, 'S2', 'Second', 'UTC', 'South')");
    sees(s, "manager", "[\"S1\"]");
}

static void a_group_carries_rights_on_the_days_of_it_only(void **state)
{
    struct scratch_db *s = *state;
    assert_int_equal(grant(s, "group:North", true), 0);
    scratch_db_put(
        s, /* planned; and a correction of long ago: neither changes today */
        "INSERT INTO sites (import, site, name, time_zone, site_group, hours_from) VALUES "
        "(1, 'S2', 'Second', 'UTC', 'North', '2020-01-01'),"
        "(1, 'S2', 'Second', 'UTC', 'South', date('now', '+30 days')),"
        "(1, 'S2', 'Second', 'UTC', 'South', '2019-01-01')");
    sees(s, "manager", "[\"S1\",\"S2\"]");
    scratch_db_put(
        s,
        "INSERT INTO sites (import, site, name, time_zone, site_group, hours_from) VALUES "
        "(1, 'S2', 'Second', 'UTC', 'South', date('now', '-1 day'))");
    sees(s, "manager", "[\"S1\"]");
}

static void what_cannot_be_granted_is_refused(void **state)
{
    struct scratch_db *s = *state;
    assert_int_equal(grant(s, "site:S9", true), OKNO_UNKNOWN_REF);
    assert_int_equal(grant(s, "group:", true), OKNO_INVALID);
    assert_int_equal(grant(s, "town:X", true), OKNO_INVALID);
    assert_int_equal(grant(s, "site:S1", false), OKNO_REFUSED);
    assert_int_equal(okno_grant_set(s->db, "nobody", "all", true, "a", 1, &(struct okno_err){0}),
                     OKNO_NOT_FOUND);
}

static void giving_twice_adds_one_row(void **state)
{
    struct scratch_db *s = *state;
    OKNO_AUTO_VEC(okno_grant_vec) grants = {0};
    assert_int_equal(grant(s, "site:S1", true), 0);
    assert_int_equal(grant(s, "site:S1", true), 0);
    assert_int_equal(okno_grant_list(s->db, NULL, &grants, &s->err), 0);
    assert_int_equal(grants.len, 1);
    assert_string_equal(grants.items[0].author, "admin");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_grant_a_manager_sees_nothing),
        TEST(some_roles_need_none),
        TEST(sites_and_groups_add_up_and_can_be_taken_back),
        TEST(a_site_that_leaves_its_group_leaves_the_grant),
        TEST(a_group_carries_rights_on_the_days_of_it_only),
        TEST(what_cannot_be_granted_is_refused),
        TEST(giving_twice_adds_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
