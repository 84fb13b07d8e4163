#define _POSIX_C_SOURCE 200809L
/* What stands in the files of a bundle: made once for writing and once more for checking. */
#include "bundle.h"

#include "okno/double.h"
#include "okno/embedded.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/time.h"

#include <sodium.h>
#include <string.h>

const char *bundle_lang(const char *lang)
{
    return lang && strcmp(lang, "ru") == 0 ? "ru" : "en";
}

const char *const bundle_hashed[] = {
    "VERIFY.txt",         "bagit.txt",           "data/agreement.json",
    "data/decisions.csv", "data/exclusions.csv", "data/frame.csv",
    "data/frame.jsonl",   "data/kpi.json",       "data/plan.json",
    "data/report.csv",    "data/report.html",    "data/report.json",
    bundle_public_report, "data/sample.csv",     "data/seed.txt",
    "keys/log.pem",       "keys/log.vkey",       NULL};
const char *const bundle_printed[] = {"data/report.pdf", "data/report.xlsx", NULL};
const char *const bundle_tool_keys[] = {"keys/log.pub", "keys/log.allowed"};
const char *const bundle_tag_signatures[] = {"tagmanifest-sha256.txt.minisig",
                                             "tagmanifest-sha256.txt.sig"};
const char *const bundle_auditor_keys[] = {"keys/auditor.pub", "keys/auditor.allowed"};
const char bundle_manifest[] = "data/signatures/manifest.txt";
const char bundle_witnesses[] = "keys/witnesses.vkey";
const char *const bundle_signatures[] = {"data/signatures/manifest.txt.minisig",
                                         "data/signatures/manifest.txt.sig"};
const char *const bundle_signed[] = {
    "data/agreement.json", "data/exclusions.csv", "data/frame.csv", "data/frame.jsonl",
    "data/kpi.json",       "data/sample.csv",     "data/seed.txt",  NULL};

