/* okno doctor: what works, what does not, and what to do next. */
#define _POSIX_C_SOURCE 200809L
#include "doctor.h"
#include "archive.h"
#include "cli.h"
#include "options.h"

#include "okno/camera_clock.h"
#include "okno/conf.h"
#include "okno/device.h"
#include "okno/json.h"
#include "okno/purge.h"
#include "okno/registry.h"
#include "okno/sandbox.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/work.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* The findings so far. */
struct doctor {
    struct cli *cli;
    struct okno_work *work;
    json_t *lines;
    int errors, warnings;
};

enum level { LEVEL_OK = DOCTOR_OK, LEVEL_WARNING = DOCTOR_WARNING, LEVEL_ERROR = DOCTOR_ERROR };

/* One line: what was looked at, what was seen, what to do next ("" for nothing). */
OKNO_PRINTF(5, 6)
static void tell(struct doctor *d, enum level level, const char *subject, const char *next,
                 const char *fmt, ...)
{
    static const char *const words[] = {"ok", "warning", "error"};
    char text[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    d->errors += level == LEVEL_ERROR;
    d->warnings += level == LEVEL_WARNING;
    json_array_append_new(d->lines, json_pack("{s:s, s:s, s:s, s:s}", "level", words[level],
                                              "subject", subject, "text", text, "next", next));
    if (d->cli->json)
        return;
    cli_line("%-8s %-22s %s", words[level], subject, text);
    if (*next)
        cli_line("%-31s -> %s", "", next);
}

/* The same for lines that come from elsewhere. */
static void take_line(void *ctx, enum doctor_level level, const char *subject, const char *text,
                      const char *next)
{
    tell(ctx, (enum level)level, subject, next, "%s", text);
}

static void look_at_directory(struct doctor *d)
{
    struct stat st;
    struct statvfs fs;
    const char *dir = d->cli->data_dir;
    if (stat(dir, &st) < 0 || statvfs(dir, &fs) < 0) {
        tell(d, LEVEL_ERROR, "data", "run okno init, or give the right --data", "%s: %s", dir,
             strerror(errno));
        return;
    }
    if (st.st_mode & 077)
        tell(d, LEVEL_WARNING, "data", "chmod 700 the directory", "others may read %s", dir);
    else
        tell(d, LEVEL_OK, "data", "", "%s", dir);
    long long free_mib = (long long)(fs.f_bavail * (fs.f_frsize / 1024) / 1024);
    enum level level = free_mib < 100 ? LEVEL_ERROR : free_mib < 1024 ? LEVEL_WARNING : LEVEL_OK;
    tell(d, level, "disk", level == LEVEL_OK ? "" : "make room: events and verdicts need it",
         "%lld MiB free", free_mib);
}

/* How long the disk lasts at the pace of the last 30 days. */
static void look_at_retention(struct doctor *d)
{
    okno_autojson json_t *f = NULL;
    struct okno_err err = {0};
    int64_t keep_days = d->cli->conf->evidence.keep_days;
    if (okno_purge_forecast(okno_work_db(d->work), d->cli->data_dir, keep_days, okno_time_now(), &f,
                            &err) < 0) {
        tell(d, LEVEL_ERROR, "retention", "", "%s", err.text);
        return;
    }
    long long mib = (long long)json_integer_value(json_object_get(f, "evidence_bytes")) >> 20;
    long long daily = (long long)json_integer_value(json_object_get(f, "bytes_per_day")) >> 20;
    const json_t *left = json_object_get(f, "days_left");
    if (json_is_null(left))
        tell(d, LEVEL_OK, "retention", "",
             "%lld MiB of evidence, %lld MiB a day (of the last 30); %s", mib, daily,
             keep_days > 0 ? "the rule keeps it from filling the disk" : "the disk does not fill");
    else
        tell(d, json_integer_value(left) < 30 ? LEVEL_WARNING : LEVEL_OK, "retention",
             json_integer_value(left) < 30 ? "make room, or set evidence.keep_days lower" : "",
             "%lld MiB of evidence, %lld MiB a day (of the last 30): the disk is full in %lld %s",
             mib, daily, (long long)json_integer_value(left),
             okno_text_form(json_integer_value(left), "day", "days"));
}

/* False when the rest cannot be looked at. */
static bool look_at_database(struct doctor *d)
{
    struct okno_err err = {0};
    int rc = okno_work_open(d->cli->data_dir, d->cli->conf, &d->work, &err);
    if (rc == 0)
        rc = okno_db_must_write(okno_work_db(d->work), &err);
    if (rc == 0)
        rc = okno_db_check(okno_work_db(d->work), &err);
    if (rc < 0)
        tell(d, LEVEL_ERROR, "database", rc == OKNO_CHECK_FAILED ? "restore the newest backup" : "",
             "%s", err.text);
    else
        tell(d, LEVEL_OK, "database", "", "whole, foreign keys hold");
    return d->work != NULL;
}

/* The day that ends with the newest survey, or with now when there is none. */
static int64_t day_to_try(struct doctor *d)
{
    int64_t newest_us = 0;
    struct okno_err err = {0};
    int64_t now_us = okno_time_now();
    int rc =
        okno_db_int(okno_work_db(d->work), "doctor.newest_survey", NULL, 0, 0, &newest_us, &err);
    return rc == 0 && newest_us > 0 && newest_us < now_us ? newest_us : now_us;
}

/* The first camera of an archive; NULL where none is known. */
static const struct okno_camera *camera_of(const struct okno_camera_vec *cameras,
                                           const char *archive)
{
    for (size_t i = 0; i < cameras->len; i++)
        if (strcmp(cameras->items[i].archive.archive, archive) == 0)
            return &cameras->items[i];
    return NULL;
}

static void tell_seen(struct doctor *d, const char *subject, const char *camera, int64_t to_us,
                      const struct okno_archive_seen *seen)
{
    char text[OKNO_TIME_TEXT];
    if (seen->ahead_us > 0)
        tell(d, LEVEL_WARNING, subject,
             "compare its time_zone with what the recorder writes, and the recorder's clock",
             "the newest recording of camera %s begins %lld min from now", camera,
             (long long)(seen->ahead_us / (60 * OKNO_SECOND_US)));
    else if (seen->recordings == 0)
        tell(d, LEVEL_WARNING, subject, "compare files and channel with the names on the recorder",
             "answers, but lists nothing of camera %s in %d %s before %s%s%s", camera, seen->days,
             okno_text_form(seen->days, "day", "days"), okno_time_format(to_us, text),
             seen->hint[0] ? ": " : "", seen->hint);
    else
        tell(d, LEVEL_OK, subject, "", "%lld %s of camera %s in %d %s, the newest to %s",
             (long long)seen->recordings,
             okno_text_form(seen->recordings, "recording", "recordings"), camera, seen->days,
             okno_text_form(seen->days, "day", "days"), okno_time_format(seen->to_us, text));
}

static void look_at_archive(struct doctor *d, const struct okno_archive_row *row,
                            const struct okno_camera *camera, int64_t to_us)
{
    struct okno_archive_seen seen = {0};
    struct okno_err err = {0};
    char subject[80];
    char secret[100];
    int64_t deadline_us = d->cli->conf->fetch.deadline_s * OKNO_SECOND_US;
    (void)snprintf(secret, sizeof(secret), "okno secret set %.64s", row->secret);
    (void)snprintf(subject, sizeof(subject), "archive %.64s", row->archive);
    if (!camera) {
        tell(d, LEVEL_WARNING, subject, "import cameras", "no camera is known in it");
        return;
    }
    int rc = okno_archive_try(okno_work_db(d->work), row, camera->channel, to_us, deadline_us,
                              &seen, &err);
    if (rc < 0)
        tell(d, LEVEL_ERROR, subject,
             rc == OKNO_CONFIG ? secret
                               : "see that it runs, then its url, user and secret in archives",
             "%s", err.text);
    else
        tell_seen(d, subject, camera->camera, to_us, &seen);
}

static int look_at_archives(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_archive_row_vec) rows = {0};
    OKNO_AUTO_VEC(okno_camera_vec) cameras = {0};
    int64_t to_us = day_to_try(d);
    int rc = okno_registry_archives(okno_work_db(d->work), &rows, err);
    if (rc == 0)
        rc = okno_registry_cameras(okno_work_db(d->work), &cameras, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++)
        look_at_archive(d, &rows.items[i], camera_of(&cameras, rows.items[i].archive), to_us);
    if (rc == 0 && rows.len == 0)
        tell(d, LEVEL_WARNING, "archives", "okno import archives archives.csv", "none is known");
    return rc;
}

