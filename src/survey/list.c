/* The list of surveys: one query, one shape, for the command line and the service. */
#include "okno/json.h"
#include "okno/registry.h"
#include "okno/survey.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int check_word(const char *field, const char *value, const char *words, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!value || okno_text_is_word(value, words))
        return 0;
    return okno_fail_field(err, OKNO_INVALID, field, "%s \"%s\": allowed are %s", field,
                           okno_text_show(value, shown), words);
}

static int check_flag(const char *flag, struct okno_err *err)
{
    char flags[OKNO_SURVEY_FLAGS_TEXT];
    char words[OKNO_SURVEY_FLAGS_TEXT + 16];
    (void)snprintf(words, sizeof(words), "%s force_majeure", okno_survey_flags_text(~0U, flags));
    return check_word("flag", flag, words, err);
}

static int check_filter(const struct okno_survey_filter *filter, struct okno_err *err)
{
    int rc = check_word("answer", filter->answer, "yes no unsure", err);
    if (rc == 0)
        rc = check_word("state", filter->state, "open answered silent", err);
    if (rc == 0)
        rc = check_word("validity", filter->validity,
                        "unreviewed valid invalid undeterminable voided", err);
    if (rc == 0)
        rc = check_word("video", filter->video,
                        "linked partial no_recording no_camera expired unreachable pending", err);
    if (rc == 0)
        rc = check_word("kind", filter->kind, "personnel office loyalty none", err);
    if (rc == 0)
        rc = check_flag(filter->flag, err);
    if (rc == 0 && filter->from_us > filter->to_us)
        rc = okno_fail_field(err, OKNO_INVALID, "to", "to lies before from");
    return rc;
}

/* A cursor is `<opened_at in microseconds>.<id>`. */
static int parse_cursor(const char *cursor, int64_t *ret_at_us, const char **ret_id,
                        struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    char *end = NULL;
    if (!cursor) {
        *ret_at_us = INT64_MIN;
        *ret_id = "";
        return 0;
    }
    errno = 0;
    long long at_us = strtoll(cursor, &end, 10);
    if (errno || end == cursor || *end != '.' || strlen(end) > OKNO_EVENT_ID_TEXT)
        return okno_fail_field(err, OKNO_INVALID, "cursor",
                               "cursor \"%s\" is none that this list gave",
                               okno_text_show(cursor, shown));
    *ret_at_us = at_us;
    *ret_id = end + 1;
    return 0;
}

const char *okno_survey_cursor(const struct okno_survey_info *info,
                               char ret_text[OKNO_SURVEY_CURSOR_TEXT])
{
    (void)snprintf(ret_text, OKNO_SURVEY_CURSOR_TEXT, "%" PRId64 ".%s", info->opened_us,
                   info->survey);
    return ret_text;
}

static void read_info(struct okno_stmt *stmt, struct okno_survey_info *info)
{
    *info = (struct okno_survey_info){
        .survey = okno_stmt_text(stmt, "survey"),
        .point = okno_stmt_text(stmt, "point"),
        .site = okno_stmt_text(stmt, "site"),
        .employee = okno_stmt_text(stmt, "counted_for"),
        .question = okno_stmt_text(stmt, "question"),
        .question_kind = okno_stmt_text(stmt, "question_kind"),
        .channel = okno_stmt_text(stmt, "channel"),
        .opened_us = okno_stmt_int(stmt, "opened_at"),
        .closes_us = okno_stmt_int(stmt, "closes_at"),
        .state = okno_stmt_text(stmt, "state"),
        .answer = okno_stmt_text(stmt, "answer"),
        .answered_us = okno_stmt_int(stmt, "answered_at"),
        .extra_answers = okno_stmt_int(stmt, "extra_answers"),
        .late_answers = okno_stmt_int(stmt, "late_answers"),
        .force_majeure = okno_stmt_int(stmt, "force_majeure") != 0,
        .test = okno_stmt_int(stmt, "test") != 0,
        .flags = okno_stmt_text(stmt, "flags"),
        .video = okno_stmt_text(stmt, "video"),
        .validity = okno_stmt_text(stmt, "validity"),
        .reason = okno_stmt_text(stmt, "reason"),
        .offset_us = okno_stmt_int(stmt, "device_offset_us"),
        .uncertainty_us = okno_stmt_int(stmt, "device_uncertainty_us"),
    };
}

/* ---- days of each site's calendar ---- */

struct days {
    char site[OKNO_ID_TEXT];
    int64_t from_us, to_us;
};
OKNO_VEC(days_vec, struct days);

static int64_t begin_of(const struct okno_zone *zone, int64_t midnight_us)
{
    struct okno_civil civil;
    int64_t utc[2];
    int count = 0;
    if (midnight_us == INT64_MIN || midnight_us == INT64_MAX)
        return midnight_us;
    okno_time_to_civil(midnight_us, &civil);
    okno_zone_to_utc(zone, &civil, utc, &count);
    return utc[0];
}

