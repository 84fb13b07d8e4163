/* hashlines FILE: the least that a draw has to do, as a measure for it: SHA-256 of each line behind
 * the 64 characters of the seed's hash, nothing kept. Prints the exclusive or of all digests. */
#define _POSIX_C_SOURCE 200809L
#include "okno/hash.h"
#include "okno/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const char seed[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    uint8_t sum[OKNO_SHA256_BYTES] = {0};
    char line[2048];
    char text[OKNO_SHA256_TEXT];
    okno_autofclose FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!file)
        return 2;
    while (fgets(line, sizeof(line), file)) {
        uint8_t digest[OKNO_SHA256_BYTES];
        struct okno_hash hash;
        okno_hash_start(&hash);
        okno_hash_add(&hash, seed, sizeof(seed) - 1);
        okno_hash_add(&hash, line, strcspn(line, "\n"));
        okno_hash_end(&hash, digest);
        for (size_t i = 0; i < sizeof(sum); i++)
            sum[i] ^= digest[i];
    }
    printf("%s\n", okno_hash_hex(sum, text));
    return 0;
}
