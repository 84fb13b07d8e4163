/* Surveys, situations and spontaneous ratings into cells. Most surveys count as their own row says;
 * those that somebody decided on are taken back afterwards and counted as decided, so that reading
 * ten million rows joins nothing. */
#include "kpi.h"

#include <string.h>

/* One survey with what decides how it counts. Texts live until the statement steps on. */
struct survey {
    const char *survey, *site, *point, *employee, *question, *kind, *answer;
    const char *verdict, *reason, *correction;
    int64_t opened_us, closes_us;
    bool late, superseded, fm, fm_stands, voided, judged;
};

enum survey_column {
    SURVEY,
    SITE,
    POINT,
    EMPLOYEE,
    QUESTION,
    KIND,
    ANSWER,
    FLAGS,
    OPENED,
    CLOSES,
    LATE,
    FM,
    VOIDED,
    JUDGED,
    COLUMNS
};

static void find_columns(struct okno_stmt *row, int ret_places[COLUMNS])
{
    static const char *const names[COLUMNS] = {
        "survey",        "site",          "point",     "employee",  "question",
        "question_kind", "answer",        "flags",     "opened_at", "closes_at",
        "late_answers",  "force_majeure", "auto_void", "judged"};
    for (int i = 0; i < COLUMNS; i++)
        ret_places[i] = okno_stmt_column(row, names[i]);
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
            return true;
    return false;
}

static void read_survey(struct okno_stmt *row, const int *place, struct survey *ret_survey)
{
    const char *flags = okno_stmt_text_at(row, place[FLAGS]);
    *ret_survey = (struct survey){
        .survey = okno_stmt_text_at(row, place[SURVEY]),
        .site = okno_stmt_text_at(row, place[SITE]),
        .point = okno_stmt_text_at(row, place[POINT]),
        .employee = okno_stmt_text_at(row, place[EMPLOYEE]),
        .question = okno_stmt_text_at(row, place[QUESTION]),
        .kind = okno_stmt_text_at(row, place[KIND]),
        .answer = okno_stmt_text_at(row, place[ANSWER]),
        .opened_us = okno_stmt_int_at(row, place[OPENED]),
        .closes_us = okno_stmt_int_at(row, place[CLOSES]),
        .late = okno_stmt_int_at(row, place[LATE]) > 0,
        .superseded = flags && *flags && has_word(flags, "superseded"),
        .fm = okno_stmt_int_at(row, place[FM]) != 0,
        .voided = okno_stmt_int_at(row, place[VOIDED]) != 0,
        .judged = okno_stmt_int_at(row, place[JUDGED]) != 0,
    };
    ret_survey->fm_stands = ret_survey->fm;
}

static int32_t kind_of(const char *word)
{
    static const char *const kinds[] = {"personnel", "office", "loyalty"};
    for (int32_t i = 0; word && i < OKNO_KIND_COUNT; i++)
        if (strcmp(kinds[i], word) == 0)
            return i;
    return OKNO_KIND_COUNT;
}

static int answer_place(const char *answer)
{
    if (!answer)
        return 3;
    return answer[0] == 'y' ? 0 : answer[0] == 'n' ? 2 : 1;
}

/* Whether a moment at a site is asked for, and the piece of calendar that it belongs to. */
static int place_moment(const struct kpi_counting *c, const char *site_id, int64_t at_us,
                        int32_t *ret_bucket, bool *ret_asked, struct okno_err *err)
{
    const struct kpi_site *site = kpi_places_site(c->places, site_id);
    if (!site)
        return okno_fail(err, OKNO_UNKNOWN_REF, "site %s is not known any more", site_id);
    *ret_asked = at_us >= site->from_us && at_us < site->to_us &&
                 (!c->point || kpi_bucket(site->zone, at_us, KPI_DAY) == c->day);
    if (*ret_asked)
        *ret_bucket = kpi_bucket(site->zone, at_us, c->cube->unit);
    return 0;
}

static void add_to_set(struct kpi_cell *cell, enum okno_figure_set set, const struct survey *s,
                       bool fm, int32_t sign)
{
    int answer = answer_place(s->answer);
    cell->n[KPI_TALLY + 8 * (int)set + answer] += sign;
    if (fm)
        cell->n[KPI_TALLY + 8 * (int)set + 4 + answer] += sign;
    if (s->late)
        cell->n[KPI_LATE + (int)set] += sign;
    if (s->superseded)
        cell->n[KPI_SUPERSEDED + (int)set] += sign;
}

