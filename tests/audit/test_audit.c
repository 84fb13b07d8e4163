#define _POSIX_C_SOURCE 200809L
#include "sixty_surveys.h"

#include "okno/sampler.h"

#include <math.h>

/* ---- steps ---- */

static void the_steps_in_order_make_a_drawn_audit(void **state)
{
    struct scratch_db *f = *state;
    assert_int_equal(drawn_audit(f, "A1"), 20);
    okno_autojson json_t *status = NULL;
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    assert_string_equal(json_string_value(json_object_get(status, "state")), "drawn");
    assert_string_equal(json_string_value(json_object_get(status, "seed")), DICE);
    assert_string_equal(json_string_value(json_object_get(status, "title")), "March");
    assert_string_equal(json_string_value(json_object_get(status, "period_from")),
                        "2026-03-10T07:00:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(status, "frame_size")), SURVEYS);
    assert_int_equal(json_integer_value(json_object_get(status, "sample")), 20);
    assert_int_equal(json_integer_value(json_object_get(status, "reviewed")), 0);
    json_t *steps = json_object_get(status, "steps");
    static const char *const names[] = {"plan", "freeze", "checkpoint", "seed", "draw"};
    assert_int_equal(json_array_size(steps), OKNO_COUNT(names));
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(steps, i), "step")),
                            names[i]);
    json_t *seed = json_object_get(json_array_get(steps, 3), "detail");
    assert_string_equal(json_string_value(json_object_get(seed, "witnesses")), "ann");
}

static void a_new_audit_has_nulls_where_steps_are_missing(void **state)
{
    struct scratch_db *f = *state;
    plan(f, "A1");
    okno_autojson json_t *status = NULL;
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    assert_true(json_is_null(json_object_get(status, "seed")));
    assert_true(json_is_null(json_object_get(status, "frame_size")));
    assert_true(json_is_null(json_object_get(status, "frame_sha256")));
    assert_int_equal(json_integer_value(json_object_get(status, "sample")), 0);
    json_t *made = json_object_get(status, "plan");
    assert_true(json_is_false(json_object_get(made, "show_answer")));
    assert_string_equal(json_string_value(json_object_get(made, "k")), "0.5");
}

static void a_step_out_of_order_is_refused_and_changes_nothing(void **state)
{
    struct scratch_db *f = *state;
    int64_t size = 7;
    char sha256[OKNO_SHA256_TEXT] = "x";
    plan(f, "A1");
    must_fail(f, okno_audit_draw(f->db, "A1", "eva", AT(62), &size, &f->err), OKNO_OUT_OF_ORDER,
              "audit A1 is planned: before `draw` comes `okno audit freeze A1`");
    must_fail(f, okno_audit_seed(f->db, "A1", DICE, "", "", "eva", AT(62), &f->err),
              OKNO_OUT_OF_ORDER, "before `seed` comes `okno audit freeze A1`");
    assert_int_equal(freeze(f, "A1", sha256), SURVEYS);
    must_fail(f, okno_audit_draw(f->db, "A1", "eva", AT(62), &size, &f->err), OKNO_OUT_OF_ORDER,
              "audit A1 is frozen: before `draw` comes `okno audit checkpoint A1 -o FILE`");
    must_fail(f, okno_audit_seed(f->db, "A1", DICE, "", "", "eva", AT(62), &f->err),
              OKNO_OUT_OF_ORDER, "before `seed` comes `okno audit checkpoint A1 -o FILE`");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(62), &size, sha256, &f->err),
              OKNO_OUT_OF_ORDER, "`freeze` was done and is never repeated");
    assert_int_equal(size, 7);
    assert_int_equal(draw(f, "A1"), 20);
    must_fail(f, okno_audit_seed(f->db, "A1", DICE, "", "", "eva", AT(65), &f->err),
              OKNO_OUT_OF_ORDER, "`seed` was done");
    must_fail(f, okno_audit_draw(f->db, "A1", "eva", AT(65), &size, &f->err), OKNO_OUT_OF_ORDER,
              "`draw` was done");
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_steps"), 5);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_sample"), 20);
}

