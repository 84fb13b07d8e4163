#define _POSIX_C_SOURCE 200809L
#include "okno/beside.h"

#include "okno/mem.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int okno_beside(const char *name, char *ret_path, size_t size, struct okno_err *err)
{
    static const char *const places[] = {"", "../libexec/okno/", "../", "../../", "../../../"};
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; slash && i < OKNO_COUNT(places); i++) {
        int wrote = snprintf(ret_path, size, "%s/%s%s", self, places[i], name);
        if (wrote > 0 && (size_t)wrote < size && access(ret_path, X_OK) == 0)
            return 0;
    }
    return okno_fail(err, OKNO_UNSUPPORTED,
                     "%s is not installed beside okno: it belongs to libexec/okno, where `make "
                     "install` puts it",
                     name);
}
