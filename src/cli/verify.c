#define _POSIX_C_SOURCE 200809L
/* okno verify: a bundle recomputed without a database. */
#include "cli.h"
#include "options.h"

#include "okno/bundle.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/stamp.h"
#include "okno/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_key(const char *path, struct okno_note_key *ret_key, struct okno_err *err)
{
    char text[OKNO_NOTE_KEY_TEXT + 1];
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    int rc = okno_note_key_parse(text, ret_key, err);
    if (rc < 0)
        okno_err_context(err, "%s", path);
    return rc;
}

/* The auditor's key as she gave it, against the one that the plan names. */
static int check_auditor(const char *path, const struct okno_bundle_facts *facts,
                         struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    int rc = cli_read(path, &text, err);
    if (rc == 0)
        rc = okno_signature_key_parse(okno_buf_text(&text), text.len, &key, err);
    if (rc < 0) {
        okno_err_context(err, "%.200s", path);
        return rc;
    }
    if (!facts->signed_by_auditor)
        return okno_fail(err, OKNO_CHECK_FAILED, "no auditor signed this bundle");
    if (strcmp(okno_signature_key_fingerprint(&key, fingerprint), facts->auditor_key) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/signatures: signed by the auditor's key %s, not by the key given "
                         "(%s)",
                         facts->auditor_key, fingerprint);
    return 0;
}

/* Others whose word counts, as they are known by another way. */
static int read_outsiders(const char *ca_path, struct okno_buf *ca, const char *witness_path,
                          struct okno_note_key *ret_witness, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_NOTE_KEY_TEXT + 1);
    int rc = ca_path ? cli_read(ca_path, ca, err) : 0;
    if (rc < 0 || !witness_path)
        return rc;
    rc = cli_read(witness_path, &text, err);
    if (rc == 0)
        rc = okno_witness_parse(okno_buf_text(&text), ret_witness, err);
    if (rc < 0)
        okno_err_context(err, "%.200s", witness_path);
    return rc;
}

static int print_json(const struct okno_bundle_facts *f, bool checked, struct okno_err *err)
{
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:I, s:I, s:I, s:b}", "audit",
        f->audit, "log", f->key.name, "fingerprint", f->fingerprint, "identity_checked", checked,
        "frame_kind", okno_frame_name(f->kind), "entries", (json_int_t)f->entries, "frame",
        (json_int_t)f->frame, "sample", (json_int_t)f->sample, "decisions",
        (json_int_t)f->decisions, "evidence", (json_int_t)f->evidence, "auditor_key",
        f->auditor_key[0] ? json_string(f->auditor_key) : json_null(), "signed_by_auditor",
        f->signed_by_auditor, "time_stamps", (json_int_t)f->stamps, "witnesses",
        (json_int_t)f->witnesses, "witnesses_ahead", (json_int_t)f->witnesses_ahead,
        "anchored_before_seed", f->anchored_before_seed);
    return okno_json_print(json, stdout, err);
}

