#define _POSIX_C_SOURCE 200809L
/* A report as one HTML file that needs nothing else: no script, no reference to outside. */
#include "html.h"

#include "cell.h"
#include "okno/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

void html_raw(struct html *html, const char *text)
{
    if (html->rc == 0)
        html->rc = okno_buf_add_text(html->to, text, html->err);
}

static const char *escaped(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? "\xef\xbf\xbd" : NULL;
    }
}

static void add_text(struct html *html, const char *text, size_t len)
{
    for (size_t i = 0; html->rc == 0 && i < len;) {
        size_t plain = i;
        while (plain < len && !escaped((unsigned char)text[plain]))
            plain++;
        html->rc = okno_buf_add(html->to, text + i, plain - i, html->err);
        if (plain < len)
            html_raw(html, escaped((unsigned char)text[plain++]));
        i = plain;
    }
}

void html_text(struct html *html, const char *text)
{
    add_text(html, text, strlen(text));
}

void html_print(struct html *html, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    html_raw(html, text);
}

const char *html_word(const struct html *html, const char *name)
{
    return doc_text_at(json_object_get(html->document, "words"), name);
}

/* ---- style ---- */

/* The same look on a screen and on A4 paper. Colours are never the only sign. */
static const char style[] =
    ":root{color-scheme:light}*{box-sizing:border-box}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',"
    "sans-serif;color:#1b1f24;background:#fff;max-width:62rem;margin:0 auto;padding:2rem 1.5rem}"
    "h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0}"
    "h2{font-size:1.35rem;line-height:1.25;margin:2.6rem 0 .8rem;padding-bottom:.3rem;"
    "border-bottom:2px solid #0b5cad}"
    "h3{font-size:1.05rem;margin:1.6rem 0 .5rem}p{margin:.6rem 0;max-width:48rem}"
    ".sub{font-size:1.15rem;color:#4a5361;overflow-wrap:anywhere}"
    ".mark{display:inline-block;border:2px solid #a4420a;color:#a4420a;padding:.1rem .6rem;"
    "font-weight:700;letter-spacing:.08em}"
    "table{border-collapse:collapse;width:100%;font-size:.86rem}"
    "caption{text-align:left;font-weight:600;padding:1rem 0 .35rem}"
    "th,td{padding:.28rem .5rem;border-bottom:1px solid #d5dae1;text-align:left;"
    "vertical-align:top;overflow-wrap:break-word}"
    "td.m,td.x,table.facts "
    "td{overflow-wrap:anywhere}td.c{white-space:nowrap}td.m{min-width:7.4em}td.x{min-width:8em}"
    "tr.below td{border-bottom:1px solid #d5dae1;color:#4a5361;padding:0 .5rem .35rem 2.2rem;"
    "overflow-wrap:anywhere}tr.has td{border-bottom:0}"
    "thead th{border-bottom:2px solid #8a94a3;font-weight:600;vertical-align:bottom;"
    "overflow-wrap:normal;hyphens:auto}"
    "th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}"
    "td.n{white-space:nowrap}td.t{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".m,.c{font-family:ui-monospace,'DejaVu Sans Mono',Consolas,monospace;font-size:.92em}"
    "table.facts th{width:38%;font-weight:400;color:#4a5361}"
    ".wide{overflow-x:auto}.more{color:#4a5361;font-size:.86rem}"
    "pre{font:.82rem/1.45 ui-monospace,'DejaVu Sans Mono',Consolas,monospace;background:#f3f5f8;"
    "border:1px solid #d5dae1;padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".note{border-left:4px solid;padding:.45rem .8rem;margin:.7rem 0;background:#f6f7f9}"
    ".note.good{border-color:#1a7f37}.note.warn{border-color:#b25e09}.note.bad{border-color:#"
    "c1121f}"
    ".note b{margin-right:.4rem}nav ol{list-style:none;padding:0;columns:2;column-gap:2rem}"
    "nav li{margin:0;padding:.27rem 0;break-inside:avoid}nav a{color:#0b5cad;text-decoration:none}"
    "figure{margin:1.2rem 0}figcaption{font-weight:600;margin-bottom:.4rem}"
    "svg{display:block;max-width:100%;height:auto}.qr{width:11rem}"
    "figure{overflow-x:auto}.chart{min-width:46rem}.chart .label{line-height:28px;"
    "text-align:right;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}"
    ".legend{max-width:none;margin:.2rem 0;font-size:.8rem;color:#4a5361}"
    ".legend span{display:inline-block;margin-right:1.2rem}"
    ".legend svg{display:inline;vertical-align:-2px}"
    "li{margin:.3rem 0;max-width:48rem}footer{margin-top:3rem;color:#4a5361;font-size:.86rem}"
    "@page{size:A4;margin:18mm 15mm 20mm}"
    "@media print{body{font-size:9.5pt;max-width:none;padding:0}a{color:inherit}"
    "h2{margin-top:1.6rem}h2,h3,caption,figcaption{break-after:avoid}"
    "p:has(+.wide),p:has(+table),p:has(+pre),p:has(+ul),tr:has(+tr:last-child){break-after:avoid}"
    ".facts tr:nth-child(-n+2){break-after:avoid}.more{break-before:avoid}"
    "tr,figure,.note,pre{break-inside:avoid}thead{display:table-header-group;break-after:avoid}"
    "tbody tr:first-child,tr.below{break-before:avoid}"
    ".wide,figure{overflow:visible}.chart{min-width:0}table,.more,.legend{font-size:8pt}th,td{"
    "padding:.2rem "
    ".35rem}.sum{break-after:page}footer{display:none}}";

/* What stands in the margins of printed pages. A CSS string knows other escapes than HTML. */
static void add_page_margins(struct html *html)
{
    html_raw(html, "@page{@bottom-left{font:7.5pt system-ui,sans-serif;color:#4a5361;content:\"");
    for (const char *c = doc_text_at(html->document, "footer"); *c; c++)
        if (strchr("\"\\<>&\n", *c))
            html_print(html, "\\%06x", (unsigned char)*c);
        else
            html_print(html, "%c", *c);
    html_print(html,
               "\"}@bottom-right{font:7.5pt system-ui,sans-serif;color:#4a5361;"
               "content:\"%s \" counter(page) \" %s \" counter(pages)}}",
               html_word(html, "page"), html_word(html, "of"));
}

/* ---- blocks ---- */

static void add_value(struct html *html, const json_t *value, const char *type)
{
    char text[CELL_TEXT];
    const char *shown = cell_format(value, type, html->lang, text);
    if (strcmp(type, "hash") != 0) {
        html_text(html, shown);
        return;
    }
    while (*shown) { /* the first digits of each name a file well enough for the eye */
        size_t len = strcspn(shown, " ");
        add_text(html, shown, len < 16 ? len : 16);
        html_raw(html, len > 16 ? "… " : " ");
        shown += len + strspn(shown + len, " ");
    }
}

static const char *class_of(const char *type)
{
    if (cell_is_number(type))
        return " class=\"n\"";
    if (strcmp(type, "code") == 0)
        return " class=\"c\"";
    if (strcmp(type, "mono") == 0 || strcmp(type, "hash") == 0)
        return " class=\"m\"";
    if (strcmp(type, "word") == 0)
        return "";
    return strcmp(type, "time") == 0 ? " class=\"t\"" : " class=\"x\" dir=\"auto\"";
}

static void add_facts(struct html *html, const json_t *block)
{
    size_t i;
    json_t *row;
    html_raw(html, "<table class=\"facts\"><tbody>\n");
    json_array_foreach(json_object_get(block, "rows"), i, row)
    {
        const char *type = doc_text_at(row, "type");
        html_raw(html, "<tr><th scope=\"row\">");
        html_text(html, doc_text_at(row, "label"));
        html_print(html, "</th><td%s>", cell_is_number(type) ? "" : class_of(type));
        add_value(html, json_object_get(row, "value"), type);
        html_raw(html, "</td></tr>\n");
    }
    html_raw(html, "</tbody></table>\n");
}

static bool is_below(const json_t *column)
{
    return strcmp(doc_text_at(column, "type"), "below") == 0;
}

static void add_head_row(struct html *html, const json_t *columns)
{
    size_t i;
    json_t *column;
    html_raw(html, "<thead><tr>");
    json_array_foreach(columns, i, column)
    {
        if (is_below(column))
            continue;
        html_print(html, "<th scope=\"col\"%s>",
                   cell_is_number(doc_text_at(column, "type")) ? " class=\"n\"" : "");
        html_text(html, doc_text_at(column, "label"));
        html_raw(html, "</th>");
    }
    html_raw(html, "</tr></thead>\n");
}

/* What takes a line of its own under a row; NULL for nothing. */
static const char *text_below(const json_t *columns, const json_t *row)
{
    const char *text = NULL;
    for (size_t i = 0; i < json_array_size(columns); i++)
        if (is_below(json_array_get(columns, i)))
            text = json_string_value(json_array_get(row, i));
    return text && *text ? text : NULL;
}

static void add_table_row(struct html *html, const json_t *columns, const json_t *row)
{
    const char *below = text_below(columns, row);
    html_raw(html, below ? "<tr class=\"has\">" : "<tr>");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *type = doc_text_at(json_array_get(columns, i), "type");
        if (strcmp(type, "below") == 0)
            continue;
        html_print(html, "<td%s>", class_of(type));
        add_value(html, json_array_get(row, i), type);
        html_raw(html, "</td>");
    }
    html_raw(html, "</tr>\n");
    if (!below)
        return;
    html_print(html, "<tr class=\"below\"><td colspan=\"%zu\" dir=\"auto\">",
               json_array_size(columns) - 1);
    html_text(html, below);
    html_raw(html, "</td></tr>\n");
}

