/* What the units of a frame were found to be, whatever their classes: how many customers were never
 * asked, from a sample of sales or of minutes of opening hours; how many ratings are not genuine.
 */
#include "okno/audit.h"

#include "room.h"

#include <math.h>
#include <string.h>

static const char *const words[] = {"surveys", "spontaneous", "transactions", "minutes"};

const char *okno_frame_name(enum okno_frame frame)
{
    return words[frame];
}

int okno_frame_find(const char *word)
{
    for (int i = 0; word && i < (int)(sizeof(words) / sizeof(*words)); i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return word ? -1 : OKNO_FRAME_SURVEYS;
}

static struct okno_cell empty_cell(const struct okno_audit_tally *tally)
{
    struct okno_cell cell = {
        .class = tally->class, .frame = tally->frame, .force_majeure = tally->force_majeure};
    memcpy(cell.stratum, tally->stratum, sizeof(cell.stratum));
    return cell;
}

/* The share of OKNO_NO among what was found OKNO_NO or OKNO_YES. */
static int estimate_no(const struct okno_cell_vec *cells, const struct okno_audit_rules *rules,
                       struct okno_estimate *ret_estimate, struct okno_err *err)
{
    const struct okno_estimate_request request = {.cells = cells->items,
                                                  .count = cells->len,
                                                  .ratio = {.a = {0, 0, 1, 0}, .b = {1, 0, 1, 1}},
                                                  .as_found = true,
                                                  .silent_known = rules->silent_known,
                                                  .with_replacement = rules->with_replacement,
                                                  .level = rules->level,
                                                  .looks = rules->looks};
    return okno_estimate(&request, NULL, ret_estimate, err);
}

/* ---- never asked ---- */

/* What a unit turned out to be: OKNO_YES asked, OKNO_NO not asked, OKNO_NONE no customer. */
enum settled { OPEN, ALL_ASKED, NONE_ASKED };

static struct okno_cell cell_of(const struct okno_audit_tally *tally, enum settled settled)
{
    struct okno_cell cell = empty_cell(tally);
    cell.truth[OKNO_YES] = tally->valid - tally->not_asked;
    cell.truth[OKNO_NO] = tally->not_asked;
    cell.truth[OKNO_NONE] = tally->invalid;
    if (settled == OPEN)
        cell.undeterminable = tally->undeterminable;
    else
        cell.truth[settled == ALL_ASKED ? OKNO_YES : OKNO_NO] += tally->undeterminable;
    return cell;
}

static int estimate(const struct okno_audit_tally *tallies, size_t count,
                    const struct okno_audit_rules *rules, enum settled settled,
                    struct okno_estimate *ret_estimate, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_cell_vec) cells = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = okno_cell_vec_push(&cells, cell_of(&tallies[i], settled));
    if (rc < 0)
        return okno_fail(err, rc, "no memory for the cells");
    return estimate_no(&cells, rules, ret_estimate, err);
}

/* Whatever an undeterminable one was, the share lies between all of them asked and none asked: one
 * without a customer changes nothing. A class may be merged with another only while they are open:
 * the bounds then hold the value, too. */
int okno_audit_tally_asked(const struct okno_audit_tally *tallies, size_t count,
                           const struct okno_audit_rules *rules,
                           struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    struct okno_audit_figure figure = {.band = {(double)NAN, (double)NAN}};
    struct okno_estimate asked = {0};
    struct okno_estimate none = {0};
    int rc = estimate(tallies, count, rules, OPEN, &figure.estimate, err);
    if (rc == 0)
        rc = estimate(tallies, count, rules, ALL_ASKED, &asked, err);
    if (rc == 0)
        rc = estimate(tallies, count, rules, NONE_ASKED, &none, err);
    if (rc < 0)
        return rc;
    struct okno_estimate *e = &figure.estimate;
    figure.too_wide = audit_is_too_wide(e, rules->max_half_width);
    e->all_valid = asked.value;
    e->all_invalid = none.value;
    e->worst_low = fmin(e->value, asked.value);
    e->worst_high = fmax(e->value, none.value);
    for (size_t i = 0; i < count; i++) {
        figure.counts.frame += tallies[i].frame;
        figure.counts.valid += tallies[i].valid;
        figure.counts.invalid += tallies[i].invalid;
        figure.counts.undeterminable += tallies[i].undeterminable;
    }
    *ret_figure = figure;
    return 0;
}

struct okno_asked_counts okno_audit_asked_counts(const struct okno_audit_tally *tallies,
                                                 size_t count)
{
    struct okno_asked_counts s = {0};
    for (size_t i = 0; i < count; i++) {
        const struct okno_audit_tally *t = &tallies[i];
        int64_t asked = t->valid - t->not_asked;
        s.frame += t->frame;
        s.asked += asked;
        s.not_asked += t->not_asked;
        s.no_customer += t->invalid;
        s.undeterminable += t->undeterminable;
        s.survey_not_asked += t->class == OKNO_YES ? t->not_asked : 0;
        s.asked_no_survey += t->class == OKNO_NO ? asked : 0;
    }
    return s;
}

