/* Rows through a map. */
#define _POSIX_C_SOURCE 200809L
#include "map.h"

#include "okno/registry.h"
#include "okno/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- calendars ---- */

static int find_zone(struct okno_map *map, const char *name, const struct okno_zone **ret_zone,
                     struct okno_err *err)
{
    struct map_zone zone = {0};
    for (size_t i = 0; i < map->zones.len; i++) {
        if (strcmp(map->zones.items[i].name, name) == 0) {
            *ret_zone = map->zones.items[i].zone;
            return 0;
        }
    }
    (void)snprintf(zone.name, sizeof(zone.name), "%s", name);
    int rc = okno_zone_open(name, &zone.zone, err);
    if (rc < 0)
        return rc;
    if (map_zone_vec_push(&map->zones, zone) < 0) {
        okno_zone_close(zone.zone);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a map");
    }
    *ret_zone = zone.zone;
    return 0;
}

static int add_place(struct okno_map *map, const char *kind, const char *id, const char *zone,
                     struct okno_err *err)
{
    struct map_place place = {0};
    (void)snprintf(place.id, sizeof(place.id), "%s:%s", kind, id);
    int rc = find_zone(map, zone, &place.zone, err);
    if (rc == 0 && map_place_vec_push(&map->places, place) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a map");
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct map_place *)a)->id, ((const struct map_place *)b)->id);
}

static int load_places(struct okno_map *map, struct okno_db *db, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_site_vec) sites = {0};
    OKNO_AUTO_VEC(okno_point_vec) points = {0};
    int rc = okno_registry_sites(db, &sites, err);
    if (rc == 0)
        rc = okno_registry_points(db, &points, err);
    for (size_t i = 0; rc == 0 && i < sites.len; i++)
        rc = add_place(map, "site", sites.items[i].site, sites.items[i].time_zone, err);
    for (size_t i = 0; rc == 0 && i < points.len; i++)
        rc = add_place(map, "point", points.items[i].point, points.items[i].site.time_zone, err);
    if (rc == 0 && map->places.len)
        qsort(map->places.items, map->places.len, sizeof(*map->places.items), by_id);
    return rc;
}

/* ---- columns ---- */

static int find_column(const struct okno_map *map, int line, struct map_column *column,
                       struct okno_err *err)
{
    char there[200] = "";
    size_t used = 0;
    size_t count = 0;
    char *const *header = okno_record_header(map->reader, &count);
    long number = column->name[0] == '#' ? strtol(column->name + 1, NULL, 10) : 0;
    if (number > 0 && number <= OKNO_RECORD_FIELDS_MAX) {
        column->place = (int)number - 1;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        char shown[OKNO_TEXT_SHOWN];
        size_t blank = strspn(header[i], " ");
        size_t len = strlen(column->name);
        if (strncmp(header[i] + blank, column->name, len) == 0 &&
            strspn(header[i] + blank + len, " ") == strlen(header[i] + blank + len)) {
            column->place = (int)i;
            return 0;
        }
        if (used < sizeof(there))
            used += (size_t)snprintf(there + used, sizeof(there) - used, "%s\"%s\"",
                                     used ? ", " : "", okno_text_show(header[i], shown));
    }
    return okno_fail(err, OKNO_UNKNOWN_FIELD, "there is no column \"%.60s\" (%s:%d); there are %s",
                     column->name, map->path, line, there);
}

int map_start(struct okno_map *map, struct okno_db *db, struct okno_record_reader *reader,
              struct okno_err *err)
{
    const struct okno_zone *ignored;
    int rc = 0;
    map->reader = reader;
    map->skipped = 0;
    if (map->time_zone)
        rc = find_zone(map, map->time_zone, &ignored, err);
    else if (map->places.len == 0 && db)
        rc = load_places(map, db, err);
    for (size_t i = 0; rc == 0 && i < map->kind->field_count; i++)
        for (size_t j = 0; rc == 0 && j < map->fields[i].column_count; j++)
            rc = find_column(map, map->fields[i].line, &map->fields[i].columns[j], err);
    for (size_t i = 0; rc == 0 && i < map->filter_count; i++)
        rc = find_column(map, map->filters[i].line, &map->filters[i].column, err);
    return rc;
}

/* ---- texts ---- */

static const char nbsp[] = "\xc2\xa0"; /* no-break space */
static const char narrow[] = "\xe2\x80\xaf";

/* Bytes of the blank at `at`, 0: none. */
static size_t blank_len(const char *at)
{
    if (*at == ' ' || *at == '\t')
        return 1;
    if (strncmp(at, nbsp, 2) == 0)
        return 2;
    return strncmp(at, narrow, 3) == 0 ? 3 : 0;
}

