#define _POSIX_C_SOURCE 200809L
/* The chapters that say what was found, how sure that is, and what was not. */
#include "document.h"

#include "okno/kpi.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 2000, ROWS_MAX = 2000, BARS_MAX = 25, FOREST_MAX = 60 };

/* ---- 7 findings ---- */

static const char *reason_name(const struct doc *doc, const char *verdict, const char *id)
{
    const json_t *list = json_object_get(doc_at(doc->model, "criteria/reasons"), verdict);
    size_t i;
    json_t *reason;
    json_array_foreach(list, i, reason)
    {
        if (strcmp(doc_text_at(reason, "id"), id) == 0)
            return doc_text_at(reason, doc->lang);
    }
    return *id ? id : "–";
}

static void add_share(struct doc *doc)
{
    const json_t *share = doc_at(doc->model, "findings/invalid_share");
    if (!json_is_object(share)) {
        doc_note(doc, "warn", doc_word(doc, "nothing_reviewed"));
        return;
    }
    json_t *facts = doc_facts(doc, "invalid_share");
    doc_fact(doc, facts, "determined", "int", doc_copy(share, "determined"));
    doc_fact(doc, facts, "invalid", "int", doc_copy(share, "invalid"));
    doc_fact(doc, facts, "invalid_share", "pct", doc_copy(share, "value"));
    doc_fact(doc, facts, "share_low", "pct", doc_copy(share, "low"));
    doc_fact(doc, facts, "share_high", "pct", doc_copy(share, "high"));
    if (json_is_number(json_object_get(share, "without_silent")))
        doc_fact(doc, facts, "share_without_silent", "pct", doc_copy(share, "without_silent"));
    if (json_is_true(json_object_get(share, "by_strata"))) {
        doc_text(doc, doc_word(doc, "share_by_strata"));
        return;
    }
    doc_fact(doc, facts, "at_least", "int", doc_copy(share, "at_least"));
    doc_fact(doc, facts, "at_most", "int", doc_copy(share, "at_most"));
}

static void add_reasons(struct doc *doc)
{
    const json_t *rows = doc_at(doc->model, "findings/by_reason");
    double all = (double)(doc_int_at(doc->model, "frame/total/valid") +
                          doc_int_at(doc->model, "frame/total/invalid") +
                          doc_int_at(doc->model, "frame/total/undeterminable"));
    json_t *chart = doc_chart(doc, "bars", "reasons");
    json_t *table =
        doc_table(doc, "by_reason", "verdict:word reason:code meaning:text surveys:int share:pct");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *one = json_array_get(rows, i);
        const char *verdict = doc_text_at(one, "verdict");
        const char *reason = doc_text_at(one, "reason");
        double share = all > 0 ? (double)doc_int_at(one, "surveys") / all : 0;
        const char *meaning =
            *reason ? reason_name(doc, verdict, reason) : doc_name(doc, "verdict", verdict);
        char text[40];
        json_t *row = doc_row(doc, table);
        doc_cell(doc, row, json_string(doc_name(doc, "verdict", verdict)));
        doc_cell(doc, row, doc_copy(one, "reason"));
        doc_cell(doc, row, json_string(meaning));
        doc_cell(doc, row, doc_copy(one, "surveys"));
        doc_cell(doc, row, json_real(share));
        if (i < BARS_MAX)
            doc_bar(doc, chart, meaning, share, doc_number(doc_int_at(one, "surveys"), text));
    }
}

