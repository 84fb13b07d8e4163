/* Text from outside: what is allowed, and how to repeat it in a message. */
#ifndef OKNO_TEXT_H
#define OKNO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define OKNO_ID_TEXT 65 /* room for an id (1..64 bytes) and the NUL */
#define OKNO_TEXT_SHOWN 96

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */
bool okno_text_is_utf8(const void *bytes, size_t len);

/* How many of the first `most` bytes of a text hold whole characters: where it may be cut. */
size_t okno_text_fit(const char *text, size_t most);

/* An id of interfaces: 1..64 of A-Z a-z 0-9 _ - */
bool okno_text_is_id(const char *text);

/* One of `words`, which are separated by one space each. */
bool okno_text_is_word(const char *text, const char *words);

/* Make blanks of the comments (# and // to the line's end, / * * /) of a text in the syntax of
 * okno.conf, outside quotes; the lines stay. The library that reads such texts counts lines with
 * comments wrongly. One that is never closed stays for the library to find. */
void okno_text_blank_comments(char *text);

/* Whether a text that somebody wrote is UTF-8 without what okno_text_calm() would take away; with
 * `lines` it may have line ends and tabs. */
bool okno_text_is_plain(const char *text, bool lines);

/* The word that goes with a number: `one` with 1, else `many`. */
const char *okno_text_form(long long count, const char *one, const char *many);

/* A short excerpt that is safe on a terminal: what okno_text_calm() finds and broken UTF-8 as \xNN,
 * a long text cut with "...". Returns ret_text. */
const char *okno_text_show(const char *text, char ret_text[OKNO_TEXT_SHOWN]);

/* Make `text` (NUL at its end) harmless on a terminal and UTF-8, in place and at the same length:
 * each byte of a control (C0, DEL, C1), of a sign that turns the direction of writing, and of
 * broken UTF-8 (a text that was cut within a character) becomes '?'. */
void okno_text_calm(char *text);

#endif
