#define _GNU_SOURCE

#include "bundle.h"

#include "../audit/run_okno.h"
#include "../support/tsa.h"
#include "../support/witness.h"

#include "okno/anchor.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

/* SHA-256 of "z". */
#define SIDECAR "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06"

static char *folder;
static char pristine[300];

static void shell(const char *command)
{
    char line[2000];
    int len = snprintf(line, sizeof(line), "%s", command);
    assert_true(len > 0 && len < (int)sizeof(line));
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe))
        continue;
    assert_int_equal(pclose(pipe), 0);
}

static char *read_all(const char *path, size_t *ret_len);

/* The frame's checkpoint, seen by a witness before the seed, and later by an authority. */
static void anchor(struct scratch_db *f)
{
    struct witness witness = witness_of("witness.example", 4);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF signed_note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(4096);
    struct okno_stamp stamp;
    char path[400];
    size_t len = 0;
    int count = 0;
    must(f, okno_ledger_audit_checkpoint(f->db, "A1", &note, &f->err));
    must(f, okno_anchor_add_witness(f->db, &witness.key, "eva", AT(230), &f->err));
    cosign(&witness, AT(62) / 1000000 + 30, &note, &signed_note);
    must(f, okno_anchor_cosign(f->db, okno_buf_text(&signed_note), signed_note.len, AT(231), &count,
                               &f->err));
    assert_int_equal(tsa_make(folder), 0);
    must(f, okno_anchor_request(f->db, "A1", "", AT(232), &request, &f->err));
    (void)snprintf(path, sizeof(path), "%s/a.tsq", folder);
    okno_autofclose FILE *file = fopen(path, "we");
    assert_int_equal(fwrite(request.data, 1, request.len, file), request.len);
    assert_int_equal(fflush(file), 0);
    (void)snprintf(path, sizeof(path),
                   "cd %s && openssl ts -reply -config tsa.conf -queryfile a.tsq -out a.tsr "
                   "2>/dev/null",
                   folder);
    assert_int_equal(system(path), 0);
    (void)snprintf(path, sizeof(path), "%s/root.pem", folder);
    okno_autofree char *ca = read_all(path, &len);
    ca[len] = '\0';
    (void)snprintf(path, sizeof(path), "%s/a.tsr", folder);
    okno_autofree char *reply = read_all(path, &len);
    must(f, okno_anchor_stamp(f->db, reply, len, ca, "", okno_time_now(), &stamp, &f->err));
}

static void make_bundle(const char *dir)
{
    void *db = NULL;
    (void)setup(&db);
    close_and_sign(db, OKNO_SIGNATURE_MINISIGN);
    anchor(db);
    export_to(db, dir, false);
    (void)teardown(&db);
}

/* Two bundles; `another` is of the same surveys and of another log. */
static int make(void **state)
{
    char another[300];
    (void)state;
    folder = support_tempdir();
    (void)snprintf(pristine, sizeof(pristine), "%s/bundle", folder);
    (void)snprintf(another, sizeof(another), "%s/another", folder);
    make_bundle(another);
    make_bundle(pristine);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    support_tempdir_remove(folder);
    return 0;
}

static int verify(const char *dir, struct okno_err *err)
{
    struct okno_bundle_facts facts;
    memset(err, 0, sizeof(*err));
    return okno_bundle_verify(dir, NULL, &facts, err);
}

