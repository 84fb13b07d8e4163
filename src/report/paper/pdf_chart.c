#define _POSIX_C_SOURCE 200809L
/* Charts of a PDF, drawn like those of html_chart.c. */
#include "paper.h"

#include "cell.h"
#include "chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABELS 140.0
#define NUMBERS 132.0
#define PLOT (PDF_SPACE - LABELS - NUMBERS)
#define PLOT_LEFT (PDF_LEFT + LABELS)
#define ROW 17.0
#define LEGEND 12.0 /* a line of it */

static const struct pdf_font font = {.size = 7.6};
static const struct pdf_font caption_font = {.size = 9.2, .bold = true};

/* All of a chart that fits on a page; of a taller one the beginning. */
double pdf_chart_least(const json_t *block)
{
    double rows = ROW * (double)json_array_size(json_object_get(block, "rows"));
    bool forest = strcmp(doc_text_at(block, "block"), "forest") == 0;
    double height = rows + (forest ? 52 + 2 * LEGEND : 24);
    return height < PDF_BOTTOM - PDF_TOP - 60 ? height : 200;
}

static void add_caption(struct pdf *pdf, const json_t *block)
{
    pdf->y += 6;
    pdf_need(pdf, pdf_chart_least(block));
    pdf_paragraph(pdf, doc_text_at(block, "title"), &caption_font, PDF_LEFT, PDF_SPACE, false);
    pdf->y += 5;
}

/* At the left of a plot that begins at `left`. */
static void add_label(struct pdf *pdf, const char *label, double left, double y)
{
    pdf_line(pdf, label, &font, left - 8, y - 5, left - PDF_LEFT - 8, 1);
}

/* ---- marks ---- */

static void circle(struct pdf *pdf, double x, double y)
{
    pdf_color(pdf, PDF_GREY);
    cairo_set_line_width(pdf->cr, 1);
    cairo_new_sub_path(pdf->cr);
    cairo_arc(pdf->cr, x, y, 3, 0, 2 * G_PI);
    cairo_stroke(pdf->cr);
}

static void diamond(struct pdf *pdf, double x, double y)
{
    pdf_color(pdf, PDF_GREY);
    cairo_set_line_width(pdf->cr, 1);
    cairo_move_to(pdf->cr, x, y - 3.6);
    cairo_line_to(pdf->cr, x + 3.6, y);
    cairo_line_to(pdf->cr, x, y + 3.6);
    cairo_line_to(pdf->cr, x - 3.6, y);
    cairo_close_path(pdf->cr);
    cairo_stroke(pdf->cr);
}

static void square(struct pdf *pdf, double x, double y)
{
    pdf_color(pdf, PDF_BLUE);
    cairo_rectangle(pdf->cr, x - 3, y - 3, 6, 6);
    cairo_fill(pdf->cr);
}

static void bar(struct pdf *pdf, double x1, double x2, double y, double thick)
{
    pdf_color(pdf, PDF_BLUE);
    if (thick > 4)
        cairo_set_source_rgb(pdf->cr, .73, .82, .93);
    cairo_set_line_width(pdf->cr, thick);
    cairo_move_to(pdf->cr, x1, y);
    cairo_line_to(pdf->cr, x2, y);
    cairo_stroke(pdf->cr);
}

static void line_and_square(struct pdf *pdf, double x, double y)
{
    bar(pdf, x - 9, x + 9, y, 1.8);
    square(pdf, x, y);
}

static void pale_bar(struct pdf *pdf, double x, double y)
{
    bar(pdf, x - 9, x + 9, y, 7);
}

