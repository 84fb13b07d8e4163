#define _POSIX_C_SOURCE 200809L
/* okno audit: the steps of an audit, one after the other. */
#include "audit.h"
#include "cli.h"
#include "options.h"
#include "refresh.h"

#include "okno/audit.h"
#include "okno/bundle.h"
#include "okno/conf.h"
#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/time.h"

#include <string.h>

#define EXPORT_PATIENCE_US INT64_C(3600000000) /* for another export of the audit */

struct step {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv, struct okno_err *err);
};

int audit_common_end(struct audit_common *common, int rest, char **argv, const char *step,
                     struct okno_err *err)
{
    if (rest != 1)
        return okno_fail(err, OKNO_USAGE, "say one audit: okno audit %s AUDIT", step);
    common->audit = argv[1];
    common->author = cli_author_named(common->author, common->user, sizeof(common->user));
    return 0;
}

/* ---- steps ---- */

static int run_freeze(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    struct okno_audit_accepted accepted = {0};
    char sha256[OKNO_SHA256_TEXT];
    int64_t size = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--by", .text = &common.author},
                         {.name = "--accept-unheard", .text = &accepted.unheard},
                         {.name = "--accept-fm", .text = &accepted.fm},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "freeze", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_refresh_surveys(cli, db, err);
    if (rc == 0)
        rc = okno_audit_freeze_with(db, common.audit, common.author, &accepted, okno_time_now(),
                                    &size, sha256, err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_seed(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    const char *seed = "";
    const char *how = "";
    const char *witnesses = "";
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--seed", .text = &seed},
                         {.name = "--how", .text = &how}, {.name = "--witness", .text = &witnesses},
                         {.name = "--by", .text = &common.author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "seed", err);
    if (rc == 0 && !*seed)
        rc = okno_fail(err, OKNO_USAGE, "say the seed: --seed S, 20 to 256 printable characters");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_seed(db, common.audit, seed, how, witnesses, common.author, okno_time_now(),
                             err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_checkpoint(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct audit_common common = {.author = NULL};
    const char *path = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "-o", .text = &path},
                         {.name = "--by", .text = &common.author});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "checkpoint", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_checkpoint(db, common.audit, common.author, okno_time_now(), &note, err);
    if (rc < 0)
        return rc;
    rc = cli_put(path, &note, err);
    if (rc < 0)
        okno_err_context(err,
                         "the checkpoint is made; `okno log checkpoint --audit %s` gives it "
                         "again",
                         common.audit);
    return rc;
}

static int run_close(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    const char *note = "";
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--note", .text = &note},
                         {.name = "--by", .text = &common.author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "close", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_close(db, common.audit, note, common.author, okno_time_now(), err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static void tell_waiting(void *context, const char *what)
{
    (void)context;
    fprintf(stderr, "%s\n", what);
}

static int run_export(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    int rest = 0;
    struct okno_bundle_request request = {.patience_us = EXPORT_PATIENCE_US,
                                          .waiting = tell_waiting,
                                          .fm_threshold = cli->conf->kpi.fm_threshold,
                                          .undeterminable_limit =
                                              cli->conf->kpi.undeterminable_limit,
                                          .min_n = cli->conf->kpi.min_n};
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "-o", .text = &request.dir},
                         {.name = "--public", .flag = &request.open_to_all},
                         {.name = "--lang", .text = &request.lang},
                         {.name = "--with-evidence", .flag = &request.with_evidence},
                         {.name = "--unsigned", .flag = &request.unsigned_too},
                         {.name = "--by", .text = &common.author});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "export", err);
    if (rc == 0 && !request.dir)
        rc = okno_fail(err, OKNO_USAGE, "say the folder to make: -o FOLDER");
    request.audit = common.audit;
    request.author = common.author;
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_bundle_export(db, &request, okno_time_now(), err);
    if (rc == 0)
        printf("%s is written: `okno verify %s` recomputes it\n", request.dir, request.dir);
    return rc;
}

static int run_draw(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    int64_t size = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--by", .text = &common.author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "draw", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_draw(db, common.audit, common.author, okno_time_now(), &size, err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_extend(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    int64_t asked = 0;
    int64_t size = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--size", .integer = &asked},
                         {.name = "--by", .text = &common.author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "extend", err);
    if (rc == 0 && asked == 0)
        rc = okno_fail(err, OKNO_USAGE, "say how many more: --size N");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_extend(db, common.audit, asked, common.author, okno_time_now(), &size, err);
    if (rc == 0 && size < asked)
        (void)fprintf(stderr,
                      "okno audit extend: only %lld of the %lld could be drawn: nothing is left\n",
                      (long long)size, (long long)asked);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_abandon(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    const char *reason = "";
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--reason", .text = &reason},
                         {.name = "--by", .text = &common.author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "abandon", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_abandon(db, common.audit, reason, common.author, okno_time_now(), err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_status(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct audit_common common = {.author = NULL};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = audit_common_end(&common, rest, argv, "status", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : audit_print(db, common.audit, cli->json, err);
}

static int run_list(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "list takes no arguments");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_audit_list(db, &list, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    rc = okno_json_calm(list, err);
    if (rc < 0)
        return rc;
    audit_print_list(list);
    return 0;
}

static const struct step steps[] = {{"plan", audit_plan},
                                    {"freeze", run_freeze},
                                    {"checkpoint", run_checkpoint},
                                    {"seed", run_seed},
                                    {"draw", run_draw},
                                    {"extend", run_extend},
                                    {"abandon", run_abandon},
                                    {"close", run_close},
                                    {"export", run_export},
                                    {"status", run_status},
                                    {"escalations", audit_escalations},
                                    {"list", run_list},
                                    {"size", audit_size},
                                    {"key", audit_key},
                                    {"sign", audit_sign},
                                    {"report", audit_report}};

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < OKNO_COUNT(steps); i++) {
        if (strcmp(steps[i].name, name) == 0) {
            argv[1] = argv[0]; /* messages name the command */
            return steps[i].run(cli, argc - 1, argv + 1, err);
        }
    }
    return okno_fail(err, OKNO_USAGE,
                     "`%.40s` is no step; there are plan, freeze, checkpoint, seed, draw, extend, "
                     "close, abandon, report, sign, export, status, list, escalations, key, size",
                     name);
}

const struct cli_command cli_audit = {
    .name = "audit",
    .summary =
        "an audit step by step: plan, freeze, checkpoint, seed, draw, extend, close, report, "
        "export",
    .help =
        "usage: okno audit plan AUDIT --from TIME --to TIME --size N [--title T] [--show-answer]\n"
        "                       [--k K] [--level L] [--looks M] [--invalid none|silent]\n"
        "                       [--silent sampled|known]\n"
        "                       [--frame WORD] [--double SHARE] [--gold N]\n"
        "                       [--auditor NAME] [--repeats EARLIER]\n"
        "                       [--strata WORDS] [--allocation proportional|neyman]\n"
        "                       [--min-per-stratum N] [--width E in place of --size]\n"
        "                       [--expect SHARES] [--with-replacement]\n"
        "                       [--undeterminable-limit P] [--max-half-width E]\n"
        "                       [--fm-threshold F]\n"
        "       okno audit freeze AUDIT [--accept-unheard REASON] [--accept-fm REASON]\n"
        "       okno audit checkpoint AUDIT [-o FILE]\n"
        "       okno audit seed AUDIT --seed S [--how TEXT] [--witness NAMES]\n"
        "       okno audit draw AUDIT\n"
        "       okno audit extend AUDIT --size N\n"
        "       okno audit close AUDIT [--note TEXT]\n"
        "       okno audit abandon AUDIT --reason TEXT\n"
        "       okno audit report AUDIT [--format html|pdf|xlsx|csv|json] [--lang en|ru] [-o "
        "FILE]\n"
        "                       [--public] [--draft] [--again] [--edition N]\n"
        "                       [--opinion unqualified|qualified|adverse|disclaimer]\n"
        "                       [--statement TEXT] [--objective TEXT] [--findings FILE]\n"
        "       okno audit sign AUDIT [--manifest [-o FILE] | --signature FILE]\n"
        "       okno audit export AUDIT -o FOLDER [--public | --with-evidence] [--unsigned]\n"
        "                       [--lang en|ru]\n"
        "       okno audit status AUDIT\n"
        "       okno audit list\n"
        "       okno audit escalations [AUDIT] [--json]\n"
        "       okno audit escalations --accept|--decline NUMBER --reason TEXT\n"
        "       okno audit key add NAME FILE | list | revoke FINGERPRINT\n"
        "       okno audit size --frame N [--width E [--share P] [--level L]] [--rate R]\n"
        "                       [--tolerable T [--expected E]] [--risk R]\n"
        "\n"
        "`size` says how many of N surveys to review for a plan: to know a share near P to +-E;\n"
        "to see at least one invalid where a share R of them is; or, with the expected share\n"
        "found, to rule out a share of T. It needs no database.\n"
        "\n"
        "The steps come in this order; only extend, report and export repeat:\n"
        "  plan    fixes the period (surveys opened in it), the size of the sample, what experts\n"
        "          see and how figures are made, before anything is known of the draw\n"
        "  freeze  lists every closed survey of the period that is not voided, with a hash\n"
        "          Refused while panels may still have answers to tell or devices miss running\n"
        "          numbers of the period, unless that is accepted with a reason, which is kept;\n"
        "          and while force majeure makes its indicators not advisable (--fm-threshold of\n"
        "          the plan, default kpi.fm_threshold, 0: never), unless --accept-fm says why\n"
        "  checkpoint  signs the evidence log, which now tells the frame's hash; give the file to\n"
        "          somebody outside before the seed is known (`okno log checkpoint --audit AUDIT`\n"
        "          gives it again)\n"
        "  seed    stores 20 to 256 printable characters that nobody could choose: rolled dice,\n"
        "          a public beacon; how they came about and who saw it\n"
        "  draw    draws the sample, queues it for review and has its footage fetched;\n"
        "          `okno sample` repeats the draw from the frame's ids\n"
        "  extend  draws the next N of the same order: a further round, as many in all as the "
        "plan\n"
        "          has looks; the level of every interval was split over them beforehand\n"
        "  abandon ends an audit that leads nowhere; it stays in every list, with the reason\n",
    .more =
        "  close   ends the audit once every survey of the sample has its decision\n"
        "  report  issues the report: its model is kept, its hash enters the log, and every "
        "format\n"
        "          made of it later is the same. Before the audit is closed it is a draft. "
        "--again\n"
        "          issues a further edition; --public leaves names and comments out. FILE of\n"
        "          --findings is a JSON array of {\"finding\", \"owner\", \"due\", \"action\"}\n"
        "  sign    the auditor signs outside okno: --manifest gives what to sign, --signature "
        "takes\n"
        "          what `minisign -S` or `ssh-keygen -Y sign -n okno-audit` made of it\n"
        "  export  writes the bundle that anybody can recompute (`okno verify`): --public leaves "
        "out\n"
        "          comments, witnesses and how the seed came about; --with-evidence adds the "
        "files\n"
        "          that experts watched\n"
        "\n"
        "  --from, --to    times with zones, or the sites' dates; the day of --to is not meant\n"
        "  --k K           weight of a silent survey, 0..1 (default: kpi.silent_weight)\n"
        "  --level L       level of intervals (default: 0.95)\n"
        "  --looks M       intervals meant to be looked at; each gets wider (default: 1)\n"
        "  --frame WORD    what is drawn from: surveys (default), spontaneous (ratings),\n"
        "                  transactions (sales that a till told of) or minutes (of the points'\n"
        "                  opening hours); the last two tell how many customers were never asked\n"
        "  --strata WORDS  what is drawn apart: site, point, day (of the site's calendar), "
        "answer,\n"
        "                  or several joined by commas (default: none)\n"
        "  --allocation W  in proportion to the surveys of each stratum (default), or neyman: "
        "more\n"
        "                  where more spread is expected\n"
        "  --min-per-stratum N  of each at least so many (default with strata: 2)\n"
        "  --width E       as many as make the share of invalid ones known to +-E\n"
        "  --expect SHARES share of invalid ones expected by answer, for neyman and --width, as "
        "in\n"
        "                  yes=0.2,no=0.05 (default: 0.1 of each)\n"
        "  --with-replacement  a survey drawn goes back and counts as often as it is drawn\n"
        "  --undeterminable-limit P  a larger share without a result: only worst cases are given\n"
        "                  (default: kpi.undeterminable_limit)\n"
        "  --max-half-width E  a figure whose interval is wider than +-E is marked too_wide and\n"
        "                  qualifies the opinion; status says how many more to draw\n"
        "  --accept-retention REASON  plan though a camera overwrites the start of the period\n"
        "                  less than a day after the earliest draw; refused otherwise\n"
        "  --escalate-more P  lower bound of an employee's or point's invalid share above which\n"
        "                  the close proposes to look at --escalate-count more (default: 0.10; "
        "10);\n"
        "                  above --escalate-census at all of the period (default: 0.25); 1: never\n"
        "  --silent WORD   sampled (default), or known: silent surveys are taken as genuine and\n"
        "                  none is drawn; figures say what they would be if none were genuine\n"
        "  --repeats AUDIT the earlier audit whose findings this one looks at again\n"
        "  --invalid WORD  an invalid rating counts as none (default) or as a silent survey\n"
        "  --double SHARE  of each round, decided by two experts apart from each other, 0..1; "
        "where\n"
        "                  they disagree a third one rules (default: 0)\n"
        "  --gold N        settled surveys mixed unseen into the experts' queue\n"
        "                  (`okno review gold`; default: 0)\n"
        "  --auditor NAME  whose key signs, registered before with `audit key add` (or its\n"
        "                  fingerprint); export then waits for the signature, or takes --unsigned\n"
        "  --accept-one-person REASON  an administrator audits, too, as nobody else is there\n"
        "  --by NAME       who does the step (default: the local user); told as local:NAME\n"
        "  --json          one JSON document\n"
        "\n"
        "example:\n"
        "  okno audit plan march --from 2026-03-01 --to 2026-04-01 --size 120\n"
        "  okno audit freeze march\n"
        "  okno audit checkpoint march -o march.checkpoint\n"
        "  okno audit seed march --seed 18364520937745610298 --how '20 dice' --witness 'A. "
        "Orlova'\n"
        "  okno audit draw march\n"
        "  okno audit report march --format pdf --lang ru -o march.pdf\n",
    .run = run,
};
