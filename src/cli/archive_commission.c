/* okno archive commission: a press in view, the frame that shows it. */
#define _POSIX_C_SOURCE 200809L
#include "archive.h"
#include "moment.h"
#include "options.h"

#include "okno/camera_clock.h"
#include "okno/evidence.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <string.h>
#include <unistd.h>

struct choice {
    const char *camera, *survey, *rights;
    int64_t press_us, frame_us;
    bool json;
};

static int print_done(const struct okno_commissioned *done, bool json, struct okno_err *err)
{
    if (!json) {
        char error[OKNO_CLOCK_TEXT], offset[OKNO_CLOCK_TEXT];
        printf(
            "camera %s: commissioned; by what was known its clock was %s; it is %s +-%.3f s "
            "against UTC\n",
            done->camera, okno_clock_say(done->error_us, error),
            okno_clock_say(done->offset_us, offset), (double)done->uncertainty_us / 1e6);
        return 0;
    }
    okno_autojson json_t *line = json_pack(
        "{s:I, s:s, s:f, s:f, s:f}", "commissioning", (json_int_t)done->id, "camera", done->camera,
        "error_ms", (double)done->error_us / 1000, "offset_ms", (double)done->offset_us / 1000,
        "uncertainty_ms", (double)done->uncertainty_us / 1000);
    return okno_json_print(line, stdout, err);
}

/* The frame's picture into the store, as the reference of the camera's view from then on. */
static int keep_still(struct cli *cli, struct moment *m, const char *author,
                      struct okno_commission *c, char still[OKNO_SHA256_TEXT], struct okno_err *err)
{
    char temp[1400];
    struct okno_extract_result got = {0};
    int rc = okno_evidence_temp(cli->data_dir, "still", temp, sizeof(temp), err);
    if (rc == 0)
        rc = okno_extract_still(&m->view, m->from_us, temp, &got, err);
    if (rc < 0)
        return rc;
    c->width = got.media.width;
    c->height = got.media.height;
    rc = okno_reference_set(okno_work_db(m->work), cli->data_dir, c->camera, m->from_us,
                            got.media.first_frame_us, temp, author, okno_time_now(), still, err);
    okno_extract_result_free(&got);
    if (rc < 0)
        (void)unlink(temp);
    return rc;
}

/* Codec and frame interval, from two seconds of it. */
static int learn_codec(struct cli *cli, struct moment *m, struct okno_commission *c, char codec[32],
                       struct okno_err *err)
{
    char temp[1400];
    struct okno_extract_result got = {0};
    int rc = okno_evidence_temp(cli->data_dir, "clip", temp, sizeof(temp), err);
    if (rc == 0)
        rc = okno_extract_clip(&m->view, m->from_us - OKNO_SECOND_US, m->from_us + OKNO_SECOND_US,
                               false, temp, &got, err);
    if (rc < 0)
        return rc;
    (void)unlink(temp);
    (void)snprintf(codec, 32, "%s", got.media.codec);
    if (got.media.frames > 0)
        c->frame_us = (got.media.got_to_us - got.media.got_from_us) / got.media.frames;
    okno_extract_result_free(&got);
    return 0;
}

static int by_moment(struct cli *cli, const struct choice *choice, const char *author,
                     struct okno_commissioned *done, struct okno_err *err)
{
    MOMENT_AUTO m = {
        .camera = choice->camera, .from_us = choice->frame_us, .to_us = choice->frame_us};
    char still[OKNO_SHA256_TEXT] = "";
    char codec[32] = "";
    struct okno_commission c = {.camera = choice->camera,
                                .press_at_us = choice->press_us,
                                .press_uncertainty_us = OKNO_SECOND_US / 2,
                                .frame_at_us = choice->frame_us,
                                .still = still,
                                .codec = codec,
                                .rights = choice->rights,
                                .author = author};
    int rc = okno_commission_check(&c, err);
    if (rc == 0)
        rc = moment_open(cli, &m, err);
    if (rc < 0)
        return rc;
    c.index_offset_us = m.found.offset.offset_us;
    rc = learn_codec(cli, &m, &c, codec, err);
    if (rc == 0)
        rc = keep_still(cli, &m, author, &c, still, err);
    return rc < 0 ? rc : okno_commission_add(okno_work_db(m.work), &c, okno_time_now(), done, err);
}

static int list(struct cli *cli, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *cameras = NULL;
    json_t *camera;
    size_t i;
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_commission_list(db, &cameras, err);
    json_array_foreach(cameras, i, camera)
    {
        if (rc == 0)
            rc = okno_json_print(camera, stdout, err);
    }
    return rc;
}

int archive_commission(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice c = {.press_us = -1, .frame_us = -1, .json = cli->json};
    struct okno_commissioned done = {0};
    char author[128];
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--camera", .text = &c.camera},
        {.name = "--survey", .text = &c.survey}, {.name = "--press", .time_us = &c.press_us},
        {.name = "--frame", .time_us = &c.frame_us}, {.name = "--rights", .text = &c.rights},
        {.name = "--json", .flag = &c.json});
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    if (rest == 0 && !c.camera && !c.survey && c.press_us < 0 && c.frame_us < 0)
        return list(cli, err);
    if (rest == 0 && c.camera && c.press_us >= 0 && c.frame_us >= 0 && !c.survey)
        rc = by_moment(cli, &c, author, &done, err);
    else if (rest == 0 && c.survey && c.frame_us >= 0 && !c.camera && c.press_us < 0) {
        rc = cli_open_db(cli, &db, err);
        if (rc == 0)
            rc = okno_commission_survey(db, c.survey, c.frame_us, c.rights, author, okno_time_now(),
                                        &done, err);
    } else
        return okno_fail(err, OKNO_USAGE,
                         "give --camera ID --press TIME --frame TIME --rights TEXT, or --survey ID "
                         "--frame TIME --rights TEXT, or nothing to list");
    return rc < 0 ? rc : print_done(&done, c.json, err);
}
