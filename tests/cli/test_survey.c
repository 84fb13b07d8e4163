#define _POSIX_C_SOURCE 200809L
/* okno import events and okno survey as a user runs them. */
#include "../survey/store.h"

#include "../audit/run_okno.h"

#include <jansson.h>

static const char events[] =
    "device,seq,time,kind,duration_ms,boot\n"
    "d1,1,2026-03-10T12:00:00Z,press,,\n"
    "d1,2,2026-03-10T12:00:03.5Z,no,,\n"
    "d1,3,2026-03-10T15:05:00+03:00,,400,\n"
    "d1,4,2026-03-10T12:20:00Z,alive,,\n";

static struct ran ran;

#define OKNO_RUN(store, input, ...) RUN_OKNO(&ran, input, "--data", (store)->dir, __VA_ARGS__)

static int open_imported(void **state)
{
    int rc = store_open(state);
    struct store *store = *state;
    put(store,
        "INSERT INTO users (user, name, role, password_hash, created_at) VALUES"
        " ('admin', '', 'administrator', '', 1), ('ann', '', 'manager', '', 2);"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'bob', 'p1', 0, 1873144000000000)");
    OKNO_RUN(store, events, "import", "events", "-", "--json");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    return rc;
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s in: %s", error.text, text);
    return json;
}

static void an_import_of_events_makes_surveys(void **state)
{
    struct store *store = *state;
    assert_non_null(strstr(ran.out, "\"added\":4,\"duplicate\":0,\"rejected\":0"));
    assert_string_equal(get(store, "SELECT count(*) FROM surveys"), "2");
    OKNO_RUN(store, events, "import", "events", "-", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "\"added\":0,\"duplicate\":4,\"rejected\":0"));
    assert_string_equal(get(store, "SELECT count(*) FROM surveys"), "2");
}

static void bad_rows_are_named_and_good_ones_are_kept(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store,
             "device,seq,time,kind,duration_ms\n"
             "d1,1,2026-03-10T12:00:00Z,hold,\n"
             "d9,1,2026-03-10T12:00:00Z,press,\n"
             "d1,-1,2026-03-10T12:00:00Z,press,\n"
             "d1,10,2026-03-10T12:00:00,press,\n"
             "d1,11,2026-03-10T12:00:00Z,bounce,\n"
             "d1,12,2026-03-10T12:00:00Z,,\n"
             "d1,13,2026-03-10T12:00:00Z,press,5000\n"
             "d1,14,2026-03-10T12:30:00Z,,20\n",
             "import", "events", "-", "--json");
    assert_int_equal(ran.exit_code, 4);
    assert_non_null(strstr(ran.out, "\"read\":8,\"added\":1,\"duplicate\":0,\"rejected\":7"));
    static const char *const told[] = {
        "-:2: conflict: event d1.0.1 is already stored as press",
        "-:3: unknown_ref:",
        "-:4: invalid:",
        "-:5: invalid:",
        "-:6: invalid:",
        "-:7: missing:",
        "-:8: invalid: kind \"press\" does not fit a duration of 5000 ms"};
    for (size_t i = 0; i < OKNO_COUNT(told); i++)
        if (!strstr(ran.err, told[i]))
            fail_msg("no \"%s\" in: %s", told[i], ran.err);
    assert_string_equal(get(store, "SELECT kind FROM events WHERE seq = 14"), "bounce");
}

static void json_lines_of_events_are_taken_too(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store,
             "{\"device\":\"d1\",\"seq\":20,\"time\":\"2026-03-10T13:00:00Z\",\"kind\":\"press\"}\n"
             "{\"device\":\"d1\",\"seq\":21,\"time\":\"2026-03-10T13:00:01Z\",\"kind\":\"yes\"}\n",
             "import", "events", "-", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(get(store, "SELECT answer FROM surveys WHERE survey = 'd1.0.20'"), "yes");
}

