/* Destinations as data: their import, reading, and how they are told. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/conf.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum {
    FIELD_ID,
    FIELD_KIND,
    FIELD_URL,
    FIELD_CHAT,
    FIELD_SECRET,
    FIELD_OLD_SECRET,
    FIELD_QUIET = 8,
    FIELD_ADDRESS = 11,
    FIELD_SENDER,
    FIELD_USER,
    FIELD_TLS
};

const char *notify_kind_text(enum notify_kind kind)
{
    static const char *const texts[NOTIFY_KINDS] = {"webhook", "telegram", "email"};
    return texts[kind];
}

static const struct okno_field fields[] = {
    {.name = "destination",
     .key = true,
     .type = OKNO_FIELD_ID,
     .required = true,
     .help = "id that rules name"},
    {.name = "kind",
     .type = OKNO_FIELD_WORD,
     .required = true,
     .words = "webhook telegram email",
     .help = "how it is reached"},
    {.name = "url",
     .type = OKNO_FIELD_TEXT,
     .fallback = "",
     .help = "webhook: http or https address, without a login; email: smtp://HOST:PORT or "
             "smtps://HOST:PORT"},
    {.name = "chat",
     .type = OKNO_FIELD_TEXT,
     .max = 64,
     .fallback = "",
     .help = "telegram: number of the chat, or @name of a channel"},
    {.name = "secret",
     .type = OKNO_FIELD_ID,
     .fallback = "",
     .help =
         "name of a file in DATA/secrets (mode 0600): the signing secret, the bot's token, or the "
         "password of user"},
    {.name = "old_secret",
     .type = OKNO_FIELD_ID,
     .fallback = "",
     .help = "webhook: another one that signs, too, while it is changed"},
    {.name = "language",
     .type = OKNO_FIELD_WORD,
     .words = "en ru",
     .fallback = "en",
     .help = "of its messages"},
    {.name = "time_zone", .type = OKNO_FIELD_ZONE, .fallback = "UTC", .help = "of its quiet hours"},
    {.name = "quiet",
     .type = OKNO_FIELD_TEXT,
     .max = 11,
     .fallback = "",
     .help = "quiet hours such as 22:00-08:00: messages wait and come as one"},
    {.name = "photo",
     .type = OKNO_FIELD_BOOL,
     .fallback = "false",
     .help = "telegram, email: photos may go there, where the rule says so, too"},
    {.name = "enabled", .type = OKNO_FIELD_BOOL, .fallback = "true", .help = "false: at rest"},
    {.name = "address",
     .type = OKNO_FIELD_TEXT,
     .max = OKNO_MAIL_ADDRESS_TEXT - 1,
     .fallback = "",
     .help = "email: who gets it, one address"},
    {.name = "sender",
     .type = OKNO_FIELD_TEXT,
     .max = OKNO_MAIL_ADDRESS_TEXT - 1,
     .fallback = "",
     .help = "email: the address that it comes from"},
    {.name = "user",
     .type = OKNO_FIELD_TEXT,
     .max = OKNO_MAIL_ADDRESS_TEXT - 1,
     .fallback = "",
     .help = "email: login at the mail server; empty: none"},
    {.name = "tls",
     .type = OKNO_FIELD_WORD,
     .words = "required offered",
     .fallback = "required",
     .help = "email: offered sends without TLS to a server that has none, never with a login"},
};

static int check_webhook(const struct okno_value *values, struct okno_err *err)
{
    const char *url = values[FIELD_URL].text;
    bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    const char *host = http ? strstr(url, "://") + 3 : "";
    if (!*host || memchr(host, '@', strcspn(host, "/?#")) || strpbrk(url, " \"<>\\"))
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "url: a webhook needs http:// or https:// with a host and without a "
                               "login");
    return 0;
}

/* HOST or HOST:PORT, and nothing behind. */
static bool is_mail_server(const char *url)
{
    const char *host = strncmp(url, "smtp://", 7) == 0    ? url + 7
                       : strncmp(url, "smtps://", 8) == 0 ? url + 8
                                                          : "";
    return *host && *host != ':' && !strpbrk(host, "/?#@ \"<>\\");
}

