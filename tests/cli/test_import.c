/* The real program ($OKNO) as a user runs it. */
#define _GNU_SOURCE
#include "okno/db.h"
#include "okno/mem.h"

#include "../support/tempdir.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { MANY_ROWS = 60000, BATCH_ROWS = 10000 };

struct program {
    int pid;
    int in, out; /* our ends of its pipes; messages go to the file messages */
};

static char *dir; /* of the test: DIR/data, input files, messages */

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* Start `okno --data DATA WORD...`. */
static struct program start(const char *data, const char *const *words)
{
    const char *args[16] = {getenv("OKNO"), "--data", data};
    int in[2];
    int out[2];
    for (size_t i = 0; words[i]; i++)
        args[3 + i] = words[i];
    assert_non_null(args[0]);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    int messages = open(path_of("messages"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(messages >= 0);
    int pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)dup2(messages, STDERR_FILENO);
        (void)execv(args[0], (char *const *)(uintptr_t)args);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(messages);
    return (struct program){pid, in[1], out[0]};
}

/* Wait for its end; the exit code, or minus the signal. */
static int finish(struct program *program, char *ret_out, size_t size)
{
    size_t used = 0;
    ssize_t got;
    int status;
    (void)close(program->in);
    while ((got = read(program->out, ret_out + used, size - 1 - used)) > 0)
        used += (size_t)got;
    ret_out[used] = '\0';
    (void)close(program->out);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char out[65536];
static char messages[65536];

static void read_messages(void)
{
    okno_autofclose FILE *file = fopen(path_of("messages"), "r");
    assert_non_null(file);
    messages[fread(messages, 1, sizeof(messages) - 1, file)] = '\0';
}

/* Run it to the end with a text on its standard input. */
static int run(const char *data, const char *input, const char *const *words)
{
    struct program program = start(data, words);
    size_t len = strlen(input);
    while (len) {
        ssize_t put = write(program.in, input, len);
        if (put < 0)
            break;
        input += put;
        len -= (size_t)put;
    }
    int code = finish(&program, out, sizeof(out));
    read_messages();
    return code;
}

#define RUN(input, ...) run(data, input, (const char *const[]){__VA_ARGS__, NULL})

static char data[600];

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    dir = support_tempdir();
    (void)snprintf(data, sizeof(data), "%s/data", dir);
    assert_int_equal(RUN("correct horse\n", "init", "--password-stdin"), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_tempdir_remove(dir);
    return 0;
}

static void says(const char *part)
{
    if (!strstr(messages, part))
        fail_msg("\"%s\" lacks \"%s\"", messages, part);
}

static void summary_is(int read, int added, int duplicate, int rejected)
{
    json_t *json = json_loads(out, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "read")), read);
    assert_int_equal(json_integer_value(json_object_get(json, "added")), added);
    assert_int_equal(json_integer_value(json_object_get(json, "duplicate")), duplicate);
    assert_int_equal(json_integer_value(json_object_get(json, "rejected")), rejected);
    assert_true(json_integer_value(json_object_get(json, "import")) > 0);
    json_decref(json);
}

static void a_good_file_is_taken_once(void **state)
{
    (void)state;
    support_text(dir, "sites.csv", "site,name,time_zone\nS1,Shop,Europe/Moscow\nS2,Shop,UTC\n");
    char file[512];
    (void)snprintf(file, sizeof(file), "%s", path_of("sites.csv"));
    assert_int_equal(RUN("", "import", "sites", file, "--json"), 0);
    summary_is(2, 2, 0, 0);
    assert_non_null(strstr(out, "\"kind\":\"sites\""));
    assert_string_equal(messages, "");
    assert_int_equal(RUN("", "import", "sites", file, "--json"), 0);
    summary_is(2, 0, 2, 0);
    assert_int_equal(RUN("", "import", "sites", file), 0);
    assert_string_equal(out, "sites: 2 read, 0 added, 2 duplicate, 0 rejected\n");
}

static void rejected_rows_are_told_by_file_and_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("site,name,time_zone\nS1,x,UTC\nS 2,x,UTC\nS3,x\nS1,y,UTC\n", "import",
                         "--json", "sites", "-"),
                     4);
    summary_is(4, 1, 0, 3);
    says("-:3: invalid: site: \"S 2\" is not allowed");
    says("-:4: malformed: the row has 2 fields, the header 3");
    says("-:5: conflict: site site=S1 stands in this import already");
}

