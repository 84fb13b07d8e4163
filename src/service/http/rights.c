#define _POSIX_C_SOURCE 200809L
#include "rights.h"

#include "okno/grant.h"
#include "okno/registry.h"

#include <string.h>

/* How a route is limited for people who see some sites only. A route that is not here is closed to
 * them: who adds one decides. LISTED: its handler leaves out what is not theirs (request->sites).
 * NAMED: the path names something of a site. OWN: about the person alone. */
enum reach { REACH_OWN, REACH_LISTED, REACH_NAMED };

static const struct {
    const char *path;
    enum reach reach;
} reaches[] = {
    {"/api/v1/logout", REACH_OWN},
    {"/api/v1/me", REACH_OWN},
    {"/api/v1/reasons", REACH_OWN},
    {"/api/v1/tags", REACH_OWN},
    {"/api/v1/statements", REACH_OWN},
    {"/api/v1/periods", REACH_LISTED},
    {"/api/v1/periods/{period}", REACH_NAMED},
    {"/api/v1/periods/{period}/adjustments", REACH_NAMED},
    {"/api/v1/periods/{period}/verify", REACH_NAMED},
    {"/api/v1/periods/{period}/statements.csv", REACH_NAMED},
    {"/api/v1/sites", REACH_LISTED},
    {"/api/v1/employees", REACH_LISTED},
    {"/api/v1/indicators", REACH_LISTED},
    {"/api/v1/indicators/report", REACH_LISTED},
    {"/api/v1/devices", REACH_LISTED},
    {"/api/v1/alerts", REACH_LISTED},
    {"/api/v1/alerts/{alert}/ack", REACH_NAMED},
    {"/api/v1/negatives", REACH_LISTED},
    {"/api/v1/negatives/{rating}/comments", REACH_NAMED},
    {"/api/v1/reaction", REACH_LISTED},
    {"/api/v1/surveys", REACH_LISTED},
    {"/api/v1/changes", REACH_LISTED},
    {"/api/v1/lanes", REACH_LISTED},
    {"/api/v1/panels", REACH_LISTED},
    {"/api/v1/panels/{device}/revoke", REACH_NAMED},
    {"/api/v1/qr", REACH_LISTED},
    {"/api/v1/qr/{code}/revoke", REACH_NAMED},
    {"/api/v1/surveys/{survey}", REACH_NAMED},
    {"/api/v1/surveys/{survey}/attribution", REACH_NAMED},
    {"/api/v1/surveys/{survey}/void", REACH_NAMED},
    {"/api/v1/surveys/{survey}/void/answer", REACH_NAMED},
    {"/api/v1/voids", REACH_LISTED},
    {"/api/v1/surveys/{survey}/target", REACH_NAMED},
    {"/api/v1/surveys/{survey}/appeals", REACH_NAMED},
    {"/api/v1/appeals", REACH_LISTED},
    {"/api/v1/appeals/rulings", REACH_LISTED},
    {"/api/v1/appeals/{appeal}/withdraw", REACH_OWN},
    {"/api/v1/evidence/{file}", REACH_NAMED},
};

/* What the first name in a path is, and the statement that says whether it lies at one of the
 * sites: no row when it is not known (the handler says so), else `seen`. */
static const struct {
    const char *name, *statement;
} things[] = {
    {"{survey}", "service.sees_survey"}, {"{rating}", "service.sees_survey"},
    {"{file}", "service.sees_file"},     {"{alert}", "service.sees_alert"},
    {"{period}", "service.sees_period"}, {"{device}", "service.sees_device"},
    {"{code}", "service.sees_code"},
};

static bool reach_of(const char *path, enum reach *ret_reach)
{
    for (size_t i = 0; i < OKNO_COUNT(reaches); i++)
        if (strcmp(reaches[i].path, path) == 0) {
            *ret_reach = reaches[i].reach;
            return true;
        }
    return false;
}

int http_rights_load(struct http_request *request, struct okno_err *err)
{
    if (!request->who.user[0])
        return 0;
    return okno_grant_sites(request->db, request->who.user, request->who.role, &request->sites,
                            err);
}

bool http_rights_site(const struct http_request *request, const char *site)
{
    char quoted[OKNO_ID_TEXT + 4];
    if (!request->sites)
        return true;
    if (!site || !okno_text_is_id(site))
        return false;
    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", site);
    return strstr(request->sites, quoted) != NULL; /* ids need no escapes */
}

static int refuse_site(const struct http_request *request, const char *field, struct okno_err *err)
{
    bool none = strcmp(request->sites, "[]") == 0;
    return okno_fail_field(err, OKNO_FORBIDDEN, field,
                           none ? "no site is granted to you; an administrator can grant some"
                                : "this is of a site that is not granted to you; an administrator "
                                  "can grant it");
}

