#define _POSIX_C_SOURCE 200809L
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"

#include "imported.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct okno_db *db;
static struct okno_err err;

static void take(const char *kind, const char *text)
{
    struct imported got;
    assert_int_equal(import_as(db, imported_kind(kind), text, &got, &err), 0);
    assert_string_equal(got.rejected, "");
}

static int64_t at(const char *text)
{
    int64_t us = 0;
    assert_int_equal(okno_time_parse(text, &us, NULL), 0);
    return us;
}

static int setup(void **state)
{
    (void)state;
    err = (struct okno_err){0};
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    take("archives",
         "archive,kind,url,files,time_zone,user,secret\n"
         "A1,dir,https://nvr.example/rec,{channel}/%Y-%m-%d/%H-%M-%S.mp4,"
         "Europe/Moscow,viewer,nvr\n");
    take("sites",
         "site,name,time_zone,group,hours\nS1,Shop,Europe/Moscow,West,Mo-Su 09:00-21:00\n");
    take("points", "point,site,name,hours\nP1,S1,Till 1,\nP2,S1,Till 2,Mo-Su 10:00-20:00\n");
    take("cameras",
         "camera,site,archive,channel,name,retention_days,overlay_trusted\n"
         "C1,S1,A1,ch1,Above till,30,yes\nC2,S1,A1,ch2,,,\nC3,S1,A1,ch3,,,\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    okno_db_close(db);
    return 0;
}

static void a_camera_comes_with_its_archive(void **state)
{
    (void)state;
    struct okno_camera camera;
    assert_int_equal(okno_registry_camera(db, "C1", &camera, &err), 0);
    assert_string_equal(camera.channel, "ch1");
    assert_string_equal(camera.name, "Above till");
    assert_string_equal(camera.site, "S1");
    assert_int_equal(camera.retention_days, 30);
    assert_true(camera.overlay_trusted);
    assert_string_equal(camera.archive.archive, "A1");
    assert_string_equal(camera.archive.kind, "dir");
    assert_string_equal(camera.archive.url, "https://nvr.example/rec");
    assert_string_equal(camera.archive.files, "{channel}/%Y-%m-%d/%H-%M-%S.mp4");
    assert_string_equal(camera.archive.time_zone, "Europe/Moscow");
    assert_string_equal(camera.archive.user, "viewer");
    assert_string_equal(camera.archive.secret, "nvr");
    assert_int_equal(okno_registry_camera(db, "C2", &camera, &err), 0);
    assert_int_equal(camera.retention_days, 0);
    assert_false(camera.overlay_trusted);
    struct okno_camera_vec cameras = {0};
    assert_int_equal(okno_registry_cameras(db, &cameras, &err), 0);
    assert_int_equal(cameras.len, 3);
    assert_memory_equal(&cameras.items[1], &camera, sizeof(camera));
    okno_camera_vec_free(&cameras);
}

static void an_unknown_id_is_not_found_by_name(void **state)
{
    (void)state;
    struct okno_camera camera;
    struct okno_archive_row archive;
    struct okno_site site;
    struct okno_point point;
    assert_int_equal(okno_registry_camera(db, "C9", &camera, &err), OKNO_NOT_FOUND);
    assert_string_equal(err.text, "there is no camera \"C9\"");
    okno_err_clear(&err);
    assert_int_equal(okno_registry_archive(db, "A9", &archive, &err), OKNO_NOT_FOUND);
    okno_err_clear(&err);
    assert_int_equal(okno_registry_site(db, "S9", &site, &err), OKNO_NOT_FOUND);
    okno_err_clear(&err);
    assert_int_equal(okno_registry_point(db, "P9", &point, &err), OKNO_NOT_FOUND);
}

static void the_latest_version_of_a_key_stands(void **state)
{
    (void)state;
    struct okno_camera camera;
    struct okno_archive_row_vec archives = {0};
    take("archives",
         "archive,kind,url,files\nA1,dir,http://nvr.example/live,%s.ts\n"
         "A0,dir,http://x.example,%s.mp4\n");
    take("cameras", "camera,site,archive,channel\nC1,S1,A1,ch9\n");
    assert_int_equal(okno_registry_camera(db, "C1", &camera, &err), 0);
    assert_string_equal(camera.channel, "ch9");
    assert_string_equal(camera.archive.kind, "dir");
    assert_string_equal(camera.archive.files, "%s.ts");
    assert_int_equal(okno_registry_archives(db, &archives, &err), 0);
    assert_int_equal(archives.len, 2);
    assert_string_equal(archives.items[0].archive, "A0");
    assert_string_equal(archives.items[1].files, "%s.ts");
    okno_archive_row_vec_free(&archives);
}

static void assert_hours(const struct okno_point *point, const char *expected)
{
    OKNO_AUTO_VEC(okno_hours_row_vec) rows = {0};
    char text[4096] = "";
    size_t used = 0;
    assert_int_equal(okno_registry_hours_rows(db, point, &rows, &err), 0);
    for (size_t i = 0; i < rows.len; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s %s; ",
                                 rows.items[i].from[0] ? rows.items[i].from : "-",
                                 rows.items[i].own ? "own" : "site", rows.items[i].hours);
    assert_string_equal(text, expected);
}

static void assert_hours_of(const char *point, const char *expected)
{
    struct okno_point row;
    assert_int_equal(okno_registry_point(db, point, &row, &err), 0);
    assert_hours(&row, expected);
}

static int64_t imported_rows(const char *kind, const char *text)
{
    struct imported got;
    assert_int_equal(import_as(db, imported_kind(kind), text, &got, &err), 0);
    assert_string_equal(got.rejected, "");
    return got.result.added;
}

#define SITE(hours, from)                                                                          \
    "site,name,time_zone,group,hours,from\nS1,Shop,Europe/Moscow,West," hours "," from "\n"

static void hours_count_from_their_date_and_the_past_keeps_its_own(void **state)
{
    (void)state;
    assert_int_equal(imported_rows("sites", SITE("Mo-Su 10:00-22:00", "2026-03-02")), 1);
    assert_hours_of("P1", "- site Mo-Su 09:00-21:00; 2026-03-02 site Mo-Su 10:00-22:00; ");
    /* Told once more; without hours; the hours that stand: nothing new. */
    assert_int_equal(imported_rows("sites", SITE("Mo-Su 10:00-22:00", "2026-03-02")), 0);
    assert_int_equal(imported_rows("sites", SITE("", "")), 0);
    assert_int_equal(imported_rows("sites", SITE("Mo-Su 10:00-22:00", "")), 0);
    /* A correction of a date, and one that comes in between. */
    assert_int_equal(imported_rows("sites", SITE("24/7", "2026-03-02")), 1);
    assert_int_equal(imported_rows("sites", SITE("Mo-Fr 09:00-18:00", "2026-02-01")), 1);
    assert_hours_of("P1",
                    "- site Mo-Su 09:00-21:00; 2026-02-01 site Mo-Fr 09:00-18:00; "
                    "2026-03-02 site 24/7; ");
    assert_hours_of("P2", "- own Mo-Su 10:00-20:00; ");
    /* P2 goes back to its site's. */
    assert_int_equal(
        imported_rows("points", "point,site,name,hours,from\nP2,S1,Till 2,,2026-02-15\n"), 1);
    assert_hours_of("P2",
                    "- own Mo-Su 10:00-20:00; 2026-02-15 site Mo-Fr 09:00-18:00; "
                    "2026-03-02 site 24/7; ");
}

static void other_hours_without_a_date_count_from_today(void **state)
{
    (void)state;
    char today[OKNO_TIME_TEXT];
    char expected[200];
    int64_t before = okno_time_now();
    assert_int_equal(imported_rows("sites", SITE("24/7", "")), 1);
    int64_t moscow = okno_time_now() + 3 * 3600 * OKNO_SECOND_US;
    if ((before + 3 * 3600 * OKNO_SECOND_US) / OKNO_DAY_US != moscow / OKNO_DAY_US)
        return; /* midnight came in between */
    (void)snprintf(expected, sizeof(expected), "- site Mo-Su 09:00-21:00; %.10s site 24/7; ",
                   okno_time_format(moscow, today));
    assert_hours_of("P1", expected);
    /* A new name takes them along. */
    assert_int_equal(
        imported_rows("sites", "site,name,time_zone,group\nS1,Mall,Europe/Moscow,West\n"), 1);
    assert_hours_of("P1", expected);
}

/* What came without hours before has its first ones always; a point had its site's until today. */
static void the_first_hours_without_a_date_count_always(void **state)
{
    (void)state;
    char today[OKNO_TIME_TEXT];
    char expected[200];
    assert_int_equal(imported_rows("sites", "site,name,time_zone\nS5,Kiosk,UTC\n"), 1);
    assert_int_equal(imported_rows("points", "point,site,name\nP5,S5,Till\n"), 1);
    assert_hours_of("P5", "- site ; ");
    assert_int_equal(
        imported_rows("sites", "site,name,time_zone,hours\nS5,Kiosk,UTC,Mo-Su 08:00-20:00\n"), 1);
    assert_hours_of("P5", "- site Mo-Su 08:00-20:00; ");
    int64_t before = okno_time_now();
    assert_int_equal(imported_rows("points", "point,site,name,hours\nP5,S5,Till,24/7\n"), 1);
    if (before / OKNO_DAY_US != okno_time_now() / OKNO_DAY_US)
        return; /* midnight came in between */
    (void)snprintf(expected, sizeof(expected), "- site Mo-Su 08:00-20:00; %.10s own 24/7; ",
                   okno_time_format(before, today));
    assert_hours_of("P5", expected);
}

static void a_site_changes_its_group_from_a_date(void **state)
{
    (void)state;
    struct okno_site site;
    static const char *const rows[] = {
        "S1,Shop,Europe/Moscow,East,,2026-01-01", /* hours not known from then on */
        "S1,Shop,Europe/Moscow,,24/7,2026-02-01", /* stays in the East */
        "S1,Shop,Europe/Moscow,Far,,2999-01-01"};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "site,name,time_zone,group,hours,from\n%s\n", rows[i]);
        assert_int_equal(imported_rows("sites", text), 1);
        assert_int_equal(imported_rows("sites", text), 0);
    }
    assert_int_equal(okno_registry_site(db, "S1", &site, &err), 0);
    assert_string_equal(site.group, "East"); /* today */
    /* Another one without a date: from today on, with the hours of today. */
    assert_int_equal(
        imported_rows("sites", "site,name,time_zone,group\nS1,Shop,Europe/Moscow,South\n"), 1);
    assert_int_equal(okno_registry_site(db, "S1", &site, &err), 0);
    /* Today in Moscow may be tomorrow in UTC, by which rights are read. */
    assert_true(strcmp(site.group, "South") == 0 || strcmp(site.group, "East") == 0);
    assert_int_equal(imported_rows("sites", "site,name,time_zone\nS1,Shop,Europe/Moscow\n"), 0);
}

