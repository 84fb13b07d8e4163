#define _POSIX_C_SOURCE 200809L
/* Random afternoons of two points through the database: events, pairings, clocks, questions and
 * shifts shuffled, repeated and split into batches, with a refresh after each, give the same
 * surveys as all at once; and so does making everything anew. OKNO_ROUNDS=N for more, OKNO_SEED=N
 * for others. */
#include "okno/buf.h"
#include "okno/hours.h"
#include "okno/survey.h"
#include "okno/time.h"
#include "store.h"

#include <inttypes.h>

#define T0 INT64_C(1773144000000000) /* 2026-03-10T12:00:00Z */
#define SECONDS(s) ((int64_t)(s)*OKNO_SECOND_US)
#define NOW (T0 + SECONDS(4000))

enum { EVENTS_MAX = 50, FACTS_MAX = 16, ROUNDS = 400 };

static uint64_t seed_state;

/* splitmix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
 */
static int64_t below(int64_t limit)
{
    uint64_t z = seed_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ z >> 31) % (uint64_t)limit);
}

static int64_t number_of(const char *variable, int64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

struct afternoon {
    struct okno_event events[EVENTS_MAX];
    size_t event_count;
    char facts[FACTS_MAX][256]; /* rows of the registry, in any order */
    size_t fact_count;
};

static const char *const devices[] = {"b1", "p1", "b2", "p2"};

static int64_t random_pause(void)
{
    static const int64_t borders[] = {0, 1, 2, 2, 5, 15, 15, 30, 45, 60, 120, 600, 14, 3, 4, 90};
    int64_t pause = SECONDS(borders[below(16)]) + below(3) - 1;
    return below(3) == 0 ? below(SECONDS(20)) : pause < 0 ? 0 : pause;
}

static void make_events(struct afternoon *day)
{
    static const char *const kinds[] = {"press", "press", "press", "yes",    "yes",  "yes",
                                        "no",    "no",    "hold",  "unsure", "alive"};
    int64_t at = T0;
    day->event_count = (size_t)below(EVENTS_MAX);
    for (size_t i = 0; i < day->event_count; i++) {
        const char *kind = kinds[below(11)];
        bool button = strcmp(kind, "press") == 0 || strcmp(kind, "hold") == 0;
        at += random_pause();
        day->events[i] =
            (struct okno_event){.device = devices[2 * below(2) + (below(15) ? !button : button)],
                                .boot = below(2),
                                .seq = (int64_t)i,
                                .kind = kind,
                                .duration_ms = OKNO_EVENT_NO_DURATION,
                                .at_us = at + (below(40) ? 0 : 3 * OKNO_DAY_US),
                                .channel = below(25) ? NULL : "qr"};
    }
}

__attribute__((format(printf, 2, 3))) static void add_fact(struct afternoon *day,
                                                           const char *format, ...)
{
    va_list args;
    assert_true(day->fact_count < FACTS_MAX);
    va_start(args, format);
    (void)vsnprintf(day->facts[day->fact_count++], sizeof(day->facts[0]), format, args);
    va_end(args);
}

static void make_facts(struct afternoon *day)
{
#define PAIRING "INSERT INTO devices (import, device, point, valid_from, role, test) VALUES "
    add_fact(day, PAIRING "(1, 'b1', 'p1', 0, 'button', 0)");
    add_fact(day, PAIRING "(1, 'p1', 'p1', 0, 'panel', 0)");
    add_fact(day, PAIRING "(1, 'b2', 'p2', 0, 'both', %d)", below(4) == 0);
    if (below(2))
        add_fact(day, PAIRING "(1, 'p2', 'p%d', %" PRId64 ", 'panel', 0)", 1 + (int)below(2),
                 T0 + below(SECONDS(900)));
    if (below(2)) /* moved during the afternoon */
        add_fact(day, PAIRING "(1, '%s', 'p%d', %" PRId64 ", 'both', 0)", devices[below(4)],
                 1 + (int)below(2), T0 + below(SECONDS(2000)));
    for (int64_t i = below(4); i-- > 0;)
        add_fact(day,
                 "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, step) VALUES"
                 " (1, 'device:%s', %" PRId64 ", %" PRId64 ", 1000, %d)",
                 devices[below(4)], T0 + i * SECONDS(600) + below(SECONDS(500)),
                 below(5) ? below(SECONDS(60)) - SECONDS(30) : 3 * OKNO_DAY_US, (int)below(2));
    for (int64_t i = below(3); i-- > 0;)
        add_fact(
            day,
            "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
            " VALUES (1, 'q%d', 'p%d', %" PRId64 ", 'office', '?', %" PRId64 ")",
            (int)i, 1 + (int)below(2), T0 + below(SECONDS(900)), SECONDS(5 + below(30)));
    for (int64_t i = below(3); i-- > 0;) {
        int64_t from = T0 + below(SECONDS(1500));
        add_fact(day,
                 "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
                 " (1, 'e%d', 'p%d', %" PRId64 ", %" PRId64 ")",
                 (int)i, 1 + (int)below(2), from, from + below(SECONDS(1500)) + 1);
    }
}

static void forget_all(struct store *store)
{
    put(store,
        "DELETE FROM events; DELETE FROM device_runs; DELETE FROM devices; DELETE FROM clocks;"
        "DELETE FROM questions; DELETE FROM shifts; DELETE FROM surveys; DELETE FROM spontaneous;"
        "DELETE FROM force_majeure; DELETE FROM survey_history; DELETE FROM survey_dirty_devices;"
        "DELETE FROM survey_dirty_spans; DELETE FROM survey_stale; DELETE FROM survey_heard;"
        "DELETE FROM survey_seen;");
}

static struct okno_survey_refreshed refresh_at(struct store *store, int64_t now_us)
{
    struct okno_survey_refreshed counts = {0};
    struct okno_err err = {0};
    const struct okno_survey_params params = okno_survey_params_default();
    if (okno_survey_refresh(store->db, &params, now_us, &counts, &err) != 0)
        fail_msg("%s", err.text);
    return counts;
}

static void send(struct store *store, const struct okno_event *event)
{
    const struct okno_event_receipt receipt = {.at_us = NOW};
    enum okno_event_stored stored;
    struct okno_err err = {0};
    if (okno_event_store(store->db, event, &receipt, &stored, &err) != 0)
        fail_msg("%s", err.text);
}

static void begin(struct store *store)
{
    struct okno_err err = {0};
    assert_int_equal(okno_db_begin(store->db, &err), 0);
}

static void commit(struct store *store)
{
    struct okno_err err = {0};
    assert_int_equal(okno_db_commit(store->db, &err), 0);
}

static void all_at_once(struct store *store, const struct afternoon *day)
{
    for (size_t i = 0; i < day->fact_count; i++)
        put(store, day->facts[i]);
    begin(store);
    for (size_t i = 0; i < day->event_count; i++)
        send(store, &day->events[i]);
    commit(store);
    (void)refresh_at(store, NOW);
}

/* Devices must be known before their events: one pairing of each comes first. */
static void bit_by_bit(struct store *store, const struct afternoon *day)
{
    size_t order[EVENTS_MAX + FACTS_MAX + EVENTS_MAX];
    size_t count = 0;
    for (size_t i = 3; i < day->fact_count; i++)
        order[count++] = EVENTS_MAX + i;
    for (size_t i = 0; i < day->event_count; i++) {
        order[count++] = i;
        if (below(3) == 0)
            order[count++] = i; /* told twice */
    }
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)below((int64_t)i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < 3; i++)
        put(store, day->facts[i]);
    put(store,
        "INSERT INTO tokens (token_hash, role, device, created_at) VALUES"
        " ('x', 'device', 'p2', 0) ON CONFLICT DO NOTHING");
    for (size_t i = 0; i < count; i++) {
        if (order[i] >= EVENTS_MAX) {
            put(store, day->facts[order[i] - EVENTS_MAX]);
        } else {
            begin(store);
            do
                send(store, &day->events[order[i]]);
            while (below(3) && i + 1 < count && order[i + 1] < EVENTS_MAX && i++ < count);
            commit(store);
        }
        if (below(4) == 0)
            (void)refresh_at(store, below(2) ? NOW : T0 + below(SECONDS(4000)));
    }
    (void)refresh_at(store, NOW);
}

