#include "okno/err.h"

#include "okno/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ERR_ROW(name, number, http, exit, en, ru) {-(number), #name, http, exit, en, ru},
static const struct okno_code_info code_rows[] = {OKNO_ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

enum { CODE_COUNT = sizeof(code_rows) / sizeof(code_rows[0]) };

/* The table's names are upper case in C and lower case for users: lowered once, before main. */
static char lower_names[CODE_COUNT][32];
static struct okno_code_info lower_rows[CODE_COUNT];

__attribute__((constructor)) static void lower_table(void)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        for (size_t j = 0; code_rows[i].name[j] && j + 1 < sizeof(lower_names[i]); j++)
            lower_names[i][j] = (char)tolower((unsigned char)code_rows[i].name[j]);
        lower_rows[i] = code_rows[i];
        lower_rows[i].name = lower_names[i];
    }
}

const struct okno_code_info *okno_code_info(int code)
{
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (lower_rows[i].code == code)
            return &lower_rows[i];
    return &lower_rows[0];
}

const struct okno_code_info *okno_code_table(size_t *ret_count)
{
    *ret_count = CODE_COUNT;
    return lower_rows;
}

OKNO_PRINTF(4, 0)
static int record(struct okno_err *err, int code, const char *field, const char *fmt, va_list args)
{
    if (!err)
        return code;
    if (err->code)
        return err->code;
    err->code = code;
    (void)snprintf(err->field, sizeof(err->field), "%s", field);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    okno_text_calm(err->text); /* it quotes archives and other strangers */
    return code;
}

int okno_fail(struct okno_err *err, int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int result = record(err, code, "", fmt, args);
    va_end(args);
    return result;
}

int okno_fail_field(struct okno_err *err, int code, const char *field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int result = record(err, code, field, fmt, args);
    va_end(args);
    return result;
}

int okno_fail_retry(struct okno_err *err, int code, int64_t retry_us, const char *fmt, ...)
{
    va_list args;
    bool first = err && !err->code;
    va_start(args, fmt);
    int result = record(err, code, "", fmt, args);
    va_end(args);
    if (first)
        err->retry_us = retry_us;
    return result;
}

int okno_fail_from(struct okno_err *err, const struct okno_err *from)
{
    if (!err)
        return from->code;
    if (!err->code)
        *err = *from;
    return err->code;
}

static int code_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return OKNO_NO_SPACE;
    case ENOMEM:
        return OKNO_NO_MEMORY;
    case ENOENT:
        return OKNO_NOT_FOUND;
    default:
        return OKNO_IO;
    }
}

int okno_fail_errno(struct okno_err *err, int number, const char *fmt, ...)
{
    if (err && err->code)
        return err->code;
    va_list args;
    va_start(args, fmt);
    int code = record(err, code_of_errno(number), "", fmt, args);
    va_end(args);
    if (err) {
        size_t used = strlen(err->text);
        (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(number));
    }
    return code;
}

void okno_err_context(struct okno_err *err, const char *fmt, ...)
{
    if (!err || !err->code)
        return;
    char old[sizeof(err->text)];
    memcpy(old, err->text, sizeof(old));
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    okno_text_calm(err->text);
    size_t used = strlen(err->text);
    bool said = strncmp(old, err->text, used) == 0 && old[used] == ':';
    (void)snprintf(err->text + used, sizeof(err->text) - used, "%s%s", said ? "" : ": ",
                   said ? old + used : old);
}

void okno_err_clear(struct okno_err *err)
{
    if (err) {
        err->code = 0;
        err->field[0] = err->text[0] = '\0';
    }
}
