#define _POSIX_C_SOURCE 200809L
/* A report as PDF: pages, texts, contents and outline. */
#include "paper.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct pdf_font body = {.size = 9.2};
static const struct pdf_font small = {.size = 7.2};
static const struct pdf_font code = {.size = 7.6, .mono = true};
static const struct pdf_font heading = {.size = 11, .bold = true};
static const struct pdf_font chapter = {.size = 14.5, .bold = true};
static const struct pdf_font title = {.size = 21, .bold = true};
static const struct pdf_font subtitle = {.size = 12};

/* ---- marks ---- */

void pdf_color(struct pdf *pdf, enum pdf_color color)
{
    static const double colors[][3] = {
        [PDF_INK] = {.11, .12, .14},  [PDF_PALE] = {.29, .33, .38},  [PDF_LINE] = {.83, .85, .88},
        [PDF_BLUE] = {.04, .36, .68}, [PDF_LIGHT] = {.95, .96, .97}, [PDF_GOOD] = {.10, .50, .22},
        [PDF_WARN] = {.70, .37, .04}, [PDF_BAD] = {.76, .07, .12},   [PDF_GREY] = {.42, .46, .53}};
    cairo_set_source_rgb(pdf->cr, colors[color][0], colors[color][1], colors[color][2]);
}

void pdf_rule(struct pdf *pdf, double x1, double x2, double y, double thickness,
              enum pdf_color color)
{
    pdf_color(pdf, color);
    cairo_set_line_width(pdf->cr, thickness);
    cairo_move_to(pdf->cr, x1, y);
    cairo_line_to(pdf->cr, x2, y);
    cairo_stroke(pdf->cr);
}

/* ---- texts ---- */

