/* Tokens of devices: shown once, kept as a hash, dated, revoked for good. */
#define _GNU_SOURCE
#include "../support/scratch_db.h"

#include "okno/hash.h"
#include "okno/token.h"

#include <string.h>

static int open_db(void **state)
{
    *state = scratch_db_new();
    return 0;
}

static int close_db(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void made(struct scratch_db *s, const char *device, const char *label, int64_t at_us,
                 char token[OKNO_TOKEN_TEXT])
{
    assert_int_equal(okno_token_add(s->db, device, label, at_us, token, &s->err), 0);
}

static const char *id_of(const char *token)
{
    static char id[OKNO_TOKEN_ID_TEXT];
    char hash[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(token, strlen(token), digest);
    (void)snprintf(id, sizeof(id), "%.12s", okno_hash_hex(digest, hash));
    return id;
}

static void a_token_speaks_for_its_device(void **state)
{
    struct scratch_db *s = *state;
    char token[OKNO_TOKEN_TEXT];
    char other[OKNO_TOKEN_TEXT];
    char device[OKNO_ID_TEXT] = "";
    made(s, "D1", "", 1, token);
    made(s, "D2", "", 2, other);
    assert_int_equal(strlen(token), 64);
    assert_int_equal(strspn(token, "0123456789abcdef"), 64);
    assert_string_not_equal(token, other);
    assert_int_equal(okno_token_find(s->db, token, device, &s->err), 0);
    assert_string_equal(device, "D1");
    assert_int_equal(okno_token_find(s->db, other, device, &s->err), 0);
    assert_string_equal(device, "D2");
}

static void a_code_on_paper_gets_no_token(void **state)
{
    struct scratch_db *s = *state;
    char token[OKNO_TOKEN_TEXT] = "untouched";
    assert_int_equal(okno_token_add(s->db, "qr-ABCDEFGH", "", 1, token, &s->err), OKNO_REFUSED);
    assert_string_equal(s->err.field, "device");
    assert_string_equal(token, "untouched");
}

static void what_is_kept_does_not_open_anything(void **state)
{
    struct scratch_db *s = *state;
    char token[OKNO_TOKEN_TEXT];
    char device[OKNO_ID_TEXT] = "untouched";
    char hash[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    made(s, "D1", "", 1, token);
    okno_hash_bytes(token, strlen(token), digest);
    assert_int_equal(okno_token_find(s->db, okno_hash_hex(digest, hash), device, &s->err),
                     OKNO_UNAUTHENTICATED);
    assert_string_equal(device, "untouched");
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/okno.db-wal", s->dir);
    okno_autofclose FILE *file = fopen(path, "re");
    assert_non_null(file);
    static char bytes[1U << 20];
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    assert_null(memmem(bytes, len, token, strlen(token)));
    assert_non_null(memmem(bytes, len, hash, strlen(hash)));
}

static void a_revoked_token_opens_nothing_and_stays_in_the_list_with_its_dates(void **state)
{
    struct scratch_db *s = *state;
    OKNO_AUTO_VEC(okno_token_vec) tokens = {0};
    char first[OKNO_TOKEN_TEXT];
    char second[OKNO_TOKEN_TEXT];
    char device[OKNO_ID_TEXT];
    made(s, "D1", "old", 10, first);
    made(s, "D1", "new", 20, second);
    assert_int_equal(okno_token_revoke(s->db, id_of(first), 30, &s->err), 0);
    assert_int_equal(okno_token_find(s->db, first, device, &s->err), OKNO_UNAUTHENTICATED);
    okno_err_clear(&s->err);
    assert_int_equal(okno_token_find(s->db, second, device, &s->err), 0);
    assert_int_equal(okno_token_list(s->db, "D1", &tokens, &s->err), 0);
    assert_int_equal(tokens.len, 2);
    assert_string_equal(tokens.items[0].label, "old");
    assert_string_equal(tokens.items[0].id, id_of(first));
    assert_int_equal(tokens.items[0].created_us, 10);
    assert_int_equal(tokens.items[0].revoked_us, 30);
    assert_string_equal(tokens.items[1].label, "new");
    assert_int_equal(tokens.items[1].revoked_us, 0);
}

static void revoking_twice_is_refused_and_keeps_the_first_date(void **state)
{
    struct scratch_db *s = *state;
    OKNO_AUTO_VEC(okno_token_vec) tokens = {0};
    char token[OKNO_TOKEN_TEXT];
    made(s, "D1", "", 10, token);
    assert_int_equal(okno_token_revoke(s->db, id_of(token), 30, &s->err), 0);
    assert_int_equal(okno_token_revoke(s->db, id_of(token), 40, &s->err), OKNO_REFUSED);
    assert_non_null(strstr(s->err.text, "1970-01-01T00:00:00."));
    assert_int_equal(okno_token_list(s->db, NULL, &tokens, &s->err), 0);
    assert_int_equal(tokens.items[0].revoked_us, 30);
}

static void an_unknown_token_cannot_be_revoked(void **state)
{
    struct scratch_db *s = *state;
    assert_int_equal(okno_token_revoke(s->db, "000000000000", 1, &s->err), OKNO_NOT_FOUND);
    assert_non_null(strstr(s->err.text, "token list"));
}

static void the_list_is_by_device_and_age(void **state)
{
    struct scratch_db *s = *state;
    OKNO_AUTO_VEC(okno_token_vec) all = {0};
    OKNO_AUTO_VEC(okno_token_vec) one = {0};
    char token[OKNO_TOKEN_TEXT];
    made(s, "D2", "c", 1, token);
    made(s, "D1", "b", 9, token);
    made(s, "D1", "a", 3, token);
    assert_int_equal(okno_token_list(s->db, NULL, &all, &s->err), 0);
    assert_int_equal(all.len, 3);
    assert_string_equal(all.items[0].label, "a");
    assert_string_equal(all.items[1].label, "b");
    assert_string_equal(all.items[2].label, "c");
    assert_int_equal(okno_token_list(s->db, "D2", &one, &s->err), 0);
    assert_int_equal(one.len, 1);
}

static void names_that_cannot_be_are_refused(void **state)
{
    struct scratch_db *s = *state;
    static char long_label[OKNO_TOKEN_LABEL_MAX + 2];
    memset(long_label, 'x', sizeof(long_label) - 1);
    static const struct {
        const char *device, *label, *field;
    } cases[] = {{"", "", "device"},
                 {"D 1", "", "device"},
                 {"D1", long_label, "label"},
                 {"D1", "a\033[2Jb", "label"},
                 {"D1", "\xff", "label"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        char token[OKNO_TOKEN_TEXT] = "untouched";
        struct okno_err err = {0};
        assert_int_equal(okno_token_add(s->db, cases[i].device, cases[i].label, 1, token, &err),
                         OKNO_INVALID);
        assert_string_equal(err.field, cases[i].field);
        assert_string_equal(token, "untouched");
    }
    long_label[OKNO_TOKEN_LABEL_MAX] = '\0';
    char token[OKNO_TOKEN_TEXT];
    made(s, "D1", long_label, 1, token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_speaks_for_its_device, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_code_on_paper_gets_no_token, open_db, close_db),
        cmocka_unit_test_setup_teardown(what_is_kept_does_not_open_anything, open_db, close_db),
        cmocka_unit_test_setup_teardown(
            a_revoked_token_opens_nothing_and_stays_in_the_list_with_its_dates, open_db, close_db),
        cmocka_unit_test_setup_teardown(revoking_twice_is_refused_and_keeps_the_first_date, open_db,
                                        close_db),
        cmocka_unit_test_setup_teardown(an_unknown_token_cannot_be_revoked, open_db, close_db),
        cmocka_unit_test_setup_teardown(the_list_is_by_device_and_age, open_db, close_db),
        cmocka_unit_test_setup_teardown(names_that_cannot_be_are_refused, open_db, close_db),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
