#define _POSIX_C_SOURCE 200809L
/* What stands of many decisions: a pure function of their history, compared with a plain reading of
 * it; and the queue, which never asks the same person twice. */
#include "okno/review.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define MINUTE (60 * OKNO_SECOND_US)
static const int64_t start = INT64_C(1773151400000000);

enum { HISTORIES = 60, SURVEYS = 8, PARTS = 5, LOOKS = 2, STEPS = 40 };

/* xorshift64*: the same histories every time. */
static uint64_t chance_state = 88172645463325252u;

static unsigned chance(unsigned below)
{
    chance_state ^= chance_state >> 12;
    chance_state ^= chance_state << 25;
    chance_state ^= chance_state >> 27;
    return (unsigned)((chance_state * 2685821657736338717u) >> 40) % below;
}

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till');"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7)"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, employee,"
        " device_offset_us, device_uncertainty_us)"
        " SELECT 's' || i, 'till', 'mall', 1000 + i, 2000 + i, 'answered', 'no', 'ann', 0, 0 FROM "
        "n;"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'drawn', 0, 1, '{}', 0, 'x');");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static sqlite3 *open_raw(struct scratch_db *f)
{
    char path[80];
    sqlite3 *raw = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    return raw;
}

static void put(sqlite3 *raw, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(raw, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

/* ---- a plain reading ---- */

static const char *const verdicts[] = {"valid", "invalid", "undeterminable", "undone"};

/* One item as it reads row by row; look 1 is a targeted one outside the audit. */
struct reading {
    bool there;
    int64_t id; /* of the decision that stands, 0: none */
    int verdict;
    bool corrected;
};

struct history {
    struct reading item[LOOKS][PARTS];
};

/* Told in words in audit.md and product.md: the third person's ruling stands, an appeal changes it.
 */
static struct reading read_look(const struct history *h, int look, int64_t *ret_settled)
{
    const struct reading *item = h->item[look];
    struct reading none = {0};
    for (int part = PARTS - 1; part >= 2; part--)
        if (item[part].id) {
            *ret_settled = item[part].id;
            return item[part];
        }
    *ret_settled = item[0].id > item[1].id ? item[0].id : item[1].id;
    if (!item[1].there)
        return item[0];
    if (item[0].id && item[1].id && item[0].verdict == item[1].verdict &&
        item[0].corrected == item[1].corrected)
        return item[0];
    *ret_settled = 0;
    return none;
}

static struct reading read_survey(const struct history *h)
{
    struct reading best = {0};
    int64_t best_settled = 0;
    bool best_appeal = false;
    for (int look = 0; look < LOOKS; look++) {
        int64_t settled = 0;
        struct reading one = read_look(h, look, &settled);
        bool appeal = h->item[look][3].id || h->item[look][4].id;
        if (one.id && (!best.id || (appeal && !best_appeal) ||
                       (appeal == best_appeal && settled > best_settled))) {
            best = one;
            best_settled = settled;
            best_appeal = appeal;
        }
    }
    return best;
}

static void make_items(sqlite3 *raw, struct history *h)
{
    char sql[400];
    memset(h, 0, sizeof(*h) * SURVEYS);
    for (int s = 0; s < SURVEYS; s++)
        for (int look = 0; look < LOOKS; look++)
            for (int part = 0; part < PARTS; part++) {
                /* one look may be without a first part: an appeal on what nobody had decided */
                if (part == 0 ? look == 1 && chance(4) == 0 : chance(2) == 0)
                    continue;
                if (part == 2 && !h[s].item[look][1].there)
                    continue;
                if (part == 1 && !h[s].item[look][0].there)
                    continue;
                h[s].item[look][part].there = true;
                (void)snprintf(sql, sizeof(sql),
                               "INSERT INTO review_items (item, audit, survey, place, origin, part,"
                               " state) VALUES (%d, '%s', 's%d', %d, '%s', %d, 'open')",
                               1 + s * 100 + look * 10 + part, look ? "targeted" : "A", s, s,
                               look ? "targeted" : "random", part);
                put(raw, sql);
            }
}

static void make_decision(sqlite3 *raw, struct history *h, int64_t id)
{
    char sql[500];
    unsigned s = chance(SURVEYS);
    unsigned look = chance(LOOKS);
    unsigned part = chance(PARTS);
    unsigned verdict = chance(4);
    bool corrected = verdict == 0 && chance(4) == 0;
    bool counted = chance(5) > 0;
    struct reading *item = &h[s].item[look][part];
    if (!item->there || (verdict == 3 && !item->id))
        return;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO verdicts (id, item, audit, survey, user, at, verdict, correction,"
                   " reasons_version, counted) VALUES (%lld, %u, '%s', 's%u', 'u', 1, '%s', %s, 1,"
                   " %d)",
                   (long long)id, 1 + s * 100 + look * 10 + part, look ? "targeted" : "A", s,
                   verdicts[verdict], corrected ? "'FALSE_FM'" : "NULL", (int)counted);
    put(raw, sql);
    if (!counted)
        return;
    *item = (struct reading){true, verdict == 3 ? 0 : id, (int)verdict, corrected};
}

/* Gold items and calibrations of the same surveys, which must not matter. */
static void make_noise(sqlite3 *raw, int64_t id)
{
    char sql[500];
    unsigned s = chance(SURVEYS);
    bool gold = chance(2) == 0;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO review_items (item, audit, survey, place, origin, reader, state)"
                   " VALUES (%lld, '%s', 's%u', 1, '%s', 'u%lld', 'decided');"
                   "INSERT INTO verdicts (id, item, audit, survey, user, at, verdict,"
                   " reasons_version) VALUES (%lld, %lld, 'x', 's%u', 'u', 1, '%s', 1)",
                   (long long)(5000 + id), gold ? "gold:A" : "calibration:C", s,
                   gold ? "gold" : "calibration", (long long)id, (long long)id,
                   (long long)(5000 + id), s, verdicts[chance(3)]);
    put(raw, sql);
}

static void compare(sqlite3 *raw, const struct history *h, const char *view)
{
    int64_t found[SURVEYS] = {0};
    char words[SURVEYS][20] = {""};
    char sql[200];
    sqlite3_stmt *rows = NULL;
    bool rulings = strcmp(view, "rulings") == 0;
    (void)snprintf(sql, sizeof(sql), "SELECT survey, id, verdict FROM %s%s", view,
                   rulings ? "" : " WHERE audit = 'A'");
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &rows, NULL), SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int s = ((const char *)sqlite3_column_text(rows, 0))[1] - '0';
        assert_int_equal(found[s], 0); /* one row a survey */
        found[s] = sqlite3_column_int64(rows, 1);
        (void)snprintf(words[s], sizeof(words[s]), "%s",
                       (const char *)sqlite3_column_text(rows, 2));
    }
    sqlite3_finalize(rows);
    for (int s = 0; s < SURVEYS; s++) {
        int64_t settled = 0;
        struct reading plain = rulings ? read_survey(&h[s]) : read_look(&h[s], 0, &settled);
        assert_int_equal(found[s], plain.id);
        if (plain.id)
            assert_string_equal(words[s], verdicts[plain.verdict]);
    }
}

