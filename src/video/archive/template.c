#define _POSIX_C_SOURCE 200809L
#include "template.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    TEXT_MAX_CHARS = 512,
    CHANNEL_MAX_CHARS = 128,
    TOKENS_MAX = 128,
    PATH_MAX_CHARS = 255,
    FOLDERS_MAX = 4000,
    STEPS_MAX = 100000
};

enum field {
    YEAR,
    YEAR2,
    MONTH,
    DAY,
    YEARDAY,
    HOUR,
    MINUTE,
    SECOND,
    EPOCH,
    MICRO,
    OFFSET, /* Z or +hhmm; its value is minutes east */
    FIELDS,
    LITERAL,
    ANY /* bytes that say nothing, none to all of the rest */
};

/* us: resolution; digits: exactly that many; folder: may name folders */
static const struct {
    int64_t us;
    int digits, low, high;
    char letter;
    bool folder;
} field_rows[FIELDS] = {
    [YEAR] = {366 * OKNO_DAY_US, 4, 1970, 9999, 'Y', true},
    [YEAR2] = {366 * OKNO_DAY_US, 2, 0, 99, 'y', true},
    [MONTH] = {31 * OKNO_DAY_US, 2, 1, 12, 'm', true},
    [DAY] = {OKNO_DAY_US, 2, 1, 31, 'd', true},
    [YEARDAY] = {OKNO_DAY_US, 3, 1, 366, 'j', true},
    [HOUR] = {3600 * OKNO_SECOND_US, 2, 0, 23, 'H', true},
    [MINUTE] = {60 * OKNO_SECOND_US, 2, 0, 59, 'M', true},
    [SECOND] = {OKNO_SECOND_US, 2, 0, 59, 'S', false},
    [EPOCH] = {OKNO_SECOND_US, 10, 0, 0, 's', false},
    [MICRO] = {1, 6, 0, 999999, 'f', false},
    [OFFSET] = {366 * OKNO_DAY_US, 0, -1440, 1440, 'z', false},
};

struct token {
    enum field field; /* LITERAL: the byte below; ANY */
    char byte;
};

struct template
{
    struct token tokens[TOKENS_MAX + TEXT_MAX_CHARS];
    size_t count;
    size_t name_at;    /* index of the first token of the file's name */
    int64_t folder_us; /* see template_folder_us */
    int64_t error_us;
};

void template_free(struct template *template)
{
    free(template);
}

int64_t template_folder_us(const struct template *template)
{
    return template->folder_us;
}

/* --- compiling --- */

bool template_is_safe_path(const char *text)
{
    if (!text[0] || text[0] == '/')
        return false;
    for (const char *part = text; part;) {
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && strncmp(part, "..", 2) == 0))
            return false;
        part = part[len] ? part + len + 1 : NULL;
    }
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '\\')
            return false;
    return true;
}

static int add_token(struct template *template, enum field field, char byte, struct okno_err *err)
{
    if (template->count == OKNO_COUNT(template->tokens))
        return okno_fail_field(err, OKNO_INVALID, "files", "the file name template is too long");
    if (field == LITERAL && byte == '/')
        template->name_at = template->count + 1;
    template->tokens[template->count++] = (struct token){field, byte};
    return 0;
}

static int add_conversion(struct template *template, char letter, struct okno_err *err)
{
    if (letter == '%')
        return add_token(template, LITERAL, '%', err);
    for (int i = 0; i < FIELDS; i++)
        if (field_rows[i].letter == letter && letter)
            return add_token(template, (enum field)i, 0, err);
    return okno_fail_field(err, OKNO_INVALID, "files",
                           "%%%c is not a conversion of file names; allowed are %%Y %%y %%m %%d "
                           "%%j %%H %%M %%S %%s %%f %%z and %%%%",
                           isprint((unsigned char)letter) ? letter : '?');
}

static int add_channel(struct template *template, const char *channel, struct okno_err *err)
{
    int rc = 0;
    for (; rc == 0 && *channel; channel++)
        rc = add_token(template, LITERAL, *channel, err);
    return rc;
}

