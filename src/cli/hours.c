#define _POSIX_C_SOURCE 200809L
/* okno hours: the opening hours of points, and since when. */
#include "cli.h"
#include "options.h"

#include "okno/hours.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *point, *site, *on;
};

static json_t *text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

static int print_row(const struct cli *cli, const struct okno_point *point,
                     const struct okno_hours_row *row, const char *to, struct okno_err *err)
{
    if (!cli->json) {
        cli_line("%-16s %-10s .. %-10s  %s%s", point->point, row->from, to,
                 *row->hours ? row->hours : "not known", row->own ? "" : " (the site's)");
        return 0;
    }
    okno_autojson json_t *json =
        json_pack("{ss ss so so ss ss}", "point", point->point, "site", point->site.site, "from",
                  text_or_null(row->from), "to", text_or_null(to), "hours", row->hours, "of",
                  row->own ? "point" : "site");
    return json ? okno_json_print(json, stdout, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
}

static int print_rows(const struct cli *cli, struct okno_db *db, const struct okno_point *point,
                      struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_hours_row_vec) rows = {0};
    int rc = okno_registry_hours_rows(db, point, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++)
        rc = print_row(cli, point, &rows.items[i], i + 1 < rows.len ? rows.items[i + 1].from : "",
                       err);
    return rc;
}

static int print_span(const struct cli *cli, const struct okno_point *point, int64_t from_us,
                      int64_t to_us, struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    (void)okno_time_format(from_us, from);
    (void)okno_time_format(to_us, to);
    if (!cli->json) {
        printf("%-16s %s .. %s\n", point->point, from, to);
        return 0;
    }
    okno_autojson json_t *json = json_pack("{ss ss ss ss}", "point", point->point, "site",
                                           point->site.site, "open_from", from, "open_to", to);
    return json ? okno_json_print(json, stdout, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
}

/* The times within a local day at which it is open. */
static int print_day(const struct cli *cli, struct okno_db *db, const struct okno_point *point,
                     int64_t day_us, struct okno_err *err)
{
    OKNO_AUTO(okno_hours) *hours = NULL;
    OKNO_AUTO(okno_zone) *zone = NULL;
    int rc = okno_registry_hours(db, point, &hours, err);
    if (rc == 0)
        rc = okno_zone_open(point->site.time_zone, &zone, err);
    if (rc < 0)
        return rc;
    int64_t at_us = okno_zone_midnight(zone, day_us);
    int64_t end_us = okno_zone_midnight(zone, day_us + OKNO_DAY_US);
    bool any = false;
    if (!hours)
        return print_span(cli, point, at_us, end_us, err);
    while (rc == 0 && at_us < end_us) {
        int64_t until_us = at_us;
        bool open = okno_hours_open_at(hours, at_us, &until_us);
        while (until_us < end_us) { /* the answer may hold on */
            int64_t next_us = until_us;
            if (okno_hours_open_at(hours, until_us, &next_us) != open)
                break;
            until_us = next_us;
        }
        if (open)
            rc = print_span(cli, point, at_us, until_us < end_us ? until_us : end_us, err);
        any = any || open;
        at_us = until_us;
    }
    if (rc == 0 && !any && !cli->json)
        printf("%-16s closed\n", point->point);
    return rc;
}

static int check_names(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    struct okno_point point;
    struct okno_site site;
    int rc = choice->point ? okno_registry_point(db, choice->point, &point, err) : 0;
    return rc == 0 && choice->site ? okno_registry_site(db, choice->site, &site, err) : rc;
}

static int print_all(struct cli *cli, const struct choice *choice, int64_t day_us,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_VEC(okno_point_vec) points = {0};
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = check_names(db, choice, err);
    if (rc == 0)
        rc = okno_registry_points(db, &points, err);
    for (size_t i = 0; rc == 0 && i < points.len; i++) {
        const struct okno_point *point = &points.items[i];
        if ((choice->point && strcmp(choice->point, point->point) != 0) ||
            (choice->site && strcmp(choice->site, point->site.site) != 0))
            continue;
        rc = choice->on ? print_day(cli, db, point, day_us, err) : print_rows(cli, db, point, err);
    }
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct choice choice = {0};
    int64_t day_us = 0;
    int rest = 0;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--point", .text = &choice.point},
                    {.name = "--site", .text = &choice.site}, {.name = "--on", .text = &choice.on},
                    {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "write `okno hours [--site ID] [--point ID] [--on DATE]`");
    if (rc == 0 && choice.on && okno_date_parse(choice.on, &day_us, err) < 0) {
        okno_err_context(err, "--on");
        rc = OKNO_USAGE;
    }
    return rc < 0 ? rc : print_all(cli, &choice, day_us, err);
}

const struct cli_command cli_hours = {
    .name = "hours",
    .summary = "opening hours of points, and since when they count",
    .help =
        "usage: okno hours [--site ID] [--point ID] [--on DATE] [--json]\n"
        "\n"
        "The opening hours of each point, its own or its site's, with the local dates from and to\n"
        "which they count; nothing before the first date: always. --on: when each point was open\n"
        "on a day of its site's calendar, in UTC, or that it was closed. Hours come by `okno\n"
        "import sites` and `okno import points`, with the date in the column `from`\n"
        "(docs/surveys.md).\n"
        "\n"
        "example: okno hours --point till-1 --on 2026-05-09\n",
    .run = run,
};
