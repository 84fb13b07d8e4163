/* From the frozen frame and the verdicts that stand to estimated indicators. */
#include "okno/audit.h"

#include "cube.h"
#include "room.h"
#include "total.h"

#include <math.h>
#include <string.h>

/* What an indicator takes from a survey; kind NULL: questions of every kind. */
struct measure {
    const char *kind;
    struct okno_ratio (*ratio)(double k);
    enum okno_indicator indicator;
    bool fm_apart; /* force majeure is left out while it stands */
};

static struct okno_ratio answered_share(double k)
{
    (void)k;
    return (struct okno_ratio){.a = {1, 1, 1, 0}, .b = {1, 1, 1, 1}};
}

static struct okno_ratio silent_share(double k)
{
    (void)k;
    return (struct okno_ratio){.a = {0, 0, 0, 1}, .b = {1, 1, 1, 1}};
}

static const struct measure measures[] = {
    {"personnel", okno_ratio_ink, OKNO_INK_PERSONNEL, true},
    {"office", okno_ratio_ink, OKNO_INK_OFFICE, false},
    {"loyalty", okno_ratio_iel, OKNO_IEL, false},
    {NULL, answered_share, OKNO_RESPONSE_RATE, false},
    {NULL, silent_share, OKNO_SILENT_SHARE, false},
};

static const struct measure *find_measure(enum okno_indicator indicator, enum okno_frame frame)
{
    for (size_t i = 0; frame == OKNO_FRAME_SURVEYS && i < OKNO_COUNT(measures); i++)
        if (measures[i].indicator == indicator)
            return &measures[i];
    return NULL;
}

/* The answer that an indicator counts in a frame of spontaneous ratings; OKNO_NONE for none. */
static enum okno_class class_of(enum okno_indicator indicator)
{
    return indicator == OKNO_SUPPORT_INDEX       ? OKNO_YES
           : indicator == OKNO_CRITICALITY_INDEX ? OKNO_NO
                                                 : OKNO_NONE;
}

struct okno_audit_tally audit_tally_of(struct okno_stmt *row)
{
    struct okno_audit_tally tally = {.force_majeure = okno_stmt_int(row, "force_majeure") != 0,
                                     .frame = okno_stmt_int(row, "frame"),
                                     .valid = okno_stmt_int(row, "valid"),
                                     .invalid = okno_stmt_int(row, "invalid"),
                                     .undeterminable = okno_stmt_int(row, "undeterminable"),
                                     .false_fm = okno_stmt_int(row, "false_fm"),
                                     .moved_valid = okno_stmt_int(row, "moved_valid"),
                                     .moved_invalid = okno_stmt_int(row, "moved_invalid"),
                                     .not_asked = okno_stmt_int(row, "not_asked")};
    (void)snprintf(tally.stratum, sizeof(tally.stratum), "%s", okno_stmt_text(row, "stratum"));
    tally.class = (enum okno_class)okno_class_find(okno_stmt_text(row, "class"));
    return tally;
}

static struct okno_cell cell_of(const struct okno_audit_tally *tally, const struct measure *measure,
                                bool invalid_as_silent)
{
    struct okno_cell cell = {.class = tally->class,
                             .frame = tally->frame,
                             .force_majeure = tally->force_majeure,
                             .undeterminable = tally->undeterminable};
    memcpy(cell.stratum, tally->stratum, sizeof(cell.stratum));
    bool apart = cell.force_majeure && measure->fm_apart;
    int64_t valid = tally->valid - tally->moved_valid;
    int64_t invalid = tally->invalid - tally->moved_invalid;
    int64_t stands = !measure->fm_apart ? 0 : apart ? valid - tally->false_fm : tally->false_fm;
    bool silenced = invalid_as_silent && !apart && cell.class != OKNO_SILENT;
    cell.truth[cell.class] = valid - stands;
    cell.truth[OKNO_NONE] = stands + tally->moved_valid + tally->moved_invalid;
    cell.truth[silenced ? OKNO_SILENT : OKNO_NONE] += invalid;
    return cell;
}

static void add_counts(const struct okno_audit_tally *tally, struct okno_audit_counts *counts)
{
    counts->frame += tally->frame;
    counts->valid += tally->valid;
    counts->invalid += tally->invalid;
    counts->undeterminable += tally->undeterminable;
}

static int prepare_cells(struct okno_db *db, const char *audit, const char *kind,
                         const struct okno_audit_domain *domain, struct okno_stmt **ret_rows,
                         struct okno_err *err)
{
    return OKNO_DB_PREPARE(
        db, "audit.cells", ret_rows, err, OKNO_TEXT("audit", audit), OKNO_TEXT("kind", kind),
        OKNO_TEXT("site", domain->site), OKNO_TEXT("point", domain->point),
        OKNO_TEXT("employee", domain->employee), OKNO_TEXT("question", domain->question),
        OKNO_INT("from", domain->from_us),
        OKNO_INT("to", domain->to_us ? domain->to_us : INT64_MAX));
}

