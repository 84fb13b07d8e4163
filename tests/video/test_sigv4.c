#include "../../src/video/archive/sigv4.h"

#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The published examples of AWS, "Signature Calculations for the Authorization Header". */
static const struct sigv4 keys = {.key_id = "AKIAIOSFODNN7EXAMPLE",
                                  .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                  .region = "us-east-1",
                                  .service = "s3"};

static const char *signature_of(const char *url)
{
    static char text[1000];
    OKNO_AUTO_BUF lines = OKNO_BUF_INIT(4000);
    int64_t at_us = 0;
    assert_int_equal(okno_time_parse("2013-05-24T00:00:00Z", &at_us, NULL), 0);
    assert_int_equal(sigv4_sign(&keys, "GET", url, at_us, &lines, NULL), 0);
    (void)snprintf(text, sizeof(text), "%s", okno_buf_text(&lines));
    assert_null(strstr(text, keys.secret));
    char *at = strstr(text, "Signature=");
    assert_non_null(at);
    at[10 + 64] = '\0';
    return at + 10;
}

static void published_examples_are_met(void **state)
{
    (void)state;
    assert_string_equal(signature_of("https://examplebucket.s3.amazonaws.com/?lifecycle"),
                        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    assert_string_equal(signature_of("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"),
                        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void the_order_of_parameters_does_not_matter(void **state)
{
    (void)state;
    assert_string_equal(signature_of("https://examplebucket.s3.amazonaws.com?prefix=J&max-keys=2"),
                        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void a_request_without_a_host_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO_BUF lines = OKNO_BUF_INIT(4000);
    assert_int_equal(sigv4_sign(&keys, "GET", "/x", 0, &lines, NULL), OKNO_INVALID);
    assert_int_equal(lines.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples_are_met),
        cmocka_unit_test(the_order_of_parameters_does_not_matter),
        cmocka_unit_test(a_request_without_a_host_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
