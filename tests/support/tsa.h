/* A time stamping authority of `openssl ts` in a folder of its own, with its root, and another root
 * that knows nothing of it. */
#ifndef TESTS_SUPPORT_TSA_H
#define TESTS_SUPPORT_TSA_H

#include <stdio.h>
#include <stdlib.h>

static const char tsa_conf[] =
    "oid_section = oids\n[oids]\np1 = 1.2.3.4.1\np2 = 1.2.3.4.2\n"
    "[req]\ndistinguished_name = dn\n[dn]\n"
    "[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n"
    "[leaf]\nextendedKeyUsage = critical, timeStamping\nkeyUsage = critical, digitalSignature\n"
    "[web]\nextendedKeyUsage = serverAuth\n"
    "[tsa]\ndefault_tsa = one\n"
    "[one]\nserial = serial\ncrypto_device = builtin\nsigner_cert = tsa.pem\ncerts = tsa.pem\n"
    "signer_key = tsa.key\nsigner_digest = sha256\ndefault_policy = p1\nother_policies = p2\n"
    "digests = sha256\naccuracy = secs:1\nordering = yes\ness_cert_id_alg = sha256\n";

/* 0 when all is made. */
static inline int tsa_make(const char *folder)
{
    char line[3000];
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/tsa.conf", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    (void)fputs(tsa_conf, file);
    (void)fclose(file);
    int len = snprintf(
        line, sizeof(line),
        "cd %s && { echo 01 > serial; for r in root other; do openssl req -x509 -newkey ec "
        "-pkeyopt "
        "ec_paramgen_curve:prime256v1 -nodes -keyout $r.key -out $r.pem -days 3650 -subj "
        "\"/CN=$r\" "
        "-config tsa.conf -extensions ca || exit 1; done;"
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tsa.key -out "
        "tsa.csr -subj '/CN=Time of tests' -config tsa.conf && openssl x509 -req -in tsa.csr -CA "
        "root.pem -CAkey root.key -set_serial 2 -days 3650 -out tsa.pem -extfile tsa.conf "
        "-extensions leaf; } > /dev/null 2>&1",
        folder);
    return len < (int)sizeof(line) ? system(line) : -1;
}

#endif
