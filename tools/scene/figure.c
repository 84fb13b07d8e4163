#include "figure.h"

#include <math.h>
#include <stdbool.h>

enum hair { HAIR_SHORT, HAIR_LONG, HAIR_BUN, HAIR_BALD, HAIR_CAP, HAIR_CURLY, HAIR_HIJAB };
enum extra {
    EXTRA_GLASSES = 1,
    EXTRA_BEARD = 2,
    EXTRA_SCARF = 4,
    EXTRA_BACKPACK = 8,
    EXTRA_COAT = 16,
    EXTRA_SKIRT = 32,
    EXTRA_STRIPES = 64
};

struct outfit {
    double height; /* design pixels */
    double girth;  /* 1 is slim */
    enum hair hair;
    unsigned skin, hair_rgb, top, top_dark, legs, shoes;
    unsigned extras;
};

static const struct outfit customers[FIGURE_CUSTOMERS] = {
    {188, 1.00, HAIR_LONG, 0xf2c7a5, 0x6b3f2a, 0xe4572e, 0xc2431f, 0x2f3e57, 0x23262f, EXTRA_SCARF},
    {198, 1.12, HAIR_SHORT, 0xd9a27c, 0x2a2220, 0x3d5a80, 0x2e4563, 0x3b3a3f, 0x1d1d22,
     EXTRA_BEARD},
    {176, 1.05, HAIR_BUN, 0xf5d3b8, 0xb9b4b0, 0x7b5ea7, 0x614786, 0x4a4458, 0x2c2733,
     EXTRA_COAT | EXTRA_GLASSES},
    {194, 1.00, HAIR_CAP, 0x8d5a3b, 0xc8323c, 0xf2b134, 0xd1942a, 0x40576e, 0xf4f1ea,
     EXTRA_BACKPACK},
    {182, 0.96, HAIR_HIJAB, 0xe0ac84, 0x2a7f78, 0x48a9a6, 0x37888a, 0x2b4c5c, 0x24333d, EXTRA_COAT},
    {201, 1.18, HAIR_BALD, 0xf0c4a4, 0x8a6a52, 0x5b8e5a, 0x467246, 0x4f4639, 0x2b2620,
     EXTRA_GLASSES},
    {158, 0.92, HAIR_CURLY, 0xb5764e, 0x2b1d16, 0xef6f9e, 0xcd5684, 0x5c6bc0, 0xfafafa,
     EXTRA_BACKPACK},
    {186, 1.00, HAIR_SHORT, 0xf4cfae, 0xd8a13f, 0x2d9cdb, 0x237fb4, 0x5e5147, 0x2d2a28,
     EXTRA_STRIPES},
    {180, 1.00, HAIR_LONG, 0xeab891, 0xd9822b, 0x355e3b, 0x284a2d, 0x7d2e3d, 0x39161d, EXTRA_SKIRT},
    {192, 1.22, HAIR_CAP, 0xe8b795, 0x39424e, 0x8c3b2e, 0x6f2d23, 0x31363f, 0x1b1d22, EXTRA_BEARD},
    {184, 1.00, HAIR_CURLY, 0x6f4630, 0x1c1412, 0xf4e3c1, 0xd8c49c, 0x8a4f7d, 0x3a2234,
     EXTRA_SKIRT | EXTRA_SCARF},
    {190, 1.05, HAIR_SHORT, 0xf1c9a9, 0x9b9894, 0x4b4e6d, 0x3a3c57, 0x6d6a75, 0x26252c,
     EXTRA_COAT | EXTRA_SCARF},
};

#define UNIFORM 0x17807e, 0x10605f, 0x2b3440, 0x1d2229
static const struct outfit staff[FIGURE_STAFF] = {
    {184, 1.00, HAIR_BUN, 0xf3caa9, 0x7a4a2b, UNIFORM, 0},
    {194, 1.12, HAIR_SHORT, 0xe5b38c, 0x231c1a, UNIFORM, EXTRA_BEARD},
    {182, 1.00, HAIR_LONG, 0xf5d2b6, 0xc9832f, UNIFORM, EXTRA_GLASSES},
    {192, 1.04, HAIR_SHORT, 0xd59d75, 0xa5582a, UNIFORM, EXTRA_GLASSES},
};

