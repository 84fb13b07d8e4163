/* A map as a file. */
#define _POSIX_C_SOURCE 200809L
#include "map.h"

#include "okno/buf.h"
#include "okno/text.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Put behind the text: the library takes a section that is never closed in silence. */
#define END_MARK "end_of_map"

/* The library's callbacks get no context of the caller's, so the load in progress stands here. */
static _Thread_local struct load {
    struct okno_map *map;
    struct okno_err *err;
    int line;
    const char *option;
    bool ended;
    bool kind_told;
} * loading;

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...)
{
    char text[320];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return okno_fail(loading->err, OKNO_CONFIG, "%s:%d: %s", loading->map->path, loading->line,
                     text);
}

static int refuse(const char *value, const char *allowed)
{
    char shown[OKNO_TEXT_SHOWN];
    return fail("%s = \"%s\" is not allowed; allowed: %s", loading->option,
                okno_text_show(value, shown), allowed);
}

static int no_memory(void)
{
    return okno_fail(loading->err, OKNO_NO_MEMORY, "no memory for a map");
}

/* ---- values ---- */

static int keep(char **member, const char *value)
{
    if (*member)
        return fail("%s is set twice", loading->option);
    *member = strdup(value);
    return *member ? 0 : no_memory();
}

static int keep_bool(bool *member, const char *value)
{
    if (!okno_text_is_word(value, "true false yes no"))
        return refuse(value, "true or false");
    *member = okno_text_is_word(value, "true yes");
    return 0;
}

static int keep_int(int64_t *member, const char *value, int64_t min, int64_t max)
{
    char allowed[80];
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (*value && !*end && !errno && number >= min && number <= max) {
        *member = number;
        return 0;
    }
    (void)snprintf(allowed, sizeof(allowed), "a whole number from %lld to %lld", (long long)min,
                   (long long)max);
    return refuse(value, allowed);
}

static int keep_column(struct map_column *column, const char *value)
{
    if (!*value || (*value == '#' && strspn(value + 1, "0123456789") != strlen(value + 1)))
        return refuse(value, "the name of a column, or its number such as \"#3\"");
    return keep(&column->name, value);
}

static int keep_text(struct map_text_vec *texts, const char *value)
{
    char *text = strdup(value);
    if (text && map_text_vec_push(texts, text) == 0)
        return 0;
    free(text);
    return no_memory();
}

static int keep_pair(struct map_pair_vec *pairs, const char *value)
{
    static const char arrow[] = " -> ";
    const char *last = NULL;
    for (const char *at = value; (at = strstr(at, arrow)); at++)
        last = at;
    if (!last)
        return refuse(value, "\"what the file says -> what is meant\"");
    struct map_pair pair = {.from = strdup(value)};
    if (!pair.from)
        return no_memory();
    pair.from[last - value] = '\0';
    pair.to = pair.from + (last - value) + sizeof(arrow) - 1;
    for (size_t i = 0; i < pairs->len; i++) {
        if (strcmp(pairs->items[i].from, pair.from) == 0) {
            free(pair.from);
            return fail("values: \"%.*s\" stands twice", (int)(last - value), value);
        }
    }
    if (map_pair_vec_push(pairs, pair) == 0)
        return 0;
    free(pair.from);
    return no_memory();
}

/* ---- the map's own options ---- */

static int set_kind(struct okno_map *map, const char *value)
{
    loading->kind_told = true;
    if (strcmp(value, map->kind->kind) == 0)
        return 0;
    return fail("this map makes %.40s, not %s", value, map->kind->kind);
}

static int set_delimiter(struct okno_map *map, const char *value)
{
    bool tab = strcmp(value, "tab") == 0;
    if (!tab && (strlen(value) != 1 || !strchr(",;|\t:", *value)))
        return refuse(value, "\",\" \";\" \"|\" \":\" or \"tab\"");
    map->format.delimiter = tab ? '\t' : *value;
    return 0;
}

static int set_encoding(struct okno_map *map, const char *value)
{
    static const char allowed[] =
        "utf-8 windows-1251 windows-1252 cp866 koi8-r iso-8859-5 utf-16 utf-16le utf-16be";
    if (!okno_text_is_word(value, allowed))
        return refuse(value, allowed);
    return strcmp(value, "utf-8") == 0 ? 0 : keep(&map->encoding, value);
}

static int set_quotes(struct okno_map *map, const char *value)
{
    bool quotes = true;
    int rc = keep_bool(&quotes, value);
    map->format.no_quotes = !quotes;
    return rc;
}

static int set_header(struct okno_map *map, const char *value)
{
    return keep_bool(&map->format.header, value);
}

static int set_skip_lines(struct okno_map *map, const char *value)
{
    return keep_int(&map->format.skip_lines, value, 0, 1000);
}

static int set_decimal(struct okno_map *map, const char *value)
{
    if (strcmp(value, ",") != 0 && strcmp(value, ".") != 0)
        return refuse(value, "\",\" or \".\"");
    map->decimal = *value;
    return 0;
}

