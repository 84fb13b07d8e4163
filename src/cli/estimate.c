/* okno estimate: the estimator on a table of cells, without a database. */
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/estimate.h"
#include "okno/json.h"
#include "okno/record.h"
#include "okno/vec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

OKNO_VEC(cell_vec, struct okno_cell);

enum column {
    STRATUM,
    CLASS,
    FRAME,
    VALID,
    INVALID,
    UNDETERMINABLE,
    FORCE_MAJEURE,
    YES,
    UNSURE,
    NO,
    SILENT,
    COLUMNS
};

static const struct okno_record_column columns[COLUMNS] = {
    [STRATUM] = {.name = "stratum"},
    [CLASS] = {.name = "class", .required = true},
    [FRAME] = {.name = "frame", .required = true},
    [VALID] = {.name = "valid", .required = true},
    [INVALID] = {.name = "invalid", .required = true},
    [UNDETERMINABLE] = {.name = "undeterminable"},
    [FORCE_MAJEURE] = {.name = "force_majeure"},
    [YES] = {.name = "yes"},
    [UNSURE] = {.name = "unsure"},
    [NO] = {.name = "no"},
    [SILENT] = {.name = "silent"},
};

struct request {
    const char *path;
    double k, level;
    int64_t looks;
    bool silent_known, fm_apart;
};

/* ---- reading ---- */

static int read_count(const struct okno_record *record, enum column column, int64_t *ret_count,
                      struct okno_err *err)
{
    const char *text = record->values[column];
    char *end = NULL;
    *ret_count = 0;
    if (!text || !*text)
        return 0;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || text[0] < '0' || text[0] > '9' || value > OKNO_CELL_FRAME_MAX)
        return okno_fail_field(err, OKNO_INVALID, columns[column].name,
                               "%s `%.40s`: a whole number from 0 to %lld is needed",
                               columns[column].name, text, (long long)OKNO_CELL_FRAME_MAX);
    *ret_count = value;
    return 0;
}

static int read_flag(const char *text, bool *ret_flag, struct okno_err *err)
{
    *ret_flag = text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
    if (*ret_flag || !text || !*text || strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "force_majeure",
                           "force_majeure `%.40s`: 1, true, 0 or false are allowed", text);
}

static int read_truth(const struct okno_record *record, struct okno_cell *cell,
                      struct okno_err *err)
{
    static const enum column of_class[OKNO_CLASSES] = {YES, UNSURE, NO, SILENT};
    int64_t valid = 0;
    int rc = read_count(record, VALID, &valid, err);
    for (int t = 0; rc == 0 && t < OKNO_CLASSES; t++)
        rc = read_count(record, of_class[t], &cell->truth[t], err);
    if (rc == 0)
        rc = read_count(record, INVALID, &cell->truth[OKNO_NONE], err);
    cell->truth[cell->class] += valid;
    return rc;
}

static int read_cell(const struct okno_record *record, struct okno_cell *cell, struct okno_err *err)
{
    const char *stratum = record->values[STRATUM] ? record->values[STRATUM] : "";
    const char *class = record->values[CLASS] ? record->values[CLASS] : "";
    int found = okno_class_find(class);
    if (strlen(stratum) >= sizeof(cell->stratum))
        return okno_fail_field(err, OKNO_INVALID, "stratum", "stratum: at most %zu bytes",
                               sizeof(cell->stratum) - 1);
    if (found < 0 || found >= OKNO_CLASSES)
        return okno_fail_field(err, OKNO_INVALID, "class",
                               "class `%.40s`: yes, unsure, no, silent are allowed", class);
    *cell = (struct okno_cell){.class = (enum okno_class)found};
    (void)snprintf(cell->stratum, sizeof(cell->stratum), "%s", stratum);
    int rc = read_count(record, FRAME, &cell->frame, err);
    if (rc == 0)
        rc = read_count(record, UNDETERMINABLE, &cell->undeterminable, err);
    if (rc == 0)
        rc = read_flag(record->values[FORCE_MAJEURE], &cell->force_majeure, err);
    return rc < 0 ? rc : read_truth(record, cell, err);
}

/* A wrong row spoils every figure: the first one ends the command. */
static int read_cells(const char *path, struct cell_vec *cells, struct okno_err *err)
{
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    struct okno_record record;
    int rc = okno_record_open(path, columns, COLUMNS, &reader, err);
    while (rc == 0 && (rc = okno_record_next(reader, &record, err)) == 1) {
        struct okno_cell cell;
        if (record.err.code)
            rc = okno_fail(err, record.err.code, "%s", record.err.text);
        else
            rc = read_cell(&record, &cell, err);
        if (rc < 0) {
            okno_err_context(err, "%s:%lld", path, (long long)record.line);
            return rc;
        }
        if (cells->len == OKNO_CELLS_MAX)
            return okno_fail(err, OKNO_TOO_LARGE, "%s: more than %d cells", path, OKNO_CELLS_MAX);
        if (cell_vec_push(cells, cell) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells of %s", path);
    }
    return rc;
}

/* ---- figures ---- */

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(round(value * 1e9) / 1e9 + 0.0);
}

