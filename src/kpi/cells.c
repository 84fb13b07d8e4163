/* Sums per point and day that the database keeps. Triggers note in which hours of a point something
 * changed (sql/0017_kpi.sql); the days of these are counted anew from their rows, all else is as it
 * was counted before. */
#include "kpi.h"

#include <string.h>

enum { DIRTY_MAX = 5000, BODY_MAX = 16 << 20, WINDOW_CELLS = 1000000, WINDOW_DAYS_MAX = 366 };

static const unsigned all_words =
    OKNO_BY_SITE | OKNO_BY_POINT | OKNO_BY_EMPLOYEE | OKNO_BY_QUESTION | OKNO_BY_DAY;

/* ---- what changed ---- */

struct dirty {
    char point[65];
    int32_t day;
};
OKNO_VEC(dirty_vec, struct dirty);

static int compare_dirty(const void *a, const void *b)
{
    const struct dirty *x = a;
    const struct dirty *y = b;
    int order = strcmp(x->point, y->point);
    return order ? order : (x->day > y->day) - (x->day < y->day);
}

/* The days of any calendar in use that lie in some hours. */
static void days_of(const struct kpi_places *places, int64_t first_hour, int64_t last_hour,
                    int32_t *ret_first, int32_t *ret_last)
{
    const int64_t hour_us = INT64_C(3600) * OKNO_SECOND_US;
    *ret_first = INT32_MAX;
    *ret_last = INT32_MIN;
    for (size_t i = 0; i < places->zones.len; i++) {
        int32_t first = kpi_bucket(places->zones.items[i], first_hour * hour_us, KPI_DAY);
        int32_t last = kpi_bucket(places->zones.items[i], (last_hour + 1) * hour_us - 1, KPI_DAY);
        *ret_first = first < *ret_first ? first : *ret_first;
        *ret_last = last > *ret_last ? last : *ret_last;
    }
}

static void sort_unique(struct dirty_vec *dirty)
{
    size_t kept = 0;
    if (dirty->len > 0)
        qsort(dirty->items, dirty->len, sizeof(dirty->items[0]), compare_dirty);
    for (size_t i = 0; i < dirty->len; i++)
        if (kept == 0 || compare_dirty(&dirty->items[i], &dirty->items[kept - 1]) != 0)
            dirty->items[kept++] = dirty->items[i];
    dirty->len = kept;
}

/* Points and days to count anew; *ret_many: more than that is worth. */
static int load_dirty(struct okno_db *db, const struct kpi_places *places, struct dirty_vec *dirty,
                      bool *ret_many, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.dirty", &stmt, err);
    *ret_many = false;
    while (rc == 0 && !*ret_many && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct dirty one = {0};
        int32_t first = 0;
        int32_t last = 0;
        rc = 0;
        okno_stmt_copy(stmt, "point", one.point, sizeof(one.point));
        days_of(places, okno_stmt_int(stmt, "first_hour"), okno_stmt_int(stmt, "last_hour"), &first,
                &last);
        *ret_many = (int64_t)last - first > DIRTY_MAX;
        for (one.day = first; rc == 0 && !*ret_many && one.day <= last; one.day++) {
            if (dirty->len > 0 && compare_dirty(&dirty->items[dirty->len - 1], &one) == 0)
                continue;
            *ret_many = dirty->len >= DIRTY_MAX;
            if (dirty_vec_push(dirty, one) < 0)
                rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the changed days");
        }
    }
    sort_unique(dirty);
    return rc;
}

/* The changed days of a point: dirty[*ret_from] and on, *ret_count of them. */
static void find_dirty(const struct dirty_vec *dirty, const char *point, size_t *ret_from,
                       size_t *ret_count)
{
    size_t low = 0;
    size_t high = dirty->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(dirty->items[middle].point, point) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_from = low;
    while (high < dirty->len && strcmp(dirty->items[high].point, point) == 0)
        high++;
    *ret_count = high - low;
}