static void a_bundle_is_recomputed_from_itself(void **state)
{
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    (void)state;
    if (okno_bundle_verify(pristine, NULL, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.frame, SURVEYS);
    assert_int_equal(facts.sample, 20);
    assert_int_equal(facts.decisions, 22); /* one of them taken back, and its taking back */
    assert_int_equal(facts.proofs, 22);
    assert_int_equal(facts.entries, 13 + 22);
    assert_true(facts.signed_by_auditor);
    assert_int_equal(facts.stamps, 1);
    assert_int_equal(facts.witnesses, 1);
    assert_int_equal(facts.witnesses_ahead, 0);
    assert_true(facts.anchored_before_seed);
}

static void a_key_that_did_not_sign_is_told(void **state)
{
    struct okno_note_signer other;
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    uint8_t seed[32] = {9};
    (void)state;
    assert_int_equal(okno_note_signer_make("other", seed, &other, &err), 0);
    assert_int_equal(okno_bundle_verify(pristine, &other.key, &facts, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "not by the key given"));
    assert_int_equal(okno_bundle_verify(pristine, NULL, &facts, NULL), 0);
    assert_int_equal(okno_bundle_verify(pristine, &facts.key, &facts, NULL), 0);
}

/* ---- damage ---- */

struct names {
    char *items[200];
    size_t len;
};

static void list(const char *dir, const char *prefix, struct names *names)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, prefix);
    DIR *open = opendir(path);
    assert_non_null(open);
    const struct dirent *entry;
    while ((entry = readdir(open))) {
        char name[300];
        struct stat facts;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "/" : "", entry->d_name);
        (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
        assert_int_equal(stat(path, &facts), 0);
        if (S_ISDIR(facts.st_mode)) {
            list(dir, name, names);
            continue;
        }
        assert_true(names->len < OKNO_COUNT(names->items));
        names->items[names->len++] = strdup(name);
    }
    (void)closedir(open);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->len; i++)
        free(names->items[i]);
}

static unsigned long long next(unsigned long long *random)
{
    *random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
    return *random >> 33;
}

static char *read_all(const char *path, size_t *ret_len)
{
    okno_autofclose FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *ret_len = fread(bytes, 1, 1 << 20, file);
    return bytes;
}

static void write_all(const char *path, const char *bytes, size_t len)
{
    okno_autofclose FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
}

/* Two lines change places; false when they are alike or there are not two. */
static bool swap_lines(char *bytes, size_t len, unsigned long long *random)
{
    size_t ends[400];
    size_t count = 0;
    for (size_t i = 0; i < len && count < OKNO_COUNT(ends); i++)
        if (bytes[i] == '\n')
            ends[count++] = i + 1;
    if (count < 2)
        return false;
    size_t at = next(random) % (count - 1);
    size_t start = at ? ends[at - 1] : 0;
    size_t first = ends[at] - start;
    size_t second = ends[at + 1] - ends[at];
    okno_autofree char *held = malloc(first + second);
    memcpy(held, bytes + ends[at], second);
    memcpy(held + second, bytes + start, first);
    bool other = memcmp(held, bytes + start, first + second) != 0;
    memcpy(bytes + start, held, first + second);
    return other;
}

enum { CHANGE, CUT, GROW, SWAP, DROP_LINE, REMOVE, ADD, REPLACE, WAYS };

/* Done to the file $n by commands, in the bundle's folder. */
static const char *const commands[] = {
    "mv \"$n\" ../moved && ln -s \"$PWD/../moved\" \"$n\"",
    "b=$(basename \"$n\" | tr a-z A-Z); [ \"$b\" != \"$(basename \"$n\")\" ] &&"
    " mv \"$n\" \"$(dirname \"$n\")/$b\"",
    "mkdir -p \"$n.d/e\" && cp \"$n\" \"$n.d/e/\"",
    "cp \"$n\" \"$n$(printf '\\342\\200\\213')\"",            /* a space of no width */
    "cp \"$n\" \"$(dirname \"$n\")/$(printf '\\320\\260')\"", /* Cyrillic a */
    "[ -e \"../another/$n\" ] && ! cmp -s \"../another/$n\" \"$n\" && cp \"../another/$n\" \"$n\"",
};

static bool damage_by_command(const char *dir, const char *name, const char *command)
{
    char line[1500];
    (void)snprintf(line, sizeof(line), "cd %s && n='%s' && { %s; }", dir, name, command);
    return system(line) == 0;
}

