#include "okno/mem.h"
#include "okno/time.h"
#include "okno/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PASSWORD "correct horse"

static struct okno_db *db;
static struct okno_err err;

static int add(const char *login, const char *role, const char *language, const char *password)
{
    struct okno_user user = {0};
    (void)snprintf(user.user, sizeof(user.user), "%s", login);
    (void)snprintf(user.name, sizeof(user.name), "Anna");
    (void)snprintf(user.role, sizeof(user.role), "%s", role);
    (void)snprintf(user.language, sizeof(user.language), "%s", language);
    okno_err_clear(&err);
    return okno_user_add(db, &user, password, &err);
}

static int setup(void **state)
{
    (void)state;
    err = (struct okno_err){0};
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    assert_int_equal(add("anna", "expert", "ru", PASSWORD), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    okno_db_close(db);
    return 0;
}

static int verify(const char *login, const char *password, struct okno_user *ret_user)
{
    okno_err_clear(&err);
    return okno_user_verify(db, login, password, ret_user, &err);
}

static void the_right_password_tells_who_it_is(void **state)
{
    (void)state;
    struct okno_user user;
    assert_int_equal(verify("anna", PASSWORD, &user), 0);
    assert_string_equal(user.user, "anna");
    assert_string_equal(user.name, "Anna");
    assert_string_equal(user.role, "expert");
    assert_string_equal(user.language, "ru");
    assert_false(user.disabled);
}

static void every_wrong_login_gets_one_answer(void **state)
{
    (void)state;
    static char long_password[5000];
    memset(long_password, 'x', sizeof(long_password) - 1);
    const char *const wrong[][2] = {
        {"anna", "correct horsE"}, {"anna", ""},   {"anna", long_password},
        {"nobody", PASSWORD},      {"", PASSWORD}, {"ANNA", PASSWORD},
        {NULL, PASSWORD}};
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        struct okno_user user = {.user = "untouched"};
        assert_int_equal(verify(wrong[i][0], wrong[i][1], &user), OKNO_UNAUTHENTICATED);
        assert_string_equal(err.text, "unknown user or wrong password");
        assert_string_equal(user.user, "untouched");
    }
}

static int64_t time_of(const char *login, const char *password)
{
    struct okno_user user;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        int64_t start = okno_time_monotonic();
        (void)verify(login, password, &user);
        int64_t took = okno_time_monotonic() - start;
        best = took < best ? took : best;
    }
    return best;
}

/* Without the work for an unknown user the difference is a factor of thousands. */
static void an_unknown_user_costs_as_much_as_a_wrong_password(void **state)
{
    (void)state;
    int64_t wrong = time_of("anna", "wrong password");
    int64_t unknown = time_of("nobody", "wrong password");
    assert_true(unknown > wrong / 4 && unknown < wrong * 4);
}

static void the_password_itself_is_not_kept(void **state)
{
    (void)state;
    OKNO_AUTO_STMT *stmt = NULL;
    assert_int_equal(
        OKNO_DB_PREPARE(db, "registry.get_users", &stmt, &err, OKNO_TEXT("user", "anna")), 0);
    assert_int_equal(okno_stmt_step(stmt, &err), 1);
    const char *hash = okno_stmt_text(stmt, "password_hash");
    assert_memory_equal(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31);
    assert_null(strstr(hash, "horse"));
}

static void what_is_not_allowed_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(add("an na", "expert", "en", PASSWORD), OKNO_INVALID);
    assert_string_equal(err.field, "user");
    assert_int_equal(add("bob", "boss", "en", PASSWORD), OKNO_INVALID);
    assert_string_equal(err.field, "role");
    assert_int_equal(add("bob", "expert", "de", PASSWORD), OKNO_INVALID);
    assert_string_equal(err.field, "language");
    assert_int_equal(add("bob", "expert", "en", "123456789"), OKNO_INVALID);
    assert_string_equal(err.field, "password");
    assert_int_equal(add("bob", "expert", "en", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                     OKNO_INVALID);
    assert_int_equal(add("anna", "manager", "en", PASSWORD), OKNO_CONFLICT);
    struct okno_user nobody = {.user = "bob", .role = "staff", .language = "en", .employee = "E9"};
    okno_err_clear(&err);
    assert_int_equal(okno_user_add(db, &nobody, PASSWORD, &err), OKNO_UNKNOWN_REF);
    struct okno_user user;
    assert_int_equal(verify("anna", PASSWORD, &user), 0);
    assert_string_equal(user.role, "expert");
}

static void a_password_counts_characters_not_bytes(void **state)
{
    (void)state;
    /* nine and ten Cyrillic letters */
    assert_int_equal(add("bob", "expert", "ru", "абвгдежзи"), OKNO_INVALID);
    assert_int_equal(add("bob", "expert", "ru", "абвгдежзик"), 0);
}

