#define _POSIX_C_SOURCE 200809L
/* okno audit plan: what is fixed before anything is known of the draw. */
#include "audit.h"
#include "dates.h"
#include "options.h"

#include "okno/audit.h"
#include "okno/conf.h"
#include "okno/time.h"

#include <string.h>

/* Words as typed. */
struct words {
    const char *from, *to, *invalid, *frame, *silent, *strata, *allocation, *expected;
};

/* One of two words. */
static int choose(const char *option, const char *word, const char *no, const char *yes,
                  bool *ret_chosen, struct okno_err *err)
{
    *ret_chosen = strcmp(word, yes) == 0;
    if (*ret_chosen || strcmp(word, no) == 0)
        return 0;
    return okno_fail(err, OKNO_USAGE, "%s takes %s or %s, not \"%.40s\"", option, no, yes, word);
}

static int choose_frame(const char *word, enum okno_frame *ret_frame, struct okno_err *err)
{
    int frame = okno_frame_find(word);
    if (frame < 0)
        return okno_fail(err, OKNO_USAGE,
                         "--frame takes one of: " OKNO_FRAME_WORDS ", not \"%.40s\"", word);
    *ret_frame = (enum okno_frame)frame;
    return 0;
}

static int read_words(const struct words *words, struct okno_audit_plan *plan, struct okno_err *err)
{
    struct okno_sampling *sampling = &plan->sampling;
    for (int c = 0; c < OKNO_CLASSES; c++)
        sampling->expected[c] = 0.1;
    int rc = choose("--invalid", words->invalid, "none", "silent", &plan->invalid_as_silent, err);
    if (rc == 0)
        rc = choose_frame(words->frame, &plan->frame, err);
    if (rc == 0)
        rc = choose("--silent", words->silent, "sampled", "known", &sampling->silent_known, err);
    if (rc == 0)
        rc = choose("--allocation", words->allocation, "proportional", "neyman", &sampling->neyman,
                    err);
    if (rc == 0)
        rc = okno_strata_parse(words->strata, &sampling->strata, err);
    return rc == 0 ? okno_expected_parse(words->expected, sampling->expected, err) : rc;
}

static int check_amounts(const struct words *words, struct okno_audit_plan *plan, int64_t looks,
                         struct okno_err *err)
{
    if (!words->from || !words->to || (plan->size < 0 && !(plan->sampling.half_width > 0)))
        return okno_fail(err, OKNO_USAGE,
                         "say the period and the size: --from TIME --to TIME --size N (or --width "
                         "E); dates of the sites' calendars are taken, too: --from 2026-03-01 --to "
                         "2026-04-01 (all of March)");
    if (plan->size < 0)
        plan->size = 0;
    if (plan->sampling.least < 0)
        plan->sampling.least = plan->sampling.strata ? 2 : 0;
    plan->looks = looks < 0 || looks > 1000 ? 0 : (int)looks;
    return 0;
}

static int parse(struct cli *cli, int argc, char **argv, struct audit_common *common,
                 struct words *words, struct okno_audit_plan *plan, struct okno_err *err)
{
    struct okno_sampling *sampling = &plan->sampling;
    int64_t looks = 1;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--from", .text = &words->from},
        {.name = "--to", .text = &words->to}, {.name = "--size", .integer = &plan->size},
        {.name = "--title", .text = &plan->title}, {.name = "--repeats", .text = &plan->repeats},
        {.name = "--show-answer", .flag = &plan->show_answer}, {.name = "--k", .real = &plan->k},
        {.name = "--level", .real = &plan->level}, {.name = "--looks", .integer = &looks},
        {.name = "--invalid", .text = &words->invalid}, {.name = "--frame", .text = &words->frame},
        {.name = "--silent", .text = &words->silent}, {.name = "--strata", .text = &words->strata},
        {.name = "--allocation", .text = &words->allocation},
        {.name = "--min-per-stratum", .integer = &sampling->least},
        {.name = "--width", .real = &sampling->half_width},
        {.name = "--expect", .text = &words->expected},
        {.name = "--with-replacement", .flag = &sampling->with_replacement},
        {.name = "--undeterminable-limit", .real = &plan->undeterminable_limit},
        {.name = "--fm-threshold", .real = &plan->fm_threshold},
        {.name = "--max-half-width", .real = &plan->max_half_width},
        {.name = "--escalate-more", .real = &plan->escalate.more},
        {.name = "--escalate-census", .real = &plan->escalate.census},
        {.name = "--escalate-count", .integer = &plan->escalate.count},
        {.name = "--double", .real = &plan->double_share},
        {.name = "--accept-retention", .text = &plan->accepted},
        {.name = "--accept-one-person", .text = &plan->one_person},
        {.name = "--gold", .integer = &plan->gold}, {.name = "--auditor", .text = &plan->auditor},
        {.name = "--by", .text = &common->author}, {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(common, rest, argv, "plan", err);
    if (rc == 0)
        rc = read_words(words, plan, err);
    return rc == 0 ? check_amounts(words, plan, looks, err) : rc;
}

int audit_plan(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    struct okno_audit_plan plan = {.title = "",
                                   .size = -1,
                                   .k = cli->conf->kpi.silent_weight,
                                   .undeterminable_limit = cli->conf->kpi.undeterminable_limit,
                                   .fm_threshold = cli->conf->kpi.fm_threshold,
                                   .sampling = {.least = -1},
                                   .level = 0.95};
    struct words words = {.invalid = "none",
                          .frame = "surveys",
                          .silent = "sampled",
                          .strata = "",
                          .allocation = "proportional",
                          .expected = ""};
    int rc = parse(cli, argc, argv, &common, &words, &plan, err);
    plan.audit = common.audit;
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_take_instants(db, words.from, words.to, &plan.from_us, &plan.to_us, err);
    if (rc == 0)
        rc = okno_audit_plan(db, &plan, common.author, okno_time_now(), err);
    return rc < 0 ? rc : audit_print(db, plan.audit, cli->json, err);
}
