/* One request of the network object, shared by whole calls and streams. Private to base. */
#ifndef BASE_NET_CALL_H
#define BASE_NET_CALL_H

#include "okno/net.h"

#include <curl/curl.h>

struct okno_net {
    CURLM *multi; /* keeps the connections */
    CURL *curl;
    long auth; /* CURLAUTH_ bits to offer; one bit once the server's choice is known */
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

    struct okno_net_reply reply;
    int64_t content_length;                    /* -1 unknown */
    int64_t range_from, range_to, range_total; /* Content-Range, inclusive; -1 unknown */
    bool has_range, bad_range, coded;
    int64_t error_bytes;
    bool checked;
    int failed; /* code of a failure found on the way, recorded in err */
};

void net_forget_reply(struct call *call);
bool net_is_good(const struct call *call);

/* Note the failure and make libcurl stop: a callback's return value that differs from its input. */
size_t net_stop(struct call *call, int code);
size_t net_on_header(char *bytes, size_t size, size_t count, void *arg);

/* Range and, with a tag, If-Range; the caller frees. NULL: no memory. */
struct curl_slist *net_range_headers(int64_t offset, int64_t len, const char *tag);

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
