#define _POSIX_C_SOURCE 200809L
/* The signatures in a bundle: the auditor's over the manifest, the log's over the list of files. */
#include "verify.h"

#include "okno/mem.h"

#include <sodium.h>
#include <string.h>

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

/* ---- the auditor ---- */

/* The entry of the key that the plan names; it has to be older than the plan. */
static int find_key(struct check *check, const char *fingerprint, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    char shown[OKNO_SHA256_TEXT];
    bool found = false;
    json_array_foreach(check->auditor_keys, i, entry)
    {
        const char *key = text_of(entry, "key");
        if (strcmp(text_of(entry, "fingerprint"), fingerprint) != 0 ||
            json_integer_value(json_object_get(entry, "entry")) >= check->place[PLAN])
            continue;
        found =
            !json_is_true(json_object_get(entry, "revoked")) &&
            okno_signature_key_parse(key, strlen(key), &check->facts.auditor, NULL) == 0 &&
            strcmp(okno_signature_key_fingerprint(&check->facts.auditor, shown), fingerprint) == 0;
    }
    return found ? 0
                 : okno_fail(err, OKNO_CHECK_FAILED,
                             "data/log.jsonl: the auditor's key %s was not registered before the "
                             "plan, entry %lld",
                             fingerprint, (long long)check->place[PLAN]);
}

/* The newest step `sign`; NULL without one. */
static const json_t *sign_step(const struct check *check)
{
    size_t i;
    json_t *step;
    const json_t *found = NULL;
    json_array_foreach(check->all_steps, i, step)
    {
        if (strcmp(text_of(step, "step"), "sign") == 0)
            found = step;
    }
    return found;
}

/* A file of the signature has to be the one whose hash the step tells. */
static int check_told(const struct check *check, const char *name, const json_t *step,
                      const char *key, struct okno_err *err)
{
    const struct bag_file *file = bag_find(&check->bag, name);
    if (!file)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", name);
    if (strcmp(file->sha256, text_of(json_object_get(step, "detail"), key)) == 0)
        return 0;
    return okno_fail(err, OKNO_CHECK_FAILED, "%s is not the one that entry %lld of the log tells",
                     name, (long long)json_integer_value(json_object_get(step, "entry")));
}

/* A line `hash  name`. */
static int check_line(const struct check *check, const char *line, size_t len, struct okno_err *err)
{
    char name[BUNDLE_NAME];
    if (len < 67 || len - 66 >= sizeof(name) || line[64] != ' ' || line[65] != ' ')
        return okno_fail(err, OKNO_CHECK_FAILED, "%s: a line is no hash and name", bundle_manifest);
    memcpy(name, line + 66, len - 66);
    name[len - 66] = '\0';
    const struct bag_file *file = bag_find(&check->bag, name);
    if (!file)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing: %s lists it", name,
                         bundle_manifest);
    if (strncmp(file->sha256, line, 64) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s is not what the auditor signed: %s tells "
                         "another hash",
                         name, bundle_manifest);
    return 0;
}

