#include "write.h"

#include "record.h"

#include <inttypes.h>
#include <string.h>

#define FM_MS 600000 /* a force majeure lasts so long after its last report */

/* One survey of a visit, as the rules make it: times after the film's start, -1 for none. */
struct truth {
    int64_t opened_ms, closes_ms, answered_ms, late_ms;
    enum scene_answer answer;
};

static struct truth truth_of(const struct scene_visit *v, int which)
{
    int64_t opened = v->press_ms[which];
    struct truth t = {opened, opened + SCENE_WINDOW_MS, -1, -1, ANSWER_NONE};
    if (v->card == 'r' && which == 0 && v->press_ms[1] < t.closes_ms)
        t.closes_ms = v->press_ms[1];
    if (v->answer_ms[which] < 0)
        return t;
    if (v->answer_ms[which] >= t.closes_ms) {
        t.late_ms = v->answer_ms[which];
        return t;
    }
    t.answered_ms = v->answer_ms[which];
    t.answer = v->answer[which];
    return t;
}

static const char *time_or_nothing(int64_t at_ms, char text[32])
{
    return at_ms < 0 ? "" : scene_time(at_ms, text);
}

static const char *employee_at(const struct scene_point *point, int64_t at_ms)
{
    bool second = point->shift_count > 1 && at_ms >= point->shifts[1].from_ms;
    return point->shifts[second].employee;
}

static void row_write(const struct scene_plan *plan, const struct scene_event_vec *events, int p,
                      const struct scene_visit *v, int which, FILE *file)
{
    const struct scene_point *point = &plan->points[p];
    struct truth t = truth_of(v, which);
    const struct scene_event *press = scene_event_find(events, p, "press", t.opened_ms);
    char opened[32], answered[32], late[32];
    bool hole = scene_cameras[p].hole && t.opened_ms >= plan->hole_from_ms &&
                t.opened_ms < plan->hole_to_ms;
    bool fm =
        point->hold_ms >= 0 && t.opened_ms < point->hold_ms + FM_MS && t.closes_ms > point->hold_ms;
    (void)fprintf(file, "%s.0.%" PRId64 ",till-%d,%s,%s,%s,%s,%d,%s,%s,%s,%d,%s\n",
                  scene_devices[press->device].device, press->seq, p + 1,
                  scene_class(v->card, which), scene_time(t.opened_ms, opened),
                  time_or_nothing(t.answered_ms, answered), scene_answer_name(t.answer), hole,
                  scene_reason(v->card, which), employee_at(point, t.opened_ms),
                  p ? "loyalty" : "personnel", fm, time_or_nothing(t.late_ms, late));
}

static int csv_write(const struct scene_plan *plan, const struct scene_event_vec *events,
                     const char *out, struct okno_err *err)
{
    FILE *file = NULL;
    int e = scene_file_open(out, "truth.csv", &file, err);
    if (e < 0)
        return e;
    (void)fputs(
        "survey,point,class,opened_at,answered_at,answer,in_hole,reason,employee,"
        "question_kind,force_majeure,late_at\n",
        file);
    for (int p = 0; p < SCENE_POINTS; p++)
        for (size_t i = 0; i < plan->points[p].visits.len; i++) {
            const struct scene_visit *v = &plan->points[p].visits.items[i];
            for (int which = 0; which < scene_visit_surveys(v); which++)
                row_write(plan, events, p, v, which, file);
        }
    return scene_file_close(file, "truth.csv", err);
}

/* Answers that belong to no survey. */
static void spontaneous_write(const struct scene_plan *plan, FILE *file)
{
    const char *comma = "";
    char at[32];
    for (int p = 0; p < SCENE_POINTS; p++)
        for (size_t i = 0; i < plan->points[p].visits.len; i++) {
            const struct scene_visit *v = &plan->points[p].visits.items[i];
            if (v->card != 'p')
                continue;
            (void)fprintf(
                file, "%s\n    {\"point\": \"till-%d\", \"at\": \"%s\", \"answer\": \"%s\"}", comma,
                p + 1, scene_time(v->answer_ms[0], at), scene_answer_name(v->answer[0]));
            comma = ",";
        }
}

static void cameras_write(const struct scene_plan *plan, FILE *file)
{
    char from[32], to[32];
    for (int c = 0; c < SCENE_POINTS; c++) {
        const struct scene_camera *camera = &scene_cameras[c];
        (void)fprintf(
            file, "%s\n    {\"camera\": \"%s\", \"point\": \"till-%d\", \"offset_ms\": %" PRId64,
            c ? "," : "", camera->channel, camera->point + 1, camera->offset_ms);
        if (camera->hole)
            (void)fprintf(file, ", \"hole\": [\"%s\", \"%s\"]}",
                          scene_time(plan->hole_from_ms, from), scene_time(plan->hole_to_ms, to));
        else
            (void)fprintf(file, ", \"hole\": null}");
    }
}

static int json_write(const struct scene_plan *plan, const struct scene_event_vec *events, int fps,
                      uint64_t seed, const char *out, struct okno_err *err)
{
    FILE *file = NULL;
    char from[32], to[32];
    int surveys = 0;
    for (int p = 0; p < SCENE_POINTS; p++)
        for (size_t i = 0; i < plan->points[p].visits.len; i++)
            surveys += scene_visit_surveys(&plan->points[p].visits.items[i]);
    int e = scene_file_open(out, "truth.json", &file, err);
    if (e < 0)
        return e;
    (void)fprintf(file,
                  "{\n  \"from\": \"%s\", \"to\": \"%s\", \"minutes\": %d,\n"
                  "  \"fps\": %d, \"frame_ms\": %d, \"seed\": %" PRIu64
                  ",\n"
                  "  \"surveys\": %d, \"events\": %zu,\n  \"cameras\": [",
                  scene_time(0, from), scene_time(plan->length_ms, to), plan->minutes, fps,
                  1000 / fps, seed, surveys, events->len);
    cameras_write(plan, file);
    (void)fputs("\n  ],\n  \"devices\": [", file);
    for (int d = 0; d < SCENE_DEVICES; d++)
        (void)fprintf(file,
                      "%s\n    {\"device\": \"%s\", \"point\": \"till-%d\", \"offset_ms\": %" PRId64
                      "}",
                      d ? "," : "", scene_devices[d].device, scene_devices[d].point + 1,
                      scene_devices[d].offset_ms);
    (void)fputs("\n  ],\n  \"force_majeure\": [", file);
    const char *comma = "";
    for (int p = 0; p < SCENE_POINTS; p++) {
        int64_t hold = plan->points[p].hold_ms;
        if (hold < 0)
            continue;
        (void)fprintf(file, "%s\n    {\"point\": \"till-%d\", \"from\": \"%s\", \"to\": \"%s\"}",
                      comma, p + 1, scene_time(hold, from), scene_time(hold + FM_MS, to));
        comma = ",";
    }
    (void)fputs("\n  ],\n  \"spontaneous\": [", file);
    spontaneous_write(plan, file);
    (void)fputs("\n  ]\n}\n", file);
    return scene_file_close(file, "truth.json", err);
}

int scene_write_truth(const struct scene_plan *plan, const struct scene_event_vec *events, int fps,
                      uint64_t seed, const char *out, struct okno_err *err)
{
    int e = csv_write(plan, events, out, err);
    return e < 0 ? e : json_write(plan, events, fps, seed, out, err);
}