static bool is_listed(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

bool bundle_pins(const char *name)
{
    return is_listed(bundle_hashed, name) || is_listed(bundle_printed, name);
}

int contents_start(struct contents *contents, struct okno_err *err)
{
    contents->names = json_object();
    contents->decisions = json_array();
    if (!contents->names || !contents->decisions)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a bundle");
    return 0;
}

void contents_free(struct contents *contents)
{
    for (size_t i = 0; i < contents->frame.len; i++)
        free(contents->frame.items[i].survey);
    frame_rows_free(&contents->frame);
    json_decref(contents->names);
    json_decref(contents->decisions);
    json_decref(contents->parts);
    json_decref(contents->stands);
}

int contents_plan(const json_t *plan, struct contents *contents, struct okno_err *err)
{
    const char *doubled = json_string_value(json_object_get(plan, "double"));
    const char *k = json_string_value(json_object_get(plan, "k"));
    const char *level = json_string_value(json_object_get(plan, "level"));
    const char *width = json_string_value(json_object_get(plan, "max_half_width"));
    const char *invalid = json_string_value(json_object_get(plan, "invalid"));
    const char *frame = json_string_value(json_object_get(plan, "frame"));
    json_int_t looks = json_integer_value(json_object_get(plan, "looks"));
    if (!k || !level || !invalid || looks < 1 || looks > 100 || okno_frame_find(frame) < 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/plan.json: the plan lacks k, level, looks, invalid or a frame that "
                         "is known");
    contents->double_share = doubled ? strtod(doubled, NULL) : 0;
    contents->rules = (struct okno_audit_rules){.invalid_as_silent = strcmp(invalid, "silent") == 0,
                                                .frame = (enum okno_frame)okno_frame_find(frame),
                                                .k = strtod(k, NULL),
                                                .level = strtod(level, NULL),
                                                .max_half_width = width ? strtod(width, NULL) : 0,
                                                .looks = (int)looks};
    int rc = okno_sampling_get(plan, &contents->sampling, err);
    contents->rules.with_replacement = contents->sampling.with_replacement;
    contents->rules.silent_known = contents->sampling.silent_known;
    contents->rules.drawn_by_strata = contents->sampling.strata != 0;
    return rc;
}

int contents_add_round(struct contents *contents, const json_t *detail, struct okno_err *err)
{
    json_int_t asked = json_integer_value(json_object_get(detail, "planned"));
    json_int_t round = json_integer_value(json_object_get(detail, "round"));
    if (contents->rounds == OKNO_ROUNDS_MAX || round != (json_int_t)contents->rounds + 1 ||
        round > contents->rules.looks || asked < 1 || asked > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/log.jsonl: round %lld of %lld surveys does not follow from the plan",
                         (long long)round, (long long)asked);
    contents->asked[contents->rounds++] = asked;
    return 0;
}

/* ---- CSV ---- */

/* What a spreadsheet would take for a formula gets an apostrophe in front, as okno_buf_add_csv does
 * it; so does an apostrophe at such a place, so that taking them off gives the text back. */
static bool is_guarded(const char *text, const char *at)
{
    return strchr(at == text ? "=+-@\t\r'" : "=+-@'", *at) && okno_csv_cell_begins(text, at);
}

static int add_field(struct okno_buf *csv, const char *text, bool first, struct okno_err *err)
{
    bool quoted = strpbrk(text, ",\"\r\n") || *text == ' ';
    int rc = first ? 0 : okno_buf_add(csv, ",", 1, err);
    if (rc == 0 && quoted)
        rc = okno_buf_add(csv, "\"", 1, err);
    for (const char *at = text; rc == 0 && *at; at++) {
        if (is_guarded(text, at))
            rc = okno_buf_add(csv, "'", 1, err);
        if (rc == 0 && *at == '"')
            rc = okno_buf_add(csv, "\"", 1, err);
        if (rc == 0)
            rc = okno_buf_add(csv, at, 1, err);
    }
    return rc == 0 && quoted ? okno_buf_add(csv, "\"", 1, err) : rc;
}

void contents_take_guards(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '\'' && to > text && from[1] && okno_csv_cell_begins(text, to))
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

static int add_row(struct okno_buf *csv, const char *const *fields, size_t count,
                   struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_field(csv, fields[i] ? fields[i] : "", i == 0, err);
    return rc == 0 ? okno_buf_add(csv, "\n", 1, err) : rc;
}

/* ---- frame ---- */

const char frame_csv_head[] =
    "survey,site,point,stratum,class,force_majeure,question,"
    "question_kind,opened,closes,employee,video\n";

static const char *intern(json_t *names, const char *text)
{
    if (!json_object_get(names, text) && json_object_set_new(names, text, json_true()) < 0)
        return NULL;
    return json_object_iter_key(json_object_iter_at(names, text));
}

static int frame_csv(const json_t *json, struct okno_buf *csv, struct okno_err *err)
{
    static const char *const texts[] = {"survey", "site",     "point",         "stratum",
                                        "class",  "question", "question_kind", "video"};
    const char *value[OKNO_COUNT(texts)];
    char opened[OKNO_TIME_TEXT];
    char closes[OKNO_TIME_TEXT];
    for (size_t i = 0; i < OKNO_COUNT(texts); i++) {
        value[i] = json_string_value(json_object_get(json, texts[i]));
        if (!value[i])
            return okno_fail(err, OKNO_MALFORMED, "it lacks %s", texts[i]);
    }
    (void)okno_time_format(json_integer_value(json_object_get(json, "opened_us")), opened);
    (void)okno_time_format(json_integer_value(json_object_get(json, "closes_us")), closes);
    const char *const fields[] = {value[0],
                                  value[1],
                                  value[2],
                                  value[3],
                                  value[4],
                                  json_is_true(json_object_get(json, "force_majeure")) ? "true"
                                                                                       : "false",
                                  value[5],
                                  value[6],
                                  opened,
                                  closes,
                                  json_string_value(json_object_get(json, "employee")),
                                  value[7]};
    return add_row(csv, fields, OKNO_COUNT(fields), err);
}

int contents_add_line(struct contents *contents, const char *line, size_t len, struct okno_buf *csv,
                      struct okno_err *err)
{
    okno_autojson json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    int rc = json ? frame_csv(json, csv, err) : okno_fail(err, OKNO_MALFORMED, "it is no JSON");
    if (rc < 0)
        return rc;
    const char *survey = json_string_value(json_object_get(json, "survey"));
    const char *class_name = json_string_value(json_object_get(json, "class"));
    const char *stratum = json_string_value(json_object_get(json, "stratum"));
    if (okno_class_find(class_name) < 0 || okno_class_find(class_name) >= OKNO_CLASSES ||
        strlen(stratum) >= OKNO_STRATUM_TEXT)
        return okno_fail(err, OKNO_MALFORMED, "its class or stratum is none");
    size_t count = contents->frame.len;
    if (count > 0 && strcmp(contents->frame.items[count - 1].survey, survey) >= 0)
        return okno_fail(err, OKNO_MALFORMED, "its survey is out of order");
    struct frame_row row = {
        .survey = strdup(survey),
        .stratum = intern(contents->names, stratum),
        .site = intern(contents->names, json_string_value(json_object_get(json, "site"))),
        .kind = intern(contents->names, json_string_value(json_object_get(json, "question_kind"))),
        .class_name = intern(contents->names, class_name),
        .force_majeure = json_is_true(json_object_get(json, "force_majeure"))};
    if (row.survey && row.stratum && row.site && row.kind && row.class_name &&
        frame_rows_push(&contents->frame, row) == 0)
        return 0;
    free(row.survey);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
}

/* ---- sample ---- */

static int add_pick(struct contents *contents, const struct okno_pick *pick, struct okno_buf *csv,
                    struct okno_err *err)
{
    struct frame_row *row = &contents->frame.items[pick->index];
    char rank[24];
    char round[16];
    char generation[24];
    (void)snprintf(rank, sizeof(rank), "%lld", (long long)pick->rank);
    (void)snprintf(round, sizeof(round), "%d", pick->round);
    (void)snprintf(generation, sizeof(generation), "%zu", pick->generation);
    const char *const fields[] = {
        row->survey, row->stratum, pick->ticket, rank, row->doubled ? "1" : "0", round, generation};
    return add_row(csv, fields, OKNO_COUNT(fields), err);
}

static struct okno_unit *make_units(const struct contents *contents)
{
    size_t count = contents->frame.len;
    struct okno_unit *units = calloc(count ? count : 1, sizeof(*units));
    for (size_t i = 0; units && i < count; i++) {
        const struct frame_row *row = &contents->frame.items[i];
        units[i] = (struct okno_unit){row->survey, row->stratum,
                                      (enum okno_class)okno_class_find(row->class_name)};
    }
    return units;
}

/* Which of the surveys that a round drew first two experts decide. */
static int mark_doubles(struct contents *contents, const char *seed,
                        const struct okno_pick_vec *picks, int round, struct okno_err *err)
{
    OKNO_AUTO_DRAWS doubles = {0};
    okno_autofree const char **ids = calloc(picks->len ? picks->len : 1, sizeof(*ids));
    okno_autofree struct frame_row **rows = calloc(picks->len ? picks->len : 1, sizeof(*rows));
    size_t count = 0;
    if (!ids || !rows)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sample");
    for (size_t i = 0; i < picks->len; i++) {
        const struct okno_pick *pick = &picks->items[i];
        if (pick->round != round || pick->generation > 1)
            continue;
        rows[count] = &contents->frame.items[pick->index];
        ids[count] = rows[count]->survey;
        count++;
    }
    int rc = okno_double_draw(seed, ids, count, contents->double_share, &doubles, err);
    for (size_t i = 0; rc == 0 && i < doubles.len; i++)
        rows[doubles.items[i].index]->doubled = true;
    return rc;
}

static int mark_picks(struct contents *contents, const char *seed,
                      const struct okno_pick_vec *picks, int64_t *ret_sizes, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < picks->len; i++) {
        contents->frame.items[picks->items[i].index].draws++;
        if (ret_sizes)
            ret_sizes[picks->items[i].round - 1]++;
    }
    for (size_t round = 1; rc == 0 && round <= contents->rounds; round++)
        rc = mark_doubles(contents, seed, picks, (int)round, err);
    return rc;
}

