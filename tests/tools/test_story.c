#define _GNU_SOURCE
#include "table.h"
#include "tool.h"

#include "okno/time.h"

#include <stdbool.h>

#define START_US INT64_C(1773126000000000) /* 2026-03-10T07:00:00Z */

static char story[64]; /* half an hour without pictures */

/* ---- the story ---- */

/* The clock of a device, ahead of UTC. */
static int64_t offset_us(const char *device)
{
    AUTO_TABLE clocks = table_read(story, "import/clocks.csv");
    char target[64];
    (void)snprintf(target, sizeof(target), "device:%s", device);
    for (int r = 1; r < clocks.count; r++)
        if (strcmp(cell(&clocks, r, "target"), target) == 0)
            return strtoll(cell(&clocks, r, "offset_ms"), NULL, 10) * 1000;
    fail_msg("%s has no clock", device);
    return 0;
}

/* The row of the event that happened on a device of the list at a true time, or 0. */
static int event_row(const struct table *events, const char *device, const char *kind,
                     int64_t at_us)
{
    int64_t clock_us = at_us + offset_us(device);
    for (int r = 1; r < events->count; r++)
        if (strcmp(cell(events, r, "device"), device) == 0 &&
            strcmp(cell(events, r, "kind"), kind) == 0 && cell_us(events, r, "time") == clock_us)
            return r;
    return 0;
}

static void each_survey_of_the_truth_has_its_press_and_its_answer_among_the_events(void **state)
{
    (void)state;
    AUTO_TABLE truth = table_read(story, "truth.csv");
    AUTO_TABLE events = table_read(story, "import/events.csv");
    for (int r = 1; r < truth.count; r++) {
        bool second = strcmp(cell(&truth, r, "point"), "till-2") == 0;
        const char *button = second ? "panel-2" : "button-1";
        const char *panel = second ? "panel-2" : "panel-1";
        int press = event_row(&events, button, "press", cell_us(&truth, r, "opened_at"));
        char id[64];
        assert_true(press > 0);
        (void)snprintf(id, sizeof(id), "%s.0.%s", button, cell(&events, press, "seq"));
        assert_string_equal(cell(&truth, r, "survey"), id);
        if (*cell(&truth, r, "answer")) {
            int64_t at = cell_us(&truth, r, "answered_at");
            assert_true(event_row(&events, panel, cell(&truth, r, "answer"), at) > 0);
            assert_in_range(at - cell_us(&truth, r, "opened_at"), 300000, 14999999);
        } else {
            assert_string_equal(cell(&truth, r, "answered_at"), "");
        }
    }
}

/* The rules of surveys, once more and plainly: which presses open one. */
static void the_presses_open_exactly_the_surveys_of_the_truth(void **state)
{
    (void)state;
    AUTO_TABLE truth = table_read(story, "truth.csv");
    AUTO_TABLE events = table_read(story, "import/events.csv");
    static const char *const buttons[] = {"button-1", "panel-2"};
    int opened = 0, duplicate = 0;
    for (size_t b = 0; b < 2; b++) {
        int64_t last = 0;
        for (int r = 1; r < events.count; r++) {
            if (strcmp(cell(&events, r, "device"), buttons[b]) != 0 ||
                strcmp(cell(&events, r, "kind"), "press") != 0)
                continue;
            int64_t at = cell_us(&events, r, "time");
            if (at - last < 2000000) {
                duplicate++;
                continue;
            }
            opened++;
            last = at;
        }
    }
    assert_int_equal(opened, truth.count - 1);
    assert_true(duplicate >= 1);
}

static void devices_count_their_events_from_one_in_the_order_of_their_clocks(void **state)
{
    (void)state;
    AUTO_TABLE events = table_read(story, "import/events.csv");
    static const char *const devices[] = {"button-1", "panel-1", "panel-2"};
    for (size_t d = 0; d < 3; d++) {
        int64_t seq = 0, last = 0;
        int alive = 0;
        for (int r = 1; r < events.count; r++) {
            if (strcmp(cell(&events, r, "device"), devices[d]) != 0)
                continue;
            assert_int_equal(strtoll(cell(&events, r, "seq"), NULL, 10), ++seq);
            assert_true(cell_us(&events, r, "time") >= last);
            last = cell_us(&events, r, "time");
            alive += strcmp(cell(&events, r, "kind"), "alive") == 0;
        }
        assert_int_equal(alive, 31); /* and one after the last survey has closed */
        assert_true(last > START_US + 30 * 60 * OKNO_SECOND_US);
    }
}

static void half_an_hour_holds_every_kind_of_survey(void **state)
{
    (void)state;
    AUTO_TABLE truth = table_read(story, "truth.csv");
    AUTO_TABLE events = table_read(story, "import/events.csv");
    static const char *const classes[] = {"genuine", "silent_genuine", "staff_pressed", "nobody",
                                          "repeat",  "late",           "left_early"};
    int surveys = truth.count - 1, invalid = surveys - rows_where(&truth, "reason", "");
    assert_in_range(surveys, 40, 60);
    assert_in_range(invalid * 100 / surveys, 15, 27);
    for (size_t c = 0; c < OKNO_COUNT(classes); c++)
        assert_true(rows_where(&truth, "class", classes[c]) >= 1);
    assert_true(rows_where(&truth, "in_hole", "1") >= 2);
    assert_true(rows_where(&truth, "force_majeure", "1") >= 1);
    assert_int_equal(rows_where(&events, "kind", "hold"), 1);
    static const char *const answers[] = {"yes", "no", "unsure", ""};
    for (size_t a = 0; a < OKNO_COUNT(answers); a++)
        assert_true(rows_where(&truth, "answer", answers[a]) >= 3);
}