static void every_step_follows_from_the_one_before(void **state)
{
    const struct okno_audit_step *step = okno_audit_steps;
    (void)state;
    assert_null(step->from);
    for (; step[1].name; step++) {
        assert_string_equal(step[1].from, step->to);
        if (strcmp(step[1].from, step[1].to) != 0)
            assert_string_equal(okno_audit_next(step->to)->name, step[1].name);
    }
    assert_string_equal(step->name, "export");
    assert_null(okno_audit_next("abandoned"));
}

static void steps_of_other_rooms_are_held_to_the_same_order(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *detail = json_pack("{s:s}", "files", "x");
    (void)drawn_audit(f, "A1");
    must_fail(f, okno_audit_add(f->db, "A1", "report", detail, "eva", AT(65), &f->err),
              OKNO_OUT_OF_ORDER, "before `report` comes `okno audit close A1`");
    scratch_db_put(f, "UPDATE review_items SET state = 'decided'");
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(66), &f->err));
    must_fail(f, okno_audit_may(f->db, "A1", "sign", &f->err), OKNO_OUT_OF_ORDER,
              "audit A1 has no report: before `sign` comes `okno audit report A1 -o FILE`");
    must(f, okno_db_begin(f->db, &f->err));
    must(f, okno_audit_add(f->db, "A1", "report", detail, "eva", AT(67), &f->err));
    must(f, okno_audit_add(f->db, "A1", "sign", detail, "eva", AT(68), &f->err));
    must(f, okno_db_commit(f->db, &f->err));
    must_fail(f, okno_audit_add(f->db, "A1", "plan", detail, "eva", AT(67), &f->err), OKNO_FAILED,
              "no step");
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE line LIKE '%\"sign\"%'"), 1);
}

static void an_unknown_audit_is_not_found(void **state)
{
    struct scratch_db *f = *state;
    int64_t size = 7;
    char sha256[OKNO_SHA256_TEXT];
    json_t *status = NULL;
    struct okno_audit_figure figure;
    must_fail(f, okno_audit_freeze(f->db, "A9", "eva", NULL, AT(62), &size, sha256, &f->err),
              OKNO_NOT_FOUND, "no audit A9");
    must_fail(f, okno_audit_seed(f->db, "A9", DICE, "", "", "eva", AT(62), &f->err), OKNO_NOT_FOUND,
              "no audit A9");
    must_fail(f, okno_audit_draw(f->db, "A9", "eva", AT(62), &size, &f->err), OKNO_NOT_FOUND,
              "no audit A9");
    must_fail(f, okno_audit_status(f->db, "A9", &status, &f->err), OKNO_NOT_FOUND, "no audit A9");
    must_fail(f, okno_audit_estimate(f->db, "A9", OKNO_INK_PERSONNEL, NULL, 0.5, &figure, &f->err),
              OKNO_NOT_FOUND, "no audit A9");
    assert_null(status);
}

static void a_plan_out_of_bounds_is_refused_by_field(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan bad[10];
    static const char *const fields[] = {"audit", "audit", "title", "to",    "size",
                                         "size",  "k",     "level", "looks", "k"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        bad[i] = plan_of("A1");
    bad[0].audit = "";
    bad[1].audit = "a b";
    bad[2].title = "\xff";
    bad[3].to_us = bad[3].from_us;
    bad[4].size = 0;
    bad[5].size = INT64_MAX;
    bad[6].k = 1.01;
    bad[7].level = 1;
    bad[8].looks = 0;
    bad[9].k = (double)NAN;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        assert_int_equal(okno_audit_plan(f->db, &bad[i], "eva", AT(61), &f->err), OKNO_INVALID);
        assert_string_equal(f->err.field, fields[i]);
        okno_err_clear(&f->err);
    }
    struct okno_audit_plan good = plan_of("A1");
    must_fail(f, okno_audit_plan(f->db, &good, "", AT(61), &f->err), OKNO_MISSING, "who does");
    assert_int_equal(asked(f, "SELECT count(*) FROM audits"), 0);
}

