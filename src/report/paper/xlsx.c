#define _GNU_SOURCE
/* A report as a workbook: a first sheet to read, then a sheet for each table. Numbers are numbers,
 * moments are dates (UTC), and texts are texts whatever they begin with: no formula is ever
 * written. */
#include "paper.h"

#include "cell.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xlsxwriter.h>

enum { SHEET_NAME = 31, TEXT_MAX = 32000, FIRST_WIDTH = 44, SECOND_WIDTH = 90 };

struct book {
    const json_t *document;
    const char *lang;
    lxw_workbook *workbook;
    lxw_format *title, *chapter, *head, *label, *text, *mono, *whole, *fraction, *percent, *moment;
};

/* ---- looks ---- */

static lxw_format *number_format(struct book *book, const char *pattern)
{
    lxw_format *format = workbook_add_format(book->workbook);
    format_set_num_format(format, pattern);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    return format;
}

static lxw_format *text_format(struct book *book, double size, bool bold)
{
    lxw_format *format = workbook_add_format(book->workbook);
    format_set_text_wrap(format);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    format_set_font_size(format, size);
    if (bold)
        format_set_bold(format);
    return format;
}

static void make_formats(struct book *book)
{
    book->title = text_format(book, 18, true);
    book->chapter = text_format(book, 13, true);
    book->head = text_format(book, 11, true);
    book->label = text_format(book, 11, false);
    book->text = text_format(book, 11, false);
    book->mono = text_format(book, 10, false);
    format_set_text_wrap(book->title);
    format_set_bottom(book->head, LXW_BORDER_THIN);
    format_set_bottom(book->chapter, LXW_BORDER_THIN);
    format_set_font_color(book->label, 0x4A5361);
    format_set_font_name(book->mono, "Courier New");
    book->whole = number_format(book, "#,##0");
    book->fraction = number_format(book, "0.0000");
    book->percent = number_format(book, "0.00%");
    book->moment = number_format(book, "yyyy-mm-dd hh:mm:ss");
    format_set_align(book->moment, LXW_ALIGN_LEFT);
}

static lxw_format *format_of(const struct book *book, const char *type)
{
    if (strcmp(type, "pct") == 0)
        return book->percent;
    return strcmp(type, "num") == 0 || strcmp(type, "range") == 0 ? book->fraction : NULL;
}

/* ---- cells ---- */

/* A cell holds 32,767 characters; longer texts are cut where a character ends. */
static void write_text(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, const char *text,
                       lxw_format *format)
{
    size_t len = strlen(text);
    if (len <= TEXT_MAX) {
        (void)worksheet_write_string(sheet, row, col, text, format);
        return;
    }
    okno_autofree char *cut = strndup(text, TEXT_MAX);
    if (!cut)
        return;
    for (len = TEXT_MAX; len > 0 && (text[len] & 0xc0) == 0x80; len--)
        continue;
    cut[len] = '\0';
    (void)worksheet_write_string(sheet, row, col, cut, format);
}

/* Days since 1899-12-30. */
static double serial_of(const char *iso)
{
    int64_t at_us = 0;
    if (okno_time_parse(iso, &at_us, NULL) < 0)
        return 0;
    return (double)at_us / (double)OKNO_DAY_US + 25569;
}

static void write_value(const struct book *book, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col,
                        const json_t *value, const char *type)
{
    char text[CELL_TEXT];
    if (!value || json_is_null(value))
        return;
    if (strcmp(type, "time") == 0 && json_is_string(value))
        (void)worksheet_write_number(sheet, row, col, serial_of(json_string_value(value)),
                                     book->moment);
    else if (json_is_integer(value) && !format_of(book, type))
        (void)worksheet_write_number(sheet, row, col, (double)json_integer_value(value),
                                     book->whole);
    else if (json_is_number(value))
        (void)worksheet_write_number(sheet, row, col, json_number_value(value),
                                     format_of(book, type));
    else if (json_is_string(value))
        write_text(sheet, row, col, json_string_value(value),
                   strcmp(type, "mono") == 0 || strcmp(type, "hash") == 0 ? book->mono
                                                                          : book->text);
    else
        write_text(sheet, row, col, cell_format(value, type, book->lang, text), book->text);
}

