#define _GNU_SOURCE
/* okno import archives and cameras: rows that opening the archive would refuse are not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../audit/run_okno.h"
#include "../support/tempdir.h"

static struct ran ran;
static char *dir;
static char data[400];

#define OKNO_RUN(input, ...) RUN_OKNO(&ran, input, "--data", data, __VA_ARGS__)
#define HEAD "archive,kind,url,files,time_zone,user,secret,options\n"
#define GOOD "good,dir,/srv/x,{channel}/%Y-%m-%d/%H-%M-%S.mp4,UTC,,,\n"
#define NAMES "{channel}/%Y-%m-%d/%H-%M-%S.mp4"

static int setup(void **state)
{
    (void)state;
    dir = support_tempdir();
    (void)snprintf(data, sizeof(data), "%s/data", dir);
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
        fail_msg("exit %d, wanted \"%s\", out \"%s\", err \"%s\"", ran.exit_code, err_part, ran.out,
                 ran.err);
}

/* What is wrong, and what the message must say after the line's number. */
static const struct {
    const char *row, *says;
} wrong[] = {
    {"b,dir,/srv/x," NAMES ",UTC,,,tls=maybe\n", "options: tls=maybe: allowed are verify"},
    {"b,dir,/srv/x," NAMES ",UTC,,,colour=red\n", "options: there is no option \"colour\""},
    {"b,dir,/srv/x," NAMES ",UTC,,,rate=abc\n", "options: rate=abc: a whole number from 1"},
    {"b,dir,/srv/x," NAMES ",UTC,,,hours=night\n", "options: hours=night: write 20:00-08:00"},
    {"b,dir,/srv/x," NAMES ",UTC,,,allow=everyone\n", "options: allow: "},
    {"b,dir,/srv/x,{channel}/%Y-%m-%d/%H-%M-%S.xyz,UTC,,,\n", "files: the file name template must"},
    {"b,dir,rtsp://h/," NAMES ",UTC,,,\n", "url: kind dir takes an absolute path"},
    {"b,hikvision,/srv/x,,UTC,,,\n", "url: no URL with a host: write SCHEME://HOST/..., SCHEME"},
    {"b,profile,http://h/,,UTC,,,\n", "files: (empty): cannot be read; this kind wants the path"},
    {"b,profile,http://h/,/no/such.json,UTC,,,\n", "files: /no/such.json: cannot be read"},
    {"b,dir,https://h/," NAMES ",UTC,,,ca=/no/file.pem\n",
     "options: ca=/no/file.pem cannot be read: No such file or directory; write the path"},
    {"b,dir,sftp://h/," NAMES ",UTC,,,key_file=/no/key hostkey=SHA256:x\n",
     "options: key_file=/no/key cannot be read"},
    {"b,dir,sftp://h/," NAMES ",UTC,,,\n", "options: sftp needs hostkey=SHA256:"},
};

static void rows_that_opening_would_refuse_are_not_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[600];
        char says[200];
        (void)snprintf(text, sizeof(text), "%s%s%s", HEAD, wrong[i].row, GOOD);
        (void)snprintf(says, sizeof(says), "-:2: %s: %s",
                       strstr(wrong[i].row, ".xyz") ? "unsupported" : "invalid", wrong[i].says);
        OKNO_RUN(text, "import", "archives", "-", "--dry-run");
        ends(4, "good,dir,", says);
        OKNO_RUN(text, "import", "archives", "-");
        ends(4, "1 rejected", says);
    }
    OKNO_RUN("", "archive", "list");
    ends(0, "good ", "");
    assert_null(strstr(ran.out, "b "));
}

/* Whoever names a secret's file as a profile reads nothing of it in the message. */
static void a_file_that_is_no_profile_is_not_quoted(void **state)
{
    (void)state;
    char row[700];
    support_text(dir, "x", "hunter2secret");
    (void)snprintf(row, sizeof(row), "archive,kind,url,files\nb,profile,http://h/,%s/x\n", dir);
    OKNO_RUN(row, "import", "archives", "-");
    ends(4, "1 rejected", "-:2: invalid: files: ");
    ends(4, "", "/x: not a JSON object (line 1, column ");
    assert_null(strstr(ran.err, "hunter"));
}

static void a_secret_may_be_set_after_the_import(void **state)
{
    (void)state;
    OKNO_RUN(HEAD "S,dir,s3://video/shop," NAMES
                  ",UTC,KEY,later,endpoint=https://s3.example\n"
                  "Z,shinobi,http://h/,,UTC,group,later,\n",
             "import", "archives", "-");
    ends(0, "2 added", "");
}

static void a_channel_that_the_kind_cannot_have_is_not_taken(void **state)
{
    (void)state;
    OKNO_RUN(HEAD GOOD
             "Z1,zoneminder,http://h/zm,,UTC,,,\nH1,hikvision,http://h/,,UTC,,,times=utc\n"
             "D1,dahua,http://h/,,UTC,,,\n",
             "import", "archives", "-");
    ends(0, "4 added", "");
    OKNO_RUN("site,name,time_zone\nS1,First,UTC\n", "import", "sites", "-");
    OKNO_RUN(
        "camera,site,archive,channel\nc1,S1,Z1,till\nc2,S1,Z1,3\nc3,S1,H1,first\n"
        "c4,S1,D1,one\nc5,S1,good,../x\nc6,S1,good,till one\n",
        "import", "cameras", "-");
    ends(4, "6 read, 2 added, 0 duplicate, 4 rejected",
         "-:2: invalid: channel: \"till\": a monitor's number");
    ends(4, "", "-:4: invalid: channel: \"first\": a track's number");
    ends(4, "", "-:5: invalid: channel: \"one\": a channel's number");
    ends(4, "", "-:6: invalid: channel: ");
}

/* Else two cameras would be shown what one of them recorded. */
static void names_without_a_channel_are_of_one_channel(void **state)
{
    (void)state;
    OKNO_RUN(HEAD GOOD "one,dir,/srv/x,%Y-%m-%d/%H-%M-%S.mp4,UTC,,,\n", "import", "archives", "-");
    ends(0, "2 added", "");
    OKNO_RUN("site,name,time_zone\nS1,First,UTC\n", "import", "sites", "-");
    OKNO_RUN(
        "camera,site,archive,channel\nc1,S1,one,1\nc2,S1,one,2\nc3,S1,one,1\nc4,S1,good,1\n"
        "c5,S1,good,2\nc1,S1,one,5\n",
        "import", "cameras", "-");
    ends(
        4, "6 read, 4 added, 0 duplicate, 2 rejected",
        "-:3: invalid: channel: \"%Y-%m-%d/%H-%M-%S.mp4\" without {channel} holds one channel, and "
        "camera c1 has \"1\"");
    OKNO_RUN(HEAD "good,dir,/srv/x,%Y-%m-%d/%H-%M-%S.mp4,UTC,,,\n", "import", "archives", "-");
    ends(4, "1 rejected",
         "-:2: invalid: files: \"%Y-%m-%d/%H-%M-%S.mp4\" without {channel} holds one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_that_opening_would_refuse_are_not_taken, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_profile_is_not_quoted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_secret_may_be_set_after_the_import, setup, teardown),
        cmocka_unit_test_setup_teardown(names_without_a_channel_are_of_one_channel, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_channel_that_the_kind_cannot_have_is_not_taken, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
