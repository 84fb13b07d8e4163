/* JSON beside jansson: the house's spellings of times and of canonical text. */
#ifndef OKNO_JSON_H
#define OKNO_JSON_H

#include "okno/err.h"

#include <jansson.h>
#include <stdint.h>

static inline void okno_json_decref_at(json_t **at)
{
    json_decref(*at);
}
/* `okno_autojson json_t *object = NULL;` drops its reference at scope end. */
#define okno_autojson __attribute__((cleanup(okno_json_decref_at)))

/* A new string "2026-03-10T14:03:20.123Z". */
json_t *okno_json_time(int64_t us);

/* A new string, or null for NULL. Text that is not UTF-8 becomes null. */
json_t *okno_json_text(const char *text);

/* Sorted keys, no spaces, one line: the spelling that is hashed and logged. The caller frees
 * *ret_text. */
OKNO_CHECK int okno_json_canonical(const json_t *json, char **ret_text, struct okno_err *err);

/* Make every text in `json` (NULL: nothing to do), not its keys, harmless on a terminal, in place,
 * as okno_text_calm() does: before what strangers wrote is printed for people. */
OKNO_CHECK int okno_json_calm(json_t *json, struct okno_err *err);

/* One line of JSON Lines to a stream. */
OKNO_CHECK int okno_json_print(const json_t *json, FILE *to, struct okno_err *err);

/* What a text of JSON takes in memory once it is read: up to a hundred times its size, so that it
 * is weighed before. Also counts what stands in strings, so never too little. */
struct okno_json_weight {
    size_t containers; /* arrays and objects */
    size_t values;     /* commas: all values but each container's first */
};
/* Adds to *weight. Pure. */
void okno_json_weigh(const char *text, size_t len, struct okno_json_weight *weight);

#endif
