#define _POSIX_C_SOURCE 200809L
/* The frame, what proves the order of the steps, and how the work went. */
#include "model.h"

#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/zone.h"

#include <sodium.h>
#include <string.h>

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

/* ---- the frame ---- */

static const json_t *step_detail(const struct model *model, const char *name)
{
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(model->root, "steps"), i, step)
    {
        if (strcmp(json_string_value(json_object_get(step, "step")), name) == 0)
            return json_object_get(step, "detail");
    }
    return NULL;
}

static int sum_strata(json_t *frame, struct okno_err *err)
{
    static const char *const names[] = {"surveys", "yes",           "unsure", "no",
                                        "silent",  "force_majeure", "sample", "valid",
                                        "invalid", "undeterminable"};
    json_int_t sums[OKNO_COUNT(names)] = {0};
    okno_autojson json_t *total = json_object();
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(frame, "strata"), i, row)
    {
        for (size_t k = 0; k < OKNO_COUNT(names); k++)
            sums[k] += json_integer_value(json_object_get(row, names[k]));
    }
    for (size_t k = 0; k < OKNO_COUNT(names); k++)
        if (json_object_set_new(total, names[k], json_integer(sums[k])) < 0)
            return no_memory(err);
    return json_object_set(frame, "total", total) < 0 ? no_memory(err) : 0;
}

static int list_later_edits(const struct model *model, json_t *frame, struct okno_err *err)
{
    json_t *rows = NULL;
    int rc = MODEL_ROWS(model, "report.edits", "kind imports# rows# first_at@ last_at@", &rows, err,
                        OKNO_INT("frozen", model->frozen_us));
    return rc == 0 && json_object_set_new(frame, "edits", rows) < 0 ? no_memory(err) : rc;
}

static int list_questions(const struct model *model, json_t *frame, struct okno_err *err)
{
    json_t *rows = NULL;
    int rc = MODEL_ROWS(model, "report.questions", "question kind surveys# text window_s%", &rows,
                        err, OKNO_TEXT("audit", model->settings->audit),
                        OKNO_INT("to", model->to_us), OKNO_INT("max", MODEL_ROWS_MAX));
    return rc == 0 && json_object_set_new(frame, "questions", rows) < 0 ? no_memory(err) : rc;
}

static int list_clocks(const struct model *model, json_t *frame, struct okno_err *err)
{
    json_t *rows = NULL;
    int rc = MODEL_ROWS(model, "report.clocks", "target at@ offset_ms# uncertainty_ms# method",
                        &rows, err, OKNO_INT("to", model->to_us), OKNO_INT("max", MODEL_ROWS_MAX));
    return rc == 0 && json_object_set_new(frame, "clocks", rows) < 0 ? no_memory(err) : rc;
}

static json_t *local_moment(const struct okno_zone *zone, int64_t at_us)
{
    struct okno_civil c;
    okno_zone_to_local(zone, at_us, &c);
    return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
                        c.second);
}

/* The period by the clocks of the sites; JSON null where they have several time zones. */
static int add_local_period(const struct model *model, const json_t *sites, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    const char *name = NULL;
    size_t i;
    json_t *site;
    json_t *local = json_null();
    int rc = 0;
    json_array_foreach(sites, i, site)
    {
        const char *one = json_string_value(json_object_get(site, "time_zone"));
        if (!one || (name && strcmp(one, name) != 0))
            break;
        name = one;
    }
    if (name && i == json_array_size(sites))
        rc = okno_zone_open(name, &zone, err);
    if (rc < 0)
        return rc;
    if (zone)
        local =
            json_pack("{s:s, s:o, s:o}", "zone", name, "from", local_moment(zone, model->from_us),
                      "to", local_moment(zone, model->to_us));
    return json_object_set_new(json_object_get(model->root, "audit"), "local", local) < 0
               ? no_memory(err)
               : 0;
}

int model_frame(struct model *model, struct okno_err *err)
{
    const json_t *freeze = step_detail(model, "freeze");
    const char *kind = json_string_value(json_object_get(model->plan, "frame"));
    json_t *frame = json_pack("{s:s, s:O?, s:I, s:I, s:I, s:O?}", "kind", kind ? kind : "surveys",
                              "sha256", json_object_get(freeze, "frame_sha256"), "unheard",
                              json_integer_value(json_object_get(freeze, "unheard")), "missing",
                              json_integer_value(json_object_get(freeze, "missing")), "left",
                              json_integer_value(json_object_get(freeze, "left")), "accepted",
                              json_object_get(freeze, "note"));
    if (!frame || json_object_set_new(model->root, "frame", frame) < 0)
        return no_memory(err);
    int rc = model_list(model, frame, "sites", "report.sites", "site surveys# name time_zone", true,
                        err);
    if (rc == 0)
        rc = add_local_period(model, json_object_get(frame, "sites"), err);
    if (rc == 0)
        rc = model_list(model, frame, "strata", "report.strata",
                        "stratum site point surveys# yes# unsure# no# silent# force_majeure# "
                        "sample# valid# invalid# undeterminable#",
                        true, err);
    if (rc == 0)
        rc = sum_strata(frame, err);
    if (rc == 0)
        rc = model_list(model, frame, "video", "report.video", "state surveys#", false, err);
    if (rc == 0)
        rc = model_list(model, frame, "cameras", "report.cameras",
                        "camera site surveys# linked# uncertainty_ms#", true, err);
    if (rc == 0)
        rc = list_questions(model, frame, err);
    if (rc == 0)
        rc = list_clocks(model, frame, err);
    return rc == 0 ? list_later_edits(model, frame, err) : rc;
}

