/* The machine-readable strip in the scene's picture: 64 black or white square blocks on the lowest
 * rows that say the frame's true time. The scene draws it, the strip tool reads it; nothing of the
 * product knows it.
 *
 * The picture is 80 blocks wide; the strip takes blocks 8..71 of the lowest block row, left to
 * right, white = 1: start marker 1011, 48 bits of UTC milliseconds since 1970 (high bit first),
 * 8 bits of checksum, end marker 0100. */
#ifndef TOOLS_STRIP_LAYOUT_H
#define TOOLS_STRIP_LAYOUT_H

#include <stdint.h>

#define STRIP_COLUMNS 80 /* blocks in the picture's width */
#define STRIP_FIRST 8    /* column of the first block */
#define STRIP_BLOCKS 64
#define STRIP_START UINT64_C(0xb)
#define STRIP_END UINT64_C(0x4)

/* CRC-8, polynomial x^8+x^2+x+1, over the six bytes of the time, high byte first. It starts at 0xa5
 * so that neither an all black nor an all white strip is valid. */
static inline uint8_t strip_checksum(uint64_t ms)
{
    unsigned crc = 0xa5;
    for (int byte = 5; byte >= 0; byte--) {
        crc ^= (unsigned)(ms >> (8 * byte)) & 0xffU;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x80U ? (crc << 1 ^ 0x07U) & 0xffU : crc << 1;
    }
    return (uint8_t)crc;
}

/* The 64 blocks of a time, the leftmost as the highest bit. */
static inline uint64_t strip_word(uint64_t ms)
{
    ms &= UINT64_C(0xffffffffffff);
    return STRIP_START << 60 | ms << 12 | (uint64_t)strip_checksum(ms) << 4 | STRIP_END;
}

#endif
