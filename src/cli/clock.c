#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/import.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static int print_measurement(const char *target, const struct okno_clock_measurement *m,
                             struct okno_err *err)
{
    okno_autojson json_t *object =
        json_pack("{ss so sf sf sb}", "target", target, "at", okno_json_time(m->at_us), "offset_ms",
                  (double)m->offset_us / 1000.0, "uncertainty_ms",
                  (double)m->uncertainty_us / 1000.0, "step", m->step);
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int list_target(struct okno_db *db, const char *target, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) measurements = {0};
    int rc = okno_registry_clock(db, target, &measurements, err);
    for (size_t i = 0; rc == 0 && i < measurements.len; i++)
        rc = print_measurement(target, &measurements.items[i], err);
    return rc;
}

static int list(struct okno_db *db, const char *target, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_target_vec) targets = {0};
    if (target)
        return list_target(db, target, err);
    int rc = okno_registry_clock_targets(db, &targets, err);
    for (size_t i = 0; rc == 0 && i < targets.len; i++)
        rc = list_target(db, targets.items[i].target, err);
    return rc;
}

static int check_target(const char *target, struct okno_err *err)
{
    static const struct okno_field field = {
        .name = "target", .type = OKNO_FIELD_SCOPED, .words = "device archive camera"};
    struct okno_value ignored;
    return target ? okno_field_check(&field, NULL, target, &ignored, err) : 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    bool json = false; /* the list is JSON Lines anyway */
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &json});
    if (rc < 0)
        return rc;
    if (rest < 1 || rest > 2 || strcmp(argv[1], "list") != 0)
        return okno_fail(err, OKNO_USAGE, "write `okno clock list [TARGET]`");
    const char *target = rest == 2 ? argv[2] : NULL;
    rc = check_target(target, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : list(db, target, err);
}

const struct cli_command cli_clock = {
    .name = "clock",
    .summary = "measurements of the clocks of devices, archives and cameras",
    .help =
        "usage: okno clock list [TARGET]\n"
        "\n"
        "One JSON line per measurement, oldest first. TARGET is device:ID, archive:ID or\n"
        "camera:ID; without one, all. offset_ms is clock minus UTC. Measurements come in by\n"
        "`okno import clocks FILE`.\n"
        "\n"
        "example: okno clock list archive:A1\n",
    .run = run,
};
