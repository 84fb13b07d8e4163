-- name: extras.add
INSERT INTO evidence_extras (evidence, sidecar, flags, measures)
VALUES ($evidence, $sidecar, $flags, $measures);

-- name: extras.masks
-- What stands for a camera at a moment.
SELECT id, shapes FROM masks WHERE camera = $camera AND from_us <= $at
ORDER BY from_us DESC, id DESC LIMIT 1;

-- name: extras.add_masks
INSERT INTO masks (camera, from_us, shapes, author, reason, made_at)
VALUES ($camera, $from, $shapes, $author, $reason, $made_at);

-- name: extras.zone
-- Whose local time a camera's pictures are shown in.
SELECT time_zone FROM sites
WHERE site = (SELECT site FROM cameras WHERE camera = $camera ORDER BY id DESC LIMIT 1)
ORDER BY id DESC LIMIT 1;

-- name: extras.reference
SELECT cells FROM camera_references WHERE camera = $camera AND from_us <= $at
ORDER BY from_us DESC, id DESC LIMIT 1;

-- name: extras.add_reference
INSERT INTO camera_references (camera, from_us, frame_at, sha256, cells, author, made_at)
VALUES ($camera, $from, $frame_at, $sha256, $cells, $author, $made_at);

-- name: extras.history
-- Masks and references of a camera, as they were written.
SELECT 'masks' AS what, from_us, shapes AS value, author, reason, made_at FROM masks
WHERE camera = $camera
UNION ALL
SELECT 'reference', from_us, sha256, author, '', made_at FROM camera_references
WHERE camera = $camera
ORDER BY made_at, what;

-- name: extras.knows_camera
SELECT EXISTS (SELECT 1 FROM cameras WHERE camera = $camera);

-- name: extras.evidence
-- What is shown of a kept file: the newest row of its hash.
SELECT e.id, e.kind, e.camera, e.codec, e.got_from, e.got_to, e.asked_from, e.view_offset_us,
    e.survey, s.view, s.sidecar
FROM evidence e JOIN evidence_shown s ON s.id = e.id
WHERE e.sha256 = $sha256 ORDER BY e.id DESC LIMIT 1;

-- name: extras.sidecar_of
-- The evidence that a sidecar belongs to.
SELECT e.sha256 FROM evidence_extras x JOIN evidence e ON e.id = x.evidence
WHERE x.sidecar = $sidecar LIMIT 1;

-- name: extras.copy_hash
SELECT sha256 FROM copies WHERE name = $name;

-- name: extras.add_copy
INSERT INTO copies (name, sha256) VALUES ($name, $sha256)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256;

-- name: extras.remove_copy
DELETE FROM copies WHERE name = $name;
