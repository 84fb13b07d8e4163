#define _POSIX_C_SOURCE 200809L
/* Programmes: days by themselves, seeds that nobody can choose, catching up, figures over days. */
#include "okno/programme.h"

#include "../report/bundle.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <sys/stat.h>

/* Noon of the 10th of March 2026, UTC, and days after it. */
#define NOON(day) (INT64_C(1773144000000000) + (day)*OKNO_DAY_US)

struct days {
    struct scratch_db *db;
    struct okno_net *net;
    char *folder;
    char beacon[300];
};

static const struct okno_survey_params params = {0};

/* Forty surveys a day on the 10th, 11th and 13th of March, none on the 12th. */
static int start(void **state)
{
    struct days *d = calloc(1, sizeof(*d));
    const struct okno_net_config config = {.schemes = NULL};
    assert_non_null(d);
    d->db = scratch_db_new();
    d->folder = support_tempdir();
    (void)snprintf(d->beacon, sizeof(d->beacon), "%s/round-{round}", d->folder);
    add_site(d->db);
    scratch_db_put(
        d->db,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)"
        "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at, closes_at,"
        " state, answer, force_majeure, device_offset_us, device_uncertainty_us)"
        "SELECT printf('d.0.%03d', i), 'p', 'mall', 'q', 'office', at, at + 15000000,"
        " 'answered', CASE WHEN i % 4 = 0 THEN 'no' ELSE 'yes' END, 0, 0, 0 FROM"
        " (SELECT i, 1773144000000000 + i % 40 * 60000000"
        "         + CASE i / 40 WHEN 2 THEN 3 ELSE i / 40 END * 86400000000 AS at FROM n)");
    assert_int_equal(okno_net_open(&config, &d->net, &d->db->err), 0);
    *state = d;
    return 0;
}

static int stop(void **state)
{
    struct days *d = *state;
    okno_net_close(d->net);
    support_tempdir_remove(d->folder);
    scratch_db_free(d->db);
    free(d);
    return 0;
}

static struct okno_programme daily(const struct days *d)
{
    return (struct okno_programme){.programme = "daily",
                                   .title = "",
                                   .zone = "UTC",
                                   .from_day = "2026-03-10",
                                   .size = 10,
                                   .after_min = 60,
                                   .accepted = "",
                                   .accepted_fm = "",
                                   .k = 0.5,
                                   .level = 0.95,
                                   .undeterminable_limit = 0.5,
                                   .looks = 1,
                                   .beacon = d->beacon,
                                   .genesis_s = 1773100800, /* midnight of the 10th */
                                   .period_s = 3600,
                                   .expert_hours = 0.1,
                                   .report_to = "",
                                   .report_dir = ""};
}

static void put(struct days *d, const struct okno_programme *programme)
{
    must(d->db, okno_programme_put(d->db->db, programme, "eva", NOON(-1), &d->db->err));
}

/* All that can be done at a moment; returns the steps taken. */
static int work(struct days *d, int64_t now_us, int64_t *ret_next_us)
{
    int steps = 0;
    int64_t next_us = INT64_MAX;
    int rc;
    while ((rc = okno_programme_turn(d->db->db, d->net, &params, now_us, &next_us, &d->db->err)) ==
           1) {
        steps++;
        assert_true(steps < 100);
    }
    must(d->db, rc);
    if (ret_next_us)
        *ret_next_us = next_us;
    return steps;
}

static void put_round(struct days *d, int64_t round, const char *text)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/round-%lld", d->folder, (long long)round);
    okno_autofclose FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) > 0);
}

static const char *state_of(struct days *d, const char *audit)
{
    static char state[20];
    okno_autojson json_t *status = NULL;
    must(d->db, okno_audit_status(d->db->db, audit, &status, &d->db->err));
    (void)snprintf(state, sizeof(state), "%s", json_string_value(json_object_get(status, "state")));
    return state;
}

static int64_t has(struct days *d, const char *sql)
{
    return asked(d->db, sql);
}

