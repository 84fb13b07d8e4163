#define _POSIX_C_SOURCE 200809L
/* Time stamps. Everything of OpenSSL that okno uses is in this file. */
#include "okno/stamp.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

enum { CERTIFICATES_MAX = 64 };

/* As OKNO_CLEANUP, for names that are no struct's. */
#define SSL_CLEANUP(type, destroy)                                                                 \
    static inline void type##_cleanup_at(type **at)                                                \
    {                                                                                              \
        destroy(*at);                                                                              \
    }
#define SSL_AUTO(type) __attribute__((cleanup(type##_cleanup_at))) type

SSL_CLEANUP(TS_REQ, TS_REQ_free)
SSL_CLEANUP(TS_RESP, TS_RESP_free)
SSL_CLEANUP(TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
SSL_CLEANUP(TS_VERIFY_CTX, TS_VERIFY_CTX_free)
SSL_CLEANUP(X509_ALGOR, X509_ALGOR_free)
SSL_CLEANUP(ASN1_INTEGER, ASN1_INTEGER_free)
SSL_CLEANUP(ASN1_OBJECT, ASN1_OBJECT_free)
SSL_CLEANUP(BIGNUM, BN_free)
SSL_CLEANUP(BIO, BIO_free_all)

static int no_memory(struct okno_err *err)
{
    ERR_clear_error();
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for a time stamp");
}

/* ---- request ---- */

static TS_MSG_IMPRINT *make_imprint(const uint8_t digest[OKNO_SHA256_BYTES])
{
    SSL_AUTO(TS_MSG_IMPRINT) *imprint = TS_MSG_IMPRINT_new();
    SSL_AUTO(X509_ALGOR) *algorithm = X509_ALGOR_new();
    uint8_t bytes[OKNO_SHA256_BYTES];
    memcpy(bytes, digest, sizeof(bytes));
    if (!imprint || !algorithm ||
        !X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) ||
        !TS_MSG_IMPRINT_set_algo(imprint, algorithm) ||
        !TS_MSG_IMPRINT_set_msg(imprint, bytes, sizeof(bytes)))
        return NULL;
    return okno_mem_take(&imprint);
}

static bool set_nonce(TS_REQ *request, char ret_nonce[OKNO_STAMP_NONCE_TEXT])
{
    uint8_t bytes[8];
    randombytes_buf(bytes, sizeof(bytes));
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* as many digits always, and positive */
    (void)sodium_bin2hex(ret_nonce, OKNO_STAMP_NONCE_TEXT, bytes, sizeof(bytes));
    SSL_AUTO(BIGNUM) *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    SSL_AUTO(ASN1_INTEGER) *nonce = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    return nonce && TS_REQ_set_nonce(request, nonce);
}

static int set_policy(TS_REQ *request, const char *policy, struct okno_err *err)
{
    if (!policy || !*policy)
        return 0;
    SSL_AUTO(ASN1_OBJECT) *object = OBJ_txt2obj(policy, 1);
    if (object && TS_REQ_set_policy_id(request, object))
        return 0;
    ERR_clear_error();
    return okno_fail_field(err, OKNO_INVALID, "policy",
                           "policy `%.60s` is no OID such as 1.3.6.1.4.1.13762.3", policy);
}

int okno_stamp_request(const uint8_t digest[OKNO_SHA256_BYTES], const char *policy,
                       char ret_nonce[OKNO_STAMP_NONCE_TEXT], struct okno_buf *to,
                       struct okno_err *err)
{
    SSL_AUTO(TS_REQ) *request = TS_REQ_new();
    SSL_AUTO(TS_MSG_IMPRINT) *imprint = make_imprint(digest);
    if (!request || !imprint || !TS_REQ_set_version(request, 1) ||
        !TS_REQ_set_msg_imprint(request, imprint) || !TS_REQ_set_cert_req(request, 1) ||
        !set_nonce(request, ret_nonce))
        return no_memory(err);
    int rc = set_policy(request, policy, err);
    if (rc < 0)
        return rc;
    unsigned char *der = NULL;
    int len = i2d_TS_REQ(request, &der);
    if (len <= 0)
        return no_memory(err);
    rc = okno_buf_add(to, der, (size_t)len, err);
    OPENSSL_free(der);
    return rc;
}

/* ---- what a reply says ---- */

