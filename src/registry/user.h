/* Reading a row of users. */
#ifndef OKNO_REGISTRY_USER_H
#define OKNO_REGISTRY_USER_H

#include "okno/user.h"

/* From a statement with the columns user, name, role, language, employee, disabled. */
void user_read(struct okno_stmt *stmt, struct okno_user *ret_user);

#endif
