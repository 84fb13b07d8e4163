#define _POSIX_C_SOURCE 200809L
/* The auditor's signature: asked for, taken in, refused, shown in the bundle. */
#include "bundle.h"

#include "../audit/run_okno.h"

#include "okno/mem.h"

static void run_in(const char *dir, const char *commands)
{
    char line[1500];
    (void)snprintf(line, sizeof(line), "cd %s && { %s; }", dir, commands);
    assert_int_equal(system(line), 0);
}

static int take(struct scratch_db *f, const char *text)
{
    return okno_signing_add(f->db, "A1", text, strlen(text), "olga", AT(220), &f->err);
}

static void get_manifest(struct scratch_db *f, struct okno_buf *to)
{
    must(f, okno_signing_manifest(f->db, "A1", "olga", AT(215), to, &f->err));
}

static void a_manifest_is_the_same_until_what_it_lists_changes(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF first = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    OKNO_AUTO_BUF again = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    close_audit_to_sign(f, OKNO_SIGNATURE_SSH);
    report(f);
    get_manifest(f, &first);
    get_manifest(f, &again);
    assert_string_equal(okno_buf_text(&first), okno_buf_text(&again));
    assert_non_null(strstr(okno_buf_text(&first), "  data/kpi.json\n"));
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_manifests"), 1);
    scratch_db_put(f, "DROP TRIGGER IF EXISTS verdicts_update; UPDATE verdicts SET comment = 'x'");
    okno_buf_reset(&again);
    get_manifest(f, &again); /* comments are not in it */
    assert_string_equal(okno_buf_text(&first), okno_buf_text(&again));
}

static void a_signature_is_kept_told_to_the_log_and_checked(void **state)
{
    static const enum okno_signature_kind kinds[] = {OKNO_SIGNATURE_SSH};
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    char dir[300];
    char *folder = support_tempdir();
    okno_autojson json_t *status = NULL;
    close_and_sign(f, kinds[0]);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM log_leaves WHERE kind = 'step' AND"
                           " json_extract(line, '$.step') = 'sign'"),
                     1);
    must(f, okno_signing_status(f->db, "A1", &status, &f->err));
    assert_true(json_is_true(json_object_get(status, "current")));
    (void)snprintf(dir, sizeof(dir), "%s/open", folder);
    export_to(f, dir, true);
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    assert_true(facts.signed_by_auditor);
    (void)snprintf(dir, sizeof(dir), "%s/closed", folder);
    export_to(f, dir, false);
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    assert_true(facts.signed_by_auditor);
    support_tempdir_remove(folder);
}

static void what_is_wrong_with_a_signature_is_said(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    OKNO_AUTO_BUF other = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    close_audit_to_sign(f, OKNO_SIGNATURE_SSH);
    must_fail(f, okno_signing_manifest(f->db, "A1", "olga", AT(205), &manifest, &f->err),
              OKNO_OUT_OF_ORDER, "before `sign` comes `okno audit report A1");
    report(f);
    must_fail(f, take(f, "x"), OKNO_OUT_OF_ORDER, "has no manifest to sign");
    get_manifest(f, &manifest);
    must(f, okno_buf_printf(&other, &f->err, "%s\n", okno_buf_text(&manifest)));
    must_fail(f, sign_as(f, 6, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, &manifest),
              OKNO_CHECK_FAILED, "the signature is by ssh-ed25519");
    must_fail(f, sign_as(f, 5, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, &other), OKNO_CHECK_FAILED,
              "another text was signed");
    must_fail(f, sign_as(f, 5, OKNO_SIGNATURE_SSH, "file", &manifest), OKNO_CHECK_FAILED,
              "is for namespace \"file\"");
    must_fail(f, sign_as(f, 5, OKNO_SIGNATURE_MINISIGN, OKNO_SIGNATURE_AUDIT, &manifest),
              OKNO_CHECK_FAILED, "the registered key is OpenSSH's");
    must_fail(f, take(f, "no signature"), OKNO_CHECK_FAILED, "this is no SSH signature");
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_signatures"), 0);
    must(f, sign_as(f, 5, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, &manifest));
}

