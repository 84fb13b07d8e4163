#define _POSIX_C_SOURCE 200809L
/* The report in a bundle: the one that was issued, and every format made of it. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/report.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const json_t *report_step(const struct check *check)
{
    const json_t *found = NULL;
    size_t i;
    json_t *step;
    json_array_foreach(check->all_steps, i, step)
    {
        if (strcmp(text_of(step, "step"), "report") == 0)
            found = step;
    }
    return found;
}

static int check_hash(const struct check *check, const char *name, const char *told,
                      const json_t *step, struct okno_err *err)
{
    const struct bag_file *file = bag_find(&check->bag, name);
    if (!file)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", name);
    if (strcmp(file->sha256, told) == 0)
        return 0;
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "%s is not the report that entry %lld of the log tells", name,
                     (long long)json_integer_value(json_object_get(step, "entry")));
}

/* What everybody may read has to be what the whole report leaves to everybody. */
static int check_public(const struct check *check, const json_t *model, struct okno_err *err)
{
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *open = NULL;
    int rc = okno_report_public(model, &open, err);
    if (rc == 0)
        rc = okno_report_model_text(open, &made, err);
    return rc == 0 ? verify_text(check, bundle_public_report, &made, err) : rc;
}

/* By another version of this program a format may be written otherwise: then only its hash tells.
 */
static int check_format(const struct check *check, const json_t *model,
                        enum okno_report_format format, struct okno_err *err)
{
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    char name[BUNDLE_NAME];
    const char *lang = text_of(verify_detail(check, EXPORT), "lang");
    if (strcmp(text_of(model, "software"), "okno " OKNO_VERSION) != 0)
        return 0;
    (void)snprintf(name, sizeof(name), "data/report.%s", okno_report_format_name(format));
    int rc = okno_report_write(model, format, bundle_lang(lang), &made, err);
    return rc == 0 ? verify_text(check, name, &made, err) : rc;
}

static int check_printed(const struct check *check, struct okno_err *err)
{
    const json_t *hashes = json_object_get(verify_detail(check, EXPORT), "files");
    for (size_t i = 0; bundle_printed[i]; i++) {
        const char *told = text_of(hashes, bundle_printed[i]);
        const struct bag_file *file = bag_find(&check->bag, bundle_printed[i]);
        if (!file && !*told)
            continue;
        if (!file)
            return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", bundle_printed[i]);
        if (strcmp(told, file->sha256) != 0)
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "%s is not the file that entry %lld of the log tells",
                             bundle_printed[i], (long long)check->place[EXPORT]);
    }
    return 0;
}

int verify_report(struct check *check, struct okno_err *err)
{
    okno_autojson json_t *model = NULL;
    const json_t *step = report_step(check);
    const json_t *detail = json_object_get(step, "detail");
    const char *open = text_of(json_object_get(detail, "files"), bundle_public_report);
    if (!step)
        return verify_wrong(err, "data/log.jsonl: no step report");
    int rc = check_hash(check, bundle_public_report, open, step, err);
    if (rc == 0)
        rc = check_hash(check, "data/report.json",
                        check->open_to_all ? open : text_of(detail, "sha256"), step, err);
    if (rc == 0)
        rc = verify_json(check, "data/report.json", &model, err);
    if (rc == 0 && !check->open_to_all)
        rc = check_public(check, model, err);
    if (rc == 0)
        rc = check_format(check, model, OKNO_REPORT_HTML, err);
    if (rc == 0)
        rc = check_format(check, model, OKNO_REPORT_CSV, err);
    return rc == 0 ? check_printed(check, err) : rc;
}