static void what_stands_is_what_a_plain_reading_of_the_history_says(void **state)
{
    struct scratch_db *f = *state;
    struct history h[SURVEYS];
    sqlite3 *raw = open_raw(f);
    for (int run = 0; run < HISTORIES; run++) {
        put(raw, "BEGIN; DELETE FROM verdicts; DELETE FROM review_items");
        make_items(raw, h);
        for (int64_t id = 1; id <= STEPS; id++) {
            if (chance(4) == 0)
                make_noise(raw, id);
            else
                make_decision(raw, h, id);
            if (id % 5 == 0) {
                compare(raw, h, "standing");
                compare(raw, h, "rulings");
            }
        }
        put(raw, "COMMIT");
    }
    (void)sqlite3_close(raw);
}

/* ---- the queue ---- */

enum { EXPERTS = 4 };
static const char *const experts[EXPERTS] = {"eva", "ivan", "olga", "petr"};

struct hold {
    int64_t item;
    char lease[OKNO_LEASE_TOKEN];
    char survey[16];
};

static int64_t count(sqlite3 *raw, const char *sql)
{
    sqlite3_stmt *row = NULL;
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

static bool take(struct scratch_db *f, int who, int64_t at, struct hold *hold)
{
    okno_autojson json_t *item = NULL;
    int rc = okno_review_next(f->db, experts[who], "A", 5 * MINUTE, at, &item, &f->err);
    okno_err_clear(&f->err);
    if (rc == OKNO_QUEUE_EMPTY)
        return false;
    assert_int_equal(rc, 0);
    hold->item = json_integer_value(json_object_get(item, "item"));
    (void)snprintf(hold->lease, sizeof(hold->lease), "%s",
                   json_string_value(json_object_get(item, "lease")));
    (void)snprintf(hold->survey, sizeof(hold->survey), "%s",
                   json_string_value(json_object_get(json_object_get(item, "survey"), "id")));
    return true;
}

static void submit(struct scratch_db *f, int who, int64_t at, const struct hold *hold,
                   const char *word)
{
    struct okno_review_verdict v = {.item = hold->item,
                                    .user = experts[who],
                                    .lease = hold->lease,
                                    .verdict = word,
                                    .reason = strcmp(word, "valid") == 0     ? NULL
                                              : strcmp(word, "invalid") == 0 ? "NO_CUSTOMER"
                                                                             : "TOO_DARK"};
    int64_t id = 0;
    bool counted = false;
    assert_int_equal(okno_review_submit(f->db, &v, at, &id, &counted, &f->err), 0);
}

static const char nobody_twice[] =
    "SELECT count(*) FROM (SELECT 1 FROM verdicts v JOIN review_items i ON i.item = v.item"
    " WHERE v.counted = 1 GROUP BY i.audit, i.survey, v.user"
    " HAVING count(DISTINCT i.item) > 1)";
static const char nobody_holds_two[] =
    "SELECT count(*) FROM (SELECT 1 FROM review_items WHERE state = 'open' AND lease_until > %lld"
    " GROUP BY audit, survey, lease_user HAVING count(*) > 1)";

static void make_queue(sqlite3 *raw)
{
    put(raw,
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state)"
        " SELECT abs(random() % 1000000000000), 'A', survey, rowid, 'random', 0, 'open'"
        " FROM surveys;"
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state)"
        " SELECT abs(random() % 1000000000000), audit, survey, place, origin, 1, 'open'"
        " FROM review_items WHERE survey < 's5'");
}