static void a_key_belongs_to_one_person_until_it_is_revoked(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    struct okno_note_signer signer = auditor_of(5);
    struct okno_signature_key key = okno_signature_log_key(&signer.key, OKNO_SIGNATURE_SSH);
    char fingerprint[OKNO_SHA256_TEXT];
    (void)okno_signature_key_fingerprint(&key, fingerprint);
    close_audit_to_sign(f, OKNO_SIGNATURE_SSH);
    must_fail(f, okno_auditor_add(f->db, "bob", &key, "root", AT(60), &f->err), OKNO_CONFLICT,
              "is olga's already");
    report(f);
    get_manifest(f, &manifest);
    must_fail(f, okno_auditor_revoke(f->db, "none", "root", AT(216), &f->err), OKNO_NOT_FOUND,
              "no key none");
    must(f, okno_auditor_revoke(f->db, fingerprint, "root", AT(216), &f->err));
    must_fail(f, sign_as(f, 5, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, &manifest), OKNO_REFUSED,
              "was revoked");
    must_fail(f, okno_auditor_add(f->db, "bob", &key, "root", AT(217), &f->err), OKNO_REFUSED,
              "was revoked");
    struct okno_audit_plan next = plan_of("A2");
    next.auditor = "olga";
    must_fail(f, okno_audit_plan(f->db, &next, "eva", AT(218), &f->err), OKNO_REFUSED,
              "was revoked");
    next.auditor = "ann";
    must_fail(f, okno_audit_plan(f->db, &next, "eva", AT(218), &f->err), OKNO_NOT_FOUND,
              "no key of ann is registered");
}

static void an_export_waits_for_the_signature(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    char dir[300];
    char *folder = support_tempdir();
    (void)snprintf(dir, sizeof(dir), "%s/out", folder);
    struct okno_bundle_request request = {
        .audit = "A1", .dir = dir, .author = "eva", .fm_threshold = 0.1, .min_n = 5};
    close_audit_to_sign(f, OKNO_SIGNATURE_MINISIGN);
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_OUT_OF_ORDER,
              "is not signed: before `export` comes `okno audit sign A1`");
    request.unsigned_too = true;
    must(f, okno_bundle_export(f->db, &request, AT(300), &f->err));
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    assert_false(facts.signed_by_auditor);
    assert_int_equal(strlen(facts.auditor_key), 64);
    support_tempdir_remove(folder);
}

static void an_export_that_was_killed_is_begun_anew(void **state)
{
    struct scratch_db *f = *state;
    char dir[300];
    char *folder = support_tempdir();
    (void)snprintf(dir, sizeof(dir), "%s/out", folder);
    run_in(folder, "mkdir out.part && touch out.part/VERIFY.txt");
    close_audit(f);
    export_to(f, dir, false);
    support_tempdir_remove(folder);
}

static void what_nobody_is_to_sign_is_not_signed(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    close_audit(f);
    report(f);
    must_fail(f, okno_signing_manifest(f->db, "A1", "olga", AT(215), &manifest, &f->err),
              OKNO_REFUSED, "names no auditor's key");
}

/* ---- forged bundles, whose manifests and log signatures are made anew with another log's key ----
 */

static void write_text(const char *dir, const char *name, const struct okno_buf *text)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    okno_autofclose FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
}