void document_findings(struct doc *doc)
{
    const json_t *m = doc->model;
    doc_section(doc, "findings", 7);
    add_share(doc);
    add_reasons(doc);
    doc_text(doc, doc_word(doc, "exclusions_text"));
    json_t *table = doc_table(doc, "exclusions",
                              "rank:int survey:mono stratum:mono class:word:class reason:code "
                              "reviewer:code entry:int watched:hash comment:below");
    doc_rows(doc, table, doc_at(m, "findings/exclusions"), ROWS_MAX);
    doc_text(doc, doc_word(doc, "undeterminable_text"));
    json_t *causes = doc_table(doc, "causes", "state:word:video reason:code surveys:int");
    doc_rows(doc, causes, doc_at(m, "findings/causes"), ROWS_MAX);
    json_t *unknown = doc_table(doc, "undeterminable",
                                "rank:int survey:mono stratum:mono class:word:class reason:code "
                                "video:word:video reviewer:code entry:int comment:below");
    doc_rows(doc, unknown, doc_at(m, "findings/undeterminable"), ROWS_MAX);
    if (json_array_size(doc_at(m, "findings/escalations")) == 0)
        return;
    json_t *escalations =
        doc_table(doc, "escalations",
                  "rule:word:rule state:word:escalated scopes:int reviewed:int invalid:int");
    doc_rows(doc, escalations, doc_at(m, "findings/escalations"), ROWS_MAX);
}

/* ---- 8 agreement ---- */

static json_t *pair(const json_t *low, const json_t *high)
{
    if (!json_is_number(low) || !json_is_number(high))
        return json_null();
    return json_pack("[O, O]", low, high);
}

static void add_measures(struct doc *doc, const json_t *measured)
{
    static const char *const measures[] = {"percent", "ac1", "alpha", "kappa", "positive"};
    json_t *table =
        doc_table(doc, "agreement", "measure:word value:num interval:range se:num why:word");
    for (size_t i = 0; i < OKNO_COUNT(measures); i++) {
        const json_t *figure = json_object_get(measured, measures[i]);
        const char *why = doc_text_at(figure, "null_reason");
        json_t *row = doc_row(doc, table);
        doc_cell(doc, row, json_string(doc_name(doc, "measure", measures[i])));
        doc_cell(doc, row, doc_copy(figure, "value"));
        doc_cell(doc, row, pair(doc_at(figure, "low"), doc_at(figure, "high")));
        doc_cell(doc, row, doc_copy(figure, "se"));
        doc_cell(doc, row, *why ? json_string(doc_name(doc, "null", why)) : json_null());
    }
}

void document_agreement(struct doc *doc)
{
    const json_t *agreement = doc_at(doc->model, "agreement");
    const json_t *measured = json_object_get(agreement, "measured");
    doc_section(doc, "agreement", 8);
    doc_text(doc, doc_word(doc, "agreement_text"));
    if (!json_is_object(measured)) {
        doc_note(doc, "warn", doc_word(doc, "agreement_none"));
        return;
    }
    json_t *facts = doc_facts(doc, "agreement");
    doc_fact(doc, facts, "doubled", "int", doc_copy(agreement, "doubled"));
    doc_fact(doc, facts, "items", "int", doc_copy(measured, "items"));
    doc_fact(doc, facts, "agreed", "int", doc_copy(measured, "agreed"));
    doc_fact(doc, facts, "conflicts", "int", doc_copy(agreement, "conflicts"));
    doc_fact(doc, facts, "ruled", "int", doc_copy(agreement, "ruled"));
    add_measures(doc, measured);
}

/* ---- 9 indicators ---- */

static const json_t *total_group(const struct doc *doc)
{
    return json_array_get(doc_at(doc->model, "total/groups"), 0);
}

static void add_gates(struct doc *doc)
{
    const json_t *group = total_group(doc);
    const char *fm = doc_text_at(group, "fm_gate");
    const char *evidence = doc_text_at(group, "evidence_gate");
    char line[LINE];
    doc_heading(doc, "head.gates");
    if (!doc_of_visits(doc))
        doc_note(doc, strcmp(fm, "evaluable") == 0 ? "good" : "warn",
                 doc_fill(doc, line, sizeof(line), "gate_fm", "state", doc_name(doc, "gate", fm)));
    doc_note(doc, strcmp(evidence, "evaluable") == 0 ? "good" : "warn",
             doc_fill(doc, line, sizeof(line), "gate_evidence", "state",
                      doc_name(doc, "gate", evidence)));
}

