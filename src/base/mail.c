#define _POSIX_C_SOURCE 200809L
#include "okno/mail.h"

#include "okno/text.h"
#include "okno/time.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_BYTES = 57, /* make 76 letters of base64 */
    WORD_BYTES = 42, /* of an encoded word: 75 letters at most, "=?UTF-8?B?" and "?=" among them */
    SUBJECT_BYTES = 400 /* more is cut at a character */
};

static const char atom[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* Letters, digits and some signs, with single dots between. */
static bool is_dotted(const char *text, size_t len, const char *signs)
{
    bool dot = true; /* none may stand first */
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && dot)
            return false;
        if (text[i] != '.' && !strchr(atom, text[i]) && !strchr(signs, text[i]))
            return false;
        dot = text[i] == '.';
    }
    return len > 0 && !dot;
}

bool okno_mail_is_address(const char *text)
{
    const char *at = strchr(text, '@');
    size_t len = strlen(text);
    return at && len < OKNO_MAIL_ADDRESS_TEXT && at - text <= 64 && at[1] != '-' &&
           is_dotted(text, (size_t)(at - text), "!#$%&'*+-/=?^_`{|}~") &&
           is_dotted(at + 1, strlen(at + 1), "-");
}

bool okno_mail_is_type(const char *text)
{
    const char *slash = strchr(text, '/');
    return slash && strlen(text) < 128 && is_dotted(text, (size_t)(slash - text), "+-") &&
           is_dotted(slash + 1, strlen(slash + 1), "+-");
}

/* --- pieces */

static int add_base64(struct okno_buf *to, const void *bytes, size_t len, struct okno_err *err)
{
    char text[sodium_base64_ENCODED_LEN(LINE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    return sodium_bin2base64(text, sizeof(text), bytes, len, sodium_base64_VARIANT_ORIGINAL)
               ? okno_buf_add_text(to, text, err)
               : OKNO_FAILED;
}

static int add_base64_lines(struct okno_buf *to, const void *bytes, size_t len,
                            struct okno_err *err)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < len; at += LINE_BYTES) {
        size_t part = len - at < LINE_BYTES ? len - at : LINE_BYTES;
        rc = add_base64(to, (const char *)bytes + at, part, err);
        if (rc == 0)
            rc = okno_buf_add_text(to, "\r\n", err);
    }
    return rc;
}

/* Bytes of whole characters, at most `max`, at least one character. */
static size_t whole_characters(const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            return false;
    return strlen(text) <= 60 && !strstr(text, "=?");
}

/* A header that people see: as it is where it is plain, else encoded words, one a line. */
static int add_unstructured(struct okno_buf *to, const char *name, const char *text,
                            struct okno_err *err)
{
    char line[SUBJECT_BYTES + 1];
    (void)snprintf(line, sizeof(line), "%.*s", (int)whole_characters(text, SUBJECT_BYTES), text);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    if (is_plain(line))
        return okno_buf_printf(to, err, "%s: %s\r\n", name, line);
    int rc = okno_buf_printf(to, err, "%s:", name);
    for (const char *at = line; rc == 0 && *at;) {
        size_t len = whole_characters(at, WORD_BYTES);
        rc = okno_buf_add_text(to, at == line ? " =?UTF-8?B?" : "\r\n =?UTF-8?B?", err);
        if (rc == 0)
            rc = add_base64(to, at, len, err);
        if (rc == 0)
            rc = okno_buf_add_text(to, "?=", err);
        at += len;
    }
    return rc == 0 ? okno_buf_add_text(to, "\r\n", err) : rc;
}

