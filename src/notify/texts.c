/* What messages say: templates in the destination's language, times in the site's zone, links. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/embedded.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    PLAIN_MAX = 12000,
    BODY_MAX = 256 << 10,
    TEXT_POINTS_MAX = 3500,
    CAPTION_POINTS_MAX = 900,
    SUBJECT_POINTS_MAX = 150
};

static const json_t *templates; /* lives as long as the program */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    templates = okno_conf_json("/conf/messages.json");
}

static const char *template_of(const struct notify_matter *m, const char *name)
{
    (void)pthread_once(&once, load);
    const char *text =
        json_string_value(json_object_get(json_object_get(templates, m->to->language), name));
    return text ? text : name;
}

/* --- filling in */

struct field {
    const char *name;
    char value[1200];
};

static int fill(struct okno_buf *out, const char *text, const struct field *fields, size_t count,
                struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && *text) {
        size_t plain = strcspn(text, "{");
        rc = okno_buf_add(out, text, plain, err);
        text += plain;
        const char *end = *text ? strchr(text, '}') : NULL;
        if (!end)
            continue;
        for (size_t i = 0; rc == 0 && i < count; i++)
            if (strlen(fields[i].name) == (size_t)(end - text - 1) &&
                strncmp(fields[i].name, text + 1, (size_t)(end - text - 1)) == 0)
                rc = okno_buf_add_text(out, fields[i].value, err);
        text = end + 1;
    }
    return rc;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* "First shop, Till 2", as far as names are known; the zone of the site, else UTC. */
static void name_place(const struct notify_matter *m, const json_t *alert, char *ret_place,
                       size_t size, char *ret_zone, size_t zone_size)
{
    struct okno_site site;
    struct okno_point point;
    struct okno_err ignored = {0};
    const char *site_id = text_of(alert, "site");
    const char *point_id = text_of(alert, "point");
    (void)snprintf(ret_zone, zone_size, "UTC");
    (void)snprintf(ret_place, size, "%s", template_of(m, "nowhere"));
    if (!site_id || okno_registry_site(m->db, site_id, &site, &ignored) < 0)
        return;
    (void)snprintf(ret_zone, zone_size, "%s", site.time_zone);
    okno_err_clear(&ignored);
    if (point_id && okno_registry_point(m->db, point_id, &point, &ignored) == 0)
        (void)snprintf(ret_place, size, "%.400s, %.400s", site.name, point.name);
    else
        (void)snprintf(ret_place, size, "%.800s", site.name);
}

static void tell_time(int64_t at_us, const char *zone_name, char *ret_text, size_t size)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_err ignored = {0};
    struct okno_civil c;
    bool known = okno_zone_open(zone_name, &zone, &ignored) == 0;
    if (known)
        okno_zone_to_local(zone, at_us, &c);
    else
        okno_time_to_civil(at_us, &c);
    (void)snprintf(ret_text, size, "%04d-%02d-%02d %02d:%02d:%02d %s", c.year, c.month, c.day,
                   c.hour, c.minute, c.second, known ? zone_name : "UTC");
}

static void tell_share(const struct notify_matter *m, const json_t *detail, const char *key,
                       char *ret_text, size_t size)
{
    json_int_t ppm = json_integer_value(json_object_get(detail, key));
    (void)snprintf(ret_text, size, "%lld%s%lld %%", (long long)(ppm / 10000),
                   strcmp(m->to->language, "ru") == 0 ? "," : ".", (long long)(ppm % 10000 / 1000));
}

/* A moment of the detail, as a line of its own; "" where nobody knows. */
static void tell_moment(const struct notify_matter *m, const json_t *detail, const char *key,
                        const char *words, const char *zone, struct okno_buf *line)
{
    char when[OKNO_NAME_TEXT + 40];
    int64_t at_us = 0;
    struct okno_err ignored = {0};
    struct field field = {.name = "lost"};
    const char *lost = text_of(detail, key);
    if (!lost || okno_time_parse(lost, &at_us, &ignored) < 0)
        return;
    tell_time(at_us, zone, when, sizeof(when));
    (void)snprintf(field.value, sizeof(field.value), "%s", when);
    (void)!fill(line, template_of(m, words), &field, 1, &ignored);
}

