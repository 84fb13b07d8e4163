#include "okno/qr.h"

#include "okno/mem.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

static void code_free_at(QRcode **at)
{
    QRcode_free(*at);
}
#define AUTO_CODE __attribute__((cleanup(code_free_at))) QRcode

static int encode(const char *text, QRcode **ret_code, struct okno_err *err)
{
    size_t len = strlen(text);
    if (len > OKNO_QR_TEXT_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "%zu bytes do not fit into a QR code; allowed are %d",
                         len, OKNO_QR_TEXT_MAX);
    *ret_code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    return *ret_code ? 0 : okno_fail_errno(err, errno, "cannot make a QR code");
}

/* Outside the code lies the margin. */
static int is_dark(const QRcode *code, int x, int y)
{
    x -= OKNO_QR_QUIET;
    y -= OKNO_QR_QUIET;
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           code->data[y * code->width + x] & 1;
}

static int add_row(const QRcode *code, int y, struct okno_buf *to, struct okno_err *err)
{
    int size = code->width + 2 * OKNO_QR_QUIET;
    int rc = 0;
    for (int x = 0, end; rc == 0 && x < size; x = end) {
        for (end = x + 1; is_dark(code, x, y) && is_dark(code, end, y);)
            end++;
        if (is_dark(code, x, y))
            rc = okno_buf_printf(to, err, "M%d %dh%dv1h-%dz", x, y, end - x, end - x);
    }
    return rc;
}

int okno_qr_path(const char *text, struct okno_buf *to, int *ret_size, struct okno_err *err)
{
    AUTO_CODE *code = NULL;
    int rc = encode(text, &code, err);
    if (rc < 0)
        return rc;
    int size = code->width + 2 * OKNO_QR_QUIET;
    for (int y = 0; rc == 0 && y < size; y++)
        rc = add_row(code, y, to, err);
    if (rc == 0)
        *ret_size = size;
    return rc;
}

int okno_qr_svg(const char *text, struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(1U << 20);
    int size = 0;
    int rc = okno_qr_path(text, &path, &size, err);
    if (rc < 0)
        return rc;
    return okno_buf_printf(
        to, err,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
        "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
        "<path fill=\"#000\" d=\"%s\"/></svg>\n",
        size, size, size, size, okno_buf_text(&path));
}

int okno_qr_terminal(const char *text, struct okno_buf *to, struct okno_err *err)
{
    static const char *const halves[] = {"█", "▀", "▄", " "}; /* dark below 1, dark above 2 */
    AUTO_CODE *code = NULL;
    int rc = encode(text, &code, err);
    if (rc < 0)
        return rc;
    int size = code->width + 2 * OKNO_QR_QUIET;
    for (int y = 0; rc == 0 && y < size; y += 2) {
        for (int x = 0; rc == 0 && x < size; x++)
            rc = okno_buf_add_text(
                to, halves[2 * is_dark(code, x, y) + (is_dark(code, x, y + 1) ? 1 : 0)], err);
        if (rc == 0)
            rc = okno_buf_add_text(to, "\n", err);
    }
    return rc;
}
