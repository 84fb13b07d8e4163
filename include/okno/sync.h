/* A camera's clock from what it sees: panels light up and people move when buttons are pressed, so
 * the lag at which many presses find some place in the picture beginning to look unlike itself is
 * how far its clock is off. Pure: values in, values out.
 *
 * Every press votes for the lags at which a cell of the picture changed; chance would have to
 * explain how many agree. The bound is Chernoff's for a binomial count, times everything that was
 * tried (Bonferroni). */
#ifndef OKNO_SYNC_H
#define OKNO_SYNC_H

#include "okno/err.h"
#include "okno/vec.h"
#include "okno/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum okno_sync_kind { OKNO_SYNC_PRESS, OKNO_SYNC_ANSWER, OKNO_SYNC_KINDS };

/* A button went down; UTC, as known from its device's clock. */
struct okno_sync_event {
    int64_t at_us;
    int64_t uncertainty_us;
    enum okno_sync_kind kind;
};
OKNO_VEC(okno_sync_event_vec, struct okno_sync_event);

/* A cell that began to look unlike itself between two neighbouring frames, on the camera's index
 * clock. */
struct okno_sync_onset {
    int64_t after_us, by_us;
    uint32_t cell;
    float strength; /* how often the usual change of the cell */
    float away;     /* share of the series in which the cell looked unlike itself */
};
OKNO_VEC(okno_sync_onset_vec, struct okno_sync_onset);

/* Find the onsets of a series and append them: where a cell's brightness and colour leave their
 * median over the series. A light that goes on is one whether it is brighter, darker or of another
 * colour than what it covers, and none when it goes off; so a series has to be much longer than
 * panels stay lit. `from_us` is the index time of its time 0. With `whole` the cells are the whole
 * picture, and what changes in most of them at once (exposure, lamps) is no cell's. Frames more
 * than a second apart say nothing of what was between them. */
OKNO_CHECK int okno_sync_onsets(const struct okno_series *series, bool whole, int64_t from_us,
                                struct okno_sync_onset_vec *onsets, struct okno_err *err);

struct okno_sync_question {
    const struct okno_sync_event *events; /* in order of time */
    size_t event_count;
    const struct okno_interval *seen; /* what footage there is, index time, in order */
    size_t seen_count;
    struct okno_sync_onset *onsets; /* in any order; sorted in place */
    size_t onset_count;
    uint32_t cells;
    int64_t near_us;   /* the offset to look around: index clock - UTC */
    int64_t search_us; /* and how far on each side */
    int64_t frame_us;  /* usual frame interval */
};

enum okno_sync_refusal {
    OKNO_SYNC_FOUND,
    OKNO_SYNC_FEW,       /* fewer than OKNO_SYNC_LEAST events with footage */
    OKNO_SYNC_WEAK,      /* chance explains it */
    OKNO_SYNC_AMBIGUOUS, /* another lag is nearly as good */
    OKNO_SYNC_BUSY, /* the place looks unlike itself too often to say which look is the usual */
    OKNO_SYNC_FLAT  /* the lags of the events that agree spread too far */
};
const char *okno_sync_refusal_name(enum okno_sync_refusal refusal);

enum { OKNO_SYNC_LEAST = 6 };

/* With a refusal, what was the best guess stands here too, for people to look at. */
struct okno_sync_result {
    enum okno_sync_refusal refusal;
    int64_t at_us;          /* UTC: the middle of the events that agree */
    int64_t offset_us;      /* index clock - UTC there */
    int64_t uncertainty_us; /* the events' own clocks not included: two standard errors, at least
                               half a frame */
    int64_t event_uncertainty_us; /* the median of the events' own */
    double rate_ppm;      /* how fast the camera's clock runs away meanwhile; 0 when not tried */
    size_t events;        /* that had footage */
    size_t agreeing;      /* of those, voted for this lag */
    double chance_log10;  /* of so many agreeing without a cause, times all that was tried */
    double runner_up;     /* evidence of the best other lag, as a part of this one's */
    double away;          /* share of the footage in which the best cell looked unlike itself */
    int64_t runner_up_us; /* that lag as an offset */
    enum okno_sync_kind kind; /* of the events that found it */
    uint32_t cell;            /* the best one */
    uint32_t cells;           /* how many answered */
};

/* OKNO_NO_MEMORY, or OKNO_INVALID for a search of more than 10 minutes; weak evidence is no error
 * but a refusal in the result. */
OKNO_CHECK int okno_sync_estimate(struct okno_sync_question *question,
                                  struct okno_sync_result *ret_result, struct okno_err *err);

#endif
