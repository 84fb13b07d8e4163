#define _POSIX_C_SOURCE 200809L
#include "store.h"

#include "okno/hash.h"
#include "okno/record.h"

#include <stdio.h>
#include <string.h>

int registry_store_start(const struct okno_import_env *env, void **ret_ctx, struct okno_err *err)
{
    (void)ret_ctx;
    int rc = okno_db_run(env->db, "registry.make_seen", NULL, 0, NULL, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(env->db, "registry.forget_seen", NULL, err,
                         OKNO_INT("import", env->import));
    return rc;
}

/* Digest of the checked values, so that two spellings of one instant are equal. */
static void digest(const struct okno_field *fields, size_t count, const struct okno_value *values,
                   bool only_key, char ret_text[OKNO_SHA256_TEXT])
{
    struct okno_hash hash;
    uint8_t bytes[OKNO_SHA256_BYTES];
    okno_hash_start(&hash);
    for (size_t i = 0; i < count; i++) {
        if (only_key && !fields[i].key)
            continue;
        const char *text = values[i].text ? values[i].text : "\001";
        bool typed = fields[i].type == OKNO_FIELD_TIME || fields[i].type == OKNO_FIELD_INT ||
                     fields[i].type == OKNO_FIELD_BOOL;
        if (typed && values[i].text)
            okno_hash_add(&hash, &values[i].integer, sizeof(values[i].integer));
        else
            okno_hash_add(&hash, text, strlen(text) + 1);
    }
    okno_hash_end(&hash, bytes);
    (void)okno_hash_hex(bytes, ret_text);
}

static int refuse_second(const struct okno_field *fields, size_t count, const char *noun,
                         const struct okno_value *values, struct okno_err *err)
{
    char key[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof(key); i++)
        if (fields[i].key && values[i].text)
            used += (size_t)snprintf(key + used, sizeof(key) - used, "%s%s=%s", used ? " " : "",
                                     fields[i].name, values[i].text);
    return okno_fail(err, OKNO_CONFLICT,
                     "%s %s stands in this import already with other content; the first stays",
                     noun, key);
}

/* 1: this import held the same row; 0: it did not hold the key, now it does. */
static int remember(const struct okno_field *fields, size_t count, const char *noun,
                    const struct okno_import_env *env, const struct okno_value *values,
                    struct okno_err *err)
{
    char key[OKNO_SHA256_TEXT];
    char content[OKNO_SHA256_TEXT];
    OKNO_AUTO_STMT *seen = NULL;
    digest(fields, count, values, true, key);
    digest(fields, count, values, false, content);
    int rc = OKNO_DB_PREPARE(env->db, "registry.find_seen", &seen, err, OKNO_TEXT("key", key));
    if (rc == 0)
        rc = okno_stmt_step(seen, err);
    if (rc < 0)
        return rc;
    if (rc == 1)
        return strcmp(okno_stmt_text(seen, "content"), content) == 0
                   ? 1
                   : refuse_second(fields, count, noun, values, err);
    return OKNO_DB_RUN(env->db, "registry.add_seen", NULL, err, OKNO_INT("import", env->import),
                       OKNO_TEXT("key", key), OKNO_TEXT("content", content));
}

static int add_version(const struct okno_field *fields, size_t count, const char *noun,
                       const struct okno_import_env *env, const struct okno_value *values,
                       struct okno_err *err)
{
    char name[64];
    OKNO_AUTO_STMT *add = NULL;
    (void)snprintf(name, sizeof(name), "registry.add_%s", noun);
    int rc = okno_db_stmt(env->db, name, &add, err);
    if (rc == 0)
        rc = okno_import_bind(fields, count, values, add, err);
    if (rc == 0)
        rc = okno_stmt_bind_int(add, "import", env->import, err);
    return rc < 0 ? rc : okno_stmt_step(add, err);
}

/* 1: the latest version of the key says the same. */
static int is_known(const struct okno_field *fields, size_t count, const char *noun,
                    const struct okno_import_env *env, const struct okno_value *values,
                    struct okno_err *err)
{
    char name[64];
    OKNO_AUTO_STMT *same = NULL;
    (void)snprintf(name, sizeof(name), "registry.same_%s", noun);
    int rc = okno_db_stmt(env->db, name, &same, err);
    if (rc == 0)
        rc = okno_import_bind(fields, count, values, same, err);
    return rc < 0 ? rc : okno_stmt_step(same, err);
}

int registry_store(const struct okno_field *fields, size_t count, const char *noun,
                   const struct okno_import_env *env, const struct okno_value *values,
                   registry_date_fn *date, enum okno_stored *ret_stored, struct okno_err *err)
{
    struct okno_value meant[OKNO_RECORD_FIELDS_MAX];
    struct okno_hours_row hours = {0};
    int known = remember(fields, count, noun, env, values, err);
    memcpy(meant, values, count * sizeof(*values));
    int rc = known == 0 && date ? date(env, meant, &hours, err) : 0;
    if (known == 0 && rc == 0)
        known = is_known(fields, count, noun, env, meant, err);
    if (rc == 0)
        rc = known ? known : add_version(fields, count, noun, env, meant, err);
    if (rc < 0)
        return rc;
    *ret_stored = known ? OKNO_STORED_DUPLICATE : OKNO_STORED_ADDED;
    return 0;
}
