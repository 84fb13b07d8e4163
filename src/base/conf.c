#define _POSIX_C_SOURCE 200809L
#include "okno/conf.h"

#include "okno/time.h"

#include "okno/file.h"
#include "okno/mem.h"
#include "okno/text.h"

#include <assert.h>
#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum { SECTIONS_MAX = 16, OPTIONS_MAX = 128 };

#define MEMBER(section, name)                                                                      \
    offsetof(struct okno_conf, section.name), sizeof(((struct okno_conf *)NULL)->section.name)
#define ROW(section, name, type, fallback, min, max, words, help)                                  \
    {                                                                                              \
#section, #name, OKNO_OPTION_##type, fallback, min, max, words, help,                      \
            MEMBER(section, name)                                                                  \
    }

/* Only options that something reads. Options of a section stand together. */
static const struct okno_option options[] = {
    ROW(service, data, PATH, "/var/lib/okno", 0, 0, NULL,
        "Data directory: database, evidence, secrets. --data on the command line goes first."),
    ROW(service, listen, LISTEN, "127.0.0.1:8080", 0, 0, NULL,
        "Address and port of the web page and the API. An address that is not loopback needs a\n"
        "strict proxy such as nginx in front."),
    ROW(service, public_url, URL, "", 0, 0, NULL,
        "The address under which people reach the service, for links in messages; empty: none."),
    ROW(service, language, WORD, "browser", 0, 0, "browser en ru",
        "Language of accounts for which nobody chose one; browser: as their browser asks."),

    ROW(survey, window_s, INT, "15", 3, 120, NULL,
        "Seconds in which a customer may answer after the press, where a question sets none."),
    ROW(survey, duplicate_ms, INT, "2000", 0, 60000, NULL,
        "A press sooner than this after the opening one is a duplicate and opens nothing."),
    ROW(survey, late_s, INT, "45", 0, 600, NULL,
        "An answer up to this long after a silent survey closed is late, not spontaneous."),
    ROW(survey, fm_gap_s, INT, "600", 1, 86400, NULL,
        "Long presses closer than this form one force majeure situation."),
    ROW(survey, hold_after_no_s, INT, "120", 0, 600, NULL,
        "A long press sooner than this after a \"no\" is flagged: hold_after_no."),
    ROW(survey, early_ms, INT, "300", 0, 60000, NULL,
        "An answer sooner than this after the press is flagged: early_answer."),
    ROW(survey, identical_run, INT, "5", 2, 100, NULL,
        "So many equal answers in a row, each survey opened within a window of the one before,\n"
        "are flagged: identical_run."),
    ROW(survey, early_answer, WORD, "flag", 0, 0, "off flag void",
        "What an early answer does to its survey: nothing, a flag, or a flag and a void."),
    ROW(survey, identical_answers, WORD, "flag", 0, 0, "off flag void",
        "What a run of equal answers does to its surveys."),
    ROW(survey, outside_hours, WORD, "flag", 0, 0, "off flag void",
        "What a press outside opening hours does to its survey."),
    ROW(survey, test_mode, WORD, "void", 0, 0, "off flag void",
        "What a device in test mode does to its surveys. They are counted nowhere in any case."),
    ROW(survey, liveness_h, INT, "48", 1, 8760, NULL,
        "A paired device that sent nothing for so many hours, and its point was open meanwhile, "
        "is\n"
        "shown as quiet."),

    ROW(link, pre_s, INT, "20", 0, 600, NULL,
        "Seconds of footage before the press: the end of the service must be seen."),
    ROW(link, post_s, INT, "5", 0, 600, NULL, "Seconds of footage after the window closed."),
    ROW(link, max_uncertainty_ms, INT, "5000", 0, 600000, NULL,
        "Above this uncertainty of the clocks a link carries the flag time_uncertain."),

    ROW(kpi, silent_weight, REAL, "0.5", 0, 1, NULL,
        "k: how much of a negative answer a silent survey counts for."),
    ROW(kpi, fm_threshold, REAL, "0.10", 0, 1, NULL,
        "A force majeure level strictly above this makes indicators not advisable."),
    ROW(kpi, undeterminable_limit, REAL, "0.10", 0.001, 1, NULL,
        "A share of undeterminable decisions above this in a sample, in total or at any site, "
        "leaves only "
        "worst-case bounds."),
    ROW(kpi, min_n, INT, "10", 1, 1000000, NULL,
        "Indicators of fewer surveys than this are marked as too few."),

    ROW(evidence, stills, WORD, "answered", 0, 0, "none answered all",
        "Which surveys get a still without being asked for."),
    ROW(evidence, audio, BOOL, "false", 0, 0, NULL, "Keep the sound in clips."),
    ROW(evidence, keep_days, INT, "0", 0, 36500, NULL,
        "Days after which clips and stills are destroyed, unless something holds them; 0: never."),

    ROW(proof, tsa_url, URL, "", 0, 0, NULL,
        "Time stamping authority (RFC 3161) that okno log stamp fetch asks; empty: none."),
    ROW(proof, tsa_ca, TEXT, "", 0, 0, NULL,
        "File with the certificates (PEM) that its time stamps are checked with."),

    ROW(fetch, parallel, INT, "2", 1, 32, NULL, "Downloads at the same time from one archive."),
    ROW(fetch, deadline_s, INT, "30", 1, 3600, NULL, "Longest wait for one request to an archive."),
    ROW(fetch, window_mb, INT, "4096", 16, 1048576, NULL,
        "Most megabytes that are fetched for one clip or still; ten times deadline_s is its time."),
    ROW(fetch, rate_kb, INT, "0", 0, 10000000, NULL,
        "Kilobytes a second from one archive on the average, by pauses between fetches; 0: no\n"
        "limit. An archive's own options (parallel, rate, hours) go before these."),
    ROW(fetch, hours, HOURS, "", 0, 0, NULL,
        "Hours of the archive's time zone in which it is asked; empty: always."),

    ROW(review, lease_min, INT, "10", 1, 240, NULL,
        "Minutes for which an item belongs to the expert who took it; heartbeats renew it."),
    ROW(review, appeal_days, INT, "14", 1, 3650, NULL,
        "Days after a decision in which staff and managers may appeal against it."),
    ROW(review, answer_days, INT, "7", 1, 365, NULL,
        "Days in which an appeal is to be decided, or fewer where its footage would be lost "
        "before."),

    ROW(notify, telegram_url, URL, "https://api.telegram.org", 0, 0, NULL,
        "Where Telegram's bots are reached; a relay of one's own may stand here."),
    ROW(notify, ca_file, TEXT, "", 0, 0, NULL,
        "A file of certificates (PEM) that mail servers and webhooks may have besides those that "
        "the\n"
        "system trusts; empty: none."),
    ROW(notify, private_addresses, BOOL, "false", 0, 0, NULL,
        "Messages may go to loopback and private addresses, too, such as 10.0.0.5; programmes may "
        "ask\n"
        "beacons there."),
    ROW(notify, deadline_s, INT, "10", 1, 120, NULL, "Longest wait for one answer."),
    ROW(notify, retry_s, INT, "10", 1, 3600, NULL,
        "Seconds before a message is sent again; doubles each time up to an hour."),
    ROW(notify, give_up_h, INT, "24", 1, 720, NULL,
        "Hours after which a message that nobody took is dead; okno notify retry wakes it."),
    ROW(notify, photo_wait_s, INT, "120", 0, 3600, NULL,
        "Longest that a message waits for its photo, where one is to go along."),
    ROW(notify, keep_days, INT, "90", 1, 3650, NULL, "Days that sent and dead messages are kept."),

    ROW(limits, session_h, INT, "12", 1, 720, NULL, "Hours after which a login ends."),
    ROW(limits, device_per_min, INT, "600", 1, 1000000, NULL,
        "Requests that one device may send in a minute; each may carry up to 1000 events."),
};

