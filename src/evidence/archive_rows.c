/* Rows of archives and cameras: checked as opening the archive would, and tried. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/extract.h"
#include "okno/time.h"
#include "okno/work.h"

#include <sodium/utils.h>
#include <string.h>

/* The field at fault stands in front, as in the messages of the import itself. */
static int name_field(struct okno_err *err)
{
    size_t len = strlen(err->field);
    if (len > 0 && (strncmp(err->text, err->field, len) != 0 || err->text[len] != ':'))
        okno_err_context(err, "%s", err->field);
    return err->code;
}

/* Names that do not tell channels apart hold one: another camera would be shown what this one
 * recorded. `camera` NULL: all that are there. */
static int check_one_channel(struct okno_db *db, const char *archive, const char *files,
                             const char *camera, const char *channel, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_camera_vec) cameras = {0};
    if (!files[0] || strstr(files, "{channel}"))
        return 0;
    int rc = okno_registry_cameras(db, &cameras, err);
    for (size_t i = 0; rc == 0 && i < cameras.len; i++) {
        const struct okno_camera *other = &cameras.items[i];
        if (strcmp(other->archive.archive, archive) != 0 ||
            (camera && strcmp(other->camera, camera) == 0))
            continue;
        if (channel && strcmp(other->channel, channel) != 0)
            rc =
                okno_fail_field(err, OKNO_INVALID, camera ? "channel" : "files",
                                "%s: \"%s\" without {channel} holds one channel, and camera %s has "
                                "\"%s\": put {channel} into the archive's names, or give each "
                                "camera an archive",
                                camera ? "channel" : "files", files, other->camera, other->channel);
        channel = channel ? channel : other->channel;
    }
    return rc;
}

static bool has_files(const char *kind)
{
    return strcmp(kind, "dir") == 0 || strcmp(kind, "hls") == 0;
}

static int check_archive(struct okno_db *db, const struct okno_value *values, struct okno_err *err)
{
    enum { ARCHIVE, KIND, URL, FILES, TIME_ZONE, USER, SECRET, OPTIONS };
    const struct okno_archive_config config = {
        .archive = values[ARCHIVE].text,
        .kind = values[KIND].text,
        .url = values[URL].text,
        .files = values[FILES].text,
        .time_zone = values[TIME_ZONE].text,
        .user = values[USER].text,
        .password = *values[SECRET].text ? "set later" : "",
        .options = values[OPTIONS].text,
    };
    if (okno_archive_check(&config, err) < 0)
        return name_field(err);
    return has_files(config.kind)
               ? check_one_channel(db, config.archive, config.files, NULL, NULL, err)
               : 0;
}

static int check_camera(struct okno_db *db, const struct okno_value *values, struct okno_err *err)
{
    enum { CAMERA, ARCHIVE = 2, CHANNEL };
    struct okno_archive_row row;
    int rc = okno_registry_archive(db, values[ARCHIVE].text, &row, err);
    if (rc == 0 && okno_archive_check_channel(row.kind, values[CHANNEL].text, err) < 0)
        rc = name_field(err);
    if (rc == 0 && has_files(row.kind))
        rc = check_one_channel(db, row.archive, row.files, values[CAMERA].text,
                               values[CHANNEL].text, err);
    return rc;
}

okno_row_check *okno_archive_rows_check(const char *import)
{
    return strcmp(import, "archives") == 0  ? check_archive
           : strcmp(import, "cameras") == 0 ? check_camera
                                            : NULL;
}

int okno_archive_check_secret(struct okno_db *db, const struct okno_archive_row *row,
                              struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "turns.owner_of_secret", &stmt, err, OKNO_TEXT("archive", row->archive),
                        OKNO_TEXT("url", row->url), OKNO_TEXT("secret", row->secret));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    return rc <= 0 ? rc
                   : okno_fail_field(err, OKNO_INVALID, "secret",
                                     "secret: it is of %s; set one for this archive and host with "
                                     "`okno secret set NAME`",
                                     okno_stmt_text(stmt, "owner"));
}

