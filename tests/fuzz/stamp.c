/* A time stamp's reply; where it is text, a witness's key and a line, parted by line ends. */
#include "fuzz.h"

#include "okno/mem.h"
#include "okno/stamp.h"

#include <string.h>

void fuzz_stamp(const uint8_t *data, size_t size)
{
    static const uint8_t digest[OKNO_SHA256_BYTES] = {1};
    static const char note[] = "log\n1\nAAAA\n";
    struct okno_stamp stamp;
    struct okno_note_key key;
    struct okno_err err = {0};
    const struct okno_stamp_want want = {.digest = digest, .ca = ""};
    int rc = okno_stamp_read(data, size, &stamp, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(rc < 0 || strlen(stamp.authority) < sizeof(stamp.authority));
    okno_err_clear(&err);
    FUZZ_HOLDS(okno_stamp_check(data, size, &want, &stamp, &err) < 0); /* nobody is trusted */
    okno_err_clear(&err);
    okno_autofree char *text = fuzz_text(data, size);
    char *line = strchr(text, '\n');
    if (!line)
        return;
    *line++ = '\0';
    rc = okno_witness_parse(text, &key, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    if (rc < 0)
        return;
    char again[OKNO_NOTE_KEY_TEXT];
    FUZZ_HOLDS(strcmp(okno_witness_format(&key, again), text) == 0);
    int64_t at_us = 0;
    rc = okno_witness_check(&key, note, sizeof(note) - 1, line, strlen(line), &at_us, NULL);
    FUZZ_HOLDS(rc <= 0 || at_us > 0);
}
