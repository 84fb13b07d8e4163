/* Fetching a clip or a still of a linked survey into the store. */
#define _POSIX_C_SOURCE 200809L
#include "cut.h"
#include "extras.h"
#include "turns.h"

#include "okno/time.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The reason why a link in this state has nothing to fetch; 0 when it has. */
static int nothing_to_fetch(const struct work_link *link, const char *survey, struct okno_err *err)
{
    switch (link->state) {
    case OKNO_LINK_LINKED:
    case OKNO_LINK_PARTIAL:
        return 0;
    case OKNO_LINK_NO_CAMERA:
        return okno_fail(err, OKNO_NO_CAMERA,
                         "no camera is placed at the point of survey %s: add it to placements",
                         survey);
    case OKNO_LINK_EXPIRED:
        return okno_fail(err, OKNO_GONE, "the archive has overwritten the footage of survey %s",
                         survey);
    case OKNO_LINK_UNREACHABLE:
        return okno_fail(err, OKNO_TRANSIENT,
                         "the archive of survey %s could not be asked; it is "
                         "tried again by itself",
                         survey);
    case OKNO_LINK_PENDING:
        return okno_fail(err, OKNO_NOT_YET, "the archive has not listed survey %s yet", survey);
    default:
        return okno_fail(err, OKNO_NO_COVERAGE, "nothing is recorded for survey %s", survey);
    }
}

/* Nothing was corrected since the link was made, and it has footage. */
static int is_usable(struct okno_work *work, const char *survey, struct work_link *ret_link,
                     bool *ret_usable, struct okno_err *err)
{
    struct work_basis now = {0};
    struct okno_err none = {0};
    int rc = work_load_link(work, survey, ret_link, &none);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return okno_fail(err, rc, "%s", none.text);
    bool footage =
        rc == 0 && (ret_link->state == OKNO_LINK_LINKED || ret_link->state == OKNO_LINK_PARTIAL);
    rc = work_load_basis(work, survey, &now, err);
    if (rc == 0)
        *ret_usable = footage && strcmp(now.placed, ret_link->basis.placed) == 0 &&
                      strcmp(now.basis, ret_link->basis.basis) == 0;
    return rc;
}

/* The stored link when it still holds; else a new one. */
static int usable_link(struct okno_work *work, const char *survey, int64_t now_us,
                       struct work_link *ret_link, struct okno_err *err)
{
    struct work_linked linked = {0};
    bool usable = false;
    int rc = is_usable(work, survey, ret_link, &usable, err);
    if (rc == 0 && !usable) {
        rc = work_link_survey(work, survey, now_us, &linked, err);
        if (rc == 0 && linked.state == OKNO_LINK_UNREACHABLE)
            rc = okno_fail_from(err, &linked.trouble);
        if (rc == 0)
            rc = work_load_link(work, survey, ret_link, err);
    }
    return rc < 0 ? rc : nothing_to_fetch(ret_link, survey, err);
}

/* What was read, for provenance: JSON array of pieces, never a credential. */
static void source_text(const struct okno_camera *camera, const struct okno_piece_vec *pieces,
                        char *ret_text, size_t size)
{
    okno_autojson json_t *array = json_array();
    for (size_t i = 0; i < pieces->len; i++) {
        const struct okno_piece *p = &pieces->items[i];
        okno_autojson json_t *piece = json_pack(
            "{s:s, s:s, s:o, s:I, s:s}", "archive", camera->archive.archive, "name", p->name,
            "from", okno_json_time(p->from_us), "size", (json_int_t)p->size, "tag", p->tag);
        if (json_array_append(array, piece) < 0)
            break;
        okno_autofree char *text = json_dumps(array, JSON_COMPACT | JSON_SORT_KEYS);
        if (!text || strlen(text) >= size)
            break;
        (void)snprintf(ret_text, size, "%s", text);
    }
}

