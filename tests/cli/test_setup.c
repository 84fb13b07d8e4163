#define _GNU_SOURCE
/* okno init, user, clock, archive and --config as an administrator runs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../audit/run_okno.h"
#include "../support/tempdir.h"

static struct ran ran;
static char *dir;
static char data[400];

#define OKNO_RUN(input, ...) RUN_OKNO(&ran, input, "--data", data, __VA_ARGS__)

static int setup(void **state)
{
    (void)state;
    dir = support_tempdir();
    (void)snprintf(data, sizeof(data), "%s/data", dir);
    return 0;
}

static int setup_ready(void **state)
{
    (void)setup(state);
    OKNO_RUN("correct horse\n", "init", "--password-stdin");
    assert_int_equal(ran.exit_code, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_tempdir_remove(dir);
    return 0;
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

static unsigned mode_of(const char *name)
{
    char path[512];
    struct stat facts;
    (void)snprintf(path, sizeof(path), "%s%s", data, name);
    assert_int_equal(stat(path, &facts), 0);
    return facts.st_mode & 0777;
}

static void init_closes_the_data_and_shows_a_password_once(void **state)
{
    (void)state;
    OKNO_RUN("", "init");
    ends(0, "password: ", "");
    assert_int_equal(mode_of(""), 0700);
    assert_int_equal(mode_of("/okno.db"), 0600);
    assert_int_equal(mode_of("/secrets"), 0700);
    OKNO_RUN("", "init");
    ends(5, "", "is initialised already");
    assert_null(strstr(ran.out, "password"));
}

static void help_explains_a_command_and_a_wrong_one_is_told_alone(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "", "help", "audit");
    ends(0, "usage: okno audit plan AUDIT", "");
    RUN_OKNO(&ran, "", "help");
    ends(0, "  doctor ", "");
    RUN_OKNO(&ran, "", "help", "audti");
    ends(2, "", "okno: there is no command \"audti\": `okno help` lists them");
    RUN_OKNO(&ran, "", "audti");
    ends(2, "", "okno: there is no command \"audti\": `okno help` lists them");
    assert_null(strstr(ran.err, "usage:")); /* forty lines behind it would hide it */
    OKNO_RUN("", "audit", "sing");
    ends(2, "", "abandon, report, sign, export, status, list, escalations, key, size");
}

static void serving_nothing_says_to_init_first(void **state)
{
    (void)state;
    OKNO_RUN("", "serve", "--listen", "127.0.0.1:0");
    ends(3, "", "init` first");
}

static void init_can_be_repeated_after_a_refused_password(void **state)
{
    (void)state;
    OKNO_RUN("short\n", "init", "--password-stdin");
    ends(2, "", "at least 10");
    OKNO_RUN("correct horse\n", "init", "--password-stdin");
    ends(0, "is ready", "");
    assert_null(strstr(ran.out, "horse"));
}

static void init_leaves_an_open_folder_with_files_alone(void **state)
{
    (void)state;
    assert_int_equal(mkdir(data, 0755), 0);
    support_text(data, "letter", "mine");
    OKNO_RUN("", "init");
    ends(5, "", "open to other users");
    assert_int_equal(mode_of(""), 0755);
}

static void users_are_added_listed_and_refused(void **state)
{
    (void)state;
    OKNO_RUN("", "user", "add", "anna", "--role", "expert", "--language", "ru");
    ends(0, "user:     anna", "");
    OKNO_RUN("", "user", "add", "anna", "--role", "expert");
    ends(5, "", "there is a user anna already");
    assert_null(strstr(ran.out, "password"));
    OKNO_RUN("", "user", "add", "carl", "--role", "expert");
    ends(0, "user:     carl", "");
    OKNO_RUN("", "user", "add", "bob", "--role", "boss");
    ends(2, "", "allowed: expert auditor manager staff administrator");
    OKNO_RUN("", "user", "add", "bob");
    ends(2, "", "--role is needed");
    OKNO_RUN("another horse\n", "user", "password", "anna", "--password-stdin");
    ends(0, "", "");
    OKNO_RUN("another horse\n", "user", "password", "nobody", "--password-stdin");
    ends(3, "", "there is no user \"nobody\"");
    OKNO_RUN("", "user", "list", "--json");
    ends(0, "{\"user\":\"anna\",\"name\":\"\",\"role\":\"expert\",\"language\":\"ru\"", "");
    ends(0, "{\"user\":\"carl\",\"name\":\"\",\"role\":\"expert\",\"language\":null", "");
    OKNO_RUN("", "user");
    ends(2, "", "okno user add NAME");
}

