#define _POSIX_C_SOURCE 200809L
#include "okno/sampler.h"

#include "okno/hash.h"
#include "okno/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A 256-bit number has at most 78 decimal digits; ten divisions by 10^9 give 90. */
enum { LIMBS = 8, CHUNK_DIGITS = 9, CHUNKS = 10, DIGITS_MIN = 64 };
#define CHUNK UINT64_C(1000000000)

static void read_limbs(const uint8_t digest[OKNO_SHA256_BYTES], uint32_t limbs[LIMBS])
{
    for (size_t i = 0; i < LIMBS; i++, digest += 4)
        limbs[i] = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                   (uint32_t)digest[2] << 8 | digest[3];
}

/* Divide the number, most significant limb first, by 10^9 in place; returns the remainder. */
static uint32_t divide(uint32_t limbs[LIMBS])
{
    uint64_t rest = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t part = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(part / CHUNK);
        rest = part % CHUNK;
    }
    return (uint32_t)rest;
}

/* The decimal digits of a digest, the last digit first, filled up to 64 with zeros. Returns the
 * number of digits; a NUL follows them. */
static size_t reverse_decimal(const uint8_t digest[OKNO_SHA256_BYTES], char *digits)
{
    uint32_t limbs[LIMBS];
    char all[CHUNKS * CHUNK_DIGITS] = {0};
    read_limbs(digest, limbs);
    for (size_t at = 0; at < sizeof(all); at += CHUNK_DIGITS) {
        uint32_t part = divide(limbs);
        for (size_t i = 0; i < CHUNK_DIGITS; i++, part /= 10)
            all[at + i] = (char)('0' + part % 10);
    }
    size_t len = sizeof(all);
    while (len > DIGITS_MIN && all[len - 1] == '0')
        len--;
    memcpy(digits, all, len);
    digits[len] = '\0';
    return len;
}

static const char *ticket_of(struct okno_hash *hash, char ret_ticket[OKNO_TICKET_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_end(hash, digest);
    ret_ticket[0] = '0';
    ret_ticket[1] = '.';
    (void)reverse_decimal(digest, ret_ticket + 2);
    return ret_ticket;
}

void okno_sampler_start(struct okno_sampler *sampler, const char *seed)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(seed, strlen(seed), digest);
    (void)okno_hash_hex(digest, sampler->seed_hash);
    okno_hash_start(&sampler->begun);
    okno_hash_add(&sampler->begun, sampler->seed_hash, strlen(sampler->seed_hash));
}

const char *okno_sampler_ticket(const struct okno_sampler *sampler, const char *id,
                                char ret_ticket[OKNO_TICKET_TEXT])
{
    struct okno_hash hash = sampler->begun;
    okno_hash_add(&hash, id, strlen(id));
    return ticket_of(&hash, ret_ticket);
}

const char *okno_sampler_uniform(const char *text, char ret_ticket[OKNO_TICKET_TEXT])
{
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, text, strlen(text));
    return ticket_of(&hash, ret_ticket);
}

/* Place of the first character after "0." that is not a nine; the NUL when all are. */
static size_t after_nines(const char *ticket)
{
    return 2 + strspn(ticket + 2, "9");
}

/* The digits of SHA-256(ticket ":" turn). */
static void next_digits(const char *ticket, unsigned long turn, char *digits)
{
    char suffix[32];
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    (void)snprintf(suffix, sizeof(suffix), ":%lu", turn);
    okno_hash_start(&hash);
    okno_hash_add(&hash, ticket, strlen(ticket));
    okno_hash_add(&hash, suffix, strlen(suffix));
    okno_hash_end(&hash, digest);
    (void)reverse_decimal(digest, digits);
}

