#define _GNU_SOURCE
/* What follows the draw - a further round, appeals, the report, its next edition, the signature,
 * the bundle - killed as it writes to the database or to a file, at one write after the other: what
 * stands is the state before or after, and the same command goes on from there. */
#include "../report/bundle.h"

#include "okno/file.h"
#include "run_okno.h"

#include <signal.h>
#include <sys/stat.h>

enum { ARGS_MAX = 24, KILLS_MAX = 400 };

static struct ran ran;
static char *folder;

/* Run `okno ...` under strace, which kills it at its n-th call; false where it ended by itself. */
static bool run_and_kill(const struct scratch_db *f, const char *const *args, const char *call,
                         int number)
{
    char trace[60];
    char inject[100];
    char *argv[ARGS_MAX + 16] = {"strace", "-f",  "-qq", "-o",   "/dev/null",
                                 "-e",     trace, "-e",  inject, getenv("OKNO")};
    size_t used = 10;
    posix_spawn_file_actions_t actions;
    char conf[400];
    pid_t pid = 0;
    int status = 0;
    (void)snprintf(trace, sizeof(trace), "trace=%s", call);
    (void)snprintf(inject, sizeof(inject), "inject=%s:signal=KILL:when=%d", call, number);
    (void)snprintf(conf, sizeof(conf), "%s/okno.conf", folder);
    if (!argv[9])
        argv[9] = "build/okno";
    argv[used++] = "--config";
    argv[used++] = conf;
    argv[used++] = "--data";
    argv[used++] = (char *)(uintptr_t)f->dir;
    for (size_t i = 0; args[i]; i++)
        argv[used++] = (char *)(uintptr_t)args[i];
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawnp(&pid, "strace", &actions, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)posix_spawn_file_actions_destroy(&actions);
    return !WIFEXITED(status) ||
           WEXITSTATUS(status) != 0; /* a helper of it may be what was killed */
}

static bool can_kill(void)
{
    return system(
               "strace -f -qq -o /dev/null -e trace=close -e"
               " inject=close:signal=KILL:when=1000 /bin/true > /dev/null 2>&1") == 0;
}

/* Each fact has its entry in the log, each drawn survey its items. */
static void check_whole(struct scratch_db *f)
{
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_steps"),
                     asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'step'"));
    assert_int_equal(asked(f, "SELECT count(*) FROM verdicts"),
                     asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'verdict'"));
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample"),
                     asked(f,
                           "SELECT count(*) FROM review_items WHERE origin = 'random'"
                           " AND part = 0"));
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_reports"),
                     asked(f, "SELECT count(*) FROM audit_steps WHERE step = 'report'"));
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_signatures"),
                     asked(f, "SELECT count(*) FROM audit_steps WHERE step = 'sign'"));
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM appeal_decisions WHERE verdict IS NULL"
                           " AND outcome <> 'reject'"),
                     0);
}

static void finish(const struct scratch_db *f, const char *const *args)
{
    const char *all[ARGS_MAX + 8] = {"--config", NULL, "--data", f->dir};
    char conf[400];
    (void)snprintf(conf, sizeof(conf), "%s/okno.conf", folder);
    all[1] = conf;
    for (size_t i = 0; args[i]; i++)
        all[4 + i] = args[i];
    run_okno_bytes("", 0, all, &ran);
    if (ran.exit_code != 0)
        fail_msg("%s %s: %s", args[0], args[1], ran.err);
}

/* Kill it at each write to the database, until `sql` counts one more. */
static void take(struct scratch_db *f, const char *sql, const char *const *args)
{
    int64_t before = asked(f, sql);
    int kills = 0;
    for (int at = 1; asked(f, sql) == before && kills < KILLS_MAX; kills++) {
        if (!run_and_kill(f, args, "pwrite64", at))
            break;
        at += at < 20 ? 1 : 3;
        check_whole(f);
    }
    if (asked(f, sql) == before)
        finish(f, args);
    check_whole(f);
    if (asked(f, sql) != before + 1)
        fail_msg("%s %s: after %d kills `%s` gives %lld, before %lld", args[0], args[1], kills, sql,
                 (long long)asked(f, sql), (long long)before);
    if (kills < 2)
        fail_msg("%s %s: %d kills", args[0], args[1], kills);
}
#define TAKE(f, sql, ...) take((f), (sql), (const char *const[]){__VA_ARGS__, NULL})

static void decide_what_is_left(struct scratch_db *f)
{
    for (int number = 0; decide(f, number);)
        number++;
}

static void first_invalid(struct scratch_db *f, char *ret_survey, size_t size)
{
    char command[500];
    (void)snprintf(command, sizeof(command),
                   "sqlite3 %s/okno.db \"SELECT survey FROM verdicts WHERE verdict = 'invalid'"
                   " LIMIT 1\"",
                   f->dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(ret_survey, (int)size, pipe));
    assert_int_equal(pclose(pipe), 0);
    ret_survey[strcspn(ret_survey, "\n")] = '\0';
}

