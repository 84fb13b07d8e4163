/* A key, and behind an empty line a signature file: of minisign and of OpenSSH. */
#include "fuzz.h"

#include "okno/signature.h"

#include <string.h>

/* Two blank lines part key and signature. */
static size_t border_of(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        if (data[i] == '\n' && data[i + 1] == '\n')
            return i;
    return size;
}

void fuzz_signature(const uint8_t *data, size_t size)
{
    static const char message[] = "the manifest\n";
    struct okno_signature_key key;
    struct okno_signature_key again;
    struct okno_err err = {0};
    char text[OKNO_SIGNATURE_KEY_TEXT];
    size_t border = border_of(data, size);
    int rc = okno_signature_key_parse((const char *)data, border, &key, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    if (rc == 0) {
        (void)okno_signature_key_format(&key, text);
        FUZZ_HOLDS(okno_signature_key_parse(text, strlen(text), &again, &err) == 0);
        FUZZ_HOLDS(memcmp(key.public_key, again.public_key, sizeof(key.public_key)) == 0);
    }
    for (int kind = 0; kind < 2; kind++) {
        struct okno_err why = {0};
        struct okno_signature_key own = {.kind = (enum okno_signature_kind)kind};
        if (rc == 0 && key.kind == own.kind)
            own = key;
        size_t from = border < size ? border + 2 : size;
        int found = okno_signature_check(&own, OKNO_SIGNATURE_AUDIT, message, sizeof(message) - 1,
                                         (const char *)data + from, size - from, &why);
        FUZZ_HOLDS((found < 0) == (why.code != 0));
    }
}
