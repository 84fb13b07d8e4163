#include "xml.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void xml_begin(struct xml *xml, const char *text, size_t len)
{
    memset(xml, 0, sizeof(*xml));
    xml->at = text;
    xml->end = text + len;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* An entity at text ("&...;"): its bytes into out, its length through ret_len; 0 when it is none.
 */
static size_t take_entity(const char *text, size_t len, char out[4], size_t *ret_len)
{
    static const struct {
        const char *name;
        char byte;
    } rows[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].name);
        if (len >= n && memcmp(text, rows[i].name, n) == 0) {
            out[0] = rows[i].byte;
            *ret_len = n;
            return 1;
        }
    }
    if (len < 4 || text[1] != '#')
        return 0;
    bool hex = text[2] == 'x' || text[2] == 'X';
    uint32_t value = 0;
    size_t at = hex ? 3 : 2;
    size_t first = at;
    for (; at < len && at < first + 8 && isxdigit((unsigned char)text[at]); at++) {
        if (!hex && !isdigit((unsigned char)text[at]))
            return 0;
        int digit = isdigit((unsigned char)text[at]) ? text[at] - '0'
                                                     : tolower((unsigned char)text[at]) - 'a' + 10;
        value = value * (hex ? 16 : 10) + (uint32_t)digit;
    }
    bool surrogate = value >= 0xd800 && value < 0xe000;
    if (at == first || at >= len || text[at] != ';' || value == 0 || value > 0x10ffff || surrogate)
        return 0;
    *ret_len = at + 1;
    return put_utf8(value, out);
}

void xml_decode(const char *text, size_t len, char *ret_text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        char bytes[4] = {text[i]};
        size_t taken = 1;
        size_t count = text[i] == '&' ? take_entity(text + i, len - i, bytes, &taken) : 1;
        if (count == 0) { /* a lone ampersand */
            count = 1;
            taken = 1;
        }
        if (used + count >= size)
            break;
        memcpy(ret_text + used, bytes, count);
        used += count;
        i += taken;
    }
    ret_text[used] = '\0';
}

static const char *find(const struct xml *xml, const char *from, const char *what)
{
    size_t len = strlen(what);
    for (const char *at = from; at + len <= xml->end; at++)
        if (memcmp(at, what, len) == 0)
            return at;
    return NULL;
}

static bool begins(const struct xml *xml, const char *what)
{
    size_t len = strlen(what);
    return (size_t)(xml->end - xml->at) >= len && memcmp(xml->at, what, len) == 0;
}

/* The name at `at` without its prefix; its end. */
static const char *take_name(const struct xml *xml, const char *at, char ret_name[XML_NAME])
{
    const char *begin = at;
    while (at < xml->end && !strchr(" \t\r\n/>=", *at) && *at)
        if (*at++ == ':')
            begin = at;
    size_t len = (size_t)(at - begin);
    if (len == 0 || len >= XML_NAME)
        return NULL;
    memcpy(ret_name, begin, len);
    ret_name[len] = '\0';
    return at;
}

static enum xml_kind take_open(struct xml *xml)
{
    char quote = '\0';
    if (xml->depth == XML_DEPTH)
        return XML_BROKEN;
    const char *at = take_name(xml, xml->at + 1, xml->path[xml->depth]);
    const char *begin = at;
    while (at && at < xml->end && (quote || *at != '>')) {
        if (quote)
            quote = *at == quote ? '\0' : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        at++;
    }
    if (!at || at >= xml->end)
        return XML_BROKEN;
    size_t len = (size_t)(at - begin);
    xml->closing = len > 0 && at[-1] == '/';
    len = len - xml->closing < XML_ATTRIBUTES ? len - xml->closing : XML_ATTRIBUTES - 1;
    memcpy(xml->attributes, begin, len);
    xml->attributes[len] = '\0';
    xml->at = at + 1;
    xml->depth++;
    return XML_OPEN;
}