int contents_draw(struct contents *contents, const char *seed, struct okno_buf *csv,
                  int64_t *ret_sizes, struct okno_err *err)
{
    OKNO_AUTO_PICKS picks = {0};
    okno_autofree struct okno_unit *units = make_units(contents);
    if (!units)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
    int rc = okno_sampling_draw(&contents->sampling, seed, units, contents->frame.len,
                                contents->asked, contents->rounds, &picks, err);
    if (rc == 0)
        rc = mark_picks(contents, seed, &picks, ret_sizes, err);
    if (rc == 0)
        rc = okno_buf_add_text(csv, "survey,stratum,ticket,rank,double,round,generation\n", err);
    for (size_t i = 0; rc == 0 && i < picks.len; i++)
        rc = add_pick(contents, &picks.items[i], csv, err);
    return rc;
}

int contents_size(const struct contents *contents, int64_t *ret_size, struct okno_err *err)
{
    okno_autofree struct okno_unit *units = make_units(contents);
    if (!units)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
    return okno_sampling_size(&contents->sampling, units, contents->frame.len, ret_size, err);
}

/* ---- decisions ---- */

const char *const decision_columns[DECISION_COLUMNS] = {
    "entry",   "survey",     "at",           "reviewer",   "verdict",
    "reason",  "correction", "counted",      "supersedes", "reasons_version",
    "watched", "salt",       "comment_salt", "comment",    "part"};

