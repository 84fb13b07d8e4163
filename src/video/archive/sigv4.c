#define _POSIX_C_SOURCE 200809L
#include "sigv4.h"

#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 32, CANONICAL_MAX = 16 * 1024 };

/* SHA-256 of nothing: the body of every request here. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct url_parts {
    char host[300]; /* with its port */
    const char *path;
    size_t path_len;
    const char *query; /* behind the question mark; "" */
};

static int split(const char *url, struct url_parts *ret, struct okno_err *err)
{
    const char *host = strstr(url, "://");
    size_t len = host ? strcspn(host + 3, "/?#") : 0;
    if (len == 0 || len >= sizeof(ret->host))
        return okno_fail(err, OKNO_INVALID, "a request to an address without a host");
    memcpy(ret->host, host + 3, len);
    ret->host[len] = '\0';
    ret->path = host + 3 + len;
    ret->path_len = strcspn(ret->path, "?#");
    ret->query = ret->path[ret->path_len] == '?' ? ret->path + ret->path_len + 1 : "";
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The parameters in order, each with an equals sign. */
static int add_query(const char *query, struct okno_buf *into, struct okno_err *err)
{
    okno_autofree char *copy = strdup(query);
    char *parts[PARTS_MAX] = {NULL};
    size_t count = 0;
    char *rest = NULL;
    int rc = copy ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory to sign a request");
    for (char *part = copy ? strtok_r(copy, "&", &rest) : NULL; part && count < PARTS_MAX;
         part = strtok_r(NULL, "&", &rest))
        parts[count++] = part;
    qsort(parts, count, sizeof(parts[0]), by_bytes);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = okno_buf_printf(into, err, "%s%s%s", i ? "&" : "", parts[i],
                             strchr(parts[i], '=') ? "" : "=");
    return rc;
}

static void stamp_of(int64_t now_us, char ret_stamp[17])
{
    struct okno_civil c;
    okno_time_to_civil(now_us, &c);
    (void)snprintf(ret_stamp, 17, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)c.year % 10000,
                   (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
                   (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

static void hmac(const void *key, size_t key_len, const char *text, uint8_t ret[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof(state));
}

static void signing_key(const struct sigv4 *keys, const char *day, uint8_t ret[32])
{
    char first[300];
    (void)snprintf(first, sizeof(first), "AWS4%s", keys->secret);
    hmac(first, strlen(first), day, ret);
    hmac(ret, 32, keys->region, ret);
    hmac(ret, 32, keys->service, ret);
    hmac(ret, 32, "aws4_request", ret);
    sodium_memzero(first, sizeof(first));
}

static int canonical(const char *method, const struct url_parts *url, const char *stamp,
                     char ret_hash[OKNO_SHA256_TEXT], struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(CANONICAL_MAX);
    uint8_t digest[OKNO_SHA256_BYTES];
    int rc =
        okno_buf_printf(&text, err, "%s\n%.*s\n", method, url->path_len ? (int)url->path_len : 1,
                        url->path_len ? url->path : "/");
    if (rc == 0)
        rc = add_query(url->query, &text, err);
    if (rc == 0)
        rc = okno_buf_printf(&text, err,
                             "\nhost:%s\nx-amz-content-sha256:" EMPTY_HASH
                             "\nx-amz-date:%s\n\n"
                             "host;x-amz-content-sha256;x-amz-date\n" EMPTY_HASH,
                             url->host, stamp);
    if (rc < 0)
        return rc;
    okno_hash_bytes(text.data, text.len, digest);
    (void)okno_hash_hex(digest, ret_hash);
    return 0;
}

int sigv4_sign(const struct sigv4 *keys, const char *method, const char *url, int64_t now_us,
               struct okno_buf *lines, struct okno_err *err)
{
    struct url_parts parts = {0};
    char stamp[17];
    char day[9];
    char request[OKNO_SHA256_TEXT];
    char signature[OKNO_SHA256_TEXT];
    char text[512];
    uint8_t key[32];
    int rc = split(url, &parts, err);
    stamp_of(now_us, stamp);
    (void)snprintf(day, sizeof(day), "%.8s", stamp);
    if (rc == 0)
        rc = canonical(method, &parts, stamp, request, err);
    if (rc < 0)
        return rc;
    (void)snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s/%.100s/%.20s/aws4_request\n%s",
                   stamp, day, keys->region, keys->service, request);
    signing_key(keys, day, key);
    hmac(key, sizeof(key), text, key);
    (void)okno_hash_hex(key, signature);
    sodium_memzero(key, sizeof(key));
    return okno_buf_printf(lines, err,
                           "x-amz-date: %s\nx-amz-content-sha256: " EMPTY_HASH
                           "\nAuthorization: AWS4-HMAC-SHA256 "
                           "Credential=%s/%s/%s/%s/aws4_request, "
                           "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%s\n",
                           stamp, keys->key_id, day, keys->region, keys->service, signature);
}
