#define _GNU_SOURCE
/* What the writers make of a report, read by other people's programs. */
#include "bundle.h"

#include "../../src/report/words.h"

#include "okno/mem.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- payloads ---- */

static void write_as(struct scratch_db *f, const json_t *model, enum okno_report_format format,
                     const char *lang, struct okno_buf *to)
{
    okno_buf_reset(to);
    must(f, okno_report_write(model, format, lang, to, &f->err));
}

#define PAYLOAD "<script>alert(1)</script>&\"'=1+1"

/* A title, a site, a question and a comment that would like to be something else. */
static json_t *hostile(struct scratch_db *f)
{
    const struct okno_report_settings settings = {.audit = "A1", .fm_threshold = 0.1, .min_n = 5};
    json_t *model = NULL;
    close_audit(f);
    must(f, okno_report_draft(f->db, &settings, &model, &f->err));
    json_t *exclusions = json_object_get(json_object_get(model, "findings"), "exclusions");
    char *large = calloc(1, 5001);
    assert_non_null(large);
    memset(large, 'x', 5000);
    json_object_set_new(json_object_get(model, "audit"), "title", json_string(PAYLOAD));
    json_object_set_new(
        json_array_get(json_object_get(json_object_get(model, "frame"), "sites"), 0), "name",
        json_string("סניף ‮evil‬ 😀 " PAYLOAD));
    json_object_set_new(json_array_get(exclusions, 0), "comment",
                        json_string("=cmd|' /C calc'!A0"));
    json_object_set_new(json_array_get(exclusions, 1), "comment", json_string("@SUM(1)\r\n\x01x"));
    json_object_set_new(json_array_get(exclusions, 2), "comment", json_string(large));
    free(large);
    return model;
}

static void no_text_becomes_markup(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF html = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = hostile(f);
    write_as(f, model, OKNO_REPORT_HTML, "en", &html);
    assert_null(strstr(okno_buf_text(&html), "<script"));
    assert_non_null(strstr(okno_buf_text(&html), "&lt;script&gt;alert(1)&lt;/script&gt;&amp;"));
    assert_null(strchr(okno_buf_text(&html), '\x01'));
    /* nothing is fetched */
    assert_null(strstr(okno_buf_text(&html), "http:"));
    assert_null(strstr(okno_buf_text(&html), "https:"));
    assert_null(strstr(okno_buf_text(&html), " src="));
    assert_null(strstr(okno_buf_text(&html), "url("));
    assert_non_null(strstr(okno_buf_text(&html), "default-src 'none'"));
}

static void no_text_becomes_a_formula(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = hostile(f);
    write_as(f, model, OKNO_REPORT_CSV, "ru", &csv);
    assert_non_null(strstr(okno_buf_text(&csv), ",'=cmd|' /C calc'!A0\r\n"));
    assert_non_null(strstr(okno_buf_text(&csv), "\"'@SUM(1)"));
    assert_null(strstr(okno_buf_text(&csv), ",="));
}

/* ---- files, read by other people's programs ---- */

#define PYTHON_CHECK                                                                               \
    "import json, sys, jsonschema, openpyxl, datetime\n"                                           \
    "d = sys.argv[1]\n"                                                                            \
    "model = json.load(open(d + '/r.json'))\n"                                                     \
    "jsonschema.Draft202012Validator(json.load(open(sys.argv[2]))).validate(model)\n"              \
    "book = openpyxl.load_workbook(d + '/r.xlsx')\n"                                               \
    "assert len(book.sheetnames) > 8, book.sheetnames\n"                                           \
    "kinds = set()\n"                                                                              \
    "for sheet in book:\n"                                                                         \
    "    for row in sheet.iter_rows():\n"                                                          \
    "        for cell in row:\n"                                                                   \
    "            assert cell.data_type != 'f', (sheet.title, cell.coordinate, cell.value)\n"       \
    "            kinds.add(type(cell.value))\n"                                                    \
    "assert {int, float, str, datetime.datetime} <= kinds, kinds\n"                                \
    "exclusions = [s for s in book if s['A1'].value == 'Place'][0]\n"                              \
    "assert exclusions.max_row > 2\n"

static void shell(const char *dir, const char *command)
{
    char line[8000];
    int len = snprintf(line, sizeof(line), "cd %s && { %s; } > said 2>&1 || { cat said; exit 1; }",
                       dir, command);
    assert_true(len > 0 && len < (int)sizeof(line));
    const char *args[] = {"sh", "-c", line, NULL};
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawnp(&pid, "sh", NULL, NULL, (char *const *)(uintptr_t)args, environ),
                     0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%.300s", command);
}

static void put_file(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    okno_autofclose FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
}

/* A report in one language in all formats, each twice. */
static void put_all(struct scratch_db *f, const json_t *model, const char *dir, const char *lang)
{
    OKNO_AUTO_BUF bytes = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    for (int format = 0; format < OKNO_REPORT_FORMATS; format++) {
        char name[40];
        write_as(f, model, (enum okno_report_format)format, lang, &bytes);
        (void)snprintf(name, sizeof(name), "r.%s",
                       okno_report_format_name((enum okno_report_format)format));
        put_file(dir, name, bytes.data, bytes.len);
        write_as(f, model, (enum okno_report_format)format, lang, &bytes);
        (void)snprintf(name, sizeof(name), "again.%s",
                       okno_report_format_name((enum okno_report_format)format));
        put_file(dir, name, bytes.data, bytes.len);
    }
}

