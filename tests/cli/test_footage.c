#define _GNU_SOURCE
/* okno link, extract and doctor as a user runs them, over a real archive. */
#include "../evidence/shop.h"

#include "../audit/run_okno.h"

#include "okno/hash.h"
#include "okno/json.h"

#define DAY "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z"

static struct ran ran;
static struct shop *shop;

#define OKNO_RUN(...) RUN_OKNO(&ran, "", "--data", shop->db->dir, __VA_ARGS__)

static int setup(void **state)
{
    (void)state;
    shop = shop_new(NULL);
    put_survey(shop, "d.0.1", 100, "yes");
    put_survey(shop, "d.0.2", 150, "");
    put_survey(shop, "d.0.3", 3600, "no");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_free(shop);
    return 0;
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

static void link_counts_every_state(void **state)
{
    (void)state;
    OKNO_RUN("link", DAY, "--json");
    ends(0,
         "{\"linked\":2,\"partial\":0,\"no_recording\":1,\"no_camera\":0,\"expired\":0,"
         "\"unreachable\":0,\"pending\":0}",
         "");
    OKNO_RUN("link");
    ends(0, "linked         2\n", "");
    OKNO_RUN("link", "--from", "2026-03-12T00:00:00Z", "--json");
    ends(0, "{\"linked\":0,", "");
}

static void link_goes_on_where_an_outage_left_it(void **state)
{
    (void)state;
    support_nginx_pause(&shop->nginx);
    OKNO_RUN("link", "--json");
    ends(0, "\"unreachable\":3", "");
    support_nginx_resume(&shop->nginx);
    OKNO_RUN("link", "--json");
    ends(0, "{\"linked\":2,\"partial\":0,\"no_recording\":1,", "");
}

static void link_follows_what_was_corrected(void **state)
{
    (void)state;
    OKNO_RUN("link", "--json");
    ends(0, "{\"linked\":2,", "");
    put(shop,
        "INSERT INTO placements (import, point, camera, valid_from, priority) VALUES"
        " (1, 'p1', 'cam2', 0, 0)");
    OKNO_RUN("link", "--json");
    ends(0, "{\"linked\":2,", "");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM links WHERE camera = 'cam2'"), 3);
}

static void one_survey_gives_its_clip_and_still_with_every_promised_field(void **state)
{
    (void)state;
    static const char *const fields[] = {"survey",    "kind",           "path",     "sha256",
                                         "bytes",     "codec",          "derived",  "asked_from",
                                         "asked_to",  "got_from",       "got_to",   "gaps",
                                         "offset_ms", "uncertainty_ms", "requests", "bytes_read"};
    char clip[300];
    OKNO_RUN("extract", "--survey", "d.0.1", "--json");
    ends(0, "\"kind\":\"clip\"", "");
    char *rest = NULL;
    char *line = strtok_r(ran.out, "\n", &rest);
    for (int i = 0; i < 2; i++, line = strtok_r(NULL, "\n", &rest)) {
        okno_autojson json_t *item = json_loads(line, 0, NULL);
        for (size_t f = 0; f < OKNO_COUNT(fields); f++)
            if (!json_object_get(item, fields[f]))
                fail_msg("%s is missing in %s", fields[f], line);
        const char *path = json_string_value(json_object_get(item, "path"));
        assert_int_equal(path[0], '/');
        assert_int_equal(access(path, R_OK), 0);
        assert_int_equal(json_object_get(item, "frame_at") != NULL, i == 1);
    }
    assert_null(line);
    (void)snprintf(clip, sizeof(clip), "%s/clip.mp4", shop->root);
    OKNO_RUN("extract", "--survey", "d.0.1", "--clip", clip);
    ends(0, "d.0.1 clip 2026-03-10T07:01:", "");
    char hash[OKNO_SHA256_TEXT];
    okno_autoclose int fd = open(clip, O_RDONLY | O_CLOEXEC);
    assert_int_equal(okno_hash_fd(fd, hash, &shop->err), 0);
    assert_string_equal(hash, text_of(shop, "SELECT sha256 FROM evidence WHERE kind = 'clip'"));
    OKNO_RUN("extract", "--survey", "d.0.1", "--clip", clip);
    ends(5, "", "clip.mp4 exists already; choose another name");
}

static void the_path_is_absolute_under_a_relative_data_directory(void **state)
{
    (void)state;
    char here[400];
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir("/tmp"), 0);
    RUN_OKNO(&ran, "", "--data", shop->db->dir + strlen("/tmp/"), "extract", "--survey", "d.0.1",
             "--json");
    assert_int_equal(chdir(here), 0);
    ends(0, "\"path\":\"/tmp/okno-test-", "");
}

