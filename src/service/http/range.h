/* Byte ranges and validators of RFC 9110 sections 13 and 14. Pure. */
#ifndef OKNO_SERVICE_RANGE_H
#define OKNO_SERVICE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum http_range {
    HTTP_RANGE_WHOLE,         /* no range, one we do not read, or several: the whole file */
    HTTP_RANGE_PART,          /* [*ret_from, *ret_from + *ret_len) */
    HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

/* `header` is the Range header's value or NULL, `size` the file's size. */
enum http_range http_range_read(const char *header, int64_t size, int64_t *ret_from,
                                int64_t *ret_len);

/* Does an If-None-Match value name this strong etag (quotes included), or is it `*`? Weak marks are
 * ignored, as this comparison asks. NULL: false. */
bool http_etag_listed(const char *header, const char *etag);

#endif
