/* AWS Signature Version 4 for requests without a body, as S3 and what speaks like it want it.
 * Source: AWS, "Signature Version 4 signing process". Own code, because libcurl's neither sorts
 * the query nor encodes the path of awkward keys. Pure. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_SIGV4_H
#define OKNO_VIDEO_ARCHIVE_SIGV4_H

#include "okno/buf.h"
#include "okno/err.h"

#include <stdint.h>

struct sigv4 {
    const char *key_id, *secret, *region, *service; /* service: "s3" */
};

/* Append the lines "x-amz-date: ..\nx-amz-content-sha256: ..\nAuthorization: ..\n" for a request.
 * `url` has its path and query percent-encoded already, all but letters, digits and -._~ (and the
 * slashes of the path); its query is sorted here. OKNO_INVALID for a URL without a host. */
OKNO_CHECK int sigv4_sign(const struct sigv4 *keys, const char *method, const char *url,
                          int64_t now_us, struct okno_buf *lines, struct okno_err *err);

#endif
