#define _POSIX_C_SOURCE 200809L
#include "../support/scratch_db.h"

#include "run_okno.h"

#include <jansson.h>

static struct ran ran;

#define CASE_A                                                                                     \
    "stratum,class,frame,valid,invalid\n,yes,800,77,3\n,unsure,100,9,1\n,no,300,26,4\n"            \
    ",silent,1800,0,0\n"

static void says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("`%s` does not say `%s`", text, words);
}

static json_t *result(void)
{
    if (ran.exit_code)
        fail_msg("exit %d: %s", ran.exit_code, ran.err);
    json_t *json = json_loads(ran.out, 0, NULL);
    assert_non_null(json);
    return json;
}

static double real(const json_t *json, const char *name, const char *key)
{
    const json_t *value = json_object_get(json_object_get(json, name), key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* ---- okno estimate ---- */

static void a_table_of_cells_gives_the_published_figures(void **state)
{
    (void)state;
    RUN_OKNO(&ran, CASE_A, "estimate", "--k", "0.3", "--silent", "known", "--json", "-");
    json_t *json = result();
    assert_true(real(json, "ink", "value") == 0.273972603);
    assert_true(real(json, "ink", "se") == 0.004802342);
    assert_true(real(json, "ink", "low") == 0.262160704);
    assert_true(real(json, "ink", "high") == 0.281967878);
    assert_true(real(json, "iel", "value") == -0.010273973);
    assert_true(real(json, "iel", "low") == -0.029503761);
    assert_true(real(json, "iel", "high") == 0.006930106);
    assert_int_equal(real(json, "invalid_share", "at_least"), 37);
    assert_int_equal(real(json, "invalid_share", "at_most"), 148);
    json_decref(json);
    RUN_OKNO(&ran, CASE_A, "estimate", "--k", "0.3", "--silent", "known", "-");
    says(ran.out, "ink            0.273972603  [0.262160704, 0.281967878]");
}

static void json_lines_and_corrected_classes_are_read_too(void **state)
{
    (void)state;
    RUN_OKNO(&ran,
             "{\"class\":\"yes\",\"frame\":800,\"valid\":70,\"no\":4,\"silent\":3,\"invalid\":3}\n"
             "{\"class\":\"unsure\",\"frame\":100,\"valid\":9,\"invalid\":1}\n"
             "{\"class\":\"no\",\"frame\":300,\"valid\":27,\"yes\":1,\"invalid\":2}\n"
             "{\"class\":\"silent\",\"frame\":1800,\"valid\":54,\"yes\":2,\"invalid\":4}\n",
             "estimate", "--k", "0.3", "--json", "-");
    json_t *json = result();
    assert_true(real(json, "ink", "value") == 0.285460993);
    assert_true(real(json, "ink", "se") == 0.009412249);
    assert_true(real(json, "ink", "denominator") == 2820);
    assert_true(real(json, "iel", "value") == -0.012411348);
    json_decref(json);
}

static void merged_cells_are_named(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "stratum,class,frame,valid,invalid\nA,yes,80,1,0\nB,yes,80,4,0\nA,no,10,3,1\n",
             "estimate", "--json", "-");
    json_t *json = result();
    const json_t *merged = json_object_get(json_object_get(json, "ink"), "merged");
    assert_int_equal(json_array_size(merged), 1);
    assert_int_equal(json_array_size(json_array_get(merged, 0)), 2);
    json_decref(json);
}

static void a_table_without_reviews_has_no_figure_and_no_failure(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "class,frame,valid,invalid\nyes,80,0,0\n", "estimate", "--json", "-");
    json_t *json = result();
    const json_t *ink = json_object_get(json, "ink");
    assert_true(json_is_null(json_object_get(ink, "value")));
    assert_string_equal(json_string_value(json_object_get(ink, "null_reason")), "not_sampled");
    json_decref(json);
    RUN_OKNO(&ran, "class,frame,valid,invalid\nyes,80,0,0\n", "estimate", "-");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "not_sampled");
}

