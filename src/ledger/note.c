#define _GNU_SOURCE
#include "line.h"

#include "okno/text.h"

#include <sodium.h>
#include <string.h>

#define PRIVATE "PRIVATE+KEY+"
#define PROOF "c2sp.org/tlog-proof@v1\n"
#define CONSISTENCY "okno log consistency v1\n"

enum { ALGORITHM = 0x01, SIGNED_BYTES = 4 + crypto_sign_BYTES };

/* ---- numbers and lines ---- */

static bool read_number(const char *text, size_t len, int64_t *ret_number)
{
    int64_t number = 0;
    if (len == 0 || len > 15 || (text[0] == '0' && len > 1))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* The next line of [*at, end), without its line end, which must be there. */
static bool next_line(const char **at, const char *end, const char **ret_line, size_t *ret_len)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    if (!stop)
        return false;
    *ret_line = *at;
    *ret_len = (size_t)(stop - *at);
    *at = stop + 1;
    return true;
}

/* ---- keys ---- */

int okno_note_signer_make(const char *name, const uint8_t seed[32],
                          struct okno_note_signer *ret_signer, struct okno_err *err)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct okno_note_signer signer = {.seed = {0}};
    if (!line_is_name(name, strlen(name)))
        return okno_fail(err, OKNO_INVALID, "a key's name is up to %d bytes without blanks and +",
                         OKNO_NOTE_NAME_TEXT - 1);
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    (void)snprintf(signer.key.name, sizeof(signer.key.name), "%s", name);
    memcpy(signer.seed, seed, sizeof(signer.seed));
    (void)crypto_sign_seed_keypair(signer.key.public_key, secret, seed);
    sodium_memzero(secret, sizeof(secret));
    signer.key.id = line_key_id(name, ALGORITHM, signer.key.public_key);
    *ret_signer = signer;
    okno_note_signer_wipe(&signer);
    return 0;
}

void okno_note_signer_wipe(struct okno_note_signer *signer)
{
    sodium_memzero(signer, sizeof(*signer));
}

const char *okno_note_key_format(const struct okno_note_key *key, char ret_text[OKNO_NOTE_KEY_TEXT])
{
    line_key_format("", key, ALGORITHM, key->public_key, ret_text);
    return ret_text;
}

const char *okno_note_signer_format(const struct okno_note_signer *signer,
                                    char ret_text[OKNO_NOTE_KEY_TEXT])
{
    line_key_format(PRIVATE, &signer->key, ALGORITHM, signer->seed, ret_text);
    return ret_text;
}

static bool parse_key(const char *text, struct okno_note_key *key, uint8_t ret_body[32])
{
    uint8_t algorithm = 0;
    return line_key_parse(text, key, &algorithm, ret_body) && algorithm == ALGORITHM;
}

int okno_note_key_parse(const char *text, struct okno_note_key *ret_key, struct okno_err *err)
{
    struct okno_note_key key = {.id = 0};
    if (!parse_key(text, &key, key.public_key))
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no public key of a log: one line NAME+HASH+BASE64 is");
    if (key.id != line_key_id(key.name, ALGORITHM, key.public_key))
        return okno_fail(err, OKNO_MALFORMED, "the public key of %s contradicts its own hash",
                         key.name);
    *ret_key = key;
    return 0;
}

int okno_note_signer_parse(const char *text, struct okno_note_signer *ret_signer,
                           struct okno_err *err)
{
    struct okno_note_key key = {.id = 0};
    struct okno_note_signer signer = {.key = {.id = 0}};
    uint8_t seed[32];
    if (strncmp(text, PRIVATE, sizeof(PRIVATE) - 1) != 0 ||
        !parse_key(text + sizeof(PRIVATE) - 1, &key, seed))
        return okno_fail(err, OKNO_MALFORMED, "this is no private key of a log");
    int rc = okno_note_signer_make(key.name, seed, &signer, err);
    sodium_memzero(seed, sizeof(seed));
    if (rc == 0 && signer.key.id != key.id)
        rc = okno_fail(err, OKNO_MALFORMED, "the private key of %s contradicts its own hash",
                       key.name);
    if (rc == 0)
        *ret_signer = signer;
    okno_note_signer_wipe(&signer);
    return rc;
}

/* ---- notes ---- */

