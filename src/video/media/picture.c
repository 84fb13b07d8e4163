#define _POSIX_C_SOURCE 200809L
#include "picture.h"

#include <libavutil/display.h>
#include <math.h>

enum { FINE_COLUMNS = 320, FINE_ROWS = 180, CELL = 10, HD_HEIGHT = 576 };

/* The matrix of a picture that does not say: as browsers guess. JPEG files are BT.601. */
static int matrix_of(const AVFrame *frame)
{
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    case AVCOL_SPC_UNSPECIFIED:
        return frame->height > HD_HEIGHT ? SWS_CS_ITU709 : SWS_CS_ITU601;
    default:
        return SWS_CS_ITU601;
    }
}

static bool is_full_range(const AVFrame *frame)
{
    return frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P ||
           frame->format == AV_PIX_FMT_YUVJ422P || frame->format == AV_PIX_FMT_YUVJ444P;
}

int media_picture_new(const AVFrame *from, int width, int height, enum AVPixelFormat format,
                      AVFrame **ret_frame, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *frame = av_frame_alloc();
    if (frame) {
        frame->format = format;
        frame->width = width;
        frame->height = height;
        frame->pts = from->pts;
        frame->sample_aspect_ratio = from->sample_aspect_ratio;
    }
    if (!frame || av_frame_get_buffer(frame, 0) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture of %dx%d", width, height);
    *ret_frame = frame;
    frame = NULL;
    return 0;
}

int media_picture_scale(const AVFrame *from, int width, int height, enum AVPixelFormat format,
                        int filter, AVFrame **ret_frame, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *to = NULL;
    bool full = format != AV_PIX_FMT_YUV420P; /* GRAY8 and YUVJ420P */
    int rc = media_picture_new(from, width, height, format, &to, err);
    if (rc < 0)
        return rc;
    struct SwsContext *scaler =
        sws_getContext(from->width, from->height, from->format, width, height, format,
                       filter | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!scaler)
        return okno_fail(err, OKNO_UNSUPPORTED, "pixel format %d cannot be converted",
                         from->format);
    (void)sws_setColorspaceDetails(scaler, sws_getCoefficients(matrix_of(from)),
                                   is_full_range(from), sws_getCoefficients(SWS_CS_ITU601), full, 0,
                                   1 << 16, 1 << 16);
    rc = sws_scale(scaler, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                   to->data, to->linesize);
    sws_freeContext(scaler);
    if (rc != height && rc != from->height)
        return okno_fail(err, OKNO_MEDIA, "the picture cannot be converted");
    to->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    to->colorspace = AVCOL_SPC_SMPTE170M;
    *ret_frame = to;
    to = NULL;
    return 0;
}

/* --- masks ------------------------------------------------------------------------------------ */

struct point {
    double x, y;
};

/* A corner in pixels of the picture as it is coded, before it is turned upright. */
static struct point corner(const struct okno_view_mask *mask, uint32_t i, int turns, int width,
                           int height)
{
    double x = (double)mask->x[i] / OKNO_VIEW_SCALE;
    double y = (double)mask->y[i] / OKNO_VIEW_SCALE;
    struct point coded = turns == 1   ? (struct point){y, 1 - x}
                         : turns == 2 ? (struct point){1 - x, 1 - y}
                         : turns == 3 ? (struct point){1 - y, x}
                                      : (struct point){x, y};
    return (struct point){coded.x * width, coded.y * height};
}

static bool is_inside(const struct point *corners, uint32_t count, double x, double y)
{
    bool inside = false;
    for (uint32_t i = 0, k = count - 1; i < count; k = i++) {
        const struct point *a = &corners[i];
        const struct point *b = &corners[k];
        if ((a->y > y) != (b->y > y) && x < (b->x - a->x) * (y - a->y) / (b->y - a->y) + a->x)
            inside = !inside;
    }
    return inside;
}

/* A sample of a plane stands for `step` pixels each way, and is hidden when any of them may be. */
static void plane_mask(uint8_t *plane, int line, int width, int height, int step,
                       const struct point *corners, uint32_t count, uint8_t value)
{
    double low_x = corners[0].x, low_y = corners[0].y, high_x = low_x, high_y = low_y;
    for (uint32_t i = 1; i < count; i++) {
        low_x = fmin(low_x, corners[i].x);
        low_y = fmin(low_y, corners[i].y);
        high_x = fmax(high_x, corners[i].x);
        high_y = fmax(high_y, corners[i].y);
    }
    int top = (int)low_y / step;
    int left = (int)low_x / step;
    for (int y = top; y < height && y * step < high_y; y++)
        for (int x = left; x < width && x * step < high_x; x++) {
            bool hide = false;
            for (int part = 0; part < step * step && !hide; part++) {
                int across = x * step + part % step;
                int down = y * step + part / step;
                hide = is_inside(corners, count, across + 0.5, down + 0.5);
            }
            if (hide)
                plane[(ptrdiff_t)y * line + x] = value;
        }
}

void media_picture_mask(AVFrame *frame, int quarter_turns, const struct okno_view_masks *masks)
{
    uint8_t black = frame->color_range == AVCOL_RANGE_JPEG ? 0 : 16;
    for (uint32_t m = 0; m < masks->count && m < OKNO_VIEW_MASKS; m++) {
        struct point corners[OKNO_VIEW_CORNERS];
        const struct okno_view_mask *mask = &masks->items[m];
        uint32_t count = mask->corners < OKNO_VIEW_CORNERS ? mask->corners : OKNO_VIEW_CORNERS;
        for (uint32_t i = 0; i < count; i++)
            corners[i] = corner(mask, i, quarter_turns, frame->width, frame->height);
        if (count < 3)
            continue;
        plane_mask(frame->data[0], frame->linesize[0], frame->width, frame->height, 1, corners,
                   count, black);
        for (int plane = 1; plane < 3; plane++)
            plane_mask(frame->data[plane], frame->linesize[plane], (frame->width + 1) / 2,
                       (frame->height + 1) / 2, 2, corners, count, 128);
    }
}

/* --- measures --------------------------------------------------------------------------------- */

static int64_t neighbours_apart(const AVFrame *fine)
{
    int64_t sum = 0;
    for (int y = 0; y + 1 < FINE_ROWS; y++) {
        const uint8_t *row = fine->data[0] + (ptrdiff_t)y * fine->linesize[0];
        const uint8_t *below = row + fine->linesize[0];
        for (int x = 0; x + 1 < FINE_COLUMNS; x++)
            sum += abs(row[x + 1] - row[x]) + abs(below[x] - row[x]);
    }
    return sum;
}

static void cells_fill(const AVFrame *fine, uint16_t *cells)
{
    for (int i = 0; i < OKNO_PICTURE_CELLS; i++) {
        int sum = 0;
        int left = i % OKNO_PICTURE_COLUMNS * CELL;
        int top = i / OKNO_PICTURE_COLUMNS * CELL;
        for (int y = top; y < top + CELL; y++)
            for (int x = left; x < left + CELL; x++)
                sum += fine->data[0][(ptrdiff_t)y * fine->linesize[0] + x];
        cells[i] = (uint16_t)(sum * 256 / (CELL * CELL));
    }
}

int media_picture_measure(const AVFrame *frame, struct okno_picture *ret_picture,
                          struct okno_err *err)
{
    MEDIA_AUTO_FRAME *fine = NULL;
    int rc =
        media_picture_scale(frame, FINE_COLUMNS, FINE_ROWS, AV_PIX_FMT_GRAY8, SWS_AREA, &fine, err);
    if (rc < 0)
        return rc;
    const int64_t count = FINE_COLUMNS * FINE_ROWS;
    int64_t sum = 0;
    int64_t squares = 0;
    for (int y = 0; y < FINE_ROWS; y++)
        for (int x = 0; x < FINE_COLUMNS; x++) {
            int value = fine->data[0][(ptrdiff_t)y * fine->linesize[0] + x];
            sum += value;
            squares += (int64_t)value * value;
        }
    double mean = (double)sum / (double)count;
    double variance = (double)squares / (double)count - mean * mean;
    ret_picture->brightness = (int32_t)lround(mean * 1000);
    ret_picture->spread = (int32_t)lround(sqrt(variance > 0 ? variance : 0) * 1000);
    ret_picture->detail = (int32_t)(neighbours_apart(fine) * 1000 / count);
    cells_fill(fine, ret_picture->cells);
    return 0;
}

int media_quarter_turns(const AVStream *video)
{
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(video, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (!matrix || size < 9 * sizeof(int32_t))
        return 0;
    double angle = av_display_rotation_get((const int32_t *)(const void *)matrix);
    if (isnan(angle))
        return 0;
    int turns = (int)lround(-angle / 90) % 4;
    return turns < 0 ? turns + 4 : turns;
}
