#include "shop.h"

#include "layout.h"

#include <math.h>

const struct box shop_panel_box = {PANEL_X - 78, PANEL_Y - 66, PANEL_X + 78, PANEL_Y + 66};
const struct box shop_things_box = {GOODS_X - 16, COUNTER_Y - 52, TILL_X + 32, COUNTER_Y + 2};

#define PI 3.14159265358979323846

struct theme {
    unsigned wall_top, wall_low, front, front_light, poster, sign;
    const char *title;
};
static const struct theme themes[SCENE_POINTS] = {
    {0xf6efe3, 0xeadfcd, 0x34596b, 0x3d6679, 0xe9724c, 0x17807e, "TILL 1"},
    {0xe9f0ee, 0xd7e3e0, 0x6b4c5e, 0x795769, 0x4d7ea8, 0xb4493f, "TILL 2"},
};
/* Index: enum scene_answer. */
static const unsigned lamp[4] = {0x2b343c, 0x2fbf71, 0xf5b83d, 0xe5484d};

static void fill_box(cairo_t *cr, double x, double y, double w, double h, unsigned rgb)
{
    paint_colour(cr, rgb);
    cairo_rectangle(cr, x, y, w, h);
    cairo_fill(cr);
}

static void round_box(cairo_t *cr, double x, double y, double w, double h, double r)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -PI / 2, 0);
    cairo_arc(cr, x + w - r, y + h - r, r, 0, PI / 2);
    cairo_arc(cr, x + r, y + h - r, r, PI / 2, PI);
    cairo_arc(cr, x + r, y + r, r, PI, 3 * PI / 2);
    cairo_close_path(cr);
}

static void fill_round(cairo_t *cr, double x, double y, double w, double h, double r, unsigned rgb)
{
    paint_colour(cr, rgb);
    round_box(cr, x, y, w, h, r);
    cairo_fill(cr);
}

static void dot(cairo_t *cr, double x, double y, double r, unsigned rgb)
{
    paint_colour(cr, rgb);
    cairo_arc(cr, x, y, r, 0, 2 * PI);
    cairo_fill(cr);
}

static void shade(cairo_t *cr, double y0, double y1, unsigned top, unsigned low)
{
    cairo_pattern_t *p = cairo_pattern_create_linear(0, y0, 0, y1);
    const unsigned both[2] = {top, low};
    for (int i = 0; i < 2; i++)
        cairo_pattern_add_color_stop_rgb(p, i, (both[i] >> 16 & 255U) / 255.0,
                                         (both[i] >> 8 & 255U) / 255.0, (both[i] & 255U) / 255.0);
    cairo_set_source(cr, p);
    cairo_pattern_destroy(p);
}

static void text(cairo_t *cr, double x, double y, double size, unsigned rgb, const char *what)
{
    cairo_text_extents_t e;
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, what, &e);
    paint_colour(cr, rgb);
    cairo_move_to(cr, x - e.width / 2 - e.x_bearing, y);
    cairo_show_text(cr, what);
}

static void floor_draw(cairo_t *cr)
{
    shade(cr, 268, 360, 0xd8c6aa, 0xb79f7f);
    cairo_rectangle(cr, 0, 268, DESIGN_WIDTH, 92);
    cairo_fill(cr);
    cairo_set_source_rgba(cr, 0.45, 0.35, 0.25, 0.16);
    cairo_set_line_width(cr, 1);
    for (int i = -8; i <= 8; i++) {
        cairo_move_to(cr, 320 + i * 56, 268);
        cairo_line_to(cr, 320 + i * 92, 360);
    }
    for (int i = 0; i < 4; i++) {
        cairo_move_to(cr, 0, 276.5 + i * (10 + i * 6));
        cairo_rel_line_to(cr, DESIGN_WIDTH, 0);
    }
    cairo_stroke(cr);
}

