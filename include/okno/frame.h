/* What an audit draws from. */
#ifndef OKNO_FRAME_H
#define OKNO_FRAME_H

#include <stdbool.h>

enum okno_frame {
    OKNO_FRAME_SURVEYS,      /* closed surveys: what panels tell */
    OKNO_FRAME_SPONTANEOUS,  /* ratings outside every survey */
    OKNO_FRAME_TRANSACTIONS, /* sales that a till told of: was the customer asked? */
    OKNO_FRAME_MINUTES       /* minutes of the points' opening hours: was there a customer, and was
                                one asked? */
};

#define OKNO_FRAME_WORDS "surveys spontaneous transactions minutes"

/* The word of OKNO_FRAME_WORDS. */
const char *okno_frame_name(enum okno_frame frame);
/* -1 for another word; surveys for NULL. */
int okno_frame_find(const char *word);

/* Whether its units are moments that no survey tells of. */
static inline bool okno_frame_is_visits(enum okno_frame frame)
{
    return frame == OKNO_FRAME_TRANSACTIONS || frame == OKNO_FRAME_MINUTES;
}

#endif