/* The tallies of a domain, from a cube that has them, else counted. */
static int read_tallies(struct okno_db *db, const char *audit, const char *kind,
                        const struct okno_audit_domain *domain, const struct okno_audit_cube *cube,
                        struct okno_tally_vec *tallies, struct okno_err *err)
{
    static const struct okno_audit_domain everything = {0};
    OKNO_AUTO_STMT *rows = NULL;
    const struct okno_tally_vec *counted = NULL;
    const struct okno_audit_domain *asked = domain ? domain : &everything;
    int rc = 0;
    if (audit_cube_find(cube, audit, kind, asked, &counted)) {
        for (size_t i = 0; rc == 0 && i < counted->len; i++)
            rc = okno_tally_vec_push(tallies, counted->items[i]);
        return rc < 0 ? okno_fail(err, rc, "no memory for the cells of audit %s", audit) : 0;
    }
    rc = prepare_cells(db, audit, kind, asked, &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = okno_tally_vec_push(tallies, audit_tally_of(rows)) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells of audit %s", audit)
                 : 0;
    return rc;
}

static int read_cells(struct okno_db *db, const struct audit_row *audit,
                      const struct measure *measure, const struct okno_audit_domain *domain,
                      const struct okno_audit_cube *cube, struct okno_cell_vec *cells,
                      struct okno_audit_counts *counts, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    int rc = read_tallies(db, audit->audit, measure->kind, domain, cube, &tallies, err);
    for (size_t i = 0; rc == 0 && i < tallies.len; i++) {
        rc = okno_cell_vec_push(cells,
                                cell_of(&tallies.items[i], measure, audit->invalid_as_silent));
        if (rc < 0)
            return okno_fail(err, rc, "no memory for the cells of audit %s", audit->audit);
        add_counts(&tallies.items[i], counts);
    }
    return rc;
}

int okno_audit_cells(struct okno_db *db, const char *audit, enum okno_indicator indicator,
                     const struct okno_audit_domain *domain, struct okno_cell_vec *cells,
                     struct okno_audit_counts *ret_counts, struct okno_err *err)
{
    struct audit_row row;
    struct okno_audit_counts counts = {0};
    int rc = audit_load(db, audit, &row, err);
    const struct measure *measure =
        find_measure(indicator, rc == 0 ? row.frame : OKNO_FRAME_SURVEYS);
    if (rc == 0 && !measure)
        rc = okno_fail(err, OKNO_UNSUPPORTED, "%s cannot be estimated from a sample of surveys",
                       okno_indicator_id(indicator));
    if (rc == 0)
        rc = read_cells(db, &row, measure, domain, NULL, cells, &counts, err);
    if (rc == 0 && ret_counts)
        *ret_counts = counts;
    return rc;
}

static struct okno_audit_figure no_figure(double level, const char *reason)
{
    const double none = (double)NAN;
    return (struct okno_audit_figure){.estimate = {.null_reason = reason,
                                                   .value = none,
                                                   .low = none,
                                                   .high = none,
                                                   .se = none,
                                                   .level = level,
                                                   .numerator = none,
                                                   .denominator = none,
                                                   .all_valid = none,
                                                   .all_invalid = none,
                                                   .worst_low = none,
                                                   .worst_high = none,
                                                   .without_silent = none},
                                      .band = {none, none}};
}

bool audit_is_too_wide(const struct okno_estimate *e, double max_half_width)
{
    return max_half_width > 0 && !e->null_reason && (e->high - e->low) / 2 > max_half_width;
}

static int estimate_cells(const struct okno_audit_rules *rules, const struct measure *measure,
                          const struct okno_cell_vec *cells, struct okno_audit_figure *figure,
                          struct okno_err *err)
{
    struct okno_estimate_request request = {.cells = cells->items,
                                            .count = cells->len,
                                            .ratio = measure->ratio(rules->k),
                                            .fm_apart = measure->fm_apart,
                                            .with_replacement = rules->with_replacement,
                                            .silent_known = rules->silent_known,
                                            .invalid_as_silent = rules->invalid_as_silent,
                                            .level = rules->level,
                                            .looks = rules->looks};
    int rc = okno_estimate(&request, NULL, &figure->estimate, err);
    for (int end = 0; rc == 0 && end < 2; end++) {
        struct okno_estimate at;
        request.ratio = measure->ratio(end);
        rc = okno_estimate(&request, NULL, &at, err);
        if (rc == 0)
            figure->band[end] = at.value;
    }
    return rc;
}

/* The answers of a frame of spontaneous ratings, or what of them an employee's domain has. */
static int estimate_total(struct okno_db *db, const char *audit, enum okno_class class,
                          const struct okno_audit_domain *domain,
                          const struct okno_audit_cube *cube, const struct okno_audit_rules *rules,
                          struct okno_audit_figure *figure, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    int rc = read_tallies(db, audit, NULL, domain, cube, &tallies, err);
    for (size_t i = 0; rc == 0 && i < tallies.len; i++)
        add_counts(&tallies.items[i], &figure->counts);
    return rc < 0 ? rc : audit_total(tallies.items, tallies.len, class, rules, figure, err);
}

int okno_audit_estimate(struct okno_db *db, const char *audit, enum okno_indicator indicator,
                        const struct okno_audit_domain *domain, double k,
                        struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    return okno_audit_cube_estimate(db, audit, NULL, indicator, domain, k, ret_figure, err);
}

int okno_audit_cube_estimate(struct okno_db *db, const char *audit,
                             const struct okno_audit_cube *cube, enum okno_indicator indicator,
                             const struct okno_audit_domain *domain, double k,
                             struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    struct audit_row row;
    OKNO_AUTO_VEC(okno_cell_vec) cells = {0};
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0)
        return rc;
    const struct measure *measure = find_measure(indicator, row.frame);
    enum okno_class class = row.frame == OKNO_FRAME_SPONTANEOUS ? class_of(indicator) : OKNO_NONE;
    const struct okno_audit_rules rules = {.invalid_as_silent = row.invalid_as_silent,
                                           .frame = row.frame,
                                           .with_replacement = row.sampling.with_replacement,
                                           .silent_known = row.sampling.silent_known,
                                           .k = k,
                                           .level = row.level,
                                           .looks = row.looks};
    bool frozen = strcmp(row.state, "planned") != 0;
    struct okno_audit_figure figure =
        no_figure(row.level, measure || class != OKNO_NONE ? "not_frozen" : "not_estimated");
    if (class != OKNO_NONE && frozen)
        rc = estimate_total(db, audit, class, domain, cube, &rules, &figure, err);
    if (measure && frozen) {
        rc = read_cells(db, &row, measure, domain, cube, &cells, &figure.counts, err);
        if (rc == 0)
            rc = estimate_cells(&rules, measure, &cells, &figure, err);
    }
    figure.too_wide = class == OKNO_NONE && audit_is_too_wide(&figure.estimate, row.max_half_width);
    if (rc == 0)
        *ret_figure = figure;
    return rc;
}

