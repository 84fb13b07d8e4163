#define _POSIX_C_SOURCE 200809L
/* Keys and signatures as minisign writes them. A signature file has four lines: an untrusted
 * comment, the signature, a trusted comment, a signature over both. */
#include "signature.h"

#include <sodium.h>
#include <string.h>

enum { KEY_BYTES = 42, SIGNATURE_BYTES = 74, COMMENT_MAX = 8192, HASH_BYTES = 64 };

static const char untrusted[] = "untrusted comment:";
static const char trusted[] = "trusted comment: ";

void minisign_key_bytes(const struct okno_signature_key *key, uint8_t ret_bytes[42])
{
    ret_bytes[0] = 'E';
    ret_bytes[1] = 'd';
    memcpy(ret_bytes + 2, key->number, 8);
    memcpy(ret_bytes + 10, key->public_key, 32);
}

static int no_key(struct okno_err *err)
{
    return okno_fail(
        err, OKNO_MALFORMED,
        "this is no public key: a minisign.pub file or a line `ssh-ed25519 BASE64` is");
}

int minisign_key_parse(struct piece text, struct okno_signature_key *ret_key, struct okno_err *err)
{
    uint8_t bytes[KEY_BYTES];
    struct piece line;
    struct piece more;
    if (!signature_next_line(&text, &line))
        return no_key(err);
    if (signature_starts(line, untrusted) && !signature_next_line(&text, &line))
        return no_key(err);
    while (signature_next_line(&text, &more))
        if (more.len > 0)
            return no_key(err);
    if (!signature_decode(line, bytes, sizeof(bytes)) || memcmp(bytes, "Ed", 2) != 0)
        return no_key(err);
    struct okno_signature_key key = {.kind = OKNO_SIGNATURE_MINISIGN};
    memcpy(key.number, bytes + 2, sizeof(key.number));
    memcpy(key.public_key, bytes + 10, sizeof(key.public_key));
    *ret_key = key;
    return 0;
}

/* The parts of a signature file. */
struct parts {
    uint8_t signature[SIGNATURE_BYTES]; /* algorithm, key's number, signature */
    uint8_t global[crypto_sign_BYTES];
    struct piece comment;
};

static bool read_parts(struct piece text, struct parts *ret_parts)
{
    struct piece line;
    if (!signature_next_line(&text, &line) || !signature_starts(line, untrusted))
        return false;
    if (!signature_next_line(&text, &line) ||
        !signature_decode(line, ret_parts->signature, SIGNATURE_BYTES))
        return false;
    if (!signature_next_line(&text, &line) || !signature_starts(line, trusted) ||
        line.len > COMMENT_MAX)
        return false;
    ret_parts->comment.text = line.text + sizeof(trusted) - 1;
    ret_parts->comment.len = line.len - (sizeof(trusted) - 1);
    if (!signature_next_line(&text, &line) ||
        !signature_decode(line, ret_parts->global, sizeof(ret_parts->global)))
        return false;
    while (signature_next_line(&text, &line))
        if (line.len > 0)
            return false;
    return true;
}

static void shown_number(const uint8_t number[8], char ret_text[17])
{
    for (size_t i = 0; i < 8; i++) /* minisign shows it as a little-endian number */
        (void)snprintf(ret_text + 2 * i, 3, "%02X", number[7 - i]);
}

/* What the global signature covers: the signature's bytes and the trusted comment. */
static bool check_comment(const struct okno_signature_key *key, const struct parts *parts)
{
    uint8_t signed_bytes[crypto_sign_BYTES + COMMENT_MAX];
    memcpy(signed_bytes, parts->signature + 10, crypto_sign_BYTES);
    memcpy(signed_bytes + crypto_sign_BYTES, parts->comment.text, parts->comment.len);
    return crypto_sign_verify_detached(parts->global, signed_bytes,
                                       crypto_sign_BYTES + parts->comment.len,
                                       key->public_key) == 0;
}

static bool check_message(const struct okno_signature_key *key, const struct parts *parts,
                          const void *message, size_t len)
{
    uint8_t hash[HASH_BYTES];
    if (memcmp(parts->signature, "Ed", 2) == 0)
        return crypto_sign_verify_detached(parts->signature + 10, message, len, key->public_key) ==
               0;
    (void)crypto_generichash(hash, sizeof(hash), message, len, NULL, 0); /* BLAKE2b-512 */
    return crypto_sign_verify_detached(parts->signature + 10, hash, sizeof(hash),
                                       key->public_key) == 0;
}

int minisign_check(const struct okno_signature_key *key, const void *message, size_t message_len,
                   struct piece signature, struct okno_err *err)
{
    struct parts parts;
    char theirs[17];
    char ours[17];
    if (!read_parts(signature, &parts))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no minisign signature: four lines, as `minisign -S` writes them, "
                         "are");
    if (memcmp(parts.signature, "Ed", 2) != 0 && memcmp(parts.signature, "ED", 2) != 0)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the minisign signature is of an algorithm other than Ed25519");
    if (memcmp(parts.signature + 2, key->number, sizeof(key->number)) != 0) {
        shown_number(parts.signature + 2, theirs);
        shown_number(key->number, ours);
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the signature is by minisign key %s, the registered key is %s", theirs,
                         ours);
    }
    if (!check_message(key, &parts, message, message_len))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the signature is not the key's over this text: another text was signed");
    if (!check_comment(key, &parts))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the trusted comment of the signature was changed");
    return 0;
}

static int add_line(struct okno_buf *to, const uint8_t *bytes, size_t len, struct okno_err *err)
{
    char base64[128];
    (void)sodium_bin2base64(base64, sizeof(base64), bytes, len, sodium_base64_VARIANT_ORIGINAL);
    return okno_buf_printf(to, err, "%s\n", base64);
}

int minisign_make(const struct okno_signature_key *key, const uint8_t secret[64],
                  const char *purpose, const void *message, size_t message_len, struct okno_buf *to,
                  struct okno_err *err)
{
    uint8_t hash[HASH_BYTES];
    uint8_t bytes[SIGNATURE_BYTES] = {'E', 'D'};
    uint8_t covered[crypto_sign_BYTES + 256];
    uint8_t global[crypto_sign_BYTES];
    size_t comment = strnlen(purpose, 256);
    memcpy(bytes + 2, key->number, sizeof(key->number));
    (void)crypto_generichash(hash, sizeof(hash), message, message_len, NULL, 0);
    (void)crypto_sign_detached(bytes + 10, NULL, hash, sizeof(hash), secret);
    memcpy(covered, bytes + 10, crypto_sign_BYTES);
    memcpy(covered + crypto_sign_BYTES, purpose, comment);
    (void)crypto_sign_detached(global, NULL, covered, crypto_sign_BYTES + comment, secret);
    int rc = okno_buf_printf(to, err, "%s signature by okno\n", untrusted);
    if (rc == 0)
        rc = add_line(to, bytes, sizeof(bytes), err);
    if (rc == 0)
        rc = okno_buf_printf(to, err, "%s%.*s\n", trusted, (int)comment, purpose);
    return rc == 0 ? add_line(to, global, sizeof(global), err) : rc;
}
