/* Finding a camera's offset from its recordings: which footage is read, and what becomes of it. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/camera_clock.h"
#include "okno/evidence.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <string.h>
#include <unistd.h>

#define SEARCH_LEAST_US (15 * OKNO_SECOND_US)
#define SEARCH_MOST_US (120 * OKNO_SECOND_US)
#define MARGIN_US (2 * OKNO_SECOND_US)
#define WINDOW_MOST_US (300 * OKNO_SECOND_US)

/* Answers alone are enough when there are so many: they light the panel itself. */
enum { ANSWERS_ENOUGH = 12 };

struct survey {
    int64_t opened_us, answered_us; /* 0: silent */
    int64_t uncertainty_us;
};
OKNO_VEC(survey_vec, struct survey);

struct run {
    struct okno_work *work;
    const struct okno_sync_ask *ask;
    struct okno_work_camera camera;
    struct survey_vec surveys; /* owned, as the next ones */
    struct okno_sync_event_vec events;
    struct okno_interval_vec windows, seen; /* index time */
    struct okno_sync_onset_vec onsets;
    struct okno_series_area area;
    int64_t search_us;
    struct okno_sync_report report;
};

static void run_clear(struct run *run)
{
    survey_vec_free(&run->surveys);
    okno_sync_event_vec_free(&run->events);
    okno_interval_vec_free(&run->windows);
    okno_interval_vec_free(&run->seen);
    okno_sync_onset_vec_free(&run->onsets);
}

/* ---- which surveys ---- */

static int find_point(struct run *run, struct okno_err *err)
{
    const struct okno_sync_ask *ask = run->ask;
    OKNO_AUTO_STMT *stmt = NULL;
    if (ask->point) {
        (void)snprintf(run->report.point, sizeof(run->report.point), "%s", ask->point);
        return 0;
    }
    int rc =
        OKNO_DB_PREPARE(run->work->db, "sync.point", &stmt, err, OKNO_TEXT("camera", ask->camera),
                        OKNO_INT("from", ask->from_us), OKNO_INT("to", ask->to_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "no survey at a point of camera %s in that time: give another --from and "
                         "--to, or place the camera (okno import placements)",
                         ask->camera);
    if (rc == 1)
        (void)snprintf(run->report.point, sizeof(run->report.point), "%s",
                       okno_stmt_text(stmt, "point"));
    return rc < 0 ? rc : 0;
}

static int load_surveys(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(run->work->db, "sync.surveys", &stmt, err,
                             OKNO_TEXT("point", run->report.point),
                             OKNO_INT("from", run->ask->from_us), OKNO_INT("to", run->ask->to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct survey s = {.opened_us = okno_stmt_int(stmt, "opened_at"),
                           .uncertainty_us = okno_stmt_int(stmt, "device_uncertainty_us")};
        if (!okno_stmt_is_null(stmt, "answered_at"))
            s.answered_us = okno_stmt_int(stmt, "answered_at");
        rc = survey_vec_push(&run->surveys, s) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for surveys")
                 : 0;
    }
    return rc;
}

/* Keep the answered ones where there are enough, and of those some, spread over the time. */
static void choose_surveys(struct run *run)
{
    struct survey_vec *all = &run->surveys;
    size_t most = (size_t)(run->ask->surveys ? run->ask->surveys : OKNO_SYNC_SURVEYS);
    size_t answered = 0;
    for (size_t i = 0; i < all->len; i++)
        answered += all->items[i].answered_us != 0;
    size_t kept = 0;
    for (size_t i = 0; i < all->len; i++)
        if (answered < ANSWERS_ENOUGH || all->items[i].answered_us)
            all->items[kept++] = all->items[i];
    all->len = kept < most ? kept : most;
    for (size_t i = 0; kept > most && i < most; i++)
        all->items[i] = all->items[i * kept / most];
    run->report.surveys = (int64_t)all->len;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct okno_sync_event *)a)->at_us;
    int64_t y = ((const struct okno_sync_event *)b)->at_us;
    return (x > y) - (x < y);
}

static int add_event(struct run *run, const struct survey *s, int64_t at_us,
                     enum okno_sync_kind kind)
{
    const struct okno_sync_event event = {
        .at_us = at_us, .uncertainty_us = s->uncertainty_us, .kind = kind};
    return at_us ? okno_sync_event_vec_push(&run->events, event) : 0;
}

/* The footage around the presses, in index time, as few windows as touch. */
static int plan_windows(struct run *run, struct okno_err *err)
{
    int64_t shift = run->camera.offset.offset_us;
    int64_t reach = run->search_us + MARGIN_US;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < run->surveys.len; i++) {
        const struct survey *s = &run->surveys.items[i];
        int64_t last = s->answered_us ? s->answered_us : s->opened_us;
        struct okno_interval window = {s->opened_us + shift - reach, last + shift + reach};
        struct okno_interval *before =
            run->windows.len ? &run->windows.items[run->windows.len - 1] : NULL;
        rc = add_event(run, s, s->opened_us, OKNO_SYNC_PRESS);
        if (rc == 0)
            rc = add_event(run, s, s->answered_us, OKNO_SYNC_ANSWER);
        if (before && window.from_us <= before->to_us &&
            window.to_us - before->from_us <= WINDOW_MOST_US)
            before->to_us = window.to_us > before->to_us ? window.to_us : before->to_us;
        else if (rc == 0) {
            if (before && window.from_us < before->to_us)
                window.from_us = before->to_us; /* nothing is seen twice */
            rc = window.from_us < window.to_us ? okno_interval_vec_push(&run->windows, window) : 0;
        }
    }
    if (run->events.len)
        qsort(run->events.items, run->events.len, sizeof(*run->events.items), by_time);
    return rc < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for events") : 0;
}

