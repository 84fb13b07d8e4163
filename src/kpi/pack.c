/* Cells of one point and month as bytes: texts first, then each cell as numbers of variable length
 * (LEB128), of its sums only those that are not 0. The order depends on texts alone, so the same
 * cells are the same bytes. */
#include "kpi.h"

#include <string.h>

enum { BODY_TEXTS_MAX = 4096, TEXT_BYTES_MAX = 255, CELLS_MAX = 1 << 20 };

_Static_assert(KPI_FIELDS <= 32, "a mask of 32 bits tells which sums are there");

/* ---- writing ---- */

static int put_number(struct okno_buf *out, uint64_t value, struct okno_err *err)
{
    unsigned char bytes[10];
    size_t len = 0;
    do {
        bytes[len] = (unsigned char)(value & 0x7f);
        value >>= 7;
        bytes[len++] |= value ? 0x80 : 0;
    } while (value);
    return okno_buf_add(out, bytes, len, err);
}

static int put_text(struct okno_buf *out, const char *text, struct okno_err *err)
{
    size_t len = strlen(text);
    int rc = put_number(out, len, err);
    return rc < 0 ? rc : okno_buf_add(out, text, len, err);
}

static int put_cell(struct okno_buf *out, const struct kpi_cell *cell, const int32_t *local,
                    struct okno_err *err)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < KPI_FIELDS; i++)
        mask |= cell->n[i] ? UINT32_C(1) << i : 0;
    const uint64_t head[] = {(uint64_t)cell->key.bucket,
                             (uint64_t)local[cell->key.site],
                             (uint64_t)local[cell->key.employee],
                             (uint64_t)local[cell->key.question],
                             (uint64_t)cell->key.kind,
                             mask,
                             cell->excluded.len};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(head); i++)
        rc = put_number(out, head[i], err);
    for (size_t i = 0; rc == 0 && i < KPI_FIELDS; i++)
        if (cell->n[i])
            rc = put_number(out, (uint64_t)cell->n[i], err);
    for (size_t i = 0; rc == 0 && i < cell->excluded.len; i++) {
        rc = put_text(out, cell->excluded.items[i].reason, err);
        if (rc == 0)
            rc = put_number(out, (uint64_t)cell->excluded.items[i].count, err);
    }
    return rc;
}

/* The texts in the order in which the cells first name them; local[] gets their places. */
static int put_texts(struct okno_buf *out, const struct kpi_cube *cube,
                     const struct kpi_cell *const *cells, size_t count, int32_t *local,
                     struct okno_err *err)
{
    OKNO_AUTO_BUF texts = OKNO_BUF_INIT(1 << 20);
    int32_t used = 0;
    int rc = 0;
    for (size_t i = 0; i < cube->names.count; i++)
        local[i] = -1;
    for (size_t i = 0; rc == 0 && i < 3 * count; i++) {
        const struct kpi_key *key = &cells[i / 3]->key;
        int32_t id = i % 3 == 0 ? key->site : i % 3 == 1 ? key->employee : key->question;
        if (local[id] >= 0)
            continue;
        local[id] = used++;
        rc = put_text(&texts, cube->names.text[id], err);
    }
    if (rc == 0)
        rc = put_number(out, (uint64_t)used, err);
    return rc < 0 ? rc : okno_buf_add(out, okno_buf_text(&texts), texts.len, err);
}

int kpi_pack(const struct kpi_cube *cube, const struct kpi_cell *const *cells, size_t count,
             struct okno_buf *out, struct okno_err *err)
{
    okno_autofree int32_t *local = malloc((cube->names.count + 1) * sizeof(*local));
    if (!local)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
    int rc = put_texts(out, cube, cells, count, local, err);
    if (rc == 0)
        rc = put_number(out, count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_cell(out, cells[i], local, err);
    return rc;
}

/* ---- reading ---- */

static bool get_number(const unsigned char **at, const unsigned char *end, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        unsigned char byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool get_text(const unsigned char **at, const unsigned char *end, char *ret_text,
                     size_t size)
{
    uint64_t len = 0;
    if (!get_number(at, end, &len) || len >= size || len > (size_t)(end - *at))
        return false;
    memcpy(ret_text, *at, len);
    ret_text[len] = '\0';
    *at += len;
    return true;
}

static bool get_cell(const unsigned char **at, const unsigned char *end, char *const *texts,
                     uint64_t text_count, struct kpi_packed *cell)
{
    uint64_t head[7];
    for (size_t i = 0; i < OKNO_COUNT(head); i++)
        if (!get_number(at, end, &head[i]))
            return false;
    if (head[1] >= text_count || head[2] >= text_count || head[3] >= text_count ||
        head[4] > OKNO_KIND_COUNT || head[0] > INT32_MAX || head[6] > 1000)
        return false;
    cell->day = (int32_t)head[0];
    cell->site = texts[head[1]];
    cell->employee = texts[head[2]];
    cell->question = texts[head[3]];
    cell->kind = (int32_t)head[4];
    for (size_t i = 0; i < KPI_FIELDS; i++) {
        uint64_t value = 0;
        if ((head[5] >> i & 1) && (!get_number(at, end, &value) || value > INT32_MAX))
            return false;
        cell->n[i] = (int32_t)value;
    }
    cell->excluded.len = 0;
    for (uint64_t i = 0; i < head[6]; i++) {
        struct okno_reason_count one = {0};
        uint64_t value = 0;
        if (!get_text(at, end, one.reason, sizeof(one.reason)) || !get_number(at, end, &value))
            return false;
        one.count = (int64_t)value;
        if (okno_reason_vec_push(&cell->excluded, one) < 0)
            return false;
    }
    return true;
}

static int broken(struct okno_err *err)
{
    return okno_fail(err, OKNO_MALFORMED, "the maintained sums of the indicators are broken");
}

/* Texts into one piece of memory, each where texts[i] points. */
static int get_texts(const unsigned char **at, const unsigned char *end, uint64_t count, char *room,
                     char **texts)
{
    for (uint64_t i = 0; i < count; i++) {
        texts[i] = room;
        if (!get_text(at, end, room, TEXT_BYTES_MAX + 1))
            return -1;
        room += strlen(room) + 1;
    }
    return 0;
}

int kpi_unpack(const void *bytes, size_t len,
               int (*take)(void *context, const struct kpi_packed *cell, struct okno_err *err),
               void *context, struct okno_err *err)
{
    const unsigned char *at = bytes;
    const unsigned char *end = at + len;
    uint64_t text_count = 0;
    uint64_t count = 0;
    struct kpi_packed cell = {0};
    if (!get_number(&at, end, &text_count) || text_count > BODY_TEXTS_MAX)
        return broken(err);
    /* Each text takes at most its own bytes of the body and a NUL. */
    okno_autofree char *room = malloc(len + text_count + TEXT_BYTES_MAX + 1);
    okno_autofree char **texts = malloc((text_count + 1) * sizeof(*texts));
    if (!room || !texts)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
    if (get_texts(&at, end, text_count, room, texts) < 0 || !get_number(&at, end, &count) ||
        count > CELLS_MAX)
        return broken(err);
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < count; i++)
        rc = get_cell(&at, end, texts, text_count, &cell) ? take(context, &cell, err) : broken(err);
    okno_reason_vec_free(&cell.excluded);
    return rc == 0 && at != end ? broken(err) : rc;
}