static int check_email(const struct okno_value *values, struct okno_err *err)
{
    static const size_t addresses[] = {FIELD_ADDRESS, FIELD_SENDER};
    if (!is_mail_server(values[FIELD_URL].text))
        return okno_fail_field(err, OKNO_INVALID, "url",
                               "url: email needs the mail server as smtp://HOST:PORT or "
                               "smtps://HOST:PORT");
    for (size_t i = 0; i < OKNO_COUNT(addresses); i++)
        if (!okno_mail_is_address(values[addresses[i]].text))
            return okno_fail_field(err, OKNO_INVALID, fields[addresses[i]].name,
                                   "%s: email needs an address such as boss@example.org",
                                   fields[addresses[i]].name);
    if (*values[FIELD_USER].text && strcmp(values[FIELD_TLS].text, "required") != 0)
        return okno_fail_field(err, OKNO_INVALID, "tls",
                               "tls: with a user only required is allowed");
    if ((*values[FIELD_USER].text != 0) != (*values[FIELD_SECRET].text != 0))
        return okno_fail_field(err, OKNO_INVALID, "secret",
                               "secret: a user and the secret with the password go together");
    return 0;
}

static int check_telegram(const struct okno_value *values, struct okno_err *err)
{
    const char *chat = values[FIELD_CHAT].text;
    const char *digits = chat + (*chat == '-');
    bool number = *digits && strspn(digits, "0123456789") == strlen(digits);
    bool name = *chat == '@' && okno_text_is_id(chat + 1);
    if (!number && !name)
        return okno_fail_field(err, OKNO_INVALID, "chat",
                               "chat: telegram needs the number of a chat, or @name of a channel");
    if (*values[FIELD_URL].text)
        return okno_fail_field(
            err, OKNO_INVALID, "url",
            "url: telegram takes none; the address is notify.telegram_url of the "
            "configuration");
    return 0;
}

static int check_destination(const struct okno_value *values, struct okno_err *err)
{
    if (!notify_quiet_valid(values[FIELD_QUIET].text))
        return okno_fail_field(err, OKNO_INVALID, "quiet",
                               "quiet: \"%.40s\" is not allowed; allowed: empty, or HH:MM-HH:MM",
                               values[FIELD_QUIET].text);
    if (strcmp(values[FIELD_KIND].text, "email") == 0)
        return check_email(values, err);
    if (!*values[FIELD_SECRET].text)
        return okno_fail_field(err, OKNO_MISSING, "secret", "secret: required here");
    return strcmp(values[FIELD_KIND].text, "webhook") == 0 ? check_webhook(values, err)
                                                           : check_telegram(values, err);
}

static int bound(const struct okno_import_env *env, const char *name,
                 const struct okno_value *values, struct okno_stmt **ret_stmt, struct okno_err *err)
{
    int rc = okno_db_stmt(env->db, name, ret_stmt, err);
    return rc < 0 ? rc : okno_import_bind(fields, OKNO_COUNT(fields), values, *ret_stmt, err);
}

static int check_room(struct okno_db *db, const char *destination, struct okno_err *err)
{
    int64_t others = 0;
    int rc = OKNO_DB_INT(db, "notify.count_others", 0, &others, err,
                         OKNO_TEXT("destination", destination));
    if (rc == 0 && others >= NOTIFY_DESTINATIONS_MAX)
        return okno_fail_field(err, OKNO_INVALID, "destination", "at most %d destinations are kept",
                               NOTIFY_DESTINATIONS_MAX);
    return rc;
}

/* Whoever edits destinations would have an archive's password sent to a server of their choice. */
static int check_secrets(struct okno_db *db, const struct okno_value *values, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "notify.owner_of_secret", &stmt, err,
                             OKNO_TEXT("kind", values[FIELD_KIND].text),
                             OKNO_TEXT("secret", values[FIELD_SECRET].text),
                             OKNO_TEXT("old_secret", values[FIELD_OLD_SECRET].text));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    return okno_fail_field(err, OKNO_INVALID, "secret",
                           "secret: it is of %s; this destination needs one of its own",
                           okno_stmt_text(stmt, "owner"));
}

