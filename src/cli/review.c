/* okno review: the expert's queue from a terminal, under the rules of the page. */
#include "appeal.h"
#include "attribute.h"
#include "cli.h"
#include "options.h"
#include "reviewers.h"

#include "okno/conf.h"
#include "okno/hash.h"
#include "okno/review.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/user.h"

#include <stdlib.h>
#include <string.h>

struct review_args {
    const char *user, *audit, *lease, *verdict, *reason, *comment, *correction, *watched;
    double played_s;
    const char *item; /* the positional argument */
};

static int64_t lease_us(const struct cli *cli)
{
    return cli->conf->review.lease_min * 60 * OKNO_SECOND_US;
}

static int item_number(const struct review_args *a, int64_t *ret_item, struct okno_err *err)
{
    char *end = NULL;
    long long number = a->item ? strtoll(a->item, &end, 10) : 0;
    if (!a->item || number <= 0 || *end)
        return okno_fail(err, OKNO_USAGE, "say the item's number, as `okno review next` shows it");
    *ret_item = number;
    return 0;
}

static const char *text_in(const json_t *object, const char *inner, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, inner), key));
    return text ? text : "-";
}

static void print_item(const json_t *item)
{
    printf("item %lld  lease %s until %s\n", json_integer_value(json_object_get(item, "item")),
           json_string_value(json_object_get(item, "lease")),
           json_string_value(json_object_get(item, "lease_until")));
    printf("  survey   %s, %s\n", text_in(item, "survey", "id"),
           text_in(item, "survey", "point_name"));
    printf("  opened   %s\n", text_in(item, "survey", "opened_at"));
    printf("  answered %s\n", text_in(item, "survey", "answered_at"));
    printf("  video    %s\n", text_in(item, "video", "state"));
    printf("  clip     %s\n", text_in(item, "clip", "sha256"));
    printf("  still    %s\n", text_in(item, "still", "sha256"));
}

