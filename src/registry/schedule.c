/* What a panel shows from when to when. */
#include "okno/panel.h"

#include "okno/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "{employee}";

OKNO_VEC(moment_vec, int64_t);

static int by_time(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the questions of a point");
}

static int add_moment(struct moment_vec *moments, int64_t at_us, int64_t from_us, int64_t to_us,
                      struct okno_err *err)
{
    if (at_us < from_us || at_us >= to_us)
        return 0;
    return moment_vec_push(moments, at_us) < 0 ? no_memory(err) : 0;
}

/* U+0400..U+04FF. */
static bool has_cyrillic(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0xD0 && (unsigned char)*text <= 0xD3)
            return true;
    return false;
}

/* Every mark becomes the name; what does not fit is cut between characters. */
static void fill(char text[OKNO_NAME_TEXT], const char *name)
{
    char filled[OKNO_NAME_TEXT] = "";
    size_t used = 0;
    for (const char *at = text; *at && used + 1 < sizeof(filled);) {
        bool here = strncmp(at, mark, sizeof(mark) - 1) == 0;
        size_t room = sizeof(filled) - 1 - used;
        if (here && strlen(name) > room)
            break;
        used += (size_t)snprintf(filled + used, room + 1, "%.*s", here ? (int)room : 1,
                                 here ? name : at);
        at += here ? sizeof(mark) - 1 : 1;
    }
    while (used > 0 && !okno_text_is_utf8(filled, used))
        filled[--used] = '\0';
    memcpy(text, filled, sizeof(filled));
}

static int name_at(struct okno_db *db, const char *point, int64_t at_us, const char *nobody,
                   char ret_name[OKNO_NAME_TEXT], struct okno_err *err)
{
    char employee[OKNO_ID_TEXT];
    bool overlap = false;
    OKNO_AUTO_STMT *stmt = NULL;
    (void)snprintf(ret_name, OKNO_NAME_TEXT, "%s", nobody);
    int rc = okno_registry_employee_at(db, point, at_us, employee, &overlap, err);
    if (rc < 0 || !*employee)
        return rc;
    rc = OKNO_DB_PREPARE(db, "panel.employee_name", &stmt, err, OKNO_TEXT("employee", employee));
    if (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        okno_stmt_copy(stmt, "name", ret_name, OKNO_NAME_TEXT);
        rc = 0;
    }
    return rc;
}

/* The same version, with the same name filled in. */
static bool is_same(const struct okno_question *one, const struct okno_question *other)
{
    return strcmp(one->question, other->question) == 0 && one->from_us == other->from_us &&
           strcmp(one->text, other->text) == 0;
}

static int add_segment(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                       struct okno_panel_segment_vec *segments, struct okno_err *err)
{
    struct okno_panel_segment segment = {.from_us = from_us, .to_us = to_us};
    struct okno_err none = {0};
    char name[OKNO_NAME_TEXT];
    int rc = okno_registry_question_at(db, point, from_us, &segment.question, &none);
    if (rc == OKNO_NOT_FOUND)
        return 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", none.text);
    rc = okno_prompt_of(db, segment.question.question, point, segment.question.from_us,
                        &segment.prompt, err);
    if (rc < 0)
        return rc;
    bool russian = has_cyrillic(segment.question.text);
    (void)snprintf(segment.language, sizeof(segment.language), "%s", russian ? "ru" : "en");
    if (strstr(segment.question.text, mark)) {
        rc = name_at(db, point, from_us, russian ? "наш сотрудник" : "our employee", name, err);
        if (rc < 0)
            return rc;
        fill(segment.question.text, name);
    }
    struct okno_panel_segment *last = segments->len ? &segments->items[segments->len - 1] : NULL;
    if (last && last->to_us == from_us && is_same(&last->question, &segment.question)) {
        last->to_us = to_us; /* nothing changed at this moment */
        return 0;
    }
    return okno_panel_segment_vec_push(segments, segment) < 0 ? no_memory(err) : 0;
}

/* Moments at which the text may change: questions begin or end, and shifts where names are told. */
static int find_moments(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                        struct moment_vec *moments, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_question_vec) questions = {0};
    OKNO_AUTO_VEC(okno_shift_vec) shifts = {0};
    bool named = false;
    int rc = add_moment(moments, from_us, from_us, to_us, err);
    if (rc == 0)
        rc = okno_registry_questions(db, point, &questions, err);
    for (size_t i = 0; rc == 0 && i < questions.len; i++) {
        rc = add_moment(moments, questions.items[i].from_us, from_us, to_us, err);
        if (rc == 0)
            rc = add_moment(moments, questions.items[i].to_us, from_us, to_us, err);
        named = named || strstr(questions.items[i].text, mark);
    }
    if (rc == 0 && named)
        rc = okno_registry_shifts(db, point, from_us, to_us, &shifts, err);
    for (size_t i = 0; rc == 0 && i < shifts.len; i++) {
        rc = add_moment(moments, shifts.items[i].from_us, from_us, to_us, err);
        if (rc == 0)
            rc = add_moment(moments, shifts.items[i].to_us, from_us, to_us, err);
    }
    if (rc == 0)
        qsort(moments->items, moments->len, sizeof(moments->items[0]), by_time);
    return rc;
}

int okno_panel_schedule(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                        struct okno_panel_segment_vec *segments, struct okno_err *err)
{
    OKNO_AUTO_VEC(moment_vec) moments = {0};
    int rc = find_moments(db, point, from_us, to_us, &moments, err);
    for (size_t i = 0; rc == 0 && i < moments.len && segments->len < OKNO_PANEL_SEGMENTS_MAX; i++) {
        int64_t end_us = i + 1 < moments.len ? moments.items[i + 1] : to_us;
        if (moments.items[i] < end_us)
            rc = add_segment(db, point, moments.items[i], end_us, segments, err);
    }
    return rc;
}
