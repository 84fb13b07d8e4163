#define _POSIX_C_SOURCE 200809L
#include "okno/zone.h"

#include "zone_rule.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum {
    FILE_MAX_BYTES = 256 * 1024, /* the largest in the database is below 4 KiB */
    NAME_MAX_CHARS = 128,
    TYPES_MAX = 256,
    RULE_MAX_CHARS = 256,
    HEADER_BYTES = 44,
    MAX_UTOFF_S = 26 * 3600 /* RFC 8536 3.2 */
};

struct okno_zone {
    int64_t *at_s; /* owned: instants of change, ascending */
    uint8_t *kind; /* owned: index into offsets from at_s[i] on */
    size_t changes;
    int64_t offsets_s[TYPES_MAX + 2]; /* of the table's types, then the rule's two */
    size_t offset_count;
    struct zone_rule rule; /* after the last change */
    bool has_rule;
};

void okno_zone_close(struct okno_zone *zone)
{
    if (!zone)
        return;
    free(zone->at_s);
    free(zone->kind);
    free(zone);
}

/* The six counts of a TZif header, in the order of the file. */
struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const uint8_t *at)
{
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

/* Length of the data block that follows a header, or SIZE_MAX for counts no file has. */
static size_t block_size(const struct counts *c, size_t time_bytes)
{
    if (c->isut > FILE_MAX_BYTES || c->isstd > FILE_MAX_BYTES || c->leap > FILE_MAX_BYTES ||
        c->time > FILE_MAX_BYTES || c->type > TYPES_MAX || c->chars > FILE_MAX_BYTES)
        return SIZE_MAX;
    return c->time * (time_bytes + 1) + c->type * (size_t)6 + c->chars +
           c->leap * (time_bytes + 4) + c->isstd + c->isut;
}

static int broken(struct okno_err *err, const char *what)
{
    return okno_fail(err, OKNO_MALFORMED, "not a usable time zone file: %s", what);
}

static int read_header(const uint8_t *bytes, size_t len, struct counts *ret_counts,
                       struct okno_err *err)
{
    if (len < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0)
        return broken(err, "the header is missing");
    if (bytes[4] < '2')
        return broken(err, "it is of version 1, without 64-bit times");
    *ret_counts = (struct counts){read_u32(bytes + 20), read_u32(bytes + 24), read_u32(bytes + 28),
                                  read_u32(bytes + 32), read_u32(bytes + 36), read_u32(bytes + 40)};
    return 0;
}

static int read_types(struct okno_zone *zone, const uint8_t *at, uint32_t count,
                      struct okno_err *err)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t offset = (int32_t)read_u32(at + i * (size_t)6);
        if (offset < -MAX_UTOFF_S || offset > MAX_UTOFF_S)
            return broken(err, "an offset is out of range");
        zone->offsets_s[zone->offset_count++] = offset;
    }
    return 0;
}

static int read_changes(struct okno_zone *zone, const uint8_t *block, const struct counts *c,
                        struct okno_err *err)
{
    zone->at_s = calloc(c->time + (size_t)1, sizeof(*zone->at_s));
    zone->kind = calloc(c->time + (size_t)1, sizeof(*zone->kind));
    if (!zone->at_s || !zone->kind)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a time zone");
    const uint8_t *kinds = block + c->time * (size_t)8;
    for (uint32_t i = 0; i < c->time; i++) {
        zone->at_s[i] = read_i64(block + i * (size_t)8);
        zone->kind[i] = kinds[i];
        if (kinds[i] >= c->type)
            return broken(err, "a change refers to an unknown type");
        if (i && zone->at_s[i] <= zone->at_s[i - 1])
            return broken(err, "its changes are not in order");
    }
    zone->changes = c->time;
    return 0;
}