static void one_file_tells_a_history_and_never_two_hours_of_one_date(void **state)
{
    (void)state;
    struct imported got;
    static const char text[] =
        "point,site,name,hours,from\n"
        "P3,S1,Till 3,Mo-Su 08:00-20:00,2026-05-01\n"
        "P3,S1,Till 3,Mo-Su 09:00-20:00,2026-01-01\n"
        "P3,S1,Till 3,24/7,2026-05-01\n"
        "P3,S1,Till 3,24/7,2026-13-01\n";
    assert_int_equal(import_as(db, imported_kind("points"), text, &got, &err), 0);
    assert_string_equal(got.rejected, "4 conflict;5 invalid;");
    assert_hours_of("P3",
                    "- site Mo-Su 09:00-21:00; 2026-01-01 own Mo-Su 09:00-20:00; "
                    "2026-05-01 own Mo-Su 08:00-20:00; ");
    assert_int_equal(import_as(db, imported_kind("points"), text, &got, &err), 0);
    assert_int_equal(got.result.added, 0);
    /* One site twice without a date is still a contradiction, not two versions. */
    assert_int_equal(import_as(db, imported_kind("sites"),
                               "site,name,time_zone,hours\nS9,New,UTC,24/7\nS9,New,UTC,Mo-Su "
                               "09:00-10:00\n",
                               &got, &err),
                     0);
    assert_string_equal(got.rejected, "3 conflict;");
}

