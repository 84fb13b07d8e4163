#define _POSIX_C_SOURCE 200809L
/* A still out of the survey's own clip: those bytes were fetched already, and the archive may have
 * written over them since. */
#include "cut.h"

#include "extras.h"

#include "okno/file.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { SIDECAR_BYTES_MAX = 16 << 20 };

/* It shows that moment as the archive did: the same camera and clock, copied frame by frame, and
 * nothing missing, so that no frame can be older than it looks. */
static bool shows(const struct okno_evidence *clip, const char *camera,
                  const struct okno_evidence *still)
{
    return !clip->derived && strcmp(clip->gaps, "[]") == 0 && strcmp(clip->camera, camera) == 0 &&
           clip->index_offset_us == still->index_offset_us &&
           clip->got_from_us <= still->asked_to_us && still->asked_to_us < clip->got_to_us;
}

static int piece_of(const json_t *anchor, int64_t offset_us, struct okno_piece_vec *pieces,
                    struct okno_err *err)
{
    struct okno_piece piece = {.error_us = json_integer_value(json_object_get(anchor, "error_us"))};
    const char *name = json_string_value(json_object_get(anchor, "recording"));
    const char *begins = json_string_value(json_object_get(anchor, "begins"));
    if (!name || !begins || okno_time_parse(begins, &piece.from_us, NULL) < 0)
        return okno_fail(err, OKNO_MALFORMED,
                         "a clip's sidecar has an anchor without name or time");
    (void)snprintf(piece.name, sizeof(piece.name), "%s", name);
    piece.from_us += offset_us;
    piece.flags = json_is_true(json_object_get(anchor, "ambiguous")) ? OKNO_SPAN_AMBIGUOUS : 0;
    return okno_piece_vec_push(pieces, piece) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a still's anchors")
               : 0;
}

static int is_sidecar(const struct okno_buf *text, const char *sha256, struct okno_err *err)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    char hash[OKNO_SHA256_TEXT];
    okno_hash_bytes(text->data, text->len, digest);
    return strcmp(okno_hash_hex(digest, hash), sha256) == 0
               ? 0
               : okno_fail(err, OKNO_CHECK_FAILED, "the sidecar %s is damaged", sha256);
}

/* What dated the clip dates the still. */
static int read_anchors(const struct okno_work *work, const struct okno_evidence *clip,
                        struct okno_piece_vec *pieces, struct okno_err *err)
{
    char path[1300];
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(SIDECAR_BYTES_MAX);
    int rc = okno_evidence_path(work->data_dir, clip->sidecar, path, sizeof(path), err);
    if (rc == 0)
        rc = okno_file_read(path, &text, err);
    if (rc == 0)
        rc = is_sidecar(&text, clip->sidecar, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_loads(okno_buf_text(&text), 0, NULL);
    const json_t *anchor;
    size_t i;
    json_array_foreach(json_object_get(json, "anchors"), i, anchor) if (rc == 0) rc =
        piece_of(anchor, clip->index_offset_us, pieces, err);
    return rc;
}

/* The recordings that the clip was made of, and the clip. */
static void source_text(const struct okno_evidence *clip, char *ret_text, size_t size)
{
    okno_autojson json_t *list = json_loads(clip->source, 0, NULL);
    if (!list || json_array_append_new(list, json_pack("{s:s}", "clip", clip->sha256)) < 0)
        return;
    size_t len = json_dumpb(list, ret_text, size - 1, JSON_COMPACT | JSON_SORT_KEYS);
    ret_text[len < size ? len : 0] = '\0';
}

static void fill(struct okno_evidence *e, const struct okno_evidence *clip,
                 const struct okno_media_result *got)
{
    (void)snprintf(e->camera, sizeof(e->camera), "%s", clip->camera);
    (void)snprintf(e->media_type, sizeof(e->media_type), "image/jpeg");
    (void)snprintf(e->codec, sizeof(e->codec), "%s", got->codec);
    (void)snprintf(e->gaps, sizeof(e->gaps), "[]");
    source_text(clip, e->source, sizeof(e->source));
    e->got_from_us = got->got_from_us;
    e->got_to_us = got->got_to_us;
    e->frame_at_us = got->first_frame_us;
}

static int cut(struct okno_work *work, const struct okno_evidence *clip,
               const struct okno_evidence *still, const char *temp, struct okno_extract_result *got,
               struct okno_err *err)
{
    OKNO_AUTO(okno_source) *file = NULL;
    int rc = okno_evidence_source(work->data_dir, clip->sha256, &file, err);
    const struct okno_media_input input = {
        .source = file, .format = "mov", .from_us = clip->got_from_us, .name = "the kept clip"};
    if (rc == 0)
        rc = read_anchors(work, clip, &got->pieces, err);
    return rc < 0 ? rc : okno_media_still(&input, 1, still->asked_to_us, temp, &got->media, err);
}

static int keep(struct okno_work *work, const struct okno_evidence *clip,
                struct okno_evidence *still, const char *temp,
                const struct okno_extract_result *got, struct okno_err *err)
{
    fill(still, clip, &got->media);
    int rc = okno_evidence_keep(work->data_dir, temp, still, err);
    return rc < 0 ? rc : work_evidence_add(work->db, work->data_dir, still, got, NULL, err);
}

int work_cut_still(struct okno_work *work, const char *camera, struct okno_evidence *still,
                   struct okno_err *err)
{
    char temp[1300];
    struct okno_evidence clip = {0};
    struct okno_extract_result got = {0};
    struct okno_err why_not = {0}; /* then the archive is asked, which may know better */
    if (okno_evidence_find(work->db, still->survey, "clip", &clip, &why_not) < 0 ||
        !shows(&clip, camera, still))
        return 0;
    int rc = okno_evidence_temp(work->data_dir, "still", temp, sizeof(temp), err);
    bool is_cut = rc == 0 && cut(work, &clip, still, temp, &got, &why_not) == 0;
    if (is_cut)
        rc = keep(work, &clip, still, temp, &got, err);
    okno_extract_result_free(&got);
    return rc < 0 ? rc : is_cut;
}
