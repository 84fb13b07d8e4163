/* Numbers as MP4 writes them. Private to video/media. */
#ifndef MEDIA_BYTES_H
#define MEDIA_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t media_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t media_be64(const uint8_t *at)
{
    return (uint64_t)media_be32(at) << 32 | media_be32(at + 4);
}

static inline void media_put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void media_put64(uint8_t *at, uint64_t value)
{
    media_put32(at, (uint32_t)(value >> 32));
    media_put32(at + 4, (uint32_t)value);
}

static inline bool media_is_type(const uint8_t *box, const char type[4])
{
    return memcmp(box + 4, type, 4) == 0;
}

#endif
