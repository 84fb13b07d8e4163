#define _POSIX_C_SOURCE 200809L
/* okno-paper FORMAT: a report's document as JSON on standard input, the file on standard output. It
 * is started by okno alone, has no other input, and dies of its own limits rather than of the
 * machine's. */
#include "paper.h"

#include "cell.h"
#include "okno/mem.h"

#include <string.h>
#include <sys/resource.h>

enum { CPU_SECONDS = 170, DOCUMENT_MAX = 512 << 20 };

const char *paper_value(const json_t *value, const char *type, const char *lang, char *ret_text,
                        size_t size)
{
    char text[CELL_TEXT];
    const char *shown = cell_format(value, type, lang, text);
    size_t used = 0;
    if (strcmp(type, "hash") != 0) {
        if (shown != text)
            return shown;
        (void)snprintf(ret_text, size, "%s", text);
        return ret_text;
    }
    ret_text[0] = '\0';
    while (*shown && used < size) {
        size_t len = strcspn(shown, " ");
        used += (size_t)snprintf(ret_text + used, size - used, "%s%.*s%s", used ? "\n" : "",
                                 (int)(len < 16 ? len : 16), shown, len > 16 ? "…" : "");
        shown += len + strspn(shown + len, " ");
    }
    return ret_text;
}

#ifdef __SANITIZE_ADDRESS__
/* Fonts stay loaded to the end of the program: its library's business. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}
#endif

static int limit(int what, rlim_t most)
{
    const struct rlimit limits = {most, most};
    return setrlimit((__rlimit_resource_t)what, &limits);
}

static int read_document(json_t **ret_document, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(DOCUMENT_MAX);
    char piece[65536];
    json_error_t why;
    size_t got;
    int rc = 0;
    while (rc == 0 && (got = fread(piece, 1, sizeof(piece), stdin)) > 0)
        rc = okno_buf_add(&text, piece, got, err);
    if (rc < 0)
        return rc;
    *ret_document = json_loadb(okno_buf_text(&text), text.len, 0, &why);
    return *ret_document ? 0 : okno_fail(err, OKNO_MALFORMED, "the document: %s", why.text);
}

static int run(const char *format, struct okno_err *err)
{
    okno_autojson json_t *document = NULL;
    int rc = read_document(&document, err);
    if (rc < 0)
        return rc;
    rc = strcmp(format, "pdf") == 0 ? pdf_write(document, stdout, err)
                                    : xlsx_write(document, stdout, err);
    if (rc == 0 && fflush(stdout) != 0)
        rc = okno_fail(err, OKNO_IO, "cannot write the file");
    return rc;
}

int main(int argc, char **argv)
{
    struct okno_err err = {0};
    if (argc != 2 || (strcmp(argv[1], "pdf") != 0 && strcmp(argv[1], "xlsx") != 0)) {
        fprintf(stderr,
                "usage: okno-paper pdf|xlsx < DOCUMENT > FILE (started by `okno audit "
                "report`)\n");
        return 2;
    }
    if (limit(RLIMIT_CPU, CPU_SECONDS) < 0 || limit(RLIMIT_CORE, 0) < 0)
        fprintf(stderr, "okno-paper: no limits could be set\n");
    if (run(argv[1], &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}
