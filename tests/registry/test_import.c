#define _POSIX_C_SOURCE 200809L
#include "okno/buf.h"
#include "okno/mem.h"
#include "okno/record.h"
#include "okno/time.h"

#include "imported.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct okno_db *db;
static struct okno_err err;
static struct imported got;

static void take(const char *kind, const char *text, const char *rejected)
{
    okno_err_clear(&err);
    if (import_as(db, imported_kind(kind), text, &got, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
    assert_string_equal(got.rejected, rejected);
}

static int setup(void **state)
{
    (void)state;
    err = (struct okno_err){0};
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    take("sites", "site,name,time_zone\nS1,Shop,Europe/Moscow\n", "");
    take("points", "point,site,name\nP1,S1,Till\n", "");
    take("archives", "archive,kind,url,files\nA1,dir,/rec,%s.mp4\n", "");
    take("cameras", "camera,site,archive,channel\nC1,S1,A1,1\n", "");
    take("devices", "device,point,from\nD1,P1,2026-01-01T00:00:00Z\n", "");
    take("employees", "employee\nE1\n", "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    okno_db_close(db);
    return 0;
}

static void counted(int64_t read, int64_t added, int64_t duplicate, int64_t rejected)
{
    assert_int_equal(got.result.read, read);
    assert_int_equal(got.result.added, added);
    assert_int_equal(got.result.duplicate, duplicate);
    assert_int_equal(got.result.rejected, rejected);
}

/* One good row of each kind, all columns. */
static const char *const good[][2] = {
    {"archives",
     "archive,kind,url,files,time_zone,user,secret,options\n"
     "A2,dir,https://h.example/r,{channel}/%Y-%m-%d/%H-%M-%S.mp4,<+03>-3,u,s,\n"},
    {"sites", "site,name,time_zone,hours,group\nS2,Shop,UTC,Mo-Su 09:00-21:00,West\n"},
    {"points", "point,site,name,hours\nP2,S1,Till,Mo-Su 09:00-18:00\n"},
    {"devices",
     "device,point,from,to,role,test\n"
     "D2,P1,2026-01-01T00:00:00Z,2026-02-01T00:00:00+03:00,panel,yes\n"},
    {"cameras",
     "camera,site,archive,channel,name,retention_days,overlay_trusted\n"
     "C2,S1,A1,cam 2,Door,30,true\n"},
    {"placements",
     "point,camera,from,to,priority\n"
     "P1,C1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,2\n"},
    {"questions",
     "question,point,from,kind,text,window_s,to\n"
     "Q1,P1,2026-01-01T00:00:00Z,office,Clean?,3,2027-01-01T00:00:00Z\n"},
    {"employees", "employee,name,hired\nE2,Anna,2024-02-29\n"},
    {"shifts", "employee,point,from,to\nE1,P1,2026-01-01T08:00:00Z,2026-01-01T16:00:00Z\n"},
    {"counts",
     "scope,kind,from,to,count,source\n"
     "point:P1,visitors,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,0,sensor\n"},
    {"transactions", "id,time,point,employee,amount\nT1,2026-01-01T00:00:00Z,P1,E1,-12.50\n"},
    {"clocks",
     "target,at,offset_ms,uncertainty_ms,step\n"
     "camera:C1,2026-01-01T00:00:00Z,-7400,100,1\n"},
};

static void every_kind_takes_a_row_once_and_keeps_its_versions(void **state)
{
    (void)state;
    size_t count;
    (void)okno_registry_kinds(&count);
    assert_int_equal(count, OKNO_COUNT(good));
    for (size_t i = 0; i < count; i++) {
        take(good[i][0], good[i][1], "");
        counted(1, 1, 0, 0);
        take(good[i][0], good[i][1], "");
        counted(1, 0, 1, 0);
    }
}

static void every_kind_is_documented(void **state)
{
    (void)state;
    size_t count;
    const struct okno_import_kind *kinds = okno_registry_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        int keys = 0;
        assert_true(strlen(kinds[i].help) > 5);
        assert_true(kinds[i].field_count <= OKNO_RECORD_FIELDS_MAX);
        for (size_t j = 0; j < kinds[i].field_count; j++) {
            const struct okno_field *field = &kinds[i].fields[j];
            assert_true(strlen(field->help) > 2);
            /* Without a date of their own hours have one all the same. */
            assert_true(!field->key || field->required || field->type == OKNO_FIELD_DATE);
            keys += field->key;
            if (field->fallback && *field->fallback) {
                struct okno_value value;
                assert_int_equal(okno_field_check(field, NULL, NULL, &value, &err), 0);
            }
        }
        assert_true(keys >= 1);
    }
}

/* A row that is refused, the code, and what its message names. */
static const struct {
    const char *kind, *header, *row, *code, *part;
} bad[] = {
    {"sites", "site,name,time_zone", "S 9,x,UTC", "invalid", "site: \"S 9\""},
    {"sites", "site,name,time_zone", ",x,UTC", "missing", "site is required"},
    {"sites", "site,name,time_zone", "S9,x,Mars/Base", "invalid", "time_zone: \"Mars/Base\""},
    {"sites", "site,name,time_zone", "S9,x,UTC+3", "invalid", "IANA"},
    {"sites", "site,name,time_zone", "S9,x,MSK-3", "invalid", "IANA"},
    {"sites", "site,name,time_zone", "S9,x\x01y,UTC", "invalid", "\\x01"},
    {"points", "point,site,name", "P9,S9,x", "unknown_ref", "there is no site \"S9\""},
    {"archives", "archive,kind,url,files", "A9,tape,/x,%s", "invalid", "kind: \"tape\""},
    {"archives", "archive,kind,url,files", "A9,dir,gopher://x,%s", "invalid", "one of: file http"},
    {"archives", "archive,kind,url,files", "A9,dir,rec,%s", "invalid", "absolute path"},
    {"archives", "archive,kind,url,files", "A9,dir,http://u:p@h/x,%s", "invalid",
     "user and secret"},
    {"archives", "archive,kind,url", "A9,dir,gopher://u:p@h/x", "invalid", "user and secret"},
    {"archives", "archive,kind,url,files", "A9,dir,/x,", "missing", "files is required"},
    {"archives", "archive,kind,url,files", "A9,dir,/x,%Y-%m-%d.mp4", "invalid", "does not tell"},
    {"archives", "archive,kind,url,time_zone", "A9,dir,http://x,GMT+3", "invalid", "<+03>-3"},
    {"archives", "archive,kind,url,files", "A9,vhs,http://x,%s", "invalid", "one of: dir"},
    {"archives", "archive,kind,url,secret", "A9,dir,http://x,../x", "invalid", "secret"},
    {"cameras", "camera,site,archive,channel", "C9,S1,A1,a/../b", "invalid", "lead out"},
    {"cameras", "camera,site,archive,channel", "C9,S1,A1,..", "invalid", "lead out"},
    {"cameras", "camera,site,archive,channel,retention_days", "C9,S1,A1,1,0", "invalid", "from 1"},
    {"devices", "device,point,from,to", "D9,P1,2026-01-02T00:00:00Z,2026-01-02T00:00:00Z",
     "invalid", "is not after from"},
    {"devices", "device,point,from", "D9,P1,2026-01-02T00:00:00", "invalid", "without a zone"},
    {"devices", "device,point,from,role", "D9,P1,2026-01-02T00:00:00Z,lamp", "invalid",
     "button panel both channel"},
    {"devices", "device,point,from,test", "D9,P1,2026-01-02T00:00:00Z,maybe", "invalid",
     "true, yes"},
    {"questions", "question,point,from,kind,text,window_s",
     "Q9,P1,2026-01-01T00:00:00Z,office,x,121", "invalid", "from 3 to 120"},
    {"questions", "question,point,from,kind,text,window_s", "Q9,P1,2026-01-01T00:00:00Z,office,x,2",
     "invalid", "from 3 to 120"},
    {"employees", "employee,hired", "E9,2026-02-29", "invalid", "a date such as"},
    {"shifts", "employee,point,from,to", "E9,P1,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z",
     "unknown_ref", "employee \"E9\""},
    {"shifts", "employee,point,from,to", "E1,P1,2026-01-01T00:00:00Z,2036-01-01T00:00:00Z",
     "invalid", "is the year right?"},
    {"counts", "scope,kind,from,to,count,source",
     "till:P1,visitors,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,1,till", "invalid", "site:A1"},
    {"counts", "scope,kind,from,to,count,source",
     "point:P9,visitors,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,1,till", "unknown_ref", "P9"},
    {"counts", "scope,kind,from,to,count,source",
     "point:P1,visitors,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,-1,till", "invalid", "from 0"},
    {"transactions", "id,time,point,amount", "T9,2026-01-01T00:00:00Z,P1,12.", "invalid", "123.45"},
    {"transactions", "id,time,point,amount", "T9,2026-01-01T00:00:00Z,P1,1e3", "invalid", "123.45"},
    {"clocks", "target,at,offset_ms,uncertainty_ms", "device:D9,2026-01-01T00:00:00Z,0,0",
     "unknown_ref", "device \"D9\""},
    {"clocks", "target,at,offset_ms,uncertainty_ms", "device:D1,2026-01-01T00:00:00Z,0.5,0",
     "invalid", "whole number"},
    {"clocks", "target,at,offset_ms,uncertainty_ms", "device:D1,2026-01-01T00:00:00Z,0,-1",
     "invalid", "from 0"},
};

static void a_wrong_value_is_refused_with_its_name_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char text[512];
        char wanted[64];
        (void)snprintf(text, sizeof(text), "%s\n%s\n", bad[i].header, bad[i].row);
        (void)snprintf(wanted, sizeof(wanted), "2 %s;", bad[i].code);
        take(bad[i].kind, text, wanted);
        counted(1, 0, 0, 1);
        if (!strstr(got.first.text, bad[i].part))
            fail_msg("\"%s\" lacks \"%s\"", got.first.text, bad[i].part);
    }
}

