#define _POSIX_C_SOURCE 200809L
/* Programmes as declared, and where they stand. */
#include "programme.h"

#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 50, SECONDS_DEFAULT = 60 };

void programme_free(struct programme_row *row)
{
    json_decref(row->settings);
}

bool programme_person(const char *people, size_t n, char ret_name[OKNO_ID_TEXT])
{
    const char *at = people;
    for (; n > 0 && *at; n--) {
        at += strcspn(at, ",");
        at += *at == ',';
    }
    at += strspn(at, " ");
    size_t len = strcspn(at, ",");
    while (len > 0 && at[len - 1] == ' ')
        len--;
    (void)snprintf(ret_name, OKNO_ID_TEXT, "%.*s", (int)(len < 40 ? len : 40), at);
    return len > 0;
}

void programme_audit(const struct programme_row *row, const char *day, char *ret_audit, size_t size)
{
    (void)snprintf(ret_audit, size, "%s-%.4s%.2s%.2s", row->programme, day, day + 5, day + 8);
}

int programme_day(const struct programme_row *row, const char *day, int64_t *ret_from_us,
                  int64_t *ret_to_us, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int64_t midnight_us = 0;
    int rc = okno_date_parse(day, &midnight_us, err);
    if (rc == 0)
        rc = okno_zone_open(row->set.zone, &zone, err);
    if (rc < 0)
        return rc;
    *ret_from_us = okno_zone_midnight(zone, midnight_us);
    *ret_to_us = okno_zone_midnight(zone, midnight_us + OKNO_DAY_US);
    return 0;
}

/* ---- settings ---- */