static void a_point_comes_with_its_site_and_hours(void **state)
{
    (void)state;
    struct okno_point point;
    struct okno_point_vec points = {0};
    struct okno_site_vec sites = {0};
    assert_int_equal(okno_registry_point(db, "P1", &point, &err), 0);
    assert_string_equal(point.name, "Till 1");
    assert_hours(&point, "- site Mo-Su 09:00-21:00; ");
    assert_string_equal(point.site.name, "Shop");
    assert_string_equal(point.site.time_zone, "Europe/Moscow");
    assert_string_equal(point.site.group, "West");
    assert_int_equal(okno_registry_points(db, &points, &err), 0);
    assert_int_equal(points.len, 2);
    assert_hours(&points.items[1], "- own Mo-Su 10:00-20:00; ");
    assert_int_equal(okno_registry_sites(db, &sites, &err), 0);
    assert_int_equal(sites.len, 1);
    okno_point_vec_free(&points);
    okno_site_vec_free(&sites);
}

/* The cameras of P1 at a time, as "C1 C2". */
static const char *cameras_at(const char *time)
{
    static char text[256];
    struct okno_placement_vec placements = {0};
    assert_int_equal(okno_registry_placements_at(db, "P1", at(time), &placements, &err), 0);
    text[0] = '\0';
    for (size_t i = 0; i < placements.len; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                       placements.items[i].camera);
    okno_placement_vec_free(&placements);
    return text;
}

