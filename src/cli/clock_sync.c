/* okno clock sync: a camera's offset from what presses light up in its picture. */
#define _POSIX_C_SOURCE 200809L
#include "clock.h"
#include "options.h"

#include "okno/camera_clock.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

struct choice {
    struct okno_sync_ask ask;
    const char *region;
    double search_s;
    bool apply, json;
};

/* "L,T,R,B" in per cent of the picture's width and height. */
static int read_region(const char *text, struct okno_series_area *ret_area, struct okno_err *err)
{
    double side[4] = {0};
    const char *at = text;
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        side[i] = strtod(at, &end);
        if (end == at || !(side[i] >= 0 && side[i] <= 100) || *end != (i < 3 ? ',' : '\0'))
            return okno_fail_field(err, OKNO_INVALID, "region",
                                   "\"%.40s\": write left,top,right,bottom in per cent of the "
                                   "picture, such as 40,35,60,55",
                                   text);
        at = end + 1;
    }
    if (side[2] - side[0] < 0.5 || side[3] - side[1] < 0.5)
        return okno_fail_field(err, OKNO_INVALID, "region",
                               "\"%.40s\" is narrower than half a per cent", text);
    *ret_area = (struct okno_series_area){.left = (uint16_t)(side[0] * 100),
                                          .top = (uint16_t)(side[1] * 100),
                                          .right = (uint16_t)(side[2] * 100),
                                          .bottom = (uint16_t)(side[3] * 100),
                                          .columns = 8,
                                          .rows = 6};
    return 0;
}

static json_t *area_json(const struct okno_series_area *a)
{
    return json_pack("[f, f, f, f]", a->left / 100.0, a->top / 100.0, a->right / 100.0,
                     a->bottom / 100.0);
}

static double ms(int64_t us)
{
    return (double)us / 1000.0;
}

static int print_json(const char *camera, const struct okno_sync_report *report, bool applied,
                      struct okno_err *err)
{
    const struct okno_sync_result *r = &report->result;
    bool found = r->refusal == OKNO_SYNC_FOUND;
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:s, s:o, s:f, s:f, s:f, "
        "s:f, s:I, s:I, s:I, s:I}",
        "camera", camera, "point", report->point, "result", okno_sync_refusal_name(r->refusal),
        "applied", applied, "at", found ? okno_json_time(r->at_us) : json_null(), "offset_ms",
        found ? json_real(ms(r->offset_us)) : json_null(), "uncertainty_ms",
        found ? json_real(ms(r->uncertainty_us + r->event_uncertainty_us)) : json_null(),
        "fit_uncertainty_ms", found ? json_real(ms(r->uncertainty_us)) : json_null(), "surveys",
        (json_int_t)report->surveys, "events", (json_int_t)r->events, "agreeing",
        (json_int_t)r->agreeing, "kind", r->kind == OKNO_SYNC_PRESS ? "press" : "answer", "region",
        area_json(&report->area), "chance_log10", r->chance_log10, "runner_up", r->runner_up,
        "runner_up_ms", ms(r->runner_up_us), "rate_ppm", r->rate_ppm, "frames",
        (json_int_t)report->frames, "requests", (json_int_t)report->requests, "bytes_read",
        (json_int_t)report->bytes_read, "windows_missing", (json_int_t)report->missing);
    return json ? okno_json_print(json, stdout, err) : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static void print_text(const char *camera, const struct okno_sync_report *report, bool applied)
{
    const struct okno_sync_result *r = &report->result;
    const struct okno_series_area *a = &report->area;
    char at[OKNO_TIME_TEXT];
    if (r->refusal == OKNO_SYNC_FOUND)
        printf("camera %s: %+.3f s +-%.3f s at %s%s\n", camera, (double)r->offset_us / 1e6,
               (double)(r->uncertainty_us + r->event_uncertainty_us) / 1e6,
               okno_time_format(r->at_us, at), applied ? ", stored" : "");
    else
        printf("camera %s: no offset found (%s)\n", camera, okno_sync_refusal_name(r->refusal));
    printf("  known before: %+.3f s +-%.3f s\n", (double)report->known_us / 1e6,
           (double)report->known_uncertainty_us / 1e6);
    printf("  point %s: %zu of %zu %s agree, by chance 1e%.0f; other offsets reach %.0f %%\n",
           report->point, r->agreeing, r->events,
           r->kind == OKNO_SYNC_PRESS ? "presses" : "answers", r->chance_log10, r->runner_up * 100);
    printf("  seen best at %.0f..%.0f %% x %.0f..%.0f %% of the picture, %u places in all\n",
           a->left / 100.0, a->right / 100.0, a->top / 100.0, a->bottom / 100.0, r->cells);
    if (r->rate_ppm != 0)
        printf("  runs %+.0f ppm meanwhile\n", r->rate_ppm);
    printf("  read %lld %s, %lld %s, %lld bytes\n", (long long)report->frames,
           okno_text_form(report->frames, "picture", "pictures"), (long long)report->requests,
           okno_text_form(report->requests, "request", "requests"), (long long)report->bytes_read);
}

static int sync(struct cli *cli, struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = NULL;
    struct okno_sync_report report = {0};
    struct okno_err refused = {0};
    char author[128];
    int rc = okno_work_open(cli->data_dir, cli->conf, &work, err);
    if (rc == 0)
        rc = okno_sync_run(work, &choice->ask, &report, err);
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    bool found = report.result.refusal == OKNO_SYNC_FOUND;
    if (choice->apply || !found)
        rc = okno_sync_apply(work, choice->ask.camera, &report, author, okno_time_now(), &refused);
    bool applied = choice->apply && rc == 0;
    int printed = 0;
    if (choice->json)
        printed = print_json(choice->ask.camera, &report, applied, err);
    else
        print_text(choice->ask.camera, &report, applied);
    return rc < 0 ? okno_fail(err, rc, "%s", refused.text) : printed;
}

int clock_sync(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct choice c = {.ask = {.from_us = -1, .to_us = -1, .whole = true}};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--camera", .text = &c.ask.camera},
        {.name = "--point", .text = &c.ask.point}, {.name = "--from", .time_us = &c.ask.from_us},
        {.name = "--to", .time_us = &c.ask.to_us}, {.name = "--region", .text = &c.region},
        {.name = "--search", .real = &c.search_s}, {.name = "--surveys", .integer = &c.ask.surveys},
        {.name = "--apply", .flag = &c.apply}, {.name = "--json", .flag = &c.json});
    if (rc < 0)
        return rc;
    if (rest > 0 || !c.ask.camera)
        return okno_fail(err, OKNO_USAGE, "give --camera ID [--from TIME] [--to TIME]");
    if (c.search_s != 0 && !(c.search_s >= 1 && c.search_s <= 120))
        return okno_fail_field(err, OKNO_INVALID, "search", "from 1 to 120 seconds");
    c.json = c.json || cli->json;
    c.ask.search_us = (int64_t)(c.search_s * 1e6);
    c.ask.to_us = c.ask.to_us < 0 ? okno_time_now() : c.ask.to_us;
    c.ask.from_us = c.ask.from_us < 0 ? c.ask.to_us - OKNO_DAY_US : c.ask.from_us;
    if (c.region) {
        c.ask.whole = false;
        rc = read_region(c.region, &c.ask.area, err);
    }
    return rc < 0 ? rc : sync(cli, &c, err);
}