/* Bytes of the blank that ends at from + len, 0: none. */
static size_t blank_before(const char *from, size_t len)
{
    for (size_t n = 1; n <= 3 && n <= len; n++)
        if (blank_len(from + len - n) == n)
            return n;
    return 0;
}

/* Texts of a row are made one after another at the end of map->text: begin, put, end. */
static char *begin(struct okno_map *map)
{
    char *text = map->text + map->text_used;
    *text = '\0';
    return text;
}

/* False: no room. */
static bool put(struct okno_map *map, const char *bytes, size_t len)
{
    if (len >= MAP_TEXT_BYTES - 1 - map->text_used)
        return false;
    memcpy(map->text + map->text_used, bytes, len);
    map->text_used += len;
    map->text[map->text_used] = '\0';
    return true;
}

static void end(struct okno_map *map)
{
    map->text_used += map->text_used < MAP_TEXT_BYTES - 1;
}

/* The row's text in that column without blanks around it; nothing beyond the row's end. */
static bool put_cell(struct okno_map *map, const struct okno_record_row *row,
                     const struct map_column *column)
{
    const char *from = (size_t)column->place < row->count ? row->fields[column->place] : "";
    for (size_t blank; (blank = blank_len(from)) > 0;)
        from += blank;
    size_t len = strlen(from);
    for (size_t blank; (blank = blank_before(from, len)) > 0;)
        len -= blank;
    return put(map, from, len);
}

/* A number as people write it into one as we do: groups of three digits and the decimal sign. In
 * place; what is no such number stays, and is refused as it is. */
