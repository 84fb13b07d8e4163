/* okno clock overlay: what the clock in the picture shows at a frame. */
#define _POSIX_C_SOURCE 200809L
#include "clock.h"
#include "options.h"

#include "okno/camera_clock.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <string.h>

static int print_reading(const char *camera, const struct okno_overlay_reading *r, bool json,
                         struct okno_err *err)
{
    if (!json) {
        printf("camera %s: the picture's clock is %+.1f s +-%.1f s from the index clock%s\n",
               camera, (double)r->offset_us / 1e6, (double)r->uncertainty_us / 1e6,
               r->trusted ? "; it is trusted, so the index clock's offset is known by it" : "");
        return 0;
    }
    okno_autojson json_t *line =
        json_pack("{s:s, s:f, s:f, s:b}", "camera", camera, "overlay_minus_index_ms",
                  (double)r->offset_us / 1000, "uncertainty_ms", (double)r->uncertainty_us / 1000,
                  "trusted", r->trusted);
    return okno_json_print(line, stdout, err);
}

static int list(struct okno_db *db, const char *camera, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "commission.overlays", &stmt, err, OKNO_TEXT("camera", camera));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        okno_autojson json_t *line = json_pack(
            "{s:s, s:o, s:f, s:f, s:b, s:s, s:o}", "camera", okno_stmt_text(stmt, "camera"), "at",
            okno_json_time(okno_stmt_int(stmt, "at")), "overlay_minus_index_ms",
            (double)okno_stmt_int(stmt, "offset_us") / 1000, "uncertainty_ms",
            (double)okno_stmt_int(stmt, "uncertainty_us") / 1000, "trusted",
            okno_stmt_int(stmt, "trusted") != 0, "author", okno_stmt_text(stmt, "author"),
            "made_at", okno_json_time(okno_stmt_int(stmt, "made_at")));
        rc = okno_json_print(line, stdout, err);
    }
    return rc;
}

static int add(struct cli *cli, const char *camera, int64_t at_us, const char *shows, bool json,
               struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = NULL;
    struct okno_work_camera found;
    struct okno_overlay_reading reading = {0};
    char author[128];
    int64_t shown_us = 0;
    bool twice = false;
    int rc = okno_work_open(cli->data_dir, cli->conf, &work, err);
    if (rc == 0)
        rc = okno_work_camera_at(work, camera, at_us, false, &found, NULL, err);
    if (rc == 0)
        rc = okno_overlay_read(okno_work_db(work), &found.camera, shows, at_us, &shown_us, &twice,
                               err);
    if (twice)
        (void)fprintf(stderr,
                      "okno clock: %s was twice at %s; the one nearer to the frame is taken\n",
                      shows, found.camera.site);
    cli_author(author, sizeof(author));
    if (rc == 0)
        rc = okno_overlay_add(okno_work_db(work), &found.camera, at_us, found.offset.offset_us,
                              shown_us, author, okno_time_now(), &reading, err);
    return rc < 0 ? rc : print_reading(camera, &reading, json, err);
}

int clock_overlay(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *camera = NULL, *shows = NULL;
    int64_t at_us = -1;
    bool json = cli->json;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--camera", .text = &camera},
                         {.name = "--at", .time_us = &at_us}, {.name = "--shows", .text = &shows},
                         {.name = "--json", .flag = &json});
    if (rc < 0)
        return rc;
    if (rest == 0 && camera && at_us >= 0 && shows)
        return add(cli, camera, at_us, shows, json, err);
    if (rest > 0 || at_us >= 0 || shows)
        return okno_fail(err, OKNO_USAGE,
                         "give --camera ID --at TIME --shows \"2026-03-10 12:03:07\", or only "
                         "--camera ID to list");
    rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : list(db, camera, err);
}
