/* Whom the network object connects to, and how it knows that it is them. */
#define _GNU_SOURCE
#include "net_call.h"

#include "okno/post.h"

#include <string.h>
#include <sys/socket.h>

void net_gate_begin(struct net_gate *gate, const struct okno_net *net, const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    *gate = (struct net_gate){.rule = &net->rule, .public_only = net->public_only};
    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        (void)snprintf(gate->host, sizeof(gate->host), "%s", host);
    curl_free(host);
    curl_url_cleanup(parts);
}

/* FTP's data connections pass here too: a server cannot send us elsewhere. */
curl_socket_t net_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct net_gate *gate = arg;
    struct okno_err why = {0};
    (void)purpose;
    if (gate->public_only && okno_post_is_private(&address->addr)) {
        (void)!okno_fail(&gate->refused, OKNO_ARCHIVE_REFUSED,
                         "%.80s has a private address, and those are not allowed "
                         "(notify.private_addresses)",
                         gate->host);
        return CURL_SOCKET_BAD;
    }
    if (okno_address_check(gate->rule, gate->host, &address->addr, &why) < 0) {
        gate->refused = why;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode net_set_trust(struct okno_net *net, const struct okno_net_config *config)
{
    CURL *curl = net->curl;
    net->insecure = config->insecure;
    net->starttls = config->starttls;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, config->insecure ? 0L : 1L);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, config->insecure ? 0L : 2L);
    if (config->ca_file)
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca_file);
    if (config->pin)
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, config->pin);
    if (config->host_key)
        bad = bad ? bad
                  : curl_easy_setopt(curl, CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, config->host_key);
    if (config->known_hosts)
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_SSH_KNOWNHOSTS, config->known_hosts);
    if (config->key_file)
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_SSH_PRIVATE_KEYFILE, config->key_file);
    if (config->key_file && config->password && config->password[0])
        bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_KEYPASSWD, config->password);
    bad = bad ? bad
              : curl_easy_setopt(curl, CURLOPT_SSH_AUTH_TYPES,
                                 config->key_file
                                     ? (long)CURLSSH_AUTH_PUBLICKEY
                                     : (long)(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, net_open_socket);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &net->gate);
}
