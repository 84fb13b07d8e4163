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
/* status.c */
http_handler http_get_sites, http_get_status;

#endif