static void add_table(struct html *html, const json_t *block)
{
    const json_t *columns = json_object_get(block, "columns");
    const json_t *rows = json_object_get(block, "rows");
    int64_t more = doc_int_at(block, "more");
    html_raw(html, "<div class=\"wide\"><table><caption>");
    html_text(html, doc_text_at(block, "title"));
    html_raw(html, "</caption>\n");
    if (json_array_size(rows) > 0)
        add_head_row(html, columns);
    html_raw(html, "<tbody>\n");
    for (size_t i = 0; i < json_array_size(rows); i++)
        add_table_row(html, columns, json_array_get(rows, i));
    if (json_array_size(rows) == 0)
        html_print(html, "<tr><td>%s</td></tr>\n", html_word(html, "none"));
    html_raw(html, "</tbody></table></div>\n");
    if (more > 0) {
        html_print(html, "<p class=\"more\">+ %lld ", (long long)more);
        html_text(html, html_word(html, "more"));
        html_raw(html, "</p>\n");
    }
}

static void add_note(struct html *html, const json_t *block)
{
    const char *tone = doc_text_at(block, "tone");
    const char *sign = strcmp(tone, "good") == 0 ? "✓" : strcmp(tone, "bad") == 0 ? "✗" : "!";
    html_print(html, "<div class=\"note %s\"><b>%s</b><span dir=\"auto\">", tone, sign);
    html_text(html, doc_text_at(block, "text"));
    html_raw(html, "</span></div>\n");
}