/* ---- adding kept cells to a cube ---- */

struct taking {
    const struct kpi_counting *counting;
    const char *point;
    const struct dirty *dirty; /* of the point */
    size_t dirty_count;
};

static bool is_dirty(const struct taking *t, int32_t day)
{
    for (size_t i = 0; i < t->dirty_count; i++)
        if (t->dirty[i].day == day)
            return true;
    return false;
}

static int add_cell(struct kpi_cell *to, const int32_t *n, const struct okno_reason_vec *excluded,
                    struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < KPI_FIELDS; i++)
        to->n[i] += n[i];
    for (size_t i = 0; rc == 0 && i < excluded->len; i++)
        rc = kpi_cell_exclude(&to->excluded, excluded->items[i].reason, excluded->items[i].count,
                              err);
    return rc;
}

static int take_cell(void *context, const struct kpi_packed *cell, struct okno_err *err)
{
    const struct taking *t = context;
    struct kpi_cube *cube = t->counting->cube;
    const struct kpi_site *site = kpi_places_site(t->counting->places, cell->site);
    struct kpi_cell *to = NULL;
    if (!site)
        return okno_fail(err, OKNO_UNKNOWN_REF, "site %s is not known any more", cell->site);
    if (cell->day < site->from_day || cell->day >= site->to_day || is_dirty(t, cell->day))
        return 0;
    int rc = kpi_cube_find(cube, cell->site, t->point, cell->employee, cell->question, cell->kind,
                           kpi_bucket_of_day(cell->day, cube->unit), &to, err);
    return rc < 0 ? rc : add_cell(to, cell->n, &cell->excluded, err);
}

static int take_body(struct taking *t, struct okno_stmt *row, struct okno_err *err)
{
    size_t len = 0;
    const void *body = okno_stmt_blob(row, "body", &len);
    return kpi_unpack(body, len, take_cell, t, err);
}

/* ---- writing ---- */

struct sorting {
    const struct kpi_cube *cube;
    const struct kpi_cell *cell;
};

static int compare_text(const struct kpi_cube *cube, int32_t a, int32_t b)
{
    return a == b ? 0 : strcmp(cube->names.text[a], cube->names.text[b]);
}

static int compare_cells(const void *left, const void *right)
{
    const struct kpi_cube *cube = ((const struct sorting *)left)->cube;
    const struct kpi_key *a = &((const struct sorting *)left)->cell->key;
    const struct kpi_key *b = &((const struct sorting *)right)->cell->key;
    bool one_point = a->point == b->point; /* then days tell the order of months too */
    int32_t month_a = one_point ? 0 : kpi_bucket_of_day(a->bucket, KPI_MONTH);
    int32_t month_b = one_point ? 0 : kpi_bucket_of_day(b->bucket, KPI_MONTH);
    const int order[] = {(month_a > month_b) - (month_a < month_b),
                         compare_text(cube, a->point, b->point),
                         (a->bucket > b->bucket) - (a->bucket < b->bucket),
                         compare_text(cube, a->site, b->site),
                         compare_text(cube, a->employee, b->employee),
                         compare_text(cube, a->question, b->question),
                         (a->kind > b->kind) - (a->kind < b->kind)};
    for (size_t i = 0; i < OKNO_COUNT(order); i++)
        if (order[i])
            return order[i];
    return 0;
}

/* The cells that hold something, in order. The caller frees *ret_cells. */
static int sort_cells(const struct kpi_cube *cube, const struct kpi_cell ***ret_cells,
                      size_t *ret_count, struct okno_err *err)
{
    size_t count = 0;
    okno_autofree struct sorting *sorted = malloc((cube->cells.len + 1) * sizeof(*sorted));
    const struct kpi_cell **cells = malloc((cube->cells.len + 1) * sizeof(const void *));
    if (!sorted || !cells) {
        free(cells);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
    }
    for (size_t i = 0; i < cube->cells.len; i++)
        if (!kpi_cell_is_empty(&cube->cells.items[i]))
            sorted[count++] = (struct sorting){cube, &cube->cells.items[i]};
    qsort(sorted, count, sizeof(*sorted), compare_cells);
    for (size_t i = 0; i < count; i++)
        cells[i] = sorted[i].cell;
    *ret_cells = cells;
    *ret_count = count;
    return 0;
}

