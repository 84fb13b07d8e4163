#include "okno/log.h"
#include "okno/time.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int max_level = OKNO_LOG_INFO;

void okno_log_set_level(enum okno_log_level level)
{
    atomic_store(&max_level, (int)level);
}

static void escape(const char *text, char *ret_text, size_t size)
{
    size_t used = 0;
    for (; *text && used + 5 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            ret_text[used++] = '\\';
            ret_text[used++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            used += (size_t)snprintf(ret_text + used, size - used, "\\x%02x", c);
        } else {
            ret_text[used++] = (char)c;
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
