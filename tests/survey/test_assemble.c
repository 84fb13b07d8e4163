/* The rules of surveys, each at its border. */
#include "okno/hours.h"
#include "point.h"

static const int64_t window = SECONDS(15);

static void a_press_opens_a_window_of_fifteen_seconds(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    assemble(point);
    assert_int_equal(point->out.survey_count, 1);
    struct okno_survey *survey = survey_of(point, 0);
    assert_int_equal(survey->opened_us, T0);
    assert_int_equal(survey->closes_us, T0 + window);
    assert_int_equal(survey->state, OKNO_SURVEY_SILENT);
    assert_false(survey->has_answer);
    assert_flags(survey, "");
    char id[OKNO_EVENT_ID_TEXT];
    assert_string_equal(
        okno_event_id(survey->opener.device, survey->opener.boot, survey->opener.seq, id),
        "d1.0.1");
    point_free(point);
}

static void an_answer_counts_from_the_press_to_just_before_the_end(void **state)
{
    (void)state;
    const struct {
        int64_t at;
        bool inside;
        bool late;
    } cases[] = {{-1, false, false},
                 {0, true, false},
                 {window - 1, true, false},
                 {window, false, true},
                 {window + SECONDS(45) - 1, false, true},
                 {window + SECONDS(45), false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        press(point, 0);
        says(point, OKNO_EVENT_NO, cases[i].at);
        assemble(point);
        struct okno_survey *survey = survey_of(point, 0);
        assert_int_equal(survey->has_answer, cases[i].inside);
        assert_int_equal(survey->state,
                         cases[i].inside ? OKNO_SURVEY_ANSWERED : OKNO_SURVEY_SILENT);
        assert_int_equal(survey->late_answers, cases[i].late);
        assert_int_equal(point->out.rating_count, !cases[i].inside && !cases[i].late);
        assert_int_equal(survey->closes_us, T0 + window);
        point_free(point);
    }
}

static void an_answer_at_the_moment_of_the_press_is_inside_whatever_sorts_first(void **state)
{
    (void)state;
    struct point *point = point_new();
    happens(point, OKNO_EVENT_YES, 0)->device = "a-panel";
    happens(point, OKNO_EVENT_PRESS, 0)->device = "z-button";
    assemble(point);
    assert_int_equal(survey_of(point, 0)->answer.kind, OKNO_EVENT_YES);
    assert_int_equal(point->out.rating_count, 0);
    point_free(point);
}

static void the_first_answer_counts_and_later_ones_are_extra(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    says(point, OKNO_EVENT_NO, SECONDS(3));
    says(point, OKNO_EVENT_YES, SECONDS(4));
    says(point, OKNO_EVENT_UNSURE, window - 1);
    says(point, OKNO_EVENT_YES, window); /* answered: nothing to be late for */
    assemble(point);
    struct okno_survey *survey = survey_of(point, 0);
    assert_int_equal(survey->answer.kind, OKNO_EVENT_NO);
    assert_int_equal(survey->answer.at_us, T0 + SECONDS(3));
    assert_int_equal(survey->extra_answers, 2);
    assert_int_equal(survey->late_answers, 0);
    assert_int_equal(point->out.rating_count, 1);
    point_free(point);
}

static void a_press_within_two_seconds_is_a_duplicate(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    press(point, SECONDS(2) - 1);
    press(point, 1);
    assemble(point);
    assert_int_equal(point->out.survey_count, 1);
    assert_flags(survey_of(point, 0), "duplicate_press");
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + window);
    point_free(point);
}

static void a_press_at_two_seconds_cuts_the_window_and_opens_the_next(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    press(point, SECONDS(2));
    press(point, SECONDS(4) - 1); /* a duplicate of the second, not of the first */
    says(point, OKNO_EVENT_YES, SECONDS(2));
    assemble(point);
    assert_int_equal(point->out.survey_count, 2);
    assert_flags(survey_of(point, 0), "superseded");
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + SECONDS(2));
    assert_int_equal(survey_of(point, 0)->state, OKNO_SURVEY_SILENT);
    assert_flags(survey_of(point, 1), "duplicate_press early_answer");
    assert_int_equal(survey_of(point, 1)->answer.kind, OKNO_EVENT_YES);
    point_free(point);
}

