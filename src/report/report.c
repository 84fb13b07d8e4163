#define _POSIX_C_SOURCE 200809L
/* A report in its formats. */
#include "okno/report.h"

#include "document.h"
#include "okno/mem.h"

#include <string.h>

static const struct {
    const char *name, *type;
} formats[OKNO_REPORT_FORMATS] = {
    [OKNO_REPORT_HTML] = {"html", "text/html; charset=utf-8"},
    [OKNO_REPORT_PDF] = {"pdf", "application/pdf"},
    [OKNO_REPORT_XLSX] = {"xlsx",
                          "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    [OKNO_REPORT_CSV] = {"csv", "text/csv; charset=utf-8"},
    [OKNO_REPORT_JSON] = {"json", "application/json"}};

const char *okno_report_format_name(enum okno_report_format format)
{
    return formats[format].name;
}

const char *okno_report_format_type(enum okno_report_format format)
{
    return formats[format].type;
}

int okno_report_format_find(const char *name, enum okno_report_format *ret_format,
                            struct okno_err *err)
{
    for (int i = 0; i < OKNO_REPORT_FORMATS; i++) {
        if (strcmp(formats[i].name, name ? name : "html") != 0)
            continue;
        *ret_format = (enum okno_report_format)i;
        return 0;
    }
    return okno_fail_field(err, OKNO_INVALID, "format",
                           "format `%.20s`: html, pdf, xlsx, csv or json is allowed", name);
}

int okno_report_write(const json_t *model, enum okno_report_format format, const char *lang,
                      struct okno_buf *to, struct okno_err *err)
{
    okno_autojson json_t *document = NULL;
    if (format == OKNO_REPORT_JSON)
        return okno_report_model_text(model, to, err);
    int rc = document_make(model, lang, &document, err);
    if (rc < 0)
        return rc;
    if (format == OKNO_REPORT_HTML)
        return html_write(document, to, err);
    if (format == OKNO_REPORT_CSV)
        return csv_write(document, to, err);
    return paper_write(document, formats[format].name, to, err);
}