static void list_prints_the_promised_fields_as_json_lines(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "survey", "list", "--json");
    assert_int_equal(ran.exit_code, 0);
    char *end = strchr(ran.out, '\n');
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(
        ran.out,
        "{\"id\":\"d1.0.1\",\"point\":\"p1\",\"site\":\"s1\",\"employee\":\"bob\",\"question\":"
        "null,"
        "\"kind\":null,\"channel\":\"panel\",\"opened_at\":\"2026-03-10T12:00:00.000Z\","
        "\"closes_at\":\"2026-03-10T12:00:15.000Z\",\"state\":\"answered\",\"answer\":\"no\","
        "\"answered_at\":\"2026-03-10T12:00:03.500Z\",\"extra_answers\":0,\"late_answers\":0,"
        "\"force_majeure\":false,\"flags\":[],\"video\":\"pending\",\"validity\":\"unreviewed\","
        "\"reason\":null}");
    json_t *second = parsed(end + 1);
    assert_string_equal(json_string_value(json_object_get(second, "id")), "d1.0.3");
    assert_string_equal(json_string_value(json_object_get(second, "state")), "silent");
    json_decref(second);
}

/* How many lines the list has with one option. */
static size_t listed(struct store *store, const char *option, const char *value)
{
    OKNO_RUN(store, "", "survey", "list", "--json", option, value);
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    size_t lines = 0;
    for (const char *c = ran.out; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void filters_choose_surveys(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO links (survey, state, asked_from, asked_to, made_at) VALUES"
        " ('d1.0.1', 'linked', 1, 2, 3);"
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'a1', 'd1.0.1', 1, 'random', 'decided');"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version)"
        " VALUES (1, 'a1', 'd1.0.1', 'ann', 5, 'invalid', 'STAFF_PRESSED', 1)");
    static const struct {
        const char *option, *value;
        size_t lines;
    } cases[] = {{"--from", "2026-03-10T12:00:00Z", 2},
                 {"--from", "2026-03-10T12:00:00.000001Z", 1},
                 {"--to", "2026-03-10T12:05:00Z", 1},
                 {"--to", "2026-03-10T12:05:00.000001Z", 2},
                 {"--site", "s1", 2},
                 {"--point", "p1", 2},
                 {"--point", "p2", 0},
                 {"--employee", "bob", 2},
                 {"--employee", "unassigned", 0},
                 {"--from", "2026-03-10", 2},
                 {"--to", "2026-03-10", 0},
                 {"--to", "2026-03-11", 2},
                 {"--answer", "no", 1},
                 {"--answer", "yes", 0},
                 {"--state", "silent", 1},
                 {"--state", "open", 0},
                 {"--video", "linked", 1},
                 {"--video", "pending", 1},
                 {"--validity", "invalid", 1},
                 {"--validity", "unreviewed", 1},
                 {"--reason", "STAFF_PRESSED", 1},
                 {"--limit", "1", 1}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++)
        assert_int_equal(listed(store, cases[i].option, cases[i].value), cases[i].lines);
}

static void an_undone_verdict_leaves_the_survey_unreviewed(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'a1', 'd1.0.1', 1, 'random', 'decided');"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version)"
        " VALUES (1, 'a1', 'd1.0.1', 'ann', 5, 'invalid', 'STAFF_PRESSED', 1),"
        " (1, 'a1', 'd1.0.1', 'ann', 6, 'undone', NULL, 1)");
    assert_int_equal(listed(store, "--validity", "unreviewed"), 2);
}

static void wrong_words_are_refused_with_what_is_allowed(void **state)
{
    struct store *store = *state;
    static const struct {
        const char *option, *value, *told;
    } cases[] = {
        {"--answer", "maybe", "allowed are yes no unsure"},
        {"--state", "closed", "open answered silent"},
        {"--validity", "ok", "unreviewed valid invalid"},
        {"--video", "none", "linked partial"},
        {"--from", "2026-3-10", "--from: \"2026-3-10\" is no date here; write it as 2026-03-10"},
        {"--from", "2026-02-30", "--from"},
        {"--from", "yesterday",
         "a date of the sites' calendars (2026-03-10) nor a time with its zone"},
        {"--limit", "-3", "--limit"},
        {"--colour", "red", "unknown option --colour"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_RUN(store, "", "survey", "list", cases[i].option, cases[i].value);
        assert_int_equal(ran.exit_code, 2);
        assert_string_equal(ran.out, "");
        if (!strstr(ran.err, cases[i].told))
            fail_msg("no \"%s\" in: %s", cases[i].told, ran.err);
    }
    OKNO_RUN(store, "", "survey", "delete");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "say list, show, changes, void, unvoid or voids"));
}

