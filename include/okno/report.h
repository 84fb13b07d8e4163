/* The report of an audit: one model as JSON, gathered once, and the same report in five formats and
 * two languages made from it. docs/report.md tells how to read it, conf/report.schema.json what the
 * model holds.
 *
 * An edition is issued when the audit is closed: its model is kept, the step `report` tells the
 * hashes in the evidence log, and whatever is made of it later is the same, byte for byte, by the
 * same version of this program. Before that a report is a draft and says so on every page. */
#ifndef OKNO_REPORT_H
#define OKNO_REPORT_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

enum okno_report_format {
    OKNO_REPORT_HTML,
    OKNO_REPORT_PDF,
    OKNO_REPORT_XLSX,
    OKNO_REPORT_CSV,
    OKNO_REPORT_JSON,
    OKNO_REPORT_FORMATS
};

enum { OKNO_REPORT_BYTES_MAX = 64 << 20 /* of one format */ };

/* "html", "pdf", ... and its media type. */
const char *okno_report_format_name(enum okno_report_format format);
const char *okno_report_format_type(enum okno_report_format format);
/* OKNO_INVALID (field format) for another word; NULL means html. */
OKNO_CHECK int okno_report_format_find(const char *name, enum okno_report_format *ret_format,
                                       struct okno_err *err);
/* Whether reports are written in a language: "en" and "ru". */
bool okno_report_speaks(const char *lang);

struct okno_report_settings {
    const char *audit;
    double fm_threshold;         /* of the gates */
    double undeterminable_limit; /* 0: the default */
    int64_t min_n;
};

/* What the auditor says in their own words; texts are borrowed, NULL for none. */
struct okno_report_opinion {
    const char *kind;       /* unqualified, qualified, adverse, disclaimer */
    const char *statement;  /* up to 4000 bytes */
    const char *objective;  /* up to 1000 bytes: why the audit was made */
    const json_t *findings; /* [{"finding", "owner", "due", "action"}], up to 200 */
};

/* The model as things stand: a new object, `edition` 0. OKNO_NOT_FOUND for an unknown audit. */
OKNO_CHECK int okno_report_draft(struct okno_db *db, const struct okno_report_settings *settings,
                                 json_t **ret_model, struct okno_err *err);

/* Issue the next edition: gather, keep, and write the step down. OKNO_OUT_OF_ORDER before the audit
 * is closed; OKNO_REFUSED for a better opinion than the gates allow; OKNO_INVALID names a field;
 * OKNO_BUSY when a step or decision of this audit came in meanwhile. `opinion` may be NULL. */
OKNO_CHECK int okno_report_issue(struct okno_db *db, const struct okno_report_settings *settings,
                                 const struct okno_report_opinion *opinion, const char *author,
                                 int64_t now_us, int64_t *ret_edition, struct okno_err *err);

/* The model of an issued edition (0: the newest) as its file's text, appended. `open_to_all`: as
 * everybody may read it, without names, comments and witnesses. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_report_text(struct okno_db *db, const char *audit, int64_t edition,
                                bool open_to_all, struct okno_buf *to, int64_t *ret_edition,
                                struct okno_err *err);

/* A model as its file's text: sorted, one member a line, ended by LF. */
OKNO_CHECK int okno_report_model_text(const json_t *model, struct okno_buf *to,
                                      struct okno_err *err);
/* The model without what names people: a new object. Pure. */
OKNO_CHECK int okno_report_public(const json_t *model, json_t **ret_model, struct okno_err *err);

/* The model of a programme's report over local days [from, to] (NULL: its first or last day drawn):
 * a new object with what okno_programme_figures gives, title, zone, capacity and `list`, the days
 * as okno_programme_status tells them. Written by okno_report_write like an audit's; it is no
 * edition and enters no log: each day is an audit that has its own. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_report_programme(struct okno_db *db, const char *programme,
                                     const char *from_day, const char *to_day, int64_t now_us,
                                     json_t **ret_model, struct okno_err *err);

/* What stands in the letter that brings it. Returns ret_text. */
const char *okno_report_programme_letter(const char *lang, const char *programme, int days,
                                         const char *day, char *ret_text, size_t size);

/* The model of a report of figures, what okno_figures_json gives: a new object that shares its
 * members. Like a programme's it is no edition and enters no log. Pure. */
OKNO_CHECK int okno_report_figures(const json_t *figures, json_t **ret_model, struct okno_err *err);

/* Write a model in a format and a language, appended. Pure but for PDF and XLSX, which a program of
 * their own makes (okno-paper, beside this one or in libexec/okno): OKNO_UNSUPPORTED without it.
 * OKNO_INVALID for a language that reports are not written in. */
OKNO_CHECK int okno_report_write(const json_t *model, enum okno_report_format format,
                                 const char *lang, struct okno_buf *to, struct okno_err *err);

#endif
