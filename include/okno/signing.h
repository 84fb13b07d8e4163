/* The auditor's signature: a manifest goes out, a signature made elsewhere comes in. The manifest
 * is text that `sha256sum --check` reads: the hashes of the bundle's files, and in comments how far
 * the log was and its root. */
#ifndef OKNO_SIGNING_H
#define OKNO_SIGNING_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdint.h>

#define OKNO_MANIFEST_BYTES_MAX 16384

/* The manifest of a reported audit whose plan names an auditor's key, appended; the same again as
 * long as nothing that it lists has changed. The log's state in it counts as handed out.
 * OKNO_OUT_OF_ORDER before the report; OKNO_REFUSED when the plan names no key or a revoked one. */
OKNO_CHECK int okno_signing_manifest(struct okno_db *db, const char *audit, const char *author,
                                     int64_t now_us, struct okno_buf *to, struct okno_err *err);

/* Check a signature file over the newest manifest, keep it and write the step `sign` down. The
 * newest signature of an audit stands. OKNO_OUT_OF_ORDER without a manifest; OKNO_REFUSED when what
 * it lists has changed meanwhile; the codes of okno_signature_check. */
OKNO_CHECK int okno_signing_add(struct okno_db *db, const char *audit, const char *signature,
                                size_t len, const char *author, int64_t now_us,
                                struct okno_err *err);

/* A new object: key (null where the plan names none), key_kind, fingerprint, revoked, manifest
 * {sha256, at, log_size} or null, signature {sha256, at} or null, current (the signature is over
 * what the bundle would hold now). */
OKNO_CHECK int okno_signing_status(struct okno_db *db, const char *audit, json_t **ret_status,
                                   struct okno_err *err);

#endif