static TS_RESP *parse(const void *reply, size_t len)
{
    const unsigned char *at = reply;
    if (len == 0 || len > OKNO_STAMP_BYTES_MAX)
        return NULL;
    TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)len);
    ERR_clear_error();
    if (response && at == (const unsigned char *)reply + len)
        return response;
    TS_RESP_free(response);
    return NULL;
}

static int check_status(TS_RESP *response, struct okno_err *err)
{
    const TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
    long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
    const STACK_OF(ASN1_UTF8STRING) *words = TS_STATUS_INFO_get0_text(info);
    if (status == TS_STATUS_GRANTED || status == TS_STATUS_GRANTED_WITH_MODS)
        return 0;
    const ASN1_UTF8STRING *first =
        sk_ASN1_UTF8STRING_num(words) > 0 ? sk_ASN1_UTF8STRING_value(words, 0) : NULL;
    return okno_fail(
        err, OKNO_REFUSED, "the time stamping authority refused (status %ld): %.*s", status,
        first ? (ASN1_STRING_length(first) < 200 ? ASN1_STRING_length(first) : 200) : 12,
        first ? (const char *)ASN1_STRING_get0_data(first) : "without why");
}

/* Accuracy is told by few; milliseconds are part of the time's text. */
static bool read_time(const TS_TST_INFO *info, int64_t *ret_us)
{
    const ASN1_GENERALIZEDTIME *time = TS_TST_INFO_get_time(info);
    struct tm tm = {0};
    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return false;
    const struct okno_civil civil = {.year = tm.tm_year + 1900,
                                     .month = tm.tm_mon + 1,
                                     .day = tm.tm_mday,
                                     .hour = tm.tm_hour,
                                     .minute = tm.tm_min,
                                     .second = tm.tm_sec};
    *ret_us = okno_time_from_civil(&civil);
    return true;
}

static bool read_digest(TS_TST_INFO *info, uint8_t ret_digest[OKNO_SHA256_BYTES])
{
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
    X509_ALGOR *algorithm = imprint ? TS_MSG_IMPRINT_get_algo(imprint) : NULL;
    const ASN1_OCTET_STRING *message = imprint ? TS_MSG_IMPRINT_get_msg(imprint) : NULL;
    const ASN1_OBJECT *name = NULL;
    if (!algorithm || !message)
        return false;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    if (OBJ_obj2nid(name) != NID_sha256 || ASN1_STRING_length(message) != OKNO_SHA256_BYTES)
        return false;
    memcpy(ret_digest, ASN1_STRING_get0_data(message), OKNO_SHA256_BYTES);
    return true;
}

static void read_nonce(const TS_TST_INFO *info, char ret_nonce[OKNO_STAMP_NONCE_TEXT])
{
    const ASN1_INTEGER *nonce = TS_TST_INFO_get_nonce(info);
    uint8_t bytes[8];
    ret_nonce[0] = '\0';
    SSL_AUTO(BIGNUM) *number = nonce ? ASN1_INTEGER_to_BN(nonce, NULL) : NULL;
    if (number && !BN_is_negative(number) && BN_num_bytes(number) <= 8 &&
        BN_bn2binpad(number, bytes, sizeof(bytes)) == sizeof(bytes))
        (void)sodium_bin2hex(ret_nonce, OKNO_STAMP_NONCE_TEXT, bytes, sizeof(bytes));
}

/* The certificate that the reply says it was signed by; NULL where it has none. */
static void read_authority(PKCS7 *token, char ret_name[OKNO_STAMP_NAME_TEXT])
{
    STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
    ret_name[0] = '\0';
    if (sk_X509_num(signers) > 0)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(sk_X509_value(signers, 0)),
                                        NID_commonName, ret_name, OKNO_STAMP_NAME_TEXT);
    sk_X509_free(signers);
    ERR_clear_error();
    for (char *at = ret_name; *at; at++) /* shown on terminals */
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '?';
}

static int read_token(TS_RESP *response, struct okno_stamp *ret_stamp, struct okno_err *err)
{
    TS_TST_INFO *info = TS_RESP_get_tst_info(response);
    PKCS7 *token = TS_RESP_get_token(response);
    struct okno_stamp stamp = {.at_us = 0};
    if (!info || !token || !read_time(info, &stamp.at_us))
        return okno_fail(err, OKNO_MALFORMED, "the time stamp is broken");
    if (!read_digest(info, stamp.digest))
        return okno_fail(err, OKNO_MALFORMED, "the time stamp is not over a SHA-256");
    read_nonce(info, stamp.nonce);
    read_authority(token, stamp.authority);
    (void)OBJ_obj2txt(stamp.policy, sizeof(stamp.policy), TS_TST_INFO_get_policy_id(info), 1);
    *ret_stamp = stamp;
    return 0;
}