/* ---- what the footage shows ---- */

static int note_seen(struct run *run, const struct okno_media_result *media)
{
    int64_t at = media->got_from_us;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < media->gaps.len; i++) {
        const struct okno_interval *gap = &media->gaps.items[i];
        if (gap->from_us > at)
            rc = okno_interval_vec_push(&run->seen, (struct okno_interval){at, gap->from_us});
        at = gap->to_us > at ? gap->to_us : at;
    }
    if (rc == 0 && at < media->got_to_us)
        rc = okno_interval_vec_push(&run->seen, (struct okno_interval){at, media->got_to_us});
    return rc;
}

static int look_at_clip(struct run *run, const char *path, const struct okno_media_result *media,
                        struct okno_err *err)
{
    OKNO_AUTO(okno_source) *clip = NULL;
    OKNO_AUTO_SERIES series = {0};
    int rc = okno_file_source(path, &clip, err);
    if (rc == 0)
        rc = okno_view_series(clip, &run->area, &series, err);
    if (rc == 0)
        rc = okno_sync_onsets(&series, run->ask->whole, media->first_frame_us, &run->onsets, err);
    if (rc == 0)
        rc = note_seen(run, media);
    if (rc == 0)
        run->report.frames += (int64_t)series.frames;
    return rc;
}

/* What is not recorded or cannot be read tells nothing; an archive that does not answer ends it. */
static bool is_hole(int code)
{
    return code == OKNO_NO_COVERAGE || code == OKNO_GONE || code == OKNO_MEDIA ||
           code == OKNO_UNSUPPORTED || code == OKNO_NOT_YET;
}

static int look_at_window(struct run *run, const struct okno_interval *window, struct okno_err *err)
{
    char path[1400];
    struct okno_err trouble = {0};
    struct okno_extract_result got = {0};
    const struct okno_extract_camera camera = {.archive = run->camera.archive,
                                               .channel = run->camera.camera.channel};
    int rc = okno_evidence_temp(run->work->data_dir, "clip", path, sizeof(path), err);
    if (rc < 0)
        return rc;
    rc = okno_extract_clip(&camera, window->from_us, window->to_us, false, path, &got, &trouble);
    if (rc == 0)
        rc = look_at_clip(run, path, &got.media, &trouble);
    (void)unlink(path);
    run->report.requests += got.requests;
    run->report.bytes_read += got.bytes_read;
    run->report.missing += rc < 0;
    okno_extract_result_free(&got);
    return rc == 0 || is_hole(rc) ? 0 : okno_fail(err, rc, "%s", trouble.text);
}

/* ---- the answer ---- */

static int64_t frame_us(const struct run *run)
{
    int64_t seen = 0;
    for (size_t i = 0; i < run->seen.len; i++)
        seen += run->seen.items[i].to_us - run->seen.items[i].from_us;
    return run->report.frames ? seen / run->report.frames : OKNO_SECOND_US / 25;
}

static int share(int from, int to, unsigned part, unsigned parts)
{
    return from + (int)((int64_t)(to - from) * part / parts);
}

static void tell_area(struct run *run)
{
    const struct okno_series_area *a = &run->area;
    unsigned column = run->report.result.cell % a->columns;
    unsigned row = run->report.result.cell / a->columns;
    run->report.area = (struct okno_series_area){
        .left = (uint16_t)share(a->left, a->right, column, a->columns),
        .right = (uint16_t)share(a->left, a->right, column + 1, a->columns),
        .top = (uint16_t)share(a->top, a->bottom, row, a->rows),
        .bottom = (uint16_t)share(a->top, a->bottom, row + 1, a->rows),
        .columns = 1,
        .rows = 1};
}

static int answer(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) clock = {0};
    struct okno_sync_question q = {.events = run->events.items,
                                   .event_count = run->events.len,
                                   .seen = run->seen.items,
                                   .seen_count = run->seen.len,
                                   .onsets = run->onsets.items,
                                   .onset_count = run->onsets.len,
                                   .cells = (uint32_t)run->area.columns * run->area.rows,
                                   .near_us = run->camera.offset.offset_us,
                                   .search_us = run->search_us,
                                   .frame_us = frame_us(run)};
    int rc = okno_sync_estimate(&q, &run->report.result, err);
    if (rc == 0)
        rc = okno_registry_index_clock(run->work->db, &run->camera.camera, &clock, err);
    if (rc < 0)
        return rc;
    struct okno_clock_offset known =
        okno_clock_at(clock.items, clock.len, run->report.result.at_us);
    run->report.known_us = known.offset_us;
    run->report.known_uncertainty_us = known.uncertainty_us;
    tell_area(run);
    return 0;
}

