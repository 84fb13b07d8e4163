#include "../../src/video/archive/playlist.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"

static struct okno_zone *zone;

static int start(void **state)
{
    (void)state;
    return okno_zone_open("Europe/Berlin", &zone, NULL);
}

static int stop(void **state)
{
    (void)state;
    okno_zone_close(zone);
    return 0;
}

static int parse(const char *text, struct playlist *list, struct okno_err *err)
{
    return playlist_parse(text, strlen(text), zone, list, err);
}

/* "HH:MM:SS.mmm+-ms uri [flags]" a segment, joined by " | ". */
static const char *shown(const char *text)
{
    static char out[2000];
    PLAYLIST_AUTO list = {0};
    struct okno_err err = {0};
    out[0] = '\0';
    if (parse(text, &list, &err) < 0) {
        (void)snprintf(out, sizeof(out), "%s: %s", okno_code_info(err.code)->name, err.text);
        return out;
    }
    for (size_t i = 0; i < list.segments.len; i++) {
        const struct playlist_segment *s = &list.segments.items[i];
        char time[OKNO_TIME_TEXT] = "-----------?";
        if (s->from_us >= 0)
            (void)okno_time_format(s->from_us, time);
        size_t len = strlen(out);
        (void)snprintf(out + len, sizeof(out) - len, "%s%.12s+-%lld %s%s%s", i ? " | " : "",
                       time + 11, (long long)((s->error_us + 999) / 1000), s->part.uri,
                       s->gap ? " gap" : "", s->breaks ? " breaks" : "");
    }
    return out;
}

static void times_are_read_in_all_their_spellings(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "2026-03-10T14:03:20.000Z",     "2026-03-10T15:03:20.000+01:00",
        "2026-03-10T15:03:20.000+0100", "2026-03-10T10:03:20.000-04",
        "2026-03-10T15:03:20.000",      "2026-03-10T14:03:20.000000Z",
    };
    for (size_t i = 0; i < OKNO_COUNT(spellings); i++) {
        char text[400];
        (void)snprintf(text, sizeof(text), HEAD "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:4.0,\na.ts\n",
                       spellings[i]);
        if (strncmp(shown(text), "14:03:20.000", 12) != 0)
            fail_msg("%s: %s", spellings[i], shown(text));
    }
    assert_non_null(strstr(shown(HEAD "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\na.ts\n"),
                           "protocol: line 4"));
}

