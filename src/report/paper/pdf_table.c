#define _POSIX_C_SOURCE 200809L
/* Tables of a PDF: widths from what is in them, heads on every page. */
#include "paper.h"

#include "cell.h"

#include <math.h>
#include <string.h>

enum { COLUMNS_MAX = 16, MEASURED_ROWS = 150, VALUE = 4096 };

#define GAP 7.0   /* between columns */
#define APART 5.0 /* more of it between a number and a text */
#define MORE 16.0 /* the line about rows left out */
#define ROW_MAX (PDF_BOTTOM - PDF_TOP - 60)

static const struct pdf_font cell_font = {.size = 7.6};
static const struct pdf_font mono_font = {.size = 7.0, .mono = true};
static const struct pdf_font head_font = {.size = 7.6, .bold = true};
static const struct pdf_font caption_font = {.size = 9.2, .bold = true};

struct column {
    const char *label, *type;
    size_t place; /* in the rows */
    double least, wanted, width, x;
};

struct table {
    const json_t *block, *rows;
    struct column columns[COLUMNS_MAX];
    size_t count;
    size_t below; /* place of the text that goes under a row; SIZE_MAX: none */
    int64_t more; /* rows left out, told in a line after the last */
};

static const struct pdf_font *font_of(const char *type)
{
    bool mono = strcmp(type, "mono") == 0 || strcmp(type, "hash") == 0 || strcmp(type, "code") == 0;
    return mono ? &mono_font : &cell_font;
}

/* What may be broken anywhere: texts of people and long codes. */
static bool breaks(const char *type)
{
    return strcmp(type, "text") == 0 || strcmp(type, "mono") == 0 || strcmp(type, "day") == 0;
}

/* ---- widths ---- */

static double longest_word(struct pdf *pdf, const char *text, const struct pdf_font *font)
{
    double most = 0;
    while (*text) {
        char one[100];
        size_t len = strcspn(text, " \n");
        if (len > 0 && len < sizeof(one)) {
            memcpy(one, text, len);
            one[len] = '\0';
            (void)pdf_set(pdf, one, font, 0);
            most = fmax(most, pdf_width(pdf));
        }
        text += len + strspn(text + len, " \n");
    }
    return most;
}

static void measure_cell(struct pdf *pdf, struct column *column, const json_t *value)
{
    char text[VALUE];
    const char *shown = paper_value(value, column->type, pdf->lang, text, sizeof(text));
    const struct pdf_font *font = font_of(column->type);
    (void)pdf_set(pdf, shown, font, 0);
    double whole = pdf_width(pdf);
    bool word = strcmp(column->type, "word") == 0;
    double least = breaks(column->type) ? fmin(whole, 52)
                   : word               ? fmin(longest_word(pdf, shown, font), 120)
                                        : whole;
    column->wanted = fmax(column->wanted, fmin(whole, 260));
    column->least = fmax(column->least, least);
}

static void measure(struct pdf *pdf, struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct column *column = &table->columns[i];
        column->least = longest_word(pdf, column->label, &head_font);
        (void)pdf_set(pdf, column->label, &head_font, 0);
        column->wanted = fmin(pdf_width(pdf), 90);
        for (size_t r = 0; r < json_array_size(table->rows) && r < MEASURED_ROWS; r++)
            measure_cell(pdf, column,
                         json_array_get(json_array_get(table->rows, r), column->place));
        column->wanted = fmax(column->wanted, column->least);
    }
}

static double gap_after(const struct table *table, size_t i)
{
    if (i + 1 == table->count)
        return 0;
    bool apart =
        cell_is_number(table->columns[i].type) && !cell_is_number(table->columns[i + 1].type);
    return apart ? GAP + APART : GAP;
}

/* Everybody gets the least, then what is wanted as far as there is space; what is left over goes to
 * texts. Too little for the least: all shrink alike, and their words are broken. */
static void share_out(struct table *table)
{
    double space = PDF_SPACE;
    for (size_t i = 0; i < table->count; i++)
        space -= gap_after(table, i);
    double least = 0;
    double wanted = 0;
    for (size_t i = 0; i < table->count; i++) {
        least += table->columns[i].least;
        wanted += table->columns[i].wanted;
    }
    double x = PDF_LEFT;
    for (size_t i = 0; i < table->count; i++) {
        struct column *c = &table->columns[i];
        if (least >= space)
            c->width = c->least * space / least;
        else if (wanted > space)
            c->width = c->least + (c->wanted - c->least) * (space - least) / (wanted - least);
        else
            c->width = c->wanted + (space - wanted) * c->wanted / wanted;
        c->x = x;
        x += c->width + gap_after(table, i);
    }
}

/* ---- rows ---- */

static double cell_height(struct pdf *pdf, const struct column *column, const char *text)
{
    double height = pdf_set(pdf, text, font_of(column->type), column->width + 0.5);
    return fmin(height, ROW_MAX);
}

static void show_cell(struct pdf *pdf, const struct column *column, const char *text, double y)
{
    (void)pdf_set(pdf, text, font_of(column->type), column->width + 0.5);
    if (cell_is_number(column->type))
        pango_layout_set_alignment(pdf->layout, PANGO_ALIGN_RIGHT);
    pango_layout_set_height(pdf->layout, (int)(ROW_MAX * PANGO_SCALE));
    pango_layout_set_ellipsize(pdf->layout, PANGO_ELLIPSIZE_END);
    pdf_show(pdf, column->x, y);
}

