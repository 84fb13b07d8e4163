#define _GNU_SOURCE
/* Cosignatures of witnesses. Source: C2SP tlog-cosignature, version 1 (Ed25519). */
#include "okno/stamp.h"

#include "okno/text.h"
#include "okno/time.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* em dash and a blank */

enum { ALGORITHM = 0x04, LINE_BYTES = 4 + 8 + crypto_sign_BYTES, TEXT64 = 160 };

static bool is_name(const char *name, size_t len)
{
    if (len == 0 || len >= OKNO_NOTE_NAME_TEXT || !okno_text_is_utf8(name, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '+')
            return false;
    return true;
}

static uint32_t number_of(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t id_of(const char *name, const uint8_t public_key[32])
{
    static const uint8_t algorithm[2] = {'\n', ALGORITHM};
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, name, strlen(name));
    okno_hash_add(&hash, algorithm, sizeof(algorithm));
    okno_hash_add(&hash, public_key, 32);
    okno_hash_end(&hash, digest);
    return number_of(digest);
}

/* Exactly `want` bytes, in the one spelling. */
static bool decode(const char *text, size_t len, uint8_t *ret_bytes, size_t want)
{
    char again[TEXT64];
    size_t got = 0;
    const char *end = NULL;
    if (len >= TEXT64 || sodium_base642bin(ret_bytes, want, text, len, NULL, &got, &end,
                                           sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    (void)sodium_bin2base64(again, sizeof(again), ret_bytes, got, sodium_base64_VARIANT_ORIGINAL);
    return got == want && end == text + len && strlen(again) == len &&
           memcmp(again, text, len) == 0;
}

int okno_witness_parse(const char *text, struct okno_note_key *ret_key, struct okno_err *err)
{
    struct okno_note_key key = {.id = 0};
    uint8_t data[33];
    char digits[9] = {0};
    size_t len = strcspn(text, "\n");
    const char *hash = memchr(text, '+', len);
    const char *body = hash ? memchr(hash + 1, '+', len - (size_t)(hash + 1 - text)) : NULL;
    if (!body || body - hash != 9 || (text[len] && text[len + 1]) ||
        !is_name(text, (size_t)(hash - text)) ||
        !decode(body + 1, len - (size_t)(body + 1 - text), data, sizeof(data)))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no key of a witness: one line NAME+HASH+BASE64 is");
    if (data[0] != ALGORITHM)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the key is of algorithm %u: a witness's is 4, Ed25519 with time",
                         (unsigned)data[0]);
    memcpy(key.name, text, (size_t)(hash - text));
    memcpy(key.public_key, data + 1, sizeof(key.public_key));
    memcpy(digits, hash + 1, 8);
    key.id = id_of(key.name, key.public_key);
    if (strspn(digits, "0123456789abcdef") != 8 || strtoul(digits, NULL, 16) != key.id)
        return okno_fail(err, OKNO_MALFORMED, "the key of %s contradicts its own hash", key.name);
    *ret_key = key;
    return 0;
}

const char *okno_witness_format(const struct okno_note_key *key, char ret_text[OKNO_NOTE_KEY_TEXT])
{
    uint8_t data[33] = {ALGORITHM};
    char base64[TEXT64];
    memcpy(data + 1, key->public_key, 32);
    (void)sodium_bin2base64(base64, sizeof(base64), data, sizeof(data),
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(ret_text, OKNO_NOTE_KEY_TEXT, "%s+%08x+%.44s", key->name, key->id, base64);
    return ret_text;
}

static int64_t time_of(const uint8_t bytes[8])
{
    uint64_t time = 0;
    for (int i = 0; i < 8; i++)
        time = time << 8 | bytes[i];
    return time < (uint64_t)INT64_MAX / OKNO_SECOND_US ? (int64_t)time : -1;
}

static int check_bytes(const struct okno_note_key *key, const char *text, size_t text_len,
                       const uint8_t bytes[LINE_BYTES], int64_t *ret_at_us, struct okno_err *err)
{
    OKNO_AUTO_BUF covered = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX + 100);
    int64_t at = time_of(bytes + 4);
    if (at <= 0)
        return okno_fail(err, OKNO_MALFORMED, "the cosignature of %s tells no time", key->name);
    int rc = okno_buf_printf(&covered, err, "cosignature/v1\ntime %lld\n", (long long)at);
    if (rc == 0)
        rc = okno_buf_add(&covered, text, text_len, err);
    if (rc < 0)
        return rc;
    if (crypto_sign_verify_detached(bytes + 12, (const uint8_t *)covered.data, covered.len,
                                    key->public_key) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the cosignature of %s is not over this checkpoint", key->name);
    *ret_at_us = at * OKNO_SECOND_US;
    return 1;
}

int okno_witness_check(const struct okno_note_key *key, const char *text, size_t text_len,
                       const char *line, size_t line_len, int64_t *ret_at_us, struct okno_err *err)
{
    uint8_t bytes[LINE_BYTES];
    size_t dash = sizeof(DASH) - 1;
    const char *blank = NULL;
    if (line_len > dash && memcmp(line, DASH, dash) == 0)
        blank = memchr(line + dash, ' ', line_len - dash);
    size_t name_len = blank ? (size_t)(blank - line) - dash : 0;
    if (!blank || !is_name(line + dash, name_len))
        return okno_fail(err, OKNO_MALFORMED, "a signature line is broken");
    if (strlen(key->name) != name_len || memcmp(key->name, line + dash, name_len) != 0)
        return 0;
    if (!decode(blank + 1, line_len - dash - name_len - 1, bytes, sizeof(bytes)))
        return okno_fail(err, OKNO_MALFORMED, "the line of %s is no cosignature", key->name);
    if (number_of(bytes) != key->id)
        return 0;
    return check_bytes(key, text, text_len, bytes, ret_at_us, err);
}