static void clocks_are_listed_as_json_lines(void **state)
{
    (void)state;
    OKNO_RUN("archive,kind,url,files\nA1,dir,http://nvr.example/,%s.mp4\n", "import", "archives",
             "-");
    OKNO_RUN(
        "target,at,offset_ms,uncertainty_ms,step\narchive:A1,2026-03-10T00:00:00Z,-7400,50,1\n",
        "import", "clocks", "-");
    ends(0, "1 added", "");
    OKNO_RUN("", "clock", "list", "archive:A1");
    ends(0,
         "{\"target\":\"archive:A1\",\"at\":\"2026-03-10T00:00:00.000Z\",\"offset_ms\":-7400.0,"
         "\"uncertainty_ms\":50.0,\"step\":true,\"method\":\"import\",\"author\":\"",
         "");
    OKNO_RUN("", "clock", "add", "archive:A1", "--offset-ms", "-7100", "--uncertainty-ms", "40",
             "--at", "2026-03-11T00:00:00Z");
    ends(0, "", "");
    OKNO_RUN("", "clock", "add", "archive:A1", "--offset-ms", "-6800", "--uncertainty-ms", "40",
             "--at", "2026-03-12T00:00:00Z");
    OKNO_RUN("", "clock", "list", "archive:A1");
    ends(0, "\"offset_ms\":-6800.0,\"uncertainty_ms\":40.0,\"step\":false,\"method\":\"manual\"",
         "");
    OKNO_RUN("", "clock", "fit", "archive:A1", "--at", "2026-03-13T00:00:00Z", "--json");
    ends(0, "\"offset_ms\":-6500.0", "");
    OKNO_RUN("", "clock", "fit", "archive:A2");
    ends(3, "", "fewer than 3");
    OKNO_RUN("", "clock", "add", "archive:A1", "--offset-ms", "5");
    ends(2, "", "--uncertainty-ms");
    OKNO_RUN("", "clock", "add", "A1", "--offset-ms", "5", "--uncertainty-ms", "1");
    ends(2, "", "\"A1\" is not allowed");
    OKNO_RUN("", "clock", "add", "archive:A7", "--offset-ms", "5", "--uncertainty-ms", "1");
    ends(2, "", "there is no archive \"A7\"");
    OKNO_RUN("", "clock", "list", "archive:A7");
    ends(0, "", "");
    assert_string_equal(ran.out, "");
    OKNO_RUN("", "clock", "probe", "A1");
    ends(1, "", "cannot be asked");
    OKNO_RUN("", "clock", "list", "archive:A2");
    ends(0, "", "");
    OKNO_RUN("", "clock", "list", "A1");
    ends(2, "", "device:A1");
}

