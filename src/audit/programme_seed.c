#define _POSIX_C_SOURCE 200809L
/* Seeds of a programme's days: a beacon's round, or secrets that were promised. */
#include "programme.h"

#include "okno/file.h"
#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "room.h"

#include <inttypes.h>
#include <string.h>

enum { ANSWER_MAX = 65536, SECRET_MIN = 8, SECRET_MAX = 64 };

/* Clocks differ: a round that is out within this time after the checkpoint may be known to somebody
 * before it. */
#define SKEW_US (30 * OKNO_SECOND_US)

/* ---- beacon ---- */

static int64_t round_at(const struct programme_row *row, int64_t at_us)
{
    int64_t passed_s = (at_us + SKEW_US) / OKNO_SECOND_US - row->set.genesis_s;
    return passed_s < 0 ? 1 : passed_s / row->set.period_s + 2;
}

static int64_t time_of(const struct programme_row *row, int64_t round)
{
    return (row->set.genesis_s + (round - 1) * row->set.period_s) * OKNO_SECOND_US;
}

/* `template` with its {round} and {day} filled in. */
static void fill(const char *template, int64_t round, const char *day, char *ret_text, size_t size)
{
    size_t used = 0;
    for (const char *at = template; *at && used + 1 < size;) {
        bool is_round = strncmp(at, "{round}", 7) == 0;
        bool is_day = strncmp(at, "{day}", 5) == 0;
        if (is_round)
            used += (size_t)snprintf(ret_text + used, size - used, "%" PRId64, round);
        else if (is_day)
            used += (size_t)snprintf(ret_text + used, size - used, "%s", day);
        else
            ret_text[used++] = *at;
        at += is_round ? 7 : is_day ? 5 : 1;
    }
    ret_text[used < size ? used : size - 1] = '\0';
}

/* A beacon's JSON with `randomness` (and the round asked for), or a plain text: the seed. */
static int parse_answer(const char *text, int64_t round, char *ret_seed, struct okno_err *err)
{
    okno_autojson json_t *json = json_loads(text, 0, NULL);
    const json_t *told = json_object_get(json, "round");
    const char *found = json ? json_string_value(json_object_get(json, "randomness")) : text;
    if (json_is_integer(told) && round > 0 && json_integer_value(told) != round)
        return okno_fail(err, OKNO_PROTOCOL, "the beacon tells round %lld, not %lld",
                         (long long)json_integer_value(told), (long long)round);
    if (!found)
        return okno_fail(err, OKNO_PROTOCOL, "the beacon's JSON has no text `randomness`");
    size_t len = strcspn(found, "\r\n");
    if (len < OKNO_SEED_BYTES_MIN || len > OKNO_SEED_BYTES_MAX ||
        found[len + strspn(found + len, "\r\n")])
        return okno_fail(err, OKNO_PROTOCOL,
                         "the beacon gives no single line of %d to %d characters",
                         OKNO_SEED_BYTES_MIN, OKNO_SEED_BYTES_MAX);
    (void)snprintf(ret_seed, OKNO_SEED_BYTES_MAX + 1, "%.*s", (int)len, found);
    return 0;
}

static int ask_beacon(struct okno_net *net, const struct programme_row *row, const char *day,
                      int64_t pinned_us, int64_t now_us, struct programme_seed *seed,
                      int64_t *ret_next_us, struct okno_err *err)
{
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(ANSWER_MAX);
    struct okno_net_reply reply;
    char url[PROGRAMME_URL_TEXT];
    bool rounds = strstr(row->set.beacon, "{round}") != NULL;
    int64_t round = rounds ? round_at(row, pinned_us) : 0;
    if (rounds && now_us < time_of(row, round)) {
        *ret_next_us = time_of(row, round);
        return 0;
    }
    fill(row->set.beacon, round, day, url, sizeof(url));
    int rc = *url == '/' ? okno_file_read(url, &answer, err)
                         : okno_net_get(net, url, &answer, &reply, err);
    if (rc < 0)
        okno_err_context(err, "the beacon");
    if (rc == 0)
        rc = parse_answer(okno_buf_text(&answer), round, seed->seed, err);
    if (rc < 0)
        return rc;
    if (rounds)
        (void)snprintf(seed->how, sizeof(seed->how),
                       "beacon, round %lld: the first after the checkpoint", (long long)round);
    else
        (void)snprintf(seed->how, sizeof(seed->how), "beacon of the day %s", day);
    return 1;
}

/* ---- people ---- */

