#define _POSIX_C_SOURCE 200809L
/* Make the survey tables follow the events and the registry: mark the spans of points that
 * something new concerns; widen each to moments at which nothing earlier is felt; stream its events
 * through the rules and write the differences. A transaction takes some thousand events and ends at
 * such a moment, so that neither memory nor the wait of other writers grows with a point's history.
 */
#include "okno/conf.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "store.h"

#include <string.h>

enum { EVENTS_A_TURN = 20000 };
#define END_US OKNO_SURVEY_TIME_LIMIT_US

static enum okno_flag_action action_of(const char *word)
{
    if (strcmp(word, "off") == 0)
        return OKNO_FLAG_OFF;
    return strcmp(word, "void") == 0 ? OKNO_FLAG_VOID : OKNO_FLAG_MARK;
}

struct okno_survey_params okno_survey_params_of(const struct okno_conf *conf)
{
    struct okno_survey_params params = okno_survey_params_default();
    params.window_us = conf->survey.window_s * OKNO_SECOND_US;
    params.duplicate_us = conf->survey.duplicate_ms * OKNO_MS_US;
    params.late_us = conf->survey.late_s * OKNO_SECOND_US;
    params.fm_gap_us = conf->survey.fm_gap_s * OKNO_SECOND_US;
    params.hold_after_no_us = conf->survey.hold_after_no_s * OKNO_SECOND_US;
    params.early_us = conf->survey.early_ms * OKNO_MS_US;
    params.identical_run = conf->survey.identical_run;
    params.early_action = action_of(conf->survey.early_answer);
    params.identical_action = action_of(conf->survey.identical_answers);
    params.hours_action = action_of(conf->survey.outside_hours);
    params.test_action = action_of(conf->survey.test_mode);
    return params;
}

/* ---- where to begin ---- */

/* Of the moments in [from, at] the last at which no event from [from, at) is felt, *ret_cut_us;
 * events before `from` may be felt for reach_us more. Whether there is one. */
static int last_cut(struct survey_refresh *refresh, const struct survey_facts *facts,
                    int64_t from_us, int64_t at_us, int64_t reach_us, int64_t *ret_cut_us,
                    struct okno_err *err)
{
    struct survey_reader reader;
    const struct okno_survey_input input =
        survey_facts_input(facts, refresh->params, refresh->now_us);
    const struct okno_survey_event *event = NULL;
    int64_t max_window_us = okno_survey_max_window_us(&input);
    int64_t felt_until_us = from_us == -END_US ? from_us : from_us + reach_us;
    int64_t cut_us = INT64_MIN;
    int found = 0;
    int rc = survey_reader_open(refresh->db, facts, from_us, false, &reader, err);
    while (rc == 0 && (found = survey_reader_next(&reader, at_us, &event, err)) == 1) {
        if (event->at_us >= felt_until_us)
            cut_us = event->at_us;
        int64_t until_us =
            event->at_us + okno_survey_reach_us(refresh->params, max_window_us, event->kind);
        felt_until_us = until_us > felt_until_us ? until_us : felt_until_us;
    }
    refresh->counts.events += reader.read;
    survey_reader_close(&reader);
    if (rc < 0 || found < 0)
        return rc < 0 ? rc : found;
    *ret_cut_us = felt_until_us <= at_us ? at_us : cut_us;
    return *ret_cut_us != INT64_MIN;
}

/* How far the kind that is felt longest is felt. */
static int64_t longest_reach(const struct okno_survey_input *input)
{
    int64_t longest_us = 0;
    int64_t max_window_us = okno_survey_max_window_us(input);
    for (int kind = 0; kind < OKNO_EVENT_KIND_COUNT; kind++) {
        int64_t reach_us =
            okno_survey_reach_us(&input->params, max_window_us, (enum okno_event_kind)kind);
        longest_us = reach_us > longest_us ? reach_us : longest_us;
    }
    return longest_us;
}

