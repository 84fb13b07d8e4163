#define _GNU_SOURCE
#include "line.h"

#include "okno/text.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void line_encode(const uint8_t *bytes, size_t len, char ret_text[LINE_TEXT64])
{
    (void)sodium_bin2base64(ret_text, LINE_TEXT64, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

bool line_decode(const char *text, size_t len, uint8_t *ret_bytes, size_t want)
{
    char again[LINE_TEXT64];
    size_t got = 0;
    if (len >= LINE_TEXT64 || sodium_base642bin(ret_bytes, want, text, len, NULL, &got, NULL,
                                                sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    if (got != want)
        return false;
    line_encode(ret_bytes, want, again);
    return strlen(again) == len && memcmp(again, text, len) == 0;
}

bool line_is_name(const char *name, size_t len)
{
    if (len == 0 || len >= OKNO_NOTE_NAME_TEXT || !okno_text_is_utf8(name, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '+')
            return false;
    return true;
}

uint32_t line_number(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint32_t line_key_id(const char *name, uint8_t algorithm, const uint8_t public_key[32])
{
    const uint8_t kind[2] = {'\n', algorithm};
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, name, strlen(name));
    okno_hash_add(&hash, kind, sizeof(kind));
    okno_hash_add(&hash, public_key, 32);
    okno_hash_end(&hash, digest);
    return line_number(digest);
}

bool line_key_parse(const char *text, struct okno_note_key *ret_key, uint8_t *ret_algorithm,
                    uint8_t ret_body[32])
{
    uint8_t data[33];
    char digits[9] = {0};
    size_t len = strcspn(text, "\n");
    const char *hash = memchr(text, '+', len);
    const char *body = hash ? memchr(hash + 1, '+', len - (size_t)(hash + 1 - text)) : NULL;
    if (!body || body - hash != 9 || (text[len] && text[len + 1]) ||
        !line_is_name(text, (size_t)(hash - text)) ||
        !line_decode(body + 1, len - (size_t)(body + 1 - text), data, sizeof(data)))
        return false;
    memcpy(digits, hash + 1, 8);
    if (strspn(digits, "0123456789abcdef") != 8)
        return false;
    memcpy(ret_key->name, text, (size_t)(hash - text));
    ret_key->name[hash - text] = '\0';
    ret_key->id = (uint32_t)strtoul(digits, NULL, 16);
    *ret_algorithm = data[0];
    memcpy(ret_body, data + 1, 32);
    sodium_memzero(data, sizeof(data));
    return true;
}

void line_key_format(const char *prefix, const struct okno_note_key *key, uint8_t algorithm,
                     const uint8_t body[32], char ret_text[OKNO_NOTE_KEY_TEXT])
{
    uint8_t data[33] = {algorithm};
    char text[LINE_TEXT64];
    memcpy(data + 1, body, 32);
    line_encode(data, sizeof(data), text);
    (void)snprintf(ret_text, OKNO_NOTE_KEY_TEXT, "%s%s+%08x+%.44s", prefix, key->name, key->id,
                   text);
    sodium_memzero(data, sizeof(data));
    sodium_memzero(text, sizeof(text));
}

int line_signature(const char *line, size_t len, const struct okno_note_key *key,
                   uint8_t ret_bytes[LINE_BYTES_MAX], size_t want, struct okno_err *err)
{
    size_t dash = sizeof(LINE_DASH) - 1;
    const char *blank = NULL;
    if (len > dash && memcmp(line, LINE_DASH, dash) == 0)
        blank = memchr(line + dash, ' ', len - dash);
    size_t name_len = blank ? (size_t)(blank - line) - dash : 0;
    if (!blank || !line_is_name(line + dash, name_len))
        return okno_fail(err, OKNO_MALFORMED, "there is a broken signature line");
    if (strlen(key->name) != name_len || memcmp(key->name, line + dash, name_len) != 0)
        return 0;
    if (!line_decode(blank + 1, len - dash - name_len - 1, ret_bytes, want))
        return okno_fail(err, OKNO_MALFORMED, "the signature line of %s is broken", key->name);
    return line_number(ret_bytes) == key->id;
}
