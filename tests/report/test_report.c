#define _POSIX_C_SOURCE 200809L
#include "bundle.h"

#include "../audit/run_okno.h"

#include "../../src/report/cell.h"
#include "../../src/report/document.h"
#include "../../src/report/words.h"

#include "okno/embedded.h"
#include "okno/mem.h"

#include <sys/stat.h>

static const struct okno_report_settings settings = {
    .audit = "A1", .fm_threshold = 0.1, .min_n = 5};

/* ---- models ---- */

static json_t *draft_of(struct scratch_db *f)
{
    json_t *model = NULL;
    must(f, okno_report_draft(f->db, &settings, &model, &f->err));
    return model;
}

static void write_as(struct scratch_db *f, const json_t *model, enum okno_report_format format,
                     const char *lang, struct okno_buf *to)
{
    okno_buf_reset(to);
    must(f, okno_report_write(model, format, lang, to, &f->err));
}

static void issue(struct scratch_db *f, const struct okno_report_opinion *opinion, int minute)
{
    int64_t edition = 0;
    must(f, okno_report_issue(f->db, &settings, opinion, "eva", AT(minute), &edition, &f->err));
}

static json_t *issued(struct scratch_db *f, int64_t edition, bool open_to_all)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    int64_t number = 0;
    must(f, okno_report_text(f->db, "A1", edition, open_to_all, &text, &number, &f->err));
    json_t *model = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(model);
    assert_int_equal(json_integer_value(json_object_get(model, "edition")), number);
    return model;
}

static int64_t number_at(const json_t *model, const char *part, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(model, part), name));
}

static bool has_limit(const json_t *model, const char *name)
{
    size_t i;
    json_t *limit;
    json_array_foreach(json_object_get(model, "limits"), i, limit)
    {
        if (strcmp(json_string_value(json_object_get(limit, "limit")), name) == 0)
            return true;
    }
    return false;
}

/* ---- what it says ---- */

static void a_plan_alone_gives_a_draft_that_says_so(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF html = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    add_site(f);
    plan(f, "A1");
    okno_autojson json_t *model = draft_of(f);
    assert_true(has_limit(model, "not_closed"));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(model, "opinion"), "best")),
        "disclaimer");
    write_as(f, model, OKNO_REPORT_HTML, "en", &html);
    assert_non_null(strstr(okno_buf_text(&html), "DRAFT"));
    assert_non_null(strstr(okno_buf_text(&html), "There is no seed yet."));
}

static void an_unknown_audit_has_no_report(void **state)
{
    struct scratch_db *f = *state;
    json_t *model = NULL;
    must_fail(f, okno_report_draft(f->db, &settings, &model, &f->err), OKNO_NOT_FOUND, "A1");
}

static void the_model_counts_what_was_drawn_and_found(void **state)
{
    struct scratch_db *f = *state;
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    const json_t *frame = json_object_get(model, "frame");
    const json_t *total = json_object_get(frame, "total");
    assert_int_equal(json_integer_value(json_object_get(total, "surveys")), SURVEYS);
    assert_int_equal(json_integer_value(json_object_get(total, "sample")), 20);
    int64_t invalid = json_integer_value(json_object_get(total, "invalid"));
    assert_true(invalid > 0);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(model, "findings"), "exclusions")),
        invalid);
    assert_int_equal(number_at(model, "execution", "undone"), 1);
    assert_int_equal(json_array_size(json_object_get(frame, "strata")), 2);
    assert_true(has_limit(model, "single_review"));
    assert_true(has_limit(model, "no_anchor"));
}

/* Every exclusion names the entry of the log that tells it. */
static void an_exclusion_names_its_entry_reason_and_evidence(void **state)
{
    struct scratch_db *f = *state;
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    const json_t *one =
        json_array_get(json_object_get(json_object_get(model, "findings"), "exclusions"), 0);
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX);
    must(f, okno_ledger_line(f->db, json_integer_value(json_object_get(one, "entry")), &line,
                             &f->err));
    assert_non_null(strstr(okno_buf_text(&line), "\"verdict\":\"invalid\""));
    assert_string_equal(json_string_value(json_object_get(one, "reason")), "STAFF_PRESSED");
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "watched"), 0)),
                        WATCHED);
    assert_int_equal(strncmp(json_string_value(json_object_get(one, "reviewer")), "R-", 2), 0);
}

