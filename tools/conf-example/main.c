/* conf-example: print conf/okno.conf.example as the table of options makes it.
 *
 *     build/tools/conf-example > conf/okno.conf.example */
#include "okno/conf.h"

#include <stdio.h>

int main(void)
{
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
    struct okno_err err = {0};
    if (okno_conf_example(&buf, &err) < 0) {
        (void)fprintf(stderr, "conf-example: %s\n", err.text);
        return 1;
    }
    return fputs(okno_buf_text(&buf), stdout) < 0 || fflush(stdout) != 0;
}