int okno_audit_tallies(struct okno_db *db, const char *audit, enum okno_indicator indicator,
                       const struct okno_audit_domain *domain, struct okno_tally_vec *tallies,
                       struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0)
        return rc;
    const struct measure *measure = find_measure(indicator, row.frame);
    return read_tallies(db, audit, measure ? measure->kind : NULL, domain, NULL, tallies, err);
}

const char *okno_audit_kind(enum okno_indicator indicator, enum okno_frame frame)
{
    const struct measure *measure = find_measure(indicator, frame);
    if (frame == OKNO_FRAME_SPONTANEOUS)
        return class_of(indicator) == OKNO_NONE ? NULL : "";
    return !measure ? NULL : measure->kind ? measure->kind : "";
}

int okno_audit_tally_estimate(enum okno_indicator indicator, const struct okno_audit_tally *tallies,
                              size_t count, const struct okno_audit_rules *rules,
                              struct okno_audit_figure *ret_figure, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_cell_vec) cells = {0};
    const struct measure *measure = find_measure(indicator, rules->frame);
    enum okno_class class =
        rules->frame == OKNO_FRAME_SPONTANEOUS ? class_of(indicator) : OKNO_NONE;
    struct okno_audit_figure figure =
        no_figure(rules->level, measure || class != OKNO_NONE ? NULL : "not_estimated");
    int rc = 0;
    for (size_t i = 0; (measure || class != OKNO_NONE) && i < count; i++)
        add_counts(&tallies[i], &figure.counts);
    for (size_t i = 0; measure && rc == 0 && i < count; i++)
        rc = okno_cell_vec_push(&cells, cell_of(&tallies[i], measure, rules->invalid_as_silent));
    if (rc < 0)
        return okno_fail(err, rc, "no memory for the cells");
    if (measure)
        rc = estimate_cells(rules, measure, &cells, &figure, err);
    if (class != OKNO_NONE)
        rc = audit_total(tallies, count, class, rules, &figure, err);
    figure.too_wide =
        class == OKNO_NONE && audit_is_too_wide(&figure.estimate, rules->max_half_width);
    if (rc == 0)
        *ret_figure = figure;
    return rc;
}