static void a_bad_table_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *table, *words;
    } bad[] = {
        {"", "header"},
        {"class,frame,valid\nyes,1,1\n", "invalid"},
        {"class,frame,valid,invalid,extra\n", "extra"},
        {"class,frame,valid,invalid\nyes,1,1,0\nnein,1,1,0\n", "-:3: class `nein`"},
        {"class,frame,valid,invalid\nnone,1,1,0\n", "-:2: class `none`"},
        {"class,frame,valid,invalid\nyes,-1,1,0\n", "-:2: frame `-1`: a whole number"},
        {"class,frame,valid,invalid\nyes,1.5,1,0\n", "-:2: frame `1.5`: a whole number"},
        {"class,frame,valid,invalid\nyes,99999999999,1,0\n", "0 to 1000000000"},
        {"class,frame,valid,invalid\nyes,5,4,2\n", "class yes: the reviewed have to be"},
        {"class,frame,valid,invalid\nyes,5,4,1\nyes,5,4,1\n", "the cell stands twice"},
        {"class,frame,valid,invalid,force_majeure\nyes,5,4,1,maybe\n", "force_majeure `maybe`"},
    };
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        RUN_OKNO(&ran, bad[i].table, "estimate", "--json", "-");
        assert_int_equal(ran.exit_code, 2);
        assert_string_equal(ran.out, "");
        says(ran.err, bad[i].words);
    }
}

static void wrong_options_of_estimate_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *args[5];
        const char *words;
    } bad[] = {{{"estimate"}, "say one FILE"},
               {{"estimate", "--k", "1.5", "-"}, "--k 1.5: 0 to 1"},
               {{"estimate", "--level", "95", "-"}, "level 95: between 0 and 1"},
               {{"estimate", "--looks", "0", "-"}, "--looks 0: 1 to 1000"},
               {{"estimate", "--silent", "maybe", "-"}, "--silent takes sampled or known"}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        run_okno_bytes(CASE_A, strlen(CASE_A), bad[i].args, &ran);
        assert_int_equal(ran.exit_code, 2);
        says(ran.err, bad[i].words);
    }
}

/* ---- okno audit ---- */

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(f,
                   "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 29)"
                   "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at,"
                   " state, answer, device_offset_us, device_uncertainty_us)"
                   "SELECT printf('d.0.%03d', i), 'p', 's', 'office', 1773126000000000 + i,"
                   " 1773126015000000 + i, 'answered', 'yes', 0, 0 FROM n");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

#define AUDIT(f, ...) RUN_OKNO(&ran, "", "--data", (f)->dir, "audit", __VA_ARGS__)
#define PERIOD "--from", "2026-03-10T07:00:00Z", "--to", "2026-03-10T08:00:00Z"

static void an_audit_goes_from_plan_to_draw(void **state)
{
    struct scratch_db *f = *state;
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--title", "March", "--by", "eva",
          "--show-answer");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "state    planned");
    AUDIT(f, "freeze", "march");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "frame    30, SHA-256 ");
    AUDIT(f, "seed", "march", "--seed", "18364520937745610298", "--how", "20 dice");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "before `seed` comes `okno audit checkpoint march -o FILE`");
    AUDIT(f, "checkpoint", "march");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "\n\n\xe2\x80\x94 okno.log/");
    AUDIT(f, "seed", "march", "--seed", "18364520937745610298", "--how", "20 dice");
    assert_int_equal(ran.exit_code, 0);
    AUDIT(f, "draw", "march", "--json");
    json_t *json = result();
    assert_int_equal(json_integer_value(json_object_get(json, "sample")), 5);
    assert_true(json_is_true(json_object_get(json_object_get(json, "plan"), "show_answer")));
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(json, "steps"), 0), "author")),
                        "local:eva");
    json_decref(json);
    AUDIT(f, "status", "march");
    says(ran.out, "sample   5, reviewed 0");
    AUDIT(f, "list");
    says(ran.out, "march");
    AUDIT(f, "list", "--json");
    json = result();
    assert_int_equal(json_array_size(json), 1);
    json_decref(json);
}

/* Where the surveys were made: told after the freeze, which would make them anew otherwise. */
static void add_site(struct scratch_db *f)
{
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source)"
                   " VALUES (7, 0, 'root', 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone)"
                   " VALUES (7, 's', 'Shop', 'UTC');"
                   "INSERT INTO points (import, point, site, name)"
                   " VALUES (7, 'p', 's', 'Till')");
}

/* What the report's draft says. */
static int limit_of(const struct scratch_db *f, const char *name)
{
    int n = -1;
    size_t i;
    json_t *limit;
    AUDIT(f, "report", "march", "--draft", "--format", "json");
    json_t *json = result();
    json_array_foreach(json_object_get(json, "limits"), i, limit)
    {
        if (strcmp(json_string_value(json_object_get(limit, "limit")), name) == 0)
            n = (int)json_integer_value(json_object_get(limit, "n"));
    }
    json_decref(json);
    return n;
}

