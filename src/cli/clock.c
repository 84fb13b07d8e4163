#define _POSIX_C_SOURCE 200809L
#include "clock.h"
#include "options.h"

#include "okno/import.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static int print_row(struct okno_stmt *row, struct okno_err *err)
{
    okno_autojson json_t *object = json_pack(
        "{ss so sf sf sb ss ss so}", "target", okno_stmt_text(row, "target"), "at",
        okno_json_time(okno_stmt_int(row, "at")), "offset_ms",
        (double)okno_stmt_int(row, "offset_us") / 1000.0, "uncertainty_ms",
        (double)okno_stmt_int(row, "uncertainty_us") / 1000.0, "step",
        okno_stmt_int(row, "step") != 0, "method", okno_stmt_text(row, "method"), "author",
        okno_stmt_text(row, "author"), "made_at", okno_json_time(okno_stmt_int(row, "made_at")));
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int list(struct okno_db *db, const char *target, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "cli.clocks", &stmt, err, OKNO_TEXT("target", target));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = print_row(stmt, err);
    return rc;
}

int clock_check_target(struct okno_db *db, const char *target, struct okno_err *err)
{
    static const struct okno_field field = {
        .name = "target", .type = OKNO_FIELD_SCOPED, .words = "device archive camera"};
    struct okno_value ignored;
    return okno_field_check(&field, db, target, &ignored, err);
}

static int clock_list(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    bool json = false; /* the list is JSON Lines anyway */
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &json});
    if (rc < 0)
        return rc;
    if (rest > 1)
        return okno_fail(err, OKNO_USAGE, "write `okno clock list [TARGET]`");
    const char *target = rest == 1 ? argv[1] : NULL;
    rc = target ? clock_check_target(NULL, target, err) : 0;
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : list(db, target, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    static const struct {
        const char *word;
        int (*run)(struct cli *cli, int argc, char **argv, struct okno_err *err);
    } words[] = {{"list", clock_list},   {"add", clock_add}, {"sync", clock_sync},
                 {"probe", clock_probe}, {"fit", clock_fit}, {"overlay", clock_overlay}};
    for (size_t i = 0; argc > 1 && i < OKNO_COUNT(words); i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].run(cli, argc - 1, argv + 1, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno clock list`, `add`, `probe`, `sync`, `fit` or `overlay`");
}

const struct cli_command cli_clock = {
    .name = "clock",
    .media = true,
    .summary = "clocks of devices, archives and cameras: measurements, and finding offsets",
    .help =
        "usage: okno clock list [TARGET]\n"
        "       okno clock add TARGET --offset-ms N --uncertainty-ms N [--at TIME] [--step]\n"
        "       okno clock probe [ARCHIVE] [--apply] [--json]\n"
        "       okno clock fit TARGET [--at TIME] [--json]\n"
        "       okno clock sync --camera ID [--from TIME] [--to TIME] [--point ID]\n"
        "                       [--region L,T,R,B] [--search S] [--surveys N] [--apply] [--json]\n"
        "       okno clock overlay --camera ID [--at TIME --shows TEXT] [--json]\n"
        "\n"
        "TARGET is device:ID, archive:ID or camera:ID. offset_ms is clock minus UTC: positive\n"
        "runs ahead.\n"
        "\n"
        "list: one JSON line per measurement, oldest first, with its method and author.\n"
        "add: one measurement; many come in by `okno import clocks FILE`. --step: the clock was\n"
        "set then.\n"
        "probe: asks the archives for their time as their options say (clock=http, sntp, onvif);\n"
        "the service does so every six hours. --apply stores what is new.\n"
        "fit: the line through the measurements since the clock was last set: what it gains, and\n"
        "its offset now or at TIME.\n"
        "overlay: the picture shows TEXT (\"2026-03-10 12:03:07\", the site's time) at the frame "
        "of\n"
        "TIME: overlay minus index. It sets the index clock's offset only where the camera is\n"
        "declared overlay_trusted. Without --at: the readings.\n"
        "sync: finds how far a camera's clock is off by itself. When a button is pressed its\n"
        "panel lights up; the offset at which many presses of a day find some place of the\n"
        "picture beginning to look unlike itself is the camera's. Reads only the seconds\n"
        "around the presses. Says how sure it is, and refuses (exit 5) where chance, or another\n"
        "offset, explains the picture nearly as well. --from and --to: surveys opened in that\n"
        "time (the last 24 hours). --region: where the panel is, in per cent from the left and\n"
        "the top (the whole picture). --search: how many seconds to look before and after what\n"
        "is known (three times its uncertainty, 15 to 120). --surveys: how many to look at (40).\n"
        "--apply stores the offset as a measurement of the camera.\n"
        "\n"
        "example: okno clock sync --camera till-1 --from 2026-03-10T00:00:00Z \\\n"
        "             --to 2026-03-11T00:00:00Z --apply\n",
    .run = run,
};