/* Whether a line lists the file; what a comment says does not. */
static bool is_line_of(const char *text, const char *name)
{
    size_t want = strlen(name);
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (*line != '#' && len == 66 + want && memcmp(line + 66, name, want) == 0)
            return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

/* The size that the comments of a manifest tell; -1 without one. */
static int64_t told_size(const char *text)
{
    static const char word[] = "\n# size ";
    const char *at = strstr(text, word);
    char *end = NULL;
    if (!at)
        return -1;
    at += sizeof(word) - 1;
    long long size = strtoll(at, &end, 10);
    return end > at && *end == '\n' && size > 0 ? size : -1;
}

int verify_signed_marks(struct check *check, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(65536);
    if (!bag_find(&check->bag, bundle_manifest))
        return 0;
    int rc = bag_read(&check->bag, bundle_manifest, 65535, &text, err);
    return rc == 0 ? verify_mark(check, told_size(okno_buf_text(&text)), err) : rc;
}

/* What the comments tell of the log has to be true of this log. */
static int check_state(const struct check *check, const char *text, struct okno_err *err)
{
    char wanted[600] = "";
    char root[64];
    int64_t size = told_size(text);
    const struct okno_digest *at = verify_root(check, size);
    if (at) {
        (void)sodium_bin2base64(root, sizeof(root), at->bytes, sizeof(at->bytes),
                                sodium_base64_VARIANT_ORIGINAL);
        (void)snprintf(wanted, sizeof(wanted),
                       "# audit %s: what its auditor signs\n# log %s\n# size %lld\n# root %s\n",
                       check->facts.audit, check->facts.key.name, (long long)size, root);
    }
    return at && strncmp(text, wanted, strlen(wanted)) == 0
               ? 0
               : okno_fail(err, OKNO_CHECK_FAILED,
                           "%s tells another state of the log than data/log.jsonl",
                           bundle_manifest);
}

static int check_manifest(const struct check *check, const char *text, struct okno_err *err)
{
    int rc = check_state(check, text, err);
    int files = 0;
    for (const char *line = text; rc == 0 && *line;) {
        size_t len = strcspn(line, "\n");
        if (*line != '#') {
            rc = check_line(check, line, len, err);
            files++;
        }
        line += len + (line[len] == '\n');
    }
    for (size_t i = 0; rc == 0 && bundle_signed[i]; i++)
        if (!is_line_of(text, bundle_signed[i]))
            rc = okno_fail(err, OKNO_CHECK_FAILED, "%s does not list %s", bundle_manifest,
                           bundle_signed[i]);
    return rc == 0 && files == 0 ? verify_wrong(err, "data/signatures/manifest.txt lists no file")
                                 : rc;
}

static int check_signature(const struct check *check, const json_t *step, struct okno_err *err)
{
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(65536);
    OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    OKNO_AUTO_BUF key = OKNO_BUF_INIT(1000);
    const struct okno_signature_key *auditor = &check->facts.auditor;
    const char *name = bundle_signatures[auditor->kind];
    int rc = check_told(check, bundle_manifest, step, "manifest", err);
    if (rc == 0)
        rc = check_told(check, name, step, "signature", err);
    if (rc == 0)
        rc = okno_signature_key_write(auditor, "auditor", OKNO_SIGNATURE_AUDIT, &key, err);
    if (rc == 0)
        rc = verify_text(check, bundle_auditor_keys[auditor->kind], &key, err);
    if (rc == 0)
        rc = bag_read(&check->bag, bundle_manifest, 65535, &manifest, err);
    if (rc == 0)
        rc = bag_read(&check->bag, name, OKNO_SIGNATURE_BYTES_MAX, &signature, err);
    if (rc < 0)
        return rc;
    if (okno_signature_check(auditor, OKNO_SIGNATURE_AUDIT, okno_buf_text(&manifest), manifest.len,
                             okno_buf_text(&signature), signature.len, err) < 0) {
        okno_err_context(err, "%s", name);
        return OKNO_CHECK_FAILED;
    }
    return check_manifest(check, okno_buf_text(&manifest), err);
}

/* Nobody signs with a key that was revoked before. */
static int check_revoked(const struct check *check, const json_t *step, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    json_int_t place = json_integer_value(json_object_get(step, "entry"));
    json_array_foreach(check->auditor_keys, i, entry)
    {
        json_int_t at = json_integer_value(json_object_get(entry, "entry"));
        if (json_is_true(json_object_get(entry, "revoked")) && at < place &&
            strcmp(text_of(entry, "fingerprint"), check->facts.auditor_key) == 0)
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/log.jsonl: the auditor's key was revoked by entry %lld, before "
                             "it signed in entry %lld",
                             (long long)at, (long long)place);
    }
    return 0;
}

/* Without a signature none of its files may be there. */
static int check_none(const struct check *check, struct okno_err *err)
{
    const char *const *const names[] = {bundle_auditor_keys, bundle_signatures};
    for (size_t i = 0; i < 2 * OKNO_COUNT(names); i++)
        if (bag_find(&check->bag, names[i / 2][i % 2]))
            return okno_fail(err, OKNO_CHECK_FAILED, "%s belongs to no signature of the log",
                             names[i / 2][i % 2]);
    return bag_find(&check->bag, bundle_manifest)
               ? okno_fail(err, OKNO_CHECK_FAILED, "%s was signed by nobody", bundle_manifest)
               : 0;
}

