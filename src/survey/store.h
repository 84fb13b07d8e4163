/* Inside the survey room: what the database knows of a point, and rows of surveys. */
#ifndef OKNO_SURVEY_STORE_H
#define OKNO_SURVEY_STORE_H

#include "okno/db.h"
#include "okno/registry.h"
#include "okno/survey.h"
#include "okno/vec.h"

#include <jansson.h>

OKNO_VEC(survey_event_vec, struct okno_survey_event);
OKNO_VEC(survey_panel_vec, struct okno_survey_panel);
OKNO_VEC(survey_question_vec, struct okno_survey_question);
OKNO_VEC(survey_text_vec, char *);

/* Everything the core needs to know of one point. Texts of events point into pairings and
 * channels. */
struct survey_facts {
    struct okno_point point;
    struct okno_pairing_vec pairings;
    struct okno_question_vec questions;
    struct survey_text_vec channels; /* owned texts */
    struct survey_event_vec events;  /* of the devices while paired with the point */
    struct survey_panel_vec panels;
    struct survey_question_vec asked; /* the questions as the core takes them */
    int64_t suspect;                  /* events left out: more than 24 h ahead of their receipt */
};

/* Load the point's facts with its events of corrected time [from, to). Events more than 24 h ahead
 * of their receipt are left out. OKNO_NOT_FOUND: no such point. *facts starts zeroed and is freed
 * by the caller on failure too. */
OKNO_CHECK int survey_facts_load(struct okno_db *db, const char *point, int64_t from_us,
                                 int64_t to_us, struct survey_facts *facts, struct okno_err *err);
void survey_facts_free(struct survey_facts *facts);

/* A row of `surveys`; empty texts stand for NULL. */
struct survey_row {
    char survey[OKNO_EVENT_ID_TEXT];
    char point[OKNO_ID_TEXT], site[OKNO_ID_TEXT], employee[OKNO_ID_TEXT];
    char question[OKNO_ID_TEXT], question_kind[16], channel[OKNO_ID_TEXT];
    char state[16], answer[16], flags[OKNO_SURVEY_FLAGS_TEXT];
    int64_t opened_us, closes_us, answered_us;
    int64_t extra_answers, late_answers;
    int64_t force_majeure, test, auto_void;
    int64_t offset_us, uncertainty_us;
    int64_t placed_us; /* not compared */
};

/* 1: read, 0: there is no such survey. */
OKNO_CHECK int survey_row_get(struct okno_db *db, const char *survey, struct survey_row *ret_row,
                              struct okno_err *err);
OKNO_CHECK int survey_row_put(struct okno_db *db, const struct survey_row *row,
                              struct okno_err *err);
bool survey_row_equal(const struct survey_row *a, const struct survey_row *b);

/* Whether going from `was` to `became` is more than time passing: a closed survey that differs in
 * more than having been heard of and how well the clock is known. */
bool survey_row_is_correction(const struct survey_row *was, const struct survey_row *became);

/* The history's text of a row (canonical JSON). The caller frees *ret_text. */
OKNO_CHECK int survey_row_text(const struct survey_row *row, char **ret_text, struct okno_err *err);

#endif
