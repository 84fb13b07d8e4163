#define _POSIX_C_SOURCE 200809L
/* The report in a bundle: the edition that was issued, in every format. */
#include "export.h"

#include "okno/audit.h"
#include "okno/mem.h"
#include "okno/report.h"
#include "okno/text.h"

#include <string.h>

/* A decision that is not in the newest edition makes it another report than the bundle's. */
static int check_current(struct okno_db *db, const char *audit, struct okno_err *err)
{
    int64_t later = 0;
    int rc = OKNO_DB_INT(db, "bundle.count_unreported", 0, &later, err, OKNO_TEXT("audit", audit));
    if (rc == 0 && later > 0)
        rc = okno_fail(err, OKNO_REFUSED,
                       "%lld %s of audit %s came in after its report: issue a further "
                       "edition first (`okno audit report %s --again`)",
                       (long long)later, okno_text_form(later, "decision", "decisions"), audit,
                       audit);
    return rc;
}

int export_report_issue(struct okno_db *db, const struct okno_bundle_request *request,
                        int64_t now_us, struct okno_err *err)
{
    int64_t edition = 0;
    int rc = OKNO_DB_INT(db, "bundle.count_editions", 0, &edition, err,
                         OKNO_TEXT("audit", request->audit));
    if (rc < 0 || edition > 0)
        return rc < 0 ? rc : check_current(db, request->audit, err);
    const struct okno_report_settings settings = {.audit = request->audit,
                                                  .fm_threshold = request->fm_threshold,
                                                  .undeterminable_limit =
                                                      request->undeterminable_limit,
                                                  .min_n = request->min_n};
    return okno_report_issue(db, &settings, NULL, request->author, now_us, &edition, err);
}

static int put_bytes(struct run *run, const char *name, const struct okno_buf *bytes,
                     struct okno_err *err)
{
    struct bag_stream stream;
    int rc = bag_open(&run->bag, name, &stream, err);
    if (rc < 0)
        return rc;
    rc = bag_add(&stream, bytes->data, bytes->len, err);
    return bag_close(&run->bag, &stream, rc, err);
}

static int put_model(struct run *run, const char *name, bool open_to_all, struct okno_buf *text,
                     struct okno_err *err)
{
    int64_t edition = 0;
    int rc = okno_report_text(run->db, run->request->audit, 0, open_to_all, text, &edition, err);
    return rc == 0 ? put_bytes(run, name, text, err) : rc;
}

/* Without okno-paper a bundle goes out without PDF and XLSX: both can be made of report.json. */
static int put_format(struct run *run, const json_t *model, enum okno_report_format format,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF bytes = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    struct okno_err why = {0};
    char name[BUNDLE_NAME];
    (void)snprintf(name, sizeof(name), "data/report.%s", okno_report_format_name(format));
    int rc = okno_report_write(model, format, bundle_lang(run->request->lang), &bytes, &why);
    if (rc == OKNO_UNSUPPORTED)
        return 0;
    return rc < 0 ? okno_fail(err, rc, "%s", why.text) : put_bytes(run, name, &bytes, err);
}

int export_report(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF open = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    int rc = put_model(run, bundle_public_report, true, &open, err);
    if (rc == 0)
        rc = put_model(run, "data/report.json", run->request->open_to_all, &text, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *model = json_loadb(text.data, text.len, 0, NULL);
    for (int i = 0; rc == 0 && i < OKNO_REPORT_FORMATS; i++)
        if (i != OKNO_REPORT_JSON)
            rc = put_format(run, model, (enum okno_report_format)i, err);
    return rc;
}
