#include "write.h"

#include "okno/mem.h"
#include "okno/time.h"

#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int scene_file_open(const char *out, const char *name, FILE **ret_file, struct okno_err *err)
{
    char path[1024];
    int n = snprintf(path, sizeof(path), "%s/%s", out, name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return okno_fail(err, OKNO_TOO_LARGE, "folder name longer than 1000 bytes");
    FILE *file = fopen(path, "w");
    if (!file)
        return okno_fail_errno(err, errno, "cannot write %s", path);
    *ret_file = file;
    return 0;
}

int scene_file_close(FILE *file, const char *name, struct okno_err *err)
{
    bool bad = ferror(file) != 0;
    return fclose(file) != 0 || bad ? okno_fail_errno(err, errno, "cannot write %s", name) : 0;
}

const char *scene_time(int64_t at_ms, char ret_text[32])
{
    return okno_time_format((SCENE_START_MS + at_ms) * OKNO_MS_US, ret_text);
}

static void people_write(const struct scene_plan *plan, FILE *file)
{
    (void)fputs("employee,name,hired\n", file);
    for (int p = 0; p < SCENE_POINTS; p++)
        for (int s = 0; s < plan->points[p].shift_count; s++)
            (void)fprintf(file, "%s,%s,2024-0%d-1%d\n", plan->points[p].shifts[s].employee,
                          plan->points[p].shifts[s].name, 3 + p, 2 + s);
}

static void shifts_write(const struct scene_plan *plan, FILE *file)
{
    char from[32], to[32];
    (void)fputs("employee,point,from,to\n", file);
    for (int p = 0; p < SCENE_POINTS; p++)
        for (int s = 0; s < plan->points[p].shift_count; s++)
            (void)fprintf(file, "%s,till-%d,%s,%s\n", plan->points[p].shifts[s].employee, p + 1,
                          scene_time(plan->points[p].shifts[s].from_ms, from),
                          scene_time(plan->points[p].shifts[s].to_ms, to));
}

/* Customers who came to a point in [from, to): all of them, or only those who bought. */
static int came(const struct scene_point *point, int64_t from_ms, int64_t to_ms, bool served)
{
    int count = 0;
    for (size_t i = 0; i < point->visits.len; i++) {
        const struct scene_visit *v = &point->visits.items[i];
        bool inside = v->enter_ms >= from_ms && v->enter_ms < to_ms && v->enter_ms >= 0;
        count += inside && !(served && v->card == 'p');
    }
    return count;
}

/* The shop is open during the film only: the rest of its local day, 10 h before and 13.5 h after,
 * has rows of nothing, so that a whole day can be asked for. */
enum { DAY_BEGINS_MS = -36000000, DAY_ENDS_MS = 50400000 };

static void count_row(FILE *file, const char *scope, const char *kind, int64_t from_ms,
                      int64_t to_ms, int count, const char *source)
{
    char from[32], to[32];
    (void)fprintf(file, "%s,%s,%s,%s,%d,%s\n", scope, kind, scene_time(from_ms, from),
                  scene_time(to_ms, to), count, source);
}

static void closed_write(const struct scene_plan *plan, FILE *file, const char *scope,
                         const char *kind, const char *source)
{
    count_row(file, scope, kind, DAY_BEGINS_MS, 0, 0, source);
    count_row(file, scope, kind, plan->length_ms, DAY_ENDS_MS, 0, source);
}

static const char *const till_kinds[] = {"transactions", "served"};

static void point_counts_write(const struct scene_plan *plan, int p, FILE *file)
{
    char scope[80];
    const struct scene_point *point = &plan->points[p];
    for (size_t k = 0; k < OKNO_COUNT(till_kinds); k++) {
        (void)snprintf(scope, sizeof(scope), "point:till-%d", p + 1);
        count_row(file, scope, till_kinds[k], 0, plan->length_ms,
                  came(point, 0, plan->length_ms, true), "till");
        closed_write(plan, file, scope, till_kinds[k], "till");
        for (int s = 0; s < point->shift_count * point->shift_count; s++) {
            const struct scene_shift *who = &point->shifts[s / point->shift_count];
            const struct scene_shift *when = &point->shifts[s % point->shift_count];
            int count = who == when ? came(point, when->from_ms, when->to_ms, true) : 0;
            (void)snprintf(scope, sizeof(scope), "employee:%s", who->employee);
            count_row(file, scope, till_kinds[k], when->from_ms, when->to_ms, count, "till");
            if (who == when)
                closed_write(plan, file, scope, till_kinds[k], "till");
        }
    }
}

/* Rows tile the day for every scope. The door also counts people who pass the tills by. */
static void counts_write(const struct scene_plan *plan, FILE *file)
{
    int visitors = 0;
    (void)fputs("scope,kind,from,to,count,source\n", file);
    for (int p = 0; p < SCENE_POINTS; p++) {
        point_counts_write(plan, p, file);
        visitors += came(&plan->points[p], 0, plan->length_ms, false);
    }
    count_row(file, "site:mall", "visitors", 0, plan->length_ms, visitors + visitors / 3,
              "counter");
    closed_write(plan, file, "site:mall", "visitors", "counter");
}

static void clocks_write(const struct scene_plan *plan, FILE *file)
{
    char at[32];
    (void)fputs("target,at,offset_ms,uncertainty_ms\n", file);
    for (int k = 0; k < 2; k++) {
        (void)scene_time(k ? plan->length_ms + 60000 : -60000, at);
        for (int c = 0; c < SCENE_POINTS; c++)
            (void)fprintf(file, "camera:%s,%s,%" PRId64 ",50\n", scene_cameras[c].channel, at,
                          scene_cameras[c].offset_ms);
        for (int d = 0; d < SCENE_DEVICES; d++)
            (void)fprintf(file, "device:%s,%s,%" PRId64 ",20\n", scene_devices[d].device, at,
                          scene_devices[d].offset_ms);
    }
}

/* Times as the devices' clocks had them. */
static void events_write(const struct scene_event_vec *events, FILE *file)
{
    char at[32];
    (void)fputs("device,seq,time,kind\n", file);
    for (size_t i = 0; i < events->len; i++) {
        const struct scene_event *e = &events->items[i];
        const struct scene_device *d = &scene_devices[e->device];
        (void)fprintf(file, "%s,%" PRId64 ",%s,%s\n", d->device, e->seq,
                      scene_time(e->at_ms + d->offset_ms, at), e->kind);
    }
}

static void devices_write(FILE *file)
{
    (void)fputs("device,point,from,role\n", file);
    for (int d = 0; d < SCENE_DEVICES; d++)
        (void)fprintf(file, "%s,till-%d,2026-03-01T00:00:00+03:00,%s\n", scene_devices[d].device,
                      scene_devices[d].point + 1, scene_devices[d].role);
}

static const char sites[] = "site,name,time_zone,group\nmall,Mall,Europe/Moscow,moscow\n";
static const char points[] = "point,site,name\ntill-1,mall,Till 1\ntill-2,mall,Till 2\n";
static const char cameras[] =
    "camera,site,archive,channel,name\n"
    "cam1,mall,mall-nvr,cam1,Over till 1\n"
    "cam2,mall,mall-nvr,cam2,Over till 2\n";
static const char placements[] =
    "point,camera,from,priority\n"
    "till-1,cam1,2026-03-01T00:00:00+03:00,1\n"
    "till-2,cam2,2026-03-01T00:00:00+03:00,1\n";
static const char questions[] =
    "question,point,from,kind,text,window_s\n"
    "service,till-1,2026-03-01T00:00:00+03:00,personnel,Did {employee} serve you well?,15\n"
    "recommend,till-2,2026-03-01T00:00:00+03:00,loyalty,Would you recommend us to a friend?,15\n";

enum kind {
    ARCHIVES,
    SITES,
    POINTS,
    DEVICES,
    CAMERAS,
    PLACEMENTS,
    QUESTIONS,
    EMPLOYEES,
    SHIFTS,
    EVENTS,
    COUNTS,
    CLOCKS,
    KINDS
};
static const char *const names[KINDS] = {
    "import/archives.csv", "import/sites.csv",      "import/points.csv",    "import/devices.csv",
    "import/cameras.csv",  "import/placements.csv", "import/questions.csv", "import/employees.csv",
    "import/shifts.csv",   "import/events.csv",     "import/counts.csv",    "import/clocks.csv"};
static const char *const fixed[KINDS] = {[SITES] = sites,
                                         [POINTS] = points,
                                         [CAMERAS] = cameras,
                                         [PLACEMENTS] = placements,
                                         [QUESTIONS] = questions};

static void kind_write(enum kind kind, const struct scene_plan *plan,
                       const struct scene_event_vec *events, const char *url, FILE *file)
{
    switch (kind) {
    case ARCHIVES:
        (void)fprintf(file,
                      "archive,kind,url,files,time_zone\n"
                      "mall-nvr,dir,%s,{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4,Europe/Moscow\n",
                      url);
        break;
    case DEVICES:
        devices_write(file);
        break;
    case EMPLOYEES:
        people_write(plan, file);
        break;
    case SHIFTS:
        shifts_write(plan, file);
        break;
    case EVENTS:
        events_write(events, file);
        break;
    case COUNTS:
        counts_write(plan, file);
        break;
    case CLOCKS:
        clocks_write(plan, file);
        break;
    default:
        (void)fputs(fixed[kind], file);
    }
}

int scene_write_import(const struct scene_plan *plan, const struct scene_event_vec *events,
                       const char *url, const char *out, struct okno_err *err)
{
    char folder[1024];
    (void)snprintf(folder, sizeof(folder), "%s/import", out);
    int e = scene_mkdir(folder, err);
    for (int kind = 0; e == 0 && kind < KINDS; kind++) {
        FILE *file = NULL;
        e = scene_file_open(out, names[kind], &file, err);
        if (e < 0)
            break;
        kind_write((enum kind)kind, plan, events, url, file);
        e = scene_file_close(file, names[kind], err);
    }
    return e;
}