static void add_logins(struct scratch_db *f)
{
    scratch_db_put(f,
                   "INSERT INTO users (user, role, password_hash, created_at) VALUES"
                   " ('eva', 'auditor', '', 0), ('root', 'administrator', '', 0)");
}

static void join_to(struct scratch_db *f, const char *employee, const char *who)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO imports (import, at, author, kind, source)"
                   " VALUES (NULL, 0, 'root', 'employees', '-');"
                   "INSERT INTO employees (import, employee, name)"
                   " SELECT max(import), '%s', 'Eva' FROM imports",
                   employee);
    scratch_db_put(f, sql);
    (void)snprintf(sql, sizeof(sql), "UPDATE users SET employee = '%s' WHERE user IN (%s)",
                   employee, who);
    scratch_db_put(f, sql);
}

/* Nobody logged in: whoever has the data directory can say any name. */
static void a_step_at_the_command_line_is_not_an_auditors_login(void **state)
{
    struct scratch_db *f = *state;
    add_logins(f);
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "eva");
    AUDIT(f, "freeze", "march", "--by", "eva");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "local:eva");
    add_site(f);
    assert_int_equal(limit_of(f, "unaudited"), 2);
    assert_int_equal(limit_of(f, "unproven_apart"), -1);
    scratch_db_put(f, "UPDATE audit_steps SET author = 'eva'");
    assert_int_equal(limit_of(f, "unaudited"), -1);
    assert_int_equal(limit_of(f, "unproven_apart"), 2);
    join_to(f, "e7", "'eva'");
    assert_int_equal(limit_of(f, "unproven_apart"), 2);
    join_to(f, "e1", "'root'");
    assert_int_equal(limit_of(f, "unproven_apart"), -1);
}

/* The page's rule: who runs the system is named as the auditor of nothing. */
static void who_runs_the_system_takes_no_step_at_the_command_line_either(void **state)
{
    struct scratch_db *f = *state;
    add_logins(f);
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "root");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "root is administrator: the steps of an audit are an auditor's");
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "eva");
    assert_int_equal(ran.exit_code, 0);
    join_to(f, "e7", "'eva', 'root'");
    AUDIT(f, "freeze", "march", "--by", "eva");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "eva is an administrator, too");
    says(ran.err, "--accept-one-person REASON");
    AUDIT(f, "status", "march");
    says(ran.out, "state    planned");
}

/* Where the rule leaves nobody, that is declared with the plan, and every report says so. */
static void a_shop_of_one_person_says_so(void **state)
{
    struct scratch_db *f = *state;
    add_logins(f);
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--accept-one-person", "the owner is alone");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "eva is an auditor and no administrator");
    join_to(f, "e7", "'eva', 'root'");
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--accept-one-person", " ");
    assert_int_equal(ran.exit_code, 2);
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "eva", "--accept-one-person",
          "the owner is alone");
    assert_int_equal(ran.exit_code, 0);
    AUDIT(f, "freeze", "march", "--by", "eva");
    assert_int_equal(ran.exit_code, 0);
    add_site(f);
    assert_int_equal(limit_of(f, "one_person"), 0);
    AUDIT(f, "report", "march", "--draft", "--format", "html", "--lang", "ru");
    says(ran.out, "the owner is alone");
    AUDIT(f, "report", "march", "--draft", "--format", "html", "--public");
    assert_null(strstr(ran.out, "the owner is alone"));
}

static void put(const struct scratch_db *f, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    okno_autofclose FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
}

