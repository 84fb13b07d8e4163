#define _POSIX_C_SOURCE 200809L
/* okno log: the evidence log's key, checkpoints and proofs. */
#include "log.h"
#include "cli.h"
#include "options.h"

#include "okno/hash.h"
#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>

struct verb {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv, struct okno_err *err);
};

/* ---- key, checkpoint, prove ---- */

static int run_key(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_note_key key;
    char text[OKNO_NOTE_KEY_TEXT];
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "log key takes no arguments");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_ledger_key(db, &key, err);
    if (rc == 0)
        printf("%s\n", okno_note_key_format(&key, text));
    return rc;
}

static int run_checkpoint(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint;
    const char *path = NULL;
    const char *audit = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "-o", .text = &path},
                         {.name = "--audit", .text = &audit});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "log checkpoint takes no arguments, only -o and --audit");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = audit ? okno_ledger_audit_checkpoint(db, audit, &note, err)
                   : okno_ledger_checkpoint(db, NULL, okno_time_now(), &checkpoint, &note, err);
    return rc < 0 ? rc : cli_put(path, &note, err);
}

static int prove(struct okno_db *db, int64_t leaf, struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint;
    int rc = okno_ledger_checkpoint(db, NULL, okno_time_now(), &checkpoint, &note, err);
    if (rc == 0)
        rc = okno_ledger_prove(db, leaf, checkpoint.size, okno_buf_text(&note), to, err);
    return rc;
}

static int run_prove(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF proof = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX + 1);
    const char *path = NULL;
    const char *line_path = NULL;
    int64_t verdict = -1;
    int64_t leaf = -1;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "-o", .text = &path},
                         {.name = "--entry-to", .text = &line_path},
                         {.name = "--verdict", .integer = &verdict},
                         {.name = "--entry", .integer = &leaf});
    if (rc == 0 && (rest > 0 || (verdict < 0) == (leaf < 0)))
        rc = okno_fail(err, OKNO_USAGE,
                       "say what to prove: --verdict ID of a decision, or --entry N of the log");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0 && verdict >= 0)
        rc = okno_ledger_find(db, "verdict", verdict, &leaf, err);
    if (rc == 0)
        rc = okno_ledger_line(db, leaf, &line, err);
    if (rc == 0)
        rc = prove(db, leaf, &proof, err);
    if (rc == 0 && line_path)
        rc = okno_buf_add_text(&line, "\n", err);
    if (rc == 0 && line_path)
        rc = cli_put(line_path, &line, err);
    return rc < 0 ? rc : cli_put(path, &proof, err);
}

/* ---- verify: no database ---- */

static int print_checkpoint(const struct okno_checkpoint *checkpoint, int64_t entry, bool as_json,
                            struct okno_err *err)
{
    char root[OKNO_SHA256_TEXT];
    (void)okno_hash_hex(checkpoint->root.bytes, root);
    if (as_json) {
        okno_autojson json_t *json = json_pack(
            "{s:s, s:I, s:s, s:o}", "log", checkpoint->origin, "size", (json_int_t)checkpoint->size,
            "root", root, "entry", entry < 0 ? json_null() : json_integer(entry));
        return okno_json_print(json, stdout, err);
    }
    printf("good     signed by %s\nsize     %lld\nroot     %s\n", checkpoint->origin,
           (long long)checkpoint->size, root);
    if (entry >= 0)
        printf("entry    %lld is in it\n", (long long)entry);
    return 0;
}

/* A line of the log, its line end taken off. */
static int read_entry(const char *path, struct okno_digest *ret_hash, struct okno_err *err)
{
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX + 1);
    int rc = cli_read(path, &line, err);
    if (rc < 0)
        return rc;
    size_t len = line.len;
    if (len > 0 && line.data[len - 1] == '\n')
        len--;
    *ret_hash = okno_merkle_leaf(okno_buf_text(&line), len);
    return 0;
}