static const char *text_in(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static double real_in(const json_t *json, const char *key)
{
    return strtod(text_in(json, key), NULL);
}

static int64_t integer_in(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static void read_settings(struct programme_row *row)
{
    const json_t *s = row->settings;
    const char *beacon = text_in(s, "beacon");
    row->set =
        (struct okno_programme){.programme = row->programme,
                                .title = text_in(s, "title"),
                                .zone = text_in(s, "zone"),
                                .from_day = text_in(s, "from_day"),
                                .size = integer_in(s, "size"),
                                .after_min = integer_in(s, "after_min"),
                                .accepted = text_in(s, "accepted"),
                                .fm_threshold = real_in(s, "fm_threshold"),
                                .accepted_fm = text_in(s, "accepted_fm"),
                                .show_answer = json_is_true(json_object_get(s, "show_answer")),
                                .k = real_in(s, "k"),
                                .level = real_in(s, "level"),
                                .undeterminable_limit = real_in(s, "undeterminable_limit"),
                                .double_share = real_in(s, "double"),
                                .looks = json_object_get(s, "looks") ? integer_in(s, "looks") : 1,
                                .beacon = *beacon ? beacon : NULL,
                                .genesis_s = integer_in(s, "genesis_s"),
                                .period_s = integer_in(s, "period_s"),
                                .people = text_in(s, "people"),
                                .expert_hours = real_in(s, "expert_hours"),
                                .seconds_an_item = integer_in(s, "seconds_an_item"),
                                .report_to = text_in(s, "report_to"),
                                .report_dir = text_in(s, "report_dir")};
}

int programme_load(struct okno_db *db, const char *programme, int64_t at_us,
                   struct programme_row *ret_row, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "programme.get", &stmt, err, OKNO_TEXT("programme", programme),
                             OKNO_INT("at", at_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no programme %s: see `okno programme list`",
                         okno_text_show(programme, shown));
    if (rc < 0)
        return rc;
    (void)snprintf(ret_row->programme, sizeof(ret_row->programme), "%s", programme);
    ret_row->paused = okno_stmt_int(stmt, "paused") != 0;
    ret_row->settings = json_loads(okno_stmt_text(stmt, "settings"), 0, NULL);
    if (!ret_row->settings)
        return okno_fail(err, OKNO_MALFORMED, "the settings of programme %s are broken", programme);
    read_settings(ret_row);
    return 0;
}

/* ---- declaring ---- */

static int check_source(const struct okno_programme *p, struct okno_err *err)
{
    char name[OKNO_ID_TEXT];
    bool people = p->people && *p->people;
    if ((p->beacon != NULL) == people)
        return okno_fail_field(err, OKNO_INVALID, "beacon",
                               "say where the seed comes from: --beacon or --people, one of both");
    if (people && programme_person(p->people, OKNO_PROGRAMME_PEOPLE_MAX, name))
        return okno_fail_field(err, OKNO_INVALID, "people", "people: at most %d names",
                               OKNO_PROGRAMME_PEOPLE_MAX);
    if (people)
        return 0;
    bool rounds = strstr(p->beacon, "{round}") != NULL;
    if (!rounds && !strstr(p->beacon, "{day}"))
        return okno_fail_field(err, OKNO_INVALID, "beacon",
                               "beacon: {round} or {day} has to be in it, so that each day has its "
                               "own seed");
    if (strlen(p->beacon) >= PROGRAMME_URL_TEXT - 40)
        return okno_fail_field(err, OKNO_INVALID, "beacon", "beacon: too long");
    if (rounds && (p->period_s < 1 || p->period_s > 86400 || p->genesis_s < 0))
        return okno_fail_field(err, OKNO_INVALID, "period",
                               "a beacon of rounds needs --genesis (UNIX seconds of round 1) and "
                               "--period (seconds between rounds, 1 to 86400)");
    return *p->beacon == '/' ? 0 : okno_net_check_url(p->beacon, err);
}

static int check_words(const struct okno_programme *p, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int64_t day_us = 0;
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(p->programme) || strlen(p->programme) > ID_MAX)
        return okno_fail_field(err, OKNO_INVALID, "programme",
                               "programme `%s`: an id is 1 to %d of A-Z a-z 0-9 _ -",
                               okno_text_show(p->programme, shown), ID_MAX);
    int rc = audit_check_note("title", p->title, err);
    if (rc == 0)
        rc = audit_check_note("accept-unheard", p->accepted, err);
    if (rc == 0)
        rc = audit_check_note("accept-fm", p->accepted_fm, err);
    if (rc == 0)
        rc = okno_date_parse(p->from_day, &day_us, err);
    if (rc == 0)
        rc = okno_zone_open(p->zone, &zone, err);
    if (rc == 0 && *p->report_dir && *p->report_dir != '/')
        rc = okno_fail_field(err, OKNO_INVALID, "report-dir",
                             "report-dir: the path begins with a slash");
    return rc;
}

static int check_numbers(const struct okno_programme *p, struct okno_err *err)
{
    if (p->size < 1 || p->size > 100000)
        return okno_fail_field(err, OKNO_INVALID, "size", "size %lld: 1 to 100000 a day is allowed",
                               (long long)p->size);
    if (p->after_min < 0 || p->after_min > 1440)
        return okno_fail_field(err, OKNO_INVALID, "after",
                               "after %lld: 0 to 1440 minutes are allowed",
                               (long long)p->after_min);
    if (!(p->k >= 0 && p->k <= 1))
        return okno_fail_field(err, OKNO_INVALID, "k", "k %g: 0 to 1 is allowed", p->k);
    if (!(p->level >= 0.5 && p->level <= 0.9999))
        return okno_fail_field(err, OKNO_INVALID, "level", "level %g: 0.5 to 0.9999 is allowed",
                               p->level);
    if (!(p->fm_threshold >= 0 && p->fm_threshold <= 1))
        return okno_fail_field(err, OKNO_INVALID, "fm-threshold",
                               "fm-threshold %g: 0 to 1 is allowed", p->fm_threshold);
    if (!(p->double_share >= 0 && p->double_share <= 1))
        return okno_fail_field(err, OKNO_INVALID, "double", "double %g: 0 to 1 is allowed",
                               p->double_share);
    if (!(p->undeterminable_limit >= 0 && p->undeterminable_limit <= 1))
        return okno_fail_field(err, OKNO_INVALID, "undeterminable-limit",
                               "undeterminable-limit %g: 0 to 1 is allowed",
                               p->undeterminable_limit);
    if (p->looks < 1 || p->looks > 100)
        return okno_fail_field(err, OKNO_INVALID, "looks", "looks %lld: 1 to 100 is allowed",
                               (long long)p->looks);
    if (!(p->expert_hours >= 0 && p->expert_hours <= 10000) || p->seconds_an_item < 0 ||
        p->seconds_an_item > 36000)
        return okno_fail_field(err, OKNO_INVALID, "expert-hours",
                               "expert-hours: 0 to 10000 a day; seconds: 0 to 36000 an item");
    return 0;
}

static json_t *real_text(double value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.9g", value);
    return json_string(text);
}

static json_t *settings_json(const struct okno_programme *p)
{
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:s, s:I, s:I, "
        "s:s, "
        "s:o, s:I, s:s, s:s}",
        "title", p->title, "zone", p->zone, "from_day", p->from_day, "size", (json_int_t)p->size,
        "after_min", (json_int_t)p->after_min, "accepted", p->accepted, "fm_threshold",
        real_text(p->fm_threshold), "accepted_fm", p->accepted_fm, "show_answer", p->show_answer,
        "k", real_text(p->k), "level", real_text(p->level), "undeterminable_limit",
        real_text(p->undeterminable_limit), "double", real_text(p->double_share), "looks",
        (json_int_t)p->looks, "beacon", p->beacon ? p->beacon : "", "genesis_s",
        (json_int_t)p->genesis_s, "period_s", (json_int_t)p->period_s, "people",
        p->people ? p->people : "", "expert_hours", real_text(p->expert_hours), "seconds_an_item",
        (json_int_t)p->seconds_an_item, "report_to", p->report_to, "report_dir", p->report_dir);
}