static int next(struct cli *cli, struct okno_db *db, const struct review_args *a,
                struct okno_err *err)
{
    okno_autojson json_t *item = NULL;
    int rc = okno_review_next(db, a->user, a->audit, lease_us(cli), okno_time_now(), &item, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(item, stdout, err);
    rc = okno_json_calm(item, err);
    if (rc < 0)
        return rc;
    print_item(item);
    return 0;
}

int cli_watched(const char *text, json_t **ret_watched, struct okno_err *err)
{
    enum { HEX = OKNO_SHA256_TEXT - 1 };
    okno_autojson json_t *watched = text ? json_array() : NULL;
    for (const char *at = text; at; at = at[HEX] ? at + HEX + 1 : NULL) {
        if (strspn(at, "0123456789abcdef") != HEX || (at[HEX] && at[HEX] != ','))
            return okno_fail_field(err, OKNO_INVALID, "watched",
                                   "watched takes the hashes of clip and still as `okno review "
                                   "next` shows them, with commas between");
        if (json_array_append_new(watched, json_stringn(at, HEX)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for what was watched");
    }
    *ret_watched = json_incref(watched);
    return 0;
}

static int submit(struct cli *cli, struct okno_db *db, const struct review_args *a,
                  struct okno_err *err)
{
    okno_autojson json_t *watched = NULL;
    int rc = cli_watched(a->watched, &watched, err);
    struct okno_review_verdict v = {.user = a->user,
                                    .lease = a->lease,
                                    .verdict = a->verdict,
                                    .reason = a->reason,
                                    .comment = a->comment,
                                    .correction = a->correction,
                                    .played_s = a->played_s,
                                    .watched = watched};
    int64_t id = 0;
    bool counted = false;
    if (rc == 0)
        rc = item_number(a, &v.item, err);
    if (rc == 0)
        rc = okno_review_submit(db, &v, okno_time_now(), &id, &counted, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json =
        json_pack("{s:I, s:b}", "verdict", (json_int_t)id, "counted", (int)counted);
    if (cli->json)
        return okno_json_print(json, stdout, err);
    printf("verdict %lld %s\n", (long long)id,
           counted ? "stored"
                   : "kept but not counted: the lease was over, or a later `next` took its place");
    return 0;
}

static int skip(struct cli *cli, struct okno_db *db, const struct review_args *a,
                struct okno_err *err)
{
    int64_t item = 0;
    (void)cli;
    int rc = item_number(a, &item, err);
    return rc < 0 ? rc
                  : okno_review_skip(db, item, a->user, a->lease, a->reason, okno_time_now(), err);
}

static int undo(struct cli *cli, struct okno_db *db, const struct review_args *a,
                struct okno_err *err)
{
    int64_t item = 0;
    int rc = okno_review_undo(db, a->user, lease_us(cli), okno_time_now(), &item, err);
    if (rc == 0)
        printf("item %lld is yours again: okno review next\n", (long long)item);
    (void)cli;
    return rc;
}

static const struct {
    const char *name;
    int (*run)(struct cli *, struct okno_db *, const struct review_args *, struct okno_err *);
} steps[] = {{"next", next}, {"submit", submit}, {"skip", skip}, {"undo", undo}};

/* Steps with options of their own. */
static const struct {
    const char *name;
    int (*run)(struct cli *, int, char **, struct okno_err *);
} others[] = {{"attribute", cli_review_attribute}, {"target", cli_review_target},
              {"appeal", cli_review_appeal},       {"appeals", cli_review_appeals},
              {"rule", cli_review_rule},           {"withdraw", cli_review_withdraw},
              {"gold", cli_review_gold},           {"calibration", cli_review_calibration},
              {"report", cli_review_report},       {"lead", cli_review_lead}};

/* The terminal asks for no password, yet only those may act who may on the page. */
int cli_check_reviewer(struct okno_db *db, const char *name, struct okno_err *err)
{
    struct okno_user user = {0};
    struct okno_err none = {0};
    char shown[OKNO_TEXT_SHOWN];
    (void)okno_text_show(name, shown);
    int rc = okno_user_get(db, name, &user, &none);
    if (rc == OKNO_NOT_FOUND || rc == OKNO_INVALID)
        return okno_fail(err, OKNO_FORBIDDEN, "there is no user \"%s\"", shown);
    if (rc < 0)
        return okno_fail(err, rc, "%s", none.text);
    if (user.disabled)
        return okno_fail(err, OKNO_FORBIDDEN, "user \"%s\" is disabled", shown);
    if (strcmp(user.role, "expert") != 0 && strcmp(user.role, "administrator") != 0)
        return okno_fail(err, OKNO_FORBIDDEN,
                         "user \"%s\" is %s; reviewing takes an expert or an administrator", shown,
                         user.role);
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct review_args a = {0};
    int rest = 0;
    for (size_t i = 0; argc > 1 && i < OKNO_COUNT(others); i++)
        if (strcmp(argv[1], others[i].name) == 0)
            return others[i].run(cli, argc - 1, argv + 1, err);
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--user", .text = &a.user},
        {.name = "--audit", .text = &a.audit}, {.name = "--lease", .text = &a.lease},
        {.name = "--verdict", .text = &a.verdict}, {.name = "--reason", .text = &a.reason},
        {.name = "--comment", .text = &a.comment}, {.name = "--correction", .text = &a.correction},
        {.name = "--played", .real = &a.played_s}, {.name = "--watched", .text = &a.watched},
        {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest < 1 || rest > 2 || !a.user))
        rc = okno_fail(err, OKNO_USAGE, "say a step and who you are: okno review next --user NAME");
    size_t step = 0;
    while (rc == 0 && step < OKNO_COUNT(steps) && strcmp(steps[step].name, argv[1]) != 0)
        step++;
    if (rc == 0 && step == OKNO_COUNT(steps))
        rc = okno_fail(
            err, OKNO_USAGE,
            "\"%.20s\" is no step; there are next, submit, skip, undo, target, attribute, appeal, "
            "appeals, rule, withdraw, gold, calibration, report, lead",
            argv[1]);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_check_reviewer(db, a.user, err);
    if (rc < 0)
        return rc;
    a.item = rest > 1 ? argv[2] : NULL;
    return steps[step].run(cli, db, &a, err);
}

const struct cli_command cli_review = {
    .name = "review",
    .summary = "the expert's queue from a terminal",
    .help =
        "usage: okno review next --user NAME [--audit ID] [--json]\n"
        "       okno review submit ITEM --user NAME --lease TOKEN --verdict V [--reason R]\n"
        "                   [--comment TEXT] [--correction FALSE_FM|FM_REACHES_BACK|NOT_ASKED]\n"
        "                   [--played SECONDS] [--watched HASHES]\n"
        "       okno review skip ITEM --user NAME --lease TOKEN --reason TEXT\n"
        "       okno review undo --user NAME\n"
        "       okno review target --survey ID --reason TEXT\n"
        "       okno review attribute --survey ID --employee ID|unassigned --reason TEXT\n"
        "                   [--user NAME]\n"
        "       okno review attribute --survey ID --undo --reason TEXT [--user NAME]\n"
        "       okno review appeal --survey ID --user NAME --asks valid|invalid|false_fm\n"
        "                   --comment TEXT\n"
        "       okno review appeals [--open] [--survey ID] [--json]\n"
        "       okno review rule APPEAL --user NAME\n"
        "       okno review rule APPEAL --user NAME --lease TOKEN --outcome accept|partly|reject\n"
        "                   --comment TEXT [--verdict V] [--reason R] [--correction C]\n"
        "                   [--watched HASHES]\n"
        "       okno review withdraw APPEAL --user NAME\n"
        "       okno review gold [--survey ID --user NAME [--note TEXT] [--retire]] [--json]\n"
        "       okno review calibration [ID --user NAME --surveys ID,ID,... [--title TEXT]] "
        "[--json]\n"
        "       okno review calibration ID --user NAME --close\n"
        "       okno review report [--user NAME] [--audit ID] [--from TIME] [--to TIME] [--json]\n"
        "       okno review lead NAME [--take-back]\n"
        "\n"
        "next leases the next item (exit 3 when nothing is left); submit decides it: valid,\n"
        "invalid or undeterminable, the last two with a reason. A decision after the lease is\n"
        "kept but not counted. Corrections go with valid: FALSE_FM clears the force majeure of\n"
        "all surveys of the situation; FM_REACHES_BACK confirms that one had begun before its\n"
        "first hold, within 10 minutes after the survey. --watched names what the decision rests\n"
        "on: the hashes of clip and still as next shows them, with commas; the files lie under\n"
        "them in DATA/evidence. Without it the report says that no picture was shown.\n"
        "\n"
        "target puts a survey or a spontaneous rating into the queue outside every sample and has\n"
        "its footage fetched.\n"
        "\n"
        "attribute is a manager's decision, not an expert's: it says who a survey is counted for,\n"
        "whatever the shifts say, and voids nothing; a newer one stands, --undo gives the survey\n"
        "back to the shifts. --user is who decides, by default the first administrator.\n"
        "\n"
        "appeal is for staff about their own surveys, and for managers: it says what a survey\n"
        "should count as, and why. rule takes an appeal and then decides it: somebody who never\n"
        "decided on the survey, within review.answer_days. accept makes it what was asked, partly\n"
        "what --verdict says, reject leaves what stands; that is final.\n"
        "\n"
        "gold makes a settled survey one whose truth is known: audits planned with --gold N mix N\n"
        "of them into their queue unseen. calibration makes a round that every expert decides\n"
        "before anything else. Neither ever enters a figure. Both take an administrator or an\n"
        "expert made lead. report tells how experts decide: speed, undeterminable ones, agreement\n"
        "with a second expert, gold and calibration; by name, never by score.\n"
        "\n"
        "example: okno review submit 12 --user eva --lease 5f3a... --verdict invalid \\\n"
        "             --reason STAFF_PRESSED --watched 49bc...,c3ab...\n",
    .run = run,
};