static struct okno_audit_rules rules_of(const struct audit_row *row)
{
    return (struct okno_audit_rules){.frame = row->frame,
                                     .with_replacement = row->sampling.with_replacement,
                                     .silent_known = row->sampling.silent_known,
                                     .drawn_by_strata = row->sampling.strata != 0,
                                     .level = row->level,
                                     .max_half_width = row->max_half_width,
                                     .looks = row->looks};
}

int okno_audit_asked(struct okno_db *db, const char *audit, const struct okno_audit_domain *domain,
                     struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0)
        return rc;
    const struct okno_audit_rules rules = rules_of(&row);
    const char *reason = !okno_frame_is_visits(row.frame)    ? "not_estimated"
                         : strcmp(row.state, "planned") == 0 ? "not_frozen"
                                                             : NULL;
    if (reason) {
        rc = okno_audit_tally_asked(NULL, 0, &rules, ret_figure, err);
        ret_figure->estimate.null_reason = reason;
        return rc;
    }
    /* any indicator: the tallies of every kind of question */
    rc = okno_audit_tallies(db, audit, OKNO_RESPONSE_RATE, domain, &tallies, err);
    return rc < 0 ? rc
                  : okno_audit_tally_asked(tallies.items, tallies.len, &rules, ret_figure, err);
}

/* ---- not genuine ---- */

static int share_by_strata(const struct okno_audit_tally *tallies, size_t count,
                           const struct okno_audit_rules *rules, struct okno_invalid_share *share,
                           struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_cell_vec) cells = {0};
    struct okno_estimate found = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct okno_cell cell = empty_cell(&tallies[i]);
        cell.truth[OKNO_YES] = tallies[i].valid;
        cell.truth[OKNO_NO] = tallies[i].invalid;
        rc = okno_cell_vec_push(&cells, cell);
    }
    rc = rc < 0 ? okno_fail(err, rc, "no memory for the cells")
                : estimate_no(&cells, rules, &found, err);
    if (rc < 0)
        return rc;
    share->null_reason = found.null_reason;
    share->value = found.value;
    share->low = found.low;
    share->high = found.high;
    share->without_silent = found.without_silent;
    return 0;
}

static int plain_share(int64_t frame, struct okno_invalid_share *share, struct okno_err *err)
{
    struct okno_share found;
    if (share->determined == 0) {
        share->null_reason = "not_sampled";
        return 0;
    }
    int rc =
        okno_share_estimate(share->invalid, share->determined, frame, share->level, &found, err);
    if (rc < 0)
        return rc;
    share->value = found.value;
    share->low = found.low;
    share->high = found.high;
    share->at_least = found.at_least;
    share->at_most = found.at_most;
    return 0;
}

int okno_audit_tally_invalid(const struct okno_audit_tally *tallies, size_t count,
                             const struct okno_audit_rules *rules,
                             struct okno_invalid_share *ret_share, struct okno_err *err)
{
    const double none = (double)NAN;
    int64_t frame = 0;
    struct okno_invalid_share share = {.by_strata = rules->drawn_by_strata ||
                                                    rules->with_replacement || rules->silent_known,
                                       .level = 1 - (1 - rules->level) / rules->looks,
                                       .value = none,
                                       .low = none,
                                       .high = none,
                                       .without_silent = none,
                                       .at_least = -1,
                                       .at_most = -1};
    for (size_t i = 0; i < count; i++) {
        frame += tallies[i].frame;
        share.invalid += tallies[i].invalid;
        share.determined += tallies[i].invalid + tallies[i].valid;
    }
    int rc = share.by_strata ? share_by_strata(tallies, count, rules, &share, err)
                             : plain_share(frame, &share, err);
    if (rc == 0)
        *ret_share = share;
    return rc;
}

int okno_audit_invalid(struct okno_db *db, const char *audit, struct okno_invalid_share *ret_share,
                       struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0)
        rc = okno_audit_tallies(db, audit, OKNO_RESPONSE_RATE, NULL, &tallies, err);
    if (rc < 0)
        return rc;
    const struct okno_audit_rules rules = rules_of(&row);
    return okno_audit_tally_invalid(tallies.items, tallies.len, &rules, ret_share, err);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

json_t *okno_audit_invalid_json(const struct okno_invalid_share *share)
{
    json_t *json = json_null();
    if (!share->null_reason)
        json = json_pack(
            "{s:I, s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "invalid",
            (json_int_t)share->invalid, "determined", (json_int_t)share->determined, "level",
            number(share->level), "by_strata", (int)share->by_strata, "value", number(share->value),
            "low", number(share->low), "high", number(share->high), "without_silent",
            number(share->without_silent), "at_least",
            share->by_strata ? json_null() : json_integer((json_int_t)share->at_least), "at_most",
            share->by_strata ? json_null() : json_integer((json_int_t)share->at_most));
    return json;
}
