#define _POSIX_C_SOURCE 200809L
/* From the database's rows to the core's values. */
#include "okno/time.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD_MAX_DAYS = 1 };

/* One device's events on their way to the point. */
struct reading {
    struct survey_facts *facts;
    const struct okno_pairing *pairings; /* of this device with the point, ordered by from */
    size_t pairing_count;
    struct okno_clock_vec clock;
    int64_t from_us, to_us;
    int64_t heard_us;
};

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the events of a point");
}

static const struct okno_pairing *pairing_at(const struct reading *reading, int64_t at_us)
{
    for (size_t i = reading->pairing_count; i-- > 0;)
        if (reading->pairings[i].from_us <= at_us)
            return at_us < reading->pairings[i].to_us ? &reading->pairings[i] : NULL;
    return NULL;
}

static enum okno_device_role role_of(const struct okno_pairing *pairing)
{
    if (pairing->button)
        return pairing->panel ? OKNO_ROLE_BOTH : OKNO_ROLE_BUTTON;
    return pairing->panel ? OKNO_ROLE_PANEL : OKNO_ROLE_NONE;
}

static int keep_channel(struct survey_facts *facts, const char *channel, const char **ret_channel,
                        struct okno_err *err)
{
    if (!channel)
        return 0;
    char *copy = strdup(channel);
    if (!copy || survey_text_vec_push(&facts->channels, copy) < 0) {
        free(copy);
        return no_memory(err);
    }
    *ret_channel = copy;
    return 0;
}

static int read_event(struct reading *reading, struct okno_stmt *stmt, struct okno_err *err)
{
    struct okno_clock_offset offset;
    int64_t at_us = okno_clock_to_utc(reading->clock.items, reading->clock.len,
                                      okno_stmt_int(stmt, "at"), &offset);
    if (at_us > okno_stmt_int(stmt, "arrived_at") + AHEAD_MAX_DAYS * OKNO_DAY_US) {
        reading->facts->suspect++;
        return 0;
    }
    if (at_us > reading->heard_us)
        reading->heard_us = at_us;
    const struct okno_pairing *pairing = pairing_at(reading, at_us);
    if (!pairing || at_us < reading->from_us || at_us >= reading->to_us)
        return 0;
    struct okno_survey_event event = {.device = pairing->device,
                                      .boot = okno_stmt_int(stmt, "boot"),
                                      .seq = okno_stmt_int(stmt, "seq"),
                                      .role = role_of(pairing),
                                      .test = pairing->test,
                                      .at_us = at_us,
                                      .offset_us = offset.offset_us,
                                      .uncertainty_us = offset.uncertainty_us};
    int rc = okno_event_kind_parse(okno_stmt_text(stmt, "kind"), &event.kind, err);
    if (rc == 0)
        rc = keep_channel(reading->facts, okno_stmt_text(stmt, "channel"), &event.channel, err);
    if (rc == 0 && survey_event_vec_push(&reading->facts->events, event) < 0)
        rc = no_memory(err);
    return rc;
}

/* How far the device's clock was ever off: events of a span lie that much around it. */
static int64_t largest_offset(const struct okno_clock_vec *clock)
{
    int64_t largest = 0;
    for (size_t i = 0; i < clock->len; i++) {
        int64_t offset = clock->items[i].offset_us;
        largest = llabs(offset) > largest ? llabs(offset) : largest;
    }
    return largest;
}

static int64_t shifted(int64_t at_us, int64_t by_us)
{
    int64_t result;
    if (__builtin_add_overflow(at_us, by_us, &result))
        return by_us < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

static int read_events(struct okno_db *db, struct reading *reading, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t slack = largest_offset(&reading->clock);
    int rc = OKNO_DB_PREPARE(db, "refresh.events", &stmt, err,
                             OKNO_TEXT("device", reading->pairings[0].device),
                             OKNO_INT("from", shifted(reading->from_us, -slack)),
                             OKNO_INT("to", shifted(reading->to_us, slack)));
    while (rc == 0) {
        int step = okno_stmt_step(stmt, err);
        if (step <= 0)
            return step;
        rc = read_event(reading, stmt, err);
    }
    return rc;
}

static int add_panels(struct reading *reading, struct okno_err *err)
{
    for (size_t i = 0; i < reading->pairing_count; i++) {
        const struct okno_pairing *pairing = &reading->pairings[i];
        const struct okno_survey_panel panel = {pairing->device, pairing->from_us, pairing->to_us,
                                                reading->heard_us};
        if (pairing->panel && survey_panel_vec_push(&reading->facts->panels, panel) < 0)
            return no_memory(err);
    }
    return 0;
}

static int load_device(struct okno_db *db, struct reading *reading, struct okno_err *err)
{
    char target[OKNO_ID_TEXT + 8];
    (void)snprintf(target, sizeof(target), "device:%s", reading->pairings[0].device);
    int rc = okno_registry_clock(db, target, &reading->clock, err);
    if (rc == 0)
        rc = read_events(db, reading, err);
    if (rc == 0)
        rc = add_panels(reading, err);
    okno_clock_vec_free(&reading->clock);
    return rc;
}

/* Pairings come ordered by device: take them device by device. */
static int load_devices(struct okno_db *db, struct survey_facts *facts, int64_t from_us,
                        int64_t to_us, struct okno_err *err)
{
    const struct okno_pairing *pairings = facts->pairings.items;
    for (size_t start = 0, end; start < facts->pairings.len; start = end) {
        for (end = start + 1; end < facts->pairings.len; end++)
            if (strcmp(pairings[end].device, pairings[start].device) != 0)
                break;
        struct reading reading = {.facts = facts,
                                  .pairings = pairings + start,
                                  .pairing_count = end - start,
                                  .from_us = from_us,
                                  .to_us = to_us,
                                  .heard_us = INT64_MIN};
        int rc = load_device(db, &reading, err);
        if (rc < 0)
            return rc;
    }
    return 0;
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

int survey_facts_load(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                      struct survey_facts *facts, struct okno_err *err)
{
    int rc = okno_registry_point(db, point, &facts->point, err);
    if (rc == 0)
        rc = okno_registry_pairings(db, NULL, point, &facts->pairings, err);
    if (rc == 0)
        rc = load_questions(db, facts, err);
    return rc < 0 ? rc : load_devices(db, facts, from_us, to_us, err);
}

void survey_facts_free(struct survey_facts *facts)
{
    for (size_t i = 0; i < facts->channels.len; i++)
        free(facts->channels.items[i]);
    survey_text_vec_free(&facts->channels);
    okno_pairing_vec_free(&facts->pairings);
    okno_question_vec_free(&facts->questions);
    survey_event_vec_free(&facts->events);
    survey_panel_vec_free(&facts->panels);
    survey_question_vec_free(&facts->asked);
}
