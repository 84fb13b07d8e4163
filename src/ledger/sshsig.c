#define _GNU_SOURCE
/* Keys and signatures as OpenSSH writes them: strings with their length in front, in base64. */
#include "signature.h"

#include "okno/text.h"

#include <sodium.h>
#include <string.h>

enum { BLOB_MAX = 8192, NAMESPACE_MAX = 200, HASH_MAX = 64, LINE = 70 };

static const char type_name[] = "ssh-ed25519";
static const char magic[] = "SSHSIG";
static const char begin[] = "-----BEGIN SSH SIGNATURE-----";
static const char end[] = "-----END SSH SIGNATURE-----";

/* ---- strings with their length in front ---- */

static bool take_number(struct piece *rest, uint32_t *ret_number)
{
    const uint8_t *at = (const uint8_t *)rest->text;
    if (rest->len < 4)
        return false;
    *ret_number =
        (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    rest->text += 4;
    rest->len -= 4;
    return true;
}

static bool take_string(struct piece *rest, struct piece *ret_string)
{
    uint32_t len = 0;
    if (!take_number(rest, &len) || len > rest->len)
        return false;
    *ret_string = (struct piece){rest->text, len};
    rest->text += len;
    rest->len -= len;
    return true;
}

static bool is_text(struct piece string, const char *text)
{
    return string.len == strlen(text) && memcmp(string.text, text, string.len) == 0;
}

static int add_string(struct okno_buf *to, const void *bytes, size_t len, struct okno_err *err)
{
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len};
    int rc = okno_buf_add(to, head, sizeof(head), err);
    return rc == 0 ? okno_buf_add(to, bytes, len, err) : rc;
}

/* ---- keys ---- */

/* 1: an Ed25519 key; 0: of another kind, whose name is told; -1: broken. */
static int read_key(struct piece blob, uint8_t ret_key[32], struct piece *ret_type)
{
    struct piece body;
    if (!take_string(&blob, ret_type))
        return -1;
    if (!is_text(*ret_type, type_name))
        return 0;
    if (!take_string(&blob, &body) || body.len != 32 || blob.len != 0)
        return -1;
    memcpy(ret_key, body.text, 32);
    return 1;
}

void ssh_key_bytes(const struct okno_signature_key *key, uint8_t ret_bytes[SSH_KEY_BYTES])
{
    static const uint8_t head[19] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                                     '2', '5', '5', '1', '9', 0,   0,   0,   32};
    memcpy(ret_bytes, head, sizeof(head));
    memcpy(ret_bytes + sizeof(head), key->public_key, 32);
}

int ssh_key_parse(struct piece text, struct okno_signature_key *ret_key, struct okno_err *err)
{
    uint8_t bytes[SSH_KEY_BYTES];
    struct piece line;
    struct piece more;
    struct piece type;
    struct okno_signature_key key = {.kind = OKNO_SIGNATURE_SSH};
    (void)signature_next_line(&text, &line);
    while (signature_next_line(&text, &more))
        if (more.len > 0)
            return okno_fail(err, OKNO_MALFORMED, "this holds more than one key: give one line");
    const char *blank = memchr(line.text, ' ', line.len);
    size_t type_len = blank ? (size_t)(blank - line.text) : line.len;
    if (!is_text((struct piece){line.text, type_len}, type_name)) {
        char name[64];
        char shown[OKNO_TEXT_SHOWN];
        (void)snprintf(name, sizeof(name), "%.*s", (int)(type_len < 60 ? type_len : 60), line.text);
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "a key of kind %s is not taken: make one with `ssh-keygen -t ed25519`",
                         okno_text_show(name, shown));
    }
    struct piece body = {blank ? blank + 1 : "", blank ? line.len - type_len - 1 : 0};
    const char *comment = memchr(body.text, ' ', body.len);
    if (comment)
        body.len = (size_t)(comment - body.text);
    if (!signature_decode(body, bytes, sizeof(bytes)) ||
        read_key((struct piece){(const char *)bytes, sizeof(bytes)}, key.public_key, &type) != 1)
        return okno_fail(err, OKNO_MALFORMED, "the SSH key is broken");
    *ret_key = key;
    return 0;
}

/* ---- signatures ---- */

/* The parts of a signature, as far as they are not fixed. */
struct parts {
    struct piece key, space, reserved, hash, signature;
};