/* What the log holds is shown to somebody who has only the key. */
static void a_checkpoint_and_a_proof_are_verified_without_a_database(void **state)
{
    struct scratch_db *f = *state;
    char key[128];
    char proof[128];
    char entry[128];
    (void)snprintf(key, sizeof(key), "%s/key", f->dir);
    (void)snprintf(proof, sizeof(proof), "%s/proof", f->dir);
    (void)snprintf(entry, sizeof(entry), "%s/entry", f->dir);
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "eva");
    AUDIT(f, "freeze", "march");
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "key");
    put(f, "key", ran.out);
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "prove", "--entry", "1", "-o", proof, "--entry-to",
             entry);
    if (ran.exit_code)
        fail_msg("%s", ran.err);
    RUN_OKNO(&ran, "", "--data", "/nonexistent", "log", "verify", proof, "--key", key, "--entry",
             entry);
    if (ran.exit_code)
        fail_msg("%s", ran.err);
    says(ran.out, "entry    1 is in it");
    RUN_OKNO(&ran, "", "log", "verify", proof, "--key", key);
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "--entry FILE");
    put(f, "entry", "{}");
    RUN_OKNO(&ran, "", "log", "verify", proof, "--key", key, "--entry", entry);
    assert_int_equal(ran.exit_code, 6);
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "checkpoint", "--audit", "march");
    assert_int_equal(ran.exit_code, 3);
    AUDIT(f, "checkpoint", "march", "-o", proof);
    assert_int_equal(ran.exit_code, 0);
    RUN_OKNO(&ran, "", "log", "verify", proof, "--key", key);
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "size     2\n");
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "checkpoint", "--audit", "march");
    says(ran.out, "\n2\n");
    AUDIT(f, "checkpoint", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "`okno log checkpoint --audit march` gives what it made again");
    put(f, "key", "nonsense");
    RUN_OKNO(&ran, "", "log", "verify", proof, "--key", key);
    assert_int_equal(ran.exit_code, 2);
    assert_int_equal(remove(key) + remove(proof) + remove(entry), 0);
}

static void a_wrong_log_call_exits_with_2(void **state)
{
    struct scratch_db *f = *state;
    RUN_OKNO(&ran, "", "--data", f->dir, "log");
    assert_int_equal(ran.exit_code, 2);
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "prove");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "--verdict ID of a decision");
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "prove", "--entry", "0");
    assert_int_equal(ran.exit_code, 3);
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "checkpoint");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "the log is empty");
    RUN_OKNO(&ran, "", "log", "verify", "x");
    assert_int_equal(ran.exit_code, 2);
}

/* Closing waits for the last decision. */
static void an_audit_with_an_open_survey_is_not_closed(void **state)
{
    struct scratch_db *f = *state;
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--by", "eva");
    AUDIT(f, "freeze", "march");
    AUDIT(f, "checkpoint", "march");
    AUDIT(f, "seed", "march", "--seed", "18364520937745610298");
    AUDIT(f, "close", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "before `close` comes `okno audit draw march`");
    AUDIT(f, "draw", "march");
    AUDIT(f, "close", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "5 surveys without a decision");
    scratch_db_put(f, "UPDATE review_items SET state = 'decided'");
    AUDIT(f, "close", "march", "--note", "all seen");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "state    closed");
    AUDIT(f, "close", "march");
    assert_int_equal(ran.exit_code, 5);
}

static void a_step_out_of_order_exits_with_5(void **state)
{
    struct scratch_db *f = *state;
    AUDIT(f, "plan", "march", PERIOD, "--size", "5");
    assert_int_equal(ran.exit_code, 0);
    AUDIT(f, "draw", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "before `draw` comes `okno audit freeze march`");
    AUDIT(f, "seed", "march", "--seed", "18364520937745610298");
    assert_int_equal(ran.exit_code, 5);
    AUDIT(f, "freeze", "march");
    AUDIT(f, "freeze", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "never repeated");
}

static void import(struct scratch_db *f, const char *kind, const char *table)
{
    RUN_OKNO(&ran, table, "--data", f->dir, "import", kind, "-");
    if (ran.exit_code)
        fail_msg("import %s: exit %d: %s", kind, ran.exit_code, ran.err);
}

static void freezing_closes_first_what_has_ended_meanwhile(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f, "DELETE FROM surveys");
    import(f, "sites", "site,name,time_zone\ns,Shop,UTC\n");
    import(f, "points", "point,site,name\np,s,Till\n");
    import(f, "devices", "device,point,from,role\nd,p,2026-03-01T00:00:00Z,both\n");
    import(f, "questions",
           "question,point,from,kind,text\nq,p,2026-03-01T00:00:00Z,office,How was it?\n");
    import(f, "events",
           "device,seq,time,kind\nd,1,2026-03-10T07:10:00Z,press\nd,2,2026-03-10T07:10:05Z,no\n"
           "d,3,2026-03-10T07:20:00Z,press\n");
    scratch_db_put(f, "UPDATE surveys SET state = 'open', answer = NULL, answered_at = NULL");
    AUDIT(f, "plan", "march", PERIOD, "--size", "5");
    assert_int_equal(ran.exit_code, 0);
    AUDIT(f, "freeze", "march");
    assert_int_equal(ran.exit_code, 5);
    says(ran.err, "1 silent surveys of the period of audit march may be panels");
    import(f, "events", "device,seq,time,kind\nd,4,2026-03-10T07:30:00Z,alive\n");
    AUDIT(f, "freeze", "march");
    if (ran.exit_code)
        fail_msg("%s", ran.err);
    says(ran.out, "frame    2, SHA-256");
}

