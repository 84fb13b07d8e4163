#define _POSIX_C_SOURCE 200809L
/* The queue and the verdicts over a database in a temporary directory; facts of other rooms are
 * written straight into their tables. */
#include "okno/review.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define MINUTE (60 * OKNO_SECOND_US)
static const int64_t now = INT64_C(1773151400000000);

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', "
        "'Europe/Moscow');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till-1', 'mall', 'Till 1');"
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
        " VALUES (1, 'q1', 'till-1', 0, 'personnel', 'Did {employee} help you?', 15000000);"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, "
        "answered_at, question, employee, device_offset_us, device_uncertainty_us) VALUES"
        " ('b.0.1', 'till-1', 'mall', 1773151000000000, 1773151015000000, 'answered', 'no',"
        "  1773151004000000, 'q1', 'ann', 0, 0),"
        " ('b.0.2', 'till-1', 'mall', 1773151100000000, 1773151115000000, 'silent', NULL, NULL, "
        "'q1',"
        "  'ann', 0, 0);"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from,"
        " asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests,"
        " bytes_read, software, made_at) VALUES"
        " ('b.0.1', 'clip', 'aa', 1, 'video/mp4', 'h264', 'c', 1, 2, 3, 4, NULL, 0, 0, '[]', 1, 1,"
        "  't', 1), ('b.0.2', 'still', 'bb', 1, 'image/jpeg', 'mjpeg', 'c', 1, 2, 3, 4, 5, 0, 0,"
        "  '[]', 1, 1, 't', 1);"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'drawn', 0, 1, '{}', 0, 'x');"
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'A', 'b.0.1', 1, 'random', 'open'), (2, 'A', 'b.0.2', 2, 'random', 'open');");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static json_t *next_item(struct scratch_db *f, const char *user, int64_t at)
{
    json_t *item = NULL;
    assert_int_equal(okno_review_next(f->db, user, "A", 5 * MINUTE, at, &item, &f->err), 0);
    return item;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int64_t int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Lease the next item and decide it. */
static int64_t decide(struct scratch_db *f, const char *user, const char *word, const char *reason)
{
    okno_autojson json_t *item = next_item(f, user, now);
    struct okno_review_verdict v = {.item = int_of(item, "item"),
                                    .user = user,
                                    .lease = text_of(item, "lease"),
                                    .verdict = word,
                                    .reason = reason};
    int64_t id = 0;
    bool counted = false;
    assert_int_equal(okno_review_submit(f->db, &v, now, &id, &counted, &f->err), 0);
    assert_true(counted);
    return v.item;
}

static void two_experts_never_hold_the_same_item(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *first = next_item(f, "eva", now);
    okno_autojson json_t *second = next_item(f, "ivan", now);
    assert_int_equal(int_of(first, "item"), 1);
    assert_int_equal(int_of(second, "item"), 2);
    json_t *none = NULL;
    assert_int_equal(okno_review_next(f->db, "olga", NULL, MINUTE, now, &none, &f->err),
                     OKNO_QUEUE_EMPTY);
}

static void asking_again_gives_the_item_that_is_held(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *first = next_item(f, "eva", now);
    okno_autojson json_t *again = next_item(f, "eva", now + MINUTE);
    assert_int_equal(int_of(first, "item"), int_of(again, "item"));
}

static void an_expired_lease_returns_the_item_to_its_place(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *first = next_item(f, "eva", now);
    okno_autojson json_t *other = next_item(f, "ivan", now + 5 * MINUTE);
    assert_int_equal(int_of(first, "item"), int_of(other, "item"));
}

static void a_heartbeat_keeps_the_lease_until_it_is_too_late(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    const char *lease = text_of(item, "lease");
    int64_t until = 0;
    assert_int_equal(okno_review_heartbeat(f->db, 1, "eva", lease, 5 * MINUTE, now + 4 * MINUTE,
                                           &until, &f->err),
                     0);
    assert_int_equal(until, now + 9 * MINUTE);
    assert_int_equal(okno_review_heartbeat(f->db, 1, "ivan", lease, 5 * MINUTE, now, &until, NULL),
                     OKNO_LEASE_LOST);
    assert_int_equal(
        okno_review_heartbeat(f->db, 1, "eva", lease, 5 * MINUTE, now + 9 * MINUTE, &until, NULL),
        OKNO_LEASE_LOST);
}

static void the_item_is_blind(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    okno_autofree char *text = json_dumps(item, 0);
    json_t *survey = json_object_get(item, "survey");
    assert_string_equal(text_of(survey, "id"), "b.0.1");
    assert_string_equal(text_of(survey, "answered_at"), "2026-03-10T13:56:44.000Z");
    assert_null(json_object_get(survey, "answer"));
    assert_null(strstr(text, "ann"));
    assert_string_equal(text_of(survey, "question"), "Did … help you?");
    assert_string_equal(text_of(json_object_get(item, "clip"), "url"), "/api/v1/evidence/aa.mp4");
    assert_true(json_is_null(json_object_get(item, "still")));
    json_t *neighbour = json_array_get(json_object_get(item, "neighbours"), 0);
    assert_string_equal(text_of(neighbour, "place"), "after");
}

static void a_programme_may_show_the_answer(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f, "UPDATE audits SET plan = '{\"show_answer\":true}'");
    okno_autojson json_t *item = next_item(f, "eva", now);
    assert_string_equal(text_of(json_object_get(item, "survey"), "answer"), "no");
}

