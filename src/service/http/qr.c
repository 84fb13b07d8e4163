/* A customer's phone at a code on paper: the question as a plain page, the answer as an event of
 * the code's virtual device with the channel qr; and the codes for those who print them. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/panel.h"
#include "okno/qr.h"
#include "okno/time.h"
#include "rights.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { PHONE_PAUSE_S = 300, PAGE_MAX = 1 << 16, MARK_TEXT = 24 + 2 * crypto_auth_BYTES };

/* ---- the page ---- */

enum word { YES, NO, UNSURE, THANKS, PRIVACY, WAIT, GONE, QUIET, BUSY, SCAN, WORDS };
static const char *const words[2][WORDS] = {
    {"Yes", "No", "Hard to say", "Thank you for your answer!",
     "Anonymous. The answer, its time and this place are stored; nothing about you or your phone.",
     "This phone has answered here already. You can answer again in %d min.",
     "This code is no longer in use.", "There is no question here at the moment.",
     "Many people are answering right now. Please try again in %d s.",
     "Point your phone's camera at the code"},
    {"Да", "Нет", "Затрудняюсь ответить", "Спасибо за ответ!",
     "Анонимно. Хранятся ответ, его время и это место; о вас и вашем телефоне — ничего.",
     "С этого телефона здесь уже ответили. Снова ответить можно через %d мин.",
     "Этот код больше не действует.", "Сейчас здесь нет вопроса.",
     "Сейчас отвечают многие. Повторите, пожалуйста, через %d с.",
     "Наведите камеру телефона на код"},
};

struct page {
    struct okno_qr_code code;
    struct okno_panel_segment segment; /* text "" without a question */
    bool russian;
};

static const char *word(const struct page *page, enum word which)
{
    return words[page->russian][which];
}

static int add_escaped(struct okno_buf *to, const char *text, struct okno_err *err)
{
    int rc = 0;
    for (; rc == 0 && *text; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        rc = entity ? okno_buf_add_text(to, entity, err) : okno_buf_add(to, text, 1, err);
    }
    return rc;
}

static int begin(struct http_reply *reply, const struct page *page, struct okno_err *err)
{
    reply->type = "text/html; charset=utf-8";
    http_reply_header(reply, "Content-Security-Policy",
                      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                      "frame-ancestors 'none'; base-uri 'none'");
    /* Without it browsers send forms from nowhere, and they would be refused. */
    http_reply_header(reply, "Referrer-Policy", "same-origin");
    return okno_buf_printf(
        &reply->body, err,
        "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">"
        "<meta name=\"color-scheme\" content=\"light dark\"><title>okno</title>"
        "<link rel=\"stylesheet\" href=\"/q.css\"></head><body><main>",
        page->russian ? "ru" : "en");
}

static int heading(struct http_reply *reply, const char *text, struct okno_err *err)
{
    int rc = okno_buf_add_text(&reply->body, "<h1>", err);
    if (rc == 0)
        rc = add_escaped(&reply->body, text, err);
    return rc < 0 ? rc : okno_buf_add_text(&reply->body, "</h1>", err);
}

static int end(struct http_reply *reply, struct okno_err *err)
{
    return okno_buf_add_text(&reply->body, "</main></body></html>\n", err);
}

static int message(struct http_reply *reply, const struct page *page, int status, const char *text,
                   struct okno_err *err)
{
    reply->status = status;
    int rc = begin(reply, page, err);
    if (rc == 0)
        rc = heading(reply, text, err);
    return rc < 0 ? rc : end(reply, err);
}

static int message_wait(struct http_reply *reply, const struct page *page, int status,
                        enum word which, int64_t wait_s, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(PAGE_MAX);
    bool minutes = which == WAIT;
    int shown = (int)(minutes ? (wait_s + 59) / 60 : wait_s);
    const char *form = word(page, which);
    const char *gap = strstr(form, "%d");
    int rc = okno_buf_printf(&text, err, "%.*s%d%s", (int)(gap - form), form, shown, gap + 2);
    http_reply_header(reply, "Retry-After", "%d", (int)wait_s);
    return rc < 0 ? rc : message(reply, page, status, okno_buf_text(&text), err);
}

