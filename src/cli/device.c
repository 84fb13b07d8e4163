#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/device.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static const char *when(int64_t us, char ret_text[OKNO_TIME_TEXT])
{
    return us == INT64_MIN ? "-" : okno_time_format(us, ret_text);
}

static int print_device(const struct okno_device *device, bool json, struct okno_err *err)
{
    char event[OKNO_TIME_TEXT];
    char arrival[OKNO_TIME_TEXT];
    if (json) {
        okno_autojson json_t *object = okno_device_json(device);
        return okno_json_print(object, stdout, err);
    }
    printf("%-16s %-13s point %-12s event %-24s arrival %-24s clock %+.1f s", device->device,
           okno_device_state(device), *device->point ? device->point : "-",
           when(device->last_event_us, event), when(device->last_arrival_us, arrival),
           (double)device->offset_us / OKNO_SECOND_US);
    if (device->missing)
        printf(" missing %lld from %s", (long long)device->missing, device->first_missing);
    printf("\n");
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    int64_t liveness_us = cli->conf->survey.liveness_h * 3600 * OKNO_SECOND_US;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest != 1 || strcmp(argv[1], "list") != 0))
        rc = okno_fail(err, OKNO_USAGE, "write `okno device list`");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_device_list(db, okno_time_now(), liveness_us, &devices, err);
    for (size_t i = 0; rc == 0 && i < devices.len; i++)
        rc = print_device(&devices.items[i], cli->json, err);
    return rc;
}

const struct cli_command cli_device = {
    .name = "device",
    .summary = "devices in the field: last heard, clock, gaps, alerts",
    .help =
        "usage: okno device list [--json]\n"
        "\n"
        "Every device that is paired, has a token or sent events: its state (ok, quiet,\n"
        "clock_jump, clock_suspect), the latest event and arrival, its clock minus UTC, and\n"
        "how many of its running numbers never came. quiet: paired with a point and silent\n"
        "for longer than survey.liveness_h, days off aside. clock_jump: its clock was set within a "
        "week;\n"
        "measure it (okno import clocks) to say what is right. clock_suspect: its clock is more\n"
        "than a day off and no measurement says so. --json: one JSON line per device.\n"
        "\n"
        "example: okno device list --json\n",
    .run = run,
};
