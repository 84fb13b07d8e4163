#define _POSIX_C_SOURCE 200809L
/* Make the survey tables follow the events and the registry: mark the points that something new
 * concerns, then make each anew and write the differences, one transaction a point. */
#include "okno/conf.h"
#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct okno_survey_params okno_survey_params_of(const struct okno_conf *conf)
{
    struct okno_survey_params params = okno_survey_params_default();
    params.window_us = conf->survey.window_s * OKNO_SECOND_US;
    params.duplicate_us = conf->survey.duplicate_ms * OKNO_MS_US;
    params.late_us = conf->survey.late_s * OKNO_SECOND_US;
    params.fm_gap_us = conf->survey.fm_gap_s * OKNO_SECOND_US;
    return params;
}

/* ---- marks ---- */

static int get_seen(struct okno_db *db, const char *source, int64_t *ret_seen, struct okno_err *err)
{
    return OKNO_DB_INT(db, "refresh.seen", 0, ret_seen, err, OKNO_TEXT("source", source));
}

static int set_seen(struct okno_db *db, const char *source, int64_t seen, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "refresh.set_seen", NULL, err, OKNO_TEXT("source", source),
                       OKNO_INT("seen", seen));
}

/* A registry table: the points that its new rows concern. */
static int mark_source(struct okno_db *db, const char *source, struct okno_err *err)
{
    char newest_name[64];
    char mark_name[64];
    int64_t seen = 0;
    int64_t newest = 0;
    (void)snprintf(newest_name, sizeof(newest_name), "refresh.newest_%s", source);
    (void)snprintf(mark_name, sizeof(mark_name), "refresh.mark_by_%s", source);
    int rc = get_seen(db, source, &seen, err);
    if (rc == 0)
        rc = okno_db_int(db, newest_name, NULL, 0, 0, &newest, err);
    if (rc < 0 || newest == seen)
        return rc;
    rc = OKNO_DB_RUN(db, mark_name, NULL, err, OKNO_INT("seen", seen));
    return rc < 0 ? rc : set_seen(db, source, newest, err);
}

/* A number that changes when a parameter changes. */
static int64_t digest_of(const struct okno_survey_params *p)
{
    char text[512];
    uint8_t digest[OKNO_SHA256_BYTES];
    int64_t number = 0;
    int len = snprintf(text, sizeof(text),
                       "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                       " %" PRId64 " %d %d %d %d",
                       p->window_us, p->duplicate_us, p->late_us, p->fm_gap_us, p->hold_after_no_us,
                       p->early_us, p->identical_run, (int)p->early_action,
                       (int)p->identical_action, (int)p->hours_action, (int)p->test_action);
    okno_hash_bytes(text, (size_t)len, digest);
    for (int i = 0; i < 7; i++)
        number = number << 8 | digest[i];
    return number + 1; /* never 0: not seen yet */
}

static int mark_params(struct okno_db *db, const struct okno_survey_params *params,
                       struct okno_err *err)
{
    int64_t seen = 0;
    int64_t digest = digest_of(params);
    int rc = get_seen(db, "params", &seen, err);
    if (rc < 0 || seen == digest)
        return rc;
    rc = okno_db_run(db, "refresh.mark_all", NULL, 0, NULL, err);
    return rc < 0 ? rc : set_seen(db, "params", digest, err);
}

static int mark(struct okno_db *db, const struct okno_survey_params *params, int64_t now_us,
                struct okno_err *err)
{
    static const char *const sources[] = {"devices", "clocks",    "points",
                                          "sites",   "questions", "shifts"};
    int rc = okno_db_run(db, "refresh.mark_by_events", NULL, 0, NULL, err);
    if (rc == 0)
        rc = okno_db_run(db, "refresh.forget_devices", NULL, 0, NULL, err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(sources); i++)
        rc = mark_source(db, sources[i], err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "refresh.mark_due", NULL, err, OKNO_INT("now", now_us));
    return rc < 0 ? rc : mark_params(db, params, err);
}

/* ---- one point ---- */

struct point_work {
    struct okno_db *db;
    const char *point;
    int64_t now_us;
    const struct survey_facts *facts;
    const struct okno_survey_output *out;
    struct okno_shift_vec shifts;     /* ordered by start */
    size_t shifts_over, shifts_begun; /* before the survey at hand: those all ended, those begun */
    struct okno_survey_refreshed *counts;
};

static int load_shifts(struct point_work *work, struct okno_err *err)
{
    if (work->out->survey_count == 0)
        return 0;
    const struct okno_survey *first = &work->out->surveys[0];
    const struct okno_survey *last = &work->out->surveys[work->out->survey_count - 1];
    return okno_registry_shifts(work->db, work->point, first->opened_us, last->opened_us + 1,
                                &work->shifts, err);
}