static int load_days(struct okno_db *db, const struct okno_survey_filter *filter,
                     struct days_vec *days, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_site_vec) sites = {0};
    int rc = filter->local ? okno_registry_sites(db, &sites, err) : 0;
    for (size_t i = 0; rc == 0 && i < sites.len; i++) {
        OKNO_AUTO(okno_zone) *zone = NULL;
        struct days one = {0};
        rc = okno_zone_open(sites.items[i].time_zone, &zone, err);
        if (rc < 0)
            return rc;
        (void)snprintf(one.site, sizeof(one.site), "%s", sites.items[i].site);
        one.from_us = begin_of(zone, filter->from_us);
        one.to_us = begin_of(zone, filter->to_us);
        if (days_vec_push(days, one) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
    }
    return rc;
}

static bool is_in_days(const struct days_vec *days, const struct okno_survey_info *info)
{
    for (size_t i = 0; i < days->len; i++)
        if (strcmp(days->items[i].site, info->site) == 0)
            return info->opened_us >= days->items[i].from_us &&
                   info->opened_us < days->items[i].to_us;
    return false;
}

/* A bound that holds in every calendar. */
static int64_t with_slack(const struct okno_survey_filter *filter, int64_t at_us, int64_t slack_us)
{
    bool open = at_us == INT64_MIN || at_us == INT64_MAX;
    return filter->local && !open ? at_us + slack_us : at_us;
}

int okno_survey_list(struct okno_db *db, const struct okno_survey_filter *filter,
                     int (*each)(void *ctx, const struct okno_survey_info *info,
                                 struct okno_err *err),
                     void *ctx, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    OKNO_AUTO_VEC(days_vec) days = {0};
    int64_t after_us = INT64_MIN;
    int64_t given = 0;
    const char *after = "";
    int rc = check_filter(filter, err);
    if (rc == 0)
        rc = parse_cursor(filter->after, &after_us, &after, err);
    if (rc == 0)
        rc = load_days(db, filter, &days, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(
            db, filter->spontaneous ? "survey.ratings" : "survey.list", &stmt, err,
            OKNO_INT("from", with_slack(filter, filter->from_us, -OKNO_DAY_US)),
            OKNO_INT("to", with_slack(filter, filter->to_us, OKNO_DAY_US)),
            OKNO_TEXT("survey", filter->survey), OKNO_TEXT("site", filter->site),
            OKNO_TEXT("sites", filter->sites), OKNO_TEXT("point", filter->point),
            OKNO_TEXT("employee", filter->employee), OKNO_TEXT("answer", filter->answer),
            OKNO_TEXT("state", filter->state), OKNO_TEXT("validity", filter->validity),
            OKNO_TEXT("reason", filter->reason), OKNO_TEXT("question", filter->question),
            OKNO_TEXT("kind", filter->kind), OKNO_TEXT("channel", filter->channel),
            OKNO_TEXT("flag", filter->flag), OKNO_TEXT("video", filter->video),
            OKNO_INT("after_at", after_us), OKNO_TEXT("after", after),
            OKNO_INT("limit", filter->local ? -1 : filter->limit));
    while (rc == 0 && !(filter->local && given == filter->limit)) {
        struct okno_survey_info info;
        int step = okno_stmt_step(stmt, err);
        if (step <= 0)
            return step;
        read_info(stmt, &info);
        if (filter->local && !is_in_days(&days, &info))
            continue;
        rc = each(ctx, &info, err);
        given++;
    }
    return rc;
}

/* Words with one space between as an array. */
static json_t *words_json(const char *words)
{
    json_t *array = json_array();
    for (const char *word = words; array && *word;) {
        size_t len = strcspn(word, " ");
        (void)json_array_append_new(array, json_stringn(word, len));
        word += len + (word[len] == ' ');
    }
    return array;
}

json_t *okno_survey_json(const struct okno_survey_info *info)
{
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:b, s:o, s:s, s:s,"
        " s:o}",
        "id", info->survey, "point", info->point, "site", info->site, "employee",
        okno_json_text(info->employee), "question", okno_json_text(info->question), "kind",
        okno_json_text(info->question_kind), "channel", info->channel, "opened_at",
        okno_json_time(info->opened_us), "closes_at", okno_json_time(info->closes_us), "state",
        info->state, "answer", okno_json_text(info->answer), "answered_at",
        info->answer ? okno_json_time(info->answered_us) : json_null(), "extra_answers",
        (json_int_t)info->extra_answers, "late_answers", (json_int_t)info->late_answers,
        "force_majeure", info->force_majeure, "flags", words_json(info->flags), "video",
        info->video, "validity", info->validity, "reason", okno_json_text(info->reason));
}