const struct okno_option *okno_conf_options(size_t *ret_count)
{
    *ret_count = OKNO_COUNT(options);
    return options;
}

/* --- values */

static int check_listen(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !isdigit((unsigned char)colon[1]) || strlen(colon) > 6)
        return -1;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    return *end || port < 1 || port > 65535 ? -1 : 0;
}

static int check_url(const char *text)
{
    bool scheme = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    return *text == '\0' || (scheme && !strpbrk(text, " \"<>@") && strlen(text) > 8) ? 0 : -1;
}

static int parse_number(const struct okno_option *option, const char *text, double *ret_value)
{
    char *end;
    if (!isdigit((unsigned char)*text) && *text != '-')
        return -1;
    errno = 0;
    double value =
        option->type == OKNO_OPTION_INT ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    if (*end || errno || !isfinite(value) || value < option->min || value > option->max)
        return -1;
    *ret_value = value;
    return 0;
}

static int parse_bool(const char *text, bool *ret_value)
{
    if (!okno_text_is_word(text, "true false yes no on off"))
        return -1;
    *ret_value = okno_text_is_word(text, "true yes on");
    return 0;
}

static int parse_text(const struct okno_option *option, const char *text, char *ret_text)
{
    int from = 0, to = 0;
    if (strlen(text) >= option->size || !okno_text_is_utf8(text, strlen(text)))
        return -1;
    if ((option->type == OKNO_OPTION_PATH && *text != '/') ||
        (option->type == OKNO_OPTION_LISTEN && check_listen(text) < 0) ||
        (option->type == OKNO_OPTION_URL && check_url(text) < 0) ||
        (option->type == OKNO_OPTION_HOURS && *text && !okno_time_hours(text, &from, &to)) ||
        (option->type == OKNO_OPTION_WORD && !okno_text_is_word(text, option->words)))
        return -1;
    memcpy(ret_text, text, strlen(text) + 1);
    return 0;
}

