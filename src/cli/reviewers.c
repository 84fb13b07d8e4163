#define _POSIX_C_SOURCE 200809L
/* okno review gold, calibration, report, lead: how well experts decide. */
#include "reviewers.h"

#include "options.h"

#include "okno/gold.h"
#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static long long count_in(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* "12/14", or "-" where nothing was asked. */
static const char *score(const json_t *one, const char *key, const char *part, char ret_text[40])
{
    const json_t *score = json_object_get(one, key);
    long long items = count_in(score, "items");
    (void)snprintf(ret_text, 40, items ? "%lld/%lld" : "-", count_in(score, part), items);
    return ret_text;
}

static int list_gold(struct cli *cli, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *one;
    int rc = okno_gold_list(db, &list, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(list, stdout, err);
    json_array_foreach(json_object_get(list, "gold"), i, one)
    {
        printf("%-24s %-14s %-20s asked %lld, right %lld\n", text_in(one, "survey"),
               text_in(one, "verdict"), text_in(one, "reason"), count_in(one, "asked"),
               count_in(one, "right"));
    }
    return 0;
}

int cli_review_gold(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *survey = NULL;
    const char *user = NULL;
    const char *note = "";
    bool retire = false;
    int rest = 0;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--survey", .text = &survey},
                    {.name = "--user", .text = &user}, {.name = "--note", .text = &note},
                    {.name = "--retire", .flag = &retire}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest > 0 || (survey && !user) || (retire && !survey)))
        rc = okno_fail(err, OKNO_USAGE, "say which and who you are: --survey ID --user NAME");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (!survey)
        return list_gold(cli, db, err);
    rc = retire ? okno_gold_retire(db, survey, user, note, okno_time_now(), err)
                : okno_gold_add(db, survey, user, note, okno_time_now(), err);
    if (rc == 0)
        printf("survey %s %s\n", survey, retire ? "is no gold item any more" : "is a gold item");
    return rc;
}

/* ---- calibrations ---- */

struct round {
    const char *id, *user, *surveys, *title;
    bool close;
};

static int add_round(struct okno_db *db, const struct round *r, struct okno_err *err)
{
    const char *surveys[OKNO_CALIBRATION_MAX + 1];
    size_t count = 0;
    okno_autofree char *copy = strdup(r->surveys);
    char *rest = NULL;
    if (!copy)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys");
    for (char *at = strtok_r(copy, ",", &rest); at && count <= OKNO_CALIBRATION_MAX;
         at = strtok_r(NULL, ",", &rest))
        surveys[count++] = at;
    return okno_calibration_add(db, r->id, r->title, surveys, count, r->user, okno_time_now(), err);
}

static int list_rounds(struct cli *cli, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    size_t j;
    json_t *one;
    json_t *result;
    int rc = okno_calibration_list(db, NULL, &list, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(list, stdout, err);
    rc = okno_json_calm(list, err);
    if (rc < 0)
        return rc;
    json_array_foreach(json_object_get(list, "calibrations"), i, one)
    {
        printf("%s  %s  %lld %s, %s\n", text_in(one, "calibration"), text_in(one, "title"),
               count_in(one, "items"), okno_text_form(count_in(one, "items"), "survey", "surveys"),
               json_is_null(json_object_get(one, "closed_at")) ? "open" : "closed");
        json_array_foreach(json_object_get(one, "results"), j, result)
        {
            printf("  %-20s decided %lld", text_in(result, "user"), count_in(result, "decided"));
            if (!json_is_null(json_object_get(result, "right")))
                printf(", right %lld", count_in(result, "right"));
            printf("\n");
        }
    }
    return 0;
}

int cli_review_calibration(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct round r = {.title = ""};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--user", .text = &r.user},
        {.name = "--surveys", .text = &r.surveys}, {.name = "--title", .text = &r.title},
        {.name = "--close", .flag = &r.close}, {.name = "--json", .flag = &cli->json});
    r.id = rest > 0 ? argv[1] : NULL;
    if (rc == 0 && (rest > 1 || (r.id && (!r.user || r.close == (r.surveys != NULL)))))
        rc = okno_fail(err, OKNO_USAGE,
                       "say who you are and what is in the round: ID --user NAME --surveys A,B,... "
                       "or --close");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (!r.id)
        return list_rounds(cli, db, err);
    return r.close ? okno_calibration_close(db, r.id, r.user, okno_time_now(), err)
                   : add_round(db, &r, err);
}

/* ---- the report ---- */

static const char *seconds(const json_t *one, const char *key, char ret_text[40])
{
    const json_t *value = json_object_get(one, key);
    (void)snprintf(ret_text, 40, json_is_number(value) ? "%.0f" : "-", json_number_value(value));
    return ret_text;
}

static void print_report(const json_t *report)
{
    size_t i;
    json_t *one;
    char doubled[40];
    char gold[40];
    char calibration[40];
    char active[40];
    printf("%-20s %8s %8s %8s %8s %8s %8s\n", "expert", "decided", "unclear", "seconds", "agreed",
           "gold", "calibr.");
    json_array_foreach(json_object_get(report, "reviewers"), i, one)
    {
        printf("%-20s %8lld %8lld %8s %8s %8s %8s\n", text_in(one, "user"),
               count_in(one, "decided"), count_in(one, "undeterminable"),
               seconds(one, "median_active_s", active), score(one, "double", "agreed", doubled),
               score(one, "gold", "right", gold), score(one, "calibration", "right", calibration));
    }
}

int cli_review_report(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *report = NULL;
    const char *user = NULL;
    const char *audit = NULL;
    int64_t from_us = 0;
    int64_t to_us = INT64_MAX;
    int rest = 0;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--user", .text = &user},
                    {.name = "--audit", .text = &audit}, {.name = "--from", .time_us = &from_us},
                    {.name = "--to", .time_us = &to_us}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "\"%.40s\" is one word too many", argv[1]);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_reviewer_report(db, user, audit, from_us, to_us, &report, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(report, stdout, err);
    print_report(report);
    return 0;
}

int cli_review_lead(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    bool take_back = false;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--take-back", .flag = &take_back},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say whom: okno review lead NAME");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : okno_review_set_lead(db, argv[1], !take_back, err);
}
