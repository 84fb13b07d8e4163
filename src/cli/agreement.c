/* okno agreement: how far raters agree, without a database. */
#include "cli.h"
#include "options.h"

#include "okno/agreement.h"
#include "okno/json.h"
#include "okno/record.h"
#include "okno/text.h"
#include "okno/vec.h"

#include <math.h>
#include <string.h>

enum { ROWS_MAX = 2000000, NAME_MAX_BYTES = 200 };

OKNO_VEC(judgement_vec, struct okno_judgement);

enum column { ITEM, RATER, CATEGORY, COLUMNS };

static const struct okno_record_column columns[COLUMNS] = {
    [ITEM] = {.name = "item", .required = true},
    [RATER] = {.name = "rater", .required = true},
    [CATEGORY] = {.name = "category", .required = true}};

/* What the file says. Each table gives a name its number, in order of appearance. */
struct study {
    json_t *names[COLUMNS]; /* owned */
    json_t *seen;           /* "item, rater" -> line; owned */
    struct judgement_vec judgements;
};

static void study_free(struct study *study)
{
    for (int i = 0; i < COLUMNS; i++)
        json_decref(study->names[i]);
    json_decref(study->seen);
    judgement_vec_free(&study->judgements);
}

#define AUTO_STUDY __attribute__((cleanup(study_free))) struct study

