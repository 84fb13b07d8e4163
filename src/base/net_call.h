/* One request of the network object, shared by whole calls and streams. Private to base. */
#ifndef BASE_NET_CALL_H
#define BASE_NET_CALL_H

#include "okno/net.h"

#include <curl/curl.h>

/* Who may be connected to, for one handle. */
struct net_gate {
    const struct okno_address_rule *rule; /* the object's */
    bool public_only;
    char host[256];          /* of the URL */
    struct okno_err refused; /* why the last connection was not made */
};

struct okno_net {
    CURLM *multi; /* keeps the connections */
    CURL *curl;
    struct net_gate gate; /* of curl */
    struct okno_address_rule rule;
    struct okno_budget *budget; /* not owned; may be NULL */
    char *schemes;              /* owned */
    bool insecure, starttls, public_only;
    int64_t deadline_us; /* of one call */
    int (*sign)(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                struct okno_err *err);
    void *sign_ctx;
    int (*explain)(const char *body, size_t len, const char *shown, const struct okno_err *why,
                   struct okno_err *err);
    char *hide; /* owned; "" for nothing */
    long auth;  /* CURLAUTH_ bits to offer; one bit once the server's choice is known */
    bool has_login;
    int64_t requests, bytes, retry_after_us;
    char why[CURL_ERROR_SIZE];
};

/* One call under way: what was asked, what the headers of the latest reply said. */
struct call {
    struct okno_net *net;
    struct okno_buf *body;
    struct okno_err *err;
    char shown[256];
    bool ranged;
    int64_t offset, len; /* the range asked */
    bool tagged;         /* with If-Range */
    bool streamed;       /* no limit of bytes but the budget's */
    bool by_file;        /* FTP or SFTP: no headers */
    bool free_form;      /* any 2xx is good, a refusal's body is kept */
    const struct net_gate *gate;

    struct okno_net_reply reply;
    int64_t content_length;                    /* -1 unknown */
    int64_t range_from, range_to, range_total; /* Content-Range, inclusive; -1 unknown */
    bool has_range, bad_range, coded;
    int64_t error_bytes;
    char refusal[4096]; /* how a refusal's body begins, where somebody explains it */
    size_t refusal_len;
    bool checked;
    int failed; /* code of a failure found on the way, recorded in err */
};

/* As okno_net_shown, without what is to be hidden; "" for no URL. */
void net_shown(const struct okno_net *net, const char *url, char *ret_text, size_t size);

void net_forget_reply(struct call *call);
bool net_is_good(const struct call *call);

/* A part of a body that is not good: of a refusal, or of a login that comes next. */
void net_on_refusal(struct call *call, const char *bytes, size_t len);

/* Note the failure and make libcurl stop: a callback's return value that differs from its input. */
size_t net_stop(struct call *call, int code);
size_t net_on_header(char *bytes, size_t size, size_t count, void *arg);

/* A request as it goes out. */
struct outgoing {
    const struct okno_net_ask *ask;
    bool ranged;
    int64_t offset, len;
    const char *tag;            /* NULL or "": none */
    struct curl_slist *headers; /* owned */
};

/* Check the URL and put the request into a handle; `call` begins anew. */
OKNO_CHECK int net_prepare(struct okno_net *net, CURL *curl, struct net_gate *gate,
                           struct outgoing *out, struct call *call, struct okno_err *err);
void net_outgoing_clear(struct outgoing *out);

/* net_gate.c: whom to connect to, and how to know it. */
curl_socket_t net_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
CURLcode net_set_trust(struct okno_net *net, const struct okno_net_config *config);
void net_gate_begin(struct net_gate *gate, const struct okno_net *net, const char *url);

/* net_file.c: FTP and SFTP. */
bool net_is_file(const char *url);
CURLcode net_file_set(CURL *curl, struct call *call);
int net_file_fail(const struct call *call, CURLcode code);

int net_fail_transfer(struct call *call, CURLcode code);
int net_fail_status(const struct call *call);

/* The body's length against what the headers promised. */
int net_check_body(struct call *call, int64_t came);

/* Move all transfers on without waiting; says whether `curl` has ended, and how. */
CURLMcode net_turn(struct okno_net *net, CURL *curl, bool *ret_done, CURLcode *ret_code);

/* A stream's transfer ended while another one was moved on. */
struct okno_net_stream;
void net_stream_ended(struct okno_net_stream *stream, CURLcode code);

#endif