static int question_page(struct http_reply *reply, const struct page *page, struct okno_err *err)
{
    static const char *const names[] = {"yes", "no", "unsure"};
    int rc = begin(reply, page, err);
    if (rc == 0)
        rc = heading(reply, page->segment.question.text, err);
    if (rc == 0)
        rc = okno_buf_printf(&reply->body, err, "<form method=\"post\" action=\"/q/%s\">",
                             page->code.code);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = okno_buf_printf(
            &reply->body, err,
            "<button class=\"%s\" name=\"answer\" value=\"%s\"><b aria-hidden=\"true\">%s</b>%s"
            "</button>",
            names[i], names[i],
            i == 0   ? "+"
            : i == 1 ? "−"
                     : "±",
            word(page, (enum word)i));
    if (rc == 0)
        rc = okno_buf_printf(&reply->body, err, "</form><p>%s</p>", word(page, PRIVACY));
    return rc < 0 ? rc : end(reply, err);
}

/* ---- which code, which question ---- */

static bool prefers_russian(const struct http_request *request)
{
    const char *accepted = http_header(request, "Accept-Language");
    return strcmp(request->service->language, "ru") == 0 ||
           (accepted && strncmp(accepted, "ru", 2) == 0);
}

/* *ret_page is good for messages in any case. */
static int load(struct http_request *request, struct page *ret_page, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_panel_segment_vec) segments = {0};
    int64_t now_us = okno_time_now();
    *ret_page = (struct page){.russian = prefers_russian(request)};
    int rc = request->db ? 0 : http_pool_take(&request->service->pool, &request->db, err);
    if (rc == 0)
        rc = okno_qr_code_find(request->db, request->params[0], &ret_page->code, err);
    if (rc == 0)
        rc = okno_panel_schedule(request->db, ret_page->code.point, now_us, now_us + 1, &segments,
                                 err);
    if (rc == 0 && segments.len) {
        ret_page->segment = segments.items[0];
        ret_page->russian = strcmp(ret_page->segment.language, "ru") == 0;
    }
    return rc;
}

/* A stranger is told in words; what is not the stranger's fault goes the usual way. */
static int refuse(struct http_reply *reply, const struct page *page, int rc, struct okno_err *err)
{
    if (rc != OKNO_NOT_FOUND && rc != OKNO_GONE)
        return rc;
    okno_err_clear(err);
    return message(reply, page, okno_code_info(rc)->http_status, word(page, GONE), err);
}

/* ---- one answer a phone ---- */

static void make_mark(const struct okno_qr_code *code, int64_t at_s, char ret_mark[MARK_TEXT])
{
    char text[64];
    unsigned char mac[crypto_auth_BYTES];
    char hex[2 * crypto_auth_BYTES + 1];
    int len = snprintf(text, sizeof(text), "%s %lld", code->code, (long long)at_s);
    (void)crypto_auth(mac, (const unsigned char *)text, (unsigned long long)len, code->secret);
    (void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    (void)snprintf(ret_mark, MARK_TEXT, "%lld.%s", (long long)at_s, hex);
}

/* When the phone last answered here by a mark of ours; 0 without one. */
static int64_t marked_at(const struct http_request *request, const struct okno_qr_code *code)
{
    static const char name[] = "okno_qr=";
    char made[MARK_TEXT];
    const char *cookies = http_header(request, "Cookie");
    const char *at = cookies ? strstr(cookies, name) : NULL;
    if (!at)
        return 0;
    at += sizeof(name) - 1;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 12)
        return 0;
    int64_t at_s = strtoll(at, NULL, 10);
    make_mark(code, at_s, made);
    size_t len = strlen(made);
    return strcspn(at, "; ") == len && sodium_memcmp(at, made, len) == 0 ? at_s : 0;
}