static void no_expert_is_ever_given_the_same_survey_of_an_audit_twice(void **state)
{
    struct scratch_db *f = *state;
    struct hold hold[EXPERTS] = {{0}};
    sqlite3 *raw = open_raw(f);
    int64_t now = start;
    char sql[300];
    make_queue(raw);
    for (int step = 0; step < 1500; step++) {
        int who = (int)chance(EXPERTS);
        unsigned what = chance(20);
        int64_t undone = 0;
        now += (int64_t)chance(40) * OKNO_SECOND_US;
        if (what == 0)
            now += 6 * MINUTE; /* every lease runs out */
        if (what == 1) {
            int rc = okno_review_undo(f->db, experts[who], 5 * MINUTE, now, &undone, &f->err);
            assert_true(rc == 0 || rc == OKNO_NOT_FOUND);
            okno_err_clear(&f->err);
        } else if (what < 4 && hold[who].item) { /* skipped, or submitted though it may be late */
            int rc = okno_review_skip(f->db, hold[who].item, experts[who], hold[who].lease, "later",
                                      now, &f->err);
            assert_true(rc == 0 || rc == OKNO_LEASE_LOST);
            okno_err_clear(&f->err);
        } else if (take(f, who, now, &hold[who])) {
            if (chance(3) > 0)
                submit(f, who, now + (chance(10) == 0 ? 6 * MINUTE : 0), &hold[who],
                       verdicts[chance(3)]);
        }
        assert_int_equal(count(raw, nobody_twice), 0);
        (void)snprintf(sql, sizeof(sql), nobody_holds_two, (long long)now);
        assert_int_equal(count(raw, sql), 0);
    }
    (void)sqlite3_close(raw);
}