static void a_plan_is_never_replaced(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan again = plan_of("A1");
    plan(f, "A1");
    must_fail(f, okno_audit_plan(f->db, &again, "eva", AT(61), &f->err), OKNO_CONFLICT,
              "audit A1 is there already");
}

static void a_seed_is_twenty_to_256_printable_characters(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    char seed[300];
    plan(f, "A1");
    (void)freeze(f, "A1", sha256);
    checkpoint(f, "A1");
    must_fail(f, okno_audit_seed(f->db, "A1", "1836452093774561029", "", "", "e", AT(62), &f->err),
              OKNO_INVALID, "seed: 19 characters, 20 to 256");
    must_fail(f,
              okno_audit_seed(f->db, "A1", "183645209\t7745610298", "", "", "e", AT(62), &f->err),
              OKNO_INVALID, "character 10 is not printable ASCII");
    must_fail(f,
              okno_audit_seed(f->db, "A1", "ж18364520937745610298", "", "", "e", AT(62), &f->err),
              OKNO_INVALID, "character 1 is not printable ASCII");
    memset(seed, '1', 257);
    seed[257] = '\0';
    must_fail(f, okno_audit_seed(f->db, "A1", seed, "", "", "e", AT(62), &f->err), OKNO_INVALID,
              "seed: 257 characters");
    seed[256] = '\0';
    must(f, okno_audit_seed(f->db, "A1", seed, "", "", "e", AT(62), &f->err));
}

/* ---- frame ---- */

static void the_hash_covers_the_lines_in_the_order_of_ids(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    char again[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    OKNO_AUTO_STMT *rows = NULL;
    plan(f, "A1");
    (void)freeze(f, "A1", sha256);
    okno_hash_start(&hash);
    must(f, OKNO_DB_PREPARE(f->db, "bundle.frame", &rows, &f->err, OKNO_TEXT("audit", "A1")));
    char last[64] = "";
    while (okno_stmt_step(rows, &f->err) == 1) {
        const char *line = okno_stmt_text(rows, "line");
        const char *survey = okno_stmt_text(rows, "survey");
        assert_true(strcmp(last, survey) < 0);
        (void)snprintf(last, sizeof(last), "%s", survey);
        okno_hash_add(&hash, line, strlen(line));
        okno_hash_add(&hash, "\n", 1);
    }
    okno_hash_end(&hash, digest);
    assert_string_equal(okno_hash_hex(digest, again), sha256);
}

static void a_line_is_canonical_and_complete(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    plan(f, "A1");
    (void)freeze(f, "A1", sha256);
    assert_int_equal(
        asked(f,
              "SELECT line = '{\"class\":\"yes\",\"closes_us\":1773126015000000,"
              "\"employee\":null,\"force_majeure\":false,\"opened_us\":1773126000000000,"
              "\"point\":\"p0\",\"question\":\"q1\",\"question_kind\":\"personnel\","
              "\"site\":\"mall\",\"stratum\":\"mall/p0\",\"survey\":\"d0.0.000\","
              "\"video\":\"linked\"}' FROM audit_frame WHERE survey = 'd0.0.000'"),
        1);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE class = 'silent'"), 12);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE video = ''"), SURVEYS - 2);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE force_majeure = 1"), 2);
}

static void what_does_not_count_stays_out_of_the_frame(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    scratch_db_put(
        f,
        "UPDATE surveys SET test = 1 WHERE survey = 'd0.0.000';"
        "UPDATE surveys SET auto_void = 1 WHERE survey IN ('d1.0.001', 'd1.0.005');"
        "UPDATE surveys SET opened_at = opened_at - 1 - 120000000 WHERE survey = 'd0.0.002';"
        "UPDATE surveys SET opened_at = 1773126000000000 + 3600000000"
        " WHERE survey = 'd1.0.003';"
        "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
        " ('d0.0.004', 1, 1, 'a', 'b', 'c'), ('d1.0.005', 1, 1, 'a', 'b', 'c'),"
        " ('d1.0.005', 0, 2, 'a', 'b', 'c')");
    plan(f, "A1");
    assert_int_equal(freeze(f, "A1", sha256), SURVEYS - 5);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame WHERE survey = 'd1.0.005'"), 1);
}

