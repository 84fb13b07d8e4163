/* Linking one survey: ask the cameras of its point what they hold, choose, store. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/time.h"

#include <string.h>

enum { CANDIDATES_MAX = 16 };

/* A recorder may still be writing what happened this recently. */
static const int64_t settle_us = 120 * OKNO_SECOND_US;

/* What a rolling archive shows of an interval that long afterwards only gets less. */
static const int64_t rolling_us = 20 * OKNO_SECOND_US;

/* Offsets that differ by less show the same: under a frame and far below any uncertainty. */
static const int64_t same_offset_us = 50 * OKNO_MS_US;

/* All that is learnt of the cameras of one survey. */
struct linking {
    struct okno_link_candidate candidates[CANDIDATES_MAX];
    struct okno_interval_vec spans[CANDIDATES_MAX];
    struct okno_camera cameras[CANDIDATES_MAX];
    struct okno_clock_offset offsets[CANDIDATES_MAX];
    size_t count;
    int64_t settle_us;       /* the longest that one of their archives takes to list */
    bool rolling;            /* one of their archives lets go of it soon */
    struct okno_err trouble; /* of the last camera that could not be asked */
};

static void linking_free(struct linking *linking)
{
    for (size_t i = 0; i < linking->count; i++)
        okno_interval_vec_free(&linking->spans[i]);
}

static int add_candidate(struct okno_work *work, const struct work_survey *s,
                         const struct okno_placement *placement, struct linking *l,
                         struct okno_err *err)
{
    size_t place = l->count;
    struct okno_camera *camera = &l->cameras[place];
    int rc = okno_registry_camera(work->db, placement->camera, camera, err);
    if (rc == 0)
        rc = work_index_offset(work, camera, s->opened_us, &l->offsets[place], err);
    if (rc < 0)
        return rc;
    int64_t u = s->device_uncertainty_us + l->offsets[place].uncertainty_us;
    l->candidates[place] = (struct okno_link_candidate){
        .camera = camera->camera,
        .priority = placement->priority,
        .asked_from_us = s->opened_us - work->conf->link.pre_s * OKNO_SECOND_US - u,
        .asked_to_us = s->closes_us + work->conf->link.post_s * OKNO_SECOND_US + u,
        .retention_us = camera->retention_days * OKNO_DAY_US,
    };
    l->count++;
    return 0;
}

/* The cameras of the survey's point, lowest priority number first. */
static int add_candidates(struct okno_work *work, const struct work_survey *s, struct linking *l,
                          struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_placement_vec) placements = {0};
    int rc = okno_registry_placements_at(work->db, s->point, s->opened_us, &placements, err);
    for (size_t i = 0; rc == 0 && i < placements.len && i < CANDIDATES_MAX; i++)
        rc = add_candidate(work, s, &placements.items[i], l, err);
    return rc;
}

/* A recording that is listed but cannot be read may be one that is still written; after a day it is
 * none. */
static bool stays_unreadable(int code, int64_t asked_to_us, int64_t now_us)
{
    return (code == OKNO_MEDIA || code == OKNO_GONE) && asked_to_us < now_us - OKNO_DAY_US;
}

/* Ask one camera. What the archive cannot answer now is kept as unreachable; only our own failures
 * fail. */
static int ask(struct okno_work *work, size_t place, int64_t now_us, struct linking *l,
               struct okno_err *err)
{
    const struct okno_camera *camera = &l->cameras[place];
    struct okno_link_candidate *c = &l->candidates[place];
    const struct okno_budget budget = work_budget(work);
    struct okno_extract_camera view = {.channel = camera->channel,
                                       .index_offset_us = l->offsets[place].offset_us,
                                       .index_dir = work->index_dir,
                                       .index_key = work->index_key,
                                       .budget = &budget,
                                       .archive_id = camera->archive.archive,
                                       .archive_url = camera->archive.url};
    struct okno_err trouble = {0};
    int64_t error_us = 0;
    int rc = work_archive_ready(work, camera, now_us, &view.archive, &trouble);
    if (rc == 0) {
        struct okno_archive_caps caps;
        okno_archive_caps(view.archive, &caps);
        l->settle_us = caps.settle_us > l->settle_us ? caps.settle_us : l->settle_us;
        l->rolling = l->rolling || (caps.flags & OKNO_ARCHIVE_ROLLING) != 0;
    }
    if (rc == 0 && c->asked_to_us <= now_us) { /* what is still to come is nowhere listed */
        rc = okno_extract_coverage(&view, c->asked_from_us, c->asked_to_us, &l->spans[place],
                                   &error_us, &trouble);
        work_archive_asked(work, camera, now_us, rc, &trouble);
    }
    if (rc == OKNO_NO_MEMORY || rc == OKNO_DATABASE)
        return okno_fail_from(err, &trouble);
    if (rc < 0) {
        c->unreachable = !stays_unreadable(rc, c->asked_to_us, now_us);
        l->spans[place].len = 0;
        l->trouble = trouble;
        okno_err_context(&l->trouble, "camera %s", camera->camera);
    }
    c->spans = l->spans[place].items;
    c->span_count = l->spans[place].len;
    return 0;
}

