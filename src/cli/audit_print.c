/* Where audits stand, for people. */
#include "audit.h"
#include "cli.h"

#include "okno/audit.h"
#include "okno/text.h"

#include <string.h>

static const char *text_of(const json_t *status, const char *key)
{
    const char *text = json_string_value(json_object_get(status, key));
    return text ? text : "-";
}

static long long count_of(const json_t *status, const char *key)
{
    return (long long)json_integer_value(json_object_get(status, key));
}

static void print_measure(const json_t *agreement, const char *key, const char *name)
{
    const json_t *one = json_object_get(agreement, key);
    const char *reason = json_string_value(json_object_get(one, "null_reason"));
    double value = json_number_value(json_object_get(one, "value"));
    if (reason)
        printf("  %-20s %s\n", name, reason);
    else if (json_is_null(json_object_get(one, "low")))
        printf("  %-20s %.3f\n", name, value);
    else
        printf("  %-20s %.3f [%.3f, %.3f]\n", name, value,
               json_number_value(json_object_get(one, "low")),
               json_number_value(json_object_get(one, "high")));
}

static void print_doubles(const json_t *status)
{
    const json_t *agreement = json_object_get(status, "agreement");
    const json_t *doubles = json_object_get(status, "double_review");
    if (!json_is_object(agreement) || count_of(doubles, "doubled") == 0)
        return;
    printf("double   %lld by two experts, %lld waiting; %lld %s, %lld ruled\n",
           count_of(doubles, "doubled"), count_of(doubles, "waiting"),
           count_of(doubles, "conflicts"),
           okno_text_form(count_of(doubles, "conflicts"), "conflict", "conflicts"),
           count_of(doubles, "ruled"));
    print_measure(agreement, "percent", "agreement");
    print_measure(agreement, "kappa", "Cohen kappa");
    print_measure(agreement, "ac1", "Gwet AC1");
    print_measure(agreement, "alpha", "Krippendorff alpha");
    print_measure(agreement, "positive",
                  json_object_get(status, "never_asked") ? "on not asked" : "on invalid");
}

/* One id, or several, on a line; no line for none. */
static void print_ids(const json_t *status, const char *key, const char *title)
{
    const json_t *ids = json_object_get(status, key);
    size_t i;
    json_t *id;
    if (json_is_string(ids))
        printf("%-8s %s\n", title, json_string_value(ids));
    if (json_array_size(ids) == 0)
        return;
    printf("%-8s", title);
    json_array_foreach(ids, i, id)
    {
        printf(" %s", json_string_value(id));
    }
    printf("\n");
}

/* Indicators whose interval misses the plan's width, and what would mend that. */
static void print_widths(const json_t *status)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(status, "too_wide"), i, one)
    {
        printf("too wide %-20s +-%.3f, wanted +-%s\n", text_of(one, "indicator"),
               json_number_value(json_object_get(one, "half_width")),
               text_of(json_object_get(status, "plan"), "max_half_width"));
    }
    if (count_of(status, "extend_by") > 0)
        printf("widths   about %lld more would do: okno audit extend %s --size %lld\n",
               count_of(status, "extend_by"), text_of(status, "audit"),
               count_of(status, "extend_by"));
    else if (json_array_size(json_object_get(status, "too_wide")) > 0)
        printf(
            "widths   no round is left: a further audit needs a larger --size, or more --looks\n");
}

/* Of a sale or a minute nothing is valid: experts said whether a customer was there, and asked. */
static void print_progress(const json_t *status)
{
    long long valid = count_of(status, "valid");
    long long not_asked = count_of(status, "not_asked");
    printf("sample   %lld, reviewed %lld: ", count_of(status, "sample"),
           count_of(status, "reviewed"));
    if (json_object_get(status, "never_asked"))
        printf("%lld asked, %lld not asked, %lld no customer", valid - not_asked, not_asked,
               count_of(status, "invalid"));
    else
        printf("%lld valid, %lld invalid", valid, count_of(status, "invalid"));
    printf(", %lld undeterminable\n", count_of(status, "undeterminable"));
}