static int store_destination(const struct okno_import_env *env, void *ctx,
                             const struct okno_value *values, enum okno_stored *ret_stored,
                             struct okno_err *err)
{
    (void)ctx;
    OKNO_AUTO_STMT *same = NULL;
    OKNO_AUTO_STMT *add = NULL;
    int known = bound(env, "notify.same_destination", values, &same, err);
    if (known == 0)
        known = okno_stmt_step(same, err);
    int rc = known;
    if (known == 0)
        rc = check_secrets(env->db, values, err);
    if (known == 0 && rc == 0)
        rc = check_room(env->db, values[FIELD_ID].text, err);
    if (known == 0 && rc == 0)
        rc = bound(env, "notify.add_destination", values, &add, err);
    if (known == 0 && rc == 0)
        rc = okno_stmt_bind_int(add, "import", env->import, err);
    if (known == 0 && rc == 0)
        rc = okno_stmt_step(add, err);
    if (rc < 0)
        return rc;
    *ret_stored = known ? OKNO_STORED_DUPLICATE : OKNO_STORED_ADDED;
    return 0;
}

const struct okno_import_kind okno_destination_import = {
    .kind = "destinations",
    .help = "where messages about alerts go",
    .fields = fields,
    .field_count = OKNO_COUNT(fields),
    .check = check_destination,
    .store = store_destination,
};

static void read_destination(struct okno_stmt *stmt, struct notify_destination *ret)
{
    struct notify_destination d = {.photo = okno_stmt_int(stmt, "photo") != 0,
                                   .enabled = okno_stmt_int(stmt, "enabled") != 0};
    while (d.kind < NOTIFY_KINDS - 1 &&
           strcmp(okno_stmt_text(stmt, "kind"), notify_kind_text(d.kind)) != 0)
        d.kind++;
    d.tls = strcmp(okno_stmt_text(stmt, "tls"), "required") == 0;
    okno_stmt_copy(stmt, "address", d.address, sizeof(d.address));
    okno_stmt_copy(stmt, "sender", d.sender, sizeof(d.sender));
    okno_stmt_copy(stmt, "user", d.user, sizeof(d.user));
    okno_stmt_copy(stmt, "destination", d.destination, sizeof(d.destination));
    okno_stmt_copy(stmt, "url", d.url, sizeof(d.url));
    okno_stmt_copy(stmt, "chat", d.chat, sizeof(d.chat));
    okno_stmt_copy(stmt, "secret", d.secret, sizeof(d.secret));
    okno_stmt_copy(stmt, "old_secret", d.old_secret, sizeof(d.old_secret));
    okno_stmt_copy(stmt, "language", d.language, sizeof(d.language));
    okno_stmt_copy(stmt, "time_zone", d.time_zone, sizeof(d.time_zone));
    okno_stmt_copy(stmt, "quiet", d.quiet, sizeof(d.quiet));
    *ret = d;
}

int notify_read_destinations(struct okno_db *db, struct notify_destination_vec *destinations,
                             struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "notify.destinations", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct notify_destination d;
        read_destination(stmt, &d);
        rc = notify_destination_vec_push(destinations, d) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the destinations")
                 : 0;
    }
    return rc;
}

const struct notify_destination *
notify_find_destination(const struct notify_destination_vec *destinations, const char *id)
{
    for (size_t i = 0; i < destinations->len; i++)
        if (strcmp(destinations->items[i].destination, id) == 0)
            return &destinations->items[i];
    return NULL;
}

struct okno_notify_options okno_notify_options_of(const struct okno_conf *conf)
{
    return (struct okno_notify_options){
        .public_url = conf->service.public_url,
        .telegram_url = conf->notify.telegram_url,
        .ca_file = conf->notify.ca_file,
        .allow_private = conf->notify.private_addresses,
        .deadline_us = conf->notify.deadline_s * OKNO_SECOND_US,
        .retry_us = conf->notify.retry_s * OKNO_SECOND_US,
        .give_up_us = conf->notify.give_up_h * 3600 * OKNO_SECOND_US,
        .photo_wait_us = conf->notify.photo_wait_s * OKNO_SECOND_US,
        .keep_us = conf->notify.keep_days * OKNO_DAY_US,
    };
}
