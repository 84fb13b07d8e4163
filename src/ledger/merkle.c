#include "okno/merkle.h"

#include <string.h>

struct okno_digest okno_merkle_leaf(const void *bytes, size_t len)
{
    struct okno_digest digest = {{0}};
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, "\0", 1);
    okno_hash_add(&hash, bytes, len);
    okno_hash_end(&hash, digest.bytes);
    return digest;
}

struct okno_digest okno_merkle_node(const struct okno_digest *left, const struct okno_digest *right)
{
    struct okno_digest digest = {{0}};
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, "\1", 1);
    okno_hash_add(&hash, left->bytes, sizeof(left->bytes));
    okno_hash_add(&hash, right->bytes, sizeof(right->bytes));
    okno_hash_end(&hash, digest.bytes);
    return digest;
}

bool okno_digest_same(const struct okno_digest *a, const struct okno_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

size_t okno_tree_add(struct okno_tree *tree, const struct okno_digest *leaf,
                     struct okno_digest *ret_nodes)
{
    struct okno_digest node = *leaf;
    size_t level = 0;
    if (ret_nodes)
        ret_nodes[0] = node;
    for (; level + 1 < OKNO_TREE_LEVELS && (tree->size >> level & 1); level++) {
        node = okno_merkle_node(&tree->edge[level], &node);
        if (ret_nodes)
            ret_nodes[level + 1] = node;
    }
    tree->edge[level] = node;
    tree->size++;
    return level + 1;
}

struct okno_digest okno_tree_root(const struct okno_tree *tree)
{
    struct okno_digest root = {{0}};
    bool begun = false;
    for (unsigned level = 0; level < OKNO_TREE_LEVELS; level++) {
        if (!(tree->size >> level & 1))
            continue;
        root = begun ? okno_merkle_node(&tree->edge[level], &root) : tree->edge[level];
        begun = true;
    }
    if (!begun)
        okno_hash_bytes("", 0, root.bytes);
    return root;
}

/* ---- proofs ---- */

struct source {
    okno_merkle_read *read;
    void *ctx;
};

/* The largest power of two below n (n > 1), as its exponent. */
static unsigned split(int64_t n)
{
    unsigned level = 0;
    while ((INT64_C(2) << level) < n)
        level++;
    return level;
}

/* The root of the leaves [from, from + count): a part that ends where the tree ends may be ragged.
 */
static int range_root(const struct source *source, int64_t from, int64_t count,
                      struct okno_digest *ret_root, struct okno_err *err)
{
    struct okno_tree part = {.size = count};
    int64_t at = from;
    for (unsigned level = OKNO_TREE_LEVELS; level-- > 0;) {
        if (!(count >> level & 1))
            continue;
        at += INT64_C(1) << level;
        int rc = source->read(source->ctx, at - 1, level, &part.edge[level], err);
        if (rc < 0)
            return rc;
    }
    *ret_root = okno_tree_root(&part);
    return 0;
}

int okno_tree_load(okno_merkle_read *read, void *ctx, int64_t size, struct okno_tree *ret_tree,
                   struct okno_err *err)
{
    struct okno_tree tree = {.size = size};
    int64_t at = 0;
    if (size < 0 || size >= INT64_C(1) << OKNO_TREE_LEVELS)
        return okno_fail(err, OKNO_INVALID, "a log has no size %lld", (long long)size);
    for (unsigned level = OKNO_TREE_LEVELS; level-- > 0;) {
        if (!(size >> level & 1))
            continue;
        at += INT64_C(1) << level;
        int rc = read(ctx, at - 1, level, &tree.edge[level], err);
        if (rc < 0)
            return rc;
    }
    *ret_tree = tree;
    return 0;
}

/* Siblings are met from the root down and are stored from the leaf up. */
static void turn_round(struct okno_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct okno_digest held = proof->path[i];
        proof->path[i] = proof->path[proof->count - 1 - i];
        proof->path[proof->count - 1 - i] = held;
    }
}

static int add_range(const struct source *source, int64_t from, int64_t count,
                     struct okno_proof *proof, struct okno_err *err)
{
    int rc = range_root(source, from, count, &proof->path[proof->count], err);
    proof->count += rc == 0;
    return rc;
}

