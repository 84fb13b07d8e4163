/* The HTTP server: gate, library, dispatch. */
#ifndef OKNO_SERVICE_SERVER_H
#define OKNO_SERVICE_SERVER_H

#include "okno/conf.h"
#include "okno/mem.h"
#include "okno/serve.h"

struct http_server;
struct http_live;

/* Listen, and answer as soon as this returns. `options` and `conf` are read during the call only;
 * wake(context) is called from request threads when there may be new work (NULL allowed). */
OKNO_CHECK int http_server_start(const struct okno_serve_options *options,
                                 const struct okno_conf *conf, void (*wake)(void *context),
                                 void *context, struct http_server **ret_server,
                                 struct okno_err *err);

int http_server_port(const struct http_server *server);
const char *http_server_url(const struct http_server *server);

/* Open connections and refused ones since the start. */
void http_server_counts(const struct http_server *server, int *ret_open, uint64_t *ret_refused);

/* Where presses are told. */
struct http_live *http_server_live(struct http_server *server);

/* Accept no more, let running requests end (drain_us), then stop. NULL allowed. */
void http_server_stop(struct http_server *server);
OKNO_CLEANUP(http_server, http_server_stop);

#endif
