#define _POSIX_C_SOURCE 200809L
#include "okno/grant.h"

#include <stdio.h>
#include <string.h>

static int check_scope(struct okno_db *db, const char *scope, struct okno_err *err)
{
    int64_t known = 0;
    char shown[OKNO_TEXT_SHOWN];
    bool site = strncmp(scope, "site:", 5) == 0;
    bool group = strncmp(scope, "group:", 6) == 0;
    if (strcmp(scope, "all") == 0)
        return 0;
    if ((!site && !group) || strlen(scope) >= OKNO_GRANT_SCOPE_TEXT ||
        !scope[strcspn(scope, ":") + 1])
        return okno_fail_field(err, OKNO_INVALID, "scope",
                               "\"%s\" is not allowed; allowed: all, site:ID, group:NAME",
                               okno_text_show(scope, shown));
    int rc = site ? OKNO_DB_INT(db, "registry.has_site", 0, &known, err, OKNO_TEXT("id", scope + 5))
                  : OKNO_DB_INT(db, "registry.knows_group", 0, &known, err,
                                OKNO_TEXT("name", scope + 6));
    if (rc < 0 || known)
        return rc;
    return okno_fail_field(err, OKNO_UNKNOWN_REF, "scope", "there is no %s \"%s\"",
                           site ? "site" : "group of sites",
                           okno_text_show(strchr(scope, ':') + 1, shown));
}

int okno_grant_set(struct okno_db *db, const char *user, const char *scope, bool granted,
                   const char *author, int64_t now_us, struct okno_err *err)
{
    int64_t known = 0;
    int64_t changed = 0;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_INT(db, "registry.knows_user", 0, &known, err, OKNO_TEXT("user", user));
    if (rc == 0 && !known)
        rc = okno_fail(err, OKNO_NOT_FOUND, "there is no user \"%s\"", okno_text_show(user, shown));
    if (rc == 0 && granted) /* what is gone can still be taken back */
        rc = check_scope(db, scope, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_grant", &changed, err, OKNO_TEXT("user", user),
                         OKNO_TEXT("scope", scope), OKNO_INT("granted", granted),
                         OKNO_INT("now", now_us), OKNO_TEXT("author", author));
    if (rc == 0 && !changed && !granted)
        rc = okno_fail(err, OKNO_REFUSED, "%s was not granted to %s", okno_text_show(scope, shown),
                       user);
    return rc;
}

int okno_grant_list(struct okno_db *db, const char *user, struct okno_grant_vec *grants,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_grants", &stmt, err, OKNO_TEXT("user", user));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_grant grant = {.at_us = okno_stmt_int(stmt, "at")};
        okno_stmt_copy(stmt, "user", grant.user, sizeof(grant.user));
        okno_stmt_copy(stmt, "scope", grant.scope, sizeof(grant.scope));
        okno_stmt_copy(stmt, "author", grant.author, sizeof(grant.author));
        rc = okno_grant_vec_push(grants, grant) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the grants")
                 : 0;
    }
    return rc;
}

bool okno_grant_needed(const char *role)
{
    return strcmp(role, "manager") == 0 || strcmp(role, "staff") == 0;
}

int okno_grant_sites(struct okno_db *db, const char *user, const char *role, char **ret_sites,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t all = !okno_grant_needed(role);
    char *sites = NULL;
    int rc =
        all ? 0 : OKNO_DB_INT(db, "registry.granted_all", 0, &all, err, OKNO_TEXT("user", user));
    if (rc == 0 && !all) {
        rc = OKNO_DB_PREPARE(db, "registry.granted_sites", &stmt, err, OKNO_TEXT("user", user));
        if (rc == 0)
            rc = okno_stmt_step(stmt, err);
        sites = rc == 1 ? strdup(okno_stmt_text(stmt, "sites")) : NULL;
        rc = rc < 0 ? rc : sites ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the rights");
    }
    if (rc == 0)
        *ret_sites = sites;
    return rc;
}