static void a_late_verdict_is_kept_but_not_counted(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    struct okno_review_verdict v = {
        .item = 1, .user = "eva", .lease = text_of(item, "lease"), .verdict = "valid"};
    int64_t id = 0;
    bool counted = true;
    assert_int_equal(okno_review_submit(f->db, &v, now + 5 * MINUTE, &id, &counted, &f->err), 0);
    assert_false(counted);
    assert_true(id > 0);
    okno_autojson json_t *again = next_item(f, "ivan", now + 6 * MINUTE);
    assert_int_equal(int_of(again, "item"), 1);
}

static void a_late_verdict_is_kept_even_when_another_holds_the_item_now(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    okno_autojson json_t *again = next_item(f, "ivan", now + 6 * MINUTE);
    assert_int_equal(int_of(again, "item"), 1);
    struct okno_review_verdict v = {
        .item = 1, .user = "eva", .lease = text_of(item, "lease"), .verdict = "valid"};
    int64_t id = 0;
    bool counted = true;
    assert_int_equal(okno_review_submit(f->db, &v, now + 7 * MINUTE, &id, &counted, &f->err), 0);
    assert_false(counted);
}

static void who_never_held_an_item_leaves_no_verdict_on_it(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    const char *lease = text_of(item, "lease");
    const struct okno_review_verdict cases[] = {
        {.item = 1, .user = "ivan", .lease = lease, .verdict = "valid"},
        {.item = 2, .user = "eva", .lease = lease, .verdict = "valid"},
        {.item = 2, .user = "eva", .lease = "00000000000000000000000000000000", .verdict = "valid"},
        {.item = 2, .user = "eva", .lease = "", .verdict = "valid"},
        {.item = 2, .user = "eva", .lease = NULL, .verdict = "valid"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t id = 0;
        bool counted = false;
        assert_int_equal(okno_review_submit(f->db, &cases[i], now, &id, &counted, &f->err),
                         OKNO_LEASE_LOST);
    }
    for (int64_t item_id = 1; item_id <= 2; item_id++) {
        int64_t newest = 0;
        assert_int_equal(OKNO_DB_INT(f->db, "review.newest_verdict_id", -1, &newest, &f->err,
                                     OKNO_INT("item", item_id),
                                     OKNO_TEXT("user", item_id == 1 ? "ivan" : "eva")),
                         0);
        assert_int_equal(newest, -1);
    }
}

static void a_repeated_submit_is_one_verdict(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    struct okno_review_verdict v = {.item = 1,
                                    .user = "eva",
                                    .lease = text_of(item, "lease"),
                                    .verdict = "invalid",
                                    .reason = "STAFF_PRESSED"};
    int64_t first = 0;
    int64_t second = 0;
    bool counted = false;
    assert_int_equal(okno_review_submit(f->db, &v, now, &first, &counted, &f->err), 0);
    assert_int_equal(okno_review_submit(f->db, &v, now + 20 * MINUTE, &second, &counted, &f->err),
                     0);
    assert_true(counted);
    assert_int_equal(first, second);
    v.reason = "NO_CUSTOMER";
    assert_int_equal(okno_review_submit(f->db, &v, now, &second, &counted, &f->err), 0);
    assert_false(counted);
    assert_int_not_equal(first, second);
}

static void a_verdict_against_the_rules_names_the_field(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *list = json_array();
    okno_autojson json_t *item = next_item(f, "eva", now);
    char long_comment[5000];
    memset(long_comment, 'x', sizeof(long_comment) - 1);
    long_comment[sizeof(long_comment) - 1] = '\0';
    const char *lease = text_of(item, "lease");
    const struct {
        struct okno_review_verdict v;
        const char *field;
    } cases[] = {
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "perhaps"}, "verdict"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = NULL}, "verdict"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "invalid"}, "reason"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "invalid", .reason = "EXPIRED"},
         "reason"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "invalid", .reason = "OTHER"},
         "comment"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "valid", .comment = long_comment},
         "comment"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "valid", .correction = "X"},
         "correction"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "valid", .checklist = list},
         "checklist"},
        {{.item = 1, .user = "eva", .lease = lease, .verdict = "valid", .played_s = -1},
         "played_s"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct okno_err err = {0};
        int64_t id = 0;
        bool counted = false;
        assert_true(okno_review_submit(f->db, &cases[i].v, now, &id, &counted, &err) < 0);
        assert_string_equal(err.field, cases[i].field);
    }
}