static void print_table(struct store *store, const char *sql, struct okno_buf *text)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(store->raw, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(store->raw));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *value = (const char *)sqlite3_column_text(stmt, i);
            assert_int_equal(okno_buf_printf(text, NULL, "%s ", value ? value : "-"), 0);
        }
        assert_int_equal(okno_buf_add_text(text, "\n", NULL), 0);
    }
    (void)sqlite3_finalize(stmt);
}

static void print_all(struct store *store, struct okno_buf *text)
{
    print_table(store,
                "SELECT survey, point, site, employee, question, question_kind, channel,"
                " opened_at - 1773144000000000, closes_at - 1773144000000000, state, answer,"
                " answered_at - 1773144000000000, extra_answers, late_answers, force_majeure, test,"
                " auto_void, '[' || flags || ']', device_offset_us, device_uncertainty_us"
                " FROM surveys ORDER BY opened_at, survey",
                text);
    print_table(store,
                "SELECT rating, point, site, answer, at, channel, test, device_offset_us,"
                " device_uncertainty_us FROM spontaneous ORDER BY at, rating",
                text);
    print_table(store,
                "SELECT situation, point, site, first_at, until_at, holds, hold_after_no FROM"
                " force_majeure ORDER BY first_at, situation",
                text);
}

/* Names the first line that differs. */
static void assert_same(const char *got, const char *expected, int64_t seed, int variant)
{
    while (*got || *expected) {
        size_t got_len = strcspn(got, "\n");
        size_t expected_len = strcspn(expected, "\n");
        if (got_len != expected_len || memcmp(got, expected, got_len) != 0)
            fail_msg("OKNO_SEED=%" PRId64 " variant %d:\n%.*s\nbut at once:\n%.*s", seed, variant,
                     (int)got_len, got, (int)expected_len, expected);
        got += got_len + (got[got_len] == '\n');
        expected += expected_len + (expected[expected_len] == '\n');
    }
}

