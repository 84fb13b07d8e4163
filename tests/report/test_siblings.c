#define _GNU_SOURCE
/* Two audits of one log, signed by the same keys and seen by the same others: no file of one bundle
 * passes for that of the other, not even where the manifests are made anew. */
#include "bundle.h"

#include "../support/tsa.h"
#include "../support/witness.h"

#include "../audit/run_okno.h"

#include "okno/anchor.h"
#include "okno/file.h"
#include "okno/time.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MAX = 400, PATH_SIZE = 500 };

static char *folder;
struct name {
    char text[200];
};

static struct name *names;
static size_t name_count;
static size_t name_offset;

static void shell(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void read_file(const char *path, struct okno_buf *to)
{
    struct okno_err err = {0};
    if (okno_file_read(path, to, &err) < 0)
        fail_msg("%s", err.text);
}

/* The second audit's witness has a clock that runs six minutes ahead of the log's. */
static void cosign_frame(struct scratch_db *f, const char *audit, int64_t minute)
{
    struct witness witness = witness_of("witness.example", 4);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF signed_note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    int64_t ahead = strcmp(audit, "A2") == 0 ? 66 : 0;
    int count = 0;
    must(f, okno_ledger_audit_checkpoint(f->db, audit, &note, &f->err));
    cosign(&witness, AT(minute + ahead) / OKNO_SECOND_US + 30, &note, &signed_note);
    must(f, okno_anchor_cosign(f->db, okno_buf_text(&signed_note), signed_note.len, AT(minute + 60),
                               &count, &f->err));
}

static void stamp_frame(struct scratch_db *f, const char *audit, int64_t minute)
{
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(65536);
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(65536);
    struct okno_stamp stamp;
    char path[PATH_SIZE];
    char command[2 * PATH_SIZE];
    must(f, okno_anchor_request(f->db, audit, "", AT(minute), &request, &f->err));
    (void)snprintf(path, sizeof(path), "%s/a.tsq", folder);
    must(f, okno_file_put(path, 0600, request.data, request.len, &f->err));
    (void)snprintf(command, sizeof(command),
                   "cd %s && openssl ts -reply -config tsa.conf -queryfile a.tsq -out a.tsr"
                   " 2>/dev/null",
                   folder);
    shell(command);
    (void)snprintf(path, sizeof(path), "%s/a.tsr", folder);
    read_file(path, &reply);
    (void)snprintf(path, sizeof(path), "%s/root.pem", folder);
    read_file(path, &ca);
    must(f, okno_anchor_stamp(f->db, (const char *)reply.data, reply.len, okno_buf_text(&ca), "",
                              okno_time_now(), &stamp, &f->err));
}

static void sign(struct scratch_db *f, const char *audit, int64_t minute)
{
    struct okno_note_signer signer = auditor_of(5);
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    must(f, okno_signing_manifest(f->db, audit, "olga", AT(minute), &manifest, &f->err));
    must(f, okno_signature_make(&signer, OKNO_SIGNATURE_MINISIGN, OKNO_SIGNATURE_AUDIT,
                                manifest.data, manifest.len, &signature, &f->err));
    must(f, okno_signing_add(f->db, audit, okno_buf_text(&signature), signature.len, "olga",
                             AT(minute + 1), &f->err));
}

/* From the plan to the bundle, beginning at a minute. */
static void take_through(struct scratch_db *f, const char *audit, const char *seed, int64_t minute)
{
    struct okno_audit_plan made = plan_of(audit);
    const struct okno_report_settings settings = {
        .audit = audit, .fm_threshold = 0.1, .undeterminable_limit = 0, .min_n = 5};
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    char sha256[OKNO_SHA256_TEXT];
    char dir[PATH_SIZE];
    int64_t size = 0;
    int64_t edition = 0;
    int number = (int)minute;
    (void)snprintf(dir, sizeof(dir), "%s/%s", folder, audit);
    const struct okno_bundle_request request = {
        .audit = audit, .dir = dir, .author = "eva", .fm_threshold = 0.1, .min_n = 5};
    made.auditor = "olga";
    must(f, okno_audit_plan(f->db, &made, "eva", AT(minute), &f->err));
    must(f, okno_audit_freeze(f->db, audit, "eva", NULL, AT(minute), &size, sha256, &f->err));
    must(f, okno_audit_checkpoint(f->db, audit, "eva", AT(minute), &note, &f->err));
    must(f, okno_audit_seed(f->db, audit, seed, "dice", "ann", "eva", AT(minute + 1), &f->err));
    must(f, okno_audit_draw(f->db, audit, "eva", AT(minute + 1), &size, &f->err));
    cosign_frame(f, audit, minute);
    stamp_frame(f, audit, minute + 70);
    while (decide_in(f, audit, number))
        number++;
    must(f, okno_audit_close(f->db, audit, "", "eva", AT(minute + 200), &f->err));
    must(f, okno_report_issue(f->db, &settings, NULL, "eva", AT(minute + 210), &edition, &f->err));
    sign(f, audit, minute + 215);
    must(f, okno_bundle_export(f->db, &request, AT(minute + 230), &f->err));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int add_name(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type != FTW_F)
        return 0;
    assert_true(name_count < FILES_MAX);
    (void)snprintf(names[name_count++].text, sizeof(names[0].text), "%s", path + name_offset);
    return 0;
}

/* The files of a bundle, from its folder on. */
static void list(const char *audit)
{
    char dir[PATH_SIZE];
    (void)snprintf(dir, sizeof(dir), "%s/%s", folder, audit);
    name_count = 0;
    name_offset = strlen(dir) + 1;
    assert_int_equal(nftw(dir, add_name, 8, FTW_PHYS), 0);
    qsort(names, name_count, sizeof(names[0]), by_text);
}

/* False where both have the same, or the other has none; proofs are numbered through the log, so
 * that any one of the other's is put in. */
static bool put_into(const char *audit, const char *other, const char *name, bool hidden)
{
    char command[4 * PATH_SIZE];
    (void)snprintf(command, sizeof(command),
                   "cd %s && n='%s' && o=\"%s/$n\" && case $n in data/proofs/*)"
                   " o=$(ls %s/data/proofs/* | tail -n 1);; esac;"
                   " [ -e \"$o\" ] && ! cmp -s \"$o\" \"%s/$n\" && rm -rf copy &&"
                   " cp -r %s copy && cp \"$o\" \"copy/$n\"",
                   folder, name, other, other, audit, audit);
    if (system(command) != 0)
        return false;
    (void)snprintf(command, sizeof(command),
                   "cd %s/copy && rm -f *manifest-sha256.txt &&"
                   " find data -type f | LC_ALL=C sort | xargs sha256sum > manifest-sha256.txt &&"
                   " find . -type f ! -path './data/*' ! -name 'tagmanifest*' | sed 's,^./,,' |"
                   " LC_ALL=C sort | xargs sha256sum > ../t && mv ../t tagmanifest-sha256.txt",
                   folder);
    if (hidden)
        shell(command);
    return true;
}

static int swap(const char *audit, const char *other, bool hidden)
{
    struct okno_bundle_facts facts;
    char copy[PATH_SIZE];
    int tried = 0;
    (void)snprintf(copy, sizeof(copy), "%s/copy", folder);
    list(audit);
    size_t proofs = 0;
    for (size_t i = 0; i < name_count; i++) {
        struct okno_err err = {0};
        if (strncmp(names[i].text, "data/proofs/", 12) == 0 && proofs++ % 7 != 0)
            continue;
        if (hidden && strstr(names[i].text, "manifest-sha256.txt"))
            continue; /* their signatures are another matter */
        if (!put_into(audit, other, names[i].text, hidden))
            continue;
        tried++;
        if (okno_bundle_verify(copy, NULL, &facts, &err) == 0)
            fail_msg("%s of %s passes for that of %s", names[i].text, other, audit);
        if (!strstr(err.text, names[i].text))
            fail_msg("%s of %s in the bundle of %s: `%s` names another file", names[i].text, other,
                     audit, err.text);
    }
    return tried;
}

static void no_file_passes_for_that_of_another_audit(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    static struct ran ran;
    char dir[PATH_SIZE];
    static const char *const audits[] = {"A1", "A2"};
    struct witness witness = witness_of("witness.example", 4);
    folder = support_tempdir();
    names = calloc(FILES_MAX, sizeof(*names));
    assert_non_null(names);
    assert_int_equal(tsa_make(folder), 0);
    add_site(f);
    register_auditor(f, OKNO_SIGNATURE_MINISIGN);
    must(f, okno_anchor_add_witness(f->db, &witness.key, "eva", AT(60), &f->err));
    take_through(f, "A1", "18364520937745610298", 61);
    take_through(f, "A2", "98364520937745610291", 400);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(dir, sizeof(dir), "%s/%s", folder, audits[i]);
        must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
        assert_int_equal(facts.witnesses, 1);
        assert_int_equal(facts.stamps, 1);
        assert_true(facts.signed_by_auditor);
        assert_int_equal(facts.witnesses_ahead, i);
        RUN_OKNO(&ran, "", "verify", dir);
        assert_int_equal(strstr(ran.out, "ahead    1 of the witnesses tells a time") != NULL, i);
    }
    assert_true(swap("A1", "A2", false) > 20);
    assert_true(swap("A2", "A1", false) > 20);
    assert_true(swap("A1", "A2", true) > 15);
    assert_true(swap("A2", "A1", true) > 15);
    free(names);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_file_passes_for_that_of_another_audit, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