/* ---- editions ---- */

static void an_edition_is_the_same_whenever_it_is_made(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF first = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    OKNO_AUTO_BUF second = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    close_audit(f);
    issue(f, NULL, 210);
    okno_autojson json_t *model = issued(f, 1, false);
    write_as(f, model, OKNO_REPORT_HTML, "ru", &first);
    scratch_db_put(f, "UPDATE sites SET name = 'Renamed'");
    okno_autojson json_t *again = issued(f, 0, false);
    write_as(f, again, OKNO_REPORT_HTML, "ru", &second);
    assert_string_equal(okno_buf_text(&first), okno_buf_text(&second));
}

static void the_step_tells_the_hashes_of_what_was_issued(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *status = NULL;
    char sha256[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    int64_t edition = 0;
    close_audit(f);
    issue(f, NULL, 210);
    must(f, okno_report_text(f->db, "A1", 1, false, &text, &edition, &f->err));
    okno_hash_bytes(text.data, text.len, digest);
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    const json_t *steps = json_object_get(status, "steps");
    const json_t *step = json_array_get(steps, json_array_size(steps) - 1);
    assert_string_equal(json_string_value(json_object_get(step, "step")), "report");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(step, "detail"), "sha256")),
        okno_hash_hex(digest, sha256));
}

static void a_report_before_the_close_is_out_of_order(void **state)
{
    struct scratch_db *f = *state;
    int64_t edition = 0;
    (void)drawn_audit(f, "A1");
    must_fail(f, okno_report_issue(f->db, &settings, NULL, "eva", AT(200), &edition, &f->err),
              OKNO_OUT_OF_ORDER, "close");
}

static void a_further_edition_lists_the_one_before(void **state)
{
    struct scratch_db *f = *state;
    close_audit(f);
    issue(f, NULL, 210);
    issue(f, NULL, 220);
    okno_autojson json_t *model = issued(f, 0, false);
    const json_t *editions = json_object_get(json_object_get(model, "proof"), "editions");
    assert_int_equal(json_array_size(editions), 1);
    assert_int_equal(json_integer_value(json_object_get(model, "edition")), 2);
}

/* ---- the opinion ---- */

static void gates_limit_the_opinion(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_report_opinion best = {.kind = "unqualified"};
    const struct okno_report_opinion less = {.kind = "qualified", .statement = "With care."};
    int64_t edition = 0;
    close_audit(f); /* a seventh could not be decided: above the limit of a tenth */
    must_fail(f, okno_report_issue(f->db, &settings, &best, "eva", AT(210), &edition, &f->err),
              OKNO_REFUSED, "qualified at best");
    issue(f, &less, 211);
    okno_autojson json_t *model = issued(f, 0, false);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(model, "opinion"), "statement")),
        "With care.");
}

static void a_finding_of_another_shape_is_named(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *list =
        json_pack("[{s:s}, {s:s, s:i}]", "finding", "a", "finding", "b", "owner", 5);
    const struct okno_report_opinion opinion = {.findings = list};
    int64_t edition = 0;
    close_audit(f);
    must_fail(f, okno_report_issue(f->db, &settings, &opinion, "eva", AT(210), &edition, &f->err),
              OKNO_INVALID, "findings[1]");
    okno_autojson json_t *unknown = json_pack("{s:s}", "kind", "perfect");
    const struct okno_report_opinion other = {
        .kind = json_string_value(json_object_get(unknown, "kind"))};
    must_fail(f, okno_report_issue(f->db, &settings, &other, "eva", AT(210), &edition, &f->err),
              OKNO_INVALID, "perfect");
}

/* ---- who may read what ---- */

static void what_everybody_may_read_names_nobody(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    int64_t edition = 0;
    close_audit(f);
    issue(f, NULL, 210);
    must(f, okno_report_text(f->db, "A1", 1, true, &text, &edition, &f->err));
    assert_null(strstr(okno_buf_text(&text), "\"eva\""));
    assert_null(strstr(okno_buf_text(&text), "\"ann\""));
    assert_null(strstr(okno_buf_text(&text), "calc"));
    okno_autojson json_t *whole = issued(f, 1, false);
    okno_autojson json_t *open = issued(f, 1, true);
    assert_true(json_equal(json_object_get(whole, "total"), json_object_get(open, "total")));
}

/* ---- words ---- */

