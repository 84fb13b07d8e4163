/* Kind `hls` through the whole way: playlists and segments made by FFmpeg's HLS muxer, served by
 * nginx, asked for with `okno clip`, `okno still` and `okno coverage`; frames are told by hashes.
 */
#define _POSIX_C_SOURCE 200809L
#include "../support/nginx.h"
#include "../support/recording.h"
#include "../support/tempdir.h"

#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z; 15 frames a second, a key frame and a segment every 2 s. */
#define T0 INT64_C(1773151400000000)
#define FRAMES 180

static struct support_nginx nginx;
static struct fixture_frames scene;

/* The time of a segment, as its place in the list says, in another spelling each. */
static void write_time(FILE *to, size_t segment)
{
    static const struct {
        const char *zone;
        int hours;
    } spellings[] = {{"Z", 0}, {"+03:00", 3}, {"+0300", 3}, {"", 3}, {"-04", -4}};
    char text[OKNO_TIME_TEXT];
    size_t which = segment % OKNO_COUNT(spellings);
    int64_t at_us =
        T0 + (int64_t)segment * 2 * OKNO_SECOND_US + spellings[which].hours * 3600 * OKNO_SECOND_US;
    (void)okno_time_format(at_us, text);
    text[strlen(text) - 1] = '\0';
    (void)fprintf(to, "#EXT-X-PROGRAM-DATE-TIME:%s%s\n", text, spellings[which].zone);
}

/* A copy of a playlist with times that the test knows; `gap` is a segment that is not there (-1:
 * none). */
static void date_playlist(const char *from, const char *to, int gap)
{
    okno_autofree char *text = fixture_output("cat", "%s", from);
    FILE *file = fopen(fixture_path(to), "w");
    char *rest = NULL;
    size_t segment = 0;
    assert_non_null(file);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "#EXT-X-PROGRAM-DATE-TIME", 24) == 0) {
            if ((int)segment == gap)
                (void)fputs("#EXT-X-GAP\n", file);
            write_time(file, segment++);
        } else {
            (void)fprintf(file, "%s\n", line);
        }
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(segment, 6);
}

static void record(void)
{
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast -bf 2 "
        "-g 30 -keyint_min 30 -sc_threshold 0 base.mp4");
    fixture_hash("base.mp4", &scene);
    assert_int_equal(scene.len, FRAMES);
    assert_int_equal(mkdir(fixture_path("web"), 0755), 0);
    fixture_ffmpeg(
        "-i base.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 -hls_flags "
        "program_date_time -hls_segment_filename web/ts%%d.ts web/ts.m3u8");
    fixture_ffmpeg(
        "-i base.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 -hls_flags "
        "program_date_time -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 "
        "-hls_segment_filename web/part%%d.m4s web/fmp4.m3u8");
    fixture_ffmpeg(
        "-i base.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 -hls_flags "
        "program_date_time+single_file -hls_segment_type fmp4 -hls_segment_filename "
        "web/one.mp4 web/one.m3u8");
    date_playlist("web/ts.m3u8", "web/cam-ts.m3u8", -1);
    date_playlist("web/fmp4.m3u8", "web/cam-fmp4.m3u8", -1);
    date_playlist("web/one.m3u8", "web/cam-one.m3u8", -1);
    date_playlist("web/ts.m3u8", "web/cam-gap.m3u8", 3);
    date_playlist("web/fmp4.m3u8", "web/cam-lost.m3u8", -1);
    support_text(fixture_path("web"), "cam-master.m3u8",
                 "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnone.m3u8\n"
                 "#EXT-X-STREAM-INF:BANDWIDTH=2000000\ncam-fmp4.m3u8\n");
    support_text(fixture_path("web"), "cam-page.m3u8", "<html>log in</html>\n");
    support_text(fixture_path("web"), "cam-away.m3u8",
                 "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2026-03-10T14:03:20Z\n#EXTINF:12.0,\n"
                 "file:///etc/passwd\n#EXT-X-ENDLIST\n");
}

static void import(const char *kind, const char *text)
{
    int status = -1;
    support_text(fixture_path(""), "rows.csv", text);
    okno_autofree char *said = fixture_okno(&status, "--data data import %s rows.csv", kind);
    if (status != 0)
        fail_msg("%s: %s", kind, said);
}