enum { ALERT_FIELDS = 11 };

static void alert_fields(const struct notify_matter *m, const json_t *alert,
                         struct field fields[ALERT_FIELDS])
{
    static const char *const names[ALERT_FIELDS] = {"place",   "when",  "subject", "count",
                                                    "window",  "total", "share",   "limit",
                                                    "waiting", "loss",  "due"};
    const json_t *detail = json_object_get(alert, "detail");
    char zone[OKNO_NAME_TEXT];
    int64_t at_us = 0;
    struct okno_err ignored = {0};
    const char *subject = text_of(alert, "subject");
    for (size_t i = 0; i < ALERT_FIELDS; i++)
        fields[i].name = names[i];
    name_place(m, alert, fields[0].value, sizeof(fields[0].value), zone, sizeof(zone));
    if (okno_time_parse(text_of(alert, "at"), &at_us, &ignored) < 0)
        at_us = m->now_us;
    tell_time(at_us, zone, fields[1].value, sizeof(fields[1].value));
    (void)snprintf(fields[2].value, sizeof(fields[2].value), "%s", subject ? subject : "");
    static const char *const numbers[] = {"count", "window_min", "total"};
    for (size_t i = 0; i < OKNO_COUNT(numbers); i++)
        (void)snprintf(fields[3 + i].value, sizeof(fields[3].value), "%lld",
                       (long long)json_integer_value(json_object_get(detail, numbers[i])));
    tell_share(m, detail, "share_ppm", fields[6].value, sizeof(fields[6].value));
    tell_share(m, detail, "limit_ppm", fields[7].value, sizeof(fields[7].value));
    (void)snprintf(fields[8].value, sizeof(fields[8].value), "%lld",
                   (long long)json_integer_value(json_object_get(detail, "waiting")));
    static const char *const moments[][2] = {{"lost_at", "archive_loss"},
                                             {"due_at", "appeal_due_by"}};
    for (size_t i = 0; i < OKNO_COUNT(moments); i++) {
        OKNO_AUTO_BUF line = OKNO_BUF_INIT(sizeof(fields[9].value) - 1);
        tell_moment(m, detail, moments[i][0], moments[i][1], zone, &line);
        (void)snprintf(fields[9 + i].value, sizeof(fields[9].value), "%s", okno_buf_text(&line));
    }
}

/* --- links */

/* The page of a rating, of the appeals, else of the alerts; "" where nobody said under which
 * address. */
static void link_of(const struct notify_matter *m, const json_t *alert, char *ret_link, size_t size)
{
    const char *base = m->options->public_url;
    size_t len = strlen(base);
    const char *kind = alert ? text_of(alert, "kind") : NULL;
    const char *page = kind && strncmp(kind, "appeal", 6) == 0 ? "appeals" : "alerts";
    ret_link[0] = '\0';
    while (len && base[len - 1] == '/')
        len--;
    if (!len)
        return;
    if (kind && strcmp(kind, "negative") == 0)
        (void)snprintf(ret_link, size, "%.*s/#/surveys/%s", (int)len, base,
                       text_of(alert, "subject"));
    else
        (void)snprintf(ret_link, size, "%.*s/#/%s", (int)len, base, m->page ? m->page : page);
}

/* The photo's address in the API (a login is needed there); null without one. */
static int photo_link(const struct notify_matter *m, const json_t *alert, json_t **ret_link,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    const char *base = m->options->public_url;
    const char *subject = alert ? text_of(alert, "subject") : NULL;
    size_t len = strlen(base);
    while (len && base[len - 1] == '/')
        len--;
    *ret_link = json_null();
    if (!len || !subject)
        return 0;
    int rc = OKNO_DB_PREPARE(m->db, "notify.still", &stmt, err, OKNO_TEXT("survey", subject));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        *ret_link = json_sprintf("%.*s/api/v1/evidence/%s.jpg", (int)len, base,
                                 okno_stmt_text(stmt, "sha256"));
    return rc < 0 ? rc : 0;
}

/* --- Telegram's HTML */