/* Damage one file. False: this way does nothing to it. */
static bool damage(const char *path, const char *other, int way, unsigned long long *random)
{
    size_t len = 0;
    char extra[900];
    okno_autofree char *bytes = read_all(path, &len);
    if (len == 0 && way != GROW)
        return false;
    switch (way) {
    case CHANGE:
        bytes[next(random) % len] ^= (char)(1 << next(random) % 7);
        break;
    case CUT:
        len -= 1 + next(random) % len;
        break;
    case GROW:
        memmove(bytes + 1, bytes, len++);
        bytes[0] = (char)('a' + next(random) % 26);
        break;
    case SWAP:
        if (!swap_lines(bytes, len, random))
            return false;
        break;
    case DROP_LINE: {
        char *end = memchr(bytes, '\n', len);
        if (!end)
            return false;
        len -= (size_t)(end + 1 - bytes);
        memmove(bytes, end + 1, len);
        break;
    }
    case REMOVE:
        return remove(path) == 0;
    case ADD:
        (void)snprintf(extra, sizeof(extra), "%s.%llu", path, next(random));
        write_all(extra, "x", 1);
        return true;
    default: {
        size_t other_len = 0;
        okno_autofree char *theirs = read_all(other, &other_len);
        if (other_len == len && memcmp(theirs, bytes, len) == 0)
            return false;
        write_all(path, theirs, other_len);
        return true;
    }
    }
    write_all(path, bytes, len);
    return true;
}

static void fresh_copy(char ret_dir[400])
{
    char command[1000];
    (void)snprintf(ret_dir, 400, "%s/copy", folder);
    (void)snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", ret_dir, pristine,
                   ret_dir);
    shell(command);
}

/* The manifests made anew, as somebody would who wants to hide a change. */
static void make_manifests(const char *dir)
{
    char command[1000];
    (void)snprintf(command, sizeof(command),
                   "cd %s && rm -f *manifest-sha256.txt &&"
                   " find data -type f | LC_ALL=C sort | xargs sha256sum > manifest-sha256.txt &&"
                   " find . -type f ! -path './data/*' ! -name 'tagmanifest*' | sed 's,^./,,' |"
                   " LC_ALL=C sort | xargs sha256sum > ../t && mv ../t tagmanifest-sha256.txt",
                   dir);
    shell(command);
}

/* Hundreds of damages by chance, one at a time: each is found, and its file or what it says is
 * named. With the manifests made anew the contents themselves have to betray it. */
