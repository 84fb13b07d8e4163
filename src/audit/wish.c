/* What somebody wants to know of a frame, and how many to review for it. */
#include "okno/estimate.h"

#include "okno/mem.h"

#include <math.h>

static int check_share(const char *name, double value, bool with_zero, struct okno_err *err)
{
    if (isnan(value) || (value > 0 && value < 1) || (with_zero && value <= 0 && value >= 0))
        return 0;
    return okno_fail_field(err, OKNO_INVALID, name, "%s %g: between 0 and 1 is allowed", name,
                           value);
}

static int check(const struct okno_wish *wish, struct okno_err *err)
{
    const struct {
        const char *name;
        double value;
        bool with_zero;
    } shares[] = {{"width", wish->width, false},      {"share", wish->share, false},
                  {"level", wish->level, false},      {"rate", wish->rate, false},
                  {"expected", wish->expected, true}, {"tolerable", wish->tolerable, false},
                  {"risk", wish->risk, false}};
    for (size_t i = 0; i < OKNO_COUNT(shares); i++) {
        int rc = check_share(shares[i].name, shares[i].value, shares[i].with_zero, err);
        if (rc < 0)
            return rc;
    }
    if (wish->frame < 1 || wish->frame > OKNO_CELL_FRAME_MAX)
        return okno_fail_field(err, OKNO_INVALID, "frame",
                               "frame N, how many surveys there are: 1 to %lld is allowed",
                               (long long)OKNO_CELL_FRAME_MAX);
    if (isnan(wish->width) && isnan(wish->rate) && isnan(wish->tolerable))
        return okno_fail_field(err, OKNO_MISSING, "width",
                               "width, rate or tolerable: one of them says what is wanted");
    if (wish->expected >= wish->tolerable)
        return okno_fail_field(err, OKNO_INVALID, "expected",
                               "expected %g has to be less than tolerable %g", wish->expected,
                               wish->tolerable);
    return 0;
}

static void put(json_t *sizes, const char *name, int64_t size)
{
    (void)json_object_set_new(sizes, name, json_integer((json_int_t)size));
}

static void put_attribute(const struct okno_wish *wish, json_t *sizes)
{
    int64_t allowed = 0;
    int64_t size = okno_size_for_attribute(wish->expected, wish->tolerable, wish->risk, &allowed);
    put(sizes, "tolerable", size == 0 || size > wish->frame ? wish->frame : size);
    put(sizes, "allowed", allowed);
}

int okno_sizes(const struct okno_wish *wish, json_t **ret_sizes, struct okno_err *err)
{
    int rc = check(wish, err);
    if (rc < 0)
        return rc;
    json_t *sizes = json_object();
    if (!isnan(wish->width))
        put(sizes, "width",
            okno_size_for_width(wish->share, wish->width, wish->level, wish->frame));
    if (!isnan(wish->rate))
        put(sizes, "rate",
            okno_size_for_discovery((int64_t)ceil(wish->rate * (double)wish->frame - 1e-9),
                                    wish->frame, wish->risk));
    if (!isnan(wish->tolerable))
        put_attribute(wish, sizes);
    *ret_sizes = sizes;
    return 0;
}
