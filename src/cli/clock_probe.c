/* okno clock probe and fit: looks at archives' clocks, and the line through what was measured. */
#define _POSIX_C_SOURCE 200809L
#include "clock.h"
#include "options.h"

#include "okno/camera_clock.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <string.h>

static const char *finding_name(enum okno_clock_finding finding)
{
    return finding == OKNO_CLOCK_JUMPED  ? "jumped"
           : finding == OKNO_CLOCK_MOVED ? "moved"
                                         : "known";
}

static int print_look(const struct okno_archive_look *look, bool kept, bool json,
                      struct okno_err *err)
{
    double offset_ms = (double)look->clock.offset_us / 1000.0;
    double uncertainty_ms = (double)look->clock.uncertainty_us / 1000.0;
    bool stored = kept && look->finding != OKNO_CLOCK_KNOWN;
    if (!json) {
        printf("archive %s: %+.3f s +-%.3f s by %s%s%s\n", look->archive, offset_ms / 1000,
               uncertainty_ms / 1000, look->clock.method,
               look->finding == OKNO_CLOCK_JUMPED ? ", it was set since it was last measured" : "",
               stored ? ", stored" : "");
        return 0;
    }
    okno_autojson json_t *line = json_pack(
        "{s:s, s:o, s:f, s:f, s:s, s:s, s:b}", "archive", look->archive, "at",
        okno_json_time(look->at_us), "offset_ms", offset_ms, "uncertainty_ms", uncertainty_ms,
        "method", look->clock.method, "finding", finding_name(look->finding), "stored", stored);
    return okno_json_print(line, stdout, err);
}

/* Each archive; one that cannot be looked at takes no other with it. */
static int probe_all(struct okno_work *work, const char *only, bool keep, bool json,
                     struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_archive_row_vec) rows = {0};
    char author[128];
    size_t failed = 0, asked = 0;
    int rc = okno_registry_archives(okno_work_db(work), &rows, err);
    cli_author(author, sizeof(author));
    for (size_t i = 0; rc == 0 && i < rows.len; i++) {
        struct okno_archive_look look;
        struct okno_err why = {0};
        if (only && strcmp(only, rows.items[i].archive) != 0)
            continue;
        asked++;
        if (okno_look_archive(work, rows.items[i].archive, keep, author, &look, &why) == 0) {
            rc = print_look(&look, keep, json, err);
            continue;
        }
        if (only)
            return okno_fail_from(err, &why);
        failed++;
        (void)fprintf(stderr, "okno clock: %s\n", why.text);
    }
    if (rc == 0 && only && asked == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no archive %s", only);
    return rc == 0 && failed
               ? okno_fail(err, OKNO_PARTIAL, "%zu of %zu clocks could not be asked", failed, asked)
               : rc;
}

int clock_probe(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = NULL;
    bool keep = false, json = cli->json;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--apply", .flag = &keep},
                         {.name = "--json", .flag = &json});
    if (rc == 0 && rest > 1)
        rc = okno_fail(err, OKNO_USAGE, "write `okno clock probe [ARCHIVE] [--apply]`");
    if (rc == 0)
        rc = okno_work_open(cli->data_dir, cli->conf, &work, err);
    return rc < 0 ? rc : probe_all(work, rest == 1 ? argv[1] : NULL, keep, json, err);
}

static int print_fit(const char *target, const struct okno_clock_fit *fit, int64_t at_us, bool json,
                     struct okno_err *err)
{
    char at[OKNO_TIME_TEXT];
    double ahead = (double)(at_us - fit->at_us);
    double offset_ms = ((double)fit->offset_us + fit->rate_ppm * 1e-6 * ahead) / 1000;
    double away = ahead < 0 ? -ahead : ahead;
    double uncertainty_ms =
        ((double)fit->uncertainty_us + 2 * fit->rate_uncertainty_ppm * 1e-6 * away) / 1000;
    if (!json) {
        printf(
            "%s: %+.1f ppm +-%.1f (%+.2f s a day), by %zu measurements; at %s %+.3f s +-%.3f s\n",
            target, fit->rate_ppm, fit->rate_uncertainty_ppm, fit->rate_ppm * 0.0864, fit->count,
            okno_time_format(at_us, at), offset_ms / 1000, uncertainty_ms / 1000);
        return 0;
    }
    okno_autojson json_t *line = json_pack(
        "{s:s, s:f, s:f, s:I, s:o, s:f, s:f}", "target", target, "rate_ppm", fit->rate_ppm,
        "rate_uncertainty_ppm", fit->rate_uncertainty_ppm, "measurements", (json_int_t)fit->count,
        "at", okno_json_time(at_us), "offset_ms", offset_ms, "uncertainty_ms", uncertainty_ms);
    return okno_json_print(line, stdout, err);
}

int clock_fit(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_VEC(okno_clock_vec) clock = {0};
    struct okno_clock_fit fit = {0};
    int64_t at_us = okno_time_now();
    bool fits = false, json = cli->json;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--at", .time_us = &at_us},
                         {.name = "--json", .flag = &json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "write `okno clock fit TARGET [--at TIME]`");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_registry_clock(db, argv[1], &clock, err);
    if (rc == 0)
        rc = okno_clock_fit(clock.items, clock.len, &fits, &fit, err);
    if (rc == 0 && !fits)
        rc = okno_fail(err, OKNO_NOT_FOUND,
                       "%s has fewer than %d measurements since it was last set, or all within an "
                       "hour",
                       argv[1], OKNO_CLOCK_FIT_LEAST);
    return rc < 0 ? rc : print_fit(argv[1], &fit, at_us, json, err);
}