static void damage_many(bool hidden, int times)
{
    struct names names = {.len = 0};
    unsigned long long random = hidden ? 7 : 11;
    int done = 0;
    list(pristine, "", &names);
    qsort(names.items, names.len, sizeof(names.items[0]), by_text);
    for (int i = 0; done < times; i++) {
        char dir[400];
        char path[800];
        char other[800];
        struct okno_err err;
        const char *name = names.items[next(&random) % names.len];
        const char *from = names.items[next(&random) % names.len];
        if (hidden && strstr(name, "manifest-sha256"))
            continue;
        fresh_copy(dir);
        (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
        (void)snprintf(other, sizeof(other), "%s/%s", dir, from);
        int way = i % (WAYS + (int)OKNO_COUNT(commands));
        if (way < WAYS ? !damage(path, other, way, &random)
                       : !damage_by_command(dir, name, commands[way - WAYS]))
            continue;
        if (hidden)
            make_manifests(dir);
        int rc = verify(dir, &err);
        if (rc == 0)
            fail_msg("way %d of %s was not noticed (%d)", way, name, i);
        if (!strstr(err.text, "data/") && !strstr(err.text, ".txt") && !strstr(err.text, "keys/") &&
            !strstr(err.text, " is not part of a bundle"))
            fail_msg("way %d of %s: `%s` names no file", way, name, err.text);
        bool beside = way >= WAYS && strstr(commands[way - WAYS], "320");
        if (!hidden && way != REPLACE && !beside && !strstr(name, "manifest") &&
            !strcasestr(err.text, name))
            fail_msg("way %d of %s: `%s` names another file", way, name, err.text);
        done++;
    }
    names_free(&names);
}

static void no_damage_goes_unnoticed(void **state)
{
    (void)state;
    damage_many(false, 260);
}

static void no_damage_is_hidden_by_new_manifests(void **state)
{
    (void)state;
    damage_many(true, 140);
}

static void edit(const char *dir, const char *name, const char *sed)
{
    char command[1000];
    (void)snprintf(command, sizeof(command), "cd %s && sed -i '%s' %s", dir, sed, name);
    shell(command);
    make_manifests(dir);
}

static void a_forged_entry_is_named(void **state)
{
    static const struct {
        const char *name, *sed, *words;
    } forged[] = {
        {"data/decisions.csv", "5s/,valid,/,invalid,/", "data/decisions.csv: line 5: verdict"},
        {"data/decisions.csv", "5d", "data/decisions.csv: line 5: "},
        {"data/decisions.csv", "$d", "data/decisions.csv lacks the decision of entry"},
        {"data/decisions.csv", "2s/R-/X-/", "data/decisions.csv: line 2: reviewer"},
        {"data/decisions.csv", "2s/said/cried/", "data/decisions.csv: line 2: comment"},
        {"data/sample.csv", "3s/,2,0,1,1$/,9,0,1,1/", "data/sample.csv: line 3 is not"},
        {"data/sample.csv", "3s/,0,1,1$/,1,1,1/", "data/sample.csv: line 3 is not"},
        {"data/decisions.csv", "3s/,0$/,1/", "data/decisions.csv: line 3: part"},
        {"data/agreement.json", "s/\"items\": 0/\"items\": 1/", "data/agreement.json"},
        {"data/seed.txt", "s/1/2/", "data/seed.txt: line 1"},
        {"data/frame.jsonl", "7s/mall/hall/g", "data/frame.csv: line 8"},
        {"data/frame.csv", "7s/mall/hall/g", "data/frame.csv: line 7"},
        {"data/exclusions.csv", "2d", "data/exclusions.csv: line 2"},
        {"data/kpi.json", "s/\"low\": 0/\"low\": 1/", "data/kpi.json"},
        {"data/report.json", "s/\"raw\": 0/\"raw\": 1/", "data/report.json is not the report"},
        {"data/report.public.json", "s/\"raw\": 0/\"raw\": 1/", "data/report.public.json is not"},
        {"data/report.html", "s/Mall/Hall/", "data/report.html: line"},
        {"data/report.csv", "s/Mall/Hall/", "data/report.csv: line"},
        {"data/report.pdf", "1s/1/2/", "data/report.pdf is not the file"},
        {"data/plan.json", "s/\"ann\"/\"bob\"/", "data/plan.json: seed is not what entry"},
        {"data/log.jsonl", "3s/freeze/fReeze/", "data/log.jsonl: the first 3 entries"},
        {"data/log.jsonl", "$s/public/x/;$s/restricted/y/", "data/log.jsonl: its entries"},
        {"data/log.jsonl", "$d",
         "data/log.jsonl has 34 entries, data/checkpoints/final.checkpoint signs 35"},
        {"VERIFY.txt", "s/could rewrite/could not rewrite/", "VERIFY.txt is not the file"},
    };
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(forged); i++) {
        char dir[400];
        struct okno_err err;
        fresh_copy(dir);
        edit(dir, forged[i].name, forged[i].sed);
        if (verify(dir, &err) != OKNO_CHECK_FAILED || !strstr(err.text, forged[i].words))
            fail_msg("%s: `%s` is not `%s`", forged[i].name, err.text, forged[i].words);
    }
}