static void cameras_of_a_point_come_by_priority_at_their_time(void **state)
{
    (void)state;
    take("placements",
         "point,camera,from,to,priority\n"
         "P1,C2,2026-01-01T00:00:00Z,,2\n"
         "P1,C3,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,1\n"
         "P1,C1,2026-03-01T00:00:00Z,,2\n"
         "P1,C2,2026-04-01T00:00:00Z,,3\n");
    assert_string_equal(cameras_at("2025-12-31T23:59:59.999Z"), "");
    assert_string_equal(cameras_at("2026-01-01T00:00:00Z"), "C3 C2");
    assert_string_equal(cameras_at("2026-01-31T23:59:59.999999Z"), "C3 C2");
    assert_string_equal(cameras_at("2026-02-01T00:00:00Z"), "C2");
    assert_string_equal(cameras_at("2026-03-01T00:00:00Z"), "C1 C2");
    take("placements", "point,camera,from,priority\nP1,C2,2026-01-01T00:00:00Z,1\n");
    assert_string_equal(cameras_at("2026-03-01T00:00:00Z"), "C2 C1");
    assert_string_equal(cameras_at("2026-04-01T00:00:00Z"), "C1 C2"); /* each camera once */
}

static void a_device_is_at_one_point_at_a_time(void **state)
{
    (void)state;
    struct okno_pairing_vec pairings = {0};
    take("devices",
         "device,point,from,to,role,test\n"
         "D1,P1,2026-01-01T00:00:00Z,,,\n"
         "D1,P2,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z,button,1\n"
         "D2,P1,2026-01-01T00:00:00Z,,panel,\n");
    assert_int_equal(okno_registry_pairings(db, NULL, "P1", &pairings, &err), 0);
    assert_int_equal(pairings.len, 2);
    assert_string_equal(pairings.items[0].device, "D1");
    assert_int_equal(pairings.items[0].to_us, at("2026-02-01T00:00:00Z"));
    assert_true(pairings.items[0].button && pairings.items[0].panel && !pairings.items[0].test);
    assert_true(pairings.items[1].panel && !pairings.items[1].button);
    assert_int_equal(pairings.items[1].to_us, INT64_MAX);
    okno_pairing_vec_free(&pairings);
    assert_int_equal(okno_registry_pairings(db, "D1", NULL, &pairings, &err), 0);
    assert_int_equal(pairings.len, 2);
    assert_true(pairings.items[1].button && !pairings.items[1].panel && pairings.items[1].test);
    okno_pairing_vec_free(&pairings);
}