static void a_new_password_replaces_the_old_and_ends_logins(void **state)
{
    (void)state;
    struct okno_user user;
    char token[OKNO_TOKEN_TEXT];
    assert_int_equal(okno_session_create(db, "anna", 1000, 0, token, &err), 0);
    assert_int_equal(okno_user_set_password(db, "anna", "another horse", &err), 0);
    assert_int_equal(verify("anna", PASSWORD, &user), OKNO_UNAUTHENTICATED);
    assert_int_equal(verify("anna", "another horse", &user), 0);
    assert_int_equal(okno_session_find(db, token, 1, &user, &err), OKNO_UNAUTHENTICATED);
    okno_err_clear(&err);
    assert_int_equal(okno_user_set_password(db, "nobody", "another horse", &err), OKNO_NOT_FOUND);
}

static void a_disabled_user_is_out_at_once(void **state)
{
    (void)state;
    struct okno_user user;
    char token[OKNO_TOKEN_TEXT];
    assert_int_equal(okno_session_create(db, "anna", 1000, 0, token, &err), 0);
    assert_int_equal(okno_user_set_disabled(db, "anna", true, &err), 0);
    assert_int_equal(okno_session_find(db, token, 1, &user, &err), OKNO_UNAUTHENTICATED);
    assert_int_equal(verify("anna", PASSWORD, &user), OKNO_UNAUTHENTICATED);
    assert_int_equal(okno_user_set_disabled(db, "anna", false, NULL), 0);
    assert_int_equal(verify("anna", PASSWORD, &user), 0);
}

static void a_session_lives_until_its_end(void **state)
{
    (void)state;
    struct okno_user user;
    char token[OKNO_TOKEN_TEXT];
    char other[OKNO_TOKEN_TEXT];
    assert_int_equal(okno_session_create(db, "anna", 1000, 5000, token, &err), 0);
    assert_int_equal(okno_session_create(db, "anna", 1000, 5000, other, &err), 0);
    assert_int_equal(strlen(token), 64);
    assert_string_not_equal(token, other);
    assert_int_equal(okno_session_find(db, token, 5999, &user, &err), 0);
    assert_string_equal(user.user, "anna");
    assert_int_equal(okno_session_find(db, token, 6000, &user, &err), OKNO_UNAUTHENTICATED);
    okno_err_clear(&err);
    assert_int_equal(okno_session_delete(db, token, &err), 0);
    assert_int_equal(okno_session_find(db, token, 5999, &user, &err), OKNO_UNAUTHENTICATED);
    assert_int_equal(okno_session_find(db, other, 5999, &user, NULL), 0);
    assert_int_equal(okno_session_find(db, "", 5999, &user, NULL), OKNO_UNAUTHENTICATED);
}

static void the_token_is_not_kept_and_old_sessions_go(void **state)
{
    (void)state;
    char token[OKNO_TOKEN_TEXT];
    int64_t changes = -1;
    assert_int_equal(okno_session_create(db, "anna", 1000, 0, token, &err), 0);
    assert_int_equal(
        OKNO_DB_RUN(db, "registry.delete_session", &changes, &err, OKNO_TEXT("token_hash", token)),
        0);
    assert_int_equal(changes, 0);
    assert_int_equal(okno_session_create(db, "anna", 1000, 1000, token, &err), 0);
    assert_int_equal(
        OKNO_DB_RUN(db, "registry.delete_sessions", &changes, &err, OKNO_TEXT("user", "anna")), 0);
    assert_int_equal(changes, 1);
}

static void users_are_listed_by_login(void **state)
{
    (void)state;
    struct okno_user_vec users = {0};
    struct okno_user user;
    assert_int_equal(add("aaron", "manager", "en", PASSWORD), 0);
    assert_int_equal(okno_user_list(db, &users, &err), 0);
    assert_int_equal(users.len, 2);
    assert_string_equal(users.items[0].user, "aaron");
    okno_user_vec_free(&users);
    assert_int_equal(okno_user_set_language(db, "aaron", "ru", &err), 0);
    assert_int_equal(okno_user_get(db, "aaron", &user, &err), 0);
    assert_string_equal(user.language, "ru");
    assert_int_equal(okno_user_set_language(db, "aaron", "xx", NULL), OKNO_INVALID);
    assert_int_equal(okno_user_get(db, "nobody", &user, &err), OKNO_NOT_FOUND);
}

static void a_made_password_is_long_and_new_each_time(void **state)
{
    (void)state;
    char one[OKNO_PASSWORD_TEXT];
    char two[OKNO_PASSWORD_TEXT];
    assert_int_equal(strlen(okno_user_make_password(one)), 23);
    assert_int_equal(strspn(one, "abcdefghijkmnpqrstuvwxyz23456789-"), 23);
    assert_string_not_equal(one, okno_user_make_password(two));
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(the_right_password_tells_who_it_is),
        WITH_DB(every_wrong_login_gets_one_answer),
        WITH_DB(an_unknown_user_costs_as_much_as_a_wrong_password),
        WITH_DB(the_password_itself_is_not_kept),
        WITH_DB(what_is_not_allowed_is_refused_by_name),
        WITH_DB(a_password_counts_characters_not_bytes),
        WITH_DB(a_new_password_replaces_the_old_and_ends_logins),
        WITH_DB(a_disabled_user_is_out_at_once),
        WITH_DB(a_session_lives_until_its_end),
        WITH_DB(the_token_is_not_kept_and_old_sessions_go),
        WITH_DB(users_are_listed_by_login),
        WITH_DB(a_made_password_is_long_and_new_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
