/* okno still: what a camera showed at a moment. */
#include "moment.h"
#include "options.h"

/* Where one does not do, the plain way says why. */
static int still_small(const struct moment *m, int width, struct okno_extract_result *result,
                       struct okno_err *err)
{
    struct okno_extract_shot shot = {.at_us = m->from_us, .out_path = m->out};
    int rc = okno_extract_stills(&m->view, 1, &shot, 1, width, err);
    if (rc == 0 && !shot.done)
        return okno_extract_still(&m->view, m->from_us, m->out, result, err);
    *result = shot.result;
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    MOMENT_AUTO m = {.from_us = -1};
    struct okno_extract_result result = {0};
    int64_t width = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--camera", .text = &m.camera},
                         {.name = "--at", .time_us = &m.from_us}, {.name = "-o", .text = &m.out},
                         {.name = "--size", .integer = &width},
                         {.name = "--camera-clock", .flag = &m.camera_clock},
                         {.name = "--json", .flag = &m.json});
    if (rc == 0 && (rest > 0 || !m.camera || !m.out || m.from_us < 0))
        rc = okno_fail(err, OKNO_USAGE, "give --camera ID --at TIME -o FILE");
    if (rc == 0 && width != 0 && (width < 16 || width > 16384))
        rc =
            okno_fail_field(err, OKNO_INVALID, "size", "--size is a width from 16 to 16384 pixels");
    m.to_us = m.from_us;
    if (rc == 0)
        rc = moment_open(cli, &m, err);
    if (rc == 0)
        rc = width ? still_small(&m, (int)width, &result, err)
                   : okno_extract_still(&m.view, m.from_us, m.out, &result, err);
    return rc < 0 ? moment_explain(&m, err) : moment_print(&m, "still", &result, err);
}

const struct cli_command cli_still = {
    .name = "still",
    .media = true,
    .summary = "save the frame a camera showed at a moment as a JPEG",
    .help =
        "usage: okno still --camera ID --at TIME -o FILE [--size WIDTH] [--camera-clock] [--json]\n"
        "\n"
        "Saves the exact frame: the last one at or before TIME, not across a gap in the\n"
        "recording. Time is ISO 8601 with Z or an offset, in UTC corrected by the camera's\n"
        "measured clock; with --camera-clock as the camera's recorder shows it. FILE must not\n"
        "exist. --size makes a wider picture that wide. Exit 3 when nothing is recorded.\n"
        "\n"
        "example: okno still --camera till-1 --at 2026-03-10T14:03:20.5+03:00 -o still.jpg\n",
    .run = run,
};
