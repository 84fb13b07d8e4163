/* Inside okno-paper only: the program that makes PDF and XLSX of a report's document (document.h).
 */
#ifndef OKNO_PAPER_H
#define OKNO_PAPER_H

#include "document.h"

#include <cairo.h>
#include <pango/pangocairo.h>

/* Writers: the file goes to a stream; 0 or a negative code. */
OKNO_CHECK int pdf_write(const json_t *document, FILE *to, struct okno_err *err);
OKNO_CHECK int xlsx_write(const json_t *document, FILE *to, struct okno_err *err);

/* ---- PDF: sizes in points ---- */

#define PDF_WIDTH 595.276 /* A4 */
#define PDF_HEIGHT 841.89
#define PDF_LEFT 46.0
#define PDF_TOP 50.0
#define PDF_BOTTOM (PDF_HEIGHT - 62.0)
#define PDF_SPACE (PDF_WIDTH - 2 * PDF_LEFT)

enum { PDF_SECTIONS_MAX = 32 };

enum pdf_color {
    PDF_INK,
    PDF_PALE,
    PDF_LINE,
    PDF_BLUE,
    PDF_LIGHT,
    PDF_GOOD,
    PDF_WARN,
    PDF_BAD,
    PDF_GREY
};

struct pdf_font {
    double size;
    bool bold, mono;
};

struct pdf {
    const json_t *document;
    const char *lang;
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoLayout *layout; /* set anew for each text */
    double y;            /* where the next thing goes */
    int page;            /* from 1 */
    int pages;           /* in all; 0 while that is found out */
    int section_page[PDF_SECTIONS_MAX];
};

void pdf_color(struct pdf *pdf, enum pdf_color color);
/* A page is begun when less than `height` is left. */
void pdf_need(struct pdf *pdf, double height);
void pdf_new_page(struct pdf *pdf);

/* Set the layout to a text; its height when broken into lines of `width` (0: one line). */
double pdf_set(struct pdf *pdf, const char *text, const struct pdf_font *font, double width);
/* How wide the text set is. */
double pdf_width(struct pdf *pdf);
/* Draw the text set with its top at y. */
void pdf_show(struct pdf *pdf, double x, double y);
/* One line, cut to fit with an ellipsis; align -1 left, 0 middle, 1 right of x. */
void pdf_line(struct pdf *pdf, const char *text, const struct pdf_font *font, double x, double y,
              double width, int align);
/* A text of any length from pdf->y on, over as many pages as it takes. `box` fills behind it. */
void pdf_paragraph(struct pdf *pdf, const char *text, const struct pdf_font *font, double x,
                   double width, bool box);
void pdf_rule(struct pdf *pdf, double x1, double x2, double y, double thickness,
              enum pdf_color color);

void pdf_facts(struct pdf *pdf, const json_t *block);
void pdf_table(struct pdf *pdf, const json_t *block);
double pdf_chart_least(const json_t *block); /* of a page, so that it begins there */
void pdf_forest(struct pdf *pdf, const json_t *block);
void pdf_bars(struct pdf *pdf, const json_t *block);
void pdf_qr(struct pdf *pdf, const json_t *block);

/* A value as it is shown in a cell: hashes by their first digits. Into ret_text where it is not the
 * value's own text. */
const char *paper_value(const json_t *value, const char *type, const char *lang, char *ret_text,
                        size_t size);

#endif