/* A range takes two cells. Returns the next free column. */
static lxw_col_t write_cell(const struct book *book, lxw_worksheet *sheet, lxw_row_t row,
                            lxw_col_t col, const json_t *value, const char *type)
{
    bool range = strcmp(type, "range") == 0;
    write_value(book, sheet, row, col, range ? json_array_get(value, 0) : value, type);
    if (range)
        write_value(book, sheet, row, (lxw_col_t)(col + 1), json_array_get(value, 1), type);
    return (lxw_col_t)(col + (range ? 2 : 1));
}

/* ---- a sheet a table ---- */

/* "9 Indicators, all sites": at most 31 characters without []:*?/\, and unique by a number where
 * it has to be. */
static void name_sheet(const struct book *book, int section, const char *title, char *ret_name,
                       size_t size)
{
    char base[200];
    size_t used = (size_t)snprintf(base, sizeof(base), "%d ", section);
    int points = (int)used;
    for (const char *at = title; *at && used + 5 < sizeof(base); at++) {
        bool first = (*at & 0xc0) != 0x80;
        if (first && points++ >= SHEET_NAME - 3)
            break;
        base[used++] = strchr("[]:*?/\\'", *at) ? ' ' : *at;
    }
    base[used] = '\0';
    (void)snprintf(ret_name, size, "%s", base);
    for (int i = 2; workbook_get_worksheet_by_name(book->workbook, ret_name) && i < 100; i++)
        (void)snprintf(ret_name, size, "%.180s %d", base, i);
}

static double width_of(const char *type)
{
    if (cell_is_number(type))
        return 13;
    if (strcmp(type, "time") == 0)
        return 20;
    return strcmp(type, "hash") == 0 || strcmp(type, "below") == 0 ? 50 : 28;
}

static lxw_col_t write_heads(const struct book *book, lxw_worksheet *sheet, const json_t *columns)
{
    lxw_col_t col = 0;
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column)
    {
        const char *type = doc_text_at(column, "type");
        const char *label = doc_text_at(column, "label");
        bool range = strcmp(type, "range") == 0;
        for (int part = 0; part < (range ? 2 : 1); part++, col++) {
            char text[300];
            (void)snprintf(text, sizeof(text), "%s%s", label,
                           !range      ? ""
                           : part == 0 ? " ≥"
                                       : " ≤");
            (void)worksheet_set_column(sheet, col, col, width_of(type), NULL);
            write_text(sheet, 0, col, text, book->head);
        }
    }
    return col;
}

static int write_table(const struct book *book, int section, const json_t *block,
                       struct okno_err *err)
{
    char name[200];
    const json_t *columns = json_object_get(block, "columns");
    const json_t *rows = json_object_get(block, "rows");
    size_t count = json_array_size(rows);
    if (count == 0)
        return 0;
    name_sheet(book, section, doc_text_at(block, "title"), name, sizeof(name));
    lxw_worksheet *sheet = workbook_add_worksheet(book->workbook, name);
    if (!sheet)
        return okno_fail(err, OKNO_FAILED, "XLSX: no sheet `%s`", name);
    lxw_col_t width = write_heads(book, sheet, columns);
    for (size_t r = 0; r < count; r++) {
        lxw_col_t col = 0;
        for (size_t c = 0; c < json_array_size(columns); c++)
            col = write_cell(book, sheet, (lxw_row_t)(r + 1), col,
                             json_array_get(json_array_get(rows, r), c),
                             doc_text_at(json_array_get(columns, c), "type"));
    }
    worksheet_freeze_panes(sheet, 1, 0);
    (void)worksheet_autofilter(sheet, 0, 0, (lxw_row_t)count, (lxw_col_t)(width - 1));
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    (void)worksheet_repeat_rows(sheet, 0, 0);
    return 0;
}

/* ---- the first sheet ---- */

static lxw_row_t write_facts(const struct book *book, lxw_worksheet *sheet, lxw_row_t row,
                             const json_t *block)
{
    size_t i;
    json_t *fact;
    json_array_foreach(json_object_get(block, "rows"), i, fact)
    {
        write_text(sheet, row, 0, doc_text_at(fact, "label"), book->label);
        write_value(book, sheet, row++, 1, json_object_get(fact, "value"),
                    doc_text_at(fact, "type"));
    }
    return row;
}

