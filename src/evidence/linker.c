/* Linking one survey: ask the cameras of its point what they hold, choose, store. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/time.h"

#include <string.h>

enum { CANDIDATES_MAX = 16 };

/* A recorder may still be writing what happened this recently. */
static const int64_t settle_us = 120 * OKNO_SECOND_US;

/* All that is learnt of the cameras of one survey. */
struct linking {
    struct okno_link_candidate candidates[CANDIDATES_MAX];
    struct okno_interval_vec spans[CANDIDATES_MAX];
    char cameras[CANDIDATES_MAX][OKNO_ID_TEXT];
    struct okno_clock_offset offsets[CANDIDATES_MAX];
    size_t count;
    struct okno_err trouble; /* of the last camera that could not be asked */
};

static void linking_free(struct linking *linking)
{
    for (size_t i = 0; i < linking->count; i++)
        okno_interval_vec_free(&linking->spans[i]);
}

/* Ask one camera. What the archive cannot answer now is kept as unreachable; only our own failures
 * fail. */
static int ask(struct okno_work *work, const struct okno_camera *camera, size_t place,
               struct linking *l, struct okno_err *err)
{
    struct okno_link_candidate *c = &l->candidates[place];
    struct okno_extract_camera view = {.channel = camera->channel,
                                       .index_offset_us = l->offsets[place].offset_us};
    struct okno_err trouble = {0};
    int64_t error_us = 0;
    int rc = work_archive_of(work, camera, &view.archive, &trouble);
    if (rc == 0)
        rc = okno_extract_coverage(&view, c->asked_from_us, c->asked_to_us, &l->spans[place],
                                   &error_us, &trouble);
    if (rc == OKNO_NO_MEMORY || rc == OKNO_DATABASE)
        return okno_fail(err, rc, "%s", trouble.text);
    if (rc < 0) {
        c->unreachable = true;
        l->spans[place].len = 0;
        l->trouble = trouble;
        okno_err_context(&l->trouble, "camera %s", camera->camera);
    }
    c->spans = l->spans[place].items;
    c->span_count = l->spans[place].len;
    return 0;
}

static int add_candidate(struct okno_work *work, const struct work_survey *s,
                         const struct okno_placement *placement, struct linking *l,
                         struct okno_err *err)
{
    struct okno_camera camera = {0};
    size_t place = l->count;
    int rc = okno_registry_camera(work->db, placement->camera, &camera, err);
    if (rc == 0)
        rc = work_index_offset(work, &camera, s->opened_us, &l->offsets[place], err);
    if (rc < 0)
        return rc;
    int64_t u = s->device_uncertainty_us + l->offsets[place].uncertainty_us;
    (void)snprintf(l->cameras[place], OKNO_ID_TEXT, "%s", camera.camera);
    l->candidates[place] = (struct okno_link_candidate){
        .camera = l->cameras[place],
        .priority = placement->priority,
        .asked_from_us = s->opened_us - work->conf->link.pre_s * OKNO_SECOND_US - u,
        .asked_to_us = s->closes_us + work->conf->link.post_s * OKNO_SECOND_US + u,
        .retention_us = camera.retention_days * OKNO_DAY_US,
    };
    l->count++;
    return ask(work, &camera, place, l, err);
}

/* In order of priority, stopping at the first that shows everything. */
static int ask_all(struct okno_work *work, const struct work_survey *s, struct linking *l,
                   struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_placement_vec) placements = {0};
    int rc = okno_registry_placements_at(work->db, s->point, s->opened_us, &placements, err);
    for (size_t i = 0; rc == 0 && i < placements.len && i < CANDIDATES_MAX; i++) {
        rc = add_candidate(work, s, &placements.items[i], l, err);
        const struct okno_link_candidate *c = &l->candidates[i];
        if (rc == 0 && okno_link_covered(c->spans, c->span_count, c->asked_from_us,
                                         c->asked_to_us) == c->asked_to_us - c->asked_from_us)
            break;
    }
    return rc;
}

static int64_t next_try(enum okno_link_state state, const struct okno_link_candidate *c,
                        int64_t attempts, int64_t now_us)
{
    if (state == OKNO_LINK_UNREACHABLE)
        return work_retry_at(attempts, now_us);
    return state == OKNO_LINK_PENDING ? c->asked_to_us + settle_us : 0;
}

static int store(struct okno_work *work, const struct work_survey *s, const struct linking *l,
                 const struct okno_link_choice *choice, int64_t attempts, int64_t now_us,
                 struct okno_err *err)
{
    const struct okno_link_candidate none = {
        .camera = "", .asked_from_us = s->opened_us, .asked_to_us = s->closes_us};
    const struct okno_link_candidate *c = l->count ? &l->candidates[choice->candidate] : &none;
    const struct okno_clock_offset *offset = &l->offsets[l->count ? choice->candidate : 0];
    OKNO_AUTO_VEC(okno_interval_vec) gaps = {0};
    char gaps_text[1024];
    int64_t u = s->device_uncertainty_us + offset->uncertainty_us;
    bool uncertain = u > work->conf->link.max_uncertainty_ms * OKNO_MS_US;
    int rc = okno_link_gaps(c->spans, c->span_count, c->asked_from_us, c->asked_to_us, &gaps, err);
    if (rc < 0)
        return rc;
    work_gaps_text(&gaps, gaps_text, sizeof(gaps_text));
    bool open = choice->state == OKNO_LINK_UNREACHABLE;
    return OKNO_DB_RUN(
        work->db, "evidence.put_link", NULL, err, OKNO_TEXT("survey", s->survey),
        OKNO_TEXT("state", okno_link_state_name(choice->state)), OKNO_TEXT("camera", c->camera),
        OKNO_INT("asked_from", c->asked_from_us), OKNO_INT("asked_to", c->asked_to_us),
        OKNO_REAL("fraction", choice->fraction), OKNO_TEXT("gaps", gaps_text),
        OKNO_INT("index_offset_us", offset->offset_us), OKNO_INT("uncertainty_us", u),
        OKNO_TEXT("flags", uncertain ? "time_uncertain" : ""),
        OKNO_TEXT("message", open ? l->trouble.text : ""),
        OKNO_INT("next_try_at", next_try(choice->state, c, attempts, now_us)),
        OKNO_INT("made_at", now_us));
}

int okno_work_link(struct okno_work *work, const char *survey, int64_t now_us,
                   enum okno_link_state *ret_state, struct okno_err *err)
{
    struct work_survey s = {0};
    struct work_link old = {0};
    struct linking l = {0};
    struct okno_link_choice choice = {0};
    struct okno_err none = {0};
    int rc = work_load_survey(work, survey, &s, err);
    if (rc < 0)
        return rc;
    rc = work_load_link(work, survey, &old, &none);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return okno_fail(err, rc, "%s", none.text);
    rc = ask_all(work, &s, &l, err);
    if (rc == 0) {
        okno_link_choose(l.candidates, l.count, now_us, settle_us, &choice);
        rc = store(work, &s, &l, &choice, old.attempts, now_us, err);
    }
    linking_free(&l);
    if (rc == 0 && ret_state)
        *ret_state = choice.state;
    return rc;
}