static const json_t *words_of(json_t *catalogue, const char *lang)
{
    return json_object_get(catalogue, lang);
}

static json_t *catalogue(void)
{
    const struct okno_ui_file *file = okno_conf_files;
    while (strcmp(file->path, "/conf/report.json") != 0)
        file++;
    return json_loadb((const char *)file->data, file->len, JSON_REJECT_DUPLICATES, NULL);
}

/* The same {names} in both languages. */
static void check_twins(const char *key, const char *text, const char *twin)
{
    if (!twin || !*twin)
        fail_msg("%s has no twin", key);
    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
        char name[40];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "}") + 1, at);
        if (!strstr(twin, name))
            fail_msg("%s: its twin lacks %s", key, name);
    }
}

static void no_text_lacks_its_twin(void **state)
{
    const char *key;
    json_t *text;
    (void)state;
    okno_autojson json_t *all = catalogue();
    const json_t *en = words_of(all, "en");
    const json_t *ru = words_of(all, "ru");
    json_object_foreach((json_t *)(uintptr_t)en, key, text)
        check_twins(key, json_string_value(text), json_string_value(json_object_get(ru, key)));
    json_object_foreach((json_t *)(uintptr_t)ru, key, text)
        check_twins(key, json_string_value(text), json_string_value(json_object_get(en, key)));
}

/* A label without a text would show its key: with an underscore, or a Latin word in Russian. */
static void check_labels(const json_t *value)
{
    static const char *const named[] = {"label", "title"};
    const char *key;
    json_t *member;
    size_t i;
    for (i = 0; i < OKNO_COUNT(named); i++) {
        const char *text = json_string_value(json_object_get(value, named[i]));
        if (text && (strchr(text, '_') || !*text))
            fail_msg("`%s` has no text", text);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member) check_labels(member);
    if (json_is_array(value))
        json_array_foreach(value, i, member) check_labels(member);
}

static void every_label_has_a_text(void **state)
{
    static const char *const languages[] = {"en", "ru"};
    struct scratch_db *f = *state;
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    for (size_t i = 0; i < OKNO_COUNT(languages); i++) {
        okno_autojson json_t *document = NULL;
        must(f, document_make(model, languages[i], &document, &f->err));
        assert_int_equal(json_array_size(json_object_get(document, "sections")), 15);
        check_labels(document);
    }
}

/* As Russian writes them: dates, quotes; the period by the shop's clocks, the shop by its name. */
static void a_russian_report_has_russian_dates_and_quotes(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *document = NULL;
    close_audit(f);
    scratch_db_put(f, "UPDATE sites SET time_zone = 'Europe/Moscow'");
    okno_autojson json_t *model = draft_of(f);
    must(f, document_make(model, "ru", &document, &f->err));
    okno_autofree char *page = json_dumps(document, JSON_COMPACT);
    assert_non_null(strstr(page,
                           "10.03.2026\xc2\xa0"
                           "10:00:00 по 10.03.2026\xc2\xa0"
                           "11:00:00"
                           " (Europe/Moscow)"));
    assert_null(strstr(page, "\xe2\x80\x9c")); /* an English quote */
    assert_non_null(strstr(page, "\"label\":\"Mall\""));
    assert_null(strstr(page, "\"label\":\"mall\""));
}

static void a_day_is_written_as_the_language_does(void **state)
{
    static const char *const others[] = {"soon", "2026-3-10", "2026-03-10 or later"};
    char text[CELL_TEXT];
    (void)state;
    okno_autojson json_t *day = json_string("2026-03-10");
    assert_string_equal(cell_format(day, "day", "ru", text), "10.03.2026");
    assert_string_equal(cell_format(day, "day", "en", text), "2026-03-10");
    for (size_t i = 0; i < OKNO_COUNT(others); i++) {
        okno_autojson json_t *other = json_string(others[i]);
        assert_string_equal(cell_format(other, "day", "ru", text), others[i]);
    }
}

