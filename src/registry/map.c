/* A map as a thing: made, checked, freed. */
#define _POSIX_C_SOURCE 200809L
#include "map.h"

#include "okno/buf.h"
#include "okno/file.h"

#include <string.h>

/* ---- whether it makes sense ---- */

static bool makes(const struct okno_map *map, const char *name)
{
    for (size_t i = 0; i < map->kind->field_count; i++)
        if (strcmp(map->kind->fields[i].name, name) == 0)
            return map->fields[i].field != NULL;
    return false;
}

static int check_field(const struct okno_map *map, const struct map_field *made,
                       const struct okno_field *field, struct okno_err *err)
{
    if (!made->field)
        return field->required || (field->unless && !makes(map, field->unless))
                   ? okno_fail(err, OKNO_CONFIG, "%s: field %s of %s is required and not made",
                               map->path, field->name, map->kind->kind)
                   : 0;
    if (!made->constant == !made->column_count)
        return okno_fail(err, OKNO_CONFIG,
                         "%s:%d: field %s needs a column, columns%s or a constant", map->path,
                         made->line, field->name, field->type == OKNO_FIELD_INT ? ", a sum" : "");
    bool local = made->format && !strstr(made->format, "%z") && !strstr(made->format, "%s");
    if (local && !map->time_zone && !makes(map, "point") && !makes(map, "site") &&
        !makes(map, "scope"))
        return okno_fail(err, OKNO_CONFIG,
                         "%s:%d: field %s has local times, and rows of %s name no site: set "
                         "time_zone",
                         map->path, made->line, field->name, map->kind->kind);
    return 0;
}

static int check_columns(const struct okno_map *map, const struct map_field *made,
                         struct okno_err *err)
{
    for (size_t i = 0; i < made->column_count; i++)
        if (!map->format.header && made->columns[i].name[0] != '#')
            return okno_fail(err, OKNO_CONFIG,
                             "%s:%d: without a header columns have numbers, such as \"#3\"",
                             map->path, made->line);
    return 0;
}

static int check_filter(const struct okno_map *map, const struct map_filter *filter,
                        struct okno_err *err)
{
    bool header = map->format.header || (filter->column.name && filter->column.name[0] == '#');
    if (!filter->column.name || !header)
        return okno_fail(err, OKNO_CONFIG, "%s:%d: %s \"%s\" needs a column%s", map->path,
                         filter->line, filter->only ? "only" : "skip", filter->name,
                         filter->column.name ? " number such as \"#3\": there is no header" : "");
    if (!filter->empty && filter->equals.len == 0 && filter->contains.len == 0)
        return okno_fail(err, OKNO_CONFIG,
                         "%s:%d: %s \"%s\" needs equals, contains or empty = true", map->path,
                         filter->line, filter->only ? "only" : "skip", filter->name);
    return 0;
}

static int check(const struct okno_map *map, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < map->kind->field_count; i++) {
        rc = check_field(map, &map->fields[i], &map->kind->fields[i], err);
        if (rc == 0)
            rc = check_columns(map, &map->fields[i], err);
    }
    for (size_t i = 0; rc == 0 && i < map->filter_count; i++)
        rc = check_filter(map, &map->filters[i], err);
    return rc;
}

/* ---- loading and freeing ---- */

static struct okno_map *new_map(const char *path, const struct okno_import_kind *kind)
{
    struct okno_map *map = calloc(1, sizeof(*map));
    if (!map)
        return NULL;
    map->kind = kind;
    map->format.delimiter = ',';
    map->format.header = true;
    map->decimal = '.';
    map->path = strdup(path);
    if (!map->path) {
        okno_map_free(map);
        return NULL;
    }
    return map;
}

int okno_map_parse(const char *path, const char *text, const struct okno_import_kind *kind,
                   struct okno_map **ret_map, struct okno_err *err)
{
    OKNO_AUTO(okno_map) *map = new_map(path, kind);
    struct okno_err first = {0};
    if (!map)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", path);
    int rc = map_read(map, text, &first);
    if (rc == 0)
        rc = check(map, &first);
    if (rc < 0)
        return okno_fail(err, rc, "%s", first.text);
    map->format.encoding = map->encoding;
    *ret_map = okno_mem_take(&map);
    return 0;
}

int okno_map_load(const char *path, const struct okno_import_kind *kind, struct okno_map **ret_map,
                  struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(MAP_FILE_BYTES_MAX);
    struct okno_err why = {0};
    if (okno_file_read(path, &text, &why) < 0)
        return okno_fail(err, OKNO_CONFIG, "the map: %s", why.text);
    if (memchr(okno_buf_text(&text), '\0', text.len))
        return okno_fail(err, OKNO_CONFIG, "%s: a NUL byte: this is no map", path);
    return okno_map_parse(path, okno_buf_text(&text), kind, ret_map, err);
}

static void free_texts(struct map_text_vec *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        free(texts->items[i]);
    map_text_vec_free(texts);
}

static void free_field(struct map_field *field)
{
    for (size_t i = 0; i < field->column_count; i++)
        free(field->columns[i].name);
    for (size_t i = 0; i < field->values.len; i++)
        free(field->values.items[i].from);
    map_pair_vec_free(&field->values);
    free(field->constant);
    free(field->join);
    free(field->prefix);
    free(field->otherwise);
    free(field->format);
}

void okno_map_free(struct okno_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < OKNO_COUNT(map->fields); i++)
        free_field(&map->fields[i]);
    for (size_t i = 0; i < map->filter_count; i++) {
        free(map->filters[i].name);
        free(map->filters[i].column.name);
        free_texts(&map->filters[i].equals);
        free_texts(&map->filters[i].contains);
    }
    for (size_t i = 0; i < map->zones.len; i++)
        okno_zone_close(map->zones.items[i].zone);
    map_zone_vec_free(&map->zones);
    map_place_vec_free(&map->places);
    free(map->time_zone);
    free(map->encoding);
    free(map->path);
    free(map);
}
