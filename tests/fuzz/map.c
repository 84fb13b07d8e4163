/* A map, and behind a line `---` a table for it. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "../../src/registry/map.h"
#include "okno/text.h"

#include <string.h>

static const struct okno_import_kind *find_kind(const char *map)
{
    size_t count;
    const struct okno_import_kind *kinds = okno_registry_kinds(&count);
    const char *name = strstr(map, "transactions") ? "transactions" : "counts";
    for (size_t i = 0; i < count; i++)
        if (strcmp(kinds[i].kind, name) == 0)
            return &kinds[i];
    fuzz_broken(__FILE__, __LINE__, "the kind is there");
}

static void check_row(const struct okno_import_kind *kind, const struct okno_record *record)
{
    for (size_t i = 0; i < kind->field_count && !record->err.code; i++) {
        struct okno_value value;
        struct okno_err why = {0};
        const char *text = record->values[i];
        FUZZ_HOLDS(!text || okno_text_is_utf8(text, strlen(text)));
        int rc = okno_field_check(&kind->fields[i], NULL, text, &value, &why);
        FUZZ_HOLDS((rc < 0) == (why.code != 0));
    }
}

static void read_table(struct okno_map *map, const struct okno_import_kind *kind,
                       const uint8_t *data, size_t size)
{
    char path[64];
    struct okno_err err = {0};
    struct okno_record record;
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    okno_autoclose int fd = fuzz_file(data, size, path);
    (void)fd; /* open while it is read */
    if (okno_record_open_table(path, &map->format, &reader, &err) < 0 ||
        map_start(map, NULL, reader, &err) < 0)
        return;
    int rc;
    while ((rc = map_next(map, &record, &err)) == 1)
        check_row(kind, &record);
    FUZZ_HOLDS(rc == 0);
}

void fuzz_map(const uint8_t *data, size_t size)
{
    static const char border[] = "\n---\n";
    const uint8_t *at = memmem(data, size, border, sizeof(border) - 1);
    size_t map_size = at ? (size_t)(at - data) : size;
    okno_autofree char *text = fuzz_text(data, map_size);
    const struct okno_import_kind *kind = find_kind(text);
    OKNO_AUTO(okno_map) *map = NULL;
    struct okno_err err = {0};
    int rc = okno_map_parse("fuzz.conf", text, kind, &map, &err);
    FUZZ_HOLDS(rc == 0 ? map != NULL : map == NULL && err.code == rc && *err.text);
    if (map && at)
        read_table(map, kind, at + sizeof(border) - 1, size - map_size - (sizeof(border) - 1));
}
