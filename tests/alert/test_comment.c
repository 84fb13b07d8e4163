/* Comments on negative ratings: who waits, what is said, how soon. */
#define _XOPEN_SOURCE 700
#include "okno/alert.h"
#include "okno/comment.h"
#include "okno/ledger.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define S OKNO_SECOND_US
#define NOW (INT64_C(1800000000) * S)

static int setup(void **state)
{
    struct scratch_db *s = scratch_db_new();
    scratch_db_put(s,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES "
                   "(1, 0, 'test', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES "
                   "(1, 'S1', 'First', 'UTC'), (1, 'S2', 'Second', 'UTC');"
                   "INSERT INTO points (import, point, site, name) VALUES "
                   "(1, 'P1', 'S1', 'Till 1'), (1, 'P3', 'S2', 'T');");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void put_no(struct scratch_db *s, const char *id, const char *point, int64_t at_us,
                   const char *employee)
{
    char sql[700];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, "
                   "answered_at, employee, device_offset_us, device_uncertainty_us) VALUES ('%s', "
                   "'%s', '%s', %lld, %lld, 'answered', 'no', %lld, nullif('%s', ''), 0, 0)",
                   id, point, strcmp(point, "P3") == 0 ? "S2" : "S1", (long long)at_us,
                   (long long)(at_us + 15 * S), (long long)at_us, employee);
    scratch_db_put(s, sql);
}

static int say(struct scratch_db *s, const char *rating, const char *text, const char *tag,
               int64_t at_us)
{
    int64_t id = 0;
    const char *tags[] = {tag};
    struct okno_comment comment = {.rating = rating,
                                   .user = "anna",
                                   .text = text,
                                   .tags = tags,
                                   .tag_count = tag != NULL,
                                   .at_us = at_us};
    s->err = (struct okno_err){0};
    return okno_comment_add(s->db, &comment, &id, &s->err);
}

/* The ids of the list, one space between, in a static buffer. */
static const char *ids(struct scratch_db *s, const struct okno_negative_filter *filter)
{
    static char text[600];
    okno_autojson json_t *page = NULL;
    size_t i;
    const json_t *one;
    text[0] = '\0';
    assert_int_equal(okno_negative_list(s->db, filter, &page, &s->err), 0);
    json_array_foreach(json_object_get(page, "negatives"), i, one)
    {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
                       json_string_value(json_object_get(one, "rating")));
    }
    return text;
}

static void a_rating_stays_on_the_list_until_somebody_comments(void **state)
{
    struct scratch_db *s = *state;
    struct okno_negative_filter open = OKNO_NEGATIVE_FILTER_ALL;
    open.commented = 0;
    put_no(s, "D1.0.1", "P1", NOW, "");
    put_no(s, "D1.0.2", "P1", NOW + S, "");
    assert_string_equal(ids(s, &open), "D1.0.2 D1.0.1");
    assert_int_equal(say(s, "D1.0.1", "called back", NULL, NOW + 60 * S), 0);
    assert_string_equal(ids(s, &open), "D1.0.2");
    open.commented = 1;
    assert_string_equal(ids(s, &open), "D1.0.1");
    assert_int_equal(say(s, "D1.0.1", "and again", "QUEUE", NOW + 90 * S), 0);
    okno_autojson json_t *list = NULL;
    assert_int_equal(okno_comment_list(s->db, "D1.0.1", &list, &s->err), 0);
    assert_int_equal(json_array_size(list), 2);
}

static void a_comment_closes_the_alert_of_its_rating(void **state)
{
    struct scratch_db *s = *state;
    struct okno_alert_refreshed counts;
    okno_autojson json_t *alert = NULL;
    put_no(s, "D1.0.1", "P1", NOW, "");
    assert_int_equal(okno_alert_refresh(s->db, NOW, 1, false, &counts, &s->err), 0);
    assert_int_equal(say(s, "D1.0.1", "called back", NULL, NOW + 60 * S), 0);
    assert_int_equal(okno_alert_get(s->db, 1, &alert, &s->err), 0);
    assert_string_equal(json_string_value(json_object_get(alert, "closed_why")), "commented");
}

