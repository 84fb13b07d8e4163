#define _POSIX_C_SOURCE 200809L
/* Drawing the sample of a frozen frame round by round, and what follows from it. */
#include "okno/audit.h"

#include "frame.h"
#include "okno/mem.h"
#include "okno/sampler.h"
#include "room.h"

#include <inttypes.h>
#include <string.h>

OKNO_VEC(unit_vec, struct okno_unit);

/* The frame in memory, in its order. */
struct frame {
    struct unit_vec units;
    json_t *names; /* of strata, as keys */
};

static void frame_free(struct frame *frame)
{
    for (size_t i = 0; i < frame->units.len; i++)
        free((char *)(uintptr_t)frame->units.items[i].id);
    unit_vec_free(&frame->units);
    json_decref(frame->names);
}

/* The one copy of a stratum's name. */
static const char *intern(json_t *names, const char *text)
{
    if (!json_object_get(names, text) && json_object_set_new(names, text, json_true()) < 0)
        return NULL;
    return json_object_iter_key(json_object_iter_at(names, text));
}

static int add_unit(struct frame *frame, struct okno_stmt *row, struct okno_err *err)
{
    struct okno_unit unit = {.id = strdup(okno_stmt_text(row, "survey")),
                             .stratum = intern(frame->names, okno_stmt_text(row, "stratum")),
                             .class =
                                 (enum okno_class)okno_class_find(okno_stmt_text(row, "class"))};
    if (unit.id && unit.stratum && unit_vec_push(&frame->units, unit) == 0)
        return 0;
    free((char *)(uintptr_t)unit.id);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
}

