/* Lists over HTTP: nginx's JSON, index pages, WebDAV. */
#define _POSIX_C_SOURCE 200809L
#include "listing.h"
#include "xml.h"

#include "okno/text.h"
#include "okno/time.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_MAX_BYTES = 32 * 1024 * 1024, /* some 200 bytes a file */
    NAME_MAX_BYTES = 255,
    ROW_MAX_BYTES = 1024 /* behind a link: where its time and size stand */
};

static int hex_of(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a' + 10);
}

/* Undo percent-encoding in place; false for one that is broken or hides a NUL. */
static bool decode_percent(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '%') {
            if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
                return false;
            *to = (char)(hex_of(at[1]) * 16 + hex_of(at[2]));
            at += 2;
            if (!*to)
                return false;
        } else {
            *to = *at;
        }
        to++;
    }
    *to = '\0';
    return true;
}

/* The name of a file that a reference leads to; false for folders, other hosts, queries. */
static bool name_of_reference(const char *reference, bool last_part,
                              char ret_name[NAME_MAX_BYTES + 1])
{
    char text[2048];
    (void)snprintf(text, sizeof(text), "%s", reference);
    if (strlen(reference) >= sizeof(text) || text[strcspn(text, "?#")])
        return false;
    const char *name = text;
    if (last_part) {
        char *slash = strrchr(text, '/');
        name = slash ? slash + 1 : text;
    } else if (strncmp(text, "./", 2) == 0) {
        name = text + 2;
    }
    char copy[2048];
    (void)snprintf(copy, sizeof(copy), "%s", name);
    if (!decode_percent(copy) || !copy[0] || strlen(copy) > NAME_MAX_BYTES || strchr(copy, '/') ||
        (!last_part && strstr(text, "://")))
        return false;
    for (const char *at = copy; *at; at++)
        if ((unsigned char)*at < ' ')
            return false;
    memcpy(ret_name, copy, strlen(copy) + 1); /* its length was looked at */
    return strcmp(copy, ".") != 0 && strcmp(copy, "..") != 0;
}

/* --- index pages --- */

static int month_of(const char *text)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++)
        if (strncasecmp(text, names + 3 * (size_t)i, 3) == 0)
            return i + 1;
    return 0;
}

