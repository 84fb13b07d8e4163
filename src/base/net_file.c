/* FTP(S) and SFTP: no headers, no tags; a reply is its bytes or an error of the library. */
#define _POSIX_C_SOURCE 200809L
#include "net_call.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

bool net_is_file(const char *url)
{
    return strncasecmp(url, "ftp://", 6) == 0 || strncasecmp(url, "ftps://", 7) == 0 ||
           strncasecmp(url, "sftp://", 7) == 0;
}

static size_t drop_line(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

CURLcode net_file_set(CURL *curl, struct call *call)
{
    char range[64];
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, drop_line);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FTP_SKIP_PASV_IP, 1L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_SINGLECWD);
    bad =
        bad ? bad
            : curl_easy_setopt(curl, CURLOPT_USE_SSL,
                               call->net->starttls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
    (void)snprintf(range, sizeof(range), "%" PRId64 "-%" PRId64, call->offset,
                   call->offset + call->len - 1);
    call->by_file = true;
    call->reply.status = call->ranged ? 206 : 200;
    call->net->requests++;
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_RANGE, call->ranged ? range : NULL);
}

int net_file_fail(const struct call *call, CURLcode code)
{
    const char *why = call->net->why[0] ? call->net->why : curl_easy_strerror(code);
    struct okno_err *err = call->err;
    switch (code) {
    case CURLE_LOGIN_DENIED:
        return okno_fail(err, OKNO_ARCHIVE_AUTH, "%s: user, password or key refused", call->shown);
    case CURLE_REMOTE_FILE_NOT_FOUND:
    case CURLE_FTP_COULDNT_RETR_FILE:
    case CURLE_REMOTE_ACCESS_DENIED: /* a folder that is not there, to FTP */
        return okno_fail(err, OKNO_NOT_FOUND, "%s: not there, or not to be read", call->shown);
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_DOWNLOAD_RESUME:
    case CURLE_FTP_COULDNT_USE_REST:
        return okno_fail(err, OKNO_GONE,
                         "%s: ends before byte %" PRId64 "; it has changed since it was listed",
                         call->shown, call->offset);
    case CURLE_PEER_FAILED_VERIFICATION:
        return okno_fail(err, OKNO_PROTOCOL,
                         "%s: its key or certificate is not the one that is trusted (%s)",
                         call->shown, why);
    case CURLE_FTP_WEIRD_SERVER_REPLY:
    case CURLE_FTP_ACCEPT_FAILED:
    case CURLE_FTP_CANT_GET_HOST:
    case CURLE_FTP_WEIRD_PASV_REPLY:
    case CURLE_SSH:
        return okno_fail(err, OKNO_TRANSIENT, "%s: %s", call->shown, why);
    default:
        return 0; /* the same as of HTTP */
    }
}
