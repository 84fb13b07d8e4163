/* Letters as they go over the wire: what people wrote makes no header and no part. */
#include "okno/mail.h"
#include "okno/time.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct okno_mail plain_mail(void)
{
    return (struct okno_mail){.from = "okno@example.org",
                              .to = "boss@example.org",
                              .subject = "Negative rating",
                              .text = "Till 1\n",
                              .id = "0123abc",
                              .at_us = INT64_C(1772531234) * OKNO_SECOND_US};
}

static char *compose(const struct okno_mail *mail)
{
    struct okno_buf buf = OKNO_BUF_INIT(1 << 20);
    struct okno_err err = {0};
    if (okno_mail_compose(mail, &buf, &err) < 0)
        fail_msg("%s", err.text);
    return buf.data;
}

static void a_plain_letter_is_plain(void **state)
{
    (void)state;
    struct okno_mail mail = plain_mail();
    char *text = compose(&mail);
    assert_string_equal(text,
                        "Date: Tue, 3 Mar 2026 09:47:14 +0000\r\n"
                        "From: okno <okno@example.org>\r\n"
                        "To: <boss@example.org>\r\n"
                        "Message-ID: <0123abc@example.org>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Subject: Negative rating\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\n"
                        "VGlsbCAxCg==\r\n");
    free(text);
}

/* Every line is ASCII and short, and ends in CR LF. */
static void check_lines(const char *text)
{
    for (const char *line = text; *line;) {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_in_range(end - line, 0, 78);
        for (; line < end; line++)
            assert_in_range(*line, ' ', '~');
        line = end + 2;
    }
}

/* The encoded words of the subject, decoded. */
static void read_subject(const char *text, char ret_subject[2000])
{
    static const char open[] = "=?UTF-8?B?";
    size_t used = 0;
    const char *at = strstr(text, "Subject:");
    const char *stop = strstr(at, "Content-Type:");
    while ((at = strstr(at, open)) && at < stop) {
        size_t got = 0;
        at += strlen(open);
        const char *end = strstr(at, "?=");
        assert_in_range(end - at + 12, 12, 75); /* RFC 2047: 75 at most */
        assert_int_equal(sodium_base642bin((unsigned char *)ret_subject + used, 2000 - used, at,
                                           (size_t)(end - at), NULL, &got, NULL,
                                           sodium_base64_VARIANT_ORIGINAL),
                         0);
        used += got;
        assert_true((ret_subject[used - got] & 0xc0) != 0x80); /* each begins with a character */
    }
    ret_subject[used] = '\0';
}

static void no_subject_makes_a_header(void **state)
{
    (void)state;
    static const char *const subjects[][2] = {
        {"Жалоба на кассу №1 — «очень долгая очередь», покупатели недовольны обслуживанием 😀",
         "Жалоба на кассу №1 — «очень долгая очередь», покупатели недовольны обслуживанием 😀"},
        {"a\r\nBcc: everyone@example.org\r\n\r\nbody", "a  Bcc: everyone@example.org    body"},
        {"a\nb\tc\x01\x7f", "a b c  "},
        {"=?UTF-8?Q?looks_encoded?=", "=?UTF-8?Q?looks_encoded?="},
    };
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        struct okno_mail mail = plain_mail();
        char got[2000] = "";
        mail.subject = subjects[i][0];
        char *text = compose(&mail);
        check_lines(text);
        assert_null(strstr(text, "\r\nBcc"));
        read_subject(text, got);
        if (*got)
            assert_string_equal(got, subjects[i][1]);
        else
            assert_non_null(strstr(text, subjects[i][1]));
        free(text);
    }
}

static void a_long_subject_is_cut_at_a_character(void **state)
{
    (void)state;
    struct okno_mail mail = plain_mail();
    char subject[1401] = "";
    char got[2000] = "";
    for (int i = 0; i < 700; i++)
        memcpy(subject + 2 * i, "Ж", 3);
    mail.subject = subject;
    char *text = compose(&mail);
    check_lines(text);
    read_subject(text, got);
    assert_int_equal(strlen(got), 400);
    assert_int_equal(strncmp(got, subject, 400), 0);
    free(text);
}

static void files_go_along_whole_and_their_names_make_nothing(void **state)
{
    (void)state;
    unsigned char bytes[1000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    const struct okno_mail_file files[] = {
        {"report.pdf", "application/pdf", bytes, sizeof(bytes)},
        {"отчёт за март\"\r\nX: y.csv", "text/csv", "a,b\r\n.\r\n--=_0123abc\r\n", 23},
        {"", "text/plain", "", 0},
    };
    struct okno_mail mail = plain_mail();
    mail.text = ".\r\n.\r\n--=_0123abc--\r\nТекст";
    mail.files = files;
    mail.file_count = 3;
    char *text = compose(&mail);
    check_lines(text);
    assert_non_null(
        strstr(text, "Content-Disposition: attachment;\r\n filename=\"report.pdf\"\r\n"));
    assert_non_null(strstr(text, " filename*0*=UTF-8''%D0%BE%D1%82%D1%87"));
    assert_null(strstr(text, "\r\nX: y"));
    size_t parts = 0;
    for (const char *at = text; (at = strstr(at, "\r\n--=_0123abc")); at++)
        parts++;
    assert_int_equal(parts, 5); /* four parts and the end */
    assert_null(strstr(text, "\r\n.\r\n"));
    char *again = compose(&mail);
    assert_string_equal(text, again);
    free(text);
    free(again);
}

static void what_is_no_address_or_type_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "boss",     "@example.org", "boss@",       "a b@c.d",    "a@b@c",  "a@b\r\nc",
        "<a@b.c>", "a..b@c.d", ".a@c.d",       "a.@c.d",      "a@c..d",     "a@-c.d", "\"a\"@c.d",
        "a@c.d>",  "жук@c.d",  "a@c.d, b@e",   "a@c.d\nRCPT", "a@[1.2.3.4]"};
    static const char *const good[] = {"boss@example.org", "a.b+c_d-e@x-y.example", "a@b",
                                       "o'neil@example.org"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct okno_mail mail = plain_mail();
        struct okno_buf buf = OKNO_BUF_INIT(1 << 16);
        struct okno_err err = {0};
        mail.to = bad[i];
        assert_false(okno_mail_is_address(bad[i]));
        assert_int_equal(okno_mail_compose(&mail, &buf, &err), OKNO_INVALID);
        assert_string_equal(err.field, "to");
        okno_buf_free(&buf);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(okno_mail_is_address(good[i]));
    assert_true(okno_mail_is_type("application/vnd.openxmlformats-officedocument.sheet"));
    assert_false(okno_mail_is_type("text/plain; charset=utf-8"));
    assert_false(okno_mail_is_type("text/plain\r\nX: y"));
    assert_false(okno_mail_is_type("text"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_letter_is_plain),
        cmocka_unit_test(no_subject_makes_a_header),
        cmocka_unit_test(a_long_subject_is_cut_at_a_character),
        cmocka_unit_test(files_go_along_whole_and_their_names_make_nothing),
        cmocka_unit_test(what_is_no_address_or_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