int contents_decision_csv(const json_t *row, struct okno_buf *csv, struct okno_err *err)
{
    const char *fields[DECISION_COLUMNS];
    for (size_t i = 0; i < DECISION_COLUMNS; i++)
        fields[i] = row ? json_string_value(json_object_get(row, decision_columns[i]))
                        : decision_columns[i];
    return add_row(csv, fields, DECISION_COLUMNS, err);
}

static const char *text_of(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    return text ? text : "";
}

int contents_exclusions(const struct contents *contents, struct okno_buf *csv, struct okno_err *err)
{
    int rc = okno_buf_add_text(csv, "entry,survey,stratum,class,reason,reviewer,watched\n", err);
    for (size_t at = 0; rc == 0 && at < contents->frame.len; at++) {
        const struct frame_row *row = &contents->frame.items[at];
        if (row->ruling != RULING_INVALID)
            continue;
        const json_t *why = json_object_get(contents->stands, row->survey);
        const char *const fields[] = {text_of(why, "entry"),  row->survey,
                                      row->stratum,           row->class_name,
                                      text_of(why, "reason"), text_of(why, "reviewer"),
                                      text_of(why, "watched")};
        rc = add_row(csv, fields, OKNO_COUNT(fields), err);
    }
    return rc;
}

/* ---- keys and guide ---- */

int contents_pem(const struct okno_note_key *key, struct okno_buf *to, struct okno_err *err)
{
    /* SubjectPublicKeyInfo of Ed25519: RFC 8410 */
    uint8_t der[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    char text[80];
    memcpy(der + 12, key->public_key, 32);
    (void)sodium_bin2base64(text, sizeof(text), der, sizeof(der), sodium_base64_VARIANT_ORIGINAL);
    return okno_buf_printf(to, err, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n",
                           text);
}

int contents_tool_key(const struct okno_note_key *key, enum okno_signature_kind kind,
                      struct okno_buf *to, struct okno_err *err)
{
    struct okno_signature_key own = okno_signature_log_key(key, kind);
    return okno_signature_key_write(&own, "okno", OKNO_SIGNATURE_BUNDLE, to, err);
}

const char *contents_guide(size_t *ret_len)
{
    const struct okno_ui_file *file = okno_conf_file("/conf/VERIFY.txt");
    *ret_len = file ? file->len : 0;
    return file ? (const char *)file->data : "";
}
