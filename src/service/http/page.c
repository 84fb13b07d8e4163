/* The page's files from the binary, and other fixed texts. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"
#include "okno/embedded.h"
#include "okno/hash.h"
#include "range.h"

#include <string.h>

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/vnd.microsoft.icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
};

static const char *type_of(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < OKNO_COUNT(types); i++) {
        size_t end = strlen(types[i].suffix);
        if (len > end && strcmp(path + len - end, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

int http_reply_fixed(const struct http_request *request, struct http_reply *reply, const char *type,
                     const void *bytes, size_t len, struct okno_err *err)
{
    (void)err;
    uint8_t digest[OKNO_SHA256_BYTES];
    char hex[OKNO_SHA256_TEXT];
    char etag[40];
    okno_hash_bytes(bytes, len, digest);
    (void)snprintf(etag, sizeof(etag), "\"%.32s\"", okno_hash_hex(digest, hex));
    http_reply_header(reply, "ETag", "%s", etag);
    http_reply_header(reply, "Cache-Control", "no-cache");
    if (http_etag_listed(http_header(request, "If-None-Match"), etag)) {
        reply->status = 304;
        return 0;
    }
    reply->type = type;
    reply->fixed = bytes;
    reply->fixed_len = len;
    return 0;
}

static const struct okno_ui_file *find(const char *path)
{
    for (const struct okno_ui_file *file = okno_ui_files; file->path; file++)
        if (strcmp(file->path, path) == 0)
            return file;
    return NULL;
}

int http_page(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const struct okno_ui_file *file = find(request->path);
    const char *last = strrchr(request->path, '/');
    /* The kiosk page: its sounds come out of the browser's own store when the service is gone. */
    bool panel = strcmp(request->path, "/panel") == 0 || strcmp(request->path, "/panel.html") == 0;
    if (panel) {
        file = find("/panel.html");
        http_reply_header(reply, "Content-Security-Policy",
                          "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                          "'self'; media-src 'self' blob:; connect-src 'self'; manifest-src "
                          "'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
    }
    /* The page draws its own addresses, e.g. /review; a name with a dot is a file or nothing. */
    if (!file && !strchr(last ? last : request->path, '.'))
        file = find("/index.html");
    char shown[OKNO_TEXT_SHOWN];
    if (!file)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no %s here",
                         okno_text_show(request->path, shown));
    return http_reply_fixed(request, reply, type_of(file->path), file->data, file->len, err);
}