static void figures_name_their_groups_in_the_reports_language(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *document = NULL;
    okno_autojson json_t *model =
        json_pack("{s:s, s:s, s:s, s:[s, s], s:[{s:{s:s, s:s}, s:{}}]}", "report", "figures",
                  "from", "2026-03-10", "to", "2026-03-11", "by", "site", "employee", "groups",
                  "group", "site", "S1", "employee", "unassigned", "indicators");
    assert_non_null(model);
    must(f, document_make(model, "ru", &document, &f->err));
    okno_autofree char *page = json_dumps(document, JSON_COMPACT);
    assert_non_null(strstr(page, "по площадкам, по сотрудникам"));
    assert_non_null(strstr(page, "S1 · не назначен"));
    assert_non_null(strstr(page, "10.03.2026 – 11.03.2026"));
    assert_null(strstr(page, "unassigned"));
}

/* "маяк дня 2026-03-10"; of a person the words stay. */
static void a_programmes_seed_is_told_in_the_reports_language(void **state)
{
    struct scratch_db *f = *state;
    size_t i;
    json_t *step;
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    for (int turn = 0; turn < 2; turn++) {
        okno_autojson json_t *document = NULL;
        json_array_foreach(json_object_get(model, "steps"), i, step)
        {
            if (strcmp(json_string_value(json_object_get(step, "step")), "seed") != 0)
                continue;
            json_t *how = json_string("beacon of the day 2026-03-10");
            (void)json_object_set_new(json_object_get(step, "detail"), "how", how);
            json_t *author = json_string(turn ? "eva" : "programme:daily");
            (void)json_object_set_new(step, "author", author);
        }
        must(f, document_make(model, "ru", &document, &f->err));
        okno_autofree char *page = json_dumps(document, JSON_COMPACT);
        assert_non_null(strstr(page, turn ? "beacon of the day 2026-03-10"
                                          : "\"\xd0\xbc\xd0\xb0\xd1\x8f\xd0\xba \xd0\xb4\xd0\xbd"
                                            "\xd1\x8f 2026-03-10\""));
    }
}

static void add_question(json_t *questions, const char *id, const char *text)
{
    assert_int_equal(
        json_array_append_new(questions,
                              json_pack("{s:s, s:s, s:s, s:i, s:i}", "question", id, "kind",
                                        "office", "text", text, "window_s", 15, "surveys", 1)),
        0);
}

/* A question a point in the same words is told once, more than five are told to be more. */
static void the_same_question_of_many_points_is_told_once(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *document = NULL;
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    json_t *questions = json_object_get(json_object_get(model, "frame"), "questions");
    assert_int_equal(json_array_clear(questions), 0);
    for (int i = 0; i < 9; i++)
        add_question(questions, "q", "Pleased?");
    static const char *const more[] = {"A?", "B?", "C?", "D?", "E?"};
    for (size_t i = 0; i < OKNO_COUNT(more); i++)
        add_question(questions, "r", more[i]);
    must(f, document_make(model, "en", &document, &f->err));
    okno_autofree char *page = json_dumps(document, JSON_COMPACT);
    assert_non_null(strstr(page,
                           "“Pleased?” (office and process); “A?” (office and process); “B?” "
                           "(office and process); “C?” (office and process); “D?” (office and "
                           "process); …\""));
}

/* 1,001 bytes: wherever a text is cut, an even number of bytes ends within a letter. */
#define LONG_NAME "'1' || replace(hex(zeroblob(500)), '00', '\xd1\x8f')"

static void long_names_are_cut_between_letters(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF page = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    close_audit(f);
    scratch_db_put(f, "UPDATE sites SET name = " LONG_NAME
                      ";"
                      "UPDATE questions SET text = " LONG_NAME);
    okno_autojson json_t *model = draft_of(f);
    write_as(f, model, OKNO_REPORT_HTML, "ru", &page);
    write_as(f, model, OKNO_REPORT_CSV, "en", &page);
    okno_autojson json_t *document = NULL;
    must(f, document_make(model, "en", &document, &f->err));
    okno_autofree char *text = json_dumps(document, JSON_COMPACT);
    const char *label = strstr(text, "\"label\":\"1\xd1\x8f");
    assert_non_null(label);
    assert_true(strlen(label) > 1010 && label[9 + 1001] == '"'); /* a name is whole */
}

/* Above the limit of undeterminable ones no figure is given, wherever it would stand; experts who
 * are shown answers saw them all; and what nobody played is not called watched. */
