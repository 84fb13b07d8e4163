/* A device's word about its clock becomes a dated measurement. */
#include "okno/registry.h"

#include <stdio.h>

static int last_agreed(struct okno_db *db, const char *device, int64_t *ret_us,
                       struct okno_err *err)
{
    return OKNO_DB_INT(db, "registry.agreed_at", INT64_MIN, ret_us, err,
                       OKNO_TEXT("device", device));
}

static int add_measurement(struct okno_db *db, const char *target,
                           const struct okno_clock_report *report,
                           const struct okno_clock_measurement *found, struct okno_err *err)
{
    int64_t import = 0;
    int rc = OKNO_DB_INT(db, "registry.add_report_import", 0, &import, err,
                         OKNO_TEXT("author", target), OKNO_INT("at", report->arrived_us));
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "registry.add_report", NULL, err, OKNO_INT("import", import),
                                OKNO_TEXT("target", target), OKNO_INT("at", found->at_us),
                                OKNO_INT("offset", found->offset_us),
                                OKNO_INT("uncertainty", found->uncertainty_us),
                                OKNO_INT("step", found->step));
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
        rc = add_measurement(db, target, &report, &found, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.put_report", NULL, err, OKNO_TEXT("device", device),
                         OKNO_INT("arrived_at", report.arrived_us),
                         OKNO_INT("offset", report.shown_us - report.arrived_us),
                         OKNO_INT("suspect", suspect));
    if (rc == 0)
        *ret_finding = finding;
    return rc;
}
