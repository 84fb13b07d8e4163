/* okno kpi publish and published: figures that are handed out and can be made again. */
#include "published.h"

#include "dates.h"

#include "options.h"

#include "okno/conf.h"
#include "okno/kpi.h"
#include "okno/published.h"
#include "okno/time.h"

#include <string.h>

static int print_published(struct okno_db *db, const char *name, bool as_json, struct okno_err *err)
{
    okno_autojson json_t *published = NULL;
    int rc = okno_published_get(db, name, &published, err);
    if (rc < 0)
        return rc;
    if (as_json)
        return okno_json_print(published, stdout, err);
    printf("%s  as of %s  by %s\nSHA-256 %s\n", name,
           json_string_value(json_object_get(published, "at")),
           json_string_value(json_object_get(published, "author")),
           json_string_value(json_object_get(published, "sha256")));
    return okno_json_print(json_object_get(published, "figures"), stdout, err);
}

static int publish(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const struct okno_survey_params params = okno_survey_params_of(cli->conf);
    const char *by = NULL;
    const char *from = NULL;
    const char *to = NULL;
    char author[80];
    int rest = 0;
    struct okno_figures_query query = {.k = cli->conf->kpi.silent_weight,
                                       .fm_threshold = cli->conf->kpi.fm_threshold,
                                       .undeterminable_limit = cli->conf->kpi.undeterminable_limit,
                                       .min_n = cli->conf->kpi.min_n};
    cli_author(author, sizeof(author));
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .text = &from},
                         {.name = "--to", .text = &to}, {.name = "--by", .text = &by},
                         {.name = "--audit", .text = &query.audit},
                         {.name = "--compare", .text = &query.compare},
                         {.name = "--k", .real = &query.k}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE,
                       "say a name and the period: okno kpi publish NAME --from TIME --to TIME");
    if (rc == 0)
        rc = cli_take_period(from, to, &query, err);
    if (rc == 0)
        rc = okno_group_parse(by, &query.by, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_published_add(db, argv[1], &query, &params, author, okno_time_now(), err);
    return rc < 0 ? rc : print_published(db, argv[1], cli->json, err);
}

static int list(struct cli *cli, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *all = NULL;
    size_t i;
    json_t *one;
    int rc = okno_published_list(db, &all, err);
    json_array_foreach(all, i, one)
    {
        if (cli->json)
            rc = rc < 0 ? rc : okno_json_print(one, stdout, err);
        else
            cli_line("%-20s  %s  %s", json_string_value(json_object_get(one, "name")),
                     json_string_value(json_object_get(one, "at")),
                     json_string_value(json_object_get(one, "sha256")));
    }
    return rc;
}

static int verify(struct cli *cli, struct okno_db *db, const char *name, struct okno_err *err)
{
    int rc = okno_published_verify(db, name, err);
    if (rc < 0)
        return rc;
    if (!cli->json) {
        printf("%s: made again from what was known then: equal, byte for byte\n", name);
        return 0;
    }
    okno_autojson json_t *json = json_pack("{s:s, s:b}", "name", name, "equal", 1);
    return okno_json_print(json, stdout, err);
}

static int published(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    const char *action = rest > 0 ? argv[1] : "";
    bool lists = strcmp(action, "list") == 0 && rest == 1;
    bool shows = strcmp(action, "show") == 0 && rest == 2;
    bool verifies = strcmp(action, "verify") == 0 && rest == 2;
    if (rc == 0 && !lists && !shows && !verifies)
        rc = okno_fail(err, OKNO_USAGE,
                       "say published list, published show NAME or published "
                       "verify NAME");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    return lists   ? list(cli, db, err)
           : shows ? print_published(db, argv[2], cli->json, err)
                   : verify(cli, db, argv[2], err);
}

int cli_kpi_published(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    return strcmp(argv[0], "publish") == 0 ? publish(cli, argc, argv, err)
                                           : published(cli, argc, argv, err);
}
