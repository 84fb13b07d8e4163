/* strip: read the true time from pictures of the animated shop (tools/scene), with no help from the
 * product's own video code.
 *
 *     build/tools/strip [--first | --last | --all | --at PTS] FILE
 *
 * FILE is a JPEG or anything that libavformat reads. Prints a line per frame, in order of display:
 * its number from 0, its timestamp in microseconds, the strip's UTC milliseconds. --all is the
 * default; --at gives the last frame at or before PTS microseconds.
 * Exit: 0; 1 cannot be read; 2 wrong usage; 3 no such frame; 6 a wanted frame has no valid strip
 * (printed as -1). */
#define _POSIX_C_SOURCE 200809L
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <stdbool.h>
#include <string.h>

#define CONTRAST_MIN 80 /* steps of luma between black and white blocks */

enum wanted { WANT_ALL, WANT_FIRST, WANT_LAST, WANT_AT };
enum { EXIT_UNREADABLE = 1, EXIT_WRONG_USAGE = 2, EXIT_NO_FRAME = 3, EXIT_NO_STRIP = 6 };

struct reader {
    enum wanted wanted;
    int64_t at_us;
    AVFormatContext *file;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    int stream;
    int64_t index; /* of the next frame */
    bool kept;     /* a line is held back: the last one so far */
    int64_t kept_index, kept_us, kept_ms;
    bool done, invalid, printed;
};

static const char usage[] =
    "usage: strip [--first | --last | --all | --at PTS] FILE\n"
    "Print frame number, timestamp in microseconds and the time read from the picture's strip.\n"
    "Example: build/tools/strip --first clip.mp4\n";

/* Mean luma of a block's inner half: its edges may be smeared. */
static int block_luma(const AVFrame *f, int column)
{
    int block = f->width / STRIP_COLUMNS, inset = block / 4, sum = 0, count = 0;
    for (int y = f->height - block + inset; y < f->height - inset; y++)
        for (int x = column * block + inset; x < (column + 1) * block - inset; x++, count++)
            sum += f->data[0][(ptrdiff_t)y * f->linesize[0] + x];
    return count ? sum / count : 0;
}

/* The strip's milliseconds, or -1. */
static int64_t strip_read(const AVFrame *f)
{
    int luma[STRIP_BLOCKS], low = 255, high = 0;
    uint64_t word = 0;
    if (f->width < STRIP_COLUMNS * 4 || f->height < STRIP_COLUMNS)
        return -1;
    for (int i = 0; i < STRIP_BLOCKS; i++) {
        luma[i] = block_luma(f, STRIP_FIRST + i);
        low = luma[i] < low ? luma[i] : low;
        high = luma[i] > high ? luma[i] : high;
    }
    for (int i = 0; i < STRIP_BLOCKS; i++)
        word = word << 1 | (luma[i] > (low + high) / 2 ? 1U : 0U);
    uint64_t ms = word >> 12 & UINT64_C(0xffffffffffff);
    return high - low >= CONTRAST_MIN && word == strip_word(ms) ? (int64_t)ms : -1;
}

static void line_print(struct reader *r, int64_t index, int64_t us, int64_t ms)
{
    (void)printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", index, us, ms);
    r->printed = true;
    r->invalid = r->invalid || ms < 0;
}

static bool luma_is_plain(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    return d && !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) &&
           d->comp[0].depth == 8 && d->comp[0].plane == 0 && d->comp[0].step == 1;
}

static void frame_take(struct reader *r)
{
    AVRational base = r->file->streams[r->stream]->time_base;
    int64_t pts = r->frame->best_effort_timestamp;
    int64_t us = pts == AV_NOPTS_VALUE ? 0 : av_rescale_q(pts, base, (AVRational){1, 1000000});
    int64_t index = r->index++;
    if (r->done)
        return;
    if (r->wanted == WANT_AT && us > r->at_us) {
        r->done = true;
        return;
    }
    int64_t ms = luma_is_plain(r->frame) ? strip_read(r->frame) : -1;
    if (r->wanted == WANT_ALL || r->wanted == WANT_FIRST) {
        line_print(r, index, us, ms);
        r->done = r->wanted == WANT_FIRST;
        return;
    }
    r->kept = true;
    r->kept_index = index;
    r->kept_us = us;
    r->kept_ms = ms;
}

