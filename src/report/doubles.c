/* What the decisions of a bundle come to: one expert's, two experts' and a third one's, and
 * appeals. */
#include "bundle.h"

#include "okno/double.h"
#include "okno/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST, SECOND, RULED, APPEALS, PARTS_MAX = 1000 };

OKNO_VEC(vote_pairs, struct okno_vote_pair);

static const char *text_of(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    return text ? text : "";
}

static int by_survey(const void *key, const void *row)
{
    return strcmp(key, ((const struct frame_row *)row)->survey);
}

static struct frame_row *find_row(const struct contents *contents, const char *survey)
{
    return contents->frame.len == 0 ? NULL
                                    : bsearch(survey, contents->frame.items, contents->frame.len,
                                              sizeof(struct frame_row), by_survey);
}

/* A correction counts where it says other than the frozen force majeure. */
static enum ruling ruling_of(const json_t *row, bool force_majeure)
{
    const char *verdict = text_of(row, "verdict");
    const char *correction = force_majeure ? "FALSE_FM" : "FM_REACHES_BACK";
    if (strcmp(verdict, "valid") == 0 && strcmp(text_of(row, "correction"), "NOT_ASKED") == 0)
        return RULING_NOT_ASKED;
    if (strcmp(verdict, "valid") == 0)
        return strcmp(text_of(row, "correction"), correction) == 0 ? RULING_FALSE_FM : RULING_VALID;
    if (strcmp(verdict, "invalid") == 0)
        return RULING_INVALID;
    return strcmp(verdict, "undeterminable") == 0 ? RULING_UNDETERMINABLE : RULING_NONE;
}

/* The newest counted decision of a part; one taken back leaves none. */
static int keep_newest(json_t *surveys, json_t *decision, struct okno_err *err)
{
    const char *survey = text_of(decision, "survey");
    size_t part = strtoul(text_of(decision, "part"), NULL, 10);
    json_t *parts = json_object_get(surveys, survey);
    if (part > PARTS_MAX)
        return okno_fail(err, OKNO_CHECK_FAILED, "data/decisions.csv: entry %s has no such part",
                         text_of(decision, "entry"));
    if (!parts) {
        parts = json_array();
        (void)json_object_set_new(surveys, survey, parts);
    }
    while (json_array_size(parts) <= part)
        if (json_array_append_new(parts, json_null()) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the decisions");
    bool undone = strcmp(text_of(decision, "verdict"), "undone") == 0;
    return json_array_set_new(parts, part, undone ? json_null() : json_incref(decision));
}

static json_t *vote(const json_t *parts, size_t part)
{
    json_t *decision = json_array_get(parts, part);
    return json_is_object(decision) ? decision : NULL;
}

static bool agree(const json_t *a, const json_t *b)
{
    return strcmp(text_of(a, "verdict"), text_of(b, "verdict")) == 0 &&
           strcmp(text_of(a, "correction"), text_of(b, "correction")) == 0;
}

/* NULL: nothing stands yet. */
static json_t *standing(const json_t *parts, bool doubled, bool appeals)
{
    json_t *first = vote(parts, FIRST);
    json_t *second = vote(parts, SECOND);
    for (size_t part = json_array_size(parts); appeals && part-- > APPEALS;)
        if (vote(parts, part))
            return vote(parts, part);
    if (vote(parts, RULED))
        return vote(parts, RULED);
    if (!doubled)
        return first;
    return first && second && agree(first, second) ? first : NULL;
}

/* Of visits nothing but NOT_ASKED is said, of surveys and ratings everything else. */
static int check_correction(const struct contents *contents, const json_t *decision,
                            struct okno_err *err)
{
    const char *correction = text_of(decision, "correction");
    bool asks = strcmp(correction, "NOT_ASKED") == 0;
    if (!*correction || asks == okno_frame_is_visits(contents->rules.frame))
        return 0;
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "data/decisions.csv: entry %s has the correction %.40s, which is not said of "
                     "a frame of %s",
                     text_of(decision, "entry"), correction,
                     okno_frame_name(contents->rules.frame));
}

