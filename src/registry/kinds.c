#define _POSIX_C_SOURCE 200809L
#include "store.h"

#include "okno/conf.h"
#include "okno/hours.h"
#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum { YEAR_DAYS_100 = 36500 };

#define COUNT_MAX INT64_C(1000000000000)
#define OFFSET_MS_MAX INT64_C(1000000000000) /* 31 years: recorders wake up in 1970 or 2000 */
#define UNCERTAINTY_MS_MAX INT64_C(86400000)

/* --- the tables: order and names as in the product's interfaces */

static const struct okno_field archive_fields[] = {
    {.name = "archive",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the archive"},
    {.name = "kind",
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = "dir hls axis axxon dahua flussonic frigate hikvision macroscop mediamtx moonfire nx "
              "onvif profile rtsp shinobi trassir zoneminder",
     .help = "how it is reached; dir: files named by their time, hls: playlists, and recorders by "
             "name (docs/archives.md)"},
    {.name = "url",
     .type = OKNO_FIELD_TEXT,
     .required = true,
     .help = "address without user and password; for dir also an absolute path"},
    {.name = "files",
     .type = OKNO_FIELD_TEXT,
     .fallback = "",
     .help =
         "for dir: template of the names, e.g. {channel}/%Y-%m-%d/%H-%M-%S.mp4; for hls: path of "
         "the playlists, e.g. {channel}/index.m3u8"},
    {.name = "time_zone",
     .type = OKNO_FIELD_ZONE_RULE,
     .fallback = "UTC",
     .help = "zone of its times and file names"},
    {.name = "user", .type = OKNO_FIELD_TEXT, .max = 200, .fallback = "", .help = "login"},
    {.name = "secret",
     .type = OKNO_FIELD_ID,
     .fallback = "",
     .help = "name of a file in DATA/secrets (mode 0600) that holds the password"},
    {.name = "options",
     .type = OKNO_FIELD_TEXT,
     .fallback = "",
     .help = "name=value, separated by blanks, as tls=insecure; docs/archives.md lists them"},
};

static const struct okno_field site_fields[] = {
    {.name = "site",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the site"},
    {.name = "name", .type = OKNO_FIELD_TEXT, .required = true, .max = 200, .help = "for people"},
    {.name = "time_zone",
     .type = OKNO_FIELD_ZONE,
     .required = true,
     .help = "of its calendar, e.g. Europe/Moscow"},
    {.name = "hours",
     .type = OKNO_FIELD_TEXT,
     .fallback = "",
     .help = "opening hours, e.g. Mo-Fr 09:00-21:00; Sa 10:00-18:00; 2026-01-01 closed"},
    {.name = "group", .type = OKNO_FIELD_TEXT, .max = 64, .fallback = "", .help = "e.g. a region"},
    {.name = "from",
     .key = true,
     .type = OKNO_FIELD_DATE,
     .help = "local date from which hours and group count; empty: see docs/surveys.md"},
};

static const struct okno_field point_fields[] = {
    {.name = "point",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the desk or till"},
    {.name = "site", .type = OKNO_FIELD_ID, .required = true, .ref = "site", .help = "where"},
    {.name = "name", .type = OKNO_FIELD_TEXT, .required = true, .max = 200, .help = "for people"},
    {.name = "hours", .type = OKNO_FIELD_TEXT, .fallback = "", .help = "empty: the site's"},
    {.name = "from",
     .key = true,
     .type = OKNO_FIELD_DATE,
     .help = "local date from which the hours count; empty: as of sites"},
};

static const struct okno_field device_fields[] = {
    {.name = "device",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the device"},
    {.name = "point", .type = OKNO_FIELD_ID, .required = true, .ref = "point", .help = "where"},
    {.name = "from", .key = true, .type = OKNO_FIELD_TIME, .required = true, .help = "since when"},
    {.name = "to", .type = OKNO_FIELD_TIME, .help = "until when; empty: further notice"},
    {.name = "role",
     .type = OKNO_FIELD_WORD,
     .words = "button panel both channel",
     .fallback = "both",
     .help = "the seller's button, the customer's panel; channel: e.g. a QR code"},
    {.name = "test", .type = OKNO_FIELD_BOOL, .fallback = "false", .help = "in test mode"},
};

static const struct okno_field camera_fields[] = {
    {.name = "camera",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the camera"},
    {.name = "site", .type = OKNO_FIELD_ID, .required = true, .ref = "site", .help = "where"},
    {.name = "archive",
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "archive",
     .help = "what records it"},
    {.name = "channel",
     .type = OKNO_FIELD_TEXT,
     .required = true,
     .max = 200,
     .help = "its name in the archive"},
    {.name = "name", .type = OKNO_FIELD_TEXT, .max = 200, .fallback = "", .help = "for people"},
    {.name = "retention_days",
     .type = OKNO_FIELD_INT,
     .min = 1,
     .max = YEAR_DAYS_100,
     .help = "after which the archive overwrites"},
    {.name = "overlay_trusted",
     .type = OKNO_FIELD_BOOL,
     .fallback = "false",
     .help = "the time in its picture is the archive's"},
};

static const struct okno_field placement_fields[] = {
    {.name = "point",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "point",
     .help = "what"},
    {.name = "camera",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "camera",
     .help = "is seen by which camera"},
    {.name = "from", .key = true, .type = OKNO_FIELD_TIME, .required = true, .help = "since when"},
    {.name = "to", .type = OKNO_FIELD_TIME, .help = "until when; empty: further notice"},
    {.name = "priority",
     .type = OKNO_FIELD_INT,
     .min = 1,
     .max = 1000,
     .fallback = "1",
     .help = "lowest number first"},
};

static const struct okno_field question_fields[] = {
    {.name = "question",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the question"},
    {.name = "point",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "point",
     .help = "where"},
    {.name = "from", .key = true, .type = OKNO_FIELD_TIME, .required = true, .help = "since when"},
    {.name = "kind",
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = "personnel office loyalty",
     .help = "which index it feeds"},
    {.name = "text",
     .type = OKNO_FIELD_TEXT,
     .required = true,
     .help = "as asked; may contain {employee}"},
    {.name = "window_s",
     .type = OKNO_FIELD_INT,
     .min = 3,
     .max = 120,
     .scale = OKNO_SECOND_US,
     .help = "seconds to answer; empty: survey.window_s of the configuration"},
    {.name = "to", .type = OKNO_FIELD_TIME, .help = "until when; empty: further notice"},
};

static const struct okno_field employee_fields[] = {
    {.name = "employee",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id of the person"},
    {.name = "name", .type = OKNO_FIELD_TEXT, .max = 200, .fallback = "", .help = "for people"},
    {.name = "hired", .type = OKNO_FIELD_DATE, .help = "local date"},
};

static const struct okno_field shift_fields[] = {
    {.name = "employee",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "employee",
     .help = "who served"},
    {.name = "point",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .ref = "point",
     .help = "where"},
    {.name = "from", .key = true, .type = OKNO_FIELD_TIME, .required = true, .help = "from when"},
    {.name = "to", .type = OKNO_FIELD_TIME, .required = true, .help = "until when"},
};

static const struct okno_field count_fields[] = {
    {.name = "scope",
     .key = true,
     .type = OKNO_FIELD_SCOPED,
     .required = true,
     .words = "site point employee",
     .help = "whose: site:ID, point:ID or employee:ID"},
    {.name = "kind",
     .key = true,
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = "transactions visitors served",
     .help = "what was counted"},
    {.name = "from", .key = true, .type = OKNO_FIELD_TIME, .required = true, .help = "from when"},
    {.name = "to", .type = OKNO_FIELD_TIME, .required = true, .help = "until when"},
    {.name = "count",
     .type = OKNO_FIELD_INT,
     .required = true,
     .max = COUNT_MAX,
     .help = "how many"},
    {.name = "source",
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = "till counter sensor manual",
     .help = "who counted"},
};

static const struct okno_field transaction_fields[] = {
    {.name = "id", .key = true, .type = OKNO_FIELD_ID, .required = true, .help = "id of the sale"},
    {.name = "time", .type = OKNO_FIELD_TIME, .required = true, .help = "when"},
    {.name = "point", .type = OKNO_FIELD_ID, .required = true, .ref = "point", .help = "where"},
    {.name = "employee", .type = OKNO_FIELD_ID, .ref = "employee", .help = "who sold"},
    {.name = "amount", .type = OKNO_FIELD_DECIMAL, .help = "e.g. 123.45"},
};

static const struct okno_field clock_fields[] = {
    {.name = "target",
     .key = true,
     .type = OKNO_FIELD_SCOPED,
     .required = true,
     .words = "device archive camera",
     .help = "whose clock: device:ID, archive:ID or camera:ID"},
    {.name = "at",
     .key = true,
     .type = OKNO_FIELD_TIME,
     .required = true,
     .help = "when measured, in UTC"},
    {.name = "offset_ms",
     .type = OKNO_FIELD_INT,
     .required = true,
     .min = -OFFSET_MS_MAX,
     .max = OFFSET_MS_MAX,
     .scale = OKNO_MS_US,
     .help = "clock minus UTC: positive runs ahead"},
    {.name = "uncertainty_ms",
     .type = OKNO_FIELD_INT,
     .required = true,
     .max = UNCERTAINTY_MS_MAX,
     .scale = OKNO_MS_US,
     .help = "how far the offset may be wrong"},
    {.name = "step",
     .type = OKNO_FIELD_BOOL,
     .fallback = "false",
     .help = "the clock was set at this moment"},
};

/* --- checks of several fields */

/* A template tells the moment when it holds a date and a time down to the minute. */
static bool tells_time(const char *files)
{
    bool letters[128] = {false};
    for (const char *at = files; (at = strchr(at, '%')) && at[1]; at += 2)
        letters[at[1] & 0x7f] = true;
    bool date = letters['F'] || (letters['Y'] && (letters['j'] || (letters['m'] && letters['d'])));
    bool time = letters['T'] || letters['R'] || (letters['H'] && letters['M']);
    return letters['s'] || (date && time);
}

static int check_dir(const struct okno_value *values, struct okno_err *err)
{
    const char *files = values[3].text;
    if (!*files && strstr(values[7].text, "layout="))
        return 0;
    if (!*files)
        return okno_fail_field(err, OKNO_MISSING, "files",
                               "files is required for kind dir: a template of the file names, e.g. "
                               "{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4 (or option layout)");
    if (!tells_time(files))
        return okno_fail_field(
            err, OKNO_INVALID, "files",
            "files: \"%.80s\" does not tell the time: %%Y %%m %%d %%H %%M or %%s "
            "are needed",
            files);
    return 0;
}

static int check_archive(const struct okno_value *values, struct okno_err *err)
{
    const char *url = values[2].text;
    char scheme[16] = "";
    const char *colon = strstr(url, "://");
    const char *rest = colon ? colon + 3 : url;
    size_t host = colon ? strcspn(rest, "/?#") : *url == '/' ? 0 : strlen(url);
    if (memchr(rest, '@', host)) /* first: later messages show the address */
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "url holds a login: put it into the columns user and secret");
    if (colon)
        (void)snprintf(scheme, sizeof(scheme), "%.*s", (int)(colon - url), url);
    static const char allowed[] = "file http https ftp ftps sftp s3 rtsp rtsps";
    if (*url != '/' && !okno_text_is_word(scheme, allowed))
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "url: \"%.80s\" is not allowed; allowed: an absolute path, or "
                               "SCHEME://..., SCHEME one of: %s",
                               url, allowed);
    return strcmp(values[1].text, "dir") == 0 ? check_dir(values, err) : 0;
}

/* The channel becomes part of paths and addresses. */
static int check_camera(const struct okno_value *values, struct okno_err *err)
{
    const char *channel = values[3].text;
    for (const char *at = channel; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
            return okno_fail_field(err, OKNO_INVALID, "channel",
                                   "channel: \"%.80s\" must not lead out of the archive", channel);
    }
    return 0;
}

/* A year mistyped: nobody serves for so long without a new row. */
#define SHIFT_MOST_US (366 * OKNO_DAY_US)

static int check_shift(const struct okno_value *values, struct okno_err *err)
{
    int64_t length_us = values[3].integer - values[2].integer;
    return length_us > SHIFT_MOST_US
               ? okno_fail_field(err, OKNO_INVALID, "to",
                                 "to: a shift of %lld days; at most %d: is the year right?",
                                 (long long)(length_us / OKNO_DAY_US),
                                 (int)(SHIFT_MOST_US / OKNO_DAY_US))
               : 0;
}

/* Sites and points have their hours in the same column. */
static int check_hours(const struct okno_value *values, struct okno_err *err)
{
    OKNO_AUTO(okno_hours) *hours = NULL;
    const char *text = values[3].text;
    return *text ? okno_hours_parse(text, "UTC", &hours, err) : 0;
}

/* --- storing */

/* A question without a window of its own keeps what is configured now: a later change of the
 * configuration must not change surveys of the past. */
static const struct okno_value *fill_window(const struct okno_import_env *env,
                                            const struct okno_value *values,
                                            struct okno_value *copy)
{
    enum { WINDOW = 5 };
    memcpy(copy, values, OKNO_COUNT(question_fields) * sizeof(*copy));
    if (!copy[WINDOW].text)
        copy[WINDOW] = (struct okno_value){"", env->conf->survey.window_s * OKNO_SECOND_US};
    return copy;
}

static void tell(const char *text, char *to, size_t size)
{
    (void)snprintf(to, size, "%s", text ? text : "");
}

/* The date from which a row's hours and group count is filled in. */
static int date_site(const struct okno_import_env *env, struct okno_value *values,
                     struct okno_hours_row *row, struct okno_err *err)
{
    enum { SITE = 0, ZONE = 2, HOURS = 3, GROUP = 4, FROM = 5 };
    const struct registry_hours_of of = {"registry.get_site_hours", values[SITE].text,
                                         values[ZONE].text, env->now_us, ""};
    tell(values[FROM].text, row->from, sizeof(row->from));
    tell(values[HOURS].text, row->hours, sizeof(row->hours));
    tell(values[GROUP].text, row->group, sizeof(row->group));
    values[FROM].text = row->from;
    values[HOURS].text = row->hours;
    values[GROUP].text = row->group;
    return registry_date_hours(env->db, &of, row, err);
}

static int date_point(const struct okno_import_env *env, struct okno_value *values,
                      struct okno_hours_row *row, struct okno_err *err)
{
    enum { POINT = 0, SITE = 1, HOURS = 3, FROM = 4 };
    struct okno_site site;
    int rc = okno_registry_site(env->db, values[SITE].text, &site, err);
    if (rc < 0)
        return rc;
    const struct registry_hours_of of = {"registry.get_point_hours", values[POINT].text,
                                         site.time_zone, env->now_us, site.site};
    tell(values[FROM].text, row->from, sizeof(row->from));
    tell(values[HOURS].text, row->hours, sizeof(row->hours));
    values[FROM].text = row->from;
    values[HOURS].text = row->hours;
    return registry_date_hours(env->db, &of, row, err);
}

static int store(const struct okno_field *fields, size_t count, const char *noun,
                 const struct okno_import_env *env, const struct okno_value *values,
                 enum okno_stored *ret_stored, struct okno_err *err)
{
    struct okno_value copy[OKNO_COUNT(question_fields)];
    registry_date_fn *date = fields == site_fields    ? date_site
                             : fields == point_fields ? date_point
                                                      : NULL;
    if (fields == question_fields)
        values = fill_window(env, values, copy);
    return registry_store(fields, count, noun, env, values, date, ret_stored, err);
}

/* X(noun, kind's name, check, what a row is), in the order in which they refer to each other. */
#define KINDS(X)                                                                                   \
    X(archive, "archives", check_archive, "a recording system")                                    \
    X(site, "sites", check_hours, "a shop, office or branch")                                      \
    X(point, "points", check_hours, "a desk or till")                                              \
    X(device, "devices", NULL, "a button or panel at a point, dated")                              \
    X(camera, "cameras", check_camera, "one channel of an archive")                                \
    X(placement, "placements", NULL, "which camera sees which point, dated")                       \
    X(question, "questions", NULL, "what the panel asks at a point, dated")                        \
    X(employee, "employees", NULL, "a person who serves")                                          \
    X(shift, "shifts", check_shift, "who served at which point from when to when")                 \
    X(count, "counts", NULL, "how many transactions, visitors or served in a period")              \
    X(transaction, "transactions", NULL, "one sale")                                               \
    X(clock, "clocks", NULL, "a measurement of a clock")

#define KIND(noun, name, checker, text)                                                            \
    static int store_##noun(const struct okno_import_env *env, void *ctx,                          \
                            const struct okno_value *values, enum okno_stored *ret_stored,         \
                            struct okno_err *err)                                                  \
    {                                                                                              \
        (void)ctx;                                                                                 \
        return store(noun##_fields, OKNO_COUNT(noun##_fields), #noun, env, values, ret_stored,     \
                     err);                                                                         \
    }
KINDS(KIND)
#undef KIND

#define ROW(noun, name, checker, text)                                                             \
    {.kind = name,                                                                                 \
     .help = text,                                                                                 \
     .fields = noun##_fields,                                                                      \
     .field_count = OKNO_COUNT(noun##_fields),                                                     \
     .check = checker,                                                                             \
     .start = registry_store_start,                                                                \
     .store = store_##noun},
static const struct okno_import_kind registry_kinds[] = {KINDS(ROW)};
#undef ROW

const struct okno_import_kind *okno_registry_kinds(size_t *ret_count)
{
    *ret_count = OKNO_COUNT(registry_kinds);
    return registry_kinds;
}