static void the_question_is_the_latest_in_force(void **state)
{
    (void)state;
    struct okno_question question;
    take("questions",
         "question,point,from,to,kind,text,window_s\n"
         "Q1,P1,2026-01-01T00:00:00Z,,personnel,Was {employee} polite?,\n"
         "Q2,P1,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z,loyalty,Come again?,20\n");
    assert_int_equal(
        okno_registry_question_at(db, "P1", at("2026-01-31T00:00:00Z"), &question, &err), 0);
    assert_string_equal(question.question, "Q1");
    assert_string_equal(question.text, "Was {employee} polite?");
    assert_int_equal(question.window_us, 15 * OKNO_SECOND_US);
    assert_int_equal(
        okno_registry_question_at(db, "P1", at("2026-02-01T00:00:00Z"), &question, &err), 0);
    assert_string_equal(question.question, "Q2");
    assert_string_equal(question.kind, "loyalty");
    assert_int_equal(question.window_us, 20 * OKNO_SECOND_US);
    assert_int_equal(
        okno_registry_question_at(db, "P1", at("2026-03-01T00:00:00Z"), &question, &err), 0);
    assert_string_equal(question.question, "Q1");
    assert_int_equal(
        okno_registry_question_at(db, "P1", at("2025-12-31T00:00:00Z"), &question, &err),
        OKNO_NOT_FOUND);
}

static void employee_is(const char *time, const char *wanted, bool overlaps)
{
    char employee[OKNO_ID_TEXT];
    bool overlap = !overlaps;
    assert_int_equal(okno_registry_employee_at(db, "P1", at(time), employee, &overlap, &err), 0);
    assert_string_equal(employee, wanted);
    assert_int_equal(overlap, overlaps);
}

static void overlapping_shifts_leave_the_survey_unassigned(void **state)
{
    (void)state;
    take("employees", "employee,name,hired\nE1,Anna,2020-02-29\nE2,Boris,\n");
    take("shifts",
         "employee,point,from,to\n"
         "E1,P1,2026-03-10T08:00:00Z,2026-03-10T16:00:00Z\n"
         "E1,P1,2026-03-10T09:00:00Z,2026-03-10T10:00:00Z\n"
         "E2,P1,2026-03-10T15:00:00Z,2026-03-10T20:00:00Z\n"
         "E2,P2,2026-03-10T08:00:00Z,2026-03-10T20:00:00Z\n");
    employee_is("2026-03-10T07:59:59.999999Z", "", false);
    employee_is("2026-03-10T08:00:00Z", "E1", false);
    employee_is("2026-03-10T09:30:00Z", "E1", false);
    employee_is("2026-03-10T15:00:00Z", "", true);
    employee_is("2026-03-10T16:00:00Z", "E2", false);
    employee_is("2026-03-10T20:00:00Z", "", false);
}

