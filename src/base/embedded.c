#define _POSIX_C_SOURCE 200809L
#include "okno/embedded.h"

#include <stdlib.h>
#include <string.h>

const struct okno_ui_file *okno_conf_file(const char *path)
{
    for (const struct okno_ui_file *file = okno_conf_files; file->path; file++)
        if (strcmp(file->path, path) == 0)
            return file;
    return NULL;
}

json_t *okno_conf_json(const char *path)
{
    const struct okno_ui_file *file = okno_conf_file(path);
    json_t *json = NULL;
    if (file)
        json = json_loadb((const char *)file->data, file->len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        abort();
    return json;
}
