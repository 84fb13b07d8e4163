/* A Merkle tree over the entries of a log, its proofs and their verification. Pure.
 * Source: RFC 6962, section 2 (SHA-256; a leaf is hashed behind 0x00, a node behind 0x01) and the
 * verification steps of RFC 9162, section 2.1. */
#ifndef OKNO_MERKLE_H
#define OKNO_MERKLE_H

#include "okno/err.h"
#include "okno/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OKNO_TREE_LEVELS 48 /* more entries than any disk holds */
#define OKNO_PROOF_MAX (2 * OKNO_TREE_LEVELS)

struct okno_digest {
    uint8_t bytes[OKNO_SHA256_BYTES];
};

struct okno_digest okno_merkle_leaf(const void *bytes, size_t len);
struct okno_digest okno_merkle_node(const struct okno_digest *left,
                                    const struct okno_digest *right);
bool okno_digest_same(const struct okno_digest *a, const struct okno_digest *b);

/* The right edge of a tree: all that is needed to append. Zero-initialise for the empty tree. */
struct okno_tree {
    int64_t size;
    struct okno_digest edge[OKNO_TREE_LEVELS]; /* edge[h]: the whole subtree of bit h of size */
};

/* Append a leaf's hash. ret_nodes (OKNO_TREE_LEVELS + 1 entries, or NULL) gets the roots of the
 * whole subtrees that end with this leaf, the leaf itself first; returns their number. */
size_t okno_tree_add(struct okno_tree *tree, const struct okno_digest *leaf,
                     struct okno_digest *ret_nodes);

/* The root; of the empty tree the hash of nothing. */
struct okno_digest okno_tree_root(const struct okno_tree *tree);

/* Where proofs find the root of the whole subtree of 2^level leaves that ends with leaf `last`.
 * Returns 0 or a code. */
typedef int okno_merkle_read(void *ctx, int64_t last, unsigned level, struct okno_digest *ret_node,
                             struct okno_err *err);

/* The right edge of the first `size` leaves. */
OKNO_CHECK int okno_tree_load(okno_merkle_read *read, void *ctx, int64_t size,
                              struct okno_tree *ret_tree, struct okno_err *err);

struct okno_proof {
    size_t count;
    struct okno_digest path[OKNO_PROOF_MAX];
};

/* That a leaf is in the tree of `size` leaves. OKNO_INVALID unless 0 <= leaf < size. */
OKNO_CHECK int okno_merkle_inclusion(okno_merkle_read *read, void *ctx, int64_t leaf, int64_t size,
                                     struct okno_proof *ret_proof, struct okno_err *err);
/* That the tree of `size` leaves begins with the tree of `old`. OKNO_INVALID unless
 * 0 < old <= size. */
OKNO_CHECK int okno_merkle_consistency(okno_merkle_read *read, void *ctx, int64_t old, int64_t size,
                                       struct okno_proof *ret_proof, struct okno_err *err);

bool okno_merkle_has(int64_t leaf, int64_t size, const struct okno_digest *leaf_hash,
                     const struct okno_proof *proof, const struct okno_digest *root);
bool okno_merkle_extends(int64_t old, int64_t size, const struct okno_digest *old_root,
                         const struct okno_digest *root, const struct okno_proof *proof);

#endif
