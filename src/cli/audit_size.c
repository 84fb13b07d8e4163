/* okno audit size: how many surveys to review, for a plan. */
#include "audit.h"
#include "options.h"

#include "okno/estimate.h"
#include "okno/json.h"

#include <math.h>

struct wish {
    int64_t frame;
    double width, share; /* half-width of an interval around a share */
    double level;
    double rate; /* of invalid ones, at least one of which is to be seen */
    double expected, tolerable;
    double risk;
};

static int check_share(const char *name, double value, bool with_zero, struct okno_err *err)
{
    if (isnan(value) || (value > 0 && value < 1) || (with_zero && value <= 0 && value >= 0))
        return 0;
    return okno_fail(err, OKNO_USAGE, "%s %g: between 0 and 1 is allowed", name, value);
}

static int check(const struct wish *wish, struct okno_err *err)
{
    int rc = check_share("--width", wish->width, false, err);
    if (rc == 0)
        rc = check_share("--share", wish->share, false, err);
    if (rc == 0)
        rc = check_share("--level", wish->level, false, err);
    if (rc == 0)
        rc = check_share("--rate", wish->rate, false, err);
    if (rc == 0)
        rc = check_share("--expected", wish->expected, true, err);
    if (rc == 0)
        rc = check_share("--tolerable", wish->tolerable, false, err);
    if (rc == 0)
        rc = check_share("--risk", wish->risk, false, err);
    if (rc == 0 && (wish->frame < 1 || wish->frame > OKNO_CELL_FRAME_MAX))
        rc = okno_fail(err, OKNO_USAGE, "say how many surveys there are: --frame N, 1 to %lld",
                       (long long)OKNO_CELL_FRAME_MAX);
    if (rc == 0 && isnan(wish->width) && isnan(wish->rate) && isnan(wish->tolerable))
        rc = okno_fail(err, OKNO_USAGE, "say what is wanted: --width, --rate or --tolerable");
    if (rc == 0 && wish->expected >= wish->tolerable)
        rc = okno_fail(err, OKNO_USAGE, "--expected %g has to be less than --tolerable %g",
                       wish->expected, wish->tolerable);
    return rc;
}

static int put(json_t *sizes, const char *name, int64_t size, struct okno_err *err)
{
    if (json_object_set_new(sizes, name, json_integer((json_int_t)size)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sizes");
    return 0;
}

static int put_attribute(const struct wish *wish, json_t *sizes, struct okno_err *err)
{
    int64_t allowed = 0;
    int64_t size = okno_size_for_attribute(wish->expected, wish->tolerable, wish->risk, &allowed);
    if (size == 0 || size > wish->frame)
        size = wish->frame;
    int rc = put(sizes, "tolerable", size, err);
    return rc < 0 ? rc : put(sizes, "allowed", allowed, err);
}

static int calculate(const struct wish *wish, json_t *sizes, struct okno_err *err)
{
    int rc = 0;
    if (!isnan(wish->width))
        rc = put(sizes, "width",
                 okno_size_for_width(wish->share, wish->width, wish->level, wish->frame), err);
    if (rc == 0 && !isnan(wish->rate))
        rc = put(sizes, "rate",
                 okno_size_for_discovery((int64_t)ceil(wish->rate * (double)wish->frame - 1e-9),
                                         wish->frame, wish->risk),
                 err);
    if (rc == 0 && !isnan(wish->tolerable))
        rc = put_attribute(wish, sizes, err);
    return rc;
}

static long long size_of(const json_t *sizes, const char *name)
{
    return (long long)json_integer_value(json_object_get(sizes, name));
}

static void print_human(const struct wish *wish, const json_t *sizes)
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
    struct wish wish = {
        .width = NAN, .share = 0.5, .level = 0.95, .rate = NAN, .tolerable = NAN, .risk = 0.05};
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
    if (rc == 0)
        rc = check(&wish, err);
    okno_autojson json_t *sizes = json_object();
    if (rc == 0)
        rc = calculate(&wish, sizes, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(sizes, stdout, err);
    print_human(&wish, sizes);
    return 0;
}
