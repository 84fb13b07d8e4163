#define _POSIX_C_SOURCE 200809L
#include "okno/archive.h"

#include "kinds.h"
#include "options.h"
#include "window.h"

#include "okno/time.h"

#include <string.h>

#define KIND_ROW(name, word) &(name),
static const struct okno_archive_ops *const kinds[] = {ARCHIVE_KINDS(KIND_ROW)};
#undef KIND_ROW

struct okno_archive {
    const struct okno_archive_ops *ops;
    void *ctx; /* owned through ops->close */
    struct okno_budget budget;
    int64_t given, received; /* bytes of the budget as it came, and of those before */
    struct okno_archive_note note;
};

const char *const *okno_archive_kinds(void)
{
#define KIND_WORD(name, word) word,
    static const char *const words[] = {ARCHIVE_KINDS(KIND_WORD) NULL};
#undef KIND_WORD
    return words;
}

static const struct okno_archive_ops *find_kind(const char *kind)
{
    for (size_t i = 0; kind && i < OKNO_COUNT(kinds); i++)
        if (strcmp(kinds[i]->kind, kind) == 0)
            return kinds[i];
    return NULL;
}

static int fail_kind(const char *kind, struct okno_err *err)
{
    char names[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < OKNO_COUNT(kinds) && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
                                kinds[i]->kind);
    return okno_fail_field(err, OKNO_UNSUPPORTED, "kind",
                           "archive kind \"%.40s\" is not supported; supported are: %s",
                           kind ? kind : "", names);
}

void okno_archive_options(const char *kind, char *ret_text, size_t size)
{
    const struct okno_archive_ops *ops = find_kind(kind);
    options_list(ops ? ops->options : NULL, ret_text, size);
}

int okno_archive_sessions(const char *kind)
{
    const struct okno_archive_ops *ops = find_kind(kind);
    return ops ? ops->max_parallel : 0;
}

static int open_kind(const struct okno_archive_config *config, struct okno_archive **ret_archive,
                     struct okno_err *err)
{
    const struct okno_archive_ops *ops = find_kind(config->kind);
    if (!ops)
        return fail_kind(config->kind, err);
    OKNO_AUTO(okno_archive) *archive = calloc(1, sizeof(*archive));
    if (!archive)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    archive->ops = ops;
    archive->budget = (struct okno_budget)OKNO_BUDGET_INIT;
    archive->given = archive->budget.bytes_left;
    int rc = options_check(config->options, ops->options, err);
    if (rc == 0)
        rc = ops->open(config, &archive->budget, &archive->ctx, err);
    if (rc == 0)
        *ret_archive = okno_mem_take(&archive);
    return rc;
}

int okno_archive_open(const struct okno_archive_config *config, struct okno_archive **ret_archive,
                      struct okno_err *err)
{
    int rc = open_kind(config, ret_archive, err);
    if (rc < 0)
        okno_err_context(err, "archive %s", config->archive ? config->archive : "");
    return rc;
}

