#define _POSIX_C_SOURCE 200809L
#include "net_call.h"

#include "okno/time.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

enum {
    DEFAULT_CONNECT_MS = 10000,
    CANCEL_MS = 100,                 /* until somebody's wish to stop is seen */
    CONNECTIONS = 2,                 /* kept to one archive: cameras are weak */
    ERROR_BODY_MAX_BYTES = 64 * 1024 /* of a refusal, read so that its connection can be kept */
};

#define DEFAULT_DEADLINE_US (30 * OKNO_SECOND_US)

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct call *call = arg;
    size_t len = size * count;
    call->net->bytes += (int64_t)len;
    okno_budget_spend(call->net->budget, (int64_t)len);
    if (!net_is_good(call)) {
        net_on_refusal(call, bytes, len);
        if (call->free_form) /* for error codes in it */
            (void)!okno_buf_add(call->body, bytes, len, NULL);
        return call->error_bytes > ERROR_BODY_MAX_BYTES ? 0 : len;
    }
    int rc = okno_budget_check(call->net->budget, call->shown, call->err);
    if (rc < 0)
        return net_stop(call, rc);
    if (call->reply.status == 206 && (int64_t)(call->body->len + len) > call->len)
        return net_stop(call,
                        okno_fail(call->err, OKNO_PROTOCOL,
                                  "%s: more bytes than the range that was asked", call->shown));
    if (okno_buf_add(call->body, bytes, len, NULL) < 0)
        return net_stop(call,
                        okno_fail(call->err, OKNO_TOO_LARGE, "%s: more than the %zu bytes allowed",
                                  call->shown, call->body->max));
    return len;
}

/* --- requests --- */

CURLMcode net_turn(struct okno_net *net, CURL *curl, bool *ret_done, CURLcode *ret_code)
{
    int running = 0;
    int left = 0;
    CURLMcode bad = curl_multi_perform(net->multi, &running);
    for (CURLMsg *said = NULL; !bad && (said = curl_multi_info_read(net->multi, &left));) {
        if (said->msg != CURLMSG_DONE)
            continue;
        if (said->easy_handle == curl) {
            *ret_done = true;
            *ret_code = said->data.result;
        } else { /* for its own stream to find */
            void *other = NULL;
            if (curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE, &other) == CURLE_OK && other)
                net_stream_ended(other, said->data.result);
        }
    }
    return bad;
}

/* Which login the server asked for is remembered: offering a choice costs a request each time. */
static void learn_auth(struct okno_net *net)
{
    long offered = 0;
    if (!net->has_login || curl_easy_getinfo(net->curl, CURLINFO_HTTPAUTH_AVAIL, &offered))
        return;
    if (offered & (long)CURLAUTH_DIGEST)
        net->auth = (long)CURLAUTH_DIGEST;
    else if (offered & (long)CURLAUTH_BASIC)
        net->auth = (long)CURLAUTH_BASIC;
    (void)curl_easy_setopt(net->curl, CURLOPT_HTTPAUTH, net->auth);
}

/* The body's length against what the headers promised. */
int net_check_body(struct call *call, int64_t came)
{
    if (call->by_file) /* there are no headers to compare with */
        return 0;
    int64_t want =
        call->reply.status == 206 ? call->range_to - call->range_from + 1 : call->content_length;
    if (want >= 0 && came != want)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: the body ended after %" PRId64 " of %" PRId64 " bytes", call->shown,
                         came, want);
    return 0;
}

/* On the object's own multi handle, so that whole calls and streams share connections. */
static CURLcode perform_shared(struct okno_net *net)
{
    CURLcode code = CURLE_FAILED_INIT;
    bool done = false;
    if (curl_multi_add_handle(net->multi, net->curl))
        return CURLE_OUT_OF_MEMORY;
    while (!done && !okno_budget_cancelled(net->budget)) {
        CURLMcode bad = net_turn(net, net->curl, &done, &code);
        if (!done && !bad)
            bad = curl_multi_poll(net->multi, NULL, 0, net->budget ? CANCEL_MS : 1000, NULL);
        if (bad)
            break;
    }
    (void)curl_multi_remove_handle(net->multi, net->curl);
    return code;
}

static struct curl_slist *add_line(struct curl_slist *headers, const char *line, bool *ret_failed)
{
    struct curl_slist *more = curl_slist_append(headers, line);
    *ret_failed |= !more;
    return more ? more : headers;
}

