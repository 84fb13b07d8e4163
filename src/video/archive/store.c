#define _POSIX_C_SOURCE 200809L
#include "store.h"

#include "options.h"
#include "sigv4.h"
#include "source.h"

#include "okno/net.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <sodium/utils.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DEFAULT_DEADLINE_US (30 * OKNO_SECOND_US)

enum { URL_MAX_BYTES = 4000, VALUE_MAX = 256 };

const char *const store_options[] = {"listing",  "endpoint",    "region",   "style",
                                     "hostkey",  "known_hosts", "key_file", "starttls",
                                     "early_ms", "layout",      NULL};

enum place { LOCAL, HTTP, FTP, S3 };

struct store {
    enum place place;
    char *base;           /* owned: local path or URL, without slash at its end and query */
    char *query;          /* owned: "?..." or "" */
    char *prefix;         /* owned; S3: of every key, "" or with a slash at its end */
    struct okno_net *net; /* NULL for a local folder */
    struct okno_budget *budget;
    int64_t deadline_us;
    enum listing_kind listing;
    bool root_seen;
    char key_id[VALUE_MAX], secret[VALUE_MAX], region[64]; /* S3 */
};

/* --- opening --- */

static bool has_scheme(const char *url, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncasecmp(url, scheme, len) == 0 && strncmp(url + len, "://", 3) == 0;
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for an archive");
}

void store_close(struct store *store)
{
    if (!store)
        return;
    okno_net_close(store->net);
    sodium_memzero(store->secret, sizeof(store->secret));
    free(store->base);
    free(store->query);
    free(store->prefix);
    free(store);
}

static int take_option(const struct okno_archive_config *config, const char *name, char *ret_text,
                       size_t size, const char *fallback, struct okno_err *err)
{
    int rc = options_get(config->options, name, ret_text, size, err);
    if (rc == 0 && !ret_text[0])
        (void)snprintf(ret_text, size, "%s", fallback);
    return rc;
}

static int fail_option(const char *name, const char *value, const char *allowed,
                       struct okno_err *err)
{
    return okno_fail_field(err, OKNO_INVALID, "options", "%s=%.60s: allowed are %s", name, value,
                           allowed);
}

static int take_listing(struct store *store, const struct okno_archive_config *config,
                        struct okno_err *err)
{
    static const char *const words[] = {"auto", "json", "html", "webdav"};
    char word[16] = "";
    int rc = take_option(config, "listing", word, sizeof(word), "auto", err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(words); i++)
        if (strcmp(word, words[i]) == 0) {
            store->listing = (enum listing_kind)i;
            return 0;
        }
    return rc < 0 ? rc : fail_option("listing", word, "auto, json, html and webdav", err);
}

/* The URL without what follows the path. */
static int take_base(struct store *store, const char *url, struct okno_err *err)
{
    size_t len = store->place == LOCAL ? strlen(url) : strcspn(url, "?#");
    const char *query = url[len] == '?' ? url + len : "";
    while (len > 0 && url[len - 1] == '/')
        len--;
    store->base = strndup(url, len);
    store->query = strndup(query, strcspn(query, "#"));
    store->prefix = strdup("");
    return store->base && store->query && store->prefix ? 0 : no_memory(err);
}

static int sign(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                struct okno_err *err)
{
    const struct store *store = ctx;
    const struct sigv4 keys = {store->key_id, store->secret, store->region, "s3"};
    return sigv4_sign(&keys, method, url, okno_time_now(), lines, err);
}

