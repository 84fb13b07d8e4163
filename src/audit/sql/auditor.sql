-- name: auditor.add
INSERT INTO auditor_keys (auditor, kind, key, fingerprint, revoked, at, author)
VALUES ($auditor, $kind, $key, $fingerprint, $revoked, $now, $author)
RETURNING id;

-- name: auditor.get
-- The newest row of a key.
SELECT auditor, kind, key, fingerprint, revoked FROM auditor_keys
WHERE fingerprint = $fingerprint ORDER BY id DESC LIMIT 1;

-- name: auditor.standing
-- Keys of a name, or the key of a fingerprint, that were not revoked; revoked ones last.
SELECT auditor, key, fingerprint, revoked FROM auditor_keys k
WHERE (auditor = $name OR fingerprint = $name)
  AND id = (SELECT max(id) FROM auditor_keys o WHERE o.fingerprint = k.fingerprint)
ORDER BY revoked, id DESC LIMIT 2;

-- name: auditor.list
SELECT k.auditor, k.kind, k.key, k.fingerprint, k.at,
       (SELECT max(r.at) FROM auditor_keys r
        WHERE r.fingerprint = k.fingerprint AND r.revoked = 1) AS revoked_at
FROM auditor_keys k WHERE k.revoked = 0 ORDER BY k.id;
