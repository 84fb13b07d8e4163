#define _GNU_SOURCE
/* What comes with the program: completion, man pages, and what `make install` puts where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/tempdir.h"

static char out[65536];

/* A script for bash with $OKNO and $OKNO_BUILD; what it prints, both outputs together. */
__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...)
{
    char script[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(script, sizeof(script), format, args);
    va_end(args);
    assert_true(len > 0 && (size_t)len < sizeof(script));
    assert_int_equal(setenv("SCRIPT", script, 1), 0);
    FILE *pipe = popen("exec bash -c \"$SCRIPT\" 2>&1", "r");
    assert_non_null(pipe);
    size_t got = fread(out, 1, sizeof(out) - 1, pipe);
    out[got] = '\0';
    return pclose(pipe);
}

/* What completion offers after these words, of which the last is being typed. */
#define offers(words)                                                                              \
    assert_int_equal(shell("source conf/okno.bash; COMP_WORDS=(\"$OKNO\" " words ")"               \
                           "; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _okno"                        \
                           "; printf ' %%s' \"${COMPREPLY[@]}\""),                                 \
                     0)

static void completion_offers_the_commands(void **state)
{
    (void)state;
    offers("''");
    assert_non_null(strstr(out, " init user import archive "));
    assert_non_null(strstr(out, " --config"));
    offers("su");
    assert_string_equal(out, " survey");
    offers("--data /tmp su");
    assert_string_equal(out, " survey");
    offers("nothing-like-it");
    assert_string_equal(out, " ");
}

static void completion_offers_the_words_of_a_command(void **state)
{
    (void)state;
    offers("survey ''");
    assert_string_equal(out, " list show changes void unvoid voids");
    offers("--config okno.conf audit dr");
    assert_string_equal(out, " draw");
    offers("import emp");
    assert_string_equal(out, " employees");
    offers("kpi ''");
    assert_string_equal(out, " publish published");
    offers("period ''");
    assert_string_equal(out, " close list show verify");
    offers("coverage ''");
    assert_string_equal(out, " ");
}

static void completion_offers_the_options_of_a_command(void **state)
{
    (void)state;
    offers("survey void 1 --s");
    assert_non_null(strstr(out, " --second"));
    assert_null(strstr(out, "--json"));
    offers("clip --camera-");
    assert_string_equal(out, " --camera-clock");
    offers("clip -");
    assert_non_null(strstr(out, " -o"));
    offers("user add anna --language ''");
    assert_string_equal(out, " en ru");
    offers("nothing-like-it --");
    assert_string_equal(out, " --help");
}

static void completion_offers_files_and_folders(void **state)
{
    (void)state;
    offers("--config conf/okno.co");
    assert_string_equal(out, " conf/okno.conf.example");
    offers("--data tests/c");
    assert_string_equal(out, " tests/cli");
    assert_int_equal(shell("source conf/okno.bash; complete -p okno"), 0);
    assert_string_equal(out, "complete -o default -F _okno okno\n");
}

static void every_command_has_a_man_page_without_warnings(void **state)
{
    (void)state;
    assert_int_equal(shell("tools/man \"$OKNO_BUILD\""), 0);
    assert_string_equal(out, "");
    /* Without dates: they would differ from build to build. */
    (void)shell("mandoc -T lint -W warning \"$OKNO_BUILD\"/man/*.1 | grep -v 'missing date'");
    assert_string_equal(out, "");
    (void)shell(
        "cd \"$OKNO_BUILD\"/man; \"$OKNO\" --help |"
        " awk '/^commands:/ {on = 1; next} on && !NF {exit} on {print \"okno-\" $1 \".1\"}' |"
        " xargs ls okno.1 | wc -l; ls | wc -l");
    int named = 0, made = 0;
    assert_int_equal(sscanf(out, "%d\n%d", &named, &made), 2);
    assert_int_equal(named, made);
    assert_true(made > 10);
}

static void a_man_page_says_what_help_says(void **state)
{
    (void)state;
    assert_int_equal(shell("mandoc -T ascii -O width=200 \"$OKNO_BUILD\"/man/okno-audit.1 |"
                           " sed 's/.\x08//g; s/^     *//' > \"$OKNO_BUILD\"/man.text &&"
                           " \"$OKNO\" audit --help | sed 's/^usage: //; s/^ *//' | grep . |"
                           " sed '/^example:/d' > \"$OKNO_BUILD\"/help.text;"
                           " sed 's/^ *//' \"$OKNO_BUILD\"/man.text |"
                           " grep -vxFf - \"$OKNO_BUILD\"/help.text"),
                     1 << 8);
    assert_string_equal(out, ""); /* no line of the help is missing from the page */
}

static void install_puts_everything_in_place_and_uninstall_takes_it_away(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    assert_int_equal(setenv("DEST", dir, 1), 0);
    static const char make[] =
        "b=${OKNO_BUILD#$PWD/}; env -u MAKEFLAGS -u MAKELEVEL make -s -o $b/okno -o $b/okno-media "
        "-o"
        " $b/okno-paper"
        " BUILD=$b DESTDIR=$DEST PREFIX=/opt/okno";
    assert_int_equal(shell("%s install", make), 0);
    assert_int_equal(
        shell("cd $DEST/opt/okno && bin/okno --version && ls share/man/man1/okno-kpi.1"
              " share/bash-completion/completions/okno share/doc/okno/okno.conf.example"
              " share/doc/okno/nginx.conf.example &&"
              " for doc in $(cat share/man/man1/*.1 | grep -o 'docs/[a-z]*\\.md' | sort -u); do"
              " ls share/doc/okno/${doc#docs/} || exit 1; done &&"
              " grep ^ExecStart=/opt/okno/bin/okno lib/systemd/system/okno.service"),
        0);
    /* the program finds its helper where it was put */
    assert_int_equal(shell("cd $DEST/opt/okno && mkdir $DEST/d && bin/okno --data $DEST/d init &&"
                           " bin/okno --data $DEST/d audit plan a --from 2026-03-01T00:00:00Z"
                           " --to 2026-04-01T00:00:00Z --size 5 &&"
                           " bin/okno --data $DEST/d audit report a --format pdf | head -c 5 |"
                           " grep -q %%PDF- && rm -r $DEST/d"),
                     0);
    assert_int_equal(shell("%s uninstall && find $DEST -type f", make), 0);
    assert_string_equal(out, "");
    support_tempdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completion_offers_the_commands),
        cmocka_unit_test(completion_offers_the_words_of_a_command),
        cmocka_unit_test(completion_offers_the_options_of_a_command),
        cmocka_unit_test(completion_offers_files_and_folders),
        cmocka_unit_test(every_command_has_a_man_page_without_warnings),
        cmocka_unit_test(a_man_page_says_what_help_says),
        cmocka_unit_test(install_puts_everything_in_place_and_uninstall_takes_it_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
