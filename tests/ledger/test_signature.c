#define _POSIX_C_SOURCE 200809L
/* Keys and signatures of minisign and OpenSSH, made by the tools themselves. */
#include "../support/tempdir.h"

#include "okno/mem.h"
#include "okno/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;

/* Each line is a command in the folder. */
static int shell(const char *commands)
{
    char line[3000];
    int len = snprintf(line, sizeof(line), "cd %s && { %s ; } > /dev/null 2>&1", folder, commands);
    assert_true(len > 0 && len < (int)sizeof(line));
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    return pclose(pipe);
}

static void must_run(const char *commands)
{
    if (shell(commands) != 0)
        fail_msg("this failed: %s", commands);
}

static int make(void **state)
{
    (void)state;
    folder = support_tempdir();
    must_run(
        "minisign -G -W -p one.pub -s one.key; minisign -G -W -p two.pub -s two.key;"
        "ssh-keygen -q -t ed25519 -N '' -C eva -f ssh1; ssh-keygen -q -t ed25519 -N '' -f ssh2;"
        "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; printf 'the manifest\\n' > text;"
        "printf 'the Manifest\\n' > other;"
        "minisign -S -s one.key -m text -t 'by eva' -x hashed;"
        "minisign -S -l -s one.key -m text -x plain;"
        "minisign -S -s two.key -m text -x by-two;"
        "for n in 1 2; do cp text t$n; ssh-keygen -q -Y sign -f ssh$n -n okno-audit t$n; done;"
        "cp text t3; ssh-keygen -q -Y sign -f ssh1 -n file t3;"
        "cp text t4; ssh-keygen -q -Y sign -f ssh1 -n okno-audit -O hashalg=sha256 t4;"
        "cp text t5; ssh-keygen -q -Y sign -f rsa -n okno-audit t5");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    support_tempdir_remove(folder);
    return 0;
}

static size_t read_file(const char *name, char *ret_text, size_t size)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("no %s", path);
    size_t len = fread(ret_text, 1, size - 1, file);
    ret_text[len] = '\0';
    return len;
}

static struct okno_signature_key key_of(const char *name)
{
    char text[4000];
    struct okno_signature_key key;
    struct okno_err err = {0};
    size_t len = read_file(name, text, sizeof(text));
    if (okno_signature_key_parse(text, len, &key, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return key;
}

static int check(const char *key, const char *message, const char *signature, struct okno_err *err)
{
    char text[4000];
    char bytes[8000];
    struct okno_signature_key by = key_of(key);
    size_t len = read_file(message, text, sizeof(text));
    size_t signature_len = read_file(signature, bytes, sizeof(bytes));
    memset(err, 0, sizeof(*err));
    return okno_signature_check(&by, OKNO_SIGNATURE_AUDIT, text, len, bytes, signature_len, err);
}

static void signatures_of_both_tools_are_checked(void **state)
{
    static const char *const good[][2] = {{"one.pub", "hashed"},
                                          {"one.pub", "plain"},
                                          {"ssh1.pub", "t1.sig"},
                                          {"ssh1.pub", "t4.sig"}};
    struct okno_err err;
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(good); i++)
        if (check(good[i][0], "text", good[i][1], &err) < 0)
            fail_msg("%s: %s", good[i][1], err.text);
}

static void what_is_wrong_with_a_signature_is_said(void **state)
{
    static const struct {
        const char *key, *message, *signature, *words;
    } bad[] = {
        {"one.pub", "other", "hashed", "another text was signed"},
        {"one.pub", "other", "plain", "another text was signed"},
        {"one.pub", "text", "by-two", "the signature is by minisign key"},
        {"ssh1.pub", "other", "t1.sig", "another text was signed"},
        {"ssh1.pub", "text", "t2.sig", "the signature is by ssh-ed25519 "},
        {"ssh1.pub", "text", "t3.sig", "is for namespace \"file\", not for okno-audit"},
        {"ssh1.pub", "text", "t5.sig", "of another kind than ssh-ed25519"},
        {"ssh1.pub", "text", "hashed", "the registered key is OpenSSH's"},
        {"one.pub", "text", "t1.sig", "the registered key is minisign's"},
    };
    struct okno_err err;
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        if (check(bad[i].key, bad[i].message, bad[i].signature, &err) != OKNO_CHECK_FAILED ||
            !strstr(err.text, bad[i].words))
            fail_msg("%s: `%s` is not `%s`", bad[i].signature, err.text, bad[i].words);
}

static void a_changed_trusted_comment_is_noticed(void **state)
{
    struct okno_err err;
    (void)state;
    must_run("sed 's/^trusted comment: by eva/trusted comment: by bob/' hashed > forged");
    assert_int_equal(check("one.pub", "text", "forged", &err), OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "trusted comment"));
}