static void folders_and_links_that_do_not_belong_are_named(void **state)
{
    char dir[400];
    char command[900];
    struct okno_err err;
    (void)state;
    fresh_copy(dir);
    (void)snprintf(command, sizeof(command), "mkdir %s/data/more", dir);
    shell(command);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "data/more is an empty folder"));
    fresh_copy(dir);
    (void)snprintf(command, sizeof(command), "ln -sf /etc/hostname %s/data/seed.txt", dir);
    shell(command);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "data/seed.txt is no plain file"));
    assert_int_equal(verify("/nonexistent", &err), OKNO_NOT_FOUND);
}

/* ---- what the guide prints ---- */

static void the_commands_of_the_guide_work_as_printed(void **state)
{
    char all[8000];
    (void)state;
    recheck(pristine, all, sizeof(all));
    static const char *const said[] = {"OK files\n",
                                       "OK frame\n",
                                       "OK root of frame\n",
                                       "OK root of final\n",
                                       "OK size\n",
                                       "OK signature of frame\n",
                                       "OK signature of final\n",
                                       "okno.log/",
                                       "OK list by minisign\n",
                                       "OK list by ssh\n",
                                       "OK log by Go, 22 proofs\n",
                                       "OK signed files\n",
                                       "OK signed log\n",
                                       "OK signature of the auditor\n",
                                       "OK key before plan\n",
                                       "OK root of data/anchors/",
                                       "OK time stamp data/anchors/",
                                       "OK witness data/anchors/",
                                       "OK sample\n",
                                       "OK decisions"};
    for (size_t i = 0; i < OKNO_COUNT(said); i++)
        if (!strstr(all, said[i]))
            fail_msg("`%s` is missing in:\n%s", said[i], all);
    struct okno_err err;
    assert_int_equal(verify(pristine, &err), 0); /* nothing was left behind */
}

static void published_algorithms_notice_another_sample(void **state)
{
    char command[1200];
    (void)state;
    char dir[400];
    fresh_copy(dir);
    (void)snprintf(command, sizeof(command), "cd %s && sed -i '3s/,0[.]/,1./' data/sample.csv",
                   dir);
    shell(command);
    make_manifests(dir);
    (void)snprintf(command, sizeof(command),
                   "python3 tests/report/recheck.py %s | grep -qx 'WRONG sample'", dir);
    shell(command);
}

static void the_guide_notices_what_verify_does(void **state)
{
    static const struct {
        const char *name, *sed, *words;
    } forged[] = {
        {"data/decisions.csv", "5s/,valid,/,invalid,/", "WRONG decision"},
        {"data/sample.csv", "3s/,0[.]/,1./", "WRONG sample"},
        {"data/frame.jsonl", "7s/mall/hall/g", "WRONG frame"},
        {"data/log.jsonl", "3s/freeze/fReeze/", "WRONG root of frame"},
        {"data/checkpoints/frame.checkpoint", "2s/3/4/", "WRONG signature of frame"},
    };
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(forged); i++) {
        char dir[400];
        char command[1200];
        char line[400];
        bool said = false;
        fresh_copy(dir);
        edit(dir, forged[i].name, forged[i].sed);
        (void)snprintf(command, sizeof(command),
                       "cd %s && sed -n 's/^    //p' VERIFY.txt | sed '/package main/,/go run/d' | "
                       "env -i PATH=/usr/bin:/bin sh 2>&1",
                       dir);
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        while (fgets(line, sizeof(line), pipe))
            said = said || strstr(line, forged[i].words);
        assert_int_equal(pclose(pipe), 0);
        if (!said)
            fail_msg("%s was not noticed", forged[i].name);
    }
}

/* ---- the command ---- */

