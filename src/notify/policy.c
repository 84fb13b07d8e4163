/* The pure rules of delivery: quiet hours, what an answer means, how long to wait, the signature.
 */
#include "notify.h"

#include "okno/time.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const int64_t hour_us = 3600 * OKNO_SECOND_US;
static const int64_t minute_us = 60 * OKNO_SECOND_US;

/* --- quiet hours */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Minutes of the day from "HH:MM"; -1 when it is none. */
static int minutes_of(const char *text)
{
    if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' || !is_digit(text[3]) ||
        !is_digit(text[4]))
        return -1;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

static bool read_quiet(const char *quiet, int *ret_from, int *ret_to)
{
    if (strlen(quiet) != 11 || quiet[5] != '-')
        return false;
    *ret_from = minutes_of(quiet);
    *ret_to = minutes_of(quiet + 6);
    return *ret_from >= 0 && *ret_to >= 0 && *ret_from != *ret_to;
}

bool notify_quiet_valid(const char *quiet)
{
    int from, to;
    return *quiet == '\0' || read_quiet(quiet, &from, &to);
}

/* The next moment at which the zone's clocks show `minutes`, at or after the day of `local`. */
static int64_t moment_of(const struct okno_zone *zone, struct okno_civil local, int minutes,
                         int days)
{
    int64_t instants[2];
    int count = 0;
    struct okno_civil midnight = {.year = local.year, .month = local.month, .day = local.day};
    okno_time_to_civil(okno_time_from_civil(&midnight) + days * OKNO_DAY_US, &local);
    local.hour = minutes / 60;
    local.minute = minutes % 60;
    okno_zone_to_utc(zone, &local, instants, &count);
    return instants[0]; /* skipped in spring: by the offset before the jump */
}

int64_t notify_quiet_until(const char *quiet, const struct okno_zone *zone, int64_t now_us)
{
    int from, to;
    struct okno_civil local;
    if (!read_quiet(quiet, &from, &to))
        return 0;
    okno_zone_to_local(zone, now_us, &local);
    int at = local.hour * 60 + local.minute;
    bool overnight = to < from;
    bool inside = overnight ? at >= from || at < to : at >= from && at < to;
    if (!inside)
        return 0;
    int64_t until_us = moment_of(zone, local, to, overnight && at >= from ? 1 : 0);
    return until_us > now_us ? until_us : now_us + minute_us;
}

/* --- answers */

OKNO_PRINTF(4, 5)
static struct notify_ruling rule(enum notify_fate fate, int status, int64_t wait_us,
                                 const char *fmt, ...)
{
    struct notify_ruling ruling = {.fate = fate, .status = status, .wait_us = wait_us};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(ruling.reason, sizeof(ruling.reason), fmt, args);
    va_end(args);
    return ruling;
}

/* A status, whoever names it. */
static struct notify_ruling rule_status(int status, int64_t wait_us, const char *said)
{
    const char *gap = *said ? ": " : "";
    if (status >= 200 && status < 300)
        return rule(NOTIFY_SENT, status, 0, "%s", "");
    if (status >= 300 && status < 400)
        return rule(NOTIFY_RETRY, status, hour_us / 60,
                    "redirected (%d); redirects are not followed, correct the address", status);
    if (status == 401 || status == 403 || status == 404 || status == 407)
        return rule(NOTIFY_RETRY, status, wait_us,
                    "the receiver refuses (%d%s%.80s): check address and secret", status, gap,
                    said);
    if (status == 408 || status == 425 || status == 429)
        return rule(NOTIFY_RETRY, status, wait_us, "the receiver asks to come later (%d)", status);
    if (status >= 400 && status < 500)
        return rule(NOTIFY_DEAD, status, 0, "the receiver takes no such message (%d%s%.80s)",
                    status, gap, said);
    return rule(NOTIFY_RETRY, status, wait_us, "the receiver is in trouble (%d)", status);
}