static void a_time_may_stand_behind_its_length_and_is_exact_to_its_digits(void **state)
{
    (void)state;
    assert_string_equal(shown(HEAD "#EXTINF:2.000000,\n"
                                   "#EXT-X-PROGRAM-DATE-TIME:2026-03-10T14:03:20.500Z\na.ts\n"),
                        "14:03:20.500+-1 a.ts");
    assert_string_equal(
        shown(HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-03-10T14:03:20Z\n#EXTINF:2.0,\na.ts\n"),
        "14:03:20.000+-1000 a.ts");
}

static void without_times_of_their_own_segments_follow_on(void **state)
{
    (void)state;
    assert_string_equal(shown(HEAD "#EXTINF:2.000,\na.ts\n#EXTINF:2.000,\n"
                                   "#EXT-X-PROGRAM-DATE-TIME:2026-03-10T14:03:20.000Z\nb.ts\n"
                                   "#EXTINF:2.5,\nc.ts\n#EXTINF:1.000,\nd.ts\n"),
                        "14:03:18.000+-2 a.ts | 14:03:20.000+-1 b.ts | 14:03:22.000+-2 c.ts | "
                        "14:03:24.500+-52 d.ts");
}

static void holes_are_told_by_gap_discontinuity_and_by_time_itself(void **state)
{
    (void)state;
    assert_string_equal(
        shown(HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-03-10T14:03:20.000Z\n#EXTINF:2.000,\na.ts\n"
                   "#EXT-X-GAP\n#EXTINF:2.000,\nb.ts\n#EXTINF:2.000,\nc.ts\n"
                   "#EXT-X-DISCONTINUITY\n#EXTINF:2.000,\nd.ts\n"
                   "#EXT-X-PROGRAM-DATE-TIME:2026-03-10T15:00:00.000Z\n#EXTINF:2.000,\ne.ts\n"),
        "14:03:20.000+-1 a.ts | 14:03:22.000+-2 b.ts gap breaks | 14:03:24.000+-3 c.ts breaks | "
        "14:03:26.000+-3 d.ts breaks | 15:00:00.000+-1 e.ts breaks");
}

static void ranges_go_on_where_the_last_one_ended(void **state)
{
    (void)state;
    PLAYLIST_AUTO list = {0};
    assert_int_equal(parse(HEAD "#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"700@0\"\n"
                                "#EXTINF:2,\n#EXT-X-BYTERANGE:1000@700\nall.mp4\n"
                                "#EXTINF:2,\n#EXT-X-BYTERANGE:500\nall.mp4\n#EXT-X-ENDLIST\n",
                           &list, NULL),
                     0);
    assert_true(list.ended);
    assert_false(list.dated);
    assert_int_equal(list.maps.items[0].len, 700);
    assert_string_equal(list.maps.items[0].uri, "all.mp4");
    assert_int_equal(list.segments.items[0].part.offset, 700);
    assert_int_equal(list.segments.items[1].part.offset, 1700);
    assert_int_equal(list.segments.items[1].part.len, 500);
    assert_int_equal(list.segments.items[1].map, 0);
    playlist_date(&list, 1000000, 5);
    assert_int_equal(list.segments.items[1].from_us, 3000000);
    /* A few of them would be more than a number holds. */
    assert_non_null(strstr(
        shown(HEAD "#EXTINF:2,\n#EXT-X-BYTERANGE:2000000000000000000@0\nx.mp4\n"), "not a range"));
    assert_non_null(strstr(shown(HEAD "#EXTINF:2,\n#EXT-X-BYTERANGE:500\nx.mp4\n"),
                           "range without a beginning"));
}

static void a_master_playlist_leads_to_its_best_stream(void **state)
{
    (void)state;
    PLAYLIST_AUTO list = {0};
    assert_int_equal(
        parse("#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS=\"avc1,mp4a\"\r\nlow.m3u8\r\n"
              "#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=4000000\r\nhigh/index.m3u8\r\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=90000\r\naudio.m3u8\r\n",
              &list, NULL),
        0);
    assert_string_equal(list.variant, "high/index.m3u8");
}

static void the_doubled_hour_is_told_by_what_goes_on(void **state)
{
    (void)state;
    /* 02:30 local time happens twice on 2026-10-25; the segment before ends at 01:30Z. */
    assert_string_equal(
        shown(HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-10-25T01:29:58.000Z\n#EXTINF:2.000,\na.ts\n"
                   "#EXT-X-PROGRAM-DATE-TIME:2026-10-25T02:30:00.000\n#EXTINF:2.000,\nb.ts\n"),
        "01:29:58.000+-1 a.ts | 01:30:00.000+-1 b.ts");
}

static void what_is_no_playlist_is_said_to_be_none(void **state)
{
    (void)state;
    assert_non_null(strstr(shown("<html>login</html>"), "protocol: the answer is no playlist"));
    assert_non_null(strstr(shown(""), "protocol"));
    assert_non_null(strstr(shown(HEAD "a.ts\n"), "line 4 of the playlist: a segment without"));
    assert_non_null(strstr(shown(HEAD "#EXTINF:-1,\na.ts\n"), "line 4"));
    assert_non_null(strstr(shown(HEAD "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:2,\na.ts\n"),
                           "unsupported: line 4 of the playlist: its segments are encrypted"));
    assert_string_equal(shown(HEAD "#EXT-X-KEY:METHOD=NONE\n"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_all_their_spellings),
        cmocka_unit_test(a_time_may_stand_behind_its_length_and_is_exact_to_its_digits),
        cmocka_unit_test(without_times_of_their_own_segments_follow_on),
        cmocka_unit_test(holes_are_told_by_gap_discontinuity_and_by_time_itself),
        cmocka_unit_test(ranges_go_on_where_the_last_one_ended),
        cmocka_unit_test(a_master_playlist_leads_to_its_best_stream),
        cmocka_unit_test(the_doubled_hour_is_told_by_what_goes_on),
        cmocka_unit_test(what_is_no_playlist_is_said_to_be_none),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
