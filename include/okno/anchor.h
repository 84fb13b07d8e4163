/* What others say about the log: time stamps of its checkpoints, and cosignatures of witnesses.
 * Each is verified, kept and told to the log itself, so that a bundle cannot leave one out. */
#ifndef OKNO_ANCHOR_H
#define OKNO_ANCHOR_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/stamp.h"

#include <stdint.h>

/* A request for a time stamp over a checkpoint (DER, appended): of an audit's frame, or (audit
 * NULL) the newest handed out. The request is kept: a reply has to answer it. */
OKNO_CHECK int okno_anchor_request(struct okno_db *db, const char *audit, const char *policy,
                                   int64_t now_us, struct okno_buf *to, struct okno_err *err);
/* Send a request to an authority over HTTP(S) and take its answer, at most OKNO_STAMP_BYTES_MAX
 * bytes, within 30 s; appended to `reply`. OKNO_TRANSIENT, OKNO_PROTOCOL. */
OKNO_CHECK int okno_stamp_fetch(const char *url, const struct okno_buf *request,
                                struct okno_buf *reply, struct okno_err *err);
/* Take a reply in. `ca`: PEM of the roots that are trusted. OKNO_NOT_FOUND when it answers no
 * request of this log; OKNO_CONFLICT when it was taken already; codes of okno_stamp_check. */
OKNO_CHECK int okno_anchor_stamp(struct okno_db *db, const void *reply, size_t len, const char *ca,
                                 const char *policy, int64_t now_us, struct okno_stamp *ret_stamp,
                                 struct okno_err *err);

/* Declare a witness by its key, or end that. OKNO_CONFLICT, OKNO_NOT_FOUND. */
OKNO_CHECK int okno_anchor_add_witness(struct okno_db *db, const struct okno_note_key *key,
                                       const char *author, int64_t now_us, struct okno_err *err);
OKNO_CHECK int okno_anchor_revoke_witness(struct okno_db *db, const char *name, const char *author,
                                          int64_t now_us, struct okno_err *err);
/* A new array: {name, key, declared_at, revoked_at}. */
OKNO_CHECK int okno_anchor_witnesses(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* Take a checkpoint of this log in that witnesses have signed; *ret_count is how many new
 * cosignatures were kept. Lines of others are not looked at. OKNO_NOT_FOUND for a checkpoint that
 * was not handed out, or without a declared witness's line; OKNO_CHECK_FAILED. */
OKNO_CHECK int okno_anchor_cosign(struct okno_db *db, const char *note, size_t len, int64_t now_us,
                                  int *ret_count, struct okno_err *err);

/* A new array, oldest first: {kind (timestamp, witness), name, size, root, anchored_at, taken_at,
 * ahead (okno_witness_is_ahead of when it was taken in), sha256, entry, frame_of (audit or null)}.
 */
OKNO_CHECK int okno_anchor_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

#endif
