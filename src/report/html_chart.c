#define _POSIX_C_SOURCE 200809L
/* Charts as inline SVG. Shapes tell what a mark is; colours only help. */
#include "html.h"

#include "cell.h"
#include "chart.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 900,
    LABELS = 250,
    NUMBERS = 220,
    PLOT = WIDTH - LABELS - NUMBERS,
    ROW = 28,
    TOP = 12,
    BOTTOM = 26
};

#define FONT "font-family=\"system-ui,'DejaVu Sans',sans-serif\" font-size=\"12.5\""

static double x_of(const struct chart_axis *axis, const json_t *value)
{
    return LABELS + PLOT * chart_place(axis, json_number_value(value));
}

#define PALE "stroke=\"#b9d2ec\" stroke-width=\"11\""
#define DARK "stroke=\"#0b5cad\" stroke-width=\"3\""
#define GREY "fill=\"none\" stroke=\"#6b7686\" stroke-width=\"1.6\""

/* Entries break into lines as texts do. */
static void add_legend(struct html *html, const json_t *rows)
{
    static const struct {
        const char *word;
        const char *key; /* in the rows */
        int width;
        const char *mark;
    } entries[] = {
        {"raw", "raw", 12, "<circle cx=\"6\" cy=\"7\" r=\"5\" " GREY "/>"},
        {"excluded", "excluded", 14, "<path d=\"M7 1l6 6l-6 6l-6 -6z\" " GREY "/>"},
        {"estimated", "value", 26,
         "<path d=\"M0 7h26\" " DARK "/>"
         "<rect x=\"8\" y=\"2\" width=\"10\" height=\"10\" fill=\"#0b5cad\"/>"},
        {"worst", "worst", 26, "<path d=\"M0 7h26\" " PALE "/>"},
    };
    html_raw(html, "<p class=\"legend\">");
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        if (!chart_has(rows, entries[i].key))
            continue;
        html_print(html, "<span><svg width=\"%d\" height=\"14\" aria-hidden=\"true\">%s</svg> ",
                   entries[i].width, entries[i].mark);
        html_text(html, html_word(html, entries[i].word));
        html_raw(html, "</span> ");
    }
    html_raw(html, "</p>\n");
}

static void open_chart(struct html *html, const json_t *block, int height)
{
    html_raw(html, "<figure><figcaption>");
    html_text(html, doc_text_at(block, "title"));
    html_raw(html, "</figcaption>");
    if (strcmp(doc_text_at(block, "block"), "forest") == 0)
        add_legend(html, json_object_get(block, "rows"));
    html_print(
        html,
        "<svg class=\"chart\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" " FONT
        "><title>",
        WIDTH, height, WIDTH, height);
    html_text(html, doc_text_at(block, "title"));
    html_raw(html, "</title>\n");
}

/* As much of it as there is room for: no SVG text knows how wide its letters are. */
static void add_label(struct html *html, const char *label, double y)
{
    html_print(html,
               "<foreignObject width=\"%d\" height=\"%d\" y=\"%.1f\"><div class=\"label\" "
               "dir=\"auto\" title=\"",
               LABELS - 14, ROW, y - ROW / 2.0);
    html_text(html, label);
    html_raw(html, "\">");
    html_text(html, label);
    html_raw(html, "</div></foreignObject>");
}

static void add_axis(struct html *html, const struct chart_axis *axis, int bottom)
{
    for (int i = 0; i < chart_ticks(axis); i++) {
        char text[CELL_TEXT];
        double at = chart_tick(axis, i);
        double x = LABELS + PLOT * chart_place(axis, at);
        html_print(html,
                   "<path d=\"M%.1f %dV%d\" stroke=\"#d5dae1\"/><text x=\"%.1f\" y=\"%d\" "
                   "text-anchor=\"middle\" fill=\"#4a5361\">%s</text>",
                   x, TOP - 8, bottom, x, bottom + 18,
                   cell_real(at, axis->decimals, html->lang, text));
    }
}

