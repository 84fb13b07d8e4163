/* QR codes (ISO/IEC 18004, made by libqrencode with error correction level M). */
#ifndef OKNO_QR_H
#define OKNO_QR_H

#include "okno/buf.h"
#include "okno/err.h"

enum { OKNO_QR_TEXT_MAX = 1000 /* bytes */, OKNO_QR_QUIET = 4 /* modules of margin */ };

/* A path in modules for <path d="...">, the margin included, appended; *ret_size is the side of the
 * square. OKNO_TOO_LARGE for more than OKNO_QR_TEXT_MAX bytes. */
OKNO_CHECK int okno_qr_path(const char *text, struct okno_buf *to, int *ret_size,
                            struct okno_err *err);

/* A whole SVG document, black on white, appended. */
OKNO_CHECK int okno_qr_svg(const char *text, struct okno_buf *to, struct okno_err *err);

/* For a terminal: two modules a character in UTF-8 half blocks, light on dark as most terminals
 * are, lines ended by newlines; appended. */
OKNO_CHECK int okno_qr_terminal(const char *text, struct okno_buf *to, struct okno_err *err);

#endif
