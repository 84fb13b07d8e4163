#include "stage.h"

#include "okno/time.h"

#include "layout.h"
#include "shop.h"

#include <string.h>

#define HEADER_HEIGHT 22
#define BOXES_MAX 8
static const struct box everything = {0, 0, DESIGN_WIDTH, DESIGN_HEIGHT};
static const struct box clock_box = {452, 0, DESIGN_WIDTH, HEADER_HEIGHT};

struct boxes {
    struct box items[BOXES_MAX];
    int count;
};

static void print(cairo_t *cr, double x, const char *what)
{
    cairo_select_font_face(cr, "DejaVu Sans Mono", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, 12.5);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, x, 15.5);
    cairo_show_text(cr, what);
}

static void back_draw(struct stage *stage, int point)
{
    cairo_t *cr = cairo_create(stage->back);
    cairo_scale(cr, stage->canvas.scale, stage->canvas.scale);
    shop_draw_room(cr, point);
    cairo_set_source_rgba(cr, 0.07, 0.09, 0.12, 0.72);
    cairo_rectangle(cr, 0, 0, DESIGN_WIDTH, HEADER_HEIGHT);
    cairo_fill(cr);
    print(cr, 10, stage->title);
    cairo_destroy(cr);
    cr = cairo_create(stage->counter);
    cairo_scale(cr, stage->canvas.scale, stage->canvas.scale);
    shop_draw_counter(cr, point);
    cairo_destroy(cr);
}

int stage_open(int point, const char *title, int width, int height, struct stage *ret_stage,
               struct okno_err *err)
{
    *ret_stage = (struct stage){.title = title};
    int e = canvas_open(width, height, &ret_stage->canvas, err);
    if (e < 0)
        return e;
    ret_stage->back = canvas_layer(&ret_stage->canvas);
    ret_stage->counter = canvas_layer(&ret_stage->canvas);
    back_draw(ret_stage, point);
    return 0;
}

void stage_close(struct stage *stage)
{
    if (stage->back)
        cairo_surface_destroy(stage->back);
    if (stage->counter)
        cairo_surface_destroy(stage->counter);
    canvas_close(&stage->canvas);
}

static void layer_paint(struct stage *stage, cairo_surface_t *layer, cairo_operator_t operator)
{
    cairo_t *cr = stage->canvas.cr;
    cairo_save(cr);
    cairo_identity_matrix(cr);
    cairo_set_operator(cr, operator);
    cairo_set_source_surface(cr, layer, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
}

static bool touch(struct box a, struct box b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

static struct box both(struct box a, struct box b)
{
    return (struct box){a.x0 < b.x0 ? a.x0 : b.x0, a.y0 < b.y0 ? a.y0 : b.y0,
                        a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1};
}

/* Add a box, swallowing those it touches, so that no pixel is drawn twice. */
static void boxes_add(struct boxes *boxes, struct box box)
{
    for (int i = 0; i < boxes->count;) {
        if (!touch(boxes->items[i], box)) {
            i++;
            continue;
        }
        box = both(box, boxes->items[i]);
        boxes->items[i] = boxes->items[--boxes->count];
        i = 0;
    }
    boxes->items[boxes->count++] = box;
}

static void figure_changed(struct boxes *boxes, const struct figure *was, const struct figure *is)
{
    if (memcmp(was, is, sizeof(*is)) == 0)
        return;
    if (was->present)
        boxes_add(boxes, figure_box(was));
    if (is->present)
        boxes_add(boxes, figure_box(is));
}

static struct boxes changed(const struct stage *stage, const struct stage_pose *pose)
{
    const struct stage_pose *was = &stage->shown;
    struct boxes boxes = {.count = 0};
    if (!stage->any) {
        boxes_add(&boxes, everything);
        return boxes;
    }
    figure_changed(&boxes, &was->customer, &pose->customer);
    figure_changed(&boxes, &was->seller, &pose->seller);
    if (was->lit != pose->lit || was->pressed != pose->pressed)
        boxes_add(&boxes, shop_panel_box);
    if (was->goods != pose->goods || was->screen != pose->screen ||
        was->seller_led != pose->seller_led)
        boxes_add(&boxes, shop_things_box);
    return boxes;
}

static void box_draw(struct stage *stage, struct box box, const struct stage_pose *pose)
{
    cairo_t *cr = stage->canvas.cr;
    bool seller = pose->seller.present && touch(box, figure_box(&pose->seller));
    bool customer = pose->customer.present && touch(box, figure_box(&pose->customer));
    canvas_begin(&stage->canvas, box);
    layer_paint(stage, stage->back, CAIRO_OPERATOR_SOURCE);
    if (touch(box, shop_panel_box))
        shop_draw_light(cr, pose);
    if (seller)
        figure_draw_body(cr, &pose->seller);
    layer_paint(stage, stage->counter, CAIRO_OPERATOR_OVER);
    if (touch(box, shop_panel_box) || touch(box, shop_things_box))
        shop_draw_things(cr, pose);
    if (seller)
        figure_draw_arm(cr, &pose->seller);
    if (customer) {
        figure_draw_body(cr, &pose->customer);
        figure_draw_arm(cr, &pose->customer);
    }
    canvas_end(&stage->canvas, box);
}

static void clock_draw(struct stage *stage, int64_t wall_ms)
{
    struct okno_civil c;
    char text[48];
    okno_time_to_civil(wall_ms * 1000, &c);
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d.%d", c.year, c.month, c.day,
                   c.hour, c.minute, c.second, c.micro / 100000);
    canvas_begin(&stage->canvas, clock_box);
    layer_paint(stage, stage->back, CAIRO_OPERATOR_SOURCE);
    print(stage->canvas.cr, 460, text);
    canvas_end(&stage->canvas, clock_box);
}

void stage_show(struct stage *stage, const struct stage_pose *pose, int64_t wall_ms, int64_t utc_ms)
{
    struct boxes boxes = changed(stage, pose);
    for (int i = 0; i < boxes.count; i++)
        box_draw(stage, boxes.items[i], pose);
    clock_draw(stage, wall_ms);
    canvas_strip(&stage->canvas, utc_ms);
    stage->shown = *pose;
    stage->any = true;
}
