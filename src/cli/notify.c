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
    char behind[40] = "";
    if (number_of(one, "behind"))
        (void)snprintf(behind, sizeof(behind), "  behind %lld", number_of(one, "behind"));
    cli_line("%6lld  %s  %-16s %-7s alert %-6lld %-7s attempts %lld  %s%s",
             number_of(one, "delivery"), text_of(one, "made_at"), text_of(one, "destination"),
             text_of(one, "kind"), number_of(one, "alert"), text_of(one, "state"),
             number_of(one, "attempts"), text_of(one, "reason"), behind);
}

static void print_destination(const json_t *one)
{
    cli_line("%-16s %-8s %-7s waiting %lld held %lld dead %lld  last sent %s  %s",
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

/* Where a message stands that did not go out: what it waits for, and when it is tried. */
static int tell_waiting(struct okno_db *db, const json_t *one, struct okno_err *err)
{
    okno_autojson json_t *before = NULL;
    long long behind = number_of(one, "behind");
    const char *reason = text_of(one, "reason");
    if (strcmp(text_of(one, "state"), "waiting") != 0)
        return okno_fail(err, OKNO_FAILED, "message %lld to %s is %s: %s",
                         number_of(one, "delivery"), text_of(one, "destination"),
                         text_of(one, "state"), reason);
    if (!behind)
        return okno_fail(err, OKNO_FAILED, "message %lld to %s is waiting: %s; tried again at %s",
                         number_of(one, "delivery"), text_of(one, "destination"),
                         strcmp(reason, "-") == 0 ? "another process is sending it" : reason,
                         text_of(one, "next_at"));
    int rc = okno_notify_get(db, behind, &before, err);
    return rc < 0 ? rc
                  : okno_fail(err, OKNO_FAILED,
                              "message %lld to %s waits for message %lld (%.160s), which is tried "
                              "next at %s",
                              number_of(one, "delivery"), text_of(one, "destination"), behind,
                              text_of(before, "reason"), text_of(before, "next_at"));
}

/* Nothing comes of it by itself any more, or it waits for another. */
static bool is_settled(const json_t *one)
{
    return strcmp(text_of(one, "state"), "waiting") != 0 || number_of(one, "behind") ||
           strcmp(text_of(one, "reason"), "-") != 0;
}

/* Queued like any message, and sent from here without waiting for a service: somebody watches. */
static int send_test(struct okno_db *db, const char *destination, const struct choice *choice,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_notify) *notify = NULL;
    okno_autojson json_t *one = NULL;
    int64_t delivery = 0;
    int64_t next_us = 0;
    int64_t until_us = okno_time_monotonic() + 2 * choice->options.deadline_us;
    int rc = okno_notify_test(db, destination, &choice->options, okno_time_now(), &delivery, err);
    if (rc == 0)
        rc = okno_notify_open(db, &choice->options, &notify, err);
    while (rc == 0 && okno_time_monotonic() < until_us && (!one || !is_settled(one))) {
        json_decref(okno_mem_take(&one));
        rc = okno_notify_turn(notify, okno_time_now(), OKNO_SECOND_US, &next_us, err);
        rc = rc < 0 ? rc : okno_notify_get(db, delivery, &one, err);
    }
    if (rc < 0)
        return rc;
    if (one && strcmp(text_of(one, "state"), "sent") == 0)
        return printf("sent to %s\n", destination) < 0 ? OKNO_IO : 0;
    return tell_waiting(db, one, err);
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
        "docs/alerts.md walks through webhooks, Telegram, e-mail and quiet hours.\n"
        "\n"
        "example: okno notify list --state dead\n",
    .media = true, /* photos whose masks stand are copied without what those hide */
    .run = run,
};