static void plain_number(const struct okno_map *map, bool whole, char *text)
{
    char group = map->decimal == ',' ? '.' : ',';
    char *to = text;
    bool fraction = false;
    for (const char *at = text; *at;) {
        size_t blank = blank_len(at);
        bool three = isdigit((unsigned char)at[1]) && isdigit((unsigned char)at[2]) &&
                     isdigit((unsigned char)at[3]) && !isdigit((unsigned char)at[4]);
        if (blank || *at == '\'') {
            at += blank ? blank : 1;
        } else if (*at == group && !fraction && to > text && three) {
            at++;
        } else if (*at == map->decimal) {
            fraction = true;
            *to++ = '.';
            at++;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
    char *dot = strchr(text, '.');
    if (dot && dot > text && dot[1] && dot[strspn(dot + 1, "0") + 1] == '\0' && whole)
        *dot = '\0'; /* 12,000 pieces are 12 */
}

/* What an id cannot have becomes _XXXX, the character's number. */
static bool put_escaped(struct okno_map *map, const char *text)
{
    bool room = true;
    for (const unsigned char *at = (const unsigned char *)text; room && *at;) {
        char code[16];
        uint32_t letter = *at++;
        int more = letter >= 0xf0 ? 3 : letter >= 0xe0 ? 2 : letter >= 0xc0 ? 1 : 0;
        letter &= more ? 0x3fU >> more : 0x7fU;
        for (; more && *at; more--)
            letter = letter << 6 | (*at++ & 0x3fU);
        if (letter < 0x80 && (isalnum((int)letter) || letter == '-'))
            (void)snprintf(code, sizeof(code), "%c", (int)letter);
        else
            (void)snprintf(code, sizeof(code), "_%04X", letter);
        room = put(map, code, strlen(code));
    }
    return room;
}

/* ---- one field ---- */

static int too_large(const struct map_field *made, struct okno_err *err)
{
    return okno_fail_field(err, OKNO_TOO_LARGE, made->field->name, "%s: too long",
                           made->field->name);
}

static int add_up(struct okno_map *map, const struct map_field *made,
                  const struct okno_record_row *row, const char **ret_text, struct okno_err *err)
{
    char sum_text[24];
    int64_t sum = 0;
    for (size_t i = 0; i < made->column_count; i++) {
        char *rest;
        char *one = begin(map);
        if (!put_cell(map, row, &made->columns[i]))
            return too_large(made, err);
        end(map);
        plain_number(map, true, one);
        errno = 0;
        long long number = strtoll(one, &rest, 10);
        if (*rest || errno || __builtin_add_overflow(sum, number, &sum))
            return okno_fail_field(err, OKNO_INVALID, made->field->name,
                                   "%s: \"%.40s\" in column \"%.60s\" is not a whole number",
                                   made->field->name, one, made->columns[i].name);
    }
    (void)snprintf(sum_text, sizeof(sum_text), "%lld", (long long)sum);
    *ret_text = begin(map);
    if (!put(map, sum_text, strlen(sum_text)))
        return too_large(made, err);
    end(map);
    return 0;
}

static int join_cells(struct okno_map *map, const struct map_field *made,
                      const struct okno_record_row *row, const char **ret_text,
                      struct okno_err *err)
{
    const char *join = made->join ? made->join : " ";
    bool room = true;
    *ret_text = begin(map);
    for (size_t i = 0; room && i < made->column_count; i++)
        room = (i == 0 || put(map, join, strlen(join))) && put_cell(map, row, &made->columns[i]);
    end(map);
    return room ? 0 : too_large(made, err);
}

static int translate(const struct map_field *made, const char **text, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    for (size_t i = 0; i < made->values.len; i++) {
        if (strcmp(made->values.items[i].from, *text) == 0) {
            *text = made->values.items[i].to;
            return 0;
        }
    }
    if (made->otherwise)
        *text = made->otherwise;
    if (made->values.len == 0 || made->otherwise || !**text)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, made->field->name,
                           "%s: \"%s\" does not stand among the map's values", made->field->name,
                           okno_text_show(*text, shown));
}

/* Escape, and put the prefix in front of what is not empty. */
static int dress(struct okno_map *map, const struct map_field *made, const char **text,
                 struct okno_err *err)
{
    if ((!made->escape && !made->prefix) || !**text)
        return 0;
    const char *bare = *text;
    const char *dressed = begin(map);
    bool room = !made->prefix || put(map, made->prefix, strlen(made->prefix));
    if (room)
        room = made->escape ? put_escaped(map, bare) : put(map, bare, strlen(bare));
    end(map);
    *text = dressed;
    return room ? 0 : too_large(made, err);
}

static int make_text(struct okno_map *map, const struct map_field *made,
                     const struct okno_record_row *row, const char **ret_text, struct okno_err *err)
{
    bool whole = made->field->type == OKNO_FIELD_INT;
    const char *text = made->constant;
    int rc = 0;
    if (made->sum)
        rc = add_up(map, made, row, &text, err);
    else if (made->column_count)
        rc = join_cells(map, made, row, &text, err);
    if (rc == 0)
        rc = translate(made, &text, err);
    if (rc == 0 && made->column_count && (whole || made->field->type == OKNO_FIELD_DECIMAL) &&
        text >= map->text && text < map->text + MAP_TEXT_BYTES)
        plain_number(map, whole, (char *)(uintptr_t)text);
    if (rc == 0)
        rc = dress(map, made, &text, err);
    if (rc == 0)
        *ret_text = text;
    return rc;
}

/* ---- times ---- */

static const char *value_of(const struct okno_map *map, const struct okno_record *record,
                            const char *name)
{
    for (size_t i = 0; i < map->kind->field_count; i++)
        if (strcmp(map->kind->fields[i].name, name) == 0)
            return record->values[i];
    return NULL;
}

/* The calendar of the row: the map's, or that of the site where the row happened. */
static int row_zone(const struct okno_map *map, const struct okno_record *record, const char *field,
                    const struct okno_zone **ret_zone, struct okno_err *err)
{
    struct map_place key = {0};
    const char *scope = value_of(map, record, "scope");
    const char *point = value_of(map, record, "point");
    const char *site = value_of(map, record, "site");
    if (map->time_zone) {
        *ret_zone = map->zones.items[0].zone;
        return 0;
    }
    (void)snprintf(key.id, sizeof(key.id), "%s%s",
                   scope   ? ""
                   : point ? "point:"
                           : "site:",
                   scope   ? scope
                   : point ? point
                   : site  ? site
                           : "");
    const struct map_place *place =
        map->places.len ? bsearch(&key, map->places.items, map->places.len, sizeof(key), by_id)
                        : NULL;
    if (!place)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, field,
                               "%s: no site's calendar is known for \"%.70s\": import it first, or "
                               "set time_zone in the map",
                               field, key.id);
    *ret_zone = place->zone;
    return 0;
}

static int to_utc(const struct okno_map *map, const struct okno_zone *zone,
                  const struct okno_civil *civil, const char *field, int64_t *ret_us,
                  struct okno_err *err)
{
    int64_t instants[2];
    int count = 0;
    okno_zone_to_utc(zone, civil, instants, &count);
    if (count == 0)
        return okno_fail_field(
            err, OKNO_INVALID, field,
            "%s: %02d:%02d did not exist there on %04d-%02d-%02d: the clocks were "
            "set forward",
            field, civil->hour, civil->minute, civil->year, civil->month, civil->day);
    if (count == 2 && map->twice == MAP_TWICE_REFUSE)
        return okno_fail_field(
            err, OKNO_INVALID, field,
            "%s: %02d:%02d happened twice there on %04d-%02d-%02d, when the "
            "clocks were set back: say twice = \"first\" or \"second\" in the map",
            field, civil->hour, civil->minute, civil->year, civil->month, civil->day);
    *ret_us = instants[count == 2 && map->twice == MAP_TWICE_SECOND];
    return 0;
}