static void what_gates_and_plans_forbid_stands_nowhere(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    okno_autojson json_t *document = NULL;
    struct okno_audit_plan made = plan_of("A1");
    made.sampling.silent_known = true;
    made.show_answer = true;
    made.undeterminable_limit = 0.01;
    add_site(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    okno_autojson json_t *model = draft_of(f);
    const json_t *indicators = json_object_get(
        json_array_get(json_object_get(json_object_get(model, "total"), "groups"), 0),
        "indicators");
    const json_t *office = json_object_get(json_object_get(indicators, "ink_office"), "estimated");
    assert_true(json_is_null(json_object_get(office, "value")));
    assert_null(json_object_get(json_object_get(office, "bounds"), "without_silent"));
    const json_t *reviewer =
        json_array_get(json_object_get(json_object_get(model, "execution"), "reviewers"), 0);
    assert_int_equal(json_integer_value(json_object_get(reviewer, "blinding_broken")),
                     json_integer_value(json_object_get(reviewer, "decisions")));
    assert_true(has_limit(model, "not_blind") && !has_limit(model, "blinding_broken"));
    assert_true(has_limit(model, "unplayed"));
    must(f, document_make(model, "en", &document, &f->err));
    check_labels(document);
    okno_autofree char *page = json_dumps(document, JSON_COMPACT);
    assert_null(strstr(page, "played_s"));
    assert_non_null(strstr(page, "not a second of video was played"));
    scratch_db_put(f, "UPDATE verdicts SET played_s = 3");
    okno_autojson json_t *watched = draft_of(f);
    assert_false(has_limit(watched, "unplayed"));
    assert_false(has_limit(watched, "unwatched")); /* decide_all names a picture */
    scratch_db_put(f, "UPDATE verdicts SET watched = '[]'");
    okno_autojson json_t *blind = draft_of(f);
    assert_true(has_limit(blind, "unwatched"));
    assert_false(has_limit(blind, "time_uncertain"));
    scratch_db_put(f, "UPDATE links SET camera = 'c', flags = 'outdated time_uncertain'");
    okno_autojson json_t *unclear = draft_of(f);
    assert_true(has_limit(unclear, "time_uncertain"));
}

/* A round that the plan allowed is no deviation from it; a smaller frame is. */
static void a_round_that_was_planned_is_no_deviation(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    int64_t drawn = 0;
    struct okno_audit_plan made = plan_of("A1");
    made.looks = 3;
    add_site(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    must(f, okno_audit_extend(f->db, "A1", 10, "eva", AT(65), &drawn, &f->err));
    for (int i = 0; i < 2; i++) {
        OKNO_AUTO_BUF csv = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
        okno_autojson json_t *model = draft_of(f);
        write_as(f, model, OKNO_REPORT_CSV, "en", &csv);
        bool told = strstr(okno_buf_text(&csv), "Surveys drawn: ") != NULL;
        assert_int_equal(told, i);
        if (i == 0)
            must(f, okno_audit_extend(f->db, "A1", 100, "eva", AT(66), &drawn, &f->err));
    }
}

/* No camera was ever asked of these surveys. */
static void footage_that_nobody_looked_for_is_told_so(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF html = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    close_audit(f);
    okno_autojson json_t *model = draft_of(f);
    write_as(f, model, OKNO_REPORT_HTML, "ru", &html);
    assert_non_null(strstr(okno_buf_text(&html), "<td>не искали</td>"));
}

/* Whoever it was asked of: the name's place is a mark in the registry, and none in a report. */
static void a_question_with_a_place_for_a_name_is_told_without_the_mark(void **state)
{
    struct scratch_db *f = *state;
    close_audit(f);
    scratch_db_put(f,
                   "INSERT INTO questions (import, question, point, valid_from, kind, text,"
                   " window_us) VALUES (1, 'q1', 'p0', 1, 'personnel',"
                   " 'Did {employee} help you?', 15000000)");
    okno_autojson json_t *model = draft_of(f);
    const json_t *asked = json_object_get(json_object_get(model, "frame"), "questions");
    assert_int_equal(json_array_size(asked), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(asked, 1), "text")),
                        "Did … help you?");
}