static int add_date(struct okno_buf *to, int64_t at_us, struct okno_err *err)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct okno_civil c;
    okno_time_to_civil(at_us, &c);
    int64_t day = at_us / OKNO_DAY_US - (at_us % OKNO_DAY_US < 0);
    int weekday = (int)(((day + 3) % 7 + 7) % 7); /* 1 January 1970 was a Thursday */
    return okno_buf_printf(to, err, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[weekday],
                           c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

/* As it is where every program reads it so. Else RFC 2231: each byte that is no letter, digit, dot,
 * _ or - as %XX, in pieces that fit a line. */
static int add_file_name(struct okno_buf *to, const char *name, struct okno_err *err)
{
    int rc = 0;
    int piece = 0;
    const char *at = *name ? name : "file";
    if (strlen(at) <= 50 && is_dotted(at, strlen(at), "_-"))
        return okno_buf_printf(to, err, ";\r\n filename=\"%s\"", at);
    for (size_t left = whole_characters(at, 150); rc == 0 && left > 0; piece++) {
        rc = okno_buf_printf(to, err, ";\r\n filename*%d*=%s", piece, piece ? "" : "UTF-8''");
        for (int i = 0; rc == 0 && i < 16 && left > 0; i++, at++, left--)
            rc = strchr(atom, *at) || strchr("._-", *at)
                     ? okno_buf_add(to, at, 1, err)
                     : okno_buf_printf(to, err, "%%%02X", (unsigned char)*at);
    }
    return rc;
}

/* --- the message */

static int check(const struct okno_mail *mail, struct okno_err *err)
{
    if (!okno_mail_is_address(mail->from))
        return okno_fail_field(err, OKNO_INVALID, "from", "from: \"%.80s\" is no address",
                               mail->from);
    if (!okno_mail_is_address(mail->to))
        return okno_fail_field(err, OKNO_INVALID, "to", "to: \"%.80s\" is no address", mail->to);
    if (!okno_text_is_id(mail->id))
        return okno_fail_field(err, OKNO_INVALID, "id", "id: \"%.80s\" is no id", mail->id);
    if (!okno_text_is_utf8(mail->subject, strlen(mail->subject)) ||
        !okno_text_is_utf8(mail->text, strlen(mail->text)))
        return okno_fail_field(err, OKNO_INVALID, "text", "subject or text is not UTF-8");
    for (size_t i = 0; i < mail->file_count; i++)
        if (!okno_mail_is_type(mail->files[i].type) ||
            !okno_text_is_utf8(mail->files[i].name, strlen(mail->files[i].name)))
            return okno_fail_field(err, OKNO_INVALID, "files",
                                   "files: the %zu. has no type such as application/pdf, or a name "
                                   "that is not UTF-8",
                                   i + 1);
    return 0;
}

static int add_head(const struct okno_mail *mail, struct okno_buf *to, struct okno_err *err)
{
    int rc = add_date(to, mail->at_us, err);
    if (rc == 0)
        rc = okno_buf_printf(to, err,
                             "From: okno <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\n"
                             "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
                             mail->from, mail->to, mail->id, strchr(mail->from, '@'));
    return rc == 0 ? add_unstructured(to, "Subject", mail->subject, err) : rc;
}

static int add_text_part(const struct okno_mail *mail, struct okno_buf *to, struct okno_err *err)
{
    int rc = okno_buf_add_text(to,
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: base64\r\n\r\n",
                               err);
    return rc == 0 ? add_base64_lines(to, mail->text, strlen(mail->text), err) : rc;
}

static int add_file_part(const struct okno_mail_file *file, struct okno_buf *to,
                         struct okno_err *err)
{
    int rc = okno_buf_printf(to, err,
                             "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"
                             "Content-Disposition: attachment",
                             file->type);
    if (rc == 0)
        rc = add_file_name(to, file->name, err);
    if (rc == 0)
        rc = okno_buf_add_text(to, "\r\n\r\n", err);
    return rc == 0 ? add_base64_lines(to, file->bytes, file->len, err) : rc;
}

/* "=_" stands in no base64: no content holds the line between the parts. */
static int add_parts(const struct okno_mail *mail, struct okno_buf *to, struct okno_err *err)
{
    int rc = okno_buf_printf(to, err,
                             "Content-Type: multipart/mixed;\r\n boundary=\"=_%.60s\"\r\n\r\n"
                             "--=_%.60s\r\n",
                             mail->id, mail->id);
    if (rc == 0)
        rc = add_text_part(mail, to, err);
    for (size_t i = 0; rc == 0 && i < mail->file_count; i++) {
        rc = okno_buf_printf(to, err, "--=_%.60s\r\n", mail->id);
        if (rc == 0)
            rc = add_file_part(&mail->files[i], to, err);
    }
    return rc == 0 ? okno_buf_printf(to, err, "--=_%.60s--\r\n", mail->id) : rc;
}

int okno_mail_compose(const struct okno_mail *mail, struct okno_buf *message, struct okno_err *err)
{
    int rc = check(mail, err);
    if (rc == 0)
        rc = add_head(mail, message, err);
    if (rc < 0)
        return rc;
    return mail->file_count > 0 ? add_parts(mail, message, err) : add_text_part(mail, message, err);
}