#define SEED_JSON                                                                                  \
    "{\"round\":%d,\"randomness\":\""                                                              \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"                               \
    "%02d\"}"

static void a_day_is_pinned_at_its_hour_and_drawn_by_a_later_round(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    int64_t next_us = 0;
    char text[200];
    put(d, &p);
    assert_int_equal(work(d, NOON(0), &next_us), 0);
    assert_int_equal(next_us, NOON(0) + 13 * 3600 * OKNO_SECOND_US); /* 01:00 of the 11th */
    assert_int_equal(work(d, next_us - 1, NULL), 0);
    /* planned, frozen, pinned at 01:00 (hour 25 of the beacon's): round 27 comes at 02:00 */
    int64_t one = next_us;
    assert_int_equal(work(d, one, &next_us), 3);
    assert_string_equal(state_of(d, "daily-20260310"), "checkpointed");
    assert_int_equal(next_us, one + 3600 * OKNO_SECOND_US);
    put_round(d, 26, "a round that somebody could have known\n");
    assert_int_equal(work(d, next_us - 1, NULL), 0);
    (void)snprintf(text, sizeof(text), SEED_JSON, 27, 27);
    put_round(d, 27, text);
    assert_int_equal(work(d, next_us, NULL), 2);
    assert_string_equal(state_of(d, "daily-20260310"), "drawn");
    assert_int_equal(has(d, "SELECT count(*) FROM review_items WHERE audit = 'daily-20260310'"),
                     10);
    assert_int_equal(has(d, "SELECT count(*) FROM audits WHERE seed LIKE '%ee27'"), 1);
    assert_int_equal(
        has(d,
            "SELECT count(*) FROM log_leaves WHERE kind = 'programme' AND line LIKE '%round-{%'"),
        1);
}

static void a_day_that_cannot_go_on_says_why_and_keeps_no_other_waiting(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    char text[200];
    put(d, &p);
    (void)work(d, NOON(1), NULL); /* the 10th is pinned at noon of the 11th: round 38 at 13:00 */
    assert_int_equal(work(d, NOON(1) + 3600 * OKNO_SECOND_US, NULL), 0);
    assert_int_equal(
        has(d,
            "SELECT count(*) FROM programme_days WHERE problem LIKE 'the beacon: cannot open %'"),
        1);
    (void)snprintf(text, sizeof(text), SEED_JSON, 7, 7);
    put_round(d, 38, text); /* tells another round */
    assert_int_equal(work(d, NOON(1) + 4000 * OKNO_SECOND_US, NULL), 0);
    assert_int_equal(has(d,
                         "SELECT count(*) FROM programme_days WHERE problem LIKE '%round 7, not "
                         "38%'"),
                     1);
    (void)work(d, NOON(2), NULL); /* the 11th is pinned meanwhile */
    assert_string_equal(state_of(d, "daily-20260311"), "checkpointed");
    (void)snprintf(text, sizeof(text), SEED_JSON, 38, 38);
    put_round(d, 38, text);
    (void)work(d, NOON(2) + 600 * OKNO_SECOND_US, NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "drawn");
    assert_int_equal(has(d, "SELECT count(*) FROM programme_days WHERE problem <> ''"), 0);
}

/* Frozen by the settings of the moment: the reason may come when the level is seen. */
static void a_day_of_too_much_force_majeure_waits_until_somebody_accepts_it(void **state)
{
    struct days *d = *state;
    struct okno_programme programme = daily(d);
    programme.fm_threshold = 0.1;
    put(d, &programme);
    scratch_db_put(d->db,
                   "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
                   "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds)"
                   "SELECT 'd.0.9' || i, 'p', 'mall', 1773144000000000 + i, 1773144600000000, 1"
                   " FROM n");
    (void)work(d, NOON(2), NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "planned");
    assert_string_equal(state_of(d, "daily-20260311"), "checkpointed");
    assert_int_equal(has(d,
                         "SELECT count(*) FROM programme_days WHERE problem LIKE"
                         " '%force majeure level%0.250, above 0.100%'"),
                     1);
    programme.accepted_fm = "the street was dug up";
    put(d, &programme);
    (void)work(d, NOON(2) + 600 * OKNO_SECOND_US, NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "checkpointed");
    assert_int_equal(has(d,
                         "SELECT count(*) FROM audit_steps WHERE audit = 'daily-20260310' AND"
                         " step = 'freeze' AND detail LIKE '%the street was dug up%'"),
                     1);
}

