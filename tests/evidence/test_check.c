#define _GNU_SOURCE
/* okno check as an administrator runs it, over a store with real evidence. */
#include "shop.h"

#include "../audit/run_okno.h"

#include <time.h>

static struct ran ran;

#define CHECK(shop, ...) RUN_OKNO(&ran, "", "--data", (shop)->db->dir, "check", __VA_ARGS__)

static int setup(void **state)
{
    struct shop *shop = shop_new(NULL);
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "clip");
    (void)fetch_well(shop, "d.0.1", "still");
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

static const char *path_of_kind(struct shop *shop, const char *kind)
{
    static char path[300];
    char sql[100];
    (void)snprintf(sql, sizeof(sql), "SELECT sha256 FROM evidence WHERE kind = '%s'", kind);
    assert_int_equal(
        okno_evidence_path(shop->db->dir, text_of(shop, sql), path, sizeof(path), &shop->err), 0);
    return path;
}

static void a_right_store_is_told_with_its_numbers(void **state)
{
    CHECK((struct shop *)*state, "--json");
    ends(0, "\"ok\":true", "");
    ends(0, "\"rows\":4", "");
    ends(0, "\"files\":4", "");
    ends(0, "\"findings\":[]", "");
}

static void a_missing_file_fails_the_check(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(unlink(path_of_kind(shop, "clip")), 0);
    CHECK(shop, "--json");
    ends(6, "\"kind\":\"missing\"", "do not agree");
    ends(6, "clip of survey d.0.1", "");
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "check");
    ends(6, "error    missing", "");
}

static void one_changed_byte_fails_the_check_and_repair_leaves_it(void **state)
{
    struct shop *shop = *state;
    const char *path = path_of_kind(shop, "still");
    assert_int_equal(chmod(path, 0600), 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
    CHECK(shop, "--repair", "--json");
    ends(6, "\"kind\":\"damaged\"", "");
    ends(6, "still of survey d.0.1: its SHA-256 is", "");
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(truncate(path, 10), 0);
    CHECK(shop, "--json");
    ends(6, "10 bytes, its row says", "");
}

static void put_stray(struct shop *shop, const char *name, int64_t age_s)
{
    char folder[300];
    (void)snprintf(folder, sizeof(folder), "%s/evidence", shop->db->dir);
    support_file(folder, name, 50, okno_time_now() - age_s * OKNO_SECOND_US);
}

static bool stray_is_there(struct shop *shop, const char *name)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/evidence/%s", shop->db->dir, name);
    return access(path, F_OK) == 0;
}

#define OLD "ab/ab00000000000000000000000000000000000000000000000000000000000000"
#define YOUNG "ab/ab11111111111111111111111111111111111111111111111111111111111111"
#define NOTES "ab/notes.txt"
#define ELSEWHERE "ab/cd00000000000000000000000000000000000000000000000000000000000000"

static void repair_removes_old_strays_named_by_a_hash_and_nothing_else(void **state)
{
    struct shop *shop = *state;
    put_stray(shop, OLD, 7200);
    put_stray(shop, YOUNG, 60);
    put_stray(shop, NOTES, 7200);
    put_stray(shop, ELSEWHERE, 7200);
    put_stray(shop, "letter", 7200);
    CHECK(shop, "--json");
    ends(0, "\"stray\":1", "");
    ends(0, "\"foreign\":3", "");
    assert_true(stray_is_there(shop, OLD));
    CHECK(shop, "--repair", "--json");
    ends(0, "\"removed\":1", "");
    assert_false(stray_is_there(shop, OLD));
    assert_true(stray_is_there(shop, YOUNG));
    assert_true(stray_is_there(shop, NOTES));
    assert_true(stray_is_there(shop, ELSEWHERE));
    assert_true(stray_is_there(shop, "letter"));
    CHECK(shop, "--json");
    ends(0, "\"files\":4", "");
}

static void a_link_that_contradicts_its_evidence_fails_the_check(void **state)
{
    struct shop *shop = *state;
    put(shop, "UPDATE links SET state = 'no_recording'");
    CHECK(shop, "--json");
    ends(6, "it has evidence, but its link is no_recording", "");
    put(shop, "UPDATE links SET state = 'linked', camera = NULL");
    CHECK(shop, "--json");
    ends(6, "names no camera", "");
    put(shop, "DELETE FROM links");
    CHECK(shop, "--json");
    ends(6, "it has evidence, but no link", "");
}

static void a_damaged_database_fails_the_check(void **state)
{
    struct shop *shop = *state;
    scratch_db_put(shop->db,
                   "PRAGMA foreign_keys = OFF;"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (99, 's', 's', 'UTC')");
    CHECK(shop, "--json");
    ends(6, "\"kind\":\"database\"", "");
}

static void wrong_usage_says_what_is_right(void **state)
{
    struct shop *shop = *state;
    CHECK(shop, "everything");
    ends(2, "", "check takes no arguments");
    CHECK(shop, "--help");
    ends(0, "example: okno", "");
    RUN_OKNO(&ran, "", "--data", "/nowhere", "check");
    ends(3, "", "okno --data /nowhere init");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_right_store_is_told_with_its_numbers),
        CASE(a_missing_file_fails_the_check),
        CASE(one_changed_byte_fails_the_check_and_repair_leaves_it),
        CASE(repair_removes_old_strays_named_by_a_hash_and_nothing_else),
        CASE(a_link_that_contradicts_its_evidence_fails_the_check),
        CASE(a_damaged_database_fails_the_check),
        CASE(wrong_usage_says_what_is_right),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