static bool is_too_wide(const json_t *figure)
{
    size_t i;
    json_t *flag;
    json_array_foreach(json_object_get(figure, "flags"), i, flag)
    {
        if (strcmp(json_string_value(flag), "too_wide") == 0)
            return true;
    }
    return false;
}

/* Why there is no figure, or none from the sample, or one that is not relied on. */
static const char *why_none(const struct doc *doc, const json_t *figure)
{
    const char *raw = doc_text_at(figure, "null_reason");
    const char *estimated = doc_text_at(figure, "estimated_null_reason");
    if (!*raw && !*estimated)
        return is_too_wide(figure) ? doc_word(doc, "too_wide") : "";
    return doc_name(doc, "null", *raw ? raw : estimated);
}

static void add_figure(struct doc *doc, json_t *table, const char *name, const json_t *figure)
{
    json_t *row = doc_row(doc, table);
    const json_t *estimate = json_object_get(figure, "estimated");
    doc_cell(doc, row, json_string(name));
    /* shares of all surveys have no count of their own kind */
    doc_cell(doc, row, doc_int_at(figure, "counts/n") > 0 ? doc_copy(figure, "counts/n") : NULL);
    doc_cell(doc, row, doc_copy(figure, "raw"));
    doc_cell(doc, row, doc_copy(figure, "excluded"));
    doc_cell(doc, row, doc_copy(estimate, "value"));
    doc_cell(doc, row, pair(doc_at(estimate, "low"), doc_at(estimate, "high")));
    doc_cell(doc, row, doc_copy(estimate, "se"));
    doc_cell(doc, row, json_string(why_none(doc, figure)));
}

static void add_bounds(struct doc *doc, json_t *table, const char *name, const json_t *figure)
{
    const json_t *bounds = doc_at(figure, "estimated/bounds");
    if (!json_is_object(bounds))
        return;
    json_t *row = doc_row(doc, table);
    doc_cell(doc, row, json_string(name));
    doc_cell(doc, row, doc_copy(bounds, "all_valid"));
    doc_cell(doc, row, doc_copy(bounds, "all_invalid"));
    doc_cell(doc, row, doc_copy(bounds, "worst"));
    doc_cell(doc, row, doc_copy(figure, "band"));
    doc_cell(doc, row, doc_copy(figure, "estimated/band"));
}

/* Silent surveys that nobody looked at are genuine, or none of them is: the figure lies between. */
static void add_without_silent(struct doc *doc)
{
    const json_t *indicators = json_object_get(total_group(doc), "indicators");
    if (strcmp(doc_text_at(doc->model, "plan/silent"), "known") != 0)
        return;
    doc_text(doc, doc_word(doc, "silent_known_text"));
    json_t *table = doc_table(doc, "silent_bounds", "indicator:word all_silent:num no_silent:num");
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        const char *id = okno_indicator_id((enum okno_indicator)i);
        const json_t *estimate = doc_at(json_object_get(indicators, id), "estimated");
        if (!json_is_number(json_object_get(estimate, "value")))
            continue;
        json_t *row = doc_row(doc, table);
        doc_cell(doc, row, json_string(doc_name(doc, "indicator", id)));
        doc_cell(doc, row, doc_copy(estimate, "value"));
        doc_cell(doc, row, doc_copy(estimate, "bounds/without_silent"));
    }
}

static void add_forest(struct doc *doc, json_t *chart, const char *label, const json_t *figure)
{
    const json_t *estimate = json_object_get(figure, "estimated");
    if (!json_is_number(json_object_get(figure, "raw")) && !json_is_object(estimate))
        return;
    json_t *row =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "label", label, "raw",
                  doc_copy(figure, "raw"), "excluded", doc_copy(figure, "excluded"), "value",
                  doc_copy(estimate, "value"), "low", doc_copy(estimate, "low"), "high",
                  doc_copy(estimate, "high"), "worst", doc_copy(estimate, "bounds/worst"));
    if (json_array_append_new(chart, row) < 0)
        doc->failed = true;
}

