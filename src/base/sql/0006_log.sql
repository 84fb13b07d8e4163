-- The evidence log: one canonical JSON line without personal data is one leaf of a Merkle tree.
-- nodes: the roots of the whole subtrees that end with this leaf, the leaf's own hash first, 32
-- bytes each; every root and proof is made of them.
CREATE TABLE log_leaves (
    leaf INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, audit TEXT,
    subject INTEGER,                   -- kind verdict: its id; step: the step's; import: the import's
    line TEXT NOT NULL, nodes BLOB NOT NULL
) STRICT;
CREATE INDEX log_leaves_subject ON log_leaves (kind, subject);
CREATE INDEX log_leaves_audit ON log_leaves (audit);
CREATE TRIGGER log_leaves_next BEFORE INSERT ON log_leaves
WHEN NEW.leaf IS NOT (SELECT coalesce(max(leaf) + 1, 0) FROM log_leaves)
BEGIN SELECT raise(ABORT, 'the log is only appended to'); END;
CREATE TRIGGER log_leaves_update BEFORE UPDATE ON log_leaves
BEGIN SELECT raise(ABORT, 'the log is only appended to'); END;
CREATE TRIGGER log_leaves_delete BEFORE DELETE ON log_leaves
BEGIN SELECT raise(ABORT, 'the log is only appended to'); END;

-- What opens the salted hashes of a leaf; apart, so that it can go while the leaf stays.
CREATE TABLE log_salts (leaf INTEGER PRIMARY KEY, salt TEXT NOT NULL) STRICT;

-- Turns names into pseudonyms that are the same throughout this database.
CREATE TABLE log_secret (id INTEGER PRIMARY KEY CHECK (id = 1), secret TEXT NOT NULL) STRICT;
INSERT INTO log_secret VALUES (1, lower(hex(randomblob(32))));

-- Signed checkpoints that were handed out.
CREATE TABLE log_checkpoints (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, size INTEGER NOT NULL, root TEXT NOT NULL,
    key TEXT NOT NULL, note TEXT NOT NULL, audit TEXT
) STRICT;
