#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/file.h"
#include "okno/media.h"
#include "okno/mem.h"
#include "okno/prompt.h"
#include "okno/text.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *question, *point, *file;
    double seconds;
    bool none;
};

static int read_kept(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                     struct okno_err *err)
{
    const struct okno_buf *content = ctx;
    (void)err;
    size_t left = offset >= 0 && (size_t)offset < content->len ? content->len - (size_t)offset : 0;
    *ret_got = len < left ? len : left;
    memcpy(into, content->data + (left ? offset : 0), *ret_got);
    return 0;
}

/* Read by the sandboxed child: the file comes from anywhere. What is none of the formats is left to
 * okno_prompt_set to refuse. */
static int find_length(const struct okno_buf *content, int64_t *ret_us, struct okno_err *err)
{
    static const struct {
        const char *type, *format;
    } formats[] = {{"audio/wav", "wav"}, {"audio/mpeg", "mp3"}, {"audio/ogg", "ogg"},
                   {"audio/mp4", "mov"}, {"video/mp4", "mov"},  {"video/webm", "matroska"}};
    const char *type = okno_prompt_type(content->data, content->len);
    struct okno_source source = {
        .size = (int64_t)content->len, .ctx = (void *)content, .read_at = read_kept};
    for (size_t i = 0; type && i < OKNO_COUNT(formats); i++)
        if (strcmp(type, formats[i].type) == 0)
            return okno_media_length(&source, formats[i].format, ret_us, err);
    return 0;
}

static int set_prompt(struct cli *cli, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF content = OKNO_BUF_INIT(OKNO_PROMPT_BYTES_MAX + 65536);
    char author[200];
    int64_t points = 0;
    int64_t length_us = 0;
    if (!choice->question || (choice->file == NULL) != choice->none)
        return okno_fail(err, OKNO_USAGE,
                         "write `okno question prompt --question ID FILE` or "
                         "`okno question prompt --question ID --none`");
    cli_author(author, sizeof(author));
    int rc = choice->none ? 0 : okno_file_read(choice->file, &content, err);
    if (rc == 0 && !choice->none && content.len <= OKNO_PROMPT_BYTES_MAX)
        rc = find_length(&content, &length_us, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    const struct okno_prompt_change change = {
        .question = choice->question,
        .point = choice->point,
        .bytes = choice->none ? NULL : okno_buf_text(&content),
        .len = content.len,
        .duration_us =
            choice->seconds > 0 ? (int64_t)(choice->seconds * OKNO_SECOND_US) : length_us,
        .author = author,
    };
    if (rc == 0)
        rc = okno_prompt_set(db, &change, okno_time_now(), &points, err);
    if (rc == 0)
        printf("question %s has %s prompt at %lld %s from now on\n", choice->question,
               choice->none ? "no" : "this", (long long)points,
               okno_text_form(points, "point", "points"));
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
        "answer. How long it plays is read from the file; --seconds says something else. "
        "Questions\n"
        "themselves come by `okno import questions`; a version imported later has no prompt.\n"
        "\n"
        "example: okno question prompt --question Q1 ask.mp3\n",
    .media = true,
    .run = run,
};