static int set_time_zone(struct okno_map *map, const char *value)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_err ignored = {0};
    if (strcmp(value, "site") == 0)
        return 0;
    if (okno_zone_open(value, &zone, &ignored) < 0)
        return refuse(value, "\"site\", UTC, an IANA name or a POSIX TZ rule");
    return keep(&map->time_zone, value);
}

static int set_twice(struct okno_map *map, const char *value)
{
    if (!okno_text_is_word(value, "refuse first second"))
        return refuse(value, "refuse, first or second");
    map->twice = *value == 'f'   ? MAP_TWICE_FIRST
                 : *value == 's' ? MAP_TWICE_SECOND
                                 : MAP_TWICE_REFUSE;
    return 0;
}

static const struct {
    const char *name;
    int (*set)(struct okno_map *map, const char *value);
} options[] = {
    {"kind", set_kind},       {"delimiter", set_delimiter}, {"encoding", set_encoding},
    {"quotes", set_quotes},   {"header", set_header},       {"skip_lines", set_skip_lines},
    {"decimal", set_decimal}, {"time_zone", set_time_zone}, {"twice", set_twice}};

static int set_option(struct okno_map *map, const char *value)
{
    for (size_t i = 0; i < OKNO_COUNT(options); i++)
        if (strcmp(options[i].name, loading->option) == 0)
            return options[i].set(map, value);
    loading->ended = true; /* only the end mark is no option */
    return 0;
}

/* ---- fields ---- */

static int find_field(struct okno_map *map, const char *title, struct map_field **ret_field)
{
    char allowed[200] = "";
    size_t used = 0;
    const struct okno_import_kind *kind = map->kind;
    for (size_t i = 0; i < kind->field_count; i++) {
        if (strcmp(kind->fields[i].name, title) == 0) {
            *ret_field = &map->fields[i];
            return 0;
        }
        if (used < sizeof(allowed))
            used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
                                     used ? ", " : "", kind->fields[i].name);
    }
    return fail("%s have no field \"%.40s\"; they have %s", kind->kind, title, allowed);
}

static int set_columns(struct map_field *field, const char *value)
{
    char by = loading->option[strlen(loading->option) - 1]; /* colum-n, column-s, su-m */
    if (field->told_by == 'n' && by == 'n')
        return fail("column is set twice");
    if (field->told_by && field->told_by != by)
        return fail("of column, columns and sum a field has one");
    field->told_by = by;
    if (field->column_count == MAP_COLUMNS_MAX)
        return fail("more than %d columns for one field", MAP_COLUMNS_MAX);
    return keep_column(&field->columns[field->column_count++], value);
}

static int set_sum(struct map_field *field, const char *value)
{
    if (field->field->type != OKNO_FIELD_INT)
        return fail("sum is for fields of whole numbers; %s is none", field->field->name);
    field->sum = true;
    return set_columns(field, value);
}

static int set_format(struct map_field *field, const char *value)
{
    struct okno_err why = {0};
    if (field->field->type != OKNO_FIELD_TIME)
        return fail("format is for times; %s is none", field->field->name);
    if (okno_time_format_check(value, &why) < 0)
        return fail("format = \"%.80s\": %s", value, why.text);
    return keep(&field->format, value);
}

static int set_add(struct map_field *field, int64_t *member, const char *value, int64_t max)
{
    if (field->field->type != OKNO_FIELD_TIME)
        return fail("%s is for times; %s is none", loading->option, field->field->name);
    return keep_int(member, value, -max, max);
}

static int set_field(struct map_field *field, const char *value)
{
    const char *option = loading->option;
    if (strcmp(option, "column") == 0 || strcmp(option, "columns") == 0)
        return set_columns(field, value);
    if (strcmp(option, "sum") == 0)
        return set_sum(field, value);
    if (strcmp(option, "constant") == 0)
        return keep(&field->constant, value);
    if (strcmp(option, "join") == 0)
        return keep(&field->join, value);
    if (strcmp(option, "prefix") == 0)
        return keep(&field->prefix, value);
    if (strcmp(option, "otherwise") == 0)
        return keep(&field->otherwise, value);
    if (strcmp(option, "values") == 0)
        return keep_pair(&field->values, value);
    if (strcmp(option, "format") == 0)
        return set_format(field, value);
    if (strcmp(option, "add_days") == 0)
        return set_add(field, &field->add_days, value, 366);
    if (strcmp(option, "add_minutes") == 0)
        return set_add(field, &field->add_minutes, value, 366 * 1440);
    return keep_bool(&field->escape, value);
}

static int set_in_field(struct okno_map *map, const char *title, const char *value)
{
    struct map_field *field = NULL;
    int rc = find_field(map, title, &field);
    if (rc < 0)
        return rc;
    if (!field->field)
        field->line = loading->line;
    field->field = &map->kind->fields[field - map->fields];
    return set_field(field, value);
}

/* ---- filters ---- */

