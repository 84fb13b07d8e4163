/* okno extract: clips and stills of surveys. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"
#include "progress.h"

#include "okno/conf.h"
#include "okno/evidence.h"
#include "okno/file.h"
#include "okno/json.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/vec.h"
#include "okno/viewing.h"
#include "okno/work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct extract_id {
    char survey[160];
};
OKNO_VEC(extract_id_vec, struct extract_id);

struct extraction {
    const char *survey, *audit, *clip_to, *still_to, *sheet_to, *view_to, *preview_to;
    bool stills, text, json;
    int64_t from_us, to_us;
    int64_t had;     /* items with footage */
    int64_t missing; /* items without */
    int64_t gaps;    /* clips with parts that have none */
};

static int collect(struct okno_db *db, const struct extraction *x, bool all,
                   struct extract_id_vec *ids, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = x->audit ? OKNO_DB_PREPARE(db, "cli.surveys_of_audit", &stmt, err,
                                        OKNO_TEXT("audit", x->audit))
                      : OKNO_DB_PREPARE(db, "cli.surveys_for_stills", &stmt, err,
                                        OKNO_INT("from", x->from_us), OKNO_INT("to", x->to_us),
                                        OKNO_INT("all", all));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct extract_id id;
        (void)snprintf(id.survey, sizeof(id.survey), "%s", okno_stmt_text(stmt, "survey"));
        rc = extract_id_vec_push(ids, id) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "out of memory") : 0;
    }
    return rc;
}

static int copy_bytes(int in, int out, const char *to, struct okno_err *err)
{
    char block[65536];
    for (;;) {
        ssize_t got = read(in, block, sizeof(block));
        if (got == 0)
            return 0;
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read the evidence for %s", to);
        for (ssize_t at = 0, put = 0; at < got; at += put)
            if ((put = write(out, block + at, (size_t)(got - at))) < 0)
                return okno_fail_errno(err, errno, "cannot write %s", to);
    }
}

/* A copy of a kept file for the caller; refuses to overwrite, leaves no half copy. */
static int copy_path(const char *path, const char *to, struct okno_err *err)
{
    okno_autoclose int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return okno_fail_errno(err, errno, "cannot read %s", path);
    okno_autoclose int out = -1;
    int rc = okno_file_begin(to, 0644, &out, err);
    if (rc < 0)
        return rc;
    rc = copy_bytes(in, out, to, err);
    if (rc == 0)
        rc = okno_file_keep(to, out, err);
    if (rc < 0)
        okno_file_drop(to, out);
    return rc;
}

static int copy_out(const char *data_dir, const char *sha256, const char *to, struct okno_err *err)
{
    char path[1400];
    okno_autoclose int fd = -1;
    int64_t bytes = 0;
    int rc = okno_evidence_open(data_dir, sha256, NULL, &fd, &bytes, err);
    if (rc == 0)
        rc = okno_evidence_path(data_dir, sha256, path, sizeof(path), err);
    return rc < 0 ? rc : copy_path(path, to, err);
}

static int print(struct cli *cli, const struct extraction *x, const struct okno_evidence *e,
                 struct okno_err *err)
{
    okno_autojson json_t *json = okno_evidence_json(cli->data_dir, e);
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    if (x->json) {
        int rc = okno_json_print(json, stdout, err);
        (void)fflush(stdout); /* whoever interrupts a long run has whole lines */
        return rc;
    }
    printf("%s %s %s..%s %lld bytes in %lld %s\n  %s\n", e->survey, e->kind,
           okno_time_format(e->got_from_us, from), okno_time_format(e->got_to_us, to),
           (long long)e->bytes, (long long)e->requests,
           okno_text_form(e->requests, "request", "requests"),
           json_string_value(json_object_get(json, "path")));
    if (e->sidecar[0])
        printf("  times of all frames: %s\n", e->sidecar);
    return 0;
}

/* Footage that is not there, or cannot be had from its archive now: other items may go on. */
static bool is_missing(int code)
{
    static const int missing[] = {OKNO_NO_COVERAGE,  OKNO_NO_CAMERA,    OKNO_GONE,
                                  OKNO_NOT_YET,      OKNO_TRANSIENT,    OKNO_TIMEOUT,
                                  OKNO_ARCHIVE_AUTH, OKNO_ARCHIVE_BUSY, OKNO_ARCHIVE_REFUSED,
                                  OKNO_TOO_LONG,     OKNO_PROTOCOL,     OKNO_MEDIA,
                                  OKNO_UNSUPPORTED};
    for (size_t i = 0; i < OKNO_COUNT(missing); i++)
        if (missing[i] == code)
            return true;
    return false;
}

