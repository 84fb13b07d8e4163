/* okno link: find the footage of surveys. */
#include "cli.h"
#include "options.h"
#include "progress.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/time.h"
#include "okno/vec.h"
#include "okno/work.h"

#include <string.h>

struct link_id {
    char survey[160];
};
OKNO_VEC(link_id_vec, struct link_id);

/* Surveys of the period whose link is not final. */
static int collect(struct okno_db *db, int64_t from_us, int64_t to_us, struct link_id_vec *ids,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "cli.surveys_to_link", &stmt, err, OKNO_INT("from", from_us),
                        OKNO_INT("to", to_us), OKNO_INT("recent", okno_time_now() - OKNO_DAY_US));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct link_id id;
        (void)snprintf(id.survey, sizeof(id.survey), "%s", okno_stmt_text(stmt, "survey"));
        rc = link_id_vec_push(ids, id) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "out of memory") : 0;
    }
    return rc;
}

static int print(struct okno_db *db, int64_t from_us, int64_t to_us, bool as_json,
                 struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *counts = json_object();
    for (int i = 0; i < OKNO_LINK_STATE_COUNT; i++)
        json_object_set_new(counts, okno_link_state_name((enum okno_link_state)i), json_integer(0));
    int rc = OKNO_DB_PREPARE(db, "cli.link_states", &stmt, err, OKNO_INT("from", from_us),
                             OKNO_INT("to", to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = 0;
        json_object_set_new(counts, okno_stmt_text(stmt, "state"),
                            json_integer(okno_stmt_int(stmt, "count")));
    }
    if (rc < 0 || as_json)
        return rc < 0 ? rc : okno_json_print(counts, stdout, err);
    const char *state;
    json_t *count;
    json_object_foreach(counts, state, count)
    {
        printf("%-14s %lld\n", state, json_integer_value(count));
    }
    return 0;
}

static int link_all(struct okno_work *work, const struct link_id_vec *ids, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ids->len; i++) {
        rc = okno_work_link(work, ids->items[i].survey, okno_time_now(), NULL, err);
        cli_progress("linking", (int64_t)i + 1, (int64_t)ids->len);
    }
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = NULL;
    OKNO_AUTO_VEC(link_id_vec) ids = {0};
    int64_t from_us = 0;
    int64_t to_us = INT64_MAX;
    int rest = 0;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .time_us = &from_us},
                    {.name = "--to", .time_us = &to_us}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "link takes no arguments, only --from, --to, --json");
    if (rc == 0)
        rc = okno_work_open(cli->data_dir, cli->conf, &work, err);
    if (rc == 0)
        rc = collect(okno_work_db(work), from_us, to_us, &ids, err);
    if (rc == 0)
        rc = link_all(work, &ids, err);
    return rc < 0 ? rc : print(okno_work_db(work), from_us, to_us, cli->json, err);
}

const struct cli_command cli_link = {
    .name = "link",
    .media = true,
    .summary = "link surveys to the cameras and seconds that show them",
    .help =
        "usage: okno link [--from TIME] [--to TIME] [--json]\n"
        "\n"
        "Asks the archives what they hold and links every closed survey of the period that\n"
        "has no final link yet. Prints how many surveys are in each state: linked, partial,\n"
        "no_recording, no_camera, expired, unreachable (tried again), pending (not listed\n"
        "yet).\n"
        "\n"
        "example: okno link --from 2026-03-10T00:00:00+03:00 --json\n",
    .run = run,
};
