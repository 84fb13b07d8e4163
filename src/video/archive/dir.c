/* Kind `dir`: files with the time in their names, wherever store.h reaches. */
#define _POSIX_C_SOURCE 200809L
#include "kinds.h"
#include "options.h"
#include "order.h"
#include "store.h"
#include "template.h"

#include "okno/time.h"
#include "okno/zone.h"

#include <string.h>
#include <strings.h>

#define DEFAULT_DEADLINE_US (30 * OKNO_SECOND_US)
#define HOUR_US (3600 * OKNO_SECOND_US)
#define LOOK_BACK_US (3 * HOUR_US)
#define ZONE_REACH_US (3 * HOUR_US) /* local times jump by less */
#define AMBIGUITY_REACH_US (2 * HOUR_US)
#define FRESH_US (10 * OKNO_SECOND_US)  /* how long a listing holds while files are being added */
#define STALE_US (300 * OKNO_SECOND_US) /* and when its newest file is older than QUIET_US */
#define QUIET_US (2 * HOUR_US)
#define LATEST_US (INT64_C(253402300800) * OKNO_SECOND_US) /* year 10000 */

enum {
    CACHE_FOLDERS = 512,
    CACHE_FILES = 500000,
    CALL_FILES_MAX = 1000000,
    LOOK_BACK_FOLDERS = 4,
    URL_MAX_BYTES = 4000
};

/* A folder as it was listed, its names read for one channel. */
struct cached {
    char *folder;     /* owned */
    char *channel;    /* owned: the one that records are for */
    int64_t until_us; /* monotonic: when to list again */
    bool part;        /* lists what its channel's names say of [from_us, to_us) only */
    int64_t part_from_us, part_to_us;
    struct listing listing;
    struct record_vec records; /* names that fit the template; texts belong to this struct */
};
OKNO_VEC(cached_vec, struct cached *);

struct dir {
    struct store *store; /* owned */
    char *files;         /* owned template text */
    const char *format;
    struct okno_zone *zone;
    int64_t early_us; /* recordings may begin that much before their names */
    int64_t deadline_us;
    int64_t until_us; /* monotonic: when the call under way must be done */
    bool outdated;    /* a reader found a recording gone: what was listed is no longer so */
    char *channel;    /* owned: the one that template is compiled for */
    struct template *template;
    struct cached_vec cache; /* oldest first */
    size_t cached_files;
};

/* --- opening --- */

static const char *format_of(const char *files)
{
    static const struct {
        const char *ending, *format;
    } rows[] = {{".mp4", "mov"},      {".mov", "mov"},       {".m4s", "mov"},   {".m4v", "mov"},
                {".mkv", "matroska"}, {".webm", "matroska"}, {".ts", "mpegts"}, {".m2ts", "mpegts"},
                {".mts", "mpegts"},   {".avi", "avi"},       {".mpg", "mpeg"},  {".mpeg", "mpeg"},
                {".ps", "mpeg"}};
    const char *dot = strrchr(files, '.');
    for (size_t i = 0; dot && i < OKNO_COUNT(rows); i++)
        if (strcasecmp(dot, rows[i].ending) == 0)
            return rows[i].format;
    return NULL;
}

static void cached_free(struct cached *cached)
{
    if (!cached)
        return;
    free(cached->folder);
    free(cached->channel);
    listing_free(&cached->listing);
    record_vec_free(&cached->records);
    free(cached);
}

static void forget_listings(struct dir *dir)
{
    for (size_t i = 0; i < dir->cache.len; i++)
        cached_free(dir->cache.items[i]);
    dir->cache.len = 0;
    dir->cached_files = 0;
}

