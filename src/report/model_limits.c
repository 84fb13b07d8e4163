/* What a report does not show, and the best opinion that it can carry. Pure. */
#include "model.h"

#include "okno/mem.h"

#include <string.h>

int model_opinion_rank(const char *kind)
{
    static const char *const kinds[] = {"unqualified", "qualified", "adverse", "disclaimer"};
    for (int i = 0; kind && i < (int)OKNO_COUNT(kinds); i++)
        if (strcmp(kinds[i], kind) == 0)
            return i;
    return -1;
}

static int64_t count_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const json_t *total_group(const json_t *root)
{
    return json_array_get(json_object_get(json_object_get(root, "total"), "groups"), 0);
}

/* {"limit": name, "n": number} */
static void add(json_t *limits, const char *name, int64_t n)
{
    (void)json_array_append_new(limits, json_pack("{s:s, s:I}", "limit", name, "n", (json_int_t)n));
}

static void add_if(json_t *limits, const char *name, int64_t n)
{
    if (n > 0)
        add(limits, name, n);
}

static int64_t unseen(const json_t *frame)
{
    static const char *const states[] = {"no_recording", "no_camera", "expired"};
    int64_t n = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(frame, "video"), i, row)
    {
        for (size_t k = 0; k < OKNO_COUNT(states); k++)
            if (strcmp(text_of(row, "state"), states[k]) == 0)
                n += count_of(row, "surveys");
    }
    return n;
}

static int64_t broken_blinds(const json_t *execution)
{
    int64_t n = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(execution, "reviewers"), i, row)
    {
        n += count_of(row, "blinding_broken");
    }
    return n;
}

/* Decided, and nobody played a second of video. */
static bool is_unplayed(const json_t *execution)
{
    const json_t *reviewers = json_object_get(execution, "reviewers");
    int64_t played = 0;
    size_t i;
    json_t *row;
    json_array_foreach(reviewers, i, row)
    {
        played += count_of(row, "played_s");
    }
    return json_array_size(reviewers) > 0 && played == 0;
}

static int64_t too_wide(const json_t *root)
{
    const json_t *asked = json_array_get(json_object_get(root, "asked"), 0);
    int64_t n = json_is_true(json_object_get(asked, "too_wide"));
    const char *id;
    json_t *figure;
    size_t i;
    json_t *flag;
    json_object_foreach(json_object_get(total_group(root), "indicators"), id, figure)
    {
        json_array_foreach(json_object_get(figure, "flags"), i, flag)
        {
            n += strcmp(json_string_value(flag), "too_wide") == 0;
        }
    }
    return n;
}

static bool has_estimate(const json_t *root)
{
    const char *id;
    json_t *figure;
    const json_t *asked = json_array_get(json_object_get(root, "asked"), 0);
    const json_t *genuine = json_array_get(json_object_get(root, "genuine"), 0);
    if (json_is_number(json_object_get(asked, "value")) ||
        json_is_number(json_object_get(genuine, "value")))
        return true;
    json_object_foreach(json_object_get(total_group(root), "indicators"), id, figure)
    {
        if (json_is_object(json_object_get(figure, "estimated")))
            return true;
    }
    return false;
}

static void limits_of_frame(const json_t *root, json_t *limits)
{
    const json_t *frame = json_object_get(root, "frame");
    add_if(limits, "unheard", count_of(frame, "unheard"));
    add_if(limits, "left", count_of(frame, "left"));
    add_if(limits, "missing", count_of(frame, "missing"));
    add_if(limits, "unseen", unseen(frame));
    add_if(limits, "edits", (int64_t)json_array_size(json_object_get(frame, "edits")));
    add_if(
        limits, "overlapping",
        (int64_t)json_array_size(json_object_get(json_object_get(root, "proof"), "overlapping")));
    if (json_array_size(json_object_get(frame, "clocks")) == 0)
        add(limits, "no_clocks", 0);
}

static void limits_of_work(const json_t *root, json_t *limits)
{
    const json_t *total = json_object_get(json_object_get(root, "frame"), "total");
    const json_t *execution = json_object_get(root, "execution");
    if (json_is_true(json_object_get(json_object_get(root, "plan"), "show_answer")))
        add(limits, "not_blind", 0);
    else
        add_if(limits, "blinding_broken", broken_blinds(execution));
    if (is_unplayed(execution))
        add(limits, "unplayed", 0);
    add_if(limits, "unwatched", count_of(execution, "unwatched"));
    add_if(limits, "time_uncertain", count_of(execution, "time_uncertain"));
    if (json_is_true(json_object_get(json_object_get(root, "plan"), "one_person")))
        add(limits, "one_person", 0);
    add_if(limits, "unaudited", count_of(execution, "unaudited"));
    add_if(limits, "unproven_apart", count_of(execution, "unproven_apart"));
    if (strcmp(text_of(json_object_get(root, "plan"), "silent"), "known") == 0)
        add(limits, "silent_known", 0);
    if (count_of(json_object_get(root, "agreement"), "doubled") == 0)
        add(limits, "single_review", 0);
    int64_t reviewed = count_of(total, "valid") + count_of(total, "invalid");
    if (reviewed < 30 && reviewed < count_of(total, "surveys"))
        add(limits, "few_reviewed", reviewed);
    add_if(limits, "undeterminable", count_of(total, "undeterminable"));
}

static void limits_of_gates(const json_t *root, json_t *limits)
{
    const json_t *group = total_group(root);
    const char *fm = text_of(group, "fm_gate");
    if (strcmp(text_of(group, "evidence_gate"), "worst_case_only") == 0)
        add(limits, "evidence_gate", 0);
    if (strcmp(fm, "not_advisable") == 0 || strcmp(fm, "not_evaluable") == 0)
        add(limits, fm, 0);
    if (!has_estimate(root))
        add(limits, "no_estimate", 0);
    add_if(limits, "too_wide", too_wide(root));
}

static const char *best_opinion(const json_t *limits)
{
    const char *best = "unqualified";
    size_t i;
    json_t *limit;
    json_array_foreach(limits, i, limit)
    {
        const char *name = text_of(limit, "limit");
        if (strcmp(name, "no_estimate") == 0 || strcmp(name, "not_closed") == 0)
            return "disclaimer";
        if (strcmp(name, "evidence_gate") == 0 || strncmp(name, "not_advisable", 13) == 0 ||
            strcmp(name, "not_evaluable") == 0 || strcmp(name, "too_wide") == 0)
            best = "qualified";
    }
    return best;
}

int model_limits(json_t *root, struct okno_err *err)
{
    json_t *limits = json_array();
    if (json_object_set_new(root, "limits", limits) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    if (strcmp(text_of(json_object_get(root, "audit"), "state"), "closed") != 0)
        add(limits, "not_closed", 0);
    limits_of_gates(root, limits);
    limits_of_frame(root, limits);
    limits_of_work(root, limits);
    if (json_array_size(json_object_get(json_object_get(root, "proof"), "anchors")) == 0)
        add(limits, "no_anchor", 0);
    if (json_array_size(json_object_get(root, "asked")) == 0)
        add(limits, "only_asked", 0);
    json_t *opinion = json_object_get(root, "opinion");
    if (json_object_set_new(opinion, "best", json_string(best_opinion(limits))) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return 0;
}