double pdf_set(struct pdf *pdf, const char *text, const struct pdf_font *font, double width)
{
    PangoFontDescription *what = pango_font_description_new();
    int height = 0;
    pango_font_description_set_family(what, font->mono ? "DejaVu Sans Mono" : "DejaVu Sans");
    pango_font_description_set_absolute_size(what, font->size * PANGO_SCALE);
    if (font->bold)
        pango_font_description_set_weight(what, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(pdf->layout, what);
    pango_font_description_free(what);
    pango_layout_set_width(pdf->layout, width > 0 ? (int)(width * PANGO_SCALE) : -1);
    pango_layout_set_height(pdf->layout, -1);
    pango_layout_set_ellipsize(pdf->layout, PANGO_ELLIPSIZE_NONE);
    pango_layout_set_alignment(pdf->layout, PANGO_ALIGN_LEFT);
    pango_layout_set_wrap(pdf->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(pdf->layout, text, -1);
    pango_layout_get_size(pdf->layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

double pdf_width(struct pdf *pdf)
{
    int width = 0;
    pango_layout_get_size(pdf->layout, &width, NULL);
    return (double)width / PANGO_SCALE;
}

void pdf_show(struct pdf *pdf, double x, double y)
{
    cairo_move_to(pdf->cr, x, y);
    pango_cairo_show_layout(pdf->cr, pdf->layout);
}

void pdf_line(struct pdf *pdf, const char *text, const struct pdf_font *font, double x, double y,
              double width, int align)
{
    (void)pdf_set(pdf, text, font, width);
    pango_layout_set_single_paragraph_mode(pdf->layout, TRUE);
    pango_layout_set_height(pdf->layout, 0);
    pango_layout_set_ellipsize(pdf->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_auto_dir(pdf->layout, FALSE); /* what is aligned stays so in any script */
    pango_layout_set_alignment(pdf->layout, align < 0    ? PANGO_ALIGN_LEFT
                                            : align == 0 ? PANGO_ALIGN_CENTER
                                                         : PANGO_ALIGN_RIGHT);
    pdf_show(pdf, align < 0 ? x : align == 0 ? x - width / 2 : x - width, y);
    pango_layout_set_single_paragraph_mode(pdf->layout, FALSE);
    pango_layout_set_auto_dir(pdf->layout, TRUE);
}

static void fill_box(struct pdf *pdf, double x, double width, double height)
{
    pdf_color(pdf, PDF_LIGHT);
    cairo_rectangle(pdf->cr, x - 6, pdf->y, width + 12, height);
    cairo_fill(pdf->cr);
    pdf_color(pdf, PDF_INK);
}

void pdf_paragraph(struct pdf *pdf, const char *text, const struct pdf_font *font, double x,
                   double width, bool box)
{
    (void)pdf_set(pdf, text, font, width);
    /* The layout is needed for other texts when a page ends (its foot): lines come from a copy. */
    PangoLayout *lines = pango_layout_copy(pdf->layout);
    PangoLayoutIter *at = pango_layout_get_iter(lines);
    do {
        PangoRectangle extents;
        pango_layout_iter_get_line_extents(at, NULL, &extents);
        double height = (double)extents.height / PANGO_SCALE * 1.12;
        pdf_need(pdf, height);
        if (box)
            fill_box(pdf, x, width, height + 0.4);
        cairo_move_to(pdf->cr, x + (double)extents.x / PANGO_SCALE,
                      pdf->y +
                          (double)(pango_layout_iter_get_baseline(at) - extents.y) / PANGO_SCALE);
        pango_cairo_show_layout_line(pdf->cr, pango_layout_iter_get_line_readonly(at));
        pdf->y += height;
    } while (pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
    g_object_unref(lines);
}

/* ---- pages ---- */

static const char *word(const struct pdf *pdf, const char *name)
{
    return doc_text_at(json_object_get(pdf->document, "words"), name);
}

static void add_foot(struct pdf *pdf)
{
    char text[200];
    pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, PDF_HEIGHT - 46, 0.5, PDF_LINE);
    pdf_color(pdf, PDF_PALE);
    (void)snprintf(text, sizeof(text), "%s %d %s %d", word(pdf, "page"), pdf->page, word(pdf, "of"),
                   pdf->pages);
    pdf_line(pdf, doc_text_at(pdf->document, "footer"), &small, PDF_LEFT, PDF_HEIGHT - 40,
             PDF_SPACE - 100, -1);
    pdf_line(pdf, text, &small, PDF_WIDTH - PDF_LEFT, PDF_HEIGHT - 40, 95, 1);
    if (json_is_string(json_object_get(pdf->document, "mark"))) {
        const struct pdf_font mark = {.size = 10, .bold = true};
        pdf_color(pdf, PDF_WARN);
        pdf_line(pdf, doc_text_at(pdf->document, "mark"), &mark, PDF_WIDTH - PDF_LEFT, 24, 200, 1);
    }
    pdf_color(pdf, PDF_INK);
}

void pdf_new_page(struct pdf *pdf)
{
    add_foot(pdf);
    cairo_show_page(pdf->cr);
    pdf->page++;
    pdf->y = PDF_TOP;
}

void pdf_need(struct pdf *pdf, double height)
{
    if (pdf->y + height > PDF_BOTTOM && pdf->y > PDF_TOP)
        pdf_new_page(pdf);
}

/* ---- blocks ---- */

static void add_note(struct pdf *pdf, const json_t *block)
{
    const char *tone = doc_text_at(block, "tone");
    bool good = strcmp(tone, "good") == 0;
    bool bad = strcmp(tone, "bad") == 0;
    enum pdf_color color = good ? PDF_GOOD : bad ? PDF_BAD : PDF_WARN;
    const struct pdf_font sign = {.size = 10, .bold = true};
    double height = pdf_set(pdf, doc_text_at(block, "text"), &body, PDF_SPACE - 40);
    pdf_need(pdf, fmin(height + 16, 200));
    double from = pdf->y;
    int page = pdf->page;
    pdf->y += 5;
    pdf_color(pdf, color);
    pdf_line(pdf, good ? "✓" : bad ? "✗" : "!", &sign, PDF_LEFT + 12, pdf->y - 0.5, 14, -1);
    pdf_color(pdf, PDF_INK);
    pdf_paragraph(pdf, doc_text_at(block, "text"), &body, PDF_LEFT + 28, PDF_SPACE - 40, false);
    pdf->y += 5;
    pdf_color(pdf, color);
    cairo_rectangle(pdf->cr, PDF_LEFT, page == pdf->page ? from : PDF_TOP, 3,
                    pdf->y - (page == pdf->page ? from : PDF_TOP));
    cairo_fill(pdf->cr);
    pdf_color(pdf, PDF_INK);
    pdf->y += 6;
}

static void add_list(struct pdf *pdf, const json_t *block)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(block, "items"), i, item)
    {
        pdf_need(pdf, 30);
        pdf_line(pdf, "•", &body, PDF_LEFT + 6, pdf->y, 12, -1);
        pdf_paragraph(pdf, json_string_value(item), &body, PDF_LEFT + 18, PDF_SPACE - 18, false);
        pdf->y += 4;
    }
    pdf->y += 4;
}

static bool is_block(const json_t *block, const char *kind)
{
    return strcmp(doc_text_at(block, "block"), kind) == 0;
}

/* The least that the i-th block takes of a page, with what must not be parted from it: a heading or
 * a text goes with what it leads to. */
static double least_of(struct pdf *pdf, const json_t *blocks, size_t i)
{
    const json_t *block = json_array_get(blocks, i);
    const json_t *next = json_array_get(blocks, i + 1);
    if (is_block(block, "heading"))
        return 34 + (next ? least_of(pdf, blocks, i + 1) : 0);
    if (is_block(block, "forest") || is_block(block, "bars"))
        return 6 + pdf_chart_least(block);
    if (is_block(block, "table"))
        return 84;
    if (is_block(block, "code"))
        return fmin(22 + 1.15 * pdf_set(pdf, doc_text_at(block, "text"), &code, PDF_SPACE - 12),
                    200);
    if (is_block(block, "qr"))
        return 144;
    if (!is_block(block, "text") || !next || is_block(next, "text") || is_block(next, "heading"))
        return 40;
    return 7 + fmin(1.15 * pdf_set(pdf, doc_text_at(block, "text"), &body, PDF_SPACE), 150) +
           least_of(pdf, blocks, i + 1);
}

static void add_heading(struct pdf *pdf, const char *text)
{
    pdf->y += 8;
    pdf_paragraph(pdf, text, &heading, PDF_LEFT, PDF_SPACE, false);
    pdf->y += 4;
}

static void add_text(struct pdf *pdf, const char *text, const struct pdf_font *font, bool box)
{
    if (box)
        pdf->y += 4;
    pdf_paragraph(pdf, text, font, PDF_LEFT + (box ? 6 : 0), PDF_SPACE - (box ? 12 : 0), box);
    pdf->y += box ? 10 : 7;
}

static void add_block(struct pdf *pdf, const json_t *blocks, size_t i)
{
    const json_t *block = json_array_get(blocks, i);
    pdf_need(pdf, least_of(pdf, blocks, i));
    if (is_block(block, "text"))
        add_text(pdf, doc_text_at(block, "text"), &body, false);
    else if (is_block(block, "code"))
        add_text(pdf, doc_text_at(block, "text"), &code, true);
    else if (is_block(block, "heading"))
        add_heading(pdf, doc_text_at(block, "text"));
    else if (is_block(block, "note"))
        add_note(pdf, block);
    else if (is_block(block, "list"))
        add_list(pdf, block);
    else if (is_block(block, "facts"))
        pdf_facts(pdf, block);
    else if (is_block(block, "table"))
        pdf_table(pdf, block);
    else if (is_block(block, "forest"))
        pdf_forest(pdf, block);
    else if (is_block(block, "bars"))
        pdf_bars(pdf, block);
    else if (is_block(block, "qr"))
        pdf_qr(pdf, block);
}

/* ---- sections ---- */

static void name_section(const json_t *section, char *ret_text, size_t size)
{
    int number = (int)doc_int_at(section, "number");
    if (number > 0 && number < 14)
        (void)snprintf(ret_text, size, "%d. %s", number, doc_text_at(section, "title"));
    else
        (void)snprintf(ret_text, size, "%s", doc_text_at(section, "title"));
}

static void add_section(struct pdf *pdf, const json_t *section, size_t place)
{
    char name[300];
    char tag[100];
    const json_t *blocks = json_object_get(section, "blocks");
    name_section(section, name, sizeof(name));
    (void)snprintf(tag, sizeof(tag), "name='%s'", doc_text_at(section, "id"));
    if (pdf->y > PDF_TOP)
        pdf->y += 18;
    pdf_need(pdf, fmax(150, 40 + least_of(pdf, blocks, 0)));
    pdf->section_page[place] = pdf->page;
    cairo_tag_begin(pdf->cr, CAIRO_TAG_DEST, tag);
    pdf_paragraph(pdf, name, &chapter, PDF_LEFT, PDF_SPACE, false);
    cairo_tag_end(pdf->cr, CAIRO_TAG_DEST);
    pdf->y += 3;
    pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, pdf->y, 1.5, PDF_BLUE);
    pdf_color(pdf, PDF_INK);
    pdf->y += 8;
    for (size_t i = 0; i < json_array_size(blocks); i++)
        add_block(pdf, blocks, i);
}

static void add_contents(struct pdf *pdf, const json_t *sections)
{
    pdf->y += 12;
    pdf_need(pdf, 60);
    pdf_paragraph(pdf, word(pdf, "contents"), &heading, PDF_LEFT, PDF_SPACE, false);
    pdf->y += 4;
    for (size_t i = 1; i < json_array_size(sections) && i < PDF_SECTIONS_MAX; i++) {
        const json_t *section = json_array_get(sections, i);
        char name[300];
        char tag[100];
        char page[20];
        name_section(section, name, sizeof(name));
        (void)snprintf(tag, sizeof(tag), "dest='%s'", doc_text_at(section, "id"));
        (void)snprintf(page, sizeof(page), "%d", pdf->section_page[i]);
        pdf_need(pdf, 16);
        cairo_tag_begin(pdf->cr, CAIRO_TAG_LINK, tag);
        pdf_color(pdf, PDF_BLUE);
        pdf_line(pdf, name, &body, PDF_LEFT, pdf->y, PDF_SPACE - 40, -1);
        pdf_line(pdf, page, &body, PDF_WIDTH - PDF_LEFT, pdf->y, 30, 1);
        cairo_tag_end(pdf->cr, CAIRO_TAG_LINK);
        pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, pdf->y + 13.5, 0.3, PDF_LINE);
        pdf->y += 16;
    }
    pdf_color(pdf, PDF_INK);
}

static void add_pages(struct pdf *pdf)
{
    const json_t *sections = json_object_get(pdf->document, "sections");
    pdf->page = 1;
    pdf->y = PDF_TOP;
    pdf_color(pdf, PDF_INK);
    pdf_paragraph(pdf, doc_text_at(pdf->document, "title"), &title, PDF_LEFT, PDF_SPACE, false);
    pdf_color(pdf, PDF_PALE);
    pdf_paragraph(pdf, doc_text_at(pdf->document, "subtitle"), &subtitle, PDF_LEFT, PDF_SPACE,
                  false);
    pdf_color(pdf, PDF_INK);
    for (size_t i = 0; i < json_array_size(sections) && i < PDF_SECTIONS_MAX; i++) {
        add_section(pdf, json_array_get(sections, i), i);
        if (i == 0)
            add_contents(pdf, sections);
    }
    add_foot(pdf);
    cairo_show_page(pdf->cr);
}

/* ---- the file ---- */

static void add_facts_of_file(struct pdf *pdf)
{
    const json_t *sections = json_object_get(pdf->document, "sections");
    char when[40];
    cairo_surface_t *surface = pdf->surface;
    (void)snprintf(when, sizeof(when), "%.19sZ", doc_text_at(pdf->document, "at"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE,
                                   doc_text_at(pdf->document, "title"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT,
                                   doc_text_at(pdf->document, "footer"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR,
                                   doc_text_at(pdf->document, "software"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, when);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, when);
    for (size_t i = 0; i < json_array_size(sections); i++) {
        char name[300];
        char tag[100];
        const json_t *section = json_array_get(sections, i);
        name_section(section, name, sizeof(name));
        (void)snprintf(tag, sizeof(tag), "dest='%s'", doc_text_at(section, "id"));
        (void)cairo_pdf_surface_add_outline(surface, CAIRO_PDF_OUTLINE_ROOT, name, tag, 0);
    }
}

static cairo_status_t to_stream(void *closure, const unsigned char *bytes, unsigned len)
{
    return fwrite(bytes, 1, len, closure) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_status_t to_nowhere(void *closure, const unsigned char *bytes, unsigned len)
{
    (void)closure;
    (void)bytes;
    (void)len;
    return CAIRO_STATUS_SUCCESS;
}

/* Glyphs stand where the font says, not where a screen's pixels would be. */
static PangoLayout *make_layout(cairo_t *cr)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoContext *context = pango_layout_get_context(layout);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    pango_context_set_round_glyph_positions(context, FALSE);
    cairo_font_options_destroy(options);
    return layout;
}

/* One way through; with to NULL only the places of pages are found out. */
static int draw(struct pdf *pdf, FILE *to, struct okno_err *err)
{
    pdf->surface =
        cairo_pdf_surface_create_for_stream(to ? to_stream : to_nowhere, to, PDF_WIDTH, PDF_HEIGHT);
    if (to)
        add_facts_of_file(pdf);
    pdf->cr = cairo_create(pdf->surface);
    pdf->layout = make_layout(pdf->cr);
    add_pages(pdf);
    g_object_unref(pdf->layout);
    cairo_destroy(pdf->cr);
    cairo_surface_finish(pdf->surface);
    cairo_status_t status = cairo_surface_status(pdf->surface);
    cairo_surface_destroy(pdf->surface);
    return status == CAIRO_STATUS_SUCCESS
               ? 0
               : okno_fail(err, OKNO_FAILED, "PDF: %s", cairo_status_to_string(status));
}

int pdf_write(const json_t *document, FILE *to, struct okno_err *err)
{
    struct pdf pdf = {.document = document, .lang = doc_text_at(document, "lang")};
    int rc = draw(&pdf, NULL, err);
    pdf.pages = pdf.page;
    return rc == 0 ? draw(&pdf, to, err) : rc;
}
