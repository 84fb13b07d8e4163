#define _POSIX_C_SOURCE 200809L
#include "inside.h"
#include "verify.h"
#include "writer.h"

#include <string.h>

/* A frame that went into the file. */
struct mark {
    int64_t at_us, end_us;
    int64_t slack_us; /* silence after it that is no gap */
    size_t input;
};
OKNO_VEC(mark_vec, struct mark);

struct clip {
    const struct okno_media_input *inputs;
    size_t count;
    int64_t from_us, to_us;
    bool audio;
    int fd;
    struct media_writer *writer; /* owned; from the first frame on */
    struct media_gop *gop;       /* owned; as long */
    struct mark_vec marks;       /* owned; in decode order */
    bool broken;                 /* a recording ended in rubbish */
};

static void clip_clear(struct clip *clip)
{
    media_writer_close(clip->writer);
    media_gop_free(clip->gop);
    mark_vec_free(&clip->marks);
}

static int mark_frame(struct clip *clip, const struct media_reader *reader, const AVPacket *packet,
                      size_t input, struct okno_err *err)
{
    int64_t stale = media_stale_us(reader->frame_us);
    int64_t at = media_reader_us(reader, reader->video, packet->pts);
    int64_t lasts = media_reader_us(reader, reader->video, packet->pts + packet->duration) - at;
    if (lasts <= 0 || lasts > stale)
        lasts = reader->frame_us;
    struct mark mark = {
        .at_us = at, .end_us = at + lasts, .slack_us = stale - lasts, .input = input};
    if (clip->marks.len >= MEDIA_MAX_FRAMES)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d frames in one clip", MEDIA_MAX_FRAMES);
    if (mark_vec_push(&clip->marks, mark) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a clip");
    return 0;
}

static int emit(struct clip *clip, const struct media_reader *reader, AVPacket *packet,
                size_t input, struct okno_err *err)
{
    bool video = media_is_video(reader, packet);
    int rc = video ? mark_frame(clip, reader, packet, input, err) : 0;
    if (rc == 0)
        rc = media_writer_convert(clip->writer, reader, packet, err);
    if (rc > 0 && video)
        media_gop_take(clip->gop, packet); /* while more is on its way */
    if (rc > 0)
        rc = media_writer_write(clip->writer, reader, packet, err);
    av_packet_unref(packet);
    return rc;
}

/* One recording's part of the clip: from a key frame to `until`. */
struct part {
    struct clip *clip;
    struct media_reader *reader;
    size_t input;
    int64_t key_us; /* the first frame; pictures before it are not decodable or not wanted */
    int64_t until_us;
    struct media_packet_vec late; /* frames past `until`, needed only if an earlier one follows */
    bool seen, heard;             /* all pictures, all sound */
    bool done;
};

/* Sound may lie so far behind its pictures: fragments hold all of one, then all of the other. */
#define SOUND_BEHIND_US (3 * AV_TIME_BASE / 2)

/* Whether anything of the part may still come, now that this packet did. */
static void part_look(struct part *part, const AVPacket *packet, bool video, int64_t at_us)
{
    const struct media_reader *reader = part->reader;
    if (!video) {
        part->heard |= at_us >= part->until_us;
    } else {
        int64_t dts_us = media_reader_us(reader, reader->video, packet->dts);
        part->seen |= dts_us >= part->until_us;
        part->heard |= !reader->audio || dts_us >= part->until_us + SOUND_BEHIND_US;
    }
    part->done = part->seen && part->heard;
}

static int part_take(struct part *part, AVPacket *packet, struct okno_err *err)
{
    struct media_reader *reader = part->reader;
    bool video = media_is_video(reader, packet);
    const AVStream *stream = video ? reader->video : reader->audio;
    int64_t at = media_reader_us(reader, stream, packet->pts);
    part_look(part, packet, video, at);
    bool over = video ? part->seen : at >= part->until_us;
    if (part->done || over || at < part->key_us) {
        av_packet_unref(packet);
        return 0;
    }
    if (at >= part->until_us)
        return media_packets_move(&part->late, packet, err);
    int rc = 0;
    for (size_t i = 0; video && rc == 0 && i < part->late.len; i++)
        rc = emit(part->clip, reader, part->late.items[i], part->input, err);
    if (video)
        media_packets_clear(&part->late);
    return rc < 0 ? rc : emit(part->clip, reader, packet, part->input, err);
}

static int part_read_on(struct part *part, struct okno_err *err)
{
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    int rc = 0;
    while (!part->done && (rc = media_reader_next(part->reader, packet, err)) > 0) {
        rc = part_take(part, packet, err);
        if (rc < 0)
            break;
    }
    av_packet_free(&packet);
    return rc < 0 ? rc : 0;
}

/* Whether a recording that ended while its key frame was looked for still shows something in the
 * asked interval. */
static bool shows(const struct clip *clip, const struct media_reader *reader,
                  const struct media_packet_vec *packets)
{
    for (size_t i = 0; i < packets->len; i++) {
        const AVPacket *packet = packets->items[i];
        if (media_is_video(reader, packet) &&
            media_reader_us(reader, reader->video, packet->pts) + reader->frame_us > clip->from_us)
            return true;
    }
    return false;
}

static int clip_begin(struct clip *clip, const struct media_reader *reader, const AVPacket *base,
                      struct okno_err *err)
{
    int rc = media_writer_open(clip->fd, reader, base, &clip->writer, err);
    return rc < 0 ? rc
                  : media_gop_new(clip->writer->codecs[MEDIA_VIDEO], reader->video->time_base,
                                  &clip->gop, err);
}

/* Copy the frames of one recording from the last key frame at or before at_us to until_us. */
static int part_copy(struct clip *clip, struct media_reader *reader, size_t input, int64_t at_us,
                     int64_t until_us, struct okno_err *err)
{
    MEDIA_AUTO_PACKETS packets = {0};
    int rc = media_reader_start(reader, at_us, until_us, &packets, err);
    if (rc <= 0) {
        clip->broken |= reader->broken;
        return rc;
    }
    int64_t key_us = media_reader_us(reader, reader->video, packets.items[0]->pts);
    if (key_us >= until_us || !shows(clip, reader, &packets))
        return 0;
    rc = clip->writer ? media_writer_follow(clip->writer, reader, err)
                      : clip_begin(clip, reader, packets.items[0], err);
    struct part part = {
        .clip = clip, .reader = reader, .input = input, .key_us = key_us, .until_us = until_us};
    for (size_t i = 0; rc == 0 && !part.done && i < packets.len; i++)
        rc = part_take(&part, packets.items[i], err);
    if (rc == 0)
        rc = part_read_on(&part, err);
    media_packets_free(&part.late);
    clip->broken |= reader->broken;
    return rc;
}

/* Where the next recording takes over from this one. */
struct border {
    struct media_reader *next; /* opened for the look; owned */
    size_t next_at;            /* its index; count: there is none */
    int64_t until_us;          /* this one's part ends here */
    int64_t end_us;            /* this recording's end, where it had to be known */
    int64_t take_us;           /* the next one's part begins here; INT64_MIN: at its beginning */
};

static int open_input(const struct clip *clip, size_t i, struct media_reader **ret_reader,
                      struct okno_err *err)
{
    return media_reader_open(&clip->inputs[i], clip->audio, ret_reader, err);
}

/* The time of the key frame from which `next` can take over inside the earlier recording. */
static int takeover(struct media_reader *next, int64_t end_us, int64_t *ret_key_us,
                    struct okno_err *err)
{
    MEDIA_AUTO_PACKETS packets = {0};
    int rc = media_reader_start(next, end_us, end_us, &packets, err);
    if (rc < 0)
        return rc;
    *ret_key_us = rc == 0 ? end_us : media_reader_us(next, next->video, packets.items[0]->pts);
    return 0;
}

/* Recorders that begin a file with what they had already (motion, for one) write the same frames
 * into both. */
struct same {
    const struct media_reader *reader, *next;
    const AVPacket *first; /* of next: its first key frame */
    int64_t expected_us;
    int64_t at_us; /* where it stands in the earlier one, nearest to what was expected */
    bool found;
};

static void look_for_same(struct same *same, const AVPacket *packet)
{
    if (!media_is_video(same->reader, packet) || packet->size != same->first->size ||
        memcmp(packet->data, same->first->data, (size_t)packet->size) != 0)
        return;
    int64_t at = media_reader_us(same->reader, same->reader->video, packet->pts);
    if (same->found && llabs(at - same->expected_us) >= llabs(same->at_us - same->expected_us))
        return;
    same->found = true;
    same->at_us = at;
}

static int search_tail(struct media_reader *reader, int64_t from_us, int64_t end_us,
                       struct same *same, struct okno_err *err)
{
    MEDIA_AUTO_PACKETS packets = {0};
    AVPacket *packet = av_packet_alloc();
    int rc = packet ? media_reader_start(reader, from_us, end_us, &packets, err)
                    : okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    for (size_t i = 0; rc > 0 && i < packets.len; i++)
        look_for_same(same, packets.items[i]);
    for (int i = 0; rc > 0 && i < MEDIA_MAX_FRAMES; i++) {
        rc = media_reader_next(reader, packet, err);
        if (rc > 0)
            look_for_same(same, packet);
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    return rc < 0 ? rc : 0;
}

/* Names of whole seconds are usual; of recorders that are worse than that, neighbours may share
 * frames although their times say that they do not touch. */
static int64_t loose_us(const struct okno_media_input *input)
{
    return input->error_us > 5 * AV_TIME_BASE / 4 ? input->error_us : 0;
}

/* Put `next` where its first key frame stands in the earlier recording too; whether it does. */
static int align_same(struct media_reader *reader, struct media_reader *next, int64_t error_us,
                      int64_t end_us, bool *ret_same, struct okno_err *err)
{
    MEDIA_AUTO_PACKETS packets = {0};
    int64_t reach_us = 2 * error_us + 2 * AV_TIME_BASE;
    int rc = media_reader_start(next, next->from_us, next->from_us, &packets, err);
    if (rc <= 0)
        return rc;
    const AVPacket *first = packets.items[0];
    int64_t lead_us = media_reader_us(next, next->video, first->pts) - next->from_us;
    struct same same = {
        .reader = reader, .next = next, .first = first, .expected_us = next->from_us + lead_us};
    int64_t from_us = same.expected_us - reach_us;
    rc = search_tail(reader, from_us > reader->from_us ? from_us : reader->from_us, end_us, &same,
                     err);
    if (rc == 0 && same.found)
        next->from_us = same.at_us - lead_us;
    *ret_same = same.found;
    return rc;
}

/* An overlap by less than the error of the names is no overlap: the later one moves behind, unless
 * both hold the same frames. A true overlap ends at the later one's last key frame inside the
 * earlier one, so that nothing is lost and nothing is there twice. */
static int border_overlap(struct border *border, struct media_reader *reader,
                          const struct okno_media_input *input, int64_t end_us,
                          struct okno_err *err)
{
    struct media_reader *next = border->next;
    bool same = false;
    if (end_us - next->from_us > 4 * next->frame_us || loose_us(input) > 0) {
        int rc = align_same(reader, next, input->error_us, end_us, &same, err);
        if (rc < 0)
            return rc;
    }
    if (!same && next->from_us >= end_us)
        return 0;
    if (!same && end_us - next->from_us <= input->error_us + next->frame_us / 2) {
        next->from_us = end_us;
        return 0;
    }
    int64_t key_us = 0;
    int rc = takeover(next, end_us, &key_us, err);
    if (rc < 0)
        return rc;
    border->take_us = key_us;
    if (key_us < border->until_us)
        border->until_us = key_us;
    return 0;
}

/* Look at the recordings behind input i that begin before it ends; those that end with it add
 * nothing and are skipped. */
static int border_find(const struct clip *clip, size_t i, struct media_reader *reader,
                       struct border *border, struct okno_err *err)
{
    *border = (struct border){
        .next_at = i + 1, .until_us = clip->to_us, .end_us = INT64_MAX, .take_us = INT64_MIN};
    if (i + 1 == clip->count || clip->inputs[i + 1].from_us >= clip->to_us)
        return 0;
    int64_t end_us = 0;
    int rc = media_reader_end(reader, &end_us, err);
    border->end_us = rc < 0 ? INT64_MAX : end_us;
    for (size_t k = i + 1; rc == 0 && k < clip->count; k++) {
        border->next_at = k;
        if (clip->inputs[k].from_us - loose_us(&clip->inputs[k]) >= end_us ||
            clip->inputs[k].from_us >= clip->to_us)
            return 0;
        int64_t next_end = 0;
        rc = open_input(clip, k, &border->next, err);
        if (rc == 0)
            rc = media_reader_end(border->next, &next_end, err);
        if (rc == 0 && next_end > end_us + border->next->frame_us / 2)
            return border_overlap(border, reader, &clip->inputs[k], end_us, err);
        media_reader_close(border->next);
        border->next = NULL;
        border->next_at = clip->count;
    }
    return rc;
}

static int copy_all(struct clip *clip, struct okno_err *err)
{
    OKNO_AUTO(media_reader) *reader = NULL;
    int64_t take_us = INT64_MIN;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < clip->count;) {
        if (!reader && clip->inputs[i].from_us >= clip->to_us)
            break;
        if (!reader)
            rc = open_input(clip, i, &reader, err);
        struct border border = {0};
        if (rc == 0)
            rc = border_find(clip, i, reader, &border, err);
        int64_t at = clip->writer ? take_us : clip->from_us;
        if (rc == 0 && border.until_us > clip->from_us && border.end_us > clip->from_us)
            rc = part_copy(clip, reader, i, at > reader->from_us ? at : reader->from_us,
                           border.until_us, err);
        take_us = border.take_us;
        media_reader_close(reader);
        reader = border.next;
        i = border.next_at;
    }
    return rc;
}

static int mark_order(const void *a, const void *b)
{
    const struct mark *left = a;
    const struct mark *right = b;
    return (left->at_us > right->at_us) - (left->at_us < right->at_us);
}

static int gap_add(struct okno_media_result *result, const struct clip *clip, int64_t from_us,
                   int64_t to_us, int64_t slack_us)
{
    from_us = from_us > clip->from_us ? from_us : clip->from_us;
    to_us = to_us < clip->to_us ? to_us : clip->to_us;
    if (to_us - from_us <= slack_us)
        return 0;
    return okno_interval_vec_push(&result->gaps, (struct okno_interval){from_us, to_us});
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Sort the frames by time and name the holes between them. */
static int find_gaps(struct clip *clip, struct okno_media_result *result)
{
    const struct mark *marks = clip->marks.items;
    size_t len = clip->marks.len;
    qsort(clip->marks.items, len, sizeof(*marks), mark_order);
    int64_t border = 2 * (marks[0].end_us - marks[0].at_us);
    int rc = gap_add(result, clip, INT64_MIN, marks[0].at_us, border);
    for (size_t i = 1; rc == 0 && i < len; i++) {
        bool same = marks[i].input == marks[i - 1].input;
        int64_t error = larger(clip->inputs[marks[i].input].error_us,
                               clip->inputs[marks[i - 1].input].error_us);
        int64_t slack = same ? marks[i - 1].slack_us : border + error;
        rc = gap_add(result, clip, marks[i - 1].end_us, marks[i].at_us, slack);
    }
    return rc == 0 ? gap_add(result, clip, marks[len - 1].end_us, INT64_MAX, border) : rc;
}

static int clip_describe(struct clip *clip, struct okno_media_result *result, struct okno_err *err)
{
    if (find_gaps(clip, result) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a clip");
    const struct mark *marks = clip->marks.items;
    const AVCodecParameters *codec = clip->writer->codecs[MEDIA_VIDEO];
    result->frames = (int64_t)clip->marks.len;
    result->got_from_us = result->first_frame_us = marks[0].at_us;
    result->last_frame_us = marks[clip->marks.len - 1].at_us;
    result->got_to_us = marks[clip->marks.len - 1].end_us;
    result->width = clip->writer->width;
    result->height = clip->writer->height;
    result->audio = clip->writer->tracks[MEDIA_AUDIO].samples.len > 0;
    (void)snprintf(result->codec, sizeof(result->codec), "%s", avcodec_get_name(codec->codec_id));
    return 0;
}

static bool reaches(const struct clip *clip)
{
    for (size_t i = 0; i < clip->marks.len; i++)
        if (clip->marks.items[i].end_us + clip->marks.items[i].slack_us > clip->from_us)
            return true;
    return false;
}

static int clip_make(struct clip *clip, struct okno_media_result *result, struct okno_err *err)
{
    int rc = copy_all(clip, err);
    if (rc < 0)
        return rc;
    if (!reaches(clip) && clip->broken)
        return media_fail(err, OKNO_MEDIA, 0, "the recording breaks off before the asked moment");
    if (!reaches(clip))
        return okno_fail(err, OKNO_NO_COVERAGE, "nothing is recorded in the asked interval");
    rc = media_writer_finish(clip->writer, err);
    if (rc == 0)
        rc = clip_describe(clip, result, err);
    return rc < 0 ? rc : media_verify_clip(clip->fd, clip->gop, result, err);
}

int media_clip(const struct okno_media_input *inputs, size_t count, int64_t from_us, int64_t to_us,
               bool audio, int fd, struct okno_media_result *ret_result, struct okno_err *err)
{
    struct clip clip = {.inputs = inputs,
                        .count = count,
                        .from_us = from_us,
                        .to_us = to_us,
                        .audio = audio,
                        .fd = fd};
    struct okno_media_result result = {0};
    int rc = clip_make(&clip, &result, err);
    clip_clear(&clip);
    if (rc < 0) {
        okno_media_result_free(&result);
        return rc;
    }
    *ret_result = result;
    return 0;
}