static void okno_verify_tells_what_it_checked(void **state)
{
    static struct ran ran;
    char key[500];
    char dir[400];
    (void)state;
    (void)snprintf(key, sizeof(key), "%s/keys/log.vkey", pristine);
    RUN_OKNO(&ran, "", "--data", "/nonexistent", "verify", pristine);
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "60 surveys frozen, 20 drawn, 22 decisions"));
    assert_non_null(strstr(ran.out, "identity not checked"));
    RUN_OKNO(&ran, "", "verify", pristine, "--key", key);
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "signer   the key given"));
    RUN_OKNO(&ran, "", "verify", pristine, "--json");
    assert_non_null(strstr(ran.out, "\"identity_checked\":false"));
    fresh_copy(dir);
    (void)snprintf(key, sizeof(key), "%s/data/seed.txt", dir);
    assert_int_equal(remove(key), 0);
    RUN_OKNO(&ran, "", "verify", dir);
    assert_int_equal(ran.exit_code, 6);
    assert_non_null(strstr(ran.err, "data/seed.txt is missing"));
    RUN_OKNO(&ran, "", "verify", "/nonexistent");
    assert_int_equal(ran.exit_code, 3);
    RUN_OKNO(&ran, "", "verify");
    assert_int_equal(ran.exit_code, 2);
}

/* ---- export ---- */

static void a_bundle_open_to_all_names_nobody(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    char command[1200];
    struct okno_err err;
    close_audit(f);
    (void)snprintf(dir, sizeof(dir), "%s/open", folder);
    export_to(f, dir, true);
    if (verify(dir, &err) < 0)
        fail_msg("%s", err.text);
    (void)snprintf(command, sizeof(command),
                   "! grep -rE '\"eva\"|,eva,|\"ann\"|said she|\"bob\"|,bob,|=cmd' %s/data", dir);
    shell(command);
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    shell(command);
}

/* Whatever it takes for what separates cells. */
static void a_formula_does_not_reach_a_spreadsheet(void **state)
{
    char command[1200];
    (void)state;
    (void)snprintf(command, sizeof(command), "grep -q \"'=cmd\" %s/data/decisions.csv", pristine);
    shell(command);
    (void)snprintf(command, sizeof(command),
                   "cd %s/data && python3 -c 'import csv, glob\n"
                   "for name in glob.glob(\"*.csv\"):\n"
                   " for mark in \",;\\t\":\n"
                   "  for row in csv.reader(open(name, newline=\"\"), delimiter=mark):\n"
                   "   for cell in row: assert cell[:1] not in (*\"=+-@\\t\",), (name, cell)\n'",
                   pristine);
    shell(command);
}

/* Pasted into a shell that would run what an expert wrote into a comment, could it. */
static void the_guide_computes_with_no_comment(void **state)
{
    char command[1200];
    char dir[400];
    (void)state;
    fresh_copy(dir);
    (void)snprintf(command, sizeof(command),
                   "cd %s && sed -n 's/^    //p' VERIFY.txt | sed '/package main/,/go run/d' | "
                   "env -i PATH=/usr/bin:/bin bash > said 2>&1; test ! -e pwned && "
                   "grep -q '^OK decisions' said && ! grep -q '^WRONG decision' said",
                   dir);
    shell(command);
}

/* As bundles were written before: only what begins a comment was guarded. The decision is taken,
 * the changed file is not. */
static void a_comment_without_inner_marks_is_taken(void **state)
{
    char command[1200];
    char dir[400];
    struct okno_err err;
    (void)state;
    fresh_copy(dir);
    (void)snprintf(
        command, sizeof(command),
        "cd %s/data && cp decisions.csv before && "
        "sed -i \"s/;'=2/;=2/; s/'@3/@3/; s/;'-/;-/; s/''four/'four/; s/\\t'+5/\\t+5/; s/^'=6/=6/; "
        "s/^''seven/'seven/\" decisions.csv && ! cmp -s decisions.csv before && rm before",
        dir);
    shell(command);
    make_manifests(dir);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    if (strstr(err.text, "comment"))
        fail_msg("%s", err.text);
}

