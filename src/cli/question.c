#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/mem.h"
#include "okno/prompt.h"
#include "okno/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct choice {
    const char *question, *point, *file;
    double seconds;
    bool none;
};

static int read_file(const char *path, struct okno_buf *to, struct okno_err *err)
{
    char piece[65536];
    size_t got;
    okno_autofclose FILE *file = fopen(path, "rbe");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    int rc = 0;
    while (rc == 0 && (got = fread(piece, 1, sizeof(piece), file)) > 0)
        rc = okno_buf_add(to, piece, got, err);
    if (rc == 0 && ferror(file))
        rc = okno_fail_errno(err, errno, "cannot read %s", path);
    if (rc < 0)
        okno_err_context(err, "%s", path);
    return rc;
}

static int set_prompt(struct cli *cli, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF content = OKNO_BUF_INIT(OKNO_PROMPT_BYTES_MAX + 65536);
    char author[200];
    int64_t points = 0;
    if (!choice->question || (choice->file == NULL) != choice->none)
        return okno_fail(err, OKNO_USAGE,
                         "write `okno question prompt --question ID FILE` or "
                         "`okno question prompt --question ID --none`");
    cli_author(author, sizeof(author));
    int rc = choice->none ? 0 : read_file(choice->file, &content, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    const struct okno_prompt_change change = {
        .question = choice->question,
        .point = choice->point,
        .bytes = choice->none ? NULL : okno_buf_text(&content),
        .len = content.len,
        .duration_us = (int64_t)(choice->seconds * OKNO_SECOND_US),
        .author = author,
    };
    if (rc == 0)
        rc = okno_prompt_set(db, &change, okno_time_now(), &points, err);
    if (rc == 0)
        printf("question %s has %s prompt at %lld points from now on\n", choice->question,
               choice->none ? "no" : "this", (long long)points);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct choice choice = {0};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--question", .text = &choice.question},
                         {.name = "--point", .text = &choice.point},
                         {.name = "--seconds", .real = &choice.seconds},
                         {.name = "--none", .flag = &choice.none});
    if (rc < 0)
        return rc;
    if (rest < 1 || rest > 2 || strcmp(argv[1], "prompt") != 0 || choice.seconds < 0 ||
        choice.seconds > 3600)
        return okno_fail(err, OKNO_USAGE, "write `okno question prompt --question ID FILE`");
    choice.file = rest == 2 ? argv[2] : NULL;
    return set_prompt(cli, &choice, err);
}

const struct cli_command cli_question = {
    .name = "question",
    .summary = "what a panel plays when the seller presses",
    .help =
        "usage: okno question prompt --question ID [--point ID] [--seconds N] FILE\n"
        "       okno question prompt --question ID [--point ID] --none\n"
        "\n"
        "From now on, panels play FILE when the seller presses: a sound (WAV, MP3, Ogg, M4A) or a\n"
        "film (MP4, WebM) of up to 4 MiB and 60 seconds. It begins a new version of the question,\n"
        "wherever it is asked now, whose window is longer by the prompt: nobody has less time to\n"
        "answer. --seconds says how long it plays; WAV files tell it themselves. Questions\n"
        "themselves come by `okno import questions`; a version imported later has no prompt.\n"
        "\n"
        "example: okno question prompt --question Q1 --seconds 4 ask.mp3\n",
    .run = run,
};
