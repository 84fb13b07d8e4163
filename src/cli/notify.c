#define _POSIX_C_SOURCE 200809L
#include "okno/notify.h"
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *destination, *state;
    int64_t limit;
    bool all, destinations, json;
    struct okno_notify_options options;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : "-";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_message(const json_t *one)
{
    printf("%6lld  %s  %-16s %-7s alert %-6lld %-7s attempts %lld  %s\n",
           number_of(one, "delivery"), text_of(one, "made_at"), text_of(one, "destination"),
           text_of(one, "kind"), number_of(one, "alert"), text_of(one, "state"),
           number_of(one, "attempts"), text_of(one, "reason"));
}

static void print_destination(const json_t *one)
{
    printf("%-16s %-8s %-7s waiting %lld held %lld dead %lld  last sent %s  %s\n",
           text_of(one, "destination"), text_of(one, "kind"),
           json_is_true(json_object_get(one, "enabled")) ? "on" : "at rest",
           number_of(one, "waiting"), number_of(one, "held"), number_of(one, "dead"),
           text_of(one, "last_sent_at"), text_of(one, "trouble"));
}

static int print_all(const json_t *list, bool json, void (*print)(const json_t *one),
                     struct okno_err *err)
{
    size_t i;
    const json_t *one;
    int rc = 0;
    json_array_foreach(list, i, one)
    {
        if (json && rc == 0)
            rc = okno_json_print(one, stdout, err);
        else if (!json)
            print(one);
    }
    return rc;
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    okno_autojson json_t *rows = NULL;
    int rc = choice->destinations ? okno_notify_destinations(db, &rows, err)
                                  : okno_notify_list(db, choice->destination, choice->state,
                                                     choice->limit, &rows, err);
    return rc < 0 ? rc
                  : print_all(rows, choice->json,
                              choice->destinations ? print_destination : print_message, err);
}

static int retry(struct okno_db *db, const char *number, const struct choice *choice,
                 struct okno_err *err)
{
    char *end = NULL;
    int64_t count = 0;
    long long delivery = number ? strtoll(number, &end, 10) : 0;
    if ((number && (end == number || *end || delivery < 1)) || (!number && !choice->all))
        return okno_fail(err, OKNO_USAGE, "say the number of a dead message, or --all");
    int rc =
        okno_notify_retry(db, delivery, choice->options.give_up_us, okno_time_now(), &count, err);
    if (rc == 0)
        printf("%lld wait again\n", (long long)count);
    return rc;
}

/* The state of one message; its reason into ret_reason. */
static int state_of(struct okno_db *db, int64_t delivery, char *ret_state, size_t size,
                    char *ret_reason, size_t reason_size, struct okno_err *err)
{
    okno_autojson json_t *rows = NULL;
    size_t i;
    const json_t *one;
    int rc = okno_notify_list(db, NULL, NULL, 1000, &rows, err);
    json_array_foreach(rows, i, one)
    {
        if (number_of(one, "delivery") != delivery)
            continue;
        (void)snprintf(ret_state, size, "%s", text_of(one, "state"));
        (void)snprintf(ret_reason, reason_size, "%s", text_of(one, "reason"));
    }
    return rc;
}

/* Queued like any message, and sent from here without waiting for a service: somebody watches. */
static int send_test(struct okno_db *db, const char *destination, const struct choice *choice,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_notify) *notify = NULL;
    int64_t delivery = 0;
    int64_t next_us = 0;
    char state[16] = "";
    char reason[240] = "";
    int64_t until_us = okno_time_monotonic() + 2 * choice->options.deadline_us;
    int rc = okno_notify_test(db, destination, &choice->options, okno_time_now(), &delivery, err);
    if (rc == 0)
        rc = okno_notify_open(db, &choice->options, &notify, err);
    while (rc == 0 && okno_time_monotonic() < until_us) {
        rc = okno_notify_turn(notify, okno_time_now(), OKNO_SECOND_US, &next_us, err);
        rc =
            rc < 0 ? rc : state_of(db, delivery, state, sizeof(state), reason, sizeof(reason), err);
        if (strcmp(state, "waiting") != 0 || strcmp(reason, "-") != 0)
            break;
    }
    if (rc < 0)
        return rc;
    if (strcmp(state, "sent") == 0)
        return printf("sent to %s\n", destination) < 0 ? OKNO_IO : 0;
    return okno_fail(err, OKNO_FAILED, "message %lld to %s is %s: %s", (long long)delivery,
                     destination, state, reason);
}

static int run_verb(struct okno_db *db, int rest, char **argv, const struct choice *choice,
                    struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "list") == 0 && rest == 1)
        return list(db, choice, err);
    if (strcmp(verb, "test") == 0 && rest == 2)
        return send_test(db, argv[2], choice, err);
    if (strcmp(verb, "retry") == 0 && rest <= 2)
        return retry(db, rest == 2 ? argv[2] : NULL, choice, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno notify list`, `okno notify test DESTINATION` or `okno notify "
                     "retry NUMBER`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {
        .limit = 100, .json = cli->json, .options = okno_notify_options_of(cli->conf)};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--destination", .text = &choice.destination},
        {.name = "--state", .text = &choice.state}, {.name = "--limit", .integer = &choice.limit},
        {.name = "--destinations", .flag = &choice.destinations},
        {.name = "--all", .flag = &choice.all}, {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(db, rest, argv, &choice, err);
}

const struct cli_command cli_notify = {
    .name = "notify",
    .summary = "messages about alerts: list, test, retry",
    .help =
        "usage: okno notify list [--destination ID] [--state waiting|held|merged|sent|dead]\n"
        "                        [--limit N] [--destinations] [--json]\n"
        "       okno notify test DESTINATION\n"
        "       okno notify retry NUMBER\n"
        "       okno notify retry --all\n"
        "\n"
        "Messages go to destinations (okno import destinations) that rules name (okno import\n"
        "alert_rules); the running service sends them. list: messages, newest first, with why\n"
        "one waits or is dead; --destinations: the destinations with what waits for each. test:\n"
        "send a message that says that it is a test, now. retry: dead messages wait again.\n"
        "docs/alerts.md walks through webhooks, Telegram and quiet hours.\n"
        "\n"
        "example: okno notify list --state dead\n",
    .run = run,
};