static int add_text(struct template *template, const char *text, const char *channel,
                    struct okno_err *err)
{
    int rc = 0;
    for (const char *at = text; rc == 0 && *at; at++) {
        if (*at == '%') {
            rc = add_conversion(template, *++at, err);
        } else if (strncmp(at, "{channel}", 9) == 0) {
            rc = add_channel(template, channel, err);
            at += 8;
        } else if (strncmp(at, "{any}", 5) == 0) {
            rc = add_token(template, ANY, 0, err);
            at += 4;
        } else if (*at == '{' || *at == '}') {
            rc = okno_fail_field(err, OKNO_INVALID, "files",
                                 "only {channel} and {any} may stand in braces in a file name "
                                 "template");
        } else {
            rc = add_token(template, LITERAL, *at, err);
        }
    }
    return rc;
}

static bool has_field(const struct template *template, enum field field)
{
    for (size_t i = 0; i < template->count; i++)
        if (template->tokens[i].field == field)
            return true;
    return false;
}

/* Every coarser field must be there: an hour without its day says nothing. */
static int check_fields(const struct template *t, struct okno_err *err)
{
    bool date = (has_field(t, YEAR) || has_field(t, YEAR2)) &&
                (has_field(t, YEARDAY) || (has_field(t, MONTH) && has_field(t, DAY)));
    if (!date && !has_field(t, EPOCH))
        return okno_fail_field(err, OKNO_INVALID, "files",
                               "the file name template fixes no date; it needs %%Y, %%m and %%d "
                               "(or %%j), or %%s");
    if ((has_field(t, MINUTE) && !has_field(t, HOUR)) ||
        (has_field(t, SECOND) && !has_field(t, MINUTE)) ||
        (has_field(t, MICRO) && !has_field(t, SECOND) && !has_field(t, EPOCH)))
        return okno_fail_field(err, OKNO_INVALID, "files",
                               "the file name template has a finer field of time without the "
                               "coarser one");
    return 0;
}

static int measure(struct template *t, struct okno_err *err)
{
    t->error_us = INT64_MAX;
    for (size_t i = 0; i < t->count; i++) {
        enum field field = t->tokens[i].field;
        if (field == ANY && i < t->name_at)
            return okno_fail_field(err, OKNO_INVALID, "files",
                                   "{any} cannot be in a folder's name, only in the file's");
        if (field == LITERAL || field == ANY)
            continue;
        int64_t us = field_rows[field].us;
        t->error_us = us < t->error_us ? us : t->error_us;
        if (i >= t->name_at)
            continue;
        if (!field_rows[field].folder)
            return okno_fail_field(err, OKNO_INVALID, "files",
                                   "%%%c cannot be in a folder's name, only in the file's",
                                   field_rows[field].letter);
        t->folder_us = t->folder_us && t->folder_us < us ? t->folder_us : us;
    }
    return 0;
}

int template_channel(const char *channel, struct okno_err *err)
{
    if (strlen(channel) <= CHANNEL_MAX_CHARS && template_is_safe_path(channel))
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "channel",
                           "\"%.80s\" is not a channel: a name or a relative path of at most "
                           "%d characters",
                           channel, CHANNEL_MAX_CHARS);
}

int template_compile(const char *text, const char *channel, struct template **ret_template,
                     struct okno_err *err)
{
    if (strlen(text) > TEXT_MAX_CHARS || !template_is_safe_path(text))
        return okno_fail_field(err, OKNO_INVALID, "files",
                               "\"%.80s\" is not a file name template: a path below the archive's "
                               "root such as {channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4",
                               text);
    int rc = template_channel(channel, err);
    if (rc < 0)
        return rc;
    OKNO_AUTO(template) *template = calloc(1, sizeof(*template));
    if (!template)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a file name template");
    rc = add_text(template, text, channel, err);
    size_t loose = 0;
    for (size_t i = 0; i < template->count; i++)
        loose += template->tokens[i].field == ANY;
    if (rc == 0 && loose > 2)
        rc = okno_fail_field(err, OKNO_INVALID, "files", "{any} may stand twice at most");
    if (rc == 0)
        rc = check_fields(template, err);
    if (rc == 0)
        rc = measure(template, err);
    if (rc < 0)
        return rc;
    *ret_template = okno_mem_take(&template);
    return 0;
}

