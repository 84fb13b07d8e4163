#define _POSIX_C_SOURCE 200809L
/* The answers that a reader comes for, before all chapters. */
#include "document.h"

#include "okno/mem.h"
#include "okno/text.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 2000, QUESTIONS_SHORT = 5 };

/* One of the questions that a reader comes with, and its answer. */
static void answer(struct doc *doc, json_t *facts, const char *key, const char *text)
{
    doc_fact(doc, facts, key, "text", json_string(text));
}

static void answer_found(struct doc *doc, json_t *facts)
{
    char line[LINE];
    char reviewed[40];
    char invalid[40];
    char unknown[40];
    const json_t *total = doc_at(doc->model, "frame/total");
    int64_t looked = doc_int_at(total, "valid") + doc_int_at(total, "invalid") +
                     doc_int_at(total, "undeterminable");
    answer(doc, facts, "q_found",
           doc_fill(doc, line, sizeof(line), "short.found", "reviewed",
                    doc_number(looked, reviewed), "invalid",
                    doc_number(doc_int_at(total, "invalid"), invalid), "unknown",
                    doc_number(doc_int_at(total, "undeterminable"), unknown)));
}

static void answer_sure(struct doc *doc, json_t *facts)
{
    char line[LINE];
    char level[40];
    char looks[40];
    const char *planned = doc_text_at(doc->model, "plan/level");
    (void)snprintf(level, sizeof(level), "%.4g", strtod(*planned ? planned : "0.95", NULL) * 100);
    answer(doc, facts, "q_sure",
           doc_fill(doc, line, sizeof(line), "short.sure", "level", level, "looks",
                    doc_number(doc_int_at(doc->model, "plan/looks"), looks)));
}

static void answer_drawn(struct doc *doc, json_t *facts)
{
    char line[LINE];
    char sample[40];
    char frame[40];
    bool drawn = doc_int_at(doc->model, "execution/sample") > 0;
    answer(doc, facts, "q_drawn",
           doc_fill(doc, line, sizeof(line), drawn ? "short.drawn" : "short.not_drawn", "sample",
                    doc_number(doc_int_at(doc->model, "execution/sample"), sample), "frame",
                    doc_number(doc_int_at(doc->model, "frame/total/surveys"), frame)));
}

static const char *question_text(const json_t *one)
{
    return doc_text_at(one, *doc_text_at(one, "text") ? "text" : "question");
}

/* Each point has a question of its own, mostly in the same words. */
static bool was_told(const json_t *questions, size_t i)
{
    const json_t *one = json_array_get(questions, i);
    for (size_t k = 0; k < i; k++) {
        const json_t *before = json_array_get(questions, k);
        if (strcmp(question_text(before), question_text(one)) == 0 &&
            strcmp(doc_text_at(before, "kind"), doc_text_at(one, "kind")) == 0)
            return true;
    }
    return false;
}

static int tell_question(const struct doc *doc, const json_t *one, struct okno_buf *texts)
{
    const char *text = question_text(one);
    size_t fit = okno_text_fit(text, 300);
    struct okno_err ignored = {0};
    return okno_buf_printf(texts, &ignored, "%s%s%.*s%s%s (%s)", texts->len ? "; " : "",
                           doc_word(doc, "ui.quote"), (int)fit, text, text[fit] ? "…" : "",
                           doc_word(doc, "ui.unquote"),
                           doc_name(doc, "kind", doc_text_at(one, "kind")));
}

static void answer_asked(struct doc *doc, json_t *facts)
{
    OKNO_AUTO_BUF texts = OKNO_BUF_INIT(LINE);
    const json_t *questions = doc_at(doc->model, "frame/questions");
    struct okno_err ignored = {0};
    size_t told = 0;
    if (doc_of_visits(doc)) {
        answer(doc, facts, "q_asked", doc_word(doc, "short.visits"));
        return;
    }
    if (doc_of_ratings(doc)) {
        answer(doc, facts, "q_asked", doc_word(doc, "short.spontaneous"));
        return;
    }
    for (size_t i = 0; i < json_array_size(questions) && told <= QUESTIONS_SHORT; i++) {
        if (was_told(questions, i))
            continue;
        int rc = told++ == QUESTIONS_SHORT
                     ? okno_buf_add_text(&texts, "; …", &ignored)
                     : tell_question(doc, json_array_get(questions, i), &texts);
        if (rc < 0)
            break;
    }
    answer(doc, facts, "q_asked",
           texts.len ? okno_buf_text(&texts) : doc_word(doc, "short.ratings"));
}

/* An end of the period by the clocks of the sites, where all have the same. */
static const char *end_of(const struct doc *doc, const char *end, char ret_text[CELL_TEXT])
{
    char path[40];
    (void)snprintf(path, sizeof(path), "audit/local/%s", end);
    const json_t *local = doc_at(doc->model, path);
    (void)snprintf(path, sizeof(path), "audit/period_%s", end);
    return doc_moment(doc, local ? local : doc_at(doc->model, path), ret_text);
}

void document_summary(struct doc *doc)
{
    char line[LINE];
    char sites[40];
    char surveys[40];
    char from[CELL_TEXT];
    char to[CELL_TEXT];
    const json_t *m = doc->model;
    doc_section(doc, "summary", 0);
    if (doc_int_at(m, "edition") == 0)
        doc_note(doc, "warn", doc_word(doc, "draft_note"));
    if (json_is_true(doc_at(m, "public")))
        doc_note(doc, "warn", doc_word(doc, "public_note"));
    json_t *facts = doc_facts(doc, "summary");
    answer_asked(doc, facts);
    answer(
        doc, facts, "q_whom",
        doc_fill(doc, line, sizeof(line), "short.whom", "sites",
                 doc_number((int64_t)json_array_size(doc_at(m, "frame/sites")), sites), "from",
                 end_of(doc, "from", from), "to", end_of(doc, "to", to), "zone",
                 *doc_text_at(m, "audit/local/zone") ? doc_text_at(m, "audit/local/zone") : "UTC",
                 "surveys", doc_number(doc_int_at(m, "frame/total/surveys"), surveys)));
    answer_drawn(doc, facts);
    answer_found(doc, facts);
    answer_sure(doc, facts);
    answer(doc, facts, "q_not", doc_word(doc, "short.not"));
    doc_text(doc, doc_word(doc, "times_note"));
}
