/* okno audit escalations: what audits found that calls for a closer look, and what comes of it. */
#include "audit.h"

#include "options.h"

#include "okno/escalation.h"
#include "okno/json.h"
#include "okno/text.h"
#include "okno/time.h"

#include <stdlib.h>

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static long long count_in(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static int list(struct cli *cli, struct okno_db *db, const char *audit, struct okno_err *err)
{
    okno_autojson json_t *found = NULL;
    size_t i;
    json_t *one;
    int rc = okno_escalation_list(db, audit, &found, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(found, stdout, err);
    json_array_foreach(json_object_get(found, "escalations"), i, one)
    {
        printf("%-5lld %-10s %-24s %-7s invalid %lld of %lld, at least %.1f %%",
               count_in(one, "escalation"), text_in(one, "state"), text_in(one, "scope"),
               text_in(one, "rule"), count_in(one, "invalid"), count_in(one, "reviewed"),
               100 * json_number_value(json_object_get(one, "low")));
        if (count_in(one, "items") > 0)
            printf("; targeted %lld, decided %lld, invalid %lld", count_in(one, "items"),
                   count_in(one, "decided"), count_in(one, "found"));
        printf("\n");
    }
    return 0;
}

int audit_escalations(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    const char *accept = NULL;
    const char *decline = NULL;
    const char *reason = NULL;
    int64_t items = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--accept", .text = &accept},
        {.name = "--decline", .text = &decline}, {.name = "--reason", .text = &reason},
        {.name = "--by", .text = &common.author}, {.name = "--json", .flag = &cli->json});
    const char *number = accept ? accept : decline;
    char *end = NULL;
    long long id = number ? strtoll(number, &end, 10) : 0;
    if (rc == 0 && (rest > 1 || (accept && decline) || (number && (id <= 0 || *end || rest > 0))))
        rc = okno_fail(err, OKNO_USAGE,
                       "say which audit's, or --accept NUMBER or --decline NUMBER with --reason");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (!number)
        return list(cli, db, rest > 0 ? argv[1] : NULL, err);
    rc = okno_escalation_decide(db, id, accept != NULL, reason,
                                cli_author_named(common.author, common.user, sizeof(common.user)),
                                okno_time_now(), &items, err);
    if (rc == 0)
        printf("%s: %lld %s for a targeted review\n", accept ? "accepted" : "declined",
               (long long)items, okno_text_form(items, "survey waits", "surveys wait"));
    return rc;
}