/* On as many lines as it takes. */
static void add_legend(struct pdf *pdf, const json_t *rows)
{
    static const struct {
        const char *word;
        const char *key; /* in the rows */
        double width;    /* of the mark */
        void (*draw)(struct pdf *pdf, double x, double y);
    } marks[] = {{"raw", "raw", 8, circle},
                 {"excluded", "excluded", 8, diamond},
                 {"estimated", "value", 18, line_and_square},
                 {"worst", "worst", 18, pale_bar}};
    double x = PDF_LEFT;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const json_t *words = json_object_get(pdf->document, "words");
        if (!chart_has(rows, marks[i].key))
            continue;
        (void)pdf_set(pdf, doc_text_at(words, marks[i].word), &font, 0);
        double width = marks[i].width + 5 + pdf_width(pdf);
        if (x > PDF_LEFT && x + width > PDF_LEFT + PDF_SPACE) {
            x = PDF_LEFT;
            pdf->y += LEGEND;
        }
        marks[i].draw(pdf, x + marks[i].width / 2, pdf->y + 5);
        pdf_color(pdf, PDF_PALE);
        pdf_show(pdf, x + marks[i].width + 5, pdf->y);
        x += width + 16;
    }
    pdf->y += LEGEND + 4;
}

/* ---- forest ---- */

static double x_of(const struct chart_axis *axis, const json_t *value)
{
    return PLOT_LEFT + PLOT * chart_place(axis, json_number_value(value));
}

static void span(struct pdf *pdf, const struct chart_axis *axis, const json_t *low,
                 const json_t *high, double y, double thick)
{
    double from;
    double to;
    chart_span(axis, json_number_value(low), json_number_value(high), &from, &to);
    bar(pdf, PLOT_LEFT + PLOT * from, PLOT_LEFT + PLOT * to, y, thick);
}

static void add_axis(struct pdf *pdf, const struct chart_axis *axis, double top, double bottom)
{
    for (int i = 0; i < chart_ticks(axis); i++) {
        char text[CELL_TEXT];
        double at = chart_tick(axis, i);
        double x = PLOT_LEFT + PLOT * chart_place(axis, at);
        pdf_color(pdf, PDF_LINE);
        cairo_set_line_width(pdf->cr, 0.5);
        cairo_move_to(pdf->cr, x, top);
        cairo_line_to(pdf->cr, x, bottom);
        cairo_stroke(pdf->cr);
        pdf_color(pdf, PDF_PALE);
        pdf_line(pdf, cell_real(at, axis->decimals, pdf->lang, text), &font, x, bottom + 2, 40, 0);
    }
}

static void add_numbers(struct pdf *pdf, const json_t *row, double y)
{
    char value[CELL_TEXT];
    char range[CELL_TEXT];
    char text[400];
    bool whole = json_is_number(json_object_get(row, "value"));
    json_t *pair = whole ? json_pack("[o, o]", doc_copy(row, "low"), doc_copy(row, "high"))
                         : doc_copy(row, "worst");
    if (whole)
        (void)snprintf(text, sizeof(text), "%s [%s]",
                       cell_format(json_object_get(row, "value"), "num", pdf->lang, value),
                       cell_format(pair, "range", pdf->lang, range));
    else
        (void)snprintf(text, sizeof(text), "[%s]", cell_format(pair, "range", pdf->lang, range));
    json_decref(pair);
    pdf_color(pdf, PDF_INK);
    pdf_line(pdf, text, &font, PLOT_LEFT + PLOT + 10, y - 5, NUMBERS - 8, -1);
}

static void add_row(struct pdf *pdf, const struct chart_axis *axis, const json_t *row, double y)
{
    const json_t *worst = json_object_get(row, "worst");
    const json_t *low = json_object_get(row, "low");
    pdf_color(pdf, PDF_INK);
    add_label(pdf, doc_text_at(row, "label"), PLOT_LEFT, y);
    if (json_is_number(json_array_get(worst, 0)))
        span(pdf, axis, json_array_get(worst, 0), json_array_get(worst, 1), y, 7);
    if (json_is_number(low))
        span(pdf, axis, low, json_object_get(row, "high"), y, 1.8);
    if (json_is_number(json_object_get(row, "value")))
        square(pdf, x_of(axis, json_object_get(row, "value")), y);
    if (json_is_number(json_object_get(row, "raw")))
        circle(pdf, x_of(axis, json_object_get(row, "raw")), y);
    if (json_is_number(json_object_get(row, "excluded")))
        diamond(pdf, x_of(axis, json_object_get(row, "excluded")), y);
    add_numbers(pdf, row, y);
}

