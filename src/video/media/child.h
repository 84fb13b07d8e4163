/* The job of a child: media.h's work with sources that ask the caller for every byte. */
#ifndef MEDIA_CHILD_H
#define MEDIA_CHILD_H

#include "host.h"

/* In the media host, before any recording: run the libraries once on a picture of our own, so that
 * their tables are made and their code is bound before each child inherits them. */
void media_child_warm(void);

/* In a child, before its job is there: take the memory that it will need. */
void media_child_ready(void);

/* Do the job described in the memory; answers on the socket. */
void media_child_run(const struct media_link *link);

#endif
