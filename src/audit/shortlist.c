#define _POSIX_C_SOURCE 200809L
#include "okno/shortlist.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The greatest ticket is on top of the heap: it is the one to go. ids[i] has tickets[i]. */
struct okno_shortlist {
    struct okno_sampler sampler;
    size_t most, expected;
    size_t added;
    size_t count, room;                /* of the heap */
    char **ids;                        /* owned, and each text */
    char (*tickets)[OKNO_TICKET_TEXT]; /* owned */
    uint64_t *prints;                  /* a hash table with open addresses; 0: free; owned */
    size_t slots;                      /* a power of two */
};

void okno_shortlist_free(struct okno_shortlist *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->ids[i]);
    free(list->ids);
    free(list->tickets);
    free(list->prints);
    free(list);
}

/* At least a quarter stays free, so that a search is short. */
static size_t slots_for(size_t ids)
{
    size_t slots = 64;
    while (slots / 4 * 3 < ids)
        slots *= 2;
    return slots;
}

int okno_shortlist_new(const char *seed, size_t most, size_t expected,
                       struct okno_shortlist **ret_list, struct okno_err *err)
{
    if (expected > OKNO_SHORTLIST_IDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "%zu ids, at most %d are allowed", expected,
                         OKNO_SHORTLIST_IDS_MAX);
    OKNO_AUTO(okno_shortlist) *list = calloc(1, sizeof(*list));
    if (list) {
        list->most = most < expected ? most : expected;
        list->expected = expected;
        list->slots = slots_for(expected);
        list->prints = calloc(list->slots, sizeof(*list->prints));
    }
    if (!list || !list->prints)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu ids", expected);
    okno_sampler_start(&list->sampler, seed);
    *ret_list = okno_mem_take(&list);
    return 0;
}

/* --- has it been there? ----------------------------------------------------------------------- */

/* The ticket's digits are as good as a hash: 18 of them, read as a number, and never 0. */
static uint64_t print_of(const char *ticket)
{
    uint64_t print = 0;
    for (size_t i = 2; i < 20; i++)
        print = print * 10 + (uint64_t)(ticket[i] - '0');
    return print + 1;
}

static bool print_add(struct okno_shortlist *list, uint64_t print)
{
    size_t at = (size_t)(print * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (list->slots - 1);
    while (list->prints[at] && list->prints[at] != print)
        at = (at + 1) & (list->slots - 1);
    bool there = list->prints[at] == print;
    list->prints[at] = print;
    return there;
}

/* --- the heap --------------------------------------------------------------------------------- */

static bool is_greater(const struct okno_shortlist *list, size_t a, size_t b)
{
    int order = strcmp(list->tickets[a], list->tickets[b]);
    return order ? order > 0 : strcmp(list->ids[a], list->ids[b]) > 0;
}

static void swap(struct okno_shortlist *list, size_t a, size_t b)
{
    char ticket[OKNO_TICKET_TEXT];
    char *id = list->ids[a];
    list->ids[a] = list->ids[b];
    list->ids[b] = id;
    memcpy(ticket, list->tickets[a], sizeof(ticket));
    memcpy(list->tickets[a], list->tickets[b], sizeof(ticket));
    memcpy(list->tickets[b], ticket, sizeof(ticket));
}

static void rise(struct okno_shortlist *list, size_t at)
{
    for (size_t parent; at > 0 && is_greater(list, at, parent = (at - 1) / 2); at = parent)
        swap(list, at, parent);
}

static void sink(struct okno_shortlist *list)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < list->count; at = child) {
        if (child + 1 < list->count && is_greater(list, child + 1, child))
            child++;
        if (!is_greater(list, child, at))
            return;
        swap(list, at, child);
    }
}

static int grow(struct okno_shortlist *list)
{
    size_t room = list->room ? list->room * 2 : 256;
    room = room < list->most ? room : list->most;
    char **ids = realloc(list->ids, room * sizeof(*ids));
    if (ids)
        list->ids = ids;
    void *tickets = realloc(list->tickets, room * sizeof(*list->tickets));
    if (tickets)
        list->tickets = tickets;
    if (!ids || !tickets)
        return OKNO_NO_MEMORY;
    list->room = room;
    return 0;
}

static void put(struct okno_shortlist *list, size_t at, char *id, const char *ticket)
{
    list->ids[at] = id;
    memcpy(list->tickets[at], ticket, strlen(ticket) + 1);
}

/* Keep it if it is among the smallest so far. */
static int consider(struct okno_shortlist *list, const char *id, const char *ticket)
{
    bool full = list->count == list->most;
    if (list->most == 0 || (full && strcmp(ticket, list->tickets[0]) > 0))
        return 0;
    if (!full && list->count == list->room && grow(list) < 0)
        return OKNO_NO_MEMORY;
    char *copy = strdup(id);
    if (!copy)
        return OKNO_NO_MEMORY;
    if (!full) {
        put(list, list->count++, copy, ticket);
        rise(list, list->count - 1);
    } else if (strcmp(ticket, list->tickets[0]) < 0 || strcmp(id, list->ids[0]) < 0) {
        free(list->ids[0]);
        put(list, 0, copy, ticket);
        sink(list);
    } else {
        free(copy);
    }
    return 0;
}

int okno_shortlist_add(struct okno_shortlist *list, const char *id, struct okno_err *err)
{
    char ticket[OKNO_TICKET_TEXT];
    if (list->added == list->expected)
        return okno_fail(err, OKNO_INVALID, "more ids than the %zu that were expected",
                         list->expected);
    list->added++;
    (void)okno_sampler_ticket(&list->sampler, id, ticket);
    if (consider(list, id, ticket) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu ids", list->count + 1);
    return print_add(list, print_of(ticket));
}

const char *const *okno_shortlist_ids(const struct okno_shortlist *list, size_t *ret_count)
{
    *ret_count = list->count;
    return (const char *const *)list->ids;
}