/* Surveys come in order, so the shifts that may cover one are a window that moves on. */
static const char *employee_at(struct point_work *work, int64_t at_us, bool *ret_overlap)
{
    const struct okno_shift *shifts = work->shifts.items;
    while (work->shifts_begun < work->shifts.len && shifts[work->shifts_begun].from_us <= at_us)
        work->shifts_begun++;
    while (work->shifts_over < work->shifts_begun && shifts[work->shifts_over].to_us <= at_us)
        work->shifts_over++;
    size_t count = work->shifts_begun - work->shifts_over;
    return count ? okno_shift_employee_at(shifts + work->shifts_over, count, at_us, ret_overlap)
                 : NULL;
}

static void make_row(struct point_work *work, const struct okno_survey *survey,
                     struct survey_row *row)
{
    const struct okno_survey_event *opener = survey->opener;
    bool overlap = false;
    const char *employee = employee_at(work, survey->opened_us, &overlap);
    unsigned flags = survey->flags | (overlap ? OKNO_SURVEY_SHIFT_OVERLAP : 0U);
    *row = (struct survey_row){.opened_us = survey->opened_us,
                               .closes_us = survey->closes_us,
                               .answered_us = survey->answer ? survey->answer->at_us : 0,
                               .extra_answers = survey->extra_answers,
                               .late_answers = survey->late_answers,
                               .force_majeure = survey->force_majeure,
                               .test = survey->test,
                               .auto_void = survey->voided,
                               .offset_us = opener->offset_us,
                               .uncertainty_us = opener->uncertainty_us,
                               .placed_us = work->now_us,
                               .channel = "panel"};
    (void)okno_event_id(opener->device, opener->boot, opener->seq, row->survey);
    (void)snprintf(row->point, sizeof(row->point), "%s", work->point);
    (void)snprintf(row->site, sizeof(row->site), "%s", work->facts->point.site.site);
    (void)snprintf(row->employee, sizeof(row->employee), "%s", employee ? employee : "");
    if (survey->question) {
        (void)snprintf(row->question, sizeof(row->question), "%s", survey->question->question);
        (void)snprintf(row->question_kind, sizeof(row->question_kind), "%s",
                       survey->question->kind);
    }
    (void)snprintf(row->state, sizeof(row->state), "%s", okno_survey_state_text(survey->state));
    if (survey->answer)
        (void)snprintf(row->answer, sizeof(row->answer), "%s",
                       okno_event_kind_text(survey->answer->kind));
    (void)okno_survey_flags_text(flags, row->flags);
}

/* was or became NULL: not there. */
static int add_history(struct point_work *work, const char *survey, const struct survey_row *was,
                       const struct survey_row *became, struct okno_err *err)
{
    okno_autofree char *was_text = NULL;
    okno_autofree char *became_text = NULL;
    int rc = was ? survey_row_text(was, &was_text, err) : 0;
    if (rc == 0 && became)
        rc = survey_row_text(became, &became_text, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(work->db, "refresh.add_history", NULL, err,
                                OKNO_TEXT("survey", survey), OKNO_INT("at", work->now_us),
                                OKNO_TEXT("was", was_text), OKNO_TEXT("became", became_text));
}

/* A survey that was known once, went away and is back has that told too. */
static int write_new(struct point_work *work, const struct survey_row *row, struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(work->db, "refresh.has_history", 0, &known, err,
                         OKNO_TEXT("survey", row->survey));
    if (rc == 0 && known)
        rc = add_history(work, row->survey, NULL, row, err);
    if (rc == 0)
        rc = survey_row_put(work->db, row, err);
    if (rc == 0)
        work->counts->added++;
    return rc;
}

static int write_changed(struct point_work *work, const struct survey_row *was,
                         struct survey_row *row, struct okno_err *err)
{
    bool same_place = strcmp(was->point, row->point) == 0 && was->opened_us == row->opened_us &&
                      was->closes_us == row->closes_us;
    if (same_place)
        row->placed_us = was->placed_us;
    int rc = survey_row_is_correction(was, row) ? add_history(work, row->survey, was, row, err) : 0;
    if (rc == 0)
        rc = survey_row_put(work->db, row, err);
    if (rc == 0)
        work->counts->changed++;
    return rc;
}

static int write_surveys(struct point_work *work, struct okno_err *err)
{
    int rc = load_shifts(work, err);
    for (size_t i = 0; rc == 0 && i < work->out->survey_count; i++) {
        struct survey_row row;
        struct survey_row was = {0};
        make_row(work, &work->out->surveys[i], &row);
        rc = survey_row_get(work->db, row.survey, &was, err);
        if (rc == 0)
            rc = write_new(work, &row, err);
        else if (rc == 1)
            rc = survey_row_equal(&was, &row) ? 0 : write_changed(work, &was, &row, err);
    }
    return rc;
}

static int write_ratings(struct point_work *work, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < work->out->rating_count; i++) {
        const struct okno_survey_event *event = work->out->ratings[i].event;
        char id[OKNO_EVENT_ID_TEXT];
        rc = OKNO_DB_RUN(
            work->db, "refresh.put_rating", NULL, err,
            OKNO_TEXT("rating", okno_event_id(event->device, event->boot, event->seq, id)),
            OKNO_TEXT("point", work->point), OKNO_TEXT("site", work->facts->point.site.site),
            OKNO_TEXT("answer", okno_event_kind_text(event->kind)), OKNO_INT("at", event->at_us),
            OKNO_TEXT("channel", event->channel ? event->channel : "panel"),
            OKNO_INT("test", event->test), OKNO_INT("offset_us", event->offset_us),
            OKNO_INT("uncertainty_us", event->uncertainty_us), OKNO_INT("now", work->now_us));
    }
    return rc;
}

