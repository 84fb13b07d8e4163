-- name: panel.add_import
INSERT INTO imports (at, author, kind, source, read, added)
VALUES ($at, $author, 'devices', 'panel', 1, 1) RETURNING import;

-- name: panel.add_device
INSERT INTO devices (import, device, point, valid_from, role)
VALUES ($import, $device, $point, $from, $role);

-- name: panel.end_codes
UPDATE panel_codes SET expires_at = $now
WHERE device = $device AND used_at IS NULL AND expires_at > $now;

-- name: panel.is_paper
SELECT EXISTS (SELECT 1 FROM qr_codes WHERE device = $device);

-- name: panel.add_code
INSERT INTO panel_codes (code_hash, device, label, author, created_at, expires_at)
VALUES ($code_hash, $device, $label, $author, $now, $expires_at);

-- name: panel.use_code
UPDATE panel_codes SET used_at = $now
WHERE code_hash = $code_hash AND used_at IS NULL AND expires_at > $now
RETURNING device, label;

-- name: panel.next_boot
INSERT INTO panel_boots (device, boot)
VALUES ($device, (SELECT coalesce(max(boot), 0) + 1 FROM device_runs WHERE device = $device))
ON CONFLICT (device) DO UPDATE SET boot = max(boot + 1, excluded.boot) RETURNING boot;

-- name: panel.employee_name
SELECT name FROM employees WHERE employee = $employee AND name <> '' ORDER BY id DESC LIMIT 1;

-- name: panel.put_state
INSERT INTO panel_states (device, at, queued, refused, oldest_at, sent_at)
VALUES ($device, $at, $queued, $refused, $oldest_at, $sent_at)
ON CONFLICT (device) DO UPDATE SET at = excluded.at, queued = excluded.queued,
    refused = excluded.refused, oldest_at = excluded.oldest_at, sent_at = excluded.sent_at;

-- name: panel.list
SELECT c.device, c.label,
       (SELECT p.point FROM devices p WHERE p.device = c.device ORDER BY p.valid_from DESC, p.id DESC
        LIMIT 1) AS point,
       (SELECT p.role FROM devices p WHERE p.device = c.device ORDER BY p.valid_from DESC, p.id DESC
        LIMIT 1) AS role,
       (SELECT count(*) FROM tokens t WHERE t.device = c.device AND t.revoked_at IS NULL) AS tokens,
       (SELECT max(o.expires_at) FROM panel_codes o
        WHERE o.device = c.device AND o.used_at IS NULL AND o.expires_at > $now) AS invited_until,
       s.at, s.queued, s.refused, s.oldest_at, s.sent_at
FROM panel_codes c LEFT JOIN panel_states s ON s.device = c.device
WHERE c.code_hash = (SELECT d.code_hash FROM panel_codes d WHERE d.device = c.device
                     ORDER BY d.created_at DESC, d.code_hash LIMIT 1)
ORDER BY c.device;

-- name: panel.revoke
UPDATE tokens SET revoked_at = $now
WHERE role = 'device' AND device = $device AND revoked_at IS NULL;

-- name: panel.add_qr
INSERT INTO qr_codes (code, point, device, secret, author, created_at)
VALUES ($code, $point, $device, $secret, $author, $now);

-- name: panel.get_qr
SELECT code, point, device, secret, created_at, revoked_at FROM qr_codes
WHERE ($code IS NULL OR code = $code) AND ($point IS NULL OR point = $point)
ORDER BY point, created_at, code;

-- name: panel.revoke_qr
UPDATE qr_codes SET revoked_at = $now WHERE code = $code AND revoked_at IS NULL;

-- name: panel.add_prompt
INSERT INTO prompts (sha256, media_type, content) VALUES ($sha256, $media_type, $content)
ON CONFLICT DO NOTHING;

-- name: panel.get_prompt
-- For a panel of that point only.
SELECT media_type, content FROM prompts p
WHERE sha256 = $sha256
  AND EXISTS (SELECT 1 FROM question_prompts q WHERE q.sha256 = p.sha256 AND q.point = $point);

-- name: panel.prompt_of
SELECT q.sha256, q.duration_us, p.media_type, length(p.content) AS bytes
FROM question_prompts q JOIN prompts p ON p.sha256 = q.sha256
WHERE q.question = $question AND q.point = $point AND q.valid_from = $from;

-- name: panel.points_of_question
SELECT DISTINCT point FROM questions WHERE question = $question
  AND ($point IS NULL OR point = $point) ORDER BY point;

-- name: panel.add_question_import
INSERT INTO imports (at, author, kind, source, read, added)
VALUES ($at, $author, 'questions', 'prompt', 1, 1) RETURNING import;

-- name: panel.add_question
INSERT INTO questions (import, question, point, valid_from, valid_to, kind, text, window_us)
VALUES ($import, $question, $point, $from, $to, $kind, $text, $window_us);

-- name: panel.add_question_prompt
INSERT INTO question_prompts (question, point, valid_from, sha256, duration_us)
VALUES ($question, $point, $from, $sha256, $duration_us);