/* --- names to instants --- */

/* Values read so far; -1 for fields not met. */
struct values {
    int64_t of[FIELDS];
    bool has_offset;
};

/* Exactly the field's digits, equal to what the same field said before. */
static int take_field(const char **at, enum field field, struct values *values)
{
    int64_t value = 0;
    for (int i = 0; i < field_rows[field].digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + (**at - '0');
    }
    if (field != EPOCH && (value < field_rows[field].low || value > field_rows[field].high))
        return -1;
    if (values->of[field] >= 0 && values->of[field] != value)
        return -1;
    values->of[field] = value;
    return 0;
}

static int take_offset(const char **at, struct values *values)
{
    const char *text = *at;
    int sign = *text == '-' ? -1 : 1;
    values->has_offset = true;
    values->of[OFFSET] = 0;
    if (*text == 'Z') {
        (*at)++;
        return 0;
    }
    if (*text != '+' && *text != '-')
        return -1;
    for (int i = 1; i <= 4; i++)
        if (!isdigit((unsigned char)text[i]))
            return -1;
    int hours = (text[1] - '0') * 10 + text[2] - '0';
    int minutes = (text[3] - '0') * 10 + text[4] - '0';
    values->of[OFFSET] = (int64_t)sign * (hours * 60 + minutes);
    *at += 5;
    return hours <= 24 && minutes < 60 ? 0 : -1;
}

static int match(const struct token *tokens, size_t count, const char *text, struct values *values);

/* The shortest run of bytes after which the rest fits. A template has few of them: names are short.
 */
static int match_any(const struct token *tokens, size_t count, const char *text,
                     struct values *values)
{
    for (;; text++) {
        struct values tried = *values;
        if (match(tokens, count, text, &tried) == 0) {
            *values = tried;
            return 0;
        }
        if (!*text)
            return -1;
    }
}

static int match(const struct token *tokens, size_t count, const char *text, struct values *values)
{
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].field == LITERAL) {
            if (*text++ != tokens[i].byte || !tokens[i].byte)
                return -1;
        } else if (tokens[i].field == ANY) {
            return match_any(tokens + i + 1, count - i - 1, text, values);
        } else if (tokens[i].field == OFFSET) {
            if (take_offset(&text, values))
                return -1;
        } else if (take_field(&text, tokens[i].field, values)) {
            return -1;
        }
    }
    return *text ? -1 : 0;
}

static int or_zero(int64_t value)
{
    return value < 0 ? 0 : (int)value;
}

/* The date of the values; -1 when the calendar has no such day or its spellings disagree. */
static int take_date(const struct values *v, struct okno_civil *ret_civil)
{
    struct okno_civil c = {.month = 1, .day = 1};
    if (v->of[YEAR] >= 0 && v->of[YEAR2] >= 0 && v->of[YEAR] % 100 != v->of[YEAR2])
        return -1;
    c.year = v->of[YEAR] >= 0 ? (int)v->of[YEAR] : 2000 + (int)v->of[YEAR2];
    if (v->of[YEARDAY] >= 0) {
        int year = c.year;
        okno_time_to_civil(okno_time_from_civil(&c) + (v->of[YEARDAY] - 1) * OKNO_DAY_US, &c);
        if (c.year != year || (v->of[MONTH] >= 0 && v->of[MONTH] != c.month) ||
            (v->of[DAY] >= 0 && v->of[DAY] != c.day))
            return -1;
    } else {
        c.month = (int)v->of[MONTH];
        c.day = (int)v->of[DAY];
        struct okno_civil back;
        okno_time_to_civil(okno_time_from_civil(&c), &back);
        if (back.day != c.day)
            return -1;
    }
    *ret_civil = c;
    return 0;
}

