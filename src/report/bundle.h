/* Inside the report room only: what export and verification of a bundle share. */
#ifndef OKNO_REPORT_BUNDLE_H
#define OKNO_REPORT_BUNDLE_H

#include "okno/audit.h"
#include "okno/bundle.h"
#include "okno/hash.h"
#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/signature.h"
#include "okno/vec.h"

#include <stdio.h>

enum {
    BUNDLE_PATH = 1400,
    BUNDLE_NAME = 200,
    BUNDLE_FILES_MAX = 2000000,
    BUNDLE_TEXT_MAX = 512 << 20, /* bytes of one file held in memory */
    BUNDLE_FILE_GIB = 8,         /* of any file */
    BUNDLE_HOLES_GIB = 1,        /* of all files together, where nothing was written */
    BUNDLE_LINE_MAX = 65536
};

/* ---- files (bag.c) ---- */

struct bag_file {
    char *name; /* owned; relative, with / */
    char sha256[OKNO_SHA256_TEXT];
    bool listed; /* by a manifest that was checked */
};
OKNO_VEC(bag_files, struct bag_file);

struct bag {
    char dir[BUNDLE_PATH - BUNDLE_NAME]; /* "": nothing is written, only hashes are made */
    struct bag_files files;              /* sorted by name after bag_finish and bag_check */
    int64_t hole_bytes;                  /* of the files seen */
};

void bag_free(struct bag *bag);
#define AUTO_BAG __attribute__((cleanup(bag_free))) struct bag

/* A file being written. */
struct bag_stream {
    FILE *file;
    struct okno_hash hash;
    char name[BUNDLE_NAME];
};

OKNO_CHECK int bag_make_dir(const struct bag *bag, const char *name, struct okno_err *err);
OKNO_CHECK int bag_open(const struct bag *bag, const char *name, struct bag_stream *ret_stream,
                        struct okno_err *err);
OKNO_CHECK int bag_add(struct bag_stream *stream, const void *bytes, size_t len,
                       struct okno_err *err);
/* Closes in any case; the file counts only when rc is 0. */
OKNO_CHECK int bag_close(struct bag *bag, struct bag_stream *stream, int rc, struct okno_err *err);
OKNO_CHECK int bag_put(struct bag *bag, const char *name, const char *text, struct okno_err *err);
/* Manifests of what was put. */
OKNO_CHECK int bag_list(struct bag *bag, struct okno_err *err);
/* All of it is on disk on return. */
OKNO_CHECK int bag_sync(const struct bag *bag, struct okno_err *err);
/* Is written first and removed last: a folder that has it is a bundle that was begun. */
#define BAG_FIRST "VERIFY.txt"
/* Remove a folder with all that is in it. */
void bag_discard(const char *dir);

/* Every file that is there, against the manifests. What does not belong, or is larger than any file
 * of a bundle, is named before its bytes are read; so is one that makes the holes of all too many.
 */
OKNO_CHECK int bag_check(struct bag *bag, bool (*belongs)(const char *name), struct okno_err *err);
/* NULL: no such file. */
const struct bag_file *bag_find(const struct bag *bag, const char *name);
/* A whole file; OKNO_CHECK_FAILED names one that is missing. */
OKNO_CHECK int bag_read(const struct bag *bag, const char *name, size_t max, struct okno_buf *to,
                        struct okno_err *err);

/* Lines of a file, each ended by LF. */
struct bag_lines {
    FILE *file;
    const char *name;
    int64_t number; /* of the line just read, from 1 */
    size_t len;
    char line[BUNDLE_LINE_MAX];
};
OKNO_CHECK int bag_lines_open(const struct bag *bag, const char *name, struct bag_lines **ret_lines,
                              struct okno_err *err);
/* 1: a line without its LF; 0: the end. */
OKNO_CHECK int bag_lines_next(struct bag_lines *lines, struct okno_err *err);
void bag_lines_close(struct bag_lines *lines);
OKNO_CLEANUP(bag_lines, bag_lines_close);

/* ---- contents (contents.c; figures: contents_figures.c) ---- */

enum ruling {
    RULING_NONE,
    RULING_VALID,
    RULING_FALSE_FM,
    RULING_NOT_ASKED,
    RULING_INVALID,
    RULING_UNDETERMINABLE
};

struct frame_row {
    char *survey;                                   /* owned */
    const char *stratum, *site, *kind, *class_name; /* owned by names */
    bool force_majeure;
    int draws;    /* how often; 0: not drawn */
    bool doubled; /* for two experts */
    enum ruling ruling;
};
OKNO_VEC(frame_rows, struct frame_row);