static void an_answered_survey_that_is_cut_short_is_not_superseded(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    says(point, OKNO_EVENT_YES, SECONDS(1));
    press(point, SECONDS(5));
    assemble(point);
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + SECONDS(5));
    assert_flags(survey_of(point, 0), "");
    point_free(point);
}

static void a_press_at_the_window_end_supersedes_nothing(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    press(point, window);
    assemble(point);
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + window);
    assert_flags(survey_of(point, 0), "");
    point_free(point);
}

static void a_survey_is_open_until_now_reaches_its_end(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    says(point, OKNO_EVENT_YES, SECONDS(2));
    point->input.now_us = T0 + window - 1;
    assemble(point);
    assert_int_equal(survey_of(point, 0)->state, OKNO_SURVEY_OPEN);
    point->input.now_us = T0 + window;
    assemble(point);
    assert_int_equal(survey_of(point, 0)->state, OKNO_SURVEY_ANSWERED);
    point_free(point);
}

static void a_late_answer_goes_to_the_newest_silent_survey(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);           /* silent, cut short at 10 s: late until 55 s */
    press(point, SECONDS(10)); /* answered, closes at 25 s */
    says(point, OKNO_EVENT_YES, SECONDS(12));
    says(point, OKNO_EVENT_NO, SECONDS(55) - 1);
    says(point, OKNO_EVENT_NO, SECONDS(55));
    assemble(point);
    assert_int_equal(survey_of(point, 0)->late_answers, 1);
    assert_int_equal(survey_of(point, 1)->late_answers, 0);
    assert_int_equal(point->out.rating_count, 1);
    assert_int_equal(point->out.ratings[0].event.at_us, T0 + SECONDS(55));
    point_free(point);
}

static void a_late_answer_inside_the_next_window_answers_that(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    press(point, SECONDS(20));
    says(point, OKNO_EVENT_NO, SECONDS(21));
    assemble(point);
    assert_int_equal(survey_of(point, 0)->late_answers, 0);
    assert_int_equal(survey_of(point, 1)->answer.kind, OKNO_EVENT_NO);
    point_free(point);
}

static void answers_without_any_press_are_spontaneous(void **state)
{
    (void)state;
    struct point *point = point_new();
    says(point, OKNO_EVENT_YES, 0);
    says(point, OKNO_EVENT_NO, 5);
    assemble(point);
    assert_int_equal(point->out.survey_count, 0);
    assert_int_equal(point->out.rating_count, 2);
    assert_int_equal(point->out.ratings[0].event.kind, OKNO_EVENT_YES);
    point_free(point);
}

static void a_panel_of_another_point_answers_nothing(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    happens(point, OKNO_EVENT_YES, SECONDS(2))->role = OKNO_ROLE_NONE;
    assemble(point);
    assert_false(survey_of(point, 0)->has_answer);
    assert_int_equal(point->out.rating_count, 0);
    point_free(point);
}

static void another_channel_never_answers_and_is_spontaneous(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    happens(point, OKNO_EVENT_YES, SECONDS(2))->channel = "qr";
    happens(point, OKNO_EVENT_NO, SECONDS(20))->channel = "qr"; /* not late either */
    assemble(point);
    assert_false(survey_of(point, 0)->has_answer);
    assert_int_equal(survey_of(point, 0)->late_answers, 0);
    assert_int_equal(point->out.rating_count, 2);
    point_free(point);
}

