#define _GNU_SOURCE
/* What is made of kept evidence: sidecars, masks, copies, flags; many stills planned together. */
#include "shop.h"

#include "okno/extract.h"
#include "okno/viewing.h"

static int setup(void **state)
{
    *state = shop_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

/* --- quality, pure ---------------------------------------------------------------------------- */

/* A picture with structure; `by` moves its brightness, `shift` its scene. */
static struct okno_look_picture picture(int64_t at_us, int by, int shift)
{
    struct okno_look_picture one = {.at_us = at_us};
    one.picture = (struct okno_picture){.brightness = 120000, .spread = 50000, .detail = 8000};
    for (int i = 0; i < OKNO_PICTURE_CELLS; i++) {
        int x = i % OKNO_PICTURE_COLUMNS + shift;
        int y = i / OKNO_PICTURE_COLUMNS + 3 * shift;
        one.picture.cells[i] = (uint16_t)((60 + x * x * 7 % 97 + y * y * 11 % 89) * 256 + by);
    }
    return one;
}

static unsigned judge_one(struct okno_picture changed, const uint16_t *reference)
{
    struct okno_look_picture one = {.picture = changed};
    return okno_picture_judge(&one, 1, reference);
}

static void pictures_are_judged_by_their_measures(void **state)
{
    (void)state;
    struct okno_look_picture good = picture(0, 0, 0);
    struct okno_look_picture brighter = picture(0, 2500, 0);
    struct okno_look_picture moved = picture(0, 0, 9);
    struct okno_picture dark = good.picture;
    struct okno_picture flat = good.picture;
    struct okno_picture black = {.brightness = 2000, .spread = 1000};
    dark.brightness = 20000;
    flat.detail = 300;
    assert_int_equal(judge_one(good.picture, NULL), 0);
    assert_int_equal(judge_one(dark, NULL), 1U << OKNO_PICTURE_TOO_DARK);
    assert_int_equal(judge_one(flat, NULL), 1U << OKNO_PICTURE_COVERED);
    assert_int_equal(judge_one(black, good.picture.cells), 1U << OKNO_PICTURE_BLACK);
    assert_int_equal(judge_one(brighter.picture, good.picture.cells), 0);
    assert_int_equal(judge_one(moved.picture, good.picture.cells),
                     1U << OKNO_PICTURE_SCENE_CHANGED);
    assert_int_equal(okno_picture_alike(good.picture.cells, brighter.picture.cells), 1000);
    assert_int_equal(okno_picture_judge(NULL, 0, NULL), 0);
}

static void a_picture_is_frozen_only_without_any_noise_for_long(void **state)
{
    (void)state;
    struct okno_look_picture same[12];
    struct okno_look_picture noisy[12];
    for (int i = 0; i < 12; i++) {
        same[i] = picture(i * OKNO_SECOND_US, 0, 0);
        noisy[i] = picture(i * OKNO_SECOND_US, i % 2 * 80, 0);
    }
    assert_int_equal(okno_picture_judge(same, 12, NULL), 1U << OKNO_PICTURE_FROZEN);
    assert_int_equal(okno_picture_judge(same, 5, NULL), 0); /* 4 s only */
    assert_int_equal(okno_picture_judge(noisy, 12, NULL), 0);
}

/* One in many is somebody walking by. */
static void a_flag_needs_more_than_half_of_the_pictures(void **state)
{
    (void)state;
    struct okno_look_picture mixed[4];
    for (int i = 0; i < 4; i++) {
        mixed[i] = picture(i * OKNO_SECOND_US, i * 500, 0);
        mixed[i].picture.detail = i < 2 ? 200 : 8000;
    }
    assert_int_equal(okno_picture_judge(mixed, 4, NULL), 0);
    assert_int_equal(okno_picture_judge(mixed, 3, NULL), 1U << OKNO_PICTURE_COVERED);
}

static unsigned flags_of(const char *name)
{
    struct okno_source *file = NULL;
    struct okno_look look = {0};
    struct okno_err err = {0};
    if (okno_file_source(fixture_path(name), &file, &err) < 0 ||
        okno_view_look(file, &look, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    unsigned flags = okno_picture_judge(look.pictures.items, look.pictures.len,
                                        look.pictures.items[0].picture.cells);
    okno_look_free(&look);
    okno_source_close(file);
    return flags;
}

static void flags_are_found_in_drawn_pictures(void **state)
{
    (void)state;
#define DRAW(source) "-f lavfi -i " source " -c:v libx264 -preset ultrafast -g 10 flags.mp4 -y"
    static const struct {
        const char *line;
        unsigned flags;
    } drawn[] = {
        {DRAW("color=black:s=320x180:r=5:d=4"), 1U << OKNO_PICTURE_BLACK},
        {DRAW("testsrc2=s=320x180:r=5:d=4,lutyuv=y=16+(val-16)/5:u=128:v=128"),
         1U << OKNO_PICTURE_TOO_DARK},
        {DRAW("color=gray:s=320x180:r=5:d=4,noise=alls=2:allf=t"), 1U << OKNO_PICTURE_COVERED},
        {DRAW("testsrc2=s=320x180:r=5:d=4,noise=alls=4:allf=t"), 0},
    };
    for (size_t i = 0; i < OKNO_COUNT(drawn); i++) {
        fixture_ffmpeg("%s", drawn[i].line);
        unsigned found = flags_of("flags.mp4") & ~(1U << OKNO_PICTURE_FROZEN);
        if (found != drawn[i].flags)
            fail_msg("%s: flags %x", drawn[i].line, found);
    }
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=5:d=1 -vf loop=60:1:0 -t 10 -c:v libx264 "
        "-qp 20 -g 5 flags.mp4 -y");
    assert_int_equal(flags_of("flags.mp4"), 1U << OKNO_PICTURE_FROZEN);
}

/* The demo's shop gives no reason for a flag. */
static void the_demo_scene_has_no_flags(void **state)
{
    (void)state;
    char program[300];
    (void)snprintf(program, sizeof(program), "%s/tools/scene", getenv("OKNO_BUILD"));
    free(fixture_output(program, "--minutes 1 %s", fixture_path("scene")));
    assert_int_equal(flags_of("scene/archive/cam1/2026-03-10/10-00-00.mp4"), 0);
}

/* --- masks ------------------------------------------------------------------------------------ */

static void masks_are_read_from_percent(void **state)
{
    (void)state;
    struct okno_view_masks masks = {0};
    static const char *const wrong[] = {"10",  "10,20",   "10,20 30",    "10,20 101,3",
                                        "a,b", "5,5 5,5", "1,1 2,2 3,3", "10,20 -1,3"};
    assert_int_equal(okno_masks_read("10,20 30,40; 1.5,2 90,2 50,99", &masks, NULL), 0);
    assert_int_equal(masks.count, 2);
    assert_int_equal(masks.items[0].corners, 4);
    assert_int_equal(masks.items[0].x[2], 3000);
    assert_int_equal(masks.items[0].y[2], 4000);
    assert_int_equal(masks.items[1].corners, 3);
    assert_int_equal(masks.items[1].x[0], 150);
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        struct okno_err err = {0};
        if (okno_masks_read(wrong[i], &masks, &err) != OKNO_INVALID || !err.text[0])
            fail_msg("\"%s\" was taken", wrong[i]);
    }
    assert_int_equal(okno_masks_read("  ", &masks, NULL), 0);
    assert_int_equal(masks.count, 0);
}

static void the_masks_of_a_moment_are_those_that_stood_then(void **state)
{
    struct shop *shop = *state;
    struct okno_view_masks one = {0};
    struct okno_view_masks none = {0};
    struct okno_view_masks found = {0};
    int64_t id = 0;
    struct okno_db *db = okno_work_db(shop->work);
    assert_int_equal(okno_masks_read("0,0 50,50", &one, NULL), 0);
    assert_int_equal(okno_masks_set(db, "cam1", AT(100), &one, "a", "why", LATER, NULL), 0);
    assert_int_equal(okno_masks_set(db, "cam1", AT(200), &none, "a", "moved", LATER, NULL), 0);
    assert_int_equal(okno_masks_set(db, "nobody", AT(0), &one, "a", "why", LATER, NULL),
                     OKNO_NOT_FOUND);
    assert_int_equal(okno_masks_at(db, "cam1", AT(99), &found, &id, NULL), 0);
    assert_int_equal(found.count + (uint32_t)id, 0);
    assert_int_equal(okno_masks_at(db, "cam1", AT(150), &found, &id, NULL), 0);
    assert_int_equal(found.count, 1);
    assert_memory_equal(&found.items[0], &one.items[0], sizeof(found.items[0]));
    assert_int_equal(okno_masks_at(db, "cam1", AT(200), &found, &id, NULL), 0);
    assert_int_equal(found.count, 0);
}

/* --- sidecars and copies ---------------------------------------------------------------------- */

static json_t *sidecar_of(struct shop *shop, const struct okno_evidence *e)
{
    char path[300];
    assert_int_equal(okno_evidence_path(shop->db->dir, e->sidecar, path, sizeof(path), NULL), 0);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static void a_sidecar_tells_the_time_of_every_frame(void **state)
{
    struct shop *shop = *state;
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    okno_autojson json_t *json = sidecar_of(shop, &clip);
    const json_t *frames = json_object_get(json, "frames_us");
    size_t count = json_array_size(frames);
    int64_t first = json_integer_value(json_object_get(json, "first_frame_us"));
    assert_string_equal(json_string_value(json_object_get(json, "evidence")), clip.sha256);
    assert_int_equal(first, clip.got_from_us);
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) /* 5 frames a second */
        assert_int_equal(json_integer_value(json_array_get(frames, i)), (int64_t)i * 200000);
    assert_int_equal(clip.got_to_us - first, (int64_t)count * 200000);
    assert_true(json_array_size(json_object_get(json, "anchors")) > 0);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "key_frames"), 0)), 0);
    struct okno_evidence again = {0};
    assert_int_equal(okno_evidence_find(okno_work_db(shop->work), "d.0.1", "clip", &again, NULL),
                     0);
    assert_string_equal(again.sidecar, clip.sidecar);
    okno_autojson json_t *shown = okno_evidence_json(shop->db->dir, &again);
    assert_string_equal(json_string_value(json_object_get(shown, "sidecar")), clip.sidecar);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence_extras WHERE flags = '[]'"), 1);
}