#define PI 3.14159265358979323846
#define ARM 20.0             /* upper arm and forearm, in hundredths of the height */
#define NEAR_SHOULDER (-1.5) /* x of the near arm's root */
#define RAD (PI / 180)

struct point {
    double x, y;
};

void paint_colour(cairo_t *cr, unsigned rgb)
{
    cairo_set_source_rgb(cr, (rgb >> 16 & 255U) / 255.0, (rgb >> 8 & 255U) / 255.0,
                         (rgb & 255U) / 255.0);
}

static unsigned darker(unsigned rgb)
{
    return (rgb >> 16 & 255U) * 7 / 8 << 16 | (rgb >> 8 & 255U) * 7 / 8 << 8 | (rgb & 255U) * 7 / 8;
}

static const struct outfit *outfit_of(const struct figure *f)
{
    return f->staff ? &staff[f->look % FIGURE_STAFF] : &customers[f->look % FIGURE_CUSTOMERS];
}

struct box figure_box(const struct figure *f)
{
    const struct outfit *o = outfit_of(f);
    struct box box = {f->x - 64, FIGURE_FLOOR - (int)(o->height * 1.07) - 4, f->x + 64,
                      FIGURE_FLOOR + 16};
    int reach = (int)(sin(f->lean * RAD) * o->height * 0.5) * f->facing;
    if (reach > 0)
        box.x1 += reach;
    else
        box.x0 += reach;
    const int hands[2] = {f->hand_x, f->far_x};
    for (int i = 0; i < 2; i++) {
        if (hands[i] && hands[i] - 14 < box.x0)
            box.x0 = hands[i] - 14;
        if (hands[i] + 14 > box.x1)
            box.x1 = hands[i] + 14;
    }
    return box;
}

/* Into the figure's own measure: hundredths of its height, feet at 0, up is negative, facing right.
 */
static void enter(cairo_t *cr, const struct figure *f)
{
    double k = outfit_of(f)->height / 100;
    cairo_save(cr);
    cairo_translate(cr, f->x, FIGURE_FLOOR);
    cairo_scale(cr, k * f->facing, k);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
}

static struct point shoulder(const struct figure *f, double dx)
{
    double a = f->lean * RAD, y = -30 - 0.4 * f->breath;
    return (struct point){dx * cos(a) - y * sin(a), -47 + dx * sin(a) + y * cos(a)};
}

int figure_lean(const struct figure *figure)
{
    struct figure f = *figure;
    double k = outfit_of(&f)->height / 100;
    double x = (f.hand_x - f.x) * f.facing / k, y = (f.hand_y - FIGURE_FLOOR) / k;
    for (f.lean = 0; f.lean < 45; f.lean++) {
        struct point from = shoulder(&f, NEAR_SHOULDER);
        if (hypot(x - from.x, y - from.y) <= 2 * ARM * 0.99)
            break;
    }
    return f.lean;
}

static void limb(cairo_t *cr, struct point a, struct point b, struct point c, double width,
                 unsigned rgb)
{
    paint_colour(cr, rgb);
    cairo_set_line_width(cr, width);
    cairo_move_to(cr, a.x, a.y);
    cairo_line_to(cr, b.x, b.y);
    cairo_line_to(cr, c.x, c.y);
    cairo_stroke(cr);
}

static void dot(cairo_t *cr, double x, double y, double r, unsigned rgb)
{
    paint_colour(cr, rgb);
    cairo_arc(cr, x, y, r, 0, 2 * PI);
    cairo_fill(cr);
}

