/* The only file that sees the HTTP library. One thread per handed connection, one request each. */
#define _POSIX_C_SOURCE 200809L
#include "server.h"

#include "gate.h"
#include "handlers.h"
#include "http.h"
#include "listen.h"
#include "okno/log.h"
#include "okno/time.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <string.h>

enum { IDLE_TIMEOUT_S = 30, LIBRARY_BYTES = 32 << 10 };

struct http_server {
    struct http_service service;
    struct http_gate *gate;
    struct MHD_Daemon *daemon;
    size_t body_max;
    bool behind_proxy;
    char data_dir[1024];
    char public_url[512];
};

/* What one connection carries from its first call to its end. */
struct exchange {
    struct http_request request;
    struct http_reply reply;
    struct okno_buf body;
    struct sockaddr_storage peer;
};

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value((struct MHD_Connection *)request->connection,
                                       MHD_HEADER_KIND, name);
}

static enum MHD_Result take_query(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    struct http_request *request = arg;
    if (request->query_count == HTTP_QUERY_MAX)
        return MHD_NO;
    request->query[request->query_count++] = (struct http_pair){name, value};
    return MHD_YES;
}

/* A proxy names the client in X-Real-IP: one on this machine, or the one that --behind-proxy
 * vouches for. Nobody else is believed. */
static void name_peer(const struct http_server *server, struct MHD_Connection *connection,
                      struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *real = http_header(request, "X-Real-IP");
    bool local = info && http_address_is_loopback(info->client_addr);
    bool proxy = local || server->behind_proxy;
    unsigned char parsed[sizeof(struct in6_addr)];
    if (info)
        http_address_text(info->client_addr, request->peer, sizeof(request->peer));
    request->is_direct = local && !real && !http_header(request, "X-Forwarded-For");
    if (proxy && real && strlen(real) < sizeof(request->peer) &&
        (inet_pton(AF_INET, real, parsed) == 1 || inet_pton(AF_INET6, real, parsed) == 1))
        (void)snprintf(request->peer, sizeof(request->peer), "%s", real);
    http_address_network(request->peer, request->network, sizeof(request->network));
}

static ssize_t read_stream(void *context, uint64_t at, char *bytes, size_t size)
{
    (void)at;
    const struct http_reply *stream = context;
    size_t got = stream->stream(stream->stream_context, bytes, size);
    return got > 0 ? (ssize_t)got : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *context)
{
    http_reply_reset(context);
    free(context);
}

/* The library calls on after the exchange is gone: what it needs moves into a reply of its own. */
static struct MHD_Response *stream_of(struct http_reply *reply)
{
    enum { BLOCK = 4096 };
    struct http_reply *moved = malloc(sizeof(*moved));
    if (!moved)
        return NULL;
    *moved = (struct http_reply)HTTP_REPLY_INIT;
    moved->stream = reply->stream;
    moved->stream_context = reply->stream_context;
    moved->stream_free = reply->stream_free;
    reply->stream_free = NULL;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, moved, free_stream);
    if (!response)
        free_stream(moved);
    return response;
}