/* Lines that the object's owner signs the request with. */
static int add_signed(struct okno_net *net, struct outgoing *out, const char *method,
                      struct okno_err *err)
{
    OKNO_AUTO_BUF lines = OKNO_BUF_INIT(64 * 1024);
    bool failed = false;
    int rc = net->sign ? net->sign(net->sign_ctx, method, out->ask->url, &lines, err) : 0;
    char *rest = NULL;
    if (rc < 0 || lines.len == 0)
        return rc;
    for (char *line = strtok_r(lines.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        out->headers = add_line(out->headers, line, &failed);
    return failed ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a request") : 0;
}

static int add_headers(struct okno_net *net, struct outgoing *out, const char *method,
                       struct okno_err *err)
{
    const struct okno_net_ask *ask = out->ask;
    char line[256];
    bool failed = false;
    for (size_t i = 0; ask->headers && ask->headers[i]; i++)
        out->headers = add_line(out->headers, ask->headers[i], &failed);
    if (out->ranged) {
        (void)snprintf(line, sizeof(line), "Range: bytes=%" PRId64 "-%" PRId64, out->offset,
                       out->offset + out->len - 1);
        out->headers = add_line(out->headers, line, &failed);
    }
    if (out->ranged && out->tag && out->tag[0]) {
        (void)snprintf(line, sizeof(line), "If-Range: %.120s", out->tag);
        out->headers = add_line(out->headers, line, &failed);
    }
    if (ask->body) {
        (void)snprintf(line, sizeof(line), "Content-Type: %.200s",
                       ask->content_type ? ask->content_type : "application/octet-stream");
        out->headers = add_line(out->headers, line, &failed);
        out->headers = add_line(out->headers, "Expect:", &failed);
    }
    return failed ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a request")
                  : add_signed(net, out, method, err);
}

static CURLcode set_method(CURL *curl, const struct okno_net_ask *ask)
{
    bool head = ask->method && strcmp(ask->method, "HEAD") == 0;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (head)
        return bad ? bad : curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (ask->body) {
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_POST, 1L);
        bad = bad ? bad
                  : curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body_len);
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, ask->body);
    }
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
}

void net_outgoing_clear(struct outgoing *out)
{
    curl_slist_free_all(out->headers);
    out->headers = NULL;
}

int net_prepare(struct okno_net *net, CURL *curl, struct net_gate *gate, struct outgoing *out,
                struct call *call, struct okno_err *err)
{
    const struct okno_net_ask *ask = out->ask;
    int rc = okno_net_check_scheme(ask->url, net->schemes, err);
    if (rc < 0)
        return rc;
    net_shown(net, ask->url, call->shown, sizeof(call->shown));
    bool possible =
        !out->ranged || (out->offset >= 0 && out->len >= 1 && out->offset <= INT64_MAX - out->len);
    if (!possible || (out->ranged && call->body->max < (uint64_t)out->len && !call->streamed))
        return okno_fail(err, OKNO_INVALID,
                         "%s: a range of %" PRId64 " bytes at %" PRId64 " cannot be asked",
                         call->shown, out->len, out->offset);
    call->net = net;
    call->err = err;
    call->gate = gate;
    call->ranged = out->ranged;
    call->offset = out->offset;
    call->len = out->ranged ? out->len : INT64_MAX;
    call->tagged = out->tag && out->tag[0];
    rc = okno_budget_check(net->budget, call->shown, err);
    if (rc < 0)
        return rc;
    net_forget_reply(call);
    net_gate_begin(gate, net, ask->url);
    net->why[0] = '\0';
    CURLcode bad = set_method(curl, ask);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_URL, ask->url);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, net_on_header);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERDATA, call);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_RANGE, NULL);
    if (net_is_file(ask->url))
        bad = bad ? bad : net_file_set(curl, call);
    else
        rc = add_headers(net, out, ask->method ? ask->method : ask->body ? "POST" : "GET", err);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HTTPHEADER, out->headers);
    return bad ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a request") : rc;
}

static int judge(struct call *call, CURLcode code)
{
    struct okno_net *net = call->net;
    if (call->failed)
        return call->failed;
    if (call->reply.status >= 300) /* also when its body was cut or too long */
        return net_fail_status(call);
    if (!code && okno_budget_cancelled(net->budget))
        return okno_budget_check(net->budget, call->shown, call->err);
    return code ? net_fail_transfer(call, code) : net_check_body(call, (int64_t)call->body->len);
}

