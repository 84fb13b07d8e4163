/* Programmes: continuous monitoring by audits of one local day each, which freeze, checkpoint, seed
 * and draw by themselves. Every day is an ordinary audit named PROGRAMME-YYYYMMDD with its steps in
 * the log; days are the strata of figures over any period.
 *
 * The seed comes from a source declared with the programme, before any frame: a public beacon whose
 * round is fixed by the checkpoint and lies after it, or secrets to which named people bound
 * themselves before the checkpoint and which they reveal after it. */
#ifndef OKNO_PROGRAMME_H
#define OKNO_PROGRAMME_H

#include "okno/audit.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/net.h"
#include "okno/survey.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_PROGRAMME_DAYS_MAX 1000 /* of one period of figures, or catching up */
#define OKNO_PROGRAMME_PEOPLE_MAX 8

/* Texts are borrowed for the call. */
struct okno_programme {
    const char *programme; /* id of up to 50 characters */
    const char *title;
    const char *zone;        /* whose calendar the days are of */
    const char *from_day;    /* 2026-03-10: the first one */
    int64_t size;            /* drawn each day; a smaller day is drawn whole */
    int64_t after_min;       /* minutes after midnight before a day is frozen */
    const char *accepted;    /* why days are frozen though panels were not heard; "": they wait */
    double fm_threshold;     /* a day of a higher force majeure level is not frozen; 0: none such */
    const char *accepted_fm; /* why it is, all the same; "": it waits */
    bool show_answer;
    double k, level, undeterminable_limit, double_share;
    int64_t looks; /* of each day: with 2 a reserve is fetched and one round may follow the draw */
    /* the seed: a beacon, or people */
    const char *beacon; /* URL or absolute path with {round} or {day} in it; NULL: people */
    int64_t genesis_s, period_s; /* of rounds: UNIX seconds of round 1, seconds between rounds */
    const char *people;          /* names, with commas */
    /* capacity */
    double expert_hours;     /* for reviews, a day; 0: not said */
    int64_t seconds_an_item; /* 0: the median measured so far, 60 before there is one */
    /* report */
    const char *report_to;  /* destination of kind email; "": none */
    const char *report_dir; /* absolute path; "": none */
};

/* A new programme, or the next version of one: days begun keep what they began with, and what is
 * paused stays so.
 * OKNO_INVALID and OKNO_MISSING name the field. */
OKNO_CHECK int okno_programme_put(struct okno_db *db, const struct okno_programme *programme,
                                  const char *author, int64_t now_us, struct okno_err *err);
/* OKNO_NOT_FOUND. */
OKNO_CHECK int okno_programme_pause(struct okno_db *db, const char *programme, bool paused,
                                    const char *author, int64_t now_us, struct okno_err *err);

/* A new object: programme, title, paused, settings, capacity {items_a_day, seconds_an_item,
 * measured, hours_needed, hours_there, enough}, waiting (items), days [{day, audit, state, frame,
 * sample, reviewed, problem, round}], newest first, at most `days`. */
OKNO_CHECK int okno_programme_status(struct okno_db *db, const char *programme, int64_t days,
                                     json_t **ret_status, struct okno_err *err);
/* A new array of them with the newest 10 days each. */
OKNO_CHECK int okno_programme_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* Bind somebody to a secret for a day: `commitment` is its SHA-256 as hex. Before the day's
 * checkpoint. OKNO_OUT_OF_ORDER, OKNO_INVALID, OKNO_CONFLICT (bound already). */
OKNO_CHECK int okno_programme_commit(struct okno_db *db, const char *programme, const char *day,
                                     const char *who, const char *commitment, int64_t now_us,
                                     struct okno_err *err);
/* Reveal it, after the checkpoint: 8 to 64 printable ASCII characters without blanks.
 * OKNO_CHECK_FAILED: it is not what was committed to. */
OKNO_CHECK int okno_programme_reveal(struct okno_db *db, const char *programme, const char *day,
                                     const char *who, const char *secret, int64_t now_us,
                                     struct okno_err *err);

/* Take the next step of one programme's day. 1: a step was taken, ask again; 0: nothing to do
 * before *ret_next_us. What stops a day (the beacon, a panel) is written down with it and keeps no
 * other day waiting. `net` fetches beacons. */
OKNO_CHECK int okno_programme_turn(struct okno_db *db, struct okno_net *net,
                                   const struct okno_survey_params *params, int64_t now_us,
                                   int64_t *ret_next_us, struct okno_err *err);

/* Figures over local days [from, to], both in it: a new object {programme, from, to, days, k,
 * level, looks, indicators {id: {value, low, high, se, null_reason, worst, frame, valid, invalid,
 * undeterminable}}}. Every day is a stratum, and the level is split over the most looks that a day
 * of them has. NULL: the first or last day drawn. OKNO_INVALID: no date, or `to` before `from`. */
OKNO_CHECK int okno_programme_figures(struct okno_db *db, const char *programme,
                                      const char *from_day, const char *to_day,
                                      json_t **ret_figures, struct okno_err *err);

#endif