static void a_button_does_not_answer_and_a_panel_does_not_press(void **state)
{
    (void)state;
    struct point *point = point_new();
    happens(point, OKNO_EVENT_PRESS, 0)->role = OKNO_ROLE_PANEL;
    happens(point, OKNO_EVENT_HOLD, 1)->role = OKNO_ROLE_PANEL;
    happens(point, OKNO_EVENT_PRESS, 2)->role = OKNO_ROLE_BUTTON;
    happens(point, OKNO_EVENT_YES, 3)->role = OKNO_ROLE_BUTTON;
    happens(point, OKNO_EVENT_NO, SECONDS(4))->role = OKNO_ROLE_PANEL;
    happens(point, OKNO_EVENT_ALIVE, SECONDS(5))->role = OKNO_ROLE_PANEL;
    assemble(point);
    assert_int_equal(point->out.survey_count, 1);
    assert_int_equal(survey_of(point, 0)->opened_us, T0 + 2);
    assert_int_equal(survey_of(point, 0)->answer.kind, OKNO_EVENT_NO);
    assert_int_equal(point->out.situation_count, 0);
    assert_int_equal(point->out.misplaced, 3);
    point_free(point);
}

static void holds_less_than_ten_minutes_apart_are_one_situation(void **state)
{
    (void)state;
    struct point *point = point_new();
    hold(point, 0);
    hold(point, SECONDS(600) - 1);
    hold(point, SECONDS(1200) - 1); /* exactly ten minutes after the second: a new one */
    assemble(point);
    assert_int_equal(point->out.situation_count, 2);
    struct okno_survey_situation *situations = point->out.situations;
    assert_int_equal(situations[0].first_us, T0);
    assert_int_equal(situations[0].until_us, T0 + SECONDS(1200) - 1);
    assert_int_equal(situations[0].holds, 2);
    assert_int_equal(situations[1].first_us, T0 + SECONDS(1200) - 1);
    assert_int_equal(situations[1].holds, 1);
    point_free(point);
}