static int look_at_points(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int found = 0;
    int rc = okno_db_stmt(okno_work_db(d->work), "doctor.bare_points", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        char next[80];
        const char *lacks = okno_stmt_text(stmt, "lacks");
        (void)snprintf(next, sizeof(next), "okno import %s %s.csv", lacks, lacks);
        tell(d, LEVEL_WARNING, "points", next, "point %s has no %s", okno_stmt_text(stmt, "point"),
             lacks);
        found++;
        rc = 0;
    }
    if (rc == 0 && found == 0)
        tell(d, LEVEL_OK, "points", "", "every point has devices, a question and a camera");
    return rc;
}

/* A misspelt id would be measured and corrected nowhere. */
static int look_at_stray_clocks(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(okno_work_db(d->work), "doctor.stray_clocks", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        tell(d, LEVEL_WARNING, "clocks",
             "if its name is misspelt, import the measurement with the right one",
             "%s was measured, but there is nothing of that name", okno_stmt_text(stmt, "target"));
        rc = 0;
    }
    return rc;
}

/* A camera's own measurements hide its archive's: told where that is far off. */
static int look_at_hidden_clocks(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_camera_vec) cameras = {0};
    struct okno_db *db = okno_work_db(d->work);
    int rc = okno_registry_cameras(db, &cameras, err);
    for (size_t i = 0; rc == 0 && i < cameras.len; i++) {
        const struct okno_camera *camera = &cameras.items[i];
        struct okno_index_clock clock = {0};
        char own[OKNO_CLOCK_TEXT], archive[OKNO_CLOCK_TEXT], next[160];
        rc = okno_registry_index_clock_at(db, camera, okno_time_now(), &clock, err);
        if (rc < 0 || !clock.hides)
            continue;
        (void)snprintf(next, sizeof(next), "if that is wrong: okno clock sync --camera %.64s",
                       camera->camera);
        tell(
            d, LEVEL_WARNING, "clocks", next,
            "camera %s: its own clock is in force (%s); that of its archive %s (%s) does not count",
            camera->camera, okno_clock_say(clock.in_force.offset_us, own), camera->archive.archive,
            okno_clock_say(clock.archive.offset_us, archive));
    }
    return rc;
}