static int perform(struct okno_net *net, struct outgoing *out, struct call *call,
                   struct okno_net_reply *ret_reply, struct okno_err *err)
{
    int rc = net_prepare(net, net->curl, &net->gate, out, call, err);
    if (rc < 0)
        return rc;
    okno_buf_reset(call->body);
    net->retry_after_us = 0;
    int64_t wait_us = okno_budget_wait_us(net->budget, net->deadline_us);
    if (curl_easy_setopt(net->curl, CURLOPT_TIMEOUT_MS, (long)(wait_us / OKNO_MS_US + 1)) ||
        curl_easy_setopt(net->curl, CURLOPT_WRITEDATA, call))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    CURLcode code = perform_shared(net);
    (void)curl_easy_setopt(net->curl, CURLOPT_HTTPHEADER, NULL);
    learn_auth(net);
    curl_off_t wait_s = 0;
    if (curl_easy_getinfo(net->curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
        net->retry_after_us = wait_s > 86400 ? OKNO_DAY_US : wait_s * OKNO_SECOND_US;
    rc = judge(call, code);
    if (rc == 0)
        *ret_reply = call->reply;
    return rc;
}

int okno_net_get(struct okno_net *net, const char *url, struct okno_buf *body,
                 struct okno_net_reply *ret_reply, struct okno_err *err)
{
    const struct okno_net_ask ask = {.url = url};
    struct outgoing out = {.ask = &ask};
    struct call call = {.body = body};
    int rc = perform(net, &out, &call, ret_reply, err);
    net_outgoing_clear(&out);
    return rc;
}

int okno_net_request(struct okno_net *net, const struct okno_net_ask *ask, struct okno_buf *body,
                     struct okno_net_reply *ret_reply, struct okno_err *err)
{
    struct outgoing out = {.ask = ask};
    struct call call = {.body = body, .free_form = true};
    int rc = perform(net, &out, &call, ret_reply, err);
    net_outgoing_clear(&out);
    return rc;
}

int okno_net_get_range(struct okno_net *net, const char *url, int64_t offset, int64_t len,
                       const char *tag, struct okno_buf *body, struct okno_net_reply *ret_reply,
                       struct okno_err *err)
{
    const struct okno_net_ask ask = {.url = url};
    struct outgoing out = {.ask = &ask, .ranged = true, .offset = offset, .len = len, .tag = tag};
    struct call call = {.body = body};
    int rc = perform(net, &out, &call, ret_reply, err);
    net_outgoing_clear(&out);
    return rc;
}

/* --- the object --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void okno_net_close(struct okno_net *net)
{
    if (!net)
        return;
    curl_easy_cleanup(net->curl);
    (void)curl_multi_cleanup(net->multi);
    free(net->schemes);
    free(net->hide);
    free(net);
}

static CURLcode set_limits(struct okno_net *net, const struct okno_net_config *config)
{
    CURL *curl = net->curl;
    long connect_ms =
        config->connect_us > 0 ? (long)(config->connect_us / OKNO_MS_US + 1) : DEFAULT_CONNECT_MS;
    net->deadline_us = config->deadline_us > 0 ? config->deadline_us : DEFAULT_DEADLINE_US;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, net->schemes);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 2L);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

static CURLcode set_manners(struct okno_net *net)
{
    CURL *curl = net->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_USERAGENT, "okno/" OKNO_VERSION);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PROXY, "");
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, net->why);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, net_on_header);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
}

static CURLcode set_login(struct okno_net *net, const struct okno_net_config *config)
{
    net->has_login = config->user && config->user[0];
    if (!net->has_login)
        return CURLE_OK;
    net->auth = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST);
    CURLcode bad = curl_easy_setopt(net->curl, CURLOPT_USERNAME, config->user);
    bad = bad ? bad
              : curl_easy_setopt(net->curl, CURLOPT_PASSWORD,
                                 config->password ? config->password : "");
    return bad ? bad : curl_easy_setopt(net->curl, CURLOPT_HTTPAUTH, net->auth);
}

int okno_net_open(const struct okno_net_config *config, struct okno_net **ret_net,
                  struct okno_err *err)
{
    (void)pthread_once(&once, start_curl);
    OKNO_AUTO(okno_net) *net = calloc(1, sizeof(*net));
    if (!net || !(net->curl = curl_easy_init()) || !(net->multi = curl_multi_init()) ||
        !(net->schemes = strdup(config->schemes ? config->schemes : "http,https")) ||
        !(net->hide = strdup(config->hide ? config->hide : "")))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a connection");
    net->rule = config->rule ? *config->rule : (struct okno_address_rule){0};
    net->public_only = config->public_only;
    net->budget = config->budget;
    net->sign = config->sign;
    net->sign_ctx = config->sign_ctx;
    net->explain = config->explain;
    CURLcode bad = set_limits(net, config);
    bad = bad ? bad : net_set_trust(net, config);
    bad = bad ? bad : set_manners(net);
    if (curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS) ||
        curl_multi_setopt(net->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS))
        bad = CURLE_OUT_OF_MEMORY;
    bad = bad ? bad : set_login(net, config);
    if (bad)
        return okno_fail(err, OKNO_FAILED, "network library: %s", curl_easy_strerror(bad));
    *ret_net = okno_mem_take(&net);
    return 0;
}

void okno_net_set_deadline(struct okno_net *net, int64_t deadline_us)
{
    net->deadline_us = deadline_us > 0 ? deadline_us : 1;
}

struct okno_budget *okno_net_set_budget(struct okno_net *net, struct okno_budget *budget)
{
    struct okno_budget *before = net->budget;
    net->budget = budget;
    return before;
}

int64_t okno_net_retry_after_us(const struct okno_net *net)
{
    return net->retry_after_us;
}

int64_t okno_net_requests(const struct okno_net *net)
{
    return net->requests;
}

int64_t okno_net_bytes(const struct okno_net *net)
{
    return net->bytes;
}
