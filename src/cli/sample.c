#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "id_lines.h"
#include "options.h"

#include "okno/json.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/shortlist.h"
#include "okno/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *seed;
    const char *skip_path; /* NULL: nothing is skipped */
    const char *path;      /* "-": standard input */
    int64_t size;          /* -1: not given */
    bool with_replacement;
    bool json;
};

OKNO_VEC(text_vec, char *);

/* The lines of the skip file, sorted. */
static void texts_free(struct text_vec *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        free(texts->items[i]);
    text_vec_free(texts);
}

#define AUTO_TEXTS __attribute__((cleanup(texts_free))) struct text_vec

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_skipped(const char *path, struct text_vec *texts, struct okno_err *err)
{
    AUTO_ID_LINES lines = {.fd = -1};
    const char *id;
    int rc = id_lines_open(path, &lines, err);
    while (rc == 0 && (rc = id_lines_next(&lines, &id, err)) == 1) {
        char *copy = strdup(id);
        if (texts->len == OKNO_SAMPLER_IDS_MAX || !copy || text_vec_push(texts, copy) < 0) {
            free(copy);
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for line %zu of %s", lines.number,
                             path);
        }
        rc = 0;
    }
    if (texts->len)
        qsort(texts->items, texts->len, sizeof(char *), by_text);
    return rc;
}

static bool is_skipped(const struct text_vec *skipped, const char *id)
{
    return skipped->len && bsearch(&id, skipped->items, skipped->len, sizeof(char *), by_text);
}

/* The line that was read last may have been there before: look at all before it. */
static int check_twice(const struct options *options, const struct id_lines *lines, const char *id,
                       struct okno_err *err)
{
    struct id_lines again = {.fd = lines->fd, .name = options->path};
    off_t here = lseek(lines->fd, 0, SEEK_CUR);
    const char *other;
    int rc = id_lines_rewind(&again, err);
    while (rc == 0 && again.number + 1 < lines->number &&
           (rc = id_lines_next(&again, &other, err)) == 1)
        rc = strcmp(other, id)
                 ? 0
                 : okno_fail(err, OKNO_INVALID, "id `%.200s` stands twice: entries %zu and %zu", id,
                             again.number, lines->number);
    if (rc == 0 && lseek(lines->fd, here, SEEK_SET) < 0)
        rc = okno_fail_errno(err, errno, "cannot read %s", lines->name);
    return rc;
}

/* Read the list, keeping what `size` draws after the skipped ones can take. */
static int shorten(const struct options *options, struct id_lines *lines, struct text_vec *skipped,
                   struct okno_shortlist **ret_list, struct okno_err *err)
{
    OKNO_AUTO(okno_shortlist) *list = NULL;
    size_t count = 0;
    size_t found = 0;
    const char *id;
    int rc = id_lines_count(lines, &count, err);
    if (rc == 0)
        rc = okno_shortlist_new(options->seed, (size_t)options->size + skipped->len, count, &list,
                                err);
    while (rc == 0 && (rc = id_lines_next(lines, &id, err)) == 1) {
        found += is_skipped(skipped, id);
        rc = okno_shortlist_add(list, id, err);
        if (rc == 1)
            rc = check_twice(options, lines, id, err);
    }
    if (rc < 0)
        return rc;
    if (found < skipped->len)
        (void)fprintf(stderr, "okno sample: %zu of the %zu lines of %s %s no id of the list\n",
                      skipped->len - found, skipped->len, options->skip_path,
                      okno_text_form((long long)(skipped->len - found), "names", "name"));
    *ret_list = okno_mem_take(&list);
    return 0;
}

static int print_json(const struct okno_draw *draw, const char *id, struct okno_err *err)
{
    okno_autojson json_t *row =
        json_pack("{sIsssssI}", "rank", (json_int_t)draw->rank, "id", id, "ticket", draw->ticket,
                  "generation", (json_int_t)draw->generation);
    if (!row)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a line of output");
    return okno_json_print(row, stdout, err);
}

static int print_draws(const struct options *options, const char *const *ids,
                       const struct okno_draw_vec *draws, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < draws->len; i++) {
        const struct okno_draw *draw = &draws->items[i];
        if (options->json)
            rc = print_json(draw, ids[draw->index], err);
        else
            printf("%zu\t%s\t%s\n", draw->rank, ids[draw->index], draw->ticket);
    }
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        rc = okno_fail_errno(err, errno, "cannot write the draw");
    return rc;
}