static void an_export_waits_for_the_close_and_never_overwrites(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    (void)snprintf(dir, sizeof(dir), "%s/again", folder);
    struct okno_bundle_request request = {.audit = "A1", .dir = dir, .author = "eva"};
    add_site(f);
    (void)drawn_audit(f, "A1");
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_OUT_OF_ORDER,
              "before `export` comes `okno audit close A1`");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    request.dir = pristine;
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_REFUSED,
              "is there already");
    request.dir = dir;
    request.open_to_all = true;
    request.with_evidence = true;
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_USAGE, "footage");
    request.open_to_all = false;
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_NOT_FOUND,
              "cannot read");
    assert_int_equal(access(dir, F_OK), -1);
    char part[450];
    (void)snprintf(part, sizeof(part), "%s.part", dir);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_steps WHERE step = 'export'"), 0);
}

static void watched_files_go_along_and_are_told_from_others(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    char command[1200];
    struct okno_err err;
    (void)snprintf(dir, sizeof(dir), "%s/seen", folder);
    const struct okno_bundle_request request = {
        .audit = "A1", .dir = dir, .author = "eva", .with_evidence = true};
    close_audit(f);
    (void)snprintf(command, sizeof(command),
                   "mkdir -p %s/evidence/2d && printf x > %s/evidence/2d/" WATCHED, f->dir, f->dir);
    shell(command);
    (void)snprintf(command, sizeof(command),
                   "mkdir -p %s/evidence/59 && printf z > %s/evidence/59/" SIDECAR, f->dir, f->dir);
    shell(command);
    scratch_db_put(
        f,
        "INSERT INTO evidence (id, survey, kind, sha256, bytes, media_type, codec,"
        " camera, asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us,"
        " source, requests, bytes_read, software, made_at) VALUES (77, 's', 'clip', '" WATCHED
        "', 1, 'video/mp4', 'h264', 'c', 0, 1, 0, 1, 0, 0, '[]', 1, 1, 'x', 1);"
        "INSERT INTO evidence_extras (evidence, sidecar) VALUES (77, '" SIDECAR "')");
    must(f, okno_bundle_export(f->db, &request, AT(300), &f->err));
    if (verify(dir, &err) < 0)
        fail_msg("%s", err.text);
    (void)snprintf(command, sizeof(command), "cd %s/data/sidecars && printf y > " WATCHED, dir);
    shell(command);
    make_manifests(dir);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "is not the sidecar that was exported"));
    (void)snprintf(command, sizeof(command), "cd %s/data/sidecars && printf z > " WATCHED, dir);
    shell(command);
    (void)snprintf(command, sizeof(command), "cd %s/data/evidence && printf y > " WATCHED, dir);
    shell(command);
    make_manifests(dir);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "data/evidence/" WATCHED " is not what an expert watched"));
    (void)snprintf(command, sizeof(command), "rm -r %s/data/evidence %s/evidence", dir, f->dir);
    shell(command);
    make_manifests(dir);
    assert_int_equal(verify(dir, &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "data/evidence: files are missing"));
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    shell(command);
}

static void a_bundle_after_retention_says_what_it_lacks(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    struct okno_err err;
    struct okno_bundle_facts facts;
    (void)snprintf(dir, sizeof(dir), "%s/later", folder);
    const struct okno_bundle_request request = {
        .audit = "A1", .dir = dir, .author = "eva", .with_evidence = true};
    close_audit(f);
    scratch_db_put(f,
                   "INSERT INTO destructions (sha256, newest, kind, bytes, at, rule, author) VALUES"
                   " ('" WATCHED "', 1, 'clip', 1, 1, 'keep_days 9', 'x')");
    must(f, okno_bundle_export(f->db, &request, AT(300), &f->err));
    memset(&err, 0, sizeof(err));
    if (okno_bundle_verify(dir, NULL, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.evidence, 0);
    assert_int_equal(asked(f,
                           "SELECT json_extract(detail, '$.destroyed') FROM audit_steps"
                           " WHERE step = 'export'"),
                     1);
}

static void an_audit_older_than_the_log_is_refused(void **state)
{
    struct scratch_db *f = *state;
    char dir[400];
    (void)snprintf(dir, sizeof(dir), "%s/old", folder);
    const struct okno_bundle_request request = {.audit = "A1", .dir = dir, .author = "eva"};
    close_audit(f);
    scratch_db_put(f, "DROP TRIGGER log_leaves_update; UPDATE log_leaves SET subject = -1");
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_REFUSED,
              "began before the evidence log");
}

