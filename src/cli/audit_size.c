/* okno audit size: how many surveys to review, for a plan. */
#include "audit.h"
#include "options.h"

#include "okno/estimate.h"
#include "okno/json.h"

#include <math.h>

static long long size_of(const json_t *sizes, const char *name)
{
    return (long long)json_integer_value(json_object_get(sizes, name));
}

static void print_human(const struct okno_wish *wish, const json_t *sizes)
{
    if (!isnan(wish->width))
        printf("%lld  to know a share near %g to +-%g at %g %%\n", size_of(sizes, "width"),
               wish->share, wish->width, wish->level * 100);
    if (!isnan(wish->rate))
        printf("%lld  to see at least one if %g %% are invalid, with a risk of %g %%\n",
               size_of(sizes, "rate"), wish->rate * 100, wish->risk * 100);
    if (!isnan(wish->tolerable))
        printf("%lld  to rule out %g %% invalid if %g %% are found (%lld), with a risk of %g %%\n",
               size_of(sizes, "tolerable"), wish->tolerable * 100, wish->expected * 100,
               size_of(sizes, "allowed"), wish->risk * 100);
}

int audit_size(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_wish wish = OKNO_WISH;
    struct okno_err why = {0};
    okno_autojson json_t *sizes = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--frame", .integer = &wish.frame},
        {.name = "--width", .real = &wish.width}, {.name = "--share", .real = &wish.share},
        {.name = "--level", .real = &wish.level}, {.name = "--rate", .real = &wish.rate},
        {.name = "--expected", .real = &wish.expected},
        {.name = "--tolerable", .real = &wish.tolerable}, {.name = "--risk", .real = &wish.risk},
        {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "size takes options only");
    if (rc == 0 && okno_sizes(&wish, &sizes, &why) < 0)
        rc = okno_fail(err, OKNO_USAGE, "--%s", why.text);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(sizes, stdout, err);
    print_human(&wish, sizes);
    return 0;
}
