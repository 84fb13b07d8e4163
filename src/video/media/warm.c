/* Make the libraries ready before any recording is there. */
#define _GNU_SOURCE
#include "child.h"

#include "confine.h"
#include "inside.h"

#include "okno/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Our own picture: six frames of H.264, 48x32, with B frames, in an MP4 of 1107 bytes. Made with
 *     ffmpeg -f lavfi -i testsrc2=s=48x32:r=10:d=0.6 -pix_fmt yuv420p -c:v libx264 -bf 2
 *         -b_strategy 0 -g 60 -crf 45 -bsf:v filter_units=remove_types=6 -movflags +faststart */
/* clang-format off */
static const uint8_t picture[] = {
    0, 0, 0, 32, 102, 116, 121, 112, 105, 115, 111, 109, 0, 0, 2, 0, 105, 115, 111, 109,
    105, 115, 111, 50, 97, 118, 99, 49, 109, 112, 52, 49, 0, 0, 3, 84, 109, 111, 111, 118,
    0, 0, 0, 108, 109, 118, 104, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 3, 232, 0, 0, 2, 88, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 2, 163, 116, 114, 97, 107, 0, 0, 0, 92,
    116, 107, 104, 100, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0, 0, 0, 0, 0, 0, 2, 88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0,
    0, 48, 0, 0, 0, 32, 0, 0, 0, 0, 0, 36, 101, 100, 116, 115, 0, 0, 0, 28,
    101, 108, 115, 116, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 88, 0, 0, 8, 0,
    0, 1, 0, 0, 0, 0, 2, 27, 109, 100, 105, 97, 0, 0, 0, 32, 109, 100, 104, 100,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 24, 0,
    85, 196, 0, 0, 0, 0, 0, 45, 104, 100, 108, 114, 0, 0, 0, 0, 0, 0, 0, 0,
    118, 105, 100, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 86, 105, 100, 101,
    111, 72, 97, 110, 100, 108, 101, 114, 0, 0, 0, 1, 198, 109, 105, 110, 102, 0, 0, 0,
    20, 118, 109, 104, 100, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    36, 100, 105, 110, 102, 0, 0, 0, 28, 100, 114, 101, 102, 0, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 12, 117, 114, 108, 32, 0, 0, 0, 1, 0, 0, 1, 134, 115, 116, 98,
    108, 0, 0, 0, 190, 115, 116, 115, 100, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    174, 97, 118, 99, 49, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48, 0, 32, 0, 72, 0, 0, 0, 72, 0,
    0, 0, 0, 0, 0, 0, 1, 12, 76, 97, 118, 99, 32, 108, 105, 98, 120, 50, 54, 52,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    24, 255, 255, 0, 0, 0, 52, 97, 118, 99, 67, 1, 100, 0, 10, 255, 225, 0, 23, 103,
    100, 0, 10, 172, 217, 77, 108, 4, 64, 0, 0, 3, 0, 64, 0, 0, 5, 3, 196, 137,
    101, 128, 1, 0, 6, 104, 235, 224, 77, 44, 139, 253, 248, 248, 0, 0, 0, 0, 16, 112,
    97, 115, 112, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 20, 98, 116, 114, 116, 0,
    0, 0, 0, 0, 0, 10, 200, 0, 0, 10, 200, 0, 0, 0, 24, 115, 116, 116, 115, 0,
    0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 4, 0, 0, 0, 0, 20, 115,
    116, 115, 115, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 56, 99,
    116, 116, 115, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 8, 0, 0,
    0, 0, 1, 0, 0, 16, 0, 0, 0, 0, 2, 0, 0, 4, 0, 0, 0, 0, 1, 0,
    0, 12, 0, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 0, 28, 115, 116, 115, 99, 0,
    0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 1, 0,
    0, 0, 44, 115, 116, 115, 122, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0,
    0, 0, 128, 0, 0, 0, 23, 0, 0, 0, 13, 0, 0, 0, 13, 0, 0, 0, 18, 0,
    0, 0, 12, 0, 0, 0, 20, 115, 116, 99, 111, 0, 0, 0, 0, 0, 0, 0, 1, 0,
    0, 3, 132, 0, 0, 0, 61, 117, 100, 116, 97, 0, 0, 0, 53, 109, 101, 116, 97, 0,
    0, 0, 0, 0, 0, 0, 33, 104, 100, 108, 114, 0, 0, 0, 0, 0, 0, 0, 0, 109,
    100, 105, 114, 97, 112, 112, 108, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8,
    105, 108, 115, 116, 0, 0, 0, 8, 102, 114, 101, 101, 0, 0, 0, 215, 109, 100, 97, 116,
    0, 0, 0, 124, 101, 136, 132, 0, 223, 17, 10, 233, 142, 233, 186, 166, 254, 103, 53, 102,
    86, 181, 76, 0, 136, 138, 160, 3, 55, 154, 95, 83, 7, 24, 142, 140, 254, 144, 75, 96,
    191, 216, 197, 116, 236, 181, 42, 218, 71, 186, 39, 211, 10, 69, 55, 53, 82, 27, 240, 38,
    127, 243, 206, 96, 149, 211, 101, 143, 124, 78, 180, 189, 188, 243, 183, 50, 136, 36, 140, 55,
    181, 171, 135, 58, 151, 75, 93, 134, 87, 143, 160, 180, 254, 99, 156, 231, 237, 163, 108, 14,
    179, 228, 219, 49, 49, 104, 178, 16, 139, 97, 20, 224, 232, 106, 220, 32, 7, 22, 39, 175,
    15, 50, 84, 181, 249, 10, 82, 193, 0, 0, 0, 19, 65, 154, 35, 108, 69, 127, 242, 197,
    68, 81, 50, 154, 172, 206, 163, 2, 90, 34, 32, 0, 0, 0, 9, 65, 158, 65, 120, 140,
    255, 252, 240, 97, 0, 0, 0, 9, 1, 158, 98, 106, 70, 127, 249, 86, 64, 0, 0, 0,
    14, 65, 154, 101, 73, 168, 65, 104, 153, 76, 20, 241, 159, 182, 129, 0, 0, 0, 8, 1,
    158, 132, 106, 70, 127, 217, 129,
};
/* clang-format on */