/* The last cut at or before the moment: looked for further and further back. */
static int find_start(struct survey_refresh *refresh, const struct survey_facts *facts,
                      int64_t at_us, int64_t *ret_start_us, struct okno_err *err)
{
    const struct okno_survey_input input =
        survey_facts_input(facts, refresh->params, refresh->now_us);
    int64_t reach_us = longest_reach(&input);
    int64_t back_us = 2 * reach_us;
    for (;;) {
        int64_t from_us = at_us - back_us > -END_US ? at_us - back_us : -END_US;
        int rc = last_cut(refresh, facts, from_us, at_us, reach_us, ret_start_us, err);
        if (rc != 0 || from_us == -END_US)
            return rc < 0 ? rc : 0;
        back_us = back_us < END_US / 4 ? back_us * 4 : END_US;
    }
}

/* ---- one span ---- */

struct span {
    char point[OKNO_ID_TEXT];
    int64_t from_us, to_us;
};

/* Stream from the cut on until the first cut at or after the span's end, or, once the turn is used
 * up, until any cut. *ret_end_us: there. */
static int stream_span(struct survey_refresh *refresh, struct survey_reader *reader,
                       struct okno_survey_stream *stream, int64_t to_us, int64_t *ret_end_us,
                       struct okno_err *err)
{
    const struct okno_survey_event *event = NULL;
    for (int64_t taken = 0;; taken++) {
        int64_t horizon_us = okno_survey_stream_horizon(stream);
        int64_t end_us = horizon_us > to_us ? horizon_us : to_us;
        int found = survey_reader_next(reader, end_us, &event, err);
        if (found < 0)
            return found;
        bool turn_is_over = refresh->turn_events + taken >= EVENTS_A_TURN;
        if (!found || (turn_is_over && event->at_us >= horizon_us)) {
            *ret_end_us = found ? event->at_us : end_us;
            refresh->turn_events += taken;
            return okno_survey_stream_end(stream, err);
        }
        int rc = okno_survey_stream_add(stream, event, err);
        if (rc < 0)
            return rc;
    }
}

static int make_span(struct survey_refresh *refresh, const struct survey_facts *facts,
                     const struct span *span, int64_t *ret_end_us, struct okno_err *err)
{
    struct survey_reader reader = {0};
    OKNO_AUTO(okno_survey_stream) *stream = NULL;
    int64_t start_us = -END_US;
    int rc = find_start(refresh, facts, span->from_us, &start_us, err);
    if (rc < 0)
        return rc;
    const struct okno_survey_input input =
        survey_facts_input(facts, refresh->params, refresh->now_us);
    struct survey_writer writer = survey_writer_make(refresh, facts, start_us);
    const struct okno_survey_sink sink = survey_writer_sink(&writer);
    rc = okno_survey_stream_open(&input, &sink, &stream, err);
    if (rc == 0)
        rc = survey_reader_open(refresh->db, facts, start_us, false, &reader, err);
    if (rc == 0)
        rc = stream_span(refresh, &reader, stream, span->to_us, ret_end_us, err);
    if (rc == 0)
        rc = survey_writer_end(&writer, *ret_end_us, err);
    if (rc == 0)
        refresh->counts.misplaced += okno_survey_stream_misplaced(stream);
    refresh->counts.suspect += reader.suspect;
    refresh->counts.events += reader.read;
    survey_writer_free(&writer);
    survey_reader_close(&reader);
    return rc;
}

/* ---- a turn: one transaction ---- */

/* The next span, with those that touch it, taken off the list. 1: there is one. */
static int take_span(struct okno_db *db, struct span *ret_span, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "refresh.next_span", NULL, 0, &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc != 1)
        return rc;
    okno_stmt_copy(stmt, "point", ret_span->point, sizeof(ret_span->point));
    ret_span->from_us = okno_stmt_int(stmt, "from_at");
    int64_t end_us = okno_stmt_int(stmt, "to_at");
    okno_stmt_reset(stmt);
    do {
        ret_span->to_us = end_us;
        rc = OKNO_DB_INT(db, "refresh.span_end", end_us, &end_us, err,
                         OKNO_TEXT("point", ret_span->point), OKNO_INT("from", ret_span->from_us),
                         OKNO_INT("to", end_us));
    } while (rc == 0 && end_us > ret_span->to_us);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "refresh.forget_spans", NULL, err, OKNO_TEXT("point", ret_span->point),
                         OKNO_INT("from", ret_span->from_us), OKNO_INT("to", ret_span->to_us));
    return rc < 0 ? rc : 1;
}