static void unknown_names_are_an_error_and_no_empty_list(void **state)
{
    struct store *store = *state;
    static const char *const cases[][5] = {
        {"survey", "list", "--site", "nix", "there is no site \"nix\""},
        {"survey", "list", "--point", "nix", "there is no point \"nix\""},
        {"survey", "list", "--employee", "nix", "there is no employee \"nix\""},
        {"survey", "list", "--question", "nix", "there is no question \"nix\""},
        {"alert", "list", "--site", "nix", "there is no site \"nix\""},
        {"alert", "list", "--point", "nix", "there is no point \"nix\""},
        {"comment", "list", "--employee", "nix", "there is no employee \"nix\""},
        {"comment", "reaction", "--site", "nix", "there is no site \"nix\""},
        {"count", "list", "--scope", "employee:nix", "there is no employee \"nix\""},
        {"count", "list", "--scope", "site:nix", "there is no site \"nix\""},
        {"token", "list", "--device", "nix", "there is no device \"nix\""},
        {"qr", "list", "--point", "nix", "there is no point \"nix\""}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_RUN(store, "", cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
        if (ran.exit_code != 3 || !strstr(ran.err, cases[i][4]) || *ran.out)
            fail_msg("%s %s: exit %d, %s", cases[i][0], cases[i][2], ran.exit_code, ran.err);
    }
    OKNO_RUN(store, "", "import", "list", "--kind", "cows");
    assert_int_equal(ran.exit_code, 2);
}

static void dates_are_days_of_each_sites_own_calendar(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'Asia/Tokyo'),"
        " (1, 's2', 'West', 'America/New_York');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p9', 's2', 'Till 9');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd9', 'p9', 0)");
    OKNO_RUN(store,
             "device,seq,time,kind\n"
             "d1,10,2026-03-09T14:59:50Z,press\n" /* 23:59:50 of the 9th in Tokyo */
             "d1,11,2026-03-09T15:00:00Z,press\n"
             "d1,12,2026-03-10T15:00:00Z,press\n" /* the 11th there */
             "d9,1,2026-03-10T03:59:50Z,press\n"  /* still the 9th in New York, by summer time */
             "d9,2,2026-03-10T04:00:00Z,press\n"
             "d9,3,2026-03-11T04:00:00Z,press\n",
             "import", "events", "-");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "survey", "list", "--from", "2026-03-10", "--to", "2026-03-11", "--json");
    static const char *const in[] = {"d1.0.11\"", "d1.0.1\"", "d9.0.2\""};
    static const char *const out[] = {"d1.0.10\"", "d1.0.12\"", "d9.0.1\"", "d9.0.3\""};
    for (size_t i = 0; i < OKNO_COUNT(in); i++)
        assert_non_null(strstr(ran.out, in[i]));
    for (size_t i = 0; i < OKNO_COUNT(out); i++)
        assert_null(strstr(ran.out, out[i]));
    OKNO_RUN(store, "", "survey", "list", "--from", "2026-03-10", "--to", "2026-03-11", "--limit",
             "2", "--json");
    const char *second = strchr(ran.out, '\n');
    assert_non_null(second);
    assert_string_equal(strchr(second + 1, '\n'), "\n");
    OKNO_RUN(store, "", "survey", "list", "--from", "2026-03-10", "--to", "2026-03-10");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "--to 2026-03-10 does not lie after --from 2026-03-10"));
    OKNO_RUN(store, "", "survey", "list", "--from", "2026-03-10", "--to", "2026-03-11T00:00:00Z");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "both dates"));
}

static void people_get_an_aligned_table(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "survey", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(
        ran.out,
        "OPENED                    SURVEY  POINT  EMPLOYEE  STATE     ANSWER  VIDEO    VALIDITY    "
        "FLAGS\n"
        "2026-03-10T12:00:00.000Z  d1.0.1  p1     bob       answered  no      pending  unreviewed  "
        "\n"
        "2026-03-10T12:05:00.000Z  d1.0.3  p1     bob       silent    -       pending  unreviewed  "
        "\n");
    OKNO_RUN(store, "", "survey", "list", "--point", "p2");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(ran.out, "");
    assert_string_equal(ran.err, "no surveys\n");
}