/* s3://BUCKET/PREFIX and the options say where that is. */
static int take_bucket(struct store *store, const struct okno_archive_config *config,
                       struct okno_err *err)
{
    char endpoint[VALUE_MAX] = "";
    char style[16] = "";
    char bucket[64];
    char base[2 * VALUE_MAX];
    const char *path = config->url + 5;
    size_t len = strcspn(path, "/");
    int rc = take_option(config, "region", store->region, sizeof(store->region), "us-east-1", err);
    if (rc == 0)
        rc = take_option(config, "endpoint", endpoint, sizeof(endpoint), "", err);
    if (rc == 0)
        rc = take_option(config, "style", style, sizeof(style), endpoint[0] ? "path" : "virtual",
                         err);
    if (rc < 0)
        return rc;
    bool by_path = strcmp(style, "path") == 0;
    if (!by_path && strcmp(style, "virtual") != 0)
        return fail_option("style", style, "path and virtual", err);
    if (len == 0 || len >= sizeof(bucket) || strcspn(path, "?#%") != strlen(path))
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "write s3://BUCKET or s3://BUCKET/PREFIX, unencoded");
    (void)snprintf(bucket, sizeof(bucket), "%.*s", (int)len, path);
    if (!endpoint[0])
        (void)snprintf(endpoint, sizeof(endpoint), "https://s3.%s.amazonaws.com", store->region);
    if (okno_net_check_url(endpoint, NULL) < 0)
        return fail_option("endpoint", endpoint, "an http or https URL", err);
    endpoint[strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/')] = '\0';
    const char *host = strstr(endpoint, "://") + 3;
    if (by_path)
        (void)snprintf(base, sizeof(base), "%s/%s", endpoint, bucket);
    else
        (void)snprintf(base, sizeof(base), "%.*s%s.%s", (int)(host - endpoint), endpoint, bucket,
                       host);
    path += len + (path[len] == '/');
    store->base = strdup(base);
    store->query = strdup("");
    store->prefix = malloc(strlen(path) + 2);
    if (!store->base || !store->query || !store->prefix)
        return no_memory(err);
    (void)snprintf(store->prefix, strlen(path) + 2, "%s%s", path,
                   path[0] && path[strlen(path) - 1] != '/' ? "/" : "");
    return 0;
}

