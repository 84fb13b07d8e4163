/* okno clip: the recording of a camera between two times. */
#include "moment.h"
#include "options.h"

#include "okno/viewing.h"

static int check(const struct moment *m, int rest, struct okno_err *err)
{
    if (rest > 0 || !m->camera || !m->out || m->from_us < 0 || m->to_us < 0)
        return okno_fail(err, OKNO_USAGE, "give --camera ID --from TIME --to TIME -o FILE");
    if (m->from_us >= m->to_us)
        return okno_fail(err, OKNO_USAGE, "--to must be later than --from");
    return 0;
}

struct clip_copies {
    const char *sheet, *view;
    bool text;
};

/* Spread over what was asked, in the clip just written. */
static int write_sheet(const struct moment *m, const struct okno_media_result *media,
                       struct okno_source *clip, const struct okno_view_masks *masks,
                       const char *path, struct okno_err *err)
{
    int64_t lead_us = m->from_us > media->got_from_us ? m->from_us - media->got_from_us : 0;
    int64_t step_us = (media->got_to_us - media->got_from_us - lead_us) / OKNO_SHEET_TILES;
    const struct okno_sheet sheet = {.from_us = lead_us + step_us / 2,
                                     .step_us = step_us > 0 ? step_us : 0,
                                     .count = OKNO_SHEET_TILES,
                                     .width = OKNO_SHEET_TILE_WIDTH};
    return okno_view_sheet(clip, &sheet, masks, path, err);
}

static int write_copies(const struct moment *m, const struct okno_media_result *media,
                        const struct clip_copies *copies, struct okno_err *err)
{
    OKNO_AUTO(okno_source) *clip = NULL;
    struct okno_view_masks masks = {0};
    int64_t masks_id = 0;
    int rc =
        okno_masks_at(okno_work_db(m->work), m->camera, media->got_from_us, &masks, &masks_id, err);
    if (rc == 0)
        rc = okno_file_source(m->out, &clip, err);
    if (rc == 0 && copies->sheet)
        rc = write_sheet(m, media, clip, &masks, copies->sheet, err);
    struct okno_view_text text = {0};
    if (rc == 0 && copies->view && copies->text)
        rc = okno_copy_text(okno_work_db(m->work), m->camera, media->got_from_us, media->got_to_us,
                            "", &text, err);
    if (rc == 0 && copies->view)
        rc = okno_view_clip(clip, &masks, copies->text ? &text : NULL, copies->view, err);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    MOMENT_AUTO m = {.from_us = -1, .to_us = -1};
    struct okno_extract_result result = {0};
    struct clip_copies copies = {0};
    bool audio = false;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--camera", .text = &m.camera},
        {.name = "--from", .time_us = &m.from_us}, {.name = "--to", .time_us = &m.to_us},
        {.name = "-o", .text = &m.out}, {.name = "--sheet", .text = &copies.sheet},
        {.name = "--view", .text = &copies.view}, {.name = "--text", .flag = &copies.text},
        {.name = "--audio", .flag = &audio}, {.name = "--camera-clock", .flag = &m.camera_clock},
        {.name = "--json", .flag = &m.json});
    if (rc == 0)
        rc = check(&m, rest, err);
    if (rc == 0)
        rc = moment_open(cli, &m, err);
    if (rc == 0)
        rc = okno_extract_clip(&m.view, m.from_us, m.to_us, audio, m.out, &result, err);
    if (rc == 0 && (copies.sheet || copies.view))
        rc = write_copies(&m, &result.media, &copies, err);
    if (rc < 0)
        okno_extract_result_free(&result);
    return rc < 0 ? moment_explain(&m, err) : moment_print(&m, "clip", &result, err);
}

const struct cli_command cli_clip = {
    .name = "clip",
    .media = true,
    .summary = "copy what a camera recorded between two times into an MP4",
    .help =
        "usage: okno clip --camera ID --from TIME --to TIME -o FILE [--audio]\n"
        "                 [--sheet FILE] [--view FILE [--text]] [--camera-clock]\n"
        "                 [--json]\n"
        "\n"
        "Copies the recording without re-encoding; it begins at the key frame before --from.\n"
        "Times are ISO 8601 with Z or an offset, in UTC corrected by the camera's measured\n"
        "clock; with --camera-clock they are as the camera's recorder shows them. FILE must\n"
        "not exist. --sheet: a strip of frames as JPEG beside it; --view: a copy as H.264 that\n"
        "every browser plays, with --text local time and UTC in its pictures. Exit 3 when\n"
        "nothing is recorded, 4 when parts are missing.\n"
        "\n"
        "example: okno clip --camera till-1 --from 2026-03-10T14:03:20+03:00 \\\n"
        "             --to 2026-03-10T14:03:50+03:00 -o clip.mp4\n",
    .run = run,
};