static void show_gives_the_dossier(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO links (survey, state, camera, asked_from, asked_to, fraction, gaps, made_at)"
        " VALUES ('d1.0.1', 'partial', 'c1', 1773143980000000, 1773144020000000, 0.5,"
        " '[[1773143980000000,1773144000000000]]', 1773150000000000);"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from,"
        " asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests,"
        " bytes_read, software, made_at) VALUES ('d1.0.1', 'still', 'ab12', 9, 'image/jpeg',"
        " 'mjpeg', 'c1', 1, 2, 3, 4, 1773144003480000, 7400000, 200000, '[]', 3, 999, 'okno', 5)");
    OKNO_RUN(store, "device,seq,time,kind\nd1,9,2026-03-10T12:00:02Z,yes\n", "import", "events",
             "-");
    OKNO_RUN(store, "", "survey", "show", "d1.0.1", "--json");
    assert_int_equal(ran.exit_code, 0);
    json_t *dossier = parsed(ran.out);
    const char *answer = NULL;
    const char *event = NULL;
    const char *link = NULL;
    const char *gap = NULL;
    const char *url = NULL;
    const char *was = NULL;
    const char *became = NULL;
    double offset_ms = 0;
    json_error_t error;
    if (json_unpack_ex(dossier, &error, 0,
                       "{s:{s:s}, s:[{}, {s:s}, {}], s:{s:s, s:[[s, s]]}, s:[{s:s, s:F}], s:[], "
                       "s:[], s:[{s:{s:s}, s:{s:s}}]}",
                       "survey", "answer", &answer, "events", "id", &event, "link", "state", &link,
                       "gaps", &gap, &gap, "evidence", "url", &url, "offset_ms", &offset_ms,
                       "reviews", "voids", "history", "was", "answer", &was, "became", "answer",
                       &became) < 0)
        fail_msg("%s in %s", error.text, ran.out);
    assert_string_equal(answer, "yes");
    assert_string_equal(event, "d1.0.9");
    assert_string_equal(link, "partial");
    assert_string_equal(gap, "2026-03-10T12:00:00.000Z");
    assert_string_equal(url, "/api/v1/evidence/ab12.jpg");
    assert_true(offset_ms > 7399.9 && offset_ms < 7400.1);
    assert_string_equal(was, "no");
    assert_string_equal(became, "yes");
    json_decref(dossier);
    OKNO_RUN(store, "", "survey", "show", "d1.0.1");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "\nevents 3 of 3\n"));
    assert_non_null(strstr(ran.out, "\nlink\n  state          partial\n"));
}

static void a_survey_that_is_not_there_exits_with_3(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "survey", "show", "d1.0.2");
    assert_int_equal(ran.exit_code, 3);
    assert_non_null(strstr(ran.err, "no survey \"d1.0.2\""));
    OKNO_RUN(store, "", "survey", "show");
    assert_int_equal(ran.exit_code, 2);
}

static void a_list_closes_what_is_due(void **state)
{
    struct store *store = *state;
    put(store, "UPDATE surveys SET state = 'open', flags = '' WHERE survey = 'd1.0.3'");
    assert_int_equal(listed(store, "--state", "open"), 0);
    assert_int_equal(listed(store, "--state", "silent"), 1);
    assert_string_equal(get(store, "SELECT state FROM surveys WHERE survey = 'd1.0.3'"), "silent");
}

static void events_from_the_future_are_noted(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "device,seq,time,kind\nd1,50,2999-01-01T00:00:00Z,press\n", "import", "events",
             "-");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.err, "note: events more than 24 h ahead of their receipt: 1;"));
    assert_string_equal(get(store, "SELECT count(*) FROM events WHERE seq = 50"), "1");
    assert_string_equal(get(store, "SELECT count(*) FROM surveys"), "2");
}

static void voiding_takes_a_reason_and_a_second_person(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", " ", "--second", "ann");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "nobody");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "no user \"nobody\""));
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "admin");
    assert_int_equal(ran.exit_code, 5);
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "ann", "--user",
             "ann");
    assert_int_equal(ran.exit_code, 5);
    OKNO_RUN(store, "", "survey", "void", "d1.0.7", "--reason", "R", "--second", "ann");
    assert_int_equal(ran.exit_code, 3);
    assert_string_equal(get(store, "SELECT count(*) FROM voids"), "0");
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "A drill", "--second", "ann");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(get(store, "SELECT author || second || reason || voided FROM voids"),
                        "adminannA drill1");
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "again", "--second", "ann");
    assert_int_equal(ran.exit_code, 5);
    assert_int_equal(listed(store, "--validity", "voided"), 1);
    assert_int_equal(listed(store, "--reason", "A drill"), 1);
    OKNO_RUN(store, "", "survey", "unvoid", "d1.0.1", "--reason", "No drill", "--second", "admin",
             "--user", "ann");
    assert_int_equal(ran.exit_code, 0);
    assert_int_equal(listed(store, "--validity", "voided"), 0);
    OKNO_RUN(store, "", "survey", "unvoid", "d1.0.1", "--reason", "again", "--second", "ann");
    assert_int_equal(ran.exit_code, 5);
    /* The evidence log tells of both, without names, survey or reason in the clear. */
    assert_string_equal(
        get(store, "SELECT count(*) FROM log_leaves WHERE line LIKE '%\"kind\":\"void\"%'"), "2");
    assert_string_equal(
        get(store,
            "SELECT count(*) FROM log_leaves WHERE line LIKE '%\"kind\":\"void\"%' AND"
            " (line LIKE '%drill%' OR line LIKE '%d1.0.1%' OR line LIKE '%\"ann\"%')"),
        "0");
}

