/* okno camera: how a camera's picture is shown, and how it should look. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "moment.h"
#include "options.h"

#include "okno/evidence.h"
#include "okno/json.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct choice {
    const char *camera, *shapes, *reason;
    int64_t from_us, at_us;
    bool none, json;
};

static int mask(struct cli *cli, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_view_masks masks = {0};
    char author[128];
    if (!choice->camera || choice->from_us < 0 || !choice->reason ||
        (choice->shapes != NULL) == choice->none)
        return okno_fail(err, OKNO_USAGE,
                         "give --camera ID --from TIME --reason TEXT and --shapes \"...\" or "
                         "--none");
    int rc = choice->none ? 0 : okno_masks_read(choice->shapes, &masks, err);
    if (rc == 0 && !choice->none && masks.count == 0)
        rc = okno_fail_field(err, OKNO_INVALID, "shapes", "no mask in it; --none takes them away");
    if (rc < 0)
        okno_err_context(err, "--shapes");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    cli_author(author, sizeof(author));
    if (rc == 0)
        rc = okno_masks_set(db, choice->camera, choice->from_us, &masks, author, choice->reason,
                            okno_time_now(), err);
    if (rc == 0)
        (void)fprintf(stderr, "camera %s: %u mask(s) from then on\n", choice->camera, masks.count);
    return rc;
}

static int reference(struct cli *cli, const struct choice *choice, struct okno_err *err)
{
    char temp[1300];
    char author[128];
    char sha256[OKNO_SHA256_TEXT];
    struct okno_extract_result got = {0};
    MOMENT_AUTO m = {.camera = choice->camera, .from_us = choice->at_us, .to_us = choice->at_us};
    if (!choice->camera || choice->at_us < 0)
        return okno_fail(err, OKNO_USAGE, "give --camera ID --at TIME [--from TIME]");
    int rc = moment_open(cli, &m, err);
    if (rc == 0)
        rc = okno_evidence_temp(cli->data_dir, "still", temp, sizeof(temp), err);
    if (rc == 0)
        rc = okno_extract_still(&m.view, m.from_us, temp, &got, err);
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    rc = okno_reference_set(okno_work_db(m.work), cli->data_dir, choice->camera,
                            choice->from_us < 0 ? choice->at_us : choice->from_us,
                            got.media.first_frame_us, temp, author, okno_time_now(), sha256, err);
    okno_extract_result_free(&got);
    if (rc < 0) {
        (void)unlink(temp);
        return rc;
    }
    if (choice->json) {
        okno_autojson json_t *json =
            json_pack("{s:s, s:s}", "camera", choice->camera, "sha256", sha256);
        return okno_json_print(json, stdout, err);
    }
    printf("camera %s: its picture should look like still %s\n", choice->camera, sha256);
    return 0;
}

/* As --shapes takes it. */
static void print_shapes(const json_t *shapes)
{
    json_t *shape, *corner;
    size_t m, i;
    if (json_array_size(shapes) == 0)
        printf("none");
    json_array_foreach(shapes, m, shape)
    {
        printf("%s", m ? "; " : "");
        json_array_foreach(shape, i, corner)
        {
            printf("%s%g,%g", i ? " " : "", json_number_value(json_array_get(corner, 0)),
                   json_number_value(json_array_get(corner, 1)));
        }
    }
    if (json_array_size(shapes) > 0)
        printf(" (per cent of the picture, across,down)");
}

static void print_row(const json_t *row)
{
    const json_t *value = json_object_get(row, "value");
    printf("%s ", json_string_value(json_object_get(row, "what")));
    if (json_is_array(value))
        print_shapes(value);
    else
        printf("%s", json_string_value(value));
    cli_line(" from %s by %s at %s %s", json_string_value(json_object_get(row, "from")),
             json_string_value(json_object_get(row, "author")),
             json_string_value(json_object_get(row, "made_at")),
             json_string_value(json_object_get(row, "reason")));
}