static void good_rows_around_a_bad_one_are_stored(void **state)
{
    (void)state;
    take("points", "point,site,name\nP2,S1,x\nP3,S9,x\nP4,S1\nP5,S1,\"x\nP6,S1,x\n",
         "3 unknown_ref;4 malformed;5 malformed;");
    counted(5, 2, 0, 3);
}

static void a_changed_row_is_the_next_version(void **state)
{
    (void)state;
    take("sites", "site,name,time_zone\nS1,New name,Europe/Moscow\n", "");
    counted(1, 1, 0, 0);
    take("sites", "site,name,time_zone\nS1,Shop,Europe/Moscow\n", "");
    counted(1, 1, 0, 0); /* back again: a version too */
    take("sites", "site,name,time_zone\nS1,Shop,Europe/Moscow\n", "");
    counted(1, 0, 1, 0);
}

static void a_key_twice_in_one_import_is_a_conflict_and_repeating_adds_nothing(void **state)
{
    (void)state;
    static const char file[] = "site,name,time_zone\nS5,One,UTC\nS5,Two,UTC\nS5,One,UTC\n";
    take("sites", file, "3 conflict;");
    counted(3, 1, 1, 1);
    assert_non_null(strstr(got.first.text, "site=S5"));
    take("sites", file, "3 conflict;");
    counted(3, 0, 2, 1);
}