static void dir_close(void *ctx)
{
    struct dir *dir = ctx;
    if (!dir)
        return;
    forget_listings(dir);
    cached_vec_free(&dir->cache);
    template_free(dir->template);
    okno_zone_close(dir->zone);
    store_close(dir->store);
    free(dir->channel);
    free(dir->files);
    free(dir);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Recompile when the channel differs from the last one asked. */
static int use_channel(struct dir *dir, const char *channel, struct okno_err *err)
{
    struct template *template = NULL;
    if (dir->channel && strcmp(dir->channel, channel) == 0)
        return 0;
    int rc = template_compile(dir->files, channel, &template, err);
    if (rc < 0)
        return rc;
    char *copy = strdup(channel);
    if (!copy) {
        template_free(template);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory");
    }
    free(dir->channel);
    template_free(dir->template);
    dir->channel = copy;
    dir->template = template;
    return 0;
}

/* How well-known recorders name their files, for archives without `files`. */
static const struct {
    const char *name, *files;
    int early_ms; /* begins that much before its name at most */
} layouts[] = {
    {"mediamtx", "{channel}/%Y-%m-%d_%H-%M-%S-%f.mp4", 0},
    {"frigate", "%Y-%m-%d/%H/{channel}/%M.%S.mp4", 0},
    {"motion", "%Y%m%d/%H-%M-%S_{channel}_{any}.mp4", 1500},
    {"shinobi", "{channel}/%Y-%m-%dT%H-%M-%S.mp4", 0},
    {"segment", "{channel}/%Y%m%d-%H%M%S.mp4", 0},
};

static int take_early(struct dir *dir, const char *text, struct okno_err *err)
{
    char *end = NULL;
    long ms = strtol(text, &end, 10);
    if (*end || ms < 0 || ms > 60000)
        return okno_fail_field(err, OKNO_INVALID, "options",
                               "early_ms=%.20s: allowed are milliseconds from 0 to 60000", text);
    dir->early_us = ms * OKNO_MS_US;
    return 0;
}

static int take_files(struct dir *dir, const struct okno_archive_config *config,
                      struct okno_err *err)
{
    char layout[32];
    char early[32];
    const char *files = or_empty(config->files);
    bool known = false;
    int rc = options_get(config->options, "layout", layout, sizeof(layout), err);
    if (rc == 0)
        rc = options_get(config->options, "early_ms", early, sizeof(early), err);
    for (size_t i = 0; rc == 0 && layout[0] && i < OKNO_COUNT(layouts); i++)
        if (strcmp(layout, layouts[i].name) == 0) {
            known = true;
            dir->early_us = layouts[i].early_ms * OKNO_MS_US;
            files = files[0] ? files : layouts[i].files;
        }
    if (rc == 0 && layout[0] && !known)
        return okno_fail_field(err, OKNO_INVALID, "options",
                               "layout=%s: allowed are mediamtx, frigate, motion, shinobi and "
                               "segment",
                               layout);
    if (rc == 0 && early[0])
        rc = take_early(dir, early, err);
    if (rc < 0)
        return rc;
    dir->files = strdup(files);
    return dir->files ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int fill(struct dir *dir, const struct okno_archive_config *config,
                struct okno_budget *budget, struct okno_err *err)
{
    dir->deadline_us = config->deadline_us > 0 ? config->deadline_us : DEFAULT_DEADLINE_US;
    int rc = store_open(config, budget, &dir->store, err);
    if (rc == 0)
        rc = take_files(dir, config, err);
    if (rc == 0)
        rc = use_channel(dir, "1", err); /* to find faults of the template now */
    if (rc < 0)
        return rc;
    dir->format = format_of(dir->files);
    if (!dir->format)
        return okno_fail_field(err, OKNO_UNSUPPORTED, "files",
                               "the file name template must end in .mp4, .mov, .m4s, .mkv, .ts, "
                               ".avi or .mpg, not \"%.60s\"",
                               dir->files);
    const char *zone = or_empty(config->time_zone);
    struct okno_err why = {0};
    rc = okno_zone_open(zone[0] ? zone : "UTC", &dir->zone, &why);
    return rc < 0 ? okno_fail_field(err, rc, "time_zone", "%s", why.text) : 0;
}

static int dir_open(const struct okno_archive_config *config, struct okno_budget *budget,
                    void **ret_ctx, struct okno_err *err)
{
    struct dir *dir = calloc(1, sizeof(*dir));
    if (!dir)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = fill(dir, config, budget, err);
    if (rc < 0)
        dir_close(dir);
    else
        *ret_ctx = dir;
    return rc;
}

/* --- listing --- */

/* A folder that is not there is an hour without recording, where the root is. */
static int list_folder(struct dir *dir, const char *folder, const struct listing_part *part,
                       struct listing *ret_listing, struct okno_err *err)
{
    struct okno_err why = {0};
    int64_t left_us = dir->until_us - okno_time_monotonic();
    if (left_us <= 0)
        return okno_fail(err, OKNO_TIMEOUT, "the archive's folders were not listed in time");
    int rc = store_list(dir->store, folder, part, left_us, ret_listing, &why);
    if (rc == OKNO_NOT_FOUND || rc == OKNO_GONE) {
        *ret_listing = (struct listing){.now_us = okno_time_now()};
        return store_check_root(dir->store, err);
    }
    if (rc < 0)
        return okno_fail_from(err, &why);
    return !folder[0] && ret_listing->files.len == 0 ? store_check_root(dir->store, err) : 0;
}

static int read_names(const struct dir *dir, struct cached *cached, struct okno_err *err)
{
    cached->records.len = 0;
    for (size_t i = 0; i < cached->listing.files.len; i++) {
        const struct listing_file *file = &cached->listing.files.items[i];
        struct record record = {.mtime_us = file->mtime_us,
                                .fresh = file->fresh,
                                .size = file->size,
                                .folder = cached->folder,
                                .name = file->name};
        if (template_is_safe_path(file->name) &&
            template_parse(dir->template, dir->zone, cached->folder, file->name, &record.at) == 0 &&
            record_vec_push(&cached->records, record) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    free(cached->channel);
    cached->channel = strdup(dir->channel);
    return cached->channel ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int64_t lifetime_of(const struct listing *listing)
{
    for (size_t i = 0; i < listing->files.len; i++)
        if (listing->files.items[i].fresh ||
            listing->now_us - listing->files.items[i].mtime_us < QUIET_US)
            return FRESH_US;
    return listing->files.len ? STALE_US : FRESH_US;
}

/* Drop the oldest while there is too much; never inside a call, whose records point into it. */
static void trim_cache(struct dir *dir)
{
    size_t drop = 0;
    while (drop < dir->cache.len &&
           (dir->cache.len - drop > CACHE_FOLDERS || dir->cached_files > CACHE_FILES)) {
        dir->cached_files -= dir->cache.items[drop]->listing.files.len;
        cached_free(dir->cache.items[drop++]);
    }
    if (drop == 0)
        return;
    memmove(dir->cache.items, dir->cache.items + drop,
            (dir->cache.len - drop) * sizeof(*dir->cache.items));
    dir->cache.len -= drop;
}

static struct cached *find_cached(struct dir *dir, const char *folder)
{
    for (size_t i = dir->cache.len; i > 0; i--)
        if (strcmp(dir->cache.items[i - 1]->folder, folder) == 0)
            return dir->cache.items[i - 1];
    return NULL;
}

/* Names as early as a recording that reaches into the window can have; the first one behind it is
 * listed too. Local times go back by an hour or two now and then. */
static struct listing_part part_of(const struct dir *dir, const char *folder, int64_t from_us,
                                   int64_t to_us)
{
    struct listing_part part = {0};
    if (!store_lists_parts(dir->store))
        return part;
    template_bound(dir->template, dir->zone, folder, from_us - LOOK_BACK_US - ZONE_REACH_US,
                   part.after);
    template_bound(dir->template, dir->zone, folder, to_us + ZONE_REACH_US, part.until);
    return part;
}

static int refresh(struct dir *dir, struct cached *cached, int64_t from_us, int64_t to_us,
                   struct okno_err *err)
{
    struct listing listing = {0};
    const struct listing_part part = part_of(dir, cached->folder, from_us, to_us);
    int rc = list_folder(dir, cached->folder, &part, &listing, err);
    if (rc < 0)
        return rc;
    cached->part = part.after[0] || part.until[0];
    cached->part_from_us = from_us;
    cached->part_to_us = to_us;
    dir->cached_files -= cached->listing.files.len;
    dir->cached_files += listing.files.len;
    listing_free(&cached->listing);
    cached->listing = listing;
    cached->until_us = okno_time_monotonic() + lifetime_of(&listing);
    return read_names(dir, cached, err);
}

static int add_cached(struct dir *dir, const char *folder, struct cached **ret_cached,
                      struct okno_err *err)
{
    struct cached *cached = calloc(1, sizeof(*cached));
    if (!cached || !(cached->folder = strdup(folder)) || cached_vec_push(&dir->cache, cached) < 0) {
        cached_free(cached);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a folder");
    }
    *ret_cached = cached;
    return 0;
}

/* One call's gathering: the records met so far and the folders they came from. */
struct gathering {
    struct record_vec records;
    int64_t now_us;
    const struct cached **seen; /* owned; parallel to nothing, for "each folder once" */
    size_t seen_count, seen_cap;
};

static bool was_seen(const struct gathering *g, const struct cached *cached)
{
    for (size_t i = g->seen_count; i > 0; i--)
        if (g->seen[i - 1] == cached)
            return true;
    return false;
}

static int mark_seen(struct gathering *g, const struct cached *cached)
{
    if (g->seen_count == g->seen_cap) {
        size_t cap = g->seen_cap ? g->seen_cap * 2 : 32;
        const struct cached **seen = realloc(g->seen, cap * sizeof(const struct cached *));
        if (!seen)
            return OKNO_NO_MEMORY;
        g->seen = seen;
        g->seen_cap = cap;
    }
    g->seen[g->seen_count++] = cached;
    return 0;
}

/* Whether what was listed holds an interval for the channel of now. */
static bool is_enough(const struct dir *dir, const struct cached *cached, int64_t from_us,
                      int64_t to_us)
{
    bool same = cached->channel && strcmp(cached->channel, dir->channel) == 0;
    return !cached->part ||
           (same && cached->part_from_us <= from_us && to_us <= cached->part_to_us);
}

static int gather_folder(struct dir *dir, const char *folder, int64_t from_us, int64_t to_us,
                         struct gathering *g, struct okno_err *err)
{
    struct cached *cached = find_cached(dir, folder);
    int rc = cached ? 0 : add_cached(dir, folder, &cached, err);
    if (rc < 0 || was_seen(g, cached))
        return rc;
    if (cached->until_us <= okno_time_monotonic() || !is_enough(dir, cached, from_us, to_us))
        rc = refresh(dir, cached, from_us, to_us, err);
    else if (!cached->channel || strcmp(cached->channel, dir->channel) != 0)
        rc = read_names(dir, cached, err);
    if (rc == 0)
        rc = mark_seen(g, cached);
    for (size_t i = 0; rc == 0 && i < cached->records.len; i++)
        rc = record_vec_push(&g->records, cached->records.items[i]);
    if (rc < 0)
        return okno_fail(err, rc, "no memory for a list of recordings");
    if (g->records.len > CALL_FILES_MAX)
        return okno_fail(err, OKNO_TOO_LONG, "the interval holds more than %d files; ask for less",
                         CALL_FILES_MAX);
    if (cached->listing.files.len && cached->listing.now_us > g->now_us)
        g->now_us = cached->listing.now_us;
    return 0;
}

static int gather(struct dir *dir, int64_t from_us, int64_t to_us, struct gathering *g,
                  struct okno_err *err)
{
    TEMPLATE_AUTO_FOLDERS folders = {0};
    int rc = template_folders_of(dir->template, dir->zone, from_us, to_us, &folders, err);
    for (size_t i = 0; rc == 0 && i < folders.len; i++)
        rc = gather_folder(dir, folders.items[i], from_us, to_us, g, err);
    return rc;
}

static bool any_before(const struct gathering *g, int64_t us)
{
    for (size_t i = 0; i < g->records.len; i++)
        if (g->records.items[i].at.us[0] <= us)
            return true;
    return false;
}

static bool any_from(const struct gathering *g, int64_t us)
{
    for (size_t i = 0; i < g->records.len; i++)
        if (g->records.items[i].at.us[0] >= us)
            return true;
    return false;
}

/* A recording that covers `from` began before it, perhaps in an earlier folder. */
static int gather_back(struct dir *dir, int64_t from_us, struct gathering *g, struct okno_err *err)
{
    int64_t unit = template_folder_us(dir->template);
    int64_t at = from_us;
    for (int i = 0; unit && i < LOOK_BACK_FOLDERS && !any_before(g, from_us); i++) {
        if (i > 0 && from_us - at >= LOOK_BACK_US)
            break;
        int64_t until = at;
        at = at > unit ? at - unit : 0;
        int rc = gather(dir, at, until, g, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The end of the last recording shows in the next one's name. */
static int gather_on(struct dir *dir, int64_t to_us, struct gathering *g, struct okno_err *err)
{
    int64_t unit = template_folder_us(dir->template);
    if (!unit || any_from(g, to_us) || !any_before(g, to_us - 1) || to_us - unit > g->now_us)
        return 0;
    return gather(dir, to_us, to_us + unit, g, err);
}

/* A doubled hour is told apart by what lies around it. */
static int gather_around_doubled(struct dir *dir, struct gathering *g, struct okno_err *err)
{
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < g->records.len; i++) {
        const struct template_instant *at = &g->records.items[i].at;
        if (at->count != 2)
            continue;
        first = at->us[0] < first ? at->us[0] : first;
        last = at->us[1] > last ? at->us[1] : last;
    }
    if (first == INT64_MAX)
        return 0;
    return gather(dir, first - AMBIGUITY_REACH_US, last + AMBIGUITY_REACH_US, g, err);
}

static int gather_all(struct dir *dir, int64_t from_us, int64_t to_us, struct gathering *g,
                      struct okno_err *err)
{
    int rc = gather(dir, from_us, to_us, g, err);
    if (rc == 0)
        rc = gather_back(dir, from_us, g, err);
    if (rc == 0)
        rc = gather_on(dir, to_us, g, err);
    return rc < 0 ? rc : gather_around_doubled(dir, g, err);
}

/* Names that are later than their first frames: in the middle of what is possible, and said so. */
static void shift_early(const struct dir *dir, struct okno_piece_vec *pieces, size_t first)
{
    for (size_t i = first; i < pieces->len; i++) {
        pieces->items[i].from_us -= dir->early_us / 2;
        pieces->items[i].to_us -= dir->early_us / 2;
        pieces->items[i].error_us += dir->early_us / 2;
    }
}

static int dir_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                      struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct dir *dir = ctx;
    struct gathering g = {0};
    int rc = use_channel(dir, channel, err);
    from_us = from_us < 0 ? 0 : from_us;
    to_us = to_us > LATEST_US ? LATEST_US : to_us;
    if (rc < 0 || to_us <= from_us)
        return rc;
    dir->until_us = okno_time_monotonic() + dir->deadline_us;
    if (dir->outdated)
        forget_listings(dir);
    dir->outdated = false;
    size_t first = pieces->len;
    to_us += dir->early_us;
    rc = gather_all(dir, from_us, to_us, &g, err);
    if (rc == 0) {
        struct order_request request = {from_us, to_us, g.now_us, dir->format};
        rc = order_pieces(&g.records, &request, pieces, err);
        shift_early(dir, pieces, first);
    }
    trim_cache(dir);
    record_vec_free(&g.records);
    free(g.seen);
    return rc;
}

/* Of the folders that were listed for the channel: one whose files do not fit, else how many are
 * empty or not there. */
static void dir_hint(void *ctx, char *ret_text, size_t size)
{
    const struct dir *dir = ctx;
    const struct cached *empty = NULL;
    size_t others = 0;
    for (size_t i = 0; i < dir->cache.len; i++) {
        const struct cached *c = dir->cache.items[i];
        if (!c->channel || strcmp(c->channel, dir->channel) != 0 || c->records.len > 0)
            continue;
        if (c->listing.files.len > 0) {
            (void)snprintf(ret_text, size,
                           "folder \"%.150s\" holds %zu files, but none is named as by %.150s: one "
                           "is %.100s",
                           c->folder, c->listing.files.len, dir->files,
                           c->listing.files.items[c->listing.files.len - 1].name);
            return;
        }
        others += empty != NULL;
        empty = empty ? empty : c;
    }
    if (empty && others == 0)
        (void)snprintf(ret_text, size, "there are no files in folder \"%.150s\"", empty->folder);
    else if (empty)
        (void)snprintf(ret_text, size,
                       "there are no files in folder \"%.150s\" and %zu more that were looked into",
                       empty->folder, others);
}

/* --- reading --- */

static int dir_source(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                      struct okno_err *err)
{
    struct dir *dir = ctx;
    if (!template_is_safe_path(piece->name))
        return okno_fail(err, OKNO_INVALID, "\"%.80s\" is not a file of this archive", piece->name);
    int rc = store_source(dir->store, piece, &dir->outdated, ret_source, err);
    dir->outdated |= rc == OKNO_GONE;
    return rc;
}

/* A recording that covers a moment may have begun an hour before, by its name. */
static void dir_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    (void)ctx;
    *ret_caps = (struct okno_archive_caps){.flags = OKNO_ARCHIVE_RANGES, .look_back_us = HOUR_US};
}

const struct okno_archive_ops archive_dir = {
    .kind = "dir",
    .options = store_options,
    .open = dir_open,
    .close = dir_close,
    .caps = dir_caps,
    .channel = template_channel,
    .pieces = dir_pieces,
    .hint = dir_hint,
    .source = dir_source,
};
