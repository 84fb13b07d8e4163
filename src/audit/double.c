#define _POSIX_C_SOURCE 200809L
/* The part of a sample that two experts decide, and how far these agree. */
#include "okno/double.h"

#include "okno/agreement.h"
#include "okno/estimate.h"
#include "okno/mem.h"
#include "okno/vec.h"
#include "room.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

OKNO_VEC(id_vec, char *);
OKNO_VEC(vote_pairs, struct okno_vote_pair);
OKNO_VEC(judgements, struct okno_judgement);

/* ---- the draw ---- */

int okno_double_draw(const char *seed, const char *const *ids, size_t count, double share,
                     struct okno_draw_vec *ret_draws, struct okno_err *err)
{
    static const char suffix[] = "/double";
    size_t size = (size_t)ceil(share * (double)count - 1e-9);
    size_t len = strlen(seed) + sizeof(suffix);
    if (size == 0 || count == 0)
        return 0;
    okno_autofree char *own = malloc(len);
    if (!own)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a seed");
    (void)snprintf(own, len, "%s%s", seed, suffix);
    const struct okno_draw_request request = {
        .seed = own, .ids = ids, .count = count, .size = size < count ? size : count};
    return okno_sampler_draw(&request, ret_draws, err);
}

static void ids_free(struct id_vec *ids)
{
    for (size_t i = 0; i < ids->len; i++)
        free(ids->items[i]);
    id_vec_free(ids);
}

static int load_round(struct okno_db *db, const char *audit, int64_t round, struct id_vec *ids,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "double.round", &rows, err, OKNO_TEXT("audit", audit),
                             OKNO_INT("round", round));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        char *id = strdup(okno_stmt_text(rows, "survey"));
        rc = id && id_vec_push(ids, id) == 0 ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory");
        if (rc < 0)
            free(id);
    }
    return rc;
}

int audit_double(struct okno_db *db, const struct audit_row *row, int64_t round,
                 struct okno_err *err)
{
    __attribute__((cleanup(ids_free))) struct id_vec ids = {0};
    OKNO_AUTO_DRAWS draws = {0};
    if (row->double_share <= 0)
        return 0;
    int rc = load_round(db, row->audit, round, &ids, err);
    if (rc == 0)
        rc = okno_double_draw(row->seed, (const char *const *)ids.items, ids.len, row->double_share,
                              &draws, err);
    for (size_t i = 0; rc == 0 && i < draws.len; i++)
        rc = OKNO_DB_RUN(db, "double.add_item", NULL, err, OKNO_TEXT("audit", row->audit),
                         OKNO_TEXT("survey", ids.items[draws.items[i].index]));
    return rc;
}

/* ---- agreement ---- */

int okno_vote_find(const char *verdict, const char *correction)
{
    static const char *const names[] = {"valid", "invalid", "undeterminable"};
    if (strcmp(verdict, "valid") == 0 && strcmp(correction, "NOT_ASKED") == 0)
        return OKNO_VOTE_NOT_ASKED;
    for (int i = 0; i < (int)OKNO_COUNT(names); i++)
        if (strcmp(names[i], verdict) == 0)
            return i;
    return -1;
}

static int add_pair(struct judgements *to, size_t item, const struct okno_vote_pair *pair)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        const struct okno_judgement one = {(uint32_t)item, pair->rater[i], (uint32_t)pair->vote[i]};
        rc = judgements_push(to, one);
    }
    return rc;
}

/* The answer whose own agreement is asked. */
static enum okno_vote positive_of(enum okno_frame frame)
{
    return okno_frame_is_visits(frame) ? OKNO_VOTE_NOT_ASKED : OKNO_VOTE_INVALID;
}

/* Without the pair `left_out`; SIZE_MAX leaves none out. */
static int measure(const struct okno_vote_pair *pairs, size_t count, size_t left_out,
                   enum okno_frame frame, struct okno_agreement *ret_agreement,
                   struct okno_err *err)
{
    OKNO_AUTO_VEC(judgements) all = {0};
    for (size_t i = 0; i < count; i++)
        if (i != left_out && add_pair(&all, i, &pairs[i]) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the agreement");
    struct okno_agreement_input input = {
        .judgements = all.items,
        .count = all.len,
        .categories = okno_frame_is_visits(frame) ? OKNO_VOTES : OKNO_VOTE_NOT_ASKED,
        .positive = positive_of(frame)};
    return okno_agreement_measure(&input, ret_agreement, err);
}

/* Alpha knows no raters, so leaving out any pair of the same two votes gives the same: as
 * many measurements as there are kinds of pairs are enough, however many pairs there are. */
static int jackknife(const struct okno_vote_pair *pairs, size_t count, enum okno_frame frame,
                     double *ret_se, struct okno_err *err)
{
    double without[OKNO_VOTES][OKNO_VOTES] = {{0}};
    double times[OKNO_VOTES][OKNO_VOTES] = {{0}};
    double mean = 0;
    double sum = 0;
    *ret_se = NAN;
    for (size_t i = 0; i < count; i++) {
        enum okno_vote a = pairs[i].vote[0];
        enum okno_vote b = pairs[i].vote[1];
        struct okno_agreement found = {0};
        int rc = times[a][b] == 0 ? measure(pairs, count, i, frame, &found, err) : 0;
        if (rc < 0)
            return rc;
        if (times[a][b]++ > 0)
            continue;
        without[a][b] = found.alpha.value;
        if (found.alpha.null_reason) /* all but this one are alike: no error can be told */
            return 0;
    }
    for (int a = 0; a < OKNO_VOTES; a++)
        for (int b = 0; b < OKNO_VOTES; b++)
            mean += times[a][b] > 0 ? times[a][b] * without[a][b] / (double)count : 0;
    for (int a = 0; a < OKNO_VOTES; a++)
        for (int b = 0; b < OKNO_VOTES; b++)
            if (times[a][b] > 0)
                sum += times[a][b] * (without[a][b] - mean) * (without[a][b] - mean);
    *ret_se = sqrt(sum * (double)(count - 1) / (double)count);
    return 0;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9 + 0.0) : json_null();
}