static struct MHD_Response *response_of(struct http_reply *reply)
{
    if (reply->stream)
        return stream_of(reply);
    if (reply->fd >= 0) {
        struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(
            (uint64_t)reply->fd_len, reply->fd, (uint64_t)reply->fd_offset);
        if (response)
            reply->fd = -1; /* the library closes it */
        return response;
    }
    if (reply->fixed)
        return MHD_create_response_from_buffer(reply->fixed_len, (void *)reply->fixed,
                                               MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_buffer(reply->body.len, (void *)okno_buf_text(&reply->body),
                                           MHD_RESPMEM_MUST_COPY);
}

static bool has_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return true;
    return false;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
    struct MHD_Response *response = response_of(reply);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; http_reply_always[i]; i += 2)
        if (!has_header(reply, http_reply_always[i]))
            (void)MHD_add_response_header(response, http_reply_always[i], http_reply_always[i + 1]);
    for (size_t i = 0; i < reply->header_count; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (reply->type)
        (void)MHD_add_response_header(response, "Content-Type", reply->type);
    if (!has_header(reply, "Cache-Control"))
        (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static struct exchange *exchange_new(struct http_server *server)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return NULL;
    exchange->reply = (struct http_reply)HTTP_REPLY_INIT;
    exchange->body = (struct okno_buf)OKNO_BUF_INIT(server->body_max);
    exchange->request.service = &server->service;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    http_reply_reset(&exchange->reply);
    okno_buf_free(&exchange->body);
    json_decref(exchange->request.body);
    free(exchange->request.sites);
    free(exchange);
}

static struct http_slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result answer(struct http_server *server, struct MHD_Connection *connection,
                              struct exchange *exchange, const char *path, const char *method)
{
    struct http_request *request = &exchange->request;
    request->connection = connection;
    request->method = method;
    request->path = path;
    request->body_text = okno_buf_text(&exchange->body);
    request->body_len = exchange->body.len;
    struct http_slot *slot = slot_of(connection);
    if (slot)
        http_gate_body_done(server->gate, slot);
    name_peer(server, connection, request);
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, request);
    http_dispatch(request, &exchange->reply);
    return send_reply(connection, &exchange->reply);
}

/* Called once with the header, then for each piece of the body, then to answer. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_len, void **state)
{
    (void)version;
    struct http_server *server = arg;
    if (!*state) {
        *state = exchange_new(server);
        return *state ? MHD_YES : MHD_NO;
    }
    struct exchange *exchange = *state;
    if (*piece_len == 0)
        return answer(server, connection, exchange, path, method);
    if (okno_buf_add(&exchange->body, piece, *piece_len, NULL) < 0)
        return MHD_NO;
    *piece_len = 0;
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    exchange_free(*state);
    *state = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            http_gate_release(server->gate, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info ? http_gate_find(server->gate, info->connect_fd) : NULL;
}

OKNO_PRINTF(2, 0)
static void on_log(void *arg, const char *fmt, va_list args)
{
    (void)arg;
    char text[512];
    (void)vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    okno_log(OKNO_LOG_DEBUG, "http", "%s", text);
}

static bool take_connection(void *context, int fd, const struct sockaddr *address, socklen_t len)
{
    struct http_server *server = context;
    return MHD_add_connection(server->daemon, fd, address, len) == MHD_YES;
}

static int start_daemon(struct http_server *server, const struct okno_serve_limits *limits,
                        struct okno_err *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)limits->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        limits->header_bytes * 2 + LIBRARY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!server->daemon)
        return okno_fail(err, OKNO_FAILED, "the HTTP server does not start");
    return 0;
}

static void prepare_service(struct http_server *server, const struct okno_serve_options *options,
                            const struct okno_conf *conf, void (*wake)(void *), void *context)
{
    struct http_service *service = &server->service;
    (void)snprintf(server->data_dir, sizeof(server->data_dir), "%s", options->data_dir);
    (void)snprintf(server->public_url, sizeof(server->public_url), "%s",
                   options->public_url ? options->public_url : "");
    service->data_dir = server->data_dir;
    service->public_url = server->public_url;
    (void)snprintf(service->language, sizeof(service->language), "%s", conf->service.language);
    service->pool.data_dir = server->data_dir;
    service->session_us = conf->limits.session_h * 3600 * OKNO_SECOND_US;
    service->lease_us = conf->review.lease_min * 60 * OKNO_SECOND_US;
    service->appeal_times =
        (struct okno_appeal_times){.file_us = conf->review.appeal_days * OKNO_DAY_US,
                                   .decide_us = conf->review.answer_days * OKNO_DAY_US};
    service->give_up_us = conf->notify.give_up_h * 3600 * OKNO_SECOND_US;
    service->keep_days = conf->evidence.keep_days;
    service->silent_weight = conf->kpi.silent_weight;
    service->fm_threshold = conf->kpi.fm_threshold;
    service->undeterminable_limit = conf->kpi.undeterminable_limit;
    service->min_n = conf->kpi.min_n;
    service->survey = okno_survey_params_of(conf);
    service->pairs.window_us = service->users.window_us = service->addresses.window_us =
        service->guesses.window_us = 60 * OKNO_SECOND_US;
    service->liveness_us = conf->survey.liveness_h * 3600 * OKNO_SECOND_US;
    http_rate_init(&service->devices, conf->limits.device_per_min);
    http_intake_init(&service->intake);
    http_live_init(&service->live);
    okno_hash_memo_init(&service->checked);
    http_rate_init(&service->phones, HTTP_PHONES_PER_MINUTE);
    http_rate_init(&service->codes, HTTP_CODES_PER_MINUTE);
    (void)pthread_mutex_init(&service->qr_lock, NULL);
    service->wake = wake;
    service->wake_context = context;
    service->server = server;
    (void)pthread_mutex_init(&service->pool.lock, NULL);
    (void)pthread_mutex_init(&service->login_lock, NULL);
    (void)pthread_mutex_init(&service->limiter_lock, NULL);
}

/* A database that does not open is found out before the first request. */
static int try_database(struct http_server *server, struct okno_err *err)
{
    struct okno_db *db = NULL;
    int rc = http_pool_take(&server->service.pool, &db, err);
    http_pool_give(&server->service.pool, db);
    return rc;
}

