#define _POSIX_C_SOURCE 200809L
/* Building a document block by block. */
#include "document.h"

#include "okno/mem.h"
#include "okno/qr.h"
#include "okno/report.h"
#include "okno/text.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the model ---- */

const char *doc_number(int64_t value, char ret_text[40])
{
    (void)snprintf(ret_text, 40, "%lld", (long long)value);
    return ret_text;
}

bool doc_of_visits(const struct doc *doc)
{
    return json_array_size(doc_at(doc->model, "asked")) > 0;
}

bool doc_of_ratings(const struct doc *doc)
{
    return strcmp(doc_text_at(doc->model, "frame/kind"), "spontaneous") == 0;
}

const json_t *doc_at(const json_t *from, const char *path)
{
    while (from && *path) {
        char name[64];
        size_t len = strcspn(path, "/");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        from = json_object_get(from, name);
        path += len + (path[len] == '/');
    }
    return from;
}

const char *doc_text_at(const json_t *from, const char *path)
{
    const char *text = json_string_value(doc_at(from, path));
    return text ? text : "";
}

int64_t doc_int_at(const json_t *from, const char *path)
{
    return json_integer_value(doc_at(from, path));
}

json_t *doc_copy(const json_t *from, const char *path)
{
    const json_t *value = doc_at(from, path);
    return value ? json_deep_copy(value) : json_null();
}

const json_t *doc_step(const json_t *model, const char *name)
{
    const json_t *found = NULL;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(model, "steps"), i, step)
    {
        if (strcmp(doc_text_at(step, "step"), name) == 0)
            found = step;
    }
    return found;
}

/* ---- texts ---- */

/* Of sales and minutes, and of spontaneous ratings, some things have words of their own. */
static const char *find(const struct doc *doc, const char *key)
{
    char own[180];
    bool visits = doc_of_visits(doc);
    (void)snprintf(own, sizeof(own), "%.160s%s", key, visits ? "_visits" : "_ratings");
    const char *text = visits || doc_of_ratings(doc) ? words_find(doc->lang, own) : NULL;
    return text ? text : words_find(doc->lang, key);
}

const char *doc_word(const struct doc *doc, const char *key)
{
    const char *text = find(doc, key);
    const char *dot = strchr(key, '.');
    return text ? text : dot ? dot + 1 : key;
}

const char *doc_name(const struct doc *doc, const char *group, const char *name)
{
    char key[160];
    bool told = name && *name;
    (void)snprintf(key, sizeof(key), "%s.%s", group, told ? name : "unknown");
    const char *text = find(doc, key);
    return text ? text : told ? name : "–";
}

const char *doc_moment(const struct doc *doc, const json_t *iso, char ret_text[CELL_TEXT])
{
    return cell_format(iso, "time", doc->lang, ret_text);
}

json_t *doc_site(const struct doc *doc, const char *site)
{
    const char *name = "";
    bool again = false;
    size_t i;
    json_t *one;
    json_array_foreach(doc_at(doc->model, "frame/sites"), i, one)
    {
        if (strcmp(doc_text_at(one, "site"), site) == 0)
            name = doc_text_at(one, "name");
    }
    json_array_foreach(doc_at(doc->model, "frame/sites"), i, one)
    {
        again = again || (strcmp(doc_text_at(one, "name"), name) == 0 &&
                          strcmp(doc_text_at(one, "site"), site) != 0);
    }
    if (again && *name)
        return json_sprintf("%s (%s)", name, site);
    return json_string(*name ? name : site);
}

static const char *field_of(va_list fields, const char *name, size_t len)
{
    const char *key;
    while ((key = va_arg(fields, const char *)) != NULL) {
        const char *value = va_arg(fields, const char *);
        if (strlen(key) == len && strncmp(key, name, len) == 0)
            return value ? value : "";
    }
    return "";
}