static void door_draw(cairo_t *cr)
{
    fill_box(cr, 6, 56, 108, 214, 0x52626d);
    for (int leaf = 0; leaf < 2; leaf++) {
        double x = 12 + leaf * 50;
        shade(cr, 62, 268, 0xa9d6ec, 0xe8f5f8);
        cairo_rectangle(cr, x, 62, 46, 204);
        cairo_fill(cr);
        fill_box(cr, x + 4, 150, 12, 90, 0xb9cbd6);
        fill_box(cr, x + 18, 124, 14, 116, 0xa8bdca);
        fill_box(cr, x + 33, 164, 10, 76, 0xb9cbd6);
        fill_box(cr, x, 238, 46, 28, 0xc3cdb9);
        cairo_set_source_rgba(cr, 1, 1, 1, 0.35);
        cairo_move_to(cr, x + 6, 62);
        cairo_line_to(cr, x + 20, 62);
        cairo_line_to(cr, x + 2, 150);
        cairo_line_to(cr, x, 150);
        cairo_line_to(cr, x, 92);
        cairo_fill(cr);
    }
    fill_round(cr, 55, 160, 3, 34, 1.5, 0x2f3a42);
    fill_round(cr, 62, 160, 3, 34, 1.5, 0x2f3a42);
    fill_round(cr, 70, 84, 32, 16, 3, 0xe9724c);
    text(cr, 86, 95.5, 8.5, 0xffffff, "OPEN");
}

static void poster_draw(cairo_t *cr, const struct theme *t)
{
    fill_round(cr, 140, 62, 84, 92, 3, 0xffffff);
    fill_box(cr, 144, 66, 76, 84, t->poster);
    dot(cr, 182, 102, 26, 0xfbe3c0);
    fill_round(cr, 166, 96, 28, 24, 6, 0xffffff); /* a cup */
    paint_colour(cr, 0xffffff);
    cairo_set_line_width(cr, 3);
    cairo_arc(cr, 195, 106, 6, -PI / 2, PI / 2);
    cairo_stroke(cr);
    fill_round(cr, 160, 120, 40, 4, 2, 0xfff7ea);
    cairo_set_line_width(cr, 2);
    for (int i = 0; i < 3; i++) {
        double x = 173 + i * 7;
        cairo_move_to(cr, x, 92);
        cairo_curve_to(cr, x - 4, 88, x + 4, 84, x, 80);
    }
    cairo_stroke(cr);
    text(cr, 182, 143, 10, 0xffffff, "FRESH DAILY");
}

static void plant_draw(cairo_t *cr)
{
    cairo_set_source_rgba(cr, 0.2, 0.15, 0.1, 0.15);
    cairo_save(cr);
    cairo_translate(cr, 146, 304);
    cairo_scale(cr, 26, 5);
    cairo_arc(cr, 0, 0, 1, 0, 2 * PI);
    cairo_restore(cr);
    cairo_fill(cr);
    static const double leaf[7] = {-1.15, -0.75, -0.4, 0, 0.35, 0.7, 1.1};
    for (int i = 0; i < 7; i++) {
        cairo_save(cr);
        cairo_translate(cr, 146, 268);
        cairo_rotate(cr, leaf[i]);
        paint_colour(cr, i % 2 ? 0x3f8f5f : 0x2f7a50);
        double l = 62 - 14 * fabs(leaf[i]);
        cairo_move_to(cr, 0, 0);
        cairo_curve_to(cr, -11, -l * 0.4, -8, -l * 0.8, 0, -l);
        cairo_curve_to(cr, 8, -l * 0.8, 11, -l * 0.4, 0, 0);
        cairo_fill(cr);
        cairo_restore(cr);
    }
    paint_colour(cr, 0xf4f0e8);
    cairo_move_to(cr, 128, 262);
    cairo_line_to(cr, 164, 262);
    cairo_line_to(cr, 159, 304);
    cairo_line_to(cr, 133, 304);
    cairo_fill(cr);
    fill_box(cr, 128, 262, 36, 5, 0xe2dacb);
}

