/* Which addresses a configured host may turn out to be. Checked on what the connection is really
 * made to, after DNS, so that a name cannot lead into this machine or to a cloud's metadata.
 *
 * Without a list: an address written in the URL itself is what was meant, whatever it is; so is
 * this machine for "localhost". A name may be any public or private address, but not this machine,
 * link-local (169.254/16, fe80::/10), multicast, broadcast or unspecified. With a list: only
 * addresses in it. An IPv4 address inside IPv6 (mapped, 6to4, NAT64) counts as that address. */
#ifndef OKNO_ADDRESS_H
#define OKNO_ADDRESS_H

#include "okno/err.h"

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

enum { OKNO_ADDRESS_NETS = 16 };

struct okno_address_net {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;          /* 0..128 */
};

struct okno_address_rule {
    struct okno_address_net nets[OKNO_ADDRESS_NETS];
    size_t count; /* 0: the rule without a list */
};

/* "10.0.0.0/8 192.168.7.4 fd00::/8", separated by blanks or commas. OKNO_INVALID names the entry.
 */
OKNO_CHECK int okno_address_rule_parse(const char *text, struct okno_address_rule *ret_rule,
                                       struct okno_err *err);

/* `host` is the host as the URL spells it ("[::1]" with or without brackets). 0, or
 * OKNO_ARCHIVE_REFUSED with a message that names host and address. */
OKNO_CHECK int okno_address_check(const struct okno_address_rule *rule, const char *host,
                                  const struct sockaddr *address, struct okno_err *err);

#endif