const char *doc_fill_pairs(const struct doc *doc, char *ret_text, size_t size, const char *key, ...)
{
    const char *text = doc_word(doc, key);
    size_t used = 0;
    ret_text[0] = '\0';
    while (*text && used + 1 < size) {
        size_t plain = strcspn(text, "{");
        used += (size_t)snprintf(ret_text + used, size - used, "%.*s", (int)plain, text);
        text += plain;
        const char *end = *text ? strchr(text, '}') : NULL;
        if (!end || used >= size)
            break;
        va_list fields;
        va_start(fields, key);
        const char *value = field_of(fields, text + 1, (size_t)(end - text - 1));
        va_end(fields);
        used += (size_t)snprintf(ret_text + used, size - used, "%s", value);
        text = end + 1;
    }
    ret_text[okno_text_fit(ret_text, size - 1)] = '\0';
    return ret_text;
}

/* ---- blocks ---- */

static json_t *add_block(struct doc *doc, json_t *block)
{
    if (!block || json_array_append_new(doc->blocks, block) < 0)
        doc->failed = true;
    return block;
}

static void set(struct doc *doc, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        doc->failed = true;
}

static void push(struct doc *doc, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        doc->failed = true;
}

void doc_section(struct doc *doc, const char *id, int number)
{
    json_t *section = json_pack("{s:s, s:i, s:s, s:[]}", "id", id, "number", number, "title",
                                doc_name(doc, "section", id), "blocks");
    push(doc, json_object_get(doc->root, "sections"), section);
    doc->blocks = json_object_get(section, "blocks");
}

void doc_text(struct doc *doc, const char *text)
{
    (void)add_block(doc, json_pack("{s:s, s:s}", "block", "text", "text", text));
}

void doc_heading(struct doc *doc, const char *key)
{
    (void)add_block(doc, json_pack("{s:s, s:s}", "block", "heading", "text", doc_word(doc, key)));
}

void doc_note(struct doc *doc, const char *tone, const char *text)
{
    (void)add_block(doc, json_pack("{s:s, s:s, s:s}", "block", "note", "tone", tone, "text", text));
}

void doc_code(struct doc *doc, const char *text)
{
    (void)add_block(doc, json_pack("{s:s, s:s}", "block", "code", "text", text));
}

void doc_qr(struct doc *doc, const char *text, const char *caption)
{
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(1 << 20);
    int size = 0;
    struct okno_err ignored = {0};
    if (okno_qr_path(text, &path, &size, &ignored) < 0)
        return; /* too long for a code: the text stands beside it anyway */
    (void)add_block(doc, json_pack("{s:s, s:s, s:i, s:s}", "block", "qr", "path",
                                   okno_buf_text(&path), "size", size, "text", caption));
}

json_t *doc_list(struct doc *doc)
{
    json_t *block = add_block(doc, json_pack("{s:s, s:[]}", "block", "list", "items"));
    return json_object_get(block, "items");
}

void doc_item(struct doc *doc, json_t *list, const char *text)
{
    push(doc, list, json_string(text));
}

json_t *doc_facts(struct doc *doc, const char *name)
{
    json_t *block =
        add_block(doc, json_pack("{s:s, s:s, s:[]}", "block", "facts", "name", name, "rows"));
    return json_object_get(block, "rows");
}

void doc_fact(struct doc *doc, json_t *facts, const char *key, const char *type, json_t *value)
{
    push(doc, facts,
         json_pack("{s:s, s:s, s:s, s:o}", "key", key, "label", doc_name(doc, "fact", key), "type",
                   type, "value", value));
}

/* ---- tables ---- */

static void add_column(struct doc *doc, json_t *columns, const char *spec, size_t len)
{
    char key[64];
    char type[64];
    size_t cut = 0;
    while (cut < len && spec[cut] != ':')
        cut++;
    (void)snprintf(key, sizeof(key), "%.*s", (int)cut, spec);
    (void)snprintf(type, sizeof(type), "%.*s", cut < len ? (int)(len - cut - 1) : 0,
                   spec + cut + 1);
    bool word = strncmp(type, "word:", 5) == 0;
    json_t *column = json_pack("{s:s, s:s, s:s}", "key", key, "label", doc_name(doc, "col", key),
                               "type", word ? "word" : type);
    if (word)
        set(doc, column, "words", json_string(type + 5));
    push(doc, columns, column);
}

