/* Agreement of raters against published tables, and where it is not defined. */
#include "okno/agreement.h"
#include "okno/vec.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

OKNO_VEC(judgement_vec, struct okno_judgement);

static json_t *fixture;

static int load(void **state)
{
    json_error_t error;
    (void)state;
    fixture = json_load_file("fixtures/review/agreement.json", 0, &error);
    return fixture ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(fixture);
    return 0;
}

static void add(struct judgement_vec *to, size_t item, size_t rater, size_t category)
{
    struct okno_judgement judgement = {(uint32_t)item, (uint32_t)rater, (uint32_t)category};
    assert_int_equal(judgement_vec_push(to, judgement), 0);
}

static size_t whole(const json_t *list, size_t place)
{
    return (size_t)json_integer_value(json_array_get(list, place));
}

/* Returns the number of categories. */
static size_t read_rows(const json_t *rows, struct judgement_vec *to)
{
    size_t most = 0;
    size_t i;
    size_t rater;
    json_t *row;
    json_t *answer;
    json_array_foreach(rows, i, row)
        json_array_foreach(row, rater, answer) if (json_is_integer(answer))
    {
        size_t category = (size_t)json_integer_value(answer);
        most = category > most ? category : most;
        add(to, i, rater, category - 1);
    }
    return most;
}

static size_t read_counts(const json_t *counts, struct judgement_vec *to)
{
    size_t i;
    json_t *row;
    json_array_foreach(counts, i, row)
    {
        size_t rater = 0;
        for (size_t k = 0; k < json_array_size(row); k++)
            for (size_t n = 0; n < whole(row, k); n++)
                add(to, i, rater++, k);
    }
    return json_array_size(json_array_get(counts, 0));
}

static size_t read_table(const json_t *table, struct judgement_vec *to)
{
    size_t item = 0;
    size_t i;
    json_t *row;
    json_array_foreach(table, i, row) for (size_t j = 0; j < json_array_size(row);
                                           j++) for (size_t n = 0; n < whole(row, j); n++, item++)
    {
        add(to, item, 0, i);
        add(to, item, 1, j);
    }
    return json_array_size(table);
}

static size_t read_case(const json_t *one, struct judgement_vec *to)
{
    if (json_object_get(one, "rows"))
        return read_rows(json_object_get(one, "rows"), to);
    if (json_object_get(one, "counts"))
        return read_counts(json_object_get(one, "counts"), to);
    return read_table(json_object_get(one, "table"), to);
}

static struct okno_agreement measure(struct judgement_vec *all, size_t categories, size_t positive)
{
    struct okno_agreement found;
    struct okno_err err = {0};
    const struct okno_agreement_input input = {.judgements = all->items,
                                               .count = all->len,
                                               .categories = categories,
                                               .positive = positive};
    if (okno_agreement_measure(&input, &found, &err) < 0)
        fail_msg("%s", err.text);
    return found;
}

/* To half of the last digit that was printed. */
static double tolerance(double published)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%.17g", published);
    for (int digits = 5; digits < 12; digits++) {
        double unit = pow(10, digits);
        if (fabs(round(published * unit) / unit - published) < 1e-15)
            return 0.5001 / unit;
    }
    return 1e-9;
}

static double value_of(const struct okno_agreement *found, const char *name)
{
    const struct {
        const char *name;
        double value;
    } all[] = {{"percent", found->percent.value},
               {"fleiss", found->fleiss.value},
               {"ac1", found->ac1.value},
               {"alpha", found->alpha.value},
               {"kappa", found->kappa.value},
               {"ac1_se", found->ac1.se},
               {"ac1_se_by_n", found->ac1.se * sqrt(1 - 1.0 / (double)found->items)},
               {"kappa_se", found->kappa.se}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].value;
    fail_msg("the fixture asks for %s", name);
    return NAN;
}

static void published_tables_give_their_published_figures(void **state)
{
    size_t i;
    size_t figures = 0;
    json_t *one;
    (void)state;
    json_array_foreach(json_object_get(fixture, "cases"), i, one)
    {
        OKNO_AUTO_VEC(judgement_vec) all = {0};
        const char *name;
        json_t *expected;
        size_t categories = read_case(one, &all);
        struct okno_agreement found = measure(&all, categories, SIZE_MAX);
        json_object_foreach(json_object_get(one, "expect"), name, expected)
        {
            double published = json_number_value(expected);
            double got = value_of(&found, name);
            if (!(fabs(got - published) <= tolerance(published)))
                fail_msg("%s %s: %.12g, published %.12g",
                         json_string_value(json_object_get(one, "name")), name, got, published);
            figures++;
        }
    }
    assert_int_equal(figures, 27);
}

