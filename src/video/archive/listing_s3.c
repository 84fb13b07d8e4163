/* Lists of a bucket: ListObjectsV2, page after page. */
#define _POSIX_C_SOURCE 200809L
#include "listing.h"
#include "xml.h"

#include "okno/time.h"

#include <string.h>

enum { PAGE_MAX_BYTES = 8 * 1024 * 1024, PAGES_MAX = 1000, NAME_MAX_BYTES = 255 };

struct object {
    char key[1100];
    int64_t mtime_us, size;
};

static void read_field(const struct xml *xml, struct object *o, char *more, bool *truncated)
{
    if (xml_is(xml, XML_CLOSE, "Key") && xml->depth == 2) {
        (void)snprintf(o->key, sizeof(o->key), "%.1099s", xml->text);
    } else if (xml_is(xml, XML_CLOSE, "LastModified") && xml->depth == 2) {
        if (okno_time_parse(xml->text, &o->mtime_us, NULL) < 0)
            o->mtime_us = -1;
    } else if (xml_is(xml, XML_CLOSE, "Size") && xml->depth == 2) {
        char *end = NULL;
        long long size = strtoll(xml->text, &end, 10);
        o->size = end != xml->text && !*end && size >= 0 ? size : -1;
    } else if (xml_is(xml, XML_CLOSE, "NextContinuationToken") && xml->depth == 1) {
        (void)snprintf(more, 1024, "%.1023s", xml->text);
    } else if (xml_is(xml, XML_CLOSE, "IsTruncated") && xml->depth == 1) {
        *truncated = strcmp(xml->text, "true") == 0;
    }
}

