/* Logging in and out, and who asks. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/gold.h"
#include "okno/grant.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* A stranger must not lock anybody out: one address alone never reaches a user's total. */
enum { PAIR_FAILURES = 5, ADDRESS_FAILURES = 20, USER_FAILURES = 40, LOGIN_WAIT_S = 5 };

static bool is_secure(const struct http_service *service)
{
    return strncmp(service->public_url, "https://", 8) == 0;
}

/* Over https the one that browsers take from this very host alone, so that no other site of the
 * same domain decides whose session it is: RFC 6265bis, "__Host-". */
static const char *cookie_name(const struct http_service *service)
{
    return is_secure(service) ? "__Host-okno_session" : "okno_session";
}

/* The value of our cookie in a Cookie header; false when absent or not 64 hex digits. */
static bool find_token(const char *header, const char *name, char ret_token[OKNO_TOKEN_TEXT])
{
    size_t name_len = strlen(name);
    for (const char *at = header ? header : ""; *at;) {
        at += strspn(at, " ;");
        size_t len = strcspn(at, ";");
        if (len == name_len + 1 + OKNO_TOKEN_TEXT - 1 && memcmp(at, name, name_len) == 0 &&
            at[name_len] == '=' && strspn(at + name_len + 1, "0123456789abcdef") >= 64) {
            memcpy(ret_token, at + name_len + 1, 64);
            ret_token[64] = '\0';
            return true;
        }
        at += len;
    }
    return false;
}

int http_session_load(struct http_request *request, struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT];
    struct okno_err why = {0};
    if (!find_token(http_header(request, "Cookie"), cookie_name(request->service), token))
        return 0;
    int rc = okno_session_find(request->db, token, okno_time_now(), &request->who, &why);
    if (rc == OKNO_UNAUTHENTICATED)
        return 0;
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    request->role = http_role_of(request->who.role);
    memcpy(request->token, token, sizeof(token));
    return 0;
}

static void set_cookie(const struct http_service *service, struct http_reply *reply,
                       const char *token, int64_t age_us)
{
    http_reply_header(reply, "Set-Cookie",
                      "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                      cookie_name(service), token, (long long)(age_us / OKNO_SECOND_US),
                      is_secure(service) ? "; Secure" : "");
}

static int reply_me(const struct http_request *request, struct http_reply *reply,
                    struct okno_err *err)
{
    const struct okno_user *who = &request->who;
    const char *language = *who->language ? who->language : request->service->language;
    bool chosen = strcmp(language, "browser") != 0;
    okno_autofree char *sites = NULL;
    bool lead = false;
    int rc = okno_grant_sites(request->db, who->user, who->role, &sites, err);
    if (rc == 0)
        rc = okno_review_is_lead(request->db, who->user, &lead, err);
    if (rc < 0)
        return rc;
    return http_reply_json(reply,
                           json_pack("{s:b, s:o, s:s, s:o, s:s, s:o}", "lead", (int)lead, "sites",
                                     sites ? json_loads(sites, 0, NULL) : json_null(), "user",
                                     who->user, "name", okno_json_text(who->name), "role",
                                     who->role, "language",
                                     okno_json_text(chosen ? language : NULL)),
                           err);
}

/* A name from an address (an IPv6 network counts as one), as one key. */
static void pair_of(const struct http_request *request, const char *user,
                    char ret_key[HTTP_LIMITER_KEY_MAX])
{
    (void)snprintf(ret_key, HTTP_LIMITER_KEY_MAX, "%.64s@%.60s", user, request->network);
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Keys of the limiter: the name as typed from this address, the address, and the name. */
static int check_limits(const struct http_request *request, const char *user,
                        struct http_reply *reply, struct okno_err *err)
{
    struct http_service *service = request->service;
    char pair[HTTP_LIMITER_KEY_MAX];
    int64_t now_us = okno_time_monotonic();
    pair_of(request, user, pair);
    (void)pthread_mutex_lock(&service->limiter_lock);
    int64_t wait_us = http_limiter_wait_us(&service->pairs, pair, PAIR_FAILURES, now_us);
    wait_us = longer(wait_us, http_limiter_wait_us(&service->users, user, USER_FAILURES, now_us));
    wait_us = longer(wait_us, http_limiter_wait_us(&service->addresses, request->network,
                                                   ADDRESS_FAILURES, now_us));
    (void)pthread_mutex_unlock(&service->limiter_lock);
    if (wait_us == 0)
        return 0;
    long long wait_s = (long long)(wait_us / OKNO_SECOND_US + 1);
    http_reply_header(reply, "Retry-After", "%lld", wait_s);
    return okno_fail(err, OKNO_TOO_MANY, "too many wrong passwords: wait %lld s", wait_s);
}

static void count_login(const struct http_request *request, const char *user, bool good)
{
    struct http_service *service = request->service;
    char pair[HTTP_LIMITER_KEY_MAX];
    int64_t now_us = okno_time_monotonic();
    pair_of(request, user, pair);
    (void)pthread_mutex_lock(&service->limiter_lock);
    if (good) {
        http_limiter_clear(&service->pairs, pair);
    } else {
        http_limiter_fail(&service->pairs, pair, now_us);
        http_limiter_fail(&service->users, user, now_us);
        http_limiter_fail(&service->addresses, request->network, now_us);
    }
    (void)pthread_mutex_unlock(&service->limiter_lock);
}

static int lock_login(struct http_service *service, struct okno_err *err)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOGIN_WAIT_S;
    if (pthread_mutex_timedlock(&service->login_lock, &until) != 0)
        return okno_fail(err, OKNO_BUSY, "many people are logging in, try again");
    return 0;
}

/* One at a time: the limits are read and counted with no other try in between, and hashing takes
 * much memory on purpose. */
static int try_password(struct http_request *request, const char *user, const char *password,
                        struct http_reply *reply, struct okno_err *err)
{
    int rc = lock_login(request->service, err);
    if (rc < 0)
        return rc;
    rc = check_limits(request, user, reply, err);
    if (rc == 0) {
        rc = okno_user_verify(request->db, user, password, &request->who, err);
        if (rc == 0 || rc == OKNO_UNAUTHENTICATED)
            count_login(request, user, rc == 0);
    }
    (void)pthread_mutex_unlock(&request->service->login_lock);
    return rc;
}

int http_post_login(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *user = json_string_value(json_object_get(request->body, "user"));
    const char *password = json_string_value(json_object_get(request->body, "password"));
    int64_t age_us = request->service->session_us;
    char token[OKNO_TOKEN_TEXT];
    int rc = try_password(request, user, password, reply, err);
    if (rc == 0)
        rc = okno_session_create(request->db, request->who.user, age_us, okno_time_now(), token,
                                 err);
    if (rc < 0)
        return rc;
    set_cookie(request->service, reply, token, age_us);
    return reply_me(request, reply, err);
}

int http_post_logout(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int rc = okno_session_delete(request->db, request->token, err);
    set_cookie(request->service, reply, "", 0);
    reply->status = 204;
    return rc;
}

int http_get_me(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return reply_me(request, reply, err);
}

int http_post_me(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *language = json_string_value(json_object_get(request->body, "language"));
    int rc = okno_user_set_language(request->db, request->who.user, language, err);
    if (rc < 0)
        return rc;
    (void)snprintf(request->who.language, sizeof(request->who.language), "%s", language);
    return reply_me(request, reply, err);
}