int okno_note_sign(const struct okno_note_signer *signer, const char *text, struct okno_buf *to,
                   struct okno_err *err)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t bytes[SIGNED_BYTES];
    char shown[LINE_TEXT64];
    size_t len = strlen(text);
    if (len == 0 || text[len - 1] != '\n')
        return okno_fail(err, OKNO_INVALID, "a note ends in a line end");
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(signer->key.id >> (24 - 8 * i));
    (void)crypto_sign_seed_keypair(public_key, secret, signer->seed);
    (void)crypto_sign_detached(bytes + 4, NULL, (const unsigned char *)text, len, secret);
    sodium_memzero(secret, sizeof(secret));
    line_encode(bytes, sizeof(bytes), shown);
    return okno_buf_printf(to, err, "%s\n" LINE_DASH "%s %s\n", text, signer->key.name, shown);
}

/* No control characters but line ends, and UTF-8 throughout. */
static bool is_note_text(const char *note, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)note[i] < ' ' && note[i] != '\n') || note[i] == 0x7f)
            return false;
    return len > 0 && note[len - 1] == '\n' && okno_text_is_utf8(note, len);
}

/* One signature line. 1: the key's and good; 0: another key's; negative: broken or wrong. */
static int check_signature(const char *note, size_t text_len, const char *line, size_t len,
                           const struct okno_note_key *key, struct okno_err *err)
{
    uint8_t bytes[LINE_BYTES_MAX];
    int rc = line_signature(line, len, key, bytes, SIGNED_BYTES, err);
    if (rc != 1)
        return rc;
    if (crypto_sign_verify_detached(bytes + 4, (const unsigned char *)note, text_len,
                                    key->public_key) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "the signature of %s is wrong", key->name);
    return 1;
}

int okno_note_open(const char *note, size_t len, const struct okno_note_key *key,
                   size_t *ret_text_len, struct okno_err *err)
{
    if (len > OKNO_NOTE_BYTES_MAX || !is_note_text(note, len))
        return okno_fail(err, OKNO_MALFORMED, "this is no signed note");
    const char *end = note + len;
    const char *blank = NULL; /* the last one parts text and signatures */
    for (const char *at = note; (at = memmem(at, (size_t)(end - at), "\n\n", 2)); at++)
        blank = at;
    if (!blank)
        return okno_fail(err, OKNO_MALFORMED, "the note has no signature");
    size_t text_len = (size_t)(blank - note) + 1;
    const char *at = blank + 2;
    int signatures = 0;
    bool good = false;
    while (at < end) {
        const char *line = NULL;
        size_t line_len = 0;
        if (!next_line(&at, end, &line, &line_len) || ++signatures > OKNO_NOTE_SIGNATURES_MAX)
            return okno_fail(err, OKNO_MALFORMED, "the note has too many signatures");
        int rc = check_signature(note, text_len, line, line_len, key, err);
        if (rc < 0)
            return rc;
        if (rc == 1 && good)
            return okno_fail(err, OKNO_MALFORMED, "the note is signed twice by %s", key->name);
        good = good || rc == 1;
    }
    if (!good)
        return okno_fail(err, OKNO_CHECK_FAILED, "the note is not signed by this key of %s",
                         key->name);
    *ret_text_len = text_len;
    return 0;
}

/* ---- checkpoints ---- */

int okno_checkpoint_sign(const struct okno_note_signer *signer, int64_t size,
                         const struct okno_digest *root, struct okno_buf *to, struct okno_err *err)
{
    char base64[LINE_TEXT64];
    char text[OKNO_NOTE_NAME_TEXT + LINE_TEXT64 + 32];
    line_encode(root->bytes, sizeof(root->bytes), base64);
    (void)snprintf(text, sizeof(text), "%s\n%lld\n%s\n", signer->key.name, (long long)size, base64);
    return okno_note_sign(signer, text, to, err);
}

int okno_checkpoint_open(const char *note, size_t len, const struct okno_note_key *key,
                         struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    struct okno_checkpoint checkpoint = {.size = 0};
    const char *line = NULL;
    size_t line_len = 0;
    size_t text_len = 0;
    int rc = okno_note_open(note, len, key, &text_len, err);
    if (rc < 0)
        return rc;
    const char *at = note;
    const char *end = note + text_len;
    bool whole = next_line(&at, end, &line, &line_len) && line_len < sizeof(checkpoint.origin);
    if (whole)
        memcpy(checkpoint.origin, line, line_len);
    whole = whole && next_line(&at, end, &line, &line_len) &&
            read_number(line, line_len, &checkpoint.size) &&
            checkpoint.size < INT64_C(1) << OKNO_TREE_LEVELS;
    whole = whole && next_line(&at, end, &line, &line_len) &&
            line_decode(line, line_len, checkpoint.root.bytes, sizeof(checkpoint.root.bytes));
    if (!whole || at != end)
        return okno_fail(err, OKNO_MALFORMED,
                         "this is no checkpoint: origin, size and root, one line each, are");
    if (strcmp(checkpoint.origin, key->name) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "the checkpoint is of another log: %s",
                         checkpoint.origin);
    *ret_checkpoint = checkpoint;
    return 0;
}

