/* A closed audit of sixty surveys, its bundle, and means to damage it. */
#ifndef TESTS_REPORT_BUNDLE_H
#define TESTS_REPORT_BUNDLE_H

#include "../audit/sixty_surveys.h"
#include "../support/tempdir.h"

#include "okno/auditor.h"
#include "okno/bundle.h"
#include "okno/report.h"
#include "okno/review.h"
#include "okno/signing.h"

#include <string.h>
#include <unistd.h>

/* Of the one byte "x". */
#define WATCHED "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

/* Formulas where cells are separated by commas, semicolons, tabs or lines, marks that are none, and
 * a line that a shell must not compute with. */
static const char hostile_comment[] =
    "=1;=2;\"@3\";'four;-\t+5\n=6\n'seven\na[$(touch pwned)],b,c,d,valid,\n";

/* One decision of eva's on whatever comes next; false when nothing is left. */
static inline bool decide_in(struct scratch_db *f, const char *audit, int number)
{
    okno_autojson json_t *item = NULL;
    okno_autojson json_t *watched = json_pack("[s]", WATCHED);
    int64_t id = 0;
    bool counted = false;
    int64_t now = AT(100 + number);
    int rc = okno_review_next(f->db, "eva", audit, 600000000, now, &item, &f->err);
    if (rc == OKNO_QUEUE_EMPTY) {
        okno_err_clear(&f->err);
        return false;
    }
    must(f, rc);
    struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                    .user = "eva",
                                    .lease = json_string_value(json_object_get(item, "lease")),
                                    .watched = watched,
                                    .verdict = number % 5 == 1   ? "invalid"
                                               : number % 7 == 3 ? "undeterminable"
                                                                 : "valid",
                                    .comment = number == 7  ? hostile_comment
                                               : number % 3 ? ""
                                                            : "=cmd|' /C calc'!A0, \"said\" she"};
    if (strcmp(v.verdict, "invalid") == 0)
        v.reason = "STAFF_PRESSED";
    if (strcmp(v.verdict, "undeterminable") == 0)
        v.reason = "NO_RECORDING";
    must(f, okno_review_submit(f->db, &v, now + 1, &id, &counted, &f->err));
    assert_true(counted);
    return true;
}

static inline bool decide(struct scratch_db *f, int number)
{
    return decide_in(f, "A1", number);
}

/* Two decisions, one taken back, and the rest. */
static inline void decide_all(struct scratch_db *f)
{
    int64_t item = 0;
    int number = 2;
    assert_true(decide(f, 0) && decide(f, 1));
    must(f, okno_review_undo(f->db, "eva", 600000000, AT(105), &item, &f->err));
    while (decide(f, number))
        number++;
}

static inline void export_to(struct scratch_db *f, const char *dir, bool open_to_all)
{
    const struct okno_bundle_request request = {.audit = "A1",
                                                .dir = dir,
                                                .author = "eva",
                                                .open_to_all = open_to_all,
                                                .fm_threshold = 0.1,
                                                .min_n = 5};
    must(f, okno_bundle_export(f->db, &request, AT(300), &f->err));
}

static inline void add_site(struct scratch_db *f)
{
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES"
                   " (1, 0, 'eva', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (1, 'mall', 'Mall', 'UTC')");
}

/* An auditor's key: of the seed's byte. Her tool is played by what signs for the log. */
static inline struct okno_note_signer auditor_of(uint8_t byte)
{
    struct okno_note_signer signer;
    uint8_t seed[32] = {byte};
    assert_int_equal(okno_note_signer_make("olga", seed, &signer, NULL), 0);
    return signer;
}

static inline void register_auditor(struct scratch_db *f, enum okno_signature_kind kind)
{
    struct okno_note_signer signer = auditor_of(5);
    struct okno_signature_key key = okno_signature_log_key(&signer.key, kind);
    must(f, okno_auditor_add(f->db, "olga", &key, "root", AT(60), &f->err));
}

/* Sign a text as another would; returns the code of taking it in. */
static inline int sign_as(struct scratch_db *f, uint8_t byte, enum okno_signature_kind kind,
                          const char *purpose, const struct okno_buf *text)
{
    OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    struct okno_note_signer signer = auditor_of(byte);
    must(f,
         okno_signature_make(&signer, kind, purpose, text->data, text->len, &signature, &f->err));
    return okno_signing_add(f->db, "A1", okno_buf_text(&signature), signature.len, "olga", AT(220),
                            &f->err);
}

static inline void report(struct scratch_db *f)
{
    const struct okno_report_settings settings = {
        .audit = "A1", .fm_threshold = 0.1, .undeterminable_limit = 0, .min_n = 5};
    int64_t edition = 0;
    must(f, okno_report_issue(f->db, &settings, NULL, "eva", AT(210), &edition, &f->err));
}

/* Planned with an auditor's key, and closed. */
static inline void close_audit_to_sign(struct scratch_db *f, enum okno_signature_kind kind)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of("A1");
    add_site(f);
    register_auditor(f, kind);
    made.auditor = "olga";
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
}

static inline void close_and_sign(struct scratch_db *f, enum okno_signature_kind kind)
{
    OKNO_AUTO_BUF manifest = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    close_audit_to_sign(f, kind);
    report(f);
    must(f, okno_signing_manifest(f->db, "A1", "olga", AT(215), &manifest, &f->err));
    must(f, sign_as(f, 5, kind, OKNO_SIGNATURE_AUDIT, &manifest));
}

/* Run the commands of a bundle's guide as they are printed, without okno, and the published
 * algorithms; what they said. */
static inline void recheck(const char *dir, char *said, size_t size)
{
    char command[1200];
    size_t used = 0;
    (void)snprintf(command, sizeof(command),
                   "python3 tests/report/recheck.py %s 2>&1; cd %s;"
                   " sed -n 's/^    //p' VERIFY.txt | env -i PATH=/usr/bin:/bin sh 2>&1",
                   dir, dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    used = fread(said, 1, size - 1, pipe);
    said[used] = '\0';
    assert_int_equal(pclose(pipe), 0);
    if (strncmp(said, "OK bag\nOK sample\n", 17) != 0 || strstr(said, "\nWRONG"))
        fail_msg("%s", said);
}

static inline void close_audit(struct scratch_db *f)
{
    add_site(f);
    (void)drawn_audit(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
}

#endif