json_t *doc_table(struct doc *doc, const char *name, const char *columns)
{
    json_t *block = add_block(doc, json_pack("{s:s, s:s, s:s, s:[], s:[], s:i}", "block", "table",
                                             "name", name, "title", doc_name(doc, "table", name),
                                             "columns", "rows", "more", 0));
    while (*columns) {
        size_t len = strcspn(columns, " ");
        add_column(doc, json_object_get(block, "columns"), columns, len);
        columns += len + strspn(columns + len, " ");
    }
    return block;
}

json_t *doc_row(struct doc *doc, json_t *table)
{
    json_t *row = json_array();
    push(doc, json_object_get(table, "rows"), row);
    return row;
}

void doc_cell(struct doc *doc, json_t *row, json_t *value)
{
    push(doc, row, value ? value : json_null());
}

/* A text of the model; a list of texts in one; a word of the catalogue. */
static json_t *cell_of(struct doc *doc, const json_t *column, const json_t *object)
{
    json_t *value = json_object_get(object, doc_text_at(column, "key"));
    const char *group = json_string_value(json_object_get(column, "words"));
    if (group && json_is_string(value))
        return json_string(doc_name(doc, group, json_string_value(value)));
    if (!json_is_array(value) || strcmp(doc_text_at(column, "type"), "range") == 0)
        return json_deep_copy(value);
    OKNO_AUTO_BUF joined = OKNO_BUF_INIT(1 << 16);
    size_t i;
    json_t *one;
    json_array_foreach(value, i, one)
    {
        if (json_is_string(one) &&
            okno_buf_printf(&joined, NULL, "%s%s", i ? " " : "", json_string_value(one)) < 0)
            doc->failed = true;
    }
    return json_string(okno_buf_text(&joined));
}

void doc_rows(struct doc *doc, json_t *table, const json_t *objects, size_t max)
{
    size_t count = json_array_size(objects);
    for (size_t i = 0; i < count && i < max; i++) {
        json_t *row = doc_row(doc, table);
        size_t k;
        json_t *column;
        json_array_foreach(json_object_get(table, "columns"), k, column)
        {
            doc_cell(doc, row, cell_of(doc, column, json_array_get(objects, i)));
        }
    }
    if (count > max)
        set(doc, table, "more", json_integer((json_int_t)(count - max)));
}

/* ---- charts ---- */

json_t *doc_chart(struct doc *doc, const char *block, const char *key)
{
    json_t *chart = add_block(doc, json_pack("{s:s, s:s, s:[]}", "block", block, "title",
                                             doc_name(doc, "chart", key), "rows"));
    return json_object_get(chart, "rows");
}

void doc_bar(struct doc *doc, json_t *chart, const char *label, double value, const char *text)
{
    push(doc, chart, json_pack("{s:s, s:f, s:s}", "label", label, "value", value, "text", text));
}

/* ---- all of it ---- */

static void make_head(struct doc *doc)
{
    static const char *const words[] = {"contents", "page",      "of",    "more", "raw",
                                        "excluded", "estimated", "worst", "none", "sheet_cover"};
    const json_t *model = doc->model;
    set(doc, doc->root, "lang", json_string(doc->lang));
    set(doc, doc->root, "at", json_string(doc_text_at(model, "at")));
    set(doc, doc->root, "software", json_string(doc_text_at(model, "software")));
    json_t *texts = json_object();
    set(doc, doc->root, "words", texts);
    for (size_t i = 0; i < OKNO_COUNT(words); i++)
        set(doc, texts, words[i], json_string(doc_name(doc, "ui", words[i])));
    set(doc, doc->root, "sections", json_array());
}