static void undo_supersedes_and_gives_the_item_back(void **state)
{
    struct scratch_db *f = *state;
    int64_t first = decide(f, "eva", "invalid", "NO_CUSTOMER");
    int64_t second = decide(f, "eva", "valid", NULL);
    int64_t item = 0;
    assert_int_equal(okno_review_undo(f->db, "eva", MINUTE, now, &item, &f->err), 0);
    assert_int_equal(item, second);
    assert_int_equal(okno_review_undo(f->db, "eva", MINUTE, now, &item, &f->err), 0);
    assert_int_equal(item, first);
    assert_int_equal(okno_review_undo(f->db, "eva", MINUTE, now, &item, NULL), OKNO_NOT_FOUND);
    int64_t reviewed = -1;
    int64_t total = -1;
    assert_int_equal(okno_review_progress(f->db, "A", &reviewed, &total, &f->err), 0);
    assert_int_equal(reviewed, 0);
    assert_int_equal(total, 2);
}

static void nothing_is_undone_in_a_closed_audit(void **state)
{
    struct scratch_db *f = *state;
    (void)decide(f, "eva", "valid", NULL);
    scratch_db_put(f, "UPDATE audits SET state = 'closed'");
    int64_t item = 0;
    assert_int_equal(okno_review_undo(f->db, "eva", MINUTE, now, &item, NULL), OKNO_NOT_FOUND);
}

static void a_closed_audit_takes_no_verdict_and_hands_out_nothing(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    scratch_db_put(f, "UPDATE audits SET state = 'closed'");
    struct okno_review_verdict v = {
        .item = 1, .user = "eva", .lease = text_of(item, "lease"), .verdict = "valid"};
    int64_t id = 0;
    bool counted = true;
    assert_int_equal(okno_review_submit(f->db, &v, now, &id, &counted, &f->err), 0);
    assert_false(counted);
    json_t *none = NULL;
    assert_int_equal(okno_review_next(f->db, "eva", NULL, MINUTE, now, &none, &f->err),
                     OKNO_QUEUE_EMPTY);
    assert_int_equal(okno_review_next(f->db, "ivan", "A", MINUTE, now, &none, &f->err),
                     OKNO_QUEUE_EMPTY);
}