/* The index clock in force, and whose it is. */
static int show_clock(struct okno_db *db, const char *id, struct okno_err *err)
{
    struct okno_camera camera = {0};
    struct okno_index_clock clock = {0};
    char said[OKNO_CLOCK_TEXT];
    int rc = okno_registry_camera(db, id, &camera, err);
    if (rc == 0)
        rc = okno_registry_index_clock_at(db, &camera, okno_time_now(), &clock, err);
    if (rc < 0)
        return rc;
    printf("clock %s +-%.3f s, by %s%s\n", okno_clock_say(clock.in_force.offset_us, said),
           (double)clock.in_force.uncertainty_us / OKNO_SECOND_US,
           clock.own                 ? "measurements of the camera itself"
           : clock.in_force.measured ? "measurements of its archive "
                                     : "no measurement: taken as right",
           clock.own || !clock.in_force.measured ? "" : camera.archive.archive);
    if (clock.own && clock.archive.measured)
        printf("  not in force: the clock of its archive %s, %s\n", camera.archive.archive,
               okno_clock_say(clock.archive.offset_us, said));
    return 0;
}

static int show(struct cli *cli, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *row;
    if (!choice->camera)
        return okno_fail(err, OKNO_USAGE, "give --camera ID");
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_viewing_history(db, choice->camera, &list, err);
    if (rc < 0 || choice->json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    rc = show_clock(db, choice->camera, err);
    json_array_foreach(list, i, row)
    {
        print_row(row);
    }
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct choice choice = {.from_us = -1, .at_us = -1, .json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--camera", .text = &choice.camera},
        {.name = "--from", .time_us = &choice.from_us}, {.name = "--at", .time_us = &choice.at_us},
        {.name = "--shapes", .text = &choice.shapes}, {.name = "--none", .flag = &choice.none},
        {.name = "--reason", .text = &choice.reason}, {.name = "--json", .flag = &choice.json});
    if (rc == 0 && rest == 2 && !choice.camera)
        choice.camera = argv[2];
    const char *verb = rc == 0 && (rest == 1 || choice.camera == argv[2]) ? argv[1] : "";
    if (rc < 0)
        return rc;
    if (strcmp(verb, "mask") == 0)
        return mask(cli, &choice, err);
    if (strcmp(verb, "reference") == 0)
        return reference(cli, &choice, err);
    if (strcmp(verb, "show") == 0)
        return show(cli, &choice, err);
    return okno_fail(
        err, OKNO_USAGE,
        "write `okno camera mask`, `okno camera reference` or `okno camera show`, and which: "
        "--camera ID");
}

const struct cli_command cli_camera = {
    .name = "camera",
    .media = true,
    .summary = "privacy masks and reference pictures of cameras: mask, reference, show",
    .help =
        "usage: okno camera mask --camera ID --from TIME (--shapes \"X,Y X,Y ...; ...\" | --none)\n"
        "                        --reason TEXT\n"
        "       okno camera reference --camera ID --at TIME [--from TIME] [--json]\n"
        "       okno camera show --camera ID [--json]\n"
        "\n"
        "mask: from TIME on these parts of the picture are blackened in everything that is\n"
        "shown; the evidence itself stays as it was recorded. Corners are percent of the\n"
        "picture from its top left: two are opposite corners of a rectangle, more a polygon;\n"
        "masks are parted by \";\". Each call replaces all masks of the camera from that time on.\n"
        "reference: the frame at --at shows how the camera should look, from --from (else\n"
        "--at) on; pictures unlike it are flagged for the expert as moved.\n"
        "show: the clock in force and whose measurements it is by, and everything that was\n"
        "written, by whom and why; corners in per cent, as --shapes takes them.\n"
        "\n"
        "example: okno camera mask --camera till-1 --from 2026-03-01T00:00:00+03:00 \\\n"
        "             --shapes \"0,0 25,40; 60,80 80,80 70,100\" --reason 'the neighbour shop'\n",
    .run = run,
};