/* Put the value into its member; -1 where it is not allowed. */
static int set(struct okno_conf *conf, const struct okno_option *option, const char *text)
{
    void *member = (char *)conf + option->offset;
    double number = 0;
    if (option->type == OKNO_OPTION_BOOL)
        return parse_bool(text, member);
    if (option->type != OKNO_OPTION_INT && option->type != OKNO_OPTION_REAL)
        return parse_text(option, text, member);
    if (parse_number(option, text, &number) < 0)
        return -1;
    if (option->type == OKNO_OPTION_INT)
        *(int64_t *)member = (int64_t)number;
    else
        *(double *)member = number;
    return 0;
}

/* "a whole number from 3 to 120", for messages and the example. */
static void describe(const struct okno_option *option, char *ret_text, size_t size)
{
    switch (option->type) {
    case OKNO_OPTION_INT:
    case OKNO_OPTION_REAL:
        (void)snprintf(ret_text, size, "a %s from %g to %.10g",
                       option->type == OKNO_OPTION_INT ? "whole number" : "number", option->min,
                       option->max);
        break;
    case OKNO_OPTION_WORD:
        (void)snprintf(ret_text, size, "one of: %s", option->words);
        break;
    case OKNO_OPTION_BOOL:
        (void)snprintf(ret_text, size, "true or false");
        break;
    case OKNO_OPTION_PATH:
        (void)snprintf(ret_text, size, "an absolute path of up to %zu bytes", option->size - 1);
        break;
    case OKNO_OPTION_LISTEN:
        (void)snprintf(ret_text, size, "ADDRESS:PORT, port 1 to 65535");
        break;
    case OKNO_OPTION_URL:
        (void)snprintf(ret_text, size, "empty, or a URL with http:// or https://");
        break;
    case OKNO_OPTION_HOURS:
        (void)snprintf(ret_text, size, "empty, or hours such as 20:00-08:00");
        break;
    case OKNO_OPTION_TEXT:
        (void)snprintf(ret_text, size, "a text of up to %zu bytes", option->size - 1);
        break;
    }
}

void okno_conf_defaults(struct okno_conf *ret_conf)
{
    *ret_conf = (struct okno_conf){0};
    for (size_t i = 0; i < OKNO_COUNT(options); i++)
        if (set(ret_conf, &options[i], options[i].fallback) < 0)
            abort(); /* the table itself is wrong */
}

/* --- the file */

/* The library's callbacks get no context of the caller's, so the load in progress stands here. */
static _Thread_local struct load {
    struct okno_conf *conf;
    struct okno_err *err;
    const char *path;
    bool seen[OPTIONS_MAX];
    bool ended;
} * loading;

