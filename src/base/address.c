#define _POSIX_C_SOURCE 200809L
#include "okno/address.h"

#include "okno/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void put_v4(const void *four, uint8_t ret_bytes[16])
{
    memcpy(ret_bytes, mapped, sizeof(mapped));
    memcpy(ret_bytes + 12, four, 4);
}

static bool matches(const uint8_t *bytes, const uint8_t *net, int bits)
{
    int whole = bits / 8;
    int rest = bits % 8;
    if (memcmp(bytes, net, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ net[whole]) >> (8 - rest)) == 0;
}

/* An IPv4 address that travels inside an IPv6 one is that address. */
static void unwrap(uint8_t bytes[16])
{
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t none[12] = {0};
    uint8_t four[4];
    if (bytes[0] == 0x20 && bytes[1] == 0x02)
        memcpy(four, bytes + 2, 4);
    else if (memcmp(bytes, nat64, sizeof(nat64)) == 0 ||
             (memcmp(bytes, none, sizeof(none)) == 0 && bytes[12] != 0))
        memcpy(four, bytes + 12, 4);
    else
        return;
    put_v4(four, bytes);
}

static bool read_address(const struct sockaddr *address, uint8_t ret_bytes[16])
{
    if (address->sa_family == AF_INET) {
        put_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, ret_bytes);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(ret_bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    unwrap(ret_bytes);
    return true;
}

/* "[::1]", "::1", "10.0.0.1". */
static bool read_literal(const char *text, size_t len, uint8_t ret_bytes[16])
{
    char copy[64];
    struct in_addr four;
    if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    copy[strcspn(copy, "%")] = '\0'; /* a zone */
    if (inet_pton(AF_INET, copy, &four) == 1)
        put_v4(&four, ret_bytes);
    else if (inet_pton(AF_INET6, copy, ret_bytes) == 1)
        unwrap(ret_bytes);
    else
        return false;
    return true;
}

static int read_net(const char *text, size_t len, struct okno_address_net *ret_net,
                    struct okno_err *err)
{
    struct okno_address_net net = {.bits = 128};
    const char *slash = memchr(text, '/', len);
    size_t host = slash ? (size_t)(slash - text) : len;
    bool good = read_literal(text, host, net.bytes);
    if (good && slash) {
        char *end = NULL;
        bool four = memcmp(net.bytes, mapped, sizeof(mapped)) == 0 && !memchr(text, ':', host);
        long bits = strtol(slash + 1, &end, 10);
        good = end == text + len && end > slash + 1 && bits >= 0 && bits <= (four ? 32 : 128);
        net.bits = (int)bits + (four ? 96 : 0);
    }
    if (!good)
        return okno_fail(err, OKNO_INVALID,
                         "\"%.*s\" is no address or network; write 10.0.0.0/8 or fd00::/8",
                         (int)(len < 60 ? len : 60), text);
    *ret_net = net;
    return 0;
}

int okno_address_rule_parse(const char *text, struct okno_address_rule *ret_rule,
                            struct okno_err *err)
{
    struct okno_address_rule rule = {0};
    for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
        size_t len = strcspn(text, " ,");
        if (rule.count == OKNO_ADDRESS_NETS)
            return okno_fail(err, OKNO_INVALID, "more than %d networks", OKNO_ADDRESS_NETS);
        int rc = read_net(text, len, &rule.nets[rule.count], err);
        if (rc < 0)
            return rc;
        rule.count++;
        text += len;
    }
    *ret_rule = rule;
    return 0;
}

static bool is_this_machine(const uint8_t b[16])
{
    static const uint8_t one[16] = {[15] = 1};
    return (memcmp(b, mapped, sizeof(mapped)) == 0 && b[12] == 127) || memcmp(b, one, 16) == 0;
}

/* Not where a recorder is found by name. */
static bool is_special(const uint8_t b[16])
{
    static const uint8_t none[16] = {0};
    if (memcmp(b, mapped, sizeof(mapped)) == 0)
        return b[12] == 0 || b[12] >= 224 || (b[12] == 169 && b[13] == 254);
    return memcmp(b, none, 16) == 0 || b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

static bool is_local_name(const char *host)
{
    size_t len = strlen(host);
    return strcasecmp(host, "localhost") == 0 ||
           (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0);
}

static bool is_allowed(const struct okno_address_rule *rule, const char *host,
                       const uint8_t bytes[16])
{
    uint8_t literal[16];
    for (size_t i = 0; rule && i < rule->count; i++)
        if (matches(bytes, rule->nets[i].bytes, rule->nets[i].bits))
            return true;
    if (rule && rule->count)
        return false;
    if (read_literal(host, strlen(host), literal))
        return memcmp(literal, bytes, 16) == 0;
    if (is_this_machine(bytes))
        return is_local_name(host);
    return !is_special(bytes);
}

int okno_address_check(const struct okno_address_rule *rule, const char *host,
                       const struct sockaddr *address, struct okno_err *err)
{
    uint8_t bytes[16];
    char shown[INET6_ADDRSTRLEN] = "an address of another kind";
    bool known = read_address(address, bytes);
    if (known && is_allowed(rule, host, bytes))
        return 0;
    if (known && memcmp(bytes, mapped, sizeof(mapped)) == 0)
        (void)inet_ntop(AF_INET, bytes + 12, shown, sizeof(shown));
    else if (known)
        (void)inet_ntop(AF_INET6, bytes, shown, sizeof(shown));
    return okno_fail(err, OKNO_ARCHIVE_REFUSED,
                     "%.80s is %s, which %s; name the network in the archive's option allow if it "
                     "is right",
                     host, shown,
                     rule && rule->count ? "is not in its option allow"
                                         : "no archive is reached at by name");
}
