#define _POSIX_C_SOURCE 200809L
#include "archive.h"
#include "cli.h"
#include "options.h"

#include "okno/archive.h"
#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/work.h"

#include <stdio.h>
#include <string.h>

struct choice {
    bool json;
    int64_t at_us; /* by the archive's clock; -1: now */
};

static int print_json(json_t *object, struct okno_err *err)
{
    okno_autojson json_t *owned = object;
    return owned ? okno_json_print(owned, stdout, err)
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory to print");
}

/* --- list */

/* Without the query: some recorders take their token there. */
static void shown_url(const char *url, char *ret_text, size_t size)
{
    size_t len = strcspn(url, "?");
    (void)snprintf(ret_text, size, "%.*s%s", (int)len, url, url[len] ? "?..." : "");
}

static int print_archive(const struct okno_archive_row *row, bool json, struct okno_err *err)
{
    char url[sizeof(row->url) + 4];
    shown_url(row->url, url, sizeof(url));
    if (!json) {
        cli_line("%-16s %-10s %s %s (%s)%s%s", row->archive, row->kind, url, row->files,
                 row->time_zone, row->options[0] ? " " : "", row->options);
        return 0;
    }
    return print_json(json_pack("{ss ss ss ss ss ss ss ss}", "archive", row->archive, "kind",
                                row->kind, "url", url, "files", row->files, "time_zone",
                                row->time_zone, "user", row->user, "secret", row->secret, "options",
                                row->options),
                      err);
}

static int list(struct okno_db *db, bool json, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_archive_row_vec) rows = {0};
    int rc = okno_registry_archives(db, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++)
        rc = print_archive(&rows.items[i], json, err);
    return rc;
}

/* --- test */

/* What the archive can do, as words. */
static void list_capabilities(struct okno_archive *archive, json_t *into)
{
    static const struct {
        unsigned flag;
        const char *word;
    } rows[] = {{OKNO_ARCHIVE_RANGES, "ranges"},
                {OKNO_ARCHIVE_REALTIME, "realtime"},
                {OKNO_ARCHIVE_WHOLE_FILES, "whole_files"},
                {OKNO_ARCHIVE_JOBS, "jobs"},
                {OKNO_ARCHIVE_LOCAL_TIME, "local_time"},
                {OKNO_ARCHIVE_FRAME_TIME, "frame_time"},
                {OKNO_ARCHIVE_CLOCK, "clock"},
                {OKNO_ARCHIVE_ROLLING, "rolling"}};
    struct okno_archive_caps caps;
    okno_archive_caps(archive, &caps);
    if (okno_archive_has_coverage(archive))
        json_array_append_new(into, json_string("coverage"));
    for (size_t i = 0; i < OKNO_COUNT(rows); i++)
        if (caps.flags & rows[i].flag)
            json_array_append_new(into, json_string(rows[i].word));
}

static int print_capabilities(struct okno_archive *archive, bool json, struct okno_err *err)
{
    struct okno_archive_caps caps;
    json_t *words = json_array();
    okno_archive_caps(archive, &caps);
    list_capabilities(archive, words);
    if (json)
        return print_json(json_pack("{so sI sI sI sI}", "capabilities", words, "max_window_ms",
                                    (json_int_t)(caps.max_window_us / OKNO_MS_US), "preroll_ms",
                                    (json_int_t)(caps.preroll_us / OKNO_MS_US), "settle_ms",
                                    (json_int_t)(caps.settle_us / OKNO_MS_US), "parallel",
                                    (json_int_t)caps.max_parallel),
                          err);
    printf("can:");
    for (size_t i = 0; i < json_array_size(words); i++)
        printf(" %s", json_string_value(json_array_get(words, i)));
    printf("\n");
    json_decref(words);
    return 0;
}

static int print_nothing(struct okno_archive *archive, const struct okno_camera *camera, bool json,
                         struct okno_err *err)
{
    char hint[OKNO_ARCHIVE_HINT];
    okno_archive_hint(archive, hint);
    if (json)
        return print_json(json_pack("{ss ss si sn sn sn so}", "camera", camera->camera, "channel",
                                    camera->channel, "pieces", 0, "from", "to", "last", "hint",
                                    okno_json_text(hint)),
                          err);
    cli_line("%s (channel %s): nothing recorded%s%s", camera->camera, camera->channel,
             hint[0] ? "; " : "", hint);
    return 0;
}

static int print_pieces(const struct okno_camera *camera, const struct okno_piece_vec *pieces,
                        bool json, struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    const struct okno_piece *last = &pieces->items[pieces->len - 1];
    if (json)
        return print_json(json_pack("{ss ss sI so so so}", "camera", camera->camera, "channel",
                                    camera->channel, "pieces", (json_int_t)pieces->len, "from",
                                    okno_json_time(pieces->items[0].from_us), "to",
                                    okno_json_time(last->to_us), "last",
                                    okno_json_text(last->name)),
                          err);
    printf("%s (channel %s): %zu %s from %s to %s, the last is %s\n", camera->camera,
           camera->channel, pieces->len, okno_text_form((long long)pieces->len, "piece", "pieces"),
           okno_time_format(pieces->items[0].from_us, from), okno_time_format(last->to_us, to),
           last->name);
    return 0;
}

