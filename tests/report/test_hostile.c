#define _POSIX_C_SOURCE 200809L
/* Bundles made to harm whoever verifies them, or to slip something past: each is told by name,
 * soon. */
#include "bundle.h"

#include "okno/time.h"

static char *folder;
static char pristine[300];

static int make(void **state)
{
    (void)state;
    void *db = NULL;
    folder = support_tempdir();
    (void)snprintf(pristine, sizeof(pristine), "%s/pristine", folder);
    (void)setup(&db);
    close_audit(db);
    export_to(db, pristine, false);
    (void)teardown(&db);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    support_tempdir_remove(folder);
    return 0;
}

/* The manifests as somebody would make them who hides a change; they list what is there. */
#define MANIFESTS                                                                                  \
    "find data -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum > manifest-sha256.txt;"          \
    "find . -type f ! -path './data/*' ! -name 'tagmanifest*' | sed 's,^./,,' | LC_ALL=C sort |"   \
    " xargs -d '\\n' sha256sum > tagmanifest-sha256.txt"

static void assert_named(const char *commands, const char *words)
{
    char line[2500];
    char copy[400];
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    (void)snprintf(copy, sizeof(copy), "%s/copy", folder);
    int len = snprintf(line, sizeof(line),
                       "cd %s && rm -rf copy && cp -r pristine copy && cd copy && { %s; }", folder,
                       commands);
    assert_true(len < (int)sizeof(line));
    if (system(line) != 0)
        fail_msg("this failed: %s", commands);
    int64_t began_us = okno_time_monotonic();
    int rc = okno_bundle_verify(copy, NULL, &facts, &err);
    if (rc != OKNO_CHECK_FAILED || !strstr(err.text, words))
        fail_msg("`%s`: %d `%s` is not `%s`", commands, rc, err.text, words);
    assert_true(okno_time_monotonic() - began_us < 60 * OKNO_SECOND_US);
}

static void special_files_are_not_opened(void **state)
{
    (void)state;
    assert_named("rm data/seed.txt; mkfifo data/seed.txt", "data/seed.txt is no plain file");
    assert_named("ln -sf /dev/zero data/kpi.json", "data/kpi.json is no plain file");
    assert_named("mv data ../elsewhere.$$; ln -s ../elsewhere.$$ data", "data is no plain file");
    assert_named("rm keys/log.vkey; ln -s /proc/self/mem keys/log.vkey",
                 "keys/log.vkey is no plain file");
    assert_named("mkfifo data/pipe", "data/pipe is no plain file");
}

static void what_does_not_belong_is_named_before_it_is_read(void **state)
{
    (void)state;
    assert_named("truncate -s 900G data/more.bin", "data/more.bin is not part of a bundle");
    assert_named("truncate -s 900G data/frame.jsonl", "data/frame.jsonl is larger than 8 GiB");
    assert_named("truncate -s 900G VERIFY.txt", "VERIFY.txt is larger than 8 GiB");
    assert_named(
        "mkdir -p data/evidence; for i in 1 2 3 4 5 6 7 8 9; do truncate -s 7G "
        "data/evidence/$(printf %064d $i); done; truncate -s 7G data/frame.jsonl",
        "were never written");
    assert_named("touch .hidden; " MANIFESTS, ".hidden is not part of a bundle");
    assert_named("touch data/Seed.txt; " MANIFESTS, "data/Seed.txt is not part of a bundle");
    assert_named("cp data/seed.txt 'data/seed.txt '; " MANIFESTS, "is not part of a bundle");
    assert_named("touch \"data/a\nb\"", "is not part of a bundle");
    assert_named("touch -- data/-rf; " MANIFESTS, "data/-rf is not part of a bundle");
    assert_named(
        "cp data/proofs/$(ls data/proofs | head -n 1) data/proofs/007.tlog-proof; " MANIFESTS,
        "data/proofs/007.tlog-proof is not part of a bundle");
    assert_named("mkdir data/evidence; echo x > data/evidence/x.mp4; " MANIFESTS,
                 "data/evidence/x.mp4 is not part of a bundle");
}

static void folders_are_bounded(void **state)
{
    (void)state;
    assert_named("mkdir -p a/b/c/d/e/f/g/h", "a/b/c/d");
    assert_named("mkdir empty", "empty is an empty folder");
    assert_named("mkdir -p data/proofs/empty", "data/proofs/empty is an empty folder");
    assert_named("mkdir data/many; cd data/many; seq 20000 | xargs touch", "data/many/");
    assert_named("mkdir -p data/$(printf 'x%.0s' $(seq 250))", "xxx");
}