#define FIGURE_COLUMNS "n:int raw:num excluded:num estimated:num interval:range se:num why:word"

static void add_total(struct doc *doc)
{
    const json_t *indicators = json_object_get(total_group(doc), "indicators");
    doc_heading(doc, "head.total");
    json_t *chart = doc_chart(doc, "forest", "total");
    json_t *table = doc_table(doc, "total", "indicator:word " FIGURE_COLUMNS);
    json_t *bounds = doc_table(doc, "bounds",
                               "indicator:word all_valid:num all_invalid:num "
                               "worst:range band:range estimated_band:range");
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        const char *id = okno_indicator_id((enum okno_indicator)i);
        const json_t *figure = json_object_get(indicators, id);
        const char *name = doc_name(doc, "indicator", id);
        add_figure(doc, table, name, figure);
        add_bounds(doc, bounds, name, figure);
        if (json_is_object(json_object_get(figure, "estimated")))
            add_forest(doc, chart, name, figure);
    }
}

static bool is_anywhere(const json_t *groups, const char *id)
{
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group)
    {
        const json_t *figure = json_object_get(json_object_get(group, "indicators"), id);
        if (json_is_number(json_object_get(figure, "raw")) ||
            json_is_object(json_object_get(figure, "estimated")))
            return true;
    }
    return false;
}

/* One indicator over all sites. */
static void add_sites(struct doc *doc, const char *id)
{
    const json_t *groups = doc_at(doc->model, "by_site/groups");
    char key[80];
    char name[80];
    (void)snprintf(key, sizeof(key), "by_site_%s", id);
    (void)snprintf(name, sizeof(name), "site_%s", id);
    json_t *chart = doc_chart(doc, "forest", key);
    json_t *table = doc_table(doc, key, "site:text " FIGURE_COLUMNS);
    for (size_t i = 0; i < json_array_size(groups) && i < ROWS_MAX; i++) {
        const json_t *group = json_array_get(groups, i);
        const json_t *figure = json_object_get(json_object_get(group, "indicators"), id);
        okno_autojson json_t *site = doc_site(doc, doc_text_at(group, "group/site"));
        add_figure(doc, table, json_string_value(site), figure);
        if (json_array_size(chart) < FOREST_MAX)
            add_forest(doc, chart, json_string_value(site), figure);
    }
}

static json_t *asked_site(const struct doc *doc, const json_t *row)
{
    const char *site = doc_text_at(row, "site");
    return *site ? doc_site(doc, site) : json_string(doc_word(doc, "head.total"));
}

static void add_asked_row(struct doc *doc, json_t *table, const json_t *row)
{
    json_t *cells = doc_row(doc, table);
    doc_cell(doc, cells, asked_site(doc, row));
    doc_cell(doc, cells, doc_copy(row, "value"));
    doc_cell(doc, cells, pair(doc_at(row, "low"), doc_at(row, "high")));
    doc_cell(doc, cells, doc_copy(row, "worst"));
}

static void add_asked_counts(struct doc *doc, json_t *table, const json_t *row)
{
    static const char *const names[] = {"frame", "asked", "not_asked", "no_customer",
                                        "undeterminable"};
    json_t *cells = doc_row(doc, table);
    doc_cell(doc, cells, asked_site(doc, row));
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        doc_cell(doc, cells, doc_copy(row, names[i]));
}