/* What the turn did not reach goes back on the list. */
static int put_rest(struct survey_refresh *refresh, const struct span *span, int64_t end_us,
                    struct okno_err *err)
{
    int64_t waits = 0;
    int rc = 0;
    if (end_us < span->to_us)
        rc =
            OKNO_DB_RUN(refresh->db, "refresh.add_span", NULL, err, OKNO_TEXT("point", span->point),
                        OKNO_INT("from", end_us), OKNO_INT("to", span->to_us));
    if (rc == 0)
        rc = OKNO_DB_INT(refresh->db, "refresh.point_waits", 0, &waits, err,
                         OKNO_TEXT("point", span->point));
    refresh->counts.points += !waits;
    return rc;
}

/* A point that is not known comes back when it is imported. */
static int load_facts(struct survey_refresh *refresh, const struct span *span,
                      struct survey_facts *facts, bool *ret_known, struct okno_err *err)
{
    struct okno_err first = {0};
    *ret_known = strcmp(facts->point.point, span->point) == 0;
    if (*ret_known)
        return 0;
    survey_facts_free(facts);
    *facts = (struct survey_facts){0};
    int rc = survey_facts_load(refresh->db, span->point, facts, &first);
    *ret_known = rc == 0;
    if (rc == OKNO_NOT_FOUND)
        return OKNO_DB_RUN(refresh->db, "refresh.forget_point", NULL, err,
                           OKNO_TEXT("point", span->point));
    return rc < 0 ? okno_fail(err, rc, "%s", first.text) : 0;
}

/* Spans until the turn is used up. 1: there may be more. */
static int make_spans(struct survey_refresh *refresh, struct okno_err *err)
{
    struct survey_facts facts = {0};
    struct span span;
    int64_t any_stale = 0;
    int found = 0;
    /* Each turn again: another process may have left some. */
    int rc = okno_db_int(refresh->db, "refresh.any_stale", NULL, 0, 0, &any_stale, err);
    refresh->any_stale = any_stale != 0;
    refresh->turn_events = 0;
    while (rc == 0 && refresh->turn_events < EVENTS_A_TURN &&
           (found = take_span(refresh->db, &span, err)) == 1) {
        bool known = false;
        int64_t end_us = span.to_us;
        rc = load_facts(refresh, &span, &facts, &known, err);
        if (rc == 0 && known)
            rc = make_span(refresh, &facts, &span, &end_us, err);
        if (rc == 0)
            rc = put_rest(refresh, &span, end_us, err);
        refresh->turn_events++; /* spans without events cost something too */
    }
    survey_facts_free(&facts);
    return rc < 0 ? rc : found;
}

/* One transaction. What `step` counted stands only when it is on disk. */
static int turn(struct survey_refresh *refresh,
                int (*step)(struct survey_refresh *refresh, struct okno_err *err),
                struct okno_err *err)
{
    const struct okno_survey_refreshed before = refresh->counts;
    int rc = okno_db_begin(refresh->db, err);
    if (rc < 0)
        return rc;
    int more = step(refresh, err);
    rc = more < 0 ? more : okno_db_commit(refresh->db, err);
    if (rc == 0)
        return more;
    okno_db_rollback(refresh->db);
    refresh->counts = before;
    return rc;
}

int okno_survey_refresh(struct okno_db *db, const struct okno_survey_params *params, int64_t now_us,
                        struct okno_survey_refreshed *ret_counts, struct okno_err *err)
{
    struct survey_refresh refresh = {.db = db, .params = params, .now_us = now_us};
    int rc = turn(&refresh, survey_mark, err);
    while (rc == 0 && (rc = turn(&refresh, make_spans, err)) == 1)
        rc = 0;
    while (rc == 0 && refresh.any_stale && (rc = turn(&refresh, survey_remove_stale, err)) == 1)
        rc = 0;
    if (rc == 0)
        *ret_counts = refresh.counts;
    return rc;
}
