#define _POSIX_C_SOURCE 200809L
#include "soap.h"

#include "probe.h"
#include "xml.h"

#include "okno/text.h"
#include "okno/time.h"

#include <sodium.h>
#include <string.h>

#define WSS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"

static const char envelope[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">";

static const char time_question[] =
    "<GetSystemDateAndTime xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/>";

/* --- SHA-1 ------------------------------------------------------------------------------------ */

static uint32_t turned(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

static void sha1_block(const uint8_t block[64], uint32_t h[5])
{
    uint32_t w[80];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20              ? (b & c) | (~b & d)
                     : i < 40 || i >= 60 ? b ^ c ^ d
                                         : (b & c) | (b & d) | (c & d);
        uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
        uint32_t next = turned(a, 5) + f + e + k + w[i];
        e = d;
        d = c;
        c = turned(b, 30);
        b = a;
        a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

void soap_sha1(const void *bytes, size_t len, uint8_t ret_digest[SOAP_SHA1])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *at = bytes;
    uint8_t last[128] = {0};
    size_t left = len;
    for (; left >= 64; at += 64, left -= 64)
        sha1_block(at, h);
    memcpy(last, at, left);
    last[left] = 0x80;
    size_t end = left < 56 ? 64 : 128;
    for (size_t i = 0; i < 8; i++)
        last[end - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
    for (size_t i = 0; i < end; i += 64)
        sha1_block(last + i, h);
    for (size_t i = 0; i < SOAP_SHA1; i++)
        ret_digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* --- logging in ------------------------------------------------------------------------------- */

int soap_login(const char *user, const char *password, const uint8_t nonce[16], int64_t created_us,
               struct okno_buf *into, struct okno_err *err)
{
    OKNO_AUTO_BUF secret = OKNO_BUF_INIT(4096);
    char created[OKNO_TIME_TEXT];
    char digest[SOAP_DIGEST], nonce_text[SOAP_DIGEST];
    uint8_t sha1[SOAP_SHA1];
    (void)okno_time_format(created_us, created);
    int rc = okno_buf_add(&secret, nonce, 16, err);
    if (rc == 0)
        rc = okno_buf_printf(&secret, err, "%s%s", created, password);
    if (rc < 0)
        return rc;
    soap_sha1(secret.data, secret.len, sha1);
    sodium_memzero(secret.data, secret.len);
    (void)sodium_bin2base64(digest, sizeof(digest), sha1, sizeof(sha1),
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_bin2base64(nonce_text, sizeof(nonce_text), nonce, 16,
                            sodium_base64_VARIANT_ORIGINAL);
    rc = okno_buf_add_text(into,
                           "<s:Header><Security s:mustUnderstand=\"1\" xmlns=\"" WSS
                           "wssecurity-secext-1.0.xsd\"><UsernameToken><Username>",
                           err);
    if (rc == 0)
        rc = xml_add(into, user, err);
    if (rc == 0)
        rc = okno_buf_printf(into, err,
                             "</Username><Password Type=\"" WSS
                             "username-token-profile-1.0#PasswordDigest\">%s</Password>"
                             "<Nonce EncodingType=\"" WSS
                             "soap-message-security-1.0#Base64Binary\">%s</Nonce>"
                             "<Created xmlns=\"" WSS
                             "wssecurity-utility-1.0.xsd\">%s</Created>"
                             "</UsernameToken></Security></s:Header>",
                             digest, nonce_text, created);
    return rc;
}

/* --- asking ----------------------------------------------------------------------------------- */

int soap_fault(const char *text, size_t len, struct okno_err *err)
{
    char codes[200] = "", reason[200] = "";
    enum xml_kind kind = XML_BROKEN;
    bool fault = false;
    okno_autofree struct xml *xml = malloc(sizeof(*xml));
    if (!xml)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an answer");
    xml_begin(xml, text, len);
    while ((kind = xml_next(xml)) == XML_OPEN || kind == XML_CLOSE) {
        fault = fault || (kind == XML_OPEN && xml_is(xml, kind, "Fault"));
        size_t used = strlen(codes);
        if (kind == XML_CLOSE && fault && xml_is(xml, kind, "Value"))
            (void)snprintf(codes + used, sizeof(codes) - used, " %.80s", xml->text);
        if (kind == XML_CLOSE && fault && xml_is(xml, kind, "Text") && !reason[0])
            (void)snprintf(reason, sizeof(reason), "%.199s", xml->text);
    }
    if (!fault)
        return 0;
    char shown[OKNO_TEXT_SHOWN];
    const char *said = reason[0] ? okno_text_show(reason, shown) : "no reason given";
    if (strstr(codes, "NotAuthorized") || strstr(codes, "FailedAuthentication"))
        return okno_fail(err, OKNO_ARCHIVE_AUTH,
                         "user or password refused, or the user may not do that (%s)", said);
    if (strstr(codes, "ActionNotSupported") || strstr(codes, "UnknownAction"))
        return okno_fail(err, OKNO_UNSUPPORTED, "the recorder does not do that (%s)", said);
    return okno_fail(err, OKNO_ARCHIVE_REFUSED, "the recorder refuses (%s)", said);
}

static int ask(struct soap *soap, const char *url, const char *body, bool login,
               struct okno_buf *answer, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(64 * 1024);
    struct okno_net_reply reply = {0};
    struct okno_err trouble = {0};
    uint8_t nonce[16];
    randombytes_buf(nonce, sizeof(nonce));
    int rc = okno_buf_add_text(&text, envelope, err);
    if (rc == 0 && login)
        rc = soap_login(soap->reach->user, soap->reach->password, nonce,
                        okno_time_now() + soap->offset_us, &text, err);
    if (rc == 0)
        rc = okno_buf_printf(&text, err, "<s:Body>%s</s:Body></s:Envelope>", body);
    if (rc < 0)
        return rc;
    const struct okno_net_ask question = {.url = url,
                                          .body = okno_buf_text(&text),
                                          .body_len = text.len,
                                          .content_type = "application/soap+xml; charset=utf-8"};
    okno_net_set_deadline(soap->reach->net, soap->reach->deadline_us);
    rc = okno_net_request(soap->reach->net, &question, answer, &reply, &trouble);
    /* Faults come with a status of 400 or 500, some with 200. */
    bool told =
        rc == 0 || rc == OKNO_ARCHIVE_REFUSED || rc == OKNO_TRANSIENT || rc == OKNO_ARCHIVE_AUTH;
    int fault = told ? soap_fault(okno_buf_text(answer), answer->len, err) : 0;
    return fault < 0 ? fault : rc < 0 ? okno_fail_from(err, &trouble) : 0;
}

int soap_time(struct soap *soap, int64_t *ret_us, struct okno_err *err)
{
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(SOAP_ANSWER);
    int rc = ask(soap, soap->device, time_question, false, &answer, err);
    return rc < 0 ? rc : probe_onvif_time(okno_buf_text(&answer), answer.len, ret_us, err);
}

/* Devices refuse a token whose time is not theirs. One that does not tell it is taken to be right.
 */
static void learn_time(struct soap *soap)
{
    int64_t told_us = 0;
    soap->offset_us = 0;
    if (soap_time(soap, &told_us, NULL) == 0)
        soap->offset_us = told_us + OKNO_SECOND_US / 2 - okno_time_now();
    soap->timed = true;
}

int soap_ask(struct soap *soap, const char *url, const char *body, struct okno_buf *answer,
             struct okno_err *err)
{
    struct okno_err trouble = {0};
    bool login = soap->reach->user[0];
    bool fresh = login && !soap->timed;
    if (fresh)
        learn_time(soap);
    int rc = ask(soap, url, body, login, answer, &trouble);
    if (rc == OKNO_ARCHIVE_AUTH && login && !fresh) { /* its clock may have been set meanwhile */
        learn_time(soap);
        trouble = (struct okno_err){0};
        rc = ask(soap, url, body, login, answer, &trouble);
    }
    return rc < 0 ? okno_fail_from(err, &trouble) : 0;
}