/* One clip or still. Footage that is not there is told and counted; good items go on. Of a survey
 * that has none at all it is the error. */
static int one(struct cli *cli, struct okno_work *work, struct extraction *x, const char *survey,
               const char *kind, const char *to, struct okno_err *err)
{
    struct okno_evidence e = {0};
    struct okno_err trouble = {0};
    int rc = okno_work_extract(work, survey, kind, x->audit, okno_time_now(), &e, &trouble);
    if (rc < 0 && is_missing(rc) && (!x->survey || x->had > 0)) {
        (void)fprintf(stderr, "okno extract: %s %s: %s\n", survey, kind, trouble.text);
        x->missing++;
        return 0;
    }
    if (rc < 0)
        return okno_fail(err, rc, "%s", trouble.text);
    x->had++;
    x->gaps += strcmp(e.gaps, "[]") != 0;
    rc = to ? copy_out(cli->data_dir, e.sha256, to, err) : 0;
    return rc < 0 ? rc : print(cli, x, &e, err);
}

/* A viewing copy or a contact sheet of the survey's clip, for the caller. */
static int copy_for_viewing(struct cli *cli, struct okno_work *work, const char *survey,
                            enum okno_copy copy, const char *to, struct okno_err *err)
{
    char path[1400];
    char tag[96];
    struct okno_evidence clip = {0};
    int rc = okno_evidence_find(okno_work_db(work), survey, "clip", &clip, err);
    if (rc == 0)
        rc = okno_copy_get(okno_work_db(work), cli->data_dir, clip.sha256, copy, path, sizeof(path),
                           tag, err);
    return rc < 0 ? rc : copy_path(path, to, err);
}

static int extract_survey(struct cli *cli, struct okno_work *work, struct extraction *x,
                          struct okno_err *err)
{
    bool copies = x->sheet_to || x->view_to || x->preview_to;
    bool both = !x->clip_to && !x->still_to && !copies;
    int rc = 0;
    if (both || x->clip_to || copies)
        rc = one(cli, work, x, x->survey, "clip", x->clip_to, err);
    if (rc == 0 && (both || x->still_to))
        rc = one(cli, work, x, x->survey, "still", x->still_to, err);
    if (rc == 0 && x->sheet_to)
        rc = copy_for_viewing(cli, work, x->survey, OKNO_COPY_SHEET, x->sheet_to, err);
    if (rc == 0 && x->view_to)
        rc = copy_for_viewing(cli, work, x->survey, x->text ? OKNO_COPY_TEXT : OKNO_COPY_VIEW,
                              x->view_to, err);
    if (rc == 0 && x->preview_to)
        rc = copy_for_viewing(cli, work, x->survey, OKNO_COPY_PREVIEW, x->preview_to, err);
    if (rc == 0 && x->missing > 0)
        rc = okno_fail(err, OKNO_PARTIAL, "it has a clip, but no still");
    if (rc == 0 && x->gaps > 0)
        rc = okno_fail(err, OKNO_PARTIAL,
                       "parts of the asked seconds have no picture: see `okno "
                       "survey show %.100s`, link and gaps",
                       x->survey);
    return rc;
}

/* An audit without a sample: unknown, or not drawn yet. */
static int check_audit(struct okno_db *db, const char *audit, struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(db, "cli.knows_audit", 0, &known, err, OKNO_TEXT("audit", audit));
    if (rc == 0 && !known)
        rc = okno_fail(err, OKNO_NOT_FOUND, "there is no audit %.64s", audit);
    if (rc == 0)
        rc = okno_fail(err, OKNO_OUT_OF_ORDER, "audit %.64s has no sample yet: okno audit draw",
                       audit);
    return rc;
}

/* The stills of a list, which is planned as one. */
struct many {
    struct cli *cli;
    struct extraction *x;
    const char *const *surveys;
    int64_t done, total;
};

static int told(void *ctx, size_t index, int code, const struct okno_evidence *evidence,
                const struct okno_err *why, struct okno_err *err)
{
    struct many *many = ctx;
    cli_progress("extracting stills", ++many->done, many->total);
    if (code == 0)
        return print(many->cli, many->x, evidence, err);
    if (!is_missing(code))
        return okno_fail(err, code, "%s", why->text);
    (void)fprintf(stderr, "okno extract: %s still: %s\n", many->surveys[index], why->text);
    many->x->missing++;
    return 0;
}