/* Its name below the prefix; NULL for what lies elsewhere or deeper. */
static const char *name_below(const char *key, const char *prefix)
{
    size_t len = strlen(prefix);
    const char *name = strncmp(key, prefix, len) == 0 ? key + len : "";
    return name[0] && !strchr(name, '/') && strlen(name) <= NAME_MAX_BYTES ? name : NULL;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Keys come with encoding-type=url: any byte can be in them. */
static void decode_key(char *key)
{
    char *to = key;
    for (const char *at = key; *at; at++, to++) {
        int high = *at == '%' ? hex_of(at[1]) : -1;
        int low = high >= 0 ? hex_of(at[2]) : -1;
        *to = *at == '+' ? ' ' : *at;
        if (low >= 0 && high + low > 0) {
            *to = (char)(high * 16 + low);
            at += 2;
        }
    }
    *to = '\0';
}

int listing_parse_s3(const char *text, size_t len, const char *shown, const char *prefix,
                     struct listing *listing, char ret_more[1024], struct okno_err *err)
{
    okno_autofree struct xml *xml = malloc(sizeof(*xml));
    struct object o = {0};
    bool seen = false;
    bool truncated = false;
    char more[1024] = "";
    enum xml_kind kind = XML_BROKEN;
    int rc = 0;
    if (!xml)
        return okno_fail(err, OKNO_NO_MEMORY, "%s: no memory for the list of objects", shown);
    xml_begin(xml, text, len);
    while (rc == 0 && (kind = xml_next(xml)) != XML_END && kind != XML_BROKEN) {
        seen |= kind == XML_OPEN && xml->depth == 1 && xml_is(xml, kind, "ListBucketResult");
        if (kind == XML_OPEN && xml_is(xml, kind, "Contents"))
            o = (struct object){.mtime_us = -1, .size = -1};
        if (kind != XML_CLOSE)
            continue;
        read_field(xml, &o, more, &truncated);
        if (!xml_is(xml, kind, "Contents") || xml->depth != 1)
            continue;
        decode_key(o.key);
        const char *name = name_below(o.key, prefix);
        if (name)
            rc = listing_add(listing, name, o.mtime_us, o.size, shown, err);
    }
    if (rc < 0)
        return rc;
    if (kind == XML_BROKEN || !seen || (truncated && !more[0]))
        return okno_fail(err, OKNO_PROTOCOL, "%s: the answer is no list of objects", shown);
    (void)snprintf(ret_more, 1024, "%s", truncated ? more : "");
    return 0;
}

/* --- refusals --------------------------------------------------------------------------------- */

/* What a refusal says: words of the store, shown only where they are plain. */
struct refusal {
    char code[64], region[64], endpoint[256], time[40], message[200];
};

#define PLAIN "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.:_"

static void keep_word(const struct xml *xml, const char *name, const char *plain, char *into,
                      size_t size)
{
    if (xml_is(xml, XML_CLOSE, name) && xml->depth == 1 && strlen(xml->text) < size &&
        xml->text[strspn(xml->text, plain)] == '\0')
        (void)snprintf(into, size, "%s", xml->text);
}

static void read_refusal(const char *answer, size_t len, struct refusal *ret_refusal)
{
    okno_autofree struct xml *xml = malloc(sizeof(*xml));
    struct refusal said = {0};
    enum xml_kind kind = XML_OPEN;
    if (xml)
        xml_begin(xml, answer, len);
    while (xml && ((kind = xml_next(xml)) == XML_OPEN || kind == XML_CLOSE)) {
        if (kind != XML_CLOSE)
            continue;
        keep_word(xml, "Code", PLAIN, said.code, sizeof(said.code));
        keep_word(xml, "Message", PLAIN " ,;()'/", said.message, sizeof(said.message));
        keep_word(xml, "Region", PLAIN, said.region, sizeof(said.region));
        keep_word(xml, "Endpoint", PLAIN, said.endpoint, sizeof(said.endpoint));
        keep_word(xml, "ServerTime", PLAIN, said.time, sizeof(said.time));
    }
    if (xml && kind == XML_END)
        *ret_refusal = said;
}

/* What to do about it, by the reason that the store gives; a status alone says little. */
static int fail_refused(const char *answer, size_t len, bool list, const char *shown,
                        const struct okno_err *why, struct okno_err *err)
{
    const struct {
        const char *code;
        int rc;
        const char *advice;
    } rows[] = {
        {"SignatureDoesNotMatch", OKNO_ARCHIVE_AUTH,
         "the secret is not that of the access key in user"},
        {"InvalidAccessKeyId", OKNO_ARCHIVE_AUTH, "the store does not know the access key in user"},
        {"AccessDenied", OKNO_ARCHIVE_AUTH,
         list ? "the access key may not list the bucket: it needs s3:ListBucket on it and "
                "s3:GetObject on what is in it"
              : "the access key may not read this object: it needs s3:GetObject on what is in the "
                "bucket, and the key that it is encrypted with, if it is"},
        {"InvalidObjectState", OKNO_ARCHIVE_REFUSED,
         "the object lies in cold storage: restore it there, and keep recordings in a class that "
         "is read at once"},
        {"NoSuchBucket", OKNO_ARCHIVE_REFUSED, "there is no such bucket: check url and endpoint"},
    };
    struct refusal said = {0};
    char now[OKNO_TIME_TEXT];
    char words[280];
    read_refusal(answer, len, &said);
    (void)snprintf(words, sizeof(words), "%s%s%s", said.code, said.message[0] ? ": " : "",
                   said.message);
    for (size_t i = 0; i < OKNO_COUNT(rows); i++)
        if (strcmp(said.code, rows[i].code) == 0)
            return okno_fail(err, rows[i].rc, "%s: %s (%s)", shown, rows[i].advice, words);
    if (strcmp(said.code, "RequestTimeTooSkewed") == 0)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED,
                         "%s: the clocks are too far apart: here it is %s, the store says %s; set "
                         "the wrong one (%s)",
                         shown, okno_time_format(okno_time_now(), now),
                         said.time[0] ? said.time : "another time", words);
    if (said.region[0])
        return okno_fail(err, OKNO_ARCHIVE_REFUSED,
                         "%s: the bucket lies in another region: say region=%s in the options (%s)",
                         shown, said.region, words);
    if (said.endpoint[0])
        return okno_fail(err, OKNO_ARCHIVE_REFUSED,
                         "%s: the bucket is reached elsewhere: say the region or the endpoint that "
                         "leads to %s in the options (%s)",
                         shown, said.endpoint, words);
    if (said.code[0])
        return okno_fail(err, why->code, "%s; the store says %s", why->text, words);
    return okno_fail_from(err, why);
}