/* Each byte of each signature, changed: none is taken for the signature. */
static void no_changed_byte_of_a_signature_is_taken(void **state)
{
    static const char *const files[][2] = {{"one.pub", "hashed"}, {"ssh1.pub", "t1.sig"}};
    (void)state;
    for (size_t f = 0; f < OKNO_COUNT(files); f++) {
        char text[4000];
        char bytes[4000];
        struct okno_signature_key key = key_of(files[f][0]);
        size_t text_len = read_file("text", text, sizeof(text));
        size_t len = read_file(files[f][1], bytes, sizeof(bytes));
        const char *second = strchr(bytes, '\n') + 1; /* the first line is a comment or border */
        for (size_t i = (size_t)(second - bytes); i < len; i++) {
            struct okno_err err = {0};
            bytes[i] ^= 1;
            /* CR before LF and a missing last LF are other spellings of the same. */
            if (okno_signature_check(&key, OKNO_SIGNATURE_AUDIT, text, text_len, bytes, len,
                                     &err) == 0 &&
                i + 1 < len)
                fail_msg("%s: byte %zu", files[f][1], i);
            bytes[i] ^= 1;
        }
    }
}

static void keys_that_are_not_taken_are_told_apart(void **state)
{
    static const struct {
        const char *file;
        int code;
        const char *words;
    } bad[] = {{"rsa.pub", OKNO_UNSUPPORTED, "ssh-rsa is not taken"},
               {"ssh1", OKNO_MALFORMED, "ends in .pub"},
               {"one.key", OKNO_MALFORMED, "no public key"},
               {"text", OKNO_MALFORMED, "no public key"},
               {"two", OKNO_MALFORMED, "more than one key"}};
    (void)state;
    must_run("cat ssh1.pub ssh2.pub > two");
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char text[4000];
        struct okno_signature_key key;
        struct okno_err err = {0};
        size_t len = read_file(bad[i].file, text, sizeof(text));
        if (okno_signature_key_parse(text, len, &key, &err) != bad[i].code ||
            !strstr(err.text, bad[i].words))
            fail_msg("%s: `%s` is not `%s`", bad[i].file, err.text, bad[i].words);
    }
}

static void a_key_has_one_spelling(void **state)
{
    static const char *const names[] = {"one.pub", "ssh1.pub"};
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        char text[OKNO_SIGNATURE_KEY_TEXT];
        char hash[2][OKNO_SHA256_TEXT];
        struct okno_signature_key key = key_of(names[i]);
        struct okno_signature_key again;
        (void)okno_signature_key_format(&key, text);
        assert_int_equal(okno_signature_key_parse(text, strlen(text), &again, NULL), 0);
        assert_string_equal(okno_signature_key_fingerprint(&key, hash[0]),
                            okno_signature_key_fingerprint(&again, hash[1]));
    }
}

static void write_file(const char *name, const struct okno_buf *text)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    okno_autofclose FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
}

static void the_tools_take_what_the_logs_key_signs(void **state)
{
    static const char *const names[][2] = {{"log.pub", "log.minisig"}, {"log.allowed", "log.sig"}};
    struct okno_note_signer signer;
    uint8_t seed[32] = {3};
    char text[4000];
    (void)state;
    assert_int_equal(okno_note_signer_make("okno.log/test", seed, &signer, NULL), 0);
    size_t len = read_file("text", text, sizeof(text));
    for (int i = 0; i < 2; i++) {
        OKNO_AUTO_BUF key = OKNO_BUF_INIT(1000);
        OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
        enum okno_signature_kind kind = (enum okno_signature_kind)i;
        struct okno_signature_key own = okno_signature_log_key(&signer.key, kind);
        assert_int_equal(okno_signature_key_write(&own, "log", OKNO_SIGNATURE_BUNDLE, &key, NULL),
                         0);
        assert_int_equal(
            okno_signature_make(&signer, kind, OKNO_SIGNATURE_BUNDLE, text, len, &signature, NULL),
            0);
        assert_int_equal(okno_signature_check(&own, OKNO_SIGNATURE_BUNDLE, text, len,
                                              okno_buf_text(&signature), signature.len, NULL),
                         0);
        write_file(names[i][0], &key);
        write_file(names[i][1], &signature);
    }
    must_run("minisign -V -q -p log.pub -m text -x log.minisig");
    must_run("ssh-keygen -Y verify -f log.allowed -I log -n okno-bundle -s log.sig < text");
    assert_int_not_equal(shell("minisign -V -q -p log.pub -m other -x log.minisig"), 0);
    assert_int_not_equal(
        shell("ssh-keygen -Y verify -f log.allowed -I log -n okno-bundle -s log.sig < other"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_both_tools_are_checked),
        cmocka_unit_test(what_is_wrong_with_a_signature_is_said),
        cmocka_unit_test(a_changed_trusted_comment_is_noticed),
        cmocka_unit_test(no_changed_byte_of_a_signature_is_taken),
        cmocka_unit_test(keys_that_are_not_taken_are_told_apart),
        cmocka_unit_test(a_key_has_one_spelling),
        cmocka_unit_test(the_tools_take_what_the_logs_key_signs),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
