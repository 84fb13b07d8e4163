/* Files named in local time around changes of the clocks, all over the world and in history: a
 * recorder that follows the law writes one file after the other, and each gets the instant that it
 * has. */
#include "../../src/video/archive/order.h"
#include "../../src/video/archive/template.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S OKNO_SECOND_US
#define HOUR (3600 * S)

static int64_t instant(const char *text)
{
    int64_t us = 0;
    if (okno_time_parse(text, &us, NULL) < 0)
        fail_msg("%s", text);
    return us;
}

enum { FILES_MAX = 400 };

struct recorder {
    struct record_vec records;
    char names[FILES_MAX][40];
    int64_t truth[FILES_MAX];
    size_t count;
};

/* A file each `every_us`, ten hours on both sides of the change; nothing is known of when they were
 * written. */
static void record(struct recorder *r, const char *zone_name, int64_t change_us, int64_t every_us)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    OKNO_AUTO(template) *template = NULL;
    assert_int_equal(okno_zone_open(zone_name, &zone, NULL), 0);
    assert_int_equal(template_compile("%Y%m%d-%H%M%S.mp4", "1", &template, NULL), 0);
    memset(r, 0, sizeof(*r));
    for (int64_t at = change_us - 10 * HOUR; at < change_us + 10 * HOUR; at += every_us) {
        struct okno_civil c;
        struct record one = {.mtime_us = -1, .size = 10, .folder = ""};
        char *name = r->names[r->count];
        okno_zone_to_local(zone, at, &c);
        (void)snprintf(name, sizeof(r->names[0]), "%04d%02d%02d-%02d%02d%02d.mp4", c.year, c.month,
                       c.day, c.hour, c.minute, c.second);
        assert_int_equal(template_parse(template, zone, "", name, &one.at), 0);
        one.name = name;
        r->truth[r->count++] = at;
        assert_int_equal(record_vec_push(&r->records, one), 0);
        assert_true(r->count < FILES_MAX);
    }
}

static bool is_true(const struct recorder *r, const struct okno_piece *piece)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->truth[i] == piece->from_us && strcmp(r->names[i], piece->name) == 0)
            return true;
    return false;
}

static bool has(const struct okno_piece_vec *pieces, const char *name, int64_t at_us)
{
    for (size_t i = 0; i < pieces->len; i++)
        if (pieces->items[i].from_us == at_us && strcmp(pieces->items[i].name, name) == 0)
            return true;
    return false;
}

/* Every file has its instant among the pieces; what is not flagged has no other. */
static void check(const char *zone, const char *change, int64_t every_us, bool told)
{
    static struct recorder r;
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t change_us = instant(change);
    record(&r, zone, change_us, every_us);
    const struct order_request request = {.from_us = change_us - 9 * HOUR,
                                          .to_us = change_us + 9 * HOUR,
                                          .now_us = change_us + 1000 * HOUR,
                                          .format = "mov"};
    assert_int_equal(order_pieces(&r.records, &request, &pieces, NULL), 0);
    for (size_t i = 0; i < r.count; i++)
        if (r.truth[i] >= request.from_us && r.truth[i] < request.to_us &&
            !has(&pieces, r.names[i], r.truth[i]))
            fail_msg("%s %s: %s is not where it was", zone, change, r.names[i]);
    for (size_t i = 0; i < pieces.len; i++) {
        bool flagged = pieces.items[i].flags & OKNO_SPAN_AMBIGUOUS;
        if (!is_true(&r, &pieces.items[i]) && (!flagged || told))
            fail_msg("%s %s: %s is taken for %lld", zone, change, pieces.items[i].name,
                     (long long)pieces.items[i].from_us);
    }
    record_vec_free(&r.records);
}

static void every_change_of_the_clocks_is_followed_by_the_names(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
    } changes[] = {
        {"Europe/Berlin", "2026-03-29T01:00:00Z"}, /* spring: an hour that is none */
        {"Europe/Berlin", "2026-10-25T01:00:00Z"}, /* autumn: an hour twice */
        {"America/New_York", "2026-11-01T06:00:00Z"},
        {"Australia/Sydney", "2026-04-04T16:00:00Z"}, /* the south: autumn in April */
        {"Australia/Sydney", "2026-10-03T16:00:00Z"},
        {"America/Santiago", "2026-04-05T03:00:00Z"},    /* at midnight: a day's end twice */
        {"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, /* half an hour twice */
        {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
        {"Asia/Kolkata", "2026-06-01T00:00:00Z"},    /* half an hour off, no change */
        {"Asia/Kathmandu", "2026-06-01T00:00:00Z"},  /* a quarter */
        {"Europe/Moscow", "2011-03-26T23:00:00Z"},   /* summer time for ever */
        {"Europe/Moscow", "2014-10-25T22:00:00Z"},   /* winter time for ever */
        {"America/Caracas", "2016-05-01T07:00:00Z"}, /* by half an hour, for ever */
        {"Asia/Pyongyang", "2015-08-14T15:00:00Z"},  /* half an hour twice, for ever */
        {"Pacific/Apia", "2011-12-30T10:00:00Z"},    /* a day that never was */
        {"EET-2EEST,M3.5.0/3,M10.5.0/4", "2026-10-25T01:00:00Z"},
    };
    for (size_t i = 0; i < OKNO_COUNT(changes); i++) {
        check(changes[i].zone, changes[i].at, 420 * S, true); /* 7 minutes */
        check(changes[i].zone, changes[i].at, 677 * S, true);
    }
}

/* Names that come again, since the files' length divides the hour: what cannot be told is flagged,
 * and the truth is among what is given. */
static void what_no_name_can_tell_is_flagged(void **state)
{
    (void)state;
    check("Europe/Berlin", "2026-10-25T01:00:00Z", 600 * S, false);
    check("Australia/Lord_Howe", "2026-04-04T15:00:00Z", 600 * S, false);
    check("Europe/Moscow", "2014-10-25T22:00:00Z", 900 * S, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_the_clocks_is_followed_by_the_names),
        cmocka_unit_test(what_no_name_can_tell_is_flagged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