static void decide_day_as(struct days *d, const char *audit, const char *who)
{
    okno_autojson json_t *item = NULL;
    int rc;
    int number = 0;
    while ((rc = okno_review_next(d->db->db, who, audit, 600000000, NOON(10) + number, &item,
                                  &d->db->err)) == 0) {
        okno_autojson json_t *watched = json_pack("[s]", WATCHED);
        int64_t id = 0;
        bool counted = false;
        struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                        .user = who,
                                        .lease = json_string_value(json_object_get(item, "lease")),
                                        .watched = watched,
                                        .verdict = number % 5 == 1 ? "invalid" : "valid",
                                        .reason = number % 5 == 1 ? "STAFF_PRESSED" : NULL,
                                        .comment = ""};
        must(d->db,
             okno_review_submit(d->db->db, &v, NOON(10) + number + 1, &id, &counted, &d->db->err));
        json_decref(item);
        item = NULL;
        number += 2;
    }
    assert_int_equal(rc, OKNO_QUEUE_EMPTY);
    okno_err_clear(&d->db->err);
}

static void decide_day(struct days *d, const char *audit)
{
    decide_day_as(d, audit, "eva");
}

static void after_downtime_the_days_follow_in_order_and_none_twice(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    okno_autojson json_t *figures = NULL;
    put(d, &p);
    for (int round = 1; round < 200; round++) {
        char text[200];
        (void)snprintf(text, sizeof(text), SEED_JSON, round, round % 100);
        put_round(d, round, text);
    }
    (void)work(d, NOON(4), NULL); /* four days at once; the 14th is not over */
    assert_int_equal(has(d, "SELECT count(*) FROM programme_days"), 4);
    (void)work(d, NOON(4) + 2 * 3600 * OKNO_SECOND_US, NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "drawn");
    assert_string_equal(state_of(d, "daily-20260312"), "abandoned"); /* nobody came */
    assert_string_equal(state_of(d, "daily-20260313"), "drawn");
    assert_int_equal(work(d, NOON(4) + 3 * 3600 * OKNO_SECOND_US, NULL), 0);
    assert_int_equal(has(d, "SELECT count(*) FROM audit_steps WHERE step = 'draw'"), 3);
    decide_day(d, "daily-20260310");
    decide_day(d, "daily-20260311");
    decide_day(d, "daily-20260313");
    assert_int_equal(work(d, NOON(4) + 4 * 3600 * OKNO_SECOND_US, NULL), 3);
    assert_string_equal(state_of(d, "daily-20260311"), "closed");
    must(d->db, okno_programme_figures(d->db->db, "daily", NULL, NULL, &figures, &d->db->err));
    assert_int_equal(json_integer_value(json_object_get(figures, "days")), 3);
    const json_t *ink = json_object_get(json_object_get(figures, "indicators"), "ink_office");
    assert_int_equal(json_integer_value(json_object_get(ink, "frame")), 120);
    assert_int_equal(json_integer_value(json_object_get(ink, "valid")) +
                         json_integer_value(json_object_get(ink, "invalid")),
                     30);
    double value = json_number_value(json_object_get(ink, "value"));
    assert_true(json_number_value(json_object_get(ink, "low")) < value && value > 0.1 &&
                value < 0.4);
    json_decref(figures);
    must(d->db, okno_programme_figures(d->db->db, "daily", "2026-03-11", "2026-03-12", &figures,
                                       &d->db->err));
    assert_int_equal(json_integer_value(json_object_get(figures, "days")), 1);
}