static void what_does_not_count_needs_no_comment(void **state)
{
    struct scratch_db *s = *state;
    struct okno_negative_filter all = OKNO_NEGATIVE_FILTER_ALL;
    put_no(s, "D1.0.1", "P1", NOW, "");
    put_no(s, "D1.0.2", "P1", NOW + S, "");
    scratch_db_put(s,
                   "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES "
                   "('D1.0.1', 1, 0, 'a', 'b', 'test');"
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES "
                   "(1, 'A', 'D1.0.2', 1, 'random', 'decided');"
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, "
                   "reasons_version) VALUES (1, 'A', 'D1.0.2', 'e', 1, 'invalid', 'COACHED', 1)");
    assert_string_equal(ids(s, &all), "");
    assert_int_equal(say(s, "D1.0.1", "x", NULL, NOW), OKNO_NOT_FOUND);
}

static void a_comment_that_says_nothing_or_the_impossible_is_refused(void **state)
{
    struct scratch_db *s = *state;
    put_no(s, "D1.0.1", "P1", NOW, "");
    assert_int_equal(say(s, "D1.0.1", " \n ", NULL, NOW), OKNO_MISSING);
    assert_int_equal(say(s, "D1.0.1", "", "NO_SUCH_TAG", NOW), OKNO_INVALID);
    assert_string_equal(s->err.field, "tags");
    assert_int_equal(say(s, "D1.0.1", "a\x01", NULL, NOW), OKNO_INVALID);
    assert_int_equal(say(s, "D9.9.9", "hello", NULL, NOW), OKNO_NOT_FOUND);
    assert_int_equal(say(s, "D1.0.1", "", "QUEUE", NOW), 0); /* a tag alone says something */
}

static void comments_cannot_be_changed_or_removed(void **state)
{
    struct scratch_db *s = *state;
    char path[100];
    sqlite3 *sqlite = NULL;
    put_no(s, "D1.0.1", "P1", NOW, "");
    assert_int_equal(say(s, "D1.0.1", "called back", NULL, NOW), 0);
    (void)snprintf(path, sizeof(path), "%s/okno.db", s->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(sqlite, "UPDATE comments SET text = 'x'", 0, 0, 0),
                         SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(sqlite, "DELETE FROM comments", 0, 0, 0), SQLITE_OK);
    (void)sqlite3_close(sqlite);
}

static void the_log_holds_hashes_of_a_comment_and_nothing_in_clear(void **state)
{
    struct scratch_db *s = *state;
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(10000);
    int64_t leaf = 0;
    char salt[OKNO_SALT_TEXT];
    char key[OKNO_SHA256_TEXT];
    char hash[OKNO_SHA256_TEXT];
    put_no(s, "D1.0.1", "P1", NOW, "E-7");
    assert_int_equal(say(s, "D1.0.1", "Boris was rude", "ATTITUDE", NOW), 0);
    assert_int_equal(okno_ledger_find(s->db, "comment", 1, &leaf, &s->err), 0);
    assert_int_equal(okno_ledger_line(s->db, leaf, &line, &s->err), 0);
    static const char *const hidden[] = {"Boris", "rude", "anna", "D1.0.1", "E-7"};
    for (size_t i = 0; i < OKNO_COUNT(hidden); i++)
        assert_null(strstr(okno_buf_text(&line), hidden[i]));
    assert_int_equal(okno_ledger_salt_of(s->db, leaf, salt, &s->err), 0);
    assert_non_null(
        strstr(okno_buf_text(&line), okno_ledger_hide(okno_ledger_salt_for(salt, "comment", key),
                                                      "Boris was rude", hash)));
}

