/* Lists over FTP and SFTP: lines for people, as ls -l or IIS write them. */
#define _POSIX_C_SOURCE 200809L
#include "listing.h"

#include "okno/time.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { BODY_MAX_BYTES = 32 * 1024 * 1024, NAME_MAX_BYTES = 255, LINE_MAX_BYTES = 1024 };

/* Zones differ by quarters of an hour, and the list is to the minute. */
static bool is_fresh(int64_t told_us, int64_t now_us)
{
    const int64_t quarter_us = 900 * OKNO_SECOND_US;
    int64_t ago_us = now_us - told_us;
    if (told_us < 0 || llabs(ago_us) > 15 * 3600 * OKNO_SECOND_US)
        return false;
    int64_t rest_us = ((ago_us % quarter_us) + quarter_us) % quarter_us;
    return rest_us < 120 * OKNO_SECOND_US;
}

int listing_add_rough(struct listing *listing, const char *name, int64_t told_us, int64_t size,
                      const char *shown, struct okno_err *err)
{
    int rc = listing_add(listing, name, -1, size, shown, err);
    if (rc == 0)
        listing->files.items[listing->files.len - 1].fresh = is_fresh(told_us, listing->now_us);
    return rc;
}

static const char *next_word(const char *at, char *ret_word, size_t size)
{
    at += strspn(at, " \t");
    size_t len = strcspn(at, " \t");
    (void)snprintf(ret_word, size, "%.*s", (int)(len < size ? len : size - 1), at);
    return at + len;
}

static int month_of(const char *word)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; strlen(word) == 3 && i < 12; i++)
        if (strncasecmp(word, names + 3 * (size_t)i, 3) == 0)
            return i + 1;
    return 0;
}

/* "Nov 25 18:40" or "Nov 25 2026"; the former lies in the last twelve months. */
static int64_t time_of(const char *month, const char *day, const char *clock, int64_t now_us)
{
    struct okno_civil now;
    struct okno_civil c = {.month = month_of(month), .day = (int)strtol(day, NULL, 10)};
    okno_time_to_civil(now_us, &now);
    if (!c.month || c.day < 1 || c.day > 31)
        return -1;
    if (!strchr(clock, ':')) {
        c.year = (int)strtol(clock, NULL, 10);
        return c.year >= 1970 && c.year < 10000 ? okno_time_from_civil(&c) : -1;
    }
    c.year = now.year;
    c.hour = (int)strtol(clock, NULL, 10);
    c.minute = (int)strtol(strchr(clock, ':') + 1, NULL, 10);
    if (c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59)
        return -1;
    int64_t us = okno_time_from_civil(&c);
    if (us > now_us + OKNO_DAY_US) {
        c.year--;
        us = okno_time_from_civil(&c);
    }
    return us;
}

static int64_t size_of(const char *word)
{
    char *end = NULL;
    long long size = isdigit((unsigned char)word[0]) ? strtoll(word, &end, 10) : -1;
    return size >= 0 && !*end ? size : -1;
}

/* -rw-r--r-- 1 owner group 2900000 Nov 25 18:40 14-00-00.mp4 */
static bool read_ls(const char *line, int64_t now_us, char *ret_name, int64_t *ret_time_us,
                    int64_t *ret_size)
{
    char words[5][64];
    char month[16];
    char day[16];
    char clock[16];
    const char *at = line;
    if (line[0] != '-')
        return false; /* folders, links, "total 8" */
    for (int i = 0; i < 5; i++)
        at = next_word(at, words[i], sizeof(words[i]));
    at = next_word(at, month, sizeof(month));
    at = next_word(at, day, sizeof(day));
    at = next_word(at, clock, sizeof(clock));
    *ret_size = size_of(words[4]);
    *ret_time_us = time_of(month, day, clock, now_us);
    if (*at != ' ' || *ret_size < 0 || *ret_time_us < 0 || strlen(at + 1) > NAME_MAX_BYTES)
        return false;
    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", at + 1);
    return ret_name[0] != '\0';
}

/* 03-10-26  02:01PM              2900000 14-00-00.mp4 */
static bool read_iis(const char *line, char *ret_name, int64_t *ret_size)
{
    char date[16] = ""; /* one character may be all of a line */
    char clock[16];
    char size[32];
    const char *at = next_word(line, date, sizeof(date));
    if (!isdigit((unsigned char)date[0]) || date[2] != '-')
        return false;
    at = next_word(at, clock, sizeof(clock));
    at = next_word(at, size, sizeof(size));
    *ret_size = size_of(size); /* <DIR> has none */
    at += strspn(at, " \t");
    if (*ret_size < 0 || !*at || strlen(at) > NAME_MAX_BYTES)
        return false;
    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", at);
    return true;
}

static bool is_total(const char *line)
{
    return strncmp(line, "total ", 6) == 0;
}

int listing_parse_ls(const char *text, size_t len, const char *shown, int64_t now_us,
                     struct listing *ret_listing, struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = now_us};
    const char *end = text + len;
    size_t strange = 0;
    int rc = 0;
    while (rc == 0 && text < end) {
        char line[LINE_MAX_BYTES];
        char name[NAME_MAX_BYTES + 1];
        int64_t time_us = -1;
        int64_t size = -1;
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t part = (size_t)((stop ? stop : end) - text);
        (void)snprintf(line, sizeof(line), "%.*s",
                       (int)(part < sizeof(line) ? part : sizeof(line) - 1), text);
        line[strcspn(line, "\r")] = '\0';
        bool good = read_ls(line, now_us, name, &time_us, &size) || read_iis(line, name, &size);
        if (good && !strchr(name, '/') && part < sizeof(line))
            rc = listing_add_rough(&listing, name, time_us, size, shown, err);
        strange += !good && line[0] && !strchr("dlbcps", line[0]) && !is_total(line) &&
                   !isdigit((unsigned char)line[0]);
        text = stop ? stop + 1 : end;
    }
    if (rc == 0 && listing.files.len == 0 && strange > 0)
        rc = okno_fail(err, OKNO_PROTOCOL, "%s: the list of files has a form that is not known",
                       shown);
    if (rc == 0)
        listing_take(&listing, ret_listing);
    return rc;
}

int listing_read_ftp(struct okno_net *net, const char *url, struct listing *ret_listing,
                     struct okno_err *err)
{
    char shown[256] = "";
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX_BYTES);
    struct okno_net_reply reply;
    int rc = okno_net_get(net, url, &body, &reply, err);
    if (rc < 0)
        return rc;
    (void)okno_net_shown(url, shown, sizeof(shown));
    return listing_parse_ls(okno_buf_text(&body), body.len, shown, okno_time_now(), ret_listing,
                            err);
}
