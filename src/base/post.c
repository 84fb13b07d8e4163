#define _POSIX_C_SOURCE 200809L
#include "okno/post.h"

#include "okno/time.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 5000, DEADLINE_MS = 10000, HEADER_BYTES = 16 << 10, BODY_BYTES = 64 << 10 };
enum { IN_FLIGHT = 64 };

/* One request under way, or ended and not yet taken. */
struct slot {
    CURL *curl; /* NULL: free */
    struct curl_slist *headers;
    curl_mime *form;
    const struct okno_post *post;
    int64_t tag;
    size_t header_bytes;
    int status;        /* of the latest status line */
    bool header_whole; /* of a final answer */
    bool blocked, header_too_long, ended;
    CURLcode code;
    struct okno_buf body;
    bool mail;               /* SMTP: header lines are replies, status the latest one's */
    int replies;             /* that came so far */
    struct okno_buf message; /* of mail, and how much of it was read */
    size_t message_read;
};

struct okno_post {
    CURLM *multi;
    struct okno_post_limits limits;
    struct slot *slots;
    int in_flight;
};

/* --- addresses */

static bool is_private_v4(uint32_t a)
{
    static const struct {
        uint32_t net;
        int bits;
    } nets[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
        {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0a80000, 16}, {0xc6120000, 15},
        {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4},
    };
    for (size_t i = 0; i < OKNO_COUNT(nets); i++)
        if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static uint32_t v4_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_private_v6(const uint8_t a[16])
{
    static const uint8_t zero[16] = {0};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    bool mapped = memcmp(a, zero, 10) == 0 &&
                  ((a[10] == 0xff && a[11] == 0xff) || (a[10] == 0 && a[11] == 0));
    if (mapped || memcmp(a, nat64, sizeof(nat64)) == 0) /* :: and ::1 among them */
        return is_private_v4(v4_at(a + 12));
    if (a[0] == 0x20 && a[1] == 0x02)
        return is_private_v4(v4_at(a + 2));
    bool documentation = v4_at(a) == 0x20010db8;
    return documentation || (a[0] & 0xfe) == 0xfc || a[0] == 0xff || a[0] == 0xfe ||
           (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0);
}

bool okno_post_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_private_v4(
            ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return is_private_v6(
            ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
    return true;
}

/* Asked for the address that a connection really goes to, after the name was resolved: a name that
 * changes its mind between a check and its use changes nothing. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct slot *slot = arg;
    (void)purpose;
    if (!slot->post->limits.allow_private && okno_post_is_private(&address->addr)) {
        slot->blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- answers */

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct slot *slot = arg;
    size_t len = size * count;
    slot->header_bytes += len;
    if (slot->header_bytes > slot->post->limits.header_bytes) {
        slot->header_too_long = true;
        return 0;
    }
    if (len > 9 && memcmp(bytes, "HTTP/", 5) == 0) {
        const char *space = memchr(bytes, ' ', len);
        slot->status = space && bytes + len - space > 3 ? (int)strtol(space, NULL, 10) : 0;
        slot->header_whole = false;
    }
    if (len <= 2 && slot->status >= 200)
        slot->header_whole = true;
    return len;
}

/* A line of a reply: "250-text" goes on, "250 text" ends it. */
static size_t on_reply(char *bytes, size_t size, size_t count, void *arg)
{
    struct slot *slot = arg;
    size_t len = size * count;
    slot->header_bytes += len;
    if (slot->header_bytes > slot->post->limits.header_bytes) {
        slot->header_too_long = true;
        return 0;
    }
    bool bye = len > 3 && memcmp(bytes, "221", 3) == 0; /* says nothing of what went before */
    if (len < 4 || bytes[0] < '2' || bytes[0] > '5' || bye || bytes[1] < '0' || bytes[1] > '9' ||
        bytes[2] < '0' || bytes[2] > '9')
        return len;
    slot->status = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + (bytes[2] - '0');
    slot->replies += bytes[3] == ' ' || bytes[3] == '\r';
    okno_buf_reset(&slot->body);
    return okno_buf_add(&slot->body, bytes + 4, len - 4, NULL) < 0 ? 0 : len;
}

static size_t on_message(char *bytes, size_t size, size_t count, void *arg)
{
    struct slot *slot = arg;
    size_t left = slot->message.len - slot->message_read;
    size_t len = left < size * count ? left : size * count;
    memcpy(bytes, slot->message.data + slot->message_read, len);
    slot->message_read += len;
    return len;
}

/* What is over the limit is of no interest: the status is known. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct slot *slot = arg;
    return okno_buf_add(&slot->body, bytes, size * count, NULL) < 0 ? 0 : size * count;
}

/* --- requests */

static void slot_clear(struct okno_post *post, struct slot *slot)
{
    if (slot->curl) {
        (void)curl_multi_remove_handle(post->multi, slot->curl);
        curl_easy_cleanup(slot->curl);
    }
    curl_slist_free_all(slot->headers);
    curl_mime_free(slot->form);
    okno_buf_free(&slot->body);
    okno_buf_free(&slot->message);
    *slot = (struct slot){0};
}

static int add_headers(struct slot *slot, const char *const *headers)
{
    struct curl_slist *more = curl_slist_append(NULL, "Expect:"); /* no waiting for a 100 */
    for (size_t i = 0; more && headers && headers[i]; i++) {
        slot->headers = more;
        more = curl_slist_append(slot->headers, headers[i]);
    }
    if (more)
        slot->headers = more;
    return more ? 0 : OKNO_NO_MEMORY;
}

static CURLcode add_part(struct slot *slot, const struct okno_post_part *part)
{
    curl_mimepart *to = curl_mime_addpart(slot->form);
    CURLcode bad = to ? curl_mime_name(to, part->name) : CURLE_OUT_OF_MEMORY;
    if (bad)
        return bad;
    if (!part->path)
        return curl_mime_data(to, part->text, CURL_ZERO_TERMINATED);
    bad = curl_mime_filedata(to, part->path);
    bad = bad ? bad : curl_mime_filename(to, part->file_name);
    return bad ? bad : curl_mime_type(to, part->type);
}

static CURLcode add_content(struct slot *slot, const struct okno_post_request *request)
{
    CURLcode bad = add_headers(slot, request->headers) == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    bad = bad ? bad : curl_easy_setopt(slot->curl, CURLOPT_HTTPHEADER, slot->headers);
    if (bad)
        return bad;
    if (request->body) {
        bad = curl_easy_setopt(slot->curl, CURLOPT_POST, 1L);
        bad = bad ? bad
                  : curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                     (curl_off_t)(request->body_len ? request->body_len
                                                                    : strlen(request->body)));
        return bad ? bad : curl_easy_setopt(slot->curl, CURLOPT_COPYPOSTFIELDS, request->body);
    }
    slot->form = curl_mime_init(slot->curl);
    if (!slot->form)
        return CURLE_OUT_OF_MEMORY;
    for (size_t i = 0; !bad && i < request->part_count; i++)
        bad = add_part(slot, &request->parts[i]);
    return bad ? bad : curl_easy_setopt(slot->curl, CURLOPT_MIMEPOST, slot->form);
}