struct secret {
    char commitment[OKNO_SHA256_TEXT];
    char text[SECRET_MAX + 1]; /* "" before it is revealed */
};

/* False in *ret_bound where this one is bound to nothing. */
static int load_secret(struct okno_db *db, const char *programme, const char *day, const char *who,
                       struct secret *ret_secret, bool *ret_bound, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "programme.secret", &row, err, OKNO_TEXT("programme", programme),
                             OKNO_TEXT("day", day), OKNO_TEXT("who", who));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    *ret_bound = rc == 1;
    if (rc <= 0)
        return rc;
    okno_stmt_copy(row, "commitment", ret_secret->commitment, sizeof(ret_secret->commitment));
    okno_stmt_copy(row, "secret", ret_secret->text, sizeof(ret_secret->text));
    return 0;
}

int programme_is_bound(struct okno_db *db, const struct programme_row *row, const char *day,
                       bool *ret_bound, struct okno_err *err)
{
    char who[OKNO_ID_TEXT];
    bool all = true;
    int rc = 0;
    for (size_t i = 0; rc == 0 && !row->set.beacon && programme_person(row->set.people, i, who);
         i++) {
        struct secret secret = {0};
        bool bound = false;
        rc = load_secret(db, row->programme, day, who, &secret, &bound, err);
        all = all && bound;
    }
    if (rc == 0)
        *ret_bound = all;
    return rc;
}

/* SHA-256 of the secrets, each with a line end, in the order in which the people were declared. */
static int ask_people(struct okno_db *db, const struct programme_row *row, const char *day,
                      struct programme_seed *seed, struct okno_err *err)
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    char who[OKNO_ID_TEXT];
    size_t used = 0;
    okno_hash_start(&hash);
    for (size_t i = 0; programme_person(row->set.people, i, who); i++) {
        struct secret secret = {0};
        bool bound = false;
        int rc = load_secret(db, row->programme, day, who, &secret, &bound, err);
        if (rc < 0)
            return rc;
        if (!secret.text[0])
            return okno_fail(err, OKNO_OUT_OF_ORDER,
                             "waits for %s to reveal the secret: `okno programme reveal %s --day "
                             "%s`",
                             who, row->programme, day);
        okno_hash_add(&hash, secret.text, strlen(secret.text));
        okno_hash_add(&hash, "\n", 1);
        used += (size_t)snprintf(seed->witnesses + used, sizeof(seed->witnesses) - used, "%s%s=%s",
                                 i ? ", " : "", who, secret.text);
    }
    okno_hash_end(&hash, digest);
    (void)okno_hash_hex(digest, seed->seed);
    (void)snprintf(seed->how, sizeof(seed->how),
                   "SHA-256 of the secrets that the witnesses bound themselves to before the "
                   "checkpoint, each with a line end");
    return 1;
}

int programme_seed(struct okno_db *db, struct okno_net *net, const struct programme_row *row,
                   const char *day, int64_t pinned_us, int64_t now_us,
                   struct programme_seed *ret_seed, int64_t *ret_next_us, struct okno_err *err)
{
    memset(ret_seed, 0, sizeof(*ret_seed));
    if (row->set.beacon)
        return ask_beacon(net, row, day, pinned_us, now_us, ret_seed, ret_next_us, err);
    return ask_people(db, row, day, ret_seed, err);
}

/* ---- promises ---- */

static bool is_named(const struct programme_row *row, const char *who)
{
    char name[OKNO_ID_TEXT];
    for (size_t i = 0; programme_person(row->set.people, i, name); i++)
        if (strcmp(name, who) == 0)
            return true;
    return false;
}

/* The programme, the person, and the state of the day ("" before it has an audit). */
static int enter(struct okno_db *db, const char *programme, const char *day, const char *who,
                 struct programme_row *row, char ret_state[16], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t day_us = 0;
    char shown[OKNO_TEXT_SHOWN];
    int rc = programme_load(db, programme, INT64_MAX, row, err);
    if (rc == 0)
        rc = okno_date_parse(day, &day_us, err);
    if (rc == 0 && !is_named(row, who))
        rc = okno_fail_field(err, OKNO_INVALID, "who", "%s is not among the people of programme %s",
                             okno_text_show(who, shown), programme);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "programme.day", &stmt, err, OKNO_TEXT("programme", programme),
                             OKNO_TEXT("day", day));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    (void)snprintf(ret_state, 16, "%s", rc == 1 ? okno_stmt_text(stmt, "state") : "");
    return 0;
}

