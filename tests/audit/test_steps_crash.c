#define _GNU_SOURCE
/* Commands of an audit are really killed, sooner or later in each: what stands then is the state
 * before the step or after it, and the next command goes on from there. */
#include "../report/bundle.h"

#include "run_okno.h"

#include <signal.h>
#include <time.h>

static struct ran ran;

/* Start `okno audit ...` and kill it after so many microseconds. */
static void run_and_kill(const struct scratch_db *f, const char *const *args, long after_us)
{
    char *argv[16] = {"okno", "--data", (char *)(uintptr_t)f->dir, "audit"};
    posix_spawn_file_actions_t actions;
    const char *okno = getenv("OKNO");
    pid_t pid = 0;
    int status = 0;
    for (size_t i = 0; args[i]; i++)
        argv[4 + i] = (char *)(uintptr_t)args[i];
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawn(&pid, okno ? okno : "build/okno", &actions, NULL, argv, environ),
                     0);
    (void)posix_spawn_file_actions_destroy(&actions);
    const struct timespec pause = {.tv_nsec = after_us * 1000};
    (void)nanosleep(&pause, NULL); /* the moment of the kill, not a wait for something */
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void state_of(const struct scratch_db *f, char *ret_state, size_t size)
{
    RUN_OKNO(&ran, "", "--data", f->dir, "audit", "status", "A1", "--json");
    assert_int_equal(ran.exit_code, 0);
    okno_autojson json_t *status = json_loads(ran.out, 0, NULL);
    assert_non_null(status);
    (void)snprintf(ret_state, size, "%s", json_string_value(json_object_get(status, "state")));
}

static int64_t rounds_of(struct scratch_db *f)
{
    return asked(f, "SELECT count(DISTINCT round) FROM audit_sample");
}

/* What stands is whole: each step has its entry, the sample its items. */
static void check_whole(struct scratch_db *f)
{
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_steps"),
                     asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'step'"));
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample"),
                     asked(f, "SELECT count(*) FROM review_items WHERE origin = 'random'"));
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audits a WHERE coalesce(frame_size, 0) <>"
                           " (SELECT count(*) FROM audit_frame f WHERE f.audit = a.audit)"),
                     0);
}

/* Kill later and later until the step is done, or let it do its work after so many kills. */
static void take(struct scratch_db *f, const char *const *args, const char *before,
                 const char *after, int64_t rounds)
{
    char state[20];
    bool done = false;
    for (long after_us = 500; !done && after_us < 60000; after_us += after_us / 2 + 700) {
        run_and_kill(f, args, after_us);
        check_whole(f);
        state_of(f, state, sizeof(state));
        done = strcmp(state, after) == 0 && rounds_of(f) == rounds;
        if (!done)
            assert_string_equal(state, before);
    }
    if (!done) {
        const char *all[16] = {"--data", f->dir, "audit"};
        for (size_t i = 0; args[i]; i++)
            all[3 + i] = args[i];
        run_okno_bytes("", 0, all, &ran);
        if (ran.exit_code != 0)
            fail_msg("%s: %s", args[0], ran.err);
    }
    state_of(f, state, sizeof(state));
    assert_string_equal(state, after);
}

static void killed_anywhere_an_audit_goes_on(void **state)
{
    struct scratch_db *f = *state;
    struct okno_bundle_facts facts;
    struct okno_audit_plan made = plan_of("A1");
    static const struct {
        const char *args[6], *before, *after;
        int64_t rounds;
    } steps[] = {
        {{"freeze", "A1"}, "planned", "frozen", 0},
        {{"checkpoint", "A1"}, "frozen", "checkpointed", 0},
        {{"seed", "A1", "--seed", DICE}, "checkpointed", "seeded", 0},
        {{"draw", "A1"}, "seeded", "drawn", 1},
        {{"extend", "A1", "--size", "10"}, "drawn", "drawn", 2},
    };
    made.looks = 2;
    add_site(f);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    for (size_t i = 0; i < OKNO_COUNT(steps); i++)
        take(f, steps[i].args, steps[i].before, steps[i].after, steps[i].rounds);
    for (int number = 0; decide(f, number);)
        number++;
    static const char *const end[] = {"close", "A1", NULL};
    take(f, end, "drawn", "closed", 2);
    char *folder = support_tempdir();
    char dir[300];
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    export_to(f, dir, false);
    if (okno_bundle_verify(dir, NULL, &facts, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_int_equal(facts.sample, 30);
    support_tempdir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(killed_anywhere_an_audit_goes_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