/* Seconds until the phone may answer here again; 0 for now. */
static int64_t wait_of(const struct http_request *request, const struct okno_qr_code *code)
{
    int64_t since_s = okno_time_now() / OKNO_SECOND_US - marked_at(request, code);
    return since_s >= 0 && since_s < PHONE_PAUSE_S ? PHONE_PAUSE_S - since_s : 0;
}

/* ---- the question ---- */

/* Who has answered is told so at once, not after another answer. */
int http_get_qr(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct page page;
    int64_t wait_s = 0;
    int rc = load(request, &page, err);
    if (rc < 0)
        return refuse(reply, &page, rc, err);
    if (http_query(request, "done"))
        return message(reply, &page, 200, word(&page, THANKS), err);
    wait_s = wait_of(request, &page.code);
    if (wait_s > 0)
        return message_wait(reply, &page, 200, WAIT, wait_s, err);
    if (!*page.segment.question.text)
        return message(reply, &page, 200, word(&page, QUIET), err);
    return question_page(reply, &page, err);
}

/* ---- floods ---- */

/* Seconds to wait, 0 for none. */
static int64_t take_turn(const struct http_request *request, const struct okno_qr_code *code)
{
    struct http_service *service = request->service;
    int64_t now_us = okno_time_monotonic();
    (void)pthread_mutex_lock(&service->limiter_lock);
    int64_t wait_us = http_rate_take(&service->phones, request->network, now_us);
    if (wait_us == 0)
        wait_us = http_rate_take(&service->codes, code->code, now_us);
    (void)pthread_mutex_unlock(&service->limiter_lock);
    return (wait_us + OKNO_SECOND_US - 1) / OKNO_SECOND_US;
}

/* ---- the answer ---- */

/* Under qr_lock: the number after the last that is stored, so that none is missing or used twice.
 */
static int store_next(struct http_request *request, const struct okno_qr_code *code,
                      const char *answer, struct okno_err *err)
{
    char at[OKNO_TIME_TEXT];
    int64_t seq = 0;
    int64_t now_us = okno_time_now();
    int rc = OKNO_DB_INT(request->db, "service.next_qr_seq", 1, &seq, err,
                         OKNO_TEXT("device", code->device));
    if (rc < 0)
        return rc;
    okno_autojson json_t *item =
        json_pack("{s:I, s:s, s:s, s:s}", "seq", (json_int_t)seq, "time",
                  okno_time_format(now_us, at), "kind", answer, "channel", "qr");
    okno_autojson json_t *results = json_array();
    struct http_intake_batch batch = {.device = code->device,
                                      .items = item,
                                      .has_now = true, /* the device's clock is ours */
                                      .now_us = now_us,
                                      .arrived_us = now_us,
                                      .results = results};
    if (!item || !results)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an answer");
    rc = http_intake_store(&request->service->intake, request->db, &batch, err);
    if (rc == 0 && batch.added != 1)
        rc = okno_fail(err, OKNO_FAILED, "an answer of %s was not added", code->device);
    return rc;
}

static int store(struct http_request *request, const struct okno_qr_code *code, const char *answer,
                 struct okno_err *err)
{
    (void)pthread_mutex_lock(&request->service->qr_lock);
    int rc = store_next(request, code, answer, err);
    (void)pthread_mutex_unlock(&request->service->qr_lock);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc;
}

static int thank(struct http_request *request, struct http_reply *reply,
                 const struct okno_qr_code *code, int64_t now_s)
{
    char mark[MARK_TEXT];
    bool secure = strncmp(request->service->public_url, "https://", 8) == 0;
    make_mark(code, now_s, mark);
    http_reply_header(reply, "Set-Cookie",
                      "okno_qr=%s; Path=/q/%s; Max-Age=%d; HttpOnly; SameSite=Strict%s", mark,
                      code->code, PHONE_PAUSE_S, secure ? "; Secure" : "");
    http_reply_header(reply, "Location", "/q/%s?done=yes", code->code);
    reply->status = 303;
    return 0;
}

