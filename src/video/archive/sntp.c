/* A client for one question of SNTP over UDP. */
#define _GNU_SOURCE
#include "options.h"
#include "probe.h"

#include "okno/address.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds from 1900 to 1970. */
#define ERA INT64_C(2208988800)

enum { TRIES = 4, TRY_MS = 1000, STRATUM_MOST = 15 };

/* 64-bit NTP time; the era is the one next to ours. */
static uint64_t ntp_of(int64_t us)
{
    int64_t s = us / OKNO_SECOND_US;
    uint64_t fraction = ((uint64_t)(us % OKNO_SECOND_US) << 32) / OKNO_SECOND_US;
    return (uint64_t)(s + ERA) << 32 | fraction;
}

static int64_t ntp_us(uint64_t ntp, int64_t near_us)
{
    int64_t s = (int64_t)(ntp >> 32) - ERA;
    int64_t us = (int64_t)(((ntp & 0xffffffff) * OKNO_SECOND_US) >> 32);
    const int64_t era = INT64_C(1) << 32;
    while (s + era / 2 < near_us / OKNO_SECOND_US)
        s += era;
    return s * OKNO_SECOND_US + us;
}

static void put64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

/* 32-bit seconds with 16 bits of fraction. */
static int64_t short_us(const uint8_t *at)
{
    int64_t value = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    return value * OKNO_SECOND_US / 65536;
}

void sntp_request(int64_t sent_us, uint8_t ret_bytes[SNTP_BYTES])
{
    memset(ret_bytes, 0, SNTP_BYTES);
    ret_bytes[0] = 4 << 3 | 3; /* version 4, client */
    put64(ret_bytes + 40, ntp_of(sent_us));
}

int sntp_answer(const uint8_t *bytes, size_t len, int64_t sent_us, int64_t arrived_us,
                struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    if (len < SNTP_BYTES || (bytes[0] & 7) != 4 || get64(bytes + 24) != ntp_of(sent_us))
        return okno_fail(err, OKNO_PROTOCOL, "an answer that is none to what was asked");
    if (bytes[1] == 0)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "the time server refuses: %.4s",
                         (const char *)bytes + 12);
    if (bytes[0] >> 6 == 3 || bytes[1] > STRATUM_MOST || get64(bytes + 40) == 0)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "the time server does not know the time");
    int64_t received = ntp_us(get64(bytes + 32), sent_us);
    int64_t replied = ntp_us(get64(bytes + 40), sent_us);
    int64_t trip = arrived_us - sent_us - (replied - received);
    if (replied < received || trip < -OKNO_MS_US)
        return okno_fail(err, OKNO_PROTOCOL, "the time server's times contradict each other");
    *ret_clock = (struct okno_archive_clock){
        .offset_us = ((received - sent_us) + (replied - arrived_us)) / 2,
        .uncertainty_us =
            (trip > 0 ? trip / 2 : 0) + OKNO_MS_US + short_us(bytes + 4) / 2 + short_us(bytes + 8),
        .method = "sntp"};
    return 0;
}

/* ---- the network ---- */

bool probe_host(const char *text, char *ret_host, size_t host_size, char *ret_port,
                size_t port_size)
{
    const char *at = strstr(text, "://");
    at = at ? at + 3 : text;
    size_t len = strcspn(at, "/?#");
    const char *user = memchr(at, '@', len);
    if (user) {
        len -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    size_t host = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/?#");
    if (host == 0 || host > len || host >= host_size)
        return false;
    (void)snprintf(ret_host, host_size, "%.*s", (int)host, at);
    bool has_port = host < len && at[host] == ':';
    (void)snprintf(ret_port, port_size, "%.*s", has_port ? (int)(len - host - 1) : 0,
                   has_port ? at + host + 1 : "");
    return true;
}

static int connect_to(const struct okno_archive_config *config, const char *host, const char *port,
                      int *ret_fd, struct okno_err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    struct okno_address_rule rule = {0};
    char allow[1024];
    char bare[256];
    size_t len = strlen(host);
    (void)snprintf(bare, sizeof(bare), "%.*s", (int)(*host == '[' ? len - 2 : len),
                   *host == '[' ? host + 1 : host);
    int rc = options_get(config->options, "allow", allow, sizeof(allow), err);
    if (rc == 0)
        rc = okno_address_rule_parse(allow, &rule, err);
    if (rc < 0)
        return rc;
    int bad = getaddrinfo(bare, port, &hints, &found);
    if (bad)
        return okno_fail(err, OKNO_TRANSIENT, "%s: %s", bare, gai_strerror(bad));
    rc = okno_address_check(&rule, host, found->ai_addr, err);
    if (rc == 0) {
        okno_autoclose int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0)
            rc = okno_fail(err, OKNO_TRANSIENT, "%s: %s", bare, strerror(errno));
        else
            *ret_fd = okno_mem_take_fd(&fd);
    }
    freeaddrinfo(found);
    return rc;
}

/* One question. Answers to others, late ones too, are skipped. */
static int ask_once(int fd, struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    uint8_t bytes[256];
    int64_t began = okno_time_monotonic();
    int64_t sent = okno_time_now();
    int rc = OKNO_PROTOCOL;
    sntp_request(sent, bytes);
    if (send(fd, bytes, SNTP_BYTES, 0) != SNTP_BYTES)
        return okno_fail(err, OKNO_TRANSIENT, "cannot ask the time server: %s", strerror(errno));
    for (int64_t left_ms = TRY_MS; left_ms > 0 && rc == OKNO_PROTOCOL;
         left_ms = TRY_MS - (okno_time_monotonic() - began) / OKNO_MS_US) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, (int)left_ms) <= 0)
            continue;
        ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN)
            return okno_fail(err, OKNO_TRANSIENT, "the time server: %s", strerror(errno));
        okno_err_clear(err);
        if (got > 0)
            rc = sntp_answer(bytes, (size_t)got, sent, sent + okno_time_monotonic() - began,
                             ret_clock, err);
    }
    return rc == OKNO_PROTOCOL && !err->code
               ? okno_fail(err, OKNO_TIMEOUT, "the time server does not answer")
               : rc;
}

int probe_sntp(const struct okno_archive_config *config, const char *server,
               struct okno_budget *budget, struct okno_archive_clock *ret_clock,
               struct okno_err *err)
{
    okno_autoclose int fd = -1;
    char host[256];
    char port[8];
    struct okno_archive_clock best = {0}, one = {0};
    struct okno_err why = {0};
    if (!probe_host(server[0] ? server : config->url, host, sizeof(host), port, sizeof(port)))
        return okno_fail_field(err, OKNO_INVALID, "options",
                               "no host to ask by SNTP: give "
                               "clock_at=HOST:PORT");
    int rc = connect_to(config, host, server[0] && port[0] ? port : "123", &fd, err);
    for (int i = 0; rc == 0 && i < TRIES; i++) {
        rc = okno_budget_check(budget, "asking for the time", err);
        okno_err_clear(&why);
        if (rc < 0 || ask_once(fd, &one, &why) < 0)
            continue;
        if (!best.method || one.uncertainty_us < best.uncertainty_us)
            best = one;
    }
    if (rc < 0)
        return rc;
    if (!best.method)
        return okno_fail(err, why.code ? why.code : OKNO_TIMEOUT, "%s", why.text);
    *ret_clock = best;
    return 0;
}
