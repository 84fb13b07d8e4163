#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include "okno/time.h"

#include <stdio.h>
#include <unistd.h>

void cli_progress(const char *what, int64_t done, int64_t total)
{
    enum { WIDTH = 30 };
    static int64_t last_us;
    static const char bar[] = "##############################";
    int64_t now_us = okno_time_monotonic();
    if (total <= 0 || !isatty(STDERR_FILENO))
        return;
    if (done < total && now_us - last_us < 100 * OKNO_MS_US)
        return;
    last_us = now_us;
    int filled = (int)(done * WIDTH / total);
    (void)fprintf(stderr, "\r%s [%-*.*s] %lld/%lld%s", what, WIDTH, filled, bar, (long long)done,
                  (long long)total, done == total ? "\n" : "");
}
