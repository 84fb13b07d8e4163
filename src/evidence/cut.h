/* Inside the evidence room only: a still out of the survey's own clip. */
#ifndef OKNO_EVIDENCE_CUT_H
#define OKNO_EVIDENCE_CUT_H

#include "work.h"

#include "okno/evidence.h"

/* Make and keep the still that `still` asks for (its times, camera's offset and survey are filled)
 * out of the survey's clip, when that is kept and shows the moment as the archive did. 1: done,
 * *still is it; 0: there is no such clip; negative: it could not be kept. */
OKNO_CHECK int work_cut_still(struct okno_work *work, const char *camera,
                              struct okno_evidence *still, struct okno_err *err);

#endif