/* What an outsider has to know was declared before; names, titles and addresses stay out. */
static int log_settings(struct okno_db *db, const struct okno_programme *p, const char *text,
                        bool paused, const char *author, int64_t id, int64_t now_us,
                        struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char hash[OKNO_SHA256_TEXT];
    struct okno_ledger_entry entry = {
        .kind = "programme", .subject = id, .salt = okno_ledger_salt(salt), .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "programme", p->programme, "author",
        name, "from_day", p->from_day, "zone", p->zone, "beacon", p->beacon ? p->beacon : "people",
        "genesis_s", (json_int_t)p->genesis_s, "period_s", (json_int_t)p->period_s, "size",
        (json_int_t)p->size, "paused", paused, "whole", okno_ledger_hide(salt, text, hash));
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int store(struct okno_db *db, const struct okno_programme *p, const json_t *settings,
                 bool paused, const char *author, int64_t now_us, struct okno_err *err)
{
    okno_autofree char *text = NULL;
    int64_t id = 0;
    int rc = okno_json_canonical(settings, &text, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_INT(db, "programme.add", 0, &id, err, OKNO_TEXT("programme", p->programme),
                     OKNO_INT("now", now_us), OKNO_TEXT("author", author),
                     OKNO_INT("paused", paused), OKNO_TEXT("settings", text));
    if (rc == 0)
        rc = log_settings(db, p, text, paused, author, id, now_us, err);
    return audit_finish(db, rc, err);
}

int okno_programme_put(struct okno_db *db, const struct okno_programme *programme,
                       const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = audit_check_author(author, err);
    if (rc == 0)
        rc = check_words(programme, err);
    if (rc == 0)
        rc = check_numbers(programme, err);
    if (rc == 0)
        rc = check_source(programme, err);
    if (rc < 0)
        return rc;
    AUTO_PROGRAMME before = {0};
    rc = programme_load(db, programme->programme, INT64_MAX, &before, err);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return rc;
    okno_err_clear(err);
    okno_autojson json_t *settings = settings_json(programme);
    if (!settings)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a programme");
    return store(db, programme, settings, before.paused, author, now_us, err);
}

int okno_programme_pause(struct okno_db *db, const char *programme, bool paused, const char *author,
                         int64_t now_us, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    int rc = audit_check_author(author, err);
    if (rc == 0)
        rc = programme_load(db, programme, INT64_MAX, &row, err);
    return rc < 0 ? rc : store(db, &row.set, row.settings, paused, author, now_us, err);
}

/* ---- where it stands ---- */

static int capacity_json(struct okno_db *db, const struct programme_row *row, json_t **ret_json,
                         struct okno_err *err)
{
    int64_t measured = 0;
    int rc = OKNO_DB_INT(db, "programme.seconds", 0, &measured, err,
                         OKNO_TEXT("programme", row->programme));
    if (rc < 0)
        return rc;
    int64_t seconds = row->set.seconds_an_item > 0 ? row->set.seconds_an_item
                      : measured > 0               ? measured
                                                   : SECONDS_DEFAULT;
    double reviews = (double)row->set.size * (1 + row->set.double_share);
    double needed = ceil(reviews) * (double)seconds / 3600;
    double there = row->set.expert_hours;
    *ret_json = json_pack("{s:I, s:I, s:b, s:f, s:f, s:i, s:b}", "items_a_day",
                          (json_int_t)ceil(reviews), "seconds_an_item", (json_int_t)seconds,
                          "measured", measured > 0 && row->set.seconds_an_item == 0, "hours_needed",
                          needed, "hours_there", there, "items_an_hour", (int)(3600 / seconds),
                          "enough", there <= 0 || needed <= there);
    return 0;
}

static int days_json(struct okno_db *db, const struct programme_row *row, int64_t most,
                     json_t *days, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "programme.days", &rows, err,
                             OKNO_TEXT("programme", row->programme), OKNO_INT("most", most));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        json_t *day = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "day",
                                okno_stmt_text(rows, "day"), "audit", okno_stmt_text(rows, "audit"),
                                "state", okno_stmt_text(rows, "state"), "frame",
                                (json_int_t)okno_stmt_int(rows, "frame_size"), "sample",
                                (json_int_t)okno_stmt_int(rows, "sample"), "reviewed",
                                (json_int_t)okno_stmt_int(rows, "reviewed"), "problem",
                                okno_stmt_text(rows, "problem"));
        if (json_array_append_new(days, day) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the days");
    }
    return rc;
}

