/* The bundle of an audit: everything an outsider needs to recompute it, as a BagIt folder (RFC
 * 8493), and its verification without any other input. */
#ifndef OKNO_BUNDLE_H
#define OKNO_BUNDLE_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/frame.h"
#include "okno/note.h"
#include "okno/signature.h"

#include <stdbool.h>
#include <stdint.h>

struct okno_bundle_request {
    const char *audit;   /* closed */
    const char *dir;     /* made; must not exist */
    const char *author;  /* who hands it out */
    bool open_to_all;    /* without comments, witnesses and how the seed came about */
    bool with_evidence;  /* the files that experts watched; not when open to all */
    bool unsigned_too;   /* although the plan names an auditor's key and nobody signed */
    const char *lang;    /* of the report: en (also NULL) or ru */
    double fm_threshold; /* these three are for a report that was not issued yet */
    double undeterminable_limit;
    int64_t min_n;
    int64_t patience_us; /* how long to wait for another export of the audit; 0: not at all */
    /* Told once before such a wait, what for; NULL allowed. */
    void (*waiting)(void *context, const char *what);
    void *waiting_context;
};

/* Write the bundle and append an entry with the hashes of its files to the log. The folder appears
 * whole or not at all, and tells of one moment. One export of an audit is made at a time, by
 * whichever process. OKNO_OUT_OF_ORDER before the audit is closed; OKNO_REFUSED when it began
 * before the log did; OKNO_BUSY while another one is under way, and when a step or a decision of
 * the audit came in meanwhile. */
OKNO_CHECK int okno_bundle_export(struct okno_db *db, const struct okno_bundle_request *request,
                                  int64_t now_us, struct okno_err *err);

struct okno_bundle_facts {
    char audit[65];
    char fingerprint[OKNO_SHA256_TEXT]; /* SHA-256 of the public key's text */
    struct okno_note_key key;           /* who signed */
    enum okno_frame kind;               /* what was frozen */
    int64_t entries, frame, sample, decisions, proofs, evidence;
    char auditor_key[OKNO_SHA256_TEXT]; /* fingerprint that the plan names; "": none */
    bool signed_by_auditor;             /* and the signature in the bundle is good */
    struct okno_signature_key auditor;  /* of that key */
    int64_t stamps, witnesses;          /* anchors by others, verified */
    int64_t witnesses_ahead;            /* of these: okno_witness_is_ahead of the log, or of now */
    bool anchored_before_seed;          /* one of them pins the frame, and is older than the seed */
};

/* Recompute everything. `key` NULL: whoever signed is taken as the signer. OKNO_CHECK_FAILED names
 * the file or the entry at fault; OKNO_NOT_FOUND without such a folder. */
OKNO_CHECK int okno_bundle_verify(const char *dir, const struct okno_note_key *key,
                                  struct okno_bundle_facts *ret_facts, struct okno_err *err);

/* What the one who verifies knows by another way; NULL: what is in the bundle is taken. */
struct okno_bundle_trust {
    const struct okno_note_key *key;     /* the log's */
    const char *ca;                      /* PEM: roots of time stamping authorities */
    const struct okno_note_key *witness; /* the only one whose cosignatures count */
};
OKNO_CHECK int okno_bundle_verify_by(const char *dir, const struct okno_bundle_trust *trust,
                                     struct okno_bundle_facts *ret_facts, struct okno_err *err);

#endif