static int number_at(const char *text, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* "2026-03-10", "2026-Mar-10", "10-Mar-2026" at the beginning of the text: how long it is, 0 when
 * it is none. Nothing is read behind what did not fit. */
static size_t date_at(const char *text, struct okno_civil *ret_civil)
{
    struct okno_civil c = {0};
    size_t len = 0;
    if (number_at(text, 4) > 0 && text[4] == '-') {
        bool word = isalpha((unsigned char)text[5]);
        c.year = number_at(text, 4);
        c.month = word ? month_of(text + 5) : number_at(text + 5, 2);
        len = word ? 8 : 7;
        if (c.month < 1 || text[len] != '-')
            return 0;
        c.day = number_at(text + len + 1, 2);
        len += 3;
    } else if (number_at(text, 2) > 0 && text[2] == '-' && month_of(text + 3) && text[6] == '-') {
        c.day = number_at(text, 2);
        c.month = month_of(text + 3);
        c.year = number_at(text + 7, 4);
        len = 11;
    }
    bool good =
        len > 0 && c.year >= 1970 && c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31;
    if (good)
        *ret_civil = c;
    return good ? len : 0;
}

/* The same with " 14:01" or " 14:01:00" behind it; -1 when it is none. */
static int64_t time_at(const char *text, size_t *ret_len)
{
    struct okno_civil c = {0};
    size_t len = date_at(text, &c);
    if (len == 0 || (text[len] != ' ' && text[len] != 'T'))
        return -1;
    c.hour = number_at(text + len + 1, 2);
    if (c.hour < 0 || c.hour > 23 || text[len + 3] != ':')
        return -1;
    c.minute = number_at(text + len + 4, 2);
    if (c.minute < 0 || c.minute > 59)
        return -1;
    len += 6;
    if (text[len] == ':' && number_at(text + len + 1, 2) >= 0) {
        c.second = number_at(text + len + 1, 2);
        len += 3;
    }
    *ret_len = len;
    return c.second <= 60 ? okno_time_from_civil(&c) : -1;
}

/* Time and size in what stands behind a link: the tags are taken out before. */
static void read_row(const char *row, int64_t *ret_time_us, int64_t *ret_size)
{
    *ret_time_us = *ret_size = -1;
    for (const char *at = row; *at; at++) {
        size_t len = 0;
        int64_t us = time_at(at, &len);
        if (us < 0)
            continue;
        *ret_time_us = us;
        at += len;
        at += strspn(at, " \t\r\n");
        char *end = NULL;
        long long size = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : -1;
        /* "2.9M" is rounded: no size to rely on. */
        if (size >= 0 && (!*end || strchr(" \t\r\n", *end)))
            *ret_size = size;
        return;
    }
}

static void strip_tags(const char *text, size_t len, char *ret_row, size_t size)
{
    size_t used = 0;
    bool tag = false;
    for (size_t i = 0; i < len && used + 2 < size; i++) {
        if (text[i] == '<')
            tag = true;
        if (!tag)
            ret_row[used++] = text[i];
        if (text[i] == '>' && tag) {
            tag = false;
            ret_row[used++] = ' ';
        }
    }
    ret_row[used] = '\0';
}

static const char *find_text(const char *text, const char *end, const char *what)
{
    size_t len = strlen(what);
    for (; text + len <= end; text++)
        if (strncasecmp(text, what, len) == 0)
            return text;
    return NULL;
}

/* The value of href in the tag that begins at `tag`; false when there is none. */
static bool read_href(const char *tag, const char *end, char ret_text[2048])
{
    const char *close = memchr(tag, '>', (size_t)(end - tag));
    const char *href = close ? find_text(tag, close, "href=") : NULL;
    if (!href)
        return false;
    href += 5;
    char quote = *href == '"' || *href == '\'' ? *href++ : '\0';
    const char *stop = quote ? memchr(href, quote, (size_t)(close - href)) : close;
    if (!stop)
        return false;
    xml_decode(href, (size_t)(stop - href), ret_text, 2048);
    return true;
}

static bool is_index_page(const char *text, const char *end)
{
    return find_text(text, end, "<title>Index of") || find_text(text, end, "<h1>Index of") ||
           find_text(text, end, "Directory listing for") || find_text(text, end, "<h2>Index of") ||
           find_text(text, end, "\"listing\"");
}

int listing_parse_html(const char *text, size_t len, const char *shown, int64_t now_us,
                       struct listing *ret_listing, struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = now_us};
    const char *end = text + len;
    if (!is_index_page(text, end))
        return okno_fail(err, OKNO_PROTOCOL,
                         "%s: the answer is a page, and no list of files: a login, perhaps; switch "
                         "on autoindex there (nginx: autoindex on; autoindex_format json)",
                         shown);
    const char *tag = find_text(text, end, "<a ");
    while (tag) {
        char href[2048];
        char name[NAME_MAX_BYTES + 1];
        char row[ROW_MAX_BYTES] = "";
        int64_t time_us = -1;
        int64_t size = -1;
        const char *next = find_text(tag + 3, end, "<a ");
        const char *stop = next ? next : end; /* never further: a page may hold millions of links */
        const char *behind = find_text(tag, stop, "</a>");
        size_t left = behind ? (size_t)(stop - behind) : 0;
        bool good = read_href(tag, stop, href) && name_of_reference(href, false, name);
        if (good && behind) {
            strip_tags(behind, left < 2 * ROW_MAX_BYTES ? left : 2 * ROW_MAX_BYTES, row,
                       sizeof(row));
            read_row(row, &time_us, &size);
        }
        int rc = good ? listing_add_rough(&listing, name, time_us, size, shown, err) : 0;
        if (rc < 0)
            return rc;
        tag = next;
    }
    listing_take(&listing, ret_listing);
    return 0;
}

/* --- WebDAV --- */

struct resource {
    char name[NAME_MAX_BYTES + 1];
    bool file, folder;
    int64_t mtime_us, size;
};