int okno_archive_check(const struct okno_archive_config *config, struct okno_err *err)
{
    OKNO_AUTO(okno_archive) *archive = NULL;
    return open_kind(config, &archive, err);
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

void okno_archive_begin(struct okno_archive *archive, const struct okno_budget *budget)
{
    archive->received = okno_archive_received(archive);
    archive->budget = *budget;
    archive->given = budget->bytes_left;
}

int64_t okno_archive_received(const struct okno_archive *archive)
{
    return archive->received + archive->given - archive->budget.bytes_left;
}

void okno_archive_caps(struct okno_archive *archive, struct okno_archive_caps *ret_caps)
{
    struct okno_archive_caps caps = {0};
    if (archive->ops->caps)
        archive->ops->caps(archive->ctx, &caps);
    caps.max_parallel = archive->ops->max_parallel;
    caps.flags |= archive->ops->clock && !archive->ops->clock_by_caps ? OKNO_ARCHIVE_CLOCK : 0;
    *ret_caps = caps;
}

void okno_archive_hint(struct okno_archive *archive, char ret_text[OKNO_ARCHIVE_HINT])
{
    ret_text[0] = '\0';
    if (archive->ops->hint)
        archive->ops->hint(archive->ctx, ret_text, OKNO_ARCHIVE_HINT);
}

struct okno_archive_note *okno_archive_note(struct okno_archive *archive)
{
    return &archive->note;
}

bool okno_archive_has_coverage(const struct okno_archive *archive)
{
    return archive->ops->coverage != NULL;
}

/* A piece carries its channel; one that was cut would be another camera's. */
static int check_channel(const struct okno_archive_ops *ops, const char *channel,
                         struct okno_err *err)
{
    const size_t most = sizeof(((struct okno_piece *)0)->channel) - 1;
    if (strlen(channel) > most)
        return okno_fail_field(err, OKNO_INVALID, "channel",
                               "\"%.40s...\" is longer than %zu bytes", channel, most);
    return ops->channel ? ops->channel(channel, err) : 0;
}

int okno_archive_check_channel(const char *kind, const char *channel, struct okno_err *err)
{
    const struct okno_archive_ops *ops = find_kind(kind);
    return ops ? check_channel(ops, channel, err) : fail_kind(kind, err);
}

int okno_archive_coverage(struct okno_archive *archive, const char *channel, int64_t from_us,
                          int64_t to_us, struct okno_span_vec *spans, struct okno_err *err)
{
    size_t before = spans->len;
    int rc = check_channel(archive->ops, channel, err);
    if (rc < 0)
        return rc;
    if (!archive->ops->coverage)
        return okno_fail(err, OKNO_UNSUPPORTED, "this archive lists files, not times");
    rc = archive->ops->coverage(archive->ctx, channel, from_us, to_us, spans, err);
    if (rc < 0)
        spans->len = before; /* outputs stay as they were */
    return rc;
}

/* The archive cuts what is asked: ask for what it has. */
static int window_pieces(struct okno_archive *archive, const char *channel, int64_t from_us,
                         int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    struct okno_archive_caps caps;
    okno_archive_caps(archive, &caps);
    int rc = okno_archive_coverage(archive, channel, from_us, to_us, &spans, err);
    return rc < 0 ? rc : window_cut(&spans, &caps, from_us, to_us, pieces, err);
}

int okno_archive_pieces(struct okno_archive *archive, const char *channel, int64_t from_us,
                        int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    size_t before = pieces->len;
    int rc = check_channel(archive->ops, channel, err);
    if (rc < 0)
        return rc;
    rc = archive->ops->pieces
             ? archive->ops->pieces(archive->ctx, channel, from_us, to_us, pieces, err)
             : window_pieces(archive, channel, from_us, to_us, pieces, err);
    if (rc < 0)
        pieces->len = before; /* outputs stay as they were */
    for (size_t i = before; i < pieces->len; i++)
        (void)snprintf(pieces->items[i].channel, sizeof(pieces->items[i].channel), "%s", channel);
    return rc;
}

int okno_archive_newest(struct okno_archive *archive, const char *channel, int64_t from_us,
                        int64_t to_us, struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct okno_err trouble = {0};
    int64_t late_us = to_us - 120 * OKNO_SECOND_US; /* the last seconds may not be written yet */
    int rc = okno_archive_pieces(archive, channel, from_us, to_us, pieces, &trouble);
    if (rc == OKNO_TOO_LONG && archive->ops->coverage) {
        trouble = (struct okno_err){0};
        rc = window_pieces(archive, channel, late_us, late_us + 5 * OKNO_SECOND_US, pieces,
                           &trouble);
    }
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

int okno_archive_source(struct okno_archive *archive, const struct okno_piece *piece,
                        struct okno_source **ret_source, struct okno_err *err)
{
    return archive->ops->source(archive->ctx, piece, ret_source, err);
}

int okno_archive_clock(struct okno_archive *archive, struct okno_archive_clock *ret_clock,
                       struct okno_err *err)
{
    struct okno_archive_caps caps;
    okno_archive_caps(archive, &caps);
    if (!(caps.flags & OKNO_ARCHIVE_CLOCK))
        return okno_fail(
            err, OKNO_UNSUPPORTED,
            "the clock of an archive of kind %s cannot be asked; where its machine has a "
            "time server or a web server of its own, clock=sntp or clock=http among "
            "its options says so",
            archive->ops->kind);
    return archive->ops->clock(archive->ctx, ret_clock, err);
}