/* Of a frame of sales or minutes, instead of all else. */
static void add_asked(struct doc *doc)
{
    const json_t *rows = doc_at(doc->model, "asked");
    const json_t *total = json_array_get(rows, 0);
    char line[LINE];
    char one[40];
    char other[40];
    doc_heading(doc, "head.asked");
    doc_text(doc, doc_word(doc, "asked_text"));
    json_t *table =
        doc_table(doc, "never_asked", "site:text never_asked:num interval:range worst:range");
    for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++)
        add_asked_row(doc, table, json_array_get(rows, i));
    json_t *counts = doc_table(doc, "asked",
                               "site:text frame:int asked:int not_asked:int no_customer:int "
                               "undeterminable:int");
    for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++)
        add_asked_counts(doc, counts, json_array_get(rows, i));
    doc_text(doc, doc_fill(doc, line, sizeof(line), "asked_against", "survey",
                           doc_number(doc_int_at(total, "survey_not_asked"), one), "seen",
                           doc_number(doc_int_at(total, "asked_no_survey"), other)));
}

/* Of a frame of spontaneous ratings: they tell something without customers counted. */
static void add_genuine(struct doc *doc)
{
    const json_t *rows = doc_at(doc->model, "genuine");
    doc_heading(doc, "head.genuine");
    doc_text(doc, doc_word(doc, "genuine_text"));
    json_t *table = doc_table(doc, "genuine",
                              "site:text class:word:class genuine:num interval:range worst:range");
    for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++) {
        const json_t *row = json_array_get(rows, i);
        json_t *cells = doc_row(doc, table);
        doc_cell(doc, cells, asked_site(doc, row));
        doc_cell(doc, cells, doc_copy(row, "class"));
        doc_cell(doc, cells, doc_copy(row, "value"));
        doc_cell(doc, cells, pair(doc_at(row, "low"), doc_at(row, "high")));
        doc_cell(doc, cells, doc_copy(row, "worst"));
    }
}

static void add_appeals(struct doc *doc)
{
    const json_t *appeals = doc_at(doc->model, "findings/appeals");
    doc_text(doc, doc_word(doc, json_array_size(appeals) ? "appeals_text" : "appeals_none"));
    if (json_array_size(appeals) == 0)
        return;
    json_t *table = doc_table(doc, "appeals", "asks:word:asks outcome:word:outcome appeals:int");
    doc_rows(doc, table, appeals, ROWS_MAX);
}

static void add_editions(struct doc *doc)
{
    const json_t *editions = doc_at(doc->model, "proof/editions");
    if (json_array_size(editions) == 0)
        return;
    doc_text(doc, doc_word(doc, "editions_text"));
    json_t *table = doc_table(doc, "editions", "edition:int at:time author:text sha256:mono");
    doc_rows(doc, table, editions, ROWS_MAX);
}

static void add_figures(struct doc *doc)
{
    static const char *const per_site[] = {"ink_personnel", "ink_office", "iel"};
    doc_text(doc, doc_word(doc, "figures_text"));
    add_total(doc);
    doc_text(doc, doc_word(doc, "bounds_text"));
    add_without_silent(doc);
    bool begun = false;
    for (size_t i = 0; i < OKNO_COUNT(per_site); i++) {
        if (!is_anywhere(doc_at(doc->model, "by_site/groups"), per_site[i]))
            continue;
        if (!begun)
            doc_heading(doc, "head.sites");
        begun = true;
        add_sites(doc, per_site[i]);
    }
}

void document_indicators(struct doc *doc)
{
    doc_section(doc, "indicators", 9);
    add_gates(doc);
    if (doc_of_ratings(doc))
        add_genuine(doc);
    if (doc_of_visits(doc))
        add_asked(doc);
    else
        add_figures(doc);
    add_appeals(doc);
    add_editions(doc);
}

/* ---- 10 limits ---- */

void document_limits(struct doc *doc)
{
    doc_section(doc, "limits", 10);
    doc_text(doc, doc_word(doc, "limits_text"));
    json_t *list = doc_list(doc);
    size_t i;
    json_t *limit;
    json_array_foreach(json_object_get(doc->model, "limits"), i, limit)
    {
        char key[80];
        char n[40];
        char line[LINE];
        (void)snprintf(key, sizeof(key), "limit.%s", doc_text_at(limit, "limit"));
        doc_item(
            doc, list,
            doc_fill(doc, line, sizeof(line), key, "n", doc_number(doc_int_at(limit, "n"), n)));
    }
}