int work_row_config(struct okno_db *db, const struct okno_archive_row *row, int64_t deadline_us,
                    char password[OKNO_SECRET_TEXT], struct okno_archive_config *ret_config,
                    struct okno_err *err)
{
    int rc = okno_registry_secret(db, row->secret, password, err);
    if (rc == 0)
        *ret_config = (struct okno_archive_config){.archive = row->archive,
                                                   .kind = row->kind,
                                                   .url = row->url,
                                                   .files = row->files,
                                                   .time_zone = row->time_zone,
                                                   .user = row->user,
                                                   .password = password,
                                                   .options = row->options,
                                                   .deadline_us = deadline_us};
    return rc;
}

int okno_archive_open_row(struct okno_db *db, const struct okno_archive_row *row,
                          int64_t deadline_us, const char *spool_dir,
                          struct okno_archive **ret_archive, struct okno_err *err)
{
    struct okno_archive_config config;
    char password[OKNO_SECRET_TEXT] = "";
    int rc = work_row_config(db, row, deadline_us, password, &config, err);
    if (rc < 0)
        return rc;
    config.spool_dir = spool_dir;
    rc = okno_archive_open(&config, ret_archive, err);
    sodium_memzero(password, sizeof(password));
    return rc;
}

int okno_archive_lately(struct okno_archive *archive, const char *channel, int64_t at_us,
                        int *ret_days, struct okno_piece_vec *pieces, struct okno_err *err)
{
    static const int days[] = {1, 7, 31};
    int rc = 0;
    for (size_t i = 0; rc == 0 && pieces->len == 0 && i < OKNO_COUNT(days); i++) {
        *ret_days = days[i];
        rc = okno_archive_newest(archive, channel, at_us - days[i] * OKNO_DAY_US, at_us, pieces,
                                 err);
    }
    return rc;
}

/* A clock may be wrong by so much without being looked into. */
#define AHEAD_US (120 * OKNO_SECOND_US)

int64_t okno_archive_clock_offset(struct okno_db *db, const char *archive, const char *channel)
{
    OKNO_AUTO_VEC(okno_camera_vec) cameras = {0};
    OKNO_AUTO_VEC(okno_clock_vec) known = {0};
    struct okno_camera camera = {0}; /* one that has no name yet goes by its archive */
    int rc = okno_registry_cameras(db, &cameras, NULL);
    (void)snprintf(camera.archive.archive, sizeof(camera.archive.archive), "%s", archive);
    for (size_t i = 0; rc == 0 && i < cameras.len; i++)
        if (strcmp(cameras.items[i].archive.archive, archive) == 0 &&
            strcmp(cameras.items[i].channel, channel) == 0)
            camera = cameras.items[i];
    if (rc < 0 || okno_registry_index_clock(db, &camera, &known, NULL) < 0)
        return 0;
    return okno_clock_at(known.items, known.len, okno_time_now()).offset_us;
}

int64_t okno_archive_ahead(struct okno_archive *archive, const char *channel, int64_t now_us)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t ahead_us = 0;
    if (okno_archive_pieces(archive, channel, now_us, now_us + OKNO_DAY_US, &pieces, NULL) < 0)
        return 0;
    for (size_t i = 0; i < pieces.len; i++)
        if (pieces.items[i].from_us - now_us > ahead_us)
            ahead_us = pieces.items[i].from_us - now_us;
    return ahead_us > AHEAD_US ? ahead_us : 0;
}

/* What may be read of it meanwhile. */
#define TRY_BYTES (INT64_C(64) * 1024 * 1024)

