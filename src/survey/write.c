#define _POSIX_C_SOURCE 200809L
/* What a stream gives, as rows: differences only. Rows of the stretch that were not made again are
 * found by counting: each made row is stored, so equal numbers mean that nothing is gone. */
#include "okno/mem.h"
#include "okno/time.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 256, STALE_MAX = 1000, SHIFTS_AHEAD_DAYS = 2 };
enum table { SURVEYS, RATINGS, SITUATIONS };

static const struct {
    const char *count_name, *ids_name, *delete_name;
} tables[] = {[SURVEYS] = {"refresh.count_surveys", "refresh.survey_ids", NULL},
              [RATINGS] = {"refresh.count_ratings", "refresh.rating_ids", "refresh.delete_rating"},
              [SITUATIONS] = {"refresh.count_situations", "refresh.situation_ids",
                              "refresh.delete_situation"}};

struct survey_writer survey_writer_make(struct survey_refresh *refresh,
                                        const struct survey_facts *facts, int64_t from_us)
{
    struct survey_writer writer = {.refresh = refresh, .facts = facts};
    for (size_t i = 0; i < OKNO_COUNT(writer.batches); i++)
        writer.batches[i] = (struct survey_batch){.from_us = from_us, .last_us = from_us};
    return writer;
}

/* ---- what is gone ---- */

static int compare_ids(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void clear_ids(struct survey_id_vec *ids)
{
    for (size_t i = 0; i < ids->len; i++)
        free(ids->items[i]);
    ids->len = 0;
}

/* A survey may turn up elsewhere: it waits until all is made anew. */
static int remove_one(struct survey_writer *writer, enum table table, const char *id, int64_t at_us,
                      struct okno_err *err)
{
    struct okno_db *db = writer->refresh->db;
    if (tables[table].delete_name) {
        writer->refresh->counts.written++;
        return OKNO_DB_RUN(db, tables[table].delete_name, NULL, err, OKNO_TEXT("id", id));
    }
    writer->refresh->any_stale = true;
    return OKNO_DB_RUN(db, "refresh.add_stale", NULL, err, OKNO_TEXT("survey", id),
                       OKNO_TEXT("point", writer->facts->point.point),
                       OKNO_INT("opened_at", at_us));
}

static int remove_others(struct survey_writer *writer, enum table table, int64_t to_us,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct survey_batch *batch = &writer->batches[table];
    int step = 0;
    if (batch->ids.len > 1)
        qsort(batch->ids.items, batch->ids.len, sizeof(batch->ids.items[0]), compare_ids);
    int rc = OKNO_DB_PREPARE(writer->refresh->db, tables[table].ids_name, &stmt, err,
                             OKNO_TEXT("point", writer->facts->point.point),
                             OKNO_INT("from", batch->from_us), OKNO_INT("to", to_us));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1) {
        char id[OKNO_EVENT_ID_TEXT];
        char *key = id;
        okno_stmt_copy(stmt, "id", id, sizeof(id));
        if (batch->ids.len == 0 || !bsearch(&key, batch->ids.items, batch->ids.len,
                                            sizeof(batch->ids.items[0]), compare_ids))
            rc = remove_one(writer, table, id, okno_stmt_int(stmt, "at"), err);
    }
    return rc < 0 ? rc : step;
}

/* Rows of [the batch's beginning, to) are all made: look for others, begin the next batch. */
static int end_batch(struct survey_writer *writer, enum table table, int64_t to_us,
                     struct okno_err *err)
{
    struct survey_batch *batch = &writer->batches[table];
    int64_t stored = 0;
    int rc = OKNO_DB_INT(writer->refresh->db, tables[table].count_name, 0, &stored, err,
                         OKNO_TEXT("point", writer->facts->point.point),
                         OKNO_INT("from", batch->from_us), OKNO_INT("to", to_us));
    if (rc == 0 && (size_t)stored != batch->ids.len)
        rc = remove_others(writer, table, to_us, err);
    clear_ids(&batch->ids);
    batch->from_us = to_us;
    return rc;
}

