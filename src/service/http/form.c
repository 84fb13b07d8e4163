/* Plain HTML forms: the WHATWG URL standard's application/x-www-form-urlencoded. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 16, FORM_BYTES_MAX = 4096 };

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* In place; false for a broken escape or a NUL. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '%') {
            *to++ = *at == '+' ? ' ' : *at;
            continue;
        }
        int high = digit(at[1]);
        int low = high < 0 ? -1 : digit(at[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return true;
}

static int add_field(json_t *fields, char *pair, struct okno_err *err)
{
    char *value = strchr(pair, '=');
    if (value)
        *value++ = '\0';
    if (!decode(pair) || (value && !decode(value)) || !okno_text_is_utf8(pair, strlen(pair)) ||
        (value && !okno_text_is_utf8(value, strlen(value))))
        return okno_fail(err, OKNO_MALFORMED, "the form is not in UTF-8 with %%XX escapes");
    if (json_object_get(fields, pair))
        return okno_fail(err, OKNO_INVALID, "a field of the form is given twice");
    return json_object_set_new(fields, pair, json_string(value ? value : "")) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the form")
               : 0;
}

int http_form_read(const struct http_request *request, json_t **ret_fields, struct okno_err *err)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = http_header(request, "Content-Type");
    char text[FORM_BYTES_MAX + 1];
    if (!type || strncasecmp(type, form, sizeof(form) - 1) != 0)
        return okno_fail_field(err, OKNO_INVALID, "Content-Type",
                               "the body must be sent with Content-Type: %s", form);
    if (request->body_len > FORM_BYTES_MAX || memchr(request->body_text, 0, request->body_len))
        return okno_fail(err, OKNO_MALFORMED, "the form is longer than %d bytes or holds a NUL",
                         FORM_BYTES_MAX);
    memcpy(text, request->body_text, request->body_len);
    text[request->body_len] = '\0';
    okno_autojson json_t *fields = json_object();
    int rc = 0;
    char *next = text;
    for (int i = 0; rc == 0 && next && *next; i++) {
        char *pair = next;
        next = strchr(pair, '&');
        if (next)
            *next++ = '\0';
        rc = i < FIELDS_MAX ? add_field(fields, pair, err)
                            : okno_fail(err, OKNO_TOO_LARGE, "more than %d fields", FIELDS_MAX);
    }
    if (rc == 0)
        *ret_fields = json_incref(fields);
    return rc;
}
