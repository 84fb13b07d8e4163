#include "canvas.h"

#include "../strip/layout.h"

#include <math.h>
#include <string.h>

#define LUMA_BLACK 16
#define LUMA_WHITE 235

int canvas_open(int width, int height, struct canvas *ret_canvas, struct okno_err *err)
{
    struct canvas c = {.width = width, .height = height, .scale = (double)width / DESIGN_WIDTH};
    c.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    c.cr = cairo_create(c.surface);
    c.frame = av_frame_alloc();
    *ret_canvas = c;
    if (cairo_status(c.cr) != CAIRO_STATUS_SUCCESS || !c.frame)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture of %dx%d", width, height);
    c.frame->format = AV_PIX_FMT_YUV420P;
    c.frame->width = width;
    c.frame->height = height;
    c.frame->color_range = AVCOL_RANGE_MPEG;
    c.frame->colorspace = AVCOL_SPC_BT709;
    c.frame->color_primaries = AVCOL_PRI_BT709;
    c.frame->color_trc = AVCOL_TRC_BT709;
    if (av_frame_get_buffer(c.frame, 0) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame of %dx%d", width, height);
    return 0;
}

void canvas_close(struct canvas *canvas)
{
    if (canvas->cr)
        cairo_destroy(canvas->cr);
    if (canvas->surface)
        cairo_surface_destroy(canvas->surface);
    av_frame_free(&canvas->frame);
}

cairo_surface_t *canvas_layer(const struct canvas *canvas)
{
    return cairo_image_surface_create(CAIRO_FORMAT_ARGB32, canvas->width, canvas->height);
}

/* In pixels, whole pairs, inside the picture. */
static struct box pixels(const struct canvas *c, struct box box)
{
    struct box p = {(int)floor(box.x0 * c->scale) & ~1, (int)floor(box.y0 * c->scale) & ~1,
                    ((int)ceil(box.x1 * c->scale) + 1) & ~1,
                    ((int)ceil(box.y1 * c->scale) + 1) & ~1};
    p.x0 = p.x0 < 0 ? 0 : p.x0;
    p.y0 = p.y0 < 0 ? 0 : p.y0;
    p.x1 = p.x1 > c->width ? c->width : p.x1;
    p.y1 = p.y1 > c->height ? c->height : p.y1;
    return p;
}

void canvas_begin(struct canvas *canvas, struct box box)
{
    struct box p = pixels(canvas, box);
    cairo_save(canvas->cr);
    cairo_rectangle(canvas->cr, p.x0, p.y0, p.x1 - p.x0, p.y1 - p.y0);
    cairo_clip(canvas->cr);
    cairo_scale(canvas->cr, canvas->scale, canvas->scale);
}

/* ITU-R BT.709 with 219 and 224 steps, 16 bits of fraction; the rows add up to zero for greys. */
static inline int luma(int r, int g, int b)
{
    return (11966 * r + 40254 * g + 4064 * b + (16 << 16) + 32768) >> 16;
}

static inline int blue(int r, int g, int b)
{
    return (-6596 * r - 22189 * g + 28785 * b + 4 * ((128 << 16) + 32768)) >> 18;
}

static inline int red(int r, int g, int b)
{
    return (28784 * r - 26145 * g - 2639 * b + 4 * ((128 << 16) + 32768)) >> 18;
}

/* Two rows of pixels, x0 and x1 even. */
static void convert_rows(const uint32_t *restrict top, const uint32_t *restrict low,
                         uint8_t *restrict y0, uint8_t *restrict y1, uint8_t *restrict u,
                         uint8_t *restrict v, int count)
{
    for (int x = 0; x < count; x += 2) {
        int r = 0, g = 0, b = 0;
        const uint32_t four[4] = {top[x], top[x + 1], low[x], low[x + 1]};
        uint8_t *const to[4] = {y0 + x, y0 + x + 1, y1 + x, y1 + x + 1};
        for (int i = 0; i < 4; i++) {
            int pr = (int)(four[i] >> 16 & 255U), pg = (int)(four[i] >> 8 & 255U),
                pb = (int)(four[i] & 255U);
            *to[i] = (uint8_t)luma(pr, pg, pb);
            r += pr;
            g += pg;
            b += pb;
        }
        u[x / 2] = (uint8_t)blue(r, g, b);
        v[x / 2] = (uint8_t)red(r, g, b);
    }
}

void canvas_end(struct canvas *canvas, struct box box)
{
    struct box p = pixels(canvas, box);
    AVFrame *f = canvas->frame;
    cairo_restore(canvas->cr);
    cairo_surface_flush(canvas->surface);
    const uint8_t *rgb = cairo_image_surface_get_data(canvas->surface);
    ptrdiff_t stride = cairo_image_surface_get_stride(canvas->surface);
    for (ptrdiff_t y = p.y0; y < p.y1; y += 2) {
        const uint8_t *row = rgb + y * stride + (ptrdiff_t)p.x0 * 4;
        uint8_t *luma_row = f->data[0] + y * f->linesize[0] + p.x0;
        convert_rows((const uint32_t *)(const void *)row,
                     (const uint32_t *)(const void *)(row + stride), luma_row,
                     luma_row + f->linesize[0], f->data[1] + y / 2 * f->linesize[1] + p.x0 / 2,
                     f->data[2] + y / 2 * f->linesize[2] + p.x0 / 2, p.x1 - p.x0);
    }
}

void canvas_strip(struct canvas *canvas, int64_t utc_ms)
{
    AVFrame *f = canvas->frame;
    ptrdiff_t block = canvas->width / STRIP_COLUMNS;
    uint64_t word = strip_word((uint64_t)utc_ms);
    uint8_t *at = f->data[0] + (canvas->height - block) * f->linesize[0];
    memset(at, LUMA_BLACK, (size_t)canvas->width);
    for (ptrdiff_t i = 0; i < STRIP_BLOCKS; i++)
        memset(at + (STRIP_FIRST + i) * block, word >> (63 - i) & 1 ? LUMA_WHITE : LUMA_BLACK,
               (size_t)block);
    for (ptrdiff_t y = 1; y < block; y++)
        memcpy(at + y * f->linesize[0], at, (size_t)canvas->width);
    for (int plane = 1; plane < 3; plane++)
        for (ptrdiff_t y = (canvas->height - block) / 2; y < canvas->height / 2; y++)
            memset(f->data[plane] + y * f->linesize[plane], 128, (size_t)canvas->width / 2);
}