static int check_thing(const struct http_request *request, struct okno_err *err)
{
    int64_t seen = 1;
    const char *open = strchr(request->route->path, '{');
    for (size_t i = 0; open && i < OKNO_COUNT(things); i++) {
        size_t len = strlen(things[i].name);
        if (strncmp(open, things[i].name, len) != 0)
            continue;
        int rc =
            OKNO_DB_INT(request->db, things[i].statement, 1, &seen, err,
                        OKNO_TEXT("id", request->params[0]), OKNO_TEXT("sites", request->sites));
        return rc < 0 ? rc : seen ? 0 : refuse_site(request, "", err);
    }
    return okno_fail(err, OKNO_FORBIDDEN, "this is not open to who sees some sites only");
}

int http_rights_point(const struct http_request *request, const char *point, struct okno_err *err)
{
    int64_t seen = 1;
    int rc = request->sites
                 ? OKNO_DB_INT(request->db, "service.sees_point", 1, &seen, err,
                               OKNO_TEXT("id", point), OKNO_TEXT("sites", request->sites))
                 : 0;
    return rc < 0 ? rc : seen ? 0 : refuse_site(request, "point", err);
}

static int check_query(const struct http_request *request, struct okno_err *err)
{
    const char *site = http_query(request, "site");
    const char *point = http_query(request, "point");
    if (site && !http_rights_site(request, site))
        return refuse_site(request, "site", err);
    return point ? http_rights_point(request, point, err) : 0;
}

/* "manager, administrator" */
static void name_roles(unsigned roles, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (int i = 0; i < HTTP_ROLE_COUNT && used < size; i++)
        if (roles & (1U << i))
            used += (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "",
                                     http_role_names[i]);
}

static int check_role(const struct http_request *request, struct okno_err *err)
{
    unsigned roles = request->route->roles;
    char names[80];
    if (!request->who.user[0] && !request->device[0])
        return okno_fail(err, OKNO_UNAUTHENTICATED, "log in first");
    if (roles & request->role)
        return 0;
    name_roles(roles, names, sizeof(names));
    return okno_fail(err, OKNO_FORBIDDEN, "this is not open to your role (%s), only to: %s",
                     request->who.role[0] ? request->who.role : "device", names);
}

/* Who runs what is audited takes no step of the audit, by whatever login. Of the audit's own steps
 * the audit room sees to that, since a plan may declare that there is one person only. */
static int check_auditor(const struct http_request *request, struct okno_err *err)
{
    static const char steps[] = "/api/v1/audits";
    int64_t runs = 0;
    if (request->route->roles != HTTP_AUDITOR ||
        strncmp(request->route->path, steps, sizeof(steps) - 1) == 0)
        return 0;
    int rc = OKNO_DB_INT(request->db, "user.runs_it", 0, &runs, err,
                         OKNO_TEXT("user", request->who.user));
    return rc < 0 || !runs
               ? rc
               : okno_fail(err, OKNO_FORBIDDEN,
                           "you are an administrator, too (by another login of the same "
                           "employee): the steps of an audit are another person's");
}

/* Who sees some sites only is not told who works at the others. */
static int check_employee(const struct http_request *request, struct okno_err *err)
{
    const char *employee = http_query(request, "employee");
    char shown[OKNO_TEXT_SHOWN];
    int64_t seen = 1;
    if (!employee || strcmp(employee, "unassigned") == 0)
        return 0;
    if (!request->sites)
        return okno_registry_require(request->db, "employee", employee, err);
    int rc = OKNO_DB_INT(request->db, "attribution.sees_employee", 1, &seen, err,
                         OKNO_TEXT("employee", employee), OKNO_TEXT("sites", request->sites));
    return rc < 0 || seen ? rc
                          : okno_fail_field(err, OKNO_UNKNOWN_REF, "employee",
                                            "there is no employee \"%s\" at your sites",
                                            okno_text_show(employee, shown));
}

/* A list filtered by what there is not would be an empty list. */
static int check_known(const struct http_request *request, struct okno_err *err)
{
    static const char *const nouns[] = {"site", "group", "point", "question"};
    int rc = check_employee(request, err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(nouns); i++)
        rc = okno_registry_require(request->db, nouns[i], http_query(request, nouns[i]), err);
    if (rc == OKNO_NOT_FOUND) /* of the filter, not of the list */
        rc = err->code = OKNO_UNKNOWN_REF;
    return rc;
}

int http_rights_check(const struct http_request *request, struct okno_err *err)
{
    enum reach reach = REACH_OWN;
    if (!request->route->roles)
        return 0;
    int rc = check_role(request, err);
    if (rc == 0)
        rc = check_auditor(request, err);
    bool known = reach_of(request->route->path, &reach);
    if (rc == 0 && !request->sites && reach == REACH_LISTED)
        rc = check_known(request, err);
    if (rc < 0 || !request->sites)
        return rc;
    if (!known)
        return okno_fail(err, OKNO_FORBIDDEN,
                         "this covers all sites; it is open to who may see all of them");
    if (reach == REACH_NAMED)
        rc = check_thing(request, err);
    if (rc == 0 && reach != REACH_OWN)
        rc = check_query(request, err);
    return rc == 0 && reach == REACH_LISTED ? check_known(request, err) : rc;
}
