-- name: bundle.steps
-- Steps of an audit with their entries of the log; a step older than the log has none.
SELECT s.id, s.step, s.at, s.detail, l.leaf, l.line, t.salt
FROM audit_steps s
LEFT JOIN log_leaves l ON l.kind = 'step' AND l.subject = s.id
LEFT JOIN log_salts t ON t.leaf = l.leaf
WHERE s.audit = $audit ORDER BY s.id;

-- name: bundle.frame
SELECT survey, line FROM audit_frame WHERE audit = $audit ORDER BY ordinal;

-- name: bundle.decisions
SELECT v.survey, v.comment, l.leaf, l.line, t.salt
FROM verdicts v
LEFT JOIN log_leaves l ON l.kind = 'verdict' AND l.subject = v.id
LEFT JOIN log_salts t ON t.leaf = l.leaf
WHERE v.audit = $audit ORDER BY v.id;

-- name: bundle.sidecar
-- The newest sidecar of a kept file: the times of its frames.
SELECT x.sidecar FROM evidence e JOIN evidence_extras x ON x.evidence = e.id
WHERE e.sha256 = $sha256 ORDER BY e.id DESC LIMIT 1;

-- name: bundle.plan
SELECT plan FROM audits WHERE audit = $audit;

-- name: bundle.add_manifest
INSERT INTO audit_manifests (audit, at, author, size, files, text, sha256)
VALUES ($audit, $now, $author, $size, $files, $text, $sha256);

-- name: bundle.manifest
SELECT id, at, size, files, text, sha256 FROM audit_manifests
WHERE audit = $audit ORDER BY id DESC LIMIT 1;

-- name: bundle.add_signature
INSERT INTO audit_signatures (audit, manifest, at, author, fingerprint, signature, sha256)
VALUES ($audit, $manifest, $now, $author, $fingerprint, $signature, $sha256);

-- name: bundle.signature
-- The newest signature with what it signs.
SELECT s.at, s.fingerprint, s.signature, s.sha256, m.text, m.files, m.sha256 AS manifest
FROM audit_signatures s JOIN audit_manifests m ON m.id = s.manifest
WHERE s.audit = $audit ORDER BY s.id DESC LIMIT 1;

-- name: bundle.count_editions
SELECT count(*) FROM audit_reports WHERE audit = $audit;

-- name: bundle.count_unreported
-- Decisions that were logged after the newest report of an audit.
SELECT count(*) FROM log_leaves
WHERE kind = 'verdict' AND audit = $audit
  AND leaf > (SELECT max(l.leaf) FROM audit_steps s
              JOIN log_leaves l ON l.kind = 'step' AND l.subject = s.id
              WHERE s.audit = $audit AND s.step = 'report');
