/* Typed growing arrays.
 *
 *     OKNO_VEC(event_vec, struct okno_event);
 *     OKNO_AUTO_VEC(event_vec) events = {0};
 *     if (event_vec_push(&events, event) < 0) ...
 *
 * Push returns OKNO_NO_MEMORY or 0; a vector never shrinks until freed. */
#ifndef OKNO_VEC_H
#define OKNO_VEC_H

#include "okno/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define OKNO_VEC(name, type)                                                                       \
    struct name {                                                                                  \
        type *items;                                                                               \
        size_t len;                                                                                \
        size_t cap;                                                                                \
    };                                                                                             \
    OKNO_CHECK static inline int name##_push(struct name *vec, type item)                          \
    {                                                                                              \
        if (vec->len == vec->cap) {                                                                \
            size_t cap = vec->cap ? vec->cap * 2 : 16;                                             \
            type *items = cap > SIZE_MAX / 2 / sizeof(type)                                        \
                              ? NULL                                                               \
                              : (type *)realloc(vec->items, cap * sizeof(type));                   \
            if (!items)                                                                            \
                return OKNO_NO_MEMORY;                                                             \
            vec->items = items;                                                                    \
            vec->cap = cap;                                                                        \
        }                                                                                          \
        vec->items[vec->len++] = item;                                                             \
        return 0;                                                                                  \
    }                                                                                              \
    __attribute__((unused)) static inline void name##_free(struct name *vec)                       \
    {                                                                                              \
        free(vec->items);                                                                          \
        *vec = (struct name){0};                                                                   \
    }                                                                                              \
    struct name

#define OKNO_AUTO_VEC(name) __attribute__((cleanup(name##_free))) struct name

#endif