int okno_sampler_next(const char *ticket, char **ret_next, struct okno_err *err)
{
    size_t len = strlen(ticket);
    if (len < 3 || strncmp(ticket, "0.", 2) != 0)
        return okno_fail(err, OKNO_INVALID, "`%s` is not a ticket: it has to start with 0.",
                         ticket);
    okno_autofree char *floor = malloc(len + 2);
    okno_autofree char *next = malloc(len + OKNO_TICKET_TEXT);
    if (!floor || !next)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a ticket of %zu bytes", len);
    memcpy(floor, ticket, len);
    memcpy(floor + len, "0", 2);
    size_t kept = after_nines(floor);
    memcpy(next, floor, kept);
    /* Each turn succeeds with a chance of at least one in ten: the digit after the nines is free.
     */
    for (unsigned long turn = 1; turn == 1 || strcmp(next, floor) <= 0; turn++)
        next_digits(ticket, turn, next + kept);
    *ret_next = okno_mem_take(&next);
    return 0;
}

const char *okno_sampler_short(const char *ticket, size_t digits, char *ret_text, size_t size)
{
    size_t len = strlen(ticket);
    size_t want = len < 2 ? len : after_nines(ticket) + digits;
    if (want > len)
        want = len;
    if (want >= size)
        want = size - 1;
    memcpy(ret_text, ticket, want);
    ret_text[want] = '\0';
    return ret_text;
}

void okno_draws_free(struct okno_draw_vec *draws)
{
    for (size_t i = 0; i < draws->len; i++)
        free(draws->items[i].ticket);
    okno_draw_vec_free(draws);
}

/* An id on its way through the draw. The ticket is `text`, or `first` while that is NULL. */
struct entry {
    const char *id;
    size_t index;
    size_t generation;
    char *text; /* owned; a ticket of a later generation */
    char first[OKNO_TICKET_TEXT];
};

struct entries {
    struct entry *items;  /* owned */
    struct entry **order; /* owned; sorted, later a heap */
    size_t count;
};

static void entries_free(struct entries *entries)
{
    for (size_t i = 0; entries->items && i < entries->count; i++)
        free(entries->items[i].text);
    free(entries->items);
    free(entries->order);
}

static const char *ticket_text(const struct entry *entry)
{
    return entry->text ? entry->text : entry->first;
}

static int compare(const struct entry *a, const struct entry *b)
{
    int order = strcmp(ticket_text(a), ticket_text(b));
    return order ? order : strcmp(a->id, b->id);
}

static int compare_at(const void *a, const void *b)
{
    return compare(*(const struct entry *const *)a, *(const struct entry *const *)b);
}

static int check_id(const char *id, size_t number, struct okno_err *err)
{
    size_t len = strlen(id);
    if (len == 0)
        return okno_fail(err, OKNO_INVALID, "id %zu is empty", number);
    if (len > OKNO_SAMPLER_ID_BYTES)
        return okno_fail(err, OKNO_INVALID, "id %zu has %zu bytes, at most %d are allowed", number,
                         len, OKNO_SAMPLER_ID_BYTES);
    if (strpbrk(id, "\r\n"))
        return okno_fail(err, OKNO_INVALID, "id %zu holds a line break (CR or LF)", number);
    return 0;
}