int okno_merkle_inclusion(okno_merkle_read *read, void *ctx, int64_t leaf, int64_t size,
                          struct okno_proof *ret_proof, struct okno_err *err)
{
    const struct source source = {read, ctx};
    struct okno_proof proof = {0};
    int64_t from = 0;
    int64_t count = size;
    if (leaf < 0 || leaf >= size || size >= INT64_C(1) << OKNO_TREE_LEVELS)
        return okno_fail(err, OKNO_INVALID, "entry %lld is not among the first %lld of the log",
                         (long long)leaf, (long long)size);
    while (count > 1) {
        int64_t half = INT64_C(1) << split(count);
        bool right = leaf - from >= half;
        int rc = add_range(&source, right ? from : from + half, right ? half : count - half, &proof,
                           err);
        if (rc < 0)
            return rc;
        from += right ? half : 0;
        count = right ? count - half : half;
    }
    turn_round(&proof);
    *ret_proof = proof;
    return 0;
}

int okno_merkle_consistency(okno_merkle_read *read, void *ctx, int64_t old, int64_t size,
                            struct okno_proof *ret_proof, struct okno_err *err)
{
    const struct source source = {read, ctx};
    struct okno_proof proof = {0};
    int64_t from = 0;
    int64_t count = size;
    int64_t mark = old; /* leaves of the old tree inside [from, from + count) */
    int rc = 0;
    if (old < 1 || old > size || size >= INT64_C(1) << OKNO_TREE_LEVELS)
        return okno_fail(err, OKNO_INVALID, "a log of %lld entries does not extend one of %lld",
                         (long long)size, (long long)old);
    while (rc == 0 && mark < count) {
        int64_t half = INT64_C(1) << split(count);
        bool right = mark > half;
        rc = add_range(&source, right ? from : from + half, right ? half : count - half, &proof,
                       err);
        from += right ? half : 0;
        mark -= right ? half : 0;
        count = right ? count - half : half;
    }
    if (rc == 0 && from > 0) /* the old tree's last whole part stands first */
        rc = add_range(&source, from, count, &proof, err);
    if (rc < 0)
        return rc;
    turn_round(&proof);
    *ret_proof = proof;
    return 0;
}

bool okno_merkle_has(int64_t leaf, int64_t size, const struct okno_digest *leaf_hash,
                     const struct okno_proof *proof, const struct okno_digest *root)
{
    struct okno_digest hash = *leaf_hash;
    int64_t at = leaf;
    int64_t last = size - 1;
    if (leaf < 0 || leaf >= size)
        return false;
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) || at == last) {
            hash = okno_merkle_node(&proof->path[i], &hash);
            while (!(at & 1) && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = okno_merkle_node(&hash, &proof->path[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && okno_digest_same(&hash, root);
}

/* Both roots rebuilt from the path behind its first hash. */
static bool climbs(int64_t old, int64_t size, struct okno_digest hash, const struct okno_proof *p,
                   size_t next, const struct okno_digest *old_root, const struct okno_digest *root)
{
    struct okno_digest first = hash;
    int64_t at = old - 1;
    int64_t last = size - 1;
    while (at & 1) {
        at >>= 1;
        last >>= 1;
    }
    for (; next < p->count; next++) {
        if (last == 0)
            return false;
        if ((at & 1) || at == last) {
            first = okno_merkle_node(&p->path[next], &first);
            hash = okno_merkle_node(&p->path[next], &hash);
            while (!(at & 1) && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = okno_merkle_node(&hash, &p->path[next]);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && okno_digest_same(&first, old_root) && okno_digest_same(&hash, root);
}

bool okno_merkle_extends(int64_t old, int64_t size, const struct okno_digest *old_root,
                         const struct okno_digest *root, const struct okno_proof *proof)
{
    if (old < 1 || old > size)
        return false;
    if (old == size)
        return proof->count == 0 && okno_digest_same(old_root, root);
    bool whole = (old & (old - 1)) == 0;
    if (!whole && proof->count == 0)
        return false;
    return climbs(old, size, whole ? *old_root : proof->path[0], proof, whole ? 0 : 1, old_root,
                  root);
}
