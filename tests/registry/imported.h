/* Facts for tests of the registry: texts imported through the real engine. */
#ifndef OKNO_TESTS_REGISTRY_IMPORTED_H
#define OKNO_TESTS_REGISTRY_IMPORTED_H

#include "okno/conf.h"
#include "okno/import.h"

#include <string.h>

/* Rejections of the last import, as `LINE code;`. */
struct imported {
    struct okno_import_result result;
    char rejected[4096];
    struct okno_err first; /* the first rejection, whole */
};

static inline void imported_reject(void *ctx, const char *file, int64_t line,
                                   const struct okno_err *why)
{
    struct imported *got = ctx;
    size_t used = strlen(got->rejected);
    (void)file;
    (void)snprintf(got->rejected + used, sizeof(got->rejected) - used, "%d %s;", (int)line,
                   okno_code_info(why->code)->name);
    if (!got->first.code)
        got->first = *why;
}

static inline const struct okno_import_kind *imported_kind(const char *name)
{
    size_t count;
    const struct okno_import_kind *kinds = okno_registry_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(kinds[i].kind, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Import a text as a file of that kind. Returns okno_import_file's code. */
static inline int import_as(struct okno_db *db, const struct okno_import_kind *kind,
                            const char *text, struct imported *ret_got, struct okno_err *err)
{
    char path[] = "/tmp/okno-import-XXXXXX";
    struct okno_conf conf;
    okno_conf_defaults(&conf);
    *ret_got = (struct imported){0};
    struct okno_import_job job = {.db = db,
                                  .conf = &conf,
                                  .kind = kind,
                                  .author = "test",
                                  .rejected = imported_reject,
                                  .ctx = ret_got};
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        return okno_fail(err, OKNO_IO, "cannot write %s", path);
    int rc = okno_import_file(&job, path, &ret_got->result, err);
    (void)unlink(path);
    return rc;
}

#endif