static int take_name(struct study *study, enum column column, const char *name,
                     uint32_t *ret_number, struct okno_err *err)
{
    json_t *names = study->names[column];
    const char *called = columns[column].name;
    if (!name || !*name || strlen(name) > NAME_MAX_BYTES)
        return okno_fail_field(err, OKNO_INVALID, called, "%s: 1 to %d bytes are needed", called,
                               NAME_MAX_BYTES);
    json_t *number = json_object_get(names, name);
    size_t count = json_object_size(names);
    if (!number && column == CATEGORY && count == OKNO_AGREEMENT_CATEGORIES_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, called, "more than %d categories",
                               OKNO_AGREEMENT_CATEGORIES_MAX);
    *ret_number = number ? (uint32_t)json_integer_value(number) : (uint32_t)count;
    if (!number && json_object_set_new(names, name, json_integer((json_int_t)count)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the names of the file");
    return 0;
}

/* A rater may say the same of an item twice; two different answers are a mistake of the file. */
static int take_row(struct study *study, const struct okno_record *record, struct okno_err *err)
{
    struct okno_judgement row = {0};
    char key[32];
    int rc = take_name(study, ITEM, record->values[ITEM], &row.item, err);
    if (rc == 0)
        rc = take_name(study, RATER, record->values[RATER], &row.rater, err);
    if (rc == 0)
        rc = take_name(study, CATEGORY, record->values[CATEGORY], &row.category, err);
    if (rc < 0)
        return rc;
    (void)snprintf(key, sizeof(key), "%u %u", row.item, row.rater);
    json_t *before = json_object_get(study->seen, key);
    if (before && json_integer_value(before) == (json_int_t)row.category)
        return 0;
    if (before)
        return okno_fail(err, OKNO_INVALID,
                         "rater `%s` has put item `%s` into another category before",
                         record->values[RATER], record->values[ITEM]);
    if (study->judgements.len == ROWS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d rows", ROWS_MAX);
    if (json_object_set_new(study->seen, key, json_integer((json_int_t)row.category)) < 0 ||
        judgement_vec_push(&study->judgements, row) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the rows");
    return 0;
}

/* A wrong row spoils every figure: the first one ends the command. */
static int study_read(struct study *study, const char *path, struct okno_err *err)
{
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    struct okno_record record;
    int rc = okno_record_open(path, columns, COLUMNS, &reader, err);
    while (rc == 0 && (rc = okno_record_next(reader, &record, err)) == 1) {
        rc = record.err.code ? okno_fail(err, record.err.code, "%s", record.err.text)
                             : take_row(study, &record, err);
        if (rc < 0) {
            okno_err_context(err, "%s:%lld", path, (long long)record.line);
            return rc;
        }
    }
    return rc;
}

/* Names that are possible though nobody gave them: "valid,invalid,undeterminable". */
static int take_categories(struct study *study, const char *list, struct okno_err *err)
{
    uint32_t number;
    while (list && *list) {
        char name[NAME_MAX_BYTES + 2];
        size_t len = strcspn(list, ",");
        (void)snprintf(name, sizeof(name), "%.*s", len < sizeof(name) ? (int)len : 0, list);
        int rc = take_name(study, CATEGORY, name, &number, err);
        if (rc < 0)
            return rc;
        list += len + (list[len] == ',');
    }
    return 0;
}

/* ---- output ---- */

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(round(value * 1e9) / 1e9 + 0.0);
}

static json_t *figure_json(const struct okno_agreement_figure *figure)
{
    return json_pack("{s:o, s:o, s:s?}", "value", number(figure->value), "se", number(figure->se),
                     "null_reason", figure->null_reason);
}

static json_t *agreement_json(const struct okno_agreement *a, const char *positive)
{
    return json_pack("{s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "items",
                     (json_int_t)a->items, "single", (json_int_t)a->single, "raters",
                     (json_int_t)a->raters, "positive_category", positive, "percent",
                     figure_json(&a->percent), "ac1", figure_json(&a->ac1), "alpha",
                     figure_json(&a->alpha), "fleiss", figure_json(&a->fleiss), "kappa",
                     figure_json(&a->kappa), "positive", figure_json(&a->positive));
}

static void print_figure(const char *name, const struct okno_agreement_figure *figure)
{
    if (figure->null_reason)
        printf("%-22s %s\n", name, figure->null_reason);
    else if (isnan(figure->se))
        printf("%-22s %12.9f\n", name, figure->value);
    else
        printf("%-22s %12.9f  SE %.9f\n", name, figure->value, figure->se);
}

static void print_human(const struct okno_agreement *a, const char *positive)
{
    char name[64];
    printf("%lld %s judged by two or more of %lld raters, %lld by one\n", (long long)a->items,
           okno_text_form(a->items, "item", "items"), (long long)a->raters, (long long)a->single);
    (void)snprintf(name, sizeof(name), "agreement on %.40s", positive);
    print_figure("percent agreement", &a->percent);
    print_figure("Gwet AC1", &a->ac1);
    print_figure("Krippendorff alpha", &a->alpha);
    print_figure("Fleiss kappa", &a->fleiss);
    print_figure("Cohen kappa", &a->kappa);
    print_figure(name, &a->positive);
}

static int agreement(const char *path, const char *categories, const char *positive, bool as_json,
                     struct okno_err *err)
{
    AUTO_STUDY study = {.seen = json_object()};
    struct okno_agreement found;
    for (int i = 0; i < COLUMNS; i++)
        study.names[i] = json_object();
    int rc = take_categories(&study, categories, err);
    if (rc == 0)
        rc = study_read(&study, path, err);
    if (rc < 0)
        return rc;
    const json_t *asked = json_object_get(study.names[CATEGORY], positive);
    struct okno_agreement_input input = {.judgements = study.judgements.items,
                                         .count = study.judgements.len,
                                         .categories = json_object_size(study.names[CATEGORY]),
                                         .positive =
                                             asked ? (size_t)json_integer_value(asked) : SIZE_MAX};
    if (input.count == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "%s has no rows", path);
    rc = okno_agreement_measure(&input, &found, err);
    if (rc < 0)
        return rc;
    if (!as_json) {
        print_human(&found, positive);
        return 0;
    }
    okno_autojson json_t *result = agreement_json(&found, positive);
    return okno_json_print(result, stdout, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    const char *categories = NULL;
    const char *positive = "invalid";
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--categories", .text = &categories},
                         {.name = "--positive", .text = &positive},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say one FILE with item, rater and category, or -");
    return rc < 0 ? rc : agreement(argv[1], categories, positive, cli->json, err);
}

const struct cli_command cli_agreement = {
    .name = "agreement",
    .summary = "how far raters agree on the same items",
    .help =
        "usage: okno agreement [--categories A,B,...] [--positive CATEGORY] [--json] FILE\n"
        "\n"
        "Measures how far several raters agree. FILE (- for standard input) is CSV with a\n"
        "header row or JSON Lines: item, rater, category. Needs no database.\n"
        "\n"
        "  percent agreement   pairs of raters that agree, averaged over the items\n"
        "  Gwet AC1            beyond chance, steady when one category is rare; with SE\n"
        "  Krippendorff alpha  beyond chance, for any number of raters and gaps (nominal)\n"
        "  Fleiss kappa        the same with the raters' common shares as chance\n"
        "  Cohen kappa         for exactly two raters; with SE\n"
        "  agreement on C      of one category: 2a / (2a + b + c)\n"
        "\n"
        "Read them together: kappa falls near 0 when nearly everything is in one category,\n"
        "although the raters agree. What is not defined is null with a reason.\n"
        "\n"
        "  --categories A,B,...  categories that were possible, used or not (AC1 counts them)\n"
        "  --positive CATEGORY   the category looked at alone (default: invalid)\n"
        "\n"
        "example:\n"
        "  printf 'item,rater,category\\n1,eva,valid\\n1,ian,valid\\n2,eva,invalid\\n"
        "2,ian,valid\\n' |\n"
        "      okno agreement -\n",
    .run = run,
};
