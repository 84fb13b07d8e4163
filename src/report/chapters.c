#define _POSIX_C_SOURCE 200809L
/* The chapters that say what was asked, of whom and how it was drawn. */
#include "document.h"

#include "okno/mem.h"
#include "okno/report.h"
#include "okno/text.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 2000, ROWS_MAX = 2000, SAMPLE_SHOWN = 10 };

/* ---- 1 identity ---- */

/* Who did steps, each once. */
static void add_authors(struct doc *doc, json_t *facts)
{
    OKNO_AUTO_BUF names = OKNO_BUF_INIT(LINE);
    okno_autojson json_t *seen = json_object();
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(doc->model, "steps"), i, step)
    {
        const char *author = doc_text_at(step, "author");
        struct okno_err ignored = {0};
        if (!*author || json_object_get(seen, author))
            continue;
        (void)json_object_set_new(seen, author, json_true());
        if (okno_buf_printf(&names, &ignored, "%s%s", names.len ? ", " : "", author) < 0)
            break;
    }
    doc_fact(doc, facts, "auditors", "text",
             json_string(names.len ? okno_buf_text(&names) : doc_word(doc, "hidden")));
}

void document_identity(struct doc *doc)
{
    const json_t *m = doc->model;
    doc_section(doc, "identity", 1);
    json_t *facts = doc_facts(doc, "identity");
    doc_fact(doc, facts, "audit", "mono", doc_copy(m, "audit/audit"));
    doc_fact(doc, facts, "title", "text", doc_copy(m, "audit/title"));
    doc_fact(doc, facts, "state", "text",
             json_string(doc_name(doc, "state", doc_text_at(m, "audit/state"))));
    doc_fact(doc, facts, "period_from", "time", doc_copy(m, "audit/period_from"));
    doc_fact(doc, facts, "period_to", "time", doc_copy(m, "audit/period_to"));
    if (json_is_object(doc_at(m, "audit/local"))) {
        doc_fact(doc, facts, "local_from", "time", doc_copy(m, "audit/local/from"));
        doc_fact(doc, facts, "local_to", "time", doc_copy(m, "audit/local/to"));
    }
    add_authors(doc, facts);
    doc_fact(doc, facts, "planned_at", "time", doc_copy(m, "audit/planned_at"));
    doc_fact(doc, facts, "closed_at", "time", doc_copy(doc_step(m, "close"), "at"));
    if (*doc_text_at(m, "audit/repeats"))
        doc_fact(doc, facts, "repeats", "mono", doc_copy(m, "audit/repeats"));
    doc_fact(doc, facts, "edition", "int", doc_copy(m, "edition"));
    doc_fact(doc, facts, "at", "time", doc_copy(m, "at"));
    doc_fact(doc, facts, "software", "mono", doc_copy(m, "software"));
    json_t *table = doc_table(doc, "sites", "site:mono name:text time_zone:word surveys:int");
    doc_rows(doc, table, doc_at(m, "frame/sites"), ROWS_MAX);
}

/* Plans hold fractions as decimal text. */
static json_t *plan_number(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? json_real(strtod(text, NULL)) : json_deep_copy(value);
}

static bool has_limit(const struct doc *doc, const char *name)
{
    size_t i;
    json_t *limit;
    json_array_foreach(json_object_get(doc->model, "limits"), i, limit)
    {
        if (strcmp(doc_text_at(limit, "limit"), name) == 0)
            return true;
    }
    return false;
}

/* ---- 2 criteria ---- */

/* Of a sale or a minute only whether a customer was there. */
static bool may_have(const struct doc *doc, const char *verdict, const json_t *reason)
{
    return !doc_of_visits(doc) || strcmp(verdict, "invalid") != 0 ||
           strcmp(doc_text_at(reason, "id"), "NO_CUSTOMER") == 0;
}