static void people_commit_before_the_checkpoint_and_reveal_after_it(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    struct scratch_db *f = d->db;
    static const char *const secrets[] = {"ann-secret-1", "bob-secret-2"};
    static const char *const people[] = {"ann", "bob"};
    p.beacon = NULL;
    p.people = "ann, bob";
    put(d, &p);
    (void)work(d, NOON(1), NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "frozen");
    assert_int_equal(has(d,
                         "SELECT count(*) FROM programme_days WHERE problem LIKE 'waits for "
                         "everybody%'"),
                     1);
    for (size_t i = 0; i < 2; i++) {
        uint8_t digest[OKNO_SHA256_BYTES];
        char hex[OKNO_SHA256_TEXT];
        okno_hash_bytes(secrets[i], strlen(secrets[i]), digest);
        must(f, okno_programme_commit(f->db, "daily", "2026-03-10", people[i],
                                      okno_hash_hex(digest, hex), NOON(1), &f->err));
        must_fail(
            f,
            okno_programme_commit(f->db, "daily", "2026-03-10", people[i], hex, NOON(1), &f->err),
            OKNO_CONFLICT, "is bound for 2026-03-10 already");
    }
    must_fail(
        f, okno_programme_reveal(f->db, "daily", "2026-03-10", "ann", secrets[0], NOON(1), &f->err),
        OKNO_OUT_OF_ORDER, "between its checkpoint and its seed");
    (void)work(d, NOON(1) + 400 * OKNO_SECOND_US, NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "checkpointed");
    must_fail(
        f,
        okno_programme_reveal(f->db, "daily", "2026-03-10", "ann", "another-one", NOON(1), &f->err),
        OKNO_CHECK_FAILED, "not the secret that ann promised");
    must_fail(
        f,
        okno_programme_commit(f->db, "daily", "2026-03-10", "eve",
                              "0000000000000000000000000000000000000000000000000000000000000000",
                              NOON(1), &f->err),
        OKNO_INVALID, "eve is not among the people");
    must(f,
         okno_programme_reveal(f->db, "daily", "2026-03-10", "ann", secrets[0], NOON(1), &f->err));
    assert_int_equal(work(d, NOON(1) + 500 * OKNO_SECOND_US, NULL), 0);
    assert_int_equal(has(d,
                         "SELECT count(*) FROM programme_days WHERE problem LIKE 'waits for bob"
                         " to reveal%'"),
                     1);
    must(f,
         okno_programme_reveal(f->db, "daily", "2026-03-10", "bob", secrets[1], NOON(1), &f->err));
    assert_int_equal(work(d, NOON(1) + 600 * OKNO_SECOND_US, NULL), 2);
    /* printf 'ann-secret-1\nbob-secret-2\n' | sha256sum */
    uint8_t digest[OKNO_SHA256_BYTES];
    char hex[OKNO_SHA256_TEXT];
    char sql[200];
    okno_hash_bytes("ann-secret-1\nbob-secret-2\n", 26, digest);
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM audits WHERE seed = '%s'",
                   okno_hash_hex(digest, hex));
    assert_int_equal(has(d, sql), 1);
    assert_int_equal(has(d, "SELECT count(*) FROM log_leaves WHERE kind = 'commitment'"), 2);
}

/* As if its zone had gone from the system's tables. */
static void a_programme_that_cannot_begin_a_day_keeps_no_other_waiting(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    int64_t next_us = INT64_MAX;
    p.programme = "another";
    put(d, &p);
    scratch_db_put(d->db,
                   "INSERT INTO programmes (programme, at, author, paused, settings)"
                   " SELECT programme, at + 1, author, paused,"
                   " replace(settings, '\"UTC\"', '\"Nowhere/Nobody\"') FROM programmes");
    p = daily(d);
    put(d, &p);
    int rc = 1;
    for (int steps = 0; rc == 1 && steps < 100; steps++)
        rc = okno_programme_turn(d->db->db, d->net, &params, NOON(1), &next_us, &d->db->err);
    assert_string_equal(state_of(d, "daily-20260310"), "checkpointed");
    assert_true(rc < 0);
    assert_non_null(strstr(d->db->err.text, "another"));
    okno_err_clear(&d->db->err);
}

