/* Inside the report room: the texts of reports, from conf/report.json. */
#ifndef OKNO_REPORT_WORDS_H
#define OKNO_REPORT_WORDS_H

#include <stdbool.h>

/* A text by its key in a language; NULL for a key that has none. Lives as long as the program. */
const char *words_find(const char *lang, const char *key);

#endif