static int check_request(const struct okno_draw_request *request, struct okno_err *err)
{
    if (request->count > OKNO_SAMPLER_IDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "%zu ids, at most %d are allowed", request->count,
                         OKNO_SAMPLER_IDS_MAX);
    if (request->size > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "size", "size %zu, at most %d is allowed",
                               request->size, OKNO_SAMPLER_DRAW_MAX);
    if (request->with_replacement && request->skip)
        return okno_fail_field(err, OKNO_INVALID, "skip",
                               "with replacement nothing is skipped: draw more instead");
    for (size_t i = 0; i < request->count; i++) {
        int rc = check_id(request->ids[i], i + 1, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The same id gives the same ticket, so in the order duplicates are neighbours. */
static int check_distinct(const struct entries *entries, struct okno_err *err)
{
    for (size_t i = 1; i < entries->count; i++) {
        const struct entry *a = entries->order[i - 1];
        const struct entry *b = entries->order[i];
        if (strcmp(a->id, b->id) == 0)
            return okno_fail(err, OKNO_INVALID, "id `%.200s` stands twice: entries %zu and %zu",
                             a->id, (a->index < b->index ? a : b)->index + 1,
                             (a->index < b->index ? b : a)->index + 1);
    }
    return 0;
}

static int fill_entries(const struct okno_draw_request *request, struct entries *entries,
                        struct okno_err *err)
{
    struct okno_sampler sampler;
    okno_sampler_start(&sampler, request->seed);
    entries->items = calloc(request->count + 1, sizeof(*entries->items));
    entries->order = calloc(request->count + 1, sizeof(*entries->order));
    if (!entries->items || !entries->order)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu ids", request->count);
    entries->count = request->count;
    for (size_t i = 0; i < request->count; i++) {
        struct entry *entry = &entries->items[i];
        *entry = (struct entry){.id = request->ids[i], .index = i, .generation = 1};
        (void)okno_sampler_ticket(&sampler, entry->id, entry->first);
        entries->order[i] = entry;
    }
    qsort(entries->order, entries->count, sizeof(*entries->order), compare_at);
    return check_distinct(entries, err);
}

static int add_draw(const struct entry *entry, size_t rank, struct okno_draw_vec *draws,
                    struct okno_err *err)
{
    struct okno_draw draw = {.index = entry->index, .rank = rank, .generation = entry->generation};
    draw.ticket = strdup(ticket_text(entry));
    if (draw.ticket && okno_draw_vec_push(draws, draw) == 0)
        return 0;
    free(draw.ticket);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu draws", draws->len + 1);
}

static int take_first(const struct okno_draw_request *request, const struct entries *entries,
                      struct okno_draw_vec *draws, struct okno_err *err)
{
    size_t left = request->count;
    for (size_t i = 0; request->skip && i < request->count; i++)
        left -= request->skip[i];
    if (request->size > left)
        return okno_fail_field(
            err, OKNO_INVALID, "size",
            "cannot draw %zu without replacement: only %zu ids are there to draw", request->size,
            left);
    int rc = 0;
    for (size_t i = 0; rc == 0 && draws->len < request->size; i++)
        if (!request->skip || !request->skip[entries->order[i]->index])
            rc = add_draw(entries->order[i], i + 1, draws, err);
    return rc;
}

/* The first entry got a greater ticket: let it sink to its place. A sorted array is a heap. */
static void sink_first(struct entries *entries)
{
    struct entry **heap = entries->order;
    for (size_t at = 0, child; (child = 2 * at + 1) < entries->count; at = child) {
        if (child + 1 < entries->count && compare(heap[child + 1], heap[child]) < 0)
            child++;
        if (compare(heap[at], heap[child]) < 0)
            return;
        struct entry *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

static int take_with_replacement(const struct okno_draw_request *request, struct entries *entries,
                                 struct okno_draw_vec *draws, struct okno_err *err)
{
    if (request->size > 0 && request->count == 0)
        return okno_fail(err, OKNO_INVALID, "there is no id to draw");
    for (size_t rank = 1; rank <= request->size; rank++) {
        struct entry *first = entries->order[0];
        char *next = NULL;
        int rc = add_draw(first, rank, draws, err);
        if (rc == 0)
            rc = okno_sampler_next(ticket_text(first), &next, err);
        if (rc < 0)
            return rc;
        free(first->text);
        first->text = next;
        first->generation++;
        sink_first(entries);
    }
    return 0;
}

int okno_sampler_draw(const struct okno_draw_request *request, struct okno_draw_vec *ret_draws,
                      struct okno_err *err)
{
    __attribute__((cleanup(entries_free))) struct entries entries = {0};
    OKNO_AUTO_DRAWS draws = {0};
    int rc = check_request(request, err);
    if (rc == 0)
        rc = fill_entries(request, &entries, err);
    if (rc == 0)
        rc = request->with_replacement ? take_with_replacement(request, &entries, &draws, err)
                                       : take_first(request, &entries, &draws, err);
    if (rc < 0)
        return rc;
    *ret_draws = draws;
    draws = (struct okno_draw_vec){0};
    return 0;
}