static int open_s3(struct store *store, const struct okno_archive_config *config,
                   struct okno_err *err)
{
    struct okno_net_config net = {.sign = sign, .sign_ctx = store, .explain = listing_explain_s3};
    const char *user = config->user ? config->user : "";
    const char *password = config->password ? config->password : "";
    int rc = take_bucket(store, config, err);
    if (rc < 0)
        return rc;
    bool open_to_all = !user[0] && !password[0];
    if (!open_to_all && (!user[0] || !password[0] || strlen(user) >= sizeof(store->key_id) ||
                         strlen(password) >= sizeof(store->secret)))
        return okno_fail_field(err, OKNO_INVALID, "user",
                               "a bucket takes the access key's id as user and the secret key as "
                               "secret, or neither when it is open to all");
    (void)snprintf(store->key_id, sizeof(store->key_id), "%s", user);
    (void)snprintf(store->secret, sizeof(store->secret), "%s", password);
    if (open_to_all)
        net.sign = NULL;
    return options_open_net(config, store->budget, &net, &store->net, err);
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static int open_ftp(struct store *store, const struct okno_archive_config *config,
                    struct okno_err *err)
{
    char host_key[VALUE_MAX] = "";
    char known_hosts[VALUE_MAX] = "";
    char key_file[VALUE_MAX] = "";
    char starttls[8] = "";
    bool sftp = has_scheme(config->url, "sftp");
    int rc = take_option(config, "hostkey", host_key, sizeof(host_key), "", err);
    if (rc == 0)
        rc = take_option(config, "known_hosts", known_hosts, sizeof(known_hosts), "", err);
    if (rc == 0)
        rc = take_option(config, "key_file", key_file, sizeof(key_file), "", err);
    if (rc == 0)
        rc = take_option(config, "starttls", starttls, sizeof(starttls), "no", err);
    if (rc < 0)
        return rc;
    if (strcmp(starttls, "no") != 0 && strcmp(starttls, "yes") != 0)
        return fail_option("starttls", starttls, "yes and no", err);
    if (sftp && !host_key[0] && !known_hosts[0])
        return okno_fail_field(
            err, OKNO_INVALID, "options",
            "sftp needs hostkey=SHA256:... (ssh-keyscan HOST | ssh-keygen -lf -) "
            "or known_hosts=FILE");
    const char *digest = strncasecmp(host_key, "SHA256:", 7) == 0 ? host_key + 7 : host_key;
    const struct okno_net_config net = {.schemes = "ftp,ftps,sftp",
                                        .host_key = or_null(digest),
                                        .known_hosts = or_null(known_hosts),
                                        .key_file = or_null(key_file),
                                        .starttls = strcmp(starttls, "yes") == 0};
    struct okno_err why = {0};
    if (okno_net_check_scheme(config->url, net.schemes, &why) < 0)
        return okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    rc = take_base(store, config->url, err);
    return rc < 0 ? rc : options_open_net(config, store->budget, &net, &store->net, err);
}

static int open_http(struct store *store, const struct okno_archive_config *config,
                     struct okno_err *err)
{
    struct okno_err why = {0};
    if (okno_net_check_url(config->url, &why) < 0)
        return okno_fail_field(err, OKNO_INVALID, "url", "%s", why.text);
    int rc = take_listing(store, config, err);
    if (rc == 0)
        rc = take_base(store, config->url, err);
    return rc < 0 ? rc : options_open_net(config, store->budget, NULL, &store->net, err);
}

static int open_place(struct store *store, const struct okno_archive_config *config,
                      struct okno_err *err)
{
    const char *url = config->url ? config->url : "";
    if (has_scheme(url, "s3")) {
        store->place = S3;
        return open_s3(store, config, err);
    }
    if (has_scheme(url, "http") || has_scheme(url, "https")) {
        store->place = HTTP;
        return open_http(store, config, err);
    }
    if (has_scheme(url, "ftp") || has_scheme(url, "ftps") || has_scheme(url, "sftp")) {
        store->place = FTP;
        return open_ftp(store, config, err);
    }
    if (strncasecmp(url, "file:///", 8) == 0)
        url += 7;
    if (url[0] != '/')
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "kind dir takes an absolute path, file:///..., http://, https://, "
                               "ftp://, ftps://, sftp:// or s3://");
    return take_base(store, url, err);
}

int store_open(const struct okno_archive_config *config, struct okno_budget *budget,
               struct store **ret_store, struct okno_err *err)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return no_memory(err);
    store->budget = budget;
    store->deadline_us = config->deadline_us > 0 ? config->deadline_us : DEFAULT_DEADLINE_US;
    int rc = open_place(store, config, err);
    if (rc < 0)
        store_close(store);
    else
        *ret_store = store;
    return rc;
}

/* --- places --- */

/* The address of something below the root: a path, or a URL with the query. */
static int place_of(const struct store *store, const char *path, bool folder,
                    struct okno_buf *ret_place, struct okno_err *err)
{
    int rc = okno_buf_printf(ret_place, err, "%s/", store->base);
    if (rc == 0)
        rc = okno_net_encode(ret_place, store->prefix, true, err);
    if (rc == 0)
        rc = store->net ? okno_net_encode(ret_place, path, true, err)
                        : okno_buf_add_text(ret_place, path, err);
    if (rc == 0 && folder && path[0])
        rc = okno_buf_add_text(ret_place, "/", err);
    return rc == 0 && store->net ? okno_buf_add_text(ret_place, store->query, err) : rc;
}

bool store_lists_parts(const struct store *store)
{
    return store->place == S3;
}

static int list_bucket(struct store *store, const char *folder, const struct listing_part *part,
                       struct listing *ret_listing, struct okno_err *err)
{
    OKNO_AUTO_BUF prefix = OKNO_BUF_INIT(URL_MAX_BYTES);
    int rc = okno_buf_printf(&prefix, err, "%s%s%s", store->prefix, folder, folder[0] ? "/" : "");
    return rc < 0 ? rc
                  : listing_read_s3(store->net, store->base, okno_buf_text(&prefix), part,
                                    ret_listing, err);
}