static void a_late_answer_falls_between_the_windows_end_and_45_seconds_after(void **state)
{
    (void)state;
    AUTO_TABLE truth = table_read(story, "truth.csv");
    AUTO_TABLE events = table_read(story, "import/events.csv");
    int late = 0;
    for (int r = 1; r < truth.count; r++) {
        if (!*cell(&truth, r, "late_at"))
            continue;
        int64_t after = cell_us(&truth, r, "late_at") - cell_us(&truth, r, "opened_at");
        assert_in_range(after, 15000000, 59999999);
        assert_string_equal(cell(&truth, r, "answer"), "");
        late++;
    }
    assert_int_equal(late, rows_where(&truth, "class", "late"));
    assert_true(events.count > truth.count);
}

static void surveys_stay_clear_of_the_films_ends(void **state)
{
    (void)state;
    AUTO_TABLE truth = table_read(story, "truth.csv");
    for (int r = 1; r < truth.count; r++) {
        int64_t at = cell_us(&truth, r, "opened_at") - START_US;
        assert_in_range(at, 20700000, INT64_C(1800000000) - 15000000 - 5200000);
    }
}

static void import_files_have_the_promised_columns(void **state)
{
    (void)state;
    static const char *const files[12][2] = {
        {"archives", "archive,kind,url,files,time_zone"},
        {"sites", "site,name,time_zone,group"},
        {"points", "point,site,name"},
        {"devices", "device,point,from,role"},
        {"cameras", "camera,site,archive,channel,name"},
        {"placements", "point,camera,from,priority"},
        {"questions", "question,point,from,kind,text,window_s"},
        {"employees", "employee,name,hired"},
        {"shifts", "employee,point,from,to"},
        {"events", "device,seq,time,kind"},
        {"counts", "scope,kind,from,to,count,source"},
        {"clocks", "target,at,offset_ms,uncertainty_ms"}};
    for (size_t f = 0; f < OKNO_COUNT(files); f++) {
        char name[64], header[256] = "";
        (void)snprintf(name, sizeof(name), "import/%s.csv", files[f][0]);
        AUTO_TABLE table = table_read(story, name);
        for (int c = 0; c < table.columns; c++) {
            size_t n = strlen(header);
            (void)snprintf(header + n, sizeof(header) - n, "%s%s", c ? "," : "", table.rows[0][c]);
        }
        assert_string_equal(header, files[f][1]);
        assert_true(table.count >= 2);
    }
}

static bool is_followed(const struct table *counts, int row)
{
    static const char *const same[] = {"scope", "kind"};
    for (int next = 1; next < counts->count; next++) {
        bool follows = strcmp(cell(counts, next, "from"), cell(counts, row, "to")) == 0;
        for (size_t i = 0; i < OKNO_COUNT(same); i++)
            follows =
                follows && strcmp(cell(counts, next, same[i]), cell(counts, row, same[i])) == 0;
        if (follows)
            return true;
    }
    return false;
}

static void counts_tile_the_local_day(void **state)
{
    (void)state;
    AUTO_TABLE counts = table_read(story, "import/counts.csv");
    int begins = 0, ends = 0;
    for (int row = 1; row < counts.count; row++) {
        bool last = strcmp(cell(&counts, row, "to"), "2026-03-10T21:00:00.000Z") == 0;
        begins += strcmp(cell(&counts, row, "from"), "2026-03-09T21:00:00.000Z") == 0;
        ends += last;
        assert_true(last || is_followed(&counts, row));
    }
    assert_int_equal(begins, ends);
    assert_true(begins > 4);
}

static void the_archives_address_is_what_was_asked_or_a_placeholder(void **state)
{
    (void)state;
    char other[256];
    run_well("scene", (const char *const[]){"--no-video", "--url", "http://127.0.0.1:8765/archive/",
                                            below(other, "other"), NULL});
    AUTO_TABLE placeholder = table_read(story, "import/archives.csv");
    AUTO_TABLE given = table_read(other, "import/archives.csv");
    assert_string_equal(cell(&placeholder, 1, "url"), "@URL@");
    assert_string_equal(cell(&given, 1, "url"), "http://127.0.0.1:8765/archive/");
}

static int setup(void **state)
{
    (void)state;
    if (folder_make() < 0)
        return -1;
    (void)snprintf(story, sizeof(story), "%s/story", folder);
    run_well("scene", (const char *const[]){"--no-video", story, NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_survey_of_the_truth_has_its_press_and_its_answer_among_the_events),
        cmocka_unit_test(the_presses_open_exactly_the_surveys_of_the_truth),
        cmocka_unit_test(devices_count_their_events_from_one_in_the_order_of_their_clocks),
        cmocka_unit_test(half_an_hour_holds_every_kind_of_survey),
        cmocka_unit_test(a_late_answer_falls_between_the_windows_end_and_45_seconds_after),
        cmocka_unit_test(surveys_stay_clear_of_the_films_ends),
        cmocka_unit_test(import_files_have_the_promised_columns),
        cmocka_unit_test(counts_tile_the_local_day),
        cmocka_unit_test(the_archives_address_is_what_was_asked_or_a_placeholder),
    };
    return cmocka_run_group_tests_name("story", tests, setup, teardown);
}
