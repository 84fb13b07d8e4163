#define _GNU_SOURCE
/* Cosignatures of witnesses. Source: C2SP tlog-cosignature, version 1 (Ed25519). */
#include "okno/stamp.h"

#include "line.h"
#include "okno/time.h"

#include <sodium.h>
#include <string.h>

#define AHEAD_US (300 * OKNO_SECOND_US)

enum { ALGORITHM = 0x04, SIGNED_BYTES = 4 + 8 + crypto_sign_BYTES };

int okno_witness_parse(const char *text, struct okno_note_key *ret_key, struct okno_err *err)
{
    struct okno_note_key key = {.id = 0};
    uint8_t algorithm = 0;
    if (!line_key_parse(text, &key, &algorithm, key.public_key))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no key of a witness: one line NAME+HASH+BASE64 is");
    if (algorithm != ALGORITHM)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the key is of algorithm %u: a witness's is 4, Ed25519 with time",
                         (unsigned)algorithm);
    if (key.id != line_key_id(key.name, ALGORITHM, key.public_key))
        return okno_fail(err, OKNO_MALFORMED, "the key of %s contradicts its own hash", key.name);
    *ret_key = key;
    return 0;
}

const char *okno_witness_format(const struct okno_note_key *key, char ret_text[OKNO_NOTE_KEY_TEXT])
{
    line_key_format("", key, ALGORITHM, key->public_key, ret_text);
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
                       const uint8_t bytes[SIGNED_BYTES], int64_t *ret_at_us, struct okno_err *err)
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
    uint8_t bytes[LINE_BYTES_MAX];
    int rc = line_signature(line, line_len, key, bytes, SIGNED_BYTES, err);
    return rc == 1 ? check_bytes(key, text, text_len, bytes, ret_at_us, err) : rc;
}

bool okno_witness_is_ahead(int64_t at_us, int64_t now_us)
{
    return at_us - now_us > AHEAD_US;
}