/* The last recording ends within its seconds. */
static void a_survey_of_which_a_part_is_recorded_exits_4(void **state)
{
    (void)state;
    put_survey(shop, "d.0.5", 285, "yes");
    OKNO_RUN("extract", "--survey", "d.0.5");
    ends(4, "d.0.5 clip", "parts of the asked seconds have no picture");
    ends(4, "d.0.5 still", "okno survey show d.0.5");
}

static void a_survey_without_footage_exits_3_and_says_why(void **state)
{
    (void)state;
    OKNO_RUN("extract", "--survey", "d.0.3");
    ends(3, "", "nothing is recorded for survey d.0.3");
    OKNO_RUN("extract", "--survey", "x.0.9");
    ends(3, "", "there is no survey x.0.9: `okno survey list` has the ids, those of the presses");
    put(shop, "UPDATE placements SET point = 'p9'");
    put_survey(shop, "d.0.4", 100, "yes");
    OKNO_RUN("extract", "--survey", "d.0.4");
    ends(3, "", "no camera is placed at the point of survey d.0.4: add it to placements");
}

static void a_moment_without_recording_says_what_helps(void **state)
{
    (void)state;
    OKNO_RUN("still", "--camera", "cam1", "--at", "2026-03-10T09:00:00Z", "-o", "/tmp/none.jpg");
    ends(3, "",
         "nothing is recorded at the asked moment; `okno archive test nvr --at "
         "2026-03-10T21:00:00.000Z` lists what there is");
    OKNO_RUN("clip", "--camera", "cam1", "--from", "2126-03-10T09:00:00Z", "--to",
             "2126-03-10T09:00:10Z", "-o", "/tmp/none.mp4");
    ends(3, "", "interval: 2126-03-10T09:00:00.000Z is still to come, now is 20");
    OKNO_RUN("coverage", "--camera", "cam1", "--from", "2126-03-10T09:00:00Z", "--to",
             "2126-03-10T09:00:10Z");
    ends(0, "", "2126-03-10T09:00:00.000Z is still to come");
}

static void stills_of_a_period_go_on_past_what_is_missing_and_exit_4(void **state)
{
    (void)state;
    OKNO_RUN("extract", "--stills", DAY, "--json");
    ends(4, "\"survey\":\"d.0.1\"", "okno extract: d.0.3 still: nothing is recorded");
    ends(4, "", "1 item(s) have no footage");
    support_nginx_pause(&shop->nginx);
    put_survey(shop, "d.0.5", 120, "yes");
    OKNO_RUN("extract", "--stills", DAY, "--json");
    ends(4, "\"survey\":\"d.0.1\"", "d.0.5 still: camera cam");
}

