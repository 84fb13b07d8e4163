-- name: registry.add_user
INSERT INTO users (user, name, role, password_hash, language, employee, created_at)
VALUES ($user, $name, $role, $password_hash, $language, $employee, $now)
ON CONFLICT DO NOTHING;

-- name: registry.set_password
UPDATE users SET password_hash = $password_hash WHERE user = $user;

-- name: registry.set_language
UPDATE users SET language = $language WHERE user = $user;

-- name: registry.set_disabled
UPDATE users SET disabled = $disabled WHERE user = $user;

-- name: registry.get_users
SELECT user, name, role, language, employee, disabled, password_hash FROM users
WHERE $user IS NULL OR user = $user
ORDER BY user;

-- name: registry.count_users
SELECT count(*) AS users FROM users;

-- name: registry.add_session
INSERT INTO sessions (token_hash, user, created_at, expires_at)
VALUES ($token_hash, $user, $now, $until);

-- name: registry.find_session
SELECT u.user, u.name, u.role, u.language, u.employee, u.disabled
FROM sessions s JOIN users u ON u.user = s.user
WHERE s.token_hash = $token_hash AND s.expires_at > $now AND u.disabled = 0;

-- name: registry.delete_session
DELETE FROM sessions WHERE token_hash = $token_hash;

-- name: registry.delete_sessions
DELETE FROM sessions WHERE user = $user;

-- name: registry.expire_sessions
DELETE FROM sessions WHERE expires_at <= $now;

-- name: user.others_run_it
-- Whether anybody but this one is an administrator, or this one is none.
SELECT EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled = 0 AND user <> $user)
       OR NOT EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled = 0 AND user = $user);

-- name: user.runs_it
-- Whether an administrator's login belongs to the same employee.
SELECT EXISTS (SELECT 1 FROM users a JOIN users b ON b.employee = a.employee
               WHERE a.user = $user AND b.role = 'administrator' AND b.disabled = 0);
