/* The sidecar of a kept file: the time of every frame, where the times come from, what is missing;
 * and what its pictures are like. */
#define _POSIX_C_SOURCE 200809L
#include "extras.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a file as a source ----------------------------------------------------------------------- */

static int file_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                     struct okno_err *err)
{
    size_t got = 0;
    while (got < len) {
        ssize_t part = pread(*(int *)ctx, (char *)into + got, len - got, offset + (off_t)got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return okno_fail_errno(err, errno, "cannot read evidence");
        if (part == 0)
            break;
        got += (size_t)part;
    }
    *ret_got = got;
    return 0;
}

static void file_close(void *ctx)
{
    (void)close(*(int *)ctx);
    free(ctx);
}

/* Takes the descriptor over. */
static int source_of(int taken, int64_t size, struct okno_source **ret_source, struct okno_err *err)
{
    okno_autoclose int fd = taken;
    int *held = malloc(sizeof(*held));
    struct okno_source *source = calloc(1, sizeof(*source));
    if (!held || !source) {
        free(held);
        free(source);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read evidence");
    }
    *held = okno_mem_take_fd(&fd);
    *source =
        (struct okno_source){.size = size, .ctx = held, .read_at = file_read, .close = file_close};
    *ret_source = source;
    return 0;
}

int okno_file_source(const char *path, struct okno_source **ret_source, struct okno_err *err)
{
    struct stat st;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return okno_fail(err, OKNO_GONE, "the file of this evidence is no longer kept");
    if (fd < 0 || fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot read %s", path);
    return source_of(okno_mem_take_fd(&fd), st.st_size, ret_source, err);
}

int okno_evidence_source(const char *data_dir, const char *sha256, struct okno_source **ret_source,
                         struct okno_err *err)
{
    int fd = -1;
    int64_t size = 0;
    int rc = okno_evidence_open(data_dir, sha256, NULL, &fd, &size, err);
    return rc < 0 ? rc : source_of(fd, size, ret_source, err);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A clip is what was claimed: as many frames, as long, its beginning a key frame. */
static int check_clip(const struct okno_look *look, const struct okno_media_result *claimed,
                      struct okno_err *err)
{
    int64_t span = claimed->last_frame_us - claimed->first_frame_us;
    int64_t last = look->frames.items[look->frames.len - 1].at_us;
    if (!look->frames.items[0].key)
        return okno_fail(err, OKNO_CHECK_FAILED, "the kept clip does not begin with a key frame");
    if ((int64_t)look->frames.len != claimed->frames)
        return okno_fail(err, OKNO_CHECK_FAILED, "the kept clip has %zu frames, not %lld",
                         look->frames.len, (long long)claimed->frames);
    if (last - span > OKNO_MS_US || span - last > OKNO_MS_US)
        return okno_fail(err, OKNO_CHECK_FAILED, "the kept clip spans %lld us, not %lld",
                         (long long)last, (long long)span);
    return 0;
}

static int look_at(const char *path, const struct okno_evidence *e,
                   const struct okno_extract_result *got, const struct okno_picture *picture,
                   struct okno_look *look, struct okno_err *err)
{
    OKNO_AUTO(okno_source) *file = NULL;
    struct okno_look_picture one = {0};
    int rc = okno_file_source(path, &file, err);
    if (rc < 0)
        return rc;
    if (strcmp(e->kind, "clip") == 0) {
        rc = okno_view_look(file, look, err);
        return rc < 0 ? rc : check_clip(look, &got->media, err);
    }
    if (picture)
        one.picture = *picture;
    else
        rc = okno_view_measure(file, &one.picture, err);
    if (rc == 0 && (okno_look_picture_vec_push(&look->pictures, one) < 0 ||
                    okno_look_frame_vec_push(&look->frames, (struct okno_look_frame){0, true}) < 0))
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory to look at evidence");
    return rc;
}

/* --- the sidecar ------------------------------------------------------------------------------ */

/* Times are said rounded up to the millisecond, so that asking for one gives that frame. */
static json_t *frame_time(int64_t us)
{
    int64_t rest = us % OKNO_MS_US;
    return okno_json_time(rest > 0 ? us - rest + OKNO_MS_US : us);
}

static json_t *frames_json(const struct okno_look *look)
{
    json_t *list = json_array();
    for (size_t i = 0; i < look->frames.len; i++)
        json_array_append_new(
            list, json_integer(look->frames.items[i].at_us - look->frames.items[0].at_us));
    return list;
}

static json_t *keys_json(const struct okno_look *look)
{
    json_t *list = json_array();
    for (size_t i = 0; i < look->frames.len; i++)
        if (look->frames.items[i].key)
            json_array_append_new(list, json_integer((json_int_t)i));
    return list;
}

/* Each recording that was read says when it began: by its name, as exact as the name is. */
static json_t *anchors_json(const struct okno_evidence *e, const struct okno_piece_vec *pieces)
{
    json_t *list = json_array();
    for (size_t i = 0; i < pieces->len; i++) {
        const struct okno_piece *piece = &pieces->items[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:I, s:b}", "recording", piece->name,
                                              "source", "recording_name", "begins",
                                              okno_json_time(piece->from_us - e->index_offset_us),
                                              "error_us", (json_int_t)piece->error_us, "ambiguous",
                                              (piece->flags & OKNO_SPAN_AMBIGUOUS) != 0));
    }
    return list;
}

static json_t *sidecar_json(const struct okno_evidence *e, const struct okno_extract_result *got,
                            const struct okno_look *look)
{
    const struct okno_media_result *media = &got->media;
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:[o, o], s:[o, o], s:o, s:o, s:I, s:o, s:o, s:o, s:o, "
        "s:I, s:I, s:I, s:s}",
        "sidecar", 1, "kind", e->kind, "evidence", e->sha256, "camera", e->camera, "media_type",
        e->media_type, "codec", e->codec, "asked", okno_json_time(e->asked_from_us),
        okno_json_time(e->asked_to_us), "got", okno_json_time(e->got_from_us),
        okno_json_time(e->got_to_us), "first_frame", frame_time(media->first_frame_us),
        "last_frame", frame_time(media->last_frame_us), "first_frame_us",
        (json_int_t)media->first_frame_us, "frames_us", frames_json(look), "key_frames",
        keys_json(look), "gaps", okno_evidence_gaps_json(e->gaps), "anchors",
        anchors_json(e, &got->pieces), "view_offset_us", (json_int_t)e->view_offset_us,
        "clock_offset_us", (json_int_t)e->index_offset_us, "uncertainty_us",
        (json_int_t)e->uncertainty_us, "software", "okno " OKNO_VERSION);
    return json;
}

