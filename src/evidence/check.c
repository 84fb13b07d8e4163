/* The store against the database. */
#define _POSIX_C_SOURCE 200809L
#include "okno/evidence.h"

#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* A file is moved to its place before its row is added: younger strays are left alone. */
static const int64_t row_delay_us = 3600 * OKNO_SECOND_US;

struct checking {
    struct okno_db *db;
    const char *data_dir;
    const struct okno_evidence_checker *checker;
    struct okno_evidence_checked counts;
};

static const struct {
    const char *name;
    bool fails;
} findings[] = {
#define FINDING_ROW(name, word, fails) {word, fails},
    OKNO_EVIDENCE_FINDINGS(FINDING_ROW)
#undef FINDING_ROW
};

const char *okno_evidence_finding_name(enum okno_evidence_finding finding)
{
    return findings[finding].name;
}

bool okno_evidence_finding_fails(enum okno_evidence_finding finding)
{
    return findings[finding].fails;
}

static void tell(struct checking *c, enum okno_evidence_finding finding, const char *subject,
                 const char *text)
{
    c->counts.found[finding]++;
    c->checker->tell(c->checker->ctx, finding, subject, text);
}

/* ---- rows ---- */

static int check_bytes(struct checking *c, int fd, const char *sha256, const char *whose,
                       int64_t bytes, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    char text[400];
    struct stat st;
    struct okno_err trouble = {0};
    if (fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot look at %s", sha256);
    if (bytes >= 0 && st.st_size != bytes) {
        (void)snprintf(text, sizeof(text), "%s: %lld bytes, its row says %" PRId64, whose,
                       (long long)st.st_size, bytes);
        tell(c, OKNO_EVIDENCE_DAMAGED, sha256, text);
        return 0;
    }
    if (okno_hash_fd(fd, hash, &trouble) < 0) {
        tell(c, OKNO_EVIDENCE_MISSING, sha256, trouble.text);
        return 0;
    }
    if (strcmp(hash, sha256) != 0) {
        (void)snprintf(text, sizeof(text), "%s: its SHA-256 is %s", whose, hash);
        tell(c, OKNO_EVIDENCE_DAMAGED, sha256, text);
        return 0;
    }
    c->counts.files++;
    c->counts.bytes += st.st_size;
    return 0;
}

static int check_row(struct checking *c, struct okno_stmt *row, struct okno_err *err)
{
    char path[1300];
    char text[400];
    char whose[200];
    char sha256[OKNO_SHA256_TEXT];
    const char *survey = okno_stmt_text(row, "survey");
    (void)snprintf(sha256, sizeof(sha256), "%s", okno_stmt_text(row, "sha256"));
    (void)snprintf(whose, sizeof(whose), "%s of survey %s", okno_stmt_text(row, "kind"),
                   survey ? survey : "-");
    c->counts.rows += okno_stmt_int(row, "rows");
    if (okno_evidence_path(c->data_dir, sha256, path, sizeof(path), NULL) < 0) {
        tell(c, OKNO_EVIDENCE_DAMAGED, sha256, "the row's hash is none");
        return 0;
    }
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        (void)snprintf(text, sizeof(text), "%s: %s", whose,
                       errno == ELOOP ? "a link is in its place" : strerror(errno));
        tell(c, OKNO_EVIDENCE_MISSING, sha256, text);
        return 0;
    }
    return check_bytes(c, fd, sha256, whose, okno_stmt_int(row, "bytes"), err);
}

static int check_rows(struct checking *c, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t total = 0;
    int64_t done = 0;
    int rc = okno_db_int(c->db, "evidence.count_files", NULL, 0, 0, &total, err);
    if (rc == 0)
        rc = okno_db_stmt(c->db, "evidence.files", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = check_row(c, stmt, err);
        if (c->checker->progress)
            c->checker->progress(c->checker->ctx, ++done, total);
    }
    return rc;
}

/* ---- files ---- */

/* Remove a file that is still old and still has no row. */
static int remove_stray(struct checking *c, const char *path, const char *sha256,
                        struct okno_err *err)
{
    int64_t known = 0;
    int rc = okno_db_begin(c->db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_INT(c->db, "evidence.knows_file", 0, &known, err, OKNO_TEXT("sha256", sha256));
    if (rc == 0 && !known && unlink(path) < 0)
        rc = okno_fail_errno(err, errno, "cannot remove %s", path);
    else if (rc == 0 && !known)
        c->counts.removed++;
    okno_db_rollback(c->db);
    return rc;
}

static int check_stray(struct checking *c, const char *path, const char *sha256,
                       struct okno_err *err)
{
    struct stat st;
    int64_t known = 0;
    int rc = OKNO_DB_INT(c->db, "evidence.knows_file", 0, &known, err, OKNO_TEXT("sha256", sha256));
    if (rc < 0 || known || lstat(path, &st) < 0)
        return rc;
    if (!S_ISREG(st.st_mode)) {
        tell(c, OKNO_EVIDENCE_FOREIGN, path, "no regular file");
        return 0;
    }
    if (st.st_mtim.tv_sec > (okno_time_now() - row_delay_us) / OKNO_SECOND_US)
        return 0;
    tell(c, OKNO_EVIDENCE_STRAY, sha256,
         c->checker->repair ? "no row names it; removed" : "no row names it; --repair removes it");
    return c->checker->repair ? remove_stray(c, path, sha256, err) : 0;
}

/* One folder of the store; `prefix` is its name. */
static int check_folder(struct checking *c, const char *prefix, struct okno_err *err)
{
    char folder[1200];
    char path[1500];
    int rc = 0;
    (void)snprintf(folder, sizeof(folder), "%s/evidence/%s", c->data_dir, prefix);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    if (!dir)
        return errno == ENOTDIR ? 0 : okno_fail_errno(err, errno, "cannot list %s", folder);
    while (rc == 0 && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64 &&
            strncmp(name, prefix, 2) == 0)
            rc = check_stray(c, path, name, err);
        else
            tell(c, OKNO_EVIDENCE_FOREIGN, path, "not named by a hash of this folder");
    }
    (void)closedir(dir);
    return rc;
}

static int check_files(struct checking *c, struct okno_err *err)
{
    char root[1100];
    char path[1400];
    int rc = 0;
    (void)snprintf(root, sizeof(root), "%s/evidence", c->data_dir);
    DIR *dir = opendir(root);
    struct dirent *entry;
    if (!dir)
        return errno == ENOENT ? 0 : okno_fail_errno(err, errno, "cannot list %s", root);
    while (rc == 0 && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "tmp") == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        if (strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2)
            rc = check_folder(c, name, err);
        else
            tell(c, OKNO_EVIDENCE_FOREIGN, path, "no folder of the store");
    }
    (void)closedir(dir);
    return rc;
}

/* ---- links ---- */

static int check_links(struct checking *c, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(c->db, "evidence.inconsistent", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *survey = okno_stmt_text(stmt, "survey");
        tell(c, OKNO_EVIDENCE_INCONSISTENT, survey ? survey : "-", okno_stmt_text(stmt, "text"));
        rc = 0;
    }
    return rc;
}

int okno_evidence_check(struct okno_db *db, const char *data_dir,
                        const struct okno_evidence_checker *checker,
                        struct okno_evidence_checked *ret_checked, struct okno_err *err)
{
    struct checking c = {.db = db, .data_dir = data_dir, .checker = checker};
    int rc = check_rows(&c, err);
    if (rc == 0)
        rc = check_files(&c, err);
    if (rc == 0)
        rc = check_links(&c, err);
    if (rc == 0)
        *ret_checked = c.counts;
    return rc;
}
