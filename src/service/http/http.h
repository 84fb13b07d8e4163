/* What the files of this folder share: a request as handlers see it, the service around it, and
 * the table of routes. Only server.c knows the HTTP library. */
#ifndef OKNO_SERVICE_HTTP_H
#define OKNO_SERVICE_HTTP_H

#include "intake.h"
#include "limiter.h"
#include "live.h"
#include "okno/appeal.h"
#include "okno/db.h"
#include "okno/hash.h"
#include "okno/json.h"
#include "okno/survey.h"
#include "okno/text.h"
#include "okno/token.h"
#include "okno/user.h"
#include "rate.h"
#include "reply.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_QUERY_MAX = 32,
    HTTP_PARAMS_MAX = 2,
    HTTP_PARAM_TEXT = 200,
    HTTP_ROLE_COUNT = 6,
    HTTP_PHONES_PER_MINUTE = 12, /* answers by QR codes from one address */
    HTTP_CODES_PER_MINUTE = 60,  /* by one code */
};

/* Roles as a set. A route without any is open to everyone. Devices send a token of their own with
 * each request; people log in. */
enum http_role {
    HTTP_EXPERT = 1,
    HTTP_AUDITOR = 2,
    HTTP_MANAGER = 4,
    HTTP_STAFF = 8,
    HTTP_ADMINISTRATOR = 16,
    HTTP_ANY_ROLE = 31, /* of people */
    HTTP_DEVICE = 32,
};

struct http_pair {
    const char *name, *value;
};

/* Handles of the database, one for each request that runs. */
struct http_pool {
    const char *data_dir;
    pthread_mutex_t lock; /* protects what follows */
    struct okno_db *idle[64];
    int idle_count;
};

/* The service as handlers see it; lives while requests run. */
struct http_service {
    const char *data_dir;
    const char *public_url; /* "" for unknown */
    char language[8];       /* of accounts without one; "browser" leaves it to the page */
    int64_t session_us, lease_us;
    struct okno_appeal_times appeal_times;
    int64_t give_up_us; /* of messages that nobody takes */
    int64_t keep_days;  /* of evidence; 0: for ever */
    double silent_weight, fm_threshold, undeterminable_limit;
    int64_t min_n;
    struct okno_survey_params survey; /* for figures of another moment */
    struct http_pool pool;
    struct okno_hash_memo checked; /* files of evidence and copies of them */
    pthread_mutex_t login_lock;    /* one password is hashed at a time: each takes much memory */
    pthread_mutex_t limiter_lock;
    struct http_limiter pairs, users, addresses; /* under limiter_lock */
    struct http_limiter guesses;                 /* of pairing codes; under limiter_lock */
    struct http_rate devices, phones, codes;     /* under limiter_lock */
    struct http_live live;
    pthread_mutex_t qr_lock; /* running numbers of QR codes' devices: taken and stored one by one */
    struct http_intake intake;
    int64_t liveness_us;
    atomic_uint_fast64_t requests, failures; /* answered; of these with 5xx */
    atomic_bool stopping;
    atomic_bool trying;          /* an archive for somebody who waits: one at a time */
    void (*wake)(void *context); /* there may be new work; NULL allowed */
    void *wake_context;
    const void *server; /* for counts of connections */
};

struct http_route;

/* One request, read whole. Texts live as long as it does. */
struct http_request {
    struct http_service *service;
    const struct http_route *route;
    const char *method, *path;
    char network[64]; /* of the peer, by which limits count: http_address_network() */
    char peer[64];    /* the client's address, as nginx names it when the peer is loopback */
    bool is_direct;   /* from loopback and not through a proxy */
    struct okno_db *db;
    struct okno_user who;      /* .user is "" for nobody */
    char device[OKNO_ID_TEXT]; /* that the token speaks for; "" for none */
    enum http_role role;       /* of who, or HTTP_DEVICE */
    char *sites; /* that who may see: JSON array of ids; NULL: all. Owned by the exchange */
    char token[OKNO_TOKEN_TEXT]; /* of the session; "" for none */
    json_t *body;                /* checked against the route's schema; NULL without one */
    char params[HTTP_PARAMS_MAX][HTTP_PARAM_TEXT];
    struct http_pair query[HTTP_QUERY_MAX];
    size_t query_count;
    const char *body_text;
    size_t body_len;
    const void *connection;
};

