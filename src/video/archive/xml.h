/* XML as recorders and file servers send it, read forward without building a tree: names without
 * their prefixes, text with its entities decoded. No DTD, so nothing is expanded. Pure. Private to
 * video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_XML_H
#define OKNO_VIDEO_ARCHIVE_XML_H

#include "okno/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { XML_DEPTH = 32, XML_NAME = 64, XML_TEXT = 2048, XML_ATTRIBUTES = 1024 };

enum xml_kind { XML_OPEN, XML_CLOSE, XML_END, XML_BROKEN };

struct xml {
    const char *at, *end;
    int depth;
    char path[XML_DEPTH][XML_NAME];  /* names of the open elements, the outermost first */
    char text[XML_TEXT];             /* what stood directly before the last item; cut when longer */
    char attributes[XML_ATTRIBUTES]; /* of the last XML_OPEN, raw; cut when longer */
    bool closing;                    /* <a/>: the close comes next */
};

void xml_begin(struct xml *xml, const char *text, size_t len);

/* The next tag. After XML_OPEN the element is the innermost one of `path`; after XML_CLOSE it was,
 * and still stands at path[depth], its text (when it had no children) in `text`. */
enum xml_kind xml_next(struct xml *xml);

/* Whether the innermost element (after a close: the one just closed) has that name. */
bool xml_is(const struct xml *xml, enum xml_kind kind, const char *name);

/* An attribute of the last XML_OPEN, decoded; false when it has none of that name. */
bool xml_attribute(const struct xml *xml, const char *name, char *ret_text, size_t size);

/* The next of raw attributes, decoded, its name without a prefix; *at moves on. False at the end.
 */
bool xml_attribute_next(const char **at, char *ret_name, size_t name_size, char *ret_text,
                        size_t size);

/* Append text as it stands inside an element. */
OKNO_CHECK int xml_add(struct okno_buf *into, const char *text, struct okno_err *err);

/* Decode &amp; &lt; &gt; &quot; &apos; &#NN; &#xHH; into ret_text, cut when longer. Also for HTML.
 */
void xml_decode(const char *text, size_t len, char *ret_text, size_t size);

#endif