static void fill(struct okno_evidence *e, const struct okno_camera *camera,
                 const struct okno_extract_result *got)
{
    bool still = strcmp(e->kind, "still") == 0;
    (void)snprintf(e->camera, sizeof(e->camera), "%s", camera->camera);
    (void)snprintf(e->media_type, sizeof(e->media_type), still ? "image/jpeg" : "video/mp4");
    (void)snprintf(e->codec, sizeof(e->codec), "%s", got->media.codec);
    (void)snprintf(e->source, sizeof(e->source), "[]");
    source_text(camera, &got->pieces, e->source, sizeof(e->source));
    work_gaps_text(&got->media.gaps, e->gaps, sizeof(e->gaps));
    e->got_from_us = got->media.got_from_us;
    e->got_to_us = got->media.got_to_us;
    e->frame_at_us = still ? got->media.first_frame_us : 0;
    int64_t lead_us = e->asked_from_us - e->got_from_us;
    e->view_offset_us = !still && lead_us > 0 ? lead_us : 0;
    e->requests = got->requests;
    e->bytes_read = got->bytes_read;
}

/* Extract into a temporary file and keep it. */
static int fetch(struct okno_work *work, const struct okno_camera *camera, struct okno_evidence *e,
                 struct okno_err *err)
{
    char temp[1300];
    struct okno_extract_result got = {0};
    struct okno_err trouble = {0};
    const struct okno_budget budget = work_budget(work);
    struct okno_extract_camera view = {.channel = camera->channel,
                                       .index_offset_us = e->index_offset_us,
                                       .index_dir = work->index_dir,
                                       .index_key = work->index_key,
                                       .recent = work->recent,
                                       .budget = &budget,
                                       .archive_id = camera->archive.archive,
                                       .archive_url = camera->archive.url};
    int rc = work_archive_ready(work, camera, e->made_at_us, &view.archive, err);
    if (rc == 0)
        rc = okno_evidence_temp(work->data_dir, e->kind, temp, sizeof(temp), err);
    if (rc < 0)
        return rc;
    if (strcmp(e->kind, "still") == 0)
        rc = okno_extract_still(&view, e->asked_to_us, temp, &got, &trouble);
    else
        rc = okno_extract_clip(&view, e->asked_from_us, e->asked_to_us, work->conf->evidence.audio,
                               temp, &got, &trouble);
    work_archive_asked(work, camera, e->made_at_us, rc, &trouble);
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    fill(e, camera, &got);
    rc = okno_evidence_keep(work->data_dir, temp, e, err);
    if (rc == 0)
        rc = work_evidence_add(work->db, work->data_dir, e, &got, NULL, err);
    okno_extract_result_free(&got);
    return rc;
}

/* A row whose file was lost is no evidence any more. */
static bool has_file(const struct okno_work *work, const struct okno_evidence *e)
{
    char path[1300];
    struct stat st;
    return okno_evidence_path(work->data_dir, e->sha256, path, sizeof(path), NULL) == 0 &&
           stat(path, &st) == 0 && st.st_size == e->bytes;
}

/* Already kept for the same seconds, camera and offset? What has gaps may have less since the
 * archive was looked at again. */
static bool is_kept(struct okno_work *work, const struct okno_evidence *wanted,
                    const struct work_link *link, struct okno_evidence *ret_kept)
{
    struct okno_err none = {0};
    return okno_evidence_find(work->db, wanted->survey, wanted->kind, ret_kept, &none) == 0 &&
           ret_kept->asked_from_us == wanted->asked_from_us &&
           ret_kept->asked_to_us == wanted->asked_to_us &&
           ret_kept->index_offset_us == wanted->index_offset_us &&
           strcmp(ret_kept->camera, link->camera) == 0 &&
           (strcmp(ret_kept->gaps, "[]") == 0 || ret_kept->made_at_us >= link->made_at_us) &&
           has_file(work, ret_kept);
}

/* Everything known before the archive is asked: for what, and of which camera. 1 when that is kept
 * already, or cut from what is: then *ret_evidence is it. */