static void the_same_surveys_give_the_same_hash_in_every_audit(void **state)
{
    struct scratch_db *f = *state;
    char first[OKNO_SHA256_TEXT];
    char second[OKNO_SHA256_TEXT];
    plan(f, "A1");
    plan(f, "A2");
    (void)freeze(f, "A1", first);
    (void)freeze(f, "A2", second);
    assert_string_equal(first, second);
    scratch_db_put(f, "UPDATE surveys SET answer = 'no' WHERE survey = 'd0.0.000'");
    plan(f, "A3");
    (void)freeze(f, "A3", second);
    assert_string_not_equal(first, second);
}

static void a_frame_that_is_not_finished_is_refused(void **state)
{
    struct scratch_db *f = *state;
    int64_t size = 7;
    char sha256[OKNO_SHA256_TEXT];
    plan(f, "A1");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(60) - 1, &size, sha256, &f->err),
              OKNO_REFUSED, "ends at 2026-03-10T08:00:00.000Z, which is still to come");
    scratch_db_put(f, "UPDATE surveys SET state = 'open', answer = NULL WHERE survey = 'd1.0.059'");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(60), &size, sha256, &f->err),
              OKNO_REFUSED, "1 survey of the period is still open");
    struct okno_audit_plan empty = plan_of("A2");
    empty.to_us = AT(0);
    empty.from_us = AT(-10);
    must(f, okno_audit_plan(f->db, &empty, "eva", AT(61), &f->err));
    must_fail(f, okno_audit_freeze(f->db, "A2", "eva", NULL, AT(61), &size, sha256, &f->err),
              OKNO_NOT_FOUND, "no closed survey lies in the period of audit A2");
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame"), 0);
    assert_int_equal(asked(f, "SELECT count(*) FROM audits WHERE state = 'planned'"), 2);
}

static void what_was_not_heard_stops_the_freeze_unless_accepted(void **state)
{
    struct scratch_db *f = *state;
    int64_t size = 0;
    char sha256[OKNO_SHA256_TEXT];
    plan(f, "A1");
    scratch_db_put(f,
                   "UPDATE surveys SET flags = 'panel_unheard superseded' WHERE survey IN"
                   " (SELECT survey FROM surveys WHERE state = 'silent' LIMIT 2)");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(62), &size, sha256, &f->err),
              OKNO_REFUSED, "2 silent surveys of the period of audit A1");
    scratch_db_put(f, "UPDATE surveys SET flags = ''");
    /* Numbers 3 and 4 are missing in the period; 11 is, before it; d8 is at no point. */
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1,1,'t','t','t');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd7', 'p1', 0);"
        "INSERT INTO events (device, boot, seq, kind, at, arrived_at) VALUES"
        " ('d7', 0, 2, 'press', 1773126000000000, 1), ('d7', 0, 5, 'yes', 1773126001000000, 1),"
        " ('d7', 1, 10, 'press', 1773120000000000, 1), ('d7', 1, 12, 'yes', 1773120001000000, 1),"
        " ('d8', 0, 1, 'press', 1773126000000000, 1), ('d8', 0, 9, 'yes', 1773126001000000, 1);"
        "INSERT INTO device_runs VALUES ('d7', 0, 2, 5, 2, 1, 0, 0), ('d7', 1, 10, 12, 2, 1, 0, 0),"
        " ('d8', 0, 1, 9, 2, 1, 0, 0)");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", NULL, AT(62), &size, sha256, &f->err),
              OKNO_REFUSED, "2 events of the period of audit A1 never came, of d7 (");
    must_fail(f, okno_audit_freeze(f->db, "A1", "eva", " ", AT(62), &size, sha256, &f->err),
              OKNO_MISSING, "say why");
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_frame"), 0);
    must(f,
         okno_audit_freeze(f->db, "A1", "eva", "its battery died", AT(62), &size, sha256, &f->err));
    assert_int_equal(size, SURVEYS);
    assert_int_equal(asked(f,
                           "SELECT json_extract(detail, '$.missing') * 10 +"
                           " json_extract(detail, '$.unheard') FROM audit_steps"
                           " WHERE step = 'freeze'"),
                     20);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_steps WHERE json_extract(detail, '$.note')"
                           " = 'its battery died'"),
                     1);
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE line LIKE '%battery%'"), 0);
}

