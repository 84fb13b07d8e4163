#define _POSIX_C_SOURCE 200809L
#include "okno/evidence.h"

#include "../support/scratch_db.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* SHA-256 of "abc", FIPS 180-4. */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static int setup(void **state)
{
    *state = scratch_db_new();
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char inner[1500];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (unlink(inner) < 0)
            remove_tree(inner);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

static int teardown(void **state)
{
    struct scratch_db *f = *state;
    char path[80];
    (void)snprintf(path, sizeof(path), "%s/evidence", f->dir);
    remove_tree(path);
    scratch_db_free(f);
    return 0;
}

static void write_abc(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "abc", 3), 3);
    (void)close(fd);
}

static void keep_abc(struct scratch_db *f, struct okno_evidence *e)
{
    char temp[1300];
    assert_int_equal(okno_evidence_temp(f->dir, "still", temp, sizeof(temp), &f->err), 0);
    write_abc(temp);
    assert_int_equal(okno_evidence_keep(f->dir, temp, e, &f->err), 0);
    assert_int_equal(access(temp, F_OK), -1);
}

static void a_file_is_kept_read_only_under_its_hash(void **state)
{
    struct scratch_db *f = *state;
    struct okno_evidence e = {.kind = "still"};
    struct stat st;
    char path[1300];
    char expected[1300];
    keep_abc(f, &e);
    assert_string_equal(e.sha256, abc);
    assert_int_equal(e.bytes, 3);
    assert_int_equal(okno_evidence_path(f->dir, e.sha256, path, sizeof(path), &f->err), 0);
    (void)snprintf(expected, sizeof(expected), "%s/evidence/ba/%s", f->dir, abc);
    assert_string_equal(path, expected);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
}

static void the_same_bytes_twice_are_one_file(void **state)
{
    struct scratch_db *f = *state;
    struct okno_evidence first = {.kind = "still"};
    struct okno_evidence second = {.kind = "still"};
    keep_abc(f, &first);
    keep_abc(f, &second);
    assert_string_equal(first.sha256, second.sha256);
}

static void a_name_that_is_no_hash_is_refused(void **state)
{
    struct scratch_db *f = *state;
    static const char *const names[] = {
        "",
        "..",
        "../../etc/passwd",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0"};
    char path[1300];
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        assert_int_equal(okno_evidence_path(f->dir, names[i], path, sizeof(path), NULL),
                         OKNO_INVALID);
}

static void what_cannot_be_kept_leaves_no_temporary_file(void **state)
{
    struct scratch_db *f = *state;
    struct okno_evidence e = {.kind = "still"};
    char temp[1300];
    char blocker[200];
    assert_int_equal(okno_evidence_temp(f->dir, "still", temp, sizeof(temp), &f->err), 0);
    (void)snprintf(blocker, sizeof(blocker), "%s/evidence/ba", f->dir);
    write_abc(blocker); /* a file where the folder has to be */
    write_abc(temp);
    assert_true(okno_evidence_keep(f->dir, temp, &e, &f->err) < 0);
    assert_non_null(strstr(f->err.text, "/evidence/"));
    assert_int_equal(access(temp, F_OK), -1);
}

static struct okno_evidence sample(void)
{
    struct okno_evidence e = {.survey = "b.0.1",
                              .camera = "cam1",
                              .kind = "still",
                              .bytes = 3,
                              .media_type = "image/jpeg",
                              .codec = "mjpeg",
                              .asked_from_us = 1000000,
                              .asked_to_us = 1000000,
                              .got_from_us = 900000,
                              .got_to_us = 1000000,
                              .frame_at_us = 900000,
                              .gaps = "[[1000000,2000000]]",
                              .source = "[]",
                              .index_offset_us = 7400000,
                              .uncertainty_us = 70000,
                              .requests = 3,
                              .bytes_read = 4711,
                              .made_at_us = 5};
    (void)snprintf(e.sha256, sizeof(e.sha256), "%s", abc);
    return e;
}

static void a_row_comes_back_as_it_was_added(void **state)
{
    struct scratch_db *f = *state;
    struct okno_evidence e = sample();
    struct okno_evidence found;
    assert_int_equal(okno_evidence_find(f->db, "b.0.1", "still", &found, NULL), OKNO_NOT_FOUND);
    assert_int_equal(okno_evidence_add(f->db, &e, &f->err), 0);
    assert_int_equal(okno_evidence_find(f->db, "b.0.1", "still", &found, &f->err), 0);
    assert_int_equal(found.id, e.id);
    assert_string_equal(found.sha256, abc);
    assert_string_equal(found.camera, "cam1");
    assert_int_equal(found.frame_at_us, 900000);
    assert_int_equal(found.index_offset_us, 7400000);
    assert_int_equal(okno_evidence_find(f->db, "b.0.1", "clip", &found, NULL), OKNO_NOT_FOUND);
}

static void its_json_has_the_promised_fields(void **state)
{
    struct scratch_db *f = *state;
    static const char *const fields[] = {
        "survey",   "kind",       "path",           "sha256",   "bytes",     "codec",
        "derived",  "asked_from", "asked_to",       "got_from", "got_to",    "gaps",
        "frame_at", "offset_ms",  "uncertainty_ms", "requests", "bytes_read"};
    struct okno_evidence e = sample();
    okno_autojson json_t *json = okno_evidence_json(f->dir, &e);
    for (size_t i = 0; i < OKNO_COUNT(fields); i++)
        if (!json_object_get(json, fields[i]))
            fail_msg("%s is missing", fields[i]);
    assert_string_equal(json_string_value(json_object_get(json, "frame_at")),
                        "1970-01-01T00:00:00.900Z");
    assert_int_equal(json_integer_value(json_object_get(json, "offset_ms")), 7400);
    json_t *gap = json_array_get(json_object_get(json, "gaps"), 0);
    assert_string_equal(json_string_value(json_array_get(gap, 1)), "1970-01-01T00:00:02.000Z");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_kept_read_only_under_its_hash),
        CASE(the_same_bytes_twice_are_one_file),
        CASE(a_name_that_is_no_hash_is_refused),
        CASE(what_cannot_be_kept_leaves_no_temporary_file),
        CASE(a_row_comes_back_as_it_was_added),
        CASE(its_json_has_the_promised_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