static void a_skipped_item_comes_last_for_who_skipped_it(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *item = next_item(f, "eva", now);
    const char *lease = text_of(item, "lease");
    assert_int_equal(okno_review_skip(f->db, 1, "eva", lease, "", now, NULL), OKNO_MISSING);
    assert_int_equal(okno_review_skip(f->db, 1, "eva", lease, "I know her", now, &f->err), 0);
    assert_int_equal(okno_review_skip(f->db, 1, "eva", lease, "again", now, NULL), OKNO_LEASE_LOST);
    okno_autojson json_t *mine = next_item(f, "eva", now);
    okno_autojson json_t *theirs = next_item(f, "ivan", now);
    assert_int_equal(int_of(mine, "item"), 2);
    assert_int_equal(int_of(theirs, "item"), 1);
}

static void what_is_still_being_fetched_comes_last(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at) VALUES"
                   " ('clip', 'b.0.1', 1, 'waiting', 0, 0)");
    okno_autojson json_t *item = next_item(f, "eva", now);
    assert_int_equal(int_of(item, "item"), 2);
}

static void a_second_opinion_is_another_persons_not_another_logins(void **state)
{
    struct scratch_db *f = *state;
    json_t *none = NULL;
    scratch_db_put(f,
                   "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
                   " ('eva', 'expert', 'x', 'eve', 0), ('eva2', 'expert', 'x', 'eve', 0),"
                   " ('ivan', 'expert', 'x', NULL, 0), ('olga', 'expert', 'x', NULL, 0);"
                   "UPDATE review_items SET state = 'decided' WHERE item = 2;"
                   "INSERT INTO review_items (item, audit, survey, place, part, origin, state)"
                   " VALUES (3, 'A', 'b.0.1', 1, 1, 'random', 'open')");
    okno_autojson json_t *held = next_item(f, "eva", now);
    assert_int_equal(int_of(held, "item"), 1);
    assert_int_equal(okno_review_next(f->db, "eva2", "A", MINUTE, now, &none, &f->err),
                     OKNO_QUEUE_EMPTY); /* while the first is held */
    assert_int_equal(decide(f, "eva", "valid", NULL), 1);
    assert_int_equal(okno_review_next(f->db, "eva2", "A", MINUTE, now, &none, &f->err),
                     OKNO_QUEUE_EMPTY);
    okno_autojson json_t *second = next_item(f, "ivan", now);
    assert_int_equal(int_of(second, "item"), 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_second_opinion_is_another_persons_not_another_logins),
        CASE(two_experts_never_hold_the_same_item),
        CASE(asking_again_gives_the_item_that_is_held),
        CASE(an_expired_lease_returns_the_item_to_its_place),
        CASE(a_heartbeat_keeps_the_lease_until_it_is_too_late),
        CASE(the_item_is_blind),
        CASE(a_programme_may_show_the_answer),
        CASE(a_late_verdict_is_kept_but_not_counted),
        CASE(a_late_verdict_is_kept_even_when_another_holds_the_item_now),
        CASE(who_never_held_an_item_leaves_no_verdict_on_it),
        CASE(a_repeated_submit_is_one_verdict),
        CASE(a_verdict_against_the_rules_names_the_field),
        CASE(undo_supersedes_and_gives_the_item_back),
        CASE(nothing_is_undone_in_a_closed_audit),
        CASE(a_closed_audit_takes_no_verdict_and_hands_out_nothing),
        CASE(a_skipped_item_comes_last_for_who_skipped_it),
        CASE(what_is_still_being_fetched_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