int verify_signed(struct check *check, struct okno_err *err)
{
    const json_t *plan = json_object_get(verify_detail(check, PLAN), "plan");
    const json_t *step = sign_step(check);
    bool left_out = json_is_true(json_object_get(verify_detail(check, EXPORT), "unsigned"));
    (void)snprintf(check->facts.auditor_key, sizeof(check->facts.auditor_key), "%s",
                   text_of(plan, "auditor_key"));
    if (!check->facts.auditor_key[0])
        return check_none(check, err);
    int rc = find_key(check, check->facts.auditor_key, err);
    if (rc < 0)
        return rc;
    if (left_out)
        return check_none(check, err);
    if (!step)
        return verify_wrong(err,
                            "data/log.jsonl: the plan names an auditor's key, but no step "
                            "tells of a signature");
    int other = 1 - (int)check->facts.auditor.kind;
    if (bag_find(&check->bag, bundle_signatures[other]) ||
        bag_find(&check->bag, bundle_auditor_keys[other]))
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is not by the key that the plan names",
                         bundle_signatures[other]);
    rc = check_revoked(check, step, err);
    if (rc == 0)
        rc = check_signature(check, step, err);
    if (rc == 0)
        check->facts.signed_by_auditor = true;
    return rc;
}

/* ---- the list of files ---- */

/* Whether it is spelled as it was written: what tools ignore (comments, line ends, where lines
 * break) is not to be changed either. */
static bool is_minisign_spelling(const char *text, size_t len)
{
    static const char first[] = "untrusted comment: signature by okno\n";
    int lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return strncmp(text, first, sizeof(first) - 1) == 0 && lines == 4 && text[len - 1] == '\n' &&
           !memchr(text, '\r', len);
}

static bool is_ssh_spelling(const char *text, size_t len)
{
    enum { LINE = 70 };
    static const char end[] = "-----END SSH SIGNATURE-----\n";
    const char *line = memchr(text, '\n', len); /* behind the border */
    bool last = false;
    if (memchr(text, '\r', len))
        return false;
    while (line && *++line && strcmp(line, end) != 0) {
        size_t width = strcspn(line, "\n");
        if (last || width == 0 || width > LINE)
            return false;
        last = width < LINE;
        line += width;
    }
    return line && *line;
}

static bool is_spelled(int kind, const struct okno_buf *text)
{
    const char *at = okno_buf_text(text);
    return text->len > 0 && (kind == OKNO_SIGNATURE_SSH ? is_ssh_spelling(at, text->len)
                                                        : is_minisign_spelling(at, text->len));
}

int verify_tags(const struct check *check, struct okno_err *err)
{
    OKNO_AUTO_BUF tags = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int rc = bag_read(&check->bag, "tagmanifest-sha256.txt", BUNDLE_TEXT_MAX, &tags, err);
    for (int kind = 0; rc == 0 && kind < 2; kind++) {
        OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
        struct okno_signature_key key =
            okno_signature_log_key(&check->facts.key, (enum okno_signature_kind)kind);
        rc = bag_read(&check->bag, bundle_tag_signatures[kind], OKNO_SIGNATURE_BYTES_MAX,
                      &signature, err);
        if (rc == 0 &&
            okno_signature_check(&key, OKNO_SIGNATURE_BUNDLE, okno_buf_text(&tags), tags.len,
                                 okno_buf_text(&signature), signature.len, err) < 0) {
            okno_err_context(err, "tagmanifest-sha256.txt is not signed by %s",
                             bundle_tag_signatures[kind]);
            rc = OKNO_CHECK_FAILED;
        }
        if (rc == 0 && !is_spelled(kind, &signature))
            rc = okno_fail(err, OKNO_CHECK_FAILED, "%s was changed", bundle_tag_signatures[kind]);
    }
    return rc;
}
