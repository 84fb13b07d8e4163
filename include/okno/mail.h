/* E-mail messages as they go over the wire (RFC 5322, MIME): one sender, one recipient, a text in
 * UTF-8, files. Pure. What people wrote ends in encoded words and in base64, so that no text makes
 * a header, a part or the end of a message. Nothing in a message goes beyond ASCII or 78 bytes a
 * line.
 */
#ifndef OKNO_MAIL_H
#define OKNO_MAIL_H

#include "okno/buf.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OKNO_MAIL_ADDRESS_TEXT = 255 };

/* An attachment. Texts and bytes are borrowed. */
struct okno_mail_file {
    const char *name; /* shown to the reader; UTF-8 */
    const char *type; /* "application/pdf" */
    const void *bytes;
    size_t len;
};

struct okno_mail {
    const char *from, *to; /* okno_mail_is_address */
    const char *subject;   /* UTF-8; line ends become blanks */
    const char *text;      /* UTF-8 */
    const char *id;        /* of letters, digits, _ and -: the same for the same message */
    int64_t at_us;
    const struct okno_mail_file *files;
    size_t file_count;
};

/* local@domain of ASCII, up to 254 bytes, without quotes, comments or blanks. */
bool okno_mail_is_address(const char *text);

/* "type/subtype" of the letters that a header may hold. */
bool okno_mail_is_type(const char *text);

/* Append the whole message, lines ending in CR LF. OKNO_INVALID names the field; OKNO_TOO_LARGE
 * past the buffer's maximum. Sources: RFC 5322, 2045, 2047, 2231. */
OKNO_CHECK int okno_mail_compose(const struct okno_mail *mail, struct okno_buf *message,
                                 struct okno_err *err);

#endif