static void json_lines_come_from_standard_input(void **state)
{
    (void)state;
    assert_int_equal(RUN("{\"site\":\"S1\",\"name\":\"x\",\"time_zone\":\"UTC\"}\n{broken\n",
                         "import", "sites", "-", "--json"),
                     4);
    summary_is(2, 1, 0, 1);
    says("-:2: malformed: not JSON");
}

static void several_files_are_one_import(void **state)
{
    (void)state;
    char one[512];
    char two[512];
    support_text(dir, "one", "site,name,time_zone\nS1,x,UTC\n");
    support_text(dir, "two", "site,name,time_zone\nS1,y,UTC\nS2,y,UTC\n");
    (void)snprintf(one, sizeof(one), "%s", path_of("one"));
    (void)snprintf(two, sizeof(two), "%s", path_of("two"));
    assert_int_equal(RUN("", "import", "sites", one, two, "--json"), 4);
    summary_is(3, 2, 0, 1);
    says("/two:2: conflict");
}

static void wrong_usage_is_exit_2_and_says_what_is_right(void **state)
{
    (void)state;
    assert_int_equal(RUN("site,colour\n", "import", "sites", "-"), 2);
    says("unknown column \"colour\"; allowed: site, name, time_zone, hours, group, from");
    assert_int_equal(RUN("", "import", "sites", "-"), 2);
    says("header row");
    assert_int_equal(RUN("device,seq,time\n", "import", "events", "-"), 2);
    says("the header lacks the required column kind (or duration_ms in its place)");
    assert_int_equal(RUN("device,seq,time,duration_ms\n", "import", "events", "-", "--dry-run"), 0);
    assert_int_equal(RUN("", "import", "cows", "-"), 2);
    says("known: archives sites points");
    assert_int_equal(RUN("", "import", "sites"), 2);
    assert_int_equal(RUN("", "import", "sites", "-", "--fast"), 2);
    assert_int_equal(RUN("", "import", "sites", "/nowhere/none.csv"), 3);
    says("none.csv: cannot open");
    assert_string_equal(out, "");
}

static void kinds_and_help_are_printed(void **state)
{
    (void)state;
    assert_int_equal(RUN("", "import", "--kinds"), 0);
    assert_non_null(strstr(out, "clocks: a measurement of a clock"));
    assert_int_equal(RUN("", "import", "--help"), 0);
    assert_non_null(strstr(out, "example:"));
}

/* What docs/import.md says of a kind: from its heading to the next one. */
static void section_of(const char *doc, const char *kind, char *ret_text, size_t size)
{
    char heading[80];
    (void)snprintf(heading, sizeof(heading), "\n### %s\n", kind);
    const char *at = strstr(doc, heading);
    if (!at) {
        fail_msg("docs/import.md does not describe %s: run tools/import-doc build", kind);
        return;
    }
    const char *end = strstr(at + 4, "\n##");
    (void)snprintf(ret_text, size, "%.*s", (int)(end ? (size_t)(end - at) : strlen(at)), at);
}

static void every_kind_and_column_is_described(void **state)
{
    (void)state;
    static char doc[65536];
    char section[8192] = "";
    char *rest = NULL;
    okno_autofclose FILE *file = fopen("docs/import.md", "re");
    assert_non_null(file);
    doc[fread(doc, 1, sizeof(doc) - 1, file)] = '\0';
    assert_int_equal(RUN("", "import", "--kinds"), 0);
    for (char *line = strtok_r(out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char cell[80];
        char name[64];
        assert_int_equal(sscanf(line, "%63[^: ]", name) == 1 || sscanf(line, "  %63s", name) == 1,
                         1);
        if (*line != ' ')
            section_of(doc, name, section, sizeof(section));
        (void)snprintf(cell, sizeof(cell), "| `%s`", name);
        if (*line == ' ' && !strstr(section, cell))
            fail_msg("docs/import.md lacks the column %s (run tools/import-doc build) of%.40s",
                     name, section);
    }
}

static void init_twice_is_refused(void **state)
{
    (void)state;
    assert_int_equal(RUN("", "init"), 5);
    says("is initialised already");
    assert_int_equal(RUN("", "user", "list"), 0);
    assert_non_null(strstr(out, "admin"));
}

static void write_many(const char *name, int rows)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs("employee,name\n", file) >= 0);
    for (int i = 0; i < rows; i++)
        assert_true(fprintf(file, "E%d,Person number %d of many in a row\n", i, i) > 0);
    assert_int_equal(fclose(file), 0);
}