static void add_reasons(struct doc *doc)
{
    static const char *const verdicts[] = {"invalid", "undeterminable"};
    json_t *table = doc_table(doc, "reasons", "reason:code verdict:word meaning:text");
    for (size_t v = 0; v < OKNO_COUNT(verdicts); v++) {
        const json_t *list = json_object_get(doc_at(doc->model, "criteria/reasons"), verdicts[v]);
        size_t i;
        json_t *reason;
        json_array_foreach(list, i, reason)
        {
            if (!may_have(doc, verdicts[v], reason))
                continue;
            json_t *row = doc_row(doc, table);
            doc_cell(doc, row, doc_copy(reason, "id"));
            doc_cell(doc, row, json_string(doc_name(doc, "verdict", verdicts[v])));
            doc_cell(doc, row, doc_copy(reason, doc->lang));
        }
    }
}

static void add_rules_of_ratings(struct doc *doc, json_t *facts)
{
    const json_t *m = doc->model;
    doc_fact(doc, facts, "blind", "flag",
             json_boolean(!json_is_true(doc_at(m, "plan/show_answer"))));
    doc_fact(doc, facts, "invalid_as", "text",
             json_string(doc_name(doc, "invalid_as", doc_text_at(m, "plan/invalid"))));
    doc_fact(doc, facts, "k", "dec", plan_number(doc_at(m, "plan/k")));
    doc_fact(doc, facts, "fm_threshold", "pct", doc_copy(m, "criteria/fm_threshold"));
}

void document_criteria(struct doc *doc)
{
    const json_t *m = doc->model;
    const char *objective = doc_text_at(m, "opinion/objective");
    doc_section(doc, "criteria", 2);
    doc_text(doc, *objective ? objective : doc_word(doc, "objective_default"));
    doc_text(doc,
             doc_word(doc, has_limit(doc, "unplayed") ? "criteria_unplayed" : "criteria_played"));
    doc_text(doc, doc_word(doc, "criteria_text"));
    json_t *facts = doc_facts(doc, "criteria");
    if (!doc_of_visits(doc))
        add_rules_of_ratings(doc, facts);
    doc_fact(doc, facts, "undeterminable_limit", "pct",
             doc_copy(m, "criteria/undeterminable_limit"));
    if (!doc_of_visits(doc))
        doc_fact(doc, facts, "min_n", "int", doc_copy(m, "criteria/min_n"));
    doc_fact(doc, facts, "reasons_version", "int", doc_copy(m, "criteria/reasons/version"));
    if (!doc_of_visits(doc) && !doc_of_ratings(doc)) {
        json_t *table = doc_table(
            doc, "questions", "question:mono kind:word:kind text:text window_s:dec surveys:int");
        doc_rows(doc, table, doc_at(m, "frame/questions"), ROWS_MAX);
    }
    add_reasons(doc);
}

/* ---- 3 frame ---- */

static void chart_video(struct doc *doc)
{
    const json_t *states = doc_at(doc->model, "frame/video");
    double all = (double)doc_int_at(doc->model, "frame/total/surveys");
    json_t *chart = doc_chart(doc, "bars", "video");
    for (size_t i = 0; i < json_array_size(states) && i < 20; i++) {
        const json_t *row = json_array_get(states, i);
        const char *state = doc_text_at(row, "state");
        char text[40];
        int64_t n = doc_int_at(row, "surveys");
        doc_bar(doc, chart, doc_name(doc, "video", state), all > 0 ? (double)n / all : 0,
                doc_number(n, text));
    }
}

static void add_classes(struct doc *doc)
{
    static const char *const answers[] = {"yes", "unsure", "no", "silent", "force_majeure"};
    static const char *const visits[] = {"yes", "no"}; /* whether a survey was opened about then */
    bool of_visits = doc_of_visits(doc);
    const char *const *classes = of_visits ? visits : answers;
    size_t count = of_visits ? OKNO_COUNT(visits) : OKNO_COUNT(answers);
    const json_t *total = doc_at(doc->model, "frame/total");
    double all = (double)doc_int_at(total, "surveys");
    json_t *table = doc_table(doc, "classes", "class:word surveys:int share:pct");
    for (size_t i = 0; i < count; i++) {
        json_t *row = doc_row(doc, table);
        double n = (double)doc_int_at(total, classes[i]);
        doc_cell(doc, row,
                 json_string(doc_name(doc, of_visits ? "class_visit" : "class", classes[i])));
        doc_cell(doc, row, doc_copy(total, classes[i]));
        doc_cell(doc, row, all > 0 ? json_real(n / all) : json_null());
    }
}

