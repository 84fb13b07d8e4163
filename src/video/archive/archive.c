#include "okno/archive.h"

#include "kinds.h"

#include <string.h>

static const struct okno_archive_ops *const kinds[] = {&archive_dir};

struct okno_archive {
    const struct okno_archive_ops *ops;
    void *ctx; /* owned through ops->close */
    struct okno_archive_note note;
};

static const struct okno_archive_ops *find_kind(const char *kind)
{
    for (size_t i = 0; kind && i < OKNO_COUNT(kinds); i++)
        if (strcmp(kinds[i]->kind, kind) == 0)
            return kinds[i];
    return NULL;
}

static int fail_kind(const char *kind, struct okno_err *err)
{
    char names[128] = "";
    size_t len = 0;
    for (size_t i = 0; i < OKNO_COUNT(kinds) && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
                                kinds[i]->kind);
    return okno_fail_field(err, OKNO_UNSUPPORTED, "kind",
                           "archive kind \"%.40s\" is not supported; supported are: %s",
                           kind ? kind : "", names);
}

int okno_archive_open(const struct okno_archive_config *config, struct okno_archive **ret_archive,
                      struct okno_err *err)
{
    const struct okno_archive_ops *ops = find_kind(config->kind);
    if (!ops)
        return fail_kind(config->kind, err);
    OKNO_AUTO(okno_archive) *archive = calloc(1, sizeof(*archive));
    if (!archive)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    archive->ops = ops;
    int rc = ops->open(config, &archive->ctx, err);
    if (rc < 0) {
        okno_err_context(err, "archive %s", config->archive ? config->archive : "");
        return rc;
    }
    *ret_archive = okno_mem_take(&archive);
    return 0;
}

void okno_archive_close(struct okno_archive *archive)
{
    if (!archive)
        return;
    if (archive->ctx)
        archive->ops->close(archive->ctx);
    if (archive->note.free)
        archive->note.free(archive->note.data);
    free(archive);
}

struct okno_archive_note *okno_archive_note(struct okno_archive *archive)
{
    return &archive->note;
}

int okno_archive_pieces(struct okno_archive *archive, const char *channel, int64_t from_us,
                        int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    size_t before = pieces->len;
    int rc = archive->ops->pieces(archive->ctx, channel, from_us, to_us, pieces, err);
    if (rc < 0)
        pieces->len = before; /* outputs stay as they were */
    return rc;
}

int okno_archive_source(struct okno_archive *archive, const struct okno_piece *piece,
                        struct okno_source **ret_source, struct okno_err *err)
{
    return archive->ops->source(archive->ctx, piece, ret_source, err);
}
