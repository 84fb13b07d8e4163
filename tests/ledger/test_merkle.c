#include "okno/json.h"
#include "okno/mem.h"
#include "okno/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { LEAVES = 200 };

static struct okno_digest leaves[LEAVES];
static struct okno_digest nodes[LEAVES][OKNO_TREE_LEVELS + 1];

static int read_made(void *ctx, int64_t last, unsigned level, struct okno_digest *ret_node,
                     struct okno_err *err)
{
    (void)ctx;
    (void)err;
    *ret_node = nodes[last][level];
    return 0;
}

static struct okno_digest root_of(int64_t size)
{
    struct okno_tree tree;
    assert_int_equal(okno_tree_load(read_made, NULL, size, &tree, NULL), 0);
    return okno_tree_root(&tree);
}

static int grow(void **state)
{
    struct okno_tree tree = {0};
    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "leaf %d", i);
        leaves[i] = okno_merkle_leaf(text, (size_t)len);
        (void)okno_tree_add(&tree, &leaves[i], nodes[i]);
    }
    return 0;
}

static void the_published_roots_come_out(void **state)
{
    okno_autojson json_t *fixture = json_load_file("fixtures/evidence/log.json", 0, NULL);
    struct okno_tree tree = {0};
    char hex[OKNO_SHA256_TEXT];
    (void)state;
    struct okno_digest root = okno_tree_root(&tree);
    assert_string_equal(okno_hash_hex(root.bytes, hex),
                        json_string_value(json_object_get(fixture, "empty_root")));
    json_t *inputs = json_object_get(fixture, "leaves");
    assert_int_equal(json_array_size(inputs), 8);
    for (size_t i = 0; i < 8; i++) {
        const char *text = json_string_value(json_array_get(inputs, i));
        uint8_t bytes[32];
        for (size_t at = 0; text[2 * at]; at++) {
            unsigned value = 0;
            assert_int_equal(sscanf(text + 2 * at, "%2x", &value), 1);
            bytes[at] = (uint8_t)value;
        }
        struct okno_digest leaf = okno_merkle_leaf(bytes, strlen(text) / 2);
        (void)okno_tree_add(&tree, &leaf, NULL);
        root = okno_tree_root(&tree);
        assert_string_equal(
            okno_hash_hex(root.bytes, hex),
            json_string_value(json_array_get(json_object_get(fixture, "roots"), i)));
    }
}

static void every_leaf_of_every_size_is_proven_and_no_other_is(void **state)
{
    struct okno_proof proof;
    (void)state;
    for (int64_t size = 1; size <= 70; size++) {
        struct okno_digest root = root_of(size);
        for (int64_t leaf = 0; leaf < size; leaf++) {
            assert_int_equal(okno_merkle_inclusion(read_made, NULL, leaf, size, &proof, NULL), 0);
            assert_true(okno_merkle_has(leaf, size, &leaves[leaf], &proof, &root));
            assert_false(okno_merkle_has(leaf, size, &leaves[LEAVES - 1], &proof, &root));
            assert_false(okno_merkle_has(leaf, size + (size & (size - 1) ? 0 : 1), &leaves[leaf],
                                         &proof, &leaves[0]));
            proof.count++;
            assert_false(okno_merkle_has(leaf, size, &leaves[leaf], &proof, &root));
            proof.count--;
            if (proof.count == 0)
                continue;
            proof.path[0].bytes[31] ^= 1;
            assert_false(okno_merkle_has(leaf, size, &leaves[leaf], &proof, &root));
            proof.path[0].bytes[31] ^= 1;
            proof.count--;
            assert_false(okno_merkle_has(leaf, size, &leaves[leaf], &proof, &root));
        }
    }
}

static void every_size_extends_every_smaller_one_and_no_other_tree(void **state)
{
    struct okno_proof proof;
    (void)state;
    for (int64_t size = 1; size <= 70; size++) {
        struct okno_digest root = root_of(size);
        for (int64_t old = 1; old <= size; old++) {
            struct okno_digest old_root = root_of(old);
            struct okno_digest wrong = old_root;
            wrong.bytes[0] ^= 1;
            assert_int_equal(okno_merkle_consistency(read_made, NULL, old, size, &proof, NULL), 0);
            assert_true(okno_merkle_extends(old, size, &old_root, &root, &proof));
            assert_false(okno_merkle_extends(old, size, &wrong, &root, &proof));
            assert_false(okno_merkle_extends(old, size, &old_root, &wrong, &proof));
            if (proof.count > 0) {
                proof.path[proof.count - 1].bytes[5] ^= 1;
                assert_false(okno_merkle_extends(old, size, &old_root, &root, &proof));
            }
        }
    }
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
    struct okno_proof proof;
    struct okno_tree tree;
    struct okno_digest root = root_of(3);
    (void)state;
    proof.count = 0;
    assert_int_equal(okno_merkle_inclusion(read_made, NULL, 3, 3, &proof, NULL), OKNO_INVALID);
    assert_int_equal(okno_merkle_inclusion(read_made, NULL, -1, 3, &proof, NULL), OKNO_INVALID);
    assert_int_equal(okno_merkle_consistency(read_made, NULL, 0, 3, &proof, NULL), OKNO_INVALID);
    assert_int_equal(okno_merkle_consistency(read_made, NULL, 4, 3, &proof, NULL), OKNO_INVALID);
    assert_int_equal(okno_tree_load(read_made, NULL, -1, &tree, NULL), OKNO_INVALID);
    assert_false(okno_merkle_has(-1, 3, &root, &proof, &root));
    assert_false(okno_merkle_has(3, 3, &root, &proof, &root));
    assert_false(okno_merkle_extends(0, 3, &root, &root, &proof));
    assert_false(okno_merkle_extends(3, 2, &root, &root, &proof));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_roots_come_out),
        cmocka_unit_test(every_leaf_of_every_size_is_proven_and_no_other_is),
        cmocka_unit_test(every_size_extends_every_smaller_one_and_no_other_tree),
        cmocka_unit_test(sizes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, grow, NULL);
}