static int prepare(struct okno_work *work, const char *survey, const char *kind, const char *audit,
                   int64_t now_us, struct okno_camera *ret_camera,
                   struct okno_evidence *ret_evidence, struct okno_err *err)
{
    struct work_survey s = {0};
    struct work_link link = {0};
    int rc = work_load_survey(work, survey, &s, err);
    if (rc == 0)
        rc = usable_link(work, survey, now_us, &link, err);
    if (rc == 0)
        rc = okno_registry_camera(work->db, link.camera, ret_camera, err);
    if (rc < 0)
        return rc;
    bool still = strcmp(kind, "still") == 0;
    struct okno_evidence e = {.asked_from_us = still ? s.still_at_us : link.asked_from_us,
                              .asked_to_us = still ? s.still_at_us : link.asked_to_us,
                              .index_offset_us = link.index_offset_us,
                              .uncertainty_us = link.uncertainty_us,
                              .made_at_us = now_us};
    (void)snprintf(e.survey, sizeof(e.survey), "%s", s.survey);
    (void)snprintf(e.audit, sizeof(e.audit), "%s", audit ? audit : "");
    (void)snprintf(e.kind, sizeof(e.kind), "%s", kind);
    if (is_kept(work, &e, &link, ret_evidence))
        return 1;
    *ret_evidence = e;
    return still ? work_cut_still(work, link.camera, ret_evidence, err) : 0;
}

int okno_work_extract(struct okno_work *work, const char *survey, const char *kind,
                      const char *audit, int64_t now_us, struct okno_evidence *ret_evidence,
                      struct okno_err *err)
{
    struct okno_camera camera = {0};
    struct okno_evidence e = {0};
    int rc = prepare(work, survey, kind, audit, now_us, &camera, &e, err);
    if (rc == 0)
        rc = fetch(work, &camera, &e, err);
    if (rc < 0)
        return rc;
    *ret_evidence = e;
    return 0;
}

/* --- many stills ------------------------------------------------------------------------------ */

/* One of them on its way. */
struct wanted {
    size_t index; /* in the caller's list */
    struct okno_camera camera;
    struct okno_evidence evidence;
    char temp[1300];
};

/* Those of one camera and clock offset, which come one after another. */
static int wanted_order(const void *a, const void *b)
{
    const struct wanted *x = a;
    const struct wanted *y = b;
    int order = strcmp(x->camera.camera, y->camera.camera);
    if (order == 0)
        order = (x->evidence.index_offset_us > y->evidence.index_offset_us) -
                (x->evidence.index_offset_us < y->evidence.index_offset_us);
    if (order == 0)
        order = (x->evidence.asked_to_us > y->evidence.asked_to_us) -
                (x->evidence.asked_to_us < y->evidence.asked_to_us);
    return order;
}

static bool is_same_view(const struct wanted *a, const struct wanted *b)
{
    return strcmp(a->camera.camera, b->camera.camera) == 0 &&
           a->evidence.index_offset_us == b->evidence.index_offset_us;
}

/* The caller's list is worked through in parts. */
struct telling {
    okno_work_tell *tell;
    void *ctx;
    size_t by;
};

static int tell_shifted(void *ctx, size_t index, int code, const struct okno_evidence *evidence,
                        const struct okno_err *why, struct okno_err *err)
{
    const struct telling *telling = ctx;
    return telling->tell(telling->ctx, telling->by + index, code, evidence, why, err);
}

static int shot_keep(struct okno_work *work, struct wanted *wanted, struct okno_extract_shot *shot,
                     struct okno_err *err)
{
    struct okno_evidence *e = &wanted->evidence;
    fill(e, &wanted->camera, &shot->result);
    int rc = okno_evidence_keep(work->data_dir, wanted->temp, e, err);
    return rc < 0
               ? rc
               : work_evidence_add(work->db, work->data_dir, e, &shot->result, &shot->picture, err);
}

enum { MOST_SESSIONS = 8 };

/* The same camera by further handles of its archive, where that is read at random and takes several
 * sessions: one for each processor. How many there are with the first; the others are the
 * caller's. */
static size_t views_open(struct okno_work *work, const struct okno_camera *camera,
                         struct okno_extract_camera *views)
{
    struct okno_archive_caps caps;
    okno_archive_caps(views[0].archive, &caps);
    struct okno_archive_limits limits;
    okno_archive_limits(work->conf, &camera->archive, &limits);
    int64_t most = work->in_turn ? 1 : limits.sessions;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    most = most < processors ? most : processors;
    most = caps.flags & OKNO_ARCHIVE_RANGES ? most : 1;
    size_t len = 1;
    for (; len < MOST_SESSIONS && (int64_t)len < most; len++) {
        views[len] = views[0];
        views[len].recent = NULL; /* of one thread */
        if (work_archive_open(work, &camera->archive, &views[len].archive, NULL) < 0)
            break;
    }
    return len;
}