static int run_verify(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF key_text = OKNO_BUF_INIT(OKNO_NOTE_KEY_TEXT + 1);
    const char *key_path = NULL;
    const char *entry_path = NULL;
    const char *old_path = NULL;
    struct okno_checkpoint checkpoint;
    struct okno_note_key key;
    struct okno_digest hash;
    int64_t entry = -1;
    int rest = 0;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--key", .text = &key_path},
                    {.name = "--entry", .text = &entry_path}, {.name = "--old", .text = &old_path},
                    {.name = "--json", .flag = &cli->json});
    if (rc < 0)
        return rc;
    if (rest == 1 && key_path && old_path && !entry_path)
        return log_verify_old(cli, argv[1], key_path, old_path, err);
    if (rest != 1 || !key_path)
        return okno_fail(err, OKNO_USAGE,
                         "say a checkpoint or proof and the log's public key: okno log verify FILE "
                         "--key FILE [--entry FILE]");
    rc = cli_read(key_path, &key_text, err);
    if (rc == 0)
        rc = okno_note_key_parse(okno_buf_text(&key_text), &key, err);
    if (rc == 0)
        rc = cli_read(argv[1], &text, err);
    if (rc == 0 && entry_path)
        rc = read_entry(entry_path, &hash, err);
    if (rc == 0 && !entry_path && strncmp(okno_buf_text(&text), "c2sp.org/", 9) == 0)
        rc = okno_fail(err, OKNO_USAGE,
                       "%.200s proves an entry: give the entry's line with --entry FILE", argv[1]);
    if (rc < 0)
        return rc;
    rc = entry_path ? okno_tlog_proof_check(okno_buf_text(&text), text.len, &key, &hash, &entry,
                                            &checkpoint, err)
                    : okno_checkpoint_open(okno_buf_text(&text), text.len, &key, &checkpoint, err);
    if (rc < 0)
        okno_err_context(err, "%.200s", argv[1]);
    return rc < 0 ? rc : print_checkpoint(&checkpoint, entry, cli->json, err);
}

static const struct verb verbs[] = {
    {"key", run_key},         {"checkpoint", run_checkpoint}, {"prove", run_prove},
    {"verify", run_verify},   {"stamp", log_stamp},           {"cosign", log_cosign},
    {"witness", log_witness}, {"anchors", log_anchors},       {"consistency", log_consistency}};

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < OKNO_COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            argv[1] = argv[0];
            return verbs[i].run(cli, argc - 1, argv + 1, err);
        }
    }
    return okno_fail(
        err, OKNO_USAGE,
        "log does key, checkpoint, prove, consistency, verify, stamp, cosign, witness and "
        "anchors, not `%.40s`",
        name);
}

const struct cli_command cli_log = {
    .name = "log",
    .summary = "the evidence log: its key, signed checkpoints, proofs",
    .help =
        "usage: okno log key\n"
        "       okno log checkpoint [--audit AUDIT] [-o FILE]\n"
        "       okno log prove (--verdict ID | --entry N) [-o FILE] [--entry-to FILE]\n"
        "       okno log consistency --from SIZE [--to SIZE] [-o FILE]\n"
        "       okno log verify FILE --key FILE [--entry FILE | --old FILE] [--json]\n"
        "       okno log stamp request [--audit AUDIT] [--policy OID] -o FILE\n"
        "       okno log stamp add FILE [--ca FILE] [--policy OID]\n"
        "       okno log stamp fetch [--audit AUDIT] [--url URL] [--ca FILE] [--policy OID]\n"
        "       okno log witness add FILE | list | revoke NAME\n"
        "       okno log cosign FILE\n"
        "       okno log anchors [--json]\n"
        "\n"
        "Every step of an audit, every decision and every import is one entry of a log that is\n"
        "only appended to. A checkpoint pins all of it: whoever holds one can prove later that\n"
        "nothing before it was changed. After one was handed out, an older backup of the\n"
        "database is refused.\n"
        "\n"
        "  key         prints the log's public key: give it to whoever will verify\n"
        "  checkpoint  signs the log as it stands; with --audit, the one that pinned the\n"
        "              audit's frame, again\n"
        "  prove       that a decision is in the log; --entry-to also writes its line\n"
        "  consistency that the log of SIZE entries goes on as a later one, as text: the proof\n"
        "              and the later checkpoint\n"
        "  verify      a checkpoint, or with --entry a proof, or with --old CHECKPOINT that it\n"
        "              goes on from an older one; needs no database\n"
        "  stamp       a time stamp (RFC 3161) of a checkpoint: the newest one handed out, or\n"
        "              the one that pinned an audit's frame. request writes the file that goes to\n"
        "              the authority, add checks and keeps its reply, fetch does both over HTTP\n"
        "              (proof.tsa_url and proof.tsa_ca of the settings)\n"
        "  witness     whose cosignatures count: a key NAME+HASH+BASE64 in a file\n"
        "  cosign      takes in a checkpoint that witnesses have signed\n"
        "  anchors     what was taken in, with its time\n"
        "\n"
        "example:\n"
        "  okno log key > log.vkey\n"
        "  okno log prove --verdict 17 -o 17.tlog-proof --entry-to 17.json\n"
        "  okno log verify 17.tlog-proof --key log.vkey --entry 17.json\n"
        "  okno log stamp request --audit march -o march.tsq\n"
        "  okno log stamp add march.tsr --ca tsa-root.pem\n",
    .run = run,
};