/* In order, stopping at the first that shows everything. */
static int ask_all(struct okno_work *work, int64_t now_us, struct linking *l, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        const struct okno_link_candidate *c = &l->candidates[i];
        rc = ask(work, i, now_us, l, err);
        if (rc == 0 && okno_link_covered(c->spans, c->span_count, c->asked_from_us,
                                         c->asked_to_us) == c->asked_to_us - c->asked_from_us)
            break;
    }
    return rc;
}

/* Does the stored link show what this candidate would be asked for? A clock measured once more
 * moves the seconds by less than anybody sees: no reason to fetch again. */
static bool shows_same(const struct work_link *old, const struct linking *l, size_t place)
{
    const struct okno_link_candidate *c = &l->candidates[place];
    int64_t drift_us = old->index_offset_us - l->offsets[place].offset_us;
    return strcmp(old->camera, c->camera) == 0 && c->asked_from_us >= old->asked_from_us &&
           c->asked_to_us <= old->asked_to_us && drift_us <= same_offset_us &&
           drift_us >= -same_offset_us;
}

static bool has_footage(enum okno_link_state state)
{
    return state == OKNO_LINK_LINKED || state == OKNO_LINK_PARTIAL;
}

static bool is_open(enum okno_link_state state)
{
    return state == OKNO_LINK_UNREACHABLE || state == OKNO_LINK_PENDING;
}

static bool is_uncertain(const struct okno_work *work, int64_t uncertainty_us)
{
    return uncertainty_us > work->conf->link.max_uncertainty_ms * OKNO_MS_US;
}

/* The old link stands for what is known now. outdated: it shows other seconds than would be asked
 * for now, and there is nothing better. */
static int renew(struct okno_work *work, const struct work_survey *s, int64_t uncertainty_us,
                 bool outdated, const struct work_basis *basis, int64_t now_us,
                 struct okno_err *err)
{
    bool uncertain = is_uncertain(work, uncertainty_us);
    char flags[48];
    (void)snprintf(flags, sizeof(flags), "%s%s%s", outdated ? "outdated" : "",
                   outdated && uncertain ? " " : "", uncertain ? "time_uncertain" : "");
    return OKNO_DB_RUN(
        work->db, "evidence.renew_link", NULL, err, OKNO_TEXT("survey", s->survey),
        OKNO_INT("uncertainty_us", uncertainty_us), OKNO_TEXT("flags", flags),
        OKNO_TEXT("message", outdated ? "corrected since: the archive has less of the seconds that "
                                        "would be asked for now"
                                      : ""),
        OKNO_TEXT("placed", basis->placed), OKNO_TEXT("basis", basis->basis),
        OKNO_INT("sources", basis->sources), OKNO_INT("made_at", now_us));
}

