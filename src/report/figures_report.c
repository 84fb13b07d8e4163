/* The report of figures: indicators of any period, group by group, with or without an audit. */
#include "document.h"

#include "okno/kpi.h"
#include "okno/mem.h"
#include "okno/report.h"
#include "okno/text.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 1000, FOREST_MAX = 40, LABEL = 1000, NAME_BYTES = 200 };

/* ---- the model ---- */

int okno_report_figures(const json_t *figures, json_t **ret_model, struct okno_err *err)
{
    json_t *model = json_copy((json_t *)(uintptr_t)figures);
    if (model && json_object_set_new(model, "report", json_string("figures")) == 0 &&
        json_object_set_new(model, "software", json_string("okno " OKNO_VERSION)) == 0) {
        *ret_model = model;
        return 0;
    }
    json_decref(model);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

/* ---- the document ---- */

/* "S1 · Anna" of a group; of everything together the word for that. */
static const char *label_of(const struct doc *doc, const json_t *group, char ret_label[LABEL])
{
    const char *by;
    json_t *value;
    size_t used = 0;
    ret_label[0] = '\0';
    json_object_foreach(json_object_get(group, "group"), by, value)
    {
        const char *id = json_string_value(value);
        const json_t *names = json_object_get(json_object_get(doc->model, "names"), by);
        const char *name = id ? json_string_value(json_object_get(names, id)) : NULL;
        bool nobody = id && strcmp(by, "employee") == 0 && strcmp(id, "unassigned") == 0;
        const char *shown = name && *name ? name
                            : nobody      ? doc_word(doc, "by.nobody")
                            : id          ? id
                                          : "–";
        size_t fit = okno_text_fit(shown, NAME_BYTES);
        if (used < LABEL)
            used += (size_t)snprintf(ret_label + used, LABEL - used, "%s%.*s%s", used ? " · " : "",
                                     (int)fit, shown, shown[fit] ? "…" : "");
    }
    return used ? ret_label : doc_word(doc, "head.total");
}

static json_t *joined(const struct doc *doc, const json_t *words)
{
    char text[200] = "";
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                       doc_name(doc, "by", json_string_value(word)));
    }
    return *text ? json_string(text) : json_null();
}

static void add_scope(struct doc *doc)
{
    const json_t *model = doc->model;
    doc_section(doc, "figures", 1);
    doc_text(doc, doc_word(doc, "figures_report_text"));
    json_t *facts = doc_facts(doc, "figures");
    doc_fact(doc, facts, "period_from", "day", doc_copy(model, "from"));
    doc_fact(doc, facts, "period_to", "day", doc_copy(model, "to"));
    doc_fact(doc, facts, "grouped_by", "text", joined(doc, json_object_get(model, "by")));
    doc_fact(doc, facts, "audit", "mono", doc_copy(model, "audit"));
    doc_fact(doc, facts, "k", "dec", doc_copy(model, "k"));
    doc_fact(doc, facts, "fm_threshold", "pct", doc_copy(model, "settings/fm_threshold"));
    doc_fact(doc, facts, "min_n", "int", doc_copy(model, "settings/min_n"));
    doc_fact(doc, facts, "at", "time", doc_copy(model, "at"));
    doc_fact(doc, facts, "software", "text", doc_copy(model, "software"));
    if (json_is_null(json_object_get(model, "audit")))
        doc_note(doc, "warn", doc_word(doc, "figures_unaudited"));
}

static void add_groups(struct doc *doc)
{
    static const char *const counts[] = {"raw_n", "n", "yes", "unsure", "no", "silent", "fm"};
    size_t i;
    json_t *group;
    char label[LABEL];
    doc_section(doc, "groups", 2);
    json_t *table = doc_table(doc, "groups",
                              "group:text raw_n:int n:int yes:int unsure:int no:int silent:int "
                              "fm:int gate:text");
    json_array_foreach(json_object_get(doc->model, "groups"), i, group)
    {
        if (i >= ROWS_MAX)
            break;
        json_t *row = doc_row(doc, table);
        doc_cell(doc, row, json_string(label_of(doc, group, label)));
        for (size_t c = 0; c < OKNO_COUNT(counts); c++)
            doc_cell(doc, row, doc_copy(json_object_get(group, "counts"), counts[c]));
        doc_cell(doc, row, json_string(doc_name(doc, "gate", doc_text_at(group, "fm_gate"))));
    }
}

