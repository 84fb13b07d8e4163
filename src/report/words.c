#define _POSIX_C_SOURCE 200809L
#include "words.h"

#include "okno/embedded.h"
#include "okno/json.h"
#include "okno/report.h"

#include <pthread.h>
#include <string.h>

static const json_t *catalogue; /* lives as long as the program */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    catalogue = okno_conf_json("/conf/report.json");
}

const char *words_find(const char *lang, const char *key)
{
    (void)pthread_once(&once, load);
    return json_string_value(json_object_get(json_object_get(catalogue, lang), key));
}

bool okno_report_speaks(const char *lang)
{
    (void)pthread_once(&once, load);
    return lang && json_is_object(json_object_get(catalogue, lang));
}
