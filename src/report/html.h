/* Inside the HTML writer only. */
#ifndef OKNO_REPORT_HTML_H
#define OKNO_REPORT_HTML_H

#include "document.h"

struct html {
    const json_t *document;
    const char *lang;
    struct okno_buf *to;
    struct okno_err *err;
    int rc; /* the first failure; everything after it writes nothing */
};

void html_raw(struct html *html, const char *text);
/* Escaped for texts and for quoted attributes; control characters that HTML forbids become U+FFFD.
 */
void html_text(struct html *html, const char *text);
void html_print(struct html *html, const char *fmt, ...) OKNO_PRINTF(2, 3);
const char *html_word(const struct html *html, const char *name);

/* Charts as inline SVG. */
void html_forest(struct html *html, const json_t *block);
void html_bars(struct html *html, const json_t *block);

#endif
