#define _GNU_SOURCE
#include "serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct request {
    char path[1024]; /* decoded, begins with a slash */
    char host[200];  /* as the other side calls this one */
    bool ranged;
    bool conditional;   /* with If-Range */
    long long from, to; /* of the range, inclusive */
};

/* What would be right. */
struct answer {
    int status;
    const char *type;
    char range[100]; /* a header line, or "" */
    char modified[64];
    const char *tag; /* ETag, or NULL */
    char *body;      /* owned */
    size_t len;
};

/* --- the mode --- */

static enum fault_name fault_in_force(const struct serve_config *config, bool list)
{
    static const char *const names[] = {
#define FAULT_NAME(name, what) #name,
        FAULTS(FAULT_NAME)
#undef FAULT_NAME
    };
    char name[32] = "";
    char where[32] = "";
    FILE *file = config->mode ? fopen(config->mode, "re") : NULL;
    if (!file)
        return FAULT_none;
    int count = fscanf(file, "%31s %31s", name, where);
    (void)fclose(file);
    if (count < 1 || (count == 2 && strcmp(where, list ? "list" : "file") != 0))
        return FAULT_none;
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum fault_name)i;
    return FAULT_none;
}

/* --- sockets --- */

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Until the other side goes, at most so long. */
static bool wait_gone(int fd, int ms)
{
    struct pollfd one = {.fd = fd, .events = POLLRDHUP};
    return poll(&one, 1, ms) > 0;
}