static void staff_and_whom_it_counts_for_do_not_void(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
        " ('sam', 'staff', '', NULL, 0), ('own', 'manager', '', 'e9', 0)");
    put(store, "UPDATE surveys SET employee = 'e9' WHERE survey = 'd1.0.1'");
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "sam");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "who may void (staff may not)"));
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "own");
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "counts for own"));
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "ann", "--user",
             "own");
    assert_int_equal(ran.exit_code, 5);
    assert_string_equal(get(store, "SELECT count(*) FROM voids"), "0");
}

static void a_frozen_frame_cannot_be_voided_but_an_abandoned_one_can(void **state)
{
    struct store *store = *state;
    put(store,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at, created_by)"
        " VALUES ('a1', 'frozen', 0, 1, '{}', 0, 'admin');"
        "INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question, question_kind,"
        " opened_at, force_majeure, site, point, video, line) VALUES"
        " ('a1', 'd1.0.1', 0, 's', 'no', 'q', 'personnel', 0, 0, 's1', 'p1', 'linked', '')");
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "ann");
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "frozen frame of audit a1"));
    put(store, "UPDATE audits SET state = 'abandoned'");
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "ann");
    assert_int_equal(ran.exit_code, 0);
}

static void everything_from_an_import_is_voided_and_unvoided_by_two(void **state)
{
    struct store *store = *state;
    const char *import = get(store, "SELECT max(import) FROM imports WHERE kind = 'events'");
    char number[24];
    (void)snprintf(number, sizeof(number), "%s", import);
#define VOID(action, ...)                                                                          \
    OKNO_RUN(store, "", "survey", action, "--import", __VA_ARGS__, "--reason", "wrong file")
    VOID("void", number, "--second", "admin");
    assert_int_equal(ran.exit_code, 5);
    VOID("void", "99", "--second", "ann");
    assert_int_equal(ran.exit_code, 3);
    VOID("void", "1", "--second", "ann");
    assert_non_null(strstr(ran.err, "import 1 brought sites, not events"));
    put(store,
        "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
        " ('own', 'manager', '', 'bob', 3)");
    VOID("void", number, "--second", "own"); /* own surveys are among them */
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "count for own"));
    VOID("void", number, "--second", "ann", "--user", "own");
    assert_int_equal(ran.exit_code, 5);
    OKNO_RUN(store, "", "survey", "void", "d1.0.1", "--reason", "R", "--second", "ann");
    assert_int_equal(ran.exit_code, 0);
    VOID("void", number, "--second", "ann");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "1 survey or rating of import"));
    assert_string_equal(
        get(store, "SELECT group_concat(survey || voided) FROM voids WHERE import > 1"), "d1.0.31");
    VOID("void", number, "--second", "ann"); /* nothing is left */
    assert_int_equal(ran.exit_code, 5);
    OKNO_RUN(store, "", "survey", "show", "d1.0.3", "--json");
    assert_non_null(strstr(ran.out, "\"reason\":\"wrong file\""));
    put(store,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at, "
        "created_by)"
        " VALUES ('a1', 'frozen', 0, 1, '{}', 0, 'admin');"
        "INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question, "
        "question_kind,"
        " opened_at, force_majeure, site, point, video, line) VALUES"
        " ('a1', 'd1.0.1', 0, 's', 'no', 'q', 'personnel', 0, 0, 's1', 'p1', 'linked', '')");
    VOID("unvoid", number, "--second", "ann");
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "frozen frame of audit a1"));
    put(store, "UPDATE audits SET state = 'abandoned'");
    VOID("unvoid", number, "--second", "ann"); /* not the one that was voided by itself */
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "survey", "list", "--validity", "voided", "--csv");
    assert_non_null(strstr(ran.out, "\nd1.0.1,p1,s1,bob,"));
    assert_null(strstr(ran.out, "\nd1.0.3,"));