/* As many code points as fit, with an ellipsis where it was cut. */
static void cut(char *text, size_t points_max)
{
    size_t points = 0;
    for (char *at = text; *at; at++) {
        if (((unsigned char)*at & 0xc0) == 0x80 || ++points <= points_max)
            continue;
        *at = '\0';
        return;
    }
}

/* & < > in the text, and the quote too, for an attribute. Control bytes but line ends are dropped.
 */
static int add_escaped(struct okno_buf *out, const char *text, size_t len, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < len; i++) {
        char c = text[i];
        const char *name = c == '&'   ? "&amp;"
                           : c == '<' ? "&lt;"
                           : c == '>' ? "&gt;"
                           : c == '"' ? "&quot;"
                                      : NULL;
        if (name)
            rc = okno_buf_add_text(out, name, err);
        else if ((unsigned char)c >= ' ' || c == '\n')
            rc = okno_buf_add(out, &c, 1, err);
    }
    return rc;
}

static int add_html(const struct notify_matter *m, const char *plain, const char *link, bool photo,
                    struct okno_buf *out, struct okno_err *err)
{
    char text[PLAIN_MAX];
    (void)snprintf(text, sizeof(text), "%s", plain);
    cut(text, photo ? CAPTION_POINTS_MAX : TEXT_POINTS_MAX);
    size_t head = strcspn(text, "\n");
    int rc = okno_buf_add_text(out, "<b>", err);
    if (rc == 0)
        rc = add_escaped(out, text, head, err);
    if (rc == 0)
        rc = okno_buf_add_text(out, "</b>", err);
    if (rc == 0)
        rc = add_escaped(out, text + head, strlen(text + head), err);
    if (rc < 0 || !*link)
        return rc;
    const char *label = template_of(m, "open_page");
    rc = okno_buf_add_text(out, "\n<a href=\"", err);
    if (rc == 0)
        rc = add_escaped(out, link, strlen(link), err);
    if (rc == 0)
        rc = okno_buf_add_text(out, "\">", err);
    if (rc == 0)
        rc = add_escaped(out, label, strlen(label), err);
    return rc == 0 ? okno_buf_add_text(out, "</a>", err) : rc;
}

/* --- e-mail */

/* The first lines as the subject, up to an empty one; all of them as the text, with the link. */
static int add_letter(const struct notify_matter *m, const char *plain, const char *link,
                      struct okno_buf *body, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(PLAIN_MAX + 2000);
    char subject[PLAIN_MAX];
    const char *end = strstr(plain, "\n\n");
    (void)snprintf(subject, sizeof(subject), "%.*s",
                   (int)(end ? (size_t)(end - plain) : strlen(plain)), plain);
    cut(subject, SUBJECT_POINTS_MAX);
    int rc = okno_buf_printf(&text, err, "%s\n", plain);
    if (rc == 0 && *link)
        rc = okno_buf_printf(&text, err, "\n%s: %s\n", template_of(m, "open_page"), link);
    return rc < 0 ? rc : notify_mail_body(subject, okno_buf_text(&text), NULL, 0, body, err);
}

/* --- bodies */

static int add_alert_text(const struct notify_matter *m, const json_t *alert, const char *event,
                          struct okno_buf *plain, struct okno_err *err)
{
    struct field fields[ALERT_FIELDS];
    const json_t *heard = json_object_get(json_object_get(alert, "detail"), "heard");
    const char *kind = text_of(alert, "kind");
    int rc = 0;
    if (strcmp(kind, "device_quiet") == 0 && json_is_false(heard))
        kind = "device_never";
    alert_fields(m, alert, fields);
    if (strcmp(event, "closed") == 0)
        rc = okno_buf_printf(plain, err, "%s: ", template_of(m, "closed"));
    return rc < 0 ? rc : fill(plain, template_of(m, kind), fields, ALERT_FIELDS, err);
}