static void add_numbers(struct html *html, const json_t *row, double y)
{
    char value[CELL_TEXT];
    char range[CELL_TEXT];
    json_t *pair = json_pack("[o, o]", doc_copy(row, "low"), doc_copy(row, "high"));
    const json_t *worst = json_object_get(row, "worst");
    bool has_value = json_is_number(json_object_get(row, "value"));
    html_print(html, "<text x=\"%d\" y=\"%.1f\">", LABELS + PLOT + 14, y + 4.5);
    if (has_value)
        html_print(html, "%s [%s]",
                   cell_format(json_object_get(row, "value"), "num", html->lang, value),
                   cell_format(pair, "range", html->lang, range));
    else
        html_print(html, "[%s]", cell_format(worst, "range", html->lang, range));
    html_raw(html, "</text>\n");
    json_decref(pair);
}

static void add_span(struct html *html, const struct chart_axis *axis, const json_t *low,
                     const json_t *high, double y, const char *look)
{
    double from;
    double to;
    chart_span(axis, json_number_value(low), json_number_value(high), &from, &to);
    html_print(html, "<path d=\"M%.1f %.1fH%.1f\" %s/>", LABELS + PLOT * from, y,
               LABELS + PLOT * to, look);
}

static void add_row(struct html *html, const struct chart_axis *axis, const json_t *row, double y)
{
    const json_t *worst = json_object_get(row, "worst");
    const json_t *low = json_object_get(row, "low");
    const json_t *value = json_object_get(row, "value");
    const json_t *raw = json_object_get(row, "raw");
    const json_t *excluded = json_object_get(row, "excluded");
    add_label(html, doc_text_at(row, "label"), y);
    if (json_is_number(json_array_get(worst, 0)))
        add_span(html, axis, json_array_get(worst, 0), json_array_get(worst, 1), y, PALE);
    if (json_is_number(low))
        add_span(html, axis, low, json_object_get(row, "high"), y, DARK);
    if (json_is_number(value))
        html_print(html,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"#0b5cad\"/>",
                   x_of(axis, value) - 5, y - 5);
    if (json_is_number(raw))
        html_print(html, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" " GREY "/>", x_of(axis, raw), y);
    if (json_is_number(excluded))
        html_print(html, "<path d=\"M%.1f %.1fl6 6l-6 6l-6 -6z\" " GREY "/>", x_of(axis, excluded),
                   y - 6);
    add_numbers(html, row, y);
}

void html_forest(struct html *html, const json_t *block)
{
    const json_t *rows = json_object_get(block, "rows");
    struct chart_axis axis = chart_forest_axis(rows);
    int bottom = TOP + ROW * (int)json_array_size(rows);
    if (json_array_size(rows) == 0)
        return;
    open_chart(html, block, bottom + BOTTOM);
    add_axis(html, &axis, bottom);
    for (size_t i = 0; i < json_array_size(rows); i++)
        add_row(html, &axis, json_array_get(rows, i), TOP + ROW * ((double)i + 0.5));
    html_raw(html, "</svg></figure>\n");
}

void html_bars(struct html *html, const json_t *block)
{
    const json_t *rows = json_object_get(block, "rows");
    int count = (int)json_array_size(rows);
    if (count == 0)
        return;
    double most = 1e-9;
    for (int i = 0; i < count; i++)
        most = fmax(most,
                    json_number_value(json_object_get(json_array_get(rows, (size_t)i), "value")));
    open_chart(html, block, ROW * count + 4);
    for (int i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        char share[CELL_TEXT];
        double value = json_number_value(json_object_get(row, "value"));
        double y = ROW * (i + 0.5);
        add_label(html, doc_text_at(row, "label"), y);
        html_print(html,
                   "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"16\" fill=\"#0b5cad\"/>",
                   LABELS, y - 8, PLOT * value / most);
        html_print(html, "<text x=\"%.1f\" y=\"%.1f\">", LABELS + PLOT * value / most + 8, y + 4.5);
        html_text(html, doc_text_at(row, "text"));
        html_print(html, " (%s)</text>\n",
                   cell_format(json_object_get(row, "value"), "pct", html->lang, share));
    }
    html_raw(html, "</svg></figure>\n");
}
