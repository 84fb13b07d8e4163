#define _POSIX_C_SOURCE 200809L
#include "okno/conf.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int load(const char *text, struct okno_conf *conf, struct okno_err *err)
{
    char path[] = "/tmp/okno-conf-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    int rc = okno_conf_load(path, conf, err);
    assert_int_equal(unlink(path), 0);
    return rc;
}

static void refused(const char *text, const char *part)
{
    struct okno_conf conf = {.survey.window_s = 77};
    struct okno_err err = {0};
    if (load(text, &conf, &err) != OKNO_CONFIG)
        fail_msg("taken: %s", text);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" lacks \"%s\"", err.text, part);
    assert_int_equal(conf.survey.window_s, 77);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    struct okno_conf conf;
    struct okno_err err = {0};
    assert_int_equal(load("", &conf, &err), 0);
    assert_string_equal(conf.service.data, "/var/lib/okno");
    assert_string_equal(conf.service.listen, "127.0.0.1:8080");
    assert_int_equal(conf.survey.window_s, 15);
    assert_int_equal(conf.survey.duplicate_ms, 2000);
    assert_int_equal(conf.survey.late_s, 45);
    assert_int_equal(conf.survey.fm_gap_s, 600);
    assert_int_equal(conf.survey.liveness_h, 48);
    assert_int_equal(conf.limits.device_per_min, 600);
    assert_int_equal(conf.link.pre_s, 20);
    assert_int_equal(conf.link.post_s, 5);
    assert_int_equal(conf.link.max_uncertainty_ms, 5000);
    assert_true(conf.kpi.silent_weight == 0.5);
    assert_true(conf.kpi.fm_threshold == 0.10);
    assert_string_equal(conf.evidence.stills, "answered");
    assert_false(conf.evidence.audio);
}

static void options_of_the_file_go_before_the_defaults(void **state)
{
    (void)state;
    struct okno_conf conf;
    struct okno_err err = {0};
    assert_int_equal(load("# a remark\nsurvey { window_s = 3\n late_s = \"0\" }\n"
                          "service { public_url = \"https://okno.example/\" language = ru }\n"
                          "kpi { silent_weight = 1 }\nevidence { stills = all audio = yes }\n",
                          &conf, &err),
                     0);
    assert_int_equal(conf.survey.window_s, 3);
    assert_int_equal(conf.survey.late_s, 0);
    assert_int_equal(conf.survey.duplicate_ms, 2000);
    assert_string_equal(conf.service.public_url, "https://okno.example/");
    assert_string_equal(conf.service.language, "ru");
    assert_true(conf.kpi.silent_weight == 1.0);
    assert_string_equal(conf.evidence.stills, "all");
    assert_true(conf.evidence.audio);
}

static void an_unknown_name_stops_with_its_line_and_what_is_allowed(void **state)
{
    (void)state;
    refused("survey {\n  windows = 15\n}\n",
            ":2: no such option 'windows'; allowed here: window_s,");
    refused(
        "# one\n# two // more\nservice { # data\n data = \"/x#y\" // here\n /* and\n so */ on = "
        "3\n}",
        ":6: no such option 'on'");
    refused("\n\nsurvy {\n}\n", ":3: no such option 'survy'; allowed here: service, survey,");
    refused("window_s = 15\n", ":1: no such option 'window_s'");
}

static void a_value_out_of_range_stops_with_its_line_and_what_is_allowed(void **state)
{
    (void)state;
    refused("survey {\n\n  window_s = 2\n}\n",
            ":3: survey.window_s = \"2\" is not allowed; allowed: a whole number from 3 to 120");
    refused("survey { window_s = 121 }", ":1: ");
    refused("survey { window_s = 15.5 }", "whole number");
    refused("survey { window_s = abc }", "whole number");
    refused("survey { window_s = \"\" }", "whole number");
    refused("survey { window_s = 99999999999999999999 }", "whole number");
    refused("kpi { silent_weight = 1.01 }", "a number from 0 to 1");
    refused("kpi { silent_weight = nan }", "a number from 0 to 1");
    refused("kpi { silent_weight = -0.1 }", "a number from 0 to 1");
    refused("evidence { stills = some }", "one of: none answered all");
    refused("evidence { stills = \"none answered\" }", "one of: none answered all");
    refused("evidence { audio = 2 }", "true or false");
    refused("service { data = relative }", "an absolute path");
    refused("service { listen = 8080 }", "ADDRESS:PORT");
    refused("service { listen = \"127.0.0.1:0\" }", "ADDRESS:PORT");
    refused("service { listen = \"127.0.0.1:65536\" }", "ADDRESS:PORT");
    refused("service { public_url = \"ftp://x\" }", "http://");
    refused("service { public_url = \"https://user:pw@host\" }", "http://");
}