static void leg(cairo_t *cr, const struct outfit *o, double swing, double bend, unsigned rgb)
{
    struct point hip = {0, -47};
    struct point knee = {hip.x + 23 * sin(swing), hip.y + 23 * cos(swing)};
    struct point foot = {knee.x + 21 * sin(swing - bend), knee.y + 21 * cos(swing - bend)};
    bool bare = o->extras & EXTRA_SKIRT;
    limb(cr, hip, knee, foot, bare ? 6 : 9.5 * sqrt(o->girth), bare ? o->skin : rgb);
    cairo_save(cr);
    cairo_translate(cr, foot.x, foot.y);
    cairo_rotate(cr, (bend - swing) * 0.5);
    paint_colour(cr, o->shoes);
    cairo_move_to(cr, -4.4, 3);
    cairo_curve_to(cr, -5, -3.5, 2, -4, 4, -1.5);
    cairo_curve_to(cr, 8, -0.8, 9.6, 0.5, 9.6, 3);
    cairo_close_path(cr);
    cairo_fill(cr);
    cairo_restore(cr);
}

static void legs(cairo_t *cr, const struct figure *f, const struct outfit *o)
{
    double phase = f->stride * RAD, amplitude = f->stride < 0 ? 0 : 27 * RAD;
    double near = amplitude * sin(phase), far = -near;
    double near_bend = f->stride < 0 ? 0 : 34 * RAD * fmax(0, cos(phase));
    double far_bend = f->stride < 0 ? 0 : 34 * RAD * fmax(0, -cos(phase));
    leg(cr, o, f->stride < 0 ? -3 * RAD : far, far_bend, darker(o->legs));
    leg(cr, o, f->stride < 0 ? 4 * RAD : near, near_bend, o->legs);
}