static int look_at_clocks(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int found = 0;
    int rc = okno_db_stmt(okno_work_db(d->work), "doctor.unmeasured", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        tell(d, LEVEL_WARNING, "clocks",
             "okno clock sync for cameras, okno clock probe for archives, or okno clock add",
             "%s was never measured: taken as right within 10 s", okno_stmt_text(stmt, "target"));
        found++;
        rc = 0;
    }
    if (rc == 0)
        rc = look_at_stray_clocks(d, err);
    if (rc == 0)
        rc = look_at_hidden_clocks(d, err);
    if (rc == 0 && found == 0)
        tell(d, LEVEL_OK, "clocks", "", "every device and camera has a measured offset");
    return rc;
}

/* Cameras that somebody has to commission, or again. */
static int look_at_cameras(struct doctor *d, struct okno_err *err)
{
    okno_autojson json_t *cameras = NULL;
    json_t *camera;
    size_t i, due = 0;
    int rc = okno_commission_list(okno_work_db(d->work), &cameras, err);
    if (rc < 0)
        return rc;
    json_array_foreach(cameras, i, camera)
    {
        const char *why = json_string_value(json_object_get(camera, "due"));
        const char *id = json_string_value(json_object_get(camera, "camera"));
        if (!why[0] || due++ >= 20)
            continue;
        tell(d, LEVEL_WARNING, "cameras", "okno archive commission, or the survey's page",
             "camera %s %s", id,
             strcmp(why, "never") == 0 ? "was never commissioned: nobody has seen a press in it"
             : strcmp(why, "clock") == 0
                 ? "was commissioned before its clock was set: do it again"
                 : "was commissioned before its channel or archive changed: do it again");
    }
    if (due == 0 && json_array_size(cameras) > 0)
        tell(d, LEVEL_OK, "cameras", "", "every camera is commissioned");
    return 0;
}

/* Cameras whose footage goes sooner than declared. */
static int look_at_kept(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(okno_work_db(d->work), "retention.list", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        double declared = (double)okno_stmt_int(stmt, "retention_days");
        double kept = (double)okno_stmt_int(stmt, "kept_us") / OKNO_DAY_US;
        rc = 0;
        if (okno_stmt_is_null(stmt, "kept_us") || (declared > 0 && kept >= declared - 0.5))
            continue;
        if (declared > 0)
            tell(d, LEVEL_WARNING, "retention", "correct retention_days in cameras, or the archive",
                 "camera %s: declared %.0f days, but the archive overwrites after %.1f",
                 okno_stmt_text(stmt, "camera"), declared, kept);
        else
            tell(d, LEVEL_OK, "retention", "", "camera %s: the archive keeps %.1f days",
                 okno_stmt_text(stmt, "camera"), kept);
    }
    return rc;
}

