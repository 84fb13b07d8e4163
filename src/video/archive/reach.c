#define _POSIX_C_SOURCE 200809L
#include "reach.h"

#include "options.h"
#include "spool.h"

#include "okno/time.h"

#include <string.h>
#include <time.h>

#define NEIGHBOURHOOD_US (3 * 3600 * OKNO_SECOND_US)

enum { ANSWER_BYTES = 16 * 1024 * 1024, VALUES_MAX = 500 * 1000 };

void reach_close(struct reach *reach)
{
    okno_net_close(reach->net);
    okno_zone_close(reach->zone);
    free(reach->url);
    free(reach->user);
    free(reach->password);
    free(reach->spool_dir);
}

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

static int strings_keep(struct reach *reach, const struct okno_archive_config *config,
                        struct okno_err *err)
{
    reach->url = copy(config->url);
    reach->user = copy(config->user);
    reach->password = copy(config->password);
    reach->spool_dir = copy(config->spool_dir);
    if (!reach->url || !reach->user || !reach->password || !reach->spool_dir)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    for (size_t len = strlen(reach->url); len > 0 && reach->url[len - 1] == '/'; len--)
        reach->url[len - 1] = '\0';
    return 0;
}

int reach_open(struct reach *reach, const struct okno_archive_config *config,
               struct okno_budget *budget, const struct okno_net_config *base, struct okno_err *err)
{
    struct okno_err why = {0};
    const char *zone = config->time_zone && config->time_zone[0] ? config->time_zone : "UTC";
    reach->deadline_us = config->deadline_us > 0 ? config->deadline_us : 30 * OKNO_SECOND_US;
    reach->budget = budget;
    int rc = strings_keep(reach, config, err);
    if (rc == 0 && okno_net_check_url(reach->url, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    if (rc == 0 && okno_zone_open(zone, &reach->zone, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "time_zone", "%s", why.text);
    return rc < 0 ? rc : options_open_net(config, budget, base, &reach->net, err);
}

int reach_sign_nothing(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                       struct okno_err *err)
{
    (void)ctx;
    (void)method;
    (void)url;
    (void)lines;
    (void)err;
    return 0;
}

struct okno_budget *reach_apart(struct reach *reach, struct okno_budget *own, int64_t for_us)
{
    *own = (struct okno_budget)OKNO_BUDGET_INIT;
    own->until_us = okno_time_monotonic() + for_us;
    okno_net_set_deadline(reach->net, for_us);
    return okno_net_set_budget(reach->net, own);
}

int reach_choose(const char *options, const char *name, const char *first, const char *second,
                 bool *ret_second, struct okno_err *err)
{
    char value[32];
    int rc = options_get(options, name, value, sizeof(value), err);
    if (rc < 0)
        return rc;
    if (value[0] && strcmp(value, first) != 0 && strcmp(value, second) != 0)
        return okno_fail_field(err, OKNO_INVALID, "options", "%s=%s: say %s=%s or %s=%s", name,
                               value, name, first, name, second);
    *ret_second = strcmp(value, second) == 0;
    return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* A list takes up to a hundred times its size once it is read: what makes values is counted first.
 */
static bool is_readable(const char *text, size_t len)
{
    size_t values = 0;
    for (size_t i = 0; i < len; i++)
        values += text[i] == '{' || text[i] == '[' || text[i] == ',';
    return values <= VALUES_MAX;
}

int reach_json_read(const char *text, size_t len, json_t **ret_json, struct okno_err *err)
{
    if (!is_readable(text, len))
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d values in one answer", VALUES_MAX);
    json_t *json = json_loadb(text, len, 0, NULL);
    if (!json)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder's answer is no JSON");
    *ret_json = json;
    return 0;
}

int reach_json(struct reach *reach, const struct okno_net_ask *ask, json_t **ret_json,
               struct okno_err *err)
{
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    struct okno_net_reply reply = {0};
    okno_net_set_deadline(reach->net, reach->deadline_us);
    int rc = okno_net_request(reach->net, ask, &answer, &reply, err);
    return rc < 0 ? rc : reach_json_read(okno_buf_text(&answer), answer.len, ret_json, err);
}

static bool is_words(const char *type)
{
    return strncmp(type, "text/", 5) == 0 || strstr(type, "json") || strstr(type, "xml");
}

int reach_fetch(struct reach *reach, const struct okno_net_ask *ask, const char *name,
                struct okno_source **ret_source, struct okno_err *err)
{
    OKNO_AUTO(spool) *spool = NULL;
    struct okno_net_reply reply = {0};
    struct okno_err trouble = {0};
    int64_t requests = okno_net_requests(reach->net);
    int rc = spool_new(reach->spool_dir, &spool, err);
    if (rc < 0)
        return rc;
    rc = spool_fetch(spool, reach->net, ask, reach->deadline_us, &reply, &trouble);
    if (rc == OKNO_NOT_FOUND)
        return okno_fail(err, OKNO_GONE, "%s: no longer there", name);
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    if (is_words(reply.content_type))
        return okno_fail(err, OKNO_PROTOCOL, "%s: the recorder sends %s, not a recording", name,
                         reply.content_type);
    if (spool_size(spool) == 0)
        return okno_fail(err, OKNO_GONE, "%s: the recorder sends nothing", name);
    return spool_source(spool, 0, spool_size(spool), okno_net_requests(reach->net) - requests,
                        ret_source, err);
}

/* --- times ------------------------------------------------------------------------------------ */

int reach_time(const struct okno_zone *zone, const char *text, int64_t ret_us[2], int *ret_count,
               struct okno_err *err)
{
    struct okno_scanned_time time = {0};
    char plain[40];
    if (okno_time_parse(text, ret_us, NULL) == 0) {
        ret_us[1] = ret_us[0];
        *ret_count = 1;
        return 0;
    }
    (void)snprintf(plain, sizeof(plain), "%s", text);
    if (strlen(plain) > 10 && plain[10] == 'T')
        plain[10] = ' ';
    if (okno_time_scan("%Y-%m-%d %H:%M:%S%z", plain, &time, NULL) < 0 &&
        okno_time_scan("%Y-%m-%d %H:%M:%S", plain, &time, NULL) < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the recorder tells a time as \"%.40s\"", text);
    if (!time.has_offset) {
        okno_zone_to_utc(zone, &time.civil, ret_us, ret_count);
        return 0;
    }
    ret_us[0] = ret_us[1] = okno_time_from_civil(&time.civil) - time.offset_us;
    *ret_count = 1;
    return 0;
}

void reach_format(const char *format, const struct okno_zone *zone, int64_t us, bool up,
                  char ret_text[80])
{
    struct okno_civil civil;
    okno_zone_to_local(zone, us + (up ? OKNO_SECOND_US - 1 : 0), &civil);
    struct tm tm = {.tm_year = civil.year - 1900,
                    .tm_mon = civil.month - 1,
                    .tm_mday = civil.day,
                    .tm_hour = civil.hour,
                    .tm_min = civil.minute,
                    .tm_sec = civil.second,
                    .tm_isdst = -1};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(ret_text, 80, format, &tm) == 0) /* the formats are this folder's own */
        ret_text[0] = '\0';
#pragma GCC diagnostic pop
}

void reach_wide(const struct okno_zone *zone, int64_t us, bool up, struct okno_civil *ret_civil)
{
    int64_t here = okno_zone_offset_at(zone, us);
    int64_t before = okno_zone_offset_at(zone, us - NEIGHBOURHOOD_US);
    int64_t after = okno_zone_offset_at(zone, us + NEIGHBOURHOOD_US);
    int64_t other = up ? (before > after ? before : after) : (before < after ? before : after);
    int64_t offset = up == (other > here) ? other : here;
    okno_time_to_civil(us + offset + (up ? OKNO_SECOND_US - 1 : 0), ret_civil);
}

struct okno_archive_clock reach_clock(int64_t told_us, int64_t begun_us, const char *method)
{
    int64_t took = okno_time_monotonic() - begun_us;
    return (struct okno_archive_clock){.offset_us = told_us + OKNO_SECOND_US / 2 -
                                                    (okno_time_now() - took / 2),
                                       .uncertainty_us = OKNO_SECOND_US / 2 + took / 2,
                                       .method = method};
}
