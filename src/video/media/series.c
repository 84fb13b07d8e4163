/* How the cells of a part of the picture look in every frame of a clip. */
#define _POSIX_C_SOURCE 200809L
#include "picture.h"
#include "view.h"
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Edges of the cells in one plane as it is coded, before it is turned upright. */
struct grid {
    int left, top, width, height; /* of the area, in pixels of the plane */
    int columns, rows;
};

struct measuring {
    const struct okno_series_area *area;
    int turns;
    size_t cells, frames, cap;
    uint8_t *bytes; /* `frames` records; owned */
    size_t record;  /* bytes of one */
    int64_t first_us, last_us;
};

static int scaled(int part, int size)
{
    return (int)((int64_t)part * size / OKNO_VIEW_SCALE);
}

/* The area in a plane: turned back to how the picture is coded. */
static struct grid grid_of(const struct measuring *m, int width, int height)
{
    const struct okno_series_area *a = m->area;
    const int s = OKNO_VIEW_SCALE;
    int l = a->left, t = a->top, r = a->right, b = a->bottom;
    int coded[4][4] = {
        {l, t, r, b}, {t, s - r, b, s - l}, {s - r, s - b, s - l, s - t}, {s - b, l, s - t, r}};
    const int *c = coded[m->turns & 3];
    bool lies = m->turns & 1;
    struct grid grid = {.left = scaled(c[0], width),
                        .top = scaled(c[1], height),
                        .columns = lies ? a->rows : a->columns,
                        .rows = lies ? a->columns : a->rows};
    grid.width = scaled(c[2], width) - grid.left;
    grid.height = scaled(c[3], height) - grid.top;
    return grid;
}

/* Which upright cell a coded one is. */
static size_t upright(const struct measuring *m, const struct grid *grid, int column, int row)
{
    int x = column, y = row;
    switch (m->turns & 3) {
    case 1:
        x = grid->rows - 1 - row;
        y = column;
        break;
    case 2:
        x = grid->columns - 1 - column;
        y = grid->rows - 1 - row;
        break;
    case 3:
        x = row;
        y = grid->columns - 1 - column;
        break;
    default:
        break;
    }
    return (size_t)y * m->area->columns + (size_t)x;
}

/* Mean of one cell in 1/256; a cell smaller than a pixel is that pixel. */
static uint16_t cell_mean(const uint8_t *plane, ptrdiff_t line, const struct grid *grid, int column,
                          int row)
{
    int x0 = grid->left + grid->width * column / grid->columns;
    int x1 = grid->left + grid->width * (column + 1) / grid->columns;
    int y0 = grid->top + grid->height * row / grid->rows;
    int y1 = grid->top + grid->height * (row + 1) / grid->rows;
    int64_t sum = 0;
    x1 = x1 > x0 ? x1 : x0 + 1;
    y1 = y1 > y0 ? y1 : y0 + 1;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            sum += plane[y * line + x];
    return (uint16_t)(sum * 256 / ((int64_t)(x1 - x0) * (y1 - y0)));
}

static void plane_measure(const struct measuring *m, const AVFrame *frame, int plane,
                          uint16_t *values)
{
    int width = plane ? (frame->width + 1) / 2 : frame->width;
    int height = plane ? (frame->height + 1) / 2 : frame->height;
    struct grid grid = grid_of(m, width, height);
    for (int row = 0; row < grid.rows; row++)
        for (int column = 0; column < grid.columns; column++)
            values[upright(m, &grid, column, row)] =
                cell_mean(frame->data[plane], frame->linesize[plane], &grid, column, row);
}

static bool is_plain(const AVFrame *frame)
{
    return frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P;
}

/* Room for one more record. */
static int make_room(struct measuring *m, struct okno_err *err)
{
    if (m->frames >= OKNO_SERIES_FRAMES || (m->frames + 1) * m->record > OKNO_SERIES_BYTES)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %zu pictures to look at", m->frames);
    if (m->frames < m->cap)
        return 0;
    size_t cap = m->cap ? 2 * m->cap : 256;
    uint8_t *more = realloc(m->bytes, cap * m->record);
    if (!more)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a series of pictures");
    m->bytes = more;
    m->cap = cap;
    return 0;
}

static int series_take(void *ctx, AVFrame *frame, int64_t at_us, struct okno_err *err)
{
    struct measuring *m = ctx;
    MEDIA_AUTO_FRAME *plain = NULL;
    int rc = make_room(m, err);
    if (rc < 0 || (m->frames > 0 && at_us <= m->last_us) || frame->width < 16 || frame->height < 16)
        return rc;
    if (!is_plain(frame))
        rc = media_picture_scale(frame, frame->width, frame->height, AV_PIX_FMT_YUVJ420P, SWS_AREA,
                                 &plain, err);
    if (rc < 0)
        return rc;
    uint8_t *record = m->bytes + m->frames * m->record;
    uint16_t *values = (uint16_t *)(void *)(record + sizeof(at_us));
    memcpy(record, &at_us, sizeof(at_us));
    for (int plane = 0; plane < OKNO_SERIES_PLANES; plane++)
        plane_measure(m, plain ? plain : frame, plane, values + (size_t)plane * m->cells);
    m->first_us = m->frames ? m->first_us : at_us;
    m->last_us = at_us;
    m->frames++;
    return 0;
}

static int tell(const struct measuring *m, int fd, struct okno_err *err)
{
    const uint8_t *at = m->bytes;
    size_t left = m->frames * m->record;
    while (left > 0) {
        ssize_t put = write(fd, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return okno_fail_errno(err, errno, "cannot write what was measured");
        at += put;
        left -= (size_t)put;
    }
    return 0;
}

static void result_fill(const struct measuring *m, const struct media_walk *walk,
                        struct okno_media_result *result)
{
    const AVCodecParameters *codec = walk->reader->video->codecpar;
    *result = (struct okno_media_result){.frames = (int64_t)m->frames,
                                         .width = codec->width,
                                         .height = codec->height,
                                         .got_from_us = m->first_us,
                                         .first_frame_us = m->first_us,
                                         .last_frame_us = m->last_us,
                                         .got_to_us = m->last_us + walk->reader->frame_us};
    (void)snprintf(result->codec, sizeof(result->codec), "%s", avcodec_get_name(codec->codec_id));
}

int media_view_series(const struct okno_media_input *input, const struct media_view *view, int fd,
                      struct okno_media_result *ret_result, struct okno_err *err)
{
    struct measuring m = {.area = &view->area,
                          .cells = (size_t)view->area.columns * view->area.rows};
    struct media_walk walk = {.take = series_take, .ctx = &m};
    m.record = sizeof(int64_t) + m.cells * OKNO_SERIES_PLANES * sizeof(uint16_t);
    m.record = (m.record + 7) & ~(size_t)7;
    int rc = media_walk_open(&walk, input, err);
    if (rc == 0) {
        m.turns = media_quarter_turns(walk.reader->video);
        rc = media_walk_run(&walk, err);
    }
    if (rc == 0 && m.frames == 0)
        rc = okno_fail(err, OKNO_MEDIA, "no picture of the clip decodes");
    if (rc == 0)
        rc = tell(&m, fd, err);
    if (rc == 0)
        result_fill(&m, &walk, ret_result);
    free(m.bytes);
    media_walk_clear(&walk);
    return rc;
}
