/* The frame of the benchmarks, with benchmarks whose figures are known. */
#define _GNU_SOURCE
#include "tool.h"

#include <stdio.h>
#include <sys/stat.h>

static int setup(void **state)
{
    (void)state;
    return folder_make();
}

/* A benchmark of that name that does this. */
static void bench(const char *name, const char *text)
{
    char path[256];
    FILE *file = fopen(below(path, name), "we");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n. tools/bench/lib\n%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

static int measure(struct okno_buf *ret_text, const char *name)
{
    char command[256];
    (void)snprintf(command, sizeof(command),
                   "BENCH_RUNS=1 BENCH_FROM=%s tools/bench/run %s %s 2>&1", folder, folder, name);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    read_all(fileno(pipe), ret_text);
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_figure_stands_beside_its_reference(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    bench("good.sh",
          "at_least rows 150 300 rows/s 0.5; at_most memory 20 64 MiB 1;"
          "for_information other 1 3 s;"
          "echo better: $(lower '' 9) $(lower 10 9) $(higher 9 10) $(higher '' 3)");
    assert_int_equal(measure(&text, "good"), 0);
    assert_non_null(strstr(okno_buf_text(&text),
                           "rows | ours 150 rows/s | reference 300 rows/s | "
                           "ratio 0.50 | target >= 0.5 | pass"));
    assert_non_null(strstr(okno_buf_text(&text), "ratio 0.33 | target -      | info"));
    assert_non_null(strstr(okno_buf_text(&text), "better: 9 9 10 3"));
}

static void a_missed_target_is_exit_6(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    bench("slow.sh", "at_least rows 149 300 rows/s 0.5; at_most memory 65 64 MiB 1");
    assert_int_equal(measure(&text, "slow"), 6);
    assert_non_null(strstr(okno_buf_text(&text), "target >= 0.5 | FAIL"));
    assert_non_null(strstr(okno_buf_text(&text), "target <= 1   | FAIL"));
}

static void small_inputs_miss_no_target(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    bench("small.sh", "BENCH_QUICK=1; at_least rows 149 300 rows/s 0.5");
    assert_int_equal(measure(&text, "small"), 0);
    assert_non_null(strstr(okno_buf_text(&text), "target >= 0.5 | info"));
}

static void a_benchmark_that_breaks_off_is_exit_6(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    bench("broken.sh", "at_least rows 300 300 rows/s 0.5; exit 3");
    assert_int_equal(measure(&text, "broken"), 6);
    assert_non_null(strstr(okno_buf_text(&text), "broken | ours -"));
}

static void a_benchmark_that_is_not_there_is_wrong_usage(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    assert_int_equal(measure(&text, "nothing"), 2);
}

static void the_peak_of_a_program_is_told_and_its_end_passed_on(void **state)
{
    (void)state;
    OKNO_AUTO_BUF small = OKNO_BUF_INIT(OUTPUT_MAX);
    OKNO_AUTO_BUF large = OKNO_BUF_INIT(OUTPUT_MAX);
    /* dd takes a buffer of its block's size */
    assert_int_equal(
        RUN(&small, "peak", "/bin/dd", "if=/dev/zero", "of=/dev/null", "count=1", "status=none"),
        0);
    assert_int_equal(RUN(&large, "peak", "/bin/dd", "if=/dev/zero", "of=/dev/null", "count=1",
                         "bs=100M", "status=none"),
                     0);
    assert_true(strtod(okno_buf_text(&small), NULL) < 50);
    assert_in_range(strtod(okno_buf_text(&large), NULL), 100, 150);
    assert_int_equal(RUN(&small, "peak", "/bin/sh", "-c", "exit 7"), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_figure_stands_beside_its_reference),
        cmocka_unit_test(a_missed_target_is_exit_6),
        cmocka_unit_test(small_inputs_miss_no_target),
        cmocka_unit_test(a_benchmark_that_breaks_off_is_exit_6),
        cmocka_unit_test(a_benchmark_that_is_not_there_is_wrong_usage),
        cmocka_unit_test(the_peak_of_a_program_is_told_and_its_end_passed_on),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