static int copy_of(struct shop *shop, const char *sha256, enum okno_copy copy, char path[300])
{
    char tag[96];
    shop->err = (struct okno_err){0};
    return okno_copy_get(okno_work_db(shop->work), shop->db->dir, sha256, copy, path, 300, tag,
                         &shop->err);
}

static void copies_follow_the_masks_and_leave_the_evidence_alone(void **state)
{
    struct shop *shop = *state;
    char plain[300];
    char text[300];
    char masked[300];
    char sheet[300];
    char evidence[300];
    struct stat before;
    struct stat after;
    bool is_masked = true;
    struct okno_view_masks masks = {0};
    struct okno_db *db = okno_work_db(shop->work);
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    assert_int_equal(okno_evidence_path(shop->db->dir, clip.sha256, evidence, 300, NULL), 0);
    assert_int_equal(stat(evidence, &before), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_VIEW, plain), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_SHEET, sheet), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_TEXT, text), 0);
    assert_string_not_equal(text, plain);
    assert_int_equal(okno_copy_is_masked(db, clip.sha256, &is_masked, NULL), 0);
    assert_false(is_masked);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence_shown WHERE view = ''"), 1);
    assert_int_equal(okno_masks_read("0,0 100,50", &masks, NULL), 0);
    assert_int_equal(okno_masks_set(db, "cam1", AT(0), &masks, "a", "why", LATER, NULL), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_VIEW, masked), 0);
    assert_string_not_equal(plain, masked);
    assert_int_equal(okno_copy_is_masked(db, clip.sha256, &is_masked, NULL), 0);
    assert_true(is_masked);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence_shown WHERE view = 'masks'"), 1);
    assert_int_equal(stat(evidence, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
    assert_int_equal(files_in(shop, "cache"), 4);
    okno_copy_sweep(db, shop->db->dir, okno_time_now() + OKNO_DAY_US);
    assert_int_equal(files_in(shop, "cache"), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_VIEW, masked), 0); /* made again */
    char unknown[OKNO_SHA256_TEXT];
    memset(unknown, 'a', 64);
    unknown[64] = '\0';
    assert_int_equal(copy_of(shop, unknown, OKNO_COPY_VIEW, masked), OKNO_NOT_FOUND);
}