static int check(const struct okno_sync_ask *ask, struct okno_err *err)
{
    if (ask->from_us >= ask->to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the time ends before it begins");
    if (ask->surveys < 0 || ask->surveys > OKNO_SYNC_SURVEYS_MOST)
        return okno_fail_field(err, OKNO_INVALID, "surveys", "%lld surveys; from 1 to %d",
                               (long long)ask->surveys, OKNO_SYNC_SURVEYS_MOST);
    if (ask->search_us && (ask->search_us < OKNO_SECOND_US || ask->search_us > SEARCH_MOST_US))
        return okno_fail_field(err, OKNO_INVALID, "search", "from 1 to %d seconds",
                               (int)(SEARCH_MOST_US / OKNO_SECOND_US));
    return 0;
}

static int begin(struct run *run, struct okno_err *err)
{
    const struct okno_sync_ask *ask = run->ask;
    static const struct okno_series_area whole = {.right = OKNO_VIEW_SCALE,
                                                  .bottom = OKNO_VIEW_SCALE,
                                                  .columns = OKNO_PICTURE_COLUMNS,
                                                  .rows = OKNO_PICTURE_ROWS};
    run->area = ask->whole ? whole : ask->area;
    int rc =
        okno_work_camera_at(run->work, ask->camera, ask->from_us + (ask->to_us - ask->from_us) / 2,
                            false, &run->camera, NULL, err);
    int64_t wide = 3 * run->camera.offset.uncertainty_us;
    wide = wide < SEARCH_LEAST_US ? SEARCH_LEAST_US : wide;
    wide = wide > SEARCH_MOST_US ? SEARCH_MOST_US : wide;
    run->search_us = ask->search_us ? ask->search_us : wide;
    if (rc == 0)
        rc = find_point(run, err);
    if (rc == 0)
        rc = load_surveys(run, err);
    if (rc == 0)
        choose_surveys(run);
    return rc < 0 ? rc : plan_windows(run, err);
}

int okno_sync_run(struct okno_work *work, const struct okno_sync_ask *ask,
                  struct okno_sync_report *ret_report, struct okno_err *err)
{
    struct run run = {.work = work, .ask = ask};
    int rc = check(ask, err);
    if (rc == 0)
        rc = begin(&run, err);
    for (size_t i = 0; rc == 0 && i < run.windows.len; i++) {
        if (ask->progress)
            ask->progress(ask->context, i, run.windows.len);
        rc = look_at_window(&run, &run.windows.items[i], err);
    }
    if (rc == 0)
        rc = answer(&run, err);
    if (rc == 0)
        *ret_report = run.report;
    run_clear(&run);
    return rc;
}

int okno_sync_refuse(const struct okno_sync_result *r, struct okno_err *err)
{
    switch (r->refusal) {
    case OKNO_SYNC_FEW:
        return okno_fail(err, OKNO_REFUSED,
                         "%zu presses with footage around them; at least %d are needed", r->events,
                         OKNO_SYNC_LEAST);
    case OKNO_SYNC_WEAK:
        return okno_fail(err, OKNO_REFUSED,
                         "nothing in the picture follows the presses: chance explains what does");
    case OKNO_SYNC_AMBIGUOUS:
        return okno_fail(err, OKNO_REFUSED,
                         "offsets of %+.2f s and %+.2f s explain the presses nearly as well",
                         (double)r->offset_us / 1e6, (double)r->runner_up_us / 1e6);
    case OKNO_SYNC_BUSY:
        return okno_fail(err, OKNO_REFUSED,
                         "the place looks unlike itself %.0f %% of the time: which look is the "
                         "usual one cannot be told; choose a calmer time with --from and --to",
                         r->away * 100);
    default:
        return okno_fail(err, OKNO_REFUSED,
                         "what follows the presses does so after different times");
    }
}

int okno_sync_apply(struct okno_work *work, const char *camera,
                    const struct okno_sync_report *report, const char *author, int64_t now_us,
                    struct okno_err *err)
{
    const struct okno_sync_result *r = &report->result;
    char target[OKNO_ID_TEXT + 8];
    const struct okno_clock_measurement found = {.at_us = r->at_us,
                                                 .offset_us = r->offset_us,
                                                 .uncertainty_us =
                                                     r->uncertainty_us + r->event_uncertainty_us};
    if (r->refusal)
        return okno_sync_refuse(r, err);
    (void)snprintf(target, sizeof(target), "camera:%s", camera);
    int rc = okno_db_begin(work->db, err);
    if (rc < 0)
        return rc;
    rc = okno_registry_add_clock(work->db, target, &found, "sync", author, now_us, err);
    if (rc == 0)
        rc = okno_db_commit(work->db, err);
    if (rc < 0)
        okno_db_rollback(work->db);
    return rc;
}