int okno_stamp_read(const void *reply, size_t len, struct okno_stamp *ret_stamp,
                    struct okno_err *err)
{
    SSL_AUTO(TS_RESP) *response = parse(reply, len);
    if (!response)
        return okno_fail(err, OKNO_MALFORMED, "this is no time stamp reply (RFC 3161)");
    int rc = check_status(response, err);
    return rc == 0 ? read_token(response, ret_stamp, err) : rc;
}

/* ---- verification ---- */

static int load_roots(const char *pem, X509_STORE *store, struct okno_err *err)
{
    SSL_AUTO(BIO) *text = BIO_new_mem_buf(pem, -1);
    int count = 0;
    X509 *certificate;
    while (text && count < CERTIFICATES_MAX &&
           (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        (void)X509_STORE_add_cert(store, certificate);
        X509_free(certificate);
        count++;
    }
    ERR_clear_error();
    return count > 0 ? 0
                     : okno_fail(err, OKNO_INVALID,
                                 "the file of trusted certificates holds none: PEM is read");
}

static int check_want(const struct okno_stamp *stamp, const struct okno_stamp_want *want,
                      struct okno_err *err)
{
    char theirs[OKNO_SHA256_TEXT];
    if (memcmp(stamp->digest, want->digest, OKNO_SHA256_BYTES) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "the time stamp is over another text: SHA-256 %s",
                         okno_hash_hex(stamp->digest, theirs));
    if (want->nonce && strcmp(stamp->nonce, want->nonce) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the time stamp answers another request: its nonce is %s, not %s",
                         stamp->nonce[0] ? stamp->nonce : "missing", want->nonce);
    if (want->policy && *want->policy && strcmp(stamp->policy, want->policy) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "the time stamp was made under policy %s, not %s",
                         stamp->policy, want->policy);
    return 0;
}

/* Signature and chain, at the time of the stamp: what was right then stays right when the
 * certificate has expired. */
static int check_chain(TS_RESP *response, const char *ca, int64_t at_us, struct okno_err *err)
{
    SSL_AUTO(TS_VERIFY_CTX) *context = TS_VERIFY_CTX_new();
    X509_STORE *store = X509_STORE_new();
    if (!context || !store) {
        X509_STORE_free(store);
        return no_memory(err);
    }
    (void)TS_VERIFY_CTX_set_store(context, store); /* owns it from here */
    int rc = load_roots(ca, store, err);
    if (rc < 0)
        return rc;
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(at_us / OKNO_SECOND_US));
    (void)TS_VERIFY_CTX_set_flags(context, TS_VFY_SIGNATURE | TS_VFY_VERSION);
    if (TS_RESP_verify_response(context, response))
        return 0;
    unsigned long code = ERR_peek_last_error();
    const char *data = NULL;
    int flags = 0;
    (void)ERR_peek_last_error_data(&data, &flags);
    rc = okno_fail(err, OKNO_CHECK_FAILED,
                   "the time stamp is not by a trusted authority: %s%s%.100s",
                   code ? ERR_reason_error_string(code) : "its signature is wrong",
                   data && *data ? ": " : "", data && (flags & ERR_TXT_STRING) ? data : "");
    ERR_clear_error();
    return rc;
}

int okno_stamp_check(const void *reply, size_t len, const struct okno_stamp_want *want,
                     struct okno_stamp *ret_stamp, struct okno_err *err)
{
    struct okno_stamp stamp = {0};
    SSL_AUTO(TS_RESP) *response = parse(reply, len);
    if (!response)
        return okno_fail(err, OKNO_MALFORMED, "this is no time stamp reply (RFC 3161)");
    int rc = check_status(response, err);
    if (rc == 0)
        rc = read_token(response, &stamp, err);
    if (rc == 0)
        rc = check_want(&stamp, want, err);
    if (rc == 0)
        rc = check_chain(response, want->ca, stamp.at_us, err);
    if (rc == 0)
        *ret_stamp = stamp;
    return rc;
}