/* A row is about to be made, in order of time. */
static int note(struct survey_writer *writer, enum table table, const char *id, int64_t at_us,
                struct okno_err *err)
{
    struct survey_batch *batch = &writer->batches[table];
    int rc = 0;
    if (batch->ids.len >= BATCH_MAX && at_us > batch->last_us)
        rc = end_batch(writer, table, at_us, err);
    char *copy = rc == 0 ? strdup(id) : NULL;
    batch->last_us = at_us;
    if (rc == 0 && (!copy || survey_id_vec_push(&batch->ids, copy) < 0)) {
        free(copy);
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys of a point");
    }
    return rc;
}

int survey_writer_end(struct survey_writer *writer, int64_t to_us, struct okno_err *err)
{
    int rc = 0;
    for (enum table table = SURVEYS; rc == 0 && table <= SITUATIONS; table++)
        rc = end_batch(writer, table, to_us, err);
    return rc;
}

void survey_writer_free(struct survey_writer *writer)
{
    for (size_t i = 0; i < OKNO_COUNT(writer->batches); i++) {
        clear_ids(&writer->batches[i].ids);
        survey_id_vec_free(&writer->batches[i].ids);
    }
    okno_shift_vec_free(&writer->shifts);
}

/* ---- surveys ---- */

/* Surveys come in order: shifts are read some days ahead. */
static int employee_at(struct survey_writer *writer, int64_t at_us, const char **ret_employee,
                       bool *ret_overlap, struct okno_err *err)
{
    if (at_us < writer->shifts_from_us || at_us >= writer->shifts_to_us) {
        writer->shifts.len = 0;
        writer->shifts_from_us = at_us;
        writer->shifts_to_us = at_us + SHIFTS_AHEAD_DAYS * OKNO_DAY_US;
        int rc = okno_registry_shifts(writer->refresh->db, writer->facts->point.point, at_us,
                                      writer->shifts_to_us, &writer->shifts, err);
        if (rc < 0)
            return rc;
    }
    *ret_employee =
        okno_shift_employee_at(writer->shifts.items, writer->shifts.len, at_us, ret_overlap);
    return 0;
}

static void copy_question(const struct okno_survey *survey, struct survey_row *row)
{
    if (!survey->question)
        return;
    (void)snprintf(row->question, sizeof(row->question), "%s", survey->question->question);
    (void)snprintf(row->question_kind, sizeof(row->question_kind), "%s", survey->question->kind);
}

static int make_row(struct survey_writer *writer, const struct okno_survey *survey,
                    struct survey_row *row, struct okno_err *err)
{
    const struct okno_survey_event *opener = &survey->opener;
    const struct okno_point *point = &writer->facts->point;
    bool overlap = false;
    const char *employee = NULL;
    int rc = employee_at(writer, survey->opened_us, &employee, &overlap, err);
    unsigned flags = survey->flags | (overlap ? OKNO_SURVEY_SHIFT_OVERLAP : 0U);
    *row = (struct survey_row){.opened_us = survey->opened_us,
                               .closes_us = survey->closes_us,
                               .answered_us = survey->has_answer ? survey->answer.at_us : 0,
                               .extra_answers = survey->extra_answers,
                               .late_answers = survey->late_answers,
                               .force_majeure = survey->force_majeure,
                               .test = survey->test,
                               .auto_void = survey->voided_by != 0,
                               .offset_us = opener->offset_us,
                               .uncertainty_us = opener->uncertainty_us,
                               .placed_us = writer->refresh->now_us,
                               .channel = "panel"};
    (void)okno_event_id(opener->device, opener->boot, opener->seq, row->survey);
    (void)snprintf(row->point, sizeof(row->point), "%s", point->point);
    (void)snprintf(row->site, sizeof(row->site), "%s", point->site.site);
    (void)snprintf(row->employee, sizeof(row->employee), "%s", employee ? employee : "");
    copy_question(survey, row);
    (void)snprintf(row->state, sizeof(row->state), "%s", okno_survey_state_text(survey->state));
    if (survey->has_answer)
        (void)snprintf(row->answer, sizeof(row->answer), "%s",
                       okno_event_kind_text(survey->answer.kind));
    (void)okno_survey_flags_text(flags, row->flags);
    (void)snprintf(row->auto_reason, sizeof(row->auto_reason), "%s",
                   okno_survey_last_flag(survey->voided_by));
    return rc;
}