/* An expert need not wait for it: a clip of a masked camera has its copy when its job is done. */
static void a_copy_that_will_be_needed_is_made_with_the_clip(void **state)
{
    struct shop *shop = *state;
    struct okno_view_masks masks = {0};
    struct okno_db *db = okno_work_db(shop->work);
    static const char *const surveys[] = {"d.0.1", "d.0.2"};
    for (size_t i = 0; i < OKNO_COUNT(surveys); i++) {
        put_survey(shop, surveys[i], 100 + 20.0 * (double)i, "yes");
        assert_string_equal(link_now(shop, surveys[i], LATER), "linked");
        put(shop,
            "INSERT INTO jobs (kind, survey, class, state, archive, next_try_at, made_at) VALUES"
            " ('clip', '%s', 3, 'waiting', 'nvr', 0, 0)",
            surveys[i]);
        assert_int_equal(run_due(shop, LATER), 1);
        assert_int_equal(files_in(shop, "cache"), i);
        if (i == 0) {
            assert_int_equal(okno_masks_read("0,0 100,50", &masks, NULL), 0);
            assert_int_equal(okno_masks_set(db, "cam1", AT(0), &masks, "a", "why", LATER, NULL), 0);
        }
    }
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE kind = 'clip'"), 2);
}

static void overwrite(const char *path, const char *text)
{
    (void)chmod(path, 0600);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* Whoever may write into the cache, or a power failure, decides nothing of what people are shown.
 */
static void a_copy_that_is_not_as_it_was_made_is_made_again(void **state)
{
    struct shop *shop = *state;
    static const enum okno_copy copies[] = {OKNO_COPY_VIEW, OKNO_COPY_SHEET, OKNO_COPY_TEXT,
                                            OKNO_COPY_PREVIEW};
    char path[300];
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    for (size_t i = 0; i < OKNO_COUNT(copies); i++) {
        assert_int_equal(copy_of(shop, clip.sha256, copies[i], path), 0);
        off_t made = size_of(path);
        overwrite(path, "another film");
        assert_int_equal(copy_of(shop, clip.sha256, copies[i], path), 0);
        assert_int_equal(size_of(path), made);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/dev/zero", path), 0);
        assert_int_equal(copy_of(shop, clip.sha256, copies[i], path), 0);
        assert_int_equal(size_of(path), made);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(copy_of(shop, clip.sha256, copies[i], path), 0);
        assert_int_equal(size_of(path), made);
    }
}

static void no_copy_is_made_of_a_clip_that_was_changed(void **state)
{
    struct shop *shop = *state;
    char path[300];
    put_survey(shop, "d.0.1", 100, "yes");
    struct okno_evidence clip = fetch_well(shop, "d.0.1", "clip");
    struct okno_evidence other;
    put_survey(shop, "d.0.2", 300, "yes");
    other = fetch_well(shop, "d.0.2", "clip");
    char from[300];
    assert_int_equal(okno_evidence_path(shop->db->dir, other.sha256, from, 300, NULL), 0);
    assert_int_equal(okno_evidence_path(shop->db->dir, clip.sha256, path, 300, NULL), 0);
    assert_int_equal(rename(from, path), 0);
    assert_int_equal(copy_of(shop, clip.sha256, OKNO_COPY_VIEW, path), OKNO_CHECK_FAILED);
}

/* --- many stills ------------------------------------------------------------------------------ */

enum { MANY = 40 };

struct heard {
    int told, good, failed;
    int code[MANY + 1];
    char sha256[MANY + 1][OKNO_SHA256_TEXT];
    int64_t frame_at_us[MANY + 1];
};

static int hear(void *ctx, size_t index, int code, const struct okno_evidence *evidence,
                const struct okno_err *why, struct okno_err *err)
{
    struct heard *heard = ctx;
    (void)err;
    if (code < 0 && !why->text[0])
        return OKNO_FAILED;
    heard->told++;
    heard->good += code == 0;
    heard->failed += code < 0;
    heard->code[index] = code;
    heard->frame_at_us[index] = evidence->frame_at_us;
    (void)snprintf(heard->sha256[index], OKNO_SHA256_TEXT, "%s", evidence->sha256);
    return 0;
}

static void many(struct shop *shop, const char *const *ids, size_t count, struct heard *heard)
{
    shop->err = (struct okno_err){0};
    if (okno_work_extract_stills(shop->work, ids, count, NULL, LATER, hear, heard, &shop->err) < 0)
        fail_msg("%s", shop->err.text);
    assert_int_equal(heard->told, count);
}

/* Names in an order that is not that of time. */
static const char *const *put_many(struct shop *shop)
{
    static char names[MANY][16];
    static const char *ids[MANY + 1];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "d.0.%d", i + 1);
        ids[i] = names[i];
        put_survey(shop, names[i], 20 + i * 7 % MANY * 6, "yes");
    }
    ids[MANY] = "d.0.999";
    return ids;
}