int template_parse(const struct template *template, const struct okno_zone *zone,
                   const char *folder, const char *name, struct template_instant *ret_instant)
{
    struct values v = {0};
    struct okno_civil civil;
    struct template_instant instant = {.count = 1, .error_us = template->error_us};
    for (int i = 0; i < FIELDS; i++)
        v.of[i] = -1;
    size_t folder_count = template->name_at ? template->name_at - 1 : 0;
    if (match(template->tokens, folder_count, folder, &v) ||
        match(template->tokens + template->name_at, template->count - template->name_at, name, &v))
        return -1;
    if (v.of[EPOCH] >= 0) {
        instant.us[0] = v.of[EPOCH] * OKNO_SECOND_US + or_zero(v.of[MICRO]);
        instant.us[1] = instant.us[0];
    } else {
        if (take_date(&v, &civil))
            return -1;
        civil.hour = or_zero(v.of[HOUR]);
        civil.minute = or_zero(v.of[MINUTE]);
        civil.second = or_zero(v.of[SECOND]);
        civil.micro = or_zero(v.of[MICRO]);
        if (v.has_offset)
            instant.us[0] = instant.us[1] =
                okno_time_from_civil(&civil) - v.of[OFFSET] * 60 * OKNO_SECOND_US;
        else
            okno_zone_to_utc(zone, &civil, instant.us, &instant.count);
    }
    *ret_instant = instant;
    return 0;
}

/* --- intervals to folders --- */

static int civil_field(const struct okno_civil *c, enum field field)
{
    struct okno_civil new_year = {.year = c->year, .month = 1, .day = 1};
    struct okno_civil day = {.year = c->year, .month = c->month, .day = c->day};
    switch (field) {
    case YEAR:
        return c->year;
    case YEAR2:
        return c->year % 100;
    case MONTH:
        return c->month;
    case DAY:
        return c->day;
    case YEARDAY:
        return (int)((okno_time_from_civil(&day) - okno_time_from_civil(&new_year)) / OKNO_DAY_US) +
               1;
    case HOUR:
        return c->hour;
    case SECOND:
        return c->second;
    default:
        return c->minute;
    }
}

static int folder_at(const struct template *template, const struct okno_zone *zone, int64_t us,
                     char ret_path[PATH_MAX_CHARS + 1])
{
    struct okno_civil civil;
    size_t len = 0;
    size_t count = template->name_at ? template->name_at - 1 : 0;
    okno_zone_to_local(zone, us, &civil);
    for (size_t i = 0; i < count; i++) {
        char digits[16] = {template->tokens[i].byte, '\0'};
        enum field field = template->tokens[i].field;
        if (field != LITERAL)
            (void)snprintf(digits, sizeof(digits), "%0*d", field_rows[field].digits,
                           civil_field(&civil, field));
        size_t more = strlen(digits);
        if (len + more > PATH_MAX_CHARS)
            return -1;
        memcpy(ret_path + len, digits, more);
        len += more;
    }
    ret_path[len] = '\0';
    return 0;
}

/* Fields in whose order times sort; what a field needs to stand behind it. */
static bool is_next(enum field field, unsigned fixed)
{
    const unsigned year = 1u << YEAR | 1u << YEAR2;
    const unsigned hour = 1u << HOUR, minute = 1u << MINUTE;
    bool day = fixed & 1u << YEARDAY || (fixed & 1u << MONTH && fixed & 1u << DAY);
    switch (field) {
    case YEAR:
    case YEAR2:
    case EPOCH:
        return true;
    case MONTH:
    case YEARDAY:
        return fixed & year;
    case DAY:
        return fixed & 1u << MONTH && fixed & year;
    case HOUR:
        return day && fixed & year;
    case MINUTE:
        return fixed & hour;
    case SECOND:
        return fixed & minute;
    default:
        return false;
    }
}