/* --- tables of other programs */

static void lacks(const char *part)
{
    if (strstr(out, part))
        fail_msg("\"%s\" has \"%s\"", out, part);
}

static void has(const char *part)
{
    if (!strstr(out, part))
        fail_msg("\"%s\" lacks \"%s\"", out, part);
}

static void register_shop(void)
{
    assert_int_equal(RUN("site,name,time_zone\nS1,Shop,Europe/Berlin\n", "import", "sites", "-"),
                     0);
    assert_int_equal(RUN("point,site,name\ntill-1,S1,A\ntill-2,S1,B\n", "import", "points", "-"),
                     0);
    assert_int_equal(RUN("employee\nE1\nE2\n", "import", "employees", "-"), 0);
}

static void a_report_of_1c_becomes_counts(void **state)
{
    (void)state;
    register_shop();
    assert_int_equal(RUN("", "import", "counts", "--map", "conf/maps/1c-retail-report.conf",
                         "fixtures/import/1c-retail-report.csv", "--json"),
                     4);
    summary_is(7, 4, 0, 3);
    has("\"skipped\":1");
    says(
        "fixtures/import/1c-retail-report.csv:8: invalid: scope: \"Касса 3\" does not stand "
        "among the map's values (conf/maps/1c-retail-report.conf:12)");
    says("1c-retail-report.csv:10: invalid: from: \"31.02.2026\" is not a time");
    says("1c-retail-report.csv:11: invalid: count: \"5.500\" is not allowed");
    assert_int_equal(RUN("", "count", "list", "--scope", "point:till-1", "--json"), 0);
    has("\"from\":\"2026-02-28T23:00:00.000Z\",\"to\":\"2026-03-01T23:00:00.000Z\",\"count\":1234,"
        "\"source\":\"till\"");
    assert_int_equal(RUN("", "import", "counts", "--map", "conf/maps/1c-retail-report.conf",
                         "fixtures/import/1c-retail-report.csv", "--json"),
                     4);
    summary_is(7, 0, 4, 3);
}

static void a_journal_of_receipts_becomes_transactions(void **state)
{
    (void)state;
    register_shop();
    assert_int_equal(RUN("", "import", "transactions", "--map", "conf/maps/pos-journal.conf",
                         "fixtures/import/pos-journal.csv", "--json"),
                     4);
    summary_is(7, 3, 1, 3);
    says("pos-journal.csv:7: invalid: time: \"10.03.2026 25:05:00\"");
    says("pos-journal.csv:8: invalid: point: ");
    says("pos-journal.csv:9: invalid: amount: ");
}

static void an_hourly_table_of_a_door_counter_becomes_visitors(void **state)
{
    (void)state;
    register_shop();
    assert_int_equal(RUN("", "import", "counts", "--map", "conf/maps/door-counter.conf",
                         "fixtures/import/door-counter.txt", "--json"),
                     4);
    summary_is(7, 5, 0, 2);
    says("door-counter.txt:6: invalid: count: \"x\" in column \"Door B in\"");
    says("door-counter.txt:7: invalid: from: 02:00 did not exist there on 2026-03-29");
    assert_int_equal(RUN("", "count", "list", "--kind", "visitors"), 0);
    has("2026-03-28T21:00:00.000Z .. 2026-03-28T22:00:00.000Z        52  counter");
}

static void opening_hours_are_shown_with_their_dates(void **state)
{
    (void)state;
    assert_int_equal(RUN("", "import", "sites", "fixtures/import/sites-dated.csv"), 0);
    assert_int_equal(RUN("point,site,name\nP1,mall,Till\n", "import", "points", "-"), 0);
    assert_int_equal(RUN("", "hours", "--point", "P1"), 0);
    has("2026-04-01 .. 2026-10-01  Mo-Sa 10:00-20:00; 2026-05-01 closed (the site's)");
    assert_int_equal(RUN("", "hours", "--on", "2026-03-31"), 0);
    has("2026-03-31T07:00:00.000Z .. 2026-03-31T19:00:00.000Z");
    assert_int_equal(RUN("", "hours", "--on", "2026-05-01"), 0);
    assert_string_equal(out, "P1               closed\n"); /* a holiday */
    assert_int_equal(RUN("", "hours", "--on", "2026-05-01", "--json"), 0);
    assert_string_equal(out, "");
    /* The night in which clocks go back, and what is left of it in the morning. */
    assert_int_equal(RUN("", "hours", "--on", "2026-10-25", "--json"), 0);
    has("\"open_from\":\"2026-10-24T22:00:00.000Z\",\"open_to\":\"2026-10-25T03:00:00.000Z\"");
    assert_int_equal(RUN("", "hours", "--site", "nix"), 3);
    assert_int_equal(RUN("", "hours", "--on", "tomorrow"), 2);
    says("--on: \"tomorrow\" is not a date");
}