static void use_rule(struct okno_zone *zone, const struct zone_rule *rule)
{
    zone->rule = *rule;
    zone->has_rule = true;
    zone->offsets_s[zone->offset_count++] = rule->std_s;
    if (rule->has_dst)
        zone->offsets_s[zone->offset_count++] = rule->dst_s;
}

/* "\nRULE\n"; an empty rule means: the last type goes on. */
static int read_footer(struct okno_zone *zone, const uint8_t *at, size_t len, struct okno_err *err)
{
    char text[RULE_MAX_CHARS];
    struct zone_rule rule;
    const uint8_t *end = len > 1 && at[0] == '\n' ? memchr(at + 1, '\n', len - 1) : NULL;
    if (!end || (size_t)(end - at) > sizeof(text))
        return broken(err, "the footer is missing");
    size_t chars = (size_t)(end - at) - 1;
    memcpy(text, at + 1, chars);
    text[chars] = '\0';
    if (chars == 0)
        return 0;
    if (strlen(text) != chars || zone_rule_parse(text, &rule) < 0)
        return broken(err, "the rule in its footer cannot be read");
    use_rule(zone, &rule);
    return 0;
}

static int read_tzif(struct okno_zone *zone, const uint8_t *bytes, size_t len, struct okno_err *err)
{
    struct counts c = {0};
    int rc = read_header(bytes, len, &c, err);
    if (rc < 0)
        return rc;
    size_t first = block_size(&c, 4);
    if (first > len - HEADER_BYTES)
        return broken(err, "it is cut off");
    bytes += HEADER_BYTES + first;
    len -= HEADER_BYTES + first;
    rc = read_header(bytes, len, &c, err);
    if (rc < 0)
        return rc;
    size_t second = block_size(&c, 8);
    if (second > len - HEADER_BYTES)
        return broken(err, "it is cut off");
    if (c.type == 0)
        return broken(err, "it has no offset");
    if (c.leap)
        return broken(err, "it counts leap seconds; use the name without right/");
    const uint8_t *block = bytes + HEADER_BYTES;
    rc = read_changes(zone, block, &c, err);
    if (rc == 0)
        rc = read_types(zone, block + c.time * (size_t)9, c.type, err);
    return rc < 0 ? rc : read_footer(zone, block + second, len - HEADER_BYTES - second, err);
}

static struct okno_zone *zone_new(struct okno_err *err)
{
    struct okno_zone *zone = calloc(1, sizeof(*zone));
    if (!zone)
        (void)okno_fail(err, OKNO_NO_MEMORY, "no memory for a time zone");
    return zone;
}

int okno_zone_from_tzif(const void *bytes, size_t len, struct okno_zone **ret_zone,
                        struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = zone_new(err);
    if (!zone)
        return OKNO_NO_MEMORY;
    int rc = read_tzif(zone, bytes, len, err);
    if (rc < 0)
        return rc;
    *ret_zone = okno_mem_take(&zone);
    return 0;
}

/* A name that stays inside the zone folder whatever it holds. */
static bool is_file_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strstr(name, "..") || strcmp(name, "localtime") == 0)
        return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_+-/", *at))
            return false;
    return true;
}

/* 1 with the zone, 0 when there is no such file. */
static int open_file(const char *name, struct okno_zone **ret_zone, struct okno_err *err)
{
    char path[sizeof(ZONE_FOLDER) + NAME_MAX_CHARS + 1];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, name);
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    okno_autofree uint8_t *bytes = malloc(FILE_MAX_BYTES);
    if (!bytes)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %s", path);
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len < FILE_MAX_BYTES; len += (size_t)got) {
        got = read(fd, bytes + len, FILE_MAX_BYTES - len);
        if (got < 0)
            return okno_fail_errno(err, errno, "%s", path);
    }
    int rc = okno_zone_from_tzif(bytes, len, ret_zone, err);
    okno_err_context(err, "%s", path);
    return rc < 0 ? rc : 1;
}