static void manifests_tell_each_name_once_and_stay_inside(void **state)
{
    (void)state;
    assert_named("sed -i 's,  data/seed.txt,  data/../data/seed.txt,' manifest-sha256.txt",
                 "manifest-sha256.txt");
    assert_named(
        "echo \"$(sha256sum < /etc/hostname | cut -c 1-64)  ../../../etc/hostname\" >> "
        "manifest-sha256.txt; sha256sum keys/* *.txt | grep -v tag > /dev/null",
        "manifest-sha256.txt");
    assert_named("tail -n 1 manifest-sha256.txt >> manifest-sha256.txt", "manifest-sha256.txt");
    assert_named("sort -r manifest-sha256.txt -o manifest-sha256.txt", "manifest-sha256.txt");
    assert_named("tr a-f A-F < manifest-sha256.txt > x; mv x manifest-sha256.txt",
                 "manifest-sha256.txt");
    assert_named(
        "printf '%s  tagmanifest-sha256.txt\\n' $(sha256sum < VERIFY.txt | cut -c 1-64) >> "
        "tagmanifest-sha256.txt",
        "tagmanifest-sha256.txt");
    assert_named(": > manifest-sha256.txt; " MANIFESTS "; : > manifest-sha256.txt",
                 "manifest-sha256.txt");
    assert_named("head -c 70000 /dev/zero | tr '\\0' a >> manifest-sha256.txt",
                 "manifest-sha256.txt");
}

/* Many files that are listed, and one behind them all that is not. */
static void one_file_too_many_among_many_is_found_soon(void **state)
{
    (void)state;
    assert_named(
        "cd data/proofs; seq -f %.0f.tlog-proof 100000 139999 | xargs touch; cd ../..; " MANIFESTS
        "; echo > keys/witnesses.vkey",
        "keys/witnesses.vkey is in no manifest");
}

static void texts_are_bounded(void **state)
{
    (void)state;
    assert_named("head -c 200000 /dev/zero | tr '\\0' '[' > data/plan.json; " MANIFESTS,
                 "data/plan.json is no JSON");
    assert_named("head -c 70000 /dev/zero | tr '\\0' x >> data/log.jsonl; " MANIFESTS,
                 "data/log.jsonl");
    assert_named("printf '\\0' >> data/log.jsonl; " MANIFESTS, "data/log.jsonl");
    assert_named("sed -i '1s/{/{\"kind\":\"step\",/' data/log.jsonl; " MANIFESTS, "data/log.jsonl");
    assert_named("head -c 70000 /dev/zero | tr '\\0' x > keys/log.vkey; " MANIFESTS,
                 "keys/log.vkey");
    assert_named("head -c 100000 /dev/zero > data/checkpoints/final.checkpoint; " MANIFESTS,
                 "data/checkpoints/final.checkpoint");
    assert_named("head -c 100000 /dev/urandom > data/decisions.csv; " MANIFESTS,
                 "data/decisions.csv");
    assert_named("head -c 20000 /dev/zero > tagmanifest-sha256.txt.sig", "tagmanifest-sha256.txt");
}

/* "[]," takes forty times its size once it is read. */
static void what_would_grow_in_memory_is_refused_before_it_is_read(void **state)
{
    (void)state;
    assert_named(
        "{ printf '['; yes '[],' | head -n 3000000 | tr -d '\\n'; printf '[]]'; }"
        " > data/plan.json; " MANIFESTS,
        "data/plan.json holds too much");
    assert_named(
        "{ printf '{\"kind\":\"verdict\",\"audit\":\"A1\",\"x\":[';"
        " yes '[],' | head -n 15000 | tr -d '\\n'; echo '[]]}'; } > big;"
        " for i in $(seq 40); do cat big; done >> data/log.jsonl; rm big; " MANIFESTS,
        "holds more than the decisions of this bundle need");
}

/* Everything made anew and signed by another log: good in itself, and not the one that is meant. */
static void a_bundle_signed_by_another_key_fails_under_the_key(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    struct okno_bundle_facts other;
    char dir[300];
    (void)snprintf(dir, sizeof(dir), "%s/other", folder);
    close_audit(f);
    export_to(f, dir, false);
    must(f, okno_bundle_verify(pristine, NULL, &facts, &f->err));
    must(f, okno_bundle_verify(dir, NULL, &other, &f->err));
    assert_string_not_equal(facts.fingerprint, other.fingerprint);
    must_fail(f, okno_bundle_verify(dir, &facts.key, &other, &f->err), OKNO_CHECK_FAILED,
              "not by the key given");
    struct okno_note_key renamed = other.key;
    memcpy(renamed.public_key, facts.key.public_key, sizeof(renamed.public_key));
    must_fail(f, okno_bundle_verify(dir, &renamed, &other, &f->err), OKNO_CHECK_FAILED,
              "not by the key given");
}

