#include "okno/address.h"

#include "okno/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int check(const char *rule_text, const char *host, const char *address, struct okno_err *err)
{
    struct okno_address_rule rule;
    struct sockaddr_storage at = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&at;
    assert_int_equal(okno_address_rule_parse(rule_text, &rule, NULL), 0);
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1)
        at.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1)
        at.ss_family = AF_INET6;
    else
        fail_msg("%s", address);
    return okno_address_check(&rule, host, (const struct sockaddr *)(const void *)&at, err);
}

static void a_name_leads_to_recorders_only(void **state)
{
    (void)state;
    static const struct {
        const char *host, *address;
        int code;
    } rows[] = {{"nvr.shop.example", "192.168.7.4", 0},
                {"nvr.shop.example", "203.0.113.9", 0},
                {"nvr.shop.example", "fd12::4", 0},
                {"nvr.shop.example", "127.0.0.1", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "127.8.8.8", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "::1", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "::ffff:127.0.0.1", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "64:ff9b::7f00:1", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "2002:7f00:1::", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "169.254.169.254", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "fe80::1", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "0.0.0.0", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "::", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "239.1.2.3", OKNO_ARCHIVE_REFUSED},
                {"nvr.shop.example", "255.255.255.255", OKNO_ARCHIVE_REFUSED},
                {"localhost", "127.0.0.1", 0},
                {"localhost", "::1", 0},
                {"nvr.localhost", "127.0.0.1", 0},
                {"localhost", "169.254.1.1", OKNO_ARCHIVE_REFUSED},
                {"127.0.0.1", "127.0.0.1", 0},
                {"[::1]", "::1", 0},
                {"169.254.3.4", "169.254.3.4", 0},
                {"127.0.0.1", "127.0.0.2", OKNO_ARCHIVE_REFUSED}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct okno_err err = {0};
        if (check("", rows[i].host, rows[i].address, &err) != rows[i].code)
            fail_msg("%s as %s: %s", rows[i].host, rows[i].address, err.text);
        if (rows[i].code)
            assert_non_null(strstr(err.text, rows[i].host));
    }
}

static void a_list_is_all_that_counts(void **state)
{
    (void)state;
    const char *list = "10.0.0.0/8, 192.168.7.4 fd00::/8";
    assert_int_equal(check(list, "nvr", "10.255.0.1", NULL), 0);
    assert_int_equal(check(list, "nvr", "192.168.7.4", NULL), 0);
    assert_int_equal(check(list, "nvr", "fdff::1", NULL), 0);
    assert_int_equal(check(list, "nvr", "192.168.7.5", NULL), OKNO_ARCHIVE_REFUSED);
    assert_int_equal(check(list, "192.168.7.5", "192.168.7.5", NULL), OKNO_ARCHIVE_REFUSED);
    assert_int_equal(check(list, "nvr", "fc00::1", NULL), OKNO_ARCHIVE_REFUSED);
    assert_int_equal(check("127.0.0.0/8", "nvr", "127.0.0.1", NULL), 0);
    assert_int_equal(check("10.0.0.0/9", "nvr", "10.128.0.1", NULL), OKNO_ARCHIVE_REFUSED);
}

static void a_wrong_list_names_its_entry(void **state)
{
    (void)state;
    static const char *const wrong[] = {"10.0.0.0/33", "10.0.0",           "fd00::/129",
                                        "10.0.0.0/x",  "nvr.shop.example", "10.0.0.0/"};
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        struct okno_address_rule rule;
        struct okno_err err = {0};
        if (okno_address_rule_parse(wrong[i], &rule, &err) != OKNO_INVALID)
            fail_msg("%s", wrong[i]);
        assert_non_null(strstr(err.text, wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_leads_to_recorders_only),
        cmocka_unit_test(a_list_is_all_that_counts),
        cmocka_unit_test(a_wrong_list_names_its_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