void document_frame(struct doc *doc)
{
    const json_t *m = doc->model;
    char text[60];
    doc_section(doc, "frame", 3);
    (void)snprintf(text, sizeof(text), "frame_text.%.40s", doc_text_at(m, "frame/kind"));
    doc_text(doc, doc_word(doc, text));
    json_t *facts = doc_facts(doc, "frame");
    doc_fact(doc, facts, "frame_kind", "text",
             json_string(doc_name(doc, "frame_kind", doc_text_at(m, "frame/kind"))));
    doc_fact(doc, facts, "frame_size", "int", doc_copy(m, "frame/total/surveys"));
    doc_fact(doc, facts, "frame_sha256", "mono", doc_copy(m, "frame/sha256"));
    doc_fact(doc, facts, "frozen_at", "time", doc_copy(doc_step(m, "freeze"), "at"));
    if (!doc_of_visits(doc)) {
        doc_fact(doc, facts, "unheard", "int", doc_copy(m, "frame/unheard"));
        doc_fact(doc, facts, "missing", "int", doc_copy(m, "frame/missing"));
    }
    if (doc_int_at(m, "frame/unheard") + doc_int_at(m, "frame/missing") > 0)
        doc_fact(doc, facts, "accepted", "text", doc_copy(m, "frame/accepted"));
    add_classes(doc);
    chart_video(doc);
    json_t *cameras = doc_table(doc, "cameras",
                                "camera:mono site:mono surveys:int linked:int uncertainty_ms:int");
    doc_rows(doc, cameras, doc_at(m, "frame/cameras"), ROWS_MAX);
    json_t *clocks = doc_table(doc, "clocks",
                               "target:mono at:time offset_ms:int uncertainty_ms:int "
                               "method:word:clock_method");
    doc_rows(doc, clocks, doc_at(m, "frame/clocks"), ROWS_MAX);
    doc_text(doc, doc_word(doc, "edits_text"));
    json_t *edits =
        doc_table(doc, "edits", "kind:word:import imports:int rows:int first_at:time last_at:time");
    doc_rows(doc, edits, doc_at(m, "frame/edits"), ROWS_MAX);
}

/* ---- 4 plan ---- */

/* "site,answer" in words. */
static json_t *strata_words(struct doc *doc, const char *strata)
{
    OKNO_AUTO_BUF words = OKNO_BUF_INIT(LINE);
    while (*strata) {
        char word[40];
        size_t len = strcspn(strata, ",");
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, strata);
        if (okno_buf_printf(&words, NULL, "%s%s", words.len ? ", " : "",
                            doc_name(doc, "stratum_by", word)) < 0)
            doc->failed = true;
        strata += len + strspn(strata + len, ", ");
    }
    return json_string(okno_buf_text(&words));
}

/* What every plan says, and only of ratings. */
static const char of_ratings[] =
    "invalid k show_answer silent fm_threshold escalate_more escalate_count escalate_census";

static json_t *plan_value(struct doc *doc, const char *name, const json_t *value)
{
    static const char *const words[] = {"invalid", "silent", "scope", "frame", "allocation"};
    for (size_t i = 0; i < OKNO_COUNT(words); i++)
        if (strcmp(words[i], name) == 0 && json_is_string(value))
            return json_string(doc_name(doc, "plan_word", json_string_value(value)));
    if (strcmp(name, "strata") == 0 && json_is_string(value))
        return strata_words(doc, json_string_value(value));
    if (!json_is_object(value) && !json_is_array(value))
        return json_deep_copy(value);
    okno_autofree char *text = json_dumps(value, JSON_SORT_KEYS);
    return json_string(text ? text : "");
}

