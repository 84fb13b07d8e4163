#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_MAX = 1024 };

/* A shorter password than that is hidden only where it is known to stand in paths: it would make
 * stars of any word. */
enum { HIDDEN_MIN = 4 };

/* The next "name=value" of the text; false at its end. Values hold no blanks. */
static bool next_option(const char **at, const char **ret_name, size_t *ret_name_len,
                        const char **ret_value, size_t *ret_value_len)
{
    const char *text = *at + strspn(*at, " \t");
    size_t len = strcspn(text, " \t");
    size_t name = strcspn(text, "= \t");
    if (len == 0)
        return false;
    *ret_name = text;
    *ret_name_len = name;
    *ret_value = name < len ? text + name + 1 : text + len;
    *ret_value_len = name < len ? len - name - 1 : 0;
    *at = text + len;
    return true;
}

int options_get(const char *options, const char *name, char *ret_text, size_t size,
                struct okno_err *err)
{
    const char *at = options ? options : "";
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;
    ret_text[0] = '\0';
    while (next_option(&at, &key, &key_len, &value, &value_len)) {
        if (strlen(name) != key_len || strncmp(name, key, key_len) != 0)
            continue;
        if (value_len >= size)
            return okno_fail_field(err, OKNO_INVALID, "options", "%s is longer than %zu characters",
                                   name, size - 1);
        memcpy(ret_text, value, value_len);
        ret_text[value_len] = '\0';
    }
    return 0;
}

int okno_archive_option(const char *options, const char *name, char *ret_text, size_t size,
                        struct okno_err *err)
{
    return options_get(options, name, ret_text, size, err);
}

#define OPTION_NAME(name, values, help) name,
static const char *const common[] = {ARCHIVE_OPTIONS(OPTION_NAME) NULL};
#undef OPTION_NAME

static bool is_in(const char *const *names, const char *name, size_t len)
{
    for (size_t i = 0; names && names[i]; i++)
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return true;
    return false;
}

void options_list(const char *const *more, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (int half = 0; half < 2; half++) {
        const char *const *names = half ? more : common;
        for (size_t i = 0; names && names[i] && used < size; i++)
            used +=
                (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "", names[i]);
    }
}

/* How often a name stands in the options. */
static int occurrences(const char *options, const char *name, size_t len)
{
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;
    int count = 0;
    while (next_option(&options, &key, &key_len, &value, &value_len))
        count += key_len == len && strncmp(key, name, len) == 0;
    return count;
}

static int number_check(const char *options, const char *name, long most, struct okno_err *err)
{
    char text[32];
    char *end = NULL;
    int rc = options_get(options, name, text, sizeof(text), err);
    if (rc < 0 || !text[0])
        return rc;
    long number = strtol(text, &end, 10);
    if (*end || number < 1 || number > most)
        return okno_fail_field(err, OKNO_INVALID, "options", "%s=%s: a whole number from 1 to %ld",
                               name, text, most);
    return 0;
}

/* A path among the options that leads nowhere would be found out at the first connection only. */
static int file_check(const char *options, const char *name, struct okno_err *err)
{
    char path[VALUE_MAX];
    int rc = options_get(options, name, path, sizeof(path), err);
    if (rc == 0 && path[0] && access(path, R_OK) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "options",
                             "%s=%.160s cannot be read: %s; write the path of a file there is",
                             name, path, strerror(errno));
    return rc;
}

/* How it is reached safely, whatever the kind. */
static int safety_check(const char *options, struct okno_err *err)
{
    static const char *const files[] = {"ca", "known_hosts", "key_file"};
    char tls[16];
    char allow[VALUE_MAX] = "";
    struct okno_address_rule rule = {0};
    struct okno_err why = {0};
    int rc = options_get(options, "tls", tls, sizeof(tls), err);
    if (rc == 0 && tls[0] && !okno_text_is_word(tls, "verify insecure"))
        rc = okno_fail_field(err, OKNO_INVALID, "options",
                             "tls=%s: allowed are verify and insecure", tls);
    if (rc == 0)
        rc = options_get(options, "allow", allow, sizeof(allow), err);
    if (rc == 0 && okno_address_rule_parse(allow, &rule, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "options", "allow: %s", why.text);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(files); i++)
        rc = file_check(options, files[i], err);
    return rc;
}

