#define _POSIX_C_SOURCE 200809L
#include "okno/comment.h"
#include "cli.h"
#include "known.h"
#include "options.h"

#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    struct okno_negative_filter filter;
    const char *text, *tags;
    bool open, reaction, json;
};

/* "A,B" into pieces, in place of the commas in `copy`. */
static size_t split(char *copy, const char *tags[OKNO_COMMENT_TAGS_MAX + 1])
{
    size_t count = 0;
    for (char *at = copy; at && *at && count <= OKNO_COMMENT_TAGS_MAX;) {
        tags[count++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
    return count;
}

static int add(struct okno_db *db, const char *rating, const struct choice *choice,
               struct okno_err *err)
{
    char author[80];
    char copy[400] = "";
    const char *tags[OKNO_COMMENT_TAGS_MAX + 1];
    int64_t id = 0;
    cli_author(author, sizeof(author));
    if (choice->tags && strlen(choice->tags) >= sizeof(copy))
        return okno_fail(err, OKNO_INVALID, "--tags is too long");
    (void)snprintf(copy, sizeof(copy), "%s", choice->tags ? choice->tags : "");
    struct okno_comment comment = {.rating = rating,
                                   .user = author,
                                   .text = choice->text ? choice->text : "",
                                   .tags = tags,
                                   .tag_count = split(copy, tags),
                                   .at_us = okno_time_now()};
    return okno_comment_add(db, &comment, &id, err);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static int print_negative(const json_t *one, bool json, struct okno_err *err)
{
    size_t i;
    const json_t *comment;
    if (json)
        return okno_json_print(one, stdout, err);
    printf("%s  %-20s site %-10s point %-10s employee %s\n", text_of(one, "answered_at"),
           text_of(one, "rating"), text_of(one, "site"), text_of(one, "point"),
           text_of(one, "employee"));
    const json_t *comments = json_object_get(one, "comments");
    json_array_foreach(comments, i, comment)
    {
        printf("    %s %s: %s\n", text_of(comment, "at"), text_of(comment, "user"),
               text_of(comment, "text"));
    }
    return 0;
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    okno_autojson json_t *page = NULL;
    size_t i;
    const json_t *one;
    struct okno_negative_filter filter = choice->filter;
    filter.commented = choice->open ? 0 : -1;
    int rc = okno_negative_list(db, &filter, &page, err);
    if (rc == 0 && !choice->json)
        rc = okno_json_calm(page, err);
    const json_t *negatives = json_object_get(page, "negatives");
    json_array_foreach(negatives, i, one)
    {
        rc = rc < 0 ? rc : print_negative(one, choice->json, err);
    }
    return rc;
}

static int reaction(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    okno_autojson json_t *all = NULL;
    size_t i;
    const json_t *one;
    int rc = okno_reaction(db, &choice->filter, &all, err);
    if (rc < 0 || choice->json)
        return rc < 0 ? rc : okno_json_print(all, stdout, err);
    const json_t *sites = json_object_get(all, "sites");
    json_array_foreach(sites, i, one)
    {
        printf("site %-12s negatives %lld commented %lld median %lld s p90 %lld s\n",
               text_of(one, "site"), number_of(one, "negatives"), number_of(one, "commented"),
               number_of(one, "median_s"), number_of(one, "p90_s"));
    }
    const json_t *tags = json_object_get(all, "tags");
    json_array_foreach(tags, i, one)
    {
        printf("tag  %-12s %lld\n", text_of(one, "tag"), number_of(one, "count"));
    }
    return 0;
}

static int run_verb(struct okno_db *db, int rest, char **argv, const struct choice *choice,
                    struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "add") == 0 && rest == 2)
        return add(db, argv[2], choice, err);
    bool lists = strcmp(verb, "list") == 0 && rest == 1;
    bool reacts = strcmp(verb, "reaction") == 0 && rest == 1;
    if (lists || reacts) {
        const struct okno_negative_filter *filter = &choice->filter;
        int rc = cli_check_known(db, filter->site, filter->point, filter->employee, err);
        return rc < 0 ? rc : lists ? list(db, choice, err) : reaction(db, choice, err);
    }
    return okno_fail(err, OKNO_USAGE,
                     "write `okno comment add RATING --text TEXT`, `okno comment list` or `okno "
                     "comment reaction`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.filter = OKNO_NEGATIVE_FILTER_ALL, .json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--text", .text = &choice.text},
        {.name = "--tags", .text = &choice.tags}, {.name = "--site", .text = &choice.filter.site},
        {.name = "--point", .text = &choice.filter.point},
        {.name = "--employee", .text = &choice.filter.employee},
        {.name = "--from", .time_us = &choice.filter.from_us},
        {.name = "--to", .time_us = &choice.filter.to_us},
        {.name = "--limit", .integer = &choice.filter.limit},
        {.name = "--open", .flag = &choice.open}, {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(db, rest, argv, &choice, err);
}

const struct cli_command cli_comment = {
    .name = "comment",
    .summary = "negative ratings and what staff say to them: add, list, reaction",
    .help =
        "usage: okno comment add RATING [--text TEXT] [--tags ID,ID]\n"
        "       okno comment list [--open] [--site ID] [--point ID] [--employee ID]\n"
        "                         [--from T] [--to T] [--limit N] [--json]\n"
        "       okno comment reaction [--from T] [--to T] [--site ID] [--json]\n"
        "\n"
        "A negative rating stays open until somebody comments on it. list: negative ratings,\n"
        "newest first, with their comments; --open: those without. add: a comment, a reason\n"
        "(a tag of conf/tags.json) or both; comments are never changed. reaction: how soon\n"
        "ratings were commented on, by site, and how often each tag was given.\n"
        "\n"
        "example: okno comment add D1.0.17 --text 'called back, new card sent' --tags SYSTEM\n",
    .run = run,
};