static void add_list(struct html *html, const json_t *block)
{
    size_t i;
    json_t *item;
    html_raw(html, "<ul>\n");
    json_array_foreach(json_object_get(block, "items"), i, item)
    {
        html_raw(html, "<li dir=\"auto\">");
        html_text(html, json_string_value(item));
        html_raw(html, "</li>\n");
    }
    html_raw(html, "</ul>\n");
}

static void add_tagged(struct html *html, const json_t *block, const char *open, const char *close)
{
    html_raw(html, open);
    html_text(html, doc_text_at(block, "text"));
    html_raw(html, close);
}

static void add_qr(struct html *html, const json_t *block)
{
    long long size = (long long)doc_int_at(block, "size");
    html_print(html,
               "<figure><svg class=\"qr\" viewBox=\"0 0 %lld %lld\" role=\"img\" "
               "shape-rendering=\"crispEdges\"><title>",
               size, size);
    html_text(html, doc_text_at(block, "text"));
    html_print(html, "</title><rect width=\"%lld\" height=\"%lld\" fill=\"#fff\"/><path d=\"", size,
               size);
    html_text(html, doc_text_at(block, "path"));
    html_raw(html, "\"/></svg><figcaption>");
    html_text(html, doc_text_at(block, "text"));
    html_raw(html, "</figcaption></figure>\n");
}

