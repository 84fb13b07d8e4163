#define _POSIX_C_SOURCE 200809L
/* What the registry says of a point, as the core takes it. */
#include "store.h"

#include <string.h>

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the facts of a point");
}

static int load_clock(struct okno_db *db, const char *device, struct okno_clock_vec *clock,
                      struct okno_err *err)
{
    char target[OKNO_ID_TEXT + 8];
    (void)snprintf(target, sizeof(target), "device:%s", device);
    return okno_registry_clock(db, target, clock, err);
}

static int add_panels(struct okno_db *db, const struct survey_device *device,
                      struct survey_facts *facts, struct okno_err *err)
{
    int64_t heard_us = INT64_MIN;
    int rc = OKNO_DB_INT(db, "refresh.heard", INT64_MIN, &heard_us, err,
                         OKNO_TEXT("device", device->pairings[0].device));
    for (size_t i = 0; rc == 0 && i < device->pairing_count; i++) {
        const struct okno_pairing *pairing = &device->pairings[i];
        const struct okno_survey_panel panel = {pairing->device, pairing->from_us, pairing->to_us,
                                                heard_us};
        if (pairing->panel && survey_panel_vec_push(&facts->panels, panel) < 0)
            rc = no_memory(err);
    }
    return rc;
}

/* Pairings come ordered by device: take them device by device. */
static int load_devices(struct okno_db *db, struct survey_facts *facts, struct okno_err *err)
{
    const struct okno_pairing *pairings = facts->pairings.items;
    int rc = 0;
    for (size_t start = 0, end; rc == 0 && start < facts->pairings.len; start = end) {
        for (end = start + 1; end < facts->pairings.len; end++)
            if (strcmp(pairings[end].device, pairings[start].device) != 0)
                break;
        const struct survey_device device = {.pairings = pairings + start,
                                             .pairing_count = end - start};
        rc = add_panels(db, &device, facts, err);
        if (rc == 0 && survey_device_vec_push(&facts->devices, device) < 0)
            rc = no_memory(err);
        if (rc == 0)
            rc = load_clock(db, pairings[start].device,
                            &facts->devices.items[facts->devices.len - 1].clock, err);
    }
    return rc;
}

static int load_questions(struct okno_db *db, struct survey_facts *facts, struct okno_err *err)
{
    int rc = okno_registry_questions(db, facts->point.point, &facts->questions, err);
    for (size_t i = 0; rc == 0 && i < facts->questions.len; i++) {
        const struct okno_question *from = &facts->questions.items[i];
        const struct okno_survey_question asked = {from->question, from->kind, from->from_us,
                                                   from->to_us, from->window_us};
        if (survey_question_vec_push(&facts->asked, asked) < 0)
            rc = no_memory(err);
    }
    return rc;
}

int survey_facts_load(struct okno_db *db, const char *point, struct survey_facts *facts,
                      struct okno_err *err)
{
    int rc = okno_registry_point(db, point, &facts->point, err);
    if (rc == 0)
        rc = okno_registry_pairings(db, NULL, point, &facts->pairings, err);
    if (rc == 0)
        rc = load_questions(db, facts, err);
    if (rc == 0)
        rc = load_devices(db, facts, err);
    return rc < 0 ? rc : okno_registry_hours(db, &facts->point, &facts->hours, err);
}

void survey_facts_free(struct survey_facts *facts)
{
    for (size_t i = 0; i < facts->devices.len; i++)
        okno_clock_vec_free(&facts->devices.items[i].clock);
    survey_device_vec_free(&facts->devices);
    okno_pairing_vec_free(&facts->pairings);
    okno_question_vec_free(&facts->questions);
    survey_panel_vec_free(&facts->panels);
    survey_question_vec_free(&facts->asked);
    okno_hours_free(facts->hours);
    facts->hours = NULL;
}

struct okno_survey_input survey_facts_input(const struct survey_facts *facts,
                                            const struct okno_survey_params *params, int64_t now_us)
{
    return (struct okno_survey_input){.questions = facts->asked.items,
                                      .question_count = facts->asked.len,
                                      .panels = facts->panels.items,
                                      .panel_count = facts->panels.len,
                                      .hours = facts->hours,
                                      .params = *params,
                                      .now_us = now_us};
}

/* Corrected times are rounded to a microsecond, in which a clock may show many. */
int64_t survey_clock_shown_from(const struct okno_clock_vec *clock, int64_t utc_us)
{
    int64_t before_us = utc_us - 1;
    int64_t earliest_us =
        before_us + okno_clock_at(clock->items, clock->len, before_us).offset_us - 1;
    for (size_t i = clock->len; i-- > 0 && clock->items[i].at_us >= before_us;) {
        int64_t shown_us = clock->items[i].at_us + clock->items[i].offset_us;
        earliest_us = shown_us < earliest_us ? shown_us : earliest_us;
    }
    return earliest_us;
}
