/* The options of an archive's row: "tls=insecure allow=10.0.0.0/8 ...". Private to video/archive.
 */
#ifndef OKNO_VIDEO_ARCHIVE_OPTIONS_H
#define OKNO_VIDEO_ARCHIVE_OPTIONS_H

#include "okno/archive.h"
#include "okno/net.h"

/* X(name, values, help): what every kind takes. */
#define ARCHIVE_OPTIONS(X)                                                                         \
    X("tls", "verify or insecure", "insecure: take this archive's certificate as it is")           \
    X("ca", "path of a PEM file", "who vouches for its certificate")                               \
    X("pin", "sha256//BASE64", "its public key")                                                   \
    X("allow", "networks", "addresses it may have, as 10.0.0.0/8,192.168.7.4")                     \
    X("parallel", "1..32", "sessions at a time")                                                   \
    X("rate", "kilobytes a second", "on the average, by pauses between fetches")                   \
    X("hours", "HH:MM-HH:MM", "of its time zone, in which it is asked")                            \
    X("clock", "http, sntp, onvif or none", "how its clock is looked at")                          \
    X("clock_at", "HOST:PORT or URL", "where, when not at the archive's own host")

/* The value of an option into ret_text; "" when it is not given. OKNO_INVALID, field "options":
 * longer than `size`. */
OKNO_CHECK int options_get(const char *options, const char *name, char *ret_text, size_t size,
                           struct okno_err *err);

/* Every option is named once, is common or one of `more` (NULL at the end; NULL: none). */
OKNO_CHECK int options_check(const char *options, const char *const *more, struct okno_err *err);

/* The names, common ones first: "tls, ca, ...". */
void options_list(const char *const *more, char *ret_text, size_t size);

/* A network object for an archive: login, deadline, TLS and addresses as its row says, the budget
 * watched. `base` is a start of the configuration (schemes, signing), may be NULL. */
OKNO_CHECK int options_open_net(const struct okno_archive_config *config,
                                struct okno_budget *budget, const struct okno_net_config *base,
                                struct okno_net **ret_net, struct okno_err *err);

#endif