/* Of a plan with everything that can be planned, in a script that keys are not written in. */
static void every_line_of_a_plan_has_a_text(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *document = NULL;
    struct okno_audit_plan made = plan_of("A1");
    made.sampling = (struct okno_sampling){.strata = OKNO_STRATA_SITE | OKNO_STRATA_ANSWER,
                                           .neyman = true,
                                           .with_replacement = true,
                                           .least = 3,
                                           .half_width = 0.05,
                                           .expected = {0.1, 0.1, 0.1, 0.1}};
    made.size = 0;
    made.double_share = 0.2;
    made.gold = 5;
    made.fm_threshold = 0.3;
    made.max_half_width = 0.1;
    made.undeterminable_limit = 0.1;
    add_site(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    okno_autojson json_t *model = draft_of(f);
    must(f, document_make(model, "ru", &document, &f->err));
    const json_t *sections = json_object_get(document, "sections");
    const json_t *blocks = json_object_get(json_array_get(sections, 4), "blocks");
    const json_t *rows = json_object_get(json_array_get(blocks, 0), "rows");
    assert_true(json_array_size(rows) > 15);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *label = json_string_value(json_object_get(json_array_get(rows, i), "label"));
        if ((label[0] & 0x80) == 0)
            fail_msg("`%s` has no text", label);
    }
}

static void a_language_without_texts_is_refused(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF html = OKNO_BUF_INIT(1000);
    add_site(f);
    plan(f, "A1");
    okno_autojson json_t *model = draft_of(f);
    must_fail(f, okno_report_write(model, OKNO_REPORT_HTML, "fr", &html, &f->err), OKNO_INVALID,
              "`fr`");
}

/* ---- the command ---- */

static void the_command_issues_once_and_gives_the_same_again(void **state)
{
    struct scratch_db *f = *state;
    struct ran ran;
    char out[200];
    close_audit(f);
    (void)snprintf(out, sizeof(out), "%s/okno.db-report", f->dir);
    const char *const first[] = {"--data",   f->dir, "audit", "report", "A1",
                                 "--format", "csv",  "-o",    out,      NULL};
    run_okno_bytes("", 0, first, &ran);
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.err, "edition 1 is issued"));
    run_okno_bytes("", 0, first, &ran);
    assert_int_equal(ran.exit_code, 0);
    assert_null(strstr(ran.err, "issued"));
    (void)remove(out);
    const char *const late[] = {"--data",    f->dir,      "audit", "report", "A1",
                                "--opinion", "qualified", "-o",    out,      NULL};
    run_okno_bytes("", 0, late, &ran);
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "--again"));
    const char *const beyond[] = {"--data",    f->dir, "audit", "report", "A1",
                                  "--edition", "9",    "-o",    out,      NULL};
    run_okno_bytes("", 0, beyond, &ran);
    assert_int_equal(ran.exit_code, 3);
    assert_non_null(strstr(ran.err, "has no edition 9 of its report: 1 is the newest"));
    const char *const wrong[] = {"--data", f->dir,     "audit", "report",
                                 "A1",     "--format", "doc",   NULL};
    run_okno_bytes("", 0, wrong, &ran);
    assert_int_equal(ran.exit_code, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plan_alone_gives_a_draft_that_says_so),
        TEST(an_unknown_audit_has_no_report),
        TEST(the_model_counts_what_was_drawn_and_found),
        TEST(an_exclusion_names_its_entry_reason_and_evidence),
        TEST(an_edition_is_the_same_whenever_it_is_made),
        TEST(the_step_tells_the_hashes_of_what_was_issued),
        TEST(a_report_before_the_close_is_out_of_order),
        TEST(a_further_edition_lists_the_one_before),
        TEST(gates_limit_the_opinion),
        TEST(a_finding_of_another_shape_is_named),
        TEST(what_everybody_may_read_names_nobody),
        TEST(no_text_lacks_its_twin),
        TEST(every_label_has_a_text),
        TEST(a_russian_report_has_russian_dates_and_quotes),
        cmocka_unit_test(a_day_is_written_as_the_language_does),
        TEST(figures_name_their_groups_in_the_reports_language),
        TEST(a_programmes_seed_is_told_in_the_reports_language),
        TEST(the_same_question_of_many_points_is_told_once),
        TEST(long_names_are_cut_between_letters),
        TEST(what_gates_and_plans_forbid_stands_nowhere),
        TEST(a_round_that_was_planned_is_no_deviation),
        TEST(a_question_with_a_place_for_a_name_is_told_without_the_mark),
        TEST(footage_that_nobody_looked_for_is_told_so),
        TEST(every_line_of_a_plan_has_a_text),
        TEST(a_language_without_texts_is_refused),
        TEST(the_command_issues_once_and_gives_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