/* What the core keeps to, whatever the kind. */
static int turns_check(const char *options, struct okno_err *err)
{
    char hours[32];
    int from = 0, to = 0;
    int rc = number_check(options, "parallel", 32, err);
    if (rc == 0)
        rc = number_check(options, "rate", 10000000, err);
    if (rc == 0)
        rc = options_get(options, "hours", hours, sizeof(hours), err);
    if (rc == 0 && hours[0] && !okno_time_hours(hours, &from, &to))
        rc = okno_fail_field(err, OKNO_INVALID, "options", "hours=%s: write 20:00-08:00", hours);
    return rc;
}

int options_check(const char *options, const char *const *more, struct okno_err *err)
{
    const char *at = options ? options : "";
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;
    char way[16];
    int rc = 0;
    while (next_option(&at, &key, &key_len, &value, &value_len)) {
        char names[256];
        int shown = key_len < 40 ? (int)key_len : 40;
        options_list(more, names, sizeof(names));
        if (value_len == 0)
            return okno_fail_field(err, OKNO_INVALID, "options",
                                   "\"%.*s\" has no value; write name=value, separated by blanks",
                                   shown, key);
        if (!is_in(common, key, key_len) && !is_in(more, key, key_len))
            return okno_fail_field(err, OKNO_INVALID, "options",
                                   "there is no option \"%.*s\" for this kind; there are: %s",
                                   shown, key, names);
        if (occurrences(options, key, key_len) > 1)
            return okno_fail_field(err, OKNO_INVALID, "options", "\"%.*s\" is given twice", shown,
                                   key);
    }
    rc = turns_check(options, err);
    if (rc == 0)
        rc = safety_check(options, err);
    if (rc == 0)
        rc = options_get(options, "clock", way, sizeof(way), err);
    if (rc == 0 && way[0] && !okno_text_is_word(way, "http sntp onvif none"))
        rc = okno_fail_field(err, OKNO_INVALID, "options",
                             "clock=%s: allowed are http, sntp, onvif and none", way);
    return rc;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

int options_open_net(const struct okno_archive_config *config, struct okno_budget *budget,
                     const struct okno_net_config *base, struct okno_net **ret_net,
                     struct okno_err *err)
{
    struct okno_net_config net = base ? *base : (struct okno_net_config){0};
    struct okno_address_rule rule = {0};
    char tls[16] = "";
    char ca[VALUE_MAX] = "";
    char pin[VALUE_MAX] = "";
    char allow[VALUE_MAX] = "";
    int rc = options_get(config->options, "tls", tls, sizeof(tls), err);
    if (rc == 0)
        rc = options_get(config->options, "ca", ca, sizeof(ca), err);
    if (rc == 0)
        rc = options_get(config->options, "pin", pin, sizeof(pin), err);
    if (rc == 0)
        rc = options_get(config->options, "allow", allow, sizeof(allow), err);
    if (rc == 0)
        rc = okno_address_rule_parse(allow, &rule, err);
    if (rc < 0)
        return rc;
    net.user = net.sign ? NULL : config->user; /* what signs keeps the secret to itself */
    net.password = net.sign ? NULL : config->password;
    net.hide =
        config->password && strlen(config->password) >= HIDDEN_MIN ? config->password : net.hide;
    net.deadline_us = config->deadline_us;
    net.budget = budget;
    net.rule = &rule;
    net.insecure = strcmp(tls, "insecure") == 0;
    net.ca_file = or_null(ca);
    net.pin = or_null(pin);
    return okno_net_open(&net, ret_net, err);
}
