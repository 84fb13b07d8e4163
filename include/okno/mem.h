/* Ownership by scope: variables that clean up after themselves.
 *
 *     okno_autofree char *text = NULL;
 *     OKNO_AUTO(okno_db) *db = NULL;      (after OKNO_CLEANUP(okno_db, okno_db_close))
 *
 * Destructors accept NULL and half-built objects. */
#ifndef OKNO_MEM_H
#define OKNO_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void okno_mem_free_at(void *at)
{
    free(*(void **)at);
}

static inline void okno_mem_close_at(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void okno_mem_fclose_at(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

/* Declare the scope cleanup of `struct tag`, destroyed by `destroy(struct tag *)`. */
#define OKNO_CLEANUP(tag, destroy)                                                                 \
    static inline void tag##_cleanup_at(struct tag **at)                                           \
    {                                                                                              \
        destroy(*at);                                                                              \
    }                                                                                              \
    struct tag

#define OKNO_AUTO(tag) __attribute__((cleanup(tag##_cleanup_at))) struct tag
#define okno_autofree __attribute__((cleanup(okno_mem_free_at)))
#define okno_autoclose __attribute__((cleanup(okno_mem_close_at)))
#define okno_autofclose __attribute__((cleanup(okno_mem_fclose_at)))

#define OKNO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Hand ownership out of a cleanup variable. */
static inline void *okno_mem_take(void *at)
{
    void *taken = *(void **)at;
    *(void **)at = NULL;
    return taken;
}

/* The same for a descriptor. */
static inline int okno_mem_take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
