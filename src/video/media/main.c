/* okno-media: the media host, a program of its own, so that okno starts without the libraries that
 * read recordings (the dynamic linker takes longer for them than for all else) and forks as a small
 * process. okno starts it (host.c) and is all that it talks to. */
#include "child.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static const struct media_setup setup = {
        .warm = media_child_warm, .ready = media_child_ready, .run = media_child_run};
    if (argc == 2)
        media_host_become(&setup, argv[1]);
    fprintf(stderr, "okno-media belongs to okno, which starts it: both must be of one build\n");
    return 2;
}