static int put_body(struct okno_db *db, int grain, const char *point, int32_t month,
                    const struct kpi_cube *cube, const struct kpi_cell *const *cells, size_t count,
                    struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX);
    OKNO_AUTO_STMT *stmt = NULL;
    if (count == 0)
        return OKNO_DB_RUN(db, "kpi.drop_cell", NULL, err, OKNO_INT("grain", grain),
                           OKNO_INT("month", month), OKNO_TEXT("point", point));
    int rc = kpi_pack(cube, cells, count, &body, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "kpi.put_cell", &stmt, err, OKNO_INT("grain", grain),
                             OKNO_INT("month", month), OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "body", body.data, body.len, err);
    return rc < 0 ? rc : okno_stmt_step(stmt, err);
}

/* The sums of a point's month, from those of its days. */
static int put_month(struct okno_db *db, const char *point, int32_t month,
                     const struct kpi_cube *days, const struct kpi_cell *const *cells, size_t count,
                     struct okno_err *err)
{
    KPI_AUTO_CUBE sums = {.by = all_words, .unit = KPI_MONTH};
    okno_autofree const struct kpi_cell **sorted = NULL;
    size_t sorted_count = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct kpi_key *key = &cells[i]->key;
        struct kpi_cell *to = NULL;
        rc = kpi_cube_find(&sums, days->names.text[key->site], point,
                           days->names.text[key->employee], days->names.text[key->question],
                           key->kind, month, &to, err);
        if (rc == 0)
            rc = add_cell(to, cells[i]->n, &cells[i]->excluded, err);
    }
    if (rc == 0)
        rc = sort_cells(&sums, &sorted, &sorted_count, err);
    return rc < 0 ? rc : put_body(db, 0, point, month, &sums, sorted, sorted_count, err);
}

static int put_point_month(struct okno_db *db, const char *point, int32_t month,
                           const struct kpi_cube *cube, const struct kpi_cell *const *cells,
                           size_t count, struct okno_err *err)
{
    int rc = put_body(db, 1, point, month, cube, cells, count, err);
    return rc < 0 ? rc : put_month(db, point, month, cube, cells, count, err);
}

static int put_all(struct okno_db *db, const struct kpi_cube *cube, struct okno_err *err)
{
    okno_autofree const struct kpi_cell **cells = NULL;
    size_t count = 0;
    int rc = sort_cells(cube, &cells, &count, err);
    for (size_t i = 0, to = 0; rc == 0 && i < count; i = to) {
        int32_t point = cells[i]->key.point;
        int32_t month = kpi_bucket_of_day(cells[i]->key.bucket, KPI_MONTH);
        for (to = i; to < count && cells[to]->key.point == point &&
                     kpi_bucket_of_day(cells[to]->key.bucket, KPI_MONTH) == month;)
            to++;
        rc = put_point_month(db, cube->names.text[point], month, cube, cells + i, to - i, err);
    }
    return rc;
}

/* ---- building ---- */

/* A build takes long: it counts in views of the data, and locks others out only while it clears and
 * writes. Meanwhile kpi_state.built is -(the moment it began), which makes triggers note changes;
 * whoever finds another moment there was overtaken by another build and gives up. */
static int begin_step(struct okno_db *db, bool alone, int64_t token, struct okno_err *err)
{
    int64_t built = 0;
    int rc = alone ? okno_db_begin(db, err) : 0;
    if (rc == 0)
        rc = okno_db_int(db, "kpi.built", NULL, 0, 0, &built, err);
    if (rc == 0 && token && built != token)
        rc = okno_fail(err, OKNO_BUSY, "the sums of the indicators are being made by another");
    return rc;
}

