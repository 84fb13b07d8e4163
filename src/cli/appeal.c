/* okno review appeal, appeals, rule, withdraw: from a terminal, under the rules of the page. */
#include "appeal.h"

#include "options.h"

#include "okno/appeal.h"
#include "okno/conf.h"
#include "okno/json.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

struct appeal_args {
    const char *survey, *user, *asks, *comment, *lease, *outcome, *verdict, *reason, *correction,
        *watched;
    bool open;
};

static int take_options(struct cli *cli, int argc, char **argv, struct appeal_args *a,
                        int64_t *ret_appeal, bool numbered, struct okno_err *err)
{
    int rest = 0;
    char *end = NULL;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--survey", .text = &a->survey},
        {.name = "--user", .text = &a->user}, {.name = "--asks", .text = &a->asks},
        {.name = "--comment", .text = &a->comment}, {.name = "--lease", .text = &a->lease},
        {.name = "--outcome", .text = &a->outcome}, {.name = "--verdict", .text = &a->verdict},
        {.name = "--reason", .text = &a->reason}, {.name = "--correction", .text = &a->correction},
        {.name = "--watched", .text = &a->watched}, {.name = "--open", .flag = &a->open},
        {.name = "--json", .flag = &cli->json});
    if (rc < 0)
        return rc;
    *ret_appeal = numbered && rest == 1 ? strtoll(argv[1], &end, 10) : 0;
    if (rest != (int)numbered || (numbered && (*ret_appeal <= 0 || *end)))
        return okno_fail(err, OKNO_USAGE,
                         numbered ? "say the appeal's number, as `okno review appeals` shows it"
                                  : "\"%.40s\" is one word too many",
                         argv[1]);
    return 0;
}

static int need_user(const struct appeal_args *a, struct okno_err *err)
{
    return a->user ? 0 : okno_fail(err, OKNO_USAGE, "say who you are: --user NAME");
}

int cli_review_appeal(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct appeal_args a = {0};
    int64_t id = 0;
    int rc = take_options(cli, argc, argv, &a, &id, false, err);
    if (rc == 0)
        rc = need_user(&a, err);
    if (rc == 0 && (!a.survey || !a.asks))
        rc = okno_fail(err, OKNO_USAGE,
                       "say which, what and why: --survey ID --asks valid|invalid|false_fm "
                       "--comment TEXT");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    const struct okno_appeal appeal = {
        .survey = a.survey,
        .user = a.user,
        .asks = a.asks,
        .comment = a.comment,
        .times = {.file_us = cli->conf->review.appeal_days * OKNO_DAY_US,
                  .decide_us = cli->conf->review.answer_days * OKNO_DAY_US},
        .at_us = okno_time_now()};
    rc = okno_appeal_add(db, &appeal, &id, err);
    if (rc < 0)
        return rc;
    if (cli->json) {
        okno_autojson json_t *json = json_pack("{s:I}", "appeal", (json_int_t)id);
        return okno_json_print(json, stdout, err);
    }
    printf("appeal %lld waits for its decision\n", (long long)id);
    return 0;
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

int cli_review_appeals(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    struct appeal_args a = {0};
    int64_t none = 0;
    size_t i;
    json_t *one;
    int rc = take_options(cli, argc, argv, &a, &none, false, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    const struct okno_appeal_filter filter = {.survey = a.survey, .open = a.open ? 1 : -1};
    if (rc == 0)
        rc = okno_appeal_list(db, &filter, okno_time_now(), &list, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(list, stdout, err);
    json_array_foreach(json_object_get(list, "appeals"), i, one)
    {
        printf("%-6lld %-9s %-24s %-20s asks %-8s due %s  %s\n",
               (long long)json_integer_value(json_object_get(one, "appeal")), text_in(one, "state"),
               text_in(one, "survey"), text_in(one, "user"), text_in(one, "asks"),
               text_in(one, "due_at"), text_in(one, "outcome"));
    }
    return 0;
}

static int decide(struct okno_db *db, int64_t appeal, const struct appeal_args *a,
                  struct okno_err *err)
{
    okno_autojson json_t *watched = NULL;
    int rc = cli_watched(a->watched, &watched, err);
    const struct okno_appeal_decision decision = {.appeal = appeal,
                                                  .user = a->user,
                                                  .lease = a->lease,
                                                  .outcome = a->outcome,
                                                  .comment = a->comment,
                                                  .verdict = a->verdict,
                                                  .reason = a->reason,
                                                  .correction = a->correction,
                                                  .watched = watched};
    if (rc == 0)
        rc = okno_appeal_decide(db, &decision, okno_time_now(), err);
    if (rc == 0)
        printf("appeal %lld: %s\n", (long long)appeal, a->outcome);
    return rc;
}

static int take(struct cli *cli, struct okno_db *db, int64_t appeal, const char *user,
                struct okno_err *err)
{
    okno_autojson json_t *item = NULL;
    int64_t lease_us = cli->conf->review.lease_min * 60 * OKNO_SECOND_US;
    int rc = okno_appeal_take(db, appeal, user, lease_us, okno_time_now(), &item, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(item, stdout, err);
    rc = okno_json_calm(item, err);
    if (rc < 0)
        return rc;
    const json_t *about = json_object_get(item, "appeal");
    printf("appeal %lld  lease %s until %s\n", (long long)appeal, text_in(item, "lease"),
           text_in(item, "lease_until"));
    printf("  survey   %s\n", text_in(json_object_get(item, "survey"), "id"));
    printf("  against  %s %s\n", text_in(about, "verdict"), text_in(about, "reason"));
    printf("  asks     %s\n  comment  %s\n", text_in(about, "asks"), text_in(about, "comment"));
    printf("  clip     %s\n", text_in(json_object_get(item, "clip"), "sha256"));
    return 0;
}

int cli_review_rule(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct appeal_args a = {0};
    int64_t appeal = 0;
    int rc = take_options(cli, argc, argv, &a, &appeal, true, err);
    if (rc == 0)
        rc = need_user(&a, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_check_reviewer(db, a.user, err);
    if (rc < 0)
        return rc;
    return a.outcome ? decide(db, appeal, &a, err) : take(cli, db, appeal, a.user, err);
}

int cli_review_withdraw(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct appeal_args a = {0};
    int64_t appeal = 0;
    int rc = take_options(cli, argc, argv, &a, &appeal, true, err);
    if (rc == 0)
        rc = need_user(&a, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : okno_appeal_withdraw(db, appeal, a.user, okno_time_now(), err);
}
