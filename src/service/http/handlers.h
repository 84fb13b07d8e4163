/* The handlers of the route table, one file per noun. */
#ifndef OKNO_SERVICE_HANDLERS_H
#define OKNO_SERVICE_HANDLERS_H

#include "http.h"

/* health.c */
http_handler http_get_healthz, http_get_readyz, http_get_metrics, http_get_openapi,
    http_get_reasons;
/* session.c */
http_handler http_post_login, http_post_logout, http_get_me, http_post_me;
/* queue.c */
http_handler http_post_queue_next, http_post_heartbeat, http_post_submit, http_post_skip,
    http_post_undo;
/* evidence.c */
http_handler http_get_evidence;
/* audits.c */
http_handler http_get_audits, http_get_audit;
/* figures.c */
http_handler http_get_indicators;
/* surveys.c */
http_handler http_get_surveys, http_get_survey;
/* attribution.c */
http_handler http_post_attribution, http_post_target, http_get_employees;
/* periods.c */
http_handler http_get_periods, http_get_period, http_post_period, http_get_adjustments,
    http_get_period_verify, http_get_period_csv, http_get_statements, http_get_published,
    http_get_publication, http_get_publication_verify, http_post_published;
/* events.c */
http_handler http_post_events;
/* devices.c */
http_handler http_get_devices;

/* status.c */
http_handler http_get_sites, http_get_status;

/* figures.c: a moment in the query, and the period that `from` and `to` say, `from` before `to`.
 * OKNO_MISSING or OKNO_INVALID name the parameter. */
OKNO_CHECK int http_query_time(const struct http_request *request, const char *name,
                               int64_t *ret_us, struct okno_err *err);
OKNO_CHECK int http_query_period(const struct http_request *request, int64_t *ret_from_us,
                                 int64_t *ret_to_us, struct okno_err *err);

#endif
