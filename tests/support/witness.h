/* A witness with a key of the test. */
#ifndef TESTS_SUPPORT_WITNESS_H
#define TESTS_SUPPORT_WITNESS_H

#include "okno/stamp.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct witness {
    struct okno_note_key key;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char text[OKNO_NOTE_KEY_TEXT];
};

static inline struct witness witness_of(const char *name, uint8_t byte)
{
    struct witness w = {.key = {.id = 0}};
    uint8_t seed[32] = {byte};
    uint8_t digest[32];
    OKNO_AUTO_BUF hashed = OKNO_BUF_INIT(300);
    (void)crypto_sign_seed_keypair(w.key.public_key, w.secret, seed);
    (void)snprintf(w.key.name, sizeof(w.key.name), "%s", name);
    assert_int_equal(okno_buf_printf(&hashed, NULL, "%s\n\x04", name), 0);
    assert_int_equal(okno_buf_add(&hashed, w.key.public_key, 32, NULL), 0);
    okno_hash_bytes(hashed.data, hashed.len, digest);
    w.key.id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
               digest[3];
    (void)okno_witness_format(&w.key, w.text);
    return w;
}

/* The note with one signature line more. */
static inline void cosign(const struct witness *w, int64_t second, const struct okno_buf *note,
                          struct okno_buf *to)
{
    OKNO_AUTO_BUF covered = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    uint8_t bytes[12 + crypto_sign_BYTES];
    char base64[200];
    const char *blank = strstr(okno_buf_text(note), "\n\n");
    assert_non_null(blank);
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(w->key.id >> (24 - 8 * i));
    for (int i = 0; i < 8; i++)
        bytes[4 + i] = (uint8_t)((uint64_t)second >> (56 - 8 * i));
    assert_int_equal(okno_buf_printf(&covered, NULL, "cosignature/v1\ntime %lld\n%.*s",
                                     (long long)second, (int)(blank + 1 - okno_buf_text(note)),
                                     okno_buf_text(note)),
                     0);
    (void)crypto_sign_detached(bytes + 12, NULL, (const uint8_t *)covered.data, covered.len,
                               w->secret);
    (void)sodium_bin2base64(base64, sizeof(base64), bytes, sizeof(bytes),
                            sodium_base64_VARIANT_ORIGINAL);
    if (to->len == 0)
        assert_int_equal(okno_buf_add(to, note->data, note->len, NULL), 0);
    assert_int_equal(okno_buf_printf(to, NULL, "\xe2\x80\x94 %s %s\n", w->key.name, base64), 0);
}

#endif