static int instant_of(const struct okno_map *map, const struct map_field *made,
                      const struct okno_record *record, const char *text, int64_t *ret_us,
                      struct okno_err *err)
{
    const char *field = made->field->name;
    struct okno_scanned_time time;
    const struct okno_zone *zone = NULL;
    struct okno_err why = {0};
    int rc = okno_time_scan(made->format, text, &time, &why);
    if (rc < 0)
        return okno_fail_field(err, rc, field, "%s: %s", field, why.text);
    int64_t local_us = okno_time_from_civil(&time.civil) + made->add_days * OKNO_DAY_US;
    if (time.has_offset) {
        *ret_us = local_us - time.offset_us;
        return 0;
    }
    okno_time_to_civil(local_us, &time.civil);
    rc = row_zone(map, record, field, &zone, err);
    return rc < 0 ? rc : to_utc(map, zone, &time.civil, field, ret_us, err);
}

static int make_time(struct okno_map *map, const struct map_field *made,
                     const struct okno_record *record, const char **text, struct okno_err *err)
{
    char iso[64];
    int64_t us = 0;
    struct okno_civil utc;
    if (!**text || !made->format)
        return 0;
    int rc = instant_of(map, made, record, *text, &us, err);
    if (rc < 0)
        return rc;
    okno_time_to_civil(us + made->add_minutes * 60 * OKNO_SECOND_US, &utc);
    int len = snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.year, utc.month,
                       utc.day, utc.hour, utc.minute, utc.second, utc.micro);
    *text = begin(map);
    if (len < 0 || !put(map, iso, (size_t)len))
        return too_large(made, err);
    end(map);
    return 0;
}

/* ---- one row ---- */

static bool passes(struct okno_map *map, const struct map_filter *filter,
                   const struct okno_record_row *row)
{
    const char *text = begin(map);
    size_t used = map->text_used;
    bool hit = false;
    if (!put_cell(map, row, &filter->column))
        return true; /* its fields will be refused */
    hit = filter->empty && !*text;
    for (size_t i = 0; i < filter->equals.len; i++)
        hit = hit || strcmp(text, filter->equals.items[i]) == 0;
    for (size_t i = 0; i < filter->contains.len; i++)
        hit = hit || strstr(text, filter->contains.items[i]);
    map->text_used = used;
    return hit == filter->only;
}

static bool is_blank(const struct okno_record_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->fields[i][strspn(row->fields[i], " \t")])
            return false;
    return true;
}

static bool is_wanted(struct okno_map *map, const struct okno_record_row *row)
{
    if (is_blank(row))
        return false;
    for (size_t i = 0; i < map->filter_count; i++)
        if (!passes(map, &map->filters[i], row))
            return false;
    return true;
}

static void make_row(struct okno_map *map, const struct okno_record_row *row,
                     struct okno_record *record)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < map->kind->field_count; i++)
        if (map->fields[i].field)
            rc = make_text(map, &map->fields[i], row, &record->values[i], &record->err);
    /* Times last: their calendar is that of the row's place. */
    for (size_t i = 0; rc == 0 && i < map->kind->field_count; i++)
        if (map->fields[i].field && map->fields[i].field->type == OKNO_FIELD_TIME)
            rc = make_time(map, &map->fields[i], record, &record->values[i], &record->err);
    if (rc < 0)
        map_explain(map, &record->err);
}

int map_next(void *ctx, struct okno_record *ret_record, struct okno_err *err)
{
    struct okno_map *map = ctx;
    struct okno_record_row row;
    int rc;
    memset(ret_record->values, 0, sizeof(ret_record->values));
    while ((rc = okno_record_next_row(map->reader, &row, err)) == 1) {
        map->text_used = 0;
        if (row.err.code == 0 && !is_wanted(map, &row)) {
            map->skipped++;
            continue;
        }
        ret_record->line = row.line;
        ret_record->err = row.err;
        if (row.err.code == 0)
            make_row(map, &row, ret_record);
        return 1;
    }
    return rc;
}

void map_explain(const struct okno_map *map, struct okno_err *err)
{
    char field[sizeof(err->field)];
    char text[sizeof(err->text)];
    int code = err->code;
    for (size_t i = 0; i < map->kind->field_count; i++) {
        const struct map_field *made = &map->fields[i];
        if (!made->field || strcmp(made->field->name, err->field) != 0)
            continue;
        (void)snprintf(field, sizeof(field), "%s", err->field);
        (void)snprintf(text, sizeof(text), "%s", err->text);
        okno_err_clear(err);
        (void)okno_fail_field(err, code, field, "%s (%s:%d)", text, map->path, made->line);
        return;
    }
}