static void add_plan(struct doc *doc)
{
    const json_t *plan = json_object_get(doc->model, "plan");
    json_t *facts = doc_facts(doc, "plan");
    okno_autojson json_t *sorted = json_deep_copy(plan);
    okno_autofree char *text = json_dumps(sorted, JSON_SORT_KEYS);
    okno_autojson json_t *ordered = text ? json_loads(text, 0, NULL) : NULL;
    const char *key;
    json_t *value;
    json_object_foreach(ordered, key, value)
    {
        char name[80];
        if (doc_of_visits(doc) && okno_text_is_word(key, of_ratings))
            continue;
        (void)snprintf(name, sizeof(name), "plan_%.60s", key);
        bool known = strcmp(doc_name(doc, "fact", name), name) != 0;
        bool fraction = json_is_string(value) && strspn(json_string_value(value), "0123456789.") ==
                                                     json_string_length(value);
        doc_fact(doc, facts, known ? name : key,
                 fraction                 ? "dec"
                 : json_is_integer(value) ? "int"
                                          : "text",
                 fraction ? plan_number(value) : plan_value(doc, key, value));
    }
    if (json_is_true(json_object_get(plan, "one_person")))
        doc_fact(doc, facts, "one_person_reason", "text",
                 doc_copy(doc_step(doc->model, "plan"), "detail/how"));
}

/* Whether the plan, the frame and the checkpoint stand in the log before the seed. */
static void prove_order(struct doc *doc)
{
    static const char *const before[] = {"plan", "freeze", "checkpoint"};
    const json_t *m = doc->model;
    const json_t *seed = doc_step(m, "seed");
    char line[LINE];
    char entry[40];
    char place[40];
    bool proven = seed && json_is_integer(json_object_get(seed, "entry"));
    for (size_t i = 0; i < OKNO_COUNT(before); i++) {
        const json_t *step = doc_step(m, before[i]);
        proven = proven && step && json_is_integer(json_object_get(step, "entry")) &&
                 doc_int_at(step, "entry") < doc_int_at(seed, "entry");
    }
    if (!seed)
        doc_note(doc, "warn", doc_word(doc, "order_open"));
    else
        doc_note(doc, proven ? "good" : "bad",
                 doc_fill(doc, line, sizeof(line), proven ? "order_proven" : "order_unproven",
                          "plan", doc_number(doc_int_at(doc_step(m, "plan"), "entry"), entry),
                          "seed", doc_number(doc_int_at(seed, "entry"), place)));
}

void document_plan(struct doc *doc)
{
    const json_t *m = doc->model;
    doc_section(doc, "plan", 4);
    add_plan(doc);
    prove_order(doc);
    json_t *table = doc_table(doc, "steps", "step:word:step at:time author:text entry:int");
    doc_rows(doc, table, json_object_get(m, "steps"), ROWS_MAX);
    const json_t *others = doc_at(m, "proof/overlapping");
    doc_text(doc, doc_word(doc, json_array_size(others) ? "overlapping_text" : "overlapping_none"));
    if (json_array_size(others) == 0)
        return;
    json_t *overlapping =
        doc_table(doc, "overlapping",
                  "audit:mono title:text state:word:state period_from:time period_to:time");
    doc_rows(doc, overlapping, others, ROWS_MAX);
}

/* ---- 5 seed ---- */

static void add_checkpoint(struct doc *doc)
{
    const char *note = doc_text_at(doc->model, "proof/checkpoint");
    doc_heading(doc, "head.checkpoint");
    if (!*note) {
        doc_note(doc, "warn", doc_word(doc, "checkpoint_none"));
        return;
    }
    doc_text(doc, doc_word(doc, "checkpoint_text"));
    doc_code(doc, note);
    doc_qr(doc, note, doc_word(doc, "checkpoint_qr"));
    const json_t *anchors = doc_at(doc->model, "proof/anchors");
    if (json_array_size(anchors) == 0) {
        doc_text(doc, doc_word(doc, "anchors_none"));
        return;
    }
    json_t *table = doc_table(doc, "anchors", "kind:word:anchor name:text anchored_at:time");
    doc_rows(doc, table, anchors, ROWS_MAX);
}