static void skirt(cairo_t *cr, const struct outfit *o)
{
    double w = 10 * o->girth;
    paint_colour(cr, o->legs);
    cairo_move_to(cr, -w * 0.85, -52);
    cairo_line_to(cr, w * 0.9, -52);
    cairo_line_to(cr, w * 1.4, -24);
    cairo_line_to(cr, -w * 1.3, -24);
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void torso(cairo_t *cr, const struct outfit *o, int is_staff)
{
    double w = 10 * o->girth;
    double hem = o->extras & EXTRA_COAT ? -24 : -43;
    paint_colour(cr, o->top);
    cairo_move_to(cr, -w * (hem > -40 ? 1.15 : 0.9), hem);
    cairo_curve_to(cr, -w * 0.95, -58, -w * 1.1, -70, -w * 0.86, -77);
    cairo_curve_to(cr, -w * 0.6, -82.5, w * 0.5, -83, w * 0.8, -77.5);
    cairo_curve_to(cr, w * 1.15, -70, w * 1.1, -58, w * (hem > -40 ? 1.25 : 0.95), hem);
    cairo_close_path(cr);
    if (o->extras & EXTRA_STRIPES) {
        cairo_save(cr);
        cairo_clip(cr);
        cairo_paint(cr);
        paint_colour(cr, 0xf4f7fa);
        for (int y = -76; y < -42; y += 8) {
            cairo_rectangle(cr, -20, y, 40, 3.2);
            cairo_fill(cr);
        }
        cairo_restore(cr);
    } else {
        cairo_fill(cr);
    }
    if (is_staff) { /* apron bib and badge */
        paint_colour(cr, 0xf6efe2);
        cairo_rectangle(cr, w * 0.12, -71, w * 0.85, 30);
        cairo_fill(cr);
        paint_colour(cr, 0xf2b134);
        cairo_rectangle(cr, w * 0.3, -68, 4.6, 3);
        cairo_fill(cr);
    }
    if (o->extras & EXTRA_BACKPACK) {
        paint_colour(cr, 0x34495e);
        cairo_move_to(cr, -w * 0.8, -78);
        cairo_curve_to(cr, -w * 2.2, -79, -w * 2.2, -52, -w * 0.8, -52);
        cairo_close_path(cr);
        cairo_fill(cr);
    }
}

static void hair_behind(cairo_t *cr, const struct outfit *o)
{
    paint_colour(cr, o->hair_rgb);
    switch (o->hair) {
    case HAIR_LONG:
        cairo_move_to(cr, -1, -101);
        cairo_curve_to(cr, -12, -101, -10, -86, -10.5, -73);
        cairo_curve_to(cr, -6, -71, 0, -74, 1, -80);
        cairo_close_path(cr);
        cairo_fill(cr);
        break;
    case HAIR_BUN:
        dot(cr, -8.5, -97, 4.4, o->hair_rgb);
        break;
    case HAIR_CURLY:
        dot(cr, -5, -88, 5.5, o->hair_rgb);
        dot(cr, -6.5, -94, 6, o->hair_rgb);
        dot(cr, -2, -99.5, 6, o->hair_rgb);
        dot(cr, 4.5, -100, 4.6, o->hair_rgb);
        break;
    case HAIR_HIJAB:
        cairo_move_to(cr, 6, -99);
        cairo_curve_to(cr, -12, -106, -13, -84, -9, -74);
        cairo_curve_to(cr, -3, -71, 8, -72, 8, -78);
        cairo_close_path(cr);
        cairo_fill(cr);
        break;
    default:
        break;
    }
}

static void hair_front(cairo_t *cr, const struct outfit *o)
{
    paint_colour(cr, o->hair_rgb);
    switch (o->hair) {
    case HAIR_BALD:
        cairo_arc(cr, 0.8, -91.5, 8.7, 115 * RAD, 195 * RAD);
        cairo_line_to(cr, -3.5, -89);
        cairo_close_path(cr);
        break;
    case HAIR_CAP:
        cairo_arc(cr, 0.8, -92.5, 9, 178 * RAD, 360 * RAD);
        cairo_line_to(cr, 15, -92.5);
        cairo_curve_to(cr, 15, -90.6, 10, -90.6, -8.2, -91);
        cairo_close_path(cr);
        break;
    case HAIR_HIJAB:
        cairo_arc(cr, 0.6, -91.8, 9.3, 90 * RAD, 300 * RAD);
        cairo_curve_to(cr, 2, -95, 2, -88, 3, -83);
        cairo_close_path(cr);
        break;
    default:
        cairo_arc(cr, 0.8, -91.8, 9, 125 * RAD, 325 * RAD);
        cairo_curve_to(cr, 5, -97.5, 0, -97, -0.8, -92.5);
        cairo_curve_to(cr, -1.5, -90, -3, -89, -4.5, -87);
        cairo_close_path(cr);
    }
    cairo_fill(cr);
}

static void head(cairo_t *cr, const struct outfit *o)
{
    hair_behind(cr, o);
    paint_colour(cr, darker(o->skin));
    cairo_rectangle(cr, -3, -86, 6.5, 8);
    cairo_fill(cr);
    dot(cr, 0.8, -91.5, 8.4, o->skin);
    paint_colour(cr, o->skin); /* nose */
    cairo_move_to(cr, 8.4, -93);
    cairo_line_to(cr, 11, -89.6);
    cairo_line_to(cr, 8.2, -88.6);
    cairo_close_path(cr);
    cairo_fill(cr);
    if (o->extras & EXTRA_BEARD) {
        paint_colour(cr, o->hair == HAIR_CAP ? 0x5a3a28 : o->hair_rgb);
        cairo_arc(cr, 0.8, -91.3, 8.6, 20 * RAD, 125 * RAD);
        cairo_curve_to(cr, -2, -88, 4, -89, 8.9, -87.4);
        cairo_close_path(cr);
        cairo_fill(cr);
    }
    hair_front(cr, o);
    dot(cr, 5.6, -92.4, 1.05, 0x2a2320);
    paint_colour(cr, 0x9c4a3c); /* mouth */
    cairo_set_line_width(cr, 0.9);
    cairo_move_to(cr, 5, -86.6);
    cairo_curve_to(cr, 6, -86, 7, -86.2, 7.8, -87);
    cairo_stroke(cr);
    if (o->extras & EXTRA_GLASSES) {
        paint_colour(cr, 0x2b2b33);
        cairo_set_line_width(cr, 0.9);
        cairo_arc(cr, 5.8, -92.2, 2.7, 0, 2 * PI);
        cairo_move_to(cr, 3.1, -92.6);
        cairo_line_to(cr, -3, -93);
        cairo_stroke(cr);
    }
    if (o->extras & EXTRA_SCARF) {
        paint_colour(cr, 0xf2d16b);
        cairo_move_to(cr, -6.5, -84);
        cairo_curve_to(cr, -2, -80.5, 4, -80.5, 7.5, -83.5);
        cairo_line_to(cr, 7.5, -78);
        cairo_curve_to(cr, 3, -75.5, -4, -75.5, -7.5, -78.5);
        cairo_close_path(cr);
        cairo_fill(cr);
    }
}

/* Shoulder, elbow and hand; the elbow falls down and back. Out of reach: stretched towards it. */
static void arm(cairo_t *cr, const struct figure *f, struct point from, int x, int y, double swing,
                unsigned rgb)
{
    const struct outfit *o = outfit_of(f);
    double k = o->height / 100;
    struct point to = {from.x + 4 * sin(swing) + 30 * sin(swing), from.y + 36 * cos(swing)};
    if (x || y)
        to = (struct point){(x - f->x) * f->facing / k, (y - FIGURE_FLOOR) / k};
    double dx = to.x - from.x, dy = to.y - from.y, d = hypot(dx, dy);
    double reach = fmin(d, 2 * ARM * 0.995);
    if (d > 0) {
        to.x = from.x + dx * reach / d;
        to.y = from.y + dy * reach / d;
    }
    double half = acos(fmin(1, reach / (2 * ARM))), angle = atan2(dy, dx) + half;
    struct point elbow = {from.x + ARM * cos(angle), from.y + ARM * sin(angle)};
    limb(cr, from, elbow, to, 6.2 * sqrt(o->girth), rgb);
    dot(cr, to.x, to.y, 3.3, o->skin);
}

static void bag(cairo_t *cr, struct point from)
{
    cairo_save(cr);
    cairo_translate(cr, from.x + 2, from.y + 36);
    paint_colour(cr, 0x9a7b4f);
    cairo_set_line_width(cr, 1);
    cairo_arc(cr, 0, 4, 4, PI, 0);
    cairo_stroke(cr);
    paint_colour(cr, 0xe8c98f);
    cairo_rectangle(cr, -8, 3.5, 16, 17);
    cairo_fill(cr);
    paint_colour(cr, 0x17807e);
    cairo_rectangle(cr, -8, 9, 16, 4);
    cairo_fill(cr);
    cairo_restore(cr);
}

void figure_draw_body(cairo_t *cr, const struct figure *f)
{
    const struct outfit *o = outfit_of(f);
    double swing = f->stride < 0 ? 0.02 : 0.4 * sin(f->stride * RAD);
    enter(cr, f);
    cairo_set_source_rgba(cr, 0.25, 0.18, 0.1, 0.22);
    cairo_save(cr);
    cairo_scale(cr, f->stride < 0 ? 15 : 18, 2.2);
    cairo_arc(cr, 0.1, 1.1, 1, 0, 2 * PI);
    cairo_restore(cr);
    cairo_fill(cr);
    arm(cr, f, shoulder(f, 2), f->far_x, f->far_y, swing, o->top_dark);
    legs(cr, f, o);
    if (o->extras & EXTRA_SKIRT)
        skirt(cr, o);
    cairo_save(cr);
    cairo_translate(cr, 0, -47);
    cairo_rotate(cr, f->lean * RAD);
    cairo_translate(cr, 0, 47 - 0.4 * f->breath);
    torso(cr, o, f->staff);
    head(cr, o);
    cairo_restore(cr);
    cairo_restore(cr);
}

void figure_draw_arm(cairo_t *cr, const struct figure *f)
{
    const struct outfit *o = outfit_of(f);
    double swing = f->stride < 0 ? 0.04 : -0.4 * sin(f->stride * RAD);
    struct point from = shoulder(f, NEAR_SHOULDER);
    enter(cr, f);
    if (f->bag)
        bag(cr, from);
    arm(cr, f, from, f->hand_x, f->hand_y, f->bag ? 0.05 : swing, darker(o->top));
    cairo_restore(cr);
}
