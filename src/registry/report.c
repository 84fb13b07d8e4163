/* A device's word about its clock becomes a dated measurement. */
#include "okno/hash.h"
#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int last_agreed(struct okno_db *db, const char *device, int64_t *ret_us,
                       struct okno_err *err)
{
    return OKNO_DB_INT(db, "registry.agreed_at", INT64_MIN, ret_us, err,
                       OKNO_TEXT("device", device));
}

/* One entry of the log, as of an import of one row. `who` stands for the author. */
static int log_measurement(struct okno_db *db, int64_t import, const char *target, const char *who,
                           const struct okno_clock_measurement *found, int64_t now_us,
                           struct okno_err *err)
{
    char row[200];
    char sha256[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    const struct okno_ledger_entry entry = {.kind = "import", .subject = import, .at_us = now_us};
    int len = snprintf(row, sizeof(row), "%s %" PRId64 " %" PRId64 " %" PRId64 " %d", target,
                       found->at_us, found->offset_us, found->uncertainty_us, found->step);
    okno_hash_bytes(row, (size_t)len, digest);
    okno_autojson json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "import", (json_int_t)import, "of",
                  "clocks", "author", who, "sha256", okno_hash_hex(digest, sha256), "read", 1,
                  "added", 1, "duplicate", 0, "rejected", 0);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

/* Who measured, for the table of imports and for the log. */
struct measurer {
    const char *author, *source, *method;
};

static int add_measurement(struct okno_db *db, const char *target, const struct measurer *by,
                           const struct okno_clock_measurement *found, int64_t now_us,
                           struct okno_err *err)
{
    int64_t import = 0;
    char who[OKNO_PSEUDONYM_TEXT];
    int rc = okno_ledger_pseudonym(db, 'R', by->author, who, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "registry.add_report_import", 0, &import, err,
                         OKNO_TEXT("author", by->author), OKNO_TEXT("source", by->source),
                         OKNO_INT("at", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_report", NULL, err, OKNO_INT("import", import),
                         OKNO_TEXT("target", target), OKNO_INT("at", found->at_us),
                         OKNO_INT("offset", found->offset_us),
                         OKNO_INT("uncertainty", found->uncertainty_us),
                         OKNO_INT("step", found->step), OKNO_TEXT("method", by->method));
    return rc < 0 ? rc : log_measurement(db, import, target, who, found, now_us, err);
}

int okno_registry_add_clock(struct okno_db *db, const char *target,
                            const struct okno_clock_measurement *found, const char *method,
                            const char *author, int64_t now_us, struct okno_err *err)
{
    bool automatic = strncmp(author, "okno:", 5) == 0;
    const struct measurer by = {
        .author = author, .source = automatic ? "probe" : "clock", .method = method};
    return add_measurement(db, target, &by, found, now_us, err);
}

int okno_registry_report_clock(struct okno_db *db, const char *device,
                               struct okno_clock_report report,
                               enum okno_clock_finding *ret_finding, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) known = {0};
    struct okno_clock_measurement found;
    char target[OKNO_ID_TEXT + 8];
    enum okno_clock_finding finding = OKNO_CLOCK_KNOWN;
    (void)snprintf(target, sizeof(target), "device:%s", device);
    int rc = okno_registry_clock(db, target, &known, err);
    if (rc == 0)
        rc = last_agreed(db, device, &report.agreed_us, err);
    if (rc < 0)
        return rc;
    finding = okno_clock_judge(known.items, known.len, &report, &found);
    bool suspect = finding == OKNO_CLOCK_SUSPECT;
    if (finding != OKNO_CLOCK_KNOWN && !suspect)
        rc = add_measurement(
            db, target,
            &(const struct measurer){.author = target, .source = "api", .method = "intake"}, &found,
            report.arrived_us, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.put_report", NULL, err, OKNO_TEXT("device", device),
                         OKNO_INT("arrived_at", report.arrived_us),
                         OKNO_INT("offset", report.shown_us - report.arrived_us),
                         OKNO_INT("suspect", suspect));
    if (rc == 0)
        *ret_finding = finding;
    return rc;
}