static lxw_row_t write_block(const struct book *book, lxw_worksheet *sheet, lxw_row_t row,
                             const json_t *block)
{
    const char *kind = doc_text_at(block, "block");
    const char *text = doc_text_at(block, "text");
    size_t i;
    json_t *item;
    if (strcmp(kind, "facts") == 0)
        return write_facts(book, sheet, row, block);
    json_array_foreach(json_object_get(block, "items"), i, item)
    {
        write_text(sheet, row++, 1, json_string_value(item), book->text);
    }
    if (*text && strcmp(kind, "qr") != 0)
        write_text(sheet, row++, 1, text,
                   strcmp(kind, "code") == 0      ? book->mono
                   : strcmp(kind, "heading") == 0 ? book->head
                                                  : book->text);
    return row;
}

static void write_cover(const struct book *book)
{
    const json_t *document = book->document;
    lxw_worksheet *sheet = workbook_add_worksheet(
        book->workbook, doc_text_at(json_object_get(document, "words"), "sheet_cover"));
    lxw_row_t row = 0;
    size_t i;
    json_t *section;
    if (!sheet)
        return;
    (void)worksheet_set_column(sheet, 0, 0, FIRST_WIDTH, NULL);
    (void)worksheet_set_column(sheet, 1, 1, SECOND_WIDTH, NULL);
    write_text(sheet, row++, 0, doc_text_at(document, "title"), book->title);
    write_text(sheet, row++, 0, doc_text_at(document, "subtitle"), book->text);
    if (json_is_string(json_object_get(document, "mark")))
        write_text(sheet, row++, 0, doc_text_at(document, "mark"), book->chapter);
    json_array_foreach(json_object_get(document, "sections"), i, section)
    {
        size_t k;
        json_t *block;
        row++;
        write_text(sheet, row, 0, doc_text_at(section, "title"), book->chapter);
        (void)worksheet_write_blank(sheet, row++, 1, book->chapter);
        json_array_foreach(json_object_get(section, "blocks"), k, block)
        {
            row = write_block(book, sheet, row, block);
        }
    }
    worksheet_fit_to_pages(sheet, 1, 0);
}

/* ---- the file ---- */

static int write_sheets(struct book *book, struct okno_err *err)
{
    size_t i;
    json_t *section;
    int rc = 0;
    make_formats(book);
    write_cover(book);
    json_array_foreach(json_object_get(book->document, "sections"), i, section)
    {
        size_t k;
        json_t *block;
        json_array_foreach(json_object_get(section, "blocks"), k, block)
        {
            if (rc == 0 && strcmp(doc_text_at(block, "block"), "table") == 0)
                rc = write_table(book, (int)doc_int_at(section, "number"), block, err);
        }
    }
    return rc;
}

/* The library dates the file by its clock unless told a moment. */
static void set_properties(struct book *book)
{
    int64_t at_us = 0;
    const json_t *document = book->document;
    lxw_doc_properties properties = {.title = (char *)(uintptr_t)doc_text_at(document, "title"),
                                     .subject = (char *)(uintptr_t)doc_text_at(document, "footer"),
                                     .author =
                                         (char *)(uintptr_t)doc_text_at(document, "software")};
    if (okno_time_parse(doc_text_at(document, "at"), &at_us, NULL) == 0)
        properties.created = (time_t)(at_us / OKNO_SECOND_US);
    if (properties.created == 0)
        properties.created = 1;
    (void)workbook_set_properties(book->workbook, &properties);
}

static int copy_out(int fd, FILE *to, struct okno_err *err)
{
    char piece[65536];
    ssize_t got;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return okno_fail_errno(err, errno, "XLSX");
    while ((got = read(fd, piece, sizeof(piece))) > 0)
        if (fwrite(piece, 1, (size_t)got, to) != (size_t)got)
            return okno_fail_errno(err, errno, "XLSX");
    return got < 0 ? okno_fail_errno(err, errno, "XLSX") : 0;
}

int xlsx_write(const json_t *document, FILE *to, struct okno_err *err)
{
    char path[64];
    struct book book = {.document = document, .lang = doc_text_at(document, "lang")};
    okno_autoclose int fd = memfd_create("xlsx", MFD_CLOEXEC); /* the library wants a file's name */
    if (fd < 0)
        return okno_fail_errno(err, errno, "XLSX");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    book.workbook = workbook_new(path);
    if (!book.workbook)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for XLSX");
    set_properties(&book);
    int rc = write_sheets(&book, err);
    lxw_error failed = workbook_close(book.workbook);
    if (rc == 0 && failed != LXW_NO_ERROR)
        rc = okno_fail(err, OKNO_FAILED, "XLSX: %s", lxw_strerror(failed));
    return rc == 0 ? copy_out(fd, to, err) : rc;
}