/* Cells that were merged, as lists of {stratum, class}. */
static json_t *merged_json(const struct cell_vec *cells, const size_t *pools)
{
    okno_autojson json_t *lists = json_array();
    json_t *merged = json_array();
    for (size_t i = 0; i < cells->len; i++)
        (void)json_array_append_new(lists, json_array());
    for (size_t i = 0; i < cells->len; i++)
        if (pools[i] != SIZE_MAX)
            (void)json_array_append_new(json_array_get(lists, pools[i]),
                                        json_pack("{s:s, s:s}", "stratum", cells->items[i].stratum,
                                                  "class", okno_class_name(cells->items[i].class)));
    for (size_t i = 0; i < cells->len; i++)
        if (json_array_size(json_array_get(lists, i)) > 1)
            (void)json_array_append(merged, json_array_get(lists, i));
    return merged;
}

static json_t *figure_json(const struct okno_estimate *figure, const double band[2], json_t *merged)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?}",
                     "value", number(figure->value), "low", number(figure->low), "high",
                     number(figure->high), "se", number(figure->se), "level", number(figure->level),
                     "band", number(band[0]), number(band[1]), "numerator",
                     number(figure->numerator), "denominator", number(figure->denominator),
                     "all_valid", number(figure->all_valid), "all_invalid",
                     number(figure->all_invalid), "worst",
                     json_pack("[o, o]", number(figure->worst_low), number(figure->worst_high)),
                     "without_silent", number(figure->without_silent), "merged", merged,
                     "null_reason", figure->null_reason);
}