static void a_camera_follows_its_own_clock_before_its_archives(void **state)
{
    (void)state;
    struct okno_camera camera;
    struct okno_clock_vec clock = {0};
    struct okno_clock_target_vec targets = {0};
    take("clocks",
         "target,at,offset_ms,uncertainty_ms,step\n"
         "archive:A1,2026-03-10T00:00:00Z,7400,100,\n"
         "camera:C2,2026-03-11T00:00:00Z,-500,20,true\n"
         "camera:C2,2026-03-10T00:00:00Z,100,10,\n");
    assert_int_equal(okno_registry_camera(db, "C1", &camera, &err), 0);
    assert_int_equal(okno_registry_index_clock(db, &camera, &clock, &err), 0);
    assert_int_equal(clock.len, 1);
    assert_int_equal(clock.items[0].offset_us, 7400000);
    assert_int_equal(clock.items[0].uncertainty_us, 100000);
    okno_clock_vec_free(&clock);
    assert_int_equal(okno_registry_camera(db, "C2", &camera, &err), 0);
    assert_int_equal(okno_registry_index_clock(db, &camera, &clock, &err), 0);
    assert_int_equal(clock.len, 2);
    assert_int_equal(clock.items[0].offset_us, 100000);
    assert_false(clock.items[0].step);
    assert_int_equal(clock.items[1].offset_us, -500000);
    assert_true(clock.items[1].step);
    okno_clock_vec_free(&clock);
    assert_int_equal(okno_registry_clock_targets(db, &targets, &err), 0);
    assert_int_equal(targets.len, 2);
    assert_string_equal(targets.items[1].target, "camera:C2");
    okno_clock_target_vec_free(&targets);
}

static void write_secret(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static int secret_is(struct okno_db *from, const char *name, const char *wanted)
{
    char secret[OKNO_SECRET_TEXT] = "untouched";
    struct okno_err why = {0};
    int rc = okno_registry_secret(from, name, secret, &why);
    assert_string_equal(secret, rc == 0 ? wanted : "untouched");
    assert_null(strstr(why.text, "s3cret"));
    return rc;
}

static void a_secret_is_read_from_a_file_of_its_owner_only(void **state)
{
    (void)state;
    char dir[] = "/tmp/okno-secret-XXXXXX";
    char path[256];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/secrets", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    struct okno_db *on_disk = NULL;
    assert_int_equal(okno_db_open(dir, true, &on_disk, &err), 0);
    write_secret(dir, "good", "s3cret\r\n", 0600);
    write_secret(dir, "open", "s3cret", 0640);
    write_secret(dir, "empty", "\n", 0600);
    assert_int_equal(secret_is(on_disk, "", ""), 0);
    assert_int_equal(secret_is(on_disk, "good", "s3cret"), 0);
    assert_int_equal(secret_is(on_disk, "open", NULL), OKNO_CONFIG);
    assert_int_equal(secret_is(on_disk, "empty", NULL), OKNO_CONFIG);
    assert_int_equal(secret_is(on_disk, "none", NULL), OKNO_CONFIG);
    assert_int_equal(secret_is(on_disk, "../okno", NULL), OKNO_INVALID);
    okno_db_close(on_disk);
    static const char *const files[] = {"secrets/good", "secrets/open", "secrets/empty",
                                        "secrets",      "okno.db",      ""};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        assert_int_equal(remove(path), 0);
    }
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(a_camera_comes_with_its_archive),
        WITH_DB(an_unknown_id_is_not_found_by_name),
        WITH_DB(the_latest_version_of_a_key_stands),
        WITH_DB(a_point_comes_with_its_site_and_hours),
        WITH_DB(hours_count_from_their_date_and_the_past_keeps_its_own),
        WITH_DB(other_hours_without_a_date_count_from_today),
        WITH_DB(the_first_hours_without_a_date_count_always),
        WITH_DB(a_site_changes_its_group_from_a_date),
        WITH_DB(one_file_tells_a_history_and_never_two_hours_of_one_date),
        WITH_DB(cameras_of_a_point_come_by_priority_at_their_time),
        WITH_DB(a_device_is_at_one_point_at_a_time),
        WITH_DB(the_question_is_the_latest_in_force),
        WITH_DB(overlapping_shifts_leave_the_survey_unassigned),
        WITH_DB(a_camera_follows_its_own_clock_before_its_archives),
        WITH_DB(a_secret_is_read_from_a_file_of_its_owner_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
