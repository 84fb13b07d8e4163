/* How many customers were never asked: from a sample of sales, or of minutes of opening hours. */
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

/* What a unit turned out to be: OKNO_YES asked, OKNO_NO not asked, OKNO_NONE no customer. */
enum settled { OPEN, ALL_ASKED, NONE_ASKED };

static struct okno_cell cell_of(const struct okno_audit_tally *tally, enum settled settled)
{
    struct okno_cell cell = {.class = tally->class, .frame = tally->frame};
    memcpy(cell.stratum, tally->stratum, sizeof(cell.stratum));
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
    const struct okno_estimate_request request = {.cells = cells.items,
                                                  .count = cells.len,
                                                  .ratio = {.a = {0, 0, 1, 0}, .b = {1, 0, 1, 0}},
                                                  .as_found = true,
                                                  .with_replacement = rules->with_replacement,
                                                  .level = rules->level,
                                                  .looks = rules->looks};
    return okno_estimate(&request, NULL, ret_estimate, err);
}

/* Whatever an undeterminable one was, the share lies between all of them asked and none asked: one
 * without a customer changes nothing. */
int okno_audit_tally_asked(const struct okno_audit_tally *tallies, size_t count,
                           const struct okno_audit_rules *rules,
                           struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    struct okno_audit_figure figure = {.band = {(double)NAN, (double)NAN}};
    struct okno_estimate asked;
    struct okno_estimate none;
    int rc = estimate(tallies, count, rules, OPEN, &figure.estimate, err);
    if (rc == 0)
        rc = estimate(tallies, count, rules, ALL_ASKED, &asked, err);
    if (rc == 0)
        rc = estimate(tallies, count, rules, NONE_ASKED, &none, err);
    if (rc < 0)
        return rc;
    struct okno_estimate *e = &figure.estimate;
    e->all_valid = e->worst_low = asked.value;
    e->all_invalid = e->worst_high = none.value;
    for (size_t i = 0; i < count; i++) {
        figure.counts.frame += tallies[i].frame;
        figure.counts.valid += tallies[i].valid;
        figure.counts.invalid += tallies[i].invalid;
        figure.counts.undeterminable += tallies[i].undeterminable;
    }
    *ret_figure = figure;
    return 0;
}

int okno_audit_asked(struct okno_db *db, const char *audit, const struct okno_audit_domain *domain,
                     struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0)
        return rc;
    const struct okno_audit_rules rules = {.frame = row.frame,
                                           .with_replacement = row.sampling.with_replacement,
                                           .level = row.level,
                                           .looks = row.looks};
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
