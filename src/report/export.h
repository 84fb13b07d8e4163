/* Inside the writing of bundles only. */
#ifndef OKNO_REPORT_EXPORT_H
#define OKNO_REPORT_EXPORT_H

#include "bundle.h"

/* One export. */
struct run {
    struct okno_db *db;
    const struct okno_bundle_request *request;
    int64_t now_us;
    int64_t seen; /* the log's newest entry about the audit when the gathering began */
    struct bag bag;
    struct contents contents;
    json_t *steps;    /* as in plan.json */
    json_t *plan;     /* of the plan step; borrowed from steps */
    json_t *watched;  /* hashes, as keys */
    json_t *sidecars; /* of watched files: hash of the file -> hash of its sidecar */
    char seed[OKNO_SEED_BYTES_MAX + 1];
    int64_t from_us, to_us;
    int64_t evidence, destroyed; /* watched files in it, and those that retention took */
    bool is_signed;              /* the auditor's signature is in it */
};

/* What plan.json tells of the first step of a name; NULL without one. */
const json_t *export_detail(const struct run *run, const char *name);

/* ---- the auditor's signature (export_signed.c) ---- */

/* The lines of the files written so far that an auditor signs. */
OKNO_CHECK int export_signed_lines(const struct run *run, struct okno_buf *to,
                                   struct okno_err *err);
/* The signature that stands, with what it signs. OKNO_OUT_OF_ORDER when the plan names a signer and
 * there is none; OKNO_REFUSED when something else was signed than is written. */
OKNO_CHECK int export_signature(struct run *run, struct okno_err *err);

/* Time stamps and cosignatures that entered the log since the plan and before `before`. */
OKNO_CHECK int export_anchors(struct run *run, int64_t before, struct okno_err *err);

/* ---- the report (export_report.c) ---- */

/* Issue the first edition where there is none. OKNO_REFUSED when decisions came in after the
 * newest.
 */
OKNO_CHECK int export_report_issue(struct okno_db *db, const struct okno_bundle_request *request,
                                   int64_t now_us, struct okno_err *err);
OKNO_CHECK int export_report(struct run *run, struct okno_err *err);

/* One export of an audit at a time (export_lock.c): held until the descriptor is closed; untouched
 * for a database in memory. OKNO_BUSY when the request's patience ends. */
OKNO_CHECK int export_lock(const char *data_dir, const struct okno_bundle_request *request,
                           int *ret_fd, struct okno_err *err);

/* The end of a bundle (export_log.c): its entry in the log and what proves it. */
OKNO_CHECK int export_tags(struct run *run, struct okno_err *err);
OKNO_CHECK int export_log(struct run *run, struct okno_err *err);
/* Manifests, and the log's signatures of them. */
OKNO_CHECK int export_manifests(struct run *run, struct okno_err *err);

#endif
