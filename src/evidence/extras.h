/* Inside the evidence room only: what is made of a kept file before its row is written. */
#ifndef OKNO_EVIDENCE_EXTRAS_H
#define OKNO_EVIDENCE_EXTRAS_H

#include "okno/extract.h"
#include "okno/viewing.h"

/* The reference of a camera at a moment, if it has one. */
OKNO_CHECK int work_reference_at(struct okno_db *db, const char *camera, int64_t at_us,
                                 uint16_t ret_cells[OKNO_PICTURE_CELLS], bool *ret_there,
                                 struct okno_err *err);

/* Look at a kept file (e->sha256 is filled) from outside of the process that made it, keep its
 * sidecar, and write both rows in one transaction; e->id is filled. OKNO_CHECK_FAILED when the file
 * does not hold what was claimed. picture: a still's measures when known already, else NULL. */
OKNO_CHECK int work_evidence_add(struct okno_db *db, const char *data_dir, struct okno_evidence *e,
                                 const struct okno_extract_result *got,
                                 const struct okno_picture *picture, struct okno_err *err);

#endif