static int all_stills(struct cli *cli, struct okno_work *work, struct extraction *x,
                      const struct extract_id_vec *ids, struct okno_err *err)
{
    okno_autofree const char **surveys = calloc(ids->len + 1, sizeof(*surveys));
    if (!surveys)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of surveys");
    for (size_t i = 0; i < ids->len; i++)
        surveys[i] = ids->items[i].survey;
    struct many many = {.cli = cli, .x = x, .surveys = surveys, .total = (int64_t)ids->len};
    return okno_work_extract_stills(work, surveys, ids->len, x->audit, okno_time_now(), told, &many,
                                    err);
}

static int extract_many(struct cli *cli, struct okno_work *work, struct extraction *x,
                        struct okno_err *err)
{
    OKNO_AUTO_VEC(extract_id_vec) ids = {0};
    bool all = strcmp(cli->conf->evidence.stills, "all") == 0;
    int rc = collect(okno_work_db(work), x, all, &ids, err);
    if (rc == 0 && x->audit && ids.len == 0)
        rc = check_audit(okno_work_db(work), x->audit, err);
    for (size_t i = 0; rc == 0 && x->audit && i < ids.len; i++) {
        rc = one(cli, work, x, ids.items[i].survey, "clip", NULL, err);
        cli_progress("extracting clips", (int64_t)i + 1, (int64_t)ids.len);
    }
    if (rc == 0)
        rc = all_stills(cli, work, x, &ids, err);
    if (rc == 0 && x->missing > 0)
        rc = okno_fail(err, OKNO_PARTIAL, "%lld item(s) have no footage; each is named above",
                       (long long)x->missing);
    return rc;
}

static int check(const struct extraction *x, int rest, struct okno_err *err)
{
    int modes = (x->survey != NULL) + (x->audit != NULL) + x->stills;
    if (rest > 0 || modes != 1)
        return okno_fail(err, OKNO_USAGE,
                         "say what: --survey ID, --audit ID, or --stills --from TIME --to TIME");
    if (x->stills && (x->from_us < 0 || x->to_us < 0))
        return okno_fail(err, OKNO_USAGE, "--stills needs --from TIME --to TIME");
    if (x->stills && x->from_us >= x->to_us)
        return okno_fail(err, OKNO_USAGE, "--to must lie after --from");
    if (!x->survey && (x->clip_to || x->still_to || x->sheet_to || x->view_to || x->preview_to))
        return okno_fail(err, OKNO_USAGE,
                         "--clip, --still, --sheet, --view and --preview go with --survey ID");
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = NULL;
    struct extraction x = {.from_us = -1, .to_us = -1};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--survey", .text = &x.survey},
        {.name = "--audit", .text = &x.audit}, {.name = "--stills", .flag = &x.stills},
        {.name = "--from", .time_us = &x.from_us}, {.name = "--to", .time_us = &x.to_us},
        {.name = "--clip", .text = &x.clip_to}, {.name = "--still", .text = &x.still_to},
        {.name = "--sheet", .text = &x.sheet_to}, {.name = "--view", .text = &x.view_to},
        {.name = "--preview", .text = &x.preview_to}, {.name = "--text", .flag = &x.text},
        {.name = "--json", .flag = &x.json});
    if (rc == 0)
        rc = check(&x, rest, err);
    if (rc == 0)
        rc = okno_work_open(cli->data_dir, cli->conf, &work, err);
    if (rc < 0)
        return rc;
    return x.survey ? extract_survey(cli, work, &x, err) : extract_many(cli, work, &x, err);
}

const struct cli_command cli_extract = {
    .name = "extract",
    .media = true,
    .summary = "fetch clips and stills of surveys as evidence",
    .help =
        "usage: okno extract (--survey ID | --audit ID | --stills --from TIME --to TIME)\n"
        "                    [--clip FILE] [--still FILE] [--sheet FILE] [--view FILE]\n"
        "                    [--text] [--preview FILE] [--json]\n"
        "\n"
        "Fetches footage into the evidence store, under its SHA-256; what is already kept is\n"
        "not fetched again. With --survey: its clip and still, copied to FILE when given.\n"
        "With --audit: clip and still of each sampled survey. With --stills: the photo of\n"
        "each rating of the period, planned together: each part of a recording is read once.\n"
        "--sheet: a strip of frames of the clip as JPEG. --view: the viewing copy, H.264 with\n"
        "the camera's masks burned in; with --text local time, UTC and survey, too. --preview:\n"
        "the same, small, for a slow line. None of them is evidence. Exit 4 when some footage is "
        "missing.\n"
        "\n"
        "example: okno extract --survey till-1.0.17 --clip clip.mp4 --still still.jpg\n",
    .run = run,
};