/* As many rows as fit on what is left of a page, each part with its axis. */
void pdf_forest(struct pdf *pdf, const json_t *block)
{
    const json_t *rows = json_object_get(block, "rows");
    size_t count = json_array_size(rows);
    struct chart_axis axis = chart_forest_axis(rows);
    if (count == 0)
        return;
    add_caption(pdf, block);
    add_legend(pdf, rows);
    for (size_t at = 0; at < count;) {
        double room = PDF_BOTTOM - pdf->y - 24;
        size_t fit = room < ROW ? 1 : (size_t)(room / ROW);
        size_t end = at + fit < count ? at + fit : count;
        double bottom = pdf->y + ROW * (double)(end - at);
        add_axis(pdf, &axis, pdf->y, bottom);
        for (; at < end; at++, pdf->y += ROW)
            add_row(pdf, &axis, json_array_get(rows, at), pdf->y + ROW / 2);
        pdf->y = bottom + 20;
        if (at < count)
            pdf_new_page(pdf);
    }
    pdf_color(pdf, PDF_INK);
}

/* ---- bars ---- */

/* Where the bars begin: right of the widest label, which gets half of the page at most. */
static double bars_left(struct pdf *pdf, const json_t *rows)
{
    double most = LABELS;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        (void)pdf_set(pdf, doc_text_at(json_array_get(rows, i), "label"), &font, 0);
        most = fmax(most, pdf_width(pdf) + 10);
    }
    return PDF_LEFT + fmin(most, PDF_SPACE / 2);
}

static void add_bar(struct pdf *pdf, const json_t *row, double left, double width)
{
    char share[CELL_TEXT];
    char text[300];
    double y = pdf->y + ROW / 2;
    pdf_color(pdf, PDF_INK);
    add_label(pdf, doc_text_at(row, "label"), left, y);
    pdf_color(pdf, PDF_BLUE);
    cairo_rectangle(pdf->cr, left, y - 5, width, 10);
    cairo_fill(pdf->cr);
    (void)snprintf(text, sizeof(text), "%s (%s)", doc_text_at(row, "text"),
                   cell_format(json_object_get(row, "value"), "pct", pdf->lang, share));
    pdf_color(pdf, PDF_INK);
    pdf_line(pdf, text, &font, left + width + 6, y - 5, NUMBERS - 10, -1);
}

void pdf_bars(struct pdf *pdf, const json_t *block)
{
    const json_t *rows = json_object_get(block, "rows");
    size_t count = json_array_size(rows);
    double most = 1e-9;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, json_number_value(json_object_get(json_array_get(rows, i), "value")));
    add_caption(pdf, block);
    double left = bars_left(pdf, rows);
    double plot = PDF_LEFT + PDF_SPACE - NUMBERS - left;
    for (size_t i = 0; i < count; i++, pdf->y += ROW) {
        const json_t *row = json_array_get(rows, i);
        add_bar(pdf, row, left, plot * json_number_value(json_object_get(row, "value")) / most);
    }
    pdf->y += 8;
}

/* ---- QR code ---- */

/* Paths as base/qr.c makes them: "Mx yhNv1h-Nz" again and again. */
void pdf_qr(struct pdf *pdf, const json_t *block)
{
    double side = 118;
    double size = (double)doc_int_at(block, "size");
    pdf_need(pdf, side + 24);
    cairo_save(pdf->cr);
    cairo_translate(pdf->cr, PDF_LEFT, pdf->y);
    cairo_scale(pdf->cr, side / size, side / size);
    cairo_set_source_rgb(pdf->cr, 0, 0, 0);
    for (const char *at = doc_text_at(block, "path"); *at == 'M';) {
        char *end;
        double x = (double)strtol(at + 1, &end, 10);
        double y = (double)strtol(end, &end, 10);
        double width = *end == 'h' ? (double)strtol(end + 1, &end, 10) : 0;
        cairo_rectangle(pdf->cr, x, y, width, 1);
        at = end + strcspn(end, "M");
    }
    cairo_fill(pdf->cr);
    cairo_restore(pdf->cr);
    pdf->y += side + 2;
    pdf_color(pdf, PDF_PALE);
    pdf_line(pdf, doc_text_at(block, "text"), &font, PDF_LEFT, pdf->y, PDF_SPACE, -1);
    pdf_color(pdf, PDF_INK);
    pdf->y += 16;
}
