#define _POSIX_C_SOURCE 200809L
/* A report as one CSV table (RFC 4180): one value a line, so that any program can filter it. */
#include "document.h"

#include "okno/mem.h"

#include <stdio.h>
#include <string.h>

/* Numbers as they are, with a point; texts so that no spreadsheet takes them for a formula. */
static int add_value(const json_t *value, struct okno_buf *to, struct okno_err *err)
{
    char text[64] = "";
    if (json_is_string(value))
        return okno_buf_add_csv(to, json_string_value(value), err);
    if (json_is_integer(value))
        (void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(text, sizeof(text), "%.9f", json_real_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
    return okno_buf_add_text(to, text, err);
}

struct place {
    const char *section, *block;
    size_t row;
    const char *key, *label;
};

static int add_line(const struct place *at, const json_t *value, struct okno_buf *to,
                    struct okno_err *err)
{
    int rc = okno_buf_printf(to, err, "%s,%s,%zu,%s,", at->section, at->block, at->row, at->key);
    if (rc == 0)
        rc = okno_buf_add_csv(to, at->label, err);
    if (rc == 0)
        rc = okno_buf_add(to, ",", 1, err);
    if (rc == 0)
        rc = add_value(value, to, err);
    return rc == 0 ? okno_buf_add(to, "\r\n", 2, err) : rc;
}

/* A range is two values. */
static int add_cell(struct place at, const json_t *value, struct okno_buf *to, struct okno_err *err)
{
    char key[80];
    const char *name = at.key;
    if (!json_is_array(value))
        return add_line(&at, value, to, err);
    at.key = key;
    (void)snprintf(key, sizeof(key), "%s_low", name);
    int rc = add_line(&at, json_array_get(value, 0), to, err);
    (void)snprintf(key, sizeof(key), "%s_high", name);
    return rc == 0 ? add_line(&at, json_array_get(value, 1), to, err) : rc;
}

static int add_facts(const char *section, const json_t *block, struct okno_buf *to,
                     struct okno_err *err)
{
    const json_t *rows = json_object_get(block, "rows");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const struct place at = {section, doc_text_at(block, "name"), i + 1,
                                 doc_text_at(row, "key"), doc_text_at(row, "label")};
        rc = add_cell(at, json_object_get(row, "value"), to, err);
    }
    return rc;
}

static int add_table(const char *section, const json_t *block, struct okno_buf *to,
                     struct okno_err *err)
{
    const json_t *columns = json_object_get(block, "columns");
    const json_t *rows = json_object_get(block, "rows");
    int rc = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t k = 0; rc == 0 && k < json_array_size(columns); k++) {
            const json_t *column = json_array_get(columns, k);
            const struct place at = {section, doc_text_at(block, "name"), i + 1,
                                     doc_text_at(column, "key"), doc_text_at(column, "label")};
            rc = add_cell(at, json_array_get(json_array_get(rows, i), k), to, err);
        }
    }
    return rc;
}

static int add_texts(const char *section, const json_t *block, size_t row, struct okno_buf *to,
                     struct okno_err *err)
{
    const struct place at = {section, "text", row, doc_text_at(block, "block"), ""};
    size_t i;
    json_t *item;
    int rc = 0;
    if (json_is_string(json_object_get(block, "text")) &&
        strcmp(doc_text_at(block, "block"), "qr") != 0)
        return add_line(&at, json_object_get(block, "text"), to, err);
    json_array_foreach(json_object_get(block, "items"), i, item)
    {
        if (rc == 0)
            rc = add_line(&at, item, to, err);
    }
    return rc;
}

static int add_section(const json_t *section, struct okno_buf *to, struct okno_err *err)
{
    const json_t *blocks = json_object_get(section, "blocks");
    const char *id = doc_text_at(section, "id");
    const struct place at = {id, "title", 0, "title", ""};
    int rc = add_line(&at, json_object_get(section, "title"), to, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(blocks); i++) {
        const json_t *block = json_array_get(blocks, i);
        const char *kind = doc_text_at(block, "block");
        if (strcmp(kind, "facts") == 0)
            rc = add_facts(id, block, to, err);
        else if (strcmp(kind, "table") == 0)
            rc = add_table(id, block, to, err);
        else
            rc = add_texts(id, block, i + 1, to, err);
    }
    return rc;
}

int csv_write(const json_t *document, struct okno_buf *to, struct okno_err *err)
{
    const json_t *sections = json_object_get(document, "sections");
    int rc = okno_buf_add_text(to, "section,block,row,field,label,value\r\n", err);
    for (size_t i = 0; rc == 0 && i < json_array_size(sections); i++)
        rc = add_section(json_array_get(sections, i), to, err);
    return rc;
}
