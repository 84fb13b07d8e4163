/* okno review attribute and target: what a manager decides and asks for, from a terminal. */
#include "attribute.h"

#include "options.h"

#include "okno/attribution.h"
#include "okno/json.h"
#include "okno/review.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

int cli_review_attribute(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_attribution request = {.at_us = okno_time_now()};
    int64_t id = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--survey", .text = &request.survey},
        {.name = "--employee", .text = &request.employee},
        {.name = "--reason", .text = &request.reason}, {.name = "--user", .text = &request.author},
        {.name = "--undo", .flag = &request.undo}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest > 0 || !request.survey || (request.employee != NULL) == request.undo))
        rc = okno_fail(err, OKNO_USAGE,
                       "say which and whose: --survey ID --employee ID|unassigned --reason TEXT, "
                       "or --survey ID --undo --reason TEXT");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_attribution_decide(db, &request, &id, err);
    bool on_shift = true;
    if (rc == 0 && request.employee && strcmp(request.employee, "unassigned") != 0)
        rc = okno_attribution_on_shift(db, request.survey, request.employee, &on_shift, err);
    if (rc < 0)
        return rc;
    if (!on_shift)
        (void)fprintf(stderr, "note: %s had no shift at that site then; the dossier shows it\n",
                      request.employee);
    if (cli->json) {
        okno_autojson json_t *json =
            json_pack("{s:I, s:b}", "attribution", (json_int_t)id, "on_shift", on_shift);
        return okno_json_print(json, stdout, err);
    }
    printf("attribution %lld: survey %s is %s%s\n", (long long)id, request.survey,
           request.undo ? "what the shifts say" : "counted for ",
           request.undo ? "" : request.employee);
    return 0;
}

int cli_review_target(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *survey = NULL;
    const char *reason = NULL;
    char author[80];
    int64_t item = 0;
    int rest = 0;
    cli_author(author, sizeof(author));
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--survey", .text = &survey},
                    {.name = "--reason", .text = &reason}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest > 0 || !survey))
        rc = okno_fail(err, OKNO_USAGE, "say which and why: --survey ID --reason TEXT");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_review_target(db, survey, author, reason, okno_time_now(), &item, err);
    if (rc < 0)
        return rc;
    if (cli->json) {
        okno_autojson json_t *json = json_pack("{s:I}", "item", (json_int_t)item);
        return okno_json_print(json, stdout, err);
    }
    printf("item %lld: survey %s waits for a review\n", (long long)item, survey);
    return 0;
}
