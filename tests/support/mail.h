/* A real mail server (mail_server.py says which, and how it is made to fail) as an ordinary process
 * on a free port of 127.0.0.1. It listens when the start returns, and dies with the test. */
#ifndef OKNO_TESTS_SUPPORT_MAIL_H
#define OKNO_TESTS_SUPPORT_MAIL_H

#include <stddef.h>

struct support_mail {
    int pid;
    int port;
    char *dir; /* owned: what it took, as N.eml */
};

/* `options` as mail_server.py takes them, NULL ends the list. */
void support_mail_start(struct support_mail *mail, const char *const *options);
void support_mail_stop(struct support_mail *mail);

/* The n-th message taken, from 1; NULL when there is none. The caller frees it. */
char *support_mail_read(const struct support_mail *mail, int number);

#endif
