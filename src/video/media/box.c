#define _POSIX_C_SOURCE 200809L
#include "box.h"

void media_box_bytes(struct media_box_out *out, const void *bytes, size_t len)
{
    if (out->rc == 0)
        out->rc = okno_buf_add(out->to, bytes, len, out->err);
}

void media_box_zeros(struct media_box_out *out, size_t len)
{
    static const uint8_t zeros[64];
    for (; len > sizeof(zeros); len -= sizeof(zeros))
        media_box_bytes(out, zeros, sizeof(zeros));
    media_box_bytes(out, zeros, len);
}

void media_box_put(struct media_box_out *out, uint64_t value, int bytes)
{
    uint8_t all[8];
    media_put64(all, value);
    media_box_bytes(out, all + 8 - bytes, (size_t)bytes);
}

size_t media_box_begin(struct media_box_out *out, const char type[4])
{
    size_t begun = out->to->len;
    media_box_put(out, 0, 4);
    media_box_bytes(out, type, 4);
    return begun;
}

size_t media_box_begin_full(struct media_box_out *out, const char type[4], uint32_t version_flags)
{
    size_t begun = media_box_begin(out, type);
    media_box_put(out, version_flags, 4);
    return begun;
}

void media_box_end(struct media_box_out *out, size_t begun)
{
    if (out->rc == 0)
        media_put32((uint8_t *)out->to->data + begun, (uint32_t)(out->to->len - begun));
}