/* ---- proofs of entries ---- */

/* A first line, what is proven, hashes, a blank line, the checkpoint. */
static int write_proof(const char *first, const char *word, int64_t number,
                       const struct okno_proof *proof, const char *checkpoint, struct okno_buf *to,
                       struct okno_err *err)
{
    char base64[LINE_TEXT64];
    int rc = okno_buf_printf(to, err, "%s%s%lld\n", first, word, (long long)number);
    for (size_t i = 0; rc == 0 && i < proof->count; i++) {
        line_encode(proof->path[i].bytes, sizeof(proof->path[i].bytes), base64);
        rc = okno_buf_printf(to, err, "%s\n", base64);
    }
    return rc < 0 ? rc : okno_buf_printf(to, err, "\n%s", checkpoint);
}

int okno_tlog_proof_write(int64_t leaf, const struct okno_proof *proof, const char *checkpoint,
                          struct okno_buf *to, struct okno_err *err)
{
    return write_proof(PROOF, "index ", leaf, proof, checkpoint, to, err);
}

int okno_consistency_write(int64_t old, const struct okno_proof *proof, const char *checkpoint,
                           struct okno_buf *to, struct okno_err *err)
{
    return write_proof(CONSISTENCY, "old ", old, proof, checkpoint, to, err);
}

/* The head up to the blank line; *at is then where the checkpoint begins. */
static bool read_head(const char *first, const char *word, const char **at, const char *end,
                      int64_t *ret_number, struct okno_proof *proof)
{
    const char *line = NULL;
    size_t len = 0;
    size_t first_len = strlen(first);
    size_t word_len = strlen(word);
    if ((size_t)(end - *at) <= first_len || memcmp(*at, first, first_len) != 0)
        return false;
    *at += first_len;
    if (!next_line(at, end, &line, &len) || len <= word_len || memcmp(line, word, word_len) != 0 ||
        !read_number(line + word_len, len - word_len, ret_number))
        return false;
    while (next_line(at, end, &line, &len)) {
        if (len == 0)
            return true;
        if (proof->count == OKNO_PROOF_MAX ||
            !line_decode(line, len, proof->path[proof->count].bytes, OKNO_SHA256_BYTES))
            return false;
        proof->count++;
    }
    return false;
}

int okno_tlog_proof_check(const char *text, size_t len, const struct okno_note_key *key,
                          const struct okno_digest *leaf_hash, int64_t *ret_leaf,
                          struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    struct okno_proof proof = {.count = 0};
    struct okno_checkpoint checkpoint;
    int64_t leaf = 0;
    const char *at = text;
    const char *end = text + len;
    if (!read_head(PROOF, "index ", &at, end, &leaf, &proof))
        return okno_fail(err, OKNO_MALFORMED, "this is no proof of an entry");
    int rc = okno_checkpoint_open(at, (size_t)(end - at), key, &checkpoint, err);
    if (rc < 0)
        return rc;
    if (!okno_merkle_has(leaf, checkpoint.size, leaf_hash, &proof, &checkpoint.root))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "this entry is not number %lld of the log at size %lld", (long long)leaf,
                         (long long)checkpoint.size);
    *ret_leaf = leaf;
    *ret_checkpoint = checkpoint;
    return 0;
}

int okno_consistency_check(const char *text, size_t len, const struct okno_note_key *key,
                           const struct okno_checkpoint *old,
                           struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    struct okno_proof proof = {.count = 0};
    struct okno_checkpoint checkpoint;
    int64_t size = 0;
    const char *at = text;
    const char *end = text + len;
    if (!read_head(CONSISTENCY, "old ", &at, end, &size, &proof))
        return okno_fail(err, OKNO_MALFORMED, "this is no proof of consistency");
    int rc = okno_checkpoint_open(at, (size_t)(end - at), key, &checkpoint, err);
    if (rc < 0)
        return rc;
    if (size != old->size)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "this proof begins at %lld entries, the older checkpoint has %lld",
                         (long long)size, (long long)old->size);
    if (!okno_merkle_extends(old->size, checkpoint.size, &old->root, &checkpoint.root, &proof))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the log of %lld entries does not go on from the one of %lld: it was "
                         "forked or rewritten",
                         (long long)checkpoint.size, (long long)old->size);
    *ret_checkpoint = checkpoint;
    return 0;
}