static void print_human(const struct okno_bundle_facts *f, bool checked, bool auditor_checked)
{
    static const char *const kinds[][2] = {[OKNO_FRAME_SURVEYS] = {"survey", "surveys"},
                                           [OKNO_FRAME_SPONTANEOUS] = {"rating", "ratings"},
                                           [OKNO_FRAME_TRANSACTIONS] = {"sale", "sales"},
                                           [OKNO_FRAME_MINUTES] = {"minute", "minutes"}};
    printf("good     audit %s: %lld %s frozen, %lld drawn, %lld %s, %lld %s of evidence\n",
           f->audit, (long long)f->frame,
           okno_text_form(f->frame, kinds[f->kind][0], kinds[f->kind][1]), (long long)f->sample,
           (long long)f->decisions, okno_text_form(f->decisions, "decision", "decisions"),
           (long long)f->evidence, okno_text_form(f->evidence, "file", "files"));
    cli_line("log      %s, %lld %s", f->key.name, (long long)f->entries,
             okno_text_form(f->entries, "entry", "entries"));
    printf("key      SHA-256 %s\n", f->fingerprint);
    printf("signer   %s\n", checked ? "the key given" : "identity not checked");
    if (f->signed_by_auditor)
        printf("auditor  signed, key SHA-256 %s%s\n", f->auditor_key,
               auditor_checked ? ", the key given" : ", identity not checked");
    else
        printf("auditor  %s\n", f->auditor_key[0] ? "did not sign" : "the plan names none");
    printf("anchors  %lld %s, %lld %s%s\n", (long long)f->stamps,
           okno_text_form(f->stamps, "time stamp", "time stamps"), (long long)f->witnesses,
           okno_text_form(f->witnesses, "witness", "witnesses"),
           f->anchored_before_seed ? ": the frame was seen by others before the seed" : "");
    if (f->witnesses_ahead > 0)
        printf(
            "ahead    %lld of the witnesses %s more than five minutes ahead of when the log took "
            "that in, or of now: a clock is wrong, there or here\n",
            (long long)f->witnesses_ahead,
            okno_text_form(f->witnesses_ahead, "tells a time", "tell times"));
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    const char *key_path = NULL;
    const char *auditor_path = NULL;
    const char *ca_path = NULL;
    const char *witness_path = NULL;
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    struct okno_note_key witness;
    struct okno_bundle_trust trust = {.key = NULL};
    struct okno_note_key key;
    struct okno_bundle_facts facts = {0};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--key", .text = &key_path},
        {.name = "--auditor-key", .text = &auditor_path}, {.name = "--tsa-ca", .text = &ca_path},
        {.name = "--witness", .text = &witness_path}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say one bundle: okno verify FOLDER [--key FILE]");
    if (rc == 0 && key_path)
        rc = read_key(key_path, &key, err);
    if (rc == 0)
        rc = read_outsiders(ca_path, &ca, witness_path, &witness, err);
    trust.key = key_path ? &key : NULL;
    trust.ca = ca_path ? okno_buf_text(&ca) : NULL;
    trust.witness = witness_path ? &witness : NULL;
    if (rc == 0)
        rc = okno_bundle_verify_by(argv[1], &trust, &facts, err);
    if (rc == 0 && auditor_path)
        rc = check_auditor(auditor_path, &facts, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return print_json(&facts, key_path != NULL, err);
    print_human(&facts, key_path != NULL, auditor_path != NULL);
    return 0;
}

const struct cli_command cli_verify = {
    .name = "verify",
    .summary = "recompute the bundle of an audit, without a database",
    .help =
        "usage: okno verify FOLDER [--key FILE] [--auditor-key FILE]\n"
        "                   [--tsa-ca FILE] [--witness FILE] [--json]\n"
        "\n"
        "Recomputes everything in a bundle from nothing but the bundle: the list of files and\n"
        "their hashes, the frame, the draw from the seed, the log with its checkpoints and\n"
        "proofs, every decision against its entry, the figures from the decisions. What does not\n"
        "agree is named and the exit status is 6.\n"
        "\n"
        "  --key FILE  the log's public key as you got it from its owner (`okno log key`); "
        "without\n"
        "              it the signer's fingerprint is printed and not checked\n"
        "  --auditor-key FILE  the auditor's public key as she gave it to you (minisign.pub or an\n"
        "              ssh-ed25519 line); a bundle that she did not sign fails\n"
        "  --tsa-ca FILE   roots (PEM) of time stamping authorities that you trust, in place of\n"
        "              those in the bundle\n"
        "  --witness FILE  the key of a witness that you trust: only its cosignatures count\n"
        "  --json      one JSON document\n"
        "\n"
        "The same can be done without okno: see VERIFY.txt in the bundle.\n"
        "\n"
        "example: okno verify march --key shop.vkey\n",
    .run = run,
};
