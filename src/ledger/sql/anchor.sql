-- name: anchor.checkpoint
-- The frame's checkpoint of an audit, or the newest one.
SELECT id, size, root, note FROM log_checkpoints
WHERE $audit IS NULL OR audit = $audit
ORDER BY CASE WHEN $audit IS NULL THEN -size ELSE id END, id DESC LIMIT 1;

-- name: anchor.checkpoint_of
SELECT id, size, root, note, key FROM log_checkpoints WHERE size = $size ORDER BY id;

-- name: anchor.add_request
INSERT INTO log_requests (checkpoint, nonce, at, request) VALUES ($checkpoint, $nonce, $now, $request);

-- name: anchor.request
SELECT r.checkpoint, c.size, c.root, c.note, c.at FROM log_requests r
JOIN log_checkpoints c ON c.id = r.checkpoint WHERE r.nonce = $nonce;

-- name: anchor.add
INSERT INTO log_anchors (checkpoint, kind, name, at, anchored_at, reply, sha256, ca)
VALUES ($checkpoint, $kind, $name, $now, $anchored_at, $reply, $sha256, $ca)
RETURNING id;

-- name: anchor.knows
SELECT count(*) FROM log_anchors WHERE checkpoint = $checkpoint AND sha256 = $sha256;

-- name: anchor.list
SELECT a.id, a.kind, a.name, c.size, c.root, a.anchored_at, a.at, a.sha256, l.leaf, c.audit
FROM log_anchors a JOIN log_checkpoints c ON c.id = a.checkpoint
LEFT JOIN log_leaves l ON l.kind = 'anchor' AND l.subject = a.id ORDER BY a.id;

-- name: anchor.between
-- What a bundle shows: anchors that entered the log behind one entry and before another.
SELECT l.leaf, a.kind, a.name, a.reply, a.ca, c.note FROM log_leaves l
JOIN log_anchors a ON a.id = l.subject JOIN log_checkpoints c ON c.id = a.checkpoint
WHERE l.kind = 'anchor' AND l.leaf > $after AND l.leaf < $before ORDER BY l.leaf;

-- name: anchor.add_witness
INSERT INTO log_witnesses (name, key, revoked, at, author) VALUES ($name, $key, $revoked, $now, $author)
RETURNING id;

-- name: anchor.witness
SELECT name, key, revoked FROM log_witnesses WHERE name = $name ORDER BY id DESC LIMIT 1;

-- name: anchor.witnesses
SELECT w.name, w.key, w.at,
       (SELECT min(r.at) FROM log_witnesses r WHERE r.name = w.name AND r.id > w.id AND r.revoked = 1) AS revoked_at
FROM log_witnesses w WHERE w.revoked = 0 ORDER BY w.id;

-- name: anchor.standing_witnesses
SELECT name, key FROM log_witnesses w
WHERE revoked = 0 AND id = (SELECT max(id) FROM log_witnesses o WHERE o.name = w.name)
ORDER BY id;