int store_list(struct store *store, const char *folder, const struct listing_part *part,
               int64_t deadline_us, struct listing *ret_listing, struct okno_err *err)
{
    OKNO_AUTO_BUF place = OKNO_BUF_INIT(URL_MAX_BYTES);
    int rc = okno_budget_check(store->budget, "listing the archive's folders", err);
    if (rc == 0)
        rc = place_of(store, folder, true, &place, err);
    if (rc < 0)
        return rc;
    if (store->net)
        okno_net_set_deadline(store->net, deadline_us);
    switch (store->place) {
    case HTTP:
        rc = listing_read_http(store->net, okno_buf_text(&place), store->listing, ret_listing, err);
        break;
    case FTP:
        rc = listing_read_ftp(store->net, okno_buf_text(&place), ret_listing, err);
        break;
    case S3:
        rc = list_bucket(store, folder, part, ret_listing, err);
        break;
    default:
        rc = listing_read_local(okno_buf_text(&place), ret_listing, err);
        break;
    }
    store->root_seen |= rc == 0;
    return rc;
}

/* By what does not depend on the server listing its root. */
static int ask_root(struct store *store, const char *place, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(64 * 1024);
    LISTING_AUTO listing = {0};
    const struct listing_part all = {0};
    struct okno_net_reply reply;
    if (store->place == S3)
        return listing_read_s3(store->net, store->base, "okno-looks-for-the-bucket/", &all,
                               &listing, err);
    if (store->place == FTP)
        return listing_read_ftp(store->net, place, &listing, err);
    return okno_net_get(store->net, place, &body, &reply, err);
}

/* The place to mount at is there without the share, too; then nothing is in it. */
static int check_folder(const char *path, const char *shown, struct okno_err *err)
{
    bool any = false;
    DIR *folder = opendir(path);
    if (!folder && errno == EACCES)
        return 0; /* what lies below may be readable */
    if (!folder)
        return okno_fail(err, OKNO_TRANSIENT, "%s: the archive's root is not there; is it mounted?",
                         shown);
    for (const struct dirent *entry; !any && (entry = readdir(folder));)
        any = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(folder);
    return any ? 0
               : okno_fail(err, OKNO_TRANSIENT, "%s: the archive's root is empty; is it mounted?",
                           shown);
}

int store_check_root(struct store *store, struct okno_err *err)
{
    OKNO_AUTO_BUF place = OKNO_BUF_INIT(URL_MAX_BYTES);
    struct okno_err why = {0};
    if (store->net && store->root_seen)
        return 0;
    int rc = place_of(store, "", true, &place, err);
    if (rc < 0 || !store->net)
        return rc < 0 ? rc : check_folder(okno_buf_text(&place), store->base, err);
    rc = ask_root(store, okno_buf_text(&place), &why);
    if (rc == OKNO_NOT_FOUND)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "%s; that is the archive's root: check its url",
                         why.text);
    if (rc == OKNO_TRANSIENT || rc == OKNO_TIMEOUT || rc == OKNO_ARCHIVE_BUSY ||
        rc == OKNO_CANCELLED || rc == OKNO_ARCHIVE_AUTH)
        return okno_fail_from(err, &why);
    store->root_seen = true;
    return 0;
}

int store_source(struct store *store, const struct okno_piece *piece, bool *gone,
                 struct okno_source **ret_source, struct okno_err *err)
{
    OKNO_AUTO_BUF place = OKNO_BUF_INIT(URL_MAX_BYTES);
    int rc = place_of(store, piece->name, false, &place, err);
    if (rc < 0)
        return rc;
    return store->net ? source_open_http(store->net, okno_buf_text(&place), piece,
                                         store->deadline_us, gone, ret_source, err)
                      : source_open_local(okno_buf_text(&place), piece, ret_source, err);
}