void template_bound(const struct template *template, const struct okno_zone *zone,
                    const char *folder, int64_t us, char ret_bound[256])
{
    char path[PATH_MAX_CHARS + 1];
    struct okno_civil civil;
    size_t len = 0;
    unsigned fixed = 0;
    bool timed = false;
    ret_bound[0] = '\0';
    if (us < 0 || folder_at(template, zone, us, path) < 0 || strcmp(path, folder) != 0)
        return;
    okno_zone_to_local(zone, us, &civil);
    for (size_t i = 0; i < template->count; i++) {
        char digits[24] = {template->tokens[i].byte, '\0'};
        enum field field = template->tokens[i].field;
        if (i >= template->name_at && field != LITERAL && !is_next(field, fixed))
            break;
        if (field == EPOCH)
            (void)snprintf(digits, sizeof(digits), "%010lld", (long long)(us / OKNO_SECOND_US));
        else if (field != LITERAL)
            (void)snprintf(digits, sizeof(digits), "%0*d", field_rows[field].digits,
                           civil_field(&civil, field));
        fixed |= field < FIELDS ? 1u << field : 0u;
        if (i < template->name_at)
            continue;
        timed = timed || field != LITERAL;
        if (len + strlen(digits) > PATH_MAX_CHARS)
            break;
        memcpy(ret_bound + len, digits, strlen(digits) + 1);
        len += strlen(digits);
    }
    if (!timed)
        ret_bound[0] = '\0';
}

void template_folders_clear(struct template_folders *folders)
{
    for (size_t i = 0; i < folders->len; i++)
        free(folders->items[i]);
    template_folders_free(folders);
}

/* An autumn hour gives its folder twice, the second time after the other half: look back a few. */
static bool is_listed(const struct template_folders *folders, const char *path)
{
    for (size_t i = folders->len; i > 0 && i + 130 > folders->len; i--)
        if (strcmp(folders->items[i - 1], path) == 0)
            return true;
    return false;
}

static int add_folder(struct template_folders *folders, const char *path, struct okno_err *err)
{
    if (is_listed(folders, path))
        return 0;
    if (folders->len == FOLDERS_MAX)
        return okno_fail(err, OKNO_TOO_LONG,
                         "the interval spans more than %d folders of the archive; ask for less",
                         FOLDERS_MAX);
    char *copy = strdup(path);
    if (!copy || template_folders_push(folders, copy) < 0) {
        free(copy);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for folders");
    }
    return 0;
}

/* Steps that no folder slips between, whatever the zone does: zones change by quarter hours. */
static int64_t step_of(const struct template *template)
{
    int64_t hour = 3600 * OKNO_SECOND_US;
    if (template->folder_us >= OKNO_DAY_US)
        return hour;
    return template->folder_us == hour ? hour / 4 : template->folder_us;
}

int template_folders_of(const struct template *template, const struct okno_zone *zone,
                        int64_t from_us, int64_t to_us, struct template_folders *ret_folders,
                        struct okno_err *err)
{
    char path[PATH_MAX_CHARS + 1];
    TEMPLATE_AUTO_FOLDERS folders = {0};
    if (to_us <= from_us)
        return 0;
    int64_t step = template->folder_us ? step_of(template) : to_us - from_us;
    if ((to_us - 1 - from_us) / step > STEPS_MAX)
        return okno_fail(err, OKNO_TOO_LONG, "the interval is too long for this archive's folders");
    for (int64_t us = from_us;; us = us < to_us - 1 - step ? us + step : to_us - 1) {
        if (folder_at(template, zone, us, path) < 0)
            return okno_fail(err, OKNO_INVALID, "folder names longer than %d characters",
                             PATH_MAX_CHARS);
        int rc = add_folder(&folders, path, err);
        if (rc < 0)
            return rc;
        if (us == to_us - 1)
            break;
    }
    *ret_folders = folders;
    folders = (struct template_folders){0};
    return 0;
}