static bool read_head(int fd, char *head, size_t size)
{
    size_t len = 0;
    while (len + 1 < size) {
        ssize_t got = recv(fd, head + len, size - len - 1, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n"))
            return true;
    }
    return false;
}

/* --- requests --- */

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* "FROM-TO" */
static bool read_pair(const char *text, long long *ret_from, long long *ret_to)
{
    char *end = NULL;
    *ret_from = strtoll(text, &end, 10);
    if (end == text || *end != '-')
        return false;
    text = end + 1;
    *ret_to = strtoll(text, &end, 10);
    return end != text;
}

static bool parse(const char *head, struct request *ret)
{
    char raw[1024];
    struct request r = {0};
    size_t used = 0;
    if (sscanf(head, "GET %1023s ", raw) != 1)
        return false;
    raw[strcspn(raw, "?")] = '\0';
    for (const char *at = raw; *at && used + 1 < sizeof(r.path); at++)
        if (*at == '%' && at[1] && at[2]) {
            r.path[used++] = (char)(hex_of(at[1]) * 16 + hex_of(at[2]));
            at += 2;
        } else {
            r.path[used++] = *at;
        }
    const char *range = strcasestr(head, "\r\nRange: bytes=");
    const char *host = strcasestr(head, "\r\nHost: ");
    r.ranged = range && read_pair(range + 15, &r.from, &r.to);
    r.conditional = strcasestr(head, "\r\nIf-Range: ") != NULL;
    if (host)
        (void)sscanf(host + 8, "%199s", r.host);
    *ret = r;
    return r.path[0] == '/' && !strstr(r.path, "..");
}

static void http_date(time_t at, char *ret_text, size_t size)
{
    struct tm tm;
    (void)gmtime_r(&at, &tm);
    (void)strftime(ret_text, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void list_folder(const char *path, struct answer *a)
{
    size_t size = 0;
    FILE *out = open_memstream(&a->body, &a->len);
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (!out)
        abort();
    (void)fputc('[', out);
    while (dir && (entry = readdir(dir))) {
        char date[64];
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
            continue;
        http_date(st.st_mtime, date, sizeof(date));
        bool folder = S_ISDIR(st.st_mode);
        (void)fprintf(out, "%s{\"name\":\"%s\",\"type\":\"%s\",\"mtime\":\"%s\",\"size\":%lld}",
                      size++ ? "," : "", entry->d_name, folder ? "directory" : "file", date,
                      (long long)st.st_size);
    }
    (void)fputc(']', out);
    (void)fclose(out);
    if (dir)
        (void)closedir(dir);
    a->status = dir ? 200 : 404;
    a->type = "application/json";
}

static void read_part(int fd, const struct stat *st, const struct request *r, struct answer *a)
{
    long long from = r->ranged ? r->from : 0;
    long long to = r->ranged && r->to < st->st_size ? r->to : (long long)st->st_size - 1;
    a->status = r->ranged ? 206 : 200;
    if (from > to) {
        a->status = 416;
        return;
    }
    a->len = (size_t)(to - from + 1);
    a->body = malloc(a->len + 1);
    if (!a->body || pread(fd, a->body, a->len, (off_t)from) != (ssize_t)a->len)
        abort();
    if (r->ranged)
        (void)snprintf(a->range, sizeof(a->range), "Content-Range: bytes %lld-%lld/%lld\r\n", from,
                       to, (long long)st->st_size);
    http_date(st->st_mtime, a->modified, sizeof(a->modified));
}

/* One write for each, so that lines of two connections do not mix. */
static void log_request(const struct serve_config *config, const struct request *r)
{
    char line[1200];
    int fd = config->log ? open(config->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    int len = r->ranged ? snprintf(line, sizeof(line), "%s %lld-%lld\n", r->path, r->from, r->to)
                        : snprintf(line, sizeof(line), "%s\n", r->path);
    if (fd < 0)
        return;
    (void)!write(fd, line, (size_t)len);
    (void)close(fd);
}

static void find_answer(const struct serve_config *config, const struct request *r,
                        struct answer *a)
{
    char path[2048];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s%s", config->root, r->path);
    *a = (struct answer){.status = 404, .type = "video/mp4"};
    if (path[strlen(path) - 1] == '/') {
        list_folder(path, a);
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        read_part(fd, &st, r, a);
    if (fd >= 0)
        (void)close(fd);
}

/* --- answers, right and wrong --- */

static bool send_head(int fd, const struct answer *a, size_t length, int clock_off_s,
                      const char *more)
{
    char head[1024];
    char date[64];
    http_date(time(NULL) + clock_off_s, date, sizeof(date));
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.1 %d Said\r\nDate: %s\r\nContent-Type: %s\r\n%s%s%s%s%s%s%s"
                       "Content-Length: %zu\r\n%sConnection: close\r\n\r\n",
                       a->status, date, a->type, a->range, a->modified[0] ? "Last-Modified: " : "",
                       a->modified, a->modified[0] ? "\r\n" : "", a->tag ? "ETag: " : "",
                       a->tag ? a->tag : "", a->tag ? "\r\n" : "", length, more);
    return send_all(fd, head, (size_t)len);
}

static void send_right(int fd, const struct answer *a, int clock_off_s)
{
    if (send_head(fd, a, a->len, clock_off_s, ""))
        (void)send_all(fd, a->body ? a->body : "", a->len);
}

static void send_status(int fd, int status, const char *more)
{
    const struct answer a = {.status = status, .type = "text/plain"};
    (void)send_head(fd, &a, 0, 0, more);
}

static void send_part(int fd, const struct answer *a, size_t announced, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    size_t sent = announced > a->len ? a->len : a->len / 2;
    if (send_head(fd, a, announced, 0, ""))
        (void)send_all(fd, a->body ? a->body : "", sent);
    if (reset) {
        (void)wait_gone(fd, 50); /* what was sent has arrived */
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
}

/* So many bytes a second. */
static void send_dripping(int fd, const struct answer *a, size_t rate)
{
    if (!send_head(fd, a, a->len, 0, ""))
        return;
    for (size_t i = 0; i < a->len; i += rate)
        if (!send_all(fd, a->body + i, a->len - i < rate ? a->len - i : rate) ||
            wait_gone(fd, 1000))
            return;
}

static void send_over(int fd, const struct answer *a)
{
    static const char more[1000] = "";
    if (send_head(fd, a, a->len + sizeof(more), 0, "") &&
        send_all(fd, a->body ? a->body : "", a->len))
        (void)send_all(fd, more, sizeof(more));
}

/* As if the client had asked for no range. */
static void send_whole(const struct serve_config *config, int fd, const struct request *request,
                       const char *tag)
{
    struct request plain = *request;
    struct answer whole;
    plain.ranged = false;
    find_answer(config, &plain, &whole);
    whole.tag = tag;
    send_right(fd, &whole, 0);
    free(whole.body);
}

/* What a server says once another file was renamed over the one that it began to send. */
static void send_replaced(const struct serve_config *config, int fd, const struct request *request,
                          struct answer *a)
{
    bool begins = request->from == 0;
    a->tag = begins ? "\"first\"" : "\"second\"";
    if (!begins && request->conditional)
        send_whole(config, fd, request, a->tag);
    else
        send_right(fd, a, 0);
}

/* As long as what was asked for, in its place; what it names must not be asked for. */
static void send_playlist(int fd, const struct request *request, struct answer *a)
{
    char text[1000];
    int len = snprintf(text, sizeof(text),
                       "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:60\n"
                       "#EXT-X-MAP:URI=\"http://%s/foreign/init.mp4\"\n"
                       "#EXTINF:60,\nhttp://%s/foreign/1.ts\n#EXTINF:60,\nforeign/2.ts\n"
                       "#EXTINF:60,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
                       request->host, request->host);
    for (size_t i = 0; i < a->len; i++) {
        size_t at = (size_t)request->from + i;
        a->body[i] = at < (size_t)len ? text[at] : '\n';
    }
    send_right(fd, a, 0);
}

static void send_endless(int fd, const struct answer *a)
{
    static const char block[65536] = "[";
    char head[256];
    int len = snprintf(head, sizeof(head), "HTTP/1.1 %d Said\r\nContent-Type: %s\r\n%s\r\n",
                       a->status, a->type, a->range);
    if (!send_all(fd, head, (size_t)len))
        return;
    while (send_all(fd, block, sizeof(block)))
        ;
}

static void send_shifted(int fd, struct answer *a)
{
    long long from = 0;
    long long to = 0;
    const char *total = strrchr(a->range, '/');
    if (total && read_pair(a->range + strlen("Content-Range: bytes "), &from, &to)) {
        char range[sizeof(a->range)];
        (void)snprintf(range, sizeof(range), "Content-Range: bytes %lld-%lld%.30s", from + 1,
                       to + 1, total);
        memcpy(a->range, range, sizeof(range));
    }
    send_right(fd, a, 0);
}

static void send_page(int fd)
{
    static char page[] = "<!DOCTYPE html><title>Log in</title><form>user password</form>\n";
    const struct answer a = {
        .status = 200, .type = "text/html", .body = page, .len = sizeof(page) - 1};
    send_right(fd, &a, 0);
}

/* Faults that depend on the part of a recording that is asked for. Whether it was one of them. */
static bool send_by_part(const struct serve_config *config, int fd, const struct request *request,
                         struct answer *a, enum fault_name fault)
{
    switch (fault) {
    case FAULT_whole:
        send_whole(config, fd, request, NULL);
        return true;
    case FAULT_vanish:
        if (request->from > 0)
            send_status(fd, 404, "");
        else
            send_right(fd, a, 0);
        return true;
    case FAULT_replace:
        send_replaced(config, fd, request, a);
        return true;
    case FAULT_playlist:
        send_playlist(fd, request, a);
        return true;
    default:
        return false;
    }
}

static void send_spoilt(int fd, struct answer *a, enum fault_name fault, bool list)
{
    switch (fault) {
    case FAULT_delay:
        (void)wait_gone(fd, 60000);
        break;
    case FAULT_drip:
        send_dripping(fd, a, 1);
        break;
    case FAULT_trickle:
        send_dripping(fd, a, 100);
        break;
    case FAULT_over:
        send_over(fd, a);
        break;
    case FAULT_truncate:
        send_part(fd, a, a->len, false);
        break;
    case FAULT_length:
        send_part(fd, a, a->len + 10, false);
        break;
    case FAULT_reset:
        send_part(fd, a, a->len, true);
        break;
    case FAULT_loopback:
        send_status(fd, 302, "Location: http://127.0.0.1:9/\r\n");
        break;
    case FAULT_localfile:
        send_status(fd, 302, "Location: file:///etc/passwd\r\n");
        break;
    case FAULT_endless:
        send_endless(fd, a);
        break;
    case FAULT_login:
        send_page(fd);
        break;
    case FAULT_range:
        send_shifted(fd, a);
        break;
    case FAULT_skew:
        send_right(fd, a, 86400);
        break;
    case FAULT_remove:
        if (list)
            send_right(fd, a, 0);
        else
            send_status(fd, 404, "");
        break;
    case FAULT_s401:
        send_status(fd, 401, "WWW-Authenticate: Basic realm=\"nvr\"\r\n");
        break;
    case FAULT_s403:
        send_status(fd, 403, "");
        break;
    case FAULT_s404:
        send_status(fd, 404, "");
        break;
    case FAULT_s416:
        send_status(fd, 416, "");
        break;
    case FAULT_s429:
        send_status(fd, 429, "Retry-After: 90\r\n");
        break;
    case FAULT_s500:
        send_status(fd, 500, "");
        break;
    case FAULT_s503:
        send_status(fd, 503, "Retry-After: 120\r\n");
        break;
    default:
        send_right(fd, a, 0);
        break;
    }
}

void serve_connection(const struct serve_config *config, int fd)
{
    char head[8192];
    struct request request;
    struct answer answer;
    if (read_head(fd, head, sizeof(head)) && parse(head, &request)) {
        bool list = request.path[strlen(request.path) - 1] == '/';
        enum fault_name fault = fault_in_force(config, list);
        log_request(config, &request);
        find_answer(config, &request, &answer);
        if (list || !send_by_part(config, fd, &request, &answer, fault))
            send_spoilt(fd, &answer, fault, list);
        free(answer.body);
    }
    (void)close(fd);
}