/* One line per trouble. */
static int look_at_device(struct doctor *d, const struct okno_device *device)
{
    static const char measure[] = "compare it with a right clock and import clocks";
    char since[OKNO_TIME_TEXT];
    char said[OKNO_CLOCK_TEXT];
    char subject[80];
    int before = d->warnings;
    (void)snprintf(subject, sizeof(subject), "device %s", device->device);
    if (device->alerts & OKNO_DEVICE_CLOCK_SUSPECT)
        tell(
            d, LEVEL_WARNING, subject, measure,
            "its clock or an event of it is more than a day off: what it sent may make no surveys");
    if (device->alerts & OKNO_DEVICE_CLOCK_JUMP)
        tell(d, LEVEL_WARNING, subject, measure, "its clock was set within a week: now %s",
             okno_clock_say(device->offset_us, said));
    if (device->alerts & OKNO_DEVICE_QUIET)
        tell(d, LEVEL_WARNING, subject, "see that it has power and a network",
             device->last_arrival_us == INT64_MIN
                 ? "at point %s, never heard of since it was paired at %s"
                 : "at point %s, nothing heard since %s",
             device->point, okno_time_format(device->unheard_since_us, since));
    if (device->missing)
        tell(d, LEVEL_WARNING, subject, "let it send its backlog, or read it out and import events",
             "%lld of its numbers never came, the first is %s", (long long)device->missing,
             device->first_missing);
    return d->warnings - before;
}

static int look_at_devices(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    int64_t liveness_us = d->cli->conf->survey.liveness_h * 3600 * OKNO_SECOND_US;
    int found = 0;
    int rc = okno_device_list(okno_work_db(d->work), okno_time_now(), liveness_us, &devices, err);
    for (size_t i = 0; rc == 0 && i < devices.len; i++)
        found += look_at_device(d, &devices.items[i]);
    if (rc == 0 && found == 0)
        tell(d, LEVEL_OK, "devices", "", "%zu known, all heard of, no gaps", devices.len);
    return rc;
}

static int look_at_jobs(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t found = 0;
    int rc = okno_db_stmt(okno_work_db(d->work), "doctor.jobs", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *state = okno_stmt_text(stmt, "state");
        const char *message = okno_stmt_text(stmt, "message");
        bool failed = strcmp(state, "failed") == 0;
        tell(d, failed || message ? LEVEL_WARNING : LEVEL_OK, "jobs",
             failed ? "read the message; the footage may have to be looked at by hand" : "",
             "%lld %s%s%s", (long long)okno_stmt_int(stmt, "count"), state, message ? ": " : "",
             message ? message : "");
        found++;
        rc = 0;
    }
    if (rc == 0 && found == 0)
        tell(d, LEVEL_OK, "jobs", "", "nothing waits");
    return rc;
}

/* How an archive may be asked, whoever says so. */
static void limits_text(struct doctor *d, const char *archive, char *ret_text, size_t size)
{
    struct okno_archive_row row;
    struct okno_archive_limits limits;
    ret_text[0] = '\0';
    if (okno_registry_archive(okno_work_db(d->work), archive, &row, NULL) < 0)
        return;
    okno_archive_limits(d->cli->conf, &row, &limits);
    int used = snprintf(ret_text, size, "; at most %lld %s at a time", (long long)limits.sessions,
                        okno_text_form(limits.sessions, "session", "sessions"));
    if (limits.rate_kb > 0)
        used += snprintf(ret_text + used, size - (size_t)used, ", %lld kB/s on the average",
                         (long long)limits.rate_kb);
    if (limits.hours[0])
        (void)snprintf(ret_text + used, size - (size_t)used, ", at %s %s", limits.hours,
                       row.time_zone);
}

/* One line per archive where something waits or was lost, and what the last day took of the line.
 */