static void shelf_draw(cairo_t *cr, double x, double y, double w, uint32_t seed)
{
    static const unsigned wares[8] = {0xe9724c, 0xf2b134, 0x48a9a6, 0xd7d2c8,
                                      0x7b5ea7, 0x5b8e5a, 0xb4493f, 0x3d5a80};
    uint32_t dice = seed;
    for (double at = x + 5; at < x + w - 14;) {
        dice = dice * UINT32_C(1664525) + UINT32_C(1013904223);
        double high = 14 + (dice >> 8) % 11, wide = 8 + (dice >> 12) % 7;
        unsigned rgb = wares[dice >> 29];
        if ((dice >> 20) % 3 == 0) { /* a bottle */
            fill_round(cr, at, y - high, 8, high, 2, rgb);
            fill_box(cr, at + 2.5, y - high - 6, 3, 8, rgb);
            fill_box(cr, at, y - high * 0.6, 8, 5, 0xfff7ea);
            wide = 8;
        } else {
            fill_round(cr, at, y - high, wide, high, 1.5, rgb);
            fill_box(cr, at, y - high * 0.7, wide, 3, 0xfff7ea);
        }
        at += wide + 2 + (dice >> 16) % 4;
    }
    fill_round(cr, x, y, w, 5, 1, 0xa9794a);
    fill_box(cr, x, y + 5, w, 2, 0xcdbfa8);
}

static void lamps_draw(cairo_t *cr)
{
    static const double at[3] = {268, 400, 532};
    for (int i = 0; i < 3; i++) {
        cairo_pattern_t *p = cairo_pattern_create_linear(0, 66, 0, 200);
        cairo_pattern_add_color_stop_rgba(p, 0, 1, 0.95, 0.75, 0.45);
        cairo_pattern_add_color_stop_rgba(p, 1, 1, 0.95, 0.75, 0);
        cairo_set_source(cr, p);
        cairo_pattern_destroy(p);
        cairo_move_to(cr, at[i] - 15, 64);
        cairo_line_to(cr, at[i] + 15, 64);
        cairo_line_to(cr, at[i] + 62, 200);
        cairo_line_to(cr, at[i] - 62, 200);
        cairo_fill(cr);
        fill_box(cr, at[i] - 0.75, 20, 1.5, 28, 0x3a3f47);
        dot(cr, at[i], 64, 6, 0xfff3c9);
        paint_colour(cr, 0x3a3f47);
        cairo_move_to(cr, at[i] - 17, 64);
        cairo_curve_to(cr, at[i] - 15, 50, at[i] - 6, 47, at[i], 46);
        cairo_curve_to(cr, at[i] + 6, 47, at[i] + 15, 50, at[i] + 17, 64);
        cairo_fill(cr);
    }
}

static void sign_draw(cairo_t *cr, const struct theme *t)
{
    fill_box(cr, 311, 20, 1.5, 58, 0x6d6a63);
    fill_box(cr, 356, 20, 1.5, 58, 0x6d6a63);
    fill_round(cr, 296, 76, 76, 26, 4, t->sign);
    text(cr, 334, 94, 14, 0xffffff, t->title);
}

void shop_draw_room(cairo_t *cr, int point)
{
    const struct theme *t = &themes[point];
    shade(cr, 0, 268, t->wall_top, t->wall_low);
    cairo_paint(cr);
    floor_draw(cr);
    fill_box(cr, 0, 262, DESIGN_WIDTH, 6, 0xcbb79b);
    door_draw(cr);
    poster_draw(cr, t);
    shelf_draw(cr, 410, 128, 130, 77 + 31 * (uint32_t)point);
    fill_box(cr, 564, 92, 76, 176, 0xc9a878);
    fill_box(cr, 570, 98, 70, 164, 0xb08c5b);
    for (int i = 0; i < 4; i++)
        shelf_draw(cr, 568, 136 + i * 41, 76, 11 + 7 * (uint32_t)i + 131 * (uint32_t)point);
    plant_draw(cr);
    lamps_draw(cr);
    sign_draw(cr, t);
}

