#define _POSIX_C_SOURCE 200809L
#include "okno/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at `at`, 0 where it is broken. */
static size_t sequence_len(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return 1;
    size_t len = at[0] >= 0xc2 && at[0] <= 0xdf   ? 2
                 : at[0] >= 0xe0 && at[0] <= 0xef ? 3
                 : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                  : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] > 0x9f;
    bool beyond = at[0] == 0xf4 && at[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

bool okno_text_is_utf8(const void *bytes, size_t len)
{
    static const uint64_t high_bits = UINT64_C(0x8080808080808080);
    const unsigned char *at = bytes;
    while (len) {
        uint64_t eight;
        if (len >= sizeof(eight)) { /* most text is ASCII */
            memcpy(&eight, at, sizeof(eight));
            if (!(eight & high_bits)) {
                at += sizeof(eight);
                len -= sizeof(eight);
                continue;
            }
        }
        size_t step = sequence_len(at, len);
        if (!step)
            return false;
        at += step;
        len -= step;
    }
    return true;
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

size_t okno_text_fit(const char *text, size_t most)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t fit = strnlen(text, most);
    size_t last = fit; /* where the last character begins */
    while (last > 0 && (at[last - 1] & 0xc0) == 0x80)
        last--;
    last -= last > 0;
    return sequence_len(at + last, fit - last) > 0 ? fit : last;
}

bool okno_text_is_id(const char *text)
{
    size_t len = 0;
    while (len < OKNO_ID_TEXT && is_id_char(text[len]))
        len++;
    return len >= 1 && len < OKNO_ID_TEXT && text[len] == '\0';
}

bool okno_text_is_word(const char *text, const char *words)
{
    size_t len = strlen(text);
    if (len == 0 || strchr(text, ' '))
        return false;
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, text, len) == 0)
            return true;
        at += word;
    }
    return false;
}

/* The end of the comment or quoted text that begins at `at`; `at` itself where none does; NULL: it
 * is never closed. */
static char *skip_marked(char *at, bool *ret_comment)
{
    *ret_comment = true;
    if (*at == '#' || (at[0] == '/' && at[1] == '/'))
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        char *close = strstr(at + 2, "*/");
        return close ? close + 2 : NULL;
    }
    *ret_comment = false;
    if (*at != '"' && *at != '\'')
        return at;
    for (char quote = *at++; *at != quote; at++) {
        at += *at == '\\' && at[1];
        if (!*at)
            return NULL;
    }
    return at + 1;
}

void okno_text_blank_comments(char *text)
{
    static const char breaks[] = " \t\r\n={}(),";
    bool begins = true; /* a word may: inside one these are letters */
    while (*text) {
        bool comment;
        char *end = begins || *text == '"' || *text == '\'' ? skip_marked(text, &comment) : text;
        if (!end)
            return;
        if (end == text) {
            begins = strchr(breaks, *text++) != NULL;
            continue;
        }
        for (; text < end; text++)
            if (comment && *text != '\n' && *text != '\r')
                *text = ' ';
        begins = true;
    }
}

/* C1 controls (U+0080..U+009F) are two bytes; U+202A..U+202E and U+2066..U+2069, which let the text
 * after them be seen in another order, are three. */
static size_t unruly_len(const unsigned char *at)
{
    if (*at < ' ' || *at == 0x7f)
        return 1;
    if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
        return 2;
    bool turns = *at == 0xe2 && ((at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
                                 (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
    return turns ? 3 : 0;
}

bool okno_text_is_plain(const char *text, bool lines)
{
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        const unsigned char *at = (const unsigned char *)text;
        bool line = lines && (*at == '\n' || *at == '\r' || *at == '\t');
        step = sequence_len(at, left);
        if (step == 0 || (!line && unruly_len(at) > 0))
            return false;
    }
    return true;
}

const char *okno_text_form(long long count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

const char *okno_text_show(const char *text, char ret_text[OKNO_TEXT_SHOWN])
{
    enum { TAIL = 8 }; /* room for the longest step, "..." and the NUL */
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);
    size_t used = 0;
    size_t raw = 0; /* bytes of an unruly character that are still to be shown */
    while (left && used + TAIL < OKNO_TEXT_SHOWN) {
        size_t step = sequence_len(at, left);
        if (step == 0 || raw > 0 || (raw = unruly_len(at)) > 0) {
            used += (size_t)snprintf(ret_text + used, OKNO_TEXT_SHOWN - used, "\\x%02x", *at);
            step = 1;
            raw -= raw > 0;
        } else {
            memcpy(ret_text + used, at, step);
            used += step;
        }
        at += step;
        left -= step;
    }
    (void)snprintf(ret_text + used, OKNO_TEXT_SHOWN - used, "%s", left ? "..." : "");
    return ret_text;
}

void okno_text_calm(char *text)
{
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        const unsigned char *at = (const unsigned char *)text;
        size_t whole = sequence_len(at, left);
        size_t len = whole ? unruly_len(at) : 1;
        memset(text, '?', len);
        step = len ? len : whole;
    }
}