static int write_situations(struct point_work *work, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < work->out->situation_count; i++) {
        const struct okno_survey_situation *fm = &work->out->situations[i];
        char id[OKNO_EVENT_ID_TEXT];
        rc = OKNO_DB_RUN(
            work->db, "refresh.put_situation", NULL, err,
            OKNO_TEXT("situation",
                      okno_event_id(fm->first->device, fm->first->boot, fm->first->seq, id)),
            OKNO_TEXT("point", work->point), OKNO_TEXT("site", work->facts->point.site.site),
            OKNO_INT("first_at", fm->first_us), OKNO_INT("until_at", fm->until_us),
            OKNO_INT("holds", fm->holds), OKNO_INT("hold_after_no", fm->hold_after_no));
    }
    return rc;
}

/* ---- what is gone ---- */

/* One of the three tables of a point. */
struct derived {
    const char *count_name, *ids_name, *delete_name;
    size_t made; /* rows that the point has now */
    const struct okno_survey_event *(*begins)(const struct okno_survey_output *out, size_t i);
};

static const struct okno_survey_event *survey_begins(const struct okno_survey_output *out, size_t i)
{
    return out->surveys[i].opener;
}

static const struct okno_survey_event *rating_begins(const struct okno_survey_output *out, size_t i)
{
    return out->ratings[i].event;
}

static const struct okno_survey_event *situation_begins(const struct okno_survey_output *out,
                                                        size_t i)
{
    return out->situations[i].first;
}

OKNO_VEC(id_vec, char *);

static void free_ids(struct id_vec *ids)
{
    for (size_t i = 0; i < ids->len; i++)
        free(ids->items[i]);
    id_vec_free(ids);
}

static int compare_ids(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int push_id(struct id_vec *ids, const char *id, struct okno_err *err)
{
    char *copy = strdup(id);
    if (copy && id_vec_push(ids, copy) == 0)
        return 0;
    free(copy);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys of a point");
}

static int stored_ids(struct point_work *work, const struct derived *table, struct id_vec *ids,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(work->db, table->ids_name, &stmt, err, OKNO_TEXT("point", work->point));
    while (rc == 0) {
        int step = okno_stmt_step(stmt, err);
        if (step <= 0)
            return step;
        rc = push_id(ids, okno_stmt_text(stmt, "id"), err);
    }
    return rc;
}

static int made_ids(struct point_work *work, const struct derived *table, struct id_vec *ids,
                    struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < table->made; i++) {
        const struct okno_survey_event *event = table->begins(work->out, i);
        char id[OKNO_EVENT_ID_TEXT];
        rc = push_id(ids, okno_event_id(event->device, event->boot, event->seq, id), err);
    }
    if (rc == 0 && ids->len > 1)
        qsort(ids->items, ids->len, sizeof(ids->items[0]), compare_ids);
    return rc;
}

static int remove_one(struct point_work *work, const struct derived *table, const char *id,
                      struct okno_err *err)
{
    int rc = 0;
    if (table->begins == survey_begins) {
        struct survey_row was = {0};
        rc = survey_row_get(work->db, id, &was, err);
        if (rc == 1)
            rc = add_history(work, id, &was, NULL, err);
        work->counts->removed++;
    }
    return rc < 0 ? rc : OKNO_DB_RUN(work->db, table->delete_name, NULL, err, OKNO_TEXT("id", id));
}