/* As every other command takes them: March by the shop's clocks. */
static void a_period_is_said_in_dates_of_the_sites_calendar(void **state)
{
    struct scratch_db *f = *state;
    AUDIT(f, "plan", "march", "--from", "2026-03-01", "--to", "2026-04-01", "--size", "5");
    assert_int_equal(ran.exit_code, 3);
    says(ran.err, "no site yet");
    import(f, "sites", "site,name,time_zone\ns,Shop,Europe/Moscow\n");
    AUDIT(f, "plan", "march", "--from", "2026-03-01", "--to", "2026-04-01", "--size", "5");
    assert_int_equal(ran.exit_code, 0);
    says(ran.out, "period   2026-02-28T21:00:00.000Z to 2026-03-31T21:00:00.000Z");
    AUDIT(f, "plan", "x", "--from", "2026-03-01", "--to", "2026-04-01T00:00:00Z", "--size", "5");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "both dates");
    import(f, "sites", "site,name,time_zone\nt,Store,Asia/Omsk\n");
    AUDIT(f, "plan", "april", "--from", "2026-04-01", "--to", "2026-05-01", "--size", "5");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "the sites have different time zones");
}

static void an_audit_that_is_not_there_exits_with_3(void **state)
{
    struct scratch_db *f = *state;
    static const char *const steps[] = {"freeze", "draw", "status"};
    for (size_t i = 0; i < OKNO_COUNT(steps); i++) {
        AUDIT(f, steps[i], "april");
        assert_int_equal(ran.exit_code, 3);
        says(ran.err, "there is no audit april");
    }
}

static void a_wrong_audit_call_exits_with_2(void **state)
{
    struct scratch_db *f = *state;
    AUDIT(f, "plan", "march", "--size", "5");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "--from TIME --to TIME --size N");
    AUDIT(f, "plan", PERIOD, "--size", "5");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "say one audit");
    AUDIT(f, "plan", "march", PERIOD, "--size", "0");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "size 0: 1 to");
    AUDIT(f, "plan", "march", PERIOD, "--size", "5", "--invalid", "maybe");
    assert_int_equal(ran.exit_code, 2);
    AUDIT(f, "jump", "march");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "`jump` is no step");
    AUDIT(f, "seed", "march");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "--seed S");
    AUDIT(f, "list", "march");
    assert_int_equal(ran.exit_code, 2);
    AUDIT(f, "list", "--hurry");
    assert_int_equal(ran.exit_code, 2);
    says(ran.err, "`okno audit --help` lists them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_cells_gives_the_published_figures),
        cmocka_unit_test(json_lines_and_corrected_classes_are_read_too),
        cmocka_unit_test(merged_cells_are_named),
        cmocka_unit_test(a_table_without_reviews_has_no_figure_and_no_failure),
        cmocka_unit_test(a_bad_table_is_refused_with_its_line),
        cmocka_unit_test(wrong_options_of_estimate_are_refused),
        cmocka_unit_test_setup_teardown(an_audit_goes_from_plan_to_draw, setup, teardown),
        cmocka_unit_test_setup_teardown(a_checkpoint_and_a_proof_are_verified_without_a_database,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_log_call_exits_with_2, setup, teardown),
        cmocka_unit_test_setup_teardown(a_step_at_the_command_line_is_not_an_auditors_login, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            who_runs_the_system_takes_no_step_at_the_command_line_either, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shop_of_one_person_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(an_audit_with_an_open_survey_is_not_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_step_out_of_order_exits_with_5, setup, teardown),
        cmocka_unit_test_setup_teardown(freezing_closes_first_what_has_ended_meanwhile, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_period_is_said_in_dates_of_the_sites_calendar, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_audit_that_is_not_there_exits_with_3, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_audit_call_exits_with_2, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
