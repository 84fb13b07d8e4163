/* okno log consistency: that the log goes on from an older state, and its check. */
#include "cli.h"
#include "log.h"
#include "options.h"

#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/text.h"
#include "okno/time.h"

int log_consistency(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    const char *path = NULL;
    int64_t old = -1;
    int64_t size = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .integer = &old},
                         {.name = "--to", .integer = &size}, {.name = "-o", .text = &path});
    if (rc == 0 && (rest > 0 || old < 1 || size < 0))
        rc = okno_fail(err, OKNO_USAGE,
                       "say the older checkpoint's number of entries (its second line): okno log "
                       "consistency --from SIZE [--to SIZE]");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_ledger_consistency(db, old, size, okno_time_now(), &text, err);
    return rc == 0 ? cli_put(path, &text, err) : rc;
}

static int print(const struct okno_checkpoint *old, const struct okno_checkpoint *new, bool as_json,
                 struct okno_err *err)
{
    if (!as_json) {
        printf("good     %s goes on from %lld to %lld %s\n", new->origin, (long long)old->size,
               (long long)new->size, okno_text_form(new->size, "entry", "entries"));
        return 0;
    }
    okno_autojson json_t *json = json_pack("{s:s, s:I, s:I}", "log", new->origin, "old_size",
                                           (json_int_t)old->size, "size", (json_int_t) new->size);
    return okno_json_print(json, stdout, err);
}

int log_verify_old(struct cli *cli, const char *path, const char *key_path, const char *old_path,
                   struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF key_text = OKNO_BUF_INIT(OKNO_NOTE_KEY_TEXT + 1);
    OKNO_AUTO_BUF old_text = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_note_key key;
    struct okno_checkpoint old;
    struct okno_checkpoint new;
    int rc = cli_read(key_path, &key_text, err);
    if (rc == 0)
        rc = okno_note_key_parse(okno_buf_text(&key_text), &key, err);
    if (rc == 0)
        rc = cli_read(old_path, &old_text, err);
    if (rc == 0)
        rc = cli_read(path, &text, err);
    if (rc < 0)
        return rc;
    rc = okno_checkpoint_open(okno_buf_text(&old_text), old_text.len, &key, &old, err);
    if (rc < 0) {
        okno_err_context(err, "%.200s", old_path);
        return rc;
    }
    rc = okno_consistency_check(okno_buf_text(&text), text.len, &key, &old, &new, err);
    if (rc < 0)
        okno_err_context(err, "%.200s", path);
    return rc < 0 ? rc : print(&old, &new, cli->json, err);
}