static void many_stills_are_those_that_one_by_one_would_be(void **state)
{
    struct shop *shop = *state;
    struct heard heard = {0};
    struct heard again = {0};
    const char *const *ids = put_many(shop);
    many(shop, ids, MANY + 1, &heard);
    assert_int_equal(heard.good, MANY);
    assert_int_equal(heard.code[MANY], OKNO_NOT_FOUND);
    assert_int_equal(files_in(shop, "evidence/tmp"), 0);
    int64_t asked = requests_logged(shop);
    many(shop, ids, MANY, &again); /* kept: nothing is asked */
    assert_int_equal(requests_logged(shop), asked);
    put(shop, "DELETE FROM evidence_extras");
    put(shop, "DELETE FROM evidence");
    for (int i = 0; i < MANY; i++) {
        struct okno_evidence one = fetch_well(shop, ids[i], "still");
        assert_string_equal(one.sha256, heard.sha256[i]);
        assert_int_equal(one.frame_at_us, heard.frame_at_us[i]);
    }
}

/* Forgets what is kept and known, and fetches all of them; how much the server logged. */
static int64_t afresh(struct shop *shop, const char *const *ids, int parallel, struct heard *heard)
{
    put(shop, "DELETE FROM evidence_extras");
    put(shop, "DELETE FROM evidence");
    okno_extract_index_sweep(okno_work_index_dir(shop->work), -1, INT64_MAX);
    shop->conf.fetch.parallel = parallel;
    int64_t asked = requests_logged(shop);
    many(shop, ids, MANY, heard);
    return requests_logged(shop) - asked;
}