static json_t *figure_json(const struct okno_agreement_figure *figure, double low, double high)
{
    bool none = figure->null_reason != NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:s?}", "value", number(none ? NAN : figure->value),
                     "low", number(none ? NAN : low), "high", number(none ? NAN : high), "se",
                     number(none ? NAN : figure->se), "null_reason", figure->null_reason);
}

/* Where one expert never differed, or the two never did, the error is 0 without meaning anything:
 * neither error nor interval then. */
static json_t *by_error(const struct okno_agreement_figure *figure, double z)
{
    if (figure->se <= 0) {
        struct okno_agreement_figure alone = *figure;
        alone.se = NAN;
        return figure_json(&alone, NAN, NAN);
    }
    return figure_json(figure, fmax(-1, figure->value - z * figure->se),
                       fmin(1, figure->value + z * figure->se));
}

/* A share of so many, which were not drawn from a whole. */
static const double without_end = 1e15;

static json_t *by_score(const struct okno_agreement_figure *figure, double of, double z)
{
    struct okno_limits limits = {NAN, NAN};
    if (of > 0)
        limits = okno_wilson(figure->value, of, without_end, z);
    return figure_json(figure, limits.low, limits.high);
}

int okno_double_agreement(const struct okno_vote_pair *pairs, size_t count, enum okno_frame frame,
                          double level, json_t **ret_agreement, struct okno_err *err)
{
    struct okno_agreement found = {0};
    double z = okno_normal_z(level);
    double agreed = 0;
    double named = 0;
    int rc = measure(pairs, count, SIZE_MAX, frame, &found, err);
    if (rc == 0 && !found.alpha.null_reason)
        rc = jackknife(pairs, count, frame, &found.alpha.se, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        agreed += pairs[i].vote[0] == pairs[i].vote[1];
        for (int j = 0; j < 2; j++)
            named += pairs[i].vote[j] == positive_of(frame);
    }
    *ret_agreement =
        json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "items", (json_int_t)count, "agreed",
                  (json_int_t)agreed, "level", number(level), "percent",
                  by_score(&found.percent, (double)count, z), "kappa", by_error(&found.kappa, z),
                  "ac1", by_error(&found.ac1, z), "alpha", by_error(&found.alpha, z), "positive",
                  by_score(&found.positive, named, z));
    return *ret_agreement ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the agreement");
}

/* ---- of an audit ---- */

static uint32_t rater_of(json_t *raters, const char *user)
{
    json_t *known = json_object_get(raters, user);
    if (!known) {
        known = json_integer((json_int_t)json_object_size(raters));
        (void)json_object_set_new(raters, user, known);
    }
    return (uint32_t)json_integer_value(known);
}

static enum okno_vote vote_of(struct okno_stmt *row, const char *verdict, const char *correction)
{
    return (enum okno_vote)okno_vote_find(okno_stmt_text(row, verdict),
                                          okno_stmt_text(row, correction));
}

static int load_pairs(struct okno_db *db, const char *audit, struct vote_pairs *pairs,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *raters = json_object();
    int rc = OKNO_DB_PREPARE(db, "double.pairs", &rows, err, OKNO_TEXT("audit", audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const struct okno_vote_pair pair = {{rater_of(raters, okno_stmt_text(rows, "first_user")),
                                             rater_of(raters, okno_stmt_text(rows, "second_user"))},
                                            {vote_of(rows, "first_verdict", "first_correction"),
                                             vote_of(rows, "second_verdict", "second_correction")}};
        rc = vote_pairs_push(pairs, pair) == 0 ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory");
    }
    return rc;
}

int okno_audit_doubles(struct okno_db *db, const char *audit, json_t **ret_doubles,
                       struct okno_err *err)
{
    static const char *const names[] = {"doubled", "waiting", "conflicts", "ruled"};
    OKNO_AUTO_STMT *row = NULL;
    json_t *doubles = json_object();
    int rc = OKNO_DB_PREPARE(db, "double.counts", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    for (size_t i = 0; rc == 1 && i < OKNO_COUNT(names); i++)
        (void)json_object_set_new(doubles, names[i], json_integer(okno_stmt_int(row, names[i])));
    if (rc < 0) {
        json_decref(doubles);
        return rc;
    }
    *ret_doubles = doubles;
    return 0;
}

int okno_audit_agreement(struct okno_db *db, const char *audit, json_t **ret_agreement,
                         struct okno_err *err)
{
    OKNO_AUTO_VEC(vote_pairs) pairs = {0};
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0 && row.double_share <= 0) {
        *ret_agreement = json_null();
        return 0;
    }
    if (rc == 0)
        rc = load_pairs(db, audit, &pairs, err);
    return rc < 0 ? rc
                  : okno_double_agreement(pairs.items, pairs.len, row.frame, row.level,
                                          ret_agreement, err);
}
