/* Inputs that fuzzing found or that people thought of, once more. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "okno/buf.h"
#include "okno/mem.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void replay_file(const char *path, void (*target)(const uint8_t *, size_t))
{
    OKNO_AUTO_BUF bytes = OKNO_BUF_INIT(1 << 20);
    char block[4096];
    size_t got;
    okno_autofclose FILE *file = fopen(path, "re");
    assert_non_null(file);
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        assert_int_equal(okno_buf_add(&bytes, block, got, NULL), 0);
    target((const uint8_t *)okno_buf_text(&bytes), bytes.len);
}

static void replay(const char *name, void (*target)(const uint8_t *, size_t))
{
    char dir[128];
    char path[512];
    const struct dirent *entry;
    int count = 0;
    (void)snprintf(dir, sizeof(dir), "fixtures/fuzz/%s", name);
    DIR *files = opendir(dir);
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        replay_file(path, target);
        count++;
    }
    (void)closedir(files);
    assert_true(count >= 5);
}

#define TEST(name)                                                                                 \
    static void every_kept_input_of_##name##_is_taken_without_harm(void **state)                   \
    {                                                                                              \
        (void)state;                                                                               \
        replay(#name, fuzz_##name);                                                                \
    }
FUZZ_TARGETS(TEST)
#undef TEST

int main(void)
{
#define ROW(name) cmocka_unit_test(every_kept_input_of_##name##_is_taken_without_harm),
    const struct CMUnitTest tests[] = {FUZZ_TARGETS(ROW)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