static int put(struct okno_work *work, const struct work_survey *s, const struct linking *l,
               const struct okno_link_choice *choice, int64_t attempts, int64_t next_try_us,
               const struct work_basis *basis, int64_t now_us, struct okno_err *err)
{
    const struct okno_link_candidate none = {
        .camera = "", .asked_from_us = s->opened_us, .asked_to_us = s->closes_us};
    const struct okno_link_candidate *c = l->count ? &l->candidates[choice->candidate] : &none;
    const struct okno_clock_offset *offset = &l->offsets[l->count ? choice->candidate : 0];
    OKNO_AUTO_VEC(okno_interval_vec) gaps = {0};
    char gaps_text[1024];
    int64_t u = s->device_uncertainty_us + offset->uncertainty_us;
    int rc = okno_link_gaps(c->spans, c->span_count, c->asked_from_us, c->asked_to_us, &gaps, err);
    if (rc < 0)
        return rc;
    work_gaps_text(&gaps, gaps_text, sizeof(gaps_text));
    return OKNO_DB_RUN(
        work->db, "evidence.put_link", NULL, err, OKNO_TEXT("survey", s->survey),
        OKNO_TEXT("state", okno_link_state_name(choice->state)), OKNO_TEXT("camera", c->camera),
        OKNO_INT("asked_from", c->asked_from_us), OKNO_INT("asked_to", c->asked_to_us),
        OKNO_REAL("fraction", choice->fraction), OKNO_TEXT("gaps", gaps_text),
        OKNO_INT("index_offset_us", offset->offset_us), OKNO_INT("uncertainty_us", u),
        OKNO_TEXT("flags", is_uncertain(work, u) ? "time_uncertain" : ""),
        OKNO_TEXT("message", has_footage(choice->state) ? "" : l->trouble.text),
        OKNO_INT("attempts", attempts), OKNO_INT("next_try_at", next_try_us),
        OKNO_INT("made_at", now_us), OKNO_TEXT("placed", basis->placed),
        OKNO_TEXT("basis", basis->basis), OKNO_INT("sources", basis->sources));
}

/* What was fetched, or could not be, is due again. */
static int wake_fetches(struct okno_work *work, const struct work_survey *s, const char *statement,
                        int64_t now_us, struct okno_err *err)
{
    if (strcmp(statement, "jobs.revive") == 0)
        return OKNO_DB_RUN(work->db, statement, NULL, err, OKNO_TEXT("survey", s->survey),
                           OKNO_INT("now", now_us));
    return OKNO_DB_RUN(work->db, statement, NULL, err, OKNO_TEXT("survey", s->survey),
                       OKNO_INT("class", s->negative ? 2 : 3), OKNO_INT("now", now_us));
}

/* Everything known when a link is decided. */
struct decision {
    const struct work_survey *s;
    const struct work_link *old; /* NULL: never linked */
    const struct linking *l;
    struct work_basis basis;
    int64_t now_us;
};

/* A link with evidence never degrades: what the archive no longer has, or cannot tell now, changes
 * nothing; what was corrected is told. */
static int keep_old(struct okno_work *work, const struct decision *d,
                    const struct okno_link_choice *choice, struct work_linked *linked,
                    struct okno_err *err)
{
    if (is_open(choice->state)) {
        *linked = (struct work_linked){.state = choice->state, .trouble = d->l->trouble};
        return 0;
    }
    bool outdated = d->l->count == 0 || !shows_same(d->old, d->l, choice->candidate);
    linked->state = d->old->state;
    return renew(work, d->s, d->old->uncertainty_us, outdated, &d->basis, d->now_us, err);
}

static int put_new(struct okno_work *work, const struct decision *d,
                   const struct okno_link_choice *choice, struct work_linked *linked,
                   struct okno_err *err)
{
    int64_t attempts = d->old && is_open(d->old->state) ? d->old->attempts + 1 : 1;
    int64_t next_us = 0;
    if (choice->state == OKNO_LINK_UNREACHABLE)
        next_us = work_retry_after(&d->l->trouble, attempts, d->now_us);
    if (choice->state == OKNO_LINK_PENDING)
        next_us = d->l->trouble.code == OKNO_NOT_YET
                      ? work_retry_after(&d->l->trouble, attempts, d->now_us)
                      : okno_link_next_look(d->l->candidates[choice->candidate].asked_to_us,
                                            d->now_us, d->l->settle_us, d->l->rolling);
    *linked = (struct work_linked){
        .state = choice->state, .next_try_us = next_us, .trouble = d->l->trouble};
    int rc = put(work, d->s, d->l, choice, attempts, next_us, &d->basis, d->now_us, err);
    if (rc < 0 || !has_footage(choice->state) || !d->old)
        return rc;
    bool moved = strcmp(d->old->basis.placed, d->basis.placed) != 0 ||
                 choice->fraction > d->old->fraction ||
                 !shows_same(d->old, d->l, choice->candidate);
    if (d->old->has_evidence && moved)
        rc = wake_fetches(work, d->s, "jobs.refetch", d->now_us, err);
    return rc < 0 ? rc : wake_fetches(work, d->s, "jobs.revive", d->now_us, err);
}

