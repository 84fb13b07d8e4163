/* Real servers as ordinary processes on free ports of 127.0.0.1. They die with the test. */
#ifndef OKNO_TESTS_SUPPORT_PROGRAM_H
#define OKNO_TESTS_SUPPORT_PROGRAM_H

/* A port that nobody uses now. */
int support_free_port(void);

/* Start a program (its path first, NULL at the end) and wait until it listens on the port. Its
 * output goes to `log`, a file; ends the test with that text when it does not listen within 20 s.
 * Returns its pid. */
int support_program_start(const char *const *args, int port, const char *log);
/* 0 allowed. */
void support_program_stop(int pid);

/* Run a program to its end; its exit status. */
int support_program_run(const char *const *args);

/* A certificate of its own for localhost and 127.0.0.1: DIR/cert.pem and DIR/key.pem. */
void support_certificate(const char *dir);

#endif