static void print_asked(const json_t *status)
{
    const json_t *asked = json_object_get(status, "never_asked");
    if (json_is_string(json_object_get(asked, "null_reason")))
        printf("asked    no share of customers never asked: %s\n", text_of(asked, "null_reason"));
    else if (asked)
        printf("asked    %.3f of the customers were never asked [%.3f, %.3f]\n",
               json_number_value(json_object_get(asked, "value")),
               json_number_value(json_object_get(asked, "low")),
               json_number_value(json_object_get(asked, "high")));
}

/* What is to be decided against what experts decide, and when footage goes. */
static void print_capacity(const json_t *status)
{
    const json_t *capacity = json_object_get(status, "capacity");
    if (!json_is_object(capacity))
        return;
    printf("work     %lld %s", count_of(capacity, "reviews"),
           okno_text_form(count_of(capacity, "reviews"), "review", "reviews"));
    if (json_is_number(json_object_get(capacity, "decided_a_day")))
        printf("; experts decided %.1f a day lately: %lld %s",
               json_number_value(json_object_get(capacity, "decided_a_day")),
               count_of(capacity, "days"),
               okno_text_form(count_of(capacity, "days"), "day", "days"));
    if (json_is_string(json_object_get(capacity, "footage_until")))
        printf("; the first footage goes %s", text_of(capacity, "footage_until"));
    printf("\n");
}

/* What the audit goes on without, though it was planned or may come. */
static void print_lacking(const json_t *status)
{
    long long gold = count_of(json_object_get(status, "plan"), "gold");
    if (gold > count_of(status, "gold_there") && strcmp(text_of(status, "state"), "closed") != 0)
        printf(
            "gold     %lld planned, %lld can be asked: settled surveys outside the frame, with "
            "footage (okno review gold)\n",
            gold, count_of(status, "gold_there"));
    if (count_of(status, "appeals_open") > 0)
        printf(
            "appeals  %lld about its surveys %s for a decision; after the close they come "
            "into a further edition of the report (okno review appeals)\n",
            count_of(status, "appeals_open"),
            okno_text_form(count_of(status, "appeals_open"), "waits", "wait"));
}

static void print_human(const json_t *status)
{
    size_t i;
    json_t *step;
    printf("audit    %s  %s\nstate    %s\nperiod   %s to %s\n", text_of(status, "audit"),
           text_of(status, "title"), text_of(status, "state"), text_of(status, "period_from"),
           text_of(status, "period_to"));
    printf("frame    %lld, SHA-256 %s\nseed     %s\n", count_of(status, "frame_size"),
           text_of(status, "frame_sha256"), text_of(status, "seed"));
    print_progress(status);
    print_asked(status);
    print_widths(status);
    print_capacity(status);
    print_doubles(status);
    print_lacking(status);
    json_array_foreach(json_object_get(status, "steps"), i, step)
    {
        printf("step     %s  %-10s %s\n", text_of(step, "at"), text_of(step, "step"),
               text_of(step, "author"));
    }
    print_ids(status, "repeats", "repeats");
    print_ids(status, "repeated_by", "repeated by");
    print_ids(status, "overlapping", "overlaps");
    if (json_is_null(json_object_get(status, "next")))
        return;
    printf("next     %s", text_of(status, "next_command"));
    if (count_of(status, "undecided") > 0)
        printf("   (%lld %s missing)", count_of(status, "undecided"),
               okno_text_form(count_of(status, "undecided"), "decision is", "decisions are"));
    printf("\n");
}

int audit_print(struct okno_db *db, const char *audit, bool as_json, struct okno_err *err)
{
    okno_autojson json_t *status = NULL;
    int rc = okno_audit_status(db, audit, &status, err);
    if (rc < 0)
        return rc;
    if (as_json)
        return okno_json_print(status, stdout, err);
    rc = okno_json_calm(status, err);
    if (rc < 0)
        return rc;
    print_human(status);
    return 0;
}

void audit_print_list(const json_t *list)
{
    size_t i;
    json_t *status;
    json_array_foreach(list, i, status)
    {
        printf("%-20s  %-8s  %s  %s  frame %lld, sample %lld, reviewed %lld  %s\n",
               text_of(status, "audit"), text_of(status, "state"), text_of(status, "period_from"),
               text_of(status, "period_to"), count_of(status, "frame_size"),
               count_of(status, "sample"), count_of(status, "reviewed"), text_of(status, "title"));
    }
}