static struct map_filter *find_filter(struct okno_map *map, bool only, const char *title)
{
    for (size_t i = 0; i < map->filter_count; i++)
        if (map->filters[i].only == only && strcmp(map->filters[i].name, title) == 0)
            return &map->filters[i];
    if (map->filter_count == MAP_FILTERS_MAX) {
        (void)fail("more than %d sections skip and only", MAP_FILTERS_MAX);
        return NULL;
    }
    struct map_filter *filter = &map->filters[map->filter_count];
    *filter = (struct map_filter){.line = loading->line, .only = only, .name = strdup(title)};
    map->filter_count += filter->name != NULL;
    if (!filter->name)
        (void)no_memory();
    return filter->name ? filter : NULL;
}

static int set_in_filter(struct okno_map *map, bool only, const char *title, const char *value)
{
    struct map_filter *filter = find_filter(map, only, title);
    if (!filter)
        return OKNO_CONFIG;
    if (strcmp(loading->option, "column") == 0)
        return keep_column(&filter->column, value);
    if (strcmp(loading->option, "empty") == 0)
        return keep_bool(&filter->empty, value);
    return keep_text(strcmp(loading->option, "equals") == 0 ? &filter->equals : &filter->contains,
                     value);
}

/* ---- the file ---- */

/* Called by the library for each value that it read. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    const char *section = cfg_name(cfg);
    const char *title = cfg_title(cfg);
    loading->line = cfg->line;
    loading->option = opt->name;
    *(const char **)result = value;
    if (!okno_text_is_utf8(value, strlen(value)))
        return fail("%s is not UTF-8: save the map as UTF-8", opt->name);
    if (!title)
        return set_option(loading->map, value);
    if (strcmp(section, "field") == 0)
        return set_in_field(loading->map, title, value);
    return set_in_filter(loading->map, strcmp(section, "only") == 0, title, value);
}

/* The names that stand in a section, for messages. */
static void name_options(const cfg_t *cfg, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (const cfg_opt_t *opt = cfg->opts; opt && opt->name && used < size; opt++)
        if (strcmp(opt->name, END_MARK) != 0)
            used +=
                (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "", opt->name);
}

/* The library's own complaints: syntax and unknown names. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format,
                                                           va_list args)
{
    char text[160];
    char allowed[160];
    (void)vsnprintf(text, sizeof(text), format, args);
    loading->line = cfg->line;
    if (strstr(text, END_MARK))
        (void)fail("section %s is never closed with }", cfg_name(cfg));
    bool unknown = strncmp(text, "no such option", 14) == 0;
    name_options(cfg, allowed, sizeof(allowed));
    (void)fail("%s%s%s", text, unknown ? "; allowed here: " : "", unknown ? allowed : "");
}

#define TEXT(name) CFG_STR_CB((char *)(uintptr_t)(name), NULL, CFGF_NODEFAULT, on_value)
#define LIST(name) CFG_STR_LIST_CB((char *)(uintptr_t)(name), NULL, CFGF_NODEFAULT, on_value)

static cfg_t *make_parser(void)
{
    cfg_opt_t field[] = {TEXT("column"), LIST("columns"),  LIST("sum"),         TEXT("constant"),
                         TEXT("join"),   TEXT("prefix"),   LIST("values"),      TEXT("otherwise"),
                         TEXT("format"), TEXT("add_days"), TEXT("add_minutes"), TEXT("escape"),
                         CFG_END()};
    cfg_opt_t filter[] = {TEXT("column"), LIST("equals"), LIST("contains"), TEXT("empty"),
                          CFG_END()};
    cfg_opt_t top[OKNO_COUNT(options) + 5];
    size_t count = 0;
    for (; count < OKNO_COUNT(options); count++)
        top[count] = (cfg_opt_t)TEXT(options[count].name);
    const cfg_flag_t titled = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
    top[count++] = (cfg_opt_t)CFG_SEC("field", field, titled);
    top[count++] = (cfg_opt_t)CFG_SEC("skip", filter, titled);
    top[count++] = (cfg_opt_t)CFG_SEC("only", filter, titled);
    top[count++] = (cfg_opt_t)TEXT(END_MARK);
    top[count] = (cfg_opt_t)CFG_END();
    return cfg_init(top, CFGF_NONE); /* copies all of them */
}

int map_read(struct okno_map *map, const char *text, struct okno_err *err)
{
    OKNO_AUTO_BUF whole = OKNO_BUF_INIT(MAP_FILE_BYTES_MAX + 64);
    int rc = okno_buf_printf(&whole, err, "%s\n" END_MARK " = 1\n", text);
    if (rc < 0)
        return rc;
    okno_text_blank_comments(whole.data);
    cfg_t *parser = make_parser();
    if (!parser)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", map->path);
    struct load load = {.map = map, .err = err};
    loading = &load;
    (void)cfg_set_error_function(parser, on_error);
    int result = cfg_parse_buf(parser, okno_buf_text(&whole));
    (void)cfg_free(parser);
    loading = NULL;
    if (err->code)
        return err->code;
    if (result != CFG_SUCCESS || !load.ended)
        return okno_fail(err, OKNO_CONFIG, "%s: the map ends inside a comment or has a } too many",
                         map->path);
    if (!load.kind_told)
        return okno_fail(err, OKNO_CONFIG,
                         "%s: kind = \"%s\" is missing: it says what the map makes", map->path,
                         map->kind->kind);
    return 0;
}
