#define _POSIX_C_SOURCE 200809L
#include "okno/log.h"

#include "okno/text.h"
#include "okno/time.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int max_level = OKNO_LOG_INFO;

void okno_log_set_level(enum okno_log_level level)
{
    atomic_store(&max_level, (int)level);
}

/* Bytes of the character at `text` that a terminal and a log reader take as they are; 0 for
 * controls (C1 too: U+009B is an escape) and broken UTF-8. */
static size_t plain_len(const unsigned char *text)
{
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    if (text[0] == 0xc2 && text[1] < 0xa0)
        return 0;
    size_t len = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    return strnlen((const char *)text, len) == len && okno_text_is_utf8(text, len) ? len : 0;
}

static void escape(const char *text, char *ret_text, size_t size)
{
    size_t used = 0;
    for (; *text && used + 5 < size; text++) {
        const unsigned char *at = (const unsigned char *)text;
        size_t plain = plain_len(at);
        if (*at == '"' || *at == '\\') {
            ret_text[used++] = '\\';
            ret_text[used++] = *text;
        } else if (plain == 0) {
            used += (size_t)snprintf(ret_text + used, size - used, "\\x%02x", *at);
        } else {
            memcpy(ret_text + used, text, plain);
            used += plain;
            text += plain - 1;
        }
    }
    ret_text[used] = '\0';
}

void okno_log(enum okno_log_level level, const char *room, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if ((int)level > atomic_load(&max_level))
        return;
    char text[1024];
    char safe[2048];
    char line[2304];
    char now[OKNO_TIME_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    escape(text, safe, sizeof(safe));
    int len = snprintf(line, sizeof(line), "ts=%s level=%s room=%s msg=\"%s\"\n",
                       okno_time_format(okno_time_now(), now), names[level], room, safe);
    if (len > 0)
        (void)!write(STDERR_FILENO, line, (size_t)len);
}