static int remove_others(struct point_work *work, const struct derived *table,
                         const struct id_vec *stored, const struct id_vec *made,
                         struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < stored->len; i++)
        if (made->len == 0 || !bsearch(&stored->items[i], made->items, made->len,
                                       sizeof(made->items[0]), compare_ids))
            rc = remove_one(work, table, stored->items[i], err);
    return rc;
}

/* Everything made was written, so equal numbers mean that nothing is gone. */
static int remove_gone(struct point_work *work, const struct derived *table, struct okno_err *err)
{
    int64_t stored_count = 0;
    int rc = OKNO_DB_INT(work->db, table->count_name, 0, &stored_count, err,
                         OKNO_TEXT("point", work->point));
    if (rc < 0 || (size_t)stored_count == table->made)
        return rc;
    struct id_vec stored = {0};
    struct id_vec made = {0};
    rc = stored_ids(work, table, &stored, err);
    if (rc == 0)
        rc = made_ids(work, table, &made, err);
    if (rc == 0)
        rc = remove_others(work, table, &stored, &made, err);
    free_ids(&stored);
    free_ids(&made);
    return rc;
}

static int write_point(struct point_work *work, struct okno_err *err)
{
    const struct derived tables[] = {
        {"refresh.count_surveys", "refresh.survey_ids", "refresh.delete_survey",
         work->out->survey_count, survey_begins},
        {"refresh.count_ratings", "refresh.rating_ids", "refresh.delete_rating",
         work->out->rating_count, rating_begins},
        {"refresh.count_situations", "refresh.situation_ids", "refresh.delete_situation",
         work->out->situation_count, situation_begins}};
    int rc = write_surveys(work, err);
    if (rc == 0)
        rc = write_ratings(work, err);
    if (rc == 0)
        rc = write_situations(work, err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(tables); i++)
        rc = remove_gone(work, &tables[i], err);
    return rc;
}

static int make_point(struct okno_db *db, const char *point,
                      const struct okno_survey_params *params, int64_t now_us,
                      struct okno_survey_refreshed *counts, struct okno_err *err)
{
    struct survey_facts facts = {0};
    struct okno_survey_output out = {0};
    int rc = survey_facts_load(db, point, INT64_MIN, INT64_MAX, &facts, err);
    if (rc == 0) {
        const struct okno_survey_input input = {.events = facts.events.items,
                                                .event_count = facts.events.len,
                                                .questions = facts.asked.items,
                                                .question_count = facts.asked.len,
                                                .panels = facts.panels.items,
                                                .panel_count = facts.panels.len,
                                                .params = *params,
                                                .now_us = now_us};
        rc = okno_survey_assemble(&input, &out, err);
    }
    struct point_work work = {
        .db = db, .point = point, .now_us = now_us, .facts = &facts, .out = &out, .counts = counts};
    if (rc == 0)
        rc = write_point(&work, err);
    counts->misplaced += (int64_t)out.misplaced;
    counts->suspect += facts.suspect;
    okno_shift_vec_free(&work.shifts);
    okno_survey_output_free(&out);
    survey_facts_free(&facts);
    return rc;
}

/* ---- the whole ---- */

/* 1: there is one. */
static int next_point(struct okno_db *db, char ret_point[OKNO_ID_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "refresh.next_point", NULL, 0, &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        (void)snprintf(ret_point, OKNO_ID_TEXT, "%s", okno_stmt_text(stmt, "point"));
    return rc;
}

/* One transaction. 1: a point was made anew, 0: none is left. */
static int refresh_next(struct okno_db *db, const struct okno_survey_params *params, int64_t now_us,
                        struct okno_survey_refreshed *counts, struct okno_err *err)
{
    char point[OKNO_ID_TEXT];
    struct okno_survey_refreshed so_far = *counts;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    int found = next_point(db, point, err);
    rc = found < 0 ? found : 0;
    if (found == 1)
        rc = make_point(db, point, params, now_us, &so_far, err);
    if (found == 1 && rc == OKNO_NOT_FOUND) { /* comes back when the point is imported */
        okno_err_clear(err);
        rc = 0;
    }
    if (rc == 0 && found == 1)
        rc = OKNO_DB_RUN(db, "refresh.forget_point", NULL, err, OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_db_commit(db, err);
    if (rc < 0) {
        okno_db_rollback(db);
        return rc;
    }
    so_far.points += found;
    *counts = so_far;
    return found;
}

int okno_survey_refresh(struct okno_db *db, const struct okno_survey_params *params, int64_t now_us,
                        struct okno_survey_refreshed *ret_counts, struct okno_err *err)
{
    struct okno_survey_refreshed counts = {0};
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = mark(db, params, now_us, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc < 0)
        return rc;
    while ((rc = refresh_next(db, params, now_us, &counts, err)) == 1)
        ;
    if (rc == 0)
        *ret_counts = counts;
    return rc;
}
