/* The report of an audit over HTTP: any format and language of the newest edition, or a draft. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/report.h"
#include "okno/time.h"

#include <string.h>

static struct okno_report_settings settings_of(const struct http_request *request)
{
    return (struct okno_report_settings){.audit = request->params[0],
                                         .fm_threshold = request->service->fm_threshold,
                                         .undeterminable_limit =
                                             request->service->undeterminable_limit,
                                         .min_n = request->service->min_n};
}

static bool wants(const struct http_request *request, const char *name)
{
    const char *value = http_query(request, name);
    return value && strcmp(value, "1") == 0;
}

/* The language asked for, else the person's, else English. */
static int lang_of(const struct http_request *request, const char **ret_lang, struct okno_err *err)
{
    const char *asked = http_query(request, "lang");
    const char *lang = asked ? asked : request->who.language;
    if (asked && !okno_report_speaks(asked))
        return okno_fail_field(err, OKNO_INVALID, "lang", "lang: en or ru is allowed");
    *ret_lang = okno_report_speaks(lang) ? lang : "en";
    return 0;
}

static int edition_of(const struct http_request *request, int64_t *ret_edition,
                      struct okno_err *err)
{
    const char *text = http_query(request, "edition");
    if (text && (!*text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text)))
        return okno_fail_field(err, OKNO_INVALID, "edition", "edition: a number from 1 is allowed");
    *ret_edition = text ? strtoll(text, NULL, 10) : 0;
    return 0;
}

static int draft(const struct http_request *request, json_t **ret_model, struct okno_err *err)
{
    const struct okno_report_settings settings = settings_of(request);
    okno_autojson json_t *model = NULL;
    int rc = okno_report_draft(request->db, &settings, &model, err);
    if (rc == 0 && wants(request, "public"))
        return okno_report_public(model, ret_model, err);
    if (rc == 0)
        *ret_model = json_incref(model);
    return rc;
}

/* The edition asked for, else the newest, else a draft. */
static int read_model(const struct http_request *request, json_t **ret_model, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    struct okno_err why = {0};
    int64_t edition = 0;
    int rc = edition_of(request, &edition, err);
    if (rc < 0)
        return rc;
    rc = okno_report_text(request->db, request->params[0], edition, wants(request, "public"), &text,
                          &edition, &why);
    if (rc == OKNO_NOT_FOUND && !http_query(request, "edition"))
        return draft(request, ret_model, err);
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    *ret_model = json_loadb(text.data, text.len, 0, NULL);
    return *ret_model ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

/* What leaves the house is written down. */
static int note_access(const struct http_request *request, const char *noun, const char *name,
                       const char *what, struct okno_err *err)
{
    char subject[OKNO_ID_TEXT + 20];
    (void)snprintf(subject, sizeof(subject), "%s%s%.64s", noun, name ? ":" : "", name ? name : "");
    return OKNO_DB_RUN(request->db, "service.add_access", NULL, err,
                       OKNO_INT("at", okno_time_now()), OKNO_TEXT("user", request->who.user),
                       OKNO_TEXT("action", "export"), OKNO_TEXT("subject", subject),
                       OKNO_TEXT("detail", what));
}

/* The format and the language that are asked for. */
static int asked_for(const struct http_request *request, enum okno_report_format *ret_format,
                     const char **ret_lang, struct okno_err *err)
{
    int rc = okno_report_format_find(http_query(request, "format"), ret_format, err);
    return rc == 0 ? lang_of(request, ret_lang, err) : rc;
}

int http_reply_report(const struct http_request *request, const json_t *model, const char *noun,
                      const char *name, struct http_reply *reply, struct okno_err *err)
{
    enum okno_report_format format = OKNO_REPORT_HTML;
    const char *lang = "en";
    char file[40];
    int rc = asked_for(request, &format, &lang, err);
    if (rc == 0)
        rc = okno_report_write(model, format, lang, &reply->body, err);
    (void)snprintf(file, sizeof(file), "report.%s.%s", lang, okno_report_format_name(format));
    if (rc == 0)
        rc = note_access(request, noun, name, file, err);
    if (rc < 0)
        return rc;
    reply->type = okno_report_format_type(format);
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"okno-%.64s-%s.%s\"",
                      name ? name : noun, lang, okno_report_format_name(format));
    return 0;
}

int http_get_audit_report(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    int rc = read_model(request, &model, err);
    return rc == 0 ? http_reply_report(request, model, "audit", request->params[0], reply, err)
                   : rc;
}

int http_get_programme_report(struct http_request *request, struct http_reply *reply,
                              struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    int rc = okno_report_programme(request->db, request->params[0], http_query(request, "from"),
                                   http_query(request, "to"), okno_time_now(), &model, err);
    return rc == 0 ? http_reply_report(request, model, "programme", request->params[0], reply, err)
                   : rc;
}

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

int http_post_audit_report(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    const struct okno_report_settings settings = settings_of(request);
    const struct okno_report_opinion opinion = {.kind = text_of(request, "opinion"),
                                                .statement = text_of(request, "statement"),
                                                .objective = text_of(request, "objective"),
                                                .findings =
                                                    json_object_get(request->body, "findings")};
    int64_t edition = 0;
    int rc = okno_report_issue(request->db, &settings, &opinion, request->who.user, okno_time_now(),
                               &edition, err);
    return rc < 0 ? rc
                  : http_reply_json(reply, json_pack("{s:I}", "edition", (json_int_t)edition), err);
}