static void read_property(const struct xml *xml, struct resource *r)
{
    if (xml_is(xml, XML_CLOSE, "href")) {
        r->file = name_of_reference(xml->text, true, r->name);
    } else if (xml_is(xml, XML_CLOSE, "getlastmodified")) {
        r->mtime_us = okno_net_date(xml->text);
    } else if (xml_is(xml, XML_CLOSE, "getcontentlength")) {
        char *end = NULL;
        long long size = strtoll(xml->text, &end, 10);
        r->size = end != xml->text && !*end && size >= 0 ? size : -1;
    } else if (xml_is(xml, XML_CLOSE, "collection")) {
        r->folder = true;
    }
}

int listing_parse_dav(const char *text, size_t len, const char *shown, struct listing *ret_listing,
                      struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = okno_time_now()};
    okno_autofree struct xml *xml = malloc(sizeof(*xml));
    struct resource r = {.mtime_us = -1, .size = -1};
    bool seen = false;
    if (!xml)
        return okno_fail(err, OKNO_NO_MEMORY, "%s: no memory for the list of files", shown);
    xml_begin(xml, text, len);
    enum xml_kind kind = XML_BROKEN;
    int rc = 0;
    while (rc == 0 && (kind = xml_next(xml)) != XML_END && kind != XML_BROKEN) {
        seen |= kind == XML_OPEN && xml->depth == 1 && xml_is(xml, kind, "multistatus");
        if (kind == XML_OPEN && xml_is(xml, kind, "response"))
            r = (struct resource){.mtime_us = -1, .size = -1};
        if (kind != XML_CLOSE)
            continue;
        read_property(xml, &r);
        if (xml_is(xml, kind, "response") && r.file && !r.folder)
            rc = listing_add(&listing, r.name, r.mtime_us, r.size, shown, err);
    }
    if (rc < 0)
        return rc;
    if (kind == XML_BROKEN || !seen)
        return okno_fail(err, OKNO_PROTOCOL, "%s: the answer to PROPFIND is no WebDAV list", shown);
    listing_take(&listing, ret_listing);
    return 0;
}

static int read_dav(struct okno_net *net, const char *url, struct okno_buf *body,
                    struct okno_net_reply *ret_reply, struct okno_err *err)
{
    static const char ask_for[] =
        "<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/>"
        "<getcontentlength/><getlastmodified/></prop></propfind>";
    static const char *const headers[] = {"Depth: 1", NULL};
    const struct okno_net_ask ask = {.method = "PROPFIND",
                                     .url = url,
                                     .headers = headers,
                                     .body = ask_for,
                                     .body_len = sizeof(ask_for) - 1,
                                     .content_type = "application/xml"};
    return okno_net_request(net, &ask, body, ret_reply, err);
}

/* --- all of them --- */

static int parse_any(const struct okno_buf *body, enum listing_kind kind, const char *shown,
                     int64_t now_us, struct listing *ret_listing, struct okno_err *err)
{
    const char *text = okno_buf_text(body);
    bool page = text[strspn(text, " \t\r\n")] == '<';
    if (kind == LISTING_WEBDAV)
        return listing_parse_dav(text, body->len, shown, ret_listing, err);
    if (kind == LISTING_HTML || (kind == LISTING_AUTO_KIND && page))
        return listing_parse_html(text, body->len, shown, now_us, ret_listing, err);
    return listing_parse(text, body->len, shown, ret_listing, err);
}

int listing_read_http(struct okno_net *net, const char *url, enum listing_kind kind,
                      struct listing *ret_listing, struct okno_err *err)
{
    char shown[256] = "";
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(BODY_MAX_BYTES);
    struct okno_net_reply reply;
    int rc = kind == LISTING_WEBDAV ? read_dav(net, url, &body, &reply, err)
                                    : okno_net_get(net, url, &body, &reply, err);
    if (rc < 0)
        return rc;
    (void)okno_net_shown(url, shown, sizeof(shown));
    int64_t now_us = reply.date_us >= 0 ? reply.date_us : okno_time_now();
    rc = parse_any(&body, kind, shown, now_us, ret_listing, err);
    if (rc == 0)
        ret_listing->now_us = now_us;
    return rc;
}
