#include "signature.h"

#include <sodium.h>
#include <string.h>

/* ---- lines and base64 ---- */

bool signature_next_line(struct piece *rest, struct piece *ret_line)
{
    if (rest->len == 0)
        return false;
    const char *stop = memchr(rest->text, '\n', rest->len);
    size_t len = stop ? (size_t)(stop - rest->text) : rest->len;
    size_t taken = stop ? len + 1 : len;
    *ret_line = (struct piece){rest->text, len};
    if (len > 0 && rest->text[len - 1] == '\r')
        ret_line->len--;
    rest->text += taken;
    rest->len -= taken;
    return true;
}

bool signature_decode(struct piece text, uint8_t *ret_bytes, size_t want)
{
    size_t got = 0;
    const char *end = NULL;
    return sodium_base642bin(ret_bytes, want, text.text, text.len, NULL, &got, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == want && end == text.text + text.len;
}

bool signature_starts(struct piece line, const char *prefix)
{
    size_t len = strlen(prefix);
    return line.len >= len && memcmp(line.text, prefix, len) == 0;
}

/* ---- keys ---- */

const char *okno_signature_kind_name(enum okno_signature_kind kind)
{
    return kind == OKNO_SIGNATURE_SSH ? "ssh" : "minisign";
}

int okno_signature_key_parse(const char *text, size_t len, struct okno_signature_key *ret_key,
                             struct okno_err *err)
{
    struct piece whole = {text, len};
    if (len > OKNO_SIGNATURE_BYTES_MAX || memchr(text, 0, len))
        return okno_fail(err, OKNO_MALFORMED, "this is no public key of minisign or OpenSSH");
    if (signature_starts(whole, "-----BEGIN"))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is not the public key: give the file that ends in .pub");
    if (signature_starts(whole, "ssh-") || signature_starts(whole, "sk-") ||
        signature_starts(whole, "ecdsa-"))
        return ssh_key_parse(whole, ret_key, err);
    return minisign_key_parse(whole, ret_key, err);
}

const char *okno_signature_key_format(const struct okno_signature_key *key,
                                      char ret_text[OKNO_SIGNATURE_KEY_TEXT])
{
    char base64[100];
    if (key->kind == OKNO_SIGNATURE_SSH) {
        uint8_t bytes[SSH_KEY_BYTES];
        ssh_key_bytes(key, bytes);
        (void)sodium_bin2base64(base64, sizeof(base64), bytes, sizeof(bytes),
                                sodium_base64_VARIANT_ORIGINAL);
    } else {
        uint8_t bytes[42];
        minisign_key_bytes(key, bytes);
        (void)sodium_bin2base64(base64, sizeof(base64), bytes, sizeof(bytes),
                                sodium_base64_VARIANT_ORIGINAL);
    }
    (void)snprintf(ret_text, OKNO_SIGNATURE_KEY_TEXT, "%s%s",
                   key->kind == OKNO_SIGNATURE_SSH ? "ssh-ed25519 " : "", base64);
    return ret_text;
}

const char *okno_signature_key_fingerprint(const struct okno_signature_key *key,
                                           char ret_text[OKNO_SHA256_TEXT])
{
    char text[OKNO_SIGNATURE_KEY_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    (void)okno_signature_key_format(key, text);
    okno_hash_bytes(text, strlen(text), digest);
    return okno_hash_hex(digest, ret_text);
}

int okno_signature_key_write(const struct okno_signature_key *key, const char *who,
                             const char *purpose, struct okno_buf *to, struct okno_err *err)
{
    char text[OKNO_SIGNATURE_KEY_TEXT];
    (void)okno_signature_key_format(key, text);
    if (key->kind == OKNO_SIGNATURE_SSH)
        return okno_buf_printf(to, err, "%s namespaces=\"%s\" %s\n", who, purpose, text);
    return okno_buf_printf(to, err, "untrusted comment: minisign public key of %s\n%s\n", who,
                           text);
}

/* ---- signatures ---- */

int okno_signature_check(const struct okno_signature_key *key, const char *purpose,
                         const void *message, size_t message_len, const char *signature,
                         size_t signature_len, struct okno_err *err)
{
    struct piece whole = {signature, signature_len};
    bool ssh = signature_starts(whole, "-----BEGIN SSH SIGNATURE-----");
    if (signature_len > OKNO_SIGNATURE_BYTES_MAX || memchr(signature, 0, signature_len))
        return okno_fail(err, OKNO_MALFORMED, "this is no signature of minisign or OpenSSH");
    if (ssh != (key->kind == OKNO_SIGNATURE_SSH))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         ssh ? "this is an SSH signature, but the registered key is minisign's"
                             : "this is no SSH signature, but the registered key is OpenSSH's");
    return ssh ? ssh_check(key, purpose, message, message_len, whole, err)
               : minisign_check(key, message, message_len, whole, err);
}

/* ---- the log's own key ---- */

struct okno_signature_key okno_signature_log_key(const struct okno_note_key *key,
                                                 enum okno_signature_kind kind)
{
    struct okno_signature_key made = {.kind = kind};
    uint8_t digest[OKNO_SHA256_BYTES];
    memcpy(made.public_key, key->public_key, sizeof(made.public_key));
    okno_hash_bytes(key->public_key, sizeof(key->public_key), digest);
    if (kind == OKNO_SIGNATURE_MINISIGN)
        memcpy(made.number, digest, sizeof(made.number));
    return made;
}

int okno_signature_make(const struct okno_note_signer *signer, enum okno_signature_kind kind,
                        const char *purpose, const void *message, size_t message_len,
                        struct okno_buf *to, struct okno_err *err)
{
    struct okno_signature_key key = okno_signature_log_key(&signer->key, kind);
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(public_key, secret, signer->seed);
    int rc = kind == OKNO_SIGNATURE_SSH
                 ? ssh_make(&key, secret, purpose, message, message_len, to, err)
                 : minisign_make(&key, secret, purpose, message, message_len, to, err);
    sodium_memzero(secret, sizeof(secret));
    return rc;
}
