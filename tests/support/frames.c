#include "frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include <cmocka.h>

/* Twelve black or white blocks in the lowest rows, the lowest bit first. */
static int number_of(const AVFrame *frame)
{
    int number = 0;
    for (int i = 0; i < FRAME_BLOCKS; i++) {
        const uint8_t *row =
            frame->data[0] + (ptrdiff_t)(frame->height - FRAME_BLOCK / 2) * frame->linesize[0];
        int light = row[i * FRAME_BLOCK + FRAME_BLOCK / 2];
        if (light > 80 && light < 170)
            return -1;
        number |= (light > 128) << i;
    }
    return number;
}

static uint64_t hash_of(const AVFrame *frame)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < (plane ? frame->height / 2 : frame->height); y++) {
            const uint8_t *row = frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane];
            for (int x = 0; x < (plane ? frame->width / 2 : frame->width); x++)
                hash = (hash ^ row[x]) * UINT64_C(1099511628211);
        }
    return hash;
}

static void frames_take(AVCodecContext *codec, AVRational base, AVFrame *frame, int64_t *first,
                        struct seen_frames *frames)
{
    while (avcodec_receive_frame(codec, frame) >= 0) {
        int64_t at = frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
        int64_t at_us = SEEN_NEVER;
        *first = frames->len == 0 ? at : *first;
        if (at != AV_NOPTS_VALUE)
            at_us = av_rescale_q(at - *first, base, AV_TIME_BASE_Q);
        assert_true(frames->len < SEEN_FRAMES_MAX);
        frames->items[frames->len++] =
            (struct seen_frame){.at_us = at_us,
                                .hash = hash_of(frame),
                                .number = number_of(frame),
                                .key = frame->key_frame && frame->pict_type == AV_PICTURE_TYPE_I};
        av_frame_unref(frame);
    }
}

static void codec_name(const AVFormatContext *file, enum AVMediaType type, char ret_name[32])
{
    for (unsigned i = 0; i < file->nb_streams; i++)
        if (file->streams[i]->codecpar->codec_type == type)
            (void)snprintf(ret_name, 32, "%s",
                           avcodec_get_name(file->streams[i]->codecpar->codec_id));
}

void seen_frames_read(const char *path, struct seen_frames *frames)
{
    AVFormatContext *file = NULL;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    const AVCodec *decoder = NULL;
    int64_t first = 0;
    av_log_set_level(AV_LOG_QUIET);
    frames->len = 0;
    frames->video[0] = frames->sound[0] = '\0';
    assert_int_equal(avformat_open_input(&file, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(file, NULL) >= 0);
    codec_name(file, AVMEDIA_TYPE_VIDEO, frames->video);
    codec_name(file, AVMEDIA_TYPE_AUDIO, frames->sound);
    int video = av_find_best_stream(file, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
    assert_true(video >= 0);
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    assert_true(avcodec_parameters_to_context(codec, file->streams[video]->codecpar) >= 0);
    codec->thread_count = 1;
    codec->pkt_timebase = file->streams[video]->time_base;
    assert_int_equal(avcodec_open2(codec, decoder, NULL), 0);
    while (av_read_frame(file, packet) >= 0) {
        if (packet->stream_index == video) {
            (void)avcodec_send_packet(codec, packet);
            frames_take(codec, codec->pkt_timebase, frame, &first, frames);
        }
        av_packet_unref(packet);
    }
    (void)avcodec_send_packet(codec, NULL);
    frames_take(codec, codec->pkt_timebase, frame, &first, frames);
    avcodec_free_context(&codec);
    av_frame_free(&frame);
    av_packet_free(&packet);
    avformat_close_input(&file);
}