/* Put behind the text: the library takes a section or a comment that is never closed in silence. */
#define END_MARK "end_of_file"

static bool starts_section(size_t i)
{
    return i == 0 || strcmp(options[i].section, options[i - 1].section) != 0;
}

/* The names allowed where `section` is open; at the top (no such section): the sections. */
static void name_allowed(const char *section, char *ret_text, size_t size)
{
    size_t used = 0;
    bool top = true;
    ret_text[0] = '\0';
    for (size_t i = 0; i < OKNO_COUNT(options); i++)
        top = top && strcmp(options[i].section, section) != 0;
    for (size_t i = 0; i < OKNO_COUNT(options) && used < size; i++) {
        if (top ? !starts_section(i) : strcmp(options[i].section, section) != 0)
            continue;
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "",
                                 top ? options[i].section : options[i].name);
    }
}

/* The library's own complaints: syntax and unknown names. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt,
                                                           va_list args)
{
    char text[200];
    char allowed[160];
    (void)vsnprintf(text, sizeof(text), fmt, args);
    if (strstr(text, END_MARK))
        (void)okno_fail(loading->err, OKNO_CONFIG, "%s: section %s is never closed with }",
                        loading->path, cfg_name(cfg));
    name_allowed(cfg_name(cfg), allowed, sizeof(allowed));
    bool unknown = strncmp(text, "no such option", 14) == 0;
    (void)okno_fail(loading->err, OKNO_CONFIG, "%s:%d: %s%s%s", loading->path, cfg->line, text,
                    unknown ? "; allowed here: " : "", unknown ? allowed : "");
}

static int find_option(const char *section, const char *name)
{
    for (size_t i = 0; i < OKNO_COUNT(options); i++)
        if (strcmp(options[i].section, section) == 0 && strcmp(options[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Called by the library right after it read an option: the line is the option's. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    char allowed[160];
    char shown[OKNO_TEXT_SHOWN];
    int place = find_option(cfg_name(cfg), opt->name);
    if (place < 0) {
        loading->ended = true; /* only END_MARK is watched and not in the table */
        return 0;
    }
    const struct okno_option *option = &options[place];
    if (loading->seen[place])
        return okno_fail(loading->err, OKNO_CONFIG, "%s:%d: %s.%s is set twice", loading->path,
                         cfg->line, option->section, option->name);
    loading->seen[place] = true;
    const char *text = cfg_opt_getnstr(opt, 0);
    if (text && set(loading->conf, option, text) == 0)
        return 0;
    describe(option, allowed, sizeof(allowed));
    return okno_fail_field(loading->err, OKNO_CONFIG, option->name,
                           "%s:%d: %s.%s = \"%s\" is not allowed; allowed: %s", loading->path,
                           cfg->line, option->section, option->name,
                           okno_text_show(text ? text : "", shown), allowed);
}

/* Every value is read as text and checked by our own table, so that all messages are of one kind.
 */
static cfg_t *make_parser(void)
{
    cfg_opt_t members[OPTIONS_MAX + SECTIONS_MAX]; /* each section's options and its end mark */
    cfg_opt_t sections[SECTIONS_MAX];              /* and the end mark's option */
    size_t used = 0;
    size_t count = 0;
    for (size_t i = 0; i < OKNO_COUNT(options); i++) {
        if (starts_section(i) && count)
            members[used++] = (cfg_opt_t)CFG_END();
        if (starts_section(i))
            sections[count++] =
                (cfg_opt_t)CFG_SEC((char *)options[i].section, members + used, CFGF_NONE);
        members[used++] = (cfg_opt_t)CFG_STR((char *)options[i].name, NULL, CFGF_NONE);
    }
    members[used] = (cfg_opt_t)CFG_END();
    sections[count++] = (cfg_opt_t)CFG_STR(END_MARK, NULL, CFGF_NONE);
    sections[count] = (cfg_opt_t)CFG_END();
    return cfg_init(sections, CFGF_NONE); /* copies both */
}

static void watch_values(cfg_t *parser)
{
    for (size_t i = 0; i < OKNO_COUNT(options); i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%s|%s", options[i].section, options[i].name);
        (void)cfg_set_validate_func(parser, name, on_value);
    }
    (void)cfg_set_validate_func(parser, END_MARK, on_value);
}