static int decode(struct reader *r, const AVPacket *packet)
{
    int e = avcodec_send_packet(r->codec, packet);
    while (e >= 0) {
        e = avcodec_receive_frame(r->codec, r->frame);
        if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
            return 0;
        if (e >= 0)
            frame_take(r);
    }
    return e;
}

/* A JPEG has no name that can be relied on: evidence is called by its hash. */
static const AVInputFormat *format_of(const char *path)
{
    unsigned char head[3] = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    size_t got = fread(head, 1, sizeof(head), file);
    (void)fclose(file);
    bool jpeg = got == sizeof(head) && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
    return jpeg ? av_find_input_format("jpeg_pipe") : NULL;
}

static int reader_open(struct reader *r, const char *path)
{
    const AVCodec *codec = NULL;
    char url[4096];
    int n = snprintf(url, sizeof(url), "file:%s", path);
    if (n < 0 || (size_t)n >= sizeof(url))
        return AVERROR(ENAMETOOLONG);
    int e = avformat_open_input(&r->file, url, format_of(path), NULL);
    if (e >= 0)
        e = avformat_find_stream_info(r->file, NULL);
    if (e >= 0)
        e = r->stream = av_find_best_stream(r->file, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (e < 0)
        return e;
    r->codec = avcodec_alloc_context3(codec);
    r->packet = av_packet_alloc();
    r->frame = av_frame_alloc();
    if (!r->codec || !r->packet || !r->frame)
        return AVERROR(ENOMEM);
    r->codec->thread_count = 1;
    r->codec->pkt_timebase = r->file->streams[r->stream]->time_base;
    e = avcodec_parameters_to_context(r->codec, r->file->streams[r->stream]->codecpar);
    return e < 0 ? e : avcodec_open2(r->codec, codec, NULL);
}

static int reader_run(struct reader *r)
{
    int e = 0;
    while (e >= 0 && !r->done && (e = av_read_frame(r->file, r->packet)) >= 0) {
        if (r->packet->stream_index == r->stream)
            e = decode(r, r->packet);
        av_packet_unref(r->packet);
    }
    if (e == AVERROR_EOF)
        e = decode(r, NULL);
    if (e >= 0 && r->kept)
        line_print(r, r->kept_index, r->kept_us, r->kept_ms);
    return e;
}

static void reader_close(struct reader *r)
{
    av_frame_free(&r->frame);
    av_packet_free(&r->packet);
    avcodec_free_context(&r->codec);
    avformat_close_input(&r->file);
}

/* 0, or what main returns. */
static int arguments_read(int argc, char **argv, struct reader *r, const char **ret_path)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--all") == 0) {
            r->wanted = WANT_ALL;
        } else if (strcmp(argv[i], "--first") == 0) {
            r->wanted = WANT_FIRST;
        } else if (strcmp(argv[i], "--last") == 0) {
            r->wanted = WANT_LAST;
        } else if (strcmp(argv[i], "--at") == 0 && i + 1 < argc) {
            r->wanted = WANT_AT;
            errno = 0;
            r->at_us = strtoll(argv[++i], &end, 10);
            if (errno || end == argv[i] || *end)
                break;
        } else {
            break;
        }
    }
    if (i + 1 != argc || strncmp(argv[i], "--", 2) == 0) {
        (void)fputs(usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    *ret_path = argv[i];
    return 0;
}

int main(int argc, char **argv)
{
    struct reader r = {0};
    const char *path = NULL;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    int e = arguments_read(argc, argv, &r, &path);
    if (e)
        return e;
    av_log_set_level(AV_LOG_FATAL);
    e = reader_open(&r, path);
    if (e >= 0)
        e = reader_run(&r);
    reader_close(&r);
    if (e < 0) {
        char text[AV_ERROR_MAX_STRING_SIZE] = "";
        (void)av_strerror(e, text, sizeof(text));
        (void)fprintf(stderr, "strip: %s: %s\n", path, text);
        return EXIT_UNREADABLE;
    }
    if (fflush(stdout) != 0)
        return EXIT_UNREADABLE;
    if (!r.printed)
        return EXIT_NO_FRAME;
    return r.invalid ? EXIT_NO_STRIP : 0;
}
