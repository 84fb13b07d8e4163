/* Inside the ledger room only. */
#ifndef OKNO_LEDGER_ROOM_H
#define OKNO_LEDGER_ROOM_H

#include "okno/ledger.h"

/* The signer of a data directory, made when there is none. The caller wipes it. */
OKNO_CHECK int ledger_signer(struct okno_db *db, struct okno_note_signer *ret_signer,
                             struct okno_err *err);

/* OKNO_REFUSED when the log of `size` entries does not hold the newest checkpoint handed out. */
OKNO_CHECK int ledger_check_age(struct okno_db *db, int64_t size, struct okno_err *err);

/* Keep beside the database that this much was handed out, durably. */
OKNO_CHECK int ledger_keep_mark(const char *data_dir, int64_t size, const struct okno_digest *root,
                                struct okno_err *err);

#endif
