#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include "okno/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int set_integer(const struct cli_option *option, const char *value, struct okno_err *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno || end == value || *end)
        return okno_fail(err, OKNO_USAGE, "%s takes a whole number, not \"%.40s\"", option->name,
                         value);
    *option->integer = number;
    return 0;
}

static int set_real(const struct cli_option *option, const char *value, struct okno_err *err)
{
    char *end = NULL;
    errno = 0;
    double number = strtod(value, &end);
    if (errno || end == value || *end)
        return okno_fail(err, OKNO_USAGE, "%s takes a number, not \"%.40s\"", option->name, value);
    *option->real = number;
    return 0;
}

static int set_time(const struct cli_option *option, const char *value, struct okno_err *err)
{
    if (okno_time_parse(value, option->time_us, err) == 0)
        return 0;
    okno_err_context(err, "%s", option->name);
    return OKNO_USAGE;
}

static int set(const struct cli_option *option, const char *value, struct okno_err *err)
{
    if (!value)
        return okno_fail(err, OKNO_USAGE, "%s needs a value", option->name);
    if (option->integer)
        return set_integer(option, value, err);
    if (option->real)
        return set_real(option, value, err);
    if (option->time_us)
        return set_time(option, value, err);
    *option->text = value;
    return 0;
}

static const struct cli_option *find(const struct cli_option *options, size_t count,
                                     const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

int cli_options(int argc, char **argv, const struct cli_option *options, size_t count,
                int *ret_rest, struct okno_err *err)
{
    int rest = 1;
    int rc = 0;
    for (int i = 1; rc == 0 && i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') { /* "-" is standard input */
            argv[rest++] = argv[i];
            continue;
        }
        const struct cli_option *option = find(options, count, argv[i]);
        if (!option)
            return okno_fail(err, OKNO_USAGE, "unknown option %.40s; `okno %s --help` lists them",
                             argv[i], argv[0]);
        if (option->flag)
            *option->flag = true;
        else
            rc = set(option, i + 1 < argc ? argv[++i] : NULL, err);
    }
    if (rc == 0)
        *ret_rest = rest - 1;
    return rc;
}
