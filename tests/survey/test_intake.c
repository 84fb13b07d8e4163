#define _POSIX_C_SOURCE 200809L
/* Intake of events: what is stored, what is refused, and that the first stays. */
#include "okno/event.h"
#include "store.h"

static struct okno_event some_event(void)
{
    return (struct okno_event){
        .device = "d1", .seq = 1, .kind = "press", .duration_ms = -1, .at_us = 1773144000000000};
}

/* Store it; 0 or the code, and the stored kind of result in *stored. */
static int store(struct store *db, const struct okno_event *event, enum okno_event_stored *stored,
                 struct okno_err *err)
{
    const struct okno_event_receipt receipt = {.at_us = 1773144001000000};
    return okno_event_store(db->db, event, &receipt, stored, err);
}

static void assert_stores(struct store *db, const struct okno_event *event,
                          enum okno_event_stored expected)
{
    struct okno_err err = {0};
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    assert_int_equal(store(db, event, &stored, &err), 0);
    assert_int_equal(stored, expected);
}

static void assert_refuses(struct store *db, const struct okno_event *event, int code,
                           const char *field, const char *part)
{
    struct okno_err err = {0};
    enum okno_event_stored stored = OKNO_EVENT_DUPLICATE;
    assert_int_equal(store(db, event, &stored, &err), code);
    assert_int_equal(stored, OKNO_EVENT_DUPLICATE);
    assert_string_equal(err.field, field);
    assert_non_null(strstr(err.text, part));
}

static void the_same_event_again_is_a_duplicate(void **state)
{
    struct okno_event event = some_event();
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
    assert_stores(*state, &event, OKNO_EVENT_DUPLICATE);
    event.kind = NULL;
    event.duration_ms = 400;
    event.seq = 2;
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
    event.kind = "press";
    assert_stores(*state, &event, OKNO_EVENT_DUPLICATE);
    assert_string_equal(get(*state, "SELECT count(*) FROM events"), "2");
}

static void other_content_of_an_identity_is_a_conflict_and_the_first_stays(void **state)
{
    struct okno_event event = some_event();
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
    struct okno_event other = event;
    other.kind = "hold";
    assert_refuses(*state, &other, OKNO_CONFLICT, "", "event d1.0.1 is already stored as press");
    other = event;
    other.at_us++;
    assert_refuses(*state, &other, OKNO_CONFLICT, "", "the first stays");
    other = event;
    other.duration_ms = 500;
    assert_refuses(*state, &other, OKNO_CONFLICT, "", "other content");
    other = event;
    other.channel = "qr";
    assert_refuses(*state, &other, OKNO_CONFLICT, "", "other content");
    assert_stores(*state, &event, OKNO_EVENT_DUPLICATE);
    other.boot = 1; /* another identity */
    assert_stores(*state, &other, OKNO_EVENT_ADDED);
}

static void a_duration_tells_bounce_press_and_hold_apart(void **state)
{
    (void)state;
    const struct {
        int64_t duration_ms;
        enum okno_event_kind kind;
    } cases[] = {{0, OKNO_EVENT_BOUNCE},  {29, OKNO_EVENT_BOUNCE}, {30, OKNO_EVENT_PRESS},
                 {999, OKNO_EVENT_PRESS}, {1000, OKNO_EVENT_HOLD}, {86400000, OKNO_EVENT_HOLD}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum okno_event_kind kind = OKNO_EVENT_ALIVE;
        assert_int_equal(okno_event_classify(NULL, cases[i].duration_ms, &kind, NULL), 0);
        assert_int_equal(kind, cases[i].kind);
    }
}

