/* Cherry-picking: an employee who asks far fewer of the customers than colleagues at the same site
 * do. */
#include "kpi.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double okno_kpi_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_numbers);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

bool okno_kpi_cherry_picking(double conversion, int64_t transactions, double median)
{
    return transactions >= OKNO_CHERRY_TRANSACTIONS && conversion < median / 2;
}

/* Conversion of somebody with enough transactions to be compared. */
static bool conversion_of(const struct okno_kpi_group *group, double *ret_conversion)
{
    const struct okno_kpi_count *sales = &group->sums.transactions;
    const char *employee = okno_group_value(group, OKNO_BY_EMPLOYEE);
    if (sales->null_reason || sales->count < OKNO_CHERRY_TRANSACTIONS ||
        strcmp(employee, "unassigned") == 0)
        return false;
    *ret_conversion = (double)group->sums.set[OKNO_EXCLUDED].surveys / (double)sales->count;
    return true;
}

static void mark(struct okno_group_vec *groups, const struct okno_kpi_group *suspect, double median)
{
    const char *site = okno_group_value(suspect, OKNO_BY_SITE);
    const char *employee = okno_group_value(suspect, OKNO_BY_EMPLOYEE);
    for (size_t i = 0; i < groups->len; i++) {
        struct okno_kpi_group *group = &groups->items[i];
        const char *at = okno_group_value(group, OKNO_BY_SITE);
        if (strcmp(okno_group_value(group, OKNO_BY_EMPLOYEE), employee) == 0 &&
            (!at || strcmp(at, site) == 0)) {
            group->cherry_picking = true;
            group->site_conversion = median;
        }
    }
}

/* Employees of one site: suspects[from..to). */
static int judge_site(const struct okno_group_vec *all, size_t from, size_t to,
                      struct okno_group_vec *groups, struct okno_err *err)
{
    okno_autofree double *values = malloc((to - from + 1) * sizeof(*values));
    size_t count = 0;
    double conversion = 0;
    if (!values)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees");
    for (size_t i = from; i < to; i++)
        if (conversion_of(&all->items[i], &conversion))
            values[count++] = conversion;
    if (count < 2)
        return 0;
    double median = okno_kpi_median(values, count);
    for (size_t i = from; i < to; i++)
        if (conversion_of(&all->items[i], &conversion) &&
            okno_kpi_cherry_picking(conversion, all->items[i].sums.transactions.count, median))
            mark(groups, &all->items[i], median);
    return 0;
}

int kpi_add_alarms(struct okno_db *db, const struct okno_kpi_query *query,
                   struct okno_group_vec *groups, struct okno_err *err)
{
    struct okno_group_vec all = {0};
    struct okno_kpi_query employees = *query;
    if (!(query->by & OKNO_BY_EMPLOYEE) || groups->len == 0)
        return 0;
    employees.by = OKNO_BY_SITE | OKNO_BY_EMPLOYEE;
    int rc = kpi_gather_groups(db, &employees, &all, err);
    for (size_t i = 0, to = 0; rc == 0 && i < all.len; i = to) {
        const char *site = okno_group_value(&all.items[i], OKNO_BY_SITE);
        for (to = i;
             to < all.len && strcmp(okno_group_value(&all.items[to], OKNO_BY_SITE), site) == 0;)
            to++;
        rc = judge_site(&all, i, to, groups, err);
    }
    okno_kpi_groups_free(&all);
    return rc;
}
