/* Inside the audit room only. */
#ifndef OKNO_AUDIT_TOTAL_H
#define OKNO_AUDIT_TOTAL_H

#include "okno/audit.h"

/* Number of genuine ratings of a class in the frame, with its interval, into a figure that starts
 * without one. Tallies ordered by stratum. */
OKNO_CHECK int audit_total(const struct okno_audit_tally *tallies, size_t count,
                           enum okno_class class, const struct okno_audit_rules *rules,
                           struct okno_audit_figure *figure, struct okno_err *err);

#endif