static CURLcode add_mail(struct slot *slot, const struct okno_post_mail *mail)
{
    CURL *curl = slot->curl;
    slot->mail = true;
    slot->message = (struct okno_buf)OKNO_BUF_INIT(mail->len);
    slot->headers = curl_slist_append(NULL, mail->to); /* the list lives as long as headers do */
    if (!slot->headers || okno_buf_add(&slot->message, mail->message, mail->len, NULL) < 0)
        return CURLE_OUT_OF_MEMORY;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, slot->headers);
    bad = bad ? bad
              : curl_easy_setopt(curl, CURLOPT_USE_SSL,
                                 (long)(mail->tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (!bad && *mail->user)
        bad = curl_easy_setopt(curl, CURLOPT_USERNAME, mail->user);
    if (!bad && *mail->user)
        bad = curl_easy_setopt(curl, CURLOPT_PASSWORD, mail->password);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->len);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_message);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_READDATA, slot);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
}

static CURLcode set_limits(struct slot *slot, const struct okno_post_request *request,
                           const struct okno_post_limits *limits)
{
    CURL *curl = slot->curl;
    int64_t deadline_us = request->deadline_us ? request->deadline_us : limits->deadline_us;
    CURLcode bad =
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(limits->connect_us / OKNO_MS_US));
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(deadline_us / OKNO_MS_US));
    bad = bad ? bad
              : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                                 request->mail ? "smtp,smtps" : "http,https");
    if (!bad && limits->ca_file && *limits->ca_file)
        bad = curl_easy_setopt(curl, CURLOPT_CAINFO, limits->ca_file);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PROXY, "");
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
}