/* Each session has a list of its own: the server sees that there are two. */
static void many_stills_take_the_sessions_that_the_archive_allows(void **state)
{
    struct shop *shop = *state;
    struct heard alone = {0};
    struct heard together = {0};
    const char *const *ids = put_many(shop);
    for (int i = 0; i < MANY; i++)
        assert_string_not_equal(link_now(shop, ids[i], LATER), "no_recording");
    int64_t asked_alone = afresh(shop, ids, 1, &alone);
    int64_t asked_together = afresh(shop, ids, 2, &together);
    assert_int_equal(alone.good, MANY);
    assert_int_equal(together.good, MANY);
    assert_memory_equal(together.sha256, alone.sha256, sizeof(alone.sha256));
    assert_memory_equal(together.frame_at_us, alone.frame_at_us, sizeof(alone.frame_at_us));
    assert_int_equal(asked_together > asked_alone, sysconf(_SC_NPROCESSORS_ONLN) > 1);
}

static void a_damaged_recording_costs_only_its_own_stills(void **state)
{
    struct shop *shop = *state;
    struct heard heard = {0};
    const char *const *ids = put_many(shop);
    for (int i = 0; i < MANY; i++)
        assert_string_not_equal(link_now(shop, ids[i], LATER), "no_recording");
    assert_int_equal(truncate(minute_path(shop, "cam1", 2), 5000), 0);
    /* What was read of it before would still be good. */
    okno_extract_index_sweep(okno_work_index_dir(shop->work), -1, INT64_MAX);
    many(shop, ids, MANY, &heard);
    for (int i = 0; i < MANY; i++) {
        int64_t at_s = 20 + i * 7 % MANY * 6 + 5;
        bool hit = at_s >= 120 && at_s < 180;
        if ((heard.code[i] < 0) != hit)
            fail_msg("still at %lld s: %d", (long long)at_s, heard.code[i]);
    }
    assert_true(heard.failed >= 5 && heard.good >= 25);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_judged_by_their_measures),
        cmocka_unit_test(a_picture_is_frozen_only_without_any_noise_for_long),
        cmocka_unit_test(a_flag_needs_more_than_half_of_the_pictures),
        cmocka_unit_test(flags_are_found_in_drawn_pictures),
        cmocka_unit_test(the_demo_scene_has_no_flags),
        cmocka_unit_test(masks_are_read_from_percent),
        CASE(the_masks_of_a_moment_are_those_that_stood_then),
        CASE(a_sidecar_tells_the_time_of_every_frame),
        CASE(copies_follow_the_masks_and_leave_the_evidence_alone),
        CASE(a_copy_that_will_be_needed_is_made_with_the_clip),
        CASE(a_copy_that_is_not_as_it_was_made_is_made_again),
        CASE(no_copy_is_made_of_a_clip_that_was_changed),
        CASE(many_stills_are_those_that_one_by_one_would_be),
        CASE(many_stills_take_the_sessions_that_the_archive_allows),
        CASE(a_damaged_recording_costs_only_its_own_stills),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
