#define _GNU_SOURCE
/* The commands of a report that draw its sample again, run as they are printed. */
#include "bundle.h"

static const char run[] =
    "set -e; cd %s; python3 - data/report.html > redraw.sh <<'END'\n"
    "import html, re, sys\n"
    "page = open(sys.argv[1], encoding='utf-8').read()\n"
    "code = [html.unescape(c) for c in re.findall(r'<pre[^>]*>(.*?)</pre>', page, re.S)]\n"
    "print(next(c for c in code if 'okno sample' in c))\n"
    "END\n"
    "mv redraw.sh ..; ls > ../before; PATH=$(dirname $OKNO):/usr/bin:/bin sh -e ../redraw.sh > "
    "../said;"
    "ls | cmp - ../before; test \"$(tail -n 1 ../said)\" = same;"
    "sed -i '2s/,0[.]/,0.1/' data/sample.csv;"
    "! PATH=$(dirname $OKNO):/usr/bin:/bin sh -e ../redraw.sh > ../said 2> ../said.too;"
    "! grep -q same ../said";

static void redraws(struct scratch_db *f, const struct okno_audit_plan *plan, int64_t more)
{
    char *folder = support_tempdir();
    char sha256[OKNO_SHA256_TEXT];
    char dir[300];
    char command[2000];
    char said[8000];
    int64_t drawn = 0;
    add_site(f);
    must(f, okno_audit_plan(f->db, plan, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    if (more)
        must(f, okno_audit_extend(f->db, "A1", more, "eva", AT(65), &drawn, &f->err));
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    (void)snprintf(dir, sizeof(dir), "%s/bundle", folder);
    export_to(f, dir, true);
    recheck(dir, said, sizeof(said));
    assert_non_null(strstr(said, plan->sampling.with_replacement ? "SKIPPED sample\n"
                                                                 : "OK sample\nOK decisions"));
    (void)snprintf(command, sizeof(command), run, dir);
    if (system(command) != 0)
        fail_msg("`cd %s; sh redraw.sh` fails", dir);
    support_tempdir_remove(folder);
}

static void a_plain_sample(void **state)
{
    struct okno_audit_plan plan = plan_of("A1");
    redraws(*state, &plan, 0);
}

static void a_sample_by_strata_in_two_rounds_without_silent_ones(void **state)
{
    struct okno_audit_plan plan = plan_of("A1");
    plan.sampling = (struct okno_sampling){
        .strata = OKNO_STRATA_POINT | OKNO_STRATA_ANSWER, .silent_known = true, .least = 2};
    plan.looks = 2;
    redraws(*state, &plan, 9);
}

static void a_sample_with_replacement(void **state)
{
    struct okno_audit_plan plan = plan_of("A1");
    plan.sampling = (struct okno_sampling){.with_replacement = true};
    plan.size = 50;
    redraws(*state, &plan, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_sample),
        TEST(a_sample_by_strata_in_two_rounds_without_silent_ones),
        TEST(a_sample_with_replacement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
