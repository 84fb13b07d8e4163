#define _POSIX_C_SOURCE 200809L
/* Texts as small numbers, so that cells compare and hash as integers. */
#include "kpi.h"

#include <string.h>

enum { NAMES_MAX = 1 << 22 };

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash;
}

static void place(struct kpi_names *names, uint32_t id)
{
    size_t at = hash_of(names->text[id]) & (names->slot_count - 1);
    while (names->slots[at])
        at = (at + 1) & (names->slot_count - 1);
    names->slots[at] = id + 1;
}

/* Room for one more: slots are never more than half full. */
static int grow(struct kpi_names *names, struct okno_err *err)
{
    if (names->count >= NAMES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d different names", NAMES_MAX);
    if (names->count == names->cap) {
        size_t cap = names->cap ? 2 * names->cap : 64;
        char **text = realloc(names->text, cap * sizeof(*text));
        if (!text)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the names");
        names->text = text;
        names->cap = cap;
    }
    if (2 * (names->count + 1) <= names->slot_count)
        return 0;
    size_t slot_count = names->slot_count ? 2 * names->slot_count : 256;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the names");
    free(names->slots);
    names->slots = slots;
    names->slot_count = slot_count;
    for (uint32_t id = 0; id < names->count; id++)
        place(names, id);
    return 0;
}

static int add(struct kpi_names *names, const char *text, struct okno_err *err)
{
    int rc = grow(names, err);
    char *copy = rc == 0 ? strdup(text) : NULL;
    if (rc == 0 && !copy)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the names");
    if (rc < 0)
        return rc;
    names->text[names->count] = copy;
    place(names, (uint32_t)names->count++);
    return 0;
}

int kpi_names_id(struct kpi_names *names, const char *text, int32_t *ret_id, struct okno_err *err)
{
    int rc = names->count == 0 ? add(names, "", err) : 0;
    if (rc < 0)
        return rc;
    if (!text || !*text) {
        *ret_id = 0;
        return 0;
    }
    size_t at = hash_of(text) & (names->slot_count - 1);
    for (; names->slots[at]; at = (at + 1) & (names->slot_count - 1)) {
        if (strcmp(names->text[names->slots[at] - 1], text) == 0) {
            *ret_id = (int32_t)(names->slots[at] - 1);
            return 0;
        }
    }
    rc = add(names, text, err);
    if (rc == 0)
        *ret_id = (int32_t)(names->count - 1);
    return rc;
}

void kpi_names_free(struct kpi_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->text[i]);
    free(names->text);
    free(names->slots);
    *names = (struct kpi_names){0};
}