/* In one go; what is not done afterwards is taken one by one. */
static int shots_take(struct okno_work *work, struct wanted *wanted, size_t count,
                      struct okno_extract_shot *shots, struct okno_err *err)
{
    struct okno_err trouble = {0};
    const struct okno_budget budget = work_budget(work);
    struct okno_extract_camera views[MOST_SESSIONS] = {
        {.channel = wanted->camera.channel,
         .index_offset_us = wanted->evidence.index_offset_us,
         .index_dir = work->index_dir,
         .index_key = work->index_key,
         .budget = &budget,
         .archive_id = wanted->camera.archive.archive,
         .archive_url = wanted->camera.archive.url}};
    int rc = work_archive_ready(work, &wanted->camera, wanted->evidence.made_at_us,
                                &views[0].archive, NULL);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = okno_evidence_temp(work->data_dir, "still", wanted[i].temp, sizeof(wanted[i].temp),
                                err);
        shots[i] = (struct okno_extract_shot){.at_us = wanted[i].evidence.asked_to_us,
                                              .out_path = wanted[i].temp};
    }
    size_t sessions = rc == 0 ? views_open(work, &wanted->camera, views) : 1;
    if (rc == 0)
        rc = okno_extract_stills(views, sessions, shots, count, 0, &trouble);
    while (sessions > 1)
        okno_archive_close(views[--sessions].archive);
    work_archive_asked(work, &wanted->camera, wanted->evidence.made_at_us, rc, &trouble);
    return rc;
}

static int group_take(struct okno_work *work, struct wanted *wanted, size_t count,
                      okno_work_tell *tell, void *ctx, struct okno_err *err)
{
    okno_autofree struct okno_extract_shot *shots = calloc(count, sizeof(*shots));
    if (!shots)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu stills", count);
    /* When that failed, the single way says what the archive's trouble is. */
    if (count > 1)
        (void)!shots_take(work, wanted, count, shots, NULL);
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        struct okno_err why = {0};
        struct wanted *one = &wanted[i];
        if (rc < 0 && shots[i].done)
            (void)unlink(one->temp);
        if (rc == 0) {
            int code = shots[i].done ? shot_keep(work, one, &shots[i], &why)
                                     : fetch(work, &one->camera, &one->evidence, &why);
            rc = tell(ctx, one->index, code, &one->evidence, &why, err);
        }
        okno_extract_result_free(&shots[i].result);
    }
    return rc;
}

static int stills_prepare(struct okno_work *work, const char *const *surveys, size_t count,
                          const char *audit, int64_t now_us, struct wanted *wanted,
                          size_t *ret_wanted, okno_work_tell *tell, void *ctx, struct okno_err *err)
{
    size_t len = 0;
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        struct okno_err why = {0};
        struct wanted *one = &wanted[len];
        *one = (struct wanted){.index = i};
        int code =
            prepare(work, surveys[i], "still", audit, now_us, &one->camera, &one->evidence, &why);
        if (code == 0)
            len++;
        else
            rc = tell(ctx, i, code < 0 ? code : 0, &one->evidence, &why, err);
    }
    *ret_wanted = len;
    return rc;
}

enum { MOST_TOGETHER = 1000 };

int okno_work_extract_stills(struct okno_work *work, const char *const *surveys, size_t count,
                             const char *audit, int64_t now_us, okno_work_tell *tell, void *ctx,
                             struct okno_err *err)
{
    okno_autofree struct wanted *wanted = calloc(MOST_TOGETHER, sizeof(*wanted));
    if (!wanted)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for many stills");
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < count; at += MOST_TOGETHER) {
        size_t part = count - at < MOST_TOGETHER ? count - at : MOST_TOGETHER;
        size_t len = 0;
        struct telling shifted = {.tell = tell, .ctx = ctx, .by = at};
        rc = stills_prepare(work, surveys + at, part, audit, now_us, wanted, &len, tell_shifted,
                            &shifted, err);
        qsort(wanted, len, sizeof(*wanted), wanted_order);
        for (size_t i = 0, same = 0; rc == 0 && i < len; i += same) {
            same = 1;
            while (i + same < len && is_same_view(&wanted[i], &wanted[i + same]))
                same++;
            rc = group_take(work, &wanted[i], same, tell_shifted, &shifted, err);
        }
    }
    return rc;
}
