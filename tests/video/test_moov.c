/* The index of an MP4, for sizes that no test could write. */
#define _GNU_SOURCE /* memmem */
#include "../../src/video/media/bytes.h"
#include "../../src/video/media/moov.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 5, SIZE = 1 << 30 };

static struct media_track track_of(size_t count, uint32_t size)
{
    struct media_track track = {
        .video = true, .timescale = 90000, .lasts = 6000, .width = 64 << 16, .height = 48 << 16};
    track.entries.max = 64;
    assert_int_equal(okno_buf_add(&track.entries, "\0\0\0\10none", 8, NULL), 0);
    track.entry_count = 1;
    for (size_t i = 0; i < count; i++) {
        struct media_sample sample = {.at = (int64_t)(i * (uint64_t)size),
                                      .pts = (int64_t)i * 6000,
                                      .dts = (int64_t)i * 6000,
                                      .size = size,
                                      .key = i == 0};
        assert_int_equal(media_sample_vec_push(&track.samples, sample), 0);
    }
    return track;
}

static const uint8_t *box_of(const struct okno_buf *index, const char type[4])
{
    const uint8_t *at = memmem(index->data, index->len, type, 4);
    assert_non_null(at);
    return at + 4;
}

static void media_data_beyond_four_gigabytes_have_long_offsets_and_a_long_head(void **state)
{
    (void)state;
    OKNO_AUTO_BUF index = OKNO_BUF_INIT(65536);
    struct media_track track = track_of(MANY, SIZE);
    track.samples.items[MANY - 1].at += 100; /* a chunk of its own */
    int64_t bytes = (int64_t)MANY * SIZE + 100;
    assert_int_equal(media_moov_add(&track, 1, bytes, &index, NULL), 0);
    assert_null(memmem(index.data, index.len, "stco", 4));
    const uint8_t *offsets = box_of(&index, "co64");
    assert_int_equal(media_be32(offsets + 4), 2);
    assert_int_equal(media_be64(offsets + 8), index.len);
    assert_int_equal(media_be64(offsets + 16),
                     (int64_t)index.len + (MANY - 1) * (int64_t)SIZE + 100);
    const uint8_t *head = (const uint8_t *)index.data + index.len - 16;
    assert_int_equal(media_be32(head), 1);
    assert_memory_equal(head + 4, "mdat", 4);
    assert_int_equal(media_be64(head + 8), bytes + 16);
    media_track_clear(&track);
}

static void media_data_below_that_have_short_ones(void **state)
{
    (void)state;
    OKNO_AUTO_BUF index = OKNO_BUF_INIT(65536);
    struct media_track track = track_of(3, 1000);
    assert_int_equal(media_moov_add(&track, 1, 3000, &index, NULL), 0);
    assert_null(memmem(index.data, index.len, "co64", 4));
    assert_int_equal(media_be32(box_of(&index, "stco") + 8), index.len);
    assert_int_equal(media_be32((const uint8_t *)index.data + index.len - 8), 3008);
    media_track_clear(&track);
}

/* Two runs: frames that are 6000 ticks apart, one that waits for an hour, and the rest. */
static void a_hole_is_the_duration_of_the_frame_before_it(void **state)
{
    (void)state;
    OKNO_AUTO_BUF index = OKNO_BUF_INIT(65536);
    struct media_track track = track_of(4, 10);
    for (size_t i = 2; i < 4; i++)
        track.samples.items[i].pts = track.samples.items[i].dts += INT64_C(3600) * 90000;
    assert_int_equal(media_moov_add(&track, 1, 40, &index, NULL), 0);
    const uint8_t *times = box_of(&index, "stts") + 4;
    assert_int_equal(media_be32(times), 3);
    assert_int_equal(media_be32(times + 12), 1);
    assert_int_equal(media_be32(times + 16), 3600 * 90000 + 6000);
    media_track_clear(&track);
}

static void an_index_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO_BUF index = OKNO_BUF_INIT(512);
    struct okno_err err = {0};
    struct media_track track = track_of(100, 10);
    assert_int_equal(media_moov_add(&track, 1, 1000, &index, &err), OKNO_TOO_LARGE);
    media_track_clear(&track);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_data_beyond_four_gigabytes_have_long_offsets_and_a_long_head),
        cmocka_unit_test(media_data_below_that_have_short_ones),
        cmocka_unit_test(a_hole_is_the_duration_of_the_frame_before_it),
        cmocka_unit_test(an_index_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