static int end_step(struct okno_db *db, bool alone, int rc, struct okno_err *err)
{
    if (!alone)
        return rc;
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

static int count_window(struct kpi_counting *counting, struct okno_err *err)
{
    bool began = false;
    int rc = okno_db_read_begin(counting->db, &began, err);
    if (rc < 0)
        return rc;
    rc = kpi_cleared_load(counting->db, &counting->cleared, err);
    if (rc == 0)
        rc = kpi_rows_count(counting, err);
    okno_db_read_end(counting->db, began);
    return rc;
}

/* Whole months of all calendars. */
static int build_window(struct okno_db *db, struct kpi_places *places, int32_t from_day,
                        int32_t to_day, bool alone, int64_t token, struct okno_err *err)
{
    KPI_AUTO_CUBE cube = {.by = all_words, .unit = KPI_DAY};
    struct kpi_counting counting = {.db = db, .places = places, .cube = &cube};
    const struct okno_kpi_query query = {
        .from_us = from_day * OKNO_DAY_US, .to_us = to_day * OKNO_DAY_US, .local = true};
    int rc = kpi_places_period(places, &query, err);
    if (rc == 0)
        rc = count_window(&counting, err);
    kpi_cleared_vec_free(&counting.cleared);
    if (rc < 0)
        return rc;
    rc = begin_step(db, alone, token, err);
    if (rc == 0)
        rc = put_all(db, &cube, err);
    return end_step(db, alone, rc, err);
}

static int start_build(struct okno_db *db, bool alone, int64_t token, int64_t *ret_first_us,
                       int64_t *ret_last_us, struct okno_err *err)
{
    int rc = begin_step(db, alone, 0, err);
    if (rc == 0)
        rc = okno_db_run(db, "kpi.clear_cells", NULL, 0, NULL, err);
    if (rc == 0)
        rc = okno_db_run(db, "kpi.clear_dirty", NULL, 0, NULL, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "kpi.set_built", NULL, err, OKNO_INT("built", token));
    if (rc == 0)
        rc = okno_db_int(db, "kpi.first_moment", NULL, 0, 0, ret_first_us, err);
    if (rc == 0)
        rc = okno_db_int(db, "kpi.last_moment", NULL, 0, -1, ret_last_us, err);
    return end_step(db, alone, rc, err);
}

static int32_t window_end(const struct kpi_places *places, int32_t from_day)
{
    size_t points = places->points.len + 1;
    size_t days = WINDOW_CELLS / (3 * points);
    if (days > WINDOW_DAYS_MAX)
        days = WINDOW_DAYS_MAX;
    int32_t to_day = kpi_bucket_of_day(from_day + (int32_t)days, KPI_MONTH);
    return to_day > from_day ? to_day : kpi_bucket_of_day(from_day + 31, KPI_MONTH);
}

static int build(struct okno_db *db, bool alone, struct okno_err *err)
{
    KPI_AUTO_PLACES places = {0};
    int64_t token = -okno_time_now();
    int64_t first_us = 0;
    int64_t last_us = -1;
    int rc = start_build(db, alone, token, &first_us, &last_us, err);
    if (rc == 0) /* after the start: a zone that changes from now on undoes the build */
        rc = kpi_places_load(db, &places, err);
    int32_t day = kpi_bucket_of_day((int32_t)(first_us / OKNO_DAY_US) - 1, KPI_MONTH);
    int32_t end = (int32_t)(last_us / OKNO_DAY_US) + 1;
    while (rc == 0 && last_us >= first_us && day <= end) {
        int32_t to_day = window_end(&places, day);
        rc = build_window(db, &places, day, to_day, alone, token, err);
        day = to_day;
    }
    if (rc < 0)
        return rc;
    rc = begin_step(db, alone, token, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "kpi.set_built", NULL, err, OKNO_INT("built", 1));
    return end_step(db, alone, rc, err);
}

/* ---- keeping up ---- */

static int load_month(struct kpi_counting *counting, const struct dirty *dirty, size_t count,
                      int32_t month, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct taking taking = {counting, dirty[0].point, dirty, count};
    int rc = OKNO_DB_PREPARE(counting->db, "kpi.cell", &row, err, OKNO_INT("grain", 1),
                             OKNO_INT("month", month), OKNO_TEXT("point", dirty[0].point));
    if (rc < 0 || (rc = okno_stmt_step(row, err)) < 1)
        return rc;
    return take_body(&taking, row, err);
}

/* Changed days of one point and month. */
static int renew(struct okno_db *db, const struct kpi_places *places,
                 const struct kpi_cleared_vec *cleared, const struct dirty *dirty, size_t count,
                 int32_t month, struct okno_err *err)
{
    KPI_AUTO_CUBE cube = {.by = all_words, .unit = KPI_DAY};
    struct kpi_counting counting = {.db = db, .places = places, .cube = &cube, .cleared = *cleared};
    okno_autofree const struct kpi_cell **cells = NULL;
    size_t cell_count = 0;
    int rc = load_month(&counting, dirty, count, month, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = kpi_rows_count_day(&counting, dirty[i].point, dirty[i].day, err);
    if (rc == 0)
        rc = sort_cells(&cube, &cells, &cell_count, err);
    return rc < 0 ? rc : put_point_month(db, dirty[0].point, month, &cube, cells, cell_count, err);
}

static int renew_all(struct okno_db *db, const struct kpi_places *places,
                     const struct dirty_vec *dirty, struct okno_err *err)
{
    OKNO_AUTO_VEC(kpi_cleared_vec) cleared = {0};
    int rc = kpi_cleared_load(db, &cleared, err);
    for (size_t i = 0, to = 0; rc == 0 && i < dirty->len; i = to) {
        int32_t month = kpi_bucket_of_day(dirty->items[i].day, KPI_MONTH);
        for (to = i; to < dirty->len &&
                     strcmp(dirty->items[to].point, dirty->items[i].point) == 0 &&
                     kpi_bucket_of_day(dirty->items[to].day, KPI_MONTH) == month;)
            to++;
        rc = renew(db, places, &cleared, &dirty->items[i], to - i, month, err);
    }
    return rc < 0 ? rc : okno_db_run(db, "kpi.clear_dirty", NULL, 0, NULL, err);
}

static void open_period(struct kpi_places *places)
{
    for (size_t i = 0; i < places->sites.len; i++) {
        struct kpi_site *site = &places->sites.items[i];
        site->from_us = INT64_MIN;
        site->to_us = INT64_MAX;
        site->from_day = INT32_MIN;
        site->to_day = INT32_MAX;
    }
}

/* Count the changed days anew. *ret_build: there is nothing to keep up, or too much. */
static int keep_up(struct okno_db *db, bool *ret_build, struct okno_err *err)
{
    KPI_AUTO_PLACES places = {0};
    OKNO_AUTO_VEC(dirty_vec) dirty = {0};
    int64_t built = 0;
    bool many = false;
    int rc = kpi_places_load(db, &places, err);
    if (rc == 0)
        rc = okno_db_int(db, "kpi.built", NULL, 0, 0, &built, err);
    if (rc == 0 && built == 1)
        rc = load_dirty(db, &places, &dirty, &many, err);
    *ret_build = built != 1 || many;
    if (rc < 0 || *ret_build)
        return rc;
    open_period(&places);
    return renew_all(db, &places, &dirty, err);
}

int okno_kpi_refresh(struct okno_db *db, struct okno_err *err)
{
    bool alone = !okno_db_is_inside(db);
    bool again = false;
    int rc = begin_step(db, alone, 0, err);
    if (rc == 0)
        rc = keep_up(db, &again, err);
    rc = end_step(db, alone, rc, err);
    if (rc < 0 || !again)
        return rc;
    rc = build(db, alone, err);
    if (rc == 0) /* what changed meanwhile */
        rc = begin_step(db, alone, 0, err);
    if (rc == 0)
        rc = end_step(db, alone, keep_up(db, &again, err), err);
    return rc;
}

/* ---- reading ---- */

/* Days that lie in every site's period. */
static void common_days(const struct kpi_places *places, int32_t *ret_from, int32_t *ret_to)
{
    *ret_from = INT32_MIN;
    *ret_to = INT32_MAX;
    for (size_t i = 0; i < places->sites.len; i++) {
        const struct kpi_site *site = &places->sites.items[i];
        *ret_from = site->from_day > *ret_from ? site->from_day : *ret_from;
        *ret_to = site->to_day < *ret_to ? site->to_day : *ret_to;
    }
}

static int read_days(struct taking *t, int32_t month, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(t->counting->db, "kpi.cell", &row, err, OKNO_INT("grain", 1),
                             OKNO_INT("month", month), OKNO_TEXT("point", t->point));
    if (rc < 0 || (rc = okno_stmt_step(row, err)) < 1)
        return rc;
    return take_body(t, row, err);
}

static int read_row(struct kpi_counting *c, const struct dirty_vec *dirty, struct okno_stmt *row,
                    bool months, struct okno_err *err)
{
    int32_t month = (int32_t)okno_stmt_int(row, "month");
    int32_t from_day = 0;
    int32_t to_day = 0;
    size_t at = 0;
    struct taking t = {.counting = c, .point = okno_stmt_text(row, "point")};
    find_dirty(dirty, t.point, &at, &t.dirty_count);
    t.dirty = dirty->items + at;
    if (!months)
        return take_body(&t, row, err);
    common_days(c->places, &from_day, &to_day);
    int32_t next = kpi_bucket_of_day(month + 31, KPI_MONTH);
    bool whole = month >= from_day && next <= to_day;
    for (size_t i = 0; i < t.dirty_count; i++)
        whole = whole && !(t.dirty[i].day >= month && t.dirty[i].day < next);
    if (!whole)
        return read_days(&t, month, err);
    t.dirty_count = 0;
    return take_body(&t, row, err);
}

static int read_rows(struct kpi_counting *c, const struct dirty_vec *dirty, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    bool months = c->cube->unit == KPI_MONTH || c->cube->unit == KPI_WHOLE;
    int32_t from_day = (int32_t)(c->places->from_us / OKNO_DAY_US) - 1;
    int32_t to_day = (int32_t)(c->places->to_us / OKNO_DAY_US) + 2;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.cells", &row, err, OKNO_INT("grain", months ? 0 : 1),
                             OKNO_INT("from", kpi_bucket_of_day(from_day, KPI_MONTH)),
                             OKNO_INT("to", to_day));
    while (rc == 0 && (rc = okno_stmt_step(row, err)) == 1)
        rc = read_row(c, dirty, row, months, err);
    for (size_t i = 0; rc == 0 && i < dirty->len; i++)
        if (dirty->items[i].day >= from_day && dirty->items[i].day <= to_day)
            rc = kpi_rows_count_day(c, dirty->items[i].point, dirty->items[i].day, err);
    return rc;
}

int kpi_cells_read(struct kpi_counting *counting, bool *ret_used, struct okno_err *err)
{
    OKNO_AUTO_VEC(dirty_vec) dirty = {0};
    int64_t built = 0;
    bool many = false;
    *ret_used = false;
    int rc = okno_db_int(counting->db, "kpi.built", NULL, 0, 0, &built, err);
    if (rc == 0 && built == 1)
        rc = load_dirty(counting->db, counting->places, &dirty, &many, err);
    if (rc < 0 || built != 1 || many)
        return rc;
    *ret_used = true;
    return read_rows(counting, &dirty, err);
}
