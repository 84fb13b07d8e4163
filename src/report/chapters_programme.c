/* The report of a programme: figures over its days, and the days. */
#include "document.h"

#include "okno/kpi.h"
#include "okno/mem.h"
#include "okno/programme.h"
#include "okno/report.h"
#include "okno/time.h"

#include <string.h>

enum { DAYS_MAX = 400 };

/* ---- the model ---- */

/* Days of [from, to], oldest first. */
static json_t *days_between(const json_t *status, const char *from, const char *to)
{
    const json_t *days = json_object_get(status, "days");
    json_t *chosen = json_array();
    for (size_t i = json_array_size(days); chosen && i-- > 0;) {
        json_t *day = json_array_get(days, i);
        const char *date = doc_text_at(day, "day");
        if (strcmp(date, from) >= 0 && strcmp(date, to) <= 0)
            (void)json_array_append(chosen, day);
    }
    return chosen;
}

int okno_report_programme(struct okno_db *db, const char *programme, const char *from_day,
                          const char *to_day, int64_t now_us, json_t **ret_model,
                          struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    okno_autojson json_t *status = NULL;
    bool began = false;
    int rc = okno_db_read_begin(db, &began, err);
    if (rc == 0)
        rc = okno_programme_figures(db, programme, from_day, to_day, &model, err);
    if (rc == 0)
        rc = okno_programme_status(db, programme, OKNO_PROGRAMME_DAYS_MAX, &status, err);
    okno_db_read_end(db, began);
    if (rc < 0)
        return rc;
    json_t *more = json_pack(
        "{s:o, s:s, s:O, s:o, s:O, s:o}", "at", okno_json_time(now_us), "software",
        "okno " OKNO_VERSION, "title", json_object_get(status, "title"), "zone",
        doc_copy(status, "settings/zone"), "capacity", json_object_get(status, "capacity"), "list",
        days_between(status, doc_text_at(model, "from"), doc_text_at(model, "to")));
    if (!more || json_object_update_new(model, more) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    *ret_model = json_incref(model);
    return 0;
}

const char *okno_report_programme_letter(const char *lang, const char *programme, int days,
                                         const char *day, char *ret_text, size_t size)
{
    const struct doc doc = {.lang = lang};
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", days);
    return doc_fill(&doc, ret_text, size, "programme_letter", "name", programme, "days", number,
                    "day", day);
}

/* ---- the document ---- */

static void add_identity(struct doc *doc)
{
    const json_t *model = doc->model;
    doc_section(doc, "programme", 1);
    doc_text(doc, doc_word(doc, "programme_text"));
    json_t *facts = doc_facts(doc, "programme");
    doc_fact(doc, facts, "programme", "mono", doc_copy(model, "programme"));
    doc_fact(doc, facts, "title", "text", doc_copy(model, "title"));
    doc_fact(doc, facts, "first_day", "day", doc_copy(model, "from"));
    doc_fact(doc, facts, "last_day", "day", doc_copy(model, "to"));
    doc_fact(doc, facts, "zone", "text", doc_copy(model, "zone"));
    doc_fact(doc, facts, "drawn_days", "int", doc_copy(model, "days"));
    doc_fact(doc, facts, "k", "dec", doc_copy(model, "k"));
    doc_fact(doc, facts, "plan_level", "dec", doc_copy(model, "level"));
    doc_fact(doc, facts, "plan_looks", "int", doc_copy(model, "looks"));
    doc_fact(doc, facts, "at", "time", doc_copy(model, "at"));
    doc_fact(doc, facts, "software", "text", doc_copy(model, "software"));
    if (json_is_false(doc_at(model, "capacity/enough")))
        doc_note(doc, "warn", doc_word(doc, "capacity_short"));
}

static json_t *interval_of(const json_t *figure)
{
    return json_pack("[o, o]", doc_copy(figure, "low"), doc_copy(figure, "high"));
}

static void add_figure(struct doc *doc, json_t *table, json_t *chart, const char *name,
                       const json_t *figure)
{
    const char *reason = doc_text_at(figure, "null_reason");
    json_t *row = doc_row(doc, table);
    doc_cell(doc, row, json_string(name));
    doc_cell(doc, row, doc_copy(figure, "value"));
    doc_cell(doc, row, interval_of(figure));
    doc_cell(doc, row, doc_copy(figure, "se"));
    doc_cell(doc, row, doc_copy(figure, "worst"));
    doc_cell(doc, row, json_string(*reason ? doc_name(doc, "null", reason) : ""));
    if (*reason)
        return;
    json_t *bar = json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o}", "label", name, "raw", "excluded",
                            "value", doc_copy(figure, "value"), "low", doc_copy(figure, "low"),
                            "high", doc_copy(figure, "high"), "worst", doc_copy(figure, "worst"));
    if (json_array_append_new(chart, bar) < 0)
        doc->failed = true;
}

static void add_counts(struct doc *doc, json_t *table, const char *name, const json_t *figure)
{
    static const char *const counts[] = {"frame", "valid", "invalid", "undeterminable"};
    json_t *row = doc_row(doc, table);
    doc_cell(doc, row, json_string(name));
    for (size_t i = 0; i < OKNO_COUNT(counts); i++)
        doc_cell(doc, row, doc_copy(figure, counts[i]));
}

static void add_figures(struct doc *doc)
{
    const json_t *indicators = json_object_get(doc->model, "indicators");
    doc_section(doc, "indicators", 2);
    doc_text(doc, doc_word(doc, "programme_figures_text"));
    json_t *chart = doc_chart(doc, "forest", "total");
    json_t *figures = doc_table(doc, "programme_figures",
                                "indicator:word estimated:num interval:range se:num worst:range "
                                "why:word");
    json_t *counts = doc_table(doc, "programme_counts",
                               "indicator:word surveys:int valid:int invalid:int "
                               "undeterminable:int");
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        const char *id = okno_indicator_id((enum okno_indicator)i);
        const json_t *figure = json_object_get(indicators, id);
        if (!figure)
            continue;
        add_figure(doc, figures, chart, doc_name(doc, "indicator", id), figure);
        add_counts(doc, counts, doc_name(doc, "indicator", id), figure);
    }
}

static void add_days(struct doc *doc)
{
    doc_section(doc, "days", 3);
    doc_text(doc, doc_word(doc, "days_text"));
    json_t *table = doc_table(
        doc, "days", "day:day audit:mono state:word:state frame:int sample:int reviewed:int");
    doc_rows(doc, table, json_object_get(doc->model, "list"), DAYS_MAX);
}

void document_programme(struct doc *doc)
{
    add_identity(doc);
    add_figures(doc);
    add_days(doc);
}