static bool read_parts(struct piece blob, struct parts *ret_parts)
{
    uint32_t version = 0;
    if (blob.len < 6 || memcmp(blob.text, magic, 6) != 0)
        return false;
    blob.text += 6;
    blob.len -= 6;
    return take_number(&blob, &version) && version == 1 && take_string(&blob, &ret_parts->key) &&
           take_string(&blob, &ret_parts->space) && take_string(&blob, &ret_parts->reserved) &&
           take_string(&blob, &ret_parts->hash) && take_string(&blob, &ret_parts->signature) &&
           blob.len == 0;
}

/* The base64 between the two border lines. */
static bool read_armor(struct piece text, uint8_t ret_blob[BLOB_MAX], size_t *ret_len)
{
    struct piece line;
    char base64[OKNO_SIGNATURE_BYTES_MAX];
    size_t len = 0;
    bool ended = false;
    if (!signature_next_line(&text, &line) || !is_text(line, begin))
        return false;
    while (!ended && signature_next_line(&text, &line)) {
        ended = is_text(line, end);
        if (ended)
            break;
        if (len + line.len > sizeof(base64))
            return false;
        memcpy(base64 + len, line.text, line.len);
        len += line.len;
    }
    while (signature_next_line(&text, &line))
        if (line.len > 0)
            return false;
    const char *stop = NULL;
    return ended &&
           sodium_base642bin(ret_blob, BLOB_MAX, base64, len, NULL, ret_len, &stop,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           stop == base64 + len;
}

/* What an SSH signature really covers. `hash` is the name of the hash of the message. */
static int add_covered(struct okno_buf *to, const char *purpose, const char *hash,
                       const void *message, size_t len, struct okno_err *err)
{
    uint8_t digest[HASH_MAX];
    bool short_hash = strcmp(hash, "sha256") == 0;
    if (short_hash)
        okno_hash_bytes(message, len, digest);
    else
        (void)crypto_hash_sha512(digest, message, len);
    int rc = okno_buf_add(to, magic, 6, err);
    if (rc == 0)
        rc = add_string(to, purpose, strlen(purpose), err);
    if (rc == 0)
        rc = add_string(to, "", 0, err);
    if (rc == 0)
        rc = add_string(to, hash, strlen(hash), err);
    return rc == 0 ? add_string(to, digest, short_hash ? 32 : 64, err) : rc;
}

static int check_who(const struct okno_signature_key *key, const struct parts *parts,
                     struct okno_err *err)
{
    uint8_t theirs[32];
    struct piece type;
    int rc = read_key(parts->key, theirs, &type);
    if (rc < 0)
        return okno_fail(err, OKNO_MALFORMED, "the key in the SSH signature is broken");
    if (rc == 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the SSH signature is by a key of another kind than ssh-ed25519");
    if (memcmp(theirs, key->public_key, sizeof(theirs)) == 0)
        return 0;
    struct okno_signature_key other = {.kind = OKNO_SIGNATURE_SSH};
    char shown[OKNO_SIGNATURE_KEY_TEXT];
    char ours[OKNO_SIGNATURE_KEY_TEXT];
    memcpy(other.public_key, theirs, sizeof(theirs));
    return okno_fail(err, OKNO_CHECK_FAILED, "the signature is by %s, the registered key is %s",
                     okno_signature_key_format(&other, shown),
                     okno_signature_key_format(key, ours));
}

static int check_space(const struct parts *parts, const char *purpose, struct okno_err *err)
{
    char name[NAMESPACE_MAX];
    char shown[OKNO_TEXT_SHOWN];
    if (is_text(parts->space, purpose))
        return 0;
    (void)snprintf(name, sizeof(name), "%.*s",
                   (int)(parts->space.len < NAMESPACE_MAX ? parts->space.len : NAMESPACE_MAX - 1),
                   parts->space.text);
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "the SSH signature is for namespace \"%s\", not for %s: sign with "
                     "`ssh-keygen -Y sign -n %s`",
                     okno_text_show(name, shown), purpose, purpose);
}

static int check_bytes(const struct okno_signature_key *key, const struct parts *parts,
                       const char *purpose, const void *message, size_t len, struct okno_err *err)
{
    OKNO_AUTO_BUF covered = OKNO_BUF_INIT(1024);
    struct piece rest = parts->signature;
    struct piece type;
    struct piece bytes;
    bool sha256 = is_text(parts->hash, "sha256");
    if (!sha256 && !is_text(parts->hash, "sha512"))
        return okno_fail(err, OKNO_UNSUPPORTED, "the SSH signature uses a hash that is not known");
    if (!take_string(&rest, &type) || !is_text(type, type_name) || !take_string(&rest, &bytes) ||
        bytes.len != crypto_sign_BYTES || rest.len != 0)
        return okno_fail(err, OKNO_MALFORMED, "the SSH signature is broken");
    int rc = add_covered(&covered, purpose, sha256 ? "sha256" : "sha512", message, len, err);
    if (rc < 0)
        return rc;
    return crypto_sign_verify_detached((const uint8_t *)bytes.text, (const uint8_t *)covered.data,
                                       covered.len, key->public_key) == 0
               ? 0
               : okno_fail(err, OKNO_CHECK_FAILED,
                           "the signature is not the key's over this text: another text was "
                           "signed");
}

int ssh_check(const struct okno_signature_key *key, const char *purpose, const void *message,
              size_t message_len, struct piece signature, struct okno_err *err)
{
    uint8_t blob[BLOB_MAX];
    size_t len = 0;
    struct parts parts;
    if (!read_armor(signature, blob, &len) ||
        !read_parts((struct piece){(const char *)blob, len}, &parts))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no SSH signature as `ssh-keygen -Y sign` writes it");
    int rc = check_who(key, &parts, err);
    if (rc == 0)
        rc = check_space(&parts, purpose, err);
    return rc == 0 ? check_bytes(key, &parts, purpose, message, message_len, err) : rc;
}

/* ---- making one ---- */

static int add_armor(struct okno_buf *to, const struct okno_buf *blob, struct okno_err *err)
{
    char base64[1024];
    if (sodium_base64_encoded_len(blob->len, sodium_base64_VARIANT_ORIGINAL) > sizeof(base64))
        return okno_fail(err, OKNO_TOO_LARGE, "the purpose of a signature is too long");
    (void)sodium_bin2base64(base64, sizeof(base64), (const uint8_t *)blob->data, blob->len,
                            sodium_base64_VARIANT_ORIGINAL);
    int rc = okno_buf_printf(to, err, "%s\n", begin);
    for (size_t at = 0, len = strlen(base64); rc == 0 && at < len; at += LINE)
        rc = okno_buf_printf(to, err, "%.*s\n", LINE, base64 + at);
    return rc == 0 ? okno_buf_printf(to, err, "%s\n", end) : rc;
}

int ssh_make(const struct okno_signature_key *key, const uint8_t secret[64], const char *purpose,
             const void *message, size_t message_len, struct okno_buf *to, struct okno_err *err)
{
    static const uint8_t version[4] = {0, 0, 0, 1};
    OKNO_AUTO_BUF covered = OKNO_BUF_INIT(1024);
    OKNO_AUTO_BUF inner = OKNO_BUF_INIT(256);
    OKNO_AUTO_BUF blob = OKNO_BUF_INIT(720);
    uint8_t key_bytes[SSH_KEY_BYTES];
    uint8_t signature[crypto_sign_BYTES];
    ssh_key_bytes(key, key_bytes);
    int rc = add_covered(&covered, purpose, "sha512", message, message_len, err);
    if (rc < 0)
        return rc;
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)covered.data, covered.len, secret);
    rc = add_string(&inner, type_name, strlen(type_name), err);
    if (rc == 0)
        rc = add_string(&inner, signature, sizeof(signature), err);
    if (rc == 0)
        rc = okno_buf_add(&blob, magic, 6, err);
    if (rc == 0)
        rc = okno_buf_add(&blob, version, sizeof(version), err);
    if (rc == 0)
        rc = add_string(&blob, key_bytes, sizeof(key_bytes), err);
    if (rc == 0)
        rc = add_string(&blob, purpose, strlen(purpose), err);
    if (rc == 0)
        rc = add_string(&blob, "", 0, err);
    if (rc == 0)
        rc = add_string(&blob, "sha512", 6, err);
    if (rc == 0)
        rc = add_string(&blob, inner.data, inner.len, err);
    return rc == 0 ? add_armor(to, &blob, err) : rc;
}