static void an_audit_without_a_sample_is_told_apart_from_none(void **state)
{
    (void)state;
    OKNO_RUN("extract", "--audit", "A1");
    ends(3, "", "there is no audit A1");
    put(shop,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A1', 'planned', 0, 1, '{}', 0, 'x')");
    OKNO_RUN("extract", "--audit", "A1");
    ends(5, "", "audit A1 has no sample yet: okno audit draw");
    put(shop,
        "INSERT INTO audit_sample (audit, place, rank, survey, stratum, ticket) VALUES"
        " ('A1', 1, 1, 'd.0.2', 's/p1', 't')");
    OKNO_RUN("extract", "--audit", "A1", "--json");
    ends(0, "\"kind\":\"clip\"", "");
    ends(0, "\"kind\":\"still\"", "");
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE audit = 'A1'"), 2);
}

static void wrong_usage_exits_2_and_says_what_is_right(void **state)
{
    (void)state;
    static const struct {
        const char *args[6], *says;
    } wrong[] = {
        {{"link", "now"}, "link takes no arguments"},
        {{"link", "--from", "2026-03-10"}, "--from"},
        {{"link", "--from"}, "--from needs a value"},
        {{"link", "--form", "x"}, "unknown option --form"},
        {{"extract"}, "say what: --survey ID, --audit ID, or --stills"},
        {{"extract", "--survey", "a", "--audit", "b"}, "say what"},
        {{"extract", "--stills"}, "--stills needs --from TIME --to TIME"},
        {{"extract", "--audit", "a", "--clip", "f"}, "go with --survey ID"},
        {{"doctor", "please"}, "doctor takes no arguments"},
    };
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        const char *args[10] = {"--data", shop->db->dir};
        for (size_t a = 0; wrong[i].args[a]; a++)
            args[a + 2] = wrong[i].args[a];
        run_okno_bytes("", 0, args, &ran);
        ends(2, "", wrong[i].says);
    }
    OKNO_RUN("extract", "--stills", "--from", "2026-03-11T00:00:00Z", "--to",
             "2026-03-10T00:00:00Z");
    ends(2, "", "--to must lie after --from");
}

static void every_command_shows_help_with_an_example(void **state)
{
    (void)state;
    static const char *const commands[] = {"link", "extract", "kpi", "review", "doctor", "check"};
    for (size_t i = 0; i < OKNO_COUNT(commands); i++) {
        OKNO_RUN(commands[i], "--help");
        ends(0, "usage: okno", "");
        ends(0, "example: okno ", "");
    }
}

static void doctor_says_what_works_and_what_to_do_next(void **state)
{
    (void)state;
    OKNO_RUN("doctor", "--json");
    okno_autojson json_t *lines = json_loads(ran.out, 0, NULL);
    assert_int_equal(ran.exit_code, 0);
    assert_true(json_array_size(lines) >= 7);
    ends(0, "\"text\":\"nobody can review: there is no expert\"", "");
    ends(0, "\"subject\":\"archive nvr\"", "");
    put(shop,
        "INSERT INTO clocks (import, target, at, offset_us, uncertainty_us)"
        " VALUES (1, 'device:nobody', %lld, 1, 1)",
        (long long)T0);
    support_nginx_pause(&shop->nginx);
    OKNO_RUN("doctor");
    ends(1, "device:nobody was measured, but there is nothing of that name", "");
    ends(1, "error    archive nvr", "1 error(s); each says what to do next");
    ends(1, "-> see that it runs", "");
    RUN_OKNO(&ran, "", "--data", "/nowhere", "doctor");
    ends(1, "run okno init", "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(link_counts_every_state),
        CASE(link_goes_on_where_an_outage_left_it),
        CASE(link_follows_what_was_corrected),
        CASE(one_survey_gives_its_clip_and_still_with_every_promised_field),
        CASE(the_path_is_absolute_under_a_relative_data_directory),
        CASE(a_survey_of_which_a_part_is_recorded_exits_4),
        CASE(a_survey_without_footage_exits_3_and_says_why),
        CASE(a_moment_without_recording_says_what_helps),
        CASE(stills_of_a_period_go_on_past_what_is_missing_and_exit_4),
        CASE(an_audit_without_a_sample_is_told_apart_from_none),
        CASE(wrong_usage_exits_2_and_says_what_is_right),
        CASE(every_command_shows_help_with_an_example),
        CASE(doctor_says_what_works_and_what_to_do_next),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