static void a_dry_run_shows_the_rows_and_stores_nothing(void **state)
{
    (void)state;
    register_shop();
    assert_int_equal(RUN("", "import", "transactions", "--map", "conf/maps/pos-journal.conf",
                         "fixtures/import/pos-journal.csv", "--dry-run"),
                     4);
    has("id,time,point,employee,amount\n_041A_041A_0422-1-14-2,2026-03-10T08:03:20.000000Z,till-1,"
        "E1,1250.50\n");
    says("pos-journal.csv:7: invalid: time");
    says("nothing is stored");
    assert_int_equal(RUN("", "import", "list", "--kind", "transactions"), 0);
    assert_string_equal(out, "");
    assert_int_equal(RUN("", "import", "transactions", "--map", "conf/maps/pos-journal.conf",
                         "fixtures/import/pos-journal.csv", "--json"),
                     4);
    summary_is(7, 3, 1, 3);
    /* Many batches, each as if it were the first. */
    write_many("many.csv", 25000);
    char file[512];
    (void)snprintf(file, sizeof(file), "%s", path_of("many.csv"));
    assert_int_equal(RUN("", "import", "employees", file, "--dry-run", "--json"), 0);
    has("\"added\":25000");
    has("\"dry_run\":true");
}

static void a_corrected_count_shows_what_it_was(void **state)
{
    (void)state;
    register_shop();
    static const char first[] =
        "scope,kind,from,to,count,source\nsite:S1,served,"
        "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,5,manual\n";
    static const char second[] =
        "scope,kind,from,to,count,source\nsite:S1,served,"
        "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,6,till\n";
    assert_int_equal(RUN(first, "import", "counts", "-"), 0);
    assert_int_equal(RUN(second, "import", "counts", "-"), 0);
    assert_int_equal(RUN("", "count", "list", "--json"), 0);
    has("\"count\":6,\"source\":\"till\"");
    lacks("\"count\":5");
    assert_int_equal(RUN("", "count", "list", "--history", "--json"), 0);
    has("\"stands\":true}\n{");
    has("\"count\":5,\"source\":\"manual\"");
    assert_int_equal(RUN("", "count", "list", "--scope", "shop:1"), 2);
}

static void imports_are_listed_with_who_when_and_how_many(void **state)
{
    (void)state;
    register_shop();
    assert_int_equal(RUN("", "import", "list"), 0);
    has("points        2 read, 2 added, 0 duplicate, 0 rejected  local:");
    assert_int_equal(RUN("", "import", "list", "--kind", "sites", "--json"), 0);
    has("\"kind\":\"sites\",\"source\":\"-\",\"read\":1,\"added\":1,\"duplicate\":0,\"rejected\":"
        "0");
    lacks("points");
    assert_int_equal(RUN("", "import", "list", "--from", "2100-01-01T00:00:00Z"), 0);
    assert_string_equal(out, "");
}

/* --- kill -9 */

