#define _POSIX_C_SOURCE 200809L
#include "okno/sampler.h"

#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IDS = 50, CASES = 3, WITH_REPLACEMENT = 120, CHAIN = 31, STRATA = 5, TRIM18 = 20 };

struct replaced {
    char ticket[512];
    size_t place, generation;
};

struct list {
    size_t places[IDS];
    size_t len;
};

/* One seed's numbers, as the fixture explains them. */
struct numbers {
    char seed[128], hash[65];
    char tickets[IDS][OKNO_TICKET_TEXT];
    struct list order;
    char trim9[IDS][128], trim18[TRIM18][128];
    struct replaced replaced[WITH_REPLACEMENT];
    struct list strata[STRATA];
    char chain[CHAIN][512];
    size_t ticket_len, trim9_len, trim18_len, replaced_len, strata_len, chain_len;
};

static char ids[IDS][64];
static const char *id_list[IDS];
static size_t id_len, case_len;
static char uniform_of_abc[OKNO_TICKET_TEXT], next_of_short[512];
static struct numbers cases[CASES];

static void copy(char *into, size_t size, const char *text)
{
    assert_true(strlen(text) < size);
    (void)snprintf(into, size, "%s", text);
}

static void read_list(const char *text, struct list *list)
{
    char *end = NULL;
    for (; *text; text = end) {
        assert_true(list->len < IDS);
        list->places[list->len++] = strtoul(text, &end, 10);
        assert_true(end > text);
    }
}

static void read_replaced(const char *text, struct replaced *replaced)
{
    assert_int_equal(
        sscanf(text, "%511s %zu %zu", replaced->ticket, &replaced->place, &replaced->generation),
        3);
}

#define ROW(array, len) (assert_true((len) < OKNO_COUNT(array)), &(array)[(len)++])

static void read_row(const char *word, const char *rest)
{
    struct numbers *at = &cases[case_len ? case_len - 1 : 0];
    if (strcmp(word, "id") == 0)
        copy(*ROW(ids, id_len), sizeof(ids[0]), rest);
    else if (strcmp(word, "uniform") == 0)
        copy(uniform_of_abc, sizeof(uniform_of_abc), strchr(rest, ' ') + 1);
    else if (strcmp(word, "next") == 0)
        copy(next_of_short, sizeof(next_of_short), strchr(rest, ' ') + 1);
    else if (strcmp(word, "seed") == 0)
        copy(ROW(cases, case_len)->seed, sizeof(at->seed), rest);
    else if (strcmp(word, "hash") == 0)
        copy(at->hash, sizeof(at->hash), rest);
    else if (strcmp(word, "ticket") == 0)
        copy(*ROW(at->tickets, at->ticket_len), sizeof(at->tickets[0]), rest);
    else if (strcmp(word, "order") == 0)
        read_list(rest, &at->order);
    else if (strcmp(word, "trim9") == 0)
        copy(*ROW(at->trim9, at->trim9_len), sizeof(at->trim9[0]), rest);
    else if (strcmp(word, "trim18") == 0)
        copy(*ROW(at->trim18, at->trim18_len), sizeof(at->trim18[0]), rest);
    else if (strcmp(word, "replace") == 0)
        read_replaced(rest, ROW(at->replaced, at->replaced_len));
    else if (strcmp(word, "stratum") == 0)
        read_list(rest, ROW(at->strata, at->strata_len));
    else if (strcmp(word, "chain") == 0)
        copy(*ROW(at->chain, at->chain_len), sizeof(at->chain[0]), rest);
    else
        fail_msg("fixture: unknown word %s", word);
}

static int read_fixture(void **state)
{
    (void)state;
    okno_autofclose FILE *file = fopen("fixtures/audit/sampler.txt", "r");
    char line[1024];
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        char *space = strchr(line, ' ');
        if (line[0] == '#')
            continue;
        assert_non_null(space);
        *space = '\0';
        read_row(line, space + 1);
    }
    assert_int_equal(id_len, IDS);
    assert_int_equal(case_len, CASES);
    for (size_t i = 0; i < IDS; i++)
        id_list[i] = ids[i];
    return 0;
}

static struct okno_draw_vec drawn(const struct okno_draw_request *request)
{
    struct okno_draw_vec draws = {0};
    struct okno_err err = {0};
    int rc = okno_sampler_draw(request, &draws, &err);
    if (rc < 0)
        fail_msg("%s", err.text);
    return draws;
}

static void tickets_agree_with_the_published_program(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct okno_sampler sampler;
        char ticket[OKNO_TICKET_TEXT];
        okno_sampler_start(&sampler, cases[c].seed);
        assert_string_equal(sampler.seed_hash, cases[c].hash);
        assert_int_equal(cases[c].ticket_len, IDS);
        for (size_t i = 0; i < IDS; i++)
            assert_string_equal(okno_sampler_ticket(&sampler, ids[i], ticket), cases[c].tickets[i]);
    }
}