static int count_survey(const struct kpi_counting *c, const struct survey *s, int32_t sign,
                        struct okno_err *err)
{
    struct kpi_cell *cell = NULL;
    int32_t bucket = 0;
    bool asked = false;
    int rc = place_moment(c, s->site, s->opened_us, &bucket, &asked, err);
    if (rc < 0 || !asked)
        return rc;
    rc = kpi_cube_find(c->cube, s->site, s->point, s->employee, s->question, kind_of(s->kind),
                       bucket, &cell, err);
    if (rc < 0)
        return rc;
    add_to_set(cell, OKNO_RAW, s, s->fm, sign);
    if (s->verdict)
        cell->n[KPI_REVIEWED] += sign;
    if (s->voided)
        return kpi_cell_exclude(&cell->excluded, "VOIDED", sign, err);
    if (s->verdict && strcmp(s->verdict, "invalid") == 0)
        return kpi_cell_exclude(&cell->excluded, s->reason ? s->reason : "UNSPECIFIED", sign, err);
    if (s->verdict && strcmp(s->verdict, "undeterminable") == 0)
        cell->n[KPI_UNDETERMINABLE] += sign;
    add_to_set(cell, OKNO_EXCLUDED, s, s->fm_stands, sign);
    return 0;
}

/* ---- force majeure that a reviewer cleared ---- */

static int load_situations(struct okno_db *db, const char *survey, struct kpi_cleared_vec *cleared,
                           struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "kpi.situations_of", &stmt, err, OKNO_TEXT("survey", survey));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct kpi_cleared one = {.first_us = okno_stmt_int(stmt, "first_at"),
                                  .until_us = okno_stmt_int(stmt, "until_at")};
        okno_stmt_copy(stmt, "situation", one.situation, sizeof(one.situation));
        okno_stmt_copy(stmt, "point", one.point, sizeof(one.point));
        rc = kpi_cleared_vec_push(cleared, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the situations")
                 : 0;
    }
    return rc;
}

static int is_false_fm(struct okno_db *db, const char *survey, bool *ret_yes, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "kpi.ruling", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc < 0 || (rc = okno_stmt_step(stmt, err)) < 1)
        return rc;
    const char *verdict = okno_stmt_text(stmt, "verdict");
    const char *correction = okno_stmt_text(stmt, "correction");
    *ret_yes = strcmp(verdict, "valid") == 0 && correction && strcmp(correction, "FALSE_FM") == 0;
    return 0;
}

int kpi_cleared_load(struct okno_db *db, struct kpi_cleared_vec *cleared, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.false_fm", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *survey = okno_stmt_text(stmt, "survey");
        bool yes = false;
        rc = is_false_fm(db, survey, &yes, err);
        if (rc == 0 && yes)
            rc = load_situations(db, survey, cleared, err);
    }
    return rc;
}

static bool is_cleared(const struct kpi_counting *c, const char *situation)
{
    for (size_t i = 0; i < c->cleared.len; i++)
        if (strcmp(c->cleared.items[i].situation, situation) == 0)
            return true;
    return false;
}

static bool touches_cleared(const struct kpi_counting *c, const struct survey *s)
{
    for (size_t i = 0; i < c->cleared.len; i++) {
        const struct kpi_cleared *one = &c->cleared.items[i];
        if (s->opened_us < one->until_us && s->closes_us > one->first_us &&
            strcmp(one->point, s->point) == 0)
            return true;
    }
    return false;
}

/* Whether a situation that nobody cleared overlaps the survey or, with `after`, was reported within
 * ten minutes after it. */
static int stands(const struct kpi_counting *c, const char *statement, const struct survey *s,
                  bool *ret_stands, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    bool found = false;
    int rc = OKNO_DB_PREPARE(c->db, statement, &stmt, err, OKNO_TEXT("point", s->point),
                             OKNO_INT("opened", s->opened_us), OKNO_INT("closes", s->closes_us));
    while (rc == 0 && !found && (rc = okno_stmt_step(stmt, err)) == 1) {
        found = !is_cleared(c, okno_stmt_text(stmt, "situation"));
        rc = 0;
    }
    if (rc == 0)
        *ret_stands = found;
    return rc;
}

static int decide_fm(const struct kpi_counting *c, struct survey *s, struct okno_err *err)
{
    bool reaches = s->verdict && strcmp(s->verdict, "valid") == 0 && s->correction &&
                   strcmp(s->correction, "FM_REACHES_BACK") == 0;
    if (s->fm)
        return touches_cleared(c, s) ? stands(c, "kpi.situations_at", s, &s->fm_stands, err) : 0;
    return reaches ? stands(c, "kpi.situations_after", s, &s->fm_stands, err) : 0;
}

/* ---- surveys ---- */