/* Rows stored, each once, in a database that is whole. */
static int64_t stored_rows(void)
{
    char path[700];
    struct okno_err err = {0};
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;
    OKNO_AUTO(okno_db) *db = NULL;
    assert_int_equal(okno_db_open(data, false, &db, &err), 0);
    assert_int_equal(okno_db_check(db, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/okno.db", data);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw,
                                        "SELECT count(*), count(DISTINCT employee) FROM employees",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t rows = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_column_int64(stmt, 1), rows);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(raw);
    return rows;
}

/* Feed the file through a pipe and kill the program when it has taken `until` bytes: no sleeping,
 * the pipe's small room makes the moment one in the middle of the work. */
static void kill_in_the_middle(const char *name, size_t until)
{
    struct program program = start(data, (const char *const[]){"import", "employees", "-", NULL});
    int file = open(path_of(name), O_RDONLY | O_CLOEXEC);
    char block[4096];
    size_t fed = 0;
    ssize_t got;
    assert_true(file >= 0);
    (void)fcntl(program.in, F_SETPIPE_SZ, 4096);
    while (fed < until && (got = read(file, block, sizeof(block))) > 0) {
        assert_int_equal(write(program.in, block, (size_t)got), got);
        fed += (size_t)got;
    }
    assert_int_equal(kill(program.pid, SIGKILL), 0);
    assert_int_equal(finish(&program, out, sizeof(out)), -SIGKILL);
    (void)close(file);
}

static void after_kill_9_whole_batches_stand_and_repeating_completes_them(void **state)
{
    (void)state;
    static const size_t moments[] = {4096, 500001, 1100001, 1600001, 2100001, 2400001};
    int64_t before = 0;
    write_many("many.csv", MANY_ROWS);
    for (size_t i = 0; i < OKNO_COUNT(moments); i++) {
        kill_in_the_middle("many.csv", moments[i]);
        int64_t rows = stored_rows();
        assert_int_equal(rows % BATCH_ROWS, 0);
        assert_true(rows >= before && rows < MANY_ROWS);
        before = rows;
    }
    assert_true(before > 0);
    char file[512];
    (void)snprintf(file, sizeof(file), "%s", path_of("many.csv"));
    assert_int_equal(RUN("", "import", "employees", file, "--json"), 0);
    summary_is(MANY_ROWS, (int)(MANY_ROWS - before), (int)before, 0);
    assert_int_equal(stored_rows(), MANY_ROWS);
}

/* --- full disk */

static void a_full_disk_says_so_and_loses_nothing(void **state)
{
    (void)state;
    char disk[512];
    char kept[600];
    char file[512];
    (void)snprintf(disk, sizeof(disk), "%s", path_of("disk"));
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=2m,mode=0700") < 0)
        skip();
    (void)snprintf(kept, sizeof(kept), "%s", data);
    (void)snprintf(data, sizeof(data), "%s/data", disk);
    write_many("many.csv", MANY_ROWS);
    (void)snprintf(file, sizeof(file), "%s", path_of("many.csv"));
    int first = RUN("correct horse\n", "init", "--password-stdin");
    int full = RUN("", "import", "employees", file, "--json");
    bool told = strstr(messages, "no space left") != NULL;
    int grown = mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=64m");
    int64_t kept_rows = stored_rows();
    int again = RUN("", "import", "employees", file, "--json");
    int64_t rows = stored_rows();
    (void)snprintf(data, sizeof(data), "%s", kept);
    assert_int_equal(umount(disk), 0);
    assert_int_equal(first, 0);
    assert_int_equal(full, 1);
    assert_true(told);
    assert_int_equal(grown, 0);
    assert_int_equal(kept_rows % BATCH_ROWS, 0);
    assert_int_equal(again, 0);
    assert_int_equal(rows, MANY_ROWS);
    summary_is(MANY_ROWS, (int)(MANY_ROWS - kept_rows), (int)kept_rows, 0);
}

#define WITH_DATA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATA(a_good_file_is_taken_once),
        WITH_DATA(rejected_rows_are_told_by_file_and_line),
        WITH_DATA(json_lines_come_from_standard_input),
        WITH_DATA(several_files_are_one_import),
        WITH_DATA(wrong_usage_is_exit_2_and_says_what_is_right),
        WITH_DATA(kinds_and_help_are_printed),
        WITH_DATA(every_kind_and_column_is_described),
        WITH_DATA(a_report_of_1c_becomes_counts),
        WITH_DATA(a_journal_of_receipts_becomes_transactions),
        WITH_DATA(an_hourly_table_of_a_door_counter_becomes_visitors),
        WITH_DATA(opening_hours_are_shown_with_their_dates),
        WITH_DATA(a_dry_run_shows_the_rows_and_stores_nothing),
        WITH_DATA(a_corrected_count_shows_what_it_was),
        WITH_DATA(imports_are_listed_with_who_when_and_how_many),
        WITH_DATA(init_twice_is_refused),
        WITH_DATA(after_kill_9_whole_batches_stand_and_repeating_completes_them),
        WITH_DATA(a_full_disk_says_so_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