static int load_frame(struct okno_db *db, const char *audit, struct frame *frame,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    frame->names = json_object();
    if (!frame->names)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
    int rc = OKNO_DB_PREPARE(db, "audit.units", &rows, err, OKNO_TEXT("audit", audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = add_unit(frame, rows, err);
    return rc;
}

/* ---- what a round leaves behind ---- */

enum { CLASS_SAMPLED = 1, CLASS_RESERVE = 2 };

static int add_jobs(struct okno_db *db, const char *audit, const char *survey, int class,
                    int64_t now_us, struct okno_err *err)
{
    static const char *const kinds[] = {"clip", "still"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(kinds); i++)
        rc = OKNO_DB_RUN(db, "audit.add_job", NULL, err, OKNO_TEXT("kind", kinds[i]),
                         OKNO_TEXT("survey", survey), OKNO_TEXT("audit", audit),
                         OKNO_INT("class", class), OKNO_INT("now", now_us));
    return rc;
}

/* A sale or a minute that nothing but this audit knows. */
static int add_visit(struct okno_db *db, const struct audit_row *row, const char *unit,
                     struct okno_err *err)
{
    if (!okno_frame_is_visits(row->frame))
        return 0;
    return OKNO_DB_RUN(db, "audit.add_visit", NULL, err, OKNO_TEXT("audit", row->audit),
                       OKNO_TEXT("survey", unit), OKNO_TEXT("kind", okno_frame_name(row->frame)),
                       OKNO_INT("length", FRAME_VISIT_US));
}

static int store_pick(struct okno_db *db, const struct audit_row *row, const struct okno_unit *unit,
                      const struct okno_pick *pick, int64_t now_us, struct okno_err *err)
{
    const char *audit = row->audit;
    int rc = add_visit(db, row, unit->id, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_RUN(
        db, "audit.add_sample", NULL, err, OKNO_TEXT("audit", audit),
        OKNO_INT("place", pick->place), OKNO_INT("rank", pick->rank), OKNO_TEXT("survey", unit->id),
        OKNO_TEXT("stratum", unit->stratum), OKNO_TEXT("ticket", pick->ticket),
        OKNO_INT("generation", (int64_t)pick->generation), OKNO_INT("round", pick->round));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.add_item", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("survey", unit->id), OKNO_INT("place", pick->place));
    return rc < 0 ? rc : add_jobs(db, audit, unit->id, CLASS_SAMPLED, now_us, err);
}

/* ---- rounds ---- */

struct rounds {
    int64_t asked[OKNO_ROUNDS_MAX + 1];
    size_t count;
};

static int load_rounds(struct okno_db *db, const char *audit, struct rounds *rounds,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.rounds", &rows, err, OKNO_TEXT("audit", audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        if (rounds->count == OKNO_ROUNDS_MAX)
            return okno_fail(err, OKNO_TOO_LARGE, "audit %s has more than %d rounds", audit,
                             OKNO_ROUNDS_MAX);
        rounds->asked[rounds->count++] = okno_stmt_int(rows, "planned");
    }
    return rc;
}

/* All rounds are drawn again, the last one is stored: a round is by its nature what the order holds
 * after the earlier ones. A reserve as large as it is fetched where the plan allows another. */
static int draw_round(struct okno_db *db, const struct audit_row *row, const struct frame *frame,
                      struct rounds *rounds, int64_t now_us, int64_t *ret_size,
                      struct okno_err *err)
{
    OKNO_AUTO_PICKS picks = {0};
    int round = (int)rounds->count;
    bool more = round < row->looks;
    int64_t size = 0;
    rounds->asked[rounds->count] = rounds->asked[rounds->count - 1];
    int rc = okno_sampling_draw(&row->sampling, row->seed, frame->units.items, frame->units.len,
                                rounds->asked, rounds->count + (more ? 1 : 0), &picks, err);
    for (size_t i = 0; rc == 0 && i < picks.len; i++) {
        const struct okno_pick *pick = &picks.items[i];
        const struct okno_unit *unit = &frame->units.items[pick->index];
        if (pick->round == round) {
            rc = store_pick(db, row, unit, pick, now_us, err);
            size++;
        } else if (pick->round > round) {
            rc = add_visit(db, row, unit->id, err);
            if (rc == 0)
                rc = add_jobs(db, row->audit, unit->id, CLASS_RESERVE, now_us, err);
        }
    }
    if (rc == 0)
        *ret_size = size;
    return rc;
}

static int first_round(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                       int64_t *ret_size, struct okno_err *err)
{
    __attribute__((cleanup(frame_free))) struct frame frame = {0};
    struct rounds rounds = {.count = 1};
    struct audit_row row;
    int rc = audit_enter(db, audit, "draw", &row, err);
    if (rc == 0)
        rc = load_frame(db, audit, &frame, err);
    if (rc == 0)
        rc = okno_sampling_size(&row.sampling, frame.units.items, frame.units.len, &rounds.asked[0],
                                err);
    if (rc == 0)
        rc = draw_round(db, &row, &frame, &rounds, now_us, ret_size, err);
    if (rc == 0)
        rc = audit_double(db, &row, 1, err);
    if (rc < 0)
        return rc;
    return audit_done(db, audit, "draw", author, now_us,
                      json_pack("{s:I, s:I, s:i}", "size", (json_int_t)*ret_size, "planned",
                                (json_int_t)rounds.asked[0], "round", 1),
                      err);
}

int okno_audit_draw(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                    int64_t *ret_size, struct okno_err *err)
{
    int64_t size = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = first_round(db, audit, author, now_us, &size, err);
    rc = audit_finish(db, rc, err);
    if (rc == 0)
        *ret_size = size;
    return rc;
}

/* Each round may be looked at, and the level of every interval was split over the looks planned:
 * one round more would make all of them too narrow. */
static int check_looks(const struct audit_row *row, size_t rounds, struct okno_err *err)
{
    if ((int)rounds < row->looks)
        return 0;
    return okno_fail(err, OKNO_OUT_OF_ORDER,
                     "audit %s has drawn %zu of the %d rounds that its plan allows: a further one "
                     "needs a plan with more --looks (now: `okno audit close %s`)",
                     row->audit, rounds, row->looks, row->audit);
}

static int next_round(struct okno_db *db, const char *audit, int64_t asked, const char *author,
                      int64_t now_us, int64_t *ret_size, struct okno_err *err)
{
    __attribute__((cleanup(frame_free))) struct frame frame = {0};
    struct rounds rounds = {.count = 0};
    struct audit_row row;
    int rc = audit_enter(db, audit, "extend", &row, err);
    if (rc == 0)
        rc = load_rounds(db, audit, &rounds, err);
    if (rc == 0)
        rc = check_looks(&row, rounds.count, err);
    if (rc == 0)
        rc = load_frame(db, audit, &frame, err);
    if (rc < 0)
        return rc;
    rounds.asked[rounds.count++] = asked;
    rc = draw_round(db, &row, &frame, &rounds, now_us, ret_size, err);
    if (rc == 0 && *ret_size == 0)
        rc = okno_fail(err, OKNO_REFUSED, "the whole frame of audit %s is drawn: nothing is left",
                       audit);
    if (rc == 0)
        rc = audit_double(db, &row, (int64_t)rounds.count, err);
    if (rc < 0)
        return rc;
    return audit_done(db, audit, "extend", author, now_us,
                      json_pack("{s:I, s:I, s:i}", "size", (json_int_t)*ret_size, "planned",
                                (json_int_t)asked, "round", (int)rounds.count),
                      err);
}

int okno_audit_extend(struct okno_db *db, const char *audit, int64_t size, const char *author,
                      int64_t now_us, int64_t *ret_size, struct okno_err *err)
{
    int64_t drawn = 0;
    if (size < 1 || size > OKNO_SAMPLER_DRAW_MAX)
        return okno_fail_field(err, OKNO_INVALID, "size", "size %" PRId64 ": 1 to %d is allowed",
                               size, OKNO_SAMPLER_DRAW_MAX);
    int rc = audit_check_author(author, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = next_round(db, audit, size, author, now_us, &drawn, err);
    rc = audit_finish(db, rc, err);
    if (rc == 0)
        *ret_size = drawn;
    return rc;
}