static void other_programs_read_every_format(void **state)
{
    struct scratch_db *f = *state;
    char *dir = support_tempdir();
    char command[1000];
    char here[200];
    assert_non_null(getcwd(here, sizeof(here)));
    okno_autojson json_t *model = hostile(f);
    put_all(f, model, dir, "en");
    shell(dir, "for x in html pdf xlsx csv json; do cmp r.$x again.$x; done");
    put_file(dir, "check.py", PYTHON_CHECK, strlen(PYTHON_CHECK));
    (void)snprintf(command, sizeof(command),
                   "/usr/bin/python3 check.py . %s/conf/report.schema.json", here);
    shell(dir, command);
    shell(dir,
          "sqlite3 x.db '.mode csv' '.import r.csv r' 'SELECT count(*) FROM r' > n &&"
          " [ $(cat n) -gt 300 ] && sqlite3 x.db \"SELECT value FROM r WHERE section = "
          "'identity' AND field = 'audit'\" | grep -qx A1");
    support_tempdir_remove(dir);
}

static void a_pdf_holds_every_chapter_as_text_with_its_fonts(void **state)
{
    struct scratch_db *f = *state;
    char *dir = support_tempdir();
    okno_autojson json_t *model = hostile(f);
    put_all(f, model, dir, "ru");
    shell(dir, "pdftotext -layout r.pdf r.txt");
    for (int i = 0; i < 15; i++) {
        static const char *const ids[] = {"summary",   "identity",     "criteria",  "frame",
                                          "plan",      "seed",         "execution", "findings",
                                          "agreement", "indicators",   "limits",    "opinion",
                                          "signature", "verification", "glossary"};
        char key[60];
        char command[400];
        (void)snprintf(key, sizeof(key), "section.%s", ids[i]);
        (void)snprintf(command, sizeof(command), "grep -qF '%s' r.txt", words_find("ru", key));
        shell(dir, command);
    }
    /* embedded and cut down, with a way back to text; a page number on the last page */
    shell(dir,
          "pdffonts r.pdf | awk 'NR > 2 && !/yes yes yes/ { bad = 1 } END { exit bad || NR < 4 }'");
    shell(dir,
          "n=$(pdfinfo r.pdf | sed -n 's/^Pages: *//p'); [ $n -gt 5 ] &&"
          " grep -q \"Страница $n из $n\" r.txt");
    support_tempdir_remove(dir);
}

/* Words stand between the margins, on pages and in the foot; charts say what each mark means, in
 * the language's numbers. */
static void pages_keep_their_margins_and_charts_explain_themselves(void **state)
{
    static const char *const languages[] = {"en", "ru"};
    struct scratch_db *f = *state;
    char *dir = support_tempdir();
    okno_autojson json_t *model = hostile(f);
    for (size_t i = 0; i < OKNO_COUNT(languages); i++) {
        static const char *const marks[] = {"ui.raw", "ui.excluded", "ui.worst"};
        const char *absent = words_find(languages[i], "ui.estimated"); /* no chart has one */
        char command[400];
        put_all(f, model, dir, languages[i]);
        shell(dir,
              "pdftotext -layout r.pdf r.txt && pdftotext -bbox r.pdf r.box &&"
              " awk -F'\"' '/<word/ && ($2 < 45 || $6 > 550) { print; bad = 1 }"
              " END { exit bad }' r.box");
        for (size_t k = 0; k < OKNO_COUNT(marks); k++) {
            (void)snprintf(command, sizeof(command), "grep -qF '%s' r.txt && grep -qF '%s' r.html",
                           words_find(languages[i], marks[k]), words_find(languages[i], marks[k]));
            shell(dir, command);
        }
        (void)snprintf(command, sizeof(command), "! grep -F '%s' r.txt r.html", absent);
        shell(dir, command);
    }
    shell(dir, "! grep -E ' 0\\.[0-9]{1,2}( |$)' r.txt && grep -E '^ *0,0 +0,2 ' r.txt");
    shell(dir, "grep -qF '>0,2</text>' r.html && ! grep -E '>0\\.[0-9]+</text>' r.html");
    support_tempdir_remove(dir);
}

/* With 70 sites the chart is taller than a page: it begins below its heading all the same, and what
 * no site has takes no pages. */
static void a_tall_chart_stays_with_its_heading(void **state)
{
    struct scratch_db *f = *state;
    char *dir = support_tempdir();
    okno_autojson json_t *model = hostile(f);
    json_t *groups = json_object_get(json_object_get(model, "by_site"), "groups");
    for (int i = 0; i < 69; i++)
        assert_int_equal(json_array_append_new(groups, json_deep_copy(json_array_get(groups, 0))),
                         0);
    put_all(f, model, dir, "en");
    shell(dir,
          "pdftotext -layout r.pdf r.txt && awk -v RS='\f' '/Site by site/ && /INK@Personnel by "
          "site/ { found = 1 } END { exit !found }' r.txt && ! grep -q 'IEL by site' r.txt");
    support_tempdir_remove(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_text_becomes_markup),
        TEST(no_text_becomes_a_formula),
        TEST(other_programs_read_every_format),
        TEST(a_pdf_holds_every_chapter_as_text_with_its_fonts),
        TEST(a_tall_chart_stays_with_its_heading),
        TEST(pages_keep_their_margins_and_charts_explain_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