static enum xml_kind take_close(struct xml *xml)
{
    char name[XML_NAME];
    const char *at = take_name(xml, xml->at + 2, name);
    while (at && at < xml->end && strchr(" \t\r\n", *at))
        at++;
    if (!at || at >= xml->end || *at != '>' || xml->depth == 0 ||
        strcmp(name, xml->path[xml->depth - 1]) != 0)
        return XML_BROKEN;
    xml->at = at + 1;
    xml->depth--;
    return XML_CLOSE;
}

/* Over declarations and comments; NULL at what may not be there. */
static const char *skip_special(const struct xml *xml)
{
    const char *end = NULL;
    size_t len = 0;
    if (begins(xml, "<!--")) {
        end = find(xml, xml->at + 4, "-->");
        len = 3;
    } else if (begins(xml, "<?")) {
        end = find(xml, xml->at + 2, "?>");
        len = 2;
    }
    return end ? end + len : NULL;
}

static void take_text(struct xml *xml, const char *to)
{
    xml_decode(xml->at, (size_t)(to - xml->at), xml->text, sizeof(xml->text));
    xml->at = to;
}

enum xml_kind xml_next(struct xml *xml)
{
    if (xml->closing) {
        xml->closing = false;
        xml->text[0] = '\0';
        xml->depth--;
        return XML_CLOSE;
    }
    for (xml->text[0] = '\0'; xml->at < xml->end;) {
        const char *tag = memchr(xml->at, '<', (size_t)(xml->end - xml->at));
        if (!tag)
            break;
        if (tag > xml->at)
            take_text(xml, tag);
        if (begins(xml, "<![CDATA[")) {
            const char *end = find(xml, xml->at, "]]>");
            if (!end)
                return XML_BROKEN;
            size_t len = (size_t)(end - xml->at) - 9;
            len = len < sizeof(xml->text) ? len : sizeof(xml->text) - 1;
            memcpy(xml->text, xml->at + 9, len);
            xml->text[len] = '\0';
            xml->at = end + 3;
            if (begins(xml, "</"))
                return take_close(xml);
            continue;
        }
        if (begins(xml, "<!--") || begins(xml, "<?")) {
            const char *next = skip_special(xml);
            if (!next)
                return XML_BROKEN;
            xml->at = next;
            continue;
        }
        if (begins(xml, "<!"))
            return XML_BROKEN;
        return begins(xml, "</") ? take_close(xml) : take_open(xml);
    }
    return xml->depth == 0 ? XML_END : XML_BROKEN;
}

bool xml_is(const struct xml *xml, enum xml_kind kind, const char *name)
{
    int at = kind == XML_OPEN ? xml->depth - 1 : xml->depth;
    return at >= 0 && at < XML_DEPTH && strcmp(xml->path[at], name) == 0;
}

bool xml_attribute_next(const char **at, char *ret_name, size_t name_size, char *ret_text,
                        size_t size)
{
    const char *from = *at + strspn(*at, " \t\r\n");
    size_t len = strcspn(from, "= \t\r\n");
    const char *value = from + len + strspn(from + len, " \t\r\n");
    if (len == 0 || *value != '=')
        return false;
    value++;
    value += strspn(value, " \t\r\n");
    const char *end = *value == '"' || *value == '\'' ? strchr(value + 1, *value) : NULL;
    if (!end)
        return false;
    const char *local = memchr(from, ':', len);
    local = local ? local + 1 : from;
    (void)snprintf(ret_name, name_size, "%.*s", (int)(from + len - local), local);
    xml_decode(value + 1, (size_t)(end - value - 1), ret_text, size);
    *at = end + 1;
    return true;
}

bool xml_attribute(const struct xml *xml, const char *name, char *ret_text, size_t size)
{
    char found[XML_NAME];
    for (const char *at = xml->attributes;
         xml_attribute_next(&at, found, sizeof(found), ret_text, size);)
        if (strcmp(name, found) == 0)
            return true;
    return false;
}

int xml_add(struct okno_buf *into, const char *text, struct okno_err *err)
{
    int rc = 0;
    for (; rc == 0 && *text; text++)
        rc = *text == '&'   ? okno_buf_add_text(into, "&amp;", err)
             : *text == '<' ? okno_buf_add_text(into, "&lt;", err)
                            : okno_buf_add(into, text, 1, err);
    return rc;
}