static int look_at_work(struct doctor *d, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_outlook_vec) outlooks = {0};
    int64_t read = 0, kept = 0;
    int rc = okno_work_outlook(d->work, okno_time_now(), &outlooks, err);
    for (size_t i = 0; rc == 0 && i < outlooks.len; i++) {
        const struct okno_outlook *o = &outlooks.items[i];
        char text[1200];
        char subject[80];
        char limits[1200];
        bool failing = o->failures || o->failing;
        bool bad = failing || o->at_risk || o->overdue || o->lost;
        archive_outlook_text(o, text, sizeof(text));
        limits_text(d, o->archive, limits, sizeof(limits));
        (void)snprintf(subject, sizeof(subject), "work at %.64s", o->archive);
        tell(d, bad ? LEVEL_WARNING : LEVEL_OK, subject,
             o->failures ? "see that it runs; what waits completes by itself then"
             : failing   ? "see that it runs, then its url, user and secret in archives"
             : bad       ? "raise parallel, rate or hours of the archive, or its retention"
                         : "",
             "%s%s", text, limits);
        read += o->bytes_read;
        kept += o->bytes_kept;
    }
    if (rc == 0 && read > 0)
        tell(d, LEVEL_OK, "line", "",
             "in the last day %.1f MB were read from archives (%.3f Mbit/s on the average) and "
             "%.1f MB kept",
             (double)read / 1e6, (double)read * 8 / 86400 / 1e6, (double)kept / 1e6);
    return rc;
}

static int look_at_people(struct doctor *d, struct okno_err *err)
{
    int64_t experts = 0;
    int rc = okno_db_int(okno_work_db(d->work), "doctor.experts", NULL, 0, 0, &experts, err);
    if (rc < 0)
        return rc;
    if (experts == 0)
        tell(d, LEVEL_WARNING, "people", "okno user add NAME --role expert",
             "nobody can review: there is no expert");
    else
        tell(d, LEVEL_OK, "people", "", "%lld expert(s)", (long long)experts);
    return 0;
}

/* Started for the archives below, too, whose newest recordings are read. */
static void look_at_sandbox(struct doctor *d)
{
    struct okno_sandbox_support has = okno_sandbox_support();
    struct okno_err err = {0};
    if (okno_sandbox_start(&err) < 0)
        tell(d, LEVEL_ERROR, "sandbox", "install okno whole, okno-media beside it",
             "recordings cannot be decoded: %s", err.text);
    else if (!has.seccomp)
        tell(d, LEVEL_ERROR, "sandbox", "run a kernel with CONFIG_SECCOMP_FILTER",
             "no seccomp: no recording can be read");
    else if (!has.landlock)
        tell(d, LEVEL_WARNING, "sandbox", "run a kernel with landlock, 5.13 or later",
             "recordings are decoded under seccomp alone, without landlock");
    else
        tell(d, LEVEL_OK, "sandbox", "", "recordings are decoded under seccomp and landlock");
}

static int examine(struct doctor *d, struct okno_err *err)
{
    tell(d, LEVEL_OK, "configuration", "", "read and within its ranges");
    look_at_sandbox(d);
    look_at_directory(d);
    if (!look_at_database(d))
        return 0;
    look_at_retention(d);
    int rc = look_at_points(d, err);
    if (rc == 0)
        rc = look_at_archives(d, err);
    if (rc == 0)
        rc = look_at_clocks(d, err);
    if (rc == 0)
        rc = look_at_cameras(d, err);
    if (rc == 0)
        rc = look_at_kept(d, err);
    if (rc == 0)
        rc = look_at_devices(d, err);
    if (rc == 0)
        rc = look_at_jobs(d, err);
    if (rc == 0)
        rc = look_at_work(d, err);
    if (rc == 0)
        rc = doctor_look_at_alerts(okno_work_db(d->work), d->cli->conf, take_line, d, err);
    return rc < 0 ? rc : look_at_people(d, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    okno_autojson json_t *lines = json_array();
    struct doctor d = {.cli = cli, .lines = lines};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "doctor takes no arguments");
    if (rc == 0)
        rc = examine(&d, err);
    okno_work_close(d.work);
    if (rc == 0 && cli->json)
        rc = okno_json_print(lines, stdout, err);
    if (rc == 0 && d.errors > 0)
        rc = okno_fail(err, OKNO_FAILED, "%d error(s); each says what to do next", d.errors);
    return rc;
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .summary = "look at everything; each line ok, warning or error with a next step",
    .help =
        "usage: okno doctor [--json]\n"
        "\n"
        "Looks at the configuration, the data directory and its disk, the database, points,\n"
        "archives (asks each for its newest recordings), clocks, jobs, rules of alerts, messages\n"
        "and people. Exit 1 when a line is an error, 0 with warnings.\n"
        "\n"
        "example: okno --data /var/lib/okno doctor\n",
    .run = run,
};