static json_t *interval_of(const json_t *estimate)
{
    return json_is_object(estimate)
               ? json_pack("[o, o]", doc_copy(estimate, "low"), doc_copy(estimate, "high"))
               : json_null();
}

static void add_row(struct doc *doc, json_t *table, json_t *chart, const char *label,
                    const json_t *figure)
{
    const json_t *estimate = json_object_get(figure, "estimated");
    const char *reason = doc_text_at(figure, "null_reason");
    json_t *row = doc_row(doc, table);
    doc_cell(doc, row, json_string(label));
    doc_cell(doc, row, doc_int_at(figure, "counts/n") ? doc_copy(figure, "counts/n") : json_null());
    doc_cell(doc, row, doc_copy(figure, "raw"));
    doc_cell(doc, row, doc_copy(figure, "excluded"));
    doc_cell(doc, row, doc_copy(figure, "band"));
    doc_cell(doc, row, doc_copy(estimate, "value"));
    doc_cell(doc, row, interval_of(estimate));
    doc_cell(doc, row, json_string(*reason ? doc_name(doc, "null", reason) : ""));
    if (*reason || json_array_size(chart) >= FOREST_MAX)
        return;
    json_t *mark =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "label", label, "raw",
                  doc_copy(figure, "raw"), "excluded", doc_copy(figure, "excluded"), "value",
                  doc_copy(estimate, "value"), "low", doc_copy(estimate, "low"), "high",
                  doc_copy(estimate, "high"), "worst", doc_copy(estimate, "bounds/worst"));
    if (json_array_append_new(chart, mark) < 0)
        doc->failed = true;
}

/* What nobody counted is left out: a table of reasons says less than its absence. */
static bool is_there(const json_t *groups, const char *id)
{
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group)
    {
        const json_t *figure = json_object_get(json_object_get(group, "indicators"), id);
        if (json_is_number(json_object_get(figure, "raw")))
            return true;
    }
    return false;
}

static void add_indicator(struct doc *doc, const json_t *groups, const char *id)
{
    size_t i;
    json_t *group;
    char label[LABEL];
    char key[80];
    (void)snprintf(key, sizeof(key), "indicator.%s", id);
    doc_heading(doc, key);
    json_t *chart = doc_chart(doc, "forest", "groups");
    json_t *table = doc_table(doc, id,
                              "group:text n:int raw:num excluded:num band:range estimated:num "
                              "interval:range why:word");
    if (json_object_set_new(table, "title", json_string(doc_word(doc, key))) < 0)
        doc->failed = true;
    json_array_foreach(groups, i, group)
    {
        if (i < ROWS_MAX)
            add_row(doc, table, chart, label_of(doc, group, label),
                    json_object_get(json_object_get(group, "indicators"), id));
    }
}

static void add_indicators(struct doc *doc)
{
    const json_t *groups = json_object_get(doc->model, "groups");
    doc_section(doc, "indicators", 3);
    doc_text(doc, doc_word(doc, "figures_columns"));
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        const char *id = okno_indicator_id((enum okno_indicator)i);
        if (is_there(groups, id))
            add_indicator(doc, groups, id);
    }
}

static void add_excluded(struct doc *doc)
{
    const char *reason;
    json_t *count;
    size_t i;
    json_t *group;
    char label[LABEL];
    doc_section(doc, "excluded", 4);
    doc_text(doc, doc_word(doc, "excluded_text"));
    json_t *table = doc_table(doc, "excluded", "group:text reason:code surveys:int");
    json_array_foreach(json_object_get(doc->model, "groups"), i, group)
    {
        json_object_foreach(json_object_get(group, "excluded"), reason, count)
        {
            if (json_array_size(json_object_get(table, "rows")) >= ROWS_MAX)
                return;
            json_t *row = doc_row(doc, table);
            doc_cell(doc, row, json_string(label_of(doc, group, label)));
            doc_cell(doc, row, json_string(reason));
            doc_cell(doc, row, json_deep_copy(count));
        }
    }
}

void document_figures(struct doc *doc)
{
    add_scope(doc);
    add_groups(doc);
    add_indicators(doc);
    add_excluded(doc);
}
