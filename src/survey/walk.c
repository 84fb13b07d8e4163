#define _POSIX_C_SOURCE 200809L
/* Every point's events through the rules, nothing stored. */
#include "okno/mem.h"
#include "store.h"

static int walk_point(struct okno_db *db, const struct survey_facts *facts,
                      const struct okno_survey_params *params, int64_t now_us,
                      const struct okno_survey_sink *sink, int64_t *events, struct okno_err *err)
{
    struct survey_reader reader = {0};
    OKNO_AUTO(okno_survey_stream) *stream = NULL;
    const struct okno_survey_event *event = NULL;
    const struct okno_survey_input input = survey_facts_input(facts, params, now_us);
    int found = 0;
    int rc = okno_survey_stream_open(&input, sink, &stream, err);
    if (rc == 0)
        rc = survey_reader_open(db, facts, -OKNO_SURVEY_TIME_LIMIT_US, false, &reader, err);
    while (rc == 0 &&
           (found = survey_reader_next(&reader, OKNO_SURVEY_TIME_LIMIT_US, &event, err)) == 1)
        rc = okno_survey_stream_add(stream, event, err);
    if (rc == 0)
        rc = found < 0 ? found : okno_survey_stream_end(stream, err);
    *events += reader.read;
    survey_reader_close(&reader);
    return rc;
}

/* 1: there is one after it. */
static int next_point(struct okno_db *db, char point[OKNO_ID_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "refresh.next_point", &stmt, err, OKNO_TEXT("after", point));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "point", point, OKNO_ID_TEXT);
    return rc;
}

int okno_survey_walk(struct okno_db *db, const struct okno_survey_params *params, int64_t now_us,
                     const struct okno_survey_sink *sink, int64_t *ret_events, struct okno_err *err)
{
    char point[OKNO_ID_TEXT] = "";
    int64_t events = 0;
    int found = 0;
    int rc = 0;
    while (rc == 0 && (found = next_point(db, point, err)) == 1) {
        struct survey_facts facts = {0};
        rc = survey_facts_load(db, point, &facts, err);
        if (rc == 0)
            rc = walk_point(db, &facts, params, now_us, sink, &events, err);
        survey_facts_free(&facts);
    }
    if (rc == 0 && found == 0)
        *ret_events = events;
    return rc < 0 ? rc : found;
}