static int picture_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                        struct okno_err *err)
{
    (void)ctx;
    (void)err;
    size_t at = (size_t)offset;
    size_t left = at < sizeof(picture) ? sizeof(picture) - at : 0;
    *ret_got = len < left ? len : left;
    memcpy(into, picture + at, *ret_got);
    return 0;
}

/* The untouched huge pages at the top of the heap; 0: none. */
static uintptr_t room_begin;

enum { HUGE_BYTES = 2 * 1024 * 1024, HEAP_BYTES = 30 * 1024 * 1024 };

/* A child touches megabytes of fresh memory for its pictures, and a page fault for each 4 KiB costs
 * more than decoding: leave room at the top of the heap, on a border of huge pages, that comes in
 * huge pages when a child touches it. Nothing is touched here. */
static void heap_prepare(void)
{
    if (CONFINE_SANITIZED) /* its allocator is another one */
        return;
    (void)mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)mallopt(M_TOP_PAD, 8 * 1024 * 1024);
    void *probe = malloc(HEAP_BYTES);
    /* cppcheck-suppress uninitdata; only its address matters */
    size_t before = HUGE_BYTES - (uintptr_t)probe % HUGE_BYTES;
    free(probe);
    /* Stays: the heap goes on just before the border, so that the first huge page is untouched. */
    static void *filler;
    filler = malloc(before > 64 ? before - 64 : HUGE_BYTES);
    void *room[2] = {malloc(HEAP_BYTES), malloc(HEAP_BYTES)};
    uintptr_t from = ((uintptr_t)room[0] + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    uintptr_t to = ((uintptr_t)room[1] + HEAP_BYTES) / HUGE_BYTES * HUGE_BYTES;
    free(room[1]);
    free(room[0]);
    if (filler && room[0] && room[1] && from < to && to - from < 3 * (uintptr_t)HEAP_BYTES)
        room_begin = madvise((void *)from, to - from, MADV_HUGEPAGE) == 0 ? from : 0;
}

/* The first two pages, which every job needs: free memory, still zero. */
void media_child_ready(void)
{
    if (!room_begin)
        heap_prepare();
    for (uintptr_t at = room_begin; at && at < room_begin + 2 * (uintptr_t)HUGE_BYTES;
         at += HUGE_BYTES)
        *(volatile uint8_t *)at = 0;
}

/* What goes wrong here goes wrong again, and is told, with the first recording. */
void media_child_warm(void)
{
    struct okno_source source = {.size = sizeof(picture), .read_at = picture_read};
    const struct okno_media_input input = {.source = &source, .format = "mov"};
    struct okno_media_result result = {0};
    okno_autoclose int still = memfd_create("okno-warm", MFD_CLOEXEC);
    okno_autoclose int clip = memfd_create("okno-warm", MFD_CLOEXEC);
    if (still < 0 || clip < 0)
        return;
    /* Large blocks go back to the system: what stays in the heap is copied by each child that
     * writes to it. */
    (void)mallopt(M_MMAP_THRESHOLD, 16 * 1024);
    if (media_still(&input, 1, 500000, still, &result, NULL) == 0)
        okno_media_result_free(&result);
    if (media_clip(&input, 1, 0, 500000, false, clip, &result, NULL) == 0)
        okno_media_result_free(&result);
    heap_prepare();
}
