/* Questions to ONVIF services: SOAP 1.2 with a WS-Security user name token, whose digest wants the
 * device's own time. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_SOAP_H
#define OKNO_VIDEO_ARCHIVE_SOAP_H

#include "reach.h"

enum { SOAP_ANSWER = 8 * 1024 * 1024, SOAP_DIGEST = 32, SOAP_SHA1 = 20 };

struct soap {
    struct reach *reach; /* HTTP's own Digest is in it, too: devices ask for one, or both */
    const char *device;  /* URL of the device service, where its time is asked */
    int64_t offset_us;   /* device - ours */
    bool timed;          /* asked once */
};

/* Ask `body`, the inside of s:Body, of a service at `url`. Faults: OKNO_ARCHIVE_AUTH for those that
 * name the login, OKNO_UNSUPPORTED for a question it does not know, else OKNO_ARCHIVE_REFUSED. */
OKNO_CHECK int soap_ask(struct soap *soap, const char *url, const char *body,
                        struct okno_buf *answer, struct okno_err *err);

/* The device's time, as GetSystemDateAndTime tells it without a login: whole seconds. */
OKNO_CHECK int soap_time(struct soap *soap, int64_t *ret_us, struct okno_err *err);

/* Append the header that logs a user in. `nonce`: 16 random bytes. Pure. */
OKNO_CHECK int soap_login(const char *user, const char *password, const uint8_t nonce[16],
                          int64_t created_us, struct okno_buf *into, struct okno_err *err);

/* SHA-1 (RFC 3174): what the token's digest is made with; for nothing else. Pure. */
void soap_sha1(const void *bytes, size_t len, uint8_t ret_digest[SOAP_SHA1]);

/* What a fault means, with its reason; 0 when the text is none. Pure. */
int soap_fault(const char *text, size_t len, struct okno_err *err);

#endif