static int read_parts(struct contents *contents, struct okno_err *err)
{
    size_t i;
    json_t *decision;
    json_decref(contents->parts);
    contents->parts = json_object();
    json_array_foreach(contents->decisions, i, decision)
    {
        if (!find_row(contents, text_of(decision, "survey")))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/decisions.csv: entry %s is about a survey outside the frame",
                             text_of(decision, "entry"));
        if (strcmp(text_of(decision, "counted"), "true") != 0)
            continue;
        int rc = check_correction(contents, decision, err);
        if (rc == 0)
            rc = keep_newest(contents->parts, decision, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int contents_rule(struct contents *contents, bool appeals, struct okno_err *err)
{
    const char *survey;
    json_t *parts;
    int rc = read_parts(contents, err);
    if (rc < 0)
        return rc;
    json_decref(contents->stands);
    contents->stands = json_object();
    contents->appealed = false;
    for (size_t i = 0; i < contents->frame.len; i++)
        contents->frame.items[i].ruling = RULING_NONE;
    json_object_foreach(contents->parts, survey, parts)
    {
        struct frame_row *row = find_row(contents, survey);
        json_t *stands = standing(parts, row->doubled, appeals);
        contents->appealed |= json_array_size(parts) > APPEALS;
        if (row->draws == 0 || !stands)
            continue;
        row->ruling = ruling_of(stands, row->force_majeure);
        (void)json_object_set(contents->stands, survey, stands);
    }
    return 0;
}

/* ---- two experts ---- */

static bool same_reviewer(const json_t *a, const json_t *b)
{
    return a && b && strcmp(text_of(a, "reviewer"), text_of(b, "reviewer")) == 0;
}

static int check_row(const struct frame_row *row, const json_t *parts, struct okno_err *err)
{
    const json_t *first = vote(parts, FIRST);
    const json_t *second = vote(parts, SECOND);
    const json_t *ruled = vote(parts, RULED);
    if (row->doubled != (second != NULL))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         row->doubled ? "data/decisions.csv: survey %s lacks a second decision"
                                      : "data/decisions.csv: survey %s was not to be decided twice",
                         row->survey);
    if (ruled && (!first || !second || agree(first, second)))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: entry %s rules where nobody disagrees",
                         text_of(ruled, "entry"));
    if (same_reviewer(first, second) || same_reviewer(first, ruled) || same_reviewer(second, ruled))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: one reviewer decided survey %s twice", row->survey);
    return 0;
}

int contents_check_doubles(const struct contents *contents, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < contents->frame.len; i++) {
        const struct frame_row *row = &contents->frame.items[i];
        if (row->draws > 0)
            rc = check_row(row, json_object_get(contents->parts, row->survey), err);
    }
    return rc;
}

static uint32_t rater_of(json_t *raters, const char *reviewer)
{
    json_t *known = json_object_get(raters, reviewer);
    if (!known) {
        known = json_integer((json_int_t)json_object_size(raters));
        (void)json_object_set_new(raters, reviewer, known);
    }
    return (uint32_t)json_integer_value(known);
}

static enum okno_vote vote_of(const json_t *decision)
{
    return (enum okno_vote)okno_vote_find(text_of(decision, "verdict"),
                                          text_of(decision, "correction"));
}

static struct okno_vote_pair pair_of(json_t *raters, const json_t *first, const json_t *second)
{
    return (struct okno_vote_pair){{rater_of(raters, text_of(first, "reviewer")),
                                    rater_of(raters, text_of(second, "reviewer"))},
                                   {vote_of(first), vote_of(second)}};
}

int contents_agreement(const struct contents *contents, json_t **ret_agreement,
                       struct okno_err *err)
{
    OKNO_AUTO_VEC(vote_pairs) pairs = {0};
    okno_autojson json_t *raters = json_object();
    int64_t doubled = 0;
    int64_t ruled = 0;
    for (size_t i = 0; i < contents->frame.len; i++) {
        const struct frame_row *row = &contents->frame.items[i];
        const json_t *parts = json_object_get(contents->parts, row->survey);
        doubled += row->doubled;
        ruled += row->doubled && vote(parts, RULED) != NULL;
        if (row->doubled && vote(parts, FIRST) && vote(parts, SECOND) &&
            vote_pairs_push(&pairs, pair_of(raters, vote(parts, FIRST), vote(parts, SECOND))) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the agreement");
    }
    int rc = okno_double_agreement(pairs.items, pairs.len, contents->rules.frame,
                                   contents->rules.level, ret_agreement, err);
    if (rc == 0) {
        (void)json_object_set_new(*ret_agreement, "doubled", json_integer(doubled));
        (void)json_object_set_new(*ret_agreement, "ruled", json_integer(ruled));
    }
    return rc;
}
