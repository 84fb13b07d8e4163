-- name: registry.add_token
INSERT INTO tokens (token_hash, role, device, label, created_at)
VALUES ($token_hash, 'device', $device, $label, $now);

-- name: registry.find_token
SELECT device FROM tokens WHERE token_hash = $token_hash AND role = 'device' AND revoked_at IS NULL;

-- name: registry.allow_photos
UPDATE tokens SET photos = 1 WHERE token_hash = $token_hash AND revoked_at IS NULL;

-- name: registry.token_photos
SELECT photos FROM tokens WHERE token_hash = $token_hash AND revoked_at IS NULL;

-- name: registry.get_tokens
SELECT substr(token_hash, 1, 12) AS id, device, label, created_at, revoked_at, photos
FROM tokens
WHERE role = 'device' AND ($device IS NULL OR device = $device)
  AND ($id IS NULL OR substr(token_hash, 1, 12) = $id)
ORDER BY device, created_at, token_hash;

-- name: registry.revoke_token
UPDATE tokens SET revoked_at = $now
WHERE role = 'device' AND substr(token_hash, 1, 12) = $id AND revoked_at IS NULL;