static void a_kind_that_its_duration_belies_is_refused(void **state)
{
    struct okno_event event = some_event();
    event.duration_ms = 1000;
    assert_refuses(*state, &event, OKNO_INVALID, "kind", "does not fit a duration of 1000 ms");
    event.duration_ms = 29;
    assert_refuses(*state, &event, OKNO_INVALID, "kind", "under 30 ms is a bounce");
    event.kind = "hold";
    event.duration_ms = 999;
    assert_refuses(*state, &event, OKNO_INVALID, "kind", "999 ms");
    event.kind = "yes"; /* a panel's key may tell any duration */
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
}

static void values_out_of_range_are_refused_by_name(void **state)
{
    struct okno_event event = some_event();
    event.seq = -1;
    assert_refuses(*state, &event, OKNO_INVALID, "seq", "seq -1: allowed are 0..9007199254740991");
    event = some_event();
    event.boot = OKNO_EVENT_NUMBER_MAX + 1;
    assert_refuses(*state, &event, OKNO_INVALID, "boot", "9007199254740992");
    event = some_event();
    event.kind = NULL;
    assert_refuses(*state, &event, OKNO_MISSING, "kind", "a kind or a duration_ms");
    event.duration_ms = 86400001;
    assert_refuses(*state, &event, OKNO_INVALID, "duration_ms", "86400001");
    event = some_event();
    event.kind = "bounce";
    assert_refuses(*state, &event, OKNO_INVALID, "kind", "give no kind");
    event.kind = "PRESS";
    assert_refuses(*state, &event, OKNO_INVALID, "kind", "allowed are press");
    event = some_event();
    event.at_us = -1;
    assert_refuses(*state, &event, OKNO_INVALID, "time", "1970");
    event = some_event();
    event.device = "d 1";
    assert_refuses(*state, &event, OKNO_INVALID, "device", "\"d 1\"");
    event = some_event();
    event.channel = "";
    assert_refuses(*state, &event, OKNO_INVALID, "channel", "1..64");
    assert_string_equal(get(*state, "SELECT count(*) FROM events"), "0");
}

static void the_greatest_numbers_are_stored(void **state)
{
    struct okno_event event = some_event();
    event.seq = event.boot = OKNO_EVENT_NUMBER_MAX;
    event.at_us = INT64_C(253402300799999999);
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
    assert_stores(*state, &event, OKNO_EVENT_DUPLICATE);
}

static void a_device_nobody_knows_is_refused(void **state)
{
    struct okno_event event = some_event();
    event.device = "d9";
    assert_refuses(*state, &event, OKNO_UNKNOWN_REF, "device", "\"d9\" is not known");
}

static void a_new_event_marks_its_device_and_a_repeated_one_does_not(void **state)
{
    struct okno_event event = some_event();
    assert_stores(*state, &event, OKNO_EVENT_ADDED);
    assert_string_equal(get(*state, "SELECT count(*) FROM survey_dirty_devices"), "1");
    put(*state, "DELETE FROM survey_dirty_devices");
    assert_stores(*state, &event, OKNO_EVENT_DUPLICATE);
    assert_string_equal(get(*state, "SELECT count(*) FROM survey_dirty_devices"), "0");
}

