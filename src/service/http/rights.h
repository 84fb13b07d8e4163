/* Rights by site, enforced in one place: dispatch asks before any handler runs. */
#ifndef OKNO_SERVICE_RIGHTS_H
#define OKNO_SERVICE_RIGHTS_H

#include "http.h"

/* Fill in request->sites: which sites this person sees. */
OKNO_CHECK int http_rights_load(struct http_request *request, struct okno_err *err);

/* The role, and for people who see some sites only: the route must say how it is limited to them
 * (rights.c), and what path and query name must be theirs. OKNO_FORBIDDEN says why. */
OKNO_CHECK int http_rights_check(const struct http_request *request, struct okno_err *err);

/* May this person see the site? NULL: only who sees all. */
bool http_rights_site(const struct http_request *request, const char *site);

/* OKNO_FORBIDDEN for a point of a site that this person does not see; an unknown point passes. */
OKNO_CHECK int http_rights_point(const struct http_request *request, const char *point,
                                 struct okno_err *err);

#endif