static void a_day_with_looks_left_has_a_reserve_fetched_and_takes_a_round(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    okno_autojson json_t *one = NULL;
    okno_autojson json_t *two = NULL;
    int64_t size = 0;
    put(d, &p);
    p.programme = "wider";
    p.looks = 2;
    p.double_share = 0.5;
    put(d, &p);
    for (int round = 1; round < 300; round++) {
        char text[200];
        (void)snprintf(text, sizeof(text), SEED_JSON, round, round);
        put_round(d, round, text);
    }
    (void)work(d, NOON(1), NULL);
    (void)work(d, NOON(1) + 2 * 3600 * OKNO_SECOND_US, NULL);
    assert_int_equal(has(d, "SELECT count(*) FROM jobs WHERE kind = 'clip' AND class = 2"), 10);
    decide_day(d, "daily-20260310");
    decide_day(d, "wider-20260310");
    decide_day_as(d, "wider-20260310", "ann");
    decide_day_as(d, "wider-20260310", "bob"); /* where these two differ */
    (void)work(d, NOON(11), NULL);
    assert_string_equal(state_of(d, "daily-20260310"), "closed");
    assert_string_equal(state_of(d, "wider-20260310"), "drawn"); /* a round may follow for a day */
    must(d->db,
         okno_audit_extend(d->db->db, "wider-20260310", 10, "eva", NOON(11), &size, &d->db->err));
    assert_int_equal(size, 10);
    assert_int_equal(has(d,
                         "SELECT count(*) FROM jobs WHERE kind = 'clip' AND audit ="
                         " 'wider-20260310'"),
                     20);
    decide_day(d, "wider-20260310");
    decide_day_as(d, "wider-20260310", "ann");
    decide_day_as(d, "wider-20260310", "bob"); /* where these two differ */
    must(d->db, okno_programme_status(d->db->db, "wider", 99, &one, &d->db->err));
    const json_t *days = json_object_get(one, "days");
    const json_t *day = json_array_get(days, json_array_size(days) - 1);
    assert_string_equal(json_string_value(json_object_get(day, "day")), "2026-03-10");
    assert_int_equal(json_integer_value(json_object_get(day, "sample")), 20);
    assert_int_equal(json_integer_value(json_object_get(day, "reviewed")), 20);
    json_decref(one);
    one = NULL;
    (void)work(d, NOON(11), NULL); /* no round is left */
    assert_string_equal(state_of(d, "wider-20260310"), "closed");
    (void)work(d, NOON(11) + 3 * 3600 * OKNO_SECOND_US, NULL);
    decide_day(d, "wider-20260311");
    decide_day_as(d, "wider-20260311", "ann");
    decide_day_as(d, "wider-20260311", "bob");
    (void)work(d, NOON(11) - 1, NULL);
    assert_string_equal(state_of(d, "wider-20260311"), "drawn");
    (void)work(d, NOON(11) + 3600 * OKNO_SECOND_US, NULL); /* nobody wanted a round */
    assert_string_equal(state_of(d, "wider-20260311"), "closed");
    must(d->db, okno_programme_figures(d->db->db, "daily", NULL, "2026-03-10", &one, &d->db->err));
    must(d->db, okno_programme_figures(d->db->db, "wider", NULL, "2026-03-10", &two, &d->db->err));
    assert_int_equal(json_integer_value(json_object_get(one, "looks")), 1);
    assert_int_equal(json_integer_value(json_object_get(two, "looks")), 2);
}