int http_post_qr_answer(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    struct page page;
    const char *answer = json_string_value(json_object_get(request->body, "answer"));
    int64_t now_s = okno_time_now() / OKNO_SECOND_US;
    int rc = load(request, &page, err);
    if (rc < 0)
        return refuse(reply, &page, rc, err);
    int64_t wait_s = wait_of(request, &page.code);
    if (wait_s > 0)
        return message_wait(reply, &page, 429, WAIT, wait_s, err);
    wait_s = take_turn(request, &page.code);
    if (wait_s > 0)
        return message_wait(reply, &page, 429, BUSY, wait_s, err);
    rc = store(request, &page.code, answer, err);
    return rc < 0 ? rc : thank(request, reply, &page.code, now_s);
}

/* ---- on paper ---- */

int http_get_qr_svg(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct page page;
    char base[HTTP_URL_TEXT];
    char url[HTTP_URL_TEXT + 32];
    int rc = load(request, &page, err);
    if (rc < 0)
        return rc;
    http_base_url(request, base);
    (void)snprintf(url, sizeof(url), "%s/q/%s", base, page.code.code);
    reply->type = "image/svg+xml";
    return okno_qr_svg(url, &reply->body, err);
}

int http_get_qr_print(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct page page;
    char base[HTTP_URL_TEXT];
    int rc = load(request, &page, err);
    if (rc < 0)
        return refuse(reply, &page, rc, err);
    http_base_url(request, base);
    rc = begin(reply, &page, err);
    if (rc == 0)
        rc = heading(reply, *page.segment.question.text ? page.segment.question.text : "okno", err);
    if (rc == 0)
        rc = okno_buf_printf(&reply->body, err,
                             "<img class=\"code\" src=\"/q/%s/code.svg\" alt=\"QR\"><p>%s</p>"
                             "<p class=\"url\">",
                             page.code.code, word(&page, SCAN));
    if (rc == 0)
        rc = add_escaped(&reply->body, base, err);
    if (rc == 0)
        rc = okno_buf_printf(&reply->body, err, "/q/%s</p>", page.code.code);
    return rc < 0 ? rc : end(reply, err);
}

/* ---- for those who hang them up ---- */

static json_t *code_json(const struct okno_qr_code *code, const char *base)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "code", code->code, "point",
                     code->point, "device", code->device, "created_at",
                     okno_json_time(code->created_us), "revoked_at",
                     code->revoked_us ? okno_json_time(code->revoked_us) : json_null(), "url",
                     json_sprintf("%s/q/%s", base, code->code), "print",
                     json_sprintf("/q/%s/print", code->code));
}

int http_get_qr_codes(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_qr_code_vec) codes = {0};
    char base[HTTP_URL_TEXT];
    okno_autojson json_t *list = json_array();
    int rc = okno_qr_code_list(request->db, http_query(request, "point"), &codes, err);
    http_base_url(request, base);
    for (size_t i = 0; rc == 0 && i < codes.len; i++)
        if (http_rights_point(request, codes.items[i].point, NULL) == 0 &&
            json_array_append_new(list, code_json(&codes.items[i], base)) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the codes");
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "codes", list), err);
}

int http_post_qr_code(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_qr_code code;
    char base[HTTP_URL_TEXT];
    const char *point = json_string_value(json_object_get(request->body, "point"));
    int rc = http_rights_point(request, point, err);
    if (rc == 0)
        rc = okno_qr_code_add(request->db, point, request->who.user, okno_time_now(), &code, err);
    http_base_url(request, base);
    return rc < 0 ? rc : http_reply_json(reply, code_json(&code, base), err);
}

int http_post_qr_revoke(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    reply->status = 204;
    return okno_qr_code_revoke(request->db, request->params[0], okno_time_now(), err);
}