#undef VOID
}

static void a_late_answer_is_listed_as_a_change_and_shown(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "survey", "changes", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(ran.out, "");
    OKNO_RUN(store, "device,seq,time,kind\nd1,9,2026-03-10T12:05:02Z,yes\n", "import", "events",
             "-");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "survey", "changes", "--since", "2026-03-10T00:00:00Z", "--json");
    assert_int_equal(ran.exit_code, 0);
    json_t *change = parsed(ran.out);
    assert_string_equal(json_string_value(json_object_get(change, "survey")), "d1.0.3");
    assert_string_equal(json_string_value(json_object_get(change, "what")), "changed");
    json_t *pair = json_object_get(json_object_get(change, "changes"), "state");
    assert_string_equal(json_string_value(json_array_get(pair, 0)), "silent");
    assert_string_equal(json_string_value(json_array_get(pair, 1)), "answered");
    assert_null(json_object_get(json_object_get(change, "changes"), "point"));
    json_decref(change);
    OKNO_RUN(store, "", "survey", "changes", "--since", "2999-01-01T00:00:00Z", "--json");
    assert_string_equal(ran.out, "");
    OKNO_RUN(store, "", "survey", "show", "d1.0.3");
    assert_non_null(strstr(ran.out, "history 1 of 1"));
    assert_non_null(strstr(ran.out, "silent -> answered"));
}

static void lists_are_filtered_by_flag_kind_question_and_channel(void **state)
{
    struct store *store = *state;
    put(store,
        "UPDATE surveys SET question = 'q1', question_kind = 'office',"
        " flags = 'early_answer superseded' WHERE survey = 'd1.0.1';"
        "INSERT INTO questions (import, question, point, valid_from, valid_to, kind, text, "
        "window_us)"
        " VALUES (1, 'q1', 'p2', 0, 1, 'office', '?', 15000000), (1, 'q2', 'p2', 0, 1, 'office', "
        "'?',"
        " 15000000)");
    static const struct {
        const char *option, *value;
        size_t lines; /* below the header */
    } cases[] = {
        {"--flag", "early_answer", 1}, {"--flag", "superseded", 1}, {"--flag", "test_mode", 0},
        {"--kind", "office", 1},       {"--kind", "none", 1},       {"--question", "q1", 1},
        {"--question", "q2", 0},       {"--channel", "panel", 2},   {"--channel", "qr", 0}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_RUN(store, "", "survey", "list", cases[i].option, cases[i].value, "--csv");
        assert_int_equal(ran.exit_code, 0);
        size_t lines = 0;
        for (const char *at = ran.out; (at = strchr(at, '\n')); at++)
            lines++;
        assert_int_equal(lines, cases[i].lines + 1);
    }
    OKNO_RUN(store, "", "survey", "list", "--flag", "early", "--csv");
    assert_non_null(strstr(ran.err, "early_answer"));
    OKNO_RUN(store, "", "survey", "list", "--csv", "--json");
    assert_int_equal(ran.exit_code, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_imported, store_close)
    const struct CMUnitTest tests[] = {
        TEST(an_import_of_events_makes_surveys),
        TEST(bad_rows_are_named_and_good_ones_are_kept),
        TEST(json_lines_of_events_are_taken_too),
        TEST(list_prints_the_promised_fields_as_json_lines),
        TEST(filters_choose_surveys),
        TEST(an_undone_verdict_leaves_the_survey_unreviewed),
        TEST(wrong_words_are_refused_with_what_is_allowed),
        TEST(unknown_names_are_an_error_and_no_empty_list),
        TEST(dates_are_days_of_each_sites_own_calendar),
        TEST(people_get_an_aligned_table),
        TEST(show_gives_the_dossier),
        TEST(a_survey_that_is_not_there_exits_with_3),
        TEST(a_list_closes_what_is_due),
        TEST(events_from_the_future_are_noted),
        TEST(voiding_takes_a_reason_and_a_second_person),
        TEST(staff_and_whom_it_counts_for_do_not_void),
        TEST(a_frozen_frame_cannot_be_voided_but_an_abandoned_one_can),
        TEST(everything_from_an_import_is_voided_and_unvoided_by_two),
        TEST(a_late_answer_is_listed_as_a_change_and_shown),
        TEST(lists_are_filtered_by_flag_kind_question_and_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