static void whatever_the_order_the_surveys_are_the_same(void **state)
{
    struct store *store = *state;
    int64_t seed = number_of("OKNO_SEED", 20260310);
    int64_t rounds = number_of("OKNO_ROUNDS", ROUNDS);
    size_t seen = 0;
    for (int64_t round = 0; round < rounds; round++) {
        struct afternoon day = {0};
        OKNO_AUTO_BUF expected = OKNO_BUF_INIT(1 << 20);
        seed_state = (uint64_t)(seed + round);
        make_facts(&day);
        make_events(&day);
        forget_all(store);
        put(store,
            "INSERT INTO tokens (token_hash, role, device, created_at) VALUES"
            " ('x', 'device', 'p2', 0) ON CONFLICT DO NOTHING");
        all_at_once(store, &day);
        print_all(store, &expected);
        for (int variant = 0; variant < 2; variant++) {
            OKNO_AUTO_BUF got = OKNO_BUF_INIT(1 << 20);
            forget_all(store);
            bit_by_bit(store, &day);
            print_all(store, &got);
            assert_same(okno_buf_text(&got), okno_buf_text(&expected), seed + round, variant);
        }
        put(store, "DELETE FROM survey_seen");
        struct okno_survey_refreshed anew = refresh_at(store, NOW);
        if (anew.written)
            fail_msg("OKNO_SEED=%" PRId64 ": making all anew wrote %" PRId64 " rows", seed + round,
                     anew.written);
        assert_string_equal(get(store,
                                "SELECT (SELECT count(*) FROM survey_dirty_spans)"
                                " + (SELECT count(*) FROM survey_stale)"),
                            "0");
        seen += expected.len;
    }
    print_message("%" PRId64 " afternoons, two ways each, from OKNO_SEED=%" PRId64 "\n", rounds,
                  seed);
    assert_true(seen > (size_t)rounds * 500); /* the afternoons were not empty */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_the_order_the_surveys_are_the_same, store_open,
                                        store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