/* Commands that make the whole sample again, stratum by stratum where the plan says so, and compare
 * its tickets with those of the bundle. */
static void add_redraw(struct doc *doc)
{
    static const char seed[] = "okno sample --seed \"$(cat data/seed.txt)\"";
    const json_t *m = doc->model;
    char code[LINE];
    const char *again =
        json_is_true(doc_at(m, "plan/with_replacement")) ? " --with-replacement" : "";
    bool known = strcmp(doc_text_at(m, "plan/silent"), "known") == 0;
    int len = snprintf(
        code, sizeof(code),
        "t=$(mktemp -d)\n%ssed -n 's/.*\"stratum\":\"\\([^\"]*\\)\",\"survey\":\"\\([^\"]*\\)\".*/"
        "\\2 \\1/p' %s> $t/frame.txt\n",
        known ? "grep -v '\"class\":\"silent\"' data/frame.jsonl |\n  " : "",
        known ? "" : "data/frame.jsonl ");
    if (*doc_text_at(m, "plan/strata"))
        len += snprintf(
            code + len, sizeof(code) - (size_t)len,
            "tail -n +2 data/sample.csv | cut -d, -f2 | sed \"s/^'//\" | sort | uniq -c |\n"
            "  while read -r n stratum; do\n"
            "    awk -v s=\"$stratum\" '$2 == s { print $1 }' $t/frame.txt > $t/stratum.txt\n"
            "    %s --size \"$n\"%s $t/stratum.txt\n"
            "  done | cut -f3 | sort > $t/tickets.txt\n",
            seed, again);
    else
        len += snprintf(code + len, sizeof(code) - (size_t)len,
                        "cut -d' ' -f1 $t/frame.txt > $t/ids.txt\n"
                        "%s --size %lld%s $t/ids.txt |\n  cut -f3 | sort > $t/tickets.txt\n",
                        seed, (long long)doc_int_at(m, "execution/sample"), again);
    (void)snprintf(
        code + len, sizeof(code) - (size_t)len,
        "tail -n +2 data/sample.csv | cut -d, -f3 | sort | cmp - $t/tickets.txt && echo same");
    doc_text(doc, doc_word(doc, "redraw_text"));
    doc_code(doc, code);
}

/* How the seed came about: what a programme wrote itself in the report's language, what people
 * wrote as they did. */
static json_t *seed_told(const struct doc *doc, const json_t *step)
{
    static const struct {
        const char *begins, *key;
    } own[] = {{"beacon of the day ", "how.day"},
               {"beacon, round ", "how.round"},
               {"SHA-256 of the secrets that the witnesses", "how.secrets"}};
    const char *text = doc_text_at(step, "detail/how");
    for (size_t i = 0; i < OKNO_COUNT(own); i++) {
        char line[LINE];
        char which[40];
        size_t len = strlen(own[i].begins);
        if (strncmp(doc_text_at(step, "author"), "programme:", 10) != 0 ||
            strncmp(text, own[i].begins, len) != 0)
            continue;
        (void)snprintf(which, sizeof(which), "%.*s", (int)strcspn(text + len, ":"), text + len);
        return json_string(doc_fill(doc, line, sizeof(line), own[i].key, "which", which));
    }
    return doc_copy(step, "detail/how");
}

