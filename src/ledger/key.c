#define _POSIX_C_SOURCE 200809L
/* What lies beside the database: the key, and the mark of the newest checkpoint handed out. */
#include "ledger.h"

#include "okno/file.h"
#include "okno/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1200, MARK_BYTES = 256 };

static int make_dir(const char *data_dir, struct okno_err *err)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/keys", data_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    return 0;
}

/* A whole small file; OKNO_NOT_FOUND without one. */
static int read_small(const char *path, char *ret_text, size_t size, struct okno_err *err)
{
    size_t len = 0;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    for (;;) {
        ssize_t got = read(fd, ret_text + len, size - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            break;
        len += (size_t)got;
        if (len == size - 1)
            return okno_fail(err, OKNO_MALFORMED, "%s is too long", path);
    }
    ret_text[len] = '\0';
    return 0;
}

static int sync_dir(const char *data_dir, struct okno_err *err)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/keys", data_dir);
    return okno_dir_sync(path, err);
}

static int write_small(const char *data_dir, const char *name, const char *text,
                       struct okno_err *err)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/keys/%s", data_dir, name);
    int rc = make_dir(data_dir, err);
    return rc < 0 ? rc : okno_file_put(path, 0600, text, strlen(text), err);
}

/* A file of that name is left alone: another process made it. */
static int write_fresh(const char *data_dir, const char *name, const char *text,
                       struct okno_err *err)
{
    char path[PATH_BYTES];
    char temp[PATH_BYTES];
    char temp_name[64];
    (void)snprintf(temp_name, sizeof(temp_name), "%.40s.%ld", name, (long)getpid());
    (void)snprintf(path, sizeof(path), "%s/keys/%s", data_dir, name);
    (void)snprintf(temp, sizeof(temp), "%s/keys/%s", data_dir, temp_name);
    int rc = write_small(data_dir, temp_name, text, err);
    if (rc == 0 && link(temp, path) < 0 && errno != EEXIST)
        rc = okno_fail_errno(err, errno, "cannot make %s", path);
    (void)unlink(temp);
    return rc < 0 ? rc : sync_dir(data_dir, err);
}

/* ---- the key ---- */

/* A name by chance: two data directories are two logs. */
static int make_key(const char *data_dir, const char *file, struct okno_err *err)
{
    uint8_t seed[32];
    uint8_t random[8];
    char hex[17];
    char name[OKNO_NOTE_NAME_TEXT];
    char text[OKNO_NOTE_KEY_TEXT + 1];
    struct okno_note_signer signer;
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    randombytes_buf(seed, sizeof(seed));
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
    (void)snprintf(name, sizeof(name), "okno.log/%s", hex);
    int rc = okno_note_signer_make(name, seed, &signer, err);
    sodium_memzero(seed, sizeof(seed));
    if (rc < 0)
        return rc;
    (void)okno_note_signer_format(&signer, text);
    (void)memcpy(text + strlen(text), "\n", 2);
    rc = write_fresh(data_dir, file, text, err);
    okno_note_signer_wipe(&signer);
    sodium_memzero(text, sizeof(text));
    return rc;
}

int ledger_key_load(const char *data_dir, const char *name, struct okno_note_signer *ret_signer,
                    struct okno_err *err)
{
    char path[PATH_BYTES];
    char text[OKNO_NOTE_KEY_TEXT + 2];
    (void)snprintf(path, sizeof(path), "%s/keys/%s", data_dir, name);
    int rc = read_small(path, text, sizeof(text), err);
    if (rc == 0)
        rc = okno_note_signer_parse(text, ret_signer, err);
    sodium_memzero(text, sizeof(text));
    if (rc < 0)
        okno_err_context(err, "%s", path);
    return rc;
}

int ledger_key_make(const char *data_dir, const char *name, struct okno_note_signer *ret_signer,
                    struct okno_err *err)
{
    int rc = make_key(data_dir, name, err);
    return rc < 0 ? rc : ledger_key_load(data_dir, name, ret_signer, err);
}

int ledger_key_rename(const char *data_dir, const char *from, const char *to, struct okno_err *err)
{
    char old_path[PATH_BYTES];
    char new_path[PATH_BYTES];
    (void)snprintf(old_path, sizeof(old_path), "%s/keys/%s", data_dir, from);
    (void)snprintf(new_path, sizeof(new_path), "%s/keys/%s", data_dir, to);
    if (rename(old_path, new_path) < 0)
        return okno_fail_errno(err, errno, "cannot rename %s to %s", old_path, new_path);
    return sync_dir(data_dir, err);
}