static void appeal_and_decide(struct scratch_db *f)
{
    char survey[60];
    char *lease;
    okno_autojson json_t *item = NULL;
    scratch_db_put(f,
                   "INSERT INTO users (user, role, password_hash, created_at) VALUES"
                   " ('max', 'manager', '', 1), ('ann', 'expert', '', 1)");
    RUN_OKNO(&ran, "", "--data", f->dir, "user", "grant", "max", "--all-sites");
    assert_int_equal(ran.exit_code, 0);
    first_invalid(f, survey, sizeof(survey));
    TAKE(f, "SELECT count(*) FROM appeals", "review", "appeal", "--survey", survey, "--user", "max",
         "--asks", "valid", "--comment", "She was not there");
    RUN_OKNO(&ran, "", "--data", f->dir, "review", "rule", "1", "--user", "ann", "--json");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    item = json_loads(ran.out, 0, NULL);
    lease = strdup(json_string_value(json_object_get(item, "lease")));
    TAKE(f, "SELECT count(*) FROM appeal_decisions", "review", "rule", "1", "--user", "ann",
         "--lease", lease, "--outcome", "accept", "--comment", "True");
    free(lease);
}

/* Whole, as a bundle under its own name always is. */
static void verify_and_remove(struct scratch_db *f, const char *dir)
{
    struct okno_bundle_facts facts;
    char command[500];
    if (okno_bundle_verify(dir, NULL, &facts, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_int_equal(facts.sample, 30);
    assert_true(facts.signed_by_auditor);
    (void)snprintf(command, sizeof(command), "rm -r '%s'", dir);
    assert_int_equal(system(command), 0);
}

/* The bundle is there as a whole or not at all, whatever it is killed at. */
static void export_killed(struct scratch_db *f)
{
    static const char *const calls[] = {"mkdir", "openat", "write", "fsync", "rename", "pwrite64"};
    struct stat st;
    char dir[400];
    int kills = 0;
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    const char *args[] = {"audit", "export", "A1", "-o", dir, NULL};
    for (size_t i = 0; i < OKNO_COUNT(calls); i++) {
        bool killed = true;
        for (int number = 1; killed && number < 10 * KILLS_MAX; number += number < 8 ? 1 : 29) {
            killed = run_and_kill(f, args, calls[i], number);
            kills += killed;
            check_whole(f);
            if (lstat(dir, &st) == 0)
                verify_and_remove(f, dir);
            else
                assert_true(killed);
        }
    }
    finish(f, args);
    verify_and_remove(f, dir);
    assert_true(kills > 20);
}

static void killed_at_any_write_the_end_of_an_audit_goes_on(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    struct okno_note_signer signer = auditor_of(5);
    struct okno_audit_plan made = plan_of("A1");
    char sha256[OKNO_SHA256_TEXT];
    char path[400];
    char out[400];
    if (!can_kill())
        skip();
    folder = support_tempdir();
    (void)snprintf(path, sizeof(path), "%s/okno.conf", folder);
    must(f, okno_file_put(path, 0600, "review {\n    appeal_days = 3650\n}\n", 34, &f->err));
    (void)snprintf(out, sizeof(out), "%s/out", folder);
    made.looks = 2;
    made.auditor = "olga";
    add_site(f);
    register_auditor(f, OKNO_SIGNATURE_MINISIGN);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide_what_is_left(f);
    TAKE(f, "SELECT count(DISTINCT round) FROM audit_sample", "audit", "extend", "A1", "--size",
         "10");
    decide_what_is_left(f);
    TAKE(f, "SELECT count(*) FROM audits WHERE state = 'closed'", "audit", "close", "A1");
    TAKE(f, "SELECT count(*) FROM audit_reports", "audit", "report", "A1", "-o", out);
    appeal_and_decide(f);
    TAKE(f, "SELECT count(*) FROM audit_reports", "audit", "report", "A1", "--again", "-o", out);
    TAKE(f, "SELECT count(*) FROM audit_manifests", "audit", "sign", "A1", "--manifest", "-o", out);
    must(f, okno_signing_manifest(f->db, "A1", "olga", AT(215), &manifest, &f->err));
    must(f, okno_signature_make(&signer, OKNO_SIGNATURE_MINISIGN, OKNO_SIGNATURE_AUDIT,
                                manifest.data, manifest.len, &signature, &f->err));
    (void)snprintf(path, sizeof(path), "%s/signature", folder);
    must(f, okno_file_put(path, 0600, signature.data, signature.len, &f->err));
    TAKE(f, "SELECT count(*) FROM audit_signatures", "audit", "sign", "A1", "--signature", path);
    export_killed(f);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        killed_at_any_write_the_end_of_an_audit_goes_on, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
