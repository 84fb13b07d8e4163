/* A real nginx as an ordinary process on a free loopback port, for tests of archives. */
#ifndef OKNO_TESTS_SUPPORT_NGINX_H
#define OKNO_TESTS_SUPPORT_NGINX_H

struct support_nginx {
    int pid;
    int port;
    char *prefix; /* owned: private folder with configuration and logs; removed at the end */
    char url[64]; /* http://127.0.0.1:PORT */
};

/* Serve `root` at /, with directives of the server block added (NULL for none; "access_log FILE
 * timed;" tells ends in seconds, how long, the connection's number and body bytes);
 * with an ssl_certificate among them it speaks TLS. It listens when
 * this returns, and dies with the test. */
void support_nginx_start(struct support_nginx *nginx, const char *root, const char *directives);
void support_nginx_stop(struct support_nginx *nginx);

/* An outage: nobody listens on the port until the same nginx is there again. */
void support_nginx_pause(struct support_nginx *nginx);
void support_nginx_resume(struct support_nginx *nginx);

#endif
