/* Recorders with an HTTP interface, described by profiles: one kind for each of conf/archives, and
 * "profile" for a description of the user's own. They cut what is asked, and send it in one go. */
#define _POSIX_C_SOURCE 200809L
#include "kinds.h"
#include "options.h"
#include "profile.h"
#include "reach.h"
#include "spool.h"
#include "window.h"

#include "okno/embedded.h"
#include "okno/file.h"
#include "okno/net.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 64 * 1024 * 1024, ANSWER_BYTES = 64 * 1024, PROFILE_BYTES = 16 * 1024 };

struct recorder {
    struct profile profile;
    struct okno_net *net;                    /* owned */
    struct okno_zone *zone;                  /* owned */
    char *url, *user, *password, *spool_dir; /* owned; the url without a slash at its end */
    int64_t deadline_us;
    char cookie[256]; /* of the login; "" before */
};

static void recorder_close(void *ctx)
{
    struct recorder *recorder = ctx;
    okno_net_close(recorder->net);
    okno_zone_close(recorder->zone);
    free(recorder->url);
    free(recorder->user);
    free(recorder->password);
    free(recorder->spool_dir);
    free(recorder);
}

/* --- opening ---------------------------------------------------------------------------------- */

static int profile_built_in(const char *kind, struct profile *ret_profile, struct okno_err *err)
{
    char path[80];
    (void)snprintf(path, sizeof(path), "/conf/archives/%s.json", kind);
    const struct okno_ui_file *file = okno_conf_file(path);
    if (file)
        return profile_load((const char *)file->data, file->len, ret_profile, err);
    return okno_fail_field(err, OKNO_UNSUPPORTED, "kind", "there is no profile \"%.40s\"", kind);
}

static int profile_file(const char *path, struct profile *ret_profile, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(PROFILE_BYTES);
    if (okno_file_read(path, &text, NULL) < 0)
        return okno_fail_field(err, OKNO_INVALID, "files",
                               "%s: cannot be read; this kind wants the path of a profile "
                               "there, of at most %d bytes",
                               path[0] ? path : "(empty)", PROFILE_BYTES);
    int rc = profile_load(okno_buf_text(&text), text.len, ret_profile, err);
    if (rc < 0) {
        okno_err_context(err, "%s", path);
        (void)snprintf(err->field, sizeof(err->field), "files");
    }
    return rc;
}

/* What a login gave is sent with each request. */
static int sign(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                struct okno_err *err)
{
    const struct recorder *recorder = ctx;
    (void)method;
    (void)url;
    return recorder->cookie[0] ? okno_buf_printf(lines, err, "Cookie: %s\n", recorder->cookie) : 0;
}

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

static int strings_keep(struct recorder *recorder, const struct okno_archive_config *config,
                        struct okno_err *err)
{
    recorder->url = copy(config->url);
    recorder->user = copy(config->user);
    recorder->password = copy(config->password);
    recorder->spool_dir = copy(config->spool_dir);
    if (!recorder->url || !recorder->user || !recorder->password || !recorder->spool_dir)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    for (size_t len = strlen(recorder->url); len > 0 && recorder->url[len - 1] == '/'; len--)
        recorder->url[len - 1] = '\0';
    return 0;
}

