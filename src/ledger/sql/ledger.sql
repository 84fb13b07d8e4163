-- name: ledger.size
SELECT max(leaf) + 1 FROM log_leaves;

-- name: ledger.nodes
SELECT nodes FROM log_leaves WHERE leaf = $leaf;

-- name: ledger.line
SELECT line FROM log_leaves WHERE leaf = $leaf;

-- name: ledger.lines
SELECT leaf, line FROM log_leaves WHERE leaf < $size ORDER BY leaf;

-- name: ledger.add
INSERT INTO log_leaves (leaf, at, kind, audit, subject, line, nodes)
VALUES ($leaf, $at, $kind, $audit, $subject, $line, $nodes);

-- name: ledger.add_salt
INSERT INTO log_salts (leaf, salt) VALUES ($leaf, $salt);

-- name: ledger.find
SELECT max(leaf) FROM log_leaves WHERE kind = $kind AND subject = $subject;

-- name: ledger.salt
SELECT salt FROM log_salts WHERE leaf = $leaf;

-- name: ledger.secret
SELECT secret FROM log_secret;

-- name: ledger.add_checkpoint
INSERT INTO log_checkpoints (at, size, root, key, note, audit)
VALUES ($at, $size, $root, $key, $note, $audit);

-- name: ledger.last_checkpoint
SELECT size, root, key, note FROM log_checkpoints ORDER BY size DESC, id DESC LIMIT 1;

-- name: ledger.audit_checkpoint
SELECT size, root, key, note FROM log_checkpoints WHERE audit = $audit ORDER BY id LIMIT 1;