static int draw_from(const struct options *options, const struct okno_shortlist *list,
                     const struct text_vec *skipped, struct okno_err *err)
{
    OKNO_AUTO_DRAWS draws = {0};
    size_t count = 0;
    const char *const *ids = okno_shortlist_ids(list, &count);
    okno_autofree bool *skip = calloc(count + 1, sizeof(*skip));
    if (!skip)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu ids", count);
    for (size_t i = 0; i < count; i++)
        skip[i] = is_skipped(skipped, ids[i]);
    const struct okno_draw_request request = {.seed = options->seed,
                                              .ids = ids,
                                              .count = count,
                                              .skip = options->skip_path ? skip : NULL,
                                              .size = (size_t)options->size,
                                              .with_replacement = options->with_replacement};
    int rc = okno_sampler_draw(&request, &draws, err);
    return rc < 0 ? rc : print_draws(options, ids, &draws, err);
}

static int draw(const struct options *options, struct okno_err *err)
{
    AUTO_ID_LINES lines = {.fd = -1};
    AUTO_TEXTS skipped = {0};
    OKNO_AUTO(okno_shortlist) *list = NULL;
    int rc = options->skip_path ? read_skipped(options->skip_path, &skipped, err) : 0;
    if (rc == 0)
        rc = id_lines_open(options->path, &lines, err);
    if (rc == 0)
        rc = shorten(options, &lines, &skipped, &list, err);
    return rc < 0 ? rc : draw_from(options, list, &skipped, err);
}

static int check_options(const struct options *options, int rest, struct okno_err *err)
{
    if (!options->seed || !options->seed[0])
        return okno_fail_field(err, OKNO_USAGE, "seed", "--seed S is needed, and not empty");
    if (options->size < 0 || options->size > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail_field(err, OKNO_USAGE, "size",
                               "--size N is needed: how many to draw, 0 to %d",
                               OKNO_SAMPLER_DRAW_MAX);
    if (options->with_replacement && options->skip_path)
        return okno_fail(err, OKNO_USAGE,
                         "--skip goes with drawing without replacement: drop one of the two");
    if (options->skip_path && strcmp(options->skip_path, "-") == 0 &&
        strcmp(options->path, "-") == 0)
        return okno_fail(err, OKNO_USAGE, "standard input cannot be both list and skip file");
    if (rest > 1)
        return okno_fail(err, OKNO_USAGE, "one FILE of ids is read, %d are given", rest);
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct options options = {.path = "-", .size = -1};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--seed", .text = &options.seed},
                         {.name = "--size", .integer = &options.size},
                         {.name = "--with-replacement", .flag = &options.with_replacement},
                         {.name = "--skip", .text = &options.skip_path},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        options.path = argv[1];
    options.json = cli->json;
    if (rc == 0)
        rc = check_options(&options, rest, err);
    return rc < 0 ? rc : draw(&options, err);
}

const struct cli_command cli_sample = {
    .name = "sample",
    .summary = "draw a random sample that everyone can repeat",
    .help =
        "usage: okno sample --seed S --size N [--with-replacement] [--skip FILE] [--json] [FILE]\n"
        "\n"
        "Draws N ids from FILE (or standard input), one id a line, in the order that the seed\n"
        "gives them: the published consistent sampler with SHA-256. The same seed and ids give\n"
        "the same draw, whatever the order of the lines. Needs no database.\n"
        "\n"
        "  --seed S            the seed, taken byte for byte\n"
        "  --size N            how many to draw\n"
        "  --with-replacement  an id may be drawn again\n"
        "  --skip FILE         ids drawn before, one a line; the draw goes on after them\n"
        "  --json              JSON Lines: rank, id, ticket, generation\n"
        "\n"
        "Prints rank, id and ticket, separated by tabs. The rank is the id's place in the whole\n"
        "order, skipped ids counted too. To draw a stratum, pass only its ids.\n"
        "\n"
        "example:\n"
        "  seq -f 'S%03g' 1 100 | okno sample --seed 20-dice-18364520937745610298 --size 5\n",
    .run = run,
};
