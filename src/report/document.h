/* Inside the report room: a report as a document in one language, made of a few kinds of blocks.
 * Every writer but that of JSON takes it; it goes to okno-paper as JSON:
 *
 * {"lang", "title", "subtitle", "mark" (of a draft; else null), "footer", "words" {name: text},
 *  "sections": [{"id", "number", "title", "blocks": [...]}]}
 *
 * Blocks, by "block":
 *   text   {"text"}                                heading {"text"}
 *   note   {"tone": good|warn|bad, "text"}         list    {"items": [text]}
 *   facts  {"name", "rows": [{"key", "label", "type", "value"}]}
 *   table  {"name", "title", "columns": [{"key", "label", "type"}], "rows": [[value]], "more": n}
 *   forest {"title", "rows": [{"label", "raw", "excluded", "value", "low", "high", "worst"}]}
 *   bars   {"title", "rows": [{"label", "value", "text"}]}
 *   code   {"text"}                                qr      {"path", "size", "text"}
 * Types of values are those of cell.h, `text` (of people), `word` (of the catalogue), `mono` (ids),
 * `code` (short, never broken), `hash` (shown by its first digits) and, in tables, `below` (a text
 * that takes a line of its own under the row). */
#ifndef OKNO_REPORT_DOCUMENT_H
#define OKNO_REPORT_DOCUMENT_H

#include "cell.h"

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

struct doc {
    const json_t *model; /* borrowed */
    const char *lang;
    json_t *root;   /* owned */
    json_t *blocks; /* of the section being made; borrowed */
    bool failed;    /* no memory: what is made is thrown away */
};

/* A text by key; the key's last part where the catalogue has none (a new state shows as itself). */
const char *doc_word(const struct doc *doc, const char *key);
/* "group.name" looked up; `name` NULL or "" gives "group.unknown", or "–" without one. */
const char *doc_name(const struct doc *doc, const char *group, const char *name);
/* Both take the words of sales and minutes (key and `_visits`) or of spontaneous ratings
 * (`_ratings`) first where the report is of them. */

/* A moment as cells show it. */
const char *doc_moment(const struct doc *doc, const json_t *iso, char ret_text[CELL_TEXT]);
/* A site's name, with its id where another has the same name: a new text. */
json_t *doc_site(const struct doc *doc, const char *site);
/* A template filled: pairs of name and text; into ret_text. Returns it. */
const char *doc_fill_pairs(const struct doc *doc, char *ret_text, size_t size, const char *key,
                           ...);
#define doc_fill(doc, ret_text, size, ...)                                                         \
    doc_fill_pairs(doc, ret_text, size, __VA_ARGS__, (const char *)NULL)

void doc_section(struct doc *doc, const char *id, int number);
void doc_text(struct doc *doc, const char *text);
void doc_heading(struct doc *doc, const char *key);
void doc_note(struct doc *doc, const char *tone, const char *text);
void doc_code(struct doc *doc, const char *text);
void doc_qr(struct doc *doc, const char *text, const char *caption);
json_t *doc_list(struct doc *doc);
void doc_item(struct doc *doc, json_t *list, const char *text);

json_t *doc_facts(struct doc *doc, const char *name);
/* `value` is taken over. */
void doc_fact(struct doc *doc, json_t *facts, const char *key, const char *type, json_t *value);

/* Columns: "key:type key:type ..."; the labels are `col.key`. */
json_t *doc_table(struct doc *doc, const char *name, const char *columns);
/* A cell at the end of a row; taken over. */
void doc_cell(struct doc *doc, json_t *row, json_t *value);
json_t *doc_row(struct doc *doc, json_t *table);
/* Rows straight from objects of the model: one cell a column, members named like the keys. At most
 * `max`; how many more there are is told. A column of type `word:GROUP` shows doc_name. */
void doc_rows(struct doc *doc, json_t *table, const json_t *objects, size_t max);

json_t *doc_chart(struct doc *doc, const char *block, const char *key);
void doc_bar(struct doc *doc, json_t *chart, const char *label, double value, const char *text);

/* The whole document of a model, an audit's, a programme's (which has `programme`) or that of
 * figures (which has `report`): a new object. OKNO_INVALID for a language without texts. */
OKNO_CHECK int document_make(const json_t *model, const char *lang, json_t **ret_document,
                             struct okno_err *err);

/* A whole number as text; ret_text. */
const char *doc_number(int64_t value, char ret_text[40]);

/* The chapters. */
void document_summary(struct doc *doc);
void document_identity(struct doc *doc);
void document_criteria(struct doc *doc);
void document_frame(struct doc *doc);
void document_plan(struct doc *doc);
void document_seed(struct doc *doc);
void document_execution(struct doc *doc);
void document_findings(struct doc *doc);
void document_agreement(struct doc *doc);
void document_indicators(struct doc *doc);
void document_limits(struct doc *doc);
void document_opinion(struct doc *doc);
void document_signature(struct doc *doc);
void document_verification(struct doc *doc);
void document_glossary(struct doc *doc);
void document_programme(struct doc *doc); /* all of them */
void document_figures(struct doc *doc);   /* all of them */

/* Members of the model by a path of names separated by `/`; NULL where there is none. */
const json_t *doc_at(const json_t *from, const char *path);
/* Whether the report is of a frame of sales or minutes. */
bool doc_of_visits(const struct doc *doc);
bool doc_of_ratings(const struct doc *doc); /* spontaneous ones: they answer no question */
const char *doc_text_at(const json_t *from, const char *path); /* "" without */
int64_t doc_int_at(const json_t *from, const char *path);
/* A copy for doc_fact and doc_cell; null where there is none. */
json_t *doc_copy(const json_t *from, const char *path);
/* The step of the model by name, the last of several. */
const json_t *doc_step(const json_t *model, const char *name);

/* Writers, appended to `to`. */
OKNO_CHECK int html_write(const json_t *document, struct okno_buf *to, struct okno_err *err);
OKNO_CHECK int csv_write(const json_t *document, struct okno_buf *to, struct okno_err *err);
/* By okno-paper; `format` is "pdf" or "xlsx". `at` of the model dates the file. */
OKNO_CHECK int paper_write(const json_t *document, const char *format, struct okno_buf *to,
                           struct okno_err *err);

#endif