/* Of silent ones taken as known the report says what holds without them: another number there is
 * named, as is none. */
static void a_bound_without_silent_ones_is_recomputed(void **state)
{
    static const char *const changes[] = {"b['without_silent'] += 0.1", "del b['without_silent']"};
    struct scratch_db *f = *state;
    char *out = support_tempdir();
    char sha256[OKNO_SHA256_TEXT];
    char dir[300];
    char command[1000];
    struct okno_bundle_facts facts;
    struct okno_audit_plan plan = plan_of("A1");
    plan.sampling.silent_known = true;
    plan.undeterminable_limit = 0.9; /* else there are bounds alone */
    add_site(f);
    must(f, okno_audit_plan(f->db, &plan, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide_all(f);
    must(f, okno_audit_close(f->db, "A1", "", "eva", AT(200), &f->err));
    (void)snprintf(dir, sizeof(dir), "%s/bundle", out);
    export_to(f, dir, false);
    must(f, okno_bundle_verify(dir, NULL, &facts, &f->err));
    for (size_t i = 0; i < OKNO_COUNT(changes); i++) {
        (void)snprintf(command, sizeof(command),
                       "cd %s && cp -n data/report.json ../kept; python3 -c \"import json;"
                       "r = json.load(open('../kept'));"
                       "b = r['total']['groups'][0]['indicators']['ink_office']['estimated']"
                       "['bounds']; %s; json.dump(r, open('data/report.json', 'w'))\" && "
                       "find data -type f | LC_ALL=C sort | xargs sha256sum > manifest-sha256.txt;"
                       "find . -type f ! -path './data/*' ! -name 'tagmanifest*' | sed 's,^./,,' |"
                       " LC_ALL=C sort | xargs sha256sum > tagmanifest-sha256.txt",
                       dir, changes[i]);
        assert_int_equal(system(command), 0);
        must_fail(f, okno_bundle_verify(dir, NULL, &facts, &f->err), OKNO_CHECK_FAILED,
                  "data/report.json: the estimate of ink_office is not what the decisions give");
    }
    support_tempdir_remove(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_is_recomputed_from_itself),
        cmocka_unit_test(a_key_that_did_not_sign_is_told),
        cmocka_unit_test(no_damage_goes_unnoticed),
        cmocka_unit_test(no_damage_is_hidden_by_new_manifests),
        cmocka_unit_test(a_forged_entry_is_named),
        cmocka_unit_test(folders_and_links_that_do_not_belong_are_named),
        cmocka_unit_test(the_commands_of_the_guide_work_as_printed),
        cmocka_unit_test(published_algorithms_notice_another_sample),
        cmocka_unit_test(the_guide_notices_what_verify_does),
        cmocka_unit_test(okno_verify_tells_what_it_checked),
        TEST(a_bundle_open_to_all_names_nobody),
        cmocka_unit_test(a_formula_does_not_reach_a_spreadsheet),
        cmocka_unit_test(the_guide_computes_with_no_comment),
        cmocka_unit_test(a_comment_without_inner_marks_is_taken),
        TEST(an_export_waits_for_the_close_and_never_overwrites),
        TEST(watched_files_go_along_and_are_told_from_others),
        TEST(a_bundle_after_retention_says_what_it_lacks),
        TEST(an_audit_older_than_the_log_is_refused),
        TEST(a_bound_without_silent_ones_is_recomputed),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