/* was or became NULL: not there. */
static int add_history(struct survey_refresh *refresh, const char *survey,
                       const struct survey_row *was, const struct survey_row *became,
                       struct okno_err *err)
{
    okno_autofree char *was_text = NULL;
    okno_autofree char *became_text = NULL;
    int rc = was ? survey_row_text(was, &was_text, err) : 0;
    if (rc == 0 && became)
        rc = survey_row_text(became, &became_text, err);
    refresh->counts.written++;
    return rc < 0 ? rc
                  : OKNO_DB_RUN(refresh->db, "refresh.add_history", NULL, err,
                                OKNO_TEXT("survey", survey), OKNO_INT("at", refresh->now_us),
                                OKNO_TEXT("was", was_text), OKNO_TEXT("became", became_text));
}

/* A survey that was known once, went away and is back has that told too. */
static int write_new(struct survey_refresh *refresh, const struct survey_row *row,
                     struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(refresh->db, "refresh.has_history", 0, &known, err,
                         OKNO_TEXT("survey", row->survey));
    if (rc == 0 && known)
        rc = add_history(refresh, row->survey, NULL, row, err);
    if (rc == 0)
        rc = survey_row_put(refresh->db, row, err);
    refresh->counts.added++;
    refresh->counts.written++;
    return rc;
}

static int write_changed(struct survey_refresh *refresh, const struct survey_row *was,
                         struct survey_row *row, struct okno_err *err)
{
    bool same_place = strcmp(was->point, row->point) == 0 && was->opened_us == row->opened_us &&
                      was->closes_us == row->closes_us;
    if (same_place)
        row->placed_us = was->placed_us;
    int rc =
        survey_row_is_correction(was, row) ? add_history(refresh, row->survey, was, row, err) : 0;
    if (rc == 0)
        rc = survey_row_put(refresh->db, row, err);
    refresh->counts.changed++;
    refresh->counts.written++;
    return rc;
}

static int write_survey(void *ctx, const struct okno_survey *survey, struct okno_err *err)
{
    struct survey_writer *writer = ctx;
    struct survey_refresh *refresh = writer->refresh;
    struct survey_row row;
    struct survey_row was = {0};
    int rc = make_row(writer, survey, &row, err);
    if (rc == 0)
        rc = note(writer, SURVEYS, row.survey, row.opened_us, err);
    if (rc == 0 && refresh->any_stale)
        rc = OKNO_DB_RUN(refresh->db, "refresh.drop_stale", NULL, err,
                         OKNO_TEXT("survey", row.survey));
    if (rc == 0)
        rc = survey_row_get(refresh->db, row.survey, &was, err);
    if (rc == 0)
        return write_new(refresh, &row, err);
    if (rc < 0 || survey_row_equal(&was, &row))
        return rc < 0 ? rc : 0;
    return write_changed(refresh, &was, &row, err);
}

/* ---- ratings and situations ---- */