/* The survey as decided: its row is the statement's only one. */
static int count_decided(const struct kpi_counting *c, struct okno_stmt *row, struct survey *plain,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct survey s = *plain;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.ruling", &stmt, err, OKNO_TEXT("survey", s.survey));
    if (rc < 0 || (rc = okno_stmt_step(stmt, err)) < 0)
        return rc;
    if (rc == 1) {
        s.verdict = okno_stmt_text(stmt, "verdict");
        s.reason = okno_stmt_text(stmt, "reason");
        s.correction = okno_stmt_text(stmt, "correction");
    }
    if (okno_stmt_int(row, "moved"))
        s.employee = okno_stmt_text(row, "moved_to");
    s.voided = okno_stmt_int(row, "voided") != 0;
    rc = decide_fm(c, &s, err);
    return rc < 0 ? rc : count_survey(c, &s, 1, err);
}

/* Count a survey as decided; with `back` it was counted by its own row before, which is taken back.
 */
static int recount(const struct kpi_counting *c, const char *survey, bool back,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int place[COLUMNS];
    struct survey s;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.decided", &row, err, OKNO_TEXT("survey", survey));
    if (rc < 0 || (rc = okno_stmt_step(row, err)) < 1)
        return rc;
    find_columns(row, place);
    read_survey(row, place, &s);
    struct survey plain = s;
    rc = back ? decide_fm(c, &plain, err) : 0;
    if (rc == 0 && back)
        rc = count_survey(c, &plain, -1, err);
    return rc < 0 ? rc : count_decided(c, row, &s, err);
}

static int count_row(const struct kpi_counting *c, struct survey *s, struct okno_err *err)
{
    if (s->judged)
        return recount(c, s->survey, false, err);
    int rc = s->fm && c->cleared.len > 0 ? decide_fm(c, s, err) : 0;
    return rc < 0 ? rc : count_survey(c, s, 1, err);
}

static int count_rows(const struct kpi_counting *c, struct okno_stmt *rows, struct okno_err *err)
{
    int place[COLUMNS];
    struct survey s;
    int rc = 0;
    find_columns(rows, place);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        read_survey(rows, place, &s);
        rc = count_row(c, &s, err);
    }
    return rc;
}

static int recount_each(const struct kpi_counting *c, struct okno_stmt *decided,
                        struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && (rc = okno_stmt_step(decided, err)) == 1)
        rc = recount(c, okno_stmt_text(decided, "survey"), true, err);
    return rc;
}

/* ---- situations and spontaneous ratings ---- */

/* They have no survey: their employee is who was on shift for certain, unless a manager said
 * otherwise, and they belong to no question. *ret_cell NULL: not asked for. */
static int find_loose(const struct kpi_counting *c, struct okno_stmt *row,
                      struct kpi_cell **ret_cell, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    const char *site = okno_stmt_text(row, "site");
    const char *point = okno_stmt_text(row, "point");
    const char *employee = NULL;
    int64_t at_us = okno_stmt_int(row, "at");
    int32_t bucket = 0;
    bool asked = false;
    *ret_cell = NULL;
    int rc = place_moment(c, site, at_us, &bucket, &asked, err);
    if (rc < 0 || !asked)
        return rc;
    if (okno_stmt_int(row, "moved")) {
        employee = okno_stmt_text(row, "moved_to");
    } else if (c->cube->by & OKNO_BY_EMPLOYEE) {
        rc = OKNO_DB_PREPARE(c->db, "kpi.employee_at", &stmt, err, OKNO_TEXT("point", point),
                             OKNO_INT("at", at_us));
        if (rc < 0 || (rc = okno_stmt_step(stmt, err)) < 0)
            return rc;
        employee = rc == 1 ? okno_stmt_text(stmt, "employee") : NULL;
    }
    return kpi_cube_find(c->cube, site, point, employee, NULL, OKNO_KIND_COUNT, bucket, ret_cell,
                         err);
}

static int take_situation(const struct kpi_counting *c, struct okno_stmt *row, struct okno_err *err)
{
    struct kpi_cell *cell = NULL;
    int rc = find_loose(c, row, &cell, err);
    if (rc < 0 || !cell)
        return rc;
    cell->n[KPI_SITUATIONS + OKNO_RAW]++;
    cell->n[KPI_SITUATIONS + OKNO_EXCLUDED] += !is_cleared(c, okno_stmt_text(row, "situation"));
    return 0;
}

static int rating_is_out(const struct kpi_counting *c, struct okno_stmt *row, bool *ret_out,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    *ret_out = okno_stmt_int(row, "voided") != 0;
    if (*ret_out || !okno_stmt_int(row, "judged"))
        return 0;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.ruling", &stmt, err,
                             OKNO_TEXT("survey", okno_stmt_text(row, "rating")));
    if (rc < 0 || (rc = okno_stmt_step(stmt, err)) < 1)
        return rc;
    *ret_out = strcmp(okno_stmt_text(stmt, "verdict"), "invalid") == 0;
    return 0;
}