void shop_draw_counter(cairo_t *cr, int point)
{
    const struct theme *t = &themes[point];
    cairo_set_source_rgba(cr, 0.2, 0.15, 0.1, 0.18);
    cairo_rectangle(cr, COUNTER_X - 14, 328, COUNTER_END - COUNTER_X + 28, 9);
    cairo_fill(cr);
    double w = COUNTER_END - COUNTER_X;
    fill_box(cr, COUNTER_X, COUNTER_Y + 6, w, 118, t->front);
    for (int i = 0; i < 13; i++)
        fill_box(cr, COUNTER_X + 4 + i * 20.3, COUNTER_Y + 14, 13, 98, t->front_light);
    fill_box(cr, COUNTER_X, COUNTER_Y + 116, w, 10, 0x23292f);
    fill_round(cr, COUNTER_X - 7, COUNTER_Y, w + 14, 9, 3, 0xb9834f);
    fill_round(cr, COUNTER_X - 7, COUNTER_Y, w + 14, 3, 1.5, 0xd7a06a);
    double x = (COUNTER_X + COUNTER_END) / 2.0, y = COUNTER_Y + 64;
    fill_round(cr, x - 46, y - 17, 92, 34, 17, 0xfbf3e4);
    paint_colour(cr, t->sign); /* a window with a cross, and the name */
    cairo_set_line_width(cr, 2.4);
    round_box(cr, x - 34, y - 8.5, 17, 17, 3);
    cairo_move_to(cr, x - 25.5, y - 8);
    cairo_rel_line_to(cr, 0, 16);
    cairo_move_to(cr, x - 34, y);
    cairo_rel_line_to(cr, 17, 0);
    cairo_stroke(cr);
    text(cr, x + 12, y + 6, 17, t->sign, "okno");
}

static void face_draw(cairo_t *cr, double x, double y, int answer, unsigned rgb)
{
    dot(cr, x - 3, y - 2.2, 1.3, rgb);
    dot(cr, x + 3, y - 2.2, 1.3, rgb);
    paint_colour(cr, rgb);
    cairo_set_line_width(cr, 1.6);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    if (answer == ANSWER_YES)
        cairo_arc(cr, x, y + 0.2, 4.2, 0.15 * PI, 0.85 * PI);
    else if (answer == ANSWER_NO)
        cairo_arc(cr, x, y + 6.6, 4.2, 1.18 * PI, 1.82 * PI);
    else {
        cairo_move_to(cr, x - 3.4, y + 3.4);
        cairo_rel_line_to(cr, 6.8, 0);
    }
    cairo_stroke(cr);
}

static void glow_draw(cairo_t *cr, unsigned rgb, double strength)
{
    double r = (rgb >> 16 & 255U) / 255.0, g = (rgb >> 8 & 255U) / 255.0, b = (rgb & 255U) / 255.0;
    cairo_pattern_t *p = cairo_pattern_create_radial(PANEL_X, PANEL_Y, 22, PANEL_X, PANEL_Y, 64);
    cairo_pattern_add_color_stop_rgba(p, 0, r, g, b, strength);
    cairo_pattern_add_color_stop_rgba(p, 1, r, g, b, 0);
    cairo_set_source(cr, p);
    cairo_pattern_destroy(p);
    cairo_arc(cr, PANEL_X, PANEL_Y, 64, 0, 2 * PI);
    cairo_fill(cr);
}