static void two_spellings_of_one_instant_are_one(void **state)
{
    (void)state;
    take("devices",
         "device,point,from,test\nD7,P1,2026-01-01T00:00:00Z,no\n"
         "D7,P1,2026-01-01T03:00:00+03:00,false\n",
         "");
    counted(2, 1, 1, 0);
}

static void json_lines_and_csv_mean_the_same(void **state)
{
    (void)state;
    take("cameras",
         "{\"camera\":\"C7\",\"site\":\"S1\",\"archive\":\"A1\",\"channel\":7,"
         "\"retention_days\":30,\"overlay_trusted\":true,\"name\":null}\n",
         "");
    counted(1, 1, 0, 0);
    take("cameras",
         "camera,site,archive,channel,retention_days,overlay_trusted\n"
         "C7,S1,A1,7,30,1\n",
         "");
    counted(1, 0, 1, 0);
    take("sites", "{\"site\":\"S7\",\"colour\":1}\n{\"site\":\"S8\"}\n",
         "1 unknown_field;2 missing;");
}

static void a_question_keeps_the_window_configured_at_its_import(void **state)
{
    (void)state;
    OKNO_AUTO_STMT *stmt = NULL;
    take("questions", "question,point,from,kind,text\nQ5,P1,2026-01-01T00:00:00Z,office,x\n", "");
    assert_int_equal(
        OKNO_DB_PREPARE(db, "registry.get_questions", &stmt, &err, OKNO_TEXT("point", "P1")), 0);
    assert_int_equal(okno_stmt_step(stmt, &err), 1);
    assert_int_equal(okno_stmt_int(stmt, "window_us"), 15 * OKNO_SECOND_US);
}

/* More batches than are read ahead; broken rows keep their lines. */
static void many_rows_go_in_batches(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
    static const char rejected[] = "10001 invalid;20001 malformed;34999 invalid;";
    assert_int_equal(okno_buf_add_text(&buf, "employee,name\n", NULL), 0);
    for (int i = 0; i < 35000; i++) {
        const char *name = i == 19999 ? "x\"" : "Name";
        assert_int_equal(okno_buf_printf(&buf, NULL, "M%s%d,%s %d\n",
                                         i == 9999 || i == 34997 ? "/" : "", i % 30000, name,
                                         i % 30000),
                         0);
    }
    take("employees", okno_buf_text(&buf), rejected);
    counted(35000, 29998, 4999, 3);
    take("employees", okno_buf_text(&buf), rejected);
    counted(35000, 0, 34997, 3);
}