static int decide(struct okno_work *work, const struct decision *d,
                  const struct okno_link_choice *choice, struct work_linked *linked,
                  struct okno_err *err)
{
    bool less = !has_footage(choice->state) || (d->old && choice->fraction < d->old->fraction);
    if (d->old && d->old->has_evidence && less)
        return keep_old(work, d, choice, linked, err);
    return put_new(work, d, choice, linked, err);
}

/* A link to everything, from the first camera, that shows what would be asked for now: no need to
 * ask the archive. */
static bool stands(const struct decision *d)
{
    return d->old && d->old->state == OKNO_LINK_LINKED && d->l->count > 0 &&
           d->old->basis.sources == d->basis.sources && shows_same(d->old, d->l, 0);
}

static int keep_standing(struct okno_work *work, const struct decision *d,
                         struct work_linked *linked, struct okno_err *err)
{
    int64_t u = d->s->device_uncertainty_us + d->l->offsets[0].uncertainty_us;
    int rc = renew(work, d->s, u, false, &d->basis, d->now_us, err);
    if (rc == 0 && strcmp(d->old->basis.placed, d->basis.placed) != 0)
        rc = wake_fetches(work, d->s, "jobs.refetch", d->now_us, err);
    *linked = (struct work_linked){.state = OKNO_LINK_LINKED};
    return rc;
}

/* Link and jobs change together or not at all. */
static int store(struct okno_work *work, const struct decision *d,
                 const struct okno_link_choice *choice, struct work_linked *linked,
                 struct okno_err *err)
{
    int rc = okno_db_begin(work->db, err);
    if (rc < 0)
        return rc;
    rc = choice ? decide(work, d, choice, linked, err) : keep_standing(work, d, linked, err);
    if (rc == 0)
        return okno_db_commit(work->db, err);
    okno_db_rollback(work->db);
    return rc;
}

static int link_once(struct okno_work *work, const char *survey, int64_t now_us, struct linking *l,
                     struct work_basis *ret_basis, struct work_linked *linked, struct okno_err *err)
{
    struct work_survey s = {0};
    struct work_link old = {0};
    struct okno_link_choice choice = {0};
    struct okno_err none = {0};
    struct decision d = {.s = &s, .l = l, .now_us = now_us};
    int rc = work_load_basis(work, survey, &d.basis, err);
    if (rc == 0)
        rc = work_load_survey(work, survey, &s, err);
    if (rc == 0)
        rc = add_candidates(work, &s, l, err);
    if (rc < 0)
        return rc;
    rc = work_load_link(work, survey, &old, &none);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return okno_fail(err, rc, "%s", none.text);
    d.old = rc == 0 ? &old : NULL;
    *ret_basis = d.basis;
    if (stands(&d))
        return store(work, &d, NULL, linked, err);
    l->settle_us = settle_us;
    rc = ask_all(work, now_us, l, err);
    okno_link_choose(l->candidates, l->count, now_us, l->settle_us,
                     l->rolling ? rolling_us : l->settle_us, &choice);
    if (choice.state == OKNO_LINK_UNREACHABLE && l->trouble.code == OKNO_NOT_YET)
        choice.state = OKNO_LINK_PENDING; /* it answers, and says when to come back */
    return rc < 0 ? rc : store(work, &d, &choice, linked, err);
}

int work_link_survey(struct okno_work *work, const char *survey, int64_t now_us,
                     struct work_linked *ret_linked, struct okno_err *err)
{
    enum { ROUNDS_MAX = 3 };
    bool again = true;
    int rc = 0;
    for (int round = 0; rc == 0 && again && round < ROUNDS_MAX; round++) {
        struct work_linked linked = {0};
        struct work_basis used = {0};
        struct work_basis now = {0};
        okno_autofree struct linking *l = calloc(1, sizeof(*l));
        if (!l)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory to link a survey");
        rc = link_once(work, survey, now_us, l, &used, &linked, err);
        linking_free(l);
        if (rc == 0)
            rc = work_load_basis(work, survey, &now, err);
        if (rc == 0)
            *ret_linked = linked;
        again = rc == 0 && !work_basis_equal(&used, &now); /* corrected while we asked */
    }
    return rc;
}

int okno_work_link(struct okno_work *work, const char *survey, int64_t now_us,
                   enum okno_link_state *ret_state, struct okno_err *err)
{
    struct work_linked linked = {0};
    int rc = work_link_survey(work, survey, now_us, &linked, err);
    if (rc == 0 && ret_state)
        *ret_state = linked.state;
    return rc;
}