/* `alert` NULL for a digest or a test; takes no reference. `more` is merged into the document. */
static int finish(const struct notify_matter *m, const char *event, const json_t *alert,
                  const json_t *more, const char *plain, bool photo, struct okno_buf *body,
                  struct okno_err *err)
{
    char link[1100];
    json_t *photo_url = NULL;
    okno_autofree char *text = NULL;
    link_of(m, alert, link, sizeof(link));
    if (m->to->kind == NOTIFY_TELEGRAM)
        return add_html(m, plain, link, photo, body, err);
    if (m->to->kind == NOTIFY_EMAIL)
        return add_letter(m, plain, link, body, err);
    int rc = photo_link(m, alert, &photo_url, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:o, s:O?, s:s, s:{s:o, s:o}}", "id", m->key, "event", event,
        "destination", m->to->destination, "at", okno_json_time(m->now_us), "alert", alert, "text",
        plain, "links", "page", okno_json_text(*link ? link : NULL), "photo", photo_url);
    if (!json || (more && json_object_update(json, (json_t *)more) < 0))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a message");
    rc = okno_json_canonical(json, &text, err);
    return rc < 0 ? rc : okno_buf_add_text(body, text, err);
}

int notify_body_alert(const struct notify_matter *m, const json_t *alert, const char *event,
                      bool photo, struct okno_buf *body, struct okno_err *err)
{
    OKNO_AUTO_BUF plain = OKNO_BUF_INIT(PLAIN_MAX);
    char name[32];
    (void)snprintf(name, sizeof(name), "alert.%s", event);
    int rc = add_alert_text(m, alert, event, &plain, err);
    return rc < 0 ? rc : finish(m, name, alert, NULL, okno_buf_text(&plain), photo, body, err);
}

int notify_body_digest(const struct notify_matter *m, const json_t *alerts, int64_t more,
                       struct okno_buf *body, struct okno_err *err)
{
    OKNO_AUTO_BUF plain = OKNO_BUF_INIT(PLAIN_MAX);
    struct field count = {.name = "count"};
    struct okno_err full = {0};
    size_t i;
    const json_t *entry;
    int64_t total = (int64_t)json_array_size(alerts) + more;
    (void)snprintf(count.value, sizeof(count.value), "%lld", (long long)total);
    int rc = fill(&plain, template_of(m, "digest"), &count, 1, err);
    json_array_foreach(alerts, i, entry)
    {
        size_t before = plain.len;
        if (rc < 0)
            break;
        if (okno_buf_add_text(&plain, "\n\n• ", &full) < 0 ||
            add_alert_text(m, json_object_get(entry, "alert"), text_of(entry, "event"), &plain,
                           &full) < 0) {
            plain.len = before; /* what does not fit is in the document, or on the page */
            plain.data[before] = '\0';
            break;
        }
    }
    okno_autojson json_t *extra =
        json_pack("{s:O, s:I}", "alerts", alerts, "more", (json_int_t)more);
    if (rc == 0 && !extra)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a digest");
    return rc < 0 ? rc : finish(m, "digest", NULL, extra, okno_buf_text(&plain), false, body, err);
}

int notify_body_appeal(const struct notify_matter *m, const json_t *appeal, struct okno_buf *body,
                       struct okno_err *err)
{
    OKNO_AUTO_BUF plain = OKNO_BUF_INIT(PLAIN_MAX);
    struct field fields[ALERT_FIELDS];
    char name[40];
    (void)snprintf(name, sizeof(name), "appeal_%.20s", text_of(appeal, "outcome"));
    alert_fields(m, appeal, fields);
    int rc = fill(&plain, template_of(m, name), fields, ALERT_FIELDS, err);
    okno_autojson json_t *extra = json_pack("{s:O}", "appeal", appeal);
    if (rc == 0 && !extra)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a message");
    return rc < 0
               ? rc
               : finish(m, "appeal.decided", NULL, extra, okno_buf_text(&plain), false, body, err);
}

int notify_body_test(const struct notify_matter *m, struct okno_buf *body, struct okno_err *err)
{
    OKNO_AUTO_BUF plain = OKNO_BUF_INIT(PLAIN_MAX);
    struct field fields[2] = {{.name = "subject"}, {.name = "when"}};
    (void)snprintf(fields[0].value, sizeof(fields[0].value), "%s", m->to->destination);
    tell_time(m->now_us, m->to->time_zone, fields[1].value, sizeof(fields[1].value));
    int rc = fill(&plain, template_of(m, "test"), fields, OKNO_COUNT(fields), err);
    return rc < 0 ? rc : finish(m, "test", NULL, NULL, okno_buf_text(&plain), false, body, err);
}