int listing_explain_s3(const char *body, size_t len, const char *shown, const struct okno_err *why,
                       struct okno_err *err)
{
    return fail_refused(body, len, false, shown, why, err);
}

static int ask_page(struct okno_net *net, const char *url, const char *shown, struct okno_buf *body,
                    struct okno_net_reply *reply, struct okno_err *err)
{
    const struct okno_net_ask ask = {.url = url};
    struct okno_err trouble = {0};
    int rc = okno_net_request(net, &ask, body, reply, &trouble);
    if (rc == OKNO_ARCHIVE_AUTH || rc == OKNO_ARCHIVE_REFUSED || rc == OKNO_NOT_FOUND)
        return fail_refused(okno_buf_text(body), body->len, true, shown, &trouble, err);
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

/* --- pages ------------------------------------------------------------------------------------ */

static int add_parameter(struct okno_buf *url, const char *name, const char *value,
                         struct okno_err *err)
{
    int rc = okno_buf_printf(url, err, "&%s=", name);
    return rc < 0 ? rc : okno_net_encode(url, value, false, err);
}

/* A list begins behind the key that `after` makes, so that it needs no way to it. */
static int add_after(struct okno_buf *url, const char *prefix, const char *after,
                     struct okno_err *err)
{
    int rc = add_parameter(url, "start-after", prefix, err);
    return rc < 0 ? rc : okno_net_encode(url, after, false, err);
}

static bool is_past(const struct listing *listing, const char *until)
{
    const char *last =
        listing->files.len ? listing->files.items[listing->files.len - 1].name : until;
    return until[0] && strcmp(last, until) > 0 && strncmp(last, until, strlen(until)) != 0;
}

static int page_url(const char *base, const char *prefix, const char *after, const char *more,
                    struct okno_buf *url, struct okno_err *err)
{
    okno_buf_reset(url);
    int rc = okno_buf_printf(url, err, "%s/?list-type=2&delimiter=%%2F&encoding-type=url", base);
    if (rc == 0 && prefix[0])
        rc = add_parameter(url, "prefix", prefix, err);
    if (rc == 0 && more[0])
        rc = add_parameter(url, "continuation-token", more, err);
    else if (rc == 0 && after[0])
        rc = add_after(url, prefix, after, err);
    return rc;
}

int listing_read_s3(struct okno_net *net, const char *base, const char *prefix,
                    const struct listing_part *part, struct listing *ret_listing,
                    struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = okno_time_now()};
    OKNO_AUTO_BUF url = OKNO_BUF_INIT(4000);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(PAGE_MAX_BYTES);
    char shown[256] = "";
    char more[1024] = "";
    char before[1024] = "";
    for (int page = 0; page < PAGES_MAX; page++) {
        struct okno_net_reply reply = {.date_us = -1};
        int rc = page_url(base, prefix, part->after, more, &url, err);
        (void)okno_net_shown(okno_buf_text(&url), shown, sizeof(shown));
        if (rc == 0)
            rc = ask_page(net, okno_buf_text(&url), shown, &body, &reply, err);
        if (rc == 0)
            rc = listing_parse_s3(okno_buf_text(&body), body.len, shown, prefix, &listing, more,
                                  err);
        if (rc == 0 && more[0] && strcmp(more, before) == 0)
            rc = okno_fail(err, OKNO_PROTOCOL, "%s: the list of objects begins anew", shown);
        if (rc < 0)
            return rc;
        memcpy(before, more, sizeof(before));
        if (reply.date_us >= 0)
            listing.now_us = reply.date_us;
        if (!more[0] || is_past(&listing, part->until)) {
            listing_take(&listing, ret_listing);
            return 0;
        }
    }
    return okno_fail(err, OKNO_TOO_LARGE, "%s: more than %d pages of objects", shown, PAGES_MAX);
}