void document_seed(struct doc *doc)
{
    const json_t *m = doc->model;
    const json_t *step = doc_step(m, "seed");
    const json_t *sample = doc_at(m, "proof/sample");
    doc_section(doc, "seed", 5);
    if (!step)
        doc_note(doc, "warn", doc_word(doc, "seed_none"));
    json_t *facts = doc_facts(doc, "seed");
    doc_fact(doc, facts, "seed", "mono", doc_copy(step, "detail/seed"));
    doc_fact(doc, facts, "how", "text", seed_told(doc, step));
    doc_fact(doc, facts, "witnesses", "text", doc_copy(step, "detail/witnesses"));
    doc_fact(doc, facts, "seeded_at", "time", doc_copy(step, "at"));
    add_checkpoint(doc);
    doc_heading(doc, "head.redraw");
    add_redraw(doc);
    if (json_array_size(sample) == 0)
        return;
    doc_text(doc, doc_word(doc, "sample_text"));
    json_t *table = doc_table(doc, "sample", "rank:int survey:mono stratum:mono ticket:mono");
    doc_rows(doc, table, sample, SAMPLE_SHOWN);
}

/* ---- 6 execution ---- */

/* Of all rounds: further ones are in the plan's looks. */
static int64_t planned_size(const json_t *model)
{
    int64_t size = 0;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(model, "steps"), i, step)
    {
        size += doc_int_at(step, "detail/planned");
    }
    return size;
}

static void add_deviations(struct doc *doc)
{
    static const char *const counted[] = {"undone", "late", "skips", "false_fm"};
    const json_t *m = doc->model;
    char line[LINE];
    char n[40];
    char planned[40];
    size_t found = 0;
    json_t *list = NULL;
    int64_t size = planned_size(m);
    int64_t sample = doc_int_at(m, "execution/sample");
    doc_heading(doc, "head.deviations");
    list = doc_list(doc);
    if (sample > 0 && size > 0 && sample != size && ++found)
        doc_item(doc, list,
                 doc_fill(doc, line, sizeof(line), "deviation.size", "n", doc_number(sample, n),
                          "planned", doc_number(size, planned)));
    if (*doc_text_at(m, "frame/accepted") && ++found)
        doc_item(doc, list,
                 doc_fill(doc, line, sizeof(line), "deviation.accepted", "reason",
                          doc_text_at(m, "frame/accepted")));
    for (size_t i = 0; i < OKNO_COUNT(counted); i++) {
        char key[40];
        int64_t count = doc_int_at(doc_at(m, "execution"), counted[i]);
        (void)snprintf(key, sizeof(key), "deviation.%s", counted[i]);
        if (count > 0 && ++found)
            doc_item(doc, list, doc_fill(doc, line, sizeof(line), key, "n", doc_number(count, n)));
    }
    if (found == 0)
        doc_item(doc, list, doc_word(doc, "deviation.none"));
}

void document_execution(struct doc *doc)
{
    const json_t *m = doc->model;
    doc_section(doc, "execution", 6);
    json_t *facts = doc_facts(doc, "execution");
    doc_fact(doc, facts, "sample", "int", doc_copy(m, "execution/sample"));
    doc_fact(doc, facts, "rounds", "int", doc_copy(m, "execution/rounds"));
    doc_fact(doc, facts, "valid", "int", doc_copy(m, "frame/total/valid"));
    doc_fact(doc, facts, "invalid", "int", doc_copy(m, "frame/total/invalid"));
    doc_fact(doc, facts, "undeterminable", "int", doc_copy(m, "frame/total/undeterminable"));
    json_t *strata = doc_table(doc, "strata",
                               "stratum:mono surveys:int sample:int valid:int invalid:int "
                               "undeterminable:int");
    doc_rows(doc, strata, doc_at(m, "frame/strata"), ROWS_MAX);
    json_t *reviewers = doc_table(
        doc, "reviewers",
        has_limit(doc, "unplayed") ? "reviewer:code decisions:int invalid:int "
                                     "undeterminable:int active_s:int blinding_broken:int"
                                   : "reviewer:code decisions:int invalid:int undeterminable:int "
                                     "played_s:int active_s:int blinding_broken:int");
    doc_rows(doc, reviewers, doc_at(m, "execution/reviewers"), ROWS_MAX);
    doc_text(doc, doc_word(doc, "apart_text"));
    json_t *apart = doc_table(doc, "apart", "origin:word:origin items:int decided:int invalid:int");
    doc_rows(doc, apart, doc_at(m, "execution/apart"), ROWS_MAX);
    add_deviations(doc);
}