static int unknown_zone(const char *name, struct okno_err *err)
{
    if (access(ZONE_FOLDER, R_OK) < 0)
        return okno_fail(err, OKNO_INVALID,
                         "time zone \"%.60s\": there is no %s; install the package tzdata", name,
                         ZONE_FOLDER);
    return okno_fail(err, OKNO_INVALID,
                     "\"%.60s\" is not a time zone; allowed are UTC, a name such as Europe/Moscow, "
                     "or a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3",
                     name);
}

int okno_zone_open(const char *name, struct okno_zone **ret_zone, struct okno_err *err)
{
    struct zone_rule rule = {0};
    bool is_utc = strcmp(name, "UTC") == 0;
    if (strlen(name) > NAME_MAX_CHARS)
        return unknown_zone(name, err);
    if (!is_utc && is_file_name(name)) {
        int rc = open_file(name, ret_zone, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    if (!is_utc && zone_rule_parse(name, &rule) < 0)
        return unknown_zone(name, err);
    struct okno_zone *zone = zone_new(err);
    if (!zone)
        return OKNO_NO_MEMORY;
    use_rule(zone, &rule);
    *ret_zone = zone;
    return 0;
}

static int64_t floor_seconds(int64_t us)
{
    return us / OKNO_SECOND_US - (us % OKNO_SECOND_US < 0);
}

static int64_t offset_s(const struct okno_zone *zone, int64_t utc_s)
{
    size_t low = 0;
    size_t high = zone->changes; /* the number of changes at or before the instant */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->changes && zone->has_rule)
        return zone_rule_offset_at(&zone->rule, utc_s);
    return zone->offsets_s[low ? zone->kind[low - 1] : 0];
}

int64_t okno_zone_offset_at(const struct okno_zone *zone, int64_t utc_us)
{
    return offset_s(zone, floor_seconds(utc_us)) * OKNO_SECOND_US;
}

void okno_zone_to_local(const struct okno_zone *zone, int64_t utc_us, struct okno_civil *ret_civil)
{
    okno_time_to_civil(utc_us + okno_zone_offset_at(zone, utc_us), ret_civil);
}

/* Put an instant among the at most two found, ascending and once. */
static void add_candidate(int64_t us, int64_t found[2], int *count)
{
    for (int i = 0; i < *count; i++)
        if (found[i] == us)
            return;
    if (*count == 2)
        return;
    found[(*count)++] = us;
    if (*count == 2 && found[0] > found[1]) {
        int64_t first = found[0];
        found[0] = found[1];
        found[1] = first;
    }
}

void okno_zone_to_utc(const struct okno_zone *zone, const struct okno_civil *civil,
                      int64_t ret_us[2], int *ret_count)
{
    int64_t local = okno_time_from_civil(civil);
    int64_t found[2] = {0, 0};
    int count = 0;
    for (size_t i = 0; i < zone->offset_count; i++) {
        int64_t us = local - zone->offsets_s[i] * OKNO_SECOND_US;
        if (okno_zone_offset_at(zone, us) == zone->offsets_s[i] * OKNO_SECOND_US)
            add_candidate(us, found, &count);
    }
    if (count == 0) {
        /* Further away than any offset, nearer than any two changes. */
        int64_t away = 36 * 3600 * OKNO_SECOND_US;
        found[0] = local - okno_zone_offset_at(zone, local - away);
        found[1] = local - okno_zone_offset_at(zone, local + away);
    }
    ret_us[0] = found[0];
    ret_us[1] = count == 1 ? found[0] : found[1];
    *ret_count = count;
}

int64_t okno_zone_midnight(const struct okno_zone *zone, int64_t date_us)
{
    struct okno_civil civil;
    int64_t at_us[2];
    int count = 0;
    okno_time_to_civil(date_us, &civil);
    okno_zone_to_utc(zone, &civil, at_us, &count);
    return at_us[0]; /* of one that was jumped over: when the clocks jumped */
}