static int log_promise(struct okno_db *db, const char *programme, const char *day, const char *who,
                       const char *commitment, int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    struct okno_ledger_entry entry = {.kind = "commitment", .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', who, name, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "programme", programme, "day",
                                           day, "who", name, "commitment", commitment);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

/* A day that waited for it goes on at once. */
static int try_again(struct okno_db *db, const char *programme, const char *day,
                     struct okno_err *err)
{
    return OKNO_DB_RUN(db, "programme.try_again", NULL, err, OKNO_TEXT("programme", programme),
                       OKNO_TEXT("day", day));
}

static int commit(struct okno_db *db, const char *programme, const char *day, const char *who,
                  const char *commitment, int64_t now_us, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    struct secret secret;
    char state[16];
    bool bound = false;
    int rc = enter(db, programme, day, who, &row, state, err);
    if (rc == 0)
        rc = load_secret(db, programme, day, who, &secret, &bound, err);
    if (rc == 0 && bound)
        rc = okno_fail(err, OKNO_CONFLICT, "%s is bound for %s already", who, day);
    if (rc == 0 && *state && strcmp(state, "planned") != 0 && strcmp(state, "frozen") != 0)
        rc = okno_fail(err, OKNO_OUT_OF_ORDER,
                       "the frame of %s is pinned: a secret that is promised now could be made to "
                       "fit it",
                       day);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "programme.commit", NULL, err, OKNO_TEXT("programme", programme),
                         OKNO_TEXT("day", day), OKNO_TEXT("who", who),
                         OKNO_TEXT("commitment", commitment), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = try_again(db, programme, day, err);
    return rc < 0 ? rc : log_promise(db, programme, day, who, commitment, now_us, err);
}

int okno_programme_commit(struct okno_db *db, const char *programme, const char *day,
                          const char *who, const char *commitment, int64_t now_us,
                          struct okno_err *err)
{
    if (strlen(commitment) != 64 || strspn(commitment, "0123456789abcdef") != 64)
        return okno_fail_field(err, OKNO_INVALID, "hash",
                               "hash: the SHA-256 of the secret, 64 digits of 0-9 a-f");
    int rc = okno_db_begin(db, err);
    return rc < 0 ? rc
                  : audit_finish(db, commit(db, programme, day, who, commitment, now_us, err), err);
}

static int check_secret(const char *secret, struct okno_err *err)
{
    size_t len = strlen(secret);
    for (size_t i = 0; i < len; i++)
        if (secret[i] <= 0x20 || secret[i] > 0x7e)
            len = 0;
    if (len >= SECRET_MIN && len <= SECRET_MAX)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "secret",
                           "secret: %d to %d printable ASCII characters without blanks", SECRET_MIN,
                           SECRET_MAX);
}

static int reveal(struct okno_db *db, const char *programme, const char *day, const char *who,
                  const char *text, int64_t now_us, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    struct secret secret = {0};
    uint8_t digest[OKNO_SHA256_BYTES];
    char hex[OKNO_SHA256_TEXT];
    char state[16];
    bool bound = false;
    int rc = enter(db, programme, day, who, &row, state, err);
    if (rc == 0)
        rc = load_secret(db, programme, day, who, &secret, &bound, err);
    if (rc == 0 && !bound)
        rc = okno_fail(err, OKNO_OUT_OF_ORDER, "%s is not bound for %s: `okno programme commit`",
                       who, day);
    if (rc == 0 && strcmp(state, "checkpointed") != 0)
        rc = okno_fail(err, OKNO_OUT_OF_ORDER,
                       "secrets of %s are revealed between its checkpoint and its seed (it is %s)",
                       day, *state ? state : "not begun");
    okno_hash_bytes(text, strlen(text), digest);
    if (rc == 0 && strcmp(okno_hash_hex(digest, hex), secret.commitment) != 0)
        rc = okno_fail(err, OKNO_CHECK_FAILED, "this is not the secret that %s promised", who);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "programme.reveal", NULL, err, OKNO_TEXT("programme", programme),
                         OKNO_TEXT("day", day), OKNO_TEXT("who", who), OKNO_TEXT("secret", text),
                         OKNO_INT("now", now_us));
    return rc < 0 ? rc : try_again(db, programme, day, err);
}

int okno_programme_reveal(struct okno_db *db, const char *programme, const char *day,
                          const char *who, const char *secret, int64_t now_us, struct okno_err *err)
{
    int rc = check_secret(secret, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    return rc < 0 ? rc
                  : audit_finish(db, reveal(db, programme, day, who, secret, now_us, err), err);
}