static void surveys_that_overlap_a_situation_carry_it(void **state)
{
    (void)state;
    const struct {
        int64_t opened;
        bool carried;
    } cases[] = {{-window, false},
                 {-window + 1, true},
                 {0, true},
                 {SECONDS(600) - 1, true},
                 {SECONDS(600), false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        hold(point, 0);
        press(point, cases[i].opened);
        assemble(point);
        assert_int_equal(survey_of(point, 0)->force_majeure, cases[i].carried);
        point_free(point);
    }
}

static void a_hold_within_two_minutes_after_a_no_is_flagged(void **state)
{
    (void)state;
    const struct {
        enum okno_event_kind kind;
        int64_t hold;
        bool flagged;
    } cases[] = {{OKNO_EVENT_NO, SECONDS(1), true},
                 {OKNO_EVENT_NO, SECONDS(121) - 1, true},
                 {OKNO_EVENT_NO, SECONDS(121), false},
                 {OKNO_EVENT_NO, SECONDS(1) - 1, false},
                 {OKNO_EVENT_YES, SECONDS(2), false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        press(point, 0);
        says(point, cases[i].kind, SECONDS(1));
        hold(point, cases[i].hold);
        assemble(point);
        assert_flags(survey_of(point, 0), cases[i].flagged ? "hold_after_no" : "");
        assert_int_equal(point->out.situations[0].hold_after_no, cases[i].flagged);
        point_free(point);
    }
}

static void a_spontaneous_no_makes_the_hold_suspicious_too(void **state)
{
    (void)state;
    struct point *point = point_new();
    hold(point, -SECONDS(300));
    says(point, OKNO_EVENT_NO, 0);
    hold(point, SECONDS(119));
    assemble(point);
    assert_int_equal(point->out.situation_count, 1);
    assert_true(point->out.situations[0].hold_after_no);
    point_free(point);
}

static void an_answer_sooner_than_three_tenths_of_a_second_is_early(void **state)
{
    (void)state;
    for (int64_t at = 299999; at <= 300000; at++) {
        struct point *point = point_new();
        press(point, 0);
        says(point, OKNO_EVENT_YES, at);
        assemble(point);
        assert_flags(survey_of(point, 0), at < 300000 ? "early_answer" : "");
        assert_false(survey_of(point, 0)->voided_by);
        point->input.params.early_action = OKNO_FLAG_OFF;
        assemble(point);
        assert_flags(survey_of(point, 0), "");
        point->input.params.early_action = OKNO_FLAG_VOID;
        assemble(point);
        assert_int_equal(survey_of(point, 0)->voided_by != 0, at < 300000);
        point_free(point);
    }
}

/* `count` surveys answered yes, each opened `pause` after the one before has closed. */
static void equal_answers(struct point *point, int count, int64_t pause)
{
    for (int i = 0; i < count; i++) {
        press(point, i * (window + pause));
        says(point, OKNO_EVENT_YES, i * (window + pause) + SECONDS(1));
    }
}

static void five_equal_answers_in_a_row_are_flagged(void **state)
{
    (void)state;
    const struct {
        int count;
        int64_t pause;
        bool flagged;
    } cases[] = {{4, 0, false}, {5, 0, true}, {6, window - 1, true}, {5, window, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        equal_answers(point, cases[i].count, cases[i].pause);
        assemble(point);
        for (int j = 0; j < cases[i].count; j++)
            assert_flags(survey_of(point, (size_t)j), cases[i].flagged ? "identical_run" : "");
        point_free(point);
    }
}

static void a_different_or_missing_answer_breaks_the_run(void **state)
{
    (void)state;
    for (int kind = OKNO_EVENT_NO; kind <= OKNO_EVENT_ALIVE; kind++) {
        struct point *point = point_new();
        equal_answers(point, 6, 0);
        point->events[2 * 2 + 1].kind = (enum okno_event_kind)kind; /* the third survey's answer */
        assemble(point);
        for (size_t j = 0; j < 6; j++)
            assert_flags(survey_of(point, j), "");
        point_free(point);
    }
}

static void opening_hours_are_half_open(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO(okno_hours) *hours = NULL;
    assert_int_equal(okno_hours_parse("Tu 12:00-12:02,12:04-12:05", "UTC", &hours, &err), 0);
    const struct {
        int64_t at;
        bool outside;
    } cases[] = {{-1, true},
                 {0, false},
                 {SECONDS(120) - 1, false},
                 {SECONDS(120), true},
                 {SECONDS(240), false},
                 {SECONDS(300), true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        press(point, cases[i].at);
        assemble(point);
        assert_flags(survey_of(point, 0), "");
        point->input.hours = hours;
        assemble(point);
        assert_flags(survey_of(point, 0), cases[i].outside ? "outside_hours" : "");
        point_free(point);
    }
}

static void a_device_in_test_mode_voids_its_surveys(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) { /* the button's pairing, or the panel's */
        struct point *point = point_new();
        press(point, 0);
        says(point, OKNO_EVENT_YES, SECONDS(1));
        point->events[which].test = true;
        assemble(point);
        assert_true(survey_of(point, 0)->test);
        assert_true(survey_of(point, 0)->voided_by);
        assert_flags(survey_of(point, 0), "test_mode");
        point->input.params.test_action = OKNO_FLAG_MARK;
        assemble(point);
        assert_true(survey_of(point, 0)->test);
        assert_false(survey_of(point, 0)->voided_by);
        point_free(point);
    }
}

/* Five equal answers, too soon, outside hours, in test mode: every automatic flag at once. */
static void each_automatic_flag_is_off_a_flag_or_a_void(void **state)
{
    (void)state;
    static const char *const names[] = {"early_answer", "identical_run", "outside_hours",
                                        "test_mode"};
    struct okno_err err = {0};
    OKNO_AUTO(okno_hours) *hours = NULL;
    assert_int_equal(okno_hours_parse("Mo-Su 03:00-04:00", "UTC", &hours, &err), 0);
    for (size_t which = 0; which < 4; which++)
        for (int action = OKNO_FLAG_OFF; action <= OKNO_FLAG_VOID; action++) {
            struct point *point = point_new();
            enum okno_flag_action actions[4] = {OKNO_FLAG_OFF, OKNO_FLAG_OFF, OKNO_FLAG_OFF,
                                                OKNO_FLAG_OFF};
            actions[which] = (enum okno_flag_action)action;
            for (int i = 0; i < 5; i++) {
                press(point, i * SECONDS(20));
                says(point, OKNO_EVENT_YES, i * SECONDS(20) + 1);
            }
            for (size_t i = 0; i < point->input.event_count; i++)
                point->events[i].test = true;
            point->input.hours = hours;
            point->input.params.early_action = actions[0];
            point->input.params.identical_action = actions[1];
            point->input.params.hours_action = actions[2];
            point->input.params.test_action = actions[3];
            assemble(point);
            for (size_t i = 0; i < 5; i++) {
                struct okno_survey *survey = survey_of(point, i);
                assert_flags(survey, action == OKNO_FLAG_OFF ? "" : names[which]);
                assert_string_equal(okno_survey_last_flag(survey->voided_by),
                                    action == OKNO_FLAG_VOID ? names[which] : "");
            }
            point_free(point);
        }
}

static void limits_of_nothing_turn_rules_off(void **state)
{
    (void)state;
    struct point *point = point_new();
    point->input.params.duplicate_us = 0;
    point->input.params.late_us = 0;
    point->input.params.early_us = 0;
    point->input.params.hold_after_no_us = 0;
    press(point, 0);
    press(point, 1); /* no duplicate: it cuts the first short */
    says(point, OKNO_EVENT_NO, 1);
    hold(point, 1);
    press(point, SECONDS(100));
    says(point, OKNO_EVENT_YES, SECONDS(100) + window); /* not late: spontaneous */
    assemble(point);
    assert_int_equal(point->out.survey_count, 3);
    assert_flags(survey_of(point, 0), "superseded");
    assert_flags(survey_of(point, 1), "");
    assert_int_equal(survey_of(point, 2)->late_answers, 0);
    assert_int_equal(point->out.rating_count, 1);
    point_free(point);
}

static void silence_counts_only_once_every_panel_was_heard(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    point->input.panel_count = 2;
    point->panels[0].heard_us = T0 + window;
    point->panels[1] = (struct okno_survey_panel){"d2", 0, INT64_MAX, T0 + window - 1};
    assemble(point);
    assert_flags(survey_of(point, 0), "panel_unheard");
    point->panels[1].heard_us = T0 + window;
    assemble(point);
    assert_flags(survey_of(point, 0), "");
    point_free(point);
}

static void only_panels_paired_when_the_survey_opened_must_be_heard(void **state)
{
    (void)state;
    const struct {
        int64_t from, to;
        bool paired;
    } cases[] = {
        {0, T0, false}, {0, T0 + 1, true}, {T0, INT64_MAX, true}, {T0 + 1, INT64_MAX, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point *point = point_new();
        press(point, 0);
        point->input.panel_count = 2;
        point->panels[1] = (struct okno_survey_panel){"d2", cases[i].from, cases[i].to, INT64_MIN};
        assemble(point);
        assert_flags(survey_of(point, 0), cases[i].paired ? "panel_unheard" : "");
        point_free(point);
    }
}

static void a_point_without_any_panel_is_unheard(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    point->input.panel_count = 0;
    assemble(point);
    assert_flags(survey_of(point, 0), "panel_unheard");
    point_free(point);
}

static void an_answered_or_open_survey_is_never_unheard(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    says(point, OKNO_EVENT_YES, SECONDS(1));
    press(point, SECONDS(30));
    point->panels[0].heard_us = INT64_MIN;
    point->input.now_us = T0 + SECONDS(40);
    assemble(point);
    assert_flags(survey_of(point, 0), "");
    assert_flags(survey_of(point, 1), "");
    point_free(point);
}

static void the_window_is_that_of_the_question_in_force(void **state)
{
    (void)state;
    struct point *point = point_new();
    point->questions[0] =
        (struct okno_survey_question){"q1", "personnel", 0, INT64_MAX, SECONDS(5)};
    point->questions[1] = (struct okno_survey_question){"q2", "office", T0 + SECONDS(100),
                                                        T0 + SECONDS(200), SECONDS(30)};
    point->input.question_count = 2;
    press(point, SECONDS(100) - 1);
    press(point, SECONDS(150));
    press(point, SECONDS(200));
    assemble(point);
    assert_string_equal(survey_of(point, 0)->question->question, "q1");
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + SECONDS(105) - 1);
    assert_string_equal(survey_of(point, 1)->question->question, "q2");
    assert_int_equal(survey_of(point, 1)->closes_us, T0 + SECONDS(180));
    assert_string_equal(survey_of(point, 2)->question->question, "q1");
    assert_int_equal(survey_of(point, 2)->closes_us, T0 + SECONDS(205));
    point_free(point);
}

static void without_a_question_the_default_window_holds(void **state)
{
    (void)state;
    struct point *point = point_new();
    point->questions[0] =
        (struct okno_survey_question){"q1", "personnel", T0 + 1, INT64_MAX, SECONDS(5)};
    point->input.question_count = 1;
    press(point, 0);
    assemble(point);
    assert_null(survey_of(point, 0)->question);
    assert_int_equal(survey_of(point, 0)->closes_us, T0 + window);
    point_free(point);
}

static void an_event_given_twice_happens_once(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    says(point, OKNO_EVENT_YES, SECONDS(1));
    hold(point, SECONDS(2));
    for (size_t i = 0; i < 3; i++)
        point->events[3 + i] = point->events[2 - i];
    point->input.event_count = 6;
    assemble(point);
    assert_int_equal(point->out.survey_count, 1);
    assert_flags(survey_of(point, 0), "");
    assert_int_equal(survey_of(point, 0)->extra_answers, 0);
    assert_int_equal(point->out.situations[0].holds, 1);
    point_free(point);
}

static void the_same_sequence_of_another_boot_is_another_event(void **state)
{
    (void)state;
    struct point *point = point_new();
    press(point, 0);
    happens(point, OKNO_EVENT_PRESS, SECONDS(60))->boot = 1;
    point->events[1].seq = 1;
    assemble(point);
    assert_int_equal(point->out.survey_count, 2);
    assert_int_equal(survey_of(point, 1)->opener.boot, 1);
    point_free(point);
}

static void nothing_in_gives_nothing_out(void **state)
{
    (void)state;
    struct okno_survey_input input = {.params = okno_survey_params_default()};
    struct okno_survey_output out;
    assert_int_equal(okno_survey_assemble(&input, &out, NULL), 0);
    assert_int_equal(out.survey_count + out.rating_count + out.situation_count, 0);
    okno_survey_output_free(&out);
}

static void values_out_of_range_are_refused_and_leave_the_output_alone(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        struct point *point = point_new();
        press(point, 0);
        point->questions[0] = (struct okno_survey_question){"q", "office", 0, INT64_MAX, window};
        point->input.question_count = 1;
        if (which == 0)
            point->input.params.late_us = -1;
        else if (which == 1)
            point->questions[0].window_us = 0;
        else
            point->events[0].at_us = INT64_MAX;
        struct okno_survey_output out = {.misplaced = 77};
        struct okno_err err = {0};
        assert_int_equal(okno_survey_assemble(&point->input, &out, &err), OKNO_INVALID);
        assert_int_equal(out.misplaced, 77);
        assert_true(err.text[0] != '\0');
        point_free(point);
    }
}

static void all_flags_print_sorted_and_fit(void **state)
{
    (void)state;
    char text[OKNO_SURVEY_FLAGS_TEXT];
    assert_string_equal(okno_survey_flags_text(0, text), "");
    assert_string_equal(okno_survey_flags_text(~0U, text),
                        "duplicate_press early_answer hold_after_no identical_run outside_hours "
                        "panel_unheard shift_overlap superseded test_mode");
}

static void kinds_are_read_by_name(void **state)
{
    (void)state;
    for (int i = 0; i < OKNO_EVENT_KIND_COUNT; i++) {
        enum okno_event_kind kind = OKNO_EVENT_ALIVE;
        assert_int_equal(
            okno_event_kind_parse(okno_event_kind_text((enum okno_event_kind)i), &kind, NULL), 0);
        assert_int_equal(kind, i);
    }
    enum okno_event_kind kind = OKNO_EVENT_ALIVE;
    struct okno_err err = {0};
    assert_int_equal(okno_event_kind_parse("Press", &kind, &err), OKNO_INVALID);
    assert_string_equal(err.field, "kind");
    assert_non_null(strstr(err.text, "\"Press\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_opens_a_window_of_fifteen_seconds),
        cmocka_unit_test(an_answer_counts_from_the_press_to_just_before_the_end),
        cmocka_unit_test(an_answer_at_the_moment_of_the_press_is_inside_whatever_sorts_first),
        cmocka_unit_test(the_first_answer_counts_and_later_ones_are_extra),
        cmocka_unit_test(a_press_within_two_seconds_is_a_duplicate),
        cmocka_unit_test(a_press_at_two_seconds_cuts_the_window_and_opens_the_next),
        cmocka_unit_test(an_answered_survey_that_is_cut_short_is_not_superseded),
        cmocka_unit_test(a_press_at_the_window_end_supersedes_nothing),
        cmocka_unit_test(a_survey_is_open_until_now_reaches_its_end),
        cmocka_unit_test(a_late_answer_goes_to_the_newest_silent_survey),
        cmocka_unit_test(a_late_answer_inside_the_next_window_answers_that),
        cmocka_unit_test(answers_without_any_press_are_spontaneous),
        cmocka_unit_test(a_panel_of_another_point_answers_nothing),
        cmocka_unit_test(another_channel_never_answers_and_is_spontaneous),
        cmocka_unit_test(a_button_does_not_answer_and_a_panel_does_not_press),
        cmocka_unit_test(holds_less_than_ten_minutes_apart_are_one_situation),
        cmocka_unit_test(surveys_that_overlap_a_situation_carry_it),
        cmocka_unit_test(a_hold_within_two_minutes_after_a_no_is_flagged),
        cmocka_unit_test(a_spontaneous_no_makes_the_hold_suspicious_too),
        cmocka_unit_test(an_answer_sooner_than_three_tenths_of_a_second_is_early),
        cmocka_unit_test(five_equal_answers_in_a_row_are_flagged),
        cmocka_unit_test(a_different_or_missing_answer_breaks_the_run),
        cmocka_unit_test(opening_hours_are_half_open),
        cmocka_unit_test(a_device_in_test_mode_voids_its_surveys),
        cmocka_unit_test(each_automatic_flag_is_off_a_flag_or_a_void),
        cmocka_unit_test(limits_of_nothing_turn_rules_off),
        cmocka_unit_test(silence_counts_only_once_every_panel_was_heard),
        cmocka_unit_test(only_panels_paired_when_the_survey_opened_must_be_heard),
        cmocka_unit_test(a_point_without_any_panel_is_unheard),
        cmocka_unit_test(an_answered_or_open_survey_is_never_unheard),
        cmocka_unit_test(the_window_is_that_of_the_question_in_force),
        cmocka_unit_test(without_a_question_the_default_window_holds),
        cmocka_unit_test(an_event_given_twice_happens_once),
        cmocka_unit_test(the_same_sequence_of_another_boot_is_another_event),
        cmocka_unit_test(nothing_in_gives_nothing_out),
        cmocka_unit_test(values_out_of_range_are_refused_and_leave_the_output_alone),
        cmocka_unit_test(all_flags_print_sorted_and_fit),
        cmocka_unit_test(kinds_are_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
