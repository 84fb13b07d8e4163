/* Public keys of auditors. An auditor signs outside okno with a tool of her own; the key is known
 * to the log before the plan of the audit that it signs, so that nobody can sign in her place
 * afterwards. */
#ifndef OKNO_AUDITOR_H
#define OKNO_AUDITOR_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/signature.h"

#include <stdint.h>

/* Register a key and tell the log. A person may have several. OKNO_CONFLICT for a key that is
 * registered already; OKNO_REFUSED for one that was revoked. */
OKNO_CHECK int okno_auditor_add(struct okno_db *db, const char *auditor,
                                const struct okno_signature_key *key, const char *author,
                                int64_t now_us, struct okno_err *err);
/* From here no plan may name the key, and nothing signed by it is taken any more. OKNO_NOT_FOUND.
 */
OKNO_CHECK int okno_auditor_revoke(struct okno_db *db, const char *fingerprint, const char *author,
                                   int64_t now_us, struct okno_err *err);

/* The key of an auditor's name or a fingerprint. OKNO_NOT_FOUND; OKNO_REFUSED when it is revoked;
 * OKNO_CONFLICT for a name with several keys. ret_fingerprint may be NULL. */
OKNO_CHECK int okno_auditor_find(struct okno_db *db, const char *name,
                                 struct okno_signature_key *ret_key,
                                 char ret_fingerprint[OKNO_SHA256_TEXT], struct okno_err *err);

/* A new array: {auditor, kind, key, fingerprint, registered_at, revoked_at}. */
OKNO_CHECK int okno_auditor_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

#endif