/* ---- 11 opinion ---- */

void document_opinion(struct doc *doc)
{
    const json_t *opinion = doc_at(doc->model, "opinion");
    const char *kind = doc_text_at(opinion, "kind");
    char line[LINE];
    doc_section(doc, "opinion", 11);
    if (*kind)
        doc_note(doc, strcmp(kind, "unqualified") == 0 ? "good" : "warn",
                 doc_fill(doc, line, sizeof(line), "opinion_given", "opinion",
                          doc_name(doc, "opinion", kind)));
    else
        doc_note(doc, "warn", doc_word(doc, "opinion_none"));
    if (*doc_text_at(opinion, "statement"))
        doc_text(doc, doc_text_at(opinion, "statement"));
    doc_text(doc, doc_fill(doc, line, sizeof(line), "opinion_best", "opinion",
                           doc_name(doc, "opinion", doc_text_at(opinion, "best"))));
    json_t *table = doc_table(doc, "findings", "finding:text owner:text due:day action:text");
    doc_rows(doc, table, doc_at(opinion, "findings"), ROWS_MAX);
    doc_text(doc, doc_word(doc, "repeat_text"));
}

/* ---- 12 signature ---- */

void document_signature(struct doc *doc)
{
    const json_t *m = doc->model;
    doc_section(doc, "signature", 12);
    doc_text(doc, doc_word(doc, "signature_text"));
    json_t *facts = doc_facts(doc, "signature");
    doc_fact(doc, facts, "vkey", "mono", doc_copy(m, "proof/key/vkey"));
    doc_fact(doc, facts, "fingerprint", "mono", doc_copy(m, "proof/key/fingerprint"));
    doc_fact(doc, facts, "log_size", "int", doc_copy(m, "proof/log/size"));
    doc_fact(doc, facts, "log_root", "mono", doc_copy(m, "proof/log/root"));
    doc_fact(doc, facts, "auditor_key", "mono", doc_copy(m, "plan/auditor_key"));
    doc_fact(doc, facts, "auditor_signature", "text",
             json_string("________________________________"));
    doc_fact(doc, facts, "auditor_date", "text", json_string("________________"));
}

/* ---- 13 verification and glossary ---- */

void document_verification(struct doc *doc)
{
    doc_section(doc, "verification", 13);
    doc_text(doc, doc_word(doc, "verify_text"));
    doc_code(doc, doc_word(doc, "verify_code"));
    doc_text(doc, doc_word(doc, "verify_others"));
    doc_code(doc, doc_word(doc, "verify_others_code"));
}

void document_glossary(struct doc *doc)
{
    static const char *const terms[] = {"frame",   "sample",        "seed",      "silent",
                                        "fm",      "valid",         "invalid",   "undeterminable",
                                        "raw",     "excluded",      "estimated", "interval",
                                        "bounds",  "ink",           "iel",       "k",
                                        "gate_fm", "gate_evidence", "ac1",       "checkpoint"};
    doc_section(doc, "glossary", 14);
    json_t *facts = doc_facts(doc, "glossary");
    for (size_t i = 0; i < OKNO_COUNT(terms); i++) {
        char key[60];
        if (doc_of_visits(doc) &&
            okno_text_is_word(terms[i], "silent fm raw excluded ink iel k gate_fm"))
            continue;
        (void)snprintf(key, sizeof(key), "term_%s", terms[i]);
        doc_fact(doc, facts, key, "text", json_string(doc_name(doc, "gloss", terms[i])));
    }
    doc_heading(doc, "head.formulas");
    doc_code(doc, doc_word(doc, "formulas"));
}