static CURLcode set_callbacks(struct slot *slot)
{
    CURL *curl = slot->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, slot);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_HEADERDATA, slot);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEDATA, slot);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PRIVATE, slot);
    /* A connection of its own each: one that a former answer left in disorder serves nobody. */
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_USERAGENT, "okno/" OKNO_VERSION);
}

static struct slot *free_slot(struct okno_post *post)
{
    for (int i = 0; i < post->limits.in_flight; i++)
        if (!post->slots[i].curl)
            return &post->slots[i];
    return NULL;
}

static bool is_allowed(const struct okno_post_request *request)
{
    static const char *const web[] = {"http://", "https://"};
    static const char *const mail[] = {"smtp://", "smtps://"};
    const char *const *kinds = request->mail ? mail : web;
    return strncasecmp(request->url, kinds[0], strlen(kinds[0])) == 0 ||
           strncasecmp(request->url, kinds[1], strlen(kinds[1])) == 0;
}

int okno_post_start(struct okno_post *post, const struct okno_post_request *request,
                    struct okno_err *err)
{
    struct slot *slot = free_slot(post);
    if (!slot)
        return okno_fail(err, OKNO_BUSY, "as many requests as allowed are under way");
    if (!is_allowed(request))
        return okno_fail(err, OKNO_INVALID, "not an %s address",
                         request->mail ? "smtp or smtps" : "http or https");
    *slot = (struct slot){.curl = curl_easy_init(),
                          .post = post,
                          .tag = request->tag,
                          .body = OKNO_BUF_INIT(post->limits.body_bytes)};
    CURLcode bad = slot->curl ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    bad = bad ? bad : set_limits(slot, request, &post->limits);
    bad = bad ? bad : set_callbacks(slot);
    bad = bad ? bad : request->mail ? add_mail(slot, request->mail) : add_content(slot, request);
    bad = bad ? bad : curl_easy_setopt(slot->curl, CURLOPT_URL, request->url);
    if (bad || curl_multi_add_handle(post->multi, slot->curl) != CURLM_OK) {
        slot_clear(post, slot);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    }
    post->in_flight++;
    return 0;
}

/* --- going on */

static void note_ended(struct okno_post *post)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(post->multi, &left))) {
        struct slot *slot = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        slot->ended = true;
        slot->code = message->data.result;
    }
}

static bool any_ended(const struct okno_post *post)
{
    for (int i = 0; i < post->limits.in_flight; i++)
        if (post->slots[i].ended)
            return true;
    return false;
}

int okno_post_wait(struct okno_post *post, int64_t wait_us, struct okno_err *err)
{
    int64_t until_us = okno_time_monotonic() + wait_us;
    int running = 0;
    CURLMcode bad = curl_multi_perform(post->multi, &running);
    note_ended(post);
    while (!bad && running > 0 && !any_ended(post)) {
        int64_t left_us = until_us - okno_time_monotonic();
        if (left_us <= 0)
            break;
        bad = curl_multi_poll(post->multi, NULL, 0, (int)(left_us / OKNO_MS_US) + 1, NULL);
        bad = bad ? bad : curl_multi_perform(post->multi, &running);
        note_ended(post);
    }
    return bad ? okno_fail(err, OKNO_FAILED, "network library: %s", curl_multi_strerror(bad)) : 0;
}

/* NULL: what it would be of another request. */
static const char *why_of_mail(const struct slot *slot)
{
    switch (slot->code) {
    case CURLE_USE_SSL_FAILED:
        return "it offers no TLS, and without nothing is sent there";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return "cut off before the message was taken";
    case CURLE_OK:
    case CURLE_WEIRD_SERVER_REPLY:
        return "the answer is not SMTP";
    case CURLE_LOGIN_DENIED:
        return "it takes no login of a kind that is known here";
    default:
        return NULL;
    }
}

