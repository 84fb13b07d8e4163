/* peak: runs a program and prints the most memory it had at once (VmHWM), in MiB; of the largest
 * process where it starts others and waits for them. Its output is
 * dropped, its messages are not; ends as it does.
 *
 *     build/tools/peak PROGRAM [ARGUMENT...] */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char **words)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDOUT_FILENO);
    (void)execvp(words[0], words);
    perror(words[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status = 0;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: peak PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    pid_t child = fork();
    if (child == 0)
        return run(argv + 1);
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror("peak");
        return 1;
    }
    printf("%.1f\n", (double)used.ru_maxrss / 1024);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
