#define _POSIX_C_SOURCE 200809L
#include "range.h"

#include <string.h>
#include <strings.h>

/* Digits only; more than fit saturate. -1 for none. */
static int64_t take_number(const char **at)
{
    if (**at < '0' || **at > '9')
        return -1;
    int64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **at - '0', &value))
            value = INT64_MAX / 16;
    return value;
}

enum http_range http_range_read(const char *header, int64_t size, int64_t *ret_from,
                                int64_t *ret_len)
{
    if (!header || strncasecmp(header, "bytes=", 6) != 0)
        return HTTP_RANGE_WHOLE;
    const char *at = header + 6;
    int64_t first = take_number(&at);
    if (*at++ != '-')
        return HTTP_RANGE_WHOLE;
    int64_t last = take_number(&at);
    if (*at || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
        return HTTP_RANGE_WHOLE;
    if (first < 0) { /* the last so many bytes */
        if (last == 0 || size == 0)
            return HTTP_RANGE_UNSATISFIABLE;
        first = last < size ? size - last : 0;
        last = size - 1;
    }
    if (first >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    if (last < 0 || last >= size)
        last = size - 1;
    *ret_from = first;
    *ret_len = last - first + 1;
    return HTTP_RANGE_PART;
}

bool http_etag_listed(const char *header, const char *etag)
{
    if (!header)
        return false;
    if (strcmp(header, "*") == 0)
        return true;
    size_t len = strlen(etag);
    for (const char *at = header; *at;) {
        at += strspn(at, " \t,");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        size_t item = strcspn(at, ",");
        size_t end = item;
        while (end > 0 && (at[end - 1] == ' ' || at[end - 1] == '\t'))
            end--;
        if (end == len && memcmp(at, etag, len) == 0)
            return true;
        at += item;
    }
    return false;
}