/* Taken, or ended by a reply that says so. */
static bool is_answered(const struct slot *slot)
{
    if (!slot->mail)
        return slot->header_whole;
    return slot->code == CURLE_OK ||
           (slot->status >= 400 && slot->code != CURLE_OPERATION_TIMEDOUT && !slot->blocked &&
            !slot->header_too_long);
}

static const char *why_of(const struct slot *slot)
{
    if (slot->blocked)
        return "its address is private, and those are not allowed (notify.private_addresses)";
    if (slot->header_too_long)
        return "the answer's header is too long";
    if (slot->mail && why_of_mail(slot))
        return why_of_mail(slot);
    switch (slot->code) {
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "its certificate is not trusted";
    case CURLE_GOT_NOTHING:
        return "closed without an answer";
    case CURLE_OK:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return "the answer is not HTTP";
    case CURLE_READ_ERROR:
        return "the photo's file cannot be read";
    default:
        return curl_easy_strerror(slot->code);
    }
}

bool okno_post_next(struct okno_post *post, struct okno_post_result *ret_result)
{
    for (int i = 0; i < post->limits.in_flight; i++) {
        struct slot *slot = &post->slots[i];
        if (!slot->ended)
            continue;
        curl_off_t wait_s = 0;
        bool answered = is_answered(slot);
        *ret_result = (struct okno_post_result){
            .tag = slot->tag,
            .outcome = answered        ? OKNO_POST_ANSWERED
                       : slot->blocked ? OKNO_POST_BLOCKED
                                       : OKNO_POST_FAILED,
            .status = !answered                              ? 0
                      : slot->mail && slot->code == CURLE_OK ? 250
                                                             : slot->status,
            .whole = slot->mail ? slot->replies > 1 : slot->code == CURLE_OK,
        };
        if (!answered)
            (void)snprintf(ret_result->why, sizeof(ret_result->why), "%s", why_of(slot));
        if (answered && !slot->mail &&
            curl_easy_getinfo(slot->curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
            ret_result->retry_after_us =
                wait_s > 86400 ? OKNO_DAY_US : (int64_t)wait_s * OKNO_SECOND_US;
        if (answered) {
            ret_result->body = slot->body;
            slot->body = (struct okno_buf){0};
        }
        slot_clear(post, slot);
        post->in_flight--;
        return true;
    }
    return false;
}

int okno_post_in_flight(const struct okno_post *post)
{
    return post->in_flight;
}

/* --- the object */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void okno_post_close(struct okno_post *post)
{
    if (!post)
        return;
    for (int i = 0; post->slots && i < post->limits.in_flight; i++)
        if (post->slots[i].curl)
            slot_clear(post, &post->slots[i]);
    free(post->slots);
    if (post->multi)
        (void)curl_multi_cleanup(post->multi);
    free(post);
}

int okno_post_open(const struct okno_post_limits *limits, struct okno_post **ret_post,
                   struct okno_err *err)
{
    (void)pthread_once(&once, start_curl);
    OKNO_AUTO(okno_post) *post = calloc(1, sizeof(*post));
    if (!post)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for connections");
    struct okno_post_limits own = *limits;
    own.connect_us = own.connect_us ? own.connect_us : CONNECT_MS * OKNO_MS_US;
    own.deadline_us = own.deadline_us ? own.deadline_us : DEADLINE_MS * OKNO_MS_US;
    own.header_bytes = own.header_bytes ? own.header_bytes : HEADER_BYTES;
    own.body_bytes = own.body_bytes ? own.body_bytes : BODY_BYTES;
    own.in_flight = own.in_flight ? own.in_flight : IN_FLIGHT;
    post->limits = own;
    post->slots = calloc((size_t)own.in_flight, sizeof(*post->slots));
    post->multi = curl_multi_init();
    int rc = post->slots && post->multi
                 ? 0
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for connections");
    if (rc == 0)
        *ret_post = okno_mem_take(&post);
    return rc;
}