/* ---- draw ---- */

static void the_sample_is_the_public_draw_over_the_frame(void **state)
{
    struct scratch_db *f = *state;
    char names[SURVEYS][40];
    const char *ids[SURVEYS];
    OKNO_AUTO_DRAWS draws = {0};
    for (int i = 0; i < SURVEYS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "d%d.0.%03d", i % 2, i);
        ids[i] = names[i];
    }
    must(f, okno_sampler_draw(
                &(struct okno_draw_request){.seed = DICE, .ids = ids, .count = SURVEYS, .size = 20},
                &draws, &f->err));
    (void)drawn_audit(f, "A1");
    OKNO_AUTO_STMT *rows = NULL;
    must(f, OKNO_DB_PREPARE(f->db, "audit.sample", &rows, &f->err, OKNO_TEXT("audit", "A1")));
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(okno_stmt_step(rows, &f->err), 1);
        assert_int_equal(okno_stmt_int(rows, "rank"), i + 1);
        assert_string_equal(okno_stmt_text(rows, "survey"), ids[draws.items[i].index]);
        assert_string_equal(okno_stmt_text(rows, "ticket"), draws.items[i].ticket);
        assert_int_equal(strncmp(okno_stmt_text(rows, "stratum"), "mall/p", 6), 0);
    }
    assert_int_equal(okno_stmt_step(rows, &f->err), 0);
}

static void each_drawn_survey_is_queued_and_fetched(void **state)
{
    struct scratch_db *f = *state;
    (void)drawn_audit(f, "A1");
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM review_items i JOIN audit_sample s"
                           " ON s.audit = i.audit AND s.survey = i.survey AND s.rank = i.place"
                           " WHERE i.origin = 'random' AND i.state = 'open'"),
                     20);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM jobs j JOIN audit_sample s"
                           " ON s.audit = j.audit AND s.survey = j.survey"
                           " WHERE j.class = 1 AND j.state = 'waiting'"),
                     40);
    assert_int_equal(asked(f, "SELECT count(DISTINCT kind) FROM jobs"), 2);
}

static void a_small_frame_is_drawn_whole(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan wide = plan_of("A1");
    wide.size = 500;
    must(f, okno_audit_plan(f->db, &wide, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    assert_int_equal(draw(f, "A1"), SURVEYS);
}

static void audits_are_listed_in_the_order_of_planning(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *list = NULL;
    plan(f, "B");
    plan(f, "A");
    scratch_db_put(f, "UPDATE audits SET created_at = 1 WHERE audit = 'B'");
    must(f, okno_audit_list(f->db, &list, &f->err));
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "audit")), "B");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "audit")), "A");
}