struct contents {
    struct frame_rows frame; /* in the order of ids */
    json_t *names;           /* texts that repeat */
    json_t *decisions;       /* array of rows: columns to texts */
    json_t *parts;           /* survey to the newest decision of each part, null for none */
    json_t *stands;          /* survey to the decision that stands */
    bool appealed;           /* some appeal changed a decision */
    double double_share;
    struct okno_audit_rules rules;
    struct okno_sampling sampling;
    int64_t asked[OKNO_ROUNDS_MAX]; /* by each round */
    size_t rounds;
};
OKNO_CHECK int contents_start(struct contents *contents, struct okno_err *err);
void contents_free(struct contents *contents);
#define AUTO_CONTENTS __attribute__((cleanup(contents_free))) struct contents

/* What the plan says about figures, double review and how the sample is drawn. */
OKNO_CHECK int contents_plan(const json_t *plan, struct contents *contents, struct okno_err *err);
/* What the step draw or extend tells, in their order. */
OKNO_CHECK int contents_add_round(struct contents *contents, const json_t *detail,
                                  struct okno_err *err);

/* One line of the frame: kept, and its row of frame.csv appended to `csv`. OKNO_MALFORMED. */
OKNO_CHECK int contents_add_line(struct contents *contents, const char *line, size_t len,
                                 struct okno_buf *csv, struct okno_err *err);
extern const char frame_csv_head[];

/* Draw all rounds, and sample.csv. ret_sizes, NULL or one entry a round: how many were drawn. */
OKNO_CHECK int contents_draw(struct contents *contents, const char *seed, struct okno_buf *csv,
                             int64_t *ret_sizes, struct okno_err *err);
/* How many the plan asks for in its first round. */
OKNO_CHECK int contents_size(const struct contents *contents, int64_t *ret_size,
                             struct okno_err *err);

#define DECISION_COLUMNS 15
extern const char *const decision_columns[DECISION_COLUMNS];
/* A row of decisions.csv; `row` NULL: the head. */
OKNO_CHECK int contents_decision_csv(const json_t *row, struct okno_buf *csv, struct okno_err *err);
/* Take off, in place, the apostrophes that guard against formulas behind the text's beginning. */
void contents_take_guards(char *text);

/* What each drawn survey counts as, by the decisions, with what appeals changed or without. */
OKNO_CHECK int contents_rule(struct contents *contents, bool appeals, struct okno_err *err);
/* After contents_rule: two experts where the plan says so, a third one where these disagree. */
OKNO_CHECK int contents_check_doubles(const struct contents *contents, struct okno_err *err);
/* agreement.json as a new object. */
OKNO_CHECK int contents_agreement(const struct contents *contents, json_t **ret_agreement,
                                  struct okno_err *err);
/* exclusions.csv. */
OKNO_CHECK int contents_exclusions(const struct contents *contents, struct okno_buf *csv,
                                   struct okno_err *err);
/* kpi.json as a new object: with what appeals changed, and beside it without. */
OKNO_CHECK int contents_kpi(struct contents *contents, const char *audit, json_t **ret_kpi,
                            struct okno_err *err);

/* The public key in the form that other tools read. */
OKNO_CHECK int contents_pem(const struct okno_note_key *key, struct okno_buf *to,
                            struct okno_err *err);
/* The same for minisign and ssh-keygen. */
OKNO_CHECK int contents_tool_key(const struct okno_note_key *key, enum okno_signature_kind kind,
                                 struct okno_buf *to, struct okno_err *err);
/* VERIFY.txt, as shipped. */
const char *contents_guide(size_t *ret_len);

/* The files whose hashes stand in the export's entry, NULL-ended. */
extern const char *const bundle_hashed[];
/* Those of them that may be missing: whoever lacks okno-paper makes none. */
extern const char *const bundle_printed[];
/* The report as everybody may read it: in every bundle, so that a signature can list it. */
#define bundle_public_report "data/report.public.json"
/* Whether the export's entry tells a file's hash. */
bool bundle_pins(const char *name);
/* Of reports in a bundle: "en" for every word but "ru". */
const char *bundle_lang(const char *lang);
/* By kind of signature: the log's key as a tool reads it, its signature of the tag manifest; the
 * auditor's key, and the auditor's signature of bundle_manifest. */
extern const char *const bundle_tool_keys[2],
    *const bundle_tag_signatures[2], *const bundle_auditor_keys[2], *const bundle_signatures[2];
extern const char bundle_manifest[], bundle_witnesses[];
/* Names of files that an auditor signs, besides the report's; NULL-ended, sorted. */
extern const char *const bundle_signed[];

/* ---- signing ---- */

/* The lines `hash  name` of a manifest as the audit stands now (export.c). */
OKNO_CHECK int bundle_signed_files(struct okno_db *db, const char *audit, struct okno_buf *to,
                                   struct okno_err *err);

#endif