static void an_archive_is_tested_with_what_its_cameras_recorded(void **state)
{
    (void)state;
    char rows[2048];
    support_file(dir, "rec/ch1/2026-03-10/12-00-00.mp4", 1000, -1);
    support_file(dir, "rec/ch1/2026-03-10/12-05-00.mp4", 1000, -1);
    (void)snprintf(rows, sizeof(rows),
                   "archive,kind,url,files,secret\n"
                   "A1,dir,%s/rec,{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4,\n"
                   "A2,dir,%s/rec,%%s.mp4,lost\n",
                   dir, dir);
    OKNO_RUN(rows, "import", "archives", "-");
    OKNO_RUN("", "archive", "test", "A1");
    ends(3, "", "no camera of archive A1 is known");
    OKNO_RUN("site,name,time_zone\nS1,x,UTC\n", "import", "sites", "-");
    OKNO_RUN("camera,site,archive,channel\nC1,S1,A1,ch1\n", "import", "cameras", "-");
    OKNO_RUN("", "archive", "test", "A1", "--at", "2026-03-11T00:00:00Z");
    ends(0, "C1 (channel ch1): 2 pieces from 2026-03-10T12:00:00.000Z", "");
    OKNO_RUN("", "archive", "test", "A1", "--at", "2025-01-01T00:00:00Z");
    ends(3, "C1 (channel ch1): nothing recorded", "archive A1 answers");
    OKNO_RUN("", "archive", "test", "A2");
    ends(2, "", "secret lost is not set: give it with `okno secret set lost`");
    OKNO_RUN("camera,site,archive,channel\nC2,S1,A2,ch1\n", "import", "cameras", "-");
    OKNO_RUN("", "doctor");
    ends(1, "-> okno secret set lost", "");
    ends(1, "work at A2             not asked yet; nothing waits", "");
    OKNO_RUN("", "archive", "test", "A9");
    ends(3, "", "there is no archive \"A9\"");
    OKNO_RUN("", "archive", "list");
    ends(0, "A1               dir", "");
    OKNO_RUN("archive,kind,url,files\nA4,dir,http://a/r/?token=hush,%Y%m%d%H%M%S.mp4\n", "import",
             "archives", "-");
    OKNO_RUN("", "archive", "list");
    ends(0, "http://a/r/?... ", "");
    assert_null(strstr(ran.out, "hush"));
    OKNO_RUN("", "archive", "list", "--json");
    ends(0, "\"http://a/r/?...\"", "");
    assert_null(strstr(ran.out, "hush"));
    OKNO_RUN("archive,kind,url,files\nA5,dir,http:/eva:hush@a/,%Y%m%d%H%M%S.mp4\n", "import",
             "archives", "-");
    ends(4, "", "url holds a login");
    assert_null(strstr(ran.err, "hush"));
}

static void the_configuration_names_the_data_unless_the_line_does(void **state)
{
    (void)state;
    char text[600];
    char conf[512];
    (void)snprintf(text, sizeof(text), "service { data = \"%s\" }\n", data);
    support_text(dir, "okno.conf", text);
    (void)snprintf(conf, sizeof(conf), "%s/okno.conf", dir);
    RUN_OKNO(&ran, "", "--config", conf, "user", "list");
    ends(0, "admin", "");
    RUN_OKNO(&ran, "", "--config", conf, "--data", "/nowhere", "user", "list");
    ends(3, "", "no database at /nowhere/okno.db");
    support_text(dir, "okno.conf", "service {\n  date = \"/x\"\n}\n");
    RUN_OKNO(&ran, "", "--config", conf, "user", "list");
    ends(2, "", "okno.conf:2: no such option 'date'; allowed here: data, listen");
}

static void what_is_wrong_before_and_behind_a_command_is_named(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "", "--data");
    ends(2, "", "okno: --data needs a value: okno --data DIR COMMAND\n");
    RUN_OKNO(&ran, "", "--data", "/tmp", "--quiet", "user", "list");
    ends(2, "", "okno: there is no option --quiet; `okno --help` lists them\n");
    OKNO_RUN("", "hold", "add", "--audit", "nosuch", "--reason", "x");
    ends(2, "", "there is no audit nosuch: see `okno audit list`");
    OKNO_RUN("", "camera", "show", "cam2");
    ends(3, "", "there is no camera cam2");
    OKNO_RUN("correct horse\n", "user", "add", "admin", "--role", "expert", "--password-stdin");
    ends(5, "", "there is a user admin already");
}

#define EMPTY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define READY(test) cmocka_unit_test_setup_teardown(test, setup_ready, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY(init_closes_the_data_and_shows_a_password_once),
        EMPTY(help_explains_a_command_and_a_wrong_one_is_told_alone),
        EMPTY(serving_nothing_says_to_init_first),
        EMPTY(init_can_be_repeated_after_a_refused_password),
        EMPTY(init_leaves_an_open_folder_with_files_alone),
        READY(users_are_added_listed_and_refused),
        READY(clocks_are_listed_as_json_lines),
        READY(an_archive_is_tested_with_what_its_cameras_recorded),
        READY(what_is_wrong_before_and_behind_a_command_is_named),
        READY(the_configuration_names_the_data_unless_the_line_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