static void add_block(struct html *html, const json_t *block)
{
    const char *kind = doc_text_at(block, "block");
    if (strcmp(kind, "text") == 0)
        add_tagged(html, block, "<p dir=\"auto\">", "</p>\n");
    else if (strcmp(kind, "heading") == 0)
        add_tagged(html, block, "<h3>", "</h3>\n");
    else if (strcmp(kind, "code") == 0)
        add_tagged(html, block, "<pre>", "</pre>\n");
    else if (strcmp(kind, "note") == 0)
        add_note(html, block);
    else if (strcmp(kind, "list") == 0)
        add_list(html, block);
    else if (strcmp(kind, "facts") == 0)
        add_facts(html, block);
    else if (strcmp(kind, "table") == 0)
        add_table(html, block);
    else if (strcmp(kind, "forest") == 0)
        html_forest(html, block);
    else if (strcmp(kind, "bars") == 0)
        html_bars(html, block);
    else if (strcmp(kind, "qr") == 0)
        add_qr(html, block);
}

/* ---- all of it ---- */

static void add_title(struct html *html, const json_t *section)
{
    int64_t number = doc_int_at(section, "number");
    if (number > 0 && number < 14)
        html_print(html, "%lld. ", (long long)number);
    html_text(html, doc_text_at(section, "title"));
}

static void add_contents(struct html *html, const json_t *sections)
{
    size_t i;
    json_t *section;
    html_print(html, "<nav><h2>%s</h2><ol>\n", html_word(html, "contents"));
    json_array_foreach(sections, i, section)
    {
        html_print(html, "<li><a href=\"#%s\">", doc_text_at(section, "id"));
        add_title(html, section);
        html_raw(html, "</a></li>\n");
    }
    html_raw(html, "</ol></nav>\n");
}

static void add_section(struct html *html, const json_t *section)
{
    size_t i;
    json_t *block;
    html_print(html, "<section id=\"%s\"><h2>", doc_text_at(section, "id"));
    add_title(html, section);
    html_raw(html, "</h2>\n");
    json_array_foreach(json_object_get(section, "blocks"), i, block)
    {
        add_block(html, block);
    }
    html_raw(html, "</section>\n");
}

static void add_head(struct html *html)
{
    html_print(html,
               "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "style-src 'unsafe-inline'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
               html->lang);
    html_text(html, doc_text_at(html->document, "title"));
    html_raw(html, ": ");
    html_text(html, doc_text_at(html->document, "subtitle"));
    html_raw(html, "</title>\n<style>");
    html_raw(html, style);
    add_page_margins(html);
    html_raw(html, "</style>\n</head>\n<body>\n<header><h1>");
    html_text(html, doc_text_at(html->document, "title"));
    html_raw(html, "</h1><p class=\"sub\" dir=\"auto\">");
    html_text(html, doc_text_at(html->document, "subtitle"));
    html_raw(html, "</p>");
    if (json_is_string(json_object_get(html->document, "mark"))) {
        html_raw(html, "<p class=\"mark\">");
        html_text(html, doc_text_at(html->document, "mark"));
        html_raw(html, "</p>");
    }
    html_raw(html, "</header>\n");
}

int html_write(const json_t *document, struct okno_buf *to, struct okno_err *err)
{
    struct html html = {
        .document = document, .lang = doc_text_at(document, "lang"), .to = to, .err = err};
    const json_t *sections = json_object_get(document, "sections");
    add_head(&html);
    add_section(&html, json_array_get(sections, 0));
    add_contents(&html, sections);
    for (size_t i = 1; i < json_array_size(sections); i++)
        add_section(&html, json_array_get(sections, i));
    html_raw(&html, "<footer>");
    html_text(&html, doc_text_at(document, "footer"));
    html_raw(&html, "</footer>\n</body>\n</html>\n");
    return html.rc;
}