static void broken_syntax_and_repeated_options_are_refused(void **state)
{
    (void)state;
    refused("survey {\n window_s = 15\n window_s = 16\n}", ":3: survey.window_s is set twice");
    refused("survey { window_s = 15", "section survey is never closed");
    refused("survey { window_s = 16 }\n/* kpi {", "");
    refused("survey { window_s = \"16", "");
    refused("survey { window_s 15 }", ":1: ");
    refused("survey = 3", ":1: ");
    refused("survey { window_s = {1, 2} }", ":1: ");
    refused("}", "");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct okno_conf conf;
    struct okno_err err = {0};
    assert_int_equal(okno_conf_load("/nowhere/okno.conf", &conf, &err), OKNO_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/okno.conf"));
    okno_err_clear(&err);
    assert_int_equal(okno_conf_load("/tmp", &conf, &err), OKNO_CONFIG);
}

static void a_long_text_is_refused_not_cut(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(65536);
    assert_int_equal(okno_buf_add_text(&buf, "service { data = \"/", NULL), 0);
    for (int i = 0; i < 1023; i++)
        assert_int_equal(okno_buf_add_text(&buf, "d", NULL), 0);
    assert_int_equal(okno_buf_add_text(&buf, "\" }", NULL), 0);
    refused(okno_buf_text(&buf), "up to 1023 bytes");
}

static void the_example_shows_every_option_with_help_and_default(void **state)
{
    (void)state;
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(1 << 20);
    OKNO_AUTO_BUF kept = OKNO_BUF_INIT(1 << 20);
    struct okno_err err = {0};
    char block[4096];
    size_t got;
    assert_int_equal(okno_conf_example(&made, &err), 0);
    okno_autofclose FILE *file = fopen("conf/okno.conf.example", "r");
    assert_non_null(file);
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        assert_int_equal(okno_buf_add(&kept, block, got, &err), 0);
    assert_string_equal(okno_buf_text(&kept), okno_buf_text(&made));
    size_t count;
    const struct okno_option *options = okno_conf_options(&count);
    for (size_t i = 0; i < count; i++) {
        char line[256];
        (void)snprintf(line, sizeof(line), "    %s = ", options[i].name);
        assert_non_null(strstr(made.data, line));
        assert_true(strlen(options[i].help) > 10);
    }
}

static void the_example_loads_as_the_defaults(void **state)
{
    (void)state;
    struct okno_conf loaded;
    struct okno_conf defaults;
    struct okno_err err = {0};
    memset(&loaded, 0, sizeof(loaded));
    memset(&defaults, 0, sizeof(defaults));
    assert_int_equal(okno_conf_load("conf/okno.conf.example", &loaded, &err), 0);
    okno_conf_defaults(&defaults);
    size_t count;
    const struct okno_option *options = okno_conf_options(&count);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal((char *)&loaded + options[i].offset,
                            (char *)&defaults + options[i].offset, options[i].size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(options_of_the_file_go_before_the_defaults),
        cmocka_unit_test(an_unknown_name_stops_with_its_line_and_what_is_allowed),
        cmocka_unit_test(a_value_out_of_range_stops_with_its_line_and_what_is_allowed),
        cmocka_unit_test(broken_syntax_and_repeated_options_are_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_long_text_is_refused_not_cut),
        cmocka_unit_test(the_example_shows_every_option_with_help_and_default),
        cmocka_unit_test(the_example_loads_as_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