static void footage_that_goes_before_the_draw_stops_the_plan(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_plan made = plan_of("A1");
    int64_t noon_after_two_days = AT(0) + 2 * INT64_C(86400000000);
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES"
                   " (1, 0, 'eva', 'cameras', '-');"
                   "INSERT INTO cameras (import, camera, site, archive, channel, retention_days)"
                   " VALUES (1, 'c1', 'mall', 'a', '1', 30), (1, 'c2', 'mall', 'a', '2', 1),"
                   " (1, 'c3', 'mall', 'a', '3', NULL), (1, 'c2', 'mall', 'a', '2', 3);"
                   "INSERT INTO placements (import, point, camera, valid_from, valid_to) VALUES"
                   " (1, 'p0', 'c1', 0, NULL), (1, 'p1', 'c2', 0, NULL), (1, 'p1', 'c3', 0, NULL)");
    must_fail(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days + 1, &f->err),
              OKNO_REFUSED, "camera c2 keeps 3.0 days");
    /* unless what it recorded is kept already, all of it */
    scratch_db_put(
        f,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera,"
        " asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us, source,"
        " requests, bytes_read, software, made_at) SELECT survey, 'clip', 's' || survey, 1,"
        " 'video/mp4', 'h264', 'c2', 0, 1, 0, 1, 0, 0, '[]', 1, 1, 't', 0 FROM surveys");
    made.audit = "kept";
    must(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days + 1, &f->err));
    scratch_db_put(f, "DELETE FROM evidence WHERE survey = 'd0.0.004'");
    made.audit = "A1";
    must_fail(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days + 1, &f->err),
              OKNO_REFUSED, "camera c2 keeps 3.0 days");
    scratch_db_put(f,
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict,"
                   " reasons_version) VALUES (1, 'A0', 'x', 'eva', 1773126000000000, 'valid', 1),"
                   " (2, 'A0', 'y', 'eva', 1773126000000001, 'valid', 1),"
                   " (3, 'A0', 'z', 'eva', 1773300000000000, 'valid', 1)");
    made.accepted = "they say the clips were kept";
    must(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days + 1, &f->err));
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM audit_steps WHERE detail LIKE"
                           " '%\"retention_accepted\":true%'"),
                     1);
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE line LIKE '%they say%'"), 0);
    okno_autojson json_t *status = NULL;
    must(f, okno_audit_status(f->db, "A1", &status, &f->err));
    const json_t *capacity = json_object_get(status, "capacity");
    assert_int_equal(json_integer_value(json_object_get(capacity, "reviews")), 20);
    assert_true(json_real_value(json_object_get(capacity, "decided_a_day")) == 1.5);
    assert_int_equal(json_integer_value(json_object_get(capacity, "days")), 14);
    assert_string_equal(json_string_value(json_object_get(capacity, "footage_until")),
                        "2026-03-13T07:00:00.000Z");
    made = plan_of("A2");
    must(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days, &f->err));
    scratch_db_put(f, "UPDATE placements SET valid_to = 5 WHERE camera = 'c2'");
    made.audit = "A3";
    must(f, okno_audit_plan(f->db, &made, "eva", noon_after_two_days + 1, &f->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(footage_that_goes_before_the_draw_stops_the_plan),
        TEST(the_steps_in_order_make_a_drawn_audit),
        TEST(a_new_audit_has_nulls_where_steps_are_missing),
        TEST(a_step_out_of_order_is_refused_and_changes_nothing),
        TEST(every_step_follows_from_the_one_before),
        TEST(steps_of_other_rooms_are_held_to_the_same_order),
        TEST(an_unknown_audit_is_not_found),
        TEST(a_plan_out_of_bounds_is_refused_by_field),
        TEST(a_plan_is_never_replaced),
        TEST(a_seed_is_twenty_to_256_printable_characters),
        TEST(the_hash_covers_the_lines_in_the_order_of_ids),
        TEST(a_line_is_canonical_and_complete),
        TEST(what_does_not_count_stays_out_of_the_frame),
        TEST(the_same_surveys_give_the_same_hash_in_every_audit),
        TEST(a_frame_that_is_not_finished_is_refused),
        TEST(what_was_not_heard_stops_the_freeze_unless_accepted),
        TEST(the_sample_is_the_public_draw_over_the_frame),
        TEST(each_drawn_survey_is_queued_and_fetched),
        TEST(a_small_frame_is_drawn_whole),
        TEST(audits_are_listed_in_the_order_of_planning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