/* --- a sink of another room */

struct sink {
    int started, stopped, batches;
};
static struct sink sink;

static int sink_start(const struct okno_import_env *env, void **ret_ctx, struct okno_err *why)
{
    (void)why;
    assert_true(env->import > 0 && env->conf);
    sink.started++;
    *ret_ctx = &sink;
    return 0;
}

static int sink_store(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                      enum okno_stored *ret_stored, struct okno_err *why)
{
    (void)env;
    assert_ptr_equal(ctx, &sink);
    *ret_stored = OKNO_STORED_ADDED;
    if (strcmp(values[0].text, "full") == 0)
        return okno_fail(why, OKNO_NO_SPACE, "no space left");
    return strcmp(values[0].text, "other") == 0 ? okno_fail(why, OKNO_CONFLICT, "other content")
                                                : 0;
}

static int sink_batch(const struct okno_import_env *env, void *ctx, struct okno_err *why)
{
    (void)env;
    (void)ctx;
    (void)why;
    sink.batches++;
    return 0;
}

static void sink_stop(void *ctx)
{
    assert_ptr_equal(ctx, &sink);
    sink.stopped++;
}

static const struct okno_field sink_fields[] = {
    {.name = "id", .type = OKNO_FIELD_ID, .required = true, .key = true}};
static const struct okno_import_kind sink_kind = {.kind = "things",
                                                  .fields = sink_fields,
                                                  .field_count = 1,
                                                  .start = sink_start,
                                                  .store = sink_store,
                                                  .batch = sink_batch,
                                                  .stop = sink_stop};

static void a_kind_of_another_room_plugs_in(void **state)
{
    (void)state;
    sink = (struct sink){0};
    assert_int_equal(import_as(db, &sink_kind, "id\na\nother\nb\n", &got, &err), 0);
    counted(3, 2, 0, 1);
    assert_string_equal(got.rejected, "3 conflict;");
    assert_int_equal(sink.started, 1);
    assert_int_equal(sink.batches, 1);
    assert_int_equal(sink.stopped, 1);
}

static void a_failure_of_the_machine_ends_the_import_and_counts_nothing_of_the_batch(void **state)
{
    (void)state;
    sink = (struct sink){0};
    assert_int_equal(import_as(db, &sink_kind, "id\na\nfull\nb\n", &got, &err), OKNO_NO_SPACE);
    assert_non_null(strstr(err.text, "no space left"));
    counted(0, 0, 0, 0);
    assert_int_equal(sink.stopped, 1);
    take("employees", "employee\nE7\n", ""); /* the transaction is not left open */
}

static void batches_before_a_failure_of_the_machine_stand(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
    sink = (struct sink){0};
    assert_int_equal(okno_buf_add_text(&buf, "id\n", NULL), 0);
    for (int i = 0; i < 60000; i++)
        assert_int_equal(okno_buf_add_text(&buf, i == 25000 ? "full\n" : "row-of-a-file\n", NULL),
                         0);
    assert_int_equal(import_as(db, &sink_kind, okno_buf_text(&buf), &got, &err), OKNO_NO_SPACE);
    counted(20000, 20000, 0, 0);
    assert_int_equal(sink.batches, 2);
    assert_int_equal(sink.stopped, 1);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(every_kind_takes_a_row_once_and_keeps_its_versions),
        WITH_DB(every_kind_is_documented),
        WITH_DB(a_wrong_value_is_refused_with_its_name_and_what_is_allowed),
        WITH_DB(good_rows_around_a_bad_one_are_stored),
        WITH_DB(a_changed_row_is_the_next_version),
        WITH_DB(a_key_twice_in_one_import_is_a_conflict_and_repeating_adds_nothing),
        WITH_DB(two_spellings_of_one_instant_are_one),
        WITH_DB(json_lines_and_csv_mean_the_same),
        WITH_DB(a_question_keeps_the_window_configured_at_its_import),
        WITH_DB(many_rows_go_in_batches),
        WITH_DB(a_kind_of_another_room_plugs_in),
        WITH_DB(batches_before_a_failure_of_the_machine_stand),
        WITH_DB(a_failure_of_the_machine_ends_the_import_and_counts_nothing_of_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