/* The whole file: the library ends the process when reading fails under it. */
static int read_file(const char *path, struct okno_buf *buf, struct okno_err *err)
{
    struct okno_err why = {0};
    return okno_file_read(path, buf, &why) < 0
               ? okno_fail(err, OKNO_CONFIG, "the configuration: %s", why.text)
               : 0;
}

static int parse(const char *path, const char *text, struct okno_conf *conf, struct okno_err *err)
{
    cfg_t *parser = make_parser();
    if (!parser)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", path);
    struct load load = {.conf = conf, .err = err, .path = path};
    loading = &load;
    (void)cfg_set_error_function(parser, on_error);
    watch_values(parser);
    int result = cfg_parse_buf(parser, text);
    loading = NULL;
    (void)cfg_free(parser);
    if (err->code)
        return err->code;
    if (result == CFG_SUCCESS && load.ended)
        return 0;
    return okno_fail(err, OKNO_CONFIG, "%s: the file ends inside a comment or has a } too many",
                     path);
}

int okno_conf_load(const char *path, struct okno_conf *ret_conf, struct okno_err *err)
{
    static_assert(OKNO_COUNT(options) < OPTIONS_MAX, "raise OPTIONS_MAX");
    enum { FILE_BYTES_MAX = 1 << 20 };
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(FILE_BYTES_MAX);
    struct okno_conf conf;
    struct okno_err first = {0};
    okno_conf_defaults(&conf);
    int rc = read_file(path, &buf, &first);
    if (rc == 0)
        rc = okno_buf_add_text(&buf, "\n" END_MARK " = 1\n", &first);
    if (rc == 0)
        okno_text_blank_comments(buf.data);
    if (rc == 0)
        rc = parse(path, okno_buf_text(&buf), &conf, &first);
    if (rc < 0)
        return okno_fail_field(err, rc, first.field, "%s", first.text);
    *ret_conf = conf;
    return 0;
}

/* --- the example */

static int print_help(struct okno_buf *buf, const char *help, struct okno_err *err)
{
    while (*help) {
        int len = (int)strcspn(help, "\n");
        int rc = okno_buf_printf(buf, err, "    # %.*s\n", len, help);
        if (rc < 0)
            return rc;
        help += len;
        help += *help == '\n';
    }
    return 0;
}

static int print_option(struct okno_buf *buf, const struct okno_option *option,
                        struct okno_err *err)
{
    char allowed[160];
    bool quoted = option->type != OKNO_OPTION_INT && option->type != OKNO_OPTION_REAL &&
                  option->type != OKNO_OPTION_BOOL;
    const char *quote = quoted ? "\"" : "";
    describe(option, allowed, sizeof(allowed));
    int rc = print_help(buf, option->help, err);
    if (rc == 0)
        rc = okno_buf_printf(buf, err, "    # Allowed: %s.\n    %s = %s%s%s\n", allowed,
                             option->name, quote, option->fallback, quote);
    return rc;
}

int okno_conf_example(struct okno_buf *buf, struct okno_err *err)
{
    int rc = okno_buf_add_text(
        buf,
        "# okno.conf: how the service runs, with every option at its default.\n"
        "# Made from the table in src/base/conf.c (build/tools/conf-example); a test compares.\n"
        "# Start with it by `okno --config FILE COMMAND`. Secrets never stand here.\n",
        err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(options); i++) {
        if (starts_section(i))
            rc = okno_buf_printf(buf, err, "%s\n%s {\n", i ? "}\n" : "", options[i].section);
        else
            rc = okno_buf_add_text(buf, "\n", err);
        if (rc == 0)
            rc = print_option(buf, &options[i], err);
    }
    return rc < 0 ? rc : okno_buf_add_text(buf, "}\n", err);
}

struct okno_budget okno_conf_budget(const struct okno_conf *conf, const atomic_bool *cancel)
{
    return (struct okno_budget){.until_us = okno_time_monotonic() +
                                            10 * conf->fetch.deadline_s * OKNO_SECOND_US,
                                .bytes_left = conf->fetch.window_mb * 1000000,
                                .cancel = cancel};
}