static int take_rating(const struct kpi_counting *c, struct okno_stmt *row, struct okno_err *err)
{
    struct kpi_cell *cell = NULL;
    bool out = false;
    int rc = find_loose(c, row, &cell, err);
    if (rc < 0 || !cell)
        return rc;
    rc = rating_is_out(c, row, &out, err);
    if (rc < 0)
        return rc;
    const char *answer = okno_stmt_text(row, "answer");
    int place = answer[0] == 'y' ? 0 : answer[0] == 'n' ? 2 : 1;
    cell->n[KPI_SPONTANEOUS + place]++;
    cell->n[KPI_SPONTANEOUS + 3 + place] += !out;
    return 0;
}

static int take_each(const struct kpi_counting *c, struct okno_stmt *rows,
                     int (*take)(const struct kpi_counting *, struct okno_stmt *,
                                 struct okno_err *),
                     struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = take(c, rows, err);
    return rc;
}

/* ---- the whole ---- */

/* Reading the table from end to end beats an index where much of it is asked for. */
static int choose_scan(struct okno_db *db, const struct kpi_places *places,
                       const char **ret_statement, struct okno_err *err)
{
    int64_t first_us = 0;
    int64_t last_us = 0;
    int rc = okno_db_int(db, "kpi.first_survey", NULL, 0, 0, &first_us, err);
    if (rc == 0)
        rc = okno_db_int(db, "kpi.last_survey", NULL, 0, 0, &last_us, err);
    if (rc < 0)
        return rc;
    int64_t from_us = places->from_us > first_us ? places->from_us : first_us;
    int64_t to_us = places->to_us < last_us ? places->to_us : last_us;
    *ret_statement =
        to_us - from_us > (last_us - first_us) / 4 ? "kpi.surveys_scan" : "kpi.surveys_some";
    return 0;
}

#define PERIOD(from, to) OKNO_INT("from", from), OKNO_INT("to", to)

int kpi_rows_count(struct kpi_counting *c, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    OKNO_AUTO_STMT *decided = NULL;
    OKNO_AUTO_STMT *situations = NULL;
    OKNO_AUTO_STMT *ratings = NULL;
    const int64_t from_us = c->places->from_us;
    const int64_t to_us = c->places->to_us;
    const char *scan = NULL;
    int rc = choose_scan(c->db, c->places, &scan, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, scan, &rows, err, PERIOD(from_us, to_us));
    if (rc == 0)
        rc = count_rows(c, rows, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, "kpi.judged", &decided, err, PERIOD(from_us, to_us));
    if (rc == 0)
        rc = recount_each(c, decided, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, "kpi.situations", &situations, err, PERIOD(from_us, to_us));
    if (rc == 0)
        rc = take_each(c, situations, take_situation, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, "kpi.ratings", &ratings, err, PERIOD(from_us, to_us));
    return rc < 0 ? rc : take_each(c, ratings, take_rating, err);
}

/* A point may have moved to a site with another calendar: all that the day may be anywhere. */
static void day_anywhere(const struct kpi_places *places, int32_t day, int64_t *ret_from_us,
                         int64_t *ret_to_us)
{
    *ret_from_us = INT64_MAX;
    *ret_to_us = INT64_MIN;
    for (size_t i = 0; i < places->zones.len; i++) {
        int64_t from_us = kpi_day_start(places->zones.items[i], day);
        int64_t to_us = kpi_day_start(places->zones.items[i], day + 1);
        *ret_from_us = from_us < *ret_from_us ? from_us : *ret_from_us;
        *ret_to_us = to_us > *ret_to_us ? to_us : *ret_to_us;
    }
}

#define POINT_PERIOD(point, from, to) OKNO_TEXT("point", point), PERIOD(from, to)

int kpi_rows_count_day(struct kpi_counting *c, const char *point, int32_t day, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    OKNO_AUTO_STMT *situations = NULL;
    OKNO_AUTO_STMT *ratings = NULL;
    int64_t from_us = 0;
    int64_t to_us = 0;
    day_anywhere(c->places, day, &from_us, &to_us);
    c->point = point;
    c->day = day;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.surveys_point", &rows, err,
                             POINT_PERIOD(point, from_us, to_us));
    if (rc == 0)
        rc = count_rows(c, rows, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, "kpi.situations_point", &situations, err,
                             POINT_PERIOD(point, from_us, to_us));
    if (rc == 0)
        rc = take_each(c, situations, take_situation, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(c->db, "kpi.ratings_point", &ratings, err,
                             POINT_PERIOD(point, from_us, to_us));
    if (rc == 0)
        rc = take_each(c, ratings, take_rating, err);
    c->point = NULL;
    return rc;
}
