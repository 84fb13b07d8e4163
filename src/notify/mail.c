/* Messages by e-mail: what is kept of one in the queue, and how it is handed to the mail server.
 * The whole letter is made anew at each attempt from what is kept, the same each time. */
#define _POSIX_C_SOURCE 200809L
#include "notify.h"

#include "okno/registry.h"
#include "okno/time.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    KEPT_MAX = 24 << 20,   /* JSON with the files in base64 */
    LETTER_MAX = 24 << 20, /* as it goes over the wire */
    PHOTO_BYTES = 8 << 20, /* a still is far below */
    SUBJECT_BYTES_MAX = 1000,
    TEXT_BYTES_MAX = 256 << 10,
    SLOW_BYTES_PER_S = 32 << 10 /* a mail server is at least as quick as that */
};

int64_t notify_mail_extra_us(size_t body_len)
{
    return (int64_t)body_len * OKNO_SECOND_US / SLOW_BYTES_PER_S;
}

/* --- into the queue */

static json_t *file_json(const struct okno_mail_file *file)
{
    size_t size = sodium_base64_ENCODED_LEN(file->len, sodium_base64_VARIANT_ORIGINAL);
    okno_autofree char *data = malloc(size);
    if (!data ||
        !sodium_bin2base64(data, size, file->bytes, file->len, sodium_base64_VARIANT_ORIGINAL))
        return NULL;
    return json_pack("{s:s, s:s, s:s}", "name", file->name, "type", file->type, "data", data);
}

int notify_mail_body(const char *subject, const char *text, const struct okno_mail_file *files,
                     size_t file_count, struct okno_buf *body, struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    okno_autofree char *kept = NULL;
    for (size_t i = 0; i < file_count; i++)
        if (json_array_append_new(list, file_json(&files[i])) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the files of a message");
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:O}", "subject", subject, "text", text, "files", list);
    int rc = json ? okno_json_canonical(json, &kept, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory for a message");
    return rc < 0 ? rc : okno_buf_add_text(body, kept, err);
}

static int check_files(const struct okno_notify_mail *mail, struct okno_err *err)
{
    size_t left = OKNO_NOTIFY_MAIL_BYTES_MAX;
    if (mail->file_count > OKNO_NOTIFY_FILES_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "files", "files: at most %d go along",
                               OKNO_NOTIFY_FILES_MAX);
    for (size_t i = 0; i < mail->file_count; i++) {
        const struct okno_mail_file *file = &mail->files[i];
        if (!okno_mail_is_type(file->type) || !okno_text_is_utf8(file->name, strlen(file->name)))
            return okno_fail_field(
                err, OKNO_INVALID, "files",
                "files: the %zu. needs a type such as application/pdf and a name "
                "in UTF-8",
                i + 1);
        if (file->len > left)
            return okno_fail_field(err, OKNO_TOO_LARGE, "files", "files: at most %d bytes go along",
                                   OKNO_NOTIFY_MAIL_BYTES_MAX);
        left -= file->len;
    }
    return 0;
}

static int check_mail(const struct okno_notify_mail *mail, struct okno_err *err)
{
    size_t subject = strlen(mail->subject);
    size_t text = strlen(mail->text);
    if (subject > SUBJECT_BYTES_MAX || !okno_text_is_utf8(mail->subject, subject))
        return okno_fail_field(err, OKNO_INVALID, "subject", "subject: up to %d bytes of UTF-8",
                               SUBJECT_BYTES_MAX);
    if (text > TEXT_BYTES_MAX || !okno_text_is_utf8(mail->text, text))
        return okno_fail_field(err, OKNO_INVALID, "text", "text: up to %d bytes of UTF-8",
                               TEXT_BYTES_MAX);
    if (mail->key && !okno_text_is_id(mail->key))
        return okno_fail_field(err, OKNO_INVALID, "key", "key: 1 to 64 of A-Z a-z 0-9 _ -");
    return check_files(mail, err);
}

static int check_destination(const struct notify_destination *to, const char *id,
                             struct okno_err *err)
{
    if (!to)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no destination \"%.64s\"", id);
    if (!to->enabled)
        return okno_fail(err, OKNO_REFUSED, "destination %s is at rest (enabled false)", id);
    if (to->kind != NOTIFY_EMAIL)
        return okno_fail_field(err, OKNO_INVALID, "destination",
                               "destination %s is of kind %s; only email takes files", id,
                               notify_kind_text(to->kind));
    return 0;
}

int okno_notify_language(struct okno_db *db, const char *destination, char ret_language[8],
                         struct okno_err *err)
{
    OKNO_AUTO_VEC(notify_destination_vec) all = {0};
    int rc = notify_read_destinations(db, &all, err);
    if (rc < 0)
        return rc;
    const struct notify_destination *to = notify_find_destination(&all, destination);
    if (!to)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "there is no destination \"%.64s\": `okno import destinations`",
                         destination);
    (void)snprintf(ret_language, 8, "%s", to->language);
    return 0;
}

