/* The programs that belong to okno: each is linked to libraries that the service is to be free of.
 */
#ifndef OKNO_BESIDE_H
#define OKNO_BESIDE_H

#include "okno/err.h"

#include <stddef.h>

/* Where a program of that name lies: beside this one (a build folder), or where `make install` puts
 * it. OKNO_UNSUPPORTED when it is at none of these places. */
OKNO_CHECK int okno_beside(const char *name, char *ret_path, size_t size, struct okno_err *err);

#endif