static int write_text(const char *path, const char *text, struct okno_err *err)
{
    size_t len = strlen(text);
    okno_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot write %s", path);
    for (size_t at = 0; at < len;) {
        ssize_t put = write(fd, text + at, len - at);
        if (put < 0 && errno != EINTR)
            return okno_fail_errno(err, errno, "cannot write %s", path);
        at += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

static int sidecar_keep(const char *data_dir, const json_t *json, char ret_sha256[OKNO_SHA256_TEXT],
                        struct okno_err *err)
{
    char temp[1300];
    struct okno_evidence kept = {0};
    okno_autofree char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a sidecar");
    int rc = okno_evidence_temp(data_dir, "sidecar", temp, sizeof(temp), err);
    if (rc == 0)
        rc = write_text(temp, text, err);
    if (rc == 0)
        rc = okno_evidence_keep(data_dir, temp, &kept, err);
    if (rc == 0)
        memcpy(ret_sha256, kept.sha256, OKNO_SHA256_TEXT);
    return rc;
}

/* --- what the pictures are like --------------------------------------------------------------- */

static int flags_of(struct okno_db *db, const struct okno_evidence *e, const struct okno_look *look,
                    json_t **ret_flags, struct okno_err *err)
{
    uint16_t reference[OKNO_PICTURE_CELLS];
    bool there = false;
    int rc = work_reference_at(db, e->camera, e->got_from_us, reference, &there, err);
    if (rc < 0)
        return rc;
    unsigned flags =
        okno_picture_judge(look->pictures.items, look->pictures.len, there ? reference : NULL);
    json_t *list = json_array();
    for (unsigned i = 0; i < OKNO_PICTURE_FLAG_COUNT; i++)
        if (flags >> i & 1)
            json_array_append_new(list,
                                  json_string(okno_picture_flag_name((enum okno_picture_flag)i)));
    *ret_flags = list;
    return 0;
}

/* The picture in the middle stands for all. */
static json_t *measures_json(const struct okno_look *look)
{
    if (look->pictures.len == 0)
        return json_object();
    const struct okno_picture *picture = &look->pictures.items[look->pictures.len / 2].picture;
    return json_pack("{s:f, s:f, s:f, s:I}", "brightness", picture->brightness / 1e3, "spread",
                     picture->spread / 1e3, "detail", picture->detail / 1e3, "pictures",
                     (json_int_t)look->pictures.len);
}

static int rows_add(struct okno_db *db, struct okno_evidence *e, const char *sidecar,
                    const json_t *flags, const json_t *measures, struct okno_err *err)
{
    bool inside = okno_db_is_inside(db);
    okno_autofree char *flags_text = json_dumps(flags, JSON_COMPACT);
    okno_autofree char *measures_text = json_dumps(measures, JSON_COMPACT | JSON_SORT_KEYS);
    if (!flags_text || !measures_text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to keep evidence");
    int rc = inside ? 0 : okno_db_begin(db, err);
    if (rc == 0)
        rc = okno_evidence_add(db, e, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "extras.add", NULL, err, OKNO_INT("evidence", e->id),
                         OKNO_TEXT("sidecar", sidecar), OKNO_TEXT("flags", flags_text),
                         OKNO_TEXT("measures", measures_text));
    if (rc == 0)
        return inside ? 0 : okno_db_commit(db, err);
    if (!inside)
        okno_db_rollback(db);
    return rc;
}

int work_evidence_add(struct okno_db *db, const char *data_dir, struct okno_evidence *e,
                      const struct okno_extract_result *got, const struct okno_picture *picture,
                      struct okno_err *err)
{
    char path[1300];
    char sidecar[OKNO_SHA256_TEXT];
    struct okno_look look = {0};
    okno_autojson json_t *flags = NULL;
    okno_autojson json_t *measures = NULL;
    okno_autojson json_t *json = NULL;
    int rc = okno_evidence_path(data_dir, e->sha256, path, sizeof(path), err);
    if (rc == 0)
        rc = look_at(path, e, got, picture, &look, err);
    if (rc == 0)
        rc = flags_of(db, e, &look, &flags, err);
    if (rc == 0) {
        json = sidecar_json(e, got, &look);
        measures = measures_json(&look);
        rc = sidecar_keep(data_dir, json, sidecar, err);
    }
    if (rc == 0)
        rc = rows_add(db, e, sidecar, flags, measures, err);
    if (rc == 0)
        memcpy(e->sidecar, sidecar, sizeof(sidecar));
    okno_look_free(&look);
    return rc;
}
