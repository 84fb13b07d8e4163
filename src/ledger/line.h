/* Inside the ledger room only: what notes and cosignatures spell alike. Source: C2SP signed-note.
 */
#ifndef OKNO_LEDGER_LINE_H
#define OKNO_LEDGER_LINE_H

#include "okno/note.h"

#define LINE_DASH "\xe2\x80\x94 " /* em dash and a blank: how a signature begins */

enum { LINE_TEXT64 = 160, LINE_BYTES_MAX = 4 + 8 + 64 };

void line_encode(const uint8_t *bytes, size_t len, char ret_text[LINE_TEXT64]);

/* Exactly `want` bytes, spelled as line_encode would. */
bool line_decode(const char *text, size_t len, uint8_t *ret_bytes, size_t want);

bool line_is_name(const char *name, size_t len);

uint32_t line_number(const uint8_t bytes[4]);

/* The key's id: the first bytes of the hash of name, algorithm and key. */
uint32_t line_key_id(const char *name, uint8_t algorithm, const uint8_t public_key[32]);

/* NAME+HASH+BASE64(algorithm, 32 bytes), alone on its line; the hash is not checked. */
bool line_key_parse(const char *text, struct okno_note_key *ret_key, uint8_t *ret_algorithm,
                    uint8_t ret_body[32]);

void line_key_format(const char *prefix, const struct okno_note_key *key, uint8_t algorithm,
                     const uint8_t body[32], char ret_text[OKNO_NOTE_KEY_TEXT]);

/* The bytes of one signature line, the key's id before them. 1: the key's; 0: another key's;
 * OKNO_MALFORMED. */
OKNO_CHECK int line_signature(const char *line, size_t len, const struct okno_note_key *key,
                              uint8_t ret_bytes[LINE_BYTES_MAX], size_t want, struct okno_err *err);

#endif