static void the_order_of_judgements_changes_nothing(void **state)
{
    OKNO_AUTO_VEC(judgement_vec) all = {0};
    OKNO_AUTO_VEC(judgement_vec) back = {0};
    (void)state;
    size_t categories = read_case(json_array_get(json_object_get(fixture, "cases"), 0), &all);
    for (size_t i = all.len; i-- > 0;)
        assert_int_equal(judgement_vec_push(&back, all.items[i]), 0);
    struct okno_agreement one = measure(&all, categories, 0);
    struct okno_agreement two = measure(&back, categories, 0);
    assert_memory_equal(&one.ac1.value, &two.ac1.value, sizeof(double));
    assert_memory_equal(&one.alpha.value, &two.alpha.value, sizeof(double));
    assert_int_equal(one.items, 11);
    assert_int_equal(one.single, 1);
    assert_int_equal(one.raters, 4);
}

/* a = 3 agree on the category, b + c = 3 do not: 2a / (2a + b + c). */
static void positive_agreement_is_that_of_one_category(void **state)
{
    OKNO_AUTO_VEC(judgement_vec) all = {0};
    json_t *table = json_pack("[[i,i],[i,i]]", 3, 2, 1, 14);
    (void)state;
    (void)read_table(table, &all);
    json_decref(table);
    struct okno_agreement found = measure(&all, 2, 0);
    assert_true(fabs(found.positive.value - 6.0 / 9) < 1e-12);
    assert_int_equal(found.both, 20);
    found = measure(&all, 2, SIZE_MAX);
    assert_string_equal(found.positive.null_reason, "never_positive");
}

static void what_cannot_be_said_is_null_with_a_reason(void **state)
{
    OKNO_AUTO_VEC(judgement_vec) all = {0};
    (void)state;
    struct okno_agreement found = measure(&all, 3, 0);
    assert_string_equal(found.percent.null_reason, "no_double_reviews");
    add(&all, 1, 1, 1);
    add(&all, 2, 2, 1);
    found = measure(&all, 3, 0);
    assert_string_equal(found.ac1.null_reason, "no_double_reviews");
    assert_int_equal(found.single, 2);
    add(&all, 1, 2, 1);
    found = measure(&all, 3, 0);
    assert_true(found.percent.value == 1);
    assert_string_equal(found.alpha.null_reason, "one_category");
    assert_string_equal(found.kappa.null_reason, "one_category");
    assert_string_equal(found.positive.null_reason, "never_positive");
    found = measure(&all, 2, 0);
    assert_true(found.ac1.value == 1);
    add(&all, 1, 3, 0);
    found = measure(&all, 3, 0);
    assert_string_equal(found.kappa.null_reason, "not_two_raters");
}

static void what_makes_no_sense_is_refused(void **state)
{
    OKNO_AUTO_VEC(judgement_vec) all = {0};
    struct okno_agreement found;
    struct okno_err err = {0};
    (void)state;
    add(&all, 1, 1, 0);
    struct okno_agreement_input input = {.judgements = all.items, .count = 1, .categories = 0};
    assert_int_equal(okno_agreement_measure(&input, &found, &err), OKNO_INVALID);
    input.categories = OKNO_AGREEMENT_CATEGORIES_MAX + 1;
    assert_int_equal(okno_agreement_measure(&input, &found, NULL), OKNO_INVALID);
    all.items[0].category = 2;
    input.categories = 2;
    assert_int_equal(okno_agreement_measure(&input, &found, NULL), OKNO_INVALID);
    all.items[0].category = 1;
    add(&all, 1, 1, 0);
    input.judgements = all.items;
    input.count = 2;
    err = (struct okno_err){0};
    assert_int_equal(okno_agreement_measure(&input, &found, &err), OKNO_INVALID);
    assert_string_equal(err.text, "rater 1 judges item 1 twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tables_give_their_published_figures),
        cmocka_unit_test(the_order_of_judgements_changes_nothing),
        cmocka_unit_test(positive_agreement_is_that_of_one_category),
        cmocka_unit_test(what_cannot_be_said_is_null_with_a_reason),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