static void a_conflict_is_ruled_by_a_third_person_and_the_ruling_stands(void **state)
{
    struct scratch_db *f = *state;
    struct hold eva;
    struct hold ivan;
    struct hold olga;
    struct hold none;
    sqlite3 *raw = open_raw(f);
    put(raw,
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state) VALUES"
        " (11, 'A', 's1', 1, 'random', 0, 'open'), (12, 'A', 's1', 1, 'random', 1, 'open')");
    assert_true(take(f, 0, start, &eva));
    assert_true(take(f, 1, start, &ivan));
    assert_string_equal(eva.survey, ivan.survey);
    assert_int_not_equal(eva.item, ivan.item);
    submit(f, 0, start, &eva, "invalid");
    assert_int_equal(count(raw, "SELECT count(*) FROM rulings"), 0);
    assert_false(take(f, 0, start, &none));
    submit(f, 1, start, &ivan, "valid");
    assert_int_equal(count(raw, "SELECT count(*) FROM rulings"), 0);
    assert_false(take(f, 0, start, &none)); /* who voted does not rule */
    assert_false(take(f, 1, start, &none));
    assert_true(take(f, 2, start, &olga));
    submit(f, 2, start, &olga, "undeterminable");
    assert_int_equal(count(raw,
                           "SELECT count(*) FROM rulings WHERE verdict = 'undeterminable' AND"
                           " user = 'olga'"),
                     1);
    (void)sqlite3_close(raw);
}

static void a_ruling_is_not_asked_for_once_the_two_agree(void **state)
{
    struct scratch_db *f = *state;
    struct hold eva;
    struct hold ivan;
    struct hold none;
    sqlite3 *raw = open_raw(f);
    int64_t item = 0;
    put(raw,
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state) VALUES"
        " (11, 'A', 's1', 1, 'random', 0, 'open'), (12, 'A', 's1', 1, 'random', 1, 'open')");
    assert_true(take(f, 0, start, &eva));
    assert_true(take(f, 1, start, &ivan));
    submit(f, 0, start, &eva, "invalid");
    submit(f, 1, start, &ivan, "valid");
    assert_int_equal(okno_review_undo(f->db, "ivan", MINUTE, start, &item, &f->err), 0);
    assert_int_equal(item, ivan.item);
    assert_false(take(f, 2, start, &none));
    assert_true(take(f, 1, start, &ivan));
    submit(f, 1, start, &ivan, "invalid");
    assert_false(take(f, 2, start, &none));
    assert_int_equal(count(raw, "SELECT count(*) FROM rulings WHERE verdict = 'invalid'"), 1);
    (void)sqlite3_close(raw);
}

/* Neither the answer of the queue nor its counter tells who looks at a survey for the second time.
 */
static void a_second_look_looks_like_a_first(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *first = NULL;
    okno_autojson json_t *second = NULL;
    sqlite3 *raw = open_raw(f);
    put(raw,
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state) VALUES"
        " (11, 'A', 's1', 1, 'random', 0, 'open'), (12, 'A', 's1', 1, 'random', 1, 'open')");
    assert_int_equal(okno_review_next(f->db, "eva", "A", MINUTE, start, &first, &f->err), 0);
    assert_int_equal(okno_review_next(f->db, "ivan", "A", MINUTE, start, &second, &f->err), 0);
    (void)json_object_del(first, "item");
    (void)json_object_del(second, "item");
    (void)json_object_del(first, "lease");
    (void)json_object_del(second, "lease");
    assert_true(json_equal(first, second));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(first, "progress"), "total")), 2);
    (void)sqlite3_close(raw);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_stands_is_what_a_plain_reading_of_the_history_says),
        CASE(no_expert_is_ever_given_the_same_survey_of_an_audit_twice),
        CASE(a_conflict_is_ruled_by_a_third_person_and_the_ruling_stands),
        CASE(a_ruling_is_not_asked_for_once_the_two_agree),
        CASE(a_second_look_looks_like_a_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
