#define _POSIX_C_SOURCE 200809L
/* okno audit report: the report of an audit in five formats and two languages. */
#include "audit.h"
#include "options.h"

#include "okno/audit.h"
#include "okno/conf.h"
#include "okno/mem.h"
#include "okno/report.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct choice {
    struct okno_report_settings settings;
    struct okno_report_opinion opinion;
    const char *format, *lang, *out, *author, *findings;
    bool open_to_all, draft, again;
    int64_t edition;
};

static bool has_opinion(const struct choice *c)
{
    return c->opinion.kind || c->opinion.statement || c->opinion.objective || c->findings;
}

static int read_findings(const char *path, json_t **ret_findings, struct okno_err *err)
{
    json_error_t why;
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        return okno_fail(err, OKNO_MALFORMED, "%s:%d: %s", path, why.line, why.text);
    *ret_findings = json;
    return 0;
}

static int public_text(const json_t *model, struct okno_buf *to, struct okno_err *err)
{
    okno_autojson json_t *open = NULL;
    int rc = okno_report_public(model, &open, err);
    return rc == 0 ? okno_report_model_text(open, to, err) : rc;
}

static int draft(struct okno_db *db, const struct choice *c, struct okno_buf *text,
                 struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    int rc = okno_report_draft(db, &c->settings, &model, err);
    if (rc < 0)
        return rc;
    fprintf(stderr, "this is a draft: it says so on every page and enters no log\n");
    return c->open_to_all ? public_text(model, text, err)
                          : okno_report_model_text(model, text, err);
}

/* The edition asked for; the first is issued by asking, a further one by --again. */
static int issued(struct okno_db *db, const struct choice *c, struct okno_buf *text,
                  struct okno_err *err)
{
    int64_t edition = 0;
    struct okno_err why = {0};
    int rc = c->again ? OKNO_NOT_FOUND
                      : okno_report_text(db, c->settings.audit, c->edition, c->open_to_all, text,
                                         &edition, &why);
    if (rc == 0 && has_opinion(c))
        return okno_fail(err, OKNO_REFUSED,
                         "edition %lld of this report was issued: an opinion goes into a further "
                         "one, say --again",
                         (long long)edition);
    if (rc != OKNO_NOT_FOUND || c->edition > 0)
        return rc < 0 ? okno_fail(err, rc, "%s", why.text) : 0;
    rc = okno_report_issue(db, &c->settings, has_opinion(c) ? &c->opinion : NULL, c->author,
                           okno_time_now(), &edition, err);
    if (rc < 0)
        return rc;
    fprintf(stderr, "edition %lld is issued; its hash stands in the evidence log\n",
            (long long)edition);
    return okno_report_text(db, c->settings.audit, edition, c->open_to_all, text, &edition, err);
}

/* Before the audit is closed there are only drafts. */
static int get_text(struct okno_db *db, const struct choice *c, struct okno_buf *text,
                    struct okno_err *err)
{
    struct okno_err why = {0};
    if (c->draft)
        return draft(db, c, text, err);
    int rc = okno_audit_may(db, c->settings.audit, "report", &why);
    if (rc == OKNO_OUT_OF_ORDER && !has_opinion(c) && !c->again && c->edition == 0)
        return draft(db, c, text, err);
    return rc < 0 ? okno_fail(err, rc, "%s", why.text) : issued(db, c, text, err);
}

static int put_report(const struct choice *c, const struct okno_buf *text,
                      enum okno_report_format format, struct okno_err *err)
{
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = json_loadb(text->data, text->len, 0, NULL);
    bool binary = format == OKNO_REPORT_PDF || format == OKNO_REPORT_XLSX;
    if (binary && !c->out && isatty(STDOUT_FILENO))
        return okno_fail(err, OKNO_USAGE, "say where the file goes: -o FILE");
    int rc = okno_report_write(model, format, c->lang, &made, err);
    return rc == 0 ? cli_put(c->out, &made, err) : rc;
}

static int check(const struct choice *c, enum okno_report_format *ret_format, struct okno_err *err)
{
    if (!okno_report_speaks(c->lang))
        return okno_fail(err, OKNO_USAGE, "--lang takes en or ru, not \"%.20s\"", c->lang);
    if (okno_report_format_find(c->format, ret_format, NULL) < 0)
        return okno_fail(err, OKNO_USAGE,
                         "--format takes html, pdf, xlsx, csv or json, not \"%.20s\"", c->format);
    if (c->draft && (c->again || has_opinion(c) || c->edition > 0))
        return okno_fail(err, OKNO_USAGE,
                         "a draft has no edition and carries no opinion: leave --draft out");
    return 0;
}

int audit_report(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *findings = NULL;
    enum okno_report_format format = OKNO_REPORT_HTML;
    char user[CLI_AUTHOR_TEXT];
    int rest = 0;
    struct choice c = {.settings = {.fm_threshold = cli->conf->kpi.fm_threshold,
                                    .undeterminable_limit = cli->conf->kpi.undeterminable_limit,
                                    .min_n = cli->conf->kpi.min_n},
                       .lang = strcmp(cli->conf->service.language, "ru") == 0 ? "ru" : "en"};
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--format", .text = &c.format},
        {.name = "--lang", .text = &c.lang}, {.name = "-o", .text = &c.out},
        {.name = "--out", .text = &c.out}, {.name = "--public", .flag = &c.open_to_all},
        {.name = "--draft", .flag = &c.draft}, {.name = "--again", .flag = &c.again},
        {.name = "--edition", .integer = &c.edition},
        {.name = "--opinion", .text = &c.opinion.kind},
        {.name = "--statement", .text = &c.opinion.statement},
        {.name = "--objective", .text = &c.opinion.objective},
        {.name = "--findings", .text = &c.findings}, {.name = "--by", .text = &c.author});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say one audit: okno audit report AUDIT");
    if (rc == 0)
        rc = check(&c, &format, err);
    if (rc == 0 && c.findings)
        rc = read_findings(c.findings, &findings, err);
    c.settings.audit = argv[1];
    c.author = cli_author_named(c.author, user, sizeof(user));
    c.opinion.findings = findings;
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = get_text(db, &c, &text, err);
    return rc == 0 ? put_report(&c, &text, format, err) : rc;
}