static void staff_see_their_own_and_nobodys_while_they_were_on_shift(void **state)
{
    struct scratch_db *s = *state;
    char sql[200];
    struct okno_negative_filter mine = OKNO_NEGATIVE_FILTER_ALL;
    mine.employee = "E1";
    put_no(s, "D1.0.1", "P1", NOW, "E1");
    put_no(s, "D1.0.2", "P1", NOW + S, "E2");
    put_no(s, "D1.0.3", "P1", NOW + 2 * S, "");
    put_no(s, "D1.0.4", "P1", NOW + 7200 * S, "");
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES "
                   "(1, 'E1', 'P1', %lld, %lld)",
                   (long long)(NOW - S), (long long)(NOW + 3600 * S));
    scratch_db_put(s, sql);
    assert_string_equal(ids(s, &mine), "D1.0.3 D1.0.1");
}

static void pages_follow_each_other_without_a_gap(void **state)
{
    struct scratch_db *s = *state;
    struct okno_negative_filter filter = OKNO_NEGATIVE_FILTER_ALL;
    char id[24];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof(id), "D1.0.%d", i);
        put_no(s, id, "P1", NOW + (i / 2) * S, ""); /* pairs of one moment */
    }
    char all[200] = "";
    char cursor[100] = "";
    filter.limit = 2;
    for (int i = 0; i < 3; i++) {
        okno_autojson json_t *page = NULL;
        filter.before = *cursor ? cursor : NULL;
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", ids(s, &filter));
        assert_int_equal(okno_negative_list(s->db, &filter, &page, &s->err), 0);
        const char *next = json_string_value(json_object_get(page, "next"));
        (void)snprintf(cursor, sizeof(cursor), "%s", next ? next : "");
        assert_int_equal(!next, i == 2);
    }
    assert_string_equal(all, "D1.0.4 D1.0.3 D1.0.2 D1.0.1 D1.0.0 ");
}

static json_int_t figure(const json_t *site, const char *name)
{
    return json_integer_value(json_object_get(site, name));
}

static void reaction_is_told_by_site_as_median_and_ninth_of_ten(void **state)
{
    struct scratch_db *s = *state;
    struct okno_negative_filter filter = OKNO_NEGATIVE_FILTER_ALL;
    okno_autojson json_t *all = NULL;
    char id[24];
    for (int i = 1; i <= 10; i++) {
        (void)snprintf(id, sizeof(id), "D1.0.%d", i);
        put_no(s, id, "P1", NOW, "");
        assert_int_equal(say(s, id, "x", i <= 3 ? "QUEUE" : NULL, NOW + i * 60 * S), 0);
    }
    put_no(s, "D1.0.11", "P1", NOW, "");
    put_no(s, "D3.0.1", "P3", NOW, "");
    assert_int_equal(okno_reaction(s->db, &filter, &all, &s->err), 0);
    const json_t *sites = json_object_get(all, "sites");
    assert_int_equal(json_array_size(sites), 2);
    const json_t *first = json_array_get(sites, 0);
    assert_int_equal(figure(first, "negatives"), 11);
    assert_int_equal(figure(first, "commented"), 10);
    assert_int_equal(figure(first, "median_s"), 300);
    assert_int_equal(figure(first, "p90_s"), 540);
    assert_true(json_is_null(json_object_get(json_array_get(sites, 1), "median_s")));
    const json_t *tag = json_array_get(json_object_get(all, "tags"), 0);
    assert_string_equal(json_string_value(json_object_get(tag, "tag")), "QUEUE");
    assert_int_equal(figure(tag, "count"), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rating_stays_on_the_list_until_somebody_comments),
        TEST(a_comment_closes_the_alert_of_its_rating),
        TEST(what_does_not_count_needs_no_comment),
        TEST(a_comment_that_says_nothing_or_the_impossible_is_refused),
        TEST(comments_cannot_be_changed_or_removed),
        TEST(the_log_holds_hashes_of_a_comment_and_nothing_in_clear),
        TEST(staff_see_their_own_and_nobodys_while_they_were_on_shift),
        TEST(pages_follow_each_other_without_a_gap),
        TEST(reaction_is_told_by_site_as_median_and_ninth_of_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