static void add_head(struct pdf *pdf, const struct table *table)
{
    double most = 0;
    double heights[COLUMNS_MAX];
    for (size_t i = 0; i < table->count; i++) {
        const struct column *c = &table->columns[i];
        heights[i] = pdf_set(pdf, c->label, &head_font, c->width + 0.5);
        most = fmax(most, heights[i]);
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct column *c = &table->columns[i];
        (void)pdf_set(pdf, c->label, &head_font, c->width + 0.5);
        if (cell_is_number(c->type))
            pango_layout_set_alignment(pdf->layout, PANGO_ALIGN_RIGHT);
        pdf_show(pdf, c->x, pdf->y + most - heights[i]);
    }
    pdf->y += most + 3;
    pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, pdf->y, 0.9, PDF_GREY);
    pdf_color(pdf, PDF_INK);
    pdf->y += 3;
}

static const char *text_below(const struct table *table, const json_t *row)
{
    const char *text =
        table->below == SIZE_MAX ? NULL : json_string_value(json_array_get(row, table->below));
    return text ? text : "";
}

static void add_row(struct pdf *pdf, const struct table *table, size_t at)
{
    char texts[COLUMNS_MAX][VALUE];
    const char *shown[COLUMNS_MAX];
    const json_t *row = json_array_get(table->rows, at);
    bool tail = table->more > 0 && at + 1 == json_array_size(table->rows);
    double height = 0;
    const char *below = text_below(table, row);
    for (size_t i = 0; i < table->count; i++) {
        const struct column *c = &table->columns[i];
        shown[i] = paper_value(json_array_get(row, c->place), c->type, pdf->lang, texts[i], VALUE);
        height = fmax(height, cell_height(pdf, c, shown[i]));
    }
    if (pdf->y + height + (*below ? 24 : 5) + (tail ? MORE : 0) > PDF_BOTTOM) {
        pdf_new_page(pdf);
        add_head(pdf, table);
    }
    for (size_t i = 0; i < table->count; i++)
        show_cell(pdf, &table->columns[i], shown[i], pdf->y);
    pdf->y += height + 2.5;
    if (*below) {
        pdf_color(pdf, PDF_PALE);
        pdf_paragraph(pdf, below, &cell_font, PDF_LEFT + 26, PDF_SPACE - 26, false);
        pdf->y += 2;
    }
    pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, pdf->y, 0.4, PDF_LINE);
    pdf_color(pdf, PDF_INK);
    pdf->y += 2.5;
}

static void read_columns(const json_t *block, struct table *table)
{
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(block, "columns"), i, column)
    {
        const char *type = doc_text_at(column, "type");
        if (strcmp(type, "below") == 0)
            table->below = i;
        else if (table->count < COLUMNS_MAX)
            table->columns[table->count++] =
                (struct column){.label = doc_text_at(column, "label"), .type = type, .place = i};
    }
}

void pdf_table(struct pdf *pdf, const json_t *block)
{
    struct table table = {.block = block,
                          .rows = json_object_get(block, "rows"),
                          .below = SIZE_MAX,
                          .more = doc_int_at(block, "more")};
    const json_t *words = json_object_get(pdf->document, "words");
    read_columns(block, &table);
    measure(pdf, &table);
    share_out(&table);
    pdf->y += 5;
    pdf_need(pdf, 76); /* title, head and a row together */
    pdf_paragraph(pdf, doc_text_at(block, "title"), &caption_font, PDF_LEFT, PDF_SPACE, false);
    pdf->y += 4;
    if (json_array_size(table.rows) == 0)
        pdf_paragraph(pdf, doc_text_at(words, "none"), &cell_font, PDF_LEFT, PDF_SPACE, false);
    else
        add_head(pdf, &table);
    for (size_t i = 0; i < json_array_size(table.rows); i++)
        add_row(pdf, &table, i);
    if (table.more > 0) {
        char text[300];
        (void)snprintf(text, sizeof(text), "+ %lld %s", (long long)table.more,
                       doc_text_at(words, "more"));
        pdf_color(pdf, PDF_PALE);
        pdf_paragraph(pdf, text, &cell_font, PDF_LEFT, PDF_SPACE, false);
        pdf_color(pdf, PDF_INK);
    }
    pdf->y += 9;
}

/* ---- facts ---- */

static void add_fact(struct pdf *pdf, const json_t *row)
{
    char text[VALUE];
    const char *type = doc_text_at(row, "type");
    const char *shown =
        paper_value(json_object_get(row, "value"), type, pdf->lang, text, sizeof(text));
    const struct pdf_font label = {.size = 8.2};
    const struct pdf_font value = {.size = strcmp(type, "mono") == 0 ? 7.4 : 8.4,
                                   .mono = strcmp(type, "mono") == 0};
    double left = PDF_SPACE * 0.36;
    double width = PDF_SPACE - left - 10;
    double of_label = pdf_set(pdf, doc_text_at(row, "label"), &label, left);
    double of_value = pdf_set(pdf, shown, &value, width);
    pdf_need(pdf, fmin(fmax(of_label, of_value) + 7, ROW_MAX));
    double from = pdf->y;
    int page = pdf->page;
    (void)pdf_set(pdf, doc_text_at(row, "label"), &label, left);
    pdf_color(pdf, PDF_PALE);
    pdf_show(pdf, PDF_LEFT, pdf->y);
    pdf_color(pdf, PDF_INK);
    pdf_paragraph(pdf, shown, &value, PDF_LEFT + left + 10, width, false);
    if (page == pdf->page)
        pdf->y = fmax(pdf->y, from + of_label);
    pdf->y += 2.5;
    pdf_rule(pdf, PDF_LEFT, PDF_WIDTH - PDF_LEFT, pdf->y, 0.4, PDF_LINE);
    pdf_color(pdf, PDF_INK);
    pdf->y += 3;
}

void pdf_facts(struct pdf *pdf, const json_t *block)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(block, "rows"), i, row)
    {
        add_fact(pdf, row);
    }
    pdf->y += 6;
}