int okno_notify_mail(struct okno_db *db, const struct okno_notify_mail *mail, int64_t *ret_delivery,
                     struct okno_err *err)
{
    OKNO_AUTO_VEC(notify_destination_vec) all = {0};
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(KEPT_MAX);
    char key[NOTIFY_KEY_TEXT];
    int64_t known = 0;
    int rc = check_mail(mail, err);
    if (rc == 0)
        rc = notify_read_destinations(db, &all, err);
    if (rc == 0)
        rc = check_destination(notify_find_destination(&all, mail->destination), mail->destination,
                               err);
    if (rc == 0 && mail->key)
        rc = OKNO_DB_INT(db, "notify.find_key", 0, &known, err, OKNO_TEXT("key", mail->key));
    if (rc == 0 && known) {
        *ret_delivery = known;
        return 0;
    }
    if (rc == 0)
        rc = notify_mail_body(mail->subject, mail->text, mail->files, mail->file_count, &body, err);
    struct notify_new message = {.destination = mail->destination,
                                 .kind = "mail",
                                 .event = "mail",
                                 .key = mail->key ? mail->key : notify_make_key(key),
                                 .body = okno_buf_text(&body),
                                 .state = "waiting",
                                 .reason = "",
                                 .now_us = mail->now_us,
                                 .give_up_us = mail->give_up_us};
    return rc < 0 ? rc : notify_add(db, &message, ret_delivery, err);
}

/* --- out of the queue */

/* What is kept, as a letter needs it; `bytes` owns the contents of the files. */
struct kept {
    json_t *json;
    struct okno_mail_file files[OKNO_NOTIFY_FILES_MAX + 1];
    char *bytes[OKNO_NOTIFY_FILES_MAX + 1];
    size_t file_count;
};

static void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < kept->file_count; i++)
        free(kept->bytes[i]);
    json_decref(kept->json);
}
#define AUTO_KEPT __attribute__((cleanup(kept_free))) struct kept

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int read_file(struct kept *kept, const json_t *one, struct okno_err *err)
{
    const char *data = text_of(one, "data");
    size_t max = strlen(data) / 4 * 3 + 3;
    struct okno_mail_file *file = &kept->files[kept->file_count];
    char *bytes = malloc(max);
    if (!bytes)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the files of a message");
    kept->bytes[kept->file_count++] = bytes;
    *file = (struct okno_mail_file){
        .name = text_of(one, "name"), .type = text_of(one, "type"), .bytes = bytes};
    return sodium_base642bin((unsigned char *)bytes, max, data, strlen(data), NULL, &file->len,
                             NULL, sodium_base64_VARIANT_ORIGINAL) == 0
               ? 0
               : okno_fail(err, OKNO_FAILED, "a file of the message is damaged");
}

static int read_kept(const char *body, struct kept *kept, struct okno_err *err)
{
    size_t i;
    const json_t *one;
    int rc = 0;
    kept->json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    if (!kept->json)
        return okno_fail(err, OKNO_FAILED, "the message is damaged");
    json_array_foreach(json_object_get(kept->json, "files"), i,
                       one) if (rc == 0 && kept->file_count < OKNO_NOTIFY_FILES_MAX) rc =
        read_file(kept, one, err);
    return rc;
}

static int add_photo(struct kept *kept, const char *path, struct okno_err *err)
{
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    okno_autofree char *bytes = malloc(PHOTO_BYTES);
    ssize_t got = 0;
    size_t len = 0;
    if (fd < 0 || !bytes)
        return okno_fail(err, OKNO_IO, "the photo's file cannot be read");
    while (len < PHOTO_BYTES && (got = read(fd, bytes + len, PHOTO_BYTES - len)) > 0)
        len += (size_t)got;
    if (got < 0 || len == PHOTO_BYTES)
        return okno_fail(err, OKNO_IO, "the photo's file cannot be read");
    kept->files[kept->file_count] = (struct okno_mail_file){
        .name = "photo.jpg", .type = "image/jpeg", .bytes = bytes, .len = len};
    kept->bytes[kept->file_count++] = okno_mem_take(&bytes);
    return 0;
}

int notify_mail_start(struct okno_db *db, struct okno_post *post, const struct notify_letter *l,
                      int64_t deadline_us, struct okno_err *err)
{
    AUTO_KEPT kept = {0};
    OKNO_AUTO_BUF letter = OKNO_BUF_INIT(LETTER_MAX);
    char password[OKNO_SECRET_TEXT] = "";
    int rc = read_kept(l->body, &kept, err);
    if (rc == 0 && *l->photo_path)
        rc = add_photo(&kept, l->photo_path, err);
    struct okno_mail mail = {.from = l->to->sender,
                             .to = l->to->address,
                             .subject = text_of(kept.json, "subject"),
                             .text = text_of(kept.json, "text"),
                             .id = l->key,
                             .at_us = l->made_us,
                             .files = kept.files,
                             .file_count = kept.file_count};
    if (rc == 0)
        rc = okno_mail_compose(&mail, &letter, err);
    if (rc == 0)
        rc = okno_registry_secret(db, l->to->secret, password, err);
    struct okno_post_mail out = {.from = l->to->sender,
                                 .to = l->to->address,
                                 .user = l->to->user,
                                 .password = password,
                                 .tls = l->to->tls,
                                 .message = letter.data,
                                 .len = letter.len};
    struct okno_post_request request = {
        .url = l->to->url, .mail = &out, .deadline_us = deadline_us, .tag = l->delivery};
    if (rc == 0)
        rc = okno_post_start(post, &request, err);
    sodium_memzero(password, sizeof(password));
    return rc;
}