/* {"ok": true} or {"ok": false, "error_code", "description", "parameters": {"retry_after"}}. */
static struct notify_ruling rule_telegram(const struct okno_post_result *result)
{
    okno_autojson json_t *json =
        json_loadb(okno_buf_text(&result->body), result->body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *ok = json_object_get(json, "ok");
    bool good = result->status >= 200 && result->status < 300;
    if (!json_is_boolean(ok)) {
        if (good)
            return rule(NOTIFY_RETRY, result->status, 0, "the answer is none of Telegram's");
        return rule_status(result->status, result->retry_after_us, "");
    }
    if (json_is_true(ok) && good)
        return rule(NOTIFY_SENT, result->status, 0, "%s", "");
    const json_t *code = json_object_get(json, "error_code");
    const char *said = json_string_value(json_object_get(json, "description"));
    json_int_t wait_s =
        json_integer_value(json_object_get(json_object_get(json, "parameters"), "retry_after"));
    int64_t wait_us = wait_s > 86400 ? OKNO_DAY_US : wait_s > 0 ? wait_s * OKNO_SECOND_US : 0;
    int status =
        json_is_integer(code) && json_integer_value(code) >= 300 && json_integer_value(code) < 600
            ? (int)json_integer_value(code)
        : good ? 500
               : result->status;
    char shown[OKNO_TEXT_SHOWN];
    return rule_status(status, wait_us > result->retry_after_us ? wait_us : result->retry_after_us,
                       okno_text_show(said ? said : "", shown));
}

/* Source: RFC 5321, 4.2; RFC 4954 for what concerns the login. */
static struct notify_ruling rule_email(const struct okno_post_result *result)
{
    char shown[OKNO_TEXT_SHOWN];
    char said[100];
    int status = result->status;
    const char *text = okno_buf_text(&result->body);
    char line[81];
    size_t len = strcspn(text, "\r\n");
    len = okno_text_fit(text, len < sizeof(line) ? len : sizeof(line) - 1);
    (void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
    (void)snprintf(said, sizeof(said), "%d %.80s", status, okno_text_show(line, shown));
    if (status < 400)
        return rule(NOTIFY_SENT, status, 0, "%s", "");
    if (!result->whole)
        return rule(NOTIFY_RETRY, status, 0, "the mail server turns us away (%s)", said);
    if (status == 454 || status == 530 || status == 534 || status == 535 || status == 538)
        return rule(NOTIFY_RETRY, status, 0,
                    "the mail server refuses the login (%s): check user and secret", said);
    if (status < 500)
        return rule(NOTIFY_RETRY, status, 0, "the mail server asks to come later (%s)", said);
    return rule(NOTIFY_DEAD, status, 0, "the mail server takes no such message (%s)", said);
}

struct notify_ruling notify_judge(enum notify_kind kind, const struct okno_post_result *result)
{
    if (result->outcome != OKNO_POST_ANSWERED)
        return rule(NOTIFY_RETRY, 0, 0, "%s", result->why);
    if (kind == NOTIFY_EMAIL)
        return rule_email(result);
    return kind == NOTIFY_TELEGRAM ? rule_telegram(result)
                                   : rule_status(result->status, result->retry_after_us, "");
}

int64_t notify_backoff(int64_t attempt, int64_t first_us, uint32_t chance)
{
    int64_t wait_us = first_us;
    for (int64_t i = 1; i < attempt && wait_us < hour_us; i++)
        wait_us *= 2;
    if (wait_us > hour_us)
        wait_us = hour_us;
    return wait_us * 8 / 10 + wait_us * 4 / 10 * (int64_t)(chance % 1000001U) / 1000000;
}

/* --- the signature */

const char *notify_sign(const char *secret, int64_t seconds, const char *body, char ret_hex[65])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char stamp[24];
    int len = snprintf(stamp, sizeof(stamp), "%lld.", (long long)seconds);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, (unsigned long long)len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
    return sodium_bin2hex(ret_hex, 65, mac, sizeof(mac));
}