static int write_rating(void *ctx, const struct okno_survey_rating *rating, struct okno_err *err)
{
    struct survey_writer *writer = ctx;
    const struct okno_survey_event *event = &rating->event;
    const struct okno_point *point = &writer->facts->point;
    char id[OKNO_EVENT_ID_TEXT];
    int64_t changes = 0;
    (void)okno_event_id(event->device, event->boot, event->seq, id);
    int rc = note(writer, RATINGS, id, event->at_us, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(
            writer->refresh->db, "refresh.put_rating", &changes, err, OKNO_TEXT("rating", id),
            OKNO_TEXT("point", point->point), OKNO_TEXT("site", point->site.site),
            OKNO_TEXT("answer", okno_event_kind_text(event->kind)), OKNO_INT("at", event->at_us),
            OKNO_TEXT("channel", event->channel ? event->channel : "panel"),
            OKNO_INT("test", event->test), OKNO_INT("offset_us", event->offset_us),
            OKNO_INT("uncertainty_us", event->uncertainty_us),
            OKNO_INT("now", writer->refresh->now_us));
    writer->refresh->counts.written += changes;
    return rc;
}

static int write_situation(void *ctx, const struct okno_survey_situation *fm, struct okno_err *err)
{
    struct survey_writer *writer = ctx;
    const struct okno_point *point = &writer->facts->point;
    char id[OKNO_EVENT_ID_TEXT];
    int64_t changes = 0;
    (void)okno_event_id(fm->first.device, fm->first.boot, fm->first.seq, id);
    int rc = note(writer, SITUATIONS, id, fm->first_us, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(writer->refresh->db, "refresh.put_situation", &changes, err,
                         OKNO_TEXT("situation", id), OKNO_TEXT("point", point->point),
                         OKNO_TEXT("site", point->site.site), OKNO_INT("first_at", fm->first_us),
                         OKNO_INT("until_at", fm->until_us), OKNO_INT("holds", fm->holds),
                         OKNO_INT("hold_after_no", fm->hold_after_no));
    writer->refresh->counts.written += changes;
    return rc;
}

struct okno_survey_sink survey_writer_sink(struct survey_writer *writer)
{
    return (struct okno_survey_sink){writer, write_survey, write_rating, write_situation};
}

/* ---- at the very end ---- */

/* Where it stood, nothing made it again; if it stands there still, nothing did elsewhere. */
static int remove_stale(struct survey_refresh *refresh, const char *survey, const char *point,
                        int64_t opened_us, struct okno_err *err)
{
    struct survey_row was = {0};
    int rc = survey_row_get(refresh->db, survey, &was, err);
    if (rc == 1 && strcmp(was.point, point) == 0 && was.opened_us == opened_us) {
        rc = add_history(refresh, survey, &was, NULL, err);
        if (rc == 0)
            rc = OKNO_DB_RUN(refresh->db, "refresh.delete_survey", NULL, err,
                             OKNO_TEXT("id", survey));
        refresh->counts.removed++;
        refresh->counts.written++;
    }
    return rc < 0 ? rc
                  : OKNO_DB_RUN(refresh->db, "refresh.drop_stale", NULL, err,
                                OKNO_TEXT("survey", survey));
}

/* 1: there is one. */
static int next_stale(struct okno_db *db, char ret_survey[OKNO_EVENT_ID_TEXT],
                      char ret_point[OKNO_ID_TEXT], int64_t *ret_opened_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "refresh.next_stale", NULL, 0, &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc != 1)
        return rc;
    okno_stmt_copy(stmt, "survey", ret_survey, OKNO_EVENT_ID_TEXT);
    okno_stmt_copy(stmt, "point", ret_point, OKNO_ID_TEXT);
    *ret_opened_us = okno_stmt_int(stmt, "opened_at");
    return 1;
}

int survey_remove_stale(struct survey_refresh *refresh, struct okno_err *err)
{
    char survey[OKNO_EVENT_ID_TEXT];
    char point[OKNO_ID_TEXT];
    int64_t opened_us = 0;
    for (int i = 0; i < STALE_MAX; i++) {
        int found = next_stale(refresh->db, survey, point, &opened_us, err);
        int rc = found == 1 ? remove_stale(refresh, survey, point, opened_us, err) : found;
        if (found != 1 || rc < 0)
            return rc;
    }
    return 1;
}
