#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/buf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "okno/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 512 * 1024 * 1024 };

struct options {
    const char *seed;
    const char *skip_path; /* NULL: nothing is skipped */
    const char *path;      /* "-": standard input */
    int64_t size;          /* -1: not given */
    bool with_replacement;
    bool json;
};

OKNO_VEC(text_vec, const char *);

/* Lines of one file, pointing into its bytes. */
struct lines {
    struct okno_buf bytes;
    struct text_vec items;
};

static void lines_free(struct lines *lines)
{
    okno_buf_free(&lines->bytes);
    text_vec_free(&lines->items);
}

#define AUTO_LINES __attribute__((cleanup(lines_free))) struct lines

static int read_stream(FILE *file, const char *path, struct okno_buf *bytes, struct okno_err *err)
{
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        int rc = okno_buf_add(bytes, chunk, got, err);
        if (rc < 0)
            return rc;
    }
    return ferror(file) ? okno_fail_errno(err, errno, "cannot read %s", path) : 0;
}

static int read_bytes(const char *path, struct okno_buf *bytes, struct okno_err *err)
{
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, "standard input", bytes, err);
    okno_autofclose FILE *file = fopen(path, "rbe");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    return read_stream(file, path, bytes, err);
}

/* What the draw itself cannot see in a text, or would name without the line. */
static int check_line(const char *line, size_t len, const char *path, size_t number,
                      struct okno_err *err)
{
    const char *wrong = NULL;
    if (memchr(line, '\0', len))
        wrong = "holds a NUL byte";
    else if (memchr(line, '\r', len))
        wrong = "holds a CR: write the file with LF line ends";
    else if (number == 1 && len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
        wrong = "starts with a byte order mark: it would become a part of the first id";
    else if (len == 0)
        wrong = "is empty: one id a line";
    else if (len > OKNO_SAMPLER_ID_BYTES)
        wrong = "is longer than the 1024 bytes an id may have";
    else if (!okno_text_is_utf8(line, len))
        wrong = "is not UTF-8";
    return wrong ? okno_fail(err, OKNO_INVALID, "%s:%zu: the line %s", path, number, wrong) : 0;
}

static int split(struct lines *lines, const char *path, struct okno_err *err)
{
    char *at = lines->bytes.data;
    char *end = at ? at + lines->bytes.len : at;
    while (at < end) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end; /* the last line may lack its end; the buffer ends in a NUL */
        int rc = check_line(at, (size_t)(stop - at), path, lines->items.len + 1, err);
        if (rc < 0)
            return rc;
        *stop = '\0';
        if (text_vec_push(&lines->items, at) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the lines of %s", path);
        at = stop + 1;
    }
    return 0;
}

static int read_lines(const char *path, struct lines *lines, struct okno_err *err)
{
    lines->bytes.max = INPUT_BYTES_MAX;
    int rc = read_bytes(path, &lines->bytes, err);
    return rc < 0 ? rc : split(lines, strcmp(path, "-") == 0 ? "standard input" : path, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Mark the ids that the skip file names; says how many of its lines are not in the list. */
static int mark_skipped(const char *path, const struct lines *ids, bool **ret_skip,
                        struct okno_err *err)
{
    AUTO_LINES skipped = {0};
    int rc = read_lines(path, &skipped, err);
    if (rc < 0)
        return rc;
    okno_autofree bool *skip = calloc(ids->items.len + 1, sizeof(*skip));
    if (!skip)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu ids", ids->items.len);
    if (skipped.items.len)
        qsort(skipped.items.items, skipped.items.len, sizeof(char *), by_text);
    size_t found = 0;
    for (size_t i = 0; skipped.items.len && i < ids->items.len; i++) {
        skip[i] = bsearch(&ids->items.items[i], skipped.items.items, skipped.items.len,
                          sizeof(char *), by_text) != NULL;
        found += skip[i];
    }
    if (found < skipped.items.len)
        (void)fprintf(stderr, "okno sample: %zu of the %zu lines of %s name no id of the list\n",
                      skipped.items.len - found, skipped.items.len, path);
    *ret_skip = okno_mem_take(&skip);
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

static int print_draws(const struct options *options, const struct lines *ids,
                       const struct okno_draw_vec *draws, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < draws->len; i++) {
        const struct okno_draw *draw = &draws->items[i];
        const char *id = ids->items.items[draw->index];
        if (options->json)
            rc = print_json(draw, id, err);
        else
            printf("%zu\t%s\t%s\n", draw->rank, id, draw->ticket);
    }
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        rc = okno_fail_errno(err, errno, "cannot write the draw");
    return rc;
}

static int draw(const struct options *options, struct okno_err *err)
{
    AUTO_LINES ids = {0};
    OKNO_AUTO_DRAWS draws = {0};
    okno_autofree bool *skip = NULL;
    int rc = read_lines(options->path, &ids, err);
    if (rc == 0 && options->skip_path)
        rc = mark_skipped(options->skip_path, &ids, &skip, err);
    if (rc < 0)
        return rc;
    const struct okno_draw_request request = {.seed = options->seed,
                                              .ids = ids.items.items,
                                              .count = ids.items.len,
                                              .skip = skip,
                                              .size = (size_t)options->size,
                                              .with_replacement = options->with_replacement};
    rc = okno_sampler_draw(&request, &draws, err);
    return rc < 0 ? rc : print_draws(options, &ids, &draws, err);
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