/* Checkpoints that are out in the world were signed by this key. */
int ledger_last_key(struct okno_db *db, char ret_key[OKNO_NOTE_KEY_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "ledger.last_checkpoint", &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    (void)snprintf(ret_key, OKNO_NOTE_KEY_TEXT, "%s", rc == 1 ? okno_stmt_text(stmt, "key") : "");
    return 0;
}

int ledger_signer(struct okno_db *db, struct okno_note_signer *ret_signer, struct okno_err *err)
{
    const char *dir = okno_db_dir(db);
    char known[OKNO_NOTE_KEY_TEXT];
    char mine[OKNO_NOTE_KEY_TEXT];
    struct okno_err missing = {0};
    int rc = ledger_last_key(db, known, err);
    if (rc < 0)
        return rc;
    rc = ledger_key_load(dir, "log.key", ret_signer, &missing);
    if (rc == OKNO_NOT_FOUND && known[0])
        return okno_fail(err, OKNO_REFUSED,
                         "the log's key %s/keys/log.key is gone, and checkpoints signed by it were "
                         "handed out: restore it from a backup",
                         dir);
    if (rc == OKNO_NOT_FOUND)
        return ledger_key_make(dir, "log.key", ret_signer, err);
    if (rc < 0)
        return okno_fail(err, rc, "%s", missing.text);
    if (known[0] && strcmp(known, okno_note_key_format(&ret_signer->key, mine)) != 0) {
        okno_note_signer_wipe(ret_signer);
        return okno_fail(err, OKNO_REFUSED,
                         "%s/keys/log.key is another key than the one that signed the checkpoints "
                         "handed out: restore that key from a backup",
                         dir);
    }
    return 0;
}

int okno_ledger_key(struct okno_db *db, struct okno_note_key *ret_key, struct okno_err *err)
{
    struct okno_note_signer signer;
    int rc = ledger_signer(db, &signer, err);
    if (rc < 0)
        return rc;
    *ret_key = signer.key;
    okno_note_signer_wipe(&signer);
    return 0;
}

/* ---- the mark ---- */

int ledger_keep_mark(const char *data_dir, int64_t size, const struct okno_digest *root,
                     struct okno_err *err)
{
    char hex[OKNO_SHA256_TEXT];
    char text[MARK_BYTES];
    (void)snprintf(text, sizeof(text), "%lld %s\n", (long long)size,
                   okno_hash_hex(root->bytes, hex));
    return write_small(data_dir, "log.checkpoint", text, err);
}

int ledger_read_mark(const char *data_dir, int64_t *ret_size, char ret_root[OKNO_SHA256_TEXT],
                     struct okno_err *err)
{
    char path[PATH_BYTES];
    char text[MARK_BYTES];
    char *at = text;
    (void)snprintf(path, sizeof(path), "%s/keys/log.checkpoint", data_dir);
    struct okno_err missing = {0};
    int rc = read_small(path, text, sizeof(text), &missing);
    if (rc == OKNO_NOT_FOUND) {
        *ret_size = 0;
        return 0;
    }
    if (rc < 0)
        return okno_fail(err, rc, "%s", missing.text);
    long long size = strtoll(text, &at, 10);
    size_t hex = OKNO_SHA256_TEXT - 1;
    if (at == text || *at != ' ' || size < 0 || strspn(at + 1, "0123456789abcdef") != hex ||
        strcmp(at + 1 + hex, "\n") != 0)
        return okno_fail(err, OKNO_MALFORMED, "%s is broken: restore it from a backup", path);
    memcpy(ret_root, at + 1, hex);
    ret_root[hex] = '\0';
    *ret_size = size;
    return 0;
}

int ledger_check_age(struct okno_db *db, int64_t size, struct okno_err *err)
{
    int64_t marked = 0;
    struct okno_digest root;
    char marked_root[OKNO_SHA256_TEXT];
    char hex[OKNO_SHA256_TEXT];
    const char *dir = okno_db_dir(db);
    int rc = dir[0] ? ledger_read_mark(dir, &marked, marked_root, err) : 0;
    if (rc < 0 || marked == 0)
        return rc;
    if (size < marked)
        return okno_fail(
            err, OKNO_REFUSED,
            "the log has %lld entries, but a checkpoint of %lld was handed out: this "
            "database is an older backup; restore the newest one, or if there is none see `okno "
            "recover --help`",
            (long long)size, (long long)marked);
    rc = okno_ledger_root(db, marked, &root, err);
    if (rc == 0 && strcmp(okno_hash_hex(root.bytes, hex), marked_root) != 0)
        rc = okno_fail(err, OKNO_REFUSED,
                       "the log's first %lld entries are not those of the checkpoint handed out: "
                       "restore the newest backup, or if there is none see `okno recover --help`",
                       (long long)marked);
    return rc;
}