/* More devices than are summed up at a time, in an order that mixes all. */
static void what_is_summed_up_of_many_devices_equals_their_events(void **state)
{
    enum { DEVICES = 700, BOOTS = 2, SEQS = 3, ALL = DEVICES * BOOTS * SEQS, STEP = 1009 };
    struct store *db = *state;
    struct okno_err err = {0};
    put(db,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 699) "
        "INSERT INTO tokens (token_hash, role, device, created_at) "
        "SELECT i, 'device', 'many-' || i, 0 FROM n");
    for (int round = 0; round < 2; round++) { /* the second tells nothing new */
        OKNO_AUTO(okno_event_intake) *intake = NULL;
        assert_int_equal(okno_db_begin(db->db, &err), 0);
        assert_int_equal(okno_event_intake_open(db->db, &intake, &err), 0);
        for (int i = 0; i < ALL; i++) {
            char device[32];
            enum okno_event_stored stored = OKNO_EVENT_ADDED;
            int place = (int)((int64_t)i * STEP % ALL);
            struct okno_event event = some_event();
            (void)snprintf(device, sizeof(device), "many-%d", place % DEVICES);
            event.device = device;
            event.boot = place / DEVICES % BOOTS;
            event.seq = place / DEVICES / BOOTS * 7;
            event.at_us += place * 1000;
            const struct okno_event_receipt receipt = {.at_us = 1773144001000000 + i};
            assert_int_equal(okno_event_intake_add(intake, &event, &receipt, &stored, &err), 0);
            assert_int_equal(stored, round ? OKNO_EVENT_DUPLICATE : OKNO_EVENT_ADDED);
        }
        assert_int_equal(okno_event_intake_end(intake, &err), 0);
        assert_int_equal(okno_db_commit(db->db, &err), 0);
        assert_string_equal(get(db, "SELECT sum(events) FROM device_runs"), "4200");
        assert_string_equal(
            get(db,
                "SELECT count(*) FROM (SELECT device, boot, min(seq), max(seq), count(*), "
                "max(arrived_at), max(at - arrived_at) FROM events GROUP BY device, boot EXCEPT "
                "SELECT device, boot, first_seq, last_seq, events, arrived_at, ahead_us FROM "
                "device_runs)"),
            "0");
        assert_string_equal(get(db,
                                "SELECT count(*) FROM device_runs r JOIN events e USING "
                                "(device, boot) WHERE e.at = r.ahead_at AND e.at - "
                                "e.arrived_at = r.ahead_us"),
                            "1400");
        assert_string_equal(get(db, "SELECT count(*) FROM survey_dirty_devices"), "700");
    }
}

static void an_event_that_is_refused_leaves_nothing_and_the_next_is_stored(void **state)
{
    struct store *db = *state;
    struct okno_err err = {0};
    OKNO_AUTO(okno_event_intake) *intake = NULL;
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    const struct okno_event_receipt receipt = {.at_us = 1773144001000000};
    struct okno_event good = some_event();
    struct okno_event stranger = good;
    struct okno_event bad = good;
    struct okno_event other = good;
    stranger.device = "nobody";
    bad.seq = -1;
    other.kind = "hold";
    assert_int_equal(okno_event_intake_open(db->db, &intake, &err), 0);
    assert_int_equal(okno_event_intake_add(intake, &stranger, &receipt, &stored, &err),
                     OKNO_UNKNOWN_REF);
    okno_err_clear(&err);
    assert_int_equal(okno_event_intake_add(intake, &bad, &receipt, &stored, &err), OKNO_INVALID);
    assert_int_equal(okno_event_intake_add(intake, &good, &receipt, &stored, &err), 0);
    okno_err_clear(&err);
    assert_int_equal(okno_event_intake_add(intake, &other, &receipt, &stored, &err), OKNO_CONFLICT);
    assert_int_equal(okno_event_intake_end(intake, &err), 0);
    assert_string_equal(get(db, "SELECT group_concat(device || events) FROM device_runs"), "d11");
    assert_string_equal(get(db, "SELECT count(*) FROM events"), "1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_open, store_close)
    const struct CMUnitTest tests[] = {
        TEST(the_same_event_again_is_a_duplicate),
        TEST(other_content_of_an_identity_is_a_conflict_and_the_first_stays),
        cmocka_unit_test(a_duration_tells_bounce_press_and_hold_apart),
        TEST(a_kind_that_its_duration_belies_is_refused),
        TEST(values_out_of_range_are_refused_by_name),
        TEST(the_greatest_numbers_are_stored),
        TEST(a_device_nobody_knows_is_refused),
        TEST(what_is_summed_up_of_many_devices_equals_their_events),
        TEST(an_event_that_is_refused_leaves_nothing_and_the_next_is_stored),
        TEST(a_new_event_marks_its_device_and_a_repeated_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
