-- name: service.user
SELECT user, name, role, language, password_hash FROM users WHERE user = $user AND disabled = 0;

-- name: service.expire_sessions
DELETE FROM sessions WHERE expires_at <= $now;

-- name: service.add_session
INSERT INTO sessions (token_hash, user, created_at, expires_at)
VALUES ($token_hash, $user, $now, $until);

-- name: service.session
SELECT u.user, u.name, u.role, u.language FROM sessions s JOIN users u ON u.user = s.user
WHERE s.token_hash = $token_hash AND s.expires_at > $now AND u.disabled = 0;

-- name: service.end_session
DELETE FROM sessions WHERE token_hash = $token_hash;

-- name: service.set_language
UPDATE users SET language = $language WHERE user = $user;