int http_server_start(const struct okno_serve_options *options, const struct okno_conf *conf,
                      void (*wake)(void *), void *context, struct http_server **ret_server,
                      struct okno_err *err)
{
    OKNO_AUTO(http_server) *server = calloc(1, sizeof(*server));
    if (!server)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the server");
    prepare_service(server, options, conf, wake, context);
    struct http_gate_options gate = {.listen = options->listen,
                                     .behind_proxy = options->behind_proxy,
                                     .limits = http_limits_or_default(&options->limits)};
    server->body_max = gate.limits.body_bytes;
    server->behind_proxy = options->behind_proxy;
    if (options->behind_proxy) /* everyone comes from the proxy's address */
        gate.limits.per_address = gate.limits.connections;
    int rc = try_database(server, err);
    if (rc == 0)
        rc = http_gate_open(&gate, &server->gate, err);
    if (rc == 0)
        http_export_sweep(options->data_dir);
    if (rc == 0)
        rc = start_daemon(server, &gate.limits, err);
    if (rc == 0)
        rc = http_gate_start(server->gate, take_connection, server, err);
    if (rc == 0)
        *ret_server = okno_mem_take(&server);
    return rc;
}

int http_server_port(const struct http_server *server)
{
    return http_gate_port(server->gate);
}

const char *http_server_url(const struct http_server *server)
{
    return http_gate_url(server->gate);
}

void http_server_counts(const struct http_server *server, int *ret_open, uint64_t *ret_refused)
{
    http_gate_counts(server->gate, ret_open, ret_refused);
}

struct http_live *http_server_live(struct http_server *server)
{
    return &server->service.live;
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->service.stopping, true);
    http_live_stop(&server->service.live);
    if (server->gate && !http_gate_drain(server->gate))
        okno_log(OKNO_LOG_WARNING, "http", "requests that did not end in time are cut off");
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    http_gate_close(server->gate);
    http_pool_close(&server->service.pool);
    (void)pthread_mutex_destroy(&server->service.login_lock);
    (void)pthread_mutex_destroy(&server->service.limiter_lock);
    (void)pthread_mutex_destroy(&server->service.qr_lock);
    http_intake_destroy(&server->service.intake);
    http_live_destroy(&server->service.live);
    okno_hash_memo_destroy(&server->service.checked);
    free(server);
}