static int add_figure(const struct request *request, const struct cell_vec *cells, const char *name,
                      struct okno_ratio (*ratio)(double k), json_t *result, struct okno_err *err)
{
    okno_autofree size_t *pools = calloc(cells->len + 1, sizeof(*pools));
    struct okno_estimate figure;
    struct okno_estimate end;
    double band[2] = {0};
    if (!pools)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu cells", cells->len);
    struct okno_estimate_request asked = {.cells = cells->items,
                                          .count = cells->len,
                                          .silent_known = request->silent_known,
                                          .fm_apart = request->fm_apart,
                                          .level = request->level,
                                          .looks = (int)request->looks};
    int rc = 0;
    for (int k = 0; rc == 0 && k < 2; k++) {
        asked.ratio = ratio(k);
        rc = okno_estimate(&asked, NULL, &end, err);
        band[k] = end.value;
    }
    asked.ratio = ratio(request->k);
    if (rc == 0)
        rc = okno_estimate(&asked, pools, &figure, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(result, name, figure_json(&figure, band, merged_json(cells, pools))) <
        0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the result");
    return 0;
}

/* The share of invalid ones among all cells but force majeure kept apart. */
static int add_invalid(const struct request *request, const struct cell_vec *cells, json_t *result,
                       struct okno_err *err)
{
    int64_t frame = 0;
    int64_t looked = 0;
    int64_t invalid = 0;
    for (size_t i = 0; i < cells->len; i++) {
        const struct okno_cell *cell = &cells->items[i];
        if ((request->fm_apart && cell->force_majeure) ||
            (request->silent_known && cell->class == OKNO_SILENT))
            continue;
        frame += cell->frame;
        invalid += cell->truth[OKNO_NONE];
        for (int t = 0; t < OKNO_TRUTHS; t++)
            looked += cell->truth[t];
    }
    struct okno_share share;
    if (looked == 0 || frame > OKNO_CELL_FRAME_MAX)
        return json_object_set_new(result, "invalid_share", json_null());
    int rc = okno_share_estimate(invalid, looked, frame,
                                 1 - (1 - request->level) / (double)request->looks, &share, err);
    if (rc < 0)
        return rc;
    return json_object_set_new(result, "invalid_share",
                               json_pack("{s:o, s:o, s:o, s:I, s:I, s:I}", "value",
                                         number(share.value), "low", number(share.low), "high",
                                         number(share.high), "at_least", (json_int_t)share.at_least,
                                         "at_most", (json_int_t)share.at_most, "frame",
                                         (json_int_t)frame));
}

/* ---- output ---- */

static void print_figure(const json_t *result, const char *name)
{
    const json_t *figure = json_object_get(result, name);
    const char *reason = json_string_value(json_object_get(figure, "null_reason"));
    if (reason) {
        printf("%-14s %s\n", name, reason);
        return;
    }
    printf("%-14s %.9f  [%.9f, %.9f]  SE %.9f  k=0..1: %.9f..%.9f\n", name,
           json_number_value(json_object_get(figure, "value")),
           json_number_value(json_object_get(figure, "low")),
           json_number_value(json_object_get(figure, "high")),
           json_number_value(json_object_get(figure, "se")),
           json_number_value(json_array_get(json_object_get(figure, "band"), 0)),
           json_number_value(json_array_get(json_object_get(figure, "band"), 1)));
    printf("%-14s worst cases of undeterminable ones: %.9f..%.9f; merged groups of cells: %zu\n",
           "", json_number_value(json_array_get(json_object_get(figure, "worst"), 0)),
           json_number_value(json_array_get(json_object_get(figure, "worst"), 1)),
           json_array_size(json_object_get(figure, "merged")));
}

static void print_human(const json_t *result)
{
    const json_t *share = json_object_get(result, "invalid_share");
    print_figure(result, "ink");
    print_figure(result, "iel");
    if (json_is_object(share))
        printf("%-14s %.9f  [%.9f, %.9f]  exactly %lld to %lld of %lld\n", "invalid",
               json_number_value(json_object_get(share, "value")),
               json_number_value(json_object_get(share, "low")),
               json_number_value(json_object_get(share, "high")),
               (long long)json_integer_value(json_object_get(share, "at_least")),
               (long long)json_integer_value(json_object_get(share, "at_most")),
               (long long)json_integer_value(json_object_get(share, "frame")));
}

static int estimate(const struct request *request, bool as_json, struct okno_err *err)
{
    OKNO_AUTO_VEC(cell_vec) cells = {0};
    okno_autojson json_t *result =
        json_pack("{s:o, s:o}", "k", number(request->k), "level", number(request->level));
    int rc = read_cells(request->path, &cells, err);
    if (rc == 0)
        rc = add_figure(request, &cells, "ink", okno_ratio_ink, result, err);
    if (rc == 0)
        rc = add_figure(request, &cells, "iel", okno_ratio_iel, result, err);
    if (rc == 0)
        rc = add_invalid(request, &cells, result, err);
    if (rc < 0)
        return rc;
    if (as_json)
        return okno_json_print(result, stdout, err);
    print_human(result);
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct request request = {.k = cli->conf->kpi.silent_weight, .level = 0.95, .looks = 1};
    const char *silent = "sampled";
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--k", .real = &request.k},
        {.name = "--level", .real = &request.level}, {.name = "--looks", .integer = &request.looks},
        {.name = "--silent", .text = &silent}, {.name = "--fm-apart", .flag = &request.fm_apart},
        {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say one FILE with a table of cells, or -");
    if (rc == 0 && !(request.k >= 0 && request.k <= 1))
        rc = okno_fail(err, OKNO_USAGE, "--k %g: 0 to 1 is allowed", request.k);
    if (rc == 0 && (request.looks < 1 || request.looks > 1000))
        rc = okno_fail(err, OKNO_USAGE, "--looks %lld: 1 to 1000 is allowed",
                       (long long)request.looks);
    request.silent_known = strcmp(silent, "known") == 0;
    if (rc == 0 && !request.silent_known && strcmp(silent, "sampled") != 0)
        rc = okno_fail(err, OKNO_USAGE, "--silent takes sampled or known, not \"%.40s\"", silent);
    request.path = argv[1];
    return rc < 0 ? rc : estimate(&request, cli->json, err);
}

const struct cli_command cli_estimate = {
    .name = "estimate",
    .summary = "figures for a whole frame from a table of reviewed cells",
    .help =
        "usage: okno estimate [--k K] [--level L] [--looks M] [--silent sampled|known]\n"
        "                     [--fm-apart] [--json] FILE\n"
        "\n"
        "Estimates dissatisfaction (ink) and loyalty (iel) of all surveys from a random sample\n"
        "of them that experts reviewed, with an interval, and the share of invalid ones. FILE\n"
        "(- for standard input) is CSV with a header row or JSON Lines. Needs no database.\n"
        "A row is a cell: the surveys of one stratum that gave one answer.\n"
        "\n"
        "  class           yes, unsure, no or silent: the answer as recorded\n"
        "  frame           how many such surveys there are\n"
        "  valid, invalid  how many of the reviewed were found genuine, and not\n"
        "  stratum         (optional) e.g. the point\n"
        "  undeterminable  (optional) reviewed without a result\n"
        "  force_majeure   (optional) 1: under force majeure, a cell apart\n"
        "  yes, unsure, no, silent  (optional) reviewed and found to be really that\n"
        "\n"
        "  --k K           weight of a silent survey, 0..1 (default: kpi.silent_weight)\n"
        "  --level L       level of the intervals (default: 0.95)\n"
        "  --looks M       intervals meant to be looked at; each gets wider (default: 1)\n"
        "  --silent known  silent surveys are all genuine and were not sampled\n"
        "  --fm-apart      force majeure is left out: there `valid` means it was false\n"
        "\n"
        "Cells with fewer than two results share theirs with neighbours; `merged` names them.\n"
        "\n"
        "example:\n"
        "  printf 'class,frame,valid,invalid\\nyes,800,77,3\\nunsure,100,9,1\\nno,300,26,4\\n"
        "silent,1800,0,0\\n' |\n"
        "      okno estimate --k 0.3 --silent known -\n",
    .run = run,
};