static void the_program_s_documented_tickets_come_out(void **state)
{
    (void)state;
    struct okno_sampler sampler;
    char ticket[OKNO_TICKET_TEXT];
    okno_autofree char *next = NULL;
    okno_sampler_start(&sampler, "01382438112797316654");
    assert_string_equal(
        okno_sampler_ticket(&sampler, "AB-130", ticket),
        "0.26299714122838008416507544297546663599715395525154425586041245287750224561854");
    assert_string_equal(okno_sampler_uniform("abc", ticket), uniform_of_abc);
    assert_int_equal(okno_sampler_next("0.25471", &next, NULL), 0);
    assert_string_equal(next, next_of_short);
}

static void the_order_without_replacement_agrees(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        OKNO_AUTO_DRAWS draws = drawn(&(struct okno_draw_request){
            .seed = cases[c].seed, .ids = id_list, .count = IDS, .size = IDS});
        assert_int_equal(draws.len, IDS);
        for (size_t i = 0; i < IDS; i++) {
            char text[128];
            const struct okno_draw *draw = &draws.items[i];
            assert_int_equal(draw->index, cases[c].order.places[i]);
            assert_int_equal(draw->rank, i + 1);
            assert_int_equal(draw->generation, 1);
            assert_string_equal(draw->ticket, cases[c].tickets[draw->index]);
            assert_string_equal(okno_sampler_short(draw->ticket, 9, text, sizeof(text)),
                                cases[c].trim9[i]);
            if (i < TRIM18)
                assert_string_equal(okno_sampler_short(draw->ticket, 18, text, sizeof(text)),
                                    cases[c].trim18[i]);
        }
    }
}

static void the_draw_with_replacement_agrees(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        OKNO_AUTO_DRAWS draws = drawn(&(struct okno_draw_request){.seed = cases[c].seed,
                                                                  .ids = id_list,
                                                                  .count = IDS,
                                                                  .size = WITH_REPLACEMENT,
                                                                  .with_replacement = true});
        assert_int_equal(draws.len, WITH_REPLACEMENT);
        for (size_t i = 0; i < WITH_REPLACEMENT; i++) {
            const struct replaced *want = &cases[c].replaced[i];
            assert_string_equal(draws.items[i].ticket, want->ticket);
            assert_int_equal(draws.items[i].index, want->place);
            assert_int_equal(draws.items[i].generation, want->generation);
            assert_int_equal(draws.items[i].rank, i + 1);
        }
    }
}

static void a_ticket_s_chain_agrees_over_31_generations(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        okno_autofree char *ticket = strdup(cases[c].tickets[0]);
        for (size_t i = 0; i < CHAIN; i++) {
            char *next = NULL;
            assert_string_equal(ticket, cases[c].chain[i]);
            assert_int_equal(okno_sampler_next(ticket, &next, NULL), 0);
            assert_true(strcmp(next, ticket) > 0);
            free(ticket);
            ticket = next;
        }
    }
}

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void a_stratum_drawn_alone_keeps_the_order_of_the_whole(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES * STRATA; c++) {
        const struct numbers *numbers = &cases[c / STRATA];
        const struct list *stratum = &numbers->strata[c % STRATA];
        struct list sorted = *stratum;
        const char *some[IDS];
        qsort(sorted.places, sorted.len, sizeof(sorted.places[0]), ascending);
        for (size_t i = 0; i < sorted.len; i++)
            some[i] = ids[sorted.places[i]];
        OKNO_AUTO_DRAWS draws = drawn(&(struct okno_draw_request){
            .seed = numbers->seed, .ids = some, .count = sorted.len, .size = sorted.len});
        for (size_t i = 0; i < sorted.len; i++)
            assert_string_equal(some[draws.items[i].index], ids[stratum->places[i]]);
    }
}

static void a_later_round_skips_what_was_drawn_and_goes_on_in_rank(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        bool skip[IDS] = {false};
        for (size_t i = 0; i < 10; i++)
            skip[cases[c].order.places[i]] = true;
        OKNO_AUTO_DRAWS draws = drawn(&(struct okno_draw_request){
            .seed = cases[c].seed, .ids = id_list, .count = IDS, .skip = skip, .size = 5});
        assert_int_equal(draws.len, 5);
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(draws.items[i].index, cases[c].order.places[10 + i]);
            assert_int_equal(draws.items[i].rank, 11 + i);
        }
    }
}

static void the_order_of_the_list_does_not_matter(void **state)
{
    (void)state;
    const char *backwards[IDS];
    for (size_t i = 0; i < IDS; i++)
        backwards[i] = ids[IDS - 1 - i];
    OKNO_AUTO_DRAWS draws = drawn(&(struct okno_draw_request){
        .seed = cases[0].seed, .ids = backwards, .count = IDS, .size = 20});
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(IDS - 1 - draws.items[i].index, cases[0].order.places[i]);
}

