/* URLs and dates as text: what may be asked, what may be shown. */
#define _POSIX_C_SOURCE 200809L
#include "net_call.h"

#include "okno/time.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX_CHARS = 4096 };

/* Whether the URL's scheme is in a list like "http,https". */
static bool has_scheme(const char *url, const char *schemes)
{
    while (*schemes) {
        size_t len = strcspn(schemes, ",");
        if (strncasecmp(url, schemes, len) == 0 && strncmp(url + len, "://", 3) == 0)
            return true;
        schemes += len + (schemes[len] == ',');
    }
    return false;
}

/* How many bytes spell a character of a path, as itself or encoded; 0 for another one. */
static size_t spells(const char *at, char byte, const char *encoded)
{
    return *at == byte ? 1 : strncasecmp(at, encoded, 3) == 0 ? 3 : 0;
}

/* Segments "." and ".." are taken out before a request is sent, or by servers that decode first: it
 * would ask for something else than it says. */
static bool has_dot_segment(const char *url)
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 + strcspn(at + 3, "/?#") : "";
    for (size_t slash; (slash = spells(at, '/', "%2f")) > 0;) {
        size_t dots = 0;
        size_t step;
        at += slash;
        while ((step = spells(at, '.', "%2e")) > 0) {
            at += step;
            dots++;
        }
        bool ends = !*at || *at == '?' || *at == '#' || spells(at, '/', "%2f");
        if (ends && (dots == 1 || dots == 2))
            return true;
        while (*at && *at != '?' && *at != '#' && !spells(at, '/', "%2f"))
            at++;
    }
    return false;
}

int okno_net_check_scheme(const char *url, const char *schemes, struct okno_err *err)
{
    char shown[256];
    if (strlen(url) > URL_MAX_CHARS)
        return okno_fail(err, OKNO_INVALID, "the URL is longer than %d characters", URL_MAX_CHARS);
    if (!has_scheme(url, schemes) || okno_net_shown(url, shown, sizeof(shown)) < 0)
        return okno_fail(err, OKNO_INVALID,
                         "no URL with a host: write SCHEME://HOST/..., SCHEME one of %s", schemes);
    shown[strcspn(shown, "/")] = '\0'; /* a path may hold a login */
    if (has_dot_segment(url))
        return okno_fail(err, OKNO_INVALID,
                         "%s: a path with \".\" or \"..\" in it is not asked for", shown);
    CURLU *parts = curl_url();
    char *user = NULL;
    bool login = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    curl_url_cleanup(parts);
    return login
               ? okno_fail(err, OKNO_INVALID,
                           "%s: a login inside a URL is refused; give user and secret apart", shown)
               : 0;
}

int okno_net_check_url(const char *url, struct okno_err *err)
{
    return okno_net_check_scheme(url, "http,https", err);
}

/* "scheme://host:port" of a URL, the port also when it is the scheme's own. */
static bool read_origin(CURLU *parts, char *ret_text, size_t size)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    bool good = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (good)
        (void)snprintf(ret_text, size, "%s://%s:%s", scheme, host, port);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return good;
}

int okno_net_resolve(const char *base, const char *reference, struct okno_buf *into,
                     struct okno_err *err)
{
    char own[512] = "";
    char other[512] = "";
    char *url = NULL;
    CURLU *parts = curl_url();
    bool good = parts && curl_url_set(parts, CURLUPART_URL, base, 0) == CURLUE_OK &&
                read_origin(parts, own, sizeof(own)) &&
                curl_url_set(parts, CURLUPART_URL, reference, CURLU_URLENCODE) == CURLUE_OK &&
                read_origin(parts, other, sizeof(other));
    bool same = good && strcasecmp(own, other) == 0;
    int rc = same && curl_url_get(parts, CURLUPART_URL, &url, 0) == CURLUE_OK
                 ? okno_buf_add_text(into, url, err)
                 : okno_fail(err, OKNO_PROTOCOL,
                             "it refers to %.120s; only the archive's own host is asked",
                             good ? other : "an address that cannot be read");
    curl_free(url);
    curl_url_cleanup(parts);
    return rc;
}

int okno_net_encode(struct okno_buf *into, const char *text, bool keep_slash, struct okno_err *err)
{
    int rc = 0;
    for (; rc == 0 && *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c) || (keep_slash && c == '/');
        rc = plain ? okno_buf_add(into, text, 1, err) : okno_buf_printf(into, err, "%%%02X", c);
    }
    return rc;
}

int okno_net_shown(const char *url, char *ret_text, size_t size)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;
    int rc = -1;
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
        bool has_port = curl_url_get(parts, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        (void)snprintf(ret_text, size, "%s%s%s%s", host, has_port ? ":" : "", has_port ? port : "",
                       path);
        rc = 0;
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(parts);
    return rc;
}

/* How many bytes at `at` spell the text, each of its bytes as itself or encoded; 0: none do. */
static size_t spelt_len(const char *at, const char *text)
{
    const char *end = at;
    for (size_t step; *text; text++, end += step) {
        char encoded[4];
        (void)snprintf(encoded, sizeof(encoded), "%%%02X", (unsigned char)*text);
        step = spells(end, *text, encoded);
        if (step == 0)
            return 0;
    }
    return (size_t)(end - at);
}

void net_shown(const struct okno_net *net, const char *url, char *ret_text, size_t size)
{
    char shown[URL_MAX_CHARS + 1] = "";
    size_t used = 0;
    ret_text[0] = '\0';
    if (okno_net_shown(url, shown, sizeof(shown)) < 0)
        return;
    const char *path = shown + strcspn(shown, "/");
    for (const char *at = shown; *at && used + 1 < size;) {
        size_t hidden = at >= path ? spelt_len(at, net->hide) : 0;
        used += (size_t)snprintf(ret_text + used, size - used, "%.*s", hidden ? 3 : 1,
                                 hidden ? "***" : at);
        at += hidden ? hidden : 1;
    }
}

/* Two or four digits; -1 otherwise. */
static int digits_at(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

int64_t okno_net_date(const char *text)
{
    static const char shape[] = "aaa, 00 Aaa 0000 00:00:00 GMT";
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (strlen(text) != sizeof(shape) - 1)
        return -1;
    for (size_t i = 0; shape[i]; i++)
        if (strchr(" ,:GMT", shape[i]) && text[i] != shape[i])
            return -1;
    struct okno_civil c = {.year = digits_at(text + 12, 4),
                           .day = digits_at(text + 5, 2),
                           .hour = digits_at(text + 17, 2),
                           .minute = digits_at(text + 20, 2),
                           .second = digits_at(text + 23, 2)};
    for (int i = 0; i < 12; i++)
        if (strncmp(names + (ptrdiff_t)i * 3, text + 8, 3) == 0)
            c.month = i + 1;
    if (c.month == 0 || c.year < 1970 || c.day < 1 || c.day > 31 || c.hour < 0 || c.hour > 23 ||
        c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 60)
        return -1;
    return okno_time_from_civil(&c);
}
