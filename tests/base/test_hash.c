/* SHA-256 by both libraries, over what one of them was published with. Source: FIPS 180-4 examples.
 */
#include "okno/hash.h"

#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void abc_has_the_published_digest(void **state)
{
    (void)state;
    uint8_t digest[OKNO_SHA256_BYTES];
    char text[OKNO_SHA256_TEXT];
    okno_hash_block("abc", 3, digest);
    assert_string_equal(okno_hash_hex(digest, text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void one_buffer_has_one_digest_however_it_is_made(void **state)
{
    (void)state;
    enum { LEN = 70000 };
    okno_autofree uint8_t *bytes = malloc(LEN);
    uint8_t whole[OKNO_SHA256_BYTES], block[OKNO_SHA256_BYTES], parts[OKNO_SHA256_BYTES];
    assert_non_null(bytes);
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    for (size_t len = 0; len <= LEN; len += len < 130 ? 1 : 9973) {
        struct okno_hash hash;
        okno_hash_bytes(bytes, len, whole);
        okno_hash_block(bytes, len, block);
        okno_hash_start(&hash);
        okno_hash_add(&hash, bytes, len / 3);
        okno_hash_add(&hash, bytes + len / 3, len - len / 3);
        okno_hash_end(&hash, parts);
        assert_memory_equal(whole, block, sizeof(whole));
        assert_memory_equal(whole, parts, sizeof(whole));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abc_has_the_published_digest),
        cmocka_unit_test(one_buffer_has_one_digest_however_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