static void days_of_figures_are_dates(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    json_t *figures = NULL;
    put(d, &p);
    must_fail(d->db,
              okno_programme_figures(d->db->db, "daily", "yesterday", NULL, &figures, &d->db->err),
              OKNO_INVALID, "yesterday");
    must_fail(d->db,
              okno_programme_figures(d->db->db, "daily", NULL, "2026-02-30", &figures, &d->db->err),
              OKNO_INVALID, "2026-02-30");
    must_fail(d->db,
              okno_programme_figures(d->db->db, "daily", "2026-03-12", "2026-03-11", &figures,
                                     &d->db->err),
              OKNO_INVALID, "to 2026-03-11 lies before from 2026-03-12");
    must_fail(d->db,
              okno_programme_figures(d->db->db, "daily", "2026-03-12", "2026-03-12", &figures,
                                     &d->db->err),
              OKNO_NOT_FOUND, "has drawn no day");
}

static void capacity_and_pause_are_told(void **state)
{
    struct days *d = *state;
    struct okno_programme p = daily(d);
    okno_autojson json_t *status = NULL;
    put(d, &p);
    must(d->db, okno_programme_status(d->db->db, "daily", 10, &status, &d->db->err));
    const json_t *capacity = json_object_get(status, "capacity");
    assert_int_equal(json_integer_value(json_object_get(capacity, "items_a_day")), 10);
    assert_int_equal(json_integer_value(json_object_get(capacity, "seconds_an_item")), 60);
    assert_true(json_is_false(json_object_get(capacity, "enough"))); /* 10 minutes of 6 */
    must(d->db, okno_programme_pause(d->db->db, "daily", true, "eva", NOON(0), &d->db->err));
    assert_int_equal(work(d, NOON(4), NULL), 0);
    put(d, &p); /* a next version does not resume it */
    assert_int_equal(work(d, NOON(4), NULL), 0);
    must(d->db, okno_programme_pause(d->db->db, "daily", false, "eva", NOON(4), &d->db->err));
    assert_true(work(d, NOON(4), NULL) > 3);
}

static void a_programme_out_of_bounds_is_refused_by_field(void **state)
{
    struct days *d = *state;
    struct okno_programme bad[15];
    static const char *const fields[] = {
        "programme",   "beacon",     "beacon", "beacon", "period", "size",  "after",
        "people",      "report-dir", "k",      "level",  "double", "looks", "undeterminable-limit",
        "fm-threshold"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        bad[i] = daily(d);
    bad[0].programme = "a b";
    bad[1].beacon = NULL;
    bad[2].beacon = "/tmp/always-the-same";
    bad[3].people = "ann";
    bad[4].period_s = 0;
    bad[5].size = 0;
    bad[6].after_min = 2000;
    bad[7].beacon = NULL;
    bad[7].people = "a,b,c,d,e,f,g,h,i";
    bad[8].report_dir = "reports";
    bad[9].k = 2;
    bad[10].level = 95;
    bad[11].double_share = -1;
    bad[12].looks = 0;
    bad[13].undeterminable_limit = 50;
    bad[14].fm_threshold = 10;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        assert_int_equal(okno_programme_put(d->db->db, &bad[i], "eva", NOON(0), &d->db->err),
                         OKNO_INVALID);
        assert_string_equal(d->db->err.field, fields[i]);
        okno_err_clear(&d->db->err);
    }
}

#define DAY_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DAY_TEST(a_day_is_pinned_at_its_hour_and_drawn_by_a_later_round),
        DAY_TEST(a_day_that_cannot_go_on_says_why_and_keeps_no_other_waiting),
        DAY_TEST(a_day_of_too_much_force_majeure_waits_until_somebody_accepts_it),
        DAY_TEST(after_downtime_the_days_follow_in_order_and_none_twice),
        DAY_TEST(people_commit_before_the_checkpoint_and_reveal_after_it),
        DAY_TEST(a_programme_that_cannot_begin_a_day_keeps_no_other_waiting),
        DAY_TEST(a_day_with_looks_left_has_a_reserve_fetched_and_takes_a_round),
        DAY_TEST(days_of_figures_are_dates),
        DAY_TEST(capacity_and_pause_are_told),
        DAY_TEST(a_programme_out_of_bounds_is_refused_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