static void the_signature_in_a_bundle_is_not_to_be_exchanged(void **state)
{
    static const struct {
        const char *change, *words;
    } forged[] = {
        {"cd data/signatures && sed -i 's/^trusted.*/trusted comment: x/' manifest.txt.minisig",
         "data/signatures/manifest.txt.minisig is not the one that entry"},
        {"cd data/signatures && sed -i 's/kpi/kqi/' manifest.txt",
         "data/signatures/manifest.txt is not the one that entry"},
        {"rm data/signatures/manifest.txt.minisig",
         "data/signatures/manifest.txt.minisig is missing"},
        {"rm -r data/signatures", "data/signatures/manifest.txt is missing"},
        {"cd keys && sed -i 's/^RW/RX/' auditor.pub", "keys/auditor.pub: line 2"},
        {"cd keys && mv auditor.pub auditor.allowed", "is not by the key that the plan names"},
    };
    struct scratch_db *f = *state;
    char dir[300];
    char copy[400];
    char *folder = support_tempdir();
    close_and_sign(f, OKNO_SIGNATURE_MINISIGN);
    (void)snprintf(dir, sizeof(dir), "%s/out", folder);
    (void)snprintf(copy, sizeof(copy), "%s/copy", folder);
    export_to(f, dir, false);
    for (size_t i = 0; i < OKNO_COUNT(forged); i++) {
        struct okno_bundle_facts facts;
        struct okno_err err = {0};
        run_in(folder, "rm -rf copy && cp -r out copy");
        run_in(copy, forged[i].change);
        run_in(copy,
               "find data -type f | LC_ALL=C sort | xargs sha256sum > "
               "manifest-sha256.txt && find . -type f ! -path './data/*' ! -name 'tagmanifest*' |"
               " sed 's,^./,,' | LC_ALL=C sort | xargs sha256sum > tagmanifest-sha256.txt");
        if (okno_bundle_verify(copy, NULL, &facts, &err) != OKNO_CHECK_FAILED ||
            !strstr(err.text, forged[i].words))
            fail_msg("`%s` is not `%s`", err.text, forged[i].words);
    }
    support_tempdir_remove(folder);
}

static void a_list_of_files_signed_anew_is_not_the_logs(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    struct okno_note_signer other = auditor_of(9);
    char dir[300];
    char *folder = support_tempdir();
    (void)snprintf(dir, sizeof(dir), "%s/out", folder);
    close_audit(f);
    export_to(f, dir, false);
    for (int kind = 0; kind < 2; kind++) {
        OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
        must(f, okno_signature_make(&other, (enum okno_signature_kind)kind, OKNO_SIGNATURE_BUNDLE,
                                    "x", 1, &signature, &f->err));
        write_text(dir, kind ? "tagmanifest-sha256.txt.sig" : "tagmanifest-sha256.txt.minisig",
                   &signature);
        must_fail(f, okno_bundle_verify(dir, NULL, &facts, &f->err), OKNO_CHECK_FAILED,
                  "tagmanifest-sha256.txt.minisig");
    }
    support_tempdir_remove(folder);
}

/* ---- as a user does it, with the tools ---- */

static void an_auditor_signs_with_her_own_tools(void **state)
{
    struct scratch_db *f = *state;
    static struct ran ran;
    char path[3][400];
    char *folder = support_tempdir();
    run_in(folder, "ssh-keygen -q -t ed25519 -N '' -C olga@example.org -f key");
    (void)snprintf(path[0], sizeof(path[0]), "%s/key.pub", folder);
    (void)snprintf(path[1], sizeof(path[1]), "%s/A1.manifest", folder);
    (void)snprintf(path[2], sizeof(path[2]), "%s/A1.manifest.sig", folder);
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "key", "add", "olga", path[0]);
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of("A1");
    add_site(f);
    made.auditor = "olga";
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    report(f);
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "sign", "A1");
    assert_non_null(strstr(ran.out, "ssh-keygen -Y sign -f KEY -n okno-audit A1.manifest"));
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "sign", "A1", "--manifest", "-o", path[1]);
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    run_in(folder, "ssh-keygen -q -Y sign -f key -n okno-audit A1.manifest");
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "sign", "A1", "--signature", path[2]);
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    assert_non_null(strstr(ran.out, "over what stands now"));
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "key", "list", "--json");
    assert_non_null(strstr(ran.out, "\"auditor\":\"olga\""));
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "sign", "A1", "--signature", path[0]);
    assert_int_equal(ran.exit_code, 6);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_manifest_is_the_same_until_what_it_lists_changes),
        TEST(a_signature_is_kept_told_to_the_log_and_checked),
        TEST(what_is_wrong_with_a_signature_is_said),
        TEST(a_key_belongs_to_one_person_until_it_is_revoked),
        TEST(an_export_waits_for_the_signature),
        TEST(an_export_that_was_killed_is_begun_anew),
        TEST(what_nobody_is_to_sign_is_not_signed),
        TEST(the_signature_in_a_bundle_is_not_to_be_exchanged),
        TEST(a_list_of_files_signed_anew_is_not_the_logs),
        TEST(an_auditor_signs_with_her_own_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