/* `name` stands for a title that nobody gave. */
static void make_title(struct doc *doc, const char *key, const char *title, const char *name)
{
    set(doc, doc->root, "title", json_string(doc_word(doc, key)));
    set(doc, doc->root, "subtitle", json_string(*title ? title : name));
}

static void audit_head(struct doc *doc)
{
    const json_t *model = doc->model;
    const char *audit = doc_text_at(model, "audit/audit");
    int64_t edition = doc_int_at(model, "edition");
    char number[24];
    char line[600];
    char at[CELL_TEXT];
    (void)snprintf(number, sizeof(number), "%lld", (long long)edition);
    make_title(doc, "title", doc_text_at(model, "audit/title"), audit);
    set(doc, doc->root, "mark", edition > 0 ? json_null() : json_string(doc_word(doc, "draft")));
    doc_fill(doc, line, sizeof(line), edition > 0 ? "footer" : "footer_draft", "audit", audit,
             "edition", number, "at", doc_moment(doc, doc_at(model, "at"), at), "software",
             doc_text_at(model, "software"));
    set(doc, doc->root, "footer", json_string(line));
}

/* Of what is no edition: `what` names its words, `name` what it is of. */
static void plain_head(struct doc *doc, const char *what, const char *name)
{
    const json_t *model = doc->model;
    char key[80];
    char line[600];
    char at[CELL_TEXT];
    char from[CELL_TEXT];
    char to[CELL_TEXT];
    (void)snprintf(key, sizeof(key), "%s_title", what);
    make_title(doc, key, doc_text_at(model, "title"), name);
    set(doc, doc->root, "mark", json_null());
    (void)snprintf(key, sizeof(key), "%s_footer", what);
    doc_fill(doc, line, sizeof(line), key, "name", name, "from",
             cell_format(doc_at(model, "from"), "day", doc->lang, from), "to",
             cell_format(doc_at(model, "to"), "day", doc->lang, to), "at",
             doc_moment(doc, doc_at(model, "at"), at), "software", doc_text_at(model, "software"));
    set(doc, doc->root, "footer", json_string(line));
}

static void figures_head(struct doc *doc)
{
    char period[2 * CELL_TEXT];
    char from[CELL_TEXT];
    char to[CELL_TEXT];
    (void)snprintf(period, sizeof(period), "%.40s – %.40s",
                   cell_format(doc_at(doc->model, "from"), "day", doc->lang, from),
                   cell_format(doc_at(doc->model, "to"), "day", doc->lang, to));
    plain_head(doc, "figures", period);
}

static void (*const chapters[])(struct doc *doc) = {
    document_summary,   document_identity,     document_criteria,  document_frame,
    document_plan,      document_seed,         document_execution, document_findings,
    document_agreement, document_indicators,   document_limits,    document_opinion,
    document_signature, document_verification, document_glossary};

int document_make(const json_t *model, const char *lang, json_t **ret_document,
                  struct okno_err *err)
{
    struct doc doc = {.model = model, .lang = lang, .root = json_object()};
    if (!okno_report_speaks(lang)) {
        json_decref(doc.root);
        return okno_fail_field(err, OKNO_INVALID, "lang",
                               "lang `%.20s`: reports are written in en and ru", lang ? lang : "");
    }
    make_head(&doc);
    if (json_is_string(json_object_get(model, "programme"))) {
        plain_head(&doc, "programme", doc_text_at(model, "programme"));
        document_programme(&doc);
    } else if (json_is_string(json_object_get(model, "report"))) {
        figures_head(&doc);
        document_figures(&doc);
    } else {
        audit_head(&doc);
        for (size_t i = 0; i < OKNO_COUNT(chapters); i++)
            chapters[i](&doc);
    }
    if (doc.failed) {
        json_decref(doc.root);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    }
    *ret_document = doc.root;
    return 0;
}