static void refused(const struct okno_draw_request *request, int code, const char *words)
{
    struct okno_err err = {0};
    struct okno_draw_vec draws = {0};
    assert_int_equal(okno_sampler_draw(request, &draws, &err), code);
    assert_null(draws.items);
    if (!strstr(err.text, words))
        fail_msg("`%s` does not say `%s`", err.text, words);
}

static void a_list_that_cannot_be_drawn_from_is_refused(void **state)
{
    (void)state;
    static char long_id[OKNO_SAMPLER_ID_BYTES + 2];
    memset(long_id, 'x', OKNO_SAMPLER_ID_BYTES + 1);
    const struct {
        const char *id;
        const char *words;
    } bad[] = {{"", "id 3 is empty"},
               {"b", "id `b` stands twice: entries 2 and 3"},
               {"c\r", "id 3 holds a line break"},
               {"c\nd", "id 3 holds a line break"},
               {long_id, "id 3 has 1025 bytes, at most 1024"}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        const char *list[] = {"a", "b", bad[i].id};
        refused(&(struct okno_draw_request){.seed = "1", .ids = list, .count = 3, .size = 1},
                OKNO_INVALID, bad[i].words);
    }
}

static void a_size_that_cannot_be_met_is_refused(void **state)
{
    (void)state;
    static const bool skip[IDS] = {true, true};
    struct okno_draw_request request = {
        .seed = "1", .ids = id_list, .count = IDS, .skip = skip, .size = IDS - 1};
    refused(&request, OKNO_INVALID, "only 48 ids are there");
    request.with_replacement = true;
    refused(&request, OKNO_INVALID, "with replacement nothing is skipped");
    request.skip = NULL;
    request.size = (size_t)OKNO_SAMPLER_DRAW_MAX + 1;
    refused(&request, OKNO_TOO_LARGE, "at most 5000000");
    request.size = 1;
    request.count = 0;
    refused(&request, OKNO_INVALID, "no id to draw");
    request.count = (size_t)OKNO_SAMPLER_IDS_MAX + 1;
    refused(&request, OKNO_TOO_LARGE, "at most 5000000");
}

static void nothing_is_drawn_when_nothing_is_asked(void **state)
{
    (void)state;
    OKNO_AUTO_DRAWS none =
        drawn(&(struct okno_draw_request){.seed = "1", .ids = id_list, .count = IDS, .size = 0});
    OKNO_AUTO_DRAWS nobody = drawn(&(struct okno_draw_request){.seed = "1", .count = 0, .size = 0});
    assert_int_equal(none.len, 0);
    assert_int_equal(nobody.len, 0);
}

static void a_text_that_is_no_ticket_has_no_next(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0.", "1.5", "abc"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char *next = NULL;
        assert_int_equal(okno_sampler_next(bad[i], &next, NULL), OKNO_INVALID);
        assert_null(next);
    }
}

static void a_ticket_of_nines_only_still_has_a_next(void **state)
{
    (void)state;
    okno_autofree char *next = NULL;
    assert_int_equal(okno_sampler_next("0.999", &next, NULL), 0);
    assert_true(strcmp(next, "0.9990") > 0);
    assert_int_equal(strncmp(next, "0.999", 5), 0);
}

static void a_short_ticket_fits_the_room_it_gets(void **state)
{
    (void)state;
    char text[8];
    assert_string_equal(okno_sampler_short("0.99123456789", 3, text, sizeof(text)), "0.99123");
    assert_string_equal(okno_sampler_short("0.99123456789", 9, text, sizeof(text)), "0.99123");
    assert_string_equal(okno_sampler_short("0.12", 9, text, sizeof(text)), "0.12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_agree_with_the_published_program),
        cmocka_unit_test(the_program_s_documented_tickets_come_out),
        cmocka_unit_test(the_order_without_replacement_agrees),
        cmocka_unit_test(the_draw_with_replacement_agrees),
        cmocka_unit_test(a_ticket_s_chain_agrees_over_31_generations),
        cmocka_unit_test(a_stratum_drawn_alone_keeps_the_order_of_the_whole),
        cmocka_unit_test(a_later_round_skips_what_was_drawn_and_goes_on_in_rank),
        cmocka_unit_test(the_order_of_the_list_does_not_matter),
        cmocka_unit_test(a_list_that_cannot_be_drawn_from_is_refused),
        cmocka_unit_test(a_size_that_cannot_be_met_is_refused),
        cmocka_unit_test(nothing_is_drawn_when_nothing_is_asked),
        cmocka_unit_test(a_text_that_is_no_ticket_has_no_next),
        cmocka_unit_test(a_ticket_of_nines_only_still_has_a_next),
        cmocka_unit_test(a_short_ticket_fits_the_room_it_gets),
    };
    return cmocka_run_group_tests(tests, read_fixture, NULL);
}