static void an_archive_is_to_be_unpacked_first(void **state)
{
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    char path[400];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/VERIFY.txt", pristine);
    assert_true(okno_bundle_verify(path, NULL, &facts, &err) < 0);
    assert_non_null(
        strstr(err.text, "VERIFY.txt is no folder: unpack the archive first (tar -xf)"));
}

/* Who keeps the log can sign any entry, one that no step of an audit looks like, too. */
static void a_signed_entry_of_another_shape_is_named(void **state)
{
    static const char *const forged[] = {"{}", "{\"step\": 7}", "{\"step\": null, \"detail\": []}",
                                         "{\"step\": \"dance\"}"};
    struct scratch_db *f = *state;
    close_audit(f);
    for (size_t i = 0; i < OKNO_COUNT(forged); i++) {
        const struct okno_ledger_entry entry = {.kind = "step", .audit = "A1", .at_us = AT(250)};
        okno_autojson json_t *json = json_loads(forged[i], 0, NULL);
        struct okno_bundle_facts facts;
        char dir[300];
        (void)snprintf(dir, sizeof(dir), "%s/shape%zu", folder, i);
        must(f, okno_db_begin(f->db, &f->err));
        must(f, okno_ledger_append(f->db, &entry, json, NULL, &f->err));
        must(f, okno_db_commit(f->db, &f->err));
        export_to(f, dir, false);
        must_fail(f, okno_bundle_verify(dir, NULL, &facts, &f->err), OKNO_CHECK_FAILED,
                  "is no step of an audit");
    }
}

static void the_name_of_the_audit_is_one(void **state)
{
    (void)state;
    assert_named(
        "sed -i 's/\"audit\": *\"A1\"/\"audit\": \"A1\\\\u001b[2J\"/' data/plan.json; " MANIFESTS,
        "data/plan.json names no audit");
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    okno_autofclose FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
}

/* Bytes all over changed, left out and doubled: what tools ignore in a signature is noticed, too.
 */
static void no_byte_of_the_logs_signatures_changes_unnoticed(void **state)
{
    static const char *const names[] = {"tagmanifest-sha256.txt.minisig",
                                        "tagmanifest-sha256.txt.sig"};
    (void)state;
    for (size_t n = 0; n < OKNO_COUNT(names); n++) {
        char path[500];
        char bytes[4000];
        char other[4001];
        (void)snprintf(path, sizeof(path), "%s/%s", pristine, names[n]);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        size_t len = fread(bytes, 1, sizeof(bytes), file);
        assert_int_equal(fclose(file), 0);
        for (size_t i = n; i < 3 * len; i += 13) {
            struct okno_bundle_facts facts;
            struct okno_err err = {0};
            size_t at = i / 3;
            memcpy(other, bytes, at);
            size_t put = at;
            if (i % 3 == 0)
                other[put++] = (char)(bytes[at] ^ 1);
            if (i % 3 == 2) {
                other[put++] = bytes[at];
                other[put++] = bytes[at];
            }
            memcpy(other + put, bytes + at + 1, len - at - 1);
            put += len - at - 1;
            if (put == len && memcmp(other, bytes, len) == 0)
                continue;
            write_bytes(path, other, put);
            if (okno_bundle_verify(pristine, NULL, &facts, &err) != OKNO_CHECK_FAILED ||
                !strstr(err.text, names[n]))
                fail_msg("%s, byte %zu, way %zu: `%s`", names[n], at, i % 3, err.text);
        }
        write_bytes(path, bytes, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_files_are_not_opened),
        cmocka_unit_test(what_does_not_belong_is_named_before_it_is_read),
        cmocka_unit_test(folders_are_bounded),
        cmocka_unit_test(manifests_tell_each_name_once_and_stay_inside),
        cmocka_unit_test(one_file_too_many_among_many_is_found_soon),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(what_would_grow_in_memory_is_refused_before_it_is_read),
        cmocka_unit_test(an_archive_is_to_be_unpacked_first),
        cmocka_unit_test(the_name_of_the_audit_is_one),
        TEST(a_signed_entry_of_another_shape_is_named),
        cmocka_unit_test(no_byte_of_the_logs_signatures_changes_unnoticed),
        TEST(a_bundle_signed_by_another_key_fails_under_the_key),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