static int start(void **state)
{
    int rc = fixture_begin(state);
    char archives[300];
    int status = -1;
    if (rc < 0)
        return rc;
    record();
    support_nginx_start(&nginx, fixture_path("web"), NULL);
    free(fixture_okno(&status, "--data data init"));
    assert_int_equal(status, 0);
    (void)snprintf(archives, sizeof(archives),
                   "archive,kind,url,files,time_zone\nH,hls,%s,cam-{channel}.m3u8,Europe/Moscow\n",
                   nginx.url);
    import("sites", "site,name,time_zone\nS,Shop,Europe/Moscow\n");
    import("archives", archives);
    import("cameras",
           "camera,site,archive,channel\nts,S,H,ts\nfmp4,S,H,fmp4\none,S,H,one\n"
           "gap,S,H,gap\nmaster,S,H,master\npage,S,H,page\naway,S,H,away\n"
           "lost,S,H,lost\nnone,S,H,none\n");
    return 0;
}

static int stop(void **state)
{
    fixture_frames_free(&scene);
    support_nginx_stop(&nginx);
    return fixture_end(state);
}

/* The command's JSON; its exit status must be the one wanted. */
static json_t *ask(int want, const char *what, const char *camera, const char *rest)
{
    char line[300];
    int status = -1;
    (void)snprintf(line, sizeof(line), "%s --camera %s %s", what, camera, rest);
    okno_autofree char *text = fixture_okno(&status, "--data data %s --json", line);
    if (status != want)
        fail_msg("%s: exit %d: %s", line, status, text);
    return json_loads(text, 0, NULL);
}

static int64_t instant(const json_t *json, const char *key)
{
    int64_t us = 0;
    const char *text = json_string_value(json_object_get(json, key));
    assert_non_null(text);
    assert_int_equal(okno_time_parse(text, &us, NULL), 0);
    return us;
}

/* The file holds the scene's frames from `first` on, and nothing else. */
static void assert_frames(const char *name, size_t first, size_t last)
{
    struct fixture_frames got = {0};
    fixture_hash(name, &got);
    if (got.len != last - first + 1)
        fail_msg("%zu frames, not %zu", got.len, last - first + 1);
    for (size_t i = 0; i < got.len; i++)
        assert_string_equal(got.hash[i], scene.hash[first + i]);
    fixture_frames_free(&got);
}

static void clips_are_exact_to_the_frame_for_every_kind_of_segment(void **state)
{
    (void)state;
    static const char *const cameras[] = {"ts", "fmp4", "one", "master"};
    for (size_t i = 0; i < OKNO_COUNT(cameras); i++) {
        (void)unlink(fixture_path("clip.mp4"));
        okno_autojson json_t *clip = ask(0, "clip", cameras[i],
                                         "--from 2026-03-10T14:03:23Z "
                                         "--to 2026-03-10T14:03:27Z -o clip.mp4");
        /* From the key frame at 2 s to the last frame before 7 s. */
        assert_int_equal(instant(clip, "got_from"), T0 + 2 * OKNO_SECOND_US);
        assert_int_equal(json_array_size(json_object_get(clip, "gaps")), 0);
        struct fixture_frames got = {0};
        fixture_hash("clip.mp4", &got);
        assert_in_range(got.len, 75, 78); /* reordered frames may follow the last one */
        for (size_t f = 0; f < got.len; f++)
            assert_string_equal(got.hash[f], scene.hash[30 + f]);
        fixture_frames_free(&got);
    }
}

static void stills_are_the_frame_of_the_moment(void **state)
{
    (void)state;
    static const char *const cameras[] = {"ts", "fmp4", "one"};
    for (size_t i = 0; i < OKNO_COUNT(cameras); i++) {
        (void)unlink(fixture_path("still.jpg"));
        okno_autojson json_t *still =
            ask(0, "still", cameras[i], "--at 2026-03-10T14:03:25.350Z -o still.jpg");
        /* Frame 80 begins at 5.333 s; printed rounded up. */
        assert_int_equal(instant(still, "frame_at"), T0 + 5334000);
    }
}