static int fill(struct recorder *recorder, const struct okno_archive_config *config,
                struct okno_budget *budget, struct okno_err *err)
{
    struct okno_err why = {0};
    bool own = strcmp(config->kind, "profile") == 0;
    const char *zone = config->time_zone && config->time_zone[0] ? config->time_zone : "UTC";
    recorder->deadline_us = config->deadline_us > 0 ? config->deadline_us : 30 * OKNO_SECOND_US;
    int rc = strings_keep(recorder, config, err);
    if (rc == 0)
        rc = own ? profile_file(config->files ? config->files : "", &recorder->profile, err)
                 : profile_built_in(config->kind, &recorder->profile, err);
    if (rc == 0 && okno_net_check_url(config->url, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    if (rc == 0 && okno_zone_open(zone, &recorder->zone, &why) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "time_zone", "%s", why.text);
    /* A login that travels in requests or a cookie is not offered a second time as Basic. */
    bool signs = recorder->profile.login[0] && recorder->user && recorder->user[0];
    bool told = recorder->profile.query[0] || profile_tells_password(&recorder->profile);
    const struct okno_net_config base = {
        .sign = signs ? sign : NULL, .sign_ctx = recorder, .hide = told ? config->password : NULL};
    struct okno_archive_config net = *config;
    if (recorder->profile.query[0])
        net.user = net.password = "";
    return rc < 0 ? rc : options_open_net(&net, budget, &base, &recorder->net, err);
}

static int recorder_open(const struct okno_archive_config *config, struct okno_budget *budget,
                         void **ret_ctx, struct okno_err *err)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
    int rc = fill(recorder, config, budget, err);
    if (rc < 0)
        recorder_close(recorder);
    else
        *ret_ctx = recorder;
    return rc;
}

static void recorder_caps(void *ctx, struct okno_archive_caps *ret_caps)
{
    const struct recorder *recorder = ctx;
    const struct profile *profile = &recorder->profile;
    *ret_caps = (struct okno_archive_caps){.flags = profile->clock[0] ? OKNO_ARCHIVE_CLOCK : 0,
                                           .preroll_us = profile->preroll_us,
                                           .max_window_us = profile->max_window_us,
                                           .settle_us = profile->settle_us,
                                           .piece_flags = profile->zero ? OKNO_PIECE_ZERO : 0,
                                           .anchor_error_us = profile->error_us};
    (void)snprintf(ret_caps->format, sizeof(ret_caps->format), "%s", profile->format);
}

/* --- asking ----------------------------------------------------------------------------------- */

static struct profile_values values_of(const struct recorder *recorder, const char *channel,
                                       int64_t from_us, int64_t to_us)
{
    return (struct profile_values){.channel = channel,
                                   .user = recorder->user,
                                   .password = recorder->password,
                                   .zone = recorder->zone,
                                   .from_us = from_us,
                                   .to_us = to_us};
}

static int url_make(const struct recorder *recorder, const char *template,
                    const struct profile_values *values, struct okno_buf *url, struct okno_err *err)
{
    const struct profile *profile = &recorder->profile;
    int rc = okno_buf_add_text(url, recorder->url, err);
    if (rc == 0)
        rc = profile_expand(profile, template, values, PROFILE_PATH, url, err);
    if (rc < 0 || !profile->query[0] || (!recorder->user[0] && !recorder->password[0]))
        return rc;
    rc = okno_buf_add_text(url, strchr(template, '?') ? "&" : "?", err);
    if (rc < 0)
        return rc;
    return profile_expand(profile, profile->query, values, PROFILE_QUERY, url, err);
}

static int log_in(struct recorder *recorder, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(2048);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    struct okno_net_reply reply = {0};
    const struct profile_values values = values_of(recorder, "", 0, 0);
    recorder->cookie[0] = '\0';
    int rc = url_make(recorder, recorder->profile.login, &values, &url, err);
    if (rc == 0)
        rc = profile_expand(&recorder->profile, recorder->profile.login_body, &values, PROFILE_BODY,
                            &body, err);
    const struct okno_net_ask ask = {.method = "POST",
                                     .url = okno_buf_text(&url),
                                     .body = okno_buf_text(&body),
                                     .body_len = body.len,
                                     .content_type = "application/json"};
    if (rc == 0)
        rc = okno_net_request(recorder->net, &ask, &answer, &reply, err);
    if (rc == 0 && !reply.cookie[0])
        return okno_fail(err, OKNO_PROTOCOL, "the login was taken, but gave no cookie");
    if (rc == 0)
        (void)snprintf(recorder->cookie, sizeof(recorder->cookie), "%s", reply.cookie);
    return rc;
}

static bool logs_in(const struct recorder *recorder)
{
    return recorder->profile.login[0] && recorder->user[0];
}

/* Run `again` with a fresh login when the old one is refused; it expires in its own time. */
static int with_login(struct recorder *recorder,
                      int (*again)(struct recorder *, void *, struct okno_err *), void *what,
                      struct okno_err *err)
{
    struct okno_err trouble = {0};
    bool fresh = logs_in(recorder) && !recorder->cookie[0];
    int rc = fresh ? log_in(recorder, err) : 0;
    if (rc < 0)
        return rc;
    rc = again(recorder, what, &trouble);
    if (rc == OKNO_ARCHIVE_AUTH && logs_in(recorder) && !fresh) {
        rc = log_in(recorder, err);
        if (rc < 0)
            return rc;
        trouble = (struct okno_err){0};
        rc = again(recorder, what, &trouble);
    }
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

/* Whether a refusal is this recorder's way to say that nothing is there. */
static bool is_none(int rc, int status)
{
    return (rc == OKNO_NOT_FOUND && status == 404) || (rc == OKNO_ARCHIVE_REFUSED && status == 400);
}

struct listing {
    const char *url;
    struct okno_buf *answer;
};

static int list(struct recorder *recorder, void *what, struct okno_err *err)
{
    const struct listing *listing = what;
    struct okno_net_reply reply = {0};
    bool xml = strcmp(recorder->profile.answer, "xml") == 0;
    const char *const headers[] = {
        xml ? "Accept: application/xml, text/xml" : "Accept: application/json", NULL};
    const struct okno_net_ask ask = {.url = listing->url, .headers = headers};
    return okno_net_request(recorder->net, &ask, listing->answer, &reply, err);
}

/* The list of what is recorded into `answer`; *ret_none when the status says that nothing is. */
static int ask_list(struct recorder *recorder, const struct profile_values *values,
                    struct okno_buf *answer, bool *ret_none, struct okno_err *err)
{
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    struct okno_err trouble = {0};
    int rc = url_make(recorder, recorder->profile.coverage, values, &url, err);
    if (rc < 0)
        return rc;
    struct listing listing = {.url = okno_buf_text(&url), .answer = answer};
    rc = with_login(recorder, list, &listing, &trouble);
    *ret_none = rc < 0 && is_none(rc, recorder->profile.coverage_none);
    return rc < 0 && !*ret_none ? okno_fail_from(err, &trouble) : 0;
}

static int recorder_coverage(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                             struct okno_span_vec *spans, struct okno_err *err)
{
    struct recorder *recorder = ctx;
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(LIST_BYTES);
    bool none = false;
    const struct profile_values values = values_of(recorder, channel, from_us, to_us);
    int rc = ask_list(recorder, &values, &answer, &none, err);
    if (rc < 0 || none)
        return rc;
    return profile_spans(&recorder->profile, okno_buf_text(&answer), answer.len, &values, spans,
                         err);
}

/* --- a row at a time -------------------------------------------------------------------------- */

/* A piece's name is the path that brings it, but for the login. */
static int name_piece(const struct recorder *recorder, const struct profile_row *row,
                      struct profile_values values, struct okno_piece *piece, struct okno_err *err)
{
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(4096);
    values.user = values.password = NULL;
    values.row = row->row;
    values.row_us = row->span.from_us;
    values.from_us = piece->from_us;
    values.to_us = piece->to_us;
    int rc = profile_expand(&recorder->profile, recorder->profile.clip, &values, PROFILE_PATH,
                            &path, err);
    if (rc == 0 && (path.len >= sizeof(piece->name) || strstr(okno_buf_text(&path), "{row.")))
        return okno_fail(err, OKNO_PROTOCOL,
                         "a recording of the list lacks what its address is made of, or that is "
                         "too long: %.120s",
                         okno_buf_text(&path));
    if (rc == 0)
        (void)snprintf(piece->name, sizeof(piece->name), "%s", okno_buf_text(&path));
    return rc;
}

static int pieces_of_row(struct recorder *recorder, const struct profile_row *row,
                         const struct profile_values *values, struct okno_piece_vec *pieces,
                         struct okno_err *err)
{
    struct okno_archive_caps caps;
    struct okno_span span = row->span;
    const struct okno_span_vec one = {.items = &span, .len = 1};
    size_t before = pieces->len;
    recorder_caps(recorder, &caps);
    int rc = window_cut(&one, &caps, values->from_us, values->to_us, pieces, err);
    for (size_t i = before; rc == 0 && i < pieces->len; i++)
        rc = name_piece(recorder, row, *values, &pieces->items[i], err);
    return rc;
}

static int row_pieces(struct recorder *recorder, const struct profile_values *values,
                      struct okno_piece_vec *pieces, struct okno_err *err)
{
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(LIST_BYTES);
    OKNO_AUTO_VEC(profile_row_vec) rows = {0};
    okno_autojson json_t *root = NULL;
    bool none = false;
    int rc = ask_list(recorder, values, &answer, &none, err);
    if (rc < 0 || none)
        return rc;
    rc = profile_rows(&recorder->profile, okno_buf_text(&answer), answer.len, values, &root, &rows,
                      err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++)
        rc = pieces_of_row(recorder, &rows.items[i], values, pieces, err);
    return rc;
}

static int recorder_pieces(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                           struct okno_piece_vec *pieces, struct okno_err *err)
{
    struct recorder *recorder = ctx;
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    struct okno_archive_caps caps;
    const struct profile_values values = values_of(recorder, channel, from_us, to_us);
    if (recorder->profile.by_row)
        return row_pieces(recorder, &values, pieces, err);
    recorder_caps(recorder, &caps);
    int rc = recorder_coverage(ctx, channel, from_us, to_us, &spans, err);
    return rc < 0 ? rc : window_cut(&spans, &caps, from_us, to_us, pieces, err);
}

/* --- fetching --------------------------------------------------------------------------------- */

struct fetching {
    const char *url;
    struct spool *spool;
    struct okno_net_reply reply;
};

static int fetch(struct recorder *recorder, void *what, struct okno_err *err)
{
    struct fetching *fetching = what;
    const struct okno_net_ask ask = {.url = fetching->url};
    return spool_fetch(fetching->spool, recorder->net, &ask, recorder->deadline_us,
                       &fetching->reply, err);
}

static int recorder_source(void *ctx, const struct okno_piece *piece,
                           struct okno_source **ret_source, struct okno_err *err)
{
    struct recorder *recorder = ctx;
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    OKNO_AUTO(spool) *spool = NULL;
    struct okno_err trouble = {0};
    const struct profile_values values =
        values_of(recorder, piece->channel, piece->from_us, piece->to_us);
    const char *path = recorder->profile.by_row ? piece->name : recorder->profile.clip;
    int rc = url_make(recorder, path, &values, &url, err);
    if (rc == 0)
        rc = spool_new(recorder->spool_dir, &spool, err);
    if (rc < 0)
        return rc;
    struct fetching fetching = {.url = okno_buf_text(&url), .spool = spool};
    int64_t requests = okno_net_requests(recorder->net);
    rc = with_login(recorder, fetch, &fetching, &trouble);
    if (rc < 0 && is_none(rc, recorder->profile.clip_none))
        return okno_fail(err, OKNO_GONE, "%s: no longer there", piece->name);
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    const char *type = fetching.reply.content_type;
    if (strncmp(type, "text/", 5) == 0 || strcmp(type, "application/json") == 0)
        return okno_fail(err, OKNO_PROTOCOL, "%s: the recorder sends %s, not a recording",
                         piece->name, type);
    if (spool_size(spool) == 0)
        return okno_fail(err, OKNO_GONE, "%s: the recorder sends nothing", piece->name);
    rc = spool_source(spool, 0, spool_size(spool), okno_net_requests(recorder->net) - requests,
                      ret_source, err);
    if (rc < 0)
        return rc;
    /* At the beginning of a stretch nothing lies before it. */
    (*ret_source)->dated = piece->error_us >= recorder->profile.error_us;
    (*ret_source)->from_us = profile_asked(&recorder->profile, piece->from_us);
    (*ret_source)->error_us = piece->error_us;
    return 0;
}

/* --- its clock -------------------------------------------------------------------------------- */

struct clock_asking {
    const struct okno_net_ask *ask;
    struct okno_buf *answer;
    int64_t begun_us; /* of the question that was answered */
};

static int ask_clock(struct recorder *recorder, void *what, struct okno_err *err)
{
    struct clock_asking *asking = what;
    struct okno_net_reply reply = {0};
    asking->begun_us = okno_time_monotonic();
    return okno_net_request(recorder->net, asking->ask, asking->answer, &reply, err);
}

static int recorder_clock(void *ctx, struct okno_archive_clock *ret_clock, struct okno_err *err)
{
    struct recorder *recorder = ctx;
    const struct profile *profile = &recorder->profile;
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_BYTES);
    okno_autojson json_t *root = NULL;
    const struct profile_values values = values_of(recorder, "", 0, 0);
    int64_t us[2] = {0};
    int count = 0;
    int rc = url_make(recorder, profile->clock, &values, &url, err);
    if (rc == 0)
        rc = profile_expand(profile, profile->clock_body, &values, PROFILE_BODY, &body, err);
    const struct okno_net_ask ask = {.url = okno_buf_text(&url),
                                     .body = okno_buf_text(&body),
                                     .body_len = body.len,
                                     .content_type = "application/json"};
    struct clock_asking asking = {.ask = &ask, .answer = &answer};
    if (rc == 0)
        rc = with_login(recorder, ask_clock, &asking, err);
    struct okno_archive_clock clock = reach_clock(0, asking.begun_us, "recorder");
    if (rc == 0)
        rc = reach_json_read(okno_buf_text(&answer), answer.len, &root, err);
    if (rc < 0)
        return rc;
    const char *told = profile_text_at(root, profile->clock_time);
    rc = reach_time(recorder->zone, told ? told : "", us, &count, err);
    clock.offset_us += us[0];
    if (rc == 0)
        *ret_clock = clock;
    return rc;
}

#define RECORDER(name, word)                                                                       \
    const struct okno_archive_ops name = {.kind = (word),                                          \
                                          .max_parallel = 2,                                       \
                                          .open = recorder_open,                                   \
                                          .close = recorder_close,                                 \
                                          .caps = recorder_caps,                                   \
                                          .coverage = recorder_coverage,                           \
                                          .pieces = recorder_pieces,                               \
                                          .source = recorder_source,                               \
                                          .clock_by_caps = true,                                   \
                                          .clock = recorder_clock};
ARCHIVE_RECORDERS(RECORDER)
#undef RECORDER
