#define _GNU_SOURCE
#include "mail.h"

#include "tempdir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPTIONS_MAX = 12 };

static void die(const char *what)
{
    perror(what);
    abort();
}

void support_mail_start(struct support_mail *mail, const char *const *options)
{
    const char *args[OPTIONS_MAX + 4] = {"/usr/bin/python3", "tests/support/mail_server.py"};
    size_t count = 2;
    int ends[2];
    char line[16] = "";
    *mail = (struct support_mail){.dir = support_tempdir()};
    args[count++] = mail->dir;
    for (size_t i = 0; options && options[i] && i < OPTIONS_MAX; i++)
        args[count++] = options[i];
    if (pipe(ends) < 0 || (mail->pid = fork()) < 0)
        die("mail server");
    if (mail->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execv("/usr/bin/python3", (char *const *)(void *)args);
        _exit(127);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got = 0;
    while (len < sizeof(line) - 1 && !strchr(line, '\n') &&
           (got = read(ends[0], line + len, sizeof(line) - 1 - len)) > 0)
        len += (size_t)got;
    (void)close(ends[0]);
    mail->port = (int)strtol(line, NULL, 10);
    if (mail->port <= 0)
        die("the mail server does not start");
}

void support_mail_stop(struct support_mail *mail)
{
    if (mail->pid > 0) {
        (void)kill(mail->pid, SIGKILL);
        (void)waitpid(mail->pid, NULL, 0);
    }
    support_tempdir_remove(mail->dir);
    *mail = (struct support_mail){0};
}

char *support_mail_read(const struct support_mail *mail, int number)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%d.eml", mail->dir, number);
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    if (fstat(fileno(file), &st) < 0)
        die(path);
    char *text = calloc(1, (size_t)st.st_size + 1);
    if (!text || fread(text, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
        die(path);
    (void)fclose(file);
    return text;
}