static void panel_draw(cairo_t *cr, const struct stage_pose *pose)
{
    double w = 2 * PANEL_STEP + 2 * PANEL_R + 14, h = 2 * PANEL_R + 14;
    if (pose->lit)
        glow_draw(cr, lamp[pose->lit], 0.22);
    fill_box(cr, PANEL_X - 3, PANEL_Y, 6, COUNTER_Y - PANEL_Y, 0x4b555d);
    fill_round(cr, PANEL_X - 16, COUNTER_Y - 3, 32, 4, 2, 0x39424a);
    fill_round(cr, PANEL_X - w / 2, PANEL_Y - h / 2, w, h, 7, 0x1f262c);
    fill_round(cr, PANEL_X - w / 2 + 2.5, PANEL_Y - h / 2 + 2.5, w - 5, h - 5, 5, lamp[pose->lit]);
    for (int a = ANSWER_YES; a <= ANSWER_NO; a++) {
        double x = PANEL_X + (a - 2) * PANEL_STEP;
        double r = pose->pressed == a ? PANEL_R - 1.5 : PANEL_R;
        if (pose->lit == a)
            dot(cr, x, PANEL_Y, r + 2.5, 0xffffff);
        else if (pose->lit)
            dot(cr, x, PANEL_Y, r + 1.5, 0x1f262c);
        dot(cr, x, PANEL_Y, r, lamp[a]);
        face_draw(cr, x, PANEL_Y, a, 0x14212a);
    }
}

static void goods_draw(cairo_t *cr, int goods)
{
    double x = GOODS_X, y = COUNTER_Y;
    if (goods == 1) {
        fill_round(cr, x - 10, y - 13, 20, 13, 5, 0xd99a4e); /* a loaf */
        paint_colour(cr, 0xb9772f);
        cairo_set_line_width(cr, 1.4);
        for (int i = 0; i < 3; i++) {
            cairo_move_to(cr, x - 6 + i * 5, y - 10);
            cairo_rel_line_to(cr, 3, 4);
        }
        cairo_stroke(cr);
        fill_round(cr, x + 12, y - 24, 9, 24, 2.5, 0xf3f6f8); /* milk */
        fill_box(cr, x + 12, y - 16, 9, 8, 0x2d9cdb);
        dot(cr, x + 27, y - 5, 5, 0xd9483b);
    } else if (goods == 2) {
        paint_colour(cr, 0x9a7b4f);
        cairo_set_line_width(cr, 1.8);
        cairo_arc(cr, x, y - 32, 7, PI, 0);
        cairo_stroke(cr);
        fill_round(cr, x - 14, y - 33, 28, 33, 1.5, 0xe8c98f);
        fill_box(cr, x - 14, y - 23, 28, 8, 0x17807e);
    }
}

static void till_draw(cairo_t *cr, int screen)
{
    double x = TILL_X, y = COUNTER_Y;
    fill_box(cr, x - 3, y - 12, 6, 12, 0x59636b);
    fill_round(cr, x - 13, y - 3, 26, 3.5, 1.5, 0x454e55);
    fill_round(cr, x - 25, y - 46, 50, 36, 4, 0x2b333a);
    fill_round(cr, x - 21.5, y - 42.5, 43, 29, 2, screen == 4 ? 0xd93a3f : 0xe9f3f5);
    if (screen == 4) {
        fill_round(cr, x - 2, y - 39, 4, 13, 1.5, 0xffffff);
        dot(cr, x, y - 20.5, 2.4, 0xffffff);
        return;
    }
    for (int i = 0; i < screen; i++) {
        fill_round(cr, x - 18, y - 38.5 + i * 7, 22, 3.2, 1.2, 0x9db4bd);
        fill_round(cr, x + 9, y - 38.5 + i * 7, 9, 3.2, 1.2, 0x17807e);
    }
    if (!screen)
        fill_round(cr, x - 12, y - 31, 24, 5, 2.5, 0xb8cdd3);
}

void shop_draw_light(cairo_t *cr, const struct stage_pose *pose)
{
    if (pose->lit)
        glow_draw(cr, lamp[pose->lit], 0.7);
}

void shop_draw_things(cairo_t *cr, const struct stage_pose *pose)
{
    panel_draw(cr, pose);
    goods_draw(cr, pose->goods);
    till_draw(cr, pose->screen);
    fill_round(cr, BUTTON_X - 9, COUNTER_Y - 3, 18, 3.5, 1.5, 0x2b333a);
    paint_colour(cr, pose->seller_led ? 0xfff2a8 : 0xc0392b);
    cairo_arc(cr, BUTTON_X, COUNTER_Y - 3, pose->seller_led ? 6 : 5.5, PI, 0);
    cairo_fill(cr);
}