static void a_gap_is_a_hole_of_its_own_length(void **state)
{
    (void)state;
    (void)unlink(fixture_path("clip.mp4"));
    okno_autojson json_t *clip = ask(4, "clip", "gap",
                                     "--from 2026-03-10T14:03:24Z "
                                     "--to 2026-03-10T14:03:30Z -o clip.mp4");
    json_t *gaps = json_object_get(clip, "gaps");
    assert_int_equal(json_array_size(gaps), 1);
    okno_autofree char *spans = NULL;
    int status = -1;
    spans = fixture_okno(&status,
                         "--data data coverage --camera gap --from 2026-03-10T14:00:00Z "
                         "--to 2026-03-10T15:00:00Z");
    assert_int_equal(status, 0);
    assert_non_null(strstr(spans, "2026-03-10T14:03:20.000Z..2026-03-10T14:03:26.000Z"));
    assert_non_null(strstr(spans, "2026-03-10T14:03:28.000Z..2026-03-10T14:03:32.000Z"));
}

static void times_as_ffmpeg_writes_them_are_read(void **state)
{
    (void)state;
    char line[200];
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    int64_t us = 0;
    int status = -1;
    okno_autofree char *text = fixture_output("cat", "web/ts.m3u8");
    const char *at = strstr(text, "DATE-TIME:");
    assert_non_null(at);
    (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at + 10, "\r\n"), at + 10);
    assert_int_equal(okno_time_parse(line, &us, NULL), 0);
    char archives[300];
    (void)snprintf(archives, sizeof(archives),
                   "archive,kind,url,files,time_zone\nR,hls,%s,{channel}.m3u8,UTC\n", nginx.url);
    import("archives", archives);
    import("cameras", "camera,site,archive,channel\nraw,S,R,ts\n");
    (void)unlink(fixture_path("clip.mp4"));
    free(fixture_okno(&status, "--data data clip --camera raw --from %s --to %s -o clip.mp4",
                      okno_time_format(us, from), okno_time_format(us + 2 * OKNO_SECOND_US, to)));
    assert_int_equal(status, 0);
    assert_frames("clip.mp4", 0, 29);
}

static void a_segment_that_has_left_is_a_hole_and_the_rest_is_kept(void **state)
{
    (void)state;
    (void)unlink(fixture_path("web/part5.m4s"));
    (void)unlink(fixture_path("web/part3.m4s"));
    (void)unlink(fixture_path("clip.mp4"));
    int status = -1;
    okno_autofree char *said =
        fixture_okno(&status, "--data data still --camera lost --at 2026-03-10T14:03:31Z -o x.jpg");
    assert_int_equal(status, 3); /* gone */
    assert_int_equal(access(fixture_path("x.jpg"), F_OK), -1);
    free(fixture_okno(&status,
                      "--data data clip --camera lost --from 2026-03-10T14:03:20Z "
                      "--to 2026-03-10T14:03:22Z -o clip.mp4"));
    assert_int_equal(status, 0);
    assert_frames("clip.mp4", 0, 29);
}

static void a_page_and_another_address_are_refused(void **state)
{
    (void)state;
    static const char *const cameras[] = {"page", "away", "none"};
    for (size_t i = 0; i < OKNO_COUNT(cameras); i++) {
        int status = -1;
        okno_autofree char *said =
            fixture_okno(&status,
                         "--data data clip --camera %s --from 2026-03-10T14:03:20Z "
                         "--to 2026-03-10T14:03:22Z -o none.mp4",
                         cameras[i]);
        assert_int_equal(status, 1);
        assert_int_equal(access(fixture_path("none.mp4"), F_OK), -1);
    }
}

static void what_the_archive_can_do_is_told(void **state)
{
    (void)state;
    int status = -1;
    okno_autofree char *text =
        fixture_okno(&status, "--data data archive test R --at 2026-03-10T15:00:00Z");
    assert_non_null(strstr(text, "can: coverage whole_files rolling\n"));
    okno_autofree char *line =
        fixture_okno(&status, "--data data archive test R --at 2026-03-10T15:00:00Z --json");
    okno_autojson json_t *first = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_int_equal(json_array_size(json_object_get(first, "capabilities")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clips_are_exact_to_the_frame_for_every_kind_of_segment),
        cmocka_unit_test(stills_are_the_frame_of_the_moment),
        cmocka_unit_test(a_gap_is_a_hole_of_its_own_length),
        cmocka_unit_test(times_as_ffmpeg_writes_them_are_read),
        cmocka_unit_test(what_the_archive_can_do_is_told),
        cmocka_unit_test(a_segment_that_has_left_is_a_hole_and_the_rest_is_kept),
        cmocka_unit_test(a_page_and_another_address_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