/* One zone too far east, and everything is found where something else was recorded. */
static void warn_ahead(struct okno_archive *archive, const struct okno_camera *camera,
                       int64_t now_us)
{
    int64_t ahead_us = okno_archive_ahead(archive, camera->channel, now_us);
    if (ahead_us > 0)
        (void)fprintf(stderr,
                      "okno archive: camera %s, channel %s: its newest recording begins %lld min "
                      "from now: compare the archive's time_zone, %s, with what the recorder "
                      "writes, and the recorder's clock\n",
                      camera->camera, camera->channel,
                      (long long)(ahead_us / (60 * OKNO_SECOND_US)), camera->archive.time_zone);
}

static int test_camera(struct okno_db *db, struct okno_archive *archive,
                       const struct okno_conf *conf, const struct okno_camera *camera,
                       const struct choice *choice, size_t *ret_found, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int days = 0;
    int64_t offset_us = okno_archive_clock_offset(db, camera->archive.archive, camera->channel);
    int64_t at_us = choice->at_us < 0 ? okno_time_now() + offset_us : choice->at_us;
    const struct okno_budget budget = okno_conf_budget(conf, NULL);
    okno_archive_begin(archive, &budget);
    int rc = okno_archive_lately(archive, camera->channel, at_us, &days, &pieces, err);
    if (rc < 0)
        okno_err_context(err, "camera %s, channel %s", camera->camera, camera->channel);
    if (rc == 0)
        rc = pieces.len ? print_pieces(camera, &pieces, choice->json, err)
                        : print_nothing(archive, camera, choice->json, err);
    *ret_found += rc == 0 ? pieces.len : 0;
    if (rc == 0)
        warn_ahead(archive, camera, okno_time_now() + offset_us);
    return rc;
}

static int test(const struct cli *cli, struct okno_db *db, const char *id,
                const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_archive) *archive = NULL;
    OKNO_AUTO_VEC(okno_camera_vec) cameras = {0};
    size_t found = 0;
    size_t tested = 0;
    struct okno_archive_row row;
    int rc = okno_registry_archive(db, id, &row, err);
    if (rc == 0)
        rc = okno_archive_open_row(db, &row, cli->conf->fetch.deadline_s * OKNO_SECOND_US, NULL,
                                   &archive, err);
    if (rc == 0)
        rc = print_capabilities(archive, choice->json, err);
    if (rc == 0)
        rc = okno_registry_cameras(db, &cameras, err);
    for (size_t i = 0; rc == 0 && i < cameras.len; i++) {
        if (strcmp(cameras.items[i].archive.archive, id) != 0)
            continue;
        tested++;
        rc = test_camera(db, archive, cli->conf, &cameras.items[i], choice, &found, err);
    }
    if (rc == 0 && tested == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "no camera of archive %s is known: import cameras to see its recordings",
                         id);
    if (rc == 0 && found == 0)
        return okno_fail(err, OKNO_NO_COVERAGE,
                         "archive %s answers, but nothing is recorded in the last 31 days: check "
                         "the channels, the template of the files and the time zone",
                         id);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    if (argc > 1 && strcmp(argv[1], "commission") == 0)
        return archive_commission(cli, argc - 1, argv + 1, err);
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.at_us = -1};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &choice.json},
                         {.name = "--at", .time_us = &choice.at_us});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (rest == 1 && strcmp(argv[1], "list") == 0)
        return list(db, choice.json, err);
    if (rest == 1 && strcmp(argv[1], "status") == 0)
        return archive_status(cli, db, choice.json, err);
    if (rest == 2 && strcmp(argv[1], "test") == 0)
        return test(cli, db, argv[2], &choice, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno archive list`, `status`, `test ID` or `commission`");
}

const struct cli_command cli_archive = {
    .name = "archive",
    .media = true,
    .summary = "recording systems: list, how work stands, test the connection",
    .help =
        "usage: okno archive list [--json]\n"
        "       okno archive status [--json]\n"
        "       okno archive test ID [--at TIME] [--json]\n"
        "       okno archive commission [--camera ID --press TIME --frame TIME --rights TEXT]\n"
        "       okno archive commission --survey ID --frame TIME --rights TEXT [--json]\n"
        "\n"
        "status: whether each answers, what waits and when the next try is, what will be lost\n"
        "before its turn comes, what was lost, and its outages.\n"
        "commission: press a button in view of the camera; the frame that shows the press, by the\n"
        "time that okno gives it, tells what the camera's index is off by. Records that, a still "
        "of\n"
        "the view, the codec, on what ground it records and who may look (--rights), and you; the\n"
        "clock is corrected by it. With --survey, the press and the clip are a survey's. Without\n"
        "options: every camera, and why it is due (never, camera, archive, clock).\n"
        "test opens the archive and shows what it can do and, for each camera, what it recorded\n"
        "in the day (else the week, the month) before now or TIME. Exit 3: it answers and has\n"
        "nothing.\n"
        "Times are the archive's clock, brought to UTC by its time zone.\n"
        "\n"
        "example: okno archive test A1\n",
    .run = run,
};