/* How much is recorded of the last `reach_us` that are listed. */
static int read_ends(struct okno_archive *archive, const char *channel, int64_t until_us,
                     int64_t reach_us, const struct okno_piece *last,
                     struct okno_archive_seen *seen, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_interval_vec) spans = {0};
    const struct okno_budget budget = {.until_us = until_us, .bytes_left = TRY_BYTES};
    const struct okno_extract_camera view = {
        .archive = archive, .channel = channel, .budget = &budget};
    int64_t error_us = 0;
    int64_t from_us = last->from_us - reach_us;
    from_us = from_us > seen->from_us ? from_us : seen->from_us;
    int rc = okno_extract_coverage(&view, from_us, last->to_us, &spans, &error_us, err);
    if (rc < 0 || spans.len == 0)
        return rc;
    for (size_t i = 0; i < spans.len; i++)
        seen->covered_us += spans.items[i].to_us - spans.items[i].from_us;
    seen->to_us = spans.items[spans.len - 1].to_us;
    seen->looked_us = seen->to_us - from_us;
    return 0;
}

/* Ends in a list are guessed: those of the last minutes are read, as a clip would read them; of
 * recordings that cost too much for a try, those of the last seconds. It answers where it cannot
 * be had for so little, or not yet. */
static int look_closer(struct okno_archive *archive, const char *channel, int64_t until_us,
                       const struct okno_piece_vec *pieces, struct okno_archive_seen *seen,
                       struct okno_err *err)
{
    static const int64_t reaches_us[] = {600 * OKNO_SECOND_US, 10 * OKNO_SECOND_US};
    const struct okno_piece *last = &pieces->items[pieces->len - 1];
    struct okno_err trouble = {0};
    int rc = OKNO_TOO_LARGE;
    seen->recordings = (int64_t)pieces->len;
    seen->from_us = pieces->items[0].from_us;
    seen->to_us = last->to_us;
    for (size_t i = 0; rc == OKNO_TOO_LARGE && i < OKNO_COUNT(reaches_us); i++) {
        okno_err_clear(&trouble);
        rc = read_ends(archive, channel, until_us, reaches_us[i], last, seen, &trouble);
    }
    return rc == 0 || rc == OKNO_TOO_LARGE || rc == OKNO_NOT_YET ? 0
                                                                 : okno_fail_from(err, &trouble);
}

int okno_archive_try(struct okno_db *db, const struct okno_archive_row *row, const char *channel,
                     int64_t at_us, int64_t deadline_us, struct okno_archive_seen *ret_seen,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_archive) *archive = NULL;
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    struct okno_archive_seen seen = {0};
    int rc = okno_archive_open_row(db, row, deadline_us, NULL, &archive, err);
    if (rc < 0)
        return rc;
    const struct okno_budget budget = {.until_us = okno_time_monotonic() + deadline_us,
                                       .bytes_left = TRY_BYTES};
    okno_archive_begin(archive, &budget);
    int64_t offset_us = okno_archive_clock_offset(db, row->archive, channel);
    rc = okno_archive_lately(archive, channel, at_us + offset_us, &seen.days, &pieces, err);
    if (rc == 0 && pieces.len > 0)
        rc = look_closer(archive, channel, budget.until_us, &pieces, &seen, err);
    if (rc == 0 && pieces.len == 0)
        okno_archive_hint(archive, seen.hint);
    if (rc == 0)
        seen.ahead_us = okno_archive_ahead(archive, channel, okno_time_now() + offset_us);
    if (rc == 0)
        *ret_seen = seen;
    return rc;
}

int okno_archive_note_asked(struct okno_db *db, const char *archive, int64_t now_us, int code,
                            const struct okno_err *why, struct okno_err *err)
{
    if (code == 0 || work_is_answer(code))
        return OKNO_DB_RUN(db, "turns.seen", NULL, err, OKNO_TEXT("archive", archive),
                           OKNO_INT("now", now_us));
    return OKNO_DB_RUN(db, "turns.missed", NULL, err, OKNO_TEXT("archive", archive),
                       OKNO_INT("now", now_us), OKNO_TEXT("code", okno_code_info(code)->name),
                       OKNO_TEXT("message", why->text));
}
