/* Writers of one process take turns in the order in which they came. */
#define _GNU_SOURCE
#include "../../src/base/turn.h"
#include "../support/scratch_db.h"
#include "okno/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static void one_database_has_one_turn_and_another_its_own(void **state)
{
    (void)state;
    struct turn *one = turn_join("/a/okno.db");
    struct turn *same = turn_join("/a/okno.db");
    struct turn *other = turn_join("/b/okno.db");
    assert_ptr_equal(one, same);
    assert_ptr_not_equal(one, other);
    assert_true(turn_take(one, 0));
    assert_true(turn_take(other, 0));
    turn_give(other);
    turn_give(one);
    turn_leave(one);
    turn_leave(same);
    turn_leave(other);
    turn_leave(NULL);
}

static void who_waits_too_long_goes_without_and_leaves_no_trace(void **state)
{
    (void)state;
    struct turn *turn = turn_join("/a/okno.db");
    assert_true(turn_take(turn, 0));
    int64_t started = okno_time_monotonic();
    assert_false(turn_take(turn, 30000));
    assert_true(okno_time_monotonic() - started >= 30000);
    turn_give(turn);
    assert_true(turn_take(turn, 0));
    turn_give(turn);
    turn_leave(turn);
}

enum { WAITERS = 4 };

struct line {
    struct turn *turn;
    atomic_int came;    /* how many stand in line or will at once */
    atomic_int allowed; /* who may come next */
    int order[WAITERS];
    int served;
};

struct person {
    struct line *line;
    int number;
    pthread_t thread;
};

static void *person_main(void *arg)
{
    struct person *person = arg;
    struct line *line = person->line;
    while (atomic_load(&line->allowed) != person->number)
        (void)sched_yield();
    (void)atomic_fetch_add(&line->came, 1);
    if (turn_take(line->turn, 20 * OKNO_SECOND_US)) {
        line->order[line->served++] = person->number;
        turn_give(line->turn);
    }
    return NULL;
}

static void turns_go_by_who_came_first(void **state)
{
    (void)state;
    struct line line = {.turn = turn_join("/a/okno.db"), .allowed = -1};
    struct person people[WAITERS];
    assert_true(turn_take(line.turn, 0));
    for (int i = 0; i < WAITERS; i++) {
        people[i] = (struct person){.line = &line, .number = i};
        assert_int_equal(pthread_create(&people[i].thread, NULL, person_main, &people[i]), 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        atomic_store(&line.allowed, i);
        while (atomic_load(&line.came) <= i)
            (void)sched_yield();
        struct timespec little = {.tv_nsec = 20000000}; /* from "coming" to standing in line */
        (void)nanosleep(&little, NULL);
    }
    turn_give(line.turn);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_join(people[i].thread, NULL), 0);
    assert_int_equal(line.served, WAITERS);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(line.order[i], i);
    turn_leave(line.turn);
}

static void a_transaction_gives_its_turn_back_however_it_ends(void **state)
{
    (void)state;
    struct scratch_db *s = scratch_db_new();
    struct okno_db *other = NULL;
    assert_int_equal(okno_db_open(s->dir, false, &other, &s->err), 0);
    assert_int_equal(okno_db_begin(s->db, &s->err), 0);
    assert_int_equal(okno_db_begin(s->db, &s->err), OKNO_DATABASE); /* they do not nest */
    okno_err_clear(&s->err);
    assert_int_equal(okno_db_commit(s->db, &s->err), 0);
    assert_int_equal(okno_db_begin(other, &s->err), 0);
    okno_db_rollback(other);
    assert_int_equal(okno_db_begin(s->db, &s->err), 0);
    okno_db_rollback(s->db);
    okno_db_rollback(s->db); /* harmless */
    assert_int_equal(okno_db_begin(other, &s->err), 0);
    okno_db_close(other); /* an open transaction is rolled back */
    assert_int_equal(okno_db_begin(s->db, &s->err), 0);
    assert_int_equal(okno_db_commit(s->db, &s->err), 0);
    assert_int_equal(okno_db_commit(s->db, &s->err), OKNO_DATABASE); /* nothing to commit */
    okno_err_clear(&s->err);
    assert_int_equal(okno_db_begin(s->db, &s->err), 0);
    scratch_db_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_database_has_one_turn_and_another_its_own),
        cmocka_unit_test(who_waits_too_long_goes_without_and_leaves_no_trace),
        cmocka_unit_test(turns_go_by_who_came_first),
        cmocka_unit_test(a_transaction_gives_its_turn_back_however_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
