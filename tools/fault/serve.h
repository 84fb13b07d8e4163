/* One connection of the fault server: a folder of recordings, listed as nginx lists (JSON) and read
 * by ranges, except that the fault in force spoils it. */
#ifndef FAULT_SERVE_H
#define FAULT_SERVE_H

/* X(name in the mode file, what the server does) */
#define FAULTS(X)                                                                                  \
    X(none, "answers as it should")                                                                \
    X(delay, "says nothing for a minute")                                                          \
    X(drip, "sends one byte a second")                                                             \
    X(truncate, "closes in the middle of the body")                                                \
    X(length, "announces ten bytes more than it sends")                                            \
    X(reset, "resets the connection in the middle of the body")                                    \
    X(loopback, "redirects to another port of this machine")                                       \
    X(localfile, "redirects to file:///etc/passwd")                                                \
    X(endless, "never ends the body")                                                              \
    X(trickle, "sends 100 bytes a second")                                                         \
    X(over, "sends 1,000 bytes more than the range that was asked, and announces them")            \
    X(whole, "sends 200 and all of it for any range")                                              \
    X(vanish, "answers 404 for all but the beginning of a recording")                              \
    X(replace, "has another recording under the same name for all but its beginning")              \
    X(playlist, "sends an HLS playlist that names other addresses in place of a recording")        \
    X(login, "answers 200 with a login page")                                                      \
    X(range, "sends another range than the one asked")                                             \
    X(skew, "has a clock that is a day off")                                                       \
    X(remove, "lists recordings that are not there any more")                                      \
    X(s401, "answers 401")                                                                         \
    X(s403, "answers 403")                                                                         \
    X(s404, "answers 404")                                                                         \
    X(s416, "answers 416")                                                                         \
    X(s429, "answers 429, wait 90 s")                                                              \
    X(s500, "answers 500")                                                                         \
    X(s503, "answers 503, wait 120 s")

enum fault_name {
#define FAULT_ENUM(name, what) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
};

struct serve_config {
    const char *root;
    const char *mode; /* file: "NAME" or "NAME list" or "NAME file"; read for every request */
    const char *log;  /* file: a line for every request, with its path and range; NULL: none */
};

/* Answer one request on a socket and close it. */
void serve_connection(const struct serve_config *config, int fd);

#endif