/* ---- what proves the order ---- */

static int add_checkpoint(const struct model *model, json_t *proof, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_err none = {0};
    int rc = okno_ledger_audit_checkpoint(model->db, model->settings->audit, &note, &none);
    if (rc == OKNO_NOT_FOUND)
        return json_object_set_new(proof, "checkpoint", json_null()) < 0 ? no_memory(err) : 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", none.text);
    json_t *text = json_string(okno_buf_text(&note));
    return json_object_set_new(proof, "checkpoint", text) < 0 ? no_memory(err) : 0;
}

/* The log's key by its text and the fingerprint of that. */
static int add_key(const struct model *model, json_t *proof, struct okno_err *err)
{
    struct okno_note_key key;
    char text[OKNO_NOTE_KEY_TEXT];
    char hash[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash state;
    struct okno_err none = {0};
    if (!*okno_db_dir(model->db) || okno_ledger_key(model->db, &key, &none) < 0)
        return json_object_set_new(proof, "key", json_null()) < 0 ? no_memory(err) : 0;
    (void)okno_note_key_format(&key, text);
    okno_hash_start(&state);
    okno_hash_add(&state, text, strlen(text));
    okno_hash_end(&state, digest);
    json_t *json =
        json_pack("{s:s, s:s}", "vkey", text, "fingerprint", okno_hash_hex(digest, hash));
    return !json || json_object_set_new(proof, "key", json) < 0 ? no_memory(err) : 0;
}

static int add_root(const struct model *model, json_t *proof, struct okno_err *err)
{
    struct okno_digest root;
    char hex[OKNO_SHA256_TEXT];
    int64_t size = 0;
    int rc = okno_ledger_size(model->db, &size, err);
    if (rc == 0)
        rc = okno_ledger_root(model->db, size, &root, err);
    if (rc < 0)
        return rc;
    json_t *json =
        json_pack("{s:I, s:s}", "size", (json_int_t)size, "root", okno_hash_hex(root.bytes, hex));
    return !json || json_object_set_new(proof, "log", json) < 0 ? no_memory(err) : 0;
}

int model_proof(struct model *model, struct okno_err *err)
{
    json_t *proof = json_object();
    if (json_object_set_new(model->root, "proof", proof) < 0)
        return no_memory(err);
    int rc = add_checkpoint(model, proof, err);
    if (rc == 0)
        rc = add_key(model, proof, err);
    if (rc == 0)
        rc = add_root(model, proof, err);
    if (rc == 0)
        rc = model_list(model, proof, "sample", "report.sample",
                        "rank# survey stratum ticket round#", true, err);
    if (rc == 0)
        rc = model_list(model, proof, "anchors", "report.anchors", "kind name anchored_at@", false,
                        err);
    if (rc == 0)
        rc = model_list(model, proof, "overlapping", "report.overlapping",
                        "audit title state period_from@ period_to@ planned_at@", true, err);
    return rc == 0 ? model_list(model, proof, "editions", "report.editions",
                                "edition# at@ author sha256 public_sha256", false, err)
                   : rc;
}

/* ---- how the work went ---- */

int model_execution(struct model *model, struct okno_err *err)
{
    okno_autojson json_t *one = json_object();
    int rc = model_list(model, one, "rows", "report.work",
                        "sample# rounds# undone# late# false_fm# skips# unaudited# "
                        "unproven_apart# unwatched# time_uncertain#",
                        false, err);
    json_t *work = json_incref(json_array_get(json_object_get(one, "rows"), 0));
    if (rc == 0 && json_object_set_new(model->root, "execution", work) < 0)
        rc = no_memory(err);
    if (rc == 0)
        rc = model_list(model, work, "reviewers", "report.reviewers",
                        "userR decisions# invalid# undeterminable# played_s# active_s# "
                        "blinding_broken#",
                        true, err);
    if (rc == 0)
        rc = model_list(model, work, "apart", "report.apart", "origin items# decided# invalid#",
                        false, err);
    return rc;
}