/* A header's value, NULL without it; names in any case. In server.c. */
const char *http_header(const struct http_request *request, const char *name);

/* A query parameter's value, NULL without it. */
const char *http_query(const struct http_request *request, const char *name);

/* 0 with the reply filled, or a negative code with the message in err. */
typedef int http_handler(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err);

/* One row of the table that drives dispatch, checks of input and /openapi.json. */
struct http_route {
    const char *method;  /* GET rows answer HEAD too */
    const char *path;    /* {name} matches one segment of letters, digits, _ - and . */
    unsigned roles;      /* set of http_role; 0: everyone, no session needed */
    const char *query;   /* names allowed, separated by one space; "" for none */
    const char *body;    /* schema of the JSON body; NULL for none */
    const char *reply;   /* schema of the 200 answer (202 to devices); NULL: 204, or not JSON */
    const char *summary; /* one line for /openapi.json */
    http_handler *handler;
};

extern const struct http_route http_routes[]; /* a row without method ends it */

/* Find the route, check rights and input, run the handler; the reply is always filled. */
void http_dispatch(struct http_request *request, struct http_reply *reply);

/* The document of /openapi.json: a new reference, NULL without memory. */
json_t *http_openapi(void);

/* Check a value against a named schema of schemas.json. UNKNOWN_FIELD, MISSING or INVALID name the
 * field. */
OKNO_CHECK int http_schema_check(const char *schema, const json_t *value, struct okno_err *err);

/* Whether the schema describes a plain HTML form (x-form). */
bool http_schema_is_form(const char *schema);

/* The fields of an application/x-www-form-urlencoded body as an object of strings: a new reference.
 * OKNO_MALFORMED, OKNO_INVALID. */
OKNO_CHECK int http_form_read(const struct http_request *request, json_t **ret_fields,
                              struct okno_err *err);

/* A body by its named schema. The caller owns *ret_body, which may be set on failure too. */
OKNO_CHECK int http_body_parse(const char *text, size_t len, const char *schema, json_t **ret_body,
                               struct okno_err *err);

/* The schemas by name; lives as long as the program. */
const json_t *http_schemas(void);

/* Answers of the page: files, and index.html for the page's own addresses. */
OKNO_CHECK int http_page(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err);

/* Fill in who asks from the session cookie; nobody when there is none that stands. */
OKNO_CHECK int http_session_load(struct http_request *request, struct okno_err *err);

/* Fill in the device from its token. OKNO_UNAUTHENTICATED without one that stands, OKNO_TOO_MANY
 * (with Retry-After) when it asks too often. */
/* The token that was sent, of whatever worth; false without one. */
bool http_bearer(const struct http_request *request, char ret_token[OKNO_TOKEN_TEXT]);
OKNO_CHECK int http_device_load(struct http_request *request, struct http_reply *reply,
                                struct okno_err *err);

/* A file of the page or a text in the program with ETag and 304. */
OKNO_CHECK int http_reply_fixed(const struct http_request *request, struct http_reply *reply,
                                const char *type, const void *bytes, size_t len,
                                struct okno_err *err);

/* Names of roles, in the order of their bits. */
extern const char *const http_role_names[HTTP_ROLE_COUNT];
/* 0 for an unknown name. */
enum http_role http_role_of(const char *name);

OKNO_CHECK int http_pool_take(struct http_pool *pool, struct okno_db **ret_db,
                              struct okno_err *err);
/* NULL allowed. An open transaction is rolled back. */
void http_pool_give(struct http_pool *pool, struct okno_db *db);
void http_pool_close(struct http_pool *pool);

#endif