static int people_json(const struct programme_row *row, json_t *list, struct okno_err *err)
{
    char name[OKNO_ID_TEXT];
    for (size_t i = 0; programme_person(row->set.people, i, name); i++)
        if (json_array_append_new(list, json_string(name)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for programme %s", row->programme);
    return 0;
}

int okno_programme_status(struct okno_db *db, const char *programme, int64_t days,
                          json_t **ret_status, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    okno_autojson json_t *capacity = NULL;
    okno_autojson json_t *people = json_array();
    okno_autojson json_t *list = json_array();
    int64_t waiting = 0;
    int rc = programme_load(db, programme, INT64_MAX, &row, err);
    if (rc == 0 && !row.set.beacon)
        rc = people_json(&row, people, err);
    if (rc == 0)
        rc = capacity_json(db, &row, &capacity, err);
    if (rc == 0)
        rc = days_json(db, &row, days, list, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "programme.waiting", 0, &waiting, err,
                         OKNO_TEXT("programme", row.programme));
    if (rc < 0)
        return rc;
    *ret_status =
        json_pack("{s:s, s:s, s:b, s:O, s:O, s:O, s:I, s:O}", "programme", row.programme, "title",
                  row.set.title, "paused", row.paused, "settings", row.settings, "people", people,
                  "capacity", capacity, "waiting", (json_int_t)waiting, "days", list);
    return *ret_status ? 0
                       : okno_fail(err, OKNO_NO_MEMORY, "no memory for programme %s", programme);
}

int okno_programme_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    okno_autojson json_t *ids = json_array();
    okno_autojson json_t *list = json_array();
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "programme.list", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_array_append_new(ids, json_string(okno_stmt_text(rows, "programme"))) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the programmes")
                 : 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(ids); i++) {
        json_t *status = NULL;
        rc = okno_programme_status(db, json_string_value(json_array_get(ids, i)), 10, &status, err);
        if (rc == 0 && json_array_append_new(list, status) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the programmes");
    }
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}
